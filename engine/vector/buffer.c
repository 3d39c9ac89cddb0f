/*
 * buffer.c - reference-counted blocks of memory that batches keep alive.
 *
 * One heap allocation holds the header and the data, which is aligned to 64 bytes. Counting is
 * atomic, so the last reference may go on any thread.
 */
#include <stdatomic.h>

#include "engine/vector/vector.h"

#define BUFFER_ALIGN 64

struct Buffer {
    _Atomic uint32_t references;
    void (*release)(void *context);
    void *context;
    void *data;
};

Buffer *buffer_new(size_t bytes, void (*release)(void *context), void *context) {
    if (bytes > SIZE_MAX - sizeof(Buffer) - BUFFER_ALIGN) return NULL;
    Buffer *self = heap_alloc(sizeof(Buffer) + BUFFER_ALIGN + bytes);
    if (self == NULL) return NULL;
    atomic_init(&self->references, 1);
    self->release = release;
    self->context = context;
    uintptr_t address = (uintptr_t)(self + 1);
    self->data = (void *)((address + BUFFER_ALIGN - 1) & ~(uintptr_t)(BUFFER_ALIGN - 1));
    return self;
}

void buffer_retain(Buffer *self) {
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
}

void buffer_release(Buffer *self) {
    if (self == NULL) return;
    if (atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) return;
    if (self->release != NULL) self->release(self->context);
    heap_free(self);
}

void *buffer_data(Buffer *self) {
    return self->data;
}
