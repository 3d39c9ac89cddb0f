/*
 * stored.c - targets of writing statements and values as their columns take them.
 *
 * A value converts to its column's type without being asked, or between numbers, or between texts, with an error
 * at the row that does not fit. What a DEFAULT means is known where the engine computes it, and where it is
 * a literal, which means the same in every source. One thread, everything in the binder's arena.
 */
#include "engine/bind/write.h"

/* ---------------------------------------------------------------- targets */

Status bind_writable(Binder *binder, Catalog *catalog, AstPosition at) {
    Source *source;
    TRY(catalog_source(catalog, &source, binder->err));
    Status status = source_writable(source, binder->err);
    if (status != TRIB_OK && binder->err->line == 0) {
        binder->err->line = at.line;
        binder->err->column = at.column;
    }
    return status;
}

/* The catalogs that a name of these parts may mean, as far as is known without asking a source. */
static Status possible_catalogs(Binder *binder, const AstQualifiedName *q, Catalog *out[2]) {
    const LookupContext *lookup = &binder->context->lookup;
    out[0] = out[1] = NULL;
    if (q->count > 1) TRY(catalogs_find(lookup->catalogs, q->parts[0].text, &out[0], binder->err));
    if (q->count < 3 && lookup->catalog.len)
        TRY(catalogs_find(lookup->catalogs, lookup->catalog, &out[1], binder->err));
    return TRIB_OK;
}

Status bind_refuse_early(Binder *binder, const AstQualifiedName *q) {
    Catalog *catalogs[2];
    TRY(possible_catalogs(binder, q, catalogs));
    Status status = TRIB_OK;
    for (int i = 0; i < 2; i++) {
        if (!catalogs[i]) continue;
        status = bind_writable(binder, catalogs[i], q->parts[0].at);
        if (status == TRIB_OK) return TRIB_OK;
    }
    return status;
}

Status bind_write_node(Binder *binder, BoundStatement *out, LogicalNode *input, TribWriteKind kind,
                       TribTable *table, uint32_t ncolumns, uint32_t *columns) {
    LogicalNode *node;
    TRY(bind_node(binder, LOGICAL_WRITE, 0, input, &node));
    node->write = kind;
    node->write_catalog = out->catalog;
    node->write_schema = table->schema;
    node->write_name = table->name;
    node->write_table = table;
    node->nwrite_columns = ncolumns;
    node->write_columns = columns;
    node->if_not_exists = out->ast->if_not_exists;
    if (kind == TRIB_WRITE_UPDATE || kind == TRIB_WRITE_DELETE) node->nwrite_keys = table->nrow_key;
    binder->plan->root = node;
    out->kind = BOUND_WRITE;
    out->plan = binder->plan;
    return TRIB_OK;
}

Status bind_target_rows(Binder *binder, const AstName *alias, TableRef *ref, Bound *out) {
    table_retain(ref);
    *out = (Bound){0};
    TRY(bind_scan(binder, ref, NULL, out));
    out->node->for_update = true;
    if (alias->text.len == 0) return TRIB_OK;
    Str *name;
    TRY_ALLOC(name, ARENA_NEW(binder->arena, Str), binder->err);
    *name = alias->text;
    for (uint32_t i = 0; i < out->scope.count; i++) {
        out->scope.columns[i].qualifiers = name;
        out->scope.columns[i].nqualifiers = 1;
    }
    scope_renamed(binder, &out->scope);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- columns */

Status bind_target_column(Binder *binder, const TribTable *table, const AstName *name,
                          uint32_t *out) {
    for (*out = 0; *out < table->ncolumns; (*out)++) {
        if (str_equal_fold(str_from(table->columns[*out].name), name->text)) return TRIB_OK;
    }
    return error_set_at(binder->err, ERR_COLUMN_NOT_FOUND, name->at.line, name->at.column,
                        "table %s.%s has no column '" STR_FORMAT "'", table->schema, table->name,
                        STR_ARGS(name->text));
}

static Status named_column(Binder *binder, const TribTable *table, const AstName *name,
                           const char *how, uint32_t count, uint32_t *columns) {
    TRY(bind_target_column(binder, table, name, &columns[count]));
    for (uint32_t i = 0; i < count; i++) {
        if (columns[i] != columns[count]) continue;
        return error_set_at(binder->err, ERR_SYNTAX, name->at.line, name->at.column,
                            "column '" STR_FORMAT "' is %s twice", STR_ARGS(name->text), how);
    }
    return TRIB_OK;
}

Status bind_insert_columns(Binder *binder, uint32_t nnames, const AstName *names,
                           const TribTable *table, uint32_t *count, uint32_t **out) {
    uint32_t room = nnames ? nnames : table->ncolumns;
    *count = 0;
    TRY_ALLOC(*out, ARENA_ARRAY(binder->arena, uint32_t, room), binder->err);
    for (; *count < nnames; (*count)++)
        TRY(named_column(binder, table, &names[*count], "given", *count, *out));
    for (uint32_t i = 0; nnames == 0 && i < table->ncolumns; i++) {
        if (!table->columns[i].hidden) (*out)[(*count)++] = i;
    }
    return TRIB_OK;
}

Status bind_assigned_columns(Binder *binder, const TribTable *table, uint32_t count,
                             const AstAssignment *assignments, uint32_t *columns) {
    for (uint32_t i = 0; i < count; i++)
        TRY(named_column(binder, table, &assignments[i].column, "assigned", i, columns));
    return TRIB_OK;
}

/* ---------------------------------------------------------------- values */

/* Text takes and gives any value that is written as a text, a number 0 or 1 is a bit, and fractions of seconds are
 * rounded: every database does that for an INSERT, and programs written for any of them rely on it. So they do on
 * CURRENT_TIMESTAMP and CURRENT_TIME, which have a zone: where the column has none, the wall clock stays. Whether
 * a text is such a value is seen at the row (22018, 22007). The time of day is never dropped. */
static bool assignable(Type from, Type to) {
    if (type_coercible(from, to)) return true;
    if (type_is_nested(from) || type_is_nested(to)) return false;
    bool numbers = type_is_numeric(from) || from.id == TRIB_TYPE_BOOLEAN;
    if (numbers && (type_is_numeric(to) || to.id == TRIB_TYPE_BOOLEAN)) return true;
    if (from.id == to.id && (to.id == TRIB_TYPE_TIME || to.id == TRIB_TYPE_TIMESTAMP)) return true;
    if (from.id == TRIB_TYPE_TIME_TZ && to.id == TRIB_TYPE_TIME) return true;
    if (from.id == TRIB_TYPE_TIMESTAMP_TZ && to.id == TRIB_TYPE_TIMESTAMP) return true;
    return (type_is_text(from) || type_is_text(to)) && type_castable(from, to);
}

bool type_stored_checked(Type from, Type to) {
    return from.id == TRIB_TYPE_DOUBLE && to.id == TRIB_TYPE_REAL;
}

Expr *expr_stored(Arena *arena, Expr *value, Type type) {
    ResolvedFunction f = {.function = &function_stored_real, .args = &value->type, .result = type};
    return type_stored_checked(value->type, type) ? expr_call(arena, &f, 1, &value)
                                                  : expr_cast(arena, value, type, false);
}

Status bind_stored(Binder *binder, AstPosition at, const TribColumn *target, Expr *value,
                   Expr **out) {
    if (value->kind != EXPR_PARAMETER && !assignable(value->type, target->type)) {
        return error_set_at(binder->err, ERR_SYNTAX, at.line, at.column,
                            "column '%s' is of type %s; a value of type %s cannot be stored in it",
                            target->name, type_id_name((TypeId)target->type.id),
                            type_id_name((TypeId)value->type.id));
    }
    /* CAST would cut a text that is too long; the operator that writes refuses it instead */
    Type type = target->type;
    bool marker = value->kind == EXPR_PARAMETER && value->type.id == TRIB_TYPE_UNKNOWN;
    if (type_is_text(type)) type.length = 0;
    if (type_stored_checked(value->type, type))
        TRY_ALLOC(*out, expr_stored(binder->arena, value, type), binder->err);
    else
        TRY(bind_coerce(binder, value, type, out));
    if (marker && type_is_text(type) && target->type.length > 0) /* what SQLDescribeParam reports */
        binder->plan->parameter_types[value->as.slot] = type_varchar(target->type.length);
    if (*out != value && (*out)->line == 0) {
        (*out)->line = at.line;
        (*out)->column = at.column;
    }
    return TRIB_OK;
}

bool bind_is_default(const AstExpr *e) {
    return e->kind == AST_DEFAULT;
}

Status bind_host_defaults(Binder *binder, Catalog *catalog, bool *answer) {
    Source *source;
    TRY(catalog_source(catalog, &source, binder->err));
    *answer = (source_connector(source)->flags & TRIB_HOST_DEFAULTS) != 0;
    return TRIB_OK;
}

/* Does it mean the same in every dialect? */
static bool is_plain_literal(const AstExpr *e) {
    if (e->kind == AST_UNARY && e->op == TRIB_FN_negate) e = e->args[0];
    return e->kind == AST_NULL || e->kind == AST_INTEGER || e->kind == AST_DECIMAL ||
           e->kind == AST_DOUBLE || e->kind == AST_STRING || e->kind == AST_BINARY;
}

static Status default_unknown(Binder *binder, const TribColumn *column, AstPosition at) {
    return error_set_at(binder->err, ERR_UNSUPPORTED, at.line, at.column,
                        "DEFAULT as a value of column '%s' is not supported here: its source "
                        "computes it (%s)",
                        column->name, column->default_sql);
}

/* A source that has no literals of a type writes its values as text: '-1.50', '2024-01-31'. */
static Status default_cast(Binder *binder, const TribColumn *column, AstExpr **literal) {
    Buf type;
    AstExpr *cast, **args;
    buf_init(&type, binder->arena, 1 << 16);
    type_print(&type, column->type);
    TRY(buf_status(&type, binder->err));
    TRY_ALLOC(cast, ARENA_NEW(binder->arena, AstExpr), binder->err);
    TRY_ALLOC(args, ARENA_NEW(binder->arena, AstExpr *), binder->err);
    args[0] = *literal;
    *cast = (AstExpr){.kind = AST_CAST,
                      .at = (*literal)->at,
                      .nargs = 1,
                      .args = args,
                      .type_text = buf_view(&type)};
    *literal = cast;
    return TRIB_OK;
}

Status bind_default_tree(Binder *binder, const TribColumn *column, bool host, AstPosition at,
                         AstExpr **out) {
    Buf text;
    AstStatement *ast;
    if (!column->default_sql) {
        TRY_ALLOC(*out, ARENA_NEW(binder->arena, AstExpr), binder->err);
        **out = (AstExpr){.kind = AST_NULL, .at = at};
        return TRIB_OK;
    }
    buf_init(&text, binder->arena, 1 << 20);
    buf_printf(&text, "VALUES (%s)", column->default_sql);
    TRY(buf_status(&text, binder->err));
    Status status = sql_parse_at(binder->arena, buf_view(&text), at, &ast, binder->err);
    if (status == TRIB_MEMORY || (status != TRIB_OK && host)) return status;
    bool plain = status == TRIB_OK && ast->kind == AST_QUERY && ast->nparameters == 0 &&
                 ast->query->body->kind == AST_BODY_VALUES && ast->query->body->nrows == 1 &&
                 ast->query->body->rows[0].count == 1;
    *out = plain ? ast->query->body->rows[0].items[0] : NULL;
    if (!plain || (!host && !is_plain_literal(*out))) return default_unknown(binder, column, at);
    bool spelled = !host && (*out)->kind == AST_STRING && !type_is_text(column->type);
    return spelled ? default_cast(binder, column, out) : TRIB_OK;
}

Status bind_default(Binder *binder, const TribColumn *column, bool host, AstPosition at,
                    Expr **out) {
    ExprScope scope = {.clause = "DEFAULT"};
    AstExpr *tree;
    Expr *e;
    TRY(bind_default_tree(binder, column, host, at, &tree));
    TRY(bind_expr(binder, &scope, tree, &e));
    return bind_stored(binder, at, column, e, out);
}

Status bind_carry_defaults(Binder *binder, const TribTable *table, uint32_t given, uint32_t *n,
                           uint32_t **columns) {
    uint32_t *all, count = given;
    TRY_ALLOC(all, ARENA_ARRAY(binder->arena, uint32_t, table->ncolumns + given), binder->err);
    if (given) memcpy(all, *columns, given * sizeof *all);
    for (uint32_t c = 0; c < table->ncolumns; c++) {
        bool there = table->columns[c].hidden || table->identity == c + 1;
        for (uint32_t i = 0; i < given && !there; i++) there = all[i] == c;
        if (!there) all[count++] = c;
    }
    *n = count;
    *columns = all;
    return TRIB_OK;
}

Status bind_assigned(Binder *binder, const ExprScope *scope, bool host, const TribColumn *column,
                     const AstAssignment *assignment, Expr **out) {
    const AstExpr *value = assignment->value;
    Expr *e;
    if (bind_is_default(value)) return bind_default(binder, column, host, value->at, out);
    TRY(bind_expr(binder, scope, value, &e));
    return bind_stored(binder, value->at, column, e, out);
}
