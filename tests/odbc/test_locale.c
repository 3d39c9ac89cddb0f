/*
 * test_locale.c - the same bytes in every locale: one programme of ODBC calls over the real engine is
 * written out as a transcript, through both twins, directly and through unixODBC's manager, in each
 * locale and without setlocale. Every transcript must be the one that stands here.
 *
 * The program starts itself again with another LC_ALL for each combination; the child writes its
 * transcript to standard output, in UTF-8. What the W twin gives is converted to UTF-8 by this file's
 * own converter, which knows nothing of locales or of the driver.
 */
#include "tests/connectors/sqlite_file.h"
#include "tests/odbc/odbc_test.h"

#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* "Größe", "Straße", two Han characters with an emoji, a Turkish dotted and dotless i */
#define SIZE_NAME   "Gr\xC3\xB6\xC3\x9F\x65"
#define STREET_NAME "Stra\xC3\x9F\x65"
#define HAN_NAME    "\xE5\x90\x8D\xE5\x89\x8D \xF0\x9F\x98\x80"
#define TURKISH     "\xC4\xB0\xC4\xB1Ii"
#define USER_NAME   "J\xC3\xBCrgen"
#define EURO        "\xE2\x82\xAC"

static char folder[] = "/tmp/tributary_locale_XXXXXX";

/* ---------------------------------------------------------------- the twins */

typedef struct Twin {
    Odbc odbc;
    bool wide;
    SQLHENV env;
    SQLHDBC dbc;
    SQLHSTMT stmt;
} Twin;

/* A text argument of either twin. */
typedef union TextArg {
    SQLCHAR narrow[12000];
    SQLWCHAR wide[6000];
} TextArg;

static size_t put_utf8(uint32_t c, char *out) {
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char first[] = {0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(first[more] | c >> (6 * more));
    for (size_t i = 1; i <= more; i++) out[i] = (char)(0x80 | (c >> (6 * (more - i)) & 0x3F));
    return more + 1;
}

/* Static storage, eight texts in turn. */
static const char *to_utf8(const SQLWCHAR *text, size_t units) {
    static char buffers[8][20000];
    static unsigned turn;
    char *out = buffers[turn++ % 8];
    size_t n = 0;
    for (size_t i = 0; i < units; i++) {
        uint32_t c = text[i];
        if (c >= 0xD800 && c < 0xDC00 && i + 1 < units)
            c = 0x10000 + ((c - 0xD800) << 10) + (text[++i] - 0xDC00u);
        n += put_utf8(c, out + n);
    }
    out[n] = 0;
    return out;
}

static size_t units_of(const SQLWCHAR *text) {
    size_t n = 0;
    while (text[n]) n++;
    return n;
}

static void arg_set(const Twin *self, TextArg *arg, const char *text) {
    if (self->wide)
        arg->wide[utf16_encode(text, arg->wide)] = 0;
    else
        snprintf((char *)arg->narrow, sizeof arg->narrow, "%s", text);
}

/* A terminated text that a call wrote into a TextArg. */
static const char *arg_text(const Twin *self, const TextArg *arg) {
    if (self->wide) return to_utf8(arg->wide, units_of(arg->wide));
    return (const char *)arg->narrow;
}

/* TEXT_CALL(result, function, (arguments of W), (arguments of ANSI)) */
#define TEXT_CALL(self, function, wides, narrows) \
    ((self)->wide ? (self)->odbc.function##W wides : (self)->odbc.function narrows)

/* ---------------------------------------------------------------- the transcript */

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
}

/* State, native code and message of the records; the first lengths are checked too. */
static void say_diagnostics(Twin *self, SQLSMALLINT kind, SQLHANDLE handle) {
    for (SQLSMALLINT i = 1;; i++) {
        TextArg state, message, source;
        SQLINTEGER native = 0;
        SQLSMALLINT length = 0, source_length = 0;
        SQLRETURN result =
            TEXT_CALL(self, SQLGetDiagRec,
                      (kind, handle, i, state.wide, &native, message.wide, 2000, &length),
                      (kind, handle, i, state.narrow, &native, message.narrow, 2000, &length));
        if (result == SQL_NO_DATA) return;
        const char *text = arg_text(self, &message);
        size_t expected = self->wide ? units_of(message.wide) : strlen(text);
        (void)TEXT_CALL(
            self, SQLGetDiagField,
            (kind, handle, i, SQL_DIAG_SERVER_NAME, source.wide, 2000, &source_length),
            (kind, handle, i, SQL_DIAG_SERVER_NAME, source.narrow, 2000, &source_length));
        say("  %d %s %s%s\n", (int)result, arg_text(self, &state), text,
            (size_t)length == expected ? "" : " (WRONG LENGTH)");
        if (kind == SQL_HANDLE_STMT && source_length > 0) say("  at %s\n", arg_text(self, &source));
    }
}

static bool good(Twin *self, const char *what, SQLRETURN result) {
    if (result == SQL_SUCCESS) return true;
    say("%s = %d\n", what, (int)result);
    say_diagnostics(self, SQL_HANDLE_STMT, self->stmt);
    return SQL_SUCCEEDED(result);
}

static SQLRETURN execute(Twin *self, const char *sql) {
    TextArg text;
    arg_set(self, &text, sql);
    return TEXT_CALL(self, SQLExecDirect, (self->stmt, text.wide, SQL_NTS),
                     (self->stmt, text.narrow, SQL_NTS));
}

/* A value as text, read with a buffer of `room` code units at a time, however many parts it takes. */
static const char *value_in_parts(Twin *self, SQLUSMALLINT column, size_t room) {
    static char out[4][40000];
    static unsigned turn;
    char *whole = out[turn++ % 4];
    SQLWCHAR units[20000];
    size_t n = 0;
    SQLRETURN result;
    do {
        union {
            char narrow[9000];
            SQLWCHAR wide[4500];
        } part;
        SQLLEN length;
        size_t unit = self->wide ? 2 : 1;
        result = self->odbc.SQLGetData(self->stmt, column, self->wide ? SQL_C_WCHAR : SQL_C_CHAR,
                                       &part, (SQLLEN)((room + 1) * unit), &length);
        if (length == SQL_NULL_DATA) return "NULL";
        if (!SQL_SUCCEEDED(result)) return "(failed)";
        size_t got = self->wide ? units_of(part.wide) : strlen(part.narrow);
        if (result == SQL_SUCCESS && (size_t)length != got * unit) return "(wrong length)";
        if (result == SQL_SUCCESS_WITH_INFO && (got == 0 || got > room)) return "(wrong part)";
        if (self->wide)
            memcpy(units + n, part.wide, got * 2);
        else
            memcpy(whole + n, part.narrow, got);
        n += got;
    } while (result == SQL_SUCCESS_WITH_INFO);
    if (self->wide) return to_utf8(units, n);
    whole[n] = 0;
    return whole;
}

static const char *value(Twin *self, SQLUSMALLINT column) {
    return value_in_parts(self, column, 4000);
}

/* The columns of every row that is left, separated by bars. */
static void say_rows(Twin *self, SQLUSMALLINT first, SQLUSMALLINT last) {
    SQLRETURN result;
    while ((result = self->odbc.SQLFetch(self->stmt)) == SQL_SUCCESS) {
        for (SQLUSMALLINT i = first; i <= last; i++)
            say("%s%s", i == first ? "  " : "|", value(self, i));
        say("\n");
    }
    if (result != SQL_NO_DATA) (void)good(self, "SQLFetch", result);
    (void)good(self, "SQLCloseCursor", self->odbc.SQLFreeStmt(self->stmt, SQL_CLOSE));
}

static void query(Twin *self, const char *sql, SQLUSMALLINT columns) {
    say("%s\n", sql);
    if (good(self, "SQLExecDirect", execute(self, sql))) say_rows(self, 1, columns);
}

/* ---------------------------------------------------------------- the programme */

static bool connect_twin(Twin *self, bool by_string) {
    TextArg in, out, user, empty;
    SQLSMALLINT length = 0;
    arg_set(self, &in, by_string ? "DSN=Demo;UID=" USER_NAME ";Nonsense=" HAN_NAME : "Demo");
    arg_set(self, &user, USER_NAME);
    arg_set(self, &empty, "");
    arg_set(self, &out, "");
    if (self->odbc.SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &self->env) != SQL_SUCCESS ||
        self->odbc.SQLSetEnvAttr(self->env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0) !=
            SQL_SUCCESS ||
        self->odbc.SQLAllocHandle(SQL_HANDLE_DBC, self->env, &self->dbc) != SQL_SUCCESS)
        return false;
    SQLRETURN result =
        by_string
            ? TEXT_CALL(
                  self, SQLDriverConnect,
                  (self->dbc, NULL, in.wide, SQL_NTS, out.wide, 2000, &length, SQL_DRIVER_NOPROMPT),
                  (self->dbc, NULL, in.narrow, SQL_NTS, out.narrow, 2000, &length,
                   SQL_DRIVER_NOPROMPT))
            : TEXT_CALL(
                  self, SQLConnect,
                  (self->dbc, in.wide, SQL_NTS, user.wide, SQL_NTS, empty.wide, SQL_NTS),
                  (self->dbc, in.narrow, SQL_NTS, user.narrow, SQL_NTS, empty.narrow, SQL_NTS));
    say("connect = %d\n", (int)result);
    say_diagnostics(self, SQL_HANDLE_DBC, self->dbc);
    const char *given = strstr(arg_text(self, &out), "UID=");
    if (given) say("  %.11s\n", given);
    return SQL_SUCCEEDED(result) &&
           self->odbc.SQLAllocHandle(SQL_HANDLE_STMT, self->dbc, &self->stmt) == SQL_SUCCESS;
}

static void disconnect(Twin *self) {
    SQLRETURN results[] = {self->odbc.SQLFreeHandle(SQL_HANDLE_STMT, self->stmt),
                           self->odbc.SQLDisconnect(self->dbc),
                           self->odbc.SQLFreeHandle(SQL_HANDLE_DBC, self->dbc),
                           self->odbc.SQLFreeHandle(SQL_HANDLE_ENV, self->env)};
    say("disconnect = %d %d %d %d\n", results[0], results[1], results[2], results[3]);
}

static void about_connection(Twin *self) {
    static const SQLUSMALLINT infos[] = {SQL_DBMS_NAME, SQL_DATA_SOURCE_NAME, SQL_USER_NAME,
                                         SQL_IDENTIFIER_QUOTE_CHAR, SQL_SEARCH_PATTERN_ESCAPE};
    for (size_t i = 0; i < sizeof infos / sizeof *infos; i++) {
        TextArg out;
        SQLSMALLINT bytes = 0;
        SQLRETURN result =
            TEXT_CALL(self, SQLGetInfo, (self->dbc, infos[i], out.wide, 4000, &bytes),
                      (self->dbc, infos[i], out.narrow, 4000, &bytes));
        size_t length = self->wide ? units_of(out.wide) * 2 : strlen((char *)out.narrow);
        say("info %d = %d %s%s\n", infos[i], result, arg_text(self, &out),
            (size_t)bytes == length ? "" : " (WRONG LENGTH)");
    }
    TextArg in, out;
    SQLINTEGER length = 0;
    arg_set(self, &in, "SELECT {fn UCASE('" STREET_NAME " " HAN_NAME "')}");
    SQLRETURN result =
        TEXT_CALL(self, SQLNativeSql, (self->dbc, in.wide, SQL_NTS, out.wide, 1000, &length),
                  (self->dbc, in.narrow, SQL_NTS, out.narrow, 1000, &length));
    say("native = %d %s\n", result, arg_text(self, &out));
    arg_set(self, &in, "shop");
    result =
        TEXT_CALL(self, SQLSetConnectAttr, (self->dbc, SQL_ATTR_CURRENT_CATALOG, in.wide, SQL_NTS),
                  (self->dbc, SQL_ATTR_CURRENT_CATALOG, in.narrow, SQL_NTS));
    SQLINTEGER bytes = 0;
    SQLRETURN got = TEXT_CALL(self, SQLGetConnectAttr,
                              (self->dbc, SQL_ATTR_CURRENT_CATALOG, out.wide, 2000, &bytes),
                              (self->dbc, SQL_ATTR_CURRENT_CATALOG, out.narrow, 2000, &bytes));
    say("catalog = %d %d %s\n", result, got, arg_text(self, &out));
}

/* ---- parameters of every kind, in and out again */

#define INSERT_VALUES \
    "INSERT INTO mem.default.\"" SIZE_NAME "\" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

static void describe_parameters(Twin *self) {
    for (SQLUSMALLINT i = 1; i <= 11; i++) {
        SQLSMALLINT type = 0, digits = 0, nullable = 0;
        SQLULEN size = 0;
        if (good(self, "SQLDescribeParam",
                 self->odbc.SQLDescribeParam(self->stmt, i, &type, &size, &digits, &nullable)))
            say("  parameter %d: %d(%lu,%d)\n", i, type, (unsigned long)size, digits);
    }
}

static void bind(Twin *self, SQLUSMALLINT i, SQLSMALLINT ctype, SQLSMALLINT type, SQLULEN size,
                 SQLSMALLINT digits, const void *data, SQLLEN capacity, SQLLEN *length) {
    (void)good(self, "SQLBindParameter",
               self->odbc.SQLBindParameter(self->stmt, i, SQL_PARAM_INPUT, ctype, type, size,
                                           digits, (SQLPOINTER)(uintptr_t)data, capacity, length));
}

static void parameters(Twin *self) {
    TextArg sql, text, number;
    SQLINTEGER id = 1;
    SQLLEN nts = SQL_NTS, raw_length = 3, null = SQL_NULL_DATA;
    SQLSMALLINT count = 0, ctext = self->wide ? SQL_C_WCHAR : SQL_C_CHAR;
    SQL_DATE_STRUCT date = {2024, 2, 29};
    SQL_TIME_STRUCT time = {23, 59, 58};
    SQL_TIMESTAMP_STRUCT stamp = {2024, 12, 31, 1, 2, 3, 4000000};
    SQL_NUMERIC_STRUCT decimal = {.precision = 10, .scale = 2, .sign = 0, .val = {0x39, 0x30}};
    double ratio = 1234567.5;
    SQLCHAR yes = 1;
    SQLGUID guid = {0x00112233, 0x4455, 0x6677, {0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF}};
    SQLBIGINT big = INT64_MIN;
    arg_set(self, &sql, INSERT_VALUES);
    if (!good(self, "SQLPrepare",
              TEXT_CALL(self, SQLPrepare, (self->stmt, sql.wide, SQL_NTS),
                        (self->stmt, sql.narrow, SQL_NTS))))
        return;
    (void)good(self, "SQLNumParams", self->odbc.SQLNumParams(self->stmt, &count));
    say("%d parameters\n", count);
    describe_parameters(self);
    arg_set(self, &text, HAN_NAME " " TURKISH " " EURO);
    bind(self, 1, SQL_C_SLONG, SQL_INTEGER, 0, 0, &id, 0, NULL);
    bind(self, 2, ctext, self->wide ? SQL_WVARCHAR : SQL_VARCHAR, 40, 0, &text, 0, &nts);
    bind(self, 3, SQL_C_TYPE_DATE, SQL_TYPE_DATE, 10, 0, &date, 0, NULL);
    bind(self, 4, SQL_C_NUMERIC, SQL_DECIMAL, 10, 2, &decimal, sizeof decimal, NULL);
    bind(self, 5, SQL_C_TYPE_TIMESTAMP, SQL_TYPE_TIMESTAMP, 23, 3, &stamp, 0, NULL);
    bind(self, 6, SQL_C_DOUBLE, SQL_DOUBLE, 0, 0, &ratio, 0, NULL);
    bind(self, 7, SQL_C_BIT, SQL_BIT, 0, 0, &yes, 0, NULL);
    bind(self, 8, SQL_C_BINARY, SQL_VARBINARY, 10, 0, "\x00\xFF\x7F", 3, &raw_length);
    bind(self, 9, SQL_C_GUID, SQL_GUID, 0, 0, &guid, 0, NULL);
    bind(self, 10, SQL_C_TYPE_TIME, SQL_TYPE_TIME, 8, 0, &time, 0, NULL);
    bind(self, 11, SQL_C_SBIGINT, SQL_BIGINT, 0, 0, &big, 0, NULL);
    (void)good(self, "SQLExecute", self->odbc.SQLExecute(self->stmt));
    id = 2; /* numbers as text: the point is a point */
    arg_set(self, &number, "-0.5");
    for (SQLUSMALLINT i = 2; i <= 11; i++)
        bind(self, i, SQL_C_CHAR, SQL_VARCHAR, 1, 0, "", 0, &null);
    bind(self, 4, ctext, SQL_DECIMAL, 10, 2, &number, 0, &nts);
    bind(self, 6, ctext, SQL_DOUBLE, 0, 0, &number, 0, &nts);
    (void)good(self, "SQLExecute", self->odbc.SQLExecute(self->stmt));
    arg_set(self, &number, "-0,5");
    say("SQLExecute = %d\n", self->odbc.SQLExecute(self->stmt));
    say_diagnostics(self, SQL_HANDLE_STMT, self->stmt);
    (void)good(self, "SQLFreeStmt", self->odbc.SQLFreeStmt(self->stmt, SQL_RESET_PARAMS));
    query(self, "SELECT * FROM mem.default.\"" SIZE_NAME "\" ORDER BY nr", 11);
    id = 1;
    bind(self, 1, SQL_C_SLONG, SQL_INTEGER, 0, 0, &id, 0, NULL);
    bind(self, 2, ctext, self->wide ? SQL_WVARCHAR : SQL_VARCHAR, 40, 0, &text, 0, &nts);
    query(self,
          "SELECT nr FROM mem.default.\"" SIZE_NAME "\" WHERE nr = ? AND \"" HAN_NAME "\" = ?", 1);
    (void)good(self, "SQLFreeStmt", self->odbc.SQLFreeStmt(self->stmt, SQL_RESET_PARAMS));
}

/* ---- what results look like */

static void describe(Twin *self) {
    static const SQLUSMALLINT fields[] = {
        SQL_DESC_LABEL,      SQL_DESC_NAME,         SQL_DESC_BASE_COLUMN_NAME,
        SQL_DESC_TABLE_NAME, SQL_DESC_CATALOG_NAME, SQL_DESC_TYPE_NAME};
    TextArg sql, out;
    SQLSMALLINT columns = 0;
    arg_set(self, &sql,
            "SELECT nr, \"" HAN_NAME "\", betrag AS \"" STREET_NAME " " EURO "\", zeit, k FROM "
            "mem.default.\"" SIZE_NAME "\"");
    if (!good(self, "SQLPrepare",
              TEXT_CALL(self, SQLPrepare, (self->stmt, sql.wide, SQL_NTS),
                        (self->stmt, sql.narrow, SQL_NTS))))
        return;
    (void)good(self, "SQLNumResultCols", self->odbc.SQLNumResultCols(self->stmt, &columns));
    for (SQLUSMALLINT i = 1; i <= columns; i++) {
        SQLSMALLINT length = 0, type = 0, digits = 0, nullable = 0;
        SQLULEN size = 0;
        SQLRETURN result =
            TEXT_CALL(self, SQLDescribeCol,
                      (self->stmt, i, out.wide, 100, &length, &type, &size, &digits, &nullable),
                      (self->stmt, i, out.narrow, 100, &length, &type, &size, &digits, &nullable));
        size_t expected = self->wide ? units_of(out.wide) : strlen((char *)out.narrow);
        say("column %d = %d %s %d(%lu,%d) %d%s\n", i, result, arg_text(self, &out), type,
            (unsigned long)size, digits, nullable,
            (size_t)length == expected ? "" : " (WRONG LENGTH)");
        for (size_t f = 0; f < sizeof fields / sizeof *fields; f++) {
            SQLSMALLINT bytes = 0;
            result = TEXT_CALL(self, SQLColAttribute,
                               (self->stmt, i, fields[f], out.wide, 200, &bytes, NULL),
                               (self->stmt, i, fields[f], out.narrow, 200, &bytes, NULL));
            say("%s%s", f ? "|" : "  ", arg_text(self, &out));
            if (result != SQL_SUCCESS) say(" (%d)", result);
        }
        say("\n");
    }
    (void)TEXT_CALL(self, SQLDescribeCol,
                    (self->stmt, 2, out.wide, 3, NULL, NULL, NULL, NULL, NULL),
                    (self->stmt, 2, out.narrow, 7, NULL, NULL, NULL, NULL, NULL));
    say("cut: %s\n", arg_text(self, &out));
    say_diagnostics(self, SQL_HANDLE_STMT, self->stmt);
}

/* ---- block fetch, by column and by row; long values in parts */

typedef struct Row {
    SQLINTEGER id;
    SQLLEN id_length;
    double number;
    SQLLEN number_length;
    union {
        char narrow[40];
        SQLWCHAR wide[40];
    } text;
    SQLLEN text_length;
    SQL_DATE_STRUCT date;
    SQLLEN date_length;
} Row;

static void say_block_row(Twin *self, const Row *row, SQLUSMALLINT status) {
    char text[200] = "NULL";
    if (row->text_length != SQL_NULL_DATA)
        snprintf(text, sizeof text, "%s",
                 self->wide ? to_utf8(row->text.wide, (size_t)row->text_length / 2)
                            : row->text.narrow);
    say("  %d: %d|%d|%s", status, (int)row->id, (int)(row->number * 100), text);
    if (row->date_length == SQL_NULL_DATA)
        say("|NULL\n");
    else
        say("|%d-%d-%d\n", row->date.year, row->date.month, row->date.day);
}

static void blocks(Twin *self) {
    Row rows[2];
    SQLUSMALLINT status[2];
    SQLULEN fetched = 0;
    Odbc *odbc = &self->odbc;
    SQLSMALLINT ctext = self->wide ? SQL_C_WCHAR : SQL_C_CHAR;
    (void)odbc->SQLSetStmtAttr(self->stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)2, 0);
    (void)odbc->SQLSetStmtAttr(self->stmt, SQL_ATTR_ROW_BIND_TYPE, (SQLPOINTER)sizeof(Row), 0);
    (void)odbc->SQLSetStmtAttr(self->stmt, SQL_ATTR_ROW_STATUS_PTR, status, 0);
    (void)odbc->SQLSetStmtAttr(self->stmt, SQL_ATTR_ROWS_FETCHED_PTR, &fetched, 0);
    (void)odbc->SQLBindCol(self->stmt, 1, SQL_C_SLONG, &rows[0].id, 0, &rows[0].id_length);
    (void)odbc->SQLBindCol(self->stmt, 2, SQL_C_DOUBLE, &rows[0].number, 0, &rows[0].number_length);
    (void)odbc->SQLBindCol(self->stmt, 3, ctext, &rows[0].text, sizeof rows[0].text,
                           &rows[0].text_length);
    (void)odbc->SQLBindCol(self->stmt, 4, SQL_C_TYPE_DATE, &rows[0].date, 0, &rows[0].date_length);
    SQLRETURN result =
        execute(self, "SELECT i, x, t, d FROM (VALUES (1, 0.25, '" STREET_NAME
                      "', DATE '2024-01-02'), (2, -7.5, '" HAN_NAME "', NULL), (3, 1e3, NULL, "
                      "DATE '1899-12-31')) v(i, x, t, d) ORDER BY i");
    if (good(self, "SQLExecDirect", result)) {
        while (SQL_SUCCEEDED(result = odbc->SQLFetch(self->stmt))) {
            say("block of %d = %d\n", (int)fetched, result);
            for (SQLULEN i = 0; i < fetched; i++) say_block_row(self, &rows[i], status[i]);
        }
        say("end = %d\n", result);
    }
    (void)odbc->SQLFreeStmt(self->stmt, SQL_CLOSE);
    (void)odbc->SQLFreeStmt(self->stmt, SQL_UNBIND);
    (void)odbc->SQLSetStmtAttr(self->stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)1, 0);
    (void)odbc->SQLSetStmtAttr(self->stmt, SQL_ATTR_ROW_BIND_TYPE, SQL_BIND_BY_COLUMN, 0);
    (void)odbc->SQLSetStmtAttr(self->stmt, SQL_ATTR_ROW_STATUS_PTR, NULL, 0);
    (void)odbc->SQLSetStmtAttr(self->stmt, SQL_ATTR_ROWS_FETCHED_PTR, NULL, 0);
}

static void parts(Twin *self) {
    static const size_t rooms[] = {4, 5, 7, 64, 4000};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        if (!good(self, "SQLExecDirect",
                  execute(self, "SELECT replace('123456789012345678901234567890', '0', '"
                                "\xF0\x9F\x98\x80" EURO STREET_NAME "')")) ||
            !good(self, "SQLFetch", self->odbc.SQLFetch(self->stmt)))
            return;
        say("parts of %d: %s\n", (int)rooms[i], value_in_parts(self, 1, rooms[i]));
        (void)self->odbc.SQLFreeStmt(self->stmt, SQL_CLOSE);
    }
}

/* ---- diagnostics, names of cursors, functions that depend on a locale elsewhere */

static void failures(Twin *self) {
    static const char *const wrong[] = {
        "SELECT \"" HAN_NAME "x\" FROM mem.default.\"" SIZE_NAME "\"",
        "SELECT 1 FROM mem.default.\"" STREET_NAME "\"",
        "SELECT 1 FROM \"" SIZE_NAME "\".a.b",
        "SELECT CAST('" STREET_NAME " " HAN_NAME "' AS integer)",
        "SELECT CAST('1,5' AS double)",
        "SELECT 1 " EURO " 2",
        "SELECT f" TURKISH "(1)",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        say("%s\n", wrong[i]);
        SQLRETURN result = execute(self, wrong[i]);
        if (result == SQL_SUCCESS) result = self->odbc.SQLFetch(self->stmt);
        say("  = %d\n", result);
        say_diagnostics(self, SQL_HANDLE_STMT, self->stmt);
        (void)self->odbc.SQLFreeStmt(self->stmt, SQL_CLOSE);
    }
    TextArg name, out;
    SQLSMALLINT length = 0;
    arg_set(self, &name, "Z\xC3\xA4hler " EURO);
    (void)good(self, "SQLSetCursorName",
               TEXT_CALL(self, SQLSetCursorName, (self->stmt, name.wide, SQL_NTS),
                         (self->stmt, name.narrow, SQL_NTS)));
    (void)good(self, "SQLGetCursorName",
               TEXT_CALL(self, SQLGetCursorName, (self->stmt, out.wide, 100, &length),
                         (self->stmt, out.narrow, 100, &length)));
    say("cursor %s\n", arg_text(self, &out));
}

static void locale_functions(Twin *self) {
    query(self, "select upper('istanbul i\xC4\xB1 " STREET_NAME "'), lower('ISTANBUL I\xC3\x96')",
          2);
    query(self, "select CAST(1234567.25E0 AS varchar), CAST(12345.678 AS varchar), 1.5E-7", 3);
    query(self, "select CAST('1234.5' AS double), CAST('12.50' AS decimal(8,2)), 0.1e0 + 0.2e0", 3);
    query(self,
          "SELECT format_datetime FROM (VALUES date_format(DATE '2024-03-05', '%W %M %b %a')) "
          "t(format_datetime)",
          1);
    query(self, "select ID, TITLE from (values (1, 'i')) t(id, title) where TITLE = 'i' and Id = 1",
          2);
    query(self, "SELECT x FROM (VALUES 'z', '\xC3\xA4', 'a', 'Z', '_') t(x) ORDER BY x", 1);
    query(self,
          "SELECT INTERVAL '1' DAY, TIMESTAMP '2024-01-15 10:00:00.123456789', "
          "TIME '12:34:56.5', X'00FF', 1e0 / 3, CAST(1e22 AS double)",
          6);
}

/* ---- catalog functions */

static SQLRETURN names4(Twin *self, bool columns, const char *catalog, const char *schema,
                        const char *table, const char *last) {
    TextArg args[4];
    const char *given[] = {catalog, schema, table, last};
    SQLWCHAR *w[4];
    SQLCHAR *n[4];
    for (int i = 0; i < 4; i++) {
        arg_set(self, &args[i], given[i] ? given[i] : "");
        w[i] = given[i] ? args[i].wide : NULL;
        n[i] = given[i] ? args[i].narrow : NULL;
    }
    if (columns)
        return TEXT_CALL(self, SQLColumns,
                         (self->stmt, w[0], SQL_NTS, w[1], SQL_NTS, w[2], SQL_NTS, w[3], SQL_NTS),
                         (self->stmt, n[0], SQL_NTS, n[1], SQL_NTS, n[2], SQL_NTS, n[3], SQL_NTS));
    return TEXT_CALL(self, SQLTables,
                     (self->stmt, w[0], SQL_NTS, w[1], SQL_NTS, w[2], SQL_NTS, w[3], SQL_NTS),
                     (self->stmt, n[0], SQL_NTS, n[1], SQL_NTS, n[2], SQL_NTS, n[3], SQL_NTS));
}

static void catalogs(Twin *self) {
    TextArg catalog, table;
    arg_set(self, &catalog, "shop");
    arg_set(self, &table, STREET_NAME);
    say("tables Gr_%%e\n");
    if (good(self, "SQLTables", names4(self, false, "mem", NULL, "Gr_%e", "TABLE")))
        say_rows(self, 1, 4);
    say("columns\n");
    if (good(self, "SQLColumns", names4(self, true, "mem", NULL, SIZE_NAME, NULL)))
        say_rows(self, 3, 7);
    say("columns " HAN_NAME "\n");
    if (good(self, "SQLColumns", names4(self, true, NULL, NULL, NULL, HAN_NAME)))
        say_rows(self, 1, 4);
    say("primary keys\n");
    if (good(self, "SQLPrimaryKeys",
             TEXT_CALL(self, SQLPrimaryKeys,
                       (self->stmt, catalog.wide, SQL_NTS, NULL, 0, table.wide, SQL_NTS),
                       (self->stmt, catalog.narrow, SQL_NTS, NULL, 0, table.narrow, SQL_NTS))))
        say_rows(self, 1, 5);
    say("statistics\n");
    if (good(self, "SQLStatistics",
             TEXT_CALL(self, SQLStatistics,
                       (self->stmt, catalog.wide, SQL_NTS, NULL, 0, table.wide, SQL_NTS,
                        SQL_INDEX_UNIQUE, SQL_QUICK),
                       (self->stmt, catalog.narrow, SQL_NTS, NULL, 0, table.narrow, SQL_NTS,
                        SQL_INDEX_UNIQUE, SQL_QUICK))))
        say_rows(self, 1, 9);
    say("special columns\n");
    if (good(self, "SQLSpecialColumns",
             TEXT_CALL(self, SQLSpecialColumns,
                       (self->stmt, SQL_BEST_ROWID, catalog.wide, SQL_NTS, NULL, 0, table.wide,
                        SQL_NTS, SQL_SCOPE_SESSION, SQL_NULLABLE),
                       (self->stmt, SQL_BEST_ROWID, catalog.narrow, SQL_NTS, NULL, 0, table.narrow,
                        SQL_NTS, SQL_SCOPE_SESSION, SQL_NULLABLE))))
        say_rows(self, 1, 4);
    say("type info\n");
    if (good(self, "SQLGetTypeInfo",
             TEXT_CALL(self, SQLGetTypeInfo, (self->stmt, SQL_INTEGER), (self->stmt, SQL_INTEGER))))
        say_rows(self, 1, 3);
    query(self,
          "SELECT t.\"" SIZE_NAME "\", m.nr FROM shop.main.\"" STREET_NAME
          "\" t JOIN mem.default.\"" SIZE_NAME "\" m ON t.\"" SIZE_NAME "\" = m.\"" HAN_NAME
          "\" ORDER BY 1",
          2);
}

static int programme(const char *twin, const char *library) {
    static Twin self;
    self.wide = strcmp(twin, "wide") == 0;
    odbc_load(&self.odbc, library);
    if (!connect_twin(&self, false)) return 1;
    disconnect(&self);
    if (!connect_twin(&self, true)) return 1;
    about_connection(&self);
    parameters(&self);
    describe(&self);
    blocks(&self);
    parts(&self);
    failures(&self);
    locale_functions(&self);
    catalogs(&self);
    disconnect(&self);
    return fflush(stdout) != 0;
}

/* ---------------------------------------------------------------- the parent */

static void database_write(void) {
    static const char sql[] =
        "CREATE TABLE \"" STREET_NAME "\" (\"" SIZE_NAME "\" TEXT PRIMARY KEY NOT NULL, n INTEGER);"
        "INSERT INTO \"" STREET_NAME "\" VALUES ('" HAN_NAME " " TURKISH " " EURO
        "', 1), ('" USER_NAME "', 2)";
    sqlite_file_make(folder, STREET_NAME ".db", sql);
}

static int load(void **state) {
    char text[3000];
    assert_non_null(mkdtemp(folder));
    database_write();
    snprintf(text, sizeof text,
             "{\"settings\": {\"connector_path\": \"" CONNECTOR_PATH
             "\", \"metastore\": \":memory:\"},\n"
             " \"catalogs\": {\"mem\": {\"type\": \"memory\", \"script\": [\"CREATE TABLE "
             "mem.default.\\\"" SIZE_NAME "\\\" (nr integer, \\\"" HAN_NAME
             "\\\" varchar(40), born date, betrag decimal(10,2), zeit timestamp(3), r double, ok "
             "boolean, raw varbinary, k uuid, t time, big bigint)\"]},\n"
             "  \"shop\": {\"type\": \"sqlite\", \"path\": \"%s/" STREET_NAME ".db\"}}}\n",
             folder);
    file_write(folder, "Einstellungen-" STREET_NAME ".json", text);
    file_write(folder, "odbcinst.ini", "[Trib]\nDriver=" REAL_DRIVER "\nThreading=0\n");
    snprintf(text, sizeof text,
             "[Demo]\nDriver=Trib\nConfig=%s/Einstellungen-" STREET_NAME ".json\nCatalog=mem\n",
             folder);
    file_write(folder, "odbc.ini", text);
    return 0;
}

static int unload(void **state) {
    static const char *const names[] = {"odbc.ini", "odbcinst.ini", STREET_NAME ".db",
                                        "Einstellungen-" STREET_NAME ".json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[200];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
    return 0;
}

typedef struct Run {
    const char *twin, *library, *locale; /* NULL: the program never calls setlocale */
} Run;

static void run_child(const Run *run, int out) {
    char system[200], ini[200];
    snprintf(system, sizeof system, "%s", folder);
    snprintf(ini, sizeof ini, "%s/odbc.ini", folder);
    setenv("ODBCSYSINI", system, 1);
    setenv("ODBCINI", ini, 1);
    if (run->locale)
        setenv("LC_ALL", run->locale, 1);
    else
        unsetenv("LC_ALL");
    dup2(out, STDOUT_FILENO);
    execl("/proc/self/exe", "test_locale", "programme", run->twin, run->library,
          run->locale ? "setlocale" : "none", (char *)NULL);
    _exit(99);
}

/* Heap storage. */
static char *transcript_of(const Run *run) {
    int ends[2], status = -1;
    size_t size = 0, room = 1 << 20;
    char *text = malloc(room + 1);
    assert_non_null(text);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) run_child(run, ends[1]);
    close(ends[1]);
    for (ssize_t n; (n = read(ends[0], text + size, room - size)) > 0;) size += (size_t)n;
    close(ends[0]);
    text[size] = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("%s %s in %s ended with %#x after:\n%s", run->twin, run->library,
                 run->locale ? run->locale : "no locale", (unsigned)status, text);
    return text;
}

static const char expected[] =
#include "tests/odbc/transcript.def"
    ;

static void compare(const Run *run, const char *text) {
    const char *a = expected, *b = text, *line = text;
    for (; *a && *a == *b; a++, b++)
        if (*b == '\n') line = b + 1;
    if (*a == *b) return;
    fail_msg("%s through %s in %s:\n%.*s\ninstead of what the transcript has:\n%.*s", run->twin,
             run->library, run->locale ? run->locale : "no locale", (int)strcspn(line, "\n"), line,
             (int)(strcspn(a, "\n") + (size_t)(b - line)), a - (b - line));
}

static void in_locale(const char *locale) {
    static const char *const libraries[] = {REAL_DRIVER, "libodbc.so.2"};
    static const char *const twins[] = {"ansi", "wide"};
    if (locale && !setlocale(LC_ALL, locale)) {
        print_message("the locale %s is not installed\n", locale);
        skip();
    }
    setlocale(LC_ALL, "C");
    for (size_t i = 0; i < 4; i++) {
        Run run = {twins[i % 2], libraries[i / 2], locale};
        char *text = transcript_of(&run);
        compare(&run, text);
        free(text);
    }
}

static void without_setlocale(void **state) {
    in_locale(NULL);
}
static void in_c(void **state) {
    in_locale("C");
}
static void in_german(void **state) {
    in_locale("de_DE.UTF-8");
}
static void in_german_latin1(void **state) {
    in_locale("de_DE.ISO-8859-1");
}
static void in_turkish(void **state) {
    in_locale("tr_TR.UTF-8");
}

int main(int argc, char **argv) {
    if (argc == 5 && strcmp(argv[1], "programme") == 0) {
        if (strcmp(argv[4], "setlocale") == 0 && !setlocale(LC_ALL, "")) return 98;
        return programme(argv[2], argv[3]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_setlocale), cmocka_unit_test(in_c),
        cmocka_unit_test(in_german),         cmocka_unit_test(in_german_latin1),
        cmocka_unit_test(in_turkish),
    };
    return cmocka_run_group_tests_name("the same bytes in every locale", tests, load, unload);
}
