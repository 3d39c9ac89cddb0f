/*
 * vector.h - columns of values, batches of columns, selections.
 *
 * Vector  a column: FLAT (a value per position), CONSTANT (one value for all), DICTIONARY (an index
 *         per position into a child vector of distinct-ish entries). Physical forms: physical.h.
 * Batch   up to BATCH_ROWS positions of several vectors and an optional selection: the ascending list
 *         of positions that are rows. Operators narrow selections instead of copying.
 *
 * Ownership: data lies in reference-counted Buffers, or in the arena of the batch's owner (scratch,
 * valid until that owner's next batch). A Vector that must outlive the batch is copied (row pages,
 * vector_copy). A Vector struct itself is copied freely within the life of the batch. Strings point
 * into buffers in `keep` or into memory with the life of the batch.
 */
#ifndef TRIB_VECTOR_VECTOR_H
#define TRIB_VECTOR_VECTOR_H

#include "engine/base/bitmap.h"
#include "engine/types/value.h"

#define BATCH_ROWS  2048
#define BATCH_BYTES (UINT64_C(1) << 20)

/* A reference-counted block. release(context) runs when the last reference goes, on any thread. */
typedef struct Buffer Buffer;
Buffer *buffer_new(size_t bytes, void (*release)(void *context), void *context); /* one reference */
void buffer_retain(Buffer *self);
void buffer_release(Buffer *self);
void *buffer_data(Buffer *self);

typedef enum VectorForm { VECTOR_FLAT, VECTOR_CONSTANT, VECTOR_DICTIONARY } VectorForm;

typedef struct Vector Vector;
struct Vector {
    Type type;
    uint8_t physical;  /* PhysicalType of type */
    uint8_t form;      /* VectorForm */
    uint32_t capacity; /* positions that data has room for, when writable */
    void *data;        /* FLAT: values; CONSTANT: one value; DICTIONARY: unused */
    uint64_t
        *validity; /* by position (CONSTANT: bit 0; DICTIONARY: of the indices); NULL = all valid */
    const uint32_t *indices; /* DICTIONARY: entry per position */
    uint32_t entries;        /* DICTIONARY: number of entries; lists: elements in the child */
    uint64_t dictionary_id;  /* identity of the entries for caching of results; 0 = none */
    uint32_t nchildren;
    Vector *children; /* DICTIONARY: the entries (FLAT); array 1, map 2 (keys, values), row n */
};

typedef struct Batch {
    uint32_t count;            /* positions */
    uint32_t selected;         /* rows: == count when selection is NULL */
    const uint16_t *selection; /* NULL = all */
    uint32_t ncolumns;
    Vector *columns;
    Buffer **keep; /* references that this batch holds */
    uint32_t nkeep, keep_capacity;
    Arena *arena; /* memory of the batch itself: columns array, scratch of its producer */
} Batch;

/* Calls body with `row` the row's position, for all rows. Two loops: the dense one vectorises. */
#define FOR_SELECTED(selection, count, row, ...)                       \
    do {                                                               \
        if ((selection) == NULL) {                                     \
            for (uint32_t row = 0; row < (count); row++) __VA_ARGS__   \
        } else {                                                       \
            for (uint32_t row##_i = 0; row##_i < (count); row##_i++) { \
                uint32_t row = (selection)[row##_i];                   \
                __VA_ARGS__                                            \
            }                                                          \
        }                                                              \
    } while (0)

/* Writable FLAT vector with room for `capacity` positions; validity NULL until something is NULL. */
Status vector_new(Arena *arena, Type type, uint32_t capacity, Vector *out, Error *err) WARN_UNUSED;
/* Room for at least `capacity` positions in a FLAT vector; what it holds stays. Children of rows follow. */
Status vector_reserve(Arena *arena, Vector *self, uint32_t capacity, Error *err) WARN_UNUSED;
/* A CONSTANT NULL of a type. */
Status vector_null(Arena *arena, Type type, Vector *out, Error *err) WARN_UNUSED;
/* A fresh identity for the entries of a dictionary (Vector.dictionary_id); never 0; any thread. */
uint64_t dictionary_identity(void);
/* A CONSTANT of a literal; the value's bytes are borrowed. */
Status vector_constant(Arena *arena, const Value *value, Vector *out, Error *err) WARN_UNUSED;
/* Makes room for a validity bitmap, all valid. */
Status vector_need_validity(Arena *arena, Vector *self, Error *err) WARN_UNUSED;
bool vector_is_null(const Vector *self, uint32_t position);
/* The FLAT (or CONSTANT) vector behind a position and the position in it: *position is replaced. */
static inline const Vector *vector_resolve(const Vector *self, uint32_t *position) {
    while (self->form == VECTOR_DICTIONARY) {
        *position = self->indices[*position];
        self = self->children;
    }
    if (self->form == VECTOR_CONSTANT) *position = 0;
    return self;
}
/* The physical value at a position, through any form; meaningless if NULL. */
const void *vector_at(const Vector *self, uint32_t position);
/* Turns any form into FLAT over the given rows (others are undefined); data may be shared if FLAT already.
 * `positions` is the size of the result; every row of the selection lies below it. Lists share their
 * elements with self; children of a row vector may keep another form. */
Status vector_flatten(Arena *arena, const Vector *self, const uint16_t *selection, uint32_t count,
                      uint32_t positions, Vector *out, Error *err) WARN_UNUSED;
/* out position i = self position rows[i] (UINT32_MAX = NULL), FLAT or DICTIONARY over the same entries
 * (a CONSTANT becomes a DICTIONARY of one entry). Text and list elements are shared with self. */
Status vector_gather(Arena *arena, const Vector *self, const uint32_t *rows, uint32_t count,
                     Vector *out, Error *err) WARN_UNUSED;
/* Appends rows of src to a FLAT dst (same type) at position `at`, strings copied into the arena. */
Status vector_append(Arena *arena, Vector *dst, uint32_t at, const Vector *src,
                     const uint16_t *selection, uint32_t count, Error *err) WARN_UNUSED;
/* The same for the rows named (UINT32_MAX = NULL). */
Status vector_append_rows(Arena *arena, Vector *dst, uint32_t at, const Vector *src,
                          const uint32_t *rows, uint32_t count, Error *err) WARN_UNUSED;
/* One position of src (any form) to position `at` of a FLAT dst of one physical type, which has room for it;
 * long text stays where it is, lists are copied. */
Status vector_store(Arena *arena, Vector *dst, uint32_t at, const Vector *src, uint32_t position,
                    Error *err) WARN_UNUSED;
/* Gives the vector and what lies below it the names of another type of the same form. */
Status vector_retype(Arena *arena, Vector *self, Type type, Error *err) WARN_UNUSED;
/* One position as a literal; text is borrowed from the vector. */
Status vector_value(Arena *arena, const Vector *self, uint32_t position, Value *out,
                    Error *err) WARN_UNUSED;
/* Stores a literal of the vector's type at a position of a FLAT vector (bytes copied to the arena). */
Status vector_set(Arena *arena, Vector *self, uint32_t position, const Value *value,
                  Error *err) WARN_UNUSED;
uint64_t vector_bytes(const Vector *self,
                      uint32_t count); /* estimate of memory, strings included */

void batch_init(Batch *self, Arena *arena);
Status batch_columns(Batch *self, uint32_t ncolumns, Error *err) WARN_UNUSED; /* zeroed columns */
/* Takes over one reference. */
Status batch_keep(Batch *self, Buffer *buffer, Error *err) WARN_UNUSED;
/* Releases kept buffers, resets the arena, empties the batch. */
void batch_clear(Batch *self);
/* dst becomes src, src is empty afterwards. */
void batch_move(Batch *dst, Batch *src);
static inline uint32_t batch_row(const Batch *self, uint32_t i) {
    return self->selection ? self->selection[i] : i;
}

/* Hash of the key columns, one per position in the selection; NULL has a hash of its own; -0 = 0, NaN = NaN.
 * combine: mixes into what `hashes` holds. Equal for equal values of one type in every form. */
void vector_hash(const Vector *self, const uint16_t *selection, uint32_t count, bool combine,
                 uint64_t *hashes);
/* Equality of two positions of one type, NULLs equal (grouping); nested types element-wise. */
bool vector_equal(const Vector *a, uint32_t pa, const Vector *b, uint32_t pb);
/* -1, 0, 1 in the type's order; both non-NULL. */
int vector_compare(const Vector *a, uint32_t pa, const Vector *b, uint32_t pb);

#endif
