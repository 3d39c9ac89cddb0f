/*
 * test_base_runtime.c - cancellation, budgets, the log, threads, files, fork; from many threads.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/test_base.h"

#include "engine/base/cancel.h"
#include "engine/base/grant.h"
#include "engine/base/log.h"
#include "engine/base/os.h"

/* ---------------------------------------------------------------- cancellation */

static void count(void *context) {
    atomic_fetch_add((_Atomic int *)context, 1);
}

static void cancel_reasons(void **state) {
    CancelToken *token = cancel_new();
    Error err;
    assert_int_equal(cancel_check(token, &err), TRIB_OK);
    assert_int_equal(cancel_deadline(token), INT64_MAX);
    cancel_set(token, CANCEL_NONE);
    assert_int_equal(cancel_reason(token), CANCEL_NONE);
    cancel_set(token, CANCEL_REQUESTED);
    cancel_set(token, CANCEL_CLOSED);
    assert_int_equal(cancel_reason(token), CANCEL_REQUESTED);
    assert_int_equal(cancel_check(token, &err), TRIB_CANCELLED);
    assert_string_equal(err.sqlstate, "HY008");
    cancel_reset(token);
    assert_int_equal(cancel_check(token, &err), TRIB_OK);
    cancel_set_deadline(token, os_now_ns() + INT64_C(3600000000000));
    assert_int_equal(cancel_check(token, &err), TRIB_OK);
    cancel_set_deadline(token, os_now_ns() - 1);
    assert_int_equal(cancel_check(token, &err), TRIB_TIMEOUT);
    assert_string_equal(err.sqlstate, "HYT00");
    cancel_set(token, CANCEL_REQUESTED);
    assert_int_equal(cancel_reason(token), CANCEL_TIMEOUT);
    cancel_reset(token);
    assert_int_equal(cancel_reason(token), CANCEL_NONE);
    cancel_retain(token);
    cancel_release(token);
    cancel_release(token);
    cancel_release(NULL);
}

static void cancel_callbacks(void **state) {
    CancelToken *token = cancel_new();
    _Atomic int calls = 0;
    void *a = cancel_on(token, count, &calls), *b = cancel_on(token, count, &calls);
    void *c = cancel_on(token, count, &calls);
    cancel_off(token, b);
    assert_int_equal(calls, 0);
    cancel_set(token, CANCEL_REQUESTED);
    assert_int_equal(calls, 2);
    cancel_set(token, CANCEL_REQUESTED);
    assert_int_equal(calls, 2);
    void *late = cancel_on(token, count, &calls);
    assert_int_equal(calls, 3);
    cancel_reset(token);
    cancel_off(token, a);
    cancel_set(token, CANCEL_CLOSED);
    assert_int_equal(calls, 5); /* c and late once more, after the reset */
    cancel_off(token, c);
    cancel_off(token, late);
    cancel_off(token, NULL);
    cancel_reset(token);
    /* A deadline passes: noticed by whoever looks, and callbacks run when it is made known. */
    calls = 0;
    cancel_on(token, count, &calls);
    cancel_set_deadline(token, 1);
    assert_int_equal(cancel_reason(token), CANCEL_TIMEOUT);
    assert_int_equal(calls, 0);
    cancel_set(token, CANCEL_REQUESTED);
    assert_int_equal(calls, 1);
    cancel_release(token); /* a callback still registered goes with it */
}

typedef struct OffSelf {
    CancelToken *token;
    void *own, *other;
    int calls;
} OffSelf;

static void off_both(void *context) {
    OffSelf *self = context;
    self->calls++;
    cancel_off(self->token, self->own);
    cancel_off(self->token, self->other);
    self->own = self->other = NULL;
}

static void cancel_callback_takes_itself_off(void **state) {
    OffSelf one = {.token = cancel_new()};
    one.other = cancel_on(one.token, off_both, &one);
    one.own = cancel_on(one.token, off_both, &one);
    cancel_set(one.token, CANCEL_REQUESTED);
    assert_int_equal(one.calls, 1);
    cancel_release(one.token);
}

static void *set_soon(void *context) {
    usleep(30000);
    cancel_set(context, CANCEL_REQUESTED);
    return NULL;
}

static void cancel_sleeps(void **state) {
    CancelToken *token = cancel_new();
    int64_t begin = os_now_ns();
    assert_true(cancel_sleep(token, 20000000));
    assert_true(os_now_ns() - begin >= 20000000);
    assert_true(cancel_sleep(token, 0));
    assert_true(cancel_sleep(token, -5));
    begin = os_now_ns();
    cancel_set_deadline(token, begin + 20000000);
    assert_false(cancel_sleep(token, INT64_MAX)); /* else for ever */
    assert_true(os_now_ns() - begin >= 20000000);
    cancel_reset(token);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, set_soon, token), 0);
    assert_false(cancel_sleep(token, INT64_C(60000000000)));
    pthread_join(thread, NULL);
    assert_false(cancel_sleep(token, 1));
    cancel_release(token);
}

typedef struct Hammer {
    CancelToken *token;
    _Atomic bool stop;
    _Atomic int inside; /* callbacks running, summed over handles that are off: must be 0 */
} Hammer;

typedef struct Target {
    _Atomic int gone;
    Hammer *hammer;
} Target;

static void hit(void *context) {
    Target *target = context;
    if (atomic_load(&target->gone)) atomic_fetch_add(&target->hammer->inside, 1);
}

static void *register_and_leave(void *context) {
    Hammer *hammer = context;
    while (!atomic_load(&hammer->stop)) {
        Target *target = calloc(1, sizeof *target);
        target->hammer = hammer;
        void *handle = cancel_on(hammer->token, hit, target);
        cancel_off(hammer->token, handle);
        atomic_store(&target->gone, 1);
        free(target); /* a callback after cancel_off would touch freed memory */
    }
    return NULL;
}

static void *set_and_reset(void *context) {
    Hammer *hammer = context;
    for (int i = 0; i < 5000; i++) {
        cancel_set(hammer->token, CANCEL_REQUESTED);
        cancel_reset(hammer->token);
    }
    atomic_store(&hammer->stop, true);
    return NULL;
}

static void cancel_from_many_threads(void **state) {
    Hammer hammer = {.token = cancel_new()};
    pthread_t threads[4];
    for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, register_and_leave, &hammer);
    pthread_create(&threads[3], NULL, set_and_reset, &hammer);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    assert_int_equal(hammer.inside, 0);
    cancel_release(hammer.token);
}

/* ---------------------------------------------------------------- budgets */

static void budgets(void **state) {
    Budget *process = budget_new(NULL, "process", 1000);
    Budget *query = budget_new(process, "query", 600);
    Budget *other = budget_new(process, "other", 600);
    Grant a, b, c;
    assert_string_equal(budget_name(query), "query");
    assert_true(grant_init(&a, query, 100, false));
    assert_int_equal(budget_used(query), 100);
    assert_int_equal(budget_used(process), 100);
    assert_true(grant_try(&a, 60)); /* within the minimum */
    assert_true(grant_try(&a, 40));
    assert_int_equal(budget_used(query), 100);
    assert_true(grant_try(&a, 500));
    assert_int_equal(budget_used(query), 600);
    assert_false(grant_try(&a, 1));
    assert_int_equal(budget_used(query), 600);
    assert_int_equal(a.held, 600);
    assert_false(grant_init(&b, query, 1, false));
    grant_clear(&b); /* harmless */
    /* The parent's limit holds as well, and a refusal leaves nothing behind. */
    assert_true(grant_init(&c, other, 0, false));
    assert_true(grant_try(&c, 400));
    assert_false(grant_try(&c, 1));
    assert_int_equal(budget_used(other), 400);
    assert_int_equal(budget_used(process), 1000);
    grant_force(&c, 50);
    assert_int_equal(budget_used(process), 1050);
    assert_int_equal(budget_peak(process), 1050);
    grant_shrink(&c, 50);
    grant_shrink(&a, 550); /* down to 50: the minimum stays reserved */
    assert_int_equal(budget_used(query), 100);
    assert_true(grant_try(&c, 100));
    assert_false(grant_try(&c, INT64_MAX));
    assert_true(grant_try(&c, 0));
    budget_set_limit(other, 5000);
    assert_int_equal(budget_limit(other), 5000);
    grant_clear(&a);
    assert_int_equal(budget_used(query), 0);
    grant_clear(&a);
    assert_int_equal(budget_used(process), 500);
    budget_free(other); /* with what is still held */
    assert_int_equal(budget_used(process), 0);
    assert_int_equal(budget_peak(query), 600);
    budget_free(query);
    budget_free(process);
    budget_free(NULL);
    assert_true(budget_limit(budget_process()) > 0);
    assert_string_equal(budget_name(budget_process()), "process");
    budget_free(budget_process()); /* stays */
    assert_true(budget_limit(budget_process()) > 0);
}

static void grants_forced(void **state) {
    Budget *budget = budget_new(NULL, "q", 1 << 20);
    Grant grant;
    assert_true(grant_init(&grant, budget, 1000, true));
    assert_true(grant_try(&grant, 1000));
    assert_false(grant_try(&grant, 1));
    grant_shrink(&grant, 500);
    assert_true(grant_try(&grant, 500));
    assert_false(grant_try(&grant, 1));
    grant_force(&grant, 200);
    assert_int_equal(budget_used(budget), 1200);
    grant_clear(&grant);
    assert_int_equal(budget_used(budget), 0);
    budget_free(budget);
}

static void grants_mapped(void **state) {
    Budget *budget = budget_new(NULL, "q", 1 << 20);
    Grant grant;
    assert_true(grant_init(&grant, budget, 0, false));
    char *memory = grant_map(&grant, 100000);
    assert_non_null(memory);
    assert_true(budget_used(budget) >= 100000);
    for (int i = 0; i < 100000; i++) assert_int_equal(memory[i], 0);
    memset(memory, 1, 100000);
    assert_null(grant_map(&grant, 1 << 20));
    assert_null(grant_map(&grant, SIZE_MAX));
    assert_null(grant_map(&grant, 0));
    grant_unmap(&grant, memory, 100000);
    grant_unmap(&grant, NULL, 100000);
    assert_int_equal(budget_used(budget), 0);
    grant_clear(&grant);
    budget_free(budget);
}

static Budget *shared_budget;
static Grant shared_grant;

static void *take_and_give(void *context) {
    uint64_t seed = (uint64_t)(uintptr_t)context + 1;
    Grant own;
    if (!grant_init(&own, shared_budget, 10, false)) return NULL;
    for (int i = 0; i < 20000; i++) {
        int64_t some = (int64_t)(test_random(&seed) % 50);
        Grant *grant = i & 1 ? &own : &shared_grant;
        if (i % 97 == 0)
            grant_force(grant, some);
        else if (!grant_try(grant, some))
            continue;
        if (budget_used(shared_budget) < 0) return NULL;
        grant_shrink(grant, some);
    }
    grant_clear(&own);
    return &shared_grant;
}

static void grants_from_many_threads(void **state) {
    Budget *root = budget_new(NULL, "root", 300);
    shared_budget = budget_new(root, "shared", 250);
    assert_true(grant_init(&shared_grant, shared_budget, 40, false));
    pthread_t threads[6];
    for (intptr_t i = 0; i < 6; i++)
        pthread_create(&threads[i], NULL, take_and_give, (void *)(i * 7919));
    for (int i = 0; i < 6; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_non_null(result);
    }
    assert_int_equal(shared_grant.held, 0);
    assert_int_equal(budget_used(shared_budget), 40);
    grant_clear(&shared_grant);
    assert_int_equal(budget_used(root), 0);
    budget_free(shared_budget);
    budget_free(root);
}

/* ---------------------------------------------------------------- the log */

static void *write_lines(void *context) {
    for (int i = 0; i < 200; i++)
        log_write(LOG_INFO, "thread", "line %d of %d", i, *(int *)context);
    return NULL;
}

static void logging(void **state) {
    char path[] = "/tmp/trib-log-XXXXXX";
    close(mkstemp(path));
    unlink(path);
    Error err;
    Str text;
    struct stat facts;
    Arena *arena = arena_new(NULL);
    assert_false(log_enabled(LOG_ERROR));
    log_write(LOG_ERROR, "x", "goes nowhere");
    assert_int_equal(log_open("/no/such/folder/file", LOG_INFO, &err), TRIB_INVALID);
    assert_int_equal(err.native, 2);
    assert_int_equal(log_open(path, LOG_INFO, &err), TRIB_OK);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    assert_true(log_enabled(LOG_INFO));
    assert_false(log_enabled(LOG_DEBUG));
    assert_false(log_enabled(LOG_OFF));
    log_write(LOG_DEBUG, "shop", "not this");
    log_write(LOG_WARN, "shop\n", "two\nlines\t\x1b[31m %s", "\xE2\x82\xAC");
    log_write(LOG_ERROR, NULL, "%100000d", 7);
    pthread_t threads[4];
    int numbers[4] = {0, 1, 2, 3};
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, write_lines, &numbers[i]);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    assert_int_equal(os_read_file(arena, path, 1 << 20, &text, &err), TRIB_OK);
    assert_null(strstr(text.data, "not this"));
    assert_non_null(strstr(text.data, "] shop\\n: two\\nlines\\t\\x1b[31m \xE2\x82\xAC\n"));
    size_t lines = 0, longest = 0, begin = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '\n') continue;
        lines++;
        if (i - begin > longest) longest = i - begin;
        begin = i + 1;
    }
    assert_int_equal(lines, 2 + 4 * 200);
    assert_in_range(longest, 60000, 70000);
    assert_int_equal(log_open(NULL, LOG_OFF, &err), TRIB_OK);
    assert_false(log_enabled(LOG_ERROR));
    unlink(path);
    arena_free(arena);
}

/* ---------------------------------------------------------------- the system */

static void *thread_facts(void *context) {
    sigset_t *mask = context;
    pthread_sigmask(SIG_SETMASK, NULL, mask);
    char large[1 << 20]; /* fits the stack by far */
    memset(large, 1, sizeof large);
    return large[12345] ? context : NULL;
}

static void threads_block_signals(void **state) {
    pthread_t thread;
    sigset_t mask, mine;
    Error err;
    void *result;
    assert_int_equal(os_thread_start(&thread, "test", thread_facts, &mask, &err), TRIB_OK);
    pthread_join(thread, &result);
    assert_ptr_equal(result, &mask);
    assert_true(sigismember(&mask, SIGTERM) && sigismember(&mask, SIGPIPE));
    pthread_sigmask(SIG_SETMASK, NULL, &mine);
    assert_false(sigismember(&mine, SIGTERM));
}

static void files(void **state) {
    char path[] = "/tmp/trib-file-XXXXXX";
    int file = mkstemp(path);
    Arena *arena = arena_new(NULL);
    Str text;
    Error err;
    for (size_t length = 0; length < 20000; length = length * 3 + 1) {
        char *content = malloc(length + 1);
        memset(content, 'x', length);
        assert_int_equal(ftruncate(file, 0), 0);
        assert_int_equal(pwrite(file, content, length, 0), length);
        assert_int_equal(os_read_file(arena, path, length, &text, &err), TRIB_OK);
        assert_int_equal(text.len, length);
        assert_memory_equal(text.data, content, length);
        assert_int_equal(text.data[length], '\0');
        if (length > 0) {
            assert_int_equal(os_read_file(arena, path, length - 1, &text, &err), TRIB_LIMIT);
            assert_int_equal(os_read_file(arena, path, SIZE_MAX, &text, &err), TRIB_OK);
        }
        free(content);
    }
    close(file);
    unlink(path);
    assert_int_equal(os_read_file(arena, path, 100, &text, &err), TRIB_IO);
    assert_int_equal(err.native, 2);
    assert_string_equal(err.message, "cannot open the file: No such file or directory");
    assert_int_equal(os_read_file(arena, "/tmp", 100, &text, &err), TRIB_IO);
    assert_int_equal(os_read_file(arena, "/proc/self/status", 100000, &text, &err), TRIB_OK);
    assert_true(text.len > 100);
    arena_free(arena);
}

static void environment(void **state) {
    Arena *arena = arena_new(NULL);
    setenv("TRIB_TEST", "", 1);
    assert_null(os_env("TRIB_TEST"));
    setenv("TRIB_TEST", "x", 1);
    assert_string_equal(os_env("TRIB_TEST"), "x");
    unsetenv("TRIB_TEST");
    assert_null(os_env("TRIB_TEST"));
    setenv("XDG_CONFIG_HOME", "/tmp/conf", 1);
    assert_string_equal(os_config_dir(arena), "/tmp/conf/tributary");
    setenv("XDG_CONFIG_HOME", "relative", 1);
    setenv("HOME", "/tmp", 1);
    assert_string_equal(os_config_dir(arena), "/tmp/.config/tributary");
    unsetenv("XDG_STATE_HOME");
    assert_string_equal(os_state_dir(arena), "/tmp/.local/state/tributary");
    setenv("HOME", "/nonexistent", 1);
    assert_null(os_state_dir(arena));
    assert_true(os_cores() >= 1);
    assert_true(os_memory_bytes() >= 1 << 20);
    uint8_t random[64] = {0}, zero[64] = {0};
    assert_true(os_random(random, sizeof random));
    assert_memory_not_equal(random, zero, sizeof random);
    int64_t now = os_now_ns();
    assert_true(os_now_ns() >= now);
    assert_true(os_realtime_us() > INT64_C(1700000000000000));
    arena_free(arena);
}

static void stamps(void **state) {
    uint32_t mine = os_pid_stamp();
    assert_int_equal(os_pid_stamp(), mine);
    assert_int_not_equal(mine, 0);
    pid_t child = fork();
    if (child == 0) {
        uint32_t theirs = os_pid_stamp();
        pid_t grandchild = fork();
        if (grandchild == 0) _exit(os_pid_stamp() == theirs || os_pid_stamp() == mine);
        int status = 1;
        waitpid(grandchild, &status, 0);
        _exit(theirs == mine || os_pid_stamp() != theirs || status != 0);
    }
    int status = 1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(os_pid_stamp(), mine);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cancel_reasons),
        cmocka_unit_test(cancel_callbacks),
        cmocka_unit_test(cancel_callback_takes_itself_off),
        cmocka_unit_test(cancel_sleeps),
        cmocka_unit_test(cancel_from_many_threads),
        cmocka_unit_test(budgets),
        cmocka_unit_test(grants_forced),
        cmocka_unit_test(grants_mapped),
        cmocka_unit_test(grants_from_many_threads),
        cmocka_unit_test(logging),
        cmocka_unit_test(threads_block_signals),
        cmocka_unit_test(files),
        cmocka_unit_test(environment),
        cmocka_unit_test(stamps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
