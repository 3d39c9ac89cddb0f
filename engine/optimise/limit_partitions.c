/*
 * limit_partitions.c - the first rows of each partition: FILTER row_number <= n over WINDOW.
 *
 * A condition that bounds row_number(), rank() or dense_rank() by a constant wants the first rows of each
 * partition only: WINDOW is told so and leaves out the others before it sorts (window_keep.c). The filter stays:
 * WINDOW may let more rows through. All functions of the node must be such ranks, whose values depend on rows
 * before theirs only; the rows that stay are then numbered as if the others were there.
 */
#include "engine/optimise/rule.h"

#define KEEP_MOST 1000 /* rows that are remembered per partition */

static bool is_rank(uint16_t id) {
    return id == TRIB_FN_row_number || id == TRIB_FN_rank || id == TRIB_FN_dense_rank;
}

/* The function that puts out the column. */
static const WindowCall *window_of(const LogicalNode *window, ColumnId id) {
    uint32_t first = window->noutput - window->nwindows;
    for (uint32_t i = 0; i < window->nwindows; i++)
        if (window->output[first + i] == id) return window->windows[i]->as.window;
    return NULL;
}

/* The greatest value that `column op number` lets through; 0: it is not of that form. */
static int64_t bound_of(uint16_t op, int64_t number) {
    switch (op) {
    case TRIB_FN_eq:
    case TRIB_FN_le: return number;
    case TRIB_FN_lt: return number == INT64_MIN ? 0 : number - 1;
    default: return 0;
    }
}

static uint16_t turned_round(uint16_t op) {
    switch (op) {
    case TRIB_FN_gt: return TRIB_FN_lt;
    case TRIB_FN_ge: return TRIB_FN_le;
    case TRIB_FN_lt:
    case TRIB_FN_le: return 0;
    default: return op;
    }
}

/* Does the conjunct bound one of the ranks? *rows: by how much. */
static bool conjunct_bounds(const LogicalNode *window, const Expr *e, uint16_t *by, int64_t *rows) {
    if (e->kind != EXPR_CALL || e->nargs != 2) return false;
    const Expr *column = e->args[0], *number = e->args[1];
    uint16_t op = e->as.function->id;
    if (column->kind == EXPR_CONSTANT) {
        column = e->args[1];
        number = e->args[0];
        op = turned_round(op);
    }
    if (column->kind != EXPR_COLUMN || number->kind != EXPR_CONSTANT) return false;
    if (number->as.value.is_null || number->type.id != TRIB_TYPE_BIGINT) return false;
    const WindowCall *call = window_of(window, column->as.column_id);
    if (!call) return false;
    *by = call->function->id;
    *rows = bound_of(op, number->as.value.as.integer);
    return *rows >= 1 && *rows <= KEEP_MOST;
}

static bool ranks_only(const LogicalNode *window) {
    for (uint32_t i = 0; i < window->nwindows; i++) {
        const WindowCall *call = window->windows[i]->as.window;
        if (!call->function || !is_rank(call->function->id)) return false;
    }
    return window->nwindows > 0;
}

Status rule_limit_partitions(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    LogicalNode *node, *window = in->nchildren ? in->children[0] : NULL;
    uint16_t by;
    int64_t rows;
    TRY(rule_map_children(context, in, rule_limit_partitions, &node));
    *out = node;
    if (node->kind != LOGICAL_FILTER || window->kind != LOGICAL_WINDOW) return TRIB_OK;
    window = node->children[0];
    if (!ranks_only(window)) return TRIB_OK;
    for (uint32_t i = 0; i < node->nconjuncts; i++) {
        if (!conjunct_bounds(window, node->conjuncts[i], &by, &rows)) continue;
        if (window->keep > 0 && rows >= window->keep) continue;
        if (window == node->children[0]) {
            TRY_ALLOC(window, logical_copy(context->arena, window), context->err);
            TRY_ALLOC(*out, logical_copy(context->arena, node), context->err);
            (*out)->children[0] = window;
        }
        window->keep = (uint32_t)rows;
        window->keep_by = by;
    }
    return TRIB_OK;
}
