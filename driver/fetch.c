/*
 * fetch.c - rowsets: from the engine's batches into the bound buffers.
 *
 * A rowset is filled run by run: a run is what one batch still has, and each bound column converts
 * the whole run at once (convert_span). What does not change between fetches (which columns are
 * bound, which kernel converts them) stands in a plan that is rebuilt when the ARD or the result
 * changes. A rowset that spans batches keeps copies of the rows whose batch is gone, as far as
 * SQLGetData may still want them (held.c).
 *
 * Threads: under the statement's lock (and an explicit ARD's). Memory: nothing per row.
 */
#include "driver/stmt.h"
#include "driver/held.h"
#include "engine/base/bitmap.h"

#define RUN_POSITIONS 1024

SQLRETURN stmt_bind_col(Stmt *self, SQLUSMALLINT number, SQLSMALLINT ctype, SQLPOINTER data,
                        SQLLEN capacity, SQLLEN *indicator) {
    if (number == 0 || number > DESC_MAX_RECORDS)
        return diag_error(&self->base, ERR_DESCRIPTOR_INDEX, "there is no column %u",
                          (unsigned)number);
    if (data && ctype != SQL_C_DEFAULT && !ctype_valid(ctype))
        return diag_error(&self->base, ERR_BUFFER_TYPE, "%d is no C type", (int)ctype);
    if (capacity < 0)
        return diag_error(&self->base, ERR_STRING_LENGTH, "the buffer's length is negative");
    Desc *ard = self->ard;
    bool locked = !ard->automatic && handle_lock(ard->base.id, SQL_HANDLE_DESC);
    SQLRETURN result = SQL_SUCCESS;
    if (data) {
        DescRecord *record = desc_record(ard, (SQLSMALLINT)number);
        if (record) {
            (void)desc_set_concise(ard, record, ctype);
            record->octet_length = capacity;
            record->data = data;
            record->octet_length_ptr = record->indicator = indicator;
        } else {
            result = diag_no_memory(&self->base);
        }
    } else if (number <= ard->count) {
        ard->records[number].data = NULL;
        desc_trim(ard);
    }
    if (locked) handle_unlock(&ard->base);
    return result;
}

/* ---- cursors */

void cursor_reset(Cursor *self) {
    self->open = self->ended = self->data_wanted = self->plan_valid = false;
    self->batch = NULL;
    self->next = self->nsegments = 0;
    self->delivered = self->rowset_start = 0;
    self->rowset_rows = self->current = 0;
    part_reset(&self->part);
    if (self->held) arena_reset(self->held);
}

void cursor_free(Cursor *self) {
    listing_free(self->rows);
    heap_free(self->segments);
    heap_free(self->bound);
    heap_free(self->data_plans);
    buf_clear(&self->part.text);
    arena_free(self->held);
}

bool cursor_locate(const Cursor *self, SQLULEN row, const BatchView **batch, uint32_t *logical) {
    for (uint32_t i = 0; i < self->nsegments; i++) {
        const RowSegment *segment = &self->segments[i];
        if (row < segment->count) {
            *batch = segment->batch;
            *logical = segment->first + (uint32_t)row;
            return segment->batch != NULL;
        }
        row -= segment->count;
    }
    return false;
}

bool cursor_position(const BatchView *batch, const ColumnView *column, uint32_t logical,
                     uint32_t *out) {
    uint32_t at = batch->selection ? batch->selection[logical] : logical;
    if (column->form == COLUMN_CONSTANT) {
        at = 0;
    } else if (column->form == COLUMN_DICTIONARY) {
        if (column->row_validity && !bitmap_get(column->row_validity, at)) return false;
        at = column->indices[at];
    }
    *out = at;
    return !column->validity || bitmap_get(column->validity, at);
}

static bool segment_add(Cursor *self, uint32_t first, uint32_t count) {
    if (self->nsegments == self->segments_capacity) {
        uint32_t capacity = self->segments_capacity ? self->segments_capacity * 2 : 4;
        RowSegment *segments = heap_resize(self->segments, capacity * sizeof *segments);
        if (!segments) return false;
        self->segments = segments;
        self->segments_capacity = capacity;
    }
    self->segments[self->nsegments++] = (RowSegment){self->batch, first, count};
    return true;
}

/* ---- the plan */

static SQLRETURN plan_column(Stmt *self, uint32_t index, const DescRecord *record,
                             BoundColumn *out) {
    const ColumnInfo *column = stmt_column(self, index);
    SizeDefaults sizes = {self->dbc->string_length, self->dbc->complex_length};
    SQLSMALLINT ctype = record->concise;
    if (ctype == SQL_C_DEFAULT) {
        SqlType type;
        sqltype_of(column->type, &sizes, &type);
        ctype = ctype_default(type.concise);
    }
    out->column = index;
    out->record = record;
    if (convert_plan(&out->plan, column->type, ctype) != CONVERT_OK)
        return diag_error(&self->base, ERR_TYPE_ATTRIBUTE,
                          "column %u cannot be converted to the C type %d that is bound to it",
                          index + 1, (int)ctype);
    out->plan.numeric_set = record->scale_set;
    out->plan.numeric_precision = (uint8_t)(record->precision > 0 ? record->precision : 0);
    out->plan.numeric_scale = (int8_t)record->scale;
    return SQL_SUCCESS;
}

static SQLRETURN plan_build(Stmt *self) {
    Cursor *cursor = &self->cursor;
    const Desc *ard = self->ard;
    uint32_t columns = stmt_column_count(self);
    uint32_t count = (uint32_t)ard->count < columns ? (uint32_t)ard->count : columns;
    if (count > cursor->bound_capacity) {
        BoundColumn *bound = heap_resize(cursor->bound, count * sizeof *bound);
        if (!bound) return diag_no_memory(&self->base);
        cursor->bound = bound;
        cursor->bound_capacity = count;
    }
    cursor->nbound = 0;
    for (uint32_t i = 0; i < count; i++) {
        const DescRecord *record = &ard->records[i + 1];
        if (!record->data) continue;
        if (plan_column(self, i, record, &cursor->bound[cursor->nbound]) != SQL_SUCCESS)
            return SQL_ERROR;
        cursor->nbound++;
    }
    cursor->all_bound = cursor->nbound == columns;
    cursor->bound_version = ard->version;
    cursor->bound_ard = ard;
    cursor->plan_valid = true;
    return SQL_SUCCESS;
}

static SQLRETURN plan_check(Stmt *self) {
    const Cursor *cursor = &self->cursor;
    if (cursor->plan_valid && cursor->bound_ard == self->ard &&
        cursor->bound_version == self->ard->version)
        return SQL_SUCCESS;
    return plan_build(self);
}

/* ---- converting a run */

typedef struct RunContext {
    Stmt *stmt;
    uint32_t column;
    SQLULEN row; /* of the rowset, of the run's first */
} RunContext;

/* The status of rows is kept apart only once a row has something to say. */
static SQLUSMALLINT *row_status(Stmt *self, SQLULEN row) {
    if (self->row_status_size < self->fetch.size) {
        SQLUSMALLINT *status = heap_resize(self->row_status, self->fetch.size * sizeof *status);
        if (!status) return NULL;
        memset(status, 0,
               self->fetch.size * sizeof *status); /* before the first issue of this rowset */
        self->row_status = status;
        self->row_status_size = self->fetch.size;
    }
    return &self->row_status[row];
}

static void run_issue(void *opaque, uint32_t row, ConvertCode code, const Error *err) {
    RunContext *context = opaque;
    Stmt *self = context->stmt;
    Error own;
    bool error = code >= CONVERT_ERROR;
    SQLULEN at = context->row + row;
    SQLUSMALLINT *status = row_status(self, at);
    if (code != CONVERT_ENGINE) {
        (void)convert_error(code, &own);
        err = &own;
    }
    if (error && (!status || *status != SQL_ROW_ERROR)) self->fetch.failed++;
    if (status && *status != SQL_ROW_ERROR)
        *status = error ? SQL_ROW_ERROR : SQL_ROW_SUCCESS_WITH_INFO;
    diag_row(&self->base, err, error, (SQLLEN)at + 1, (SQLINTEGER)context->column + 1);
}

static void positions_fill(const BatchView *batch, const ColumnView *column, uint32_t first,
                           uint32_t count, uint32_t *out) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = batch->selection ? batch->selection[first + i] : first + i;
        if (column->form == COLUMN_CONSTANT) {
            out[i] = 0;
        } else if (column->form == COLUMN_DICTIONARY) {
            bool null = column->row_validity && !bitmap_get(column->row_validity, at);
            out[i] = null ? SPAN_NULL : column->indices[at];
        } else {
            out[i] = at;
        }
    }
}

static char *offset_ptr(const void *base, SQLLEN offset, SQLULEN row, size_t stride) {
    return base ? (char *)base + offset + row * stride : NULL;
}

/* One bound column over a run of the current batch; row: of the rowset, of the run's first. */
static void run_column(Stmt *self, const BoundColumn *bound, uint32_t first, uint32_t count,
                       SQLULEN row) {
    const BatchView *batch = self->cursor.batch;
    const ColumnView *column = &batch->columns[bound->column];
    const DescRecord *record = bound->record;
    const Desc *ard = self->ard;
    SQLLEN offset = ard->bind_offset ? *ard->bind_offset : 0;
    bool by_row = ard->bind_type != SQL_BIND_BY_COLUMN;
    size_t stride = by_row                 ? (size_t)ard->bind_type
                    : bound->plan.variable ? (size_t)record->octet_length
                                           : bound->plan.size;
    size_t length_stride = by_row ? (size_t)ard->bind_type : sizeof(SQLLEN);
    RunContext context = {self, bound->column, row};
    Span span = {.plan = &bound->plan,
                 .column = column,
                 .data_stride = stride,
                 .capacity = bound->plan.variable ? record->octet_length : (SQLLEN)bound->plan.size,
                 .length_stride = length_stride,
                 .max_length = self->options.max_length,
                 .context = &context,
                 .issue = run_issue};
    Buf buffer;
    bool nested = bound->plan.source == SRC_NESTED;
    if (nested) {
        buf_init(&buffer, NULL, INT32_MAX);
        span.buffer = &buffer;
    }
    uint32_t positions[RUN_POSITIONS];
    bool direct = column->form == COLUMN_FLAT && !batch->selection;
    for (uint32_t done = 0; done < count; done += span.count) {
        uint32_t left = count - done;
        span.count = direct || left < RUN_POSITIONS ? left : RUN_POSITIONS;
        span.first = first + done;
        if (!direct) {
            positions_fill(batch, column, span.first, span.count, positions);
            span.positions = positions;
        }
        context.row = row + done;
        span.data = offset_ptr(record->data, offset, context.row, stride);
        span.length = offset_ptr(record->octet_length_ptr, offset, context.row, length_stride);
        span.indicator = offset_ptr(record->indicator, offset, context.row, length_stride);
        convert_span(&span);
    }
    if (nested) buf_clear(&buffer);
}

/* ---- filling a rowset */

/* The next batch; SQL_NO_DATA at the end. */
static SQLRETURN batch_next(Stmt *self) {
    Cursor *cursor = &self->cursor;
    Error err;
    if (cursor->rows) {
        bool first = cursor->batch == NULL;
        cursor->batch = listing_batch(cursor->rows);
        cursor->next = 0;
        cursor->ended = !first || cursor->batch->rows == 0;
        return cursor->ended ? SQL_NO_DATA : SQL_SUCCESS;
    }
    Statement *engine = atomic_load_explicit(&self->engine, memory_order_relaxed);
    if (!self->fetch.waiting) {
        if (self->fetch.done > 0 && held_keep(self, &err) != TRIB_OK)
            return diag_engine(&self->base, &err);
        cursor->batch = NULL;
        if (statement_fetch_start(engine, &err) != TRIB_OK) return diag_engine(&self->base, &err);
        self->fetch.waiting = true;
    }
    SQLRETURN result = stmt_wait(self, &err);
    if (result == SQL_STILL_EXECUTING) return result;
    self->fetch.waiting = false;
    if (result == SQL_ERROR) return diag_engine(&self->base, &err);
    cursor->batch = statement_batch(engine);
    cursor->next = 0;
    cursor->ended = !cursor->batch || cursor->batch->rows == 0;
    return cursor->ended ? SQL_NO_DATA : SQL_SUCCESS;
}

/* Rows of the current batch into the buffers, as many as are wanted. */
static SQLRETURN run_take(Stmt *self) {
    Cursor *cursor = &self->cursor;
    FetchState *fetch = &self->fetch;
    SQLULEN left = fetch->size - fetch->done;
    uint32_t count = cursor->batch->rows - cursor->next;
    if (count > left) count = (uint32_t)left;
    if (self->options.max_rows && count > self->options.max_rows - cursor->delivered)
        count = (uint32_t)(self->options.max_rows - cursor->delivered);
    if (!segment_add(cursor, cursor->next, count)) return diag_no_memory(&self->base);
    if (self->options.retrieve_data == SQL_RD_ON)
        for (uint32_t i = 0; i < cursor->nbound; i++)
            run_column(self, &cursor->bound[i], cursor->next, count, fetch->done);
    cursor->next += count;
    cursor->delivered += count;
    fetch->done += count;
    return SQL_SUCCESS;
}

/* The application's row status array, rows fetched and the result. */
static SQLRETURN fetch_finish(Stmt *self) {
    Cursor *cursor = &self->cursor;
    FetchState *fetch = &self->fetch;
    bool extended = fetch->state_after == STMT_EXTENDED;
    cursor->rowset_rows = fetch->done;
    cursor->current = 0;
    self->state = fetch->state_after;
    if (fetch->fetched) *fetch->fetched = fetch->done;
    for (SQLULEN i = 0; fetch->status && i < fetch->size; i++) {
        SQLUSMALLINT status = i >= fetch->done            ? SQL_ROW_NOROW
                              : i < self->row_status_size ? self->row_status[i]
                                                          : SQL_ROW_SUCCESS;
        if (extended && status == SQL_ROW_SUCCESS_WITH_INFO) status = SQL_ROW_SUCCESS;
        fetch->status[i] = status;
    }
    if (fetch->done == 0) return SQL_NO_DATA;
    if (fetch->failed == fetch->done) return SQL_ERROR;
    if (fetch->failed > 0) {
        self->base.diag.warned = true;
        if (extended)
            diag_warning(&self->base, ERR_ROW_ERROR, "%llu rows could not be converted",
                         (unsigned long long)fetch->failed);
    }
    return SQL_SUCCESS;
}

static SQLRETURN fetch_run(Stmt *self) {
    Cursor *cursor = &self->cursor;
    FetchState *fetch = &self->fetch;
    SQLRETURN result = SQL_SUCCESS;
    self->slot.resume = fetch_run;
    while (result == SQL_SUCCESS && fetch->done < fetch->size && !cursor->ended) {
        if (self->options.max_rows && cursor->delivered >= self->options.max_rows) break;
        if (cursor->batch && cursor->next < cursor->batch->rows)
            result = run_take(self);
        else
            result = batch_next(self);
    }
    if (result == SQL_STILL_EXECUTING || result == SQL_ERROR) return result;
    return fetch_finish(self);
}

/* Begins a rowset of `size` rows. */
static SQLRETURN fetch_begin(Stmt *self, const FetchState *wanted) {
    Cursor *cursor = &self->cursor;
    Desc *ard = self->ard;
    bool locked = !ard->automatic && handle_lock(ard->base.id, SQL_HANDLE_DESC);
    SQLRETURN result = SQL_ERROR;
    part_reset(&cursor->part);
    self->fetch = *wanted;
    cursor->nsegments = 0;
    cursor->rowset_rows = 0;
    cursor->rowset_start = cursor->delivered + 1;
    self->row_status_size = 0;
    if (cursor->held) arena_reset(cursor->held);
    if (plan_check(self) == SQL_SUCCESS) result = fetch_run(self);
    if (locked) handle_unlock(&ard->base);
    return result;
}

SQLRETURN stmt_fetch(Stmt *self) {
    return fetch_begin(self, &(FetchState){.size = self->ard->array_size,
                                           .fetched = self->ird->rows_processed,
                                           .status = self->ird->array_status,
                                           .state_after = STMT_FETCHED});
}

SQLRETURN stmt_fetch_scroll(Stmt *self, SQLSMALLINT orientation, SQLLEN offset) {
    (void)offset;
    if (orientation != SQL_FETCH_NEXT)
        return diag_error(&self->base, ERR_FETCH_TYPE,
                          "a forward-only cursor goes to the next rows only");
    return stmt_fetch(self);
}

SQLRETURN stmt_extended_fetch(Stmt *self, SQLUSMALLINT orientation, SQLLEN offset, SQLULEN *fetched,
                              SQLUSMALLINT *status) {
    (void)offset;
    if (orientation != SQL_FETCH_NEXT)
        return diag_error(&self->base, ERR_FETCH_TYPE,
                          "a forward-only cursor goes to the next rows only");
    return fetch_begin(self, &(FetchState){.size = self->options.rowset_size,
                                           .fetched = fetched,
                                           .status = status,
                                           .state_after = STMT_EXTENDED});
}

SQLRETURN stmt_set_pos(Stmt *self, SQLSETPOSIROW row, SQLUSMALLINT operation, SQLUSMALLINT lock) {
    Cursor *cursor = &self->cursor;
    if (operation > SQL_ADD)
        return diag_error(&self->base, ERR_ATTRIBUTE_ID, "there is no operation %u",
                          (unsigned)operation);
    if (operation != SQL_POSITION && operation != SQL_REFRESH)
        return diag_error(&self->base, ERR_UNSUPPORTED,
                          "rows cannot be changed through the cursor");
    if (lock != SQL_LOCK_NO_CHANGE)
        return diag_error(&self->base, ERR_UNSUPPORTED, "rows cannot be locked");
    if (row > cursor->rowset_rows)
        return diag_error(&self->base, ERR_ROW_RANGE, "the rowset has %llu rows",
                          (unsigned long long)cursor->rowset_rows);
    cursor->data_wanted = true;
    if (operation == SQL_REFRESH) return SQL_SUCCESS;
    if (row == 0)
        return diag_error(&self->base, ERR_CURSOR_POSITION, "a position is a row of the rowset");
    cursor->current = row - 1;
    part_reset(&cursor->part);
    return SQL_SUCCESS;
}
