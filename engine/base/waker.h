/*
 * waker.h - how something that became possible tells a task that gave its worker back.
 */
#ifndef TRIB_BASE_WAKER_H
#define TRIB_BASE_WAKER_H

/* wake(context) may be called from any thread, more than once, spuriously; it never blocks. The
 * context stays valid until whoever registered the waker has withdrawn it or ended. */
typedef struct Waker {
    void (*wake)(void *context);
    void *context;
} Waker;

static inline void waker_wake(const Waker *self) {
    if (self && self->wake) self->wake(self->context);
}

#endif
