/*
 * group.c - making row groups: filling, sealing, copying, extending, gathering what is left of them.
 *
 * Columns are reference-counted, so that a table whose columns were changed shares those that stay. A
 * group that extends another gets columns of its own on the same memory (chunk_extend).
 *
 * Threads and memory: group.h. Everything counts against the host's budget.
 */
#include "config.h"

#include <string.h>

#include "connectors/memory/group.h"
#include "connectors/memory/sketch.h"
#include "connectors/support/call.h"
#include "engine/base/arena.h"

#define FIRST_RUNS 4

/* ---------------------------------------------------------------- life */

static MemColumn *column_new(const TribHost *host, Error *err) {
    MemColumn *self = host_alloc(host, sizeof *self);
    if (!self) {
        (void)chunk_out_of_budget(err);
        return NULL;
    }
    memset(self, 0, sizeof *self);
    atomic_init(&self->references, 1);
    self->host = host;
    return self;
}

static void column_release(MemColumn *self) {
    if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) return;
    chunk_clear(&self->chunk, self->host);
    host_free(self->host, atomic_load_explicit(&self->sketch, memory_order_acquire));
    host_free(self->host, self);
}

static MemGroup *group_bare(const TribHost *host, uint32_t ncolumns, Error *err) {
    size_t bytes = sizeof(MemGroup) + ncolumns * sizeof(MemColumn *);
    MemGroup *self = host_alloc(host, bytes);
    if (!self) {
        (void)chunk_out_of_budget(err);
        return NULL;
    }
    memset(self, 0, bytes);
    atomic_init(&self->references, 1);
    self->host = host;
    self->ncolumns = ncolumns;
    return self;
}

Status group_new(const TribHost *host, const TribColumn *columns, uint32_t ncolumns, MemGroup **out,
                 Error *err) {
    MemGroup *self = group_bare(host, ncolumns, err);
    if (!self) return err->status;
    Status status = TRIB_OK;
    for (uint32_t i = 0; i < ncolumns && status == TRIB_OK; i++) {
        self->columns[i] = column_new(host, err);
        status = self->columns[i]
                     ? chunk_init(&self->columns[i]->chunk, host, columns[i].type, 0, err)
                     : err->status;
    }
    if (status != TRIB_OK) {
        group_release(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

void group_retain(MemGroup *self) {
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
}

void group_release(MemGroup *self) {
    if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) return;
    for (uint32_t i = 0; i < self->ncolumns; i++) column_release(self->columns[i]);
    buffer_release(self->ids);
    buffer_release(self->runs);
    buffer_release(atomic_load_explicit(&self->deletes, memory_order_acquire));
    host_free(self->host, self);
}

/* ---------------------------------------------------------------- filling */

Status group_append(MemGroup *self, const struct ArrowArray *array, uint32_t from, uint32_t count,
                    Error *err) {
    for (uint32_t i = 0; i < self->ncolumns; i++)
        TRY(chunk_append(&self->columns[i]->chunk, self->host, array->children[i],
                         array->offset + from, count, err));
    self->rows += count;
    return TRIB_OK;
}

/* The chunk as an array; arrays and pointers below it come from `next` and `pointers`. */
static void chunk_view(const Chunk *chunk, struct ArrowArray **next, struct ArrowArray ***pointers,
                       struct ArrowArray *out) {
    *out = (struct ArrowArray){.length = chunk->length,
                               .null_count = chunk->nulls,
                               .n_buffers = chunk->nbuffers,
                               .n_children = chunk->nchildren,
                               .buffers = chunk->buffers,
                               .children = *pointers};
    *pointers += chunk->nchildren;
    for (uint32_t i = 0; i < chunk->nchildren; i++) out->children[i] = (*next)++;
    for (uint32_t i = 0; i < chunk->nchildren; i++)
        chunk_view(&chunk->children[i], next, pointers, out->children[i]);
}

static Status chunk_copy(Chunk *into, const TribHost *host, const Chunk *from, uint32_t first,
                         uint32_t count, Error *err) {
    struct ArrowArray one, *arrays = NULL;
    struct ArrowArray **pointers = NULL, *next = NULL;
    if (from->narrays > 1) {
        size_t each = sizeof(struct ArrowArray) + sizeof(struct ArrowArray *);
        TRY_ALLOC(arrays, heap_alloc(from->narrays * each), err);
        next = arrays;
        pointers = (struct ArrowArray **)(arrays + from->narrays);
    }
    chunk_view(from, &next, &pointers, &one);
    Status status = chunk_append(into, host, &one, first, count, err);
    heap_free(arrays);
    return status;
}

Status group_copy_column(MemGroup *self, uint32_t column, const MemGroup *from, uint32_t source,
                         uint32_t first, uint32_t count, Error *err) {
    return chunk_copy(&self->columns[column]->chunk, self->host, group_chunk(from, source), first,
                      count, err);
}

Status group_copy(MemGroup *self, const MemGroup *from, uint32_t first, uint32_t count,
                  Error *err) {
    for (uint32_t i = 0; i < self->ncolumns; i++)
        TRY(group_copy_column(self, i, from, i, first, count, err));
    self->rows += count;
    return TRIB_OK;
}

static void group_measure(MemGroup *self) {
    self->bytes = sizeof *self;
    for (uint32_t i = 0; i < self->ncolumns; i++)
        self->bytes += sizeof(MemColumn) + chunk_bytes(group_chunk(self, i));
}

Status group_seal(MemGroup *self, bool full, Error *err) {
    for (uint32_t i = 0; i < self->ncolumns; i++) {
        TRY(chunk_seal(&self->columns[i]->chunk, self->host, full ? SEAL_TRIMMED : SEAL_ROOMY,
                       err));
        if (full) (void)column_sketch(self->columns[i]); /* without memory: at the next occasion */
    }
    group_measure(self);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- numbers */

static InsertRun *runs_of(const ChunkBuffer *buffer) {
    return (InsertRun *)(void *)((ChunkBuffer *)buffer)->data;
}

static uint64_t run_number(const InsertRun *run) {
    return atomic_load_explicit(&run->number, memory_order_acquire);
}

Status group_number(MemGroup *self, uint64_t first_id, uint64_t number, Error *err) {
    if (!self->runs) self->runs = buffer_new(self->host, FIRST_RUNS * sizeof(InsertRun), err);
    if (!self->runs) return err->status;
    InsertRun *run = runs_of(self->runs);
    run->start = 0;
    atomic_init(&run->number, number);
    self->nruns = 1;
    self->first_id = first_id;
    return TRIB_OK;
}

/* The tail's runs and one more from its end on. In place while there is room. */
static Status runs_extend(const MemGroup *tail, uint64_t number, uint64_t oldest, MemGroup *out,
                          Error *err) {
    InsertRun *runs = runs_of(tail->runs);
    uint32_t capacity = (uint32_t)(tail->runs->bytes / sizeof(InsertRun)), count = tail->nruns;
    if (run_number(&runs[count - 1]) == number) {
        out->runs = buffer_retain(tail->runs);
        out->nruns = count;
        return TRIB_OK;
    }
    if (count < capacity) {
        out->runs = buffer_retain(tail->runs);
    } else {
        uint32_t kept = 0;
        out->runs = buffer_new(out->host, 2 * (size_t)count * sizeof(InsertRun), err);
        if (!out->runs) return err->status;
        InsertRun *to = runs_of(out->runs);
        for (uint32_t i = 0; i < count; i++) {
            uint64_t at = run_number(&runs[i]);
            if (at <= oldest) at = oldest;
            if (kept && atomic_load_explicit(&to[kept - 1].number, memory_order_relaxed) == at)
                continue;
            to[kept].start = runs[i].start;
            atomic_init(&to[kept++].number, at);
        }
        count = kept;
        runs = to;
    }
    runs[count].start = tail->rows;
    atomic_store_explicit(&runs[count].number, number, memory_order_release);
    out->nruns = count + 1;
    return TRIB_OK;
}

static Status deletes_extend(const MemGroup *tail, MemGroup *out, Error *err) {
    ChunkBuffer *old = atomic_load_explicit(&tail->deletes, memory_order_acquire);
    if (!old) return TRIB_OK;
    if (old->bytes / sizeof(uint64_t) >= out->rows) {
        atomic_store_explicit(&out->deletes, buffer_retain(old), memory_order_release);
        return TRIB_OK;
    }
    size_t room = 2 * (size_t)out->rows;
    if (room > GROUP_ROWS) room = GROUP_ROWS;
    ChunkBuffer *grown = buffer_new(out->host, room * sizeof(uint64_t), err);
    if (!grown) return err->status;
    memset(grown->data, 0, room * sizeof(uint64_t));
    const _Atomic uint64_t *from = (const void *)old->data;
    _Atomic uint64_t *to = (void *)grown->data;
    for (uint32_t i = 0; i < tail->rows; i++)
        atomic_init(&to[i], atomic_load_explicit(&from[i], memory_order_relaxed));
    atomic_store_explicit(&out->deletes, grown, memory_order_release);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- extending */

/* A column with a sketch keeps one up to date; where there was none it waits until it is asked for. */
static void sketch_extend(MemColumn *tail, MemColumn *out) {
    const uint8_t *old = atomic_load_explicit(&tail->sketch, memory_order_acquire);
    uint8_t *registers = old ? host_alloc(out->host, SKETCH_BYTES) : NULL;
    if (!registers) return;
    memcpy(registers, old, SKETCH_BYTES);
    chunk_sketch(&out->chunk, tail->chunk.length, registers);
    atomic_store_explicit(&out->sketch, registers, memory_order_release);
}

static Status column_extend(MemColumn *tail, const MemColumn *more, MemColumn *out, Error *err) {
    TRY(chunk_extend(&tail->chunk, out->host, &out->chunk, err));
    TRY(chunk_copy(&out->chunk, out->host, &more->chunk, 0, more->chunk.length, err));
    TRY(chunk_seal(&out->chunk, out->host, SEAL_EXTENDED, err));
    chunk_range_join(&out->chunk, &tail->chunk, &more->chunk);
    sketch_extend(tail, out);
    return TRIB_OK;
}

Status group_extend(const MemGroup *tail, const MemGroup *more, uint64_t number, uint64_t oldest,
                    MemGroup **out, Error *err) {
    MemGroup *self = group_bare(tail->host, tail->ncolumns, err);
    if (!self) return err->status;
    self->rows = tail->rows + more->rows;
    self->first_id = tail->first_id;
    Status status = runs_extend(tail, number, oldest, self, err);
    if (status == TRIB_OK) status = deletes_extend(tail, self, err);
    for (uint32_t i = 0; i < self->ncolumns && status == TRIB_OK; i++) {
        self->columns[i] = column_new(self->host, err);
        status = self->columns[i]
                     ? column_extend(tail->columns[i], more->columns[i], self->columns[i], err)
                     : err->status;
    }
    if (status != TRIB_OK) {
        group_release(self);
        return status;
    }
    group_measure(self);
    *out = self;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- gathering */

/* What is known about the rows of the group that is being filled, by row. */
typedef struct Gather {
    uint64_t ids[GROUP_ROWS];
    uint64_t inserts[GROUP_ROWS];
    uint64_t deletes[GROUP_ROWS];
} Gather;

static Status gather_ids(const Gather *rows, MemGroup *self, Error *err) {
    self->first_id = rows->ids[0];
    if (rows->ids[self->rows - 1] - rows->ids[0] == self->rows - 1) return TRIB_OK;
    self->ids = buffer_new(self->host, self->rows * sizeof(uint64_t), err);
    if (!self->ids) return err->status;
    memcpy(self->ids->data, rows->ids, self->rows * sizeof(uint64_t));
    return TRIB_OK;
}

static Status gather_numbers(const Gather *rows, MemGroup *self, Error *err) {
    uint32_t count = 1;
    bool deleted = rows->deletes[0] != 0;
    for (uint32_t i = 1; i < self->rows; i++) {
        count += rows->inserts[i] != rows->inserts[i - 1];
        deleted |= rows->deletes[i] != 0;
    }
    if (deleted) {
        TRY(group_deletable(self, err));
        for (uint32_t i = 0; i < self->rows; i++)
            atomic_store_explicit(group_delete_place(self, i), rows->deletes[i],
                                  memory_order_relaxed);
    }
    self->runs = buffer_new(self->host, (count + FIRST_RUNS) * sizeof(InsertRun), err);
    if (!self->runs) return err->status;
    InsertRun *runs = runs_of(self->runs);
    for (uint32_t i = 0; i < self->rows; i++) {
        if (i > 0 && rows->inserts[i] == rows->inserts[i - 1]) continue;
        runs[self->nruns].start = i;
        atomic_init(&runs[self->nruns++].number, rows->inserts[i]);
    }
    return TRIB_OK;
}

static Status gather_finish(Gather *rows, MemGroup *self, Error *err) {
    TRY(group_seal(self, self->rows > GROUP_ROWS / 2, err));
    TRY(gather_ids(rows, self, err));
    return gather_numbers(rows, self, err);
}

/* Copies living rows from row *at on until the group is full or `from` is through. */
static Status gather_rows(Gather *rows, MemGroup *self, const MemGroup *from, uint32_t *at,
                          uint64_t oldest, Error *err) {
    while (*at < from->rows && self->rows < GROUP_ROWS) {
        if (group_row_dead(from, *at, oldest)) {
            (*at)++;
            continue;
        }
        uint32_t first = *at, room = GROUP_ROWS - self->rows, count = 0;
        for (; count < room && *at < from->rows && !group_row_dead(from, *at, oldest); (*at)++) {
            uint32_t to = self->rows + count++;
            uint64_t inserted = atomic_load(group_insert_number(from, *at));
            rows->ids[to] = group_id(from, *at);
            rows->inserts[to] = inserted <= oldest ? oldest : inserted;
            rows->deletes[to] = group_delete_number(from, *at);
        }
        TRY(group_copy(self, from, first, count, err));
    }
    return TRIB_OK;
}

static Status gather_all(Gather *rows, const TribHost *host, const TribColumn *columns,
                         MemGroup *const *from, uint32_t count, uint64_t oldest, MemGroup **out,
                         uint32_t *nout, Error *err) {
    MemGroup *self = NULL;
    Status status = TRIB_OK;
    for (uint32_t i = 0; i < count && status == TRIB_OK; i++) {
        for (uint32_t at = 0; at < from[i]->rows && status == TRIB_OK;) {
            if (!self) status = group_new(host, columns, from[i]->ncolumns, &self, err);
            if (status == TRIB_OK) status = gather_rows(rows, self, from[i], &at, oldest, err);
            if (status != TRIB_OK || self->rows < GROUP_ROWS) continue;
            status = gather_finish(rows, self, err);
            if (status != TRIB_OK) continue;
            out[(*nout)++] = self;
            self = NULL;
        }
    }
    if (status == TRIB_OK && self && self->rows > 0) {
        status = gather_finish(rows, self, err);
        if (status == TRIB_OK) {
            out[(*nout)++] = self;
            self = NULL;
        }
    }
    group_release(self);
    return status;
}

Status group_gather(const TribHost *host, const TribColumn *columns, MemGroup *const *from,
                    uint32_t count, uint64_t oldest, MemGroup **out, uint32_t *nout, Error *err) {
    Gather *rows = host_alloc(host, sizeof *rows);
    *nout = 0;
    if (!rows) return chunk_out_of_budget(err);
    Status status = gather_all(rows, host, columns, from, count, oldest, out, nout, err);
    host_free(host, rows);
    if (status != TRIB_OK) {
        for (uint32_t i = 0; i < *nout; i++) group_release(out[i]);
        *nout = 0;
    }
    return status;
}

/* ---------------------------------------------------------------- other columns */

static Status derive_numbers(const MemGroup *from, MemGroup *self, Error *err) {
    self->first_id = from->first_id;
    self->ids = buffer_retain(from->ids);
    self->runs = buffer_new(self->host, (from->nruns + FIRST_RUNS) * sizeof(InsertRun), err);
    if (!self->runs) return err->status;
    const InsertRun *in = runs_of(from->runs);
    InsertRun *out = runs_of(self->runs);
    for (uint32_t i = 0; i < from->nruns; i++) {
        out[i].start = in[i].start;
        atomic_init(&out[i].number, run_number(&in[i]));
    }
    self->nruns = from->nruns;
    if (!atomic_load_explicit(&from->deletes, memory_order_acquire)) return TRIB_OK;
    TRY(group_deletable(self, err));
    for (uint32_t i = 0; i < self->rows; i++)
        atomic_store_explicit(group_delete_place(self, i), group_delete_number(from, i),
                              memory_order_relaxed);
    return TRIB_OK;
}

static Status derive_column(const MemGroup *from, const TribColumn *column, uint32_t source,
                            const TribValue *value, MemColumn **out, Error *err) {
    if (source != UINT32_MAX) {
        *out = from->columns[source];
        atomic_fetch_add_explicit(&(*out)->references, 1, memory_order_relaxed);
        return TRIB_OK;
    }
    if (!(*out = column_new(from->host, err))) return err->status;
    Chunk *chunk = &(*out)->chunk;
    TRY(chunk_init(chunk, from->host, column->type, 0, err));
    TRY(chunk_append_value(chunk, from->host, value, from->rows, err));
    return chunk_seal(chunk, from->host, SEAL_TRIMMED, err);
}

Status group_derive(const MemGroup *self, const TribColumn *columns, uint32_t ncolumns,
                    const uint32_t *source, const TribValue *value, MemGroup **out, Error *err) {
    MemGroup *made = group_bare(self->host, ncolumns, err);
    if (!made) return err->status;
    made->rows = self->rows;
    made->closed = true;
    Status status = derive_numbers(self, made, err);
    for (uint32_t i = 0; i < ncolumns && status == TRIB_OK; i++)
        status = derive_column(self, &columns[i], source[i], value, &made->columns[i], err);
    if (status != TRIB_OK) {
        group_release(made);
        return status;
    }
    group_measure(made);
    *out = made;
    return TRIB_OK;
}
