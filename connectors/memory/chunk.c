/*
 * chunk.c - building and sealing the columns of row groups.
 *
 * Buffers grow by two, then by four, up to GROUP_ROWS positions and are cut to size by chunk_seal. Text goes
 * into blocks of 4 KiB, doubling up to 1 MiB; a view refers to block and offset, as in Arrow's string
 * view layout. The validity bitmap exists only if the chunk holds a NULL. Values under a NULL are
 * zeroed, so that nothing of what a writer left there shows.
 *
 * Threads: a chunk that is being built belongs to its writer; a sealed one is immutable. A chunk that
 * extends another writes only where that has no positions.
 */
#include "config.h"

#include <limits.h>
#include <string.h>

#include <xxhash.h>

#include "connectors/memory/chunk.h"
#include "connectors/memory/sketch.h"
#include "connectors/support/call.h"

#define FIRST_ROWS 64
#define STEEP_ROWS \
    1024 /* from here on buffers grow by four: what has so many rows goes on, and moving costs */
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
static Status entries_init(Chunk *self, const TribHost *host, const TribTypeFields *fields,
                           uint32_t depth, Error *err) {
    TRY_ALLOC(self->children, host_alloc(host, sizeof(Chunk)), err);
    memset(self->children, 0, sizeof(Chunk));
    self->nchildren = 1;
    Chunk *entries = &self->children[0];
    entries->layout = CHUNK_STRUCT;
    entries->narrays = 1;
    entries->type = (TribType) {
        .id = TRIB_TYPE_ROW
    };
    Status status = children_init(entries, host, fields, depth + 1, err);
    self->narrays += entries->narrays;
    return status;
}

Status chunk_init(Chunk *self, const TribHost *host, TribType type, uint32_t depth, Error *err) {
    memset(self, 0, sizeof *self);
    self->type = type;
    self->type.fields = NULL; /* the chunk may outlive its table */
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
    case TRIB_TYPE_MAP:
        self->layout = CHUNK_LIST;
        return entries_init(self, host, type.fields, depth, err);
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
    for (uint32_t i = 0; i < self->nblocks; i++) buffer_release(self->blocks[i].memory);
    host_free(host, self->children);
    host_free(host, self->blocks);
    buffer_release(self->validity);
    buffer_release(self->values);
    host_free(host, self->buffers);
    host_free(host, self->block_sizes);
    memset(self, 0, sizeof *self);
}

/* ---------------------------------------------------------------- buffers */

Status chunk_out_of_budget(Error *err) {
    (void)error_set(err, ERR_OUT_OF_MEMORY, "the memory of the process is exhausted");
    return error_hint(err, "raise ProcessMemoryLimit or drop tables of the memory catalog");
}

ChunkBuffer *buffer_new(const TribHost *host, size_t bytes, Error *err) {
    ChunkBuffer *self = host_alloc(host, sizeof *self + bytes);
    if (!self) {
        (void)chunk_out_of_budget(err);
        return NULL;
    }
    atomic_init(&self->references, 1);
    self->host = host;
    self->bytes = bytes;
    return self;
}

ChunkBuffer *buffer_retain(ChunkBuffer *self) {
    if (self) atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    return self;
}

void buffer_release(ChunkBuffer *self) {
    if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) return;
    host_free(self->host, self);
}

static uint64_t *bits_of(ChunkBuffer *buffer) {
    return (uint64_t *)(void *)buffer->data;
}

/* ---------------------------------------------------------------- growing */

/* Moves a buffer into one of `bytes`, the first `used` bytes kept; zeroed: the others are 0. */
static Status buffer_resize(const TribHost *host, ChunkBuffer **memory, size_t used, size_t bytes,
                            bool zeroed, Error *err) {
    ChunkBuffer *moved = buffer_new(host, bytes, err);
    if (!moved) return err->status;
    if (used) memcpy(moved->data, (*memory)->data, used);
    if (zeroed) memset(moved->data + used, 0, bytes - used);
    buffer_release(*memory);
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
    while (capacity < need) capacity *= capacity < STEEP_ROWS ? 2 : 4;
    if (capacity > GROUP_ROWS && need <= GROUP_ROWS) capacity = GROUP_ROWS;
    if (self->layout != CHUNK_STRUCT) {
        size_t used = self->values ? values_bytes(self, self->length) : 0;
        TRY(buffer_resize(host, &self->values, used, values_bytes(self, (uint32_t)capacity),
                          self->layout == CHUNK_BITS || self->layout == CHUNK_LIST, err));
    }
    if (self->validity)
        TRY(buffer_resize(host, &self->validity, validity_bytes(self->length),
                          validity_bytes((uint32_t)capacity), true, err));
    self->borrowed_bits = false;
    self->capacity = (uint32_t)capacity;
    return TRIB_OK;
}

/* Bitmaps that an older chunk reads are copied before they are written: neighbours share words. */
static Status chunk_own_bits(Chunk *self, const TribHost *host, Error *err) {
    if (!self->borrowed_bits) return TRIB_OK;
    size_t used = validity_bytes(self->length), bytes = validity_bytes(self->capacity);
    if (self->validity) TRY(buffer_resize(host, &self->validity, used, bytes, true, err));
    if (self->layout == CHUNK_BITS) TRY(buffer_resize(host, &self->values, used, bytes, true, err));
    self->borrowed_bits = false;
    return TRIB_OK;
}

static Status chunk_need_validity(Chunk *self, const TribHost *host, Error *err) {
    if (self->validity) return TRIB_OK;
    size_t bytes = validity_bytes(self->capacity ? self->capacity : FIRST_ROWS);
    if (!(self->validity = buffer_new(host, bytes, err))) return err->status;
    memset(self->validity->data, 0, bytes);
    bitmap_fill(bits_of(self->validity), self->length, true);
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
        for (uint32_t i = 0; i < count; i++) bitmap_set(bits_of(self->validity), self->length + i);
        return TRIB_OK;
    }
    TRY(chunk_need_validity(self, host, err));
    self->nulls += count - bits_copy(bits_of(self->validity), self->length, bits, from, count);
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
        ChunkBlock *blocks = host_alloc(host, sizeof(ChunkBlock) * capacity);
        if (!blocks) {
            (void)chunk_out_of_budget(err);
            return NULL;
        }
        if (self->nblocks) memcpy(blocks, self->blocks, sizeof(ChunkBlock) * self->nblocks);
        host_free(host, self->blocks);
        self->blocks = blocks;
        self->blocks_capacity = capacity;
    }
    ChunkBuffer *memory = buffer_new(host, size, err);
    if (!memory) return NULL;
    self->blocks[self->nblocks++] = (ChunkBlock){memory, memory->data, length, size};
    return memory->data;
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
    View *out = (View *)(void *)self->values->data + self->length;
    const uint64_t *validity = chunk_validity(self);
    for (uint32_t i = 0; i < count; i++) {
        if (validity && !bitmap_get(validity, self->length + i)) {
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
    char *out = self->values->data + (size_t)self->length * self->width;
    memcpy(out, (const char *)array->buffers[1] + from * self->width, (size_t)count * self->width);
    if (!self->validity || self->nulls == 0) return;
    for (uint32_t i = 0; i < count; i++) {
        if (!bitmap_get(chunk_validity(self), self->length + i))
            memset(out + (size_t)i * self->width, 0, self->width);
    }
}

static Status list_append(Chunk *self, const TribHost *host, const struct ArrowArray *array,
                          uint64_t from, uint32_t count, Error *err) {
    if (array->n_buffers < 2 || array->n_children != 1)
        return bad_array(err, "a nested column has the wrong shape");
    int32_t *out = (int32_t *)(void *)self->values->data + self->length;
    const int32_t *in = (const int32_t *)array->buffers[1] + from;
    if (in[0] < 0 || in[count] < in[0] || in[count] > array->children[0]->length)
        return bad_array(err, "the offsets of a nested column are wrong");
    int32_t base = (int32_t)self->children[0].length;
    TRY(chunk_append(&self->children[0], host, array->children[0], in[0],
                     (uint32_t)(in[count] - in[0]), err));
    /* out[0] is there already (0 at first), and may be read by others. */
    for (uint32_t i = 1; i <= count; i++) {
        if (in[i] < in[i - 1]) return bad_array(err, "the offsets of a nested column are wrong");
        out[i] = base + (in[i] - in[0]);
    }
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
    TRY(chunk_own_bits(self, host, err));
    TRY(validity_append(self, host, array, at, count, err));
    switch (self->layout) {
    case CHUNK_BITS:
        (void)bits_copy(bits_of(self->values), self->length, array->buffers[1], at, count);
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

Status chunk_append_nulls(Chunk *self, const TribHost *host, uint32_t count, Error *err) {
    if (count == 0) return TRIB_OK;
    TRY(chunk_reserve(self, host, count, err));
    TRY(chunk_own_bits(self, host, err));
    TRY(chunk_need_validity(self, host, err));
    for (uint32_t i = 0; i < count; i++) bitmap_unset(bits_of(self->validity), self->length + i);
    self->nulls += count;
    if (self->layout == CHUNK_LIST) {
        int32_t *out = (int32_t *)(void *)self->values->data + self->length;
        for (uint32_t i = 1; i <= count; i++) out[i] = out[0];
    } else if (self->layout == CHUNK_STRUCT) {
        for (uint32_t i = 0; i < self->nchildren; i++)
            TRY(chunk_append_nulls(&self->children[i], host, count, err));
    } else if (self->layout != CHUNK_BITS) {
        memset(self->values->data + (size_t)self->length * self->width, 0,
               (size_t)count * self->width);
    } else {
        for (uint32_t i = 0; i < count; i++) bitmap_unset(bits_of(self->values), self->length + i);
    }
    self->length += count;
    return TRIB_OK;
}

static int64_t integer_at(const Chunk *self, uint32_t at) {
    const char *value = self->values->data + (size_t)at * self->width;
    int32_t four;
    int16_t two;
    int64_t eight;
    switch (self->width) {
    case 1: return *(const int8_t *)value;
    case 2: memcpy(&two, value, sizeof two); return two;
    case 4: memcpy(&four, value, sizeof four); return four;
    default: memcpy(&eight, value, sizeof eight); return eight;
    }
}

uint32_t chunk_count_tail(const Chunk *self, uint32_t count, int64_t *most) {
    const uint64_t *validity = chunk_validity(self);
    uint32_t nulls = 0;
    *most = 0;
    for (uint32_t at = self->length - count; at < self->length; at++) {
        bool null = validity && !bitmap_get(validity, at);
        int64_t value = null ? 0 : integer_at(self, at);
        nulls += null;
        *most = value > *most ? value : *most;
    }
    return nulls;
}

void chunk_number_tail(Chunk *self, uint32_t count, int64_t first) {
    uint64_t *validity = bits_of(self->validity);
    for (uint32_t at = self->length - count; at < self->length; at++) {
        if (bitmap_get(validity, at)) continue;
        int64_t number = first++; /* the low bytes come first on every machine that this runs on */
        memcpy(self->values->data + (size_t)at * self->width, &number, self->width);
        bitmap_set(validity, at);
        self->nulls--;
    }
}

/* The bytes of a value in the canonical layout of its column; returns how many. */
static uint32_t value_bytes(const TribValue *value, uint32_t width, unsigned char out[16]) {
    struct {
        int64_t us;
        int16_t zone, ns;
        int32_t zero;
    } zoned = {value->as.instant.us, value->as.instant.zone, (int16_t)value->as.instant.ns, 0};
    struct {
        int64_t us;
        int32_t ns, zero;
    } instant = {value->as.instant.us, value->as.instant.ns, 0};
    float single = (float)value->as.real;
    switch (value->type.id) {
    case TRIB_TYPE_REAL: memcpy(out, &single, sizeof single); break;
    case TRIB_TYPE_DOUBLE: memcpy(out, &value->as.real, sizeof value->as.real); break;
    case TRIB_TYPE_UUID: memcpy(out, value->as.text.data, 16); break;
    case TRIB_TYPE_TIMESTAMP_TZ: memcpy(out, &zoned, sizeof zoned); break;
    case TRIB_TYPE_TIME_TZ: memcpy(out, &instant, sizeof instant); break;
    case TRIB_TYPE_TIMESTAMP:
        if (width == 16)
            memcpy(out, &instant, sizeof instant);
        else
            memcpy(out, &value->as.integer, 8);
        break;
    default:
        if (width == 16)
            memcpy(out, &value->as.wide, sizeof value->as.wide);
        else
            memcpy(out, &value->as.integer, width); /* little-endian */
    }
    return width;
}

Status chunk_append_value(Chunk *self, const TribHost *host, const TribValue *value, uint32_t count,
                          Error *err) {
    if (value->is_null) return chunk_append_nulls(self, host, count, err);
    _Alignas(16) unsigned char bytes[16] = {0};
    int64_t block_size = 0;
    const void *buffers[4] = {NULL, bytes};
    struct ArrowArray one = {.length = 1, .n_buffers = 2, .buffers = buffers};
    if (self->layout == CHUNK_VIEW) {
        size_t length = value->as.text.length;
        if (length > INT32_MAX) return error_set(err, ERR_LIMIT, "a value is longer than 2 GiB");
        View *view = (View *)(void *)bytes;
        *view = (View){.length = (int32_t)length};
        memcpy(length <= INLINE_MAX ? (char *)view + sizeof view->length : view->prefix,
               value->as.text.data, length <= INLINE_MAX ? length : sizeof view->prefix);
        block_size = (int64_t)length;
        buffers[2] = value->as.text.data;
        buffers[3] = &block_size;
        one.n_buffers = 4;
    } else if (self->layout == CHUNK_BITS) {
        bytes[0] = value->as.integer != 0;
    } else if (self->layout == CHUNK_FIXED) {
        (void)value_bytes(value, self->width, bytes);
    } else {
        return error_set(err, ERR_UNSUPPORTED, "a nested column takes no DEFAULT but NULL");
    }
    for (uint32_t i = 0; i < count; i++) TRY(chunk_append(self, host, &one, 0, 1, err));
    return TRIB_OK;
}

/* ---------------------------------------------------------------- sealing */

/* Minimum and maximum of integers of one width; NULL rows hold 0 and are skipped. */
#define RANGE_OF(name, ctype, wide)                                      \
    static bool range_##name(const Chunk *self, wide *low, wide *high) { \
        const ctype *values = chunk_values(self);                        \
        const uint64_t *validity = chunk_validity(self);                 \
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
            if (!bitmap_get(validity, i)) continue;                      \
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
    const uint64_t *validity = chunk_validity(self);
    const void *values = chunk_values(self);
    for (uint32_t i = 0; i < self->length; i++) {
        if (validity && !bitmap_get(validity, i)) continue;
        double value =
            self->width == 4 ? (double)((const float *)values)[i] : ((const double *)values)[i];
        if (value != value) return false;
        if (!any || value < *low) *low = value;
        if (!any || value > *high) *high = value;
        any = true;
    }
    return any;
}

static void chunk_range(Chunk *self) {
    self->ranged = false;
    self->minimum = self->maximum = (TribValue){.type = self->type};
    if (self->layout != CHUNK_FIXED || self->width > 8) return;
    if (self->type.id == TRIB_TYPE_REAL || self->type.id == TRIB_TYPE_DOUBLE)
        self->ranged = range_floats(self, &self->minimum.as.real, &self->maximum.as.real);
    else
        self->ranged = range_integers(self, &self->minimum.as.integer, &self->maximum.as.integer);
}

static bool value_below(const TribValue *a, const TribValue *b) {
    if (a->type.id == TRIB_TYPE_REAL || a->type.id == TRIB_TYPE_DOUBLE)
        return a->as.real < b->as.real;
    return a->as.integer < b->as.integer;
}

void chunk_range_join(Chunk *self, const Chunk *first, const Chunk *second) {
    const Chunk *only = first->nulls == first->length     ? second
                        : second->nulls == second->length ? first
                                                          : NULL;
    self->ranged = only ? only->ranged : first->ranged && second->ranged;
    if (!self->ranged) return;
    const Chunk *low = only, *high = only;
    if (!only) {
        low = value_below(&second->minimum, &first->minimum) ? second : first;
        high = value_below(&first->maximum, &second->maximum) ? second : first;
    }
    self->minimum = low->minimum;
    self->maximum = high->maximum;
}

/* A buffer more than a quarter larger than needed is moved into one that fits. */
static Status trim_buffer(const TribHost *host, ChunkBuffer **memory, size_t used, size_t held,
                          Error *err) {
    if (!*memory || held - used <= used / 4 || held <= 512) return TRIB_OK;
    return buffer_resize(host, memory, used, used ? used : 1, false, err);
}

static Status buffers_build(Chunk *self, const TribHost *host, Error *err) {
    uint32_t views = self->layout == CHUNK_VIEW ? self->nblocks + 1 : 0;
    self->nbuffers = (self->layout == CHUNK_STRUCT ? 1 : 2) + views;
    self->buffers = host_alloc(host, sizeof(void *) * self->nbuffers);
    if (!self->buffers) return chunk_out_of_budget(err);
    self->buffers[0] = chunk_validity(self);
    if (self->layout != CHUNK_STRUCT) self->buffers[1] = self->values->data;
    if (!views) return TRIB_OK;
    self->block_sizes = host_alloc(host, sizeof(int64_t) * (self->nblocks + 1));
    if (!self->block_sizes) return chunk_out_of_budget(err);
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

#define SKETCH_LOOP(HASH)                                       \
    do {                                                        \
        for (uint32_t i = from; i < self->length; i++) {        \
            if (validity && !bitmap_get(validity, i)) continue; \
            sketch_add(registers, (HASH));                      \
        }                                                       \
    } while (0)

const char *chunk_text(const Chunk *self, uint32_t position, uint32_t *length) {
    const View *view = (const View *)chunk_values(self) + position;
    *length = (uint32_t)view->length;
    return view->length <= INLINE_MAX ? (const char *)view + sizeof view->length
                                      : self->blocks[view->block].data + view->offset;
}

static uint64_t hash_text(const Chunk *self, uint32_t position) {
    uint32_t length;
    const char *text = chunk_text(self, position, &length);
    return XXH3_64bits(text, length);
}

bool chunk_countable(const Chunk *self) {
    return self->layout == CHUNK_FIXED || self->layout == CHUNK_VIEW;
}

void chunk_sketch(const Chunk *self, uint32_t from, uint8_t *registers) {
    const uint64_t *validity = chunk_validity(self);
    const void *values = chunk_values(self);
    if (self->layout == CHUNK_VIEW) {
        SKETCH_LOOP(hash_text(self, i));
        return;
    }
    switch (self->width) {
    case 1: SKETCH_LOOP(hash_number(((const uint8_t *)values)[i])); break;
    case 2: SKETCH_LOOP(hash_number(((const uint16_t *)values)[i])); break;
    case 4: SKETCH_LOOP(hash_number(((const uint32_t *)values)[i])); break;
    case 8: SKETCH_LOOP(hash_number(((const uint64_t *)values)[i])); break;
    default:
        SKETCH_LOOP(XXH3_64bits((const char *)values + (size_t)i * self->width, self->width));
        break;
    }
}

/* ---------------------------------------------------------------- sealing and extending */

static Status chunk_trim(Chunk *self, const TribHost *host, Error *err) {
    if (self->nulls == 0 && self->validity) {
        buffer_release(self->validity);
        self->validity = NULL;
    }
    if (self->layout != CHUNK_STRUCT)
        TRY(trim_buffer(host, &self->values, values_bytes(self, self->length),
                        values_bytes(self, self->capacity), err));
    if (self->nblocks) {
        ChunkBlock *last = &self->blocks[self->nblocks - 1];
        Status status = trim_buffer(host, &last->memory, last->used, last->size, err);
        if (last->memory->data != last->data) last->size = last->used;
        last->data = last->memory->data;
        TRY(status);
    }
    self->capacity = self->length;
    return TRIB_OK;
}

Status chunk_seal(Chunk *self, const TribHost *host, ChunkSeal how, Error *err) {
    /* An empty array still has buffers. */
    if (self->layout != CHUNK_STRUCT && !self->values) TRY(chunk_reserve(self, host, 1, err));
    if (how == SEAL_TRIMMED) TRY(chunk_trim(self, host, err));
    if (how != SEAL_EXTENDED) chunk_range(self);
    for (uint32_t i = 0; i < self->nchildren; i++)
        TRY(chunk_seal(&self->children[i], host, how, err));
    return buffers_build(self, host, err);
}

Status chunk_extend(const Chunk *from, const TribHost *host, Chunk *out, Error *err) {
    *out = *from;
    out->buffers = NULL;
    out->block_sizes = NULL;
    out->nbuffers = 0;
    out->blocks = NULL;
    out->nblocks = out->blocks_capacity = 0;
    out->children = NULL;
    out->nchildren = 0;
    out->borrowed_bits = true;
    (void)buffer_retain(out->validity);
    (void)buffer_retain(out->values);
    if (from->nblocks) {
        uint32_t capacity = from->nblocks + 1;
        out->blocks = host_alloc(host, sizeof(ChunkBlock) * capacity);
        if (!out->blocks) return chunk_out_of_budget(err);
        memcpy(out->blocks, from->blocks, sizeof(ChunkBlock) * from->nblocks);
        out->nblocks = from->nblocks;
        out->blocks_capacity = capacity;
        for (uint32_t i = 0; i < out->nblocks; i++) (void)buffer_retain(out->blocks[i].memory);
    }
    if (!from->children) return TRIB_OK;
    out->children = host_alloc(host, sizeof(Chunk) * (from->nchildren ? from->nchildren : 1));
    if (!out->children) return chunk_out_of_budget(err);
    for (uint32_t i = 0; i < from->nchildren; i++) {
        memset(&out->children[i], 0, sizeof(Chunk));
        out->nchildren = i + 1;
        TRY(chunk_extend(&from->children[i], host, &out->children[i], err));
    }
    return TRIB_OK;
}

uint64_t chunk_bytes(const Chunk *self) {
    uint64_t bytes =
        values_bytes(self, self->capacity) + (self->validity ? validity_bytes(self->capacity) : 0);
    for (uint32_t i = 0; i < self->nblocks; i++) bytes += self->blocks[i].size;
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
    uint32_t length = (uint32_t)((const View *)chunk_values(self))[position].length;
    return length > INLINE_MAX ? length : 0;
}
