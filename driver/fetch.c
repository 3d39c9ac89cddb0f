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
#include "driver/bookmark.h"
#include "driver/held.h"
#include "engine/base/bitmap.h"

#define RUN_POSITIONS 1024

SQLRETURN stmt_bind_col(Stmt *self, SQLUSMALLINT number, SQLSMALLINT ctype, SQLPOINTER data,
                        SQLLEN capacity, SQLLEN *indicator) {
    bool bookmark = number == 0 && self->options.use_bookmarks != SQL_UB_OFF;
    if ((number == 0 && !bookmark) || number > DESC_MAX_RECORDS)
        return diag_error(&self->base, ERR_DESCRIPTOR_INDEX, "there is no column %u",
                          (unsigned)number);
    if (data && ctype != SQL_C_DEFAULT && !ctype_valid(ctype))
        return diag_error(&self->base, ERR_BUFFER_TYPE, "%d is no C type", (int)ctype);
    if (data && bookmark && !bookmark_size(ctype))
        return diag_error(&self->base, ERR_BUFFER_TYPE, "%d is no C type of a bookmark",
                          (int)ctype);
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
    self->open = self->ended = self->data_wanted = self->plan_valid = self->scrollable = false;
    self->disowned = false;
    self->at = (ScrollPosition){PLACE_BEFORE, 0, 0};
    self->batch = NULL;
    self->next = self->nsegments = 0;
    self->delivered = self->rowset_start = 0;
    self->rowset_rows = self->current = 0;
    part_reset(&self->part);
    changed_clear(&self->changed);
    if (self->held) arena_reset(self->held);
}

void cursor_free(Cursor *self) {
    listing_free(self->rows);
    heap_free(self->segments);
    heap_free(self->bound);
    heap_free(self->data_plans);
    buf_clear(&self->part.text);
    changed_free(&self->changed);
    arena_free(self->held);
}

bool cursor_locate(const Cursor *self, SQLULEN row, const BatchView **batch, uint32_t *logical) {
    const ChangedRow *changed = changed_find(&self->changed, self->rowset_start + row);
    if (changed) {
        *batch = changed->batch;
        *logical = 0;
        return changed->batch != NULL;
    }
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
    SizeDefaults sizes = self->dbc->sizes;
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
    Precisions given = desc_precisions(record);
    convert_precisions(&out->plan, &given);
    if (given.set || given.leading) out->plan.kernel = NULL; /* kernels know the defaults only */
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

/* One bound column over a run of a batch; row: of the rowset, of the run's first. */
static void run_column(Stmt *self, const BatchView *batch, const BoundColumn *bound, uint32_t first,
                       uint32_t count, SQLULEN row) {
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

/* Asks the engine for rows, from number `row` on of a scrollable cursor, and waits for them. */
static SQLRETURN engine_read(Stmt *self, uint64_t row) {
    Cursor *cursor = &self->cursor;
    Error err;
    Statement *engine = atomic_load_explicit(&self->engine, memory_order_relaxed);
    if (!self->fetch.waiting) {
        if (self->fetch.done > 0 && held_keep(self, &err) != TRIB_OK)
            return diag_engine(&self->base, &err);
        cursor->batch = NULL;
        Status status = cursor->scrollable ? statement_seek_start(engine, row, &err)
                                           : statement_fetch_start(engine, &err);
        if (status != TRIB_OK) return diag_engine(&self->base, &err);
        self->fetch.waiting = true;
    }
    SQLRETURN result = stmt_wait(self, &err);
    if (result == SQL_STILL_EXECUTING) return result;
    self->fetch.waiting = false;
    return result == SQL_ERROR ? diag_engine(&self->base, &err) : SQL_SUCCESS;
}

/* The next batch; SQL_NO_DATA at the end. */
static SQLRETURN batch_next(Stmt *self) {
    Cursor *cursor = &self->cursor;
    if (cursor->rows) {
        bool first = cursor->batch == NULL;
        cursor->batch = listing_batch(cursor->rows);
        cursor->batch_start = 0;
        cursor->next = cursor->scrollable ? (uint32_t)cursor->delivered : 0;
        cursor->ended = !first || cursor->next >= cursor->batch->rows;
        return cursor->ended ? SQL_NO_DATA : SQL_SUCCESS;
    }
    SQLRETURN result = engine_read(self, cursor->delivered);
    if (result != SQL_SUCCESS) return result;
    cursor->batch = statement_batch(atomic_load_explicit(&self->engine, memory_order_relaxed));
    cursor->batch_start = cursor->delivered;
    cursor->next = 0;
    cursor->ended = !cursor->batch || cursor->batch->rows == 0;
    return cursor->ended ? SQL_NO_DATA : SQL_SUCCESS;
}

static void fill_columns(Stmt *self, const BatchView *batch, uint32_t logical, SQLULEN row);

/* A row that was changed through the cursor, as it is now; a deleted one leaves its buffers as they were. */
static void take_changed(Stmt *self, const ChangedRow *changed) {
    if (changed->batch) {
        if (self->options.retrieve_data == SQL_RD_ON)
            fill_columns(self, changed->batch, 0, self->fetch.done);
        return;
    }
    SQLUSMALLINT *status = row_status(self, self->fetch.done);
    if (status) *status = SQL_ROW_DELETED;
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
    const ChangedRow *changed = NULL;
    uint64_t number = cursor->delivered + 1, next = changed_next(&cursor->changed, number);
    if (next == number) {
        changed = changed_find(&cursor->changed, number);
        count = 1;
    } else if (next - number < count) {
        count = (uint32_t)(next - number);
    }
    if (!segment_add(cursor, cursor->next, count)) return diag_no_memory(&self->base);
    if (changed)
        take_changed(self, changed);
    else if (self->options.retrieve_data == SQL_RD_ON)
        for (uint32_t i = 0; i < cursor->nbound; i++)
            run_column(self, cursor->batch, &cursor->bound[i], cursor->next, count, fetch->done);
    if (self->options.use_bookmarks != SQL_UB_OFF) bookmarks_put(self, fetch->done, count);
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
    cursor->at.previous = fetch->size;
    if (fetch->done == 0 && cursor->at.place == PLACE_ON) cursor->at.place = PLACE_AFTER;
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

/* ---- scrolling */

/* The rows of a scrollable cursor, as far as they are known. */
static void rows_known(const Stmt *self, ScrollRequest *request) {
    const Cursor *cursor = &self->cursor;
    SQLULEN most = self->options.max_rows;
    request->known = true;
    request->rows = cursor->rows ? listing_rows(cursor->rows)
                                 : statement_rows_kept(atomic_load(&self->engine), &request->known);
    if (most && request->rows >= most) {
        request->rows = most;
        request->known = true;
    }
}

/* The batch at hand may hold the row that the rowset begins with. */
static void batch_reuse(Cursor *self) {
    uint64_t first = self->delivered - self->batch_start;
    bool here = self->batch && self->delivered >= self->batch_start && first < self->batch->rows;
    self->next = here ? (uint32_t)first : 0;
    if (!here) self->batch = NULL;
}

/* Moves a scrollable cursor to where the rowset begins. */
static SQLRETURN fetch_locate(Stmt *self) {
    Cursor *cursor = &self->cursor;
    FetchState *fetch = &self->fetch;
    ScrollRequest request = {.orientation = fetch->orientation,
                             .offset = fetch->offset,
                             .size = fetch->size,
                             .bookmark = fetch->bookmark};
    uint64_t start = 0;
    rows_known(self, &request);
    ScrollOutcome outcome =
        fetch->waiting ? SCROLL_NEEDS_ROWS : scroll_target(&cursor->at, &request, &start);
    if (outcome == SCROLL_NEEDS_ROWS) {
        SQLULEN most = self->options.max_rows;
        SQLRETURN result = engine_read(self, most ? most : UINT64_MAX);
        if (result != SQL_SUCCESS) return result;
        rows_known(self, &request);
        outcome = scroll_target(&cursor->at, &request, &start);
    }
    if (outcome == SCROLL_ORIENTATION)
        return diag_error(&self->base, ERR_FETCH_TYPE, "there is no orientation %d",
                          (int)fetch->orientation);
    if (outcome == SCROLL_TO_FIRST)
        diag_warning(&self->base, ERR_FETCH_BEFORE_START,
                     "the rowset would begin before the first row; it begins with it");
    fetch->nothing = outcome == SCROLL_BEFORE || outcome == SCROLL_AFTER;
    cursor->at.place = outcome == SCROLL_BEFORE  ? PLACE_BEFORE
                       : outcome == SCROLL_AFTER ? PLACE_AFTER
                                                 : PLACE_ON;
    cursor->at.start = start;
    cursor->delivered = start ? start - 1 : 0;
    cursor->rowset_start = start;
    cursor->ended = false;
    batch_reuse(cursor);
    fetch->located = true;
    return SQL_SUCCESS;
}

static SQLRETURN fetch_run(Stmt *self) {
    Cursor *cursor = &self->cursor;
    FetchState *fetch = &self->fetch;
    SQLRETURN result = SQL_SUCCESS;
    self->slot.resume = fetch_run;
    if (cursor->scrollable && !fetch->located) result = fetch_locate(self);
    while (result == SQL_SUCCESS && !fetch->nothing && fetch->done < fetch->size &&
           !cursor->ended) {
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
    cursor_settle(self);
    cursor->disowned = false;
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

/* What a bookmark points to is read when the call is made: it may be gone by the time it is resumed. */
static SQLRETURN bookmark_wanted(Stmt *self, FetchState *wanted) {
    if (wanted->orientation != SQL_FETCH_BOOKMARK) return SQL_SUCCESS;
    if (self->options.use_bookmarks == SQL_UB_OFF)
        return diag_error(&self->base, ERR_FETCH_TYPE,
                          "bookmarks are off (SQL_ATTR_USE_BOOKMARKS)");
    if (!self->fetch_bookmark || !bookmark_get(self, &wanted->bookmark))
        return diag_error(&self->base, ERR_BOOKMARK,
                          "SQL_ATTR_FETCH_BOOKMARK_PTR points to no bookmark of this cursor");
    return SQL_SUCCESS;
}

static SQLRETURN fetch_to(Stmt *self, FetchState *wanted) {
    if (!self->cursor.scrollable && wanted->orientation != SQL_FETCH_NEXT)
        return diag_error(&self->base, ERR_FETCH_TYPE,
                          "a forward-only cursor goes to the next rows only; set "
                          "SQL_ATTR_CURSOR_TYPE to SQL_CURSOR_STATIC before executing");
    if (bookmark_wanted(self, wanted) != SQL_SUCCESS) return SQL_ERROR;
    return fetch_begin(self, wanted);
}

SQLRETURN stmt_fetch_scroll(Stmt *self, SQLSMALLINT orientation, SQLLEN offset) {
    return fetch_to(self, &(FetchState){.orientation = orientation,
                                        .offset = offset,
                                        .size = self->ard->array_size,
                                        .fetched = self->ird->rows_processed,
                                        .status = self->ird->array_status,
                                        .state_after = STMT_FETCHED});
}

SQLRETURN stmt_fetch(Stmt *self) {
    return stmt_fetch_scroll(self, SQL_FETCH_NEXT, 0);
}

SQLRETURN stmt_extended_fetch(Stmt *self, SQLUSMALLINT orientation, SQLLEN offset, SQLULEN *fetched,
                              SQLUSMALLINT *status) {
    FetchState wanted = {.orientation = (SQLSMALLINT)orientation,
                         .offset = offset,
                         .size = self->options.rowset_size,
                         .fetched = fetched,
                         .status = status,
                         .state_after = STMT_EXTENDED};
    if (orientation == SQL_FETCH_BOOKMARK) { /* version 2: the offset is the bookmark */
        if (self->options.use_bookmarks == SQL_UB_OFF || offset < 1)
            return diag_error(&self->base, ERR_BOOKMARK, "%lld is no bookmark", (long long)offset);
        wanted.bookmark = (uint64_t)offset;
        wanted.offset = 0;
        return self->cursor.scrollable ? fetch_begin(self, &wanted) : fetch_to(self, &wanted);
    }
    return fetch_to(self, &wanted);
}

/* ---- rows by their place: SQLSetPos, SQLBulkOperations */

/* A bound column of a row that is kept in another form (held.c) gets a conversion of its own. */
static void fill_column(Stmt *self, const BatchView *batch, BoundColumn bound, uint32_t logical,
                        SQLULEN row) {
    const ColumnView *column = &batch->columns[bound.column];
    ConvertPlan own;
    if (column->physical != PHYS_LIST && column->physical != PHYS_ROW &&
        bound.plan.source == SRC_NESTED &&
        convert_plan(&own, column->type, bound.plan.ctype) == CONVERT_OK)
        bound.plan = own;
    run_column(self, batch, &bound, logical, 1, row);
}

static void fill_columns(Stmt *self, const BatchView *batch, uint32_t logical, SQLULEN row) {
    for (uint32_t i = 0; i < self->cursor.nbound; i++)
        fill_column(self, batch, self->cursor.bound[i], logical, row);
}

SQLRETURN cursor_fill(Stmt *self, const BatchView *batch, uint32_t logical, SQLULEN row) {
    if (plan_check(self) != SQL_SUCCESS) return SQL_ERROR;
    fill_columns(self, batch, logical, row);
    return SQL_SUCCESS;
}

/* As the cursor has the row: what others have changed since is not seen. */
static SQLRETURN refill_row(Stmt *self, SQLULEN row) {
    const BatchView *batch;
    uint32_t logical;
    if (!cursor_locate(&self->cursor, row, &batch, &logical))
        return SQL_SUCCESS; /* as they were filled, or deleted */
    return cursor_fill(self, batch, logical, row);
}

SQLRETURN cursor_refill(Stmt *self, SQLSETPOSIROW row) {
    SQLRETURN result = SQL_SUCCESS;
    SQLULEN first = row ? row - 1 : 0, last = row ? row : self->cursor.rowset_rows;
    const SQLUSMALLINT *operation = row ? NULL : self->ard->array_status;
    for (SQLULEN i = first; i < last && result == SQL_SUCCESS; i++)
        if (!operation || operation[i] == SQL_ROW_PROCEED) result = refill_row(self, i);
    return result;
}

/* Reads the engine's batch that begins with row `number`; the rows of the rowset are kept. */
static Status batch_seek(Stmt *self, uint64_t number, Error *err) {
    Cursor *cursor = &self->cursor;
    Statement *engine = atomic_load(&self->engine);
    bool done;
    TRY(held_keep(self, err));
    cursor->batch = NULL;
    TRY(statement_seek_start(engine, number - 1, err));
    TRY(statement_wait(engine, -1, &done, err));
    const BatchView *batch = statement_batch(engine);
    if (!batch || batch->rows == 0) return TRIB_OK;
    cursor->batch = batch;
    cursor->batch_start = number - 1;
    cursor->next = 0;
    return TRIB_OK;
}

Status cursor_seek(Stmt *self, uint64_t number, const BatchView **batch, uint32_t *logical,
                   Error *err) {
    Cursor *cursor = &self->cursor;
    const ChangedRow *changed = changed_find(&cursor->changed, number);
    SQLULEN most = self->options.max_rows;
    *batch = changed ? changed->batch : NULL;
    *logical = 0;
    if (changed || number == 0 || (most && number > most)) return TRIB_OK;
    if (number >= cursor->rowset_start && number - cursor->rowset_start < cursor->rowset_rows &&
        cursor_locate(cursor, number - cursor->rowset_start, batch, logical))
        return TRIB_OK;
    if (cursor->rows) {
        *batch = number <= listing_rows(cursor->rows) ? listing_batch(cursor->rows) : NULL;
        *logical = (uint32_t)(number - 1);
        return TRIB_OK;
    }
    bool here = cursor->batch && number > cursor->batch_start &&
                number - 1 - cursor->batch_start < cursor->batch->rows;
    if (!here) TRY(batch_seek(self, number, err));
    *batch = cursor->batch;
    if (*batch) *logical = (uint32_t)(number - 1 - cursor->batch_start);
    return TRIB_OK;
}
