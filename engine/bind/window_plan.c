/*
 * window_plan.c - window functions of one SELECT as nodes of the plan.
 *
 * After grouping, the calls in the select list and in ORDER BY are replaced by columns. What they compute
 * first (arguments, keys, offsets) goes into a projection below; calls over the same partitions whose
 * orders are one the beginning of the other share a WINDOW node, and so one sort.
 */
#include "engine/bind/select.h"

/* Calls that one sort serves: the same partition keys in any order, the longest order. */
typedef struct WindowSpec {
    const Expr *longest; /* the call whose order is taken */
    uint32_t ncalls, capacity;
    Expr **calls;
    ColumnId *ids;
} WindowSpec;

typedef struct WindowPlan {
    SelectBinder *select;
    uint32_t nspecs, capacity;
    WindowSpec *specs;
    uint32_t ncomputed, computed_capacity;
    Expr **computed; /* below the windows */
    ColumnId *computed_ids;
    Status status; /* of rewriting */
} WindowPlan;

/* Doubles an array in the arena. */
static Status grow(Binder *binder, void **items, uint32_t count, uint32_t capacity, size_t size) {
    void *larger;
    TRY_ALLOC(larger, arena_array(binder->arena, capacity, size), binder->err);
    if (count) memcpy(larger, *items, count * size);
    *items = larger;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- which calls share a sort */

static bool partitions_equal(const Expr *a, const Expr *b) {
    const WindowCall *x = a->as.window, *y = b->as.window;
    if (x->npartition != y->npartition) return false;
    for (uint32_t i = 0; i < x->npartition; i++) {
        bool found = false;
        for (uint32_t j = 0; j < y->npartition && !found; j++)
            found = expr_equal(a->args[x->partition + i], b->args[y->partition + j]);
        if (!found) return false;
    }
    return true;
}

/* Is one order the beginning of the other? */
static bool orders_agree(const Expr *a, const Expr *b) {
    const WindowCall *x = a->as.window, *y = b->as.window;
    uint32_t shorter = x->norder < y->norder ? x->norder : y->norder;
    for (uint32_t i = 0; i < shorter; i++) {
        if (!expr_equal(a->args[x->order + i], b->args[y->order + i])) return false;
        if (x->directions[i].descending != y->directions[i].descending ||
            x->directions[i].nulls_first != y->directions[i].nulls_first)
            return false;
    }
    return true;
}

static Status spec_of(WindowPlan *self, const Expr *call, WindowSpec **out) {
    for (uint32_t s = 0; s < self->nspecs; s++) {
        WindowSpec *spec = &self->specs[s];
        if (!partitions_equal(spec->longest, call) || !orders_agree(spec->longest, call)) continue;
        if (call->as.window->norder > spec->longest->as.window->norder) spec->longest = call;
        *out = spec;
        return TRIB_OK;
    }
    if (self->nspecs == self->capacity) {
        self->capacity = self->capacity ? self->capacity * 2 : 4;
        TRY(grow(self->select->binder, (void **)&self->specs, self->nspecs, self->capacity,
                 sizeof *self->specs));
    }
    *out = &self->specs[self->nspecs++];
    (*out)->longest = call;
    return TRIB_OK;
}

/* The column of a call; equal calls are computed once. */
static Status call_column(WindowPlan *self, const Expr *e, ColumnId *out) {
    Binder *binder = self->select->binder;
    for (uint32_t s = 0; s < self->nspecs; s++) {
        for (uint32_t i = 0; i < self->specs[s].ncalls; i++) {
            if (!expr_equal(self->specs[s].calls[i], e)) continue;
            *out = self->specs[s].ids[i];
            return TRIB_OK;
        }
    }
    const WindowCall *call = e->as.window;
    const char *name = call->function ? call->function->name : call->aggregate->name;
    TRY(bind_new_column(binder, str_from(name), e->type, bind_nullable(binder, e), out));
    WindowSpec *spec;
    TRY(spec_of(self, e, &spec));
    if (spec->ncalls == spec->capacity) {
        spec->capacity = spec->capacity ? spec->capacity * 2 : 4;
        TRY(grow(binder, (void **)&spec->calls, spec->ncalls, spec->capacity, sizeof(Expr *)));
        TRY(grow(binder, (void **)&spec->ids, spec->ncalls, spec->capacity, sizeof(ColumnId)));
    }
    TRY_ALLOC(spec->calls[spec->ncalls], ARENA_NEW(binder->arena, Expr), binder->err);
    *spec->calls[spec->ncalls] = *e;
    spec->ids[spec->ncalls++] = *out;
    return TRIB_OK;
}

static Expr *replace_call(void *context, const Expr *e) {
    WindowPlan *self = context;
    if (e->kind != EXPR_WINDOW || self->status != TRIB_OK) return NULL;
    ColumnId id;
    Expr *column = NULL;
    self->status = call_column(self, e, &id);
    if (self->status == TRIB_OK) self->status = bind_column(self->select->binder, id, &column);
    return column;
}

/* ---------------------------------------------------------------- what is computed below */

/* May the operator see a constant instead of a column? Counts and the arguments of aggregates. */
static bool may_stay_constant(const WindowCall *call, uint32_t index) {
    if (index == call->start.offset || index == call->end.offset) return true;
    if (index >= call->ncall) return false;
    return !call->function || call->function->id == TRIB_FN_ntile || index == 1;
}

/* The column in place of an expression: messages point to what was written. */
static Status column_at(Binder *binder, ColumnId id, const Expr *e, Expr **out) {
    TRY(bind_column(binder, id, out));
    (*out)->line = e->line;
    (*out)->column = e->column;
    return TRIB_OK;
}

/* A column with the value of the expression, computed below unless it is a column already. */
static Status computed_column(WindowPlan *self, Expr *e, Expr **out) {
    Binder *binder = self->select->binder;
    *out = e;
    if (e->kind == EXPR_COLUMN) return TRIB_OK;
    for (uint32_t i = 0; i < self->ncomputed; i++) {
        if (!expr_equal(self->computed[i], e)) continue;
        return column_at(binder, self->computed_ids[i], e, out);
    }
    if (self->ncomputed == self->computed_capacity) {
        uint32_t capacity = self->computed_capacity ? self->computed_capacity * 2 : 8;
        TRY(grow(binder, (void **)&self->computed, self->ncomputed, capacity, sizeof(Expr *)));
        TRY(grow(binder, (void **)&self->computed_ids, self->ncomputed, capacity,
                 sizeof(ColumnId)));
        self->computed_capacity = capacity;
    }
    ColumnId id;
    TRY(bind_new_column(binder, STR("key"), e->type, bind_nullable(binder, e), &id));
    self->computed[self->ncomputed] = e;
    self->computed_ids[self->ncomputed++] = id;
    return column_at(binder, id, e, out);
}

static Status compute_arguments(WindowPlan *self, Expr *call) {
    Binder *binder = self->select->binder;
    Expr **args;
    TRY_ALLOC(args, ARENA_ARRAY(binder->arena, Expr *, call->nargs), binder->err);
    for (uint32_t i = 0; i < call->nargs; i++) {
        args[i] = call->args[i];
        if (may_stay_constant(call->as.window, i)) {
            TRY(expr_fold(binder->arena, binder->context->session, args[i], &args[i], binder->err));
            if (args[i]->kind == EXPR_CONSTANT || args[i]->kind == EXPR_PARAMETER) continue;
        }
        TRY(computed_column(self, args[i], &args[i]));
    }
    call->args = args;
    expr_derive(call);
    return TRIB_OK;
}

static Status project_arguments(WindowPlan *self) {
    Binder *binder = self->select->binder;
    LogicalNode *child = self->select->node, *node;
    if (self->ncomputed == 0) return TRIB_OK;
    uint32_t n = child->noutput;
    TRY(bind_node(binder, LOGICAL_PROJECT, n + self->ncomputed, child, &node));
    TRY_ALLOC(node->exprs, ARENA_ARRAY(binder->arena, Expr *, node->noutput), binder->err);
    for (uint32_t i = 0; i < n; i++) {
        node->output[i] = child->output[i];
        TRY(bind_column(binder, child->output[i], &node->exprs[i]));
    }
    for (uint32_t i = 0; i < self->ncomputed; i++) {
        node->output[n + i] = self->computed_ids[i];
        node->exprs[n + i] = self->computed[i];
    }
    self->select->node = node;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- nodes */

static Status spec_node(WindowPlan *self, const WindowSpec *spec) {
    Binder *binder = self->select->binder;
    LogicalNode *child = self->select->node, *node;
    const Expr *longest = spec->longest;
    for (uint32_t i = 0; i < spec->ncalls; i++) { /* with its arguments computed */
        if (spec->calls[i]->as.window == longest->as.window) longest = spec->calls[i];
    }
    const WindowCall *call = longest->as.window;
    TRY(bind_node(binder, LOGICAL_WINDOW, child->noutput + spec->ncalls, child, &node));
    if (child->noutput) memcpy(node->output, child->output, child->noutput * sizeof *node->output);
    memcpy(node->output + child->noutput, spec->ids, spec->ncalls * sizeof *spec->ids);
    node->nwindows = spec->ncalls;
    node->windows = spec->calls;
    node->npartition = call->npartition;
    node->nkeys = call->npartition + call->norder;
    TRY_ALLOC(node->keys, ARENA_ARRAY(binder->arena, SortKey, node->nkeys), binder->err);
    for (uint32_t i = 0; i < node->nkeys; i++) {
        bool order = i >= call->npartition;
        const WindowOrder *d = &call->directions[order ? i - call->npartition : 0];
        node->keys[i].expr =
            longest->args[order ? call->order + i - call->npartition : call->partition + i];
        node->keys[i].descending = order && d->descending;
        node->keys[i].nulls_first = order && d->nulls_first;
    }
    self->select->node = node;
    return TRIB_OK;
}

Status select_compute_windows(SelectBinder *self) {
    WindowPlan plan = {.select = self};
    for (uint32_t i = 0; i < self->nitems; i++) {
        if (!expr_has_kind(self->items[i].expr, EXPR_WINDOW)) continue;
        Expr *rewritten;
        Status status = expr_rewrite(self->binder->arena, self->items[i].expr, replace_call, &plan,
                                     &rewritten, self->binder->err);
        TRY(plan.status);
        TRY(status);
        self->items[i].expr = rewritten;
    }
    for (uint32_t s = 0; s < plan.nspecs; s++) {
        for (uint32_t i = 0; i < plan.specs[s].ncalls; i++)
            TRY(compute_arguments(&plan, plan.specs[s].calls[i]));
    }
    TRY(project_arguments(&plan));
    for (uint32_t s = 0; s < plan.nspecs; s++) TRY(spec_node(&plan, &plan.specs[s]));
    return TRIB_OK;
}
