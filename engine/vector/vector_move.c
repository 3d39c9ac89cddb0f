/*
 * vector_move.c - moving many rows: flatten, gather, append.
 *
 * Everything is reduced to "take these positions of that FLAT vector": dictionaries and constants are
 * resolved to positions of what stands behind them first, a chunk of rows at a time for append, so
 * that no form needs loops of its own. flatten and gather share text and list elements with their
 * source; append copies them into the destination's arena, which is how operators keep rows beyond
 * the life of a batch. Recursion follows the nesting of the type.
 */
#include "engine/vector/vector.h"

#define CHUNK  256u
#define NO_ROW UINT32_MAX

/* A FLAT vector like self, with room for its own data; children are shared. */
static Status flat_like(Arena *arena, const Vector *self, uint32_t positions, Vector *out,
                        Error *err) {
    *out = (Vector){.type = self->type,
                    .physical = self->physical,
                    .form = VECTOR_FLAT,
                    .capacity = positions,
                    .entries = self->entries,
                    .nchildren = self->nchildren,
                    .children = self->children};
    TRY_ALLOC(out->data, arena_array(arena, positions, physical_size((PhysicalType)self->physical)),
              err);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- gather */

#define GATHER(T)                                                       \
    do {                                                                \
        const T *from = self->data;                                     \
        T *restrict to = out->data;                                     \
        if (any_null) {                                                 \
            for (uint32_t i = 0; i < count; i++) {                      \
                if (rows[i] != NO_ROW) to[i] = from[rows[i]];           \
            }                                                           \
        } else {                                                        \
            for (uint32_t i = 0; i < count; i++) to[i] = from[rows[i]]; \
        }                                                               \
    } while (0)

static Status gather_validity(Arena *arena, const uint64_t *validity, const uint32_t *rows,
                              uint32_t count, bool any_null, Vector *out, Error *err) {
    if (validity == NULL && !any_null) return TRIB_OK;
    TRY_ALLOC(out->validity, ARENA_ARRAY(arena, uint64_t, bitmap_words(count)), err);
    for (uint32_t i = 0; i < count; i++) {
        bool valid = rows[i] != NO_ROW && (validity == NULL || bitmap_get(validity, rows[i]));
        out->validity[i >> 6] |= (uint64_t)valid << (i & 63);
    }
    return TRIB_OK;
}

static Status gather_flat(Arena *arena, const Vector *self, const uint32_t *rows, uint32_t count,
                          bool any_null, Vector *out, Error *err) {
    TRY(flat_like(arena, self, count, out, err));
    switch (physical_size((PhysicalType)self->physical)) {
    case 1: GATHER(uint8_t); break;
    case 2: GATHER(uint16_t); break;
    case 4: GATHER(uint32_t); break;
    case 8: GATHER(uint64_t); break;
    case 16: GATHER(Instant); break;
    default: break;
    }
    if (self->physical == PHYS_ROW) {
        TRY_ALLOC(out->children, ARENA_ARRAY(arena, Vector, self->nchildren), err);
        for (uint32_t c = 0; c < self->nchildren; c++) {
            TRY(vector_gather(arena, &self->children[c], rows, count, &out->children[c], err));
        }
    }
    return gather_validity(arena, self->validity, rows, count, any_null, out, err);
}

/* A dictionary over the same entries; entries become a one-entry dictionary for a CONSTANT. */
static Status gather_dictionary(Arena *arena, const Vector *self, const uint32_t *rows,
                                uint32_t count, bool any_null, Vector *out, Error *err) {
    bool constant = self->form == VECTOR_CONSTANT;
    *out = *self;
    out->form = VECTOR_DICTIONARY;
    out->data = NULL;
    out->validity = NULL;
    uint32_t *indices;
    TRY_ALLOC(indices, ARENA_ARRAY(arena, uint32_t, count), err);
    if (constant) {
        TRY_ALLOC(out->children, ARENA_NEW(arena, Vector), err);
        out->children[0] = *self;
        out->children[0].form = VECTOR_FLAT;
        out->nchildren = 1;
        out->entries = 1;
        out->dictionary_id = 0;
    } else {
        for (uint32_t i = 0; i < count; i++) {
            if (rows[i] != NO_ROW) indices[i] = self->indices[rows[i]];
        }
    }
    out->indices = indices;
    return gather_validity(arena, constant ? NULL : self->validity, rows, count, any_null, out,
                           err);
}

Status vector_gather(Arena *arena, const Vector *self, const uint32_t *rows, uint32_t count,
                     Vector *out, Error *err) {
    uint32_t nulls = 0;
    for (uint32_t i = 0; i < count; i++) nulls += rows[i] == NO_ROW;
    if (self->form == VECTOR_FLAT) {
        return gather_flat(arena, self, rows, count, nulls > 0, out, err);
    }
    return gather_dictionary(arena, self, rows, count, nulls > 0, out, err);
}

/* ---------------------------------------------------------------- flatten */

#define FILL(T)                                                 \
    do {                                                        \
        T value = *(const T *)self->data;                       \
        T *restrict to = out->data;                             \
        for (uint32_t i = 0; i < positions; i++) to[i] = value; \
    } while (0)

static Status flatten_constant(Arena *arena, const Vector *self, uint32_t positions, Vector *out,
                               Error *err) {
    TRY(flat_like(arena, self, positions, out, err));
    switch (physical_size((PhysicalType)self->physical)) {
    case 1: FILL(uint8_t); break;
    case 2: FILL(uint16_t); break;
    case 4: FILL(uint32_t); break;
    case 8: FILL(uint64_t); break;
    case 16: FILL(Instant); break;
    default: break;
    }
    if (vector_is_null(self, 0)) {
        TRY_ALLOC(out->validity, ARENA_ARRAY(arena, uint64_t, bitmap_words(positions)), err);
    }
    if (self->physical != PHYS_ROW) return TRIB_OK;
    uint32_t *zeros;
    TRY_ALLOC(zeros, ARENA_ARRAY(arena, uint32_t, positions), err);
    TRY_ALLOC(out->children, ARENA_ARRAY(arena, Vector, self->nchildren), err);
    for (uint32_t c = 0; c < self->nchildren; c++) {
        TRY(vector_gather(arena, &self->children[c], zeros, positions, &out->children[c], err));
    }
    return TRIB_OK;
}

#define SPREAD(T)                                                               \
    do {                                                                        \
        const T *from = entries->data;                                          \
        T *restrict to = out->data;                                             \
        FOR_SELECTED(selection, count, row, { to[row] = from[indices[row]]; }); \
    } while (0)

/* By way of positions, so that the indices of NULL rows are not followed. */
static Status flatten_rows(Arena *arena, const Vector *self, const Vector *entries,
                           const uint16_t *selection, uint32_t count, uint32_t positions,
                           Vector *out, Error *err) {
    uint32_t *rows;
    TRY_ALLOC(rows, ARENA_ARRAY(arena, uint32_t, positions), err);
    memset(rows, 0xff, positions * sizeof(*rows));
    FOR_SELECTED(selection, count, row, {
        if (!vector_is_null(self, row)) rows[row] = self->indices[row];
    });
    return vector_gather(arena, entries, rows, positions, out, err);
}

static Status flatten_dictionary(Arena *arena, const Vector *self, const uint16_t *selection,
                                 uint32_t count, uint32_t positions, Vector *out, Error *err) {
    const Vector *entries = self->children;
    const uint32_t *indices = self->indices;
    /* The index of a NULL row may be anything. */
    if (entries->form != VECTOR_FLAT || entries->physical == PHYS_ROW || self->validity != NULL) {
        Vector taken;
        TRY(flatten_rows(arena, self, entries, selection, count, positions, &taken, err));
        return vector_flatten(arena, &taken, selection, count, positions, out, err);
    }
    TRY(flat_like(arena, entries, positions, out, err));
    switch (physical_size((PhysicalType)entries->physical)) {
    case 1: SPREAD(uint8_t); break;
    case 2: SPREAD(uint16_t); break;
    case 4: SPREAD(uint32_t); break;
    case 8: SPREAD(uint64_t); break;
    case 16: SPREAD(Instant); break;
    default: break;
    }
    if (entries->validity == NULL) return TRIB_OK;
    TRY_ALLOC(out->validity, ARENA_ARRAY(arena, uint64_t, bitmap_words(positions)), err);
    FOR_SELECTED(selection, count, row, {
        if (bitmap_get(entries->validity, indices[row])) bitmap_set(out->validity, row);
    });
    return TRIB_OK;
}

Status vector_flatten(Arena *arena, const Vector *self, const uint16_t *selection, uint32_t count,
                      uint32_t positions, Vector *out, Error *err) {
    *out = *self;
    if (self->form == VECTOR_CONSTANT) {
        TRY(flatten_constant(arena, self, positions, out, err));
    } else if (self->form == VECTOR_DICTIONARY) {
        TRY(flatten_dictionary(arena, self, selection, count, positions, out, err));
    }
    out->type = self->type; /* entries may still go by a narrower type's name */
    return TRIB_OK;
}

/* ---------------------------------------------------------------- append */

/* Rows of src as positions of the FLAT vector behind it; NO_ROW for NULL. At most CHUNK rows. */
static const Vector *chunk_resolve(const Vector *src, const uint32_t *rows, uint32_t count,
                                   uint32_t *positions, bool *any_null) {
    uint32_t nulls = 0;
    memcpy(positions, rows, count * sizeof(*rows));
    for (;; src = src->children) {
        bool constant = src->form == VECTOR_CONSTANT;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t p = constant && positions[i] != NO_ROW ? 0 : positions[i];
            bool null = p == NO_ROW || (src->validity != NULL && !bitmap_get(src->validity, p));
            nulls += null;
            if (null) {
                positions[i] = NO_ROW;
            } else {
                positions[i] = src->form == VECTOR_DICTIONARY ? src->indices[p] : p;
            }
        }
        if (src->form != VECTOR_DICTIONARY) break;
    }
    *any_null = nulls > 0;
    return src;
}

#define APPEND(T)                                                            \
    do {                                                                     \
        const T *from = base->data;                                          \
        T *restrict to = (T *)dst->data + at;                                \
        if (any_null) {                                                      \
            for (uint32_t i = 0; i < count; i++) {                           \
                if (positions[i] != NO_ROW) to[i] = from[positions[i]];      \
            }                                                                \
        } else {                                                             \
            for (uint32_t i = 0; i < count; i++) to[i] = from[positions[i]]; \
        }                                                                    \
    } while (0)

static Status append_strings(Arena *arena, Vector *dst, uint32_t at, const Vector *base,
                             const uint32_t *positions, uint32_t count, Error *err) {
    const StrView *from = base->data;
    StrView *to = (StrView *)dst->data + at;
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (positions[i] == NO_ROW) continue;
        uint32_t len = from[positions[i]].len;
        bytes += len > STRVIEW_INLINE ? len : 0;
    }
    char *room = NULL;
    if (bytes > 0) TRY_ALLOC(room, arena_alloc(arena, bytes), err);
    for (uint32_t i = 0; i < count; i++) {
        if (positions[i] == NO_ROW) {
            memset(&to[i], 0, sizeof(to[i]));
            continue;
        }
        to[i] = from[positions[i]];
        if (to[i].len <= STRVIEW_INLINE) continue;
        memcpy(room, to[i].ptr, to[i].len);
        to[i].ptr = room;
        room += to[i].len;
    }
    return TRIB_OK;
}

/* Copies elements [offset, offset + length) of the children of `base` behind those of dst. */
static Status append_elements(Arena *arena, Vector *dst, const Vector *base, ListEntry entry,
                              Error *err) {
    uint32_t rows[CHUNK];
    for (uint32_t done = 0; done < entry.length;) {
        uint32_t n = entry.length - done < CHUNK ? entry.length - done : CHUNK;
        for (uint32_t i = 0; i < n; i++) rows[i] = entry.offset + done + i;
        for (uint32_t c = 0; c < dst->nchildren; c++) {
            TRY(vector_append_rows(arena, &dst->children[c], dst->entries, &base->children[c], rows,
                                   n, err));
        }
        dst->entries += n;
        done += n;
    }
    return TRIB_OK;
}

static Status append_lists(Arena *arena, Vector *dst, uint32_t at, const Vector *base,
                           const uint32_t *positions, uint32_t count, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        ListEntry *to = (ListEntry *)dst->data + at + i;
        ListEntry entry = {0, 0};
        if (positions[i] != NO_ROW) entry = ((const ListEntry *)base->data)[positions[i]];
        *to = (ListEntry){dst->entries, entry.length};
        TRY(append_elements(arena, dst, base, entry, err));
    }
    return TRIB_OK;
}

static Status append_validity(Arena *arena, Vector *dst, uint32_t at, const uint32_t *positions,
                              uint32_t count, bool any_null, Error *err) {
    if (any_null) TRY(vector_need_validity(arena, dst, err));
    if (dst->validity == NULL) return TRIB_OK;
    for (uint32_t i = 0; i < count; i++) {
        if (positions[i] == NO_ROW) {
            bitmap_unset(dst->validity, at + i);
        } else {
            bitmap_set(dst->validity, at + i);
        }
    }
    return TRIB_OK;
}

static Status append_chunk(Arena *arena, Vector *dst, uint32_t at, const Vector *src,
                           const uint32_t *rows, uint32_t count, Error *err) {
    uint32_t positions[CHUNK];
    bool any_null;
    const Vector *base = chunk_resolve(src, rows, count, positions, &any_null);
    TRY(append_validity(arena, dst, at, positions, count, any_null, err));
    switch (dst->physical) {
    case PHYS_STRING: return append_strings(arena, dst, at, base, positions, count, err);
    case PHYS_LIST: return append_lists(arena, dst, at, base, positions, count, err);
    case PHYS_ROW:
        for (uint32_t c = 0; c < dst->nchildren; c++) {
            TRY(vector_append_rows(arena, &dst->children[c], at, &base->children[c], positions,
                                   count, err));
        }
        return TRIB_OK;
    default: break;
    }
    switch (physical_size((PhysicalType)dst->physical)) {
    case 1: APPEND(uint8_t); break;
    case 2: APPEND(uint16_t); break;
    case 4: APPEND(uint32_t); break;
    case 8: APPEND(uint64_t); break;
    case 16: APPEND(Instant); break;
    default: break;
    }
    return TRIB_OK;
}

Status vector_append_rows(Arena *arena, Vector *dst, uint32_t at, const Vector *src,
                          const uint32_t *rows, uint32_t count, Error *err) {
    TRY(vector_reserve(arena, dst, at + count, err));
    for (uint32_t done = 0; done < count; done += CHUNK) {
        uint32_t n = count - done < CHUNK ? count - done : CHUNK;
        TRY(append_chunk(arena, dst, at + done, src, rows + done, n, err));
    }
    return TRIB_OK;
}

Status vector_append(Arena *arena, Vector *dst, uint32_t at, const Vector *src,
                     const uint16_t *selection, uint32_t count, Error *err) {
    uint32_t rows[CHUNK];
    TRY(vector_reserve(arena, dst, at + count, err));
    for (uint32_t done = 0; done < count; done += CHUNK) {
        uint32_t n = count - done < CHUNK ? count - done : CHUNK;
        for (uint32_t i = 0; i < n; i++) {
            rows[i] = selection != NULL ? selection[done + i] : done + i;
        }
        TRY(append_chunk(arena, dst, at + done, src, rows, n, err));
    }
    return TRIB_OK;
}

Status vector_store(Arena *arena, Vector *dst, uint32_t at, const Vector *src, uint32_t position,
                    Error *err) {
    if (vector_is_null(src, position)) {
        TRY(vector_need_validity(arena, dst, err));
        bitmap_unset(dst->validity, at);
        return TRIB_OK;
    }
    src = vector_resolve(src, &position);
    if (dst->physical == PHYS_LIST || dst->physical == PHYS_ROW)
        return vector_append_rows(arena, dst, at, src, &position, 1, err);
    if (dst->validity != NULL) bitmap_set(dst->validity, at);
    switch (physical_size((PhysicalType)dst->physical)) {
    case 1: ((uint8_t *)dst->data)[at] = ((const uint8_t *)src->data)[position]; break;
    case 2: ((uint16_t *)dst->data)[at] = ((const uint16_t *)src->data)[position]; break;
    case 4: ((uint32_t *)dst->data)[at] = ((const uint32_t *)src->data)[position]; break;
    case 8: ((uint64_t *)dst->data)[at] = ((const uint64_t *)src->data)[position]; break;
    default: ((Instant *)dst->data)[at] = ((const Instant *)src->data)[position]; break;
    }
    return TRIB_OK;
}

Status vector_retype(Arena *arena, Vector *self, Type type, Error *err) {
    bool dictionary = self->form == VECTOR_DICTIONARY;
    self->type = type;
    if (self->nchildren == 0) return TRIB_OK;
    Vector *children;
    TRY_ALLOC(children, ARENA_ARRAY(arena, Vector, self->nchildren), err);
    memcpy(children, self->children, self->nchildren * sizeof(*children));
    self->children = children;
    for (uint32_t i = 0; i < self->nchildren; i++) {
        TRY(vector_retype(arena, &children[i], dictionary ? type : type.fields->field[i].type,
                          err));
    }
    return TRIB_OK;
}
