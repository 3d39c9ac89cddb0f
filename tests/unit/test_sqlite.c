/*
 * test_sqlite.c - the SQLite connector: declared types, stored values, messages, the text that is sent,
 * locks, files that change or are damaged. What every connector must do is tested by the conformance
 * suite.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "connectors/sqlite/sqlite_internal.h"
#include "engine/base/calendar.h"
#include "engine/base/os.h"
#include "tests/connectors/conform.h"
#include "tests/connectors/sqlite_file.h"

/* ---------------------------------------------------------------- a file and a catalog */

typedef struct Fixture {
    Arena *arena;
    char folder[64];
    char path[96];
    TestHost host;
    TestCall call;
    Subject subject;
} Fixture;

static void fixture_open(Fixture *f, const char *sql, const TribOption *more, uint32_t nmore) {
    TribOption options[8] = {{.name = "path", .value = f->path}};
    Error err;
    memset(f, 0, sizeof *f);
    f->arena = arena_new(NULL);
    snprintf(f->folder, sizeof f->folder, "/tmp/tributary-sqlite-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/file.db", f->folder);
    if (sql) sqlite_file_run(f->path, sql);
    for (uint32_t i = 0; i < nmore; i++) options[1 + i] = more[i];
    test_host_init(&f->host);
    test_call_init(&f->call, &f->host);
    f->subject = (Subject){
        .connector = trib_connector(), .catalog_name = "shop", .host = &f->host, .call = &f->call};
    Status status = f->subject.connector->open(&f->host.host, "shop", options, 1 + nmore,
                                               &f->subject.catalog, &err);
    if (status != TRIB_OK) fail_msg("%s", err.message);
}

static void fixture_close(Fixture *f) {
    char command[128];
    f->subject.connector->close(f->subject.catalog);
    test_call_clear(&f->call);
    assert_int_equal(atomic_load(&f->host.blocks), 0);
    arena_free(f->arena);
    snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
    assert_int_equal(system(command), 0);
}

typedef struct Copied {
    Arena *arena;
    TribTable table;
} Copied;

static TribStatus copy_described(void *context, const TribTable *table, TribError *err) {
    Copied *self = context;
    TribColumn *columns = ARENA_ARRAY(self->arena, TribColumn, table->ncolumns);
    TribKey *keys = ARENA_ARRAY(self->arena, TribKey, table->nkeys);
    self->table = *table;
    self->table.name = arena_strdup(self->arena, table->name);
    self->table.schema = arena_strdup(self->arena, table->schema);
    if (table->facts) self->table.facts = arena_strdup(self->arena, table->facts);
    for (uint32_t i = 0; i < table->ncolumns; i++) {
        columns[i] = table->columns[i];
        columns[i].name = arena_strdup(self->arena, columns[i].name);
        columns[i].facts = arena_strdup(self->arena, columns[i].facts);
        columns[i].remote_type = arena_strdup(self->arena, columns[i].remote_type);
    }
    for (uint32_t i = 0; i < table->nkeys; i++) {
        keys[i] = table->keys[i];
        keys[i].name = arena_strdup(self->arena, keys[i].name);
        keys[i].columns = (const uint32_t *)(const void *)arena_copy(
            self->arena, keys[i].columns, keys[i].ncolumns * sizeof(uint32_t));
    }
    self->table.columns = columns;
    self->table.keys = keys;
    return TRIB_OK;
}

static TribStatus discard_described(void *context, const TribTable *table, TribError *err) {
    return TRIB_OK;
}

static const TribTable *table_of(Fixture *f, const char *name) {
    Copied *copied = ARENA_NEW(f->arena, Copied);
    copied->arena = f->arena;
    TribNames names = {.self = copied, .described = copy_described};
    Error err;
    Status status = f->subject.connector->describe_table(f->subject.catalog, &f->call.call, "main",
                                                         name, &names, &err);
    if (status != TRIB_OK) fail_msg("%s", err.message);
    return &copied->table;
}

static Answer read_all(Fixture *f, const char *table) {
    Answer answer;
    Ask what = ask_all(f->arena, table_of(f, table));
    ask(&f->subject, f->arena, &what, &answer);
    return answer;
}

/* ---------------------------------------------------------------- types */

static void test_types(void **state) {
    static const struct {
        const char *declared;
        uint8_t id;
        uint8_t precision;
        int8_t scale;
        uint32_t length;
        char kind;
    } cases[] = {
        {"INTEGER", TRIB_TYPE_BIGINT, 0, 0, 0, 'i'},
        {"unsigned big int", TRIB_TYPE_BIGINT, 0, 0, 0, 'i'},
        {"TinyInt(1)", TRIB_TYPE_BIGINT, 0, 0, 0, 'i'},
        {"POINT", TRIB_TYPE_BIGINT, 0, 0, 0, 'i'},
        {"bool", TRIB_TYPE_BOOLEAN, 0, 0, 0, 'l'},
        {"double  precision", TRIB_TYPE_DOUBLE, 0, 0, 0, 'r'},
        {"FLOAT(24)", TRIB_TYPE_DOUBLE, 0, 0, 0, 'r'},
        {"DECIMAL(10,2)", TRIB_TYPE_DECIMAL, 10, 2, 0, 'd'},
        {"numeric ( 38 , 9 )", TRIB_TYPE_DECIMAL, 38, 9, 0, 'd'},
        {"DECIMAL(5)", TRIB_TYPE_DECIMAL, 5, 0, 0, 'd'},
        {"DECIMAL", TRIB_TYPE_DOUBLE, 0, 0, 0, 'r'},
        {"DECIMAL(39,2)", TRIB_TYPE_DOUBLE, 0, 0, 0, 'r'},
        {"DECIMAL(4,9)", TRIB_TYPE_DOUBLE, 0, 0, 0, 'r'},
        {"TEXT", TRIB_TYPE_VARCHAR, 0, 0, 0, 't'},
        {"VARCHAR(20)", TRIB_TYPE_VARCHAR, 0, 0, 20, 't'},
        {"native character(70)", TRIB_TYPE_VARCHAR, 0, 0, 70, 't'},
        {"CHAR(3)", TRIB_TYPE_VARCHAR, 0, 0, 3, 't'},
        {"BLOB", TRIB_TYPE_VARBINARY, 0, 0, 0, 'b'},
        {"DATE", TRIB_TYPE_DATE, 0, 0, 0, 'D'},
        {"DATETIME", TRIB_TYPE_TIMESTAMP, 6, 0, 0, 'S'},
        {"TIMESTAMP(3)", TRIB_TYPE_TIMESTAMP, 3, 0, 0, 'S'},
        {"TIMESTAMP(9) WITH TIME ZONE", TRIB_TYPE_TIMESTAMP_TZ, 9, 0, 0, 'Z'},
        {"time(0)", TRIB_TYPE_TIME, 0, 0, 0, 'T'},
        {"uuid", TRIB_TYPE_UUID, 0, 0, 0, 'U'},
        {"", TRIB_TYPE_VARCHAR, 0, 0, 0, 'x'},
        {NULL, TRIB_TYPE_VARCHAR, 0, 0, 0, 'x'},
        {"JSON", TRIB_TYPE_VARCHAR, 0, 0, 0, 'x'},
        {"STRING", TRIB_TYPE_VARCHAR, 0, 0, 0, 'x'},
        {"((((", TRIB_TYPE_VARCHAR, 0, 0, 0, 'x'},
        {"VARCHAR(-1)", TRIB_TYPE_VARCHAR, 0, 0, 0, 't'},
        {"VARCHAR(99999999999999999999)", TRIB_TYPE_VARCHAR, 0, 0, 0, 't'},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TribType type;
        LiteKind kind;
        lite_type(cases[i].declared, MISMATCH_ERROR, false, &type, &kind);
        if (type.id != cases[i].id || type.precision != cases[i].precision ||
            type.scale != cases[i].scale || type.length != cases[i].length ||
            (char)kind != cases[i].kind) {
            fail_msg("%s: type %u(%u,%d) length %u kind %c", cases[i].declared, type.id,
                     type.precision, type.scale, type.length, (char)kind);
        }
    }
}

static void test_stored_text(void **state) {
    int32_t days, ns;
    int64_t time, us;
    uint8_t uuid[16];
    static const char *const bad_dates[] = {
        "2024-1-15",  "2024-02-30", "2023-02-29", " 2024-01-15", "2024-01-15 ", "24-01-15",
        "2024/01/15", "2024-01-1x", "",           "2024-13-01",  "-024-01-15"};
    assert_true(lite_parse_date(STR("2024-02-29"), &days));
    assert_int_equal(days, 19782);
    for (size_t i = 0; i < COUNT_OF(bad_dates); i++)
        assert_false(lite_parse_date(str_from(bad_dates[i]), &days));
    assert_true(lite_parse_time(STR("23:59"), 0, &time));
    assert_true(time == (23 * 60 + 59) * INT64_C(60000000000));
    assert_true(lite_parse_time(STR("00:00:01.500000000"), 1, &time));
    assert_true(time == 1500000000);
    assert_false(lite_parse_time(STR("00:00:01.25"), 1, &time));
    assert_false(lite_parse_time(STR("24:00:00"), 6, &time));
    assert_false(lite_parse_time(STR("23:59:60"), 6, &time));
    assert_false(lite_parse_time(STR("1:00:00"), 6, &time));
    assert_false(lite_parse_time(STR("10:00:00."), 6, &time));
    assert_false(lite_parse_time(STR("10:00:00 "), 6, &time));
    assert_true(lite_parse_timestamp(STR("1969-12-31T23:59:59.999999999"), 9, &us, &ns));
    assert_true(us == -1);
    assert_int_equal(ns, 999);
    assert_false(lite_parse_timestamp(STR("1969-12-31T23:59:59.9999999"), 6, &us, &ns));
    assert_false(lite_parse_timestamp(STR("2024-01-15 10:00:00Z"), 6, &us, &ns));
    assert_true(lite_parse_uuid(STR("12151fd2-7586-11E9-8f9e-2a86e4085a59"), uuid));
    assert_int_equal(uuid[0], 0x12);
    assert_int_equal(uuid[15], 0x59);
    assert_false(lite_parse_uuid(STR("12151fd2-7586-11E9-8f9e-2a86e4085a5g"), uuid));
    assert_false(lite_parse_uuid(STR("12151fd27-586-11E9-8f9e-2a86e4085a59"), uuid));
}

static void test_real_to_decimal(void **state) {
    static const struct {
        double value;
        uint8_t precision;
        int8_t scale;
        bool good;
        int64_t unscaled;
    } cases[] = {
        {19.99, 10, 2, true, 1999},
        {59.980000000000004, 10, 2, true, 5998},
        {0.1 + 0.2, 10, 1, true, 3},
        {12.345, 10, 2, false, 0},
        {-0.0, 10, 2, true, 0},
        {1e9, 10, 2, false, 0},
        {99999999.99, 10, 2, true, 9999999999},
        {1e308, 38, 0, false, 0},
        {0.5, 5, 0, false, 0},
        {-7.25, 4, 2, true, -725},
        {1e-20, 10, 2, false, 0},
        {123456789012345.0, 18, 3, true, 123456789012345000},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        __int128 out = 0;
        TribType type = {
            .id = TRIB_TYPE_DECIMAL, .precision = cases[i].precision, .scale = cases[i].scale};
        bool good = lite_real_to_decimal(cases[i].value, type, &out);
        if (good != cases[i].good || (good && out != cases[i].unscaled))
            fail_msg("case %zu: %d %lld", i, good, (long long)out);
    }
}

/* ---------------------------------------------------------------- metadata */

static void test_describe(void **state) {
    Fixture f;
    fixture_open(&f,
                 "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT NOT NULL DEFAULT 'x', b TEXT "
                 "COLLATE NOCASE, g AS (a || b));"
                 "CREATE UNIQUE INDEX ti ON t(a, b); CREATE INDEX tb ON t(b); CREATE UNIQUE INDEX "
                 "tp ON t(b) WHERE b > 'z';"
                 "INSERT INTO t(a, b) VALUES('1','x'),('2','x'),('3','y'),('4','y'); ANALYZE;"
                 "CREATE TABLE p(a TEXT, b TEXT, PRIMARY KEY(b, a)) WITHOUT ROWID; CREATE TABLE "
                 "\"q\"\"'\"(x INT);"
                 "CREATE TABLE d(id INTEGER PRIMARY KEY DESC); CREATE TABLE tmp_x(a); CREATE VIEW "
                 "v AS SELECT a, count(*) c FROM t;",
                 &(TribOption){.name = "hide", .value = "[\"TMP_*\"]"}, 1);
    const TribTable *t = table_of(&f, "t");
    assert_int_equal(t->ncolumns, 4);
    assert_false(t->columns[0].nullable);
    assert_false(t->columns[1].nullable);
    assert_string_equal(t->columns[1].default_sql ? "there" : "", "there");
    assert_string_equal(t->columns[0].facts, "isb");
    assert_string_equal(t->columns[2].facts, "tn");
    assert_true(t->rows == 4);
    assert_true(t->columns[2].distinct == 2);
    assert_int_equal(t->nkeys, 3); /* the partial index is no key */
    assert_true(t->keys[0].primary);
    assert_int_equal(t->keys[1].ncolumns, 2);
    assert_true(t->keys[1].unique && !t->keys[1].primary);
    assert_false(t->keys[2].unique);
    const TribTable *p = table_of(&f, "p");
    assert_null(p->facts);
    assert_int_equal(p->keys[0].columns[0], 1);
    assert_false(p->columns[0].nullable);
    assert_string_equal(table_of(&f, "d")->columns[0].facts, "ib"); /* DESC: not the rowid */
    assert_int_equal(table_of(&f, "v")->kind, TRIB_TABLE_VIEW);
    assert_int_equal(table_of(&f, "q\"'")->ncolumns, 1);
    Error err;
    TribNames names = {.described = copy_described};
    assert_int_equal(
        f.subject.connector->describe_table(f.subject.catalog, NULL, "main", "tmp_x", &names, &err),
        TRIB_NOT_FOUND);
    assert_string_equal(err.sqlstate, "42S02");
    assert_int_equal(
        f.subject.connector->describe_table(f.subject.catalog, NULL, "temp", "t", &names, &err),
        TRIB_NOT_FOUND);
    assert_string_equal(err.sqlstate, "3F000");
    fixture_close(&f);
}

/* ---------------------------------------------------------------- mismatches */

static void mismatch_says(const char *sql, const char *message, const char *detail) {
    Fixture f;
    fixture_open(&f, sql, NULL, 0);
    Answer answer = read_all(&f, "t");
    assert_int_equal(answer.status, TRIB_DATA);
    assert_string_equal(answer.err.message, message);
    assert_string_equal(answer.err.detail, detail);
    assert_string_equal(answer.err.source, "shop");
    fixture_close(&f);
}

static void test_mismatch(void **state) {
    mismatch_says("CREATE TABLE t(i INTEGER); INSERT INTO t(rowid, i) VALUES(7, 1), (9, 'abc')",
                  "column \"i\" of table \"t\" is declared INTEGER but holds the text 'abc'",
                  "the row with rowid 9");
    mismatch_says("CREATE TABLE t(d DATE); INSERT INTO t VALUES(20240115)",
                  "column \"d\" of table \"t\" is declared DATE but holds the integer 20240115",
                  "the row with rowid 1");
    mismatch_says("CREATE TABLE t(v VARCHAR(3)); INSERT INTO t VALUES('äöü'), ('äöüß')",
                  "column \"v\" of table \"t\" is declared VARCHAR(3) but holds the text 'äöüß'",
                  "the row with rowid 2");
    mismatch_says("CREATE TABLE t(p TEXT PRIMARY KEY, b BLOB) WITHOUT ROWID; INSERT INTO t "
                  "VALUES('a', x'00'), ('b', 'it''s')",
                  "column \"b\" of table \"t\" is declared BLOB but holds the text 'it''s'",
                  "row 2 of the scan");
    mismatch_says("CREATE TABLE t(x TEXT); INSERT INTO t VALUES(CAST(x'61ff62' AS TEXT))",
                  "column \"x\" of table \"t\" holds text that is not valid UTF-8",
                  "the row with rowid 1");
    Fixture f;
    static const TribOption as_null = {.name = "on_mismatch", .value = "null"};
    fixture_open(&f,
                 "CREATE TABLE t(i INTEGER, d DECIMAL(4,2)); INSERT INTO t VALUES(1, 1.5), ('x', "
                 "2), (3, 1.234), (x'00', 100)",
                 &as_null, 1);
    Answer answer = read_all(&f, "t");
    assert_int_equal(answer.status, TRIB_OK);
    assert_int_equal(answer.rows.count, 4);
    assert_true(rows_at(&answer.rows, 1)[0].is_null);
    assert_true(rows_at(&answer.rows, 2)[1].is_null);
    assert_true(rows_at(&answer.rows, 3)[1].is_null);
    assert_int_equal(rows_at(&answer.rows, 1)[1].as.integer, 200);
    assert_non_null(
        strstr(f.call.warnings,
               "2 values of column \"i\" of table \"t\" are not of the declared type INTEGER"));
    assert_non_null(strstr(f.call.warnings, "2 values of column \"d\""));
    fixture_close(&f);
}

/* ---------------------------------------------------------------- the text that is sent */

static void sent(Fixture *f, const TribTable *table, Expr *condition, int64_t limit,
                 TribVerdictKind kind, const char *text) {
    Answer answer;
    TribPlan *plan;
    Ask what = ask_all(f->arena, table);
    what.noutput = 1;
    what.conjuncts = &condition;
    what.nconjuncts = 1;
    what.limit = limit;
    assert_int_equal(ask_plan(&f->subject, f->arena, &what, &answer, &plan), TRIB_OK);
    assert_string_equal(answer.text, text);
    assert_int_equal(answer.verdicts[0].kind, kind);
    f->subject.connector->plan_release(plan);
}

static Expr *text_compare(Fixture *f, const TribTable *table, uint32_t column, uint16_t op,
                          const char *text) {
    TribValue value = {.type = {.id = TRIB_TYPE_VARCHAR}};
    value.as.text.data = text;
    value.as.text.length = strlen(text);
    Expr *pair[] = {expr_column(f->arena, table, column), expr_literal(f->arena, &value)};
    return expr_call(f->arena, op, TRIB_TYPE_BOOLEAN, 2, pair);
}

static void test_sent_text(void **state) {
    Fixture f;
    fixture_open(&f,
                 "CREATE TABLE l(id INTEGER PRIMARY KEY, t TEXT, n TEXT COLLATE NOCASE);"
                 "CREATE TABLE s(id INTEGER PRIMARY KEY, t TEXT, n TEXT COLLATE NOCASE, \"x\"\"; "
                 "DROP TABLE l\" TEXT) STRICT;",
                 NULL, 0);
    const TribTable *loose = table_of(&f, "l"), *strict = table_of(&f, "s");
    TribValue five = {.type = {.id = TRIB_TYPE_BIGINT}};
    five.as.integer = 5;
    Expr *pair[] = {expr_column(f.arena, loose, 0), expr_literal(f.arena, &five)};
    sent(&f, loose, expr_call(f.arena, TRIB_FN_gt, TRIB_TYPE_BOOLEAN, 2, pair), 3, TRIB_EXACT,
         "SELECT \"id\", rowid FROM main.\"l\" WHERE \"id\" > ? LIMIT 3\nparams:   5");
    sent(&f, loose, text_compare(&f, loose, 1, TRIB_FN_eq, "it's"), 3, TRIB_SUPERSET,
         "SELECT \"id\", rowid FROM main.\"l\" WHERE (\"t\" = ? AND typeof(\"t\") IN "
         "('text'))\nparams:   'it''s'");
    sent(&f, strict, text_compare(&f, strict, 2, TRIB_FN_eq, "a"), -1, TRIB_EXACT,
         "SELECT \"id\", rowid FROM main.\"s\" WHERE (\"n\" = ? AND \"n\" COLLATE BINARY = "
         "?)\nparams:   'a', 'a'");
    sent(&f, strict, text_compare(&f, strict, 2, TRIB_FN_ge, "a"), -1, TRIB_EXACT,
         "SELECT \"id\", rowid FROM main.\"s\" WHERE \"n\" COLLATE BINARY >= ?\nparams:   'a'");
    sent(
        &f, strict, text_compare(&f, strict, 3, TRIB_FN_eq, "'; DROP TABLE s; --"), 0, TRIB_EXACT,
        "SELECT \"id\", rowid FROM main.\"s\" WHERE \"x\"\"; DROP TABLE l\" = ? LIMIT 0\nparams:   "
        "'''; DROP TABLE s; --'");
    sent(&f, strict, text_compare(&f, strict, 1, TRIB_FN_like, "a!%"), 1, TRIB_SUPERSET,
         "SELECT \"id\", rowid FROM main.\"s\" WHERE (\"t\" GLOB ? OR instr(\"t\", "
         "char(0)))\nparams:   'a!*'");
    fixture_close(&f);
}

/* ---------------------------------------------------------------- changes */

/* SET the last column to a text in all rows, or (NULL) DELETE. */
static Status change_all(Fixture *f, const char *table, const char *text, uint64_t *rows,
                         Error *err) {
    const TribTable *target = table_of(f, table);
    TribValue value = {.type = {.id = TRIB_TYPE_VARCHAR}};
    value.as.text.data = text;
    value.as.text.length = text ? strlen(text) : 0;
    TribNode node = {.kind = TRIB_NODE_LITERAL, .type = value.type};
    TribAssignment assignment = {.column = 1};
    TribModify modify = {.size = sizeof modify,
                         .table = target,
                         .nnodes = 1,
                         .nodes = &node,
                         .nvalues = 1,
                         .values = &value,
                         .nassignments = text != NULL,
                         .assignments = &assignment};
    TRY(f->subject.connector->modify(f->subject.catalog, &f->call.call, &modify, err));
    assert_int_equal(modify.verdict.kind, TRIB_EXACT);
    *rows = modify.rows;
    return TRIB_OK;
}

static void answer_is(const char *path, const char *sql, const char *wanted) {
    sqlite3 *db;
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(stmt, 0), wanted);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
}

/* Conditions in the file's definitions mean what they mean to everybody else who writes to it. */
static void test_definitions(void **state) {
    static const TribOption readwrite = {.name = "mode", .value = "readwrite"};
    Fixture f;
    Error err;
    uint64_t rows;
    fixture_open(&f,
                 "CREATE TABLE c (id INTEGER PRIMARY KEY, s TEXT CHECK (s LIKE 'a%'));"
                 "CREATE INDEX p ON c (s) WHERE s LIKE 'ab%'; INSERT INTO c VALUES (1, 'axe');"
                 "CREATE TABLE parent (id INTEGER PRIMARY KEY, s TEXT);"
                 "CREATE TABLE child (id INTEGER PRIMARY KEY, s TEXT, p INTEGER REFERENCES parent);"
                 "INSERT INTO parent VALUES (1, 'x'); INSERT INTO child VALUES (7, 'y', 1)",
                 &readwrite, 1);
    assert_int_equal(change_all(&f, "c", "ABC", &rows, &err), TRIB_OK);
    assert_int_equal(rows, 1);
    answer_is(f.path, "SELECT s FROM c", "ABC");
    answer_is(f.path, "PRAGMA integrity_check", "ok");
    assert_int_equal(change_all(&f, "c", "other", &rows, &err), TRIB_CONSTRAINT);
    assert_string_equal(err.sqlstate, "23000");
    /* Foreign keys hold. */
    assert_int_equal(change_all(&f, "parent", "z", &rows, &err), TRIB_OK);
    assert_int_equal(change_all(&f, "parent", NULL, &rows, &err), TRIB_CONSTRAINT);
    assert_string_equal(err.sqlstate, "23000");
    assert_int_equal(change_all(&f, "child", NULL, &rows, &err), TRIB_OK);
    assert_int_equal(change_all(&f, "parent", NULL, &rows, &err), TRIB_OK);
    fixture_close(&f);
}

/* ---------------------------------------------------------------- bounds */

/* What the column x of a table is described as. */
static uint8_t type_of_x(const char *definition) {
    Fixture f;
    char sql[500];
    snprintf(sql, sizeof sql, "CREATE TABLE t (%s)", definition);
    fixture_open(&f, sql, NULL, 0);
    const TribTable *t = table_of(&f, "t");
    uint8_t id = 0;
    for (uint32_t i = 0; i < t->ncolumns; i++) {
        if (sqlite3_stricmp(t->columns[i].name, "x") == 0) id = t->columns[i].type.id;
    }
    fixture_close(&f);
    return id;
}

/* A CHECK of the column's own that says exactly what a type holds proves that type; nothing else does. */
static void test_bounds(void **state) {
    static const struct {
        const char *definition;
        uint8_t id;
    } cases[] = {
        {"x INT CHECK (x BETWEEN -128 AND 127)", TRIB_TYPE_TINYINT},
        {"x INT CHECK (x BETWEEN -32768 AND 32767)", TRIB_TYPE_SMALLINT},
        {"x INT CHECK (x BETWEEN -2147483648 AND 2147483647)", TRIB_TYPE_INTEGER},
        {"\"X\" bigint not null check(((`x` between - 128 and 127)))", TRIB_TYPE_TINYINT},
        {"'x' INT CHECK ([X] BETWEEN/* , ) */-128 AND -- ')\n127)", TRIB_TYPE_TINYINT},
        {"a TEXT DEFAULT '),(' CHECK (a > ','), \"b\"\"(\" DECIMAL(7, 2), x INTEGER PRIMARY KEY "
         "CONSTRAINT check1 CHECK (x BETWEEN -32768 AND 32767), CHECK (a < 'z')",
         TRIB_TYPE_SMALLINT},
        {"x INT CHECK (x <> 5) DEFAULT 7 CHECK (x BETWEEN -128 AND 127)", TRIB_TYPE_TINYINT},
        {"x INT", TRIB_TYPE_BIGINT},
        {"x TINYINT", TRIB_TYPE_BIGINT},
        {"x INTEGER PRIMARY KEY", TRIB_TYPE_BIGINT},
        {"x INT CHECK (x BETWEEN -128 AND 128)", TRIB_TYPE_BIGINT},
        {"x INT CHECK (x NOT BETWEEN -128 AND 127)", TRIB_TYPE_BIGINT},
        {"x INT CHECK (x BETWEEN -128 AND 127 OR x > 5)", TRIB_TYPE_BIGINT},
        {"x INT CHECK ((x BETWEEN -128 AND 127) IS NOT 7)", TRIB_TYPE_BIGINT},
        {"x INT CHECK ('x' BETWEEN -128 AND 127)", TRIB_TYPE_BIGINT},
        {"y INT, x INT CHECK (y BETWEEN -128 AND 127)", TRIB_TYPE_BIGINT},
        {"x INT DEFAULT ('CHECK (x BETWEEN -128 AND 127)')", TRIB_TYPE_BIGINT},
        {"x INT /* CHECK (x BETWEEN -128 AND 127) */", TRIB_TYPE_BIGINT},
        {"y INT CHECK (y BETWEEN -128 AND 127), x INT", TRIB_TYPE_BIGINT},
        {"x INT, \"check\" INT CHECK (x BETWEEN -128 AND 127)", TRIB_TYPE_BIGINT},
        /* what is no integer to SQLite stays what it is */
        {"x TEXT CHECK (x BETWEEN -128 AND 127)", TRIB_TYPE_VARCHAR},
        {"x REAL CHECK (x BETWEEN -128 AND 127)", TRIB_TYPE_DOUBLE},
        {"x CHAR(3) CHECK ((rtrim(x) = x AND length(x) <= 3))", TRIB_TYPE_CHAR},
        {"`X` char( 3 )NOT NULL CHECK((rtrim(\"x\")=[x]and LENGTH(x)<=3))", TRIB_TYPE_CHAR},
        {"x CHAR(3)", TRIB_TYPE_VARCHAR},
        {"x CHAR(3) CHECK ((rtrim(x) = x AND length(x) <= 4))", TRIB_TYPE_VARCHAR},
        {"x CHAR(3) CHECK ((rtrim(x) = x AND length(x) <= 3) OR x = 5)", TRIB_TYPE_VARCHAR},
        {"x CHAR(3) CHECK ((rtrim('x') = x AND length(x) <= 3))", TRIB_TYPE_VARCHAR},
        {"x CHAR(3) CHECK ((ltrim(x) = x AND length(x) <= 3))", TRIB_TYPE_VARCHAR},
        {"x VARCHAR(3) CHECK ((rtrim(x) = x AND length(x) <= 3))", TRIB_TYPE_VARCHAR},
        {"x INT CHECK ((rtrim(x) = x AND length(x) <= 3))", TRIB_TYPE_BIGINT},
        {"x CHAR(3) CHECK (x BETWEEN -128 AND 127)", TRIB_TYPE_VARCHAR},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t id = type_of_x(cases[i].definition);
        if (id != cases[i].id) fail_msg("%s: type %u", cases[i].definition, id);
    }
}

static void refused_by_sqlite(const char *path, const char *sql) {
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_CONSTRAINT);
    assert_int_equal(sqlite3_extended_errcode(db), SQLITE_CONSTRAINT_CHECK);
    sqlite3_close(db);
}

static void made_as(Fixture *f, TribColumn *columns, uint32_t count) {
    Error err;
    uint32_t first = 0;
    TribKey key = {.primary = true, .unique = true, .ncolumns = 1, .columns = &first};
    TribTable table = {.size = sizeof table,
                       .schema = "main",
                       .name = "t",
                       .ncolumns = count,
                       .columns = columns,
                       .nkeys = 1,
                       .keys = &key,
                       .identity = 1};
    TribDdl ddl = {.size = sizeof ddl,
                   .kind = TRIB_DDL_CREATE_TABLE,
                   .schema = "main",
                   .name = "t",
                   .table = &table};
    if (f->subject.connector->ddl(f->subject.catalog, &f->call.call, &ddl, &err) != TRIB_OK)
        fail_msg("%s", err.message);
}

/* Tables that are made here: what SQLite itself then lets in, whoever writes, and how they are described. */
static void test_made_bounds(void **state) {
    static const TribOption readwrite = {.name = "mode", .value = "readwrite"};
    static const uint8_t ids[] = {TRIB_TYPE_INTEGER, TRIB_TYPE_TINYINT, TRIB_TYPE_SMALLINT,
                                  TRIB_TYPE_INTEGER, TRIB_TYPE_BIGINT,  TRIB_TYPE_CHAR};
    static const char *const names[] = {"id", "t", "sm\"all", "i", "b", "c"};
    TribColumn columns[COUNT_OF(ids)];
    Fixture f;
    fixture_open(&f, "VACUUM", &readwrite, 1);
    for (uint32_t i = 0; i < COUNT_OF(ids); i++)
        columns[i] = (TribColumn){.name = names[i], .type = {.id = ids[i]}, .nullable = i != 0};
    columns[5].type.length = 3;
    made_as(&f, columns, COUNT_OF(ids));
    const TribTable *t = table_of(&f, "t");
    assert_int_equal(t->ncolumns, COUNT_OF(ids));
    for (uint32_t i = 0; i < COUNT_OF(ids); i++) assert_int_equal(t->columns[i].type.id, ids[i]);
    assert_int_equal(t->identity, 1); /* the rowid still */
    assert_string_equal(t->columns[0].facts, "isb");
    sqlite_file_run(f.path, "INSERT INTO t (t, \"sm\"\"all\", i, b) VALUES "
                            "(127, 32767, 2147483647, 9223372036854775807), (-128, -32768, "
                            "-2147483648, -9223372036854775808), ('5', NULL, 5.0, 1)");
    refused_by_sqlite(f.path, "INSERT INTO t (t) VALUES (128)");
    refused_by_sqlite(f.path, "INSERT INTO t (\"sm\"\"all\") VALUES (-32769)");
    refused_by_sqlite(f.path, "INSERT INTO t (i) VALUES ('a text')");
    refused_by_sqlite(f.path, "INSERT INTO t (i) VALUES (x'00')");
    refused_by_sqlite(f.path, "INSERT INTO t (id) VALUES (2147483648)");
    refused_by_sqlite(f.path, "UPDATE t SET i = i + 1");
    refused_by_sqlite(f.path, "UPDATE t SET c = 'äöüß'");
    refused_by_sqlite(f.path, "UPDATE t SET c = 'a '");
    refused_by_sqlite(f.path, "UPDATE t SET c = x'61'");
    sqlite_file_run(f.path, "UPDATE t SET c = 'äöü'");
    Answer answer = read_all(&f, "t");
    assert_int_equal(answer.status, TRIB_OK);
    assert_int_equal(answer.rows.count, 3);
    assert_int_equal(rows_at(&answer.rows, 0)[1].as.integer, 127);
    assert_int_equal(rows_at(&answer.rows, 1)[2].as.integer, -32768);
    assert_int_equal(rows_at(&answer.rows, 1)[3].as.integer, INT32_MIN);
    assert_int_equal(rows_at(&answer.rows, 2)[1].as.integer, 5);
    assert_int_equal(rows_at(&answer.rows, 2)[5].as.text.length, 6);
    /* SQLite writes names in it anew */
    sqlite_file_run(f.path, "ALTER TABLE t RENAME COLUMN c TO \"it's\"; ALTER TABLE t RENAME "
                            "COLUMN \"sm\"\"all\" TO plain; ALTER TABLE t "
                            "RENAME COLUMN t TO \"select\"; ALTER TABLE t RENAME TO t2; ALTER "
                            "TABLE t2 DROP COLUMN i");
    t = table_of(&f, "t2");
    assert_int_equal(t->columns[1].type.id, TRIB_TYPE_TINYINT);
    assert_int_equal(t->columns[2].type.id, TRIB_TYPE_SMALLINT);
    assert_int_equal(t->columns[3].type.id, TRIB_TYPE_BIGINT);
    assert_int_equal(t->columns[4].type.id, TRIB_TYPE_CHAR);
    assert_int_equal(t->columns[4].type.length, 3);
    fixture_close(&f);
}

/* A program can switch CHECKs off: what it stored then is an error that names it, never another number. */
static void test_evaded_bounds(void **state) {
    mismatch_says("CREATE TABLE t (i INTEGER CHECK (i BETWEEN -32768 AND 32767)); PRAGMA "
                  "ignore_check_constraints = 1; INSERT INTO t VALUES (7), (32768)",
                  "column \"i\" of table \"t\" is declared INTEGER but holds the integer 32768",
                  "the row with rowid 2");
    mismatch_says("CREATE TABLE t (i INTEGER CHECK (i BETWEEN -128 AND 127)); PRAGMA "
                  "ignore_check_constraints = 1; INSERT INTO t VALUES (-129)",
                  "column \"i\" of table \"t\" is declared INTEGER but holds the integer -129",
                  "the row with rowid 1");
    mismatch_says("CREATE TABLE t (c CHAR(3) CHECK ((rtrim(c) = c AND length(c) <= 3))); PRAGMA "
                  "ignore_check_constraints = 1; INSERT INTO t VALUES ('a '), ('abcd')",
                  "column \"c\" of table \"t\" is declared CHAR(3) but holds the text 'a '",
                  "the row with rowid 1");
    mismatch_says("CREATE TABLE t (i INTEGER CHECK (i BETWEEN -2147483648 AND 2147483647)); "
                  "INSERT INTO t VALUES (1.5)",
                  "column \"i\" of table \"t\" is declared INTEGER but holds the real 1.5",
                  "the row with rowid 1");
}

/* Stores 5 and a value in the column n of a table, by a description that may be out of date. */
static Status insert_two(Fixture *f, const TribTable *table, int64_t second, Error *err) {
    int64_t values[] = {5, second};
    const void *column_buffers[] = {NULL, values};
    const void *row_buffers[] = {NULL};
    struct ArrowArray n = {.length = 2, .n_buffers = 2, .buffers = column_buffers};
    struct ArrowArray *children[] = {&n};
    TribBatch batch = {.array = {.length = 2,
                                 .n_buffers = 1,
                                 .buffers = row_buffers,
                                 .n_children = 1,
                                 .children = children}};
    uint32_t column = 1;
    uint64_t rows = 0;
    Error ignored;
    TribWriter *writer;
    const TribConnector *c = f->subject.connector;
    TribWriteRequest request = {.size = sizeof request,
                                .kind = TRIB_WRITE_INSERT,
                                .table = table,
                                .ncolumns = 1,
                                .columns = &column};
    TRY(c->write_open(f->subject.catalog, &f->call.call, &request, &writer, err));
    Status status = c->write_batch(writer, &batch, err);
    Status closed = c->write_close(writer, status == TRIB_OK, &rows, status ? &ignored : err);
    assert_int_equal(closed, TRIB_OK);
    return status;
}

/* Another program has made the table anew since it was described: SQLite's CHECK is a number out of range here. */
static void test_refused_bounds(void **state) {
    static const TribOption readwrite = {.name = "mode", .value = "readwrite"};
    static const char message[] = "column \"n\" is of type smallint, which holds -32768 to 32767";
    Fixture f;
    Error err;
    fixture_open(&f, "CREATE TABLE t (id INTEGER PRIMARY KEY, n BIGINT, o INT)", &readwrite, 1);
    const TribTable *t = table_of(&f, "t");
    sqlite_file_run(f.path, "DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, n SMALLINT "
                            "CHECK ((n BETWEEN -32768 AND 32767)), o INT CHECK (o <> 7))");
    assert_int_equal(insert_two(&f, t, 32767, &err), TRIB_OK);
    assert_int_equal(insert_two(&f, t, -32769, &err), TRIB_DATA);
    assert_string_equal(err.sqlstate, "22003");
    assert_non_null(strstr(err.message, message));
    assert_string_equal(err.detail, "the value -32769");
    answer_is(f.path, "SELECT group_concat(n) FROM t", "5,32767");

    TribValue values[] = {{.type = {.id = TRIB_TYPE_BIGINT}, .as.integer = 40000},
                          {.type = {.id = TRIB_TYPE_BIGINT}, .as.integer = 7}};
    TribNode nodes[] = {{.kind = TRIB_NODE_LITERAL, .type = values[0].type},
                        {.kind = TRIB_NODE_LITERAL, .type = values[1].type, .ref = 1}};
    TribAssignment assignments[] = {{.column = 1, .node = 0}, {.column = 2, .node = 1}};
    TribModify modify = {.size = sizeof modify,
                         .table = t,
                         .nnodes = 2,
                         .nodes = nodes,
                         .nvalues = 2,
                         .values = values,
                         .nassignments = 1,
                         .assignments = assignments};
    const TribConnector *c = f.subject.connector;
    assert_int_equal(c->modify(f.subject.catalog, &f.call.call, &modify, &err), TRIB_DATA);
    assert_string_equal(err.sqlstate, "22003");
    assert_non_null(strstr(err.message, message));
    assert_string_equal(err.detail, "the value 40000");
    /* any other CHECK is a constraint */
    modify.assignments = &assignments[1];
    assert_int_equal(c->modify(f.subject.catalog, &f.call.call, &modify, &err), TRIB_CONSTRAINT);
    assert_string_equal(err.sqlstate, "23000");
    answer_is(f.path, "SELECT group_concat(n) FROM t WHERE o IS NULL", "5,32767");
    fixture_close(&f);
}

/* ---------------------------------------------------------------- files and locks */

static void opening_says(const char *path, const char *part) {
    TribOption option = {.name = "path", .value = path};
    TribCatalog *catalog;
    TestHost host;
    Error err;
    char text[64];
    test_host_init(&host);
    const TribConnector *c = trib_connector();
    assert_int_equal(c->open(&host.host, "shop", &option, 1, &catalog, &err),
                     TRIB_OK); /* no I/O yet */
    assert_int_equal(c->check(catalog, NULL, text, sizeof text, &err), TRIB_CONNECT);
    assert_string_equal(err.sqlstate, "08001");
    assert_string_equal(err.source, "shop");
    if (!strstr(err.message, part) && !strstr(err.detail, part))
        fail_msg("\"%s\" \"%s\"", err.message, err.detail);
    c->close(catalog);
}

static void test_files(void **state) {
    Fixture f;
    char command[256], other[128];
    opening_says("/nonexistent/file.db", "no such file");
    opening_says("/tmp", "folder");
    opening_says("/proc/self/exe", "file is not a database");
    fixture_open(&f, "CREATE TABLE t(i INTEGER PRIMARY KEY); INSERT INTO t VALUES(1)", NULL, 0);
    assert_int_equal(read_all(&f, "t").rows.count, 1);
    snprintf(other, sizeof other, "%s/other.db", f.folder);
    sqlite_file_run(other, "CREATE TABLE t(i INTEGER PRIMARY KEY); INSERT INTO t VALUES(1), (2)");
    snprintf(command, sizeof command, "mv '%s' '%s'", other, f.path);
    assert_int_equal(system(command), 0);
    assert_int_equal(read_all(&f, "t").rows.count,
                     2); /* not through the connection to the old file */
    sqlite_file_run(f.path, "ALTER TABLE t ADD COLUMN x TEXT");
    const TribTable *fresh = table_of(&f, "t");
    assert_int_equal(fresh->ncolumns, 2);
    sqlite_file_run(f.path,
                    "ALTER TABLE t DROP COLUMN x"); /* the description in hand is stale now */
    Answer answer;
    Ask what = ask_all(f.arena, fresh);
    ask(&f.subject, f.arena, &what, &answer);
    assert_int_equal(answer.status, TRIB_NOT_FOUND);
    assert_string_equal(answer.err.sqlstate, "42S22");
    assert_non_null(strstr(answer.err.message, "no such column"));
    assert_non_null(strstr(answer.err.hint, "stale"));
    fixture_close(&f);
}

static void test_locks(void **state) {
    static const TribOption soon = {.name = "busy_timeout", .value = "100"};
    Fixture f;
    sqlite3 *writer;
    fixture_open(&f, "CREATE TABLE t(i INTEGER PRIMARY KEY); INSERT INTO t VALUES(1)", &soon, 1);
    const TribTable *t = table_of(&f, "t");
    assert_int_equal(sqlite3_open(f.path, &writer), SQLITE_OK);
    assert_int_equal(sqlite3_exec(writer, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    Answer answer;
    Ask what = ask_all(f.arena, t);
    int64_t start = os_now_ns();
    ask(&f.subject, f.arena, &what, &answer);
    assert_int_equal(answer.status, TRIB_TIMEOUT);
    assert_true(answer.err.retryable);
    assert_non_null(strstr(answer.err.hint, "busy_timeout"));
    assert_true(os_now_ns() - start >= INT64_C(90000000));
    f.call.call.deadline_ns = os_now_ns() + 30000000; /* nearer than busy_timeout */
    ask(&f.subject, f.arena, &what, &answer);
    assert_string_equal(answer.err.message, "the time allowed for the query has passed");
    f.call.call.deadline_ns = INT64_MAX;
    sqlite3_close(writer);
    ask(&f.subject, f.arena, &what, &answer);
    assert_int_equal(answer.status, TRIB_OK);
    fixture_close(&f);
}

/* A damaged file gives rows or an error, never a crash. */
static void test_damage(void **state) {
    uint64_t random = 11;
    for (int round = 0; round < 60; round++) {
        Fixture f;
        fixture_open(
            &f,
            "PRAGMA page_size = 512; CREATE TABLE t(i INTEGER PRIMARY KEY, t TEXT, d "
            "DECIMAL(10,2));"
            "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 300) "
            "INSERT INTO t SELECT x, 'text ' || x, x / 4.0 FROM c",
            NULL, 0);
        const TribTable *t = table_of(&f, "t");
        FILE *file = fopen(f.path, "r+b");
        fseek(file, 0, SEEK_END);
        long size = ftell(file);
        for (int i = 0; i < 20; i++) {
            fseek(file, 512 + (long)(random_next(&random) % (uint64_t)(size - 512)), SEEK_SET);
            fputc((int)(random_next(&random) & 255), file);
        }
        fclose(file);
        Answer answer;
        Ask what = ask_all(f.arena, t);
        ask(&f.subject, f.arena, &what, &answer); /* checks the batches and the error record */
        fixture_close(&f);
    }
}

/* Every allocation of ours may fail: the answer is right or an error of memory, and nothing leaks. */
static void test_failing_heap(void **state) {
    Fixture f;
    uint32_t failed = 0, good = 0;
    fixture_open(
        &f,
        "CREATE TABLE t(i INTEGER PRIMARY KEY, a TEXT, d DECIMAL(5,2), u UUID);"
        "INSERT INTO t VALUES(1, 'x', 1.5, NULL), (2, 'a text that is not inlined', 2, NULL)",
        NULL, 0);
    const TribTable *t = table_of(&f, "t");
    const TribConnector *c = f.subject.connector;
    static const TribTable *tables[1];
    tables[0] = t;
    TribNode nodes[] = {{.kind = TRIB_NODE_COLUMN, .type = t->columns[1].type, .ref = 1},
                        {.kind = TRIB_NODE_CALL,
                         .op = TRIB_FN_like,
                         .type = {.id = TRIB_TYPE_BOOLEAN},
                         .first = 2,
                         .count = 2},
                        {.kind = TRIB_NODE_COLUMN, .type = t->columns[1].type, .ref = 1},
                        {.kind = TRIB_NODE_LITERAL, .type = t->columns[1].type}};
    TribValue pattern = {.type = t->columns[1].type};
    pattern.as.text.data = "a%";
    pattern.as.text.length = 2;
    static const uint32_t output[] = {0}, conjuncts[] = {1};
    for (uint64_t n = 1; n < 200 && good < 20; n++) {
        TribVerdict verdicts[1], keys[1];
        TribOffer offer = {.size = sizeof offer,
                           .mode = TRIB_PUSHDOWN_EXACT,
                           .nnodes = 4,
                           .nodes = nodes,
                           .nvalues = 1,
                           .values = &pattern,
                           .ntables = 1,
                           .tables = tables,
                           .noutput = 1,
                           .output = output,
                           .nconjuncts = 1,
                           .conjuncts = conjuncts,
                           .limit = -1,
                           .nkeys = 1,
                           .keys = output,
                           .verdicts = verdicts,
                           .key_verdicts = keys};
        TribScanRequest request = {.size = sizeof request, .batch_rows = 10, .batch_bytes = 1000};
        const TribSplit *const *splits;
        struct ArrowSchema schema;
        TribPlan *plan = NULL;
        TribScan *scan = NULL;
        TribBatch batch = {.array = {.release = NULL}};
        uint32_t count;
        Error err;
        heap_fail_at(n);
        Status status = c->plan(f.subject.catalog, &f.call.call, &offer, &plan, &err);
        if (status == TRIB_OK) status = c->splits(plan, &f.call.call, 1, &splits, &count, &err);
        request.plan = plan;
        if (status == TRIB_OK) request.split = splits[0];
        if (status == TRIB_OK)
            status = c->scan_open(f.subject.catalog, &f.call.call, &request, &scan, &schema, &err);
        if (status == TRIB_OK) status = c->scan_next(scan, 10, &batch, &err);
        heap_fail_at(0);
        if (status == TRIB_OK)
            assert_int_equal(batch.array.length, verdicts[0].kind == TRIB_NONE ? 2 : 1);
        else if (status != TRIB_MEMORY)
            fail_msg("allocation %llu: status %d: %s", (unsigned long long)n, status, err.message);
        if (status == TRIB_OK)
            good++;
        else
            failed++;
        if (batch.array.release) batch.array.release(&batch.array);
        if (scan) c->scan_release(scan);
        if (plan) c->plan_release(plan);
    }
#ifdef TRIB_FAULTS
    assert_true(failed > 5);
#endif
    assert_true(good == 20);
    for (uint64_t n = 1; n < 40; n++) { /* descriptions */
        Copied copied = {.arena = f.arena};
        TribNames names = {.self = &copied, .described = discard_described};
        Error err;
        heap_fail_at(n);
        Status status =
            c->describe_table(f.subject.catalog, &f.call.call, "main", "t", &names, &err);
        heap_fail_at(0);
        assert_true(status == TRIB_OK || status == TRIB_MEMORY);
    }
    fixture_close(&f);
}

static void test_passthrough(void **state) {
    Fixture f;
    Error err;
    fixture_open(
        &f, "CREATE TABLE t(i INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES(1,'x'),(2,'y')",
        NULL, 0);
    Copied copied = {.arena = f.arena};
    TribNames names = {.self = &copied, .described = copy_described};
    const TribConnector *c = f.subject.connector;
    TribCatalog *catalog = f.subject.catalog;
    assert_int_equal(c->passthrough(catalog, NULL, "SELECT i, a, 7 AS n FROM t ; ", &names, &err),
                     TRIB_OK);
    assert_int_equal(copied.table.ncolumns, 3);
    assert_int_equal(copied.table.columns[0].type.id, TRIB_TYPE_BIGINT);
    Answer answer;
    Ask what = ask_all(f.arena, &copied.table);
    ask(&f.subject, f.arena, &what, &answer);
    assert_int_equal(answer.status, TRIB_OK);
    assert_int_equal(answer.rows.count, 2);
    assert_int_equal(c->passthrough(catalog, NULL, "SELECT 1; SELECT 2", &names, &err),
                     TRIB_INVALID);
    assert_int_equal(c->passthrough(catalog, NULL, "DELETE FROM t RETURNING i", &names, &err),
                     TRIB_INVALID);
    assert_int_equal(c->passthrough(catalog, NULL, "SELECT ?", &names, &err), TRIB_INVALID);
    assert_int_equal(c->passthrough(catalog, NULL, "SELEC", &names, &err), TRIB_INVALID);
    assert_string_equal(err.sqlstate, "42000");
    assert_int_equal(c->passthrough(catalog, NULL, "", &names, &err), TRIB_INVALID);
    fixture_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),          cmocka_unit_test(test_made_bounds),
        cmocka_unit_test(test_evaded_bounds),   cmocka_unit_test(test_refused_bounds),
        cmocka_unit_test(test_types),           cmocka_unit_test(test_stored_text),
        cmocka_unit_test(test_real_to_decimal), cmocka_unit_test(test_describe),
        cmocka_unit_test(test_mismatch),        cmocka_unit_test(test_sent_text),
        cmocka_unit_test(test_files),           cmocka_unit_test(test_locks),
        cmocka_unit_test(test_damage),          cmocka_unit_test(test_passthrough),
        cmocka_unit_test(test_definitions),     cmocka_unit_test(test_failing_heap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
