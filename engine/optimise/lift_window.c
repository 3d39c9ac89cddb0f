/*
 * lift_window.c - conditions on the outer rows, window functions and limits.
 *
 * Windows are computed per key: the keys become further partitions. LIMIT and OFFSET for each outer row are
 * conditions on row_number() over the keys in the order of the SORT below, WITH TIES on rank().
 */
#include "engine/optimise/lift.h"

/* A sort key of a column. */
static Status column_key(RuleContext *context, ColumnId id, SortKey *out) {
    *out = (SortKey){0};
    TRY_ALLOC(out->expr, rule_column(context, id), context->err);
    return TRIB_OK;
}

/* The keys' columns in front of other sort keys. */
static Status sort_keys(RuleContext *context, uint32_t nids, const ColumnId *ids, uint32_t nkeys,
                        const SortKey *keys, SortKey **out) {
    TRY_ALLOC(*out, ARENA_ARRAY(context->arena, SortKey, nids + nkeys), context->err);
    for (uint32_t i = 0; i < nids; i++) TRY(column_key(context, ids[i], &(*out)[i]));
    if (nkeys) memcpy(*out + nids, keys, nkeys * sizeof *keys);
    return TRIB_OK;
}

/* A WINDOW node that passes on all columns of its child. */
static Status window_new(RuleContext *context, LogicalNode *child, uint32_t nwindows,
                         LogicalNode **out) {
    uint32_t n = child->noutput;
    LogicalNode *node;
    TRY_ALLOC(node, logical_new(context->arena, LOGICAL_WINDOW, n + nwindows, 1), context->err);
    TRY_ALLOC(node->windows, ARENA_ARRAY(context->arena, Expr *, nwindows), context->err);
    if (n) memcpy(node->output, child->output, n * sizeof *node->output);
    node->children[0] = child;
    node->nwindows = nwindows;
    *out = node;
    return TRIB_OK;
}

Status lift_window(Lifting *self, LogicalNode *node, Lifted *out) {
    RuleContext *context = self->context;
    const LogicalNode *below = node->children[0];
    uint32_t first = node->noutput - node->nwindows, nids;
    ColumnId *ids;
    LogicalNode *window;
    bool computed = false;
    TRY(lift(self, node->children[0], out));
    if (!out->correlated) {
        out->node = node;
        return TRIB_OK;
    }
    for (uint32_t i = 0; i < node->nkeys; i++)
        computed = computed || lift_is_correlated(self, node->keys[i].expr);
    for (uint32_t i = 0; i < node->nwindows; i++)
        computed = computed || lift_is_correlated(self, node->windows[i]);
    if (out->fills || computed || !lift_all_rise(self, &out->conditions))
        TRY(lift_bind(self, below->noutput, below->output, NULL, out));
    TRY(lift_key_columns(self, out, &nids, &ids));
    TRY(window_new(context, out->node, node->nwindows, &window));
    for (uint32_t i = 0; i < node->nwindows; i++) {
        window->windows[i] = node->windows[i];
        window->output[out->node->noutput + i] = node->output[first + i];
    }
    TRY(sort_keys(context, nids, ids, node->nkeys, node->keys, &window->keys));
    window->npartition = nids + node->npartition;
    window->nkeys = nids + node->nkeys;
    out->node = window;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- limits */

static Status row_count(RuleContext *context, const Expr *e, const char *what, int64_t *out) {
    if (!e) return TRIB_OK;
    if (e->kind != EXPR_CONSTANT || e->as.value.is_null || !type_is_integer(e->as.value.type)) {
        return error_set_at(context->err, ERR_INVALID_ARGUMENT, e->line, e->column,
                            "%s needs a whole number", what);
    }
    *out = e->as.value.as.integer;
    if (*out >= 0) return TRIB_OK;
    return error_set_at(context->err, ERR_INVALID_ARGUMENT, e->line, e->column,
                        "%s must not be negative: %lld", what, (long long)*out);
}

/* row_number() or rank() over the node's keys as its window `index`; *column: its value. */
static Status number_rows(RuleContext *context, LogicalNode *node, uint32_t index, const char *name,
                          Expr **column) {
    uint32_t norder = node->nkeys - node->npartition;
    ResolvedWindowFunction f;
    WindowCall *call;
    WindowOrder *directions;
    Expr **args, *e;
    TRY(window_function_resolve(context->arena, str_from(name), 0, NULL, &f, context->err));
    TRY_ALLOC(call, ARENA_NEW(context->arena, WindowCall), context->err);
    TRY_ALLOC(directions, ARENA_ARRAY(context->arena, WindowOrder, norder), context->err);
    TRY_ALLOC(args, ARENA_ARRAY(context->arena, Expr *, node->nkeys), context->err);
    for (uint32_t i = 0; i < node->nkeys; i++) {
        args[i] = node->keys[i].expr;
        if (i < node->npartition) continue;
        directions[i - node->npartition] =
            (WindowOrder){node->keys[i].descending, node->keys[i].nulls_first};
    }
    *call = (WindowCall){.function = f.function,
                         .filter = NO_ARG,
                         .npartition = node->npartition,
                         .order = node->npartition,
                         .norder = norder,
                         .directions = directions,
                         .unit = FRAME_RANGE,
                         .start = {BOUND_UNBOUNDED_PRECEDING, NO_ARG, NO_ARG, NO_ARG},
                         .end = {BOUND_CURRENT, NO_ARG, NO_ARG, NO_ARG}};
    TRY_ALLOC(e, expr_new(context->arena, EXPR_WINDOW, f.result, node->nkeys, args), context->err);
    e->as.window = call;
    expr_derive(e);
    node->windows[index] = e;
    ColumnId id = plan_column_new(context->columns, str_from(name), f.result, false);
    if (!id) return error_out_of_memory(context->err);
    node->output[node->noutput - node->nwindows + index] = id;
    TRY_ALLOC(*column, rule_column(context, id), context->err);
    return TRIB_OK;
}

static Status compare_count(RuleContext *context, TribFunctionId op, Expr *value, int64_t count,
                            ExprList *conditions) {
    Value constant = {.type = TYPE(BIGINT)};
    constant.as.integer = count;
    Expr *args[2] = {value, NULL}, *e;
    Type types[2] = {value->type, constant.type};
    ResolvedFunction f;
    TRY(function_resolve_id(context->arena, op, 2, types, &f, context->err));
    TRY_ALLOC(args[1], expr_constant(context->arena, constant), context->err);
    TRY_ALLOC(e, expr_call(context->arena, &f, 2, args), context->err);
    return rule_list_add(context, conditions, e);
}

/* The rows that LIMIT and OFFSET leave of each partition. */
static Status limit_rows(Lifting *self, const LogicalNode *node, const LogicalNode *sort,
                         Lifted *out) {
    RuleContext *context = self->context;
    bool ties = node->kind == LOGICAL_TIES;
    int64_t limit = INT64_MAX, offset = 0, last;
    uint32_t nids, norder = sort ? sort->nkeys : 0;
    ColumnId *ids;
    LogicalNode *window;
    Expr *number, *rank;
    ExprList conditions = {0};
    TRY(row_count(context, node->limit, "LIMIT", &limit));
    TRY(row_count(context, node->offset, "OFFSET", &offset));
    if (__builtin_add_overflow(limit, offset, &last)) last = INT64_MAX;
    TRY(lift_key_columns(self, out, &nids, &ids));
    TRY(window_new(context, out->node, 1 + ties, &window));
    TRY(sort_keys(context, nids, ids, norder, sort ? sort->keys : NULL, &window->keys));
    window->npartition = nids;
    window->nkeys = nids + norder;
    TRY(number_rows(context, window, 0, "row_number", &number));
    if (ties) TRY(number_rows(context, window, 1, "rank", &rank));
    if (offset > 0) TRY(compare_count(context, TRIB_FN_gt, number, offset, &conditions));
    if (last < INT64_MAX)
        TRY(compare_count(context, TRIB_FN_le, ties && limit > 0 ? rank : number, last,
                          &conditions));
    return rule_filter(context, window, &conditions, &out->node);
}

Status lift_limit(Lifting *self, LogicalNode *node, Lifted *out) {
    LogicalNode *sort = node->children[0]->kind == LOGICAL_SORT ? node->children[0] : NULL;
    LogicalNode *below = sort ? sort->children[0] : node->children[0];
    TRY(lift(self, below, out));
    bool computed = false;
    for (uint32_t i = 0; sort && i < sort->nkeys; i++)
        computed = computed || lift_is_correlated(self, sort->keys[i].expr);
    if (!out->correlated && !computed) {
        out->node = node;
        return TRIB_OK;
    }
    bool whole = out->fills && !node->offset && node->limit && node->limit->kind == EXPR_CONSTANT &&
                 !node->limit->as.value.is_null && node->limit->as.value.as.integer > 0;
    if (whole) return TRIB_OK;
    if (out->fills || computed || !lift_all_rise(self, &out->conditions))
        TRY(lift_bind(self, below->noutput, below->output, NULL, out));
    out->correlated = true;
    return limit_rows(self, node, sort, out);
}
