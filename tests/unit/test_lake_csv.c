/*
 * test_lake_csv.c - CSV: the structural scan against a parser written from the rules, ranges cut at every
 * offset of hostile files, values and what is said about wrong ones.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "connectors/lake/csv.h"
#include "tests/unit/lake_support.h"

/* ---------------------------------------------------------------- the rules, once more */

typedef struct Reference {
    bool ok;
    size_t nrows;
    size_t starts[4096]; /* of records; [nrows] = behind the last one */
    size_t nfields;
    Str fields[16384]; /* raw */
    size_t counts[4096];
} Reference;

/* Reads record after record by index arithmetic: no state machine, no masks. */
static void reference_parse(Reference *out, Str text, char quote) {
    size_t at = 0;
    memset(out, 0, sizeof *out);
    out->ok = true;
    while (at < text.len) {
        size_t begun = out->nfields;
        out->starts[out->nrows] = at;
        for (;;) {
            size_t begin = at;
            if (quote && at < text.len && text.data[at] == quote) {
                for (at++;; at += 2) { /* to the quote that is not doubled */
                    while (at < text.len && text.data[at] != quote) at++;
                    if (at + 1 >= text.len || text.data[at + 1] != quote) break;
                }
                if (at >= text.len) {
                    out->ok = false;
                    return;
                }
                at++;
            } else {
                while (at < text.len && text.data[at] != ',' && text.data[at] != '\n') at++;
            }
            size_t end = at;
            bool quoted = quote && end > begin && text.data[begin] == quote;
            if (quoted && at < text.len && text.data[at] == '\r') {
                at++; /* belongs to the record's end, which must follow */
                if (at < text.len && text.data[at] != '\n') {
                    out->ok = false;
                    return;
                }
            }
            if (at < text.len && text.data[at] != ',' && text.data[at] != '\n') {
                out->ok = false;
                return;
            }
            bool last = at >= text.len || text.data[at] == '\n';
            if (last && !quoted && end > begin && text.data[end - 1] == '\r') end--;
            out->fields[out->nfields++] = (Str){text.data + begin, end - begin};
            if (last) break;
            at++;
        }
        out->counts[out->nrows++] = out->nfields - begun;
        if (at < text.len) at++;
    }
    out->starts[out->nrows] = text.len;
}

/* ---------------------------------------------------------------- the scan */

static void scan_compare(const char *text, size_t len, char quote, Reference *reference) {
    CsvScanner scanner;
    CsvDialect dialect = {.delimiter = ',', .quote = quote, .has_quote = quote != 0};
    char *data = calloc(1, len + FIELD_PADDING);
    memcpy(data, text, len);
    reference_parse(reference, (Str){data, len}, quote);
    csv_scan_init(&scanner, NULL, dialect);
    csv_scan_reset(&scanner, data, len);
    CsvScanResult result = csv_scan(&scanner, SIZE_MAX, 100000, true);
    if ((result == CSV_MORE) != reference->ok)
        fail_msg("%d where the rules say %d: %.*s", (int)result, reference->ok, (int)len, text);
    if (reference->ok) {
        size_t field = 0;
        assert_int_equal(scanner.nrows, reference->nrows);
        for (size_t r = 0; r < scanner.nrows; r++) {
            size_t count = scanner.rows[r + 1].first - scanner.rows[r].first;
            assert_int_equal(count, reference->counts[r]);
            assert_int_equal(scanner.rows[r].start, reference->starts[r]);
            for (size_t f = 0; f < count; f++, field++) {
                Str raw = csv_raw(&scanner, &scanner.rows[r], (uint32_t)f, f + 1 == count);
                if (!str_equal(raw, reference->fields[field]))
                    fail_msg("row %zu field %zu of %.*s: '%.*s' where the rules say '%.*s'", r, f,
                             (int)len, text, STR_ARGS(raw), STR_ARGS(reference->fields[field]));
            }
        }
    }
    csv_scan_clear(&scanner);
    free(data);
}

static uint64_t random_state = 42;
static uint32_t random_below(uint32_t n) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % n;
}

static void test_scan_random(void **state) {
    static const char alphabet[] = "ab,,\n\"\"\r";
    Reference *reference = malloc(sizeof *reference);
    char text[600];
    for (int i = 0; i < 30000; i++) {
        size_t len = random_below(i % 10 == 0 ? 600 : 90);
        for (size_t k = 0; k < len; k++) text[k] = alphabet[random_below(sizeof alphabet - 1)];
        scan_compare(text, len, '"', reference);
        scan_compare(text, len, 0, reference);
    }
    free(reference);
}

/* Well-formed records, so that most texts are right to their end. */
static size_t record_write(char *out, uint32_t fields) {
    static const char *const values[] = {"",        "a",       "12.50",      "\"\"",
                                         "\"a,b\"", "\"\n\"",  "\"x\"\"y\"", "\",\n\"\"\n,\"",
                                         "b\"c",    "\"\r\n\""};
    size_t n = 0;
    for (uint32_t f = 0; f < fields; f++) {
        const char *value = values[random_below(COUNT_OF(values))];
        if (f) out[n++] = ',';
        memcpy(out + n, value, strlen(value));
        n += strlen(value);
    }
    if (random_below(3) == 0) out[n++] = '\r';
    out[n++] = '\n';
    return n;
}

static void test_scan_wellformed(void **state) {
    Reference *reference = malloc(sizeof *reference);
    char text[8192];
    for (int i = 0; i < 3000; i++) {
        size_t len = 0;
        while (len < 4000) len += record_write(text + len, 1 + random_below(6));
        scan_compare(text, len, '"', reference);
        assert_true(reference->ok);
    }
    free(reference);
}

/* ---------------------------------------------------------------- ranges */

static Shape plain_shape(void) {
    return (Shape){.format = FORMAT_CSV,
                   .codec = CODEC_NONE,
                   .dialect = {.delimiter = ',', .quote = '"', .has_quote = true},
                   .delimiter_known = true,
                   .header = HEADER_NO,
                   .null_text = {"\\N", 2},
                   .max_value = 1 << 20,
                   .quoted_newlines = true};
}

/* Every offset: the range's beginning is the first record at or after it, or there is no cut; and the two
 * parts together are the whole. Counts the offsets at which there was a cut. */
static size_t ranges_check(const char *text, size_t len, uint32_t fields, Reference *reference) {
    LakeFile file;
    Shape shape = plain_shape();
    size_t cuts = 0;
    shape.fields = fields;
    reference_parse(reference, (Str){text, len}, '"');
    assert_true(reference->ok);
    lake_file_write(&file, "ranges.csv", text, len);
    for (uint64_t at = 0; at <= len; at++) {
        uint64_t cut, first = len;
        Error err;
        FormatParams params = lake_params(&file, &shape);
        assert_int_equal(csv_boundary(&params, at, &cut, &err), TRIB_OK);
        if (cut == UINT64_MAX) continue;
        for (size_t r = reference->nrows; r-- > 0;) {
            bool blank = reference->counts[r] == 1 && fields > 1;
            if (reference->starts[r] >= at && !blank) first = reference->starts[r];
        }
        /* A cut before blank lines is as good as one behind them. */
        size_t from = cut;
        while (from < len && (text[from] == '\n' || text[from] == '\r') && fields > 1) from++;
        if (from != first && cut != first)
            fail_msg("offset %d of '%s': cut at %d where a record begins at %d", (int)at, text,
                     (int)cut, (int)first);
        cuts++;
        LakeText whole = lake_read(&file, &shape, fields, 0, len);
        LakeText left = lake_read(&file, &shape, fields, 0, cut);
        LakeText right = lake_read(&file, &shape, fields, cut, len);
        assert_string_equal(whole.error, "");
        assert_string_equal(left.error, "");
        if (cut < len) assert_string_equal(right.error, "");
        size_t n = strlen(left.text);
        assert_int_equal(whole.rows, left.rows + (cut < len ? right.rows : 0));
        assert_true(strncmp(whole.text, left.text, n) == 0);
        if (cut < len) assert_string_equal(whole.text + n, right.text);
        lake_text_free(&whole);
        lake_text_free(&left);
        lake_text_free(&right);
    }
    lake_file_remove(&file);
    return cuts;
}

static void test_ranges_hostile(void **state) {
    static const struct {
        const char *text;
        uint32_t fields;
        bool everywhere; /* a cut must be found at each offset */
    } files[] = {
        {"1,a\n2,b\n3,c\n", 2, true},
        {"1,a\r\n2,b\r\n3,c\r\n", 2, true},
        {"1,\"a\nb\"\n2,\"c\"\n3,d", 2, false},
        {"\"1\",\"x,\n,y\"\n\"2\",\"\"\"\n\"\"\"\n\"3\",\"\"\n", 2, false},
        /* A field that holds CSV itself, with the same number of fields. */
        {"1,\"\n1,2\n3,4\n\"\n5,6\n", 2, false},
        {"1,\",\n\",\",\n\"\n2,\",\n\",\",\n\"\n3,\",\n\",\",\n\"\n", 3, false},
        {"\"\n\",\"\n\"\n\"\n\",\"\n\"\n", 2, false},
        {"\"\"\"\n\"\"\"\n\"\"\"\n\"\"\"\n", 1, false},
        {"a\n\"b\n\nc\"\nd\n", 1, false},
        {"1,a\n\n\n2,b\n\r\n3,c\n", 2, true},
        {"x\"y,1\nz\"w,2\n\"q\nr\",3\n", 2, false},
        {"\"a\",\"b\"\n\"c\",\"d\"\n\"e\",\"f\"\n", 2, true},
    };
    Reference *reference = malloc(sizeof *reference);
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        size_t len = strlen(files[i].text);
        size_t cuts = ranges_check(files[i].text, len, files[i].fields, reference);
        if (files[i].everywhere && cuts != len + 1)
            fail_msg("file %zu: %zu cuts of %zu", i, cuts, len + 1);
    }
    free(reference);
}

static void test_ranges_random(void **state) {
    Reference *reference = malloc(sizeof *reference);
    char text[512];
    for (int i = 0; i < 60; i++) {
        size_t len = 0;
        uint32_t fields = 1 + random_below(4);
        while (len < 120) len += record_write(text + len, fields);
        text[len] = '\0';
        ranges_check(text, len, fields, reference);
    }
    free(reference);
}

/* A range that does not begin at a record's beginning must not pass for the whole of it. */
static void test_range_in_quotes(void **state) {
    static const char text[] = "1,\"a\nb\"\n2,c\n";
    LakeFile file;
    Shape shape = plain_shape();
    shape.fields = 2;
    lake_file_write(&file, "quotes.csv", text, sizeof text - 1);
    LakeText left = lake_read(&file, &shape, 2, 0, 5); /* within the quotes */
    assert_non_null(strstr(left.error, "do not balance"));
    lake_text_free(&left);
    lake_file_remove(&file);
}

/* ---------------------------------------------------------------- values and faults */

static void expect_rows(const char *text, Shape shape, uint32_t fields, const char *rows) {
    LakeFile file;
    lake_file_write(&file, "rows.csv", text, strlen(text));
    shape.fields = fields;
    LakeText read = lake_read(&file, &shape, fields, 0, strlen(text));
    assert_string_equal(read.error, "");
    assert_string_equal(read.text, rows);
    lake_text_free(&read);
    lake_file_remove(&file);
}

static void expect_fault(const char *text, size_t len, Shape shape, uint32_t fields,
                         const char *part, const char *place) {
    LakeFile file;
    lake_file_write(&file, "fault.csv", text, len);
    shape.fields = fields;
    LakeText read = lake_read(&file, &shape, fields, 0, len);
    if (!strstr(read.error, part) || !strstr(read.error, place))
        fail_msg("'%s' lacks '%s' or '%s'", read.error, part, place);
    lake_text_free(&read);
    lake_file_remove(&file);
}

static void test_values(void **state) {
    Shape shape = plain_shape();
    expect_rows("a,\"b\"\"c\"\n,\"\"\n\\N,\"\\N\"\n", shape, 2, "[a|b\"c]\n[|]\n[NULL|\\N]\n");
    expect_rows("\xEF\xBB\xBFx,y\r\nz,\"w\"\r\n", shape, 2, "[x|y]\n[z|w]\n");
    expect_rows("a,b", shape, 2, "[a|b]\n");
    expect_rows("a,", shape, 2, "[a|]\n");
    expect_rows("", shape, 2, "");
    expect_rows("x\n\ny\n", shape, 1, "[x]\n[]\n[y]\n");
    shape.skip_lines = 2;
    expect_rows("# one\n# \"two\n1,2\n", shape, 2, "[1|2]\n");
    shape = plain_shape();
    shape.dialect.has_escape = true;
    shape.dialect.escape = '\\';
    expect_rows("\"a\\\"b\",\"\\\\\"\n\"x\\\ny\",z\n", shape, 2, "[a\"b|\\]\n[x\ny|z]\n");
    shape.dialect.has_quote = false;
    expect_rows("a\\,b,\"c\n", shape, 2, "[a,b|\"c]\n");
}

static void test_faults(void **state) {
    Shape shape = plain_shape();
#define FAULT(text, part, place) expect_fault(text, sizeof text - 1, shape, 2, part, place)
    FAULT("a,b\nc\n", "has 1 fields, not 2", "fault.csv, line 2");
    FAULT("a,b\nc,d,e\n", "has 3 fields, not 2", "fault.csv, line 2");
    FAULT("a,b\n\"x\ny\",z\n\"c\"d,e\n", "behind the quote", "fault.csv, line 4");
    FAULT("a,b\nc,\"d\n", "never ends", "fault.csv, line 2");
    FAULT("a,b\nc,\xC3\n", "0xC3 is not valid UTF-8", "fault.csv, line 2");
    FAULT("\xFF\xFE"
          "a\0",
          "UTF-16", "fault.csv");
    shape.max_value = 1024;
    size_t len = 5000;
    char *large = malloc(len);
    memset(large, 'x', len);
    memcpy(large, "a,b\n", 4);
    large[100] = ',';
    expect_fault(large, len, shape, 2, "max_value_size, 1024 bytes", "fault.csv, line 2");
    free(large);
#undef FAULT
}

/* A quoted value of many blocks grows the buffer, up to the limit. */
static void test_large_value(void **state) {
    Shape shape = plain_shape();
    size_t len = 6 << 20;
    char *text = malloc(len + 16);
    shape.max_value = 8 << 20;
    memset(text, 'y', len);
    memcpy(text, "1,\"", 3);
    memcpy(text + len - 2, "\"\n", 2);
    LakeFile file;
    lake_file_write(&file, "large.csv", text, len);
    shape.fields = 2;
    LakeText read = lake_read(&file, &shape, 2, 0, len);
    assert_string_equal(read.error, "");
    assert_int_equal(read.rows, 1);
    assert_int_equal(strlen(read.text), len - 5 + 5); /* [1|...] and the line end */
    lake_text_free(&read);
    shape.max_value = 1 << 20;
    read = lake_read(&file, &shape, 2, 0, len);
    assert_non_null(strstr(read.error, "longer than max_value_size"));
    lake_text_free(&read);
    lake_file_remove(&file);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scan_random),     cmocka_unit_test(test_scan_wellformed),
        cmocka_unit_test(test_ranges_hostile),  cmocka_unit_test(test_ranges_random),
        cmocka_unit_test(test_range_in_quotes), cmocka_unit_test(test_values),
        cmocka_unit_test(test_faults),          cmocka_unit_test(test_large_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
