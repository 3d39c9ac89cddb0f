/*
 * language_module.c - the module tributary_language.so: utf8proc and Snowball behind language_module.h.
 *
 * It is a shared object of its own, so that programs whose statements normalise and stem nothing load
 * neither library's tables.
 */
#include "engine/functions/language_module.h"

#include <libstemmer.h>
#include <string.h>
#include <utf8proc.h>

static int64_t normalize(const char *text, size_t len, NormalForm form, int32_t *room,
                         size_t size) {
    static const int options[] = {
        [FORM_NFC] = UTF8PROC_STABLE | UTF8PROC_COMPOSE,
        [FORM_NFD] = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE,
        [FORM_NFKC] = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT,
        [FORM_NFKD] = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT,
    };
    utf8proc_option_t how = (utf8proc_option_t)options[form];
    utf8proc_ssize_t count =
        utf8proc_decompose((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, room,
                           (utf8proc_ssize_t)(size > 0 ? size - 1 : 0), how);
    if (count < 0) return 0; /* not UTF-8, or longer than any text here */
    if ((size_t)count + 1 > size) return -(int64_t)(count + 1);
    return utf8proc_reencode(room, count, how); /* puts a NUL behind */
}

static bool is_letter(uint32_t code_point) {
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code_point);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

static void *stemmer_new(const char *language, bool *known) {
    static const struct {
        const char *code, *algorithm;
    } rows[] = {
        {"ca", "catalan"},    {"da", "danish"},   {"de", "german"},    {"en", "english"},
        {"es", "spanish"},    {"eu", "basque"},   {"fi", "finnish"},   {"fr", "french"},
        {"hu", "hungarian"},  {"hy", "armenian"}, {"ir", "irish"},     {"it", "italian"},
        {"lt", "lithuanian"}, {"nl", "dutch"},    {"no", "norwegian"}, {"pt", "portuguese"},
        {"ro", "romanian"},   {"ru", "russian"},  {"sv", "swedish"},   {"tr", "turkish"},
    };
    *known = false;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].code, language) != 0) continue;
        *known = true;
        return sb_stemmer_new(rows[i].algorithm, NULL);
    }
    return NULL;
}

static void stemmer_free(void *stemmer) {
    sb_stemmer_delete(stemmer);
}

static const char *stem(void *stemmer, const char *word, size_t len, size_t *stem_len) {
    const sb_symbol *out = sb_stemmer_stem(stemmer, (const sb_symbol *)word, (int)len);
    *stem_len = out != NULL ? (size_t)sb_stemmer_length(stemmer) : 0;
    return (const char *)out;
}

static const LanguageModule module = {.version = LANGUAGE_MODULE_VERSION,
                                      .normalize = normalize,
                                      .is_letter = is_letter,
                                      .stemmer_new = stemmer_new,
                                      .stemmer_free = stemmer_free,
                                      .stem = stem};

__attribute__((visibility("default"))) const void *trib_module(void);

const void *trib_module(void) {
    return &module;
}
