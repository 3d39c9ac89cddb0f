/*
 * grant.c - the budget tree.
 *
 * A charge walks from a budget to the root and adds to each node's total by compare-and-swap, so
 * that no limit is passed even for a moment; a refusal further up is rolled back below. Nobody
 * waits.
 *
 * A grant's `held` is what its owner uses. What the budget carries for it is max(held, minimum):
 * the minimum is paid at grant_init, and growth is charged only beyond it. Every change of `held`
 * is one atomic transition and pays the difference of that transition, so that changes by several
 * threads add up whatever their order.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/grant.h"
#include "engine/base/arena.h"
#include "engine/base/os.h"

#define PROCESS_SHARE 4                  /* the process's default: a quarter of the memory */
#define FREE_BYTES    (INT64_C(1) << 20) /* of an allowance: not worth a word with the budget */

struct Budget {
    Budget *parent;
    _Atomic int64_t used, peak, limit;
    char name[];
};

static pthread_once_t process_once = PTHREAD_ONCE_INIT;
static Budget process_budget;

static void process_start(void) {
    atomic_init(&process_budget.limit, (int64_t)(os_memory_bytes() / PROCESS_SHARE));
}

Budget *budget_process(void) {
    pthread_once(&process_once, process_start);
    return &process_budget;
}

Budget *budget_new(Budget *parent, const char *name, int64_t limit) {
    size_t length = strlen(name);
    Budget *self = heap_alloc(sizeof *self + length + 1);
    if (!self) return NULL;
    self->parent = parent;
    atomic_init(&self->limit, limit);
    memcpy(self->name, name, length + 1);
    return self;
}

static void peak_raise(Budget *self, int64_t used) {
    int64_t peak = atomic_load_explicit(&self->peak, memory_order_relaxed);
    while (used > peak && !atomic_compare_exchange_weak(&self->peak, &peak, used)) continue;
}

/* Takes `bytes` back from each budget from `self` up to, not including, `end`. */
static void budget_return(Budget *self, const Budget *end, int64_t bytes) {
    for (; self != end; self = self->parent) atomic_fetch_sub(&self->used, bytes);
}

static bool budget_charge(Budget *self, int64_t bytes) {
    for (Budget *node = self; node; node = node->parent) {
        int64_t used = atomic_load_explicit(&node->used, memory_order_relaxed);
        int64_t after;
        do {
            if (__builtin_add_overflow(used, bytes, &after) ||
                after > atomic_load_explicit(&node->limit, memory_order_relaxed)) {
                budget_return(self, node, bytes);
                return false;
            }
        } while (!atomic_compare_exchange_weak(&node->used, &used, after));
        peak_raise(node, after);
    }
    return true;
}

static void budget_force(Budget *self, int64_t bytes) {
    for (; self; self = self->parent)
        peak_raise(self, atomic_fetch_add(&self->used, bytes) + bytes);
}

void budget_free(Budget *self) {
    if (!self || self == &process_budget) return;
    budget_return(self->parent, NULL, atomic_load(&self->used));
    heap_free(self);
}

int64_t budget_used(const Budget *self) {
    return atomic_load_explicit(&self->used, memory_order_relaxed);
}

int64_t budget_peak(const Budget *self) {
    return atomic_load_explicit(&self->peak, memory_order_relaxed);
}

int64_t budget_limit(const Budget *self) {
    return atomic_load_explicit(&self->limit, memory_order_relaxed);
}

void budget_set_limit(Budget *self, int64_t limit) {
    atomic_store(&self->limit, limit);
}

const char *budget_name(const Budget *self) {
    return self == &process_budget ? "process" : self->name;
}

/* ---------------------------------------------------------------- grants */

/* What the budget carries beyond the minimum when the owner uses `held`. */
static int64_t beyond_minimum(const Grant *self, int64_t held) {
    return held > self->minimum ? held - self->minimum : 0;
}

bool grant_init(Grant *self, Budget *budget, int64_t minimum, bool forced) {
    self->budget = budget;
    self->minimum = minimum;
    self->forced = forced;
    self->peak = NULL;
    atomic_init(&self->held, 0);
    if (heap_fault_due() || !budget_charge(budget, minimum)) {
        self->budget = NULL;
        self->minimum = 0;
        return false;
    }
    return true;
}

void grant_clear(Grant *self) {
    if (!self->budget) return;
    int64_t held = atomic_exchange(&self->held, 0);
    budget_return(self->budget, NULL, self->minimum + beyond_minimum(self, held));
    self->budget = NULL;
    self->minimum = 0;
}

static void grant_peak(const Grant *self, int64_t held) {
    if (!self->peak) return;
    int64_t peak = atomic_load_explicit(self->peak, memory_order_relaxed);
    while (held > peak && !atomic_compare_exchange_weak(self->peak, &peak, held)) {
    }
}

bool grant_try(Grant *self, int64_t more) {
    if (more <= 0) return true;
    int64_t before = atomic_load_explicit(&self->held, memory_order_relaxed), after;
    do {
        if (__builtin_add_overflow(before, more, &after)) return false;
    } while (!atomic_compare_exchange_weak(&self->held, &before, after));
    int64_t due = beyond_minimum(self, after) - beyond_minimum(self, before);
    if (due == 0 || (!self->forced && !heap_fault_due() && budget_charge(self->budget, due))) {
        grant_peak(self, after);
        return true;
    }
    /* Undo. Another thread may have moved `held` meanwhile: this transition's difference counts. */
    int64_t now = atomic_fetch_sub(&self->held, more);
    int64_t refund = beyond_minimum(self, now) - beyond_minimum(self, now - more) - due;
    if (refund > 0)
        budget_return(self->budget, NULL, refund);
    else if (refund < 0)
        budget_force(self->budget, -refund);
    return false;
}

void grant_force(Grant *self, int64_t more) {
    if (more <= 0) return;
    int64_t before = atomic_fetch_add(&self->held, more);
    int64_t due = beyond_minimum(self, before + more) - beyond_minimum(self, before);
    if (due > 0) budget_force(self->budget, due);
    grant_peak(self, before + more);
}

bool grant_overdrawn(const Grant *self) {
    for (const Budget *node = self->budget; node; node = node->parent)
        if (budget_used(node) - ALLOWANCE > budget_limit(node)) return true;
    return false;
}

void grant_shrink(Grant *self, int64_t less) {
    if (less <= 0 || !self->budget) return;
    int64_t before = atomic_fetch_sub(&self->held, less);
    int64_t refund = beyond_minimum(self, before) - beyond_minimum(self, before - less);
    if (refund > 0) budget_return(self->budget, NULL, refund);
}

static size_t page_round(size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + page - 1) / page * page;
}

void *grant_map(Grant *self, size_t bytes) {
    if (bytes == 0 || bytes > PTRDIFF_MAX / 2) return NULL;
    size_t size = page_round(bytes);
    if (!grant_try(self, (int64_t)size)) return NULL;
    void *memory = MAP_FAILED;
    if (!heap_fault_due())
        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        grant_shrink(self, (int64_t)size);
        return NULL;
    }
    return memory;
}

void grant_unmap(Grant *self, void *memory, size_t bytes) {
    if (!memory) return;
    size_t size = page_round(bytes);
    munmap(memory, size);
    grant_shrink(self, (int64_t)size);
}

/* ---------------------------------------------------------------- allowances */

static int64_t beyond_free(int64_t held) {
    return held > FREE_BYTES ? held - FREE_BYTES : 0;
}

bool allowance_charge(void *allowance, int64_t bytes) {
    Allowance *self = allowance;
    int64_t held = self->held + bytes, due = beyond_free(held) - beyond_free(self->held);
    if (due < 0) {
        grant_shrink(self->grant, -due);
    } else if (due > 0 && held <= ALLOWANCE) {
        grant_force(self->grant, due);
    } else if (due > 0 && !grant_try(self->grant, due)) {
        self->refused = true;
        return false;
    }
    self->held = held;
    return true;
}

Status allowance_told(Allowance *self, Status status, const char *what, Error *err) {
    bool refused = self->refused;
    self->refused = false;
    if (status != TRIB_MEMORY || !refused) return status;
    (void)error_set(err, ERR_OUT_OF_MEMORY, "the memory limit leaves no room for %s", what);
    return error_hint(err, "Raise MemoryLimit, or make fewer or shorter values.");
}
