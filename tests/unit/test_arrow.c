/*
 * test_arrow.c - batches of connectors to vectors and back: every type, every form, hostile arrays.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/os.h"
#include "engine/source/source.h"
#include "tests/unit/test_base.h"

#define FOLDERS     STR("tests/unit/.libs:.libs")
#define MAX_COLUMNS 24

/* ---------------------------------------------------------------- random values */

static uint64_t seed = 88172645463325252u;

static uint64_t below(uint64_t n) {
    return n ? test_random(&seed) % n : 0;
}

static Type random_type(Arena *arena, int depth) {
    static const TypeId plain[] = {
        TRIB_TYPE_BOOLEAN,      TRIB_TYPE_TINYINT,     TRIB_TYPE_SMALLINT,    TRIB_TYPE_INTEGER,
        TRIB_TYPE_BIGINT,       TRIB_TYPE_REAL,        TRIB_TYPE_DOUBLE,      TRIB_TYPE_DECIMAL,
        TRIB_TYPE_DECIMAL,      TRIB_TYPE_VARCHAR,     TRIB_TYPE_VARCHAR,     TRIB_TYPE_VARBINARY,
        TRIB_TYPE_DATE,         TRIB_TYPE_TIME,        TRIB_TYPE_TIMESTAMP,   TRIB_TYPE_TIMESTAMP,
        TRIB_TYPE_TIMESTAMP_TZ, TRIB_TYPE_INTERVAL_YM, TRIB_TYPE_INTERVAL_DS, TRIB_TYPE_UUID,
        TRIB_TYPE_JSON};
    if (depth < 3 && below(4) == 0) {
        if (below(3) == 0) return type_array(arena, random_type(arena, depth + 1));
        if (below(2) == 0) return type_map(arena, type_varchar(0), random_type(arena, depth + 1));
        TribTypeField fields[3] = {{"a", random_type(arena, depth + 1)},
                                   {"b", random_type(arena, depth + 1)},
                                   {NULL, random_type(arena, depth + 1)}};
        return type_row(arena, (uint32_t)below(3) + 1, fields);
    }
    Type type = {.id = plain[below(COUNT_OF(plain))]};
    if (type.id == TRIB_TYPE_DECIMAL) type.precision = below(2) ? 18 : 38;
    if (type.id == TRIB_TYPE_TIMESTAMP || type.id == TRIB_TYPE_TIMESTAMP_TZ)
        type.precision = below(2) ? 3 : 9;
    return type;
}

static void random_text(Arena *arena, TribValue *out) {
    static const size_t lengths[] = {0, 1, 5, 12, 13, 40, 300};
    size_t length = lengths[below(COUNT_OF(lengths))];
    char *text = arena_alloc(arena, length + 1);
    for (size_t i = 0; i < length; i++) text[i] = (char)('a' + below(26));
    if (length == 40) memcpy(text + 20, "\xc3\xa4\xf0\x9f\x98\x80", 6);
    out->as.text.data = text;
    out->as.text.length = length;
}

static TribValue random_value(Arena *arena, Type type, int depth);

static void random_items(Arena *arena, Type type, int depth, TribValue *out) {
    size_t count = type.id == TRIB_TYPE_ROW
    ? type.fields->count : below(5) * (type.id == TRIB_TYPE_MAP ? 2 : 1);
    TribValue *items = ARENA_ARRAY(arena, TribValue, count);
    for (size_t i = 0; i < count; i++) {
        uint32_t field = type.id == TRIB_TYPE_ARRAY ? 0
                         : type.id == TRIB_TYPE_MAP ? i % 2
                                                    : (uint32_t)i;
        items[i] = random_value(arena, type.fields->field[field].type, depth + 1);
        if (type.id == TRIB_TYPE_MAP && field == 0 && items[i].is_null)
            items[i] = (TribValue){.type = type.fields->field[0].type, .as.text = {"key", 3}};
    }
    out->as.items.values = items;
    out->as.items.count = count;
}

static TribValue random_value(Arena *arena, Type type, int depth) {
    TribValue value = {.type = type, .is_null = below(5) == 0};
    if (value.is_null) return value;
    switch (type_physical(type)) {
    case PHYS_BOOL: value.as.integer = (int64_t)below(2); break;
    case PHYS_INT8: value.as.integer = (int8_t)below(256); break;
    case PHYS_INT16: value.as.integer = (int16_t)below(65536); break;
    case PHYS_INT32: value.as.integer = (int32_t)below(1u << 30) - (1 << 29); break;
    case PHYS_INT64:
        value.as.integer = (int64_t)below(UINT64_C(1) << 50) - (INT64_C(1) << 49);
        break;
    case PHYS_INT128: value.as.wide = (__int128)(int64_t)test_random(&seed) * 1000003; break;
    case PHYS_FLOAT:
    case PHYS_DOUBLE: value.as.real = (double)(int64_t)below(1 << 20) / 8; break;
    case PHYS_STRING: random_text(arena, &value); break;
    case PHYS_INSTANT:
    case PHYS_ZONED:
        value.as.instant.us = (int64_t)below(UINT64_C(1) << 48);
        value.as.instant.ns = (int32_t)below(1000);
        break;
    case PHYS_UUID: {
        char *bytes = arena_alloc(arena, 16);
        for (int i = 0; i < 16; i++) bytes[i] = (char)below(256);
        value.as.text.data = bytes;
        value.as.text.length = 16;
        break;
    }
    case PHYS_LIST:
    case PHYS_ROW: random_items(arena, type, depth, &value); break;
    default: break;
    }
    return value;
}

/* A column of random values: flat, constant, or a dictionary. */
static void random_column(Arena *arena, Type type, uint32_t count, Vector *out) {
    Error err;
    uint64_t form = below(6);
    if (form == 0) {
        TribValue value = random_value(arena, type, 0);
        assert_int_equal(vector_constant(arena, &value, out, &err), TRIB_OK);
        return;
    }
    uint32_t entries = form == 1 ? (uint32_t)below(20) + 1 : count;
    Vector flat;
    assert_int_equal(vector_new(arena, type, entries ? entries : 1, &flat, &err), TRIB_OK);
    for (uint32_t i = 0; i < entries; i++) {
        TribValue value = random_value(arena, type, 0);
        assert_int_equal(vector_set(arena, &flat, i, &value, &err), TRIB_OK);
    }
    *out = flat;
    if (form != 1) return;
    uint32_t *indices = ARENA_ARRAY(arena, uint32_t, count);
    for (uint32_t i = 0; i < count; i++) indices[i] = (uint32_t)below(entries);
    Vector *child = ARENA_NEW(arena, Vector);
    *child = flat;
    *out = (Vector){.type = type,
                    .physical = flat.physical,
                    .form = VECTOR_DICTIONARY,
                    .indices = indices,
                    .entries = entries,
                    .nchildren = 1,
                    .children = child};
}

static void random_batch(Batch *out, uint32_t ncolumns, const Type *types, uint32_t count) {
    Error err;
    assert_int_equal(batch_columns(out, ncolumns, &err), TRIB_OK);
    for (uint32_t c = 0; c < ncolumns; c++)
        random_column(out->arena, types[c], count, &out->columns[c]);
    out->count = out->selected = count;
    if (below(2) == 0) return;
    uint16_t *selection = ARENA_ARRAY(out->arena, uint16_t, count);
    out->selected = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (below(3)) selection[out->selected++] = (uint16_t)i;
    }
    out->selection = selection;
}

static void assert_same(const Batch *a, uint32_t from, const Batch *b, uint32_t count) {
    for (uint32_t c = 0; c < a->ncolumns; c++) {
        for (uint32_t i = 0; i < count; i++) {
            if (!vector_equal(&a->columns[c], batch_row(a, from + i), &b->columns[c],
                              batch_row(b, i)))
                fail_msg("column %u row %u differs (type %u)", c, i, a->columns[c].type.id);
        }
    }
}

/* ---------------------------------------------------------------- round trips */

static void test_round_trip(void **state) {
    (void)state;
    static const uint32_t counts[] = {0, 1, 7, 63, 64, 65, 1000, 2048};
    Arena *arena = arena_new(NULL), *a = arena_new(NULL), *b = arena_new(NULL);
    Batch from, to;
    Error err;
    batch_init(&from, a);
    batch_init(&to, b);
    for (int round = 0; round < 400; round++) {
        Type types[MAX_COLUMNS];
        uint32_t ncolumns = (uint32_t)below(5);
        for (uint32_t c = 0; c < ncolumns; c++) types[c] = random_type(arena, 0);
        random_batch(&from, ncolumns, types, counts[below(COUNT_OF(counts))]);
        TribBatch array;
        assert_int_equal(arrow_export(&from, &array, &err), TRIB_OK);
        assert_int_equal(array.array.length, from.selected);
        if (arrow_import(&array, NULL, ncolumns, types, &to, &err) != TRIB_OK)
            fail_msg("%s (%s)", err.message, err.detail);
        assert_null(array.array.release);
        assert_int_equal(to.selected, from.selected);
        assert_same(&from, 0, &to, to.selected);
        batch_clear(&to);
        batch_clear(&from);
        arena_reset(arena);
    }
    arena_free(a);
    arena_free(b);
    arena_free(arena);
}

/* Through a table in memory: what was written comes back in order. */
static void memory_trip(const TribConnector *connector, TribCatalog *catalog, Arena *arena,
                        int round) {
    Type types[MAX_COLUMNS];
    TribColumn columns[MAX_COLUMNS] = {0};
    uint32_t ncolumns = (uint32_t)below(4) + 1, nbatches = (uint32_t)below(6) + 1;
    char name[32];
    (void)text_format(name, sizeof name, "t%d", round);
    for (uint32_t c = 0; c < ncolumns; c++) {
        types[c] = random_type(arena, 0);
        columns[c] = (TribColumn){.name = "c", .type = types[c], .nullable = true};
    }
    TribTable table = {.size = sizeof table,
                       .schema = "default",
                       .name = name,
                       .ncolumns = ncolumns,
                       .columns = columns};
    TribWriteRequest request = {
        .size = sizeof request, .kind = TRIB_WRITE_CREATE, .table = &table, .ncolumns = ncolumns};
    TribWriter *writer;
    Error err;
    uint64_t rows, total = 0;
    Batch *batches = ARENA_ARRAY(arena, Batch, nbatches);
    assert_int_equal(connector->write_open(catalog, NULL, &request, &writer, &err), TRIB_OK);
    for (uint32_t i = 0; i < nbatches; i++) {
        TribBatch array;
        batch_init(&batches[i], arena_new(arena));
        random_batch(&batches[i], ncolumns, types, (uint32_t)below(300));
        total += batches[i].selected;
        assert_int_equal(arrow_export(&batches[i], &array, &err), TRIB_OK);
        assert_int_equal(connector->write_batch(writer, &array, &err), TRIB_OK);
        array.array.release(&array.array);
    }
    assert_int_equal(connector->write_close(writer, true, &rows, &err), TRIB_OK);
    assert_int_equal(rows, total);

    TribNode nodes[MAX_COLUMNS];
    uint32_t output[MAX_COLUMNS];
    const TribTable *tables[] = {&table};
    for (uint32_t c = 0; c < ncolumns; c++) {
        nodes[c] = (TribNode){.kind = TRIB_NODE_COLUMN, .type = types[c], .ref = c};
        output[c] = c;
    }
    TribOffer offer = {.size = sizeof offer,
                       .nnodes = ncolumns,
                       .nodes = nodes,
                       .ntables = 1,
                       .tables = tables,
                       .noutput = ncolumns,
                       .output = output,
                       .limit = -1};
    TribPlan *plan;
    TribScan *scan;
    const TribSplit *const *splits;
    uint32_t nsplits, at = 0, batch = 0;
    struct ArrowSchema schema = {0};
    assert_int_equal(connector->plan(catalog, NULL, &offer, &plan, &err), TRIB_OK);
    assert_int_equal(connector->splits(plan, NULL, 1, &splits, &nsplits, &err), TRIB_OK);
    assert_int_equal(nsplits, 1);
    uint32_t step = (uint32_t)below(500) + 1;
    TribScanRequest scanning = {.size = sizeof scanning,
                                .plan = plan,
                                .split = splits[0],
                                .batch_rows = 2048,
                                .batch_bytes = below(2) ? 1 << 20 : 3000};
    assert_int_equal(connector->scan_open(catalog, NULL, &scanning, &scan, &schema, &err), TRIB_OK);
    Batch to;
    batch_init(&to, arena_new(arena));
    for (;;) {
        TribBatch array = {0};
        assert_int_equal(connector->scan_next(scan, step, &array, &err), TRIB_OK);
        if (!array.array.release) break;
        if (arrow_import(&array, NULL, ncolumns, types, &to, &err) != TRIB_OK)
            fail_msg("%s (%s)", err.message, err.detail);
        for (uint32_t i = 0; i < to.selected; i++) {
            while (at == batches[batch].selected) {
                batch++;
                at = 0;
            }
            for (uint32_t c = 0; c < ncolumns; c++)
                assert_true(vector_equal(&batches[batch].columns[c], batch_row(&batches[batch], at),
                                         &to.columns[c], batch_row(&to, i)));
            at++;
            total--;
        }
        batch_clear(&to);
    }
    assert_int_equal(total, 0);
    connector->scan_release(scan);
    connector->plan_release(plan);
    TribDdl drop = {
        .size = sizeof drop, .kind = TRIB_DDL_DROP_TABLE, .schema = "default", .name = name};
    if (round % 2) assert_int_equal(connector->ddl(catalog, NULL, &drop, &err), TRIB_OK);
}

static const TribHost *plain_host(void) {
    /* A host as others may write it: only memory. */
    static TribHost host = {.size = sizeof(TribHost)};
    return &host;
}

static void *plain_alloc(void *self, size_t bytes) {
    (void)self;
    return malloc(bytes ? bytes : 1);
}

static void plain_free(void *self, void *memory) {
    (void)self;
    free(memory);
}

static void test_memory_trip(void **state) {
    (void)state;
    const TribConnector *connector;
    TribCatalog *catalog;
    Error err;
    TribHost *host = (TribHost *)(uintptr_t)plain_host();
    host->alloc = plain_alloc;
    host->free = plain_free;
    assert_int_equal(connector_load(STR("memory"), FOLDERS, &connector, &err), TRIB_OK);
    assert_int_equal(connector->open(host, "trips", NULL, 0, &catalog, &err), TRIB_OK);
    for (int round = 0; round < 150; round++) {
        Arena *arena = arena_new(NULL);
        memory_trip(connector, catalog, arena, round);
        arena_free(arena);
    }
    connector->close(catalog);
}

/* ---------------------------------------------------------------- arrays by hand */

static int releases;

static void hand_release(struct ArrowArray *array) {
    releases++;
    array->release = NULL;
}

static void hand_schema_release(struct ArrowSchema *schema) {
    schema->release = NULL;
}

/* A batch of one column; the parts are the caller's. */
typedef struct Hand {
    struct ArrowArray column, *children[2];
    struct ArrowSchema schema, child, *schema_children[2];
    TribBatch batch;
    const void *top_buffers[1];
} Hand;

static void hand_make(Hand *self, const char *format, int64_t length, int64_t nbuffers,
                      const void **buffers) {
    memset(self, 0, sizeof *self);
    self->column = (struct ArrowArray){.length = length,
                                       .null_count = -1,
                                       .n_buffers = nbuffers,
                                       .buffers = buffers,
                                       .release = hand_release};
    self->children[0] = &self->column;
    self->batch.array = (struct ArrowArray){.length = length,
                                            .n_buffers = 1,
                                            .buffers = self->top_buffers,
                                            .n_children = 1,
                                            .children = self->children,
                                            .release = hand_release};
    self->batch.selected = (uint32_t)length;
    self->child = (struct ArrowSchema){.format = format, .release = hand_schema_release};
    self->schema_children[0] = &self->child;
    self->schema = (struct ArrowSchema){.format = "+s",
                                        .n_children = 1,
                                        .children = self->schema_children,
                                        .release = hand_schema_release};
}

static Status hand_import(Hand *self, bool described, Type type, Batch *out, Error *err) {
    return arrow_import(&self->batch, described ? &self->schema : NULL, 1, &type, out, err);
}

static void expect_fault(Hand *hand, bool described, Type type) {
    Arena *arena = arena_new(NULL);
    Batch out;
    Error err;
    batch_init(&out, arena);
    releases = 0;
    Status status = hand_import(hand, described, type, &out, &err);
    if (status == TRIB_OK) fail_msg("a malformed array was accepted");
    assert_true(err.message[0] != '\0');
    assert_int_equal(releases, 1); /* also on failure, exactly once */
    batch_clear(&out);
    arena_free(arena);
}

static void test_hostile_views(void **state) {
    (void)state;
    static const char text[] = "0123456789abcdefghij";
    int64_t sizes[1] = {20};
    struct {
        int32_t length, prefix, block, offset;
    } views[1] = {{20, 0, 0, 0}};
    const void *buffers[] = {NULL, views, text, sizes};
    Hand hand;
    Arena *arena = arena_new(NULL);
    Batch out;
    Error err;
    batch_init(&out, arena);
    hand_make(&hand, "vu", 1, 4, buffers);
    assert_int_equal(hand_import(&hand, false, type_varchar(0), &out, &err), TRIB_OK);
    assert_str(strview_str(vector_at(&out.columns[0], 0)), "0123456789abcdefghij");
    batch_clear(&out);
    static const int32_t wrong[][4] = {
        {20, 0, 1, 0},         {20, 0, -1, 0}, {20, 0, 0, 1},        {21, 0, 0, 0},
        {20, 0, 0, -1},        {-1, 0, 0, 0},  {INT32_MIN, 0, 0, 0}, {INT32_MAX, 0, 0, INT32_MAX},
        {20, 0, INT32_MAX, 0}, {13, 0, 0, 8}};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        memcpy(views, wrong[i], sizeof views);
        hand_make(&hand, "vu", 1, 4, buffers);
        expect_fault(&hand, false, type_varchar(0));
    }
    /* Under a NULL nothing of it is looked at. */
    uint64_t none = 0;
    buffers[0] = &none;
    hand_make(&hand, "vu", 1, 4, buffers);
    assert_int_equal(hand_import(&hand, false, type_varchar(0), &out, &err), TRIB_OK);
    assert_true(vector_is_null(&out.columns[0], 0));
    batch_clear(&out);
    buffers[0] = NULL;
    /* Shapes. */
    views[0].length = 3;
    hand_make(&hand, "vu", 1, 2, buffers);
    expect_fault(&hand, false, type_varchar(0));
    hand_make(&hand, "vu", 1, 4, buffers);
    hand.column.length = 0;
    expect_fault(&hand, false, type_varchar(0));
    hand_make(&hand, "vu", 1, 4, buffers);
    hand.column.offset = -1;
    expect_fault(&hand, false, type_varchar(0));
    hand_make(&hand, "vu", 1, 4, buffers);
    hand.column.offset = INT64_MAX - 1;
    expect_fault(&hand, false, type_varchar(0));
    hand_make(&hand, "vu", 1, 4, buffers);
    hand.batch.array.length = 2049;
    expect_fault(&hand, false, type_varchar(0));
    hand_make(&hand, "vu", 1, 4, buffers);
    hand.batch.array.length = -5;
    expect_fault(&hand, false, type_varchar(0));
    hand_make(&hand, "vu", 1, 4, buffers);
    hand.batch.array.n_children = 2;
    expect_fault(&hand, false, type_varchar(0));
    hand_make(&hand, "vu", 1, 4, buffers);
    uint16_t selection[] = {1};
    hand.batch.selection = selection;
    expect_fault(&hand, false, type_varchar(0));
    sizes[0] = -1;
    hand_make(&hand, "vu", 1, 4, buffers);
    expect_fault(&hand, false, type_varchar(0));
    /* Bad UTF-8, inline and in a block; fine as binary. */
    sizes[0] = 20;
    memcpy(&views[0].prefix, "\xed\xa0\x80", 3);
    hand_make(&hand, "vu", 1, 4, buffers);
    expect_fault(&hand, false, type_varchar(0));
    hand_make(&hand, "vz", 1, 4, buffers);
    assert_int_equal(hand_import(&hand, false, TYPE(VARBINARY), &out, &err), TRIB_OK);
    batch_clear(&out);
    arena_free(arena);
}

static void test_hostile_offsets(void **state) {
    (void)state;
    static const char text[] = "hello";
    int32_t offsets[3] = {0, 2, 5};
    const void *buffers[] = {NULL, offsets, text};
    static const int32_t wrong[][3] = {{-1, 2, 5}, {0, -2, 5}, {3, 2, 5}, {0, 4, 2}};
    Hand hand;
    Arena *arena = arena_new(NULL), *types = arena_new(NULL);
    Batch out;
    Error err;
    batch_init(&out, arena);
    hand_make(&hand, "u", 2, 3, buffers);
    assert_int_equal(hand_import(&hand, true, type_varchar(0), &out, &err), TRIB_OK);
    assert_str(strview_str(vector_at(&out.columns[0], 1)), "llo");
    batch_clear(&out);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        memcpy(offsets, wrong[i], sizeof offsets);
        hand_make(&hand, "u", 2, 3, buffers);
        expect_fault(&hand, true, type_varchar(0));
    }
    /* Lists. */
    int64_t numbers[4] = {1, 2, 3, 4};
    const void *number_buffers[] = {NULL, numbers};
    struct ArrowArray values = {
        .length = 4, .n_buffers = 2, .buffers = number_buffers, .release = hand_release};
    struct ArrowArray *lists[] = {&values};
    Type type = type_array(types, TYPE(BIGINT));
    memcpy(offsets, (int32_t[]){1, 2, 4}, sizeof offsets);
    hand_make(&hand, "+l", 2, 2, buffers);
    hand.column.n_children = 1;
    hand.column.children = lists;
    assert_int_equal(hand_import(&hand, false, type, &out, &err), TRIB_OK);
    assert_int_equal(((const ListEntry *)out.columns[0].data)[1].offset, 1);
    assert_int_equal(*(const int64_t *)vector_at(&out.columns[0].children[0], 2), 4);
    batch_clear(&out);
    static const int32_t bad_lists[][3] = {
        {0, 2, 5}, {-1, 2, 3}, {0, 3, 2}, {0, INT32_MAX, INT32_MAX}};
    for (size_t i = 0; i < COUNT_OF(bad_lists); i++) {
        memcpy(offsets, bad_lists[i], sizeof offsets);
        hand_make(&hand, "+l", 2, 2, buffers);
        hand.column.n_children = 1;
        hand.column.children = lists;
        expect_fault(&hand, false, type);
    }
    hand_make(&hand, "+l", 2, 2, buffers);
    expect_fault(&hand, false, type);
    arena_free(types);
    arena_free(arena);
}

/* ---------------------------------------------------------------- other layouts */

static void expect_integer(const char *format, const void *values, Type type, int64_t want) {
    const void *buffers[] = {NULL, values};
    Arena *arena = arena_new(NULL);
    Batch out;
    Error err;
    Hand hand;
    TribValue value;
    batch_init(&out, arena);
    hand_make(&hand, format, 1, 2, buffers);
    if (hand_import(&hand, true, type, &out, &err) != TRIB_OK)
        fail_msg("%s: %s", format, err.message);
    assert_int_equal(vector_value(arena, &out.columns[0], 0, &value, &err), TRIB_OK);
    assert_int_equal(value.as.integer, want);
    batch_clear(&out);
    arena_free(arena);
}

static void test_layouts(void **state) {
    (void)state;
    _Alignas(16) int64_t number[2] = {200, 0};
    _Alignas(16) int64_t minus[2] = {-12345, -1};
    expect_integer("C", number, TYPE(SMALLINT), 200);
    expect_integer("I", number, TYPE(BIGINT), 200);
    expect_integer("i", number, TYPE(BIGINT), 200);
    expect_integer("d:10,2,128", minus, type_decimal(10, 2), -12345);
    expect_integer("d:10,2,64", minus, type_decimal(10, 2), -12345);
    expect_integer("d:10,2", minus, type_decimal(10, 2), -12345);
    expect_integer("tdm", (int64_t[]){86400000 * INT64_C(3)}, TYPE(DATE), 3);
    expect_integer("ttm", (int32_t[]){1500}, type_time(3), 1500000000);
    expect_integer("ttu", number, type_time(6), 200000);
    expect_integer("tss:", number, type_timestamp(3), 200000000);
    expect_integer("tsn:", (int64_t[]){-1000}, type_timestamp(6), -1);
    expect_integer("tDs", number, TYPE(INTERVAL_DS), 200000000);
    static const struct {
        const char *format;
        Type type;
    } refused[] = {{"l", {.id = TRIB_TYPE_VARCHAR}},
                   {"u", {.id = TRIB_TYPE_BIGINT}},
                   {"d:10,3,64", {.id = TRIB_TYPE_DECIMAL, .precision = 10, .scale = 2}},
                   {"l", {.id = TRIB_TYPE_TINYINT}},
                   {"tsn:", {.id = TRIB_TYPE_TIMESTAMP, .precision = 6}},
                   {"e", {.id = TRIB_TYPE_REAL}},
                   {"tss:Nowhere/Never", {.id = TRIB_TYPE_TIMESTAMP_TZ, .precision = 3}},
                   {"", {.id = TRIB_TYPE_BIGINT}},
                   {"d:", {.id = TRIB_TYPE_DECIMAL, .precision = 10}},
                   {"tss", {.id = TRIB_TYPE_TIMESTAMP}},
                   {"d:5,0,128", {.id = TRIB_TYPE_DECIMAL, .precision = 2}}};
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        Hand hand;
        const void *buffers[] = {NULL, number, number};
        number[0] = 201;
        hand_make(&hand, refused[i].format, 1, 3, buffers);
        expect_fault(&hand, true, refused[i].type);
    }
}

static void test_dictionary(void **state) {
    (void)state;
    int8_t indices[4] = {2, 0, 1, 2};
    int64_t numbers[3] = {10, 20, 30};
    const void *buffers[] = {NULL, indices}, *number_buffers[] = {NULL, numbers};
    struct ArrowArray values = {
        .length = 3, .n_buffers = 2, .buffers = number_buffers, .release = hand_release};
    struct ArrowSchema entries = {.format = "l", .release = hand_schema_release};
    Arena *arena = arena_new(NULL);
    Batch out;
    Error err;
    Hand hand;
    batch_init(&out, arena);
    for (int round = 0; round < 2; round++) {
        hand_make(&hand, "c", 4, 2, buffers);
        hand.column.dictionary = &values;
        hand.child.dictionary = &entries;
        if (round == 0) {
            assert_int_equal(hand_import(&hand, true, TYPE(BIGINT), &out, &err), TRIB_OK);
            assert_int_equal(out.columns[0].form, VECTOR_DICTIONARY);
            assert_int_equal(*(const int64_t *)vector_at(&out.columns[0], 3), 30);
            batch_clear(&out);
            indices[1] = 3;
        } else {
            expect_fault(&hand, true, TYPE(BIGINT));
        }
    }
    arena_free(arena);
}

static void test_bits(void **state) {
    (void)state;
    uint8_t bits[40], validity[40];
    Arena *arena = arena_new(NULL);
    Batch out;
    Error err;
    batch_init(&out, arena);
    for (int round = 0; round < 300; round++) {
        for (size_t i = 0; i < sizeof bits; i++) {
            bits[i] = (uint8_t)below(256);
            validity[i] = (uint8_t)below(256);
        }
        const void *buffers[] = {validity, bits};
        int64_t offset = (int64_t)below(70), length = (int64_t)below(sizeof bits * 8 - 70);
        Hand hand;
        hand_make(&hand, "b", length, 2, buffers);
        hand.column.offset = offset;
        assert_int_equal(hand_import(&hand, false, TYPE(BOOLEAN), &out, &err), TRIB_OK);
        for (int64_t i = 0; i < length; i++) {
            int64_t at = offset + i;
            bool valid = validity[at / 8] >> (at % 8) & 1, set = bits[at / 8] >> (at % 8) & 1;
            assert_int_equal(vector_is_null(&out.columns[0], (uint32_t)i), !valid);
            assert_int_equal(((const uint8_t *)out.columns[0].data)[i], set);
        }
        batch_clear(&out);
    }
    arena_free(arena);
}

/* ---------------------------------------------------------------- speed */

static void speed_of(const char *what, Type type, bool plain) {
    Type types[16];
    Arena *a = arena_new(NULL), *b = arena_new(NULL);
    Batch from, to;
    Error err;
    batch_init(&from, a);
    batch_init(&to, b);
    assert_int_equal(batch_columns(&from, 16, &err), TRIB_OK);
    for (int c = 0; c < 16; c++) {
        types[c] = type;
        assert_int_equal(vector_new(a, type, BATCH_ROWS, &from.columns[c], &err), TRIB_OK);
        for (uint32_t i = 0; i < BATCH_ROWS; i++) {
            TribValue value = {.type = type};
            if (type_physical(type) == PHYS_STRING && plain)
                value.as.text.data = "a text of twenty-six bytes", value.as.text.length = 26;
            else if (type_physical(type) == PHYS_STRING)
                random_text(a, &value);
            else
                value.as.integer = (int64_t)i;
            assert_int_equal(vector_set(a, &from.columns[c], i, &value, &err), TRIB_OK);
        }
    }
    from.count = from.selected = BATCH_ROWS;
    TribBatch array;
    assert_int_equal(arrow_export(&from, &array, &err), TRIB_OK);
    int64_t begun = os_now_ns();
    for (int i = 0; i < 1000; i++) {
        TribBatch copy = array;
        copy.array.release = hand_release;
        assert_int_equal(arrow_import(&copy, NULL, 16, types, &to, &err), TRIB_OK);
        batch_clear(&to);
    }
    print_message("import of 2,048 x 16 %s: %.2f us\n", what, (double)(os_now_ns() - begun) / 1e6);
    array.array.release(&array.array);
    arena_free(a);
    arena_free(b);
}

static void test_speed(void **state) {
    (void)state;
    speed_of("bigint", TYPE(BIGINT), false);
    speed_of("boolean", TYPE(BOOLEAN), false);
    speed_of("varchar of 26 bytes", type_varchar(0), true);
    speed_of("varchar of 0 to 300 bytes", type_varchar(0), false);
    speed_of("varbinary of 26 bytes", TYPE(VARBINARY), true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_memory_trip),
        cmocka_unit_test(test_hostile_views), cmocka_unit_test(test_hostile_offsets),
        cmocka_unit_test(test_layouts),       cmocka_unit_test(test_dictionary),
        cmocka_unit_test(test_bits),          cmocka_unit_test(test_speed),
    };
    return cmocka_run_group_tests_name("arrow", tests, NULL, NULL);
}
