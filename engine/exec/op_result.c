/*
 * op_result.c - where the application picks up the rows.
 *
 * Role: sink of the last pipeline. A worker puts its batch up and is blocked until the application has
 * read it, so nothing is copied and a slow reader stops the whole pipeline down to the sources' sockets
 * (their blocks in flight and their server's buffers go on filling). With several workers several
 * batches are up, in no particular order; an ordered source has one worker.
 *
 * With ReadAhead=spill rows are copied into a ResultBuffer instead, which never holds a worker up.
 */
#include <pthread.h>

#include "engine/exec/operator.h"
#include "engine/exec/result_buffer.h"

typedef struct ResultSlot {
    Batch *batch;  /* borrowed from the worker's task until given back */
    bool up, read; /* guarded by the queue's lock */
    const Waker *waker;
    struct ResultSlot *next;
    ResultWriter *writer; /* ReadAhead=spill */
} ResultSlot;

struct ResultQueue {
    pthread_mutex_t lock;
    bool ready; /* the lock was initialised */
    ResultSlot *head, *tail;
    ResultSlot *taken; /* what the application holds */
    void (*notify)(void *context);
    void *context;
    ResultBuffer *buffer; /* ReadAhead=spill, else NULL */
};

static Status result_open(const PhysNode *node, Query *query, void *shared, Error *err) {
    ResultQueue *self = shared;
    pthread_mutex_init(&self->lock, NULL);
    self->ready = true;
    return query->buffer_result ? result_buffer_new(node, query, &self->buffer, err) : TRIB_OK;
}

static void result_close(void *shared) {
    ResultQueue *self = shared;
    result_buffer_close(self->buffer);
    self->buffer = NULL;
    if (self->ready) pthread_mutex_destroy(&self->lock);
    self->ready = false;
}

static void result_notify(ResultQueue *self) {
    pthread_mutex_lock(&self->lock);
    void (*notify)(void *) = self->notify;
    void *context = self->context;
    pthread_mutex_unlock(&self->lock);
    if (notify) notify(context);
}

static Status result_local_open(OpContext *context, Error *err) {
    ResultQueue *self = context->shared;
    ResultSlot *slot = context->local;
    return self->buffer ? result_writer_new(self->buffer, context->arena, &slot->writer, err)
                        : TRIB_OK;
}

static Status result_combine(OpContext *context, Error *err) {
    ResultQueue *self = context->shared;
    ResultSlot *slot = context->local;
    return self->buffer ? result_writer_finish(slot->writer, err) : TRIB_OK;
}

static Status result_consume(OpContext *context, Batch *in, Step *step, Error *err) {
    ResultQueue *self = context->shared;
    ResultSlot *slot = context->local;
    bool put = false;
    if (self->buffer) {
        *step = STEP_NEED_INPUT;
        TRY(result_writer_add(slot->writer, in, err));
        result_notify(self);
        return TRIB_OK;
    }
    pthread_mutex_lock(&self->lock);
    if (slot->read) {
        slot->read = slot->up = false;
        *step = STEP_NEED_INPUT;
    } else {
        *step = STEP_BLOCKED;
        if (!slot->up) {
            slot->batch = in;
            slot->up = true;
            slot->waker = context->waker;
            slot->next = NULL;
            if (self->tail) {
                self->tail->next = slot;
            } else {
                self->head = slot;
            }
            self->tail = slot;
            put = true;
        }
    }
    pthread_mutex_unlock(&self->lock);
    if (put) result_notify(self);
    return TRIB_OK;
}

bool result_slot_withdraw(void *result_shared, void *result_local) {
    ResultQueue *self = result_shared;
    ResultSlot *slot = result_local;
    pthread_mutex_lock(&self->lock);
    bool held = self->taken == slot;
    ResultSlot **at = &self->head, *last = NULL;
    while (!held && *at) {
        if (*at == slot) {
            *at = slot->next;
            continue;
        }
        last = *at;
        at = &(*at)->next;
    }
    if (!held) self->tail = last;
    pthread_mutex_unlock(&self->lock);
    return !held;
}

/* Under the lock. */
static void release_taken(ResultQueue *self) {
    if (!self->taken) return;
    self->taken->read = true;
    waker_wake(self->taken->waker);
    self->taken = NULL;
}

void result_queue_release(ResultQueue *self) {
    pthread_mutex_lock(&self->lock);
    release_taken(self);
    pthread_mutex_unlock(&self->lock);
}

ResultQueue *result_queue(void *result_shared) {
    return result_shared;
}

void result_queue_notify(ResultQueue *self, void (*notify)(void *context), void *context) {
    pthread_mutex_lock(&self->lock);
    self->notify = notify;
    self->context = context;
    pthread_mutex_unlock(&self->lock);
}

Status result_queue_take(ResultQueue *self, Batch **out, Error *err) {
    if (self->buffer) return result_buffer_take(self->buffer, out, err);
    pthread_mutex_lock(&self->lock);
    release_taken(self);
    ResultSlot *slot = self->head;
    *out = NULL;
    if (slot) {
        self->head = slot->next;
        if (!self->head) self->tail = NULL;
        slot->next = NULL;
        self->taken = slot;
        *out = slot->batch;
    }
    pthread_mutex_unlock(&self->lock);
    return TRIB_OK;
}

const Operator op_result = {
    .name = "result",
    .shared_size = sizeof(struct ResultQueue),
    .local_size = sizeof(ResultSlot),
    .open = result_open,
    .close = result_close,
    .local_open = result_local_open,
    .combine = result_combine,
    .consume = result_consume,
};
