/*
 * logical.c - nodes and columns of logical plans, row estimates.
 */
#include "engine/plan/logical.h"

/* Selectivities where the source knows nothing better (System R's tradition). */
#define SELECTIVITY_EQUAL 0.05
#define SELECTIVITY_RANGE 0.33
#define SELECTIVITY_OTHER 0.5
#define ROWS_UNKNOWN      10000.0

ColumnId plan_column_new(PlanColumns *self, Str name, Type type, bool nullable) {
    if (self->count + 1 >= self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : 64;
        PlanColumn *columns = ARENA_ARRAY(self->arena, PlanColumn, capacity);
        if (!columns) return 0;
        if (self->count) memcpy(columns, self->columns, (self->count + 1) * sizeof *columns);
        self->columns = columns;
        self->capacity = capacity;
    }
    ColumnId id = ++self->count;
    self->columns[id] = (PlanColumn){.name = name, .type = type, .nullable = nullable};
    return id;
}

const PlanColumn *plan_column(const PlanColumns *self, ColumnId id) {
    return &self->columns[id];
}

LogicalNode *logical_new(Arena *arena, LogicalKind kind, uint32_t noutput, uint32_t nchildren) {
    LogicalNode *node = ARENA_NEW(arena, LogicalNode);
    if (!node) return NULL;
    node->kind = kind;
    node->rows = -1;
    node->noutput = noutput;
    node->output = ARENA_ARRAY(arena, ColumnId, noutput);
    node->nchildren = nchildren;
    node->children = ARENA_ARRAY(arena, LogicalNode *, nchildren);
    return node->output && node->children ? node : NULL;
}

LogicalNode *logical_copy(Arena *arena, const LogicalNode *node) {
    LogicalNode *copy = ARENA_NEW(arena, LogicalNode);
    if (!copy) return NULL;
    *copy = *node;
    copy->children = ARENA_ARRAY(arena, LogicalNode *, node->nchildren);
    if (!copy->children) return NULL;
    if (node->nchildren)
        memcpy(copy->children, node->children, node->nchildren * sizeof *copy->children);
    return copy;
}

bool logical_has_output(const LogicalNode *node, ColumnId id) {
    for (uint32_t i = 0; i < node->noutput; i++) {
        if (node->output[i] == id) return true;
    }
    return false;
}

/* ---------------------------------------------------------------- estimates */

static double selectivity(const Expr *e) {
    if (e->kind == EXPR_IS_NULL) return e->negated ? 0.9 : 0.1;
    if (e->kind == EXPR_IN) {
        double s = SELECTIVITY_EQUAL * (e->nargs - 1);
        return e->negated ? 1 - (s < 0.9 ? s : 0.9) : (s < 1 ? s : 1);
    }
    if (e->kind == EXPR_OR) {
        double s = 0;
        for (uint32_t i = 0; i < e->nargs; i++) s += selectivity(e->args[i]);
        return s < 1 ? s : 1;
    }
    if (e->kind != EXPR_CALL) return SELECTIVITY_OTHER;
    switch (e->as.function->id) {
    case TRIB_FN_eq: return SELECTIVITY_EQUAL;
    case TRIB_FN_lt:
    case TRIB_FN_le:
    case TRIB_FN_gt:
    case TRIB_FN_ge: return SELECTIVITY_RANGE;
    default: return SELECTIVITY_OTHER;
    }
}

static double filtered(double rows, uint32_t count, Expr *const *conjuncts) {
    for (uint32_t i = 0; i < count; i++) rows *= selectivity(conjuncts[i]);
    return rows < 1 ? 1 : rows;
}

static double join_rows(const LogicalNode *node, RowMemo *memo) {
    double left = row_memo_get(memo, node->children[0]);
    double right = row_memo_get(memo, node->children[1]);
    double larger = left > right ? left : right;
    bool keyed = false;
    for (uint32_t i = 0; i < node->nconjuncts; i++) {
        const Expr *e = node->conjuncts[i];
        keyed |= e->kind == EXPR_CALL && e->as.function->id == TRIB_FN_eq;
    }
    switch (node->join) {
    case JOIN_SEMI: return left * 0.5;
    case JOIN_ANTI:
    case JOIN_ANTI_NULLS: return left * 0.5;
    case JOIN_MARK: return left;
    case JOIN_LEFT: return keyed ? larger : left * right;
    case JOIN_FULL: return keyed ? left + right : left * right;
    default: return keyed ? larger : filtered(left * right, node->nconjuncts, node->conjuncts);
    }
}

static double limited(double rows, const LogicalNode *node) {
    if (node->limit && node->limit->kind == EXPR_CONSTANT && !node->limit->as.value.is_null) {
        double limit = (double)node->limit->as.value.as.integer;
        if (limit < rows) return limit;
    }
    return rows;
}

static double sampled(double rows, const LogicalNode *node) {
    if (node->limit->kind != EXPR_CONSTANT || node->limit->as.value.is_null) return rows;
    return rows * node->limit->as.value.as.real / 100;
}

static double node_rows(const LogicalNode *node, RowMemo *memo) {
    if (node->rows >= 0) return node->rows;
    switch (node->kind) {
    case LOGICAL_SCAN:
        if (node->pushed && node->pushed->rows >= 0) return node->pushed->rows;
        return node->table && node->table->table.rows >= 0 ? node->table->table.rows : ROWS_UNKNOWN;
    case LOGICAL_VALUES: return node->nrows;
    case LOGICAL_FILTER:
        return filtered(row_memo_get(memo, node->children[0]), node->nconjuncts, node->conjuncts);
    case LOGICAL_JOIN: return join_rows(node, memo);
    case LOGICAL_AGGREGATE:
        if (node->ngroups == 0) return 1;
        return 1 + row_memo_get(memo, node->children[0]) / 10;
    case LOGICAL_LIMIT:
    case LOGICAL_TOPN: return limited(row_memo_get(memo, node->children[0]), node);
    case LOGICAL_UNION: {
        double rows = 0;
        for (uint32_t i = 0; i < node->nchildren; i++)
            rows += row_memo_get(memo, node->children[i]);
        return rows;
    }
    case LOGICAL_SAMPLE: return sampled(row_memo_get(memo, node->children[0]), node);
    case LOGICAL_TIES: return limited(row_memo_get(memo, node->children[0]), node);
    case LOGICAL_SINGLE_ROW: return 1;
    case LOGICAL_EXPAND: return row_memo_get(memo, node->children[0]) * node->nsets;
    default: return node->nchildren ? row_memo_get(memo, node->children[0]) : ROWS_UNKNOWN;
    }
}

void row_memo_init(RowMemo *self, Arena *arena) {
    map_init(&self->known, arena, false);
}

/* Without memory for the memo the estimate is made anew each time. */
double row_memo_get(RowMemo *self, const LogicalNode *node) {
    Str key = {(const char *)&node, sizeof node};
    const double *known = map_get(&self->known, key);
    if (known) return *known;
    double rows = node_rows(node, self), *kept = ARENA_NEW(self->known.arena, double);
    if (kept) {
        *kept = rows;
        (void)map_put(&self->known, key, kept);
    }
    return rows;
}
