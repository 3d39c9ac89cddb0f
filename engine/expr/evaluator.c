/*
 * evaluator.c - evaluates expressions over batches.
 *
 * An evaluator mirrors its expressions as EvalNodes with kernels and prepared state, and is used by
 * one worker. Three things are computed once instead of per batch: parts without columns (fixed),
 * parts of one dictionary column (once per entry, kept for the dictionary seen last, as long as there
 * are no more entries than rows), constants of IN. Errors of data travel beside the values and are
 * raised here, at the root, for selected rows only: then the failing row is evaluated once more for a
 * message that shows its values.
 */
#include "engine/expr/eval.h"
#include "engine/kernels/cast.h"

#define DEFAULT_MAX_VALUE (UINT64_C(64) << 20)
#define VALUES            "the values of an expression"

/* ---------------------------------------------------------------- building nodes */

/* Kernels that are harmless on whatever stands behind a NULL. */
static bool physical_is_plain(Type type) {
    switch (type_physical(type)) {
    case PHYS_BOOL:
    case PHYS_INT8:
    case PHYS_INT16:
    case PHYS_INT32:
    case PHYS_INT64:
    case PHYS_FLOAT:
    case PHYS_DOUBLE:
        return type_is_numeric(type) || type.id == TRIB_TYPE_BOOLEAN || type.id == TRIB_TYPE_DATE;
    default: return false;
    }
}

static bool node_dense_nulls(const Expr *e) {
    bool comparison = e->kind == EXPR_CALL && e->as.function->id >= TRIB_FN_eq &&
                      e->as.function->id <= TRIB_FN_ge;
    if (comparison) {
        PhysicalType physical = type_physical(e->args[0]->type);
        return physical != PHYS_STRING && physical != PHYS_LIST && physical != PHYS_ROW;
    }
    bool plain = physical_is_plain(e->type);
    for (uint32_t i = 0; i < e->nargs; i++) plain = plain && physical_is_plain(e->args[i]->type);
    if (e->kind == EXPR_CAST) {
        return plain && e->type.id != TRIB_TYPE_DATE && e->args[0]->type.id != TRIB_TYPE_DATE;
    }
    return plain && e->as.function->nulls == NULLS_PROPAGATE;
}

static Status call_prepare(Evaluator *self, EvalNode *node, Error *err) {
    const Function *f = node->expr->as.function;
    node->kernel = f->kernel;
    if (f->prepare == NULL) return TRIB_OK;
    const Value **constants;
    TRY_ALLOC(constants, ARENA_ARRAY(self->arena, const Value *, node->nargs), err);
    for (uint32_t i = 0; i < node->nargs; i++) {
        const Expr *arg = node->expr->args[i];
        if (arg->kind == EXPR_CONSTANT && !arg->as.value.is_null) constants[i] = &arg->as.value;
    }
    return f->prepare(self->arena, node->nargs, constants, &node->state, err);
}

static Status cast_prepare(EvalNode *node, Error *err) {
    Type from = node->expr->args[0]->type, to = node->expr->type;
    node->renaming = cast_is_renaming(from, to);
    if (node->renaming || from.id == TRIB_TYPE_UNKNOWN) return TRIB_OK;
    node->kernel = cast_kernel(from, to);
    if (node->kernel != NULL) return TRIB_OK;
    return error_set(err, ERR_UNSUPPORTED, "cannot cast %s to %s", type_id_name((TypeId)from.id),
                     type_id_name((TypeId)to.id));
}

static Status node_prepare(Evaluator *self, EvalNode *node, Error *err) {
    const Expr *e = node->expr;
    switch ((ExprKind)e->kind) {
    case EXPR_COLUMN: node->column = e->as.ordinal; return TRIB_OK;
    case EXPR_CONSTANT:
        node->fixed_state = FIXED_KNOWN;
        return vector_constant(self->arena, &e->as.value, &node->fixed, err);
    case EXPR_CALL: node->dense_nulls = node_dense_nulls(e); return call_prepare(self, node, err);
    case EXPR_CAST: node->dense_nulls = node_dense_nulls(e); return cast_prepare(node, err);
    case EXPR_VARIABLE: node->column = MANY_COLUMNS; return TRIB_OK;
    case EXPR_LAMBDA: return lambda_prepare(self, node, err);
    case EXPR_PARAMETER:
    case EXPR_AGGREGATE:
    case EXPR_WINDOW:
    case EXPR_SUBQUERY:
    case EXPR_OUTER:
    case EXPR_GROUPING:
        return error_set(err, ERR_GENERAL, "an expression was not made ready for evaluation");
    default: return TRIB_OK;
    }
}

/* Does NULL in the columns below always make the node NULL? Then the entries of a dictionary need no
 * companion for NULL. */
static bool node_strict(const EvalNode *node) {
    const Expr *e = node->expr;
    if (e->kind == EXPR_COLUMN) return true;
    if (e->kind != EXPR_CAST &&
        (e->kind != EXPR_CALL || e->as.function->nulls != NULLS_PROPAGATE)) {
        return false;
    }
    bool any = false;
    for (uint32_t i = 0; i < node->nargs; i++) {
        if (node->args[i]->column == NO_COLUMN) continue;
        if (!node->args[i]->strict) return false;
        any = true;
    }
    return any;
}

static Status node_new(Evaluator *self, const Expr *e, EvalNode **out, Error *err) {
    EvalNode *node;
    TRY_ALLOC(node, ARENA_NEW(self->arena, EvalNode), err);
    node->expr = e;
    node->nargs = e->nargs;
    node->column = NO_COLUMN;
    if (e->kind == EXPR_IN) TRY(in_set_new(self->arena, e, &node->set, err));
    if (node->set != NULL) node->nargs = 1; /* a long list needs no nodes */
    TRY_ALLOC(node->args, ARENA_ARRAY(self->arena, EvalNode *, node->nargs), err);
    for (uint32_t i = 0; i < node->nargs; i++) {
        TRY(node_new(self, e->args[i], &node->args[i], err));
        uint32_t column = node->args[i]->column;
        if (column == NO_COLUMN || column == node->column) continue;
        node->column = node->column == NO_COLUMN ? column : MANY_COLUMNS;
    }
    TRY(node_prepare(self, node, err));
    node->strict = node_strict(node);
    if (node->column == NO_COLUMN && !e->is_volatile && node->fixed_state == FIXED_NOT &&
        e->kind != EXPR_LAMBDA) {
        node->fixed_state = FIXED_UNKNOWN;
    }
    *out = node;
    return TRIB_OK;
}

/* Values of functions count against the query's budget. */
static Status values_pay(Evaluator *self, Error *err) {
    Budget *budget = self->session->budget;
    if (budget == NULL) return TRIB_OK;
    if (!grant_init(&self->grant, budget, 0, false)) return error_out_of_memory(err);
    self->values.grant = &self->grant;
    arena_set_charge(self->scratch, allowance_charge, &self->values);
    return TRIB_OK;
}

Status evaluator_new(Arena *arena, const EvalSession *session, uint32_t count,
                     const Expr *const *exprs, Evaluator **out, Error *err) {
    Evaluator *self;
    TRY_ALLOC(self, ARENA_NEW(arena, Evaluator), err);
    self->arena = arena;
    TRY_ALLOC(self->scratch, arena_new(arena), err);
    TRY_ALLOC(self->blocks_arena, arena_new(arena), err);
    self->default_session = (EvalSession){.max_value_size = DEFAULT_MAX_VALUE};
    self->session = session != NULL ? session : &self->default_session;
    self->count = count;
    TRY(values_pay(self, err));
    TRY_ALLOC(self->nodes, ARENA_ARRAY(arena, EvalNode *, count), err);
    for (uint32_t i = 0; i < count; i++) TRY(node_new(self, exprs[i], &self->nodes[i], err));
    *out = self;
    return TRIB_OK;
}

void evaluator_reset(Evaluator *self) {
    arena_reset(self->scratch);
    for (uint32_t class = 0; class < BLOCK_CLASSES; class ++) {
        Block *block = self->used_blocks[class];
        self->used_blocks[class] = NULL;
        while (block != NULL) {
            Block *next = block->next;
            block->in_use = false;
            block->next = self->free_blocks[class];
            self->free_blocks[class] = block;
            block = next;
        }
    }
}

/* ---------------------------------------------------------------- computed once */

static Status eval_node(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
                        EvalResult *out);

static Status fixed_compute(EvalContext *ctx, EvalNode *node) {
    EvalContext once = {.evaluator = ctx->evaluator,
                        .positions = 1,
                        .arena = ctx->evaluator->arena,
                        .err = ctx->err};
    EvalResult result;
    TRY(eval_node(&once, node, NULL, 1, &result));
    TRY(result_flatten(&once, &result, NULL, 1));
    node->fixed = result.vector;
    node->fixed.form = VECTOR_CONSTANT;
    node->fixed_error = result.errors != NULL ? result.errors[0] : 0;
    node->fixed_state = FIXED_KNOWN;
    return TRIB_OK;
}

static Status eval_fixed(EvalContext *ctx, EvalNode *node, const uint16_t *selection,
                         uint32_t count, EvalResult *out) {
    memset(out, 0, sizeof(*out));
    if (node->fixed_state == FIXED_UNKNOWN) TRY(fixed_compute(ctx, node));
    out->vector = node->fixed;
    if (node->fixed_error == 0) return TRIB_OK;
    TRY(result_constant_null(ctx, node->expr->type, out));
    TRY(result_need_errors(ctx, out));
    FOR_SELECTED(selection, count, row, { out->errors[row] = node->fixed_error; });
    return TRIB_OK;
}

/* The entries as a column of their own; where NULL is not simply NULL, followed by a NULL. */
static Status entries_column(EvalContext *inner, const EvalNode *node, const Vector *column,
                             Vector *out) {
    const Vector *entries = column->children;
    uint32_t *rows;
    if (node->strict) {
        *out = *entries;
        return TRIB_OK;
    }
    TRY_ALLOC(rows, ARENA_ARRAY(inner->arena, uint32_t, inner->positions), inner->err);
    for (uint32_t i = 0; i < column->entries; i++) rows[i] = i;
    rows[column->entries] = UINT32_MAX;
    return vector_gather(inner->arena, entries, rows, inner->positions, out, inner->err);
}

/* Text may point into the batch's entries, which go with the batch: a copy that stays. What stands
 * where an entry raised must not be looked at. */
static Status entries_keep(EvalContext *inner, EvalNode *node, uint64_t identity,
                           EvalResult *result) {
    Vector copy;
    uint16_t *one;
    TRY_ALLOC(one, ARENA_NEW(inner->arena, uint16_t), inner->err);
    TRY(vector_new(inner->arena, node->expr->type, inner->positions, &copy, inner->err));
    if (result->errors == NULL) {
        TRY(vector_append(inner->arena, &copy, 0, &result->vector, NULL, inner->positions,
                          inner->err));
    }
    for (uint32_t i = 0; i < inner->positions && result->errors != NULL; i++) {
        *one = (uint16_t)i;
        if (result->errors[i] != 0) continue;
        TRY(vector_append(inner->arena, &copy, i, &result->vector, one, 1, inner->err));
    }
    result->vector = copy;
    node->entries = copy;
    node->entry_errors = result->errors;
    node->dictionary_id = identity;
    node->dictionary_result = dictionary_identity();
    return TRIB_OK;
}

/* The result for every entry, in memory that outlives the batch if the dictionary has an identity. */
static Status entries_compute(EvalContext *ctx, EvalNode *node, const Vector *column,
                              EvalResult *out) {
    EvalContext inner = *ctx;
    bool keep = column->dictionary_id != 0;
    if (keep) {
        node->dictionary_id = 0;
        if (node->dictionary_arena == NULL) {
            TRY_ALLOC(node->dictionary_arena, arena_new(ctx->evaluator->arena), ctx->err);
            if (ctx->evaluator->session->budget)
                arena_set_charge(node->dictionary_arena, allowance_charge, &ctx->evaluator->values);
        }
        arena_reset(node->dictionary_arena);
        inner.arena = node->dictionary_arena;
        inner.pooled = false;
    }
    Vector *columns;
    TRY_ALLOC(columns, ARENA_ARRAY(inner.arena, Vector, node->column + 1), ctx->err);
    inner.columns = columns;
    inner.ncolumns = node->column + 1;
    inner.positions = column->entries + !node->strict;
    TRY(entries_column(&inner, node, column, &columns[node->column]));
    TRY(eval_node(&inner, node, NULL, inner.positions, out));
    if (keep) return entries_keep(&inner, node, column->dictionary_id, out);
    if (out->vector.form == VECTOR_FLAT) return TRIB_OK;
    Vector flat;
    TRY(vector_flatten(inner.arena, &out->vector, NULL, inner.positions, inner.positions, &flat,
                       ctx->err));
    out->vector = flat;
    return TRIB_OK;
}

static bool dictionary_suits(const EvalContext *ctx, const EvalNode *node, uint32_t count) {
    if (node->column >= MANY_COLUMNS || node->expr->is_volatile || node->renaming ||
        node->column >= ctx->ncolumns) {
        return false;
    }
    const Vector *column = &ctx->columns[node->column];
    if (column->form != VECTOR_DICTIONARY || column->entries >= UINT16_MAX) return false;
    if (column->dictionary_id != 0 && column->dictionary_id == node->dictionary_id) return true;
    return column->entries <= count && column->entries > 0;
}

/* Indices in which NULL rows point to the last entry, the one for NULL. */
static Status null_indices(EvalContext *ctx, const Vector *column, const uint16_t *selection,
                           uint32_t count, const uint32_t **out) {
    uint32_t *indices;
    TRY_ALLOC(indices, ARENA_ARRAY(ctx->arena, uint32_t, ctx->positions), ctx->err);
    FOR_SELECTED(selection, count, row, {
        bool valid = bitmap_get(column->validity, row);
        indices[row] = valid ? column->indices[row] : column->entries;
    });
    *out = indices;
    return TRIB_OK;
}

static Status eval_dictionary(EvalContext *ctx, EvalNode *node, const uint16_t *selection,
                              uint32_t count, EvalResult *out) {
    const Vector *column = &ctx->columns[node->column];
    EvalResult entries = {.vector = node->entries, .errors = node->entry_errors};
    bool cached = column->dictionary_id != 0 && column->dictionary_id == node->dictionary_id;
    if (!cached) TRY(entries_compute(ctx, node, column, &entries));
    memset(out, 0, sizeof(*out));
    Vector *child;
    TRY_ALLOC(child, ARENA_NEW(ctx->arena, Vector), ctx->err);
    *child = entries.vector;
    out->vector = (Vector){.type = node->expr->type,
                           .physical = child->physical,
                           .form = VECTOR_DICTIONARY,
                           .indices = column->indices,
                           .entries = column->entries + !node->strict,
                           .nchildren = 1,
                           .children = child};
    if (column->dictionary_id != 0) out->vector.dictionary_id = node->dictionary_result;
    if (node->strict) {
        out->vector.validity = column->validity;
    } else if (column->validity != NULL) {
        TRY(null_indices(ctx, column, selection, count, &out->vector.indices));
    }
    if (entries.errors == NULL) return TRIB_OK;
    TRY(result_need_errors(ctx, out));
    FOR_SELECTED(selection, count, row, {
        bool valid = out->vector.validity == NULL || bitmap_get(out->vector.validity, row);
        if (valid) out->errors[row] = entries.errors[out->vector.indices[row]];
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- evaluation */

static Status eval_node(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
                        EvalResult *out) {
    switch ((ExprKind)node->expr->kind) {
    case EXPR_COLUMN:
        memset(out, 0, sizeof(*out));
        if (node->column >= ctx->ncolumns) {
            return error_set(ctx->err, ERR_GENERAL,
                             "an expression reads a column that is not there");
        }
        out->vector = ctx->columns[node->column];
        return TRIB_OK;
    case EXPR_VARIABLE: {
        const Variables *v = ctx->variables;
        memset(out, 0, sizeof(*out));
        for (uint32_t d = node->expr->as.variable.depth; d > 0; d--) v = v->outer;
        out->vector = v->values[node->expr->as.variable.index];
        return TRIB_OK;
    }
    case EXPR_AND:
    case EXPR_OR: return eval_chain(ctx, node, selection, count, out);
    case EXPR_NOT: return eval_not(ctx, node, selection, count, out);
    case EXPR_IS_NULL: return eval_is_null(ctx, node, selection, count, out);
    case EXPR_CASE: return eval_case(ctx, node, selection, count, out);
    case EXPR_COALESCE: return eval_coalesce(ctx, node, selection, count, out);
    case EXPR_NULLIF: return eval_nullif(ctx, node, selection, count, out);
    case EXPR_IN: return eval_in(ctx, node, selection, count, out);
    case EXPR_TRY: return eval_try(ctx, node, selection, count, out);
    default: return eval_call(ctx, node, selection, count, out);
    }
}

Status eval(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
            EvalResult *out) {
    if (node == ctx->explained) return eval_node(ctx, node, selection, count, out);
    if (node->fixed_state != FIXED_NOT) return eval_fixed(ctx, node, selection, count, out);
    if (count == 0) return result_constant_null(ctx, node->expr->type, out);
    if (node->nargs > 0 && dictionary_suits(ctx, node, count)) {
        return eval_dictionary(ctx, node, selection, count, out);
    }
    return eval_node(ctx, node, selection, count, out);
}

static EvalContext batch_context(Evaluator *self, const Batch *batch, Error *err) {
    return (EvalContext){.evaluator = self,
                         .columns = batch->columns,
                         .ncolumns = batch->ncolumns,
                         .positions = batch->count,
                         .arena = self->scratch,
                         .pooled = true,
                         .err = err};
}

Status eval_check(EvalContext *ctx, EvalNode *node, const uint8_t *errors,
                  const uint16_t *selection, uint32_t count) {
    if (!errors_any(errors, selection, count)) return TRIB_OK;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = selection != NULL ? selection[i] : i;
        if (errors[row] != 0) return eval_raise(ctx, node, row, errors[row]);
    }
    return TRIB_OK;
}

static Status run_node(EvalContext *ctx, EvalNode *node, const Batch *batch, Vector *out) {
    EvalResult result;
    TRY(eval(ctx, node, batch->selection, batch->selected, &result));
    TRY(eval_check(ctx, node, result.errors, batch->selection, batch->selected));
    *out = result.vector;
    return TRIB_OK;
}

Status evaluator_run(Evaluator *self, uint32_t index, const Batch *batch, Vector *out, Error *err) {
    EvalContext ctx = batch_context(self, batch, err);
    EvalNode *node = self->nodes[index];
    if (batch->selected == 0) return vector_null(self->scratch, node->expr->type, out, err);
    return allowance_told(&self->values, run_node(&ctx, node, batch, out), VALUES, err);
}

/* ---------------------------------------------------------------- filters */

static uint32_t select_all(const uint16_t *selection, uint32_t count, uint16_t *out) {
    if (selection == out) return count;
    for (uint32_t i = 0; i < count; i++) out[i] = selection != NULL ? selection[i] : (uint16_t)i;
    return count;
}

/* Conjuncts narrow the selection one after the other: those that cannot raise first, the raising
 * ones last, in written order. */
static Status filter_and(EvalContext *ctx, EvalNode *node, const uint16_t *selection,
                         uint32_t count, uint16_t *out, uint32_t *selected) {
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < node->nargs; i++) {
            if (node->args[i]->expr->may_raise != (pass == 1)) continue;
            TRY(eval_filter(ctx, node->args[i], selection, count, out, &count));
            selection = out;
            if (count == 0) break;
        }
    }
    *selected = count;
    return TRIB_OK;
}

Status eval_filter(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
                   uint16_t *out, uint32_t *selected) {
    *selected = 0;
    if (count == 0) return TRIB_OK;
    bool dictionary = node->nargs > 0 && dictionary_suits(ctx, node, count);
    if (node->expr->kind == EXPR_AND && !dictionary && node->fixed_state == FIXED_NOT) {
        return filter_and(ctx, node, selection, count, out, selected);
    }
    EvalResult result;
    TRY(eval(ctx, node, selection, count, &result));
    TRY(eval_check(ctx, node, result.errors, selection, count));
    if (result.vector.form == VECTOR_CONSTANT) {
        bool pass = !vector_is_null(&result.vector, 0) && *(const uint8_t *)result.vector.data;
        *selected = pass ? select_all(selection, count, out) : 0;
        return TRIB_OK;
    }
    TRY(result_booleans(ctx, &result, selection, count));
    *selected = kernel_select(result.vector.data, result.vector.validity, selection, count, out);
    result_give_back(ctx, &result);
    return TRIB_OK;
}

Status evaluator_filter(Evaluator *self, uint32_t index, const Batch *batch, uint16_t *selection,
                        uint32_t *count, Error *err) {
    EvalContext ctx = batch_context(self, batch, err);
    Status status =
        eval_filter(&ctx, self->nodes[index], batch->selection, batch->selected, selection, count);
    return allowance_told(&self->values, status, VALUES, err);
}
