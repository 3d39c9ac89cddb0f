/*
 * quirks_lake.c - a folder of hostile CSV and JSON files for the conformance suite.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <zstd.h>

#include "tests/connectors/conform.h"

#define OPTION(text, of) \
    { .name = (text), .value = (of) }

enum { ROWS = 60 };

static const char *const texts[] = {"",
                                    "a",
                                    "A",
                                    "a ",
                                    "a\t",
                                    "\xC3\xA4",
                                    "\xC3\x9F",
                                    "ss",
                                    "i",
                                    "\xC4\xB1",
                                    "%",
                                    "100%",
                                    "NULL",
                                    "'\"`\\;--",
                                    "x,y",
                                    "l\nm",
                                    "q\"\"r",
                                    "zzzzzzzzzzzzzzzz",
                                    "\xF0\x9F\x98\x80"};
static const char *const integers[] = {"0",
                                       "1",
                                       "-1",
                                       "127",
                                       "-128",
                                       "9223372036854775807",
                                       "-9223372036854775808",
                                       "9007199254740993"};
static const char *const reals[] = {"0.0", "-0.0", "0.5", "-1.5", "1e308", "5e-324", "0.1"};
static const char *const dates[] = {"2024-01-15", "1970-01-01", "0001-01-01", "9999-12-31"};
static const char *const stamps[] = {"2024-01-15 10:00:00", "1969-12-31 23:59:59.999999",
                                     "2024-02-29 00:00:00.5"};
static const char *const zoned[] = {"2024-01-15 10:00:00Z", "2024-01-15 10:00:00+02:00"};

#define PICK(list, row) list[(row) % (int)COUNT_OF(list)]

static FILE *file_open(const char *folder, const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file) {
        fprintf(stderr, "fixture: cannot write %s\n", path);
        abort();
    }
    return file;
}

static void folder_make(const char *folder, const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (mkdir(path, 0700) != 0 && errno != EEXIST) abort();
}

/* Quoted, the quotes in the list's texts being doubled already or made so. */
static void csv_text(FILE *file, const char *text) {
    fputc('"', file);
    for (; *text; text++) {
        if (*text == '"') fputc('"', file);
        fputc(*text, file);
    }
    fputc('"', file);
}

static void csv_row(FILE *file, int row) {
    bool null = row % 7 == 0;
    fprintf(file, "%d,%s,%s,%d.%02d,", row, PICK(integers, row), null ? "" : PICK(reals, row),
            row * 37, row % 100);
    csv_text(file, PICK(texts, row));
    fprintf(file, ",%s,%s,%s,%s,%s\n", row % 5 ? PICK(dates, row) : "", PICK(stamps, row),
            PICK(zoned, row), row % 3 ? "true" : "false",
            row % 2 ? "12151fd2-7586-11e9-8f9e-2a86e4085a59" : "");
}

static const char header[] = "id,i,r,d,t,da,ts,tz,bo,u\n";

static void plain_write(const char *folder) {
    FILE *file = file_open(folder, "plain.csv");
    fputs(header, file);
    for (int row = 0; row < ROWS; row++) csv_row(file, row);
    fclose(file);
}

static void parts_write(const char *folder) {
    static const char *const names[] = {
        "parts",        "parts/y=2024",          "parts/y=2024/k=a b",
        "parts/y=2025", "parts/y=2025/k=%C3%A4", "parts/y=2025/k=__HIVE_DEFAULT_PARTITION__"};
    for (size_t i = 0; i < COUNT_OF(names); i++) folder_make(folder, names[i]);
    for (size_t i = 2; i < COUNT_OF(names); i++) {
        char name[128];
        if (i == 3) continue;
        snprintf(name, sizeof name, "%s/f.csv", names[i]);
        FILE *file = file_open(folder, name);
        fputs("id,t\n", file);
        for (int row = 0; row < 10; row++) fprintf(file, "%d,text %d\n", (int)i * 100 + row, row);
        fclose(file);
    }
}

static void json_write(const char *folder) {
    FILE *file = file_open(folder, "lines.jsonl");
    for (int row = 0; row < ROWS; row++) {
        fprintf(file, "{\"id\":%d,\"i\":%s,\"n\":%d.%02d", row, PICK(integers, row), row,
                row % 100);
        if (row % 3) fprintf(file, ",\"t\":\"text \\u00e4 %d\"", row % 10);
        fprintf(file, ",\"j\":{\"a\":[%d,null]},\"b\":%s}\n", row, row % 2 ? "true" : "null");
    }
    fclose(file);
}

/* More than a megabyte, so that it is read in several ranges. */
static void wide_write(const char *folder) {
    FILE *file = file_open(folder, "wide.csv");
    fputs("id,t\n", file);
    for (int row = 0; row < 1200; row++)
        fprintf(file, "%d,\"row %d, %01000d\n\"\n", row, row % 100, row);
    fclose(file);
}

/* The same frame of rows over and over: 40 GB in a few megabytes. */
static void endless_write(const char *folder) {
    enum { FRAME = 16 << 20, ROOM = 64 << 10, TIMES = 2500 };
    static const char row[] = "1,the same text over and over\n";
    char *rows = malloc(FRAME), *frame = malloc(ROOM);
    size_t len = 0;
    while (len + sizeof row < FRAME) {
        memcpy(rows + len, row, sizeof row - 1);
        len += sizeof row - 1;
    }
    size_t made = ZSTD_compress(frame, ROOM, rows, len, 1);
    if (ZSTD_isError(made)) abort();
    FILE *file = file_open(folder, "endless.csv.zst");
    for (int i = 0; i < TIMES; i++) fwrite(frame, 1, made, file);
    fclose(file);
    free(rows);
    free(frame);
}

const Quirks *quirks_lake(Arena *arena, const char *folder) {
    static const TribOption wrong[] = {OPTION("path", "relative/folder"),
                                       OPTION("delimiter", "ab"),
                                       OPTION("delimiter", "\""),
                                       OPTION("format", "xml"),
                                       OPTION("tables", "[]"),
                                       OPTION("tables", "{\"t\":{\"pth\":\"x\"}}"),
                                       OPTION("tables", "{\"t\":{\"columns\":{\"a\":\"intt\"}}}"),
                                       OPTION("sample_rows", "0"),
                                       OPTION("pth", "x")};
    static TribOption options[3][3];
    static const Case cases[] = {
        {.name = "files",
         .options = options[0],
         .noptions = 2,
         .schema = "default",
         .endless = "endless",
         .expects_splits = true},
        {.name = "partitions declared",
         .options = options[1],
         .noptions = 2,
         .schema = "default",
         .expects_exact = true},
        {.name = "everything text",
         .options = options[2],
         .noptions = 2,
         .schema = "default",
         .only = "plain lines"},
    };
    static Quirks quirks = {.type = "lake",
                            .wrong = wrong,
                            .nwrong = COUNT_OF(wrong),
                            .cases = cases,
                            .ncases = COUNT_OF(cases)};
    const char *path = arena_printf(arena, "%s/lake", folder);
    folder_make(folder, "lake");
    plain_write(path);
    parts_write(path);
    json_write(path);
    wide_write(path);
    endless_write(path);
    options[0][0] = (TribOption)OPTION("path", path);
    options[0][1] = (TribOption)OPTION("max_compression_ratio", "0");
    options[1][0] = (TribOption)OPTION("path", path);
    options[1][1] = (TribOption)OPTION(
        "tables",
        "{\"parts\":{\"partitions\":{\"y\":\"integer\"}}, \"both\":{\"path\":"
        "\"parts/y=202[45]/**/*.csv\",\"columns\":{\"id\":\"bigint\",\"t\":\"varchar(40)\"}},"
        "\"deep\":{\"path\":\"lines.jsonl\",\"columns\":{\"id\":\"bigint\",\"j\":"
        "\"row(a array(bigint), m map(varchar, bigint))\"}}}");
    options[2][0] = (TribOption)OPTION("path", path);
    options[2][1] = (TribOption)OPTION("on_mismatch", "varchar");
    return &quirks;
}
