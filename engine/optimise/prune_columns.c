/*
 * prune_columns.c - columns that nothing above uses are not computed, joined or read.
 *
 * Walks down with the set of needed column ids. A node that must keep its rows but none of its columns
 * (count(*)) may end up without output; a scan then reads its narrowest column.
 */
#include "engine/optimise/rule.h"

static Status prune(RuleContext *context, const LogicalNode *node, const uint64_t *needed,
                    LogicalNode **out);

static Status needed_new(RuleContext *context, const uint64_t *from, uint64_t **out) {
    TRY(rule_columns_new(context, out));
    if (from) memcpy(*out, from, bitmap_words(context->columns->count + 1) * sizeof **out);
    return TRIB_OK;
}

/* Keeps the needed ones of node's output, with parallel arrays (may be NULL) kept in step. */
static Status keep_output(RuleContext *context, LogicalNode *node, const uint64_t *needed,
                          uint32_t from, uint32_t **positions, uint32_t *count) {
    uint32_t n = 0, kept = 0;
    ColumnId *output;
    for (uint32_t i = 0; i < node->noutput; i++)
        kept += i < from || bitmap_get(needed, node->output[i]);
    TRY_ALLOC(output, ARENA_ARRAY(context->arena, ColumnId, kept + 1), context->err);
    TRY_ALLOC(*positions, ARENA_ARRAY(context->arena, uint32_t, kept + 1), context->err);
    for (uint32_t i = 0; i < node->noutput; i++) {
        if (i >= from && !bitmap_get(needed, node->output[i])) continue;
        output[n] = node->output[i];
        (*positions)[n++] = i;
    }
    node->output = output;
    node->noutput = n;
    *count = n;
    return TRIB_OK;
}

static Status pick_exprs(RuleContext *context, Expr ***exprs, const uint32_t *positions,
                         uint32_t count) {
    Expr **picked;
    TRY_ALLOC(picked, ARENA_ARRAY(context->arena, Expr *, count), context->err);
    for (uint32_t i = 0; i < count; i++) picked[i] = (*exprs)[positions[i]];
    *exprs = picked;
    return TRIB_OK;
}

static Status pick_rows(RuleContext *context, uint32_t rows, Expr ****matrix,
                        const uint32_t *positions, uint32_t count) {
    Expr ***copy;
    TRY_ALLOC(copy, ARENA_ARRAY(context->arena, Expr **, rows), context->err);
    for (uint32_t r = 0; r < rows; r++) {
        copy[r] = (*matrix)[r];
        TRY(pick_exprs(context, &copy[r], positions, count));
    }
    *matrix = copy;
    return TRIB_OK;
}

/* Width in bytes as a scan pays for it; text is worst. */
static size_t column_cost(Type type) {
    size_t size = physical_size(type_physical(type));
    return type_physical(type) == PHYS_STRING || size == 0 ? 64 : size;
}

static Status prune_scan(RuleContext *context, LogicalNode *node, const uint64_t *needed) {
    uint32_t narrowest = 0, *positions, n;
    const TribTable *table = &node->table->table;
    for (uint32_t i = 1; i < node->noutput; i++) {
        const TribColumn *c = &table->columns[node->table_columns[i]];
        const TribColumn *best = &table->columns[node->table_columns[narrowest]];
        if (best->unreadable || (!c->unreadable && column_cost(c->type) < column_cost(best->type)))
            narrowest = i;
    }
    uint64_t *wanted;
    TRY(needed_new(context, needed, &wanted));
    bool any = false;
    for (uint32_t i = 0; i < node->noutput; i++) any |= bitmap_get(wanted, node->output[i]);
    if (!any && node->noutput) bitmap_set(wanted, node->output[narrowest]);
    uint32_t *columns;
    TRY(keep_output(context, node, wanted, 0, &positions, &n));
    TRY_ALLOC(columns, ARENA_ARRAY(context->arena, uint32_t, n), context->err);
    for (uint32_t i = 0; i < n; i++) columns[i] = node->table_columns[positions[i]];
    node->table_columns = columns;
    return TRIB_OK;
}

static void add_exprs(uint64_t *needed, uint32_t count, Expr *const *exprs) {
    for (uint32_t i = 0; i < count; i++) expr_columns(exprs[i], needed);
}

static Status prune_join(RuleContext *context, LogicalNode *node, const uint64_t *needed) {
    uint32_t *positions, n;
    uint64_t *below;
    TRY(keep_output(context, node, needed, 0, &positions, &n));
    if (node->join == JOIN_MARK &&
        !bitmap_get(needed, node->mark)) { /* nobody asks: but the node must be whole */
        node->output[node->noutput++] = node->mark;
    }
    TRY(needed_new(context, needed, &below));
    add_exprs(below, node->nconjuncts, node->conjuncts);
    for (uint32_t i = 0; i < 2; i++)
        TRY(prune(context, node->children[i], below, &node->children[i]));
    return TRIB_OK;
}

/* Groups stay: they make the rows. Without groups one aggregate stays: it makes the one row. */
static Status prune_aggregate(RuleContext *context, LogicalNode *node, const uint64_t *needed) {
    uint32_t *positions, n;
    uint64_t *below, *wanted;
    TRY(needed_new(context, needed, &wanted));
    bool any = node->ngroups > 0;
    for (uint32_t i = 0; i < node->naggregates; i++)
        any |= bitmap_get(wanted, node->output[node->ngroups + i]);
    if (!any && node->naggregates) bitmap_set(wanted, node->output[0]);
    TRY(keep_output(context, node, wanted, node->ngroups, &positions, &n));
    for (uint32_t i = node->ngroups; i < n; i++)
        positions[i - node->ngroups] = positions[i] - node->ngroups;
    node->naggregates = n - node->ngroups;
    TRY(pick_exprs(context, &node->aggregates, positions, node->naggregates));
    TRY(needed_new(context, NULL, &below));
    add_exprs(below, node->ngroups, node->groups);
    for (uint32_t i = 0; i < node->naggregates; i++) {
        expr_columns(node->aggregates[i], below);
        if (node->aggregates[i]->as.agg.filter)
            expr_columns(node->aggregates[i]->as.agg.filter, below);
    }
    return prune(context, node->children[0], below, &node->children[0]);
}

/* Functions that nobody asks for go; without any the node goes. What passes through is the child's. */
static Status prune_window(RuleContext *context, LogicalNode *node, const uint64_t *needed,
                           LogicalNode **out) {
    uint32_t first = node->noutput - node->nwindows, n = 0;
    uint64_t *below;
    Expr **windows;
    ColumnId *ids, *output;
    TRY(needed_new(context, needed, &below));
    TRY_ALLOC(windows, ARENA_ARRAY(context->arena, Expr *, node->nwindows), context->err);
    TRY_ALLOC(ids, ARENA_ARRAY(context->arena, ColumnId, node->nwindows), context->err);
    for (uint32_t i = 0; i < node->nwindows; i++) {
        if (!bitmap_get(needed, node->output[first + i])) continue;
        ids[n] = node->output[first + i];
        windows[n++] = node->windows[i];
    }
    add_exprs(below, n, windows);
    for (uint32_t i = 0; n && i < node->nkeys; i++) expr_columns(node->keys[i].expr, below);
    LogicalNode *child;
    TRY(prune(context, node->children[0], below, &child));
    *out = child;
    if (n == 0) return TRIB_OK;
    *out = node;
    node->children[0] = child;
    node->nwindows = n;
    node->windows = windows;
    TRY_ALLOC(output, ARENA_ARRAY(context->arena, ColumnId, child->noutput + n), context->err);
    node->noutput = 0;
    for (uint32_t i = 0; i < child->noutput; i++) {
        if (bitmap_get(needed, child->output[i])) output[node->noutput++] = child->output[i];
    }
    memcpy(output + node->noutput, ids, n * sizeof *ids);
    node->noutput += n;
    node->output = output;
    return TRIB_OK;
}

static Status prune_union(RuleContext *context, LogicalNode *node, const uint64_t *needed) {
    uint32_t *positions, n;
    TRY(keep_output(context, node, needed, 0, &positions, &n));
    ColumnId **inputs;
    TRY_ALLOC(inputs, ARENA_ARRAY(context->arena, ColumnId *, node->nchildren), context->err);
    for (uint32_t c = 0; c < node->nchildren; c++) {
        uint64_t *below;
        TRY(needed_new(context, NULL, &below));
        TRY_ALLOC(inputs[c], ARENA_ARRAY(context->arena, ColumnId, n), context->err);
        for (uint32_t i = 0; i < n; i++) {
            inputs[c][i] = node->inputs[c][positions[i]];
            bitmap_set(below, inputs[c][i]);
        }
        TRY(prune(context, node->children[c], below, &node->children[c]));
    }
    node->inputs = inputs;
    return TRIB_OK;
}

/* FILTER, SORT, LIMIT, top-N, SINGLE_ROW: what is needed above plus their own expressions; the output
 * stays the child's. */
static Status prune_passing(RuleContext *context, LogicalNode *node, const uint64_t *needed) {
    uint64_t *below;
    TRY(needed_new(context, needed, &below));
    add_exprs(below, node->nconjuncts, node->conjuncts);
    for (uint32_t i = 0; i < node->nkeys; i++) expr_columns(node->keys[i].expr, below);
    TRY(prune(context, node->children[0], below, &node->children[0]));
    node->noutput = node->children[0]->noutput;
    node->output = node->children[0]->output;
    return TRIB_OK;
}

/* All columns make the rows of a recursive query: the next step reads them. */
static Status prune_recursive(RuleContext *context, LogicalNode *node) {
    for (uint32_t c = 0; c < node->nchildren; c++) {
        uint64_t *below;
        TRY(needed_new(context, NULL, &below));
        for (uint32_t i = 0; i < node->noutput; i++) bitmap_set(below, node->inputs[c][i]);
        TRY(prune(context, node->children[c], below, &node->children[c]));
    }
    return TRIB_OK;
}

static Status prune_working(RuleContext *context, LogicalNode *node, const uint64_t *needed) {
    uint32_t *positions, n, *columns;
    TRY(keep_output(context, node, needed, 0, &positions, &n));
    TRY_ALLOC(columns, ARENA_ARRAY(context->arena, uint32_t, n), context->err);
    for (uint32_t i = 0; i < n; i++) columns[i] = node->table_columns[positions[i]];
    node->table_columns = columns;
    return TRIB_OK;
}

static Status prune_repeat(RuleContext *context, LogicalNode *node, const uint64_t *needed) {
    uint32_t *positions, n;
    uint64_t *below;
    TRY(keep_output(context, node, needed, 0, &positions, &n));
    TRY(needed_new(context, needed, &below));
    bitmap_set(below, node->mark);
    return prune(context, node->children[0], below, &node->children[0]);
}

static Status prune_computing(RuleContext *context, LogicalNode *node, const uint64_t *needed) {
    uint32_t *positions, n;
    uint64_t *below;
    TRY(keep_output(context, node, needed, 0, &positions, &n));
    TRY(needed_new(context, NULL, &below));
    if (node->kind == LOGICAL_PROJECT) {
        TRY(pick_exprs(context, &node->exprs, positions, n));
        add_exprs(below, n, node->exprs);
    } else {
        TRY(pick_rows(context, node->nsets, &node->sets, positions, n));
        for (uint32_t s = 0; s < node->nsets; s++) add_exprs(below, n, node->sets[s]);
    }
    return prune(context, node->children[0], below, &node->children[0]);
}

/* Its arguments stay: they make the rows. */
static Status prune_unnest(RuleContext *context, LogicalNode *node, const uint64_t *needed) {
    uint32_t *positions, n, kept = 0;
    uint64_t *below;
    UnnestColumn *unnested;
    TRY(keep_output(context, node, needed, 0, &positions, &n));
    TRY_ALLOC(unnested, ARENA_ARRAY(context->arena, UnnestColumn, n), context->err);
    TRY(needed_new(context, NULL, &below));
    for (uint32_t i = 0; i < n; i++) {
        if (positions[i] < node->nkept) {
            bitmap_set(below, node->output[i]);
            kept++;
        } else {
            unnested[i - kept] = node->unnested[positions[i] - node->nkept];
        }
    }
    node->nkept = kept;
    node->unnested = unnested;
    add_exprs(below, node->nunnest, node->unnest);
    return prune(context, node->children[0], below, &node->children[0]);
}

static Status prune_values(RuleContext *context, LogicalNode *node, const uint64_t *needed) {
    uint32_t *positions, n;
    TRY(keep_output(context, node, needed, 0, &positions, &n));
    return pick_rows(context, node->nrows, &node->value_rows, positions, n);
}

static Status prune_write(RuleContext *context, LogicalNode *node) {
    uint64_t *below;
    TRY(needed_new(context, NULL, &below));
    const LogicalNode *child = node->children[0];
    for (uint32_t i = 0; i < child->noutput; i++) bitmap_set(below, child->output[i]);
    ColumnId *order = child->output;
    uint32_t count = child->noutput;
    TRY(prune(context, child, below, &node->children[0]));
    if (node->children[0]->noutput == count &&
        memcmp(node->children[0]->output, order, count * sizeof *order) == 0) {
        return TRIB_OK;
    }
    return rule_project_columns(context, node->children[0], count, order, &node->children[0]);
}

static Status prune(RuleContext *context, const LogicalNode *in, const uint64_t *needed,
                    LogicalNode **out) {
    LogicalNode *node;
    TRY_ALLOC(node, logical_copy(context->arena, in), context->err);
    *out = node;
    switch (node->kind) {
    case LOGICAL_SCAN: return prune_scan(context, node, needed);
    case LOGICAL_VALUES: return prune_values(context, node, needed);
    case LOGICAL_PROJECT:
    case LOGICAL_EXPAND: return prune_computing(context, node, needed);
    case LOGICAL_JOIN: return prune_join(context, node, needed);
    case LOGICAL_AGGREGATE: return prune_aggregate(context, node, needed);
    case LOGICAL_RECURSIVE: return prune_recursive(context, node);
    case LOGICAL_SHARED:
    case LOGICAL_WORKING: return prune_working(context, node, needed);
    case LOGICAL_REPEAT: return prune_repeat(context, node, needed);
    case LOGICAL_WINDOW: return prune_window(context, node, needed, out);
    case LOGICAL_UNION: return prune_union(context, node, needed);
    case LOGICAL_UNNEST: return prune_unnest(context, node, needed);
    case LOGICAL_WRITE: return prune_write(context, node);
    default: return prune_passing(context, node, needed);
    }
}

Status rule_prune_columns(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    uint64_t *needed;
    TRY(rule_columns_new(context, &needed));
    for (uint32_t i = 0; i < in->noutput; i++) bitmap_set(needed, in->output[i]);
    LogicalNode *pruned;
    TRY(prune(context, in, needed, &pruned));
    *out = pruned;
    if (in->kind == LOGICAL_WRITE) return TRIB_OK;
    if (pruned->noutput == in->noutput &&
        memcmp(pruned->output, in->output, in->noutput * sizeof *in->output) == 0) {
        return TRIB_OK;
    }
    return rule_project_columns(context, pruned, in->noutput, in->output, out);
}
