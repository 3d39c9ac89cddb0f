/*
 * os.h - the few things asked of the operating system: clocks, threads, files, random bytes.
 */
#ifndef TRIB_BASE_OS_H
#define TRIB_BASE_OS_H

#include <pthread.h>

#include "engine/base/text.h"

int64_t os_now_ns(void);        /* CLOCK_MONOTONIC */
int64_t os_realtime_us(void);   /* since 1970-01-01 UTC */
uint32_t os_cores(void);        /* of the affinity mask, >= 1 */
uint64_t os_memory_bytes(void); /* physical, or the cgroup's limit */
bool os_random(void *out, size_t bytes);
/* A joinable thread with all signals blocked and an 8 MiB stack (64 MiB under ASan); name <= 15
 * bytes. */
Status os_thread_start(pthread_t *out, const char *name, void *(*run)(void *), void *context,
                       Error *err);
/* Bytes of stack that the calling thread has left; 0 when it does not run on the stack that the system
 * knows of (coroutines), or that cannot be found out. Cheap after the thread's first call. */
size_t os_stack_left(void);
/* Reads a whole file of at most `max` bytes into the arena, NUL-terminated. */
Status os_read_file(Arena *arena, const char *path, size_t max, Str *out, Error *err);
/* The environment variable, "" and unset alike NULL. Never setenv. */
const char *os_env(const char *name);
/* "~/.config/tributary" style folders; NULL when there is no home (a web server's user). */
char *os_config_dir(Arena *arena);
char *os_state_dir(Arena *arena);
/* The stamp of this process: changes after fork. Cheap. */
uint32_t os_pid_stamp(void);
/* Locks a lock of the process. In a forked child a thread that does not exist may hold it: there it is
 * made anew before its first use, and true is returned once: what it guards is the parent's. */
bool os_lock_forked(pthread_mutex_t *lock, _Atomic uint32_t *stamp);

#endif
