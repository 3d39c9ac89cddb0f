/*
 * estimate.c - rows of nodes, selectivities of conditions, distinct values of expressions.
 *
 * Equality with a constant keeps one value's share; a range keeps its part of the span between the
 * smallest and the largest value; two bounds of one column are taken together. Other conditions are held
 * to be independent of each other. An equality between two relations keeps 1 / the larger number of
 * different values (every value of the smaller side has partners). Keys of several columns can have no
 * more values than their table has rows; where a side's columns reach that, they are its key, and
 * each row of the other side finds one partner.
 * After Selinger et al., "Access path selection in a relational database management system" (1979), and
 * Swami and Schiefer, "On the estimation of join result sizes" (1994).
 */
#include "engine/plan/estimate.h"

#include <math.h>

/* Shares where the source knows nothing better (System R's tradition). */
#define SHARE_EQUAL   0.05
#define SHARE_RANGE   0.33
#define SHARE_BETWEEN 0.15
#define SHARE_LIKE    0.05
#define SHARE_NULL    0.1
#define SHARE_OTHER   0.5
#define SHARE_MATCHED 0.9 /* of rows that find a partner, at most */
#define SHARE_LEAST   1e-9
#define ROWS_UNKNOWN  10000.0
#define UNNEST_ROWS   4      /* elements of an array of unknown length */
#define WORKING_ROWS  1000.0 /* of one step of a recursive query */

static double clamp(double x, double low, double high) {
    return x < low ? low : x > high ? high : x;
}

/* ---------------------------------------------------------------- values as numbers */

/* Numbers, dates and moments on a line; false for what has no distance. */
static bool value_number(const Value *value, double *out) {
    if (value->is_null) return false;
    switch (value->type.id) {
    case TRIB_TYPE_TINYINT:
    case TRIB_TYPE_SMALLINT:
    case TRIB_TYPE_INTEGER:
    case TRIB_TYPE_BIGINT:
    case TRIB_TYPE_DATE:
    case TRIB_TYPE_TIME: *out = (double)value->as.integer; return true;
    case TRIB_TYPE_REAL:
    case TRIB_TYPE_DOUBLE: *out = value->as.real; return isfinite(value->as.real);
    case TRIB_TYPE_DECIMAL:
        *out = (type_physical(value->type) == PHYS_INT64 ? (double)value->as.integer
                                                         : (double)value->as.wide) /
               pow(10, value->type.scale);
        return true;
    case TRIB_TYPE_TIMESTAMP:
    case TRIB_TYPE_TIMESTAMP_TZ: *out = (double)value->as.instant.us; return true;
    default: return false;
    }
}

/* ---------------------------------------------------------------- columns */

/* The column below casts, or NULL. */
static const Expr *below_casts(const Expr *e) {
    while (e->kind == EXPR_CAST && e->nargs == 1) e = e->args[0];
    return e->kind == EXPR_COLUMN ? e : NULL;
}

static const TribColumn *source_column(const PlanColumns *columns, const Expr *e,
                                       const TribTable **table) {
    const Expr *column = below_casts(e);
    if (!column) return NULL;
    const PlanColumn *c = plan_column(columns, column->as.column_id);
    if (!c->table || c->table_column >= c->table->table.ncolumns) return NULL;
    *table = &c->table->table;
    return &c->table->table.columns[c->table_column];
}

static bool is_key(const TribTable *table, uint32_t column) {
    for (uint32_t k = 0; k < table->nkeys; k++) {
        const TribKey *key = &table->keys[k];
        if ((key->primary || key->unique) && key->ncolumns == 1 && key->columns[0] == column)
            return true;
    }
    return false;
}

static bool is_whole(Type type) {
    return type_is_integer(type) || type.id == TRIB_TYPE_DATE;
}

double estimate_distinct(const PlanColumns *columns, const Expr *e) {
    const TribTable *table = NULL;
    if (e->kind == EXPR_CONSTANT) return 1;
    if (e->type.id == TRIB_TYPE_BOOLEAN) return 2;
    const TribColumn *column = source_column(columns, e, &table);
    if (!column) return -1;
    if (column->distinct >= 0) return column->distinct < 1 ? 1 : column->distinct;
    if (is_key(table, (uint32_t)(column - table->columns))) return table->rows;
    double low, high;
    if (!is_whole(column->type) || table->rows < 0 || !value_number(&column->minimum, &low) ||
        !value_number(&column->maximum, &high))
        return -1;
    return high - low + 1 < table->rows ? fmax(1, high - low + 1) : -1;
}

double estimate_table_rows(const PlanColumns *columns, const Expr *e) {
    const TribTable *table = NULL;
    return source_column(columns, e, &table) ? table->rows : -1;
}

/* ---------------------------------------------------------------- single conditions */

typedef struct Comparison {
    const Expr *column; /* with its casts */
    const Value *value;
    uint16_t op; /* as if the column stood on the left */
} Comparison;

static uint16_t mirrored_op(uint16_t op) {
    switch (op) {
    case TRIB_FN_lt: return TRIB_FN_gt;
    case TRIB_FN_le: return TRIB_FN_ge;
    case TRIB_FN_gt: return TRIB_FN_lt;
    case TRIB_FN_ge: return TRIB_FN_le;
    default: return op;
    }
}

/* Recognises column op constant, either way round. */
static bool comparison_of(const Expr *e, Comparison *out) {
    if (e->kind != EXPR_CALL || e->nargs != 2) return false;
    uint16_t op = e->as.function->id;
    if (op < TRIB_FN_eq || op > TRIB_FN_ge) return false;
    for (uint32_t i = 0; i < 2; i++) {
        const Expr *column = e->args[i], *constant = e->args[1 - i];
        if (constant->kind != EXPR_CONSTANT || column->kind == EXPR_CONSTANT) continue;
        *out = (Comparison){column, &constant->as.value, i == 0 ? op : mirrored_op(op)};
        return true;
    }
    return false;
}

static double not_null_share(const PlanColumns *columns, const Expr *e) {
    const TribTable *table = NULL;
    const TribColumn *column = source_column(columns, e, &table);
    return column && column->null_fraction >= 0 ? 1 - column->null_fraction : 1;
}

/* A share for the part of the column's span that a bound leaves; < 0: not known. */
static double bound_share(const PlanColumns *columns, const Comparison *c) {
    const TribTable *table = NULL;
    const TribColumn *column = source_column(columns, c->column, &table);
    double low, high, at;
    if (!column || !value_number(&column->minimum, &low) ||
        !value_number(&column->maximum, &high) || !value_number(c->value, &at))
        return -1;
    if (column->type.id != c->value->type.id && !type_is_numeric(c->value->type)) return -1;
    double step = is_whole(column->type) ? 1 : 0, span = high - low + step;
    if (span <= 0) span = 1;
    bool above = c->op == TRIB_FN_gt || c->op == TRIB_FN_ge;
    bool with = c->op == TRIB_FN_le || c->op == TRIB_FN_ge;
    double part = above ? high - at : at - low;
    if (with) part += step;
    return clamp(part / span, SHARE_LEAST, 1) * not_null_share(columns, c->column);
}

static double equal_share(const PlanColumns *columns, const Comparison *c) {
    double values = estimate_distinct(columns, c->column), low, high, at;
    const TribTable *table = NULL;
    const TribColumn *column = source_column(columns, c->column, &table);
    if (column && value_number(&column->minimum, &low) && value_number(&column->maximum, &high) &&
        value_number(c->value, &at) && column->type.id == c->value->type.id &&
        (at < low || at > high))
        return SHARE_LEAST;
    return values > 0 ? not_null_share(columns, c->column) / values : SHARE_EQUAL;
}

static double share(const PlanColumns *columns, const Expr *e);

static double call_share(const PlanColumns *columns, const Expr *e) {
    Comparison c;
    uint16_t op = e->as.function->id;
    if (op == TRIB_FN_like) return SHARE_LIKE;
    if (comparison_of(e, &c)) {
        if (c.value->is_null) return SHARE_LEAST;
        if (op == TRIB_FN_eq) return equal_share(columns, &c);
        if (op == TRIB_FN_ne) return clamp(1 - equal_share(columns, &c), SHARE_LEAST, 1);
        double part = bound_share(columns, &c);
        return part >= 0 ? part : SHARE_RANGE;
    }
    if (op == TRIB_FN_eq && e->nargs == 2) {
        double values =
            fmax(estimate_distinct(columns, e->args[0]), estimate_distinct(columns, e->args[1]));
        return values > 0 ? 1 / values : SHARE_EQUAL;
    }
    if (op == TRIB_FN_ne || op == TRIB_FN_is_distinct_from) return 1 - SHARE_LIKE;
    return op > TRIB_FN_ne && op <= TRIB_FN_ge ? SHARE_RANGE : SHARE_OTHER;
}

static double in_share(const PlanColumns *columns, const Expr *e) {
    double values = estimate_distinct(columns, e->args[0]), n = e->nargs - 1;
    double s = values > 0 ? n / values : n * SHARE_EQUAL;
    s = clamp(s, SHARE_LEAST, 1);
    return e->negated ? clamp(1 - s, SHARE_LIKE, 1) : s;
}

static double null_share(const PlanColumns *columns, const Expr *e) {
    const TribTable *table = NULL;
    const TribColumn *column = source_column(columns, e->args[0], &table);
    double s = column && column->null_fraction >= 0 ? column->null_fraction : SHARE_NULL;
    if (column && !column->nullable) s = SHARE_LEAST;
    return clamp(e->negated ? 1 - s : s, SHARE_LEAST, 1);
}

static double share(const PlanColumns *columns, const Expr *e) {
    double missed = 1;
    switch ((ExprKind)e->kind) {
    case EXPR_CALL: return call_share(columns, e);
    case EXPR_IS_NULL: return null_share(columns, e);
    case EXPR_IN: return in_share(columns, e);
    case EXPR_AND: return estimate_selectivity(columns, e->nargs, e->args);
    case EXPR_OR:
        for (uint32_t i = 0; i < e->nargs; i++) missed *= 1 - share(columns, e->args[i]);
        return clamp(1 - missed, SHARE_LEAST, 1);
    case EXPR_NOT: return clamp(1 - share(columns, e->args[0]), SHARE_LEAST, 1);
    case EXPR_CONSTANT: return e->as.value.is_null || !e->as.value.as.integer ? SHARE_LEAST : 1;
    default: return SHARE_OTHER;
    }
}

/* ---------------------------------------------------------------- conjunctions */

static bool is_lower(uint16_t op) {
    return op == TRIB_FN_gt || op == TRIB_FN_ge;
}

/* Is there an earlier conjunct that bounds the same column from the other side? */
static const Expr *other_bound(uint32_t i, Expr *const *conjuncts, const Comparison *c) {
    for (uint32_t j = 0; j < i; j++) {
        Comparison other;
        if (!comparison_of(conjuncts[j], &other) || other.op < TRIB_FN_lt) continue;
        if (is_lower(other.op) != is_lower(c->op) && expr_equal(other.column, c->column))
            return conjuncts[j];
    }
    return NULL;
}

double estimate_selectivity(const PlanColumns *columns, uint32_t count, Expr *const *conjuncts) {
    double all = 1;
    for (uint32_t i = 0; i < count; i++) {
        Comparison c;
        double own = share(columns, conjuncts[i]);
        const Expr *first = comparison_of(conjuncts[i], &c) && c.op >= TRIB_FN_lt
                                ? other_bound(i, conjuncts, &c)
                                : NULL;
        if (first) { /* both bounds together, instead of one after the other */
            double before = share(columns, first), part = bound_share(columns, &c);
            double both =
                part >= 0 ? before + part - not_null_share(columns, c.column) : SHARE_BETWEEN;
            own = clamp(both, SHARE_LEAST, 1) / before;
        }
        all *= own;
    }
    return clamp(all, SHARE_LEAST, 1);
}

/* ---------------------------------------------------------------- joins */

typedef struct KeySide {
    double values; /* of the key; < 0 unknown */
    double table;  /* rows of the one table that all its columns come from; < 0: none */
    bool whole;    /* the columns are a key of that table */
} KeySide;

/* Is a column of the table, by index, one of the keys? */
static bool is_among(const PlanColumns *columns, const TribTable *table, uint32_t column,
                     uint32_t nkeys, Expr *const *keys) {
    for (uint32_t i = 0; i < nkeys; i++) {
        const TribTable *of = NULL;
        const TribColumn *c = source_column(columns, keys[i], &of);
        if (c && of == table && (uint32_t)(c - table->columns) == column) return true;
    }
    return false;
}

/* Do the columns hold a key of the table that the first of them comes from? */
static bool hold_key(const PlanColumns *columns, uint32_t nkeys, Expr *const *keys) {
    const TribTable *table = NULL;
    if (nkeys == 0 || !source_column(columns, keys[0], &table) || table->rows < 0) return false;
    for (uint32_t k = 0; k < table->nkeys; k++) {
        const TribKey *key = &table->keys[k];
        uint32_t found = 0;
        if (!key->primary && !key->unique) continue;
        while (found < key->ncolumns && is_among(columns, table, key->columns[found], nkeys, keys))
            found++;
        if (found == key->ncolumns) return true;
    }
    return false;
}

/* How many different keys a side has, if it holds its whole tables. */
static KeySide key_side(const PlanColumns *columns, uint32_t nkeys, Expr *const *keys) {
    KeySide side = {1, -1, false};
    for (uint32_t i = 0; i < nkeys; i++) {
        double values = estimate_distinct(columns, keys[i]),
               rows = estimate_table_rows(columns, keys[i]);
        side.values = values < 0 || side.values < 0 ? -1 : side.values * values;
        side.table = i == 0 || rows == side.table ? rows : -1;
    }
    if (side.table >= 0 && (side.values >= side.table || hold_key(columns, nkeys, keys))) {
        side.values = side.table;
        side.whole = true;
    }
    return side;
}

double estimate_matches(const PlanColumns *columns, double left, double right, uint32_t nkeys,
                        Expr *const *left_keys, Expr *const *right_keys) {
    KeySide l = key_side(columns, nkeys, left_keys), r = key_side(columns, nkeys, right_keys);
    double values;
    if (l.values >= 0 && r.values >= 0) {
        values =
            nkeys > 1 && (l.whole || r.whole) ? fmin(l.values, r.values) : fmax(l.values, r.values);
    } else if (l.values >= 0 || r.values >= 0) {
        values = fmax(l.values, r.values);
    } else { /* one of them is a key, most likely of the smaller table */
        double lt = l.table >= 0 ? l.table : left, rt = r.table >= 0 ? r.table : right;
        values = fmin(lt, rt);
    }
    return fmax(left * right / fmax(values, 1), fmin(1, fmin(left, right)));
}

#define KEYS_MOST 16 /* further equalities count like other conditions */

typedef struct JoinKeys {
    uint32_t count;
    Expr *left[KEYS_MOST], *right[KEYS_MOST];
    double rest; /* the share of pairs that the other conditions leave */
} JoinKeys;

static bool is_output(const LogicalNode *node, const Expr *e) {
    const Expr *column = below_casts(e);
    return column && logical_has_output(node, column->as.column_id);
}

/* Takes the equalities out of a join's condition. */
static void join_keys(const PlanColumns *columns, const LogicalNode *node, JoinKeys *out) {
    out->count = 0;
    out->rest = 1;
    for (uint32_t i = 0; i < node->nconjuncts; i++) {
        Expr *e = node->conjuncts[i];
        if (e->kind != EXPR_CALL || e->as.function->id != TRIB_FN_eq || e->nargs != 2 ||
            out->count == KEYS_MOST) {
            out->rest *= share(columns, e);
            continue;
        }
        bool swapped =
            is_output(node->children[1], e->args[0]) || is_output(node->children[0], e->args[1]);
        out->left[out->count] = e->args[swapped];
        out->right[out->count++] = e->args[!swapped];
    }
}

/* The share of the left side's rows that find a partner. */
static double matched_share(const PlanColumns *columns, double left, double right,
                            const JoinKeys *keys) {
    if (keys->count == 0) return SHARE_OTHER;
    KeySide l = key_side(columns, keys->count, keys->left),
            r = key_side(columns, keys->count, keys->right);
    double values = r.values >= 0 ? fmin(r.values, right) : right;
    double of = l.values >= 0 ? l.values : l.table >= 0 ? l.table : left;
    return clamp(values / fmax(of, 1), SHARE_LEAST, SHARE_MATCHED);
}

double estimate_join(const PlanColumns *columns, const LogicalNode *node, double left,
                     double right) {
    JoinKeys keys;
    join_keys(columns, node, &keys);
    double pairs = keys.count
                       ? estimate_matches(columns, left, right, keys.count, keys.left, keys.right)
                       : left * right;
    double inner = pairs * keys.rest;
    double matched = left * matched_share(columns, left, right, &keys);
    switch (node->join) {
    case JOIN_SEMI: return fmax(matched, 1);
    case JOIN_ANTI:
    case JOIN_ANTI_NULLS: return fmax(left - matched, 1);
    case JOIN_MARK: return left;
    case JOIN_LEFT: return fmax(left, inner);
    case JOIN_RIGHT: return fmax(right, inner);
    case JOIN_FULL: return fmax(left + right, inner);
    default: return fmax(inner, 1);
    }
}

/* ---------------------------------------------------------------- nodes */

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

static double group_rows(RowMemo *memo, const LogicalNode *node) {
    double input = row_memo_get(memo, node->children[0]), groups = 1;
    if (node->ngroups == 0) return 1;
    for (uint32_t g = 0; g < node->ngroups; g++) {
        double values = estimate_distinct(memo->columns, node->groups[g]);
        groups *= values > 0 ? values : fmax(1, input / 10);
        if (groups >= input) return fmax(1, input);
    }
    return fmax(1, groups);
}

static double scan_rows(const LogicalNode *node) {
    if (node->pushed && node->pushed->rows >= 0) return node->pushed->rows;
    return node->table && node->table->table.rows >= 0 ? node->table->table.rows : ROWS_UNKNOWN;
}

static double filter_rows(RowMemo *memo, const LogicalNode *node) {
    const LogicalNode *child = node->children[0];
    double rows = row_memo_get(memo, child);
    return fmax(1, rows * estimate_selectivity(memo->columns, node->nconjuncts, node->conjuncts));
}

static double node_rows(RowMemo *memo, const LogicalNode *node) {
    double rows = 0;
    if (node->rows >= 0) return node->rows;
    switch (node->kind) {
    case LOGICAL_SCAN: return scan_rows(node);
    case LOGICAL_VALUES: return node->nrows;
    case LOGICAL_FILTER: return filter_rows(memo, node);
    case LOGICAL_JOIN:
        return estimate_join(memo->columns, node, row_memo_get(memo, node->children[0]),
                             row_memo_get(memo, node->children[1]));
    case LOGICAL_AGGREGATE: return group_rows(memo, node);
    case LOGICAL_SAMPLE: return sampled(row_memo_get(memo, node->children[0]), node);
    case LOGICAL_LIMIT:
    case LOGICAL_TIES:
    case LOGICAL_TOPN: return limited(row_memo_get(memo, node->children[0]), node);
    case LOGICAL_UNION:
        for (uint32_t i = 0; i < node->nchildren; i++)
            rows += row_memo_get(memo, node->children[i]);
        return rows;
    case LOGICAL_SHARED: return row_memo_get(memo, node->shared->root);
    case LOGICAL_RECURSIVE: return 10 * row_memo_get(memo, node->children[0]);
    case LOGICAL_WORKING: return WORKING_ROWS;
    case LOGICAL_SINGLE_ROW: return 1;
    case LOGICAL_UNNEST: return row_memo_get(memo, node->children[0]) * UNNEST_ROWS;
    case LOGICAL_EXPAND: return row_memo_get(memo, node->children[0]) * node->nsets;
    default: return node->nchildren ? row_memo_get(memo, node->children[0]) : ROWS_UNKNOWN;
    }
}

void row_memo_init(RowMemo *self, Arena *arena, const PlanColumns *columns) {
    self->columns = columns;
    map_init(&self->known, arena, false);
}

/* Without memory for the memo the estimate is made anew each time. */
double row_memo_get(RowMemo *self, const LogicalNode *node) {
    Str key = {(const char *)&node, sizeof node};
    const double *known = map_get(&self->known, key);
    if (known) return *known;
    double rows = node_rows(self, node), *kept = ARENA_NEW(self->known.arena, double);
    if (kept) {
        *kept = rows;
        (void)map_put(&self->known, key, kept);
    }
    return rows;
}
