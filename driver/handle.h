/*
 * handle.h - the registry of handles: from the value that an application holds to a locked object.
 *
 * A handle value is never a pointer. It names a slot and the generation of the object in it, so that
 * any 64-bit garbage, a freed handle or one of another kind is recognised without touching freed
 * memory. Slots live as long as the process. The lock that protects an object stands in its slot
 * (implicit descriptors use the slot of their statement): a call locks first and checks the
 * generation then, so that one lock is both the pin and the mutual exclusion.
 *
 * Lock order: environment, connection, statement, explicit descriptor.
 *
 * Fork: a slot carries the stamp of the process that filled it. It is read before any lock, since a
 * lock may have been held by another thread of the parent. Environments are adopted by the child
 * (a prefork server connects anew through the manager's old environment); everything else is foreign.
 */
#ifndef TRIB_DRIVER_HANDLE_H
#define TRIB_DRIVER_HANDLE_H

#include "driver/diag.h"

typedef struct Slot Slot;

/* First member of Env, Dbc, Stmt and Desc. Guarded by the slot's lock. */
typedef struct Handle {
    SQLHANDLE id;
    Slot *slot;
    SQLSMALLINT kind; /* SQL_HANDLE_... */
    bool scratch_used;
    Arena *scratch; /* of the call under way; NULL until first needed */
    Diag diag;
} Handle;

/* Gives a new object a handle value. guard: the statement of an implicit descriptor, else NULL.
 * Errors: HY014 when the table is full, HY001. No call finds the object before handle_publish. */
Status handle_register(Handle *self, SQLSMALLINT kind, Handle *guard, Error *err) WARN_UNUSED;
/* The object is complete: calls may find it. */
void handle_publish(Handle *self);

/* Locks and returns the object, NULL if the value names no live object of that kind (0: any kind) or
 * one of another process. */
Handle *handle_lock(SQLHANDLE id, SQLSMALLINT kind);
void handle_unlock(Handle *self);

/* Under the object's lock: from now on no call finds it; waits for cancelling threads to leave. */
void handle_retire(Handle *self);
/* After handle_retire and handle_unlock, or never published: the slot may be used again; drops scratch and diagnostics. */
void handle_release(Handle *self);

/* Without the lock: the object stays in memory until handle_unpin, while others may use it. Only for
 * cancelling. NULL as for handle_lock. */
Handle *handle_pin(SQLHANDLE id, SQLSMALLINT kind);
void handle_unpin(Handle *self);
/* As handle_lock for a pinned object, without waiting; false if somebody holds it. */
bool handle_try_lock(Handle *self);

/* The value names an object that was made before a fork, by the parent. Takes no lock. */
bool handle_foreign(SQLHANDLE id, SQLSMALLINT kind);
/* The object is protected by another's lock: an implicit descriptor. Takes no lock. */
bool handle_shares_lock(SQLHANDLE id);
/* The kind that the value claims, 0 if none. Takes no lock. */
SQLSMALLINT handle_kind(SQLHANDLE id);

/* Scratch memory until the end of the call under way; NULL when exhausted. */
Arena *handle_scratch(Handle *self);

#endif
