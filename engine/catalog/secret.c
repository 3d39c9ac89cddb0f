/*
 * secret.c - references in option values: ${env:NAME}, ${file:/path}, and $${ for a literal ${.
 *
 * They are resolved when a catalog is opened, every time anew, so that a changed password file serves
 * the next connection. Messages name the reference, never what it stands for.
 */
#include "engine/catalog/internal.h"

bool config_has_reference(Str text) {
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.data[i] == '$' && text.data[i + 1] == '{' && (i == 0 || text.data[i - 1] != '$'))
            return true;
    }
    return false;
}

typedef struct Expansion {
    const Config *config;
    Arena *arena;
    uint32_t line, column;
    size_t max;
    Buf out;
} Expansion;

static Status from_environment(Expansion *self, Str name, Error *err) {
    char *variable;
    TRY_ALLOC(variable, str_dup(self->arena, name), err);
    const char *value = os_env(variable);
    if (value) {
        buf_text(&self->out, value);
        return TRIB_OK;
    }
    (void)config_error(self->config, self->line, self->column, err,
                       "the environment variable " STR_FORMAT " is not set", STR_ARGS(name));
    return error_hint(err, "the process that opens the connection must have it");
}

/* A file's text without the line end that editors add. */
static Status from_file(Expansion *self, Str name, Error *err) {
    char *path;
    Str text;
    if (name.len == 0 || name.data[0] != '/')
        return config_error(self->config, self->line, self->column, err,
                            "the path in ${file:" STR_FORMAT "} must begin with /", STR_ARGS(name));
    TRY_ALLOC(path, str_dup(self->arena, name), err);
    Status status = os_read_file(self->arena, path, self->max, &text, err);
    if (status == TRIB_MEMORY) return status;
    if (status != TRIB_OK) {
        Error why = *err;
        return config_error(self->config, self->line, self->column, err,
                            "the file %s cannot be used: %s", path, why.message);
    }
    if (text.len && text.data[text.len - 1] == '\n') text.len--;
    if (text.len && text.data[text.len - 1] == '\r') text.len--;
    if (text.len && memchr(text.data, '\0', text.len))
        return config_error(self->config, self->line, self->column, err,
                            "the file %s holds a zero byte", path);
    buf_str(&self->out, text);
    return TRIB_OK;
}

static Status reference_expand(Expansion *self, Str reference, Error *err) {
    static const char *const kinds[] = {"env", "file"};
    const char *colon = memchr(reference.data, ':', reference.len);
    Str kind = {reference.data, colon ? (size_t)(colon - reference.data) : reference.len};
    Str name = colon ? (Str){colon + 1, reference.len - kind.len - 1} : (Str){"", 0};
    if (name.len > 0 && str_equal(kind, STR("env"))) return from_environment(self, name, err);
    if (name.len > 0 && str_equal(kind, STR("file"))) return from_file(self, name, err);
    (void)config_error(self->config, self->line, self->column, err,
                       "the reference ${" STR_FORMAT "} is not understood", STR_ARGS(reference));
    if (str_equal(kind, STR("env")) || str_equal(kind, STR("file")))
        return error_hint(err, "write ${env:NAME} or ${file:/path}");
    return config_suggest(err, kind, COUNT_OF(kinds), kinds);
}

static Status text_expand(Expansion *self, Str text, Error *err) {
    size_t at = 0;
    while (at < text.len) {
        const char *dollar = memchr(text.data + at, '$', text.len - at);
        size_t next = dollar ? (size_t)(dollar - text.data) : text.len;
        buf_add(&self->out, text.data + at, next - at);
        at = next;
        if (at == text.len) break;
        if (at + 2 < text.len && text.data[at + 1] == '$' && text.data[at + 2] == '{') {
            buf_text(&self->out, "${");
            at += 3;
        } else if (at + 1 < text.len && text.data[at + 1] == '{') {
            const char *close = memchr(text.data + at, '}', text.len - at);
            if (!close)
                return config_error(self->config, self->line, self->column, err,
                                    "a reference begins with ${ and does not end with }");
            Str reference = {text.data + at + 2, (size_t)(close - text.data) - at - 2};
            TRY(reference_expand(self, reference, err));
            at = (size_t)(close - text.data) + 1;
        } else {
            buf_char(&self->out, '$');
            at++;
        }
    }
    return buf_status(&self->out, err);
}

Status config_expand(const Config *config, Arena *arena, Str text, uint32_t line, uint32_t column,
                     size_t max, Str *out, Error *err) {
    Expansion self = {.config = config, .arena = arena, .line = line, .column = column, .max = max};
    *out = text;
    if (!text.len || !memchr(text.data, '$', text.len)) return TRIB_OK;
    buf_init(&self.out, arena, 2 * max + text.len);
    TRY(text_expand(&self, text, err));
    *out = buf_view(&self.out);
    return TRIB_OK;
}
