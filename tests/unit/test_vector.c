/*
 * test_vector.c - vectors of every type, nested ones too: what is put in comes out again in every
 * form, hashes and order agree with equality, rows survive gather, append and flatten.
 */
#include "tests/unit/eval_support.h"
#include "tests/unit/test_base.h"

#include "engine/vector/hash.h"

static const char *const types[] = {
    "boolean",
    "tinyint",
    "smallint",
    "integer",
    "bigint",
    "real",
    "double",
    "decimal(9,2)",
    "decimal(30,5)",
    "varchar",
    "char(3)",
    "varbinary",
    "date",
    "time(3)",
    "time(3) with time zone",
    "timestamp(3)",
    "timestamp(9)",
    "timestamp(3) with time zone",
    "interval year to month",
    "interval day to second",
    "uuid",
    "json",
    "array(integer)",
    "array(varchar)",
    "map(varchar, array(integer))",
    "row(a integer, b varchar)",
    "array(row(x date, y array(double)))",
    "row(m map(integer, varchar), r row(z decimal(30,2)))",
};

static uint64_t seed = 99;

static uint32_t draw(uint32_t bound) {
    return (uint32_t)(test_random(&seed) % bound);
}

static Value random_value(Type type, bool nullable);

static Value random_items(Type type) {
    uint32_t nfields = type.fields->count, count = type.id == TRIB_TYPE_ROW
    ? 1 : draw(4);
    Value *items = ARENA_ARRAY(arena, Value, count * nfields);
    for (uint32_t i = 0; i < count * nfields; i++) {
        bool key = type.id == TRIB_TYPE_MAP && i % 2 == 0;
        items[i] = random_value(type.fields->field[i % nfields].type, !key);
        if (!key) continue;
        for (uint32_t j = 0; j < i; j += 2) { /* keys are unique */
            if (value_equal(&items[j], &items[i])) {
                items[i] = random_value(type.fields->field[0].type, false);
                j = UINT32_MAX - 1;
            }
        }
    }
    return (Value){.type = type, .as.items = {items, (size_t)count * nfields}};
}

/* Few different values, so that equal ones meet. */
static Value random_value(Type type, bool nullable) {
    static const char *const texts[] = {
        "", "a", "abcdefghijkl", "abcdefghijklm", "a longer text \u00e9", "zz", "b", "c", "d", "e"};
    static const double reals[] = {0, -0.0, 1.5, -2, 1e300};
    Value v = {.type = type};
    if (nullable && draw(5) == 0) {
        v.is_null = true;
        return v;
    }
    if (type_is_nested(type)) return random_items(type);
    uint32_t n = draw(5);
    switch (type_physical(type)) {
    case PHYS_BOOL: v.as.integer = n & 1; break;
    case PHYS_INT128: v.as.wide = ((Int128)n << 70) - 3; break;
    case PHYS_FLOAT:
    case PHYS_DOUBLE:
        v.as.real = n == 4 ? (double)__builtin_nanf("") : (double)(float)reals[n];
        break;
    case PHYS_STRING: {
        const char *text = texts[type.id == TRIB_TYPE_CHAR ? n % 2 : draw(10)];
        v.as.text.data = text;
        v.as.text.length = strlen(text);
        break;
    }
    case PHYS_INSTANT:
        v.as.instant.us = n - 2;
        v.as.instant.ns = (int32_t)draw(2);
        break;
    case PHYS_ZONED:
        v.as.instant.us = n;
        v.as.instant.zone = (int16_t)(draw(2) ? ZONE_OFFSET_BASE + 60 : ZONE_UTC);
        break;
    case PHYS_TIMETZ:
        v.as.instant.us = (int64_t)n * INT64_C(3600000000000);
        v.as.instant.ns = (int32_t)draw(2) * 3600;
        break;
    case PHYS_UUID:
        v.as.text.data = n & 1 ? "0123456789abcdef" : "0123456789abcdeg";
        v.as.text.length = 16;
        break;
    default: v.as.integer = (int64_t)n - 2;
    }
    return v;
}

#define ROWS 700

static void assert_same(const Vector *v, uint32_t position, const Value *expected) {
    Value got;
    ok(vector_value(arena, v, position, &got, &error));
    if (value_equal(&got, expected)) return;
    Buf a, b;
    buf_init(&a, arena, 10000);
    buf_init(&b, arena, 10000);
    value_print(&a, &got);
    value_print(&b, expected);
    fail_msg("position %u: %s instead of %s", position, buf_view(&a).data, buf_view(&b).data);
}

static Vector filled(Type type, const Value *values, uint32_t count) {
    Vector v;
    ok(vector_new(arena, type, count, &v, &error));
    for (uint32_t i = 0; i < count; i++) ok(vector_set(arena, &v, i, &values[i], &error));
    return v;
}

/* The same rows through gather, flatten and append. */
static void check_moves(Type type, const Vector *v, const Value *values) {
    uint32_t rows[ROWS];
    uint16_t selection[ROWS];
    uint32_t selected = 0;
    Value null = {.type = type, .is_null = true};
    for (uint32_t i = 0; i < ROWS; i++) {
        rows[i] = draw(6) == 0 ? UINT32_MAX : draw(ROWS);
        if (draw(2)) selection[selected++] = (uint16_t)i;
    }
    Vector gathered, flat, dictionary, twice, appended, constant;
    ok(vector_gather(arena, v, rows, ROWS, &gathered, &error));
    for (uint32_t i = 0; i < ROWS; i++) {
        assert_same(&gathered, i, rows[i] == UINT32_MAX ? &null : &values[rows[i]]);
    }
    Vector *entries = ARENA_NEW(arena, Vector);
    *entries = *v;
    uint32_t *indices = ARENA_ARRAY(arena, uint32_t, ROWS);
    for (uint32_t i = 0; i < ROWS; i++) indices[i] = ROWS - 1 - i;
    dictionary = (Vector){.type = type,
                          .physical = v->physical,
                          .form = VECTOR_DICTIONARY,
                          .entries = ROWS,
                          .nchildren = 1,
                          .children = entries,
                          .indices = indices};
    ok(vector_flatten(arena, &dictionary, selection, selected, ROWS, &flat, &error));
    assert_int_equal(flat.form, VECTOR_FLAT);
    for (uint32_t i = 0; i < selected; i++) {
        assert_same(&flat, selection[i], &values[ROWS - 1 - selection[i]]);
    }
    ok(vector_gather(arena, &dictionary, rows, ROWS, &twice, &error));
    assert_int_equal(twice.form, VECTOR_DICTIONARY);
    ok(vector_flatten(arena, &twice, NULL, ROWS, ROWS, &flat, &error));
    for (uint32_t i = 0; i < ROWS; i++) {
        assert_same(&flat, i, rows[i] == UINT32_MAX ? &null : &values[ROWS - 1 - rows[i]]);
    }
    ok(vector_constant(arena, &values[3], &constant, &error));
    ok(vector_new(arena, type, 1, &appended, &error)); /* grows */
    ok(vector_append(arena, &appended, 0, v, selection, selected, &error));
    ok(vector_append(arena, &appended, selected, &twice, NULL, ROWS, &error));
    ok(vector_append(arena, &appended, selected + ROWS, &constant, NULL, 2, &error));
    for (uint32_t i = 0; i < selected; i++) assert_same(&appended, i, &values[selection[i]]);
    for (uint32_t i = 0; i < ROWS; i++) {
        assert_same(&appended, selected + i,
                    rows[i] == UINT32_MAX ? &null : &values[ROWS - 1 - rows[i]]);
    }
    assert_same(&appended, selected + ROWS + 1, &values[3]);
    ok(vector_flatten(arena, &constant, NULL, 5, 5, &flat, &error));
    for (uint32_t i = 0; i < 5; i++) assert_same(&flat, i, &values[3]);
    ok(vector_gather(arena, &constant, (uint32_t[]){0, UINT32_MAX, 2}, 3, &gathered, &error));
    assert_same(&gathered, 0, &values[3]);
    assert_same(&gathered, 1, &null);
    assert_true(vector_bytes(v, ROWS) >= ROWS * physical_size((PhysicalType)v->physical));
}

/* Equal values hash alike in every form; different ones (nearly) never; order is total. */
static void check_order(Type type, const Vector *v, const Value *values) {
    uint64_t hashes[ROWS], again[ROWS], combined[ROWS];
    uint16_t selection[ROWS];
    for (uint32_t i = 0; i < ROWS; i++) selection[i] = (uint16_t)(ROWS - 1 - i);
    vector_hash(v, NULL, ROWS, false, hashes);
    vector_hash(v, selection, ROWS, false, again);
    Vector *entries = ARENA_NEW(arena, Vector);
    *entries = *v;
    uint32_t *indices = ARENA_ARRAY(arena, uint32_t, ROWS);
    for (uint32_t i = 0; i < ROWS; i++) indices[i] = i;
    Vector dictionary = {.type = type,
                         .physical = v->physical,
                         .form = VECTOR_DICTIONARY,
                         .entries = ROWS,
                         .nchildren = 1,
                         .children = entries,
                         .indices = indices};
    memcpy(combined, hashes, sizeof(hashes));
    vector_hash(&dictionary, NULL, ROWS, true, combined);
    for (uint32_t i = 0; i < ROWS; i++) {
        Vector constant;
        uint64_t one;
        assert_int_equal(again[i], hashes[ROWS - 1 - i]);
        assert_int_equal(combined[i], hash_combine(hashes[i], hashes[i]));
        if (i >= 60) continue;
        ok(vector_constant(arena, &values[i], &constant, &error));
        vector_hash(&constant, NULL, 1, false, &one);
        assert_int_equal(one, hashes[i]);
    }
    for (uint32_t i = 0; i < 120; i++) {
        for (uint32_t j = 0; j < 120; j++) {
            /* json is compared by its text, text in general without its type's length */
            bool equal = value_equal(&values[i], &values[j]);
            if (type_physical(type) == PHYS_ZONED || type_physical(type) == PHYS_TIMETZ) {
                equal = values[i].is_null == values[j].is_null &&
                        (values[i].is_null || value_compare(&values[i], &values[j]) == 0);
            }
            assert_int_equal(vector_equal(v, i, v, j), equal);
            assert_int_equal(vector_equal(&dictionary, i, v, j), equal);
            if (equal) assert_int_equal(hashes[i], hashes[j]);
            if (!equal) assert_true(hashes[i] != hashes[j]);
            if (!type_orderable(type) || values[i].is_null || values[j].is_null) continue;
            int order = vector_compare(v, i, &dictionary, j);
            assert_int_equal(order == 0, equal);
            assert_int_equal(order, -vector_compare(v, j, v, i));
            if (!type_is_nested(type)) {
                assert_int_equal(order, value_compare(&values[i], &values[j]));
            }
        }
    }
}

static void test_every_type(void **state) {
    for (size_t t = 0; t < COUNT_OF(types); t++) {
        Arena *outer = arena;
        arena = arena_new(NULL);
        Type type = typ(types[t]);
        Value *values = ARENA_ARRAY(arena, Value, ROWS);
        for (uint32_t i = 0; i < ROWS; i++) values[i] = random_value(type, true);
        Vector v = filled(type, values, ROWS);
        for (uint32_t i = 0; i < ROWS; i++) assert_same(&v, i, &values[i]);
        check_moves(type, &v, values);
        check_order(type, &v, values);
        arena_free(arena);
        arena = outer;
    }
}

/* ---------------------------------------------------------------- buffers, batches */

static int released;

static void on_release(void *context) {
    released += *(int *)context;
}

static void test_batch(void **state) {
    int one = 1, ten = 10;
    Batch a, b;
    batch_init(&a, arena_new(arena));
    batch_init(&b, arena_new(arena));
    ok(batch_columns(&a, 3, &error));
    assert_int_equal(a.ncolumns, 3);
    Buffer *shared = buffer_new(100, on_release, &ten);
    assert_int_equal((uintptr_t)buffer_data(shared) % 64, 0);
    memset(buffer_data(shared), 1, 100);
    for (int i = 0; i < 20; i++) ok(batch_keep(&a, buffer_new(8, on_release, &one), &error));
    buffer_retain(shared);
    ok(batch_keep(&a, shared, &error));
    a.count = a.selected = 5;
    batch_move(&b, &a);
    assert_int_equal(b.count, 5);
    assert_int_equal(a.count, 0);
    assert_int_equal(a.nkeep, 0);
    assert_non_null(a.arena);
    batch_clear(&a);
    assert_int_equal(released, 0);
    batch_clear(&b);
    assert_int_equal(released, 20);
    buffer_release(shared);
    assert_int_equal(released, 30);
    assert_true(dictionary_identity() != dictionary_identity());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_type, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_batch, arena_setup, arena_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
