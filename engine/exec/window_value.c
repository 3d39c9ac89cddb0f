/*
 * window_value.c - functions that take another row's value: lag, lead, first_value, last_value, nth_value.
 *
 * A piece only finds out which row each result comes from; when the batch is put out the values are
 * gathered from those rows at once. IGNORE NULLS looks the rows up in a bitmap of the partition's rows
 * whose value is not NULL, with the number of bits before each block of 512, so that the n-th of them
 * before, behind or within something costs a binary search.
 *
 * Rows in memory are borrowed from; values from pages of a run on disk are copied.
 */
#include "engine/exec/window.h"

#define ROW_DEFAULT (UINT64_MAX - 1)
#define BLOCK_BITS  512
#define BLOCK_WORDS (BLOCK_BITS / 64)
#define SCAN_HELD   (UINT64_C(256) * 1024)
#define PIECE_TURNS (WINDOW_RECENT - 1) /* pages that one gathering may touch */

/* Which rows of a partition have a value. */
typedef struct ValidRows {
    Block memory;
    uint64_t capacity; /* rows */
    uint64_t rows, total;
    uint64_t *bits, *before; /* before[b]: bits set in blocks below b */
} ValidRows;

typedef struct WindowValue WindowValue;
struct WindowValue {
    WindowEval eval; /* first */
    Status (*find)(WindowValue *self, const WindowPiece *piece, Error *err);
    uint32_t column, fallback; /* of the value, of lag's default (UINT32_MAX: none) */
    bool has_number;
    WindowNumber number; /* lag, lead: how far; nth_value: which */
    bool ignore_nulls;
    WindowFrame frame;
    ValidRows valid;
    uint64_t targets[BATCH_ROWS]; /* by position of the batch */
    uint8_t *rows[BATCH_ROWS];
    bool any_default;
    ColumnRoom room, fallback_room;
};

/* ---------------------------------------------------------------- rows with a value */

static Status valid_reserve(WindowValue *self, uint64_t rows, Error *err) {
    ValidRows *v = &self->valid;
    Grant *grant = &self->eval.source->shared->sort.grant;
    if (rows > v->capacity) {
        uint64_t capacity = (rows + BLOCK_BITS) / BLOCK_BITS * BLOCK_BITS * 2;
        block_free(grant, &v->memory);
        v->capacity = 0;
        uint64_t blocks = capacity / BLOCK_BITS;
        TRY(block_new(grant, capacity / 8 + (blocks + 1) * sizeof(uint64_t), true, &v->memory,
                      err));
        v->capacity = capacity;
        v->bits = v->memory.data;
        v->before = v->bits + capacity / 64;
    }
    memset(v->bits, 0, (rows / BLOCK_BITS + 1) * (BLOCK_BITS / 8));
    v->rows = rows;
    return TRIB_OK;
}

/* Marks the partition's rows, in pieces that fit in memory. */
static Status valid_fill(WindowValue *self, Error *err) {
    WindowSource *source = self->eval.source;
    const RowLayout *layout = source->rows.layout;
    uint64_t start = source->part_start, end = source->part_end;
    ValidRows *v = &self->valid;
    WindowHold hold = {0};
    Status status = valid_reserve(self, end - start, err);
    for (uint64_t at = start, to; at < end && status == TRIB_OK; at = to) {
        to = end - at < BATCH_ROWS ? end : at + BATCH_ROWS;
        status = cancel_check(source->query->cancel, err);
        if (status == TRIB_OK)
            status = window_rows_hold(&source->rows, at, &to, SCAN_HELD, &hold, err);
        if (status != TRIB_OK) break;
        window_rows_addresses(&source->rows, at, (uint32_t)(to - at), self->rows);
        for (uint64_t i = at; i < to; i++) {
            uint64_t valid = !row_is_null(layout, self->rows[i - at], self->column);
            v->bits[(i - start) / 64] |= valid << ((i - start) % 64);
        }
    }
    window_rows_release(&source->rows, &hold);
    v->total = 0;
    for (uint64_t b = 0; status == TRIB_OK && b * BLOCK_BITS < end - start; b++) {
        v->before[b] = v->total;
        for (uint32_t w = 0; w < BLOCK_WORDS; w++)
            v->total += (uint64_t)__builtin_popcountll(v->bits[b * BLOCK_WORDS + w]);
    }
    return status;
}

/* Rows with a value before the partition's row number `row` (which may be its end). */
static uint64_t valid_rank(const ValidRows *self, uint64_t row) {
    if (row >= self->rows) return self->total;
    uint64_t block = row / BLOCK_BITS, rank = self->before[block];
    for (uint64_t w = block * BLOCK_WORDS; w < row / 64; w++)
        rank += (uint64_t)__builtin_popcountll(self->bits[w]);
    uint64_t below = (UINT64_C(1) << (row % 64)) - 1;
    return rank + (uint64_t)__builtin_popcountll(self->bits[row / 64] & below);
}

/* The row with `rank` valued rows before it that has a value itself; rank < total. */
static uint64_t valid_select(const ValidRows *self, uint64_t rank) {
    uint64_t low = 0, high = (self->rows + BLOCK_BITS - 1) / BLOCK_BITS;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (self->before[middle] <= rank)
            low = middle;
        else
            high = middle;
    }
    rank -= self->before[low];
    uint64_t word = low * BLOCK_WORDS;
    for (uint64_t n; rank >= (n = (uint64_t)__builtin_popcountll(self->bits[word])); word++)
        rank -= n;
    uint64_t bits = self->bits[word];
    for (; rank > 0; rank--) bits &= bits - 1;
    return word * 64 + (uint64_t)__builtin_ctzll(bits);
}

/* ---------------------------------------------------------------- which row */

/* lag and lead: NULL offset = NULL; 0 = the row itself. */
static Status find_shifted(WindowValue *self, const WindowPiece *piece, bool back, Error *err) {
    WindowSource *source = self->eval.source;
    uint64_t start = source->part_start, end = source->part_end;
    uint64_t missing = self->fallback == UINT32_MAX ? ROW_NONE : ROW_DEFAULT;
    const char *name = back ? "lag" : "lead";
    const Expr *at = self->eval.window->args[self->has_number ? 1 : 0];
    for (uint32_t i = 0; i < piece->count; i++) {
        uint32_t position = piece->position + i;
        uint64_t row = piece->row + i, *target = &self->targets[position];
        int64_t n = 1;
        *target = ROW_NONE;
        if (self->has_number &&
            !window_number_get(&self->number, source->rows.layout, source->addresses[position], &n))
            continue;
        if (n < 0)
            return error_set_at(err, ERR_INVALID_ARGUMENT, at->line, at->column,
                                "the offset of %s must be at least 0, not %lld", name,
                                (long long)n);
        uint64_t by = (uint64_t)n;
        *target = missing;
        if (self->ignore_nulls && by > 0) {
            uint64_t rank = valid_rank(&self->valid, row - start + (back ? 0 : 1));
            if (back ? rank >= by : self->valid.total - rank >= by)
                *target = start + valid_select(&self->valid, back ? rank - by : rank + by - 1);
        } else if (back ? row - start >= by : end - row > by) {
            *target = back ? row - by : row + by;
        }
        self->any_default |= *target == ROW_DEFAULT;
    }
    return TRIB_OK;
}

static Status find_lag(WindowValue *self, const WindowPiece *piece, Error *err) {
    return find_shifted(self, piece, true, err);
}

static Status find_lead(WindowValue *self, const WindowPiece *piece, Error *err) {
    return find_shifted(self, piece, false, err);
}

/* The n-th row of a frame (from 0), or the n-th with a value; ROW_NONE if there are fewer. */
static uint64_t nth_of(const WindowValue *self, uint64_t from, uint64_t to, uint64_t n) {
    if (!self->ignore_nulls) return to - from > n ? from + n : ROW_NONE;
    uint64_t start = self->eval.source->part_start;
    uint64_t rank = valid_rank(&self->valid, from - start);
    if (valid_rank(&self->valid, to - start) - rank <= n) return ROW_NONE;
    return start + valid_select(&self->valid, rank + n);
}

static Status find_first(WindowValue *self, const WindowPiece *piece, Error *err) {
    (void)err;
    for (uint32_t i = 0; i < piece->count; i++)
        self->targets[piece->position + i] =
            nth_of(self, self->frame.start[i], self->frame.end[i], 0);
    return TRIB_OK;
}

static Status find_last(WindowValue *self, const WindowPiece *piece, Error *err) {
    uint64_t start = self->eval.source->part_start;
    (void)err;
    for (uint32_t i = 0; i < piece->count; i++) {
        uint64_t from = self->frame.start[i], to = self->frame.end[i];
        uint64_t *target = &self->targets[piece->position + i];
        *target = from < to ? to - 1 : ROW_NONE;
        if (!self->ignore_nulls || from == to) continue;
        uint64_t rank = valid_rank(&self->valid, to - start);
        bool any = rank > valid_rank(&self->valid, from - start);
        *target = any ? start + valid_select(&self->valid, rank - 1) : ROW_NONE;
    }
    return TRIB_OK;
}

static Status find_nth(WindowValue *self, const WindowPiece *piece, Error *err) {
    WindowSource *source = self->eval.source;
    const Expr *at = self->eval.window->args[1];
    for (uint32_t i = 0; i < piece->count; i++) {
        uint32_t position = piece->position + i;
        int64_t n;
        self->targets[position] = ROW_NONE;
        if (!window_number_get(&self->number, source->rows.layout, source->addresses[position], &n))
            continue;
        if (n < 1)
            return error_set_at(err, ERR_INVALID_ARGUMENT, at->line, at->column,
                                "the number of nth_value must be at least 1, not %lld",
                                (long long)n);
        self->targets[position] =
            nth_of(self, self->frame.start[i], self->frame.end[i], (uint64_t)n - 1);
    }
    return TRIB_OK;
}

static Status value_piece(WindowEval *eval, const WindowPiece *piece, Error *err) {
    WindowValue *self = (WindowValue *)eval;
    if (self->ignore_nulls && piece->begins) TRY(valid_fill(self, err));
    if (eval->window->call->function->framed) TRY(window_frame_piece(&self->frame, piece, err));
    return self->find(self, piece, err);
}

/* ---------------------------------------------------------------- their values */

static bool target_is_row(uint64_t target) {
    return target < ROW_DEFAULT;
}

/* All rows are in memory: one gathering, which borrows. */
static Status output_memory(WindowValue *self, uint32_t count, Arena *arena, Vector *result,
                            Error *err) {
    WindowRows *rows = &self->eval.source->rows;
    for (uint32_t i = 0; i < count; i++) {
        self->rows[i] = rows->layout->null_row;
        if (target_is_row(self->targets[i]))
            TRY(window_row(rows, self->targets[i], &self->rows[i], err));
    }
    return row_gather(rows->layout, self->column, self->rows, count, NULL, count, true, &self->room,
                      arena, result, err);
}

/* Rows on disk: as many at a time as lie in the pages that stay, copied. */
static Status output_disk(WindowValue *self, uint32_t count, Arena *arena, Vector *result,
                          Error *err) {
    WindowRows *rows = &self->eval.source->rows;
    TRY(vector_new(arena, self->room.type, BATCH_ROWS, result, err));
    for (uint32_t from = 0, to; from < count; from = to) {
        uint64_t turns = rows->turns;
        for (to = from; to < count && rows->turns - turns < PIECE_TURNS; to++) {
            self->rows[to] = rows->layout->null_row;
            if (target_is_row(self->targets[to]))
                TRY(window_row(rows, self->targets[to], &self->rows[to], err));
        }
        Vector piece;
        TRY(row_gather(rows->layout, self->column, self->rows + from, to - from, NULL, to - from,
                       true, &self->room, arena, &piece, err));
        TRY(vector_append(arena, result, from, &piece, NULL, to - from, err));
    }
    return TRIB_OK;
}

/* Where lag and lead leave the partition: the default, computed for the row that asks. */
static Status output_defaults(WindowValue *self, uint32_t count, Arena *arena, Vector *result,
                              Error *err) {
    WindowSource *source = self->eval.source;
    Vector fallback, both;
    TRY(row_gather(source->rows.layout, self->fallback, source->addresses, count, NULL, count, true,
                   &self->fallback_room, arena, &fallback, err));
    TRY(vector_new(arena, result->type, BATCH_ROWS, &both, err));
    for (uint32_t from = 0, to; from < count; from = to) {
        bool missing = self->targets[from] == ROW_DEFAULT;
        for (to = from + 1; to < count && (self->targets[to] == ROW_DEFAULT) == missing;) to++;
        TRY(vector_append(arena, &both, from, missing ? &fallback : result, source->identity + from,
                          to - from, err));
    }
    *result = both;
    return TRIB_OK;
}

static Status value_output(WindowEval *eval, uint32_t count, Batch *out, Vector *result,
                           Error *err) {
    WindowValue *self = (WindowValue *)eval;
    Arena *arena = out->arena;
    if (eval->source->rows.pages)
        TRY(output_disk(self, count, arena, result, err));
    else
        TRY(output_memory(self, count, arena, result, err));
    if (self->any_default) TRY(output_defaults(self, count, arena, result, err));
    self->any_default = false;
    result->type = eval->window->result;
    return TRIB_OK;
}

static void value_close(WindowEval *eval) {
    WindowValue *self = (WindowValue *)eval;
    block_free(&eval->source->shared->sort.grant, &self->valid.memory);
}

Status window_value_new(WindowSource *source, const PhysWindow *window, WindowEval **out,
                        Error *err) {
    static const WindowKind kind = {
        .piece = value_piece, .output = value_output, .close = value_close};
    const WindowCall *call = window->call;
    const RowLayout *layout = source->rows.layout;
    WindowValue *self;
    TRY_ALLOC(self, ARENA_NEW(source->arena, WindowValue), err);
    *out = &self->eval;
    self->eval = (WindowEval){.kind = &kind, .window = window, .source = source};
    self->eval.level = source->node->as.window.npartition + call->norder;
    self->column = window->args[0]->as.ordinal;
    self->fallback = UINT32_MAX;
    self->ignore_nulls = call->ignore_nulls;
    self->has_number = call->ncall > 1;
    if (self->has_number) self->number = window_number(window, 1);
    switch (call->function->id) {
    case TRIB_FN_lag: self->find = find_lag; break;
    case TRIB_FN_lead: self->find = find_lead; break;
    case TRIB_FN_first_value: self->find = find_first; break;
    case TRIB_FN_last_value: self->find = find_last; break;
    default: self->find = find_nth; break;
    }
    TRY(column_room_new(source->arena, &layout->columns[self->column], &self->room, err));
    if (call->ncall > 2) {
        self->fallback = window->args[2]->as.ordinal;
        TRY(column_room_new(source->arena, &layout->columns[self->fallback], &self->fallback_room,
                            err));
    }
    if (!call->function->framed) return TRIB_OK;
    return window_frame_init(&self->frame, source, window, self->eval.level, err);
}
