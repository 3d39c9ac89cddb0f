/*
 * json.c - the SQL/JSON functions with their clauses become calls whose function carries them.
 */
#include "engine/bind/scope.h"
#include "engine/functions/json_sql.h"

static Status json_error(Binder *binder, AstPosition at, const char *what) {
    return error_set_at(binder->err, ERR_SYNTAX, at.line, at.column, "%s", what);
}

/* ---------------------------------------------------------------- arguments */

static Status bind_value(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    TRY(bind_expr(binder, scope, ast, out));
    if ((*out)->type.id == TRIB_TYPE_UNKNOWN && (*out)->kind != EXPR_PARAMETER)
        TRY(bind_coerce(binder, *out, type_varchar(0), out));
    return bind_settle(binder, *out, out);
}

/* A text that holds JSON. */
static Status check_json_text(Binder *binder, const AstExpr *ast, const Expr *e) {
    if (type_is_text(e->type) || e->type.id == TRIB_TYPE_JSON || e->type.id == TRIB_TYPE_VARBINARY)
        return TRIB_OK;
    return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                        "JSON is read from text, varbinary or json, not from %s",
                        type_id_name((TypeId)e->type.id));
}

/* JSON-returning functions as arguments are JSON without FORMAT JSON. */
static bool gives_json(const AstExpr *ast) {
    return ast->kind == AST_JSON && ast->json->form != AST_JSON_EXISTS &&
           ast->json->form != AST_JSON_VALUE;
}

/* A value for a variable, a member or an element. */
static Status bind_item(Binder *binder, const ExprScope *scope, const AstExpr *ast, bool datetime,
                        bool *format, Expr **out) {
    TRY(bind_value(binder, scope, ast, out));
    *format = *format || (gives_json(ast) && (*out)->type.id != TRIB_TYPE_JSON);
    if (*format) return check_json_text(binder, ast, *out);
    if (json_sql_accepts((*out)->type, datetime)) return TRIB_OK;
    Type text = type_varchar(0);
    if (!type_castable((*out)->type, text) || type_is_nested((*out)->type)) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "a value of type %s cannot become JSON here",
                            type_id_name((TypeId)(*out)->type.id));
    }
    TRY_ALLOC(*out, expr_cast(binder->arena, *out, text, false), binder->err);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- clauses */

static JsonSqlBehaviour behaviour_of(AstJsonBehaviour behaviour, JsonSqlBehaviour unsaid) {
    switch (behaviour) {
    case AST_JSON_ERROR: return JSON_DO_ERROR;
    case AST_JSON_DEFAULT: return JSON_DO_DEFAULT;
    case AST_JSON_TRUE: return JSON_DO_TRUE;
    case AST_JSON_FALSE: return JSON_DO_FALSE;
    case AST_JSON_EMPTY_ARRAY: return JSON_DO_EMPTY_ARRAY;
    case AST_JSON_EMPTY_OBJECT: return JSON_DO_EMPTY_OBJECT;
    case AST_JSON_NULL:
    case AST_JSON_UNKNOWN: return JSON_DO_NULL;
    default: return unsaid;
    }
}

static JsonSqlWrapper wrapper_of(AstJsonWrapper wrapper) {
    if (wrapper == AST_JSON_WRAPPER_CONDITIONAL) return JSON_WRAP_CONDITIONAL;
    return wrapper == AST_JSON_WRAPPER_UNCONDITIONAL ? JSON_WRAP_ALWAYS : JSON_WRAP_NOT;
}

static uint16_t function_of(AstJsonForm form) {
    static const uint16_t ids[] = {[AST_JSON_EXISTS] = TRIB_FN_json_exists,
                                   [AST_JSON_VALUE] = TRIB_FN_json_value,
                                   [AST_JSON_QUERY] = TRIB_FN_json_query,
                                   [AST_JSON_OBJECT] = TRIB_FN_json_object,
                                   [AST_JSON_ARRAY] = TRIB_FN_json_array};
    return ids[form];
}

static Status result_type(Binder *binder, const AstExpr *ast, const Expr *input, Type *out) {
    const AstJson *json = ast->json;
    bool value = json->form == AST_JSON_VALUE;
    *out = json->form == AST_JSON_EXISTS ? TYPE(BOOLEAN) : type_varchar(0);
    if (json->form == AST_JSON_QUERY && input->type.id == TRIB_TYPE_JSON) *out = TYPE(JSON);
    if (json->returning.data == NULL) return TRIB_OK;
    Status status = type_parse(binder->arena, json->returning, out, binder->err);
    if (status != TRIB_OK) {
        binder->err->line = ast->at.line;
        binder->err->column = ast->at.column;
        return status;
    }
    bool text = type_is_text(*out);
    bool scalar = type_is_numeric(*out) || out->id == TRIB_TYPE_BOOLEAN || type_is_datetime(*out);
    bool json_text = out->id == TRIB_TYPE_VARBINARY || out->id == TRIB_TYPE_JSON;
    if (text || (value ? scalar : json_text)) return TRIB_OK;
    return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                        "RETURNING %s is not possible here", type_id_name((TypeId)out->id));
}

/* DEFAULT value ON EMPTY or ON ERROR: a further argument of the result's type. */
static Status bind_default(Binder *binder, const ExprScope *scope, const AstExpr *ast, Type type,
                           uint32_t *nargs, Expr **args, uint32_t *index) {
    if (ast == NULL) return TRIB_OK;
    Expr *e;
    TRY(bind_expr(binder, scope, ast, &e));
    TRY(bind_coerce(binder, e, type, &e));
    if (e->may_raise) return bind_unsupported(binder, ast->at, "a DEFAULT that can fail");
    *index = *nargs;
    args[(*nargs)++] = e;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- paths */

/* Names without quotes are in upper case, as SQL has it. */
static Status variable_names(Binder *binder, const AstJson *json, Str **out) {
    TRY_ALLOC(*out, ARENA_ARRAY(binder->arena, Str, json->nnames), binder->err);
    for (uint32_t i = 0; i < json->nnames; i++) {
        const AstName *name = &json->names[i];
        char *text = str_dup(binder->arena, name->text);
        if (text == NULL) return error_out_of_memory(binder->err);
        for (size_t c = 0; c < name->text.len && !name->quoted; c++) {
            if (text[c] >= 'a' && text[c] <= 'z') text[c] = (char)(text[c] - 'a' + 'A');
        }
        (*out)[i] = (Str){text, name->text.len};
        for (uint32_t j = 0; j < i; j++) {
            if (!str_equal((*out)[i], (*out)[j])) continue;
            return json_error(binder, name->at, "PASSING names a variable twice");
        }
    }
    return TRIB_OK;
}

static Status compile_path(Binder *binder, const AstExpr *ast, JsonSql *sql) {
    const AstJson *json = ast->json;
    Str *names;
    sql->nnames = json->nnames;
    TRY(variable_names(binder, json, &names));
    Status status =
        json_path_compile(binder->arena, json->path, json->nnames, names, &sql->path, binder->err);
    if (status == TRIB_OK) return TRIB_OK;
    binder->err->line = ast->at.line;
    binder->err->column = ast->at.column;
    return status;
}

static Status bind_path(Binder *binder, const ExprScope *scope, const AstExpr *ast, JsonSql *sql,
                        bool *format, uint32_t *nargs, Expr **args, Type *type) {
    const AstJson *json = ast->json;
    bool wraps = json->wrapper == AST_JSON_WRAPPER_CONDITIONAL ||
                 json->wrapper == AST_JSON_WRAPPER_UNCONDITIONAL;
    if (wraps && (json->omit_quotes || json->keep_quotes))
        return json_error(binder, ast->at, "QUOTES and WITH WRAPPER exclude each other");
    TRY(compile_path(binder, ast, sql));
    TRY(bind_value(binder, scope, ast->args[0], &args[0]));
    TRY(check_json_text(binder, ast->args[0], args[0]));
    for (uint32_t i = 1; i < ast->nargs; i++)
        TRY(bind_item(binder, scope, ast->args[i], true, &format[i], &args[i]));
    *nargs = ast->nargs;
    TRY(result_type(binder, ast, args[0], type));
    TRY(bind_default(binder, scope, json->empty_default, *type, nargs, args, &sql->empty_default));
    return bind_default(binder, scope, json->error_default, *type, nargs, args,
                        &sql->error_default);
}

/* ---------------------------------------------------------------- objects and arrays */

static Status bind_build(Binder *binder, const ExprScope *scope, const AstExpr *ast, JsonSql *sql,
                         bool *format, uint32_t *nargs, Expr **args, Type *type) {
    const AstJson *json = ast->json;
    bool object = json->form == AST_JSON_OBJECT;
    for (uint32_t i = 0; i < ast->nargs; i++) {
        const AstExpr *item = ast->args[i];
        if (object && i % 2 == 0) {
            TRY(bind_value(binder, scope, item, &args[i]));
            if (!type_is_text(args[i]->type))
                return json_error(binder, item->at, "the key of a JSON object must be text");
            continue;
        }
        bool *json_text = &format[object ? i / 2 : i];
        if (*json_text && sql->unique_keys)
            return json_error(binder, item->at,
                              "WITH UNIQUE KEYS and FORMAT JSON exclude each other");
        TRY(bind_item(binder, scope, item, false, json_text, &args[i]));
    }
    *nargs = ast->nargs;
    return result_type(binder, ast, NULL, type);
}

Status bind_json(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    const AstJson *json = ast->json;
    bool object = json->form == AST_JSON_OBJECT, builds = object || json->form == AST_JSON_ARRAY;
    JsonSql *sql;
    bool *format;
    Expr **args;
    uint32_t nargs = 0;
    Type type;
    TRY_ALLOC(sql, ARENA_NEW(binder->arena, JsonSql), binder->err);
    TRY_ALLOC(format, ARENA_ARRAY(binder->arena, bool, ast->nargs + (size_t)1), binder->err);
    TRY_ALLOC(args, ARENA_ARRAY(binder->arena, Expr *, ast->nargs + (size_t)2), binder->err);
    uint32_t nformats = object ? ast->nargs / 2 : ast->nargs;
    if (nformats) memcpy(format, json->format, nformats * sizeof *format);
    JsonSqlBehaviour unsaid = json->form == AST_JSON_EXISTS ? JSON_DO_FALSE : JSON_DO_NULL;
    *sql = (JsonSql){.id = function_of(json->form),
                     .format = format,
                     .on_empty = behaviour_of(json->on_empty, JSON_DO_NULL),
                     .on_error = behaviour_of(json->on_error, unsaid),
                     .wrapper = wrapper_of(json->wrapper),
                     .omit_quotes = json->omit_quotes,
                     .absent_on_null = json->null_said ? json->absent_on_null : !object,
                     .unique_keys = json->unique_keys};
    if (builds) {
        TRY(bind_build(binder, scope, ast, sql, format, &nargs, args, &type));
    } else {
        TRY(bind_path(binder, scope, ast, sql, format, &nargs, args, &type));
    }
    ResolvedFunction f = {.result = type};
    TRY(json_sql_function(binder->arena, sql, &f.function, binder->err));
    TRY_ALLOC(*out, expr_call(binder->arena, &f, nargs, args), binder->err);
    return TRIB_OK;
}
