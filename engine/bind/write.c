/*
 * write.c - CREATE TABLE AS, INSERT, UPDATE, DELETE.
 *
 * UPDATE and DELETE are plans that read the target, with the row key and the new values as output; whether the
 * source does them alone is decided when they are executed. MERGE is in merge.c, what becomes of values in stored.c.
 */
#include "engine/bind/write.h"

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

/* ---------------------------------------------------------------- CREATE TABLE AS */

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
    return bind_write_node(binder, out, input, TRIB_WRITE_CREATE, table, n, columns);
}

/* ---------------------------------------------------------------- INSERT */

/* Where the value of column `i` of the rows stands: in VALUES, in the select list, or the statement. */
static AstPosition value_place(const AstStatement *ast, const AstQuery *query, uint32_t i) {
    const AstBody *body = query->body;
    if (body->kind == AST_BODY_VALUES) {
        for (uint32_t r = 0; r < body->nrows; r++) {
            const AstExprList *row = &body->rows[r];
            bool plain = i < row->count && row->items[i]->kind == AST_NULL;
            if (i < row->count && (!plain || r + 1 == body->nrows)) return row->items[i]->at;
        }
    }
    if (body->kind != AST_BODY_SELECT) return ast->at;
    const AstSelect *select = body->select;
    for (uint32_t k = 0; k < select->nitems; k++)
        if (select->items[k].expr->kind == AST_STAR) return ast->at;
    return i < select->nitems ? select->items[i].expr->at : ast->at;
}

/* Several rows of VALUES: each value becomes its column's type where it stands, so that errors say where. */
static Status convert_values(Binder *binder, const AstBody *body, const TribTable *table,
                             LogicalNode *values, uint32_t n, const uint32_t *columns) {
    if (values->kind != LOGICAL_VALUES || body->kind != AST_BODY_VALUES || values->nrows < 2)
        return TRIB_OK;
    for (uint32_t i = 0; i < n && i < values->noutput; i++) {
        PlanColumn *column = &binder->plan->columns.columns[values->output[i]];
        for (uint32_t r = 0; r < values->nrows; r++) {
            Expr **value = &values->value_rows[r][i];
            TRY(bind_stored(binder, body->rows[r].items[i]->at, &table->columns[columns[i]], *value,
                            value));
        }
        column->type = values->value_rows[0][i]->type;
        for (uint32_t r = 1; r < values->nrows; r++)
            if (!type_equal(column->type, values->value_rows[r][i]->type))
                TRY_ALLOC(values->value_rows[r][i],
                          expr_cast(binder->arena, values->value_rows[r][i], column->type, false),
                          binder->err);
    }
    return TRIB_OK;
}

/* The query's columns as the target's types, then the defaults of the columns that it does not give. */
static Status convert_rows(Binder *binder, const AstStatement *ast, const AstQuery *rows,
                           const TribTable *table, const Bound *query, uint32_t n,
                           const uint32_t *columns, LogicalNode **out) {
    LogicalNode *node;
    TRY(bind_node(binder, LOGICAL_PROJECT, n, query->node, &node));
    TRY_ALLOC(node->exprs, ARENA_ARRAY(binder->arena, Expr *, n), binder->err);
    for (uint32_t i = 0; i < n; i++) {
        const TribColumn *target = &table->columns[columns[i]];
        Expr *value;
        if (i < query->scope.count) {
            TRY(bind_column(binder, query->scope.columns[i].id, &value));
            TRY(bind_stored(binder, value_place(ast, rows, i), target, value, &node->exprs[i]));
        } else {
            TRY(bind_default(binder, target, true, ast->at, &node->exprs[i]));
        }
        TRY(bind_new_column(binder, str_from(target->name), target->type, true, &node->output[i]));
    }
    *out = node;
    return TRIB_OK;
}

/* ---- DEFAULT in VALUES */

static bool any_default(const AstBody *body) {
    for (uint32_t r = 0; r < body->nrows; r++) {
        for (uint32_t c = 0; c < body->rows[r].count; c++) {
            if (bind_is_default(body->rows[r].items[c])) return true;
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
        if (row->count) memcpy(body->rows[r].items, row->items, row->count * sizeof *row->items);
    }
    return TRIB_OK;
}

/* Column c of all rows is left out. */
static void values_drop(AstBody *body, uint32_t c, uint32_t *n, uint32_t *columns) {
    for (uint32_t r = 0; r < body->nrows; r++) {
        AstExprList *row = &body->rows[r];
        memmove(&row->items[c], &row->items[c + 1], (row->count - c - 1) * sizeof *row->items);
        row->count--;
    }
    memmove(&columns[c], &columns[c + 1], (*n - c - 1) * sizeof *columns);
    (*n)--;
}

/* A column that says DEFAULT in every row is as if it were left out; in some rows only, its default is
 * written there. Changes the rows and the list of columns. */
static Status resolve_defaults(Binder *binder, const TribTable *table, bool host, AstBody *body,
                               uint32_t *n, uint32_t *columns) {
    for (uint32_t r = 0; r < body->nrows; r++)
        if (body->rows[r].count != *n) return TRIB_OK; /* told by the count of columns */
    for (uint32_t c = 0; c < *n;) {
        uint32_t some = 0;
        for (uint32_t r = 0; r < body->nrows; r++) some += bind_is_default(body->rows[r].items[c]);
        if (some > 0 && some == body->nrows) {
            values_drop(body, c, n, columns);
            continue;
        }
        for (uint32_t r = 0; r < body->nrows && some; r++) {
            AstExpr **item = &body->rows[r].items[c];
            if (bind_is_default(*item))
                TRY(bind_default_tree(binder, &table->columns[columns[c]], host, (*item)->at,
                                      item));
        }
        c++;
    }
    return TRIB_OK;
}

/* Rows that are nothing but DEFAULT: one column is carried whose default is known. */
static Status carry_one(Binder *binder, const AstStatement *ast, const TribTable *table,
                        AstBody *body, uint32_t *n, uint32_t **columns) {
    AstExpr *tree = NULL;
    uint32_t c = 0;
    for (; c < table->ncolumns; c++) {
        if (table->columns[c].hidden) continue;
        Status status = bind_default_tree(binder, &table->columns[c], false, ast->at, &tree);
        if (status == TRIB_OK) break;
        if (status == TRIB_MEMORY) return status;
    }
    if (c == table->ncolumns)
        return bind_unsupported(binder, ast->at,
                                "a row of nothing but DEFAULT whose values the source computes");
    for (uint32_t r = 0; r < body->nrows; r++) {
        TRY_ALLOC(body->rows[r].items, ARENA_NEW(binder->arena, AstExpr *), binder->err);
        body->rows[r].items[0] = tree;
        body->rows[r].count = 1;
    }
    TRY_ALLOC(*columns, ARENA_NEW(binder->arena, uint32_t), binder->err);
    **columns = c;
    *n = 1;
    return TRIB_OK;
}

/* VALUES with DEFAULT in it, and DEFAULT VALUES, as rows without. */
static Status values_without_defaults(Binder *binder, const AstStatement *ast,
                                      const TribTable *table, bool host, AstQuery **query,
                                      uint32_t *n, uint32_t **columns) {
    if ((*query)->body->kind != AST_BODY_VALUES) return TRIB_OK;
    if (!ast->default_values && !any_default((*query)->body)) return TRIB_OK;
    TRY(copy_values(binder, *query, query));
    AstBody *body = (*query)->body;
    if (ast->default_values) *n = 0;
    TRY(resolve_defaults(binder, table, host, body, n, *columns));
    return *n == 0 && !host ? carry_one(binder, ast, table, body, n, columns) : TRIB_OK;
}

/* A marker takes its column's type, unless its value is known to be too large for that. */
static bool takes_type(const Expr *e, Type type) {
    return e->kind == EXPR_PARAMETER && !type_stored_checked(e->type, type);
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
        Type type = table->columns[columns[i]].type;
        for (uint32_t r = 0; r < values->nrows; r++)
            only_parameters &= takes_type(values->value_rows[r][i], type);
        if (!only_parameters) continue;
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
    TRY(bind_writable(binder, out->catalog, ast->at));
    const TribTable *table = &ref->table;
    Bound query;
    uint32_t n, *columns;
    bool host;
    AstQuery *rows_query = ast->query;
    LogicalNode *rows;
    TRY(bind_host_defaults(binder, out->catalog, &host));
    TRY(bind_insert_columns(binder, ast->nnames, ast->names, table, &n, &columns));
    TRY(values_without_defaults(binder, ast, table, host, &rows_query, &n, &columns));
    TRY(bind_query(binder, rows_query, NULL, NULL, &query));
    if (query.scope.count != n) {
        return error_set_at(binder->err, ERR_COLUMN_COUNT, ast->at.line, ast->at.column,
                            "%u columns are to be written, the rows have %u", n, query.scope.count);
    }
    TRY(type_value_parameters(binder, &query, table, n, columns));
    TRY(convert_values(binder, rows_query->body, table, query.node, n, columns));
    if (host) TRY(bind_carry_defaults(binder, table, n, &n, &columns));
    TRY(convert_rows(binder, ast, rows_query, table, &query, n, columns, &rows));
    return bind_write_node(binder, out, rows, TRIB_WRITE_INSERT, (TribTable *)table, n, columns);
}

/* ---------------------------------------------------------------- UPDATE, DELETE */

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
    TRY(bind_assigned_columns(binder, table, ast->nassignments, ast->assignments, columns + nkeys));
    for (uint32_t a = 0; a < ast->nassignments; a++)
        TRY(bind_assigned(binder, &scope, host, &table->columns[columns[nkeys + a]],
                          &ast->assignments[a], &node->exprs[nkeys + a]));
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
    TRY(bind_writable(binder, out->catalog, ast->at));
    const TribTable *table = &ref->table;
    uint32_t n = table->nrow_key + ast->nassignments, *columns;
    bool host;
    Bound rows;
    LogicalNode *node;
    TRY_ALLOC(columns, ARENA_ARRAY(binder->arena, uint32_t, n), binder->err);
    TRY(bind_host_defaults(binder, out->catalog, &host));
    TRY(bind_target_rows(binder, &ast->alias, ref, &rows));
    if (ast->where) {
        ExprScope scope = {.scope = &rows.scope, .clause = "WHERE"};
        Expr *condition;
        TRY(bind_condition(binder, &scope, ast->where, &condition));
        TRY(bind_filter(binder, rows.node, condition, &rows.node));
    }
    TRY(changed_rows(binder, ast, table, host, &rows, columns, &node));
    TribWriteKind kind = ast->kind == AST_UPDATE ? TRIB_WRITE_UPDATE : TRIB_WRITE_DELETE;
    return bind_write_node(binder, out, node, kind, (TribTable *)table, n, columns);
}

Status bind_write(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    if (ast->kind == AST_INSERT) return bind_insert(binder, ast, out);
    if (ast->kind == AST_MERGE) return bind_merge(binder, ast, out);
    if (ast->kind == AST_UPDATE || ast->kind == AST_DELETE) return bind_change(binder, ast, out);
    TRY(bind_target(binder, ast, out));
    TRY(bind_writable(binder, out->catalog, ast->at));
    return bind_create_as(binder, ast, out);
}
