/*
 * fuzz_dynamodb.c - libFuzzer harness of DynamoDB's answers: pages of Scan, Query and BatchGetItem, table
 * descriptions, documents.
 *
 * Any bytes as the body of an answer: refused with a well-formed error, or read into rows that a batch
 * holds. The same bytes as a description: refused, or written as facts that are read again.
 *
 *   tests/fuzz/fuzz_dynamodb -max_len=4096 tests/fuzz/corpus/dynamodb
 */
#include <stdio.h>
#include <stdlib.h>

#include "connectors/dynamodb/scan.h"
#include "tests/fuzz/fuzz.h"

static void check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "fuzz_dynamodb: %s\n", what);
    abort();
}

static void check_error(const Error *err) {
    check(err->message[0] && utf8_valid(err->message, strlen(err->message)),
          "no message, or not UTF-8");
    check(utf8_valid(err->detail, strlen(err->detail)), "a detail that is not UTF-8");
    check(strlen(err->sqlstate) == 5, "no SQLSTATE");
}

static ColumnInfo columns[] = {
    {{"k", 1}, {.id = TRIB_TYPE_VARCHAR}, READ_TEXT, MISMATCH_ERROR},
    {{"n", 1}, {.id = TRIB_TYPE_BIGINT}, READ_NUMBER, MISMATCH_NULL},
    {{"d", 1}, {.id = TRIB_TYPE_DECIMAL, .precision = 38, .scale = 2}, READ_NUMBER, MISMATCH_NULL},
    {{"f", 1}, {.id = TRIB_TYPE_DOUBLE}, READ_NUMBER, MISMATCH_NULL},
    {{"b", 1}, {.id = TRIB_TYPE_VARBINARY}, READ_BINARY, MISMATCH_NULL},
    {{"o", 1}, {.id = TRIB_TYPE_BOOLEAN}, READ_BOOL, MISMATCH_NULL},
    {{"j", 1}, {.id = TRIB_TYPE_JSON}, READ_DOCUMENT, MISMATCH_NULL},
    {{"x", 1}, {.id = TRIB_TYPE_VARCHAR}, READ_ANY, MISMATCH_NULL},
    {{"t", 1}, {.id = TRIB_TYPE_TIMESTAMP, .precision = 3}, READ_TEXT, MISMATCH_NULL},
};

static void check_page(Str body, ReadKind kind, bool count) {
    AccessPath path = {.hash = {{"k", 1}, ATTR_S}, .all = true};
    uint32_t outputs[COUNT_OF(columns)];
    TribType types[COUNT_OF(columns)];
    bool wanted[COUNT_OF(columns)];
    AttrValue values[COUNT_OF(columns)];
    Misfit misfits[COUNT_OF(columns)] = {{0}};
    for (uint32_t i = 0; i < COUNT_OF(columns); i++)
        outputs[i] = i, types[i] = columns[i].type, wanted[i] = true;
    TribCatalog catalog = {.name = "fuzz"};
    TribPlan plan = {.catalog = &catalog,
                     .table = STR("tab"),
                     .facts = {.npaths = 1, .paths = &path},
                     .ncolumns = COUNT_OF(columns),
                     .columns = columns,
                     .noutput = count ? 0 : COUNT_OF(columns),
                     .outputs = outputs,
                     .types = types,
                     .limit = -1};
    TribScan scan = {.plan = &plan,
                     .catalog = &catalog,
                     .arena = arena_new(NULL),
                     .left = -1,
                     .values = values,
                     .misfits = misfits};
    Error err;
    scan.page_arena = arena_new(scan.arena);
    scan.way = (Way){.kind = kind, .path = &path};
    scan.request.wanted = wanted;
    scan.request.count = count;
    buf_init(&scan.scratch, NULL, 1 << 24);
    Status status = batch_builder_new(NULL, types, plan.noutput, 64, 1 << 16, &scan.builder, &err);
    if (status == TRIB_OK) status = page_open(&scan, body, &err);
    for (int batches = 0; status == TRIB_OK && scan.page.open && batches < 1000; batches++) {
        TribBatch batch = {0};
        status = batch_begin(scan.builder, &err);
        if (status == TRIB_OK) status = page_read(&scan, 64, &err);
        if (status != TRIB_OK) break;
        check(scan.builder->rows <= 64, "more rows than a batch holds");
        batch_finish(scan.builder, &batch);
        if (batch.array.release) batch.array.release(&batch.array);
    }
    if (status != TRIB_OK) check_error(&err);
    batch_builder_free(scan.builder);
    buf_clear(&scan.scratch);
    arena_free(scan.arena);
}

static void check_description(Str body) {
    Arena *arena = arena_new(NULL);
    JsonValue *tree;
    TableFacts facts, again;
    Error err;
    if (json_parse(arena, body, false, &tree, &err) == TRIB_OK) {
        if (facts_from_answer(arena, tree, &facts, &err) == TRIB_OK) {
            const char *text = facts_format(arena, &facts);
            check(text && facts_parse(arena, text, &again, &err) == TRIB_OK,
                  "facts that are not read again");
            check(again.npaths == facts.npaths &&
                      str_equal(again.paths[0].hash.name, facts.paths[0].hash.name),
                  "facts that change");
        } else {
            check_error(&err);
        }
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Str text = {(const char *)data, size};
    if (size == 0) return 0;
    check_page(text, READ_SCAN, false);
    check_page(text, READ_GET, false);
    if (size < 200) check_page(text, READ_SCAN, true);
    check_description(text);
    return 0;
}
