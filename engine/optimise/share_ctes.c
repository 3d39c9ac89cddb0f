/*
 * share_ctes.c - a common table expression that is used several times is computed once.
 *
 * The binder binds a WITH query anew at each use and marks the uses (CTE). One that is used at least twice,
 * does work that is worth saving (joins, grouping, windows, set operations, recursion) and gives the same
 * rows each time (nothing volatile, no sample) becomes a plan of its own in plan->shared; its uses become
 * SHARED leaves. It is computed once into a buffer that spills, which all its uses read. All other uses are
 * inlined (inline_ctes), as Trino does with all of them: filters and columns then differ by use, and random()
 * differs too. The outermost expressions are decided first: what only a shared one uses is used once.
 */
#include "engine/optimise/rule.h"

typedef struct Use {
    const void *cte;
    uint32_t count;
    const LogicalNode *first;
} Use;

typedef struct Uses {
    uint32_t count, capacity;
    Use *items;
} Uses;

static Status uses_add(RuleContext *context, Uses *self, const LogicalNode *node) {
    for (uint32_t i = 0; i < self->count; i++) {
        if (self->items[i].cte != node->cte) continue;
        self->items[i].count++;
        return TRIB_OK;
    }
    if (self->count == self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : 8;
        Use *items;
        TRY_ALLOC(items, ARENA_ARRAY(context->arena, Use, capacity), context->err);
        if (self->count) memcpy(items, self->items, self->count * sizeof *items);
        self->items = items;
        self->capacity = capacity;
    }
    self->items[self->count++] = (Use){node->cte, 1, node};
    return TRIB_OK;
}

/* In preorder: an expression comes before those that only it uses. */
static Status uses_collect(RuleContext *context, Uses *self, const LogicalNode *node) {
    if (node->kind == LOGICAL_CTE) TRY(uses_add(context, self, node));
    for (uint32_t i = 0; i < node->nchildren; i++)
        TRY(uses_collect(context, self, node->children[i]));
    return TRIB_OK;
}

/* ---------------------------------------------------------------- is it worth sharing? */

static Status note_volatile(RuleContext *context, void *state, Expr *e, Expr **out) {
    bool *any = state;
    *any |= e->is_volatile;
    *out = e;
    return TRIB_OK;
}

static bool is_work(LogicalKind kind) {
    return kind == LOGICAL_JOIN || kind == LOGICAL_AGGREGATE || kind == LOGICAL_WINDOW ||
           kind == LOGICAL_SETOP || kind == LOGICAL_RECURSIVE || kind == LOGICAL_SORT;
}

typedef struct Inside {
    const struct Inside *outer;
    uint32_t recursion;
} Inside;

typedef struct Verdict {
    bool work;   /* something costly is in it */
    bool varies; /* two runs may give other rows, or it belongs to one place */
} Verdict;

/* The rows of the step before: of a recursive query that is inside too, or of one around it? */
static bool is_bound_to_step(const LogicalNode *node, const Inside *inside) {
    if (node->kind != LOGICAL_WORKING) return false;
    while (inside && inside->recursion != node->recursion) inside = inside->outer;
    return !inside;
}

static Status examine(RuleContext *context, LogicalNode *node, const Inside *inside,
                      Verdict *verdict) {
    LogicalNode *same;
    Inside here = {inside, node->recursion};
    if (node->kind == LOGICAL_RECURSIVE) inside = &here;
    TRY(rule_map_exprs(context, node, note_volatile, &verdict->varies, &same));
    verdict->work |= is_work(node->kind);
    verdict->varies |= node->kind == LOGICAL_SAMPLE || is_bound_to_step(node, inside);
    for (uint32_t i = 0; i < node->nchildren && !verdict->varies; i++)
        TRY(examine(context, node->children[i], inside, verdict));
    return TRIB_OK;
}

static Status worth_sharing(RuleContext *context, const Use *use, bool *out) {
    Verdict verdict = {false, false};
    *out = false;
    if (use->count < 2) return TRIB_OK;
    TRY(examine(context, use->first->children[0], NULL, &verdict));
    *out = verdict.work && !verdict.varies;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- sharing */

typedef struct Sharing {
    RuleContext *context;
    const void *cte;
    SharedPlan *plan;
} Sharing;

static Status leaf_new(Sharing *self, const LogicalNode *use, LogicalNode **out) {
    RuleContext *context = self->context;
    LogicalNode *leaf;
    uint32_t n = use->noutput;
    TRY_ALLOC(leaf, logical_new(context->arena, LOGICAL_SHARED, n, 0), context->err);
    TRY_ALLOC(leaf->table_columns, ARENA_ARRAY(context->arena, uint32_t, n), context->err);
    leaf->shared = self->plan;
    for (uint32_t i = 0; i < n; i++) {
        leaf->output[i] = use->output[i];
        leaf->table_columns[i] = i;
    }
    *out = leaf;
    return TRIB_OK;
}

static Status replace_uses(Sharing *self, LogicalNode *node, LogicalNode **out) {
    if (node->kind == LOGICAL_CTE && node->cte == self->cte) return leaf_new(self, node, out);
    *out = node;
    for (uint32_t i = 0; i < node->nchildren; i++) {
        LogicalNode *child;
        TRY(replace_uses(self, node->children[i], &child));
        if (child == node->children[i]) continue;
        if (*out == node)
            TRY_ALLOC(*out, logical_copy(self->context->arena, node), self->context->err);
        (*out)->children[i] = child;
    }
    return TRIB_OK;
}

/* The first use's query becomes the shared plan. */
static Status share(RuleContext *context, const Use *use, LogicalNode *in, LogicalNode **out) {
    SharedPlan *shared;
    const LogicalNode *first = use->first;
    TRY_ALLOC(shared, ARENA_NEW(context->arena, SharedPlan), context->err);
    shared->ncolumns = first->noutput;
    shared->ids = first->output;
    TRY(rule_project_columns(context, first->children[0], first->noutput, first->output,
                             &shared->root));
    Sharing sharing = {context, use->cte, shared};
    for (uint32_t i = 0; i < context->plan->nshared; i++)
        TRY(replace_uses(&sharing, context->plan->shared[i]->root,
                         &context->plan->shared[i]->root));
    TRY(replace_uses(&sharing, in, out));
    return rule_add_shared(context, shared);
}

/* Shares one expression; *any false: there is none. */
static Status share_one(RuleContext *context, LogicalNode *in, LogicalNode **out, bool *any) {
    Uses uses = {0};
    *any = false;
    *out = in;
    TRY(uses_collect(context, &uses, in));
    for (uint32_t i = 0; i < context->plan->nshared; i++)
        TRY(uses_collect(context, &uses, context->plan->shared[i]->root));
    for (uint32_t i = 0; i < uses.count && !*any; i++) {
        TRY(worth_sharing(context, &uses.items[i], any));
        if (*any) TRY(share(context, &uses.items[i], in, out));
    }
    return TRIB_OK;
}

Status rule_share_ctes(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    bool any = true;
    *out = in;
    if (in != context->plan->root) return TRIB_OK; /* a shared plan: done with the whole */
    while (any) {
        TRY(share_one(context, in, out, &any));
        in = *out;
    }
    return TRIB_OK;
}
