/*
 * test_sql_parse.c - what the parser builds: expressions tree by tree, and every form of the grammar through
 * parse, print and parse again, which must give the same tree.
 */
#include "tests/unit/test_sql.h"

/* ---------------------------------------------------------------- trees */

static void expect_tree(const char *expression, const char *tree) {
    Arena *arena = arena_new(NULL);
    Str sql = str_from(arena_printf(arena, "SELECT %s", expression));
    AstStatement *statement = sql_must_parse(arena, sql);
    Buf out;
    buf_init(&out, arena, SQL_TEST_TEXT_MAX);
    dump_expr(&out, statement->query->body->select->items[0].expr);
    if (!str_equal(buf_view(&out), str_from(tree))) fail_msg("%s: %s", expression, out.data);
    arena_free(arena);
}

static void precedence(void **state) {
    static const char *const rows[][2] = {
        {"1 + 2 * 3", "(add 1 (multiply 2 3))"},
        {"1 - 2 - 3", "(subtract (subtract 1 2) 3)"},
        {"8 / 4 % 3 * 2", "(multiply (modulus (divide 8 4) 3) 2)"},
        {"(1 + 2) * 3", "(multiply (add 1 2) 3)"},
        {"-a * b", "(multiply (negate a) b)"},
        {"-a.b[1]", "(negate (subscript a.b 1))"},
        {"- - a", "(negate (negate a))"},
        {"+ + a", "a"},
        {"-1", "-1"},
        {"- 1.50", "-1.50m"},
        {"-(1)", "(negate 1)"},
        {"- -1", "(negate -1)"},
        {"1 -1", "(subtract 1 1)"},
        {"1--1\n", "1"},
        {"a - -1e3", "(subtract a -1e3d)"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"a || b || c", "(concat#concat a b c)"},
        {"a || (b || c)", "(concat#concat a (concat#concat b c))"},
        {"a + 1 || b * 2", "(concat#concat (add a 1) (multiply b 2))"},
        {"a || b = c", "(eq (concat#concat a b) c)"},
        {"a AND b AND c OR d AND e OR f", "(or (and a b c) (and d e) f)"},
        {"a AND (b AND c)", "(and a (and b c))"},
        {"(a OR b) AND c", "(and (or a b) c)"},
        {"NOT a AND b", "(and (not a) b)"},
        {"NOT a = b OR c", "(or (not (eq a b)) c)"},
        {"NOT NOT a IS NULL", "(not (not (is_null a)))"},
        {"a = b AND c <> d", "(and (eq a b) (ne c d))"},
        {"a < b, c", "(lt a b)"},
        {"a <= b + 1", "(le a (add b 1))"},
        {"a > b", "(gt a b)"},
        {"a >= -b", "(ge a (negate b))"},
        {"a != b", "(ne a b)"},
        {"a BETWEEN 1 AND 2 AND b", "(and (between a 1 2) b)"},
        {"a NOT BETWEEN 1 + 1 AND c || d", "(not_between a (add 1 1) (concat#concat c d))"},
        {"a IS NOT NULL", "(not_is_null a)"},
        {"a IS DISTINCT FROM b AND c", "(and (distinct a b) c)"},
        {"a IS NOT DISTINCT FROM b", "(not_distinct a b)"},
        {"a LIKE 'x' || b", "(like a (concat#concat 'x' b))"},
        {"a NOT LIKE b ESCAPE '!'", "(not_like a b '!')"},
        {"a AT TIME ZONE 'UTC' + b", "(add (at_zone a 'UTC') b)"},
        {"-a AT TIME ZONE INTERVAL '1' HOUR", "(negate (at_zone a (interval '1' 6-0)))"},
        {"a at", "a"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) expect_tree(rows[i][0], rows[i][1]);
}

static void literals(void **state) {
    static const char *const rows[][2] = {
        {"'it''s'", "'it's'"},
        {"U&'d\\0061t\\+000061\\\\'", "'data\\'"},
        {"U&'!0041''' UESCAPE '!'", "'A''"},
        {"N'x'", "'x'"},
        {"X'0a fF'", "0x0aff"},
        {"X''", "0x"},
        {"0xFF", "255"},
        {"0b101", "5"},
        {"0O17", "15"},
        {"0x7FFF_FFFF_FFFF_FFFF", "9223372036854775807"},
        {"1_000_000", "1000000"},
        {"1_0.2_5", "10.25m"},
        {"1.", "1.m"},
        {".5E-3", ".5E-3d"},
        {"tRue", "true"},
        {"NULL", "null"},
        {"DATE '2024-01-01'", "<DATE>'2024-01-01'"},
        {"DOUBLE PRECISION '1'", "<DOUBLE>'1'"},
        {"json '{}'", "<json>'{}'"},
        {"INTERVAL '1' DAY", "(interval '1' 5-0)"},
        {"INTERVAL -'1-2' YEAR TO MONTH", "(interval '-1-2' 1-3)"},
        {"INTERVAL - ' -3' SECOND", "(interval '3' 8-0)"},
        {"INTERVAL '1' DAY to", "(interval '1' 5-0)"},
        {"interval", "interval"},
        {"CURRENT_DATE", "(current_date)"},
        {"CURRENT_TIMESTAMP(3)", "(current_timestamp p3)"},
        {"localtime", "(localtime)"},
        {"?", "?0"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) expect_tree(rows[i][0], rows[i][1]);
}

static void names_and_calls(void **state) {
    static const char *const rows[][2] = {
        {"a.\"B c\".d", "a.\"B c\".d"},
        {"limit", "limit"},
        {"date", "date"},
        {"f()", "(f)"},
        {"a.b.f(DISTINCT x, y)", "(a.b.f distinct x y)"},
        {"f(ALL x)", "(f x)"},
        {"f(all)", "(f all)"},
        {"f(all, x)", "(f all x)"},
        {"count(*)", "(count *)"},
        {"left(a, 2)", "(left a 2)"},
        {"if(a, b, c)", "(if a b c)"},
        {"f(x ORDER BY y DESC NULLS LAST)", "(f x order y desc nulls2)"},
        {"f(x) FILTER (WHERE y)", "(f x filter y)"},
        {"f(x) filter", "(f x)"},
        {"f(x) over", "(f x)"},
        {"f(x) OVER w", "(f x (window w))"},
        {"f(x) OVER ()", "(f x (window))"},
        {"f(x) OVER (w ORDER BY a)", "(f x (window base w order a))"},
        {"f(x) OVER (PARTITION BY a, b ROWS 1 PRECEDING)", "(f x (window by a b frame1 1:1 to 2))"},
        {"f(x) OVER (partition)", "(f x (window base partition))"},
        {"f() OVER (RANGE BETWEEN UNBOUNDED PRECEDING AND x + 1 FOLLOWING)",
         "(f (window frame2 0 to 3:(add x 1)))"},
        {"f() OVER (GROUPS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)",
         "(f (window frame3 2 to 4))"},
        {"f(x) IGNORE NULLS OVER w", "(f x nulls2 (window w))"},
        {"f(x) RESPECT NULLS OVER w", "(f x nulls1 (window w))"},
        {"LISTAGG(a, ',') WITHIN GROUP (ORDER BY b)", "(listagg a ',' order b)"},
        {"LISTAGG(a ON OVERFLOW TRUNCATE 'x' WITHOUT COUNT) WITHIN GROUP (ORDER BY b)",
         "(listagg a order b truncate0 'x')"},
        {"x -> x + 1", "(lambda [x] (add x 1))"},
        {"() -> 1", "(lambda 1)"},
        {"f(a, (x, y) -> x -> y)", "(f a (lambda [x y] (lambda [x] y)))"},
        {"(a, b)", "(row a b)"},
        {"ROW(a)", "(row a)"},
        {"ARRAY[]", "(array)"},
        {"ARRAY[1, ARRAY[2]]", "(array 1 (array 2))"},
        {"array", "array"},
        {"f(x).y.z", "(field (field (f x) y) z)"},
        {"(a).b", "(field a b)"},
        {"a[1][2].b", "(field (subscript (subscript a 1) 2) b)"},
        {"t.*", "t*"},
        {"a.b.*", "a.b*"},
        {"(x).*", "* x"},
        {"f(x).*", "* (f x)"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) expect_tree(rows[i][0], rows[i][1]);
}

static void special_forms(void **state) {
    static const char *const rows[][2] = {
        {"CASE WHEN a THEN 1 END", "(case - a 1 -)"},
        {"CASE a WHEN 1 THEN 2 WHEN 3 THEN 4 ELSE 5 END", "(case a 1 2 3 4 5)"},
        {"CAST(a AS decimal ( 10 , 2 ))", "(cast <decimal(10,2)> a)"},
        {"TRY_CAST(a AS \"X y\")", "(try_cast <\"X y\"> a)"},
        {"CAST(a AS row(x bigint, varchar, \"y\" double precision))",
         "(cast <row(x bigint,varchar,\"y\" double)> a)"},
        {"CAST(a AS timestamp (6) with time zone)", "(cast <timestamp(6) with time zone> a)"},
        {"CAST(a AS time without time zone)", "(cast <time> a)"},
        {"CAST(a AS map<varchar, array<int>>)", "(cast <map(varchar,array(int))> a)"},
        {"CAST(a AS bigint array[3] array)", "(cast <array(array(bigint))> a)"},
        {"CAST(a AS row(bigint array, x array(int), t timestamp with time zone))",
         "(cast <row(array(bigint),x array(int),t timestamp with time zone)> a)"},
        {"CAST(a AS interval day to second)", "(cast <interval day to second> a)"},
        {"CAST(a AS interval year)", "(cast <interval year to month> a)"},
        {"EXTRACT(dow FROM a)", "(extract unit10 a)"},
        {"POSITION(a IN b || c)", "(position a (concat#concat b c))"},
        {"position", "position"},
        {"SUBSTRING(a FROM 2)", "(substring a 2)"},
        {"SUBSTRING(a FROM 2 FOR 3)", "(substring a 2 3)"},
        {"substring(a, 2, 3)", "(substring a 2 3)"},
        {"TRIM(a)", "(trim 0 a -)"},
        {"TRIM(LEADING FROM a)", "(trim 1 a -)"},
        {"TRIM(TRAILING 'x' FROM a)", "(trim 2 a 'x')"},
        {"TRIM('x' FROM a)", "(trim 0 a 'x')"},
        {"TRIM(a, 'x')", "(trim 0 a 'x')"},
        {"TRIM(leading)", "(trim 0 leading -)"},
        {"NORMALIZE(a, NFKD)", "(normalize a 'NFKD')"},
        {"GROUPING(a, t.b)", "(grouping a t.b)"},
        {"EXISTS (SELECT 1)", "(exists {(select 1)})"},
        {"(SELECT 1)", "(scalar {(select 1)})"},
        {"((SELECT 1)) + 1", "(add (scalar {{(select 1)}}) 1)"},
        {"((SELECT 1) + 1)", "(add (scalar {(select 1)}) 1)"},
        {"((SELECT 1), 2)", "(row (scalar {(select 1)}) 2)"},
        {"((SELECT 1) UNION (SELECT 2))", "(scalar {(union {(select 1)} {(select 2)})})"},
        {"((((SELECT 1) UNION SELECT 2)) LIMIT 1)",
         "(scalar {{{(union {(select 1)} (select 2))}} limit 1})"},
        {"a IN (1, 2)", "(in a 1 2)"},
        {"a NOT IN (SELECT 1)", "(not_in_query a {(select 1)})"},
        {"a IN ((SELECT 1))", "(in a (scalar {(select 1)}))"},
        {"a IN ((SELECT 1), 2)", "(in a (scalar {(select 1)}) 2)"},
        {"a IN ((SELECT 1) UNION SELECT 2)", "(in_query a {(union {(select 1)} (select 2))})"},
        {"(a, b) IN (VALUES (1, 2))", "(in_query (row a b) {(values[ 1 2 ])})"},
        {"a = ANY (SELECT 1)", "(any eq a {(select 1)})"},
        {"a <> SOME (SELECT 1)", "(any ne a {(select 1)})"},
        {"a < ALL (SELECT 1)", "(all lt a {(select 1)})"},
        {"a = any", "(eq a any)"},
        {"JSON_EXISTS(a, '$' PASSING b AS c ERROR ON ERROR)",
         "(json form0 path '$' passing [c].. 0 0 1 0 000000 a b)"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) expect_tree(rows[i][0], rows[i][1]);
}

static void escapes(void **state) {
    static const char *const rows[][2] = {
        {"{d '2024-01-01'}", "<date>'2024-01-01'"},
        {"{ T '10:00:00' }", "<time>'10:00:00'"},
        {"{ts'2024-01-01 00:00:00'}", "<timestamp>'2024-01-01 00:00:00'"},
        {"{guid '0'}", "<uuid>'0'"},
        {"{interval -'1' DAY(3)}", "(interval '-1' 5-0)"},
        {"{INTERVAL '1 2' DAY(2) TO SECOND(3)}", "(interval '1 2' 5-8)"},
        {"a LIKE b {escape '\\'}", "(like a b '\\')"},
        {"{fn ucase(a)} || b", "(concat#concat (upper a) b)"},
        {"{fn concat(a, {fn LCASE(b)})}", "(concat a (lower b))"},
        {"{fn LEFT(a, 1)}", "(left a 1)"},
        {"{fn IFNULL(a, 1)}", "(coalesce a 1)"},
        {"{fn LENGTH(a)}", "(length (rtrim a))"},
        {"{fn BIT_LENGTH(a)}", "(multiply (length (to_utf8 a)) 8)"},
        {"{fn LOCATE('x', a)}", "(strpos a 'x')"},
        {"{fn LOCATE('x', a, 3)}",
         "(coalesce (add (nullif (strpos (substr a 3) 'x') 0) (subtract 3 1)) 0)"},
        {"{fn INSERT(a, 2, 1, 'x')}",
         "(concat (substr a 1 (subtract 2 1)) 'x' (substr a (add 2 1)))"},
        {"{fn SPACE(3)}", "(rpad '' 3 ' ')"},
        {"{fn ASCII(a)}", "(codepoint (cast <varchar(1)> (substr a 1 1)))"},
        {"{fn COT(a)}", "(divide 1E0d (tan a))"},
        {"{fn DAYOFWEEK(a)}", "(add (modulus (day_of_week a) 7) 1)"},
        {"{fn MONTHNAME(a)}", "(date_format a '%M')"},
        {"{fn CURDATE()}", "(current_date)"},
        {"{fn CURRENT_TIMESTAMP(6)}", "(localtimestamp p6)"},
        {"{fn NOW()}", "(localtimestamp)"},
        {"{fn CURRENT_DATE}", "(current_date)"},
        {"{fn USER()}", "(current_user)"},
        {"{fn DATABASE()}", "(current_catalog)"},
        {"{fn TIMESTAMPADD(SQL_TSI_DAY, 1, a)}", "(date_add 'day' 1 a)"},
        {"{fn TIMESTAMPDIFF(sql_tsi_month, a, b)}", "(date_diff 'month' a b)"},
        {"{fn CONVERT(a, SQL_INTEGER)}", "(cast <integer> a)"},
        {"{fn CONVERT({fn UCASE(a)}, SQL_VARCHAR)}", "(cast <varchar> (upper a))"},
        {"{fn EXTRACT(YEAR FROM a)}", "(extract unit1 a)"},
        {"{fn POSITION('a' IN b)}", "(position 'a' b)"},
        {"{fn SUBSTRING(a, 1, 2)}", "(substring a 1 2)"},
        {"{fn SUBSTRING(a FROM 1)}", "(substring a 1)"},
        {"{fn round(a, 2)}", "(round a 2)"},
        {"{fn pi()}", "(pi)"},
        {"{fn RAND()}", "(random)"},
        {"{fn sum(a)}", "(sum a)"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) expect_tree(rows[i][0], rows[i][1]);
}

/* ---------------------------------------------------------------- there and back */

static void expect_round_trip(const char *sql) {
    Arena *arena = arena_new(NULL);
    AstStatement *first = sql_must_parse(arena, str_from(sql));
    Str printed = sql_printed(arena, first);
    AstStatement *second = sql_must_parse(arena, printed);
    Str a = sql_dump(arena, first), b = sql_dump(arena, second);
    if (!str_equal(a, b))
        fail_msg("%s\n  printed %s\n  %s\n  %s", sql, printed.data, a.data, b.data);
    assert_true(str_equal(printed, sql_printed(arena, second)));
    arena_free(arena);
}

static const char *const expressions[] = {
    "a",
    "1 + 2 * 3 - -4",
    "(1 + 2) * 3",
    "1 - (2 - 3)",
    "2 * (3 * 4)",
    "-(-1)",
    "-(-a)",
    "-(a + b)",
    "(-a)[1]",
    "(-1)[1]",
    "-(1[1])",
    "-(1 AT TIME ZONE 'x')",
    "- -1 AT TIME ZONE 'x'",
    "1[1].a",
    "(1).b",
    "-(a[1])",
    "(a || b) || c",
    "(a = b) = (c = d)",
    "(a IS NULL) IS NULL",
    "NOT (NOT a)",
    "NOT (a AND b)",
    "(NOT a) = b",
    "(a AND b) = c",
    "(a OR b) AND (c OR d)",
    "a AND b OR c",
    "a AND (b OR c)",
    "a BETWEEN (b AND c) AND (d = e)",
    "(a BETWEEN 1 AND 2) BETWEEN TRUE AND FALSE",
    "a LIKE (b LIKE c)",
    "a IN (b IN (1, 2), c)",
    "(a IN (1)) IN (TRUE)",
    "x IN ((SELECT 1))",
    "x IN ((SELECT 1) UNION SELECT 2)",
    "a IS NOT DISTINCT FROM b",
    "a AT TIME ZONE b AT TIME ZONE 'UTC'",
    "(a + b) AT TIME ZONE (c || d)",
    "-a AT TIME ZONE 'x'",
    "(-a) AT TIME ZONE 'x'",
    "(x -> x)",
    "f(x -> x + 1, (a, b) -> a, () -> 1)",
    "(x -> x) + 1",
    "CASE WHEN a THEN CASE b WHEN 1 THEN 2 END ELSE x -> x END",
    "CAST(a AS row(\"x y\" array(varchar(3)), b map(int, double)))",
    "TRY_CAST(x AS timestamp(3) with time zone)",
    "'it''s' || '\xC3\xA4\n'",
    "X'00FFab'",
    "U&'\\0000'",
    "1.",
    ".5",
    "1E5",
    "0xff",
    "DATE '2024-01-01'",
    "\"My type\" 'x'",
    "INTERVAL '1-2' YEAR TO MONTH",
    "INTERVAL - '5' SECOND",
    "INTERVAL '-5' SECOND",
    "EXTRACT(YEAR FROM a)",
    "EXTRACT(TIMEZONE_HOUR FROM a || b)",
    "POSITION(a IN b)",
    "SUBSTRING(a FROM b FOR c)",
    "TRIM(a)",
    "TRIM(BOTH FROM a)",
    "TRIM(TRAILING a || b FROM c)",
    "TRIM(a, b)",
    "normalize(a)",
    "normalize(a, NFC)",
    "CURRENT_TIME(9)",
    "CURRENT_USER",
    "current_catalog",
    "CURRENT_SCHEMA",
    "LOCALTIMESTAMP",
    "ROW(1)",
    "(1, (2, 3))",
    "ROW(a, b).c",
    "ARRAY[1, 2][1]",
    "a['x'].b[c[1]]",
    "(a.b).c",
    "\"select\".\"A\"",
    "\"a\"\"b\"",
    "left(a, 1)",
    "\"left\"(a, 1)",
    "right(a, 1)",
    "GROUPING(a, b)",
    "count(*)",
    "count(DISTINCT a)",
    "f(t.*)",
    "sum(a ORDER BY b DESC, c NULLS FIRST) FILTER (WHERE d OR e)",
    "first_value(a) IGNORE NULLS OVER (w PARTITION BY b ORDER BY c ROWS BETWEEN 1 PRECEDING AND 2 "
    "FOLLOWING)",
    "f() OVER w",
    "f() OVER ()",
    "f() OVER (RANGE UNBOUNDED PRECEDING)",
    "f() OVER (partition)",
    "f() OVER (GROUPS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)",
    "f(a) RESPECT NULLS OVER (ORDER BY a)",
    "listagg(DISTINCT a, ',' ON OVERFLOW TRUNCATE 'x' WITH COUNT) WITHIN GROUP (ORDER BY b) FILTER "
    "(WHERE c)",
    "listagg(a ON OVERFLOW TRUNCATE WITHOUT COUNT) WITHIN GROUP (ORDER BY b)",
    "listagg(a ON OVERFLOW ERROR) WITHIN GROUP (ORDER BY b)",
    "EXISTS (SELECT 1)",
    "NOT EXISTS (TABLE t)",
    "(SELECT 1) + (SELECT 2)",
    "((SELECT 1) UNION (SELECT 2))",
    "a = ALL (SELECT 1)",
    "a < ANY (VALUES 1, 2)",
    "(a, b) = (SELECT 1, 2)",
    "concat(a, b)",
    "concat(a)",
    "? + ?",
    "JSON_EXISTS(a, 'lax $.x' PASSING b AS \"c\", d FORMAT JSON AS e UNKNOWN ON ERROR)",
    "JSON_VALUE(a FORMAT JSON ENCODING UTF8, '$' AS p RETURNING decimal(10,2) NULL ON EMPTY "
    "DEFAULT 1 + 2 ON ERROR)",
    "JSON_VALUE(a, '$')",
    "JSON_VALUE(a, '$' DEFAULT b ON EMPTY)",
    "JSON_QUERY(a, '$' RETURNING varchar FORMAT JSON WITHOUT ARRAY WRAPPER KEEP QUOTES ON SCALAR "
    "STRING EMPTY ARRAY ON "
    "EMPTY EMPTY OBJECT ON ERROR)",
    "JSON_QUERY(a, '$' WITH UNCONDITIONAL WRAPPER)",
    "JSON_QUERY(a, '$' WITH CONDITIONAL ARRAY WRAPPER OMIT QUOTES)",
    "JSON_OBJECT()",
    "JSON_OBJECT(RETURNING varchar(10))",
    "JSON_OBJECT('a' : 1, KEY 'b' VALUE c FORMAT JSON)",
    "JSON_OBJECT('a' VALUE 1 NULL ON NULL WITHOUT UNIQUE KEYS)",
    "JSON_OBJECT('a' VALUE 1 ABSENT ON NULL WITH UNIQUE RETURNING varbinary FORMAT JSON)",
    "JSON_ARRAY()",
    "JSON_ARRAY(1, a FORMAT JSON, JSON_ARRAY(2) NULL ON NULL RETURNING varchar)",
    "{fn LOCATE('a', b, 3)}",
    "{fn INSERT(a, 1, 2, b)}",
    "{ts '2024-01-01 00:00:00'}",
    "{fn CONVERT(a, SQL_GUID)}",
};

static void expressions_round_trip(void **state) {
    Arena *arena = arena_new(NULL);
    for (size_t i = 0; i < COUNT_OF(expressions); i++) {
        expect_round_trip(arena_printf(arena, "SELECT %s", expressions[i]));
        expect_round_trip(arena_printf(arena, "SELECT (%s) AS x, -(%s), ((%s)).y", expressions[i],
                                       expressions[i], expressions[i]));
        expect_round_trip(arena_printf(
            arena, "SELECT 1 FROM t WHERE (%s) = (%s) AND NOT (%s) OR (%s) || (%s)", expressions[i],
            expressions[i], expressions[i], expressions[i], expressions[i]));
    }
    arena_free(arena);
}

static const char *const queries[] = {
    "SELECT * FROM t;",
    "SELECT DISTINCT a, b AS c, d \"e F\", t.*, (r).* AS (x, y), t.* AS (z) FROM s.t",
    "SELECT ALL a",
    "SELECT all FROM t",
    "SELECT all, a",
    "SELECT a limit",
    "SELECT a FROM t offset",
    "SELECT a FROM t limit, u",
    "SELECT a FROM t AS limit LIMIT 3",
    "SELECT a FROM t fetch JOIN u window ON TRUE",
    "SELECT 1 LIMIT ALL",
    "SELECT 1 LIMIT ? OFFSET ?",
    "SELECT 1 OFFSET 5 ROWS LIMIT 3",
    "SELECT 1 OFFSET 1 ROW",
    "SELECT 1 ORDER BY 1 FETCH FIRST ROW ONLY",
    "SELECT 1 ORDER BY 1 FETCH NEXT 5 ROWS WITH TIES",
    "SELECT 1 FETCH FIRST ? ROWS ONLY OFFSET 2 ROWS",
    "SELECT a FROM t ORDER BY a ASC NULLS LAST, b + 1 DESC, 3 NULLS FIRST",
    "SELECT a FROM t WHERE b GROUP BY a HAVING count(*) > 1 ORDER BY 1",
    "SELECT a FROM t GROUP BY a, (b), (c, d), (), (a) + 1, ROW(a, b)",
    "SELECT a FROM t GROUP BY GROUPING SETS (a, (b, c), ()), CUBE (a, (b, c)), ROLLUP (a, b), CUBE "
    "()",
    "SELECT a FROM t GROUP BY DISTINCT a, ROLLUP (b)",
    "SELECT a FROM t GROUP BY ALL a",
    "SELECT a FROM t GROUP BY all",
    "SELECT f() OVER w FROM t WINDOW w AS (PARTITION BY a), v AS (w ORDER BY b ROWS CURRENT ROW)",
    "TABLE a.b.c",
    "VALUES 1",
    "VALUES (1), (2)",
    "VALUES (1, 'a'), ROW(2, 'b')",
    "VALUES ROW(ROW(1, 2)), ((3, 4))",
    "VALUES (DEFAULT)",
    "SELECT 1 UNION SELECT 2 UNION ALL SELECT 3",
    "SELECT 1 UNION (SELECT 2 UNION ALL SELECT 3)",
    "SELECT 1 INTERSECT SELECT 2 UNION SELECT 3 EXCEPT ALL SELECT 4 INTERSECT ALL SELECT 5",
    "SELECT 1 UNION DISTINCT SELECT 2 ORDER BY 1 LIMIT 1",
    "(SELECT 1) INTERSECT (SELECT 2 LIMIT 1) LIMIT 2",
    "((SELECT 1))",
    "((SELECT 1) UNION ALL (VALUES 2)) ORDER BY 1",
    "WITH a AS (SELECT 1), b (x, y) AS (TABLE a) SELECT * FROM a, b",
    "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) TABLE r",
    "SELECT (WITH a AS (SELECT 1) TABLE a)",
    "WITH a AS (WITH b AS (SELECT 1) TABLE b) (TABLE a)",
    "SELECT * FROM a, b, c",
    "SELECT * FROM a, b JOIN c ON TRUE, d",
    "SELECT * FROM a JOIN b ON a.x = b.x JOIN c USING (x, y)",
    "SELECT * FROM a JOIN b JOIN c ON 1 = 1 ON 2 = 2",
    "SELECT * FROM a INNER JOIN b ON TRUE LEFT JOIN c ON TRUE RIGHT OUTER JOIN d ON TRUE FULL "
    "OUTER JOIN e ON TRUE",
    "SELECT * FROM a CROSS JOIN b NATURAL JOIN c NATURAL LEFT JOIN d NATURAL FULL OUTER JOIN e",
    "SELECT * FROM a JOIN (b JOIN c ON TRUE) ON TRUE",
    "SELECT * FROM (a JOIN b ON TRUE)",
    "SELECT * FROM (a JOIN b ON TRUE) AS c (x, y)",
    "SELECT * FROM ((a AS b)) AS c",
    "SELECT * FROM ((a)) b",
    "SELECT * FROM (SELECT 1) t (x)",
    "SELECT * FROM ((SELECT 1) UNION (SELECT 2)) t",
    "SELECT * FROM ((SELECT 1) a JOIN (SELECT 2) b ON TRUE)",
    "SELECT * FROM ((SELECT 1))",
    "SELECT * FROM ((SELECT 1) LIMIT 1)",
    "SELECT * FROM ((SELECT 1) limit)",
    "SELECT * FROM (VALUES (1, 2)) AS t (a, b), LATERAL (SELECT t.a) AS l",
    "SELECT * FROM UNNEST(a) CROSS JOIN UNNEST(ARRAY[1], b) WITH ORDINALITY AS u (x, y, n)",
    "SELECT * FROM TABLE(c.system.query(query => 'SELECT 1', 2, x => ARRAY[1])) AS t (a)",
    "SELECT * FROM TABLE(f())",
    "SELECT * FROM (TABLE(f()) CROSS JOIN t)",
    "SELECT * FROM t TABLESAMPLE BERNOULLI (10) JOIN u AS x TABLESAMPLE SYSTEM (2.5) ON TRUE",
    "SELECT * FROM (a CROSS JOIN b) TABLESAMPLE BERNOULLI (1)",
    "SELECT * FROM tablesample",
    "SELECT * FROM {oj a LEFT OUTER JOIN b ON a.x = b.x} WHERE TRUE",
    "SELECT * FROM {oj a LEFT JOIN {oj b RIGHT JOIN c ON TRUE} ON TRUE}, d",
    "SELECT \"t$partitions\".\"$path\" FROM \"t$partitions\"",
};

static void queries_round_trip(void **state) {
    Arena *arena = arena_new(NULL);
    for (size_t i = 0; i < COUNT_OF(queries); i++) {
        expect_round_trip(queries[i]);
        size_t len = strlen(queries[i]);
        int body = (int)(queries[i][len - 1] == ';' ? len - 1 : len);
        expect_round_trip(arena_printf(arena, "SELECT (%.*s), EXISTS (%.*s) FROM (%.*s) AS x", body,
                                       queries[i], body, queries[i], body, queries[i]));
        expect_round_trip(arena_printf(arena, "WITH a AS (%.*s) (%.*s) UNION (%.*s)", body,
                                       queries[i], body, queries[i], body, queries[i]));
    }
    arena_free(arena);
}

static const char *const statements[] = {
    "EXPLAIN SELECT 1",
    "EXPLAIN (TYPE LOGICAL) SELECT 1",
    "EXPLAIN (TYPE REMOTE, FORMAT JSON) SELECT 1",
    "EXPLAIN (TYPE DISTRIBUTED, FORMAT TEXT) SELECT 1",
    "EXPLAIN (TYPE PHYSICAL) ANALYZE VERBOSE SELECT 1",
    "EXPLAIN ANALYZE SELECT 1",
    "EXPLAIN (SELECT 1)",
    "EXPLAIN EXPLAIN SHOW TABLES",
    "SHOW CATALOGS",
    "SHOW CATALOGS LIKE 'a%'",
    "SHOW SCHEMAS FROM c LIKE 'x!_' ESCAPE '!'",
    "SHOW DATABASES IN c",
    "SHOW TABLES",
    "SHOW TABLES IN c.s",
    "SHOW TABLES FROM s LIKE 'a' {escape '!'}",
    "SHOW TABLES IN `s` '*a|b*'",
    "SHOW VIEWS IN s LIKE 'a'",
    "SHOW COLUMNS FROM c.s.t",
    "SHOW COLUMNS IN t FROM s LIKE 'a'",
    "SHOW FUNCTIONS",
    "SHOW FUNCTIONS FROM c.s LIKE 'a%'",
    "SHOW SESSION",
    "SHOW SESSION LIKE 'x'",
    "SHOW PARTITIONS s.t",
    "SHOW CREATE TABLE s.t",
    "SHOW CREATE VIEW v",
    "SHOW CREATE SCHEMA s",
    "SHOW CREATE MATERIALIZED VIEW v",
    "SHOW STATS FOR t",
    "SHOW STATS FOR (SELECT 1)",
    "SHOW TBLPROPERTIES t",
    "SHOW TBLPROPERTIES t('a')",
    "DESCRIBE s.t",
    "DESC t",
    "DESCRIBE TABLE t",
    "DESCRIBE FORMATTED s.t",
    "DESCRIBE EXTENDED t",
    "DESCRIBE VIEW v",
    "DESCRIBE view",
    "DESCRIBE input",
    "DESCRIBE INPUT p",
    "DESCRIBE OUTPUT p",
    "USE s",
    "USE c.s",
    "SET SESSION a = 1 + 2",
    "SET SESSION a = DEFAULT",
    "SET SESSION c.a = 'x'",
    "RESET SESSION a",
    "RESET SESSION c.a",
    "SET TIME ZONE LOCAL",
    "SET TIME ZONE 'Europe/Berlin'",
    "SET TIME ZONE INTERVAL '1' HOUR",
    "PREPARE p FROM SELECT ? + ?",
    "PREPARE p FROM INSERT INTO t VALUES (?)",
    "EXECUTE p",
    "EXECUTE p USING 1, ?",
    "EXECUTE IMMEDIATE 'SELECT ''x''' USING 1",
    "EXECUTE immediate",
    "DEALLOCATE PREPARE p",
    "INSERT INTO t SELECT 1",
    "INSERT INTO t DEFAULT VALUES",
    "INSERT INTO c.s.t (a, \"B\") VALUES (1, DEFAULT), (?, 'x')",
    "INSERT INTO t (SELECT 1)",
    "INSERT INTO t ((SELECT 1) UNION SELECT 2)",
    "INSERT INTO t (a) (VALUES 1)",
    "INSERT INTO TABLE t TABLE u",
    "INSERT INTO t WITH a AS (SELECT 1) TABLE a",
    "UPDATE t SET a = 1, b = DEFAULT, \"C\" = a + 1 WHERE d",
    "UPDATE t SET a = DEFAULT",
    "DELETE FROM t",
    "DELETE FROM c.s.t WHERE a IN (SELECT 1)",
    "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE",
    "MERGE INTO t x USING (SELECT 1) s (a) ON x.a = s.a WHEN MATCHED AND s.a > 1 THEN UPDATE SET a "
    "= 1, b = DEFAULT "
    "WHEN NOT MATCHED AND TRUE THEN INSERT (a, b) VALUES (1, DEFAULT) WHEN NOT MATCHED THEN INSERT "
    "VALUES (1)",
    "START TRANSACTION",
    "START TRANSACTION READ ONLY",
    "START TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "START TRANSACTION ISOLATION LEVEL READ UNCOMMITTED, READ WRITE",
    "START TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "COMMIT",
    "COMMIT WORK",
    "ROLLBACK",
    "ROLLBACK WORK",
    "CALL p()",
    "CALL c.s.p(1, x => 'a', 2)",
    "KILL QUERY '20240101_1'",
    "KILL QUERY 17",
    "KILL QUERY q1",
    "CREATE TABLE t (a bigint)",
    "CREATE TABLE IF NOT EXISTS c.s.t (a bigint PRIMARY KEY, b varchar(10) NOT NULL COMMENT "
    "'x''y', c decimal(10, 2) "
    "DEFAULT 1.5 UNIQUE, LIKE u INCLUDING PROPERTIES, d row(e int)) COMMENT 'z' WITH (f = 'ORC', g "
    "= ARRAY['h'], i = "
    "DEFAULT)",
    "CREATE TABLE t (LIKE u)",
    "CREATE TABLE t (LIKE u EXCLUDING PROPERTIES, a int)",
    "CREATE TABLE t (a int, b int, PRIMARY KEY (a, b), UNIQUE (A))",
    "CREATE TABLE t (primary int, unique int)",
    ("CREATE TABLE t (CONSTRAINT \"p k\" PRIMARY KEY (b, a), a int CONSTRAINT n NOT NULL, b int "
     "CONSTRAINT u UNIQUE, UNIQUE (a, b))"),
    "CREATE TABLE t (a int CONSTRAINT k PRIMARY KEY DEFAULT 1, check int, foreign int)",
    ("CREATE TABLE t (a LONG VARCHAR, b national character varying(5), c BINARY LARGE OBJECT, d "
     "char varying(3), e varchar(max), long int, f DOUBLE PRECISION, g long)"),
    "CREATE OR REPLACE TABLE t AS SELECT 1",
    "CREATE TABLE t (a, b) AS SELECT 1, 2 WITH NO DATA",
    "CREATE TABLE IF NOT EXISTS t COMMENT 'x' WITH (a = 1) AS (SELECT 1) WITH DATA",
    "CREATE TABLE t AS (SELECT 1) UNION (SELECT 2)",
    "CREATE VIEW v AS SELECT 1",
    "CREATE OR REPLACE VIEW c.s.v COMMENT 'x' SECURITY INVOKER AS SELECT a FROM t",
    "CREATE VIEW v (a, b) SECURITY DEFINER AS VALUES (1, 2)",
    "CREATE MATERIALIZED VIEW v AS SELECT 1",
    "CREATE OR REPLACE MATERIALIZED VIEW IF NOT EXISTS v GRACE PERIOD INTERVAL '1' HOUR COMMENT "
    "'x' WITH (a = 1) AS "
    "SELECT 1",
    "REFRESH MATERIALIZED VIEW c.s.v",
    "DROP MATERIALIZED VIEW IF EXISTS v",
    "DROP VIEW v",
    "DROP VIEW IF EXISTS s.v",
    "DROP TABLE t",
    "DROP TABLE IF EXISTS c.s.t",
    "CREATE SCHEMA s",
    "CREATE SCHEMA IF NOT EXISTS c.s WITH (a = 1)",
    "CREATE DATABASE s COMMENT 'x' LOCATION 's3://b' WITH DBPROPERTIES ('a' = 'b')",
    "DROP SCHEMA s",
    "DROP SCHEMA IF EXISTS c.s CASCADE",
    "DROP DATABASE s RESTRICT",
    "ALTER SCHEMA s RENAME TO r",
    "CREATE CATALOG c USING mysql",
    "CREATE CATALOG IF NOT EXISTS c USING mysql COMMENT 'x' WITH (\"a-b\" = 'x')",
    "DROP CATALOG c",
    "DROP CATALOG IF EXISTS c CASCADE",
    "CREATE EXTERNAL TABLE t (a int)",
    "CREATE EXTERNAL TABLE IF NOT EXISTS `s`.`t` (`a b` int, c "
    "array<struct<x:int,y:map<string,double>>> COMMENT 'c') "
    "COMMENT 'd' PARTITIONED BY (dt string COMMENT 'e', h int) CLUSTERED BY (a) INTO 4 BUCKETS ROW "
    "FORMAT DELIMITED "
    "FIELDS TERMINATED BY ',' ESCAPED BY '\\' COLLECTION ITEMS TERMINATED BY '|' MAP KEYS "
    "TERMINATED BY ':' LINES "
    "TERMINATED BY '\n' NULL DEFINED AS 'NULL' STORED AS TEXTFILE LOCATION 's3://b/p' "
    "TBLPROPERTIES ('a'='b', 'c'='d')",
    "CREATE EXTERNAL TABLE t (a int) ROW FORMAT SERDE 'x.y' WITH SERDEPROPERTIES ('a' = 'b') "
    "STORED AS INPUTFORMAT 'i' "
    "OUTPUTFORMAT 'o' LOCATION 'l'",
    "CREATE EXTERNAL TABLE t (a int) LOCATION 'l' STORED AS PARQUET",
    "ALTER TABLE t RENAME TO s.u",
    "ALTER TABLE IF EXISTS t ADD COLUMN a bigint NOT NULL COMMENT 'x'",
    "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int",
    "ALTER TABLE t ADD COLUMNS (a int, b string COMMENT 'c')",
    "ALTER TABLE t REPLACE COLUMNS (a int)",
    "ALTER TABLE t RENAME COLUMN a TO b",
    "ALTER TABLE t RENAME COLUMN IF EXISTS a.b TO c",
    "ALTER TABLE t DROP COLUMN IF EXISTS a.b",
    "ALTER TABLE t DROP COLUMN a",
    "ALTER TABLE t ALTER COLUMN a.b SET DATA TYPE decimal(5, 1)",
    "ALTER TABLE t ALTER COLUMN a DROP NOT NULL",
    "ALTER TABLE t SET PROPERTIES a = 1, \"b\" = DEFAULT",
    "ALTER TABLE t SET TBLPROPERTIES ('a' = 'b')",
    "ALTER TABLE t SET LOCATION 'x'",
    "ALTER TABLE t PARTITION (a = 1) SET LOCATION 'x'",
    "ALTER TABLE t PARTITION (a = 1) RENAME TO PARTITION (a = '2')",
    "ALTER TABLE t ADD IF NOT EXISTS PARTITION (a = 1, b = 'x') LOCATION 'y' PARTITION (a = 2)",
    "ALTER TABLE t DROP PARTITION (a = DATE '2024-01-01'), PARTITION (b = -1)",
    "ALTER TABLE t DROP IF EXISTS PARTITION (a = 1)",
    "ALTER VIEW v RENAME TO w",
    "MSCK REPAIR TABLE `t`",
    "TRUNCATE TABLE t",
    "ANALYZE t",
    "ANALYZE c.s.t WITH (columns = ARRAY['a'])",
    "COMMENT ON TABLE t IS 'x'",
    "COMMENT ON VIEW v IS NULL",
    "COMMENT ON COLUMN s.t.a IS 'x'",
    "UNLOAD (SELECT 1) TO 's3://x'",
    "UNLOAD (TABLE t) TO 's3://x' WITH (format = 'PARQUET', partitioned_by = ARRAY['a'])",
};

static void statements_round_trip(void **state) {
    Arena *arena = arena_new(NULL);
    for (size_t i = 0; i < COUNT_OF(statements); i++) {
        expect_round_trip(statements[i]);
        bool analyze =
            strncmp(statements[i], "ANALYZE", 7) == 0; /* EXPLAIN ANALYZE is another statement */
        if (!analyze) expect_round_trip(arena_printf(arena, "EXPLAIN %s;", statements[i]));
        expect_round_trip(arena_printf(arena, "PREPARE p FROM\n%s", statements[i]));
    }
    arena_free(arena);
}

/* Every free word is a name wherever a name may stand; every reserved one is when quoted. */
static void words_as_names(void **state) {
    Arena *arena = arena_new(NULL);
    for (uint32_t k = 0; sql_reserved_word(k); k++) {
        const char *w = sql_reserved_word(k);
        expect_round_trip(arena_printf(
            arena, "SELECT \"%s\", \"%s\".\"%s\" AS \"%s\" FROM \"%s\" AS \"%s\" (\"%s\")", w, w, w,
            w, w, w, w));
    }
#define KEYWORD(word, standing)                                                                   \
    if (#standing[0] == 'F') {                                                                    \
        const char *w = #word;                                                                    \
        expect_round_trip(arena_printf(arena,                                                     \
                                       "SELECT %s, t.%s, %s.a AS %s, a %s FROM %s AS %s (%s)", w, \
                                       w, w, w, w, w, w, w));                                     \
        expect_round_trip(arena_printf(                                                           \
            arena, "SELECT a + %s, max(%s) FROM t %s WHERE %s = 1 ORDER BY %s", w, w, w, w, w));  \
        expect_round_trip(arena_printf(arena, "CREATE TABLE %s (%s int, b %s)", w, w,             \
                                       strcmp(w, "INTERVAL") ? w : "x"));                         \
        expect_round_trip(arena_printf(arena, "UPDATE %s SET %s = 1", w, w));                     \
    }
#include "engine/sql/keywords.def"
#undef KEYWORD
    arena_free(arena);
}

/* ---------------------------------------------------------------- details of statements */

static void parameters_are_counted(void **state) {
    Arena *arena = arena_new(NULL);
    assert_int_equal(
        sql_must_parse(arena, STR("SELECT ?, (SELECT ?) WHERE ? LIMIT ?"))->nparameters, 4);
    assert_int_equal(sql_must_parse(arena, STR("EXPLAIN SELECT ?"))->nparameters, 1);
    AstStatement *prepare = sql_must_parse(arena, STR("PREPARE p FROM SELECT ? + ?"));
    assert_int_equal(prepare->nparameters, 0);
    assert_int_equal(prepare->inner->nparameters, 2);
    assert_str(prepare->text, "SELECT ? + ?");
    assert_int_equal(sql_must_parse(arena, STR("EXECUTE p USING ?, 1"))->nparameters, 1);
    arena_free(arena);
}

static void text_is_kept(void **state) {
    Arena *arena = arena_new(NULL);
    AstStatement *view =
        sql_must_parse(arena, STR("CREATE VIEW v AS\n  SELECT  a -- x\n FROM t ; "));
    assert_str(view->text, "SELECT  a -- x\n FROM t");
    assert_str(view->query->text, "SELECT  a -- x\n FROM t");
    AstStatement *query =
        sql_must_parse(arena, STR(" SELECT ( SELECT 1 ), ((SELECT 2) UNION SELECT 3)"));
    const AstSelect *select = query->query->body->select;
    assert_str(select->items[0].expr->query->text, "SELECT 1");
    assert_str(select->items[1].expr->query->text, "(SELECT 2) UNION SELECT 3");
    arena_free(arena);
}

static void positions(void **state) {
    Arena *arena = arena_new(NULL);
    AstStatement *s =
        sql_must_parse(arena, STR("SELECT '\xC3\xA4', f(a,\n  bcd + 1) x\nFROM t AS u"));
    const AstSelect *select = s->query->body->select;
    assert_int_equal(select->items[1].expr->at.line, 1);
    assert_int_equal(select->items[1].expr->at.column, 13);
    const AstExpr *sum = select->items[1].expr->args[1];
    assert_int_equal(sum->at.line, 2);
    assert_int_equal(sum->at.column, 7);
    assert_int_equal(sum->args[0]->name.parts[0].at.column, 3);
    assert_int_equal(select->items[1].alias.at.column, 12);
    assert_int_equal(select->from->at.line, 3);
    assert_int_equal(select->from->at.column, 6);
    arena_free(arena);
}

static void names_are_printed(void **state) {
    Arena *arena = arena_new(NULL);
    static const char *const rows[][2] = {
        {"a", "a"},
        {"A_1", "A_1"},
        {"_x", "_x"},
        {"1a", "\"1a\""},
        {"a b", "\"a b\""},
        {"", "\"\""},
        {"a\"b", "\"a\"\"b\""},
        {"from", "\"from\""},
        {"Select", "\"Select\""},
        {"limit", "limit"},
        {"\xC3\xA4", "\"\xC3\xA4\""},
        {"$path", "\"$path\""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        Buf out;
        buf_init(&out, arena, 100);
        sql_print_name(&out, str_from(rows[i][0]));
        assert_string_equal(out.data, rows[i][1]);
    }
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(precedence),
        cmocka_unit_test(literals),
        cmocka_unit_test(names_and_calls),
        cmocka_unit_test(special_forms),
        cmocka_unit_test(escapes),
        cmocka_unit_test(expressions_round_trip),
        cmocka_unit_test(queries_round_trip),
        cmocka_unit_test(statements_round_trip),
        cmocka_unit_test(words_as_names),
        cmocka_unit_test(parameters_are_counted),
        cmocka_unit_test(text_is_kept),
        cmocka_unit_test(positions),
        cmocka_unit_test(names_are_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
