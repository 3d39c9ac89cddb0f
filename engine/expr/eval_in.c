/*
 * eval_in.c - value IN (candidates).
 *
 * Where all candidates are constants they are put into a hash table once; up to SMALL_SET integers are
 * compared one after the other instead, which vectorises. Otherwise the candidates are compared with
 * =, each for the rows that none before it matched. The result is NULL for a NULL value, and where
 * nothing matched and a candidate was NULL.
 */
#include "engine/kernels/loop.h"
#include "engine/expr/eval.h"

#define SMALL_SET 4

/* ---------------------------------------------------------------- the set */

static bool is_nan(const Vector *v, uint32_t row) {
    if (v->physical == PHYS_DOUBLE) {
        double x = ((const double *)v->data)[row];
        return x != x;
    }
    if (v->physical != PHYS_FLOAT) return false;
    float x = ((const float *)v->data)[row];
    return x != x;
}

static uint32_t *set_find(const InSet *set, const Vector *v, uint32_t position, uint64_t hash) {
    for (uint64_t at = hash & set->mask;; at = (at + 1) & set->mask) {
        uint32_t slot = set->slots[at];
        if (slot == 0) return &set->slots[at];
        if (set->hashes[slot - 1] == hash && vector_equal(&set->values, slot - 1, v, position)) {
            return &set->slots[at];
        }
    }
}

Status in_set_new(Arena *arena, const Expr *in, InSet **out, Error *err) {
    uint32_t count = in->nargs - 1, capacity = 16;
    *out = NULL;
    if (type_is_nested(in->args[0]->type)) return TRIB_OK; /* NULL elements: three values */
    for (uint32_t i = 1; i <= count; i++) {
        if (in->args[i]->kind != EXPR_CONSTANT) return TRIB_OK;
    }
    InSet *set;
    TRY_ALLOC(set, ARENA_NEW(arena, InSet), err);
    while (capacity < count * 2) capacity *= 2;
    TRY(vector_new(arena, in->args[0]->type, count, &set->values, err));
    TRY_ALLOC(set->hashes, ARENA_ARRAY(arena, uint64_t, count), err);
    TRY_ALLOC(set->slots, ARENA_ARRAY(arena, uint32_t, capacity), err);
    set->mask = capacity - 1;
    for (uint32_t i = 1; i <= count; i++) {
        const Value *candidate = &in->args[i]->as.value;
        uint32_t at = set->count;
        if (candidate->is_null) {
            set->has_null = true;
            continue;
        }
        TRY(vector_set(arena, &set->values, at, candidate, err));
        if (is_nan(&set->values, at)) continue; /* equal to nothing */
        Vector one = set->values;               /* as a CONSTANT, to hash it */
        one.form = VECTOR_CONSTANT;
        one.data = (char *)one.data + at * physical_size((PhysicalType)one.physical);
        vector_hash(&one, NULL, 1, false, &set->hashes[at]);
        uint32_t *slot = set_find(set, &set->values, at, set->hashes[at]);
        if (*slot == 0) *slot = ++set->count;
    }
    *out = set;
    return TRIB_OK;
}

#define SMALL_PROBE(NAME, T)                                                                      \
    KERNEL_CLONES static void probe_##NAME(const T *restrict from, const T *values, uint32_t n,   \
                                           const uint16_t *selection, uint32_t count,             \
                                           uint8_t *restrict to) {                                \
        T a = values[0], b = values[n > 1], c = values[n > 2 ? 2 : 0], d = values[n > 3 ? 3 : 0]; \
        FOR_SELECTED(selection, count, row, {                                                     \
            T x = from[row];                                                                      \
            to[row] = (x == a) | (x == b) | (x == c) | (x == d);                                  \
        });                                                                                       \
    }

SMALL_PROBE(int8, int8_t)
SMALL_PROBE(int16, int16_t)
SMALL_PROBE(int32, int32_t)
SMALL_PROBE(int64, int64_t)

static bool set_probe_small(const InSet *set, const Vector *v, const uint16_t *selection,
                            uint32_t count, uint8_t *to) {
    const void *values = set->values.data;
    if (set->count == 0 || set->count > SMALL_SET || v->form != VECTOR_FLAT) return false;
    switch (v->physical) {
    case PHYS_INT8: probe_int8(v->data, values, set->count, selection, count, to); return true;
    case PHYS_INT16: probe_int16(v->data, values, set->count, selection, count, to); return true;
    case PHYS_INT32: probe_int32(v->data, values, set->count, selection, count, to); return true;
    case PHYS_INT64: probe_int64(v->data, values, set->count, selection, count, to); return true;
    default: return false;
    }
}

static Status set_probe(EvalContext *ctx, const InSet *set, const EvalResult *value,
                        const uint16_t *selection, uint32_t count, uint8_t *to) {
    const Vector *v = &value->vector;
    if (set_probe_small(set, v, selection, count, to)) return TRIB_OK;
    uint64_t *hashes;
    TRY_ALLOC(hashes, context_block(ctx, count * sizeof(uint64_t)), ctx->err);
    vector_hash(v, selection, count, false, hashes);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = selection != NULL ? selection[i] : i;
        to[row] = !vector_is_null(v, row) && *set_find(set, v, row, hashes[i]) != 0;
    }
    context_give_back(ctx, hashes);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- the result */

/* IN's own 0/1 becomes [NOT] IN; NULL where the value is, or where nothing matched a list with NULL. */
static Status in_finish(EvalContext *ctx, const EvalResult *value, bool has_null, bool negated,
                        const uint16_t *selection, uint32_t count, EvalResult *out) {
    const Vector *v = &value->vector;
    uint8_t *to = out->vector.data;
    if (has_null || v->validity != NULL || v->form == VECTOR_DICTIONARY) {
        TRY(result_need_validity(ctx, out));
        FOR_SELECTED(selection, count, row, {
            if (vector_is_null(v, row) || (has_null && !to[row])) {
                bitmap_unset(out->vector.validity, row);
            }
        });
    }
    if (negated) FOR_SELECTED(selection, count, row, { to[row] = !to[row]; });
    return TRIB_OK;
}

/* Compares the open rows with one candidate; found ones leave, errors and NULLs are noted. */
static Status in_candidate(EvalContext *ctx, EvalNode *node, uint32_t index,
                           const EvalResult *value, uint16_t *open, uint32_t *nopen,
                           EvalResult *out) {
    EvalResult candidate;
    uint8_t *to = out->vector.data;
    uint32_t n = 0;
    TRY(eval(ctx, node->args[index], open, *nopen, &candidate));
    TRY(result_merge_errors(ctx, out, &candidate, open, *nopen));
    const Vector *a = &value->vector, *b = &candidate.vector;
    for (uint32_t i = 0; i < *nopen; i++) {
        uint32_t row = open[i];
        if (candidate.errors != NULL && candidate.errors[row] != 0) continue;
        Equality equality = EQUAL_UNKNOWN;
        if (!vector_is_null(b, row)) equality = vector_equality(a, row, b, row);
        if (equality == EQUAL_YES) {
            to[row] = 1;
            if (out->vector.validity != NULL) bitmap_set(out->vector.validity, row);
            continue;
        }
        if (equality == EQUAL_UNKNOWN) {
            TRY(result_need_validity(ctx, out));
            bitmap_unset(out->vector.validity, row);
        }
        open[n++] = (uint16_t)row;
    }
    *nopen = n;
    result_give_back(ctx, &candidate);
    return TRIB_OK;
}

static Status in_general(EvalContext *ctx, EvalNode *node, const EvalResult *value,
                         const uint16_t *selection, uint32_t count, EvalResult *out) {
    uint16_t *open;
    TRY_ALLOC(open, context_block(ctx, count * sizeof(uint16_t)), ctx->err);
    uint32_t nopen = rows_alive(value, true, selection, count, open);
    if (value->vector.validity != NULL || value->vector.form != VECTOR_FLAT) {
        TRY(result_need_validity(ctx, out));
        FOR_SELECTED(selection, count, row, {
            if (vector_is_null(&value->vector, row)) bitmap_unset(out->vector.validity, row);
        });
    }
    memset(out->vector.data, 0, ctx->positions);
    for (uint32_t i = 1; i < node->nargs && nopen > 0; i++) {
        TRY(in_candidate(ctx, node, i, value, open, &nopen, out));
    }
    context_give_back(ctx, open);
    uint8_t *to = out->vector.data;
    if (node->expr->negated) FOR_SELECTED(selection, count, row, { to[row] = !to[row]; });
    return TRIB_OK;
}

Status eval_in(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
               EvalResult *out) {
    EvalResult value;
    TRY(eval(ctx, node->args[0], selection, count, &value));
    TRY(result_new(ctx, TYPE(BOOLEAN), out));
    TRY(result_merge_errors(ctx, out, &value, selection, count));
    const uint16_t *rows = selection;
    uint32_t nrows = count;
    uint16_t *alive = NULL;
    if (value.errors != NULL) { /* nothing may look at what stands in a row that raised */
        TRY_ALLOC(alive, context_block(ctx, count * sizeof(uint16_t)), ctx->err);
        nrows = rows_alive(&value, false, selection, count, alive);
        rows = alive;
    }
    if (node->set != NULL) {
        TRY(set_probe(ctx, node->set, &value, rows, nrows, out->vector.data));
        TRY(in_finish(ctx, &value, node->set->has_null, node->expr->negated, rows, nrows, out));
    } else {
        TRY(in_general(ctx, node, &value, rows, nrows, out));
    }
    context_give_back(ctx, alive);
    result_give_back(ctx, &value);
    return TRIB_OK;
}
