/*
 * pool.c - a bounded pool of connections.
 *
 * A connection is idle (on the idle stack, newest on top), out (listed), or just being opened or looked
 * at; together they are at most max. A taker
 * pops an idle connection and asks whether it is alive, or opens a new one while there is room, or waits
 * on the condition. Waiting ends by a returned connection, the call's cancellation (a callback that
 * only wakes the waiters) or its deadline.
 *
 * Fork: each entry compares the pid stamp before it touches the lock. In a child the first thread to
 * notice abandons the parent's connections and builds a new lock; others spin for that moment.
 */
#include "connectors/support/pool.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "connectors/support/call.h"
#include "engine/base/os.h"

typedef struct Idle {
    void *connection;
    int64_t since_ns;
} Idle;

struct Pool {
    const PoolHooks *hooks;
    void *context;
    const char *catalog;
    uint32_t max;
    int64_t idle_ns;
    _Atomic uint32_t pid;    /* stamp of the process that the lock and connections belong to */
    _Atomic bool rebuilding; /* a forked child is starting over */
    pthread_mutex_t lock;    /* guards what follows */
    pthread_cond_t changed;
    uint32_t busy; /* out, or being opened or looked at */
    uint32_t nidle, nout;
    uint64_t wakes; /* counts cancellations, so that none is missed between looking and waiting */
    Idle *idle;     /* max entries, oldest first */
    void **out;     /* max entries: a connection that is not here is none of this process */
};

static bool pool_locks(Pool *self) {
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) return false;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    bool good = pthread_cond_init(&self->changed, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (good && pthread_mutex_init(&self->lock, NULL) != 0) {
        pthread_cond_destroy(&self->changed);
        good = false;
    }
    return good;
}

Pool *pool_new(const PoolHooks *hooks, void *context, const char *catalog, uint32_t max,
               int64_t idle_ms) {
    Pool *self = heap_alloc(sizeof *self);
    if (!self) return NULL;
    self->hooks = hooks;
    self->context = context;
    self->catalog = catalog;
    self->max = max ? max : 1;
    self->idle_ns = idle_ms * 1000000;
    self->idle = heap_alloc(self->max * sizeof *self->idle);
    self->out = heap_alloc(self->max * sizeof *self->out);
    atomic_init(&self->pid, os_pid_stamp());
    if (!self->idle || !self->out || !pool_locks(self)) {
        heap_free(self->idle);
        heap_free(self->out);
        heap_free(self);
        return NULL;
    }
    return self;
}

/* Starts over in a forked child: the parent's connections and lock are not ours. */
static void pool_here(Pool *self) {
    uint32_t pid = os_pid_stamp();
    if (atomic_load(&self->pid) == pid) return;
    bool expected = false;
    if (!atomic_compare_exchange_strong(&self->rebuilding, &expected, true)) {
        while (atomic_load(&self->pid) != pid) sched_yield();
        return;
    }
    if (atomic_load(&self->pid) != pid) {
        for (uint32_t i = 0; i < self->nidle; i++) {
            if (self->hooks->abandon) self->hooks->abandon(self->context, self->idle[i].connection);
        }
        self->nidle = self->nout = self->busy = 0;
        pool_locks(self);
        atomic_store(&self->pid, pid);
    }
    atomic_store(&self->rebuilding, false);
}

void pool_free(Pool *self) {
    if (!self) return;
    pool_here(self);
    for (uint32_t i = 0; i < self->nidle; i++)
        self->hooks->close(self->context, self->idle[i].connection);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    heap_free(self->idle);
    heap_free(self->out);
    heap_free(self);
}

uint32_t pool_busy(Pool *self) {
    pool_here(self);
    pthread_mutex_lock(&self->lock);
    uint32_t busy = self->busy;
    pthread_mutex_unlock(&self->lock);
    return busy;
}

uint32_t pool_max(const Pool *self) {
    return self->max;
}

static void pool_wake(void *context) {
    Pool *self = context;
    pthread_mutex_lock(&self->lock); /* held for moments only, never during I/O or callbacks */
    self->wakes++;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

/* Waits for a change, lock held, at most until the deadline. */
static void pool_wait(Pool *self, const TribCall *call) {
    enum { POLL_MS = 1000 }; /* a call without on_cancel is looked at again */
    int64_t until = os_now_ns() + POLL_MS * INT64_C(1000000);
    if (call && call->deadline_ns < until) until = call->deadline_ns;
    struct timespec when = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
    pthread_cond_timedwait(&self->changed, &self->lock, &when);
}

static Status pool_exhausted(Pool *self, TribCall *call, Error *err) {
    Status status = call_check(call, self->catalog, err);
    if (status != TRIB_TIMEOUT) return status;
    error_set(err, ERR_TIMEOUT, "no connection to \"%s\" came free in time: all %u are in use",
              self->catalog, self->max);
    error_source(err, self->catalog);
    return error_hint(
        err,
        "raise max_connections of the catalog, or close cursors that are not read to their end");
}

/* One idle connection, or a place to open one in (*connection NULL). false: neither, lock held before and after. */
static bool pool_pick(Pool *self, Idle *picked) {
    *picked = (Idle){NULL, 0};
    if (self->nidle) {
        *picked = self->idle[--self->nidle];
        self->busy++;
        return true;
    }
    if (self->busy + self->nidle >= self->max) return false;
    self->busy++;
    return true;
}

static void pool_place_free(Pool *self) {
    pthread_mutex_lock(&self->lock);
    self->busy--;
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

/* Takes a connection off the list of those that are out; false: it belongs to a parent process. */
static bool pool_unlist(Pool *self, const void *connection) {
    bool found = false;
    pthread_mutex_lock(&self->lock);
    for (uint32_t i = 0; i < self->nout && !found; i++) {
        if (self->out[i] != connection) continue;
        self->out[i] = self->out[--self->nout];
        found = true;
    }
    pthread_mutex_unlock(&self->lock);
    return found;
}

static void pool_list(Pool *self, void *connection) {
    pthread_mutex_lock(&self->lock);
    self->out[self->nout++] = connection;
    pthread_mutex_unlock(&self->lock);
}

static void pool_abandon(Pool *self, void *connection) {
    if (self->hooks->abandon) self->hooks->abandon(self->context, connection);
}

static void pool_close(Pool *self, void *connection) {
    self->hooks->close(self->context, connection);
    pool_place_free(self);
}

/* Picks, waiting if asked to. *found false: all are in use. */
static Status pool_await(Pool *self, TribCall *call, bool wait, Idle *picked, bool *found,
                         Error *err) {
    Status status = TRIB_OK;
    pthread_mutex_lock(&self->lock);
    while (!(*found = pool_pick(self, picked)) && wait) {
        uint64_t seen = self->wakes;
        pthread_mutex_unlock(&self->lock); /* the call's functions may take locks of their own */
        status = pool_exhausted(self, call, err);
        if (status != TRIB_OK) return status;
        pthread_mutex_lock(&self->lock);
        if ((*found = pool_pick(self, picked))) break;
        if (self->wakes == seen) pool_wait(self, call);
    }
    pthread_mutex_unlock(&self->lock);
    return TRIB_OK;
}

static Status pool_acquire(Pool *self, TribCall *call, bool wait, void **connection, Error *err) {
    Idle picked;
    bool found;
    *connection = NULL;
    pool_here(self);
    TRY(call_check(call, self->catalog, err));
    for (;;) {
        TRY(pool_await(self, call, wait, &picked, &found, err));
        if (!found) return TRIB_OK;
        if (!picked.connection) break;
        int64_t idle = os_now_ns() - picked.since_ns;
        bool good = idle <= self->idle_ns || self->idle_ns <= 0;
        if (good && self->hooks->alive)
            good = self->hooks->alive(self->context, call, picked.connection, idle);
        if (good) {
            pool_list(self, picked.connection);
            *connection = picked.connection;
            return TRIB_OK;
        }
        pool_close(self, picked.connection);
    }
    Status status = self->hooks->open(self->context, call, connection, err);
    if (status == TRIB_OK) {
        pool_list(self, *connection);
        return TRIB_OK;
    }
    *connection = NULL;
    pool_place_free(self);
    return error_source(err, self->catalog);
}

Status pool_take(Pool *self, TribCall *call, void **connection, Error *err) {
    void *handle = call && call->on_cancel ? call->on_cancel(call, pool_wake, self) : NULL;
    Status status = pool_acquire(self, call, true, connection, err);
    if (handle) call->off_cancel(call, handle);
    return status;
}

Status pool_try(Pool *self, TribCall *call, void **connection, Error *err) {
    return pool_acquire(self, call, false, connection, err);
}

void pool_forget(Pool *self, void *connection) {
    pool_here(self);
    if (pool_unlist(self, connection)) pool_place_free(self);
}

void pool_discard(Pool *self, void *connection) {
    pool_here(self);
    if (pool_unlist(self, connection))
        pool_close(self, connection);
    else
        pool_abandon(self, connection);
}

void pool_give(Pool *self, void *connection) {
    pool_here(self);
    if (!pool_unlist(self, connection)) {
        pool_abandon(self, connection);
        return;
    }
    if (self->hooks->reset && !self->hooks->reset(self->context, connection)) {
        pool_close(self, connection);
        return;
    }
    int64_t now = os_now_ns();
    void *expired = NULL;
    pthread_mutex_lock(&self->lock);
    self->busy--;
    self->idle[self->nidle++] = (Idle){connection, now};
    if (self->nidle > 1 && self->idle_ns > 0 && now - self->idle[0].since_ns > self->idle_ns) {
        expired = self->idle[0].connection;
        memmove(self->idle, self->idle + 1, --self->nidle * sizeof *self->idle);
    }
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
    if (expired) self->hooks->close(self->context, expired);
}
