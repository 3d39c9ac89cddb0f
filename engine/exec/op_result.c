/*
 * op_result.c - where the application picks up the rows.
 *
 * Role: sink of the last pipeline. A worker puts its batch up and is blocked until the application has
 * read it, so nothing is copied and a slow reader stops the whole pipeline down to the sources' sockets
 * (their blocks in flight and their server's buffers go on filling). With several workers several
 * batches are up, in no particular order; an ordered source has one worker.
 */
#include <pthread.h>

#include "engine/exec/operator.h"

typedef struct ResultSlot {
    Batch *batch;          /* borrowed from the worker's task until given back */
    bool up, read;         /* guarded by the queue's lock */
    const Waker *waker;
    struct ResultSlot *next;
} ResultSlot;

struct ResultQueue {
    pthread_mutex_t lock;
    bool ready;            /* the lock was initialised */
    ResultSlot *head, *tail;
    ResultSlot *taken;     /* what the application holds */
    void (*notify)(void *context);
    void *context;
};

static Status result_open(const PhysNode *node, Query *query, void *shared, Error *err) {
    ResultQueue *self = shared;
    pthread_mutex_init(&self->lock, NULL);
    self->ready = true;
    return TRIB_OK;
}

static void result_close(void *shared) {
    ResultQueue *self = shared;
    if (self->ready) pthread_mutex_destroy(&self->lock);
    self->ready = false;
}

static Status result_consume(OpContext *context, Batch *in, Step *step, Error *err) {
    ResultQueue *self = context->shared;
    ResultSlot *slot = context->local;
    bool put = false;
    pthread_mutex_lock(&self->lock);
    if (slot->read) {
        slot->read = slot->up = false;
        *step = STEP_NEED_INPUT;
    } else {
        *step = STEP_BLOCKED;
        if (!slot->up) {
            *slot = (ResultSlot){.batch = in, .up = true, .waker = context->waker};
            if (self->tail) {
                self->tail->next = slot;
            } else {
                self->head = slot;
            }
            self->tail = slot;
            put = true;
        }
    }
    void (*notify)(void *) = self->notify;
    void *notify_context = self->context;
    pthread_mutex_unlock(&self->lock);
    if (put && notify) notify(notify_context);
    return TRIB_OK;
}

/* A task that ends early (failure) must not leave its batch in the queue. */
static void result_local_close(OpContext *context) {
    ResultQueue *self = context->shared;
    ResultSlot *slot = context->local;
    pthread_mutex_lock(&self->lock);
    if (self->taken == slot) self->taken = NULL;
    ResultSlot **at = &self->head, *last = NULL;
    while (*at) {
        if (*at == slot) {
            *at = slot->next;
            continue;
        }
        last = *at;
        at = &(*at)->next;
    }
    self->tail = last;
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

Batch *result_queue_take(ResultQueue *self) {
    pthread_mutex_lock(&self->lock);
    if (self->taken) {
        self->taken->read = true;
        waker_wake(self->taken->waker);
        self->taken = NULL;
    }
    ResultSlot *slot = self->head;
    Batch *batch = NULL;
    if (slot) {
        self->head = slot->next;
        if (!self->head) self->tail = NULL;
        slot->next = NULL;
        self->taken = slot;
        batch = slot->batch;
    }
    pthread_mutex_unlock(&self->lock);
    return batch;
}

const Operator op_result = {
    .name = "result",
    .shared_size = sizeof(struct ResultQueue),
    .local_size = sizeof(ResultSlot),
    .open = result_open,
    .close = result_close,
    .local_close = result_local_close,
    .consume = result_consume,
};
