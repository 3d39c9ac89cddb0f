/*
 * chunk.c - building and sealing the columns of row groups.
 *
 * Buffers grow by doubling up to GROUP_ROWS positions and are cut to size by chunk_seal. Text goes
 * into blocks of 4 KiB, doubling up to 1 MiB; a view refers to block and offset, as in Arrow's string
 * view layout. The validity bitmap exists only if the chunk holds a NULL. Values under a NULL are
 * zeroed, so that nothing of what a writer left there shows.
 *
 * Threads: a chunk that is being built belongs to its writer; a sealed one is immutable.
 */
#include "config.h"

#include <limits.h>
#include <string.h>

#include <xxhash.h>

#include "connectors/memory/chunk.h"
#include "connectors/memory/sketch.h"
#include "connectors/support/call.h"

#define FIRST_ROWS  64
#define FIRST_BLOCK 4096u
#define LAST_BLOCK  (1u << 20)
#define MAX_DEPTH   64
#define INLINE_MAX  12

typedef struct View {
    int32_t length;
    char prefix[4];
    int32_t block;
    int32_t offset;
} View;

static uint32_t fixed_width(TribType type) {
    switch (type.id) {
    case TRIB_TYPE_TINYINT: return 1;
    case TRIB_TYPE_SMALLINT: return 2;
    case TRIB_TYPE_INTEGER:
    case TRIB_TYPE_REAL:
    case TRIB_TYPE_DATE:
    case TRIB_TYPE_INTERVAL_YM: return 4;
    case TRIB_TYPE_BIGINT:
    case TRIB_TYPE_DOUBLE:
    case TRIB_TYPE_TIME:
    case TRIB_TYPE_INTERVAL_DS: return 8;
    case TRIB_TYPE_DECIMAL: return type.precision <= 18 ? 8 : 16;
    case TRIB_TYPE_TIMESTAMP: return type.precision <= 6 ? 8 : 16;
    case TRIB_TYPE_TIMESTAMP_TZ:
    case TRIB_TYPE_TIME_TZ:
    case TRIB_TYPE_UUID: return 16;
    default: return 0;
    }
}

static Status children_init(Chunk *self, const TribHost *host, const TribTypeFields *fields,
                            uint32_t depth, Error *err) {
    uint32_t count = fields ? fields->count : 0;
    TRY_ALLOC(self->children, host_alloc(host, sizeof(Chunk) * (count ? count : 1)), err);
    memset(self->children, 0, sizeof(Chunk) * (count ? count : 1));
    self->nchildren = count;
    for (uint32_t i = 0; i < count; i++) {
        TRY(chunk_init(&self->children[i], host, fields->field[i].type, depth + 1, err));
        self->narrays += self->children[i].narrays;
    }
    return TRIB_OK;
}

/* A map is a list whose one child is a struct of key and value. */
static Status entries_init(Chunk *self, const TribHost *host, uint32_t depth, Error *err) {
    TRY_ALLOC(self->children, host_alloc(host, sizeof(Chunk)), err);
    memset(self->children, 0, sizeof(Chunk));
    self->nchildren = 1;
    Chunk *entries = &self->children[0];
    entries->layout = CHUNK_STRUCT;
    entries->narrays = 1;
    entries->type = (TribType) {
        .id = TRIB_TYPE_ROW
        , .fields = self->type.fields
    };
    Status status = children_init(entries, host, self->type.fields, depth + 1, err);
    self->narrays += entries->narrays;
    return status;
}

Status chunk_init(Chunk *self, const TribHost *host, TribType type, uint32_t depth, Error *err) {
    memset(self, 0, sizeof *self);
    self->type = type;
    self->narrays = 1;
    if (depth > MAX_DEPTH)
        return error_set(err, ERR_LIMIT, "a column's type is nested more than %d levels deep",
                         MAX_DEPTH);
    switch (type.id) {
    case TRIB_TYPE_BOOLEAN: self->layout = CHUNK_BITS; return TRIB_OK;
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_CHAR:
    case TRIB_TYPE_VARBINARY:
    case TRIB_TYPE_JSON:
        self->layout = CHUNK_VIEW;
        self->width = sizeof(View);
        return TRIB_OK;
    case TRIB_TYPE_ARRAY:
        self->layout = CHUNK_LIST;
        return children_init(self, host, type.fields, depth, err);
    case TRIB_TYPE_MAP: self->layout = CHUNK_LIST; return entries_init(self, host, depth, err);
    case TRIB_TYPE_ROW:
        self->layout = CHUNK_STRUCT;
        return children_init(self, host, type.fields, depth, err);
    default: break;
    }
    self->layout = CHUNK_FIXED;
    self->width = fixed_width(type);
    if (self->width) return TRIB_OK;
    return error_set(err, ERR_UNSUPPORTED,
                     "a table in memory cannot hold a column of this type (type %u)", type.id);
}

void chunk_clear(Chunk *self, const TribHost *host) {
    for (uint32_t i = 0; i < self->nchildren; i++) chunk_clear(&self->children[i], host);
    for (uint32_t i = 0; i < self->nblocks; i++) host_free(host, self->blocks[i].data);
    host_free(host, self->children);
    host_free(host, self->blocks);
    host_free(host, self->validity);
    host_free(host, self->values);
    host_free(host, self->buffers);
    host_free(host, self->sketch);
    host_free(host, self->block_sizes);
    memset(self, 0, sizeof *self);
}

/* ---------------------------------------------------------------- growing */

static Status out_of_budget(Error *err) {
    (void)error_set(err, ERR_OUT_OF_MEMORY, "the memory of the process is exhausted");
    return error_hint(err, "raise ProcessMemoryLimit or drop tables of the memory catalog");
}

/* Moves `*memory` into a block of `bytes`; the rest is zeroed. */
static Status memory_resize(const TribHost *host, void **memory, size_t used, size_t bytes,
                            Error *err) {
    char *moved = host_alloc(host, bytes);
    if (!moved) return out_of_budget(err);
    if (used) memcpy(moved, *memory, used);
    memset(moved + used, 0, bytes - used);
    host_free(host, *memory);
    *memory = moved;
    return TRIB_OK;
}

static size_t validity_bytes(uint32_t positions) {
    return bitmap_words(positions) * sizeof(uint64_t);
}

static size_t values_bytes(const Chunk *self, uint32_t positions) {
    switch (self->layout) {
    case CHUNK_BITS: return validity_bytes(positions);
    case CHUNK_LIST: return ((size_t)positions + 1) * sizeof(int32_t);
    case CHUNK_STRUCT: return 0;
    default: return (size_t)positions * self->width;
    }
}

/* Children of lists may hold more positions than a row group has rows. */
static Status chunk_reserve(Chunk *self, const TribHost *host, uint32_t more, Error *err) {
    uint64_t need = (uint64_t)self->length + more;
    if (need > INT32_MAX)
        return error_set(err, ERR_LIMIT,
                         "the arrays of one row group hold more than 2^31 elements");
    if (need <= self->capacity && (self->capacity || self->layout != CHUNK_LIST)) return TRIB_OK;
    uint64_t capacity = self->capacity ? self->capacity : FIRST_ROWS;
    while (capacity < need) capacity *= 2;
    if (self->layout != CHUNK_STRUCT) {
        size_t used = self->values ? values_bytes(self, self->length) : 0;
        TRY(memory_resize(host, &self->values, used, values_bytes(self, (uint32_t)capacity), err));
    }
    if (self->validity) {
        void *bits = self->validity;
        Status status = memory_resize(host, &bits, validity_bytes(self->length),
                                      validity_bytes((uint32_t)capacity), err);
        self->validity = bits;
        TRY(status);
    }
    self->capacity = (uint32_t)capacity;
    return TRIB_OK;
}

static Status chunk_need_validity(Chunk *self, const TribHost *host, Error *err) {
    if (self->validity) return TRIB_OK;
    size_t bytes = validity_bytes(self->capacity ? self->capacity : FIRST_ROWS);
    self->validity = host_alloc(host, bytes);
    if (!self->validity) return out_of_budget(err);
    memset(self->validity, 0, bytes);
    bitmap_fill(self->validity, self->length, true);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- bits */

static inline bool bit_at(const uint8_t *bits, uint64_t i) {
    return (bits[i >> 3] >> (i & 7)) & 1;
}

/* dst[at + i] = src[from + i]; returns how many of them are set. Bits of dst beyond the end are zero. */
static uint32_t bits_copy(uint64_t *dst, uint32_t at, const uint8_t *src, uint64_t from,
                          uint32_t count) {
    uint32_t set = 0, i = 0;
    for (; i < count && ((at + i) & 63); i++) {
        bool bit = bit_at(src, from + i);
        if (bit)
            bitmap_set(dst, at + i);
        else
            bitmap_unset(dst, at + i);
        set += bit;
    }
    /* Whole words: assembled from eight bytes of the source and the bits of a ninth. */
    for (; i + 64 <= count; i += 64) {
        const uint8_t *bytes = src + ((from + i) >> 3);
        unsigned shift = (from + i) & 7;
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        if (shift) word = word >> shift | (uint64_t)bytes[8] << (64 - shift);
        dst[(at + i) >> 6] = word;
        set += (uint32_t)__builtin_popcountll(word);
    }
    for (; i < count; i++) {
        bool bit = bit_at(src, from + i);
        if (bit)
            bitmap_set(dst, at + i);
        else
            bitmap_unset(dst, at + i);
        set += bit;
    }
    return set;
}

/* ---------------------------------------------------------------- appending */

static Status validity_append(Chunk *self, const TribHost *host, const struct ArrowArray *array,
                              uint64_t from, uint32_t count, Error *err) {
    const uint8_t *bits = array->n_buffers > 0 ? array->buffers[0] : NULL;
    if (!bits || array->null_count == 0) {
        if (!self->validity) return TRIB_OK;
        for (uint32_t i = 0; i < count; i++) bitmap_set(self->validity, self->length + i);
        return TRIB_OK;
    }
    TRY(chunk_need_validity(self, host, err));
    self->nulls += count - bits_copy(self->validity, self->length, bits, from, count);
    return TRIB_OK;
}

/* Room for `length` bytes in the blocks; NULL with *err filled in. */
static char *block_room(Chunk *self, const TribHost *host, uint32_t length, Error *err) {
    ChunkBlock *last = self->nblocks ? &self->blocks[self->nblocks - 1] : NULL;
    if (last && length <= last->size - last->used) {
        last->used += length;
        return last->data + last->used - length;
    }
    uint32_t size = last ? last->size : FIRST_BLOCK / 2;
    size = size < LAST_BLOCK ? size * 2 : LAST_BLOCK;
    if (size < length) size = length;
    if (self->nblocks == self->blocks_capacity) {
        uint32_t capacity = self->blocks_capacity ? self->blocks_capacity * 2 : 4;
        void *blocks = self->blocks;
        if (memory_resize(host, &blocks, sizeof(ChunkBlock) * self->nblocks,
                          sizeof(ChunkBlock) * capacity, err))
            return NULL;
        self->blocks = blocks;
        self->blocks_capacity = capacity;
    }
    char *data = host_alloc(host, size);
    if (!data) {
        (void)out_of_budget(err);
        return NULL;
    }
    self->blocks[self->nblocks++] = (ChunkBlock){data, length, size};
    return data;
}

static Status bad_array(Error *err, const char *what) {
    return error_set(err, ERR_GENERAL, "a batch to be written is malformed: %s", what);
}

/* The bytes of a view; NULL with *err filled in if it points outside its array's blocks. */
static const char *view_bytes(const struct ArrowArray *array, const View *view, Error *err) {
    int64_t nblocks = array->n_buffers - 3;
    const int64_t *sizes = array->buffers[array->n_buffers - 1];
    if (view->length >= 0 && view->block >= 0 && view->block < nblocks && view->offset >= 0 &&
        sizes && (int64_t)view->offset + view->length <= sizes[view->block])
        return (const char *)array->buffers[2 + view->block] + view->offset;
    (void)bad_array(err, "a text value lies outside its buffers");
    return NULL;
}

static Status views_append(Chunk *self, const TribHost *host, const struct ArrowArray *array,
                           uint64_t from, uint32_t count, Error *err) {
    if (array->n_buffers < 3) return bad_array(err, "a text column has too few buffers");
    const View *in = (const View *)array->buffers[1] + from;
    View *out = (View *)self->values + self->length;
    for (uint32_t i = 0; i < count; i++) {
        if (self->validity && !bitmap_get(self->validity, self->length + i)) {
            memset(&out[i], 0, sizeof out[i]);
            continue;
        }
        uint32_t length = (uint32_t)in[i].length;
        if (length <= INLINE_MAX) {
            out[i] = in[i];
        } else {
            const char *bytes = view_bytes(array, &in[i], err);
            char *room = bytes ? block_room(self, host, length, err) : NULL;
            if (!room) return err->status;
            memcpy(room, bytes, length);
            out[i] = in[i];
            out[i].block = (int32_t)(self->nblocks - 1);
            out[i].offset = (int32_t)(room - self->blocks[self->nblocks - 1].data);
            self->text_bytes += length;
        }
        if (length > self->longest) self->longest = length;
    }
    return TRIB_OK;
}

static void fixed_append(Chunk *self, const struct ArrowArray *array, uint64_t from,
                         uint32_t count) {
    char *out = (char *)self->values + (size_t)self->length * self->width;
    memcpy(out, (const char *)array->buffers[1] + from * self->width, (size_t)count * self->width);
    if (!self->validity || self->nulls == 0) return;
    for (uint32_t i = 0; i < count; i++) {
        if (!bitmap_get(self->validity, self->length + i))
            memset(out + (size_t)i * self->width, 0, self->width);
    }
}

static Status list_append(Chunk *self, const TribHost *host, const struct ArrowArray *array,
                          uint64_t from, uint32_t count, Error *err) {
    if (array->n_buffers < 2 || array->n_children != 1)
        return bad_array(err, "a nested column has the wrong shape");
    int32_t *out = (int32_t *)self->values + self->length;
    const int32_t *in = (const int32_t *)array->buffers[1] + from;
    if (in[0] < 0 || in[count] < in[0] || in[count] > array->children[0]->length)
        return bad_array(err, "the offsets of a nested column are wrong");
    int32_t base = (int32_t)self->children[0].length;
    TRY(chunk_append(&self->children[0], host, array->children[0], in[0],
                     (uint32_t)(in[count] - in[0]), err));
    for (uint32_t i = 0; i < count; i++) {
        if (in[i + 1] < in[i]) return bad_array(err, "the offsets of a nested column are wrong");
        out[i] = base + (in[i] - in[0]);
    }
    out[count] = base + (in[count] - in[0]);
    return TRIB_OK;
}

Status chunk_append(Chunk *self, const TribHost *host, const struct ArrowArray *array, int64_t from,
                    uint32_t count, Error *err) {
    if (!array || from < 0 || from + count > array->length)
        return bad_array(err, "a column is too short");
    if (self->layout != CHUNK_STRUCT && count > 0 && (array->n_buffers < 2 || !array->buffers[1]))
        return bad_array(err, "a column has no values");
    if (count == 0) return TRIB_OK;
    uint64_t at = (uint64_t)(array->offset + from);
    TRY(chunk_reserve(self, host, count, err));
    TRY(validity_append(self, host, array, at, count, err));
    switch (self->layout) {
    case CHUNK_BITS:
        (void)bits_copy(self->values, self->length, array->buffers[1], at, count);
        break;
    case CHUNK_FIXED: fixed_append(self, array, at, count); break;
    case CHUNK_VIEW: TRY(views_append(self, host, array, at, count, err)); break;
    case CHUNK_LIST: TRY(list_append(self, host, array, at, count, err)); break;
    case CHUNK_STRUCT:
        if (array->n_children != self->nchildren)
            return bad_array(err, "a row column has the wrong number of fields");
        for (uint32_t i = 0; i < self->nchildren; i++)
            TRY(chunk_append(&self->children[i], host, array->children[i], (int64_t)at, count,
                             err));
        break;
    }
    self->length += count;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- sealing */

/* Minimum and maximum of integers of one width; NULL rows hold 0 and are skipped. */
#define RANGE_OF(name, ctype, wide)                                      \
    static bool range_##name(const Chunk *self, wide *low, wide *high) { \
        const ctype *values = self->values;                              \
        bool any = false;                                                \
        if (self->nulls == 0 && self->length > 0) {                      \
            ctype least = values[0], most = values[0];                   \
            for (uint32_t i = 1; i < self->length; i++) {                \
                least = values[i] < least ? values[i] : least;           \
                most = values[i] > most ? values[i] : most;              \
            }                                                            \
            *low = least;                                                \
            *high = most;                                                \
            return least == least && most == most;                       \
        }                                                                \
        for (uint32_t i = 0; i < self->length; i++) {                    \
            if (!bitmap_get(self->validity, i)) continue;                \
            if (!any || values[i] < *low) *low = values[i];              \
            if (!any || values[i] > *high) *high = values[i];            \
            any = true;                                                  \
        }                                                                \
        return any;                                                      \
    }
RANGE_OF(int8, int8_t, int64_t)
RANGE_OF(int16, int16_t, int64_t)
RANGE_OF(int32, int32_t, int64_t)
RANGE_OF(int64, int64_t, int64_t)

static bool range_integers(const Chunk *self, int64_t *low, int64_t *high) {
    switch (self->width) {
    case 1: return range_int8(self, low, high);
    case 2: return range_int16(self, low, high);
    case 4: return range_int32(self, low, high);
    case 8: return range_int64(self, low, high);
    default: return false;
    }
}

/* Floating-point columns: NaN has no place in a range, so a column that holds one has none. */
static bool range_floats(const Chunk *self, double *low, double *high) {
    bool any = false;
    for (uint32_t i = 0; i < self->length; i++) {
        if (self->validity && !bitmap_get(self->validity, i)) continue;
        double value = self->width == 4 ? (double)((const float *)self->values)[i]
                                        : ((const double *)self->values)[i];
        if (value != value) return false;
        if (!any || value < *low) *low = value;
        if (!any || value > *high) *high = value;
        any = true;
    }
    return any;
}

static void chunk_range(Chunk *self) {
    self->minimum = self->maximum = (TribValue){.type = self->type};
    if (self->layout != CHUNK_FIXED || self->width > 8) return;
    if (self->type.id == TRIB_TYPE_REAL || self->type.id == TRIB_TYPE_DOUBLE)
        self->ranged = range_floats(self, &self->minimum.as.real, &self->maximum.as.real);
    else
        self->ranged = range_integers(self, &self->minimum.as.integer, &self->maximum.as.integer);
}

/* A buffer more than a quarter larger than needed is moved into one that fits. */
static Status trim(const TribHost *host, void **memory, size_t used, size_t held, Error *err) {
    if (!*memory || held - used <= used / 4 || held <= 512) return TRIB_OK;
    return memory_resize(host, memory, used, used ? used : 1, err);
}

static Status buffers_build(Chunk *self, const TribHost *host, Error *err) {
    uint32_t views = self->layout == CHUNK_VIEW ? self->nblocks + 1 : 0;
    self->nbuffers = (self->layout == CHUNK_STRUCT ? 1 : 2) + views;
    self->buffers = host_alloc(host, sizeof(void *) * self->nbuffers);
    if (!self->buffers) return out_of_budget(err);
    self->buffers[0] = self->validity;
    if (self->layout != CHUNK_STRUCT) self->buffers[1] = self->values;
    if (!views) return TRIB_OK;
    self->block_sizes = host_alloc(host, sizeof(int64_t) * (self->nblocks + 1));
    if (!self->block_sizes) return out_of_budget(err);
    for (uint32_t i = 0; i < self->nblocks; i++) {
        self->buffers[2 + i] = self->blocks[i].data;
        self->block_sizes[i] = self->blocks[i].used;
    }
    self->buffers[2 + self->nblocks] = self->block_sizes;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- sketches */

/* The finaliser of splitmix64. */
static inline uint64_t hash_number(uint64_t x) {
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

#define SKETCH_LOOP(HASH)                                                   \
    do {                                                                    \
        for (uint32_t i = 0; i < self->length; i++) {                       \
            if (self->validity && !bitmap_get(self->validity, i)) continue; \
            sketch_add(self->sketch, (HASH));                               \
        }                                                                   \
    } while (0)

static uint64_t hash_text(const Chunk *self, uint32_t position) {
    const View *view = (const View *)self->values + position;
    size_t length = (size_t)view->length;
    const char *inline_bytes = (const char *)view + sizeof view->length;
    return XXH3_64bits(length <= INLINE_MAX ? inline_bytes
                                            : self->blocks[view->block].data + view->offset,
                       length);
}

static Status chunk_sketch(Chunk *self, const TribHost *host, Error *err) {
    if (self->layout != CHUNK_FIXED && self->layout != CHUNK_VIEW) return TRIB_OK;
    if (!self->sketch) self->sketch = host_alloc(host, SKETCH_BYTES);
    if (!self->sketch) return out_of_budget(err);
    memset(self->sketch, 0, SKETCH_BYTES);
    const uint8_t *values = self->values;
    if (self->layout == CHUNK_VIEW) {
        SKETCH_LOOP(hash_text(self, i));
        return TRIB_OK;
    }
    switch (self->width) {
    case 1: SKETCH_LOOP(hash_number(values[i])); break;
    case 2: SKETCH_LOOP(hash_number(((const uint16_t *)self->values)[i])); break;
    case 4: SKETCH_LOOP(hash_number(((const uint32_t *)self->values)[i])); break;
    case 8: SKETCH_LOOP(hash_number(((const uint64_t *)self->values)[i])); break;
    default: SKETCH_LOOP(XXH3_64bits(values + (size_t)i * self->width, self->width)); break;
    }
    return TRIB_OK;
}

static Status seal(Chunk *self, const TribHost *host, Error *err) {
    if (self->nulls == 0 && self->validity) {
        host_free(host, self->validity);
        self->validity = NULL;
    }
    if (self->layout != CHUNK_STRUCT) {
        /* An empty array still has buffers. */
        if (!self->values) TRY(chunk_reserve(self, host, 1, err));
        TRY(trim(host, &self->values, values_bytes(self, self->length),
                 values_bytes(self, self->capacity), err));
    }
    if (self->nblocks) {
        ChunkBlock *last = &self->blocks[self->nblocks - 1];
        void *data = last->data;
        Status status = trim(host, &data, last->used, last->size, err);
        if (data != last->data) last->size = last->used;
        last->data = data;
        TRY(status);
    }
    self->capacity = self->length;
    chunk_range(self);
    for (uint32_t i = 0; i < self->nchildren; i++) TRY(seal(&self->children[i], host, err));
    return buffers_build(self, host, err);
}

Status chunk_seal(Chunk *self, const TribHost *host, Error *err) {
    TRY(seal(self, host, err));
    return chunk_sketch(self, host, err);
}

uint64_t chunk_bytes(const Chunk *self) {
    uint64_t bytes =
        values_bytes(self, self->capacity) + (self->validity ? validity_bytes(self->capacity) : 0);
    for (uint32_t i = 0; i < self->nblocks; i++) bytes += self->blocks[i].size;
    bytes += self->sketch ? SKETCH_BYTES : 0;
    for (uint32_t i = 0; i < self->nchildren; i++) bytes += chunk_bytes(&self->children[i]);
    return bytes;
}

/* Nested columns count with their average. */
uint32_t chunk_row_width(const Chunk *self) {
    uint64_t width = self->layout == CHUNK_BITS ? 1 : self->width;
    if (self->layout == CHUNK_LIST || self->layout == CHUNK_STRUCT)
        width = self->length ? chunk_bytes(self) / self->length + 1 : 1;
    return width > UINT32_MAX ? UINT32_MAX : (uint32_t)width;
}

uint32_t chunk_text_at(const Chunk *self, uint32_t position) {
    if (self->layout != CHUNK_VIEW) return 0;
    uint32_t length = (uint32_t)((const View *)self->values)[position].length;
    return length > INLINE_MAX ? length : 0;
}
