/*
 * expr.c - building, comparing and rewriting bound expressions.
 *
 * Nodes live in the caller's arena and are read-only once built. Constructors return NULL when memory
 * is exhausted. Recursion follows the depth of the expression, which the parser limits.
 */
#include "engine/expr/expr.h"

#include "engine/kernels/cast.h"

/* ---------------------------------------------------------------- what may raise */

static bool constant_integer(const Expr *e, int64_t *out) {
    if (e->kind != EXPR_CONSTANT || e->as.value.is_null) return false;
    if (!type_is_integer(e->type) && type_physical(e->type) != PHYS_INT64) return false;
    *out = e->as.value.as.integer;
    return true;
}

static int max_int(int a, int b) {
    return a > b ? a : b;
}

/* Decimal results raise only where their precision was capped, or by a zero divisor. */
static bool decimal_may_raise(const Expr *e) {
    Type a = e->args[0]->type, b = e->args[1]->type;
    int64_t divisor;
    bool nonzero = constant_integer(e->args[1], &divisor) && divisor != 0;
    switch (e->as.function->id) {
    case TRIB_FN_add:
    case TRIB_FN_subtract:
        return max_int(a.precision - a.scale, b.precision - b.scale) + max_int(a.scale, b.scale) +
                   1 >
               DECIMAL_MAX_DIGITS;
    case TRIB_FN_multiply: return a.precision + b.precision > DECIMAL_MAX_DIGITS;
    case TRIB_FN_divide:
        return !nonzero ||
               a.precision + b.scale + max_int(b.scale - a.scale, 0) > DECIMAL_MAX_DIGITS;
    case TRIB_FN_modulus:
    case TRIB_FN_mod: return !nonzero;
    default: return true;
    }
}

/* LIKE raises on an escape that is not one character, or that stands before an ordinary one. */
static bool like_may_raise(const Expr *pattern, const Expr *escape) {
    if (pattern->kind != EXPR_CONSTANT || escape->kind != EXPR_CONSTANT) return true;
    if (pattern->as.value.is_null || escape->as.value.is_null) return false;
    Str text = {pattern->as.value.as.text.data, pattern->as.value.as.text.length};
    Str mark = {escape->as.value.as.text.data, escape->as.value.as.text.length};
    if (utf8_length(mark.data, mark.len) != 1) return true;
    for (size_t i = 0; i < text.len; i++) {
        if (text.len - i < mark.len || memcmp(text.data + i, mark.data, mark.len) != 0) continue;
        i += mark.len;
        Str rest = {text.data + i, text.len - i};
        if (rest.len > 0 && (rest.data[0] == '%' || rest.data[0] == '_')) continue;
        if (rest.len < mark.len || memcmp(rest.data, mark.data, mark.len) != 0) return true;
        i += mark.len - 1;
    }
    return false;
}

/* Narrower than the row's flag where the arguments' types or constants prove it safe. */
static bool call_may_raise(const Expr *e) {
    const Function *f = e->as.function;
    int64_t divisor;
    if (f->id >= TRIB_FN_lt && f->id <= TRIB_FN_ge && type_is_nested(e->args[0]->type))
        return true; /* NULL inside has no order */
    if (f->id == TRIB_FN_like && e->nargs == 3) return like_may_raise(e->args[1], e->args[2]);
    if (!f->may_raise || e->nargs != 2) return f->may_raise;
    if (e->args[0]->type.id == TRIB_TYPE_DECIMAL && e->args[1]->type.id == TRIB_TYPE_DECIMAL) {
        return decimal_may_raise(e);
    }
    if (!type_is_integer(e->args[0]->type) || !constant_integer(e->args[1], &divisor)) return true;
    if (f->id == TRIB_FN_divide) return divisor == 0 || divisor == -1;
    if (f->id == TRIB_FN_modulus || f->id == TRIB_FN_mod) return divisor == 0;
    return true;
}

bool expr_raises_itself(const Expr *e) {
    if (e->kind == EXPR_CALL) return e->as.function && call_may_raise(e);
    if (e->kind == EXPR_CAST) return !e->try_cast && type_cast_may_raise(e->args[0]->type, e->type);
    return false;
}

void expr_derive(Expr *e) {
    bool raises = false, is_volatile = false;
    e->size = 1;
    for (uint32_t i = 0; i < e->nargs; i++) {
        if (__builtin_add_overflow(e->size, e->args[i]->size, &e->size)) e->size = UINT32_MAX;
        raises = raises || e->args[i]->may_raise;
        is_volatile = is_volatile || e->args[i]->is_volatile;
    }
    switch (e->kind) {
    case EXPR_CALL:
        if (e->as.function == NULL) break;
        raises = raises || expr_raises_itself(e);
        is_volatile = is_volatile || e->as.function->stability == STABILITY_VOLATILE;
        break;
    case EXPR_CAST:
        raises = !e->try_cast && (raises || expr_raises_itself(e));
        if (e->try_cast) raises = e->args[0]->may_raise;
        break;
    case EXPR_TRY: raises = false; break;
    case EXPR_AGGREGATE: raises = raises || e->as.agg.aggregate->may_raise; break;
    case EXPR_SUBQUERY: raises = true; break; /* more than one row, or whatever is inside */
    default: break;
    }
    e->may_raise = raises;
    e->is_volatile = is_volatile;
}

/* ---------------------------------------------------------------- constructors */

Expr *expr_new(Arena *arena, ExprKind kind, Type type, uint32_t nargs, Expr *const *args) {
    Expr *e = ARENA_NEW(arena, Expr);
    if (e == NULL) return NULL;
    e->kind = (uint8_t)kind;
    e->type = type;
    e->nargs = nargs;
    if (nargs > 0) {
        Expr **copy = ARENA_ARRAY(arena, Expr *, nargs);
        if (copy == NULL) return NULL;
        for (uint32_t i = 0; i < nargs; i++) {
            if (args[i] == NULL) return NULL; /* an earlier constructor ran out of memory */
            copy[i] = args[i];
        }
        e->args = copy;
        e->line = args[0]->line;
        e->column = args[0]->column;
    }
    if (kind != EXPR_CALL && kind != EXPR_AGGREGATE && kind != EXPR_SUBQUERY) expr_derive(e);
    return e;
}

Expr *expr_column(Arena *arena, ColumnId id, Type type) {
    Expr *e = expr_new(arena, EXPR_COLUMN, type, 0, NULL);
    if (e != NULL) e->as.column_id = id;
    return e;
}

Expr *expr_outer(Arena *arena, ColumnId id, Type type) {
    Expr *e = expr_new(arena, EXPR_OUTER, type, 0, NULL);
    if (e != NULL) e->as.column_id = id;
    return e;
}

Expr *expr_constant(Arena *arena, Value value) {
    Expr *e = expr_new(arena, EXPR_CONSTANT, value.type, 0, NULL);
    if (e != NULL) e->as.value = value;
    return e;
}

Expr *expr_call(Arena *arena, const ResolvedFunction *f, uint32_t nargs, Expr *const *args) {
    Expr *e = expr_new(arena, EXPR_CALL, f->result, nargs, args);
    if (e == NULL) return NULL;
    e->as.function = f->function;
    expr_derive(e);
    return e;
}

Expr *expr_cast(Arena *arena, Expr *arg, Type type, bool try_cast) {
    if (arg == NULL || type_equal(arg->type, type)) return arg;
    Expr *e = expr_new(arena, EXPR_CAST, type, 1, (Expr *const[]){arg});
    if (e == NULL) return NULL;
    e->try_cast = try_cast;
    expr_derive(e);
    return e;
}

Expr *expr_boolean(Arena *arena, ExprKind kind, uint32_t nargs, Expr *const *args) {
    if (nargs == 1 && kind != EXPR_NOT) return args[0];
    uint32_t count = 0;
    for (uint32_t i = 0; i < nargs; i++) {
        if (args[i] == NULL) return NULL;
        count += args[i]->kind == kind && kind != EXPR_NOT ? args[i]->nargs : 1;
    }
    Expr **flat = ARENA_ARRAY(arena, Expr *, count);
    if (flat == NULL) return NULL;
    uint32_t n = 0;
    for (uint32_t i = 0; i < nargs; i++) {
        if (args[i]->kind != kind || kind == EXPR_NOT) {
            flat[n++] = args[i];
            continue;
        }
        for (uint32_t j = 0; j < args[i]->nargs; j++) flat[n++] = args[i]->args[j];
    }
    return expr_new(arena, kind, TYPE(BOOLEAN), count, flat);
}

/* ---------------------------------------------------------------- questions */

static bool bound_equal(const FrameBound *a, const FrameBound *b) {
    return a->kind == b->kind && a->offset == b->offset;
}

/* The arguments are compared by expr_equal. */
static bool window_equal(const WindowCall *a, const WindowCall *b) {
    if (a->function != b->function || a->aggregate != b->aggregate || a->ncall != b->ncall ||
        a->ignore_nulls != b->ignore_nulls || a->filter != b->filter || a->unit != b->unit ||
        a->npartition != b->npartition || a->norder != b->norder ||
        !bound_equal(&a->start, &b->start) || !bound_equal(&a->end, &b->end))
        return false;
    for (uint32_t i = 0; i < a->norder; i++) {
        if (a->directions[i].descending != b->directions[i].descending ||
            a->directions[i].nulls_first != b->directions[i].nulls_first)
            return false;
    }
    return true;
}

static bool node_equal(const Expr *a, const Expr *b) {
    switch (a->kind) {
    case EXPR_COLUMN:
    case EXPR_OUTER: return a->as.column_id == b->as.column_id;
    case EXPR_PARAMETER: return a->as.slot == b->as.slot;
    case EXPR_VARIABLE:
        return a->as.variable.depth == b->as.variable.depth &&
               a->as.variable.index == b->as.variable.index;
    case EXPR_CONSTANT: return value_equal(&a->as.value, &b->as.value);
    case EXPR_CALL: return a->as.function == b->as.function;
    case EXPR_AGGREGATE:
        if ((a->as.agg.filter == NULL) != (b->as.agg.filter == NULL)) return false;
        return aggregate_same(a->as.agg.aggregate, b->as.agg.aggregate) &&
               (a->as.agg.filter == NULL || expr_equal(a->as.agg.filter, b->as.agg.filter));
    case EXPR_SUBQUERY:
        if (a->subquery_kind != b->subquery_kind || a->comparison != b->comparison ||
            a->as.field != b->as.field)
            return false;
        return a->as.plan == b->as.plan ||
               (a->as.text != NULL && b->as.text != NULL && strcmp(a->as.text, b->as.text) == 0);
    case EXPR_WINDOW: return window_equal(a->as.window, b->as.window);
    default: return true;
    }
}

bool expr_equal(const Expr *a, const Expr *b) {
    if (a->is_volatile || b->is_volatile) return false;
    if (a == b) return true;
    if (a->kind != b->kind || a->nargs != b->nargs || a->negated != b->negated ||
        a->try_cast != b->try_cast || a->distinct != b->distinct || !type_equal(a->type, b->type) ||
        !node_equal(a, b)) {
        return false;
    }
    for (uint32_t i = 0; i < a->nargs; i++) {
        if (!expr_equal(a->args[i], b->args[i])) return false;
    }
    return true;
}

bool expr_has_kind(const Expr *e, ExprKind kind) {
    if (e->kind == kind) return true;
    for (uint32_t i = 0; i < e->nargs; i++) {
        if (expr_has_kind(e->args[i], kind)) return true;
    }
    return e->kind == EXPR_AGGREGATE && e->as.agg.filter && expr_has_kind(e->as.agg.filter, kind);
}

bool expr_within(const Expr *e, uint32_t depth) {
    if (depth == 0) return false;
    for (uint32_t i = 0; i < e->nargs; i++) {
        if (!expr_within(e->args[i], depth - 1)) return false;
    }
    return true;
}

bool expr_is_constant(const Expr *e) {
    return e->kind == EXPR_CONSTANT;
}

void expr_columns(const Expr *e, uint64_t *bits) {
    if (e->kind == EXPR_COLUMN) bitmap_set(bits, e->as.column_id);
    for (uint32_t i = 0; i < e->nargs; i++) expr_columns(e->args[i], bits);
    if (e->kind == EXPR_AGGREGATE && e->as.agg.filter != NULL) {
        expr_columns(e->as.agg.filter, bits);
    }
}

bool expr_any(const Expr *e, bool (*test)(void *context, const Expr *e), void *context) {
    if (test(context, e)) return true;
    for (uint32_t i = 0; i < e->nargs; i++) {
        if (expr_any(e->args[i], test, context)) return true;
    }
    return e->kind == EXPR_AGGREGATE && e->as.agg.filter != NULL &&
           expr_any(e->as.agg.filter, test, context);
}

Status expr_rewrite(Arena *arena, const Expr *e, Expr *(*replace)(void *context, const Expr *e),
                    void *context, Expr **out, Error *err) {
    Expr *other = replace(context, e);
    if (other != NULL) {
        *out = other;
        return TRIB_OK;
    }
    Expr *copy;
    TRY_ALLOC(copy, ARENA_NEW(arena, Expr), err);
    *copy = *e;
    if (e->nargs > 0) {
        Expr **args;
        TRY_ALLOC(args, ARENA_ARRAY(arena, Expr *, e->nargs), err);
        for (uint32_t i = 0; i < e->nargs; i++) {
            TRY(expr_rewrite(arena, e->args[i], replace, context, &args[i], err));
        }
        copy->args = args;
    }
    if (e->kind == EXPR_AGGREGATE && e->as.agg.filter != NULL) {
        TRY(expr_rewrite(arena, e->as.agg.filter, replace, context, &copy->as.agg.filter, err));
    }
    expr_derive(copy);
    *out = copy;
    return TRIB_OK;
}
