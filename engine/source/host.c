/*
 * host.c - what the engine offers to connectors: memory, log, time zones.
 *
 * Memory of connectors is charged to the process budget. Blocks of 256 KiB and more are mappings of
 * their own, so that what a connector frees goes back to the system; smaller ones come from the heap.
 * Each block carries its size in front. Every function is safe from any thread.
 */
#include "engine/base/calendar.h"
#include "engine/base/log.h"
#include "engine/source/internal.h"

#define MAP_FROM ((size_t)256 * 1024)

/* 64 bytes, so that blocks are aligned to cache lines in mappings, and to 16 on the heap. */
typedef struct BlockHead {
    size_t bytes; /* with the head */
    bool mapped;
    char padding[64 - sizeof(size_t) - sizeof(bool)];
} BlockHead;

static pthread_once_t host_once = PTHREAD_ONCE_INIT;
static Grant host_grant;

static void host_start(void) {
    (void)grant_init(&host_grant, budget_process(), 0, false);
}

static void *host_alloc(void *self, size_t bytes) {
    (void)self;
    if (bytes > PTRDIFF_MAX / 2) return NULL;
    size_t whole = bytes + sizeof(BlockHead);
    bool mapped = whole >= MAP_FROM;
    BlockHead *head;
    if (mapped) {
        head = grant_map(&host_grant, whole);
    } else {
        if (!grant_try(&host_grant, (int64_t)whole)) return NULL;
        head = heap_resize(NULL, whole);
        if (!head) grant_shrink(&host_grant, (int64_t)whole);
    }
    if (!head) return NULL;
    head->bytes = whole;
    head->mapped = mapped;
    return head + 1;
}

static void host_free(void *self, void *memory) {
    (void)self;
    if (!memory) return;
    BlockHead *head = (BlockHead *)memory - 1;
    if (head->mapped) {
        grant_unmap(&host_grant, head, head->bytes);
        return;
    }
    grant_shrink(&host_grant, (int64_t)head->bytes);
    heap_free(head);
}

static bool host_charge(void *self, int64_t bytes) {
    (void)self;
    if (bytes >= 0) return grant_try(&host_grant, bytes);
    grant_shrink(&host_grant, -bytes);
    return true;
}

static LogLevel host_level(TribLogLevel level) {
    static const LogLevel levels[] = {[TRIB_LOG_ERROR] = LOG_ERROR,
                                      [TRIB_LOG_WARN] = LOG_WARN,
                                      [TRIB_LOG_INFO] = LOG_INFO,
                                      [TRIB_LOG_DEBUG] = LOG_DEBUG,
                                      [TRIB_LOG_TRACE] = LOG_TRACE};
    return (uint32_t)level < COUNT_OF(levels) ? levels[level] : LOG_TRACE;
}

static bool host_log_enabled(void *self, TribLogLevel level) {
    (void)self;
    return log_enabled(host_level(level));
}

static void host_log(void *self, TribLogLevel level, const char *catalog, const char *text) {
    (void)self;
    if (text) log_write(host_level(level), catalog ? catalog : "", "%s", text);
}

static int16_t host_zone(void *self, const char *name, size_t length) {
    (void)self;
    return zone_lookup((Str){name, length});
}

const TribHost *source_host(void) {
    static const TribHost host = {
        .size = sizeof(TribHost),
        .alloc = host_alloc,
        .free = host_free,
        .charge = host_charge,
        .log_enabled = host_log_enabled,
        .log = host_log,
        .zone_id = host_zone,
    };
    pthread_once(&host_once, host_start);
    return &host;
}
