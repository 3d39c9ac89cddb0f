/*
 * bounds.c - columns that hold less than SQLite lets in by their declared type: what proves it, and how that is found again.
 *
 * Under SQLite's INT, SMALLINT and TINYINT any integer of 64 bits may be stored, under CHAR(n) any text; so the name of a
 * type says nothing about the values. A column that is made here says it by a condition which SQLite keeps whoever
 * writes:
 *
 *   "n" SMALLINT CHECK (("n" BETWEEN -32768 AND 32767))
 *   "c" CHAR(3) CHECK ((rtrim("c") = "c" AND length("c") <= 3))
 *
 * A column of integers with such a CHECK of its own, whoever wrote it, is described as the type whose range it is;
 * without one it is bigint. CHAR(n) with one is char(n), whose values are kept without the blanks that pad them, so that
 * SQLite compares them as char(n) compares; without one it is varchar(n). The CHECK is found in the text of CREATE
 * TABLE, which SQLite keeps, by its tokens ("The CREATE TABLE command" in SQLite's documentation): after RENAME COLUMN
 * the names in it may be quoted otherwise.
 *
 * Threads: no state. Memory: none; tokens are slices of the text.
 */
#include "connectors/sqlite/sqlite_internal.h"
#include "engine/base/number.h"

static const LiteBounds bounds_of_types[] = {
    {TRIB_TYPE_TINYINT, INT8_MIN, INT8_MAX, "tinyint"},
    {TRIB_TYPE_SMALLINT, INT16_MIN, INT16_MAX, "smallint"},
    {TRIB_TYPE_INTEGER, INT32_MIN, INT32_MAX, "integer"},
};

const LiteBounds *lite_bounds(TribType type) {
    for (size_t i = 0; i < COUNT_OF(bounds_of_types); i++) {
        if (bounds_of_types[i].id == type.id) return &bounds_of_types[i];
    }
    return NULL;
}

/* In parentheses of its own: of a condition that begins with a quote SQLite's messages tell the name in quotes alone. */
void lite_proof_text(const TribColumn *column, Buf *out) {
    const LiteBounds *bounds = lite_bounds(column->type);
    Str name = str_from(column->name);
    if (bounds) {
        buf_text(out, " CHECK ((");
        lite_dialect.quote(out, name);
        buf_printf(out, " BETWEEN %lld AND %lld))", (long long)bounds->low,
                   (long long)bounds->high);
    } else if (column->type.id == TRIB_TYPE_CHAR && column->type.length) {
        buf_text(out, " CHECK ((rtrim(");
        lite_dialect.quote(out, name);
        buf_text(out, ") = ");
        lite_dialect.quote(out, name);
        buf_text(out, " AND length(");
        lite_dialect.quote(out, name);
        buf_printf(out, ") <= %u))", column->type.length);
    }
}

/* ---------------------------------------------------------------- tokens */

typedef enum {
    TOKEN_END,
    TOKEN_WORD, /* a name or number as it stands */
    TOKEN_QUOTED, /* "name", `name`, [name]: the text between the quotes, doubled ones still doubled */
    TOKEN_STRING, /* 'text', the same; where a column is defined SQLite takes it for a name */
    TOKEN_SIGN    /* one character */
} TokenKind;

typedef struct Token {
    TokenKind kind;
    Str text;
    char quote; /* the one that may stand doubled in the text; 0 = none */
} Token;

/* Tokens are read from the front of a text; who wants to look ahead copies it. */

static void skip(Str *self, size_t bytes) {
    self->data += bytes;
    self->len -= bytes;
}

/* Where `end` is next, behind it; the text's length if it is nowhere. */
static size_t behind(Str text, size_t from, const char *end) {
    size_t length = strlen(end);
    for (size_t i = from; i + length <= text.len; i++) {
        if (memcmp(text.data + i, end, length) == 0) return i + length;
    }
    return text.len;
}

static void skip_blanks(Str *self) {
    for (;;) {
        Str rest = *self;
        bool two = rest.len >= 2;
        if (rest.len && strchr(" \t\n\f\r", rest.data[0]) && rest.data[0])
            skip(self, 1);
        else if (two && rest.data[0] == '-' && rest.data[1] == '-')
            skip(self, behind(rest, 2, "\n"));
        else if (two && rest.data[0] == '/' && rest.data[1] == '*')
            skip(self, behind(rest, 2, "*/"));
        else
            return;
    }
}

static Token token_quoted(Str *self, char end) {
    Str rest = *self;
    size_t at = 1;
    while (at < rest.len) {
        if (rest.data[at] != end)
            at++;
        else if (end != ']' && at + 1 < rest.len && rest.data[at + 1] == end)
            at += 2;
        else
            break;
    }
    skip(self, at < rest.len ? at + 1 : rest.len);
    return (Token){end == '\'' ? TOKEN_STRING : TOKEN_QUOTED,
                   {rest.data + 1, at - 1},
                   (char)(end == ']' ? 0 : end)};
}

static bool in_word(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

static Token token_next(Str *self) {
    size_t length = 0;
    skip_blanks(self);
    Str rest = *self;
    if (!rest.len) return (Token){.kind = TOKEN_END};
    switch (rest.data[0]) {
    case '"':
    case '`':
    case '\'': return token_quoted(self, rest.data[0]);
    case '[': return token_quoted(self, ']');
    default: break;
    }
    while (length < rest.len && in_word(rest.data[length])) length++;
    Token token = {length ? TOKEN_WORD : TOKEN_SIGN, {rest.data, length ? length : 1}, 0};
    skip(self, token.text.len);
    return token;
}

static bool is_sign(Token token, char c) {
    return token.kind == TOKEN_SIGN && token.text.data[0] == c;
}

static bool is_word(Token token, const char *word) {
    return token.kind == TOKEN_WORD && str_equal_fold(token.text, str_from(word));
}

/* The next byte of a name, its quotes taken away. */
static char name_byte(Token token, size_t *at) {
    char c = token.text.data[(*at)++];
    if (token.quote && c == token.quote) (*at)++;
    return c;
}

static bool names_equal(Token a, Token b) {
    size_t i = 0, j = 0;
    while (i < a.text.len && j < b.text.len) {
        char x = name_byte(a, &i), y = name_byte(b, &j);
        if (!str_equal_fold((Str){&x, 1}, (Str){&y, 1})) return false;
    }
    return i >= a.text.len && j >= b.text.len;
}

/* ---------------------------------------------------------------- the CHECK */

static bool number_next(Str *tokens, int64_t *out) {
    char text[24] = "-";
    Token token = token_next(tokens);
    bool negative = is_sign(token, '-');
    if (negative) token = token_next(tokens);
    if (token.kind != TOKEN_WORD || token.text.len + 2 > sizeof text) return false;
    memcpy(text + 1, token.text.data, token.text.len);
    return int64_parse((Str){text + !negative, token.text.len + negative}, out) == NUMBER_OK;
}

/* name BETWEEN low AND high in any number of parentheses, and nothing behind them but `end` (0: the end of the text). */
static const LiteBounds *bounds_read(Str tokens, char end, Token *name) {
    int64_t low, high;
    uint32_t depth = 0;
    for (*name = token_next(&tokens); is_sign(*name, '('); depth++) *name = token_next(&tokens);
    if (name->kind != TOKEN_WORD && name->kind != TOKEN_QUOTED) return NULL;
    if (!is_word(token_next(&tokens), "BETWEEN") || !number_next(&tokens, &low)) return NULL;
    if (!is_word(token_next(&tokens), "AND") || !number_next(&tokens, &high)) return NULL;
    Token last = token_next(&tokens);
    for (; depth > 0 && is_sign(last, ')'); depth--) last = token_next(&tokens);
    if (depth || (end ? !is_sign(last, end) : last.kind != TOKEN_END)) return NULL;
    for (size_t i = 0; i < COUNT_OF(bounds_of_types); i++) {
        const LiteBounds *bounds = &bounds_of_types[i];
        if (bounds->low == low && bounds->high == high) return bounds;
    }
    return NULL;
}

/* Does an expression's token mean the column? 'c' is a text there. */
static bool means_column(Token token, Token column) {
    return (token.kind == TOKEN_WORD || token.kind == TOKEN_QUOTED) && names_equal(token, column);
}

static bool sign_next(Str *tokens, char c) {
    return is_sign(token_next(tokens), c);
}

/* function(column) */
static bool call_next(Str *tokens, const char *function, Token column) {
    return is_word(token_next(tokens), function) && sign_next(tokens, '(') &&
           means_column(token_next(tokens), column) && sign_next(tokens, ')');
}

/* (rtrim(column) = column AND length(column) <= n) and the end of the CHECK, as lite_proof_text writes it. */
static bool char_read(Str tokens, Token column, int64_t *length) {
    return sign_next(&tokens, '(') && call_next(&tokens, "rtrim", column) &&
           sign_next(&tokens, '=') && means_column(token_next(&tokens), column) &&
           is_word(token_next(&tokens), "AND") && call_next(&tokens, "length", column) &&
           sign_next(&tokens, '<') && sign_next(&tokens, '=') && number_next(&tokens, length) &&
           sign_next(&tokens, ')') && sign_next(&tokens, ')') && *length > 0 && *length < INT32_MAX;
}

/* What a CHECK proves whose condition is next. */
static TribType check_read(Str tokens, Token column) {
    Token name;
    int64_t length;
    const LiteBounds *bounds = bounds_read(tokens, ')', &name);
    if (bounds && names_equal(name, column)) return (TribType){.id = bounds->id};
    if (char_read(tokens, column, &length))
        return (TribType){.id = TRIB_TYPE_CHAR, .length = (uint32_t)length};
    return (TribType){.id = 0};
}

/* Goes to the end of a column's definition. false: no other follows. */
static bool definition_read(Str *tokens, Token column, TribType *proved) {
    uint32_t depth = 0;
    bool check = false;
    for (;;) {
        Token token = token_next(tokens);
        if (token.kind == TOKEN_END) return false;
        if (check && is_sign(token, '(') && !proved->id) *proved = check_read(*tokens, column);
        check = depth == 0 && is_word(token, "CHECK");
        if (is_sign(token, '(')) {
            depth++;
        } else if (is_sign(token, ')')) {
            if (depth == 0) return false;
            depth--;
        } else if (is_sign(token, ',') && depth == 0) {
            return true;
        }
    }
}

/* The conditions of the table stand behind its columns and begin with one of SQLite's reserved words. */
static bool begins_column(Token token) {
    static const char *const others[] = {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"};
    if (token.kind == TOKEN_END || token.kind == TOKEN_SIGN) return false;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (is_word(token, others[i])) return false;
    }
    return true;
}

Str lite_definitions(const char *create_table) {
    Str tokens = str_from(create_table);
    Token token = token_next(&tokens);
    if (!is_word(token, "CREATE") || !is_word(token_next(&tokens), "TABLE")) return STR("");
    while (token.kind != TOKEN_END && !is_sign(token, '(')) token = token_next(&tokens);
    return tokens;
}

TribType lite_proof_next(Str *definitions, const char *column) {
    TribType proved = {.id = 0};
    Token name = token_next(definitions);
    bool expected =
        begins_column(name) && names_equal(name, (Token){TOKEN_WORD, str_from(column), 0});
    if (!expected || !definition_read(definitions, name, &proved)) *definitions = STR("");
    return proved;
}

/* ---------------------------------------------------------------- what SQLite says when it is violated */

const LiteBounds *lite_bounds_violated(LiteDb *db, Str *column) {
    static const char start[] = "CHECK constraint failed: ";
    const char *message = sqlite3_errmsg(db->db);
    Token name;
    if (sqlite3_extended_errcode(db->db) != SQLITE_CONSTRAINT_CHECK) return NULL;
    if (strncmp(message, start, sizeof start - 1) != 0) return NULL;
    const LiteBounds *bounds = bounds_read(str_from(message + sizeof start - 1), 0, &name);
    *column = name.text;
    return bounds;
}

void lite_bounds_tell(LiteDb *db, const TribColumn *column, const TribValue *value, Error *err) {
    Str name;
    const LiteBounds *bounds = lite_bounds_violated(db, &name);
    bool whole = value->type.id >= TRIB_TYPE_TINYINT && value->type.id <= TRIB_TYPE_BIGINT;
    if (!bounds || !whole || value->is_null || !str_equal_fold(name, str_from(column->name)))
        return;
    if (value->as.integer < bounds->low || value->as.integer > bounds->high)
        error_detail(err, "the value %lld", (long long)value->as.integer);
}
