/*
 * chunk.h - one column of a row group, in the canonical layout of the ABI.
 *
 * A chunk is built by appending ranges of Arrow arrays, then sealed; a sealed chunk never changes and
 * is read by any number of threads. Its buffers are laid out as Arrow wants them, so that a slice of
 * rows is an ArrowArray that points into them. Memory comes from the host.
 *
 * A sealed chunk may be extended: the longer chunk shares its buffers and writes behind the positions
 * of the older one, which goes on to be read. Of all chunks made from one another only the newest may be
 * extended again. Bitmaps are copied for that (neighbours share words), everything else stays in place.
 */
#ifndef TRIB_MEMORY_CHUNK_H
#define TRIB_MEMORY_CHUNK_H

#include <stdatomic.h>

#include "connectors/tributary_connector.h"
#include "engine/base/bitmap.h"
#include "engine/base/error.h"

#define GROUP_ROWS 65536 /* most rows of a row group */

typedef enum ChunkLayout {
    CHUNK_BITS,
    CHUNK_FIXED,
    CHUNK_VIEW,
    CHUNK_LIST,
    CHUNK_STRUCT
} ChunkLayout;

/* Memory that several chunks (or row groups) refer to. */
typedef struct ChunkBuffer {
    _Atomic uint32_t references;
    const TribHost *host;
    size_t bytes;
    size_t padding; /* keeps the data aligned to 16 */
    char data[];
} ChunkBuffer;

/* A block of text or binary values that the views of a chunk refer to. */
typedef struct ChunkBlock {
    ChunkBuffer *memory;
    char *data;
    uint32_t used, size;
} ChunkBlock;

typedef struct Chunk Chunk;
struct Chunk {
    TribType type;
    ChunkLayout layout;
    uint32_t width;  /* CHUNK_FIXED: bytes per value */
    uint32_t length; /* positions */
    uint32_t capacity;
    uint32_t nulls;
    bool borrowed_bits; /* the bitmaps are an older chunk's, too: copied before they are written */
    ChunkBuffer *validity; /* bitmap; NULL until something is NULL */
    ChunkBuffer *values;   /* bits, values, views, or capacity + 1 offsets; CHUNK_STRUCT: NULL */
    uint32_t nblocks, blocks_capacity;
    ChunkBlock *blocks;  /* CHUNK_VIEW */
    uint64_t text_bytes; /* CHUNK_VIEW: bytes in the blocks */
    uint32_t longest;    /* CHUNK_VIEW: bytes of the longest value */
    uint32_t nchildren;
    Chunk *children;  /* list: 1, map: 1 (a struct of key and value), row: n */
    uint32_t narrays; /* ArrowArrays of a slice: this one and all below */
    /* Sealed: */
    const void **buffers; /* as an ArrowArray wants them */
    uint32_t nbuffers;
    int64_t *block_sizes; /* the last buffer of a view array */
    bool ranged;          /* minimum and maximum are known (integers, dates, times, floats) */
    TribValue minimum, maximum;
};

static inline const uint64_t *chunk_validity(const Chunk *self) {
    return self->validity ? (const uint64_t *)(const void *)self->validity->data : NULL;
}
static inline const void *chunk_values(const Chunk *self) {
    return self->values->data;
}

/* NULL with *err filled in: the process budget is exhausted. One reference. */
ChunkBuffer *buffer_new(const TribHost *host, size_t bytes, Error *err);
ChunkBuffer *buffer_retain(ChunkBuffer *self); /* NULL is allowed */
void buffer_release(ChunkBuffer *self);        /* NULL is allowed */
/* HY001 with the hint what to do. */
Status chunk_out_of_budget(Error *err);

/* Errors: UNSUPPORTED naming the type. */
Status chunk_init(Chunk *self, const TribHost *host, TribType type, uint32_t depth,
                  Error *err) WARN_UNUSED;
void chunk_clear(Chunk *self, const TribHost *host);
/* Appends positions [from, from + count) of an array in the canonical layout of the chunk's type. */
Status chunk_append(Chunk *self, const TribHost *host, const struct ArrowArray *array, int64_t from,
                    uint32_t count, Error *err) WARN_UNUSED;
/* Appends `count` positions that are NULL. */
Status chunk_append_nulls(Chunk *self, const TribHost *host, uint32_t count,
                          Error *err) WARN_UNUSED;
/* Appends `count` times one value of the chunk's type, which must not be nested unless it is NULL. */
Status chunk_append_value(Chunk *self, const TribHost *host, const TribValue *value, uint32_t count,
                          Error *err) WARN_UNUSED;
/* Of the last `count` positions of an integer chunk: how many are NULL, and the largest value (0 or more). */
uint32_t chunk_count_tail(const Chunk *self, uint32_t count, int64_t *most);
/* Those that are NULL become first, first + 1, ... */
void chunk_number_tail(Chunk *self, uint32_t count, int64_t first);
typedef enum ChunkSeal {
    SEAL_ROOMY,    /* unused memory stays, for chunks that will be extended */
    SEAL_TRIMMED,  /* unused memory is given back */
    SEAL_EXTENDED, /* roomy, and the range is left alone (chunk_range_join) */
} ChunkSeal;

/* Computes the range, builds the list of buffers. */
Status chunk_seal(Chunk *self, const TribHost *host, ChunkSeal how, Error *err) WARN_UNUSED;
/* Begins a longer chunk on the memory of a sealed one; to be appended to and sealed. */
Status chunk_extend(const Chunk *from, const TribHost *host, Chunk *out, Error *err) WARN_UNUSED;
/* The range of `self`, made of two parts that know theirs. */
void chunk_range_join(Chunk *self, const Chunk *first, const Chunk *second);
/* Can the chunk's values be counted (not nested)? */
bool chunk_countable(const Chunk *self);
/* Adds the values of positions [from, length) that are not NULL to a sketch (sketch.h). */
void chunk_sketch(const Chunk *self, uint32_t from, uint8_t *registers);
/* The bytes of a position of a view column. */
const char *chunk_text(const Chunk *self, uint32_t position, uint32_t *length);
uint64_t chunk_bytes(const Chunk *self); /* memory held */
/* Bytes that a position takes apart from long text: for cutting batches by size. */
uint32_t chunk_row_width(const Chunk *self);
/* Bytes of long text of a position, in a view column; 0 otherwise. */
uint32_t chunk_text_at(const Chunk *self, uint32_t position);

#endif
