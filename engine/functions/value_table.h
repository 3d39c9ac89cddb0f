/*
 * value_table.h - distinct values of one type, numbered from 0 in the order of their arrival, inside the
 * states of aggregates: open addressing over hashes of vector_hash.
 */
#ifndef TRIB_FUNCTIONS_VALUE_TABLE_H
#define TRIB_FUNCTIONS_VALUE_TABLE_H

#include "engine/functions/value_store.h"

typedef struct ValueTable {
    ValueList values; /* column 0: the distinct values */
    uint64_t *hashes; /* by value */
    uint32_t *slots;  /* value + 1; 0 = free; built when the first value comes */
    uint32_t nslots, capacity;
} ValueTable;

/* The number of the value at a row, which is added if it is new (*added). NULL counts as a value. */
Status value_table_find(ValueTable *self, const Type *type, const Vector *v, uint32_t row,
                        uint32_t *out, bool *added, Arena *arena, Error *err) WARN_UNUSED;
/* The same without adding: *missing if it is not there. */
Status value_table_seek(const ValueTable *self, const Vector *v, uint32_t row, uint32_t *out,
                        bool *missing, Arena *arena, Error *err) WARN_UNUSED;
/* Puts another value in the place of the one with a number; the old one is forgotten. */
Status value_table_replace(ValueTable *self, uint32_t number, const Type *type, const Vector *v,
                           uint32_t row, Arena *arena, Error *err) WARN_UNUSED;
/* Reads a list of distinct values that was written with value_list_write(&values). */
Status value_table_read(ValueTable *self, const Type *type, const uint8_t **at, Arena *arena,
                        Error *err) WARN_UNUSED;

#endif
