/*
 * hoist_invariants.c - what each step of a recursive query would read or compute anew is computed once.
 *
 * A part of the step that does not read the rows of the step before gives the same rows each time. The
 * largest such parts that read tables or do work become shared plans: read once, kept in a buffer that
 * spills. Left alone is what varies (volatile functions, samples), what may raise (the step may never run)
 * and what has more than ROWS_MOST rows by the estimates: a large table is better asked for the keys of each
 * step (runtime filters) than read whole.
 */
#include "engine/optimise/rule.h"
#include "engine/plan/estimate.h"

#define ROWS_MOST 1e6

typedef struct Part {
    bool work;  /* reads a table, or costs something */
    bool fixed; /* may be taken out */
} Part;

static Status note_expr(RuleContext *context, void *state, Expr *e, Expr **out) {
    Part *part = state;
    if (e->may_raise || e->is_volatile) part->fixed = false;
    *out = e;
    return TRIB_OK;
}

static Status examine(RuleContext *context, LogicalNode *node, Part *part) {
    LogicalNode *same;
    TRY(rule_map_exprs(context, node, note_expr, part, &same));
    switch (node->kind) {
    case LOGICAL_SAMPLE:
    case LOGICAL_SINGLE_ROW:
    case LOGICAL_WORKING:
    case LOGICAL_RECURSIVE: part->fixed = false; break;
    case LOGICAL_SCAN:
    case LOGICAL_JOIN:
    case LOGICAL_AGGREGATE:
    case LOGICAL_WINDOW:
    case LOGICAL_SORT:
    case LOGICAL_TOPN: part->work = true; break;
    default: break;
    }
    for (uint32_t i = 0; i < node->nchildren && part->fixed; i++)
        TRY(examine(context, node->children[i], part));
    return TRIB_OK;
}

static Status take_out(RuleContext *context, LogicalNode *node, LogicalNode **out) {
    SharedPlan *shared;
    LogicalNode *leaf;
    uint32_t n = node->noutput;
    TRY_ALLOC(shared, ARENA_NEW(context->arena, SharedPlan), context->err);
    shared->root = node;
    shared->ncolumns = n;
    shared->ids = node->output;
    TRY(rule_add_shared(context, shared));
    TRY_ALLOC(leaf, logical_new(context->arena, LOGICAL_SHARED, n, 0), context->err);
    TRY_ALLOC(leaf->table_columns, ARENA_ARRAY(context->arena, uint32_t, n), context->err);
    leaf->shared = shared;
    for (uint32_t i = 0; i < n; i++) {
        leaf->output[i] = node->output[i];
        leaf->table_columns[i] = i;
    }
    *out = leaf;
    return TRIB_OK;
}

/* Inside a step: the largest parts that can be taken out are. */
static Status hoist(RuleContext *context, LogicalNode *node, LogicalNode **out) {
    Part part = {.fixed = true};
    TRY(examine(context, node, &part));
    if (part.fixed && part.work && node->noutput > 0) {
        RowMemo memo;
        row_memo_init(&memo, context->arena, context->columns);
        if (row_memo_get(&memo, node) <= ROWS_MOST) return take_out(context, node, out);
    }
    return rule_map_children(context, node, hoist, out);
}

Status rule_hoist_invariants(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    LogicalNode *node;
    TRY(rule_map_children(context, in, rule_hoist_invariants, &node));
    *out = node;
    if (node->kind != LOGICAL_RECURSIVE) return TRIB_OK;
    LogicalNode *step;
    TRY(hoist(context, node->children[1], &step));
    if (step == node->children[1]) return TRIB_OK;
    TRY_ALLOC(*out, logical_copy(context->arena, node), context->err);
    (*out)->children[1] = step;
    return TRIB_OK;
}
