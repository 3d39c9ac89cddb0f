/*
 * write.c - changes of an SQLite file: transactions, what can be stored and how, UPDATE and DELETE as a whole.
 *
 * A transaction is one connection of the pool with BEGIN IMMEDIATE: who writes holds the lock from the start,
 * so that what it reads is what it changes. Values are bound so that they are read back as they were: decimals,
 * dates and times as text (the column's affinity turns a decimal into a number only where that loses nothing),
 * booleans as 0 and 1. Rows are written by writer.c.
 *
 * Threads: one at a time per transaction.
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

bool lite_digits_at_risk(const TribColumn *column) {
    return column->type.id == TRIB_TYPE_DECIMAL && column->type.precision > 15 &&
           column->remote_type && !strstr(column->remote_type, "TEXT");
}

const char *lite_storable(const TribColumn *column, const TribValue *value) {
    LiteFacts facts = lite_facts(column->facts);
    if (value->is_null) return NULL;
    if ((value->type.id == TRIB_TYPE_DOUBLE || value->type.id == TRIB_TYPE_REAL) &&
        isnan(value->as.real))
        return "SQLite stores no NaN";
    if (value->type.id == TRIB_TYPE_DECIMAL && lite_digits_at_risk(column) && !number_kept(value))
        return "SQLite would keep 15 digits of it";
    if (facts.kind == KIND_ANY && column->remote_type && *column->remote_type)
        return "SQLite would store a text of digits in this column as a number";
    if (value->type.fields || value->type.id == TRIB_TYPE_TIMESTAMP_TZ ||
        value->type.id == TRIB_TYPE_TIME_TZ || value->type.id == TRIB_TYPE_INTERVAL_DS ||
        value->type.id == TRIB_TYPE_INTERVAL_YM)
        return "SQLite has no such type";
    return NULL;
}

static int bind_bytes(const LiteBinding *to, const char *data, size_t length) {
    return sqlite3_bind_text64(to->stmt, to->at, data ? data : "", length, to->keep, SQLITE_UTF8);
}

void lite_unpad(TribValue *value) {
    if (value->is_null) return;
    while (value->as.text.length > 0 && value->as.text.data[value->as.text.length - 1] == ' ')
        value->as.text.length--;
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

int lite_bind_value(const LiteBinding *to, const TribValue *v) {
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
    case TRIB_TYPE_VARCHAR: return bind_bytes(to, v->as.text.data, v->as.text.length);
    case TRIB_TYPE_CHAR: {
        TribValue unpadded = *v;
        lite_unpad(&unpadded);
        return bind_bytes(to, unpadded.as.text.data, unpadded.as.text.length);
    }
    case TRIB_TYPE_UUID: return bind_bytes(to, text, uuid_text(v->as.text.data, text));
    case TRIB_TYPE_DATE:
    case TRIB_TYPE_TIME:
    case TRIB_TYPE_TIMESTAMP: return bind_bytes(to, text, temporal_text(v, text));
    default: return sqlite3_bind_int64(to->stmt, to->at, v->as.integer);
    }
}

Status lite_refuse_value(const TribCatalog *catalog, const TribColumn *column, const char *why,
                         Error *err) {
    error_set(err, ERR_UNSUPPORTED, "a value of column \"%s\" cannot be stored: %s", column->name,
              why);
    return error_source(err, catalog->name);
}

/* ---------------------------------------------------------------- as a whole */

static Status assigned_bind(TribCatalog *catalog, LiteDb *db, sqlite3_stmt *stmt, int at,
                            const TribColumn *column, const TribValue *value, Error *err) {
    char scratch[LITE_VALUE_TEXT];
    const char *why = lite_storable(column, value);
    if (why) return lite_refuse_value(catalog, column, why, err);
    TribValue stored = *value;
    if (column->type.id == TRIB_TYPE_CHAR && value->type.id == TRIB_TYPE_VARCHAR)
        stored.type = column->type;
    int rc = lite_bind_value(&(LiteBinding){stmt, at, scratch, SQLITE_TRANSIENT}, &stored);
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
    if (status == TRIB_OK) {
        status = lite_step(catalog, db, stmt, &row, err);
        for (uint32_t i = 0; status != TRIB_OK && i < modify->nassignments; i++)
            lite_bounds_tell(db, &modify->table->columns[modify->assignments[i].column],
                             &statement->params[i].value, err);
    }
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
