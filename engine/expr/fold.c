/*
 * fold.c - evaluating without rows: constant folding and casts of literals.
 *
 * Both build a small evaluator in an arena of their own and copy the value out.
 */
#include "engine/expr/expr.h"

/* Can the expression be evaluated without a row, a parameter, or chance? */
static bool foldable(const Expr *e) {
    switch ((ExprKind)e->kind) {
    case EXPR_CONSTANT: return true;
    case EXPR_CALL:
    case EXPR_CAST:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_NOT:
    case EXPR_IS_NULL:
    case EXPR_CASE:
    case EXPR_COALESCE:
    case EXPR_NULLIF:
    case EXPR_IN:
    case EXPR_TRY: break;
    default: return false;
    }
    for (uint32_t i = 0; i < e->nargs; i++) {
        if (!foldable(e->args[i])) return false;
    }
    return !e->is_volatile;
}

/* The value of an expression without columns, copied to the arena. */
static Status constant_eval(Arena *arena, Arena *scratch, const EvalSession *session, const Expr *e,
                            Value *out, Error *err) {
    Evaluator *evaluator;
    Batch batch = {.count = 1, .selected = 1, .arena = scratch};
    Vector vector;
    Value value;
    TRY(evaluator_new(scratch, session, 1, &e, &evaluator, err));
    TRY(evaluator_run(evaluator, 0, &batch, &vector, err));
    TRY(vector_value(scratch, &vector, 0, &value, err));
    value.type = e->type;
    return value_copy(arena, &value, out, err);
}

Status expr_fold(Arena *arena, const EvalSession *session, const Expr *e, Expr **out, Error *err) {
    *out = (Expr *)e;
    if (e->kind == EXPR_CONSTANT || !foldable(e)) return TRIB_OK;
    Arena *scratch;
    Value value = {0};
    TRY_ALLOC(scratch, arena_new(NULL), err);
    Status status = constant_eval(arena, scratch, session, e, &value, err);
    arena_free(scratch);
    if (status == TRIB_DATA || status == TRIB_LIMIT) { /* raised where it is evaluated, if at all */
        error_clear(err);
        return TRIB_OK;
    }
    TRY(status);
    Expr *constant;
    TRY_ALLOC(constant, expr_constant(arena, value), err);
    constant->line = e->line;
    constant->column = e->column;
    *out = constant;
    return TRIB_OK;
}

Status value_cast(Arena *arena, const EvalSession *session, const Value *value, Type type,
                  Value *out, Error *err) {
    if (type_equal(value->type, type)) return value_copy(arena, value, out, err);
    if (!type_castable(value->type, type)) {
        Buf from, to;
        buf_init(&from, arena, 4000);
        buf_init(&to, arena, 4000);
        type_print(&from, value->type);
        type_print(&to, type);
        return error_set(err, ERR_TYPE_ATTRIBUTE, "cannot cast %s to %s", buf_view(&from).data,
                         buf_view(&to).data);
    }
    Arena *scratch;
    TRY_ALLOC(scratch, arena_new(NULL), err);
    Expr *cast = expr_cast(scratch, expr_constant(scratch, *value), type, false);
    Status status = cast == NULL ? error_out_of_memory(err)
                                 : constant_eval(arena, scratch, session, cast, out, err);
    arena_free(scratch);
    return status;
}
