/*
 * batch_builder.c - storage, recycling and hand-over of the batches that connectors build.
 *
 * A BatchStorage holds one batch: a slab with the fixed-width values, views and validity bitmaps of all
 * columns at 64-byte boundaries, a list of text blocks, memory of its own for each column below an array
 * or map, which grows by doubling, and the Arrow structs over all of them. The exported
 * struct array and each array below it hold one reference; the last one gone, the storage returns to its pool's
 * free list (a few are kept) or, once the builder is closed, is freed. The pool is counted too: by the
 * builder and by each storage that is out.
 *
 * Threads: the builder's functions on its owner's thread; releases on any (atomic counts, and the
 * pool's lock around the free list). Memory: everything from the host.
 */
#include "connectors/support/batch_builder.h"

#include <pthread.h>
#include <stdatomic.h>

#include "connectors/support/call.h"

enum { BLOCK_BYTES = 64 * 1024, ALIGNMENT = 64, STORAGES_KEPT = 4, BLOCKS_KEPT = 32 };
enum { CHILD_ROWS = 64, CHILD_ROWS_KEPT = 64 * 1024, NESTING_MOST = 60 };

struct BatchPool {
    const TribHost *host;
    _Atomic uint32_t refs;
    pthread_mutex_t lock; /* guards what follows */
    bool closed;
    uint32_t kept;
    BatchStorage *free_list;
};

/* Memory of a column that grows. */
typedef struct Grown {
    char *values;
    uint64_t *validity;
    uint32_t room;
} Grown;

struct BatchStorage {
    _Atomic uint32_t refs;
    BatchPool *pool;
    BatchStorage *next;
    uint32_t nnodes, ntext;
    Grown *grown;        /* per node */
    char *memory, *slab; /* as allocated, as aligned */
    char **blocks;
    int64_t *block_sizes;   /* as allocated */
    int64_t *block_lengths; /* as used: the last buffer of every text column */
    uint32_t nblocks, blocks_used, block_capacity;
    struct ArrowArray *children;
    struct ArrowArray **child_pointers;
    const void **fixed_buffers; /* two per column that is no text */
    const void **text_buffers;  /* ntext lists of block_capacity + 3 */
    const void *struct_buffers[1];
};

/* ---------------------------------------------------------------- layouts */

bool batch_layout(TribType type, BatchLayout *layout, uint32_t *width) {
    static const struct {
        uint8_t layout, width;
    } table[] = {
        [TRIB_TYPE_BOOLEAN] = {BATCH_BITS, 0},
        [TRIB_TYPE_TINYINT] = {BATCH_INT8, 1},
        [TRIB_TYPE_SMALLINT] = {BATCH_INT16, 2},
        [TRIB_TYPE_INTEGER] = {BATCH_INT32, 4},
        [TRIB_TYPE_BIGINT] = {BATCH_INT64, 8},
        [TRIB_TYPE_REAL] = {BATCH_FLOAT, 4},
        [TRIB_TYPE_DOUBLE] = {BATCH_DOUBLE, 8},
        [TRIB_TYPE_DECIMAL] = {BATCH_INT128, 16},
        [TRIB_TYPE_VARCHAR] = {BATCH_VIEW, 16},
        [TRIB_TYPE_CHAR] = {BATCH_VIEW, 16},
        [TRIB_TYPE_VARBINARY] = {BATCH_VIEW, 16},
        [TRIB_TYPE_DATE] = {BATCH_INT32, 4},
        [TRIB_TYPE_TIME] = {BATCH_INT64, 8},
        [TRIB_TYPE_TIMESTAMP] = {BATCH_INT64, 8},
        [TRIB_TYPE_TIMESTAMP_TZ] = {BATCH_FIXED16, 16},
        [TRIB_TYPE_INTERVAL_YM] = {BATCH_INT32, 4},
        [TRIB_TYPE_INTERVAL_DS] = {BATCH_INT64, 8},
        [TRIB_TYPE_UUID] = {BATCH_FIXED16, 16},
        [TRIB_TYPE_JSON] = {BATCH_VIEW, 16},
        [TRIB_TYPE_ARRAY] = {BATCH_LIST, 4},
        [TRIB_TYPE_MAP] = {BATCH_LIST, 4},
        [TRIB_TYPE_ROW] = {BATCH_ROW, 0},
    };
    if (type.id >= COUNT_OF(table) ||
        (table[type.id].width == 0 && table[type.id].layout == 0 && type.id != TRIB_TYPE_BOOLEAN))
        return false;
    *layout = (BatchLayout)table[type.id].layout;
    *width = table[type.id].width;
    if (type.id == TRIB_TYPE_DECIMAL && type.precision <= 18) *layout = BATCH_INT64, *width = 8;
    if (type.id == TRIB_TYPE_TIMESTAMP && type.precision > 6) *layout = BATCH_FIXED16, *width = 16;
    return true;
}

/* ---------------------------------------------------------------- storage and pool */

static void pool_unref(BatchPool *pool) {
    if (atomic_fetch_sub_explicit(&pool->refs, 1, memory_order_acq_rel) != 1) return;
    pthread_mutex_destroy(&pool->lock);
    host_free(pool->host, pool);
}

static void grown_free(const TribHost *host, Grown *grown) {
    host_free(host, grown->values);
    host_free(host, grown->validity);
    *grown = (Grown){0};
}

static void storage_destroy(const TribHost *host, BatchStorage *storage) {
    for (uint32_t i = 0; i < storage->nnodes; i++) grown_free(host, &storage->grown[i]);
    for (uint32_t i = 0; i < storage->nblocks; i++) host_free(host, storage->blocks[i]);
    host_free(host, storage->blocks);
    host_free(host, storage->block_sizes);
    host_free(host, storage->block_lengths);
    host_free(host, storage->text_buffers);
    host_free(host, storage->memory);
    host_free(host, storage);
}

/* Blocks made for one large value go; the first few of the usual size stay for the next batch. */
static void storage_trim(const TribHost *host, BatchStorage *storage) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < storage->nblocks; i++) {
        if (storage->block_sizes[i] != BLOCK_BYTES || kept >= BLOCKS_KEPT) {
            host_free(host, storage->blocks[i]);
            continue;
        }
        storage->blocks[kept] = storage->blocks[i];
        storage->block_sizes[kept++] = BLOCK_BYTES;
    }
    storage->nblocks = kept;
    storage->blocks_used = 0;
    for (uint32_t i = 0; i < storage->nnodes; i++) {
        if (storage->grown[i].room > CHILD_ROWS_KEPT) grown_free(host, &storage->grown[i]);
    }
}

static void storage_unref(BatchStorage *storage) {
    if (atomic_fetch_sub_explicit(&storage->refs, 1, memory_order_acq_rel) != 1) return;
    BatchPool *pool = storage->pool;
    storage_trim(pool->host, storage);
    pthread_mutex_lock(&pool->lock);
    bool keep = !pool->closed && pool->kept < STORAGES_KEPT;
    if (keep) {
        storage->next = pool->free_list;
        pool->free_list = storage;
        pool->kept++;
    }
    pthread_mutex_unlock(&pool->lock);
    if (!keep) storage_destroy(pool->host, storage);
    pool_unref(pool);
}

static size_t aligned(size_t bytes) {
    return (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

/* Moves one of the storage's arrays to `bytes` of room. */
static bool array_grow(const TribHost *host, void **array, size_t have, size_t bytes) {
    void *larger = host_alloc(host, bytes);
    if (!larger) return false;
    if (have) memcpy(larger, *array, have);
    host_free(host, *array);
    *array = larger;
    return true;
}

static bool blocks_grow(const TribHost *host, BatchStorage *storage) {
    uint32_t capacity = storage->block_capacity ? storage->block_capacity * 2 : 16;
    size_t have = storage->nblocks;
    size_t used = storage->blocks_used;
    if (!array_grow(host, (void **)&storage->blocks, have * sizeof(char *),
                    capacity * sizeof(char *)) ||
        !array_grow(host, (void **)&storage->block_sizes, have * sizeof(int64_t),
                    capacity * sizeof(int64_t)) ||
        !array_grow(host, (void **)&storage->block_lengths, used * sizeof(int64_t),
                    capacity * sizeof(int64_t)) ||
        !array_grow(host, (void **)&storage->text_buffers, 0,
                    ((size_t)capacity + 3) * storage->ntext * sizeof(void *))) {
        return false;
    }
    storage->block_capacity = capacity;
    return true;
}

/* One allocation for the struct and all arrays whose sizes never change. */
static BatchStorage *storage_new(const BatchBuilder *builder) {
    uint32_t n = builder->nnodes, ntext = 0;
    for (uint32_t i = 0; i < n; i++) ntext += builder->columns[i].layout == BATCH_VIEW;
    size_t bytes = aligned(sizeof(BatchStorage)) + n * sizeof(struct ArrowArray) +
                   n * sizeof(struct ArrowArray *) + (size_t)n * 2 * sizeof(void *) +
                   n * sizeof(Grown);
    BatchStorage *storage = host_alloc(builder->host, bytes);
    if (!storage) return NULL;
    memset(storage, 0, bytes);
    char *at = (char *)storage + aligned(sizeof *storage);
    storage->children = (struct ArrowArray *)(void *)at;
    storage->child_pointers = (struct ArrowArray **)(void *)(storage->children + n);
    storage->fixed_buffers = (const void **)(storage->child_pointers + n);
    storage->grown = (Grown *)(void *)(storage->fixed_buffers + 2 * (size_t)n);
    storage->nnodes = n;
    storage->ntext = ntext;
    storage->memory = host_alloc(builder->host, builder->slab_bytes + ALIGNMENT);
    if (!storage->memory) {
        host_free(builder->host, storage);
        return NULL;
    }
    storage->slab =
        (char *)(((uintptr_t)storage->memory + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1));
    /* A text column has its buffer of block lengths even where there is no block. */
    if (ntext && !blocks_grow(builder->host, storage)) {
        storage_destroy(builder->host, storage);
        return NULL;
    }
    return storage;
}

/* ---------------------------------------------------------------- the builder */

/* Columns that a type takes, its own included; 0: nested too deep, or a type that is not built. */
static uint64_t nodes_count(TribType type, uint32_t depth) {
    BatchLayout layout;
    uint32_t width;
    uint64_t nodes = 1 + (type.id == TRIB_TYPE_MAP);
    if (depth == NESTING_MOST || !batch_layout(type, &layout, &width)) return 0;
    if (layout < BATCH_LIST) return 1;
    for (uint32_t i = 0; type.fields && i < type.fields->count; i++) {
        uint64_t below = nodes_count(type.fields->field[i].type, depth + 1);
        if (!below) return 0;
        nodes += below;
    }
    return type.fields ? nodes : 0;
}

/* Lays out the column at `index`, and its children from *next on. */
static void node_fill(BatchBuilder *self, uint32_t index, uint32_t *next) {
    BatchColumn *column = &self->columns[index];
    (void)batch_layout(column->type, &column->layout, &column->width);
    if (!column->grows) self->row_width += column->width ? column->width : 1;
    if (column->layout < BATCH_LIST) return;
    const TribTypeFields *fields = column->type.fields;
    bool map = column->type.id == TRIB_TYPE_MAP;
    column->children = self->columns + *next;
    column->nchildren = map ? 1 : fields->count;
    *next += column->nchildren;
    for (uint32_t i = 0; i < column->nchildren; i++) {
        column->children[i].type = map ? (TribType) {
            .id = TRIB_TYPE_ROW
            , .fields = fields
        } : fields->field[i].type;
        column->children[i].grows = column->grows || column->layout == BATCH_LIST;
    }
}

static size_t values_bytes(const BatchColumn *column, size_t rows) {
    if (column->layout == BATCH_BITS) return (rows + 7) / 8;
    return column->width * (rows + (column->layout == BATCH_LIST));
}

/* What is nested lies behind the columns, level by level, so that siblings are neighbours. */
static Status builder_columns(BatchBuilder *self, const TribType *types, Error *err) {
    uint64_t nodes = 0;
    for (uint32_t i = 0; i < self->ncolumns; i++) {
        uint64_t more = nodes_count(types[i], 0);
        if (!more)
            return error_set(err, ERR_UNSUPPORTED, "a column of type id %u cannot be built here",
                             types[i].id);
        nodes += more;
    }
    if (nodes > UINT32_MAX / 2) return error_set(err, ERR_LIMIT, "the columns are too many");
    self->nnodes = (uint32_t)nodes;
    TRY_ALLOC(self->columns, ARENA_ARRAY(self->arena, BatchColumn, nodes), err);
    TRY_ALLOC(self->offsets, ARENA_ARRAY(self->arena, size_t, nodes * 2), err);
    uint32_t next = self->ncolumns;
    for (uint32_t i = 0; i < self->ncolumns; i++) self->columns[i].type = types[i];
    for (uint32_t i = 0; i < self->nnodes; i++) node_fill(self, i, &next);
    uint64_t fit = self->row_width ? self->max_bytes / self->row_width : self->max_rows;
    if (fit < self->max_rows) self->max_rows = fit ? (uint32_t)fit : 1;
    for (uint32_t i = 0; i < self->nnodes; i++) {
        if (self->columns[i].grows) continue;
        self->offsets[2 * i] = self->slab_bytes;
        self->slab_bytes += aligned(values_bytes(&self->columns[i], self->max_rows));
        self->offsets[2 * i + 1] = self->slab_bytes;
        self->slab_bytes += aligned(bitmap_words(self->max_rows) * sizeof(uint64_t));
    }
    return TRIB_OK;
}

static BatchPool *batch_pool_new(const TribHost *host) {
    BatchPool *pool = host_alloc(host, sizeof *pool);
    if (!pool) return NULL;
    memset(pool, 0, sizeof *pool);
    pool->host = host;
    atomic_init(&pool->refs, 1);
    pthread_mutex_init(&pool->lock, NULL);
    return pool;
}

Status batch_builder_new(const TribHost *host, const TribType *types, uint32_t ncolumns,
                         uint32_t max_rows, uint64_t max_bytes, BatchBuilder **out, Error *err) {
    BatchBuilder *self;
    Arena *arena;
    *out = NULL;
    TRY_ALLOC(arena, arena_new(NULL), err);
    self = ARENA_NEW(arena, BatchBuilder);
    if (self) {
        self->arena = arena;
        self->host = host;
        self->ncolumns = ncolumns;
        self->max_rows = max_rows ? max_rows : 2048;
        self->max_bytes = max_bytes ? max_bytes : 1024 * 1024;
        self->block_index = -1;
        self->pool = batch_pool_new(host);
    }
    if (!self || !self->pool) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    Status status = builder_columns(self, types, err);
    if (status != TRIB_OK) {
        batch_builder_free(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

static void batch_abandon(BatchBuilder *self) {
    if (!self->storage) return;
    storage_unref(self->storage);
    self->storage = NULL;
}

void batch_builder_free(BatchBuilder *self) {
    if (!self) return;
    batch_abandon(self);
    BatchPool *pool = self->pool;
    pthread_mutex_lock(&pool->lock);
    pool->closed = true;
    BatchStorage *list = pool->free_list;
    pool->free_list = NULL;
    pthread_mutex_unlock(&pool->lock);
    while (list) {
        BatchStorage *next = list->next;
        storage_destroy(pool->host, list);
        list = next;
    }
    pool_unref(pool);
    arena_free(self->arena);
}

/* ---------------------------------------------------------------- nested columns */

static Status child_grow(BatchBuilder *self, BatchColumn *column, Error *err) {
    const TribHost *host = self->host;
    Grown *grown = &self->storage->grown[column - self->columns];
    uint32_t room = grown->room ? grown->room * 2 : CHILD_ROWS;
    size_t have = bitmap_words(grown->room) * sizeof(uint64_t);
    size_t words = bitmap_words(room) * sizeof(uint64_t), values = values_bytes(column, room);
    if (grown->room > INT32_MAX / 2)
        return error_set(err, ERR_LIMIT, "the arrays of a batch have more than %d values",
                         INT32_MAX / 2);
    if (!array_grow(host, (void **)&grown->validity, have, words) ||
        (values && !array_grow(host, (void **)&grown->values,
                               grown->room ? values_bytes(column, grown->room) : 0, values)))
        return error_out_of_memory(err);
    memset((char *)grown->validity + have, 0xff, words - have);
    grown->room = column->room = room;
    column->values = grown->values;
    column->validity = grown->validity;
    return TRIB_OK;
}

static Status child_begin(BatchBuilder *self, BatchColumn *column, Error *err) {
    const Grown *grown = &self->storage->grown[column - self->columns];
    column->rows = 0;
    if (!grown->room) return child_grow(self, column, err);
    column->room = grown->room;
    column->values = grown->values;
    column->validity = grown->validity;
    memset(column->validity, 0xff, bitmap_words(column->room) * sizeof(uint64_t));
    return TRIB_OK;
}

Status batch_child_add(BatchBuilder *self, BatchColumn *column, uint32_t *row, Error *err) {
    if (column->rows == column->room) TRY(child_grow(self, column, err));
    *row = column->rows++;
    self->text_bytes += column->width ? column->width : 1;
    if (column->layout != BATCH_ROW) return TRIB_OK;
    for (uint32_t i = 0; i < column->nchildren; i++) {
        uint32_t same;
        TRY(batch_child_add(self, &column->children[i], &same, err));
    }
    return TRIB_OK;
}

void batch_null_deep(BatchColumn *column, uint32_t row) {
    if (column->layout != BATCH_LIST) batch_set_null(column, row);
    if (column->layout == BATCH_LIST) {
        bitmap_unset(column->validity, row);
        column->nulls++;
        batch_list_end(column, row);
    }
    if (column->layout != BATCH_ROW) return;
    for (uint32_t i = 0; i < column->nchildren; i++) batch_null_deep(&column->children[i], row);
}

/* ---------------------------------------------------------------- batches */

Status batch_begin(BatchBuilder *self, Error *err) {
    BatchPool *pool = self->pool;
    batch_abandon(self);
    pthread_mutex_lock(&pool->lock);
    BatchStorage *storage = pool->free_list;
    if (storage) {
        pool->free_list = storage->next;
        pool->kept--;
    }
    pthread_mutex_unlock(&pool->lock);
    if (!storage) {
        TRY_ALLOC(storage, storage_new(self), err);
        storage->pool = pool;
    }
    atomic_fetch_add_explicit(&pool->refs, 1, memory_order_relaxed);
    atomic_store_explicit(&storage->refs, 1, memory_order_relaxed);
    self->storage = storage;
    self->rows = 0;
    self->text_bytes = 0;
    self->block = NULL;
    self->block_used = self->block_size = 0;
    self->block_index = -1;
    for (uint32_t i = 0; i < self->nnodes; i++) {
        BatchColumn *column = &self->columns[i];
        column->nulls = 0;
        if (column->grows) {
            TRY(child_begin(self, column, err));
        } else {
            column->values = storage->slab + self->offsets[2 * i];
            column->validity = (uint64_t *)(void *)(storage->slab + self->offsets[2 * i + 1]);
            memset(column->validity, 0xff, bitmap_words(self->max_rows) * sizeof(uint64_t));
        }
        if (column->layout == BATCH_LIST) memset(column->values, 0, sizeof(int32_t));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- text blocks */

/* The unused block at or after blocks_used that is large enough moves to blocks_used, or a new one does. */
static bool block_find(const TribHost *host, BatchStorage *storage, size_t length) {
    uint32_t at = storage->blocks_used;
    if (at < storage->nblocks && (size_t)storage->block_sizes[at] >= length) return true;
    if (storage->nblocks == storage->block_capacity && !blocks_grow(host, storage)) return false;
    int64_t size = length > BLOCK_BYTES ? (int64_t)length : BLOCK_BYTES;
    char *block = host_alloc(host, (size_t)size);
    if (!block) return false;
    /* The place at blocks_used is needed: what stands there moves to the end. */
    storage->blocks[storage->nblocks] = storage->blocks[at];
    storage->block_sizes[storage->nblocks] = storage->block_sizes[at];
    storage->nblocks++;
    storage->blocks[at] = block;
    storage->block_sizes[at] = size;
    return true;
}

char *batch_text_block(BatchBuilder *self, size_t length, Error *err) {
    BatchStorage *storage = self->storage;
    if (length > INT32_MAX) {
        error_set(err, ERR_LIMIT, "a value of %zu bytes is too large: the most is %d", length,
                  INT32_MAX);
        return NULL;
    }
    if (self->block_index >= 0) storage->block_lengths[self->block_index] = self->block_used;
    if (!block_find(self->host, storage, length)) {
        error_out_of_memory(err);
        return NULL;
    }
    self->block_index = (int32_t)storage->blocks_used++;
    self->block = storage->blocks[self->block_index];
    self->block_size = (uint32_t)storage->block_sizes[self->block_index];
    self->block_used = 0;
    return self->block;
}

char *batch_text_room(BatchBuilder *self, BatchColumn *column, uint32_t row, size_t length,
                      Error *err) {
    BatchView *view = (BatchView *)column->values + row;
    memset(view, 0, sizeof *view);
    if (length <= 12) {
        view->length = (int32_t)length;
        return view->as.inlined;
    }
    char *place;
    if (length <= self->block_size - self->block_used)
        place = self->block + self->block_used;
    else
        place = batch_text_block(self, length, err);
    if (!place) return NULL;
    view->length = (int32_t)length;
    view->as.far.block = self->block_index;
    view->as.far.offset = (int32_t)(place - self->block);
    self->block_used += (uint32_t)length;
    self->text_bytes += length;
    return place;
}

void batch_text_done(BatchColumn *column, uint32_t row, const char *room) {
    BatchView *view = (BatchView *)column->values + row;
    if (view->length > 12) memcpy(view->as.far.prefix, room, 4);
}

/* ---------------------------------------------------------------- hand-over */

static void batch_release(struct ArrowArray *array) {
    BatchStorage *storage = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release) array->children[i]->release(array->children[i]);
    }
    array->release = NULL;
    storage_unref(storage);
}

static void child_fill(BatchBuilder *self, uint32_t index, uint32_t *text_index) {
    BatchStorage *storage = self->storage;
    BatchColumn *column = &self->columns[index];
    struct ArrowArray *child = &storage->children[index];
    const void **buffers = storage->fixed_buffers + 2 * (size_t)index;
    int64_t nbuffers = 2;
    if (column->layout == BATCH_VIEW) {
        buffers = storage->text_buffers + (size_t)(*text_index)++ * (storage->block_capacity + 3);
        for (uint32_t i = 0; i < storage->blocks_used; i++)
            buffers[nbuffers++] = storage->blocks[i];
        buffers[nbuffers++] = storage->block_lengths;
    }
    buffers[0] = column->nulls ? column->validity : NULL;
    buffers[1] = column->values;
    if (column->layout == BATCH_ROW) nbuffers = 1;
    *child = (struct ArrowArray){.length = column->grows ? column->rows : self->rows,
                                 .null_count = column->nulls,
                                 .n_buffers = nbuffers,
                                 .n_children = column->nchildren,
                                 .buffers = buffers,
                                 .release = batch_release,
                                 .private_data = storage};
    if (column->nchildren)
        child->children = storage->child_pointers + (column->children - self->columns);
    storage->child_pointers[index] = child;
}

void batch_finish(BatchBuilder *self, TribBatch *out) {
    BatchStorage *storage = self->storage;
    uint32_t text_index = 0;
    if (self->block_index >= 0) storage->block_lengths[self->block_index] = self->block_used;
    for (uint32_t i = 0; i < self->nnodes; i++) child_fill(self, i, &text_index);
    atomic_store_explicit(&storage->refs, self->nnodes + 1, memory_order_release);
    storage->struct_buffers[0] = NULL;
    memset(out, 0, sizeof *out);
    out->array = (struct ArrowArray){.length = self->rows,
                                     .n_buffers = 1,
                                     .n_children = self->ncolumns,
                                     .buffers = storage->struct_buffers,
                                     .children = storage->child_pointers,
                                     .release = batch_release,
                                     .private_data = storage};
    self->storage = NULL;
    self->block = NULL;
    self->block_used = self->block_size = 0;
    self->rows = 0;
}

/* ---------------------------------------------------------------- values */

void batch_set_timestamp_ns(BatchColumn *column, uint32_t row, int64_t us, int32_t ns) {
    char *place = (char *)column->values + (size_t)row * 16;
    memcpy(place, &us, 8);
    memcpy(place + 8, &ns, 4);
    memset(place + 12, 0, 4);
}

void batch_set_timestamp_zone(BatchColumn *column, uint32_t row, int64_t utc_us, int16_t zone,
                              int16_t ns) {
    char *place = (char *)column->values + (size_t)row * 16;
    memcpy(place, &utc_us, 8);
    memcpy(place + 8, &zone, 2);
    memcpy(place + 10, &ns, 2);
    memset(place + 12, 0, 4);
}

static void value_fixed16(BatchColumn *column, uint32_t row, const TribValue *value) {
    if (column->type.id == TRIB_TYPE_UUID) {
        batch_set_fixed16(column, row, value->as.text.data);
    } else if (column->type.id == TRIB_TYPE_TIMESTAMP_TZ) {
        batch_set_timestamp_zone(column, row, value->as.instant.us, value->as.instant.zone,
                                 (int16_t)value->as.instant.ns);
    } else {
        batch_set_timestamp_ns(column, row, value->as.instant.us, value->as.instant.ns);
    }
}

Status batch_value(BatchBuilder *self, uint32_t column_index, uint32_t row, const TribValue *value,
                   Error *err) {
    BatchColumn *column = &self->columns[column_index];
    if (value->is_null) {
        batch_set_null(column, row);
        return TRIB_OK;
    }
    switch (column->layout) {
    case BATCH_BITS: batch_set_bool(column, row, value->as.integer != 0); return TRIB_OK;
    case BATCH_INT8: batch_set_int8(column, row, (int8_t)value->as.integer); return TRIB_OK;
    case BATCH_INT16: batch_set_int16(column, row, (int16_t)value->as.integer); return TRIB_OK;
    case BATCH_INT32: batch_set_int32(column, row, (int32_t)value->as.integer); return TRIB_OK;
    case BATCH_INT64: batch_set_int64(column, row, value->as.integer); return TRIB_OK;
    case BATCH_INT128: batch_set_int128(column, row, value->as.wide); return TRIB_OK;
    case BATCH_FLOAT: batch_set_float(column, row, (float)value->as.real); return TRIB_OK;
    case BATCH_DOUBLE: batch_set_double(column, row, value->as.real); return TRIB_OK;
    case BATCH_FIXED16: value_fixed16(column, row, value); return TRIB_OK;
    case BATCH_VIEW:
        return batch_text(self, column, row, value->as.text.data, value->as.text.length, err);
    case BATCH_LIST:
    case BATCH_ROW: break;
    }
    return error_set(err, ERR_GENERAL, "a nested value has no single place");
}
