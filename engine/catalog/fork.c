/*
 * fork.c - SQLite's own locks around a fork.
 *
 * SQLite guards its memory and its lists by a few locks of the process. One that another thread holds
 * while the program forks would stay locked in the child for ever, and the child's first SQLite call
 * (a connection's, the metastore's) would hang. So they are taken before a fork and given back after
 * it, in parent and child. Each is held for microseconds at most; should one not be had soon, because
 * somebody else in the process does the same, the fork goes on without it.
 *
 * Threads: a fork's handlers run on the forking thread; what it took is noted per thread.
 */
#include <pthread.h>
#include <sched.h>

#include <sqlite3.h>

#include "engine/base/os.h"
#include "engine/catalog/internal.h"

#define PATIENCE_NS INT64_C(100000000)

/* In the order in which SQLite takes one inside another. */
static const int lock_ids[] = {
    SQLITE_MUTEX_STATIC_MASTER, SQLITE_MUTEX_STATIC_OPEN, SQLITE_MUTEX_STATIC_VFS1,
    SQLITE_MUTEX_STATIC_VFS2,   SQLITE_MUTEX_STATIC_VFS3, SQLITE_MUTEX_STATIC_PRNG,
    SQLITE_MUTEX_STATIC_LRU,    SQLITE_MUTEX_STATIC_PMEM, SQLITE_MUTEX_STATIC_MEM,
};

static _Thread_local bool taken[COUNT_OF(lock_ids)];
static pthread_once_t guard_once = PTHREAD_ONCE_INIT;

static void before_fork(void) {
    int64_t until = os_now_ns() + PATIENCE_NS;
    for (size_t i = 0; i < COUNT_OF(lock_ids); i++) {
        sqlite3_mutex *lock = sqlite3_mutex_alloc(lock_ids[i]);
        taken[i] = false;
        while (lock && !taken[i]) {
            taken[i] = sqlite3_mutex_try(lock) == SQLITE_OK;
            if (!taken[i] && os_now_ns() > until) break;
            if (!taken[i]) sched_yield();
        }
    }
}

static void after_fork(void) {
    for (size_t i = COUNT_OF(lock_ids); i-- > 0;) {
        if (taken[i]) sqlite3_mutex_leave(sqlite3_mutex_alloc(lock_ids[i]));
        taken[i] = false;
    }
}

static void guard_register(void) {
    (void)pthread_atfork(before_fork, after_fork, after_fork);
}

void catalogs_guard_fork(void) {
    pthread_once(&guard_once, guard_register);
}
