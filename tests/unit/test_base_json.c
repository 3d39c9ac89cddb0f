/*
 * test_base_json.c - the JSON reader: tokens, positions, hostile texts, trees, quoting.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/test_base.h"

#include "engine/base/json.h"

static const char marks[] = "${}[]ksntf0"; /* one letter per JsonToken */

/* Reads to the end and writes the tokens down: "{k:a n:1 }$". */
static Status describe(Arena *arena, Str text, bool comments, uint32_t depth, Buf *out,
                       Error *err) {
    JsonReader reader;
    JsonToken token;
    json_init(&reader, arena, text, comments, depth);
    do {
        TRY(json_next(&reader, &token, err));
        buf_char(out, marks[token]);
        if (token != JSON_KEY && token != JSON_STRING && token != JSON_NUMBER) continue;
        buf_char(out, ':');
        buf_str(out, reader.text);
        buf_char(out, ' ');
    } while (token != JSON_END);
    return TRIB_OK;
}

static void check(const char *text, bool comments, const char *want) {
    Arena *arena = arena_new(NULL);
    Error err;
    Buf out;
    buf_init(&out, arena, 100000);
    Status status = describe(arena, str_from(text), comments, 100, &out, &err);
    if (status != TRIB_OK) fail_msg("%s: %s", text, err.message);
    assert_string_equal(out.data, want);
    arena_free(arena);
}

static void tokens(void **state) {
    check("null", false, "0$");
    check(" true ", false, "t$");
    check("[]", false, "[]$");
    check("{}", false, "{}$");
    check("[1,-2.50,3e+10,0,-0,0.1E-5]", false, "[n:1 n:-2.50 n:3e+10 n:0 n:-0 n:0.1E-5 ]$");
    check("{\"a\":1,\"b\":[true,false,null],\"c\":{\"d\":\"x\"}}", false,
          "{k:a n:1 k:b [tf0]k:c {k:d s:x }}$");
    check("9007199254740993", false, "n:9007199254740993 $");
    check("[1.10]", false, "[n:1.10 ]$");
    check("\xEF\xBB\xBF[]", false, "[]$");
    check("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", false, "[s:\"\\/\b\f\n\r\t ]$");
    check("\"\\u20AC\\u00e4 x\\ud83d\\ude00\"", false,
          "s:\xE2\x82\xAC\xC3\xA4 x\xF0\x9F\x98\x80 $");
    check("\"\xF0\x9F\x98\x80\"", false, "s:\xF0\x9F\x98\x80 $");
    check("// c\n{ /* x */ \"a\" : [1, 2,], // d\n}/**/", true, "{k:a [n:1 n:2 ]}$");
    check("/***/1//", true, "n:1 $");
    check("[\"//\", \"/*\"]", true, "[s:// s:/* ]$");
}

static void zero_bytes_survive(void **state) {
    Arena *arena = arena_new(NULL);
    JsonReader reader;
    JsonToken token;
    Error err;
    json_init(&reader, arena, STR("\"a\\u0000b\""), false, 5);
    assert_int_equal(json_next(&reader, &token, &err), TRIB_OK);
    assert_str(reader.text, "a\0b");
    arena_free(arena);
}

static void faults(void **state) {
    static const struct {
        const char *text;
        bool comments;
        uint32_t line, column;
        const char *part;
    } cases[] = {
        {"", false, 1, 1, "ends"},
        {"  \n ", false, 2, 2, "ends"},
        {"[1,]", false, 1, 4, "']'"},
        {"[,1]", false, 1, 2, "','"},
        {"[1 2]", false, 1, 4, "',' or ']'"},
        {"[1,,2]", true, 1, 4, "','"},
        {"[,]", true, 1, 2, "','"},
        {"{,}", true, 1, 2, "','"},
        {"{\"a\":1,}", false, 1, 8, "'}'"},
        {"{\"a\" 1}", false, 1, 6, "':'"},
        {"{\"a\":}", false, 1, 6, "'}'"},
        {"{a:1}", false, 1, 2, "a key in quotes"},
        {"{1:1}", false, 1, 2, "a key in quotes"},
        {"{\"a\":1 \"b\":2}", false, 1, 8, "',' or '}'"},
        {"[1}", false, 1, 3, "'}'"},
        {"{\"a\":1]", false, 1, 7, "']'"},
        {"]", false, 1, 1, "']'"},
        {"[", false, 1, 2, "ends"},
        {"{\"a\"", false, 1, 5, "ends"},
        {"1 2", false, 1, 3, "the end of the text"},
        {"[]]", false, 1, 3, "the end of the text"},
        {"01", false, 1, 2, "begin with 0"},
        {"-", false, 1, 2, "a digit"},
        {"-x", false, 1, 2, "a digit"},
        {"+1", false, 1, 1, "'+'"},
        {".5", false, 1, 1, "'.'"},
        {"1.", false, 1, 3, "a digit"},
        {"1.e5", false, 1, 3, "a digit"},
        {"1e", false, 1, 3, "a digit"},
        {"1e+", false, 1, 4, "a digit"},
        {"0x10", false, 1, 2, "'x'"},
        {"NaN", false, 1, 1, "a value"},
        {"tru", false, 1, 1, "a value"},
        {"nullx", false, 1, 5, "'x'"},
        {"TRUE", false, 1, 1, "a value"},
        {"'a'", false, 1, 1, "a value"},
        {"\"abc", false, 1, 1, "does not end"},
        {"[\n  \"abc\\", false, 2, 7, "ends"},
        {"\"a\nb\"", false, 1, 3, "U+000A"},
        {"\"a\tb\"", false, 1, 3, "U+0009"},
        {"\"\\x41\"", false, 1, 2, "escape"},
        {"\"\\u12g4\"", false, 1, 2, "hexadecimal"},
        {"\"\\u12", false, 1, 2, "hexadecimal"},
        {"\"\\ud83d\"", false, 1, 2, "surrogate"},
        {"\"\\ud83d\\u0041\"", false, 1, 2, "surrogate"},
        {"\"\\ude00\"", false, 1, 2, "surrogate"},
        {"\"\\ud83d\\ud83d\"", false, 1, 2, "surrogate"},
        {"\"\xC3(\"", false, 1, 2, "UTF-8"},
        {"\"\xED\xA0\x80\"", false, 1, 2, "UTF-8"},
        {"\"\xC3\xA4\xC3\xA4\xFF\"", false, 1, 4, "UTF-8"},
        {"[\xFF]", false, 1, 2, "UTF-8"},
        {"[\x01]", false, 1, 2, "U+0001"},
        {"[1, // c\n 2]", false, 1, 5, "'/'"},
        {"/* open", true, 1, 1, "comment"},
        {"[1 / 2]", true, 1, 4, "'/'"},
        {"[\n\n /* x\n */ x]", true, 4, 5, "'x'"},
        {"\xC2\xA0[]", false, 1, 1, "a value"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Arena *arena = arena_new(NULL);
        Error err;
        Buf out;
        buf_init(&out, arena, 10000);
        Status status =
            describe(arena, str_from(cases[i].text), cases[i].comments, 100, &out, &err);
        if (status == TRIB_OK) fail_msg("accepted: %s", cases[i].text);
        assert_string_equal(err.sqlstate, cases[i].comments                ? "HY000"
                                          : strcmp(cases[i].part, "UTF-8") ? "22018"
                                                                           : "22021");
        if (err.line != cases[i].line || err.column != cases[i].column ||
            !strstr(err.message, cases[i].part))
            fail_msg("%s: line %u, column %u: %s", cases[i].text, err.line, err.column,
                     err.message);
        arena_free(arena);
    }
}

static void depth(void **state) {
    Arena *arena = arena_new(NULL);
    enum { DEEP = 100000 };
    char *text = malloc(2 * DEEP);
    Error err;
    Buf out;
    memset(text, '[', DEEP);
    memset(text + DEEP, ']', DEEP);
    buf_init(&out, arena, 10 * DEEP);
    assert_int_equal(describe(arena, (Str){text, 2 * DEEP}, false, DEEP, &out, &err), TRIB_OK);
    assert_int_equal(out.len, 2 * DEEP + 1);
    assert_int_equal(describe(arena, (Str){text, 2 * DEEP}, false, DEEP - 1, &out, &err),
                     TRIB_LIMIT);
    assert_string_equal(err.sqlstate, "54000");
    assert_int_equal(err.column, DEEP);
    JsonValue *tree;
    assert_int_equal(json_parse(arena, (Str){text, 2 * DEEP}, true, &tree, &err), TRIB_INVALID);
    free(text);
    arena_free(arena);
}

/* Every prefix of a document is an error, and reading stops there. */
static void cut_short(void **state) {
    static const char text[] =
        "{\"k\\u00e4\": [1.5e3, \"x\\n\", {\"y\": null}, true], \"z\": \"\xE2\x82\xAC\"}";
    for (size_t length = 0; length < sizeof text - 1; length++) {
        Arena *arena = arena_new(NULL);
        Error err;
        Buf out;
        char *exact = malloc(length + 1); /* so that the sanitizer sees a read behind the end */
        memcpy(exact, text, length);
        buf_init(&out, arena, 1000);
        assert_int_not_equal(describe(arena, (Str){exact, length}, length & 1, 100, &out, &err),
                             TRIB_OK);
        free(exact);
        arena_free(arena);
    }
}

/* Random bytes and random tokens: an answer or an error, within the text. */
static void noise(void **state) {
    static const char *const pieces[] = {"{",  "}",    "[",  "]",    ",",   ":",  "\"a\"",
                                         "1",  "true", "\"", "\\u",  "//",  "/*", "*/",
                                         "\n", "-",    "e5", "\xC3", "null"};
    uint64_t seed = 1;
    for (int i = 0; i < 100000; i++) {
        Arena *arena = arena_new(NULL);
        Error err;
        Buf out, text;
        JsonValue *tree;
        buf_init(&out, arena, 10000);
        buf_init(&text, arena, 1000);
        for (uint64_t n = test_random(&seed) % 12; n > 0; n--)
            buf_text(&text, pieces[test_random(&seed) % COUNT_OF(pieces)]);
        Str view = str_from(arena_copy(arena, buf_view(&text).data, text.len));
        Status one = describe(arena, view, i & 1, 8, &out, &err);
        Status two = json_parse(arena, view, i & 1, &tree, &err);
        if (two == TRIB_OK) assert_int_equal(one, TRIB_OK);
        arena_free(arena);
    }
}

static void skipping(void **state) {
    Arena *arena = arena_new(NULL);
    JsonReader reader;
    JsonToken token;
    Error err;
    Str raw;
    json_init(&reader, arena, STR("{\"a\" : {\"x\": [1, \"\\n]\"] } , \"b\": 1.50, \"c\": []}"),
              false, 10);
    assert_int_equal(json_next(&reader, &token, &err), TRIB_OK);
    assert_int_equal(json_next(&reader, &token, &err), TRIB_OK);
    assert_int_equal(json_next(&reader, &token, &err), TRIB_OK);
    assert_int_equal(token, JSON_OBJECT_BEGIN);
    assert_int_equal(json_skip(&reader, token, &raw, &err), TRIB_OK);
    assert_str(raw, "{\"x\": [1, \"\\n]\"] }");
    assert_int_equal(json_next(&reader, &token, &err), TRIB_OK);
    assert_str(reader.text, "b");
    assert_int_equal(json_next(&reader, &token, &err), TRIB_OK);
    assert_int_equal(json_skip(&reader, token, &raw, &err), TRIB_OK);
    assert_str(raw, "1.50");
    assert_int_equal(json_next(&reader, &token, &err), TRIB_OK);
    assert_int_equal(json_next(&reader, &token, &err), TRIB_OK);
    assert_int_equal(json_skip(&reader, token, &raw, &err), TRIB_OK);
    assert_str(raw, "[]");
    assert_int_equal(json_next(&reader, &token, &err), TRIB_OK);
    assert_int_equal(token, JSON_OBJECT_END);
    assert_int_equal(json_next(&reader, &token, &err), TRIB_OK);
    assert_int_equal(token, JSON_END);
    assert_int_equal(json_next(&reader, &token, &err), TRIB_OK);
    assert_int_equal(token, JSON_END);
    json_init(&reader, arena, STR("[[1, 2"), false, 10);
    assert_int_equal(json_next(&reader, &token, &err), TRIB_OK);
    assert_int_equal(json_next(&reader, &token, &err), TRIB_OK);
    assert_int_not_equal(json_skip(&reader, token, &raw, &err), TRIB_OK);
    arena_free(arena);
}

static void trees(void **state) {
    Arena *arena = arena_new(NULL);
    JsonValue *tree;
    Error err;
    Str text = STR("// catalogs\n{\n  \"shop\": {\"port\": 3306, \"tags\": [\"a\", \"b\"]},\n"
                   "  \"n\": null,\n}\n");
    assert_int_equal(json_parse(arena, text, true, &tree, &err), TRIB_OK);
    assert_int_equal(tree->kind, JSON_OBJECT_BEGIN);
    const JsonValue *shop = json_member(tree, STR("shop"));
    assert_int_equal(shop->line, 3);
    assert_int_equal(shop->column, 11);
    assert_int_equal(shop->key_column, 3);
    assert_str(json_member(shop, STR("port"))->text, "3306");
    const JsonValue *tags = json_member(shop, STR("tags"));
    assert_int_equal(tags->kind, JSON_ARRAY_BEGIN);
    assert_str(tags->first->text, "a");
    assert_str(tags->first->next->text, "b");
    assert_null(tags->first->next->next);
    assert_int_equal(json_member(tree, STR("n"))->kind, JSON_NULL);
    assert_null(json_member(tree, STR("x")));
    assert_null(json_member(tags, STR("x")));
    assert_null(json_member(NULL, STR("x")));

    assert_int_equal(json_parse(arena, STR("{\"a\": 1,\n \"b\": {\"a\": 2}, \"\\u0061\": 3}"), true,
                                &tree, &err),
                     TRIB_INVALID);
    assert_int_equal(err.line, 2);
    assert_int_equal(err.column, 17);
    assert_string_equal(err.detail, "first at line 1, column 2, again at line 2, column 17");

    /* An object with very many keys takes no quadratic time. */
    Buf large;
    buf_init(&large, NULL, 10000000);
    buf_char(&large, '{');
    for (int i = 0; i < 200000; i++) buf_printf(&large, "%s\"key%d\":%d", i ? "," : "", i, i);
    buf_char(&large, '}');
    assert_int_equal(json_parse(arena, buf_view(&large), false, &tree, &err), TRIB_OK);
    assert_str(json_member(tree, STR("key199999"))->text, "199999");
    buf_clear(&large);
    arena_free(arena);
}

static void quoting(void **state) {
    Arena *arena = arena_new(NULL);
    Buf out;
    uint64_t seed = 12;
    Error err;
    buf_init(&out, arena, 1000000);
    json_quote(&out, STR("a\"\\/\b\f\n\r\t\0\x1F\x7F\xE2\x82\xAC"));
    assert_string_equal(out.data, "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001F\x7F\xE2\x82\xAC\"");
    buf_clear(&out);
    json_quote(&out, STR("x\xC3\xFFy\xED\xA0\x80"));
    assert_string_equal(out.data,
                        "\"x\xEF\xBF\xBD\xEF\xBF\xBDy\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
    for (int i = 0; i < 20000; i++) {
        char text[160];
        size_t length = 0;
        for (uint64_t n = test_random(&seed) % 40; n > 0; n--) {
            uint32_t code = (uint32_t)(test_random(&seed) >> (43 + test_random(&seed) % 20));
            length += utf8_put(text + length, code);
        }
        JsonReader reader;
        JsonToken token;
        Arena *own = arena_new(NULL);
        buf_init(&out, own, 10000);
        json_quote(&out, (Str){text, length});
        json_init(&reader, own, buf_view(&out), false, 1);
        assert_int_equal(json_next(&reader, &token, &err), TRIB_OK);
        assert_int_equal(reader.text.len, length);
        assert_memory_equal(reader.text.data, text, length);
        arena_free(own);
    }
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens),    cmocka_unit_test(zero_bytes_survive),
        cmocka_unit_test(faults),    cmocka_unit_test(depth),
        cmocka_unit_test(cut_short), cmocka_unit_test(noise),
        cmocka_unit_test(skipping),  cmocka_unit_test(trees),
        cmocka_unit_test(quoting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
