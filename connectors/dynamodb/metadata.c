/*
 * metadata.c - one schema, the account's tables, their columns declared or sampled.
 */
#include "connectors/dynamodb/catalog.h"

#include <stdio.h>

enum { BODY_MOST = 64 * 1024, TABLE_PAGES_MOST = 10000 };

TribStatus metadata_check(TribCatalog *self, TribCall *call, char *text, size_t size,
                          TribError *err) {
    Arena *arena;
    Str answer;
    char origin[160];
    TRY_ALLOC(arena, arena_new(NULL), err);
    Status status =
        request_run(self, call, OP_LIST_TABLES, STR("{\"Limit\":1}"), arena, &answer, err);
    arena_free(arena);
    if (status != TRIB_OK) return error_source(err, self->name);
    aws_provider_origin(self->client->provider, origin, sizeof origin);
    bool tls = strncmp(self->client->endpoint, "https:", 6) == 0;
    snprintf(text, size, "DynamoDB at %s, region %s, credentials from %s, TLS %s",
             self->client->endpoint, self->client->region, origin, tls ? "on" : "off");
    return TRIB_OK;
}

TribStatus metadata_schemas(TribCatalog *self, TribCall *call, TribNames *names, TribError *err) {
    names->schema(names->self, SCHEMA_NAME);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- tables */

typedef struct Listing {
    TribCatalog *catalog;
    TribNames *names;
    Arena *arena;
    Str last; /* LastEvaluatedTableName */
    bool stop;
} Listing;

static Status list_page(Listing *self, const JsonValue *answer, Error *err) {
    const JsonValue *tables =
        answer->kind == JSON_OBJECT_BEGIN ? json_member(answer, STR("TableNames")) : NULL;
    const JsonValue *last = tables ? json_member(answer, STR("LastEvaluatedTableName")) : NULL;
    if (!tables || tables->kind != JSON_ARRAY_BEGIN)
        return answer_broken(self->catalog, "it holds no TableNames", err);
    for (const JsonValue *t = tables->first; t && !self->stop; t = t->next) {
        char *name;
        if (t->kind != JSON_STRING || !catalog_shows(self->catalog, t->text)) continue;
        TRY_ALLOC(name, str_dup(self->arena, t->text), err);
        self->stop =
            !self->names->table(self->names->self, SCHEMA_NAME, name, TRIB_TABLE_BASE, NULL);
    }
    Str next = last && last->kind == JSON_STRING ? last->text : (Str){"", 0};
    if (next.len && str_equal(next, self->last))
        return answer_broken(self->catalog, "the same page of tables comes again and again", err);
    self->last = next;
    return TRIB_OK;
}

static Status list_all(Listing *self, TribCall *call, Error *err) {
    for (int page = 0; page < TABLE_PAGES_MOST && !self->stop; page++) {
        Buf body;
        Str answer;
        JsonValue *tree;
        buf_init(&body, self->arena, BODY_MOST);
        buf_char(&body, '{');
        if (self->last.len) {
            buf_text(&body, "\"ExclusiveStartTableName\":");
            json_quote(&body, self->last);
        }
        buf_char(&body, '}');
        TRY(buf_status(&body, err));
        TRY(request_run(self->catalog, call, OP_LIST_TABLES, buf_view(&body), self->arena, &answer,
                        err));
        TRY(answer_parse(self->catalog, self->arena, answer, &tree, err));
        TRY(list_page(self, tree, err));
        if (self->last.len == 0) break;
    }
    return TRIB_OK;
}

TribStatus metadata_tables(TribCatalog *self, TribCall *call, const char *schema, TribNames *names,
                           TribError *err) {
    Listing listing = {.catalog = self, .names = names};
    if (schema && strcmp(schema, SCHEMA_NAME) != 0) return TRIB_OK;
    TRY_ALLOC(listing.arena, arena_new(NULL), err);
    Status status = list_all(&listing, call, err);
    arena_free(listing.arena);
    return status == TRIB_OK ? status : error_source(err, self->name);
}

/* ---------------------------------------------------------------- one table */

typedef struct Description {
    TribCatalog *catalog;
    Arena *arena;
    Str name;
    TableFacts facts;
    ColumnInfo *columns;
    uint32_t ncolumns;
    uint64_t sampled; /* items */
} Description;

static ReadAs read_of(TribType type) {
    switch (type.id) {
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_DATE:
    case TRIB_TYPE_TIMESTAMP: return READ_TEXT;
    case TRIB_TYPE_VARBINARY: return READ_BINARY;
    case TRIB_TYPE_BOOLEAN: return READ_BOOL;
    case TRIB_TYPE_JSON: return READ_DOCUMENT;
    default: return READ_NUMBER;
    }
}

static Status declared_columns(Description *self, const DeclaredTable *table, Error *err) {
    OnMismatch policy = self->catalog->on_mismatch;
    uint32_t count = 0;
    for (const DeclaredColumn *c = table->columns; c; c = c->next) count++;
    TRY_ALLOC(self->columns, ARENA_ARRAY(self->arena, ColumnInfo, count), err);
    for (const DeclaredColumn *c = table->columns; c; c = c->next) {
        ColumnInfo *column = &self->columns[self->ncolumns++];
        *column = (ColumnInfo){c->name, c->type, read_of(c->type), MISMATCH_ERROR};
        bool lenient = policy == ON_MISMATCH_NULL || policy == ON_MISMATCH_VARCHAR;
        if (lenient) column->mismatch = MISMATCH_NULL;
        bool text = c->type.id == TRIB_TYPE_VARCHAR && c->type.length == 0;
        if (policy == ON_MISMATCH_VARCHAR && text) column->read = READ_ANY;
    }
    return TRIB_OK;
}

static uint32_t column_index(const Description *self, Str name) {
    for (uint32_t i = 0; i < self->ncolumns; i++) {
        if (str_equal(self->columns[i].name, name)) return i;
    }
    return UINT32_MAX;
}

static const char *remote_type(const ColumnInfo *column) {
    AttrType type = column_attr(column);
    return type == ATTR_NONE ? "any" : attr_type_name(type);
}

/* A key reads every value, or fails: it is never NULL. */
static bool is_key(const Description *self, uint32_t column) {
    const AccessPath *table = &self->facts.paths[0];
    Str name = self->columns[column].name;
    return str_equal(name, table->hash.name) || str_equal(name, table->range.name);
}

static Status describe_columns(Description *self, TribColumn **out, Error *err) {
    TRY_ALLOC(*out, ARENA_ARRAY(self->arena, TribColumn, self->ncolumns), err);
    for (uint32_t i = 0; i < self->ncolumns; i++) {
        const ColumnInfo *info = &self->columns[i];
        char *name;
        TRY_ALLOC(name, str_dup(self->arena, info->name), err);
        (*out)[i] = (TribColumn){.name = name,
                                 .type = info->type,
                                 .nullable = !is_key(self, i) || info->mismatch == MISMATCH_NULL,
                                 .remote_type = remote_type(info),
                                 .facts = column_facts(info),
                                 .distinct = -1,
                                 .null_fraction = -1};
    }
    return TRIB_OK;
}

/* The primary key, if all its columns are there. */
static bool describe_key(const Description *self, TribKey *key, uint32_t columns[2]) {
    const AccessPath *table = &self->facts.paths[0];
    *key = (TribKey){.name = "PRIMARY KEY", .primary = true, .unique = true, .columns = columns};
    columns[key->ncolumns++] = column_index(self, table->hash.name);
    if (table->range.name.len) columns[key->ncolumns++] = column_index(self, table->range.name);
    return columns[0] != UINT32_MAX && columns[key->ncolumns - 1] != UINT32_MAX;
}

static Status describe_deliver(Description *self, TribNames *names, Error *err) {
    TribColumn *columns;
    TribKey key;
    uint32_t key_columns[2];
    TribTable table = {.size = sizeof table, .schema = SCHEMA_NAME, .kind = TRIB_TABLE_BASE};
    TRY(describe_columns(self, &columns, err));
    TRY_ALLOC(table.name, str_dup(self->arena, self->name), err);
    TRY_ALLOC(table.facts, facts_format(self->arena, &self->facts), err);
    if (self->facts.sampled)
        TRY_ALLOC(table.comment,
                  arena_printf(self->arena, "columns inferred from %llu items",
                               (unsigned long long)self->sampled),
                  err);
    table.columns = columns;
    table.ncolumns = self->ncolumns;
    table.nkeys = describe_key(self, &key, key_columns) ? 1 : 0;
    table.keys = &key;
    table.rows = self->facts.items ? (double)self->facts.items : -1;
    /* Not counted by DynamoDB yet, but the whole of a small table was seen. */
    if (table.rows < 0 && self->facts.sampled && self->sampled < self->catalog->sample_items)
        table.rows = (double)self->sampled;
    return names->described(names->self, &table, err);
}

static Status describe_work(Description *self, TribCall *call, TribNames *names, Error *err) {
    Buf body;
    Str answer;
    JsonValue *tree;
    buf_init(&body, self->arena, BODY_MOST);
    buf_text(&body, "{\"TableName\":");
    json_quote(&body, self->name);
    buf_char(&body, '}');
    TRY(buf_status(&body, err));
    TRY(request_run(self->catalog, call, OP_DESCRIBE_TABLE, buf_view(&body), self->arena, &answer,
                    err));
    TRY(answer_parse(self->catalog, self->arena, answer, &tree, err));
    TRY(facts_from_answer(self->arena, tree, &self->facts, err));
    const DeclaredTable *declared = catalog_declared(self->catalog, self->name);
    self->facts.sampled = !declared;
    if (declared)
        TRY(declared_columns(self, declared, err));
    else
        TRY(sample_columns(self->catalog, call, self->name, &self->facts, self->arena,
                           &self->columns, &self->ncolumns, &self->sampled, err));
    return describe_deliver(self, names, err);
}

/* Names that DynamoDB would refuse as such do not exist. */
static bool name_possible(Str name) {
    if (name.len < 3 || name.len > 255) return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '-' || c == '.';
        if (!good) return false;
    }
    return true;
}

TribStatus metadata_describe(TribCatalog *self, TribCall *call, const char *schema,
                             const char *table, TribNames *names, TribError *err) {
    Description description = {.catalog = self, .name = str_from(table)};
    Status status = TRIB_NOT_FOUND;
    bool possible = strcmp(schema, SCHEMA_NAME) == 0 && name_possible(description.name) &&
                    catalog_shows(self, description.name);
    if (possible) {
        TRY_ALLOC(description.arena, arena_new(NULL), err);
        status = describe_work(&description, call, names, err);
        arena_free(description.arena);
    }
    if (status == TRIB_NOT_FOUND)
        status =
            error_set(err, ERR_TABLE_NOT_FOUND, "there is no table \"%s\".\"%s\"", schema, table);
    return status == TRIB_OK ? status : error_source(err, self->name);
}
