/*
 * json_read.c - objects become rows: JSON lines (one object a line), or one array of objects.
 *
 * Which of the two a file is, its first character says. A member's value goes to the column of its name;
 * members that no column asks for are checked and stepped over; a column without a member is NULL; of
 * members of the same name the last one counts. Rows usually name their members in the same order: the
 * column that came next in the last row is tried first. Lines are split at line ends, which strings
 * cannot hold, so that ranges of JSON lines can be read on their own; arrays cannot.
 *
 * Memory: one block of the file (a row must fit; it grows up to the limit of a value), the fields of one
 * batch. One thread.
 */
#include <inttypes.h>

#include "connectors/lake/format.h"
#include "connectors/lake/json_nested.h"

enum { BLOCK_BYTES = 1024 * 1024, PIECE_BYTES = 64 * 1024 };

/* What stood at one place of the last object: most often it stands there again. */
typedef struct Expected {
    uint32_t column; /* where it went; UINT32_MAX: nowhere */
    uint32_t len;    /* of the name; UINT32_MAX: none to compare with */
    char name[56];
} Expected;

typedef enum { LAYOUT_UNKNOWN, LAYOUT_LINES, LAYOUT_ARRAY, LAYOUT_ENDED } Layout;

struct FormatFile {
    FormatParams params;
    Arena *arena, *scratch; /* of the file; of the batch */
    Stream *stream;
    char *data;
    size_t len, room, at; /* at: rows before it are done */
    uint64_t base;        /* offset in the decoded file of data[0] */
    bool ended;
    bool first; /* array: no element was read yet */
    Layout layout;
    JsonCursor cursor;
    Str *names;        /* per column */
    uint32_t *same_as; /* per column: the first one of that name */
    Expected *order;   /* by place in the object */
    uint32_t norder, order_room;
    Field *fields;  /* per column: `batch` of them */
    size_t *starts; /* per row of the batch: where it begins in data */
    uint32_t batch;
    JsonNested *nested;  /* NULL: no column is an array, map or row */
    JsonWeight *weights; /* per column */
    uint64_t weight;     /* bytes that the nested values of the rows at hand may take, at most */
    const SampleVisit *visit; /* sampling: members go here */
};

/* ---------------------------------------------------------------- faults */

static Status json_broken(const FormatFile *self, size_t at, const char *why, Error *err) {
    char place[FORMAT_PLACE_BYTES];
    size_t begin = at;
    while (begin > 0 && self->data[begin - 1] != '\n') begin--;
    format_place(&self->params, self->base + at, place, sizeof place);
    return error_set(err, ERR_MISMATCH, "%s, column %zu: invalid JSON: %s", place,
                     utf8_length(self->data + begin, at - begin) + 1, why);
}

static Status cursor_fault(const FormatFile *self, CursorResult result, Error *err) {
    size_t at = (size_t)(self->cursor.at - self->data);
    char place[FORMAT_PLACE_BYTES];
    switch (result) {
    case CURSOR_CUT: return json_broken(self, at, "the value does not end", err);
    case CURSOR_BROKEN: return json_broken(self, at, self->cursor.why, err);
    case CURSOR_DEEP:
        format_place(&self->params, self->base + at, place, sizeof place);
        error_set(err, ERR_LIMIT, "%s: JSON nested deeper than %u levels", place,
                  self->params.shape->json_depth);
        return error_hint(err, "the option json_depth is the limit");
    default: return error_out_of_memory(err);
    }
}

/* `path` leads from the column to the value, "[3].price". */
static Status nested_fault(void *context, uint32_t column, uint32_t index, const char *path,
                           Str found, const char *why, Error *err) {
    FormatFile *self = context;
    char place[FORMAT_PLACE_BYTES], value[80];
    format_place(&self->params, self->base + self->starts[index], place, sizeof place);
    format_value_text(found, value, sizeof value);
    error_set(err, ERR_MISMATCH, "%s, member \"%s%s\": '%s' is %s", place,
              self->params.columns[column].name, path, value, why);
    return error_hint(err, "declare the column's type in the option columns, sample more rows "
                           "(sample_rows), or set on_mismatch to null or varchar");
}

static Status json_fault(void *context, uint32_t column, uint32_t index, const char *why,
                         Error *err) {
    FormatFile *self = context;
    const Field *field = &self->fields[(size_t)self->same_as[column] * self->batch + index];
    return nested_fault(self, column, index, "", (Str){field->data, field->len}, why, err);
}

/* ---------------------------------------------------------------- blocks */

static bool has_high(const char *data, size_t len) {
    size_t i = 0;
    uint64_t all = 0;
    for (; i + 32 <= len; i += 32) {
        uint64_t words[4];
        memcpy(words, data + i, sizeof words);
        all |= words[0] | words[1] | words[2] | words[3];
    }
    for (; i < len; i++) all |= (uint64_t)(unsigned char)data[i];
    return (all & UINT64_C(0x8080808080808080)) != 0;
}

/* New bytes must be UTF-8; a character that the block's end cuts is looked at with the next block. */
static Status block_check(FormatFile *self, size_t from, Error *err) {
    size_t end = self->len;
    if (!has_high(self->data + from, end - from)) return TRIB_OK;
    while (from > 0 && (self->data[from] & 0xC0) == 0x80) from--;
    if (!self->ended) {
        size_t back = end;
        while (back > from && end - back < 4 && (self->data[back - 1] & 0xC0) == 0x80) back--;
        if (back > from && (unsigned char)self->data[back - 1] >= 0xC0) end = back - 1;
    }
    if (utf8_valid(self->data + from, end - from)) return TRIB_OK;
    size_t at = from;
    while (at < end && utf8_next(self->data, end, &at) >= 0) continue;
    char place[FORMAT_PLACE_BYTES];
    format_place(&self->params, self->base + at - 1, place, sizeof place);
    return error_set(err, ERR_INVALID_ENCODING, "%s: the byte 0x%02X is not valid UTF-8", place,
                     (unsigned char)self->data[at - 1]);
}

static Status block_grow(FormatFile *self, Error *err) {
    uint64_t most = self->params.shape->max_value * 2 + BLOCK_BYTES;
    char *larger, place[FORMAT_PLACE_BYTES];
    if (most > UINT32_MAX / 2) most = UINT32_MAX / 2;
    if (self->room >= most) {
        format_place(&self->params, self->base, place, sizeof place);
        error_set(err, ERR_LIMIT, "%s: a row is longer than %" PRIu64 " bytes", place, most);
        return error_hint(err,
                          "max_value_size bounds it; files hold an object a line, or one array");
    }
    size_t room = self->room < BLOCK_BYTES / 2 ? BLOCK_BYTES : self->room * 2;
    if (room > most) room = (size_t)most;
    TRY_ALLOC(larger, host_alloc(self->params.host, room + FIELD_PADDING), err);
    memcpy(larger, self->data, self->len);
    host_free(self->params.host, self->data);
    self->data = larger;
    self->room = room;
    return TRIB_OK;
}

/* Moves what is left to the front and reads on. */
static Status block_fill(FormatFile *self, Error *err) {
    size_t keep = self->len - self->at, got;
    if (self->at) memmove(self->data, self->data + self->at, keep);
    self->base += self->at;
    self->at = 0;
    self->len = keep;
    if (keep == self->room) TRY(block_grow(self, err));
    TRY(stream_read(self->stream, self->data + keep, self->room - keep, &got, err));
    self->ended = got < self->room - keep;
    self->len += got;
    memset(self->data + self->len, 0, FIELD_PADDING);
    return block_check(self, keep, err);
}

/* ---------------------------------------------------------------- members */

static Status order_put(FormatFile *self, uint32_t nth, Str name, bool escaped, uint32_t column,
                        Error *err) {
    if (nth == self->order_room) {
        uint32_t room = self->order_room ? self->order_room * 2 : 64;
        TRY_ALLOC(self->order,
                  arena_resize(self->arena, self->order, self->order_room * sizeof(Expected),
                               room * sizeof(Expected)),
                  err);
        self->order_room = room;
    }
    Expected *expected = &self->order[nth];
    expected->column = column;
    expected->len = UINT32_MAX;
    if (!escaped && name.len <= sizeof expected->name) {
        expected->len = (uint32_t)name.len;
        if (name.len) memcpy(expected->name, name.data, name.len);
    }
    if (nth >= self->norder) self->norder = nth + 1;
    return TRIB_OK;
}

/* Does the key that stood here in the last object stand at the cursor's quote? Then it is behind it. */
static inline bool key_expected(FormatFile *self, uint32_t nth) {
    JsonCursor *cursor = &self->cursor;
    if (nth >= self->norder) return false;
    const Expected *expected = &self->order[nth];
    size_t len = expected->len;
    if (len == UINT32_MAX || (size_t)(cursor->end - cursor->at) < len + 2 ||
        cursor->at[len + 1] != '"' || memcmp(cursor->at + 1, expected->name, len) != 0)
        return false;
    cursor->at += len + 2;
    return true;
}

/* The column of that name, else one that differs in case only. */
static uint32_t column_find(const FormatFile *self, Str name) {
    for (uint32_t i = 0; i < self->params.ncolumns; i++) {
        if (str_equal(self->names[i], name)) return i;
    }
    for (uint32_t i = 0; i < self->params.ncolumns; i++) {
        if (str_equal_fold(self->names[i], name)) return i;
    }
    return UINT32_MAX;
}

/* The value of a member; `column` UINT32_MAX: nobody wants it. */
static CursorResult member_take(FormatFile *self, uint32_t nth, Str name, uint32_t column,
                                uint32_t row, Error *err) {
    CursorKind kind;
    Str raw;
    bool escaped;
    CursorResult result = cursor_value(&self->cursor, &kind, &raw, &escaped);
    if (result != CURSOR_OK) return result;
    if (self->visit) {
        Field field;
        result = cursor_field(&self->cursor, kind, raw, escaped, false, &field);
        if (result != CURSOR_OK) return result;
        return self->visit->field(self->visit->self, nth, name, &field, err) == TRIB_OK
                   ? CURSOR_OK
                   : CURSOR_NO_MEMORY;
    }
    if (column == UINT32_MAX) return CURSOR_OK;
    TribType type = self->params.columns[column].type;
    bool json = type.id == TRIB_TYPE_JSON || column_type_nested(type);
    if (self->weights[column].deep) self->weight += json_weight_of(&self->weights[column], raw);
    return cursor_field(&self->cursor, kind, raw, escaped, json,
                        &self->fields[(size_t)column * self->batch + row]);
}

/* At the quote of a key: reads it and finds its column. */
static CursorResult key_take(FormatFile *self, uint32_t nth, Str *name, uint32_t *column,
                             Error *err) {
    JsonCursor *cursor = &self->cursor;
    bool escaped;
    CursorResult result = cursor_string(cursor, name, &escaped);
    if (result == CURSOR_OK && escaped) result = cursor_decode(cursor, *name, name);
    if (result != CURSOR_OK || self->visit) return result;
    *column = column_find(self, *name);
    return order_put(self, nth, *name, escaped, *column, err) == TRIB_OK ? CURSOR_OK
                                                                         : CURSOR_NO_MEMORY;
}

static inline CursorResult expect(JsonCursor *cursor, char c, const char *why) {
    cursor_blanks(cursor);
    if (cursor->at == cursor->end) return CURSOR_CUT;
    if (*cursor->at != c) {
        cursor->why = why;
        return CURSOR_BROKEN;
    }
    cursor->at++;
    return CURSOR_OK;
}

/* One object from cursor.at on. */
static CursorResult object_take(FormatFile *self, uint32_t row, Error *err) {
    JsonCursor *cursor = &self->cursor;
    CursorResult result = expect(cursor, '{', "a row is an object: { should stand here");
    if (result != CURSOR_OK) return result;
    cursor_blanks(cursor);
    if (cursor->at < cursor->end && *cursor->at == '}') {
        cursor->at++;
        return CURSOR_OK;
    }
    for (uint32_t nth = 0;; nth++) {
        Str name = {NULL, 0};
        uint32_t column = UINT32_MAX;
        cursor_blanks(cursor);
        if (cursor->at == cursor->end) return CURSOR_CUT;
        if (*cursor->at != '"') {
            cursor->why = "a key should stand here";
            return CURSOR_BROKEN;
        }
        if (!self->visit && key_expected(self, nth))
            column = self->order[nth].column;
        else if ((result = key_take(self, nth, &name, &column, err)) != CURSOR_OK)
            return result;
        if ((result = expect(cursor, ':', "a colon should stand here")) != CURSOR_OK) return result;
        cursor_blanks(cursor);
        if ((result = member_take(self, nth, name, column, row, err)) != CURSOR_OK) return result;
        cursor_blanks(cursor);
        if (cursor->at == cursor->end) return CURSOR_CUT;
        if (*cursor->at == '}') {
            cursor->at++;
            return CURSOR_OK;
        }
        result = expect(cursor, ',', "a comma or } should stand here");
        if (result != CURSOR_OK) return result;
    }
}

/* ---------------------------------------------------------------- rows */

static Status layout_find(FormatFile *self, Error *err) {
    TRY(block_fill(self, err));
    if (self->base == 0 && self->len >= 3 && memcmp(self->data, "\xEF\xBB\xBF", 3) == 0)
        self->at = 3;
    self->layout = LAYOUT_LINES;
    if (self->base != 0) return TRIB_OK;
    self->cursor.at = self->data + self->at;
    self->cursor.end = self->data + self->len;
    cursor_blanks(&self->cursor);
    if (self->cursor.at == self->cursor.end || *self->cursor.at != '[') return TRIB_OK;
    self->layout = LAYOUT_ARRAY;
    self->first = true;
    self->at = (size_t)(self->cursor.at - self->data) + 1;
    return TRIB_OK;
}

/* The next line that is not blank, as a row. *taken false: more must be read, or nothing is left. */
static Status line_take(FormatFile *self, uint32_t row, bool *taken, Error *err) {
    JsonCursor *cursor = &self->cursor;
    *taken = false;
    while (self->at < self->len) {
        const char *begin = self->data + self->at;
        const char *end = memchr(begin, '\n', self->len - self->at);
        if (!end && !self->ended) return TRIB_OK;
        if (!end) end = self->data + self->len;
        cursor->at = begin;
        cursor->end = end;
        cursor_blanks(cursor);
        if (cursor->at < end) {
            self->starts[row] = self->at;
            CursorResult result = object_take(self, row, err);
            if (result != CURSOR_OK) return cursor_fault(self, result, err);
            cursor_blanks(cursor);
            if (cursor->at < end)
                return json_broken(self, (size_t)(cursor->at - self->data),
                                   "text behind the line's object", err);
            *taken = true;
        }
        self->at = (size_t)(end - self->data);
        if (self->at < self->len) self->at++;
        if (*taken) return TRIB_OK;
    }
    return TRIB_OK;
}

/* Behind the array's bracket nothing may follow. */
static Status array_end(FormatFile *self, Error *err) {
    JsonCursor *cursor = &self->cursor;
    cursor_blanks(cursor);
    self->at = (size_t)(cursor->at - self->data);
    if (cursor->at < cursor->end) return json_broken(self, self->at, "text behind the array", err);
    return TRIB_OK;
}

static Status element_take(FormatFile *self, uint32_t row, bool *taken, Error *err) {
    JsonCursor *cursor = &self->cursor;
    CursorResult result = CURSOR_OK;
    *taken = false;
    cursor->at = self->data + self->at;
    cursor->end = self->data + self->len;
    if (self->layout == LAYOUT_ENDED) return array_end(self, err);
    cursor_blanks(cursor);
    if (cursor->at < cursor->end && *cursor->at == ']') {
        self->layout = LAYOUT_ENDED;
        cursor->at++;
        return array_end(self, err);
    }
    if (!self->first) result = expect(cursor, ',', "a comma or ] should stand here");
    if (result == CURSOR_OK) cursor_blanks(cursor);
    self->starts[row] = (size_t)(cursor->at - self->data);
    if (result == CURSOR_OK) result = object_take(self, row, err);
    if (result == CURSOR_CUT && !self->ended) return TRIB_OK; /* again, with more */
    if (result == CURSOR_CUT) return json_broken(self, self->len, "the array does not end", err);
    if (result != CURSOR_OK) return cursor_fault(self, result, err);
    self->first = false;
    self->at = (size_t)(cursor->at - self->data);
    *taken = true;
    return TRIB_OK;
}

static Status row_take(FormatFile *self, uint32_t row, bool *taken, Error *err) {
    for (uint32_t c = 0; c < self->params.ncolumns; c++)
        self->fields[(size_t)c * self->batch + row] =
            (Field){self->data, 0, FIELD_NULL | FIELD_MISSING};
    return self->layout == LAYOUT_LINES ? line_take(self, row, taken, err)
                                        : element_take(self, row, taken, err);
}

/* Rows of the block at hand, at most `most` and not more bytes than a batch takes; 0: read on. */
static Status rows_take(FormatFile *self, uint32_t most, uint32_t *rows, Error *err) {
    const BatchBuilder *builder = self->params.builder;
    uint64_t used = builder ? builder->rows * builder->row_width + builder->text_bytes : 0;
    uint64_t room = builder && builder->max_bytes > used ? builder->max_bytes - used : 1;
    size_t begin = self->at;
    uint64_t width = builder ? builder->row_width : 0;
    *rows = 0;
    self->weight = 0;
    while (*rows < most) {
        bool taken;
        if (*rows && builder && self->at - begin + self->weight + (*rows + 1) * width > room) break;
        TRY(row_take(self, *rows, &taken, err));
        if (!taken) break;
        ++*rows;
    }
    return TRIB_OK;
}

/* Reads blocks until there are rows; *rows 0 at the end. */
static Status rows_read(FormatFile *self, uint32_t most, uint32_t *rows, Error *err) {
    if (most > self->batch) most = self->batch;
    arena_reset(self->scratch);
    if (self->layout == LAYOUT_UNKNOWN) TRY(layout_find(self, err));
    for (;;) {
        TRY(rows_take(self, most, rows, err));
        if (*rows) return TRIB_OK;
        if (self->ended) {
            if (self->layout == LAYOUT_ARRAY)
                return json_broken(self, self->len, "the array does not end", err);
            return TRIB_OK;
        }
        TRY(block_fill(self, err));
    }
}

/* ---------------------------------------------------------------- life */

static void json_close(FormatFile *self) {
    if (!self) return;
    const TribHost *host = self->params.host;
    stream_close(self->stream);
    host_free(host, self->data);
    host_free(host, self->fields);
    host_free(host, self->starts);
    json_nested_free(self->nested);
    arena_free(self->scratch);
    arena_free(self->arena);
}

static Status file_fill(FormatFile *self, Error *err) {
    const FormatParams *params = &self->params;
    uint32_t depth = params->shape->json_depth;
    TRY_ALLOC(self->scratch, arena_new(NULL), err);
    TRY_ALLOC(self->names, ARENA_ARRAY(self->arena, Str, params->ncolumns), err);
    TRY_ALLOC(self->same_as, ARENA_ARRAY(self->arena, uint32_t, params->ncolumns), err);
    TRY_ALLOC(self->weights, ARENA_ARRAY(self->arena, JsonWeight, params->ncolumns), err);
    TRY_ALLOC(self->cursor.stack, arena_alloc(self->arena, depth), err);
    self->room = format_block(params, BLOCK_BYTES);
    TRY_ALLOC(self->data, host_alloc(params->host, self->room + FIELD_PADDING), err);
    TRY_ALLOC(self->starts, host_alloc(params->host, self->batch * sizeof(size_t)), err);
    TRY_ALLOC(
        self->fields,
        host_alloc(params->host, ((size_t)params->ncolumns * self->batch + 1) * sizeof(Field)),
        err);
    self->cursor.max_depth = depth;
    self->cursor.arena = self->scratch;
    self->base = params->range.begin;
    for (uint32_t i = 0; i < params->ncolumns; i++) {
        self->names[i] = str_from(params->columns[i].name);
        self->weights[i] = json_weight(params->columns[i].type);
        if (!self->nested && column_type_nested(params->columns[i].type))
            TRY(json_nested_new(params, &self->nested, err));
        for (uint32_t k = 0; k <= i; k++) {
            self->same_as[i] = k;
            if (str_equal(self->names[k], self->names[i])) break;
        }
    }
    return format_stream(params, &self->stream, err);
}

static Status file_new(const FormatParams *params, uint32_t batch, FormatFile **out, Error *err) {
    Arena *arena;
    *out = NULL;
    TRY_ALLOC(arena, arena_new(NULL), err);
    FormatFile *self = ARENA_NEW(arena, FormatFile);
    if (!self) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    self->params = *params;
    self->arena = arena;
    self->batch = batch;
    Status status = file_fill(self, err);
    if (status != TRIB_OK) {
        json_close(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

static Status json_open(const FormatParams *params, FormatFile **out, Error *err) {
    return file_new(params, params->builder->max_rows, out, err);
}

static Status value_limit(const FormatFile *self, uint32_t column, uint32_t count, Error *err) {
    const Field *fields = self->fields + (size_t)column * self->batch;
    uint64_t limit = self->params.shape->max_value;
    for (uint32_t i = 0; i < count; i++) {
        if (fields[i].len <= limit) continue;
        char place[FORMAT_PLACE_BYTES];
        format_place(&self->params, self->base + self->starts[i], place, sizeof place);
        return error_set(err, ERR_LIMIT,
                         "%s: a value is longer than max_value_size, %" PRIu64 " bytes", place,
                         limit);
    }
    return TRIB_OK;
}

static Status json_next(FormatFile *self, uint32_t max_rows, uint32_t *rows, Error *err) {
    TRY(rows_read(self, max_rows, rows, err));
    if (*rows == 0) return TRIB_OK;
    for (uint32_t c = 0; c < self->params.ncolumns; c++) {
        uint32_t from = self->same_as[c];
        if (self->room > self->params.shape->max_value) TRY(value_limit(self, from, *rows, err));
        const Field *fields = self->fields + (size_t)from * self->batch;
        if (column_type_nested(self->params.columns[c].type))
            TRY(json_nested_convert(self->nested, c, fields, *rows, nested_fault, self, err));
        else
            TRY(format_convert(&self->params, c, fields, *rows, json_fault, self, err));
    }
    self->params.builder->rows += *rows;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- ranges and samples */

static Status first_byte(const FormatParams *params, char *out, Error *err) {
    FormatParams begin = *params;
    Stream *stream;
    char piece[256];
    size_t got = 0, at = 0;
    begin.range.begin = 0;
    if (begin.range.end > sizeof piece) begin.range.end = sizeof piece;
    TRY(format_stream(&begin, &stream, err));
    Status status = stream_read(stream, piece, sizeof piece, &got, err);
    stream_close(stream);
    if (got >= 3 && memcmp(piece, "\xEF\xBB\xBF", 3) == 0) at = 3;
    while (at < got &&
           (piece[at] == ' ' || piece[at] == '\n' || piece[at] == '\t' || piece[at] == '\r'))
        at++;
    *out = at < got ? piece[at] : '\0';
    return status;
}

/* Behind the first line end from `at` - 1 on: in JSON lines that is always a row's beginning. */
static Status json_boundary(const FormatParams *params, uint64_t at, uint64_t *out, Error *err) {
    FormatParams window = *params;
    Stream *stream;
    uint64_t offset = at - 1, size = params->range.object->size;
    char first, *piece;
    size_t got = 0;
    *out = at == 0 ? 0 : UINT64_MAX;
    if (at == 0) return TRIB_OK;
    TRY(first_byte(params, &first, err));
    if (first != '{') return TRIB_OK;
    window.range.begin = offset;
    window.range.end = size;
    TRY_ALLOC(piece, host_alloc(params->host, PIECE_BYTES), err);
    Status status = format_stream(&window, &stream, err);
    while (status == TRIB_OK) {
        status = stream_read(stream, piece, PIECE_BYTES, &got, err);
        const char *newline = status == TRIB_OK && got ? memchr(piece, '\n', got) : NULL;
        if (newline) *out = offset + (uint64_t)(newline - piece) + 1;
        if (newline || got < PIECE_BYTES) break;
        offset += got;
    }
    stream_close(stream);
    host_free(params->host, piece);
    return status;
}

static Status json_sample(const FormatParams *params, Shape *shape, uint64_t rows,
                          const SampleVisit *visit, Error *err) {
    FormatParams mine = *params;
    FormatFile *file;
    mine.shape = shape;
    mine.ncolumns = 0;
    mine.builder = NULL;
    TRY(file_new(&mine, 1, &file, err));
    file->visit = visit;
    Status status = TRIB_OK;
    for (uint64_t i = 0; status == TRIB_OK && i < rows; i++) {
        uint32_t count = 0;
        error_clear(err);
        status = rows_read(file, 1, &count, err);
        if (status == TRIB_OK && count) status = visit->row(visit->self, err);
        if (count == 0) break;
    }
    json_close(file);
    return status;
}

const Format format_json = {
    .kind = FORMAT_JSON,
    .name = "json",
    .endings = {".json", ".jsonl", ".ndjson", NULL},
    .boundary = json_boundary,
    .open = json_open,
    .next = json_next,
    .close = json_close,
    .sample = json_sample,
};
