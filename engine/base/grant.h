/*
 * grant.h - the budget tree: process -> query -> operator (or scan, cursor, table).
 *
 * A Budget is a node with a limit; a Grant is a leaf's running total against it. Asking is atomic
 * and never blocks: a refusal means spill (operators) or HY001. Every function is safe from any
 * thread; one Grant is used by one owner at a time unless noted (counters are atomic).
 */
#ifndef TRIB_BASE_GRANT_H
#define TRIB_BASE_GRANT_H

#include "engine/base/error.h"

typedef struct Budget Budget;

/* parent NULL: a root. limit in bytes. NULL when memory is exhausted. */
Budget *budget_new(Budget *parent, const char *name, int64_t limit);
void budget_free(Budget *self); /* returns whatever is still held to its parent */
int64_t budget_used(const Budget *self);
int64_t budget_peak(const Budget *self);
int64_t budget_limit(const Budget *self);
const char *budget_name(const Budget *self); /* for messages */
void budget_set_limit(Budget *self, int64_t limit);
Budget *budget_process(void); /* the root of the process; limit set from ProcessMemoryLimit */

typedef struct Grant {
    Budget *budget;
    _Atomic int64_t held;  /* what the owner uses; the budget carries max(held, minimum) */
    int64_t minimum;       /* reserved at open; always granted */
    bool forced;           /* force_spill: nothing beyond the minimum is granted */
    _Atomic int64_t *peak; /* raised to the most that was held; set after grant_init; NULL = none */
} Grant;

/* Reserves `minimum` bytes; false when the budget cannot give them. */
bool grant_init(Grant *self, Budget *budget, int64_t minimum, bool forced);
void grant_clear(Grant *self);             /* returns everything */
bool grant_try(Grant *self, int64_t more); /* false: spill */
void grant_force(Grant *self,
                 int64_t more); /* accounts what had to be taken anyway (one huge row) */
void grant_shrink(Grant *self, int64_t less);
/* Do forced grants exceed a limit by more than ALLOWANCE? Who can neither spill nor wait gives up then. */
bool grant_overdrawn(const Grant *self);
/* Anonymous mappings for large blocks (>= 64 KiB), charged to the grant; NULL: spill. Zeroed. */
void *grant_map(Grant *self, size_t bytes);
void grant_unmap(Grant *self, void *memory, size_t bytes);

/*
 * What arenas of values cost that cannot be spilled: long texts, arrays, what aggregates collect. The first
 * bytes are free, up to ALLOWANCE they are counted but never refused (who can spill makes room for them), and
 * beyond the grant is asked. One thread at a time.
 */
#define ALLOWANCE (INT64_C(64) << 20)

typedef struct Allowance {
    Grant *grant;
    int64_t held;
    bool refused;
} Allowance;

bool allowance_charge(void *allowance, int64_t bytes); /* an ArenaCharge */
/* Says of an error whether it was the limit that stood in the way of `what`. */
Status allowance_told(Allowance *self, Status status, const char *what, Error *err);

#endif
