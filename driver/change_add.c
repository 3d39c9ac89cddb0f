/*
 * change_add.c - SQL_ADD: rows of the bound buffers become rows of the table.
 *
 * Rows that follow one another and write the same columns are a run: they are read column by column
 * (convert_array.c) and stored by one execution of
 *
 *   INSERT INTO "c"."s"."t" ("a", "b") VALUES (?, ?)
 *
 * that takes them all, and stores all of them or none. Rows that do not convert are marked and left out. A run that
 * fails because of its data is halved, the first half first, until single rows are found that fail: the
 * outcome is that of adding one row after the other. Any other failure ends the call; what is left is marked as
 * not added. A row with data at execution is a run of its own.
 *
 * Added rows do not enter the cursor. Where SQLBulkOperations finds column 0 bound, a row that can be found by its
 * key is read again and kept under a number beyond any row's of the result: its bookmark leads to it.
 *
 * Threads: under the statement's lock. Memory: an arena of the statement, charged to the budget of the process,
 * reset with each run.
 */
#include "driver/bookmark.h"
#include "driver/change.h"

#define RUN_ROWS    65536u
#define ADDED_FIRST (UINT64_C(1) << 62)

void adds_drop(Stmt *self) {
    SetsRun *run = &self->change.adds;
    Arena *arena = run->arena;
    if (!run->numbers && !run->grant.budget) return;
    if (run->grant.budget) grant_clear(&run->grant);
    arena_reset(arena);
    *run = (SetsRun){.arena = arena};
    self->change.stored = NULL;
}

static Status adds_begin(Stmt *self, Error *err) {
    SetsRun *run = &self->change.adds;
    adds_drop(self);
    if (!run->arena) TRY_ALLOC(run->arena, arena_new(NULL), err);
    if (!grant_init(&run->grant, budget_process(), 0, false)) return error_out_of_memory(err);
    return TRIB_OK;
}

static Status adds_charge(SetsRun *run, Error *err) {
    uint64_t bytes = arena_bytes(run->arena);
    if (grant_try(&run->grant, (int64_t)bytes)) return TRIB_OK;
    return error_set(err, ERR_OUT_OF_MEMORY,
                     "%llu bytes of rows that are added do not fit into the memory of the process "
                     "(ProcessMemoryLimit)",
                     (unsigned long long)bytes);
}

/* ---------------------------------------------------------------- reading a run */

/* A bound column that can be written, in the first row of the run. */
typedef struct AddedColumn {
    uint32_t number; /* of the result's columns, from 0 */
    bool given;      /* else it is ignored */
    DescRecord own;
    ParamPlace place;
} AddedColumn;

typedef struct AddedRows {
    Stmt *stmt;
    AddedColumn *columns;
    uint32_t ncolumns, count;
    uint8_t *states;
    const AddedColumn *converting;
} AddedRows;

static Status columns_bound(AddedRows *self, Error *err) {
    Stmt *stmt = self->stmt;
    uint32_t count = stmt_column_count(stmt);
    TRY_ALLOC(self->columns, ARENA_ARRAY(stmt->change.adds.arena, AddedColumn, count), err);
    for (uint32_t i = 0; i < count; i++) {
        AddedColumn *column = &self->columns[self->ncolumns];
        const DescRecord *app = desc_find(stmt->ard, i + 1);
        if (!app || !app->data || !stmt_column(stmt, i)->writable) continue;
        column_declare(stmt, i, &column->own);
        column_place(stmt->ard, app, &column->own, stmt->change.row, &column->place);
        const SQLLEN *length = column->place.length;
        column->given = !length || param_length(length) != SQL_COLUMN_IGNORE;
        column->number = i;
        self->ncolumns++;
    }
    return TRIB_OK;
}

/* Does row `i` of the run write the columns that the first one does, without data at execution? */
static bool row_joins(const AddedRows *self, uint32_t i) {
    for (uint32_t c = 0; c < self->ncolumns; c++) {
        const AddedColumn *column = &self->columns[c];
        if (!column->place.length) continue;
        const char *at = (const char *)column->place.length + i * column->place.length_step;
        SQLLEN length = param_length(at);
        if (param_length_waits(length)) return false;
        if ((length != SQL_COLUMN_IGNORE) != column->given) return false;
    }
    return true;
}

static Status rows_choose(AddedRows *self, Error *err) {
    RowChange *change = &self->stmt->change;
    SQLULEN left = change->end - change->row;
    uint32_t most = left < RUN_ROWS ? (uint32_t)left : RUN_ROWS;
    TRY_ALLOC(self->states, arena_alloc(change->adds.arena, most), err);
    self->states[0] = SET_GIVEN;
    if (!row_joins(self, 0)) most = 1; /* its data at execution is there: that of no other is */
    uint32_t n = 1;
    for (; n < most; n++) {
        bool ignored = change_ignores(self->stmt, change->row + n);
        if (!ignored && !row_joins(self, n)) break;
        self->states[n] = ignored ? SET_IGNORED : SET_GIVEN;
    }
    self->count = n;
    return TRIB_OK;
}

static void row_issue(void *context, uint32_t set, const Error *err, bool error) {
    AddedRows *self = context;
    SQLULEN row = self->stmt->change.row + set;
    SQLINTEGER column = (SQLINTEGER)self->converting->number + 1;
    if (error)
        change_row_failed(self->stmt, row, column, err);
    else
        diag_row(&self->stmt->base, err, false, (SQLLEN)row + 1, column);
}

static Status column_convert(AddedRows *self, const AddedColumn *column, ParameterColumn *out,
                             Error *err) {
    ArrayRun run = {
        .stmt = self->stmt,
        .index = column->number,
        .place = column->place,
        .type = sqltype_parameter(column->own.concise, column->own.length, column->own.scale),
        .count = self->count,
        .states = self->states,
        .arena = self->stmt->change.adds.arena,
        .context = self,
        .issue = row_issue};
    self->converting = column;
    return array_convert(&run, out, err);
}

static Status rows_convert(AddedRows *self, Error *err) {
    RowChange *change = &self->stmt->change;
    SetsRun *run = &change->adds;
    uint32_t n = 0;
    TRY_ALLOC(run->columns, ARENA_ARRAY(run->arena, ParameterColumn, change->ncolumns), err);
    for (uint32_t c = 0; c < self->ncolumns && n < change->ncolumns; c++)
        if (self->columns[c].given)
            TRY(column_convert(self, &self->columns[c], &run->columns[n++], err));
    TRY_ALLOC(run->numbers, ARENA_ARRAY(run->arena, SQLULEN, self->count), err);
    for (uint32_t i = 0; i < self->count; i++)
        if (self->states[i] == SET_GIVEN) run->numbers[run->count++] = change->row + i;
    for (uint32_t i = 0; i < n && run->count < self->count; i++)
        array_compact(&run->columns[i], self->count, self->states);
    TRY_ALLOC(change->stored, ARENA_ARRAY(run->arena, bool, run->count), err);
    return adds_charge(run, err);
}

static Status adds_read(Stmt *self, Error *err) {
    RowChange *change = &self->change;
    AddedRows rows = {.stmt = self};
    bool marked = change->bulk && self->options.use_bookmarks != SQL_UB_OFF;
    TRY(adds_begin(self, err));
    TRY(columns_bound(&rows, err));
    TRY(rows_choose(&rows, err));
    change->nadds = rows.count;
    for (uint32_t i = 0; i < rows.count; i++) {
        change->tried += rows.states[i] == SET_GIVEN;
        if (marked) bookmark_put(self, change->row + i, 0);
    }
    TRY(rows_convert(&rows, err));
    change->adds.nranges = change->adds.count > 0;
    change->adds.ranges[0] = (SetsRange){0, change->adds.count};
    return TRIB_OK;
}

/* ---------------------------------------------------------------- storing it */

/* Would other rows be stored although these were not? */
static bool failed_by_rows(const Error *err) {
    return err->status == TRIB_DATA || err->status == TRIB_CONSTRAINT ||
           err->status == TRIB_LIMIT || err->status == TRIB_UNSUPPORTED;
}

/* What is not stored of the run is not added, nor are the rows behind it. */
static SQLRETURN adds_abandoned(Stmt *self, const Error *err) {
    const RowChange *change = &self->change;
    const SetsRun *run = &change->adds;
    bool one = change->end - change->row == 1;
    for (SQLULEN row = change->row; row < change->end; row++)
        if (!change_ignores(self, row)) change_status(change, row, SQL_ROW_ERROR);
    for (uint32_t i = 0; change->stored && i < run->count; i++)
        if (change->stored[i]) change_status(change, run->numbers[i], SQL_ROW_ADDED);
    change_post(self, one ? (SQLLEN)change->row + 1 : SQL_ROW_NUMBER_UNKNOWN, SQL_NO_COLUMN_NUMBER,
                err);
    return SQL_ERROR;
}

static SQLRETURN range_failed(Stmt *self, const Error *err) {
    RowChange *change = &self->change;
    SetsRun *run = &change->adds;
    SetsRange now = run->now;
    change->step = ROW_RANGE;
    if (!failed_by_rows(err)) return adds_abandoned(self, err);
    if (now.count == 1) {
        change_row_failed(self, run->numbers[now.first], change_failed_column(self), err);
        return SQL_SUCCESS;
    }
    uint32_t half = now.count / 2;
    run->ranges[run->nranges++] = (SetsRange){now.first + half, now.count - half};
    run->ranges[run->nranges++] = (SetsRange){now.first, half};
    return SQL_SUCCESS;
}

static SQLRETURN range_begin(Stmt *self) {
    RowChange *change = &self->change;
    SetsRun *run = &change->adds;
    Statement *engine = atomic_load(&change->engine);
    Error err;
    run->now = run->ranges[--run->nranges];
    ParameterSets range = {run->columns, run->now.first, run->now.count};
    change->step = ROW_STORING;
    Status status = statement_bind_sets(engine, &range, &err);
    if (status == TRIB_OK) status = statement_execute_start(engine, &err);
    return status == TRIB_OK ? SQL_SUCCESS : range_failed(self, &err);
}

static SQLRETURN range_end(Stmt *self) {
    RowChange *change = &self->change;
    SetsRun *run = &change->adds;
    Statement *engine = atomic_load(&change->engine);
    Error err;
    SQLRETURN result = change_wait(self, engine, &err);
    if (result == SQL_STILL_EXECUTING) return result;
    if (result == SQL_ERROR) return range_failed(self, &err);
    self->row_count += statement_row_count(engine);
    for (uint32_t i = 0; i < run->now.count; i++) {
        change->stored[run->now.first + i] = true;
        change_status(change, run->numbers[run->now.first + i], SQL_ROW_ADDED);
    }
    change->step = ROW_RANGE;
    return SQL_SUCCESS;
}

/* ---------------------------------------------------------------- bookmarks */

/* Where a program would use them: they are of SQL_UB_VARIABLE, and rows are found by their numbers. */
static bool marks_wanted(const Stmt *self) {
    const DescRecord *record = desc_find(self->ard, 0);
    return self->change.bulk && record && record->data && self->cursor.scrollable &&
           self->options.use_bookmarks == SQL_UB_VARIABLE &&
           bookmark_size(record->concise) == BOOKMARK_BYTES;
}

/* The key of row `i` of the run; *out NULL: the application has not given all of it. */
static Status key_given(Stmt *self, uint32_t i, TribValue **out, Error *err) {
    RowChange *change = &self->change;
    const UpdateTarget *target = statement_update_target(atomic_load(&self->engine), NULL);
    TribValue *key;
    *out = NULL;
    TRY_ALLOC(key, ARENA_ARRAY(change->arena, TribValue, target->nkeys), err);
    for (uint32_t k = 0; k < target->nkeys; k++) {
        uint32_t c = 0;
        while (c < change->ncolumns &&
               !str_equal(stmt_column(self, change->columns[c])->base_name, target->keys[k]))
            c++;
        if (c == change->ncolumns) return TRIB_OK;
        const ParameterColumn *given = &change->adds.columns[c];
        ColumnView column = {.type = given->type,
                             .physical = type_physical(given->type),
                             .form = COLUMN_FLAT,
                             .data = given->data,
                             .validity = given->validity};
        TRY(column_value(&column, i, change->arena, &key[k], err));
        if (key[k].is_null) return TRIB_OK;
    }
    *out = key;
    return TRIB_OK;
}

/* The next stored row is to be read again; ROW_NEXT: all have been. */
static Status mark_begin(Stmt *self, Error *err) {
    RowChange *change = &self->change;
    const SetsRun *run = &change->adds;
    arena_reset(change->arena);
    while (change->marked < run->count && !change->stored[change->marked]) change->marked++;
    change->step = ROW_NEXT;
    if (change->marked == run->count) return TRIB_OK;
    TRY(key_given(self, change->marked, &change->key, err));
    change->old = NULL;
    change->number = ADDED_FIRST + change->added;
    change->step = change->key ? ROW_REREAD : ROW_READ;
    change->found = false;
    return TRIB_OK;
}

static void mark_end(Stmt *self) {
    RowChange *change = &self->change;
    SQLULEN row = change->adds.numbers[change->marked++];
    change->step = ROW_MARK;
    if (!change->found) return;
    bookmark_put(self, row, change->number);
    change->added++;
}

/* The row has been added: that it has no bookmark is a warning. */
static SQLRETURN mark_step(Stmt *self) {
    RowChange *change = &self->change;
    SQLRETURN result = SQL_SUCCESS;
    Error err;
    if (change->step == ROW_READ)
        mark_end(self);
    else if (change->step != ROW_MARK)
        result = change_read_again(self, &err);
    else if (mark_begin(self, &err) != TRIB_OK)
        result = SQL_ERROR;
    if (result != SQL_ERROR) return result;
    diag_row(&self->base, &err, false, (SQLLEN)change->adds.numbers[change->marked] + 1,
             SQL_NO_COLUMN_NUMBER);
    change->found = false;
    change->step = ROW_READ;
    return SQL_SUCCESS;
}

/* ---------------------------------------------------------------- a run */

static SQLRETURN adds_take(Stmt *self) {
    RowChange *change = &self->change;
    Error err;
    if (change_columns(self, &err) != TRIB_OK) { /* nothing is to be written: this row alone */
        change->tried++;
        change->nadds = 1;
        change_row_failed(self, change->row, SQL_NO_COLUMN_NUMBER, &err);
        return change_ends_call(&err) ? SQL_ERROR : SQL_SUCCESS;
    }
    Status status = adds_read(self, &err);
    if (status == TRIB_OK && change->adds.count > 0) status = change_prepare_start(self, &err);
    return status == TRIB_OK ? SQL_SUCCESS : adds_abandoned(self, &err);
}

static SQLRETURN adds_prepared(Stmt *self) {
    RowChange *change = &self->change;
    Error err;
    SQLRETURN result = change_prepare_end(self, &err);
    if (result == SQL_ERROR) return adds_abandoned(self, &err);
    if (result == SQL_SUCCESS) change->step = ROW_RANGE;
    return result;
}

/* All ranges are stored or have failed. */
static void ranges_over(Stmt *self) {
    RowChange *change = &self->change;
    change->marked = 0;
    change->step = marks_wanted(self) ? ROW_MARK : ROW_NEXT;
}

SQLRETURN adds_run(Stmt *self) {
    RowChange *change = &self->change;
    SQLRETURN result = SQL_SUCCESS;
    do {
        switch (change->step) {
        case ROW_NEXT: result = adds_take(self); break;
        case ROW_PREPARING: result = adds_prepared(self); break;
        case ROW_RANGE:
            if (change->adds.nranges > 0)
                result = range_begin(self);
            else
                ranges_over(self);
            break;
        case ROW_STORING: result = range_end(self); break;
        default: result = mark_step(self); break;
        }
    } while (result == SQL_SUCCESS && change->step != ROW_NEXT);
    if (result != SQL_SUCCESS) return result;
    arena_reset(change->arena);
    adds_drop(self);
    change->row += change->nadds;
    return SQL_SUCCESS;
}
