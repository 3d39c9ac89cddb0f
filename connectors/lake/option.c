/*
 * option.c - the options of a lake catalog, and those of its tables.
 *
 * A table's options stand in the option `tables`, a JSON object by name; what is not given there comes
 * from the catalog. Both are read by the same functions, so that they mean the same.
 */
#include <stdlib.h>
#include <unistd.h>

#include "connectors/lake/column_type.h"
#include "connectors/lake/lake.h"
#include "connectors/lake/store_s3.h"
#include "engine/base/json.h"
#include "engine/base/number.h"

enum { TABLES_JSON_MAX = 16 * 1024 * 1024, JSON_DEPTH = 32 };

const TribOptionDef lake_options[] = {
    {.name = "path",
     .kind = TRIB_OPTION_STRING,
     .required = true,
     .help = "the folder: an absolute path, or s3://bucket/prefix"},
    {.name = "tables",
     .kind = TRIB_OPTION_JSON,
     .help = "tables by name: {\"orders\": {\"path\": \"orders/*.csv\", \"columns\": {\"id\": "
             "\"bigint\"}}}; without it each file and folder of path is a table"},
    {.name = "format",
     .kind = TRIB_OPTION_CHOICE,
     .default_value = "auto",
     .choices = "auto|csv|json",
     .help = "what the files hold; auto goes by their names (.csv .tsv .psv .json .jsonl .ndjson)"},
    {.name = "compression",
     .kind = TRIB_OPTION_CHOICE,
     .default_value = "auto",
     .choices = "auto|none|gzip|zstd",
     .help = "auto goes by the names (.gz .zst)"},
    {.name = "delimiter",
     .kind = TRIB_OPTION_STRING,
     .help = "csv: what separates fields, one character or \\t; default: found by looking"},
    {.name = "quote",
     .kind = TRIB_OPTION_STRING,
     .default_value = "\"",
     .help = "csv: the quote character; empty for none"},
    {.name = "escape",
     .kind = TRIB_OPTION_STRING,
     .help =
         "csv: the character before a quote within quotes (without a quote character: before any "
         "character); default: the quote character"},
    {.name = "header",
     .kind = TRIB_OPTION_CHOICE,
     .default_value = "auto",
     .choices = "auto|yes|no",
     .help = "csv: does each file begin with names; auto looks at the first file"},
    {.name = "skip_lines",
     .kind = TRIB_OPTION_INTEGER,
     .default_value = "0",
     .min = 0,
     .max = 1000000,
     .help = "csv: lines before the header or the first record that are not read"},
    {.name = "null_text",
     .kind = TRIB_OPTION_STRING,
     .default_value = "",
     .help = "csv: the text that means NULL"},
    {.name = "quoted_newlines",
     .kind = TRIB_OPTION_BOOLEAN,
     .default_value = "true",
     .help = "csv: a quoted field may hold line ends; false lets every file be read in parallel"},
    {.name = "sample_rows",
     .kind = TRIB_OPTION_INTEGER,
     .default_value = "20000",
     .min = 1,
     .max = 1000000000,
     .help = "rows that are looked at to find columns and types, from several places"},
    {.name = "on_mismatch",
     .kind = TRIB_OPTION_CHOICE,
     .default_value = "error",
     .choices = "error|null|varchar",
     .help = "a value that is not of its column's type: fail the query, read it as NULL with a "
             "warning, or make every inferred column varchar"},
    {.name = "max_value_size",
     .kind = TRIB_OPTION_BYTES,
     .default_value = "67108864",
     .min = 1024,
     .max = 1073741824,
     .help = "the largest single value"},
    {.name = "max_compression_ratio",
     .kind = TRIB_OPTION_INTEGER,
     .default_value = "1100",
     .min = 0,
     .max = 1000000,
     .help = "a file that expands to more than this many times its size is refused; 0: any"},
    {.name = "json_depth",
     .kind = TRIB_OPTION_INTEGER,
     .default_value = "1000",
     .min = 1,
     .max = 10000,
     .help = "json: the deepest nesting"},
    {.name = "url_style",
     .kind = TRIB_OPTION_CHOICE,
     .default_value = "auto",
     .choices = "auto|path|virtual",
     .help =
         "S3: the bucket stands in the path or in the host's name; auto: in the host's name at AWS "
         "itself, in the path elsewhere"},
    AWS_OPTIONS("S3"),
    {.name = NULL},
};

/* ---------------------------------------------------------------- characters and words */

/* One character, "\t", or nothing; false: something else. */
static bool character_read(const char *text, char *out, bool *given) {
    *given = *text != '\0';
    if (strcmp(text, "\\t") == 0)
        *out = '\t';
    else if (strlen(text) <= 1)
        *out = text[0];
    else
        return false;
    return (unsigned char)*out < 0x80 && *out != '\n' && *out != '\r';
}

static const char *const CHARACTER_WANTED =
    "one ASCII character other than line ends, or \\t for the tabulator";

static bool dialect_character(Shape *shape, const char *name, const char *text) {
    CsvDialect *d = &shape->dialect;
    bool given;
    if (strcmp(name, "delimiter") == 0)
        return character_read(text, &d->delimiter, &shape->delimiter_known);
    if (strcmp(name, "quote") == 0) return character_read(text, &d->quote, &d->has_quote);
    if (!character_read(text, &d->escape, &given)) return false;
    d->has_escape = given && !(d->has_quote && d->escape == d->quote);
    return true;
}

static bool dialect_sound(const Shape *shape) {
    const CsvDialect *d = &shape->dialect;
    if (d->has_quote && shape->delimiter_known && d->quote == d->delimiter) return false;
    return !(d->has_escape && shape->delimiter_known && d->escape == d->delimiter);
}

static int word_index(Str text, const char *const *words, int count) {
    for (int i = 0; i < count; i++) {
        if (str_equal_fold(text, str_from(words[i]))) return i;
    }
    return -1;
}

/* ---------------------------------------------------------------- paths */

static bool path_is_s3(const char *path) {
    return strncmp(path, "s3://", 5) == 0;
}

/* The key of a path: "s3://b/k" is "b/k"; a relative one stands below the root. No slash at its end. */
static Status path_key(TribCatalog *catalog, const Options *options, const char *path,
                       TableDef *def, Error *err) {
    char *key;
    bool s3 = path_is_s3(path), absolute = path[0] == '/' || s3;
    if (s3 && !catalog->s3)
        TRY(store_s3_new(options, catalog->host, catalog->name, &catalog->s3, err));
    def->store =
        s3 || (!absolute && catalog->root.store != store_local()) ? catalog->s3 : store_local();
    if (absolute)
        TRY_ALLOC(key, arena_strdup(catalog->arena, s3 ? path + 5 : path), err);
    else
        TRY_ALLOC(key, arena_printf(catalog->arena, "%s/%s", catalog->root.path, path), err);
    for (size_t n = strlen(key); n > 1 && key[n - 1] == '/'; n--) key[n - 1] = '\0';
    def->path = key;
    def->pattern = path_is_pattern(key);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- tables */

typedef struct TableReader {
    TribCatalog *catalog;
    const Options *options;
    Str table;
    TableDef *def;
    bool has_path;
} TableReader;

static Status table_error(const TableReader *self, const JsonValue *member, const char *wanted,
                          Error *err) {
    return option_error(self->options, "tables", err,
                        "table \"" STR_FORMAT "\": \"" STR_FORMAT "\" must be %s",
                        STR_ARGS(self->table), STR_ARGS(member->key), wanted);
}

static Status declared_read(const TableReader *self, const JsonValue *object, uint32_t *count,
                            const Declared **out, Error *err) {
    bool partitions = str_equal(object->key, STR("partitions"));
    Declared *list;
    uint32_t n = 0;
    if (object->kind != JSON_OBJECT_BEGIN)
        return table_error(self, object, "an object of names and types", err);
    for (const JsonValue *m = object->first; m; m = m->next) n++;
    TRY_ALLOC(list, ARENA_ARRAY(self->catalog->arena, Declared, n), err);
    *count = 0;
    for (const JsonValue *m = object->first; m; m = m->next) {
        Declared *declared = &list[(*count)++];
        if (m->kind != JSON_STRING ||
            !column_type_parse(self->catalog->arena, m->text, &declared->type) ||
            (partitions && column_type_nested(declared->type))) {
            option_error(self->options, "tables", err,
                         "table \"" STR_FORMAT "\", column \"" STR_FORMAT "\": \"" STR_FORMAT
                         "\" is no type of columns",
                         STR_ARGS(self->table), STR_ARGS(m->key), STR_ARGS(m->text));
            return error_hint(err, "types: %s", column_type_names);
        }
        TRY_ALLOC(declared->name, str_dup(self->catalog->arena, m->key), err);
    }
    *out = list;
    return TRIB_OK;
}

static Status table_number(const TableReader *self, const JsonValue *member, int64_t most,
                           int64_t *out, Error *err) {
    if (member->kind == JSON_NUMBER && int64_parse(member->text, out) == NUMBER_OK && *out >= 0 &&
        *out <= most)
        return TRIB_OK;
    return table_error(self, member, "a number in its range", err);
}

/* Choices of tables are those of the catalog's options, in the order of their enums. */
static Status table_choice(const TableReader *self, const JsonValue *member, int *out, Error *err) {
    const TribOptionDef *def = lake_options;
    while (strcmp(def->name, "format") != 0) def++;
    while (!str_equal(str_from(def->name), member->key)) def++;
    Str word = member->text;
    if (member->kind == JSON_TRUE) word = STR("yes");
    if (member->kind == JSON_FALSE) word = STR("no");
    const char *at = def->choices;
    for (*out = 0;; (*out)++) {
        const char *end = strchr(at, '|');
        Str choice = {at, end ? (size_t)(end - at) : strlen(at)};
        if (str_equal_fold(word, choice)) return TRIB_OK;
        if (!end) break;
        at = end + 1;
    }
    return table_error(self, member, def->choices, err);
}

static Status table_text(TableReader *self, const JsonValue *member, Error *err) {
    char *text;
    if (member->kind != JSON_STRING || memchr(member->text.data, '\0', member->text.len))
        return table_error(self, member, "a text", err);
    TRY_ALLOC(text, str_dup(self->catalog->arena, member->text), err);
    if (str_equal(member->key, STR("path"))) {
        self->has_path = true;
        return path_key(self->catalog, self->options, text, self->def, err);
    }
    if (str_equal(member->key, STR("null_text"))) {
        self->def->shape.null_text = str_from(text);
        return TRIB_OK;
    }
    char name[16];
    text_format(name, sizeof name, STR_FORMAT, STR_ARGS(member->key));
    if (!dialect_character(&self->def->shape, name, text))
        return table_error(self, member, CHARACTER_WANTED, err);
    return TRIB_OK;
}

static Status table_member(TableReader *self, const JsonValue *member, Error *err) {
    static const char *const texts[] = {"path", "null_text", "delimiter", "quote", "escape"};
    static const char *const choices[] = {"format", "compression", "header", "on_mismatch"};
    TableDef *def = self->def;
    Str key = member->key;
    int64_t number = 0;
    int choice = word_index(key, choices, COUNT_OF(choices)), value = 0;
    if (word_index(key, texts, COUNT_OF(texts)) >= 0) return table_text(self, member, err);
    if (choice >= 0) {
        TRY(table_choice(self, member, &value, err));
        if (choice == 0) def->shape.format = (FormatKind)value;
        if (choice == 1) def->shape.codec = (Codec)value;
        if (choice == 2) def->shape.header = (Header)value;
        if (choice == 3) def->shape.on_mismatch = (OnMismatch)value;
        return TRIB_OK;
    }
    if (str_equal(key, STR("columns")))
        return declared_read(self, member, &def->ncolumns, &def->columns, err);
    if (str_equal(key, STR("partitions")))
        return declared_read(self, member, &def->npartitions, &def->partitions, err);
    if (str_equal(key, STR("skip_lines"))) {
        TRY(table_number(self, member, 1000000, &number, err));
        def->shape.skip_lines = (uint32_t)number;
        return TRIB_OK;
    }
    if (str_equal(key, STR("sample_rows"))) {
        TRY(table_number(self, member, 1000000000, &number, err));
        def->sample_rows = number > 0 ? (uint64_t)number : 1;
        return TRIB_OK;
    }
    if (str_equal(key, STR("quoted_newlines")) &&
        (member->kind == JSON_TRUE || member->kind == JSON_FALSE)) {
        def->shape.quoted_newlines = member->kind == JSON_TRUE;
        return TRIB_OK;
    }
    option_error(self->options, "tables", err,
                 "table \"" STR_FORMAT "\": unknown key \"" STR_FORMAT "\"", STR_ARGS(self->table),
                 STR_ARGS(key));
    return error_hint(err,
                      "keys: path, columns, partitions, format, compression, delimiter, quote, "
                      "escape, header, skip_lines, null_text, quoted_newlines, sample_rows, "
                      "on_mismatch");
}

static Status table_read(TribCatalog *catalog, const Options *options, const JsonValue *value,
                         TableDef *def, Error *err) {
    TableReader self = {.catalog = catalog, .options = options, .table = value->key, .def = def};
    if (value->kind != JSON_OBJECT_BEGIN || value->key.len == 0 ||
        memchr(value->key.data, '\0', value->key.len))
        return option_error(options, "tables", err,
                            "\"tables\" holds an object of options for each table's name");
    *def = catalog->root;
    TRY_ALLOC(def->name, str_dup(catalog->arena, value->key), err);
    TRY(path_key(catalog, options, def->name, def, err));
    for (const JsonValue *m = value->first; m; m = m->next) TRY(table_member(&self, m, err));
    if (!dialect_sound(&def->shape))
        return option_error(options, "tables", err,
                            "table \"" STR_FORMAT
                            "\": delimiter, quote and escape must be different characters",
                            STR_ARGS(self.table));
    return TRIB_OK;
}

static Status tables_read(TribCatalog *catalog, const Options *options, Error *err) {
    const char *text = option_text(options, "tables");
    JsonValue *root = NULL;
    if (!text || !option_given(options, "tables")) return TRIB_OK;
    if (strlen(text) > TABLES_JSON_MAX)
        return option_error(options, "tables", err, "the option \"tables\" is too long");
    TRY(json_parse(catalog->arena, str_from(text), true, &root, err));
    if (root->kind != JSON_OBJECT_BEGIN)
        return option_error(options, "tables", err, "\"tables\" must be an object");
    for (const JsonValue *m = root->first; m; m = m->next) catalog->ntables++;
    TRY_ALLOC(catalog->tables, ARENA_ARRAY(catalog->arena, TableDef, catalog->ntables), err);
    uint32_t at = 0;
    for (const JsonValue *m = root->first; m; m = m->next)
        TRY(table_read(catalog, options, m, &catalog->tables[at++], err));
    catalog->listed = true;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- the catalog */

static Status dialect_config(const Options *options, Shape *shape, Error *err) {
    static const char *const names[] = {"delimiter", "quote", "escape"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *text = option_text(options, names[i]);
        if (text && !dialect_character(shape, names[i], text))
            return option_error(options, names[i], err, "option \"%s\" must be %s", names[i],
                                CHARACTER_WANTED);
    }
    if (dialect_sound(shape)) return TRIB_OK;
    return option_error(options, "quote", err,
                        "delimiter, quote and escape must be different characters");
}

static Status shape_config(TribCatalog *catalog, const Options *options, Error *err) {
    Shape *shape = &catalog->root.shape;
    char *null_text;
    shape->format = (FormatKind)option_choice(options, "format");
    shape->codec = (Codec)option_choice(options, "compression");
    shape->header = (Header)option_choice(options, "header");
    shape->on_mismatch = (OnMismatch)option_choice(options, "on_mismatch");
    shape->skip_lines = (uint32_t)option_integer(options, "skip_lines", 0);
    shape->max_value = (uint64_t)option_integer(options, "max_value_size", 67108864);
    shape->max_ratio = (uint32_t)option_integer(options, "max_compression_ratio", 1100);
    shape->json_depth = (uint32_t)option_integer(options, "json_depth", 1000);
    shape->quoted_newlines = option_boolean(options, "quoted_newlines");
    TRY_ALLOC(null_text, arena_strdup(catalog->arena, option_text(options, "null_text")), err);
    shape->null_text = str_from(null_text);
    catalog->root.sample_rows = (uint64_t)option_integer(options, "sample_rows", 20000);
    return dialect_config(options, shape, err);
}

Status lake_config(TribCatalog *catalog, const TribOption *values, uint32_t count, Error *err) {
    Options options;
    TRY(options_init(&options, catalog->name, lake_options, values, count, err));
    const char *path = option_text(&options, "path");
    if (path[0] != '/' && !path_is_s3(path)) {
        option_error(&options, "path", err,
                     "option \"path\" must be an absolute path or begin with s3://");
        return error_hint(err, "${env:HOME} can stand in it");
    }
    TRY_ALLOC(catalog->path, arena_strdup(catalog->arena, path), err);
    TRY(shape_config(catalog, &options, err));
    TRY(path_key(catalog, &options, catalog->path, &catalog->root, err));
    catalog->root.pattern = false;
    TRY(tables_read(catalog, &options, err));
    return TRIB_OK;
}
