/*
 * crew.c - see crew.h.
 *
 * Threads share one queue under one lock. The structure is reference-counted by its threads, so that a
 * thread stuck in a system call (a host name being resolved) can outlive the session.
 */
#include "engine/runtime/crew.h"

#include <time.h>

#include "engine/base/arena.h"
#include "engine/base/os.h"

#define CREW_FAREWELL_NS INT64_C(1000000000)

struct Crew {
    pthread_mutex_t lock;
    pthread_cond_t work; /* a job was queued, or the crew ends */
    pthread_cond_t done; /* a job or a thread ended */
    Job *head, *tail;
    uint32_t threads, idle, queued;
    uint32_t references; /* the session and its threads */
    bool ending;
};

static void crew_unref(Crew *self) {
    pthread_mutex_lock(&self->lock);
    bool last = --self->references == 0;
    pthread_mutex_unlock(&self->lock);
    if (!last) return;
    pthread_cond_destroy(&self->work);
    pthread_cond_destroy(&self->done);
    pthread_mutex_destroy(&self->lock);
    heap_free(self);
}

Status crew_new(Crew **out, Error *err) {
    Crew *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->work, NULL);
    pthread_cond_init(&self->done, &monotonic);
    pthread_condattr_destroy(&monotonic);
    self->references = 1;
    *out = self;
    return TRIB_OK;
}

static void *crew_run(void *context) {
    Crew *self = context;
    pthread_mutex_lock(&self->lock);
    for (;;) {
        while (!self->head && !self->ending) {
            self->idle++;
            pthread_cond_wait(&self->work, &self->lock);
            self->idle--;
        }
        Job *job = self->head;
        if (!job) break; /* ending, and nothing left to do */
        self->head = job->next;
        if (!self->head) self->tail = NULL;
        self->queued--;
        pthread_mutex_unlock(&self->lock);
        job->run(job->context);
        pthread_mutex_lock(&self->lock);
        job->done = true;
        pthread_cond_broadcast(&self->done);
    }
    self->threads--;
    pthread_cond_broadcast(&self->done);
    pthread_mutex_unlock(&self->lock);
    crew_unref(self);
    return NULL;
}

Status crew_submit(Crew *self, Job *job, Error *err) {
    Status status = TRIB_OK;
    pthread_mutex_lock(&self->lock);
    if (self->idle <= self->queued) { /* every idle thread has a job coming already */
        pthread_t thread;
        status = os_thread_start(&thread, "trib-session", crew_run, self, err);
        if (status == TRIB_OK) {
            pthread_detach(thread);
            self->threads++;
            self->references++;
        } else if (self->threads > 0) {
            status = TRIB_OK; /* one of the others will come to it */
        }
    }
    if (status == TRIB_OK) {
        job->next = NULL;
        job->done = false;
        if (self->tail) {
            self->tail->next = job;
        } else {
            self->head = job;
        }
        self->tail = job;
        self->queued++;
        pthread_cond_signal(&self->work);
    }
    pthread_mutex_unlock(&self->lock);
    return status;
}

static struct timespec crew_time(int64_t at_ns) {
    return (struct timespec){(time_t)(at_ns / 1000000000), (long)(at_ns % 1000000000)};
}

bool crew_wait(Crew *self, Job *job, int64_t timeout_ns) {
    struct timespec until = crew_time(os_now_ns() + (timeout_ns < 0 ? 0 : timeout_ns));
    pthread_mutex_lock(&self->lock);
    while (!job->done) {
        if (timeout_ns < 0) {
            pthread_cond_wait(&self->done, &self->lock);
        } else if (pthread_cond_timedwait(&self->done, &self->lock, &until) != 0) {
            break;
        }
    }
    bool done = job->done;
    pthread_mutex_unlock(&self->lock);
    return done;
}

void crew_free(Crew *self) {
    if (!self) return;
    struct timespec until = crew_time(os_now_ns() + CREW_FAREWELL_NS);
    pthread_mutex_lock(&self->lock);
    self->ending = true;
    pthread_cond_broadcast(&self->work);
    while (self->threads > 0) {
        if (pthread_cond_timedwait(&self->done, &self->lock, &until) != 0) break;
    }
    pthread_mutex_unlock(&self->lock);
    crew_unref(self);
}
