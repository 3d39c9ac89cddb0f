/*
 * test_exec_aggregate.c - aggregation against a naive reference: every kind of key, few and many
 * groups, one and several threads, in memory and out of it.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/map.h"
#include "tests/unit/exec_harness.h"

static const Mode modes[] = {
    {.threads = 1},
    {.threads = 2},
    {.threads = 4},
    {.threads = 1, .force_spill = true, .encrypt = true},
    {.threads = 2, .force_spill = true},
    {.threads = 3, .memory = 6 << 20, .encrypt = true},
};

typedef struct Group {
    Value keys[4];
    int64_t rows, values, filtered;
    __int128 sum;
    Value least, most; /* of the text column */
} Group;

typedef struct Case {
    Arena *arena;
    Table *table;
    uint32_t nkeys; /* the first columns; then bigint, varchar, boolean */
    PhysNode *node;
    bool no_aggregates;
} Case;

static const Aggregate *aggregate_named(Arena *arena, const char *name, uint32_t nargs,
                                        const Type *args, Type *result) {
    ResolvedAggregate resolved;
    Error err;
    error_clear(&err);
    Status status = aggregate_resolve(arena, str_from(name), nargs, args, &resolved, &err);
    if (status != TRIB_OK) print_message("%s\n", err.message);
    assert_int_equal(status, TRIB_OK);
    *result = resolved.result;
    return resolved.aggregate;
}

static void aggregate_add(Case *c, const char *name, uint32_t column, bool filtered) {
    PhysAggregate *a = &c->node->as.aggregate.aggregates[c->node->as.aggregate.naggregates++];
    uint32_t nargs = column == UINT32_MAX ? 0 : 1;
    Type type = nargs ? c->table->types[column] : TYPE(BIGINT);
    a->aggregate = aggregate_named(c->arena, name, nargs, &type, &a->result);
    a->nargs = nargs;
    Expr **args = ARENA_ARRAY(c->arena, Expr *, 1);
    if (nargs) args[0] = column_of(c->arena, c->table, column, 0);
    a->args = args;
    a->filter = filtered ? column_of(c->arena, c->table, c->nkeys + 2, 0) : NULL;
}

static Case case_new(uint32_t nkeys, const Type *keys, uint32_t nrows, uint32_t distinct,
                     uint32_t nulls, uint64_t seed) {
    Case c = {.arena = arena_new(NULL), .nkeys = nkeys};
    Type types[8];
    for (uint32_t k = 0; k < nkeys; k++) types[k] = keys[k];
    types[nkeys] = TYPE(BIGINT);
    types[nkeys + 1] = type_varchar(0);
    types[nkeys + 2] = TYPE(BOOLEAN);
    c.table = table_new(c.arena, nkeys + 3, types, nrows);
    for (uint32_t k = 0; k < nkeys; k++) table_fill(c.table, k, &seed, distinct, nulls);
    table_fill(c.table, nkeys, &seed, 1000, 10);
    table_fill(c.table, nkeys + 1, &seed, 500, 10);
    table_fill(c.table, nkeys + 2, &seed, 2, 5);
    c.node = ARENA_NEW(c.arena, PhysNode);
    c.node->kind = PHYS_AGGREGATE;
    c.node->nchildren = 1;
    c.node->children = ARENA_ARRAY(c.arena, PhysNode *, 1);
    c.node->children[0] = node_of(c.arena, c.table);
    c.node->as.aggregate.ngroups = nkeys;
    c.node->as.aggregate.groups = ARENA_ARRAY(c.arena, Expr *, nkeys + 1);
    for (uint32_t k = 0; k < nkeys; k++)
        c.node->as.aggregate.groups[k] = column_of(c.arena, c.table, k, 0);
    c.node->as.aggregate.aggregates = ARENA_ARRAY(c.arena, PhysAggregate, 8);
    return c;
}

static void group_take(Group *g, const Case *c, uint32_t row) {
    const Value *number = &c->table->cells[c->nkeys][row],
                *text = &c->table->cells[c->nkeys + 1][row];
    const Value *flag = &c->table->cells[c->nkeys + 2][row];
    bool passes = !flag->is_null && flag->as.integer;
    g->rows++;
    if (!number->is_null) {
        g->values++;
        g->sum += number->as.integer;
        g->filtered += passes;
    }
    if (text->is_null) return;
    if (g->least.is_null || value_compare(text, &g->least) < 0) g->least = *text;
    if (g->most.is_null || value_compare(text, &g->most) > 0) g->most = *text;
}

static void group_print(const Group *g, const Case *c, bool pointers, Lines *out) {
    Value rows = {.type = TYPE(BIGINT)}, values = rows, filtered = rows, sum = rows;
    rows.as.integer = g->rows;
    values.as.integer = g->values;
    filtered.as.integer = g->filtered;
    sum.as.integer = (int64_t)g->sum;
    sum.is_null = g->values == 0;
    const Value *cells[16];
    uint32_t n = 0;
    for (uint32_t k = 0; k < c->nkeys; k++) cells[n++] = &g->keys[k];
    if (!c->no_aggregates) {
        cells[n++] = &rows;
        cells[n++] = &values;
        cells[n++] = &sum;
        cells[n++] = &filtered;
        if (pointers) {
            cells[n++] = &g->least;
            cells[n++] = &g->most;
        }
    }
    Buf line;
    buf_init(&line, NULL, 1 << 30);
    cells_print(&line, cells, n);
    lines_add(out, line.data);
    buf_clear(&line);
}

static void reference(const Case *c, bool pointers, Lines *out) {
    Map map;
    map_init(&map, c->arena, false);
    Group all = {.least.is_null = true, .most.is_null = true};
    for (uint32_t r = 0; r < c->table->nrows; r++) {
        const Value *keys[4];
        for (uint32_t k = 0; k < c->nkeys; k++) keys[k] = &c->table->cells[k][r];
        Buf text;
        buf_init(&text, NULL, 1 << 30);
        cells_print(&text, keys, c->nkeys);
        Group *g = c->nkeys ? map_get(&map, buf_view(&text)) : &all;
        if (!g) {
            g = ARENA_NEW(c->arena, Group);
            g->least.is_null = g->most.is_null = true;
            for (uint32_t k = 0; k < c->nkeys; k++) g->keys[k] = *keys[k];
            map_put(&map, buf_view(&text), g);
        }
        buf_clear(&text);
        group_take(g, c, r);
    }
    for (uint32_t i = 0; i < map.count; i++) group_print(map.entries[i].value, c, pointers, out);
    if (c->nkeys == 0) group_print(&all, c, pointers, out);
}

static void check_modes(Case *c, bool pointers, const char *what, size_t nmodes) {
    if (!c->no_aggregates) {
        aggregate_add(c, "count", UINT32_MAX, false);
        aggregate_add(c, "count", c->nkeys, false);
        aggregate_add(c, "sum", c->nkeys, false);
        aggregate_add(c, "count", c->nkeys, true);
        if (pointers) {
            aggregate_add(c, "min", c->nkeys + 1, false);
            aggregate_add(c, "max", c->nkeys + 1, false);
        }
    }
    c->node->ncolumns = c->nkeys + c->node->as.aggregate.naggregates;
    Lines expected = {0};
    reference(c, pointers, &expected);
    for (size_t m = 0; m < nmodes; m++) {
        Lines actual = {0};
        Error err;
        error_clear(&err);
        char name[100];
        snprintf(name, sizeof name, "%s, mode %zu", what, m);
        Status status = harness_breaker(c->node, c->table, modes[m], 7 + m, &actual, NULL, &err);
        if (status != TRIB_OK) print_message("%s: %s\n", name, err.message);
        assert_int_equal(status, TRIB_OK);
        lines_compare(&expected, &actual, false, name);
        lines_clear(&actual);
    }
    lines_clear(&expected);
    arena_free(c->arena);
}

static void check(Case *c, bool pointers, const char *what) {
    check_modes(c, pointers, what, COUNT_OF(modes));
}

static void test_no_groups(void **unused) {
    (void)unused;
    for (uint32_t rows = 0; rows <= 30000; rows += 15000) {
        Case c = case_new(0, NULL, rows, 1, 0, 11);
        check(&c, rows % 2 == 0, "no groups");
    }
}

static void test_few_groups(void **unused) {
    (void)unused;
    Type keys[] = {type_varchar(1), type_char(1)};
    Case c = case_new(2, keys, 30000, 2, 0, 12);
    check(&c, false, "few groups");
    c = case_new(2, keys, 30000, 3, 7, 13);
    check(&c, true, "few groups with NULL");
    c = case_new(1, keys, 20000, 18, 0, 14);
    check(&c, false, "a few more groups");
}

static void test_many_groups(void **unused) {
    (void)unused;
    Type bigint = TYPE(BIGINT), text = type_varchar(0);
    Case c = case_new(1, &bigint, 100000, 30000, 50, 15);
    check(&c, false, "many numbers");
    c = case_new(1, &bigint, 100000, 90000, 0, 16);
    check(&c, true, "many numbers, states with pointers");
    c = case_new(1, &text, 60000, 20000, 50, 17);
    check(&c, false, "many texts");
    c = case_new(1, &text, 60000, 50000, 0, 18);
    check(&c, true, "many texts, states with pointers");
}

/* Tables that outgrow the caches: by groups that come again, and by groups that do not. */
static void test_very_many_groups(void **unused) {
    (void)unused;
    Type bigint = TYPE(BIGINT), text = type_varchar(0);
    Case c = case_new(1, &bigint, 600000, 500000, 0, 41);
    check_modes(&c, false, "very many numbers", 2);
    c = case_new(1, &text, 600000, 4000000, 0, 42);
    check_modes(&c, false, "very many texts", 2);
}

static void test_distinct(void **unused) {
    (void)unused;
    Type keys[] = {TYPE(INTEGER), type_varchar(0), TYPE(DATE)};
    Case c = case_new(3, keys, 40000, 30, 9, 19);
    c.no_aggregates = true;
    check(&c, false, "distinct");
}

static void test_every_type(void **unused) {
    (void)unused;
    Arena *arena = arena_new(NULL);
    Type types[TYPES_MOST];
    uint32_t count = types_every(arena, false, types);
    for (uint32_t t = 0; t < count; t++) {
        Buf name;
        buf_init(&name, NULL, 1000);
        type_print(&name, types[t]);
        Case c = case_new(1, &types[t], 12000, t % 2 ? 300 : 5000, 11, 20 + t);
        check(&c, t % 3 == 0, name.data);
        buf_clear(&name);
    }
    arena_free(arena);
}

static void test_spills(void **unused) {
    (void)unused;
    Type bigint = TYPE(BIGINT);
    Case c = case_new(1, &bigint, 150000, 120000, 0, 50);
    aggregate_add(&c, "count", UINT32_MAX, false);
    c.node->ncolumns = 2;
    Lines lines = {0};
    Error err;
    uint64_t spilled = 0;
    Mode mode = {.threads = 2, .memory = 5 << 20, .encrypt = true};
    assert_int_equal(harness_breaker(c.node, c.table, mode, 3, &lines, &spilled, &err), TRIB_OK);
    assert_true(spilled > 0);
    lines_clear(&lines);
    mode = (Mode){.threads = 2};
    assert_int_equal(harness_breaker(c.node, c.table, mode, 3, &lines, &spilled, &err), TRIB_OK);
    assert_int_equal(spilled, 0);
    lines_clear(&lines);
    arena_free(c.arena);
}

/* The disk ends at every point in turn, in the middle of splitting a partition too. */
static void test_spill_limit(void **unused) {
    (void)unused;
    Type text = type_varchar(0);
    Case c = case_new(1, &text, 30000, 25000, 0, 51);
    aggregate_add(&c, "count", UINT32_MAX, false);
    c.node->ncolumns = 2;
    Mode mode = {.threads = 1, .force_spill = true};
    uint64_t all = 0, spilled = 0;
    Lines lines = {0};
    Error err;
    assert_int_equal(harness_breaker(c.node, c.table, mode, 3, &lines, &all, &err), TRIB_OK);
    lines_clear(&lines);
    for (uint32_t part = 1; part < 14; part++) {
        mode.spill_limit = (int64_t)(all * part / 14);
        error_clear(&err);
        assert_int_equal(harness_breaker(c.node, c.table, mode, 3, &lines, &spilled, &err),
                         TRIB_LIMIT);
        assert_string_equal(err.sqlstate, "54000");
        assert_in_range(spilled, 1, all);
        lines_clear(&lines);
    }
    arena_free(c.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_groups),   cmocka_unit_test(test_few_groups),
        cmocka_unit_test(test_many_groups), cmocka_unit_test(test_very_many_groups),
        cmocka_unit_test(test_distinct),    cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_spills),      cmocka_unit_test(test_spill_limit),
    };
    return cmocka_run_group_tests_name("exec_aggregate", tests, NULL, NULL);
}
