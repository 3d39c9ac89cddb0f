/*
 * cancel.h - the one cancellation token that every wait of a query looks at.
 *
 * Set by SQLCancel (any thread), a passed deadline, a closed statement. Reference-counted; every
 * function is safe from any thread.
 */
#ifndef TRIB_BASE_CANCEL_H
#define TRIB_BASE_CANCEL_H

#include "engine/base/error.h"

typedef struct CancelToken CancelToken;

typedef enum { CANCEL_NONE, CANCEL_REQUESTED, CANCEL_TIMEOUT, CANCEL_CLOSED } CancelReason;

CancelToken *cancel_new(void); /* one reference; NULL when exhausted */
void cancel_retain(CancelToken *self);
void cancel_release(CancelToken *self);
/* Lock-free for the caller except for running registered callbacks. First reason wins. */
void cancel_set(CancelToken *self, CancelReason reason);
void cancel_reset(CancelToken *self); /* back to CANCEL_NONE, for reuse by the next execution */
void cancel_set_deadline(CancelToken *self,
                         int64_t deadline_ns); /* CLOCK_MONOTONIC; INT64_MAX = none */
int64_t cancel_deadline(const CancelToken *self);
CancelReason cancel_reason(CancelToken *self); /* looks at the deadline too */
/* TRIB_OK, or the error that fits the reason: HY008 or HYT00. */
Status cancel_check(CancelToken *self, Error *err) WARN_UNUSED;
/* callback runs at once if the token is set already; it must not block. After off returned, the
 * callback is not running and never will. NULL when exhausted. */
void *cancel_on(CancelToken *self, void (*callback)(void *context), void *context);
void cancel_off(CancelToken *self, void *handle);
/* Sleeps up to `ns`; false when woken by cancellation or deadline. */
bool cancel_sleep(CancelToken *self, int64_t ns);

#endif
