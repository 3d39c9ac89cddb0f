/*
 * call.c - cancellation, deadline and memory, as a connector sees them through its call and host.
 */
#include "connectors/support/call.h"

#include <stdio.h>

#include "engine/base/arena.h"
#include "engine/base/os.h"

bool call_cancelled(TribCall *call) {
    return call && call->cancelled && call->cancelled(call);
}

int64_t call_remaining_ns(const TribCall *call) {
    if (!call || call->deadline_ns == INT64_MAX) return INT64_MAX;
    int64_t left = call->deadline_ns - os_now_ns();
    return left > 0 ? left : 0;
}

Status call_check(TribCall *call, const char *catalog, Error *err) {
    if (!call) return TRIB_OK;
    /* The engine's token is set by a passed deadline too: the deadline is the better answer. */
    if (call_remaining_ns(call) == 0) {
        error_set(err, ERR_TIMEOUT, "the time allowed for the query has passed");
        return error_source(err, catalog);
    }
    if (call_cancelled(call)) {
        error_set(err, ERR_CANCELLED, "the query was cancelled");
        return error_source(err, catalog);
    }
    return TRIB_OK;
}

void call_warn(TribCall *call, const char *format, ...) {
    char text[512];
    if (!call || !call->warn) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    call->warn(call, "01000", text);
}

void *host_alloc(const TribHost *host, size_t bytes) {
    return host && host->alloc ? host->alloc(host->self, bytes) : heap_alloc(bytes);
}

void host_free(const TribHost *host, void *memory) {
    if (!memory) return;
    if (host && host->free)
        host->free(host->self, memory);
    else
        heap_free(memory);
}
