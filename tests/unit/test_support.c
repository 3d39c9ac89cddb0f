/*
 * test_support.c - what connectors share: batches, SQL text, options, the pool.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "connectors/support/batch_builder.h"
#include "connectors/support/call.h"
#include "connectors/support/options.h"
#include "connectors/support/pool.h"
#include "connectors/support/row_value.h"
#include "connectors/support/sql_change.h"
#include "engine/base/os.h"

/* ---------------------------------------------------------------- batches */

static const BatchView *view_at(const struct ArrowArray *child, uint32_t row) {
    return (const BatchView *)child->buffers[1] + row;
}

static void test_batch_text(void **state) {
    static const TribType types[] = {
        {.id = TRIB_TYPE_VARCHAR}, {.id = TRIB_TYPE_BIGINT}, {.id = TRIB_TYPE_VARBINARY}};
    Error err;
    BatchBuilder *builder;
    TribBatch batch;
    char *large = heap_alloc(200000);
    memset(large, 'x', 200000);
    assert_int_equal(batch_builder_new(NULL, types, 3, 100, 1 << 20, &builder, &err), TRIB_OK);
    for (int round = 0; round < 3; round++) { /* recycled storage must not show */
        assert_int_equal(batch_begin(builder, &err), TRIB_OK);
        assert_int_equal(batch_text(builder, &builder->columns[0], 0, "twelve bytes", 12, &err),
                         TRIB_OK);
        batch_set_int64(&builder->columns[1], 0, 7);
        batch_set_null(&builder->columns[2], 0);
        batch_row_done(builder);
        assert_int_equal(batch_text(builder, &builder->columns[0], 1, "thirteen byte", 13, &err),
                         TRIB_OK);
        batch_set_null(&builder->columns[1], 1);
        assert_int_equal(batch_text(builder, &builder->columns[2], 1, large, 200000, &err),
                         TRIB_OK);
        batch_row_done(builder);
        char *room = batch_text_room(builder, &builder->columns[0], 2, 20, &err);
        memcpy(room, "abcdefghijklmnopqrst", 20);
        batch_text_done(&builder->columns[0], 2, room);
        batch_set_int64(&builder->columns[1], 2, -1);
        assert_int_equal(batch_text(builder, &builder->columns[2], 2, NULL, 0, &err), TRIB_OK);
        batch_row_done(builder);
        assert_false(batch_full(builder));
        batch_finish(builder, &batch);
        const struct ArrowArray *text = batch.array.children[0], *number = batch.array.children[1],
                                *bytes = batch.array.children[2];
        assert_int_equal(batch.array.length, 3);
        assert_null(text->buffers[0]);
        assert_int_equal(number->null_count, 1);
        assert_int_equal(*(const uint8_t *)number->buffers[0] & 7, 5);
        assert_int_equal(*(const uint8_t *)bytes->buffers[0] & 7, 6);
        assert_memory_equal(view_at(text, 0)->as.inlined, "twelve bytes", 12);
        assert_int_equal(text->n_buffers, 6); /* validity, views, three blocks, lengths */
        const BatchView *far = view_at(text, 1), *direct = view_at(text, 2);
        assert_memory_equal((const char *)text->buffers[2 + far->as.far.block] + far->as.far.offset,
                            "thirteen byte", 13);
        assert_memory_equal(far->as.far.prefix, "thir", 4);
        assert_memory_equal((const char *)text->buffers[2 + direct->as.far.block] +
                                direct->as.far.offset,
                            "abcdefghijklmnopqrst", 20);
        assert_memory_equal(direct->as.far.prefix, "abcd", 4);
        assert_int_equal(view_at(bytes, 1)->length, 200000);
        batch.array.release(&batch.array);
        assert_null(batch.array.release);
    }
    batch_builder_free(builder);
    heap_free(large);
}

static void test_batch_limits(void **state) {
    static const TribType types[] = {{.id = TRIB_TYPE_VARCHAR},
                                     {.id = TRIB_TYPE_DECIMAL, .precision = 38}};
    static const TribType nested[] = {{.id = TRIB_TYPE_ARRAY}};
    Error err;
    BatchBuilder *builder;
    TribBatch batch;
    assert_int_equal(batch_builder_new(NULL, nested, 1, 10, 1000, &builder, &err),
                     TRIB_UNSUPPORTED);
    assert_int_equal(batch_builder_new(NULL, types, 2, 2048, 1024, &builder, &err), TRIB_OK);
    assert_int_equal(builder->max_rows, 32); /* 1,024 bytes hold 32 rows of 32 bytes */
    assert_int_equal(batch_begin(builder, &err), TRIB_OK);
    char text[300] = {0};
    while (!batch_full(builder)) {
        batch_set_int128(&builder->columns[1], builder->rows, 1);
        assert_int_equal(
            batch_text(builder, &builder->columns[0], builder->rows, text, sizeof text, &err),
            TRIB_OK);
        batch_row_done(builder);
    }
    assert_int_equal(builder->rows, 4); /* 4 x 332 bytes pass the budget */
    batch_finish(builder, &batch);
    batch_builder_free(builder); /* the batch lives on */
    assert_int_equal(batch.array.length, 4);
    struct ArrowArray moved = *batch.array.children[1];
    batch.array.children[1]->release = NULL;
    batch.array.release(&batch.array);
    assert_true(((const __int128 *)moved.buffers[1])[3] == 1);
    moved.release(&moved);
}

static void test_batch_values(void **state) {
    TribType types[19];
    uint32_t count = 0;
    Error err;
    BatchBuilder *builder;
    TribBatch batch;
    for (uint8_t id = TRIB_TYPE_BOOLEAN; id <= TRIB_TYPE_JSON; id++) {
        types[count++] = (TribType){.id = id, .precision = id == TRIB_TYPE_TIMESTAMP ? 9 : 10};
    }
    assert_int_equal(batch_builder_new(NULL, types, count, 16, 1 << 20, &builder, &err), TRIB_OK);
    assert_int_equal(batch_begin(builder, &err), TRIB_OK);
    for (uint32_t i = 0; i < count; i++) {
        TribValue value = {.type = types[i]};
        BatchLayout layout = builder->columns[i].layout;
        if (layout == BATCH_VIEW || types[i].id == TRIB_TYPE_UUID) {
            value.as.text.data = "0123456789abcdef", value.as.text.length = 16;
        } else if (layout == BATCH_FLOAT || layout == BATCH_DOUBLE) {
            value.as.real = 1.5;
        } else if (layout == BATCH_FIXED16) {
            value.as.instant.us = 5, value.as.instant.ns = 7, value.as.instant.zone = 3;
        } else {
            value.as.integer = 1;
        }
        assert_int_equal(batch_value(builder, i, 0, &value, &err), TRIB_OK);
        value.is_null = true;
        assert_int_equal(batch_value(builder, i, 1, &value, &err), TRIB_OK);
    }
    batch_row_done(builder);
    batch_row_done(builder);
    batch_finish(builder, &batch);
    for (uint32_t i = 0; i < count; i++) assert_int_equal(batch.array.children[i]->null_count, 1);
    const char *zoned = batch.array.children[TRIB_TYPE_TIMESTAMP_TZ - 1]->buffers[1];
    assert_int_equal(*(const int16_t *)(const void *)(zoned + 8), 3);
    assert_int_equal(*(const int16_t *)(const void *)(zoned + 10), 7);
    batch.array.release(&batch.array);
    batch_builder_free(builder);
}

/* ---------------------------------------------------------------- values of rows */

static const char long_text[] = "longer than twelve bytes";

/* Every scalar type in its canonical layout. */
static const TribValue row_values[] = {
    {.type = {.id = TRIB_TYPE_BOOLEAN}, .as.integer = 1},
    {.type = {.id = TRIB_TYPE_TINYINT}, .as.integer = -128},
    {.type = {.id = TRIB_TYPE_SMALLINT}, .as.integer = -32768},
    {.type = {.id = TRIB_TYPE_INTEGER}, .as.integer = INT32_MIN},
    {.type = {.id = TRIB_TYPE_BIGINT}, .as.integer = INT64_MIN},
    {.type = {.id = TRIB_TYPE_REAL}, .as.real = -1.5},
    {.type = {.id = TRIB_TYPE_DOUBLE}, .as.real = 1e300},
    {.type = {.id = TRIB_TYPE_DECIMAL, .precision = 18, .scale = 2}, .as.integer = -12345},
    {.type = {.id = TRIB_TYPE_VARCHAR}, .as.text = {long_text, sizeof long_text - 1}},
    {.type = {.id = TRIB_TYPE_VARCHAR}, .as.text = {"twelve bytes", 12}},
    {.type = {.id = TRIB_TYPE_CHAR, .length = 3}, .as.text = {"abc", 3}},
    {.type = {.id = TRIB_TYPE_VARBINARY}, .as.text = {"\0\1", 2}},
    {.type = {.id = TRIB_TYPE_JSON}, .as.text = {"{}", 2}},
    {.type = {.id = TRIB_TYPE_UUID}, .as.text = {"0123456789abcdef", 16}},
    {.type = {.id = TRIB_TYPE_DATE}, .as.integer = -719162},
    {.type = {.id = TRIB_TYPE_TIME, .precision = 9}, .as.integer = 86399999999999},
    {.type = {.id = TRIB_TYPE_TIMESTAMP, .precision = 6}, .as.integer = -1},
    {.type = {.id = TRIB_TYPE_TIMESTAMP, .precision = 9}, .as.instant = {.us = -7, .ns = 999}},
    {.type = {.id = TRIB_TYPE_TIMESTAMP_TZ, .precision = 9},
     .as.instant = {.us = 8, .ns = 12, .zone = 41}},
    {.type = {.id = TRIB_TYPE_INTERVAL_YM}, .as.integer = -14},
    {.type = {.id = TRIB_TYPE_INTERVAL_DS}, .as.integer = 90061000001},
};

static void row_same(const TribValue *got, const TribValue *wanted) {
    assert_int_equal(got->type.id, wanted->type.id);
    assert_false(got->is_null);
    switch (wanted->type.id) {
    case TRIB_TYPE_REAL:
    case TRIB_TYPE_DOUBLE: assert_true(got->as.real == wanted->as.real); return;
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_CHAR:
    case TRIB_TYPE_VARBINARY:
    case TRIB_TYPE_JSON:
    case TRIB_TYPE_UUID:
        assert_int_equal(got->as.text.length, wanted->as.text.length);
        assert_memory_equal(got->as.text.data, wanted->as.text.data, wanted->as.text.length);
        return;
    default: break;
    }
    if (wanted->type.id == TRIB_TYPE_TIMESTAMP_TZ || wanted->type.precision == 9) {
        bool whole = wanted->type.id == TRIB_TYPE_TIME;
        if (!whole) assert_int_equal(got->as.instant.us, wanted->as.instant.us);
        if (!whole) assert_int_equal(got->as.instant.ns, wanted->as.instant.ns);
        if (!whole) assert_int_equal(got->as.instant.zone, wanted->as.instant.zone);
        if (!whole) return;
    }
    assert_int_equal(got->as.integer, wanted->as.integer);
}

/* Row 0 is NULL, 1 has the value, 2 is NULL again; then the same of a slice that begins at row 1. */
static void test_row_values(void **state) {
    enum { COUNT = COUNT_OF(row_values) };
    TribType types[COUNT];
    Error err;
    BatchBuilder *builder;
    TribBatch batch;
    TribValue got;
    for (uint32_t i = 0; i < COUNT; i++) types[i] = row_values[i].type;
    assert_int_equal(batch_builder_new(NULL, types, COUNT, 16, 1 << 20, &builder, &err), TRIB_OK);
    assert_int_equal(batch_begin(builder, &err), TRIB_OK);
    for (uint32_t row = 0; row < 3; row++) {
        for (uint32_t i = 0; i < COUNT; i++) {
            TribValue value = row_values[i];
            value.is_null = row != 1;
            assert_int_equal(batch_value(builder, i, row, &value, &err), TRIB_OK);
        }
        batch_row_done(builder);
    }
    batch_finish(builder, &batch);
    for (uint32_t i = 0; i < COUNT; i++) {
        struct ArrowArray slice = *batch.array.children[i];
        assert_true(row_value(&slice, types[i], 0, &got));
        assert_true(got.is_null);
        assert_true(row_value(&slice, types[i], 1, &got));
        row_same(&got, &row_values[i]);
        slice.offset = 1;
        assert_true(row_value(&slice, types[i], 0, &got));
        row_same(&got, &row_values[i]);
        assert_true(row_value(&slice, types[i], 1, &got));
        assert_true(got.is_null);
    }
    uint16_t chosen[] = {1, 2};
    assert_int_equal(batch_rows_count(&batch), 3);
    assert_int_equal(batch_row_at(&batch, 2), 2);
    TribBatch part = batch;
    part.selection = chosen;
    part.selected = 2;
    assert_int_equal(batch_rows_count(&part), 2);
    assert_int_equal(batch_row_at(&part, 0), 1);
    static const TribTypeFields fields = {1, {{NULL, {.id = TRIB_TYPE_BIGINT}}}};
    TribType nested = {.id = TRIB_TYPE_ARRAY, .fields = &fields};
    assert_false(row_value(batch.array.children[0], nested, 1, &got));
    assert_false(row_value(batch.array.children[0], nested, 0, &got));
    batch.array.release(&batch.array);
    batch_builder_free(builder);
}

/* ---------------------------------------------------------------- a dialect of its own */

enum { CLASS_PLAIN = 1, CLASS_FOLDED = 2 };

static TribVerdictKind check_positive(const SqlRender *render, const TribNode *call,
                                      const char **template, const char **reason) {
    const TribValue *value = sql_literal(render, sql_argument(render, call, 1));
    if (value && !value->is_null && value->as.integer > 0) return TRIB_EXACT;
    *reason = "not positive";
    return TRIB_NONE;
}

static const SqlRule rules[] = {
    {TRIB_FN_eq, 0, SQL_TYPE(VARCHAR), 0, 0, CLASS_FOLDED, TRIB_EXACT,
     "{0} = {1} AND BINARY {0} = {1}", NULL, NULL, 0},
    {TRIB_FN_eq, 0, SQL_ANY_TYPE, 0, 0, CLASS_PLAIN, TRIB_EXACT, "{0} = {1}", NULL, NULL, 0},
    {TRIB_FN_ne, 0, SQL_INTEGERS, 0, 0, CLASS_PLAIN, TRIB_EXACT, "{0} <> {1}", NULL, NULL, 0},
    {TRIB_FN_lt, 0, SQL_INTEGERS, 0, 0, CLASS_PLAIN, TRIB_EXACT, "{0} < {1}", NULL, NULL, 0},
    {TRIB_FN_ge, 0, SQL_INTEGERS, 0, 0, CLASS_PLAIN, TRIB_EXACT, "{0} >= {1}", NULL, NULL, 0},
    {TRIB_FN_gt, 0, SQL_INTEGERS, 0, 0, CLASS_PLAIN, TRIB_SUPERSET, "{0} > {1}", "half right", NULL,
     0},
    {TRIB_FN_is_null, SQL_NO_GUARD, SQL_ANY_TYPE, 0, 0, SQL_ANY_CLASS, TRIB_EXACT, "{0} IS NULL",
     NULL, NULL, 0},
    {TRIB_FN_in, 0, SQL_ANY_TYPE, 0, 0, CLASS_PLAIN, TRIB_EXACT, "{0} IN ({1*})", NULL, NULL, 0},
    {TRIB_FN_in, 0, SQL_ANY_TYPE, 0, 0, CLASS_FOLDED, TRIB_EXACT,
     "{0} IN ({1*}) AND B({0}) IN ({1*|B(%)})", NULL, NULL, 0},
    {TRIB_FN_like, 0, SQL_TYPE(VARCHAR), 0, 0, SQL_ANY_CLASS, TRIB_EXACT,
     "{0} LIKE {pattern} ESCAPE '!'", NULL, NULL, 0},
    {TRIB_FN_starts_with, 0, SQL_TYPE(VARCHAR), 0, 0, SQL_ANY_CLASS, TRIB_EXACT,
     "STARTS({0}, {1}, '{{')", NULL, NULL, 0},
    {TRIB_FN_divide, SQL_STRICT, SQL_INTEGERS, 0, 0, CLASS_PLAIN, TRIB_EXACT, "{0} DIV {1}", NULL,
     check_positive, 0},
    {TRIB_FN_lower, 0, SQL_TYPE(VARCHAR), 0, 0, SQL_ANY_CLASS, TRIB_NONE, NULL,
     "folds other letters", NULL, 0},
    {SQL_OP_ORDER, 0, SQL_INTEGERS, 0, 0, CLASS_PLAIN, TRIB_EXACT, "{0}", NULL, NULL, 0},
};

static void quote(Buf *out, Str name) {
    buf_char(out, '`');
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '`') buf_char(out, '`');
        buf_char(out, name.data[i]);
    }
    buf_char(out, '`');
}

static Status column_facts(const void *context, Arena *arena, const TribTable *table,
                           const TribColumn *column, SqlColumn *out, Error *err) {
    out->class = column->facts && strcmp(column->facts, "folded") == 0 ? CLASS_FOLDED : CLASS_PLAIN;
    if (column->facts && strcmp(column->facts, "loose") == 0) {
        out->cap = TRIB_SUPERSET;
        out->reason = "loose";
        out->guard = "ok({0})";
    }
    return TRIB_OK;
}

static const SqlDialect dialect = {
    .name = "test",
    .quote = quote,
    .column = column_facts,
    .rules = rules,
    .nrules = COUNT_OF(rules),
    .like_escape = '!',
    .nulls = SQL_NULLS_SMALLEST,
    .max_params = 6,
    .max_text = 2000,
    .max_depth = 20,
    .true_text = "1 = 1",
    .false_text = "1 = 0",
};

static const TribColumn columns[] = {
    {.name = "i", .type = {.id = TRIB_TYPE_BIGINT}, .nullable = true},
    {.name = "t", .type = {.id = TRIB_TYPE_VARCHAR}, .nullable = true},
    {.name = "f", .type = {.id = TRIB_TYPE_VARCHAR}, .nullable = true, .facts = "folded"},
    {.name = "l", .type = {.id = TRIB_TYPE_BIGINT}, .nullable = true, .facts = "loose"},
    {.name = "a`b", .type = {.id = TRIB_TYPE_INTEGER}},
    {.name = "u", .type = {.id = TRIB_TYPE_VARCHAR}, .unreadable = "it is encrypted"},
};
static const TribTable table = {.size = sizeof table,
                                .schema = "s",
                                .name = "ta`ble",
                                .ncolumns = COUNT_OF(columns),
                                .columns = columns,
                                .rows = -1};

/* ---------------------------------------------------------------- a little language for trees: prefix notation */

typedef struct Tree {
    Arena *arena;
    TribNode nodes[400];
    uint32_t nnodes;
    TribValue values[200];
    uint32_t nvalues;
    const char *at;
} Tree;

static uint16_t op_of(Str name) {
    static const struct {
        const char *name;
        uint16_t op;
    } ops[] = {
#define FN(number, text, odbc_group, odbc_bit) {#text, number},
#include "connectors/ids.def"
    };
    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        if (str_equal(name, str_from(ops[i].name))) return ops[i].op;
    }
    fail_msg("no operator %.*s", (int)name.len, name.data);
    return 0;
}

static Str word(Tree *tree) {
    while (*tree->at == ' ') tree->at++;
    const char *start = tree->at;
    while (*tree->at && *tree->at != ' ' && *tree->at != ')' && *tree->at != '(') tree->at++;
    return (Str){start, (size_t)(tree->at - start)};
}

/* (eq i 5), 'text', 12, $column, NULL, TRUE; ! before a call: may raise. */
static void parse(Tree *tree, uint32_t at) {
    while (*tree->at == ' ') tree->at++;
    TribNode node = {0};
    if (*tree->at == '!') node.may_raise = 1, tree->at++;
    if (*tree->at == '(') {
        tree->at++;
        node.kind = TRIB_NODE_CALL;
        node.op = op_of(word(tree));
        bool number = node.op == TRIB_FN_divide || node.op == TRIB_FN_cast ||
                      node.op == TRIB_FN_add || node.op == TRIB_FN_coalesce ||
                      node.op == TRIB_FN_case;
        node.type.id = number ? TRIB_TYPE_BIGINT : TRIB_TYPE_BOOLEAN;
        if (node.op == TRIB_FN_lower) node.type.id = TRIB_TYPE_VARCHAR;
        if (node.op == TRIB_FN_negate) node.type.id = TRIB_TYPE_INTEGER;
        const char *start = tree->at;
        int depth = 0;
        for (const char *c = start; *c && (depth || *c != ')'); c++) {
            if (*c == '(') depth++;
            if (*c == ')') depth--;
            bool begins = depth == (*c == '(') && *c != ' ' && *c != ')' && c[-1] == ' ';
            if (begins && (*c != '(' || depth == 1)) node.count++;
        }
        node.first = tree->nnodes;
        tree->nnodes += node.count;
        for (uint32_t i = 0; i < node.count; i++) parse(tree, node.first + i);
        while (*tree->at == ' ') tree->at++;
        assert_int_equal(*tree->at, ')');
        tree->at++;
    } else {
        Str text = word(tree);
        TribValue *value = &tree->values[tree->nvalues];
        *value = (TribValue){.type = {.id = TRIB_TYPE_BIGINT}};
        node.kind = TRIB_NODE_LITERAL;
        if (text.data[0] == '$') {
            node.kind = TRIB_NODE_COLUMN;
            for (uint32_t i = 0; i < table.ncolumns; i++) {
                if (table.columns[i].name[0] == text.data[1]) node.ref = i;
            }
            node.type = table.columns[node.ref].type;
        } else if (text.data[0] == '?') {
            node.kind = TRIB_NODE_PARAM;
            node.ref = (uint32_t)(text.data[1] - '1');
            node.type.id = TRIB_TYPE_BIGINT;
        } else {
            if (text.data[0] == '\'') {
                value->type.id = TRIB_TYPE_VARCHAR;
                value->as.text.data = text.data + 1;
                value->as.text.length = text.len - 2;
            } else if (str_equal(text, STR("NULL")) || str_equal(text, STR("TRUE"))) {
                value->type.id = TRIB_TYPE_BOOLEAN;
                value->is_null = text.data[0] == 'N';
                value->as.integer = 1;
            } else {
                for (size_t i = 0; i < text.len; i++)
                    value->as.integer = value->as.integer * 10 + (text.data[i] - '0');
            }
            node.type = value->type;
            node.ref = tree->nvalues++;
        }
    }
    tree->nodes[at] = node;
}

typedef struct Planned {
    Arena *arena;
    TribVerdict verdicts[8];
    TribOffer offer;
    SqlSelect select;
    SqlFragment statement;
    Status status;
    Error err;
} Planned;

/* Plans up to 8 conjuncts given as text; outputs $i. */
static void plan(Planned *p, const char *const *conjuncts, uint32_t count, int64_t limit,
                 uint32_t norder, const TribOrder *order) {
    static const TribTable *const tables[] = {&table};
    uint32_t nodes[9], output;
    memset(p, 0, sizeof *p);
    p->arena = arena_new(NULL);
    Tree *tree = ARENA_NEW(p->arena, Tree);
    tree->arena = p->arena;
    for (uint32_t i = 0; i <= count; i++) {
        nodes[i] = tree->nnodes++;
        tree->at = i < count ? conjuncts[i] : "$i";
        parse(tree, nodes[i]);
    }
    output = nodes[count];
    TribOrder keys[2] = {{output, false, false}, {output, false, false}};
    for (uint32_t i = 0; i < norder; i++) {
        keys[i] = order[i];
        keys[i].node = output;
    }
    p->offer = (TribOffer){.size = sizeof p->offer,
                           .mode = TRIB_PUSHDOWN_EXACT,
                           .nnodes = tree->nnodes,
                           .nodes = tree->nodes,
                           .nvalues = tree->nvalues,
                           .values = tree->values,
                           .ntables = 1,
                           .tables = tables,
                           .noutput = 1,
                           .output = &output,
                           .nconjuncts = count,
                           .conjuncts = nodes,
                           .limit = limit,
                           .norder = norder,
                           .order = keys,
                           .verdicts = p->verdicts};
    p->status = sql_plan(&dialect, NULL, p->arena, &p->offer, &p->select, &p->err);
    if (p->status == TRIB_OK)
        p->status = sql_select_join(p->arena, &p->select, NULL, 0, &p->statement, &p->err);
}

static void expect(const char *conjunct, TribVerdictKind kind, const char *where,
                   const char *reason) {
    Planned p;
    plan(&p, &conjunct, 1, -1, 0, NULL);
    assert_int_equal(p.status, TRIB_OK);
    if (p.verdicts[0].kind != kind)
        fail_msg("%s: verdict %d (%s)", conjunct, p.verdicts[0].kind, p.verdicts[0].reason);
    assert_string_equal(p.select.where.text ? p.select.where.text : "", where);
    if (reason) assert_string_equal(p.verdicts[0].reason, reason);
    for (uint32_t i = 0; i < p.statement.nparams; i++)
        assert_int_equal(p.statement.text[p.statement.params[i].at], '?');
    arena_free(p.arena);
}

static void test_sql_leaves(void **state) {
    expect("(eq $i 5)", TRIB_EXACT, "`i` = ?", "");
    expect("(eq $f 'x')", TRIB_EXACT, "(`f` = ? AND BINARY `f` = ?)", "");
    expect("(gt $i 5)", TRIB_SUPERSET, "`i` > ?", "half right");
    expect("(eq $a 5)", TRIB_EXACT, "`a``b` = ?", "");
    expect("(eq (cast $a) 5)", TRIB_EXACT, "`a``b` = ?", ""); /* a widening cast disappears */
    expect("(in $i 1 2 3)", TRIB_EXACT, "`i` IN (?, ?, ?)", "");
    expect("(in $f 'a' 'b')", TRIB_EXACT, "(`f` IN (?, ?) AND B(`f`) IN (B(?), B(?)))", "");
    expect("(in $i 1 2 3 4 5 6 7)", TRIB_NONE, "",
           "too long a statement for the source"); /* six parameters */
    expect("(eq $u 'x')", TRIB_NONE, "", "it is encrypted");
    expect("(eq (lower $t) 'x')", TRIB_NONE, "", "folds other letters");
    expect("(le $i 5)", TRIB_NONE, "", "no rule for this operator and these types");
    expect("!(eq $i 5)", TRIB_NONE, "", "may raise");
    expect("(eq (divide $i 3) 5)", TRIB_EXACT, "(`i` DIV ?) = ?", "");
    expect("(eq (divide $i 0) 5)", TRIB_NONE, "", "not positive");
    expect("(eq (divide $i $i) 5)", TRIB_NONE, "", "not positive");
    expect("(starts_with $t 'x')", TRIB_EXACT, "STARTS(`t`, ?, '{')", "");
    expect("(eq $i ?1)", TRIB_EXACT, "`i` = ?", "");
    expect("TRUE", TRIB_EXACT, "1 = 1", "");
    expect("NULL", TRIB_EXACT, "1 = 0", "");
}

static void test_sql_logic(void **state) {
    expect("(or (eq $i 1) (eq $i 2))", TRIB_EXACT, "(`i` = ? OR `i` = ?)", "");
    expect("(or (eq $i 1) (le $i 2))", TRIB_NONE, "", NULL);
    expect("(or (eq $i 1) (gt $i 2))", TRIB_SUPERSET, "(`i` = ? OR `i` > ?)", "half right");
    expect("(and (eq $i 1) (le $i 2))", TRIB_SUPERSET, "(`i` = ?)", NULL);
    expect("(and (le $i 1) (le $i 2))", TRIB_NONE, "", NULL);
    expect("(not (eq $i 1))", TRIB_EXACT, "`i` <> ?", "");
    expect("(not (lt $i 1))", TRIB_EXACT, "`i` >= ?", "");
    expect("(not (and (eq $i 1) (lt $i 2)))", TRIB_EXACT, "(`i` <> ? OR `i` >= ?)", "");
    expect("(not (or (eq $i 1) (lt $i 2)))", TRIB_EXACT, "(`i` <> ? AND `i` >= ?)", "");
    expect("(not (not (eq $i 1)))", TRIB_EXACT, "`i` = ?", "");
    expect("(not (gt $i 1))", TRIB_NONE, "",
           NULL); /* would be le: no rule; never NOT of a superset */
    expect("(not (starts_with $t 'x'))", TRIB_EXACT, "NOT (STARTS(`t`, ?, '{'))", "");
    expect("(not (eq $f 'x'))", TRIB_NONE, "", NULL);
    expect("(not NULL)", TRIB_EXACT, "1 = 0", "");
    expect("(or (eq $f 'x') (eq $i 1))", TRIB_EXACT, "((`f` = ? AND BINARY `f` = ?) OR `i` = ?)",
           "");
    char deep[1000] = "";
    size_t used = 0;
    for (int i = 0; i < 30; i++) used += (size_t)snprintf(deep + used, sizeof deep - used, "(not ");
    used += (size_t)snprintf(deep + used, sizeof deep - used, "(eq $i 1)");
    for (int i = 0; i < 30; i++) used += (size_t)snprintf(deep + used, sizeof deep - used, ")");
    expect(deep, TRIB_NONE, "", "nested too deeply");
}

static void test_sql_caps(void **state) {
    expect("(eq $l 5)", TRIB_SUPERSET, "(`l` = ? AND ok(`l`))", "loose");
    expect("(eq $l $l)", TRIB_SUPERSET, "(`l` = `l` AND ok(`l`))", "loose");
    expect("(not (eq $l 5))", TRIB_SUPERSET, "(`l` <> ? AND ok(`l`))", "loose");
    expect("(is_null $l)", TRIB_SUPERSET, "`l` IS NULL", "loose");
    expect("(eq (divide $l 3) 5)", TRIB_SUPERSET, "((`l` DIV ?) = ? AND ok(`l`))",
           "loose"); /* SQL_STRICT */
    expect("(not (is_null $l))", TRIB_NONE, "", NULL);
}

static void test_sql_like(void **state) {
    static const struct {
        const char *pattern;
        int32_t escape;
        const char *out, *glob; /* NULL: malformed */
    } cases[] = {
        {"a%", 0, "a%", "a*"},
        {"a!b", 0, "a!!b", "a!b"},
        {"a\\%", 0, "a\\%", "a\\*"},
        {"a\\%", '\\', "a!%", "a%"},
        {"\\\\", '\\', "\\", "\\"},
        {"\\a", '\\', NULL, NULL},
        {"\\", '\\', NULL, NULL},
        {"!%", '!', "!%", "%"},
        {"!!", '!', "!!", "!"},
        {"##%#_", '#', "#%!_", "#*_"},
        {"*_[a]?", 0, "*_[a]?", "[*]?[[]a][?]"},
        {"%%", '%', "!%", "%"},
        {"**%", '*', "*%", "[*]*"},
        {"\xC3\xA4%_", 0, "\xC3\xA4%_", "\xC3\xA4*?"},
        {"\xC3", 0, NULL, NULL},
        {"", 0, "", ""},
    };
    Arena *arena = arena_new(NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Str out;
        bool good = sql_like_rewrite(arena, str_from(cases[i].pattern), cases[i].escape, '!', &out);
        assert_int_equal(good, cases[i].out != NULL);
        if (good) assert_true(str_equal(out, str_from(cases[i].out)));
        good = sql_glob_rewrite(arena, str_from(cases[i].pattern), cases[i].escape, &out);
        assert_int_equal(good, cases[i].glob != NULL);
        if (good && !str_equal(out, str_from(cases[i].glob))) fail_msg("%s", cases[i].glob);
    }
    arena_free(arena);
    expect("(like $t 'a!b%')", TRIB_EXACT, "`t` LIKE ? ESCAPE '!'", "");
    expect("(like $t $f)", TRIB_NONE, "", "the pattern is not a well-formed constant");
}

static void test_sql_select(void **state) {
    static const char *const exact[] = {"(eq $i 5)", "(or (eq $i 1) (eq $i 2))"}, *const inexact[] =
                                                                                      {"(gt $i 5)"};
    static const TribOrder up = {0, false, false}, down = {0, true, true};
    Planned p;
    plan(&p, exact, 2, 10, 0, NULL);
    assert_string_equal(
        p.statement.text,
        "SELECT `i` FROM `s`.`ta``ble` WHERE `i` = ? AND (`i` = ? OR `i` = ?) LIMIT 10");
    assert_int_equal(p.offer.taken, TRIB_TAKEN_LIMIT);
    assert_string_equal(sql_explain(p.arena, &p.statement) + p.statement.len,
                        "\nparams:   5, 1, 2");
    arena_free(p.arena);
    plan(&p, inexact, 1, 10, 1, &up);
    assert_string_equal(p.statement.text, "SELECT `i` FROM `s`.`ta``ble` WHERE `i` > ?");
    assert_int_equal(p.offer.taken, 0);
    assert_string_equal(p.offer.limit_verdict.reason, "the filter is not exact");
    arena_free(p.arena);
    plan(&p, exact, 1, 10, 1, &up); /* NULLs last where they are smallest */
    assert_string_equal(
        p.statement.text,
        "SELECT `i` FROM `s`.`ta``ble` WHERE `i` = ? ORDER BY `i` IS NULL, `i` LIMIT 10");
    assert_int_equal(p.offer.taken, TRIB_TAKEN_LIMIT | TRIB_TAKEN_ORDER);
    arena_free(p.arena);
    plan(&p, exact, 0, 10, 1, &down);
    assert_string_equal(
        p.statement.text,
        "SELECT `i` FROM `s`.`ta``ble` ORDER BY `i` IS NULL DESC, `i` DESC LIMIT 10");
    arena_free(p.arena);
    plan(&p, exact, 0, -1, 1, &down); /* a sort without a limit stays here */
    assert_int_equal(p.offer.taken, 0);
    SqlFragment extra[] = {{"x > ?", 5, 1, &(SqlParam){.at = 4}}, {NULL, 0, 0, NULL}}, joined;
    assert_int_equal(sql_select_join(p.arena, &p.select, extra, 2, &joined, &p.err), TRIB_OK);
    assert_string_equal(joined.text, "SELECT `i` FROM `s`.`ta``ble` WHERE (x > ?)");
    assert_int_equal(joined.text[joined.params[0].at], '?');
    arena_free(p.arena);
}

/* ---------------------------------------------------------------- changes as a whole */

static void table_text(const void *context, Buf *out, const TribTable *target) {
    quote(out, str_from(target->name));
}

static const char *storable(const TribColumn *column, const TribValue *value) {
    return !value->is_null && value->type.id == TRIB_TYPE_VARCHAR && value->as.text.length == 0
               ? "no empty text"
               : NULL;
}

static const SqlAssigning *assigning; /* of the dialect; NULL = new values are constants */

/* SET columns[i] = values[i] (trees; NULL = DEFAULT) WHERE conjuncts. `text` "": refused with the reason. */
static void changes(uint32_t nset, const uint32_t *set, const char *const *values, uint32_t count,
                    const char *const *conjuncts, const char *text, const char *reason) {
    SqlDialect own = dialect;
    Arena *arena = arena_new(NULL);
    Tree *tree = ARENA_NEW(arena, Tree);
    uint32_t nodes[8];
    TribAssignment assignments[8];
    TribVerdict verdict = {.kind = TRIB_SUPERSET};
    SqlFragment out;
    Error err;
    own.table = table_text;
    own.assigning = assigning;
    for (uint32_t i = 0; i < count; i++) {
        nodes[i] = tree->nnodes++;
        tree->at = conjuncts[i];
        parse(tree, nodes[i]);
    }
    for (uint32_t i = 0; i < nset; i++) {
        assignments[i] = (TribAssignment){set[i], values[i] ? tree->nnodes++ : UINT32_MAX};
        tree->at = values[i];
        if (values[i]) parse(tree, assignments[i].node);
    }
    TribModify modify = {.size = sizeof modify,
                         .table = &table,
                         .nnodes = tree->nnodes,
                         .nodes = tree->nodes,
                         .nvalues = tree->nvalues,
                         .values = tree->values,
                         .nconjuncts = count,
                         .conjuncts = nodes,
                         .nassignments = nset,
                         .assignments = assignments};
    assert_int_equal(sql_change(&own, NULL, arena, storable, &modify, &verdict, &out, &err),
                     TRIB_OK);
    assert_int_equal(verdict.kind, text[0] ? TRIB_EXACT : TRIB_NONE);
    assert_string_equal(out.text, text);
    assert_string_equal(verdict.reason, reason);
    for (uint32_t i = 0; i < out.nparams; i++) assert_int_equal(out.text[out.params[i].at], '?');
    if (nset && text[0] && !assigning)
        assert_int_equal(out.params[0].type.id, columns[set[0]].type.id);
    arena_free(arena);
}

static void test_sql_change(void **state) {
    static const uint32_t set[] = {1, 4};
    static const char *const values[] = {"'new'", "7"}, *const computed[] = {"$t"},
                             *const empty[] = {"''"}, *const by_default[] = {NULL};
    static const char *const exact[] = {"(eq $i 5)", "(or (eq $i 1) (eq $i 2))"};
    static const char *const half[] = {"(eq $i 5)", "(gt $i 5)"}, *const no_rule[] = {"(lower $t)"};
    changes(2, set, values, 2, exact,
            "UPDATE `ta``ble` SET `t` = ?, `a``b` = ? WHERE `i` = ? AND (`i` = ? OR `i` = ?)", "");
    changes(1, set, values, 0, NULL, "UPDATE `ta``ble` SET `t` = ?", "");
    changes(0, NULL, NULL, 1, exact, "DELETE FROM `ta``ble` WHERE `i` = ?", "");
    changes(0, NULL, NULL, 0, NULL, "DELETE FROM `ta``ble`", "");
    changes(0, NULL, NULL, 2, half, "", "half right");
    changes(1, set, values, 1, no_rule, "", "folds other letters");
    changes(1, set, computed, 0, NULL, "", "a new value is computed from others");
    changes(1, set, by_default, 0, NULL, "", "a new value is computed from others");
    changes(1, set, empty, 1, exact, "", "no empty text");
}

static const SqlRule value_rules[] = {
    {TRIB_FN_add, SQL_RAISES | SQL_STORED, SQL_INTEGERS, 0, 0, CLASS_PLAIN, TRIB_EXACT, "{0} + {1}",
     NULL, NULL, 0},
    {TRIB_FN_add, SQL_RAISES, SQL_INTEGERS, 0, 0, CLASS_PLAIN, TRIB_EXACT, "HELD({0} + {1})", NULL,
     NULL, 0},
    {TRIB_FN_negate, SQL_STORED, SQL_INTEGERS, 0, 0, CLASS_PLAIN, TRIB_EXACT, "- {0}", NULL, NULL,
     0},
    {TRIB_FN_coalesce, 0, SQL_INTEGERS, 0, 0, CLASS_PLAIN, TRIB_EXACT, "COALESCE({0}, {1*})", NULL,
     NULL, 0},
    {TRIB_FN_case, 0, SQL_INTEGERS, 0, 0, CLASS_PLAIN, TRIB_EXACT, "CASE", NULL, NULL, 0},
};

static const char *store(const void *context, Arena *arena, const TribColumn *target, TribType type,
                         uint32_t classes, const char **reason) {
    *reason = "not stored";
    return type.id == TRIB_TYPE_VARCHAR           ? NULL
           : target->type.id == TRIB_TYPE_INTEGER ? "ROUND({0})"
                                                  : "{0}";
}

static const SqlAssigning values_of_columns = {value_rules, COUNT_OF(value_rules), column_facts,
                                               store};

/* New values that the source computes. `i` may be NULL, `a``b` may not. */
static void test_sql_assign(void **state) {
    static const uint32_t i[] = {0}, ab[] = {4}, i_ab[] = {0, 4}, i_ab_l[] = {0, 4, 3};
    assigning = &values_of_columns;
#define SET(columns_, text, reason, ...) \
    changes(COUNT_OF(columns_), columns_, (const char *const[]){__VA_ARGS__}, 0, NULL, text, reason)
    SET(i, "UPDATE `ta``ble` SET `i` = `i` + ?", "", "!(add $i 1)");
    SET(ab, "UPDATE `ta``ble` SET `a``b` = ROUND(`a``b`)", "", "$a");
    SET(i, "UPDATE `ta``ble` SET `i` = COALESCE((`i` + ?), ?)", "", "(coalesce !(add $i 1) 0)");
    SET(i, "UPDATE `ta``ble` SET `i` = (HELD(`i` + ?)) + ?", "", "!(add !(add $i 1) 2)");
    /* a second operand that may raise is not looked at where the first is NULL */
    SET(i, "UPDATE `ta``ble` SET `i` = `a``b` + (HELD(`i` + ?))", "", "!(add $a !(add $i 1))");
    SET(i, "UPDATE `ta``ble` SET `i` = CASE WHEN `i` IS NOT NULL THEN `i` + (HELD(`i` + ?)) END",
        "", "!(add $i !(add $i 1))");
    SET(i, "UPDATE `ta``ble` SET `i` = CASE WHEN (`i` = ? OR `i` < ?) THEN `i` + ? ELSE `a``b` END",
        "", "(case (or (eq $i 1) (lt $i 2)) !(add $i 3) $a)");
    /* BIGINT overflows later than the column does, INTEGER earlier */
    SET(ab, "UPDATE `ta``ble` SET `a``b` = ROUND(- `a``b`)", "", "(negate $a)");
    SET(i, "", "no rule for this operator and these types", "(negate $a)");
    SET(i, "", "may raise an error", "!(divide $i 0)");
    SET(i, "", "no rule for this operator and these types", "(add (negate $i) 1)");
    SET(i, "", "half right", "(case (gt $i 5) 1 2)");
    SET(i, "", "a condition may raise an error", "(case (eq !(add $i 1) 5) 1 2)");
    SET(i, "", "loose", "$l");
    SET(i, "", "loose", "(coalesce $l 0)");
    SET(i, "", "a stored value may be read as NULL", "(case (is_null $l) 1 (eq $l 2) 3 4)");
    SET(i, "", "not stored", "$t");
    SET(i, "", "a new value is computed from others", NULL);
    /* what is read is assigned later */
    SET(i_ab, "UPDATE `ta``ble` SET `a``b` = ROUND(`i` + ?), `i` = ?", "", "5", "!(add $i 1)");
    SET(i_ab, "UPDATE `ta``ble` SET `i` = `a``b`, `a``b` = ?", "", "$a", "7");
    SET(i_ab_l, "UPDATE `ta``ble` SET `l` = `i`, `i` = `a``b` + ?, `a``b` = ?", "", "!(add $a 1)",
        "3", "$i");
    SET(i_ab, "", "the new values of columns depend on each other", "$a", "$i");
    SET(i_ab_l, "", "the new values of columns depend on each other", "$a", "!(add $i $a)", "$i");
#undef SET
    assigning = NULL;
}

/* ---------------------------------------------------------------- options */

static const TribOptionDef defs[] = {
    {.name = "host", .kind = TRIB_OPTION_STRING, .required = true, .help = "where"},
    {.name = "port",
     .kind = TRIB_OPTION_INTEGER,
     .default_value = "3306",
     .min = 1,
     .max = 65535,
     .help = "port"},
    {.name = "tls",
     .kind = TRIB_OPTION_CHOICE,
     .default_value = "on",
     .choices = "on|off",
     .help = "TLS"},
    {.name = "fast", .kind = TRIB_OPTION_BOOLEAN, .help = "fast"},
    {.name = "hide", .kind = TRIB_OPTION_LIST, .help = "hidden"},
    {.name = NULL},
};

static void option_refused(TribOption bad, const char *part) {
    TribOption values[] = {{.name = "host", .value = "x"}, bad};
    Options options;
    Error err;
    assert_int_equal(options_init(&options, "cat", defs, values, 2, &err), TRIB_INVALID);
    if (!strstr(err.message, part)) fail_msg("\"%s\" does not say \"%s\"", err.message, part);
    assert_string_equal(err.source, "cat");
    assert_int_equal(err.line, 3);
    assert_int_equal(err.column, 9);
}

static void test_options(void **state) {
    TribOption values[] = {{.name = "host", .value = "h"},
                           {.name = "tls", .value = "OFF"},
                           {.name = "hide", .value = "[\"a*\", \"b\"]", .line = 1, .column = 2}};
    Options options;
    Error err;
    Str *list;
    uint32_t count;
    Arena *arena = arena_new(NULL);
    assert_int_equal(options_init(&options, "cat", defs, values, 3, &err), TRIB_OK);
    assert_string_equal(option_text(&options, "host"), "h");
    assert_int_equal(option_integer(&options, "port", -1), 3306);
    assert_int_equal(option_choice(&options, "tls"), 1);
    assert_false(option_boolean(&options, "fast"));
    assert_false(option_given(&options, "port"));
    assert_int_equal(option_list(&options, arena, "hide", &list, &count, &err), TRIB_OK);
    assert_int_equal(count, 2);
    assert_true(str_equal(list[1], STR("b")));
    values[2].value = "[1]";
    assert_int_equal(option_list(&options, arena, "hide", &list, &count, &err), TRIB_INVALID);
    assert_int_equal(options_init(&options, "cat", defs, values + 1, 1, &err), TRIB_INVALID);
    assert_string_equal(err.message, "option \"host\" is required");
    option_refused((TribOption){"prot", "1", 3, 9}, "unknown option \"prot\"");
    option_refused((TribOption){"port", "70000", 3, 9}, "between 1 and 65535");
    option_refused((TribOption){"port", "x", 3, 9}, "whole number");
    option_refused((TribOption){"tls", "maybe", 3, 9}, "on|off");
    option_refused((TribOption){"fast", "2", 3, 9}, "true or false");
    arena_free(arena);
}

static void test_patterns(void **state) {
    assert_true(name_matches(STR("*"), STR("")));
    assert_true(name_matches(STR("tmp_*"), STR("TMP_x")));
    assert_false(name_matches(STR("tmp_*"), STR("tmp")));
    assert_true(name_matches(STR("*a*b*"), STR("xxaxxabxx")));
    assert_true(name_matches(STR("?"), STR("\xC3\xA4")));
    assert_false(name_matches(STR("?"), STR("ab")));
    assert_false(name_matches(STR("a*b"), STR("abc")));
}

/* ---------------------------------------------------------------- pool */

typedef struct Opened {
    _Atomic int open, closed, alive;
} Opened;

static Status opened_new(void *context, TribCall *call, void **connection, Error *err) {
    Opened *self = context;
    if (self->open >= 100) return error_set(err, ERR_CONNECT_FAILED, "no more");
    self->open++;
    *connection = heap_alloc(16);
    return TRIB_OK;
}

static void opened_close(void *context, void *connection) {
    ((Opened *)context)->closed++;
    heap_free(connection);
}

static bool opened_alive(void *context, TribCall *call, void *connection, int64_t idle_ns) {
    return ((Opened *)context)->alive;
}

static const PoolHooks hooks = {.open = opened_new, .close = opened_close, .alive = opened_alive};

typedef struct Taker {
    Pool *pool;
    int rounds;
} Taker;

static void *take_often(void *context) {
    Taker *self = context;
    Error err;
    for (int i = 0; i < self->rounds; i++) {
        void *connection;
        if (pool_take(self->pool, NULL, &connection, &err) != TRIB_OK) continue;
        if (i % 10 == 0)
            pool_discard(self->pool, connection);
        else
            pool_give(self->pool, connection);
    }
    return NULL;
}

static void test_pool(void **state) {
    Opened opened = {.alive = 1};
    Error err;
    void *a, *b, *c;
    TribCall call = {.size = sizeof call, .deadline_ns = os_now_ns() + 20000000};
    Pool *pool = pool_new(&hooks, &opened, "cat", 2, 60000);
    assert_int_equal(pool_take(pool, NULL, &a, &err), TRIB_OK);
    assert_int_equal(pool_take(pool, NULL, &b, &err), TRIB_OK);
    assert_int_equal(pool_busy(pool), 2);
    assert_int_equal(pool_try(pool, NULL, &c, &err), TRIB_OK);
    assert_null(c);
    assert_int_equal(pool_take(pool, &call, &c, &err), TRIB_TIMEOUT);
    assert_string_equal(err.sqlstate, "HYT00");
    assert_non_null(strstr(err.hint, "max_connections"));
    pool_give(pool, a);
    assert_int_equal(pool_take(pool, NULL, &c, &err), TRIB_OK);
    assert_ptr_equal(a, c); /* the idle one again */
    pool_give(pool, c);
    opened.alive = 0;
    assert_int_equal(pool_take(pool, NULL, &c, &err), TRIB_OK);
    assert_int_equal(opened.closed, 1); /* the dead one was closed, a new one opened */
    assert_int_equal(opened.open, 3);
    pool_discard(pool, c);
    opened.open = 1000;
    assert_int_equal(pool_take(pool, NULL, &c, &err), TRIB_CONNECT);
    assert_string_equal(err.source, "cat");
    assert_int_equal(pool_busy(pool), 1);
    pool_give(pool, b);
    pool_free(pool);
}

/* A child starts with an empty pool and leaves the parent's connections alone. */
static void test_pool_fork(void **state) {
    Opened opened = {.alive = 1};
    Error err;
    void *a, *b, *c;
    int status;
    Pool *pool = pool_new(&hooks, &opened, "cat", 2, 60000);
    assert_int_equal(pool_take(pool, NULL, &a, &err), TRIB_OK);
    assert_int_equal(pool_take(pool, NULL, &b, &err), TRIB_OK);
    pool_give(pool, b);
    pid_t child = fork();
    if (child == 0) {
        bool good = pool_busy(pool) == 0 && pool_take(pool, NULL, &c, &err) == TRIB_OK && c != b;
        good = good && opened.open == 3 && opened.closed == 0;
        pool_give(pool, a); /* the parent's: forgotten */
        _exit(good && pool_busy(pool) == 1 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(pool_busy(pool), 1);
    pool_give(pool, a);
    pool_free(pool);
    assert_int_equal(opened.closed, 2);
}

static void test_pool_threads(void **state) {
    Opened opened = {.alive = 1, .open = -1000000};
    pthread_t threads[8];
    Taker taker = {pool_new(&hooks, &opened, "cat", 3, 60000), 500};
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_create(&threads[i], NULL, take_often, &taker);
    for (size_t i = 0; i < COUNT_OF(threads); i++) pthread_join(threads[i], NULL);
    assert_int_equal(pool_busy(taker.pool), 0);
    pool_free(taker.pool);
    assert_int_equal(opened.open + 1000000, opened.closed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch_text),   cmocka_unit_test(test_batch_limits),
        cmocka_unit_test(test_batch_values), cmocka_unit_test(test_sql_leaves),
        cmocka_unit_test(test_sql_logic),    cmocka_unit_test(test_sql_caps),
        cmocka_unit_test(test_sql_like),     cmocka_unit_test(test_sql_select),
        cmocka_unit_test(test_options),      cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_pool),         cmocka_unit_test(test_pool_threads),
        cmocka_unit_test(test_pool_fork),    cmocka_unit_test(test_row_values),
        cmocka_unit_test(test_sql_change),   cmocka_unit_test(test_sql_assign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
