/*
 * test_sql_lexer.c - tokens: kinds, lengths, positions, faults; the keyword table; splitting of scripts.
 */
#include "tests/unit/test_sql.h"

#include "engine/sql/lexer.h"

typedef struct Expected {
    TokenKind kind;
    const char *text;
    uint32_t line, column;
} Expected;

static void expect_tokens(const char *sql, size_t count, const Expected *expected) {
    Lexer lexer;
    lexer_init(&lexer, str_from(sql));
    for (size_t i = 0; i < count; i++) {
        Token token;
        lexer_next(&lexer, &token);
        Str text = {sql + token.start, token.len};
        bool same = token.kind == expected[i].kind && str_equal(text, str_from(expected[i].text));
        if (expected[i].line)
            same =
                same && token.at.line == expected[i].line && token.at.column == expected[i].column;
        if (!same) {
            fail_msg("%s: token %zu is kind %d '%.*s' at %u:%u", sql, i, token.kind, (int)text.len,
                     text.data, token.at.line, token.at.column);
        }
    }
    Token token;
    lexer_next(&lexer, &token);
    assert_int_equal(token.kind, TOKEN_END);
    assert_int_equal(token.len, 0);
}

#define EXPECT(sql, ...)                              \
    do {                                              \
        const Expected rows_[] = {__VA_ARGS__};       \
        expect_tokens((sql), COUNT_OF(rows_), rows_); \
    } while (0)

static void words_and_names(void **state) {
    EXPECT("select a_1 _x \"a\"\"b\" `q`", {TOKEN_NAME, "select", 0, 0}, {TOKEN_NAME, "a_1", 0, 0},
           {TOKEN_NAME, "_x", 0, 0}, {TOKEN_QUOTED, "\"a\"\"b\"", 0, 0},
           {TOKEN_BACKQUOTED, "`q`", 0, 0});
    EXPECT("1a 0x1g 1__2 1e5x", {TOKEN_DIGIT_NAME, "1a", 0, 0}, {TOKEN_DIGIT_NAME, "0x1g", 0, 0},
           {TOKEN_DIGIT_NAME, "1__2", 0, 0}, {TOKEN_DIGIT_NAME, "1e5x", 0, 0});
    EXPECT("x y'z' u&v n", {TOKEN_NAME, "x", 0, 0}, {TOKEN_NAME, "y", 0, 0},
           {TOKEN_STRING, "'z'", 0, 0}, {TOKEN_NAME, "u", 0, 0}, {TOKEN_INVALID, "&", 0, 0},
           {TOKEN_NAME, "v", 0, 0}, {TOKEN_NAME, "n", 0, 0});
}

static void strings(void **state) {
    EXPECT("'' 'a''b' N'x' n'y' U&'\\0041' u&'z' X'0F' x'' 'a\nb'", {TOKEN_STRING, "''", 0, 0},
           {TOKEN_STRING, "'a''b'", 0, 0}, {TOKEN_STRING, "N'x'", 0, 0},
           {TOKEN_STRING, "n'y'", 0, 0}, {TOKEN_UNICODE, "U&'\\0041'", 0, 0},
           {TOKEN_UNICODE, "u&'z'", 0, 0}, {TOKEN_BINARY, "X'0F'", 0, 0},
           {TOKEN_BINARY, "x''", 0, 0}, {TOKEN_STRING, "'a\nb'", 0, 0});
    EXPECT("'a--b' '/*'", {TOKEN_STRING, "'a--b'", 0, 0}, {TOKEN_STRING, "'/*'", 0, 0});
}

static void numbers(void **state) {
    EXPECT("1 1.5 1. .5 1e3 1.5E-3 .5e+7 1.e2 0xFF 0b1_0 0o17 1_000 1_0.0_1",
           {TOKEN_INTEGER, "1", 0, 0}, {TOKEN_DECIMAL, "1.5", 0, 0}, {TOKEN_DECIMAL, "1.", 0, 0},
           {TOKEN_DECIMAL, ".5", 0, 0}, {TOKEN_DOUBLE, "1e3", 0, 0}, {TOKEN_DOUBLE, "1.5E-3", 0, 0},
           {TOKEN_DOUBLE, ".5e+7", 0, 0}, {TOKEN_DOUBLE, "1.e2", 0, 0},
           {TOKEN_INTEGER, "0xFF", 0, 0}, {TOKEN_INTEGER, "0b1_0", 0, 0},
           {TOKEN_INTEGER, "0o17", 0, 0}, {TOKEN_INTEGER, "1_000", 0, 0},
           {TOKEN_DECIMAL, "1_0.0_1", 0, 0});
    EXPECT("t.5 1.a 1..2 1e 1e+", {TOKEN_NAME, "t", 0, 0}, {TOKEN_DECIMAL, ".5", 0, 0},
           {TOKEN_DECIMAL, "1.", 0, 0}, {TOKEN_NAME, "a", 0, 0}, {TOKEN_DECIMAL, "1.", 0, 0},
           {TOKEN_DECIMAL, ".2", 0, 0}, {TOKEN_DIGIT_NAME, "1e", 0, 0},
           {TOKEN_DIGIT_NAME, "1e", 0, 0}, {TOKEN_PLUS, "+", 0, 0});
}

static void operators(void **state) {
    EXPECT("( ) [ ] { } , . ; : ? = <> != < <= > >= + - * / % || -> =>", {TOKEN_LPAREN, "(", 0, 0},
           {TOKEN_RPAREN, ")", 0, 0}, {TOKEN_LBRACKET, "[", 0, 0}, {TOKEN_RBRACKET, "]", 0, 0},
           {TOKEN_LBRACE, "{", 0, 0}, {TOKEN_RBRACE, "}", 0, 0}, {TOKEN_COMMA, ",", 0, 0},
           {TOKEN_DOT, ".", 0, 0}, {TOKEN_SEMICOLON, ";", 0, 0}, {TOKEN_COLON, ":", 0, 0},
           {TOKEN_QUESTION, "?", 0, 0}, {TOKEN_EQ, "=", 0, 0}, {TOKEN_NE, "<>", 0, 0},
           {TOKEN_NE, "!=", 0, 0}, {TOKEN_LT, "<", 0, 0}, {TOKEN_LE, "<=", 0, 0},
           {TOKEN_GT, ">", 0, 0}, {TOKEN_GE, ">=", 0, 0}, {TOKEN_PLUS, "+", 0, 0},
           {TOKEN_MINUS, "-", 0, 0}, {TOKEN_STAR, "*", 0, 0}, {TOKEN_SLASH, "/", 0, 0},
           {TOKEN_PERCENT, "%", 0, 0}, {TOKEN_CONCAT, "||", 0, 0}, {TOKEN_ARROW, "->", 0, 0},
           {TOKEN_FAT_ARROW, "=>", 0, 0});
    EXPECT("a<-1 >>", {TOKEN_NAME, "a", 0, 0}, {TOKEN_LT, "<", 0, 0}, {TOKEN_MINUS, "-", 0, 0},
           {TOKEN_INTEGER, "1", 0, 0}, {TOKEN_GT, ">", 0, 0}, {TOKEN_GT, ">", 0, 0});
}

static void positions_and_comments(void **state) {
    EXPECT("a -- c\n  b/* x\n y */c\r\nd", {TOKEN_NAME, "a", 1, 1}, {TOKEN_NAME, "b", 2, 3},
           {TOKEN_NAME, "c", 3, 6}, {TOKEN_NAME, "d", 4, 1});
    /* characters, not bytes */
    EXPECT("'\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80' b",
           {TOKEN_STRING, "'\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80'", 1, 1}, {TOKEN_NAME, "b", 1, 7});
    EXPECT("'a\nb' c", {TOKEN_STRING, "'a\nb'", 1, 1}, {TOKEN_NAME, "c", 2, 4});
    EXPECT("\xEF\xBB\xBF"
           "a",
           {TOKEN_NAME, "a", 1, 1});
    EXPECT("a--", {TOKEN_NAME, "a", 1, 1});
    EXPECT("/**/a/***/-/*-*/", {TOKEN_NAME, "a", 1, 5}, {TOKEN_MINUS, "-", 1, 11});
}

static void faults(void **state) {
    static const struct {
        const char *sql;
        LexFault fault;
        uint32_t len;
    } rows[] = {
        {"'abc", LEX_OPEN_STRING, 4},
        {"'abc''", LEX_OPEN_STRING, 6},
        {"X'", LEX_OPEN_STRING, 2},
        {"\"abc", LEX_OPEN_NAME, 4},
        {"\"\"", LEX_EMPTY_NAME, 2},
        {"`a", LEX_OPEN_NAME, 2},
        {"/* a", LEX_OPEN_COMMENT, 4},
        {"/*/", LEX_OPEN_COMMENT, 3},
        {"==", LEX_DOUBLE_EQUAL, 2},
        {"#", LEX_CHARACTER, 1},
        {"\\", LEX_CHARACTER, 1},
        {"\xC3\xA4", LEX_CHARACTER, 2},
        {"\xF0\x9F\x98\x80", LEX_CHARACTER, 4},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        Lexer lexer;
        Token token;
        lexer_init(&lexer, str_from(rows[i].sql));
        lexer_next(&lexer, &token);
        assert_int_equal(token.kind, TOKEN_INVALID);
        assert_int_equal(token.fault, rows[i].fault);
        assert_int_equal(token.len, rows[i].len);
        lexer_next(&lexer, &token);
        assert_int_equal(token.kind, TOKEN_END);
    }
    /* a byte 0 is no character of the language, and no end either */
    Lexer lexer;
    Token token;
    lexer_init(&lexer, (Str){"\0a", 2});
    lexer_next(&lexer, &token);
    assert_int_equal(token.kind, TOKEN_INVALID);
    lexer_next(&lexer, &token);
    assert_int_equal(token.kind, TOKEN_NAME);
}

static void keywords(void **state) {
    const char *before = "";
    for (uint32_t k = KEYWORD_NONE + 1; k < KEYWORD_TOTAL; k++) {
        const char *text = keyword_text((Keyword)k);
        assert_true(strcmp(before, text) < 0);
        assert_int_equal(sql_keyword_find(str_from(text)), k);
        before = text;
    }
    assert_int_equal(sql_keyword_find(STR("sElEcT")), KW_SELECT);
    assert_int_equal(sql_keyword_find(STR("selec")), KEYWORD_NONE);
    assert_int_equal(sql_keyword_find(STR("selectx")), KEYWORD_NONE);
    assert_int_equal(sql_keyword_find(STR("")), KEYWORD_NONE);
    assert_int_equal(sql_keyword_find(STR("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz")),
                     KEYWORD_NONE);
    assert_true(keyword_reserved(KW_SELECT));
    assert_false(keyword_reserved(KW_LIMIT));
    uint32_t count = 0;
    for (const char *word; (word = sql_reserved_word(count)) != NULL; count++) {
        assert_true(keyword_reserved(sql_keyword_find(str_from(word))));
    }
    assert_int_equal(count, 81);
}

static void expect_split(const char *script, size_t count, const char *const *statements) {
    size_t at = 0, seen = 0;
    Str statement;
    while (sql_split(str_from(script), &at, &statement)) {
        assert_true(seen < count);
        if (!str_equal(statement, str_from(statements[seen]))) {
            fail_msg("%s: %zu is '%.*s'", script, seen, (int)statement.len, statement.data);
        }
        seen++;
    }
    assert_int_equal(seen, count);
    assert_int_equal(at, strlen(script));
}

#define SPLIT(script, ...)                                \
    do {                                                  \
        const char *const parts_[] = {__VA_ARGS__};       \
        expect_split((script), COUNT_OF(parts_), parts_); \
    } while (0)

static void split(void **state) {
    SPLIT("a; b ;c", "a", "b", "c");
    SPLIT("a;", "a");
    SPLIT("; ;; a ;;", "a");
    SPLIT("select ';', \";\" -- ;\n, 1 /* ; */; x", "select ';', \";\" -- ;\n, 1 /* ; */", "x");
    SPLIT("a 'open ; b", "a 'open ; b");
    SPLIT("a /* open ; b", "a /* open ; b");
    SPLIT("# $ ; @", "# $", "@");
    expect_split("", 0, NULL);
    expect_split(" -- nothing\n", 0, NULL);
    expect_split(";;;", 0, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_names),
        cmocka_unit_test(strings),
        cmocka_unit_test(numbers),
        cmocka_unit_test(operators),
        cmocka_unit_test(positions_and_comments),
        cmocka_unit_test(faults),
        cmocka_unit_test(keywords),
        cmocka_unit_test(split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
