/*
 * kernel.h - what every kernel sees, and the facts fixed per statement.
 *
 * A kernel computes whole vectors. It never fails on data: where a row has no result it writes an
 * error code into errors[position] (and anything into the value). It returns other than TRIB_OK only
 * for exhausted memory or cancellation. Kernels keep no state of their own and are safe from any
 * thread as long as no two write one result.
 */
#ifndef TRIB_KERNELS_KERNEL_H
#define TRIB_KERNELS_KERNEL_H

#include "engine/base/cancel.h"
#include "engine/vector/vector.h"

/* Facts fixed per statement (promise: now() is one instant). */
typedef struct EvalSession {
    int64_t now_us; /* UTC */
    int16_t zone;   /* session zone */
    Str user, catalog, schema;
    uint64_t random_seed;
    uint64_t max_value_size;
    int64_t max_recursion_depth; /* steps of a recursive query */
    CancelToken *cancel;
    struct Budget *budget; /* which pays for what expressions make; NULL = nobody does */
} EvalSession;

/* Arguments are aligned: position p of each belongs together. If all of them are CONSTANT, the caller
 * asks for one row (count 1, no selection). */
typedef struct KernelCall {
    const struct Function *function;
    uint32_t nargs;
    const Vector *args; /* FLAT or CONSTANT (never DICTIONARY), of the bound parameter types */
    const uint16_t *selection; /* rows to compute; NULL = positions 0..count-1 */
    uint32_t count;            /* rows in the selection */
    uint32_t positions;        /* size of the vectors */
    Type result_type;
    Vector *result;  /* FLAT, room for `positions`, validity NULL; NULL arguments are handled by
                                 the caller for NULLS_PROPAGATE (validity set before the call, and rows
                                 with a NULL argument may hold anything: text, nested and zoned
                                 arguments and results never meet such rows, see evaluator) */
    uint8_t *errors; /* by position, ErrorCode (0 = none); never NULL, zeroed */
    Arena *arena;    /* for strings and children of the result; life of the batch */
    void *state;     /* what prepare() made of constant arguments; NULL = none */
    const EvalSession *session; /* now, zone, user ... fixed per statement */
    Error *err;
    char *text_room; /* of kernel_text: what is left of a piece of the arena */
    uint64_t text_left;
    void *frame; /* the evaluator's: kernel_lambda */
    Buf *
        explain; /* one row that raised is computed once more: takes what is wrong with it; else NULL */
} KernelCall;

/* errors[] holds ErrorCode + 1, so that 0 means no error. */
#define KERNEL_ERROR(code) ((uint8_t)((code) + 1))

/* Raises in a row, with what the message says about it: the values come behind it by themselves. */
#define KERNEL_FAIL(call, row, code, ...)                         \
    do {                                                          \
        (call)->errors[row] = KERNEL_ERROR(code);                 \
        if ((call)->explain != NULL && (call)->explain->len == 0) \
            buf_printf((call)->explain, __VA_ARGS__);             \
    } while (0)

typedef Status (*Kernel)(KernelCall *call);

/* For rows of the selection in order: body with `row`. */
#define KERNEL_ROWS(call, row, ...) FOR_SELECTED((call)->selection, (call)->count, row, __VA_ARGS__)

/* The value of an argument at a row, for kernels that do not care for speed. */
#define KERNEL_ARG(call, index, T, row) \
    (((const T *)(call)->args[index].data)[(call)->args[index].form == VECTOR_CONSTANT ? 0 : (row)])

/* Makes the result NULL at a row. */
Status kernel_set_null(KernelCall *call, uint32_t row) WARN_UNUSED;
/* Room for `len` bytes of a result, NULL when exhausted (the caller returns error_out_of_memory) or,
 * with errors[row] set, when the value is longer than the session allows. */
char *kernel_text(KernelCall *call, uint32_t row, uint64_t len);
/* A copy of the bytes as the result of a row. */
Status kernel_put_text(KernelCall *call, uint32_t row, const char *data, size_t len) WARN_UNUSED;

/* The same from a buffer, whose failure is the row's error (too long) or exhausted memory. */
Status kernel_put_buf(KernelCall *call, uint32_t row, const Buf *text) WARN_UNUSED;

/* A buffer for rows whose text is built piece by piece: emptied before each row, then kernel_put_buf. */
void kernel_buf_init(const KernelCall *call, Buf *out);
static inline void kernel_buf_reset(Buf *self) {
    self->len = 0;
    self->failed = self->exceeded = false;
}

/* ---------------------------------------------------------------- selections */

/* out = rows of the selection whose mask byte is 1 and that are valid (NULL: all are); their number.
 * out may be the selection itself. */
uint32_t kernel_select(const uint8_t *mask, const uint64_t *validity, const uint16_t *selection,
                       uint32_t count, uint16_t *out);

#endif
