/*
 * row_gather.c - the kernels from rows to vectors, and between rows and batches: gather, match,
 * compare.
 *
 * row_match is what hash tables spend their time in: it compares one column of many candidates
 * without branches. Candidates have equal salts, so that mostly all are equal, and a first round
 * only finds that out; else a second one keeps the equal ones in place and lists the others.
 */
#include "engine/exec/row_layout.h"
#include "engine/exec/row_serial.h"

Status column_room_new(Arena *arena, const RowColumn *column, ColumnRoom *out, Error *err) {
    out->type = column->type;
    TRY_ALLOC(out->data, arena_array(arena, BATCH_ROWS, column->size), err);
    TRY_ALLOC(out->validity, ARENA_ARRAY(arena, uint64_t, bitmap_words(BATCH_ROWS)), err);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- gathering */

#define GATHER(SIZE)                                                              \
    case SIZE:                                                                    \
        if (positions) {                                                          \
            for (uint32_t i = 0; i < count; i++)                                  \
                memcpy(to + (size_t)positions[i] * SIZE, rows[i] + offset, SIZE); \
        } else {                                                                  \
            for (uint32_t i = 0; i < count; i++)                                  \
                memcpy(to + (size_t)i * SIZE, rows[i] + offset, SIZE);            \
        }                                                                         \
        break;

static void gather_values(const RowColumn *column, uint8_t *const *rows, uint32_t count,
                          const uint16_t *positions, uint8_t *to) {
    uint32_t offset = column->offset;
    switch (column->size) {
        GATHER(1)
        GATHER(2)
        GATHER(4)
        GATHER(8)
        GATHER(16)
    default: break;
    }
}

/* The column's validity by position in `bits`; NULL when every row is valid. */
static uint64_t *gather_validity(const RowLayout *self, uint32_t column, uint8_t *const *rows,
                                 uint32_t count, const uint16_t *positions, uint32_t npositions,
                                 uint64_t *bits) {
    uint32_t byte = self->validity_offset + column / 8, bit = column % 8;
    bool any = false;
    memset(bits, 0xff, bitmap_words(npositions) * sizeof *bits);
    for (uint32_t i = 0; i < count; i++) {
        if ((rows[i][byte] >> bit) & 1) continue;
        bitmap_unset(bits, positions ? positions[i] : i);
        any = true;
    }
    return any ? bits : NULL;
}

void row_gather_flat(const RowLayout *self, uint32_t column, uint8_t *const *rows, uint32_t count,
                     bool may_null, ColumnRoom *room, FlatColumn *out) {
    gather_values(&self->columns[column], rows, count, NULL, room->data);
    out->data = room->data;
    out->validity =
        may_null ? gather_validity(self, column, rows, count, NULL, count, room->validity) : NULL;
}

/* Nested values are rebuilt densely; where positions are given, a gather spreads them out. */
static Status gather_nested(const RowLayout *self, uint32_t column, uint8_t *const *rows,
                            uint32_t count, const uint16_t *positions, uint32_t npositions,
                            ColumnRoom *room, Arena *arena, Vector *out, Error *err) {
    FlatColumn flat;
    row_gather_flat(self, column, rows, count, true, room, &flat);
    Vector dense;
    TRY(serial_read(self->columns[column].type, (const StrView *)flat.data, flat.validity, count,
                    arena, &dense, err));
    if (!positions) {
        *out = dense;
        return TRIB_OK;
    }
    uint32_t *indices;
    TRY_ALLOC(indices, ARENA_ARRAY(arena, uint32_t, npositions ? npositions : 1), err);
    memset(indices, 0xff, npositions * sizeof *indices);
    for (uint32_t i = 0; i < count; i++) indices[positions[i]] = i;
    return vector_gather(arena, &dense, indices, npositions, out, err);
}

Status row_gather(const RowLayout *self, uint32_t column, uint8_t *const *rows, uint32_t count,
                  const uint16_t *positions, uint32_t npositions, bool may_null, ColumnRoom *room,
                  Arena *arena, Vector *out, Error *err) {
    const RowColumn *info = &self->columns[column];
    if (info->nested)
        return gather_nested(self, column, rows, count, positions, npositions, room, arena, out,
                             err);
    *out = (Vector){.type = info->type,
                    .physical = info->physical,
                    .form = VECTOR_FLAT,
                    .capacity = BATCH_ROWS,
                    .data = room->data};
    gather_values(info, rows, count, positions, room->data);
    if (may_null)
        out->validity =
            gather_validity(self, column, rows, count, positions, npositions, room->validity);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- matching */

#define PIECE 128 /* candidates that are looked at together */
#define LOAD(T, variable, from) \
    T variable;                 \
    memcpy(&variable, (from), sizeof(T))

static inline bool match_1(const uint8_t *a, const uint8_t *b) {
    return *a == *b;
}
static inline bool match_2(const uint8_t *a, const uint8_t *b) {
    LOAD(uint16_t, x, a);
    LOAD(uint16_t, y, b);
    return x == y;
}
static inline bool match_4(const uint8_t *a, const uint8_t *b) {
    LOAD(uint32_t, x, a);
    LOAD(uint32_t, y, b);
    return x == y;
}
static inline bool match_8(const uint8_t *a, const uint8_t *b) {
    LOAD(uint64_t, x, a);
    LOAD(uint64_t, y, b);
    return x == y;
}
static inline bool match_16(const uint8_t *a, const uint8_t *b) {
    LOAD(uint64_t, x, a);
    LOAD(uint64_t, y, b);
    LOAD(uint64_t, x1, a + 8);
    LOAD(uint64_t, y1, b + 8);
    return ((x ^ y) | (x1 ^ y1)) == 0;
}
static inline bool match_float(const uint8_t *a, const uint8_t *b) {
    LOAD(float, x, a);
    LOAD(float, y, b);
    return (x == y) | ((x != x) & (y != y));
}
static inline bool match_double(const uint8_t *a, const uint8_t *b) {
    LOAD(double, x, a);
    LOAD(double, y, b);
    return (x == y) | ((x != x) & (y != y));
}
/* Texts of the same length, which is more than 12; most are short enough for two overlapping
 * pieces. */
static inline bool bytes_equal(const uint8_t *a, const uint8_t *b, uint32_t length) {
    if (length <= 16) {
        LOAD(uint64_t, x, a);
        LOAD(uint64_t, y, b);
        LOAD(uint64_t, x1, a + length - 8);
        LOAD(uint64_t, y1, b + length - 8);
        return ((x ^ y) | (x1 ^ y1)) == 0;
    }
    if (length <= 32) return match_16(a, b) && match_16(a + length - 16, b + length - 16);
    return memcmp(a, b, length) == 0;
}
/* What the views do not say: their first words, length and 4 bytes, are equal. */
static inline bool match_text_rest(const uint8_t *a, const uint8_t *b) {
    LOAD(uint64_t, x1, a + 8);
    LOAD(uint64_t, y1, b + 8);
    if (x1 == y1) return true; /* inline, or the same bytes */
    LOAD(StrView, s, a);
    LOAD(StrView, t, b);
    return s.len > STRVIEW_INLINE &&
           bytes_equal((const uint8_t *)s.ptr, (const uint8_t *)t.ptr, s.len);
}
static inline bool match_text(const uint8_t *a, const uint8_t *b) {
    return match_8(a, b) && match_text_rest(a, b);
}
static inline bool match_instant(const uint8_t *a, const uint8_t *b) {
    return physical_equal(PHYS_INSTANT, a, b);
}
static inline bool match_zoned(const uint8_t *a, const uint8_t *b) {
    return physical_equal(PHYS_ZONED, a, b);
}
static inline bool match_timetz(const uint8_t *a, const uint8_t *b) {
    return physical_equal(PHYS_TIMETZ, a, b);
}

typedef struct MatchCall {
    const uint8_t *data;
    const uint64_t *validity; /* ROW_NULLS_EQUAL only */
    const uint16_t *positions;
    uint8_t *const *rows;
    uint32_t offset, null_byte, null_bit;
    Type type;
    uint16_t *list, *rejected;
    uint32_t count, nrejected;
} MatchCall;

static inline bool row_bit(const MatchCall *call, const uint8_t *row) {
    return (row[call->null_byte] >> call->null_bit) & 1;
}

#define MATCH_ALL(NAME, SIZE, EQUAL)                                             \
    static uint32_t match_all_##NAME(MatchCall *call) {                          \
        uint32_t kept = 0, rejected = call->nrejected;                           \
        bool all = true;                                                         \
        for (uint32_t k = 0; k < call->count; k++) {                             \
            uint16_t i = call->list[k];                                          \
            all &= EQUAL(call->data + (size_t)call->positions[i] * (SIZE),       \
                         call->rows[i] + call->offset);                          \
        }                                                                        \
        if (all) return call->count;                                             \
        for (uint32_t k = 0; k < call->count; k++) {                             \
            uint16_t i = call->list[k];                                          \
            bool equal = EQUAL(call->data + (size_t)call->positions[i] * (SIZE), \
                               call->rows[i] + call->offset);                    \
            call->list[kept] = i;                                                \
            kept += equal;                                                       \
            call->rejected[rejected] = i;                                        \
            rejected += !equal;                                                  \
        }                                                                        \
        call->nrejected = rejected;                                              \
        return kept;                                                             \
    }

#define MATCH_NULLS(NAME, SIZE, EQUAL)                                                           \
    static uint32_t match_nulls_##NAME(MatchCall *call) {                                        \
        uint32_t kept = 0, rejected = call->nrejected;                                           \
        for (uint32_t k = 0; k < call->count; k++) {                                             \
            uint16_t i = call->list[k];                                                          \
            uint32_t position = call->positions[i];                                              \
            bool valid = !call->validity || bitmap_get(call->validity, position);                \
            bool equal = valid == row_bit(call, call->rows[i]);                                  \
            if (valid & equal)                                                                   \
                equal =                                                                          \
                    EQUAL(call->data + (size_t)position * (SIZE), call->rows[i] + call->offset); \
            call->list[kept] = i;                                                                \
            kept += equal;                                                                       \
            call->rejected[rejected] = i;                                                        \
            rejected += !equal;                                                                  \
        }                                                                                        \
        call->nrejected = rejected;                                                              \
        return kept;                                                                             \
    }

#define MATCH(NAME, SIZE, EQUAL) \
    MATCH_ALL(NAME, SIZE, EQUAL) \
    MATCH_NULLS(NAME, SIZE, EQUAL)

MATCH(1, 1, match_1)
MATCH(2, 2, match_2)
MATCH(4, 4, match_4)
MATCH(8, 8, match_8)
MATCH(16, 16, match_16)
MATCH(float, 4, match_float)
MATCH(double, 8, match_double)
MATCH_NULLS(text, 16, match_text)
MATCH(instant, 16, match_instant)
MATCH(zoned, 16, match_zoned)
MATCH(timetz, 16, match_timetz)

/* Whether the views of all candidates [from, to) are equal as they stand: mostly so for short
 * texts. */
static bool match_inline(const MatchCall *call, uint32_t from, uint32_t to) {
    uint32_t length;
    memcpy(&length, call->rows[call->list[from]] + call->offset, sizeof length);
    bool all = length <= STRVIEW_INLINE;
    for (uint32_t k = from; k < to && all; k++) {
        uint16_t i = call->list[k];
        all = match_16(call->data + (size_t)call->positions[i] * sizeof(StrView),
                       call->rows[i] + call->offset);
    }
    return all;
}

/* What the views of the candidates [from, to) say: appends those that may be equal to the list's
 * first *likely, and asks for the bytes outside the rows; whether there are any. */
static bool match_views(MatchCall *call, uint32_t from, uint32_t to, uint32_t *likely) {
    uint32_t kept = *likely, rejected = call->nrejected;
    bool outside = false;
    if (match_inline(call, from, to)) {
        memmove(call->list + kept, call->list + from, (to - from) * sizeof *call->list);
        *likely = kept + to - from;
        return false;
    }
    for (uint32_t k = from; k < to; k++) {
        uint16_t i = call->list[k];
        const uint8_t *row = call->rows[i] + call->offset;
        const uint8_t *value = call->data + (size_t)call->positions[i] * sizeof(StrView);
        bool first = match_8(value, row), equal = first & match_8(value + 8, row + 8);
        LOAD(StrView, view, row);
        if (view.len > STRVIEW_INLINE) {
            __builtin_prefetch(view.ptr);
            __builtin_prefetch(view.ptr + view.len - 1);
            equal = first;
            outside = true;
        }
        call->list[kept] = i;
        kept += equal;
        call->rejected[rejected] = i;
        rejected += !equal;
    }
    *likely = kept;
    call->nrejected = rejected;
    return outside;
}

/* Of the list's candidates [from, to), whose views may be equal, appends the equal ones to its first
 * `kept`. */
static uint32_t match_outside(MatchCall *call, uint32_t from, uint32_t to, uint32_t kept) {
    uint32_t rejected = call->nrejected;
    for (uint32_t k = from; k < to; k++) {
        uint16_t i = call->list[k];
        bool equal = match_text_rest(call->data + (size_t)call->positions[i] * sizeof(StrView),
                                     call->rows[i] + call->offset);
        call->list[kept] = i;
        kept += equal;
        call->rejected[rejected] = i;
        rejected += !equal;
    }
    call->nrejected = rejected;
    return kept;
}

/* In pieces: while the outside bytes of one piece are on their way, those of the one before are
 * compared. The list holds what is equal, then what is likely, then what is to come. */
static uint32_t match_all_text(MatchCall *call) {
    uint32_t kept = 0, done = 0, likely = 0;
    bool outside = false;
    for (uint32_t from = 0, to; from < call->count; from = to) {
        uint32_t before = likely;
        to = call->count - from < PIECE ? call->count : from + PIECE;
        bool some = match_views(call, from, to, &likely);
        if (outside || some) {
            kept = match_outside(call, done, before, kept);
            done = before;
            outside = true;
        }
    }
    return outside ? match_outside(call, done, likely, kept) : likely;
}

typedef uint32_t (*MatchKernel)(MatchCall *call);

static const MatchKernel match_kernels[PHYS_COUNT][2] = {
    [PHYS_BOOL] = {match_all_1, match_nulls_1},
    [PHYS_INT8] = {match_all_1, match_nulls_1},
    [PHYS_INT16] = {match_all_2, match_nulls_2},
    [PHYS_INT32] = {match_all_4, match_nulls_4},
    [PHYS_INT64] = {match_all_8, match_nulls_8},
    [PHYS_INT128] = {match_all_16, match_nulls_16},
    [PHYS_FLOAT] = {match_all_float, match_nulls_float},
    [PHYS_DOUBLE] = {match_all_double, match_nulls_double},
    [PHYS_STRING] = {match_all_text, match_nulls_text},
    [PHYS_INSTANT] = {match_all_instant, match_nulls_instant},
    [PHYS_ZONED] = {match_all_zoned, match_nulls_zoned},
    [PHYS_TIMETZ] = {match_all_timetz, match_nulls_timetz},
    [PHYS_UUID] = {match_all_16, match_nulls_16},
};

static bool nested_equal(Type type, const uint8_t *a, const uint8_t *b) {
    LOAD(StrView, x, a);
    LOAD(StrView, y, b);
    return serial_compare(type, strview_data(&x), strview_data(&y)) == 0;
}

static uint32_t match_nested(MatchCall *call) {
    uint32_t kept = 0;
    for (uint32_t k = 0; k < call->count; k++) {
        uint16_t i = call->list[k];
        uint32_t position = call->positions[i];
        bool valid = !call->validity || bitmap_get(call->validity, position);
        bool equal = valid == row_bit(call, call->rows[i]);
        if (valid && equal)
            equal = nested_equal(call->type, call->data + (size_t)position * sizeof(StrView),
                                 call->rows[i] + call->offset);
        if (equal)
            call->list[kept++] = i;
        else
            call->rejected[call->nrejected++] = i;
    }
    return kept;
}

uint32_t row_match(const RowLayout *self, uint32_t column, const FlatColumn *values,
                   const uint16_t *positions, uint8_t *const *rows, RowNulls nulls, uint16_t *list,
                   uint32_t count, uint16_t *rejected, uint32_t *nrejected) {
    const RowColumn *info = &self->columns[column];
    MatchCall call = {.data = values->data,
                      .validity = values->validity,
                      .positions = positions,
                      .rows = rows,
                      .offset = info->offset,
                      .null_byte = self->validity_offset + column / 8,
                      .null_bit = column % 8,
                      .type = info->type,
                      .list = list,
                      .rejected = rejected,
                      .count = count,
                      .nrejected = *nrejected};
    uint32_t kept = info->nested ? match_nested(&call)
                                 : match_kernels[info->physical][nulls == ROW_NULLS_EQUAL](&call);
    *nrejected = call.nrejected;
    return kept;
}

int row_compare(const RowLayout *self, uint32_t column, const uint8_t *a, const uint8_t *b) {
    const RowColumn *info = &self->columns[column];
    if (!info->nested)
        return physical_compare((PhysicalType)info->physical, a + info->offset, b + info->offset);
    LOAD(StrView, x, a + info->offset);
    LOAD(StrView, y, b + info->offset);
    return serial_compare(info->type, strview_data(&x), strview_data(&y));
}
