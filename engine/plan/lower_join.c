/*
 * lower_join.c - joins of the logical plan as hash joins, with their runtime filters.
 *
 * Conjuncts of the form left-expression = right-expression become hash keys, the rest the residual. The
 * smaller side is built; for outer joins the kind is mirrored. Where the join drops probe rows without a
 * match, keys that are plain columns of a scan become targets of a runtime filter. One thread; arena.
 */
#include "engine/plan/lower.h"

#define MAX_KEYS         64 /* null_safe is a 64-bit mask; further equalities go into the residual */
#define FILTER_SURE_ROWS 16384 /* so few keys make a filter that is always worth waiting for */
#define BUILD_SIDE_SLACK 1.2   /* swap sides only for a clear gain: estimates are rough */

typedef struct JoinSides {
    Lowered probe, build;
    JoinKind kind;
    Inputs probe_columns, build_columns, both_columns;
    bool both_open; /* most joins have no residual */
} JoinSides;

static JoinKind mirrored(JoinKind kind) {
    switch (kind) {
    case JOIN_LEFT: return JOIN_RIGHT;
    case JOIN_RIGHT: return JOIN_LEFT;
    case JOIN_SEMI: return JOIN_RIGHT_SEMI;
    case JOIN_ANTI: return JOIN_RIGHT_ANTI;
    default: return kind;
    }
}

static bool has_equality(const LogicalNode *join) {
    for (uint32_t i = 0; i < join->nconjuncts; i++) {
        const Expr *e = join->conjuncts[i];
        if (e->kind == EXPR_NOT) e = e->args[0];
        if (e->kind == EXPR_CALL &&
            (e->as.function->id == TRIB_FN_eq || e->as.function->id == TRIB_FN_is_distinct_from))
            return true;
    }
    return false;
}

/* Which side is built: the right one, unless the left is clearly smaller. Without keys SEMI and ANTI
 * build the right: they stop at a row's first match. */
static Status choose_sides(Lowering *self, const LogicalNode *node, JoinSides *out) {
    Lowered left, right;
    TRY(lower_node(self, node->children[0], &left));
    TRY(lower_node(self, node->children[1], &right));
    JoinKind kind = node->join == JOIN_CROSS ? JOIN_INNER : node->join;
    bool half = kind == JOIN_SEMI || kind == JOIN_ANTI;
    bool fixed = kind == JOIN_ANTI_NULLS || kind == JOIN_MARK || (half && !has_equality(node));
    bool swap = !fixed && row_memo_get(&self->memo, node->children[0]) * BUILD_SIDE_SLACK <
                              row_memo_get(&self->memo, node->children[1]);
    *out = swap ? (JoinSides){.probe = right, .build = left, .kind = mirrored(kind)}
                : (JoinSides){.probe = left, .build = right, .kind = kind};
    TRY(inputs_open(self, INPUTS_ONLY, &out->probe, NULL, &out->probe_columns));
    return inputs_open(self, INPUTS_BUILD, &out->build, NULL, &out->build_columns);
}

static bool belongs_to(const Inputs *side, const Expr *e) {
    bool any = false;
    return inputs_cover(side, e, &any) && any;
}

/* Are equal values of the two types equal bytes as hash keys? The length of varchar bounds values only. */
static bool same_key_type(Type a, Type b) {
    return type_equal(a, b) || (a.id == TRIB_TYPE_VARCHAR && b.id == TRIB_TYPE_VARCHAR);
}

/* Recognises a = b and NOT (a IS DISTINCT FROM b) between the sides; *probe NULL if it is neither. */
static void split_key(const JoinSides *sides, const Expr *e, const Expr **probe, const Expr **build,
                      bool *null_safe) {
    *probe = *build = NULL;
    *null_safe = false;
    if (e->kind == EXPR_NOT && e->args[0]->kind == EXPR_CALL &&
        e->args[0]->as.function->id == TRIB_FN_is_distinct_from) {
        *null_safe = true;
        e = e->args[0];
    } else if (e->kind != EXPR_CALL || e->as.function->id != TRIB_FN_eq) {
        return;
    }
    if (!same_key_type(e->args[0]->type, e->args[1]->type) || e->is_volatile) return;
    for (uint32_t first = 0; first < 2; first++) {
        if (belongs_to(&sides->probe_columns, e->args[first]) &&
            belongs_to(&sides->build_columns, e->args[1 - first])) {
            *probe = e->args[first];
            *build = e->args[1 - first];
            return;
        }
    }
}

static Status lower_residual(Lowering *self, JoinSides *sides, const Expr *e, Expr **out) {
    if (!sides->both_open)
        TRY(inputs_open(self, INPUTS_BOTH, &sides->probe, &sides->build, &sides->both_columns));
    sides->both_open = true;
    return inputs_lower(&sides->both_columns, e, out);
}

static Status lower_condition(Lowering *self, const LogicalNode *node, JoinSides *sides,
                              PhysNode *join) {
    Expr **residual;
    TRY_ALLOC(join->as.join.probe_keys, ARENA_ARRAY(self->arena, Expr *, node->nconjuncts),
              self->err);
    TRY_ALLOC(join->as.join.build_keys, ARENA_ARRAY(self->arena, Expr *, node->nconjuncts),
              self->err);
    TRY_ALLOC(residual, ARENA_ARRAY(self->arena, Expr *, node->nconjuncts), self->err);
    uint32_t nresidual = 0;
    for (uint32_t i = 0; i < node->nconjuncts; i++) {
        const Expr *probe, *build;
        bool null_safe;
        split_key(sides, node->conjuncts[i], &probe, &build, &null_safe);
        uint32_t k = join->as.join.nkeys;
        if (i < node->nin && k < MAX_KEYS) { /* a key even where one side is a constant */
            const Expr *e = node->conjuncts[i];
            probe = e->args[0];
            build = e->args[1];
            join->as.join.null_aware |= UINT64_C(1) << k;
        }
        if (probe && k < MAX_KEYS) {
            bool differs = probe->type.id == TRIB_TYPE_REAL || probe->type.id == TRIB_TYPE_DOUBLE ||
                           type_is_nested(probe->type);
            /* as hash keys all NaN are one, which = does not say */
            if (differs && !null_safe && i >= node->nin)
                TRY(lower_residual(self, sides, node->conjuncts[i], &residual[nresidual++]));
            TRY(inputs_lower(&sides->probe_columns, probe, &join->as.join.probe_keys[k]));
            TRY(inputs_lower(&sides->build_columns, build, &join->as.join.build_keys[k]));
            if (null_safe) join->as.join.null_safe |= UINT64_C(1) << k;
            if (node->join == JOIN_ANTI_NULLS && node->nin == 0)
                join->as.join.null_aware |= UINT64_C(1) << k;
            join->as.join.nkeys++;
        } else {
            TRY(lower_residual(self, sides, node->conjuncts[i], &residual[nresidual++]));
        }
    }
    if (nresidual == 1) join->as.join.residual = residual[0];
    if (nresidual > 1) {
        TRY_ALLOC(join->as.join.residual, expr_boolean(self->arena, EXPR_AND, nresidual, residual),
                  self->err);
    }
    return TRIB_OK;
}

/* Follows a column of a subtree down to the scan that reads it, as long as dropping rows of that scan
 * whose value cannot match changes nothing above. */
static PhysNode *find_scan(const PhysNode *node, uint32_t ordinal, uint32_t *output,
                           bool *behind_breaker) {
    *behind_breaker = false;
    for (;;) {
        const Expr *e;
        switch (node->kind) {
        case PHYS_SCAN:
            *output = ordinal;
            return node->as.scan.limit < 0 && !(node->as.scan.pushed->taken & TRIB_TAKEN_LIMIT)
                       ? (PhysNode *)node
                       : NULL;
        case PHYS_FILTER: break;
        case PHYS_PROJECT:
            e = node->as.project.exprs[ordinal];
            if (e->kind != EXPR_COLUMN) return NULL;
            ordinal = e->as.ordinal;
            break;
        case PHYS_HASH_JOIN:
            if (node->as.join.join == JOIN_FULL || node->as.join.join == JOIN_RIGHT) return NULL;
            if (ordinal >= node->as.join.nprobe_output)
                return NULL; /* built before this join's filter exists */
            ordinal = node->as.join.probe_output[ordinal];
            break;
        case PHYS_AGGREGATE:
            if (ordinal >= node->as.aggregate.ngroups) return NULL;
            e = node->as.aggregate.groups[ordinal];
            if (e->kind != EXPR_COLUMN) return NULL;
            ordinal = e->as.ordinal;
            *behind_breaker = true;
            break;
        default: return NULL;
        }
        node = node->children[0];
    }
}

static bool drops_probe_rows(JoinKind kind) {
    return kind == JOIN_INNER || kind == JOIN_SEMI || kind == JOIN_RIGHT ||
           kind == JOIN_RIGHT_SEMI || kind == JOIN_RIGHT_ANTI;
}

/* A build side of nearly as many rows as the scan hardly restricts it, least of all by its bounds. */
static bool filter_pays(const PhysNode *join, const PhysNode *scan) {
    double build = join->as.join.build_rows;
    return build < FILTER_SURE_ROWS || scan->rows < 0 || build * 2 < scan->rows;
}

static Status scan_wait(Lowering *self, PhysNode *scan, const PhysNode *join) {
    PhysWait *wait;
    for (const PhysWait *w = scan->as.scan.waits; w; w = w->next) {
        if (w->join == join) return TRIB_OK;
    }
    TRY_ALLOC(wait, ARENA_NEW(self->arena, PhysWait), self->err);
    *wait = (PhysWait){join, scan->as.scan.waits};
    scan->as.scan.waits = wait;
    return TRIB_OK;
}

/* A filter that the scan's source takes, or one for rows that would be grouped for nothing. */
static Status find_target(Lowering *self, PhysNode *join, uint32_t k, uint32_t ordinal) {
    uint32_t output;
    bool behind, taken;
    PhysNode *scan = find_scan(join->children[0], ordinal, &output, &behind);
    if (!scan) return TRIB_OK;
    taken = scan->as.scan.pushed->keys && scan->as.scan.pushed->keys[output].kind != TRIB_NONE;
    PhysFilterTarget target = {scan, k, output};
    bool pays = filter_pays(join, scan);
    if (taken) {
        join->as.join.targets[join->as.join.ntargets++] = target;
        scan->as.scan.nfilters++;
        scan->as.scan.nawaited += pays;
    } else if (behind && pays) {
        join->as.join.passed[join->as.join.npassed++] = target;
    }
    return behind && pays ? scan_wait(self, scan, join) : TRIB_OK;
}

static Status find_targets(Lowering *self, PhysNode *join) {
    uint32_t n = join->as.join.nkeys;
    if (!self->runtime_filters || !drops_probe_rows(join->as.join.join)) return TRIB_OK;
    TRY_ALLOC(join->as.join.targets, ARENA_ARRAY(self->arena, PhysFilterTarget, n), self->err);
    TRY_ALLOC(join->as.join.passed, ARENA_ARRAY(self->arena, PhysFilterTarget, n), self->err);
    for (uint32_t k = 0; k < n; k++) {
        const Expr *key = join->as.join.probe_keys[k];
        if (key->kind != EXPR_COLUMN || join->as.join.null_safe >> k & 1) continue;
        TRY(find_target(self, join, k, key->as.ordinal));
    }
    return TRIB_OK;
}

Status lower_join(Lowering *self, const LogicalNode *node, Lowered *out) {
    JoinSides sides;
    TRY(choose_sides(self, node, &sides));
    TRY(lowered_new(self, PHYS_HASH_JOIN, node->noutput, 2, out));
    PhysNode *join = out->node;
    join->children[0] = sides.probe.node;
    join->children[1] = sides.build.node;
    join->as.join.join = sides.kind;
    join->as.join.build_rows = sides.build.node->rows;
    TRY(lower_condition(self, node, &sides, join));
    TRY_ALLOC(join->as.join.probe_output, ARENA_ARRAY(self->arena, uint32_t, node->noutput),
              self->err);
    TRY_ALLOC(join->as.join.build_output, ARENA_ARRAY(self->arena, uint32_t, node->noutput),
              self->err);
    uint32_t n = 0;
    for (uint32_t i = 0; i < node->noutput; i++) {
        uint32_t ordinal = inputs_ordinal(&sides.probe_columns, node->output[i]);
        if (ordinal == UINT32_MAX) continue;
        join->as.join.probe_output[join->as.join.nprobe_output++] = ordinal;
        TRY(lowered_set_column(self, out, n++, node->output[i]));
    }
    for (uint32_t i = 0; i < node->noutput; i++) {
        uint32_t ordinal = inputs_ordinal(&sides.build_columns, node->output[i]);
        if (ordinal == UINT32_MAX) continue;
        join->as.join.build_output[join->as.join.nbuild_output++] = ordinal;
        TRY(lowered_set_column(self, out, n++, node->output[i]));
    }
    if (node->join == JOIN_MARK) TRY(lowered_set_column(self, out, n++, node->mark));
    if (n != node->noutput)
        return error_set(self->err, ERR_GENERAL,
                         "internal error: a join's column is in neither side");
    return find_targets(self, join);
}
