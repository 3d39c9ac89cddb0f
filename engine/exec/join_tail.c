/*
 * join_tail.c - what is left of a hash join when its probe side has ended.
 *
 *   1. Jobs: a partition that went to disk, its build rows against its probe rows. If the build
 *   rows fit into memory, they
 *      get a table and the probe rows stream past it. If not, both sides are split by the next
 *      bits of the hash
 *      into 16 smaller jobs. Where that does not help (one heavy key, bits used up, a join
 *      without keys), the build rows are
 *      taken a chunk at a time, and the probe rows stream past each chunk; which of them have
 *      had a match is
 *      remembered in a bitmap, and a last pass puts out the rows that depend on it.
 *   2. RIGHT, FULL, RIGHT_ANTI: build rows in memory without a match, and those with NULL keys;
 *   RIGHT_SEMI: those with one.
 *   3. IN with NULLs and further conditions: undecided rows against the build rows that could be
 *   equal but for a NULL.
 *
 * Jobs are taken by any number of workers. One that finds no memory while others hold some waits
 * for them: it returns STEP_BLOCKED and is woken when a job ends. The third part begins when the
 * first is over.
 */
#include "engine/exec/join.h"

#define SPLIT_BITS 4

typedef enum TailState {
    TAIL_IDLE,
    TAIL_LOAD,
    TAIL_PROBE,
    TAIL_CHUNK_END,
    TAIL_REST,
    TAIL_UNMATCHED
} TailState;

typedef struct TailLocal {
    JoinShared *shared;
    uint32_t worker;
    JoinProbe probe;
    JoinAside *aside;
    Arena *arena; /* of the probe batch */
    Batch batch;
    ColumnRoom *key_rooms, *column_rooms;
    TailState state;
    JoinJob job;
    /* the "job" is a partition in memory, of which unmatched rows are put out */
    bool unmatched_only;
    PageList *unmatched;
    JoinTable table;
    Block slots;
    uint32_t from, to; /* build pages of the chunk */
    Block found;       /* bitmap over the job's probe rows; data NULL: one chunk is all */
    uint64_t base;     /* number of the batch's first probe row */
    /* cursor in the probe pages, or in those looked through for unmatched rows */
    uint32_t page, row;
    bool in_batch;
    uint32_t batch_rows;
} TailLocal;

/* ---------------------------------------------------------------- life */

static Status tail_rooms(TailLocal *self, Arena *arena, Error *err) {
    const JoinShared *shared = self->shared;
    const RowLayout *layout = shared->probe_layout;
    TRY_ALLOC(self->key_rooms, ARENA_ARRAY(arena, ColumnRoom, layout->ncolumns + 1), err);
    TRY_ALLOC(self->column_rooms, ARENA_ARRAY(arena, ColumnRoom, shared->nprobe + 1), err);
    for (uint32_t k = 0; k < shared->nkeys; k++)
        TRY(column_room_new(arena, &layout->columns[k], &self->key_rooms[k], err));
    for (uint32_t o = 0; o < shared->nprobe; o++) {
        if (shared->probe_column[o] == NO_COLUMN) continue;
        TRY(column_room_new(arena, &layout->columns[shared->probe_column[o]],
                            &self->column_rooms[o], err));
    }
    return TRIB_OK;
}

static Status tail_new(OpContext *context, TailLocal **out, Error *err) {
    JoinShared *shared = context->shared;
    TailLocal *self;
    TRY_ALLOC(self, ARENA_NEW(context->arena, TailLocal), err);
    self->shared = shared;
    self->worker = context->worker;
    *out = self;
    TRY(join_probe_new(shared, context->arena, &self->probe, err));
    TRY_ALLOC(self->arena, arena_new(context->arena), err);
    batch_init(&self->batch, self->arena);
    TRY(tail_rooms(self, context->arena, err));
    return shared->unknown_rows ? join_aside_new(shared, &self->aside, err) : TRIB_OK;
}

static void waiters_wake(JoinShared *self) {
    for (uint32_t w = 0; w < self->query->workers; w++) {
        if (!self->waiting[w].wake) continue;
        Waker waker = self->waiting[w];
        self->waiting[w].wake = NULL;
        self->blocked--;
        waker_wake(&waker);
    }
}

/* Frees what a job holds, except build pages that undecided rows may still ask for. */
static Status job_end(TailLocal *self, Error *err) {
    JoinShared *shared = self->shared;
    Status status = TRIB_OK;
    block_free(&shared->grant, &self->slots);
    block_free(&shared->grant, &self->found);
    if (shared->unknown_rows && !self->job.unknown) {
        for (uint32_t p = 0; p < self->job.build.count; p++)
            page_unload(&self->job.build.pages[p], &shared->space);
        pthread_mutex_lock(&shared->lock);
        status = page_list_move(&shared->retained, &self->job.build, err);
        pthread_mutex_unlock(&shared->lock);
        /* the rows with NULLs are needed once more */
    } else if (self->job.unknown && shared->undecided_next == 1) {
        status = page_list_move(&shared->nulls, &self->job.build, err);
    }
    page_list_clear(&self->job.build, &shared->space);
    page_list_clear(&self->job.probe, &shared->space);
    self->state = TAIL_IDLE;
    pthread_mutex_lock(&shared->lock);
    shared->active--;
    waiters_wake(shared);
    pthread_mutex_unlock(&shared->lock);
    return status;
}

void join_tail_free(void *local) {
    TailLocal *self = local;
    if (!self) return;
    JoinShared *shared = self->shared;
    pthread_mutex_lock(&shared->lock);
    if (shared->waiting[self->worker].wake) shared->blocked--;
    shared->waiting[self->worker].wake = NULL;
    pthread_mutex_unlock(&shared->lock);
    if (self->state != TAIL_IDLE && !self->unmatched_only) {
        Error ignored;
        error_clear(&ignored);
        if (job_end(self, &ignored) != TRIB_OK) error_clear(&ignored); /* freed all the same */
    }
}

/* ---------------------------------------------------------------- jobs */

/* Lock held. */
static Status job_push(JoinShared *self, JoinJob *job, Error *err) {
    if (self->njobs == self->jobs_capacity) {
        uint32_t capacity = self->jobs_capacity ? self->jobs_capacity * 2 : 64;
        JoinJob *jobs;
        TRY_ALLOC(jobs, heap_resize(self->jobs, capacity * sizeof *jobs), err);
        self->jobs = jobs;
        self->jobs_capacity = capacity;
    }
    self->jobs[self->njobs++] = *job;
    *job = (JoinJob){0};
    return TRIB_OK;
}

static void job_drop(JoinShared *self, JoinJob *job) {
    page_list_clear(&job->build, &self->space);
    page_list_clear(&job->probe, &self->space);
}

/* Lock held: pairs up what build and probe workers have put on disk. */
static Status tail_make(JoinShared *self, Error *err) {
    if (self->tail_made) return TRIB_OK;
    self->tail_made = true;
    for (uint32_t p = atomic_load(&self->kept); p < 1u << self->bits; p++) {
        JoinJob job = {.top = RADIX_TOP - self->bits};
        Status status = page_list_move(&job.build, &self->lists[p], err);
        for (JoinAside *aside = self->asides; aside && status == TRIB_OK; aside = aside->next)
            status = row_store_take(&aside->store, p, &job.probe, err);
        if (status == TRIB_OK && job.build.rows + job.probe.rows > 0)
            status = job_push(self, &job, err);
        job_drop(self, &job);
        TRY(status);
    }
    return TRIB_OK;
}

bool join_has_tail(JoinShared *shared) {
    if (shared->keeps_build) return true;
    return shared->asides != NULL; /* only made where rows may have to be put aside */
}

/* Lock held: all jobs are over; the undecided rows of both kinds, one after the other. */
static Status undecided_take(JoinShared *self, JoinJob *job, bool *taken, Error *err) {
    *taken = false;
    for (JoinAside *aside = self->asides; aside; aside = aside->next) {
        for (uint32_t kind = 0; kind < 2; kind++)
            TRY(row_store_take(&aside->undecided[kind], 0, &self->undecided[kind], err));
    }
    while (self->undecided_next < 2 && !*taken) {
        uint32_t kind = self->undecided_next++;
        if (self->undecided[kind].rows == 0) continue;
        *job = (JoinJob){.unknown = true, .heavy = true};
        TRY(page_list_move(&job->probe, &self->undecided[kind], err));
        TRY(page_list_move(&job->build, &self->nulls, err));
        if (kind == UNKNOWN_ALL) {
            for (uint32_t p = 0; p < 1u << self->bits; p++)
                TRY(page_list_move(&job->build, &self->lists[p], err));
            TRY(page_list_move(&job->build, &self->retained, err));
        }
        *taken = true;
    }
    return TRIB_OK;
}

/* Finds something to do. */
static Status tail_take(TailLocal *self, bool *taken, Error *err) {
    JoinShared *shared = self->shared;
    Status status;
    *taken = false;
    pthread_mutex_lock(&shared->lock);
    status = tail_make(shared, err);
    uint32_t kept = atomic_load(&shared->kept);
    self->unmatched_only = false;
    if (status != TRIB_OK) {
        /* below */
    } else if (shared->njobs > 0) {
        self->job = shared->jobs[--shared->njobs];
        *taken = true;
    } else if (shared->keeps_build && shared->next_unmatched <= kept) {
        uint32_t p = shared->next_unmatched++;
        self->unmatched = p < kept ? &shared->lists[p] : &shared->nulls;
        self->unmatched_only = *taken = true;
    } else if (shared->unknown_rows && shared->active == 0) {
        status = undecided_take(shared, &self->job, taken, err);
    }
    if (*taken && !self->unmatched_only) shared->active++;
    pthread_mutex_unlock(&shared->lock);
    if (status != TRIB_OK || !*taken) {
        job_drop(shared, &self->job);
        self->job = (JoinJob){0};
        return status;
    }
    self->state = self->unmatched_only ? TAIL_UNMATCHED : TAIL_LOAD;
    self->from = self->to = 0;
    self->page = self->row = 0;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- splitting */

static Status split_list(JoinShared *self, PageList *list, const RowLayout *layout, uint32_t top,
                         ProbeScratch *scratch, PageList *out, Error *err) {
    RowStore store;
    Status status = row_store_init(&store, layout, &self->space, top, SPLIT_BITS, err);
    for (uint32_t p = 0; p < list->count && status == TRIB_OK; p++) {
        RowPage *page = &list->pages[p];
        bool loaded;
        status = page_load(page, layout, &self->space, true, &loaded, err);
        for (uint32_t from = 0, count; from < page->rows && status == TRIB_OK; from += count) {
            count = page_rows(page, layout, from, scratch->rows);
            for (uint32_t i = 0; i < count; i++) scratch->hashes[i] = row_hash(scratch->rows[i]);
            status = row_store_copy(&store, scratch->rows, count, scratch->hashes,
                                    scratch->fresh_rows, err);
            if (status == TRIB_OK) status = cancel_check(self->query->cancel, err);
        }
        page_unload(page, &self->space);
        for (uint32_t s = 0; s < store.npartitions && store.pressure && status == TRIB_OK; s++)
            status = row_store_spill(&store, s, err);
        store.pressure = false;
    }
    for (uint32_t s = 0; s < store.npartitions && status == TRIB_OK; s++)
        status = row_store_spill(&store, s, err);
    /* before the pages leave the store, whose file would go with it if one of them cannot */
    if (status == TRIB_OK) join_file_keep(self, row_store_take_file(&store));
    for (uint32_t s = 0; s < store.npartitions && status == TRIB_OK; s++)
        status = row_store_take(&store, s, &out[s], err);
    row_store_clear(&store);
    return status;
}

/* Sixteen jobs instead of this one. */
static Status job_split(TailLocal *self, Error *err) {
    JoinShared *shared = self->shared;
    JoinJob parts[1 << SPLIT_BITS] = {{.top = 0}};
    PageList build[1 << SPLIT_BITS] = {{0}}, probe[1 << SPLIT_BITS] = {{0}};
    uint64_t rows = self->job.build.rows;
    Status status = split_list(shared, &self->job.build, shared->build_layout, self->job.top,
                               &self->probe.scratch, build, err);
    if (status == TRIB_OK)
        status = split_list(shared, &self->job.probe, shared->probe_layout, self->job.top,
                            &self->probe.scratch, probe, err);
    pthread_mutex_lock(&shared->lock);
    for (uint32_t s = 0; s < 1 << SPLIT_BITS; s++) {
        parts[s] = (JoinJob){.build = build[s],
                             .probe = probe[s],
                             .top = self->job.top - SPLIT_BITS,
                             .heavy = build[s].rows > rows - rows / 8};
        if (status == TRIB_OK && parts[s].build.rows + parts[s].probe.rows > 0)
            status = job_push(shared, &parts[s], err);
        job_drop(shared, &parts[s]);
    }
    pthread_mutex_unlock(&shared->lock);
    /* the parts will be retained */
    if (shared->unknown_rows) page_list_clear(&self->job.build, &shared->space);
    Status ended = job_end(self, err);
    return status != TRIB_OK ? status : ended;
}

/* ---------------------------------------------------------------- loading the build rows */

static void chunk_unload(TailLocal *self) {
    for (uint32_t p = self->from; p < self->to; p++)
        page_unload(&self->job.build.pages[p], &self->shared->space);
    block_free(&self->shared->grant, &self->slots);
    self->table = (JoinTable){0};
}

/* Loads pages from `from` on while the grant allows, at least one when forced; then the slots.
 * *all: to the end. */
static Status chunk_load(TailLocal *self, bool force, bool *all, Error *err) {
    JoinShared *shared = self->shared;
    PageList *list = &self->job.build;
    uint64_t rows = 0;
    *all = true;
    for (self->to = self->from; self->to < list->count; self->to++) {
        bool loaded, first = force && self->to == self->from;
        TRY(page_load(&list->pages[self->to], shared->build_layout, &shared->space, first, &loaded,
                      err));
        if (!loaded) {
            *all = false;
            break;
        }
        rows += list->pages[self->to].rows;
        TRY(cancel_check(shared->query->cancel, err));
    }
    bool hashed = shared->nkeys > 0 && !self->job.unknown;
    if (!hashed || rows == 0 || (!*all && !force)) return TRIB_OK;
    uint32_t bits = join_table_bits(rows);
    TRY(block_new(&shared->grant, sizeof(uint64_t) << bits, force, &self->slots, err));
    if (!self->slots.data) {
        *all = false;
        return TRIB_OK;
    }
    self->table = (JoinTable){.slots = self->slots.data, .mask = (UINT64_C(1) << bits) - 1};
    self->probe.chained = false;
    return join_table_fill(shared, list->pages + self->from, self->to - self->from, &self->table,
                           &self->probe.scratch, self->probe.key_rooms, self->probe.keys, false,
                           &self->probe.chained, err);
}

/* Waits for others to give memory back, if there are any who could. */
static bool tail_wait(TailLocal *self, const Waker *waker) {
    JoinShared *shared = self->shared;
    pthread_mutex_lock(&shared->lock);
    bool wait = shared->blocked + 1 < shared->active;
    if (wait) {
        shared->waiting[self->worker] = *waker;
        shared->blocked++;
    }
    pthread_mutex_unlock(&shared->lock);
    return wait;
}

/* The first pass over the probe rows may begin, or the job has become others, or has to wait. */
static Status job_load(TailLocal *self, const Waker *waker, Step *step, Error *err) {
    JoinShared *shared = self->shared;
    JoinJob *job = &self->job;
    bool idle = job->probe.rows == 0
                    ? !shared->keeps_build
                    : job->build.rows == 0 && !shared->keeps_probe &&
                          (shared->kind == JOIN_INNER || shared->kind == JOIN_SEMI ||
                           shared->kind == JOIN_RIGHT || shared->only_marks);
    if (idle) return job_end(self, err);
    bool all, splittable = shared->nkeys > 0 && !job->heavy &&
                           job->top >= RADIX_TOP - RADIX_BITS_MAX + SPLIT_BITS;
    TRY(chunk_load(self, false, &all, err));
    if (!all) {
        chunk_unload(self);
        if (tail_wait(self, waker)) {
            *step = STEP_BLOCKED;
            return TRIB_OK;
        }
        if (splittable) return job_split(self, err);
        uint64_t bytes = bitmap_words(job->probe.rows) * sizeof(uint64_t);
        TRY(block_new(&shared->grant, bytes ? bytes : 8, true, &self->found, err));
        TRY(chunk_load(self, true, &all, err));
    }
    self->state = TAIL_PROBE;
    self->page = self->row = 0;
    self->base = 0;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- probe rows from disk */

static Status batch_columns_gather(TailLocal *self, uint8_t *const *rows, uint32_t count,
                                   Error *err) {
    JoinShared *shared = self->shared;
    const RowLayout *layout = shared->probe_layout;
    batch_clear(&self->batch);
    TRY(batch_columns(&self->batch, shared->nprobe, err));
    self->batch.count = self->batch.selected = count;
    for (uint32_t o = 0; o < shared->nprobe; o++) {
        uint32_t c = shared->probe_column[o];
        if (c == NO_COLUMN) continue;
        TRY(row_gather(layout, c, rows, count, NULL, count, true, &self->column_rooms[o],
                       self->arena, &self->batch.columns[o], err));
    }
    for (uint32_t k = 0; k < shared->nkeys; k++)
        row_gather_flat(layout, k, rows, count, true, &self->key_rooms[k], &self->probe.keys[k]);
    return TRIB_OK;
}

static void found_load(TailLocal *self, uint32_t count) {
    const uint64_t *bits = self->found.data;
    for (uint32_t i = 0; i < count; i++) self->probe.found[i] = bitmap_get(bits, self->base + i);
}

static void found_store(TailLocal *self) {
    uint64_t *bits = self->found.data;
    if (!bits) return;
    for (uint32_t i = 0; i < self->batch_rows; i++)
        if (self->probe.found[i]) bitmap_set(bits, self->base + i);
}

/* The next batch of probe rows becomes the probe's input; false in *some at the end. */
static Status batch_next(TailLocal *self, bool *some, Error *err) {
    JoinShared *shared = self->shared;
    PageList *list = &self->job.probe;
    JoinProbe *probe = &self->probe;
    *some = false;
    while (self->page < list->count && self->row == list->pages[self->page].rows) {
        page_unload(&list->pages[self->page], &shared->space);
        self->page++;
        self->row = 0;
    }
    if (self->page == list->count) return TRIB_OK;
    RowPage *page = &list->pages[self->page];
    bool loaded;
    TRY(page_load(page, shared->probe_layout, &shared->space, true, &loaded, err));
    uint8_t **rows = probe->scratch.fresh_rows;
    uint32_t count = page_rows(page, shared->probe_layout, self->row, rows);
    self->row += count;
    TRY(batch_columns_gather(self, rows, count, err));
    for (uint32_t i = 0; i < count; i++) {
        probe->scratch.hashes[i] = row_hash(rows[i]);
        probe->live[i] = probe->candidates[i] = (uint16_t)i;
        probe->null_key[i] = 0;
    }
    arena_reset(probe->arena);
    probe->in = &self->batch;
    probe->positions = probe->scratch.identity;
    probe->nlive = probe->ncandidates = count;
    self->batch_rows = count;
    *some = true;
    return cancel_check(shared->query->cancel, err);
}

static void probe_point(TailLocal *self) {
    JoinProbe *probe = &self->probe;
    bool hashed = self->shared->nkeys > 0 && !self->job.unknown;
    probe->tables = hashed ? &self->table : NULL;
    probe->shift = probe->mask = 0;
    probe->pages = self->job.build.pages + self->from;
    probe->npages = self->to - self->from;
    probe->partial = self->found.data != NULL;
    probe->unknown = self->job.unknown;
}

/* A pass of the probe rows past the chunk. */
static Status tail_probe(TailLocal *self, Batch *out, Step *step, Error *err) {
    probe_point(self);
    for (;;) {
        if (self->in_batch) {
            TRY(join_probe_next(&self->probe, self->aside, out, step, err));
            if (*step == STEP_HAVE_OUTPUT) return TRIB_OK;
            self->in_batch = false;
            found_store(self);
            self->base += self->batch_rows;
            if (*step == STEP_LAST_OUTPUT) return TRIB_OK;
        }
        bool some;
        TRY(batch_next(self, &some, err));
        if (!some) break;
        self->in_batch = true;
        join_probe_begin(&self->probe);
    }
    self->state = TAIL_CHUNK_END;
    self->page = self->from;
    self->row = 0;
    return TRIB_OK;
}

/* The last pass: rows whose answer needed all chunks. */
static Status tail_rest(TailLocal *self, Batch *out, Step *step, Error *err) {
    self->probe.partial = false;
    self->probe.unknown = self->job.unknown;
    for (;;) {
        if (self->in_batch) {
            self->in_batch = false;
            self->base += self->batch_rows;
        }
        bool some;
        TRY(batch_next(self, &some, err));
        if (!some) return job_end(self, err);
        self->in_batch = true;
        found_load(self, self->batch_rows);
        join_probe_rest(&self->probe);
        TRY(join_probe_next(&self->probe, self->aside, out, step, err));
        if (*step == STEP_LAST_OUTPUT) return TRIB_OK;
    }
}

/* ---------------------------------------------------------------- unmatched build rows */

/* Up to a batch of unmatched (RIGHT_SEMI: matched) rows from pages [self->page, end); 0 = none left. */
static Status unmatched_next(TailLocal *self, PageList *list, uint32_t end, bool load,
                             uint32_t *count, Error *err) {
    JoinShared *shared = self->shared;
    uint8_t **rows = self->probe.pair_rows;
    bool wanted = shared->kind == JOIN_RIGHT_SEMI;
    *count = 0;
    while (self->page < end && *count < BATCH_ROWS) {
        RowPage *page = &list->pages[self->page];
        bool loaded;
        if (self->row == page->rows) {
            if (*count > 0) return TRIB_OK; /* they may borrow from the page */
            if (load) page_unload(page, &shared->space);
            self->page++;
            self->row = 0;
            continue;
        }
        TRY(page_load(page, shared->build_layout, &shared->space, true, &loaded, err));
        for (; self->row < page->rows && *count < BATCH_ROWS; self->row++) {
            uint8_t *row = page_row(page, shared->build_layout, self->row);
            rows[*count] = row;
            *count += row_matched(shared, row) == wanted;
        }
    }
    return cancel_check(shared->query->cancel, err);
}

static Status tail_unmatched(TailLocal *self, Batch *out, Step *step, Error *err) {
    uint32_t count;
    TRY(unmatched_next(self, self->unmatched, self->unmatched->count,
                       self->unmatched == &self->shared->nulls, &count, err));
    if (count == 0) {
        self->state = TAIL_IDLE;
        return TRIB_OK;
    }
    *step = STEP_HAVE_OUTPUT;
    return join_build_only(&self->probe, self->probe.pair_rows, count, out, err);
}

/* After a pass: the chunk's unmatched rows, then the next chunk or the last pass. */
static Status tail_chunk_end(TailLocal *self, Batch *out, Step *step, Error *err) {
    JoinShared *shared = self->shared;
    if (shared->keeps_build) {
        uint32_t count;
        TRY(unmatched_next(self, &self->job.build, self->to, false, &count, err));
        if (count > 0) {
            *step = STEP_HAVE_OUTPUT;
            return join_build_only(&self->probe, self->probe.pair_rows, count, out, err);
        }
    }
    chunk_unload(self);
    self->page = self->row = 0;
    self->base = 0;
    self->from = self->to;
    if (self->to < self->job.build.count) {
        bool all;
        self->state = TAIL_PROBE;
        return chunk_load(self, true, &all, err);
    }
    if (!self->found.data || shared->kind == JOIN_INNER || shared->kind == JOIN_RIGHT ||
        shared->only_marks)
        return job_end(self, err);
    self->state = TAIL_REST;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- producing */

Status join_tail_produce(OpContext *context, void **local, Batch *out, Step *step, Error *err) {
    if (!*local) {
        TailLocal *fresh = NULL;
        Status status = tail_new(context, &fresh, err);
        *local = fresh;
        TRY(status);
    }
    TailLocal *self = *local;
    for (;;) {
        *step = STEP_NEED_INPUT;
        bool taken = true;
        switch (self->state) {
        case TAIL_IDLE:
            TRY(tail_take(self, &taken, err));
            if (!taken) {
                *step = STEP_FINISHED;
                return TRIB_OK;
            }
            break;
        case TAIL_LOAD: TRY(job_load(self, context->waker, step, err)); break;
        case TAIL_PROBE: TRY(tail_probe(self, out, step, err)); break;
        case TAIL_CHUNK_END: TRY(tail_chunk_end(self, out, step, err)); break;
        case TAIL_REST: TRY(tail_rest(self, out, step, err)); break;
        case TAIL_UNMATCHED: TRY(tail_unmatched(self, out, step, err)); break;
        }
        if (*step == STEP_BLOCKED) return TRIB_OK;
        if (*step == STEP_HAVE_OUTPUT || *step == STEP_LAST_OUTPUT) {
            *step = STEP_HAVE_OUTPUT;
            return TRIB_OK;
        }
    }
}
