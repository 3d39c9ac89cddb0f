/*
 * expr_print.c - expressions as SQL-like text, for EXPLAIN and messages.
 *
 * Parentheses stand only where precedence needs them. Names of columns come from the caller.
 */
#include <inttypes.h>

#include "engine/expr/expr.h"

/* Precedence, loosest first. */
enum {
    LEVEL_NONE,
    LEVEL_OR,
    LEVEL_AND,
    LEVEL_NOT,
    LEVEL_COMPARE,
    LEVEL_ADD,
    LEVEL_MULTIPLY,
    LEVEL_UNARY,
    LEVEL_PRIMARY
};

typedef struct Printer {
    Buf *out;
    const char *(*name)(void *context, ColumnId id);
    void *context;
} Printer;

static void print(Printer *p, const Expr *e, int level);

static int call_level(const Function *f) {
    switch (f->id) {
    case TRIB_FN_add:
    case TRIB_FN_subtract:
    case TRIB_FN_concat: return LEVEL_ADD;
    case TRIB_FN_multiply:
    case TRIB_FN_divide:
    case TRIB_FN_modulus: return LEVEL_MULTIPLY;
    case TRIB_FN_negate: return LEVEL_UNARY;
    case TRIB_FN_at_timezone: return LEVEL_UNARY;
    default: return function_symbol((TribFunctionId)f->id) != NULL ? LEVEL_COMPARE : LEVEL_PRIMARY;
    }
}

static int expr_level(const Expr *e) {
    switch (e->kind) {
    case EXPR_OR: return LEVEL_OR;
    case EXPR_AND: return LEVEL_AND;
    case EXPR_NOT: return LEVEL_NOT;
    case EXPR_IS_NULL:
    case EXPR_IN: return LEVEL_COMPARE;
    case EXPR_CALL: return e->nargs <= 2 ? call_level(e->as.function) : LEVEL_PRIMARY;
    default: return LEVEL_PRIMARY;
    }
}

static void print_list(Printer *p, const Expr *e, uint32_t first) {
    for (uint32_t i = first; i < e->nargs; i++) {
        if (i > first) buf_text(p->out, ", ");
        print(p, e->args[i], LEVEL_NONE);
    }
}

static void print_function(Printer *p, const char *name, const Expr *e) {
    buf_text(p->out, name);
    buf_char(p->out, '(');
    if (e->distinct) buf_text(p->out, "DISTINCT ");
    print_list(p, e, 0);
    buf_char(p->out, ')');
}

static void print_chain(Printer *p, const Expr *e, const char *word, int level) {
    for (uint32_t i = 0; i < e->nargs; i++) {
        if (i > 0) buf_printf(p->out, " %s ", word);
        print(p, e->args[i], level + 1);
    }
}

static void print_case(Printer *p, const Expr *e) {
    buf_text(p->out, "CASE");
    for (uint32_t i = 0; i + 1 < e->nargs; i += 2) {
        buf_text(p->out, " WHEN ");
        print(p, e->args[i], LEVEL_NONE);
        buf_text(p->out, " THEN ");
        print(p, e->args[i + 1], LEVEL_NONE);
    }
    buf_text(p->out, " ELSE ");
    print(p, e->args[e->nargs - 1], LEVEL_NONE);
    buf_text(p->out, " END");
}

static void print_subquery(Printer *p, const Expr *e) {
    static const char *const kinds[] = {"", "EXISTS ", "IN ", "ANY ", "ALL "};
    if (e->nargs > 0) {
        print(p, e->args[0], LEVEL_COMPARE + 1);
        buf_char(p->out, ' ');
    }
    if (e->negated) buf_text(p->out, "NOT ");
    if (e->subquery_kind == SUBQUERY_ANY || e->subquery_kind == SUBQUERY_ALL) {
        const char *symbol = function_symbol((TribFunctionId)e->comparison);
        if (symbol != NULL) buf_printf(p->out, "%s ", symbol);
    }
    buf_printf(p->out, "%s(subquery)", kinds[e->subquery_kind]);
}

static void print_cast(Printer *p, const Expr *e) {
    buf_text(p->out, e->try_cast ? "TRY_CAST(" : "CAST(");
    print(p, e->args[0], LEVEL_NONE);
    buf_text(p->out, " AS ");
    type_print(p->out, e->type);
    buf_char(p->out, ')');
}

static void print_column(Printer *p, const Expr *e) {
    const char *name = p->name != NULL ? p->name(p->context, e->as.column_id) : NULL;
    if (name != NULL) {
        buf_text(p->out, name);
    } else {
        buf_printf(p->out, "#%u", e->as.column_id);
    }
}

static void print_lambda(Printer *p, const Expr *e) {
    uint32_t n = e->type.fields->count - 1;
    if (n != 1) buf_char(p->out, '(');
    for (uint32_t i = 0; i < n; i++) buf_printf(p->out, "%s%s", i ? ", " : "", e->as.names[i]);
    buf_text(p->out, n != 1 ? ") -> " : " -> ");
    print(p, e->args[0], LEVEL_NONE);
}

/* Constructors, subscripts and fields as they are written; false for other calls. */
static bool print_nested_call(Printer *p, const Expr *e) {
    switch (e->as.function->id) {
    case TRIB_FN_row_new: print_function(p, "ROW", e); return true;
    case TRIB_FN_array_new:
        buf_text(p->out, "ARRAY[");
        print_list(p, e, 0);
        buf_char(p->out, ']');
        return true;
    case TRIB_FN_subscript:
        print(p, e->args[0], LEVEL_PRIMARY);
        buf_char(p->out, '[');
        print(p, e->args[1], LEVEL_NONE);
        buf_char(p->out, ']');
        return true;
    case TRIB_FN_row_field: {
        uint64_t index = (uint64_t)e->args[1]->as.value.as.integer;
        const char *name = e->args[0]->type.fields->field[index - 1].name;
        print(p, e->args[0], LEVEL_PRIMARY);
        if (name != NULL) {
            buf_printf(p->out, ".%s", name);
        } else {
            buf_printf(p->out, "[%" PRIu64 "]", index);
        }
        return true;
    }
    default: return false;
    }
}

static void print_call(Printer *p, const Expr *e) {
    const Function *f = e->as.function;
    const char *symbol = function_symbol((TribFunctionId)f->id);
    int level = call_level(f);
    if (print_nested_call(p, e)) return;
    if (f->id == TRIB_FN_like && e->nargs == 3) {
        print(p, e->args[0], LEVEL_COMPARE + 1);
        buf_text(p->out, " LIKE ");
        print(p, e->args[1], LEVEL_COMPARE + 1);
        buf_text(p->out, " ESCAPE ");
        print(p, e->args[2], LEVEL_COMPARE + 1);
    } else if (symbol == NULL || e->nargs == 0 || e->nargs > 2) {
        print_function(p, f->name, e);
    } else if (e->nargs == 1) {
        buf_text(p->out, symbol);
        print(p, e->args[0], LEVEL_PRIMARY);
    } else {
        print(p, e->args[0], level);
        buf_printf(p->out, " %s ", symbol);
        print(p, e->args[1], level + 1);
    }
}

static void print_bound(Printer *p, const Expr *e, const FrameBound *bound) {
    static const char *const words[] = {"UNBOUNDED PRECEDING", "PRECEDING", "CURRENT ROW",
                                        "FOLLOWING", "UNBOUNDED FOLLOWING"};
    if (bound->offset != NO_ARG) {
        print(p, e->args[bound->offset], LEVEL_NONE);
        buf_char(p->out, ' ');
    }
    buf_text(p->out, words[bound->kind]);
}

static void print_frame(Printer *p, const Expr *e, const char *before) {
    static const char *const units[] = {"ROWS", "RANGE", "GROUPS"};
    const WindowCall *w = e->as.window;
    bool usual = w->unit == FRAME_RANGE && w->start.kind == BOUND_UNBOUNDED_PRECEDING &&
                 w->end.kind == BOUND_CURRENT;
    if (usual || (w->function != NULL && !w->function->framed)) return;
    buf_printf(p->out, "%s%s BETWEEN ", before, units[w->unit]);
    print_bound(p, e, &w->start);
    buf_text(p->out, " AND ");
    print_bound(p, e, &w->end);
}

static void print_window(Printer *p, const Expr *e) {
    const WindowCall *w = e->as.window;
    const char *before = "";
    buf_printf(p->out, "%s(", w->function != NULL ? w->function->name : w->aggregate->name);
    if (w->ncall == 0 && w->function == NULL) buf_char(p->out, '*');
    for (uint32_t i = 0; i < w->ncall; i++) {
        if (i > 0) buf_text(p->out, ", ");
        print(p, e->args[i], LEVEL_NONE);
    }
    buf_char(p->out, ')');
    if (w->filter != NO_ARG) {
        buf_text(p->out, " FILTER (WHERE ");
        print(p, e->args[w->filter], LEVEL_NONE);
        buf_char(p->out, ')');
    }
    buf_text(p->out, w->ignore_nulls ? " IGNORE NULLS OVER (" : " OVER (");
    for (uint32_t i = 0; i < w->npartition; i++, before = " ") {
        buf_text(p->out, i > 0 ? ", " : "PARTITION BY ");
        print(p, e->args[w->partition + i], LEVEL_NONE);
    }
    for (uint32_t i = 0; i < w->norder; i++) {
        buf_printf(p->out, "%s", i > 0 ? ", " : before);
        if (i == 0) buf_text(p->out, "ORDER BY ");
        print(p, e->args[w->order + i], LEVEL_NONE);
        if (w->directions[i].descending) buf_text(p->out, " DESC");
        if (w->directions[i].nulls_first) buf_text(p->out, " NULLS FIRST");
    }
    print_frame(p, e, w->norder > 0 ? " " : before);
    buf_char(p->out, ')');
}

static void print_node(Printer *p, const Expr *e) {
    switch ((ExprKind)e->kind) {
    case EXPR_COLUMN:
    case EXPR_OUTER: print_column(p, e); return;
    case EXPR_CONSTANT: value_print(p->out, &e->as.value); return;
    case EXPR_PARAMETER: buf_printf(p->out, "?%u", e->as.slot + 1); return;
    case EXPR_CALL: print_call(p, e); return;
    case EXPR_CAST: print_cast(p, e); return;
    case EXPR_AND: print_chain(p, e, "AND", LEVEL_AND); return;
    case EXPR_OR: print_chain(p, e, "OR", LEVEL_OR); return;
    case EXPR_NOT:
        buf_text(p->out, "NOT ");
        print(p, e->args[0], LEVEL_NOT + 1);
        return;
    case EXPR_IS_NULL:
        print(p, e->args[0], LEVEL_COMPARE + 1);
        buf_text(p->out, e->negated ? " IS NOT NULL" : " IS NULL");
        return;
    case EXPR_IN:
        print(p, e->args[0], LEVEL_COMPARE + 1);
        buf_text(p->out, e->negated ? " NOT IN (" : " IN (");
        print_list(p, e, 1);
        buf_char(p->out, ')');
        return;
    case EXPR_CASE: print_case(p, e); return;
    case EXPR_COALESCE: print_function(p, "COALESCE", e); return;
    case EXPR_NULLIF:
        buf_text(p->out, "NULLIF(");
        print(p, e->args[0], LEVEL_NONE);
        buf_text(p->out, ", ");
        print(p, e->args[1], LEVEL_NONE);
        buf_char(p->out, ')');
        return;
    case EXPR_TRY: print_function(p, "TRY", e); return;
    case EXPR_AGGREGATE:
        if (e->nargs == 0) {
            buf_printf(p->out, "%s(*)", e->as.agg.aggregate->name);
        } else {
            print_function(p, e->as.agg.aggregate->name, e);
        }
        if (e->as.agg.filter == NULL) return;
        buf_text(p->out, " FILTER (WHERE ");
        print(p, e->as.agg.filter, LEVEL_NONE);
        buf_char(p->out, ')');
        return;
    case EXPR_WINDOW: print_window(p, e); return;
    case EXPR_LAMBDA: print_lambda(p, e); return;
    case EXPR_VARIABLE: buf_text(p->out, e->as.variable.name); return;
    case EXPR_SUBQUERY: print_subquery(p, e); return;
    case EXPR_GROUPING: print_function(p, "grouping", e); return;
    }
}

static void print(Printer *p, const Expr *e, int level) {
    bool parentheses = expr_level(e) < level;
    if (parentheses) buf_char(p->out, '(');
    print_node(p, e);
    if (parentheses) buf_char(p->out, ')');
}

void expr_print(Buf *out, const Expr *e, const char *(*name)(void *context, ColumnId id),
                void *context) {
    Printer printer = {out, name, context};
    print(&printer, e, LEVEL_NONE);
}
