/*
 * chunk.h - one column of a row group, in the canonical layout of the ABI.
 *
 * A chunk is built by appending ranges of Arrow arrays, then sealed; a sealed chunk never changes and
 * is read by any number of threads. Its buffers are laid out as Arrow wants them, so that a slice of
 * rows is an ArrowArray that points into them. Memory comes from the host.
 */
#ifndef TRIB_MEMORY_CHUNK_H
#define TRIB_MEMORY_CHUNK_H

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

/* A block of text or binary values that the views of a chunk refer to. */
typedef struct ChunkBlock {
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
    uint64_t *validity; /* NULL until something is NULL */
    void *values;       /* bits, values, views, or capacity + 1 offsets; CHUNK_STRUCT: NULL */
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
    uint8_t *sketch; /* of the values that are not NULL (sketch.h); NULL: nested, or none yet */
};

/* Errors: UNSUPPORTED naming the type. Types must outlive the chunk. */
Status chunk_init(Chunk *self, const TribHost *host, TribType type, uint32_t depth,
                  Error *err) WARN_UNUSED;
void chunk_clear(Chunk *self, const TribHost *host);
/* Appends positions [from, from + count) of an array in the canonical layout of the chunk's type. */
Status chunk_append(Chunk *self, const TribHost *host, const struct ArrowArray *array, int64_t from,
                    uint32_t count, Error *err) WARN_UNUSED;
/* Gives unused memory back, computes range and sketch, builds the list of buffers. */
Status chunk_seal(Chunk *self, const TribHost *host, Error *err) WARN_UNUSED;
uint64_t chunk_bytes(const Chunk *self); /* memory held */
/* Bytes that a position takes apart from long text: for cutting batches by size. */
uint32_t chunk_row_width(const Chunk *self);
/* Bytes of long text of a position, in a view column; 0 otherwise. */
uint32_t chunk_text_at(const Chunk *self, uint32_t position);

#endif
