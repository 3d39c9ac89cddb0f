/*
 * csv_split.c - where may a range of a CSV file begin?
 *
 * A line end is a record's end unless it stands in quotes, and whether it does depends on everything
 * before it. So behind the first line end two guesses are followed: a record begins here (A), or here is
 * the inside of a quoted field (B). A guess is refuted by what no valid file holds: text behind a closing
 * quote, records of different lengths, a value that is too long, the file's end within quotes. When one
 * is refuted the other is true, of every valid file. When neither is, within the window, there is no
 * answer and the file is not cut there: slower, never wrong. In a file without any quotes B is refuted by
 * the length of its field, which a plain search for the quote character shows at the speed of memory.
 *
 * That the guess was right for an invalid file too is checked when it is read: a range must end where a
 * record ends (csv_blocks.c), and the first range begins at the file's beginning.
 */
#include "connectors/lake/csv.h"

enum { PIECE_BYTES = 256 * 1024, GUESS_BYTES = 1024 * 1024, REMOTE_WINDOW = 1024 * 1024 };

typedef struct Guess {
    CsvDialect dialect;
    CsvState state;
    bool refuted;
    bool whole;         /* the record being read was seen from its beginning */
    uint32_t fields;    /* of the first whole record; 0 = none yet */
    uint32_t count;     /* fields ended in this record */
    uint64_t length;    /* bytes of this record */
    uint64_t value;     /* bytes of this field */
    uint64_t steps;     /* bytes followed one by one */
    uint64_t beginning; /* of the first record found; UINT64_MAX = none yet */
    uint64_t max_value;
} Guess;

static void guess_field(Guess *self, bool record, uint64_t next) {
    self->count++;
    self->value = 0;
    self->state = CSV_START;
    if (!record) return;
    bool blank = self->count == 1 && self->length <= 2;
    if (self->whole && !blank) {
        if (!self->fields) self->fields = self->count;
        self->refuted |= self->fields != self->count;
    }
    if (self->beginning == UINT64_MAX) self->beginning = next;
    self->whole = true;
    self->count = 0;
    self->length = 0;
}

/* The rules of csv_scan.c; `next` = the file's offset behind the byte. */
static void guess_byte(Guess *self, char c, uint64_t next) {
    const CsvDialect *d = &self->dialect;
    self->length++;
    self->value++;
    switch (self->state) {
    case CSV_QUOTED:
        if (c == d->quote)
            self->state = CSV_CLOSED;
        else if (d->has_escape && c == d->escape)
            self->state = CSV_QUOTED_ESCAPE;
        return;
    case CSV_QUOTED_ESCAPE: self->state = CSV_QUOTED; return;
    case CSV_START:
        if (c == d->quote) {
            self->state = CSV_QUOTED;
            return;
        }
        break;
    case CSV_CLOSED:
        if (c == d->quote && !d->has_escape) {
            self->state = CSV_QUOTED;
            return;
        }
        if (c == '\r') {
            self->state = CSV_CR;
            return;
        }
        self->refuted |= c != '\n' && c != d->delimiter;
        break;
    case CSV_CR: self->refuted |= c != '\n'; break;
    default: break;
    }
    self->state = CSV_FIELD;
    if (c == '\n' || c == d->delimiter) guess_field(self, c == '\n', next);
}

/* Follows the bytes until the guess is refuted. Within quotes only quotes matter. */
static void guess_follow(Guess *self, const char *data, size_t len, uint64_t offset) {
    const CsvDialect *d = &self->dialect;
    for (size_t i = 0; i < len && !self->refuted;) {
        if (self->state == CSV_QUOTED && !d->has_escape) {
            const char *quote = memchr(data + i, d->quote, len - i);
            size_t skip = quote ? (size_t)(quote - data) - i : len - i;
            self->length += skip;
            self->value += skip;
            i += skip;
            self->refuted = self->value > self->max_value + 2;
            if (!quote) return;
        } else {
            self->steps++;
        }
        guess_byte(self, data[i], offset + i + 1);
        i++;
        self->refuted |= self->value > self->max_value + 2;
    }
}

typedef struct Search {
    const FormatParams *params;
    Stream *stream;
    char *piece;
    size_t len;
    uint64_t offset; /* of the piece */
    bool ended;
} Search;

static Status piece_next(Search *self, Error *err) {
    self->offset += self->len;
    TRY(stream_read(self->stream, self->piece, PIECE_BYTES, &self->len, err));
    self->ended = self->len < PIECE_BYTES;
    return TRIB_OK;
}

/* Finds the first line end; *from = the offset in the piece behind it. */
static Status line_find(Search *self, bool escapes, size_t *from, bool *found, Error *err) {
    const CsvDialect *d = &self->params->shape->dialect;
    int before = -1; /* unknown */
    *found = false;
    for (;;) {
        for (size_t at = 0; at < self->len; at++) {
            const char *newline = memchr(self->piece + at, '\n', self->len - at);
            if (!newline) break;
            at = (size_t)(newline - self->piece);
            int previous = at ? newline[-1] : before;
            /* An escaped line end is none; behind an escape that is escaped itself the next one serves. */
            if (escapes && (previous == d->escape || previous == -1)) continue;
            *from = at + 1;
            *found = true;
            return TRIB_OK;
        }
        if (self->ended) return TRIB_OK;
        before = self->len ? self->piece[self->len - 1] : before;
        TRY(piece_next(self, err));
    }
}

/* Follows both guesses from `from` on. */
static Status guess_decide(Search *self, size_t from, bool to_end, uint64_t *out, Error *err) {
    const Shape *shape = self->params->shape;
    uint64_t begin = self->offset + from;
    Guess a = {.dialect = shape->dialect,
               .state = CSV_START,
               .whole = true,
               .beginning = begin,
               .max_value = shape->max_value};
    Guess b = a;
    b.state = CSV_QUOTED;
    b.whole = false;
    b.beginning = UINT64_MAX;
    *out = UINT64_MAX;
    for (;;) {
        guess_follow(&b, self->piece + from, self->len - from, self->offset + from);
        if (a.steps < GUESS_BYTES)
            guess_follow(&a, self->piece + from, self->len - from, self->offset + from);
        if (self->ended && to_end) {
            a.refuted |=
                a.steps < GUESS_BYTES && (a.state == CSV_QUOTED || a.state == CSV_QUOTED_ESCAPE);
            b.refuted |= b.state == CSV_QUOTED || b.state == CSV_QUOTED_ESCAPE;
        }
        if (b.refuted && !a.refuted) *out = begin;
        if (b.refuted) return TRIB_OK; /* both: the reader will find the fault */
        if (a.refuted && b.beginning != UINT64_MAX) {
            *out = b.beginning;
            return TRIB_OK;
        }
        if (self->ended || b.steps > GUESS_BYTES) return TRIB_OK;
        TRY(piece_next(self, err));
        from = 0;
    }
}

static Status boundary_search(Search *self, bool to_end, uint64_t *out, Error *err) {
    const Shape *shape = self->params->shape;
    bool guess = shape->dialect.has_quote && shape->quoted_newlines;
    bool escapes = !shape->dialect.has_quote && shape->dialect.has_escape, found;
    size_t from;
    TRY(piece_next(self, err));
    TRY(line_find(self, escapes, &from, &found, err));
    *out = UINT64_MAX;
    if (!found) {
        if (to_end) *out = self->params->range.object->size;
        return TRIB_OK;
    }
    if (guess) return guess_decide(self, from, to_end, out, err);
    *out = self->offset + from;
    return TRIB_OK;
}

Status csv_boundary(const FormatParams *params, uint64_t at, uint64_t *out, Error *err) {
    FormatParams window = *params;
    uint64_t size = params->range.object->size;
    uint64_t bytes =
        params->store->remote ? REMOTE_WINDOW : params->shape->max_value + REMOTE_WINDOW;
    *out = at == 0 ? 0 : size;
    if (at == 0 || at >= size) return TRIB_OK;
    window.range.begin = at - 1; /* a record may begin at `at` itself */
    window.range.end = size - at < bytes ? size : at + bytes;
    Search search = {.params = &window, .offset = at - 1};
    TRY_ALLOC(search.piece, host_alloc(params->host, PIECE_BYTES), err);
    Status status = format_stream(&window, &search.stream, err);
    if (status == TRIB_OK) status = boundary_search(&search, window.range.end == size, out, err);
    stream_close(search.stream);
    host_free(params->host, search.piece);
    return status;
}
