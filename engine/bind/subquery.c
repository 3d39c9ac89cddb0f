/*
 * subquery.c - sub-queries in expressions: scalar, EXISTS, IN, ANY and ALL, rows of several columns.
 *
 * A sub-query is bound with the scope of the place where it stands as its outer scope; names found there
 * become EXPR_OUTER nodes, which the optimiser takes away (optimise/plan_subqueries.c).
 *
 *   x = ANY (q)    is x IN (q);  x <> ALL (q) is x NOT IN (q)
 *   x < ANY (q)    x < max, unknown if that is not true and there are NULLs, false without rows
 *   x < ALL (q)    x < min, unknown if that is not false and there are NULLs, true without rows
 *
 * where minimum, maximum and the numbers of rows are computed by a grouping above q, whose only row serves
 * several nodes (`field`). NaN, which is below and above nothing, is left out of the bounds and counted.
 */
#include "engine/bind/scope.h"

/* ---------------------------------------------------------------- binding the query */

#define TEXT_DEPTH \
    64 /* levels of nesting below which no text is kept: each level would hold all below */

/* The text by which equal sub-queries are recognised: as parsed, in one spelling. Parameters are values of
 * their own each, so that a text with a marker (or with a '?' anywhere) is equal to itself only. */
static Status query_text(Binder *binder, const AstQuery *query, const char **out) {
    Buf text;
    *out = NULL;
    if (binder->depth > TEXT_DEPTH) return TRIB_OK;
    while (query->body->kind == AST_BODY_QUERY && !query->nctes && !query->norder &&
           !query->limit && !query->offset) /* parentheses */
        query = query->body->query;
    buf_init(&text, binder->arena, SIZE_MAX);
    ast_print_query(&text, query);
    buf_char(&text, '\0');
    if (text.failed) return error_out_of_memory(binder->err);
    if (!memchr(text.data, '?', text.len)) *out = text.data;
    return TRIB_OK;
}

static Status bind_inner(Binder *binder, const ExprScope *scope, const AstExpr *ast, Bound *out,
                         const char **text) {
    if (scope->lambda) return bind_unsupported(binder, ast->at, "a sub-query inside a lambda");
    RecursionBan before =
        bind_ban_recursion(binder, "cannot stand in a sub-query of an expression");
    TRY(bind_query(binder, ast->query, scope->ctes, scope->scope, out));
    binder->ban = before;
    return query_text(binder, ast->query, text);
}

static Status subquery_new(Binder *binder, SubqueryKind kind, Type type, LogicalNode *plan,
                           const char *text, uint32_t nargs, Expr **args, Expr **out) {
    TRY_ALLOC(*out, expr_new(binder->arena, EXPR_SUBQUERY, type, nargs, args), binder->err);
    (*out)->subquery_kind = (uint8_t)kind;
    (*out)->as.plan = plan;
    (*out)->as.text = text;
    expr_derive(*out);
    return TRIB_OK;
}

static Type column_type(const Binder *binder, const Bound *bound, uint32_t i) {
    return plan_column(&binder->plan->columns, bound->scope.columns[i].id)->type;
}

static Status wrong_width(Binder *binder, const AstExpr *ast, uint32_t wanted, uint32_t given) {
    if (wanted == 1) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "the sub-query must give one column; it gives %u", given);
    }
    return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                        "the sub-query must give %u columns; it gives %u", wanted, given);
}

/* ---------------------------------------------------------------- scalar, EXISTS */

/* The column `field` of the sub-query's only row. */
static Status scalar_field(Binder *binder, const AstExpr *at, const Bound *bound, const char *text,
                           uint32_t field, Expr **out) {
    TRY(subquery_new(binder, SUBQUERY_SCALAR, column_type(binder, bound, field), bound->node, text,
                     0, NULL, out));
    (*out)->as.field = field;
    (*out)->line = at->at.line;
    (*out)->column = at->at.column;
    return TRIB_OK;
}

Status bind_scalar_query(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    Bound bound;
    const char *text;
    TRY(bind_inner(binder, scope, ast, &bound, &text));
    if (bound.scope.count != 1) return wrong_width(binder, ast, 1, bound.scope.count);
    return scalar_field(binder, ast, &bound, text, 0, out);
}

Status bind_exists(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    Bound bound;
    const char *text;
    TRY(bind_inner(binder, scope, ast, &bound, &text));
    TRY(subquery_new(binder, SUBQUERY_EXISTS, TYPE(BOOLEAN), bound.node, text, 0, NULL, out));
    (*out)->negated = ast->negated;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- IN */

static bool is_row(const AstExpr *ast) {
    return ast->kind == AST_ROW && ast->nargs > 1;
}

/* The values compared with the sub-query's columns: those of a row, or one. */
static Status bind_operands(Binder *binder, const ExprScope *scope, const AstExpr *operand,
                            bool row, uint32_t *count, Expr ***out) {
    *count = row ? operand->nargs : 1;
    TRY_ALLOC(*out, ARENA_ARRAY(binder->arena, Expr *, *count), binder->err);
    for (uint32_t i = 0; i < *count; i++)
        TRY(bind_expr(binder, scope, row ? operand->args[i] : operand, &(*out)[i]));
    return TRIB_OK;
}

/* A parameter takes the column's type; other operands must compare with it. */
static Status match_operand(Binder *binder, const AstExpr *at, Type column, Expr **operand) {
    Type common;
    if ((*operand)->kind == EXPR_PARAMETER) TRY(bind_coerce(binder, *operand, column, operand));
    TRY(bind_settle(binder, *operand, operand));
    if (type_common(binder->arena, (*operand)->type, column, &common) && type_comparable(common))
        return TRIB_OK;
    Buf a, b;
    buf_init(&a, binder->arena, 1024);
    buf_init(&b, binder->arena, 1024);
    type_print(&a, (*operand)->type);
    type_print(&b, column);
    return error_set_at(binder->err, ERR_SYNTAX, at->at.line, at->at.column,
                        "%s compares " STR_FORMAT " with " STR_FORMAT,
                        at->kind == AST_IN_QUERY ? "IN" : "the sub-query's comparison",
                        STR_ARGS(buf_view(&a)), STR_ARGS(buf_view(&b)));
}

/* ROW(a, b) IN (SELECT row): the fields of the sub-query's only column become columns. */
static Status split_column(Binder *binder, Bound *bound) {
    Bound fields = {0};
    Expr *row;
    TRY(bind_column(binder, bound->scope.columns[0].id, &row));
    uint32_t count = row->type.fields->count;
    TRY(bind_node(binder, LOGICAL_PROJECT, count, bound->node, &fields.node));
    TRY_ALLOC(fields.node->exprs, ARENA_ARRAY(binder->arena, Expr *, count), binder->err);
    for (uint32_t i = 0; i < count; i++) {
        ScopeColumn column = {.name = STR("field")};
        TRY(bind_row_field(binder, row, i, &fields.node->exprs[i]));
        TRY(bind_new_column(binder, column.name, row->type.fields->field[i].type, true,
                            &fields.node->output[i]));
        column.id = fields.node->output[i];
        TRY(scope_add(binder, &fields.scope, &column));
    }
    *bound = fields;
    return TRIB_OK;
}

/* row IN (SELECT a, b): the operand's fields become operands. */
static Status split_operand(Binder *binder, const AstExpr *at, uint32_t *count, Expr ***operands) {
    Expr *row = (*operands)[0];
    *count = row->type.fields->count;
    TRY(bind_repeated(binder, at, row, *count, "IN"));
    TRY_ALLOC(*operands, ARENA_ARRAY(binder->arena, Expr *, *count), binder->err);
    for (uint32_t i = 0; i < *count; i++) TRY(bind_row_field(binder, row, i, &(*operands)[i]));
    return TRIB_OK;
}

static Status bind_in(Binder *binder, const ExprScope *scope, const AstExpr *ast, bool negated,
                      Expr **out) {
    Expr **operands;
    uint32_t count;
    Bound bound;
    const char *text;
    TRY(bind_operands(binder, scope, ast->args[0], is_row(ast->args[0]), &count, &operands));
    TRY(bind_inner(binder, scope, ast, &bound, &text));
    if (count > 1 && bound.scope.count == 1 && column_type(binder, &bound, 0).id == TRIB_TYPE_ROW) {
        TRY(split_column(binder, &bound));
        text = NULL; /* the query alone has another column */
    } else if (count == 1 && bound.scope.count > 1 && operands[0]->type.id == TRIB_TYPE_ROW) {
        TRY(split_operand(binder, ast, &count, &operands));
    }
    if (bound.scope.count != count) return wrong_width(binder, ast, count, bound.scope.count);
    for (uint32_t i = 0; i < count; i++)
        TRY(match_operand(binder, ast, column_type(binder, &bound, i), &operands[i]));
    TRY(subquery_new(binder, SUBQUERY_IN, TYPE(BOOLEAN), bound.node, text, count, operands, out));
    (*out)->negated = negated;
    return TRIB_OK;
}

Status bind_in_query(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    return bind_in(binder, scope, ast, ast->negated, out);
}

/* ---------------------------------------------------------------- ANY, ALL */

static Status integer_constant(Binder *binder, int64_t n, Expr **out) {
    Value value = {.type = TYPE(BIGINT)};
    value.as.integer = n;
    TRY_ALLOC(*out, expr_constant(binder->arena, value), binder->err);
    return TRIB_OK;
}

static Status boolean_constant(Binder *binder, bool null, bool truth, Expr **out) {
    Value value = {.type = TYPE(BOOLEAN), .is_null = null};
    value.as.integer = truth;
    TRY_ALLOC(*out, expr_constant(binder->arena, value), binder->err);
    return TRIB_OK;
}

/* What the grouping above the sub-query computes. */
typedef enum BoundField {
    FIELD_ROWS,
    FIELD_VALUES,
    FIELD_LEAST,
    FIELD_GREATEST,
    FIELD_NAN
} BoundField;
#define NFIELDS 5

typedef struct Quantified {
    Binder *binder;
    const AstExpr *at;
    bool all;
    TribFunctionId op;
    Expr *operand;
    Bound grouped; /* its only row: by BoundField */
    const char *text;
} Quantified;

static Status add_aggregate(Quantified *self, LogicalNode *node, const char *name, Expr *argument,
                            Expr *filter) {
    Binder *binder = self->binder;
    ResolvedAggregate a;
    Type type = argument ? argument->type : TYPE(UNKNOWN);
    uint32_t nargs = argument ? 1 : 0, i = node->naggregates++;
    TRY(aggregate_resolve(binder->arena, str_from(name), nargs, &type, &a, binder->err));
    TRY_ALLOC(node->aggregates[i],
              expr_new(binder->arena, EXPR_AGGREGATE, a.result, nargs, &argument), binder->err);
    node->aggregates[i]->as.agg.aggregate = a.aggregate;
    node->aggregates[i]->as.agg.filter = filter;
    expr_derive(node->aggregates[i]);
    TRY(bind_new_column(binder, str_from(name), a.result, true, &node->output[i]));
    ScopeColumn column = {.name = str_from(name), .id = node->output[i]};
    return scope_add(binder, &self->grouped.scope, &column);
}

/* value = value, false for NaN only. */
static Status is_number(Binder *binder, const AstExpr *at, Expr *value, Expr **out) {
    Expr *pair[2] = {value, value};
    return bind_call_id(binder, at, TRIB_FN_eq, 2, pair, out);
}

static Status group_bounds(Quantified *self, const Bound *bound) {
    Binder *binder = self->binder;
    LogicalNode *node;
    Expr *value, *number = NULL, *nan = NULL;
    TRY(bind_column(binder, bound->scope.columns[0].id, &value));
    if (value->type.id == TRIB_TYPE_REAL || value->type.id == TRIB_TYPE_DOUBLE) {
        TRY(is_number(binder, self->at, value, &number));
        TRY_ALLOC(nan, expr_boolean(binder->arena, EXPR_NOT, 1, &number), binder->err);
    }
    TRY(bind_node(binder, LOGICAL_AGGREGATE, NFIELDS, bound->node, &node));
    TRY_ALLOC(node->aggregates, ARENA_ARRAY(binder->arena, Expr *, NFIELDS), binder->err);
    self->grouped = (Bound){.node = node};
    TRY(add_aggregate(self, node, "count", NULL, NULL));
    TRY(add_aggregate(self, node, "count", value, NULL));
    TRY(add_aggregate(self, node, "min", value, number));
    TRY(add_aggregate(self, node, "max", value, number));
    if (nan) return add_aggregate(self, node, "count", value, nan);
    node->noutput = NFIELDS - 1;
    return TRIB_OK;
}

static Status bound_field(const Quantified *self, BoundField field, Expr **out) {
    return scalar_field(self->binder, self->at, &self->grouped, self->text, field, out);
}

static Status compare_field(const Quantified *self, TribFunctionId op, BoundField field,
                            Expr **out) {
    Expr *pair[2] = {self->operand, NULL};
    TRY(bound_field(self, field, &pair[1]));
    return bind_call_id(self->binder, self->at, op, 2, pair, out);
}

static Status compare_count(const Quantified *self, TribFunctionId op, BoundField field, Expr *with,
                            Expr **out) {
    Expr *pair[2] = {NULL, with};
    TRY(bound_field(self, field, &pair[0]));
    return bind_call_id(self->binder, self->at, op, 2, pair, out);
}

/* if(condition, value, otherwise) over booleans. */
static Status choose(const Quantified *self, Expr *condition, Expr *value, Expr *otherwise,
                     Expr **out) {
    Expr *args[3] = {condition, value, otherwise};
    TRY_ALLOC(*out, expr_new(self->binder->arena, EXPR_CASE, TYPE(BOOLEAN), 3, args),
              self->binder->err);
    return TRIB_OK;
}

/* The comparison with the values there are: with a bound, or (=, <>) with both. */
static Status compare_bounds(const Quantified *self, Expr **out) {
    bool least = self->all == (self->op == TRIB_FN_lt || self->op == TRIB_FN_le);
    if (self->op != TRIB_FN_eq && self->op != TRIB_FN_ne)
        return compare_field(self, self->op, least ? FIELD_LEAST : FIELD_GREATEST, out);
    Expr *both[2];
    TRY(compare_field(self, self->op, FIELD_LEAST, &both[0]));
    TRY(compare_field(self, self->op, FIELD_GREATEST, &both[1]));
    TRY_ALLOC(
        *out,
        expr_boolean(self->binder->arena, self->op == TRIB_FN_eq ? EXPR_AND : EXPR_OR, 2, both),
        self->binder->err);
    return TRIB_OK;
}

/*
 * if(rows = 0, all, v AND/OR nulls AND/OR nan), where v compares with the bounds. Without any value that is
 * not NULL or NaN v is NULL, and then only the others must decide: neutral stands for it.
 */
static Status decide(const Quantified *self, Expr **out) {
    Binder *binder = self->binder;
    Expr *zero, *null, *neutral, *empty, *rows, *parts[3], *verdict;
    uint32_t n = 0;
    TRY(integer_constant(binder, 0, &zero));
    TRY(boolean_constant(binder, true, false, &null));
    TRY(boolean_constant(binder, false, self->all, &neutral));
    TRY(compare_count(self, TRIB_FN_eq, FIELD_ROWS, zero, &empty));
    TRY(bound_field(self, FIELD_ROWS, &rows));
    TRY(compare_bounds(self, &parts[n]));
    if (self->grouped.node->noutput == NFIELDS) { /* NaN: x op NaN */
        Expr *least, *nan, *none, *any, *with_nan, *pair[2] = {self->operand, NULL};
        TRY(bound_field(self, FIELD_LEAST, &least));
        TRY_ALLOC(none, expr_new(binder->arena, EXPR_IS_NULL, TYPE(BOOLEAN), 1, &least),
                  binder->err);
        TRY(compare_count(self, TRIB_FN_gt, FIELD_NAN, zero, &any));
        Expr *only[2] = {none, any};
        TRY_ALLOC(none, expr_boolean(binder->arena, EXPR_AND, 2, only), binder->err);
        TRY(choose(self, none, neutral, parts[n], &parts[n]));
        TRY(bind_call_id(binder, self->at, TRIB_FN_nan, 0, NULL, &nan));
        pair[1] = nan;
        TRY(bind_call_id(binder, self->at, self->op, 2, pair, &with_nan));
        TRY(choose(self, any, with_nan, neutral, &parts[++n]));
    }
    TRY(compare_count(self, TRIB_FN_ne, FIELD_VALUES, rows, &verdict));
    TRY(choose(self, verdict, null, neutral, &parts[++n]));
    TRY_ALLOC(verdict, expr_boolean(binder->arena, self->all ? EXPR_AND : EXPR_OR, n + 1, parts),
              binder->err);
    return choose(self, empty, neutral, verdict, out);
}

static Status bind_rows_compare(Binder *binder, const AstExpr *ast) {
    return error_set_at(binder->err, ERR_UNSUPPORTED, ast->at.line, ast->at.column,
                        "rows are compared with ANY by = and with ALL by <> only");
}

Status bind_quantified(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    if (ast->op == TRIB_FN_eq && !ast->all) return bind_in(binder, scope, ast, false, out);
    if (ast->op == TRIB_FN_ne && ast->all) return bind_in(binder, scope, ast, true, out);
    if (is_row(ast->args[0])) return bind_rows_compare(binder, ast);
    Quantified self = {.binder = binder, .at = ast, .all = ast->all, .op = (TribFunctionId)ast->op};
    Bound bound;
    TRY(bind_expr(binder, scope, ast->args[0], &self.operand));
    TRY(bind_inner(binder, scope, ast, &bound, &self.text));
    if (bound.scope.count != 1) return wrong_width(binder, ast, 1, bound.scope.count);
    Type type = column_type(binder, &bound, 0);
    TRY(match_operand(binder, ast, type, &self.operand));
    TRY(bind_repeated(binder, ast, self.operand, 3, "ANY or ALL"));
    if (!type_orderable(type) && type.id != TRIB_TYPE_UNKNOWN) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "values of type %s cannot be ordered", type_id_name((TypeId)type.id));
    }
    TRY(group_bounds(&self, &bound));
    return decide(&self, out);
}

/* ---------------------------------------------------------------- rows */

/* The fields of one side: of a row constructor, or of a sub-query of several columns. */
static Status row_fields(Binder *binder, const ExprScope *scope, const AstExpr *side,
                         uint32_t *count, Expr ***out) {
    if (side->kind == AST_ROW) return bind_operands(binder, scope, side, true, count, out);
    Bound bound;
    const char *text;
    TRY(bind_inner(binder, scope, side, &bound, &text));
    *count = bound.scope.count;
    TRY_ALLOC(*out, ARENA_ARRAY(binder->arena, Expr *, *count), binder->err);
    for (uint32_t i = 0; i < *count; i++)
        TRY(scalar_field(binder, side, &bound, text, i, &(*out)[i]));
    return TRIB_OK;
}

Status bind_row_comparison(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out,
                           bool *done) {
    const AstExpr *left = ast->args[0], *right = ast->args[1];
    bool query = left->kind == AST_SCALAR_QUERY || right->kind == AST_SCALAR_QUERY;
    *done = (is_row(left) || is_row(right)) && query &&
            (ast->op == TRIB_FN_eq || ast->op == TRIB_FN_ne);
    if (!*done) return TRIB_OK;
    uint32_t nleft, nright;
    Expr **fields[2], **equal, *all;
    TRY(row_fields(binder, scope, left, &nleft, &fields[0]));
    TRY(row_fields(binder, scope, right, &nright, &fields[1]));
    if (nleft != nright)
        return wrong_width(binder, left->kind == AST_SCALAR_QUERY ? left : right,
                           left->kind == AST_SCALAR_QUERY ? nright : nleft,
                           left->kind == AST_SCALAR_QUERY ? nleft : nright);
    TRY_ALLOC(equal, ARENA_ARRAY(binder->arena, Expr *, nleft), binder->err);
    for (uint32_t i = 0; i < nleft; i++) {
        Expr *pair[2] = {fields[0][i], fields[1][i]};
        TRY(bind_call_id(binder, ast, TRIB_FN_eq, 2, pair, &equal[i]));
    }
    TRY_ALLOC(all, expr_boolean(binder->arena, EXPR_AND, nleft, equal), binder->err);
    *out = all;
    if (ast->op == TRIB_FN_ne)
        TRY_ALLOC(*out, expr_boolean(binder->arena, EXPR_NOT, 1, &all), binder->err);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- columns of enclosing queries */

typedef struct OuterMap {
    Binder *binder;
    Expr *(*replace)(void *context, const Expr *e);
    void *context;
    Status status;
} OuterMap;

static Status map_outer(void *context, Expr *e, Expr **out);

static Expr *replace_outer(void *context, const Expr *e) {
    OuterMap *self = context;
    if (self->status != TRIB_OK) return NULL;
    if (e->kind == EXPR_OUTER) return self->replace(self->context, e);
    if (e->kind != EXPR_SUBQUERY) return NULL;
    Expr *copy = ARENA_NEW(self->binder->arena, Expr);
    Expr **args = ARENA_ARRAY(self->binder->arena, Expr *, e->nargs);
    if (!copy || !args) {
        self->status = error_out_of_memory(self->binder->err);
        return NULL;
    }
    *copy = *e;
    copy->args = args;
    for (uint32_t i = 0; i < e->nargs && self->status == TRIB_OK; i++)
        self->status = map_outer(self, e->args[i], &args[i]);
    if (self->status == TRIB_OK)
        self->status = bind_replace_outer(self->binder, e->as.plan, self->replace, self->context,
                                          &copy->as.plan);
    return self->status == TRIB_OK ? copy : NULL;
}

static bool has_outer(void *context, const Expr *e) {
    return e->kind == EXPR_OUTER || e->kind == EXPR_SUBQUERY;
}

static Status map_outer(void *context, Expr *e, Expr **out) {
    OuterMap *self = context;
    *out = e;
    if (!expr_any(e, has_outer, NULL)) return TRIB_OK;
    Status status =
        expr_rewrite(self->binder->arena, e, replace_outer, self, out, self->binder->err);
    return self->status != TRIB_OK ? self->status : status;
}

Status bind_replace_outer(Binder *binder, const LogicalNode *plan,
                          Expr *(*replace)(void *context, const Expr *e), void *context,
                          LogicalNode **out) {
    OuterMap self = {binder, replace, context, TRIB_OK};
    LogicalNode *copy;
    TRY_ALLOC(copy, logical_copy(binder->arena, plan), binder->err);
    for (uint32_t i = 0; i < plan->nchildren; i++)
        TRY(bind_replace_outer(binder, plan->children[i], replace, context, &copy->children[i]));
    return logical_map_exprs(binder->arena, copy, map_outer, &self, out, binder->err);
}
