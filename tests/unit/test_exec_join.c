/*
 * test_exec_join.c - joins against a naive reference that looks at every pair: all kinds, with and
 * without keys and residuals, NULLs on both sides, heavy keys, every type of key; one and several
 * threads, in memory and out of it.
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
    {.threads = 3},
    {.threads = 1, .force_spill = true, .encrypt = true},
    {.threads = 3, .force_spill = true},
    {.threads = 2, .memory = 4 << 20, .encrypt = true},
};

static const struct {
    JoinKind kind;
    const char *name;
} kinds[] = {
    {JOIN_INNER, "inner"},
    {JOIN_LEFT, "left"},
    {JOIN_RIGHT, "right"},
    {JOIN_FULL, "full"},
    {JOIN_SEMI, "semi"},
    {JOIN_ANTI, "anti"},
    {JOIN_ANTI_NULLS, "anti nulls"},
    {JOIN_MARK, "mark"},
};

/* Columns of both sides: key, second key (integer), number (bigint), payload (varchar). */
typedef struct Case {
    Arena *arena;
    Table *probe, *build;
    uint32_t nkeys;
    bool residual;
    uint64_t null_safe, null_aware;
    JoinKind kind;
    PhysNode *node;
} Case;

typedef enum { NO, YES, UNKNOWN } Truth;

static Truth keys_match(const Case *c, uint32_t p, uint32_t b) {
    Truth answer = YES;
    for (uint32_t k = 0; k < c->nkeys; k++) {
        const Value *x = &c->probe->cells[k][p], *y = &c->build->cells[k][b];
        bool safe = c->null_safe >> k & 1, aware = c->null_aware >> k & 1;
        if (x->is_null || y->is_null) {
            if (safe && x->is_null && y->is_null) continue;
            if (safe || !aware) return NO;
            answer = UNKNOWN;
            continue;
        }
        if (!value_equal(x, y)) return NO;
    }
    return answer;
}

static bool residual_holds(const Case *c, uint32_t p, uint32_t b) {
    if (!c->residual) return true;
    const Value *x = &c->probe->cells[2][p], *y = &c->build->cells[2][b];
    return !x->is_null && !y->is_null && x->as.integer < y->as.integer;
}

static void row_print(const Case *c, Lines *out, int64_t p, int64_t b, const Value *mark) {
    const Value *cells[16];
    uint32_t n = 0;
    for (uint32_t j = 0; j < c->node->as.join.nprobe_output; j++)
        cells[n++] = p < 0 ? NULL : &c->probe->cells[c->node->as.join.probe_output[j]][p];
    for (uint32_t j = 0; j < c->node->as.join.nbuild_output; j++)
        cells[n++] = b < 0 ? NULL : &c->build->cells[c->node->as.join.build_output[j]][b];
    if (c->kind == JOIN_MARK) cells[n++] = mark;
    Buf line;
    buf_init(&line, NULL, 1 << 30);
    cells_print(&line, cells, n);
    lines_add(out, line.data);
    buf_clear(&line);
}

static void reference(const Case *c, Lines *out) {
    bool *matched = calloc(c->build->nrows + 1, 1);
    bool pairs = c->kind == JOIN_INNER || c->kind == JOIN_LEFT || c->kind == JOIN_RIGHT ||
                 c->kind == JOIN_FULL;
    for (uint32_t p = 0; p < c->probe->nrows; p++) {
        bool found = false, unknown = false;
        for (uint32_t b = 0; b < c->build->nrows; b++) {
            Truth truth = keys_match(c, p, b);
            if (truth == NO || !residual_holds(c, p, b)) continue;
            unknown |= truth == UNKNOWN;
            if (truth != YES) continue;
            found = matched[b] = true;
            if (pairs)
                row_print(c, out, p, b, NULL);
            else
                break;
        }
        Value mark = {.type = TYPE(BOOLEAN), .is_null = !found && unknown};
        mark.as.integer = found;
        if ((c->kind == JOIN_LEFT || c->kind == JOIN_FULL) && !found)
            row_print(c, out, p, -1, NULL);
        if (c->kind == JOIN_SEMI && found) row_print(c, out, p, -1, NULL);
        if (c->kind == JOIN_ANTI && !found) row_print(c, out, p, -1, NULL);
        if (c->kind == JOIN_ANTI_NULLS && !found && !unknown) row_print(c, out, p, -1, NULL);
        if (c->kind == JOIN_MARK) row_print(c, out, p, -1, &mark);
    }
    for (uint32_t b = 0; b < c->build->nrows && (c->kind == JOIN_RIGHT || c->kind == JOIN_FULL);
         b++)
        if (!matched[b]) row_print(c, out, -1, b, NULL);
    free(matched);
}

static Expr *residual_make(Case *c) {
    Type types[2] = {TYPE(BIGINT), TYPE(BIGINT)};
    ResolvedFunction f;
    Error err;
    assert_int_equal(function_resolve_id(c->arena, TRIB_FN_lt, 2, types, &f, &err), TRIB_OK);
    Expr **args = ARENA_ARRAY(c->arena, Expr *, 2);
    args[0] = column_of(c->arena, c->probe, 2, 0);
    args[1] = column_of(c->arena, c->build, 2, c->probe->ncolumns);
    return expr_call(c->arena, &f, 2, args);
}

static void node_make(Case *c) {
    PhysNode *node = ARENA_NEW(c->arena, PhysNode);
    c->node = node;
    node->kind = PHYS_HASH_JOIN;
    node->nchildren = 2;
    node->children = ARENA_ARRAY(c->arena, PhysNode *, 2);
    node->children[0] = node_of(c->arena, c->probe);
    node->children[1] = node_of(c->arena, c->build);
    node->as.join.join = c->kind;
    node->as.join.nkeys = c->nkeys;
    node->as.join.null_safe = c->null_safe;
    node->as.join.null_aware = c->null_aware;
    node->as.join.probe_keys = ARENA_ARRAY(c->arena, Expr *, 3);
    node->as.join.build_keys = ARENA_ARRAY(c->arena, Expr *, 3);
    for (uint32_t k = 0; k < c->nkeys; k++) {
        node->as.join.probe_keys[k] = column_of(c->arena, c->probe, k, 0);
        node->as.join.build_keys[k] = column_of(c->arena, c->build, k, 0);
    }
    if (c->residual) node->as.join.residual = residual_make(c);
    bool both = c->kind <= JOIN_FULL;
    static uint32_t probe_output[] = {3, 0, 2}, build_output[] = {0, 3};
    node->as.join.probe_output = probe_output;
    node->as.join.nprobe_output = 3;
    node->as.join.build_output = build_output;
    node->as.join.nbuild_output = both ? 2 : 0;
    node->types = ARENA_ARRAY(c->arena, Type, 8);
    for (uint32_t j = 0; j < 3; j++)
        node->types[node->ncolumns++] = c->probe->types[probe_output[j]];
    for (uint32_t j = 0; both && j < 2; j++)
        node->types[node->ncolumns++] = c->build->types[build_output[j]];
    if (c->kind == JOIN_MARK) node->types[node->ncolumns++] = TYPE(BOOLEAN);
}

static void check(Case *c, const char *what) {
    node_make(c);
    Lines expected = {0};
    reference(c, &expected);
    for (size_t m = 0; m < COUNT_OF(modes); m++) {
        Lines actual = {0};
        Error err;
        error_clear(&err);
        char name[160];
        snprintf(name, sizeof name, "%s, %s, %u keys%s, mode %zu", what, kinds[0].name, c->nkeys,
                 c->residual ? ", residual" : "", m);
        for (size_t k = 0; k < COUNT_OF(kinds); k++)
            if (kinds[k].kind == c->kind)
                snprintf(name, sizeof name, "%s, %s, %u keys%s, safe %llu aware %llu, mode %zu",
                         what, kinds[k].name, c->nkeys, c->residual ? ", residual" : "",
                         (unsigned long long)c->null_safe, (unsigned long long)c->null_aware, m);
        Status status =
            harness_join(c->node, c->probe, c->build, modes[m], 17 + m, &actual, NULL, &err);
        if (status != TRIB_OK) print_message("%s: %s\n", name, err.message);
        assert_int_equal(status, TRIB_OK);
        lines_compare(&expected, &actual, false, name);
        lines_clear(&actual);
    }
    lines_clear(&expected);
}

static Table *side_new(Arena *arena, Type key, uint32_t nrows, uint32_t distinct, uint32_t nulls,
                       uint64_t *seed) {
    Type types[] = {key, TYPE(INTEGER), TYPE(BIGINT), type_varchar(0)};
    Table *table = table_new(arena, 4, types, nrows);
    table_fill(table, 0, seed, distinct, nulls);
    table_fill(table, 1, seed, 3, nulls);
    table_fill(table, 2, seed, 100, 8);
    table_fill(table, 3, seed, 1000, 8);
    return table;
}

static Case sides_new(Type key, uint32_t nprobe, uint32_t nbuild, uint32_t distinct, uint32_t nulls,
                      uint64_t seed) {
    Case c = {.arena = arena_new(NULL)};
    c.probe = side_new(c.arena, key, nprobe, distinct, nulls, &seed);
    c.build = side_new(c.arena, key, nbuild, distinct, nulls, &seed);
    return c;
}

static void all_kinds(Case *c, uint32_t nkeys, bool residual, const char *what) {
    c->nkeys = nkeys;
    c->residual = residual;
    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        c->kind = kinds[k].kind;
        bool in = c->kind == JOIN_ANTI_NULLS || c->kind == JOIN_MARK;
        c->null_aware = c->null_safe = 0;
        check(c, what);
        if (nkeys > 1) {
            c->null_safe = 2;
            check(c, what);
        }
        if (!in || nkeys == 0) continue;
        c->null_aware = 1;
        check(c, what);
        c->null_safe = 0;
        check(c, what);
        if (nkeys > 1) {
            c->null_aware = 3;
            check(c, what);
        }
    }
}

static void test_one_key(void **unused) {
    (void)unused;
    Case c = sides_new(TYPE(BIGINT), 3000, 1000, 900, 0, 1);
    all_kinds(&c, 1, false, "numbers");
    arena_free(c.arena);
    c = sides_new(TYPE(BIGINT), 2000, 1500, 500, 20, 2);
    all_kinds(&c, 1, false, "numbers with NULL");
    arena_free(c.arena);
}

static void test_one_key_residual(void **unused) {
    (void)unused;
    Case c = sides_new(TYPE(BIGINT), 2000, 1000, 200, 20, 3);
    all_kinds(&c, 1, true, "numbers");
    arena_free(c.arena);
}

static void test_two_keys(void **unused) {
    (void)unused;
    Case c = sides_new(type_varchar(0), 2000, 1000, 300, 20, 4);
    all_kinds(&c, 2, false, "texts");
    all_kinds(&c, 2, true, "texts");
    arena_free(c.arena);
}

static void test_no_keys(void **unused) {
    (void)unused;
    Case c = sides_new(TYPE(BIGINT), 300, 200, 50, 10, 5);
    all_kinds(&c, 0, true, "pairs");
    arena_free(c.arena);
    c = sides_new(TYPE(BIGINT), 100, 60, 50, 10, 6);
    all_kinds(&c, 0, false, "pairs");
    arena_free(c.arena);
}

static void test_empty_sides(void **unused) {
    (void)unused;
    for (uint32_t n = 0; n < 4; n++) {
        Case c = sides_new(TYPE(INTEGER), n & 1 ? 500 : 0, n & 2 ? 300 : 0, 100, 7, 7);
        all_kinds(&c, 1, false, "empty");
        all_kinds(&c, 0, false, "empty");
        all_kinds(&c, 2, true, "empty");
        arena_free(c.arena);
    }
}

/* One key has half of the rows of both sides; unique payloads, so that nothing is alike. */
static void test_heavy_key(void **unused) {
    (void)unused;
    Case c = sides_new(TYPE(BIGINT), 600, 500, 100, 0, 8);
    for (uint32_t r = 0; r < c.probe->nrows; r += 2) c.probe->cells[0][r].as.integer = 42;
    for (uint32_t r = 0; r < c.build->nrows; r += 2) c.build->cells[0][r].as.integer = 42;
    all_kinds(&c, 1, false, "heavy");
    all_kinds(&c, 1, true, "heavy");
    arena_free(c.arena);
}

/* Build rows so wide that even one key does not fit into memory when spilling is forced. */
static void build_widen(Case *c) {
    char *wide = arena_alloc(c->arena, 20000);
    memset(wide, 'w', 20000);
    for (uint32_t r = 0; r < c->build->nrows; r++) {
        char *text = arena_copy(c->arena, wide, 6000 + r);
        text[0] = (char)('a' + r % 26);
        c->build->cells[3][r] = (Value){.type = type_varchar(0)};
        c->build->cells[3][r].as.text.data = text;
        c->build->cells[3][r].as.text.length = 6000 + r;
    }
}

static void test_heavy_and_wide(void **unused) {
    (void)unused;
    Case c = sides_new(TYPE(BIGINT), 40, 700, 3, 5, 9);
    build_widen(&c);
    all_kinds(&c, 1, false, "wide");
    all_kinds(&c, 0, true, "wide");
    arena_free(c.arena);
}

static void test_large(void **unused) {
    (void)unused;
    /* too many pairs for the reference: against the first mode */
    for (uint32_t n = 0; n < 2; n++) {
        Case c = sides_new(n ? type_varchar(0) : TYPE(BIGINT), 60000, 40000, 30000, 30, 10 + n);
        c.nkeys = 1;
        for (size_t k = 0; k < COUNT_OF(kinds); k++) {
            c.kind = kinds[k].kind;
            c.null_aware = c.kind == JOIN_MARK;
            node_make(&c);
            Lines expected = {0};
            Error err;
            assert_int_equal(
                harness_join(c.node, c.probe, c.build, modes[0], 3, &expected, NULL, &err),
                TRIB_OK);
            for (size_t m = 1; m < COUNT_OF(modes); m++) {
                Lines actual = {0};
                uint64_t spilled = 0;
                assert_int_equal(harness_join(c.node, c.probe, c.build, modes[m], 3 + m, &actual,
                                              &spilled, &err),
                                 TRIB_OK);
                if (!modes[m].memory) assert_int_equal(spilled > 0, modes[m].force_spill);
                lines_compare(&expected, &actual, false, kinds[k].name);
                lines_clear(&actual);
            }
            lines_clear(&expected);
        }
        arena_free(c.arena);
    }
}

/* The disk ends at every point in turn, in the middle of splitting a partition too: the error comes,
 * and no page outlives its file (which the sanitizers see). */
static void test_spill_limit(void **unused) {
    (void)unused;
    Case c = sides_new(TYPE(BIGINT), 40, 1400, 700, 5, 21);
    build_widen(&c);
    c.nkeys = 1;
    c.kind = JOIN_FULL;
    node_make(&c);
    Mode mode = {.threads = 1, .force_spill = true};
    uint64_t all = 0, spilled = 0;
    Lines lines = {0};
    Error err;
    assert_int_equal(harness_join(c.node, c.probe, c.build, mode, 3, &lines, &all, &err), TRIB_OK);
    lines_clear(&lines);
    for (uint32_t part = 1; part < 14; part++) {
        mode.spill_limit = (int64_t)(all * part / 14);
        error_clear(&err);
        assert_int_equal(harness_join(c.node, c.probe, c.build, mode, 3, &lines, &spilled, &err),
                         TRIB_LIMIT);
        assert_string_equal(err.sqlstate, "54000");
        assert_in_range(spilled, 1, all);
        lines_clear(&lines);
    }
    arena_free(c.arena);
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
        Case c = sides_new(types[t], 400, 300, 100, 11, 20 + t);
        c.nkeys = 1;
        c.kind = JOIN_FULL;
        check(&c, name.data);
        c.kind = JOIN_INNER;
        c.null_safe = 1;
        check(&c, name.data);
        buf_clear(&name);
        arena_free(c.arena);
    }
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_key),        cmocka_unit_test(test_one_key_residual),
        cmocka_unit_test(test_two_keys),       cmocka_unit_test(test_no_keys),
        cmocka_unit_test(test_empty_sides),    cmocka_unit_test(test_heavy_key),
        cmocka_unit_test(test_heavy_and_wide), cmocka_unit_test(test_large),
        cmocka_unit_test(test_every_type),     cmocka_unit_test(test_spill_limit),
    };
    return cmocka_run_group_tests_name("exec_join", tests, NULL, NULL);
}
