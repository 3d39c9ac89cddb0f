/*
 * writer.c - rows into tables of an SQLite file.
 *
 * A writer is a prepared statement that is bound and stepped for each row; for rows that are inserted there is a
 * second one that takes several, since half of SQLite's time for a row goes into the beginning and the end of a
 * statement. Statements are kept with the connection for the next writer: programs send one array after another.
 *
 * Threads: one at a time per writer. Memory: an arena per writer.
 */
#include <math.h>

#include "connectors/sqlite/sqlite_internal.h"
#include "connectors/support/row_value.h"
#include "connectors/support/sql_change.h"
#include "engine/base/calendar.h"
#include "engine/base/decimal.h"

/* Texts of days: columns have few of them beside each other. */
#define DAYS_KEPT 64

/* Of a statement that inserts several rows. */
#define MANY_ROWS   16
#define MANY_VALUES 512

#define CHECK_ROWS 256 /* after how many the call is asked whether to go on */

typedef struct DayText {
    int64_t day;
    size_t length; /* 0 = nothing is kept here */
    char text[16];
} DayText;

typedef struct WriteColumn {
    const TribColumn *column;
    int place;           /* in the statement's parameters */
    const char *refused; /* why no value but NULL can be stored; NULL = it can */
    bool checked;        /* each value is: not a number, too many digits */
    char *scratch;       /* LITE_VALUE_TEXT bytes for each row of a statement; NULL: never needed */
    DayText *days;       /* DAYS_KEPT; of dates and timestamps */
    /* of the batch that is being written */
    const struct ArrowArray *array;
    const uint8_t *valid; /* NULL = all */
    const void *data;
} WriteColumn;

/* A statement and how many rows it takes. */
typedef struct WriteStatement {
    sqlite3_stmt *stmt;
    uint32_t rows;
} WriteStatement;

struct TribWriter {
    Arena *arena;
    TribCatalog *catalog;
    TribCall *call;
    TribTx *tx;
    bool own;            /* the transaction */
    WriteStatement one;  /* without a statement: the table is there already (IF NOT EXISTS) */
    WriteStatement many; /* rows 0: not for this writer; prepared when first needed */
    Buf text;            /* of `one` */
    TribWriteKind kind;
    uint32_t ncolumns;
    WriteColumn *columns; /* in the order of the rows */
    const char *table;
    uint64_t rows;
};

static void write_names(Buf *out, const TribWriteRequest *request, uint32_t from, uint32_t to,
                        const char *between, const char *behind) {
    for (uint32_t i = from; i < to; i++) {
        if (i > from) buf_text(out, between);
        lite_dialect.quote(out, str_from(request->table->columns[request->columns[i]].name));
        buf_text(out, behind);
    }
}

static void write_text(const TribCatalog *catalog, const TribWriteRequest *request, Buf *out) {
    uint32_t n = request->ncolumns, k = request->nkeys;
    if (request->kind == TRIB_WRITE_UPDATE) {
        buf_text(out, "UPDATE ");
        lite_dialect.table(catalog, out, request->table);
        buf_text(out, " SET ");
        write_names(out, request, k, n, ", ", " = ?");
    } else if (request->kind == TRIB_WRITE_DELETE) {
        buf_text(out, "DELETE FROM ");
        lite_dialect.table(catalog, out, request->table);
    } else {
        buf_text(out, "INSERT INTO ");
        lite_dialect.table(catalog, out, request->table);
        buf_text(out, " (");
        write_names(out, request, 0, n, ", ", "");
        buf_text(out, ") VALUES (");
        for (uint32_t i = 0; i < n; i++) buf_text(out, i ? ", ?" : "?");
        buf_char(out, ')');
        return;
    }
    buf_text(out, " WHERE ");
    write_names(out, request, 0, k, " AND ", " = ?");
}

/* Rows that one statement inserts: with more of them there is little left to gain. */
static uint32_t rows_together(const TribWriter *self, const TribWriteRequest *request) {
    bool inserts = request->kind == TRIB_WRITE_INSERT || request->kind == TRIB_WRITE_CREATE;
    if (!inserts || request->ncolumns == 0 || !self->tx) return 0;
    int limit = sqlite3_limit(self->tx->db->db, SQLITE_LIMIT_VARIABLE_NUMBER, -1);
    uint32_t most = limit < MANY_VALUES ? (uint32_t)limit : MANY_VALUES;
    uint32_t rows = most / request->ncolumns;
    if (rows > MANY_ROWS) rows = MANY_ROWS;
    return rows > 1 ? rows : 0;
}

/* Is a value bound as a text that is made for it? */
static bool spelled(TribType type) {
    switch (type.id) {
    case TRIB_TYPE_DECIMAL:
    case TRIB_TYPE_UUID:
    case TRIB_TYPE_DATE:
    case TRIB_TYPE_TIME:
    case TRIB_TYPE_TIMESTAMP: return true;
    default: return false;
    }
}

static Status writer_columns(TribWriter *self, const TribWriteRequest *request, Error *err) {
    uint32_t n = request->ncolumns, k = request->nkeys;
    uint32_t most = self->many.rows ? self->many.rows : 1;
    self->ncolumns = n;
    TRY_ALLOC(self->columns, ARENA_ARRAY(self->arena, WriteColumn, n), err);
    for (uint32_t i = 0; i < n; i++) {
        WriteColumn *out = &self->columns[i];
        TribColumn *column;
        TRY_ALLOC(column, ARENA_NEW(self->arena, TribColumn), err);
        *column = request->table->columns[request->columns[i]];
        size_t texts = spelled(column->type) ? (size_t)most * LITE_VALUE_TEXT : 0;
        if (texts) TRY_ALLOC(out->scratch, ARENA_ARRAY(self->arena, char, texts), err);
        bool update = request->kind == TRIB_WRITE_UPDATE;
        TribValue zero = {.type = column->type};
        out->column = column;
        out->place = (int)(!update ? i + 1 : i < k ? n - k + i + 1 : i - k + 1);
        out->refused = lite_storable(column, &zero);
        bool dated = column->type.id == TRIB_TYPE_DATE || column->type.id == TRIB_TYPE_TIMESTAMP;
        if (dated) TRY_ALLOC(out->days, ARENA_ARRAY(self->arena, DayText, DAYS_KEPT), err);
        out->checked = column->type.id == TRIB_TYPE_DOUBLE || column->type.id == TRIB_TYPE_REAL ||
                       lite_digits_at_risk(column);
    }
    return TRIB_OK;
}

/* CREATE TABLE AS: the table, with the rows' columns. *exists: it was there, and that is no error. */
static Status writer_create(TribWriter *self, const TribWriteRequest *request, bool *exists,
                            Error *err) {
    TribDdl ddl = {.size = sizeof ddl,
                   .kind = TRIB_DDL_CREATE_TABLE,
                   .schema = request->table->schema,
                   .name = request->table->name,
                   .table = request->table,
                   .transaction = self->tx};
    *exists = false;
    self->tx->db->call = self->call;
    Status status = lite_ddl_in(self->catalog, self->tx->db, &ddl, err);
    if (status == TRIB_EXISTS && request->if_not_exists) {
        *exists = true;
        return TRIB_OK;
    }
    return status;
}

static Status writer_prepare(TribWriter *self, const TribWriteRequest *request, Error *err) {
    bool exists = false;
    buf_init(&self->text, self->arena, 1000 * 1000);
    write_text(self->catalog, request, &self->text);
    TRY(buf_status(&self->text, err));
    if (request->plan_only) {
        if (request->explain.text) request->explain.text(request->explain.self, self->text.data);
        return TRIB_OK;
    }
    if (!self->tx) {
        TribTxRequest begin = {.size = sizeof begin};
        TRY(lite_tx_begin(self->catalog, self->call, &begin, &self->tx, err));
        self->own = true;
    }
    if (request->kind == TRIB_WRITE_CREATE) TRY(writer_create(self, request, &exists, err));
    if (exists) return TRIB_OK;
    self->tx->db->call = self->call;
    self->one.rows = 1;
    self->many.rows = rows_together(self, request);
    TRY(writer_columns(self, request, err));
    TRY_ALLOC(self->table, arena_strdup(self->arena, request->table->name), err);
    return lite_prepare_kept(self->catalog, self->tx->db, self->text.data, self->text.len,
                             &self->one.stmt, err);
}

/* The text of `one` ends with the first row: the others follow it. */
static Status many_prepare(TribWriter *self, Error *err) {
    Buf *text = &self->text;
    for (uint32_t row = 1; row < self->many.rows; row++) {
        buf_text(text, ", (");
        for (uint32_t i = 0; i < self->ncolumns; i++) buf_text(text, i ? ", ?" : "?");
        buf_char(text, ')');
    }
    TRY(buf_status(text, err));
    return lite_prepare_kept(self->catalog, self->tx->db, text->data, text->len, &self->many.stmt,
                             err);
}

static void writer_free(TribWriter *self) {
    if (self->tx) {
        lite_keep(self->tx->db, self->one.stmt);
        lite_keep(self->tx->db, self->many.stmt);
        self->tx->db->call = NULL;
    }
    arena_free(self->arena);
}

TribStatus lite_write_open(TribCatalog *catalog, TribCall *call, const TribWriteRequest *request,
                           TribWriter **out, TribError *err) {
    Arena *arena;
    *out = NULL;
    TRY(lite_writable(catalog, err));
    TRY_ALLOC(arena, arena_new(NULL), err);
    TribWriter *self = ARENA_NEW(arena, TribWriter);
    if (!self) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    self->arena = arena;
    self->catalog = catalog;
    self->call = call;
    self->tx = request->transaction;
    self->kind = request->kind;
    Status status = writer_prepare(self, request, err);
    if (status == TRIB_OK && !request->plan_only) {
        *out = self;
        return TRIB_OK;
    }
    Error ignored;
    TribTx *own = self->own ? self->tx : NULL;
    writer_free(self);
    if (own && lite_tx_end(own, call, false, &ignored) != TRIB_OK) error_clear(&ignored);
    return status;
}

/* A row of an UPDATE or DELETE whose key is gone. */
static Status row_gone(const TribWriter *self, Error *err) {
    error_set(err, ERR_SERIALIZATION,
              "a row of \"%s\" that was to be changed is not there any more", self->table);
    return error_source(err, self->catalog->name);
}

/* Where a row's value is bound. */
typedef struct ValuePlace {
    sqlite3_stmt *stmt;
    int at;
    char *scratch;
} ValuePlace;

/* Any value; the frequent types have a shorter way in value_write. */
static Status value_write_slowly(TribWriter *self, const WriteColumn *column,
                                 const ValuePlace *place, int64_t row, Error *err) {
    TribValue value;
    if (!row_value(column->array, column->column->type, row, &value))
        return error_set(err, ERR_UNSUPPORTED, "column \"%s\": SQLite has no such type",
                         column->column->name);
    const char *why = value.is_null ? NULL : column->refused;
    if (!why && column->checked) why = lite_storable(column->column, &value);
    if (why) return lite_refuse_value(self->catalog, column->column, why, err);
    LiteBinding to = {place->stmt, place->at, place->scratch, SQLITE_STATIC};
    int rc = lite_bind_value(&to, &value);
    if (rc == SQLITE_OK) return TRIB_OK;
    return lite_error(self->catalog, self->tx->db, rc, "a value was refused", err);
}

/* The text of a day into `out`. */
static size_t day_write(const WriteColumn *column, int64_t day, char *out) {
    DayText *kept = &column->days[day & (DAYS_KEPT - 1)];
    if (kept->length && kept->day == day) {
        memcpy(out, kept->text, kept->length);
        return kept->length;
    }
    size_t length = date_format_iso((int32_t)day, out);
    if (length <= sizeof kept->text) {
        *kept = (DayText){.day = day, .length = length};
        memcpy(kept->text, out, length);
    }
    return length;
}

static size_t timestamp_write(const WriteColumn *column, int64_t us, char *out) {
    int64_t day = us / US_PER_DAY - (us % US_PER_DAY < 0);
    size_t length = day_write(column, day, out);
    out[length++] = ' ';
    return length + time_format_iso((us - day * US_PER_DAY) * 1000, column->column->type.precision,
                                    out + length);
}

static inline bool text_bind(const ValuePlace *place, const char *data, size_t length) {
    return sqlite3_bind_text64(place->stmt, place->at, data, length, SQLITE_STATIC, SQLITE_UTF8) ==
           SQLITE_OK;
}

/* Frequent types, not NULL, straight from the batch. false: nothing was bound. */
static inline bool value_write(const WriteColumn *column, const ValuePlace *place, int64_t row) {
    int64_t at = row + column->array->offset;
    if (column->refused || (column->valid && !(column->valid[at >> 3] >> (at & 7) & 1)))
        return false;
    const void *data = column->data;
    double number;
    switch (column->column->type.id) {
    case TRIB_TYPE_TINYINT:
        return sqlite3_bind_int64(place->stmt, place->at, ((const int8_t *)data)[at]) == SQLITE_OK;
    case TRIB_TYPE_SMALLINT:
        return sqlite3_bind_int64(place->stmt, place->at, ((const int16_t *)data)[at]) == SQLITE_OK;
    case TRIB_TYPE_INTEGER:
        return sqlite3_bind_int64(place->stmt, place->at, ((const int32_t *)data)[at]) == SQLITE_OK;
    case TRIB_TYPE_BIGINT:
        return sqlite3_bind_int64(place->stmt, place->at, ((const int64_t *)data)[at]) == SQLITE_OK;
    case TRIB_TYPE_DOUBLE:
        number = ((const double *)data)[at];
        return !isnan(number) && sqlite3_bind_double(place->stmt, place->at, number) == SQLITE_OK;
    case TRIB_TYPE_VARCHAR: {
        Str text = row_text(column->array, at);
        return text_bind(place, text.data, text.len);
    }
    case TRIB_TYPE_DATE:
        return text_bind(place, place->scratch,
                         day_write(column, ((const int32_t *)data)[at], place->scratch));
    case TRIB_TYPE_TIMESTAMP:
        return column->column->type.precision <= 6 &&
               text_bind(place, place->scratch,
                         timestamp_write(column, ((const int64_t *)data)[at], place->scratch));
    default: return false;
    }
}

static void batch_enter(TribWriter *self, const struct ArrowArray *rows) {
    for (uint32_t c = 0; c < self->ncolumns; c++) {
        WriteColumn *column = &self->columns[c];
        column->array = rows->children[c];
        column->valid = column->array->n_buffers > 0 ? column->array->buffers[0] : NULL;
        column->data = column->array->n_buffers > 1 ? column->array->buffers[1] : NULL;
    }
}

/* The values of the statement's `part`-th row; `row` counts from the beginning of the children. */
static Status row_bind(TribWriter *self, sqlite3_stmt *stmt, uint32_t part, int64_t row,
                       Error *err) {
    int before = (int)(part * self->ncolumns);
    size_t texts = (size_t)part * LITE_VALUE_TEXT;
    for (uint32_t c = 0; c < self->ncolumns; c++) {
        const WriteColumn *column = &self->columns[c];
        char *scratch = column->scratch ? column->scratch + texts : NULL;
        ValuePlace place = {stmt, before + column->place, scratch};
        if (!value_write(column, &place, row))
            TRY(value_write_slowly(self, column, &place, row, err));
    }
    return TRIB_OK;
}

/* SQLite refused the rows from `first` on: the error, with the value that it found out of bounds if it is one of them. */
static Status rows_refused(TribWriter *self, const WriteStatement *statement,
                           const TribBatch *batch, uint32_t first, int rc, Error *err) {
    LiteDb *db = self->tx->db;
    TribValue value;
    lite_error(self->catalog, db, rc, "SQLite refused a row", err);
    for (uint32_t i = 0; err->status == TRIB_DATA && i < statement->rows; i++) {
        int64_t row = batch_row_at(batch, first + i) + batch->array.offset;
        for (uint32_t c = 0; c < self->ncolumns; c++) {
            const WriteColumn *column = &self->columns[c];
            if (row_value(column->array, column->column->type, row, &value))
                lite_bounds_tell(db, column->column, &value, err);
        }
    }
    return err->status;
}

static Status rows_write(TribWriter *self, const WriteStatement *statement, const TribBatch *batch,
                         uint32_t first, Error *err) {
    LiteDb *db = self->tx->db;
    for (uint32_t i = 0; i < statement->rows; i++)
        TRY(row_bind(self, statement->stmt, i, batch_row_at(batch, first + i) + batch->array.offset,
                     err));
    int rc = sqlite3_step(statement->stmt);
    int reset = sqlite3_reset(statement->stmt);
    if (rc != SQLITE_DONE) return rows_refused(self, statement, batch, first, reset, err);
    bool found = self->kind == TRIB_WRITE_CREATE || self->kind == TRIB_WRITE_INSERT ||
                 sqlite3_changes(db->db) == 1;
    if (!found) return row_gone(self, err);
    self->rows += statement->rows;
    return TRIB_OK;
}

TribStatus lite_write_batch(TribWriter *self, const TribBatch *batch, TribError *err) {
    if (!self->one.stmt) return TRIB_OK;
    uint32_t n = batch_rows_count(batch), together = self->many.rows;
    if (together && n >= together && !self->many.stmt) TRY(many_prepare(self, err));
    batch_enter(self, &batch->array);
    for (uint32_t i = 0; i < n;) {
        bool many = together && n - i >= together;
        if (i % CHECK_ROWS < (many ? together : 1))
            TRY(call_check(self->call, self->catalog->name, err));
        TRY(rows_write(self, many ? &self->many : &self->one, batch, i, err));
        i += many ? together : 1;
    }
    return TRIB_OK;
}

TribStatus lite_write_close(TribWriter *self, bool commit, uint64_t *rows, TribError *err) {
    Status status = TRIB_OK;
    TribTx *own = self->own ? self->tx : NULL;
    TribCall *call = self->call;
    *rows = commit ? self->rows : 0;
    writer_free(self);
    if (own) status = lite_tx_end(own, call, commit, err);
    return status;
}
