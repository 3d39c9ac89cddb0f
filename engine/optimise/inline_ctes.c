/*
 * inline_ctes.c - uses of common table expressions that are not shared become their queries.
 *
 * The first use takes the plan itself, with its columns; the others take copies with columns of their own. How
 * large that makes the plan is added up before anything is copied: doubling forty times is an error, not a
 * matter of memory.
 */
#include "engine/optimise/rule.h"

#define NODES_MOST 100000 /* of the plan with its WITH queries in place */

/* ---------------------------------------------------------------- how large it becomes */

static uint64_t expanded_size(const uint64_t *sizes, const LogicalNode *node) {
    uint64_t size = 1;
    if (node->kind == LOGICAL_CTE && node->nchildren == 0) size += sizes[node->shared->id - 1];
    for (uint32_t i = 0; i < node->nchildren; i++) size += expanded_size(sizes, node->children[i]);
    return size < NODES_MOST ? size : NODES_MOST + 1;
}

/* The last use of a WITH query on the way down to what is large. */
static const LogicalNode *large_use(const uint64_t *sizes, const LogicalNode *node) {
    if (node->kind == LOGICAL_CTE && node->nchildren == 0) return node;
    const LogicalNode *use = NULL;
    uint64_t largest = 0;
    for (uint32_t i = 0; i < node->nchildren; i++) {
        uint64_t size = expanded_size(sizes, node->children[i]);
        const LogicalNode *found = size > largest ? large_use(sizes, node->children[i]) : NULL;
        if (!found) continue;
        use = found;
        largest = size;
    }
    return use;
}

static Status check_size(RuleContext *context, const uint64_t *sizes, const LogicalNode *root) {
    if (expanded_size(sizes, root) <= NODES_MOST) return TRIB_OK;
    const LogicalNode *use = large_use(sizes, root);
    error_set_at(
        context->err, ERR_LIMIT, use ? use->line : 0, use ? use->column : 0,
        "the WITH queries, put where they are used, make a plan of more than %d operations",
        NODES_MOST);
    return error_hint(context->err,
                      "Queries with random() or samples, and all with share_ctes switched off, are "
                      "computed at each use.");
}

/* Entries come after those that they use. */
static Status check_sizes(RuleContext *context) {
    const LogicalPlan *plan = context->plan;
    uint64_t *sizes;
    TRY_ALLOC(sizes, ARENA_ARRAY(context->arena, uint64_t, plan->nctes), context->err);
    for (uint32_t i = 0; i < plan->nctes; i++)
        if (plan->ctes[i]) sizes[i] = expanded_size(sizes, plan->ctes[i]->root);
    for (uint32_t i = 0; i < plan->nshared; i++)
        TRY(check_size(context, sizes, plan->shared[i]->root));
    return check_size(context, sizes, plan->root);
}

/* ---------------------------------------------------------------- putting in */

static Status inline_in(RuleContext *context, LogicalNode *in, LogicalNode **out);

/* The plan with other names for its columns: `from` become the use's. */
static Status rename_columns(RuleContext *context, const LogicalNode *use, LogicalNode *child,
                             const ColumnId *from, LogicalNode **out) {
    LogicalNode *node;
    uint32_t n = use->noutput;
    bool merge = child->kind == LOGICAL_PROJECT; /* a copy, whose names nobody else knows */
    TRY_ALLOC(node, logical_new(context->arena, LOGICAL_PROJECT, n, 1), context->err);
    TRY_ALLOC(node->exprs, ARENA_ARRAY(context->arena, Expr *, n), context->err);
    node->children[0] = merge ? child->children[0] : child;
    for (uint32_t i = 0; i < n; i++) {
        ColumnId id = from[use->table_columns[i]];
        node->output[i] = use->output[i];
        for (uint32_t k = 0; merge && k < child->noutput; k++)
            if (child->output[k] == id) node->exprs[i] = child->exprs[k];
        if (!merge) TRY_ALLOC(node->exprs[i], rule_column(context, id), context->err);
    }
    *out = node;
    return TRIB_OK;
}

/* Is it the use that has the query's own columns? */
static bool is_first(const LogicalNode *use, const SharedPlan *entry) {
    return use->noutput > 0 && use->output[0] == entry->ids[use->table_columns[0]];
}

static bool same_output(const LogicalNode *a, const LogicalNode *b) {
    return a->noutput == b->noutput &&
           memcmp(a->output, b->output, a->noutput * sizeof *a->output) == 0;
}

static Status named_output(RuleContext *context, const LogicalNode *use, LogicalNode *child,
                           LogicalNode **out) {
    *out = child;
    if (same_output(child, use)) return TRIB_OK;
    return rule_project_columns(context, child, use->noutput, use->output, out);
}

static Status put_plan(RuleContext *context, const LogicalNode *use, LogicalNode **out) {
    uint32_t at = use->shared->id - 1;
    SharedPlan *entry = context->plan->ctes[at];
    LogicalNode *copy;
    ColumnId *from;
    if (!context->inlined[at]) {
        context->inlined[at] = true;
        TRY(inline_in(context, entry->root, &entry->root));
    }
    if (is_first(use, entry)) return named_output(context, use, entry->root, out);
    TRY(logical_clone_again(context->arena, context->columns, entry->root, &context->clones, &copy,
                            context->err));
    TRY_ALLOC(from, ARENA_ARRAY(context->arena, ColumnId, entry->ncolumns), context->err);
    for (uint32_t i = 0; i < entry->ncolumns; i++) from[i] = context->clones.map[entry->ids[i]];
    return rename_columns(context, use, copy, from, out);
}

static Status inline_in(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    if (in->kind == LOGICAL_CTE && in->nchildren == 0) return put_plan(context, in, out);
    TRY(rule_map_children(context, in, inline_in, out));
    return (*out)->kind == LOGICAL_CTE ? named_output(context, *out, (*out)->children[0], out)
                                       : TRIB_OK;
}

Status rule_inline_ctes(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    LogicalPlan *plan = context->plan;
    *out = in;
    if (in != plan->root) return TRIB_OK; /* a shared plan: done with the whole */
    TRY_ALLOC(context->inlined, ARENA_ARRAY(context->arena, bool, plan->nctes), context->err);
    TRY(check_sizes(context));
    TRY(inline_in(context, in, out));
    for (uint32_t i = 0; i < plan->nshared; i++)
        TRY(inline_in(context, plan->shared[i]->root, &plan->shared[i]->root));
    plan->nctes = 0;
    return TRIB_OK;
}
