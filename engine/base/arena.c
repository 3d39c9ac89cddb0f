/*
 * arena.c - chunked bump allocation, and the only malloc there is.
 *
 * An arena owns a list of chunks; the first one is being filled. Chunks double from 1 KiB to 256
 * KiB; an allocation larger than half of the next chunk gets a chunk of its own behind the current
 * one. Memory is zeroed when it is handed out, so that reset costs nothing. arena_reset keeps the
 * largest ordinary chunk. Clearing frees the children first, then runs the callbacks, the latest
 * first.
 *
 * Under the address sanitizer memory that is not handed out is poisoned and allocations are kept
 * apart, so that an overrun within an arena is found as on the heap.
 *
 * Threads: one at a time per tree of arenas (a child unlinks itself from its parent). heap_* may be
 * called by any thread.
 */
#include "config.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/text.h"

#ifdef TRIB_ASAN
#include <sanitizer/asan_interface.h>
/* gcc takes poisoning fresh memory, which reads none of it, for a use of uninitialised memory. */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#define POISON(memory, bytes)   __asan_poison_memory_region((memory), (bytes))
#define UNPOISON(memory, bytes) __asan_unpoison_memory_region((memory), (bytes))
#define RED_ZONE                16
#else
#define POISON(memory, bytes)   ((void)(memory), (void)(bytes))
#define UNPOISON(memory, bytes) ((void)(memory), (void)(bytes))
#define RED_ZONE                0
#endif

#define ARENA_ALIGN       16
#define ARENA_FIRST_CHUNK ((size_t)1024)
#define ARENA_LAST_CHUNK  ((size_t)256 * 1024)

typedef struct Chunk Chunk;
struct Chunk {
    Chunk *next;
    size_t size; /* bytes of data[] */
    size_t used;
    _Alignas(ARENA_ALIGN) char data[];
};

typedef struct ArenaCallback ArenaCallback;
struct ArenaCallback {
    ArenaCallback *next;
    void (*run)(void *context);
    void *context;
};

struct Arena {
    Arena *parent, *children, *next, *previous;
    Chunk *chunks;
    ArenaCallback *callbacks; /* the latest first */
    size_t bytes;             /* of all chunks, with their headers */
    size_t next_chunk;
    ArenaCharge *charge; /* NULL: nobody is asked */
    void *charged;       /* its context */
    bool exhausted;      /* refused memory since it was made or reset */
};

/* ---------------------------------------------------------------- the heap */

#ifdef TRIB_FAULTS
static _Atomic uint64_t fail_countdown; /* 0: off */

static bool fault_due(void) {
    uint64_t left = atomic_load_explicit(&fail_countdown, memory_order_relaxed);
    while (left != 0) {
        if (atomic_compare_exchange_weak(&fail_countdown, &left, left - 1)) return left == 1;
    }
    return false;
}

void heap_fail_at(uint64_t nth) {
    atomic_store(&fail_countdown, nth);
}

uint64_t heap_fault_left(void) {
    return atomic_load(&fail_countdown);
}
#else
static inline bool fault_due(void) {
    return false;
}

void heap_fail_at(uint64_t nth) {
    (void)nth;
}

uint64_t heap_fault_left(void) {
    return 0;
}
#endif

bool heap_fault_pending(void) {
    return heap_fault_left() != 0;
}

bool heap_fault_due(void) {
    return fault_due();
}

void *heap_alloc(size_t bytes) {
    if (fault_due() || bytes > PTRDIFF_MAX) return NULL;
    return calloc(1, bytes ? bytes : 1);
}

void *heap_resize(void *memory, size_t bytes) {
    if (fault_due() || bytes > PTRDIFF_MAX) return NULL;
    return realloc(memory, bytes ? bytes : 1);
}

void heap_free(void *memory) {
    free(memory);
}

/* ---------------------------------------------------------------- arenas */

static size_t align_up(size_t bytes) {
    return (bytes + (ARENA_ALIGN - 1)) & ~(size_t)(ARENA_ALIGN - 1);
}

Arena *arena_new(Arena *parent) {
    Arena *self = heap_alloc(sizeof *self);
    if (!self && parent) parent->exhausted = true;
    if (!self) return NULL;
    self->next_chunk = ARENA_FIRST_CHUNK;
    self->parent = parent;
    if (parent) {
        self->charge = parent->charge;
        self->charged = parent->charged;
        self->next = parent->children;
        if (self->next) self->next->previous = self;
        parent->children = self;
    }
    return self;
}

static void chunk_free(Arena *self, Chunk *chunk) {
    size_t bytes = sizeof *chunk + chunk->size;
    self->bytes -= bytes;
    if (self->charge) (void)self->charge(self->charged, -(int64_t)bytes);
    UNPOISON(chunk->data, chunk->size);
    free(chunk);
}

/* Frees the children and runs the callbacks; both may be added to while that happens. */
static void arena_release(Arena *self) {
    while (self->children || self->callbacks) {
        if (self->children) {
            arena_free(self->children);
            continue;
        }
        ArenaCallback *callback = self->callbacks;
        self->callbacks = callback->next;
        callback->run(callback->context);
    }
}

void arena_free(Arena *self) {
    if (!self) return;
    /* Children are freed from the leaves up without recursion: a deep tree needs no stack. */
    Arena *leaf = self;
    for (;;) {
        while (leaf->children) leaf = leaf->children;
        arena_release(leaf);
        if (leaf->children) continue;
        for (Chunk *chunk = leaf->chunks, *next; chunk; chunk = next) {
            next = chunk->next;
            chunk_free(leaf, chunk);
        }
        Arena *parent = leaf->parent;
        if (leaf->previous)
            leaf->previous->next = leaf->next;
        else if (parent)
            parent->children = leaf->next;
        if (leaf->next) leaf->next->previous = leaf->previous;
        bool done = leaf == self;
        free(leaf);
        if (done) return;
        leaf = parent;
    }
}

bool arena_exhausted(const Arena *self) {
    return self->exhausted;
}

void arena_reset(Arena *self) {
    arena_release(self);
    self->exhausted = false;
    Chunk *keep = NULL;
    for (Chunk *chunk = self->chunks; chunk; chunk = chunk->next) {
        if (chunk->size <= ARENA_LAST_CHUNK && (!keep || chunk->size > keep->size)) keep = chunk;
    }
    for (Chunk *chunk = self->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        if (chunk != keep) chunk_free(self, chunk);
    }
    self->chunks = keep;
    if (keep) {
        keep->next = NULL;
        keep->used = 0;
        POISON(keep->data, keep->size);
    }
}

static Chunk *chunk_new(Arena *self, size_t size) {
    if (size > PTRDIFF_MAX - sizeof(Chunk)) return NULL;
    size_t bytes = sizeof(Chunk) + size;
    if (self->charge && !self->charge(self->charged, (int64_t)bytes)) return NULL;
    Chunk *chunk = malloc(bytes);
    if (!chunk) {
        if (self->charge) (void)self->charge(self->charged, -(int64_t)bytes);
        return NULL;
    }
    chunk->next = NULL;
    chunk->size = size;
    chunk->used = 0;
    self->bytes += bytes;
    POISON(chunk->data, chunk->size);
    return chunk;
}

static void *chunk_take(Chunk *chunk, size_t need, size_t bytes) {
    char *memory = chunk->data + chunk->used;
    chunk->used += need;
    UNPOISON(memory, bytes);
    return memset(memory, 0, bytes);
}

static void *arena_take(Arena *self, size_t bytes) {
    if (fault_due() || bytes > PTRDIFF_MAX / 2) return NULL;
    size_t need = align_up(bytes ? bytes : 1) + RED_ZONE;
    Chunk *current = self->chunks;
    if (current && need <= current->size - current->used) return chunk_take(current, need, bytes);

    if (need > self->next_chunk / 2) {
        Chunk *own = chunk_new(self, need);
        if (!own) return NULL;
        if (current) {
            own->next = current->next;
            current->next = own;
        } else {
            self->chunks = own;
        }
        return chunk_take(own, need, bytes);
    }
    Chunk *chunk = chunk_new(self, self->next_chunk);
    if (!chunk) return NULL;
    if (self->next_chunk < ARENA_LAST_CHUNK) self->next_chunk *= 2;
    chunk->next = current;
    self->chunks = chunk;
    return chunk_take(chunk, need, bytes);
}

void *arena_alloc(Arena *self, size_t bytes) {
    void *memory = arena_take(self, bytes);
    if (!memory) self->exhausted = true;
    return memory;
}

void *arena_array(Arena *self, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) bytes = SIZE_MAX; /* which nobody gets */
    return arena_alloc(self, bytes);
}

void *arena_resize(Arena *self, void *memory, size_t old_bytes, size_t bytes) {
    if (!memory) return arena_alloc(self, bytes);
    if (bytes <= old_bytes) return memory;
    Chunk *current = self->chunks;
    size_t old_need = align_up(old_bytes ? old_bytes : 1);
    if (RED_ZONE == 0 && current && bytes <= PTRDIFF_MAX / 2 &&
        (char *)memory + old_need == current->data + current->used &&
        align_up(bytes) - old_need <= current->size - current->used) {
        if (fault_due()) {
            self->exhausted = true;
            return NULL;
        }
        current->used += align_up(bytes) - old_need;
        memset((char *)memory + old_bytes, 0, bytes - old_bytes);
        return memory;
    }
    void *moved = arena_alloc(self, bytes);
    if (moved) memcpy(moved, memory, old_bytes);
    return moved;
}

char *arena_copy(Arena *self, const void *data, size_t bytes) {
    if (bytes > PTRDIFF_MAX / 2 - 1) return NULL;
    char *copy = arena_alloc(self, bytes + 1);
    if (copy && bytes) memcpy(copy, data, bytes);
    return copy;
}

char *arena_strdup(Arena *self, const char *text) {
    return arena_copy(self, text, strlen(text));
}

char *arena_printf(Arena *self, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = text_vformat(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = length < 0 ? NULL : arena_alloc(self, (size_t)length + 1);
    if (text) text_vformat(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

bool arena_on_reset(Arena *self, void (*callback)(void *context), void *context) {
    ArenaCallback *entry = arena_alloc(self, sizeof *entry);
    if (!entry) return false;
    entry->run = callback;
    entry->context = context;
    entry->next = self->callbacks;
    self->callbacks = entry;
    return true;
}

void arena_set_charge(Arena *self, ArenaCharge *charge, void *context) {
    self->charge = charge;
    self->charged = context;
}

size_t arena_bytes(const Arena *self) {
    return self->bytes;
}
