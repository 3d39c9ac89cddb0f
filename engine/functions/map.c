/*
 * map.c - functions of maps: their keys, values and entries, maps from entries, several maps in one.
 *
 * Keys and values of a map are two vectors side by side, so that map_keys(), map_values() and
 * map_entries() share them with their argument. Keys are told apart by hash, as in IS NOT DISTINCT FROM.
 * What a map with equal or NULL keys would come of raises (nested.c).
 */
#include "engine/functions/nested.h"

/* ---------------------------------------------------------------- parts */

/* Lists at the same places as the argument's. */
static void share_places(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        ListEntry entry = list_entry(&call->args[0], row);
        list_put(call, row, entry.offset, entry.length);
    });
    call->result->entries = call->args[0].entries;
}

static Status map_part(KernelCall *call, uint32_t child) {
    share_places(call);
    call->result->children[0] = call->args[0].children[child];
    return vector_retype(call->arena, &call->result->children[0],
                         call->result_type.fields->field[0].type, call->err);
}

static Status kernel_map_keys(KernelCall *call) {
    return map_part(call, 0);
}

static Status kernel_map_values(KernelCall *call) {
    return map_part(call, 1);
}

static Status kernel_map_entries(KernelCall *call) {
    Vector *entry = &call->result->children[0];
    share_places(call);
    for (uint32_t c = 0; c < 2; c++) entry->children[c] = call->args[0].children[c];
    entry->capacity = call->args[0].entries;
    return vector_retype(call->arena, entry, call->result_type.fields->field[0].type, call->err);
}

/* ---------------------------------------------------------------- maps from entries */

/* Keys and values of arrays of rows: two vectors, positions by element of all rows. */
typedef struct EntryLists {
    Elements keys;
    Vector values;
} EntryLists;

/* A NULL entry makes its row raise. */
static Status entry_lists(KernelCall *call, EntryLists *out) {
    Elements rows;
    const Vector *entries;
    TRY(elements_of(call, 0, 0, false, &rows));
    entries = &rows.vector;
    KERNEL_ROWS(call, row, {
        uint32_t start = rows.starts[row], length = list_entry(&call->args[0], row).length;
        for (uint32_t i = start; i < start + length && call->errors[row] == 0; i++) {
            if (vector_is_null(entries, i))
                KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT, "an entry of a map cannot be NULL");
        }
    });
    out->keys = rows;
    uint32_t *all;
    TRY_ALLOC(all, ARENA_ARRAY(call->arena, uint32_t, rows.count), call->err);
    for (uint32_t i = 0; i < rows.count; i++) all[i] = i;
    TRY(positions_gather(call, &entries->children[0], all, rows.count, &out->keys.vector));
    TRY(positions_gather(call, &entries->children[1], all, rows.count, &out->values));
    TRY_ALLOC(out->keys.hashes, ARENA_ARRAY(call->arena, uint64_t, rows.count), call->err);
    vector_hash(&out->keys.vector, NULL, rows.count, false, out->keys.hashes);
    return TRIB_OK;
}

static Status kernel_map_from_entries(KernelCall *call) {
    EntryLists e;
    Picks picks = {0};
    TRY(entry_lists(call, &e));
    ElementSet set = {.first = &e.keys};
    KERNEL_ROWS(call, row, {
        uint32_t length = list_entry(&call->args[0], row).length, start = e.keys.starts[row];
        list_put(call, row, picks.count, length);
        TRY(element_set_begin(call, &set, length));
        if (call->errors[row] != 0) continue;
        if (keys_refused(call, row, &e.keys, &set, length)) continue;
        TRY(picks_reserve(call, &picks, length));
        for (uint32_t i = 0; i < length; i++) picks_add(&picks, start + i);
    });
    TRY(picks_finish(call, &picks, &e.keys.vector, 0));
    return picks_finish(call, &picks, &e.values, 1);
}

static bool null_key(KernelCall *call, uint32_t row, const Elements *keys, uint32_t length) {
    for (uint32_t i = keys->starts[row]; i < keys->starts[row] + length; i++) {
        if (!vector_is_null(&keys->vector, i)) continue;
        KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT, "the key of a map cannot be NULL");
        return true;
    }
    return false;
}

static Status kernel_multimap_from_entries(KernelCall *call) {
    EntryLists e;
    Multimap map;
    TRY(entry_lists(call, &e));
    TRY(multimap_begin(call, &map, &e.keys));
    KERNEL_ROWS(call, row, {
        uint32_t length = list_entry(&call->args[0], row).length;
        if (call->errors[row] != 0 || null_key(call, row, &e.keys, length)) length = 0;
        TRY(multimap_row(call, &map, row, length));
    });
    return multimap_finish(call, &map, &e.values);
}

/* ---------------------------------------------------------------- several maps in one */

/* Places of the keys of one row's maps (argument, position) and, in pairs, of the values that are theirs now. */
static Status concat_row(KernelCall *call, uint32_t row, Picks *sides, Picks *keys, Picks *values) {
    for (uint32_t a = 0; a < call->nargs; a++) {
        const Vector *map = &call->args[a];
        ListEntry entry = list_entry(map, row);
        for (uint32_t i = entry.offset; i < entry.offset + entry.length; i++) {
            uint32_t old = 0;
            while (old < keys->count && !vector_equal(&call->args[sides->at[old]].children[0],
                                                      keys->at[old], &map->children[0], i)) {
                old++;
            }
            if (old == keys->count) {
                TRY(picks_reserve(call, sides, 1));
                TRY(picks_reserve(call, keys, 1));
                TRY(picks_reserve(call, values, 2));
                picks_add(sides, a);
                picks_add(keys, i);
                picks_add(values, a);
                picks_add(values, i);
            }
            values->at[2 * old] = a;
            values->at[2 * old + 1] = i;
        }
    }
    return TRIB_OK;
}

static Status kernel_map_concat(KernelCall *call) {
    Picks sides = {0}, keys = {0}, values = {0};
    Vector *out = call->result->children;
    uint32_t at = 0;
    KERNEL_ROWS(call, row, {
        sides.count = keys.count = values.count = 0;
        TRY(concat_row(call, row, &sides, &keys, &values));
        TRY(vector_reserve(call->arena, &out[0], at + keys.count, call->err));
        TRY(vector_reserve(call->arena, &out[1], at + keys.count, call->err));
        for (uint32_t i = 0; i < keys.count; i++) {
            TRY(vector_store(call->arena, &out[0], at + i, &call->args[sides.at[i]].children[0],
                             keys.at[i], call->err));
            TRY(vector_store(call->arena, &out[1], at + i,
                             &call->args[values.at[2 * i]].children[1], values.at[2 * i + 1],
                             call->err));
        }
        list_put(call, row, at, keys.count);
        at += keys.count;
    });
    call->result->entries = at;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- counts */

static Status kernel_array_histogram(KernelCall *call) {
    Elements elements;
    Picks picks = {0};
    Vector *counts = &call->result->children[1];
    uint32_t *place;
    TRY(elements_of(call, 0, 0, true, &elements));
    TRY(vector_reserve(call->arena, counts, elements.count, call->err));
    TRY(picks_reserve(call, &picks, elements.count));
    TRY_ALLOC(place, ARENA_ARRAY(call->arena, uint32_t, elements.count), call->err);
    ElementSet set = {.first = &elements};
    KERNEL_ROWS(call, row, {
        uint32_t length = list_entry(&call->args[0], row).length, first = picks.count;
        TRY(element_set_begin(call, &set, length));
        for (uint32_t i = elements.starts[row]; i < elements.starts[row] + length; i++) {
            if (vector_is_null(&elements.vector, i)) continue;
            uint32_t old = element_set_add(&set, i);
            if (old == NO_POSITION) {
                place[i] = picks.count;
                ((int64_t *)counts->data)[picks.count] = 0;
                picks_add(&picks, i);
                old = i;
            }
            ((int64_t *)counts->data)[place[old]]++;
        }
        list_put(call, row, first, picks.count - first);
    });
    return picks_finish(call, &picks, &elements.vector, 0);
}

/* ---------------------------------------------------------------- rows */

#define MAP(ID, SIGNATURE, RAISES, KERNEL, HELP)                                      \
    {                                                                                 \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .may_raise = RAISES, \
        .kernel = KERNEL, .family = "map", .help = HELP                               \
    }

static const Function rows[] = {
    MAP(map_keys, "map(E, W) -> array(E)", false, kernel_map_keys, "The keys."),
    MAP(map_values, "map(E, W) -> array(W)", false, kernel_map_values, "The values."),
    MAP(map_entries, "map(E, W) -> array(row(E, W))", false, kernel_map_entries,
        "The entries as rows of key and value."),
    MAP(map_from_entries, "array(row(K, W)) -> map(K, W)", true, kernel_map_from_entries,
        "A map of rows of key and value; keys must differ."),
    MAP(multimap_from_entries, "array(row(K, W)) -> map(K, array(W))", true,
        kernel_multimap_from_entries, "A map from each key to all its values."),
    MAP(map_concat, "map(K, W), map(K, W)... -> map(K, W)", false, kernel_map_concat,
        "The entries of all maps; of equal keys the last map's value counts."),
    MAP(array_histogram, "array(K) -> map(K, bigint)", false, kernel_array_histogram,
        "How often each element that is not NULL is there."),
};

FUNCTION_TABLE(functions_map, rows);
