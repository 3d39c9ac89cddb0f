/*
 * pool.h - the process's worker pool: tasks that run in slices and never wait.
 *
 * A Task runs until it says TASK_BLOCKED (something will call task_wake), TASK_YIELD (its slice is over)
 * or TASK_DONE. Workers are started with the first task, as many as any session asked for; they end
 * with the last session, or within 200 ms at exit. After a fork the child starts with a new pool.
 */
#ifndef TRIB_RUNTIME_POOL_H
#define TRIB_RUNTIME_POOL_H

#include <stdatomic.h>

#include "engine/base/error.h"
#include "engine/base/waker.h"

typedef enum TaskStep { TASK_DONE, TASK_YIELD, TASK_BLOCKED } TaskStep;

typedef struct Task Task;
struct Task {
    TaskStep (*run)(Task *self);
    void (*done)(Task *self); /* after TASK_DONE, on the worker; the task may be freed inside */
    Task *next;               /* of the queue; guarded by the pool's lock */
    _Atomic int state;        /* internal: idle, queued, running, woken while running */
    bool inline_only;         /* never queued: run by task_run_inline alone */
};

void task_init(Task *self, TaskStep (*run)(Task *), void (*done)(Task *));
/* Queues an idle task, or marks a running one to be run again. Any thread; never blocks for long. */
void task_wake(Task *self);
/* The same as a Waker's callback. */
void task_wake_callback(void *task);
/* Runs an inline task on this thread until it blocks or is done; true when done. */
bool task_run_inline(Task *self);

/* A session holds the pool while it lives. */
void pool_acquire(void);
void pool_release(void);
/* At least `workers` threads run from now on (up to 256). */
Status pool_need(uint32_t workers, Error *err) WARN_UNUSED;
uint32_t pool_size(void);

#endif
