/*
 * test_metastore.c - descriptions as bytes, the metastore among processes, the cache in front of it.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/catalog/internal.h"
#include "engine/catalog/views.h"
#include "tests/unit/fake_connector.h"
#include "tests/unit/test_base.h"

#define FOLDERS STR("tests/unit/.libs:.libs")

static FakeCounters *counters;
static char folder[] = "/tmp/tributary-test-XXXXXX";

/* ---------------------------------------------------------------- bytes */

static void sample_table(Arena *arena, TribTable *out) {
    static const uint32_t key_columns[] = {2, 0};
    static const TribKey keys[] = {
        {.name = "pk", .primary = true, .unique = true, .ncolumns = 2, .columns = key_columns},
        {.name = NULL, .unique = false, .ncolumns = 1, .columns = key_columns}};
    TribTypeField fields[] = {{"x", type_decimal(38, 6)},
                              {NULL, type_array(arena, type_varchar(7))}};
    TribColumn *columns = ARENA_ARRAY(arena, TribColumn, 4);
    columns[0] = (TribColumn){.name = "a",
                              .type = TYPE(BIGINT),
                              .remote_type = "int",
                              .distinct = 12,
                              .null_fraction = 0.25,
                              .minimum = {.type = TYPE(BIGINT), .as.integer = -5},
                              .maximum = {.type = TYPE(BIGINT), .as.integer = 99}};
    columns[1] = (TribColumn){.name = "b",
                              .type = type_row(arena, 2, fields),
                              .nullable = true,
                              .hidden = true,
                              .unreadable = "no reason",
                              .comment = "",
                              .distinct = -1,
                              .null_fraction = -1};
    columns[2] =
        (TribColumn){.name = "",
                     .type = type_decimal(30, 2),
                     .facts = "class=1",
                     .default_sql = "1 + 1",
                     .minimum = {.type = type_decimal(30, 2), .as.wide = -((__int128)1 << 90)},
                     .maximum = {.type = type_varchar(0), .as.text = {"zz\0z", 4}}};
    columns[3] = (TribColumn){.name = "t",
                              .type = type_timestamp_tz(9),
                              .minimum = {.type = type_timestamp_tz(9)},
                              .maximum = {.type = TYPE(DOUBLE), .as.real = 1.5}};
    *out = (TribTable){.size = sizeof *out,
                       .schema = "s",
                       .name = "t\xc3\xa4",
                       .kind = TRIB_TABLE_VIEW,
                       .comment = "c",
                       .ncolumns = 4,
                       .columns = columns,
                       .nkeys = 2,
                       .keys = keys,
                       .rows = 1e9,
                       .writable = true};
}

static void test_encode(void **state) {
    (void)state;
    Arena *arena = arena_new(NULL);
    TribTable table, back, copy;
    Error err;
    Buf data;
    buf_init(&data, arena, 1 << 20);
    sample_table(arena, &table);
    assert_int_equal(table_encode(&data, &table, &err), TRIB_OK);
    assert_true(table_decode(arena, buf_view(&data), &back));
    assert_int_equal(table_copy(arena, &back, &copy, &err), TRIB_OK);
    assert_string_equal(copy.name, "t\xc3\xa4");
    assert_int_equal(copy.kind, TRIB_TABLE_VIEW);
    assert_true(copy.rows == 1e9 && copy.writable);
    assert_int_equal(copy.ncolumns, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_string_equal(copy.columns[i].name, table.columns[i].name);
        assert_true(type_equal(copy.columns[i].type, table.columns[i].type));
        assert_int_equal(copy.columns[i].nullable, table.columns[i].nullable);
        assert_int_equal(copy.columns[i].hidden, table.columns[i].hidden);
    }
    assert_true(value_equal(&copy.columns[0].minimum, &table.columns[0].minimum));
    assert_true(value_equal(&copy.columns[2].minimum, &table.columns[2].minimum));
    assert_true(value_equal(&copy.columns[2].maximum, &table.columns[2].maximum));
    assert_int_equal(copy.columns[3].minimum.type.id,
                     TRIB_TYPE_UNKNOWN); /* zones are numbered per process */
    assert_string_equal(copy.columns[1].unreadable, "no reason");
    assert_string_equal(copy.columns[1].comment, "");
    assert_null(copy.columns[0].comment);
    assert_int_equal(copy.keys[0].columns[0], 2);
    assert_null(copy.keys[1].name);
    /* Cut anywhere, or with any byte changed: refused or read, never a crash. */
    for (size_t i = 0; i < data.len; i++)
        assert_false(table_decode(arena, (Str){data.data, i}, &back));
    uint64_t seed = 7;
    for (int round = 0; round < 20000; round++) {
        size_t at = test_random(&seed) % data.len;
        char before = data.data[at];
        data.data[at] = (char)test_random(&seed);
        Arena *scratch = arena_new(NULL);
        (void)table_decode(scratch, buf_view(&data), &back);
        NameList names;
        (void)names_decode(scratch, buf_view(&data), &names);
        arena_free(scratch);
        data.data[at] = before;
    }
    arena_free(arena);
}

/* ---------------------------------------------------------------- the file */

static void path_of(char out[256], const char *name) {
    (void)text_format(out, 256, "%s/%s", folder, name);
}

static void test_file(void **state) {
    (void)state;
    char path[256];
    const char *warning;
    Arena *arena = arena_new(NULL);
    Str data;
    int64_t fetched, now = os_realtime_us();
    struct stat facts;
    path_of(path, "deep/er/meta.db");
    Metastore *store = metastore_open(str_from(path), &warning), *same;
    assert_non_null(store);
    assert_null(warning);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    same = metastore_open(str_from(path), &warning);
    assert_ptr_equal(store, same);
    metastore_release(same);
    assert_false(metastore_get(store, STR("id"), 't', "s", "t", 1000000, arena, &data, &fetched));
    metastore_put(store, STR("id"), 't', "s", "t", STR("hello"), now, 0);
    metastore_put(store, STR("id"), 't', "s", "u", STR("other"), now, 0);
    metastore_put(store, STR("id"), 'l', "s", NULL, STR("list"), now, 0);
    metastore_put(store, STR("id2"), 't', "s", "t", STR("else"), now, 0);
    assert_true(metastore_get(store, STR("id"), 't', "s", "t", 60000000, arena, &data, &fetched));
    assert_str(data, "hello");
    assert_int_equal(fetched, now);
    assert_false(metastore_get(store, STR("id"), 't', "s", "T", 60000000, arena, &data, &fetched));
    metastore_put(store, STR("id"), 't', "s", "old", STR("old"), now - 61000000, 0);
    metastore_put(store, STR("id"), 't', "s", "future", STR("x"), now + 3600000000, 0);
    assert_false(
        metastore_get(store, STR("id"), 't', "s", "old", 60000000, arena, &data, &fetched));
    assert_false(
        metastore_get(store, STR("id"), 't', "s", "future", 60000000, arena, &data, &fetched));
    int64_t version = metastore_version(store, STR("id"));
    metastore_put(store, STR("id"), 't', "s", "T", STR("hello"), now, 0); /* another spelling */
    metastore_invalidate(store, STR("id"), "s", "t");
    assert_int_equal(metastore_version(store, STR("id")), version + 1);
    assert_false(metastore_get(store, STR("id"), 't', "s", "t", 60000000, arena, &data, &fetched));
    assert_false(metastore_get(store, STR("id"), 't', "s", "T", 60000000, arena, &data, &fetched));
    assert_false(metastore_get(store, STR("id"), 'l', "s", NULL, 60000000, arena, &data, &fetched));
    /* what was fetched before the change comes too late */
    metastore_put(store, STR("id"), 't', "s", "t", STR("stale"), now, version);
    assert_false(metastore_get(store, STR("id"), 't', "s", "t", 60000000, arena, &data, &fetched));
    metastore_put(store, STR("id"), 't', "s", "t", STR("fresh"), now, version + 1);
    assert_true(metastore_get(store, STR("id"), 't', "s", "t", 60000000, arena, &data, &fetched));
    assert_true(metastore_get(store, STR("id"), 't', "s", "u", 60000000, arena, &data, &fetched));
    metastore_invalidate(store, STR("id"), NULL, NULL);
    assert_false(metastore_get(store, STR("id"), 't', "s", "u", 60000000, arena, &data, &fetched));
    assert_true(metastore_get(store, STR("id2"), 't', "s", "t", 60000000, arena, &data, &fetched));
    metastore_release(store);
    arena_free(arena);
}

static void test_unusable(void **state) {
    (void)state;
    char path[256];
    const char *warning;
    /* Not a database. */
    path_of(path, "text.db");
    FILE *file = fopen(path, "w");
    fputs("this is not a database, whatever its name says, and it is long enough to be looked at",
          file);
    fclose(file);
    assert_null(metastore_open(str_from(path), &warning));
    assert_non_null(strstr(warning, "in memory only"));
    /* Written by a newer version: left alone. */
    sqlite3 *db;
    path_of(path, "newer.db");
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_null(metastore_open(str_from(path), &warning));
    assert_non_null(strstr(warning, "newer version"));
    /* Nowhere to write. */
    assert_null(metastore_open(STR("/proc/no/meta.db"), &warning));
    assert_non_null(strstr(warning, "cannot be created"));
    assert_null(metastore_open(STR(":memory:"), &warning));
    assert_null(warning);
    /* No home: a web server's user. */
    setenv("HOME", "/nonexistent", 1);
    unsetenv("XDG_STATE_HOME");
    assert_null(metastore_open(STR(""), &warning));
    assert_non_null(strstr(warning, "home"));
}

/* ---------------------------------------------------------------- caching */

static int warnings;

static void on_warning(void *context, const char *catalog, const char *sqlstate, const char *text) {
    (void)context;
    (void)catalog;
    assert_string_equal(sqlstate, "01000");
    assert_non_null(text);
    warnings++;
}

static CatalogSet *open_set(const char *metastore) {
    Config *config;
    CatalogSet *set;
    Error err;
    assert_int_equal(config_load(STR(""),
                                 STR("{\"catalogs\":{\"c\":{\"type\":\"fake\",\"default_schema\":"
                                     "\"main\",\"password\":\"hunter2\"}}}"),
                                 &config, &err),
                     TRIB_OK);
    assert_int_equal(catalogs_new(config, FOLDERS, str_from(metastore), &set, &err), TRIB_OK);
    config_release(config);
    return set;
}

static Status describe(CatalogSet *set, int64_t ttl) {
    LookupContext context = {.catalogs = set,
                             .catalog = STR("c"),
                             .call = {.deadline_ns = INT64_MAX, .warn = on_warning},
                             .ttl_seconds = ttl};
    Str name = STR("orders");
    Arena *arena = arena_new(NULL);
    TableRef *table;
    Error err;
    Status status = catalog_lookup_table(&context, 1, &name, arena, &table, NULL, &err);
    if (status == TRIB_OK) {
        assert_int_equal(table->table.ncolumns, 2);
        assert_string_equal(table->table.columns[1].facts, "class=1");
        table_release(table);
    }
    arena_free(arena);
    return status;
}

static void test_cache(void **state) {
    (void)state;
    char path[256];
    path_of(path, "cache.db");
    CatalogSet *a = open_set(path), *b = open_set(path);
    int32_t asked = counters->describes;
    assert_int_equal(describe(a, 60), TRIB_OK);
    assert_int_equal(describe(a, 60), TRIB_OK);
    assert_int_equal(describe(b, 60), TRIB_OK); /* another session of the process */
    assert_int_equal(counters->describes - asked, 1);
    assert_int_equal(describe(a, 0), TRIB_OK); /* never stale if not wanted */
    assert_int_equal(counters->describes - asked, 2);
    catalog_invalidate(catalogs_at(a, 0), "main", "orders");
    assert_int_equal(describe(b, 60), TRIB_OK);
    assert_int_equal(counters->describes - asked, 3);
    catalogs_release(a);
    catalogs_release(b);
    /* The process's cache is gone; the metastore is not. */
    a = open_set(path);
    assert_int_equal(describe(a, 60), TRIB_OK);
    assert_int_equal(counters->describes - asked, 3);
    catalogs_release(a);
    assert_int_equal(warnings, 0);
    a = open_set("/proc/no/where.db");
    assert_int_equal(describe(a, 60), TRIB_OK);
    assert_int_equal(describe(a, 60), TRIB_OK);
    assert_int_equal(warnings, 1); /* once */
    catalogs_release(a);
    /* No secret in the file. */
    Arena *arena = arena_new(NULL);
    Str bytes;
    Error err;
    char wal[300];
    (void)text_format(wal, sizeof wal, "%s-wal", path);
    assert_int_equal(os_read_file(arena, path, 1 << 24, &bytes, &err), TRIB_OK);
    assert_null(memmem(bytes.data, bytes.len, "hunter2", 7));
    if (os_read_file(arena, wal, 1 << 24, &bytes, &err) == TRIB_OK)
        assert_null(memmem(bytes.data, bytes.len, "hunter2", 7));
    arena_free(arena);
}

/* Another process invalidates: this one notices. */
static void test_processes(void **state) {
    (void)state;
    char path[256];
    path_of(path, "shared.db");
    CatalogSet *set = open_set(path);
    int32_t asked = counters->describes;
    assert_int_equal(describe(set, 60), TRIB_OK);
    assert_int_equal(describe(set, 60), TRIB_OK);
    assert_int_equal(counters->describes - asked, 1);
    pid_t child = fork();
    if (child == 0) {
        /* A forked child: it begins anew, and its parent's connection stays untouched. */
        CatalogSet *own = open_set(path);
        int failed = describe(own, 60) != TRIB_OK;
        catalog_invalidate(catalogs_at(own, 0), "main", "orders");
        catalogs_release(own);
        _exit(failed);
    }
    int code;
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_int_equal(code, 0);
    usleep(60000);
    assert_int_equal(describe(set, 60), TRIB_OK);
    assert_int_equal(counters->describes - asked, 2);
    catalogs_release(set);
}

static Status view_put(CatalogSet *set, const char *name, const char *text, bool replace) {
    TribColumn column = {.name = "a", .type = TYPE(INTEGER), .distinct = -1, .null_fraction = -1};
    View view = {.table = {.size = sizeof view.table,
                           .schema = VIEWS_SCHEMA,
                           .name = name,
                           .kind = TRIB_TABLE_VIEW,
                           .ncolumns = 1,
                           .columns = &column,
                           .rows = -1},
                 .text = str_from(text),
                 .catalog = STR("x"),
                 .schema = STR("y")};
    LookupContext context = {.catalogs = set};
    Error err;
    return views_put(&context, &view, replace, &err);
}

static void view_expect(CatalogSet *set, const char *name, const char *text) {
    LookupContext context = {.catalogs = set};
    Arena *arena = arena_new(NULL);
    View *view;
    Error err;
    assert_int_equal(views_find(&context, str_from(name), arena, &view, &err), TRIB_OK);
    assert_int_equal(view != NULL, text != NULL);
    if (view) {
        assert_true(str_equal(view->text, str_from(text)));
        assert_str(view->catalog, "x");
        assert_str(view->schema, "y");
        assert_int_equal(view->table.ncolumns, 1);
        assert_string_equal(view->table.columns[0].name, "a");
    }
    arena_free(arena);
}

/* What one process creates, another finds at once, and what it drops is gone. */
static void test_views(void **state) {
    (void)state;
    char path[256];
    path_of(path, "views.db");
    CatalogSet *set = open_set(path);
    view_expect(set, "v", NULL);
    assert_int_equal(view_put(set, "V", "SELECT 1 a", false), TRIB_OK);
    assert_int_equal(view_put(set, "v", "SELECT 2 a", false), TRIB_EXISTS);
    view_expect(set, "v", "SELECT 1 a");
    pid_t child = fork();
    if (child == 0) {
        CatalogSet *own = open_set(path);
        LookupContext context = {.catalogs = own};
        Error err;
        bool existed = false;
        view_expect(own, "V", "SELECT 1 a");
        int failed = view_put(own, "v", "SELECT 3 a", true) != TRIB_OK;
        failed |= view_put(own, "w", "SELECT 4 a", false) != TRIB_OK;
        failed |= view_put(own, "u", "SELECT 5 a", false) != TRIB_OK;
        failed |= views_drop(&context, STR("U"), &existed, &err) != TRIB_OK || !existed;
        catalogs_release(own);
        _exit(failed);
    }
    int code;
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_int_equal(code, 0);
    view_expect(set, "v", "SELECT 3 a");
    view_expect(set, "w", "SELECT 4 a");
    view_expect(set, "u", NULL);
    catalogs_release(set);
}

/* Without a file views last as long as the process, for all its connections. */
static void test_views_in_memory(void **state) {
    (void)state;
    CatalogSet *set = open_set(":memory:");
    assert_int_equal(view_put(set, "kept", "SELECT 1 a", false), TRIB_OK);
    catalogs_release(set);
    set = open_set(":memory:");
    view_expect(set, "kept", "SELECT 1 a");
    catalogs_release(set);
}

static void *crowd(void *context) {
    for (int i = 0; i < 200; i++) {
        CatalogSet *set = open_set(context);
        assert_int_equal(describe(set, 60), TRIB_OK);
        if (i % 10 == 0) catalog_invalidate(catalogs_at(set, 0), "main", "orders");
        catalogs_release(set);
    }
    return NULL;
}

static void test_threads(void **state) {
    (void)state;
    char path[256];
    pthread_t threads[4];
    path_of(path, "crowd.db");
    for (size_t i = 0; i < COUNT_OF(threads); i++) pthread_create(&threads[i], NULL, crowd, path);
    for (size_t i = 0; i < COUNT_OF(threads); i++) pthread_join(threads[i], NULL);
}

static int setup(void **state) {
    (void)state;
    void *object = dlopen("tests/unit/.libs/trib_fake.so", RTLD_NOW | RTLD_LOCAL);
    if (!object || !mkdtemp(folder)) return -1;
    FakeCounters *(*entry)(void);
    void *symbol = dlsym(object, "fake_counters");
    memcpy(&entry, &symbol, sizeof entry);
    counters = entry();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    char command[128];
    (void)text_format(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encode),  cmocka_unit_test(test_file),
        cmocka_unit_test(test_cache),   cmocka_unit_test(test_processes),
        cmocka_unit_test(test_threads), cmocka_unit_test(test_unusable),
        cmocka_unit_test(test_views),   cmocka_unit_test(test_views_in_memory),
    };
    return cmocka_run_group_tests_name("metastore", tests, setup, teardown);
}
