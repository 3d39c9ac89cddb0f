/*
 * window_rank.c - functions of a row's place in its partition: row_number, rank, dense_rank, percent_rank,
 * cume_dist, ntile.
 *
 * Results are computed piece by piece into an array of one batch. Beyond the row's number only the start
 * of its peers and the number of their group are kept.
 */
#include <assert.h>

#include "engine/exec/window.h"

typedef struct WindowRank WindowRank;
struct WindowRank {
    WindowEval eval; /* first */
    Status (*compute)(WindowRank *self, const WindowPiece *piece, Error *err);
    WindowNumber buckets;
    uint64_t peer_start, group; /* of the row before; the first group is 1 */
    ColumnRoom room;
    uint64_t *ends; /* cume_dist */
    bool any_null;
};

static Status compute_row_number(WindowRank *self, const WindowPiece *piece, Error *err) {
    int64_t *out = (int64_t *)(void *)self->room.data + piece->position;
    int64_t first = (int64_t)(piece->row - self->eval.source->part_start) + 1;
    (void)err;
    for (uint32_t i = 0; i < piece->count; i++) out[i] = first + i;
    return TRIB_OK;
}

/* For each row of the piece: body with `i`, after peer_start and group have been brought up to it. */
#define FOR_PEERS(self, piece, i, ...)                                             \
    for (uint32_t i = 0; i < (piece)->count; i++) {                                \
        if (i == 0 && (piece)->begins) (self)->group = 0;                          \
        if (window_new_peers((self)->eval.source, piece, i, (self)->eval.level)) { \
            (self)->peer_start = (piece)->row + i;                                 \
            (self)->group++;                                                       \
        }                                                                          \
        __VA_ARGS__                                                                \
    }

static Status compute_rank(WindowRank *self, const WindowPiece *piece, Error *err) {
    int64_t *out = (int64_t *)(void *)self->room.data + piece->position;
    uint64_t start = self->eval.source->part_start;
    (void)err;
    FOR_PEERS(self, piece, i, { out[i] = (int64_t)(self->peer_start - start) + 1; });
    return TRIB_OK;
}

static Status compute_dense_rank(WindowRank *self, const WindowPiece *piece, Error *err) {
    int64_t *out = (int64_t *)(void *)self->room.data + piece->position;
    (void)err;
    FOR_PEERS(self, piece, i, { out[i] = (int64_t)self->group; });
    return TRIB_OK;
}

static Status compute_percent_rank(WindowRank *self, const WindowPiece *piece, Error *err) {
    double *out = (double *)(void *)self->room.data + piece->position;
    uint64_t start = self->eval.source->part_start, rows = self->eval.source->part_end - start;
    (void)err;
    FOR_PEERS(self, piece, i,
              { out[i] = rows > 1 ? (double)(self->peer_start - start) / (double)(rows - 1) : 0; });
    return TRIB_OK;
}

static Status compute_cume_dist(WindowRank *self, const WindowPiece *piece, Error *err) {
    double *out = (double *)(void *)self->room.data + piece->position;
    uint64_t start = self->eval.source->part_start, rows = self->eval.source->part_end - start;
    TRY(window_peer_ends(self->eval.source, piece, self->eval.level, self->ends, err));
    for (uint32_t i = 0; i < piece->count; i++)
        out[i] = (double)(self->ends[i] - start) / (double)rows;
    return TRIB_OK;
}

/* The first `rows % buckets` buckets have one row more than the others. */
static int64_t bucket_of(uint64_t index, uint64_t rows, uint64_t buckets) {
    uint64_t size = rows / buckets, larger = rows % buckets, border = larger * (size + 1);
    if (index < border) return (int64_t)(index / (size + 1)) + 1;
    return (int64_t)(larger + (index - border) / size) + 1;
}

static Status compute_ntile(WindowRank *self, const WindowPiece *piece, Error *err) {
    WindowSource *source = self->eval.source;
    int64_t *out = (int64_t *)(void *)self->room.data + piece->position, n;
    uint64_t start = source->part_start, rows = source->part_end - start;
    const Expr *at = self->eval.window->args[0];
    for (uint32_t i = 0; i < piece->count; i++) {
        const uint8_t *row = source->addresses[piece->position + i];
        if (!window_number_get(&self->buckets, source->rows.layout, row, &n)) {
            if (!self->any_null)
                memset(self->room.validity, 0xff, bitmap_words(BATCH_ROWS) * sizeof(uint64_t));
            self->any_null = true;
            bitmap_unset(self->room.validity, piece->position + i);
            out[i] = 0;
            continue;
        }
        if (n < 1)
            return error_set_at(err, ERR_INVALID_ARGUMENT, at->line, at->column,
                                "ntile needs a number of buckets greater than 0, not %lld",
                                (long long)n);
        out[i] = bucket_of(piece->row + i - start, rows, (uint64_t)n);
    }
    return TRIB_OK;
}

static Status rank_piece(WindowEval *eval, const WindowPiece *piece, Error *err) {
    WindowRank *self = (WindowRank *)eval;
    return self->compute(self, piece, err);
}

static Status rank_output(WindowEval *eval, uint32_t count, Batch *out, Vector *result,
                          Error *err) {
    WindowRank *self = (WindowRank *)eval;
    (void)count;
    (void)out;
    (void)err;
    *result = (Vector){.type = eval->window->result,
                       .physical = (uint8_t)type_physical(eval->window->result),
                       .form = VECTOR_FLAT,
                       .capacity = BATCH_ROWS,
                       .data = self->room.data};
    if (self->any_null) result->validity = self->room.validity;
    self->any_null = false;
    return TRIB_OK;
}

Status window_rank_new(WindowSource *source, const PhysWindow *window, WindowEval **out,
                       Error *err) {
    static const WindowKind kind = {.piece = rank_piece, .output = rank_output};
    static const struct {
        uint16_t id;
        Status (*compute)(WindowRank *, const WindowPiece *, Error *);
    } functions[] = {
        {TRIB_FN_row_number, compute_row_number}, {TRIB_FN_rank, compute_rank},
        {TRIB_FN_dense_rank, compute_dense_rank}, {TRIB_FN_percent_rank, compute_percent_rank},
        {TRIB_FN_cume_dist, compute_cume_dist},   {TRIB_FN_ntile, compute_ntile},
    };
    WindowRank *self;
    TRY_ALLOC(self, ARENA_NEW(source->arena, WindowRank), err);
    *out = &self->eval;
    self->eval = (WindowEval){.kind = &kind, .window = window, .source = source};
    self->eval.level = source->node->as.window.npartition + window->call->norder;
    for (size_t i = 0; i < COUNT_OF(functions); i++) {
        if (functions[i].id == window->call->function->id) self->compute = functions[i].compute;
    }
    assert(self->compute);
    if (window->call->ncall) self->buckets = window_number(window, 0);
    TRY_ALLOC(self->ends, ARENA_ARRAY(source->arena, uint64_t, BATCH_ROWS), err);
    RowColumn column = {.type = window->result, .size = 8};
    return column_room_new(source->arena, &column, &self->room, err);
}
