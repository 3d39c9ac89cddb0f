/*
 * fuzz_connection.c - libFuzzer harness of connection strings, odbc.ini and UTF-16 arguments.
 *
 * Any bytes as a connection string: refused with a message, or attributes whose printed form reads
 * back as the same attributes, without the password. The same bytes as an odbc.ini, and as UTF-16:
 * refused, or text that converts back to the same units.
 *
 *   tests/fuzz/fuzz_connection -max_len=4096 tests/fuzz/corpus/connection
 */
#include <stdio.h>
#include <stdlib.h>

#include "driver/keyword.h"
#include "driver/text.h"
#include "tests/fuzz/fuzz.h"

static void check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "fuzz_connection: %s\n", what);
    abort();
}

static void check_error(const Error *err) {
    check(err->message[0] && strlen(err->sqlstate) == 5, "a badly formed error");
}

static Str printed(const Attributes *attributes) {
    Buf out;
    buf_init(&out, attributes->arena, 1 << 20);
    attributes_print(attributes, &out);
    check(!out.failed, "printing failed");
    return buf_view(&out);
}

static void check_string(Str text) {
    Error err;
    Arena *arena = arena_new(NULL);
    Attributes first, second;
    attributes_init(&first, arena);
    attributes_init(&second, arena);
    if (attributes_parse(&first, text, &err) != TRIB_OK) {
        check_error(&err);
    } else {
        Str once = printed(&first);
        check(attributes_parse(&second, once, &err) == TRIB_OK, "a printed string is refused");
        check(str_equal(once, printed(&second)), "a printed string reads back as another one");
        check(attributes_find(&second, KEY_PWD) == NULL, "the password was printed");
    }
    arena_free(arena);
}

static void check_ini(Str text) {
    Error err;
    bool found = false;
    Arena *arena = arena_new(NULL);
    Attributes attributes;
    attributes_init(&attributes, arena);
    check(attributes_read_section(&attributes, text, STR("Demo"), &found, &err) == TRIB_OK,
          "a section is refused");
    check(found || !attributes.first, "attributes without a section");
    arena_free(arena);
}

static void check_wide(const uint8_t *data, size_t size) {
    Error err;
    Str text;
    size_t units = size / 2, used;
    Arena *arena = arena_new(NULL);
    if (text_from_wide(arena, (const SQLWCHAR *)(const void *)data, units, &text, &err) !=
        TRIB_OK) {
        check_error(&err);
    } else {
        SQLWCHAR *again = arena_alloc(arena, size + 2);
        check(utf8_valid(text.data, text.len), "text that is not UTF-8");
        check(utf16_length(text.data, text.len) == units, "another length");
        check(utf16_put(text.data, text.len, again, units, &used) == units, "other units");
        check(memcmp(again, data, units * 2) == 0, "other text");
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Str text = {(const char *)data, size};
    check_string(text);
    check_ini(text);
    check_wide(data, size);
    return 0;
}
