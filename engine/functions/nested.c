/*
 * nested.c - constructors of rows, arrays and maps, their parts, and what kernels over them share.
 *
 * Semantics are Trino's: subscripts count from 1 and must exist, element_at() gives NULL where there is
 * nothing and counts from the end below 0; keys of maps are neither NULL nor equal. Memory is the call's
 * arena. Kernels keep no state.
 */
#include "engine/functions/nested.h"

#include <inttypes.h>

/* ---------------------------------------------------------------- positions */

Status picks_reserve(KernelCall *call, Picks *self, uint64_t more) {
    uint64_t wanted = self->count + more;
    if (wanted <= self->capacity) return TRIB_OK;
    if (wanted > UINT32_MAX / 2) return error_set(call->err, ERR_LIMIT, "too many elements");
    uint32_t capacity = self->capacity ? self->capacity : 64;
    while (capacity < wanted) capacity *= 2;
    void *grown = arena_resize(call->arena, self->at, self->capacity * sizeof(uint32_t),
                               capacity * sizeof(uint32_t));
    TRY_ALLOC(self->at, grown, call->err);
    self->capacity = capacity;
    return TRIB_OK;
}

Status positions_gather(KernelCall *call, const Vector *from, const uint32_t *positions,
                        uint32_t count, Vector *out) {
    Vector taken;
    TRY(vector_gather(call->arena, from, positions, count, &taken, call->err));
    *out = taken;
    if (taken.form == VECTOR_FLAT) return TRIB_OK;
    return vector_flatten(call->arena, &taken, NULL, count, count, out, call->err);
}

Status picks_finish(KernelCall *call, const Picks *self, const Vector *from, uint32_t child) {
    Vector *out = &call->result->children[child];
    TRY(positions_gather(call, from, self->at, self->count, out));
    call->result->entries = self->count;
    return vector_retype(call->arena, out, call->result_type.fields->field[child].type, call->err);
}

Status rows_new(KernelCall *call, uint32_t **out) {
    TRY_ALLOC(*out, ARENA_ARRAY(call->arena, uint32_t, call->positions), call->err);
    memset(*out, 0xff, call->positions * sizeof(uint32_t));
    return TRIB_OK;
}

Status result_gather(KernelCall *call, const Vector *from, const uint32_t *rows) {
    TRY(positions_gather(call, from, rows, call->positions, call->result));
    TRY(vector_retype(call->arena, call->result, call->result_type, call->err));
    if (call->result->validity == NULL) return TRIB_OK;
    KERNEL_ROWS(call, row, {
        if (call->errors[row] != 0) bitmap_set(call->result->validity, row);
    });
    return TRIB_OK;
}

#define ELEMENTS_AT_ONCE 256u

Status elements_append(KernelCall *call, uint32_t child, const Vector *from, ListEntry entry) {
    uint32_t rows[ELEMENTS_AT_ONCE];
    Vector *out = &call->result->children[child];
    uint32_t at = call->result->entries;
    for (uint32_t done = 0; done < entry.length;) {
        uint32_t n = entry.length - done;
        if (n > ELEMENTS_AT_ONCE) n = ELEMENTS_AT_ONCE;
        for (uint32_t i = 0; i < n; i++) rows[i] = entry.offset + done + i;
        TRY(vector_append_rows(call->arena, out, at + done, from, rows, n, call->err));
        done += n;
    }
    return TRIB_OK;
}

Status elements_of(KernelCall *call, uint32_t index, uint32_t child, bool hashes, Elements *out) {
    const Vector *v = &call->args[index];
    Picks picks = {0};
    *out = (Elements){0};
    TRY_ALLOC(out->starts, ARENA_ARRAY(call->arena, uint32_t, call->positions), call->err);
    KERNEL_ROWS(call, row, {
        ListEntry entry = list_entry(v, row);
        TRY(picks_reserve(call, &picks, entry.length));
        out->starts[row] = picks.count;
        for (uint32_t i = 0; i < entry.length; i++) picks_add(&picks, entry.offset + i);
    });
    out->count = picks.count;
    TRY(positions_gather(call, &v->children[child], picks.at, picks.count, &out->vector));
    if (!hashes) return TRIB_OK;
    TRY_ALLOC(out->hashes, ARENA_ARRAY(call->arena, uint64_t, picks.count), call->err);
    vector_hash(&out->vector, NULL, picks.count, false, out->hashes);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- sets of elements */

Status element_set_begin(KernelCall *call, ElementSet *self, uint32_t count) {
    uint32_t capacity = 8;
    while (capacity < 2 * (uint64_t)count) capacity *= 2;
    if (capacity > self->room) {
        TRY_ALLOC(self->slots, ARENA_ARRAY(call->arena, uint32_t, capacity), call->err);
        self->room = capacity;
    } else {
        memset(self->slots, 0, capacity * sizeof(uint32_t));
    }
    self->capacity = capacity;
    return TRIB_OK;
}

static const Elements *set_side(const ElementSet *self, uint32_t *position) {
    if (*position < self->first->count) return self->first;
    *position -= self->first->count;
    return self->second;
}

/* The slot of an equal element, or the empty one where it belongs. */
static uint32_t *set_slot(const ElementSet *self, uint32_t position) {
    const Elements *side = set_side(self, &position);
    uint64_t hash = side->hashes[position];
    for (uint32_t slot = (uint32_t)(hash ^ hash >> 32) & (self->capacity - 1);;
         slot = (slot + 1) & (self->capacity - 1)) {
        uint32_t other = self->slots[slot];
        if (other == 0) return &self->slots[slot];
        other--;
        const Elements *where = set_side(self, &other);
        if (where->hashes[other] == hash &&
            vector_equal(&where->vector, other, &side->vector, position)) {
            return &self->slots[slot];
        }
    }
}

uint32_t element_set_add(ElementSet *self, uint32_t position) {
    uint32_t *slot = set_slot(self, position);
    if (*slot != 0) return *slot - 1;
    *slot = position + 1;
    return NO_POSITION;
}

uint32_t element_set_find(const ElementSet *self, uint32_t position) {
    return *set_slot(self, position) - 1;
}

/* ---------------------------------------------------------------- constructors */

/* The argument's blocks are used again after the call: a copy, except of what lies in children. */
static Status column_copy(KernelCall *call, const Vector *v, Vector *out) {
    *out = *v;
    if (v->form == VECTOR_CONSTANT) return TRIB_OK;
    size_t size = physical_size((PhysicalType)v->physical);
    if (size > 0) {
        TRY_ALLOC(out->data, arena_array(call->arena, call->positions, size), call->err);
        FOR_SELECTED(call->selection, call->count, row, {
            memcpy((char *)out->data + row * size, (const char *)v->data + row * size, size);
        });
    }
    if (v->validity != NULL) {
        size_t bytes = bitmap_words(call->positions) * sizeof(uint64_t);
        TRY_ALLOC(out->validity, arena_alloc(call->arena, bytes), call->err);
        memcpy(out->validity, v->validity, bytes);
    }
    return TRIB_OK;
}

static Status kernel_row_new(KernelCall *call) {
    for (uint32_t i = 0; i < call->nargs; i++) {
        Vector *child = &call->result->children[i];
        TRY(column_copy(call, &call->args[i], child));
        TRY(vector_retype(call->arena, child, call->result_type.fields->field[i].type, call->err));
    }
    return TRIB_OK;
}

static Status resolve_row(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    TribTypeField *fields;
    TRY_ALLOC(fields, ARENA_ARRAY(arena, TribTypeField, nargs), err);
    for (uint32_t i = 0; i < nargs; i++) fields[i].type = args[i];
    *result = type_row(arena, nargs, fields);
    return result->id == TRIB_TYPE_UNKNOWN ? error_out_of_memory(err) : TRIB_OK;
}

static Status kernel_array_new(KernelCall *call) {
    Vector *child = &call->result->children[0];
    uint64_t total = (uint64_t)call->count * call->nargs;
    if (total > UINT32_MAX / 2) return error_set(call->err, ERR_LIMIT, "too many elements");
    TRY(vector_reserve(call->arena, child, (uint32_t)total, call->err));
    uint32_t at = 0;
    KERNEL_ROWS(call, row, {
        list_put(call, row, at, call->nargs);
        for (uint32_t i = 0; i < call->nargs; i++)
            TRY(vector_store(call->arena, child, at++, &call->args[i], row, call->err));
    });
    call->result->entries = at;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- maps from keys and values */

bool keys_refused(KernelCall *call, uint32_t row, const Elements *keys, ElementSet *set,
                  uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t position = keys->starts[row] + i;
        if (vector_is_null(&keys->vector, position)) {
            KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT, "the key of a map cannot be NULL");
            return true;
        }
        if (element_set_add(set, position) == NO_POSITION) continue;
        call->errors[row] = KERNEL_ERROR(ERR_INVALID_ARGUMENT);
        Value value;
        if (call->explain == NULL || call->explain->len > 0) return true;
        if (vector_value(call->arena, &keys->vector, position, &value, call->err) != TRIB_OK)
            return true;
        buf_text(call->explain, "the key ");
        value_print(call->explain, &value);
        buf_text(call->explain, " stands more than once in a map");
        return true;
    }
    return false;
}

/* ---------------------------------------------------------------- keys with all their values */

Status multimap_begin(KernelCall *call, Multimap *self, const Elements *keys) {
    *self = (Multimap){.set = {.first = keys}};
    TRY_ALLOC(self->next, ARENA_ARRAY(call->arena, uint32_t, keys->count), call->err);
    TRY_ALLOC(self->last, ARENA_ARRAY(call->arena, uint32_t, keys->count), call->err);
    TRY(picks_reserve(call, &self->keys, keys->count));
    TRY(picks_reserve(call, &self->values, keys->count));
    return vector_reserve(call->arena, &call->result->children[1], keys->count, call->err);
}

Status multimap_row(KernelCall *call, Multimap *self, uint32_t row, uint32_t length) {
    uint32_t first = self->keys.count, start = self->set.first->starts[row];
    ListEntry *lists = call->result->children[1].data;
    TRY(element_set_begin(call, &self->set, length));
    for (uint32_t i = start; i < start + length; i++) {
        uint32_t old = element_set_add(&self->set, i);
        self->next[i] = NO_POSITION;
        if (old == NO_POSITION) {
            picks_add(&self->keys, i);
            self->last[i] = i;
        } else {
            self->next[self->last[old]] = i;
            self->last[old] = i;
        }
    }
    for (uint32_t k = first; k < self->keys.count; k++) {
        uint32_t from = self->values.count;
        for (uint32_t i = self->keys.at[k]; i != NO_POSITION; i = self->next[i])
            picks_add(&self->values, i);
        lists[k] = (ListEntry){from, self->values.count - from};
    }
    list_put(call, row, first, self->keys.count - first);
    return TRIB_OK;
}

Status multimap_finish(KernelCall *call, const Multimap *self, const Vector *values) {
    Vector *lists = &call->result->children[1];
    TRY(picks_finish(call, &self->keys, &self->set.first->vector, 0));
    lists->entries = self->values.count;
    return positions_gather(call, values, self->values.at, self->values.count, &lists->children[0]);
}

static Status kernel_map(KernelCall *call) {
    Elements keys;
    Picks values = {0}, chosen = {0};
    TRY(elements_of(call, 0, 0, true, &keys));
    ElementSet set = {.first = &keys};
    KERNEL_ROWS(call, row, {
        ListEntry k = list_entry(&call->args[0], row);
        ListEntry v = list_entry(&call->args[1], row);
        list_put(call, row, chosen.count, k.length);
        if (k.length != v.length) {
            KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                        "a map needs as many keys as values, not %u and %u", k.length, v.length);
            continue;
        }
        TRY(element_set_begin(call, &set, k.length));
        if (keys_refused(call, row, &keys, &set, k.length)) continue;
        TRY(picks_reserve(call, &values, v.length));
        TRY(picks_reserve(call, &chosen, k.length));
        for (uint32_t i = 0; i < k.length; i++) {
            picks_add(&chosen, keys.starts[row] + i);
            picks_add(&values, v.offset + i);
        }
    });
    TRY(picks_finish(call, &chosen, &keys.vector, 0));
    return picks_finish(call, &values, &call->args[1].children[0], 1);
}

static Status kernel_map_empty(KernelCall *call) {
    KERNEL_ROWS(call, row, { list_put(call, row, 0, 0); });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- parts */

/* args[1] is the field's number from 1, a constant. */
static Status kernel_row_field(KernelCall *call) {
    const Vector *v = &call->args[0];
    uint32_t index = (uint32_t)(KERNEL_ARG(call, 1, int64_t, 0) - 1);
    uint32_t *rows;
    TRY(rows_new(call, &rows));
    KERNEL_ROWS(call, row, { rows[row] = v->form == VECTOR_CONSTANT ? 0 : row; });
    return result_gather(call, &v->children[index], rows);
}

static void subscript_fail(KernelCall *call, uint32_t row, int64_t index, uint32_t length) {
    if (index == 0) {
        KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT, "elements of arrays are counted from 1");
    } else if (index < 0) {
        KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                    "the subscript %" PRId64 " of an array is negative", index);
    } else {
        KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                    "the subscript %" PRId64 " is beyond the array's %u elements", index, length);
    }
}

static Status kernel_array_subscript(KernelCall *call) {
    uint32_t *rows;
    TRY(rows_new(call, &rows));
    KERNEL_ROWS(call, row, {
        ListEntry entry = list_entry(&call->args[0], row);
        int64_t index = arg_int64(call, 1, row);
        if (index < 1 || index > entry.length) {
            subscript_fail(call, row, index, entry.length);
        } else {
            rows[row] = entry.offset + (uint32_t)(index - 1);
        }
    });
    return result_gather(call, call->args[0].children, rows);
}

static Status kernel_array_element_at(KernelCall *call) {
    uint32_t *rows;
    TRY(rows_new(call, &rows));
    KERNEL_ROWS(call, row, {
        ListEntry entry = list_entry(&call->args[0], row);
        int64_t index = arg_int64(call, 1, row);
        if (index == 0) {
            subscript_fail(call, row, index, entry.length);
        } else if (index > 0 && index <= entry.length) {
            rows[row] = entry.offset + (uint32_t)(index - 1);
        } else if (index < 0 && -(index + 1) < entry.length) {
            rows[row] = entry.offset + (uint32_t)(entry.length + index);
        }
    });
    return result_gather(call, call->args[0].children, rows);
}

/* Where the value of the key in args[1] stands, or NO_POSITION. */
static uint32_t map_find(const KernelCall *call, uint32_t row) {
    const Vector *map = &call->args[0];
    ListEntry entry = list_entry(map, row);
    for (uint32_t i = entry.offset; i < entry.offset + entry.length; i++) {
        if (vector_equal(&map->children[0], i, &call->args[1], row)) return i;
    }
    return NO_POSITION;
}

static Status kernel_map_subscript(KernelCall *call) {
    uint32_t *rows;
    TRY(rows_new(call, &rows));
    KERNEL_ROWS(call, row, {
        rows[row] = map_find(call, row);
        if (rows[row] == NO_POSITION)
            KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT, "the map has no such key");
    });
    return result_gather(call, &call->args[0].children[1], rows);
}

static Status kernel_map_element_at(KernelCall *call) {
    uint32_t *rows;
    TRY(rows_new(call, &rows));
    KERNEL_ROWS(call, row, { rows[row] = map_find(call, row); });
    return result_gather(call, &call->args[0].children[1], rows);
}

static Status kernel_cardinality(KernelCall *call) {
    int64_t *out = call->result->data;
    KERNEL_ROWS(call, row, { out[row] = list_entry(&call->args[0], row).length; });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

static const Function rows[] = {
    {.id = TRIB_FN_row_new,
     .name = "ROW",
     .signature = "any, any... -> *",
     .nulls = NULLS_CALLED,
     .kernel = kernel_row_new,
     .resolve = resolve_row,
     .family = "nested",
     .help = "ROW(a, b) and (a, b): a row of the values, whose fields have no names."},
    {.id = TRIB_FN_array_new,
     .name = "ARRAY",
     .signature = "E... -> array(E)",
     .nulls = NULLS_CALLED,
     .kernel = kernel_array_new,
     .family = "nested",
     .help = "ARRAY[a, b]: an array of the values, which are brought to one type."},
    {.id = TRIB_FN_row_field,
     .name = "field",
     .signature = "any, bigint -> any",
     .kernel = kernel_row_field,
     .family = "nested",
     .help = "r.name and r[1]: a field of a row."},
    {.id = TRIB_FN_subscript,
     .name = "subscript",
     .signature = "array(E), bigint -> E",
     .may_raise = true,
     .kernel = kernel_array_subscript,
     .family = "nested",
     .help = "a[n]: the n-th element, counted from 1; one that is not there is an error."},
    {.id = TRIB_FN_subscript,
     .name = "subscript",
     .signature = "map(K, W), K -> W",
     .may_raise = true,
     .kernel = kernel_map_subscript,
     .family = "nested",
     .help = "m[k]: the value of a key; one that is not there is an error."},
    {.id = TRIB_FN_element_at,
     .name = "element_at",
     .signature = "array(E), bigint -> E",
     .may_raise = true,
     .kernel = kernel_array_element_at,
     .family = "nested",
     .help = "The n-th element, from the end below 0; NULL where there is none. 0 is an error."},
    {.id = TRIB_FN_element_at,
     .name = "element_at",
     .signature = "map(K, W), K -> W",
     .kernel = kernel_map_element_at,
     .family = "nested",
     .help = "The value of a key; NULL where there is none."},
    {.id = TRIB_FN_cardinality,
     .name = "cardinality",
     .signature = "array(E) -> bigint",
     .kernel = kernel_cardinality,
     .family = "nested",
     .help = "The number of elements."},
    {.id = TRIB_FN_cardinality,
     .name = "cardinality",
     .signature = "map(E, W) -> bigint",
     .kernel = kernel_cardinality,
     .family = "nested",
     .help = "The number of entries."},
    {.id = TRIB_FN_map,
     .name = "map",
     .signature = "-> map(E, W)",
     .kernel = kernel_map_empty,
     .family = "nested",
     .help = "An empty map."},
    {.id = TRIB_FN_map,
     .name = "map",
     .signature = "array(K), array(W) -> map(K, W)",
     .may_raise = true,
     .kernel = kernel_map,
     .family = "nested",
     .help = "A map of the keys and values at the same places; keys must differ."},
};

FUNCTION_TABLE(functions_nested, rows);
