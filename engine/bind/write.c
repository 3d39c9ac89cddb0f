/*
 * write.c - CREATE TABLE AS, INSERT, UPDATE, DELETE.
 *
 * UPDATE and DELETE are plans that read the target, with the row key and the new values as output; whether the
 * source does them alone is decided when they are executed. Rows are stored as the target's types: a value converts without being asked, or between numbers, or
 * between texts, with an error at the row that does not fit.
 */
#include "engine/bind/scope.h"

/* ---------------------------------------------------------------- definitions */

static Status table_new(Binder *binder, const BoundStatement *bound, const char *name,
                        uint32_t ncolumns, TribTable **out, TribColumn **columns) {
    TribTable *table;
    TRY_ALLOC(table, ARENA_NEW(binder->arena, TribTable), binder->err);
    TRY_ALLOC(*columns, ARENA_ARRAY(binder->arena, TribColumn, ncolumns), binder->err);
    *table = (TribTable){.size = sizeof *table,
                         .schema = bound->schema,
                         .name = name,
                         .ncolumns = ncolumns,
                         .columns = *columns,
                         .rows = -1,
                         .writable = true};
    *out = table;
    return TRIB_OK;
}

static Status column_define(Binder *binder, TribColumn *column, Str name, Type type, bool nullable,
                            AstPosition at) {
    *column = (TribColumn){.type = type, .nullable = nullable, .distinct = -1, .null_fraction = -1};
    if (type.id == TRIB_TYPE_UNKNOWN) {
        return error_set_at(binder->err, ERR_SYNTAX, at.line, at.column,
                            "column '" STR_FORMAT "' has no type; cast it", STR_ARGS(name));
    }
    TRY_ALLOC(column->name, str_dup(binder->arena, name), binder->err);
    return TRIB_OK;
}

static Status check_duplicates(Binder *binder, const TribTable *table, AstPosition at) {
    for (uint32_t i = 0; i < table->ncolumns; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (!str_equal_fold(str_from(table->columns[i].name), str_from(table->columns[j].name)))
                continue;
            return error_set_at(binder->err, ERR_COLUMN_EXISTS, at.line, at.column,
                                "column '%s' is given twice", table->columns[i].name);
        }
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows into a table */

static Status writable(Binder *binder, const BoundStatement *bound, AstPosition at) {
    Source *source;
    TRY(catalog_source(bound->catalog, &source, binder->err));
    if (source_connector(source)->write_open) return TRIB_OK;
    error_set_at(binder->err, ERR_UNSUPPORTED, at.line, at.column,
                 "catalog '%s' (%s) cannot be written to", catalog_name(bound->catalog),
                 catalog_type(bound->catalog));
    return error_source(binder->err, catalog_name(bound->catalog));
}

static Status write_node(Binder *binder, BoundStatement *out, LogicalNode *input,
                         TribWriteKind kind, TribTable *table, uint32_t ncolumns,
                         uint32_t *columns) {
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

static Status all_columns(Binder *binder, uint32_t n, uint32_t **out) {
    TRY_ALLOC(*out, ARENA_ARRAY(binder->arena, uint32_t, n), binder->err);
    for (uint32_t i = 0; i < n; i++) (*out)[i] = i;
    return TRIB_OK;
}

static Status bind_create_as(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    Bound query;
    TRY(bind_query(binder, ast->query, NULL, NULL, &query));
    uint32_t n = query.scope.count, *columns;
    if (ast->nnames && ast->nnames != n) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "%u column names are given for %u columns", ast->nnames, n);
    }
    TribTable *table;
    TribColumn *defs;
    TRY(table_new(binder, out, out->name, n, &table, &defs));
    for (uint32_t i = 0; i < n; i++) {
        const PlanColumn *c = plan_column(&binder->plan->columns, query.scope.columns[i].id);
        Str name = ast->nnames ? ast->names[i].text : query.scope.columns[i].name;
        TRY(column_define(binder, &defs[i], name, c->type, true, ast->at));
    }
    TRY(check_duplicates(binder, table, ast->at));
    TRY(all_columns(binder, n, &columns));
    LogicalNode *input = query.node;
    if (ast->with_no_data) {
        TRY(bind_node_same(binder, LOGICAL_LIMIT, input, &input));
        Value zero = {.type = TYPE(BIGINT)};
        TRY_ALLOC(input->limit, expr_constant(binder->arena, zero), binder->err);
    }
    return write_node(binder, out, input, TRIB_WRITE_CREATE, table, n, columns);
}

static bool assignable(Type from, Type to) {
    if (type_coercible(from, to)) return true;
    if (type_is_numeric(from) && type_is_numeric(to)) return true;
    return type_is_text(from) && type_is_text(to);
}

static Status shown_columns(Binder *binder, const TribTable *table, uint32_t *count,
                            uint32_t **out) {
    *count = 0;
    TRY_ALLOC(*out, ARENA_ARRAY(binder->arena, uint32_t, table->ncolumns), binder->err);
    for (uint32_t i = 0; i < table->ncolumns; i++) {
        if (!table->columns[i].hidden) (*out)[(*count)++] = i;
    }
    return TRIB_OK;
}

static Status target_column(Binder *binder, const TribTable *table, const AstName *name,
                            uint32_t *out) {
    for (*out = 0; *out < table->ncolumns; (*out)++) {
        if (str_equal_fold(str_from(table->columns[*out].name), name->text)) return TRIB_OK;
    }
    return error_set_at(binder->err, ERR_COLUMN_NOT_FOUND, name->at.line, name->at.column,
                        "table %s.%s has no column '" STR_FORMAT "'", table->schema, table->name,
                        STR_ARGS(name->text));
}

static Status insert_columns(Binder *binder, const AstStatement *ast, const TribTable *table,
                             uint32_t *count, uint32_t **out) {
    if (ast->nnames == 0) return shown_columns(binder, table, count, out);
    *count = ast->nnames;
    TRY_ALLOC(*out, ARENA_ARRAY(binder->arena, uint32_t, ast->nnames), binder->err);
    for (uint32_t i = 0; i < ast->nnames; i++) {
        uint32_t c;
        TRY(target_column(binder, table, &ast->names[i], &c));
        for (uint32_t j = 0; j < i; j++) {
            if ((*out)[j] == c) {
                return error_set_at(
                    binder->err, ERR_SYNTAX, ast->names[i].at.line, ast->names[i].at.column,
                    "column '" STR_FORMAT "' is given twice", STR_ARGS(ast->names[i].text));
            }
        }
        (*out)[i] = c;
    }
    return TRIB_OK;
}

/* A value as the target column's type. */
static Status convert_value(Binder *binder, AstPosition at, const TribColumn *target, Expr *value,
                            Expr **out) {
    if (value->kind != EXPR_PARAMETER && !assignable(value->type, target->type)) {
        return error_set_at(binder->err, ERR_SYNTAX, at.line, at.column,
                            "column '%s' is of type %s; a value of type %s cannot be stored in it",
                            target->name, type_id_name((TypeId)target->type.id),
                            type_id_name((TypeId)value->type.id));
    }
    /* CAST would cut a text that is too long; op_write refuses it instead */
    Type type = target->type;
    if (type.id == TRIB_TYPE_VARCHAR && type_is_text(value->type)) type.length = 0;
    return bind_coerce(binder, value, type, out);
}

/* The DEFAULT of a column that the engine has to compute; NULL for a column without one. */
static Status default_value(Binder *binder, const TribColumn *column, AstPosition at, Expr **out) {
    Buf text;
    AstStatement *ast;
    if (!column->default_sql) {
        Value null = {.type = column->type, .is_null = true};
        TRY_ALLOC(*out, expr_constant(binder->arena, null), binder->err);
        return TRIB_OK;
    }
    buf_init(&text, binder->arena, 1 << 20);
    buf_printf(&text, "VALUES (%s)", column->default_sql);
    TRY(buf_status(&text, binder->err));
    TRY(sql_parse_at(binder->arena, buf_view(&text), at, &ast, binder->err));
    bool plain = ast->kind == AST_QUERY && ast->query->body->kind == AST_BODY_VALUES &&
                 ast->nparameters == 0;
    if (!plain) return bind_unsupported(binder, at, "the DEFAULT of this column");
    ExprScope scope = {.clause = "DEFAULT"};
    Expr *e;
    TRY(bind_expr(binder, &scope, ast->query->body->rows[0].items[0], &e));
    return convert_value(binder, at, column, e, out);
}

/* Does the engine compute what is left out in this catalog's tables? */
static Status host_defaults(Binder *binder, const BoundStatement *out, bool *answer) {
    Source *source;
    TRY(catalog_source(out->catalog, &source, binder->err));
    *answer = (source_connector(source)->flags & TRIB_HOST_DEFAULTS) != 0;
    return TRIB_OK;
}

/* What an INSERT into such a table leaves out is carried, too: all columns that are not hidden. */
static Status carry_defaults(Binder *binder, const TribTable *table, uint32_t given, uint32_t *n,
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

/* The query's columns as the target's types, then the defaults of the columns that it does not give. */
static Status convert_rows(Binder *binder, const AstStatement *ast, const TribTable *table,
                           const Bound *query, uint32_t n, const uint32_t *columns,
                           LogicalNode **out) {
    LogicalNode *node;
    TRY(bind_node(binder, LOGICAL_PROJECT, n, query->node, &node));
    TRY_ALLOC(node->exprs, ARENA_ARRAY(binder->arena, Expr *, n), binder->err);
    for (uint32_t i = 0; i < n; i++) {
        const TribColumn *target = &table->columns[columns[i]];
        Expr *value;
        if (i < query->scope.count) {
            TRY(bind_column(binder, query->scope.columns[i].id, &value));
            TRY(convert_value(binder, ast->at, target, value, &node->exprs[i]));
        } else {
            TRY(default_value(binder, target, ast->at, &node->exprs[i]));
        }
        TRY(bind_new_column(binder, str_from(target->name), target->type, true, &node->output[i]));
    }
    *out = node;
    return TRIB_OK;
}

/* ---- DEFAULT in VALUES */

static bool is_default(const AstExpr *e) {
    return e->kind == AST_DEFAULT;
}

static bool values_of(const AstQuery *query, const AstBody **out) {
    *out = query->body;
    return query->body->kind == AST_BODY_VALUES;
}

static bool any_default(const AstBody *body) {
    for (uint32_t r = 0; r < body->nrows; r++) {
        for (uint32_t c = 0; c < body->rows[r].count; c++) {
            if (is_default(body->rows[r].items[c])) return true;
        }
    }
    return false;
}

/* A copy of a query that is VALUES, whose rows may be changed: the tree is bound again with other types. */
static Status copy_values(Binder *binder, const AstQuery *query, AstQuery **out) {
    const AstBody *from = query->body;
    TRY_ALLOC(*out, ARENA_NEW(binder->arena, AstQuery), binder->err);
    **out = *query;
    TRY_ALLOC((*out)->body, ARENA_NEW(binder->arena, AstBody), binder->err);
    AstBody *body = (*out)->body;
    *body = *from;
    TRY_ALLOC(body->rows, ARENA_ARRAY(binder->arena, AstExprList, from->nrows), binder->err);
    for (uint32_t r = 0; r < from->nrows; r++) {
        const AstExprList *row = &from->rows[r];
        body->rows[r].count = row->count;
        TRY_ALLOC(body->rows[r].items, ARENA_ARRAY(binder->arena, AstExpr *, row->count),
                  binder->err);
        memcpy(body->rows[r].items, row->items, row->count * sizeof *row->items);
    }
    return TRIB_OK;
}

/* A column that says DEFAULT in every row is as if it were left out; in some rows only: refused, unless the
 * column's default is known to be NULL. Rewrites the rows and the list of columns. */
static Status drop_defaults(Binder *binder, const TribTable *table, AstBody *body, uint32_t *n,
                            uint32_t *columns) {
    for (uint32_t c = 0; c < *n;) {
        uint32_t some = 0;
        const AstExpr *first = NULL;
        for (uint32_t r = 0; r < body->nrows; r++) {
            if (body->rows[r].count != *n) return TRIB_OK; /* told by the count of columns */
            if (!is_default(body->rows[r].items[c])) continue;
            first = body->rows[r].items[c];
            some++;
        }
        if (some == 0) {
            c++;
            continue;
        }
        if (some < body->nrows)
            return bind_unsupported(binder, first->at,
                                    "DEFAULT in some rows and values in others of one column");
        for (uint32_t r = 0; r < body->nrows; r++) {
            AstExprList *row = &body->rows[r];
            memmove(&row->items[c], &row->items[c + 1], (row->count - c - 1) * sizeof *row->items);
            row->count--;
        }
        memmove(&columns[c], &columns[c + 1], (*n - c - 1) * sizeof *columns);
        (*n)--;
    }
    if (*n > 0) return TRIB_OK;
    return error_set(binder->err, ERR_UNSUPPORTED,
                     "a row of %s.%s that is DEFAULT alone is not supported", table->schema,
                     table->name);
}

/* INSERT ... VALUES (?, ?) and INSERT ... SELECT ?: parameters take the types of the columns that they go into. */
static Status type_value_parameters(Binder *binder, const Bound *query, const TribTable *table,
                                    uint32_t n, const uint32_t *columns) {
    LogicalNode *values = query->node;
    for (uint32_t i = 0; i < n; i++)
        bind_adopt(binder, values, query->scope.columns[i].id, table->columns[columns[i]].type);
    if (values->kind != LOGICAL_VALUES) return TRIB_OK;
    for (uint32_t i = 0; i < n && i < values->noutput; i++) {
        bool only_parameters = true;
        for (uint32_t r = 0; r < values->nrows; r++)
            only_parameters &= values->value_rows[r][i]->kind == EXPR_PARAMETER;
        if (!only_parameters) continue;
        Type type = table->columns[columns[i]].type;
        binder->plan->columns.columns[values->output[i]].type = type;
        for (uint32_t r = 0; r < values->nrows; r++) {
            Expr *e = values->value_rows[r][i];
            e->type = type;
            binder->plan->parameter_types[e->as.slot] = type;
            binder->plan->parameter_inferred[e->as.slot] = true;
        }
    }
    return TRIB_OK;
}

static Status bind_insert(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    TableRef *ref;
    TRY(bind_existing(binder, &ast->name, out, &ref));
    TRY(writable(binder, out, ast->at));
    const TribTable *table = &ref->table;
    Bound query;
    uint32_t n, *columns;
    const AstBody *values;
    bool host;
    TRY(host_defaults(binder, out, &host));
    TRY(insert_columns(binder, ast, table, &n, &columns));
    AstQuery *rows_query = ast->query;
    if (values_of(ast->query, &values) && any_default(values)) {
        TRY(copy_values(binder, ast->query, &rows_query));
        TRY(drop_defaults(binder, table, rows_query->body, &n, columns));
    }
    TRY(bind_query(binder, rows_query, NULL, NULL, &query));
    if (query.scope.count != n) {
        return error_set_at(binder->err, ERR_COLUMN_COUNT, ast->at.line, ast->at.column,
                            "%u columns are to be written, the rows have %u", n, query.scope.count);
    }
    TRY(type_value_parameters(binder, &query, table, n, columns));
    if (host) TRY(carry_defaults(binder, table, n, &n, &columns));
    LogicalNode *rows;
    TRY(convert_rows(binder, ast, table, &query, n, columns, &rows));
    return write_node(binder, out, rows, TRIB_WRITE_INSERT, (TribTable *)table, n, columns);
}

/* ---------------------------------------------------------------- UPDATE, DELETE */

/* The target as a relation, with WHERE above it. */
static Status bind_rows_of(Binder *binder, const AstStatement *ast, TableRef *ref, Bound *out) {
    table_retain(ref);
    *out = (Bound){0};
    TRY(bind_scan(binder, ref, NULL, out));
    out->node->for_update = true;
    if (ast->alias.text.len) {
        Str *alias;
        TRY_ALLOC(alias, ARENA_NEW(binder->arena, Str), binder->err);
        *alias = ast->alias.text;
        for (uint32_t i = 0; i < out->scope.count; i++) {
            out->scope.columns[i].qualifiers = alias;
            out->scope.columns[i].nqualifiers = 1;
        }
        scope_renamed(binder, &out->scope);
    }
    if (!ast->where) return TRIB_OK;
    ExprScope scope = {.scope = &out->scope, .clause = "WHERE"};
    Expr *condition;
    TRY(bind_condition(binder, &scope, ast->where, &condition));
    return bind_filter(binder, out->node, condition, &out->node);
}

static Status assigned_value(Binder *binder, const ExprScope *scope, bool host,
                             const TribColumn *column, const AstAssignment *assignment,
                             Expr **out) {
    const AstExpr *value = assignment->value;
    AstPosition at = assignment->column.at;
    Expr *e;
    if (is_default(value)) {
        if (host || !column->default_sql) return default_value(binder, column, at, out);
        return bind_unsupported(binder, value->at,
                                "DEFAULT as the new value of a column whose "
                                "default the source computes");
    }
    TRY(bind_expr(binder, scope, value, &e));
    return convert_value(binder, at, column, e, out);
}

/* The row key, then (UPDATE) the new values. */
static Status changed_rows(Binder *binder, const AstStatement *ast, const TribTable *table,
                           bool host, const Bound *rows, uint32_t *columns, LogicalNode **out) {
    uint32_t nkeys = table->nrow_key, n = nkeys + ast->nassignments;
    LogicalNode *node;
    ExprScope scope = {.scope = &rows->scope, .clause = "SET"};
    TRY(bind_node(binder, LOGICAL_PROJECT, n, rows->node, &node));
    TRY_ALLOC(node->exprs, ARENA_ARRAY(binder->arena, Expr *, n), binder->err);
    for (uint32_t i = 0; i < nkeys; i++) {
        columns[i] = table->row_key[i];
        TRY(bind_column(binder, rows->scope.columns[columns[i]].id, &node->exprs[i]));
    }
    for (uint32_t a = 0; a < ast->nassignments; a++) {
        const AstAssignment *assignment = &ast->assignments[a];
        uint32_t *column = &columns[nkeys + a];
        TRY(target_column(binder, table, &assignment->column, column));
        for (uint32_t j = nkeys; j < nkeys + a; j++) {
            if (columns[j] != *column) continue;
            return error_set_at(
                binder->err, ERR_SYNTAX, assignment->column.at.line, assignment->column.at.column,
                "column '" STR_FORMAT "' is assigned twice", STR_ARGS(assignment->column.text));
        }
        TRY(assigned_value(binder, &scope, host, &table->columns[*column], assignment,
                           &node->exprs[nkeys + a]));
    }
    for (uint32_t i = 0; i < n; i++) {
        const TribColumn *column = &table->columns[columns[i]];
        TRY(bind_new_column(binder, str_from(column->name), column->type, true, &node->output[i]));
    }
    *out = node;
    return TRIB_OK;
}

static Status bind_change(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    TableRef *ref;
    TRY(bind_existing(binder, &ast->name, out, &ref));
    TRY(writable(binder, out, ast->at));
    const TribTable *table = &ref->table;
    uint32_t n = table->nrow_key + ast->nassignments, *columns;
    bool host;
    Bound rows;
    LogicalNode *node;
    TRY_ALLOC(columns, ARENA_ARRAY(binder->arena, uint32_t, n), binder->err);
    TRY(host_defaults(binder, out, &host));
    TRY(bind_rows_of(binder, ast, ref, &rows));
    TRY(changed_rows(binder, ast, table, host, &rows, columns, &node));
    TribWriteKind kind = ast->kind == AST_UPDATE ? TRIB_WRITE_UPDATE : TRIB_WRITE_DELETE;
    return write_node(binder, out, node, kind, (TribTable *)table, n, columns);
}

Status bind_write(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    if (ast->kind == AST_INSERT) return bind_insert(binder, ast, out);
    if (ast->kind == AST_UPDATE || ast->kind == AST_DELETE) return bind_change(binder, ast, out);
    TRY(bind_target(binder, ast, out));
    TRY(writable(binder, out, ast->at));
    return bind_create_as(binder, ast, out);
}
