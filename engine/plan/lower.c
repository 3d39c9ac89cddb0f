/*
 * lower.c - logical plan to physical plan.
 *
 * Column ids become ordinals of the input batch. Each lowered node comes with the list of ids in the
 * order of its columns, which need not be the logical order (a join whose sides were swapped); parents
 * look ids up, and the root is projected into the wanted order.
 *
 * Joins: conjuncts of the form left-expression = right-expression become hash keys, the rest the
 * residual. The smaller side is built; for outer joins the kind is mirrored. Where the join drops probe
 * rows without a match, keys that are plain columns of a scan become targets of a runtime filter.
 */
#include "engine/plan/estimate.h"
#include "engine/plan/physical.h"

#define MAX_KEYS         64 /* null_safe is a 64-bit mask; further equalities go into the residual */
#define FILTER_SURE_ROWS 16384 /* so few keys make a filter that is always worth waiting for */
#define BUILD_SIDE_SLACK 1.2   /* swap sides only for a clear gain: estimates are rough */

typedef struct Lowered {
    PhysNode *node;
    ColumnId *ids; /* [node->ncolumns] */
} Lowered;

typedef struct Lowering {
    Arena *arena;
    const LogicalPlan *plan;
    const EvalSession *session;
    bool runtime_filters;
    RowMemo memo;
    const char **names;      /* for EXPLAIN, by ColumnId; each made once */
    struct Place *places[3]; /* of the scopes; by ColumnId */
    uint32_t generation;     /* of the scope opened last */
    uint32_t nids;
    uint32_t nnodes, capacity; /* of the plan that is being made */
    PhysNode **nodes;
    Lowered *shared; /* [plan->nshared] SHARED */
    bool *shared_shown;
    uint32_t nshared;
    PhysNode **shared_nodes;
    const struct Recursion *recursions; /* whose steps are being lowered, the innermost first */
    Error *err;
} Lowering;

static Status lower(Lowering *self, const LogicalNode *node, Lowered *out);

/* ---------------------------------------------------------------- helpers */

static Status node_new(Lowering *self, PhysKind kind, uint32_t ncolumns, uint32_t nchildren,
                       Lowered *out) {
    if (self->nnodes == self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : 16;
        PhysNode **nodes;
        TRY_ALLOC(nodes, ARENA_ARRAY(self->arena, PhysNode *, capacity), self->err);
        if (self->nnodes) memcpy(nodes, self->nodes, self->nnodes * sizeof *nodes);
        self->nodes = nodes;
        self->capacity = capacity;
    }
    PhysNode *node;
    TRY_ALLOC(node, ARENA_NEW(self->arena, PhysNode), self->err);
    node->kind = kind;
    node->id = self->nids++;
    node->rows = -1;
    node->ncolumns = ncolumns;
    node->nchildren = nchildren;
    TRY_ALLOC(node->types, ARENA_ARRAY(self->arena, Type, ncolumns), self->err);
    TRY_ALLOC(node->names, ARENA_ARRAY(self->arena, const char *, ncolumns), self->err);
    TRY_ALLOC(node->children, ARENA_ARRAY(self->arena, PhysNode *, nchildren), self->err);
    TRY_ALLOC(out->ids, ARENA_ARRAY(self->arena, ColumnId, ncolumns), self->err);
    out->node = node;
    self->nodes[self->nnodes++] = node;
    return TRIB_OK;
}

/* Fills in one output column from its plan-wide description. */
static Status set_column(Lowering *self, Lowered *lowered, uint32_t i, ColumnId id) {
    const PlanColumn *column = plan_column(&self->plan->columns, id);
    lowered->ids[i] = id;
    lowered->node->types[i] = column->type;
    if (!self->names[id]) {
        TRY_ALLOC(self->names[id],
                  column->name.len ? str_dup(self->arena, column->name)
                                   : arena_printf(self->arena, "#%u", id),
                  self->err);
    }
    lowered->node->names[i] = self->names[id];
    return TRIB_OK;
}

static Status set_columns(Lowering *self, Lowered *lowered, const ColumnId *ids) {
    for (uint32_t i = 0; i < lowered->node->ncolumns; i++)
        TRY(set_column(self, lowered, i, ids[i]));
    return TRIB_OK;
}

/* Where a column stands in the input of a scope. Entries of older generations mean: not there. */
typedef struct Place {
    uint32_t generation, ordinal;
} Place;

/*
 * Where expressions find their columns: one or two inputs side by side. The arrays are shared by all
 * scopes of a slot, so that opening one costs its columns only: of each slot the last one is valid.
 */
typedef struct Scope {
    Lowering *lowering;
    const Place *places; /* by ColumnId */
    uint32_t generation;
    ColumnId missing;
    bool exhausted; /* memory, in replace_column */
} Scope;

typedef enum { SCOPE_ONLY, SCOPE_BUILD, SCOPE_BOTH } ScopeSlot;

static Status scope_open(Lowering *self, ScopeSlot slot, const Lowered *first,
                         const Lowered *second, Scope *out) {
    if (!self->places[slot])
        TRY_ALLOC(self->places[slot],
                  ARENA_ARRAY(self->arena, Place, self->plan->columns.count + 1), self->err);
    Place *places = self->places[slot];
    *out = (Scope){.lowering = self, .places = places, .generation = ++self->generation};
    for (uint32_t i = 0; i < first->node->ncolumns; i++)
        places[first->ids[i]] = (Place){out->generation, i};
    for (uint32_t i = 0; second && i < second->node->ncolumns; i++)
        places[second->ids[i]] = (Place){out->generation, first->node->ncolumns + i};
    return TRIB_OK;
}

static uint32_t scope_ordinal(const Scope *self, ColumnId id) {
    Place place = self->places[id];
    return place.generation == self->generation ? place.ordinal : UINT32_MAX;
}

/* Do all columns of the expression come from this input? *any: there are some. */
static bool scope_covers(const Scope *self, const Expr *e, bool *any) {
    if (e->kind == EXPR_COLUMN) {
        *any = true;
        return scope_ordinal(self, e->as.column_id) != UINT32_MAX;
    }
    for (uint32_t i = 0; i < e->nargs; i++) {
        if (!scope_covers(self, e->args[i], any)) return false;
    }
    return e->kind != EXPR_AGGREGATE || !e->as.agg.filter ||
           scope_covers(self, e->as.agg.filter, any);
}

static Expr *replace_column(void *context, const Expr *e) {
    Scope *scope = context;
    if (e->kind != EXPR_COLUMN) return NULL;
    uint32_t ordinal = scope_ordinal(scope, e->as.column_id);
    if (ordinal == UINT32_MAX) scope->missing = e->as.column_id;
    Expr *copy = ARENA_NEW(scope->lowering->arena, Expr);
    if (!copy) {
        scope->exhausted = true; /* NULL alone would keep the column's id as an ordinal */
        return NULL;
    }
    *copy = *e;
    copy->as.ordinal = ordinal;
    return copy;
}

static Status lower_expr(Scope *scope, const Expr *e, Expr **out) {
    Lowering *self = scope->lowering;
    TRY(expr_rewrite(self->arena, e, replace_column, scope, out, self->err));
    if (scope->exhausted) return error_out_of_memory(self->err);
    if (!scope->missing) return TRIB_OK;
    const PlanColumn *column = plan_column(&self->plan->columns, scope->missing);
    return error_set(self->err, ERR_GENERAL,
                     "internal error: column '" STR_FORMAT
                     "' (#%u) is missing from an operator's input",
                     STR_ARGS(column->name), scope->missing);
}

static Status lower_exprs(Scope *scope, uint32_t count, Expr *const *exprs, Expr ***out) {
    Lowering *self = scope->lowering;
    TRY_ALLOC(*out, ARENA_ARRAY(self->arena, Expr *, count), self->err);
    for (uint32_t i = 0; i < count; i++) TRY(lower_expr(scope, exprs[i], &(*out)[i]));
    return TRIB_OK;
}

/* A node with one child. */
static Status node_over(Lowering *self, PhysKind kind, uint32_t ncolumns, const Lowered *child,
                        Lowered *out) {
    TRY(node_new(self, kind, ncolumns, 1, out));
    out->node->children[0] = child->node;
    return TRIB_OK;
}

/* The child's columns passed on as they are. */
static Status node_same(Lowering *self, PhysKind kind, const Lowered *child, Lowered *out) {
    TRY(node_over(self, kind, child->node->ncolumns, child, out));
    return set_columns(self, out, child->ids);
}

static bool same_ids(const Lowered *lowered, uint32_t count, const ColumnId *ids) {
    return lowered->node->ncolumns == count &&
           (count == 0 || memcmp(lowered->ids, ids, count * sizeof *ids) == 0);
}

/* Puts columns into a given order; the output ids may be others than the inputs'. */
static Status reorder(Lowering *self, const Lowered *child, uint32_t count, const ColumnId *from,
                      const ColumnId *as, Lowered *out) {
    if (same_ids(child, count, from)) {
        *out = *child;
        if (from == as) return TRIB_OK;
        TRY_ALLOC(out->ids, ARENA_ARRAY(self->arena, ColumnId, count), self->err);
        if (count) memcpy(out->ids, as, count * sizeof *as);
        return TRIB_OK;
    }
    TRY(node_over(self, PHYS_PROJECT, count, child, out));
    TRY_ALLOC(out->node->as.project.exprs, ARENA_ARRAY(self->arena, Expr *, count), self->err);
    Scope scope;
    TRY(scope_open(self, SCOPE_ONLY, child, NULL, &scope));
    for (uint32_t i = 0; i < count; i++) {
        Expr *column;
        TRY_ALLOC(
            column,
            expr_column(self->arena, from[i], plan_column(&self->plan->columns, from[i])->type),
            self->err);
        TRY(lower_expr(&scope, column, &out->node->as.project.exprs[i]));
    }
    out->node->rows = child->node->rows;
    return set_columns(self, out, as);
}

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
    TRY(node_new(self, PHYS_SCAN, node->noutput, 0, out));
    TRY(set_columns(self, out, node->output));
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
    TRY(node_new(self, PHYS_VALUES, node->noutput, 0, out));
    TRY(set_columns(self, out, node->output));
    out->node->as.values.nrows = node->nrows;
    out->node->as.values.rows = node->value_rows;
    return TRIB_OK;
}

static Status lower_sets(Lowering *self, const LogicalNode *node, Lowered *out) {
    TRY(node_new(self, PHYS_SETS, node->noutput, 0, out));
    out->node->as.sets = node->sets_of;
    return set_columns(self, out, node->output);
}

static Status lower_filter(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered child;
    TRY(lower(self, node->children[0], &child));
    TRY(node_same(self, PHYS_FILTER, &child, out));
    Scope scope;
    TRY(scope_open(self, SCOPE_ONLY, &child, NULL, &scope));
    Expr **conjuncts;
    TRY_ALLOC(conjuncts, ARENA_ARRAY(self->arena, Expr *, node->nconjuncts), self->err);
    uint32_t n = 0;
    for (int raising = 0; raising < 2; raising++) {
        for (uint32_t i = 0; i < node->nconjuncts; i++) {
            if (node->conjuncts[i]->may_raise != (raising == 1)) continue;
            TRY(lower_expr(&scope, node->conjuncts[i], &conjuncts[n++]));
        }
    }
    out->node->as.filter.nconjuncts = n;
    out->node->as.filter.conjuncts = conjuncts;
    return TRIB_OK;
}

static Status lower_project(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered child;
    TRY(lower(self, node->children[0], &child));
    Scope scope;
    TRY(node_over(self, PHYS_PROJECT, node->noutput, &child, out));
    TRY(set_columns(self, out, node->output));
    TRY(scope_open(self, SCOPE_ONLY, &child, NULL, &scope));
    return lower_exprs(&scope, node->noutput, node->exprs, &out->node->as.project.exprs);
}

static Status lower_expand(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered child;
    TRY(lower(self, node->children[0], &child));
    TRY(node_over(self, PHYS_EXPAND, node->noutput, &child, out));
    TRY(set_columns(self, out, node->output));
    Scope scope;
    TRY(scope_open(self, SCOPE_ONLY, &child, NULL, &scope));
    out->node->as.expand.nsets = node->nsets;
    TRY_ALLOC(out->node->as.expand.sets, ARENA_ARRAY(self->arena, Expr **, node->nsets), self->err);
    for (uint32_t s = 0; s < node->nsets; s++) {
        TRY(lower_exprs(&scope, node->noutput, node->sets[s], &out->node->as.expand.sets[s]));
    }
    return TRIB_OK;
}

static Status lower_unnest(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered child;
    TRY(lower(self, node->children[0], &child));
    TRY(node_over(self, PHYS_UNNEST, node->noutput, &child, out));
    TRY(set_columns(self, out, node->output));
    Scope scope;
    TRY(scope_open(self, SCOPE_ONLY, &child, NULL, &scope));
    PhysNode *unnest = out->node;
    unnest->as.unnest.nargs = node->nunnest;
    TRY(lower_exprs(&scope, node->nunnest, node->unnest, &unnest->as.unnest.args));
    TRY_ALLOC(unnest->as.unnest.kept, ARENA_ARRAY(self->arena, uint32_t, node->nkept), self->err);
    for (uint32_t i = 0; i < node->nkept; i++) {
        unnest->as.unnest.kept[i] = scope_ordinal(&scope, node->output[i]);
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
    TRY(lower(self, node->children[0], &child));
    TRY(node_over(self, PHYS_AGGREGATE, node->noutput, &child, out));
    TRY(set_columns(self, out, node->output));
    Scope scope;
    TRY(scope_open(self, SCOPE_ONLY, &child, NULL, &scope));
    out->node->as.aggregate.ngroups = node->ngroups;
    TRY(lower_exprs(&scope, node->ngroups, node->groups, &out->node->as.aggregate.groups));
    PhysAggregate *aggregates;
    TRY_ALLOC(aggregates, ARENA_ARRAY(self->arena, PhysAggregate, node->naggregates), self->err);
    for (uint32_t i = 0; i < node->naggregates; i++) {
        const Expr *e = node->aggregates[i];
        if (e->distinct)
            return error_set(self->err, ERR_GENERAL, "internal error: DISTINCT was not expanded");
        Expr **args;
        TRY(lower_exprs(&scope, e->nargs, e->args, &args));
        aggregates[i] = (PhysAggregate){.aggregate = e->as.agg.aggregate,
                                        .nargs = e->nargs,
                                        .args = args,
                                        .result = e->type,
                                        .line = e->line,
                                        .column = e->column};
        if (e->as.agg.filter) TRY(lower_expr(&scope, e->as.agg.filter, &aggregates[i].filter));
    }
    out->node->as.aggregate.naggregates = node->naggregates;
    out->node->as.aggregate.aggregates = aggregates;
    out->node->as.aggregate.nempty = node->nempty;
    out->node->as.aggregate.empty_rows = node->empty_rows;
    return TRIB_OK;
}

static Status lower_key(Lowering *self, const Scope *scope, const SortKey *key, PhysSortKey *out) {
    const Expr *e = key->expr;
    uint32_t ordinal = e->kind == EXPR_COLUMN ? scope_ordinal(scope, e->as.column_id) : UINT32_MAX;
    if (ordinal == UINT32_MAX)
        return error_set(self->err, ERR_GENERAL, "internal error: a sort key is not a column");
    *out = (PhysSortKey){ordinal, key->descending, key->nulls_first};
    return TRIB_OK;
}

static Status sort_over(Lowering *self, PhysKind kind, const LogicalNode *node,
                        const Lowered *child, Lowered *out) {
    TRY(node_same(self, kind, child, out));
    Scope scope;
    TRY(scope_open(self, SCOPE_ONLY, child, NULL, &scope));
    PhysSortKey *keys;
    TRY_ALLOC(keys, ARENA_ARRAY(self->arena, PhysSortKey, node->nkeys), self->err);
    for (uint32_t i = 0; i < node->nkeys; i++)
        TRY(lower_key(self, &scope, &node->keys[i], &keys[i]));
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
    TRY(lower(self, first ? below->children[0] : below, first ? &input : &sorted));
    if (first) {
        TRY(sort_over(self, PHYS_TOPN, node, &input, &sorted));
        sorted.node->as.sort.ties = true;
        sorted.node->rows = row_memo_get(&self->memo, node);
    }
    return sort_over(self, PHYS_TIES, node, &sorted, out);
}

static Status lower_sort(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered child;
    TRY(lower(self, node->children[0], &child));
    return sort_over(self, node->kind == LOGICAL_TOPN ? PHYS_TOPN : PHYS_SORT, node, &child, out);
}

static Status lower_window(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered child;
    TRY(lower(self, node->children[0], &child));
    TRY(node_over(self, PHYS_WINDOW, node->noutput, &child, out));
    TRY(set_columns(self, out, node->output));
    Scope scope;
    TRY(scope_open(self, SCOPE_ONLY, &child, NULL, &scope));
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
        TRY(lower_key(self, &scope, &node->keys[i], &window->as.window.keys[i]));
    for (uint32_t i = 0; i < npass; i++) {
        Expr *column, *lowered;
        Type type = plan_column(&self->plan->columns, node->output[i])->type;
        TRY_ALLOC(column, expr_column(self->arena, node->output[i], type), self->err);
        TRY(lower_expr(&scope, column, &lowered));
        window->as.window.pass[i] = lowered->as.ordinal;
    }
    for (uint32_t i = 0; i < node->nwindows; i++) {
        const Expr *e = node->windows[i];
        Expr **args;
        TRY(lower_exprs(&scope, e->nargs, e->args, &args));
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
    TRY(lower(self, node->children[0], &child));
    TRY(node_same(self, PHYS_LIMIT, &child, out));
    TRY(row_count(self, node->limit, "LIMIT", -1, &out->node->as.limit.limit));
    return row_count(self, node->offset, "OFFSET", 0, &out->node->as.limit.offset);
}

/* ---------------------------------------------------------------- shared plans */

/* All that are read, before the plan that reads them. */
static Status lower_shared_plans(Lowering *self) {
    const LogicalPlan *plan = self->plan;
    uint32_t *order, count;
    if (plan->nshared == 0) return TRIB_OK;
    TRY_ALLOC(order, logical_shared_order(self->arena, plan, &count), self->err);
    TRY_ALLOC(self->shared, ARENA_ARRAY(self->arena, Lowered, plan->nshared), self->err);
    TRY_ALLOC(self->shared_shown, ARENA_ARRAY(self->arena, bool, plan->nshared), self->err);
    TRY_ALLOC(self->shared_nodes, ARENA_ARRAY(self->arena, PhysNode *, count), self->err);
    for (uint32_t i = 0; i < count; i++) {
        Lowered root, *shared = &self->shared[order[i]];
        TRY(lower(self, plan->shared[order[i]]->root, &root));
        TRY(node_same(self, PHYS_SHARED, &root, shared));
        shared->node->rows = root.node->rows;
        self->shared_nodes[self->nshared++] = shared->node;
    }
    return TRIB_OK;
}

/* Reads the whole rows; a projection above takes the columns that are wanted. */
static Status lower_shared(Lowering *self, const LogicalNode *node, Lowered *out) {
    uint32_t index = node->shared->id - 1;
    const Lowered *shared = &self->shared[index];
    Lowered read;
    TRY(node_new(self, PHYS_SHARED_READ, shared->node->ncolumns, 0, &read));
    TRY(set_columns(self, &read, shared->ids));
    read.node->rows = shared->node->rows;
    read.node->as.read.from = shared->node;
    read.node->as.read.first = !self->shared_shown[index];
    self->shared_shown[index] = true;
    ColumnId *from;
    TRY_ALLOC(from, ARENA_ARRAY(self->arena, ColumnId, node->noutput), self->err);
    for (uint32_t i = 0; i < node->noutput; i++)
        from[i] = node->shared->ids[node->table_columns[i]];
    return reorder(self, &read, node->noutput, from, node->output, out);
}

/* ---------------------------------------------------------------- recursive queries */

typedef struct Recursion {
    const struct Recursion *outer;
    uint32_t id;
    const PhysNode *node;
} Recursion;

/* Puts the lowered root into an order and makes a plan of the nodes that there are. */
static Status finish_plan(Lowering *self, const Lowered *root, uint32_t count,
                          const ColumnId *order, PhysicalPlan **out) {
    Lowered ordered, result;
    TRY(reorder(self, root, count, order, order, &ordered));
    TRY(node_same(self, PHYS_RESULT, &ordered, &result));
    result.node->rows = ordered.node->rows;
    TRY_ALLOC(*out, ARENA_NEW(self->arena, PhysicalPlan), self->err);
    **out = (PhysicalPlan){.arena = self->arena,
                           .root = result.node,
                           .nnodes = self->nnodes,
                           .nodes = self->nodes,
                           .nids = self->nids};
    return TRIB_OK;
}

/* The step becomes a plan of its own: its nodes are not among those of the plan around it. */
static Status lower_step(Lowering *self, const LogicalNode *node, const PhysNode *recursive,
                         PhysicalPlan **out) {
    Lowering outer = *self;
    Recursion recursion = {self->recursions, node->recursion, recursive};
    self->recursions = &recursion;
    self->nnodes = self->capacity = 0;
    self->nodes = NULL;
    Lowered step;
    TRY(lower(self, node->children[1], &step));
    TRY(finish_plan(self, &step, node->noutput, node->inputs[1], out));
    self->recursions = outer.recursions;
    self->nnodes = outer.nnodes;
    self->capacity = outer.capacity;
    self->nodes = outer.nodes;
    return TRIB_OK;
}

static Status lower_recursive(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered child, first;
    TRY(lower(self, node->children[0], &child));
    TRY(reorder(self, &child, node->noutput, node->inputs[0], node->output, &first));
    TRY(node_over(self, PHYS_RECURSIVE, node->noutput, &first, out));
    TRY(set_columns(self, out, node->output));
    out->node->as.recursive.distinct = node->distinct;
    return lower_step(self, node, out->node, &out->node->as.recursive.step);
}

/* All columns of the table, in its order; a projection above takes those that are wanted. */
static Status lower_working(Lowering *self, const LogicalNode *node, Lowered *out) {
    const Recursion *r = self->recursions;
    while (r && r->id != node->recursion) r = r->outer;
    if (!r)
        return error_set(self->err, ERR_GENERAL,
                         "internal error: a recursive reference stands outside of its step");
    Lowered table;
    TRY(node_new(self, PHYS_WORKING, r->node->ncolumns, 0, &table));
    table.node->as.working.recursion = r->node;
    table.node->as.working.seen = node->distinct;
    for (uint32_t i = 0; i < r->node->ncolumns; i++) {
        table.node->types[i] = r->node->types[i];
        table.node->names[i] = r->node->names[i];
    }
    TRY(node_over(self, PHYS_PROJECT, node->noutput, &table, out));
    TRY(set_columns(self, out, node->output));
    TRY_ALLOC(out->node->as.project.exprs, ARENA_ARRAY(self->arena, Expr *, node->noutput),
              self->err);
    for (uint32_t i = 0; i < node->noutput; i++) {
        uint32_t from = node->table_columns[i];
        Expr *column;
        TRY_ALLOC(column, expr_column(self->arena, 0, table.node->types[from]), self->err);
        column->as.ordinal = from;
        out->node->as.project.exprs[i] = column;
    }
    return TRIB_OK;
}

static Status lower_repeat(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered child;
    TRY(lower(self, node->children[0], &child));
    TRY(node_over(self, PHYS_REPEAT, node->noutput, &child, out));
    TRY(set_columns(self, out, node->output));
    Scope scope;
    TRY(scope_open(self, SCOPE_ONLY, &child, NULL, &scope));
    TRY_ALLOC(out->node->as.repeat.columns, ARENA_ARRAY(self->arena, uint32_t, node->noutput),
              self->err);
    for (uint32_t i = 0; i < node->noutput; i++)
        out->node->as.repeat.columns[i] = scope_ordinal(&scope, node->output[i]);
    out->node->as.repeat.count = scope_ordinal(&scope, node->mark);
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
    TRY(lower(self, node->children[0], &child));
    TRY(node_same(self, PHYS_SAMPLE, &child, out));
    out->node->as.sample.system = node->system;
    out->node->as.sample.percent = percent;
    return TRIB_OK;
}

static Status lower_single_row(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered child;
    TRY(lower(self, node->children[0], &child));
    return node_same(self, PHYS_SINGLE_ROW, &child, out);
}

static Status lower_union(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered *children;
    TRY_ALLOC(children, ARENA_ARRAY(self->arena, Lowered, node->nchildren), self->err);
    for (uint32_t i = 0; i < node->nchildren; i++) {
        Lowered child;
        TRY(lower(self, node->children[i], &child));
        TRY(reorder(self, &child, node->noutput, node->inputs[i], node->output, &children[i]));
    }
    TRY(node_new(self, PHYS_UNION, node->noutput, node->nchildren, out));
    for (uint32_t i = 0; i < node->nchildren; i++) out->node->children[i] = children[i].node;
    out->node->as.all.sequential = node->sequential;
    return set_columns(self, out, node->output);
}

static Status lower_verify(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered both, ordered;
    const LogicalNode *child = node->children[0];
    TRY(lower(self, child, &both));
    TRY(reorder(self, &both, child->noutput, child->output, child->output, &ordered));
    TRY(node_over(self, PHYS_VERIFY, node->noutput, &ordered, out));
    out->node->as.verify.contained = child->nchildren == 3;
    out->node->as.verify.nkeys = node->nverify;
    out->node->as.verify.keys = node->verify;
    out->node->as.verify.text = node->verified->text;
    out->node->as.verify.catalog = source_name(source_plan_source(node->verified->plan));
    return set_columns(self, out, node->output);
}

/* ---------------------------------------------------------------- joins */

typedef struct JoinSides {
    Lowered probe, build;
    JoinKind kind;
    Scope probe_scope, build_scope, both_scope;
    bool both_open; /* most joins have no residual */
} JoinSides;

static JoinKind mirrored(JoinKind kind) {
    switch (kind) {
    case JOIN_LEFT: return JOIN_RIGHT;
    case JOIN_RIGHT: return JOIN_LEFT;
    case JOIN_SEMI: return JOIN_RIGHT_SEMI;
    case JOIN_ANTI: return JOIN_RIGHT_ANTI;
    default: return kind;
    }
}

static bool has_equality(const LogicalNode *join) {
    for (uint32_t i = 0; i < join->nconjuncts; i++) {
        const Expr *e = join->conjuncts[i];
        if (e->kind == EXPR_NOT) e = e->args[0];
        if (e->kind == EXPR_CALL &&
            (e->as.function->id == TRIB_FN_eq || e->as.function->id == TRIB_FN_is_distinct_from))
            return true;
    }
    return false;
}

/* Which side is built: the right one, unless the left is clearly smaller. Without keys SEMI and ANTI
 * build the right: they stop at a row's first match. */
static Status choose_sides(Lowering *self, const LogicalNode *node, JoinSides *out) {
    Lowered left, right;
    TRY(lower(self, node->children[0], &left));
    TRY(lower(self, node->children[1], &right));
    JoinKind kind = node->join == JOIN_CROSS ? JOIN_INNER : node->join;
    bool half = kind == JOIN_SEMI || kind == JOIN_ANTI;
    bool fixed = kind == JOIN_ANTI_NULLS || kind == JOIN_MARK || (half && !has_equality(node));
    bool swap = !fixed && row_memo_get(&self->memo, node->children[0]) * BUILD_SIDE_SLACK <
                              row_memo_get(&self->memo, node->children[1]);
    *out = swap ? (JoinSides){.probe = right, .build = left, .kind = mirrored(kind)}
                : (JoinSides){.probe = left, .build = right, .kind = kind};
    TRY(scope_open(self, SCOPE_ONLY, &out->probe, NULL, &out->probe_scope));
    return scope_open(self, SCOPE_BUILD, &out->build, NULL, &out->build_scope);
}

static bool belongs_to(const Scope *side, const Expr *e) {
    bool any = false;
    return scope_covers(side, e, &any) && any;
}

/* Are equal values of the two types equal bytes as hash keys? The length of varchar bounds values only. */
static bool same_key_type(Type a, Type b) {
    return type_equal(a, b) || (a.id == TRIB_TYPE_VARCHAR && b.id == TRIB_TYPE_VARCHAR);
}

/* Recognises a = b and NOT (a IS DISTINCT FROM b) between the sides; *probe NULL if it is neither. */
static void split_key(const JoinSides *sides, const Expr *e, const Expr **probe, const Expr **build,
                      bool *null_safe) {
    *probe = *build = NULL;
    *null_safe = false;
    if (e->kind == EXPR_NOT && e->args[0]->kind == EXPR_CALL &&
        e->args[0]->as.function->id == TRIB_FN_is_distinct_from) {
        *null_safe = true;
        e = e->args[0];
    } else if (e->kind != EXPR_CALL || e->as.function->id != TRIB_FN_eq) {
        return;
    }
    if (!same_key_type(e->args[0]->type, e->args[1]->type) || e->is_volatile) return;
    for (uint32_t first = 0; first < 2; first++) {
        if (belongs_to(&sides->probe_scope, e->args[first]) &&
            belongs_to(&sides->build_scope, e->args[1 - first])) {
            *probe = e->args[first];
            *build = e->args[1 - first];
            return;
        }
    }
}

static Status lower_residual(Lowering *self, JoinSides *sides, const Expr *e, Expr **out) {
    if (!sides->both_open)
        TRY(scope_open(self, SCOPE_BOTH, &sides->probe, &sides->build, &sides->both_scope));
    sides->both_open = true;
    return lower_expr(&sides->both_scope, e, out);
}

static Status lower_condition(Lowering *self, const LogicalNode *node, JoinSides *sides,
                              PhysNode *join) {
    Expr **residual;
    TRY_ALLOC(join->as.join.probe_keys, ARENA_ARRAY(self->arena, Expr *, node->nconjuncts),
              self->err);
    TRY_ALLOC(join->as.join.build_keys, ARENA_ARRAY(self->arena, Expr *, node->nconjuncts),
              self->err);
    TRY_ALLOC(residual, ARENA_ARRAY(self->arena, Expr *, node->nconjuncts), self->err);
    uint32_t nresidual = 0;
    for (uint32_t i = 0; i < node->nconjuncts; i++) {
        const Expr *probe, *build;
        bool null_safe;
        split_key(sides, node->conjuncts[i], &probe, &build, &null_safe);
        uint32_t k = join->as.join.nkeys;
        if (i < node->nin && k < MAX_KEYS) { /* a key even where one side is a constant */
            const Expr *e = node->conjuncts[i];
            probe = e->args[0];
            build = e->args[1];
            join->as.join.null_aware |= UINT64_C(1) << k;
        }
        if (probe && k < MAX_KEYS) {
            bool differs = probe->type.id == TRIB_TYPE_REAL || probe->type.id == TRIB_TYPE_DOUBLE ||
                           type_is_nested(probe->type);
            /* as hash keys all NaN are one, which = does not say */
            if (differs && !null_safe && i >= node->nin)
                TRY(lower_residual(self, sides, node->conjuncts[i], &residual[nresidual++]));
            TRY(lower_expr(&sides->probe_scope, probe, &join->as.join.probe_keys[k]));
            TRY(lower_expr(&sides->build_scope, build, &join->as.join.build_keys[k]));
            if (null_safe) join->as.join.null_safe |= UINT64_C(1) << k;
            if (node->join == JOIN_ANTI_NULLS && node->nin == 0)
                join->as.join.null_aware |= UINT64_C(1) << k;
            join->as.join.nkeys++;
        } else {
            TRY(lower_residual(self, sides, node->conjuncts[i], &residual[nresidual++]));
        }
    }
    if (nresidual == 1) join->as.join.residual = residual[0];
    if (nresidual > 1) {
        TRY_ALLOC(join->as.join.residual, expr_boolean(self->arena, EXPR_AND, nresidual, residual),
                  self->err);
    }
    return TRIB_OK;
}

/* Follows a column of a subtree down to the scan that reads it, as long as dropping rows of that scan
 * whose value cannot match changes nothing above. */
static PhysNode *find_scan(const PhysNode *node, uint32_t ordinal, uint32_t *output,
                           bool *behind_breaker) {
    *behind_breaker = false;
    for (;;) {
        const Expr *e;
        switch (node->kind) {
        case PHYS_SCAN:
            *output = ordinal;
            return node->as.scan.limit < 0 && !(node->as.scan.pushed->taken & TRIB_TAKEN_LIMIT)
                       ? (PhysNode *)node
                       : NULL;
        case PHYS_FILTER: break;
        case PHYS_PROJECT:
            e = node->as.project.exprs[ordinal];
            if (e->kind != EXPR_COLUMN) return NULL;
            ordinal = e->as.ordinal;
            break;
        case PHYS_HASH_JOIN:
            if (node->as.join.join == JOIN_FULL || node->as.join.join == JOIN_RIGHT) return NULL;
            if (ordinal >= node->as.join.nprobe_output)
                return NULL; /* built before this join's filter exists */
            ordinal = node->as.join.probe_output[ordinal];
            break;
        case PHYS_AGGREGATE:
            if (ordinal >= node->as.aggregate.ngroups) return NULL;
            e = node->as.aggregate.groups[ordinal];
            if (e->kind != EXPR_COLUMN) return NULL;
            ordinal = e->as.ordinal;
            *behind_breaker = true;
            break;
        default: return NULL;
        }
        node = node->children[0];
    }
}

static bool drops_probe_rows(JoinKind kind) {
    return kind == JOIN_INNER || kind == JOIN_SEMI || kind == JOIN_RIGHT ||
           kind == JOIN_RIGHT_SEMI || kind == JOIN_RIGHT_ANTI;
}

/* A build side of nearly as many rows as the scan hardly restricts it, least of all by its bounds. */
static bool filter_pays(const PhysNode *join, const PhysNode *scan) {
    double build = join->as.join.build_rows;
    return build < FILTER_SURE_ROWS || scan->rows < 0 || build * 2 < scan->rows;
}

static Status scan_wait(Lowering *self, PhysNode *scan, const PhysNode *join) {
    PhysWait *wait;
    for (const PhysWait *w = scan->as.scan.waits; w; w = w->next) {
        if (w->join == join) return TRIB_OK;
    }
    TRY_ALLOC(wait, ARENA_NEW(self->arena, PhysWait), self->err);
    *wait = (PhysWait){join, scan->as.scan.waits};
    scan->as.scan.waits = wait;
    return TRIB_OK;
}

/* A filter that the scan's source takes, or one for rows that would be grouped for nothing. */
static Status find_target(Lowering *self, PhysNode *join, uint32_t k, uint32_t ordinal) {
    uint32_t output;
    bool behind, taken;
    PhysNode *scan = find_scan(join->children[0], ordinal, &output, &behind);
    if (!scan) return TRIB_OK;
    taken = scan->as.scan.pushed->keys && scan->as.scan.pushed->keys[output].kind != TRIB_NONE;
    PhysFilterTarget target = {scan, k, output};
    bool pays = filter_pays(join, scan);
    if (taken) {
        join->as.join.targets[join->as.join.ntargets++] = target;
        scan->as.scan.nfilters++;
        scan->as.scan.nawaited += pays;
    } else if (behind && pays) {
        join->as.join.passed[join->as.join.npassed++] = target;
    }
    return behind && pays ? scan_wait(self, scan, join) : TRIB_OK;
}

static Status find_targets(Lowering *self, PhysNode *join) {
    uint32_t n = join->as.join.nkeys;
    if (!self->runtime_filters || !drops_probe_rows(join->as.join.join)) return TRIB_OK;
    TRY_ALLOC(join->as.join.targets, ARENA_ARRAY(self->arena, PhysFilterTarget, n), self->err);
    TRY_ALLOC(join->as.join.passed, ARENA_ARRAY(self->arena, PhysFilterTarget, n), self->err);
    for (uint32_t k = 0; k < n; k++) {
        const Expr *key = join->as.join.probe_keys[k];
        if (key->kind != EXPR_COLUMN || join->as.join.null_safe >> k & 1) continue;
        TRY(find_target(self, join, k, key->as.ordinal));
    }
    return TRIB_OK;
}

static Status lower_join(Lowering *self, const LogicalNode *node, Lowered *out) {
    JoinSides sides;
    TRY(choose_sides(self, node, &sides));
    TRY(node_new(self, PHYS_HASH_JOIN, node->noutput, 2, out));
    PhysNode *join = out->node;
    join->children[0] = sides.probe.node;
    join->children[1] = sides.build.node;
    join->as.join.join = sides.kind;
    join->as.join.build_rows = sides.build.node->rows;
    TRY(lower_condition(self, node, &sides, join));
    TRY_ALLOC(join->as.join.probe_output, ARENA_ARRAY(self->arena, uint32_t, node->noutput),
              self->err);
    TRY_ALLOC(join->as.join.build_output, ARENA_ARRAY(self->arena, uint32_t, node->noutput),
              self->err);
    uint32_t n = 0;
    for (uint32_t i = 0; i < node->noutput; i++) {
        uint32_t ordinal = scope_ordinal(&sides.probe_scope, node->output[i]);
        if (ordinal == UINT32_MAX) continue;
        join->as.join.probe_output[join->as.join.nprobe_output++] = ordinal;
        TRY(set_column(self, out, n++, node->output[i]));
    }
    for (uint32_t i = 0; i < node->noutput; i++) {
        uint32_t ordinal = scope_ordinal(&sides.build_scope, node->output[i]);
        if (ordinal == UINT32_MAX) continue;
        join->as.join.build_output[join->as.join.nbuild_output++] = ordinal;
        TRY(set_column(self, out, n++, node->output[i]));
    }
    if (node->join == JOIN_MARK) TRY(set_column(self, out, n++, node->mark));
    if (n != node->noutput)
        return error_set(self->err, ERR_GENERAL,
                         "internal error: a join's column is in neither side");
    return find_targets(self, join);
}

/* ---------------------------------------------------------------- roots */

static Status lower_write(Lowering *self, const LogicalNode *node, Lowered *out) {
    const LogicalNode *input = node->children[0];
    Lowered child, ordered;
    TRY(lower(self, input, &child));
    TRY(reorder(self, &child, input->noutput, input->output, input->output, &ordered));
    TRY(node_over(self, PHYS_WRITE, 0, &ordered, out));
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

static Status lower(Lowering *self, const LogicalNode *node, Lowered *out) {
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
    TRY(lower(&self, plan->root, &root));
    if (plan->root->kind != LOGICAL_WRITE) {
        TRY(finish_plan(&self, &root, plan->root->noutput, plan->root->output, out));
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
