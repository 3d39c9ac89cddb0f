/*
 * share_ctes.c - a common table expression that is used several times is computed once.
 *
 * Uses are CTE nodes: leaves that name an entry of the plan's `ctes`, or marks over a plan of their own
 * (lift_domain.c). What is used at least twice, does work that is worth saving (joins, grouping, windows, set
 * operations, recursion, or just much of anything) and gives the same rows each time (nothing volatile, no
 * sample) becomes a plan of its own in plan->shared; its uses become SHARED leaves. It is computed once into a
 * buffer that spills, which all its uses read. All other uses are inlined (inline_ctes), as Trino does with all
 * of them: filters and columns then differ by use, and random() differs too. The outermost expressions are
 * decided first: what only a shared one uses is used once. Uses in an entry count as often as that is used;
 * nothing is walked more than once, however often chains of queries double.
 */
#include "engine/optimise/rule.h"

#define SIZE_MOST 256 /* operations that are worth saving whatever they are */

typedef struct Use {
    const void *cte;
    SharedPlan *entry; /* of plan->ctes; NULL: marks */
    uint32_t count;
    const LogicalNode *first;
} Use;

typedef struct Uses {
    uint32_t count, capacity;
    Use *items;
    uint32_t *by_entry; /* position + 1 by entry */
} Uses;

static bool is_leaf(const LogicalNode *node) {
    return node->kind == LOGICAL_CTE && node->nchildren == 0;
}

static uint32_t add_counts(uint32_t a, uint32_t b) {
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static Use *uses_find(const Uses *self, const LogicalNode *node) {
    if (is_leaf(node)) {
        uint32_t position = self->by_entry[node->shared->id - 1];
        return position ? &self->items[position - 1] : NULL;
    }
    for (uint32_t i = 0; i < self->count; i++)
        if (self->items[i].cte == node->cte) return &self->items[i];
    return NULL;
}

static Status uses_add(RuleContext *context, Uses *self, const LogicalNode *node, uint32_t times) {
    Use *known = uses_find(self, node);
    if (known) {
        known->count = add_counts(known->count, times);
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
    Use use = {.cte = node->cte, .count = times, .first = node};
    if (is_leaf(node)) use.entry = context->plan->ctes[node->shared->id - 1];
    self->items[self->count++] = use;
    if (is_leaf(node)) self->by_entry[node->shared->id - 1] = self->count;
    return TRIB_OK;
}

/* In preorder: an expression comes before those that only it uses. */
static Status uses_collect(RuleContext *context, Uses *self, const LogicalNode *node,
                           uint32_t times) {
    if (node->kind == LOGICAL_CTE) TRY(uses_add(context, self, node, times));
    for (uint32_t i = 0; i < node->nchildren; i++)
        TRY(uses_collect(context, self, node->children[i], times));
    return TRIB_OK;
}

/* All uses, those in entries as often as the entry is used: an entry is used by later ones only. */
static Status uses_of_plan(RuleContext *context, Uses *self, const LogicalNode *root) {
    const LogicalPlan *plan = context->plan;
    TRY_ALLOC(self->by_entry, ARENA_ARRAY(context->arena, uint32_t, plan->nctes), context->err);
    TRY(uses_collect(context, self, root, 1));
    for (uint32_t i = 0; i < plan->nshared; i++)
        TRY(uses_collect(context, self, plan->shared[i]->root, 1));
    for (uint32_t i = plan->nctes; i-- > 0;) {
        uint32_t position = self->by_entry[i];
        if (position == 0) continue;
        TRY(uses_collect(context, self, plan->ctes[i]->root, self->items[position - 1].count));
    }
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
    bool known;
    bool work;     /* something costly is in it */
    bool varies;   /* two runs may give other rows, or it belongs to one place */
    uint32_t size; /* nodes, with those of the entries that it uses */
} Verdict;

/* The rows of the step before: of a recursive query that is inside too, or of one around it? */
static bool is_bound_to_step(const LogicalNode *node, const Inside *inside) {
    if (node->kind != LOGICAL_WORKING) return false;
    while (inside && inside->recursion != node->recursion) inside = inside->outer;
    return !inside;
}

/* entries: verdicts on plan->ctes, filled in as they are asked for. */
static Status examine(RuleContext *context, LogicalNode *node, const Inside *inside,
                      Verdict *entries, Verdict *verdict) {
    LogicalNode *same;
    Inside here = {inside, node->recursion};
    if (node->kind == LOGICAL_RECURSIVE) inside = &here;
    TRY(rule_map_exprs(context, node, note_volatile, &verdict->varies, &same));
    verdict->work |= is_work(node->kind);
    verdict->varies |= node->kind == LOGICAL_SAMPLE || is_bound_to_step(node, inside);
    verdict->size = add_counts(verdict->size, 1);
    if (is_leaf(node)) {
        Verdict *entry = &entries[node->shared->id - 1];
        if (!entry->known) {
            entry->known = true;
            TRY(examine(context, context->plan->ctes[node->shared->id - 1]->root, NULL, entries,
                        entry));
        }
        verdict->work |= entry->work;
        verdict->varies |= entry->varies;
        verdict->size = add_counts(verdict->size, entry->size);
    }
    for (uint32_t i = 0; i < node->nchildren && !verdict->varies; i++)
        TRY(examine(context, node->children[i], inside, entries, verdict));
    return TRIB_OK;
}

static Status worth_sharing(RuleContext *context, const Use *use, Verdict *entries, bool *out) {
    Verdict verdict = {0};
    *out = false;
    if (use->count < 2) return TRIB_OK;
    LogicalNode *root = use->entry ? use->entry->root : use->first->children[0];
    TRY(examine(context, root, NULL, entries, &verdict));
    *out = (verdict.work || verdict.size > SIZE_MOST) && !verdict.varies;
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
        leaf->table_columns[i] = use->nchildren ? i : use->table_columns[i];
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

/* The query becomes a shared plan: the entry, or that below the first mark. */
static Status share(RuleContext *context, const Use *use, LogicalNode *in, LogicalNode **out) {
    LogicalPlan *plan = context->plan;
    SharedPlan *shared;
    const LogicalNode *first = use->first;
    TRY_ALLOC(shared, ARENA_NEW(context->arena, SharedPlan), context->err);
    shared->ncolumns = use->entry ? use->entry->ncolumns : first->noutput;
    shared->ids = use->entry ? use->entry->ids : first->output;
    TRY(rule_project_columns(context, use->entry ? use->entry->root : first->children[0],
                             shared->ncolumns, shared->ids, &shared->root));
    Sharing sharing = {context, use->cte, shared};
    for (uint32_t i = 0; i < plan->nshared; i++)
        TRY(replace_uses(&sharing, plan->shared[i]->root, &plan->shared[i]->root));
    for (uint32_t i = 0; i < plan->nctes; i++)
        if (plan->ctes[i]) TRY(replace_uses(&sharing, plan->ctes[i]->root, &plan->ctes[i]->root));
    TRY(replace_uses(&sharing, in, out));
    if (use->entry) plan->ctes[use->entry->id - 1] = NULL;
    return rule_add_shared(context, shared);
}

/* Shares one expression; *any false: there is none. */
static Status share_one(RuleContext *context, LogicalNode *in, LogicalNode **out, bool *any) {
    Uses uses = {0};
    Verdict *entries;
    *any = false;
    *out = in;
    TRY_ALLOC(entries, ARENA_ARRAY(context->arena, Verdict, context->plan->nctes), context->err);
    TRY(uses_of_plan(context, &uses, in));
    for (uint32_t i = 0; i < uses.count && !*any; i++) {
        TRY(worth_sharing(context, &uses.items[i], entries, any));
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
