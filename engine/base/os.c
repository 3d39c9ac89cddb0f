/*
 * os.c - clocks, threads, files, random bytes.
 *
 * Everything here is a good guest: descriptors are close-on-exec, threads block every signal, the
 * environment is read and never written, nothing is printed. Safe from any thread.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/number.h"
#include "engine/base/os.h"

#ifdef TRIB_ASAN
#define THREAD_STACK ((size_t)64 << 20)
#else
#define THREAD_STACK ((size_t)8 << 20)
#endif

#define SMALL_FILE 4096

int64_t os_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t os_realtime_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

uint32_t os_cores(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        int count = CPU_COUNT(&set);
        if (count > 0) return (uint32_t)count;
    }
    /* More processors than the set has bits. */
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (uint32_t)online : 1;
}

/* ---------------------------------------------------------------- memory of the machine */

/* Reads a small file into `out` with a NUL; false when it cannot be read or does not fit. */
static bool small_file(const char *path, char out[SMALL_FILE]) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    size_t length = 0;
    ssize_t got;
    do {
        got = read(file, out + length, SMALL_FILE - length);
        if (got > 0) length += (size_t)got;
    } while ((got > 0 && length < SMALL_FILE) || (got < 0 && errno == EINTR));
    close(file);
    if (got < 0 || length == SMALL_FILE) return false;
    out[length] = '\0';
    return true;
}

static uint64_t limit_of_file(const char *path) {
    char text[SMALL_FILE];
    int64_t value;
    if (!small_file(path, text)) return UINT64_MAX;
    if (int64_parse(str_trim(str_from(text)), &value) != NUMBER_OK || value <= 0) return UINT64_MAX;
    return (uint64_t)value;
}

/* The smallest limit on the way from our control group to the root; `group` is cut up. */
static uint64_t limit_of_group(const char *mount, char *group, const char *file) {
    uint64_t limit = UINT64_MAX;
    for (;;) {
        char path[2 * SMALL_FILE];
        int length = text_format(path, sizeof path, "%s%s/%s", mount, group, file);
        if (length > 0 && (size_t)length < sizeof path) {
            uint64_t here = limit_of_file(path);
            if (here < limit) limit = here;
        }
        char *slash = strrchr(group, '/');
        if (!slash) return limit;
        *slash = '\0';
    }
}

static uint64_t control_group_limit(void) {
    char text[SMALL_FILE];
    uint64_t limit = UINT64_MAX;
    if (!small_file("/proc/self/cgroup", text)) return limit;
    char *line = text;
    while (line && *line) {
        char *end = strchr(line, '\n');
        if (end) *end++ = '\0';
        uint64_t here = UINT64_MAX;
        if (strncmp(line, "0::", 3) == 0) {
            here = limit_of_group("/sys/fs/cgroup", line + 3, "memory.max");
        } else {
            char *memory = strstr(line, ":memory:");
            if (memory)
                here = limit_of_group("/sys/fs/cgroup/memory", memory + 8, "memory.limit_in_bytes");
        }
        if (here < limit) limit = here;
        line = end;
    }
    return limit;
}

uint64_t os_memory_bytes(void) {
    static _Atomic uint64_t known;
    uint64_t bytes = atomic_load_explicit(&known, memory_order_relaxed);
    if (bytes != 0) return bytes;
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    bytes = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : (uint64_t)1 << 30;
    uint64_t limit = control_group_limit();
    if (limit < bytes) bytes = limit;
    atomic_store_explicit(&known, bytes, memory_order_relaxed);
    return bytes;
}

bool os_random(void *out, size_t bytes) {
    char *at = out;
    while (bytes > 0) {
        ssize_t got = getrandom(at, bytes, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        bytes -= (size_t)got;
    }
    return true;
}

/* ---------------------------------------------------------------- threads */

Status os_thread_start(pthread_t *out, const char *name, void *(*run)(void *), void *context,
                       Error *err) {
    pthread_attr_t attributes;
    int fault = heap_fault_due() ? EAGAIN : pthread_attr_init(&attributes);
    if (fault == 0) {
        sigset_t all, before;
        pthread_attr_setstacksize(&attributes, THREAD_STACK);
        /* A thread inherits the mask of its creator: signals stay the application's business. */
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        fault = pthread_create(out, &attributes, run, context);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attributes);
    }
    if (fault != 0) {
        (void)error_errno(err, ERR_OUT_OF_MEMORY, fault, "cannot start a thread");
        return error_hint(err, "raise the process's limit of threads or memory (ulimit -u, -v)");
    }
    pthread_setname_np(*out, name);
    return TRIB_OK;
}

/* The lowest address of the thread's stack and the one behind its highest; both 0: not known. */
typedef struct StackBounds {
    bool asked;
    uintptr_t low, high;
} StackBounds;

static void stack_ask(StackBounds *bounds) {
    pthread_attr_t attributes;
    void *low;
    size_t size;
    bounds->asked = true;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
    if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
        bounds->low = (uintptr_t)low;
        bounds->high = bounds->low + size;
    }
    pthread_attr_destroy(&attributes);
}

size_t os_stack_left(void) {
    static _Thread_local StackBounds bounds;
    if (!bounds.asked) stack_ask(&bounds);
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    return here > bounds.low && here < bounds.high ? here - bounds.low : 0;
}

/* ---------------------------------------------------------------- files */

#define PIPE_WAIT_MS 2000

/* Data or the end: a pipe that nobody writes to would otherwise be waited for for ever. */
static Status pipe_wait(int file, const char *path, Error *err) {
    struct pollfd waiting = {.fd = file, .events = POLLIN};
    int ready;
    do ready = poll(&waiting, 1, PIPE_WAIT_MS);
    while (ready < 0 && errno == EINTR);
    if (ready > 0) return TRIB_OK;
    (void)error_set(err, ERR_IO, "nothing comes from the pipe %s", path);
    return err->status;
}

static Status read_all(int file, Arena *arena, const char *path, size_t max, size_t hint, Str *out,
                       Error *err) {
    Buf buf;
    buf_init(&buf, arena, max < SIZE_MAX ? max + 1 : max);
    for (;;) {
        size_t step = buf.len == 0 ? hint + 1 : buf.len;
        if (step > max + 1 - buf.len) step = max + 1 - buf.len;
        char *room = buf_reserve(&buf, step);
        if (!room) return buf_status(&buf, err);
        ssize_t got = read(file, room, step);
        if (got < 0 && errno == EAGAIN) {
            TRY(pipe_wait(file, path, err));
            continue;
        }
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            (void)error_errno(err, ERR_IO, errno, "cannot read");
            return error_detail(err, "file: %s", path);
        }
        buf.len += (size_t)got;
        buf.data[buf.len] = '\0';
        if (buf.len > max)
            return error_set(err, ERR_LIMIT, "the file %s is larger than %zu bytes", path, max);
        if (got == 0) break;
    }
    *out = buf_view(&buf);
    return TRIB_OK;
}

Status os_read_file(Arena *arena, const char *path, size_t max, Str *out, Error *err) {
    if (max > PTRDIFF_MAX / 8) max = PTRDIFF_MAX / 8;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file < 0) {
        (void)error_errno(err, ERR_IO, errno, "cannot open the file");
        return error_detail(err, "file: %s", path);
    }
    struct stat facts;
    if (fstat(file, &facts) == 0 && S_ISFIFO(facts.st_mode)) { /* its writer may not be there yet */
        Status status = pipe_wait(file, path, err);
        if (status != TRIB_OK) {
            close(file);
            return status;
        }
    }
    size_t hint = SMALL_FILE;
    if (fstat(file, &facts) == 0 && facts.st_size > 0 && (uint64_t)facts.st_size <= max)
        hint = (size_t)facts.st_size;
    if (hint > max) hint = max;
    Status status = read_all(file, arena, path, max, hint, out, err);
    close(file);
    return status;
}

/* ---------------------------------------------------------------- environment and folders */

const char *os_env(const char *name) {
    const char *value = secure_getenv(name);
    return value && value[0] ? value : NULL;
}

/* The home folder, or NULL. A folder that does not exist (a service's user) counts as none. */
static char *home_dir(Arena *arena) {
    const char *home = os_env("HOME");
    char *found = NULL;
    if (home) {
        found = arena_strdup(arena, home);
    } else {
        struct passwd entry, *result = NULL;
        size_t size = 1024;
        char *room = NULL;
        int fault = ERANGE;
        while (fault == ERANGE && size <= 1 << 20 && (room = arena_alloc(arena, size)) != NULL) {
            fault = getpwuid_r(getuid(), &entry, room, size, &result);
            size *= 4;
        }
        if (fault == 0 && result && result->pw_dir && result->pw_dir[0] == '/')
            found = arena_strdup(arena, result->pw_dir);
    }
    struct stat facts;
    if (found && (stat(found, &facts) != 0 || !S_ISDIR(facts.st_mode))) return NULL;
    return found;
}

static char *base_dir(Arena *arena, const char *variable, const char *below_home) {
    const char *base = os_env(variable);
    /* The XDG specification: relative paths are invalid and ignored. */
    if (base && base[0] == '/') return arena_printf(arena, "%s/tributary", base);
    const char *home = home_dir(arena);
    return home ? arena_printf(arena, "%s/%s/tributary", home, below_home) : NULL;
}

char *os_config_dir(Arena *arena) {
    return base_dir(arena, "XDG_CONFIG_HOME", ".config");
}

char *os_state_dir(Arena *arena) {
    return base_dir(arena, "XDG_STATE_HOME", ".local/state");
}

/* ---------------------------------------------------------------- fork */

/*
 * The stamp lives on a page that the kernel empties in a forked child (MADV_WIPEONFORK), so that
 * reading it costs one load and no handler needs to run in the child. The count of generations is
 * inherited, hence a child's stamp differs from each of its ancestors' even if a pid comes again.
 */
static pthread_once_t stamp_once = PTHREAD_ONCE_INIT;
static _Atomic uint32_t *stamp_page;
static _Atomic uint32_t stamp_generation;

static void stamp_map(void) {
    void *page = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return;
    if (madvise(page, (size_t)sysconf(_SC_PAGESIZE), MADV_WIPEONFORK) == 0)
        stamp_page = page;
    else
        munmap(page, (size_t)sysconf(_SC_PAGESIZE));
}

uint32_t os_pid_stamp(void) {
    pthread_once(&stamp_once, stamp_map);
    if (!stamp_page) return (uint32_t)getpid();
    uint32_t stamp = atomic_load_explicit(stamp_page, memory_order_acquire);
    if (stamp != 0) return stamp;
    uint32_t generation = atomic_load(&stamp_generation) + 1;
    uint32_t fresh = (uint32_t)getpid() ^ generation << 22;
    if (fresh == 0) fresh = 1;
    if (!atomic_compare_exchange_strong(stamp_page, &stamp, fresh)) return stamp;
    atomic_store(&stamp_generation, generation);
    return fresh;
}

#define STAMP_CHANGING UINT32_MAX

bool os_lock_forked(pthread_mutex_t *lock, _Atomic uint32_t *stamp) {
    uint32_t now = os_pid_stamp(), then = atomic_load_explicit(stamp, memory_order_acquire);
    bool anew = false;
    while (then != now) {
        if (then == STAMP_CHANGING) {
            sched_yield();
            then = atomic_load(stamp);
        } else if (atomic_compare_exchange_weak(stamp, &then, STAMP_CHANGING)) {
            anew = then != 0;
            if (anew) pthread_mutex_init(lock, NULL);
            atomic_store(stamp, now);
            break;
        }
    }
    pthread_mutex_lock(lock);
    return anew;
}
