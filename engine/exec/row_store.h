/*
 * row_store.h - pages of rows, partitioned by hash, that can be written to disk and read back.
 *
 * A page is one block of memory: rows from its front, their outside bytes from its end. It goes to
 * disk as it is (two pieces without the gap); when it is read back at another address the pointers
 * inside are moved by the difference. Pages of a partition start small and double, so that many
 * partitions cost little.
 *
 * A RowStore has one writer. Appending never fails for want of budget: what the grant refuses is
 * taken anyway (at most one batch) and `pressure` is set; the operator then spills before the next
 * batch. Lists of pages move between stores (page_list_move) when workers combine. Pages are read
 * by any thread once writing has ended.
 */
#ifndef TRIB_EXEC_ROW_STORE_H
#define TRIB_EXEC_ROW_STORE_H

#include "engine/base/grant.h"
#include "engine/exec/row_layout.h"
#include "engine/spill/spill.h"

/* The bits of a hash: slots use the low ones, radix partitions those below bit 48, salts the
 * upper 16. */
#define RADIX_TOP      48
#define RADIX_BITS_MAX 16 /* of all levels together */

typedef struct RowSlab RowSlab;

typedef struct RowPage {
    uint8_t *data;         /* NULL: on disk only */
    RowSlab *slab;         /* NULL: the memory is the page's own */
    uint64_t capacity;     /* bytes at data */
    uint64_t heap;         /* offset of the outside bytes; they end at capacity */
    uint64_t heap_address; /* where they began when the pointers in the rows were made */
    uint32_t rows;
    bool mapped;      /* by grant_map; else from the heap */
    uint32_t nblocks; /* on disk */
    SpillBlock *blocks;
    SpillFile *file;
} RowPage;

/* Pages in the order of their rows. */
typedef struct PageList {
    RowPage *pages;
    uint32_t count, capacity;
    uint64_t rows;         /* of all */
    uint64_t memory_bytes; /* of those in memory */
    uint64_t disk_bytes;   /* plain bytes of those on disk */
} PageList;

typedef struct RowCursor {
    uint8_t *front, *heap; /* free space of the partition's last page */
} RowCursor;

/* The largest page for an operator of so many workers and partitions under a budget: large
 * enough for the system's large pages where memory abounds, small enough that pages half full do
 * not matter. */
uint32_t row_page_max(const Budget *budget, uint32_t workers, uint32_t partitions);

/* What an operator's stores have in common. */
typedef struct RowSpace {
    Grant *grant;
    SpillSpace *spill;
    _Atomic uint64_t *spilled; /* plain bytes written, for EXPLAIN ANALYZE; may be NULL */
    CancelToken *cancel;
    /* a partition's first page, and what further ones grow up to; bytes */
    uint32_t page_first, page_max;
} RowSpace;

typedef struct RowStore {
    const RowLayout *layout;
    const RowSpace *space;
    uint32_t shift, npartitions; /* partition of a hash: (hash >> shift) & (npartitions - 1) */
    PageList *lists;
    RowCursor *cursors;
    uint32_t *next_bytes; /* size of each partition's next page */
    bool *may_null;       /* by column: some row may be NULL there */
    bool pressure;        /* the grant refused something since this was last cleared */
    RowSlab *slab;        /* pages are being cut from it; may be NULL */
    SpillFile *file;      /* NULL until something is written */
    uint8_t **heap;       /* scratch of append */
    uint32_t *heap_bytes;
    uint16_t *partition;
} RowStore;

/* The number of partitions, bits = log2, taken from the hash below `top`. bits 0: hashes are not
 * used. After a failure it is empty: it may be cleared, and rows may be taken from it. */
Status row_store_init(RowStore *self, const RowLayout *layout, const RowSpace *space, uint32_t top,
                      uint32_t bits, Error *err) WARN_UNUSED;
/* Frees all pages; the spill file stays open if its pages were moved away (row_store_take_file). */
void row_store_clear(RowStore *self);
/* The spill file now belongs to the caller (NULL if nothing was written); pages elsewhere refer
 * to it. */
SpillFile *row_store_take_file(RowStore *self);

/*
 * Appends `count` (<= BATCH_ROWS) rows: row i from position positions[i] of the columns; hashes[i]
 * is stored in front if the layout has front == ROW_HASH_BYTES and chooses the partition. rows[i]
 * becomes the address of the row; its tail is not written.
 */
Status row_store_append(RowStore *self, const FlatColumn *columns, const uint16_t *positions,
                        uint32_t count, const uint64_t *hashes, uint8_t **rows,
                        Error *err) WARN_UNUSED;
/* Copies whole rows (of the same layout, front and tail included). `hashes` as above, NULL with
 * one partition. */
Status row_store_copy(RowStore *self, uint8_t *const *from, uint32_t count, const uint64_t *hashes,
                      uint8_t **rows, Error *err) WARN_UNUSED;
/* Makes room for one row with `heap_bytes` outside in a partition. */
Status row_store_room(RowStore *self, uint32_t partition, uint64_t heap_bytes, uint8_t **row,
                      uint8_t **heap, Error *err) WARN_UNUSED;
/* Brings the page lists up to date with the cursors; before anybody reads them. Appending may go
 * on afterwards. */
void row_store_sync(RowStore *self);
/* Writes a partition's pages to disk and frees their memory. */
Status row_store_spill(RowStore *self, uint32_t partition, Error *err) WARN_UNUSED;
/* Moves a partition's pages to the end of a list; appending begins anew. */
Status row_store_take(RowStore *self, uint32_t partition, PageList *into, Error *err) WARN_UNUSED;
/* Likewise after the partition's pages were freed by somebody else. */
void row_store_restart(RowStore *self, uint32_t partition);
uint64_t row_store_memory(const RowStore *self); /* bytes of pages in memory */

static inline uint32_t row_store_partition(const RowStore *self, uint64_t hash) {
    return (uint32_t)(hash >> self->shift) & (self->npartitions - 1);
}

/* ---- pages and lists of them */

/* Appends the pages of `from`, which is empty afterwards. */
Status page_list_move(PageList *self, PageList *from, Error *err) WARN_UNUSED;
/* Frees pages and their memory; on disk, their space. */
void page_list_clear(PageList *self, const RowSpace *space);
/* Writes pages that are in memory to `file` and frees the memory. */
Status page_list_spill(PageList *self, const RowLayout *layout, const RowSpace *space,
                       SpillFile *file, Error *err) WARN_UNUSED;
/* Memory that loading the page takes. */
uint64_t page_bytes(const RowPage *page, const RowLayout *layout);
/* Reads a page from disk. force: beyond the grant if need be; else *loaded = false when the
 * grant refuses. */
Status page_load(RowPage *page, const RowLayout *layout, const RowSpace *space, bool force,
                 bool *loaded, Error *err) WARN_UNUSED;
/* Gives a loaded page's memory back; the page stays on disk. */
void page_unload(RowPage *page, const RowSpace *space);
static inline uint8_t *page_row(const RowPage *page, const RowLayout *layout, uint32_t i) {
    return page->data + (uint64_t)i * layout->width;
}
/* Addresses of up to BATCH_ROWS rows from row `from` on; returns how many. */
uint32_t page_rows(const RowPage *page, const RowLayout *layout, uint32_t from, uint8_t **rows);

/* Memory of the size of pages and tables: from the grant, or (force) beyond it. */
typedef struct Block {
    void *data;
    uint64_t bytes;
    bool mapped;
} Block;
/* data stays NULL when the grant refuses and force is false. Zeroed. */
Status block_new(Grant *grant, uint64_t bytes, bool force, Block *out, Error *err) WARN_UNUSED;
void block_free(Grant *grant, Block *block);

#endif
