/*
 * fuzz_json.c - libFuzzer harness of SQL/JSON paths, the paths of json_extract and the canonical form of JSON.
 *
 * The first line is a path, the rest a document, both any bytes. A path is compiled or refused with a well-formed
 * message; running it ends in items or in a fault; what it finds can be written as JSON and read back. The
 * canonical form of a canonical text is the same text.
 *
 *   tests/fuzz/fuzz_json -max_len=4096 tests/fuzz/corpus/json
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine/functions/json_extract.h"
#include "engine/functions/json_path.h"
#include "tests/fuzz/fuzz.h"

#define WRITTEN_MAX (64u << 20)
#define ITEMS_MAX   10000

static void check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "fuzz_json: %s\n", what);
    abort();
}

static void check_message(const Error *err) {
    check(err->message[0] && utf8_valid(err->message, strlen(err->message)), "no message");
}

static void check_canonical(Arena *arena, Str document) {
    Buf once, twice;
    Error err = {0};
    buf_init(&once, arena, WRITTEN_MAX);
    buf_init(&twice, arena, WRITTEN_MAX);
    if (json_canonical(arena, document, &once, &err) != TRIB_OK) {
        check_message(&err);
        return;
    }
    check(json_canonical(arena, buf_view(&once), &twice, &err) == TRIB_OK, once.data);
    check(str_equal(buf_view(&once), buf_view(&twice)), once.data);
}

static void check_path(Arena *arena, Str path, const JsonItem *document) {
    static const Str names[] = {{"x", 1}, {"Y", 1}};
    JsonItem variables[2] = {{.kind = JSON_ITEM_NUMBER, .text = {"1.5", 3}},
                             {.kind = JSON_ITEM_STRING, .text = {"a", 1}}};
    JsonPath *compiled;
    JsonSequence found;
    ErrorCode fault;
    Error err = {0};
    if (json_path_compile(arena, path, 2, names, &compiled, &err) != TRIB_OK) {
        check_message(&err);
        return;
    }
    check(json_path_run(compiled, arena, document, variables, &found, &fault, &err) == TRIB_OK,
          "running a path");
    check(fault == (ErrorCode)0 || *error_sqlstate(fault) == '2', "a fault that is no data error");
    for (uint32_t i = 0; fault == (ErrorCode)0 && i < found.count && i < ITEMS_MAX; i++) {
        Buf text;
        JsonItem again;
        buf_init(&text, arena, WRITTEN_MAX);
        json_item_write(&text, &found.items[i]);
        if (text.failed) return;
        check(json_item_parse(arena, buf_view(&text), &again, &err) == TRIB_OK, text.data);
    }
}

static void check_steps(Arena *arena, Str path, Str document) {
    JsonSteps steps;
    JsonReader reader;
    JsonToken token;
    Error err = {0};
    bool valid;
    check(json_steps_compile(arena, path, &steps, &valid, &err) == TRIB_OK, "compiling steps");
    if (!valid) return;
    json_init(&reader, arena, document, false, JSON_MAX_DEPTH);
    check(json_steps_find(&steps, &reader, &token, &err) == TRIB_OK, "finding a value");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    size_t line = 0;
    while (line < size && text[line] != '\n') line++;
    Arena *arena = arena_new(NULL);
    Str path = {text, line}, document = {text + line, size - line};
    JsonItem item;
    Error err = {0};
    check_canonical(arena, document);
    check_steps(arena, path, document);
    if (json_item_parse(arena, document, &item, &err) == TRIB_OK) {
        check_path(arena, path, &item);
    } else {
        check_message(&err);
    }
    arena_free(arena);
    return 0;
}
