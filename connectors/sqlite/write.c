/*
 * write.c - rows into tables of an SQLite file: transactions, writers, UPDATE and DELETE as a whole.
 *
 * A transaction is one connection of the pool with BEGIN IMMEDIATE: who writes holds the lock from the start,
 * so that what it reads is what it changes. A writer is one prepared statement that is bound and stepped for
 * each row. Values are bound so that they are read back as they were: decimals, dates and times as text (the
 * column's affinity turns a decimal into a number only where that loses nothing), booleans as 0 and 1.
 *
 * Threads: one at a time per transaction and writer. Memory: an arena per writer.
 */
#include <math.h>

#include "connectors/sqlite/sqlite_internal.h"
#include "connectors/support/row_value.h"
#include "connectors/support/sql_change.h"
#include "engine/base/calendar.h"
#include "engine/base/decimal.h"

/* ---------------------------------------------------------------- transactions */

TribStatus lite_writable(TribCatalog *catalog, TribError *err) {
    if (catalog->readwrite) return TRIB_OK;
    error_set(err, ERR_READ_ONLY, "the file \"%s\" is open for reading only", catalog->path);
    error_hint(err, "give the catalog \"mode\": \"readwrite\"");
    return error_source(err, catalog->name);
}

Status lite_exec(TribCatalog *catalog, LiteDb *db, const char *sql, Error *err) {
    int rc = sqlite3_exec(db->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? TRIB_OK
                           : lite_error(catalog, db, rc, "SQLite refused the statement", err);
}

TribStatus lite_tx_begin(TribCatalog *catalog, TribCall *call, const TribTxRequest *request,
                         TribTx **out, TribError *err) {
    TribTx *tx;
    if (!request->read_only) TRY(lite_writable(catalog, err));
    TRY_ALLOC(tx, heap_alloc(sizeof *tx), err);
    tx->catalog = catalog;
    Status status = lite_take(catalog, call, NULL, &tx->db, err);
    if (status != TRIB_OK) {
        heap_free(tx);
        return status;
    }
    status = lite_exec(catalog, tx->db, request->read_only ? "BEGIN" : "BEGIN IMMEDIATE", err);
    if (status != TRIB_OK) {
        lite_give(catalog, tx->db);
        heap_free(tx);
        return status;
    }
    tx->db->in_transaction = true;
    tx->db->call = NULL;
    *out = tx;
    return TRIB_OK;
}

TribStatus lite_tx_end(TribTx *tx, TribCall *call, bool commit, TribError *err) {
    TribCatalog *catalog = tx->catalog;
    LiteDb *db = tx->db;
    Status status = TRIB_OK;
    db->call = commit ? call : NULL;
    /* An interrupted or failed statement may have taken all of it back already. */
    bool over = sqlite3_get_autocommit(db->db) != 0;
    if (commit && over) {
        error_set(err, ERR_SERIALIZATION, "SQLite has taken the transaction back after an error");
        status = error_source(err, catalog->name);
    } else if (commit) {
        status = lite_exec(catalog, db, "COMMIT", err);
    }
    db->call = NULL;
    if (!sqlite3_get_autocommit(db->db))
        (void)sqlite3_exec(db->db, "ROLLBACK", NULL, NULL, NULL); /* fails only if it is over */
    db->in_transaction = false;
    if (sqlite3_get_autocommit(db->db))
        lite_give(catalog, db);
    else
        pool_discard(catalog->pool, db);
    heap_free(tx);
    return status;
}

TribStatus lite_tx_mark(TribTx *tx, TribCall *call, TribMark mark, TribError *err) {
    static const char *const texts[] = {
        [TRIB_MARK_SET] = "SAVEPOINT tributary_statement",
        [TRIB_MARK_KEEP] = "RELEASE tributary_statement",
        [TRIB_MARK_GO_BACK] = "ROLLBACK TO tributary_statement; RELEASE tributary_statement"};
    tx->db->call = mark == TRIB_MARK_GO_BACK ? NULL : call;
    Status status = lite_exec(tx->catalog, tx->db, texts[mark], err);
    tx->db->call = NULL;
    return status;
}

/* ---------------------------------------------------------------- values */

/* Does a column with the affinity NUMERIC keep it? As an integer of 64 bits, if it has no point, or in 15 digits. */
static bool number_kept(const TribValue *value) {
    Int128 digits = value->type.precision <= 18 ? (Int128)value->as.integer : value->as.wide;
    if (value->type.scale == 0 && digits >= INT64_MIN && digits <= INT64_MAX) return true;
    while (digits != 0 && digits % 10 == 0) digits /= 10;
    return decimal_fits(digits, 15);
}

/* Such a column was not made by lite_ddl: its name has no affinity of its own. */
static bool digits_at_risk(const TribColumn *column) {
    return column->type.id == TRIB_TYPE_DECIMAL && column->type.precision > 15 &&
           column->remote_type && !strstr(column->remote_type, "TEXT");
}

const char *lite_storable(const TribColumn *column, const TribValue *value) {
    LiteFacts facts = lite_facts(column->facts);
    if (value->is_null) return NULL;
    if ((value->type.id == TRIB_TYPE_DOUBLE || value->type.id == TRIB_TYPE_REAL) &&
        isnan(value->as.real))
        return "SQLite stores no NaN";
    if (value->type.id == TRIB_TYPE_DECIMAL && digits_at_risk(column) && !number_kept(value))
        return "SQLite would keep 15 digits of it";
    if (facts.kind == KIND_ANY && column->remote_type && *column->remote_type)
        return "SQLite would store a text of digits in this column as a number";
    if (value->type.fields || value->type.id == TRIB_TYPE_TIMESTAMP_TZ ||
        value->type.id == TRIB_TYPE_TIME_TZ || value->type.id == TRIB_TYPE_INTERVAL_DS ||
        value->type.id == TRIB_TYPE_INTERVAL_YM)
        return "SQLite has no such type";
    return NULL;
}

#define VALUE_TEXT (CALENDAR_TEXT_MAX + DECIMAL_TEXT_MAX)

/* Where a value that is bound stays: texts in the batch and in `scratch` are kept by the caller until the statement
 * has been stepped (SQLITE_STATIC), or copied (SQLITE_TRANSIENT). */
typedef struct Binding {
    sqlite3_stmt *stmt;
    int at;
    char *scratch; /* VALUE_TEXT bytes */
    sqlite3_destructor_type keep;
} Binding;

static int bind_bytes(const Binding *to, const char *data, size_t length) {
    return sqlite3_bind_text64(to->stmt, to->at, data ? data : "", length, to->keep, SQLITE_UTF8);
}

static size_t uuid_text(const char *bytes, char out[40]) {
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out[n++] = '-';
        out[n++] = digits[(uint8_t)bytes[i] >> 4];
        out[n++] = digits[(uint8_t)bytes[i] & 15];
    }
    return n;
}

static size_t temporal_text(const TribValue *v, char *text) {
    int p = v->type.precision;
    if (v->type.id == TRIB_TYPE_DATE) return date_format_iso((int32_t)v->as.integer, text);
    if (v->type.id == TRIB_TYPE_TIME) return time_format_iso(v->as.integer, p, text);
    if (p > 6) return timestamp_format_iso(v->as.instant.us, v->as.instant.ns, p, text);
    return timestamp_format_iso(v->as.integer, 0, p, text);
}

static int bind_value(const Binding *to, const TribValue *v) {
    char *text = to->scratch;
    if (v->is_null) return sqlite3_bind_null(to->stmt, to->at);
    switch (v->type.id) {
    case TRIB_TYPE_REAL:
    case TRIB_TYPE_DOUBLE: return sqlite3_bind_double(to->stmt, to->at, v->as.real);
    case TRIB_TYPE_DECIMAL:
        return bind_bytes(
            to, text,
            decimal_format(v->type.precision <= 18 ? (Int128)v->as.integer : v->as.wide,
                           v->type.scale, text));
    case TRIB_TYPE_VARBINARY:
        return sqlite3_bind_blob64(to->stmt, to->at, v->as.text.data ? v->as.text.data : "",
                                   v->as.text.length, to->keep);
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_CHAR: return bind_bytes(to, v->as.text.data, v->as.text.length);
    case TRIB_TYPE_UUID: return bind_bytes(to, text, uuid_text(v->as.text.data, text));
    case TRIB_TYPE_DATE:
    case TRIB_TYPE_TIME:
    case TRIB_TYPE_TIMESTAMP: return bind_bytes(to, text, temporal_text(v, text));
    default: return sqlite3_bind_int64(to->stmt, to->at, v->as.integer);
    }
}

static Status refuse_value(const TribCatalog *catalog, const TribColumn *column, const char *why,
                           Error *err) {
    error_set(err, ERR_UNSUPPORTED, "a value of column \"%s\" cannot be stored: %s", column->name,
              why);
    return error_source(err, catalog->name);
}

/* ---------------------------------------------------------------- writers */

/* Texts of days: columns have few of them beside each other. */
#define DAYS_KEPT 64

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
    char *scratch;       /* VALUE_TEXT bytes */
    DayText *days;       /* DAYS_KEPT; of dates and timestamps */
    /* of the batch that is being written */
    const struct ArrowArray *array;
    const uint8_t *valid; /* NULL = all */
    const void *data;
} WriteColumn;

struct TribWriter {
    Arena *arena;
    TribCatalog *catalog;
    TribCall *call;
    TribTx *tx;
    bool own;           /* the transaction */
    sqlite3_stmt *stmt; /* NULL: the table is there already (IF NOT EXISTS) */
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

static Status writer_columns(TribWriter *self, const TribWriteRequest *request, Error *err) {
    uint32_t n = request->ncolumns, k = request->nkeys;
    self->ncolumns = n;
    TRY_ALLOC(self->columns, ARENA_ARRAY(self->arena, WriteColumn, n), err);
    for (uint32_t i = 0; i < n; i++) {
        WriteColumn *out = &self->columns[i];
        TribColumn *column;
        TRY_ALLOC(column, ARENA_NEW(self->arena, TribColumn), err);
        TRY_ALLOC(out->scratch, ARENA_ARRAY(self->arena, char, VALUE_TEXT), err);
        *column = request->table->columns[request->columns[i]];
        bool update = request->kind == TRIB_WRITE_UPDATE;
        TribValue zero = {.type = column->type};
        out->column = column;
        out->place = (int)(!update ? i + 1 : i < k ? n - k + i + 1 : i - k + 1);
        out->refused = lite_storable(column, &zero);
        bool dated = column->type.id == TRIB_TYPE_DATE || column->type.id == TRIB_TYPE_TIMESTAMP;
        if (dated) TRY_ALLOC(out->days, ARENA_ARRAY(self->arena, DayText, DAYS_KEPT), err);
        out->checked = column->type.id == TRIB_TYPE_DOUBLE || column->type.id == TRIB_TYPE_REAL ||
                       digits_at_risk(column);
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
    Buf text;
    bool exists = false;
    buf_init(&text, self->arena, 1000 * 1000);
    TRY(writer_columns(self, request, err));
    write_text(self->catalog, request, &text);
    TRY(buf_status(&text, err));
    if (request->plan_only) {
        if (request->explain.text) request->explain.text(request->explain.self, text.data);
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
    TRY_ALLOC(self->table, arena_strdup(self->arena, request->table->name), err);
    return lite_prepare(self->catalog, self->tx->db, text.data, text.len, &self->stmt, err);
}

static void writer_free(TribWriter *self) {
    sqlite3_finalize(self->stmt);
    if (self->tx) self->tx->db->call = NULL;
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

/* Any value; the frequent types have a shorter way in value_write. */
static Status value_write_slowly(TribWriter *self, const WriteColumn *column, int64_t row,
                                 Error *err) {
    TribValue value;
    if (!row_value(column->array, column->column->type, row, &value))
        return error_set(err, ERR_UNSUPPORTED, "column \"%s\": SQLite has no such type",
                         column->column->name);
    const char *why = value.is_null ? NULL : column->refused;
    if (!why && column->checked) why = lite_storable(column->column, &value);
    if (why) return refuse_value(self->catalog, column->column, why, err);
    Binding to = {self->stmt, column->place, column->scratch, SQLITE_STATIC};
    int rc = bind_value(&to, &value);
    if (rc == SQLITE_OK) return TRIB_OK;
    return lite_error(self->catalog, self->tx->db, rc, "a value was refused", err);
}

/* The text of a day into scratch. */
static size_t day_write(const WriteColumn *column, int64_t day) {
    DayText *kept = &column->days[day & (DAYS_KEPT - 1)];
    if (kept->length && kept->day == day) {
        memcpy(column->scratch, kept->text, kept->length);
        return kept->length;
    }
    size_t length = date_format_iso((int32_t)day, column->scratch);
    if (length <= sizeof kept->text) {
        *kept = (DayText){.day = day, .length = length};
        memcpy(kept->text, column->scratch, length);
    }
    return length;
}

static size_t timestamp_write(const WriteColumn *column, int64_t us) {
    int64_t day = us / US_PER_DAY - (us % US_PER_DAY < 0);
    size_t length = day_write(column, day);
    column->scratch[length++] = ' ';
    return length + time_format_iso((us - day * US_PER_DAY) * 1000, column->column->type.precision,
                                    column->scratch + length);
}

/* Frequent types, not NULL, straight from the batch. false: nothing was bound. */
static inline bool value_write(TribWriter *self, const WriteColumn *column, int64_t row) {
    int64_t at = row + column->array->offset;
    if (column->refused || (column->valid && !(column->valid[at >> 3] >> (at & 7) & 1)))
        return false;
    double number;
    size_t length;
    switch (column->column->type.id) {
    case TRIB_TYPE_INTEGER:
        return sqlite3_bind_int64(self->stmt, column->place, ((const int32_t *)column->data)[at]) ==
               SQLITE_OK;
    case TRIB_TYPE_BIGINT:
        return sqlite3_bind_int64(self->stmt, column->place, ((const int64_t *)column->data)[at]) ==
               SQLITE_OK;
    case TRIB_TYPE_DOUBLE:
        number = ((const double *)column->data)[at];
        return !isnan(number) &&
               sqlite3_bind_double(self->stmt, column->place, number) == SQLITE_OK;
    case TRIB_TYPE_VARCHAR: {
        Str text = row_text(column->array, at);
        return sqlite3_bind_text64(self->stmt, column->place, text.data, text.len, SQLITE_STATIC,
                                   SQLITE_UTF8) == SQLITE_OK;
    }
    case TRIB_TYPE_DATE:
        length = day_write(column, ((const int32_t *)column->data)[at]);
        return sqlite3_bind_text64(self->stmt, column->place, column->scratch, length,
                                   SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK;
    case TRIB_TYPE_TIMESTAMP:
        if (column->column->type.precision > 6) return false;
        length = timestamp_write(column, ((const int64_t *)column->data)[at]);
        return sqlite3_bind_text64(self->stmt, column->place, column->scratch, length,
                                   SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK;
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

/* `row` counts from the beginning of the children. */
static Status row_write(TribWriter *self, int64_t row, Error *err) {
    LiteDb *db = self->tx->db;
    for (uint32_t c = 0; c < self->ncolumns; c++) {
        if (!value_write(self, &self->columns[c], row))
            TRY(value_write_slowly(self, &self->columns[c], row, err));
    }
    int rc = sqlite3_step(self->stmt);
    int reset = sqlite3_reset(self->stmt);
    if (rc != SQLITE_DONE) return lite_error(self->catalog, db, reset, "SQLite refused a row", err);
    bool found = self->kind == TRIB_WRITE_CREATE || self->kind == TRIB_WRITE_INSERT ||
                 sqlite3_changes(db->db) == 1;
    if (!found) return row_gone(self, err);
    self->rows++;
    return TRIB_OK;
}

TribStatus lite_write_batch(TribWriter *self, const TribBatch *batch, TribError *err) {
    if (!self->stmt) return TRIB_OK;
    uint32_t n = batch_rows_count(batch);
    batch_enter(self, &batch->array);
    for (uint32_t i = 0; i < n; i++) {
        TRY(row_write(self, batch_row_at(batch, i) + batch->array.offset, err));
        if (i % 256 == 0) TRY(call_check(self->call, self->catalog->name, err));
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

/* ---------------------------------------------------------------- as a whole */

static Status assigned_bind(TribCatalog *catalog, LiteDb *db, sqlite3_stmt *stmt, int at,
                            const TribColumn *column, const TribValue *value, Error *err) {
    char scratch[VALUE_TEXT];
    const char *why = lite_storable(column, value);
    if (why) return refuse_value(catalog, column, why, err);
    int rc = bind_value(&(Binding){stmt, at, scratch, SQLITE_TRANSIENT}, value);
    return rc == SQLITE_OK ? TRIB_OK : lite_error(catalog, db, rc, "a value was refused", err);
}

static Status change_run(TribCatalog *catalog, LiteDb *db, TribModify *modify,
                         const SqlFragment *statement, Error *err) {
    sqlite3_stmt *stmt;
    bool row;
    TRY(lite_prepare(catalog, db, statement->text, statement->len, &stmt, err));
    Status status = TRIB_OK;
    for (uint32_t i = 0; i < statement->nparams && status == TRIB_OK; i++) {
        const TribValue *value = &statement->params[i].value;
        if (i < modify->nassignments)
            status =
                assigned_bind(catalog, db, stmt, (int)i + 1,
                              &modify->table->columns[modify->assignments[i].column], value, err);
        else
            status = lite_bind_parameter(catalog, db, stmt, (int)i + 1, value, err);
    }
    if (status == TRIB_OK) status = lite_step(catalog, db, stmt, &row, err);
    if (status == TRIB_OK) modify->rows = (uint64_t)sqlite3_changes64(db->db);
    sqlite3_finalize(stmt);
    return status;
}

static Status modify_in(TribCatalog *catalog, TribCall *call, TribModify *modify, Arena *arena,
                        Error *err) {
    SqlFragment statement;
    TRY(sql_change(&lite_dialect, catalog, arena, lite_storable, modify, &modify->verdict,
                   &statement, err));
    if (modify->verdict.kind != TRIB_EXACT) return TRIB_OK;
    if (modify->plan_only) {
        char *text;
        TRY_ALLOC(text, sql_explain(arena, &statement), err);
        if (modify->explain.text) modify->explain.text(modify->explain.self, text);
        return TRIB_OK;
    }
    if (!modify->transaction) {
        LiteDb *db;
        TRY(lite_take(catalog, call, NULL, &db, err));
        Status status = change_run(catalog, db, modify, &statement, err);
        lite_give(catalog, db);
        return status;
    }
    LiteDb *db = modify->transaction->db;
    db->call = call;
    Status status = change_run(catalog, db, modify, &statement, err);
    db->call = NULL;
    return status;
}

TribStatus lite_modify(TribCatalog *catalog, TribCall *call, TribModify *modify, TribError *err) {
    Arena *arena;
    TRY(lite_writable(catalog, err));
    TRY_ALLOC(arena, arena_new(NULL), err);
    Status status = modify_in(catalog, call, modify, arena, err);
    arena_free(arena);
    return status;
}
