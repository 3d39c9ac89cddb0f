/*
 * option.c - the option table, the catalog made of it, and the types of declared columns.
 */
#include "connectors/dynamodb/catalog.h"
#include "engine/base/number.h"

const TribOptionDef dynamodb_options[] = {
    AWS_OPTIONS("DynamoDB"),
    {"tables", TRIB_OPTION_JSON, NULL, NULL, 0, 0, false, false,
     "columns of tables whose schema is declared: {\"Orders\": {\"order_id\": \"varchar\", "
     "\"price\": "
     "\"decimal(10,2)\"}}; all others are sampled"},
    {"sample_items", TRIB_OPTION_INTEGER, "1000", NULL, 1, 1000000, false, false,
     "items read to infer the columns of a table"},
    {"on_mismatch", TRIB_OPTION_CHOICE, "auto", "auto|null|error|varchar", 0, 0, false, false,
     "an attribute of another type than its column's. auto: NULL and a warning in sampled tables, "
     "an "
     "error in declared ones; varchar: as null, but text columns show it as text"},
    {"segments", TRIB_OPTION_INTEGER, "0", NULL, 0, 1024, false, false,
     "segments of a parallel scan; 0: one per MiB, at most one per connection"},
    {"consistent_read", TRIB_OPTION_BOOLEAN, "false", NULL, 0, 0, false, false,
     "strongly consistent reads, at twice the cost; global indexes are not used then"},
    {"max_connections", TRIB_OPTION_INTEGER, "4", NULL, 1, 256, false, false,
     "most requests at a time"},
    {"hide", TRIB_OPTION_LIST, NULL, NULL, 0, 0, false, false,
     "patterns of tables (\"tmp_*\") that are not shown"},
    {NULL, TRIB_OPTION_STRING, NULL, NULL, 0, 0, false, false, NULL},
};

static const AwsService service = {"dynamodb", "DynamoDB", "AWS_ENDPOINT_URL_DYNAMODB",
                                   AWS_SIGN_USUAL};

/* ---------------------------------------------------------------- declared types */

static const struct {
    const char *name;
    TribTypeId id;
    uint8_t most; /* numbers that may follow in parentheses */
} type_words[] = {
    {"varchar", TRIB_TYPE_VARCHAR, 1},   {"string", TRIB_TYPE_VARCHAR, 0},
    {"boolean", TRIB_TYPE_BOOLEAN, 0},   {"tinyint", TRIB_TYPE_TINYINT, 0},
    {"smallint", TRIB_TYPE_SMALLINT, 0}, {"integer", TRIB_TYPE_INTEGER, 0},
    {"int", TRIB_TYPE_INTEGER, 0},       {"bigint", TRIB_TYPE_BIGINT, 0},
    {"decimal", TRIB_TYPE_DECIMAL, 2},   {"double", TRIB_TYPE_DOUBLE, 0},
    {"real", TRIB_TYPE_REAL, 0},         {"varbinary", TRIB_TYPE_VARBINARY, 0},
    {"date", TRIB_TYPE_DATE, 0},         {"timestamp", TRIB_TYPE_TIMESTAMP, 1},
    {"json", TRIB_TYPE_JSON, 0},
};

/* "decimal(10, 2)" -> the word and its numbers; false: something else. */
static bool type_words_split(Str text, Str *word, int64_t numbers[2], uint32_t *count) {
    const char *open = memchr(text.data, '(', text.len);
    *count = 0;
    *word = str_trim(text);
    if (!open) return true;
    *word = str_trim((Str){text.data, (size_t)(open - text.data)});
    Str rest = str_trim((Str){open + 1, text.len - (size_t)(open - text.data) - 1});
    if (rest.len == 0 || rest.data[rest.len - 1] != ')') return false;
    rest.len--;
    for (;;) {
        const char *comma = memchr(rest.data, ',', rest.len);
        size_t length = comma ? (size_t)(comma - rest.data) : rest.len;
        if (*count == 2 ||
            int64_parse(str_trim((Str){rest.data, length}), &numbers[*count]) != NUMBER_OK)
            return false;
        (*count)++;
        if (!comma) return true;
        rest = (Str){comma + 1, rest.len - length - 1};
    }
}

static bool type_parse(Str text, TribType *out) {
    Str word;
    int64_t n[2] = {0, 0};
    uint32_t count;
    if (!type_words_split(text, &word, n, &count)) return false;
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < COUNT_OF(type_words); i++) {
        if (!str_equal_fold(word, str_from(type_words[i].name)) || count > type_words[i].most)
            continue;
        out->id = (uint8_t)type_words[i].id;
        switch (type_words[i].id) {
        case TRIB_TYPE_DECIMAL:
            if (count == 0) n[0] = 38;
            if (n[0] < 1 || n[0] > 38 || n[1] < 0 || n[1] > n[0]) return false;
            out->precision = (uint8_t)n[0];
            out->scale = (int8_t)n[1];
            return true;
        case TRIB_TYPE_TIMESTAMP:
            out->precision = count ? (uint8_t)n[0] : 3;
            return count == 0 || (n[0] >= 0 && n[0] <= 6);
        case TRIB_TYPE_VARCHAR:
            out->length = (uint32_t)n[0];
            return count == 0 || (n[0] >= 1 && n[0] <= INT32_MAX);
        default: return true;
        }
    }
    return false;
}

static Status declared_column(TribCatalog *self, const Options *options, const JsonValue *member,
                              DeclaredColumn **out, Error *err) {
    char *name;
    DeclaredColumn *column;
    TRY_ALLOC(column, ARENA_NEW(self->arena, DeclaredColumn), err);
    TRY_ALLOC(name, str_dup(self->arena, member->key), err);
    column->name = (Str){name, member->key.len};
    if (member->kind != JSON_STRING || !type_parse(member->text, &column->type)) {
        option_error(options, "tables", err,
                     "option \"tables\": the type of column \"" STR_FORMAT
                     "\" is not known: " STR_FORMAT,
                     STR_ARGS(member->key), STR_ARGS(member->text));
        return error_hint(err,
                          "varchar, varchar(n), bigint, integer, smallint, tinyint, "
                          "decimal(p,s), double, real, boolean, varbinary, date, timestamp(p), "
                          "json");
    }
    *out = column;
    return TRIB_OK;
}

static Status declared_table(TribCatalog *self, const Options *options, const JsonValue *member,
                             DeclaredTable **out, Error *err) {
    DeclaredTable *table;
    char *name;
    TRY_ALLOC(table, ARENA_NEW(self->arena, DeclaredTable), err);
    TRY_ALLOC(name, str_dup(self->arena, member->key), err);
    table->name = (Str){name, member->key.len};
    if (member->kind != JSON_OBJECT_BEGIN || !member->first)
        return option_error(options, "tables", err,
                            "option \"tables\": table \"" STR_FORMAT
                            "\" must be an object of columns and types",
                            STR_ARGS(member->key));
    DeclaredColumn **last = &table->columns;
    for (const JsonValue *column = member->first; column; column = column->next) {
        TRY(declared_column(self, options, column, last, err));
        last = &(*last)->next;
    }
    *out = table;
    return TRIB_OK;
}

static Status declared_tables(TribCatalog *self, const Options *options, Error *err) {
    const char *text = option_text(options, "tables");
    JsonValue *object;
    if (!text || !*text) return TRIB_OK;
    Error ignored;
    if (json_parse(self->arena, str_from(text), false, &object, &ignored) != TRIB_OK ||
        object->kind != JSON_OBJECT_BEGIN)
        return option_error(options, "tables", err,
                            "option \"tables\" must be an object of tables");
    DeclaredTable **last = &self->declared;
    for (const JsonValue *member = object->first; member; member = member->next) {
        TRY(declared_table(self, options, member, last, err));
        last = &(*last)->next;
    }
    return TRIB_OK;
}

const DeclaredTable *catalog_declared(const TribCatalog *self, Str table) {
    for (const DeclaredTable *t = self->declared; t; t = t->next) {
        if (str_equal(t->name, table)) return t;
    }
    return NULL;
}

/* ---------------------------------------------------------------- catalogs */

static Status catalog_fill(TribCatalog *self, const Options *options, Error *err) {
    self->max_connections = (uint32_t)option_integer(options, "max_connections", 4);
    self->segments = (uint32_t)option_integer(options, "segments", 0);
    self->sample_items = (uint32_t)option_integer(options, "sample_items", 1000);
    self->consistent_read = option_boolean(options, "consistent_read");
    self->on_mismatch = (OnMismatch)option_choice(options, "on_mismatch");
    TRY(declared_tables(self, options, err));
    TRY(option_list(options, self->arena, "hide", &self->hide, &self->nhide, err));
    for (uint32_t i = 0; i < self->nhide; i++) {
        char *copy;
        TRY_ALLOC(copy, str_dup(self->arena, self->hide[i]), err);
        self->hide[i].data = copy;
    }
    return aws_client_new(&service, options, self->host, self->name, self->max_connections,
                          &self->client, err);
}

Status catalog_new(const TribHost *host, const char *name, const TribOption *options,
                   uint32_t count, TribCatalog **out, Error *err) {
    Options parsed;
    Arena *arena;
    *out = NULL;
    TRY(options_init(&parsed, name, dynamodb_options, options, count, err));
    TRY_ALLOC(arena, arena_new(NULL), err);
    TribCatalog *self = ARENA_NEW(arena, TribCatalog);
    const char *own = arena_strdup(arena, name);
    if (!self || !own) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    self->arena = arena;
    self->host = host;
    self->name = own;
    Status status = catalog_fill(self, &parsed, err);
    if (status != TRIB_OK) {
        catalog_free(self);
        return error_source(err, name);
    }
    *out = self;
    return TRIB_OK;
}

void catalog_free(TribCatalog *self) {
    if (!self) return;
    aws_client_free(self->client);
    arena_free(self->arena);
}

bool catalog_shows(const TribCatalog *self, Str table) {
    for (uint32_t i = 0; i < self->nhide; i++) {
        Str pattern = self->hide[i];
        if (pattern.len > 8 && memcmp(pattern.data, SCHEMA_NAME ".", 8) == 0)
            pattern = (Str){pattern.data + 8, pattern.len - 8};
        if (name_matches(pattern, table)) return false;
    }
    return true;
}
