/*
 * cancel.c - the cancellation token.
 *
 * The reason is one atomic word that the first cause sets. Callbacks hang on a list under a mutex
 * that is held while they run, which is what makes cancel_off wait for a running one; the mutex is
 * recursive so that a callback may take itself off. Each callback runs once until the next reset.
 *
 * A passed deadline is noticed by whoever asks (cancel_reason, cancel_check, cancel_sleep), and
 * only noted there: callbacks run in cancel_set and cancel_on alone, never under the locks of
 * somebody who merely looks. A blocking call therefore honours cancel_deadline itself.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "engine/base/cancel.h"
#include "engine/base/arena.h"
#include "engine/base/os.h"

typedef struct CancelNode CancelNode;
struct CancelNode {
    CancelNode *next, *previous;
    void (*callback)(void *context);
    void *context;
    bool fired;
};

struct CancelToken {
    _Atomic uint32_t references;
    _Atomic uint32_t reason;
    _Atomic int64_t deadline;
    pthread_mutex_t callbacks_lock; /* guards nodes; recursive */
    CancelNode *nodes;
    pthread_mutex_t sleep_lock; /* pairs with `woken`, guards nothing else */
    pthread_cond_t woken;
};

CancelToken *cancel_new(void) {
    CancelToken *self = heap_alloc(sizeof *self);
    if (!self) return NULL;
    atomic_init(&self->references, 1);
    atomic_init(&self->reason, CANCEL_NONE);
    atomic_init(&self->deadline, INT64_MAX);
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&self->callbacks_lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    pthread_mutex_init(&self->sleep_lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&self->woken, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return self;
}

void cancel_retain(CancelToken *self) {
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
}

void cancel_release(CancelToken *self) {
    if (!self) return;
    if (atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) return;
    while (self->nodes) {
        CancelNode *next = self->nodes->next;
        heap_free(self->nodes);
        self->nodes = next;
    }
    pthread_mutex_destroy(&self->callbacks_lock);
    pthread_mutex_destroy(&self->sleep_lock);
    pthread_cond_destroy(&self->woken);
    heap_free(self);
}

static void sleepers_wake(CancelToken *self) {
    pthread_mutex_lock(&self->sleep_lock);
    pthread_cond_broadcast(&self->woken);
    pthread_mutex_unlock(&self->sleep_lock);
}

void cancel_set(CancelToken *self, CancelReason reason) {
    uint32_t none = CANCEL_NONE;
    if (reason == CANCEL_NONE) return;
    atomic_compare_exchange_strong(&self->reason, &none, (uint32_t)reason);
    sleepers_wake(self);
    pthread_mutex_lock(&self->callbacks_lock);
    CancelNode *node = self->nodes;
    while (node) {
        if (node->fired) {
            node = node->next;
            continue;
        }
        node->fired = true;
        node->callback(node->context);
        /* The callback may have taken off any node: begin again; those that ran are marked. */
        node = self->nodes;
    }
    pthread_mutex_unlock(&self->callbacks_lock);
}

void cancel_reset(CancelToken *self) {
    pthread_mutex_lock(&self->callbacks_lock);
    atomic_store(&self->deadline, INT64_MAX);
    atomic_store(&self->reason, CANCEL_NONE);
    for (CancelNode *node = self->nodes; node; node = node->next) node->fired = false;
    pthread_mutex_unlock(&self->callbacks_lock);
}

void cancel_set_deadline(CancelToken *self, int64_t deadline_ns) {
    atomic_store(&self->deadline, deadline_ns);
    sleepers_wake(self);
}

int64_t cancel_deadline(const CancelToken *self) {
    return atomic_load_explicit(&self->deadline, memory_order_relaxed);
}

CancelReason cancel_reason(CancelToken *self) {
    uint32_t reason = atomic_load_explicit(&self->reason, memory_order_acquire);
    if (reason != CANCEL_NONE) return (CancelReason)reason;
    int64_t deadline = cancel_deadline(self);
    if (deadline == INT64_MAX || os_now_ns() < deadline) return CANCEL_NONE;
    if (atomic_compare_exchange_strong(&self->reason, &reason, CANCEL_TIMEOUT))
        return CANCEL_TIMEOUT;
    return (CancelReason)reason;
}

Status cancel_check(CancelToken *self, Error *err) {
    switch (cancel_reason(self)) {
    case CANCEL_NONE: return TRIB_OK;
    case CANCEL_TIMEOUT:
        return error_set(err, ERR_TIMEOUT, "the time-out of the statement expired");
    case CANCEL_CLOSED: return error_set(err, ERR_CANCELLED, "the statement was closed");
    case CANCEL_REQUESTED: break;
    }
    return error_set(err, ERR_CANCELLED, "the statement was cancelled");
}

void *cancel_on(CancelToken *self, void (*callback)(void *context), void *context) {
    CancelNode *node = heap_alloc(sizeof *node);
    if (!node) return NULL;
    node->callback = callback;
    node->context = context;
    pthread_mutex_lock(&self->callbacks_lock);
    node->next = self->nodes;
    if (node->next) node->next->previous = node;
    self->nodes = node;
    if (cancel_reason(self) != CANCEL_NONE) {
        node->fired = true;
        callback(context);
    }
    pthread_mutex_unlock(&self->callbacks_lock);
    return node;
}

void cancel_off(CancelToken *self, void *handle) {
    CancelNode *node = handle;
    if (!node) return;
    pthread_mutex_lock(&self->callbacks_lock);
    if (node->previous)
        node->previous->next = node->next;
    else
        self->nodes = node->next;
    if (node->next) node->next->previous = node->previous;
    pthread_mutex_unlock(&self->callbacks_lock);
    heap_free(node);
}

bool cancel_sleep(CancelToken *self, int64_t ns) {
    int64_t now = os_now_ns();
    int64_t until = ns > INT64_MAX - now ? INT64_MAX : now + (ns > 0 ? ns : 0);
    bool completed = false;
    pthread_mutex_lock(&self->sleep_lock);
    while (cancel_reason(self) == CANCEL_NONE) {
        if (os_now_ns() >= until) {
            completed = true;
            break;
        }
        int64_t deadline = cancel_deadline(self);
        int64_t wake = deadline < until ? deadline : until;
        struct timespec when = {.tv_sec = (time_t)(wake / 1000000000),
                                .tv_nsec = (long)(wake % 1000000000)};
        pthread_cond_timedwait(&self->woken, &self->sleep_lock, &when);
    }
    pthread_mutex_unlock(&self->sleep_lock);
    return completed;
}
