/*
 * test_base_settings.c - the table of settings and the checking of values.
 */
#include "tests/unit/test_base.h"

#include "engine/base/os.h"
#include "engine/base/settings.h"

static void table_is_sound(void **state) {
    Arena *arena = arena_new(NULL);
    Error err;
    for (int i = 0; i < SETTING_COUNT; i++) {
        const SettingDef *def = setting_def((SettingId)i);
        SettingValue value, again;
        assert_int_equal(setting_find(str_from(def->keyword)), i);
        assert_int_equal(setting_find(str_from(def->session_name)), i);
        assert_true(def->help[0] != '\0');
        assert_int_equal(def->kind == SETTING_KIND_CHOICE, def->choices != NULL);
        assert_int_equal(setting_default(arena, (SettingId)i, &value, &err), TRIB_OK);
        /* The canonical text means the same value. */
        assert_int_equal(setting_parse(arena, (SettingId)i, value.text, &again, &err), TRIB_OK);
        assert_true(str_equal(value.text, again.text));
        assert_int_equal(value.integer, again.integer);
        assert_int_equal(value.boolean, again.boolean);
        /* CamelCase and snake_case spell the same words. */
        size_t at = 0;
        for (const char *c = def->keyword; *c; c++) {
            if (at > 0 && *c >= 'A' && *c <= 'Z') assert_int_equal(def->session_name[at++], '_');
            assert_int_equal(*c | 0x20, def->session_name[at++]);
        }
        assert_int_equal(def->session_name[at], '\0');
    }
    arena_free(arena);
}

static void lookups(void **state) {
    Error err;
    assert_int_equal(setting_find(STR("memory_LIMIT")), SETTING_MEMORY_LIMIT);
    assert_int_equal(setting_find(STR("memorylimit")), SETTING_MEMORY_LIMIT);
    assert_int_equal(setting_find(STR("")), SETTING_COUNT);
    assert_int_equal(setting_find(STR("no such thing")), SETTING_COUNT);
    assert_int_equal(setting_unknown(STR("memry_limit"), &err), TRIB_INVALID);
    assert_string_equal(err.sqlstate, "42000");
    assert_string_equal(err.message, "there is no setting 'memry_limit'");
    assert_string_equal(err.hint, "did you mean memory_limit?");
    assert_int_equal(setting_unknown(STR("TimeZon"), &err), TRIB_INVALID);
    assert_string_equal(err.hint, "did you mean TimeZone?");
    assert_int_equal(setting_unknown(STR("completely different"), &err), TRIB_INVALID);
    assert_string_equal(err.hint, "");
}

static void values(void **state) {
    const int64_t quarter = (int64_t)(0.25 * (double)os_memory_bytes());
    const struct {
        SettingId id;
        const char *text, *canonical; /* NULL: refused */
        int64_t integer;
    } cases[] = {
        {SETTING_THREADS, " 8 ", "8", 8},
        {SETTING_THREADS, "+8", "8", 8},
        {SETTING_THREADS, "256", "256", 256},
        {SETTING_THREADS, "257", NULL, 0},
        {SETTING_THREADS, "-1", NULL, 0},
        {SETTING_THREADS, "8.5", NULL, 0},
        {SETTING_THREADS, "many", NULL, 0},
        {SETTING_THREADS, "", "0", 0},
        {SETTING_MAX_ROWS, "9223372036854775807", "9223372036854775807", INT64_MAX},
        {SETTING_MAX_ROWS, "9223372036854775808", NULL, 0},
        {SETTING_MAX_ROWS, "-1", NULL, 0},
        {SETTING_MEMORY_LIMIT, "", "", 0},
        {SETTING_MEMORY_LIMIT, "1024", "1024", 1024},
        {SETTING_MEMORY_LIMIT, "64KB", "65536", 65536},
        {SETTING_MEMORY_LIMIT, "64 mb", "67108864", 67108864},
        {SETTING_MEMORY_LIMIT, "2G", "2147483648", INT64_C(2147483648)},
        {SETTING_MEMORY_LIMIT, "5b", "5", 5},
        {SETTING_MEMORY_LIMIT, "9999999999GB", NULL, 0},
        {SETTING_MEMORY_LIMIT, "64TB2", NULL, 0},
        {SETTING_MEMORY_LIMIT, "-64MB", NULL, 0},
        {SETTING_MEMORY_LIMIT, "MB", NULL, 0},
        {SETTING_MEMORY_LIMIT, "%", NULL, 0},
        {SETTING_MEMORY_LIMIT, "101%", NULL, 0},
        {SETTING_MEMORY_LIMIT, "nan%", NULL, 0},
        {SETTING_MEMORY_LIMIT, "infinity%", NULL, 0},
        {SETTING_MAX_VALUE_SIZE, "1023", NULL, 0},
        {SETTING_QUERY_TIMEOUT, "90", "90", 90},
        {SETTING_QUERY_TIMEOUT, "90s", "90", 90},
        {SETTING_QUERY_TIMEOUT, "5 min", "300", 300},
        {SETTING_QUERY_TIMEOUT, "2h", "7200", 7200},
        {SETTING_QUERY_TIMEOUT, "8d", NULL, 0},
        {SETTING_QUERY_TIMEOUT, "5 weeks", NULL, 0},
        {SETTING_READ_ONLY, "YES", "true", 1},
        {SETTING_READ_ONLY, "1", "true", 1},
        {SETTING_READ_ONLY, "Off", "false", 0},
        {SETTING_READ_ONLY, "2", NULL, 0},
        {SETTING_READ_ONLY, "truth", NULL, 0},
        {SETTING_PUSH_DOWN, "EXACT", "exact", 1},
        {SETTING_PUSH_DOWN, "verify", "verify", 3},
        {SETTING_PUSH_DOWN, "exact|native", NULL, 0},
        {SETTING_PUSH_DOWN, "exac", NULL, 0},
        {SETTING_TIME_ZONE, "+02:00", "+02:00", 20120},
        {SETTING_TIME_ZONE, "z", "UTC", 0},
        {SETTING_TIME_ZONE, "Mars/Olympus", NULL, 0},
        {SETTING_CATALOG, "my shop", "my shop", 0},
        {SETTING_CATALOG, "\xC3\xA4", "\xC3\xA4", 0},
        {SETTING_CATALOG, "\xE4", NULL, 0},
    };
    Arena *arena = arena_new(NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        SettingValue value;
        Error err;
        Status status = setting_parse(arena, cases[i].id, str_from(cases[i].text), &value, &err);
        if ((status == TRIB_OK) != (cases[i].canonical != NULL)) fail_msg("%s", cases[i].text);
        if (status != TRIB_OK) {
            assert_string_equal(err.sqlstate, "HY024");
            assert_non_null(strstr(err.message, setting_def(cases[i].id)->session_name));
            assert_true(err.hint[0] != '\0');
            continue;
        }
        assert_int_equal(value.text.len, strlen(cases[i].canonical));
        assert_memory_equal(value.text.data, cases[i].canonical, value.text.len);
        assert_int_equal(value.integer, cases[i].integer);
    }
    SettingValue value;
    Error err;
    assert_int_equal(setting_parse(arena, SETTING_PROCESS_MEMORY_LIMIT, STR("25%"), &value, &err),
                     TRIB_OK);
    assert_int_equal(value.integer, quarter);
    assert_int_equal(setting_parse(arena, SETTING_PUSH_DOWN, STR("some"), &value, &err),
                     TRIB_INVALID);
    assert_string_equal(err.message, "invalid value 'some' for the setting push_down");
    assert_string_equal(err.hint, "one of off, exact, native, verify is expected");
    assert_int_equal(setting_parse(arena, SETTING_CATALOG, STR("a\0b"), &value, &err),
                     TRIB_INVALID);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_sound),
        cmocka_unit_test(lookups),
        cmocka_unit_test(values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
