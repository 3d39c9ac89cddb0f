/*
 * sets.c - arrays of parameters: INSERT in one go, queries with a result for each set.
 *
 * INSERT. Sets are read in chunks of at most CHUNK_SETS, column by column (convert_array.c); those that do
 * not convert are marked and left out. The chunk goes to the engine as one range, which is stored wholly
 * or not at all. A range that fails because of its data is halved, the first half first, until single sets
 * are found that fail: the outcome is that of executing one set after the other, at the price of a few
 * executions per failing set. Any other failure ends the call.
 *
 * Queries. All sets are read at the execution, since the application may change its buffers afterwards;
 * each is executed when the application asks for its result.
 *
 * Memory: an arena of the statement, charged to the budget of the process, reset with each chunk.
 */
#include "driver/execute.h"
#include "driver/params.h"

#define CHUNK_SETS 65536u

void sets_drop(Stmt *self) {
    SetsRun *run = &self->sets;
    Arena *arena = run->arena;
    if (!run->count && !run->values && !run->columns) return;
    if (run->grant.budget) grant_clear(&run->grant);
    arena_reset(arena);
    *run = (SetsRun){.arena = arena};
}

static Status sets_begin(Stmt *self, Error *err) {
    SetsRun *run = &self->sets;
    sets_drop(self);
    if (!run->arena) TRY_ALLOC(run->arena, arena_new(NULL), err);
    if (!grant_init(&run->grant, budget_process(), 0, false)) return error_out_of_memory(err);
    return TRIB_OK;
}

/* Accounts what was allocated for sets. */
static Status sets_charge(SetsRun *run, uint64_t bytes, Error *err) {
    if (grant_try(&run->grant, (int64_t)bytes)) return TRIB_OK;
    return error_set(err, ERR_OUT_OF_MEMORY,
                     "%llu bytes of parameters do not fit into the memory of the process "
                     "(ProcessMemoryLimit)",
                     (unsigned long long)bytes);
}

/* ---- INSERT: reading a chunk */

typedef struct Chunk {
    Stmt *stmt;
    SQLULEN first; /* number of its first set */
    uint32_t count;
    uint8_t *states;
    uint32_t parameter; /* being converted, from 1 */
    bool ended;         /* with an error that is the call's */
} Chunk;

static void chunk_issue(void *context, uint32_t set, const Error *err, bool error) {
    Chunk *self = context;
    SQLULEN row = self->first + set;
    if (error) {
        if (set_failed(self->stmt, err, row, (SQLINTEGER)self->parameter) == SQL_ERROR)
            self->ended = true;
        return;
    }
    set_status(self->stmt, row, SQL_PARAM_SUCCESS_WITH_INFO);
    diag_row(&self->stmt->base, err, false, (SQLLEN)row + 1, (SQLINTEGER)self->parameter);
}

/* Which sets take part. */
static Status chunk_states(Chunk *self, Error *err) {
    Stmt *stmt = self->stmt;
    TRY_ALLOC(self->states, arena_alloc(stmt->sets.arena, self->count), err);
    for (uint32_t i = 0; i < self->count; i++) {
        set_status(stmt, self->first + i, SQL_PARAM_UNUSED);
        if (set_ignored(stmt, self->first + i)) self->states[i] = SET_IGNORED;
    }
    return TRIB_OK;
}

static Status chunk_column(Chunk *self, uint32_t index, ParameterColumn *out, Error *err) {
    Stmt *stmt = self->stmt;
    ArrayRun run = {.stmt = stmt,
                    .index = index,
                    .count = self->count,
                    .states = self->states,
                    .arena = stmt->sets.arena,
                    .context = self,
                    .issue = chunk_issue};
    uint32_t count = statement_parameter_count(atomic_load(&stmt->engine));
    self->parameter = index + 1;
    if (!param_place(stmt, self->first, index, &run.place))
        return error_set(err, ERR_PARAM_COUNT,
                         "the statement has %u parameters; number %u is not bound", count,
                         index + 1);
    const DescRecord *own = run.place.own;
    run.type = sqltype_parameter(own->concise, own->length, own->scale);
    return array_convert(&run, out, err);
}

static Status chunk_columns(Chunk *self, Error *err) {
    SetsRun *sets = &self->stmt->sets;
    uint32_t n = statement_parameter_count(atomic_load(&self->stmt->engine));
    TRY_ALLOC(sets->columns, ARENA_ARRAY(sets->arena, ParameterColumn, n), err);
    for (uint32_t i = 0; i < n && !self->ended; i++)
        TRY(chunk_column(self, i, &sets->columns[i], err));
    TRY_ALLOC(sets->numbers, ARENA_ARRAY(sets->arena, SQLULEN, self->count), err);
    for (uint32_t i = 0; i < self->count; i++)
        if (self->states[i] == SET_GIVEN) sets->numbers[sets->count++] = self->first + i;
    for (uint32_t i = 0; i < n && sets->count < self->count && !self->ended; i++)
        array_compact(&sets->columns[i], self->count, self->states);
    return sets_charge(sets, arena_bytes(sets->arena), err);
}

static Status chunk_convert(Chunk *self, Error *err) {
    Desc *apd = self->stmt->apd;
    TRY(sets_begin(self->stmt, err));
    TRY(chunk_states(self, err));
    bool locked = !apd->automatic && handle_lock(apd->base.id, SQL_HANDLE_DESC);
    Status status = chunk_columns(self, err);
    if (locked) handle_unlock(&apd->base);
    return status;
}

SQLRETURN chunk_read(Stmt *self) {
    CallSlot *slot = &self->slot;
    SetsRun *sets = &self->sets;
    Error err;
    SQLULEN left = sets_count(self) - slot->row;
    uint32_t most = slot->waits ? 1 : CHUNK_SETS;
    Chunk chunk = {.stmt = self, .first = slot->row, .count = left < most ? (uint32_t)left : most};
    if (chunk_convert(&chunk, &err) != TRIB_OK) return diag_engine(&self->base, &err);
    slot->row += chunk.count;
    if (self->ipd->rows_processed) *self->ipd->rows_processed = slot->row;
    if (chunk.ended) return SQL_ERROR;
    sets->nranges = sets->count > 0;
    sets->ranges[0] = (SetsRange){0, sets->count};
    slot->step = STEP_RANGE;
    return SQL_SUCCESS;
}

/* ---- INSERT: storing it */

/* Would other rows of the same array be stored although this range was not? */
static bool failed_by_data(const Error *err) {
    return err->status == TRIB_DATA || err->status == TRIB_CONSTRAINT || err->status == TRIB_LIMIT;
}

/* The range and all that is left of the array are not stored. */
static SQLRETURN ranges_abandoned(Stmt *self, const Error *err) {
    SetsRun *sets = &self->sets;
    for (uint32_t i = 0; i < sets->now.count; i++)
        set_status(self, sets->numbers[sets->now.first + i], SQL_PARAM_ERROR);
    SQLULEN row = sets->numbers[sets->now.first + sets->now.count - 1];
    if (sets_count(self) == 1) return diag_engine(&self->base, err);
    return sets_abandoned(self, err, row);
}

static SQLRETURN range_failed(Stmt *self, const Error *err) {
    SetsRun *sets = &self->sets;
    SetsRange now = sets->now;
    self->slot.step = STEP_RANGE;
    if (!failed_by_data(err)) return ranges_abandoned(self, err);
    if (now.count == 1) return set_refused(self, err, sets->numbers[now.first]);
    uint32_t half = now.count / 2;
    sets->ranges[sets->nranges++] = (SetsRange){now.first + half, now.count - half};
    sets->ranges[sets->nranges++] = (SetsRange){now.first, half};
    return SQL_SUCCESS;
}

SQLRETURN range_begin(Stmt *self) {
    SetsRun *sets = &self->sets;
    Statement *engine = atomic_load(&self->engine);
    Error err;
    if (sets->nranges == 0) {
        self->slot.step = STEP_CHUNK;
        return SQL_SUCCESS;
    }
    sets->now = sets->ranges[--sets->nranges];
    ParameterSets range = {sets->columns, sets->now.first, sets->now.count};
    Status status = statement_bind_sets(engine, &range, &err);
    if (status == TRIB_OK) status = statement_execute_start(engine, &err);
    if (status != TRIB_OK) return range_failed(self, &err);
    self->slot.step = STEP_STORING;
    return SQL_SUCCESS;
}

SQLRETURN range_end(Stmt *self) {
    SetsRun *sets = &self->sets;
    Error err;
    SQLRETURN result = stmt_wait(self, &err);
    if (result == SQL_STILL_EXECUTING) return result;
    if (result == SQL_ERROR) return range_failed(self, &err);
    int64_t rows = statement_row_count(atomic_load(&self->engine));
    if (rows > 0) self->slot.total += rows;
    for (uint32_t i = 0; self->ipd->array_status && i < sets->now.count; i++)
        set_succeeded(self, sets->numbers[sets->now.first + i]);
    self->slot.step = STEP_RANGE;
    return SQL_SUCCESS;
}

/* ---- queries */

static Status queue_room(SetsRun *run, uint32_t parameters, Error *err) {
    if (run->count < run->capacity) return TRIB_OK;
    uint32_t capacity = run->capacity ? run->capacity * 2 : 16;
    size_t row = parameters * sizeof(TribValue);
    TRY(sets_charge(run, (capacity - run->capacity) * (row + sizeof(SQLULEN)), err));
    run->values = arena_resize(run->arena, run->values, run->capacity * row, capacity * row);
    run->numbers = arena_resize(run->arena, run->numbers, run->capacity * sizeof(SQLULEN),
                                capacity * sizeof(SQLULEN));
    if (!run->values || !run->numbers) return error_out_of_memory(err);
    run->capacity = capacity;
    return TRIB_OK;
}

/* Text is copied: it may stand in the application's buffers. */
static Status value_keep(SetsRun *run, TribValue *value, Error *err) {
    bool text = value->type.id == TRIB_TYPE_VARCHAR || value->type.id == TRIB_TYPE_VARBINARY;
    if (!text || value->is_null) return TRIB_OK;
    TRY(sets_charge(run, value->as.text.length, err));
    TRY_ALLOC(value->as.text.data,
              arena_copy(run->arena, value->as.text.data, value->as.text.length), err);
    return TRIB_OK;
}

/* *index: at which parameter it failed, from 1; 0: at none of them. */
static Status queue_add(Stmt *self, SQLINTEGER *index, Error *err) {
    SetsRun *run = &self->sets;
    SQLULEN row = self->slot.row;
    uint32_t n = statement_parameter_count(atomic_load(&self->engine));
    TRY(queue_room(run, n, err));
    TribValue *values = run->values + (size_t)run->count * n;
    for (uint32_t i = 0; i < n; i++) {
        ParamPlace place;
        bool fraction;
        if (!param_place(self, row, i, &place))
            return error_set(err, ERR_PARAM_COUNT,
                             "the statement has %u parameters; number %u is not bound", n, i + 1);
        *index = (SQLINTEGER)i + 1;
        TRY(param_value(self, i, &place, run->arena, &values[i], &fraction, err));
        if (fraction) diag_row(&self->base, err, false, (SQLLEN)row + 1, *index);
        if (fraction) set_status(self, row, SQL_PARAM_SUCCESS_WITH_INFO);
        TRY(value_keep(run, &values[i], err));
    }
    run->numbers[run->count++] = row;
    return TRIB_OK;
}

SQLRETURN query_set_read(Stmt *self) {
    CallSlot *slot = &self->slot;
    Error err;
    SQLINTEGER index = 0;
    if (slot->row == 0 && sets_begin(self, &err) != TRIB_OK) return diag_engine(&self->base, &err);
    set_status(self, slot->row, SQL_PARAM_UNUSED);
    if (set_ignored(self, slot->row)) {
        slot->row++;
        return SQL_SUCCESS;
    }
    Desc *apd = self->apd;
    bool locked = !apd->automatic && handle_lock(apd->base.id, SQL_HANDLE_DESC);
    Status status = queue_add(self, &index, &err);
    if (locked) handle_unlock(&apd->base);
    if (status != TRIB_OK && index == 0) return diag_engine(&self->base, &err);
    if (status != TRIB_OK && set_failed(self, &err, slot->row, index) == SQL_ERROR)
        return SQL_ERROR;
    slot->row++;
    return SQL_SUCCESS;
}

bool sets_left(const Stmt *self) {
    return self->sets.values && self->sets.next < self->sets.count;
}

/* No further result: the last sets failed, or all sets are to be ignored. */
static SQLRETURN queue_ended(Stmt *self) {
    if (self->slot.failed) return SQL_ERROR;
    self->state = STMT_EXECUTED;
    self->row_count = self->base.diag.row_count = 0;
    return SQL_NO_DATA;
}

SQLRETURN query_set_begin(Stmt *self) {
    SetsRun *run = &self->sets;
    Statement *engine = atomic_load(&self->engine);
    uint32_t n = statement_parameter_count(engine);
    Error err;
    if (!sets_left(self)) return queue_ended(self);
    SQLULEN row = run->numbers[run->next];
    const TribValue *values = run->values + (size_t)run->next++ * n;
    if (self->ipd->rows_processed) *self->ipd->rows_processed = row + 1;
    statement_clear_bindings(engine);
    Status status = TRIB_OK;
    for (uint32_t i = 0; i < n && status == TRIB_OK; i++)
        status = statement_bind(engine, i, &values[i], &err);
    if (status == TRIB_OK) status = statement_execute_start(engine, &err);
    if (status != TRIB_OK) return set_failed(self, &err, row, 0);
    self->slot.step = STEP_OPENING;
    return SQL_SUCCESS;
}

SQLRETURN query_set_end(Stmt *self, bool *finished) {
    SQLULEN row = self->sets.numbers[self->sets.next - 1];
    Error err;
    SQLRETURN result = stmt_wait(self, &err);
    if (result == SQL_STILL_EXECUTING) return result;
    self->slot.step = STEP_RESULT;
    if (result == SQL_ERROR) return set_refused(self, &err, row);
    set_succeeded(self, row);
    stmt_drop_puts(self);
    if (self->slot.failed) self->base.diag.warned = true;
    *finished = true;
    return cursor_opened(self);
}
