/*
 * test_base_faults.c - every allocation of some scenarios fails once; needs --enable-faults.
 *
 * A scenario runs with the nth allocation failing, for n = 1, 2, ... until it runs through. Each
 * run must end in an out-of-memory error or succeed; leaks are the sanitizer's to find, and the run
 * after the failing one must succeed.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/test_base.h"

#include "engine/base/calendar.h"
#include "engine/base/cancel.h"
#include "engine/base/grant.h"
#include "engine/base/json.h"
#include "engine/base/log.h"
#include "engine/base/map.h"
#include "engine/base/os.h"
#include "engine/base/settings.h"

#ifdef TRIB_FAULTS
static const bool faults_built = true;
#else
static const bool faults_built = false;
#endif

static Status json_scenario(Arena *arena, Error *err) {
    JsonValue *tree;
    return json_parse(
        arena, STR("{\"a\": [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]], \"b\\n\": \"x\\u20acy\"}"),
        false, &tree, err);
}

static Status map_scenario(Arena *arena, Error *err) {
    Map map;
    map_init(&map, arena, true);
    for (int i = 0; i < 200; i++) {
        char *key;
        TRY_ALLOC(key, arena_printf(arena, "key %d", i), err);
        if (!map_put(&map, str_from(key), key)) return error_out_of_memory(err);
    }
    for (int i = 0; i < 200; i++) {
        char key[16];
        text_format(key, sizeof key, "KEY %d", i);
        if (!map_get(&map, str_from(key))) return TRIB_INTERNAL;
    }
    return TRIB_OK;
}

static Status buf_scenario(Arena *arena, Error *err) {
    Buf buf;
    buf_init(&buf, NULL, 1 << 20);
    for (int i = 0; i < 1000; i++) buf_printf(&buf, "%d %s", i, "some text");
    json_quote(&buf, STR("x\n"));
    Status status = buf_status(&buf, err);
    buf_clear(&buf);
    return status;
}

static Status settings_scenario(Arena *arena, Error *err) {
    for (int i = 0; i < SETTING_COUNT; i++) {
        SettingValue value;
        TRY(setting_default(arena, (SettingId)i, &value, err));
    }
    return TRIB_OK;
}

static Status file_scenario(Arena *arena, Error *err) {
    Str text;
    TRY(os_read_file(arena, "/proc/self/status", 1 << 20, &text, err));
    return text.len > 0 ? TRIB_OK : TRIB_INTERNAL;
}

static Status cancel_scenario(Arena *arena, Error *err) {
    CancelToken *token = cancel_new();
    if (!token) return error_out_of_memory(err);
    void *handle = cancel_on(token, free, NULL);
    cancel_off(token, handle);
    cancel_release(token);
    return handle ? TRIB_OK : error_out_of_memory(err);
}

static Status grant_scenario(Arena *arena, Error *err) {
    Budget *budget = budget_new(NULL, "test", 1 << 20);
    Grant grant;
    if (!budget) return error_out_of_memory(err);
    Status status = TRIB_OK;
    if (grant_init(&grant, budget, 1000, false)) {
        void *memory = grant_map(&grant, 100000);
        if (!memory) status = error_out_of_memory(err);
        grant_unmap(&grant, memory, 100000);
        if (grant.held != 0) status = TRIB_INTERNAL;
        grant_clear(&grant);
    } else {
        status = error_out_of_memory(err);
    }
    if (budget_used(budget) != 0) status = TRIB_INTERNAL;
    budget_free(budget);
    return status;
}

static void nothing(void *context) {}

static Status arena_scenario(Arena *arena, Error *err) {
    Arena *child = arena_new(arena);
    if (!child) return error_out_of_memory(err);
    void *memory = NULL;
    for (size_t i = 1; i < 20; i++) {
        TRY_ALLOC(memory, arena_resize(child, memory, (i - 1) * 1000, i * 1000), err);
        if (!arena_on_reset(child, nothing, NULL)) return error_out_of_memory(err);
    }
    return TRIB_OK;
}

static Status log_scenario(Arena *arena, Error *err) {
    TRY(log_open("/dev/null", LOG_TRACE, err));
    log_write(LOG_INFO, "test", "%5000d", 1); /* lost at worst */
    return log_open(NULL, LOG_OFF, err);
}

static void *thread_nothing(void *context) {
    return NULL;
}

static Status thread_scenario(Arena *arena, Error *err) {
    pthread_t thread;
    TRY(os_thread_start(&thread, "test", thread_nothing, NULL, err));
    pthread_join(thread, NULL);
    return TRIB_OK;
}

static const struct {
    const char *name;
    Status (*run)(Arena *arena, Error *err);
} scenarios[] = {
    {"json", json_scenario},         {"map", map_scenario},     {"buf", buf_scenario},
    {"settings", settings_scenario}, {"file", file_scenario},   {"cancel", cancel_scenario},
    {"grant", grant_scenario},       {"arena", arena_scenario}, {"log", log_scenario},
    {"thread", thread_scenario},
};

static void every_allocation_fails_once(void **state) {
    if (!faults_built) skip();
    for (size_t i = 0; i < COUNT_OF(scenarios); i++) {
        uint64_t nth = 1;
        for (;; nth++) {
            Error err;
            memset(&err, 0, sizeof err);
            Arena *arena = arena_new(NULL);
            heap_fail_at(nth);
            Status status = scenarios[i].run(arena, &err);
            bool failed = !heap_fault_pending();
            heap_fail_at(0);
            if (status != TRIB_OK && (status != TRIB_MEMORY || strcmp(err.sqlstate, "HY001") != 0))
                fail_msg("%s, allocation %llu: status %d", scenarios[i].name,
                         (unsigned long long)nth, status);
            arena_free(arena);
            if (!failed) {
                assert_int_equal(status, TRIB_OK);
                break;
            }
        }
        assert_true(nth > 1);
    }
}

/* A zone that could not be loaded for want of memory is found by the next attempt. */
static void zones_load_later(void **state) {
    if (!faults_built || zone_lookup(STR("Europe/Paris")) < 0) skip();
    for (uint64_t nth = 1;; nth++) {
        heap_fail_at(nth);
        int16_t zone = zone_lookup(STR("Europe/Rome"));
        heap_fail_at(0);
        if (zone < 0) continue;
        assert_true(nth > 1);
        assert_int_equal(zone_offset_at(zone, 0), 3600);
        break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_fails_once),
        cmocka_unit_test(zones_load_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
