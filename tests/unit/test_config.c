/*
 * test_config.c - the configuration, catalogs, options, secrets, and what names mean.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/os.h"
#include "engine/catalog/internal.h"
#include "tests/unit/fake_connector.h"
#include "tests/unit/test_base.h"

#define FOLDERS STR("tests/unit/.libs:.libs")

static FakeCounters *counters;
static char folder[] = "/tmp/tributary-test-XXXXXX";

static void write_file(const char *path, const char *text, mode_t mode) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

/* ---------------------------------------------------------------- shape */

typedef struct BadConfig {
    const char *text;
    uint32_t line, column;
    const char *message, *hint;
} BadConfig;

static void test_wrong_shape(void **state) {
    (void)state;
    static const BadConfig cases[] = {
        {"{\n \"catalog\": {}}", 2, 2, "unknown key \"catalog\"",
         "did you mean \"catalogs\"? Valid: settings, catalogs"},
        {"{\"settings\": []}", 1, 14, "must be an object of settings, not a list", ""},
        {"{\"settings\": {\"a\": [1]}}", 1, 20,
         "\"a\" must be a text, a number, true or false, not a list", ""},
        {"{\"catalogs\": {\n\t\"x\": 5}}", 2, 7,
         "\"x\" must be an object with a \"type\", not a number", ""},
        {"{\"catalogs\": {\"x\": {}}}", 1, 15, "the catalog \"x\" has no \"type\"",
         "add for example"},
        {"{\"catalogs\": {\"x\": {\"type\": 7}}}", 1, 29, "the name of a connector", ""},
        {"{\"catalogs\": {\"\": {\"type\": \"m\"}}}", 1, 15, "1 to 128 bytes", ""},
        {"[]", 1, 1, "an object is expected, not a list", ""},
        {"{\"settings\": {}", 1, 16, "", ""},
        {"{\"settings\": {}, \"settings\": {}}", 1, 18, "", ""},
        {"{\"catalogs\": {\"x\": {\"type\": \"m\", \"max_connections\": \"many\"}}}", 1, 53,
         "a whole number from 1 to 1000, not \"many\"", ""},
        {"{\"catalogs\": {\"x\": {\"type\": \"m\", \"max_connections\": 0}}}", 1, 53,
         "from 1 to 1000", ""},
        {"{\"catalogs\": {\"x\": {\"type\": \"m\", \"max_requests_per_second\": -1}}}", 1, 61,
         "a number above 0", ""},
        {"{\"catalogs\": {\"x\": {\"type\": \"m\", \"hide\": [1]}}}", 1, 43, "a list of texts", ""},
        {"{\"catalogs\": {\"x\": {\"type\": \"m\", \"script\": 1}}}", 1, 44,
         "SQL, or a list of statements", ""},
        {"{\"catalogs\": {\"x\": {\"type\": \"m\", \"comment\": "
         "\"${env:NO_SUCH_VARIABLE_HERE}\"}}}",
         1, 45, "NO_SUCH_VARIABLE_HERE is not set", ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Config *config = NULL;
        CatalogSet *set;
        Error err;
        Status status = config_load(STR(""), str_from(cases[i].text), &config, &err);
        if (status == TRIB_OK) status = catalogs_new(config, FOLDERS, STR(":memory:"), &set, &err);
        if (status != TRIB_INVALID)
            fail_msg("case %zu: status %d (%s)", i, status, status ? err.message : "");
        if (err.line != cases[i].line || err.column != cases[i].column ||
            !strstr(err.message, cases[i].message) || !strstr(err.hint, cases[i].hint))
            fail_msg("case %zu: %u:%u %s / %s", i, err.line, err.column, err.message, err.hint);
        assert_string_equal(err.sqlstate, "HY000");
        config_release(config);
    }
}

static void test_settings(void **state) {
    (void)state;
    Config *config;
    Error err;
    static const char text[] =
        "// a comment\n{ /* another */ \"settings\": {\"threads\": 4, \"read_only\": true,\n"
        "  \"catalog\": \"shop\", \"memory_limit\": \"64MB\",},}";
    assert_int_equal(config_load(STR(""), STR(text), &config, &err), TRIB_OK);
    assert_int_equal(config_setting_count(config), 4);
    Str name, value;
    uint32_t line, column;
    config_setting(config, 0, &name, &value, &line, &column);
    assert_str(name, "threads");
    assert_str(value, "4");
    config_setting(config, 1, &name, &value, &line, &column);
    assert_str(value, "true");
    config_setting(config, 2, &name, &value, &line, &column);
    assert_str(value, "shop");
    assert_int_equal(line, 3);
    assert_int_equal(column, 14);
    assert_string_equal(config_path(config), "");
    config_release(config);
    /* With the mark that some editors begin a file with. */
    assert_int_equal(config_load(STR(""), STR("\xef\xbb\xbf{}"), &config, &err), TRIB_OK);
    config_release(config);
}

/* ---------------------------------------------------------------- places */

static void test_places(void **state) {
    (void)state;
    Config *config, *again;
    Error err;
    char path[256], home[256];
    (void)text_format(path, sizeof path, "%s/a.json", folder);
    assert_int_not_equal(config_load(str_from(path), STR(""), &config, &err), TRIB_OK);
    assert_non_null(strstr(err.detail, "a.json"));
    write_file(path, "{\"settings\": {\"threads\": 1}}", 0644);
    assert_int_equal(config_load(str_from(path), STR(""), &config, &err), TRIB_OK);
    assert_string_equal(config_path(config), path);
    assert_int_equal(config_warning_count(config), 0);
    config_release(config);
    assert_int_not_equal(config_load(str_from(folder), STR(""), &config, &err),
                         TRIB_OK); /* a folder */
    /* The variable, then the user's folder. */
    setenv("TRIBUTARY_CONFIG", path, 1);
    assert_int_equal(config_load(STR(""), STR(""), &config, &err), TRIB_OK);
    assert_int_equal(config_setting_count(config), 1);
    config_release(config);
    unsetenv("TRIBUTARY_CONFIG");
    (void)text_format(home, sizeof home, "%s/config", folder);
    setenv("XDG_CONFIG_HOME", home, 1);
    mkdir(home, 0700);
    (void)text_format(home, sizeof home, "%s/config/tributary", folder);
    mkdir(home, 0700);
    (void)text_format(home, sizeof home, "%s/config/tributary/tributary.json", folder);
    write_file(home, "{\"settings\": {\"threads\": 1, \"read_only\": 1}}", 0600);
    assert_int_equal(config_load(STR(""), STR(""), &config, &err), TRIB_OK);
    assert_int_equal(config_setting_count(config), 2);
    config_release(config);
    unlink(home);
    assert_int_equal(config_load(STR(""), STR(""), &config, &err), TRIB_OK);
    assert_int_equal(config_setting_count(config), 0);
    config_release(config);
    /* Unchanged files are not read again; changed ones are. */
    struct timespec old[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
    utimensat(AT_FDCWD, path, old, 0);
    sleep(3);
    assert_int_equal(config_load(str_from(path), STR(""), &config, &err), TRIB_OK);
    assert_int_equal(config_load(str_from(path), STR(""), &again, &err), TRIB_OK);
    assert_ptr_equal(config, again);
    config_release(config);
    write_file(path, "{\"settings\": {\"threads\": 1, \"read_only\": true}}", 0644);
    assert_int_equal(config_load(str_from(path), STR(""), &config, &err), TRIB_OK);
    assert_int_equal(config_setting_count(config), 2);
    assert_int_equal(config_setting_count(again), 1); /* a snapshot */
    config_release(config);
    config_release(again);
    write_file(path, "{\n  \"settings\": {\"threads\": }}", 0644);
    assert_int_equal(config_load(str_from(path), STR(""), &config, &err), TRIB_INVALID);
    assert_int_equal(err.line, 2);
    assert_non_null(strstr(err.message, path));
}

static void test_exposed(void **state) {
    (void)state;
    Config *config;
    Error err;
    char path[256];
    (void)text_format(path, sizeof path, "%s/b.json", folder);
    write_file(path, "{\"catalogs\": {\"x\": {\"type\": \"fake\", \"password\": \"hunter2\"}}}",
               0644);
    assert_int_equal(config_load(str_from(path), STR(""), &config, &err), TRIB_OK);
    assert_int_equal(config_warning_count(config), 1);
    assert_non_null(strstr(config_warning(config, 0), "everybody"));
    assert_null(strstr(config_warning(config, 0), "hunter2"));
    config_release(config);
    write_file(path,
               "{\"catalogs\": {\n\"w\": {\"type\": \"fake\"},\n\"x\": {\"type\": \"fake\",\n"
               "\"api_token\": \"hunter2\",\n\"password\": \"hunter3\"}}}",
               0640);
    assert_int_equal(config_load(str_from(path), STR(""), &config, &err), TRIB_OK);
    assert_int_equal(config_warning_count(config), 1);
    char expected[500];
    (void)text_format(expected, sizeof expected,
                      "%s:4: \"api_token\" of catalog \"x\" (and 1 more) is a secret in a file "
                      "that its group can read: use chmod 600, or refer to it as ${env:NAME} or "
                      "${file:/path}",
                      path);
    assert_string_equal(config_warning(config, 0), expected);
    config_release(config);
    chmod(path, 0600);
    assert_int_equal(config_load(str_from(path), STR(""), &config, &err), TRIB_OK);
    assert_int_equal(config_warning_count(config), 0);
    config_release(config);
    write_file(path, "{\"catalogs\": {\"x\": {\"type\": \"fake\", \"password\": \"${env:P}\"}}}",
               0644);
    assert_int_equal(config_load(str_from(path), STR(""), &config, &err), TRIB_OK);
    assert_int_equal(config_warning_count(config), 0);
    config_release(config);
}

/* ---------------------------------------------------------------- opening */

static CatalogSet *open_set(const char *text, const char *metastore) {
    Config *config;
    CatalogSet *set;
    Error err;
    if (config_load(STR(""), str_from(text), &config, &err) != TRIB_OK) fail_msg("%s", err.message);
    if (catalogs_new(config, FOLDERS, str_from(metastore), &set, &err) != TRIB_OK)
        fail_msg("%s", err.message);
    config_release(config);
    return set;
}

typedef struct BadOption {
    const char *options;
    const char *message, *hint;
} BadOption;

static void test_options(void **state) {
    (void)state;
    static const BadOption cases[] = {
        {"\"row\": 5", "catalogs of type fake have no option \"row\"", "did you mean \"rows\"?"},
        {"\"rows\": \"five\"",
         "\"rows\" of catalog \"x\" must be a whole number from 0 to 1000000, not \"five\"", ""},
        {"\"rows\": 1000001", "from 0 to 1000000", ""},
        {"\"rows\": 1.5", "must be a whole number", ""},
        {"\"fail\": \"sometimes\"", "one of lost, throttled, data, silent", ""},
        {"\"tls\": \"perhaps\"", "true or false", ""},
        {"\"describe_ms\": \"soon\"", "a time such as", ""},
        {"\"size\": \"huge\"", "a size such as", ""},
        {"\"tags\": {}", "a text or a list of texts", ""},
        {"\"password\": {}", "must be a text, a number", ""},
        {"\"password\": \"${env:TRIB_TEST_UNSET}\"",
         "the environment variable TRIB_TEST_UNSET is not set", ""},
        {"\"password\": \"${file:relative}\"", "must begin with /", ""},
        {"\"password\": \"${file:/no/such/file}\"", "/no/such/file cannot be used", ""},
        {"\"password\": \"${envy:X}\"", "${envy:X} is not understood", "did you mean \"env\"?"},
        {"\"password\": \"${env:X\"", "does not end with }", ""},
        {"\"script\": \"SELECT 1\"", "take no \"script\"", "memory"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[512];
        Source *source;
        Error err;
        (void)text_format(text, sizeof text, "{\"catalogs\":{\"x\":{\"type\":\"fake\",\n %s}}}",
                          cases[i].options);
        CatalogSet *set = open_set(text, ":memory:");
        Status status = catalog_source(catalogs_at(set, 0), &source, &err);
        if (status != TRIB_INVALID || !strstr(err.message, cases[i].message) ||
            !strstr(err.hint, cases[i].hint) || err.line != 2)
            fail_msg("case %zu: status %d, line %u: %s / %s", i, status, err.line,
                     status ? err.message : "", err.hint);
        assert_string_equal(err.source, "x");
        catalogs_release(set);
    }
    Source *source;
    Error err;
    CatalogSet *set = open_set("{\"catalogs\":{\"x\":{\"type\":\"fak\"}}}", ":memory:");
    assert_int_equal(catalog_source(catalogs_at(set, 0), &source, &err), TRIB_INVALID);
    assert_non_null(strstr(err.message, "no connector of type \"fak\""));
    assert_non_null(strstr(err.hint, "did you mean \"fake\""));
    assert_int_equal(err.line, 1);
    assert_int_equal(err.column, 26);
    catalogs_release(set);
}

static void test_secrets(void **state) {
    (void)state;
    char path[256], text[512], answer[256];
    Source *source, *other;
    Error err;
    SourceCall call = {.deadline_ns = INT64_MAX};
    (void)text_format(path, sizeof path, "%s/secret", folder);
    write_file(path, "s3cret\n", 0600);
    setenv("TRIB_TEST_SECRET", "alpha", 1);
    (void)text_format(text, sizeof text,
                      "{\"catalogs\":{\"x\":{\"type\":\"fake\",\"rows\":\"7\",\"describe_ms\":"
                      "\"1s\",\"size\":\"2KB\",\"tags\":\"one\","
                      "\"extra\":{\"a\":[1,\"b\\n\",null,true]},\"tls\":\"OFF\",\"password\":\"${"
                      "env:TRIB_TEST_SECRET}-${file:%s}-$${x}-$5\"}}}",
                      path);
    CatalogSet *set = open_set(text, ":memory:"), *same = open_set(text, ":memory:");
    assert_int_equal(catalog_source(catalogs_at(set, 0), &source, &err), TRIB_OK);
    assert_int_equal(source_check(source, &call, answer, sizeof answer, &err), TRIB_OK);
    assert_string_equal(answer, "fake x password alpha-s3cret-${x}-$5");
    /* The same configuration shares its source; another password does not. */
    assert_int_equal(catalog_source(catalogs_at(same, 0), &other, &err), TRIB_OK);
    assert_ptr_equal(source, other);
    catalogs_release(same);
    setenv("TRIB_TEST_SECRET", "beta", 1);
    same = open_set(text, ":memory:");
    assert_int_equal(catalog_source(catalogs_at(same, 0), &other, &err), TRIB_OK);
    assert_ptr_not_equal(source, other);
    catalogs_release(same);
    catalogs_release(set);
    /* Secrets are not part of what is stored on disk. */
    CatalogOptions options;
    Arena *arena = arena_new(NULL);
    Config *config;
    const TribConnector *connector;
    assert_int_equal(config_load(STR(""), str_from(text), &config, &err), TRIB_OK);
    assert_int_equal(connector_load(STR("fake"), FOLDERS, &connector, &err), TRIB_OK);
    assert_int_equal(
        options_check(config, arena, config_catalog(config, 0), connector->options, &options, &err),
        TRIB_OK);
    assert_null(memmem(options.identity.data, options.identity.len, "beta", 4));
    assert_non_null(memmem(options.identity.data, options.identity.len, "rows=7", 6));
    for (uint32_t i = 0; i < options.noptions; i++) {
        if (strcmp(options.options[i].name, "describe_ms") == 0)
            assert_string_equal(options.options[i].value, "1000");
        if (strcmp(options.options[i].name, "size") == 0)
            assert_string_equal(options.options[i].value, "2048");
        if (strcmp(options.options[i].name, "tags") == 0)
            assert_string_equal(options.options[i].value, "[\"one\"]");
        if (strcmp(options.options[i].name, "extra") == 0)
            assert_string_equal(options.options[i].value, "{\"a\":[1,\"b\\n\",null,true]}");
        if (strcmp(options.options[i].name, "tls") == 0)
            assert_string_equal(options.options[i].value, "false");
    }
    config_release(config);
    arena_free(arena);
}

/* What the engine and the connector both know goes to both. */
static void test_shared_option(void **state) {
    (void)state;
    static const TribOptionDef defs[] = {
        {"max_connections", TRIB_OPTION_INTEGER, "4", NULL, 1, 256, false, false, ""}, {0}};
    Config *config;
    CatalogOptions options;
    Error err;
    Arena *arena = arena_new(NULL);
    Str text =
        STR("{\"catalogs\":{\"x\":{\"type\":\"t\",\"max_connections\":9,\"comment\":\"c\"}}}");
    assert_int_equal(config_load(STR(""), text, &config, &err), TRIB_OK);
    assert_int_equal(options_check(config, arena, config_catalog(config, 0), defs, &options, &err),
                     TRIB_OK);
    assert_int_equal(options.common.max_connections, 9);
    assert_int_equal(options.noptions, 1);
    assert_string_equal(options.options[0].name, "max_connections");
    assert_string_equal(options.options[0].value, "9");
    config_release(config);
    arena_free(arena);
}

/* Ten catalogs configured: nothing of them is touched. */
static void test_latency(void **state) {
    (void)state;
    char text[4096], path[256];
    size_t at = (size_t)text_format(text, sizeof text, "{\"catalogs\":{");
    for (int i = 0; i < 10; i++)
        at += (size_t)text_format(
            text + at, sizeof text - at,
            "%s\"c%d\":{\"type\":\"fake\",\"password\":\"${env:NOPE}\",\"rows\":\"x\"}",
            i ? "," : "", i);
    (void)text_format(text + at, sizeof text - at, "}}");
    (void)text_format(path, sizeof path, "%s/ten.json", folder);
    write_file(path, text, 0600);
    int32_t opened = counters->opened;
    int64_t begun = os_now_ns();
    for (int i = 0; i < 1000; i++) {
        Config *config;
        CatalogSet *set;
        Error err;
        assert_int_equal(config_load(str_from(path), STR(""), &config, &err), TRIB_OK);
        assert_int_equal(catalogs_new(config, FOLDERS, STR(""), &set, &err), TRIB_OK);
        assert_int_equal(catalogs_count(set), 11);
        config_release(config);
        catalogs_release(set);
    }
    print_message("configuration with ten catalogs: %.1f us\n",
                  (double)(os_now_ns() - begun) / 1e6);
    assert_int_equal(counters->opened, opened);
}

/* ---------------------------------------------------------------- names */

static const char names_text[] =
    "{\"catalogs\":{\"Shop\":{\"type\":\"fake\",\"default_schema\":\"main\",\"hide\":\"secret_*\"},"
    "\"other\":{\"type\":\"fake\",\"rows\":1,\"default_schema\":\"main\",\"comment\":\"a "
    "comment\"},"
    "\"plain\":{\"type\":\"fake\",\"rows\":2}, \"twice\":{\"type\":\"fake\"}, "
    "\"TWICE\":{\"type\":\"fake\"},"
    "\"ram\":{\"type\":\"memory\"}}}";

typedef struct NameCase {
    const char *catalog, *schema; /* of the session */
    const char *name;             /* parts separated by dots */
    const char *found;            /* catalog.schema.table, or the SQLSTATE */
    const char *hint;             /* of the error, or how */
} NameCase;

static uint32_t split_name(const char *name, Str parts[8]) {
    uint32_t count = 0;
    while (*name) {
        const char *dot = strchr(name, '.');
        parts[count++] = (Str){name, dot ? (size_t)(dot - name) : strlen(name)};
        if (!dot) break;
        name = dot + 1;
    }
    return count;
}

static void test_names(void **state) {
    (void)state;
    static const NameCase cases[] = {
        {"", "", "Shop.main.orders", "Shop.main.orders", "catalog Shop"},
        {"", "", "SHOP.MAIN.ORDERS", "Shop.main.orders", ""},
        {"", "", "shop.main.customers", "Shop.main.Customers", ""},
        {"", "", "shop.main.Twin", "Shop.main.Twin", ""},
        {"", "", "shop.main.TWIN", "Shop.main.TWIN", ""},
        {"", "", "shop.main.twin", "42S02", "there are \"Twin\" and \"TWIN\""},
        {"", "", "shop.Sales.orders", "Shop.Sales.orders", ""},
        {"", "", "shop.sales.orders", "3F000", "there are \"Sales\" and \"SALES\""},
        {"", "", "shop.main.order", "42S02", "did you mean \"orders\"?"},
        {"", "", "shop.main.secret_plans", "42S02", ""},
        {"", "", "other.main.secret_plans", "other.main.secret_plans", ""},
        {"", "", "shop.mian.orders", "3F000", "did you mean \"main\"?"},
        {"", "", "shopp.main.orders", "3D000", "did you mean \"Shop\"?"},
        {"", "", "twice.main.orders", "twice.main.orders", ""},
        {"", "", "Twice.main.orders", "3D000", "there are \"twice\" and \"TWICE\""},
        {"", "", "orders", "3D000", "USE"},
        {"Shop", "", "orders", "Shop.main.orders", "current catalog Shop, schema main"},
        {"Shop", "Sales", "orders", "Shop.Sales.orders", ""},
        {"plain", "", "orders", "3F000", "default_schema"},
        {"plain", "main", "orders", "plain.main.orders", ""},
        {"", "", "other.orders", "other.main.orders", "catalog other, schema main"},
        {"Shop", "", "main.orders", "Shop.main.orders", "schema of current catalog Shop"},
        {"Shop", "", "other.orders", "other.main.orders", "catalog other, schema main"},
        {"Shop", "", "plain.orders", "3F000", "default_schema"},
        {"Shop", "", "main.nothing", "42S02", ""},
        {"Shop", "", "nowhere.orders", "3F000", ""},
        {"gone", "", "orders", "3D000", ""},
        {"", "", "a.b.c.d", "42000", ""},
        {"", "", "ram.default.t", "42S02", ""},
    };
    CatalogSet *set = open_set(names_text, ":memory:");
    assert_string_equal(catalog_comment(catalogs_at(set, 1)), "a comment");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        LookupContext context = {.catalogs = set,
                                 .catalog = str_from(cases[i].catalog),
                                 .schema = str_from(cases[i].schema),
                                 .call = {.deadline_ns = INT64_MAX},
                                 .ttl_seconds = 60};
        Str parts[8];
        uint32_t count = split_name(cases[i].name, parts);
        Arena *arena = arena_new(NULL);
        TableRef *table = NULL;
        const char *how = "";
        char found[256];
        Error err;
        error_clear(&err);
        Status status = catalog_lookup_table(&context, count, parts, arena, &table, &how, &err);
        if (status == TRIB_OK)
            (void)text_format(found, sizeof found, "%s.%s.%s", catalog_name(table->catalog),
                              table->table.schema, table->table.name);
        else
            (void)text_format(found, sizeof found, "%s", err.sqlstate);
        if (strcmp(found, cases[i].found) != 0 ||
            !strstr(status == TRIB_OK ? how : err.hint, cases[i].hint))
            fail_msg("case %zu, %s: %s, %s (%s)", i, cases[i].name, found,
                     status == TRIB_OK ? how : err.hint, status ? err.message : "");
        table_release(table);
        arena_free(arena);
    }
    catalogs_release(set);
}

static void test_resolve_schema(void **state) {
    (void)state;
    static const NameCase cases[] = {
        {"", "", "shop.main", "Shop.main", ""},
        {"", "", "shop.MAIN", "Shop.main", ""},
        {"Shop", "", "main", "Shop.main", ""},
        {"Shop", "", "other", "other.main", ""},
        {"Shop", "", "plain", "plain.", ""},
        {"Shop", "", "information_schema", "Shop.information_schema", ""},
        {"", "", "other", "other.main", ""},
        {"Shop", "Sales", "", "Shop.Sales", ""},
        {"", "", "", "3D000", ""},
        {"Shop", "", "nothing", "3F000", ""},
        {"", "", "nothing", "3D000", ""},
        {"", "", "ram", "ram.default", ""},
    };
    CatalogSet *set = open_set(names_text, ":memory:");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        LookupContext context = {.catalogs = set,
                                 .catalog = str_from(cases[i].catalog),
                                 .schema = str_from(cases[i].schema),
                                 .call = {.deadline_ns = INT64_MAX},
                                 .ttl_seconds = 60};
        Str parts[8];
        Arena *arena = arena_new(NULL);
        Catalog *catalog;
        const char *schema;
        char found[256];
        Error err;
        Status status = catalog_resolve_schema(&context, split_name(cases[i].name, parts), parts,
                                               arena, &catalog, &schema, &err);
        if (status == TRIB_OK)
            (void)text_format(found, sizeof found, "%s.%s", catalog_name(catalog),
                              schema ? schema : "");
        else
            (void)text_format(found, sizeof found, "%s", err.sqlstate);
        if (strcmp(found, cases[i].found) != 0)
            fail_msg("case %zu: %s (%s)", i, found, status ? err.message : "");
        arena_free(arena);
    }
    catalogs_release(set);
}

/* ---------------------------------------------------------------- scripts */

static _Atomic int script_runs;
static bool script_fails;

static Status run_script(CatalogSet *set, Catalog *catalog, Str script, Error *err) {
    Source *source;
    script_runs++;
    assert_str(script, "CREATE 1;\nCREATE 2;\n");
    assert_int_equal(catalog_source(catalog, &source, err),
                     TRIB_OK); /* from within: no waiting, no recursion */
    assert_ptr_equal(catalogs_at(set, 0), catalog);
    usleep(50000);
    if (script_fails) return error_set_at(err, ERR_SYNTAX, 3, 4, "wrong SQL");
    return TRIB_OK;
}

static void *open_scripted(void *context) {
    CatalogSet *set = context;
    Source *source;
    Error err;
    assert_int_equal(catalog_source(catalogs_at(set, 0), &source, &err), TRIB_OK);
    return NULL;
}

static void test_script(void **state) {
    (void)state;
    static const char text[] = "{\"catalogs\":{\"scripted\":{\"type\":\"memory\",\"script\":["
                               "\"CREATE 1\",\"CREATE 2\"]}}}";
    CatalogSet *sets[4];
    pthread_t threads[4];
    Source *source;
    Error err;
    catalog_set_script_hook(run_script);
    script_fails = true;
    sets[0] = open_set(text, ":memory:");
    assert_int_equal(catalog_source(catalogs_at(sets[0], 0), &source, &err), TRIB_INVALID);
    assert_non_null(strstr(err.detail, "in the script of catalog scripted, line 3, column 4"));
    assert_int_equal(err.line, 0);
    assert_int_equal(script_runs, 1);
    catalogs_release(sets[0]);
    /* Then once for the whole process, whoever comes first. */
    script_fails = false;
    for (int i = 0; i < 4; i++) sets[i] = open_set(text, ":memory:");
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, open_scripted, sets[i]);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    assert_int_equal(script_runs, 2);
    for (int i = 0; i < 4; i++) catalogs_release(sets[i]);
    catalog_set_script_hook(NULL);
}

static void test_patterns(void **state) {
    (void)state;
    assert_true(pattern_matches(STR("*"), STR("")));
    assert_true(pattern_matches(STR("a*c?"), STR("AbbbCd")));
    assert_false(pattern_matches(STR("a*c?"), STR("abbbc")));
    assert_true(pattern_matches(STR("*a*a*a*"), STR("xaxaxax")));
    assert_false(pattern_matches(STR(""), STR("x")));
}

static int setup(void **state) {
    (void)state;
    void *object = dlopen("tests/unit/.libs/trib_fake.so", RTLD_NOW | RTLD_LOCAL);
    if (!object || !mkdtemp(folder)) return -1;
    FakeCounters *(*entry)(void);
    void *symbol = dlsym(object, "fake_counters");
    memcpy(&entry, &symbol, sizeof entry);
    counters = entry();
    unsetenv("TRIBUTARY_CONFIG");
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
        cmocka_unit_test(test_wrong_shape),   cmocka_unit_test(test_settings),
        cmocka_unit_test(test_places),        cmocka_unit_test(test_exposed),
        cmocka_unit_test(test_options),       cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_shared_option), cmocka_unit_test(test_latency),
        cmocka_unit_test(test_names),         cmocka_unit_test(test_resolve_schema),
        cmocka_unit_test(test_script),        cmocka_unit_test(test_patterns),
    };
    return cmocka_run_group_tests_name("config", tests, setup, teardown);
}
