/*
 * test_exec_window.c - window functions against the definition, row by row: random partitions, orders and
 * values with NULLs and ties, all kinds of frames; in memory and on disk, by one and several workers.
 *
 * Columns: 0 p, 1 o (the order), 2 x, 3 s (text), 4 k (0..6), 5 below = o - 9, 6 above = o + 9, 7 id.
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

enum { P, O, X, S, K, BELOW, ABOVE, ID, COLUMNS };
enum { MOST_WINDOWS = 16, REACH = 9 };

static const Mode modes[] = {
    {.threads = 1},
    {.threads = 2},
    {.threads = 4},
    {.threads = 1, .force_spill = true, .encrypt = true},
    {.threads = 3, .force_spill = true},
    {.threads = 2, .memory = 4 << 20},
};

typedef struct Case {
    Arena *arena;
    Table *table;
    PhysNode *node;
    PhysWindow windows[MOST_WINDOWS];
    uint32_t *sorted;    /* rows by partition and order */
    uint64_t *from, *to; /* of each sorted row's partition */
} Case;

/* ---------------------------------------------------------------- the case */

static void fill_helpers(Table *t) {
    for (uint32_t r = 0; r < t->nrows; r++) {
        const Value *o = &t->cells[O][r];
        for (int c = 0; c < 2; c++) {
            Value *limit = &t->cells[c ? ABOVE : BELOW][r];
            *limit = (Value){.type = TYPE(BIGINT), .is_null = o->is_null};
            limit->as.integer = o->as.integer + (c ? REACH : -REACH);
        }
        t->cells[K][r] = (Value){.type = TYPE(BIGINT)};
        t->cells[K][r].as.integer = r % 7;
        t->cells[ID][r] = (Value){.type = TYPE(BIGINT)};
        t->cells[ID][r].as.integer = (int64_t)((r * UINT64_C(2654435761)) % 1000003);
    }
}

static Expr *constant(Arena *arena, int64_t n) {
    Value v = {.type = TYPE(BIGINT)};
    v.as.integer = n;
    return expr_constant(arena, v);
}

typedef struct Bound {
    FrameBoundKind kind;
    int64_t rows; /* ROWS, GROUPS; -1: column K */
} Bound;

/* Adds a function to the node: an aggregate, or a window function by its overload's number of arguments. */
static void add(Case *c, const char *name, uint32_t nargs, const uint32_t *columns, uint32_t norder,
                FrameUnit unit, Bound start, Bound end) {
    PhysNode *node = c->node;
    PhysWindow *w = &c->windows[node->as.window.nwindows++];
    WindowCall *call = ARENA_NEW(c->arena, WindowCall);
    Expr **args = ARENA_ARRAY(c->arena, Expr *, nargs + 10);
    Type types[4];
    uint32_t n = 0;
    for (; n < nargs; n++) {
        args[n] = column_of(c->arena, c->table, columns[n], 0);
        types[n] = args[n]->type;
    }
    ResolvedWindowFunction f = {0};
    ResolvedAggregate a = {0};
    Error err;
    Str named = str_from(name);
    if (window_function_exists(named))
        assert_int_equal(window_function_resolve(c->arena, named, nargs, types, &f, &err), TRIB_OK);
    else
        assert_int_equal(aggregate_resolve(c->arena, named, nargs, types, &a, &err), TRIB_OK);
    *call = (WindowCall){.function = f.function,
                         .aggregate = a.aggregate,
                         .ncall = nargs,
                         .filter = NO_ARG,
                         .norder = norder,
                         .unit = (uint8_t)unit};
    Bound bounds[2] = {start, end};
    for (int e = 0; e < 2; e++) {
        FrameBound *b = e ? &call->end : &call->start;
        *b = (FrameBound){(uint8_t)bounds[e].kind, NO_ARG, NO_ARG, NO_ARG};
        if (bounds[e].kind != BOUND_PRECEDING && bounds[e].kind != BOUND_FOLLOWING) continue;
        b->offset = n;
        args[n++] = bounds[e].rows < 0 ? column_of(c->arena, c->table, K, 0)
                                       : constant(c->arena, bounds[e].rows);
        if (unit != FRAME_RANGE) continue;
        bool less = (bounds[e].kind == BOUND_PRECEDING) != node->as.window.keys[1].descending;
        b->key = n;
        args[n++] = column_of(c->arena, c->table, O, 0);
        b->limit = n;
        args[n++] = column_of(c->arena, c->table, less ? BELOW : ABOVE, 0);
    }
    WindowOrder *directions = ARENA_ARRAY(c->arena, WindowOrder, 2);
    for (uint32_t k = 0; k < 2; k++)
        directions[k] = (WindowOrder){node->as.window.keys[1 + k].descending,
                                      node->as.window.keys[1 + k].nulls_first};
    call->directions = directions;
    *w = (PhysWindow){
        .call = call, .nargs = n, .args = args, .result = f.function ? f.result : a.result};
    node->types[node->ncolumns++] = w->result;
}

static Case case_new(uint32_t nrows, uint32_t partitions, uint32_t orders, uint64_t seed) {
    Case c = {.arena = arena_new(NULL)};
    Type types[COLUMNS] = {TYPE(INTEGER), TYPE(BIGINT), TYPE(BIGINT), type_varchar(0),
                           TYPE(BIGINT),  TYPE(BIGINT), TYPE(BIGINT), TYPE(BIGINT)};
    c.table = table_new(c.arena, COLUMNS, types, nrows);
    table_fill(c.table, P, &seed, partitions, partitions > 1 ? 5 : 0);
    table_fill(c.table, O, &seed, orders, 6);
    table_fill(c.table, X, &seed, 300, 4);
    table_fill(c.table, S, &seed, 40, 4);
    fill_helpers(c.table);
    c.node = ARENA_NEW(c.arena, PhysNode);
    c.node->kind = PHYS_WINDOW;
    c.node->nchildren = 1;
    c.node->children = ARENA_ARRAY(c.arena, PhysNode *, 1);
    c.node->children[0] = node_of(c.arena, c.table);
    c.node->types = ARENA_ARRAY(c.arena, Type, 1 + MOST_WINDOWS);
    c.node->types[0] = TYPE(BIGINT);
    c.node->ncolumns = 1;
    PhysSortKey *keys = ARENA_ARRAY(c.arena, PhysSortKey, 3);
    keys[0] = (PhysSortKey){.ordinal = P};
    keys[1] = (PhysSortKey){.ordinal = O, .descending = seed & 1, .nulls_first = seed >> 1 & 1};
    keys[2] = (PhysSortKey){.ordinal = ID, .descending = seed >> 2 & 1};
    c.node->as.window.keys = keys;
    c.node->as.window.nkeys = 3;
    c.node->as.window.npartition = 1;
    c.node->as.window.npass = 1;
    c.node->as.window.pass = ARENA_ARRAY(c.arena, uint32_t, 1);
    c.node->as.window.pass[0] = ID;
    return c;
}

/* ---------------------------------------------------------------- the definition */

static const Case *sorting;

static int compare_keys(const Case *c, uint32_t x, uint32_t y, uint32_t count) {
    for (uint32_t k = 0; k < count; k++) {
        const PhysSortKey *key = &c->node->as.window.keys[k];
        const Value *u = &c->table->cells[key->ordinal][x], *v = &c->table->cells[key->ordinal][y];
        if (u->is_null || v->is_null) {
            if (u->is_null && v->is_null) continue;
            return u->is_null == key->nulls_first ? -1 : 1;
        }
        int order = value_compare(u, v);
        if (order != 0) return key->descending ? -order : order;
    }
    return 0;
}

static int row_order(const void *a, const void *b) {
    return compare_keys(sorting, *(const uint32_t *)a, *(const uint32_t *)b, 3);
}

static void sort_rows(Case *c) {
    uint32_t n = c->table->nrows;
    c->sorted = ARENA_ARRAY(c->arena, uint32_t, n);
    c->from = ARENA_ARRAY(c->arena, uint64_t, n);
    c->to = ARENA_ARRAY(c->arena, uint64_t, n);
    for (uint32_t r = 0; r < n; r++) c->sorted[r] = r;
    sorting = c;
    qsort(c->sorted, n, sizeof *c->sorted, row_order);
    for (uint32_t i = 0; i < n; i++) {
        bool begins = i == 0 || compare_keys(c, c->sorted[i - 1], c->sorted[i], 1) != 0;
        c->from[i] = begins ? i : c->from[i - 1];
    }
    for (uint32_t i = n; i-- > 0;)
        c->to[i] = i + 1 < n && c->from[i + 1] == c->from[i] ? c->to[i + 1] : i + 1;
}

static const Value *cell(const Case *c, uint64_t i, uint32_t column) {
    return &c->table->cells[column][c->sorted[i]];
}

static bool are_peers(const Case *c, uint64_t i, uint64_t j, uint32_t norder) {
    return compare_keys(c, c->sorted[i], c->sorted[j], 1 + norder) == 0;
}

/* Number of groups of peers between two rows, j at or before i. */
static int64_t group_distance(const Case *c, uint64_t j, uint64_t i, uint32_t norder) {
    int64_t n = 0;
    for (uint64_t r = j; r < i; r++) n += !are_peers(c, r, r + 1, norder);
    return n;
}

/* Is row j on the inner side of a bound of row i's frame? */
static bool within(const Case *c, const PhysWindow *w, bool end, uint64_t i, uint64_t j) {
    const WindowCall *call = w->call;
    const FrameBound *b = end ? &call->end : &call->start;
    if (b->kind == BOUND_UNBOUNDED_PRECEDING || b->kind == BOUND_UNBOUNDED_FOLLOWING) return true;
    int64_t far = (int64_t)j - (int64_t)i, n = 0; /* how far j is behind i */
    if (b->offset != NO_ARG) {
        const Expr *e = w->args[b->offset];
        n = e->kind == EXPR_CONSTANT ? e->as.value.as.integer : cell(c, i, K)->as.integer;
        if (b->kind == BOUND_PRECEDING) n = -n;
    }
    if (call->unit == FRAME_RANGE && b->offset != NO_ARG && !cell(c, i, O)->is_null) {
        const PhysSortKey *key = &c->node->as.window.keys[1];
        const Value *other = cell(c, j, O);
        if (other->is_null) return end ? key->nulls_first : !key->nulls_first;
        int64_t by = other->as.integer - cell(c, i, O)->as.integer;
        if (key->descending) by = -by;
        int64_t limit = b->kind == BOUND_PRECEDING ? -REACH : REACH;
        return end ? by <= limit : by >= limit;
    }
    if (call->unit != FRAME_ROWS) {
        bool peers = are_peers(c, i, j, call->norder);
        if (call->unit == FRAME_RANGE) return peers || (end ? far < 0 : far > 0);
        far =
            j < i ? -group_distance(c, j, i, call->norder) : group_distance(c, i, j, call->norder);
    }
    return end ? far <= n : far >= n;
}

static Value number(int64_t n) {
    Value v = {.type = TYPE(BIGINT)};
    v.as.integer = n;
    return v;
}

static Value null_of(Type type) {
    return (Value){.type = type, .is_null = true};
}

/* Values of the column within the frame: counted, added up, the least, the greatest, the first, the last. */
static Value framed(const Case *c, const PhysWindow *w, const char *name, uint64_t i) {
    uint32_t column = w->call->ncall ? w->args[0]->as.ordinal : ID;
    Value result = strcmp(name, "count") == 0 ? number(0) : null_of(w->result);
    bool first = true;
    for (uint64_t j = c->from[i]; j < c->to[i]; j++) {
        if (!within(c, w, false, i, j) || !within(c, w, true, i, j)) continue;
        const Value *v = cell(c, j, column);
        if (strcmp(name, "first_value") == 0) {
            if (first) result = *v;
        } else if (strcmp(name, "last_value") == 0) {
            result = *v;
        } else if (!v->is_null && strcmp(name, "count") == 0) {
            result.as.integer++;
        } else if (!v->is_null && strcmp(name, "sum") == 0) {
            result = number((result.is_null ? 0 : result.as.integer) + v->as.integer);
        } else if (!v->is_null) {
            int order = result.is_null ? 0 : value_compare(v, &result);
            if (result.is_null || (strcmp(name, "min") == 0 ? order < 0 : order > 0)) result = *v;
        }
        first = false;
    }
    return result;
}

static Value expected_value(const Case *c, const PhysWindow *w, uint64_t i) {
    const WindowCall *call = w->call;
    const char *name = call->function ? call->function->name : call->aggregate->name;
    uint64_t from = c->from[i], to = c->to[i], peer = i;
    while (peer > from && are_peers(c, peer - 1, i, call->norder)) peer--;
    if (strcmp(name, "row_number") == 0) return number((int64_t)(i - from) + 1);
    if (strcmp(name, "rank") == 0) return number((int64_t)(peer - from) + 1);
    if (strcmp(name, "dense_rank") == 0)
        return number(group_distance(c, from, i, call->norder) + 1);
    bool lag = strcmp(name, "lag") == 0;
    if (!lag && strcmp(name, "lead") != 0) return framed(c, w, name, i);
    uint64_t by = (uint64_t)cell(c, i, K)->as.integer;
    uint32_t column = w->args[0]->as.ordinal;
    bool there = lag ? i - from >= by : to - i > by;
    return there ? *cell(c, lag ? i - by : i + by, column) : *cell(c, i, w->args[2]->as.ordinal);
}

static void reference(Case *c, Lines *out) {
    sort_rows(c);
    for (uint32_t i = 0; i < c->table->nrows; i++) {
        const Value *cells[1 + MOST_WINDOWS];
        Value values[MOST_WINDOWS];
        cells[0] = cell(c, i, ID);
        for (uint32_t w = 0; w < c->node->as.window.nwindows; w++) {
            values[w] = expected_value(c, &c->windows[w], i);
            cells[1 + w] = &values[w];
        }
        Buf line;
        buf_init(&line, NULL, 1 << 30);
        cells_print(&line, cells, 1 + c->node->as.window.nwindows);
        lines_add(out, line.data);
        buf_clear(&line);
    }
    lines_sort(out);
}

static void check(Case *c, bool must_spill, const char *what) {
    Lines expected = {0};
    c->node->as.window.windows = c->windows;
    reference(c, &expected);
    for (size_t m = 0; m < COUNT_OF(modes); m++) {
        Lines actual = {0};
        Error err;
        error_clear(&err);
        char name[160];
        uint64_t spilled = 0;
        snprintf(name, sizeof name, "%s, mode %zu", what, m);
        Status status =
            harness_breaker(c->node, c->table, modes[m], 31 + m, &actual, &spilled, &err);
        if (status != TRIB_OK) print_message("%s: %s\n", name, err.message);
        assert_int_equal(status, TRIB_OK);
        if (must_spill && modes[m].force_spill) assert_true(spilled > 0);
        lines_sort(&actual);
        lines_compare(&expected, &actual, true, name);
        lines_clear(&actual);
    }
    lines_clear(&expected);
    arena_free(c->arena);
}

/* ---------------------------------------------------------------- the tests */

static const Bound first = {BOUND_UNBOUNDED_PRECEDING, 0}, last = {BOUND_UNBOUNDED_FOLLOWING, 0},
                   current = {BOUND_CURRENT, 0};

static Bound before(int64_t rows) {
    return (Bound){BOUND_PRECEDING, rows};
}

static Bound behind(int64_t rows) {
    return (Bound){BOUND_FOLLOWING, rows};
}

/* Functions of all kinds; `wide` adds frames that are longer than what is added up row by row. */
static void add_all(Case *c, bool wide) {
    uint32_t x[] = {X}, s[] = {S}, shift[] = {X, K, ID};
    add(c, "row_number", 0, NULL, 2, FRAME_RANGE, first, current);
    add(c, "rank", 0, NULL, 1, FRAME_RANGE, first, current);
    add(c, "dense_rank", 0, NULL, 1, FRAME_RANGE, first, current);
    add(c, "lag", 3, shift, 2, FRAME_RANGE, first, current);
    add(c, "lead", 3, shift, 2, FRAME_RANGE, first, current);
    add(c, "sum", 1, x, 1, FRAME_RANGE, first, current);
    add(c, "count", 1, s, 0, FRAME_RANGE, first, last);
    add(c, "max", 1, s, 2, FRAME_ROWS, before(3), behind(1));
    add(c, "sum", 1, x, 2, FRAME_ROWS, wide ? before(400) : before(2), before(1));
    add(c, "min", 1, x, 2, FRAME_ROWS, wide ? before(300) : before(5), behind(wide ? 200 : 2));
    add(c, "count", 1, x, 1, FRAME_RANGE, before(REACH), behind(REACH));
    add(c, "last_value", 1, s, 1, FRAME_RANGE, behind(REACH), last);
    add(c, "first_value", 1, s, 2, FRAME_ROWS, before(-1), behind(-1));
    add(c, "max", 1, x, 2, FRAME_ROWS, before(-1), wide ? behind(250) : current);
    if (!wide) add(c, "sum", 1, x, 1, FRAME_GROUPS, before(1), behind(-1));
    if (!wide) add(c, "min", 1, s, 1, FRAME_GROUPS, before(-1), before(0));
}

static void test_sizes(void **unused) {
    (void)unused;
    uint32_t sizes[] = {0, 1, 2, 20, 300, 2049};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        Case c = case_new(sizes[i], 30, 12, 1000 + i);
        add_all(&c, false);
        check(&c, false, "sizes");
    }
}

static void test_directions(void **unused) {
    (void)unused;
    for (uint64_t seed = 0; seed < 8; seed++) {
        Case c = case_new(400, 5, 25, seed * 7919 + 3);
        for (uint32_t k = 1; k < 3; k++) {
            c.node->as.window.keys[k].descending = seed >> (k - 1) & 1;
            c.node->as.window.keys[k].nulls_first = seed >> 2 & 1;
        }
        add_all(&c, false);
        check(&c, false, "directions");
    }
}

/* Frames that need the tree, in one partition and in a few. */
static void test_wide_frames(void **unused) {
    (void)unused;
    for (uint32_t partitions = 1; partitions <= 3; partitions += 2) {
        Case c = case_new(1500, partitions, 400, 77 + partitions);
        add_all(&c, true);
        check(&c, false, "wide frames");
    }
}

/* Many more rows than the memory of a run that must spill. */
static void test_large(void **unused) {
    (void)unused;
    uint32_t x[] = {X}, s[] = {S}, shift[] = {S, K, S};
    Case c = case_new(60000, 3000, 2000, 5);
    add(&c, "row_number", 0, NULL, 2, FRAME_RANGE, first, current);
    add(&c, "sum", 1, x, 2, FRAME_ROWS, first, current);
    add(&c, "lead", 3, shift, 2, FRAME_RANGE, first, current);
    add(&c, "max", 1, s, 2, FRAME_ROWS, before(2), behind(2));
    check(&c, true, "large");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_directions),
        cmocka_unit_test(test_wide_frames),
        cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
