/*
 * commands.c - statements that are carried out from the syntax tree: USE, SET SESSION, CREATE and DROP
 * of tables and schemas, and what SHOW and DESCRIBE list.
 */
#include <stdlib.h>

#include "engine/catalog/views.h"
#include "engine/runtime/session.h"

typedef Status (*Command)(Statement *self, const BoundStatement *bound, Error *err);

/* ---------------------------------------------------------------- session */

static Status set_names(Session *session, Str catalog, Str schema, Error *err) {
    TRY(session_set(session, STR("catalog"), catalog, err));
    return session_set(session, STR("schema"), schema, err);
}

static Status command_use(Statement *self, const BoundStatement *bound, Error *err) {
    return set_names(self->session, str_from(catalog_name(bound->catalog)),
                     str_from(bound->schema ? bound->schema : ""), err);
}

/* The value of SET SESSION as text: a literal, a name (SET SESSION push_down = off), or DEFAULT. */
static Status setting_text(const AstExpr *value, Arena *arena, Str *out, Error *err) {
    switch ((AstExprKind)value->kind) {
    case AST_STRING:
    case AST_INTEGER:
    case AST_DECIMAL: *out = value->text; return TRIB_OK;
    case AST_BOOLEAN: *out = value->boolean ? STR("true") : STR("false"); return TRIB_OK;
    case AST_DEFAULT: *out = STR(""); return TRIB_OK;
    case AST_NAME: *out = value->name.parts[value->name.count - 1].text; return TRIB_OK;
    case AST_UNARY:
        if (value->op == TRIB_FN_negate && value->args[0]->kind == AST_INTEGER) {
            char *text;
            TRY_ALLOC(text, arena_printf(arena, "-" STR_FORMAT, STR_ARGS(value->args[0]->text)),
                      err);
            *out = str_from(text);
            return TRIB_OK;
        }
        break;
    default: break;
    }
    return error_set_at(err, ERR_SYNTAX, value->at.line, value->at.column,
                        "the value of a setting is a literal: a string, a number, true or false");
}

static Str setting_name(const AstStatement *ast) {
    return ast->name.parts[ast->name.count - 1].text;
}

static Status command_set(Statement *self, const BoundStatement *bound, Error *err) {
    Str value;
    TRY(setting_text(bound->ast->value, self->run, &value, err));
    Status status = session_set(self->session, setting_name(bound->ast), value, err);
    if (status != TRIB_OK) {
        err->line = bound->ast->name.parts[0].at.line;
        err->column = bound->ast->name.parts[0].at.column;
    }
    return status;
}

static Status command_reset(Statement *self, const BoundStatement *bound, Error *err) {
    Session *session = self->session;
    SettingId id = setting_find(setting_name(bound->ast));
    if (id == SETTING_COUNT) return setting_unknown(setting_name(bound->ast), err);
    return session_set(session, setting_name(bound->ast), session->initial[id].text, err);
}

/* ---------------------------------------------------------------- tables and schemas */

static Status writable(Statement *self, Error *err) {
    if (!self->settings.read_only) return TRIB_OK;
    return error_set(err, ERR_READ_ONLY, "the connection is read-only (ReadOnly=1)");
}

static Status run_ddl(Statement *self, const BoundStatement *bound, TribDdlKind kind, bool tolerant,
                      Error *err) {
    TRY(writable(self, err));
    Source *source;
    TRY(catalog_source(bound->catalog, &source, err));
    TribDdl ddl = {.size = sizeof ddl,
                   .kind = kind,
                   .schema = bound->schema,
                   .name = bound->name,
                   .table = bound->definition,
                   .if_exists = tolerant};
    SourceCall call = statement_call(self, INT64_MAX);
    TRY(source_ddl(source, &call, &ddl, err));
    catalog_invalidate(bound->catalog, bound->schema, bound->name);
    return TRIB_OK;
}

static Status command_create_table(Statement *self, const BoundStatement *bound, Error *err) {
    return run_ddl(self, bound, TRIB_DDL_CREATE_TABLE, bound->ast->if_not_exists, err);
}

static Status command_drop_table(Statement *self, const BoundStatement *bound, Error *err) {
    return run_ddl(self, bound, TRIB_DDL_DROP_TABLE, bound->ast->if_exists, err);
}

static Status command_create_schema(Statement *self, const BoundStatement *bound, Error *err) {
    return run_ddl(self, bound, TRIB_DDL_CREATE_SCHEMA, bound->ast->if_not_exists, err);
}

static Status command_drop_schema(Statement *self, const BoundStatement *bound, Error *err) {
    return run_ddl(self, bound, TRIB_DDL_DROP_SCHEMA, bound->ast->if_exists, err);
}

/* ---------------------------------------------------------------- views */

static Status command_create_view(Statement *self, const BoundStatement *bound, Error *err) {
    const AstStatement *ast = bound->ast;
    TRY(writable(self, err));
    LookupContext lookup = statement_lookup(self, &self->settings);
    View view = {.table = *bound->definition,
                 .text = ast->text,
                 .catalog = self->settings.catalog,
                 .schema = self->settings.schema};
    Status status = views_put(&lookup, &view, ast->or_replace, err);
    return status == TRIB_EXISTS && ast->if_not_exists ? TRIB_OK : status;
}

static Status command_drop_view(Statement *self, const BoundStatement *bound, Error *err) {
    bool existed;
    TRY(writable(self, err));
    LookupContext lookup = statement_lookup(self, &self->settings);
    TRY(views_drop(&lookup, str_from(bound->name), &existed, err));
    if (existed || bound->ast->if_exists) return TRIB_OK;
    return error_set(err, ERR_TABLE_NOT_FOUND, "there is no view %s.%s.%s", VIEWS_CATALOG,
                     VIEWS_SCHEMA, bound->name);
}

/* ---------------------------------------------------------------- transactions */

/* Each write is a transaction of its own, so that there is nothing to begin, commit or undo. */
static Status command_commit(Statement *self, const BoundStatement *bound, Error *err) {
    return session_end_transaction(self->session, true, err);
}

static Status command_rollback(Statement *self, const BoundStatement *bound, Error *err) {
    return session_end_transaction(self->session, false, err);
}

static const Command commands[] = {
    [AST_USE] = command_use,
    [AST_SET_SESSION] = command_set,
    [AST_RESET_SESSION] = command_reset,
    [AST_CREATE_TABLE] = command_create_table,
    [AST_DROP_TABLE] = command_drop_table,
    [AST_CREATE_VIEW] = command_create_view,
    [AST_DROP_VIEW] = command_drop_view,
    [AST_CREATE_SCHEMA] = command_create_schema,
    [AST_DROP_SCHEMA] = command_drop_schema,
    [AST_COMMIT] = command_commit,
    [AST_ROLLBACK] = command_rollback,
};

Status command_run(Statement *self, const BoundStatement *bound, Error *err) {
    AstStatementKind kind = bound->ast->kind;
    if (kind >= COUNT_OF(commands) || !commands[kind]) {
        return error_set(err, ERR_UNSUPPORTED, "this statement is not supported");
    }
    return commands[kind](self, bound, err);
}

/* ---------------------------------------------------------------- lists */

static Value text_value(Str text) {
    Value value = {.type = type_varchar(0)};
    value.as.text.data = text.data;
    value.as.text.length = text.len;
    return value;
}

/* LIKE of SHOW statements: % and _, with an optional escape character. Patterns are short. */
static bool like(Str pattern, Str text, Str escape) {
    size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
    while (t < text.len) {
        bool literal = escape.len == 1 && p + 1 < pattern.len && pattern.data[p] == escape.data[0];
        size_t at = literal ? p + 1 : p;
        if (!literal && p < pattern.len && pattern.data[p] == '%') {
            star = ++p;
            mark = t;
        } else if (at < pattern.len &&
                   ((!literal && pattern.data[at] == '_') || pattern.data[at] == text.data[t])) {
            p = at + 1;
            t++;
        } else if (star != SIZE_MAX) {
            p = star;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.data[p] == '%') p++;
    return p == pattern.len;
}

static bool wanted(const AstStatement *ast, Str name) {
    return !ast->like.data || like(ast->like, name, ast->escape);
}

static Status show_session(Statement *self, const BoundStatement *bound, Error *err) {
    for (uint32_t i = 0; i < SETTING_COUNT; i++) {
        const SettingDef *def = setting_def((SettingId)i);
        if (!wanted(bound->ast, str_from(def->session_name))) continue;
        SettingValue value, initial;
        TRY(session_get(self->session, (SettingId)i, &value, err));
        TRY(setting_default(self->run, (SettingId)i, &initial, err));
        Value row[4] = {text_value(str_from(def->session_name)), text_value(value.text),
                        text_value(initial.text), text_value(str_from(def->help))};
        TRY(rowset_add(self->rows, row, err));
    }
    return TRIB_OK;
}

static Status show_catalogs(Statement *self, const BoundStatement *bound, Error *err) {
    CatalogSet *set = self->session->catalogs;
    for (uint32_t i = 0; i < catalogs_count(set); i++) {
        Str name = str_from(catalog_name(catalogs_at(set, i)));
        if (!wanted(bound->ast, name)) continue;
        Value row = text_value(name);
        TRY(rowset_add(self->rows, &row, err));
    }
    return TRIB_OK;
}

static Status show_functions(Statement *self, const BoundStatement *bound, Error *err) {
    for (uint32_t i = 0; function_row(i); i++) {
        const Function *f = function_row(i);
        if (!f->name || !wanted(bound->ast, str_from(f->name))) continue;
        Value row[4] = {text_value(str_from(f->name)), text_value(str_from(f->signature)),
                        text_value(STR("scalar")), text_value(str_from(f->help ? f->help : ""))};
        TRY(rowset_add(self->rows, row, err));
    }
    for (uint32_t i = 0; aggregate_row(i); i++) {
        const Aggregate *a = aggregate_row(i);
        if (!wanted(bound->ast, str_from(a->name))) continue;
        Value row[4] = {text_value(str_from(a->name)), text_value(str_from(a->signature)),
                        text_value(STR("aggregate")), text_value(str_from(a->help ? a->help : ""))};
        TRY(rowset_add(self->rows, row, err));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- lists of a catalog */

typedef struct NameList {
    Statement *statement;
    const AstStatement *ast;
    uint32_t count, capacity;
    Str *names;
    bool exhausted;
} NameList;

static bool add_name(NameList *self, const char *name) {
    if (!wanted(self->ast, str_from(name))) return true;
    if (self->count == self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : 64;
        Str *names = ARENA_ARRAY(self->statement->run, Str, capacity);
        self->exhausted = !names;
        if (!names) return false;
        if (self->count) memcpy(names, self->names, self->count * sizeof *names);
        self->names = names;
        self->capacity = capacity;
    }
    char *copy = arena_strdup(self->statement->run, name);
    self->exhausted = !copy;
    if (!copy) return false;
    self->names[self->count++] = str_from(copy);
    return true;
}

static bool on_schema(void *context, const char *name) {
    return add_name(context, name);
}

static bool on_table(void *context, const char *schema, const char *name, TribTableKind kind,
                     const char *comment) {
    return add_name(context, name);
}

static bool on_view(void *context, const char *schema, const char *name, TribTableKind kind,
                    const char *comment) {
    return kind != TRIB_TABLE_VIEW || add_name(context, name);
}

static int compare_names(const void *a, const void *b) {
    return str_compare(*(const Str *)a, *(const Str *)b);
}

static Status show_names(Statement *self, NameList *list, Error *err) {
    if (list->exhausted) return error_out_of_memory(err);
    if (list->count) qsort(list->names, list->count, sizeof *list->names, compare_names);
    for (uint32_t i = 0; i < list->count; i++) {
        Value row = text_value(list->names[i]);
        TRY(rowset_add(self->rows, &row, err));
    }
    return TRIB_OK;
}

static Status show_schemas(Statement *self, const BoundStatement *bound, Error *err) {
    LookupContext lookup = statement_lookup(self, &self->settings);
    NameList list = {.statement = self, .ast = bound->ast};
    TribNames names = {.self = &list, .schema = on_schema};
    TRY(catalog_schemas(&lookup, bound->catalog, &names, err));
    return show_names(self, &list, err);
}

static Status show_tables(Statement *self, const BoundStatement *bound, Error *err) {
    LookupContext lookup = statement_lookup(self, &self->settings);
    NameList list = {.statement = self, .ast = bound->ast};
    TribNames names = {.self = &list, .table = on_table};
    TRY(catalog_tables(&lookup, bound->catalog, bound->schema, &names, err));
    return show_names(self, &list, err);
}

static Status show_views(Statement *self, const BoundStatement *bound, Error *err) {
    LookupContext lookup = statement_lookup(self, &self->settings);
    NameList list = {.statement = self, .ast = bound->ast};
    TribNames names = {.self = &list, .table = on_view};
    TRY(catalog_tables(&lookup, bound->catalog, bound->schema, &names, err));
    return show_names(self, &list, err);
}

static void print_text_literal(Buf *out, const char *text) {
    buf_char(out, '\'');
    for (; *text; text++) {
        if (*text == '\'') buf_char(out, '\'');
        buf_char(out, *text);
    }
    buf_char(out, '\'');
}

/* A statement that creates the view as it is. */
static Status print_create_view(Buf *out, const View *view, Error *err) {
    const TribTable *table = &view->table;
    buf_text(out, "CREATE VIEW " VIEWS_CATALOG ".\"" VIEWS_SCHEMA "\".");
    sql_print_name(out, str_from(table->name));
    bool renamed = table->ncolumns > 0 && table->columns[0].facts;
    for (uint32_t i = 0; renamed && i < table->ncolumns; i++) {
        buf_text(out, i ? ", " : " (");
        sql_print_name(out, str_from(table->columns[i].name));
    }
    if (renamed) buf_char(out, ')');
    if (table->comment) {
        buf_text(out, " COMMENT ");
        print_text_literal(out, table->comment);
    }
    buf_text(out, " AS\n");
    buf_str(out, view->text);
    return buf_status(out, err);
}

static Status show_create_view(Statement *self, const BoundStatement *bound, Error *err) {
    LookupContext lookup = statement_lookup(self, &self->settings);
    View *view = NULL;
    if (catalog_holds_views(bound->catalog))
        TRY(views_find(&lookup, str_from(bound->name), self->run, &view, err));
    if (!view)
        return error_set(err, ERR_TABLE_NOT_FOUND, "%s.%s.%s is not a view that was created here",
                         catalog_name(bound->catalog), bound->schema, bound->name);
    Buf text;
    buf_init(&text, self->run, (size_t)64 << 20);
    TRY(print_create_view(&text, view, err));
    Value row = text_value(buf_view(&text));
    return rowset_add(self->rows, &row, err);
}

static Status show_table(Statement *self, const BoundStatement *bound, const TribTable *table,
                         Error *err) {
    for (uint32_t i = 0; i < table->ncolumns; i++) {
        const TribColumn *c = &table->columns[i];
        if (c->hidden || !wanted(bound->ast, str_from(c->name))) continue;
        Buf type;
        buf_init(&type, self->run, 65536);
        type_print(&type, c->type);
        TRY(buf_status(&type, err));
        const char *extra = c->unreadable ? c->unreadable : c->nullable ? "" : "not null";
        Value row[4] = {text_value(str_from(c->name)), text_value(buf_view(&type)),
                        text_value(str_from(extra)),
                        text_value(str_from(c->comment ? c->comment : ""))};
        TRY(rowset_add(self->rows, row, err));
    }
    return TRIB_OK;
}

static Status show_columns(Statement *self, const BoundStatement *bound, Error *err) {
    LookupContext lookup = statement_lookup(self, &self->settings);
    TableRef *table;
    TRY(catalog_describe(&lookup, bound->catalog, bound->schema, bound->name, &table, err));
    Status status = show_table(self, bound, &table->table, err);
    table_release(table);
    return status;
}

Status command_rows(Statement *self, const BoundStatement *bound, Error *err) {
    TRY(rowset_new(self->run, bound->ncolumns, bound->types, &self->rows, err));
    switch (bound->ast->kind) {
    case AST_SHOW_SESSION: return show_session(self, bound, err);
    case AST_SHOW_CATALOGS: return show_catalogs(self, bound, err);
    case AST_SHOW_FUNCTIONS: return show_functions(self, bound, err);
    case AST_SHOW_SCHEMAS: return show_schemas(self, bound, err);
    case AST_SHOW_TABLES: return show_tables(self, bound, err);
    case AST_SHOW_VIEWS: return show_views(self, bound, err);
    case AST_SHOW_CREATE_VIEW: return show_create_view(self, bound, err);
    case AST_SHOW_COLUMNS: return show_columns(self, bound, err);
    default: return error_set(err, ERR_UNSUPPORTED, "this statement is not supported");
    }
}
