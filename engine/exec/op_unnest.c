/*
 * op_unnest.c - arrays and maps as rows: each input row once per element.
 *
 * Role: transform, parallel, keeps order. The arguments are evaluated for some rows of the input at a time,
 * for all of them if they are plain columns: arrays that functions make may be long. Output batches of up
 * to batch_rows rows are gathered from them, so that a row with a million elements passes through in
 * pieces. Columns of the input repeat by reference, elements share their text with the arrays. Several
 * arguments go side by side, the shorter ones filled up with NULL. Memory: some numbers per output row.
 */
#include "engine/exec/operator.h"

#define NO_ROW      UINT32_MAX
#define SLICE_ROWS  64 /* of the input, for which arguments are computed at first */
#define SLICE_LEAST 8

typedef struct UnnestLocal {
    Evaluator *evaluator;
    Vector *args;        /* of the current slice */
    bool plain;          /* arguments are columns and constants */
    uint16_t *all;       /* positions from 0, for inputs without a selection */
    uint32_t slice_rows; /* of the next slice: as many as make about a batch of elements */
    uint64_t elements;   /* of the slice so far */
    uint32_t slice;   /* end of the slice in the input's selected rows; 0 = no input is under way */
    uint32_t row;     /* of its selected rows */
    uint32_t element; /* of the row's elements */
    uint32_t nrows;   /* of the output so far */
    uint32_t *rows;   /* input position by output row */
    int64_t *ordinals;    /* element from 1 by output row; 0 = none */
    uint32_t **positions; /* by argument: element in the base's children, or NO_ROW */
} UnnestLocal;

static Status unnest_local_open(OpContext *context, Error *err) {
    UnnestLocal *self = context->local;
    const PhysNode *node = context->node;
    uint32_t nargs = node->as.unnest.nargs, room = context->query->batch_rows;
    TRY_ALLOC(self->args, ARENA_ARRAY(context->arena, Vector, nargs), err);
    TRY_ALLOC(self->rows, ARENA_ARRAY(context->arena, uint32_t, room), err);
    TRY_ALLOC(self->ordinals, ARENA_ARRAY(context->arena, int64_t, room), err);
    TRY_ALLOC(self->positions, ARENA_ARRAY(context->arena, uint32_t *, nargs), err);
    TRY_ALLOC(self->all, ARENA_ARRAY(context->arena, uint16_t, BATCH_ROWS), err);
    for (uint32_t i = 0; i < BATCH_ROWS; i++) self->all[i] = (uint16_t)i;
    self->plain = true;
    self->slice_rows = SLICE_ROWS / 2; /* the first one doubles it */
    for (uint32_t i = 0; i < nargs; i++) {
        ExprKind kind = (ExprKind)node->as.unnest.args[i]->kind;
        self->plain = self->plain && (kind == EXPR_COLUMN || kind == EXPR_CONSTANT);
    }
    for (uint32_t i = 0; i < nargs; i++)
        TRY_ALLOC(self->positions[i], ARENA_ARRAY(context->arena, uint32_t, room), err);
    return evaluator_new(context->arena, context->query->session, nargs,
                         (const Expr *const *)node->as.unnest.args, &self->evaluator, err);
}

/* The elements of a row in one argument; none for NULL. */
static ListEntry row_entry(const Vector *arg, uint32_t row) {
    if (vector_is_null(arg, row)) return (ListEntry){0, 0};
    arg = vector_resolve(arg, &row);
    return ((const ListEntry *)arg->data)[row];
}

static const Vector *base_of(const Vector *v) {
    while (v->form == VECTOR_DICTIONARY) v = v->children;
    return v;
}

/* Adds up to `room` rows of the current input row; true when it is done. */
static bool row_expand(UnnestLocal *self, const PhysNode *node, uint32_t row, uint32_t room) {
    uint32_t nargs = node->as.unnest.nargs, length = 0, at = self->nrows;
    for (uint32_t a = 0; a < nargs; a++) {
        uint32_t own = row_entry(&self->args[a], row).length;
        if (own > length) length = own;
    }
    bool filler = length == 0 && node->as.unnest.keep_empty;
    uint32_t n = filler ? 1 : length - self->element;
    if (n > room) n = room;
    for (uint32_t i = 0; i < n; i++) {
        self->rows[at + i] = row;
        self->ordinals[at + i] = filler ? 0 : (int64_t)self->element + i + 1;
    }
    for (uint32_t a = 0; a < nargs; a++) {
        ListEntry entry = row_entry(&self->args[a], row);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t element = self->element + i;
            self->positions[a][at + i] = element < entry.length ? entry.offset + element : NO_ROW;
        }
    }
    self->nrows += n;
    self->element += n;
    if (self->element < length) return false;
    self->element = 0;
    return true;
}

/* A field of elements that are rows: a NULL element has NULL fields. */
static Status gather_field(const Vector *elements, uint32_t field, const uint32_t *positions,
                           uint32_t count, Batch *out, Vector *column, Error *err) {
    uint32_t *resolved;
    TRY_ALLOC(resolved, ARENA_ARRAY(out->arena, uint32_t, count), err);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t position = positions[i];
        bool null = position == NO_ROW || vector_is_null(elements, position);
        if (!null) (void)vector_resolve(elements, &position);
        resolved[i] = null ? NO_ROW : position;
    }
    return vector_gather(out->arena, &base_of(elements)->children[field], resolved, count, column,
                         err);
}

static Status gather_unnested(UnnestLocal *self, const PhysNode *node, UnnestColumn what,
                              Batch *out, Vector *column, Error *err) {
    if (what.arg == node->as.unnest.nargs) {
        TRY(vector_new(out->arena, TYPE(BIGINT), self->nrows, column, err));
        memcpy(column->data, self->ordinals, self->nrows * sizeof(int64_t));
        for (uint32_t i = 0; i < self->nrows; i++) {
            if (self->ordinals[i] != 0) continue;
            TRY(vector_need_validity(out->arena, column, err));
            bitmap_unset(column->validity, i);
        }
        return TRIB_OK;
    }
    const Vector *lists = base_of(&self->args[what.arg]);
    const uint32_t *positions = self->positions[what.arg];
    bool fields =
        lists->type.id == TRIB_TYPE_ARRAY && lists->type.fields->field[0].type.id == TRIB_TYPE_ROW;
    if (fields)
        return gather_field(&lists->children[0], what.field, positions, self->nrows, out, column,
                            err);
    return vector_gather(out->arena, &lists->children[what.field], positions, self->nrows, column,
                         err);
}

/* Evaluates the arguments for the input's next rows. */
static Status slice_begin(UnnestLocal *self, const PhysNode *node, const Batch *in, Error *err) {
    Batch slice = *in;
    uint32_t left = in->selected - self->row;
    if (self->elements < BATCH_ROWS / 2 && self->slice_rows < BATCH_ROWS) self->slice_rows *= 2;
    if (self->elements > 4 * BATCH_ROWS && self->slice_rows > SLICE_LEAST) self->slice_rows /= 2;
    self->elements = 0;
    slice.selected = self->plain || left < self->slice_rows ? left : self->slice_rows;
    slice.selection = (in->selection != NULL ? in->selection : self->all) + self->row;
    if (slice.selected == in->count) slice.selection = in->selection;
    self->slice = self->row + slice.selected;
    evaluator_reset(self->evaluator);
    for (uint32_t i = 0; i < node->as.unnest.nargs; i++)
        TRY(evaluator_run(self->evaluator, i, &slice, &self->args[i], err));
    return TRIB_OK;
}

static Status unnest_process(OpContext *context, Batch *in, Batch *out, Step *step, Error *err) {
    UnnestLocal *self = context->local;
    const PhysNode *node = context->node;
    uint32_t room = context->query->batch_rows, nkept = node->as.unnest.nkept;
    if (self->slice == 0) self->row = self->element = 0;
    self->nrows = 0;
    while (self->row < in->selected && self->nrows == 0) { /* an output stems from one slice */
        if (self->row == self->slice || self->slice == 0) TRY(slice_begin(self, node, in, err));
        while (self->row < self->slice && self->nrows < room)
            self->row += row_expand(self, node, batch_row(in, self->row), room - self->nrows);
    }
    self->elements += self->nrows;
    bool more = self->row < in->selected;
    if (!more) self->slice = 0;
    *step = more ? STEP_HAVE_OUTPUT : STEP_LAST_OUTPUT;
    if (self->nrows == 0) {
        *step = STEP_NEED_INPUT;
        return TRIB_OK;
    }
    TRY(batch_columns(out, node->ncolumns, err));
    for (uint32_t i = 0; i < nkept; i++) {
        TRY(vector_gather(out->arena, &in->columns[node->as.unnest.kept[i]], self->rows,
                          self->nrows, &out->columns[i], err));
    }
    for (uint32_t i = nkept; i < node->ncolumns; i++) {
        TRY(gather_unnested(self, node, node->as.unnest.columns[i - nkept], out, &out->columns[i],
                            err));
    }
    out->count = out->selected = self->nrows;
    return TRIB_OK;
}

const Operator op_unnest = {
    .name = "unnest",
    .local_size = sizeof(UnnestLocal),
    .local_open = unnest_local_open,
    .process = unnest_process,
};
