/*
 * value_store.h - values of any type inside the states of aggregates: a single one (Cell) and lists of rows
 * (ValueList), with the bytes that they become when a state is spilled.
 */
#ifndef TRIB_FUNCTIONS_VALUE_STORE_H
#define TRIB_FUNCTIONS_VALUE_STORE_H

#include "engine/vector/vector.h"

/* A FLAT vector of the one position; it borrows from v. */
Status vector_row(const Vector *v, uint32_t row, Arena *arena, Vector *out, Error *err) WARN_UNUSED;

/* One value of one type, perhaps NULL, perhaps none yet. May be moved bytewise; 32 bytes. */
typedef struct Cell {
    union {
        uint64_t bits[2]; /* of fixed width */
        StrView text;     /* longer than 12 bytes: in the arena, in `room` bytes */
        Vector *nested;   /* one FLAT element */
    } as;
    const Type *type;
    uint32_t room;
    uint8_t physical;
    bool any, null;
    uint8_t unused;
} Cell;

/* The type outlives the cell. */
void cell_init(Cell *self, const Type *type);
/* The value as a vector of one position, borrowed until the cell changes. */
void cell_view(const Cell *self, Vector *out);
/* Copies the value at a row (NULL included) into the cell. */
Status cell_set(Cell *self, const Vector *v, uint32_t row, Arena *arena, Error *err) WARN_UNUSED;
uint64_t cell_bytes(const Cell *self);
uint8_t *cell_write(const Cell *self, uint8_t *out); /* returns the end */
Status cell_read(Cell *self, const uint8_t **at, Arena *arena, Error *err) WARN_UNUSED;
/* Is the first value better: larger if `largest`, else smaller? NaN is the worst. Neither is NULL. */
bool value_better(const Vector *a, uint32_t pa, const Vector *b, uint32_t pb, bool largest);

/* Rows of several columns, FLAT, in the arena of their state. Starts zeroed. */
typedef struct ValueList {
    Vector *columns; /* NULL: no row yet */
    uint32_t ncolumns, count;
} ValueList;

Status value_list_add(ValueList *self, uint32_t ncolumns, const Type *types, const Vector *values,
                      const uint16_t *selection, uint32_t count, Arena *arena,
                      Error *err) WARN_UNUSED;
Status value_list_add_row(ValueList *self, uint32_t ncolumns, const Type *types,
                          const Vector *values, uint32_t row, Arena *arena, Error *err) WARN_UNUSED;
/* Appends all rows of another list of the same types. */
Status value_list_add_list(ValueList *self, const ValueList *from, const Type *types, Arena *arena,
                           Error *err) WARN_UNUSED;
uint64_t value_list_bytes(const ValueList *self);
uint8_t *value_list_write(const ValueList *self, uint8_t *out);
Status value_list_read(ValueList *self, uint32_t ncolumns, const Type *types, const uint8_t **at,
                       Arena *arena, Error *err) WARN_UNUSED;

/* Puts an array of `rows` positions of `elements` (all of them if rows is NULL) at a position of a
 * FLAT result. */
Status result_array(Vector *result, uint32_t position, const Vector *elements, const uint32_t *rows,
                    uint32_t count, Arena *arena, Error *err) WARN_UNUSED;
/* The same for a map: keys and values at the same positions. */
Status result_map(Vector *result, uint32_t position, const Vector *keys, const Vector *values,
                  uint32_t count, Arena *arena, Error *err) WARN_UNUSED;

/* Sorts indexes stably; scratch has room for as many. compare(context, a, b) <= 0: a stays before b. */
void index_sort(uint32_t *indexes, uint32_t *scratch, uint32_t count,
                int (*compare)(const void *context, uint32_t a, uint32_t b), const void *context);

/* A number and its weight, of sketches. */
typedef struct NumberPair {
    double value, weight;
} NumberPair;
/* Sorts by value, in place. */
void pairs_sort(NumberPair *pairs, uint32_t count);

/* One position of a vector as bytes: a mark for NULL, then fixed-width data, a length and text, or a length
 * and the elements. out NULL: only the length is wanted. */
size_t position_write(const Vector *v, uint32_t position, uint8_t *out);
/* The opposite, into a position of a FLAT vector. The bytes are our own. */
Status position_read(Vector *v, uint32_t position, const uint8_t **at, Arena *arena,
                     Error *err) WARN_UNUSED;

#endif
