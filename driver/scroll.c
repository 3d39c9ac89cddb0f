/*
 * scroll.c - see scroll.h. The rules are those of the tables "Cursor Positioning Rules" on the
 * specification's page of SQLFetchScroll; L is the number of rows, R the size of the rowset.
 */
#include "driver/scroll.h"

typedef struct Scroll {
    const ScrollPosition *from;
    const ScrollRequest *request;
    uint64_t *start;
} Scroll;

static uint64_t magnitude(SQLLEN offset) {
    return offset < 0 ? UINT64_C(0) - (uint64_t)offset : (uint64_t)offset;
}

/* Row number `row` (from 1), if it is not known to lie behind the last one. */
static ScrollOutcome to_row(const Scroll *self, uint64_t row) {
    if (self->request->known && row > self->request->rows) return SCROLL_AFTER;
    *self->start = row;
    return SCROLL_TO;
}

static ScrollOutcome to_first(const Scroll *self, ScrollOutcome outcome) {
    if (self->request->known && self->request->rows == 0) return SCROLL_AFTER;
    *self->start = 1;
    return outcome;
}

static ScrollOutcome next(const Scroll *self) {
    switch (self->from->place) {
    case PLACE_BEFORE: return to_first(self, SCROLL_TO);
    case PLACE_AFTER: return SCROLL_AFTER;
    default: return to_row(self, self->from->start + self->from->previous);
    }
}

static ScrollOutcome last(const Scroll *self) {
    uint64_t rows = self->request->rows, size = self->request->size;
    if (!self->request->known) return SCROLL_NEEDS_ROWS;
    if (rows <= size) return to_first(self, SCROLL_TO);
    *self->start = rows - size + 1;
    return SCROLL_TO;
}

static ScrollOutcome prior(const Scroll *self) {
    uint64_t start = self->from->start, size = self->request->size;
    switch (self->from->place) {
    case PLACE_BEFORE: return SCROLL_BEFORE;
    case PLACE_AFTER:
        if (!self->request->known) return SCROLL_NEEDS_ROWS;
        return self->request->rows < size ? to_first(self, SCROLL_TO_FIRST) : last(self);
    default: break;
    }
    if (start == 1) return SCROLL_BEFORE;
    if (start <= size) return to_first(self, SCROLL_TO_FIRST);
    *self->start = start - size;
    return SCROLL_TO;
}

static ScrollOutcome absolute(const Scroll *self, SQLLEN offset) {
    uint64_t back = magnitude(offset), rows = self->request->rows;
    if (offset == 0) return SCROLL_BEFORE;
    if (offset > 0) return to_row(self, (uint64_t)offset);
    if (!self->request->known) return SCROLL_NEEDS_ROWS;
    if (back <= rows) {
        *self->start = rows - back + 1;
        return SCROLL_TO;
    }
    return back > self->request->size ? SCROLL_BEFORE : to_first(self, SCROLL_TO_FIRST);
}

/* From a row that is known to be there. */
static ScrollOutcome from_row(const Scroll *self, uint64_t row, SQLLEN offset) {
    uint64_t back = magnitude(offset);
    if (offset >= 0)
        return row > UINT64_MAX - back ? SCROLL_AFTER : to_row(self, row + (uint64_t)offset);
    if (back < row) return to_row(self, row - back);
    if (row == 1 || back > self->request->size) return SCROLL_BEFORE;
    return to_first(self, SCROLL_TO_FIRST);
}

static ScrollOutcome relative(const Scroll *self, SQLLEN offset) {
    switch (self->from->place) {
    case PLACE_BEFORE: return offset > 0 ? absolute(self, offset) : SCROLL_BEFORE;
    case PLACE_AFTER: return offset < 0 ? absolute(self, offset) : SCROLL_AFTER;
    default: return from_row(self, self->from->start, offset);
    }
}

static ScrollOutcome bookmark(const Scroll *self, SQLLEN offset) {
    uint64_t row = self->request->bookmark;
    if (offset < 0 && magnitude(offset) >= row) return SCROLL_BEFORE;
    return from_row(self, row, offset);
}

ScrollOutcome scroll_target(const ScrollPosition *from, const ScrollRequest *request,
                            uint64_t *start) {
    Scroll self = {from, request, start};
    switch (request->orientation) {
    case SQL_FETCH_NEXT: return next(&self);
    case SQL_FETCH_PRIOR: return prior(&self);
    case SQL_FETCH_FIRST: return to_first(&self, SCROLL_TO);
    case SQL_FETCH_LAST: return last(&self);
    case SQL_FETCH_ABSOLUTE: return absolute(&self, request->offset);
    case SQL_FETCH_RELATIVE: return relative(&self, request->offset);
    case SQL_FETCH_BOOKMARK: return bookmark(&self, request->offset);
    default: return SCROLL_ORIENTATION;
    }
}
