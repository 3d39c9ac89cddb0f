/*
 * test_exec_sort.c - sorting and top-N: output is checked to be ordered by its keys (with an order
 * computed from literals) and to hold the same rows; ties are broken by a unique last column where
 * the exact sequence is compared.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/exec_harness.h"

static const Mode modes[] = {
    {.threads = 1},
    {.threads = 2},
    {.threads = 4},
    {.threads = 1, .force_spill = true, .encrypt = true},
    {.threads = 3, .force_spill = true},
    {.threads = 2, .memory = 4 << 20, .encrypt = true},
};

typedef struct Case {
    Arena *arena;
    Table *table; /* the last column is the row's number */
    PhysNode *node;
} Case;

static const Case *sorting;

static int row_order(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    for (uint32_t k = 0; k < sorting->node->as.sort.nkeys; k++) {
        const PhysSortKey *key = &sorting->node->as.sort.keys[k];
        const Value *u = &sorting->table->cells[key->ordinal][x],
                    *v = &sorting->table->cells[key->ordinal][y];
        if (u->is_null || v->is_null) {
            if (u->is_null && v->is_null) continue;
            return u->is_null == key->nulls_first ? -1 : 1;
        }
        int order = value_compare(u, v);
        if (order != 0) return key->descending ? -order : order;
    }
    return 0;
}

static void reference(const Case *c, Lines *out) {
    uint32_t n = c->table->nrows;
    uint32_t *rows = malloc((n + 1) * sizeof *rows);
    for (uint32_t r = 0; r < n; r++) rows[r] = r;
    sorting = c;
    qsort(rows, n, sizeof *rows, row_order);
    int64_t offset = c->node->kind == PHYS_TOPN ? c->node->as.sort.offset : 0;
    int64_t limit = c->node->kind == PHYS_TOPN ? c->node->as.sort.limit : INT64_MAX;
    for (int64_t i = offset; i < n && i - offset < limit; i++) {
        const Value *cells[16];
        for (uint32_t k = 0; k < c->table->ncolumns; k++) cells[k] = &c->table->cells[k][rows[i]];
        Buf line;
        buf_init(&line, NULL, 1 << 30);
        cells_print(&line, cells, c->table->ncolumns);
        lines_add(out, line.data);
        buf_clear(&line);
    }
    free(rows);
}

static Case case_new(uint32_t ncolumns, const Type *types, uint32_t nrows, uint32_t distinct,
                     uint32_t nulls, uint64_t seed) {
    Case c = {.arena = arena_new(NULL)};
    Type all[8];
    for (uint32_t i = 0; i < ncolumns; i++) all[i] = types[i];
    all[ncolumns] = TYPE(INTEGER);
    c.table = table_new(c.arena, ncolumns + 1, all, nrows);
    for (uint32_t i = 0; i < ncolumns; i++) table_fill(c.table, i, &seed, distinct, nulls);
    for (uint32_t r = 0; r < nrows; r++) {
        c.table->cells[ncolumns][r] = (Value){.type = TYPE(INTEGER)};
        c.table->cells[ncolumns][r].as.integer = (int64_t)((r * UINT64_C(2654435761)) % 1000003);
    }
    c.node = ARENA_NEW(c.arena, PhysNode);
    c.node->kind = PHYS_SORT;
    c.node->nchildren = 1;
    c.node->children = ARENA_ARRAY(c.arena, PhysNode *, 1);
    c.node->children[0] = node_of(c.arena, c.table);
    c.node->ncolumns = ncolumns + 1;
    c.node->types = c.table->types;
    PhysSortKey *keys = ARENA_ARRAY(c.arena, PhysSortKey, ncolumns + 1);
    for (uint32_t k = 0; k <= ncolumns; k++)
        keys[k] = (PhysSortKey){
            .ordinal = k, .descending = (seed >> k) & 1, .nulls_first = (seed >> (k + 3)) & 1};
    c.node->as.sort.keys = keys;
    c.node->as.sort.nkeys = ncolumns + 1;
    return c;
}

static void check(Case *c, const char *what) {
    Lines expected = {0};
    reference(c, &expected);
    for (size_t m = 0; m < COUNT_OF(modes); m++) {
        Lines actual = {0};
        Error err;
        error_clear(&err);
        char name[160];
        snprintf(name, sizeof name, "%s, mode %zu", what, m);
        Status status = harness_breaker(c->node, c->table, modes[m], 23 + m, &actual, NULL, &err);
        if (status != TRIB_OK) print_message("%s: %s\n", name, err.message);
        assert_int_equal(status, TRIB_OK);
        lines_compare(&expected, &actual, true, name);
        lines_clear(&actual);
    }
    lines_clear(&expected);
}

static void test_sizes(void **unused) {
    (void)unused;
    Type type = TYPE(BIGINT);
    uint32_t sizes[] = {0, 1, 2, 20, 2047, 2049, 30000, 120000};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        Case c = case_new(1, &type, sizes[i], 5000, 9, 100 + i);
        check(&c, "sizes");
        arena_free(c.arena);
    }
}

static void test_directions(void **unused) {
    (void)unused;
    Type types[] = {TYPE(INTEGER), type_varchar(0), type_decimal(38, 2)};
    for (uint64_t seed = 0; seed < 16; seed++) {
        Case c = case_new(3, types, 4000, 12, 6, seed * 7919 + 1);
        PhysSortKey *keys = c.node->as.sort.keys;
        for (uint32_t k = 0; k < 2; k++) {
            keys[k].descending = seed >> k & 1;
            keys[k].nulls_first = seed >> (k + 2) & 1;
        }
        check(&c, "directions");
        arena_free(c.arena);
    }
}

static void test_texts(void **unused) {
    (void)unused;
    Type types[] = {type_varchar(0), type_varchar(0)};
    Case c = case_new(2, types, 30000, 8000, 50, 31);
    check(&c, "texts");
    arena_free(c.arena);
    Type bounded[] = {type_varchar(2), type_char(1)};
    c = case_new(2, bounded, 30000, 20, 0, 32);
    check(&c, "short texts");
    arena_free(c.arena);
    /* Bytes 0 and 1, prefixes of one another, and a common prefix longer than any key. */
    static const char *const odd[] = {"",    "\0",   "\0\0", "\1", "\0\1", "a",
                                      "a\0", "a\0b", "a\1",  "ab", "b"};
    static const size_t lengths[] = {0, 1, 2, 1, 2, 1, 2, 3, 2, 2, 1};
    for (int shared = 0; shared < 2; shared++) {
        c = case_new(2, types, 3000, 3, 9, 33);
        uint64_t random = 5;
        for (uint32_t r = 0; r < c.table->nrows; r++) {
            size_t i = harness_random(&random) % COUNT_OF(odd);
            char *text = arena_alloc(c.arena, 64);
            memset(text, 'z', 40);
            memcpy(text + (shared ? 40 : 0), odd[i], lengths[i]);
            c.table->cells[0][r] = (Value){.type = types[0]};
            c.table->cells[0][r].as.text.data = text;
            c.table->cells[0][r].as.text.length = lengths[i] + (shared ? 40 : 0);
        }
        check(&c, "odd texts");
        arena_free(c.arena);
    }
}

static void test_every_type(void **unused) {
    (void)unused;
    Arena *arena = arena_new(NULL);
    Type types[TYPES_MOST];
    uint32_t count = types_every(arena, true, types);
    for (uint32_t t = 0; t < count; t++) {
        Buf name;
        buf_init(&name, NULL, 1000);
        type_print(&name, types[t]);
        Case c = case_new(1, &types[t], 6000, 300, 11, 40 + t * 5);
        check(&c, name.data);
        buf_clear(&name);
        arena_free(c.arena);
    }
    arena_free(arena);
}

static void test_topn(void **unused) {
    (void)unused;
    Type types[] = {TYPE(BIGINT), type_varchar(0)};
    struct {
        int64_t limit, offset;
    } limits[] = {{0, 0},      {1, 0},     {10, 0},      {10, 5},
                  {1000, 100}, {20000, 0}, {100000, 10}, {5, 100000}};
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        for (uint32_t first = 0; first < 2; first++) {
            Case c = case_new(2, types, 60000, 3000, 9, 60 + i);
            c.node->kind = PHYS_TOPN;
            c.node->as.sort.limit = limits[i].limit;
            c.node->as.sort.offset = limits[i].offset;
            if (first) { /* text first */
                PhysSortKey *keys = c.node->as.sort.keys, key = keys[0];
                keys[0] = keys[1];
                keys[1] = key;
            }
            check(&c, "top n");
            arena_free(c.arena);
        }
    }
}

static void test_many_runs(void **unused) {
    (void)unused;
    Type types[] = {TYPE(BIGINT), type_varchar(0), type_varchar(0), type_varchar(0)};
    Case c = case_new(4, types, 150000, 100000, 9, 71);
    check(&c, "many runs");
    arena_free(c.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes), cmocka_unit_test(test_directions),
        cmocka_unit_test(test_texts), cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_topn),  cmocka_unit_test(test_many_runs),
    };
    return cmocka_run_group_tests_name("exec_sort", tests, NULL, NULL);
}
