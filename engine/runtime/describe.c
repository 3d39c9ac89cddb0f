/*
 * describe.c - lists that tell about statements, functions and statistics: DESCRIBE INPUT and OUTPUT, SHOW
 * FUNCTIONS, SHOW STATS, SHOW CREATE TABLE; what a statement is called. The columns of each are made in bind/show.c, in the same order.
 */
#include <stdlib.h>

#include "engine/plan/estimate.h"
#include "engine/runtime/session.h"

#define LIST_TEXT_MAX ((size_t)64 << 20)

static Value null_value(Type type) {
    return (Value){.type = type, .is_null = true};
}

static Value text_value(Str text) {
    Value value = {.type = type_varchar(0)};
    value.as.text.data = text.data;
    value.as.text.length = text.len;
    return value;
}

static Value bigint_value(int64_t integer) {
    Value value = {.type = TYPE(BIGINT)};
    value.as.integer = integer;
    return value;
}

static Value boolean_value(bool boolean) {
    Value value = {.type = TYPE(BOOLEAN)};
    value.as.integer = boolean;
    return value;
}

/* A number that is not known (< 0) is NULL. */
static Value estimate_value(double estimate) {
    Value value = {.type = TYPE(DOUBLE), .is_null = estimate < 0};
    value.as.real = estimate;
    return value;
}

static Status type_text(Arena *arena, Type type, Value *out, Error *err) {
    Buf text;
    buf_init(&text, arena, LIST_TEXT_MAX);
    type_print(&text, type);
    TRY(buf_status(&text, err));
    *out = text_value(buf_view(&text));
    return TRIB_OK;
}

const char *statement_function(const Statement *self) {
    static const struct {
        AstStatementKind kind;
        const char *name;
    } names[] = {{AST_INSERT, "INSERT"},
                 {AST_UPDATE, "UPDATE WHERE"},
                 {AST_DELETE, "DELETE WHERE"},
                 {AST_MERGE, "MERGE"},
                 {AST_CREATE_TABLE, "CREATE TABLE"},
                 {AST_CREATE_TABLE_AS, "CREATE TABLE"},
                 {AST_DROP_TABLE, "DROP TABLE"},
                 {AST_ALTER_TABLE, "ALTER TABLE"},
                 {AST_CREATE_SCHEMA, "CREATE SCHEMA"},
                 {AST_DROP_SCHEMA, "DROP SCHEMA"},
                 {AST_CREATE_VIEW, "CREATE VIEW"},
                 {AST_DROP_VIEW, "DROP VIEW"},
                 {AST_COMMIT, "COMMIT WORK"},
                 {AST_ROLLBACK, "ROLLBACK WORK"}};
    if (self->kind == STATEMENT_QUERY) return "SELECT CURSOR";
    for (size_t i = 0; self->bound && i < COUNT_OF(names); i++)
        if (names[i].kind == self->bound->ast->kind) return names[i].name;
    return "";
}

/* ---------------------------------------------------------------- DESCRIBE INPUT, OUTPUT */

Status describe_input(Statement *self, const BoundStatement *bound, Error *err) {
    const BoundStatement *inner = bound->inner;
    for (uint32_t i = 0; i < inner->nparameters; i++) {
        Value row[2] = {bigint_value(i), text_value(STR("unknown"))};
        if (inner->parameter_inferred[i])
            TRY(type_text(self->run, inner->parameter_types[i], &row[1], err));
        TRY(rowset_add(self->rows, row, err));
    }
    return TRIB_OK;
}

/* Bytes of a value of fixed size, as Trino counts them; 0 for others. */
static int64_t type_size(Type type) {
    switch (type.id) {
    case TRIB_TYPE_BOOLEAN:
    case TRIB_TYPE_TINYINT: return 1;
    case TRIB_TYPE_SMALLINT: return 2;
    case TRIB_TYPE_INTEGER:
    case TRIB_TYPE_REAL:
    case TRIB_TYPE_DATE:
    case TRIB_TYPE_INTERVAL_YM: return 4;
    case TRIB_TYPE_BIGINT:
    case TRIB_TYPE_DOUBLE:
    case TRIB_TYPE_TIME:
    case TRIB_TYPE_TIME_TZ:
    case TRIB_TYPE_INTERVAL_DS: return 8;
    case TRIB_TYPE_DECIMAL: return type.precision <= 18 ? 8 : 16;
    case TRIB_TYPE_TIMESTAMP: return type.precision <= 6 ? 8 : 12;
    case TRIB_TYPE_TIMESTAMP_TZ: return type.precision <= 3 ? 8 : 12;
    case TRIB_TYPE_UUID: return 16;
    default: return 0;
    }
}

/* The select list that names the query's columns, if one item makes one column; else NULL. */
static const AstSelect *naming_select(const AstStatement *ast, uint32_t ncolumns) {
    const AstBody *body = ast->kind == AST_QUERY ? ast->query->body : NULL;
    while (body && body->kind != AST_BODY_SELECT) {
        if (body->kind == AST_BODY_SET)
            body = body->left;
        else
            body = body->kind == AST_BODY_QUERY ? body->query->body : NULL;
    }
    if (!body || body->select->nitems != ncolumns) return NULL;
    for (uint32_t i = 0; i < ncolumns; i++) {
        if (body->select->items[i].expr->kind == AST_STAR) return NULL;
    }
    return body->select;
}

static Status describe_one(Statement *self, const BoundStatement *inner, const AstSelect *select,
                           uint32_t i, Error *err) {
    ColumnInfo info = {.name = inner->labels[i]};
    if (inner->kind == BOUND_QUERY)
        statement_describe_column(inner->plan, inner->plan->root->output[i], &info);
    bool aliased = select ? select->items[i].alias.text.len > 0
                          : info.base_name.len > 0 && !str_equal(info.base_name, info.name);
    Value row[7] = {text_value(info.name),       text_value(info.catalog),
                    text_value(info.schema),     text_value(info.table),
                    null_value(type_varchar(0)), bigint_value(type_size(inner->types[i])),
                    boolean_value(aliased)};
    TRY(type_text(self->run, inner->types[i], &row[4], err));
    return rowset_add(self->rows, row, err);
}

Status describe_output(Statement *self, const BoundStatement *bound, Error *err) {
    const BoundStatement *inner = bound->inner;
    if (inner->kind == BOUND_WRITE) {
        Str none = STR("");
        Value row[7] = {text_value(STR("rows")), text_value(none),          text_value(none),
                        text_value(none),        text_value(STR("bigint")), bigint_value(8),
                        boolean_value(false)};
        return rowset_add(self->rows, row, err);
    }
    const AstSelect *select = naming_select(inner->ast, inner->ncolumns);
    for (uint32_t i = 0; i < inner->ncolumns; i++) TRY(describe_one(self, inner, select, i, err));
    return TRIB_OK;
}

/* ---------------------------------------------------------------- SHOW FUNCTIONS */

typedef struct FunctionEntry {
    Str name, signature;
    const char *kind, *help;
    bool deterministic;
    uint32_t order; /* of rows of one name: as they stand in the tables */
} FunctionEntry;

typedef struct FunctionList {
    Statement *statement;
    const AstStatement *ast;
    uint32_t count, capacity;
    FunctionEntry *entries;
} FunctionList;

static Status function_add(FunctionList *self, FunctionEntry entry, Error *err) {
    if (!list_wants(self->ast, entry.name)) return TRIB_OK;
    if (self->count == self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : 256;
        FunctionEntry *entries;
        TRY_ALLOC(entries, ARENA_ARRAY(self->statement->run, FunctionEntry, capacity), err);
        if (self->count) memcpy(entries, self->entries, self->count * sizeof *entries);
        self->entries = entries;
        self->capacity = capacity;
    }
    entry.order = self->count;
    self->entries[self->count++] = entry;
    return TRIB_OK;
}

/* A row under its name and under each of its aliases "a|b". */
static Status function_add_names(FunctionList *self, const char *aliases, FunctionEntry entry,
                                 Error *err) {
    TRY(function_add(self, entry, err));
    for (const char *at = aliases; at && *at;) {
        size_t len = strcspn(at, "|");
        entry.name = (Str){at, len};
        TRY(function_add(self, entry, err));
        at += at[len] ? len + 1 : len;
    }
    return TRIB_OK;
}

static int compare_functions(const void *a, const void *b) {
    const FunctionEntry *x = a, *y = b;
    int order = str_compare(x->name, y->name);
    return order ? order : (x->order > y->order) - (x->order < y->order);
}

static Status collect_functions(FunctionList *list, Error *err) {
    for (uint32_t i = 0; function_row(i); i++) {
        const Function *f = function_row(i);
        if (!f->name || !function_exists(str_from(f->name))) continue;
        FunctionEntry entry = {.name = str_from(f->name),
                               .signature = str_from(f->signature),
                               .kind = "scalar",
                               .help = f->help,
                               .deterministic = f->stability != STABILITY_VOLATILE};
        TRY(function_add_names(list, f->aliases, entry, err));
    }
    for (uint32_t i = 0; aggregate_row(i); i++) {
        const Aggregate *a = aggregate_row(i);
        FunctionEntry entry = {.name = str_from(a->name),
                               .signature = str_from(a->signature),
                               .kind = "aggregate",
                               .help = a->help,
                               .deterministic = true};
        TRY(function_add_names(list, a->aliases, entry, err));
    }
    for (uint32_t i = 0; window_function_row(i); i++) {
        const WindowFunction *f = window_function_row(i);
        FunctionEntry entry = {.name = str_from(f->name),
                               .signature = str_from(f->signature),
                               .kind = "window",
                               .help = f->help,
                               .deterministic = true};
        TRY(function_add_names(list, NULL, entry, err));
    }
    return TRIB_OK;
}

/* "a, b -> c" in two; a result that depends on the arguments is said so. */
static void split_signature(Str signature, Str *arguments, Str *result) {
    size_t arrow = signature.len;
    for (size_t i = 0, depth = 0; i + 1 < signature.len; i++) {
        depth += signature.data[i] == '(';
        depth -= signature.data[i] == ')';
        if (depth == 0 && signature.data[i] == '-' && signature.data[i + 1] == '>') arrow = i;
    }
    *arguments = str_trim((Str){signature.data, arrow});
    size_t behind = arrow < signature.len ? arrow + 2 : arrow;
    *result = str_trim((Str){signature.data + behind, signature.len - behind});
    if (str_equal(*result, STR("*"))) *result = STR("(depends on the arguments)");
}

Status show_functions(Statement *self, const BoundStatement *bound, Error *err) {
    if (bound->schema) return TRIB_OK; /* FROM a schema: none holds functions */
    FunctionList list = {.statement = self, .ast = bound->ast};
    TRY(collect_functions(&list, err));
    if (list.count) qsort(list.entries, list.count, sizeof *list.entries, compare_functions);
    for (uint32_t i = 0; i < list.count; i++) {
        const FunctionEntry *f = &list.entries[i];
        Str arguments, result;
        split_signature(f->signature, &arguments, &result);
        Value row[6] = {text_value(f->name),
                        text_value(result),
                        text_value(arguments),
                        text_value(str_from(f->kind)),
                        boolean_value(f->deterministic),
                        text_value(str_from(f->help ? f->help : ""))};
        TRY(rowset_add(self->rows, row, err));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- SHOW STATS */

static Status stat_bound(Arena *arena, const Value *value, Value *out, Error *err) {
    *out = null_value(type_varchar(0));
    if (value->type.id == TRIB_TYPE_UNKNOWN || value->is_null) return TRIB_OK;
    Buf text;
    buf_init(&text, arena, LIST_TEXT_MAX);
    value_text(&text, value);
    TRY(buf_status(&text, err));
    *out = text_value(buf_view(&text));
    return TRIB_OK;
}

/* The column's facts are NULL for one that is computed. */
static Status stat_column(Statement *self, Str name, const TribColumn *facts, Error *err) {
    static const TribColumn unknown = {.distinct = -1, .null_fraction = -1};
    if (!facts) facts = &unknown;
    Value row[7] = {text_value(name), null_value(TYPE(DOUBLE)), estimate_value(facts->distinct),
                    estimate_value(facts->null_fraction), null_value(TYPE(DOUBLE))};
    TRY(stat_bound(self->run, &facts->minimum, &row[5], err));
    TRY(stat_bound(self->run, &facts->maximum, &row[6], err));
    return rowset_add(self->rows, row, err);
}

static Status stat_summary(Statement *self, double rows, Error *err) {
    Value row[7];
    for (uint32_t i = 0; i < 7; i++)
        row[i] = null_value(i == 0 || i > 4 ? type_varchar(0) : TYPE(DOUBLE));
    row[4] = estimate_value(rows);
    return rowset_add(self->rows, row, err);
}

static Status stat_query(Statement *self, const BoundStatement *inner, Error *err) {
    TRY(statement_plan(self, inner, err));
    const LogicalNode *root = inner->plan->root;
    for (uint32_t i = 0; i < inner->ncolumns; i++) {
        const PlanColumn *c = plan_column(&inner->plan->columns, root->output[i]);
        const TribColumn *facts = c->table ? &c->table->table.columns[c->table_column] : NULL;
        TRY(stat_column(self, inner->labels[i], facts, err));
    }
    RowMemo memo;
    row_memo_init(&memo, self->run, &self->plan->columns);
    return stat_summary(self, row_memo_get(&memo, self->plan->root), err);
}

Status show_stats(Statement *self, const BoundStatement *bound, Error *err) {
    if (bound->inner) return stat_query(self, bound->inner, err);
    LookupContext lookup = statement_lookup(self, &self->settings);
    TableRef *ref;
    TRY(catalog_describe(&lookup, bound->catalog, bound->schema, bound->name, &ref, err));
    Status status = TRIB_OK;
    const TribTable *table = &ref->table;
    for (uint32_t i = 0; i < table->ncolumns && status == TRIB_OK; i++) {
        if (!table->columns[i].hidden)
            status = stat_column(self, str_from(table->columns[i].name), &table->columns[i], err);
    }
    if (status == TRIB_OK) status = stat_summary(self, table->rows, err);
    table_release(ref);
    return status;
}

/* ---------------------------------------------------------------- SHOW CREATE TABLE, SCHEMA */

static void print_literal(Buf *out, const char *text) {
    buf_char(out, '\'');
    for (; *text; text++) {
        if (*text == '\'') buf_char(out, '\'');
        buf_char(out, *text);
    }
    buf_char(out, '\'');
}

static void print_create_table(Buf *out, const BoundStatement *bound, const TribTable *table) {
    buf_text(out, "CREATE TABLE ");
    sql_print_name(out, str_from(catalog_name(bound->catalog)));
    buf_char(out, '.');
    sql_print_name(out, str_from(table->schema));
    buf_char(out, '.');
    sql_print_name(out, str_from(table->name));
    buf_text(out, " (\n");
    bool first = true;
    for (uint32_t i = 0; i < table->ncolumns; i++) {
        const TribColumn *c = &table->columns[i];
        if (c->hidden) continue;
        buf_text(out, first ? "   " : ",\n   ");
        first = false;
        sql_print_name(out, str_from(c->name));
        buf_char(out, ' ');
        type_print(out, c->type);
        if (!c->nullable) buf_text(out, " NOT NULL");
        if (!c->comment) continue;
        buf_text(out, " COMMENT ");
        print_literal(out, c->comment);
    }
    buf_text(out, "\n)");
    if (!table->comment) return;
    buf_text(out, "\nCOMMENT ");
    print_literal(out, table->comment);
}

static Status table_text(Statement *self, const BoundStatement *bound, const TribTable *table,
                         Error *err) {
    if (table->kind == TRIB_TABLE_VIEW) {
        error_set_at(err, ERR_TABLE_NOT_FOUND, bound->ast->at.line, bound->ast->at.column,
                     "%s.%s.%s is a view, not a table", catalog_name(bound->catalog), bound->schema,
                     bound->name);
        return error_hint(err, "SHOW CREATE VIEW shows how it is created.");
    }
    Buf text;
    buf_init(&text, self->run, LIST_TEXT_MAX);
    print_create_table(&text, bound, table);
    TRY(buf_status(&text, err));
    Value row = text_value(buf_view(&text));
    return rowset_add(self->rows, &row, err);
}

Status show_create_table(Statement *self, const BoundStatement *bound, Error *err) {
    LookupContext lookup = statement_lookup(self, &self->settings);
    TableRef *ref;
    TRY(catalog_describe(&lookup, bound->catalog, bound->schema, bound->name, &ref, err));
    Status status = table_text(self, bound, &ref->table, err);
    table_release(ref);
    return status;
}

Status show_create_schema(Statement *self, const BoundStatement *bound, Error *err) {
    Buf text;
    buf_init(&text, self->run, LIST_TEXT_MAX);
    buf_text(&text, "CREATE SCHEMA ");
    sql_print_name(&text, str_from(catalog_name(bound->catalog)));
    buf_char(&text, '.');
    sql_print_name(&text, str_from(bound->schema));
    TRY(buf_status(&text, err));
    Value row = text_value(buf_view(&text));
    return rowset_add(self->rows, &row, err);
}
