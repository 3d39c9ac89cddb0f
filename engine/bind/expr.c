/*
 * expr.c - expressions: names become columns, calls become functions of the registry, operands are
 * coerced to common types, parameters take their type from what stands beside them.
 *
 * Recursion is bounded by SQL_MAX_DEPTH (the parser's and the binder's counters).
 */
#include "engine/bind/scope.h"

#define PARAMETER_LENGTH 4000 /* varchar(n) of a parameter that nothing gives a type */

typedef Status (*BindKind)(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out);

Status bind_args(Binder *binder, const ExprScope *scope, uint32_t count, AstExpr *const *asts,
                 Expr ***out) {
    TRY_ALLOC(*out, ARENA_ARRAY(binder->arena, Expr *, count), binder->err);
    for (uint32_t i = 0; i < count; i++) TRY(bind_expr(binder, scope, asts[i], &(*out)[i]));
    return TRIB_OK;
}

static void type_text(Buf *out, Binder *binder, Type type) {
    buf_init(out, binder->arena, 1024);
    type_print(out, type);
}

/* ---------------------------------------------------------------- coercion */

static Status settle_parameter(Binder *binder, Expr *e, Type type, bool inferred) {
    e->type = type;
    binder->plan->parameter_types[e->as.slot] = type;
    binder->plan->parameter_inferred[e->as.slot] = inferred;
    return TRIB_OK;
}

/* A parameter's varchar(n) from a literal's or column's length would cut longer values: it is unbounded
 * in meaning, the length is what SQLDescribeParam reports. */
static Type parameter_type(Type type) {
    bool bounded = type.length >= PARAMETER_LENGTH && type.length < TRIB_LENGTH_LONG;
    if (type.id == TRIB_TYPE_VARCHAR && !bounded) type.length = 0;
    if (type.id == TRIB_TYPE_CHAR) return type_varchar(0);
    return type;
}

/* A marker becomes of this type. One that stands beside a char(n) loses the blanks behind its value, as a literal
 * does, but nothing else: of a length of 0, a column's that is stored, the writer sees to it. */
static Status coerce_parameter(Binder *binder, Expr *e, Type type, Expr **out) {
    *out = e;
    TRY(settle_parameter(binder, e, parameter_type(type), true));
    if (type.id != TRIB_TYPE_CHAR || type.length == 0) return TRIB_OK;
    TRY_ALLOC(*out, expr_cast(binder->arena, e, type_char(CHAR_MAX_LENGTH), false), binder->err);
    (*out)->line = e->line;
    (*out)->column = e->column;
    return TRIB_OK;
}

Status bind_coerce(Binder *binder, Expr *e, Type type, Expr **out) {
    *out = e;
    if (type_equal(e->type, type) || type.id == TRIB_TYPE_UNKNOWN) return TRIB_OK;
    if (e->kind == EXPR_PARAMETER && e->type.id == TRIB_TYPE_UNKNOWN)
        return coerce_parameter(binder, e, type, out);
    if (e->kind == EXPR_CONSTANT && e->as.value.is_null) {
        Value null = {.type = type, .is_null = true};
        TRY_ALLOC(*out, expr_constant(binder->arena, null), binder->err);
    } else {
        TRY_ALLOC(*out, expr_cast(binder->arena, e, type, false), binder->err);
    }
    (*out)->line = e->line;
    (*out)->column = e->column;
    return TRIB_OK;
}

void bind_adopt(Binder *binder, LogicalNode *query, uint32_t id, Type type) {
    if (query->kind != LOGICAL_PROJECT || type.id == TRIB_TYPE_UNKNOWN) return;
    for (uint32_t i = 0; i < query->noutput; i++) {
        Expr *e = query->exprs[i];
        if (query->output[i] != id || e->kind != EXPR_PARAMETER) continue;
        if (binder->plan->parameter_inferred[e->as.slot]) continue;
        (void)settle_parameter(binder, e, parameter_type(type), true);
        binder->plan->columns.columns[id].type = e->type;
    }
}

static bool is_null_constant(const Expr *e) {
    return e->kind == EXPR_CONSTANT && e->as.value.is_null;
}

void bind_adopt_values(Binder *binder, LogicalNode *values, uint32_t id, Type type) {
    for (uint32_t i = 0; i < values->noutput; i++) {
        bool open =
            values->output[i] == id && type.id != TRIB_TYPE_UNKNOWN; /* nothing has a type */
        bool parameters = false;
        for (uint32_t r = 0; r < values->nrows && open; r++) {
            const Expr *e = values->value_rows[r][i];
            bool parameter =
                e->kind == EXPR_PARAMETER && !binder->plan->parameter_inferred[e->as.slot];
            parameters |= parameter;
            open = parameter || is_null_constant(e);
        }
        for (uint32_t r = 0; r < values->nrows && open && parameters; r++) {
            Expr *e = values->value_rows[r][i];
            if (is_null_constant(e))
                e->type = e->as.value.type = parameter_type(type);
            else
                (void)settle_parameter(binder, e, parameter_type(type), true);
            binder->plan->columns.columns[id].type = e->type;
        }
    }
}

Status bind_settle(Binder *binder, Expr *e, Expr **out) {
    *out = e;
    if (e->kind == EXPR_PARAMETER && e->type.id == TRIB_TYPE_UNKNOWN) {
        return settle_parameter(binder, e, type_varchar(PARAMETER_LENGTH), false);
    }
    return TRIB_OK;
}

static bool is_row_call(const Expr *e) {
    return e->kind == EXPR_CALL && e->as.function->id == TRIB_FN_row_new;
}

/* Markers in a row constructor that nothing has given a type take those of the fields they are compared with. */
static Status adopt_fields(Binder *binder, const AstExpr *at, Type type, Expr **row) {
    const Expr *e = *row;
    bool changed = false;
    Expr **args;
    if (!is_row_call(e) || type.id != TRIB_TYPE_ROW || type.fields->count != e->nargs)
        return TRIB_OK;
    TRY_ALLOC(args, ARENA_ARRAY(binder->arena, Expr *, e->nargs), binder->err);
    for (uint32_t i = 0; i < e->nargs; i++) {
        Type field = type.fields->field[i].type;
        args[i] = e->args[i];
        if (args[i]->kind == EXPR_PARAMETER && field.id != TRIB_TYPE_UNKNOWN &&
            !binder->plan->parameter_inferred[args[i]->as.slot]) {
            TRY(settle_parameter(binder, args[i], parameter_type(field), true));
            changed = true;
        }
        TRY(adopt_fields(binder, at, field, &args[i]));
        changed |= args[i] != e->args[i];
    }
    return changed ? bind_call_id(binder, at, TRIB_FN_row_new, e->nargs, args, row) : TRIB_OK;
}

/* Of values that are compared with the first one. */
static Status adopt_rows(Binder *binder, const AstExpr *at, uint32_t count, Expr **exprs) {
    for (uint32_t i = 1; i < count; i++) {
        TRY(adopt_fields(binder, at, exprs[0]->type, &exprs[i]));
        TRY(adopt_fields(binder, at, exprs[i]->type, &exprs[0]));
    }
    return TRIB_OK;
}

Status bind_unify(Binder *binder, const AstExpr *at, const char *what, uint32_t count, Expr **exprs,
                  Type *type) {
    *type = TYPE(UNKNOWN);
    for (uint32_t i = 0; i < count; i++) {
        Type common;
        if (!type_common(binder->arena, *type, exprs[i]->type, &common)) {
            Buf a, b;
            type_text(&a, binder, *type);
            type_text(&b, binder, exprs[i]->type);
            Status status = error_set_at(binder->err, ERR_SYNTAX, at->at.line, at->at.column,
                                         "%s mixes " STR_FORMAT " and " STR_FORMAT, what,
                                         STR_ARGS(buf_view(&a)), STR_ARGS(buf_view(&b)));
            return bind_hint_list(binder, count, exprs, status);
        }
        *type = common;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (type->id == TRIB_TYPE_UNKNOWN) TRY(bind_settle(binder, exprs[i], &exprs[i]));
        TRY(bind_coerce(binder, exprs[i], *type, &exprs[i]));
    }
    if (type->id == TRIB_TYPE_UNKNOWN && count) *type = exprs[0]->type;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- calls */

Status bind_place_error(Binder *binder, const AstExpr *at, uint32_t nargs, Expr *const *args,
                        Status status) {
    if (binder->err->line == 0) {
        binder->err->line = at->at.line;
        binder->err->column = at->at.column;
    }
    return bind_hint_types(binder, nargs, args, status);
}

Status bind_resolved(Binder *binder, const AstExpr *at, const ResolvedFunction *f, uint32_t nargs,
                     Expr **args, Expr **out) {
    for (uint32_t i = 0; i < nargs; i++) {
        TRY(bind_coerce(binder, args[i], f->args[i], &args[i]));
        TRY(bind_settle(binder, args[i], &args[i]));
    }
    TRY_ALLOC(*out, expr_call(binder->arena, f, nargs, args), binder->err);
    (*out)->line = at->at.line;
    (*out)->column = at->at.column;
    return TRIB_OK;
}

static Status argument_types(Binder *binder, uint32_t nargs, Expr *const *args, Type **out) {
    TRY_ALLOC(*out, ARENA_ARRAY(binder->arena, Type, nargs), binder->err);
    for (uint32_t i = 0; i < nargs; i++) (*out)[i] = args[i]->type;
    return TRIB_OK;
}

/* Markers that a call leaves without a type, or gives one that no program can bind, are texts where the call
 * takes texts: greatest(?, ?), ? || ?, reverse(?). *types: the arguments' with that; false: there are none. */
static Status texts_for_markers(Binder *binder, uint32_t nargs, Expr *const *args,
                                const Type *wanted, Type **types, bool *any) {
    *any = false;
    TRY(argument_types(binder, nargs, args, types));
    for (uint32_t i = 0; i < nargs; i++) {
        if (args[i]->kind != EXPR_PARAMETER || args[i]->type.id != TRIB_TYPE_UNKNOWN) continue;
        if (wanted[i].id != TRIB_TYPE_UNKNOWN && wanted[i].id != TRIB_TYPE_VARBINARY &&
            !type_is_nested(wanted[i]))
            continue;
        (*types)[i] = type_varchar(PARAMETER_LENGTH);
        *any = true;
    }
    return TRIB_OK;
}

/* The outcome of resolving a call again with texts: one that does not take them is left as it was. */
static Status resolved_again(Binder *binder, Status status) {
    if (status != TRIB_OK && status != TRIB_MEMORY) error_clear(binder->err);
    return status == TRIB_MEMORY ? status : TRIB_OK;
}

Status bind_resolve_aggregate(Binder *binder, Str name, uint32_t nargs, Expr *const *args,
                              ResolvedAggregate *out) {
    Type *types;
    bool again;
    TRY(argument_types(binder, nargs, args, &types));
    TRY(aggregate_resolve(binder->arena, name, nargs, types, out, binder->err));
    TRY(texts_for_markers(binder, nargs, args, out->args, &types, &again));
    if (!again) return TRIB_OK;
    ResolvedAggregate texts;
    Status status = aggregate_resolve(binder->arena, name, nargs, types, &texts, binder->err);
    if (status == TRIB_OK) *out = texts;
    return resolved_again(binder, status);
}

/* By its name, or by its id if there is none. */
static Status resolve(Binder *binder, Str name, TribFunctionId id, uint32_t nargs,
                      const Type *types, ResolvedFunction *out) {
    if (name.len) return function_resolve(binder->arena, name, nargs, types, out, binder->err);
    return function_resolve_id(binder->arena, id, nargs, types, out, binder->err);
}

static Status call(Binder *binder, const AstExpr *at, Str name, TribFunctionId id, uint32_t nargs,
                   Expr **args, Expr **out) {
    Type *types;
    bool again;
    ResolvedFunction f;
    TRY(argument_types(binder, nargs, args, &types));
    Status status = resolve(binder, name, id, nargs, types, &f);
    if (status != TRIB_OK) return bind_place_error(binder, at, nargs, args, status);
    TRY(texts_for_markers(binder, nargs, args, f.args, &types, &again));
    if (again) {
        ResolvedFunction texts;
        status = resolve(binder, name, id, nargs, types, &texts);
        if (status == TRIB_OK) f = texts;
        TRY(resolved_again(binder, status));
    }
    return bind_resolved(binder, at, &f, nargs, args, out);
}

Status bind_call(Binder *binder, const AstExpr *at, Str name, uint32_t nargs, Expr **args,
                 Expr **out) {
    return call(binder, at, name, (TribFunctionId)0, nargs, args, out);
}

Status bind_call_id(Binder *binder, const AstExpr *at, TribFunctionId id, uint32_t nargs,
                    Expr **args, Expr **out) {
    return call(binder, at, (Str){0}, id, nargs, args, out);
}

/* ---------------------------------------------------------------- names and literals */

static Status bind_name(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    *out = NULL;
    if (scope->lambda) TRY(bind_variable(binder, scope, ast, out));
    if (!*out && ast->name.count > 1) TRY(bind_dereference(binder, scope, ast, out));
    if (*out) return TRIB_OK;
    if (!scope->scope) {
        error_set_at(binder->err, ERR_COLUMN_NOT_FOUND, ast->at.line, ast->at.column,
                     "column '" STR_FORMAT "' cannot be used here",
                     STR_ARGS(ast->name.parts[ast->name.count - 1].text));
        return error_hint(binder->err,
                          "Text is written in single quotes; double quotes are for names.");
    }
    if (scope->selected && ast->name.count == 1 && !scope->inside_aggregate) {
        *out = NULL;
        TRY(scope->selected(scope->context, &ast->name.parts[0], out));
        if (*out) return TRIB_OK;
    }
    const ScopeColumn *column;
    bool enclosing;
    TRY(scope_find(binder, scope->scope, &ast->name, &column, &enclosing));
    if (!enclosing) return bind_column(binder, column->id, out);
    TRY(bind_outer_column(binder, column->id, out));
    (*out)->line = ast->at.line;
    (*out)->column = ast->at.column;
    return TRIB_OK;
}

static Status bind_constant(Binder *binder, const ExprScope *scope, const AstExpr *ast,
                            Expr **out) {
    return bind_literal(binder, ast, false, out);
}

static Status bind_parameter(Binder *binder, const ExprScope *scope, const AstExpr *ast,
                             Expr **out) {
    TRY_ALLOC(*out, expr_new(binder->arena, EXPR_PARAMETER, TYPE(UNKNOWN), 0, NULL), binder->err);
    (*out)->as.slot = ast->slot;
    const Type *given = binder->context->given_types;
    if (given && given[ast->slot].id != TRIB_TYPE_UNKNOWN)
        return settle_parameter(binder, *out, given[ast->slot], true);
    return TRIB_OK;
}

static Status bind_star(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                        "* stands only in a select list or in count(*)");
}

/* ---------------------------------------------------------------- operators */

static Status bind_boolean(Binder *binder, const AstExpr *at, const char *what, Expr *e,
                           Expr **out) {
    TRY(bind_coerce(binder, e, TYPE(BOOLEAN), out));
    if (e->type.id == TRIB_TYPE_BOOLEAN || e->type.id == TRIB_TYPE_UNKNOWN) return TRIB_OK;
    Buf text;
    type_text(&text, binder, e->type);
    return error_set_at(binder->err, ERR_SYNTAX, at->at.line, at->at.column,
                        "%s needs a condition, not a value of type " STR_FORMAT, what,
                        STR_ARGS(buf_view(&text)));
}

static Status negate(Binder *binder, Expr *e, Expr **out) {
    TRY_ALLOC(*out, expr_boolean(binder->arena, EXPR_NOT, 1, &e), binder->err);
    return TRIB_OK;
}

static Status bind_unary(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    const AstExpr *operand = ast->args[0];
    bool number = (operand->kind == AST_INTEGER || operand->kind == AST_DECIMAL ||
                   operand->kind == AST_DOUBLE) &&
                  operand->text.data[0] != '-'; /* - -1 is a negated literal -1 */
    if (ast->op == TRIB_FN_negate && number) return bind_literal(binder, operand, true, out);
    Expr *arg;
    TRY(bind_expr(binder, scope, operand, &arg));
    if (ast->op == TRIB_FN_not) {
        TRY(bind_boolean(binder, operand, "NOT", arg, &arg));
        return negate(binder, arg, out);
    }
    return bind_call_id(binder, ast, (TribFunctionId)ast->op, 1, &arg, out);
}

static Status bind_binary(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    Expr **args;
    bool done;
    TRY(bind_row_comparison(binder, scope, ast, out, &done));
    if (done) return TRIB_OK;
    TRY(bind_args(binder, scope, 2, ast->args, &args));
    TRY(adopt_rows(binder, ast, 2, args));
    return bind_call_id(binder, ast, (TribFunctionId)ast->op, 2, args, out);
}

static Status bind_logic(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    Expr **args;
    const char *name = ast->kind == AST_AND ? "AND" : "OR";
    TRY(bind_args(binder, scope, ast->nargs, ast->args, &args));
    for (uint32_t i = 0; i < ast->nargs; i++)
        TRY(bind_boolean(binder, ast->args[i], name, args[i], &args[i]));
    TRY_ALLOC(
        *out,
        expr_boolean(binder->arena, ast->kind == AST_AND ? EXPR_AND : EXPR_OR, ast->nargs, args),
        binder->err);
    return TRIB_OK;
}

static Status bind_is_null(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    Expr *arg;
    TRY(bind_expr(binder, scope, ast->args[0], &arg));
    TRY(bind_settle(binder, arg, &arg));
    TRY_ALLOC(*out, expr_new(binder->arena, EXPR_IS_NULL, TYPE(BOOLEAN), 1, &arg), binder->err);
    (*out)->negated = ast->negated;
    return TRIB_OK;
}

static Status bind_is_distinct(Binder *binder, const ExprScope *scope, const AstExpr *ast,
                               Expr **out) {
    Expr **args, *call;
    TRY(bind_args(binder, scope, 2, ast->args, &args));
    TRY(adopt_rows(binder, ast, 2, args));
    TRY(bind_call_id(binder, ast, TRIB_FN_is_distinct_from, 2, args, &call));
    *out = call;
    return ast->negated ? negate(binder, call, out) : TRIB_OK;
}

Status bind_repeated(Binder *binder, const AstExpr *at, const Expr *operand, uint32_t times,
                     const char *what) {
    if (operand->is_volatile) {
        error_set_at(binder->err, ERR_UNSUPPORTED, at->at.line, at->at.column,
                     "%s over a value that differs each time it is asked for is not supported",
                     what);
        return error_hint(binder->err, "Compute the value in a derived table.");
    }
    if (operand->size <= SQL_MAX_REPEATED / times) return TRIB_OK;
    error_set_at(binder->err, ERR_LIMIT, at->at.line, at->at.column,
                 "%s over an operand of more than %u parts", what, SQL_MAX_REPEATED / times);
    return error_hint(binder->err, "Compute the operand in a derived table.");
}

static Status bind_between(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    Expr **args, *bounds[2], *both;
    TRY(bind_args(binder, scope, 3, ast->args, &args));
    TRY(adopt_rows(binder, ast, 3, args));
    TRY(bind_repeated(binder, ast, args[0], 2, "BETWEEN"));
    Expr *low[2] = {args[0], args[1]}, *high[2] = {args[0], args[2]};
    TRY(bind_call_id(binder, ast, TRIB_FN_ge, 2, low, &bounds[0]));
    TRY(bind_call_id(binder, ast, TRIB_FN_le, 2, high, &bounds[1]));
    TRY_ALLOC(both, expr_boolean(binder->arena, EXPR_AND, 2, bounds), binder->err);
    *out = both;
    return ast->negated ? negate(binder, both, out) : TRIB_OK;
}

static Status bind_in_list(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    Expr **args;
    Type type;
    TRY(bind_args(binder, scope, ast->nargs, ast->args, &args));
    TRY(adopt_rows(binder, ast, ast->nargs, args));
    Status status = bind_unify(binder, ast, "IN", ast->nargs, args, &type);
    if (status != TRIB_OK) return status;
    if (!type_comparable(type)) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "IN compares values of a type that does not compare");
    }
    TRY_ALLOC(*out, expr_new(binder->arena, EXPR_IN, TYPE(BOOLEAN), ast->nargs, args), binder->err);
    (*out)->negated = ast->negated;
    return TRIB_OK;
}

static Status bind_like(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    Expr **args, *call;
    TRY(bind_args(binder, scope, ast->nargs, ast->args, &args));
    TRY(bind_call_id(binder, ast, TRIB_FN_like, ast->nargs, args, &call));
    *out = call;
    return ast->negated ? negate(binder, call, out) : TRIB_OK;
}

/* ---------------------------------------------------------------- CASE, CAST and forms of their own */

static Status bind_case(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    uint32_t nwhen = (ast->nargs - 2) / 2;
    Expr **args, **results, *operand = NULL;
    if (ast->args[0])
        TRY(bind_expr(binder, scope, ast->args[0], &operand)); /* once: CASEs may nest in it */
    if (operand && nwhen > 1) TRY(bind_repeated(binder, ast, operand, nwhen, "CASE"));
    TRY_ALLOC(args, ARENA_ARRAY(binder->arena, Expr *, nwhen * 2 + 1), binder->err);
    TRY_ALLOC(results, ARENA_ARRAY(binder->arena, Expr *, nwhen + 1), binder->err);
    for (uint32_t i = 0; i < nwhen; i++) {
        const AstExpr *when = ast->args[1 + 2 * i];
        TRY(bind_expr(binder, scope, when, &args[2 * i]));
        if (operand) {
            Expr *pair[2] = {operand, args[2 * i]};
            TRY(bind_call_id(binder, when, TRIB_FN_eq, 2, pair, &args[2 * i]));
        } else {
            TRY(bind_boolean(binder, when, "WHEN", args[2 * i], &args[2 * i]));
        }
        TRY(bind_expr(binder, scope, ast->args[2 + 2 * i], &results[i]));
    }
    if (ast->args[ast->nargs - 1]) {
        TRY(bind_expr(binder, scope, ast->args[ast->nargs - 1], &results[nwhen]));
    } else {
        Value null = {.type = TYPE(UNKNOWN), .is_null = true};
        TRY_ALLOC(results[nwhen], expr_constant(binder->arena, null), binder->err);
    }
    Type type;
    TRY(bind_unify(binder, ast, "CASE", nwhen + 1, results, &type));
    for (uint32_t i = 0; i < nwhen; i++) args[2 * i + 1] = results[i];
    args[2 * nwhen] = results[nwhen];
    TRY_ALLOC(*out, expr_new(binder->arena, EXPR_CASE, type, 2 * nwhen + 1, args), binder->err);
    return TRIB_OK;
}

static Status bind_cast(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    Type type;
    Expr *arg;
    TRY(bind_expr(binder, scope, ast->args[0], &arg));
    Status status = type_parse(binder->arena, ast->type_text, &type, binder->err);
    if (status != TRIB_OK) return bind_place_error(binder, ast, 0, NULL, status);
    /* CAST(? AS varchar(3)) cuts: its marker is a text of any length */
    if (arg->kind == EXPR_PARAMETER && arg->type.id == TRIB_TYPE_UNKNOWN && type_is_text(type) &&
        type.length > 0 && type.length < TRIB_LENGTH_LONG)
        TRY(settle_parameter(binder, arg, type_varchar(0), true));
    if (arg->type.id == TRIB_TYPE_UNKNOWN) return bind_coerce(binder, arg, type, out);
    if (!type_castable(arg->type, type)) {
        Buf a, b;
        type_text(&a, binder, arg->type);
        type_text(&b, binder, type);
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "cannot cast " STR_FORMAT " to " STR_FORMAT, STR_ARGS(buf_view(&a)),
                            STR_ARGS(buf_view(&b)));
    }
    TRY_ALLOC(*out, expr_cast(binder->arena, arg, type, ast->try_cast), binder->err);
    return TRIB_OK;
}

static const TribFunctionId unit_functions[] = {
    [AST_UNIT_YEAR] = TRIB_FN_year,
    [AST_UNIT_QUARTER] = TRIB_FN_quarter,
    [AST_UNIT_MONTH] = TRIB_FN_month,
    [AST_UNIT_WEEK] = TRIB_FN_week,
    [AST_UNIT_DAY] = TRIB_FN_day,
    [AST_UNIT_HOUR] = TRIB_FN_hour,
    [AST_UNIT_MINUTE] = TRIB_FN_minute,
    [AST_UNIT_SECOND] = TRIB_FN_second,
    [AST_UNIT_MILLISECOND] = TRIB_FN_millisecond,
    [AST_UNIT_DAY_OF_WEEK] = TRIB_FN_day_of_week,
    [AST_UNIT_DAY_OF_YEAR] = TRIB_FN_day_of_year,
    [AST_UNIT_YEAR_OF_WEEK] = TRIB_FN_year_of_week,
    [AST_UNIT_TIMEZONE_HOUR] = TRIB_FN_timezone_hour,
    [AST_UNIT_TIMEZONE_MINUTE] = TRIB_FN_timezone_minute,
};

static Status bind_extract(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    Expr *arg;
    TRY(bind_expr(binder, scope, ast->args[0], &arg));
    return bind_call_id(binder, ast, unit_functions[ast->unit], 1, &arg, out);
}

static Status bind_at_time_zone(Binder *binder, const ExprScope *scope, const AstExpr *ast,
                                Expr **out) {
    Expr **args;
    TRY(bind_args(binder, scope, 2, ast->args, &args));
    return bind_call_id(binder, ast, TRIB_FN_at_timezone, 2, args, out);
}

static Status bind_current(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    TRY(bind_call_id(binder, ast, (TribFunctionId)ast->op, 0, NULL, out));
    if (ast->precision >= 0) (*out)->type.precision = (uint8_t)ast->precision;
    return TRIB_OK;
}

static Status bind_position(Binder *binder, const ExprScope *scope, const AstExpr *ast,
                            Expr **out) {
    Expr **args;
    TRY(bind_args(binder, scope, 2, ast->args, &args));
    Expr *swapped[2] = {args[1], args[0]};
    return bind_call_id(binder, ast, TRIB_FN_strpos, 2, swapped, out);
}

static Status bind_trim(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    static const TribFunctionId ids[] = {[AST_TRIM_BOTH] = TRIB_FN_trim,
                                         [AST_TRIM_LEADING] = TRIB_FN_ltrim,
                                         [AST_TRIM_TRAILING] = TRIB_FN_rtrim};
    uint32_t n = ast->nargs > 1 && ast->args[1] ? 2 : 1;
    Expr **args;
    TRY(bind_args(binder, scope, n, ast->args, &args));
    return bind_call_id(binder, ast, ids[ast->trim_kind], n, args, out);
}

/* ---------------------------------------------------------------- function calls */

static Status bind_coalesce(Binder *binder, const AstExpr *ast, uint32_t nargs, Expr **args,
                            Expr **out) {
    Type type;
    TRY(bind_unify(binder, ast, "coalesce", nargs, args, &type));
    TRY_ALLOC(*out, expr_new(binder->arena, EXPR_COALESCE, type, nargs, args), binder->err);
    return TRIB_OK;
}

static Status bind_nullif(Binder *binder, const AstExpr *ast, uint32_t nargs, Expr **args,
                          Expr **out) {
    Expr *pair[2] = {args[0], args[1]}, *all[3] = {args[0], args[1], NULL};
    TRY(bind_repeated(binder, ast, args[0], 2, "NULLIF"));
    TRY(bind_repeated(binder, ast, args[1], 2, "NULLIF"));
    TRY(bind_call_id(binder, ast, TRIB_FN_eq, 2, pair, &all[2]));
    TRY_ALLOC(*out, expr_new(binder->arena, EXPR_NULLIF, args[0]->type, 3, all), binder->err);
    return TRIB_OK;
}

static Status bind_if(Binder *binder, const AstExpr *ast, uint32_t nargs, Expr **args, Expr **out) {
    Expr *results[2] = {args[1], nargs > 2 ? args[2] : NULL};
    if (!results[1]) {
        Value null = {.type = TYPE(UNKNOWN), .is_null = true};
        TRY_ALLOC(results[1], expr_constant(binder->arena, null), binder->err);
    }
    Type type;
    Expr *all[3];
    TRY(bind_boolean(binder, ast->args[0], "if()", args[0], &all[0]));
    TRY(bind_unify(binder, ast, "if", 2, results, &type));
    all[1] = results[0];
    all[2] = results[1];
    TRY_ALLOC(*out, expr_new(binder->arena, EXPR_CASE, type, 3, all), binder->err);
    return TRIB_OK;
}

static Status bind_try(Binder *binder, const AstExpr *ast, uint32_t nargs, Expr **args,
                       Expr **out) {
    TRY(bind_settle(binder, args[0], &args[0]));
    TRY_ALLOC(*out, expr_new(binder->arena, EXPR_TRY, args[0]->type, 1, args), binder->err);
    return TRIB_OK;
}

static bool is_aggregate(void *context, const Expr *e) {
    (void)context;
    return e->kind == EXPR_AGGREGATE || e->kind == EXPR_WINDOW;
}

static Status bind_typeof(Binder *binder, const AstExpr *ast, uint32_t nargs, Expr **args,
                          Expr **out) {
    Buf text;
    TRY(bind_settle(binder, args[0], &args[0]));
    type_text(&text, binder, args[0]->type);
    TRY(buf_status(&text, binder->err));
    Value value = {.type = type_varchar((uint32_t)text.len)};
    value.as.text.data = text.data;
    value.as.text.length = text.len;
    Expr *constant;
    TRY_ALLOC(constant, expr_constant(binder->arena, value), binder->err);
    *out = constant;
    if (!expr_any(args[0], is_aggregate, NULL)) return TRIB_OK;
    /* An aggregate groups although nobody asks for its value: CASE WHEN x IS NULL THEN name ELSE name END. */
    Expr *null, *parts[3] = {NULL, constant, constant};
    TRY_ALLOC(null, expr_new(binder->arena, EXPR_IS_NULL, TYPE(BOOLEAN), 1, args), binder->err);
    parts[0] = null;
    TRY_ALLOC(*out, expr_new(binder->arena, EXPR_CASE, constant->type, 3, parts), binder->err);
    return TRIB_OK;
}

/* Calls whose arguments are not evaluated or typed like those of functions. */
static const struct {
    const char *name;
    uint32_t low, high;
    Status (*bind)(Binder *binder, const AstExpr *ast, uint32_t nargs, Expr **args, Expr **out);
} special_calls[] = {
    {"coalesce", 1, UINT32_MAX, bind_coalesce},
    {"ifnull", 2, 2, bind_coalesce},
    {"nullif", 2, 2, bind_nullif},
    {"if", 2, 3, bind_if},
    {"try", 1, 1, bind_try},
    {"typeof", 1, 1, bind_typeof},
};

static Status bind_aggregate(Binder *binder, const ExprScope *scope, const AstExpr *ast, Str name,
                             Expr **out) {
    if (!scope->aggregates || scope->inside_aggregate) {
        error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                     "the aggregate " STR_FORMAT "() cannot stand in %s", STR_ARGS(name),
                     scope->inside_aggregate ? "another aggregate" : scope->clause);
        return scope->inside_aggregate
                   ? error_hint(binder->err, "Compute the inner one in a sub-query.")
                   : error_hint(binder->err, "Conditions on aggregates belong into HAVING.");
    }
    ExprScope inside = *scope;
    inside.inside_aggregate = true;
    Expr **args = NULL;
    bool star = ast->nargs == 1 && ast->args[0]->kind == AST_STAR && ast->args[0]->name.count == 0;
    uint32_t nargs = star ? 0 : ast->nargs;
    TRY(bind_args(binder, &inside, nargs, ast->args, &args));
    ResolvedAggregate a;
    Status status = bind_resolve_aggregate(binder, name, nargs, args, &a);
    if (status != TRIB_OK) return bind_place_error(binder, ast, nargs, args, status);
    for (uint32_t i = 0; i < nargs; i++) {
        TRY(bind_coerce(binder, args[i], a.args[i], &args[i]));
        TRY(bind_settle(binder, args[i], &args[i]));
        if (ast->distinct && !type_comparable(args[i]->type)) {
            return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                                "DISTINCT needs a type that compares");
        }
    }
    /* the least and the greatest are the same without duplicates */
    bool extreme =
        nargs == 1 && (a.aggregate->id == TRIB_AGG_min || a.aggregate->id == TRIB_AGG_max);
    TRY(bind_aggregate_clauses(binder, &inside, ast, &a.aggregate, &nargs, &args));
    TRY_ALLOC(*out, expr_new(binder->arena, EXPR_AGGREGATE, a.result, nargs, args), binder->err);
    (*out)->as.agg.aggregate = a.aggregate;
    (*out)->distinct = ast->distinct && !extreme;
    if (ast->filter) TRY(bind_condition(binder, &inside, ast->filter, &(*out)->as.agg.filter));
    expr_derive(*out);
    return TRIB_OK;
}

static Status bind_function(Binder *binder, const ExprScope *scope, const AstExpr *ast,
                            Expr **out) {
    Str name = ast->name.parts[ast->name.count - 1].text;
    if (ast->window) return bind_window(binder, scope, ast, name, out);
    if (window_function_exists(name)) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "the window function " STR_FORMAT "() needs OVER (...)",
                            STR_ARGS(name));
    }
    if (aggregate_exists(name)) return bind_aggregate(binder, scope, ast, name, out);
    if (is_reduce_agg(name)) return bind_reduce_agg(binder, scope, ast, out);
    if (ast->distinct || ast->filter || ast->norder) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "DISTINCT, FILTER and ORDER BY belong to aggregates; " STR_FORMAT
                            "() is not one",
                            STR_ARGS(name));
    }
    if (ast_has_lambda(ast)) return bind_lambda_call(binder, scope, ast, name, out);
    Expr **args;
    TRY(bind_args(binder, scope, ast->nargs, ast->args, &args));
    if (ast->op == TRIB_FN_concat && bind_is_array_chain(ast->nargs, args))
        return bind_array_chain(binder, ast, ast->nargs, args, out);
    for (size_t i = 0; i < COUNT_OF(special_calls); i++) {
        if (!str_equal_fold(name, str_from(special_calls[i].name))) continue;
        if (ast->nargs < special_calls[i].low || ast->nargs > special_calls[i].high) {
            return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                                "%s() does not take %u arguments", special_calls[i].name,
                                ast->nargs);
        }
        return special_calls[i].bind(binder, ast, ast->nargs, args, out);
    }
    return bind_call(binder, ast, name, ast->nargs, args, out);
}

/* ---------------------------------------------------------------- dispatch */

static Status bind_unsupported_kind(Binder *binder, const ExprScope *scope, const AstExpr *ast,
                                    Expr **out) {
    static const char *const names[] = {
        [AST_DEFAULT] = "DEFAULT",
    };
    const char *name =
        ast->kind < COUNT_OF(names) && names[ast->kind] ? names[ast->kind] : "this expression";
    return bind_unsupported(binder, ast->at, name);
}

static Status bind_stray_lambda(Binder *binder, const ExprScope *scope, const AstExpr *ast,
                                Expr **out) {
    return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                        "a lambda stands only as an argument of a function that takes one");
}

static const BindKind kinds[] = {
    [AST_NAME] = bind_name,
    [AST_STAR] = bind_star,
    [AST_NULL] = bind_constant,
    [AST_BOOLEAN] = bind_constant,
    [AST_INTEGER] = bind_constant,
    [AST_DECIMAL] = bind_constant,
    [AST_DOUBLE] = bind_constant,
    [AST_STRING] = bind_constant,
    [AST_BINARY] = bind_constant,
    [AST_TYPED_LITERAL] = bind_constant,
    [AST_INTERVAL] = bind_constant,
    [AST_PARAMETER] = bind_parameter,
    [AST_UNARY] = bind_unary,
    [AST_BINARY_OP] = bind_binary,
    [AST_AND] = bind_logic,
    [AST_OR] = bind_logic,
    [AST_IS_NULL] = bind_is_null,
    [AST_IS_DISTINCT] = bind_is_distinct,
    [AST_BETWEEN] = bind_between,
    [AST_IN_LIST] = bind_in_list,
    [AST_LIKE] = bind_like,
    [AST_IN_QUERY] = bind_in_query,
    [AST_EXISTS] = bind_exists,
    [AST_SCALAR_QUERY] = bind_scalar_query,
    [AST_CASE] = bind_case,
    [AST_CAST] = bind_cast,
    [AST_EXTRACT] = bind_extract,
    [AST_CALL] = bind_function,
    [AST_AT_TIME_ZONE] = bind_at_time_zone,
    [AST_CURRENT] = bind_current,
    [AST_POSITION_IN] = bind_position,
    [AST_TRIM] = bind_trim,
    [AST_QUANTIFIED] = bind_quantified,
    [AST_ROW] = bind_row,
    [AST_ARRAY] = bind_array,
    [AST_SUBSCRIPT] = bind_subscript,
    [AST_LAMBDA] = bind_stray_lambda,
    [AST_GROUPING] = bind_grouping,
    [AST_DEFAULT] = bind_unsupported_kind,
    [AST_FIELD] = bind_field,
    [AST_JSON] = bind_json,
};

Status bind_expr(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    TRY(bind_enter(binder, ast->at));
    TRY(kinds[ast->kind](binder, scope, ast, out));
    bind_leave(binder);
    if ((*out)->line == 0 && (*out)->kind != EXPR_COLUMN) {
        (*out)->line = ast->at.line;
        (*out)->column = ast->at.column;
    }
    return TRIB_OK;
}

Status bind_condition(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    Expr *e;
    TRY(bind_expr(binder, scope, ast, &e));
    return bind_boolean(binder, ast, scope->clause, e, out);
}
