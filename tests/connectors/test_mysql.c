/*
 * test_mysql.c - the MySQL connector on a real server: every type at its ends, options of types, what
 * servers get wrong and must not be sent.
 *
 * Skipped (exit code 77) where TRIB_TEST_MYSQL_USER is not set; TRIB_TEST_MYSQL_HOST, _PORT and _PASSWORD say
 * the rest. The account needs all privileges: the tests make and drop the schema test_db.
 */
#include "tests/connectors/test_mysql.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "connectors/support/sql_text.h"

/* ---------------------------------------------------------------- numbers */

static void test_integers(void **state) {
    Fixture f;
    admin_run(&main_server,
              "CREATE OR REPLACE TABLE test_db.ints (id INT PRIMARY KEY, t TINYINT, tu TINYINT "
              "UNSIGNED, s SMALLINT, su SMALLINT UNSIGNED, m MEDIUMINT, mu MEDIUMINT UNSIGNED, i "
              "INT, iu INT UNSIGNED, b BIGINT, bu BIGINT UNSIGNED, z INT(6) ZEROFILL, b1 BIT(1), "
              "b8 BIT(8), b63 BIT(63), b64 BIT(64), y YEAR)");
    admin_run(&main_server,
              "INSERT INTO test_db.ints VALUES (1, -128, 0, -32768, 0, -8388608, 0, -2147483648, "
              "0, -9223372036854775808, 0, 0, 0, 0, 0, 0, 0), (2, 127, 255, 32767, 65535, 8388607, "
              "16777215, 2147483647, 4294967295, 9223372036854775807, 18446744073709551615, "
              "4294967295, 1, 255, 9223372036854775807, 18446744073709551615, 2155), (3, NULL, "
              "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
              "1901)");
    fixture_open(&f, &main_server, NULL, 0);
    EXPECT_COLUMN(&f, "ints", "t", "-128", "127", "NULL");
    EXPECT_COLUMN(&f, "ints", "tu", "0", "255", "NULL");
    EXPECT_COLUMN(&f, "ints", "s", "-32768", "32767", "NULL");
    EXPECT_COLUMN(&f, "ints", "su", "0", "65535", "NULL");
    EXPECT_COLUMN(&f, "ints", "m", "-8388608", "8388607", "NULL");
    EXPECT_COLUMN(&f, "ints", "mu", "0", "16777215", "NULL");
    EXPECT_COLUMN(&f, "ints", "i", "-2147483648", "2147483647", "NULL");
    EXPECT_COLUMN(&f, "ints", "iu", "0", "4294967295", "NULL");
    EXPECT_COLUMN(&f, "ints", "b", "-9223372036854775808", "9223372036854775807", "NULL");
    EXPECT_COLUMN(&f, "ints", "bu", "0", "18446744073709551615", "NULL");
    EXPECT_COLUMN(&f, "ints", "z", "0", "4294967295", "NULL");
    EXPECT_COLUMN(&f, "ints", "b1", "FALSE", "TRUE", "NULL");
    EXPECT_COLUMN(&f, "ints", "b8", "0", "255", "NULL");
    EXPECT_COLUMN(&f, "ints", "b63", "0", "9223372036854775807", "NULL");
    EXPECT_COLUMN(&f, "ints", "b64", "0", "18446744073709551615", "NULL");
    EXPECT_COLUMN(&f, "ints", "y", "0", "2155", "1901");
    fixture_close(&f);
}

static void test_tinyint_as_boolean(void **state) {
    static const TribOption boolean[] = {OPTION("tinyint1", "boolean")};
    Fixture f;
    admin_run(&main_server, "CREATE OR REPLACE TABLE test_db.flags (id INT PRIMARY KEY, f BOOLEAN, "
                            "t TINYINT)");
    admin_run(&main_server, "INSERT INTO test_db.flags VALUES (1, 0, 0), (2, 1, 1), (3, -1, -1), "
                            "(4, 127, 127), (5, NULL, NULL)");
    fixture_open(&f, &main_server, boolean, 1);
    EXPECT_COLUMN(&f, "flags", "f", "FALSE", "TRUE", "TRUE", "TRUE", "NULL");
    EXPECT_COLUMN(&f, "flags", "t", "0", "1", "-1", "127", "NULL");
    fixture_close(&f);
    fixture_open(&f, &main_server, NULL, 0);
    EXPECT_COLUMN(&f, "flags", "f", "0", "1", "-1", "127", "NULL");
    fixture_close(&f);
}

#define NINES_38 "99999999999999999999999999999999999999"

static void test_decimals(void **state) {
    static const TribOption as_text[] = {OPTION("decimal", "overflow_varchar")},
                            rounded[] = {OPTION("decimal", "round")};
    Fixture f;
    admin_run(&main_server,
              "CREATE OR REPLACE TABLE test_db.decimals (id INT PRIMARY KEY, a DECIMAL(18,2), b "
              "DECIMAL(19,2), c DECIMAL(38,0), d DECIMAL(38,38), w DECIMAL(65,30), e "
              "DECIMAL(65,0), u DECIMAL(5,2) UNSIGNED)");
    admin_run(&main_server,
              "INSERT INTO test_db.decimals VALUES (1, 9999999999999999.99, "
              "99999999999999999.99, " NINES_38 ", 0." NINES_38
              ", 12345678901234567890123456789012345."
              "123456789012345678901234567890, 1, 999.99), (2, -9999999999999999.99, "
              "-99999999999999999.99, -" NINES_38 ", -0." NINES_38 ", -0.0005, -2, 0), (3, 0, 0, "
              "0, 1e-38, 0.0004999, 3, 0.01), (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL)");
    fixture_open(&f, &main_server, NULL, 0);
    EXPECT_COLUMN(&f, "decimals", "a", "9999999999999999.99", "-9999999999999999.99", "0.00",
                  "NULL");
    EXPECT_COLUMN(&f, "decimals", "b", "99999999999999999.99", "-99999999999999999.99", "0.00",
                  "NULL");
    EXPECT_COLUMN(&f, "decimals", "c", NINES_38, "-" NINES_38, "0", "NULL");
    EXPECT_COLUMN(&f, "decimals", "d", "0." NINES_38, "-0." NINES_38,
                  "0.00000000000000000000000000000000000001", "NULL");
    EXPECT_COLUMN(&f, "decimals", "u", "999.99", "0.00", "0.01", "NULL");
    expect_failure(&f, "decimals", "w", "HYC00", "decimal(65,30) has more than 38 digits");
    fixture_close(&f);
    fixture_open(&f, &main_server, as_text, 1);
    EXPECT_COLUMN(
        &f, "decimals", "w", "'12345678901234567890123456789012345.123456789012345678901234567890'",
        "'-0.000500000000000000000000000000'", "'0.000499900000000000000000000000'", "NULL");
    fixture_close(&f);
    fixture_open(&f, &main_server, rounded, 1);
    EXPECT_COLUMN(&f, "decimals", "w", "12345678901234567890123456789012345.123", "-0.001", "0.000",
                  "NULL");
    EXPECT_COLUMN(&f, "decimals", "e", "1", "-2", "3", "NULL");
    admin_run(&main_server, "UPDATE test_db.decimals SET e = 1e38 WHERE id = 1");
    expect_failure(&f, "decimals", "e", "22003", "does not fit its type");
    fixture_close(&f);
}

/* The bits themselves: text would hide what rounding does. */
static void test_floats(void **state) {
    static const double doubles[] = {DBL_MAX, -DBL_MAX, DBL_MIN,           5e-324,
                                     0.1,     0.0,      9007199254740993.0};
    static const float floats[] = {FLT_MAX, -FLT_MAX, FLT_MIN,    1.401298464324817e-45F,
                                   0.1F,    0.0F,     16777217.0F};
    Fixture f;
    char sql[400];
    admin_run(&main_server,
              "CREATE OR REPLACE TABLE test_db.floats (id INT PRIMARY KEY, f FLOAT, d "
              "DOUBLE)");
    for (size_t i = 0; i < COUNT_OF(doubles); i++) {
        snprintf(sql, sizeof sql, "INSERT INTO test_db.floats VALUES (%zu, %.9g, %.17g)", i,
                 (double)floats[i], doubles[i]);
        admin_run(&main_server, sql);
    }
    fixture_open(&f, &main_server, NULL, 0);
    Ask what = ask_all(f.arena, fixture_table(&f, "floats"));
    Answer answer;
    ask(&f.subject, f.arena, &what, &answer);
    assert_int_equal(answer.status, TRIB_OK);
    assert_int_equal(answer.rows.count, COUNT_OF(doubles));
    for (size_t r = 0; r < answer.rows.count; r++) {
        const TribValue *row = rows_at(&answer.rows, r);
        size_t i = (size_t)row[0].as.integer;
        float f4 = (float)row[1].as.real;
        assert_memory_equal(&f4, &floats[i], sizeof f4);
        assert_memory_equal(&row[2].as.real, &doubles[i], sizeof(double));
    }
    fixture_close(&f);
}

/* ---------------------------------------------------------------- dates and times */

static void make_dates(Server *server) {
    admin_run(
        server,
        "CREATE OR REPLACE TABLE test_db.dates (id INT PRIMARY KEY, d DATE, dt DATETIME(6), ts "
        "TIMESTAMP(6) NULL, ti TIME(6), t0 TIME)");
    admin_run(server,
              "INSERT INTO test_db.dates VALUES (1, '0001-01-01', '0001-01-01 00:00:00.000001', "
              "'1970-01-01 00:00:01', '-838:59:59.999999', '-838:59:59'), (2, '9999-12-31', "
              "'9999-12-31 23:59:59.999999', '2038-01-19 03:14:07.999999', '838:59:59.999999', "
              "'838:59:59'), (3, '2024-02-29', '1969-12-31 23:59:59.999999', '2024-03-31 "
              "01:30:00.5', '00:00:00', '-00:00:01'), (4, NULL, NULL, NULL, NULL, NULL)");
}

static void test_dates(void **state) {
    Fixture f;
    make_dates(&main_server);
    fixture_open(&f, &main_server, NULL, 0);
    EXPECT_COLUMN(&f, "dates", "d", "DATE '0001-01-01'", "DATE '9999-12-31'", "DATE '2024-02-29'",
                  "NULL");
    EXPECT_COLUMN(&f, "dates", "dt", "TIMESTAMP '0001-01-01 00:00:00.000001'",
                  "TIMESTAMP '9999-12-31 23:59:59.999999'",
                  "TIMESTAMP '1969-12-31 23:59:59.999999'", "NULL");
    EXPECT_COLUMN(&f, "dates", "ts", "TIMESTAMP '1970-01-01 00:00:01.000000 UTC'",
                  "TIMESTAMP '2038-01-19 03:14:07.999999 UTC'",
                  "TIMESTAMP '2024-03-31 01:30:00.500000 UTC'", "NULL");
    assert_string_equal(f.call.warnings, "");
    fixture_close(&f);
}

static void test_times(void **state) {
    static const TribOption as_text[] = {OPTION("time", "varchar")},
                            of_day[] = {OPTION("time", "time")};
    Fixture f;
    make_dates(&main_server);
    fixture_open(&f, &main_server, NULL, 0);
    EXPECT_COLUMN(&f, "dates", "ti", "INTERVAL '-34 22:59:59.999999'",
                  "INTERVAL '34 22:59:59.999999'", "INTERVAL '0 00:00:00.000'", "NULL");
    EXPECT_COLUMN(&f, "dates", "t0", "INTERVAL '-34 22:59:59.000'", "INTERVAL '34 22:59:59.000'",
                  "INTERVAL '-0 00:00:01.000'", "NULL");
    fixture_close(&f);
    fixture_open(&f, &main_server, as_text, 1);
    EXPECT_COLUMN(&f, "dates", "ti", "'-838:59:59.999999'", "'838:59:59.999999'",
                  "'00:00:00.000000'", "NULL");
    EXPECT_COLUMN(&f, "dates", "t0", "'-838:59:59'", "'838:59:59'", "'-00:00:01'", "NULL");
    fixture_close(&f);
    fixture_open(&f, &main_server, of_day, 1);
    expect_failure(&f, "dates", "ti", "22008", "ti");
    admin_run(&main_server, "UPDATE test_db.dates SET ti = '23:59:59.999999', t0 = '00:00:00'");
    EXPECT_COLUMN(&f, "dates", "ti", "TIME '23:59:59.999999'", "TIME '23:59:59.999999'",
                  "TIME '23:59:59.999999'", "TIME '23:59:59.999999'");
    fixture_close(&f);
}

/* Zone and mode are the session's own, also when a connection is used again after its reset. The server's are
 * changed for all of its users, so the server is our own. */
void test_session_state(void **state) {
    static const TribOption single[] = {OPTION("max_connections", "1")};
    Fixture f;
    if (!spare_ready) skip();
    make_dates(&spare);
    admin_run(&spare, "SET GLOBAL time_zone = '+05:00', GLOBAL sql_mode = '', GLOBAL "
                      "sql_select_limit = 1");
    fixture_open(&f, &spare, single, 1);
    for (int i = 0; i < 3; i++) {
        EXPECT_COLUMN(&f, "dates", "ts", "TIMESTAMP '1970-01-01 00:00:01.000000 UTC'",
                      "TIMESTAMP '2038-01-19 03:14:07.999999 UTC'",
                      "TIMESTAMP '2024-03-31 01:30:00.500000 UTC'", "NULL");
    }
    int64_t sessions = admin_number(&spare, "SELECT COUNT(*) FROM "
                                            "information_schema.processlist WHERE id <> "
                                            "CONNECTION_ID() AND user = CURRENT_USER() OR "
                                            "info LIKE '%`dates`%'");
    fixture_close(&f);
    admin_run(&spare, "SET GLOBAL time_zone = 'SYSTEM', GLOBAL sql_mode = DEFAULT, GLOBAL "
                      "sql_select_limit = DEFAULT");
    assert_true(sessions <= 1);
}

static void test_zero_dates(void **state) {
    static const TribOption strict[] = {OPTION("zero_dates", "error")},
                            as_text[] = {OPTION("zero_dates", "varchar")};
    Fixture f;
    admin_run(&main_server, "CREATE OR REPLACE TABLE test_db.zeros (id INT PRIMARY KEY, d DATE NOT "
                            "NULL, dt DATETIME, ts TIMESTAMP(2) NULL)");
    admin_run(&main_server,
              "INSERT INTO test_db.zeros VALUES (1, '0000-00-00', '0000-00-00 00:00:00', "
              "'0000-00-00 00:00:00'), (2, '2024-00-08', '2024-02-30 10:00:00', NULL), (3, "
              "'2024-02-29', '2024-02-29 10:00:00', '2024-02-29 10:00:00')");
    fixture_open(&f, &main_server, NULL, 0);
    EXPECT_COLUMN(&f, "zeros", "d", "NULL", "NULL", "DATE '2024-02-29'");
    assert_non_null(strstr(f.call.warnings, "column \"d\" holds zero or impossible dates"));
    EXPECT_COLUMN(&f, "zeros", "dt", "NULL", "NULL", "TIMESTAMP '2024-02-29 10:00:00'");
    EXPECT_COLUMN(&f, "zeros", "ts", "NULL", "NULL", "TIMESTAMP '2024-02-29 10:00:00.00 UTC'");
    assert_non_null(strstr(f.call.warnings, "column \"ts\""));
    fixture_close(&f);
    fixture_open(&f, &main_server, strict, 1);
    expect_failure(&f, "zeros", "d", "22007", "holds 0000-00-00, which is no date");
    expect_failure(&f, "zeros", "dt", "22007", "dt");
    expect_failure(&f, "zeros", "ts", "22007", "ts");
    fixture_close(&f);
    fixture_open(&f, &main_server, as_text, 1);
    EXPECT_COLUMN(&f, "zeros", "d", "'0000-00-00'", "'2024-00-08'", "'2024-02-29'");
    EXPECT_COLUMN(&f, "zeros", "dt", "'0000-00-00 00:00:00'", "'2024-02-30 10:00:00'",
                  "'2024-02-29 10:00:00'");
    EXPECT_COLUMN(&f, "zeros", "ts", "'0000-00-00 00:00:00.00'", "NULL",
                  "'2024-02-29 10:00:00.00'");
    fixture_close(&f);
}

/* A column of values beside one of the server's own text for them. */
static void expect_same_text(Fixture *f, const TribTable *table, const char *column,
                             const char *text_column, const char *around) {
    Answer answer;
    Ask what = ask_column(f, table, column), text = ask_column(f, table, text_column);
    what.outputs[0] = text.outputs[1];
    ask(&f->subject, f->arena, &what, &answer);
    assert_int_equal(answer.status, TRIB_OK);
    assert_int_equal(answer.rows.count, 20000);
    for (size_t r = 0; r < answer.rows.count; r++) {
        const TribValue *row = rows_at(&answer.rows, r);
        Buf ours, theirs;
        buf_init(&ours, f->arena, 1000);
        buf_init(&theirs, f->arena, 1000);
        sql_value_text(&ours, &row[1]);
        buf_printf(&theirs, "%s%.*s%s", around, (int)row[0].as.text.length, row[0].as.text.data,
                   *around ? "'" : "");
        if (strcmp(ours.data, theirs.data) != 0)
            fail_msg("%s: %s, the server says %s", column, ours.data, theirs.data);
    }
}

/* Many values through the quick paths of the decoder, and past their ends. */
static void test_many_values(void **state) {
    static const char *const columns[] = {"a", "b", "c", "d", "e", "g"};
    Fixture f;
    char name[8];
    admin_run(&main_server,
              "CREATE OR REPLACE TABLE test_db.many (id INT PRIMARY KEY, a DECIMAL(12,2), b "
              "DECIMAL(18,8), c DECIMAL(18,9), d DECIMAL(16,8), e DECIMAL(18,0), g DECIMAL(8,8), h "
              "DATE, a_t VARCHAR(40), b_t VARCHAR(40), c_t VARCHAR(40), d_t VARCHAR(40), e_t "
              "VARCHAR(40), g_t VARCHAR(40), h_t VARCHAR(40))");
    admin_run(&main_server, "USE test_db");
    admin_run(&main_server,
              "INSERT INTO many (id, a, b, c, d, e, g, h) SELECT seq, (RAND(seq) - 0.5) * POW(10, "
              "seq % 11), (RAND(seq + 1) - 0.5) * POW(10, seq % 11), (RAND(seq + 2) - 0.5) * "
              "POW(10, seq % 10), (RAND(seq + 3) - 0.5) * POW(10, seq % 9), (RAND(seq + 4) - 0.5) "
              "* POW(10, seq % 19), RAND(seq + 5) - 0.5, DATE_ADD('0001-01-01', INTERVAL seq * 182 "
              "DAY) FROM seq_1_to_20000");
    admin_run(&main_server, "UPDATE many SET a_t = a, b_t = b, c_t = c, d_t = d, e_t = e, g_t = g, "
                            "h_t = h");
    fixture_open(&f, &main_server, NULL, 0);
    TribTable *table = fixture_table(&f, "many");
    for (size_t i = 0; i < COUNT_OF(columns); i++) {
        snprintf(name, sizeof name, "%s_t", columns[i]);
        expect_same_text(&f, table, columns[i], name, "");
    }
    expect_same_text(&f, table, "h", "h_t", "DATE '");
    fixture_close(&f);
}

/* ---------------------------------------------------------------- text, bytes and the rest */

static void test_text(void **state) {
    static const TribOption small[] = {OPTION("max_packet", "1048576")};
    Fixture f;
    admin_run(
        &main_server,
        "CREATE OR REPLACE TABLE test_db.texts (id INT PRIMARY KEY, c CHAR(5), v VARCHAR(5), t "
        "LONGTEXT, b BINARY(2), vb VARBINARY(2), lb LONGBLOB, l VARCHAR(5) CHARACTER SET "
        "latin1, k VARCHAR(5) CHARACTER SET koi8r)");
    admin_run(&main_server, "INSERT INTO test_db.texts VALUES (1, '', '', '', '', '', '', '', ''), "
                            "(2, 'a ', 'a ', 'a ', 'a', 'a', 'a', 'ä€', 'я'), (3, NULL, NULL, "
                            "NULL, NULL, NULL, NULL, NULL, NULL)");
    fixture_open(&f, &main_server, NULL, 0);
    EXPECT_COLUMN(&f, "texts", "c", "''", "'a'", "NULL");
    EXPECT_COLUMN(&f, "texts", "v", "''", "'a '", "NULL");
    EXPECT_COLUMN(&f, "texts", "t", "''", "'a '", "NULL");
    EXPECT_COLUMN(&f, "texts", "b", "X'0000'", "X'6100'", "NULL");
    EXPECT_COLUMN(&f, "texts", "vb", "X''", "X'61'", "NULL");
    EXPECT_COLUMN(&f, "texts", "lb", "X''", "X'61'", "NULL");
    EXPECT_COLUMN(&f, "texts", "l", "''", "'ä€'", "NULL");
    EXPECT_COLUMN(&f, "texts", "k", "''", "'я'", "NULL");
    /* Longer than a batch, and longer than what the catalog accepts. */
    admin_run(&main_server, "UPDATE test_db.texts SET t = REPEAT('x', 3000000) WHERE id = 1");
    EXPECT_COLUMN(
        &f, "texts", "t",
        "'"
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'... (3000000 bytes)",
        "'a '", "NULL");
    fixture_close(&f);
    fixture_open(&f, &main_server, small, 1);
    expect_failure(&f, "texts", "t", "08S01", "max_packet (1048576 bytes)");
    EXPECT_COLUMN(&f, "texts", "v", "''", "'a '", "NULL"); /* the catalog goes on */
    fixture_close(&f);
}

static void test_others(void **state) {
    Fixture f;
    admin_run(
        &main_server,
        "CREATE OR REPLACE TABLE test_db.others (id INT PRIMARY KEY, e ENUM('x', '', 'ä b'), s "
        "SET('p', 'q', 'ö'), j JSON, u UUID, g GEOMETRY, i6 INET6)");
    admin_run(&main_server,
              "INSERT INTO test_db.others VALUES (1, 'x', '', '{\"a\": [1, 2.50]}', "
              "'12151fd2-7586-11e9-8f9e-2a86e4085a59', POINT(1, 2), '::1'), (2, '', 'p,ö', '1', "
              "NULL, NULL, NULL), (3, 'ä b', NULL, NULL, 'ffffffff-ffff-ffff-ffff-ffffffffffff', "
              "NULL, '2001:db8::ff00:42:8329')");
    fixture_open(&f, &main_server, NULL, 0);
    EXPECT_COLUMN(&f, "others", "e", "'x'", "''", "'ä b'");
    EXPECT_COLUMN(&f, "others", "s", "''", "'p,ö'", "NULL");
    EXPECT_COLUMN(&f, "others", "j", "'{\"a\": [1, 2.50]}'", "'1'", "NULL");
    EXPECT_COLUMN(&f, "others", "u", "X'12151FD2758611E98F9E2A86E4085A59'", "NULL",
                  "X'FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF'");
    EXPECT_COLUMN(&f, "others", "i6", "'::1'", "NULL", "'2001:db8::ff00:42:8329'");
    expect_failure(&f, "others", "g", "HYC00", "geometry of the source has no counterpart");
    fixture_close(&f);
}

/* ---------------------------------------------------------------- what servers get wrong */

typedef struct Wrong {
    const char *column;
    uint16_t op, second; /* second: another condition AND-ed, 0 = none */
    bool negated;
    const char *low, *high,
        *other; /* literals: of op, of BETWEEN, of the second; NULL = SQL NULL */
    const char *ids;
} Wrong;

static Expr *literal(Fixture *f, TribType type, const char *text) {
    TribValue value = {.type = type, .is_null = text == NULL};
    if (!text) return expr_literal(f->arena, &value);
    if (type.id == TRIB_TYPE_DECIMAL) {
        value.as.wide = 0;
        for (const char *c = text; *c; c++) value.as.wide = value.as.wide * 10 + (*c - '0');
    } else {
        value.as.text.data = text;
        value.as.text.length = strlen(text);
    }
    return expr_literal(f->arena, &value);
}

static void expect_ids(Fixture *f, const TribTable *table, const Wrong *wrong) {
    Answer answer;
    char ids[200] = "", one[16];
    Ask what = ask_column(f, table, wrong->column);
    Expr *column = what.outputs[1];
    TribType type = column->type;
    Expr *parts[3] = {column, literal(f, type, wrong->low), literal(f, type, wrong->high)};
    uint32_t count = wrong->op == TRIB_FN_between ? 3 : 2;
    Expr *conditions[2] = {expr_call(f->arena, wrong->op, TRIB_TYPE_BOOLEAN, count, parts)};
    if (wrong->negated)
        conditions[0] = expr_call(f->arena, TRIB_FN_not, TRIB_TYPE_BOOLEAN, 1, conditions);
    Expr *pair[2] = {column, literal(f, type, wrong->other)};
    if (wrong->second)
        conditions[1] = expr_call(f->arena, wrong->second, TRIB_TYPE_BOOLEAN, 2, pair);
    what.conjuncts = conditions;
    what.nconjuncts = wrong->second ? 2 : 1;
    ask(&f->subject, f->arena, &what, &answer);
    if (answer.status != TRIB_OK) fail_msg("%s", answer.err.message);
    for (uint32_t i = 0; i < what.nconjuncts; i++)
        assert_int_equal(answer.verdicts[i].kind, TRIB_EXACT);
    for (int64_t id = 1; id < 100; id++) {
        for (size_t r = 0; r < answer.rows.count; r++) {
            if (rows_at(&answer.rows, r)[0].as.integer != id) continue;
            snprintf(one, sizeof one, "%s%d", ids[0] ? " " : "", (int)id);
            strncat(ids, one, sizeof ids - strlen(ids) - 1);
        }
    }
    if (strcmp(ids, wrong->ids) != 0)
        fail_msg("%s: rows %s instead of %s; sent %s", wrong->column, ids, wrong->ids, answer.text);
}

static void test_wrong_servers(void **state) {
    static const Wrong cases[] = {
        /* An index answers LIKE under PAD SPACE without what sorts below the pattern's padded start. */
        {.column = "bin", .op = TRIB_FN_like, .low = "a%", .ids = "1 3 4"},
        {.column = "plain", .op = TRIB_FN_like, .low = "a%", .ids = "1 3 4"},
        {.column = "nopad", .op = TRIB_FN_like, .low = "a%", .ids = "1 3 4"},
        /* 'A' and 'a' are alike to the connection, and BETWEEN them becomes an equality. */
        {.column = "nopad", .op = TRIB_FN_between, .low = "A", .high = "a", .ids = "1 2 5"},
        {.column = "bin", .op = TRIB_FN_between, .low = "A", .high = "a", .ids = "1 2 5"},
        /* A bound that is NULL makes NOT BETWEEN over decimals never true. */
        {.column = "u",
         .op = TRIB_FN_between,
         .negated = true,
         .low = "18446744073709551614",
         .ids = "2 3 4 5"},
        {.column = "d",
         .op = TRIB_FN_between,
         .negated = true,
         .low = "18446744073709551614",
         .ids = "2 3 4 5"},
        /* <=> over BIGINT UNSIGNED replaces the column elsewhere, cut to a signed number. */
        {.column = "u",
         .op = TRIB_FN_is_distinct_from,
         .negated = true,
         .low = "18446744073709551615",
         .second = TRIB_FN_lt,
         .other = "9999999999999999999",
         .ids = ""},
        {.column = "u",
         .op = TRIB_FN_is_distinct_from,
         .negated = true,
         .low = "18446744073709551615",
         .second = TRIB_FN_gt,
         .other = "9999999999999999999",
         .ids = "1"},
        {.column = "u",
         .op = TRIB_FN_is_distinct_from,
         .low = "18446744073709551615",
         .second = TRIB_FN_ge,
         .other = "9223372036854775808",
         .ids = "3"},
    };
    Fixture f;
    admin_run(
        &main_server,
        "CREATE OR REPLACE TABLE test_db.wrong (id INT PRIMARY KEY, u BIGINT UNSIGNED, d "
        "DECIMAL(20,0), bin VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, nopad "
        "VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin, plain VARCHAR(10) "
        "CHARACTER SET ascii COLLATE ascii_bin, KEY (u), KEY (d), KEY (bin), KEY (nopad), KEY "
        "(plain))");
    admin_run(
        &main_server,
        "INSERT INTO test_db.wrong VALUES (1, 18446744073709551615, 18446744073709551615, 'a', "
        "'a', 'a'), (2, 1, 1, 'A', 'A', 'A'), (3, 9223372036854775808, 9223372036854775808, "
        "'a\\tb', 'a\\tb', 'a\\tb'), (4, 0, 0, 'a\\0', 'a\\0', 'a\\0'), (5, "
        "9223372036854775807, 9223372036854775807, 'Z', 'Z', 'Z'), (6, NULL, NULL, NULL, "
        "NULL, NULL)");
    for (int i = 0; i < 3; i++) { /* enough rows that an index is worth it */
        char sql[200];
        snprintf(
            sql, sizeof sql,
            "INSERT INTO test_db.wrong SELECT id + %d, NULL, NULL, CONCAT('z', id), CONCAT('z', "
            "id), CONCAT('z', id) FROM test_db.wrong",
            100 << i);
        admin_run(&main_server, sql);
    }
    admin_run(&main_server, "ANALYZE TABLE test_db.wrong");
    fixture_open(&f, &main_server, NULL, 0);
    TribTable *table = fixture_table(&f, "wrong");
    for (size_t i = 0; i < COUNT_OF(cases); i++) expect_ids(&f, table, &cases[i]);
    fixture_close(&f);
}

/* 'a' and 'a\0' are one to a sort under a NO PAD collation; the top-N of them must not be. */
static void test_sort_keys(void **state) {
    static const char *const expected[] = {"", "\x01", "a", "a\x01"};
    Fixture f;
    admin_run(&main_server,
              "CREATE OR REPLACE TABLE test_db.sorted (id INT PRIMARY KEY, w VARCHAR(10) CHARACTER "
              "SET utf8mb4 COLLATE utf8mb4_nopad_bin)");
    admin_run(&main_server, "INSERT INTO test_db.sorted VALUES (1, 'b'), (2, 'a\\0c'), (3, 'a'), "
                            "(4, '\\0'), (5, ''), (6, 'a\\0'), (7, NULL)");
    fixture_open(&f, &main_server, NULL, 0);
    Answer answer;
    Ask what = ask_column(&f, fixture_table(&f, "sorted"), "w");
    what.norder = 1;
    what.order = &what.outputs[1];
    what.limit = 4;
    ask(&f.subject, f.arena, &what, &answer);
    assert_int_equal(answer.status, TRIB_OK);
    assert_true(answer.taken & TRIB_TAKEN_ORDER && answer.taken & TRIB_TAKEN_LIMIT);
    assert_int_equal(answer.rows.count, COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        const TribValue *value = &rows_at(&answer.rows, i)[1];
        assert_int_equal(value->as.text.length, strlen(expected[i]));
        for (size_t k = 0; k < value->as.text.length; k++)
            assert_int_equal(value->as.text.data[k], expected[i][k] == 1 ? 0 : expected[i][k]);
    }
    fixture_close(&f);
}

int main(void) {
    static const struct CMUnitTest types[] = {
        cmocka_unit_test(test_integers),      cmocka_unit_test(test_tinyint_as_boolean),
        cmocka_unit_test(test_decimals),      cmocka_unit_test(test_floats),
        cmocka_unit_test(test_dates),         cmocka_unit_test(test_times),
        cmocka_unit_test(test_zero_dates),    cmocka_unit_test(test_many_values),
        cmocka_unit_test(test_text),          cmocka_unit_test(test_others),
        cmocka_unit_test(test_wrong_servers), cmocka_unit_test(test_sort_keys),
    };
    if (!main_server_open()) {
        printf("skipped: TRIB_TEST_MYSQL_USER is not set, there is no server to test on\n");
        return 77;
    }
    int failed = cmocka_run_group_tests_name("types", types, NULL, NULL);
    failed += test_mysql_connections();
    failed += test_mysql_write();
    failed += test_mysql_spare();
    server_stop(&main_server);
    return failed ? 1 : 0;
}
