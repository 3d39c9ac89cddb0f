/*
 * parse_expr.c - expressions by precedence climbing.
 *
 * Levels after Trino's grammar: OR, AND, NOT, predicates (which do not chain), ||, + -, * / %, sign,
 * AT TIME ZONE, primary. AND, OR and || become one node for a whole chain; arithmetic chains are built
 * left-deep by a loop, so that they cost no recursion here, but their height counts. A query in
 * parentheses is told from an expression without backtracking: what was read is put back as `pending`,
 * the next primary. Reading: one thread, nodes in the arena.
 */
#include "engine/sql/parse.h"

typedef enum Level {
    LEVEL_NONE,
    LEVEL_OR,
    LEVEL_AND,
    LEVEL_NOT,
    LEVEL_PREDICATE,
    LEVEL_CONCAT,
    LEVEL_ADD,
    LEVEL_MULTIPLY,
    LEVEL_SIGN,
    LEVEL_ZONE,
    LEVEL_PRIMARY
} Level;

static Status parse_level(Parser *p, Level min, AstExpr **out) WARN_UNUSED;

/* ---------------------------------------------------------------- operators */

static Level word_level(Parser *p) {
    switch ((Keyword)p->token.keyword) {
    case KW_OR: return LEVEL_OR;
    case KW_AND: return LEVEL_AND;
    case KW_BETWEEN:
    case KW_IN:
    case KW_LIKE:
    case KW_IS: return LEVEL_PREDICATE;
    case KW_NOT: {
        const Token *next = parse_ahead(p);
        bool negated =
            token_is(next, KW_BETWEEN) || token_is(next, KW_IN) || token_is(next, KW_LIKE);
        return negated ? LEVEL_PREDICATE : LEVEL_NONE;
    }
    case KW_AT: return ahead_is_word(p, KW_TIME) ? LEVEL_ZONE : LEVEL_NONE;
    default: return LEVEL_NONE;
    }
}

static Level operator_level(Parser *p) {
    switch ((TokenKind)p->token.kind) {
    case TOKEN_NAME: return word_level(p);
    case TOKEN_EQ:
    case TOKEN_NE:
    case TOKEN_LT:
    case TOKEN_LE:
    case TOKEN_GT:
    case TOKEN_GE: return LEVEL_PREDICATE;
    case TOKEN_CONCAT: return LEVEL_CONCAT;
    case TOKEN_PLUS:
    case TOKEN_MINUS: return LEVEL_ADD;
    case TOKEN_STAR:
    case TOKEN_SLASH:
    case TOKEN_PERCENT: return LEVEL_MULTIPLY;
    default: return LEVEL_NONE;
    }
}

static TribFunctionId operator_id(TokenKind kind) {
    switch (kind) {
    case TOKEN_EQ: return TRIB_FN_eq;
    case TOKEN_NE: return TRIB_FN_ne;
    case TOKEN_LT: return TRIB_FN_lt;
    case TOKEN_LE: return TRIB_FN_le;
    case TOKEN_GT: return TRIB_FN_gt;
    case TOKEN_GE: return TRIB_FN_ge;
    case TOKEN_PLUS: return TRIB_FN_add;
    case TOKEN_MINUS: return TRIB_FN_subtract;
    case TOKEN_STAR: return TRIB_FN_multiply;
    case TOKEN_SLASH: return TRIB_FN_divide;
    default: return TRIB_FN_modulus;
    }
}

/* a AND b AND c, a OR b, a || b: operands of the next higher level in one node. */
static Status parse_chain(Parser *p, Level level, AstExpr *left, AstExpr **out) {
    const AstPosition at = p->token.at;
    List operands = {0};
    TRY(ast_list_push(p, &operands, &left, sizeof left));
    while (operator_level(p) == level) {
        parse_advance(p);
        AstExpr *right;
        TRY(parse_level(p, level + 1, &right));
        TRY(ast_list_push(p, &operands, &right, sizeof right));
    }
    if (level == LEVEL_CONCAT) {
        TRY(ast_expr_call(p, at, "concat", operands.count, operands.items, out));
        (*out)->op = TRIB_FN_concat;
        return TRIB_OK;
    }
    TRY(ast_expr_new(p, level == LEVEL_OR ? AST_OR : AST_AND, at, 0, out));
    (*out)->nargs = operands.count;
    (*out)->args = operands.items;
    return ast_expr_done(p, *out);
}

static Status parse_arithmetic(Parser *p, Level level, AstExpr *left, AstExpr **out) {
    const Token token = p->token;
    parse_advance(p);
    AstExpr *right;
    TRY(parse_level(p, level + 1, &right));
    return ast_expr_binary(p, token.at, operator_id((TokenKind)token.kind), left, right, out);
}

static Status parse_zone(Parser *p, AstExpr *left, AstExpr **out) {
    const AstPosition at = p->token.at;
    parse_advance(p);
    TRY(expect_word(p, KW_TIME));
    TRY(expect_word(p, KW_ZONE));
    TRY(ast_expr_new(p, AST_AT_TIME_ZONE, at, 2, out));
    (*out)->args[0] = left;
    TRY(parse_primary(p, &(*out)->args[1]));
    return ast_expr_done(p, *out);
}

/* ---------------------------------------------------------------- predicates */

static Status parse_comparison(Parser *p, AstExpr *left, AstExpr **out) {
    const Token token = p->token;
    TribFunctionId op = operator_id((TokenKind)token.kind);
    parse_advance(p);
    bool any = at_word(p, KW_ANY) || at_word(p, KW_SOME), all = at_word(p, KW_ALL);
    if ((any || all) && ahead_is(p, TOKEN_LPAREN)) {
        parse_advance(p);
        TRY(ast_expr_new(p, AST_QUANTIFIED, token.at, 1, out));
        (*out)->op = (uint16_t)op;
        (*out)->all = all;
        (*out)->args[0] = left;
        TRY(parse_paren_query(p, &(*out)->query));
        return ast_expr_done(p, *out);
    }
    AstExpr *right;
    TRY(parse_level(p, LEVEL_CONCAT, &right));
    return ast_expr_binary(p, token.at, op, left, right, out);
}

static Status parse_between(Parser *p, AstExpr *left, AstExpr **out) {
    TRY(ast_expr_new(p, AST_BETWEEN, p->token.at, 3, out));
    parse_advance(p);
    (*out)->args[0] = left;
    TRY(parse_level(p, LEVEL_CONCAT, &(*out)->args[1]));
    TRY(expect_word(p, KW_AND));
    TRY(parse_level(p, LEVEL_CONCAT, &(*out)->args[2]));
    return ast_expr_done(p, *out);
}

static Status scalar_query(Parser *p, AstPosition at, AstQuery *query, AstExpr **out) {
    TRY(ast_expr_new(p, AST_SCALAR_QUERY, at, 0, out));
    (*out)->query = query;
    return ast_expr_done(p, *out);
}

static Status parse_paren(Parser *p, AstExpr **expr, AstQuery **query) WARN_UNUSED;

/* Behind '(': the query that fills the parentheses, or the first expression in them. A query alone in
 * further parentheses is a query, except for IN, whose list it begins (Trino's reading). */
static Status parse_first(Parser *p, bool in_list, AstExpr **expr, AstQuery **query) {
    *expr = NULL;
    *query = NULL;
    if (at_query_start(p)) return parse_query(p, query);
    if (!at_token(p, TOKEN_LPAREN) || !at_nested_query(p)) return parse_expr(p, expr);
    const Token start = p->token;
    AstExpr *inner;
    AstQuery *inside;
    TRY(parse_paren(p, &inner, &inside));
    if (inside) {
        if (at_query_continuation(p)) return parse_query_behind(p, &start, inside, query);
        if (!in_list && at_token(p, TOKEN_RPAREN)) return query_wrap(p, &start, inside, query);
        TRY(scalar_query(p, start.at, inside, &inner));
    }
    p->pending = inner;
    return parse_expr(p, expr);
}

/* At '(': a query, an expression, or a row of several. */
static Status parse_paren(Parser *p, AstExpr **expr, AstQuery **query) {
    const AstPosition at = p->token.at;
    TRY(parse_enter(p));
    parse_advance(p);
    TRY(parse_first(p, false, expr, query));
    if (*expr && at_token(p, TOKEN_COMMA)) {
        List items = {0};
        TRY(ast_list_push(p, &items, expr, sizeof *expr));
        while (accept_token(p, TOKEN_COMMA)) {
            AstExpr *item;
            TRY(parse_expr(p, &item));
            TRY(ast_list_push(p, &items, &item, sizeof item));
        }
        TRY(ast_expr_new(p, AST_ROW, at, 0, expr));
        (*expr)->nargs = items.count;
        (*expr)->args = items.items;
        TRY(ast_expr_done(p, *expr));
    }
    if (!at_token(p, TOKEN_RPAREN)) return parse_unexpected(p, *expr ? "',' or ')'" : "')'");
    parse_advance(p);
    if (*expr) (*expr)->parenthesised = true;
    parse_leave(p);
    return TRIB_OK;
}

static Status parse_in(Parser *p, AstExpr *left, AstExpr **out) {
    const AstPosition at = p->token.at;
    parse_advance(p);
    TRY(parse_enter(p));
    TRY(expect_token(p, TOKEN_LPAREN));
    AstExpr *first;
    AstQuery *query;
    TRY(parse_first(p, true, &first, &query));
    List items = {0};
    TRY(ast_list_push(p, &items, &left, sizeof left));
    if (first) TRY(ast_list_push(p, &items, &first, sizeof first));
    while (first && accept_token(p, TOKEN_COMMA)) {
        AstExpr *item;
        TRY(parse_expr(p, &item));
        TRY(ast_list_push(p, &items, &item, sizeof item));
    }
    if (!at_token(p, TOKEN_RPAREN)) return parse_unexpected(p, first ? "',' or ')'" : "')'");
    parse_advance(p);
    parse_leave(p);
    TRY(ast_expr_new(p, query ? AST_IN_QUERY : AST_IN_LIST, at, 0, out));
    (*out)->nargs = items.count;
    (*out)->args = items.items;
    (*out)->query = query;
    return ast_expr_done(p, *out);
}

static Status parse_like(Parser *p, AstExpr *left, AstExpr **out) {
    const AstPosition at = p->token.at;
    parse_advance(p);
    AstExpr *pattern, *escape = NULL;
    TRY(parse_level(p, LEVEL_CONCAT, &pattern));
    if (accept_word(p, KW_ESCAPE)) {
        TRY(parse_level(p, LEVEL_CONCAT, &escape));
    } else if (at_token(p, TOKEN_LBRACE) && ahead_is_word(p, KW_ESCAPE)) {
        TRY(parse_escape(p, &escape));
    }
    TRY(ast_expr_new(p, AST_LIKE, at, escape ? 3 : 2, out));
    (*out)->args[0] = left;
    (*out)->args[1] = pattern;
    if (escape) (*out)->args[2] = escape;
    return ast_expr_done(p, *out);
}

static Status parse_is(Parser *p, AstExpr *left, AstExpr **out) {
    const AstPosition at = p->token.at;
    parse_advance(p);
    bool negated = accept_word(p, KW_NOT);
    if (accept_word(p, KW_DISTINCT)) {
        TRY(expect_word(p, KW_FROM));
        TRY(ast_expr_new(p, AST_IS_DISTINCT, at, 2, out));
        TRY(parse_level(p, LEVEL_CONCAT, &(*out)->args[1]));
    } else if (accept_word(p, KW_NULL)) {
        TRY(ast_expr_new(p, AST_IS_NULL, at, 1, out));
    } else if (at_word(p, KW_TRUE) || at_word(p, KW_FALSE) || at_word(p, KW_UNKNOWN)) {
        parse_error(p, p->token.at, "IS %s is not part of the language",
                    keyword_text((Keyword)p->token.keyword));
        return error_hint(p->err,
                          "write IS NOT DISTINCT FROM true (or false), or IS NULL for unknown");
    } else {
        return parse_unexpected(p, negated ? "NULL or DISTINCT FROM"
                                           : "NULL, NOT NULL or DISTINCT FROM");
    }
    (*out)->args[0] = left;
    (*out)->negated = negated;
    return ast_expr_done(p, *out);
}

static Status parse_predicate(Parser *p, AstExpr *left, AstExpr **out) {
    if (!at_token(p, TOKEN_NAME)) return parse_comparison(p, left, out);
    if (at_word(p, KW_IS)) return parse_is(p, left, out);
    bool negated = accept_word(p, KW_NOT);
    Keyword keyword = (Keyword)p->token.keyword;
    TRY(keyword == KW_BETWEEN ? parse_between(p, left, out)
        : keyword == KW_IN    ? parse_in(p, left, out)
                              : parse_like(p, left, out));
    (*out)->negated = negated;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- climbing */

static bool is_number(const Token *token) {
    return token->kind == TOKEN_INTEGER || token->kind == TOKEN_DECIMAL ||
           token->kind == TOKEN_DOUBLE;
}

static Status parse_unary(Parser *p, TribFunctionId op, Level operand, AstExpr **out) {
    const AstPosition at = p->token.at;
    TRY(parse_enter(p));
    parse_advance(p);
    TRY(ast_expr_new(p, AST_UNARY, at, 1, out));
    (*out)->op = (uint16_t)op;
    TRY(parse_level(p, operand, &(*out)->args[0]));
    parse_leave(p);
    return ast_expr_done(p, *out);
}

/* What stands before the first operator; *ceiling: the highest level of an operator that may follow. */
static Status parse_prefix(Parser *p, Level min, Level *ceiling, AstExpr **out) {
    *ceiling = LEVEL_PRIMARY;
    if (p->pending) return parse_primary(p, out);
    if (at_word(p, KW_NOT) && min <= LEVEL_NOT) {
        *ceiling = LEVEL_AND;
        return parse_unary(p, TRIB_FN_not, LEVEL_NOT, out);
    }
    if (at_token(p, TOKEN_MINUS) && !is_number(parse_ahead(p))) {
        *ceiling = LEVEL_MULTIPLY;
        return parse_unary(p, TRIB_FN_negate, LEVEL_SIGN, out);
    }
    if (at_token(p, TOKEN_PLUS)) { /* changes nothing: no node */
        TRY(parse_enter(p));
        parse_advance(p);
        *ceiling = LEVEL_MULTIPLY;
        TRY(parse_level(p, LEVEL_SIGN, out));
        parse_leave(p);
        return TRIB_OK;
    }
    return parse_primary(p, out);
}

static Status parse_level(Parser *p, Level min, AstExpr **out) {
    AstExpr *left;
    Level ceiling;
    TRY(parse_prefix(p, min, &ceiling, &left));
    for (;;) {
        Level level = operator_level(p);
        if (level == LEVEL_NONE || level < min || level > ceiling) break;
        ceiling = level == LEVEL_PREDICATE ? LEVEL_AND : level;
        switch (level) {
        case LEVEL_OR:
        case LEVEL_AND:
        case LEVEL_CONCAT: TRY(parse_chain(p, level, left, &left)); break;
        case LEVEL_ADD:
        case LEVEL_MULTIPLY: TRY(parse_arithmetic(p, level, left, &left)); break;
        case LEVEL_ZONE: TRY(parse_zone(p, left, &left)); break;
        default: TRY(parse_predicate(p, left, &left)); break;
        }
    }
    *out = left;
    return TRIB_OK;
}

Status parse_expr(Parser *p, AstExpr **out) {
    TRY(parse_level(p, LEVEL_OR, out));
    if ((*out)->height > p->peak) p->peak = (*out)->height;
    return TRIB_OK;
}

Status parse_value_expr(Parser *p, AstExpr **out) {
    return parse_level(p, LEVEL_CONCAT, out);
}

Status parse_expr_list(Parser *p, uint32_t *count, AstExpr ***out) {
    List items = {0};
    do {
        AstExpr *item;
        TRY(parse_expr(p, &item));
        TRY(ast_list_push(p, &items, &item, sizeof item));
    } while (accept_token(p, TOKEN_COMMA));
    *count = items.count;
    *out = items.items;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- literals */

/* 0x1F, 0o17, 0b11 and 1_000 as plain decimal digits. */
static Status integer_digits(Parser *p, Str raw, AstPosition at, Str *out) {
    char *digits;
    TRY_ALLOC(digits, arena_alloc(p->arena, raw.len + 40), p->err);
    size_t len = 0;
    char mark = raw.len > 2 && raw.data[0] == '0' ? raw.data[1] : '0';
    uint32_t radix = mark == 'x' || mark == 'X'   ? 16
                     : mark == 'o' || mark == 'O' ? 8
                     : mark == 'b' || mark == 'B' ? 2
                                                  : 10;
    if (radix == 10) {
        for (size_t i = 0; i < raw.len; i++) {
            if (raw.data[i] != '_') digits[len++] = raw.data[i];
        }
        *out = (Str){digits, len};
        return TRIB_OK;
    }
    UInt128 value = 0;
    for (size_t i = 2; i < raw.len; i++) {
        char c = raw.data[i];
        if (c == '_') continue;
        if (value >> 123) return parse_error(p, at, "the number has too many digits");
        value = value * radix + (uint32_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    char reversed[40];
    do {
        reversed[len++] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value);
    for (size_t i = 0; i < len; i++) digits[i] = reversed[len - 1 - i];
    *out = (Str){digits, len};
    return TRIB_OK;
}

Status parse_integer_text(Parser *p, Str *out) {
    if (!at_token(p, TOKEN_INTEGER)) return parse_unexpected(p, "an integer");
    TRY(integer_digits(p, token_text(p, &p->token), p->token.at, out));
    parse_advance(p);
    return TRIB_OK;
}

static Status parse_number(Parser *p, AstExpr **out) {
    const AstPosition at = p->token.at;
    bool negative = accept_token(p, TOKEN_MINUS);
    const Token token = p->token;
    AstExprKind kind = token.kind == TOKEN_INTEGER   ? AST_INTEGER
                       : token.kind == TOKEN_DECIMAL ? AST_DECIMAL
                                                     : AST_DOUBLE;
    TRY(ast_expr_new(p, kind, at, 0, out));
    Str text = token_text(p, &token);
    if (kind == AST_INTEGER || memchr(text.data, '_', text.len)) {
        TRY(integer_digits(p, text, token.at, &text));
    }
    if (negative) {
        char *signed_text;
        TRY_ALLOC(signed_text, arena_alloc(p->arena, text.len + 1), p->err);
        signed_text[0] = '-';
        memcpy(signed_text + 1, text.data, text.len);
        text = (Str){signed_text, text.len + 1};
    }
    (*out)->text = text;
    parse_advance(p);
    return TRIB_OK;
}

static Status parse_binary(Parser *p, AstExpr **out) {
    const Token token = p->token;
    Str raw = token_text(p, &token);
    raw = (Str){raw.data + 2, raw.len - 3};
    char *bytes;
    TRY_ALLOC(bytes, arena_alloc(p->arena, raw.len / 2 + 1), p->err);
    size_t digits = 0;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.data[i];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
        char low = (char)(c | 32);
        int value = c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
        if (value < 0) {
            return parse_error(p, token.at,
                               "a binary literal holds hexadecimal digits and blanks only");
        }
        bytes[digits / 2] = (char)(bytes[digits / 2] << 4 | value);
        digits++;
    }
    if (digits % 2)
        return parse_error(p, token.at, "a binary literal takes an even number of digits");
    parse_advance(p);
    TRY(ast_expr_new(p, AST_BINARY, token.at, 0, out));
    (*out)->text = (Str){bytes, digits / 2};
    return TRIB_OK;
}

static Status parse_parameter(Parser *p, AstExpr **out) {
    if (p->parameters >= SQL_MAX_PARAMETERS) {
        return parse_limit(p, p->token.at, "more than %d parameters", SQL_MAX_PARAMETERS);
    }
    const AstPosition at = p->token.at;
    uint32_t slot = p->parameters++;
    parse_advance(p);
    TRY(ast_expr_new(p, AST_PARAMETER, at, 0, out));
    (*out)->slot = slot;
    if (slot >= p->nargs) return TRIB_OK;
    **out = *p->args[slot];
    (*out)->at = at;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- names and what follows them */

static Status parse_lambda(Parser *p, AstExpr **out) {
    const AstPosition at = p->token.at;
    List names = {0};
    AstName name;
    TRY(parse_enter(p));
    if (accept_token(p, TOKEN_LPAREN)) {
        while (!at_token(p, TOKEN_RPAREN)) {
            if (names.count) TRY(expect_token(p, TOKEN_COMMA));
            TRY(parse_name(p, &name));
            TRY(ast_list_push(p, &names, &name, sizeof name));
        }
        parse_advance(p);
    } else {
        TRY(parse_name(p, &name));
        TRY(ast_list_push(p, &names, &name, sizeof name));
    }
    TRY(expect_token(p, TOKEN_ARROW));
    TRY(ast_expr_new(p, AST_LAMBDA, at, 1, out));
    (*out)->nlambda = names.count;
    (*out)->lambda_names = names.items;
    TRY(parse_expr(p, &(*out)->args[0]));
    parse_leave(p);
    return ast_expr_done(p, *out);
}

/* "(a, b) ->" or "() ->" at the current '('. */
static bool at_lambda(const Parser *p) {
    Lexer probe = parse_probe(p);
    Token token;
    lexer_next(&probe, &token);
    while (token_is_name(&token)) {
        lexer_next(&probe, &token);
        if (token.kind != TOKEN_COMMA) break;
        lexer_next(&probe, &token);
    }
    if (token.kind != TOKEN_RPAREN) return false;
    lexer_next(&probe, &token);
    return token.kind == TOKEN_ARROW;
}

/* DATE '...', or DOUBLE PRECISION '...'. */
static Status parse_typed_literal(Parser *p, AstExpr **out) {
    const Token token = p->token;
    AstName name;
    TRY(parse_name(p, &name));
    if (token_is(&token, KW_DOUBLE)) accept_word(p, KW_PRECISION);
    TRY(ast_expr_new(p, AST_TYPED_LITERAL, token.at, 0, out));
    (*out)->type_text = name.text;
    return parse_string(p, &(*out)->text);
}

static bool starts_typed_literal(Parser *p) {
    const Token *next = parse_ahead(p);
    if (next->kind == TOKEN_STRING || next->kind == TOKEN_UNICODE) return true;
    if (!at_word(p, KW_DOUBLE) || !token_is(next, KW_PRECISION)) return false;
    Lexer probe = p->ahead_lexer;
    Token third;
    lexer_next(&probe, &third);
    return third.kind == TOKEN_STRING;
}

/* A column a.b.c or a call a.b(...). A '.' before '*' is left for the select list. */
static Status parse_reference(Parser *p, AstExpr **out) {
    const AstPosition at = p->token.at;
    List parts = {0};
    AstName name;
    TRY(parse_name(p, &name));
    TRY(ast_list_push(p, &parts, &name, sizeof name));
    while (at_token(p, TOKEN_DOT) && !ahead_is(p, TOKEN_STAR)) {
        parse_advance(p);
        TRY(parse_name(p, &name));
        TRY(ast_list_push(p, &parts, &name, sizeof name));
    }
    AstQualifiedName qualified = {parts.count, parts.items};
    if (at_token(p, TOKEN_LPAREN)) return parse_call(p, qualified, at, out);
    TRY(ast_expr_new(p, AST_NAME, at, 0, out));
    (*out)->name = qualified;
    return TRIB_OK;
}

static Status parse_named(Parser *p, AstExpr **out) {
    TRY(parse_special(p, out));
    if (*out) return TRIB_OK;
    if (token_is_name(&p->token)) {
        if (ahead_is(p, TOKEN_ARROW)) return parse_lambda(p, out);
        if (starts_typed_literal(p)) return parse_typed_literal(p, out);
        if (at_word(p, KW_DEFAULT) && p->defaults && !ahead_is(p, TOKEN_DOT) &&
            !ahead_is(p, TOKEN_LPAREN)) {
            TRY(ast_expr_new(p, AST_DEFAULT, p->token.at, 0, out));
            parse_advance(p);
            return TRIB_OK;
        }
        return parse_reference(p, out);
    }
    return parse_unexpected(p, "an expression");
}

static Status parse_base(Parser *p, AstExpr **out) {
    const AstPosition at = p->token.at;
    AstQuery *query;
    if (p->pending) {
        *out = p->pending;
        p->pending = NULL;
        return TRIB_OK;
    }
    switch ((TokenKind)p->token.kind) {
    case TOKEN_NAME:
    case TOKEN_QUOTED:
    case TOKEN_BACKQUOTED: return parse_named(p, out);
    case TOKEN_MINUS:
        if (!is_number(parse_ahead(p))) return parse_unexpected(p, "an expression");
        return parse_number(p, out);
    case TOKEN_INTEGER:
    case TOKEN_DECIMAL:
    case TOKEN_DOUBLE: return parse_number(p, out);
    case TOKEN_STRING:
    case TOKEN_UNICODE:
        TRY(ast_expr_new(p, AST_STRING, at, 0, out));
        return parse_string(p, &(*out)->text);
    case TOKEN_BINARY: return parse_binary(p, out);
    case TOKEN_QUESTION: return parse_parameter(p, out);
    case TOKEN_LBRACE: return parse_escape(p, out);
    case TOKEN_LPAREN:
        if (at_lambda(p)) return parse_lambda(p, out);
        TRY(parse_paren(p, out, &query));
        return query ? scalar_query(p, at, query, out) : TRIB_OK;
    default: return parse_unexpected(p, "an expression");
    }
}

Status parse_primary(Parser *p, AstExpr **out) {
    AstExpr *base;
    TRY(parse_base(p, &base));
    for (;;) {
        const AstPosition at = p->token.at;
        if (at_token(p, TOKEN_LBRACKET)) {
            TRY(parse_enter(p));
            parse_advance(p);
            AstExpr *subscript;
            TRY(ast_expr_new(p, AST_SUBSCRIPT, at, 2, &subscript));
            subscript->args[0] = base;
            TRY(parse_value_expr(p, &subscript->args[1]));
            TRY(expect_token(p, TOKEN_RBRACKET));
            parse_leave(p);
            base = subscript;
        } else if (at_token(p, TOKEN_DOT) && !ahead_is(p, TOKEN_STAR)) {
            parse_advance(p);
            AstExpr *field;
            TRY(ast_expr_new(p, AST_FIELD, at, 1, &field));
            field->args[0] = base;
            TRY_ALLOC(field->name.parts, ARENA_NEW(p->arena, AstName), p->err);
            field->name.count = 1;
            TRY(parse_name(p, field->name.parts));
            base = field;
        } else {
            break;
        }
        TRY(ast_expr_done(p, base));
    }
    *out = base;
    return TRIB_OK;
}
