/*
 * lambda_batch.h - handing elements of lists to a lambda, BATCH_ROWS at a time.
 */
#ifndef TRIB_FUNCTIONS_LAMBDA_BATCH_H
#define TRIB_FUNCTIONS_LAMBDA_BATCH_H

#include "engine/functions/nested.h"

/* A piece of the elements and what the lambda made of it: valid until the next piece. */
typedef struct LambdaBatch {
    uint32_t count;
    uint32_t *rows;      /* the row of each element */
    uint32_t *positions; /* of each element in the children */
    uint8_t *errors;     /* by element; 0 = none */
    uint32_t *kept;      /* for the receiver's own use */
    Vector result;       /* undefined where errors say so */
} LambdaBatch;

typedef Status (*LambdaPiece)(KernelCall *call, LambdaBatch *batch, void *context);

/* The number of elements in all rows of a list argument; an error if no vector holds as many. */
Status elements_total(KernelCall *call, uint32_t index, uint32_t *out) WARN_UNUSED;
/* Calls lambda argument `arg` with child `child` (all children of a map in their order: ALL_CHILDREN) of the
 * elements of list argument `index`, in the order of rows and elements, and `piece` with the results. */
#define ALL_CHILDREN UINT32_MAX
Status lambda_elements(KernelCall *call, uint32_t index, uint32_t arg, uint32_t child,
                       LambdaPiece piece, void *context) WARN_UNUSED;

#endif
