/*
 * nested.c - rows, arrays, subscripts and fields: constructors and the ways to their parts.
 *
 * A name a.b.c is looked up as a column first; if there is none, as the longest prefix that is a column
 * of a row type and fields of it.
 */
#include "engine/bind/scope.h"

Status bind_row(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    Expr **args;
    TRY(bind_args(binder, scope, ast->nargs, ast->args, &args));
    for (uint32_t i = 0; i < ast->nargs; i++) TRY(bind_settle(binder, args[i], &args[i]));
    return bind_call_id(binder, ast, TRIB_FN_row_new, ast->nargs, args, out);
}

Status bind_array(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    Expr **args;
    Type type;
    TRY(bind_args(binder, scope, ast->nargs, ast->args, &args));
    TRY(bind_unify(binder, ast, "ARRAY", ast->nargs, args, &type));
    return bind_call_id(binder, ast, TRIB_FN_array_new, ast->nargs, args, out);
}

bool bind_is_array_chain(uint32_t nargs, Expr *const *args) {
    for (uint32_t i = 0; i < nargs && nargs > 2; i++) {
        if (args[i]->type.id == TRIB_TYPE_ARRAY) return true;
    }
    return false;
}

Status bind_array_chain(Binder *binder, const AstExpr *ast, uint32_t nargs, Expr **args,
                        Expr **out) {
    *out = args[0];
    for (uint32_t i = 1; i < nargs; i++) {
        Expr *pair[2] = {*out, args[i]};
        TRY(bind_call_id(binder, ast, TRIB_FN_concat, 2, pair, out));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- fields */

Status bind_row_field(Binder *binder, Expr *row, uint32_t index, Expr **out) {
    Type types[2] = {row->type, TYPE(BIGINT)};
    ResolvedFunction f;
    Value number = {.type = TYPE(BIGINT)};
    number.as.integer = (int64_t)index + 1;
    Expr *args[2] = {row, expr_constant(binder->arena, number)};
    TRY(function_resolve_id(binder->arena, TRIB_FN_row_field, 2, types, &f, binder->err));
    f.result = row->type.fields->field[index].type;
    TRY_ALLOC(*out, expr_call(binder->arena, &f, 2, args), binder->err);
    return TRIB_OK;
}

static Status field_missing(Binder *binder, const AstName *name, Type type) {
    Buf text;
    buf_init(&text, binder->arena, 1024);
    type_print(&text, type);
    return error_set_at(binder->err, ERR_COLUMN_NOT_FOUND, name->at.line, name->at.column,
                        "there is no field '" STR_FORMAT "' in " STR_FORMAT, STR_ARGS(name->text),
                        STR_ARGS(buf_view(&text)));
}

/* The field of a name; an exact match before one without regard to case. */
static Status field_by_name(Binder *binder, Expr *row, const AstName *name, Expr **out) {
    if (row->type.id != TRIB_TYPE_ROW) {
        Buf text;
        buf_init(&text, binder->arena, 1024);
        type_print(&text, row->type);
        return error_set_at(binder->err, ERR_SYNTAX, name->at.line, name->at.column,
                            "'" STR_FORMAT "' would be a field of a value of type " STR_FORMAT
                            ", which is not a row",
                            STR_ARGS(name->text), STR_ARGS(buf_view(&text)));
    }
    const TribTypeFields *fields = row->type.fields;
    uint32_t found = fields->count, matches = 0;
    for (int exact = 1; exact >= 0 && matches == 0; exact--) {
        for (uint32_t i = 0; i < fields->count; i++) {
            if (fields->field[i].name == NULL) continue;
            Str own = str_from(fields->field[i].name);
            if (!(exact ? str_equal(own, name->text) : str_equal_fold(own, name->text))) continue;
            if (matches++ == 0) found = i;
        }
    }
    if (matches == 0) return field_missing(binder, name, row->type);
    if (matches > 1) {
        return error_set_at(binder->err, ERR_SYNTAX, name->at.line, name->at.column,
                            "the row has several fields '" STR_FORMAT "'", STR_ARGS(name->text));
    }
    return bind_row_field(binder, row, found, out);
}

Status bind_field(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    Expr *row;
    TRY(bind_expr(binder, scope, ast->args[0], &row));
    return field_by_name(binder, row, &ast->name.parts[0], out);
}

static Status fields_by_names(Binder *binder, Expr *row, uint32_t count, const AstName *names,
                              Expr **out) {
    *out = row;
    for (uint32_t i = 0; i < count; i++) TRY(field_by_name(binder, *out, &names[i], out));
    return TRIB_OK;
}

Status bind_quietly(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    Error quiet, *loud = binder->err;
    uint32_t depth = binder->depth;
    error_clear(&quiet);
    binder->err = &quiet;
    ExprScope plain = *scope;
    plain.lambda = NULL;
    Status status = bind_expr(binder, &plain, ast, out);
    binder->err = loud;
    binder->depth = depth;
    if (status != TRIB_OK) *out = NULL;
    return status == TRIB_MEMORY ? error_out_of_memory(loud) : TRIB_OK;
}

Status bind_dereference(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    *out = NULL;
    if (scope->scope == NULL) return TRIB_OK;
    const ScopeColumn *column;
    Error quiet, *loud = binder->err;
    error_clear(&quiet);
    binder->err = &quiet;
    bool enclosing;
    Status status = scope_find(binder, scope->scope, &ast->name, &column, &enclosing);
    binder->err = loud;
    if (status == TRIB_OK || strcmp(quiet.sqlstate, error_sqlstate(ERR_COLUMN_NOT_FOUND)) != 0)
        return TRIB_OK;
    for (uint32_t parts = ast->name.count - 1; parts > 0; parts--) {
        Expr *row;
        AstExpr prefix = *ast;
        prefix.name.count = parts;
        TRY(bind_quietly(binder, scope, &prefix, &row));
        if (row == NULL || row->type.id != TRIB_TYPE_ROW) continue;
        return fields_by_names(binder, row, ast->name.count - parts, ast->name.parts + parts, out);
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- lambda parameters */

Status bind_variable(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    uint16_t depth = 0;
    *out = NULL;
    for (const LambdaScope *l = scope->lambda; l != NULL; l = l->outer, depth++) {
        for (uint32_t i = 0; i < l->count; i++) {
            if (!str_equal_fold(l->names[i].text, ast->name.parts[0].text)) continue;
            Expr *variable;
            TRY_ALLOC(variable, expr_new(binder->arena, EXPR_VARIABLE, l->types[i], 0, NULL),
                      binder->err);
            variable->as.variable.depth = depth;
            variable->as.variable.index = (uint16_t)i;
            variable->as.variable.name = l->texts[i];
            return fields_by_names(binder, variable, ast->name.count - 1, ast->name.parts + 1, out);
        }
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- subscripts */

/* r[2]: the number must be written, for the type depends on it. */
static Status row_subscript(Binder *binder, const AstExpr *ast, Expr *row, const Expr *index,
                            Expr **out) {
    uint32_t count = row->type.fields->count;
    if (index->kind != EXPR_CONSTANT || !type_is_integer(index->type) || index->as.value.is_null) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->args[1]->at.line, ast->args[1]->at.column,
                            "the subscript of a row must be a whole number written as such");
    }
    int64_t n = index->as.value.as.integer;
    if (n < 1 || n > count) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->args[1]->at.line, ast->args[1]->at.column,
                            "the subscript %lld is outside the row's %u fields", (long long)n,
                            count);
    }
    return bind_row_field(binder, row, (uint32_t)n - 1, out);
}

Status bind_subscript(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    Expr **args;
    TRY(bind_args(binder, scope, 2, ast->args, &args));
    if (args[0]->type.id == TRIB_TYPE_ROW) return row_subscript(binder, ast, args[0], args[1], out);
    if (args[0]->type.id != TRIB_TYPE_ARRAY && args[0]->type.id != TRIB_TYPE_MAP) {
        Buf text;
        buf_init(&text, binder->arena, 1024);
        type_print(&text, args[0]->type);
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "a value of type " STR_FORMAT " has no subscripts",
                            STR_ARGS(buf_view(&text)));
    }
    return bind_call_id(binder, ast, TRIB_FN_subscript, 2, args, out);
}
