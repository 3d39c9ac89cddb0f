/*
 * plan_subqueries.c - sub-queries in expressions, and LATERAL, become joins.
 *
 *   conjunct x IN (q)         semi join          NOT IN (q)      NULL-aware anti join
 *   conjunct EXISTS (q)       semi join, no key  NOT EXISTS (q)  anti join, no key
 *   scalar (q) anywhere       cross join with the single row of q, replaced by its column
 *   IN, EXISTS anywhere else  mark join: adds a boolean column, which replaces the sub-query
 *   JOIN LATERAL (q)          join
 *
 * The join goes below the node whose expression holds the sub-query, so that the expression can use the
 * new column; a projection above takes it away again. A query that uses columns of the rows it is joined
 * with is lifted first (lift.h): its conditions on them become the join's. Inner sub-queries are planned
 * before outer ones, so that what is lifted holds none.
 */
#include "engine/optimise/lift.h"

/* A sub-query that has its join already. Forms that repeat an operand (BETWEEN, CASE x WHEN, NULLIF)
 * hold the same sub-query several times; its first output column tells it from others. */
typedef struct Planned {
    struct Planned *next;
    ColumnId id;
    Expr **values; /* scalar: of each column; else one */
} Planned;

typedef struct Planner {
    LogicalNode *input; /* grows joins as sub-queries are found */
    Planned *planned;
} Planner;

static Expr *const *planned_values(const Planner *self, const Expr *e) {
    for (const Planned *p = self->planned; p && e->as.plan->noutput; p = p->next) {
        if (p->id == e->as.plan->output[0]) return p->values;
    }
    return NULL;
}

static Status planned_add(RuleContext *context, Planner *self, const Expr *e, Expr **values) {
    Planned *entry;
    if (e->as.plan->noutput == 0) return TRIB_OK;
    TRY_ALLOC(entry, ARENA_NEW(context->arena, Planned), context->err);
    *entry = (Planned){self->planned, e->as.plan->output[0], values};
    self->planned = entry;
    return TRIB_OK;
}

static bool is_subquery(void *context, const Expr *e) {
    (void)context;
    return e->kind == EXPR_SUBQUERY;
}

static bool has_subquery(const Expr *e) {
    return expr_any(e, is_subquery, NULL);
}

/* ---------------------------------------------------------------- joins */

typedef struct JoinSpec {
    JoinKind kind;
    ExprList conditions;
    uint32_t nin;
    ColumnId mark; /* 0 = none */
    bool plain;    /* IN by a MARK that is true or false: is there an equal row? */
    bool unknown;  /* likewise: is there a row of which nobody knows whether it is equal? */
} JoinSpec;

/* A join of the input with a sub-query's plan; SEMI, ANTI and MARK put out the input's columns (and the
 * mark), others both sides'. */
static Status join_with(RuleContext *context, LogicalNode *input, LogicalNode *plan,
                        const JoinSpec *spec, LogicalNode **out) {
    bool both = spec->kind == JOIN_INNER || spec->kind == JOIN_LEFT || spec->kind == JOIN_CROSS;
    uint32_t n = input->noutput, m = both ? plan->noutput : 0, mark = spec->mark != 0;
    LogicalNode *join;
    TRY_ALLOC(join, logical_new(context->arena, LOGICAL_JOIN, n + m + mark, 2), context->err);
    if (n) memcpy(join->output, input->output, n * sizeof *join->output);
    if (m) memcpy(join->output + n, plan->output, m * sizeof *join->output);
    if (mark) join->output[n + m] = spec->mark;
    join->join = spec->kind == JOIN_INNER && spec->conditions.count == 0 ? JOIN_CROSS : spec->kind;
    join->mark = spec->mark;
    join->nin = spec->nin;
    join->children[0] = input;
    join->children[1] = plan;
    join->conjuncts = spec->conditions.items;
    join->nconjuncts = spec->conditions.count;
    for (uint32_t i = 0; spec->kind == JOIN_LEFT && i < m; i++)
        context->columns->columns[plan->output[i]].nullable = true;
    *out = join;
    return TRIB_OK;
}

/* x = a column of q, coerced to their common type. */
static Status in_condition(RuleContext *context, const Expr *e, Expr *value, Expr *column,
                           Expr **out) {
    Type common;
    if (!type_common(context->arena, value->type, column->type, &common)) {
        return error_set_at(context->err, ERR_SYNTAX, e->line, e->column,
                            "IN compares values of types that do not compare");
    }
    Expr *args[2];
    TRY_ALLOC(args[0], expr_cast(context->arena, value, common, false), context->err);
    TRY_ALLOC(args[1], expr_cast(context->arena, column, common, false), context->err);
    Type types[2] = {common, common};
    ResolvedFunction f;
    TRY(function_resolve_id(context->arena, TRIB_FN_eq, 2, types, &f, context->err));
    TRY_ALLOC(*out, expr_call(context->arena, &f, 2, args), context->err);
    return TRIB_OK;
}

static Status truth(RuleContext *context, bool value, Expr **out) {
    Value constant = {.type = TYPE(BOOLEAN)};
    constant.as.integer = value;
    TRY_ALLOC(*out, expr_constant(context->arena, constant), context->err);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- what of a plan decides */

static bool passes_some(const LogicalNode *node) {
    return !node->offset && node->limit && node->limit->kind == EXPR_CONSTANT &&
           !node->limit->as.value.is_null && node->limit->as.value.as.integer > 0;
}

/* Whether there are rows at all: what does not decide that is left out. *always: there is a row. */
static LogicalNode *existence(LogicalNode *node, bool *always) {
    *always = false;
    for (;;) {
        switch (node->kind) {
        case LOGICAL_PROJECT:
        case LOGICAL_SORT: break;
        case LOGICAL_LIMIT:
        case LOGICAL_TIES:
            if (!passes_some(node)) return node;
            break;
        case LOGICAL_AGGREGATE:
            if (node->nempty) return node;
            *always = node->ngroups == 0;
            if (*always) return node;
            break;
        case LOGICAL_JOIN:
            if (node->join != JOIN_LEFT && node->join != JOIN_MARK) return node;
            break;
        default: return node;
        }
        node = node->children[0];
    }
}

/* Duplicates and order mean nothing to IN: DISTINCT becomes a projection. */
static Status membership(RuleContext *context, LogicalNode *node, LogicalNode **out) {
    while (node->kind == LOGICAL_SORT) node = node->children[0];
    *out = node;
    if (node->kind != LOGICAL_AGGREGATE || node->naggregates || node->nempty || !node->ngroups)
        return TRIB_OK;
    LogicalNode *project;
    TRY_ALLOC(project, logical_copy(context->arena, node), context->err);
    project->kind = LOGICAL_PROJECT;
    project->exprs = node->groups;
    project->ngroups = 0;
    project->groups = NULL;
    *out = project;
    return TRIB_OK;
}

/* One row at most is needed. */
static Status one_row(RuleContext *context, LogicalNode *plan, LogicalNode **out) {
    LogicalNode *limit;
    TRY_ALLOC(limit, logical_new(context->arena, LOGICAL_LIMIT, plan->noutput, 1), context->err);
    if (plan->noutput) memcpy(limit->output, plan->output, plan->noutput * sizeof *limit->output);
    limit->children[0] = plan;
    Value one = {.type = TYPE(BIGINT)};
    one.as.integer = 1;
    TRY_ALLOC(limit->limit, expr_constant(context->arena, one), context->err);
    *out = limit;
    return TRIB_OK;
}

static bool is_outer(void *context, const Expr *e) {
    (void)context;
    return e->kind == EXPR_OUTER;
}

static Status find_outer(void *context, Expr *e, Expr **out) {
    bool *found = context;
    *out = e;
    *found = *found || expr_any(e, is_outer, NULL);
    return TRIB_OK;
}

static Status uses_outer(RuleContext *context, LogicalNode *plan, bool *out) {
    LogicalNode *same;
    TRY(logical_map_exprs(context->arena, plan, find_outer, out, &same, context->err));
    for (uint32_t i = 0; i < plan->nchildren && !*out; i++)
        TRY(uses_outer(context, plan->children[i], out));
    return TRIB_OK;
}

/* Lifts the plan of the sub-query e over the input's columns. Its conditions go down first, where lifting finds more keys. */
static Status lift_plan(RuleContext *context, LogicalNode *input, LogicalNode **plan, const Expr *e,
                        Lifting *lifting, Lifted *lifted) {
    bool outer = false;
    TRY(uses_outer(context, *plan, &outer));
    if (outer) TRY(rule_push_filters(context, *plan, plan));
    TRY(lifting_init(context, input, lifting));
    lifting->line = e->line;
    lifting->column = e->column;
    Status status = lift(lifting, *plan, lifted);
    return error_place(context->err, status, lifting->line, lifting->column);
}

/* ---------------------------------------------------------------- scalar sub-queries */

static Status plan_expr(RuleContext *context, void *state, Expr *e, Expr **out);
static Status plan_lateral(RuleContext *context, LogicalNode *node, LogicalNode **out);

static Status single_row(RuleContext *context, LogicalNode *plan, LogicalNode **out) {
    LogicalNode *single;
    TRY_ALLOC(single, logical_new(context->arena, LOGICAL_SINGLE_ROW, plan->noutput, 1),
              context->err);
    memcpy(single->output, plan->output, plan->noutput * sizeof *plan->output);
    for (uint32_t i = 0; i < plan->noutput; i++)
        context->columns->columns[plan->output[i]].nullable = true;
    single->children[0] = plan;
    *out = single;
    return TRIB_OK;
}

static Status plan_scalar(RuleContext *context, Planner *planner, const Expr *e, Expr **out) {
    Expr *const *known = planned_values(planner, e), **values;
    if (known) {
        *out = known[e->as.field];
        return TRIB_OK;
    }
    LogicalNode *plan;
    Lifting lifting;
    Lifted lifted;
    JoinSpec spec = {.kind = JOIN_CROSS};
    TRY(rule_plan_subqueries(context, e->as.plan, &plan));
    TRY(lift_plan(context, planner->input, &plan, e, &lifting, &lifted));
    TRY_ALLOC(values, ARENA_ARRAY(context->arena, Expr *, plan->noutput), context->err);
    if (lifted.correlated) {
        Status status = lift_single_row(&lifting, plan->noutput, plan->output, &lifted);
        TRY(error_place(context->err, status, e->line, e->column));
        spec.kind = JOIN_LEFT;
        TRY(lift_settle_list(&lifting, &lifted.conditions, &spec.conditions));
    } else {
        TRY(single_row(context, plan, &lifted.node));
        lifted.node->line = e->line;
        lifted.node->column = e->column;
    }
    TRY(join_with(context, lifting.input, lifted.node, &spec, &planner->input));
    for (uint32_t i = 0; i < plan->noutput; i++) {
        TRY(lifted_column(&lifting, plan->output[i], &values[i]));
        TRY(lift_settle(&lifting, values[i], &values[i]));
    }
    *out = values[e->as.field];
    return planned_add(context, planner, e, values);
}

/* ---------------------------------------------------------------- IN, EXISTS */

/* (a AND b ...) IS NULL */
static Status unknown_condition(RuleContext *context, const ExprList *equal, JoinSpec *spec) {
    Expr *all = equal->items[0], *null;
    if (equal->count > 1)
        TRY_ALLOC(all, expr_boolean(context->arena, EXPR_AND, equal->count, equal->items),
                  context->err);
    TRY_ALLOC(null, expr_new(context->arena, EXPR_IS_NULL, TYPE(BOOLEAN), 1, &all), context->err);
    return rule_list_add(context, &spec->conditions, null);
}

/* Joins the input with the sub-query: `kind` SEMI, ANTI, ANTI_NULLS or MARK. */
static Status join_in(RuleContext *context, Planner *planner, const Expr *e, JoinSpec *spec) {
    bool exact = (spec->kind == JOIN_MARK || spec->kind == JOIN_ANTI_NULLS) && !spec->plain;
    LogicalNode *plan;
    ExprList equal = {0};
    ColumnId *map;
    Expr **operands;
    Lifting lifting;
    Lifted lifted;
    bool computed = false;
    TRY_ALLOC(operands, ARENA_ARRAY(context->arena, Expr *, e->nargs), context->err);
    for (uint32_t i = 0; i < e->nargs; i++)
        TRY(plan_expr(context, planner, e->args[i], &operands[i]));
    TRY(rule_plan_subqueries(context, e->as.plan, &plan));
    TRY(membership(context, plan, &plan));
    if (spec->unknown)
        TRY(logical_clone(context->arena, context->columns, plan, &map, &plan, context->err));
    TRY(lift_plan(context, planner->input, &plan, e, &lifting, &lifted));
    for (uint32_t i = 0; i < e->nargs; i++) {
        Expr *column;
        TRY(lifted_column(&lifting, plan->output[i], &column));
        computed = computed || column->kind != EXPR_COLUMN;
    }
    if (lifted.fills || (computed && exact)) {
        Status status = lift_bind(&lifting, plan->noutput, plan->output, NULL, &lifted);
        TRY(error_place(context->err, status, e->line, e->column));
    }
    for (uint32_t i = 0; i < e->nargs; i++) {
        Expr *column, *condition;
        TRY(lifted_column(&lifting, plan->output[i], &column));
        TRY(lift_settle(&lifting, column, &column));
        TRY(in_condition(context, e, operands[i], column, &condition));
        TRY(rule_list_add(context, spec->unknown ? &equal : &spec->conditions, condition));
    }
    if (spec->unknown) TRY(unknown_condition(context, &equal, spec));
    if (exact) spec->nin = e->nargs;
    TRY(lift_settle_list(&lifting, &lifted.conditions, &spec->conditions));
    return join_with(context, lifting.input, lifted.node, spec, &planner->input);
}

/* *always: the sub-query has a row for every row of the input, and there is no join. */
static Status join_exists(RuleContext *context, Planner *planner, const Expr *e, JoinSpec *spec,
                          bool *always) {
    LogicalNode *plan;
    Lifting lifting;
    Lifted lifted;
    TRY(rule_plan_subqueries(context, e->as.plan, &plan));
    plan = existence(plan, always);
    if (*always) return TRIB_OK;
    TRY(lift_plan(context, planner->input, &plan, e, &lifting, &lifted));
    *always = lifted.fills;
    if (*always) return TRIB_OK;
    if (!lifted.correlated) TRY(one_row(context, lifted.node, &lifted.node));
    TRY(lift_settle_list(&lifting, &lifted.conditions, &spec->conditions));
    return join_with(context, lifting.input, lifted.node, spec, &planner->input);
}

static bool compares_nested(const Expr *e) {
    for (uint32_t i = 0; i < e->nargs; i++)
        if (type_is_nested(e->args[i]->type)) return true;
    return false;
}

/* Arrays, maps and rows with NULLs inside may be neither equal nor different though none of them is NULL: CASE
 * WHEN one is equal THEN true WHEN of one nobody knows THEN NULL ELSE false END. */
static Status plan_in_nested(RuleContext *context, Planner *planner, const Expr *e, Expr **out) {
    JoinSpec specs[2] = {{.kind = JOIN_MARK, .plain = true},
                         {.kind = JOIN_MARK, .plain = true, .unknown = true}};
    Expr *args[5];
    for (uint32_t i = 0; i < 2; i++) {
        specs[i].mark = plan_column_new(context->columns, STR("exists"), TYPE(BOOLEAN), false);
        if (!specs[i].mark) return error_out_of_memory(context->err);
        TRY(join_in(context, planner, e, &specs[i]));
        TRY_ALLOC(args[2 * i], rule_column(context, specs[i].mark), context->err);
    }
    Value null = {.type = TYPE(BOOLEAN), .is_null = true};
    TRY(truth(context, true, &args[1]));
    TRY_ALLOC(args[3], expr_constant(context->arena, null), context->err);
    TRY(truth(context, false, &args[4]));
    TRY_ALLOC(*out, expr_new(context->arena, EXPR_CASE, TYPE(BOOLEAN), 5, args), context->err);
    expr_derive(*out);
    return TRIB_OK;
}

static Status plan_mark(RuleContext *context, Planner *planner, const Expr *e, Expr **out) {
    bool in = e->subquery_kind == SUBQUERY_IN, always = false;
    Expr **value;
    TRY_ALLOC(value, ARENA_ARRAY(context->arena, Expr *, 1), context->err);
    if (in && compares_nested(e)) {
        TRY(plan_in_nested(context, planner, e, &value[0]));
        *out = value[0];
        return planned_add(context, planner, e, value);
    }
    JoinSpec spec = {.kind = JOIN_MARK};
    spec.mark = plan_column_new(context->columns, STR("exists"), TYPE(BOOLEAN), in);
    if (!spec.mark) return error_out_of_memory(context->err);
    TRY(in ? join_in(context, planner, e, &spec)
           : join_exists(context, planner, e, &spec, &always));
    if (always) return truth(context, true, out);
    TRY_ALLOC(value[0], rule_column(context, spec.mark), context->err);
    *out = value[0];
    return planned_add(context, planner, e, value);
}

static Status plan_subquery(RuleContext *context, Planner *planner, const Expr *e, Expr **out) {
    if (e->subquery_kind == SUBQUERY_SCALAR) return plan_scalar(context, planner, e, out);
    Expr *const *known = planned_values(planner, e);
    *out = known ? known[0] : NULL;
    if (!*out) TRY(plan_mark(context, planner, e, out));
    if (!e->negated) return TRIB_OK;
    Expr *column = *out;
    TRY_ALLOC(*out, expr_boolean(context->arena, EXPR_NOT, 1, &column), context->err);
    return TRIB_OK;
}

/* The node over its arguments with their sub-queries planned by `plan`. */
static Status plan_below(RuleContext *context, void *state, ExprMap plan, Expr *e, Expr **out) {
    Expr **args;
    TRY_ALLOC(args, ARENA_ARRAY(context->arena, Expr *, e->nargs), context->err);
    for (uint32_t i = 0; i < e->nargs; i++) TRY(plan(context, state, e->args[i], &args[i]));
    TRY(rule_expr_over(context, e, args, out));
    if (e->kind != EXPR_AGGREGATE || !e->as.agg.filter) return TRIB_OK;
    TRY(plan(context, state, e->as.agg.filter, &(*out)->as.agg.filter));
    expr_derive(*out);
    return TRIB_OK;
}

static Status plan_expr(RuleContext *context, void *state, Expr *e, Expr **out) {
    *out = e;
    if (!has_subquery(e)) return TRIB_OK;
    if (e->kind == EXPR_SUBQUERY) return plan_subquery(context, state, e, out);
    return plan_below(context, state, plan_expr, e, out);
}

/* ---------------------------------------------------------------- filters */

/* A conjunct that is IN or EXISTS itself filters by a semi or anti join. */
static Status plan_conjunct(RuleContext *context, Planner *planner, const Expr *e, ExprList *rest) {
    JoinSpec spec = {.kind = JOIN_SEMI};
    if (e->subquery_kind == SUBQUERY_IN) {
        if (e->negated && compares_nested(e)) {
            Expr *value;
            TRY(plan_subquery(context, planner, e, &value));
            return rule_list_add(context, rest, value);
        }
        if (e->negated) spec.kind = JOIN_ANTI_NULLS;
        return join_in(context, planner, e, &spec);
    }
    bool always;
    Expr *never;
    if (e->negated) spec.kind = JOIN_ANTI;
    TRY(join_exists(context, planner, e, &spec, &always));
    if (!always || !e->negated) return TRIB_OK;
    TRY(truth(context, false, &never));
    return rule_list_add(context, rest, never);
}

static bool is_filtering(const Expr *e) {
    return e->kind == EXPR_SUBQUERY &&
           (e->subquery_kind == SUBQUERY_IN || e->subquery_kind == SUBQUERY_EXISTS);
}

/* NOT (x IN (q)) is x NOT IN (q), for NULL too; NOT EXISTS alike. */
static Status absorb_not(RuleContext *context, Expr *e, Expr **out) {
    *out = e;
    if (e->kind != EXPR_NOT || !is_filtering(e->args[0])) return TRIB_OK;
    TRY(rule_expr_over(context, e->args[0], e->args[0]->args, out));
    (*out)->negated = !e->args[0]->negated;
    return TRIB_OK;
}

/* Plain conjuncts are applied first, below the joins. */
static Status plan_filter(RuleContext *context, LogicalNode *node, LogicalNode **out) {
    ExprList plain = {0}, rest = {0};
    for (uint32_t i = 0; i < node->nconjuncts; i++) {
        if (!has_subquery(node->conjuncts[i]))
            TRY(rule_list_add(context, &plain, node->conjuncts[i]));
    }
    Planner planner = {0};
    TRY(rule_filter(context, node->children[0], &plain, &planner.input));
    for (uint32_t i = 0; i < node->nconjuncts; i++) {
        Expr *e = node->conjuncts[i];
        if (!has_subquery(e)) continue;
        TRY(absorb_not(context, e, &e));
        if (is_filtering(e)) {
            TRY(plan_conjunct(context, &planner, e, &rest));
        } else {
            TRY(plan_expr(context, &planner, e, &e));
            TRY(rule_list_add(context, &rest, e));
        }
    }
    LogicalNode *filter;
    TRY(rule_filter(context, planner.input, &rest, &filter));
    *out = filter;
    if (filter->noutput == node->noutput) return TRIB_OK;
    return rule_project_columns(context, filter, node->noutput, node->output, out);
}

/* ---------------------------------------------------------------- VALUES */

/* VALUES with sub-queries: each row becomes a projection of a row without columns, united. */
static Status plan_values(RuleContext *context, LogicalNode *node, LogicalNode **out) {
    LogicalNode *all;
    TRY_ALLOC(all, logical_new(context->arena, LOGICAL_UNION, node->noutput, node->nrows),
              context->err);
    if (node->noutput) memcpy(all->output, node->output, node->noutput * sizeof *all->output);
    TRY_ALLOC(all->inputs, ARENA_ARRAY(context->arena, ColumnId *, node->nrows), context->err);
    for (uint32_t r = 0; r < node->nrows; r++) {
        LogicalNode *empty, *project;
        TRY_ALLOC(empty, logical_new(context->arena, LOGICAL_VALUES, 0, 0), context->err);
        TRY_ALLOC(empty->value_rows, ARENA_ARRAY(context->arena, Expr **, 1), context->err);
        TRY_ALLOC(empty->value_rows[0], ARENA_ARRAY(context->arena, Expr *, 0), context->err);
        empty->nrows = 1;
        TRY_ALLOC(project, logical_new(context->arena, LOGICAL_PROJECT, node->noutput, 1),
                  context->err);
        project->exprs = node->value_rows[r];
        project->children[0] = empty;
        for (uint32_t i = 0; i < node->noutput; i++) {
            const PlanColumn column = *plan_column(context->columns, node->output[i]);
            project->output[i] = plan_column_new(context->columns, column.name, column.type, true);
            if (!project->output[i]) return error_out_of_memory(context->err);
        }
        all->inputs[r] = project->output;
        TRY(rule_plan_subqueries(context, project, &all->children[r]));
    }
    *out = all;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- joins */

typedef struct JoinPlanner {
    LogicalNode *node;
    Planner sides[2];
} JoinPlanner;

typedef struct Uses {
    const LogicalNode *node;
    bool sides[2];
} Uses;

static bool find_side(void *context, const Expr *e) {
    Uses *self = context;
    if (e->kind != EXPR_COLUMN && e->kind != EXPR_OUTER) return false;
    for (uint32_t s = 0; s < 2; s++)
        self->sides[s] |= logical_has_output(self->node->children[s], e->as.column_id);
    return false;
}

static Status find_sides(void *context, Expr *e, Expr **out);

/* Columns of the join that a plan uses as outer ones, those of sub-queries in it too. */
static Status find_plan_sides(Arena *arena, Uses *uses, LogicalNode *plan, Error *err) {
    LogicalNode *same;
    TRY(logical_map_exprs(arena, plan, find_sides, uses, &same, err));
    for (uint32_t i = 0; i < plan->nchildren; i++)
        TRY(find_plan_sides(arena, uses, plan->children[i], err));
    return TRIB_OK;
}

static Status find_sides(void *context, Expr *e, Expr **out) {
    *out = e;
    expr_any(e, find_side, context);
    return TRIB_OK;
}

/* The sides whose columns a sub-query uses, its operands too. */
static Status subquery_sides(RuleContext *context, const LogicalNode *node, const Expr *e,
                             Uses *uses) {
    *uses = (Uses){.node = node};
    for (uint32_t i = 0; i < e->nargs; i++) expr_any(e->args[i], find_side, uses);
    return find_plan_sides(context->arena, uses, e->as.plan, context->err);
}

/* In the condition of an outer join a sub-query is planned below it, on the side whose columns it uses. */
static Status plan_on(RuleContext *context, void *state, Expr *e, Expr **out) {
    JoinPlanner *self = state;
    *out = e;
    if (!has_subquery(e)) return TRIB_OK;
    if (e->kind != EXPR_SUBQUERY) return plan_below(context, state, plan_on, e, out);
    Uses uses;
    TRY(subquery_sides(context, self->node, e, &uses));
    return plan_subquery(context, &self->sides[uses.sides[0] ? 0 : 1], e, out);
}

typedef struct TwoSided {
    const LogicalNode *node;
    const Expr *first; /* NULL: none */
} TwoSided;

static Status find_two_sided(RuleContext *context, void *state, Expr *e, Expr **out) {
    TwoSided *self = state;
    Uses uses;
    *out = e;
    if (!has_subquery(e)) return TRIB_OK;
    if (e->kind != EXPR_SUBQUERY) {
        Expr *same;
        return plan_below(context, state, find_two_sided, e, &same);
    }
    TRY(subquery_sides(context, self->node, e, &uses));
    if (!self->first && uses.sides[0] && uses.sides[1]) self->first = e;
    return TRIB_OK;
}

typedef struct Outward {
    RuleContext *context;
    const LogicalNode *side;
    bool exhausted;
} Outward;

/* A column of the side, as a query inside sees it. */
static Expr *outward(void *context, const Expr *e) {
    Outward *self = context;
    if (e->kind != EXPR_COLUMN || !logical_has_output(self->side, e->as.column_id)) return NULL;
    Expr *column = expr_outer(self->context->arena, e->as.column_id, e->type);
    self->exhausted |= !column;
    return column;
}

/* a LEFT JOIN b ON condition is a LEFT JOIN LATERAL (SELECT * FROM b WHERE condition): there sub-queries may
 * use both sides. RIGHT: the other way round. */
static Status plan_on_lateral(RuleContext *context, LogicalNode *node, LogicalNode **out) {
    uint32_t kept = node->join == JOIN_RIGHT;
    Outward self = {context, node->children[kept], false};
    ExprList conjuncts = {0};
    LogicalNode *filter, *join;
    for (uint32_t i = 0; i < node->nconjuncts; i++) {
        Expr *e;
        TRY(expr_rewrite(context->arena, node->conjuncts[i], outward, &self, &e, context->err));
        TRY(rule_list_add(context, &conjuncts, e));
    }
    if (self.exhausted) return error_out_of_memory(context->err);
    TRY(rule_filter(context, node->children[1 - kept], &conjuncts, &filter));
    TRY_ALLOC(join, logical_copy(context->arena, node), context->err);
    join->join = JOIN_LEFT;
    join->lateral = true;
    join->nconjuncts = 0;
    join->children[0] = node->children[kept];
    TRY(plan_filter(context, filter, &join->children[1]));
    return plan_lateral(context, join, out);
}

/* INNER: conjuncts with sub-queries filter the join. */
static Status plan_inner(RuleContext *context, LogicalNode *node, LogicalNode **out) {
    LogicalNode *join, *filter;
    ExprList plain = {0}, rest = {0};
    for (uint32_t i = 0; i < node->nconjuncts; i++) {
        bool inner = has_subquery(node->conjuncts[i]);
        TRY(rule_list_add(context, inner ? &rest : &plain, node->conjuncts[i]));
    }
    TRY_ALLOC(join, logical_copy(context->arena, node), context->err);
    join->conjuncts = plain.items;
    join->nconjuncts = plain.count;
    join->join = plain.count ? JOIN_INNER : JOIN_CROSS;
    *out = join;
    if (node->lateral) TRY(rule_plan_subqueries(context, join, out));
    TRY(rule_filter(context, *out, &rest, &filter));
    return plan_filter(context, filter, out);
}

static Status plan_join(RuleContext *context, LogicalNode *node, LogicalNode **out) {
    if (node->join == JOIN_INNER || node->join == JOIN_CROSS) return plan_inner(context, node, out);
    TwoSided two = {node, NULL};
    LogicalNode *same;
    TRY(rule_map_exprs(context, node, find_two_sided, &two, &same));
    if (two.first && node->join == JOIN_FULL) {
        error_set_at(
            context->err, ERR_UNSUPPORTED, two.first->line, two.first->column,
            "a sub-query that uses columns of both sides in the ON condition of a FULL JOIN "
            "is not supported");
        return error_hint(context->err, "Compute it in a derived table of one side.");
    }
    if (two.first || node->lateral) return plan_on_lateral(context, node, out);
    JoinPlanner planner = {.node = node};
    LogicalNode *join;
    for (uint32_t s = 0; s < 2; s++) planner.sides[s].input = node->children[s];
    TRY(rule_map_exprs(context, node, plan_on, &planner, &join));
    TRY_ALLOC(join, logical_copy(context->arena, join), context->err);
    for (uint32_t s = 0; s < 2; s++) join->children[s] = planner.sides[s].input;
    *out = join;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- LATERAL */

static bool has_computed(const Lifting *lifting, const LogicalNode *plan) {
    for (uint32_t i = 0; i < plan->noutput; i++) {
        ColumnId id = plan->output[i];
        if (id < lifting->computed_count && lifting->computed[id]) return true;
    }
    return false;
}

/* The columns of the right side, computed ones too, above the join. */
static Status project_lateral(Lifting *lifting, const LogicalNode *node, LogicalNode *join,
                              LogicalNode **out) {
    RuleContext *context = lifting->context;
    LogicalNode *project;
    TRY_ALLOC(project, logical_new(context->arena, LOGICAL_PROJECT, node->noutput, 1),
              context->err);
    TRY_ALLOC(project->exprs, ARENA_ARRAY(context->arena, Expr *, node->noutput), context->err);
    project->children[0] = join;
    for (uint32_t i = 0; i < node->noutput; i++) {
        Expr *e;
        project->output[i] = node->output[i];
        TRY(lifted_column(lifting, node->output[i], &e));
        TRY(lift_settle(lifting, e, &project->exprs[i]));
    }
    *out = project;
    return TRIB_OK;
}

static Status plan_lateral(RuleContext *context, LogicalNode *node, LogicalNode **out) {
    LogicalNode *left = node->children[0], *right = node->children[1];
    Lifting lifting;
    Lifted lifted;
    ExprList on = {0}, above = {0};
    const Expr place = {.line = node->line, .column = node->column};
    bool outer = node->join == JOIN_LEFT;
    TRY(lift_plan(context, left, &right, &place, &lifting, &lifted));
    if (outer &&
        ((lifted.fills && node->nconjuncts) || (!lifted.fills && has_computed(&lifting, right))))
        TRY(lift_bind(&lifting, right->noutput, right->output, NULL, &lifted));
    JoinSpec spec = {.kind = outer || lifted.fills ? JOIN_LEFT : JOIN_INNER};
    for (uint32_t i = 0; i < node->nconjuncts; i++) {
        Expr *e;
        TRY(lift_expr(&lifting, node->conjuncts[i], &e));
        TRY(lift_settle(&lifting, e, &e));
        TRY(rule_list_add(context, lifted.fills ? &above : &on, e));
    }
    TRY(lift_settle_list(&lifting, &lifted.conditions, &spec.conditions));
    for (uint32_t i = 0; i < on.count; i++)
        TRY(rule_list_add(context, &spec.conditions, on.items[i]));
    LogicalNode *join;
    TRY(join_with(context, lifting.input, lifted.node, &spec, &join));
    TRY(rule_filter(context, join, &above, &join));
    return project_lateral(&lifting, node, join, out);
}

/* ---------------------------------------------------------------- all nodes */

static Status find_subquery(void *context, Expr *e, Expr **out) {
    bool *found = context;
    *out = e;
    *found = *found || has_subquery(e);
    return TRIB_OK;
}

/* Other nodes: the joins go below, the mapped expressions use their columns. */
static Status plan_other(RuleContext *context, LogicalNode *node, LogicalNode **out) {
    Planner planner = {.input = node->children[0]};
    LogicalNode *mapped;
    TRY(rule_map_exprs(context, node, plan_expr, &planner, &mapped));
    TRY_ALLOC(mapped, logical_copy(context->arena, mapped), context->err);
    mapped->children[0] = planner.input;
    *out = mapped;
    return TRIB_OK;
}

Status rule_plan_subqueries(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    LogicalNode *node, *same;
    bool found = false;
    TRY(rule_map_children(context, in, rule_plan_subqueries, &node));
    *out = node;
    TRY(logical_map_exprs(context->arena, node, find_subquery, &found, &same, context->err));
    if (found) {
        if (node->kind == LOGICAL_FILTER) return plan_filter(context, node, out);
        if (node->kind == LOGICAL_VALUES) return plan_values(context, node, out);
        if (node->kind == LOGICAL_JOIN) return plan_join(context, node, out);
        return plan_other(context, node, out);
    }
    if (node->kind == LOGICAL_JOIN && node->lateral) return plan_lateral(context, node, out);
    return TRIB_OK;
}
