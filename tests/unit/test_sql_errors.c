/*
 * test_sql_errors.c - what is refused: SQLSTATE, position, wording and hint of each frequent mistake.
 */
#include "tests/unit/test_sql.h"

typedef struct Refused {
    const char *sql, *sqlstate;
    uint32_t line, column;
    const char *message, *hint; /* parts of the texts; NULL = none expected */
} Refused;

static void expect_refused(const Refused *row) {
    Arena *arena = arena_new(NULL);
    AstStatement *statement;
    Error err = {0};
    Status status = sql_parse(arena, str_from(row->sql), &statement, &err);
    if (status == TRIB_OK) fail_msg("accepted: %s", row->sql);
    bool same = strcmp(err.sqlstate, row->sqlstate) == 0 && err.status == status &&
                err.line == row->line && err.column == row->column &&
                strstr(err.message, row->message) &&
                (row->hint ? strstr(err.hint, row->hint) != NULL : err.hint[0] == '\0');
    if (!same) {
        fail_msg("%s\n  %s %u:%u %s | %s", row->sql, err.sqlstate, err.line, err.column,
                 err.message, err.hint);
    }
    arena_free(arena);
}

static void expect_all(size_t count, const Refused *rows) {
    for (size_t i = 0; i < count; i++) expect_refused(&rows[i]);
}

static void mistakes_in_queries(void **state) {
    static const Refused rows[] = {
        {"", "42000", 1, 1, "the statement is empty", NULL},
        {" -- x\n ; ", "42000", 2, 2, "the statement is empty", NULL},
        {"FROBNICATE x", "42000", 1, 1, "unexpected 'FROBNICATE', expected a statement", NULL},
        {"SELCT 1", "42000", 1, 1, "unexpected 'SELCT'", "did you mean SELECT"},
        {"SELECT", "42000", 1, 7, "unexpected the end of the statement, expected an expression",
         NULL},
        {"SELECT a,\n FROM t", "42000", 2, 2, "unexpected 'FROM', expected an expression",
         "remove the comma"},
        {"SELECT a b c FROM t", "42000", 1, 12, "unexpected 'c', expected ','",
         "a comma may be missing"},
        {"SELECT a 1 FROM t", "42000", 1, 10, "unexpected '1'", "a comma may be missing"},
        {"SELECT (SELECT a \"b\" c)", "42000", 1, 22, "unexpected 'c'", "a comma may be missing"},
        {"SELECT * FORM t", "42000", 1, 10, "unexpected 'FORM'",
         "did you mean FROM instead of FORM?"},
        {"SELECT a FORM t", "42000", 1, 15, "unexpected 't'", "did you mean FROM instead of FORM?"},
        {"SELECT a FROM t WHER a = 1", "42000", 1, 22, "unexpected 'a'",
         "did you mean WHERE instead of WHER?"},
        {"SELECT order FROM t", "42000", 1, 8, "unexpected 'order'", "order is a reserved word"},
        {"SELECT a FROM table", "42000", 1, 20, "unexpected the end of the statement, expected '('",
         NULL},
        {"SELECT a FROM user group", "42000", 1, 25, "expected BY", NULL},
        {"SELECT a AS from FROM t", "42000", 1, 13, "unexpected 'from', expected a name",
         "\"from\""},
        {"SELECT a.select FROM t", "42000", 1, 10, "unexpected 'select', expected a name",
         "\"select\""},
        {"SELECT a AS 'x' FROM t", "42000", 1, 13, "unexpected 'x', expected a name",
         "names take double quotes"},
        {"SELECT 'a' 'b'", "42000", 1, 12, "unexpected 'b'", "a comma may be missing"},
        {"SELECT a FROM t LIMIT 5, 10", "42000", 1, 24, "LIMIT takes one number",
         "write OFFSET 5 LIMIT 10"},
        {"SELECT a FROM t LIMIT x", "42000", 1, 23, "expected a number of rows or ?", NULL},
        {"SELECT a FROM t LIMIT 1 LIMIT 2", "42000", 1, 25, "LIMIT or FETCH stands twice", NULL},
        {"SELECT a FROM t OFFSET 1 OFFSET 2", "42000", 1, 26, "OFFSET stands twice", NULL},
        {"SELECT a FROM t ORDER BY a FETCH 3", "42000", 1, 34, "expected FIRST or NEXT", NULL},
        {"SELECT `a` FROM t", "42000", 1, 8, "unexpected '`a`'", "double quotes: \"a\""},
        {"SELECT a FROM `t`", "42000", 1, 15, "unexpected '`t`'", "double quotes: \"t\""},
        {"SELECT a FROM t WHERE a == 1", "42000", 1, 25, "unexpected '=='",
         "equality is written ="},
        {"SELECT a = b = c", "42000", 1, 14, "unexpected '='", "comparisons do not chain"},
        {"SELECT a < b < c", "42000", 1, 14, "unexpected '<'", "comparisons do not chain"},
        {"SELECT a IS NULL IS NULL", "42000", 1, 18, "unexpected 'IS'", NULL},
        {"SELECT a = NOT b", "42000", 1, 12, "unexpected 'NOT', expected an expression",
         "reserved word"},
        {"SELECT a IS TRUE", "42000", 1, 13, "IS TRUE is not part", "IS NOT DISTINCT FROM true"},
        {"SELECT a IS 1", "42000", 1, 13, "expected NULL, NOT NULL or DISTINCT FROM", NULL},
        {"SELECT 1 WHERE x > DATE \"2024-01-01\"", "42000", 1, 25, "unexpected \"2024-01-01\"",
         "single quotes"},
        {"SELECT a LIKE 'x' ESCAPE", "42000", 1, 25, "expected an expression", NULL},
        {"SELECT (1, 2", "42000", 1, 13, "expected ',' or ')'", NULL},
        {"SELECT f(1, 2", "42000", 1, 14, "expected ',' or ')'", NULL},
        {"SELECT a[1", "42000", 1, 11, "expected ']'", NULL},
        {"SELECT * FROM (SELECT 1", "42000", 1, 24, "expected ')'", NULL},
        {"SELECT a IN ()", "42000", 1, 14, "unexpected ')', expected an expression", NULL},
        {"SELECT CASE WHEN a THEN b", "42000", 1, 26, "expected WHEN, ELSE or END", NULL},
        {"SELECT CASE END", "42000", 1, 13, "unexpected 'END'", "reserved word"},
        {"SELECT CAST(a AS)", "42000", 1, 17, "unexpected ')', expected a type", NULL},
        {"SELECT CAST(a, b)", "42000", 1, 14, "unexpected ',', expected AS", NULL},
        {"SELECT EXTRACT(foo FROM a)", "42000", 1, 16, "does not know the field 'foo'", "YEAR"},
        {"SELECT INTERVAL '1' WEEK", "42000", 1, 21, "expected YEAR, MONTH, DAY", NULL},
        {"SELECT f(a => 1)", "42000", 1, 12, "named arguments are for table functions", NULL},
        {"SELECT a FROM f(x)", "42000", 1, 16, "TABLE(f(...))", NULL},
        {"SELECT a FROM t JOIN u", "42000", 1, 23, "expected ON or USING", NULL},
        {"SELECT a FROM t JOIN u WHERE x", "42000", 1, 24,
         "unexpected 'WHERE', expected ON or USING", NULL},
        {"SELECT a FROM t NATURAL CROSS JOIN u", "42000", 1, 25,
         "unexpected 'CROSS', expected JOIN", NULL},
        {"SELECT sum(a) OVER (ORDER a)", "42000", 1, 27, "expected BY", NULL},
        {"SELECT sum(a) OVER (ROWS 1)", "42000", 1, 27, "expected PRECEDING or FOLLOWING", NULL},
        {"SELECT f(a) IGNORE NULLS", "42000", 1, 25, "expected OVER", NULL},
        {"SELECT f(a) IGNORE NULLS OVER, b", "42000", 1, 30, "expected a name", NULL},
        {"WITH a AS SELECT 1 TABLE a", "42000", 1, 11, "unexpected 'SELECT', expected '('", NULL},
        {"SELECT 1; SELECT 2", "42000", 1, 11, "only one statement at a time", NULL},
        {"SELECT 1 UNION", "42000", 1, 15, "expected a query", NULL},
        {"SELECT ?1", "42000", 1, 9, "unexpected '1'", "a comma may be missing"},
        {"SELECT 1)", "42000", 1, 9, "unexpected ')', expected the end of the statement", NULL},
        {"VALUES", "42000", 1, 7, "expected an expression", NULL},
    };
    expect_all(COUNT_OF(rows), rows);
}

static void mistakes_in_tokens(void **state) {
    static const Refused rows[] = {
        {"SELECT 'x", "42000", 1, 8, "the string that begins here is not closed", "write ' as ''"},
        {"SELECT \"x", "42000", 1, 8, "the quoted name that begins here is not closed", NULL},
        {"SELECT 1 /* x", "42000", 1, 10, "the comment that begins here is not closed", NULL},
        {"SELECT \"\"", "42000", 1, 8, "must not be empty", "the empty string is ''"},
        {"SELECT $1", "42000", 1, 8, "unexpected character '$'", "parameters are written ?"},
        {"SELECT :a", "42000", 1, 8, "unexpected ':'", "parameters are written ?"},
        {"SELECT @a", "42000", 1, 8, "unexpected character '@'", "no variables"},
        {"SELECT a ^ b", "42000", 1, 10, "unexpected character '^'", "power(a, b)"},
        {"SELECT a & b", "42000", 1, 10, "unexpected character '&'", "bitwise_and"},
        {"SELECT !a", "42000", 1, 8, "unexpected character '!'", "use NOT"},
        {"SELECT 1 # x", "42000", 1, 10, "unexpected character '#'", "comments begin with --"},
        {"SELECT\xC2\xA0"
         "1",
         "42000", 1, 7, "unexpected character", "no-break space"},
        {"SELECT \xE2\x80\x98x\xE2\x80\x99", "42000", 1, 8, "unexpected character",
         "straight quotes"},
        {"SELECT gr\xC3\xB6\xC3\x9F"
         "e",
         "42000", 1, 10, "unexpected character '\xC3\xB6'", "double quotes"},
        {"SELECT 1a", "42000", 1, 8, "unexpected '1a'", "\"1a\""},
        {"SELECT X'0g'", "42000", 1, 8, "hexadecimal digits", NULL},
        {"SELECT X'0'", "42000", 1, 8, "even number of digits", NULL},
        {"SELECT U&'\\12'", "42000", 1, 8, "incomplete escape sequence", NULL},
        {"SELECT U&'\\D800'", "42000", 1, 8, "is not a character", NULL},
        {"SELECT U&'a' UESCAPE 'a'", "42000", 1, 22, "UESCAPE takes one character", NULL},
        {"SELECT 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "42000", 1, 8, "too many digits", NULL},
        {"SELECT CURRENT_TIMESTAMP(12)", "42000", 1, 26, "precision of a time is 0 to 9", NULL},
        {"SELECT '\xFF'", "42000", 1, 9, "not valid UTF-8", NULL},
        {"SELECT\n '\xC3\xA4\xED\xA0\x80'", "42000", 2, 4, "not valid UTF-8", NULL},
    };
    expect_all(COUNT_OF(rows), rows);
}

static void mistakes_in_statements(void **state) {
    static const Refused rows[] = {
        {"INSERT t VALUES (1)", "42000", 1, 8, "unexpected 't', expected INTO", NULL},
        {"INSERT INTO t (a, b", "42000", 1, 20, "expected ')'", NULL},
        {"DELETE t WHERE a", "42000", 1, 8, "unexpected 't', expected FROM", NULL},
        {"UPDATE t SET a == 1", "42000", 1, 16, "unexpected '=='", "equality"},
        {"UPDATE t WHERE a", "42000", 1, 10, "unexpected 'WHERE', expected SET", NULL},
        {"MERGE INTO t USING u ON TRUE", "42000", 1, 29, "expected WHEN", NULL},
        {"CREATE TABLE t (a bigint b int)", "42000", 1, 26, "expected ',' or ')'", NULL},
        {"CREATE TABLE t", "42000", 1, 15, "expected '(' or AS", NULL},
        {"CREATE TABLE t (a, b)", "42000", 1, 22, "expected AS", NULL},
        {"CREATE TABLE t (a int, CONSTRAINT k)", "42000", 1, 36, "expected PRIMARY KEY or UNIQUE",
         NULL},
        {"CREATE TABLE t (a int CONSTRAINT k 1)", "42000", 1, 36, "expected NOT NULL", NULL},
        {"INSERT INTO t (a) DEFAULT VALUES", "42000", 1, 19, "expected", NULL},
        {"CREATE TABLE t (a int COMMENT \"x\")", "42000", 1, 31, "expected a string",
         "single quotes"},
        {"CREATE FOO", "42000", 1, 8, "unexpected 'FOO', expected TABLE", NULL},
        {"DROP t", "42000", 1, 6, "unexpected 't', expected TABLE", NULL},
        {"SHOW FOO", "42000", 1, 6, "unexpected 'FOO', expected CATALOGS", NULL},
        {"SHOW TABLES LIKE \"x\"", "42000", 1, 18, "expected a string", "single quotes"},
        {"USE a.b.c", "42000", 1, 9, "USE takes a schema", NULL},
        {"EXPLAIN (TYPE FOO) SELECT 1", "42000", 1, 15, "expected LOGICAL, PHYSICAL, REMOTE", NULL},
        {"EXPLAIN (FOO 1) SELECT 1", "42000", 1, 10, "options TYPE and FORMAT", NULL},
        {"START TRANSACTION READ ONLY, READ WRITE", "42000", 1, 30, "stands twice", NULL},
        {"CREATE EXTERNAL TABLE t (a int) LOCATION 'a' LOCATION 'b'", "42000", 1, 46,
         "stands twice", NULL},
        {"ALTER TABLE t SET TBLPROPERTIES ('' = 'a')", "42000", 1, 34, "must not be empty", NULL},
        {"ALTER TABLE t FOO", "42000", 1, 15, "expected ADD, ALTER COLUMN", NULL},
        {"SELECT {x 1}", "42000", 1, 9, "expected fn, d, t, ts", NULL},
        {"SELECT {d 2024}", "42000", 1, 11, "expected a string", NULL},
        {"SELECT {d '2024-01-01'", "42000", 1, 23, "expected '}'", NULL},
        {"SELECT {oj a}", "42000", 1, 8, "stands behind FROM", NULL},
        {"SELECT {fn UCASE(a, b)}", "42000", 1, 12, "takes 1 arguments, not 2", NULL},
        {"SELECT {fn LOCATE(a)}", "42000", 1, 12, "takes 2 to 3 arguments, not 1", NULL},
        {"SELECT {fn TIMESTAMPADD(DAY, 1, a)}", "42000", 1, 25, "SQL_TSI_SECOND", NULL},
        {"SELECT {fn CONVERT(a, varchar(3))}", "42000", 1, 23, "takes a type of ODBC", NULL},
        {"SELECT JSON_VALUE(a, b)", "42000", 1, 22, "expected a string", NULL},
        {"SELECT JSON_VALUE(a, '$' NULL ON ERROR NULL ON EMPTY)", "42000", 1, 40, "once each",
         NULL},
        {"SELECT JSON_OBJECT(a)", "42000", 1, 21, "expected VALUE or ':'", NULL},
    };
    expect_all(COUNT_OF(rows), rows);
}

static void not_offered(void **state) {
    static const Refused rows[] = {
        {"GRANT SELECT ON t TO u", "HYC00", 1, 1, "GRANT is not supported", NULL},
        {"{call p(?)}", "HYC00", 1, 1, "{call}", NULL},
        {"{?=call p(?)}", "HYC00", 1, 1, "{call}", NULL},
        {"SELECT {call p()}", "HYC00", 1, 8, "{call}", NULL},
        {"SELECT * FROM t MATCH_RECOGNIZE (PATTERN (a))", "HYC00", 1, 17, "MATCH_RECOGNIZE", NULL},
        {"SELECT * FROM t AS x MATCH_RECOGNIZE (PATTERN (a))", "HYC00", 1, 22, "MATCH_RECOGNIZE",
         NULL},
        {"SELECT * FROM JSON_TABLE(a, '$' COLUMNS (b int))", "HYC00", 1, 15, "JSON_TABLE", NULL},
        {"SELECT * FROM t FOR VERSION AS OF 1", "HYC00", 1, 17, "FOR VERSION", NULL},
        {"SELECT * FROM TABLE(f(TABLE(t)))", "HYC00", 1, 23, "a table as argument", NULL},
        {"SELECT CURRENT_PATH", "HYC00", 1, 8, "CURRENT_PATH", NULL},
        {"WITH FUNCTION f() RETURNS int RETURN 1 SELECT f()", "HYC00", 1, 6, "WITH FUNCTION", NULL},
        {"CREATE FUNCTION f() RETURNS int RETURN 1", "HYC00", 1, 8, "CREATE FUNCTION", NULL},
        {"CREATE ROLE r", "HYC00", 1, 8, "CREATE ROLE", NULL},
        {"EXPLAIN (FORMAT GRAPHVIZ) SELECT 1", "HYC00", 1, 17, "GRAPHVIZ", NULL},
        {"ALTER TABLE t EXECUTE optimize", "HYC00", 1, 15, "EXECUTE", NULL},
        {"SET ROLE x", "HYC00", 1, 1, "SET ROLE", NULL},
        {"SELECT {fn TIMESTAMPADD(SQL_TSI_FRAC_SECOND, 1, a)}", "HYC00", 1, 25, "FRAC_SECOND",
         NULL},
        {"CREATE TABLE t (a int CHECK (a > 0))", "HYC00", 1, 23, "a CHECK constraint", NULL},
        {"CREATE TABLE t (a int, CONSTRAINT f FOREIGN KEY (a) REFERENCES u (b))", "HYC00", 1, 37,
         "a FOREIGN KEY", NULL},
        {"ALTER TABLE t ADD CONSTRAINT k UNIQUE (a)", "HYC00", 1, 19, "ADD CONSTRAINT", NULL},
        {"ALTER TABLE t DROP CONSTRAINT k", "HYC00", 1, 20, "DROP CONSTRAINT", NULL},
    };
    expect_all(COUNT_OF(rows), rows);
}

/* Names become C strings further on. */
static void zero_in_a_name(void **state) {
    Arena *arena = arena_new(NULL);
    AstStatement *statement;
    Error err = {0};
    assert_int_equal(sql_parse(arena, STR("SELECT \"a\0b\""), &statement, &err), TRIB_INVALID);
    assert_string_equal(err.message, "a name must not hold the character U+0000");
    assert_int_equal(err.column, 8);
    statement = sql_must_parse(arena, STR("SELECT 'a\0b'"));
    assert_str(statement->query->body->select->items[0].expr->text, "a\0b");
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_in_queries),    cmocka_unit_test(mistakes_in_tokens),
        cmocka_unit_test(mistakes_in_statements), cmocka_unit_test(not_offered),
        cmocka_unit_test(zero_in_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
