/*
 * window.c - calls with OVER: their windows by name and inheritance, their arguments, their frames.
 *
 * A call becomes an EXPR_WINDOW whose args are everything that is computed per row: the call's arguments,
 * FILTER's condition, the keys of PARTITION BY and ORDER BY, the offsets of the frame. So all that walks
 * expressions (grouping, sub-queries, folding) needs to know nothing of windows. A RANGE offset becomes
 * a comparison: the sort key minus (or plus) the offset is computed for each row, and the frame reaches to
 * the rows whose own key is not beyond it. window_plan.c puts the calls into the plan.
 *
 * Rules and their wording follow Trino's analyser (StatementAnalyzer, "window frame").
 */
#include "engine/bind/select.h"

/* A window after inheritance: parts of the syntax tree. */
typedef struct NamedWindow {
    uint32_t npartition;
    AstExpr *const *partition;
    uint32_t norder;
    const AstOrderItem *order;
    const AstWindow *frame; /* where the frame stands; NULL = the default one */
} NamedWindow;

/* What a call is bound into. */
typedef struct WindowBinder {
    Binder *binder;
    ExprScope inside;
    const AstExpr *ast;
    NamedWindow window;
    WindowCall *call;
    uint32_t nargs;
    Expr **args; /* room for all */
} WindowBinder;

static Status refuse(Binder *binder, AstPosition at, const char *what) {
    return error_set_at(binder->err, ERR_SYNTAX, at.line, at.column, "%s", what);
}

/* ---------------------------------------------------------------- names and inheritance */

static Status find_window(Binder *binder, const WindowNames *names, const AstName *name,
                          NamedWindow *out) {
    const NamedWindow *found = names && names->count ? map_get(&names->index, name->text) : NULL;
    if (!found) {
        return error_set_at(binder->err, ERR_SYNTAX, name->at.line, name->at.column,
                            "there is no window '" STR_FORMAT "'", STR_ARGS(name->text));
    }
    *out = *found;
    return TRIB_OK;
}

/* Where something in the window is to be blamed. */
static AstPosition window_position(const AstWindow *w, AstPosition otherwise) {
    if (w->base.text.len) return w->base.at;
    if (w->npartition) return w->partition[0]->at;
    return w->norder ? w->order[0].at : otherwise;
}

/* A window specification over the windows named before it. */
static Status resolve_window(Binder *binder, const WindowNames *names, const AstWindow *w,
                             AstPosition at, NamedWindow *out) {
    NamedWindow base = {0};
    if (w->base.text.len) {
        TRY(find_window(binder, names, &w->base, &base));
        at = window_position(w, at);
        if (w->npartition)
            return refuse(binder, at, "a window that builds on another one has no PARTITION BY");
        if (w->norder && base.norder)
            return refuse(binder, at, "the window that this one builds on has an ORDER BY already");
        if (base.frame) return refuse(binder, at, "a window with a frame cannot be built upon");
    }
    *out = base;
    if (w->npartition) {
        out->npartition = w->npartition;
        out->partition = w->partition;
    }
    if (w->norder) {
        out->norder = w->norder;
        out->order = w->order;
    }
    if (w->frame != AST_FRAME_NONE) out->frame = w;
    return TRIB_OK;
}

Status select_name_windows(SelectBinder *self) {
    Binder *binder = self->binder;
    const AstSelect *select = self->select;
    WindowNames *names = &self->windows;
    map_init(&names->index, binder->arena, true);
    TRY_ALLOC(names->windows, ARENA_ARRAY(binder->arena, NamedWindow, select->nwindows),
              binder->err);
    for (uint32_t i = 0; i < select->nwindows; i++) {
        const AstWindow *w = &select->windows[i];
        if (map_get(&names->index, w->name.text)) {
            return error_set_at(binder->err, ERR_SYNTAX, w->name.at.line, w->name.at.column,
                                "there are two windows '" STR_FORMAT "'", STR_ARGS(w->name.text));
        }
        TRY(resolve_window(binder, names, w, w->name.at, &names->windows[i]));
        if (!map_put(&names->index, w->name.text, &names->windows[i]))
            return error_out_of_memory(binder->err);
        names->count++;
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- arguments */

static uint32_t add_arg(WindowBinder *self, Expr *e) {
    self->args[self->nargs] = e;
    return self->nargs++;
}

static Status bind_keys(WindowBinder *self) {
    Binder *binder = self->binder;
    WindowCall *call = self->call;
    Expr *e;
    call->partition = self->nargs;
    call->npartition = self->window.npartition;
    for (uint32_t i = 0; i < call->npartition; i++) {
        const AstExpr *ast = self->window.partition[i];
        TRY(bind_expr(binder, &self->inside, ast, &e));
        TRY(bind_settle(binder, e, &e));
        if (!type_comparable(e->type)) {
            return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                                "PARTITION BY: values of type %s cannot be compared",
                                type_id_name((TypeId)e->type.id));
        }
        add_arg(self, e);
    }
    call->order = self->nargs;
    call->norder = self->window.norder;
    WindowOrder *directions;
    TRY_ALLOC(directions, ARENA_ARRAY(binder->arena, WindowOrder, call->norder), binder->err);
    for (uint32_t i = 0; i < call->norder; i++) {
        const AstOrderItem *item = &self->window.order[i];
        TRY(bind_expr(binder, &self->inside, item->expr, &e));
        TRY(bind_settle(binder, e, &e));
        if (!type_orderable(e->type)) {
            return error_set_at(binder->err, ERR_SYNTAX, item->at.line, item->at.column,
                                "values of type %s cannot be ordered",
                                type_id_name((TypeId)e->type.id));
        }
        add_arg(self, e);
        directions[i] = (WindowOrder){item->descending, item->nulls == AST_NULLS_FIRST};
    }
    call->directions = directions;
    return TRIB_OK;
}

/* The call's own arguments, coerced to what the overload wants. */
static Status bind_arguments(WindowBinder *self, Str name, Type *result) {
    Binder *binder = self->binder;
    const AstExpr *ast = self->ast;
    bool star = ast->nargs == 1 && ast->args[0]->kind == AST_STAR && ast->args[0]->name.count == 0;
    uint32_t nargs = star ? 0 : ast->nargs;
    Type *types, *wanted;
    TRY_ALLOC(types, ARENA_ARRAY(binder->arena, Type, nargs), binder->err);
    for (uint32_t i = 0; i < nargs; i++) {
        TRY(bind_expr(binder, &self->inside, ast->args[i], &self->args[i]));
        types[i] = self->args[i]->type;
    }
    ResolvedAggregate a = {0};
    ResolvedWindowFunction f = {0};
    Status status =
        window_function_exists(name)
            ? window_function_resolve(binder->arena, name, nargs, types, &f, binder->err)
            : bind_resolve_aggregate(binder, name, nargs, self->args, &a);
    if (status != TRIB_OK) {
        if (binder->err->line == 0) {
            binder->err->line = ast->at.line;
            binder->err->column = ast->at.column;
        }
        return status;
    }
    self->call->function = f.function;
    self->call->aggregate = a.aggregate;
    self->call->ncall = self->nargs = nargs;
    wanted = f.function ? f.args : a.args;
    *result = f.function ? f.result : a.result;
    for (uint32_t i = 0; i < nargs; i++) {
        TRY(bind_coerce(binder, self->args[i], wanted[i], &self->args[i]));
        TRY(bind_settle(binder, self->args[i], &self->args[i]));
    }
    if (result->id == TRIB_TYPE_UNKNOWN && nargs) *result = self->args[0]->type;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- frames */

static const char *const unit_names[] = {"ROWS", "RANGE", "GROUPS"};

static Status frame_refuse(WindowBinder *self, AstPosition at, const char *unit, const char *why) {
    return error_set_at(self->binder->err, ERR_SYNTAX, at.line, at.column, "%s %s", unit, why);
}

/* The kinds of bounds that do not make a frame. */
static Status check_bounds(WindowBinder *self, const AstWindow *w, AstPosition at) {
    AstBoundKind start = w->start, end = w->end;
    Binder *b = self->binder;
    if (start == AST_BOUND_UNBOUNDED_FOLLOWING)
        return refuse(b, at, "a frame cannot start at UNBOUNDED FOLLOWING");
    if (end == AST_BOUND_UNBOUNDED_PRECEDING)
        return refuse(b, at, "a frame cannot end at UNBOUNDED PRECEDING");
    if (start == AST_BOUND_CURRENT && end == AST_BOUND_PRECEDING)
        return refuse(b, at, "a frame that starts at CURRENT ROW cannot end PRECEDING it");
    if (start == AST_BOUND_FOLLOWING && end == AST_BOUND_PRECEDING)
        return refuse(b, at, "a frame that starts FOLLOWING a row cannot end PRECEDING it");
    if (start == AST_BOUND_FOLLOWING && end == AST_BOUND_CURRENT)
        return refuse(b, at, "a frame that starts FOLLOWING a row cannot end at CURRENT ROW");
    return TRIB_OK;
}

/* ROWS and GROUPS: a whole number. */
static Status bind_count_offset(WindowBinder *self, const AstExpr *ast, FrameBound *bound) {
    Binder *binder = self->binder;
    Expr *e;
    TRY(bind_expr(binder, &self->inside, ast, &e));
    bool whole = type_is_integer(e->type) || e->type.id == TRIB_TYPE_UNKNOWN ||
                 (e->type.id == TRIB_TYPE_DECIMAL && e->type.scale == 0);
    if (!whole) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "the offset of %s must be a whole number, not of type %s",
                            unit_names[self->call->unit], type_id_name((TypeId)e->type.id));
    }
    TRY(bind_coerce(binder, e, TYPE(BIGINT), &e));
    if (!type_equal(e->type, TYPE(BIGINT)))
        TRY_ALLOC(e, expr_cast(binder->arena, e, TYPE(BIGINT), false), binder->err);
    bound->offset = add_arg(self, e);
    return TRIB_OK;
}

/* RANGE: the sort key moved by the offset, and the key itself in the type of the two. */
static Status bind_range_offset(WindowBinder *self, const AstExpr *ast, FrameBound *bound) {
    Binder *binder = self->binder;
    Expr *key = self->args[self->call->order], *offset, *pair[2];
    TRY(bind_expr(binder, &self->inside, ast, &offset));
    if (!type_is_numeric(key->type) && !type_is_datetime(key->type)) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "RANGE with an offset needs a number or a date or time to sort by, not "
                            "a value of type %s",
                            type_id_name((TypeId)key->type.id));
    }
    if (offset->type.id == TRIB_TYPE_UNKNOWN && type_is_numeric(key->type))
        TRY(bind_coerce(binder, offset, key->type, &offset));
    TRY(bind_settle(binder, offset, &offset));
    bool less = (bound->kind == BOUND_PRECEDING) != self->call->directions[0].descending;
    Expr *operands[2] = {key, offset}, *limit;
    TRY(bind_call_id(binder, ast, less ? TRIB_FN_subtract : TRIB_FN_add, 2, operands, &limit));
    Type type;
    pair[0] = key;
    pair[1] = limit;
    TRY(bind_unify(binder, ast, "RANGE", 2, pair, &type));
    bound->offset = add_arg(self, operands[1]);
    bound->key = add_arg(self, pair[0]);
    bound->limit = add_arg(self, pair[1]);
    return TRIB_OK;
}

static Status bind_bound(WindowBinder *self, AstBoundKind kind, const AstExpr *value,
                         FrameBound *bound) {
    static const uint8_t kinds[] = {
        [AST_BOUND_UNBOUNDED_PRECEDING] = BOUND_UNBOUNDED_PRECEDING,
        [AST_BOUND_PRECEDING] = BOUND_PRECEDING,
        [AST_BOUND_CURRENT] = BOUND_CURRENT,
        [AST_BOUND_FOLLOWING] = BOUND_FOLLOWING,
        [AST_BOUND_UNBOUNDED_FOLLOWING] = BOUND_UNBOUNDED_FOLLOWING,
    };
    *bound = (FrameBound){kinds[kind], NO_ARG, NO_ARG, NO_ARG};
    if (!value) return TRIB_OK;
    uint32_t norder = self->call->norder;
    if (self->call->unit == FRAME_RANGE && norder != 1) {
        return frame_refuse(self, value->at, "RANGE with an offset needs",
                            norder ? "ORDER BY of one expression only" : "ORDER BY");
    }
    return self->call->unit == FRAME_RANGE ? bind_range_offset(self, value, bound)
                                           : bind_count_offset(self, value, bound);
}

static Status bind_frame(WindowBinder *self) {
    const AstWindow *w = self->window.frame;
    WindowCall *call = self->call;
    AstPosition at = self->ast->at;
    static const uint8_t units[] = {[AST_FRAME_NONE] = FRAME_RANGE,
                                    [AST_FRAME_ROWS] = FRAME_ROWS,
                                    [AST_FRAME_RANGE] = FRAME_RANGE,
                                    [AST_FRAME_GROUPS] = FRAME_GROUPS};
    call->unit = w ? units[w->frame] : FRAME_RANGE;
    if (!w) {
        TRY(bind_bound(self, AST_BOUND_UNBOUNDED_PRECEDING, NULL, &call->start));
        return bind_bound(self, AST_BOUND_CURRENT, NULL, &call->end);
    }
    TRY(check_bounds(self, w, at));
    if (call->unit == FRAME_GROUPS && call->norder == 0)
        return frame_refuse(self, at, "GROUPS needs", "ORDER BY");
    TRY(bind_bound(self, w->start, w->start_value, &call->start));
    return bind_bound(self, w->end, w->end_value, &call->end);
}

/* ---------------------------------------------------------------- calls */

/* Is OVER allowed at this place at all? */
static Status check_place(Binder *binder, const ExprScope *scope, const AstExpr *ast, Str name) {
    const char *where = scope->inside_window      ? "another window function"
                        : scope->inside_aggregate ? "an aggregate"
                        : !scope->windows         ? scope->clause
                                                  : NULL;
    if (!where) return TRIB_OK;
    error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                 "the window function " STR_FORMAT "() cannot stand in %s", STR_ARGS(name), where);
    return error_hint(binder->err, "Compute it in a derived table.");
}

/* The clauses of a call that windows do not take. */
static Status check_clauses(Binder *binder, const AstExpr *ast, Str name) {
    bool window = window_function_exists(name);
    if (!window && !aggregate_exists(name) && function_exists(name)) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            STR_FORMAT "() is neither a window function nor an aggregate",
                            STR_ARGS(name));
    }
    if (ast->distinct) return bind_unsupported(binder, ast->at, "DISTINCT in a window function");
    if (ast->norder) return bind_unsupported(binder, ast->at, "ORDER BY in a window function");
    if (ast->filter && window) return refuse(binder, ast->at, "FILTER belongs to aggregates only");
    return TRIB_OK;
}

static Status check_function(WindowBinder *self, Str name) {
    Binder *binder = self->binder;
    const WindowFunction *f = self->call->function;
    AstPosition at = self->ast->at;
    if (self->ast->null_treatment != AST_RESPECT_DEFAULT && !(f && f->treats_nulls)) {
        return error_set_at(binder->err, ERR_SYNTAX, at.line, at.column,
                            STR_FORMAT "() does not take IGNORE NULLS or RESPECT NULLS",
                            STR_ARGS(name));
    }
    if (!f || !f->needs_order) return TRIB_OK;
    if (self->window.norder == 0) {
        return error_set_at(binder->err, ERR_SYNTAX, at.line, at.column,
                            STR_FORMAT "() needs ORDER BY in its window", STR_ARGS(name));
    }
    if (self->window.frame) {
        return error_set_at(binder->err, ERR_SYNTAX, at.line, at.column,
                            STR_FORMAT "() does not take a frame", STR_ARGS(name));
    }
    return TRIB_OK;
}

Status bind_window(Binder *binder, const ExprScope *scope, const AstExpr *ast, Str name,
                   Expr **out) {
    TRY(check_place(binder, scope, ast, name));
    TRY(check_clauses(binder, ast, name));
    WindowBinder self = {.binder = binder, .inside = *scope, .ast = ast};
    self.inside.inside_window = true;
    if (ast->window->name.text.len)
        TRY(find_window(binder, scope->windows, &ast->window->name, &self.window));
    else
        TRY(resolve_window(binder, scope->windows, ast->window, ast->at, &self.window));
    TRY_ALLOC(self.call, ARENA_NEW(binder->arena, WindowCall), binder->err);
    uint32_t room = ast->nargs + 1 + self.window.npartition + self.window.norder + 6;
    TRY_ALLOC(self.args, ARENA_ARRAY(binder->arena, Expr *, room), binder->err);
    Type result;
    TRY(bind_arguments(&self, name, &result));
    TRY(check_function(&self, name));
    self.call->ignore_nulls = ast->null_treatment == AST_IGNORE_NULLS;
    self.call->filter = NO_ARG;
    if (ast->filter) {
        Expr *condition;
        ExprScope filter = self.inside;
        filter.clause = "FILTER";
        TRY(bind_condition(binder, &filter, ast->filter, &condition));
        self.call->filter = add_arg(&self, condition);
    }
    TRY(bind_keys(&self));
    TRY(bind_frame(&self));
    TRY_ALLOC(*out, expr_new(binder->arena, EXPR_WINDOW, result, self.nargs, self.args),
              binder->err);
    (*out)->as.window = self.call;
    (*out)->line = ast->at.line;
    (*out)->column = ast->at.column;
    return TRIB_OK;
}
