/*
 * options.c - the options of a catalog: those that every catalog takes, and the connector's own.
 *
 * A connector's options are checked against its table (TribOptionDef) and turned into canonical text:
 * integers in decimal, booleans "true" and "false", durations in milliseconds, sizes in bytes, choices
 * as the table spells them, lists as JSON arrays of strings. All messages carry the position in the
 * configuration; values of secret options never appear in them.
 */
#include "engine/base/number.h"
#include "engine/catalog/internal.h"

#define MAX_VALUE  ((size_t)64 << 10)
#define MAX_SCRIPT ((size_t)16 << 20)
#define MAX_DEFS   256

/* The engine's own. "type" stands here so that it is known and suggested. */
static const TribOptionDef common_defs[] = {
    {"type", TRIB_OPTION_STRING, NULL, NULL, 0, 0, true, false, "the connector"},
    {"max_connections", TRIB_OPTION_INTEGER, "4", NULL, 1, 1000, false, false,
     "most connections to the source"},
    {"max_requests_per_second", TRIB_OPTION_STRING, NULL, NULL, 0, 0, false, false,
     "cap on requests to the source"},
    {"default_schema", TRIB_OPTION_STRING, NULL, NULL, 0, 0, false, false,
     "schema of names that do not say one"},
    {"hide", TRIB_OPTION_LIST, NULL, NULL, 0, 0, false, false,
     "patterns of tables that are not shown"},
    {"comment", TRIB_OPTION_STRING, NULL, NULL, 0, 0, false, false, "what the catalog is"},
    {"script", TRIB_OPTION_STRING, NULL, NULL, 0, 0, false, false,
     "SQL that is run at first use (memory catalogs)"},
    {"metadata_ttl", TRIB_OPTION_INTEGER, NULL, NULL, 0, 604800, false, false,
     "seconds that descriptions stay fresh"},
};

typedef struct Reader {
    const Config *config;
    Arena *arena;
    const ConfigCatalog *catalog;
} Reader;

bool pattern_matches(Str pattern, Str name) {
    size_t p = 0, n = 0, star = SIZE_MAX, mark = 0;
    while (n < name.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            star = p++;
            mark = n;
        } else if (p < pattern.len &&
                   (pattern.data[p] == '?' ||
                    str_equal_fold((Str){pattern.data + p, 1}, (Str){name.data + n, 1}))) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.data[p] == '*') p++;
    return p == pattern.len;
}

/* ---------------------------------------------------------------- values */

static Status value_error(const Reader *self, const JsonValue *value, const TribOptionDef *def,
                          const char *wanted, Error *err) {
    bool shown = !def->secret && (value->kind == JSON_STRING || value->kind == JSON_NUMBER) &&
                 value->text.len <= 100;
    if (shown)
        return config_error(
            self->config, value->line, value->column, err,
            "the option \"%s\" of catalog \"" STR_FORMAT "\" must be %s, not \"" STR_FORMAT "\"",
            def->name, STR_ARGS(self->catalog->name), wanted, STR_ARGS(value->text));
    return config_error(self->config, value->line, value->column, err,
                        "the option \"%s\" of catalog \"" STR_FORMAT "\" must be %s", def->name,
                        STR_ARGS(self->catalog->name), wanted);
}

/* The scalar as text, with references resolved. */
static Status scalar_text(const Reader *self, const JsonValue *value, const TribOptionDef *def,
                          size_t max, Str *out, Error *err) {
    switch (value->kind) {
    case JSON_STRING: break;
    case JSON_NUMBER: *out = value->text; return TRIB_OK;
    case JSON_TRUE: *out = STR("true"); return TRIB_OK;
    case JSON_FALSE: *out = STR("false"); return TRIB_OK;
    default: return value_error(self, value, def, "a text, a number, true or false", err);
    }
    TRY(config_expand(self->config, self->arena, value->text, value->line, value->column, max, out,
                      err));
    if (out->len && memchr(out->data, '\0', out->len))
        return value_error(self, value, def, "a text without zero bytes", err);
    return TRIB_OK;
}

static Status integer_check(const Reader *self, const JsonValue *value, const TribOptionDef *def,
                            int64_t number, bool parsed, const char *unit, Error *err) {
    bool bounded = def->min != 0 || def->max != 0;
    if (parsed && (!bounded || (number >= def->min && number <= def->max))) return TRIB_OK;
    char wanted[128];
    if (bounded)
        (void)text_format(wanted, sizeof wanted, "%s from %lld to %lld", unit, (long long)def->min,
                          (long long)def->max);
    else
        (void)text_format(wanted, sizeof wanted, "%s", unit);
    return value_error(self, value, def, wanted, err);
}

/* "500", "500ms", "10s", "5m", "1h" in milliseconds. */
static bool duration_parse(Str text, int64_t *out) {
    static const struct {
        const char *suffix;
        int64_t factor;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    int64_t factor = 1;
    text = str_trim(text);
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        size_t length = strlen(units[i].suffix);
        if (text.len <= length ||
            memcmp(text.data + text.len - length, units[i].suffix, length) != 0)
            continue;
        factor = units[i].factor;
        text = str_trim((Str){text.data, text.len - length});
        break;
    }
    return int64_parse(text, out) == NUMBER_OK && !__builtin_mul_overflow(*out, factor, out);
}

static Status number_text(const Reader *self, const JsonValue *value, const TribOptionDef *def,
                          Str text, Str *out, Error *err) {
    int64_t number = 0;
    char *canonical;
    if (def->kind == TRIB_OPTION_INTEGER) {
        bool parsed = int64_parse(str_trim(text), &number) == NUMBER_OK;
        TRY(integer_check(self, value, def, number, parsed, "a whole number", err));
    }
    if (def->kind == TRIB_OPTION_DURATION_MS) {
        bool parsed = duration_parse(text, &number);
        TRY(integer_check(self, value, def, number, parsed,
                          "a time such as 500ms or 10s, in milliseconds", err));
    }
    if (def->kind == TRIB_OPTION_BYTES) {
        bool parsed = bytes_parse(text, &number);
        TRY(integer_check(self, value, def, number, parsed, "a size such as 64KB or 16MB, in bytes",
                          err));
    }
    TRY_ALLOC(canonical, arena_printf(self->arena, "%lld", (long long)number), err);
    *out = str_from(canonical);
    return TRIB_OK;
}

static Status choice_text(const Reader *self, const JsonValue *value, const TribOptionDef *def,
                          Str text, Str *out, Error *err) {
    Str choice;
    Buf wanted;
    buf_init(&wanted, self->arena, 4096);
    buf_text(&wanted, "one of ");
    for (size_t i = 0; (choice = choice_at(def->choices, i)).data != NULL; i++) {
        if (str_equal_fold(choice, str_trim(text))) {
            *out = choice;
            return TRIB_OK;
        }
        buf_printf(&wanted, "%s" STR_FORMAT, i ? ", " : "", STR_ARGS(choice));
    }
    return value_error(self, value, def, wanted.failed ? "one of its choices" : wanted.data, err);
}

static Status list_items(const Reader *self, const JsonValue *value, const TribOptionDef *def,
                         uint32_t *count, Str **items, Error *err) {
    uint32_t n = 0;
    *count = 0;
    for (const JsonValue *item = value->first; item; item = item->next) n++;
    TRY_ALLOC(*items, ARENA_ARRAY(self->arena, Str, value->kind == JSON_ARRAY_BEGIN ? n : 1), err);
    if (value->kind == JSON_STRING) {
        TRY(scalar_text(self, value, def, MAX_VALUE, &(*items)[(*count)++], err));
        return TRIB_OK;
    }
    if (value->kind != JSON_ARRAY_BEGIN)
        return value_error(self, value, def, "a text or a list of texts", err);
    for (const JsonValue *item = value->first; item; item = item->next) {
        if (item->kind != JSON_STRING) return value_error(self, item, def, "a list of texts", err);
        TRY(scalar_text(self, item, def, MAX_VALUE, &(*items)[(*count)++], err));
    }
    return TRIB_OK;
}

static Status list_text(const Reader *self, const JsonValue *value, const TribOptionDef *def,
                        Str *out, Error *err) {
    uint32_t count;
    Str *items;
    Buf text;
    TRY(list_items(self, value, def, &count, &items, err));
    buf_init(&text, self->arena, MAX_SCRIPT);
    buf_char(&text, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i) buf_char(&text, ',');
        json_quote(&text, items[i]);
    }
    buf_char(&text, ']');
    *out = buf_view(&text);
    return buf_status(&text, err);
}

/* The tree as JSON text again. The parser has bounded its depth. */
static void json_text(Buf *out, const JsonValue *value) {
    switch (value->kind) {
    case JSON_OBJECT_BEGIN:
    case JSON_ARRAY_BEGIN: {
        bool object = value->kind == JSON_OBJECT_BEGIN;
        buf_char(out, object ? '{' : '[');
        for (const JsonValue *child = value->first; child; child = child->next) {
            if (child != value->first) buf_char(out, ',');
            if (object) {
                json_quote(out, child->key);
                buf_char(out, ':');
            }
            json_text(out, child);
        }
        buf_char(out, object ? '}' : ']');
        return;
    }
    case JSON_STRING: json_quote(out, value->text); return;
    case JSON_NUMBER: buf_str(out, value->text); return;
    case JSON_TRUE: buf_text(out, "true"); return;
    case JSON_FALSE: buf_text(out, "false"); return;
    default: buf_text(out, "null"); return;
    }
}

static Status option_text(const Reader *self, const JsonValue *value, const TribOptionDef *def,
                          Str *out, Error *err) {
    Str text;
    Buf json;
    switch (def->kind) {
    case TRIB_OPTION_LIST: return list_text(self, value, def, out, err);
    case TRIB_OPTION_JSON:
        buf_init(&json, self->arena, MAX_SCRIPT);
        json_text(&json, value);
        *out = buf_view(&json);
        return buf_status(&json, err);
    default: break;
    }
    TRY(scalar_text(self, value, def, MAX_VALUE, &text, err));
    *out = text;
    switch (def->kind) {
    case TRIB_OPTION_INTEGER:
    case TRIB_OPTION_DURATION_MS:
    case TRIB_OPTION_BYTES: return number_text(self, value, def, text, out, err);
    case TRIB_OPTION_CHOICE: return choice_text(self, value, def, text, out, err);
    case TRIB_OPTION_BOOLEAN:
        if (str_equal_fold(text, STR("true")) || str_equal_fold(text, STR("on")) ||
            str_equal_fold(text, STR("yes"))) {
            *out = STR("true");
            return TRIB_OK;
        }
        if (str_equal_fold(text, STR("false")) || str_equal_fold(text, STR("off")) ||
            str_equal_fold(text, STR("no"))) {
            *out = STR("false");
            return TRIB_OK;
        }
        return value_error(self, value, def, "true or false", err);
    default: return TRIB_OK;
    }
}

/* ---------------------------------------------------------------- the engine's own */

static const TribOptionDef *def_find(const TribOptionDef *defs, size_t count, Str name) {
    for (size_t i = 0; i < count && defs[i].name; i++) {
        if (str_equal(name, str_from(defs[i].name))) return &defs[i];
    }
    return NULL;
}

static Status text_keep(const Reader *self, Str text, const char **out, Error *err) {
    TRY_ALLOC(*out, str_dup(self->arena, text), err);
    return TRIB_OK;
}

static Status script_check(const Reader *self, const JsonValue *value, const TribOptionDef *def,
                           CommonOptions *out, Error *err) {
    out->script = value;
    if (value->kind == JSON_STRING) return TRIB_OK;
    if (value->kind != JSON_ARRAY_BEGIN)
        return value_error(self, value, def, "SQL, or a list of statements", err);
    for (const JsonValue *item = value->first; item; item = item->next) {
        if (item->kind != JSON_STRING)
            return value_error(self, item, def, "a list of SQL statements", err);
    }
    return TRIB_OK;
}

Status options_script(const Config *config, Arena *arena, const ConfigCatalog *catalog,
                      const JsonValue *script, Str *out, Error *err) {
    Reader self = {.config = config, .arena = arena, .catalog = catalog};
    const TribOptionDef *def = def_find(common_defs, COUNT_OF(common_defs), STR("script"));
    if (script->kind == JSON_STRING) return scalar_text(&self, script, def, MAX_SCRIPT, out, err);
    Buf all;
    buf_init(&all, arena, MAX_SCRIPT);
    for (const JsonValue *item = script->first; item; item = item->next) {
        Str statement;
        TRY(scalar_text(&self, item, def, MAX_SCRIPT, &statement, err));
        buf_str(&all, statement);
        buf_text(&all, ";\n");
    }
    *out = buf_view(&all);
    return buf_status(&all, err);
}

static Status rate_read(const Reader *self, const JsonValue *value, const TribOptionDef *def,
                        CommonOptions *out, Error *err) {
    Str text;
    TRY(scalar_text(self, value, def, MAX_VALUE, &text, err));
    if (double_parse(str_trim(text), &out->max_requests_per_second) != NUMBER_OK ||
        !(out->max_requests_per_second > 0) || out->max_requests_per_second > 1e9)
        return value_error(self, value, def, "a number above 0", err);
    return TRIB_OK;
}

static Status common_read(const Reader *self, const JsonValue *value, const TribOptionDef *def,
                          CommonOptions *out, Error *err) {
    Str text = {"", 0};
    if (strcmp(def->name, "script") == 0) return script_check(self, value, def, out, err);
    if (strcmp(def->name, "hide") == 0)
        return list_items(self, value, def, &out->nhide, &out->hide, err);
    if (strcmp(def->name, "max_requests_per_second") == 0)
        return rate_read(self, value, def, out, err);
    TRY(option_text(self, value, def, &text, err));
    if (strcmp(def->name, "default_schema") == 0)
        return text_keep(self, text, &out->default_schema, err);
    if (strcmp(def->name, "comment") == 0) return text_keep(self, text, &out->comment, err);
    int64_t number = 0;
    if (def->kind == TRIB_OPTION_INTEGER && int64_parse(text, &number) != NUMBER_OK) number = 0;
    if (strcmp(def->name, "max_connections") == 0) out->max_connections = (uint32_t)number;
    if (strcmp(def->name, "metadata_ttl") == 0) out->metadata_ttl = number;
    return TRIB_OK;
}

Status options_common(const Config *config, Arena *arena, const ConfigCatalog *catalog,
                      CommonOptions *out, Error *err) {
    Reader self = {.config = config, .arena = arena, .catalog = catalog};
    *out = (CommonOptions){.metadata_ttl = -1};
    for (const JsonValue *member = catalog->members->first; member; member = member->next) {
        const TribOptionDef *def = def_find(common_defs, COUNT_OF(common_defs), member->key);
        if (def && member->kind != JSON_NULL) TRY(common_read(&self, member, def, out, err));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- the connector's */

static size_t defs_count(const TribOptionDef *defs) {
    size_t count = 0;
    while (count < MAX_DEFS && defs[count].name) count++;
    return count;
}

static Status option_unknown(const Reader *self, const JsonValue *member, const TribOptionDef *defs,
                             Error *err) {
    const char *names[MAX_DEFS + COUNT_OF(common_defs)];
    uint32_t count = 0;
    for (size_t i = 0; i < defs_count(defs); i++) names[count++] = defs[i].name;
    for (size_t i = 0; i < COUNT_OF(common_defs); i++) {
        if (!def_find(defs, MAX_DEFS, str_from(common_defs[i].name)))
            names[count++] = common_defs[i].name;
    }
    (void)config_error(self->config, member->key_line, member->key_column, err,
                       "catalogs of type " STR_FORMAT " have no option \"" STR_FORMAT "\"",
                       STR_ARGS(self->catalog->type), STR_ARGS(member->key));
    return config_suggest(err, member->key, count, names);
}

static Status required_check(const Reader *self, const TribOptionDef *defs, Error *err) {
    for (size_t i = 0; i < defs_count(defs); i++) {
        const JsonValue *given = json_member(self->catalog->members, str_from(defs[i].name));
        if (!defs[i].required || defs[i].default_value || (given && given->kind != JSON_NULL))
            continue;
        (void)config_error(self->config, self->catalog->line, self->catalog->column, err,
                           "the catalog \"" STR_FORMAT "\" lacks the option \"%s\"",
                           STR_ARGS(self->catalog->name), defs[i].name);
        return error_hint(err, "%s: %s", defs[i].name, defs[i].help ? defs[i].help : "");
    }
    return TRIB_OK;
}

/* Type and options without secrets, in the table's order, so that the order in the file is no matter. */
static Status identity_of(const Reader *self, const TribOptionDef *defs, CatalogOptions *out,
                          Error *err) {
    Buf text;
    buf_init(&text, self->arena, MAX_SCRIPT);
    buf_str(&text, self->catalog->type);
    for (size_t d = 0; d < defs_count(defs); d++) {
        if (defs[d].secret) continue;
        for (uint32_t i = 0; i < out->noptions; i++) {
            if (strcmp(out->options[i].name, defs[d].name) != 0) continue;
            buf_char(&text, '\0');
            buf_text(&text, defs[d].name);
            buf_char(&text, '=');
            buf_text(&text, out->options[i].value);
        }
    }
    out->identity = buf_view(&text);
    return buf_status(&text, err);
}

Status options_check(const Config *config, Arena *arena, const ConfigCatalog *catalog,
                     const TribOptionDef *defs, CatalogOptions *out, Error *err) {
    Reader self = {.config = config, .arena = arena, .catalog = catalog};
    uint32_t members = 0;
    for (const JsonValue *member = catalog->members->first; member; member = member->next)
        members++;
    *out = (CatalogOptions){0};
    TRY_ALLOC(out->options, ARENA_ARRAY(arena, TribOption, members), err);
    for (const JsonValue *member = catalog->members->first; member; member = member->next) {
        if (member->kind == JSON_NULL) continue;
        /* An option of both (max_connections, hide) goes to the connector too. */
        const TribOptionDef *def = def_find(defs, MAX_DEFS, member->key);
        Str text = {"", 0};
        if (!def && def_find(common_defs, COUNT_OF(common_defs), member->key)) continue;
        if (!def) return option_unknown(&self, member, defs, err);
        TRY(option_text(&self, member, def, &text, err));
        TribOption *option = &out->options[out->noptions++];
        option->name = def->name;
        option->line = member->line;
        option->column = member->column;
        TRY(text_keep(&self, text, &option->value, err));
    }
    TRY(required_check(&self, defs, err));
    TRY(options_common(config, arena, catalog, &out->common, err));
    return identity_of(&self, defs, out, err);
}
