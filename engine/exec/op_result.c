/*
 * op_result.c - where the application picks up the rows.
 *
 * Role: sink of the last pipeline. A worker puts its batch up and is blocked until the application has
 * read it, so nothing is copied and a slow reader stops the whole pipeline down to the sources' sockets
 * (their blocks in flight and their server's buffers go on filling). With several workers several
 * batches are up, in no particular order; an ordered source has one worker.
 *
 * With ReadAhead=spill rows are copied into a ResultBuffer instead, which never holds a worker up. The
 * same begins later when the queue is told to drain, because the application has stopped reading while
 * sources are held up: batches that are up, but for the one that the application reads, move to the
 * buffer. What is up is handed out before what is in the buffer, so a single worker keeps its order.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "engine/exec/operator.h"
#include "engine/exec/result_buffer.h"

typedef struct ResultSlot {
    Batch *batch;  /* borrowed from the worker's task until given back */
    bool up, read; /* guarded by the queue's lock */
    const Waker *waker;
    struct ResultSlot *next;
    ResultWriter *writer; /* where rows are buffered; NULL until then */
} ResultSlot;

struct ResultQueue {
    pthread_mutex_t lock;
    bool ready; /* the lock was initialised */
    ResultSlot *head, *tail;
    ResultSlot *taken; /* what the application holds */
    void (*notify)(void *context);
    void *context;
    const PhysNode *node;
    Query *query;
    _Atomic bool buffering;       /* rows go to the buffer */
    ResultBuffer *_Atomic buffer; /* made at the latest by the first row of it; guarded by lock */
};

static Status result_open(const PhysNode *node, Query *query, void *shared, Error *err) {
    ResultQueue *self = shared;
    pthread_mutex_init(&self->lock, NULL);
    self->ready = true;
    self->node = node;
    self->query = query;
    if (!query->buffer_result) return TRIB_OK;
    ResultBuffer *buffer = NULL;
    Status status = result_buffer_new(node, query, &buffer, err);
    atomic_store(&self->buffer, buffer);
    atomic_store(&self->buffering, status == TRIB_OK);
    return status;
}

static void result_close(void *shared) {
    ResultQueue *self = shared;
    result_buffer_close(atomic_load(&self->buffer));
    atomic_store(&self->buffer, NULL);
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

static Status result_combine(OpContext *context, Error *err) {
    ResultSlot *slot = context->local;
    return slot->writer ? result_writer_finish(slot->writer, err) : TRIB_OK;
}

/* Under the lock: takes the slot out of the line, if it stands in it. */
static void slot_unlink(ResultQueue *self, ResultSlot *slot) {
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
}

static void slot_put_up(ResultQueue *self, ResultSlot *slot, Batch *in, const Waker *waker) {
    slot->batch = in;
    slot->up = true;
    slot->waker = waker;
    slot->next = NULL;
    if (self->tail) {
        self->tail->next = slot;
    } else {
        self->head = slot;
    }
    self->tail = slot;
}

/* Under the lock. Without memory for a buffer the workers wait for the application as before. */
static bool buffer_made(ResultQueue *self) {
    ResultBuffer *buffer = atomic_load(&self->buffer);
    Error ignored;
    if (buffer) return true;
    if (result_buffer_new(self->node, self->query, &buffer, &ignored) == TRIB_OK) {
        atomic_store(&self->buffer, buffer);
        return true;
    }
    result_buffer_close(buffer);
    atomic_store(&self->buffering, false);
    return false;
}

static Status result_consume(OpContext *context, Batch *in, Step *step, Error *err) {
    ResultQueue *self = context->shared;
    ResultSlot *slot = context->local;
    bool put = false, keep = false;
    pthread_mutex_lock(&self->lock);
    if (slot->read) {
        slot->read = slot->up = false;
        *step = STEP_NEED_INPUT;
    } else if (self->taken != slot && atomic_load(&self->buffering) && buffer_made(self)) {
        if (slot->up) slot_unlink(self, slot);
        slot->up = false;
        keep = true;
        *step = STEP_NEED_INPUT;
    } else {
        *step = STEP_BLOCKED;
        put = !slot->up;
        if (put) slot_put_up(self, slot, in, context->waker);
    }
    pthread_mutex_unlock(&self->lock);
    if (keep) {
        if (!slot->writer)
            TRY(result_writer_new(atomic_load(&self->buffer), context->arena, &slot->writer, err));
        TRY(result_writer_add(slot->writer, in, err));
    }
    if (put || keep) result_notify(self);
    return TRIB_OK;
}

bool result_queue_drain(ResultQueue *self) {
    pthread_mutex_lock(&self->lock);
    bool idle = self->head || self->taken;
    if (idle) {
        atomic_store(&self->buffering, true);
        for (ResultSlot *slot = self->head; slot; slot = slot->next) waker_wake(slot->waker);
    }
    pthread_mutex_unlock(&self->lock);
    return idle;
}

bool result_slot_withdraw(void *result_shared, void *result_local) {
    ResultQueue *self = result_shared;
    ResultSlot *slot = result_local;
    pthread_mutex_lock(&self->lock);
    bool held = self->taken == slot;
    if (!held) slot_unlink(self, slot);
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
    ResultBuffer *buffer = atomic_load(&self->buffer);
    return !slot && buffer ? result_buffer_take(buffer, out, err) : TRIB_OK;
}

const Operator op_result = {
    .name = "result",
    .shared_size = sizeof(struct ResultQueue),
    .local_size = sizeof(ResultSlot),
    .open = result_open,
    .close = result_close,
    .combine = result_combine,
    .consume = result_consume,
};
