/*
 * escapes.c - ODBC escape sequences: {fn}, {d}, {t}, {ts}, {interval}, {guid}, {escape}, {oj}.
 *
 * They leave no trace in the tree: literals become typed literals, {fn NAME(..)} becomes the expression of
 * this dialect that means the same (ODBC 3.8, appendix E: scalar functions), by the tables below. A
 * function that the tables do not name is read like any call, so that every function of the engine may
 * stand in {fn}. One thread, nodes in the arena.
 */
#include "engine/sql/parse.h"

typedef Status (*Rewrite)(Parser *p, AstPosition at, uint32_t nargs, AstExpr **args, AstExpr **out);

static Status call1(Parser *p, AstPosition at, const char *name, AstExpr *a, AstExpr **out) {
    return ast_expr_call(p, at, name, 1, &a, out);
}
static Status call2(Parser *p, AstPosition at, const char *name, AstExpr *a, AstExpr *b,
                    AstExpr **out) {
    AstExpr *args[] = {a, b};
    return ast_expr_call(p, at, name, 2, args, out);
}
static Status call3(Parser *p, AstPosition at, const char *name, AstExpr *a, AstExpr *b, AstExpr *c,
                    AstExpr **out) {
    AstExpr *args[] = {a, b, c};
    return ast_expr_call(p, at, name, 3, args, out);
}

/* ---------------------------------------------------------------- rewriting */

/* Characters without trailing blanks. */
static Status fn_length(Parser *p, AstPosition at, uint32_t nargs, AstExpr **args, AstExpr **out) {
    AstExpr *trimmed;
    TRY(call1(p, at, "rtrim", args[0], &trimmed));
    return call1(p, at, "length", trimmed, out);
}

static Status fn_octet_length(Parser *p, AstPosition at, uint32_t nargs, AstExpr **args,
                              AstExpr **out) {
    AstExpr *bytes;
    TRY(call1(p, at, "to_utf8", args[0], &bytes));
    return call1(p, at, "length", bytes, out);
}

static Status fn_bit_length(Parser *p, AstPosition at, uint32_t nargs, AstExpr **args,
                            AstExpr **out) {
    AstExpr *octets, *eight;
    TRY(fn_octet_length(p, at, nargs, args, &octets));
    TRY(ast_expr_integer(p, at, "8", &eight));
    return ast_expr_binary(p, at, TRIB_FN_multiply, octets, eight, out);
}

/* Arguments that a rewriting needs twice must be shallow, or nesting would double at each level. */
static Status check_shallow(Parser *p, const AstExpr *arg) {
    if (arg->height <= 16) return TRIB_OK;
    return parse_limit(p, arg->at,
                       "an argument of {fn LOCATE} or {fn INSERT} nests deeper than 16 levels");
}

/* LOCATE(needle, text[, start]): strpos has no start, so the rest of the text is searched. */
static Status fn_locate(Parser *p, AstPosition at, uint32_t nargs, AstExpr **args, AstExpr **out) {
    if (nargs == 2) return call2(p, at, "strpos", args[1], args[0], out);
    AstExpr *rest, *place, *zero, *one, *found, *skipped;
    TRY(check_shallow(p, args[2]));
    TRY(call2(p, at, "substr", args[1], args[2], &rest));
    TRY(call2(p, at, "strpos", rest, args[0], &place));
    TRY(ast_expr_integer(p, at, "0", &zero));
    TRY(ast_expr_integer(p, at, "1", &one));
    TRY(call2(p, at, "nullif", place, zero, &found));
    TRY(ast_expr_binary(p, at, TRIB_FN_subtract, args[2], one, &skipped));
    TRY(ast_expr_binary(p, at, TRIB_FN_add, found, skipped, &place));
    return call2(p, at, "coalesce", place, zero, out);
}

/* INSERT(text, start, length, other) */
static Status fn_insert(Parser *p, AstPosition at, uint32_t nargs, AstExpr **args, AstExpr **out) {
    AstExpr *one, *before, *head, *behind, *tail;
    TRY(check_shallow(p, args[0]));
    TRY(check_shallow(p, args[1]));
    TRY(ast_expr_integer(p, at, "1", &one));
    TRY(ast_expr_binary(p, at, TRIB_FN_subtract, args[1], one, &before));
    TRY(call3(p, at, "substr", args[0], one, before, &head));
    TRY(ast_expr_binary(p, at, TRIB_FN_add, args[1], args[2], &behind));
    TRY(call2(p, at, "substr", args[0], behind, &tail));
    return call3(p, at, "concat", head, args[3], tail, out);
}

static Status fn_space(Parser *p, AstPosition at, uint32_t nargs, AstExpr **args, AstExpr **out) {
    AstExpr *empty, *blank;
    TRY(ast_expr_string(p, at, STR(""), &empty));
    TRY(ast_expr_string(p, at, STR(" "), &blank));
    return call3(p, at, "rpad", empty, args[0], blank, out);
}

static Status fn_ascii(Parser *p, AstPosition at, uint32_t nargs, AstExpr **args, AstExpr **out) {
    AstExpr *one, *first, *cast;
    TRY(ast_expr_integer(p, at, "1", &one));
    TRY(call3(p, at, "substr", args[0], one, one, &first));
    TRY(ast_expr_new(p, AST_CAST, at, 1, &cast));
    cast->args[0] = first;
    cast->type_text = STR("varchar(1)");
    TRY(ast_expr_done(p, cast));
    return call1(p, at, "codepoint", cast, out);
}

static Status fn_cot(Parser *p, AstPosition at, uint32_t nargs, AstExpr **args, AstExpr **out) {
    AstExpr *one, *tangent;
    TRY(ast_expr_new(p, AST_DOUBLE, at, 0, &one));
    one->text = STR("1E0");
    TRY(call1(p, at, "tan", args[0], &tangent));
    return ast_expr_binary(p, at, TRIB_FN_divide, one, tangent, out);
}

/* 1 = Sunday, where day_of_week has 1 = Monday. */
static Status fn_day_of_week(Parser *p, AstPosition at, uint32_t nargs, AstExpr **args,
                             AstExpr **out) {
    AstExpr *day, *seven, *one, *rest;
    TRY(call1(p, at, "day_of_week", args[0], &day));
    TRY(ast_expr_integer(p, at, "7", &seven));
    TRY(ast_expr_integer(p, at, "1", &one));
    TRY(ast_expr_binary(p, at, TRIB_FN_modulus, day, seven, &rest));
    return ast_expr_binary(p, at, TRIB_FN_add, rest, one, out);
}

static Status formatted(Parser *p, AstPosition at, Str format, AstExpr *value, AstExpr **out) {
    AstExpr *text;
    TRY(ast_expr_string(p, at, format, &text));
    return call2(p, at, "date_format", value, text, out);
}
static Status fn_day_name(Parser *p, AstPosition at, uint32_t nargs, AstExpr **args,
                          AstExpr **out) {
    return formatted(p, at, STR("%W"), args[0], out);
}
static Status fn_month_name(Parser *p, AstPosition at, uint32_t nargs, AstExpr **args,
                            AstExpr **out) {
    return formatted(p, at, STR("%M"), args[0], out);
}

static Status current(Parser *p, AstPosition at, TribFunctionId op, uint32_t nargs, AstExpr **args,
                      AstExpr **out) {
    TRY(ast_expr_new(p, AST_CURRENT, at, 0, out));
    (*out)->op = (uint16_t)op;
    if (nargs == 0) return TRIB_OK;
    const AstExpr *digits = args[0];
    if (digits->kind != AST_INTEGER || digits->text.len != 1) {
        return parse_error(p, digits->at, "the precision of a time is 0 to 9");
    }
    (*out)->precision = (int8_t)(digits->text.data[0] - '0');
    return TRIB_OK;
}
static Status fn_current_date(Parser *p, AstPosition at, uint32_t nargs, AstExpr **args,
                              AstExpr **out) {
    return current(p, at, TRIB_FN_current_date, 0, NULL, out);
}
/* ODBC's times bear no zone. */
static Status fn_current_time(Parser *p, AstPosition at, uint32_t nargs, AstExpr **args,
                              AstExpr **out) {
    return current(p, at, TRIB_FN_localtime, nargs, args, out);
}
static Status fn_now(Parser *p, AstPosition at, uint32_t nargs, AstExpr **args, AstExpr **out) {
    return current(p, at, TRIB_FN_localtimestamp, nargs, args, out);
}
static Status fn_user(Parser *p, AstPosition at, uint32_t nargs, AstExpr **args, AstExpr **out) {
    return current(p, at, TRIB_FN_current_user, 0, NULL, out);
}
static Status fn_database(Parser *p, AstPosition at, uint32_t nargs, AstExpr **args,
                          AstExpr **out) {
    return current(p, at, TRIB_FN_current_catalog, 0, NULL, out);
}

/* The bare word that TIMESTAMPADD and CONVERT take as argument. */
static const AstName *bare_word(const AstExpr *e) {
    return e->kind == AST_NAME && e->name.count == 1 ? &e->name.parts[0] : NULL;
}

static Status interval_unit(Parser *p, const AstExpr *word, AstExpr **out) {
    static const struct {
        const char *word, *unit;
    } rows[] = {{"SQL_TSI_SECOND", "second"},   {"SQL_TSI_MINUTE", "minute"},
                {"SQL_TSI_HOUR", "hour"},       {"SQL_TSI_DAY", "day"},
                {"SQL_TSI_WEEK", "week"},       {"SQL_TSI_MONTH", "month"},
                {"SQL_TSI_QUARTER", "quarter"}, {"SQL_TSI_YEAR", "year"}};
    const AstName *name = bare_word(word);
    for (size_t i = 0; name && i < COUNT_OF(rows); i++) {
        if (str_equal_fold(name->text, str_from(rows[i].word))) {
            return ast_expr_string(p, word->at, str_from(rows[i].unit), out);
        }
    }
    if (name && str_equal_fold(name->text, STR("SQL_TSI_FRAC_SECOND"))) {
        return parse_unsupported(p, word->at, "SQL_TSI_FRAC_SECOND");
    }
    return parse_error(p, word->at,
                       "expected SQL_TSI_SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER or YEAR");
}

static Status fn_timestamp_add(Parser *p, AstPosition at, uint32_t nargs, AstExpr **args,
                               AstExpr **out) {
    AstExpr *unit;
    TRY(interval_unit(p, args[0], &unit));
    return call3(p, at, "date_add", unit, args[1], args[2], out);
}
static Status fn_timestamp_diff(Parser *p, AstPosition at, uint32_t nargs, AstExpr **args,
                                AstExpr **out) {
    AstExpr *unit;
    TRY(interval_unit(p, args[0], &unit));
    return call3(p, at, "date_diff", unit, args[1], args[2], out);
}

/* CONVERT(value, SQL_type). Types that carry a length or scale get the widest one that serves. */
static Status fn_convert(Parser *p, AstPosition at, uint32_t nargs, AstExpr **args, AstExpr **out) {
    static const struct {
        const char *word, *type;
    } rows[] = {
        {"BIGINT", "bigint"},
        {"BINARY", "varbinary"},
        {"BIT", "boolean"},
        {"CHAR", "varchar"},
        {"DATE", "date"},
        {"TYPE_DATE", "date"},
        {"DECIMAL", "decimal(38,10)"},
        {"NUMERIC", "decimal(38,10)"},
        {"DOUBLE", "double"},
        {"FLOAT", "double"},
        {"GUID", "uuid"},
        {"INTEGER", "integer"},
        {"LONGVARBINARY", "varbinary"},
        {"LONGVARCHAR", "varchar"},
        {"REAL", "real"},
        {"SMALLINT", "smallint"},
        {"TIME", "time(9)"},
        {"TYPE_TIME", "time(9)"},
        {"TIMESTAMP", "timestamp(9)"},
        {"TYPE_TIMESTAMP", "timestamp(9)"},
        {"TINYINT", "tinyint"},
        {"VARBINARY", "varbinary"},
        {"VARCHAR", "varchar"},
        {"WCHAR", "varchar"},
        {"WVARCHAR", "varchar"},
        {"WLONGVARCHAR", "varchar"},
        {"INTERVAL_YEAR", "interval year to month"},
        {"INTERVAL_MONTH", "interval year to month"},
        {"INTERVAL_YEAR_TO_MONTH", "interval year to month"},
        {"INTERVAL_DAY", "interval day to second"},
        {"INTERVAL_HOUR", "interval day to second"},
        {"INTERVAL_MINUTE", "interval day to second"},
        {"INTERVAL_SECOND", "interval day to second"},
        {"INTERVAL_DAY_TO_HOUR", "interval day to second"},
        {"INTERVAL_DAY_TO_MINUTE", "interval day to second"},
        {"INTERVAL_DAY_TO_SECOND", "interval day to second"},
        {"INTERVAL_HOUR_TO_MINUTE", "interval day to second"},
        {"INTERVAL_HOUR_TO_SECOND", "interval day to second"},
        {"INTERVAL_MINUTE_TO_SECOND", "interval day to second"},
    };
    const AstName *name = bare_word(args[1]);
    Str word = name ? name->text : STR("");
    if (word.len > 4 && str_equal_fold((Str){word.data, 4}, STR("SQL_")))
        word = (Str){word.data + 4, word.len - 4};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!str_equal_fold(word, str_from(rows[i].word))) continue;
        TRY(ast_expr_new(p, AST_CAST, at, 1, out));
        (*out)->args[0] = args[0];
        (*out)->type_text = str_from(rows[i].type);
        return ast_expr_done(p, *out);
    }
    return parse_error(p, args[1]->at, "{fn CONVERT} takes a type of ODBC, such as SQL_VARCHAR");
}

/* ODBC's scalar functions whose name or arguments differ here. */
static const struct {
    const char *name;
    uint8_t min, max;   /* arguments */
    const char *target; /* only the name differs */
    Rewrite rewrite;
} functions[] = {
    {"ASCII", 1, 1, NULL, fn_ascii},
    {"BIT_LENGTH", 1, 1, NULL, fn_bit_length},
    {"CEILING", 1, 1, "ceiling", NULL},
    {"CHAR", 1, 1, "chr", NULL},
    {"CHAR_LENGTH", 1, 1, "length", NULL},
    {"CHARACTER_LENGTH", 1, 1, "length", NULL},
    {"CONVERT", 2, 2, NULL, fn_convert},
    {"COT", 1, 1, NULL, fn_cot},
    {"CURDATE", 0, 0, NULL, fn_current_date},
    {"CURRENT_DATE", 0, 0, NULL, fn_current_date},
    {"CURRENT_TIME", 0, 1, NULL, fn_current_time},
    {"CURRENT_TIMESTAMP", 0, 1, NULL, fn_now},
    {"CURTIME", 0, 0, NULL, fn_current_time},
    {"DATABASE", 0, 0, NULL, fn_database},
    {"DAYNAME", 1, 1, NULL, fn_day_name},
    {"DAYOFMONTH", 1, 1, "day", NULL},
    {"DAYOFWEEK", 1, 1, NULL, fn_day_of_week},
    {"DAYOFYEAR", 1, 1, "day_of_year", NULL},
    {"IFNULL", 2, 2, "coalesce", NULL},
    {"INSERT", 4, 4, NULL, fn_insert},
    {"LCASE", 1, 1, "lower", NULL},
    {"LEFT", 2, 2, "left", NULL},
    {"LENGTH", 1, 1, NULL, fn_length},
    {"LOCATE", 2, 3, NULL, fn_locate},
    {"LOG", 1, 1, "ln", NULL},
    {"MONTHNAME", 1, 1, NULL, fn_month_name},
    {"NOW", 0, 0, NULL, fn_now},
    {"REPEAT", 2, 2, "repeat_text", NULL},
    {"OCTET_LENGTH", 1, 1, NULL, fn_octet_length},
    {"RAND", 0, 0, "random", NULL},
    {"RIGHT", 2, 2, "right", NULL},
    {"SPACE", 1, 1, NULL, fn_space},
    {"SUBSTRING", 2, 3, "substr", NULL},
    {"TIMESTAMPADD", 3, 3, NULL, fn_timestamp_add},
    {"TIMESTAMPDIFF", 3, 3, NULL, fn_timestamp_diff},
    {"UCASE", 1, 1, "upper", NULL},
    {"USER", 0, 0, NULL, fn_user},
};

/* ---------------------------------------------------------------- reading */

static Status parse_fn_known(Parser *p, size_t row, AstExpr **out) {
    const Token token = p->token;
    uint32_t nargs = 0;
    AstExpr **args = NULL;
    parse_advance(p);
    TRY(parse_enter(p));
    TRY(expect_token(p, TOKEN_LPAREN));
    if (!at_token(p, TOKEN_RPAREN)) TRY(parse_expr_list(p, &nargs, &args));
    TRY(expect_token(p, TOKEN_RPAREN));
    parse_leave(p);
    if (nargs < functions[row].min || nargs > functions[row].max) {
        uint32_t min = functions[row].min, max = functions[row].max;
        if (min == max)
            return parse_error(p, token.at, "{fn %s} takes %u arguments, not %u",
                               functions[row].name, max, nargs);
        return parse_error(p, token.at, "{fn %s} takes %u to %u arguments, not %u",
                           functions[row].name, min, max, nargs);
    }
    if (functions[row].rewrite) return functions[row].rewrite(p, token.at, nargs, args, out);
    return ast_expr_call(p, token.at, functions[row].target, nargs, args, out);
}

static Status parse_fn(Parser *p, AstExpr **out) {
    if (!at_token(p, TOKEN_NAME)) return parse_unexpected(p, "a function");
    Str name = token_text(p, &p->token);
    for (size_t i = 0; i < COUNT_OF(functions) && ahead_is(p, TOKEN_LPAREN); i++) {
        if (!str_equal_fold(name, str_from(functions[i].name))) continue;
        if (at_word(p, KW_SUBSTRING)) break; /* SUBSTRING(x FROM 1) too */
        return parse_fn_known(p, i, out);
    }
    return parse_primary(p, out);
}

static Status typed(Parser *p, AstPosition at, const char *type, AstExpr **out) {
    TRY(ast_expr_new(p, AST_TYPED_LITERAL, at, 0, out));
    (*out)->type_text = str_from(type);
    return parse_string(p, &(*out)->text);
}

static Status escape_body(Parser *p, AstPosition at, AstExpr **out) {
    if (at_word(p, KW_INTERVAL)) return parse_interval(p, out);
    if (at_word(p, KW_CALL) || at_token(p, TOKEN_QUESTION)) {
        return parse_unsupported(p, at, "{call}: a stored procedure");
    }
    if (accept_text(p, "FN")) return parse_fn(p, out);
    if (accept_text(p, "D")) return typed(p, at, "date", out);
    if (accept_text(p, "T")) return typed(p, at, "time", out);
    if (accept_text(p, "TS")) return typed(p, at, "timestamp", out);
    if (accept_text(p, "GUID")) return typed(p, at, "uuid", out);
    if (accept_word(p, KW_ESCAPE)) {
        TRY(ast_expr_new(p, AST_STRING, at, 0, out));
        return parse_string(p, &(*out)->text);
    }
    if (at_text(p, "OJ")) return parse_error(p, at, "{oj ...} stands behind FROM");
    return parse_unexpected(p, "fn, d, t, ts, interval, guid, escape or oj");
}

/* No level of its own: what nests inside is a call, which counts. */
Status parse_escape(Parser *p, AstExpr **out) {
    const AstPosition at = p->token.at;
    TRY(expect_token(p, TOKEN_LBRACE));
    TRY(escape_body(p, at, out));
    return expect_token(p, TOKEN_RBRACE);
}

Status parse_outer_join_escape(Parser *p, AstRelation **out) {
    TRY(parse_enter(p));
    TRY(expect_token(p, TOKEN_LBRACE));
    TRY(expect_text(p, "OJ"));
    TRY(parse_relation(p, out));
    TRY(expect_token(p, TOKEN_RBRACE));
    parse_leave(p);
    return TRIB_OK;
}
