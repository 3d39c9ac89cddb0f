/*
 * text_language.c - rows and kernels of text functions that need to know languages: normal forms, stems,
 * Soundex. What ASCII does not decide is in a module that is loaded at first use.
 */
#include "engine/functions/helpers.h"
#include "engine/functions/language_module.h"

#include "engine/base/module.h"
#include "engine/kernels/text.h"

static Status module_get(const LanguageModule **out, Error *err) {
    const void *table = NULL;
    TRY(module_load("language", "libutf8proc-dev and libstemmer-dev", &table, err));
    *out = table;
    if ((*out)->version == LANGUAGE_MODULE_VERSION) return TRIB_OK;
    return error_set(err, ERR_CONFIGURATION, "the module of languages is of another version");
}

/* ---------------------------------------------------------------- normalize */

static bool form_named(Str name, NormalForm *out) {
    static const char *const names[] = {
        [FORM_NFC] = "NFC", [FORM_NFD] = "NFD", [FORM_NFKC] = "NFKC", [FORM_NFKD] = "NFKD"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!str_equal(name, str_from(names[i]))) continue;
        *out = (NormalForm)i;
        return true;
    }
    return false;
}

typedef struct Room {
    int32_t *data;
    size_t size;
} Room;

static Status normalize_row(KernelCall *call, const LanguageModule *module, uint32_t row,
                            NormalForm form, Room *room) {
    Str text = arg_text(call, 0, row);
    int64_t len;
    for (;;) {
        len = module->normalize(text.data, text.len, form, room->data, room->size);
        if (len >= 0) break;
        TRY_ALLOC(room->data, ARENA_ARRAY(call->arena, int32_t, (size_t)-len), call->err);
        room->size = (size_t)-len;
    }
    return kernel_put_text(call, row, (const char *)room->data, (size_t)len);
}

static Status kernel_normalize(KernelCall *call) {
    const LanguageModule *module = NULL;
    Room room = {NULL, 0};
    KERNEL_ROWS(call, row, {
        Str text = arg_text(call, 0, row);
        NormalForm form = FORM_NFC;
        if (call->nargs == 2 && !form_named(arg_text(call, 1, row), &form)) {
            row_error(call, row, ERR_INVALID_ARGUMENT);
        } else if (text_is_ascii(text)) {
            row_view(call, row, text.data, text.len);
        } else {
            if (module == NULL) TRY(module_get(&module, call->err));
            TRY(normalize_row(call, module, row, form, &room));
        }
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- word_stem */

#define LANGUAGE_MAX 8

/* The stemmer of the language seen last. */
typedef struct Stemming {
    const LanguageModule *module;
    void *stemmer;
    char language[LANGUAGE_MAX];
    bool known;
} Stemming;

static void stemming_clear(void *context) {
    Stemming *self = context;
    if (self->stemmer != NULL) self->module->stemmer_free(self->stemmer);
    self->stemmer = NULL;
}

static Status stemming_choose(Stemming *self, Str language, Error *err) {
    if (self->language[0] != '\0' && str_equal(str_from(self->language), language)) return TRIB_OK;
    stemming_clear(self);
    self->known = false;
    self->language[0] = '\0';
    if (language.len == 0 || language.len >= LANGUAGE_MAX) return TRIB_OK;
    memcpy(self->language, language.data, language.len);
    self->language[language.len] = '\0';
    self->stemmer = self->module->stemmer_new(self->language, &self->known);
    if (self->known && self->stemmer == NULL) return error_out_of_memory(err);
    return TRIB_OK;
}

static Status kernel_word_stem(KernelCall *call) {
    Stemming *s;
    TRY_ALLOC(s, ARENA_NEW(call->arena, Stemming), call->err);
    TRY(module_get(&s->module, call->err));
    if (!arena_on_reset(call->arena, stemming_clear, s)) return error_out_of_memory(call->err);
    KERNEL_ROWS(call, row, {
        Str language = STR("en");
        Str word = arg_text(call, 0, row);
        if (call->nargs == 2) language = arg_text(call, 1, row);
        TRY(stemming_choose(s, language, call->err));
        if (!s->known || word.len > INT32_MAX / 4) {
            row_error(call, row, ERR_INVALID_ARGUMENT);
            continue;
        }
        size_t len;
        const char *stem = s->module->stem(s->stemmer, word.data, word.len, &len);
        if (stem == NULL) return error_out_of_memory(call->err);
        TRY(kernel_put_text(call, row, stem, len));
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- soundex */

/* The next letter from *at on, in upper case: 0 at the end, -1 for a letter that is not of English. */
static Status next_letter(KernelCall *call, const LanguageModule **module, Str text, size_t *at,
                          int *out) {
    *out = 0;
    while (*at < text.len && *out == 0) {
        int32_t c = utf8_next(text.data, text.len, at);
        if (c < 0x80) {
            int upper = c & ~32;
            if (upper >= 'A' && upper <= 'Z') *out = upper;
            continue;
        }
        if (*module == NULL) TRY(module_get(module, call->err));
        if ((*module)->is_letter((uint32_t)c)) *out = -1;
    }
    return TRIB_OK;
}

/* After Russell and O'Dell: H and W do not part equal codes, vowels do. */
static Status soundex_row(KernelCall *call, const LanguageModule **module, uint32_t row) {
    static const char codes[] = "01230120022455012623010202";
    Str text = arg_text(call, 0, row);
    char out[4] = {'0', '0', '0', '0'};
    size_t at = 0, count = 0;
    char last = '0';
    for (;;) {
        int letter;
        TRY(next_letter(call, module, text, &at, &letter));
        if (letter < 0) {
            row_error(call, row, ERR_INVALID_ARGUMENT);
            return TRIB_OK;
        }
        if (letter == 0) break;
        char code = codes[letter - 'A'];
        if (count == 0) {
            out[count++] = (char)letter;
            last = code;
        } else if (count < sizeof(out) && letter != 'H' && letter != 'W') {
            if (code != '0' && code != last) out[count++] = code;
            last = code;
        }
    }
    row_view(call, row, out, count > 0 ? sizeof(out) : 0);
    return TRIB_OK;
}

static Status kernel_soundex(KernelCall *call) {
    const LanguageModule *module = NULL;
    KERNEL_ROWS(call, row, { TRY(soundex_row(call, &module, row)); });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

#define LANGUAGE(ID, SIGNATURE, HELP)                                               \
    {                                                                               \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .may_raise = true, \
        .kernel = kernel_##ID, .family = "text", .help = HELP                       \
    }

static const char help_normalize[] =
    "The text in Unicode's normal form NFC, or in NFD, NFKC or NFKD.";
static const char help_stem[] = "The stem of a word of English, or of a language's code.";

static const Function rows[] = {
    LANGUAGE(normalize, "varchar -> varchar", help_normalize),
    LANGUAGE(normalize, "varchar, varchar -> varchar", help_normalize),
    LANGUAGE(word_stem, "V -> V", help_stem),
    LANGUAGE(word_stem, "V, varchar -> V", help_stem),
    LANGUAGE(soundex, "varchar -> varchar(4)",
             "The Soundex code: words that sound alike in English have the same."),
};

FUNCTION_TABLE(functions_text_language, rows);
