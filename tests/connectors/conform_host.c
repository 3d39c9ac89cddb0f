/*
 * conform_host.c - the host that the conformance suite offers to connectors: counted memory that can
 * be made to fail, calls that can be cancelled, error records full of rubbish.
 */
#include "tests/connectors/conform.h"

#include <stdlib.h>

#include "engine/base/calendar.h"

static void *host_allocate(void *context, size_t bytes) {
    TestHost *self = context;
    if (atomic_load(&self->fail_at) > 0 && atomic_fetch_sub(&self->fail_at, 1) == 1) return NULL;
    void *memory = malloc(bytes ? bytes : 1);
    if (memory) {
        memset(memory, 0xa5, bytes); /* nobody may count on zeroes */
        atomic_fetch_add(&self->blocks, 1);
    }
    return memory;
}

static void host_release(void *context, void *memory) {
    TestHost *self = context;
    if (!memory) return;
    atomic_fetch_sub(&self->blocks, 1);
    free(memory);
}

static bool host_charge(void *context, int64_t bytes) {
    return true;
}

static bool host_log_enabled(void *context, TribLogLevel level) {
    return false;
}

static void host_log(void *context, TribLogLevel level, const char *catalog, const char *text) {}

static int16_t host_zone(void *context, const char *name, size_t length) {
    return zone_lookup((Str){name, length});
}

void test_host_init(TestHost *self) {
    memset(self, 0, sizeof *self);
    self->host = (TribHost){.size = sizeof(TribHost),
                            .self = self,
                            .alloc = host_allocate,
                            .free = host_release,
                            .charge = host_charge,
                            .log_enabled = host_log_enabled,
                            .log = host_log,
                            .zone_id = host_zone};
}

/* ---------------------------------------------------------------- calls */

static bool call_is_cancelled(TribCall *call) {
    return atomic_load(&((TestCall *)call)->set);
}

static void *call_on_cancel(TribCall *call, void (*callback)(void *), void *context) {
    TestCall *self = (TestCall *)call;
    void *handle = NULL;
    pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < COUNT_OF(self->waiting) && !handle; i++) {
        if (self->waiting[i].callback) continue;
        self->waiting[i].callback = callback;
        self->waiting[i].context = context;
        handle = &self->waiting[i];
    }
    if (atomic_load(&self->set)) callback(context);
    pthread_mutex_unlock(&self->lock);
    return handle;
}

static void call_off_cancel(TribCall *call, void *handle) {
    TestCall *self = (TestCall *)call;
    pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < COUNT_OF(self->waiting); i++) {
        if (handle == &self->waiting[i]) self->waiting[i].callback = NULL;
    }
    pthread_mutex_unlock(&self->lock);
}

static void call_on_warning(TribCall *call, const char *sqlstate, const char *text) {
    TestCall *self = (TestCall *)call;
    CHECK(strlen(sqlstate) == 5, "a warning's SQLSTATE is \"%s\"", sqlstate);
    pthread_mutex_lock(&self->lock);
    size_t used = strlen(self->warnings), more = strlen(text);
    if (used + more + 2 < sizeof self->warnings) {
        memcpy(self->warnings + used, text, more);
        self->warnings[used + more] = '\n';
    }
    pthread_mutex_unlock(&self->lock);
}

void test_call_init(TestCall *self, const TestHost *host) {
    memset(self, 0, sizeof *self);
    self->call = (TribCall){.size = sizeof(TribCall),
                            .host = &host->host,
                            .deadline_ns = INT64_MAX,
                            .cancelled = call_is_cancelled,
                            .on_cancel = call_on_cancel,
                            .off_cancel = call_off_cancel,
                            .warn = call_on_warning};
    pthread_mutex_init(&self->lock, NULL);
}

void test_call_cancel(TestCall *self) {
    pthread_mutex_lock(&self->lock);
    atomic_store(&self->set, true);
    for (size_t i = 0; i < COUNT_OF(self->waiting); i++) {
        if (self->waiting[i].callback) self->waiting[i].callback(self->waiting[i].context);
    }
    pthread_mutex_unlock(&self->lock);
}

void test_call_clear(TestCall *self) {
    for (size_t i = 0; i < COUNT_OF(self->waiting); i++) {
        CHECK(!self->waiting[i].callback, "a cancellation callback was never taken off");
    }
    pthread_mutex_destroy(&self->lock);
}

/* ---------------------------------------------------------------- errors */

void error_rubbish(TribError *err) {
    memset(err, 0x7e, sizeof *err);
}

static bool text_ended(const char *text, size_t size) {
    const char *end = memchr(text, '\0', size);
    return end && utf8_valid(text, (size_t)(end - text));
}

void error_check(const TribError *err, TribStatus status, const char *catalog) {
    CHECK(err->status == status, "the record says status %d, the function returned %d", err->status,
          status);
    CHECK(text_ended(err->sqlstate, sizeof err->sqlstate) && strlen(err->sqlstate) == 5,
          "the SQLSTATE is no SQLSTATE");
    bool good = text_ended(err->message, sizeof err->message) &&
                text_ended(err->detail, sizeof err->detail) &&
                text_ended(err->hint, sizeof err->hint) &&
                text_ended(err->source, sizeof err->source);
    if (!CHECK(good, "a text of the record does not end or is not UTF-8")) return;
    CHECK(err->message[0] && err->message[0] != 0x7e, "the message is empty");
    CHECK(err->detail[0] != 0x7e && err->hint[0] != 0x7e, "detail or hint was left as it was");
    CHECK(err->line != 0x7e7e7e7e && err->native != 0x7e7e7e7e,
          "line or native code was left as it was");
    CHECK(!err->source[0] || strcmp(err->source, catalog) == 0, "the source is \"%s\"",
          err->source);
}
