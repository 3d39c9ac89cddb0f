/*
 * test_lake_json.c - JSON lines and arrays: values, faults, ranges at every offset; compressed streams
 * whole, cut off and damaged; types found by sampling; patterns of paths; pages of S3's lists.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#include "connectors/lake/column_type.h"
#include "connectors/lake/infer.h"
#include "connectors/lake/lake.h"
#include "connectors/lake/store_s3.h"
#include "tests/unit/lake_support.h"

static Shape json_shape(void) {
    return (Shape){.format = FORMAT_JSON,
                   .codec = CODEC_AUTO,
                   .dialect = {.delimiter = ',', .quote = '"', .has_quote = true},
                   .max_value = 1 << 20,
                   .max_ratio = 1100,
                   .json_depth = 50};
}

static FormatColumn column(const char *name, uint8_t type) {
    return (FormatColumn){.name = name, .position = -1, .type = {.id = type}};
}

static LakeText read_text(const char *name, const void *text, size_t len, const Shape *shape) {
    FormatColumn columns[] = {column("a", TRIB_TYPE_VARCHAR), column("b", TRIB_TYPE_BIGINT),
                              column("j", TRIB_TYPE_JSON)};
    LakeFile file;
    lake_file_write(&file, name, text, len);
    LakeText result = lake_read_columns(&file, shape, columns, 3, 0, len);
    lake_file_remove(&file);
    return result;
}

static void expect_rows(const char *text, const char *rows) {
    Shape shape = json_shape();
    LakeText read = read_text("rows.json", text, strlen(text), &shape);
    assert_string_equal(read.error, "");
    assert_string_equal(read.text, rows);
    lake_text_free(&read);
}

static void expect_fault(const char *text, const char *part, const char *place) {
    Shape shape = json_shape();
    LakeText read = read_text("fault.json", text, strlen(text), &shape);
    if (!strstr(read.error, part) || !strstr(read.error, place))
        fail_msg("'%s' lacks '%s' or '%s'", read.error, part, place);
    lake_text_free(&read);
}

static void test_values(void **state) {
    expect_rows("{\"a\":\"x\",\"b\":9007199254740993,\"j\":{\"k\":[1, 2.50]}}\n",
                "[x|9007199254740993|{\"k\":[1, 2.50]}]\n");
    expect_rows("{\"b\":1}\n\n  {\"a\":null,\"b\":2,\"z\":[{}],\"j\":\"s\"}",
                "[NULL|1|NULL]\n[NULL|2|\"s\"]\n");
    /* Of members of one name the last one counts; strings that are numbers fit bigint. */
    expect_rows("{\"a\":\"1\",\"a\":\"2\",\"b\":\"-7\"}\n", "[2|-7|NULL]\n");
    expect_rows("{\"a\":\"\\u00e9\\n\\\"\\ud83d\\ude00\",\"j\":1.10}\n",
                "[\xC3\xA9\n\"\xF0\x9F\x98\x80|NULL|1.10]\n");
    expect_rows("{\"a\":1.10,\"j\":true}\n{\"a\":true,\"\\u0061\":[1]}\n",
                "[1.10|NULL|true]\n[[1]|NULL|NULL]\n");
    expect_rows("[{\"a\":\"x\"\n},\n{\"b\":2}\n]\n", "[x|NULL|NULL]\n[NULL|2|NULL]\n");
    expect_rows("\xEF\xBB\xBF [ ]", "");
    expect_rows("", "");
    expect_rows("{}\n", "[NULL|NULL|NULL]\n");
    expect_rows("{\"A\":\"x\",\"B\":4}\n", "[x|4|NULL]\n");
}

static void test_faults(void **state) {
    expect_fault("{\"a\":1}\n{\"a\":}\n", "a value should stand here", "line 2, column 6");
    expect_fault("{\"a\":1}\n[1]\n", "a row is an object", "line 2, column 1");
    expect_fault("{\"a\":1} {\"a\":2}\n", "text behind the line's object", "line 1, column 9");
    expect_fault("{\n\"a\":1}\n", "does not end", "line 1");
    expect_fault("{\"a\":\"x\ty\"}\n", "control character", "line 1");
    expect_fault("{\"a\":\"\\ud800\"}\n", "surrogate", "line 1");
    expect_fault("{\"a\":01}\n", "begins with 0", "line 1");
    expect_fault("{\"b\":1.5}\n", "'1.5' is no bigint", "line 1, member \"b\"");
    expect_fault("{\"b\":{}}\n", "'{}' is no bigint", "line 1, member \"b\"");
    expect_fault("[{\"a\":1}", "the array does not end", "line 1");
    expect_fault("[{\"a\":1}] 5", "text behind the array", "line 1");
    expect_fault("[{\"a\":1} {\"a\":2}]", "a comma or ]", "line 1");
    expect_fault("{\"a\":\"\xC3\x28\"}\n", "not valid UTF-8", "line 1");
    char deep[400] = "{\"j\":";
    memset(deep + 5, '[', 60);
    memset(deep + 65, ']', 60);
    strcpy(deep + 125, "}\n");
    expect_fault(deep, "deeper than 50 levels", "line 1");
}

/* Rows of one column "c" of that type. */
static LakeText read_nested(const char *type, const char *text, OnMismatch on_mismatch) {
    Arena *arena = arena_new(NULL);
    Shape shape = json_shape();
    FormatColumn columns[] = {column("c", 0)};
    LakeFile file;
    shape.on_mismatch = on_mismatch;
    assert_true(column_type_parse(arena, str_from(type), &columns[0].type));
    lake_file_write(&file, "nested.json", text, strlen(text));
    LakeText read = lake_read_columns(&file, &shape, columns, 1, 0, strlen(text));
    lake_file_remove(&file);
    arena_free(arena);
    return read;
}

static void expect_nested(const char *type, const char *text, const char *rows) {
    LakeText read = read_nested(type, text, MISMATCH_ERROR);
    assert_string_equal(read.error, "");
    assert_string_equal(read.text, rows);
    lake_text_free(&read);
}

static void test_nested(void **state) {
    expect_nested("array(bigint)", "{\"c\":[1, 2 ,null,\"-3\"]}\n{\"c\":[]}\n{}\n{\"c\":null}\n",
                  "[{1 2 NULL -3}]\n[{}]\n[NULL]\n[NULL]\n");
    expect_nested(
        "array(array(varchar))",
        "{\"c\":[[\"a\\n\\u00e9\"],[],null,[\"a text beyond twelve bytes\",{\"x\": 1}]]}\n",
        "[{{a\n\xC3\xA9} {} NULL {a text beyond twelve bytes {\"x\": 1}}}]\n");
    expect_nested("map(varchar, integer)", "{\"c\":{\"a\":1,\"\\u0062\":null}}\n{\"c\":{}}\n",
                  "[{(a,1) (b,NULL)}]\n[{}]\n");
    /* Missing, unknown, repeated, of another case. */
    expect_nested("row(a bigint, b row(x boolean, y json))",
                  "{\"c\":{\"b\":{\"y\":[1.10,\"s\"]},\"z\":[{}],\"a\":1,\"A\":2}}\n"
                  "{\"c\":{\"b\":{\"x\":true},\"b\":{}}}\n{\"c\":{}}\n{\"c\":null}\n",
                  "[(2,(NULL,[1.10,\"s\"]))]\n[(NULL,(NULL,NULL))]\n[(NULL,NULL)]\n[NULL]\n");
    expect_nested("array(row(k varchar, m map(varchar, array(double))))",
                  "{\"c\":[{\"m\":{\"p\":[0.5]},\"k\":\"a\"},null,{\"k\":\"b\",\"m\":{}}]}\n",
                  "[{(a,{(p,{0.5})}) NULL (b,{})}]\n");
}

static void expect_nested_fault(const char *type, const char *text, const char *part) {
    LakeText read = read_nested(type, text, MISMATCH_ERROR);
    if (!strstr(read.error, part)) fail_msg("'%s' lacks '%s'", read.error, part);
    lake_text_free(&read);
}

static void test_nested_faults(void **state) {
    expect_nested_fault("array(row(id bigint, price double))",
                        "{}\n{\"c\":[{},{\"price\":1},{},{\"price\":\"x\"}]}\n",
                        "line 2, member \"c[3].price\": 'x' is no double");
    expect_nested_fault("array(bigint)", "{\"c\":{\"a\":1}}",
                        "member \"c\": '{\"a\":1}' is no array");
    expect_nested_fault("row(a bigint)", "{\"c\":[1]}", "member \"c\": '[1]' is no object");
    expect_nested_fault("map(varchar, bigint)", "{\"c\":\"s\"}", "'\"s\"' is no object");
    expect_nested_fault("map(varchar, bigint)", "{\"c\":{\"a\":1,\"b\":2,\"\\u0061\":3}}",
                        "member \"c\": 'a' is a key that stands there twice");
    expect_nested_fault("map(varchar(2), bigint)", "{\"c\":{\"abc\":1}}", "longer than");
    expect_nested_fault("array(bigint)", "{\"c\":[1,]}", "a value should stand here");
    LakeText read = read_nested("row(a array(bigint), b map(varchar, date))",
                                "{\"c\":{\"a\":[1,true,{}],\"b\":{\"x\":1,\"x\":2}}}\n"
                                "{\"c\":{\"a\":7,\"b\":{\"y\":\"no\"}}}\n{\"c\":[]}\n",
                                MISMATCH_NULL);
    assert_string_equal(read.error, "");
    assert_string_equal(read.text, "[({1 NULL NULL},NULL)]\n[(NULL,{(y,NULL)})]\n[NULL]\n");
    lake_text_free(&read);
}

/* Many small objects in one value: rows of many fields, deep unknown members, batches that are cut. */
static void test_nested_hostile(void **state) {
    Buf text, type;
    enum { ELEMENTS = 3000, FIELDS = 100, ROWS = 20 };
    buf_init(&type, NULL, 1 << 20);
    buf_text(&type, "array(row(a bigint");
    for (int i = 1; i < FIELDS; i++) buf_printf(&type, ", f%d bigint", i);
    buf_text(&type, "))");
    buf_char(&type, '\0');
    buf_init(&text, NULL, 1 << 24);
    for (int r = 0; r < ROWS; r++) {
        buf_text(&text, "{\"c\":[");
        for (int i = 0; i < ELEMENTS; i++) buf_text(&text, i ? ",{}" : "{\"a\":1}");
        buf_text(&text, "]}\n");
    }
    buf_char(&text, '\0');
    LakeText read = read_nested(type.data, text.data, MISMATCH_ERROR);
    assert_string_equal(read.error, "");
    assert_int_equal(read.rows, ROWS);
    assert_true(strncmp(read.text, "[{(1,NULL,", 10) == 0);
    lake_text_free(&read);
    buf_clear(&type);
    text.len = 0;
    buf_text(&text, "{\"c\":{\"z\":");
    for (int i = 0; i < 60; i++) buf_char(&text, '[');
    for (int i = 0; i < 60; i++) buf_char(&text, ']');
    buf_text(&text, "}}\n");
    buf_char(&text, '\0');
    expect_nested_fault("row(a bigint)", text.data, "deeper than 50 levels");
    buf_clear(&text);
}

static void test_ranges(void **state) {
    static const char text[] =
        "{\"a\":\"\\n\",\"b\":1}\r\n\n{\"b\":2}\n{\"a\":\"}\",\"b\":3}\n{\"b\":4}";
    FormatColumn columns[] = {column("a", TRIB_TYPE_VARCHAR), column("b", TRIB_TYPE_BIGINT)};
    Shape shape = json_shape();
    LakeFile file;
    size_t len = sizeof text - 1;
    lake_file_write(&file, "ranges.json", text, len);
    LakeText whole = lake_read_columns(&file, &shape, columns, 2, 0, len);
    assert_string_equal(whole.text, "[\n|1]\n[NULL|2]\n[}|3]\n[NULL|4]\n");
    size_t cuts = 0;
    for (uint64_t at = 1; at < len; at++) {
        uint64_t cut;
        Error err;
        FormatParams params = lake_params(&file, &shape);
        assert_int_equal(format_json.boundary(&params, at, &cut, &err), TRIB_OK);
        if (cut == UINT64_MAX) continue; /* no line begins behind it */
        assert_true(cut >= at && text[cut - 1] == '\n');
        LakeText left = lake_read_columns(&file, &shape, columns, 2, 0, cut);
        LakeText right = lake_read_columns(&file, &shape, columns, 2, cut, len);
        size_t n = strlen(left.text);
        assert_true(strncmp(whole.text, left.text, n) == 0);
        assert_string_equal(whole.text + n, right.text);
        lake_text_free(&left);
        lake_text_free(&right);
        cuts++;
    }
    assert_true(cuts > len / 2);
    lake_text_free(&whole);
    lake_file_remove(&file);
}

/* ---------------------------------------------------------------- compression */

static size_t gzip_make(const char *text, size_t len, uint8_t *out, size_t room) {
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)text;
    z.avail_in = (uInt)len;
    z.next_out = out;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t made = z.total_out;
    deflateEnd(&z);
    return made;
}

static size_t zstd_make(const char *text, size_t len, uint8_t *out, size_t room) {
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t made = ZSTD_compress2(context, out, room, text, len);
    assert_false(ZSTD_isError(made));
    ZSTD_freeCCtx(context);
    return made;
}

static void compressed_check(const char *name,
                             size_t (*make)(const char *, size_t, uint8_t *, size_t)) {
    static const char one[] = "{\"a\":\"x\",\"b\":1}\n", two[] = "{\"a\":\"y\",\"b\":2}\n";
    uint8_t data[1024];
    Shape shape = json_shape();
    size_t first = make(one, sizeof one - 1, data, sizeof data);
    size_t len = first + make(two, sizeof two - 1, data + first, sizeof data - first);
    LakeText read = read_text(name, data, len, &shape);
    assert_string_equal(read.error, "");
    assert_string_equal(read.text, "[x|1|NULL]\n[y|2|NULL]\n");
    lake_text_free(&read);
    for (size_t cut = 1; cut < len; cut++) { /* cut off anywhere but between the two */
        read = read_text(name, data, cut, &shape);
        if (cut == first)
            assert_string_equal(read.error, "");
        else
            assert_true(strstr(read.error, "cut off") || strstr(read.error, "damaged"));
        lake_text_free(&read);
    }
    for (size_t at = first - 8; at < first; at++) { /* the checksum, or the last of the data */
        data[at] ^= 0x55;
        read = read_text(name, data, len, &shape);
        assert_string_not_equal(read.error, "");
        lake_text_free(&read);
        data[at] ^= 0x55;
    }
    memcpy(data + len, "rubbish", 7);
    read = read_text(name, data, len + 7, &shape);
    assert_non_null(strstr(read.error, "damaged"));
    lake_text_free(&read);
}

static void test_gzip(void **state) {
    compressed_check("c.json.gz", gzip_make);
}

static void test_zstd(void **state) {
    compressed_check("c.json.zst", zstd_make);
}

/* 256 MB of blanks in a few KB: refused long before its end. */
static void test_bomb(void **state) {
    size_t len = (size_t)256 << 20, room = 1 << 20;
    char *blanks = malloc(len);
    uint8_t *data = malloc(room);
    Shape shape = json_shape();
    memset(blanks, '\n', len);
    size_t made = zstd_make(blanks, len, data, room);
    assert_true(made < 64 * 1024);
    LakeText read = read_text("bomb.json.zst", data, made, &shape);
    assert_non_null(strstr(read.error, "more than 1100 times its size"));
    lake_text_free(&read);
    free(blanks);
    free(data);
}

/* ---------------------------------------------------------------- types */

static void expect_type(const char *values, const char *type) {
    Arena *arena = arena_new(NULL);
    Infer *infer = infer_new(arena, false);
    SampleVisit visit = infer_visit(infer);
    Shape shape = {.header = HEADER_NO, .null_text = {"", 0}};
    InferColumn *columns;
    uint32_t count;
    Error err;
    Buf text;
    buf_init(&text, NULL, 4096);
    for (const char *at = values; *at;) {
        size_t len = strcspn(at, ";");
        Field field = {at, (uint32_t)len, len ? 0 : FIELD_NULL};
        assert_int_equal(visit.field(visit.self, 0, (Str){NULL, 0}, &field, &err), TRIB_OK);
        assert_int_equal(visit.row(visit.self, &err), TRIB_OK);
        at += len + (at[len] == ';');
    }
    assert_int_equal(infer_finish(infer, &shape, &columns, &count, &err), TRIB_OK);
    assert_int_equal(count, 1);
    column_type_write(&text, columns[0].type);
    Str found = buf_view(&text);
    if (!str_equal(found, str_from(type)))
        fail_msg("%s is " STR_FORMAT ", not %s", values, STR_ARGS(found), type);
    buf_clear(&text);
    arena_free(arena);
}

static void test_infer(void **state) {
    expect_type("1;-2;;9223372036854775807", "bigint");
    expect_type("1;9223372036854775808", "decimal(38,0)");
    expect_type("1;2.5", "double");
    expect_type("1.25;-0.50;100.00", "decimal(18,2)");
    expect_type("1234567890123456.25", "decimal(38,2)");
    expect_type("1.25;1.5", "double");
    expect_type("1e5;2", "double");
    expect_type("01;2", "varchar");
    expect_type("+49;2", "varchar");
    expect_type("1;x", "varchar");
    expect_type(";;", "varchar");
    expect_type("true;FALSE", "boolean");
    expect_type("true;1", "varchar");
    expect_type("2024-01-15;2024-02-29", "date");
    expect_type("2024-01-15;2024-02-30", "varchar");
    expect_type("2024-01-15;2024-01-15 10:00:00.5", "timestamp(6)");
    expect_type("2024-01-15T10:00:00Z", "timestamp(6) with time zone");
    expect_type("10:00:00;23:59:59.5", "time(9)");
    expect_type("12151fd2-7586-11e9-8f9e-2a86e4085a59", "uuid");
    expect_type("2024;2025", "bigint");
}

static void test_type_names(void **state) {
    static const char *const good[] = {
        "bigint",
        "decimal(15,2)",
        "varchar(20)",
        "char(3)",
        "timestamp(3) with time zone",
        "time(0)",
        "json",
        "array(bigint)",
        "map(varchar, array(decimal(9,2)))",
        "map(varchar(3), json)",
        "row(a bigint, \"b \"\"c, d\" row(x timestamp(3) with time zone))"};
    Arena *arena = arena_new(NULL);
    TribType type;
    Buf text;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(column_type_parse(arena, str_from(good[i]), &type));
        buf_init(&text, arena, 4096);
        column_type_write(&text, type);
        assert_true(str_equal(buf_view(&text), str_from(good[i])));
    }
    assert_true(column_type_parse(arena, STR(" ARRAY ( Row( A int ,b varchar ) ) "), &type));
    static const char *const bad[] = {"",
                                      "biginteger",
                                      "decimal(39,2)",
                                      "decimal(5,6)",
                                      "varchar(0)",
                                      "int(4)",
                                      "timestamp(10)",
                                      "date(3",
                                      "char(1,2)",
                                      "array",
                                      "array()",
                                      "array(bigint",
                                      "array(bigint))",
                                      "array(bigint, bigint)",
                                      "array(nothing)",
                                      "map(varchar)",
                                      "map(bigint, bigint)",
                                      "row()",
                                      "row(bigint)",
                                      "row(a bigint,)",
                                      "row(a bigint, A date)",
                                      "row(\"a bigint)",
                                      "array(bigint) x"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(column_type_parse(arena, str_from(bad[i]), &type));
    char deep[400] = "";
    for (int i = 0; i < COLUMN_TYPE_DEPTH; i++) memcpy(deep + 6 * i, "array(", 7);
    size_t at = strlen(deep);
    memcpy(deep + at, "date", 4);
    memset(deep + at + 4, ')', COLUMN_TYPE_DEPTH);
    assert_true(column_type_parse(arena, str_from(deep), &type));
    char deeper[420] = "array(";
    memcpy(deeper + 6, deep, strlen(deep));
    deeper[strlen(deeper)] = ')';
    assert_false(column_type_parse(arena, str_from(deeper), &type));
    arena_free(arena);
}

/* ---------------------------------------------------------------- patterns, pages */

static void test_patterns(void **state) {
    static const struct {
        const char *pattern, *path;
        bool matches;
    } cases[] = {
        {"*.csv", "a.csv", true},
        {"*.csv", "x/a.csv", false},
        {"**/*.csv", "x/y/a.csv", true},
        {"**/*.csv", "a.csv", true},
        {"**", "x/y", true},
        {"a?c", "abc", true},
        {"a?c", "a/c", false},
        {"[a-c]x", "bx", true},
        {"[!a-c]x", "bx", false},
        {"[]x]", "]", true},
        {"year=*/*.csv", "year=2024/a.csv", true},
        {"year=*/*.csv", "year=2024/m=1/a.csv", false},
        {"a*b*c", "aXbYbZc", true},
        {"a*b*c", "aXbYbZ", false},
        {"**/x/*.gz", "a/x/b/x/c.gz", true},
        {"*", "", true},
        {"[a", "[a", true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (path_matches(str_from(cases[i].pattern), str_from(cases[i].path)) != cases[i].matches)
            fail_msg("%s on %s", cases[i].pattern, cases[i].path);
    }
}

static Status parse_page(Arena *arena, const char *xml, S3Page *page, Error *err) {
    return s3_page_parse(arena, str_from(xml), page, err);
}

static void test_pages(void **state) {
    Arena *arena = arena_new(NULL);
    S3Page page;
    Error err;
    assert_int_equal(
        parse_page(
            arena,
            "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\"><Name>b</Name>"
            "<Contents><Key>b%2B+%20c</Key><Size>5</Size><ETag>&quot;e&quot;</ETag></Contents>"
            "<Contents><ETag>\"f\"</ETag><Size>0</Size><Key>a</Key></Contents>"
            "<CommonPrefixes><Prefix>p%C3%A4/</Prefix></CommonPrefixes>"
            "<IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>"
            "<NextContinuationToken>t&amp;1</NextContinuationToken></ListBucketResult>",
            &page, &err),
        TRIB_OK);
    assert_int_equal(page.count, 3);
    assert_true(str_equal(page.entries[0].key, STR("a")));
    assert_true(str_equal(page.entries[1].key, STR("b+  c")));
    assert_int_equal(page.entries[1].size, 5);
    assert_true(str_equal(page.entries[1].etag, STR("\"e\"")));
    assert_true(str_equal(page.entries[2].key, STR("p\xC3\xA4/")) && page.entries[2].prefix);
    assert_true(str_equal(page.token, STR("t&1")));
    static const char *const bad[] = {
        "",
        "<Error><Code>x</Code></Error>",
        "<ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
        ("<ListBucketResult><Contents><Key>a%00b</Key><Size>1</Size></Contents>"
         "<EncodingType>url</EncodingType></ListBucketResult>"),
        "<ListBucketResult></ListBucketResult><x/>",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        error_clear(&err);
        if (parse_page(arena, bad[i], &page, &err) == TRIB_OK || !err.message[0])
            fail_msg("taken: %s", bad[i]);
    }
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nested),         cmocka_unit_test(test_nested_faults),
        cmocka_unit_test(test_nested_hostile), cmocka_unit_test(test_values),
        cmocka_unit_test(test_faults),         cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_gzip),           cmocka_unit_test(test_zstd),
        cmocka_unit_test(test_bomb),           cmocka_unit_test(test_infer),
        cmocka_unit_test(test_type_names),     cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
