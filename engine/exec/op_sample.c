/*
 * op_sample.c - TABLESAMPLE: a share of the rows, chosen at random.
 *
 * Role: transform, parallel, no memory, keeps order. BERNOULLI draws for each row, SYSTEM once for each
 * batch as the source gave it: all of its rows or none. Each worker draws from a stream of its own
 * (splitmix64), seeded by the statement's seed and a running number. 100 percent is everything, 0 nothing.
 */
#include <math.h>
#include <stdatomic.h>

#include "engine/exec/operator.h"

typedef struct SampleShared {
    _Atomic uint64_t streams;
} SampleShared;

typedef struct SampleLocal {
    uint64_t state;
    uint64_t below; /* a draw of 53 bits below this takes the row */
} SampleLocal;

static Status sample_local_open(OpContext *context, Error *err) {
    SampleShared *shared = context->shared;
    SampleLocal *self = context->local;
    uint64_t stream = atomic_fetch_add(&shared->streams, 1) + 1;
    stream += (uint64_t)context->node->id << 32;
    self->state = context->query->session->random_seed ^ (stream * UINT64_C(0xd1342543de82ef95));
    self->below = (uint64_t)ceil(context->node->as.sample.percent / 100 * 0x1p53);
    return TRIB_OK;
}

static bool sample_draw(SampleLocal *self) {
    uint64_t z = (self->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return ((z ^ (z >> 31)) >> 11) < self->below;
}

static Status sample_process(OpContext *context, Batch *in, Batch *out, Step *step, Error *err) {
    SampleLocal *self = context->local;
    *step = STEP_NEED_INPUT;
    bool system = context->node->as.sample.system;
    if (system && !sample_draw(self)) return TRIB_OK;
    TRY(batch_columns(out, in->ncolumns, err));
    if (in->ncolumns) memcpy(out->columns, in->columns, in->ncolumns * sizeof *in->columns);
    out->count = in->count;
    out->selection = in->selection;
    out->selected = in->selected;
    if (!system) {
        uint16_t *selection;
        uint32_t n = 0;
        TRY_ALLOC(selection, ARENA_ARRAY(out->arena, uint16_t, in->selected), err);
        for (uint32_t i = 0; i < in->selected; i++) {
            selection[n] = (uint16_t)batch_row(in, i);
            n += sample_draw(self);
        }
        out->selection = selection;
        out->selected = n;
    }
    if (out->selected > 0) *step = STEP_LAST_OUTPUT;
    return TRIB_OK;
}

const Operator op_sample = {
    .name = "sample",
    .shared_size = sizeof(SampleShared),
    .local_size = sizeof(SampleLocal),
    .local_open = sample_local_open,
    .process = sample_process,
};
