/*
 * arena.h - memory that is released together.
 *
 * An Arena hands out memory by bumping a pointer through chunks and frees everything at once.
 * Arenas form a tree: freeing one frees its children first. Outside resources (sockets, files,
 * cursors) register a callback; callbacks run in reverse order before the memory goes. An arena
 * belongs to one thread at a time.
 */
#ifndef TRIB_BASE_ARENA_H
#define TRIB_BASE_ARENA_H

#include "engine/base/error.h"

typedef struct Arena Arena;

/* NULL when memory is exhausted. parent may be NULL. */
Arena *arena_new(Arena *parent);
void arena_free(Arena *self);  /* NULL is allowed */
void arena_reset(Arena *self); /* runs callbacks, frees children, keeps one chunk for reuse */
/* Zeroed memory aligned to 16 bytes; NULL when exhausted. bytes may be 0. */
void *arena_alloc(Arena *self, size_t bytes);
/* count * size, with the overflow checked. */
void *arena_array(Arena *self, size_t count, size_t size);
/* Enlarges an allocation (in place if it was the latest), the new part zeroed; it never shrinks.
 * NULL memory is a new allocation. */
void *arena_resize(Arena *self, void *memory, size_t old_bytes, size_t bytes);
char *arena_copy(Arena *self, const void *data, size_t bytes); /* plus a NUL */
char *arena_strdup(Arena *self, const char *text);
char *arena_printf(Arena *self, const char *format, ...) PRINTF_LIKE(2, 3);
/* callback(context) runs when the arena is reset or freed. false when memory is exhausted. */
bool arena_on_reset(Arena *self, void (*callback)(void *context), void *context);
size_t arena_bytes(const Arena *self); /* held, children excluded */
/* bytes > 0: may so much more be taken? < 0: it has been given back (the answer is not looked at). */
typedef bool ArenaCharge(void *context, int64_t bytes);
/* From now on the arena, and each child that it gets, asks before it takes memory; false is as if there were
 * none. For an arena that holds nothing yet; the context outlives it. */
void arena_set_charge(Arena *self, ArenaCharge *charge, void *context);
/* Has it refused memory since it was made or reset? What went wrong after that may have come of it. */
bool arena_exhausted(const Arena *self);

#define ARENA_NEW(arena, Type)          ((Type *)arena_alloc((arena), sizeof(Type)))
#define ARENA_ARRAY(arena, Type, count) ((Type *)arena_array((arena), (count), sizeof(Type)))

/* Heap memory for long-lived objects (noun_new / noun_free); zeroed; the only malloc there is. */
void *heap_alloc(size_t bytes);
void *heap_resize(void *memory, size_t bytes); /* not zeroed beyond the old size */
void heap_free(void *memory);
/* Fault injection (--enable-faults builds): the nth allocation from now on fails; 0 = off. */
void heap_fail_at(uint64_t nth);
/* For allocators beside the heap (mappings): true when it is their turn to fail. */
bool heap_fault_due(void);
bool heap_fault_pending(void);  /* an injected failure has not come about yet */
uint64_t heap_fault_left(void); /* allocations until it does; 0 = none is to come */

#endif
