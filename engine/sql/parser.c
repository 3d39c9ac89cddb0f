/*
 * parser.c - the parser's ground: tokens, names, lists, nodes, errors, and the entry points.
 *
 * sql_parse checks the limits and the encoding, copies the text, reads one statement. The lexer hands
 * out what is no token as TOKEN_INVALID; since nothing accepts that, it surfaces in parse_unexpected,
 * the one place where messages and hints about the text are worded. One thread, memory of the arena.
 */
#include "engine/sql/parse.h"

/* ---------------------------------------------------------------- tokens */

void parse_advance(Parser *p) {
    p->last = p->token;
    if (p->has_ahead) {
        p->token = p->ahead;
        p->lexer = p->ahead_lexer;
        p->has_ahead = false;
    } else {
        lexer_next(&p->lexer, &p->token);
    }
}

const Token *parse_ahead(Parser *p) {
    if (!p->has_ahead) {
        p->ahead_lexer = p->lexer;
        lexer_next(&p->ahead_lexer, &p->ahead);
        p->has_ahead = true;
    }
    return &p->ahead;
}

bool accept_token(Parser *p, TokenKind kind) {
    if (!at_token(p, kind)) return false;
    parse_advance(p);
    return true;
}

bool accept_word(Parser *p, Keyword keyword) {
    if (!at_word(p, keyword)) return false;
    parse_advance(p);
    return true;
}

bool at_text(const Parser *p, const char *word) {
    return p->token.kind == TOKEN_NAME && str_equal_fold(token_text(p, &p->token), str_from(word));
}

bool accept_text(Parser *p, const char *word) {
    if (!at_text(p, word)) return false;
    parse_advance(p);
    return true;
}

Status expect_token(Parser *p, TokenKind kind) {
    if (!at_token(p, kind)) return parse_unexpected(p, token_kind_text(kind));
    parse_advance(p);
    return TRIB_OK;
}

Status expect_word(Parser *p, Keyword keyword) {
    if (!at_word(p, keyword)) return parse_unexpected(p, keyword_text(keyword));
    parse_advance(p);
    return TRIB_OK;
}

Status expect_text(Parser *p, const char *word) {
    if (!at_text(p, word)) return parse_unexpected(p, word);
    parse_advance(p);
    return TRIB_OK;
}

Str token_text(const Parser *p, const Token *token) {
    return (Str){p->text.data + token->start, token->len};
}

Str parse_since(const Parser *p, const Token *from) {
    return (Str){p->text.data + from->start, p->last.start + p->last.len - from->start};
}

bool token_is_name(const Token *token) {
    return token->kind == TOKEN_QUOTED ||
           (token->kind == TOKEN_NAME && !keyword_reserved((Keyword)token->keyword));
}

/* ---------------------------------------------------------------- errors */

/* The token as messages show it: quoted, cut after 40 bytes. */
static const char *token_shown(Parser *p, const Token *token, char *out, size_t size) {
    if (token->kind == TOKEN_END) return "the end of the statement";
    Buf buf;
    buf_init(&buf, p->arena, size);
    Str text = token_text(p, token);
    size_t shown = utf8_cut(text.data, text.len, 40);
    const char *quote = text.data[0] == '\'' || text.data[0] == '"' ? "" : "'";
    buf_printf(&buf, "%s" STR_FORMAT "%s%s", quote, (int)shown, text.data,
               shown < text.len ? "..." : "", quote);
    Str view = buf_view(&buf);
    size_t len = utf8_cut(view.data, view.len, size - 1);
    memcpy(out, view.data, len);
    out[len] = '\0';
    return out;
}

/* Characters that people type or paste: what to do about them. */
static const struct {
    const char *character, *hint;
} character_hints[] = {
    {"\xC2\xA0", "this is a no-break space (U+00A0); type a plain one"},
    {"\xE2\x80\x98", "strings take straight quotes: 'text'"},
    {"\xE2\x80\x99", "strings take straight quotes: 'text'"},
    {"\xE2\x80\x9C", "names take straight double quotes, strings straight single ones"},
    {"\xE2\x80\x9D", "names take straight double quotes, strings straight single ones"},
    {"\xE2\x80\x8B", "this is an invisible space (U+200B); remove it"},
    {"#", "comments begin with --; names with other characters take double quotes"},
    {"$", "names with other characters take double quotes: \"$path\"; parameters are written ?"},
    {"@", "there are no variables; names with other characters take double quotes"},
    {"&", "use bitwise_and(a, b), or AND"},
    {"|", "use bitwise_or(a, b), OR, or || to join strings"},
    {"^", "use power(a, b) or bitwise_xor(a, b)"},
    {"~", "use bitwise_not(a), or regexp_like(value, pattern)"},
    {"!", "use NOT"},
    {"\\", "there are no backslash escapes; inside a string write ' as ''"},
};

static Status invalid_character(Parser *p) {
    const Token *token = &p->token;
    Str text = token_text(p, token);
    error_set_at(p->err, ERR_SYNTAX, token->at.line, token->at.column,
                 "unexpected character '" STR_FORMAT "'", STR_ARGS(text));
    for (size_t i = 0; i < COUNT_OF(character_hints); i++) {
        if (str_equal(text, str_from(character_hints[i].character))) {
            return error_hint(p->err, "%s", character_hints[i].hint);
        }
    }
    if ((unsigned char)text.data[0] >= 0x80) {
        return error_hint(p->err, "names with letters beyond A-Z take double quotes");
    }
    return TRIB_INVALID;
}

static Status invalid_token(Parser *p) {
    const AstPosition at = p->token.at;
    switch ((LexFault)p->token.fault) {
    case LEX_OPEN_STRING:
        error_set_at(p->err, ERR_SYNTAX, at.line, at.column,
                     "the string that begins here is not closed");
        return error_hint(p->err, "inside a string write ' as ''");
    case LEX_OPEN_NAME:
        return error_set_at(p->err, ERR_SYNTAX, at.line, at.column,
                            "the quoted name that begins here is not closed");
    case LEX_OPEN_COMMENT:
        return error_set_at(p->err, ERR_SYNTAX, at.line, at.column,
                            "the comment that begins here is not closed");
    case LEX_EMPTY_NAME:
        error_set_at(p->err, ERR_SYNTAX, at.line, at.column, "a quoted name must not be empty");
        return error_hint(p->err, "the empty string is ''");
    case LEX_DOUBLE_EQUAL:
        error_set_at(p->err, ERR_SYNTAX, at.line, at.column, "unexpected '=='");
        return error_hint(p->err, "equality is written =");
    case LEX_CHARACTER: break;
    }
    return invalid_character(p);
}

/* Same letters in another order, or one edit apart. */
static bool nearly(Str word, const char *keyword) {
    Str other = str_from(keyword);
    if (word.len < 4 || str_equal_fold(word, other)) return false;
    if (str_distance(word, other, 1) <= 1) return true;
    if (word.len != other.len) return false;
    int balance[32] = {0};
    for (size_t i = 0; i < word.len; i++) {
        balance[word.data[i] & 31]++;
        balance[other.data[i] & 31]--;
    }
    for (size_t i = 0; i < COUNT_OF(balance); i++) {
        if (balance[i]) return false;
    }
    return true;
}

/* A misspelt clause word became a name: the token consumed last, or the current one. */
static bool hint_misspelt(Parser *p, const Token *token) {
    static const char *const words[] = {"SELECT", "FROM",   "WHERE",  "GROUP",  "ORDER",   "HAVING",
                                        "LIMIT",  "OFFSET", "UNION",  "JOIN",   "INNER",   "VALUES",
                                        "INSERT", "UPDATE", "DELETE", "CREATE", "DISTINCT"};
    if (token->kind != TOKEN_NAME || token->keyword != KEYWORD_NONE) return false;
    Str text = token_text(p, token);
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (nearly(text, words[i])) {
            error_hint(p->err, "did you mean %s instead of " STR_FORMAT "?", words[i],
                       STR_ARGS(text));
            return true;
        }
    }
    return false;
}

static bool is_datetime_word(const Token *token) {
    return token_is(token, KW_DATE) || token_is(token, KW_TIME) || token_is(token, KW_TIMESTAMP) ||
           token_is(token, KW_INTERVAL) || token_is(token, KW_LIKE) || token_is(token, KW_ESCAPE) ||
           token_is(token, KW_COMMENT) || token_is(token, KW_LOCATION);
}

static Status unexpected_hint(Parser *p, const char *expected) {
    const Token *token = &p->token;
    Str text = token_text(p, token);
    bool name = strcmp(expected, "a name") == 0;
    switch ((TokenKind)token->kind) {
    case TOKEN_BACKQUOTED:
        return error_hint(p->err, "names are quoted with double quotes: \"" STR_FORMAT "\"",
                          (int)(text.len - 2), text.data + 1);
    case TOKEN_DIGIT_NAME:
        return error_hint(p->err,
                          "a name that begins with a digit takes double quotes: \"" STR_FORMAT "\"",
                          STR_ARGS(text));
    case TOKEN_QUOTED:
        if (strcmp(expected, "a string") == 0 || is_datetime_word(&p->last)) {
            return error_hint(p->err, "double quotes are for names; strings take single quotes");
        }
        break;
    case TOKEN_STRING:
        if (name)
            return error_hint(p->err, "single quotes are for strings; names take double quotes");
        break;
    case TOKEN_COLON: return error_hint(p->err, "parameters are written ?");
    case TOKEN_EQ:
    case TOKEN_NE:
    case TOKEN_LT:
    case TOKEN_LE:
    case TOKEN_GT:
    case TOKEN_GE:
        return error_hint(p->err,
                          "comparisons do not chain: combine them with AND, or use parentheses");
    case TOKEN_END:
        if (p->last.kind == TOKEN_COMMA)
            return error_hint(p->err, "remove the comma at the end of the list");
        break;
    case TOKEN_RPAREN:
        if (p->last.kind == TOKEN_COMMA)
            return error_hint(p->err, "remove the comma before the parenthesis");
        break;
    case TOKEN_NAME:
        if (token_is(&p->last, KW_SELECT) && token_is(token, KW_FROM))
            return error_hint(p->err, "the select list is empty: write * for all columns");
        if (p->last.kind == TOKEN_COMMA && keyword_reserved((Keyword)token->keyword)) {
            return error_hint(p->err,
                              "remove the comma before " STR_FORMAT
                              ", or quote it as a name: \"" STR_FORMAT "\"",
                              STR_ARGS(text), STR_ARGS(text));
        }
        if (keyword_reserved((Keyword)token->keyword) &&
            (name || strcmp(expected, "an expression") == 0)) {
            return error_hint(p->err,
                              STR_FORMAT
                              " is a reserved word; as a name it takes double quotes: \"" STR_FORMAT
                              "\"",
                              STR_ARGS(text), STR_ARGS(text));
        }
        break;
    default: break;
    }
    if (hint_misspelt(p, &p->last) || hint_misspelt(p, token)) return TRIB_INVALID;
    return TRIB_INVALID;
}

Status parse_unexpected(Parser *p, const char *expected) {
    if (at_token(p, TOKEN_INVALID)) return invalid_token(p);
    char shown[64];
    error_set_at(p->err, ERR_SYNTAX, p->token.at.line, p->token.at.column,
                 "unexpected %s, expected %s", token_shown(p, &p->token, shown, sizeof shown),
                 expected);
    return unexpected_hint(p, expected);
}

static Status PRINTF_LIKE(4, 0)
    error_at(Parser *p, ErrorCode code, AstPosition at, const char *format, va_list arguments) {
    Status status = error_setv(p->err, code, format, arguments);
    p->err->line = at.line;
    p->err->column = at.column;
    return status;
}

Status parse_error(Parser *p, AstPosition at, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    Status status = error_at(p, ERR_SYNTAX, at, format, arguments);
    va_end(arguments);
    return status;
}

Status parse_limit(Parser *p, AstPosition at, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    Status status = error_at(p, ERR_LIMIT, at, format, arguments);
    va_end(arguments);
    return status;
}

Status parse_unsupported(Parser *p, AstPosition at, const char *what) {
    return error_set_at(p->err, ERR_UNSUPPORTED, at.line, at.column, "%s is not supported", what);
}

Status parse_enter(Parser *p) {
    if (p->depth >= SQL_MAX_DEPTH) {
        return parse_limit(p, p->token.at, "the statement nests deeper than %d levels",
                           SQL_MAX_DEPTH);
    }
    p->depth++;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- lists and nodes */

Status ast_list_push(Parser *p, List *list, const void *item, size_t size) {
    if (list->count == list->cap) {
        uint32_t cap = list->cap ? list->cap * 2 : 4;
        void *items;
        TRY_ALLOC(items, arena_array(p->arena, cap, size), p->err);
        if (list->count) memcpy(items, list->items, list->count * size);
        list->items = items;
        list->cap = cap;
    }
    memcpy((char *)list->items + list->count * size, item, size);
    list->count++;
    return TRIB_OK;
}

Status ast_expr_new(Parser *p, AstExprKind kind, AstPosition at, uint32_t nargs, AstExpr **out) {
    AstExpr *expr;
    TRY_ALLOC(expr, ARENA_NEW(p->arena, AstExpr), p->err);
    expr->kind = (uint8_t)kind;
    expr->at = at;
    expr->precision = -1;
    expr->nargs = nargs;
    if (nargs) TRY_ALLOC(expr->args, ARENA_ARRAY(p->arena, AstExpr *, nargs), p->err);
    *out = expr;
    return TRIB_OK;
}

static uint16_t max_height(uint16_t height, const AstExpr *expr) {
    return expr && expr->height >= height ? (uint16_t)(expr->height + 1) : height;
}

Status ast_expr_done(Parser *p, AstExpr *expr) {
    uint16_t height = expr->height;
    for (uint32_t i = 0; i < expr->nargs; i++) height = max_height(height, expr->args[i]);
    if (expr->query && expr->query->height >= height) height = (uint16_t)(expr->query->height + 1);
    height = max_height(height, expr->filter);
    for (uint32_t i = 0; i < expr->norder; i++) height = max_height(height, expr->order[i].expr);
    if (expr->window) {
        const AstWindow *w = expr->window;
        for (uint32_t i = 0; i < w->npartition; i++) height = max_height(height, w->partition[i]);
        for (uint32_t i = 0; i < w->norder; i++) height = max_height(height, w->order[i].expr);
        height = max_height(max_height(height, w->start_value), w->end_value);
    }
    if (height > SQL_MAX_HEIGHT) {
        return parse_limit(p, expr->at,
                           "the expression nests deeper than %d levels (a chain of as many "
                           "operators counts)",
                           SQL_MAX_HEIGHT);
    }
    expr->height = height;
    return TRIB_OK;
}

Status ast_expr_string(Parser *p, AstPosition at, Str text, AstExpr **out) {
    TRY(ast_expr_new(p, AST_STRING, at, 0, out));
    (*out)->text = text;
    return TRIB_OK;
}

Status ast_expr_integer(Parser *p, AstPosition at, const char *digits, AstExpr **out) {
    TRY(ast_expr_new(p, AST_INTEGER, at, 0, out));
    (*out)->text = str_from(digits);
    return TRIB_OK;
}

Status ast_expr_call(Parser *p, AstPosition at, const char *name, uint32_t nargs, AstExpr **args,
                     AstExpr **out) {
    TRY(ast_expr_new(p, AST_CALL, at, nargs, out));
    AstExpr *call = *out;
    for (uint32_t i = 0; i < nargs; i++) call->args[i] = args[i];
    TRY_ALLOC(call->name.parts, ARENA_NEW(p->arena, AstName), p->err);
    call->name.count = 1;
    call->name.parts[0] = (AstName){.text = str_from(name), .at = at};
    return ast_expr_done(p, call);
}

Status ast_expr_binary(Parser *p, AstPosition at, TribFunctionId op, AstExpr *left, AstExpr *right,
                       AstExpr **out) {
    TRY(ast_expr_new(p, AST_BINARY_OP, at, 2, out));
    (*out)->op = (uint16_t)op;
    (*out)->args[0] = left;
    (*out)->args[1] = right;
    return ast_expr_done(p, *out);
}

/* ---------------------------------------------------------------- names and strings */

Status parse_name(Parser *p, AstName *out) {
    const Token token = p->token;
    bool back = token.kind == TOKEN_BACKQUOTED && p->backquotes;
    if (!token_is_name(&token) && !back) return parse_unexpected(p, "a name");
    *out = (AstName){
        .text = token_text(p, &token), .quoted = token.kind != TOKEN_NAME, .at = token.at};
    if (out->quoted) {
        out->text = token_unquote(p->arena, out->text, 0);
        if (!out->text.data) return error_out_of_memory(p->err);
        if (memchr(out->text.data, '\0', out->text.len)) {
            return parse_error(p, token.at, "a name must not hold the character U+0000");
        }
    }
    parse_advance(p);
    return TRIB_OK;
}

Status parse_qualified(Parser *p, AstQualifiedName *out) {
    List parts = {0};
    do {
        AstName name;
        TRY(parse_name(p, &name));
        TRY(ast_list_push(p, &parts, &name, sizeof name));
    } while (accept_token(p, TOKEN_DOT));
    *out = (AstQualifiedName){parts.count, parts.items};
    return TRIB_OK;
}

Status parse_name_list(Parser *p, uint32_t *count, AstName **names) {
    List list = {0};
    TRY(expect_token(p, TOKEN_LPAREN));
    do {
        AstName name;
        TRY(parse_name(p, &name));
        if (list.count >= SQL_MAX_COLUMNS) {
            return parse_limit(p, name.at, "more than %d columns", SQL_MAX_COLUMNS);
        }
        TRY(ast_list_push(p, &list, &name, sizeof name));
    } while (accept_token(p, TOKEN_COMMA));
    TRY(expect_token(p, TOKEN_RPAREN));
    *count = list.count;
    *names = list.items;
    return TRIB_OK;
}

/* The token behind the current word leaves no other reading than a name: end, ',', ')', a reserved word. */
static bool ahead_ends_name(Parser *p) {
    const Token *next = parse_ahead(p);
    switch ((TokenKind)next->kind) {
    case TOKEN_END:
    case TOKEN_COMMA:
    case TOKEN_RPAREN:
    case TOKEN_SEMICOLON:
    case TOKEN_RBRACE:
    case TOKEN_LPAREN: return true;
    case TOKEN_NAME: return keyword_reserved((Keyword)next->keyword);
    default: return false;
    }
}

bool at_clause(Parser *p) {
    if (!at_token(p, TOKEN_NAME)) return false;
    switch ((Keyword)p->token.keyword) {
    case KW_LIMIT:
    case KW_OFFSET: return !ahead_ends_name(p);
    case KW_FETCH: return ahead_is_word(p, KW_FIRST) || ahead_is_word(p, KW_NEXT);
    case KW_WINDOW: return token_is_name(parse_ahead(p));
    case KW_TABLESAMPLE: return ahead_is_word(p, KW_BERNOULLI) || ahead_is_word(p, KW_SYSTEM);
    case KW_MATCH_RECOGNIZE: return ahead_is(p, TOKEN_LPAREN);
    default: return false;
    }
}

bool at_query_start(const Parser *p) {
    return at_word(p, KW_SELECT) || at_word(p, KW_WITH) || at_word(p, KW_VALUES) ||
           at_word(p, KW_TABLE);
}

bool at_query_continuation(Parser *p) {
    if (at_word(p, KW_UNION) || at_word(p, KW_INTERSECT) || at_word(p, KW_EXCEPT) ||
        at_word(p, KW_ORDER)) {
        return true;
    }
    return (at_word(p, KW_LIMIT) || at_word(p, KW_OFFSET) || at_word(p, KW_FETCH)) && at_clause(p);
}

bool at_nested_query(const Parser *p) {
    Lexer probe = parse_probe(p);
    Token token = p->token;
    for (int i = 0; token.kind == TOKEN_LPAREN && i <= SQL_MAX_DEPTH; i++)
        lexer_next(&probe, &token);
    return token_is(&token, KW_SELECT) || token_is(&token, KW_WITH) ||
           token_is(&token, KW_VALUES) || token_is(&token, KW_TABLE);
}

Status parse_alias(Parser *p, AstName *out) {
    if (accept_word(p, KW_AS)) return parse_name(p, out);
    if ((token_is_name(&p->token) || at_token(p, TOKEN_BACKQUOTED)) && !at_clause(p)) {
        return parse_name(p, out);
    }
    return TRIB_OK;
}

bool at_string(const Parser *p) {
    return at_token(p, TOKEN_STRING) || at_token(p, TOKEN_UNICODE);
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Decodes \XXXX and \+XXXXXX (the escape character may be another) into UTF-8. */
static Status decode_unicode(Parser *p, AstPosition at, Str raw, char escape, Str *out) {
    char *data;
    TRY_ALLOC(data, arena_alloc(p->arena, raw.len + 1), p->err);
    size_t len = 0;
    for (size_t i = 0; i < raw.len;) {
        if (raw.data[i] != escape) {
            data[len++] = raw.data[i++];
            continue;
        }
        if (i + 1 < raw.len && raw.data[i + 1] == escape) {
            data[len++] = escape;
            i += 2;
            continue;
        }
        bool six = i + 1 < raw.len && raw.data[i + 1] == '+';
        size_t first = i + 1 + six, digits = six ? 6 : 4;
        uint32_t code = 0;
        for (size_t k = 0; k < digits; k++) {
            int value = first + k < raw.len ? hex_value(raw.data[first + k]) : -1;
            if (value < 0) return parse_error(p, at, "incomplete escape sequence in a U& string");
            code = code * 16 + (uint32_t)value;
        }
        size_t bytes = utf8_put(data + len, code);
        if (bytes == 0) return parse_error(p, at, "U&: %X is not a character", code);
        len += bytes;
        i = first + digits;
    }
    *out = (Str){data, len};
    return TRIB_OK;
}

static bool usable_escape(char c) {
    return (unsigned char)c > 32 && (unsigned char)c < 127 && hex_value(c) < 0 && c != '+' &&
           c != '\'' && c != '"';
}

Status parse_string(Parser *p, Str *out) {
    if (!at_string(p)) return parse_unexpected(p, "a string");
    const Token token = p->token;
    Str raw = token_text(p, &token);
    size_t prefix = token.kind == TOKEN_UNICODE ? 2 : raw.data[0] != '\'';
    *out = token_unquote(p->arena, raw, prefix);
    if (!out->data) return error_out_of_memory(p->err);
    parse_advance(p);
    if (token.kind != TOKEN_UNICODE) return TRIB_OK;
    char escape = '\\';
    if (accept_word(p, KW_UESCAPE)) {
        const AstPosition at = p->token.at;
        if (!at_token(p, TOKEN_STRING)) return parse_unexpected(p, "a string");
        Str text = token_unquote(p->arena, token_text(p, &p->token), 0);
        if (text.len != 1 || !usable_escape(text.data[0])) {
            return parse_error(
                p, at,
                "UESCAPE takes one character that is no hexadecimal digit, quote, plus or blank");
        }
        escape = text.data[0];
        parse_advance(p);
    }
    return decode_unicode(p, token.at, *out, escape, out);
}

/* ---------------------------------------------------------------- entry points */

static Status check_text(Str text, Error *err) {
    if (text.len > SQL_MAX_TEXT) {
        return error_set(err, ERR_LIMIT, "the statement has %zu bytes, more than %u", text.len,
                         SQL_MAX_TEXT);
    }
    if (utf8_valid(text.data, text.len)) return TRIB_OK;
    uint32_t line = 1, column = 1;
    for (size_t at = 0; at < text.len;) {
        char c = text.data[at];
        if (utf8_next(text.data, text.len, &at) < 0) break;
        line += c == '\n';
        column = c == '\n' ? 1 : column + 1;
    }
    return error_set_at(err, ERR_SYNTAX, line, column, "the statement is not valid UTF-8 here");
}

Status sql_parse(Arena *arena, Str text, AstStatement **out, Error *err) {
    return sql_parse_at(arena, text, (AstPosition){0}, out, err);
}

static Status parse_text(Parser *p, Str text, AstPosition at, AstStatement **out) {
    TRY(check_text(text, p->err));
    char *copy;
    TRY_ALLOC(copy, arena_copy(p->arena, text.data, text.len), p->err);
    p->text = (Str){copy, text.len};
    lexer_init(&p->lexer, p->text);
    p->lexer.fixed = at;
    parse_advance(p);
    if (at_token(p, TOKEN_END) || at_token(p, TOKEN_SEMICOLON)) {
        return parse_error(p, p->token.at, "the statement is empty");
    }
    TRY(parse_statement(p, out));
    (*out)->nparameters = p->parameters;
    while (accept_token(p, TOKEN_SEMICOLON)) {
    }
    if (at_token(p, TOKEN_END)) return TRIB_OK;
    if (p->last.kind == TOKEN_SEMICOLON) {
        return parse_error(p, p->token.at,
                           "only one statement at a time: nothing may follow the ';'");
    }
    return parse_unexpected(p, "the end of the statement");
}

Status sql_parse_at(Arena *arena, Str text, AstPosition at, AstStatement **out, Error *err) {
    Parser parser = {.arena = arena, .err = err};
    return parse_text(&parser, text, at, out);
}

Status sql_parse_given(Arena *arena, Str text, uint32_t nargs, AstExpr *const *args,
                       AstStatement **out, uint32_t *given, Error *err) {
    Parser parser = {.arena = arena, .err = err, .nargs = nargs, .args = args};
    TRY(parse_text(&parser, text, (AstPosition){0}, out));
    *given = parser.parameters;
    return TRIB_OK;
}

bool sql_split(Str script, size_t *at, Str *statement) {
    while (*at < script.len) {
        size_t rest = script.len - *at;
        Str text = {script.data + *at, rest < UINT32_MAX ? rest : UINT32_MAX - 1};
        Lexer lexer;
        lexer_init(&lexer, text);
        Token token;
        bool empty = true;
        do {
            lexer_next(&lexer, &token);
            if (token.kind == TOKEN_END || token.kind == TOKEN_SEMICOLON) break;
            empty = false;
        } while (true);
        *at += token.kind == TOKEN_END ? text.len : (size_t)token.start + 1;
        if (empty) continue;
        *statement = str_trim((Str){text.data, token.start});
        return true;
    }
    return false;
}

const char *sql_reserved_word(uint32_t index) {
    for (uint32_t k = KEYWORD_NONE + 1; k < KEYWORD_TOTAL; k++) {
        if (keyword_reserved((Keyword)k) && index-- == 0) return keyword_text((Keyword)k);
    }
    return NULL;
}
