/*
 * pool.c - see pool.h.
 *
 * One FIFO of runnable tasks under one lock: tasks run for milliseconds, so the lock is cold. A task's
 * state is a small automaton: IDLE -> QUEUED -> RUNNING -> IDLE or ENDED, with WOKEN = woken while RUNNING,
 * which requeues it when its run ends in TASK_BLOCKED. A wake is therefore never lost, and a task never runs
 * on two workers at once.
 *
 * The pool structure lives for ever (a process may exit while workers sleep in it); a forked child
 * abandons its parent's and makes a new one. Lock order: pool lock is innermost.
 */
#include "engine/runtime/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/arena.h"
#include "engine/base/os.h"

#define POOL_MAX_WORKERS  256
#define POOL_EXIT_WAIT_NS INT64_C(200000000)

enum { TASK_IDLE, TASK_QUEUED, TASK_RUNNING, TASK_WOKEN, TASK_ENDED };

typedef struct Pool {
    pthread_mutex_t lock;
    pthread_cond_t runnable; /* a task was queued, or the pool ends */
    pthread_cond_t ended;    /* a worker ended, or the pool goes on after all */
    Task *head, *tail;
    uint32_t workers;  /* running threads */
    uint32_t idle;     /* of them, waiting */
    uint32_t sessions; /* holding the pool */
    bool stopping;
    uint32_t pid_stamp;
    struct Pool *parents; /* in a forked child: what it cannot free, for leak checkers to find */
} Pool;

static Pool *_Atomic the_pool;
static pthread_mutex_t pool_birth = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint32_t pool_birth_stamp;

/* Under the lock, which is given up meanwhile: another session may begin and want the workers again. */
static void pool_stop(Pool *self, int64_t wait_ns) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + wait_ns;
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    self->stopping = true;
    pthread_cond_broadcast(&self->runnable);
    while (self->stopping && self->workers > 0) {
        if (pthread_cond_timedwait(&self->ended, &self->lock, &until) != 0) break;
    }
}

/* Registered once, so after OpenSSL's handler if that was initialised before the first session. */
static void pool_at_exit(void) {
    Pool *pool = atomic_load(&the_pool);
    if (!pool || pool->pid_stamp != os_pid_stamp()) return;
    pthread_mutex_lock(&pool->lock);
    pool_stop(pool, POOL_EXIT_WAIT_NS);
    pthread_mutex_unlock(&pool->lock);
}

static Pool *pool_new(void) {
    Pool *self = heap_alloc(sizeof *self);
    if (!self) return NULL;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->runnable, NULL);
    pthread_cond_init(&self->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    self->pid_stamp = os_pid_stamp();
    return self;
}

/* The pool of this process; NULL only when memory is exhausted. */
static Pool *pool_get(void) {
    Pool *pool = atomic_load_explicit(&the_pool, memory_order_acquire);
    if (pool && pool->pid_stamp == os_pid_stamp()) return pool;
    (void)os_lock_forked(&pool_birth, &pool_birth_stamp);
    pool = atomic_load(&the_pool);
    if (!pool || pool->pid_stamp != os_pid_stamp()) {
        Pool *parents = pool; /* is left behind: its threads do not exist here */
        bool first = parents == NULL;
        pool = pool_new();
        if (pool) pool->parents = parents;
        if (pool) atomic_store(&the_pool, pool);
        if (pool && first) atexit(pool_at_exit);
    }
    pthread_mutex_unlock(&pool_birth);
    return pool;
}

void task_init(Task *self, TaskStep (*run)(Task *), void (*done)(Task *)) {
    self->run = run;
    self->done = done;
    self->next = NULL;
    self->inline_only = false;
    atomic_init(&self->state, TASK_IDLE);
}

static void pool_push(Pool *self, Task *task) {
    pthread_mutex_lock(&self->lock);
    task->next = NULL;
    if (self->tail) {
        self->tail->next = task;
    } else {
        self->head = task;
    }
    self->tail = task;
    if (self->idle > 0) pthread_cond_signal(&self->runnable);
    pthread_mutex_unlock(&self->lock);
}

void task_wake(Task *self) {
    int state = atomic_load(&self->state);
    for (;;) {
        if (state == TASK_IDLE) {
            if (atomic_compare_exchange_weak(&self->state, &state, TASK_QUEUED)) {
                if (!self->inline_only) pool_push(pool_get(), self);
                return;
            }
        } else if (state == TASK_RUNNING) {
            if (atomic_compare_exchange_weak(&self->state, &state, TASK_WOKEN)) return;
        } else {
            return; /* queued, already to be run again, or ended */
        }
    }
}

void task_wake_callback(void *task) {
    task_wake(task);
}

/* Runs one slice; true when the task ended (it may be gone then), *again when it is to be queued. */
static bool task_slice(Task *self, bool *again) {
    *again = false;
    atomic_store(&self->state, TASK_RUNNING);
    TaskStep step = self->run(self);
    if (step == TASK_DONE) {
        atomic_store(&self->state, TASK_ENDED);
        if (self->done) self->done(self);
        return true;
    }
    if (step == TASK_BLOCKED) {
        int running = TASK_RUNNING;
        if (atomic_compare_exchange_strong(&self->state, &running, TASK_IDLE)) return false;
    }
    atomic_store(&self->state, TASK_QUEUED);
    *again = true;
    return false;
}

bool task_run_inline(Task *self) {
    for (;;) {
        bool again;
        if (task_slice(self, &again)) return true;
        if (!again) return false;
    }
}

static void *worker_run(void *context) {
    Pool *self = context;
    pthread_mutex_lock(&self->lock);
    for (;;) {
        while (!self->head && !self->stopping) {
            self->idle++;
            pthread_cond_wait(&self->runnable, &self->lock);
            self->idle--;
        }
        if (self->stopping) break;
        Task *task = self->head;
        self->head = task->next;
        if (!self->head) self->tail = NULL;
        pthread_mutex_unlock(&self->lock);
        bool again;
        bool ended = task_slice(task, &again);
        if (!ended && again) pool_push(self, task);
        pthread_mutex_lock(&self->lock);
    }
    self->workers--;
    pthread_cond_broadcast(&self->ended);
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

void pool_acquire(void) {
    Pool *pool = pool_get();
    if (!pool) return;
    pthread_mutex_lock(&pool->lock);
    pool->sessions++;
    pthread_mutex_unlock(&pool->lock);
}

void pool_release(void) {
    Pool *pool = atomic_load(&the_pool);
    if (!pool || pool->pid_stamp != os_pid_stamp()) return;
    pthread_mutex_lock(&pool->lock);
    /* Without letting go of the lock: a session that begins now must find its workers. */
    if (pool->sessions > 0 && --pool->sessions == 0) pool_stop(pool, INT64_C(1000000000));
    pthread_mutex_unlock(&pool->lock);
}

static Status pool_start_worker(Pool *self, Error *err) {
    pthread_t thread;
    TRY(os_thread_start(&thread, "trib-worker", worker_run, self, err));
    pthread_detach(thread);
    self->workers++;
    return TRIB_OK;
}

Status pool_need(uint32_t workers, Error *err) {
    Pool *pool = pool_get();
    if (!pool) return error_out_of_memory(err);
    if (workers > POOL_MAX_WORKERS) workers = POOL_MAX_WORKERS;
    Status status = TRIB_OK;
    pthread_mutex_lock(&pool->lock);
    if (pool->stopping) pthread_cond_broadcast(&pool->ended); /* who stops it need not wait on */
    pool->stopping = false;
    while (pool->workers < workers && status == TRIB_OK) {
        status = pool_start_worker(pool, err);
        if (status != TRIB_OK && pool->workers > 0) { /* fewer threads than wished still work */
            status = TRIB_OK;
            break;
        }
    }
    pthread_mutex_unlock(&pool->lock);
    return status;
}

uint32_t pool_size(void) {
    Pool *pool = atomic_load(&the_pool);
    return pool ? pool->workers : 0;
}
