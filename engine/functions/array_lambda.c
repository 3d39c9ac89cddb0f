/*
 * array_lambda.c - functions of arrays that take a lambda.
 *
 * The elements of all rows of the batch are handed to the lambda side by side, BATCH_ROWS at a time, each
 * time in an arena of its own that is emptied for the next piece. An element whose body raised makes its
 * row raise, unless the row's result does not depend on it any more.
 */
#include "engine/functions/nested.h"
#include "engine/functions/lambda_batch.h"

/* ---------------------------------------------------------------- transform, filter */

static Status transform_piece(KernelCall *call, LambdaBatch *batch, void *context) {
    Vector *out = &call->result->children[0];
    for (uint32_t i = 0; i < batch->count; i++) {
        batch->kept[i] = i;
        if (batch->errors[i] == 0) continue;
        batch->kept[i] = NO_POSITION;
        if (call->errors[batch->rows[i]] == 0) call->errors[batch->rows[i]] = batch->errors[i];
    }
    TRY(vector_append_rows(call->arena, out, call->result->entries, &batch->result, batch->kept,
                           batch->count, call->err));
    call->result->entries += batch->count;
    return TRIB_OK;
}

static Status kernel_transform(KernelCall *call) {
    uint32_t at = 0, total;
    TRY(elements_total(call, 0, &total));
    TRY(vector_reserve(call->arena, &call->result->children[0], total, call->err));
    TRY(lambda_elements(call, 0, 1, 0, transform_piece, NULL));
    KERNEL_ROWS(call, row, {
        uint32_t length = list_entry(&call->args[0], row).length;
        list_put(call, row, at, length);
        at += length;
    });
    return TRIB_OK;
}

/* What the lambda said of each element, in the order of rows and elements. */
typedef struct Answers {
    uint8_t *said; /* 0 false, 1 true, 2 NULL */
    uint8_t *errors;
    uint32_t count;
} Answers;

enum { SAID_FALSE, SAID_TRUE, SAID_NULL };

static Status answers_piece(KernelCall *call, LambdaBatch *batch, void *context) {
    Answers *self = context;
    for (uint32_t i = 0; i < batch->count; i++) {
        uint32_t at = self->count++;
        self->errors[at] = batch->errors[i];
        if (batch->errors[i] != 0) continue;
        self->said[at] = SAID_NULL;
        if (!vector_is_null(&batch->result, i))
            self->said[at] = *(const uint8_t *)vector_at(&batch->result, i) != 0;
    }
    return TRIB_OK;
}

static Status answers_of(KernelCall *call, Answers *out) {
    uint32_t total;
    TRY(elements_total(call, 0, &total));
    *out = (Answers){0};
    TRY_ALLOC(out->said, arena_alloc(call->arena, total), call->err);
    TRY_ALLOC(out->errors, arena_alloc(call->arena, total), call->err);
    return lambda_elements(call, 0, 1, 0, answers_piece, out);
}

static Status kernel_filter(KernelCall *call) {
    Answers answers;
    Picks picks = {0};
    uint32_t at = 0;
    TRY(answers_of(call, &answers));
    KERNEL_ROWS(call, row, {
        ListEntry entry = list_entry(&call->args[0], row);
        uint32_t first = picks.count;
        TRY(picks_reserve(call, &picks, entry.length));
        for (uint32_t i = 0; i < entry.length; i++, at++) {
            if (answers.errors[at] != 0 && call->errors[row] == 0)
                call->errors[row] = answers.errors[at];
            if (answers.errors[at] == 0 && answers.said[at] == SAID_TRUE)
                picks_add(&picks, entry.offset + i);
        }
        list_put(call, row, first, picks.count - first);
    });
    return picks_finish(call, &picks, call->args[0].children, 0);
}

/* ---------------------------------------------------------------- any, all, none */

/* The first element that says `decisive` decides; without one a NULL makes the answer NULL. */
static Status match(KernelCall *call, uint8_t decisive, uint8_t decided) {
    Answers answers;
    uint32_t next = 0;
    uint8_t *out = call->result->data;
    TRY(answers_of(call, &answers));
    KERNEL_ROWS(call, row, {
        uint32_t length = list_entry(&call->args[0], row).length;
        uint32_t at = next;
        bool unknown = false;
        next += length;
        out[row] = !decided;
        for (; at < next; at++) {
            if (answers.errors[at] != 0) {
                call->errors[row] = answers.errors[at];
                break;
            }
            unknown = unknown || answers.said[at] == SAID_NULL;
            if (answers.said[at] != decisive) continue;
            out[row] = decided;
            break;
        }
        if (at == next && unknown) TRY(kernel_set_null(call, row));
    });
    return TRIB_OK;
}

static Status kernel_any_match(KernelCall *call) {
    return match(call, SAID_TRUE, 1);
}

static Status kernel_all_match(KernelCall *call) {
    return match(call, SAID_FALSE, 0);
}

static Status kernel_none_match(KernelCall *call) {
    return match(call, SAID_TRUE, 0);
}

/* ---------------------------------------------------------------- reduce */

/*
 * All rows go on together: step n takes the n-th element of every row that has one. Rows stand by falling
 * length, so that those still going are the first ones of the state. The state is copied from step to
 * step between two arenas; what the lambda made besides goes.
 */
typedef struct Reduction {
    KernelCall *call;
    uint32_t count;
    uint32_t *rows; /* by falling length */
    Vector final;   /* states of the rows that are done, FLAT, by place in `done` */
    uint32_t *done; /* rows in the order in which they were done */
    uint32_t ndone;
    Vector state; /* of rows[0 .. active) */
    Arena *work, *kept[2];
    uint8_t *errors;
} Reduction;

static uint32_t reduction_length(const Reduction *self, uint32_t place) {
    return list_entry(&self->call->args[0], self->rows[place]).length;
}

/* Counting would need the largest length; merging keeps the order of equal ones and its cost. */
static Status rows_by_length(Reduction *self) {
    KernelCall *call = self->call;
    uint32_t *from = self->rows, *to;
    TRY_ALLOC(to, ARENA_ARRAY(call->arena, uint32_t, self->count), call->err);
    for (uint32_t width = 1; width < self->count; width *= 2) {
        for (uint32_t start = 0; start < self->count; start += 2 * width) {
            uint32_t a = start, middle = start + width, end = start + 2 * width;
            if (middle > self->count) middle = self->count;
            if (end > self->count) end = self->count;
            uint32_t b = middle;
            for (uint32_t i = start; i < end; i++) {
                bool left =
                    a < middle && (b == end || list_entry(&call->args[0], from[a]).length >=
                                                   list_entry(&call->args[0], from[b]).length);
                to[i] = left ? from[a++] : from[b++];
            }
        }
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    self->rows = from;
    return TRIB_OK;
}

/* Rows [from, to) are done with the states they have. */
static Status reduction_retire(Reduction *self, uint32_t from, uint32_t to) {
    KernelCall *call = self->call;
    for (uint32_t i = from; i < to; i++) {
        TRY(vector_append_rows(call->arena, &self->final, self->ndone, &self->state, &i, 1,
                               call->err));
        self->done[self->ndone++] = self->rows[i];
    }
    return TRIB_OK;
}

/* One element of rows [from, to): their new states behind `next`. A row that raised goes on with NULL. */
static Status reduction_step(Reduction *self, uint32_t step, uint32_t from, uint32_t to,
                             Arena *arena, Vector *next) {
    KernelCall *call = self->call;
    uint32_t states[BATCH_ROWS], rows[BATCH_ROWS], elements[BATCH_ROWS], n = to - from;
    Vector params[2], result;
    for (uint32_t i = 0; i < n; i++) {
        rows[i] = self->rows[from + i];
        states[i] = from + i;
        elements[i] = list_entry(&call->args[0], rows[i]).offset + step;
    }
    arena_reset(self->work);
    TRY(vector_gather(self->work, &self->state, states, n, &params[0], call->err));
    TRY(vector_gather(self->work, call->args[0].children, elements, n, &params[1], call->err));
    TRY(kernel_lambda(call, 2, self->work, n, rows, params, &result, self->errors));
    for (uint32_t i = 0; i < n; i++) {
        states[i] = self->errors[i] == 0 ? i : NO_POSITION;
        if (self->errors[i] != 0 && call->errors[rows[i]] == 0)
            call->errors[rows[i]] = self->errors[i];
    }
    return vector_append_rows(arena, next, from, &result, states, n, call->err);
}

static Status reduction_run(Reduction *self) {
    uint32_t active = self->count;
    for (uint32_t step = 0;; step++) {
        uint32_t before = active;
        while (active > 0 && reduction_length(self, active - 1) <= step) active--;
        TRY(reduction_retire(self, active, before));
        if (active == 0) return TRIB_OK;
        if (self->call->session != NULL && self->call->session->cancel != NULL)
            TRY(cancel_check(self->call->session->cancel, self->call->err));
        Arena *arena = self->kept[step & 1];
        Vector next;
        arena_reset(arena);
        TRY(vector_new(arena, self->state.type, active, &next, self->call->err));
        for (uint32_t from = 0; from < active; from += BATCH_ROWS) {
            uint32_t to = active - from < BATCH_ROWS ? active : from + BATCH_ROWS;
            TRY(reduction_step(self, step, from, to, arena, &next));
        }
        self->state = next;
    }
}

/* The last lambda makes the results of the states. */
static Status reduction_finish(Reduction *self) {
    KernelCall *call = self->call;
    uint32_t *places;
    uint32_t at = 0;
    Vector results;
    TRY(vector_new(call->arena, call->result_type, self->count, &results, call->err));
    TRY(rows_new(call, &places));
    while (at < self->ndone) {
        uint32_t states[BATCH_ROWS], n = self->ndone - at;
        if (n > BATCH_ROWS) n = BATCH_ROWS;
        Vector state, result;
        for (uint32_t i = 0; i < n; i++) states[i] = at + i;
        arena_reset(self->work);
        TRY(vector_gather(self->work, &self->final, states, n, &state, call->err));
        TRY(kernel_lambda(call, 3, self->work, n, self->done + at, &state, &result, self->errors));
        for (uint32_t i = 0; i < n; i++) {
            uint32_t row = self->done[at + i];
            places[row] = at + i;
            states[i] = self->errors[i] == 0 ? i : NO_POSITION;
            if (self->errors[i] != 0 && call->errors[row] == 0) call->errors[row] = self->errors[i];
        }
        TRY(vector_append_rows(call->arena, &results, at, &result, states, n, call->err));
        at += n;
    }
    return result_gather(call, &results, places);
}

static Status reduction_all(Reduction *self) {
    KernelCall *call = self->call;
    Vector all;
    KERNEL_ROWS(call, row, {
        if (!vector_is_null(&call->args[0], row)) self->rows[self->count++] = row;
    });
    TRY(rows_by_length(self));
    TRY(vector_gather(call->arena, &call->args[1], self->rows, self->count, &all, call->err));
    TRY(vector_flatten(call->arena, &all, NULL, self->count, self->count, &self->state, call->err));
    TRY(vector_new(call->arena, call->args[1].type, self->count, &self->final, call->err));
    TRY(reduction_run(self));
    return reduction_finish(self);
}

static Status kernel_reduce(KernelCall *call) {
    Reduction self = {.call = call};
    Status status = TRIB_MEMORY;
    self.rows = ARENA_ARRAY(call->arena, uint32_t, call->count);
    self.done = ARENA_ARRAY(call->arena, uint32_t, call->count);
    self.errors = ARENA_ARRAY(call->arena, uint8_t, BATCH_ROWS);
    self.work = arena_new(call->arena);
    self.kept[0] = arena_new(call->arena);
    self.kept[1] = arena_new(call->arena);
    if (self.rows && self.done && self.errors && self.work && self.kept[0] && self.kept[1]) {
        status = reduction_all(&self);
    } else {
        (void)error_out_of_memory(call->err);
    }
    arena_free(self.work);
    arena_free(self.kept[0]);
    arena_free(self.kept[1]);
    return status;
}

/* ---------------------------------------------------------------- rows */

static const Function rows[] = {
    {.id = TRIB_FN_transform,
     .name = "transform",
     .signature = "array(E), function(E, R) -> array(R)",
     .kernel = kernel_transform,
     .family = "array",
     .help = "What the lambda makes of each element."},
    {.id = TRIB_FN_filter,
     .name = "filter",
     .signature = "array(E), function(E, boolean) -> array(E)",
     .kernel = kernel_filter,
     .family = "array",
     .help = "The elements for which the lambda is true."},
    {.id = TRIB_FN_any_match,
     .name = "any_match",
     .signature = "array(E), function(E, boolean) -> boolean",
     .kernel = kernel_any_match,
     .family = "array",
     .help = "Whether the lambda is true for an element; NULL if that depends on a NULL."},
    {.id = TRIB_FN_all_match,
     .name = "all_match",
     .signature = "array(E), function(E, boolean) -> boolean",
     .kernel = kernel_all_match,
     .family = "array",
     .help = "Whether the lambda is true for all elements; NULL if that depends on a NULL."},
    {.id = TRIB_FN_none_match,
     .name = "none_match",
     .signature = "array(E), function(E, boolean) -> boolean",
     .kernel = kernel_none_match,
     .family = "array",
     .help = "Whether the lambda is true for no element; NULL if that depends on a NULL."},
    {.id = TRIB_FN_reduce,
     .name = "reduce",
     .signature = "array(E), S, function(S, E, S), function(S, R) -> R",
     .nulls = NULLS_CALLED,
     .kernel = kernel_reduce,
     .family = "array",
     .help = "A state carried through the elements by the first lambda; the last one makes the "
             "result of it."},
};

FUNCTION_TABLE(functions_array_lambda, rows);
