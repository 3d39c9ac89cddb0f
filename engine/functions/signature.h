/*
 * signature.h - one signature against the types of a call: what its letters stand for, what each
 * argument becomes, what comes out, what the coercions cost. The notation is in function.h.
 */
#ifndef TRIB_FUNCTIONS_SIGNATURE_H
#define TRIB_FUNCTIONS_SIGNATURE_H

#include "engine/functions/function.h"

#define SIGNATURE_LETTERS 9

/* The state of matching one signature. */
typedef struct Matcher {
    Arena *arena;
    const char *at; /* rest of the signature */
    uint32_t nargs;
    const Type *given;
    Str *patterns; /* per argument */
    Type *bound;   /* per argument, after the coercions */
    Type letters[SIGNATURE_LETTERS];
    uint32_t cost;
    const LambdaBinder *lambdas; /* NULL = the call has none */
    bool refused;                /* the body of a lambda was refused; err says why */
    Error *err;
} Matcher;

#define SIGNATURE_COERCION 100u /* what one coercion costs; widening further costs a little more */

typedef Status (*ResolveType)(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err);

Status matcher_init(Matcher *self, Arena *arena, uint32_t nargs, const Type *given,
                    const char *signature, const LambdaBinder *lambdas, Error *err) WARN_UNUSED;
/* Do the arguments fit? Then *result is the text behind "->". An exhausted arena is in err. */
bool matcher_run(Matcher *self, Str *result);
/* The result's type, by letter, by name, or by the row's resolve(). */
Status matcher_result(Matcher *self, Str result, ResolveType resolve, Type *out) WARN_UNUSED;

#endif
