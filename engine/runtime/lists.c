/*
 * lists.c - what SHOW and DESCRIBE list: rows made when the statement is executed.
 */
#include <stdlib.h>

#include "engine/catalog/views.h"
#include "engine/runtime/session.h"

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

/*
 * One alternative of Athena's pattern behind SHOW TABLES: `*` and `.*` stand for any text, `.` for one
 * character; letters match in either case.
 */
static bool alternative_matches(Str pattern, Str text) {
    size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
    while (t < text.len) {
        bool dots = p + 1 < pattern.len && pattern.data[p] == '.' && pattern.data[p + 1] == '*';
        if (dots || (p < pattern.len && pattern.data[p] == '*')) {
            star = p += dots ? 2 : 1;
            mark = t;
        } else if (p < pattern.len &&
                   (pattern.data[p] == '.' ||
                    str_equal_fold((Str){pattern.data + p, 1}, (Str){text.data + t, 1}))) {
            if (pattern.data[p++] == '.')
                (void)utf8_next(text.data, text.len, &t);
            else
                t++;
        } else if (star != SIZE_MAX) {
            p = star;
            (void)utf8_next(text.data, text.len, &mark);
            t = mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && (pattern.data[p] == '*' || pattern.data[p] == '.')) {
        if (pattern.data[p] == '.' && (p + 1 == pattern.len || pattern.data[p + 1] != '*')) break;
        p++;
    }
    return p == pattern.len;
}

static bool pattern_matches_any(Str pattern, Str text) {
    while (true) {
        const char *bar = pattern.len ? memchr(pattern.data, '|', pattern.len) : NULL;
        size_t len = bar ? (size_t)(bar - pattern.data) : pattern.len;
        if (alternative_matches((Str){pattern.data, len}, text)) return true;
        if (!bar) return false;
        pattern = (Str){bar + 1, pattern.len - len - 1};
    }
}

bool list_wants(const AstStatement *ast, Str name) {
    if (ast->regex.data) return pattern_matches_any(ast->regex, name);
    return !ast->like.data || like(ast->like, name, ast->escape);
}

static Status show_session(Statement *self, const BoundStatement *bound, Error *err) {
    for (uint32_t i = 0; i < SETTING_COUNT; i++) {
        const SettingDef *def = setting_def((SettingId)i);
        if (!list_wants(bound->ast, str_from(def->session_name))) continue;
        SettingValue value, initial;
        TRY(session_get(self->session, (SettingId)i, &value, err));
        TRY(setting_default(self->run, (SettingId)i, &initial, err));
        Value row[5] = {text_value(str_from(def->session_name)), text_value(value.text),
                        text_value(initial.text), text_value(str_from(setting_type_name(def))),
                        text_value(str_from(def->help))};
        TRY(rowset_add(self->rows, row, err));
    }
    return TRIB_OK;
}

static Status show_catalogs(Statement *self, const BoundStatement *bound, Error *err) {
    CatalogSet *set = self->session->catalogs;
    for (uint32_t i = 0; i < catalogs_count(set); i++) {
        Str name = str_from(catalog_name(catalogs_at(set, i)));
        if (!list_wants(bound->ast, name)) continue;
        Value row = text_value(name);
        TRY(rowset_add(self->rows, &row, err));
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
    if (!list_wants(self->ast, str_from(name))) return true;
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
        if (c->hidden || !list_wants(bound->ast, str_from(c->name))) continue;
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
    case AST_SHOW_STATS: return show_stats(self, bound, err);
    case AST_SHOW_CREATE_TABLE: return show_create_table(self, bound, err);
    case AST_SHOW_CREATE_SCHEMA: return show_create_schema(self, bound, err);
    case AST_DESCRIBE_INPUT: return describe_input(self, bound, err);
    case AST_DESCRIBE_OUTPUT: return describe_output(self, bound, err);
    case AST_SHOW_SCHEMAS: return show_schemas(self, bound, err);
    case AST_SHOW_TABLES: return show_tables(self, bound, err);
    case AST_SHOW_VIEWS: return show_views(self, bound, err);
    case AST_SHOW_CREATE_VIEW: return show_create_view(self, bound, err);
    case AST_SHOW_COLUMNS: return show_columns(self, bound, err);
    default: return error_set(err, ERR_UNSUPPORTED, "this statement is not supported");
    }
}
