/*
 * table.c - which files are a table: names of the root, folders, patterns, Hive partitions.
 *
 * Files and folders whose names begin with _ or . do not exist. Below a table's folder everything else
 * belongs to it; folders named key=value give partition columns, their keys and values %-decoded.
 */
#include "connectors/lake/lake.h"

enum { FILES_MAX = 10000000 };

/* ---------------------------------------------------------------- patterns */

bool path_is_pattern(const char *path) {
    return strpbrk(path, "*?[") != NULL;
}

/* One class "[a-z]"; returns the pattern behind it, or NULL if it is none. */
static const char *class_match(const char *at, const char *end, char c, bool *hit) {
    const char *p = at + 1;
    bool negated = p < end && (*p == '!' || *p == '^');
    p += negated;
    *hit = false;
    for (bool first = true; p < end && (*p != ']' || first); first = false) {
        if (p + 2 < end && p[1] == '-' && p[2] != ']') {
            *hit |= c >= p[0] && c <= p[2];
            p += 3;
        } else {
            *hit |= *p++ == c;
        }
    }
    if (p >= end) return NULL;
    *hit ^= negated;
    return p + 1;
}

/* Backtracks to the last star only, and to the last double star when that fails: no recursion. */
bool path_matches(Str pattern, Str path) {
    const char *p = pattern.data, *pend = p + pattern.len, *s = path.data, *send = s + path.len;
    const char *star = NULL, *star_at = NULL, *deep = NULL, *deep_at = NULL;
    for (;;) {
        bool ok = false;
        if (p < pend && *p == '*') {
            if (p + 1 < pend && p[1] == '*') {
                p += 2;
                if (p < pend && *p == '/') p++; /* "**" + "/" may be no folder at all */
                deep = p;
                deep_at = s;
                star = NULL;
            } else {
                star = ++p;
                star_at = s;
            }
            continue;
        }
        if (s == send && p == pend) return true;
        if (s < send && p < pend) {
            const char *next = NULL;
            if (*p == '[' && *s != '/') next = class_match(p, pend, *s, &ok);
            if (!next) {
                ok = *p == *s || (*p == '?' && *s != '/');
                next = p + 1;
            }
            if (ok) {
                p = next;
                s++;
                continue;
            }
        }
        if (star && star_at < send && *star_at != '/') {
            p = star;
            s = ++star_at;
        } else if (deep && deep_at < send) {
            p = deep;
            s = ++deep_at;
            star = NULL;
        } else {
            return false;
        }
    }
}

static bool name_hidden(Str name) {
    return name.len == 0 || name.data[0] == '_' || name.data[0] == '.';
}

static Str last_name(const char *key) {
    const char *slash = strrchr(key, '/');
    return str_from(slash ? slash + 1 : key);
}

/* ---------------------------------------------------------------- partitions */

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %-decoded copy; an incomplete escape stands for itself. Invalid UTF-8 is an error. */
static Status part_decode(Arena *arena, Str text, const char *key, Str *out, Error *err) {
    char *copy;
    size_t n = 0;
    TRY_ALLOC(copy, arena_alloc(arena, text.len + FIELD_PADDING), err);
    for (size_t i = 0; i < text.len; i++) {
        int high = text.data[i] == '%' && i + 2 < text.len + 0 ? hex_value(text.data[i + 1]) : -1;
        int low = high >= 0 ? hex_value(text.data[i + 2]) : -1;
        if (low >= 0) i += 2;
        copy[n++] = low >= 0 ? (char)(high << 4 | low) : text.data[i];
    }
    copy[n] = '\0';
    if (memchr(copy, '\0', n) || !utf8_valid(copy, n))
        return error_set(err, ERR_INVALID_ENCODING,
                         "%s: the name of a partition's folder is not valid UTF-8", key);
    *out = (Str){copy, n};
    return TRIB_OK;
}

/* Steps through the folders key=value of a path. */
typedef struct Parts {
    Str rest; /* folders not looked at yet */
    Str name, value;
} Parts;

static bool parts_next(Parts *self) {
    while (self->rest.len) {
        const char *slash = memchr(self->rest.data, '/', self->rest.len);
        if (!slash) return false; /* the file's own name */
        Str folder = {self->rest.data, (size_t)(slash - self->rest.data)};
        self->rest = (Str){slash + 1, self->rest.len - folder.len - 1};
        const char *equals = folder.len ? memchr(folder.data, '=', folder.len) : NULL;
        if (!equals || equals == folder.data) continue;
        self->name = (Str){folder.data, (size_t)(equals - folder.data)};
        self->value = (Str){equals + 1, folder.len - self->name.len - 1};
        return true;
    }
    return false;
}

/* The first file says which partitions the table has. */
static Status partitions_name(FileList *list, Str relative, const char *key, Error *err) {
    Parts parts = {.rest = relative};
    uint32_t count = 0;
    while (parts_next(&parts)) count++;
    TRY_ALLOC(list->partitions, ARENA_ARRAY(list->arena, const char *, count), err);
    parts = (Parts){.rest = relative};
    while (parts_next(&parts)) {
        Str name;
        TRY(part_decode(list->arena, parts.name, key, &name, err));
        for (uint32_t i = 0; i < list->npartitions; i++) {
            if (str_equal_fold(str_from(list->partitions[i]), name))
                return error_set(err, ERR_MISMATCH, "%s: the partition %s stands in it twice", key,
                                 name.data);
        }
        list->partitions[list->npartitions++] = name.data;
    }
    return TRIB_OK;
}

static Status partitions_read(FileList *list, Str relative, const char *key, const Str **out,
                              Error *err) {
    Str *values;
    uint32_t seen = 0;
    Parts parts = {.rest = relative};
    TRY_ALLOC(values, ARENA_ARRAY(list->arena, Str, (size_t)list->npartitions + 1), err);
    while (parts_next(&parts)) {
        Str name, value = {NULL, 0};
        TRY(part_decode(list->arena, parts.name, key, &name, err));
        uint32_t i = 0;
        while (i < list->npartitions && !str_equal(str_from(list->partitions[i]), name)) i++;
        if (i == list->npartitions) {
            error_set(err, ERR_MISMATCH, "%s: the table has no partition %s", key, name.data);
            return error_hint(err, "all files of a table need the same partition folders");
        }
        if (!str_equal(parts.value, STR(LAKE_NULL_PART)))
            TRY(part_decode(list->arena, parts.value, key, &value, err));
        values[i] = value;
        seen++;
    }
    if (seen != list->npartitions) {
        error_set(err, ERR_MISMATCH, "%s has not all partitions of the table", key);
        return error_hint(err, "all files of a table need the same partition folders");
    }
    *out = values;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- files */

typedef struct Listing {
    FileList *list;
    size_t root; /* bytes of the key that stand before what is relative to the table */
    Str pattern; /* for the relative path; len 0 = all */
    bool named;  /* partitions are known */
} Listing;

static bool relative_hidden(Str relative) {
    while (relative.len) {
        const char *slash = memchr(relative.data, '/', relative.len);
        Str name = {relative.data, slash ? (size_t)(slash - relative.data) : relative.len};
        if (name_hidden(name)) return true;
        if (!slash) return false;
        relative = (Str){slash + 1, relative.len - name.len - 1};
    }
    return true; /* a key that ends in a slash: a folder's marker */
}

static Status file_add(Listing *self, const StoreObject *object, Str relative, Error *err) {
    FileList *list = self->list;
    TableFile file = {.object = *object};
    if (list->count == FILES_MAX)
        return error_set(err, ERR_LIMIT, "the table has more than %d files", FILES_MAX);
    if (list->count == list->room) {
        uint32_t room = list->room ? list->room * 2 : 64;
        TRY_ALLOC(list->files,
                  arena_resize(list->arena, list->files, list->room * sizeof(TableFile),
                               room * sizeof(TableFile)),
                  err);
        list->room = room;
    }
    TRY(partitions_read(list, relative, object->key, &file.partitions, err));
    if (list->wanted) {
        Status status = TRIB_OK;
        bool wanted = list->wanted(list->context, &file, &status, err);
        TRY(status);
        if (!wanted) return TRIB_OK;
    }
    TRY_ALLOC(file.object.key, arena_strdup(list->arena, object->key), err);
    if (object->etag) TRY_ALLOC(file.object.etag, arena_strdup(list->arena, object->etag), err);
    list->files[list->count++] = file;
    list->bytes += object->size;
    return TRIB_OK;
}

static Status object_visit(void *context, const StoreObject *object, Error *err) {
    Listing *self = context;
    Str key = str_from(object->key);
    if (key.len <= self->root) return TRIB_OK;
    Str relative = {key.data + self->root, key.len - self->root};
    if (relative_hidden(relative)) return TRIB_OK;
    if (self->pattern.len && !path_matches(self->pattern, relative)) return TRIB_OK;
    if (!utf8_valid(key.data, key.len))
        return error_set(err, ERR_INVALID_ENCODING, "a file's name is not valid UTF-8: %s",
                         object->key);
    if (!self->named) {
        TRY(partitions_name(self->list, relative, object->key, err));
        self->named = true;
    }
    return file_add(self, object, relative, err);
}

static Status folder_visit(void *context, const char *key, bool *enter, Error *err) {
    *enter = !name_hidden(last_name(key));
    return TRIB_OK;
}

/* The folder above the first name of a pattern that has a star or the like in it. */
static size_t pattern_root(const char *path) {
    size_t first = strcspn(path, "*?["), root = 0;
    for (size_t i = 0; i < first; i++) {
        if (path[i] == '/') root = i;
    }
    return root;
}

Status table_files(TribCall *call, FileList *list, Error *err) {
    const TableDef *def = list->def;
    Store *store = def->store;
    Listing listing = {.list = list, .named = list->partitions != NULL};
    StoreVisit visit = {&listing, object_visit, folder_visit};
    char *root;
    if (def->pattern) {
        size_t length = pattern_root(def->path);
        TRY_ALLOC(root, arena_copy(list->arena, def->path, length ? length : 1), err);
        listing.root = length + 1;
        listing.pattern = str_from(def->path + length + 1);
        return store->list(store, call, root, true, &visit, &list->stats, err);
    }
    StoreObject object;
    Status status = store->stat(store, call, list->arena, def->path, &object, &list->stats, err);
    if (status == TRIB_OK) {
        Str name = last_name(def->path);
        if (!listing.named) TRY(partitions_name(list, name, def->path, err));
        return file_add(&listing, &object, name, err);
    }
    if (status != TRIB_NOT_FOUND) return status;
    listing.root = strlen(def->path) + 1;
    return store->list(store, call, def->path, true, &visit, &list->stats, err);
}

/* ---------------------------------------------------------------- tables of the root */

typedef struct RootVisit {
    TribCatalog *catalog;
    Arena *arena;
    Map seen;           /* names */
    const char *wanted; /* NULL: all */
    const char *found[2];
    uint32_t nfound;
    Status (*visit)(void *, const char *);
    void *context;
} RootVisit;

static Status root_entry(RootVisit *self, const char *key, Str name, Error *err) {
    char *copy;
    if (!utf8_valid(name.data, name.len)) return TRIB_OK; /* cannot be named in SQL */
    if (self->wanted) {
        if (!str_equal(name, str_from(self->wanted))) return TRIB_OK;
        if (self->nfound < 2)
            TRY_ALLOC(self->found[self->nfound++], arena_strdup(self->arena, key), err);
        return TRIB_OK;
    }
    if (map_get(&self->seen, name)) return TRIB_OK;
    TRY_ALLOC(copy, str_dup(self->arena, name), err);
    if (!map_put(&self->seen, name, copy)) return error_out_of_memory(err);
    return self->visit(self->context, copy);
}

static Status root_object(void *context, const StoreObject *object, Error *err) {
    RootVisit *self = context;
    Str name = last_name(object->key), stem;
    if (name_hidden(name)) return TRIB_OK;
    const Format *format = format_of_name(name, &stem);
    if (!format && self->catalog->root.shape.format == FORMAT_AUTO) return TRIB_OK;
    return root_entry(self, object->key, stem, err);
}

static Status root_folder(void *context, const char *key, bool *enter, Error *err) {
    Str name = last_name(key);
    *enter = false;
    return name_hidden(name) ? TRIB_OK : root_entry(context, key, name, err);
}

static Status root_list(TribCatalog *catalog, TribCall *call, RootVisit *self, Error *err) {
    StoreVisit visit = {self, root_object, root_folder};
    StoreStats stats = {0};
    Store *store = catalog->root.store;
    Status status = store->list(store, call, catalog->root.path, false, &visit, &stats, err);
    if (status == TRIB_NOT_FOUND) {
        (void)error_set(err, ERR_SOURCE, "there is no folder %s, or nothing in it", catalog->path);
        return error_hint(err, "check the option \"path\" of the catalog");
    }
    return status;
}

Status table_each(TribCatalog *catalog, TribCall *call, Status (*visit)(void *, const char *),
                  void *context, Error *err) {
    if (catalog->listed) {
        for (uint32_t i = 0; i < catalog->ntables; i++)
            TRY(visit(context, catalog->tables[i].name));
        return TRIB_OK;
    }
    Arena *arena;
    TRY_ALLOC(arena, arena_new(NULL), err);
    RootVisit self = {.catalog = catalog, .arena = arena, .visit = visit, .context = context};
    map_init(&self.seen, arena, false);
    Status status = root_list(catalog, call, &self, err);
    arena_free(arena);
    return status;
}

static Status table_unknown(const TribCatalog *catalog, const char *name, Error *err) {
    return error_set(err, ERR_TABLE_NOT_FOUND, "there is no table \"%s\" in %s", name,
                     catalog->path);
}

static Status root_table(TribCatalog *catalog, Arena *arena, const char *name, const char *key,
                         const TableDef **out, Error *err) {
    TableDef *def;
    TRY_ALLOC(def, ARENA_NEW(arena, TableDef), err);
    *def = catalog->root;
    TRY_ALLOC(def->name, arena_strdup(arena, name), err);
    TRY_ALLOC(def->path, arena_strdup(arena, key), err);
    *out = def;
    return TRIB_OK;
}

static const TableDef *listed_table(const TribCatalog *catalog, const char *name) {
    for (uint32_t i = 0; i < catalog->ntables; i++) {
        if (strcmp(catalog->tables[i].name, name) == 0) return &catalog->tables[i];
    }
    return NULL;
}

Status table_find(TribCatalog *catalog, TribCall *call, Arena *arena, const char *name,
                  const TableDef **out, Error *err) {
    if (catalog->listed) {
        *out = listed_table(catalog, name);
        return *out ? TRIB_OK : table_unknown(catalog, name, err);
    }
    RootVisit self = {.catalog = catalog, .arena = arena, .wanted = name};
    TRY(root_list(catalog, call, &self, err));
    if (self.nfound == 0) return table_unknown(catalog, name, err);
    if (self.nfound > 1) {
        error_set(err, ERR_SOURCE, "the table \"%s\" could be %s or %s", name, self.found[0],
                  self.found[1]);
        return error_hint(err, "the option tables can give each of them a name");
    }
    return root_table(catalog, arena, name, self.found[0], out, err);
}

Status table_again(TribCatalog *catalog, Arena *arena, const char *name, Str path,
                   const TableDef **out, Error *err) {
    char *key;
    if (catalog->listed) {
        *out = listed_table(catalog, name);
        return *out ? TRIB_OK : table_unknown(catalog, name, err);
    }
    TRY_ALLOC(key, str_dup(arena, path), err);
    return root_table(catalog, arena, name, key, out, err);
}
