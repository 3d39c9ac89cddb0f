/*
 * watchdog.c - one thread that waits for the nearest of a list of deadlines.
 *
 * The list is short (a watch per running statement with a deadline), so it is searched, not sorted.
 * Sockets are shut down with the lock held: shutdown(2) does not wait, and watch_remove then knows that
 * the descriptor is not in use. After a fork the child has no thread and possibly a locked lock; the
 * process stamp tells, and everything is made anew.
 */
#include "connectors/mysql/watchdog.h"

#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

#include "engine/base/os.h"

#define IDLE_NS INT64_C(10000000000)

struct Watchdog {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    Watch *first;
    pthread_t thread;
    bool started; /* a thread to be joined exists */
    bool running; /* it still looks at the list */
    bool stop;
    uint32_t pid_stamp;
};

void socket_cut(int fd) {
    static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    shutdown(fd, SHUT_RDWR);
}

static bool watchdog_prepare(Watchdog *self) {
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) return false;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    bool ok = pthread_mutex_init(&self->lock, NULL) == 0 &&
              pthread_cond_init(&self->changed, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    self->first = NULL;
    self->started = self->running = self->stop = false;
    self->pid_stamp = os_pid_stamp();
    return ok;
}

Watchdog *watchdog_new(void) {
    Watchdog *self = heap_alloc(sizeof *self);
    if (self && !watchdog_prepare(self)) {
        heap_free(self);
        self = NULL;
    }
    return self;
}

/* Shuts down what is due; returns the nearest deadline left. Lock held. */
static int64_t fire_due(Watchdog *self, int64_t now) {
    int64_t nearest = INT64_MAX;
    for (Watch *watch = self->first; watch; watch = watch->next) {
        if (atomic_load_explicit(&watch->fired, memory_order_relaxed)) continue;
        if (watch->deadline_ns <= now) {
            atomic_store_explicit(&watch->fired, true, memory_order_release);
            socket_cut(watch->fd);
        } else if (watch->deadline_ns < nearest) {
            nearest = watch->deadline_ns;
        }
    }
    return nearest;
}

static void *watchdog_run(void *context) {
    Watchdog *self = context;
    pthread_mutex_lock(&self->lock);
    int64_t idle_since = os_now_ns();
    while (!self->stop) {
        int64_t now = os_now_ns();
        int64_t nearest = fire_due(self, now);
        if (self->first)
            idle_since = now;
        else if (now - idle_since >= IDLE_NS)
            break;
        int64_t until =
            nearest < idle_since + IDLE_NS || self->first ? nearest : idle_since + IDLE_NS;
        if (until == INT64_MAX) until = now + IDLE_NS;
        struct timespec at = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
        pthread_cond_timedwait(&self->changed, &self->lock, &at);
    }
    self->running = false;
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

/* Lock held; may release it while joining a thread that has ended. */
static Status watchdog_start(Watchdog *self, Error *err) {
    if (self->running) return TRIB_OK;
    if (self->started) {
        pthread_join(self->thread, NULL); /* it has left its loop: no wait worth the name */
        self->started = false;
    }
    TRY(os_thread_start(&self->thread, "trib-my-watch", watchdog_run, self, err));
    self->started = self->running = true;
    return TRIB_OK;
}

Status watch_add(Watchdog *self, Watch *watch, int fd, int64_t deadline_ns, Error *err) {
    if (self->pid_stamp != os_pid_stamp() && !watchdog_prepare(self))
        return error_out_of_memory(err);
    watch->fd = fd;
    watch->deadline_ns = deadline_ns;
    watch->previous = NULL;
    atomic_store_explicit(&watch->fired, false, memory_order_relaxed);
    pthread_mutex_lock(&self->lock);
    Status status = watchdog_start(self, err);
    if (status == TRIB_OK) {
        watch->next = self->first;
        if (self->first) self->first->previous = watch;
        self->first = watch;
        watch->linked = true;
        pthread_cond_signal(&self->changed);
    }
    pthread_mutex_unlock(&self->lock);
    return status;
}

void watch_remove(Watchdog *self, Watch *watch) {
    if (!watch->linked) return;
    watch->linked = false;
    if (self->pid_stamp != os_pid_stamp()) return;
    pthread_mutex_lock(&self->lock);
    if (watch->previous)
        watch->previous->next = watch->next;
    else
        self->first = watch->next;
    if (watch->next) watch->next->previous = watch->previous;
    pthread_mutex_unlock(&self->lock);
}

void watchdog_free(Watchdog *self) {
    if (!self) return;
    if (self->pid_stamp == os_pid_stamp()) {
        pthread_mutex_lock(&self->lock);
        self->stop = true;
        pthread_cond_signal(&self->changed);
        bool started = self->started;
        pthread_mutex_unlock(&self->lock);
        if (started) pthread_join(self->thread, NULL);
        pthread_cond_destroy(&self->changed);
        pthread_mutex_destroy(&self->lock);
    }
    heap_free(self);
}
