/*
 * value_store.c - values of any type inside the states of aggregates.
 *
 * Cells keep fixed-width values in themselves, text in a room that is reused by what fits it, nested values as
 * a vector of one element. Lists are FLAT vectors that grow in the arena of the state. One thread; what
 * replaced values leave in the arena is thrown away when the state is packed.
 */
#include "engine/functions/value_store.h"

#define LIST_FIRST 4 /* rows that a list has room for at first */

static uint64_t no_validity; /* a validity bitmap of one NULL */

/* ---------------------------------------------------------------- bytes */

size_t position_write(const Vector *v, uint32_t position, uint8_t *out) {
    bool null = vector_is_null(v, position);
    if (out != NULL) *out = null;
    size_t at = 1;
    if (null) return at;
    v = vector_resolve(v, &position);
    size_t size = physical_size((PhysicalType)v->physical);
    const uint8_t *data = size > 0 ? (const uint8_t *)v->data + position * size : NULL;
    uint32_t first = position, length = 1;
    if (v->physical == PHYS_STRING) {
        const StrView *s = (const StrView *)data;
        if (out != NULL) {
            memcpy(out + at, &s->len, sizeof(s->len));
            memcpy(out + at + sizeof(s->len), strview_data(s), s->len);
        }
        return at + sizeof(s->len) + s->len;
    }
    if (v->physical == PHYS_LIST) {
        ListEntry entry;
        memcpy(&entry, data, sizeof(entry));
        first = entry.offset;
        length = entry.length;
        if (out != NULL) memcpy(out + at, &length, sizeof(length));
        at += sizeof(length);
    } else if (v->physical != PHYS_ROW) {
        if (out != NULL) memcpy(out + at, data, size);
        return at + size;
    }
    for (uint32_t i = first; i < first + length; i++) {
        for (uint32_t c = 0; c < v->nchildren; c++) {
            at += position_write(&v->children[c], i, out != NULL ? out + at : NULL);
        }
    }
    return at;
}

Status position_read(Vector *v, uint32_t position, const uint8_t **at, Arena *arena, Error *err) {
    bool null = *(*at)++ != 0;
    TRY(vector_reserve(arena, v, position + 1, err));
    if (null) {
        TRY(vector_need_validity(arena, v, err));
        bitmap_unset(v->validity, position);
        return TRIB_OK;
    }
    size_t size = physical_size((PhysicalType)v->physical);
    uint32_t first = position, length = 1;
    if (v->physical == PHYS_STRING) {
        char *text;
        memcpy(&length, *at, sizeof(length));
        *at += sizeof(length);
        TRY_ALLOC(text, arena_copy(arena, *at, length), err);
        ((StrView *)v->data)[position] = strview_of(text, length);
        *at += length;
        return TRIB_OK;
    }
    if (v->physical == PHYS_LIST) {
        memcpy(&length, *at, sizeof(length));
        *at += sizeof(length);
        first = v->entries;
        ((ListEntry *)v->data)[position] = (ListEntry){first, length};
        v->entries += length;
    } else if (v->physical != PHYS_ROW) {
        memcpy((uint8_t *)v->data + position * size, *at, size);
        *at += size;
        return TRIB_OK;
    }
    for (uint32_t i = first; i < first + length; i++) {
        for (uint32_t c = 0; c < v->nchildren; c++) {
            TRY(position_read(&v->children[c], i, at, arena, err));
        }
    }
    return TRIB_OK;
}

Status vector_row(const Vector *v, uint32_t row, Arena *arena, Vector *out, Error *err) {
    bool null = vector_is_null(v, row);
    v = vector_resolve(v, &row);
    size_t size = physical_size((PhysicalType)v->physical);
    *out = *v;
    out->form = VECTOR_FLAT;
    out->capacity = 1;
    out->validity = null ? &no_validity : NULL;
    if (size > 0) out->data = (char *)v->data + row * size;
    if (v->physical != PHYS_ROW) return TRIB_OK;
    TRY_ALLOC(out->children, ARENA_ARRAY(arena, Vector, v->nchildren), err);
    for (uint32_t c = 0; c < v->nchildren && !null; c++)
        TRY(vector_row(&v->children[c], row, arena, &out->children[c], err));
    return TRIB_OK;
}

/* ---------------------------------------------------------------- one value */

void cell_init(Cell *self, const Type *type) {
    *self = (Cell){.type = type, .physical = (uint8_t)type_physical(*type)};
}

void cell_view(const Cell *self, Vector *out) {
    bool nested = self->physical == PHYS_LIST || self->physical == PHYS_ROW;
    if (nested && !self->null && self->any) {
        *out = *self->as.nested;
        return;
    }
    *out = (Vector){.type = *self->type,
                    .physical = self->physical,
                    .form = VECTOR_FLAT,
                    .capacity = 1,
                    .data = (void *)&self->as,
                    .validity = self->null || !self->any ? &no_validity : NULL};
}

/* Takes the text over, into the room of the last one where it fits. */
static Status cell_set_text(Cell *self, const StrView *value, Arena *arena, Error *err) {
    if (value->len <= STRVIEW_INLINE) {
        self->as.text = *value;
        self->room = 0; /* the room is lost with its pointer */
        return TRIB_OK;
    }
    char *room = self->room > 0 ? (char *)self->as.text.ptr : NULL;
    if (value->len > self->room) {
        uint32_t bytes = value->len + value->len / 2;
        if (bytes < value->len) bytes = value->len;
        TRY_ALLOC(room, arena_alloc(arena, bytes), err);
        self->room = bytes;
    }
    memcpy(room, value->ptr, value->len);
    self->as.text = strview_of(room, value->len);
    return TRIB_OK;
}

Status cell_set(Cell *self, const Vector *v, uint32_t row, Arena *arena, Error *err) {
    self->any = true;
    self->null = vector_is_null(v, row);
    if (self->null) return TRIB_OK;
    v = vector_resolve(v, &row);
    if (self->physical == PHYS_LIST || self->physical == PHYS_ROW) {
        Vector one;
        TRY(vector_row(v, row, arena, &one, err));
        TRY_ALLOC(self->as.nested, ARENA_NEW(arena, Vector), err);
        TRY(vector_new(arena, *self->type, 1, self->as.nested, err));
        return vector_append(arena, self->as.nested, 0, &one, NULL, 1, err);
    }
    size_t size = physical_size((PhysicalType)v->physical);
    const char *from = (const char *)v->data + row * size;
    if (self->physical == PHYS_STRING)
        return cell_set_text(self, (const StrView *)(const void *)from, arena, err);
    memcpy(self->as.bits, from, size);
    return TRIB_OK;
}

uint64_t cell_bytes(const Cell *self) {
    Vector v;
    if (!self->any) return 1;
    cell_view(self, &v);
    return 1 + position_write(&v, 0, NULL);
}

uint8_t *cell_write(const Cell *self, uint8_t *out) {
    Vector v;
    *out++ = self->any;
    if (!self->any) return out;
    cell_view(self, &v);
    return out + position_write(&v, 0, out);
}

Status cell_read(Cell *self, const uint8_t **at, Arena *arena, Error *err) {
    Vector v;
    if (*(*at)++ == 0) return TRIB_OK;
    TRY(vector_new(arena, *self->type, 1, &v, err));
    TRY(position_read(&v, 0, at, arena, err));
    return cell_set(self, &v, 0, arena, err);
}

static bool is_nan(const Vector *v, uint32_t position) {
    if (v->physical == PHYS_DOUBLE) {
        double x = *(const double *)vector_at(v, position);
        return x != x;
    }
    if (v->physical != PHYS_FLOAT) return false;
    float x = *(const float *)vector_at(v, position);
    return x != x;
}

bool value_better(const Vector *a, uint32_t pa, const Vector *b, uint32_t pb, bool largest) {
    if (a->physical == PHYS_DOUBLE || a->physical == PHYS_FLOAT) {
        if (is_nan(a, pa)) return false;
        if (is_nan(b, pb)) return true;
    }
    int order = vector_compare(a, pa, b, pb);
    return largest ? order > 0 : order < 0;
}

/* ---------------------------------------------------------------- rows */

static Status list_columns(ValueList *self, uint32_t ncolumns, const Type *types, uint32_t capacity,
                           Arena *arena, Error *err) {
    if (self->columns != NULL) return TRIB_OK;
    TRY_ALLOC(self->columns, ARENA_ARRAY(arena, Vector, ncolumns), err);
    self->ncolumns = ncolumns;
    for (uint32_t c = 0; c < ncolumns; c++) {
        Status status = vector_new(arena, types[c], capacity, &self->columns[c], err);
        if (status != TRIB_OK) {
            self->columns = NULL;
            return status;
        }
    }
    return TRIB_OK;
}

Status value_list_add(ValueList *self, uint32_t ncolumns, const Type *types, const Vector *values,
                      const uint16_t *selection, uint32_t count, Arena *arena, Error *err) {
    if (count == 0) return TRIB_OK;
    TRY(list_columns(self, ncolumns, types, count > LIST_FIRST ? count : LIST_FIRST, arena, err));
    for (uint32_t c = 0; c < ncolumns; c++)
        TRY(vector_append(arena, &self->columns[c], self->count, &values[c], selection, count,
                          err));
    self->count += count;
    return TRIB_OK;
}

Status value_list_add_row(ValueList *self, uint32_t ncolumns, const Type *types,
                          const Vector *values, uint32_t row, Arena *arena, Error *err) {
    TRY(list_columns(self, ncolumns, types, LIST_FIRST, arena, err));
    for (uint32_t c = 0; c < ncolumns; c++) {
        Vector one;
        TRY(vector_row(&values[c], row, arena, &one, err));
        TRY(vector_append(arena, &self->columns[c], self->count, &one, NULL, 1, err));
    }
    self->count++;
    return TRIB_OK;
}

Status value_list_add_list(ValueList *self, const ValueList *from, const Type *types, Arena *arena,
                           Error *err) {
    return value_list_add(self, from->ncolumns, types, from->columns, NULL, from->count, arena,
                          err);
}

uint64_t value_list_bytes(const ValueList *self) {
    uint64_t bytes = sizeof self->count;
    for (uint32_t c = 0; c < (self->count > 0 ? self->ncolumns : 0); c++) {
        for (uint32_t i = 0; i < self->count; i++)
            bytes += position_write(&self->columns[c], i, NULL);
    }
    return bytes;
}

uint8_t *value_list_write(const ValueList *self, uint8_t *out) {
    memcpy(out, &self->count, sizeof self->count);
    out += sizeof self->count;
    for (uint32_t c = 0; c < (self->count > 0 ? self->ncolumns : 0); c++) {
        for (uint32_t i = 0; i < self->count; i++) out += position_write(&self->columns[c], i, out);
    }
    return out;
}

Status value_list_read(ValueList *self, uint32_t ncolumns, const Type *types, const uint8_t **at,
                       Arena *arena, Error *err) {
    uint32_t count;
    memcpy(&count, *at, sizeof count);
    *at += sizeof count;
    if (count == 0) return TRIB_OK;
    TRY(list_columns(self, ncolumns, types, count, arena, err));
    for (uint32_t c = 0; c < ncolumns; c++) {
        for (uint32_t i = 0; i < count; i++)
            TRY(position_read(&self->columns[c], i, at, arena, err));
    }
    self->count = count;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- results */

static Status elements_append(Vector *out, uint32_t at, const Vector *elements,
                              const uint32_t *rows, uint32_t count, Arena *arena, Error *err) {
    if (rows == NULL) return vector_append(arena, out, at, elements, NULL, count, err);
    Vector taken;
    TRY(vector_gather(arena, elements, rows, count, &taken, err));
    return vector_append(arena, out, at, &taken, NULL, count, err);
}

Status result_array(Vector *result, uint32_t position, const Vector *elements, const uint32_t *rows,
                    uint32_t count, Arena *arena, Error *err) {
    if (count > 0)
        TRY(elements_append(&result->children[0], result->entries, elements, rows, count, arena,
                            err));
    ((ListEntry *)result->data)[position] = (ListEntry){result->entries, count};
    result->entries += count;
    return TRIB_OK;
}

Status result_map(Vector *result, uint32_t position, const Vector *keys, const Vector *values,
                  uint32_t count, Arena *arena, Error *err) {
    if (count > 0) {
        TRY(vector_append(arena, &result->children[0], result->entries, keys, NULL, count, err));
        TRY(vector_append(arena, &result->children[1], result->entries, values, NULL, count, err));
    }
    ((ListEntry *)result->data)[position] = (ListEntry){result->entries, count};
    result->entries += count;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- order */

/* Merge sort from the bottom up. */
void index_sort(uint32_t *indexes, uint32_t *scratch, uint32_t count,
                int (*compare)(const void *context, uint32_t a, uint32_t b), const void *context) {
    uint32_t *from = indexes, *to = scratch;
    for (uint64_t width = 1; width < count; width *= 2) {
        for (uint64_t low = 0; low < count; low += 2 * width) {
            uint64_t middle = low + width < count ? low + width : count;
            uint64_t high = middle + width < count ? middle + width : count;
            uint64_t a = low, b = middle;
            for (uint64_t i = low; i < high; i++) {
                bool left = a < middle && (b >= high || compare(context, from[a], from[b]) <= 0);
                to[i] = left ? from[a++] : from[b++];
            }
        }
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != indexes) memcpy(indexes, from, count * sizeof *indexes);
}

/* Shell's sort with the gaps of Ciura (2001), continued by 2.25: lists are short, and their memory is the state's. */
void pairs_sort(NumberPair *pairs, uint32_t count) {
    static const uint32_t gaps[] = {90927, 40412, 17961, 7983, 3548, 1577, 701,
                                    301,   132,   57,    23,   10,   4,    1};
    for (size_t g = 0; g < COUNT_OF(gaps); g++) {
        uint32_t gap = gaps[g];
        for (uint32_t i = gap; i < count; i++) {
            NumberPair moved = pairs[i];
            uint32_t at = i;
            for (; at >= gap && pairs[at - gap].value > moved.value; at -= gap)
                pairs[at] = pairs[at - gap];
            pairs[at] = moved;
        }
    }
}
