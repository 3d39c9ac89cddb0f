/*
 * conform_group.c - grouping and DISTINCT, worked out from the whole table and compared.
 *
 * One aggregate at a time beside the keys: a connector that has no rule for one of them refuses the
 * offer, and the others would go untested with it. One thread; memory on the caller's arena.
 */
#include "tests/connectors/conform.h"

#include <stdlib.h>

typedef struct Grouping {
    const Rows *whole;
    uint32_t nkeys, keys[2];
    uint16_t op; /* 0 = no aggregate */
    uint32_t of; /* its argument; UINT32_MAX = COUNT(*) */
    bool distinct;
    TribType result;
} Grouping;

/* Equal for grouping: NULL is one group, +0.0 and -0.0 are one. */
static bool cell_equal(const TribValue *a, const TribValue *b) {
    if (a->is_null || b->is_null) return a->is_null && b->is_null;
    return value_compare(a, b) == 0;
}

static bool in_group(const Grouping *self, const TribValue *row, const TribValue *other) {
    for (uint32_t i = 0; i < self->nkeys; i++) {
        if (!cell_equal(&row[self->keys[i]], &other[self->keys[i]])) return false;
    }
    return true;
}

/* Was the argument's value of row `at` seen in an earlier row of its group? */
static bool seen_before(const Grouping *self, size_t at) {
    const TribValue *row = rows_at(self->whole, at);
    for (size_t r = 0; r < at; r++) {
        const TribValue *other = rows_at(self->whole, r);
        if (in_group(self, row, other) && cell_equal(&row[self->of], &other[self->of])) return true;
    }
    return false;
}

static void accumulate(const Grouping *self, size_t at, TribValue *state) {
    const TribValue *row = rows_at(self->whole, at);
    const TribValue *value = self->of == UINT32_MAX ? NULL : &row[self->of];
    if (value && value->is_null) return;
    if (self->distinct && seen_before(self, at)) return;
    switch (self->op) {
    case TRIB_AGG_count: state->as.integer++; break;
    case TRIB_AGG_sum:
        if (state->is_null) state->as.wide = 0;
        state->as.wide += value_integer(value);
        state->is_null = false;
        break;
    default: {
        int order = state->is_null ? 0 : value_compare(value, state);
        if (state->is_null || (self->op == TRIB_AGG_min ? order < 0 : order > 0)) *state = *value;
        break;
    }
    }
}

/* Rows of keys and aggregate, from the whole table. */
static Rows group_here(const Grouping *self, Arena *arena, const Ask *what) {
    Rows rows;
    uint32_t n = what->noutput;
    TribType *types = ARENA_ARRAY(arena, TribType, n + 1);
    size_t *leaders = ARENA_ARRAY(arena, size_t, self->whole->count + 1);
    for (uint32_t i = 0; i < n; i++) types[i] = what->outputs[i]->type;
    rows_init(&rows, arena, n, types);
    for (size_t r = 0; r < self->whole->count || (r == 0 && !self->nkeys); r++) {
        bool any = r < self->whole->count;
        size_t at = 0;
        while (at < rows.count && any &&
               !in_group(self, rows_at(self->whole, r), rows_at(self->whole, leaders[at])))
            at++;
        if (at == rows.count) {
            TribValue fresh[3];
            for (uint32_t i = 0; i < self->nkeys; i++)
                fresh[i] = rows_at(self->whole, r)[self->keys[i]];
            fresh[self->nkeys] =
                (TribValue){.type = self->result, .is_null = self->op != TRIB_AGG_count};
            leaders[at] = r;
            rows_add(&rows, fresh);
        }
        if (self->op && any) accumulate(self, r, rows.values + at * n + self->nkeys);
    }
    return rows;
}

static bool check_group(const Subject *subject, Arena *arena, const TribTable *table,
                        const Grouping *self) {
    Answer answer;
    Expr *outputs[3];
    uint32_t noutput = 0;
    for (; noutput < self->nkeys; noutput++)
        outputs[noutput] = expr_column(arena, table, self->keys[noutput]);
    Ask what = {.table = table,
                .mode = TRIB_PUSHDOWN_EXACT,
                .limit = -1,
                .grouped = self->op != 0,
                .distinct = self->op == 0,
                .ngroups = self->op ? self->nkeys : 0,
                .groups = outputs,
                .outputs = outputs};
    if (self->op) {
        Expr *argument = self->of == UINT32_MAX ? NULL : expr_column(arena, table, self->of);
        Expr *call = expr_call(arena, self->op, self->result.id, argument ? 1 : 0, &argument);
        call->kind = TRIB_NODE_AGGREGATE;
        call->type = self->result;
        call->distinct = self->distinct;
        outputs[noutput++] = call;
    }
    what.noutput = noutput;
    ask(subject, arena, &what, &answer);
    if (answer.status == TRIB_UNSUPPORTED) return false;
    const char *key = self->nkeys ? table->columns[self->keys[0]].name : "(none)";
    const char *of = self->op && self->of != UINT32_MAX ? table->columns[self->of].name : "*";
    if (!CHECK(answer.status == TRIB_OK, "GROUP BY %s: %s", key, answer.err.message)) return false;
    uint32_t wanted = self->op ? TRIB_TAKEN_GROUPING : TRIB_TAKEN_DISTINCT;
    if (!(answer.taken & wanted))
        return !CHECK(!self->op, "a grouped offer was accepted and its grouping not taken");
    Rows here = group_here(self, arena, &what);
    CHECK(rows_equal(&here, &answer.rows),
          "GROUP BY %s, aggregate %u of %s: %zu groups, %zu expected; sent %s", key, self->op, of,
          answer.rows.count, here.count, answer.text ? answer.text : "");
    return true;
}

/* The sums that cannot overflow. */
static bool sum_type(const Rows *whole, uint32_t column, TribType type, TribType *out) {
    bool integer = type.id >= TRIB_TYPE_TINYINT && type.id <= TRIB_TYPE_BIGINT;
    bool decimal = type.id == TRIB_TYPE_DECIMAL && type.precision <= 30;
    *out = (TribType){.id = TRIB_TYPE_DECIMAL, .precision = 38, .scale = decimal ? type.scale : 0};
    return whole->count < 1000000 && (integer || decimal);
}

static uint32_t check_aggregates(const Subject *subject, Arena *arena, const TribTable *table,
                                 Grouping grouping) {
    static const TribType bigint = {.id = TRIB_TYPE_BIGINT};
    uint32_t taken = 0;
    TribType of = table->columns[grouping.of].type;
    struct {
        uint16_t op;
        bool distinct;
        TribType result;
    } shapes[] = {{TRIB_AGG_count, false, bigint},
                  {TRIB_AGG_count, true, bigint},
                  {TRIB_AGG_min, false, of},
                  {TRIB_AGG_max, false, of},
                  {TRIB_AGG_sum, false, of}};
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        grouping.op = shapes[i].op;
        grouping.distinct = shapes[i].distinct;
        grouping.result = shapes[i].result;
        if (grouping.op == TRIB_AGG_sum &&
            !sum_type(grouping.whole, grouping.of, of, &grouping.result))
            continue;
        taken += check_group(subject, arena, table, &grouping);
    }
    return taken;
}

uint32_t check_grouping(const Subject *subject, Arena *arena, const TribTable *table,
                        const Rows *whole) {
    uint32_t taken = 0;
    for (uint32_t key = 0; key < table->ncolumns; key++) {
        uint32_t of = (key + 1) % table->ncolumns;
        if (table->columns[key].unreadable || table->columns[of].unreadable) continue;
        Grouping one = {.whole = whole, .nkeys = 1, .keys = {key}, .of = of};
        taken += check_aggregates(subject, arena, table, one);
        Grouping all = {.whole = whole, .of = key};
        taken += check_aggregates(subject, arena, table, all);
        Grouping rows = {.whole = whole,
                         .nkeys = 1,
                         .keys = {key},
                         .op = TRIB_AGG_count,
                         .of = UINT32_MAX,
                         .result = {.id = TRIB_TYPE_BIGINT}};
        taken += check_group(subject, arena, table, &rows);
        Grouping distinct = {.whole = whole, .nkeys = 1, .keys = {key}};
        taken += check_group(subject, arena, table, &distinct);
        Grouping pair = {.whole = whole, .nkeys = 2, .keys = {key, of}};
        taken += check_group(subject, arena, table, &pair);
    }
    return taken;
}
