/*
 * log.h - the log file: LogLevel, LogFile. Nothing ever goes to stdout or stderr. Thread-safe.
 * Lines: time, level, thread, source, text. Secrets never reach it: callers log statements with
 * parameters elided, and options through the redacting printer of their table.
 */
#ifndef TRIB_BASE_LOG_H
#define TRIB_BASE_LOG_H

#include "engine/base/error.h"

typedef enum { LOG_OFF, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE } LogLevel;

Status log_open(const char *path, LogLevel level, Error *err); /* process-wide; appends; 0600 */
bool log_enabled(LogLevel level);
void log_write(LogLevel level, const char *source, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
