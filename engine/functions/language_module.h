/*
 * language_module.h - what the module tributary_language.so offers: Unicode's normal forms and classes
 * (utf8proc) and the stems of words (Snowball).
 */
#ifndef TRIB_FUNCTIONS_LANGUAGE_MODULE_H
#define TRIB_FUNCTIONS_LANGUAGE_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LANGUAGE_MODULE_VERSION 1

typedef enum NormalForm { FORM_NFC, FORM_NFD, FORM_NFKC, FORM_NFKD } NormalForm;

typedef struct LanguageModule {
    uint32_t version;
    /* The text in a normal form, written as UTF-8 into `room` of `size` code points; returns its bytes, or,
     * negative, what `size` must be at least. */
    int64_t (*normalize)(const char *text, size_t len, NormalForm form, int32_t *room, size_t size);
    bool (*is_letter)(uint32_t code_point);
    /* A stemmer for a language's ISO code; NULL: it has none (or memory is exhausted: *known is true). */
    void *(*stemmer_new)(const char *language, bool *known);
    void (*stemmer_free)(void *stemmer);
    /* The stem, valid until the stemmer's next word; NULL = out of memory. One thread. */
    const char *(*stem)(void *stemmer, const char *word, size_t len, size_t *stem_len);
} LanguageModule;

#endif
