/*
 * test_exec_unnest.c - UNNEST against a naive expansion of literals: arrays, maps, arrays of rows, several
 * arguments of different lengths, NULL at each level, flat and dictionary inputs, selections, output batches
 * that end in the middle of a row, kept empty rows, ordinality; a row of more elements than a batch.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/exec_harness.h"

#define ROWS    40
#define COLUMNS 4 /* number, array(varchar), map(integer, varchar), array(row(bigint, varchar)) */

static Error error;

static void ok(Status status) {
    if (status != TRIB_OK) fail_msg("%s: %s", error.sqlstate, error.message);
}

static Type typ(Arena *arena, const char *text) {
    Type type;
    ok(type_parse(arena, str_from(text), &type, &error));
    return type;
}

static Value null_of(Type type) {
    return (Value){.type = type, .is_null = true};
}

/* A value of any type: lists of `length` elements, some of them NULL; keys of maps differ. */
static Value make(Arena *arena, Type type, uint32_t length, uint64_t *random) {
    if (!type_is_nested(type)) return value_numbered(arena, type, harness_random(random) % 50);
    const TribTypeFields *f = type.fields;
    uint32_t count = type.id == TRIB_TYPE_ROW
    ? 1 : length;
    Value value = {.type = type};
    Value *items = ARENA_ARRAY(arena, Value, (size_t)count * f->count);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t c = 0; c < f->count; c++) {
            bool key = type.id == TRIB_TYPE_MAP && c == 0;
            bool null = !key && harness_random(random) % 4 == 0;
            items[i * f->count + c] = null  ? null_of(f->field[c].type)
                                      : key ? value_numbered(arena, f->field[c].type, i)
                                            : make(arena, f->field[c].type, length, random);
        }
    }
    value.as.items.values = items;
    value.as.items.count = (size_t)count * f->count;
    return value;
}

static Table *table_of(Arena *arena, uint64_t seed, uint32_t most) {
    const Type types[COLUMNS] = {TYPE(INTEGER), typ(arena, "array(varchar)"),
                                 typ(arena, "map(integer, varchar)"),
                                 typ(arena, "array(row(a bigint, b varchar))")};
    Table *table = table_new(arena, COLUMNS, types, ROWS);
    for (uint32_t r = 0; r < ROWS; r++) {
        table->cells[0][r] = value_numbered(arena, types[0], r);
        for (uint32_t c = 1; c < COLUMNS; c++) {
            bool null = harness_random(&seed) % 5 == 0;
            uint32_t length = (uint32_t)(harness_random(&seed) % (most + 1));
            table->cells[c][r] = null ? null_of(types[c]) : make(arena, types[c], length, &seed);
        }
    }
    return table;
}

/* ---------------------------------------------------------------- the reference */

static const Value *item(const Value *list, uint32_t step, uint32_t element, uint32_t field) {
    if (list->is_null || (element + 1) * step > list->as.items.count) return NULL;
    return &list->as.items.values[element * step + field];
}

static void line_add(Lines *out, const Value *const *cells, uint32_t count) {
    Buf line;
    buf_init(&line, NULL, 1 << 20);
    cells_print(&line, cells, count);
    lines_add(out, line.data);
    buf_clear(&line);
}

/* number, element, key, value, a, b, ordinality */
static void reference_row(const Table *t, uint32_t row, bool keep, Lines *out) {
    const Value *array = &t->cells[1][row], *map = &t->cells[2][row], *rows = &t->cells[3][row];
    uint32_t length = 0;
    for (uint32_t e = 0; item(array, 1, e, 0) || item(map, 2, e, 0) || item(rows, 1, e, 0); e++)
        length++;
    uint32_t lines = length == 0 && keep ? 1 : length;
    for (uint32_t e = 0; e < lines; e++) {
        Value ordinal = {.type = TYPE(BIGINT), .is_null = length == 0};
        ordinal.as.integer = (int64_t)e + 1;
        const Value *pair = item(rows, 1, e, 0);
        bool fields = pair != NULL && !pair->is_null;
        const Value *cells[] = {&t->cells[0][row],
                                item(array, 1, e, 0),
                                item(map, 2, e, 0),
                                item(map, 2, e, 1),
                                fields ? &pair->as.items.values[0] : NULL,
                                fields ? &pair->as.items.values[1] : NULL,
                                &ordinal};
        line_add(out, cells, 7);
    }
}

/* ---------------------------------------------------------------- the operator */

static PhysNode *unnest_node(Arena *arena, const Table *table, bool keep) {
    static uint32_t kept[] = {0};
    static UnnestColumn columns[] = {{0, 0}, {1, 0}, {1, 1}, {2, 0}, {2, 1}, {3, 0}};
    PhysNode *node = ARENA_NEW(arena, PhysNode);
    node->kind = PHYS_UNNEST;
    node->ncolumns = 7;
    node->nchildren = 1;
    node->children = ARENA_ARRAY(arena, PhysNode *, 1);
    node->children[0] = node_of(arena, table);
    node->as.unnest.nargs = 3;
    node->as.unnest.args = ARENA_ARRAY(arena, Expr *, 3);
    for (uint32_t i = 0; i < 3; i++) node->as.unnest.args[i] = column_of(arena, table, i + 1, 0);
    node->as.unnest.nkept = 1;
    node->as.unnest.kept = kept;
    node->as.unnest.columns = columns;
    node->as.unnest.keep_empty = keep;
    return node;
}

/* The table's columns; as dictionaries whose entries stand in the opposite order. */
static Batch input_of(Arena *arena, const Table *t, bool dictionary) {
    Batch in;
    batch_init(&in, arena);
    ok(batch_columns(&in, COLUMNS, &error));
    in.count = in.selected = ROWS;
    for (uint32_t c = 0; c < COLUMNS; c++) {
        Vector flat;
        uint32_t *indices = ARENA_ARRAY(arena, uint32_t, ROWS);
        ok(vector_new(arena, t->types[c], ROWS, &flat, &error));
        for (uint32_t r = 0; r < ROWS; r++) {
            uint32_t at = dictionary ? ROWS - 1 - r : r;
            indices[r] = at;
            ok(vector_set(arena, &flat, at, &t->cells[c][r], &error));
        }
        in.columns[c] = flat;
        if (!dictionary) continue;
        Vector *entries = ARENA_NEW(arena, Vector);
        *entries = flat;
        in.columns[c] = (Vector){.type = flat.type,
                                 .physical = flat.physical,
                                 .form = VECTOR_DICTIONARY,
                                 .capacity = ROWS,
                                 .indices = indices,
                                 .entries = ROWS,
                                 .nchildren = 1,
                                 .children = entries};
    }
    return in;
}

static void batch_lines(Arena *arena, const Batch *batch, Lines *out) {
    for (uint32_t r = 0; r < batch->selected; r++) {
        Value values[7];
        const Value *cells[7];
        for (uint32_t c = 0; c < 7; c++) {
            ok(vector_value(arena, &batch->columns[c], batch_row(batch, r), &values[c], &error));
            cells[c] = values[c].is_null ? NULL : &values[c];
        }
        line_add(out, cells, 7);
    }
}

/* Gives the input until it is done; every batch but the last is full: the arguments are columns. */
static void run(Arena *arena, const PhysNode *node, Batch *in, uint32_t batch_rows, Lines *out) {
    Query query = {.arena = arena, .workers = 1, .batch_rows = batch_rows};
    OpContext context = {.node = node,
                         .role = ROLE_TRANSFORM,
                         .query = &query,
                         .workers = 1,
                         .local = arena_alloc(arena, op_unnest.local_size),
                         .arena = arena};
    Step step = STEP_HAVE_OUTPUT;
    ok(op_unnest.local_open(&context, &error));
    for (int round = 0; round < 2; round++) { /* the second input finds a clean state */
        Lines ignored = {0};
        for (step = STEP_HAVE_OUTPUT; step == STEP_HAVE_OUTPUT;) {
            Batch batch;
            batch_init(&batch, arena);
            ok(op_unnest.process(&context, in, &batch, &step, &error));
            if (step == STEP_NEED_INPUT) break;
            assert_true(batch.count <= batch_rows);
            if (step == STEP_HAVE_OUTPUT) assert_int_equal(batch.count, batch_rows);
            batch_lines(arena, &batch, round == 0 ? out : &ignored);
        }
        if (round == 1) assert_int_equal(ignored.count, out->count);
        lines_clear(&ignored);
    }
}

static void test_expansion(void **state) {
    static const uint32_t sizes[] = {1, 3, 7, 64, 2048};
    for (uint64_t seed = 1; seed <= 12; seed++) {
        Arena *arena = arena_new(NULL);
        Table *table = table_of(arena, seed, seed % 3 == 0 ? 40 : 4);
        for (uint32_t variant = 0; variant < 8; variant++) {
            bool keep = variant & 1, dictionary = variant & 2, selected = variant & 4;
            uint16_t selection[ROWS];
            Lines expected = {0}, actual = {0};
            Batch in = input_of(arena, table, dictionary);
            in.selected = 0;
            for (uint32_t r = 0; r < ROWS; r++) {
                if (selected && (r * seed) % 3 == 0) continue;
                selection[in.selected++] = (uint16_t)r;
                reference_row(table, r, keep, &expected);
            }
            if (selected) in.selection = selection;
            run(arena, unnest_node(arena, table, keep), &in, sizes[(seed + variant) % 5], &actual);
            lines_compare(&expected, &actual, true, "unnest");
            lines_clear(&expected);
            lines_clear(&actual);
        }
        arena_free(arena);
    }
}

/* A row of many elements passes in pieces whose memory does not grow with it. */
static void test_long_row(void **state) {
    enum { ELEMENTS = 300000 };
    Arena *arena = arena_new(NULL), *piece = arena_new(arena);
    Type array = typ(arena, "array(bigint)");
    Type types[COLUMNS] = {array, array, array, array}; /* unnest_node() makes arguments of all */
    Vector list;
    Batch in, out;
    Table table = {.arena = arena, .ncolumns = 1, .nrows = 1, .types = types};
    PhysNode *node = unnest_node(arena, &table, false);
    UnnestColumn columns[] = {{0, 0}, {1, 0}};
    node->as.unnest.nargs = 1;
    node->as.unnest.args[0] = column_of(arena, &table, 0, 0);
    node->as.unnest.nkept = 0;
    node->as.unnest.columns = columns;
    node->ncolumns = 2;
    ok(vector_new(arena, types[0], 1, &list, &error));
    ok(vector_reserve(arena, &list.children[0], ELEMENTS, &error));
    for (int64_t i = 0; i < ELEMENTS; i++) ((int64_t *)list.children[0].data)[i] = i;
    list.entries = ELEMENTS;
    *(ListEntry *)list.data = (ListEntry){0, ELEMENTS};
    batch_init(&in, arena);
    in.columns = &list;
    in.ncolumns = in.count = in.selected = 1;
    Query query = {.arena = arena, .workers = 1, .batch_rows = BATCH_ROWS};
    OpContext context = {.node = node,
                         .role = ROLE_TRANSFORM,
                         .query = &query,
                         .workers = 1,
                         .local = arena_alloc(arena, op_unnest.local_size),
                         .arena = arena};
    ok(op_unnest.local_open(&context, &error));
    int64_t next = 0;
    for (Step step = STEP_HAVE_OUTPUT; step == STEP_HAVE_OUTPUT;) {
        arena_reset(piece);
        batch_init(&out, piece);
        ok(op_unnest.process(&context, &in, &out, &step, &error));
        assert_true(arena_bytes(piece) < 1 << 18);
        for (uint32_t i = 0; i < out.count; i++, next++) {
            assert_int_equal(*(const int64_t *)vector_at(&out.columns[0], i), next);
            assert_int_equal(*(const int64_t *)vector_at(&out.columns[1], i), next + 1);
        }
    }
    assert_int_equal(next, ELEMENTS);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expansion),
        cmocka_unit_test(test_long_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
