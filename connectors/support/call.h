/*
 * call.h - what a connector asks of the call it serves: is it cancelled, how long may it still take.
 *
 * A TribCall belongs to the engine and lives as long as the scan (or the metadata call) it was given
 * to. Every function here is safe from the thread that serves the call; call may be NULL.
 */
#ifndef TRIB_SUPPORT_CALL_H
#define TRIB_SUPPORT_CALL_H

#include "connectors/tributary_connector.h"
#include "engine/base/error.h"

/* TRIB_OK, or HY008 (cancelled) or HYT00 (the deadline has passed), naming the catalog as source. */
Status call_check(TribCall *call, const char *catalog, Error *err) WARN_UNUSED;
/* Nanoseconds until the deadline; INT64_MAX without one; 0 when it has passed. */
int64_t call_remaining_ns(const TribCall *call);
bool call_cancelled(TribCall *call);
/* Reports something worth knowing (SQLSTATE 01000), if the engine takes such reports. */
void call_warn(TribCall *call, const char *format, ...) PRINTF_LIKE(2, 3);
/* Memory of the host, or of the heap where there is no host. NULL: the process budget is exhausted. */
void *host_alloc(const TribHost *host, size_t bytes);
void host_free(const TribHost *host, void *memory);

#endif
