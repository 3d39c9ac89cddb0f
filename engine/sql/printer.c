/*
 * printer.c - canonical SQL of expressions, names and literals.
 *
 * Parentheses follow from precedence, not from what was written: a child whose level is below what its
 * place asks for gets them. What is printed parses to an equal tree. Appends to a Buf; a failed append is
 * kept in the Buf. Any thread.
 */
#include "engine/sql/print.h"

/* Binding strength; as in parse_expr.c. */
enum {
    P_LAMBDA,
    P_OR,
    P_AND,
    P_NOT,
    P_PREDICATE,
    P_CONCAT,
    P_ADD,
    P_MULTIPLY,
    P_SIGN,
    P_ZONE,
    P_PRIMARY
};

static void print_at(Printer *self, const AstExpr *expr, int level);

/* ---------------------------------------------------------------- names and literals */

static bool plain_name(Str name) {
    if (name.len == 0 || (name.data[0] >= '0' && name.data[0] <= '9')) return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool word =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        if (!word) return false;
    }
    return !keyword_reserved(sql_keyword_find(name));
}

static void quoted(Buf *out, Str text, char quote) {
    buf_char(out, quote);
    size_t start = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != quote) continue;
        buf_add(out, text.data + start, i + 1 - start);
        start = i;
    }
    buf_add(out, text.data + start, text.len - start);
    buf_char(out, quote);
}

void sql_print_name(Buf *out, Str name) {
    if (plain_name(name))
        buf_str(out, name);
    else
        quoted(out, name, '"');
}

void print_name(Printer *self, const AstName *name) {
    if (name->quoted)
        quoted(self->out, name->text, '"');
    else
        sql_print_name(self->out, name->text);
}

void print_qualified(Printer *self, const AstQualifiedName *name) {
    for (uint32_t i = 0; i < name->count; i++) {
        if (i) buf_char(self->out, '.');
        print_name(self, &name->parts[i]);
    }
}

void print_names(Printer *self, uint32_t count, const AstName *names) {
    if (count == 0) return;
    for (uint32_t i = 0; i < count; i++) {
        buf_text(self->out, i ? ", " : "(");
        print_name(self, &names[i]);
    }
    buf_char(self->out, ')');
}

void print_string(Printer *self, Str text) {
    quoted(self->out, text, '\'');
}

static void print_binary(Buf *out, Str bytes) {
    static const char digits[] = "0123456789ABCDEF";
    buf_text(out, "X'");
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];
        buf_char(out, digits[byte >> 4]);
        buf_char(out, digits[byte & 15]);
    }
    buf_char(out, '\'');
}

static void print_typed(Printer *self, const AstExpr *e) {
    sql_print_name(self->out, e->type_text);
    buf_char(self->out, ' ');
    print_string(self, e->text);
}

static void print_interval(Printer *self, const AstExpr *e) {
    bool negative = e->text.len && e->text.data[0] == '-';
    buf_text(self->out, negative ? "INTERVAL -" : "INTERVAL ");
    print_string(self, negative ? (Str){e->text.data + 1, e->text.len - 1} : e->text);
    buf_printf(self->out, " %s", unit_text((AstUnit)e->from_unit));
    if (e->to_unit) buf_printf(self->out, " TO %s", unit_text((AstUnit)e->to_unit));
}

/* ---------------------------------------------------------------- operators */

static const char *operator_text(uint16_t op) {
    switch (op) {
    case TRIB_FN_eq: return "=";
    case TRIB_FN_ne: return "<>";
    case TRIB_FN_lt: return "<";
    case TRIB_FN_le: return "<=";
    case TRIB_FN_gt: return ">";
    case TRIB_FN_ge: return ">=";
    case TRIB_FN_add: return "+";
    case TRIB_FN_subtract: return "-";
    case TRIB_FN_multiply: return "*";
    case TRIB_FN_divide: return "/";
    case TRIB_FN_modulus: return "%";
    case TRIB_FN_concat: return "||";
    default: return "?";
    }
}

static bool is_number(const AstExpr *e) {
    return e->kind == AST_INTEGER || e->kind == AST_DECIMAL || e->kind == AST_DOUBLE;
}

static int level_of(const AstExpr *e) {
    switch ((AstExprKind)e->kind) {
    case AST_LAMBDA: return P_LAMBDA;
    case AST_OR: return P_OR;
    case AST_AND: return P_AND;
    case AST_UNARY: return e->op == TRIB_FN_not ? P_NOT : P_SIGN;
    case AST_IS_NULL:
    case AST_IS_DISTINCT:
    case AST_BETWEEN:
    case AST_IN_LIST:
    case AST_IN_QUERY:
    case AST_LIKE:
    case AST_QUANTIFIED: return P_PREDICATE;
    case AST_AT_TIME_ZONE: return P_ZONE;
    case AST_CALL: return e->op == TRIB_FN_concat && e->nargs > 1 ? P_CONCAT : P_PRIMARY;
    case AST_BINARY_OP:
        switch (e->op) {
        case TRIB_FN_add:
        case TRIB_FN_subtract: return P_ADD;
        case TRIB_FN_multiply:
        case TRIB_FN_divide:
        case TRIB_FN_modulus: return P_MULTIPLY;
        case TRIB_FN_concat: return P_CONCAT;
        default: return P_PREDICATE;
        }
    default: return P_PRIMARY;
    }
}

static void print_chain(Printer *self, const AstExpr *e, const char *separator, int level) {
    for (uint32_t i = 0; i < e->nargs; i++) {
        if (i) buf_text(self->out, separator);
        print_at(self, e->args[i], level);
    }
}

static void print_infix(Printer *self, const AstExpr *e) {
    int level = level_of(e);
    /* predicates do not chain: both sides are values; the others are left-associative */
    print_at(self, e->args[0], level == P_PREDICATE ? P_CONCAT : level);
    buf_printf(self->out, " %s ", operator_text(e->op));
    print_at(self, e->args[1], level + 1);
}

static void print_unary(Printer *self, const AstExpr *e) {
    if (e->op == TRIB_FN_not) {
        buf_text(self->out, "NOT ");
        print_at(self, e->args[0], P_NOT);
        return;
    }
    const AstExpr *arg = e->args[0];
    while (arg->kind == AST_AT_TIME_ZONE) arg = arg->args[0];
    bool number = is_number(arg), minus = number && arg->text.data[0] == '-';
    bool nested = arg->kind == AST_UNARY && arg->op != TRIB_FN_not;
    if (number && !minus) { /* "-1" would be a negative literal */
        buf_text(self->out, "-(");
        print_expr(self, e->args[0]);
        buf_char(self->out, ')');
        return;
    }
    buf_text(self->out, minus || nested ? "- " : "-"); /* not a comment */
    print_at(self, e->args[0], P_SIGN);
}

static void print_predicate(Printer *self, const AstExpr *e) {
    Buf *out = self->out;
    const char *negation = e->negated ? "NOT " : "";
    print_at(self, e->args[0], P_CONCAT);
    switch ((AstExprKind)e->kind) {
    case AST_IS_NULL: buf_printf(out, " IS %sNULL", negation); break;
    case AST_IS_DISTINCT:
        buf_printf(out, " IS %sDISTINCT FROM ", negation);
        print_at(self, e->args[1], P_CONCAT);
        break;
    case AST_BETWEEN:
        buf_printf(out, " %sBETWEEN ", negation);
        print_at(self, e->args[1], P_CONCAT);
        buf_text(out, " AND ");
        print_at(self, e->args[2], P_CONCAT);
        break;
    case AST_LIKE:
        buf_printf(out, " %sLIKE ", negation);
        print_at(self, e->args[1], P_CONCAT);
        if (e->nargs < 3) break;
        buf_text(out, " ESCAPE ");
        print_at(self, e->args[2], P_CONCAT);
        break;
    case AST_IN_LIST:
        buf_printf(out, " %sIN (", negation);
        print_expr_list(self, e->nargs - 1, e->args + 1);
        buf_char(out, ')');
        break;
    case AST_IN_QUERY:
        buf_printf(out, " %sIN (", negation);
        print_query(self, e->query);
        buf_char(out, ')');
        break;
    default:
        buf_printf(out, " %s %s (", operator_text(e->op), e->all ? "ALL" : "ANY");
        print_query(self, e->query);
        buf_char(out, ')');
        break;
    }
}

/* ---------------------------------------------------------------- calls */

static void print_bound(Printer *self, AstBoundKind kind, const AstExpr *value) {
    static const char *const texts[] = {
        [AST_BOUND_UNBOUNDED_PRECEDING] = "UNBOUNDED PRECEDING",
        [AST_BOUND_PRECEDING] = " PRECEDING",
        [AST_BOUND_CURRENT] = "CURRENT ROW",
        [AST_BOUND_FOLLOWING] = " FOLLOWING",
        [AST_BOUND_UNBOUNDED_FOLLOWING] = "UNBOUNDED FOLLOWING",
    };
    if (value) print_at(self, value, P_CONCAT);
    buf_text(self->out, texts[kind]);
}

void print_order_by(Printer *self, const char *before, uint32_t count, const AstOrderItem *items) {
    for (uint32_t i = 0; i < count; i++) {
        buf_text(self->out, i ? ", " : before);
        if (i == 0) buf_text(self->out, "ORDER BY ");
        print_expr(self, items[i].expr);
        if (items[i].descending) buf_text(self->out, " DESC");
        if (items[i].nulls) {
            buf_text(self->out, items[i].nulls == AST_NULLS_FIRST ? " NULLS FIRST" : " NULLS LAST");
        }
    }
}

void print_window(Printer *self, const AstWindow *w) {
    static const char *const frames[] = {"", "ROWS", "RANGE", "GROUPS"};
    Buf *out = self->out;
    size_t start = out->len;
    if (w->base.text.len) print_name(self, &w->base);
    if (w->npartition) {
        buf_text(out, out->len > start ? " PARTITION BY " : "PARTITION BY ");
        print_expr_list(self, w->npartition, w->partition);
    }
    print_order_by(self, out->len > start ? " " : "", w->norder, w->order);
    if (w->frame == AST_FRAME_NONE) return;
    if (out->len > start) buf_char(out, ' ');
    buf_printf(out, "%s BETWEEN ", frames[w->frame]);
    print_bound(self, w->start, w->start_value);
    buf_text(out, " AND ");
    print_bound(self, w->end, w->end_value);
}

static void print_call_tail(Printer *self, const AstExpr *e) {
    Buf *out = self->out;
    if (e->filter) {
        buf_text(out, " FILTER (WHERE ");
        print_expr(self, e->filter);
        buf_char(out, ')');
    }
    if (e->null_treatment) {
        buf_text(out, e->null_treatment == AST_IGNORE_NULLS ? " IGNORE NULLS" : " RESPECT NULLS");
    }
    if (!e->window) return;
    buf_text(out, " OVER ");
    if (e->window->name.text.len) {
        print_name(self, &e->window->name);
        return;
    }
    buf_char(out, '(');
    print_window(self, e->window);
    buf_char(out, ')');
}

static bool is_call_of(const AstExpr *e, const char *name) {
    return e->name.count == 1 && !e->name.parts[0].quoted &&
           str_equal_fold(e->name.parts[0].text, str_from(name));
}

static void print_call_name(Printer *self, const AstExpr *e) {
    /* reserved words that are read as functions all the same */
    if (is_call_of(e, "left") || is_call_of(e, "right") || is_call_of(e, "listagg") ||
        is_call_of(e, "normalize")) {
        buf_str(self->out, e->name.parts[0].text);
    } else {
        print_qualified(self, &e->name);
    }
}

static void print_overflow(Printer *self, const AstExpr *e) {
    if (!e->overflow_truncate) return;
    buf_text(self->out, " ON OVERFLOW TRUNCATE ");
    if (e->text.data) {
        print_string(self, e->text);
        buf_char(self->out, ' ');
    }
    buf_text(self->out, e->overflow_count ? "WITH COUNT" : "WITHOUT COUNT");
}

static void print_arguments(Printer *self, const AstExpr *e) {
    for (uint32_t i = 0; i < e->nargs; i++) {
        if (i) buf_text(self->out, ", ");
        if (e->arg_names && e->arg_names[i].text.len) {
            print_name(self, &e->arg_names[i]);
            buf_text(self->out, " => ");
        }
        print_expr(self, e->args[i]);
    }
}

static void print_call(Printer *self, const AstExpr *e) {
    Buf *out = self->out;
    if (e->op == TRIB_FN_concat && e->nargs > 1) {
        print_chain(self, e, " || ", P_ADD);
        return;
    }
    bool listagg = is_call_of(e, "listagg");
    print_call_name(self, e);
    buf_text(out, e->distinct ? "(DISTINCT " : "(");
    if (is_call_of(e, "normalize") && e->nargs == 2 && e->args[1]->kind == AST_STRING) {
        print_expr(self, e->args[0]);
        buf_printf(out, ", " STR_FORMAT, STR_ARGS(e->args[1]->text));
    } else {
        print_arguments(self, e);
    }
    if (listagg)
        print_overflow(self, e);
    else
        print_order_by(self, e->nargs ? " " : "", e->norder, e->order);
    buf_char(out, ')');
    if (listagg && e->norder) {
        buf_text(out, " WITHIN GROUP (");
        print_order_by(self, "", e->norder, e->order);
        buf_char(out, ')');
    }
    print_call_tail(self, e);
}

static void print_trim(Printer *self, const AstExpr *e) {
    static const char *const kinds[] = {"BOTH", "LEADING", "TRAILING"};
    const AstExpr *characters = e->nargs > 1 ? e->args[1] : NULL;
    buf_text(self->out, "TRIM(");
    if (e->trim_kind != AST_TRIM_BOTH || characters) {
        buf_printf(self->out, "%s ", kinds[e->trim_kind]);
        if (characters) {
            print_at(self, characters, P_CONCAT);
            buf_char(self->out, ' ');
        }
        buf_text(self->out, "FROM ");
    }
    print_at(self, e->args[0], P_CONCAT);
    buf_char(self->out, ')');
}

static void print_case(Printer *self, const AstExpr *e) {
    Buf *out = self->out;
    buf_text(out, "CASE");
    if (e->args[0]) {
        buf_char(out, ' ');
        print_expr(self, e->args[0]);
    }
    for (uint32_t i = 1; i + 2 < e->nargs; i += 2) {
        buf_text(out, " WHEN ");
        print_expr(self, e->args[i]);
        buf_text(out, " THEN ");
        print_expr(self, e->args[i + 1]);
    }
    if (e->args[e->nargs - 1]) {
        buf_text(out, " ELSE ");
        print_expr(self, e->args[e->nargs - 1]);
    }
    buf_text(out, " END");
}

static void print_lambda(Printer *self, const AstExpr *e) {
    if (e->nlambda == 1)
        print_name(self, &e->lambda_names[0]);
    else if (e->nlambda)
        print_names(self, e->nlambda, e->lambda_names);
    else
        buf_text(self->out, "()");
    buf_text(self->out, " -> ");
    print_expr(self, e->args[0]);
}

static void print_current(Printer *self, const AstExpr *e) {
    const char *text = e->op == TRIB_FN_current_date        ? "CURRENT_DATE"
                       : e->op == TRIB_FN_current_time      ? "CURRENT_TIME"
                       : e->op == TRIB_FN_current_timestamp ? "CURRENT_TIMESTAMP"
                       : e->op == TRIB_FN_localtime         ? "LOCALTIME"
                       : e->op == TRIB_FN_localtimestamp    ? "LOCALTIMESTAMP"
                       : e->op == TRIB_FN_current_user      ? "CURRENT_USER"
                       : e->op == TRIB_FN_current_catalog   ? "CURRENT_CATALOG"
                                                            : "CURRENT_SCHEMA";
    buf_text(self->out, text);
    if (e->precision >= 0) buf_printf(self->out, "(%d)", e->precision);
}

/* ---------------------------------------------------------------- SQL/JSON */

static void print_behaviour(Printer *self, AstJsonBehaviour behaviour, const AstExpr *value,
                            const char *on) {
    static const char *const texts[] = {"",      "ERROR",   "NULL",        "DEFAULT ",    "TRUE",
                                        "FALSE", "UNKNOWN", "EMPTY ARRAY", "EMPTY OBJECT"};
    if (behaviour == AST_JSON_UNSAID) return;
    buf_printf(self->out, " %s", texts[behaviour]);
    if (value) print_expr(self, value);
    buf_printf(self->out, " ON %s", on);
}

static void print_returning(Printer *self, const AstJson *json) {
    if (json->returning.data)
        buf_printf(self->out, " RETURNING " STR_FORMAT, STR_ARGS(json->returning));
    if (json->returning_json) buf_text(self->out, " FORMAT JSON");
}

static void print_json_path(Printer *self, const AstExpr *e) {
    static const char *const wrappers[] = {"", " WITHOUT WRAPPER", " WITH CONDITIONAL WRAPPER",
                                           " WITH UNCONDITIONAL WRAPPER"};
    const AstJson *json = e->json;
    Buf *out = self->out;
    print_expr(self, e->args[0]);
    buf_text(out, json->format[0] ? " FORMAT JSON, " : ", ");
    print_string(self, json->path);
    if (json->path_name.text.len) {
        buf_text(out, " AS ");
        print_name(self, &json->path_name);
    }
    for (uint32_t i = 0; i < json->nnames; i++) {
        buf_text(out, i ? ", " : " PASSING ");
        print_expr(self, e->args[i + 1]);
        buf_text(out, json->format[i + 1] ? " FORMAT JSON AS " : " AS ");
        print_name(self, &json->names[i]);
    }
    print_returning(self, json);
    buf_text(out, wrappers[json->wrapper]);
    if (json->omit_quotes || json->keep_quotes)
        buf_text(out, json->omit_quotes ? " OMIT QUOTES" : " KEEP QUOTES");
    print_behaviour(self, json->on_empty, json->empty_default, "EMPTY");
    print_behaviour(self, json->on_error, json->error_default, "ERROR");
}

static void print_json_constructor(Printer *self, const AstExpr *e) {
    const AstJson *json = e->json;
    Buf *out = self->out;
    uint32_t step = json->form == AST_JSON_OBJECT ? 2 : 1;
    for (uint32_t i = 0; i < e->nargs; i += step) {
        if (i) buf_text(out, ", ");
        if (step == 2) buf_text(out, "KEY ");
        print_expr(self, e->args[i]);
        if (step == 2) {
            buf_text(out, " VALUE ");
            print_expr(self, e->args[i + 1]);
        }
        if (json->format[i / step]) buf_text(out, " FORMAT JSON");
    }
    if (json->null_said) buf_text(out, json->absent_on_null ? " ABSENT ON NULL" : " NULL ON NULL");
    if (json->unique_said)
        buf_text(out, json->unique_keys ? " WITH UNIQUE KEYS" : " WITHOUT UNIQUE KEYS");
    print_returning(self, json);
}

static void print_json(Printer *self, const AstExpr *e) {
    static const char *const names[] = {"JSON_EXISTS(", "JSON_VALUE(", "JSON_QUERY(",
                                        "JSON_OBJECT(", "JSON_ARRAY("};
    buf_text(self->out, names[e->json->form]);
    bool constructor = e->json->form == AST_JSON_OBJECT || e->json->form == AST_JSON_ARRAY;
    if (constructor)
        print_json_constructor(self, e);
    else
        print_json_path(self, e);
    buf_char(self->out, ')');
}

/* ---------------------------------------------------------------- expressions */

/* args[0] where ".field" or "[i]" follows: a bare name would swallow the
 * field, a number the sign before it. */
static void print_base(Printer *self, const AstExpr *e, bool field) {
    bool parens = (field && e->kind == AST_NAME) || is_number(e);
    if (parens) buf_char(self->out, '(');
    print_at(self, e, parens ? P_LAMBDA : P_PRIMARY);
    if (parens) buf_char(self->out, ')');
}

static void print_star(Printer *self, const AstExpr *e) {
    if (e->nargs) {
        print_base(self, e->args[0], true);
        buf_char(self->out, '.');
    } else if (e->name.count) {
        print_qualified(self, &e->name);
        buf_char(self->out, '.');
    }
    buf_char(self->out, '*');
}

/* name(args) for the forms that look like calls. */
static void print_form(Printer *self, const char *open, const AstExpr *e, const char *close) {
    buf_text(self->out, open);
    print_expr_list(self, e->nargs, e->args);
    buf_text(self->out, close);
}

static void print_in_parens(Printer *self, const char *word, const AstQuery *query) {
    buf_text(self->out, word);
    print_query(self, query);
    buf_char(self->out, ')');
}

static void print_two(Printer *self, const char *open, const AstExpr *e, const char *between) {
    buf_text(self->out, open);
    print_at(self, e->args[0], P_CONCAT);
    buf_text(self->out, between);
    print_at(self, e->args[1], P_CONCAT);
    buf_char(self->out, ')');
}

static void print_node(Printer *self, const AstExpr *e) {
    Buf *out = self->out;
    switch ((AstExprKind)e->kind) {
    case AST_NAME: print_qualified(self, &e->name); break;
    case AST_STAR: print_star(self, e); break;
    case AST_NULL: buf_text(out, "NULL"); break;
    case AST_BOOLEAN: buf_text(out, e->boolean ? "TRUE" : "FALSE"); break;
    case AST_INTEGER:
    case AST_DECIMAL:
    case AST_DOUBLE: buf_str(out, e->text); break;
    case AST_STRING: print_string(self, e->text); break;
    case AST_BINARY: print_binary(out, e->text); break;
    case AST_TYPED_LITERAL: print_typed(self, e); break;
    case AST_INTERVAL: print_interval(self, e); break;
    case AST_PARAMETER: buf_char(out, '?'); break;
    case AST_UNARY: print_unary(self, e); break;
    case AST_BINARY_OP: print_infix(self, e); break;
    case AST_AND: print_chain(self, e, " AND ", P_NOT); break;
    case AST_OR: print_chain(self, e, " OR ", P_AND); break;
    case AST_IS_NULL:
    case AST_IS_DISTINCT:
    case AST_BETWEEN:
    case AST_IN_LIST:
    case AST_LIKE:
    case AST_IN_QUERY:
    case AST_QUANTIFIED: print_predicate(self, e); break;
    case AST_EXISTS: print_in_parens(self, "EXISTS (", e->query); break;
    case AST_SCALAR_QUERY: print_in_parens(self, "(", e->query); break;
    case AST_CASE: print_case(self, e); break;
    case AST_CAST:
        buf_text(out, e->try_cast ? "TRY_CAST(" : "CAST(");
        print_expr(self, e->args[0]);
        buf_printf(out, " AS " STR_FORMAT ")", STR_ARGS(e->type_text));
        break;
    case AST_EXTRACT:
        buf_printf(out, "EXTRACT(%s FROM ", unit_text((AstUnit)e->unit));
        print_at(self, e->args[0], P_CONCAT);
        buf_char(out, ')');
        break;
    case AST_CALL: print_call(self, e); break;
    case AST_AT_TIME_ZONE:
        print_at(self, e->args[0], P_ZONE);
        buf_text(out, " AT TIME ZONE ");
        print_at(self, e->args[1], P_PRIMARY);
        break;
    case AST_ROW: print_form(self, "ROW(", e, ")"); break;
    case AST_ARRAY: print_form(self, "ARRAY[", e, "]"); break;
    case AST_GROUPING: print_form(self, "GROUPING(", e, ")"); break;
    case AST_SUBSCRIPT:
        print_base(self, e->args[0], false);
        buf_char(out, '[');
        print_at(self, e->args[1], P_CONCAT);
        buf_char(out, ']');
        break;
    case AST_LAMBDA: print_lambda(self, e); break;
    case AST_CURRENT: print_current(self, e); break;
    case AST_POSITION_IN: print_two(self, "POSITION(", e, " IN "); break;
    case AST_TRIM: print_trim(self, e); break;
    case AST_DEFAULT: buf_text(out, "DEFAULT"); break;
    case AST_FIELD:
        print_base(self, e->args[0], true);
        buf_char(out, '.');
        print_name(self, &e->name.parts[0]);
        break;
    case AST_JSON: print_json(self, e); break;
    }
}

/* In a place that takes expressions of at least `level`. */
static void print_at(Printer *self, const AstExpr *e, int level) {
    if (self->out->failed) return;
    if (self->depth >= PRINT_MAX_DEPTH) {
        self->out->failed = true;
        return;
    }
    self->depth++;
    bool parens = level_of(e) < level;
    if (parens) buf_char(self->out, '(');
    print_node(self, e);
    if (parens) buf_char(self->out, ')');
    self->depth--;
}

void print_expr(Printer *self, const AstExpr *expr) {
    print_at(self, expr, P_LAMBDA);
}

void print_expr_list(Printer *self, uint32_t count, AstExpr *const *items) {
    for (uint32_t i = 0; i < count; i++) {
        if (i) buf_text(self->out, ", ");
        print_expr(self, items[i]);
    }
}

void ast_print_expr(Buf *out, const AstExpr *expr) {
    Printer printer = {.out = out};
    print_expr(&printer, expr);
}
