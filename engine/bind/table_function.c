/*
 * table_function.c - TABLE(f(arguments)) in FROM.
 *
 * c.system.query(query => '...') is a table that the source of catalog c makes: the connector prepares the
 * text, which tells the columns, and reads it when the statement runs. The text is a constant, because the
 * columns must be known before parameters have values.
 *
 * sequence(start, stop, step) becomes a product of VALUES with the digits of the row's number to the base 1,000,
 * so that it streams, however long it is.
 */
#include "engine/bind/scope.h"

/* An argument by its name, or by its place where no names are written. */
static const AstExpr *find_argument(const AstExpr *call, const char *name, uint32_t place) {
    for (uint32_t i = 0; i < call->nargs; i++) {
        bool named = call->arg_names && call->arg_names[i].text.len > 0;
        if (named ? str_equal_fold(call->arg_names[i].text, str_from(name)) : i == place)
            return call->args[i];
    }
    return NULL;
}

static Status check_arguments(Binder *binder, const AstExpr *call, uint32_t count,
                              const char *const *names) {
    for (uint32_t i = 0; i < call->nargs; i++) {
        const AstName *label = call->arg_names ? &call->arg_names[i] : NULL;
        bool known = (!label || label->text.len == 0) && i < count;
        for (uint32_t k = 0; label && k < count && !known; k++)
            known = str_equal_fold(label->text, str_from(names[k]));
        if (known) continue;
        AstPosition at = label && label->text.len ? label->at : call->args[i]->at;
        return error_set_at(binder->err, ERR_SYNTAX, at.line, at.column,
                            "the table function has no such argument; it takes %s%s%s%s%s",
                            names[0], count > 1 ? ", " : "", count > 1 ? names[1] : "",
                            count > 2 ? ", " : "", count > 2 ? names[2] : "");
    }
    return TRIB_OK;
}

static Status constant_text(Binder *binder, const AstExpr *ast, Str *out) {
    ExprScope scope = {.clause = "a table function"};
    Expr *e;
    TRY(bind_expr(binder, &scope, ast, &e));
    TRY(expr_fold(binder->arena, binder->context->session, e, &e, binder->err));
    if (e->kind != EXPR_CONSTANT || !type_is_text(e->type) || e->as.value.is_null) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "the statement to be passed on is a constant text");
    }
    *out = (Str){e->as.value.as.text.data, e->as.value.as.text.length};
    return TRIB_OK;
}

static Status query_catalog(Binder *binder, const AstExpr *call, Catalog **out) {
    const AstQualifiedName *name = &call->name;
    Str wanted = name->count == 3 ? name->parts[0].text : binder->context->lookup.catalog;
    const AstPosition at = name->parts[0].at;
    if (wanted.len == 0) {
        return error_set_at(binder->err, ERR_CATALOG_NAME, at.line, at.column,
                            "no catalog is named and none is in use");
    }
    TRY(catalogs_find(binder->context->lookup.catalogs, wanted, out, binder->err));
    if (*out) return TRIB_OK;
    return error_set_at(binder->err, ERR_CATALOG_NAME, at.line, at.column,
                        "there is no catalog '" STR_FORMAT "'", STR_ARGS(wanted));
}

/* Errors of the source keep its SQLSTATE and message; the position is that of the text. */
static Status bind_query_function(Binder *binder, const AstExpr *call, TableRef **table) {
    static const char *const names[] = {"query"};
    Catalog *catalog;
    Str text;
    TRY(check_arguments(binder, call, COUNT_OF(names), names));
    const AstExpr *query = find_argument(call, "query", 0);
    if (!query) {
        return error_set_at(binder->err, ERR_SYNTAX, call->at.line, call->at.column,
                            "query() needs the statement: query => '...'");
    }
    TRY(query_catalog(binder, call, &catalog));
    TRY(constant_text(binder, query, &text));
    Status status =
        catalog_passthrough(&binder->context->lookup, catalog, text, table, binder->err);
    if (status != TRIB_OK && binder->err->line == 0) {
        binder->err->line = query->at.line;
        binder->err->column = query->at.column;
    }
    return status;
}

/* ---------------------------------------------------------------- sequence */

#define DIGITS 1000

static Status constant_number(Binder *binder, const AstExpr *ast, const char *name, int64_t missing,
                              int64_t *out) {
    ExprScope scope = {.clause = "a table function"};
    Expr *e;
    *out = missing;
    if (!ast) return TRIB_OK;
    TRY(bind_expr(binder, &scope, ast, &e));
    if (e->type.id == TRIB_TYPE_UNKNOWN || type_is_integer(e->type)) {
        TRY(bind_coerce(binder, e, TYPE(BIGINT), &e));
        TRY(expr_fold(binder->arena, binder->context->session, e, &e, binder->err));
    }
    if (e->kind != EXPR_CONSTANT || e->type.id != TRIB_TYPE_BIGINT || e->as.value.is_null) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "%s of sequence() is a constant whole number", name);
    }
    *out = e->as.value.as.integer;
    return TRIB_OK;
}

static Status bigint_constant(Binder *binder, int64_t number, Expr **out) {
    Value value = {.type = TYPE(BIGINT)};
    value.as.integer = number;
    TRY_ALLOC(*out, expr_constant(binder->arena, value), binder->err);
    return TRIB_OK;
}

/* One column of the numbers first, first + step ...: `count` rows. */
static Status bind_numbers(Binder *binder, int64_t first, int64_t step, uint32_t count,
                           LogicalNode **out) {
    TRY(bind_node(binder, LOGICAL_VALUES, 1, NULL, out));
    LogicalNode *node = *out;
    node->nrows = count;
    TRY_ALLOC(node->value_rows, ARENA_ARRAY(binder->arena, Expr **, count), binder->err);
    for (uint32_t i = 0; i < count; i++) {
        TRY_ALLOC(node->value_rows[i], ARENA_ARRAY(binder->arena, Expr *, 1), binder->err);
        TRY(bigint_constant(binder, first + (int64_t)i * step, &node->value_rows[i][0]));
    }
    return bind_new_column(binder, STR("sequential_number"), TYPE(BIGINT), false, &node->output[0]);
}

/* Every row of `left` with every row of `right`, and the sum of their columns. */
static Status add_digits(Binder *binder, const AstExpr *at, LogicalNode *left, LogicalNode *right,
                         LogicalNode **out) {
    LogicalNode *join, *project;
    Expr *terms[2];
    TRY_ALLOC(join, logical_new(binder->arena, LOGICAL_JOIN, 2, 2), binder->err);
    join->join = JOIN_CROSS;
    join->children[0] = left;
    join->children[1] = right;
    for (uint32_t i = 0; i < 2; i++) {
        join->output[i] = join->children[i]->output[0];
        TRY(bind_column(binder, join->output[i], &terms[i]));
    }
    TRY(bind_node(binder, LOGICAL_PROJECT, 1, join, &project));
    TRY_ALLOC(project->exprs, ARENA_ARRAY(binder->arena, Expr *, 1), binder->err);
    TRY(bind_call_id(binder, at, TRIB_FN_add, 2, terms, &project->exprs[0]));
    *out = project;
    return bind_new_column(binder, STR("sequential_number"), TYPE(BIGINT), false,
                           &project->output[0]);
}

/* The numbers 0, 1 ... below `rows`, and perhaps a few more. */
static Status bind_row_numbers(Binder *binder, const AstExpr *at, uint64_t rows,
                               LogicalNode **out) {
    uint64_t unit = 1;
    while (rows / unit > DIGITS) unit *= DIGITS;
    uint32_t top = (uint32_t)(rows / unit + (rows % unit != 0));
    TRY(bind_numbers(binder, 0, (int64_t)unit, top, out));
    for (unit /= DIGITS; unit > 0; unit /= DIGITS) {
        LogicalNode *digits;
        TRY(bind_numbers(binder, 0, (int64_t)unit, DIGITS, &digits));
        TRY(add_digits(binder, at, *out, digits, out));
    }
    return TRIB_OK;
}

/* start + number * step of those below `rows`. */
static Status bind_long_sequence(Binder *binder, const AstExpr *at, int64_t start, int64_t step,
                                 uint64_t rows, LogicalNode **out) {
    Expr *below[2], *times[2], *plus[2], *condition;
    LogicalNode *numbers, *kept, *project;
    TRY(bind_row_numbers(binder, at, rows, &numbers));
    TRY(bind_column(binder, numbers->output[0], &below[0]));
    TRY(bigint_constant(binder, (int64_t)rows, &below[1]));
    TRY(bind_call_id(binder, at, TRIB_FN_lt, 2, below, &condition));
    TRY(bind_filter(binder, numbers, condition, &kept));
    TRY(bind_column(binder, numbers->output[0], &times[0]));
    TRY(bigint_constant(binder, step, &times[1]));
    TRY(bind_call_id(binder, at, TRIB_FN_multiply, 2, times, &plus[1]));
    TRY(bigint_constant(binder, start, &plus[0]));
    TRY(bind_node(binder, LOGICAL_PROJECT, 1, kept, &project));
    TRY_ALLOC(project->exprs, ARENA_ARRAY(binder->arena, Expr *, 1), binder->err);
    TRY(bind_call_id(binder, at, TRIB_FN_add, 2, plus, &project->exprs[0]));
    *out = project;
    return bind_new_column(binder, STR("sequential_number"), TYPE(BIGINT), false,
                           &project->output[0]);
}

static Status check_step(Binder *binder, const AstExpr *call, int64_t start, int64_t stop,
                         int64_t step) {
    if (start == stop || (start < stop ? step > 0 : step < 0)) return TRIB_OK;
    return error_set_at(binder->err, ERR_INVALID_ARGUMENT, call->at.line, call->at.column,
                        "the step of a sequence from %lld to %lld must be %s, not %lld",
                        (long long)start, (long long)stop, start < stop ? "positive" : "negative",
                        (long long)step);
}

static Status bind_sequence(Binder *binder, const AstExpr *call, Bound *out) {
    static const char *const names[] = {"start", "stop", "step"};
    int64_t start, stop, step, distance;
    TRY(check_arguments(binder, call, COUNT_OF(names), names));
    const AstExpr *last = find_argument(call, "stop", 1);
    if (!last) {
        return error_set_at(binder->err, ERR_SYNTAX, call->at.line, call->at.column,
                            "sequence() needs the last number: stop => n");
    }
    TRY(constant_number(binder, find_argument(call, "start", 0), "start", 0, &start));
    TRY(constant_number(binder, last, "stop", 0, &stop));
    TRY(constant_number(binder, find_argument(call, "step", 2), "step", 1, &step));
    TRY(check_step(binder, call, start, stop, step));
    if (__builtin_sub_overflow(stop, start, &distance)) {
        return error_set_at(binder->err, ERR_OUT_OF_RANGE, call->at.line, call->at.column,
                            "the numbers of a sequence lie further apart than a bigint says");
    }
    uint64_t rows = start == stop ? 1 : (uint64_t)(distance / step) + 1;
    if (rows <= DIGITS)
        TRY(bind_numbers(binder, start, start == stop ? 0 : step, (uint32_t)rows, &out->node));
    else
        TRY(bind_long_sequence(binder, call, start, step, rows, &out->node));
    ScopeColumn column = {.name = STR("sequential_number"), .id = out->node->output[0]};
    return scope_add(binder, &out->scope, &column);
}

/* ---------------------------------------------------------------- by name */

static bool name_is(const AstQualifiedName *name, uint32_t from, const char *word) {
    return str_equal_fold(name->parts[from].text, str_from(word));
}

Status bind_table_function(Binder *binder, const AstRelation *r, Bound *out) {
    const AstExpr *call = r->call;
    const AstQualifiedName *name = &call->name;
    uint32_t n = name->count;
    *out = (Bound){0};
    if ((n == 2 || n == 3) && name_is(name, n - 2, "system") && name_is(name, n - 1, "query")) {
        TableRef *table;
        TRY(bind_query_function(binder, call, &table));
        return bind_scan(binder, table, NULL, out);
    }
    if (n == 1 && name_is(name, 0, "sequence")) return bind_sequence(binder, call, out);
    error_set_at(binder->err, ERR_SYNTAX, call->at.line, call->at.column,
                 "table function '" STR_FORMAT "' does not exist",
                 STR_ARGS(name->parts[n - 1].text));
    return error_hint(binder->err,
                      "There are sequence(start, stop, step) and catalog.system.query(query => "
                      "'...'), in the language of the catalog's source.");
}
