/*
 * log.c - the log file.
 *
 * One line per record, written by one write(2) to a descriptor opened for appending, so that lines
 * of several threads and processes do not mix. Control characters of the text are escaped: what a
 * server sends cannot forge a line. The level is an atomic, so that a disabled record costs one
 * load.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/base/calendar.h"
#include "engine/base/os.h"

#define LOG_LINE_MAX ((size_t)64 * 1024)

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint32_t log_stamp;
static int log_file = -1;     /* guarded by log_lock */
static _Atomic int log_level; /* LOG_OFF until log_open */
static const char *const level_names[] = {"OFF", "ERROR", "WARN", "INFO", "DEBUG", "TRACE"};

Status log_open(const char *path, LogLevel level, Error *err) {
    int file = -1;
    if (level != LOG_OFF && path && path[0]) {
        file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
        if (file < 0) {
            (void)error_errno(err, ERR_CONFIGURATION, errno, "cannot open the log file");
            return error_detail(err, "LogFile: %s", path);
        }
    }
    (void)os_lock_forked(&log_lock, &log_stamp);
    int before = log_file;
    log_file = file;
    atomic_store(&log_level, file >= 0 ? level : LOG_OFF);
    pthread_mutex_unlock(&log_lock);
    if (before >= 0) close(before);
    return TRIB_OK;
}

bool log_enabled(LogLevel level) {
    return (int)level <= atomic_load_explicit(&log_level, memory_order_relaxed) && level != LOG_OFF;
}

static void escape(Buf *out, Str text) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= 0x20 && c != 0x7F)
            buf_char(out, (char)c);
        else if (c == '\n')
            buf_text(out, "\\n");
        else if (c == '\t')
            buf_text(out, "\\t");
        else
            buf_printf(out, "\\x%02x", c);
    }
}

static void log_line(Buf *line, Buf *text, LogLevel level, const char *source) {
    char when[CALENDAR_TEXT_MAX];
    timestamp_format_iso(os_realtime_us(), 0, 6, when);
    buf_printf(line, "%sZ %-5s [%ld] ", when, level_names[level], (long)syscall(SYS_gettid));
    escape(line, str_from(source ? source : "tributary"));
    buf_text(line, ": ");
    escape(line, buf_view(text));
    buf_char(line, '\n');
}

void log_write(LogLevel level, const char *source, const char *format, ...) {
    if (!log_enabled(level)) return;
    int saved = errno; /* a log statement must not change what its surroundings test */
    Buf text, line;
    buf_init(&text, NULL, LOG_LINE_MAX);
    buf_init(&line, NULL, 5 * LOG_LINE_MAX);
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = text_vformat(NULL, 0, format, arguments);
    va_end(arguments);
    if (length > 0) {
        size_t size = (size_t)length < LOG_LINE_MAX ? (size_t)length : LOG_LINE_MAX - 1;
        char *room = buf_reserve(&text, size + 1);
        if (room) {
            text_vformat(room, size + 1, format, again);
            text.len = size;
        }
    }
    va_end(again);
    log_line(&line, &text, level, source);
    if (!line.failed) {
        (void)os_lock_forked(&log_lock, &log_stamp);
        /* A full disk must not fail queries: a record that cannot be written is lost. */
        if (log_file >= 0) {
            ssize_t written = write(log_file, line.data, line.len);
            (void)written;
        }
        pthread_mutex_unlock(&log_lock);
    }
    buf_clear(&text);
    buf_clear(&line);
    errno = saved;
}
