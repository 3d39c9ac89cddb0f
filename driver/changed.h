/*
 * changed.h - the rows of a cursor that were changed through it, by their number: they are shown as they are
 * now, deleted ones as holes.
 */
#ifndef TRIB_DRIVER_CHANGED_H
#define TRIB_DRIVER_CHANGED_H

#include "engine/base/grant.h"
#include "engine/tributary.h"

typedef struct ChangedRow {
    uint64_t number;        /* from 1 */
    const BatchView *batch; /* of this one row; NULL: it was deleted */
    bool open;              /* in a transaction that had not ended; before it the row was */
    bool was_changed;       /* already changed: `before`, or as the cursor read it */
    const BatchView *before;
} ChangedRow;

/* Guarded by the statement's lock; in the order of the numbers. */
typedef struct ChangedRows {
    ChangedRow *rows;
    uint32_t count, capacity;
    uint32_t nopen;
    uint32_t transaction; /* that the open ones belong to: dbc_transaction_number */
    Arena *arena;         /* of the batches */
    Grant grant;
} ChangedRows;

/* NULL: the row is as it was. */
const ChangedRow *changed_find(const ChangedRows *self, uint64_t number);
/* The number of the first changed row from `number` on; UINT64_MAX: none. */
uint64_t changed_next(const ChangedRows *self, uint64_t number);
/* Where the copy of a changed row is made: NULL when memory is exhausted. */
Arena *changed_arena(ChangedRows *self);
/* Keeps the row as it is now, `open`: for the time being; the batch lives in changed_arena. HY001 when the process
 * has no memory left. */
Status changed_put(ChangedRows *self, uint64_t number, const BatchView *batch, bool open,
                   Error *err) WARN_UNUSED;
/* The transaction of the open rows has ended; else they are what they were before. */
void changed_end(ChangedRows *self, bool committed);
void changed_clear(ChangedRows *self); /* the cursor is closed */
void changed_free(ChangedRows *self);

#endif
