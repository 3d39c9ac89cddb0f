/*
 * lower.c - logical plan to physical plan: all nodes but joins, shared and recursive ones.
 *
 * Column ids become ordinals of the input batch (lower_inputs.c). Each lowered node comes with the list of
 * ids in the order of its columns, which need not be the logical order (a join whose sides were swapped);
 * parents look ids up, and the root is projected into the wanted order. One thread; arena.
 */
#include "engine/plan/lower.h"

/* The value of a LIMIT or OFFSET: folded by now. */
static Status row_count(Lowering *self, const Expr *e, const char *what, int64_t absent,
                        int64_t *out) {
    *out = absent;
    if (!e) return TRIB_OK;
    if (e->kind != EXPR_CONSTANT || e->as.value.is_null || !type_is_integer(e->as.value.type)) {
        return error_set_at(self->err, ERR_INVALID_ARGUMENT, e->line, e->column,
                            "%s needs a whole number", what);
    }
    *out = e->as.value.as.integer;
    if (*out < 0) {
        return error_set_at(self->err, ERR_INVALID_ARGUMENT, e->line, e->column,
                            "%s must not be negative: %lld", what, (long long)*out);
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- leaves and unary nodes */

static Status lower_scan(Lowering *self, const LogicalNode *node, Lowered *out) {
    TRY(lowered_new(self, PHYS_SCAN, node->noutput, 0, out));
    TRY(lowered_set_columns(self, out, node->output));
    const PushedScan *pushed = node->pushed;
    if (!pushed || !pushed->plan) {
        return error_set(self->err, ERR_GENERAL, "internal error: the scan of %s was not planned",
                         node->table->table.name);
    }
    out->node->as.scan.plan = pushed->plan;
    out->node->as.scan.table = node->table;
    out->node->as.scan.for_update = node->for_update;
    out->node->as.scan.pushed = pushed;
    out->node->as.scan.limit = pushed->taken & TRIB_TAKEN_LIMIT ? pushed->limit_rows : -1;
    /* Rows of several splits are limited again above; stopping early is right only without an order. */
    if (pushed->offered_order) out->node->as.scan.limit = -1;
    return TRIB_OK;
}

static Status lower_values(Lowering *self, const LogicalNode *node, Lowered *out) {
    TRY(lowered_new(self, PHYS_VALUES, node->noutput, 0, out));
    TRY(lowered_set_columns(self, out, node->output));
    out->node->as.values.nrows = node->nrows;
    out->node->as.values.rows = node->value_rows;
    return TRIB_OK;
}

static Status lower_sets(Lowering *self, const LogicalNode *node, Lowered *out) {
    TRY(lowered_new(self, PHYS_SETS, node->noutput, 0, out));
    out->node->as.sets = node->sets_of;
    return lowered_set_columns(self, out, node->output);
}

static Status lower_filter(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered child;
    TRY(lower_node(self, node->children[0], &child));
    TRY(lowered_same(self, PHYS_FILTER, &child, out));
    Inputs inputs;
    TRY(inputs_open(self, INPUTS_ONLY, &child, NULL, &inputs));
    Expr **conjuncts;
    TRY_ALLOC(conjuncts, ARENA_ARRAY(self->arena, Expr *, node->nconjuncts), self->err);
    uint32_t n = 0;
    for (int raising = 0; raising < 2; raising++) {
        for (uint32_t i = 0; i < node->nconjuncts; i++) {
            if (node->conjuncts[i]->may_raise != (raising == 1)) continue;
            TRY(inputs_lower(&inputs, node->conjuncts[i], &conjuncts[n++]));
        }
    }
    out->node->as.filter.nconjuncts = n;
    out->node->as.filter.conjuncts = conjuncts;
    return TRIB_OK;
}

static Status lower_project(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered child;
    TRY(lower_node(self, node->children[0], &child));
    Inputs inputs;
    TRY(lowered_over(self, PHYS_PROJECT, node->noutput, &child, out));
    TRY(lowered_set_columns(self, out, node->output));
    TRY(inputs_open(self, INPUTS_ONLY, &child, NULL, &inputs));
    return inputs_lower_all(&inputs, node->noutput, node->exprs, &out->node->as.project.exprs);
}

static Status lower_expand(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered child;
    TRY(lower_node(self, node->children[0], &child));
    TRY(lowered_over(self, PHYS_EXPAND, node->noutput, &child, out));
    TRY(lowered_set_columns(self, out, node->output));
    Inputs inputs;
    TRY(inputs_open(self, INPUTS_ONLY, &child, NULL, &inputs));
    out->node->as.expand.nsets = node->nsets;
    TRY_ALLOC(out->node->as.expand.sets, ARENA_ARRAY(self->arena, Expr **, node->nsets), self->err);
    for (uint32_t s = 0; s < node->nsets; s++) {
        TRY(inputs_lower_all(&inputs, node->noutput, node->sets[s], &out->node->as.expand.sets[s]));
    }
    return TRIB_OK;
}

static Status lower_unnest(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered child;
    TRY(lower_node(self, node->children[0], &child));
    TRY(lowered_over(self, PHYS_UNNEST, node->noutput, &child, out));
    TRY(lowered_set_columns(self, out, node->output));
    Inputs inputs;
    TRY(inputs_open(self, INPUTS_ONLY, &child, NULL, &inputs));
    PhysNode *unnest = out->node;
    unnest->as.unnest.nargs = node->nunnest;
    TRY(inputs_lower_all(&inputs, node->nunnest, node->unnest, &unnest->as.unnest.args));
    TRY_ALLOC(unnest->as.unnest.kept, ARENA_ARRAY(self->arena, uint32_t, node->nkept), self->err);
    for (uint32_t i = 0; i < node->nkept; i++) {
        unnest->as.unnest.kept[i] = inputs_ordinal(&inputs, node->output[i]);
        if (unnest->as.unnest.kept[i] == UINT32_MAX)
            return error_set(self->err, ERR_GENERAL,
                             "internal error: a column is missing from UNNEST's input");
    }
    unnest->as.unnest.nkept = node->nkept;
    unnest->as.unnest.columns = node->unnested;
    unnest->as.unnest.keep_empty = node->keep_empty;
    return TRIB_OK;
}

static Status lower_aggregate(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered child;
    TRY(lower_node(self, node->children[0], &child));
    TRY(lowered_over(self, PHYS_AGGREGATE, node->noutput, &child, out));
    TRY(lowered_set_columns(self, out, node->output));
    Inputs inputs;
    TRY(inputs_open(self, INPUTS_ONLY, &child, NULL, &inputs));
    out->node->as.aggregate.ngroups = node->ngroups;
    TRY(inputs_lower_all(&inputs, node->ngroups, node->groups, &out->node->as.aggregate.groups));
    PhysAggregate *aggregates;
    TRY_ALLOC(aggregates, ARENA_ARRAY(self->arena, PhysAggregate, node->naggregates), self->err);
    for (uint32_t i = 0; i < node->naggregates; i++) {
        const Expr *e = node->aggregates[i];
        if (e->distinct)
            return error_set(self->err, ERR_GENERAL, "internal error: DISTINCT was not expanded");
        Expr **args;
        TRY(inputs_lower_all(&inputs, e->nargs, e->args, &args));
        aggregates[i] = (PhysAggregate){.aggregate = e->as.agg.aggregate,
                                        .nargs = e->nargs,
                                        .args = args,
                                        .result = e->type,
                                        .line = e->line,
                                        .column = e->column};
        if (e->as.agg.filter) TRY(inputs_lower(&inputs, e->as.agg.filter, &aggregates[i].filter));
    }
    out->node->as.aggregate.naggregates = node->naggregates;
    out->node->as.aggregate.aggregates = aggregates;
    out->node->as.aggregate.nempty = node->nempty;
    out->node->as.aggregate.empty_rows = node->empty_rows;
    return TRIB_OK;
}

static Status lower_key(Lowering *self, const Inputs *inputs, const SortKey *key,
                        PhysSortKey *out) {
    const Expr *e = key->expr;
    uint32_t ordinal =
        e->kind == EXPR_COLUMN ? inputs_ordinal(inputs, e->as.column_id) : UINT32_MAX;
    if (ordinal == UINT32_MAX)
        return error_set(self->err, ERR_GENERAL, "internal error: a sort key is not a column");
    *out = (PhysSortKey){ordinal, key->descending, key->nulls_first};
    return TRIB_OK;
}

static Status sort_over(Lowering *self, PhysKind kind, const LogicalNode *node,
                        const Lowered *child, Lowered *out) {
    TRY(lowered_same(self, kind, child, out));
    Inputs inputs;
    TRY(inputs_open(self, INPUTS_ONLY, child, NULL, &inputs));
    PhysSortKey *keys;
    TRY_ALLOC(keys, ARENA_ARRAY(self->arena, PhysSortKey, node->nkeys), self->err);
    for (uint32_t i = 0; i < node->nkeys; i++)
        TRY(lower_key(self, &inputs, &node->keys[i], &keys[i]));
    out->node->as.sort.nkeys = node->nkeys;
    out->node->as.sort.keys = keys;
    TRY(row_count(self, node->limit, "LIMIT", -1, &out->node->as.sort.limit));
    return row_count(self, node->offset, "OFFSET", 0, &out->node->as.sort.offset);
}

/* WITH TIES over a sort: only the first rows are sorted, with those that are equal to the last of them. */
static Status lower_ties(Lowering *self, const LogicalNode *node, Lowered *out) {
    const LogicalNode *below = node->children[0];
    bool first = below->kind == LOGICAL_SORT && node->limit;
    Lowered input, sorted;
    TRY(lower_node(self, first ? below->children[0] : below, first ? &input : &sorted));
    if (first) {
        TRY(sort_over(self, PHYS_TOPN, node, &input, &sorted));
        sorted.node->as.sort.ties = true;
        sorted.node->rows = row_memo_get(&self->memo, node);
    }
    return sort_over(self, PHYS_TIES, node, &sorted, out);
}

static Status lower_sort(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered child;
    TRY(lower_node(self, node->children[0], &child));
    return sort_over(self, node->kind == LOGICAL_TOPN ? PHYS_TOPN : PHYS_SORT, node, &child, out);
}

static Status lower_window(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered child;
    TRY(lower_node(self, node->children[0], &child));
    TRY(lowered_over(self, PHYS_WINDOW, node->noutput, &child, out));
    TRY(lowered_set_columns(self, out, node->output));
    Inputs inputs;
    TRY(inputs_open(self, INPUTS_ONLY, &child, NULL, &inputs));
    PhysNode *window = out->node;
    uint32_t npass = node->noutput - node->nwindows;
    window->as.window.npartition = node->npartition;
    window->as.window.keep = node->keep;
    window->as.window.keep_by = node->keep_by;
    window->as.window.nkeys = node->nkeys;
    window->as.window.npass = npass;
    window->as.window.nwindows = node->nwindows;
    TRY_ALLOC(window->as.window.keys, ARENA_ARRAY(self->arena, PhysSortKey, node->nkeys),
              self->err);
    TRY_ALLOC(window->as.window.pass, ARENA_ARRAY(self->arena, uint32_t, npass), self->err);
    TRY_ALLOC(window->as.window.windows, ARENA_ARRAY(self->arena, PhysWindow, node->nwindows),
              self->err);
    for (uint32_t i = 0; i < node->nkeys; i++)
        TRY(lower_key(self, &inputs, &node->keys[i], &window->as.window.keys[i]));
    for (uint32_t i = 0; i < npass; i++) {
        Expr *column, *lowered;
        Type type = plan_column(&self->plan->columns, node->output[i])->type;
        TRY_ALLOC(column, expr_column(self->arena, node->output[i], type), self->err);
        TRY(inputs_lower(&inputs, column, &lowered));
        window->as.window.pass[i] = lowered->as.ordinal;
    }
    for (uint32_t i = 0; i < node->nwindows; i++) {
        const Expr *e = node->windows[i];
        Expr **args;
        TRY(inputs_lower_all(&inputs, e->nargs, e->args, &args));
        window->as.window.windows[i] = (PhysWindow){.call = e->as.window,
                                                    .nargs = e->nargs,
                                                    .args = args,
                                                    .result = e->type,
                                                    .line = e->line,
                                                    .column = e->column};
    }
    return TRIB_OK;
}

static Status lower_limit(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered child;
    TRY(lower_node(self, node->children[0], &child));
    TRY(lowered_same(self, PHYS_LIMIT, &child, out));
    TRY(row_count(self, node->limit, "LIMIT", -1, &out->node->as.limit.limit));
    return row_count(self, node->offset, "OFFSET", 0, &out->node->as.limit.offset);
}

static Status lower_repeat(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered child;
    TRY(lower_node(self, node->children[0], &child));
    TRY(lowered_over(self, PHYS_REPEAT, node->noutput, &child, out));
    TRY(lowered_set_columns(self, out, node->output));
    Inputs inputs;
    TRY(inputs_open(self, INPUTS_ONLY, &child, NULL, &inputs));
    TRY_ALLOC(out->node->as.repeat.columns, ARENA_ARRAY(self->arena, uint32_t, node->noutput),
              self->err);
    for (uint32_t i = 0; i < node->noutput; i++)
        out->node->as.repeat.columns[i] = inputs_ordinal(&inputs, node->output[i]);
    out->node->as.repeat.count = inputs_ordinal(&inputs, node->mark);
    return TRIB_OK;
}

static Status lower_sample(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered child;
    const Expr *e = node->limit;
    if (e->kind != EXPR_CONSTANT || e->as.value.is_null) {
        return error_set_at(self->err, ERR_INVALID_ARGUMENT, e->line, e->column,
                            "the percentage of TABLESAMPLE must not be NULL");
    }
    double percent = e->as.value.as.real;
    if (!(percent >= 0 && percent <= 100)) {
        return error_set_at(self->err, ERR_INVALID_ARGUMENT, e->line, e->column,
                            "the percentage of TABLESAMPLE must be between 0 and 100, not %g",
                            percent);
    }
    TRY(lower_node(self, node->children[0], &child));
    TRY(lowered_same(self, PHYS_SAMPLE, &child, out));
    out->node->as.sample.system = node->system;
    out->node->as.sample.percent = percent;
    return TRIB_OK;
}

static Status lower_single_row(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered child;
    TRY(lower_node(self, node->children[0], &child));
    return lowered_same(self, PHYS_SINGLE_ROW, &child, out);
}

static Status lower_union(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered *children;
    TRY_ALLOC(children, ARENA_ARRAY(self->arena, Lowered, node->nchildren), self->err);
    for (uint32_t i = 0; i < node->nchildren; i++) {
        Lowered child;
        TRY(lower_node(self, node->children[i], &child));
        TRY(lowered_reorder(self, &child, node->noutput, node->inputs[i], node->output,
                            &children[i]));
    }
    TRY(lowered_new(self, PHYS_UNION, node->noutput, node->nchildren, out));
    for (uint32_t i = 0; i < node->nchildren; i++) out->node->children[i] = children[i].node;
    out->node->as.all.sequential = node->sequential;
    return lowered_set_columns(self, out, node->output);
}

static Status lower_verify(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered both, ordered;
    const LogicalNode *child = node->children[0];
    TRY(lower_node(self, child, &both));
    TRY(lowered_reorder(self, &both, child->noutput, child->output, child->output, &ordered));
    TRY(lowered_over(self, PHYS_VERIFY, node->noutput, &ordered, out));
    out->node->as.verify.contained = child->nchildren == 3;
    out->node->as.verify.nkeys = node->nverify;
    out->node->as.verify.keys = node->verify;
    out->node->as.verify.text = node->verified->text;
    out->node->as.verify.catalog = source_name(source_plan_source(node->verified->plan));
    return lowered_set_columns(self, out, node->output);
}

/* ---------------------------------------------------------------- roots */

static TribWriteRequest action_request(const LogicalNode *node, const MergeAction *action) {
    return (TribWriteRequest){.size = sizeof(TribWriteRequest),
                              .kind = action->kind,
                              .table = node->write_table,
                              .ncolumns = action->ncolumns,
                              .columns = action->columns,
                              .nkeys = action->nkeys};
}

/* A MERGE's clauses as requests of their own, with the shape of each one's rows. */
static Status lower_merge(Lowering *self, const LogicalNode *node, const Lowered *child,
                          Lowered *out) {
    uint32_t n = node->nmerge;
    TRY(lowered_over(self, PHYS_MERGE, 0, child, out));
    PhysNode *merge = out->node;
    TRY_ALLOC(merge->as.merge.requests, ARENA_ARRAY(self->arena, TribWriteRequest, n), self->err);
    TRY_ALLOC(merge->as.merge.shapes, ARENA_ARRAY(self->arena, PhysNode *, n), self->err);
    merge->as.merge.catalog = node->write_catalog;
    merge->as.merge.nactions = n;
    merge->as.merge.actions = node->merge;
    for (uint32_t i = 0; i < n; i++) {
        const MergeAction *action = &node->merge[i];
        PhysNode *shape;
        TRY_ALLOC(shape, ARENA_NEW(self->arena, PhysNode), self->err);
        *shape = (PhysNode){.kind = PHYS_MERGE, .id = merge->id, .ncolumns = action->ncolumns};
        TRY_ALLOC(shape->types, ARENA_ARRAY(self->arena, Type, action->ncolumns), self->err);
        for (uint32_t c = 0; c < action->ncolumns; c++)
            shape->types[c] = child->node->types[action->places[c]];
        merge->as.merge.shapes[i] = shape;
        merge->as.merge.requests[i] = action_request(node, action);
    }
    return TRIB_OK;
}

static Status lower_write(Lowering *self, const LogicalNode *node, Lowered *out) {
    const LogicalNode *input = node->children[0];
    Lowered child, ordered;
    TRY(lower_node(self, input, &child));
    TRY(lowered_reorder(self, &child, input->noutput, input->output, input->output, &ordered));
    if (node->nmerge) return lower_merge(self, node, &ordered, out);
    TRY(lowered_over(self, PHYS_WRITE, 0, &ordered, out));
    out->node->as.write.catalog = node->write_catalog;
    out->node->as.write.request = (TribWriteRequest){.size = sizeof(TribWriteRequest),
                                                     .kind = node->write,
                                                     .table = node->write_table,
                                                     .ncolumns = node->nwrite_columns,
                                                     .columns = node->write_columns,
                                                     .nkeys = node->nwrite_keys,
                                                     .if_not_exists = node->if_not_exists};
    return TRIB_OK;
}

Status lower_node(Lowering *self, const LogicalNode *node, Lowered *out) {
    static Status (*const lowerings[])(Lowering *, const LogicalNode *, Lowered *) = {
        [LOGICAL_SCAN] = lower_scan,     [LOGICAL_VALUES] = lower_values,
        [LOGICAL_FILTER] = lower_filter, [LOGICAL_PROJECT] = lower_project,
        [LOGICAL_JOIN] = lower_join,     [LOGICAL_AGGREGATE] = lower_aggregate,
        [LOGICAL_SORT] = lower_sort,     [LOGICAL_TOPN] = lower_sort,
        [LOGICAL_WINDOW] = lower_window, [LOGICAL_LIMIT] = lower_limit,
        [LOGICAL_UNION] = lower_union,   [LOGICAL_SINGLE_ROW] = lower_single_row,
        [LOGICAL_EXPAND] = lower_expand, [LOGICAL_UNNEST] = lower_unnest,
        [LOGICAL_WRITE] = lower_write,   [LOGICAL_VERIFY] = lower_verify,
        [LOGICAL_REPEAT] = lower_repeat, [LOGICAL_RECURSIVE] = lower_recursive,
        [LOGICAL_SHARED] = lower_shared, [LOGICAL_WORKING] = lower_working,
        [LOGICAL_SAMPLE] = lower_sample, [LOGICAL_TIES] = lower_ties,
        [LOGICAL_SETS] = lower_sets,
    };
    if ((size_t)node->kind >= COUNT_OF(lowerings) || !lowerings[node->kind]) {
        return error_set(self->err, ERR_UNSUPPORTED,
                         "this kind of query is not supported (plan node %d)", (int)node->kind);
    }
    TRY(lowerings[node->kind](self, node, out));
    if (out->node->rows < 0) out->node->rows = row_memo_get(&self->memo, node);
    if (out->node->line == 0) {
        out->node->line = node->line;
        out->node->column = node->column;
    }
    return TRIB_OK;
}

Status physical_lower(Arena *arena, const LogicalPlan *plan, const EvalSession *session,
                      bool runtime_filters, PhysicalPlan **out, Error *err) {
    Lowering self = {.arena = arena,
                     .plan = plan,
                     .session = session,
                     .runtime_filters = runtime_filters,
                     .err = err};
    row_memo_init(&self.memo, arena, &plan->columns);
    TRY_ALLOC(self.names, ARENA_ARRAY(arena, const char *, plan->columns.count + 1), err);
    Lowered root;
    PhysicalPlan *physical;
    TRY(lower_shared_plans(&self));
    TRY(lower_node(&self, plan->root, &root));
    if (plan->root->kind != LOGICAL_WRITE) {
        TRY(lowering_finish(&self, &root, plan->root->noutput, plan->root->output, out));
        (*out)->nshared = self.nshared;
        (*out)->shared = self.shared_nodes;
        return TRIB_OK;
    }
    TRY_ALLOC(physical, ARENA_NEW(arena, PhysicalPlan), err);
    *physical = (PhysicalPlan){.arena = arena,
                               .root = root.node,
                               .nnodes = self.nnodes,
                               .nodes = self.nodes,
                               .nshared = self.nshared,
                               .shared = self.shared_nodes,
                               .nids = self.nids};
    *out = physical;
    if (root.node->kind == PHYS_MERGE) return TRIB_OK; /* keeps its rows in any case */
    Source *target;
    TRY(catalog_source(root.node->as.write.catalog, &target, err));
    root.node->as.write.buffered =
        !(source_connector(target)->flags & TRIB_NONBLOCKING) && physical_reads(physical, target);
    return TRIB_OK;
}

bool physical_reads(const PhysicalPlan *plan, const Source *source) {
    for (uint32_t i = 0; i < plan->nnodes; i++) {
        const PhysNode *node = plan->nodes[i];
        if (node->kind == PHYS_SCAN && source_plan_source(node->as.scan.plan) == source)
            return true;
        if (node->kind == PHYS_RECURSIVE && physical_reads(node->as.recursive.step, source))
            return true;
    }
    return false;
}
