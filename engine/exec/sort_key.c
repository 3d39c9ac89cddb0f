/*
 * sort_key.c - normalised sort keys: bytes whose order is that of ORDER BY.
 *
 * Each sort column gives a marker byte, which places NULLs, and, if it is not NULL, its value:
 * integers big-endian with the sign bit flipped; floating point by the usual transformation of its
 * bits, -0 as 0 and all NaN alike and last; text with 0 and 1 escaped as (1, 1) and (1, 2) and
 * closed by 0, so that a prefix comes first and the next column may follow. DESC inverts the
 * value's bytes. A key is the first bytes of these encodings one after the other; two keys that
 * differ order their rows, two equal ones do if both are complete.
 *
 * Encoding goes column by column over a batch of rows. As long as all columns have a fixed width,
 * the position is the same in every row; from the first text column on each row has its own.
 */
#include "engine/exec/sort.h"

#define TEXT_ROOM       22 /* bytes wanted for an unbounded text column: 24 with marker and end */
#define MARK_VALID      1
#define MARK_NULL_FIRST 0
#define MARK_NULL_LAST  2

/* Bytes of the value's encoding; 0: variable. */
static uint32_t value_width(const RowColumn *column) {
    if (column->heap) return 0;
    switch (column->physical) {
    case PHYS_INSTANT:
    case PHYS_ZONED: return 10;
    case PHYS_TIMETZ: return 8;
    default: return column->size;
    }
}

Status sort_spec_make(Arena *arena, uint32_t ncolumns, const Type *types, uint32_t nkeys,
                      const PhysSortKey *keys, uint32_t tail, SortSpec *out, Error *err) {
    *out = (SortSpec){.nkeys = nkeys, .keys = keys, .fixed = true};
    TRY(row_layout_new(arena, ncolumns, types, 0, tail, 8, &out->layout, err));
    if (tail) out->dead_offset = out->layout->tail_offset;
    uint32_t bytes = 0;
    for (uint32_t k = 0; k < nkeys; k++) {
        const RowColumn *column = &out->layout->columns[keys[k].ordinal];
        uint32_t width = value_width(column);
        if (width == 0) {
            out->fixed = false;
            width = column->nested ? 0 : TEXT_ROOM;
            uint32_t most = column->type.length * 4 + 1;
            if (column->type.length > 0 && most < width) width = most;
        }
        bytes += 1 + width;
    }
    out->words = (bytes + 7) / 8;
    if (out->words > SORT_WORDS_MAX) {
        out->words = SORT_WORDS_MAX;
        out->fixed = false;
    }
    if (out->words == 0) out->words = 1;
    return row_layout_new(arena, ncolumns, types, out->words * 8, tail, 8, &out->run_layout, err);
}

/* ---------------------------------------------------------------- encoding */

typedef struct Encoder {
    const SortSpec *spec;
    uint8_t *const *rows;
    uint32_t count;
    uint8_t *out; /* key of row 0 */
    size_t stride;
    uint32_t room; /* bytes of a key */
    bool uniform;  /* all rows stand at `at`, else row i at places[i] */
    uint32_t at;
    uint16_t places[BATCH_ROWS];
} Encoder;

static inline uint32_t place_of(const Encoder *self, uint32_t i) {
    return self->uniform ? self->at : self->places[i];
}

/* Writes as many bytes of the value as there is room for. */
static inline void bytes_put(Encoder *self, uint32_t i, uint32_t at, const uint8_t *value,
                             uint32_t bytes, bool invert) {
    uint8_t *to = self->out + i * self->stride + at;
    uint32_t fit = at >= self->room ? 0 : self->room - at < bytes ? self->room - at : bytes;
    if (!invert) {
        memcpy(to, value, fit);
    } else {
        for (uint32_t b = 0; b < fit; b++) to[b] = (uint8_t)~value[b];
    }
}

static inline uint64_t big_endian(uint64_t value) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return __builtin_bswap64(value);
#else
    return value;
#endif
}

#define LOAD(T, variable, from) \
    T variable;                 \
    memcpy(&variable, (from), sizeof(T))

/* value: the top `bytes` bytes, as an unsigned number whose order counts. */
static inline void number_bytes(uint64_t number, uint32_t bytes, uint8_t *out) {
    uint64_t swapped = big_endian(number << (64 - 8 * bytes));
    memcpy(out, &swapped, sizeof swapped);
}

static inline uint64_t real_bits(double value) {
    uint64_t bits = 0;
    if (value != value) return UINT64_MAX;
    if (value != 0) memcpy(&bits, &value, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static inline uint64_t float_bits(float value) {
    uint32_t bits = 0;
    if (value != value) return UINT32_MAX;
    if (value != 0) memcpy(&bits, &value, sizeof bits);
    return bits >> 31 ? (uint32_t)~bits : bits | UINT32_C(1) << 31;
}

/* The encoding of a value of fixed width, up to 24 bytes of which `width` count. */
static inline void value_encode(uint8_t physical, const uint8_t *from, uint8_t out[24]) {
    switch (physical) {
    case PHYS_BOOL: out[0] = *from; return;
    case PHYS_INT8: out[0] = (uint8_t)(*from ^ 0x80); return;
    case PHYS_INT16: {
        LOAD(uint16_t, v, from);
        number_bytes(v ^ UINT64_C(0x8000), 2, out);
        return;
    }
    case PHYS_INT32: {
        LOAD(uint32_t, v, from);
        number_bytes(v ^ UINT64_C(0x80000000), 4, out);
        return;
    }
    case PHYS_INT64: {
        LOAD(uint64_t, v, from);
        number_bytes(v ^ UINT64_C(1) << 63, 8, out);
        return;
    }
    case PHYS_INT128: {
        LOAD(UInt128, v, from);
        number_bytes((uint64_t)(v >> 64) ^ UINT64_C(1) << 63, 8, out);
        number_bytes((uint64_t)v, 8, out + 8);
        return;
    }
    case PHYS_FLOAT: {
        LOAD(float, v, from);
        number_bytes(float_bits(v), 4, out);
        return;
    }
    case PHYS_DOUBLE: {
        LOAD(double, v, from);
        number_bytes(real_bits(v), 8, out);
        return;
    }
    case PHYS_INSTANT: {
        LOAD(Instant, v, from);
        number_bytes((uint64_t)v.us ^ UINT64_C(1) << 63, 8, out);
        number_bytes((uint64_t)(uint16_t)v.ns, 2, out + 8);
        return;
    }
    case PHYS_ZONED: {
        LOAD(ZonedInstant, v, from);
        number_bytes((uint64_t)v.us ^ UINT64_C(1) << 63, 8, out);
        number_bytes((uint64_t)(uint16_t)v.ns, 2, out + 8);
        return;
    }
    case PHYS_TIMETZ: {
        LOAD(TimeTz, v, from);
        number_bytes((uint64_t)(v.ns - v.offset * INT64_C(1000000000)) ^ UINT64_C(1) << 63, 8, out);
        return;
    }
    default: memcpy(out, from, 16); return; /* uuid */
    }
}

/* Columns at one place in all rows whose value fits: eight bytes are stored whatever the width,
 * the next column (or the row's address) overwrites those too many. The marker goes along. */
#define ENCODE_UNIFORM(T, BITS)                                                          \
    do {                                                                                 \
        uint64_t flip = invert ? UINT64_MAX << (64 - 8 * width) : 0;                     \
        uint8_t *out = self->out + self->at;                                             \
        for (uint32_t i = 0; i < self->count; i++, out += self->stride) {                \
            LOAD(T, v, self->rows[i] + offset);                                          \
            uint64_t number = big_endian(((uint64_t)(BITS) << (64 - 8 * width)) ^ flip); \
            bool valid = (self->rows[i][null_byte] >> null_bit) & 1;                     \
            out[0] = valid ? MARK_VALID : null;                                          \
            if (!valid) number = 0;                                                      \
            memcpy(out + 1, &number, sizeof number);                                     \
        }                                                                                \
        return true;                                                                     \
    } while (0)

static bool uniform_encode(Encoder *self, const PhysSortKey *key, uint8_t null) {
    const RowLayout *layout = self->spec->layout;
    const RowColumn *column = &layout->columns[key->ordinal];
    uint32_t offset = column->offset, width = value_width(column);
    uint32_t null_byte = layout->validity_offset + key->ordinal / 8, null_bit = key->ordinal % 8;
    bool invert = key->descending;
    if (!self->uniform || width == 0 || self->at + 1 + width > self->room) return false;
    switch (column->physical) {
    case PHYS_INT16: ENCODE_UNIFORM(uint16_t, v ^ 0x8000u);
    case PHYS_INT32: ENCODE_UNIFORM(uint32_t, v ^ 0x80000000u);
    case PHYS_INT64: ENCODE_UNIFORM(uint64_t, v ^ UINT64_C(1) << 63);
    case PHYS_DOUBLE: ENCODE_UNIFORM(double, real_bits(v));
    default: return false;
    }
}

#define ENCODE_FIXED(PHYS)                                                   \
    case PHYS:                                                               \
        for (uint32_t i = 0; i < self->count; i++) {                         \
            uint8_t value[24];                                               \
            value_encode(PHYS, self->rows[i] + offset, value);               \
            bytes_put(self, i, place_of(self, i) + 1, value, width, invert); \
        }                                                                    \
        break;

static void fixed_encode(Encoder *self, const RowColumn *column, bool invert) {
    uint32_t offset = column->offset, width = value_width(column);
    switch (column->physical) {
        ENCODE_FIXED(PHYS_BOOL)
        ENCODE_FIXED(PHYS_INT8)
        ENCODE_FIXED(PHYS_INT16)
        ENCODE_FIXED(PHYS_INT32)
        ENCODE_FIXED(PHYS_INT64)
        ENCODE_FIXED(PHYS_INT128)
        ENCODE_FIXED(PHYS_FLOAT)
        ENCODE_FIXED(PHYS_DOUBLE)
        ENCODE_FIXED(PHYS_INSTANT)
        ENCODE_FIXED(PHYS_ZONED)
        ENCODE_FIXED(PHYS_TIMETZ)
        ENCODE_FIXED(PHYS_UUID)
    default: break;
    }
}

/* Returns the place behind the text's end, which may lie beyond the key. */
static uint32_t text_encode(Encoder *self, uint32_t i, uint32_t at, const StrView *text,
                            bool invert) {
    uint8_t *out = self->out + i * self->stride;
    const uint8_t *from = (const uint8_t *)strview_data(text);
    uint8_t flip = invert ? 0xff : 0;
    for (uint32_t b = 0; b < text->len; b++) {
        if (at >= self->room) return self->room + 1;
        uint8_t byte = from[b];
        if (byte < 2) {
            out[at++] = 1 ^ flip;
            if (at >= self->room) return self->room + 1;
            byte++;
        }
        out[at++] = byte ^ flip;
    }
    if (at >= self->room) return self->room + 1;
    out[at] = flip;
    return at + 1;
}

static void places_begin(Encoder *self) {
    for (uint32_t i = 0; self->uniform && i < self->count; i++)
        self->places[i] = (uint16_t)self->at;
    self->uniform = false;
}

static void marker_put(Encoder *self, uint32_t i, uint8_t marker) {
    uint32_t at = place_of(self, i);
    if (at < self->room) self->out[i * self->stride + at] = marker;
}

/* A NULL's value bytes are zero: the key was zeroed, but the value has been written over it. */
static void null_clear(Encoder *self, uint32_t i, uint32_t width) {
    uint32_t at = place_of(self, i) + 1;
    for (uint32_t b = at; b < at + width && b < self->room; b++)
        self->out[i * self->stride + b] = 0;
}

static void column_encode(Encoder *self, const PhysSortKey *key) {
    const RowLayout *layout = self->spec->layout;
    const RowColumn *column = &layout->columns[key->ordinal];
    uint32_t width = value_width(column);
    uint8_t null = key->nulls_first ? MARK_NULL_FIRST : MARK_NULL_LAST;
    if (uniform_encode(self, key, null)) {
        self->at += 1 + width;
        return;
    }
    if (width > 0)
        fixed_encode(self, column, key->descending);
    else
        places_begin(self);
    for (uint32_t i = 0; i < self->count; i++) {
        bool is_null = row_is_null(layout, self->rows[i], key->ordinal);
        marker_put(self, i, is_null ? null : MARK_VALID);
        if (width > 0) {
            if (is_null) null_clear(self, i, width);
            if (!self->uniform) self->places[i] = (uint16_t)(self->places[i] + 1 + width);
            continue;
        }
        uint32_t at = self->places[i] + 1u;
        if (column->nested && !is_null) {
            at = self->room + 1; /* the columns are compared */
        } else if (!is_null) {
            LOAD(StrView, text, self->rows[i] + column->offset);
            at = text_encode(self, i, at, &text, key->descending);
        }
        self->places[i] = (uint16_t)(at > self->room + 1 ? self->room + 1 : at);
    }
    if (self->uniform) self->at += 1 + width;
    for (uint32_t i = 0; !self->uniform && i < self->count; i++)
        if (self->places[i] > self->room) self->places[i] = (uint16_t)(self->room + 1);
}

void sort_keys_encode(const SortSpec *self, uint8_t *const *rows, uint32_t count, uint64_t *entries,
                      bool *complete) {
    Encoder encoder;
    encoder.spec = self;
    encoder.rows = rows;
    encoder.count = count;
    encoder.out = (uint8_t *)entries;
    encoder.stride = sort_entry_bytes(self);
    encoder.room = self->words * 8;
    encoder.uniform = true;
    encoder.at = 0;
    memset(entries, 0, count * encoder.stride);
    for (uint32_t k = 0; k < self->nkeys; k++) {
        if (encoder.uniform && encoder.at >= encoder.room) break;
        column_encode(&encoder, &self->keys[k]);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint64_t *entry = entries + (size_t)i * (self->words + 1);
        for (uint32_t w = 0; w < self->words; w++) entry[w] = big_endian(entry[w]);
        entry[self->words] = (uint64_t)(uintptr_t)rows[i];
        if (!encoder.uniform && encoder.places[i] > encoder.room) *complete = false;
    }
    if (encoder.uniform && !self->fixed) *complete = false;
}

int sort_rows_compare(const SortSpec *self, const uint8_t *a, const uint8_t *b) {
    for (uint32_t k = 0; k < self->nkeys; k++) {
        const PhysSortKey *key = &self->keys[k];
        bool null_a = row_is_null(self->layout, a, key->ordinal),
             null_b = row_is_null(self->layout, b, key->ordinal);
        if (null_a || null_b) {
            if (null_a && null_b) continue;
            return null_a == key->nulls_first ? -1 : 1;
        }
        int order = row_compare(self->layout, key->ordinal, a, b);
        if (order != 0) return key->descending ? -order : order;
    }
    return 0;
}
