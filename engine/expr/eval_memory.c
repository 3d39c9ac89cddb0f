/*
 * eval_memory.c - blocks that evaluation reuses, and small steps on results.
 *
 * Vectors of intermediate results come from a pool of blocks by power of two. A block goes back as
 * soon as its only user is done, or when the evaluator is reset; so an expression works in the same
 * few cache-warm blocks batch after batch. Blocks are not zeroed.
 */
#include "engine/expr/eval.h"

#define BLOCK_MIN_CLASS 8 /* 256 bytes */

static Block *block_of(void *data) {
    return (Block *)((char *)data - 32);
}

static void *block_data(Block *block) {
    return (char *)block + 32; /* keeps 16-byte alignment */
}

void *context_block(EvalContext *ctx, size_t bytes) {
    Evaluator *self = ctx->evaluator;
    if (!ctx->pooled) return arena_alloc(ctx->arena, bytes);
    uint32_t class = BLOCK_MIN_CLASS;
    while (class < BLOCK_CLASSES - 1 && ((size_t)1 << class) < bytes) class ++;
    if (((size_t)1 << class) < bytes) return NULL;
    Block *block = self->free_blocks[class];
    if (block != NULL) {
        self->free_blocks[class] = block->next;
    } else {
        block = arena_alloc(self->blocks_arena, 32 + ((size_t)1 << class));
        if (block == NULL) return NULL;
        block->size_class = class;
    }
    block->in_use = true;
    block->next = self->used_blocks[class];
    self->used_blocks[class] = block;
    return block_data(block);
}

void context_give_back(EvalContext *ctx, void *data) {
    if (!ctx->pooled || data == NULL) return;
    Evaluator *self = ctx->evaluator;
    Block *block = block_of(data);
    /* Blocks go back in the order of a stack, nearly: the search is short. */
    for (Block **at = &self->used_blocks[block->size_class]; *at != NULL; at = &(*at)->next) {
        if (*at != block) continue;
        *at = block->next;
        block->in_use = false;
        block->next = self->free_blocks[block->size_class];
        self->free_blocks[block->size_class] = block;
        return;
    }
}

void result_give_back(EvalContext *ctx, EvalResult *result) {
    for (size_t i = 0; i < COUNT_OF(result->blocks); i++) {
        context_give_back(ctx, result->blocks[i]);
        result->blocks[i] = NULL;
    }
}

Status result_new(EvalContext *ctx, Type type, EvalResult *out) {
    PhysicalType physical = type_physical(type);
    memset(out, 0, sizeof(*out));
    if (type_is_nested(type)) {
        return vector_new(ctx->arena, type, ctx->positions, &out->vector, ctx->err);
    }
    out->vector = (Vector){.type = type,
                           .physical = (uint8_t)physical,
                           .form = VECTOR_FLAT,
                           .capacity = ctx->positions};
    TRY_ALLOC(out->blocks[0], context_block(ctx, ctx->positions * physical_size(physical)),
              ctx->err);
    out->vector.data = out->blocks[0];
    return TRIB_OK;
}

Status result_need_validity(EvalContext *ctx, EvalResult *self) {
    if (self->vector.validity != NULL) return TRIB_OK;
    size_t bytes = bitmap_words(ctx->positions) * sizeof(uint64_t);
    TRY_ALLOC(self->blocks[1], context_block(ctx, bytes), ctx->err);
    self->vector.validity = self->blocks[1];
    memset(self->vector.validity, 0xff, bytes);
    return TRIB_OK;
}

Status result_need_errors(EvalContext *ctx, EvalResult *self) {
    if (self->errors != NULL) return TRIB_OK;
    TRY_ALLOC(self->blocks[2], context_block(ctx, ctx->positions), ctx->err);
    self->errors = self->blocks[2];
    memset(self->errors, 0, ctx->positions);
    return TRIB_OK;
}

Status result_constant_null(EvalContext *ctx, Type type, EvalResult *out) {
    memset(out, 0, sizeof(*out));
    return vector_null(ctx->arena, type, &out->vector, ctx->err);
}

Status result_merge_errors(EvalContext *ctx, EvalResult *self, const EvalResult *from,
                           const uint16_t *selection, uint32_t count) {
    if (from->errors == NULL) return TRIB_OK;
    TRY(result_need_errors(ctx, self));
    FOR_SELECTED(selection, count, row, {
        if (self->errors[row] == 0) self->errors[row] = from->errors[row];
    });
    return TRIB_OK;
}

bool errors_any(const uint8_t *errors, const uint16_t *selection, uint32_t count) {
    uint8_t any = 0;
    if (errors == NULL) return false;
    FOR_SELECTED(selection, count, row, { any |= errors[row]; });
    return any != 0;
}

uint32_t rows_alive(const EvalResult *result, bool drop_nulls, const uint16_t *selection,
                    uint32_t count, uint16_t *out) {
    uint32_t n = 0;
    const Vector *v = &result->vector;
    const uint8_t *errors = result->errors;
    bool nulls = drop_nulls && (v->validity != NULL || v->form == VECTOR_DICTIONARY);
    FOR_SELECTED(selection, count, row, {
        out[n] = (uint16_t)row;
        n += (errors == NULL || errors[row] == 0) && !(nulls && vector_is_null(v, row));
    });
    return n;
}

/* ---------------------------------------------------------------- forms */

static Status dictionary_spread(EvalContext *ctx, EvalResult *self, const uint16_t *selection,
                                uint32_t count) {
    EvalResult flat = {0};
    TRY(vector_flatten(ctx->arena, &self->vector, selection, count, ctx->positions, &flat.vector,
                       ctx->err));
    self->vector = flat.vector;
    return TRIB_OK;
}

Status result_flatten(EvalContext *ctx, EvalResult *self, const uint16_t *selection,
                      uint32_t count) {
    if (self->vector.form != VECTOR_DICTIONARY) return TRIB_OK;
    return dictionary_spread(ctx, self, selection, count);
}

Status result_booleans(EvalContext *ctx, EvalResult *self, const uint16_t *selection,
                       uint32_t count) {
    Vector *v = &self->vector;
    if (v->form == VECTOR_FLAT) return TRIB_OK;
    EvalResult spread;
    TRY(result_new(ctx, TYPE(BOOLEAN), &spread));
    uint8_t *out = spread.vector.data;
    if (v->form == VECTOR_CONSTANT) {
        memset(out, *(const uint8_t *)v->data != 0, ctx->positions);
        if (vector_is_null(v, 0)) {
            TRY(result_need_validity(ctx, &spread));
            memset(spread.vector.validity, 0, bitmap_words(ctx->positions) * sizeof(uint64_t));
        }
    } else {
        const Vector *entries = v->children;
        const uint8_t *values = entries->data;
        bool nulls = entries->validity != NULL;
        if (entries->form != VECTOR_FLAT || v->validity != NULL) {
            return dictionary_spread(ctx, self, selection, count);
        }
        FOR_SELECTED(selection, count, row, { out[row] = values[v->indices[row]] != 0; });
        if (nulls) {
            TRY(result_need_validity(ctx, &spread));
            FOR_SELECTED(selection, count, row, {
                if (vector_is_null(v, row)) bitmap_unset(spread.vector.validity, row);
            });
        }
    }
    spread.errors = self->errors;
    spread.blocks[2] = self->blocks[2];
    *self = spread;
    return TRIB_OK;
}
