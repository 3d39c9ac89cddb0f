/*
 * join_order.c - joins in the order that costs least.
 *
 * Each region of neighbouring joins (join_region.h) is taken apart and put together again: up to
 * EXACT_RELATIONS relations by dynamic programming over all connected sets of them, bushy trees included;
 * more of them greedily, the two that cost least together first. Relations without any condition between
 * them are crossed as late as possible. Estimates: estimate.h.
 * After Moerkotte and Neumann, "Analysis of two existing and one new dynamic programming algorithm for the
 * generation of optimal bushy join trees" (2006), and Fegaras, "A new heuristic for optimizing large
 * queries" (1998).
 */
#include "engine/optimise/join_region.h"

#define EXACT_RELATIONS 12

typedef struct Order {
    RuleContext *context;
    RowMemo memo;
    RegionScratch scratch;
} Order;

/* ---------------------------------------------------------------- all sets */

/* The best way to join a set; cost < 0: there is none. */
typedef struct BestJoin {
    double rows, cost;
    uint32_t left, near;
} BestJoin;

static JoinPart part_of(const BestJoin *best, RelationSet set) {
    return (JoinPart){.set = set, .rows = best[set].rows, .cost = best[set].cost};
}

static void best_of(const JoinRegion *region, BestJoin *best, uint32_t set) {
    uint32_t lowest = set & -set;
    best[set] = (BestJoin){.cost = -1, .near = best[lowest].near | best[set & ~lowest].near};
    for (uint32_t left = (set - 1) & set; left; left = (left - 1) & set) {
        uint32_t right = set & ~left;
        if (!(left & lowest) || best[left].cost < 0 || best[right].cost < 0) continue;
        if (!(best[left].near & right) || !region_joinable(region, left, right)) continue;
        JoinPart a = part_of(best, left), b = part_of(best, right), joined;
        if (best[set].cost < 0) {
            region_estimate(region, &a, &b, &joined);
            best[set].rows = joined.rows; /* one number for the set */
        } else {
            joined.cost = region_cost(region, &a, &b, best[set].rows);
            if (joined.cost >= best[set].cost) continue;
        }
        best[set].cost = joined.cost;
        best[set].left = left;
    }
}

static Status exact_build(JoinRegion *region, const BestJoin *best, uint32_t set, JoinPart *out) {
    *out = part_of(best, set);
    if (!(set & (set - 1))) {
        out->node = region->relations[__builtin_ctz(set)].node;
        return TRIB_OK;
    }
    JoinPart left, right;
    TRY(exact_build(region, best, best[set].left, &left));
    TRY(exact_build(region, best, set & ~best[set].left, &right));
    return region_join(region, &left, &right, out);
}

static Status order_exactly(JoinRegion *region, JoinPart *out) {
    RuleContext *context = region->context;
    uint32_t all = (1u << region->count) - 1;
    BestJoin *best;
    TRY_ALLOC(best, ARENA_ARRAY(context->arena, BestJoin, all + 1), context->err);
    for (uint32_t r = 0; r < region->count; r++)
        best[1u << r] =
            (BestJoin){.rows = region->relations[r].rows, .near = (uint32_t)region->adjacent[r]};
    for (uint32_t set = 1; set <= all; set++) {
        if (set & (set - 1)) best_of(region, best, set);
    }
    if (best[all].cost < 0)
        return error_set(context->err, ERR_GENERAL, "internal error: no order of joins was found");
    return exact_build(region, best, all, out);
}

/* ---------------------------------------------------------------- greedily */

typedef struct Greedy {
    JoinRegion *region;
    uint32_t count;
    JoinPart parts[REGION_RELATIONS];
    double *costs; /* of pairs, at most so many in a row; < 0: cannot be joined */
} Greedy;

static double *pair_cost(Greedy *self, uint32_t a, uint32_t b) {
    return &self->costs[(a < b ? a : b) * REGION_RELATIONS + (a < b ? b : a)];
}

/* What the pair's join itself costs, and the rows that it makes for those to come. */
static void pair_estimate(Greedy *self, uint32_t a, uint32_t b) {
    JoinPart joined, *l = &self->parts[a], *r = &self->parts[b];
    *pair_cost(self, a, b) = -1;
    if (!(region_near(self->region, l->set) & r->set)) return;
    if (!region_joinable(self->region, l->set, r->set)) return;
    region_estimate(self->region, l, r, &joined);
    *pair_cost(self, a, b) = joined.cost - l->cost - r->cost + joined.rows;
}

static Status merge_best(Greedy *self) {
    RuleContext *context = self->region->context;
    uint32_t first = self->count, second = 0;
    for (uint32_t a = 0; a < self->count; a++) {
        for (uint32_t b = a + 1; b < self->count; b++) {
            double cost = *pair_cost(self, a, b);
            if (cost < 0 || (first < self->count && cost >= *pair_cost(self, first, second)))
                continue;
            first = a;
            second = b;
        }
    }
    if (first == self->count)
        return error_set(context->err, ERR_GENERAL, "internal error: no order of joins was found");
    JoinPart joined;
    region_estimate(self->region, &self->parts[first], &self->parts[second], &joined);
    TRY(region_join(self->region, &self->parts[first], &self->parts[second], &joined));
    self->parts[first] = joined;
    uint32_t last = --self->count;
    if (second != last) {
        self->parts[second] = self->parts[last];
        for (uint32_t o = 0; o < last; o++) {
            if (o != second) *pair_cost(self, second, o) = *pair_cost(self, last, o);
        }
    }
    for (uint32_t o = 0; o < last; o++) {
        if (o != first) pair_estimate(self, first, o);
    }
    return TRIB_OK;
}

static Status order_greedily(JoinRegion *region, JoinPart *out) {
    RuleContext *context = region->context;
    Greedy *self;
    TRY_ALLOC(self, ARENA_NEW(context->arena, Greedy), context->err);
    TRY_ALLOC(self->costs, ARENA_ARRAY(context->arena, double, REGION_RELATIONS *REGION_RELATIONS),
              context->err);
    self->region = region;
    self->count = region->count;
    for (uint32_t r = 0; r < region->count; r++)
        self->parts[r] = (JoinPart){.set = UINT64_C(1) << r,
                                    .rows = region->relations[r].rows,
                                    .node = region->relations[r].node};
    for (uint32_t a = 0; a < self->count; a++)
        for (uint32_t b = a + 1; b < self->count; b++) pair_estimate(self, a, b);
    while (self->count > 1) TRY(merge_best(self));
    *out = self->parts[0];
    return TRIB_OK;
}

/* ---------------------------------------------------------------- the plan */

static Status order(void *state, LogicalNode *node, LogicalNode **out);

static Status order_region(Order *self, LogicalNode *node, LogicalNode **out) {
    RuleContext *context = self->context;
    JoinRegion *region;
    JoinPart joined;
    TRY_ALLOC(region, ARENA_NEW(context->arena, JoinRegion), context->err);
    TRY(region_gather(region, context, &self->memo, &self->scratch, node, order, self));
    TRY(region->count <= EXACT_RELATIONS ? order_exactly(region, &joined)
                                         : order_greedily(region, &joined));
    return region_finish(region, &self->scratch, node, joined.node, out);
}

static Status order(void *state, LogicalNode *node, LogicalNode **out) {
    Order *self = state;
    if (region_begins(node)) return order_region(self, node, out);
    *out = node;
    for (uint32_t i = 0; i < node->nchildren; i++) {
        LogicalNode *child;
        TRY(order(self, node->children[i], &child));
        if (child == node->children[i]) continue;
        if (*out == node)
            TRY_ALLOC(*out, logical_copy(self->context->arena, node), self->context->err);
        (*out)->children[i] = child;
    }
    return TRIB_OK;
}

Status rule_join_order(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    Order self = {.context = context};
    uint32_t n = context->columns->count + 1;
    row_memo_init(&self.memo, context->arena, context->columns);
    self.scratch.ncolumns = n;
    TRY_ALLOC(self.scratch.relation_of, ARENA_ARRAY(context->arena, uint32_t, n), context->err);
    TRY_ALLOC(self.scratch.renames, ARENA_ARRAY(context->arena, Expr *, n), context->err);
    return order(&self, in, out);
}
