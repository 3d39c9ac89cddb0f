/*
 * error.h - status codes and error records.
 *
 * A function that can fail returns Status and takes an `Error *` last, which it fills in exactly
 * when it does not return TRIB_OK. Whoever detects the fault writes the message; callers add
 * context with error_detail, error_hint, error_source at most.
 */
#ifndef TRIB_BASE_ERROR_H
#define TRIB_BASE_ERROR_H

#include <stdarg.h>

#include "connectors/tributary_types.h"

typedef TribStatus Status;
typedef TribError Error;

#define WARN_UNUSED              __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((__format__(__printf__, text, first)))

typedef enum ErrorCode {
#define ERR(symbol, status, sqlstate, meaning) ERR_##symbol,
#include "engine/base/sqlstates.def"
#undef ERR
    ERR_COUNT
} ErrorCode;

/* Returns from the calling function when `expression` is not TRIB_OK. */
#define TRY(expression)                                 \
    do {                                                \
        Status try_status_ = (expression);              \
        if (try_status_ != TRIB_OK) return try_status_; \
    } while (0)

/* Assigns an allocation and returns an out-of-memory error from the calling function on NULL. */
#define TRY_ALLOC(variable, expression, err)                                      \
    do {                                                                          \
        if (((variable) = (expression)) == NULL) return error_out_of_memory(err); \
    } while (0)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

void error_clear(Error *err);
/* Writes a whole record (message from the format; no detail, hint, position, source). Returns its
 * status. */
Status error_set(Error *err, ErrorCode code, const char *format, ...) PRINTF_LIKE(3, 4);
Status error_setv(Error *err, ErrorCode code, const char *format, va_list arguments)
    PRINTF_LIKE(3, 0);
/* Like error_set, with the position in the SQL text or file, 1-based. */
Status error_set_at(Error *err, ErrorCode code, uint32_t line, uint32_t column, const char *format,
                    ...) PRINTF_LIKE(5, 6);
/* Gives an error the position unless it has one; returns status. */
Status error_place(Error *err, Status status, uint32_t line, uint32_t column);
/* Add to a record; they return its status, so that `return error_hint(err, ...)` reads well. */
Status error_detail(Error *err, const char *format, ...) PRINTF_LIKE(2, 3);
Status error_hint(Error *err, const char *format, ...) PRINTF_LIKE(2, 3);
/* Names the catalog at fault, unless a name stands there already. */
Status error_source(Error *err, const char *catalog);
Status error_out_of_memory(Error *err);
/* errno as text in the message: "what: No space left on device". */
Status error_errno(Error *err, ErrorCode code, int error_number, const char *what);
const char *error_sqlstate(ErrorCode code);

#endif
