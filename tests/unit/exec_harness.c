/*
 * exec_harness.c - see exec_harness.h. Batches have random sizes, forms (flat, dictionary,
 * constant) and selections.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/exec_harness.h"

uint32_t types_every(Arena *arena, bool ordered, Type out[TYPES_MOST]) {
    TribTypeField fields[] = {
        {"a", TYPE(INTEGER)}, {"b", type_varchar(0)}, {"c", type_array(arena, TYPE(BIGINT))}};
    const Type types[] = {TYPE(BOOLEAN),
                          TYPE(TINYINT),
                          TYPE(SMALLINT),
                          TYPE(INTEGER),
                          TYPE(REAL),
                          TYPE(DOUBLE),
                          type_decimal(12, 2),
                          type_decimal(38, 4),
                          TYPE(VARBINARY),
                          TYPE(DATE),
                          type_time(9),
                          type_timestamp(6),
                          type_timestamp(9),
                          type_timestamp_tz(3),
                          TYPE(INTERVAL_YM),
                          TYPE(INTERVAL_DS),
                          TYPE(UUID),
                          type_array(arena, type_varchar(0)),
                          type_row(arena, 3, fields),
                          type_array(arena, type_array(arena, TYPE(DOUBLE)))};
    uint32_t count = 0;
    for (size_t i = 0; i < COUNT_OF(types); i++) out[count++] = types[i];
    if (!ordered) out[count++] = type_map(arena, TYPE(INTEGER), type_varchar(0));
    return count;
}

uint64_t harness_random(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545F4914F6CDD1D);
}

/* ---------------------------------------------------------------- tables */

Table *table_new(Arena *arena, uint32_t ncolumns, const Type *types, uint32_t nrows) {
    Table *self = ARENA_NEW(arena, Table);
    self->arena = arena;
    self->ncolumns = ncolumns;
    self->nrows = nrows;
    self->types = ARENA_ARRAY(arena, Type, ncolumns + 1);
    self->cells = ARENA_ARRAY(arena, Value *, ncolumns + 1);
    for (uint32_t c = 0; c < ncolumns; c++) {
        self->types[c] = types[c];
        self->cells[c] = ARENA_ARRAY(arena, Value, nrows + 1);
    }
    return self;
}

static Value text_numbered(Arena *arena, Type type, uint64_t number) {
    Value v = {.type = type};
    uint32_t pad = number % 5 == 0 ? 40 : number % 7 == 0 ? 12 : number % 101 == 100 ? 3000 : 0;
    char *text = arena_printf(arena, "%s%llu", number % 3 ? "" : "prefix-which-is-shared-",
                              (unsigned long long)number);
    size_t length = strlen(text);
    char *padded = arena_alloc(arena, length + pad + 1);
    memcpy(padded, text, length);
    memset(padded + length, 'x', pad);
    v.as.text.data = padded;
    v.as.text.length = length + pad;
    return v;
}

static Value nested_numbered(Arena *arena, Type type, uint64_t number) {
    Value v = {.type = type};
    uint32_t nfields = type.fields->count;
    uint32_t n = type.id == TRIB_TYPE_ROW
    ? nfields : (uint32_t)(number % 4) * nfields;
    Value *items = ARENA_ARRAY(arena, Value, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        Type item = type.fields->field[i % nfields].type;
        items[i] = value_numbered(arena, item, number + i / nfields * 1000);
        bool key = type.id == TRIB_TYPE_MAP && i % 2 == 0;
        if (!key && i > 0 && (number + i) % 5 == 0) items[i].is_null = true;
    }
    v.as.items.values = items;
    v.as.items.count = n;
    return v;
}

Value value_numbered(Arena *arena, Type type, uint64_t number) {
    Value v = {.type = type};
    int64_t signed_number = number % 2 ? -(int64_t)number : (int64_t)number;
    switch (type.id) {
    case TRIB_TYPE_BOOLEAN: v.as.integer = number % 2; return v;
    case TRIB_TYPE_TINYINT: v.as.integer = (int8_t)(number % 256); return v;
    case TRIB_TYPE_SMALLINT: v.as.integer = (int16_t)(number % 65536); return v;
    case TRIB_TYPE_INTEGER: v.as.integer = (int32_t)signed_number; return v;
    case TRIB_TYPE_DATE: v.as.integer = (int32_t)(number % 100000); return v;
    case TRIB_TYPE_REAL:
    case TRIB_TYPE_DOUBLE:
        v.as.real = number == 3 ? __builtin_nan("") : (double)signed_number * 0.5;
        return v;
    case TRIB_TYPE_DECIMAL:
        if (type.precision > 18)
            v.as.wide = (__int128)signed_number * INT64_MAX;
        else
            v.as.integer = signed_number;
        return v;
    case TRIB_TYPE_TIMESTAMP:
        if (type.precision <= 6)
            v.as.integer = signed_number * 1000003;
        else {
            v.as.instant.us = signed_number;
            v.as.instant.ns = (int32_t)(number % 1000);
        }
        return v;
    case TRIB_TYPE_TIMESTAMP_TZ: v.as.instant.us = signed_number * 1000; return v;
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_VARBINARY: return text_numbered(arena, type, number);
    case TRIB_TYPE_UUID: {
        char *bytes = arena_alloc(arena, 16);
        memcpy(bytes, &number, sizeof number);
        v.as.text.data = bytes;
        v.as.text.length = 16;
        return v;
    }
    case TRIB_TYPE_ARRAY:
    case TRIB_TYPE_MAP:
    case TRIB_TYPE_ROW: return nested_numbered(arena, type, number);
    default: v.as.integer = signed_number; return v;
    }
}

void table_fill(Table *self, uint32_t column, uint64_t *random, uint32_t distinct, uint32_t nulls) {
    Value *pool = ARENA_ARRAY(self->arena, Value, distinct + 1);
    for (uint32_t i = 0; i < distinct; i++)
        pool[i] = value_numbered(self->arena, self->types[column], i);
    for (uint32_t r = 0; r < self->nrows; r++) {
        self->cells[column][r] = pool[harness_random(random) % distinct];
        self->cells[column][r].is_null = nulls && harness_random(random) % nulls == 0;
    }
}

PhysNode *node_of(Arena *arena, const Table *table) {
    PhysNode *node = ARENA_NEW(arena, PhysNode);
    node->kind = PHYS_VALUES;
    node->ncolumns = table->ncolumns;
    node->types = table->types;
    return node;
}

Expr *column_of(Arena *arena, const Table *table, uint32_t ordinal, uint32_t shift) {
    Expr *e = expr_column(arena, 0, table->types[ordinal]);
    e->as.ordinal = ordinal + shift;
    return e;
}

/* ---------------------------------------------------------------- text */

void cells_print(Buf *out, const Value *const *values, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        buf_char(out, '|');
        if (!values[i] || values[i]->is_null)
            buf_text(out, "NULL");
        else
            value_text(out, values[i]);
    }
}

void lines_add(Lines *self, const char *text) {
    if (self->count == self->capacity) {
        self->capacity = self->capacity ? self->capacity * 2 : 1024;
        self->line = realloc(self->line, self->capacity * sizeof *self->line);
    }
    self->line[self->count++] = strdup(text);
}

static int line_order(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void lines_sort(Lines *self) {
    if (self->count) qsort(self->line, self->count, sizeof *self->line, line_order);
}

void lines_clear(Lines *self) {
    for (uint64_t i = 0; i < self->count; i++) free(self->line[i]);
    free(self->line);
    memset(self, 0, sizeof *self);
}

void lines_compare(Lines *expected, Lines *actual, bool ordered, const char *what) {
    if (!ordered) {
        lines_sort(expected);
        lines_sort(actual);
    }
    uint64_t n = expected->count < actual->count ? expected->count : actual->count;
    for (uint64_t i = 0; i < n; i++) {
        if (strcmp(expected->line[i], actual->line[i]) == 0) continue;
        print_message(
            "%s: row %llu of %llu (expected %llu)\n  expected %.300s\n  actual   %.300s\n", what,
            (unsigned long long)i, (unsigned long long)actual->count,
            (unsigned long long)expected->count, expected->line[i], actual->line[i]);
        fail();
    }
    if (expected->count != actual->count)
        print_message("%s: %llu rows, expected %llu\n", what, (unsigned long long)actual->count,
                      (unsigned long long)expected->count);
    assert_int_equal(expected->count, actual->count);
}

/* ---------------------------------------------------------------- batches */

static Status dictionary_make(Arena *arena, Vector *vector, uint32_t positions, uint64_t *random,
                              Error *err) {
    uint32_t *rows, *indices;
    TRY_ALLOC(rows, ARENA_ARRAY(arena, uint32_t, positions), err);
    TRY_ALLOC(indices, ARENA_ARRAY(arena, uint32_t, positions), err);
    uint32_t shift = (uint32_t)(harness_random(random) % positions);
    for (uint32_t i = 0; i < positions; i++) {
        rows[i] = (i + shift) % positions;
        indices[rows[i]] = i;
    }
    Vector *entries;
    TRY_ALLOC(entries, ARENA_NEW(arena, Vector), err);
    TRY(vector_gather(arena, vector, rows, positions, entries, err));
    *vector = (Vector){.type = entries->type,
                       .physical = entries->physical,
                       .form = VECTOR_DICTIONARY,
                       .capacity = positions,
                       .indices = indices,
                       .entries = positions,
                       .nchildren = 1,
                       .children = entries};
    return TRIB_OK;
}

/* Rows [from, from + count) at random positions. */
static Status batch_make(const Table *table, uint32_t from, uint32_t count, uint64_t *random,
                         Batch *out, Error *err) {
    bool selected = harness_random(random) % 2;
    uint32_t positions =
        selected ? count + (uint32_t)(harness_random(random) % (BATCH_ROWS + 1 - count)) : count;
    uint16_t *selection;
    TRY_ALLOC(selection, ARENA_ARRAY(out->arena, uint16_t, count), err);
    uint32_t skip = positions - count;
    for (uint32_t i = 0, p = 0; i < count; i++, p++) {
        while (skip > 0 && harness_random(random) % 2) {
            skip--;
            p++;
        }
        selection[i] = (uint16_t)p;
    }
    TRY(batch_columns(out, table->ncolumns, err));
    for (uint32_t c = 0; c < table->ncolumns; c++) {
        Vector *vector = &out->columns[c];
        if (count == 1 && harness_random(random) % 2) {
            TRY(vector_constant(out->arena, &table->cells[c][from], vector, err));
            continue;
        }
        TRY(vector_new(out->arena, table->types[c], positions, vector, err));
        for (uint32_t i = 0; i < count; i++)
            TRY(vector_set(out->arena, vector, selection[i], &table->cells[c][from + i], err));
        if (harness_random(random) % 4 == 0)
            TRY(dictionary_make(out->arena, vector, positions, random, err));
    }
    out->count = positions;
    out->selected = count;
    out->selection = selected ? selection : NULL;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- running */

typedef struct Run {
    const PhysNode *node;
    const Operator *op;
    Query *query;
    void *shared;
    const Table *input;
    uint64_t seed;
    _Atomic uint32_t next;
    _Atomic bool failed;
    pthread_mutex_t lock;
    Lines *out;
    Error *err;
    enum { RUN_SINK, RUN_TRANSFORM, RUN_FINISH, RUN_SOURCE } role;
    uint32_t threads;
} Run;

typedef struct RunThread {
    Run *run;
    uint32_t worker;
    _Atomic bool woken;
} RunThread;

static void run_wake(void *context) {
    atomic_store((_Atomic bool *)context, true);
}

static Status batch_print(Run *run, const Batch *batch, Error *err) {
    Arena *arena = arena_new(NULL);
    Status status = TRIB_OK;
    pthread_mutex_lock(&run->lock);
    for (uint32_t i = 0; i < batch->selected && status == TRIB_OK; i++) {
        uint32_t position = batch_row(batch, i);
        Value values[64];
        const Value *pointers[64];
        for (uint32_t c = 0; c < batch->ncolumns && status == TRIB_OK; c++) {
            pointers[c] = NULL;
            if (vector_is_null(&batch->columns[c], position)) continue;
            status = vector_value(arena, &batch->columns[c], position, &values[c], err);
            pointers[c] = &values[c];
        }
        Buf line;
        buf_init(&line, NULL, 1 << 30);
        if (status == TRIB_OK) cells_print(&line, pointers, batch->ncolumns);
        lines_add(run->out, line.data ? line.data : "");
        buf_clear(&line);
    }
    pthread_mutex_unlock(&run->lock);
    arena_free(arena);
    return status;
}

static Status run_transform_batch(Run *run, OpContext *context, Batch *in, Batch *out,
                                  bool *finished, Error *err) {
    for (;;) {
        Step step = STEP_NEED_INPUT;
        batch_clear(out);
        TRY(run->op->process(context, in, out, &step, err));
        if (step == STEP_HAVE_OUTPUT || step == STEP_LAST_OUTPUT) TRY(batch_print(run, out, err));
        *finished = step == STEP_FINISHED;
        if (step != STEP_HAVE_OUTPUT) return TRIB_OK;
    }
}

static Status run_input(Run *run, OpContext *context, Arena *arena, Error *err) {
    Arena *in_arena, *out_arena;
    TRY_ALLOC(in_arena, arena_new(arena), err);
    TRY_ALLOC(out_arena, arena_new(arena), err);
    Batch in, out;
    batch_init(&in, in_arena);
    batch_init(&out, out_arena);
    bool finished = false;
    while (!finished && !atomic_load(&run->failed)) {
        uint32_t chunk = atomic_fetch_add(&run->next, 1);
        uint32_t from = chunk * BATCH_ROWS;
        if (from >= run->input->nrows) break;
        uint32_t end =
            from + BATCH_ROWS < run->input->nrows ? from + BATCH_ROWS : run->input->nrows;
        uint64_t random = run->seed * 1000003 + chunk + 1;
        while (from < end && !finished) {
            uint32_t count = harness_random(&random) % 4
                                 ? end - from
                                 : 1 + (uint32_t)(harness_random(&random) % (end - from));
            batch_clear(&in);
            TRY(batch_make(run->input, from, count, &random, &in, err));
            from += count;
            Step step = STEP_NEED_INPUT;
            if (run->role == RUN_TRANSFORM)
                TRY(run_transform_batch(run, context, &in, &out, &finished, err));
            else
                TRY(run->op->consume(context, &in, &step, err));
            finished |= step == STEP_FINISHED;
        }
    }
    if (run->role == RUN_SINK && run->op->combine && !atomic_load(&run->failed))
        return run->op->combine(context, err);
    return TRIB_OK;
}

static Status run_source(Run *run, RunThread *thread, OpContext *context, Arena *arena,
                         Error *err) {
    Arena *out_arena;
    TRY_ALLOC(out_arena, arena_new(arena), err);
    Batch out;
    batch_init(&out, out_arena);
    while (!atomic_load(&run->failed)) {
        Step step = STEP_FINISHED;
        batch_clear(&out);
        TRY(run->op->produce(context, &out, &step, err));
        if (step == STEP_FINISHED) break;
        if (step == STEP_BLOCKED) {
            while (!atomic_exchange(&thread->woken, false) && !atomic_load(&run->failed))
                sched_yield();
            continue;
        }
        TRY(batch_print(run, &out, err));
    }
    return TRIB_OK;
}

static Status run_finish(Run *run, OpContext *context, Error *err) {
    Step step = STEP_NEED_INPUT;
    while (step != STEP_FINISHED && !atomic_load(&run->failed))
        TRY(run->op->finish(context, &step, err));
    return TRIB_OK;
}

static Status run_thread_inside(RunThread *thread, Arena *arena, OpContext *context, Error *err) {
    Run *run = thread->run;
    TRY_ALLOC(context->local, arena_alloc(arena, run->op->local_size), err);
    if (run->op->local_open) TRY(run->op->local_open(context, err));
    switch (run->role) {
    case RUN_FINISH: return run_finish(run, context, err);
    case RUN_SOURCE: return run_source(run, thread, context, arena, err);
    default: return run_input(run, context, arena, err);
    }
}

static void *run_thread(void *argument) {
    RunThread *thread = argument;
    Run *run = thread->run;
    Arena *arena = arena_new(NULL);
    Waker waker = {run_wake, (void *)&thread->woken};
    OpContext context = {.node = run->node,
                         .query = run->query,
                         .shared = run->shared,
                         .worker = thread->worker,
                         .workers = run->threads,
                         .waker = &waker,
                         .arena = arena,
                         .role = run->role == RUN_SOURCE      ? ROLE_SOURCE
                                 : run->role == RUN_TRANSFORM ? ROLE_TRANSFORM
                                                              : ROLE_SINK};
    Error err;
    error_clear(&err);
    Status status = run_thread_inside(thread, arena, &context, &err);
    if (status != TRIB_OK) {
        pthread_mutex_lock(&run->lock);
        if (!atomic_exchange(&run->failed, true)) *run->err = err;
        pthread_mutex_unlock(&run->lock);
    }
    if (context.local && run->op->local_close) run->op->local_close(&context);
    arena_free(arena);
    return NULL;
}

static Status run_role(Run *run, int role, const Table *input, uint32_t threads) {
    pthread_t handles[64];
    RunThread contexts[64];
    run->role = role;
    run->input = input;
    run->threads = threads;
    atomic_store(&run->next, 0);
    for (uint32_t t = 0; t < threads; t++) {
        contexts[t].run = run;
        contexts[t].worker = t;
        atomic_init(&contexts[t].woken, false);
        pthread_create(&handles[t], NULL, run_thread, &contexts[t]);
    }
    for (uint32_t t = 0; t < threads; t++) pthread_join(handles[t], NULL);
    return atomic_load(&run->failed) ? run->err->status : TRIB_OK;
}

static Status run_all(Run *run, const Table *probe, const Table *build, Mode mode) {
    const Operator *op = run->op;
    TRY(op->open(run->node, run->query, run->shared, run->err));
    TRY(run_role(run, RUN_SINK, build, mode.threads));
    uint32_t tasks = op->finish_tasks ? op->finish_tasks(run->node, run->shared) : 1;
    TRY(run_role(run, RUN_FINISH, NULL, tasks < mode.threads ? tasks : mode.threads));
    if (probe) {
        TRY(run_role(run, RUN_TRANSFORM, probe, mode.threads));
        if (!op->has_tail(run->node, run->shared)) return TRIB_OK;
    }
    return run_role(run, RUN_SOURCE, NULL, op->source_ordered ? 1 : mode.threads);
}

static Status run_query(const PhysNode *node, const Table *probe, const Table *build, Mode mode,
                        uint64_t seed, Lines *out, uint64_t *spilled, Error *err) {
    Arena *arena = arena_new(NULL);
    CancelToken *cancel = cancel_new();
    EvalSession session = {.cancel = cancel, .max_value_size = 64 << 20};
    NodeCounters *counters = calloc(node->id + 1, sizeof *counters);
    Query query = {.arena = arena,
                   .cancel = cancel,
                   .session = &session,
                   .workers = mode.threads,
                   .force_spill = mode.force_spill,
                   .batch_rows = BATCH_ROWS,
                   .counters = counters};
    query.budget = budget_new(NULL, "test", mode.memory ? mode.memory : INT64_C(1) << 40);
    Status status =
        spill_space_new(STR(""), mode.spill_limit, mode.encrypt, cancel, &query.spill, err);
    const Operator *op = operator_of(node->kind);
    Run run = {.node = node, .op = op, .query = &query, .seed = seed, .out = out, .err = err};
    pthread_mutex_init(&run.lock, NULL);
    run.shared = arena_alloc(arena, op->shared_size);
    if (status == TRIB_OK) status = run_all(&run, probe, build, mode);
    op->close(run.shared);
    assert_int_equal(budget_used(query.budget), 0);
    if (spilled) *spilled = query.spill ? spill_space_bytes(query.spill) : 0;
    spill_space_free(query.spill);
    budget_free(query.budget);
    cancel_release(cancel);
    arena_free(arena);
    free(counters);
    pthread_mutex_destroy(&run.lock);
    return status;
}

Status harness_breaker(const PhysNode *node, const Table *input, Mode mode, uint64_t seed,
                       Lines *out, uint64_t *spilled, Error *err) {
    return run_query(node, NULL, input, mode, seed, out, spilled, err);
}

Status harness_join(const PhysNode *node, const Table *probe, const Table *build, Mode mode,
                    uint64_t seed, Lines *out, uint64_t *spilled, Error *err) {
    return run_query(node, probe, build, mode, seed, out, spilled, err);
}
