/*
 * read.c - one row of a statement into a batch, each value checked against its column's type.
 *
 * A value whose storage class or text does not fit is a mismatch: an error that names table, column,
 * row and value, or NULL with a counted warning (on_mismatch=null). Text that is not UTF-8 is always an
 * error: it is nothing that any type could hold.
 *
 * Values are read through sqlite3_column_value: the connection has no mutex and one user, which makes
 * the value a protected one, and saves a check of the statement per access.
 */
#include "connectors/sqlite/scan.h"

#include <inttypes.h>

#include "engine/base/calendar.h"
#include "engine/base/decimal.h"
#include "engine/base/number.h"

/* ---------------------------------------------------------------- mismatches */

/* The current row, for messages: its rowid stands after the outputs. */
static void detail_row(TribScan *scan, Error *err) {
    if (scan->plan->select.has_extra) {
        error_detail(err, "the row with rowid %lld",
                     (long long)sqlite3_column_int64(scan->stmt, (int)scan->ncolumns));
    } else {
        error_detail(err, "row %" PRIu64 " of the scan", scan->rows + scan->builder->rows + 1);
    }
}

static void value_describe(sqlite3_stmt *stmt, int column, Buf *out) {
    TribValue value = {.is_null = false};
    switch (sqlite3_column_type(stmt, column)) {
    case SQLITE_INTEGER:
        value.type.id = TRIB_TYPE_BIGINT;
        value.as.integer = sqlite3_column_int64(stmt, column);
        buf_text(out, "the integer ");
        break;
    case SQLITE_FLOAT:
        value.type.id = TRIB_TYPE_DOUBLE;
        value.as.real = sqlite3_column_double(stmt, column);
        buf_text(out, "the real ");
        break;
    case SQLITE_BLOB:
        value.type.id = TRIB_TYPE_VARBINARY;
        value.as.text.data = sqlite3_column_blob(stmt, column);
        buf_text(out, "the blob ");
        break;
    default:
        value.type.id = TRIB_TYPE_VARCHAR;
        value.as.text.data = (const char *)sqlite3_column_text(stmt, column);
        buf_text(out, "the text ");
        break;
    }
    if (value.type.id == TRIB_TYPE_VARCHAR || value.type.id == TRIB_TYPE_VARBINARY) {
        if (!value.as.text.data)
            value.as.text.data = "";
        else
            value.as.text.length = (size_t)sqlite3_column_bytes(stmt, column);
    }
    sql_value_text(out, &value);
}

static Status mismatch(TribScan *scan, uint32_t index, uint32_t row, Error *err) {
    LiteColumn *column = &scan->columns[index];
    if (scan->catalog->on_mismatch == MISMATCH_NULL) {
        column->mismatches++;
        batch_set_null(&scan->builder->columns[index], row);
        return TRIB_OK;
    }
    Buf text;
    buf_init(&text, NULL, 4096);
    value_describe(scan->stmt, (int)index, &text);
    buf_char(&text, '\0');
    error_set(err, ERR_MISMATCH, "column \"%s\" of table \"%s\" is declared %s but holds %s",
              column->name, scan->plan->table, column->declared,
              text.data ? text.data : "another type");
    buf_clear(&text);
    detail_row(scan, err);
    error_hint(err, "mend the row, or set the catalog's on_mismatch to null or varchar");
    return error_source(err, scan->catalog->name);
}

static Status bad_encoding(TribScan *scan, uint32_t index, Error *err) {
    error_set(err, ERR_INVALID_ENCODING,
              "column \"%s\" of table \"%s\" holds text that is not valid UTF-8",
              scan->columns[index].name, scan->plan->table);
    detail_row(scan, err);
    return error_source(err, scan->catalog->name);
}

void lite_read_warn(TribScan *scan) {
    if (scan->warned) return;
    scan->warned = true;
    for (uint32_t i = 0; i < scan->ncolumns; i++) {
        if (!scan->columns[i].mismatches) continue;
        call_warn(scan->call,
                  "%" PRIu64
                  " values of column \"%s\" of table \"%s\" are not of the declared type %s and "
                  "were read as NULL",
                  scan->columns[i].mismatches, scan->columns[i].name, scan->plan->table,
                  scan->columns[i].declared);
    }
}

/* ---------------------------------------------------------------- kinds */

/* The text of the current value; false: out of memory. The type was TEXT (or BLOB: its bytes). */
static bool cell_text(TribScan *scan, int storage, Str *out) {
    out->data = storage == SQLITE_BLOB ? sqlite3_value_blob(scan->value)
                                       : (const char *)sqlite3_value_text(scan->value);
    out->len = (size_t)sqlite3_value_bytes(scan->value);
    if (out->data) return true;
    out->data = "";
    return out->len == 0 && sqlite3_errcode(sqlite3_db_handle(scan->stmt)) != SQLITE_NOMEM;
}

static Status read_text(TribScan *scan, uint32_t index, uint32_t row, int storage, Error *err) {
    BatchColumn *column = &scan->builder->columns[index];
    Str text;
    if (storage != SQLITE_TEXT) return mismatch(scan, index, row, err);
    if (!cell_text(scan, storage, &text)) return error_out_of_memory(err);
    if (!utf8_valid(text.data, text.len)) return bad_encoding(scan, index, err);
    uint32_t most = column->type.length;
    bool padded = column->type.id == TRIB_TYPE_CHAR && text.len && text.data[text.len - 1] == ' ';
    if (padded) return mismatch(scan, index, row, err); /* its CHECK was evaded */
    if (most && text.len > most && utf8_length(text.data, text.len) > most)
        return mismatch(scan, index, row, err);
    return batch_text(scan->builder, column, row, text.data, text.len, err);
}

static Status read_hex(TribScan *scan, uint32_t index, uint32_t row, Error *err) {
    static const char hex[] = "0123456789ABCDEF";
    BatchColumn *column = &scan->builder->columns[index];
    Str bytes;
    if (!cell_text(scan, SQLITE_BLOB, &bytes)) return error_out_of_memory(err);
    char *room = batch_text_room(scan->builder, column, row, bytes.len * 2 + 3, err);
    if (!room) return err->status;
    char *at = room;
    *at++ = 'X';
    *at++ = '\'';
    for (size_t i = 0; i < bytes.len; i++) {
        *at++ = hex[(unsigned char)bytes.data[i] >> 4];
        *at++ = hex[(unsigned char)bytes.data[i] & 15];
    }
    *at = '\'';
    batch_text_done(column, row, room);
    return TRIB_OK;
}

static Status read_any(TribScan *scan, uint32_t index, uint32_t row, int storage, Error *err) {
    BatchColumn *column = &scan->builder->columns[index];
    char number[NUMBER_TEXT_MAX];
    size_t length;
    if (storage == SQLITE_TEXT) return read_text(scan, index, row, storage, err);
    if (storage == SQLITE_BLOB) {
        if (scan->catalog->on_mismatch != MISMATCH_VARCHAR) return mismatch(scan, index, row, err);
        return read_hex(scan, index, row, err);
    }
    if (storage == SQLITE_INTEGER)
        length = int64_format(sqlite3_value_int64(scan->value), number);
    else
        length = double_format(sqlite3_value_double(scan->value), number);
    return batch_text(scan->builder, column, row, number, length, err);
}

static Status read_integer(TribScan *scan, uint32_t index, uint32_t row, int storage, Error *err) {
    BatchColumn *column = &scan->builder->columns[index];
    if (storage != SQLITE_INTEGER) return mismatch(scan, index, row, err);
    int64_t value = sqlite3_value_int64(scan->value);
    switch (column->layout) {
    case BATCH_INT64: batch_set_int64(column, row, value); return TRIB_OK;
    /* A CHECK proves that it fits, unless somebody has switched CHECKs off. */
    case BATCH_INT32:
        if (value != (int32_t)value) return mismatch(scan, index, row, err);
        batch_set_int32(column, row, (int32_t)value);
        return TRIB_OK;
    case BATCH_INT16:
        if (value != (int16_t)value) return mismatch(scan, index, row, err);
        batch_set_int16(column, row, (int16_t)value);
        return TRIB_OK;
    default:
        if (value != (int8_t)value) return mismatch(scan, index, row, err);
        batch_set_int8(column, row, (int8_t)value);
        return TRIB_OK;
    }
}

static Status read_blob(TribScan *scan, uint32_t index, uint32_t row, int storage, Error *err) {
    Str bytes;
    if (storage != SQLITE_BLOB) return mismatch(scan, index, row, err);
    if (!cell_text(scan, storage, &bytes)) return error_out_of_memory(err);
    return batch_text(scan->builder, &scan->builder->columns[index], row, bytes.data, bytes.len,
                      err);
}

static Status read_real(TribScan *scan, uint32_t index, uint32_t row, int storage, Error *err) {
    double value;
    if (storage == SQLITE_FLOAT) {
        value = sqlite3_value_double(scan->value);
    } else if (storage == SQLITE_INTEGER) {
        int64_t integer = sqlite3_value_int64(scan->value);
        value = (double)integer;
        /* 2^63 itself is no int64: the largest double below it is the last that can be cast back. */
        if (value >= 9223372036854775808.0 || (int64_t)value != integer)
            return mismatch(scan, index, row, err);
    } else {
        return mismatch(scan, index, row, err);
    }
    batch_set_double(&scan->builder->columns[index], row, value);
    return TRIB_OK;
}

/* Text of a number, with nothing but zeros beyond the scale. */
static bool text_to_decimal(Str text, TribType type, Int128 *out) {
    const char *point = memchr(text.data, '.', text.len);
    if (memchr(text.data, 'e', text.len) || memchr(text.data, 'E', text.len)) return false;
    for (const char *c = point ? point + 1 + type.scale : NULL; c && c < text.data + text.len;
         c++) {
        if (*c != '0') return false;
    }
    return decimal_parse(text, type.precision, type.scale, out) == DECIMAL_OK;
}

static Status read_decimal(TribScan *scan, uint32_t index, uint32_t row, int storage, Error *err) {
    BatchColumn *column = &scan->builder->columns[index];
    TribType type = column->type;
    Int128 value = 0;
    bool good = false;
    if (storage == SQLITE_INTEGER) {
        int64_t integer = sqlite3_value_int64(scan->value);
        good = decimal_rescale(integer, 0, type.scale, &value) == DECIMAL_OK &&
               decimal_fits(value, type.precision);
    } else if (storage == SQLITE_FLOAT) {
        good = lite_real_to_decimal(sqlite3_value_double(scan->value), type, &value);
    } else if (storage == SQLITE_TEXT) {
        Str text;
        if (!cell_text(scan, storage, &text)) return error_out_of_memory(err);
        good = text_to_decimal(text, type, &value);
    }
    if (!good) return mismatch(scan, index, row, err);
    if (column->layout == BATCH_INT64)
        batch_set_int64(column, row, (int64_t)value);
    else
        batch_set_int128(column, row, value);
    return TRIB_OK;
}

/* A timestamp with its zone; the zone's id is the host's. */
static bool text_to_zoned(const TribScan *scan, Str text, int precision, int64_t *utc, int32_t *ns,
                          int16_t *zone) {
    int16_t local;
    int64_t us;
    if (text.len < 10 || text.data[0] == ' ' || text.data[text.len - 1] == ' ') return false;
    if (!timestamp_parse(text, 9, &us, ns, &local) || local < 0) return false;
    int64_t step = 1;
    for (int i = precision; i < 9; i++) step *= 10;
    if (((us % US_PER_SECOND + US_PER_SECOND) % US_PER_SECOND * 1000 + *ns) % step != 0)
        return false;
    const char *name = zone_name(local);
    *utc = zone_local_to_utc(local, us);
    const TribHost *host = scan->catalog->host;
    *zone = host && host->zone_id && name ? host->zone_id(host->self, name, strlen(name)) : local;
    return *zone >= 0;
}

static Status read_temporal(TribScan *scan, uint32_t index, uint32_t row, int storage, Error *err) {
    BatchColumn *column = &scan->builder->columns[index];
    int precision = column->type.precision;
    int64_t us = 0, time = 0;
    int32_t days = 0, ns = 0;
    int16_t zone = 0;
    bool good = false;
    Str text;
    if (storage != SQLITE_TEXT) return mismatch(scan, index, row, err);
    if (!cell_text(scan, storage, &text)) return error_out_of_memory(err);
    switch (scan->columns[index].kind) {
    case KIND_DATE:
        if ((good = lite_parse_date(text, &days))) batch_set_int32(column, row, days);
        break;
    case KIND_TIME:
        if ((good = lite_parse_time(text, precision, &time))) batch_set_int64(column, row, time);
        break;
    case KIND_TIMESTAMP:
        if (!(good = lite_parse_timestamp(text, precision, &us, &ns))) break;
        if (column->layout == BATCH_INT64)
            batch_set_int64(column, row, us);
        else
            batch_set_timestamp_ns(column, row, us, ns);
        break;
    default:
        if (!(good = text_to_zoned(scan, text, precision, &us, &ns, &zone))) break;
        batch_set_timestamp_zone(column, row, us, zone, (int16_t)ns);
        break;
    }
    return good ? TRIB_OK : mismatch(scan, index, row, err);
}

static Status read_uuid(TribScan *scan, uint32_t index, uint32_t row, int storage, Error *err) {
    uint8_t bytes[16];
    Str text = {"", 0};
    if (storage != SQLITE_TEXT && storage != SQLITE_BLOB) return mismatch(scan, index, row, err);
    if (!cell_text(scan, storage, &text)) return error_out_of_memory(err);
    if (storage == SQLITE_BLOB && text.len == 16)
        memcpy(bytes, text.data, 16);
    else if (storage == SQLITE_BLOB || !lite_parse_uuid(text, bytes))
        return mismatch(scan, index, row, err);
    batch_set_fixed16(&scan->builder->columns[index], row, bytes);
    return TRIB_OK;
}

static Status read_boolean(TribScan *scan, uint32_t index, uint32_t row, int storage, Error *err) {
    int64_t value = storage == SQLITE_INTEGER ? sqlite3_value_int64(scan->value) : -1;
    if (value != 0 && value != 1) return mismatch(scan, index, row, err);
    batch_set_bool(&scan->builder->columns[index], row, value != 0);
    return TRIB_OK;
}

static Status read_cell(TribScan *scan, uint32_t index, uint32_t row, int storage, Error *err) {
    switch (scan->columns[index].kind) {
    case KIND_INTEGER: return read_integer(scan, index, row, storage, err);
    case KIND_TEXT: return read_text(scan, index, row, storage, err);
    case KIND_REAL: return read_real(scan, index, row, storage, err);
    case KIND_DECIMAL: return read_decimal(scan, index, row, storage, err);
    case KIND_ANY: return read_any(scan, index, row, storage, err);
    case KIND_BLOB: return read_blob(scan, index, row, storage, err);
    case KIND_BOOLEAN: return read_boolean(scan, index, row, storage, err);
    case KIND_UUID: return read_uuid(scan, index, row, storage, err);
    case KIND_DATE:
    case KIND_TIME:
    case KIND_TIMESTAMP:
    case KIND_ZONED: return read_temporal(scan, index, row, storage, err);
    }
    return error_set(err, ERR_GENERAL, "a column of the scan has no kind");
}

Status lite_read_row(TribScan *scan, Error *err) {
    uint32_t row = scan->builder->rows;
    for (uint32_t i = 0; i < scan->ncolumns; i++) {
        scan->value = sqlite3_column_value(scan->stmt, (int)i);
        int storage = sqlite3_value_type(scan->value);
        if (storage == SQLITE_NULL)
            batch_set_null(&scan->builder->columns[i], row);
        else
            TRY(read_cell(scan, i, row, storage, err));
    }
    batch_row_done(scan->builder);
    return TRIB_OK;
}
