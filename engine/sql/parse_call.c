/*
 * parse_call.c - calls of functions with their clauses, windows, and the forms with words inside.
 *
 * A call: name([DISTINCT] args [ORDER BY ..]) [FILTER (..)] [IGNORE NULLS] [OVER ..]. The forms (CASE,
 * CAST, EXTRACT, TRIM ...) stand in one table by keyword; a word that is no reserved one starts its form
 * only where its '(' (or '[') follows, and is a name elsewhere. One thread, nodes in the arena.
 */
#include "engine/sql/parse.h"

/* ---------------------------------------------------------------- windows */

static Status parse_bound(Parser *p, AstBoundKind *kind, AstExpr **value) {
    *value = NULL;
    if (at_word(p, KW_UNBOUNDED) &&
        (ahead_is_word(p, KW_PRECEDING) || ahead_is_word(p, KW_FOLLOWING))) {
        parse_advance(p);
        *kind = at_word(p, KW_PRECEDING) ? AST_BOUND_UNBOUNDED_PRECEDING
                                         : AST_BOUND_UNBOUNDED_FOLLOWING;
        parse_advance(p);
        return TRIB_OK;
    }
    if (at_word(p, KW_CURRENT) && ahead_is_word(p, KW_ROW)) {
        parse_advance(p);
        parse_advance(p);
        *kind = AST_BOUND_CURRENT;
        return TRIB_OK;
    }
    TRY(parse_expr(p, value));
    *kind = at_word(p, KW_PRECEDING) ? AST_BOUND_PRECEDING : AST_BOUND_FOLLOWING;
    if (accept_word(p, KW_PRECEDING) || accept_word(p, KW_FOLLOWING)) return TRIB_OK;
    return parse_unexpected(p, "PRECEDING or FOLLOWING");
}

static AstFrameKind frame_kind(const Parser *p) {
    if (at_word(p, KW_ROWS)) return AST_FRAME_ROWS;
    if (at_word(p, KW_RANGE)) return AST_FRAME_RANGE;
    return at_word(p, KW_GROUPS) ? AST_FRAME_GROUPS : AST_FRAME_NONE;
}

static Status parse_frame(Parser *p, AstWindow *w) {
    w->frame = frame_kind(p);
    if (w->frame == AST_FRAME_NONE) return TRIB_OK;
    parse_advance(p);
    if (accept_word(p, KW_BETWEEN)) {
        TRY(parse_bound(p, &w->start, &w->start_value));
        TRY(expect_word(p, KW_AND));
        return parse_bound(p, &w->end, &w->end_value);
    }
    w->end = AST_BOUND_CURRENT;
    return parse_bound(p, &w->start, &w->start_value);
}

Status parse_window_spec(Parser *p, AstWindow *out) {
    bool clause = (at_word(p, KW_PARTITION) && ahead_is_word(p, KW_BY)) ||
                  (frame_kind(p) != AST_FRAME_NONE && !ahead_is(p, TOKEN_RPAREN));
    if (token_is_name(&p->token) && !clause) TRY(parse_name(p, &out->base));
    if (accept_word(p, KW_PARTITION)) {
        TRY(expect_word(p, KW_BY));
        TRY(parse_expr_list(p, &out->npartition, &out->partition));
    }
    if (at_word(p, KW_ORDER)) TRY(parse_order_by(p, &out->norder, &out->order));
    TRY(parse_frame(p, out));
    if (!at_token(p, TOKEN_RPAREN)) {
        return parse_unexpected(p, "PARTITION BY, ORDER BY, a frame (ROWS, RANGE, GROUPS) or ')'");
    }
    parse_advance(p);
    return TRIB_OK;
}

static Status parse_over(Parser *p, AstExpr *call) {
    parse_advance(p);
    TRY_ALLOC(call->window, ARENA_NEW(p->arena, AstWindow), p->err);
    if (!at_token(p, TOKEN_LPAREN)) return parse_name(p, &call->window->name);
    TRY(parse_enter(p));
    parse_advance(p);
    TRY(parse_window_spec(p, call->window));
    parse_leave(p);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- calls */

static Status parse_call_tail(Parser *p, AstExpr *call) {
    if (at_word(p, KW_FILTER) && ahead_is(p, TOKEN_LPAREN)) {
        parse_advance(p);
        TRY(parse_enter(p));
        TRY(expect_token(p, TOKEN_LPAREN));
        TRY(expect_word(p, KW_WHERE));
        TRY(parse_expr(p, &call->filter));
        TRY(expect_token(p, TOKEN_RPAREN));
        parse_leave(p);
    }
    if ((at_word(p, KW_IGNORE) || at_word(p, KW_RESPECT)) && ahead_is_word(p, KW_NULLS)) {
        call->null_treatment = at_word(p, KW_IGNORE) ? AST_IGNORE_NULLS : AST_RESPECT_NULLS;
        parse_advance(p);
        parse_advance(p);
        if (!at_word(p, KW_OVER)) return parse_unexpected(p, "OVER");
        TRY(parse_over(p, call)); /* no alias here, whatever follows */
        return ast_expr_done(p, call);
    }
    if (at_word(p, KW_OVER) && (ahead_is(p, TOKEN_LPAREN) || token_is_name(parse_ahead(p)))) {
        TRY(parse_over(p, call));
    }
    return ast_expr_done(p, call);
}

/* ALL before the arguments, and not a column called all. */
static bool at_all_quantifier(Parser *p) {
    if (!at_word(p, KW_ALL)) return false;
    const Token *next = parse_ahead(p);
    return next->kind != TOKEN_COMMA && next->kind != TOKEN_RPAREN && next->kind != TOKEN_DOT;
}

static Status parse_call_star(Parser *p, AstExpr **star) {
    TRY(ast_expr_new(p, AST_STAR, p->token.at, 0, star));
    if (!at_token(p, TOKEN_STAR)) {
        TRY_ALLOC((*star)->name.parts, ARENA_NEW(p->arena, AstName), p->err);
        (*star)->name.count = 1;
        TRY(parse_name(p, (*star)->name.parts));
        TRY(expect_token(p, TOKEN_DOT));
    }
    parse_advance(p);
    return TRIB_OK;
}

/* "label.*" as the only argument. */
static bool at_label_star(Parser *p) {
    if (!token_is_name(&p->token) || !ahead_is(p, TOKEN_DOT)) return false;
    Lexer probe = p->ahead_lexer;
    Token token;
    lexer_next(&probe, &token);
    return token.kind == TOKEN_STAR;
}

Status parse_call(Parser *p, AstQualifiedName name, AstPosition at, AstExpr **out) {
    AstExpr *call;
    TRY(ast_expr_new(p, AST_CALL, at, 0, &call));
    call->name = name;
    TRY(parse_enter(p));
    TRY(expect_token(p, TOKEN_LPAREN));
    if (at_token(p, TOKEN_STAR) || at_label_star(p)) {
        TRY_ALLOC(call->args, ARENA_NEW(p->arena, AstExpr *), p->err);
        call->nargs = 1;
        TRY(parse_call_star(p, &call->args[0]));
    } else if (!at_token(p, TOKEN_RPAREN) && !at_word(p, KW_ORDER)) {
        call->distinct = accept_word(p, KW_DISTINCT);
        if (!call->distinct && at_all_quantifier(p)) parse_advance(p);
        TRY(parse_expr_list(p, &call->nargs, &call->args));
    }
    if (at_word(p, KW_ORDER)) TRY(parse_order_by(p, &call->norder, &call->order));
    if (!at_token(p, TOKEN_RPAREN)) {
        if (!at_token(p, TOKEN_FAT_ARROW)) return parse_unexpected(p, "',' or ')'");
        return parse_error(p, p->token.at, "named arguments are for table functions and CALL only");
    }
    parse_advance(p);
    parse_leave(p);
    TRY(parse_call_tail(p, call));
    *out = call;
    return TRIB_OK;
}

Status parse_arguments(Parser *p, uint32_t *count, AstExpr ***args, AstName **names) {
    List values = {0}, labels = {0};
    bool named = false;
    TRY(parse_enter(p));
    TRY(expect_token(p, TOKEN_LPAREN));
    while (!at_token(p, TOKEN_RPAREN)) {
        if (values.count) TRY(expect_token(p, TOKEN_COMMA));
        AstName label = {.text = STR("")};
        AstExpr *value;
        if (token_is_name(&p->token) && ahead_is(p, TOKEN_FAT_ARROW)) {
            TRY(parse_name(p, &label));
            parse_advance(p);
            named = true;
        }
        if (at_word(p, KW_TABLE))
            return parse_unsupported(p, p->token.at, "a table as argument of a function");
        if (at_word(p, KW_DESCRIPTOR) && ahead_is(p, TOKEN_LPAREN)) {
            return parse_unsupported(p, p->token.at, "DESCRIPTOR as argument of a function");
        }
        TRY(parse_expr(p, &value));
        TRY(ast_list_push(p, &values, &value, sizeof value));
        TRY(ast_list_push(p, &labels, &label, sizeof label));
    }
    parse_advance(p);
    parse_leave(p);
    *count = values.count;
    *args = values.items;
    *names = named ? labels.items : NULL;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- forms */

/* Behind the form's keyword: "(", one level deeper. */
static Status form_open(Parser *p) {
    TRY(parse_enter(p));
    parse_advance(p);
    return expect_token(p, TOKEN_LPAREN);
}

static Status form_close(Parser *p, AstExpr *expr) {
    TRY(expect_token(p, TOKEN_RPAREN));
    parse_leave(p);
    return ast_expr_done(p, expr);
}

static Status form_constant(Parser *p, AstExpr **out) {
    AstExprKind kind = at_word(p, KW_NULL) ? AST_NULL : AST_BOOLEAN;
    TRY(ast_expr_new(p, kind, p->token.at, 0, out));
    (*out)->boolean = at_word(p, KW_TRUE);
    parse_advance(p);
    return TRIB_OK;
}

static Status form_case(Parser *p, AstExpr **out) {
    const AstPosition at = p->token.at;
    List args = {0};
    AstExpr *item = NULL;
    TRY(parse_enter(p));
    parse_advance(p);
    if (!at_word(p, KW_WHEN)) TRY(parse_expr(p, &item));
    TRY(ast_list_push(p, &args, &item, sizeof item));
    do {
        TRY(expect_word(p, KW_WHEN));
        TRY(parse_expr(p, &item));
        TRY(ast_list_push(p, &args, &item, sizeof item));
        TRY(expect_word(p, KW_THEN));
        TRY(parse_expr(p, &item));
        TRY(ast_list_push(p, &args, &item, sizeof item));
    } while (at_word(p, KW_WHEN));
    item = NULL;
    if (accept_word(p, KW_ELSE)) TRY(parse_expr(p, &item));
    TRY(ast_list_push(p, &args, &item, sizeof item));
    if (!at_word(p, KW_END)) return parse_unexpected(p, item ? "END" : "WHEN, ELSE or END");
    parse_advance(p);
    parse_leave(p);
    TRY(ast_expr_new(p, AST_CASE, at, 0, out));
    (*out)->nargs = args.count;
    (*out)->args = args.items;
    return ast_expr_done(p, *out);
}

static Status form_cast(Parser *p, AstExpr **out) {
    TRY(ast_expr_new(p, AST_CAST, p->token.at, 1, out));
    (*out)->try_cast = at_word(p, KW_TRY_CAST);
    TRY(form_open(p));
    TRY(parse_expr(p, &(*out)->args[0]));
    TRY(expect_word(p, KW_AS));
    TRY(parse_type(p, &(*out)->type_text));
    return form_close(p, *out);
}

static Status form_exists(Parser *p, AstExpr **out) {
    TRY(ast_expr_new(p, AST_EXISTS, p->token.at, 0, out));
    parse_advance(p);
    TRY(parse_paren_query(p, &(*out)->query));
    return ast_expr_done(p, *out);
}

static Status form_extract(Parser *p, AstExpr **out) {
    TRY(ast_expr_new(p, AST_EXTRACT, p->token.at, 1, out));
    TRY(form_open(p));
    const Token unit = p->token;
    AstName name;
    TRY(parse_name(p, &name));
    (*out)->unit = (uint8_t)unit_find(name.text);
    if ((*out)->unit == AST_UNIT_NONE) {
        parse_error(p, unit.at, "EXTRACT does not know the field '" STR_FORMAT "'",
                    STR_ARGS(name.text));
        return error_hint(
            p->err, "YEAR, QUARTER, MONTH, WEEK, DAY, DAY_OF_WEEK, DAY_OF_YEAR, YEAR_OF_WEEK, "
                    "HOUR, MINUTE, SECOND, TIMEZONE_HOUR, TIMEZONE_MINUTE");
    }
    TRY(expect_word(p, KW_FROM));
    TRY(parse_value_expr(p, &(*out)->args[0]));
    return form_close(p, *out);
}

static Status form_position(Parser *p, AstExpr **out) {
    TRY(ast_expr_new(p, AST_POSITION_IN, p->token.at, 2, out));
    TRY(form_open(p));
    TRY(parse_value_expr(p, &(*out)->args[0]));
    TRY(expect_word(p, KW_IN));
    TRY(parse_value_expr(p, &(*out)->args[1]));
    return form_close(p, *out);
}

/* SUBSTRING(x FROM a FOR b) is substring(x, a, b); so is the form with commas. */
static Status form_substring(Parser *p, AstExpr **out) {
    const AstPosition at = p->token.at;
    List args = {0};
    AstExpr *item;
    TRY(form_open(p));
    TRY(parse_expr(p, &item));
    TRY(ast_list_push(p, &args, &item, sizeof item));
    bool words = accept_word(p, KW_FROM);
    while (words ? args.count == 1 || (args.count == 2 && accept_word(p, KW_FOR))
                 : accept_token(p, TOKEN_COMMA)) {
        TRY(parse_expr(p, &item));
        TRY(ast_list_push(p, &args, &item, sizeof item));
    }
    TRY(ast_expr_call(p, at, "substring", args.count, args.items, out));
    return form_close(p, *out);
}

static Status form_trim(Parser *p, AstExpr **out) {
    TRY(ast_expr_new(p, AST_TRIM, p->token.at, 2, out));
    AstExpr *trim = *out;
    TRY(form_open(p));
    bool said = false;
    static const Keyword kinds[] = {KW_BOTH, KW_LEADING, KW_TRAILING};
    for (size_t i = 0; i < COUNT_OF(kinds) && !said; i++) {
        if (!at_word(p, kinds[i])) continue;
        const Token *next = parse_ahead(p);
        bool name =
            next->kind == TOKEN_RPAREN || next->kind == TOKEN_COMMA || next->kind == TOKEN_DOT;
        if (name) break;
        trim->trim_kind = (uint8_t)i;
        said = true;
        parse_advance(p);
    }
    if (said && accept_word(p, KW_FROM)) {
        TRY(parse_value_expr(p, &trim->args[0]));
        return form_close(p, trim);
    }
    AstExpr *first;
    TRY(parse_value_expr(p, &first));
    if (accept_word(p, KW_FROM)) {
        trim->args[1] = first;
        TRY(parse_value_expr(p, &trim->args[0]));
    } else if (said) {
        return parse_unexpected(p, "FROM");
    } else {
        trim->args[0] = first;
        if (accept_token(p, TOKEN_COMMA)) TRY(parse_value_expr(p, &trim->args[1]));
    }
    return form_close(p, trim);
}

static Status form_normalize(Parser *p, AstExpr **out) {
    const AstPosition at = p->token.at;
    AstExpr *args[2];
    TRY(form_open(p));
    TRY(parse_value_expr(p, &args[0]));
    Str form = STR("NFC");
    if (accept_token(p, TOKEN_COMMA)) {
        if (!at_word(p, KW_NFC) && !at_word(p, KW_NFD) && !at_word(p, KW_NFKC) &&
            !at_word(p, KW_NFKD)) {
            return parse_unexpected(p, "NFC, NFD, NFKC or NFKD");
        }
        form = str_from(keyword_text((Keyword)p->token.keyword));
        parse_advance(p);
    }
    TRY(ast_expr_string(p, at, form, &args[1]));
    TRY(ast_expr_call(p, at, "normalize", 2, args, out));
    return form_close(p, *out);
}

static Status form_array(Parser *p, AstExpr **out) {
    TRY(ast_expr_new(p, AST_ARRAY, p->token.at, 0, out));
    TRY(parse_enter(p));
    parse_advance(p);
    TRY(expect_token(p, TOKEN_LBRACKET));
    if (!at_token(p, TOKEN_RBRACKET)) TRY(parse_expr_list(p, &(*out)->nargs, &(*out)->args));
    if (!at_token(p, TOKEN_RBRACKET)) return parse_unexpected(p, "',' or ']'");
    parse_advance(p);
    parse_leave(p);
    return ast_expr_done(p, *out);
}

static Status form_row(Parser *p, AstExpr **out) {
    TRY(ast_expr_new(p, AST_ROW, p->token.at, 0, out));
    TRY(form_open(p));
    TRY(parse_expr_list(p, &(*out)->nargs, &(*out)->args));
    return form_close(p, *out);
}

static Status form_grouping(Parser *p, AstExpr **out) {
    TRY(ast_expr_new(p, AST_GROUPING, p->token.at, 0, out));
    TRY(form_open(p));
    if (!at_token(p, TOKEN_RPAREN)) TRY(parse_expr_list(p, &(*out)->nargs, &(*out)->args));
    return form_close(p, *out);
}

static Status form_current(Parser *p, AstExpr **out) {
    static const struct {
        Keyword word;
        TribFunctionId op;
        bool precision;
    } rows[] = {
        {KW_CURRENT_DATE, TRIB_FN_current_date, false},
        {KW_CURRENT_TIME, TRIB_FN_current_time, true},
        {KW_CURRENT_TIMESTAMP, TRIB_FN_current_timestamp, true},
        {KW_LOCALTIME, TRIB_FN_localtime, true},
        {KW_LOCALTIMESTAMP, TRIB_FN_localtimestamp, true},
        {KW_CURRENT_USER, TRIB_FN_current_user, false},
        {KW_CURRENT_CATALOG, TRIB_FN_current_catalog, false},
        {KW_CURRENT_SCHEMA, TRIB_FN_current_schema, false},
    };
    TRY(ast_expr_new(p, AST_CURRENT, p->token.at, 0, out));
    size_t i = 0;
    while (i < COUNT_OF(rows) && !at_word(p, rows[i].word)) i++;
    if (i == COUNT_OF(rows))
        return parse_unsupported(p, p->token.at, keyword_text((Keyword)p->token.keyword));
    (*out)->op = (uint16_t)rows[i].op;
    parse_advance(p);
    if (!rows[i].precision || !accept_token(p, TOKEN_LPAREN)) return TRIB_OK;
    Str digits;
    const AstPosition at = p->token.at;
    TRY(parse_integer_text(p, &digits));
    if (digits.len != 1) return parse_error(p, at, "the precision of a time is 0 to 9");
    (*out)->precision = (int8_t)(digits.data[0] - '0');
    return expect_token(p, TOKEN_RPAREN);
}

/* ON OVERFLOW ERROR | TRUNCATE ['filler'] WITH|WITHOUT COUNT */
static Status parse_overflow(Parser *p, AstExpr *call) {
    if (!accept_word(p, KW_ON)) return TRIB_OK;
    TRY(expect_word(p, KW_OVERFLOW));
    if (accept_word(p, KW_ERROR)) return TRIB_OK;
    TRY(expect_word(p, KW_TRUNCATE));
    call->overflow_truncate = true;
    if (at_string(p)) TRY(parse_string(p, &call->text));
    call->overflow_count = at_word(p, KW_WITH);
    if (!accept_word(p, KW_WITH) && !accept_word(p, KW_WITHOUT))
        return parse_unexpected(p, "WITH or WITHOUT");
    return expect_word(p, KW_COUNT);
}

static Status form_listagg(Parser *p, AstExpr **out) {
    const AstPosition at = p->token.at;
    List args = {0};
    AstExpr *item;
    TRY(form_open(p));
    bool distinct = accept_word(p, KW_DISTINCT);
    if (!distinct && at_all_quantifier(p)) parse_advance(p);
    do {
        TRY(parse_expr(p, &item));
        TRY(ast_list_push(p, &args, &item, sizeof item));
    } while (accept_token(p, TOKEN_COMMA));
    TRY(ast_expr_call(p, at, "listagg", args.count, args.items, out));
    (*out)->distinct = distinct;
    TRY(parse_overflow(p, *out));
    TRY(form_close(p, *out));
    TRY(expect_word(p, KW_WITHIN));
    TRY(expect_word(p, KW_GROUP));
    TRY(expect_token(p, TOKEN_LPAREN));
    TRY(parse_order_by(p, &(*out)->norder, &(*out)->order));
    TRY(expect_token(p, TOKEN_RPAREN));
    return parse_call_tail(p, *out);
}

/* LEFT( and RIGHT( : reserved words that name functions too. */
static Status form_word_call(Parser *p, AstExpr **out) {
    const Token token = p->token;
    AstQualifiedName name = {.count = 1};
    TRY_ALLOC(name.parts, ARENA_NEW(p->arena, AstName), p->err);
    name.parts[0] = (AstName){.text = token_text(p, &token), .at = token.at};
    parse_advance(p);
    return parse_call(p, name, token.at, out);
}

/* INTERVAL [+|-] '..' unit [TO unit]; a name elsewhere. */
static bool at_interval(Parser *p) {
    const Token *next = parse_ahead(p);
    if (next->kind != TOKEN_PLUS && next->kind != TOKEN_MINUS) return next->kind == TOKEN_STRING;
    Lexer probe = p->ahead_lexer;
    Token token;
    lexer_next(&probe, &token);
    return token.kind == TOKEN_STRING;
}

/* "DAY(3)", "SECOND(3, 2)": ODBC's precisions are read and mean nothing here. */
static Status parse_interval_unit(Parser *p, uint8_t *out) {
    AstUnit unit = at_token(p, TOKEN_NAME) ? unit_find(token_text(p, &p->token)) : AST_UNIT_NONE;
    switch (unit) {
    case AST_UNIT_YEAR:
    case AST_UNIT_MONTH:
    case AST_UNIT_DAY:
    case AST_UNIT_HOUR:
    case AST_UNIT_MINUTE:
    case AST_UNIT_SECOND: break;
    default: return parse_unexpected(p, "YEAR, MONTH, DAY, HOUR, MINUTE or SECOND");
    }
    *out = (uint8_t)unit;
    parse_advance(p);
    if (!at_token(p, TOKEN_LPAREN) || !ahead_is(p, TOKEN_INTEGER)) return TRIB_OK;
    Str digits;
    parse_advance(p);
    TRY(parse_integer_text(p, &digits));
    if (accept_token(p, TOKEN_COMMA)) TRY(parse_integer_text(p, &digits));
    return expect_token(p, TOKEN_RPAREN);
}

Status parse_interval(Parser *p, AstExpr **out) {
    TRY(ast_expr_new(p, AST_INTERVAL, p->token.at, 0, out));
    TRY(expect_word(p, KW_INTERVAL));
    bool negative = at_token(p, TOKEN_MINUS);
    if (negative || at_token(p, TOKEN_PLUS)) parse_advance(p);
    Str text;
    TRY(parse_string(p, &text));
    text = str_trim(text);
    if (negative) {
        bool twice = text.len && text.data[0] == '-';
        text = twice ? (Str){text.data + 1, text.len - 1} : text;
        char *copy;
        TRY_ALLOC(copy, arena_alloc(p->arena, text.len + 1), p->err);
        copy[0] = '-';
        if (text.len) memcpy(copy + !twice, text.data, text.len);
        text = (Str){copy, text.len + !twice};
    }
    (*out)->text = text;
    TRY(parse_interval_unit(p, &(*out)->from_unit));
    (*out)->to_unit = AST_UNIT_NONE;
    if (at_word(p, KW_TO) && parse_ahead(p)->kind == TOKEN_NAME &&
        unit_find(token_text(p, parse_ahead(p))) != AST_UNIT_NONE) {
        const AstPosition at = parse_ahead(p)->at;
        parse_advance(p);
        TRY(parse_interval_unit(p, &(*out)->to_unit));
        uint8_t from = (*out)->from_unit, to = (*out)->to_unit;
        bool months = from == AST_UNIT_YEAR && to == AST_UNIT_MONTH;
        bool seconds = from >= AST_UNIT_DAY && to <= AST_UNIT_SECOND && from < to;
        if (!months && !seconds) {
            return parse_error(p, at,
                               "an interval goes from YEAR to MONTH, or from DAY, HOUR or MINUTE "
                               "to a smaller one up to SECOND");
        }
    }
    return TRIB_OK;
}

static Status form_interval(Parser *p, AstExpr **out) {
    if (at_interval(p)) return parse_interval(p, out);
    *out = NULL;
    return TRIB_OK;
}

/* The forms by their word. `follow`: the token that must stand behind; TOKEN_END = any. */
static const struct {
    Keyword word;
    TokenKind follow;
    Status (*parse)(Parser *p, AstExpr **out);
} forms[] = {
    {KW_NULL, TOKEN_END, form_constant},
    {KW_TRUE, TOKEN_END, form_constant},
    {KW_FALSE, TOKEN_END, form_constant},
    {KW_CASE, TOKEN_END, form_case},
    {KW_CAST, TOKEN_END, form_cast},
    {KW_TRY_CAST, TOKEN_LPAREN, form_cast},
    {KW_EXISTS, TOKEN_END, form_exists},
    {KW_EXTRACT, TOKEN_END, form_extract},
    {KW_POSITION, TOKEN_LPAREN, form_position},
    {KW_SUBSTRING, TOKEN_LPAREN, form_substring},
    {KW_TRIM, TOKEN_END, form_trim},
    {KW_NORMALIZE, TOKEN_END, form_normalize},
    {KW_ARRAY, TOKEN_LBRACKET, form_array},
    {KW_ROW, TOKEN_LPAREN, form_row},
    {KW_GROUPING, TOKEN_END, form_grouping},
    {KW_INTERVAL, TOKEN_END, form_interval},
    {KW_LISTAGG, TOKEN_END, form_listagg},
    {KW_LEFT, TOKEN_LPAREN, form_word_call},
    {KW_RIGHT, TOKEN_LPAREN, form_word_call},
    {KW_CURRENT_DATE, TOKEN_END, form_current},
    {KW_CURRENT_TIME, TOKEN_END, form_current},
    {KW_CURRENT_TIMESTAMP, TOKEN_END, form_current},
    {KW_LOCALTIME, TOKEN_END, form_current},
    {KW_LOCALTIMESTAMP, TOKEN_END, form_current},
    {KW_CURRENT_USER, TOKEN_END, form_current},
    {KW_CURRENT_CATALOG, TOKEN_END, form_current},
    {KW_CURRENT_SCHEMA, TOKEN_END, form_current},
    {KW_CURRENT_PATH, TOKEN_END, form_current},
    {KW_CURRENT_ROLE, TOKEN_END, form_current},
    {KW_JSON_EXISTS, TOKEN_END, parse_json},
    {KW_JSON_VALUE, TOKEN_END, parse_json},
    {KW_JSON_QUERY, TOKEN_END, parse_json},
    {KW_JSON_OBJECT, TOKEN_END, parse_json},
    {KW_JSON_ARRAY, TOKEN_END, parse_json},
};

Status parse_special(Parser *p, AstExpr **out) {
    *out = NULL;
    if (!at_token(p, TOKEN_NAME) || p->token.keyword == KEYWORD_NONE) return TRIB_OK;
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if (!at_word(p, forms[i].word)) continue;
        if (forms[i].follow != TOKEN_END && !ahead_is(p, forms[i].follow)) return TRIB_OK;
        return forms[i].parse(p, out);
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- units */

static const struct {
    const char *text;
    AstUnit unit;
} units[] = {
    /* the first spelling of each is the printed one */
    {"YEAR", AST_UNIT_YEAR},
    {"QUARTER", AST_UNIT_QUARTER},
    {"MONTH", AST_UNIT_MONTH},
    {"WEEK", AST_UNIT_WEEK},
    {"DAY", AST_UNIT_DAY},
    {"DAY_OF_MONTH", AST_UNIT_DAY},
    {"HOUR", AST_UNIT_HOUR},
    {"MINUTE", AST_UNIT_MINUTE},
    {"SECOND", AST_UNIT_SECOND},
    {"MILLISECOND", AST_UNIT_MILLISECOND},
    {"DAY_OF_WEEK", AST_UNIT_DAY_OF_WEEK},
    {"DOW", AST_UNIT_DAY_OF_WEEK},
    {"DAY_OF_YEAR", AST_UNIT_DAY_OF_YEAR},
    {"DOY", AST_UNIT_DAY_OF_YEAR},
    {"YEAR_OF_WEEK", AST_UNIT_YEAR_OF_WEEK},
    {"YOW", AST_UNIT_YEAR_OF_WEEK},
    {"TIMEZONE_HOUR", AST_UNIT_TIMEZONE_HOUR},
    {"TIMEZONE_MINUTE", AST_UNIT_TIMEZONE_MINUTE},
};

AstUnit unit_find(Str word) {
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (str_equal_fold(word, str_from(units[i].text))) return units[i].unit;
    }
    return AST_UNIT_NONE;
}

const char *unit_text(AstUnit unit) {
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (units[i].unit == unit) return units[i].text;
    }
    return "";
}
