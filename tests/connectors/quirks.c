/*
 * quirks.c - what differs between connectors under the conformance suite: options, fixtures, and what
 * must at least be pushed.
 *
 * mysql is tested where TRIB_TEST_MYSQL_USER and TRIB_TEST_MYSQL_SCHEMA are set (also _HOST, _PORT,
 * _SOCKET, _PASSWORD): every table of that schema is walked, so it should hold small hostile ones.
 */
#include "tests/connectors/conform.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "connectors/support/batch_builder.h"
#include "engine/base/os.h"

#define OPTION(text, of) \
    { .name = (text), .value = (of) }

/* ---------------------------------------------------------------- template */

static const Quirks *template_quirks(void) {
    static const TribOption small[] = {OPTION("rows", "50")},
                            large[] = {OPTION("rows", "1000000000")};
    static const TribOption wrong[] = {OPTION("rows", "many"), OPTION("rows", "-1"),
                                       OPTION("row", "5")};
    static const Case cases[] = {
        {.name = "small", .options = small, .noptions = 1, .schema = "main", .expects_exact = true},
        {.name = "large",
         .options = large,
         .noptions = 1,
         .schema = "main",
         .only = "none",
         .endless = "numbers"},
    };
    static const Quirks quirks = {.type = "template",
                                  .wrong = wrong,
                                  .nwrong = COUNT_OF(wrong),
                                  .cases = cases,
                                  .ncases = COUNT_OF(cases)};
    return &quirks;
}

/* ---------------------------------------------------------------- SQLite files */

static void run(sqlite3 *db, const char *sql) {
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
        fprintf(stderr, "fixture: %s\n  in %s\n", message, sql);
        abort();
    }
}

static const char plain_table[] =
    "CREATE TABLE plain(id INTEGER PRIMARY KEY, i INT, b BIGINT NOT NULL, r REAL, d DECIMAL(10,2), "
    "w DECIMAL(38,0), "
    " m NUMERIC, t TEXT, v VARCHAR(20), n TEXT COLLATE NOCASE, k TEXT COLLATE RTRIM, bl BLOB, bo "
    "BOOLEAN, da DATE, "
    " ti TIME(3), ts TIMESTAMP, tz TIMESTAMPTZ, u UUID, x, \"se\"\"le'ct\" TEXT);"
    "CREATE INDEX plain_n ON plain(n); CREATE INDEX plain_i ON plain(i); CREATE UNIQUE INDEX "
    "plain_b ON plain(b);";

static const char strict_table[] = "CREATE TABLE strict_one(id INTEGER PRIMARY KEY, i INTEGER, j "
                                   "INT NOT NULL, r REAL, t TEXT, n TEXT COLLATE NOCASE, "
                                   " k TEXT COLLATE RTRIM, bl BLOB, a ANY) STRICT;"
                                   "CREATE INDEX strict_n ON strict_one(n); CREATE INDEX strict_k "
                                   "ON strict_one(k); CREATE INDEX strict_t ON strict_one(t);";

static const char other_tables[] =
    "CREATE TABLE no_rowid(a TEXT, b INTEGER, c REAL, PRIMARY KEY(a, b)) WITHOUT ROWID;"
    "INSERT INTO no_rowid VALUES('x', 1, 1.5), ('x', 2, NULL), ('y', 1, -0.0), ('Y', 1, 0.0), ('', "
    "9223372036854775807, 1e300);"
    "CREATE TABLE shadowed(rowid TEXT, oid INTEGER, \"_rowid_\" REAL);"
    "INSERT INTO shadowed VALUES('a', 1, 1.0), ('b', 2, 2.0), (NULL, NULL, NULL);"
    "CREATE TABLE narrow(id INTEGER PRIMARY KEY CHECK ((id BETWEEN -2147483648 AND 2147483647)), "
    "t TINYINT CHECK ((t BETWEEN -128 AND 127)), s SMALLINT CHECK ((s BETWEEN -32768 AND 32767)), "
    "i INTEGER CHECK ((i BETWEEN -2147483648 AND 2147483647)), "
    "c CHAR(3) CHECK ((rtrim(c) = c AND length(c) <= 3)), "
    "e CHAR(3) CHECK ((rtrim(e) = e AND length(e) <= 3)));"
    "INSERT INTO narrow VALUES(-2147483648, -128, -32768, -2147483648, 'a', ''), (2147483647, 127, "
    "32767, 2147483647, 'a' || char(1), 'a'), (0, 0, 0, 0, '', ''), (1, 5, -1, 7, 'abc', 'A'), "
    "(2, NULL, NULL, NULL, NULL, 'x'), (7, -1, 1, -7, 'äöü', 'äöü'), (127, 1, 127, 32767, 'A', "
    "NULL), (128, 1, 1, 1, ' a', 'ab');"
    "CREATE TABLE empty(a INTEGER, b TEXT);"
    "CREATE TABLE sparse(id INTEGER PRIMARY KEY, t TEXT);"
    "WITH RECURSIVE c(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM c WHERE x < 80) "
    "INSERT INTO sparse SELECT x * 10007 - 5, 'row ' || x FROM c;"
    "CREATE VIEW a_view AS SELECT id, t, i, count(*) OVER () AS c, i + 1 AS e FROM plain;"
    "CREATE VIEW endless AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT "
    "x FROM c WHERE x < 0;";

/* The hostile values of docs/pushdown.md. */
static const struct {
    const char *data;
    int length;
} texts[] = {
#define T(text) \
    { text, sizeof text - 1 }
    T(""),
    T("a"),
    T("A"),
    T("a "),
    T("a\t"),
    T("ä"),
    T("Ä"),
    T("ß"),
    T("ss"),
    T("İ"),
    T("i"),
    T("ı"),
    T("\xF0\x9F\x98\x80"),
    T("e\xCC\x81"),
    T("\xC3\xA9"),
    T("a\0b"),
    T("'\"`\\;--"),
    T("%"),
    T("100%"),
    T("NULL"),
    T("\xEF\xBF\xBD"),
    T("zzzzzzzzzzzzzzzz"),
    T("zzzzzzzzzzzza"),
    T("abcdefghijklm"),
    T("0x10"),
    T("12"),
    T("9"),
    T("1e1"),
#undef T
};
static const int64_t integers[] = {
    0,   1,    -1,    2,         5,         7,         21,        -21,
    127, -128, 32767, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, INT64_C(9007199254740993)};
static const double reals[] = {
    0.0, -0.0, 0.5, -1.5, 19.99, 0.1, 1e308, 5e-324, 1, 1e15, 59.980000000000004};
static const char *const dates[] = {"2024-01-15", "1970-01-01", "0001-01-01",
                                    "9999-12-31", "2024-02-29", "0000-01-01"};
static const char *const times[] = {"00:00", "23:59:59.999", "12:30:15", "12:30:15.5"};
static const char *const stamps[] = {"2024-01-15 10:00:00", "2024-01-15T10:00:00.5",
                                     "1969-12-31 23:59:59.999999", "2024-02-29",
                                     "9999-12-31 23:59:59.999999"};
static const char *const zoned[] = {"2024-01-15 10:00:00Z", "2024-07-15 10:00:00.25 Europe/Berlin",
                                    "2024-01-15 10:00:00+02:00"};
static const char *const uuids[] = {"12151fd2-7586-11e9-8f9e-2a86e4085a59",
                                    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"};

/* Sets parameter `at` to a value that fits its column, or to NULL in every seventh case. */
static void bind_fixture(sqlite3_stmt *stmt, int at, const char *kind, int row) {
    int k = row + at;
    if (k % 7 == 0 && *kind != '!') return;
    switch (kind[kind[0] == '!']) {
    case 'i': sqlite3_bind_int64(stmt, at, integers[k % (int)COUNT_OF(integers)]); break;
    case 's': sqlite3_bind_int64(stmt, at, row * 3 - 20); break;
    case 'r': sqlite3_bind_double(stmt, at, reals[k % (int)COUNT_OF(reals)]); break;
    case 'd': sqlite3_bind_double(stmt, at, (row * 37 - 300) / 100.0); break;
    case 'l': sqlite3_bind_int(stmt, at, row % 2); break;
    case 'w': sqlite3_bind_int64(stmt, at, row * INT64_C(1000000007)); break;
    case 't':
        sqlite3_bind_text(stmt, at, texts[k % (int)COUNT_OF(texts)].data,
                          texts[k % (int)COUNT_OF(texts)].length, NULL);
        break;
    case 'b':
        sqlite3_bind_blob(stmt, at, texts[k % (int)COUNT_OF(texts)].data,
                          texts[k % (int)COUNT_OF(texts)].length, NULL);
        break;
    case 'D': sqlite3_bind_text(stmt, at, dates[k % (int)COUNT_OF(dates)], -1, NULL); break;
    case 'T': sqlite3_bind_text(stmt, at, times[k % (int)COUNT_OF(times)], -1, NULL); break;
    case 'S': sqlite3_bind_text(stmt, at, stamps[k % (int)COUNT_OF(stamps)], -1, NULL); break;
    case 'Z': sqlite3_bind_text(stmt, at, zoned[k % (int)COUNT_OF(zoned)], -1, NULL); break;
    case 'U': sqlite3_bind_text(stmt, at, uuids[k % (int)COUNT_OF(uuids)], -1, NULL); break;
    default: break;
    }
}

static void fill(sqlite3 *db, const char *sql, const char *const *kinds, int nkinds, int rows) {
    sqlite3_stmt *stmt;
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK) {
        fprintf(stderr, "fixture: %s\n", sqlite3_errmsg(db));
        abort();
    }
    for (int row = 0; row < rows; row++) {
        sqlite3_clear_bindings(stmt);
        for (int i = 0; i < nkinds; i++) bind_fixture(stmt, i + 1, kinds[i], row);
        if (sqlite3_step(stmt) != SQLITE_DONE) {
            fprintf(stderr, "fixture: %s\n", sqlite3_errmsg(db));
            abort();
        }
        sqlite3_reset(stmt);
    }
    sqlite3_finalize(stmt);
}

static sqlite3 *create(const char *path, const char *pragma) {
    sqlite3 *db;
    if (sqlite3_open(path, &db) != SQLITE_OK) abort();
    run(db, pragma);
    run(db, plain_table);
    run(db, strict_table);
    static const char *const plain[] = {"s", "!s", "r", "d", "w", "r", "t", "t", "t", "t",
                                        "b", "l",  "D", "T", "S", "Z", "U", "t", "t"};
    static const char *const strict[] = {"i", "!s", "r", "t", "t", "t", "b", "t"};
    fill(db,
         "INSERT INTO plain(i, b, r, d, w, m, t, v, n, k, bl, bo, da, ti, ts, tz, u, x, "
         "\"se\"\"le'ct\") "
         "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
         plain, COUNT_OF(plain), 60);
    fill(db, "INSERT INTO strict_one(i, j, r, t, n, k, bl, a) VALUES(?,?,?,?,?,?,?,?)", strict,
         COUNT_OF(strict), 60);
    run(db, other_tables);
    return db;
}

/* Values of every wrong class in every column. */
static void dirty(sqlite3 *db) {
    static const char *const wrong[] = {
        "'abc'", "x'00ff'", "1.25", "7", "'2024-13-45'", "'tooooooooooooooooooooo long'", "2"};
    static const char *const columns[] = {"i",  "r",  "d",  "w",  "m",  "t",
                                          "v",  "n",  "k",  "bl", "bo", "da",
                                          "ti", "ts", "tz", "u",  "x",  "\"se\"\"le'ct\""};
    for (size_t c = 0; c < COUNT_OF(columns); c++) {
        for (size_t w = 0; w < COUNT_OF(wrong); w++) {
            char *sql = sqlite3_mprintf("INSERT INTO plain(b, %s) VALUES(%d, %s)", columns[c],
                                        (int)(1000 + c * 10 + w), wrong[w]);
            run(db, sql);
            sqlite3_free(sql);
        }
    }
}

static const Quirks *sqlite_quirks(Arena *arena, const char *folder) {
    const char *clean = arena_printf(arena, "%s/clean.db", folder),
               *bad = arena_printf(arena, "%s/dirty.db", folder);
    const char *wide = arena_printf(arena, "%s/wide.db", folder),
               *wal = arena_printf(arena, "%s/wal.db", folder);
    sqlite3_close(create(clean, "PRAGMA encoding = 'UTF-8'"));
    sqlite3_close(create(wide, "PRAGMA encoding = 'UTF-16le'"));
    sqlite3_close(create(wal, "PRAGMA journal_mode = WAL"));
    sqlite3 *db = create(bad, "PRAGMA encoding = 'UTF-8'");
    dirty(db);
    sqlite3_close(db);
    static TribOption options[8][4];
    TribOption filled[8][4] = {
        {OPTION("path", clean)},
        {OPTION("path", clean), OPTION("declared_exact", "true")},
        {OPTION("path", bad), OPTION("on_mismatch", "null")},
        {OPTION("path", bad), OPTION("on_mismatch", "varchar")},
        {OPTION("path", wide), OPTION("declared_exact", "true")},
        {OPTION("path", wal), OPTION("mode", "readwrite")},
        {OPTION("path", clean), OPTION("parallel", "relaxed"), OPTION("max_connections", "3")},
        {OPTION("path", clean), OPTION("max_connections", "1"), OPTION("busy_timeout", "1000")},
    };
    memcpy(options, filled, sizeof options);
    static const TribOption wrong[] = {
        OPTION("path", NULL),           OPTION("path", ""),
        OPTION("path", ":memory:"),     OPTION("mode", "rw"),
        OPTION("busy_timeout", "soon"), OPTION("max_connections", "0"),
        OPTION("hide", "plain"),        OPTION("pth", "x")};
    static const Case cases[] = {
        {.name = "clean",
         .options = options[0],
         .noptions = 1,
         .schema = "main",
         .endless = "endless",
         .expects_exact = true,
         .expects_order = true},
        {.name = "declared exact",
         .options = options[1],
         .noptions = 2,
         .schema = "main",
         .endless = "endless",
         .expects_exact = true,
         .expects_order = true},
        {.name = "dirty as null",
         .options = options[2],
         .noptions = 2,
         .schema = "main",
         .only = "plain"},
        {.name = "dirty as varchar",
         .options = options[3],
         .noptions = 2,
         .schema = "main",
         .only = "plain"},
        {.name = "UTF-16",
         .options = options[4],
         .noptions = 2,
         .schema = "main",
         .endless = "endless"},
        {.name = "WAL",
         .options = options[5],
         .noptions = 2,
         .schema = "main",
         .only = "strict_one"},
        {.name = "parallel",
         .options = options[6],
         .noptions = 3,
         .schema = "main",
         .only = "sparse"},
    };
    static Quirks quirks = {.type = "sqlite",
                            .wrong = wrong,
                            .nwrong = COUNT_OF(wrong),
                            .cases = cases,
                            .ncases = COUNT_OF(cases),
                            .nsingle = 3};
    quirks.single = options[7];
    return &quirks;
}

/* ---------------------------------------------------------------- memory: filled through the ABI */

static const Quirks *memory_quirks(void) {
    static const TribOption wrong[] = {OPTION("path", "x")};
    static const Case cases[] = {{.name = "memory", .schema = "default"}};
    static const Quirks quirks = {
        .type = "memory", .wrong = wrong, .nwrong = COUNT_OF(wrong), .cases = cases, .ncases = 1};
    return &quirks;
}

enum { FILLED_ROWS = 60 };

static TribValue filled_value(TribType type, int row) {
    TribValue value = {.type = type, .is_null = (row + type.id) % 7 == 0};
    switch (type.id) {
    case TRIB_TYPE_DOUBLE: value.as.real = reals[row % (int)COUNT_OF(reals)]; break;
    case TRIB_TYPE_REAL: value.as.real = row * 0.5; break;
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_VARBINARY:
        value.as.text.data = texts[row % (int)COUNT_OF(texts)].data;
        value.as.text.length = (size_t)texts[row % (int)COUNT_OF(texts)].length;
        break;
    case TRIB_TYPE_BIGINT: value.as.integer = integers[row % (int)COUNT_OF(integers)]; break;
    case TRIB_TYPE_BOOLEAN: value.as.integer = row % 2; break;
    case TRIB_TYPE_DECIMAL:
        if (type.precision > 18)
            value.as.wide = (__int128)(row - 30) * INT64_MAX;
        else
            value.as.integer = row * 37 - 300;
        break;
    default: value.as.integer = row * 2 - 50; break;
    }
    return value;
}

static void fill_batch(const Subject *subject, const TribTable *table, TribWriter *writer) {
    BatchBuilder *builder;
    TribError err;
    TribBatch batch;
    TribType types[32];
    for (uint32_t i = 0; i < table->ncolumns; i++) types[i] = table->columns[i].type;
    TribStatus status = batch_builder_new(&subject->host->host, types, table->ncolumns, 1000,
                                          1 << 20, &builder, &err);
    if (status == TRIB_OK) status = batch_begin(builder, &err);
    for (int row = 0; status == TRIB_OK && row < FILLED_ROWS; row++) {
        for (uint32_t i = 0; i < table->ncolumns && status == TRIB_OK; i++) {
            TribValue value = filled_value(types[i], row);
            status = batch_value(builder, i, (uint32_t)row, &value, &err);
        }
        batch_row_done(builder);
    }
    if (!CHECK(status == TRIB_OK, "the fixture cannot be built: %s", err.message)) return;
    batch_finish(builder, &batch);
    status = subject->connector->write_batch(writer, &batch, &err);
    CHECK(status == TRIB_OK, "write_batch: %s", err.message);
    batch.array.release(&batch.array);
    batch_builder_free(builder);
}

void quirks_fill(const Subject *subject, Arena *arena, const char *schema) {
    static const struct {
        const char *name;
        TribType type;
    } columns[] = {
        {"c_bool", {.id = TRIB_TYPE_BOOLEAN}},
        {"c_tiny", {.id = TRIB_TYPE_TINYINT}},
        {"c_small", {.id = TRIB_TYPE_SMALLINT}},
        {"c_int", {.id = TRIB_TYPE_INTEGER}},
        {"c_big", {.id = TRIB_TYPE_BIGINT}},
        {"c_real", {.id = TRIB_TYPE_REAL}},
        {"c_double", {.id = TRIB_TYPE_DOUBLE}},
        {"c_dec", {.id = TRIB_TYPE_DECIMAL, .precision = 10, .scale = 2}},
        {"c_wide", {.id = TRIB_TYPE_DECIMAL, .precision = 38}},
        {"c_text", {.id = TRIB_TYPE_VARCHAR}},
        {"c_blob", {.id = TRIB_TYPE_VARBINARY}},
        {"c_date", {.id = TRIB_TYPE_DATE}},
        {"c_stamp", {.id = TRIB_TYPE_TIMESTAMP, .precision = 6}},
    };
    TribColumn *list = ARENA_ARRAY(arena, TribColumn, COUNT_OF(columns));
    TribError err;
    for (size_t i = 0; i < COUNT_OF(columns); i++) {
        list[i] = (TribColumn){.name = columns[i].name,
                               .type = columns[i].type,
                               .nullable = true,
                               .distinct = -1,
                               .null_fraction = -1};
    }
    TribTable table = {.size = sizeof table,
                       .schema = schema,
                       .name = "filled",
                       .ncolumns = COUNT_OF(columns),
                       .columns = list,
                       .rows = -1,
                       .writable = true};
    const TribConnector *c = subject->connector;
    TribDdl ddl = {.size = sizeof ddl,
                   .kind = TRIB_DDL_CREATE_TABLE,
                   .schema = schema,
                   .name = "filled",
                   .table = &table};
    TribStatus status = c->ddl(subject->catalog, &subject->call->call, &ddl, &err);
    if (status == TRIB_STATE && strcmp(err.sqlstate, "25006") == 0) { /* opened for reading only */
        error_check(&err, status, subject->catalog_name);
        return;
    }
    if (!CHECK(status == TRIB_OK, "CREATE TABLE: %s", err.message)) return;
    error_rubbish(&err);
    status = c->ddl(subject->catalog, &subject->call->call, &ddl, &err);
    if (CHECK(status == TRIB_EXISTS, "CREATE TABLE again: status %d", status))
        error_check(&err, status, subject->catalog_name);
    uint32_t all[COUNT_OF(columns)];
    for (uint32_t i = 0; i < COUNT_OF(columns); i++) all[i] = i;
    for (int commit = 0; commit < 2; commit++) { /* the first is undone */
        uint64_t rows = 0;
        TribWriter *writer;
        TribWriteRequest request = {.size = sizeof request,
                                    .kind = TRIB_WRITE_INSERT,
                                    .table = &table,
                                    .ncolumns = COUNT_OF(columns),
                                    .columns = all};
        status = c->write_open(subject->catalog, &subject->call->call, &request, &writer, &err);
        if (!CHECK(status == TRIB_OK, "write_open: %s", err.message)) return;
        fill_batch(subject, &table, writer);
        status = c->write_close(writer, commit, &rows, &err);
        CHECK(status == TRIB_OK && (!commit || rows == FILLED_ROWS), "write_close: %llu rows",
              (unsigned long long)rows);
    }
}

/* ---------------------------------------------------------------- mysql */

enum { MYSQL_BASE = 5, MYSQL_OPTIONS = MYSQL_BASE + 4, MYSQL_CASES = 5 };

/* Each case: what is set beside the server's address, and the tables (of mysql_conform.sql) that it concerns. */
static const struct {
    const char *name, *only;
    TribOption more[MYSQL_OPTIONS - MYSQL_BASE];
} mysql_cases[MYSQL_CASES] = {
    {.name = "schema"},
    {.name = "relaxed",
     .only = "ranges sparse",
     .more = {OPTION("parallel", "relaxed"), OPTION("split_rows", "20")}},
    {.name = "consistent", .only = "ranges sparse", .more = {OPTION("split_rows", "20")}},
    {.name = "as text",
     .only = "moments vast lumps",
     .more = {OPTION("zero_dates", "varchar"), OPTION("time", "varchar"),
              OPTION("decimal", "overflow_varchar"), OPTION("tinyint1", "boolean")}},
    {.name = "rounded", .only = "vast", .more = {OPTION("decimal", "round")}},
};

static uint32_t mysql_address(TribOption *options) {
    static const char *const names[MYSQL_BASE] = {"host", "port", "socket", "user", "password"};
    static const char *const variables[MYSQL_BASE] = {
        "TRIB_TEST_MYSQL_HOST", "TRIB_TEST_MYSQL_PORT", "TRIB_TEST_MYSQL_SOCKET",
        "TRIB_TEST_MYSQL_USER", "TRIB_TEST_MYSQL_PASSWORD"};
    uint32_t count = 0;
    for (size_t i = 0; i < MYSQL_BASE; i++) {
        const char *value = os_env(variables[i]);
        if (value) options[count++] = (TribOption)OPTION(names[i], value);
    }
    return count;
}

static const Quirks *mysql_quirks(void) {
    static TribOption options[MYSQL_CASES][MYSQL_OPTIONS], single[MYSQL_OPTIONS];
    static Case cases[MYSQL_CASES];
    static const TribOption wrong[] = {OPTION("user", NULL), OPTION("port", "0"),
                                       OPTION("tls", "maybe"), OPTION("hostname", "x")};
    static Quirks quirks = {.type = "mysql",
                            .wrong = wrong,
                            .nwrong = COUNT_OF(wrong),
                            .cases = cases,
                            .ncases = MYSQL_CASES};
    const char *schema = os_env("TRIB_TEST_MYSQL_SCHEMA");
    if (!schema || !os_env("TRIB_TEST_MYSQL_USER")) return NULL;
    for (uint32_t c = 0; c < MYSQL_CASES; c++) {
        uint32_t count = mysql_address(options[c]);
        for (size_t i = 0; i < COUNT_OF(mysql_cases[c].more) && mysql_cases[c].more[i].name; i++)
            options[c][count++] = mysql_cases[c].more[i];
        cases[c] = (Case){.name = mysql_cases[c].name,
                          .only = mysql_cases[c].only,
                          .options = options[c],
                          .noptions = count,
                          .schema = schema,
                          .endless = c == 0 ? "endless" : NULL,
                          .expects_exact = c == 0,
                          .expects_splits = c == 1 || c == 2};
    }
    uint32_t count = mysql_address(single);
    single[count] = (TribOption)OPTION("max_connections", "1");
    quirks.single = single;
    quirks.nsingle = count + 1;
    return &quirks;
}

/* ---------------------------------------------------------------- dynamodb */

/* Where TRIB_TEST_DYNAMODB_ENDPOINT names a server that tests/fixtures/dynamodb.py has filled. */
static const Quirks *dynamodb_quirks(void) {
    static TribOption options[5][8], single[5];
    static const char declared[] =
        "{\"dirty\": {\"id\": \"bigint\", \"n\": \"integer\", \"t\": \"varchar(3)\", \"day\": "
        "\"date\"},"
        " \"hostile\": {\"id\": \"varchar\", \"t\": \"varchar(2)\", \"i\": \"smallint\", \"d\": "
        "\"decimal(10,2)\", \"bo\": \"boolean\", \"b\": \"varbinary\", \"small\": \"double\", "
        "\"doc\": "
        "\"json\"}}";
    static const TribOption wrong[] = {
        OPTION("endpoint", "localhost:8000"), OPTION("endpoint", "http://"),
        OPTION("region", "not a region"),     OPTION("credentials", "somewhere"),
        OPTION("secret_access_key", NULL),    OPTION("on_mismatch", "ignore"),
        OPTION("sample_items", "0"),          OPTION("tables", "{\"t\": {\"c\": \"varchr\"}}"),
        OPTION("tables", "{\"t\": []}"),      OPTION("table", "x")};
    static Case cases[] = {
        {.name = "sampled", .schema = "default", .expects_exact = true},
        {.name = "declared, lenient", .schema = "default", .expects_exact = true},
        {.name = "sampled from one item, in segments", .schema = "default", .only = "dirty"},
        {.name = "odd values as text", .schema = "default", .only = "dirty"},
        {.name = "consistent", .schema = "default", .only = "ranged", .expects_exact = true},
    };
    static const TribOption extra[5][4] = {
        {{0}},
        {OPTION("tables", declared), OPTION("on_mismatch", "null")},
        {OPTION("sample_items", "1"), OPTION("segments", "3")},
        {OPTION("on_mismatch", "varchar"), OPTION("sample_items", "2")},
        {OPTION("consistent_read", "true"), OPTION("max_connections", "2")},
    };
    static Quirks quirks = {.type = "dynamodb",
                            .wrong = wrong,
                            .nwrong = COUNT_OF(wrong),
                            .cases = cases,
                            .ncases = COUNT_OF(cases)};
    const char *endpoint = os_env("TRIB_TEST_DYNAMODB_ENDPOINT");
    if (!endpoint) return NULL;
    const TribOption common[] = {OPTION("endpoint", endpoint), OPTION("access_key_id", "test"),
                                 OPTION("secret_access_key", "test"),
                                 OPTION("hide", "[\"parts*\", \"many\"]")};
    for (size_t c = 0; c < COUNT_OF(cases); c++) {
        memcpy(options[c], common, sizeof common);
        uint32_t count = COUNT_OF(common);
        for (size_t i = 0; i < COUNT_OF(extra[c]) && extra[c][i].name; i++)
            options[c][count++] = extra[c][i];
        cases[c].options = options[c];
        cases[c].noptions = count;
    }
    memcpy(single, common, sizeof common);
    single[COUNT_OF(common)] = (TribOption)OPTION("max_connections", "1");
    quirks.single = single;
    quirks.nsingle = COUNT_OF(common) + 1;
    return &quirks;
}

const Quirks *quirks_prepare(Arena *arena, const char *type, const char *folder) {
    if (strcmp(type, "template") == 0) return template_quirks();
    if (strcmp(type, "sqlite") == 0) return sqlite_quirks(arena, folder);
    if (strcmp(type, "memory") == 0) return memory_quirks();
    if (strcmp(type, "mysql") == 0) return mysql_quirks();
    if (strcmp(type, "dynamodb") == 0) return dynamodb_quirks();
    if (strcmp(type, "lake") == 0) return quirks_lake(arena, folder);
    return NULL;
}
