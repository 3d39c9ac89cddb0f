/*
 * arrow_export.c - the selected rows of a batch in the canonical layout of the ABI.
 *
 * Fixed-width columns that are flat and wholly selected are handed over where they lie; everything
 * else is gathered into an arena that the array owns. Text is copied into blocks of less than 2 GiB,
 * because the layout counts offsets in 32 bits.
 */
#include "engine/source/internal.h"

#define MAX_DEPTH 64
#define MAX_BLOCK ((uint64_t)INT32_MAX)

typedef struct Export {
    Arena *arena;
    Error *err;
} Export;

/* An Arrow view of text that lies in a block. */
typedef struct ForeignView {
    int32_t length;
    char prefix[4];
    int32_t block;
    int32_t offset;
} ForeignView;

static void child_release(struct ArrowArray *array) {
    array->release = NULL; /* the memory goes with the batch */
}

static void batch_release(struct ArrowArray *array) {
    Arena *arena = array->private_data;
    array->release = NULL;
    arena_free(arena);
}

static Status buffers_new(Export *self, uint32_t count, struct ArrowArray *out) {
    const void **buffers;
    TRY_ALLOC(buffers, ARENA_ARRAY(self->arena, const void *, count), self->err);
    out->buffers = buffers;
    out->n_buffers = count;
    return TRIB_OK;
}

static Status export_column(Export *self, const Vector *vector, const uint32_t *rows,
                            uint32_t count, uint32_t depth, struct ArrowArray *out);

/* ---------------------------------------------------------------- gathering */

static Status validity_export(Export *self, const Vector *vector, const uint32_t *rows,
                              uint32_t count, struct ArrowArray *out) {
    out->null_count = 0;
    if (!vector->validity) return TRIB_OK;
    uint64_t *bits;
    TRY_ALLOC(bits, ARENA_ARRAY(self->arena, uint64_t, bitmap_words(count)), self->err);
    uint32_t valid = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!bitmap_get(vector->validity, rows ? rows[i] : i)) continue;
        bitmap_set(bits, i);
        valid++;
    }
    out->null_count = count - valid;
    if (valid < count) out->buffers[0] = bits;
    return TRIB_OK;
}

static Status bools_export(Export *self, const Vector *vector, const uint32_t *rows, uint32_t count,
                           struct ArrowArray *out) {
    const uint8_t *values = vector->data;
    uint64_t *bits;
    TRY_ALLOC(bits, ARENA_ARRAY(self->arena, uint64_t, bitmap_words(count)), self->err);
    for (uint32_t i = 0; i < count; i++) {
        if (values[rows ? rows[i] : i]) bitmap_set(bits, i);
    }
    out->buffers[1] = bits;
    return TRIB_OK;
}

#define GATHER(type)                                                \
    do {                                                            \
        const type *from = vector->data;                            \
        type *to = values;                                          \
        for (uint32_t i = 0; i < count; i++) to[i] = from[rows[i]]; \
    } while (0)

typedef struct Wide {
    uint64_t half[2];
} Wide;

static Status fixed_export(Export *self, const Vector *vector, const uint32_t *rows, uint32_t count,
                           struct ArrowArray *out) {
    size_t width = physical_size((PhysicalType)vector->physical);
    if (!rows) {
        out->buffers[1] = vector->data;
        return TRIB_OK;
    }
    void *values;
    TRY_ALLOC(values, arena_alloc(self->arena, count * width), self->err);
    switch (width) {
    case 1: GATHER(uint8_t); break;
    case 2: GATHER(uint16_t); break;
    case 4: GATHER(uint32_t); break;
    case 8: GATHER(uint64_t); break;
    default: GATHER(Wide); break;
    }
    out->buffers[1] = values;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- text */

typedef struct TextBlock {
    char *data;
    int64_t size;
} TextBlock;

/* Cuts the long values into blocks: how many, and how large each is. */
static Status blocks_plan(Export *self, const Vector *vector, const uint32_t *rows, uint32_t count,
                          uint32_t *nblocks, TextBlock **blocks) {
    const StrView *views = vector->data;
    uint32_t made = 0, room = 0;
    uint64_t size = 0;
    TextBlock *list = NULL;
    for (uint32_t i = 0; i <= count; i++) {
        uint32_t row = i == count ? 0 : rows ? rows[i] : i, length = 0;
        if (i < count && (!vector->validity || bitmap_get(vector->validity, row)))
            length = views[row].len;
        if (length <= STRVIEW_INLINE && i < count) continue;
        if (length > MAX_BLOCK)
            return error_set(self->err, ERR_LIMIT, "a value is longer than 2 GiB");
        if (size > 0 && (i == count || size + length > MAX_BLOCK)) {
            if (made == room) {
                TextBlock *grown;
                TRY_ALLOC(grown, ARENA_ARRAY(self->arena, TextBlock, room ? room * 2 : 2),
                          self->err);
                if (made) memcpy(grown, list, made * sizeof *list);
                list = grown;
                room = room ? room * 2 : 2;
            }
            TRY_ALLOC(list[made].data, arena_alloc(self->arena, size), self->err);
            list[made++].size = (int64_t)size;
            size = 0;
        }
        size += length;
    }
    *nblocks = made;
    *blocks = list;
    return TRIB_OK;
}

static Status text_export(Export *self, const Vector *vector, const uint32_t *rows, uint32_t count,
                          struct ArrowArray *out) {
    uint32_t nblocks = 0;
    TextBlock *blocks = NULL;
    TRY(blocks_plan(self, vector, rows, count, &nblocks, &blocks));
    const void *validity = out->buffers[0];
    int64_t *sizes;
    ForeignView *to;
    TRY(buffers_new(self, 3 + nblocks, out));
    TRY_ALLOC(sizes, ARENA_ARRAY(self->arena, int64_t, nblocks + 1), self->err);
    TRY_ALLOC(to, ARENA_ARRAY(self->arena, ForeignView, count), self->err);
    out->buffers[0] = validity;
    out->buffers[1] = to;
    for (uint32_t i = 0; i < nblocks; i++) {
        out->buffers[2 + i] = blocks[i].data;
        sizes[i] = blocks[i].size;
    }
    out->buffers[2 + nblocks] = sizes;
    const StrView *from = vector->data;
    int32_t block = 0;
    int64_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = rows ? rows[i] : i;
        if (vector->validity && !bitmap_get(vector->validity, row)) continue; /* zeroed */
        memcpy(&to[i], &from[row], sizeof to[i]);
        if (from[row].len <= STRVIEW_INLINE) continue;
        if (used + from[row].len > blocks[block].size) {
            block++;
            used = 0;
        }
        memcpy(blocks[block].data + used, from[row].ptr, from[row].len);
        to[i].block = block;
        to[i].offset = (int32_t)used;
        used += from[row].len;
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- nested */

static Status children_new(Export *self, uint32_t count, struct ArrowArray *out) {
    TRY_ALLOC(out->children, ARENA_ARRAY(self->arena, struct ArrowArray *, count), self->err);
    for (uint32_t i = 0; i < count; i++)
        TRY_ALLOC(out->children[i], ARENA_NEW(self->arena, struct ArrowArray), self->err);
    out->n_children = count;
    return TRIB_OK;
}

static Status row_export(Export *self, const Vector *vector, const uint32_t *rows, uint32_t count,
                         uint32_t depth, struct ArrowArray *out) {
    TRY(children_new(self, vector->nchildren, out));
    for (uint32_t i = 0; i < vector->nchildren; i++)
        TRY(export_column(self, &vector->children[i], rows, count, depth + 1, out->children[i]));
    return TRIB_OK;
}

/* The elements of the lists in their new order, as rows of the child. */
static Status elements_of(Export *self, const Vector *vector, const uint32_t *rows, uint32_t count,
                          int32_t *offsets, uint32_t **elements) {
    const ListEntry *entries = vector->data;
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = rows ? rows[i] : i;
        bool valid = !vector->validity || bitmap_get(vector->validity, row);
        if (valid) total += entries[row].length;
        if (total > INT32_MAX)
            return error_set(self->err, ERR_LIMIT, "the lists of a batch have too many elements");
        offsets[i + 1] = (int32_t)total;
    }
    uint32_t *list, at = 0;
    TRY_ALLOC(list, ARENA_ARRAY(self->arena, uint32_t, total), self->err);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = rows ? rows[i] : i;
        for (uint32_t k = 0, n = (uint32_t)(offsets[i + 1] - offsets[i]); k < n; k++)
            list[at++] = entries[row].offset + k;
    }
    *elements = list;
    return TRIB_OK;
}

static Status list_export(Export *self, const Vector *vector, const uint32_t *rows, uint32_t count,
                          uint32_t depth, struct ArrowArray *out) {
    int32_t *offsets;
    uint32_t *elements = NULL;
    TRY_ALLOC(offsets, ARENA_ARRAY(self->arena, int32_t, (size_t)count + 1), self->err);
    TRY(elements_of(self, vector, rows, count, offsets, &elements));
    uint32_t total = (uint32_t)offsets[count];
    out->buffers[1] = offsets;
    TRY(children_new(self, 1, out));
    if (vector->type.id == TRIB_TYPE_ARRAY)
        return export_column(self, &vector->children[0], elements, total, depth + 1,
                             out->children[0]);
    struct ArrowArray *pairs = out->children[0];
    pairs->length = total;
    pairs->release = child_release;
    TRY(buffers_new(self, 1, pairs));
    TRY(children_new(self, vector->nchildren, pairs));
    for (uint32_t i = 0; i < vector->nchildren; i++)
        TRY(export_column(self, &vector->children[i], elements, total, depth + 1,
                          pairs->children[i]));
    return TRIB_OK;
}

/* ---------------------------------------------------------------- columns */

/* Constants and dictionaries become flat over the positions that are needed. */
static Status flatten(Export *self, const Vector *vector, const uint32_t *rows, uint32_t count,
                      Vector *flat, const uint32_t **flat_rows) {
    uint32_t *all = NULL;
    if (!rows) {
        TRY_ALLOC(all, ARENA_ARRAY(self->arena, uint32_t, count), self->err);
        for (uint32_t i = 0; i < count; i++) all[i] = i;
    }
    *flat_rows = NULL;
    Vector gathered;
    TRY(vector_gather(self->arena, vector, rows ? rows : all, count, &gathered, self->err));
    if (gathered.form == VECTOR_FLAT) {
        *flat = gathered;
        return TRIB_OK;
    }
    return vector_flatten(self->arena, &gathered, NULL, count, count, flat, self->err);
}

static Status export_column(Export *self, const Vector *vector, const uint32_t *rows,
                            uint32_t count, uint32_t depth, struct ArrowArray *out) {
    Vector flat;
    if (depth > MAX_DEPTH)
        return error_set(self->err, ERR_LIMIT, "a type is nested more than %d levels deep",
                         MAX_DEPTH);
    if (vector->form != VECTOR_FLAT) {
        TRY(flatten(self, vector, rows, count, &flat, &rows));
        vector = &flat;
    }
    out->length = count;
    out->release = child_release;
    TRY(buffers_new(self, vector->physical == PHYS_ROW ? 1 : 2, out));
    TRY(validity_export(self, vector, rows, count, out));
    switch (vector->physical) {
    case PHYS_BOOL: return bools_export(self, vector, rows, count, out);
    case PHYS_STRING: return text_export(self, vector, rows, count, out);
    case PHYS_LIST: return list_export(self, vector, rows, count, depth, out);
    case PHYS_ROW: return row_export(self, vector, rows, count, depth, out);
    default: return fixed_export(self, vector, rows, count, out);
    }
}

static Status batch_export(Export *self, const Batch *batch, TribBatch *out) {
    uint32_t *rows = NULL;
    if (batch->selection) {
        TRY_ALLOC(rows, ARENA_ARRAY(self->arena, uint32_t, batch->selected), self->err);
        for (uint32_t i = 0; i < batch->selected; i++) rows[i] = batch->selection[i];
    }
    out->array.length = batch->selected;
    TRY(buffers_new(self, 1, &out->array));
    TRY(children_new(self, batch->ncolumns, &out->array));
    for (uint32_t i = 0; i < batch->ncolumns; i++)
        TRY(export_column(self, &batch->columns[i], rows, batch->selected, 0,
                          out->array.children[i]));
    return TRIB_OK;
}

Status arrow_export(const Batch *batch, TribBatch *out, Error *err) {
    Export self = {.err = err};
    memset(out, 0, sizeof *out);
    TRY_ALLOC(self.arena, arena_new(NULL), err);
    Status status = batch_export(&self, batch, out);
    if (status != TRIB_OK) {
        arena_free(self.arena);
        memset(out, 0, sizeof *out);
        return status;
    }
    out->selected = batch->selected;
    out->array.release = batch_release;
    out->array.private_data = self.arena;
    return TRIB_OK;
}
