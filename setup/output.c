/*
 * output.c - rows as text.
 *
 * A writer per format is a row of `writers`. The cells of one row are made into one buffer that is
 * reused; a table's first rows (up to SAMPLE_ROWS or SAMPLE_BYTES) are held until the widths are known,
 * later cells that are wider push their row out of line.
 */
#include "setup/output.h"

#include <errno.h>

#include "engine/base/json.h"

#define SAMPLE_ROWS    1000
#define SAMPLE_BYTES   ((size_t)1 << 20)
#define LINE_MAX_BYTES ((size_t)1 << 31)

typedef struct Column {
    Str name;
    Str json_key; /* quoted, unique */
    TribType type;
    bool right; /* numbers */
    uint32_t width;
} Column;

typedef struct Cell {
    uint32_t len;
    bool null;
} Cell;

struct Output {
    Arena *arena;
    OutputFormat format;
    FILE *file;
    uint32_t ncolumns;
    Column *columns;
    Buf text;     /* bytes of cells: of one row, or of the held rows */
    Cell *cells;  /* of one row */
    Buf held;     /* Cell records of the held rows */
    Buf line;     /* the line being made */
    bool flowing; /* the header is out */
    uint64_t rows, held_rows;
};

/* ---------------------------------------------------------------- widths */

/* Columns that a character takes on a terminal: 0 for combining marks, 2 for East Asian wide ones and
 * emoji. Ranges after UAX 11, coarse. */
static uint32_t character_width(uint32_t c) {
    static const struct {
        uint32_t first, last, width;
    } ranges[] = {
        {0x0300, 0x036f, 0},   {0x0483, 0x0489, 0},   {0x0591, 0x05bd, 0},   {0x0610, 0x061a, 0},
        {0x064b, 0x065f, 0},   {0x0e31, 0x0e31, 0},   {0x0e34, 0x0e3a, 0},   {0x1100, 0x115f, 2},
        {0x1ab0, 0x1aff, 0},   {0x1dc0, 0x1dff, 0},   {0x200b, 0x200f, 0},   {0x20d0, 0x20ff, 0},
        {0x2e80, 0x303e, 2},   {0x3041, 0xa4cf, 2},   {0xa960, 0xa97f, 2},   {0xac00, 0xd7a3, 2},
        {0xf900, 0xfaff, 2},   {0xfe00, 0xfe0f, 0},   {0xfe20, 0xfe2f, 0},   {0xfe30, 0xfe6f, 2},
        {0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2},   {0x1f300, 0x1f64f, 2}, {0x1f680, 0x1f6ff, 2},
        {0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2}, {0xe0100, 0xe01ef, 0},
    };
    for (size_t i = 0; i < COUNT_OF(ranges) && c >= ranges[i].first; i++) {
        if (c <= ranges[i].last) return ranges[i].width;
    }
    return 1;
}

static uint32_t text_width(Str text) {
    uint32_t width = 0;
    size_t at = 0;
    while (at < text.len) {
        int32_t c = utf8_next(text.data, text.len, &at);
        width += c < 0 ? 1 : character_width((uint32_t)c);
    }
    return width;
}

/* ---------------------------------------------------------------- cells */

static bool is_number(TribType type) {
    switch (type.id) {
    case TRIB_TYPE_TINYINT:
    case TRIB_TYPE_SMALLINT:
    case TRIB_TYPE_INTEGER:
    case TRIB_TYPE_BIGINT:
    case TRIB_TYPE_REAL:
    case TRIB_TYPE_DOUBLE:
    case TRIB_TYPE_DECIMAL: return true;
    default: return false;
    }
}

/* Is the canonical text of the type a JSON value already? */
static bool is_json(TribType type) {
    switch (type.id) {
    case TRIB_TYPE_BOOLEAN:
    case TRIB_TYPE_JSON:
    case TRIB_TYPE_ARRAY:
    case TRIB_TYPE_MAP:
    case TRIB_TYPE_ROW: return true;
    default: return is_number(type);
    }
}

/* A control character would break the table's lines, or command the terminal. */
static void add_visible(Buf *out, Str text) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '\n')
            buf_text(out, "\\n");
        else if (c == '\t')
            buf_text(out, "\\t");
        else if (c == '\r')
            buf_text(out, "\\r");
        else if (c < 0x20 || c == 0x7f)
            buf_printf(out, "\\x%02x", c);
        else if (c == 0xc2 && i + 1 < text.len && (unsigned char)text.data[i + 1] < 0xa0) {
            buf_printf(out, "\\u%04x", (unsigned char)text.data[++i]); /* C1 controls */
        } else
            buf_char(out, (char)c);
    }
}

/* The canonical text; bytes as hexadecimal digits, since they need not be text. */
static Status value_add(Output *self, const ColumnView *column, uint32_t position, Buf *out,
                        Error *err) {
    size_t before = out->len;
    TRY(column_value_text(column, position, out, err));
    if (column->type.id != TRIB_TYPE_VARBINARY) return TRIB_OK;
    static const char digits[] = "0123456789abcdef";
    size_t bytes = out->len - before;
    if (!buf_reserve(out, bytes)) return buf_status(out, err);
    out->len += bytes;
    for (size_t i = bytes; i-- > 0;) { /* from the end, so that nothing is overwritten unread */
        unsigned char byte = (unsigned char)out->data[before + i];
        out->data[before + 2 * i] = digits[byte >> 4];
        out->data[before + 2 * i + 1] = digits[byte & 15];
    }
    return TRIB_OK;
}

/* Makes the cells of one row: texts one behind the other in self->text, lengths in self->cells. */
static Status row_make(Output *self, const BatchView *batch, uint32_t position, Error *err) {
    for (uint32_t c = 0; c < self->ncolumns; c++) {
        const ColumnView *column = &batch->columns[c];
        size_t before = self->text.len;
        bool null = column_value_null(column, position);
        if (null && self->format == OUTPUT_TABLE) buf_text(&self->text, "NULL");
        if (!null && self->format == OUTPUT_TABLE) {
            self->line.len = 0;
            TRY(value_add(self, column, position, &self->line, err));
            add_visible(&self->text, buf_view(&self->line));
        } else if (!null) {
            TRY(value_add(self, column, position, &self->text, err));
        }
        TRY(buf_status(&self->text, err));
        self->cells[c] = (Cell){.len = (uint32_t)(self->text.len - before), .null = null};
    }
    return TRIB_OK;
}

static Status line_write(Output *self, Error *err) {
    TRY(buf_status(&self->line, err));
    if (self->line.len && fwrite(self->line.data, 1, self->line.len, self->file) != self->line.len)
        return error_errno(err, ERR_GENERAL, errno, "the output cannot be written");
    return TRIB_OK;
}

/* ---------------------------------------------------------------- table */

static void pad(Buf *out, uint32_t count, char with) {
    for (uint32_t i = 0; i < count; i++) buf_char(out, with);
}

static Status table_row(Output *self, const Cell *cells, const char *text, Error *err) {
    self->line.len = 0;
    for (uint32_t c = 0; c < self->ncolumns; c++) {
        const Column *column = &self->columns[c];
        Str cell = {text, cells[c].len};
        uint32_t width = text_width(cell),
                 space = column->width > width ? column->width - width : 0;
        bool last = c + 1 == self->ncolumns;
        buf_char(&self->line, ' ');
        if (column->right) pad(&self->line, space, ' ');
        buf_str(&self->line, cell);
        if (!column->right && !last) pad(&self->line, space, ' ');
        buf_text(&self->line, last ? "\n" : " |");
        text += cells[c].len;
    }
    return line_write(self, err);
}

static void table_widths(Output *self) {
    for (uint32_t c = 0; c < self->ncolumns; c++)
        self->columns[c].width = text_width(self->columns[c].name);
    const Cell *cells = (const Cell *)(const void *)self->held.data;
    const char *text = self->text.data;
    for (uint64_t r = 0; r < self->held_rows; r++) {
        for (uint32_t c = 0; c < self->ncolumns; c++, cells++) {
            uint32_t width = text_width((Str){text, cells->len});
            if (width > self->columns[c].width) self->columns[c].width = width;
            text += cells->len;
        }
    }
}

static Status table_header(Output *self, Error *err) {
    self->line.len = 0;
    for (uint32_t c = 0; c < self->ncolumns; c++) {
        const Column *column = &self->columns[c];
        uint32_t space = column->width - text_width(column->name);
        bool last = c + 1 == self->ncolumns;
        buf_char(&self->line, ' ');
        if (column->right) pad(&self->line, space, ' ');
        buf_str(&self->line, column->name);
        if (!column->right && !last) pad(&self->line, space, ' ');
        buf_text(&self->line, last ? "\n" : " |");
    }
    for (uint32_t c = 0; c < self->ncolumns; c++) {
        pad(&self->line, self->columns[c].width + 2, '-');
        buf_char(&self->line, c + 1 == self->ncolumns ? '\n' : '+');
    }
    return line_write(self, err);
}

/* Ends the sample: header and held rows go out. */
static Status table_flow(Output *self, Error *err) {
    table_widths(self);
    self->flowing = true;
    TRY(table_header(self, err));
    const Cell *cells = (const Cell *)(const void *)self->held.data;
    const char *text = self->text.data;
    for (uint64_t r = 0; r < self->held_rows; r++) {
        TRY(table_row(self, cells, text, err));
        for (uint32_t c = 0; c < self->ncolumns; c++, cells++) text += cells->len;
    }
    self->held_rows = 0;
    buf_clear(&self->held);
    return TRIB_OK;
}

static Status table_add(Output *self, Error *err) {
    if (self->flowing) return table_row(self, self->cells, self->text.data, err);
    buf_add(&self->held, self->cells, self->ncolumns * sizeof *self->cells);
    TRY(buf_status(&self->held, err));
    self->held_rows++;
    if (self->held_rows < SAMPLE_ROWS && self->text.len < SAMPLE_BYTES) return TRIB_OK;
    return table_flow(self, err);
}

static Status table_end(Output *self, Error *err) {
    if (!self->flowing) TRY(table_flow(self, err));
    self->line.len = 0;
    buf_printf(&self->line, "(%llu row%s)\n", (unsigned long long)self->rows,
               self->rows == 1 ? "" : "s");
    return line_write(self, err);
}

/* ---------------------------------------------------------------- CSV */

static void csv_field(Buf *out, Str text, bool always) {
    bool quoted = always || text.len == 0;
    for (size_t i = 0; i < text.len && !quoted; i++) {
        char c = text.data[i];
        quoted = c == '"' || c == ',' || c == '\n' || c == '\r';
    }
    if (!quoted) {
        buf_str(out, text);
        return;
    }
    buf_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"') buf_char(out, '"');
        buf_char(out, text.data[i]);
    }
    buf_char(out, '"');
}

static Status csv_begin(Output *self, Error *err) {
    self->line.len = 0;
    for (uint32_t c = 0; c < self->ncolumns; c++) {
        if (c) buf_char(&self->line, ',');
        csv_field(&self->line, self->columns[c].name, false);
    }
    buf_char(&self->line, '\n');
    return line_write(self, err);
}

/* NULL is an empty field, the empty text is "". */
static Status csv_add(Output *self, Error *err) {
    const char *text = self->text.data;
    self->line.len = 0;
    for (uint32_t c = 0; c < self->ncolumns; c++) {
        if (c) buf_char(&self->line, ',');
        if (!self->cells[c].null) csv_field(&self->line, (Str){text, self->cells[c].len}, false);
        text += self->cells[c].len;
    }
    buf_char(&self->line, '\n');
    return line_write(self, err);
}

static Status nothing(Output *self, Error *err) {
    return TRIB_OK;
}

/* ---------------------------------------------------------------- JSON */

static Status json_begin(Output *self, Error *err) {
    self->line.len = 0;
    buf_char(&self->line, '[');
    return line_write(self, err);
}

static void json_cell(Output *self, const Column *column, const Cell *cell, const char *text) {
    Str value = {text, cell->len};
    bool bare = is_json(column->type);
    /* NaN and Infinity are no numbers in JSON. */
    if ((column->type.id == TRIB_TYPE_DOUBLE || column->type.id == TRIB_TYPE_REAL) && value.len &&
        (text[value.len - 1] == 'N' || text[value.len - 1] == 'y'))
        bare = false;
    if (cell->null)
        buf_text(&self->line, "null");
    else if (bare)
        buf_str(&self->line, value);
    else
        json_quote(&self->line, value);
}

static Status json_add(Output *self, Error *err) {
    const char *text = self->text.data;
    self->line.len = 0;
    buf_text(&self->line, self->rows ? ",\n{" : "\n{");
    for (uint32_t c = 0; c < self->ncolumns; c++) {
        if (c) buf_text(&self->line, ", ");
        buf_str(&self->line, self->columns[c].json_key);
        buf_text(&self->line, ": ");
        json_cell(self, &self->columns[c], &self->cells[c], text);
        text += self->cells[c].len;
    }
    buf_char(&self->line, '}');
    return line_write(self, err);
}

static Status json_end(Output *self, Error *err) {
    self->line.len = 0;
    buf_text(&self->line, self->rows ? "\n]\n" : "]\n");
    return line_write(self, err);
}

/* ---------------------------------------------------------------- lines */

static Status lines_add(Output *self, Error *err) {
    const char *text = self->text.data;
    self->line.len = 0;
    for (uint32_t c = 0; c < self->ncolumns; c++) {
        if (c) buf_char(&self->line, '\t');
        buf_add(&self->line, text, self->cells[c].len);
        text += self->cells[c].len;
    }
    buf_char(&self->line, '\n');
    return line_write(self, err);
}

/* ---------------------------------------------------------------- formats */

typedef struct Writer {
    Status (*begin)(Output *self, Error *err);
    Status (*add)(Output *self, Error *err);
    Status (*end)(Output *self, Error *err);
} Writer;

static const Writer writers[] = {
    [OUTPUT_TABLE] = {nothing, table_add, table_end},
    [OUTPUT_CSV] = {csv_begin, csv_add, nothing},
    [OUTPUT_JSON] = {json_begin, json_add, json_end},
    [OUTPUT_LINES] = {nothing, lines_add, nothing},
};

/* Two columns of one name would be one member: the second becomes name_2. */
static Status json_keys(Output *self, Error *err) {
    for (uint32_t c = 0; c < self->ncolumns; c++) {
        Str name = self->columns[c].name;
        uint32_t seen = 1;
        for (uint32_t b = 0; b < c; b++) seen += str_equal(self->columns[b].name, name);
        Buf key;
        buf_init(&key, self->arena, LINE_MAX_BYTES);
        if (seen > 1) {
            char *numbered;
            TRY_ALLOC(numbered, arena_printf(self->arena, STR_FORMAT "_%u", STR_ARGS(name), seen),
                      err);
            json_quote(&key, str_from(numbered));
        } else {
            json_quote(&key, name);
        }
        TRY(buf_status(&key, err));
        self->columns[c].json_key = buf_view(&key);
    }
    return TRIB_OK;
}

static void buffers_clear(void *context) {
    Output *self = context;
    buf_clear(&self->text);
    buf_clear(&self->held);
    buf_clear(&self->line);
}

Status output_new(Arena *arena, OutputFormat format, FILE *file, const Statement *statement,
                  Output **out, Error *err) {
    Output *self;
    TRY_ALLOC(self, ARENA_NEW(arena, Output), err);
    *self = (Output){.arena = arena,
                     .format = format,
                     .file = file,
                     .ncolumns = statement_column_count(statement)};
    buf_init(&self->text, NULL, LINE_MAX_BYTES);
    buf_init(&self->held, NULL, LINE_MAX_BYTES);
    buf_init(&self->line, NULL, LINE_MAX_BYTES);
    if (!arena_on_reset(arena, buffers_clear, self)) return error_out_of_memory(err);
    TRY_ALLOC(self->columns, ARENA_ARRAY(arena, Column, self->ncolumns), err);
    TRY_ALLOC(self->cells, ARENA_ARRAY(arena, Cell, self->ncolumns), err);
    for (uint32_t c = 0; c < self->ncolumns; c++) {
        const ColumnInfo *info = statement_column(statement, c);
        self->columns[c] =
            (Column){.name = info->name, .type = info->type, .right = is_number(info->type)};
    }
    if (format == OUTPUT_JSON) TRY(json_keys(self, err));
    if (format != OUTPUT_TABLE) self->flowing = true;
    *out = self;
    return writers[format].begin(self, err);
}

Status output_batch(Output *self, const BatchView *batch, Error *err) {
    for (uint32_t r = 0; r < batch->rows; r++) {
        if (self->flowing) self->text.len = 0;
        TRY(row_make(self, batch, batch->selection ? batch->selection[r] : r, err));
        TRY(writers[self->format].add(self, err));
        self->rows++;
    }
    return TRIB_OK;
}

bool output_begun(const Output *self) {
    return self->format == OUTPUT_TABLE ? self->flowing : self->rows > 0;
}

uint64_t output_rows(const Output *self) {
    return self->rows;
}

Status output_end(Output *self, Error *err) {
    TRY(writers[self->format].end(self, err));
    if (fflush(self->file) != 0)
        return error_errno(err, ERR_GENERAL, errno, "the output cannot be written");
    return TRIB_OK;
}
