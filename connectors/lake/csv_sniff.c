/*
 * csv_sniff.c - looks at the beginning of a CSV file: which character separates its fields, and what do
 * its records hold?
 *
 * The delimiter is the candidate by which most of the first records have as many fields as the first one;
 * among equals the one that gives more fields. Records are then shown one by one; what their fields mean
 * (header, types) is infer.c's to say.
 */
#include "connectors/lake/csv.h"

enum { SNIFF_ROWS = 200 };

typedef struct Score {
    uint32_t agreeing, rows, fields;
} Score;

static Status delimiter_score(const FormatParams *params, Shape *shape, char delimiter, Score *out,
                              Error *err) {
    FormatParams mine = *params;
    Shape trial = *shape;
    CsvBlocks blocks;
    uint32_t count = 0;
    *out = (Score){0};
    trial.dialect.delimiter = delimiter;
    mine.shape = &trial;
    TRY(csv_blocks_open(&blocks, &mine, err));
    Status status = csv_blocks_prologue(&blocks, err);
    if (status == TRIB_OK) {
        Error fault;
        /* With the wrong delimiter the rules may be broken: that is no score, not an error. */
        Status read = csv_blocks_next(&blocks, SNIFF_ROWS, &count, &fault);
        if (read == TRIB_MEMORY || read == TRIB_CANCELLED || read == TRIB_TIMEOUT ||
            read == TRIB_IO) {
            *err = fault;
            status = read;
        }
        if (read != TRIB_OK) count = 0;
    }
    const CsvRow *rows = blocks.scanner.rows;
    for (uint32_t r = 0; status == TRIB_OK && r < count; r++) {
        uint32_t fields = rows[r + 1].first - rows[r].first;
        if (r == 0) out->fields = fields;
        out->agreeing += fields == out->fields;
        out->rows++;
    }
    csv_blocks_close(&blocks);
    return status;
}

static bool score_better(const Score *a, const Score *b) {
    /* One field a record is what every wrong delimiter gives. */
    if ((a->fields > 1) != (b->fields > 1)) return a->fields > 1;
    uint64_t left = (uint64_t)a->agreeing * (b->rows ? b->rows : 1);
    uint64_t right = (uint64_t)b->agreeing * (a->rows ? a->rows : 1);
    if (left != right) return left > right;
    return a->fields > b->fields;
}

static Status delimiter_find(const FormatParams *params, Shape *shape, Error *err) {
    static const char candidates[] = {',', '\t', ';', '|'};
    Score best = {0};
    char found = ',';
    for (size_t i = 0; i < COUNT_OF(candidates); i++) {
        Score score;
        TRY(delimiter_score(params, shape, candidates[i], &score, err));
        if (i > 0 && !score_better(&score, &best)) continue;
        best = score;
        found = candidates[i];
    }
    shape->dialect.delimiter = found;
    shape->delimiter_known = true;
    return TRIB_OK;
}

static Status row_show(const FormatParams *params, const CsvBlocks *blocks, uint32_t index,
                       Arena *arena, const SampleVisit *visit, Error *err) {
    const CsvRow *row = &blocks->scanner.rows[index];
    for (uint32_t f = 0; f < blocks->fields; f++) {
        Field field;
        Str raw = csv_raw(&blocks->scanner, row, f, f + 1 == blocks->fields);
        TRY(csv_field(params->shape, raw, true, arena, &field, err));
        TRY(visit->field(visit->self, f, (Str){NULL, 0}, &field, err));
    }
    return visit->row(visit->self, err);
}

static Status rows_show(const FormatParams *params, CsvBlocks *blocks, uint64_t rows, Arena *arena,
                        const SampleVisit *visit, Error *err) {
    enum { AT_A_TIME = 256 };
    for (uint64_t seen = 0; seen < rows;) {
        uint64_t left = rows - seen;
        uint32_t count;
        TRY(csv_blocks_next(blocks, left < AT_A_TIME ? (uint32_t)left : AT_A_TIME, &count, err));
        if (count == 0) return TRIB_OK;
        if (!blocks->fields) { /* the first record says how many fields the others have */
            const CsvRow *row = blocks->scanner.rows;
            blocks->fields = row[1].first - row[0].first;
            blocks->checked = 0;
            continue;
        }
        for (uint32_t r = 0; r < count; r++) {
            arena_reset(arena);
            TRY(row_show(params, blocks, r, arena, visit, err));
        }
        csv_blocks_done(blocks, count);
        seen += count;
    }
    return TRIB_OK;
}

Status csv_sample(const FormatParams *params, Shape *shape, uint64_t rows, const SampleVisit *visit,
                  Error *err) {
    FormatParams mine = *params;
    CsvBlocks blocks;
    Arena *arena;
    if (!shape->delimiter_known) TRY(delimiter_find(params, shape, err));
    mine.shape = shape;
    TRY_ALLOC(arena, arena_new(NULL), err);
    Status status = csv_blocks_open(&blocks, &mine, err);
    if (status == TRIB_OK) {
        status = csv_blocks_prologue(&blocks, err);
        if (status == TRIB_OK) status = rows_show(&mine, &blocks, rows, arena, visit, err);
        csv_blocks_close(&blocks);
    }
    arena_free(arena);
    return status;
}
