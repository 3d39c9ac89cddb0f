/*
 * json_path_parse.c - the text of an SQL/JSON path becomes a tree.
 *
 * Recursive descent over a lexer without lookahead beyond one token; keywords are lower case, and names of members
 * where a member is named. A parenthesis in a predicate may begin a path or a predicate: the reader tries the
 * predicate and, if the text goes on as a comparison, reads again as a path. Nesting and chains of operators are
 * limited to PATH_DEPTH, so that neither the parser nor the evaluator runs out of stack. One thread.
 */
#include "engine/functions/json_path_inside.h"

#define PATH_DEPTH 500
#define PATH_TRIES 100000 /* tokens read again because a parenthesis began a path after all */

typedef enum TokenKind {
    TOKEN_END,
    TOKEN_NAME,     /* text; keywords too */
    TOKEN_VARIABLE, /* text without $ */
    TOKEN_CONTEXT,
    TOKEN_STRING, /* text, decoded */
    TOKEN_NUMBER, /* text as written */
    TOKEN_SYMBOL  /* symbol */
} TokenKind;

typedef struct PathToken {
    TokenKind kind;
    Str text;
    char symbol; /* one character; = n l g & | d for == <> <= >= && || .. */
    size_t start;
} PathToken;

typedef struct PathParser {
    Arena *arena;
    Str text;
    size_t at; /* behind the token */
    PathToken token;
    uint32_t depth, tries;
    bool in_subscript, in_filter;
    uint32_t nnames;
    const Str *names;
    Error *err;
} PathParser;

static Status parse_path(PathParser *p, PathNode **out);
static Status parse_predicate(PathParser *p, PathNode **out);

/* ---------------------------------------------------------------- errors */

static Status path_error(PathParser *p, const char *what) {
    size_t column = utf8_length(p->text.data, p->token.start) + 1;
    if (p->token.kind == TOKEN_END)
        return error_set(p->err, ERR_SYNTAX, "invalid JSON path: %s where the path ends", what);
    size_t left = p->text.len - p->token.start;
    size_t shown = utf8_cut(p->text.data + p->token.start, left, 20);
    return error_set(p->err, ERR_SYNTAX, "invalid JSON path: %s at character %zu, before '%.*s'",
                     what, column, (int)shown, p->text.data + p->token.start);
}

/* ---------------------------------------------------------------- tokens */

static bool name_start(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool is_digit(unsigned char c) {
    return c >= '0' && c <= '9';
}

static unsigned char char_at(const PathParser *p, size_t at) {
    return at < p->text.len ? (unsigned char)p->text.data[at] : '\0';
}

static Str name_run(PathParser *p) {
    size_t start = p->at;
    while (p->at < p->text.len && (name_start(char_at(p, p->at)) || is_digit(char_at(p, p->at))))
        p->at++;
    return (Str){p->text.data + start, p->at - start};
}

/* "...", a quote inside written twice. */
static Status string_token(PathParser *p) {
    char *decoded;
    size_t len = 0;
    TRY_ALLOC(decoded, arena_alloc(p->arena, p->text.len - p->at), p->err);
    for (p->at++;; p->at++) {
        if (p->at >= p->text.len) return path_error(p, "a string that does not end");
        if (p->text.data[p->at] == '"' && char_at(p, ++p->at) != '"') break;
        decoded[len++] = p->text.data[p->at];
    }
    p->token.kind = TOKEN_STRING;
    p->token.text = (Str){decoded, len};
    return TRIB_OK;
}

/* 1, 1.5, .5, 1., 1.5e-3. "1..a" is 1 and a descendant. */
static Status number_token(PathParser *p) {
    size_t start = p->at;
    while (is_digit(char_at(p, p->at))) p->at++;
    if (char_at(p, p->at) == '.' && char_at(p, p->at + 1) != '.' &&
        !name_start(char_at(p, p->at + 1))) {
        p->at++;
        while (is_digit(char_at(p, p->at))) p->at++;
    }
    if (char_at(p, p->at) == 'e' || char_at(p, p->at) == 'E') {
        size_t sign = char_at(p, p->at + 1) == '-' || char_at(p, p->at + 1) == '+';
        if (!is_digit(char_at(p, p->at + 1 + sign)))
            return path_error(p, "a number without digits");
        p->at += 1 + sign;
        while (is_digit(char_at(p, p->at))) p->at++;
    }
    if (name_start(char_at(p, p->at))) return path_error(p, "a name that begins with a digit");
    p->token.kind = TOKEN_NUMBER;
    p->token.text = (Str){p->text.data + start, p->at - start};
    return TRIB_OK;
}

static Status symbol_token(PathParser *p) {
    static const struct {
        char text[3];
        char symbol;
    } pairs[] = {{"==", '='}, {"<>", 'n'}, {"!=", 'n'}, {"<=", 'l'},
                 {">=", 'g'}, {"&&", '&'}, {"||", '|'}, {"..", 'd'}};
    unsigned char c = char_at(p, p->at), next = char_at(p, p->at + 1);
    p->token.kind = TOKEN_SYMBOL;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        if (c != (unsigned char)pairs[i].text[0] || next != (unsigned char)pairs[i].text[1])
            continue;
        p->token.symbol = pairs[i].symbol;
        p->at += 2;
        return TRIB_OK;
    }
    if (c == '\0' || strchr("@.*[]()?+-/%<>!,", c) == NULL)
        return path_error(p, "an unexpected character");
    p->token.symbol = (char)c;
    p->at++;
    return TRIB_OK;
}

static Status advance(PathParser *p) {
    while (p->at < p->text.len && strchr(" \t\r\n", p->text.data[p->at]) && p->text.data[p->at])
        p->at++;
    p->token = (PathToken){.kind = TOKEN_END, .start = p->at};
    if (p->at == p->text.len) return TRIB_OK;
    unsigned char c = char_at(p, p->at);
    if (c == '"') return string_token(p);
    if (is_digit(c) || (c == '.' && is_digit(char_at(p, p->at + 1)))) return number_token(p);
    if (c == '$') {
        p->at++;
        p->token.kind = name_start(char_at(p, p->at)) ? TOKEN_VARIABLE : TOKEN_CONTEXT;
        if (p->token.kind == TOKEN_VARIABLE) p->token.text = name_run(p);
        return TRIB_OK;
    }
    if (!name_start(c)) return symbol_token(p);
    p->token.kind = TOKEN_NAME;
    p->token.text = name_run(p);
    return TRIB_OK;
}

static bool at_symbol(const PathParser *p, char symbol) {
    return p->token.kind == TOKEN_SYMBOL && p->token.symbol == symbol;
}

static bool at_word(const PathParser *p, const char *word) {
    return p->token.kind == TOKEN_NAME && str_equal(p->token.text, str_from(word));
}

static Status expect(PathParser *p, char symbol) {
    char what[] = "'?' is missing";
    what[1] = symbol;
    return at_symbol(p, symbol) ? advance(p) : path_error(p, what);
}

static Status expect_word(PathParser *p, const char *word) {
    return at_word(p, word) ? advance(p) : path_error(p, "a keyword is missing");
}

/* ---------------------------------------------------------------- nodes */

static Status enter(PathParser *p) {
    if (++p->depth <= PATH_DEPTH) return TRIB_OK;
    return error_set(p->err, ERR_LIMIT, "a JSON path is nested deeper than %d levels", PATH_DEPTH);
}

static void leave(PathParser *p) {
    p->depth--;
}

static Status node_new(PathParser *p, PathKind kind, PathNode *left, PathNode *right,
                       PathNode **out) {
    TRY_ALLOC(*out, ARENA_NEW(p->arena, PathNode), p->err);
    (*out)->kind = kind;
    (*out)->left = left;
    (*out)->right = right;
    return TRIB_OK;
}

static Status literal_new(PathParser *p, JsonKind kind, bool boolean, PathNode **out) {
    TRY(node_new(p, PATH_LITERAL, NULL, NULL, out));
    (*out)->literal = (JsonItem){.kind = kind, .boolean = boolean, .text = p->token.text};
    return advance(p);
}

/* .5, 1. and 007 as JSON writes them. */
static Status number_new(PathParser *p, PathNode **out) {
    Str text = p->token.text;
    size_t point = 0;
    for (; text.len > 1 && text.data[0] == '0' && is_digit((unsigned char)text.data[1]); text.len--)
        text.data++;
    while (point < text.len && text.data[point] != '.') point++;
    bool bare = point < text.len &&
                (point + 1 == text.len || !is_digit((unsigned char)text.data[point + 1]));
    char *full;
    TRY_ALLOC(full,
              arena_printf(p->arena, "%s%.*s%s%.*s", point == 0 ? "0" : "",
                           (int)(bare ? point + 1 : text.len), text.data, bare ? "0" : "",
                           (int)(bare ? text.len - point - 1 : 0),
                           text.data + (bare ? point + 1 : 0)),
              p->err);
    p->token.text = str_from(full);
    return literal_new(p, JSON_ITEM_NUMBER, false, out);
}

static Status variable_new(PathParser *p, PathNode **out) {
    TRY(node_new(p, PATH_VARIABLE, NULL, NULL, out));
    for (uint32_t i = 0; i < p->nnames; i++) {
        if (!str_equal(p->names[i], p->token.text)) continue;
        (*out)->variable = i;
        return advance(p);
    }
    error_set(p->err, ERR_SYNTAX, "the JSON path names $" STR_FORMAT ", which is not passed",
              STR_ARGS(p->token.text));
    return error_hint(
        p->err, "PASSING value AS \"" STR_FORMAT "\"; without quotes the name is in upper case",
        STR_ARGS(p->token.text));
}

static Status parse_primary(PathParser *p, PathNode **out) {
    switch (p->token.kind) {
    case TOKEN_NUMBER: return number_new(p, out);
    case TOKEN_STRING: return literal_new(p, JSON_ITEM_STRING, false, out);
    case TOKEN_VARIABLE: return variable_new(p, out);
    case TOKEN_CONTEXT: TRY(node_new(p, PATH_CONTEXT, NULL, NULL, out)); return advance(p);
    case TOKEN_SYMBOL:
        if (at_symbol(p, '(')) {
            TRY(enter(p));
            TRY(advance(p));
            TRY(parse_path(p, out));
            leave(p);
            return expect(p, ')');
        }
        if (!at_symbol(p, '@')) break;
        if (!p->in_filter) return path_error(p, "@ outside of a filter");
        TRY(node_new(p, PATH_CURRENT, NULL, NULL, out));
        return advance(p);
    case TOKEN_NAME:
        if (at_word(p, "null")) return literal_new(p, JSON_ITEM_NULL, false, out);
        if (at_word(p, "true")) return literal_new(p, JSON_ITEM_BOOLEAN, true, out);
        if (at_word(p, "false")) return literal_new(p, JSON_ITEM_BOOLEAN, false, out);
        if (!at_word(p, "last")) break;
        if (!p->in_subscript) return path_error(p, "last outside of a subscript");
        TRY(node_new(p, PATH_LAST, NULL, NULL, out));
        return advance(p);
    default: break;
    }
    return path_error(p, "a value is missing");
}

/* ---------------------------------------------------------------- accessors */

typedef struct Steps {
    PathStep *items;
    uint32_t count, capacity;
} Steps;

static Status steps_add(PathParser *p, Steps *self, const PathStep *step) {
    if (self->count == self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : 4;
        PathStep *items;
        TRY_ALLOC(items,
                  arena_resize(p->arena, self->items, self->capacity * sizeof *items,
                               (size_t)capacity * sizeof *items),
                  p->err);
        self->items = items;
        self->capacity = capacity;
    }
    self->items[self->count++] = *step;
    return TRIB_OK;
}

/* Behind the point: a key, *, or a method. */
static Status parse_member(PathParser *p, PathStep *step) {
    static const struct {
        const char *name;
        PathStepKind kind;
    } methods[] = {{"type", STEP_TYPE},        {"size", STEP_SIZE},       {"double", STEP_DOUBLE},
                   {"floor", STEP_FLOOR},      {"ceiling", STEP_CEILING}, {"abs", STEP_ABS},
                   {"keyvalue", STEP_KEYVALUE}};
    PathToken name = p->token;
    step->kind = STEP_MEMBER;
    step->name = p->token.text;
    if (at_symbol(p, '*')) {
        step->kind = STEP_MEMBERS;
        return advance(p);
    }
    if (name.kind != TOKEN_NAME && name.kind != TOKEN_STRING)
        return path_error(p, "a key or a method is missing");
    TRY(advance(p));
    if (!at_symbol(p, '(') || name.kind == TOKEN_STRING) return TRIB_OK;
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        if (!str_equal(name.text, str_from(methods[i].name))) continue;
        step->kind = methods[i].kind;
        TRY(advance(p));
        return expect(p, ')');
    }
    if (str_equal(name.text, STR("datetime")) || str_equal(name.text, STR("like_regex")))
        return error_set(p->err, ERR_UNSUPPORTED, STR_FORMAT "() in a JSON path is not supported",
                         STR_ARGS(name.text));
    p->token = name;
    return path_error(p, "an unknown method");
}

static Status parse_subscripts(PathParser *p, PathStep *step) {
    uint32_t capacity = 0;
    bool outer = p->in_subscript;
    p->in_subscript = true;
    step->kind = STEP_SUBSCRIPTS;
    TRY(enter(p));
    do {
        if (step->n > 0) TRY(advance(p)); /* the comma */
        if (step->n == capacity) {
            size_t old = capacity * sizeof *step->from;
            capacity = capacity ? capacity * 2 : 2;
            TRY_ALLOC(step->from,
                      arena_resize(p->arena, step->from, old, capacity * sizeof *step->from),
                      p->err);
            TRY_ALLOC(step->to, arena_resize(p->arena, step->to, old, capacity * sizeof *step->to),
                      p->err);
        }
        TRY(parse_path(p, &step->from[step->n]));
        step->to[step->n] = NULL;
        if (at_word(p, "to")) {
            TRY(advance(p));
            TRY(parse_path(p, &step->to[step->n]));
        }
        step->n++;
    } while (at_symbol(p, ','));
    leave(p);
    p->in_subscript = outer;
    return expect(p, ']');
}

static Status parse_filter(PathParser *p, PathStep *step) {
    bool outer = p->in_filter;
    step->kind = STEP_FILTER;
    TRY(enter(p));
    TRY(expect(p, '('));
    p->in_filter = true;
    TRY(parse_predicate(p, &step->predicate));
    p->in_filter = outer;
    leave(p);
    return expect(p, ')');
}

static Status parse_step(PathParser *p, PathStep *step) {
    char symbol = p->token.symbol;
    TRY(advance(p));
    switch (symbol) {
    case '.': return parse_member(p, step);
    case '?': return parse_filter(p, step);
    case 'd':
        step->kind = STEP_DESCENDANT;
        step->name = p->token.text;
        if (p->token.kind != TOKEN_NAME && p->token.kind != TOKEN_STRING)
            return path_error(p, "a key is missing");
        return advance(p);
    default: /* [ */
        if (!at_symbol(p, '*')) return parse_subscripts(p, step);
        step->kind = STEP_ELEMENTS;
        TRY(advance(p));
        return expect(p, ']');
    }
}

static bool at_step(const PathParser *p) {
    return p->token.kind == TOKEN_SYMBOL && strchr(".d[?", p->token.symbol) != NULL;
}

static Status parse_accessors(PathParser *p, PathNode **out) {
    Steps steps = {0};
    PathNode *base;
    TRY(parse_primary(p, &base));
    while (at_step(p)) {
        PathStep step = {0};
        TRY(parse_step(p, &step));
        TRY(steps_add(p, &steps, &step));
    }
    *out = base;
    if (steps.count == 0) return TRIB_OK;
    TRY(node_new(p, PATH_CHAIN, base, NULL, out));
    (*out)->steps = steps.items;
    (*out)->nsteps = steps.count;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- arithmetic */

static Status parse_unary(PathParser *p, PathNode **out) {
    if (!at_symbol(p, '+') && !at_symbol(p, '-')) return parse_accessors(p, out);
    PathKind kind = at_symbol(p, '+') ? PATH_PLUS : PATH_MINUS;
    PathNode *operand;
    TRY(enter(p));
    TRY(advance(p));
    TRY(parse_unary(p, &operand));
    leave(p);
    return node_new(p, kind, operand, NULL, out);
}

/* Operands and operators of one precedence, from the left. */
static Status parse_operators(PathParser *p, const char *symbols, PathKind kind,
                              Status (*operand)(PathParser *, PathNode **), PathNode **out) {
    uint32_t depth = p->depth;
    TRY(operand(p, out));
    while (p->token.kind == TOKEN_SYMBOL && strchr(symbols, p->token.symbol)) {
        char op = p->token.symbol;
        PathNode *left = *out, *right;
        TRY(enter(p)); /* the tree grows to the left */
        TRY(advance(p));
        TRY(operand(p, &right));
        TRY(node_new(p, kind, left, right, out));
        (*out)->op = op;
    }
    p->depth = depth;
    return TRIB_OK;
}

static Status parse_product(PathParser *p, PathNode **out) {
    return parse_operators(p, "*/%", PATH_BINARY, parse_unary, out);
}

static Status parse_path(PathParser *p, PathNode **out) {
    return parse_operators(p, "+-", PATH_BINARY, parse_product, out);
}

/* ---------------------------------------------------------------- predicates */

static Status parse_comparison(PathParser *p, PathNode **out) {
    PathNode *left, *right;
    TRY(parse_path(p, &left));
    if (at_word(p, "starts")) {
        TRY(advance(p));
        TRY(expect_word(p, "with"));
        if (p->token.kind != TOKEN_STRING && p->token.kind != TOKEN_VARIABLE)
            return path_error(p, "a string or a variable is missing");
        TRY(parse_primary(p, &right));
        return node_new(p, PATH_STARTS, left, right, out);
    }
    if (at_word(p, "like_regex"))
        return error_set(p->err, ERR_UNSUPPORTED, "like_regex in a JSON path is not supported");
    if (p->token.kind != TOKEN_SYMBOL || !strchr("=n<l>g", p->token.symbol))
        return path_error(p, "a comparison is missing");
    char op = p->token.symbol;
    TRY(advance(p));
    TRY(parse_path(p, &right));
    TRY(node_new(p, PATH_COMPARE, left, right, out));
    (*out)->op = op;
    return TRIB_OK;
}

/* Does what follows a closed parenthesis show that it held a path? */
static bool continues_path(const PathParser *p) {
    if (p->token.kind == TOKEN_NAME) return at_word(p, "starts") || at_word(p, "like_regex");
    return p->token.kind == TOKEN_SYMBOL && strchr("=n<l>g+-*/%.d[?", p->token.symbol) != NULL;
}

/* ( predicate ) [is unknown], or a comparison whose left side begins with a parenthesis. */
static Status parse_parenthesis(PathParser *p, PathNode **out) {
    PathParser start = *p;
    Status status = advance(p);
    if (status == TRIB_OK) status = parse_predicate(p, out);
    if (status == TRIB_OK) status = expect(p, ')');
    if (status == TRIB_MEMORY || status == TRIB_LIMIT) return status;
    if (status != TRIB_OK || continues_path(p)) {
        uint32_t tries = p->tries + (uint32_t)(p->at - start.at);
        if (tries > PATH_TRIES)
            return error_set(p->err, ERR_LIMIT, "a JSON path has too many nested parentheses");
        *p = start;
        p->tries = tries;
        return parse_comparison(p, out);
    }
    if (!at_word(p, "is")) return TRIB_OK;
    TRY(advance(p));
    TRY(expect_word(p, "unknown"));
    return node_new(p, PATH_UNKNOWN, *out, NULL, out);
}

static Status parse_exists(PathParser *p, PathNode **out) {
    PathNode *path;
    TRY(advance(p));
    TRY(expect(p, '('));
    TRY(parse_path(p, &path));
    TRY(expect(p, ')'));
    return node_new(p, PATH_EXISTS, path, NULL, out);
}

static Status parse_predicate_primary(PathParser *p, PathNode **out) {
    TRY(enter(p));
    if (at_symbol(p, '!')) {
        PathNode *operand;
        TRY(advance(p));
        if (!at_symbol(p, '(') && !at_word(p, "exists"))
            return path_error(p, "behind '!' a parenthesis or exists is missing");
        TRY(parse_predicate_primary(p, &operand));
        TRY(node_new(p, PATH_NOT, operand, NULL, out));
    } else if (at_word(p, "exists")) {
        TRY(parse_exists(p, out));
    } else if (at_symbol(p, '(')) {
        TRY(parse_parenthesis(p, out));
    } else {
        TRY(parse_comparison(p, out));
    }
    leave(p);
    return TRIB_OK;
}

static Status parse_conjunction(PathParser *p, PathNode **out) {
    return parse_operators(p, "&", PATH_AND, parse_predicate_primary, out);
}

static Status parse_predicate(PathParser *p, PathNode **out) {
    return parse_operators(p, "|", PATH_OR, parse_conjunction, out);
}

/* ---------------------------------------------------------------- the whole */

Status json_path_compile(Arena *arena, Str text, uint32_t nnames, const Str *names, JsonPath **out,
                         Error *err) {
    PathParser p = {.arena = arena, .text = text, .nnames = nnames, .names = names, .err = err};
    TRY_ALLOC(*out, ARENA_NEW(arena, JsonPath), err);
    if (!utf8_valid(text.data, text.len))
        return error_set(err, ERR_INVALID_ENCODING, "a JSON path is not valid UTF-8");
    TRY(advance(&p));
    (*out)->lax = at_word(&p, "lax");
    if (!(*out)->lax && !at_word(&p, "strict"))
        return path_error(&p, "the mode, lax or strict, is missing");
    TRY(advance(&p));
    TRY(parse_path(&p, &(*out)->root));
    if (p.token.kind != TOKEN_END) return path_error(&p, "unexpected text");
    error_clear(err); /* of what was read again */
    return TRIB_OK;
}
