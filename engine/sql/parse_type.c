/*
 * parse_type.c - the spelling of types: checked for form and rewritten canonically for type_parse.
 *
 * Trino's spellings (decimal(10, 2), timestamp(3) with time zone, row(a bigint), bigint array) and the
 * older and Athena's ones (array<int>, map<k, v>, struct<a:int>) become one text in lower case without
 * blanks that mean nothing. Which names exist is not decided here. One thread, text in the arena.
 */
#include "engine/sql/parse.h"

#define TYPE_TEXT_MAX (1u << 20)

static Status type_into(Parser *p, Buf *out) WARN_UNUSED;

static void lower_into(Buf *out, Str text) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        buf_char(out, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
    }
}

static void name_into(Buf *out, const AstName *name) {
    if (!name->quoted) {
        buf_str(out, name->text);
        return;
    }
    buf_char(out, '"');
    for (size_t i = 0; i < name->text.len; i++) {
        if (name->text.data[i] == '"') buf_char(out, '"');
        buf_char(out, name->text.data[i]);
    }
    buf_char(out, '"');
}

/* "(3)" behind a word. */
static Status precision_into(Parser *p, Buf *out) {
    if (!at_token(p, TOKEN_LPAREN)) return TRIB_OK;
    parse_advance(p);
    Str digits;
    TRY(parse_integer_text(p, &digits));
    buf_printf(out, "(" STR_FORMAT ")", STR_ARGS(digits));
    return expect_token(p, TOKEN_RPAREN);
}

static Status datetime_into(Parser *p, Buf *out) {
    lower_into(out, token_text(p, &p->token));
    parse_advance(p);
    TRY(precision_into(p, out));
    bool with = at_word(p, KW_WITH);
    if ((!with && !at_word(p, KW_WITHOUT)) || !ahead_is_word(p, KW_TIME)) return TRIB_OK;
    parse_advance(p);
    TRY(expect_word(p, KW_TIME));
    TRY(expect_word(p, KW_ZONE));
    if (with) buf_text(out, " with time zone");
    return TRIB_OK;
}

static Status interval_into(Parser *p, Buf *out) {
    parse_advance(p);
    bool months = at_word(p, KW_YEAR) || at_word(p, KW_MONTH);
    AstUnit unit = at_token(p, TOKEN_NAME) ? unit_find(token_text(p, &p->token)) : AST_UNIT_NONE;
    if (unit == AST_UNIT_NONE)
        return parse_unexpected(p, "YEAR, MONTH, DAY, HOUR, MINUTE or SECOND");
    parse_advance(p);
    if (accept_word(p, KW_TO)) {
        unit = at_token(p, TOKEN_NAME) ? unit_find(token_text(p, &p->token)) : AST_UNIT_NONE;
        if (unit == AST_UNIT_NONE) return parse_unexpected(p, "MONTH, HOUR, MINUTE or SECOND");
        parse_advance(p);
    }
    buf_text(out, months ? "interval year to month" : "interval day to second");
    return TRIB_OK;
}

/* A field of row(...): "type" or "name type". */
static bool at_field_name(Parser *p) {
    if (at_token(p, TOKEN_QUOTED)) return true;
    const Token *next = parse_ahead(p);
    if (!token_is_name(next)) return false;
    if (token_is(next, KW_ARRAY)) {
        Lexer probe = p->ahead_lexer;
        Token third;
        lexer_next(&probe, &third);
        return third.kind == TOKEN_LPAREN || third.kind == TOKEN_LT;
    }
    if (at_word(p, KW_DOUBLE) && token_is(next, KW_PRECISION)) return false;
    if (at_word(p, KW_INTERVAL) && unit_find(token_text(p, next)) != AST_UNIT_NONE) return false;
    bool zone = token_is(next, KW_WITHOUT);
    return !((at_word(p, KW_TIME) || at_word(p, KW_TIMESTAMP)) && zone);
}

static Status row_into(Parser *p, Buf *out, TokenKind close, bool colons) {
    buf_text(out, "row(");
    do {
        if (colons || at_field_name(p)) {
            AstName name;
            TRY(parse_name(p, &name));
            name_into(out, &name);
            buf_char(out, ' ');
            if (colons) TRY(expect_token(p, TOKEN_COLON));
        }
        TRY(type_into(p, out));
        if (at_token(p, TOKEN_COMMA)) buf_char(out, ',');
    } while (accept_token(p, TOKEN_COMMA));
    TRY(expect_token(p, close));
    buf_char(out, ')');
    return TRIB_OK;
}

/* "(T, 10, ...)" or "<T, ...>" behind a type's name. */
static Status parameters_into(Parser *p, Buf *out, TokenKind close) {
    buf_char(out, '(');
    do {
        if (at_token(p, TOKEN_INTEGER)) {
            Str digits;
            TRY(parse_integer_text(p, &digits));
            buf_str(out, digits);
        } else {
            TRY(type_into(p, out));
        }
        if (at_token(p, TOKEN_COMMA)) buf_char(out, ',');
    } while (accept_token(p, TOKEN_COMMA));
    TRY(expect_token(p, close));
    buf_char(out, ')');
    return TRIB_OK;
}

/* Names of several words, the longer ones first, and the one word that means the same. */
static const struct {
    const char *words[4];
    const char *text;
} long_names[] = {
    {{"national", "character", "large", "object"}, "clob"},
    {{"national", "char", "large", "object"}, "clob"},
    {{"national", "character", "varying"}, "varchar"},
    {{"national", "char", "varying"}, "varchar"},
    {{"national", "character"}, "char"},
    {{"national", "char"}, "char"},
    {{"character", "large", "object"}, "clob"},
    {{"char", "large", "object"}, "clob"},
    {{"nchar", "large", "object"}, "clob"},
    {{"character", "varying"}, "varchar"},
    {{"char", "varying"}, "varchar"},
    {{"nchar", "varying"}, "varchar"},
    {{"binary", "large", "object"}, "blob"},
    {{"binary", "varying"}, "varbinary"},
    {{"long", "varchar"}, "longvarchar"},
    {{"long", "nvarchar"}, "longvarchar"},
    {{"long", "varbinary"}, "longvarbinary"},
};

static bool words_ahead(const Parser *p, const char *const *words) {
    if (!at_text(p, words[0])) return false;
    Lexer probe = parse_probe(p);
    for (size_t i = 1; i < 4 && words[i]; i++) {
        Token token;
        lexer_next(&probe, &token);
        if (token.kind != TOKEN_NAME || !str_equal_fold(token_text(p, &token), str_from(words[i])))
            return false;
    }
    return true;
}

/* CHARACTER VARYING, BINARY LARGE OBJECT, LONG VARCHAR ...: *found, and written as one word. */
static bool long_name_into(Parser *p, Buf *out) {
    for (size_t i = 0; i < COUNT_OF(long_names); i++) {
        if (!words_ahead(p, long_names[i].words)) continue;
        for (size_t k = 0; k < 4 && long_names[i].words[k]; k++) parse_advance(p);
        buf_text(out, long_names[i].text);
        return true;
    }
    return false;
}

/* "(MAX)" behind a type of any length says what leaving it out says. */
static bool accept_max(Parser *p) {
    if (!at_token(p, TOKEN_LPAREN)) return false;
    Lexer probe = parse_probe(p);
    Token word, close;
    lexer_next(&probe, &word);
    lexer_next(&probe, &close);
    if (word.kind != TOKEN_NAME || close.kind != TOKEN_RPAREN ||
        !str_equal_fold(token_text(p, &word), STR("max")))
        return false;
    for (int i = 0; i < 3; i++) parse_advance(p);
    return true;
}

static Status base_into(Parser *p, Buf *out) {
    if (at_word(p, KW_TIME) || at_word(p, KW_TIMESTAMP)) return datetime_into(p, out);
    if (at_word(p, KW_INTERVAL)) return interval_into(p, out);
    bool word = at_token(p, TOKEN_NAME), is_double = at_word(p, KW_DOUBLE);
    bool row = at_word(p, KW_ROW), structure = at_text(p, "STRUCT");
    if (!token_is_name(&p->token) && !(at_token(p, TOKEN_BACKQUOTED) && p->backquotes)) {
        return parse_unexpected(p, "a type");
    }
    AstName name;
    if (long_name_into(p, out))
        return accept_token(p, TOKEN_LPAREN) ? parameters_into(p, out, TOKEN_RPAREN) : TRIB_OK;
    bool any_length = at_text(p, "varchar") || at_text(p, "nvarchar") || at_text(p, "varbinary");
    TRY(parse_name(p, &name));
    if (is_double) accept_word(p, KW_PRECISION);
    if (row && accept_token(p, TOKEN_LPAREN)) return row_into(p, out, TOKEN_RPAREN, false);
    if (structure && accept_token(p, TOKEN_LT)) return row_into(p, out, TOKEN_GT, true);
    if (word)
        lower_into(out, name.text);
    else
        name_into(out, &name);
    if (any_length && accept_max(p)) return TRIB_OK;
    if (accept_token(p, TOKEN_LPAREN)) return parameters_into(p, out, TOKEN_RPAREN);
    if (accept_token(p, TOKEN_LT)) return parameters_into(p, out, TOKEN_GT);
    return TRIB_OK;
}

/* "T array" wraps what was written since `start`. */
static Status array_suffix(Parser *p, Buf *out, size_t start) {
    Str inner = {out->data + start, out->len - start};
    char *copy;
    TRY_ALLOC(copy, arena_copy(p->arena, inner.data, inner.len), p->err);
    out->len = start;
    buf_printf(out, "array(" STR_FORMAT ")", (int)inner.len, copy);
    parse_advance(p);
    if (!accept_token(p, TOKEN_LBRACKET)) return TRIB_OK;
    Str digits;
    TRY(parse_integer_text(p, &digits));
    return expect_token(p, TOKEN_RBRACKET);
}

static Status type_body(Parser *p, Buf *out) {
    size_t start = out->len;
    TRY(base_into(p, out));
    uint32_t suffixes = 0;
    while (at_word(p, KW_ARRAY) && !out->failed) {
        TRY(parse_enter(p));
        suffixes++;
        TRY(array_suffix(p, out, start));
    }
    p->depth -= suffixes;
    return TRIB_OK;
}

/* A type inside another. */
static Status type_into(Parser *p, Buf *out) {
    TRY(parse_enter(p));
    TRY(type_body(p, out));
    parse_leave(p);
    return TRIB_OK;
}

Status parse_type(Parser *p, Str *out) {
    Buf text;
    buf_init(&text, p->arena, TYPE_TEXT_MAX);
    TRY(type_body(p, &text));
    TRY(buf_status(&text, p->err));
    *out = buf_view(&text);
    return TRIB_OK;
}
