/*
 * array_compare.c - array_sort() with a comparing lambda.
 *
 * A merge sort from the bottom in which all merges of one width, of all rows of the batch, go on side by
 * side: each round takes one comparison of every merge that still needs one and hands them to the lambda
 * together. Rounds are thus as many as the longest merges have steps, not as many as comparisons.
 */
#include <inttypes.h>

#include "engine/functions/lambda_batch.h"

/* One merge of neighbouring runs of a row. */
typedef struct Merge {
    uint32_t row;
    uint32_t a, middle, b, end; /* in `from` */
    uint32_t at;                /* in `to` */
} Merge;

typedef struct Sorting {
    KernelCall *call;
    Arena *work;
    uint32_t *from, *to; /* positions of elements, of all rows */
    uint32_t count;
    Merge *merges;
    uint32_t nmerges;
    uint32_t *rows, *left, *right;
    uint8_t *errors;
} Sorting;

/* The lambda's -1, 0 or 1 for comparison i; what it should not have said makes the row raise. */
static bool goes_left(Sorting *self, const Vector *result, uint32_t i, uint32_t row) {
    KernelCall *call = self->call;
    if (call->errors[row] != 0) return true;
    if (self->errors[i] != 0) {
        call->errors[row] = self->errors[i];
        return true;
    }
    if (vector_is_null(result, i)) {
        KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                    "the comparing lambda must give -1, 0 or 1, not NULL");
        return true;
    }
    int64_t said = *(const int64_t *)vector_at(result, i);
    if (said < -1 || said > 1) {
        KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                    "the comparing lambda must give -1, 0 or 1, not %" PRId64, said);
    }
    return said <= 0;
}

/* Takes what needs no comparison; false when the merge is done. */
static bool merge_advance(Sorting *self, Merge *m) {
    bool failed = self->call->errors[m->row] != 0;
    if (!failed && m->a < m->middle && m->b < m->end) return true;
    while (m->a < m->middle) self->to[m->at++] = self->from[m->a++];
    while (m->b < m->end) self->to[m->at++] = self->from[m->b++];
    return false;
}

/* One comparison of merges [first, first + n), which all need one. */
static Status compare_round(Sorting *self, uint32_t first, uint32_t n) {
    KernelCall *call = self->call;
    const Vector *elements = call->args[0].children;
    Vector params[2], result;
    for (uint32_t i = 0; i < n; i++) {
        const Merge *m = &self->merges[first + i];
        self->rows[i] = m->row;
        self->left[i] = self->from[m->a];
        self->right[i] = self->from[m->b];
    }
    arena_reset(self->work);
    TRY(vector_gather(self->work, elements, self->left, n, &params[0], call->err));
    TRY(vector_gather(self->work, elements, self->right, n, &params[1], call->err));
    TRY(kernel_lambda(call, 1, self->work, n, self->rows, params, &result, self->errors));
    for (uint32_t i = 0; i < n; i++) {
        Merge *m = &self->merges[first + i];
        bool left = goes_left(self, &result, i, m->row);
        self->to[m->at++] = left ? self->from[m->a++] : self->from[m->b++];
    }
    return TRIB_OK;
}

/* Runs all merges to their ends. */
static Status merges_run(Sorting *self) {
    uint32_t active = self->nmerges;
    while (active > 0) {
        uint32_t kept = 0;
        for (uint32_t i = 0; i < active; i++) {
            if (merge_advance(self, &self->merges[i])) self->merges[kept++] = self->merges[i];
        }
        active = kept;
        if (self->call->session != NULL && self->call->session->cancel != NULL)
            TRY(cancel_check(self->call->session->cancel, self->call->err));
        for (uint32_t first = 0; first < active; first += BATCH_ROWS) {
            uint32_t n = active - first < BATCH_ROWS ? active - first : BATCH_ROWS;
            TRY(compare_round(self, first, n));
        }
    }
    return TRIB_OK;
}

static void merges_lay_out(Sorting *self, uint32_t width) {
    KernelCall *call = self->call;
    self->nmerges = 0;
    KERNEL_ROWS(call, row, {
        ListEntry entry = ((const ListEntry *)call->result->data)[row];
        for (uint32_t start = 0; start < entry.length; start += 2 * width) {
            uint32_t middle = start + width < entry.length ? start + width : entry.length;
            uint32_t end = middle + width < entry.length ? middle + width : entry.length;
            self->merges[self->nmerges++] = (Merge){.row = row,
                                                    .a = entry.offset + start,
                                                    .middle = entry.offset + middle,
                                                    .b = entry.offset + middle,
                                                    .end = entry.offset + end,
                                                    .at = entry.offset + start};
        }
    });
}

static Status sorting_run(Sorting *self, uint32_t longest) {
    for (uint32_t width = 1; width < longest; width *= 2) {
        merges_lay_out(self, width);
        TRY(merges_run(self));
        uint32_t *swap = self->from;
        self->from = self->to;
        self->to = swap;
    }
    Picks sorted = {.at = self->from, .count = self->count};
    return picks_finish(self->call, &sorted, self->call->args[0].children, 0);
}

static Status sorting_init(Sorting *self, uint32_t total) {
    KernelCall *call = self->call;
    TRY_ALLOC(self->from, ARENA_ARRAY(call->arena, uint32_t, total), call->err);
    TRY_ALLOC(self->to, ARENA_ARRAY(call->arena, uint32_t, total), call->err);
    TRY_ALLOC(self->merges, ARENA_ARRAY(call->arena, Merge, (size_t)total + 1), call->err);
    TRY_ALLOC(self->rows, ARENA_ARRAY(call->arena, uint32_t, BATCH_ROWS), call->err);
    TRY_ALLOC(self->left, ARENA_ARRAY(call->arena, uint32_t, BATCH_ROWS), call->err);
    TRY_ALLOC(self->right, ARENA_ARRAY(call->arena, uint32_t, BATCH_ROWS), call->err);
    TRY_ALLOC(self->errors, arena_alloc(call->arena, BATCH_ROWS), call->err);
    TRY_ALLOC(self->work, arena_new(call->arena), call->err);
    return TRIB_OK;
}

static Status kernel_array_sort_by(KernelCall *call) {
    Sorting self = {.call = call};
    uint32_t total, longest = 0;
    TRY(elements_total(call, 0, &total));
    TRY(sorting_init(&self, total));
    KERNEL_ROWS(call, row, {
        ListEntry entry = list_entry(&call->args[0], row);
        list_put(call, row, self.count, entry.length);
        for (uint32_t i = 0; i < entry.length; i++) self.from[self.count++] = entry.offset + i;
        if (entry.length > longest) longest = entry.length;
    });
    Status status = sorting_run(&self, longest);
    arena_free(self.work);
    return status;
}

static const Function rows[] = {
    {.id = TRIB_FN_array_sort,
     .name = "array_sort",
     .signature = "array(E), function(E, E, bigint) -> array(E)",
     .may_raise = true,
     .kernel = kernel_array_sort_by,
     .family = "array",
     .help = "The elements in the order of a lambda that says -1, 0 or 1 of two of them."},
};

FUNCTION_TABLE(functions_array_compare, rows);
