/*
 * lambda.c - calls with lambdas: bodies are bound over the types that the function's signature gives
 * their parameters, as often as the search for the overload asks for it.
 *
 * Parameters are counted by the lambdas between their use and their lambda, so that equal lambdas are
 * equal expressions wherever they stand. A body sees the columns around it, but no aggregates and no
 * sub-queries.
 */
#include "engine/bind/scope.h"

#define LAMBDA_MAX_PARAMETERS 255

typedef struct LambdaCall {
    Binder *binder;
    const ExprScope *scope;
    const AstExpr *ast;
    Expr **bodies; /* by argument: the last one bound */
    Type **params; /* the types it was bound over */
} LambdaCall;

bool ast_has_lambda(const AstExpr *call) {
    for (uint32_t i = 0; i < call->nargs; i++) {
        if (call->args[i]->kind == AST_LAMBDA) return true;
    }
    return false;
}

static bool types_equal(uint32_t count, const Type *a, const Type *b) {
    for (uint32_t i = 0; i < count; i++) {
        if (!type_equal(a[i], b[i])) return false;
    }
    return true;
}

static Status parameter_texts(Binder *binder, const AstExpr *lambda, const char ***out) {
    TRY_ALLOC(*out, ARENA_ARRAY(binder->arena, const char *, lambda->nlambda), binder->err);
    for (uint32_t i = 0; i < lambda->nlambda; i++)
        TRY_ALLOC((*out)[i], str_dup(binder->arena, lambda->lambda_names[i].text), binder->err);
    return TRIB_OK;
}

static Status bind_body(void *context, uint32_t arg, uint32_t nparams, const Type *params,
                        Type *result, Error *err) {
    LambdaCall *self = context;
    Binder *binder = self->binder;
    const AstExpr *lambda = self->ast->args[arg];
    if (self->bodies[arg] && types_equal(nparams, self->params[arg], params)) {
        *result = self->bodies[arg]->type;
        return TRIB_OK;
    }
    LambdaScope names = {.outer = self->scope->lambda,
                         .count = nparams,
                         .names = lambda->lambda_names,
                         .types = params};
    ExprScope scope = *self->scope;
    scope.lambda = &names;
    scope.aggregates = false;
    scope.clause = "a lambda";
    Error *outer = binder->err;
    uint32_t depth = binder->depth;
    Expr *body = NULL;
    binder->err = err;
    const char **texts;
    Status status = parameter_texts(binder, lambda, &texts);
    if (status == TRIB_OK) names.texts = texts;
    if (status == TRIB_OK) status = bind_expr(binder, &scope, lambda->args[0], &body);
    if (status == TRIB_OK) status = bind_settle(binder, body, &body);
    binder->err = outer;
    binder->depth = depth;
    TRY(status);
    self->bodies[arg] = body;
    TRY_ALLOC(self->params[arg], ARENA_ARRAY(binder->arena, Type, nparams), err);
    for (uint32_t i = 0; i < nparams; i++) self->params[arg][i] = params[i];
    *result = body->type;
    return TRIB_OK;
}

/* The lambda as an argument: its body brought to the result type that the function wants. */
static Status finish_lambda(LambdaCall *self, uint32_t arg, Type function, Expr **out) {
    Binder *binder = self->binder;
    const AstExpr *ast = self->ast->args[arg];
    Type params[LAMBDA_MAX_PARAMETERS], result;
    uint32_t n = function.fields->count - 1;
    for (uint32_t i = 0; i < n; i++) params[i] = function.fields->field[i].type;
    TRY(bind_body(self, arg, n, params, &result, binder->err));
    Expr *body = self->bodies[arg];
    TRY(bind_coerce(binder, body, function.fields->field[n].type, &body));
    TRY_ALLOC(*out, expr_new(binder->arena, EXPR_LAMBDA, function, 1, &body), binder->err);
    (*out)->line = ast->at.line;
    (*out)->column = ast->at.column;
    const char **texts;
    TRY(parameter_texts(binder, ast, &texts));
    (*out)->as.names = texts;
    return TRIB_OK;
}

static Status check_parameters(Binder *binder, const AstExpr *lambda) {
    if (lambda->nlambda > LAMBDA_MAX_PARAMETERS) {
        return error_set_at(binder->err, ERR_LIMIT, lambda->at.line, lambda->at.column,
                            "a lambda has at most %d parameters", LAMBDA_MAX_PARAMETERS);
    }
    for (uint32_t i = 0; i < lambda->nlambda; i++) {
        const AstName *name = &lambda->lambda_names[i];
        for (uint32_t j = 0; j < i; j++) {
            if (!str_equal_fold(name->text, lambda->lambda_names[j].text)) continue;
            return error_set_at(binder->err, ERR_SYNTAX, name->at.line, name->at.column,
                                "two parameters of the lambda are called '" STR_FORMAT "'",
                                STR_ARGS(name->text));
        }
    }
    return TRIB_OK;
}

Status bind_lambda_call(Binder *binder, const ExprScope *scope, const AstExpr *ast, Str name,
                        Expr **out) {
    LambdaCall self = {.binder = binder, .scope = scope, .ast = ast};
    LambdaBinder lambdas = {.context = &self, .bind = bind_body};
    Expr **args;
    Type *types;
    ResolvedFunction f;
    TRY_ALLOC(args, ARENA_ARRAY(binder->arena, Expr *, ast->nargs), binder->err);
    TRY_ALLOC(types, ARENA_ARRAY(binder->arena, Type, ast->nargs), binder->err);
    TRY_ALLOC(self.bodies, ARENA_ARRAY(binder->arena, Expr *, ast->nargs), binder->err);
    TRY_ALLOC(self.params, ARENA_ARRAY(binder->arena, Type *, ast->nargs), binder->err);
    for (uint32_t i = 0; i < ast->nargs; i++) {
        if (ast->args[i]->kind == AST_LAMBDA) {
            TRY(check_parameters(binder, ast->args[i]));
            types[i] = (Type){.id = TRIB_TYPE_FUNCTION, .length = ast->args[i]->nlambda};
            continue;
        }
        TRY(bind_expr(binder, scope, ast->args[i], &args[i]));
        types[i] = args[i]->type;
    }
    Status status =
        function_resolve_lambda(binder->arena, name, ast->nargs, types, &lambdas, &f, binder->err);
    if (status != TRIB_OK) return bind_place_error(binder, ast, 0, NULL, status);
    for (uint32_t i = 0; i < ast->nargs; i++) {
        if (ast->args[i]->kind == AST_LAMBDA) TRY(finish_lambda(&self, i, f.args[i], &args[i]));
    }
    return bind_resolved(binder, ast, &f, ast->nargs, args, out);
}
