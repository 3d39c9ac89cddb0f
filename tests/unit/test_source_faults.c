/*
 * test_source_faults.c - every allocation of the engine fails once, from the configuration to the last
 * row: an error or the right rows, nothing leaked (under the address sanitizer), and the next query works.
 *
 * Needs --enable-faults; without it the test passes through once.
 */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/os.h"
#include "engine/catalog/internal.h"
#include "tests/unit/test_base.h"

#define FOLDERS STR("tests/unit/.libs:.libs")
#define ROWS    6000

static char store_path[64];

static const char text[] =
    "{\"settings\": {\"threads\": 2}, \"catalogs\": {"
    "\"far\": {\"type\": \"fake\", \"rows\": 2000, \"splits\": 3, \"tags\": [\"a\"], "
    "\"password\": \"${env:HOME}x\", \"hide\": \"none*\"},"
    "\"ram\": {\"type\": \"memory\"}}}";

static Status plan_of(TableRef *table, SourcePlan **out, Type types[2], Error *err) {
    TribNode nodes[2];
    const uint32_t output[] = {0, 1};
    const TribTable *tables[] = {&table->table};
    Source *source;
    SourceCall call = {.deadline_ns = INT64_MAX};
    for (uint32_t i = 0; i < 2; i++) {
        types[i] = table->table.columns[i].type;
        nodes[i] = (TribNode){.kind = TRIB_NODE_COLUMN, .type = types[i], .ref = i};
    }
    TribOffer offer = {.size = sizeof offer,
                       .nnodes = 2,
                       .nodes = nodes,
                       .ntables = 1,
                       .tables = tables,
                       .noutput = 2,
                       .output = output,
                       .limit = -1};
    TRY(catalog_source(table->catalog, &source, err));
    return source_plan(source, &call, &offer, out, err);
}

static Status stream_read(ScanStream *stream, TribWriter *writer, Source *target, uint64_t *rows,
                          Error *err) {
    Arena *arena, *scratch;
    ScanReader *reader = NULL;
    TRY_ALLOC(arena, arena_new(NULL), err);
    scratch = arena_new(arena);
    Status status =
        scratch ? scan_reader_new(stream, arena, &reader, err) : error_out_of_memory(err);
    Batch batch;
    batch_init(&batch, scratch);
    while (status == TRIB_OK) {
        StreamStep step;
        status = scan_reader_next(reader, NULL, &batch, &step, err);
        if (status != TRIB_OK || step == STREAM_END) break;
        if (step == STREAM_BLOCKED) {
            usleep(200);
            continue;
        }
        *rows += batch.selected;
        if (writer) status = source_write_batch(target, writer, &batch, err);
    }
    if (scratch) batch_clear(&batch);
    scan_reader_free(reader);
    arena_free(arena);
    return status;
}

/* Copies the far table into one in memory. */
static Status copy_table(CatalogSet *set, TableRef *table, SourcePlan *plan, const Type *types,
                         uint64_t *rows, uint64_t *written, Error *err) {
    ScanParams params = {.plan = plan,
                         .call = {.deadline_ns = INT64_MAX},
                         .ncolumns = 2,
                         .types = types,
                         .threads = 2,
                         .limit = -1};
    TribTable target = table->table;
    target.schema = "default";
    target.nkeys = 0;
    TribWriteRequest request = {
        .size = sizeof request, .kind = TRIB_WRITE_CREATE, .table = &target, .ncolumns = 2};
    TribDdl drop = {.size = sizeof drop,
                    .kind = TRIB_DDL_DROP_TABLE,
                    .schema = "default",
                    .name = target.name,
                    .if_exists = true};
    Source *ram;
    ScanStream *stream;
    TribWriter *writer;
    TRY(catalog_source(catalogs_at(set, 1), &ram, err));
    TRY(source_ddl(ram, &params.call, &drop, err));
    TRY(source_write_open(ram, &params.call, &request, &writer, err));
    Status status = scan_stream_new(&params, &stream, err);
    if (status == TRIB_OK) {
        status = stream_read(stream, writer, ram, rows, err);
        scan_stream_free(stream, INT64_C(2000000000));
    }
    Error ignored;
    Status closed =
        source_write_close(ram, writer, status == TRIB_OK, written, status ? &ignored : err);
    return status == TRIB_OK ? closed : status;
}

static Status scenario_names(CatalogSet *set, uint64_t *rows, uint64_t *written, Error *err) {
    LookupContext context = {.catalogs = set,
                             .catalog = STR("far"),
                             .schema = STR("MAIN"),
                             .call = {.deadline_ns = INT64_MAX},
                             .ttl_seconds = 60};
    Arena *arena;
    TableRef *table;
    SourcePlan *plan;
    const char *how;
    Type types[2];
    Str name = STR("customers");
    TRY_ALLOC(arena, arena_new(NULL), err);
    Status status = catalog_lookup_table(&context, 1, &name, arena, &table, &how, err);
    arena_free(arena);
    TRY(status);
    status = plan_of(table, &plan, types, err);
    if (status == TRIB_OK) {
        status = copy_table(set, table, plan, types, rows, written, err);
        source_plan_release(plan);
    }
    table_release(table);
    return status;
}

static Status scenario(uint64_t *rows, uint64_t *written, Error *err) {
    Config *config;
    CatalogSet *set;
    TRY(config_load(STR(""), STR(text), &config, err));
    Status status = catalogs_new(config, FOLDERS, str_from(store_path), &set, err);
    config_release(config);
    TRY(status);
    status = scenario_names(set, rows, written, err);
    catalogs_release(set);
    return status;
}

static void test_every_allocation(void **state) {
    (void)state;
    uint64_t failed = 0, fine = 0; /* runs since the last failure */
    for (uint64_t nth = 0; nth < 5000 && fine < 300; nth++) {
        uint64_t rows = 0, written = 0;
        Error err;
        error_clear(&err);
        heap_fail_at(nth);
        Status status = scenario(&rows, &written, &err);
        heap_fail_at(0);
        if (status == TRIB_OK) {
            /* A failure in a cache, or in a helping thread, costs nothing but time. */
            assert_int_equal(rows, ROWS);
            assert_int_equal(written, ROWS);
            fine++;
        } else {
            failed++;
            fine = 0;
            if (status != TRIB_MEMORY && status != TRIB_INVALID)
                fail_msg("%llu: %s", (unsigned long long)nth, err.message);
            assert_true(err.message[0] != '\0');
        }
#ifndef TRIB_FAULTS
        assert_int_equal(status, TRIB_OK);
        break;
#endif
    }
#ifdef TRIB_FAULTS
    assert_true(failed > 50);
    print_message("%llu runs failed, rightly\n", (unsigned long long)failed);
#endif
}

static int setup(void **state) {
    (void)state;
    char folder[] = "/tmp/tributary-test-XXXXXX";
    if (!mkdtemp(folder)) return -1;
    (void)text_format(store_path, sizeof store_path, "%s/meta.db", folder);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    char command[128];
    (void)text_format(command, sizeof command, "rm -rf $(dirname %s)", store_path);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_allocation)};
    return cmocka_run_group_tests_name("source faults", tests, setup, teardown);
}
