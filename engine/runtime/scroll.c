/*
 * scroll.c - reading the rows of an execution in any order.
 *
 * What the execution hands out is kept in a scroll buffer, lazily: as far as the highest row that was asked
 * for. MaxRows (rows_left, which stays as it was) ends the result early. Rows that no execution makes (row
 * sets) are in memory already. Threads: the one that fetches.
 */
#include "engine/exec/scroll_buffer.h"
#include "engine/runtime/session.h"

static uint64_t limit_of(const Statement *self) {
    return self->rows_left < 0 ? UINT64_MAX : (uint64_t)self->rows_left;
}

/* Takes one batch of the execution into the buffer. */
static Status fill(Statement *self, int64_t timeout_ns, bool *done, Error *err) {
    Batch *batch;
    uint64_t kept = scroll_buffer_rows(self->scroll), left = limit_of(self) - kept;
    self->filled = left == 0;
    if (self->filled) return TRIB_OK;
    TRY(execution_next(self->execution, timeout_ns, done, &batch, err));
    if (!*done) return TRIB_OK;
    cursor_touch(self);
    self->filled = batch == NULL;
    if (self->filled) return TRIB_OK;
    uint32_t count = batch->selected < left ? batch->selected : (uint32_t)left;
    self->rows_out += count;
    return scroll_buffer_add(self->scroll, batch, count, err);
}

Status scroll_fetch(Statement *self, int64_t timeout_ns, bool *done, Batch **out, Error *err) {
    *out = NULL;
    if (self->rows) {
        self->filled = true;
        if (self->seek < limit_of(self)) rowset_seek(self->rows, self->seek, limit_of(self), out);
        return TRIB_OK;
    }
    if (!self->scroll) TRY(execution_scroll_buffer(self->execution, &self->scroll, err));
    while (!self->filled && scroll_buffer_rows(self->scroll) <= self->seek) {
        TRY(fill(self, timeout_ns, done, err));
        if (!*done) return TRIB_OK;
    }
    return scroll_buffer_read(self->scroll, self->seek, out, err);
}

uint64_t statement_rows_kept(const Statement *self, bool *all) {
    *all = self->filled;
    if (!self->rows) return self->scroll ? scroll_buffer_rows(self->scroll) : 0;
    uint64_t rows = rowset_rows(self->rows);
    return rows < limit_of(self) ? rows : limit_of(self);
}

void scroll_close(Statement *self) {
    scroll_buffer_close(self->scroll);
    self->scroll = NULL;
    self->filled = false;
}
