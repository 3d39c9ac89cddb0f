/*
 * options.c - checks and reads the options of a catalog by the connector's option table.
 */
#include "connectors/support/options.h"

#include <inttypes.h>

#include "engine/base/json.h"
#include "engine/base/number.h"

static const TribOptionDef *def_find(const Options *self, const char *name) {
    for (const TribOptionDef *def = self->defs; def->name; def++) {
        if (strcmp(def->name, name) == 0) return def;
    }
    return NULL;
}

static const TribOption *value_find(const Options *self, const char *name) {
    for (uint32_t i = 0; i < self->count; i++) {
        if (strcmp(self->values[i].name, name) == 0 && self->values[i].value)
            return &self->values[i];
    }
    return NULL;
}

Status option_error(const Options *self, const char *name, Error *err, const char *format, ...) {
    const TribOption *value = value_find(self, name);
    va_list arguments;
    va_start(arguments, format);
    error_setv(err, ERR_CONFIGURATION, format, arguments);
    va_end(arguments);
    if (value) {
        err->line = value->line;
        err->column = value->column;
    }
    return error_source(err, self->catalog);
}

/* 0-based index of `text` in "a|b|c"; -1. */
static int choice_index(const char *choices, Str text) {
    int index = 0;
    for (const char *c = choices; c; index++) {
        const char *end = strchr(c, '|');
        Str choice = {c, end ? (size_t)(end - c) : strlen(c)};
        if (str_equal_fold(choice, text)) return index;
        c = end ? end + 1 : NULL;
    }
    return -1;
}

/* The known names nearest to a wrong one, for the hint. */
static Status unknown_name(const Options *self, const TribOption *value, Error *err) {
    const char *best = NULL;
    uint32_t distance = 4;
    for (const TribOptionDef *def = self->defs; def->name; def++) {
        uint32_t d = str_distance(str_from(def->name), str_from(value->name), 3);
        if (d < distance) distance = d, best = def->name;
    }
    error_set(err, ERR_CONFIGURATION, "unknown option \"%s\"", value->name);
    err->line = value->line;
    err->column = value->column;
    if (best) error_hint(err, "did you mean \"%s\"?", best);
    return error_source(err, self->catalog);
}

static Status check_number(const Options *self, const TribOptionDef *def, const char *text,
                           Error *err) {
    int64_t number;
    if (int64_parse(str_from(text), &number) != NUMBER_OK) {
        return option_error(self, def->name, err,
                            "option \"%s\" must be a whole number, not \"%s\"", def->name, text);
    }
    if ((def->min || def->max) && (number < def->min || number > def->max)) {
        return option_error(self, def->name, err,
                            "option \"%s\" must be between %" PRId64 " and %" PRId64 ", not %s",
                            def->name, def->min, def->max, text);
    }
    return TRIB_OK;
}

static Status check_value(const Options *self, const TribOptionDef *def, const char *text,
                          Error *err) {
    switch (def->kind) {
    case TRIB_OPTION_INTEGER:
    case TRIB_OPTION_DURATION_MS:
    case TRIB_OPTION_BYTES: return check_number(self, def, text, err);
    case TRIB_OPTION_BOOLEAN:
        if (choice_index("true|false", str_from(text)) >= 0) return TRIB_OK;
        return option_error(self, def->name, err, "option \"%s\" must be true or false, not \"%s\"",
                            def->name, text);
    case TRIB_OPTION_CHOICE:
        if (choice_index(def->choices, str_from(text)) >= 0) return TRIB_OK;
        return option_error(self, def->name, err, "option \"%s\" must be one of %s, not \"%s\"",
                            def->name, def->choices, text);
    default: return TRIB_OK;
    }
}

Status options_init(Options *self, const char *catalog, const TribOptionDef *defs,
                    const TribOption *values, uint32_t count, Error *err) {
    *self = (Options){defs, values, count, catalog};
    for (uint32_t i = 0; i < count; i++) {
        const TribOptionDef *def = def_find(self, values[i].name);
        if (!def) return unknown_name(self, &values[i], err);
        if (values[i].value) TRY(check_value(self, def, values[i].value, err));
    }
    for (const TribOptionDef *def = defs; def->name; def++) {
        if (!def->required || value_find(self, def->name)) continue;
        option_error(self, def->name, err, "option \"%s\" is required", def->name);
        return error_hint(err, "%s: %s", def->name, def->help);
    }
    return TRIB_OK;
}

const char *option_text(const Options *self, const char *name) {
    const TribOption *value = value_find(self, name);
    if (value) return value->value;
    const TribOptionDef *def = def_find(self, name);
    return def ? def->default_value : NULL;
}

int64_t option_integer(const Options *self, const char *name, int64_t otherwise) {
    const char *text = option_text(self, name);
    int64_t number;
    if (!text || int64_parse(str_from(text), &number) != NUMBER_OK) return otherwise;
    return number;
}

bool option_boolean(const Options *self, const char *name) {
    const char *text = option_text(self, name);
    return text && choice_index("true", str_from(text)) == 0;
}

int option_choice(const Options *self, const char *name) {
    const char *text = option_text(self, name);
    const TribOptionDef *def = def_find(self, name);
    return text && def && def->choices ? choice_index(def->choices, str_from(text)) : -1;
}

bool option_given(const Options *self, const char *name) {
    return value_find(self, name) != NULL;
}

Status option_list(const Options *self, Arena *arena, const char *name, Str **out, uint32_t *count,
                   Error *err) {
    const char *text = option_text(self, name);
    *out = NULL;
    *count = 0;
    if (!text || !*text) return TRIB_OK;
    JsonValue *array;
    Status status = json_parse(arena, str_from(text), false, &array, err);
    if (status == TRIB_MEMORY) return status;
    bool good = status == TRIB_OK && array->kind == JSON_ARRAY_BEGIN;
    uint32_t items = 0;
    for (const JsonValue *item = good ? array->first : NULL; item; item = item->next) {
        good = good && item->kind == JSON_STRING;
        items++;
    }
    if (!good)
        return option_error(self, name, err, "option \"%s\" must be a list of strings, not %s",
                            name, text);
    TRY_ALLOC(*out, ARENA_ARRAY(arena, Str, items), err);
    for (const JsonValue *item = array->first; item; item = item->next)
        (*out)[(*count)++] = item->text;
    return TRIB_OK;
}

bool name_matches(Str pattern, Str name) {
    size_t p = 0, n = 0, star = SIZE_MAX, resume = 0;
    while (n < name.len) {
        bool one = p < pattern.len && pattern.data[p] != '*' &&
                   (pattern.data[p] == '?' ||
                    str_equal_fold((Str){pattern.data + p, 1}, (Str){name.data + n, 1}));
        if (one) {
            p++;
            size_t before = n;
            if (pattern.data[p - 1] != '?' || utf8_next(name.data, name.len, &n) < 0)
                n = before + 1;
        } else if (p < pattern.len && pattern.data[p] == '*') {
            star = p++;
            resume = n;
        } else if (star != SIZE_MAX) { /* let the last star take one more */
            p = star + 1;
            n = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.data[p] == '*') p++;
    return p == pattern.len;
}
