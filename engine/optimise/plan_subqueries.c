/*
 * plan_subqueries.c - sub-queries in expressions become joins.
 *
 *   conjunct x IN (q)         semi join          NOT IN (q)      NULL-aware anti join
 *   conjunct EXISTS (q)       semi join, no key  NOT EXISTS (q)  anti join, no key
 *   scalar (q) anywhere       cross join with the single row of q, replaced by its column
 *   IN, EXISTS anywhere else  mark join: adds a boolean column, which replaces the sub-query
 *
 * The join goes below the node whose expression holds the sub-query, so that the expression can use the
 * new column; a projection above takes it away again.
 */
#include "engine/optimise/rule.h"

/* A sub-query that has its join already. Forms that repeat an operand (BETWEEN, CASE x WHEN, NULLIF)
 * hold the same sub-query several times; its first output column tells it from others. */
typedef struct Planned {
    struct Planned *next;
    ColumnId id;
    Expr *value;
} Planned;

typedef struct Planner {
    LogicalNode *input; /* grows joins as sub-queries are found */
    Planned *planned;
} Planner;

static Expr *planned_value(const Planner *self, const Expr *e) {
    for (const Planned *p = self->planned; p && e->as.plan->noutput; p = p->next) {
        if (p->id == e->as.plan->output[0]) return p->value;
    }
    return NULL;
}

static Status planned_add(RuleContext *context, Planner *self, const Expr *e, Expr *value) {
    Planned *entry;
    if (e->as.plan->noutput == 0) return TRIB_OK;
    TRY_ALLOC(entry, ARENA_NEW(context->arena, Planned), context->err);
    *entry = (Planned){self->planned, e->as.plan->output[0], value};
    self->planned = entry;
    return TRIB_OK;
}

static bool has_subquery(const Expr *e) {
    if (e->kind == EXPR_SUBQUERY) return true;
    for (uint32_t i = 0; i < e->nargs; i++) {
        if (has_subquery(e->args[i])) return true;
    }
    return e->kind == EXPR_AGGREGATE && e->as.agg.filter && has_subquery(e->as.agg.filter);
}

/* A join of the input with a sub-query's plan; its output is the input's plus `added` (0 = none). */
static Status join_with(RuleContext *context, LogicalNode *input, LogicalNode *plan, JoinKind kind,
                        Expr *condition, ColumnId added, LogicalNode **out) {
    LogicalNode *join;
    TRY_ALLOC(join, logical_new(context->arena, LOGICAL_JOIN, input->noutput + (added ? 1 : 0), 2),
              context->err);
    if (input->noutput) memcpy(join->output, input->output, input->noutput * sizeof *join->output);
    if (added) join->output[input->noutput] = added;
    join->join = kind;
    join->mark = kind == JOIN_MARK ? added : 0;
    join->children[0] = input;
    join->children[1] = plan;
    if (condition) {
        TRY_ALLOC(join->conjuncts, ARENA_ARRAY(context->arena, Expr *, 1), context->err);
        join->conjuncts[0] = condition;
        join->nconjuncts = 1;
        join->nin = kind == JOIN_MARK || kind == JOIN_ANTI_NULLS;
        if (kind == JOIN_ANTI_NULLS || kind == JOIN_MARK) join->nin = 1;
    }
    *out = join;
    return TRIB_OK;
}

/* x = first column of q, coerced to their common type. */
static Status in_condition(RuleContext *context, const Expr *e, Expr *value, Expr **out) {
    Expr *column;
    TRY_ALLOC(column, rule_column(context, e->as.plan->output[0]), context->err);
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

/* EXISTS needs one row at most. */
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

static Status plan_expr(RuleContext *context, void *state, Expr *e, Expr **out);

static Status subquery_plan(RuleContext *context, const Expr *e, LogicalNode **out) {
    return rule_plan_subqueries(context, e->as.plan, out);
}

static Status plan_scalar(RuleContext *context, Planner *planner, const Expr *e, Expr **out) {
    LogicalNode *plan, *single;
    TRY(subquery_plan(context, e, &plan));
    TRY_ALLOC(single, logical_new(context->arena, LOGICAL_SINGLE_ROW, 1, 1), context->err);
    single->output[0] = plan->output[0];
    single->children[0] = plan;
    if (plan->noutput > 1)
        TRY(rule_project_columns(context, plan, 1, plan->output, &single->children[0]));
    context->columns->columns[plan->output[0]].nullable = true;
    TRY(join_with(context, planner->input, single, JOIN_CROSS, NULL, plan->output[0],
                  &planner->input));
    TRY_ALLOC(*out, rule_column(context, plan->output[0]), context->err);
    return planned_add(context, planner, e, *out);
}

static Status plan_mark(RuleContext *context, Planner *planner, const Expr *e, Expr **out) {
    LogicalNode *plan;
    Expr *condition = NULL;
    TRY(subquery_plan(context, e, &plan));
    if (e->subquery_kind == SUBQUERY_IN) {
        Expr *value;
        TRY(plan_expr(context, planner, e->args[0], &value));
        TRY(in_condition(context, e, value, &condition));
    } else {
        TRY(one_row(context, plan, &plan));
    }
    ColumnId mark = plan_column_new(context->columns, STR("exists"), TYPE(BOOLEAN),
                                    e->subquery_kind == SUBQUERY_IN);
    if (!mark) return error_out_of_memory(context->err);
    TRY(join_with(context, planner->input, plan, JOIN_MARK, condition, mark, &planner->input));
    TRY_ALLOC(*out, rule_column(context, mark), context->err);
    return planned_add(context, planner, e, *out);
}

static Status plan_subquery(RuleContext *context, Planner *planner, const Expr *e, Expr **out) {
    *out = planned_value(planner, e);
    if (!*out && e->subquery_kind == SUBQUERY_SCALAR) TRY(plan_scalar(context, planner, e, out));
    if (!*out) TRY(plan_mark(context, planner, e, out));
    if (e->subquery_kind == SUBQUERY_SCALAR || !e->negated) return TRIB_OK;
    Expr *column = *out;
    TRY_ALLOC(*out, expr_boolean(context->arena, EXPR_NOT, 1, &column), context->err);
    return TRIB_OK;
}

static Status plan_expr(RuleContext *context, void *state, Expr *e, Expr **out) {
    Planner *planner = state;
    *out = e;
    if (!has_subquery(e)) return TRIB_OK;
    if (e->kind == EXPR_SUBQUERY) {
        switch ((SubqueryKind)e->subquery_kind) {
        case SUBQUERY_SCALAR:
        case SUBQUERY_IN:
        case SUBQUERY_EXISTS: return plan_subquery(context, planner, e, out);
        default:
            return error_set_at(context->err, ERR_UNSUPPORTED, e->line, e->column,
                                "comparisons with ANY or ALL of a sub-query are not supported");
        }
    }
    Expr **args;
    TRY_ALLOC(args, ARENA_ARRAY(context->arena, Expr *, e->nargs), context->err);
    for (uint32_t i = 0; i < e->nargs; i++) TRY(plan_expr(context, state, e->args[i], &args[i]));
    return rule_expr_over(context, e, args, out);
}

/* A conjunct that is IN or EXISTS itself filters by a semi or anti join. */
static Status plan_conjunct(RuleContext *context, Planner *planner, const Expr *e) {
    LogicalNode *plan;
    Expr *condition = NULL;
    TRY(subquery_plan(context, e, &plan));
    if (e->subquery_kind == SUBQUERY_IN) {
        Expr *value;
        TRY(plan_expr(context, planner, e->args[0], &value));
        TRY(in_condition(context, e, value, &condition));
    } else {
        TRY(one_row(context, plan, &plan));
    }
    JoinKind kind = !e->negated                       ? JOIN_SEMI
                    : e->subquery_kind == SUBQUERY_IN ? JOIN_ANTI_NULLS
                                                      : JOIN_ANTI;
    return join_with(context, planner->input, plan, kind, condition, 0, &planner->input);
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
            TRY(plan_conjunct(context, &planner, e));
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

static bool node_has_subquery(const LogicalNode *node) {
    bool found = false;
    for (uint32_t i = 0; i < node->nconjuncts; i++) found |= has_subquery(node->conjuncts[i]);
    for (uint32_t i = 0; node->exprs && i < node->noutput; i++)
        found |= has_subquery(node->exprs[i]);
    for (uint32_t i = 0; i < node->ngroups; i++) found |= has_subquery(node->groups[i]);
    for (uint32_t i = 0; i < node->naggregates; i++) found |= has_subquery(node->aggregates[i]);
    for (uint32_t i = 0; i < node->nkeys; i++) found |= has_subquery(node->keys[i].expr);
    for (uint32_t r = 0; r < node->nrows; r++) {
        for (uint32_t i = 0; i < node->noutput; i++) found |= has_subquery(node->value_rows[r][i]);
    }
    return found;
}

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

/* Other nodes: the joins go below, the mapped expressions use their columns. */
static Status plan_other(RuleContext *context, LogicalNode *node, LogicalNode **out) {
    if (node->kind == LOGICAL_JOIN) {
        return error_set(context->err, ERR_UNSUPPORTED,
                         "a sub-query in the ON condition of a join is not supported; "
                         "move it into WHERE or a derived table");
    }
    Planner planner = {.input = node->children[0]};
    LogicalNode *mapped;
    TRY(rule_map_exprs(context, node, plan_expr, &planner, &mapped));
    mapped->children[0] = planner.input;
    *out = mapped;
    return TRIB_OK;
}

Status rule_plan_subqueries(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    LogicalNode *node;
    TRY(rule_map_children(context, in, rule_plan_subqueries, &node));
    *out = node;
    if (!node_has_subquery(node)) return TRIB_OK;
    if (node->kind == LOGICAL_FILTER) return plan_filter(context, node, out);
    if (node->kind == LOGICAL_VALUES) return plan_values(context, node, out);
    return plan_other(context, node, out);
}
