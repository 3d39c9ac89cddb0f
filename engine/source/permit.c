/*
 * permit.c - the connections of a source, as permits.
 *
 * A scan's I/O thread holds one permit while it reads. Whoever needs one and finds none waits in
 * order of arrival. Deadlock is impossible by construction: a stream that somebody reads never waits
 * for another one of its query, so its permits come back; a stream that was only started ahead of time
 * gives its permits up when asked (permit_wait asks) and begins again when it is read. What remains are
 * cursors that an application left open: they are reported to the hook, which drains them.
 */
#include "engine/source/internal.h"

#define LONGEST_WAIT_NS INT64_C(30000000000)
#define LOOK_AGAIN_NS   INT64_C(1000000000)
#define ASK_MOST        16

struct PermitWaiter {
    PermitWaiter *next;
};

static _Atomic SourceExhaustedHook exhausted_hook;
static _Atomic int64_t longest_wait_ns = LONGEST_WAIT_NS;

void source_set_exhausted_hook(SourceExhaustedHook hook) {
    atomic_store(&exhausted_hook, hook);
}

void source_set_longest_wait(int64_t ns) {
    atomic_store(&longest_wait_ns, ns);
}

bool permit_try(Source *self) {
    pthread_mutex_lock(&self->lock);
    bool free_one = !self->waiters && self->used < self->max_connections;
    if (free_one) self->used++;
    pthread_mutex_unlock(&self->lock);
    return free_one;
}

void permit_release(Source *self) {
    pthread_mutex_lock(&self->lock);
    self->used--;
    self->progress_ns = os_now_ns();
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

bool permit_wanted(Source *self) {
    pthread_mutex_lock(&self->lock);
    bool wanted = self->waiters != NULL;
    pthread_mutex_unlock(&self->lock);
    return wanted;
}

void permit_progress(Source *self) {
    int64_t now = os_now_ns();
    pthread_mutex_lock(&self->lock);
    self->progress_ns = now;
    pthread_mutex_unlock(&self->lock);
}

void source_add_stream(Source *self, ScanStream *stream) {
    pthread_mutex_lock(&self->lock);
    if (!stream->listed) {
        stream->source_previous = NULL;
        stream->source_next = self->streams;
        if (self->streams) self->streams->source_previous = stream;
        self->streams = stream;
        stream->listed = true;
    }
    pthread_mutex_unlock(&self->lock);
}

void source_remove_stream(Source *self, ScanStream *stream) {
    pthread_mutex_lock(&self->lock);
    if (stream->listed) {
        if (stream->source_previous)
            stream->source_previous->source_next = stream->source_next;
        else
            self->streams = stream->source_next;
        if (stream->source_next) stream->source_next->source_previous = stream->source_previous;
        stream->listed = false;
    }
    pthread_mutex_unlock(&self->lock);
}

/* Asks streams that nobody reads yet for their permits, until one gives some. Called with the source's
 * lock, which is given up meanwhile. */
static void ask_back(Source *self) {
    ScanStream *idle[ASK_MOST];
    uint32_t count = 0;
    for (ScanStream *at = self->streams; at && count < ASK_MOST; at = at->source_next) {
        if (atomic_load(&at->required)) continue;
        stream_retain(at);
        idle[count++] = at;
    }
    pthread_mutex_unlock(&self->lock);
    bool given = false;
    for (uint32_t i = 0; i < count; i++) {
        if (!given) given = stream_preempt(idle[i]);
        stream_unref(idle[i]);
    }
    pthread_mutex_lock(&self->lock);
}

static void source_wake(void *context) {
    Source *self = context;
    pthread_mutex_lock(&self->lock);
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static Status connections_exhausted(const Source *self, Error *err) {
    (void)error_set(err, ERR_TIMEOUT, "all %u connections of the catalog %s are in use",
                    self->max_connections, self->name);
    (void)error_source(err, self->name);
    return error_hint(
        err,
        "raise max_connections of the catalog, or close cursors that are not read to their end");
}

static bool wait_is_hopeless(const Source *self, int64_t since) {
    int64_t now = os_now_ns(), longest = atomic_load(&longest_wait_ns);
    return now - since > longest && now - self->progress_ns > longest;
}

static void timed_wait(Source *self, int64_t deadline) {
    int64_t until = os_now_ns() + LOOK_AGAIN_NS;
    if (deadline < until) until = deadline;
    struct timespec at = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
    (void)pthread_cond_timedwait(&self->changed, &self->lock, &at);
}

/* Under the lock, which is given up meanwhile: asks for connections that nobody needs at the moment. */
static void ask_around(Source *self, void *owner) {
    ask_back(self);
    SourceExhaustedHook hook = atomic_load(&exhausted_hook);
    if (!hook || !owner || self->used < self->max_connections) return;
    pthread_mutex_unlock(&self->lock);
    hook(owner, self);
    pthread_mutex_lock(&self->lock);
}

/* Under the lock, with `me` in the line. */
static Status wait_in_line(Source *self, PermitWaiter *me, CancelToken *token, void *owner,
                           Error *err) {
    int64_t since = os_now_ns(), asked = INT64_MIN;
    for (;;) {
        if (self->waiters == me && self->used < self->max_connections) {
            self->used++;
            return TRIB_OK;
        }
        CancelReason reason = cancel_reason(token);
        if (reason == CANCEL_TIMEOUT) return connections_exhausted(self, err);
        if (reason != CANCEL_NONE) return cancel_check(token, err);
        if (wait_is_hopeless(self, since)) return connections_exhausted(self, err);
        if (asked == INT64_MIN || os_now_ns() - asked >= LOOK_AGAIN_NS) {
            asked = os_now_ns();
            ask_around(self, owner);
            continue;
        }
        timed_wait(self, cancel_deadline(token));
    }
}

Status permit_wait(Source *self, CancelToken *token, void *owner, Error *err) {
    PermitWaiter me = {0};
    void *handle = cancel_on(token, source_wake, self);
    if (!handle) return error_out_of_memory(err);
    pthread_mutex_lock(&self->lock);
    PermitWaiter **end = &self->waiters;
    while (*end) end = &(*end)->next;
    *end = &me;
    Status status = wait_in_line(self, &me, token, owner, err);
    PermitWaiter **place = &self->waiters;
    while (*place != &me) place = &(*place)->next;
    *place = me.next;
    pthread_cond_broadcast(&self->changed); /* the next in line may go on */
    pthread_mutex_unlock(&self->lock);
    cancel_off(token, handle);
    return status;
}
