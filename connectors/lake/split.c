/*
 * split.c - which files a scan reads, and how they are shared out.
 *
 * Files are listed anew for every execution; those whose partitions, path or size fail a condition are
 * dropped before anything of them is read. The bytes that remain are dealt out in order, in shares of
 * equal size; a file that can be read in ranges is cut where a share is full, at the next record's
 * beginning, any other one goes whole to the share in which it begins.
 */
#include "connectors/lake/plan.h"

enum { SHARE_BYTES_MIN = 1024 * 1024 };
/* A LIMIT that small is found in the first file. */
#define SMALL_LIMIT 100000

typedef struct Dealing {
    TribPlan *plan;
    TribCall *call;
    SplitList *list;
    Arena *arena;
    Piece *pieces; /* all, in order */
    uint32_t npieces, room;
    uint32_t *firsts; /* per share: its first piece */
    uint32_t nshares;
    uint32_t wanted; /* shares */
    uint64_t dealt;  /* bytes */
} Dealing;

typedef struct Wanted {
    const TribPlan *plan;
} Wanted;

static bool file_wanted(void *context, const TableFile *file, Status *status, Error *err) {
    const Wanted *self = context;
    bool pass = false;
    *status = prune_test(&self->plan->prune, self->plan->def->store->scheme, file, &pass, err);
    return pass;
}

static Status piece_add(Dealing *self, const TableFile *file, uint64_t begin, uint64_t end,
                        Error *err) {
    if (self->npieces == self->room) {
        uint32_t room = self->room ? self->room * 2 : 64;
        TRY_ALLOC(self->pieces,
                  arena_resize(self->arena, self->pieces, self->room * sizeof(Piece),
                               room * sizeof(Piece)),
                  err);
        self->room = room;
    }
    self->pieces[self->npieces++] = (Piece){file, begin, end};
    self->dealt += end - begin;
    return TRIB_OK;
}

static bool file_divisible(const Dealing *self, const TableFile *file) {
    const Shape *shape = &self->plan->shape;
    const FileList *files = &self->list->files;
    /* A cut costs requests: where every share gets a file of its own it is not worth them. */
    if (self->plan->def->store->remote && files->count >= self->wanted) return false;
    return format_of(shape->format)->boundary &&
           format_codec(shape, file->object.key) == CODEC_NONE;
}

/* Deals one file out; `share` = bytes of a share. */
static Status file_deal(Dealing *self, const TableFile *file, uint64_t share, uint32_t most,
                        Error *err) {
    uint64_t begin = 0, size = file->object.size;
    const TribPlan *plan = self->plan;
    while (self->nshares < most && file_divisible(self, file)) {
        /* Where the share that is being filled ends, in this file. */
        uint64_t full = share * self->nshares, cut, at;
        if (full <= self->dealt) break;
        at = begin + (full - self->dealt);
        if (at + SHARE_BYTES_MIN / 4 >= size) break;
        FormatParams params = {.host = plan->catalog->host,
                               .catalog = plan->catalog->name,
                               .call = self->call,
                               .store = plan->def->store,
                               .shape = &plan->shape,
                               .range = {&file->object, 0, size, &self->list->files.stats, true}};
        TRY(format_of(plan->shape.format)->boundary(&params, at, &cut, err));
        if (cut == UINT64_MAX || cut <= begin || cut >= size) break;
        TRY(piece_add(self, file, begin, cut, err));
        begin = cut;
        self->firsts[self->nshares++] = self->npieces;
    }
    if (begin < size || size == 0) TRY(piece_add(self, file, begin, size, err));
    if (self->dealt >= share * self->nshares && self->nshares < most)
        self->firsts[self->nshares++] = self->npieces;
    return TRIB_OK;
}

static Status shares_make(Dealing *self, Error *err) {
    SplitList *list = self->list;
    LakeSplit *splits;
    TribSplit *items;
    uint32_t n = self->nshares;
    if (n > 1 && self->firsts[n - 1] == self->npieces) n--; /* nothing was left for the last one */
    TRY_ALLOC(splits, ARENA_ARRAY(self->arena, LakeSplit, n), err);
    TRY_ALLOC(items, ARENA_ARRAY(self->arena, TribSplit, n), err);
    TRY_ALLOC(list->list, ARENA_ARRAY(self->arena, const TribSplit *, n), err);
    list->count = n;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t end = i + 1 < n ? self->firsts[i + 1] : self->npieces;
        splits[i] = (LakeSplit){end - self->firsts[i],
                                self->pieces ? self->pieces + self->firsts[i] : NULL};
        items[i] = (TribSplit){.size = sizeof(TribSplit), .data = &splits[i], .rows = -1};
        for (uint32_t k = 0; k < splits[i].npieces; k++)
            items[i].bytes += splits[i].pieces[k].end - splits[i].pieces[k].begin;
        list->list[i] = &items[i];
    }
    return TRIB_OK;
}

static Status files_deal(Dealing *self, uint32_t wanted, Error *err) {
    const FileList *files = &self->list->files;
    uint64_t most = files->bytes / SHARE_BYTES_MIN + 1;
    if (most > wanted) most = wanted;
    if (self->plan->limit >= 0 && self->plan->limit < SMALL_LIMIT) most = 1;
    uint64_t share = files->bytes / most + 1;
    TRY_ALLOC(self->firsts, ARENA_ARRAY(self->arena, uint32_t, most), err);
    self->nshares = 1;
    self->wanted = (uint32_t)most;
    for (uint32_t i = 0; i < files->count; i++)
        TRY(file_deal(self, &files->files[i], share, (uint32_t)most, err));
    return shares_make(self, err);
}

void split_list_free(SplitList *list) {
    arena_free(list->files.arena); /* holds the list itself */
}

static Status list_make(TribPlan *plan, TribCall *call, uint32_t wanted, Arena *arena,
                        SplitList **out, Error *err) {
    SplitList *list;
    Wanted filter = {plan};
    TRY_ALLOC(list, ARENA_NEW(arena, SplitList), err);
    list->files = (FileList){.arena = arena,
                             .def = plan->def,
                             .npartitions = plan->npartitions,
                             .partitions = plan->partitions,
                             .wanted = file_wanted,
                             .context = &filter};
    Status status = table_files(call, &list->files, err);
    /* A table that is declared may have no folder yet. */
    if (status == TRIB_NOT_FOUND && plan->def->ncolumns) status = TRIB_OK;
    if (status == TRIB_NOT_FOUND)
        status = error_set(err, ERR_SOURCE, "there is no file or folder %s%s any more",
                           plan->def->store->scheme, plan->def->path);
    TRY(status);
    list->files.wanted = NULL;
    list->files.context = NULL;
    Dealing dealing = {.plan = plan, .call = call, .list = list, .arena = arena};
    *out = list;
    return files_deal(&dealing, wanted ? wanted : 1, err);
}

TribStatus lake_splits(TribPlan *plan, TribCall *call, uint32_t wanted,
                       const TribSplit *const **out, uint32_t *count, TribError *err) {
    Arena *arena;
    SplitList *list = NULL;
    TRY(call_check(call, plan->catalog->name, err));
    TRY_ALLOC(arena, arena_new(NULL), err);
    Status status = list_make(plan, call, wanted, arena, &list, err);
    if (status != TRIB_OK) {
        arena_free(arena);
        return error_source(err, plan->catalog->name);
    }
    pthread_mutex_lock(&plan->lock);
    list->next = plan->lists;
    plan->lists = list;
    pthread_mutex_unlock(&plan->lock);
    *out = list->list;
    *count = list->count;
    return TRIB_OK;
}
