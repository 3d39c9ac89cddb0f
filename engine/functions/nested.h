/*
 * nested.h - what kernels over arrays, maps and rows share.
 *
 * Results are made in two ways. A kernel that chooses among the elements of one argument collects their
 * positions (Picks) and gathers them at the end: text is shared. A kernel that mixes several arguments
 * appends to the children of the result. Either way element positions of all rows form one long vector.
 */
#ifndef TRIB_FUNCTIONS_NESTED_H
#define TRIB_FUNCTIONS_NESTED_H

#include "engine/functions/helpers.h"

#define NO_POSITION UINT32_MAX

/* The elements of an array or map of a row, which is not NULL. */
static inline ListEntry list_entry(const Vector *v, uint32_t row) {
    return ((const ListEntry *)v->data)[v->form == VECTOR_CONSTANT ? 0 : row];
}

static inline void list_put(KernelCall *call, uint32_t row, uint32_t offset, uint32_t length) {
    ((ListEntry *)call->result->data)[row] = (ListEntry){offset, length};
}

/* A growing list of positions. */
typedef struct Picks {
    uint32_t *at;
    uint32_t count, capacity;
} Picks;

/* Room for `more` further positions. */
Status picks_reserve(KernelCall *call, Picks *self, uint64_t more) WARN_UNUSED;
static inline void picks_add(Picks *self, uint32_t position) {
    self->at[self->count++] = position;
}

/* Positions of a vector (NO_POSITION = NULL) as a FLAT vector of its own. */
Status positions_gather(KernelCall *call, const Vector *from, const uint32_t *positions,
                        uint32_t count, Vector *out) WARN_UNUSED;
/* Child `child` of the result becomes the picked elements of `from`. */
Status picks_finish(KernelCall *call, const Picks *self, const Vector *from,
                    uint32_t child) WARN_UNUSED;
/* The result becomes, row by row, the positions of `from`; rows with NO_POSITION are NULL, unless they raise.
 * `rows` has call->positions entries. */
Status result_gather(KernelCall *call, const Vector *from, const uint32_t *rows) WARN_UNUSED;
/* An array of call->positions entries, all NO_POSITION. */
Status rows_new(KernelCall *call, uint32_t **out) WARN_UNUSED;
/* Elements [entry.offset, + entry.length) of `from` behind those of a child of the result. */
Status elements_append(KernelCall *call, uint32_t child, const Vector *from,
                       ListEntry entry) WARN_UNUSED;
/* The elements of argument `index` of all rows as one vector with its hashes; starts[row] says where those of
 * a row begin (call->positions entries). */
typedef struct Elements {
    Vector vector; /* FLAT */
    uint32_t count;
    uint32_t *starts;
    uint64_t *hashes; /* NULL = not asked for */
} Elements;
Status elements_of(KernelCall *call, uint32_t index, uint32_t child, bool hashes,
                   Elements *out) WARN_UNUSED;

/* Elements that differ, as positions of one or two vectors, found by hash: of one row at a time. */
typedef struct ElementSet {
    const Elements *first, *second; /* positions from first->count on belong to the second */
    uint32_t *slots;                /* position + 1; 0 = empty */
    uint32_t capacity;              /* power of two */
    uint32_t room;
} ElementSet;
/* Empties it for up to `count` elements. */
Status element_set_begin(KernelCall *call, ElementSet *self, uint32_t count) WARN_UNUSED;
/* The position of the equal element that is there already, or NO_POSITION: then this one is added. */
uint32_t element_set_add(ElementSet *self, uint32_t position);
/* The same without adding. */
uint32_t element_set_find(const ElementSet *self, uint32_t position);

/* Makes the row raise if `count` keys from keys->starts[row] on cannot be a map's: one is NULL, or two are
 * equal. `set` has been emptied for them. */
bool keys_refused(KernelCall *call, uint32_t row, const Elements *keys, ElementSet *set,
                  uint32_t count);

/* A result that maps each key to the array of its values, in their order. */
typedef struct Multimap {
    ElementSet set; /* of the row's keys */
    Picks keys, values;
    uint32_t *next, *last; /* entries of one key, in a chain from the first to the last */
} Multimap;
Status multimap_begin(KernelCall *call, Multimap *self, const Elements *keys) WARN_UNUSED;
/* Entries of a row: `length` from keys->starts[row] on. */
Status multimap_row(KernelCall *call, Multimap *self, uint32_t row, uint32_t length) WARN_UNUSED;
/* `values` stand at the same positions as the keys. */
Status multimap_finish(KernelCall *call, const Multimap *self, const Vector *values) WARN_UNUSED;

/* Evaluates lambda argument `arg` for `count` <= BATCH_ROWS elements. rows[i]: the call's row that element i
 * belongs to, for captured columns. params: the parameters, FLAT or other, by element. The result (any form,
 * undefined where errors[i] is not 0) lives in `arena`. */
Status kernel_lambda(KernelCall *call, uint32_t arg, Arena *arena, uint32_t count,
                     const uint32_t *rows, const Vector *params, Vector *result,
                     uint8_t *errors) WARN_UNUSED;

#endif
