/*
 * regexp_pattern.c - Java's regular expressions (those of Trino) in RE2's spelling, and their compilation.
 *
 * What needs a search that goes back - look-around, references to groups, atomic groups - is refused by
 * name, and so are operations on classes of characters, which RE2 would read as something else. Named groups,
 * \uXXXX, \e and \p{Alpha} are written in RE2's way; everything else is RE2's to judge.
 */
#include "engine/functions/regexp.h"

#include "engine/base/module.h"

#define PATTERN_MAX ((size_t)1 << 20)

typedef struct Translation {
    Str in;
    size_t at;
    Buf *out;
    const char *refused; /* what RE2 has not */
} Translation;

/* ---------------------------------------------------------------- translation */

static bool looking_at(const Translation *t, const char *text) {
    size_t len = strlen(text);
    return t->in.len - t->at >= len && memcmp(t->in.data + t->at, text, len) == 0;
}

static void copy(Translation *t, size_t bytes) {
    if (bytes > t->in.len - t->at) bytes = t->in.len - t->at;
    buf_add(t->out, t->in.data + t->at, bytes);
    t->at += bytes;
}

static bool hex_digits(Str text, size_t at, size_t count) {
    if (text.len - at < count) return false;
    for (size_t i = at; i < at + count; i++) {
        char c = text.data[i];
        char low = (char)(c | 32);
        if (!((c >= '0' && c <= '9') || (low >= 'a' && low <= 'f'))) return false;
    }
    return true;
}

/* \p{Alpha}: Java's names of ASCII classes are POSIX's here. */
static bool translate_class_name(Translation *t, bool in_class) {
    static const char *const names[] = {"Alnum", "Alpha", "ASCII", "Blank", "Cntrl",
                                        "Digit", "Graph", "Lower", "Print", "Punct",
                                        "Space", "Upper", "XDigit"};
    bool inverted = t->in.data[t->at + 1] == 'P';
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        size_t len = strlen(names[i]);
        Str rest = {t->in.data + t->at + 2, t->in.len - t->at - 2};
        if (rest.len < len + 2 || rest.data[0] != '{' || rest.data[len + 1] != '}' ||
            memcmp(rest.data + 1, names[i], len) != 0)
            continue;
        buf_text(t->out, in_class ? "[:" : "[[:");
        if (inverted) buf_char(t->out, '^');
        for (size_t c = 0; c < len; c++) buf_char(t->out, (char)(names[i][c] | 32));
        buf_text(t->out, in_class ? ":]" : ":]]");
        t->at += 2 + len + 2;
        return true;
    }
    return false;
}

/* At a backslash. */
static void translate_escape(Translation *t, bool in_class) {
    char c = t->at + 1 < t->in.len ? t->in.data[t->at + 1] : '\0';
    if (!in_class && ((c >= '1' && c <= '9') || c == 'k')) {
        t->refused = "references to groups";
    } else if (c == 'u' && hex_digits(t->in, t->at + 2, 4)) {
        t->at += 2;
        buf_text(t->out, "\\x{");
        copy(t, 4);
        buf_char(t->out, '}');
    } else if (c == 'e') {
        buf_text(t->out, "\\x1B");
        t->at += 2;
    } else if (c == 'Q' && !in_class) {
        const char *end = memmem(t->in.data + t->at, t->in.len - t->at, "\\E", 2);
        copy(t, end != NULL ? (size_t)(end + 2 - t->in.data) - t->at : t->in.len - t->at);
    } else if ((c == 'p' || c == 'P') && translate_class_name(t, in_class)) {
        return;
    } else {
        copy(t, 2); /* the rest of a longer character is copied as it comes */
    }
}

/* At '('. */
static void translate_group(Translation *t) {
    static const struct {
        const char *text, *name;
    } refused[] = {
        {"(?=", "look-ahead"},   {"(?!", "look-ahead"},    {"(?<=", "look-behind"},
        {"(?<!", "look-behind"}, {"(?>", "atomic groups"},
    };
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        if (looking_at(t, refused[i].text)) {
            t->refused = refused[i].name;
            return;
        }
    }
    if (looking_at(t, "(?<")) {
        buf_text(t->out, "(?P<");
        t->at += 3;
    } else {
        copy(t, 1);
    }
}

/* At '[': up to and with the ']'. */
static void translate_class(Translation *t) {
    copy(t, 1);
    if (looking_at(t, "^")) copy(t, 1);
    if (looking_at(t, "]")) copy(t, 1);
    while (t->at < t->in.len && t->refused == NULL) {
        char c = t->in.data[t->at];
        if (c == '\\') {
            translate_escape(t, true);
        } else if (looking_at(t, "&&") || (c == '[' && !looking_at(t, "[:"))) {
            t->refused = "unions and intersections of classes of characters";
        } else if (c == '[') {
            const char *end = memmem(t->in.data + t->at, t->in.len - t->at, ":]", 2);
            copy(t, end != NULL ? (size_t)(end + 2 - t->in.data) - t->at : 1);
        } else {
            copy(t, 1);
            if (c == ']') return;
        }
    }
}

bool regexp_translate(Str pattern, Buf *out, char *message, size_t size) {
    Translation t = {.in = pattern, .out = out};
    while (t.at < pattern.len && t.refused == NULL) {
        switch (pattern.data[t.at]) {
        case '\\': translate_escape(&t, false); break;
        case '(': translate_group(&t); break;
        case '[': translate_class(&t); break;
        default: copy(&t, 1);
        }
    }
    if (t.refused == NULL) return true;
    size_t last = strlen(t.refused) - 1;
    text_format(message, size, "%s %s not supported: expressions are matched in linear time",
                t.refused, t.refused[last] == 's' ? "are" : "is");
    return false;
}

/* ---------------------------------------------------------------- compilation */

static Status module_get(const RegexpModule **out, Error *err) {
    const void *table = NULL;
    TRY(module_load("regexp", "RE2 (libre2-dev)", &table, err));
    const RegexpModule *module = table;
    if (module->version != REGEXP_MODULE_VERSION) {
        return error_set(err, ERR_CONFIGURATION,
                         "the module of regular expressions is of another version");
    }
    *out = module;
    return TRIB_OK;
}

static void regexp_release(void *context) {
    Regexp *self = context;
    if (self->compiled != NULL) self->module->release(self->compiled);
    self->compiled = NULL;
}

/* Into a Regexp that owns nothing. */
static Status compile_into(Arena *scratch, Str pattern, Regexp *out, Error *err) {
    Buf text;
    out->message[0] = '\0';
    out->compiled = NULL;
    TRY(module_get(&out->module, err));
    buf_init(&text, scratch, PATTERN_MAX);
    if (!regexp_translate(pattern, &text, out->message, sizeof(out->message))) return TRIB_OK;
    if (text.exceeded) {
        text_format(out->message, sizeof(out->message), "the pattern is too long");
        return TRIB_OK;
    }
    TRY(buf_status(&text, err));
    Str translated = buf_view(&text);
    out->compiled =
        out->module->compile(translated.data, translated.len, out->message, sizeof(out->message));
    if (out->compiled != NULL) out->groups = out->module->groups(out->compiled);
    return TRIB_OK;
}

Status regexp_compile(Arena *arena, Str pattern, Regexp *out, Error *err) {
    *out = (Regexp){0};
    if (!arena_on_reset(arena, regexp_release, out)) return error_out_of_memory(err);
    return compile_into(arena, pattern, out, err);
}

Status regexp_prepare(Arena *arena, uint32_t nargs, const Value *const *constants, void **state,
                      Error *err) {
    if (constants[1] == NULL || constants[1]->is_null) return TRIB_OK;
    Regexp *regexp;
    TRY_ALLOC(regexp, ARENA_NEW(arena, Regexp), err);
    Str pattern = {constants[1]->as.text.data, constants[1]->as.text.length};
    TRY(regexp_compile(arena, pattern, regexp, err));
    *state = regexp;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- patterns of rows */

static Status patterns_compile(Patterns *self, KernelCall *call, Str pattern) {
    if (self->own == NULL) {
        TRY_ALLOC(self->own_arena, arena_new(call->arena), call->err);
        TRY_ALLOC(self->own, ARENA_NEW(call->arena, Regexp), call->err);
    } else {
        if (str_equal(self->last, pattern)) return TRIB_OK;
        arena_reset(self->own_arena);
    }
    self->last = (Str){NULL, 0};
    TRY(regexp_compile(self->own_arena, pattern, self->own, call->err));
    self->last = pattern;
    return TRIB_OK;
}

Status patterns_at(Patterns *self, KernelCall *call, uint32_t row, const Regexp **out) {
    self->fixed = call->state;
    const Regexp *regexp = self->fixed;
    *out = NULL;
    if (regexp == NULL) {
        /* inline text stays where the vector has it */
        TRY(patterns_compile(self, call, strview_str(&KERNEL_ARG(call, 1, StrView, row))));
        regexp = self->own;
    }
    if (regexp->compiled == NULL) {
        KERNEL_FAIL(call, row, ERR_INVALID_REGEXP, "invalid regular expression: %s",
                    regexp->message);
        return TRIB_OK;
    }
    if (self->capacity < regexp->groups + 1) {
        uint32_t capacity = regexp->groups + 8;
        TRY_ALLOC(self->spans, ARENA_ARRAY(call->arena, RegexpSpan, capacity), call->err);
        self->capacity = capacity;
    }
    *out = regexp;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- matches */

Status matches_next(Matches *self, bool *found, Error *err) {
    *found = false;
    if (self->next > self->text.len) return TRIB_OK;
    int result = self->regexp->module->match(self->regexp->compiled, self->text.data,
                                             self->text.len, self->next, self->spans, self->nspans);
    if (result < 0) return error_out_of_memory(err);
    if (result == 0) return TRIB_OK;
    size_t end = (size_t)self->spans[0].end;
    self->next = end;
    if (self->spans[0].begin == self->spans[0].end) {
        if (end < self->text.len) {
            utf8_next(self->text.data, self->text.len, &self->next);
        } else {
            self->next = end + 1;
        }
    }
    *found = true;
    return TRIB_OK;
}
