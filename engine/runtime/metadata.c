/*
 * metadata.c - schemas, tables and columns for the driver's catalog functions.
 *
 * Names are matched here, never by building a query from them: patterns know % and _ and a backslash as
 * escape, and ignore the case of ASCII letters, as the dialect's names do. A source that fails costs a
 * warning that names it, unless the caller asked for that catalog by its exact name.
 */
#include "engine/runtime/session.h"

#include "engine/base/os.h"

typedef enum ListKind {
    LIST_SCHEMAS,
    LIST_TABLES,
    LIST_COLUMNS,
    LIST_KEYS,
    LIST_REFERENCES
} ListKind;

typedef struct Listing {
    Statement *statement;
    ListKind kind;
    const MetadataFilter *filter;
    const MetadataVisitor *visitor;
    void *key_context;
    Status (*key)(void *context, const MetadataKey *key, Error *err);
    Status (*reference)(void *context, const MetadataReference *reference, Error *err);
    bool incoming;
    LookupContext lookup;
    StatementSettings settings;
    Arena *arena;
    Catalog *catalog;   /* being listed */
    const char *schema; /* being listed */
    Status status;      /* of a visitor */
    Status result;
    Error *err;
} Listing;

/* ---------------------------------------------------------------- matching */

static size_t next_character(Str s, size_t at) {
    size_t next = at;
    utf8_next(s.data, s.len, &next);
    return next;
}

/* Iterative, with one point to come back to: linear in practice, never exponential. */
static bool pattern_matches(Str pattern, Str text) {
    size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
    while (t < text.len) {
        bool escaped = p + 1 < pattern.len && pattern.data[p] == '\\';
        size_t at = escaped ? p + 1 : p;
        if (!escaped && p < pattern.len && pattern.data[p] == '%') {
            star = ++p;
            mark = t;
            continue;
        }
        if (at < pattern.len) {
            size_t pe = next_character(pattern, at), te = next_character(text, t);
            bool any = !escaped && pattern.data[at] == '_';
            if (any ||
                str_equal_fold((Str){pattern.data + at, pe - at}, (Str){text.data + t, te - t})) {
                p = pe;
                t = te;
                continue;
            }
        }
        if (star == SIZE_MAX) return false;
        p = star;
        t = mark = next_character(text, mark);
    }
    while (p < pattern.len && pattern.data[p] == '%') p++;
    return p == pattern.len;
}

static bool filter_matches(const Listing *self, Str wanted, Str name) {
    if (!wanted.data) return true;
    return self->filter->literal ? str_equal_fold(wanted, name) : pattern_matches(wanted, name);
}

static bool catalog_matches(const Listing *self, Str name) {
    Str wanted = self->filter->catalog;
    if (!self->filter->literal_catalog || !wanted.data) return filter_matches(self, wanted, name);
    return str_equal_fold(wanted, name);
}

/* ---------------------------------------------------------------- visiting */

static Status visit_columns(Listing *self, const TableRef *table, Error *err) {
    const TribTable *t = &table->table;
    for (uint32_t i = 0; i < t->ncolumns; i++) {
        const TribColumn *c = &t->columns[i];
        if (c->hidden || !filter_matches(self, self->filter->column, str_from(c->name))) continue;
        MetadataColumn column = {.catalog = str_from(catalog_name(self->catalog)),
                                 .schema = str_from(t->schema),
                                 .table = str_from(t->name),
                                 .name = str_from(c->name),
                                 .comment = str_from(c->comment),
                                 .default_sql = str_from(c->default_sql),
                                 .type = c->type,
                                 .nullable = c->nullable,
                                 .ordinal = i + 1};
        TRY(self->visitor->column(self->visitor->context, &column, err));
    }
    return TRIB_OK;
}

static Status visit_keys(Listing *self, const TableRef *table, Error *err) {
    const TribTable *t = &table->table;
    MetadataKey key = {.name = STR(""), .column = STR(""), .rows = t->rows};
    TRY(self->key(self->key_context, &key, err));
    for (uint32_t k = 0; k < t->nkeys; k++) {
        key.name = str_from(t->keys[k].name);
        key.primary = t->keys[k].primary;
        key.unique = t->keys[k].unique;
        key.key = k;
        key.nullable = false;
        for (uint32_t i = 0; i < t->keys[k].ncolumns; i++)
            key.nullable |= t->columns[t->keys[k].columns[i]].nullable;
        for (uint32_t i = 0; i < t->keys[k].ncolumns; i++) {
            key.column = str_from(t->columns[t->keys[k].columns[i]].name);
            key.ordinal = i + 1;
            TRY(self->key(self->key_context, &key, err));
        }
    }
    return TRIB_OK;
}

/* A table that vanished or cannot be described costs a warning; the others are listed. */
static Status visit_described(Listing *self, const char *schema, const char *name, Error *err) {
    TableRef *table;
    Error failure;
    Status status = catalog_describe(&self->lookup, self->catalog, schema, name, &table, &failure);
    if (status == TRIB_CANCELLED || status == TRIB_TIMEOUT || status == TRIB_MEMORY) {
        *err = failure;
        return status;
    }
    if (status != TRIB_OK) {
        self->lookup.call.warn(self->lookup.call.warn_context, catalog_name(self->catalog), "01000",
                               failure.message);
        return TRIB_OK;
    }
    status =
        self->kind == LIST_KEYS ? visit_keys(self, table, err) : visit_columns(self, table, err);
    table_release(table);
    return status;
}

static bool on_reference(void *context, const TribReference *from) {
    Listing *self = context;
    MetadataReference reference = {.name = str_from(from->name),
                                   .key_name = str_from(from->key_name ? from->key_name : ""),
                                   .catalog = str_from(catalog_name(self->catalog)),
                                   .schema = str_from(from->schema),
                                   .table = str_from(from->table),
                                   .column = str_from(from->column),
                                   .to_schema = str_from(from->to_schema),
                                   .to_table = str_from(from->to_table),
                                   .to_column = str_from(from->to_column),
                                   .ordinal = from->ordinal,
                                   .on_update = from->on_update,
                                   .on_delete = from->on_delete,
                                   .immediate = from->immediate};
    self->status = self->reference(self->key_context, &reference, self->err);
    return self->status == TRIB_OK;
}

static Status visit_references(Listing *self, const char *schema, const char *name) {
    TribNames names = {.self = self, .reference = on_reference};
    Error failure;
    Status status = catalog_references(&self->lookup, self->catalog, schema, name, self->incoming,
                                       &names, &failure);
    if (self->status != TRIB_OK) return self->status; /* the visitor's, err is filled in */
    if (status != TRIB_OK) *self->err = failure;
    return status;
}

static bool on_table(void *context, const char *schema, const char *name, TribTableKind kind,
                     const char *comment) {
    static const char *const kinds[] = {"TABLE", "VIEW", "SYSTEM TABLE"};
    Listing *self = context;
    if (!filter_matches(self, self->filter->table, str_from(name))) return true;
    if (self->kind == LIST_REFERENCES) {
        self->status = visit_references(self, schema, name);
    } else if (self->kind != LIST_TABLES) {
        self->status = visit_described(self, schema, name, self->err);
    } else {
        MetadataTable table = {.catalog = str_from(catalog_name(self->catalog)),
                               .schema = str_from(schema),
                               .table = str_from(name),
                               .comment = str_from(comment),
                               .kind = kinds[kind]};
        self->status = self->visitor->table(self->visitor->context, &table, self->err);
    }
    return self->status == TRIB_OK;
}

static bool on_schema(void *context, const char *name) {
    Listing *self = context;
    if (!filter_matches(self, self->filter->schema, str_from(name))) return true;
    if (self->kind == LIST_SCHEMAS) {
        self->status =
            self->visitor->schema(self->visitor->context, str_from(catalog_name(self->catalog)),
                                  str_from(name), self->err);
        return self->status == TRIB_OK;
    }
    TribNames names = {.self = self, .table = on_table};
    Error failure;
    Status status = catalog_tables(&self->lookup, self->catalog, name, &names, &failure);
    if (status != TRIB_OK && self->status == TRIB_OK) {
        *self->err = failure;
        self->status = status;
    }
    return self->status == TRIB_OK;
}

static Status list_catalog(Listing *self, Catalog *catalog, Error *err) {
    self->catalog = catalog;
    self->status = TRIB_OK;
    TribNames names = {.self = self, .schema = on_schema};
    Error failure;
    Status status = catalog_schemas(&self->lookup, catalog, &names, &failure);
    if (self->status != TRIB_OK) return self->status; /* err is filled in */
    if (status != TRIB_OK) *err = failure;
    return status;
}

static Status list_all(Listing *self, Error *err) {
    CatalogSet *set = self->lookup.catalogs;
    for (uint32_t i = 0; i < catalogs_count(set); i++) {
        Catalog *catalog = catalogs_at(set, i);
        Str name = str_from(catalog_name(catalog));
        if (!catalog_matches(self, name)) continue;
        Status status = list_catalog(self, catalog, err);
        if (status == TRIB_OK) continue;
        bool exact = self->filter->catalog.data && str_equal_fold(self->filter->catalog, name);
        if (exact || status == TRIB_CANCELLED || status == TRIB_TIMEOUT || status == TRIB_MEMORY)
            return status;
        self->lookup.call.warn(self->lookup.call.warn_context, catalog_name(catalog), "01000",
                               err->message);
    }
    return TRIB_OK;
}

static void listing_run(void *context) {
    Listing *self = context;
    self->result = list_all(self, self->err);
}

static Status listing_start(Listing *self, Error *err) {
    Statement *statement = self->statement;
    self->err = err;
    TRY_ALLOC(self->arena, arena_new(NULL), err);
    Status status = session_settings(statement->session, self->arena, &self->settings, err);
    if (status == TRIB_OK) {
        statement_enter_busy(statement);
        self->lookup = statement_lookup(statement, &self->settings);
        Job job = {.run = listing_run, .context = self};
        status = crew_submit(statement->session->crew, &job, err);
        if (status == TRIB_OK) {
            crew_wait(statement->session->crew, &job, -1);
            status = self->result;
        }
        statement_leave_busy(statement);
        statement_deliver_warnings(statement);
    }
    arena_free(self->arena);
    return status;
}

Status statement_list_schemas(Statement *self, const MetadataFilter *filter,
                              const MetadataVisitor *visitor, Error *err) {
    Listing listing = {
        .statement = self, .kind = LIST_SCHEMAS, .filter = filter, .visitor = visitor};
    return listing_start(&listing, err);
}

Status statement_list_tables(Statement *self, const MetadataFilter *filter,
                             const MetadataVisitor *visitor, Error *err) {
    Listing listing = {
        .statement = self, .kind = LIST_TABLES, .filter = filter, .visitor = visitor};
    return listing_start(&listing, err);
}

Status statement_list_columns(Statement *self, const MetadataFilter *filter,
                              const MetadataVisitor *visitor, Error *err) {
    Listing listing = {
        .statement = self, .kind = LIST_COLUMNS, .filter = filter, .visitor = visitor};
    return listing_start(&listing, err);
}

Status statement_list_keys(Statement *self, Str catalog, Str schema, Str table, void *context,
                           Status (*key)(void *context, const MetadataKey *key, Error *err),
                           Error *err) {
    MetadataFilter filter = {.catalog = catalog, .schema = schema, .table = table, .literal = true};
    Listing listing = {.statement = self,
                       .kind = LIST_KEYS,
                       .filter = &filter,
                       .key = key,
                       .key_context = context};
    return listing_start(&listing, err);
}

Status statement_list_references(
    Statement *self, const MetadataFilter *filter, bool incoming, void *context,
    Status (*reference)(void *context, const MetadataReference *reference, Error *err),
    Error *err) {
    Listing listing = {.statement = self,
                       .kind = LIST_REFERENCES,
                       .filter = filter,
                       .reference = reference,
                       .key_context = context,
                       .incoming = incoming};
    return listing_start(&listing, err);
}
