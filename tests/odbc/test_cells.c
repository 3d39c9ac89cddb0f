/*
 * test_cells.c - conversions from SQL to C over the real engine: every cell of cells.def, by SQLGetData
 * whole and in parts, by bound columns column-wise and row-wise, through both twins, in every locale.
 *
 * All cells of a value are columns of one query. A block has the value, NULL and the value again: the
 * strides and the rows behind an error are checked with each cell.
 */
#include "tests/odbc/cvalue.h"
#include "tests/odbc/each.h"

#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#define ROOM  256 /* of a buffer that is large enough */
#define GUARD 0xA5
#define ROWS  3

typedef struct Row {
    const char *type, *sql; /* of a value; NULL: a cell of the value before it */
    SQLSMALLINT ctype;
    int buffer;
    const char *data;
    long total; /* -1: the length of the data */
    const char *state;
} Row;

static const Row rows[] = {
#define VALUE(type, expression)         {type, expression, 0, 0, NULL, 0, ""},
#define OK_(ctype, data)                {NULL, NULL, ctype, 0, data, -1, ""},
#define FITS(ctype, buffer, data)       {NULL, NULL, ctype, buffer, data, -1, ""},
#define CUT(ctype, buffer, data, total) {NULL, NULL, ctype, buffer, data, total, "01004"},
#define DROP(ctype, data)               {NULL, NULL, ctype, 0, data, -1, "01S07"},
#define FAIL(ctype, buffer, state)      {NULL, NULL, ctype, buffer, NULL, 0, state},
#include "tests/odbc/cells.def"
};
#define NROWS (sizeof rows / sizeof *rows)

/* What a cell must give, encoded before any locale is set. */
typedef struct Expected {
    unsigned char data[ROOM];
    size_t bytes, terminator;
    SQLLEN length, capacity;
    bool fails;
} Expected;

static Expected expected[NROWS];
static Odbc odbc;
static char connection[600];
static const char *place = ""; /* locale and twin, for messages */

static int load(void **state) {
    snprintf(connection, sizeof connection, "ConnectorPath=%s;Metastore=:memory:;TimeZone=UTC",
             CONNECTOR_PATH);
    odbc_load(&odbc, REAL_DRIVER);
    return 0;
}

static void expect(void) {
    for (size_t i = 0; i < NROWS; i++) {
        const Row *row = &rows[i];
        Expected *out = &expected[i];
        if (row->sql) continue;
        size_t size = cvalue_size(row->ctype);
        out->fails = !row->data;
        out->capacity = row->buffer ? row->buffer : size ? (SQLLEN)size : ROOM;
        out->terminator = row->ctype == SQL_C_CHAR ? 1 : row->ctype == SQL_C_WCHAR ? 2 : 0;
        if (out->fails) continue;
        out->bytes = cvalue_encode(row->ctype, row->data, out->data);
        out->length = row->total < 0 ? (SQLLEN)out->bytes : row->total;
    }
}

static size_t value_end(size_t value) {
    size_t end = value + 1;
    while (end < NROWS && !rows[end].sql) end++;
    return end;
}

static void cell_failed(size_t value, size_t cell, const char *how, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void cell_failed(size_t value, size_t cell, const char *how, const char *format, ...) {
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fail_msg("%s, %s: %s as %s in %ld bytes: %s", place, how, rows[value].sql,
             cvalue_type_name(rows[cell].ctype), (long)expected[cell].capacity, text);
}

/* One cell's buffer: data, length, nothing written behind the buffer. */
static void check_data(size_t value, size_t cell, const char *how, const unsigned char *data,
                       SQLLEN length) {
    const Expected *want = &expected[cell];
    if (length != want->length)
        cell_failed(value, cell, how, "length %ld instead of %ld", (long)length,
                    (long)want->length);
    if (memcmp(data, want->data, want->bytes) != 0)
        cell_failed(value, cell, how, "other bytes than %s", rows[cell].data);
    for (size_t i = 0; i < want->terminator; i++)
        if (data[want->bytes + i] != 0) cell_failed(value, cell, how, "no terminator");
    if (data[want->capacity] != GUARD) cell_failed(value, cell, how, "written behind the buffer");
}

/* ---- running the query of a value through either twin */

static void execute(Link *link, bool wide_calls, const char *sql) {
    static SQLWCHAR units[20000];
    SQLRETURN result;
    if (wide_calls) {
        units[utf16_encode(sql, units)] = 0;
        result = odbc.SQLExecDirectW(link->stmt, units, SQL_NTS);
    } else {
        result = run(link, sql);
    }
    if (result != SQL_SUCCESS)
        fail_msg("%s: %s %s", sql, diag_of(&odbc, SQL_HANDLE_STMT, link->stmt), diag_message());
}

/* The value as many times as there are cells; in three rows: it, NULL, and it again. */
static void execute_value(Link *link, bool wide_calls, size_t value, size_t columns, bool block) {
    static char sql[20000];
    size_t n = (size_t)snprintf(sql, sizeof sql, "SELECT x");
    for (size_t i = 1; i < columns; i++) n += (size_t)snprintf(sql + n, sizeof sql - n, ", x");
    const char *e = rows[value].sql;
    if (block)
        snprintf(sql + n, sizeof sql - n, " FROM (VALUES (%s), (NULL), (%s)) AS t (x)", e, e);
    else
        snprintf(sql + n, sizeof sql - n, " FROM (VALUES (%s)) AS t (x)", e);
    execute(link, wide_calls, sql);
}

/* ---- SQLGetData, whole */

static void by_getdata(Link *link, bool wide_calls, size_t value) {
    size_t end = value_end(value);
    execute_value(link, wide_calls, value, end - value - 1, false);
    OK(odbc.SQLFetch(link->stmt));
    for (size_t cell = end - 1; cell > value; cell--) {
        unsigned char data[ROOM + 1];
        SQLLEN length = -99;
        const Expected *want = &expected[cell];
        memset(data, GUARD, sizeof data);
        SQLRETURN result = odbc.SQLGetData(link->stmt, (SQLUSMALLINT)(cell - value),
                                           rows[cell].ctype, data, want->capacity, &length);
        const char *state =
            result == SQL_SUCCESS ? "" : diag_of(&odbc, SQL_HANDLE_STMT, link->stmt);
        if (strcmp(state, rows[cell].state) != 0)
            cell_failed(value, cell, "SQLGetData", "'%s' instead of '%s'", state, rows[cell].state);
        if (!want->fails) check_data(value, cell, "SQLGetData", data, length);
    }
    close_cursor(link);
}

/* ---- SQLGetData, in parts of every size */

static bool goes_in_parts(size_t value, size_t cell) {
    static const char *const types[] = {"varchar", "char", "varbinary", "json",
                                        "array",   "map",  "row"};
    if (cvalue_size(rows[cell].ctype) || rows[cell].state[0]) return false;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(rows[value].type, types[i]) == 0) return true;
    return false;
}

/* Units of the value that a part of `room` bytes brings. */
static size_t part_bytes(size_t value, size_t cell, size_t room) {
    bool hex = strcmp(rows[value].type, "varbinary") == 0;
    size_t unit = rows[cell].ctype == SQL_C_WCHAR ? 2 : 1;
    if (rows[cell].ctype == SQL_C_BINARY) return room;
    size_t units = room / unit - 1;
    if (hex && units > 1) units -= units % 2;
    return units * unit;
}

static void take_parts(Link *link, size_t value, size_t cell, size_t room) {
    const Expected *want = &expected[cell];
    size_t have = 0, each = part_bytes(value, cell, room);
    for (;;) {
        unsigned char part[ROOM + 1];
        SQLLEN length = -99;
        memset(part, GUARD, sizeof part);
        SQLRETURN result =
            odbc.SQLGetData(link->stmt, 1, rows[cell].ctype, part, (SQLLEN)room, &length);
        size_t left = want->bytes - have, n = left < each ? left : each;
        if (length != (SQLLEN)left)
            cell_failed(value, cell, "parts", "%ld to come instead of %zu", (long)length, left);
        if (memcmp(part, want->data + have, n) != 0)
            cell_failed(value, cell, "parts", "other bytes at %zu", have);
        for (size_t i = 0; i < want->terminator; i++)
            if (part[n + i] != 0) cell_failed(value, cell, "parts", "no terminator at %zu", have);
        if (part[room] != GUARD) cell_failed(value, cell, "parts", "written behind the buffer");
        have += n;
        if (have == want->bytes) {
            if (result != SQL_SUCCESS) cell_failed(value, cell, "parts", "no end at %zu", have);
            break;
        }
        if (result != SQL_SUCCESS_WITH_INFO ||
            strcmp(diag_of(&odbc, SQL_HANDLE_STMT, link->stmt), "01004") != 0)
            cell_failed(value, cell, "parts", "%d instead of 01004 at %zu", result, have);
    }
    if (odbc.SQLGetData(link->stmt, 1, rows[cell].ctype, (char[8]){0}, 8, NULL) != SQL_NO_DATA)
        cell_failed(value, cell, "parts", "no SQL_NO_DATA behind the last part");
}

static void by_parts(Link *link, bool wide_calls, size_t value) {
    for (size_t cell = value + 1; cell < value_end(value); cell++) {
        if (!goes_in_parts(value, cell)) continue;
        for (size_t room = 4; room <= 21; room++) {
            execute_value(link, wide_calls, value, 1, false);
            OK(odbc.SQLFetch(link->stmt));
            take_parts(link, value, cell, room);
            close_cursor(link);
        }
    }
}

/* ---- bound columns */

typedef struct Bound {
    unsigned char *data;
    SQLLEN *lengths;
    size_t stride, length_stride;
    char states[ROWS][6];
} Bound;

static void block_begin(Link *link, SQLULEN bind_type, SQLUSMALLINT *status) {
    OK(odbc.SQLSetStmtAttr(link->stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)ROWS, 0));
    OK(odbc.SQLSetStmtAttr(link->stmt, SQL_ATTR_ROW_STATUS_PTR, status, 0));
    OK(odbc.SQLSetStmtAttr(link->stmt, SQL_ATTR_ROW_BIND_TYPE, (SQLPOINTER)bind_type, 0));
}

static void block_end(Link *link) {
    close_cursor(link);
    OK(odbc.SQLFreeStmt(link->stmt, SQL_UNBIND));
    OK(odbc.SQLSetStmtAttr(link->stmt, SQL_ATTR_ROW_BIND_TYPE, (SQLPOINTER)SQL_BIND_BY_COLUMN, 0));
    OK(odbc.SQLSetStmtAttr(link->stmt, SQL_ATTR_ROW_STATUS_PTR, NULL, 0));
    OK(odbc.SQLSetStmtAttr(link->stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)1, 0));
}

/* The states of a block's cells by row and column. */
static void states_read(Link *link, Bound *bound, size_t columns) {
    SQLINTEGER records = 0;
    OK(odbc.SQLGetDiagField(SQL_HANDLE_STMT, link->stmt, 0, SQL_DIAG_NUMBER, &records, 0, NULL));
    for (SQLSMALLINT i = 1; i <= records; i++) {
        char state[6];
        SQLLEN row = 0;
        SQLINTEGER column = 0;
        OK(odbc.SQLGetDiagRec(SQL_HANDLE_STMT, link->stmt, i, (SQLCHAR *)state, NULL, NULL, 0,
                              NULL));
        OK(odbc.SQLGetDiagField(SQL_HANDLE_STMT, link->stmt, i, SQL_DIAG_ROW_NUMBER, &row, 0,
                                NULL));
        OK(odbc.SQLGetDiagField(SQL_HANDLE_STMT, link->stmt, i, SQL_DIAG_COLUMN_NUMBER, &column, 0,
                                NULL));
        assert_in_range(row, 1, ROWS);
        assert_in_range(column, 1, columns);
        memcpy(bound[column - 1].states[row - 1], state, 6);
    }
}

static void check_block(size_t value, size_t cell, const char *how, const Bound *bound) {
    const Expected *want = &expected[cell];
    for (int row = 0; row < ROWS; row++) {
        SQLLEN length;
        memcpy(&length, (const char *)bound->lengths + (size_t)row * bound->length_stride,
               sizeof length);
        const char *state = row == 1 ? "" : rows[cell].state;
        if (strcmp(bound->states[row], state) != 0)
            cell_failed(value, cell, how, "'%s' instead of '%s' in row %d", bound->states[row],
                        state, row);
        if (row == 1) {
            if (length != SQL_NULL_DATA) cell_failed(value, cell, how, "NULL is %ld", (long)length);
            continue;
        }
        if (want->fails) continue;
        unsigned char data[ROOM + 1];
        memcpy(data, bound->data + (size_t)row * bound->stride, (size_t)want->capacity);
        data[want->capacity] = GUARD;
        if (row == ROWS - 1)
            data[want->capacity] = bound->data[(ROWS - 1) * bound->stride + (size_t)want->capacity];
        check_data(value, cell, how, data, length);
    }
}

/* A conversion that does not exist fails the call, so that its column is fetched alone. */
static void by_alone(Link *link, bool wide_calls, size_t value, size_t cell) {
    unsigned char data[ROOM];
    SQLLEN length;
    execute_value(link, wide_calls, value, 1, false);
    SQLRETURN result = odbc.SQLBindCol(link->stmt, 1, rows[cell].ctype, data, ROOM, &length);
    if (result == SQL_SUCCESS) result = odbc.SQLFetch(link->stmt);
    if (result != SQL_ERROR || strcmp(diag_of(&odbc, SQL_HANDLE_STMT, link->stmt), "07006") != 0)
        cell_failed(value, cell, "bound", "%d instead of 07006", result);
    block_end(link);
}

/* A place in the row of a row-wise binding: odd, so that nothing is aligned. */
#define CELL_STRIDE (ROOM + 1 + sizeof(SQLLEN))

static void by_block(Link *link, bool wide_calls, size_t value, bool by_row) {
    static unsigned char memory[200 * ROWS * CELL_STRIDE];
    static Bound bound[200];
    SQLUSMALLINT status[ROWS];
    size_t end = value_end(value), columns = end - value - 1;
    assert_in_range(columns, 1, 200);
    memset(memory, GUARD, sizeof memory);
    memset(bound, 0, sizeof bound);
    block_begin(link, by_row ? columns * CELL_STRIDE : SQL_BIND_BY_COLUMN, status);
    for (size_t c = 0; c < columns; c++) {
        size_t cell = value + 1 + c, size = cvalue_size(rows[cell].ctype);
        unsigned char *at = memory + (by_row ? 1 : ROWS) * c * CELL_STRIDE;
        bound[c].lengths = (SQLLEN *)(void *)at;
        bound[c].data = at + (by_row ? 1 : ROWS) * sizeof(SQLLEN);
        bound[c].stride = by_row ? columns * CELL_STRIDE
                          : size ? size
                                 : (size_t)expected[cell].capacity;
        bound[c].length_stride = by_row ? columns * CELL_STRIDE : sizeof(SQLLEN);
        if (strcmp(rows[cell].state, "07006") == 0) continue;
        OK(odbc.SQLBindCol(link->stmt, (SQLUSMALLINT)(c + 1), rows[cell].ctype, bound[c].data,
                           expected[cell].capacity, bound[c].lengths));
    }
    execute_value(link, wide_calls, value, columns, true);
    (void)odbc.SQLFetch(link->stmt);
    states_read(link, bound, columns);
    for (size_t c = 0; c < columns; c++)
        if (strcmp(rows[value + 1 + c].state, "07006") != 0)
            check_block(value, value + 1 + c, by_row ? "by row" : "by column", &bound[c]);
    block_end(link);
    for (size_t c = 0; c < columns && !by_row; c++)
        if (strcmp(rows[value + 1 + c].state, "07006") == 0)
            by_alone(link, wide_calls, value, value + 1 + c);
}

/* ---- the tests */

static void all_cells(bool wide_calls) {
    Link link;
    expect(); /* again: "today" */
    link_open(&link, &odbc, SQL_OV_ODBC3, connection, wide_calls);
    for (size_t value = 0; value < NROWS; value = value_end(value)) {
        by_getdata(&link, wide_calls, value);
        by_block(&link, wide_calls, value, false);
        by_block(&link, wide_calls, value, true);
        by_parts(&link, wide_calls, value);
    }
    link_close(&link);
}

static void narrow(void **state) {
    place = "ANSI";
    all_cells(false);
}

static void wide_twin(void **state) {
    place = "Unicode";
    all_cells(true);
}

static void locales(void **state) {
    static const char *const names[] = {"C", "de_DE.UTF-8", "de_DE.ISO-8859-1", "tr_TR.UTF-8"};
    unsigned found = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        expect();
        if (!setlocale(LC_ALL, names[i])) continue;
        found++;
        place = names[i];
        setlocale(LC_NUMERIC, "C"); /* for the expectations only */
        expect();
        setlocale(LC_ALL, names[i]);
        for (int twin = 0; twin < 2; twin++) {
            Link link;
            link_open(&link, &odbc, SQL_OV_ODBC3, connection, twin == 1);
            for (size_t value = 0; value < NROWS; value = value_end(value)) {
                by_getdata(&link, twin == 1, value);
                by_block(&link, twin == 1, value, false);
                by_block(&link, twin == 1, value, true);
            }
            link_close(&link);
        }
        setlocale(LC_ALL, "C");
    }
    assert_in_range(found, 1, 4);
}

/* ---- what descriptors say: precision, scale, leading digits; SQL_ARD_TYPE and SQL_C_DEFAULT */

static const struct {
    const char *sql;
    SQLSMALLINT ctype;
    int precision, scale, leading; /* -1: not set */
    const char *data, *state;
} described[] = {
    {"CAST(1299.99 AS decimal(10,2))", SQL_C_NUMERIC, 9, 1, -1, "9 1 + 12999", "01S07"},
    {"CAST(1299.99 AS decimal(10,2))", SQL_C_NUMERIC, 10, 4, -1, "10 4 + 12999900", ""},
    {"CAST(1299.99 AS decimal(10,2))", SQL_C_NUMERIC, 3, 0, -1, NULL, "22003"},
    {"CAST(-1299.99 AS decimal(10,2))", SQL_C_NUMERIC, 4, 0, -1, "4 0 - 1299", "01S07"},
    {"2.5E0", SQL_C_NUMERIC, 5, 2, -1, "5 2 + 250", ""},
    {"'12.345'", SQL_C_NUMERIC, 5, 2, -1, "5 2 + 1234", "01S07"},
    {"INTEGER '7'", SQL_C_NUMERIC, 5, 2, -1, "5 2 + 700", ""},
    {"INTERVAL '123' DAY", SQL_C_INTERVAL_DAY, -1, -1, 2, NULL, "22015"},
    {"INTERVAL '123' DAY", SQL_C_INTERVAL_DAY, -1, -1, 3, "+ 123 0 0 0 0", ""},
    {"INTERVAL '5 03:00:00' DAY TO SECOND", SQL_C_INTERVAL_HOUR, -1, -1, 2, NULL, "22015"},
    {"INTERVAL '12-3' YEAR TO MONTH", SQL_C_INTERVAL_YEAR_TO_MONTH, -1, -1, 1, NULL, "22015"},
    {"INTERVAL '12-3' YEAR TO MONTH", SQL_C_INTERVAL_MONTH, -1, -1, 3, "+ 0 147", ""},
    {"'100'", SQL_C_INTERVAL_DAY, -1, -1, 2, NULL, "22015"},
    {"INTEGER '100'", SQL_C_INTERVAL_DAY, -1, -1, 2, NULL, "22015"},
    {"INTERVAL '1.123456' SECOND", SQL_C_INTERVAL_SECOND, 3, -1, -1, "+ 0 0 0 1 123", "01S07"},
    {"INTERVAL '1.5' SECOND", SQL_C_INTERVAL_SECOND, 9, -1, -1, "+ 0 0 0 1 500000000", ""},
    {"TIMESTAMP '2024-01-15 10:34:56.789012'", SQL_C_TYPE_TIMESTAMP, 3, -1, -1,
     "2024-01-15 10:34:56 789000000", "01S07"},
    {"TIMESTAMP '2024-01-15 10:34:56.789'", SQL_C_TYPE_TIMESTAMP, 3, -1, -1,
     "2024-01-15 10:34:56 789000000", ""},
};

static void set_field(SQLHDESC ard, SQLSMALLINT field, int value) {
    if (value >= 0) OK(odbc.SQLSetDescField(ard, 1, field, (SQLPOINTER)(intptr_t)value, 0));
}

static void descriptors(void **state) {
    Link link;
    SQLHDESC ard;
    link_open(&link, &odbc, SQL_OV_ODBC3, connection, false);
    OK(odbc.SQLGetStmtAttr(link.stmt, SQL_ATTR_APP_ROW_DESC, &ard, 0, NULL));
    for (size_t i = 0; i < sizeof described / sizeof *described; i++) {
        unsigned char data[64], want[64];
        SQLLEN length;
        char sql[200];
        snprintf(sql, sizeof sql, "SELECT %s", described[i].sql);
        for (int bound = 0; bound < 2; bound++) {
            OK(odbc.SQLSetDescField(ard, 1, SQL_DESC_CONCISE_TYPE,
                                    (SQLPOINTER)(intptr_t)described[i].ctype, 0));
            set_field(ard, SQL_DESC_PRECISION, described[i].precision);
            set_field(ard, SQL_DESC_SCALE, described[i].scale);
            set_field(ard, SQL_DESC_DATETIME_INTERVAL_PRECISION, described[i].leading);
            if (bound) OK(odbc.SQLSetDescField(ard, 1, SQL_DESC_DATA_PTR, data, 0));
            memset(data, 0, sizeof data);
            run_ok(&link, sql);
            SQLRETURN result = odbc.SQLFetch(link.stmt);
            if (!bound)
                result = odbc.SQLGetData(link.stmt, 1, SQL_ARD_TYPE, data, sizeof data, &length);
            const char *got =
                result == SQL_SUCCESS ? "" : diag_of(&odbc, SQL_HANDLE_STMT, link.stmt);
            if (strcmp(got, described[i].state) != 0)
                fail_msg("%s as %s: '%s' instead of '%s'", sql,
                         cvalue_type_name(described[i].ctype), got, described[i].state);
            if (described[i].data)
                assert_memory_equal(data, want,
                                    cvalue_encode(described[i].ctype, described[i].data, want));
            close_cursor(&link);
            OK(odbc.SQLFreeStmt(link.stmt, SQL_UNBIND));
        }
    }
    link_close(&link);
}

/* SQL_C_DEFAULT is the C type that the specification's table of defaults names. */
static void defaults(void **state) {
    static const struct {
        const char *sql;
        SQLSMALLINT ctype;
        const char *data;
    } rows_of[] = {
        {"true", SQL_C_BIT, "1"},
        {"CAST(-5 AS tinyint)", SQL_C_STINYINT, "-5"},
        {"CAST(300 AS smallint)", SQL_C_SSHORT, "300"},
        {"INTEGER '70000'", SQL_C_SLONG, "70000"},
        {"BIGINT '5000000000'", SQL_C_SBIGINT, "5000000000"},
        {"CAST(1.5 AS real)", SQL_C_FLOAT, "1.5"},
        {"1.5E0", SQL_C_DOUBLE, "1.5"},
        {"CAST(1.50 AS decimal(4,2))", SQL_C_CHAR, "1.50"},
        {"'Gr\xC3\xB6\xC3\x9F\x65'", SQL_C_WCHAR, "Gr\xC3\xB6\xC3\x9F\x65"},
        {"X'00FF'", SQL_C_BINARY, "00FF"},
        {"DATE '2024-02-29'", SQL_C_TYPE_DATE, "2024-02-29"},
        {"TIME '12:34:56'", SQL_C_TYPE_TIME, "12:34:56"},
        {"TIMESTAMP '2024-02-29 12:34:56.5'", SQL_C_TYPE_TIMESTAMP,
         "2024-02-29 12:34:56 500000000"},
        {"INTERVAL '1-6' YEAR TO MONTH", SQL_C_INTERVAL_YEAR_TO_MONTH, "+ 1 6"},
        {"INTERVAL '2 03:04:05' DAY TO SECOND", SQL_C_INTERVAL_DAY_TO_SECOND, "+ 2 3 4 5 0"},
        {"UUID '00112233-4455-6677-8899-aabbccddeeff'", SQL_C_GUID,
         "00112233-4455-6677-8899-aabbccddeeff"},
        {"ARRAY[1]", SQL_C_WCHAR, "[1]"},
    };
    Link link;
    link_open(&link, &odbc, SQL_OV_ODBC3, connection, false);
    for (size_t i = 0; i < sizeof rows_of / sizeof *rows_of; i++) {
        unsigned char data[64], want[64];
        SQLLEN length = -9;
        char sql[200];
        size_t n = cvalue_encode(rows_of[i].ctype, rows_of[i].data, want);
        snprintf(sql, sizeof sql, "SELECT %s", rows_of[i].sql);
        for (int bound = 0; bound < 2; bound++) {
            memset(data, 0, sizeof data);
            if (bound) OK(odbc.SQLBindCol(link.stmt, 1, SQL_C_DEFAULT, data, sizeof data, &length));
            run_ok(&link, sql);
            OK(odbc.SQLFetch(link.stmt));
            if (!bound)
                OK(odbc.SQLGetData(link.stmt, 1, SQL_C_DEFAULT, data, sizeof data, &length));
            assert_int_equal(length, n);
            assert_memory_equal(data, want, n);
            close_cursor(&link);
            OK(odbc.SQLFreeStmt(link.stmt, SQL_UNBIND));
        }
    }
    link_close(&link);
}

/* No pair of a type of the engine and a C type is missing from the table. */
static void complete(void **state) {
    size_t cells = 0;
    const char *types[64];
    size_t ntypes = 0;
    static bool seen[64][64];
    size_t type = 0;
    for (size_t i = 0; i < NROWS; i++) {
        if (rows[i].sql) {
            for (type = 0; type < ntypes && strcmp(types[type], rows[i].type) != 0;) type++;
            if (type == ntypes) types[ntypes++] = rows[i].type;
            continue;
        }
        cells++;
        for (size_t c = 0; c < cvalue_type_count; c++)
            if (cvalue_type(c) == rows[i].ctype) seen[type][c] = true;
    }
    for (size_t t = 0; t < ntypes; t++)
        for (size_t c = 0; c < cvalue_type_count; c++)
            if (!seen[t][c])
                fail_msg("no cell of %s as %s", types[t], cvalue_type_name(cvalue_type(c)));
    assert_int_equal(ntypes, 23);
    print_message("%zu cells of %zu types and %zu C types\n", cells, ntypes, cvalue_type_count);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete), cmocka_unit_test(narrow),      cmocka_unit_test(wide_twin),
        cmocka_unit_test(locales),  cmocka_unit_test(descriptors), cmocka_unit_test(defaults),
    };
    return cmocka_run_group_tests_name("cells of the conversion tables", tests, load, NULL);
}
