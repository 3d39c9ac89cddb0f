/*
 * infer.h - what types do the columns of sampled rows have?
 *
 * Rows are shown field by field (SampleVisit); every column keeps the set of types that all of its values
 * so far are texts of, and in the end the narrowest one is taken. What is read later is checked against
 * it. One thread; memory: an arena.
 */
#ifndef TRIB_LAKE_INFER_H
#define TRIB_LAKE_INFER_H

#include "connectors/lake/format.h"

typedef struct Infer Infer;

typedef struct InferColumn {
    const char *name;
    int64_t position; /* csv: its ordinal where its name does not find it; else -1 */
    TribType type;
} InferColumn;

/* `named`: fields come with names (json), else by ordinal (csv). */
Infer *infer_new(Arena *arena, bool named);
SampleVisit infer_visit(Infer *self);
/* csv: the next row shown may be a header; call before the rows of a file's beginning. */
void infer_file_begin(Infer *self);
uint64_t infer_rows(const Infer *self);
/* Decides; sets shape->header and shape->fields where they are not known. */
Status infer_finish(Infer *self, Shape *shape, InferColumn **columns, uint32_t *count,
                    Error *err) WARN_UNUSED;

#endif
