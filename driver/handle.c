/*
 * handle.c - the registry of handles.
 *
 * Slots stand in chunks that are published once and never freed; free slots form a stack with a tag
 * against ABA. Both are lock-free, so that a child of fork can use them whatever the parent's other
 * threads were doing. A handle value packs
 *
 *     generation (36 bits) | kind (4 bits) | slot number + 1 (24 bits)
 *
 * and is alive exactly while it stands in its slot's `id`.
 *
 * Cancelling: handle_pin raises the slot's pin count and looks at `id` then; handle_retire clears
 * `id` and looks at the count then (both sequentially consistent), so that one of them sees the other.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "driver/handle.h"
#include "engine/base/os.h"

#define CHUNK_SLOTS 1024u
#define CHUNKS      4096u
#define INDEX_BITS  24
#define KIND_BITS   4
#define NO_SLOT     UINT32_MAX

struct Slot {
    pthread_mutex_t lock;
    _Atomic uint64_t id; /* the live handle, 0: none */
    _Atomic(Handle *) object;
    _Atomic(Slot *) guard; /* the slot whose lock protects the object */
    _Atomic uint32_t pid;  /* stamp of the process that made it; 0 while being adopted */
    _Atomic uint32_t pins;
    _Atomic uint32_t next_free;
    uint32_t index;
    uint64_t generation;
};

static _Atomic(Slot *) chunks[CHUNKS];
static _Atomic uint32_t slots_used;
static _Atomic uint64_t free_top = NO_SLOT; /* tag << 32 | index */

static Slot *slot_at(uint32_t index) {
    if (index >= CHUNK_SLOTS * CHUNKS) return NULL;
    Slot *chunk = atomic_load_explicit(&chunks[index / CHUNK_SLOTS], memory_order_acquire);
    return chunk ? &chunk[index % CHUNK_SLOTS] : NULL;
}

static Slot *slot_of(SQLHANDLE id) {
    uint64_t value = (uint64_t)(uintptr_t)id;
    uint32_t number = (uint32_t)(value & ((1u << INDEX_BITS) - 1));
    return number == 0 ? NULL : slot_at(number - 1);
}

SQLSMALLINT handle_kind(SQLHANDLE id) {
    return (SQLSMALLINT)(((uint64_t)(uintptr_t)id >> INDEX_BITS) & ((1u << KIND_BITS) - 1));
}

/* The chunk of a slot number, made when it is missing; NULL when memory is exhausted. */
static Slot *chunk_make(uint32_t number) {
    Slot *chunk = atomic_load(&chunks[number]);
    if (chunk) return chunk;
    Slot *fresh = heap_alloc(sizeof(Slot) * CHUNK_SLOTS);
    if (!fresh) return NULL;
    for (uint32_t i = 0; i < CHUNK_SLOTS; i++) fresh[i].index = number * CHUNK_SLOTS + i;
    if (atomic_compare_exchange_strong(&chunks[number], &chunk, fresh)) return fresh;
    heap_free(fresh);
    return chunk;
}

static Slot *slot_pop(void) {
    uint64_t top = atomic_load(&free_top);
    while ((uint32_t)top != NO_SLOT) {
        Slot *slot = slot_at((uint32_t)top);
        uint64_t next = ((top >> 32) + 1) << 32 | atomic_load(&slot->next_free);
        if (atomic_compare_exchange_weak(&free_top, &top, next)) return slot;
    }
    return NULL;
}

static void slot_push(Slot *slot) {
    uint64_t top = atomic_load(&free_top), next;
    do {
        atomic_store(&slot->next_free, (uint32_t)top);
        next = ((top >> 32) + 1) << 32 | slot->index;
    } while (!atomic_compare_exchange_weak(&free_top, &top, next));
}

static Slot *slot_take(Error *err) {
    Slot *slot = slot_pop();
    if (slot) return slot;
    uint32_t index = atomic_fetch_add(&slots_used, 1);
    if (index >= CHUNK_SLOTS * CHUNKS) {
        atomic_fetch_sub(&slots_used, 1);
        (void)error_set(err, ERR_HANDLE_LIMIT, "more than %u handles are open in this process",
                        CHUNK_SLOTS * CHUNKS);
        return NULL;
    }
    Slot *chunk = chunk_make(index / CHUNK_SLOTS);
    if (!chunk) {
        (void)error_out_of_memory(err);
        return NULL; /* the number is lost; a later one makes the chunk */
    }
    return &chunk[index % CHUNK_SLOTS];
}

Status handle_register(Handle *self, SQLSMALLINT kind, Handle *guard, Error *err) {
    Slot *slot = slot_take(err);
    if (!slot) return err->status;
    uint32_t stamp = os_pid_stamp();
    if (atomic_load(&slot->pid) != stamp) { /* new, or freed by the parent of this process */
        pthread_mutex_init(&slot->lock, NULL);
        atomic_store(&slot->pins, 0);
        atomic_store(&slot->pid, stamp);
    }
    slot->generation = (slot->generation + 1) & ((UINT64_C(1) << 36) - 1);
    if (slot->generation == 0) slot->generation = 1;
    uint64_t id =
        (slot->generation << KIND_BITS | (uint64_t)kind) << INDEX_BITS | (slot->index + 1);
    self->kind = kind;
    self->slot = slot;
    self->id = (SQLHANDLE)(uintptr_t)id;
    atomic_store(&slot->guard, guard ? guard->slot : slot);
    atomic_store(&slot->object, self);
    return TRIB_OK;
}

void handle_publish(Handle *self) {
    atomic_store(&self->slot->id, (uint64_t)(uintptr_t)self->id);
}

/* An environment of the parent becomes the child's: its lock may have been held at the fork. */
static void slot_adopt(Slot *slot, uint32_t stamp) {
    uint32_t seen = atomic_load(&slot->pid);
    while (seen != stamp) {
        if (seen != 0 && atomic_compare_exchange_strong(&slot->pid, &seen, 0)) {
            pthread_mutex_init(&slot->lock, NULL);
            atomic_store(&slot->pins, 0);
            atomic_store(&slot->pid, stamp);
            return;
        }
        sched_yield();
        seen = atomic_load(&slot->pid);
    }
}

/* The slot that the value names, if it is alive, of the kind, and of this process. */
static Slot *slot_check(SQLHANDLE id, SQLSMALLINT kind) {
    Slot *slot = slot_of(id);
    if (!slot || (kind != 0 && handle_kind(id) != kind)) return NULL;
    if (atomic_load_explicit(&slot->id, memory_order_acquire) != (uint64_t)(uintptr_t)id)
        return NULL;
    uint32_t stamp = os_pid_stamp();
    if (atomic_load_explicit(&slot->pid, memory_order_acquire) != stamp) {
        if (handle_kind(id) != SQL_HANDLE_ENV) return NULL;
        slot_adopt(slot, stamp);
    }
    return slot;
}

Handle *handle_lock(SQLHANDLE id, SQLSMALLINT kind) {
    Slot *slot = slot_check(id, kind);
    if (!slot) return NULL;
    Slot *guard = atomic_load_explicit(&slot->guard, memory_order_acquire);
    pthread_mutex_lock(&guard->lock);
    bool alive = atomic_load_explicit(&slot->id, memory_order_acquire) == (uint64_t)(uintptr_t)id &&
                 atomic_load_explicit(&slot->guard, memory_order_acquire) == guard;
    if (alive) return atomic_load_explicit(&slot->object, memory_order_relaxed);
    pthread_mutex_unlock(&guard->lock);
    return NULL;
}

void handle_unlock(Handle *self) {
    Slot *guard = atomic_load_explicit(&self->slot->guard, memory_order_relaxed);
    pthread_mutex_unlock(&guard->lock);
}

void handle_retire(Handle *self) {
    Slot *slot = self->slot;
    atomic_store(&slot->id, 0);
    while (atomic_load(&slot->pins) != 0) sched_yield();
    atomic_store(&slot->object, NULL);
}

void handle_release(Handle *self) {
    Slot *slot = self->slot;
    arena_free(self->scratch);
    self->scratch = NULL;
    diag_free(&self->diag);
    self->slot = NULL;
    if (slot) slot_push(slot);
}

Handle *handle_pin(SQLHANDLE id, SQLSMALLINT kind) {
    Slot *slot = slot_check(id, kind);
    if (!slot) return NULL;
    atomic_fetch_add(&slot->pins, 1);
    if (atomic_load(&slot->id) == (uint64_t)(uintptr_t)id) {
        Handle *object = atomic_load(&slot->object);
        if (object) return object;
    }
    atomic_fetch_sub(&slot->pins, 1);
    return NULL;
}

void handle_unpin(Handle *self) {
    atomic_fetch_sub(&self->slot->pins, 1);
}

bool handle_try_lock(Handle *self) {
    return pthread_mutex_trylock(&atomic_load(&self->slot->guard)->lock) == 0;
}

bool handle_foreign(SQLHANDLE id, SQLSMALLINT kind) {
    Slot *slot = slot_of(id);
    return slot && (kind == 0 || handle_kind(id) == kind) && handle_kind(id) != SQL_HANDLE_ENV &&
           atomic_load(&slot->id) == (uint64_t)(uintptr_t)id &&
           atomic_load(&slot->pid) != os_pid_stamp();
}

bool handle_shares_lock(SQLHANDLE id) {
    Slot *slot = slot_check(id, 0);
    return slot && atomic_load(&slot->guard) != slot;
}

Arena *handle_scratch(Handle *self) {
    if (!self->scratch) self->scratch = arena_new(NULL);
    self->scratch_used = self->scratch != NULL;
    return self->scratch;
}
