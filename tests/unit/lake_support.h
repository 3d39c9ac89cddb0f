/*
 * lake_support.h - for the tests of the lake connector: files, and their rows as text.
 */
#ifndef TRIB_TESTS_LAKE_SUPPORT_H
#define TRIB_TESTS_LAKE_SUPPORT_H

#include "connectors/lake/format.h"

typedef struct LakeFile {
    char path[128];
    StoreObject object;
    StoreStats stats;
} LakeFile;

/* Rows as "[a|b]\n", NULL as NULL; or what went wrong. */
typedef struct LakeText {
    char *text;
    size_t rows;
    char error[1600];
} LakeText;

void lake_file_write(LakeFile *self, const char *name, const void *data, size_t len);
void lake_file_remove(LakeFile *self);
FormatParams lake_params(LakeFile *file, const Shape *shape);
/* The first `fields` columns by position (csv) of a range, as varchar. */
LakeText lake_read(LakeFile *file, const Shape *shape, uint32_t fields, uint64_t begin,
                   uint64_t end);
/* Columns by name and type. */
LakeText lake_read_columns(LakeFile *file, const Shape *shape, const FormatColumn *columns,
                           uint32_t ncolumns, uint64_t begin, uint64_t end);
void lake_text_free(LakeText *self);

#endif
