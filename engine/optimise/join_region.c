/*
 * join_region.c - takes neighbouring joins apart and puts them together in another order.
 *
 * What an estimate costs: see estimate.h for rows. A join is paid for by the rows that are built, those that
 * are looked up (dearer where the table does not fit into the caches) and those that come out; a join
 * without keys by its pairs.
 */
#include "engine/optimise/join_region.h"

#define COST_BUILD  2.0
#define COST_PROBE  1.0
#define COST_OUTPUT 0.5
#define COST_PAIR   0.3
#define CACHE_ROWS  400000.0 /* so many rows more make a lookup dearer by COST_PROBE */
#define CACHE_MOST  2.0

static bool may_move(uint32_t count, Expr *const *conjuncts) {
    for (uint32_t i = 0; i < count; i++) {
        if (conjuncts[i]->may_raise || conjuncts[i]->is_volatile) return false;
    }
    return true;
}

static bool only_columns(const LogicalNode *project) {
    for (uint32_t i = 0; i < project->noutput; i++) {
        if (project->exprs[i]->kind != EXPR_COLUMN) return false;
    }
    return true;
}

bool region_begins(const LogicalNode *node) {
    for (;;) {
        switch (node->kind) {
        case LOGICAL_JOIN:
            return node->join != JOIN_FULL && may_move(node->nconjuncts, node->conjuncts);
        case LOGICAL_FILTER:
            if (!may_move(node->nconjuncts, node->conjuncts)) return false;
            break;
        case LOGICAL_PROJECT:
            if (!only_columns(node)) return false;
            break;
        default: return false;
        }
        node = node->children[0];
    }
}

/* ---------------------------------------------------------------- taking apart */

typedef struct Gathering {
    JoinRegion *region;
    RegionScratch *scratch;
    Status (*map)(void *state, LogicalNode *, LogicalNode **);
    void *state;
    ExprList conditions;
} Gathering;

static bool gives_one_row(const LogicalNode *node) {
    return node->kind == LOGICAL_SINGLE_ROW ||
           (node->kind == LOGICAL_AGGREGATE && node->ngroups == 0) ||
           (node->kind == LOGICAL_VALUES && node->nrows <= 1) ||
           ((node->kind == LOGICAL_PROJECT || node->kind == LOGICAL_FILTER) &&
            gives_one_row(node->children[0]));
}

static Status add_relation(Gathering *self, LogicalNode *node, const LogicalNode *join) {
    JoinRegion *region = self->region;
    Relation *relation = &region->relations[region->count];
    *relation = (Relation){.join = join};
    TRY(self->map(self->state, node, &relation->node));
    relation->rows = row_memo_get(region->memo, relation->node);
    relation->single = gives_one_row(relation->node);
    region->count++;
    return TRIB_OK;
}

static Status note_rename(JoinRegion *self, ColumnId id) {
    RuleContext *context = self->context;
    if (self->nrenamed == self->renamed_capacity) {
        uint32_t capacity = self->renamed_capacity ? self->renamed_capacity * 2 : 16;
        ColumnId *ids;
        TRY_ALLOC(ids, ARENA_ARRAY(context->arena, ColumnId, capacity), context->err);
        if (self->nrenamed) memcpy(ids, self->renamed, self->nrenamed * sizeof *ids);
        self->renamed = ids;
        self->renamed_capacity = capacity;
    }
    self->renamed[self->nrenamed++] = id;
    return TRIB_OK;
}

static Status gather(Gathering *self, LogicalNode *node, uint32_t reserved);

/* RIGHT joins are seen as LEFT ones. */
static Status gather_dependent(Gathering *self, LogicalNode *node, uint32_t reserved) {
    RuleContext *context = self->region->context;
    LogicalNode *join = node;
    if (node->join == JOIN_RIGHT) {
        TRY_ALLOC(join, logical_copy(context->arena, node), context->err);
        join->join = JOIN_LEFT;
        join->children[0] = node->children[1];
        join->children[1] = node->children[0];
    }
    uint32_t first = self->region->count;
    TRY(gather(self, join->children[0], reserved + 1));
    RelationSet before = 0;
    for (uint32_t r = first; r < self->region->count; r++) before |= UINT64_C(1) << r;
    TRY(add_relation(self, join->children[1], join));
    self->region->relations[self->region->count - 1].needs = before; /* narrowed later */
    return TRIB_OK;
}

/* `reserved`: relations that will come after this subtree at the least. */
static Status gather(Gathering *self, LogicalNode *node, uint32_t reserved) {
    RuleContext *context = self->region->context;
    if (!region_begins(node) || self->region->count + reserved + 2 > REGION_RELATIONS)
        return add_relation(self, node, NULL);
    if (node->kind == LOGICAL_PROJECT) {
        for (uint32_t i = 0; i < node->noutput; i++) {
            if (node->exprs[i]->as.column_id == node->output[i]) continue;
            self->scratch->renames[node->output[i]] = node->exprs[i];
            TRY(note_rename(self->region, node->output[i]));
        }
        return gather(self, node->children[0], reserved);
    }
    if (node->kind == LOGICAL_JOIN && node->join != JOIN_INNER && node->join != JOIN_CROSS)
        return gather_dependent(self, node, reserved);
    for (uint32_t i = 0; i < node->nconjuncts; i++)
        TRY(rule_list_conjuncts(context, &self->conditions, node->conjuncts[i]));
    if (node->kind == LOGICAL_FILTER) return gather(self, node->children[0], reserved);
    TRY(gather(self, node->children[0], reserved + 1));
    return gather(self, node->children[1], reserved);
}

/* ---------------------------------------------------------------- names of columns */

static Expr *renamed_column(void *context, const Expr *e) {
    RegionScratch *scratch = context;
    if (e->kind != EXPR_COLUMN) return NULL;
    Expr *now = scratch->renames[e->as.column_id];
    while (now && scratch->renames[now->as.column_id]) now = scratch->renames[now->as.column_id];
    return now;
}

static Status rename_columns(JoinRegion *self, RegionScratch *scratch, Expr *e, Expr **out) {
    *out = e;
    if (!self->nrenamed) return TRIB_OK;
    return expr_rewrite(self->context->arena, e, renamed_column, scratch, out, self->context->err);
}

static Status rename_join(JoinRegion *self, RegionScratch *scratch, Relation *relation) {
    if (!self->nrenamed || !relation->join) return TRIB_OK;
    RuleContext *context = self->context;
    LogicalNode *join;
    TRY_ALLOC(join, logical_copy(context->arena, relation->join), context->err);
    TRY_ALLOC(join->conjuncts, ARENA_ARRAY(context->arena, Expr *, join->nconjuncts), context->err);
    for (uint32_t i = 0; i < join->nconjuncts; i++)
        TRY(rename_columns(self, scratch, relation->join->conjuncts[i], &join->conjuncts[i]));
    relation->join = join;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- conditions and classes */

static RelationSet relations_of(const RegionScratch *scratch, const Expr *e) {
    if (e->kind == EXPR_COLUMN)
        return UINT64_C(1) << (scratch->relation_of[e->as.column_id] % REGION_RELATIONS);
    RelationSet set = 0;
    for (uint32_t i = 0; i < e->nargs; i++) set |= relations_of(scratch, e->args[i]);
    return set;
}

static bool is_single(RelationSet set) {
    return set && !(set & (set - 1));
}

static bool is_free(const JoinRegion *self, RelationSet set) {
    return is_single(set) && !self->relations[__builtin_ctzll(set)].join;
}

static Status member_find(JoinRegion *self, Expr *e, uint32_t relation, uint32_t *out) {
    for (uint32_t m = 0; m < self->nmembers; m++) {
        *out = m;
        if (self->members[m].relation == relation && expr_equal(self->members[m].e, e))
            return TRIB_OK;
    }
    *out = self->nmembers++;
    self->members[*out] = (RegionMember){e, relation, self->nclasses++};
    return TRIB_OK;
}

static void classes_unite(JoinRegion *self, uint32_t a, uint32_t b) {
    uint32_t kept = self->members[a].class, gone = self->members[b].class;
    for (uint32_t m = 0; m < self->nmembers; m++) {
        if (self->members[m].class == gone) self->members[m].class = kept;
    }
}

static Status add_condition(JoinRegion *self, const RegionScratch *scratch, Expr *e) {
    RegionCondition *condition = &self->conditions[self->nconditions++];
    *condition = (RegionCondition){.e = e, .set = relations_of(scratch, e)};
    if (e->kind != EXPR_CALL || e->as.function->id != TRIB_FN_eq || e->nargs != 2) return TRIB_OK;
    if (!type_equal(e->args[0]->type, e->args[1]->type)) return TRIB_OK;
    RelationSet left = relations_of(scratch, e->args[0]), right = relations_of(scratch, e->args[1]);
    if (!is_free(self, left) || !is_free(self, right) || left == right) return TRIB_OK;
    condition->is_key = true;
    TRY(member_find(self, e->args[0], (uint32_t)__builtin_ctzll(left), &condition->left));
    TRY(member_find(self, e->args[1], (uint32_t)__builtin_ctzll(right), &condition->right));
    classes_unite(self, condition->left, condition->right);
    return TRIB_OK;
}

static Status equality_new(JoinRegion *self, Expr *left, Expr *right, Expr **out) {
    RuleContext *context = self->context;
    Expr *args[2] = {left, right};
    Type types[2] = {left->type, right->type};
    ResolvedFunction f;
    TRY(function_resolve_id(context->arena, TRIB_FN_eq, 2, types, &f, context->err));
    TRY_ALLOC(*out, expr_call(context->arena, &f, 2, args), context->err);
    return TRIB_OK;
}

/* Two members of a class in one relation must be equal there: a.x = b.y AND a.x = b.z. */
static Status filter_members(JoinRegion *self, uint32_t relation, ExprList *out) {
    for (uint32_t m = 0; m < self->nmembers; m++) {
        const RegionMember *member = &self->members[m];
        for (uint32_t first = 0; member->relation == relation && first < m; first++) {
            const RegionMember *other = &self->members[first];
            if (other->relation != relation || other->class != member->class) continue;
            Expr *equality;
            TRY(equality_new(self, other->e, member->e, &equality));
            TRY(rule_list_add(self->context, out, equality));
            break;
        }
    }
    return TRIB_OK;
}

/* A condition of one free relation is a filter on it; those without columns wait for the end. */
static Status filter_relations(JoinRegion *self) {
    for (uint32_t r = 0; r < self->count; r++) {
        ExprList own = {0};
        if (self->relations[r].join) continue;
        for (uint32_t c = 0; c < self->nconditions; c++) {
            if (self->conditions[c].set == UINT64_C(1) << r)
                TRY(rule_list_add(self->context, &own, self->conditions[c].e));
        }
        TRY(filter_members(self, r, &own));
        TRY(rule_filter(self->context, self->relations[r].node, &own, &self->relations[r].node));
        if (own.count) self->relations[r].rows = row_memo_get(self->memo, self->relations[r].node);
    }
    return TRIB_OK;
}

/* A relation needs those that its join speaks of, or, if it speaks of none, all that it stood beside. */
static void narrow_needs(JoinRegion *self, const RegionScratch *scratch) {
    for (uint32_t r = 0; r < self->count; r++) {
        Relation *relation = &self->relations[r];
        RelationSet spoken = 0;
        if (!relation->join) continue;
        for (uint32_t i = 0; i < relation->join->nconjuncts; i++)
            spoken |= relations_of(scratch, relation->join->conjuncts[i]);
        spoken &= ~(UINT64_C(1) << r);
        if (spoken) relation->needs = spoken;
    }
}

static void touch(JoinRegion *self, RelationSet set) {
    for (RelationSet rest = set; rest; rest &= rest - 1)
        self->adjacent[__builtin_ctzll(rest)] |= set;
}

static RelationSet reachable(const JoinRegion *self, uint32_t from) {
    RelationSet seen = UINT64_C(1) << from, now = seen;
    while (now) {
        now = region_near(self, now) & ~seen;
        seen |= now;
    }
    return seen;
}

/* Relations of one row may stand anywhere; what nothing connects is crossed. */
static void connect(JoinRegion *self) {
    RelationSet all = self->count == 64 ? ~UINT64_C(0) : (UINT64_C(1) << self->count) - 1;
    for (uint32_t c = 0; c < self->nconditions; c++) touch(self, self->conditions[c].set);
    for (uint32_t m = 0; m < self->nmembers; m++)
        self->class_sets[self->members[m].class] |= UINT64_C(1) << self->members[m].relation;
    for (uint32_t k = 0; k < self->nclasses; k++) touch(self, self->class_sets[k]);
    for (uint32_t r = 0; r < self->count; r++) {
        if (self->relations[r].join) touch(self, self->relations[r].needs | UINT64_C(1) << r);
    }
    RelationSet apart[REGION_RELATIONS];
    for (uint32_t r = 0; r < self->count; r++) apart[r] = all & ~reachable(self, r);
    for (uint32_t r = 0; r < self->count; r++) {
        self->adjacent[r] |= apart[r];
        if (!self->relations[r].single || self->relations[r].join) continue;
        self->adjacent[r] = all;
        for (uint32_t o = 0; o < self->count; o++) self->adjacent[o] |= UINT64_C(1) << r;
    }
    for (uint32_t r = 0; r < self->count; r++) self->adjacent[r] &= ~(UINT64_C(1) << r);
}

Status region_gather(JoinRegion *self, RuleContext *context, RowMemo *memo, RegionScratch *scratch,
                     LogicalNode *node, Status (*map)(void *state, LogicalNode *, LogicalNode **),
                     void *state) {
    *self = (JoinRegion){.context = context, .memo = memo};
    Gathering gathering = {.region = self, .scratch = scratch, .map = map, .state = state};
    TRY(gather(&gathering, node, 0));
    /* the maps of relations have used the scratch too */
    for (uint32_t r = 0; r < self->count; r++) {
        const Relation *relation = &self->relations[r];
        for (uint32_t i = 0; i < relation->node->noutput; i++)
            scratch->relation_of[relation->node->output[i]] = r;
        if (relation->join && relation->join->join == JOIN_MARK)
            scratch->relation_of[relation->join->mark] = r;
    }
    uint32_t n = gathering.conditions.count;
    TRY_ALLOC(self->conditions, ARENA_ARRAY(context->arena, RegionCondition, n + 1), context->err);
    TRY_ALLOC(self->members, ARENA_ARRAY(context->arena, RegionMember, 2 * n + 1), context->err);
    TRY_ALLOC(self->class_sets, ARENA_ARRAY(context->arena, RelationSet, 2 * n + 1), context->err);
    for (uint32_t r = 0; r < self->count; r++) TRY(rename_join(self, scratch, &self->relations[r]));
    for (uint32_t i = 0; i < n; i++) {
        Expr *e;
        TRY(rename_columns(self, scratch, gathering.conditions.items[i], &e));
        TRY(add_condition(self, scratch, e));
    }
    TRY(filter_relations(self));
    narrow_needs(self, scratch);
    connect(self);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- what joins would cost */

static const Relation *dependent_of(const JoinRegion *self, RelationSet set) {
    if (!is_single(set)) return NULL;
    const Relation *relation = &self->relations[__builtin_ctzll(set)];
    return relation->join ? relation : NULL;
}

static bool right_allowed(const JoinRegion *self, RelationSet left, RelationSet right) {
    const Relation *relation = dependent_of(self, right);
    return !relation || (relation->needs & ~left) == 0;
}

RelationSet region_near(const JoinRegion *self, RelationSet set) {
    RelationSet near = 0;
    for (; set; set &= set - 1) near |= self->adjacent[__builtin_ctzll(set)];
    return near;
}

bool region_joinable(const JoinRegion *self, RelationSet a, RelationSet b) {
    if (dependent_of(self, a)) return !dependent_of(self, b) && right_allowed(self, b, a);
    return right_allowed(self, a, b);
}

/* The member of a class within a set that has the fewest values; NULL = none. */
static const RegionMember *member_in(const JoinRegion *self, uint32_t class, RelationSet set) {
    const RegionMember *best = NULL;
    double fewest = 0;
    for (uint32_t m = 0; m < self->nmembers; m++) {
        const RegionMember *member = &self->members[m];
        if (member->class != class || !(set >> member->relation & 1)) continue;
        double values = estimate_distinct(self->context->columns, member->e);
        if (best && (values < 0 || (fewest >= 0 && values >= fewest))) continue;
        best = member;
        fewest = values;
    }
    return best;
}

/* The condition becomes due when the two are joined. The conditions on one dependent relation alone wait for
 * its join. */
static bool is_due(const JoinRegion *self, const RegionCondition *c, RelationSet a, RelationSet b) {
    if (c->is_key || c->set == 0 || (c->set & ~(a | b))) return false;
    bool in_a = (c->set & ~a) == 0, in_b = (c->set & ~b) == 0;
    if (in_a && !dependent_of(self, a)) return false;
    return !(in_b && !dependent_of(self, b));
}

static double due_share(const JoinRegion *self, RelationSet a, RelationSet b) {
    double part = 1;
    for (uint32_t c = 0; c < self->nconditions; c++) {
        if (is_due(self, &self->conditions[c], a, b))
            part *= estimate_selectivity(self->context->columns, 1, &self->conditions[c].e);
    }
    return part;
}

static double max(double a, double b) {
    return a > b ? a : b;
}

static double min(double a, double b) {
    return a < b ? a : b;
}

static double join_cost(double left, double right, double rows, bool keyed) {
    double build = min(left, right), probe = max(left, right);
    if (!keyed) return left * right * COST_PAIR + rows * COST_OUTPUT;
    double lookup = COST_PROBE * (1 + min(CACHE_MOST, build / CACHE_ROWS));
    return build * COST_BUILD + probe * lookup + rows * COST_OUTPUT;
}

/* The equalities of a dependent join. */
static bool has_key(const LogicalNode *join) {
    for (uint32_t i = 0; i < join->nconjuncts; i++) {
        const Expr *e = join->conjuncts[i];
        if (e->kind == EXPR_CALL && e->as.function->id == TRIB_FN_eq) return true;
    }
    return join->nin > 0;
}

static bool has_class(const JoinRegion *self, RelationSet a, RelationSet b) {
    for (uint32_t k = 0; k < self->nclasses; k++) {
        if (self->class_sets[k] & a && self->class_sets[k] & b) return true;
    }
    return false;
}

double region_cost(const JoinRegion *self, const JoinPart *a, const JoinPart *b, double rows) {
    const Relation *relation = dependent_of(self, b->set);
    if (!relation) relation = dependent_of(self, a->set);
    bool keyed = relation ? has_key(relation->join) : has_class(self, a->set, b->set);
    return a->cost + b->cost + join_cost(a->rows, b->rows, rows, keyed);
}

static void estimate_dependent(const JoinRegion *self, const JoinPart *left, const JoinPart *right,
                               JoinPart *out) {
    const LogicalNode *join = dependent_of(self, right->set)->join;
    double rows = estimate_join(self->context->columns, join, left->rows, right->rows);
    out->rows = max(1, rows * due_share(self, left->set, right->set));
}

static void estimate_free(const JoinRegion *self, const JoinPart *a, const JoinPart *b,
                          JoinPart *out) {
    Expr *left[REGION_RELATIONS], *right[REGION_RELATIONS];
    uint32_t nkeys = 0;
    for (uint32_t k = 0; k < self->nclasses && nkeys < REGION_RELATIONS; k++) {
        const RegionMember *l = member_in(self, k, a->set), *r = member_in(self, k, b->set);
        if (!l || !r) continue;
        left[nkeys] = l->e;
        right[nkeys++] = r->e;
    }
    double pairs =
        nkeys ? estimate_matches(self->context->columns, a->rows, b->rows, nkeys, left, right)
              : a->rows * b->rows;
    out->rows = max(1, pairs * due_share(self, a->set, b->set));
}

void region_estimate(const JoinRegion *self, const JoinPart *a, const JoinPart *b, JoinPart *out) {
    out->set = a->set | b->set;
    if (dependent_of(self, a->set))
        estimate_dependent(self, b, a, out);
    else if (dependent_of(self, b->set))
        estimate_dependent(self, a, b, out);
    else
        estimate_free(self, a, b, out);
    out->cost = region_cost(self, a, b, out->rows);
}

/* ---------------------------------------------------------------- putting together */

/* The equality of a class between two sets: as it was written, or one that follows. */
static Status class_equality(JoinRegion *self, uint32_t class, RelationSet a, RelationSet b,
                             Expr **out) {
    const RegionMember *left = member_in(self, class, a), *right = member_in(self, class, b);
    *out = NULL;
    if (!left || !right) return TRIB_OK;
    for (uint32_t c = 0; c < self->nconditions; c++) {
        const RegionCondition *condition = &self->conditions[c];
        if (!condition->is_key || self->members[condition->left].class != class) continue;
        RelationSet l = UINT64_C(1) << self->members[condition->left].relation,
                    r = UINT64_C(1) << self->members[condition->right].relation;
        if (!((l & a && r & b) || (l & b && r & a))) continue;
        *out = condition->e;
        return TRIB_OK;
    }
    return equality_new(self, left->e, right->e, out);
}

static Status due_conditions(JoinRegion *self, RelationSet a, RelationSet b, ExprList *out) {
    for (uint32_t c = 0; c < self->nconditions; c++) {
        if (is_due(self, &self->conditions[c], a, b))
            TRY(rule_list_add(self->context, out, self->conditions[c].e));
    }
    return TRIB_OK;
}

static Status join_node(JoinRegion *self, LogicalNode *left, LogicalNode *right, JoinKind kind,
                        LogicalNode **out) {
    RuleContext *context = self->context;
    bool both = kind == JOIN_INNER || kind == JOIN_CROSS || kind == JOIN_LEFT;
    uint32_t n = left->noutput + (both ? right->noutput : kind == JOIN_MARK);
    LogicalNode *join;
    TRY_ALLOC(join, logical_new(context->arena, LOGICAL_JOIN, n, 2), context->err);
    if (left->noutput) memcpy(join->output, left->output, left->noutput * sizeof *join->output);
    if (both && right->noutput)
        memcpy(join->output + left->noutput, right->output, right->noutput * sizeof *join->output);
    join->join = kind;
    join->children[0] = left;
    join->children[1] = right;
    *out = join;
    return TRIB_OK;
}

static Status join_dependent(JoinRegion *self, const JoinPart *left, const JoinPart *right,
                             JoinPart *out) {
    RuleContext *context = self->context;
    const LogicalNode *like = dependent_of(self, right->set)->join;
    LogicalNode *join;
    ExprList due = {0};
    TRY(join_node(self, left->node, right->node, like->join, &join));
    join->mark = like->mark;
    if (like->join == JOIN_MARK) join->output[join->noutput - 1] = like->mark;
    join->nin = like->nin;
    join->nconjuncts = like->nconjuncts;
    join->conjuncts = like->conjuncts;
    TRY(due_conditions(self, left->set, right->set, &due));
    return rule_filter(context, join, &due, &out->node);
}

Status region_join(JoinRegion *self, const JoinPart *a, const JoinPart *b, JoinPart *out) {
    if (dependent_of(self, a->set)) return join_dependent(self, b, a, out);
    if (dependent_of(self, b->set)) return join_dependent(self, a, b, out);
    /* The written order as far as it goes: which side is built is decided later. */
    if (__builtin_ctzll(a->set) > __builtin_ctzll(b->set)) {
        const JoinPart *swap = a;
        a = b;
        b = swap;
    }
    ExprList on = {0};
    for (uint32_t k = 0; k < self->nclasses; k++) {
        Expr *equality;
        TRY(class_equality(self, k, a->set, b->set, &equality));
        if (equality) TRY(rule_list_add(self->context, &on, equality));
    }
    TRY(due_conditions(self, a->set, b->set, &on));
    TRY(join_node(self, a->node, b->node, on.count ? JOIN_INNER : JOIN_CROSS, &out->node));
    out->node->nconjuncts = on.count;
    out->node->conjuncts = on.items;
    return TRIB_OK;
}

/* The columns as `like` puts them out, under its names. */
static Status finish_columns(JoinRegion *self, RegionScratch *scratch, const LogicalNode *like,
                             LogicalNode *joined, LogicalNode **out) {
    bool same = joined->noutput == like->noutput &&
                (like->noutput == 0 ||
                 memcmp(joined->output, like->output, like->noutput * sizeof *like->output) == 0);
    if (same) return TRIB_OK;
    TRY(rule_project_columns(self->context, joined, like->noutput, like->output, out));
    for (uint32_t i = 0; self->nrenamed && i < like->noutput; i++)
        TRY(rename_columns(self, scratch, (*out)->exprs[i], &(*out)->exprs[i]));
    return TRIB_OK;
}

Status region_finish(JoinRegion *self, RegionScratch *scratch, const LogicalNode *like,
                     LogicalNode *joined, LogicalNode **out) {
    RuleContext *context = self->context;
    ExprList rest = {0};
    for (uint32_t c = 0; c < self->nconditions; c++) {
        if (self->conditions[c].set == 0) TRY(rule_list_add(context, &rest, self->conditions[c].e));
    }
    TRY(rule_filter(context, joined, &rest, &joined));
    *out = joined;
    TRY(finish_columns(self, scratch, like, joined, out));
    for (uint32_t i = 0; i < self->nrenamed; i++) scratch->renames[self->renamed[i]] = NULL;
    return TRIB_OK;
}
