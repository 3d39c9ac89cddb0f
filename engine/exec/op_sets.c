/*
 * op_sets.c - a row per set of parameters: what an INSERT with an array stores.
 *
 * Role: source, one worker (keeps the order of the sets). Nothing is copied: the columns of a batch are
 * runs of the caller's columns, which live until the execution has ended. Only a run's validity is, where
 * it does not begin with a word of the bitmap.
 */
#include "engine/exec/operator.h"

typedef struct SetsLocal {
    uint32_t next;
} SetsLocal;

/* `count` bits from `first` on. */
static Status bits_shift(Arena *arena, const uint64_t *bits, uint32_t first, uint32_t count,
                         uint64_t **out, Error *err) {
    size_t words = bitmap_words(count), end = bitmap_words((size_t)first + count);
    uint32_t by = first & 63;
    TRY_ALLOC(*out, ARENA_ARRAY(arena, uint64_t, words), err);
    for (size_t i = 0, at = first >> 6; i < words; i++, at++) {
        (*out)[i] = bits[at] >> by;
        if (by && at + 1 < end) (*out)[i] |= bits[at + 1] << (64 - by);
    }
    return TRIB_OK;
}

static Status column_run(Arena *arena, const ParameterColumn *column, uint32_t first,
                         uint32_t count, Vector *out, Error *err) {
    union {
        const char *constant;
        void *data;
    } place = {.constant = column->data};
    PhysicalType physical = type_physical(column->type);
    *out = (Vector){.type = column->type, .physical = (uint8_t)physical, .form = VECTOR_FLAT};
    place.constant += (size_t)first * physical_size(physical);
    out->data = place.data;
    if (!column->validity) return TRIB_OK;
    return bits_shift(arena, column->validity, first, count, &out->validity, err);
}

static Status sets_produce(OpContext *context, Batch *out, Step *step, Error *err) {
    SetsLocal *self = context->local;
    const ParameterSets *sets = context->node->as.sets;
    uint32_t count = sets->count - self->next;
    if (count == 0) {
        *step = STEP_FINISHED;
        return TRIB_OK;
    }
    if (count > context->query->batch_rows) count = context->query->batch_rows;
    TRY(batch_columns(out, context->node->ncolumns, err));
    for (uint32_t c = 0; c < context->node->ncolumns; c++)
        TRY(column_run(out->arena, &sets->columns[c], sets->first + self->next, count,
                       &out->columns[c], err));
    out->count = out->selected = count;
    self->next += count;
    *step = STEP_HAVE_OUTPUT;
    return TRIB_OK;
}

const Operator op_sets = {
    .name = "sets",
    .local_size = sizeof(SetsLocal),
    .produce = sets_produce,
    .source_ordered = true,
};
