/*
 * eval_raise.c - the message of a data error.
 *
 * The failing row is evaluated once more, from the root down to the node whose own kernel raised, and
 * the message shows that node with the values of its arguments. The walk follows the way evaluation
 * took: through the branch that was chosen, up to the argument that decided. Volatile functions may
 * give other values the second time; then the code alone is reported.
 */
#include "engine/expr/eval.h"

#define TEXT_MAX 900

typedef struct Walk {
    EvalContext *ctx;
    uint16_t row;
    uint32_t line, column; /* of the innermost node that knows */
} Walk;

/* What a node gives for the row. */
typedef struct Cell {
    uint8_t error;
    bool is_null, is_true;
} Cell;

static Status cell_eval(Walk *w, EvalNode *node, Cell *cell) {
    EvalResult result;
    TRY(eval(w->ctx, node, &w->row, 1, &result));
    cell->error = result.errors != NULL ? result.errors[w->row] : 0;
    cell->is_null = cell->error != 0 || vector_is_null(&result.vector, w->row);
    cell->is_true = !cell->is_null && result.vector.physical == PHYS_BOOL &&
                    *(const uint8_t *)vector_at(&result.vector, w->row) != 0;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- finding the node */

/* The child through which the error came, NULL if the node raised by itself. */
static Status walk_case(Walk *w, EvalNode *node, EvalNode **next) {
    Cell cell;
    for (uint32_t i = 0; i + 1 < node->nargs; i += 2) {
        TRY(cell_eval(w, node->args[i], &cell));
        if (cell.error == 0 && !cell.is_true) continue;
        *next = node->args[cell.error != 0 ? i : i + 1];
        return TRIB_OK;
    }
    *next = node->args[node->nargs - 1];
    return TRIB_OK;
}

static Status walk_chain(Walk *w, EvalNode *node, EvalNode **next) {
    Cell cell;
    for (uint32_t i = 0; i < node->nargs; i++) {
        if (!node->args[i]->expr->may_raise) continue;
        TRY(cell_eval(w, node->args[i], &cell));
        if (cell.error == 0) continue;
        *next = node->args[i];
        return TRIB_OK;
    }
    return TRIB_OK;
}

static Status walk_arguments(Walk *w, EvalNode *node, EvalNode **next) {
    Cell cell;
    bool coalesce = node->expr->kind == EXPR_COALESCE;
    for (uint32_t i = 0; i < node->nargs; i++) {
        if (node->args[i]->expr->kind == EXPR_LAMBDA) continue;
        TRY(cell_eval(w, node->args[i], &cell));
        if (cell.error != 0) {
            *next = node->args[i];
            return TRIB_OK;
        }
        if (coalesce && !cell.is_null) return TRIB_OK;
    }
    return TRIB_OK;
}

static Status walk_down(Walk *w, EvalNode **node) {
    for (;;) {
        EvalNode *next = NULL;
        if ((*node)->expr->line != 0) {
            w->line = (*node)->expr->line;
            w->column = (*node)->expr->column;
        }
        switch ((ExprKind)(*node)->expr->kind) {
        case EXPR_CASE: TRY(walk_case(w, *node, &next)); break;
        case EXPR_AND:
        case EXPR_OR: TRY(walk_chain(w, *node, &next)); break;
        default: TRY(walk_arguments(w, *node, &next));
        }
        if (next == NULL) return TRIB_OK;
        *node = next;
    }
}

/* ---------------------------------------------------------------- the text */

static const char *const code_meanings[ERR_COUNT] = {
#define ERR(symbol, status, sqlstate, meaning) [ERR_##symbol] = meaning,
#include "engine/base/sqlstates.def"
#undef ERR
};

static const char *code_meaning(ErrorCode code) {
    return code < ERR_COUNT ? code_meanings[code] : "error";
}

/* A captured column in the text of a lambda: its value. */
static const char *captured_text(void *context, ColumnId ordinal) {
    Walk *w = context;
    Value value;
    Buf text;
    buf_init(&text, w->ctx->arena, TEXT_MAX);
    if (ordinal >= w->ctx->ncolumns || vector_value(w->ctx->arena, &w->ctx->columns[ordinal],
                                                    w->row, &value, w->ctx->err) != TRIB_OK) {
        return "?";
    }
    value_print(&text, &value);
    return text.data != NULL ? text.data : "?";
}

static Status argument_print(Walk *w, EvalNode *arg, Buf *out) {
    EvalResult result;
    Value value;
    if (arg->expr->kind == EXPR_LAMBDA) {
        expr_print(out, arg->expr, captured_text, w);
        return TRIB_OK;
    }
    TRY(eval(w->ctx, arg, &w->row, 1, &result));
    TRY(vector_value(w->ctx->arena, &result.vector, w->row, &value, w->ctx->err));
    value_print(out, &value);
    return TRIB_OK;
}

/* "5 / 0", "-5", "chr(-1)" with the values of the row. */
static Status call_print(Walk *w, EvalNode *node, Buf *out) {
    const Function *f = node->expr->as.function;
    const char *symbol = function_symbol((TribFunctionId)f->id);
    if (symbol != NULL && node->nargs <= 2) {
        if (node->nargs == 1) buf_text(out, symbol);
        TRY(argument_print(w, node->args[0], out));
        if (node->nargs == 1) return TRIB_OK;
        buf_printf(out, " %s ", symbol);
        return argument_print(w, node->args[1], out);
    }
    if (f->id == TRIB_FN_subscript) {
        TRY(argument_print(w, node->args[0], out));
        buf_char(out, '[');
        TRY(argument_print(w, node->args[1], out));
        buf_char(out, ']');
        return TRIB_OK;
    }
    buf_printf(out, "%s(", f->name);
    for (uint32_t i = 0; i < node->nargs; i++) {
        if (i > 0) buf_text(out, ", ");
        TRY(argument_print(w, node->args[i], out));
    }
    buf_char(out, ')');
    return TRIB_OK;
}

/* The kernel says what is wrong, where it can. An error in the body of a lambda is raised from there. */
static Status call_explain(Walk *w, EvalNode *node, ErrorCode code, Buf *out) {
    Cell cell;
    w->ctx->explained = node;
    w->ctx->explain = out;
    w->ctx->explained_error = KERNEL_ERROR(code);
    Status status = cell_eval(w, node, &cell);
    w->ctx->explained = NULL;
    w->ctx->explain = NULL;
    return status;
}

static Status message_print(Walk *w, EvalNode *node, ErrorCode code, Buf *out) {
    const Expr *e = node->expr;
    if (e->kind == EXPR_CALL) TRY(call_explain(w, node, code, out));
    if (e->kind == EXPR_CAST) {
        buf_text(out, "cannot cast ");
        TRY(argument_print(w, node->args[0], out));
        buf_text(out, " to ");
        type_print(out, e->type);
        if (code == ERR_OUT_OF_RANGE) buf_text(out, ": out of range");
        return TRIB_OK;
    }
    if (e->kind != EXPR_CALL) {
        buf_text(out, code_meaning(code));
        return TRIB_OK;
    }
    if (e->as.function == &function_single_row) {
        buf_text(out, "a scalar sub-query returned more than one row");
        return TRIB_OK;
    }
    if (out->len > 0) {
        /* said by the kernel */
    } else if (code == ERR_OUT_OF_RANGE) {
        buf_text(out, "value out of range for ");
        type_print(out, e->type);
    } else if (code == ERR_LIMIT) {
        buf_text(out, "a value is longer than MaxValueSize allows");
    } else {
        buf_text(out, code_meaning(code));
    }
    buf_text(out, ": ");
    return call_print(w, node, out);
}

Status eval_raise(EvalContext *ctx, EvalNode *node, uint32_t row, uint8_t error) {
    Walk w = {.ctx = ctx, .row = (uint16_t)row};
    ErrorCode code = (ErrorCode)(error - 1);
    Cell cell = {0};
    Buf text;
    buf_init(&text, ctx->arena, TEXT_MAX);
    TRY(cell_eval(&w, node, &cell));
    if (cell.error == error) {
        TRY(walk_down(&w, &node));
        TRY(message_print(&w, node, code, &text));
    } else {
        buf_text(&text, code_meaning(code));
    }
    ctx->err->row = row;
    Status status;
    if (w.line != 0) {
        status = error_set_at(ctx->err, code, w.line, w.column, "%s",
                              text.data != NULL ? text.data : "");
    } else {
        status = error_set(ctx->err, code, "%s", text.data != NULL ? text.data : "");
    }
    ctx->err->row = row;
    return status;
}
