/*
 * crew.h - the threads of a session: deep stacks on which statements are parsed, planned, described.
 *
 * A Job is run by an idle thread of the crew, or by a new one. Threads are started when first needed.
 * crew_free waits up to a second for running jobs and then lets the threads end by themselves.
 */
#ifndef TRIB_RUNTIME_CREW_H
#define TRIB_RUNTIME_CREW_H

#include <pthread.h>

#include "engine/base/error.h"

typedef struct Crew Crew;

/* One piece of work. Owned by the caller, who must not free it before it is done. */
typedef struct Job {
    void (*run)(void *context);
    void *context;
    struct Job *next; /* guarded by the crew */
    bool done;        /* guarded by the crew */
} Job;

Status crew_new(Crew **out, Error *err) WARN_UNUSED;
void crew_free(Crew *self);
Status crew_submit(Crew *self, Job *job, Error *err) WARN_UNUSED;
/* timeout_ns < 0: until it is done. Returns whether it is. */
bool crew_wait(Crew *self, Job *job, int64_t timeout_ns);

#endif
