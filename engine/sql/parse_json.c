/*
 * parse_json.c - the SQL/JSON functions with their clauses: JSON_EXISTS, JSON_VALUE, JSON_QUERY,
 * JSON_OBJECT, JSON_ARRAY (ISO 9075-2, as Trino reads them). One thread, nodes in the arena.
 */
#include "engine/sql/parse.h"

typedef struct JsonArgs {
    List values, formats, names;
} JsonArgs;

static Status parse_format(Parser *p, bool *json) {
    *json = at_word(p, KW_FORMAT) && ahead_is_word(p, KW_JSON);
    if (!*json) return TRIB_OK;
    parse_advance(p);
    parse_advance(p);
    if (!accept_word(p, KW_ENCODING)) return TRIB_OK;
    const AstPosition at = p->token.at;
    if (accept_word(p, KW_UTF8)) return TRIB_OK;
    if (at_word(p, KW_UTF16) || at_word(p, KW_UTF32))
        return parse_unsupported(p, at, "ENCODING UTF16 and UTF32");
    return parse_unexpected(p, "UTF8");
}

/* expression [FORMAT JSON] */
static Status parse_value(Parser *p, JsonArgs *args) {
    AstExpr *value;
    bool json;
    TRY(parse_expr(p, &value));
    TRY(parse_format(p, &json));
    TRY(ast_list_push(p, &args->values, &value, sizeof value));
    return ast_list_push(p, &args->formats, &json, sizeof json);
}

/* input, 'path' [AS name] [PASSING value AS name, ...] */
static Status parse_path(Parser *p, AstJson *json, JsonArgs *args) {
    TRY(parse_value(p, args));
    TRY(expect_token(p, TOKEN_COMMA));
    TRY(parse_string(p, &json->path));
    json->path_name.text = STR("");
    if (accept_word(p, KW_AS)) TRY(parse_name(p, &json->path_name));
    if (!accept_word(p, KW_PASSING)) return TRIB_OK;
    do {
        AstName name;
        TRY(parse_value(p, args));
        TRY(expect_word(p, KW_AS));
        TRY(parse_name(p, &name));
        TRY(ast_list_push(p, &args->names, &name, sizeof name));
    } while (accept_token(p, TOKEN_COMMA));
    return TRIB_OK;
}

static Status parse_returning(Parser *p, AstJson *json) {
    if (!accept_word(p, KW_RETURNING)) return TRIB_OK;
    TRY(parse_type(p, &json->returning));
    return parse_format(p, &json->returning_json);
}

static Status parse_wrapper(Parser *p, AstJson *json) {
    if (at_word(p, KW_WITHOUT) || at_word(p, KW_WITH)) {
        bool with = at_word(p, KW_WITH);
        parse_advance(p);
        json->wrapper = with ? AST_JSON_WRAPPER_UNCONDITIONAL : AST_JSON_WRAPPER_WITHOUT;
        if (with && accept_word(p, KW_CONDITIONAL))
            json->wrapper = AST_JSON_WRAPPER_CONDITIONAL;
        else if (with)
            accept_word(p, KW_UNCONDITIONAL);
        accept_word(p, KW_ARRAY);
        TRY(expect_word(p, KW_WRAPPER));
    }
    if (!at_word(p, KW_KEEP) && !at_word(p, KW_OMIT)) return TRIB_OK;
    json->omit_quotes = at_word(p, KW_OMIT);
    json->keep_quotes = !json->omit_quotes;
    parse_advance(p);
    TRY(expect_word(p, KW_QUOTES));
    if (!accept_word(p, KW_ON)) return TRIB_OK;
    TRY(expect_word(p, KW_SCALAR));
    return expect_text(p, "STRING");
}

/* What may stand before ON EMPTY and ON ERROR, by form. */
static Status parse_behaviour(Parser *p, AstJsonForm form, AstJsonBehaviour *out, AstExpr **value) {
    if (form == AST_JSON_EXISTS) {
        *out = at_word(p, KW_TRUE)      ? AST_JSON_TRUE
               : at_word(p, KW_FALSE)   ? AST_JSON_FALSE
               : at_word(p, KW_UNKNOWN) ? AST_JSON_UNKNOWN
               : at_word(p, KW_ERROR)   ? AST_JSON_ERROR
                                        : AST_JSON_UNSAID;
        if (*out == AST_JSON_UNSAID) return parse_unexpected(p, "TRUE, FALSE, UNKNOWN or ERROR");
        parse_advance(p);
        return TRIB_OK;
    }
    if (accept_word(p, KW_ERROR))
        *out = AST_JSON_ERROR;
    else if (accept_word(p, KW_NULL))
        *out = AST_JSON_NULL;
    else if (form == AST_JSON_VALUE && accept_word(p, KW_DEFAULT)) {
        *out = AST_JSON_DEFAULT;
        return parse_expr(p, value);
    } else if (form == AST_JSON_QUERY && accept_word(p, KW_EMPTY)) {
        *out = at_word(p, KW_OBJECT) ? AST_JSON_EMPTY_OBJECT : AST_JSON_EMPTY_ARRAY;
        if (!accept_word(p, KW_OBJECT) && !accept_word(p, KW_ARRAY))
            return parse_unexpected(p, "ARRAY or OBJECT");
    } else {
        return parse_unexpected(p, form == AST_JSON_VALUE
                                       ? "ERROR, NULL, DEFAULT or ')'"
                                       : "ERROR, NULL, EMPTY ARRAY, EMPTY OBJECT or ')'");
    }
    return TRIB_OK;
}

/* [behaviour ON EMPTY] [behaviour ON ERROR] */
static Status parse_behaviours(Parser *p, AstJson *json) {
    while (!at_token(p, TOKEN_RPAREN)) {
        AstJsonBehaviour behaviour = AST_JSON_UNSAID;
        AstExpr *value = NULL;
        const AstPosition at = p->token.at;
        TRY(parse_behaviour(p, json->form, &behaviour, &value));
        TRY(expect_word(p, KW_ON));
        bool empty = at_word(p, KW_EMPTY) && json->form != AST_JSON_EXISTS;
        if (!empty && !at_word(p, KW_ERROR))
            return parse_unexpected(p, empty ? "EMPTY" : "EMPTY or ERROR");
        parse_advance(p);
        if (json->on_error != AST_JSON_UNSAID || (empty && json->on_empty != AST_JSON_UNSAID)) {
            return parse_error(p, at, "ON EMPTY and ON ERROR stand once each, in this order");
        }
        *(empty ? &json->on_empty : &json->on_error) = behaviour;
        *(empty ? &json->empty_default : &json->error_default) = value;
    }
    return TRIB_OK;
}

/* NULL|ABSENT ON NULL, WITH|WITHOUT UNIQUE [KEYS] */
static Status parse_constructor_tail(Parser *p, AstJson *json) {
    if ((at_word(p, KW_NULL) || at_word(p, KW_ABSENT)) && ahead_is_word(p, KW_ON)) {
        json->null_said = true;
        json->absent_on_null = at_word(p, KW_ABSENT);
        parse_advance(p);
        parse_advance(p);
        TRY(expect_word(p, KW_NULL));
    }
    if (json->form != AST_JSON_OBJECT || (!at_word(p, KW_WITH) && !at_word(p, KW_WITHOUT)))
        return TRIB_OK;
    json->unique_said = true;
    json->unique_keys = at_word(p, KW_WITH);
    parse_advance(p);
    TRY(expect_word(p, KW_UNIQUE));
    accept_word(p, KW_KEYS);
    return TRIB_OK;
}

/* [KEY] key VALUE value, or key : value */
static Status parse_member(Parser *p, JsonArgs *args) {
    AstExpr *key;
    bool unused = false;
    if (at_word(p, KW_KEY) && !ahead_is(p, TOKEN_COLON) && !ahead_is_word(p, KW_VALUE))
        parse_advance(p);
    TRY(parse_expr(p, &key));
    TRY(ast_list_push(p, &args->values, &key, sizeof key));
    if (!accept_token(p, TOKEN_COLON) && !accept_word(p, KW_VALUE))
        return parse_unexpected(p, "VALUE or ':'");
    AstExpr *value;
    TRY(parse_expr(p, &value));
    TRY(ast_list_push(p, &args->values, &value, sizeof value));
    TRY(parse_format(p, &unused));
    return ast_list_push(p, &args->formats, &unused, sizeof unused);
}

static bool at_constructor_tail(Parser *p) {
    if (at_token(p, TOKEN_RPAREN) || (at_word(p, KW_RETURNING) && !ahead_is(p, TOKEN_COMMA)))
        return true;
    return (at_word(p, KW_NULL) || at_word(p, KW_ABSENT)) && ahead_is_word(p, KW_ON);
}

static Status parse_constructor(Parser *p, AstJson *json, JsonArgs *args) {
    if (!at_constructor_tail(p)) {
        do {
            TRY(json->form == AST_JSON_OBJECT ? parse_member(p, args) : parse_value(p, args));
        } while (accept_token(p, TOKEN_COMMA));
    }
    TRY(parse_constructor_tail(p, json));
    return parse_returning(p, json);
}

static AstJsonForm json_form(const Parser *p) {
    switch ((Keyword)p->token.keyword) {
    case KW_JSON_EXISTS: return AST_JSON_EXISTS;
    case KW_JSON_VALUE: return AST_JSON_VALUE;
    case KW_JSON_QUERY: return AST_JSON_QUERY;
    case KW_JSON_OBJECT: return AST_JSON_OBJECT;
    default: return AST_JSON_ARRAY;
    }
}

static uint16_t above(const AstExpr *e, uint16_t height) {
    return e && e->height >= height ? (uint16_t)(e->height + 1) : height;
}

Status parse_json(Parser *p, AstExpr **out) {
    AstExpr *e;
    AstJson *json;
    JsonArgs args = {0};
    TRY(ast_expr_new(p, AST_JSON, p->token.at, 0, &e));
    TRY_ALLOC(json, ARENA_NEW(p->arena, AstJson), p->err);
    json->form = json_form(p);
    TRY(parse_enter(p));
    parse_advance(p);
    TRY(expect_token(p, TOKEN_LPAREN));
    if (json->form == AST_JSON_OBJECT || json->form == AST_JSON_ARRAY) {
        TRY(parse_constructor(p, json, &args));
    } else {
        TRY(parse_path(p, json, &args));
        if (json->form != AST_JSON_EXISTS) TRY(parse_returning(p, json));
        if (json->form == AST_JSON_QUERY) TRY(parse_wrapper(p, json));
        TRY(parse_behaviours(p, json));
    }
    TRY(expect_token(p, TOKEN_RPAREN));
    parse_leave(p);
    e->json = json;
    e->nargs = args.values.count;
    e->args = args.values.items;
    json->format = args.formats.items;
    json->nnames = args.names.count;
    json->names = args.names.items;
    e->height = above(json->error_default, above(json->empty_default, 0));
    *out = e;
    return ast_expr_done(p, e);
}
