/*
 * fuzz_config.c - libFuzzer harness of the configuration, and of stored descriptions of tables.
 *
 * Any bytes as a configuration: it must be refused with a position and a message that are well formed,
 * or yield settings and catalogs whose options can be checked. The same bytes as a stored description:
 * refused, or read and written again unchanged.
 *
 *   tests/fuzz/fuzz_config -max_len=4096 tests/fuzz/corpus/config
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine/catalog/internal.h"
#include "tests/fuzz/fuzz.h"

static const TribOptionDef defs[] = {
    {"host", TRIB_OPTION_STRING, NULL, NULL, 0, 0, false, false, "a text"},
    {"port", TRIB_OPTION_INTEGER, "1", NULL, 1, 65535, false, false, "a number"},
    {"tls", TRIB_OPTION_BOOLEAN, NULL, NULL, 0, 0, false, false, "a flag"},
    {"mode", TRIB_OPTION_CHOICE, NULL, "on|off|auto", 0, 0, false, false, "a choice"},
    {"wait", TRIB_OPTION_DURATION_MS, NULL, NULL, 0, 86400000, false, false, "a time"},
    {"size", TRIB_OPTION_BYTES, NULL, NULL, 0, 0, false, false, "a size"},
    {"tags", TRIB_OPTION_LIST, NULL, NULL, 0, 0, false, false, "a list"},
    {"extra", TRIB_OPTION_JSON, NULL, NULL, 0, 0, false, false, "a document"},
    {"password", TRIB_OPTION_STRING, NULL, NULL, 0, 0, false, true, "a secret"},
    {0},
};

static void check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "fuzz_config: %s\n", what);
    abort();
}

static void check_error(const Error *err) {
    check(err->message[0] && utf8_valid(err->message, strlen(err->message)),
          "no message, or not UTF-8");
    check(utf8_valid(err->hint, strlen(err->hint)), "a hint that is not UTF-8");
    check(strlen(err->sqlstate) == 5, "no SQLSTATE");
}

static void check_options(const Config *config) {
    for (uint32_t i = 0; i < config_catalog_count(config); i++) {
        Arena *arena = arena_new(NULL);
        CatalogOptions options;
        Error err;
        if (options_check(config, arena, config_catalog(config, i), defs, &options, &err) !=
            TRIB_OK)
            check_error(&err);
        else {
            for (uint32_t k = 0; k < options.noptions; k++)
                check(options.options[k].value != NULL, "an option without a value");
        }
        arena_free(arena);
    }
}

static void check_config(Str text) {
    Config *config;
    CatalogSet *set;
    Error err;
    if (text.len == 0) return;
    if (config_load(STR(""), text, &config, &err) != TRIB_OK) {
        check_error(&err);
        return;
    }
    for (uint32_t i = 0; i < config_setting_count(config); i++) {
        Str name, value;
        uint32_t line, column;
        config_setting(config, i, &name, &value, &line, &column);
        check(line > 0 && column > 0 && name.data && value.data, "a setting without a place");
    }
    /* References to files would make the result depend on the machine. */
    if (!memmem(text.data, text.len, "file:", 5) && !memmem(text.data, text.len, "\\u", 2))
        check_options(config);
    if (!memmem(text.data, text.len, "file:", 5) && !memmem(text.data, text.len, "\\u", 2)) {
        if (catalogs_new(config, STR(""), STR(":memory:"), &set, &err) != TRIB_OK)
            check_error(&err);
        else
            catalogs_release(set);
    }
    config_release(config);
}

static void check_description(Str data) {
    Arena *arena = arena_new(NULL);
    TribTable table;
    NameList names;
    Error err;
    Buf again;
    buf_init(&again, arena, 1 << 26);
    if (table_decode(arena, data, &table)) {
        TribTable copy;
        check(table_copy(arena, &table, &copy, &err) == TRIB_OK,
              "a description that cannot be copied");
        check(table_encode(&again, &copy, &err) == TRIB_OK, "a description that cannot be written");
        check(table_decode(arena, buf_view(&again), &copy), "a description that is not read again");
    }
    (void)names_decode(arena, data, &names);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Str text = {(const char *)data, size};
    check_config(text);
    check_description(text);
    return 0;
}
