/*
 * store_local.c - files in local folders.
 *
 * Listing walks depth first, each folder's names sorted, following symbolic links; depth is bounded, so
 * that a link to a folder above ends in an error, not in a loop. Reading is pread of the range asked for.
 * The file is compared with what the listing saw when it is opened and again when its range ends.
 *
 * No state: any thread. Memory: a listing holds the names of one folder per level.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connectors/lake/store.h"
#include "engine/base/os.h"

enum { DEPTH_MAX = 64, NAMES_MAX_BYTES = 256 * 1024 * 1024 };

static ErrorCode errno_code(int number) {
    switch (number) {
    case ENOENT:
    case ENOTDIR: return ERR_TABLE_NOT_FOUND;
    case EACCES:
    case EPERM: return ERR_AUTHORIZATION;
    case ENOMEM: return ERR_OUT_OF_MEMORY;
    default: return ERR_IO;
    }
}

static Status path_fault(Error *err, const char *path) {
    int number = errno;
    return error_errno(err, errno_code(number), number, path);
}

static void object_fill(const char *key, const struct stat *info, StoreObject *out) {
    *out = (StoreObject){.key = key,
                         .size = (uint64_t)info->st_size,
                         .modified_ns =
                             (int64_t)info->st_mtim.tv_sec * 1000000000 + info->st_mtim.tv_nsec,
                         .inode = (uint64_t)info->st_ino,
                         .device = (uint64_t)info->st_dev};
}

Status store_changed(const Store *self, const StoreObject *object, const char *how, Error *err) {
    error_set(err, ERR_SOURCE, "%s%s changed while it was read: %s", self->scheme, object->key,
              how);
    return error_hint(err, "run the query again; write new files instead of changing old ones");
}

/* ---------------------------------------------------------------- listing */

typedef struct Walk {
    Store *store;
    TribCall *call;
    const StoreVisit *visit;
    bool deep;
} Walk;

static int names_compare(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names in an open folder, but "." and "..", sorted. Closes it. */
static Status names_read(Arena *arena, DIR *folder, const char *path, char ***out, size_t *count,
                         Error *err) {
    char **names = NULL;
    size_t room = 0, bytes = 0;
    Status status = TRIB_OK;
    *count = 0;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (!entry) {
            if (errno) status = path_fault(err, path);
            break;
        }
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        bytes += strlen(name) + sizeof(char *);
        if (bytes > NAMES_MAX_BYTES) {
            status = error_set(err, ERR_LIMIT, "%s holds more than %zu names", path, *count);
            break;
        }
        if (*count == room) {
            size_t more = room ? room * 2 : 64;
            names = arena_resize(arena, names, room * sizeof(char *), more * sizeof(char *));
            room = more;
        }
        if (names) names[*count] = arena_strdup(arena, name);
        if (!names || !names[*count]) {
            status = error_out_of_memory(err);
            break;
        }
        (*count)++;
    }
    closedir(folder);
    if (status == TRIB_OK && *count) qsort(names, *count, sizeof *names, names_compare);
    *out = names;
    return status;
}

static Status folder_walk(const Walk *walk, const char *path, uint32_t depth, Error *err);

static Status entry_visit(const Walk *walk, Arena *arena, const char *path, const char *name,
                          uint32_t depth, Error *err) {
    struct stat info;
    char *whole;
    size_t length = strlen(path);
    const char *slash = length && path[length - 1] == '/' ? "" : "/";
    TRY_ALLOC(whole, arena_printf(arena, "%s%s%s", path, slash, name), err);
    if (stat(whole, &info) != 0) {
        if (errno == ENOENT) return TRIB_OK; /* a dangling link, or gone since */
        return path_fault(err, whole);
    }
    if (S_ISREG(info.st_mode)) {
        StoreObject object;
        object_fill(whole, &info, &object);
        return walk->visit->object(walk->visit->self, &object, err);
    }
    if (!S_ISDIR(info.st_mode)) return TRIB_OK; /* sockets, pipes, devices are no data */
    bool enter = true;
    TRY(walk->visit->folder(walk->visit->self, whole, &enter, err));
    return enter && walk->deep ? folder_walk(walk, whole, depth + 1, err) : TRIB_OK;
}

static Status folder_walk(const Walk *walk, const char *path, uint32_t depth, Error *err) {
    Arena *arena;
    char **names = NULL;
    size_t count = 0;
    if (depth > DEPTH_MAX)
        return error_set(err, ERR_LIMIT, "folders nested deeper than %d: %s", DEPTH_MAX, path);
    TRY(call_check(walk->call, NULL, err));
    DIR *folder = opendir(path);
    if (!folder) return path_fault(err, path);
    arena = arena_new(NULL);
    if (!arena) {
        closedir(folder);
        return error_out_of_memory(err);
    }
    Status status = names_read(arena, folder, path, &names, &count, err);
    for (size_t i = 0; status == TRIB_OK && i < count; i++)
        status = entry_visit(walk, arena, path, names[i], depth, err);
    arena_free(arena);
    return status;
}

static Status local_list(Store *self, TribCall *call, const char *key, bool deep,
                         const StoreVisit *visit, StoreStats *stats, Error *err) {
    Walk walk = {self, call, visit, deep};
    stats->requests++;
    return folder_walk(&walk, key, 0, err);
}

static Status local_stat(Store *self, TribCall *call, Arena *arena, const char *key,
                         StoreObject *out, StoreStats *stats, Error *err) {
    struct stat info;
    if (stat(key, &info) != 0) return path_fault(err, key);
    if (!S_ISREG(info.st_mode)) return error_set(err, ERR_TABLE_NOT_FOUND, "%s is no file", key);
    object_fill(key, &info, out);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- reading */

typedef struct LocalReader {
    StoreReader base; /* first */
    Store *store;
    TribCall *call;
    StoreRange range;
    uint64_t at;
    int file;
} LocalReader;

/* Is the open file still the one that was listed? */
static Status local_verify(const LocalReader *self, Error *err) {
    struct stat info;
    StoreObject now;
    const StoreObject *object = self->range.object;
    if (fstat(self->file, &info) != 0) return path_fault(err, object->key);
    object_fill(object->key, &info, &now);
    if (now.size != object->size)
        return store_changed(self->store, object, "it has another size now", err);
    if (now.modified_ns != object->modified_ns)
        return store_changed(self->store, object, "it was written to", err);
    if (now.inode != object->inode || now.device != object->device)
        return store_changed(self->store, object, "it was replaced by another file", err);
    return TRIB_OK;
}

static Status local_read(StoreReader *base, void *out, size_t size, size_t *got, Error *err) {
    LocalReader *self = (LocalReader *)base;
    *got = 0;
    TRY(call_check(self->call, NULL, err));
    uint64_t left = self->range.end - self->at;
    if (size > left) size = (size_t)left;
    while (*got < size) {
        int64_t start = os_now_ns();
        ssize_t n = pread(self->file, (char *)out + *got, size - *got, (off_t)self->at);
        self->range.stats->wait_ns += os_now_ns() - start;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return path_fault(err, self->range.object->key);
        if (n == 0) return store_changed(self->store, self->range.object, "it became shorter", err);
        *got += (size_t)n;
        self->at += (uint64_t)n;
        self->range.stats->bytes += (uint64_t)n;
    }
    return self->at == self->range.end ? local_verify(self, err) : TRIB_OK;
}

static void local_close(StoreReader *base) {
    LocalReader *self = (LocalReader *)base;
    if (self->file >= 0) close(self->file);
    heap_free(self);
}

static Status local_open(Store *self, TribCall *call, const StoreRange *range, StoreReader **out,
                         Error *err) {
    LocalReader *reader;
    *out = NULL;
    TRY_ALLOC(reader, heap_alloc(sizeof *reader), err);
    *reader = (LocalReader){.base = {local_read, local_close},
                            .store = self,
                            .call = call,
                            .range = *range,
                            .at = range->begin};
    range->stats->requests++;
    /* NONBLOCK: a pipe that took the file's place must not block us. */
    reader->file = open(range->object->key, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    Status status = TRIB_OK;
    if (reader->file < 0)
        status = errno == ENOENT ? store_changed(self, range->object, "it was removed", err)
                                 : path_fault(err, range->object->key);
    if (status == TRIB_OK) status = local_verify(reader, err);
    if (status != TRIB_OK) {
        local_close(&reader->base);
        return status;
    }
    (void)posix_fadvise(reader->file, (off_t)range->begin, (off_t)(range->end - range->begin),
                        POSIX_FADV_SEQUENTIAL);
    *out = &reader->base;
    return TRIB_OK;
}

static void local_free(Store *self) {}

Store *store_local(void) {
    static Store store = {"", local_list, local_stat, local_open, local_free, false, NULL};
    return &store;
}
