/*
 * map_lambda.c - functions of maps that take a lambda, and zip_with.
 *
 * Entries are handed to the lambda as elements of arrays are (lambda_batch.c). zip_with and map_zip_with
 * first lay the elements of both sides beside each other, as one list per row.
 */
#include "engine/functions/lambda_batch.h"

/* ---------------------------------------------------------------- results of all entries */

/* What the lambda makes of each entry, appended to a vector; NULL where it raised. */
typedef struct Collected {
    Vector *vector;
    uint32_t count;
} Collected;

static Status collect_piece(KernelCall *call, LambdaBatch *batch, void *context) {
    Collected *self = context;
    for (uint32_t i = 0; i < batch->count; i++) {
        batch->kept[i] = batch->errors[i] == 0 ? i : NO_POSITION;
        if (batch->errors[i] != 0 && call->errors[batch->rows[i]] == 0)
            call->errors[batch->rows[i]] = batch->errors[i];
    }
    TRY(vector_append_rows(call->arena, self->vector, self->count, &batch->result, batch->kept,
                           batch->count, call->err));
    self->count += batch->count;
    return TRIB_OK;
}

/* The entries of the argument's maps, one behind the other, child by child. */
static Status entries_copy(KernelCall *call, uint32_t child, Picks *picks) {
    if (picks->count == 0) {
        KERNEL_ROWS(call, row, {
            ListEntry entry = list_entry(&call->args[0], row);
            TRY(picks_reserve(call, picks, entry.length));
            for (uint32_t i = 0; i < entry.length; i++) picks_add(picks, entry.offset + i);
        });
    }
    return picks_finish(call, picks, &call->args[0].children[child], child);
}

static void put_lengths(KernelCall *call) {
    uint32_t at = 0;
    KERNEL_ROWS(call, row, {
        uint32_t length = list_entry(&call->args[0], row).length;
        list_put(call, row, at, length);
        at += length;
    });
}

static Status kernel_transform_values(KernelCall *call) {
    Picks picks = {0};
    Collected values = {.vector = &call->result->children[1]};
    TRY(entries_copy(call, 0, &picks));
    TRY(lambda_elements(call, 0, 1, ALL_CHILDREN, collect_piece, &values));
    put_lengths(call);
    return TRIB_OK;
}

static Status kernel_transform_keys(KernelCall *call) {
    Picks picks = {0};
    Elements keys = {0};
    Collected made = {.vector = &keys.vector};
    TRY(vector_new(call->arena, call->result_type.fields->field[0].type, 0, &keys.vector,
                   call->err));
    TRY(entries_copy(call, 1, &picks));
    TRY(lambda_elements(call, 0, 1, ALL_CHILDREN, collect_piece, &made));
    put_lengths(call);
    keys.count = made.count;
    TRY_ALLOC(keys.starts, ARENA_ARRAY(call->arena, uint32_t, call->positions), call->err);
    TRY_ALLOC(keys.hashes, ARENA_ARRAY(call->arena, uint64_t, keys.count), call->err);
    vector_hash(&keys.vector, NULL, keys.count, false, keys.hashes);
    ElementSet set = {.first = &keys};
    KERNEL_ROWS(call, row, {
        ListEntry entry = ((const ListEntry *)call->result->data)[row];
        keys.starts[row] = entry.offset;
        TRY(element_set_begin(call, &set, entry.length));
        if (call->errors[row] == 0) (void)keys_refused(call, row, &keys, &set, entry.length);
    });
    call->result->children[0] = keys.vector;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- map_filter */

typedef struct Filtered {
    Picks picks;      /* entries that stay, by position */
    uint32_t *counts; /* of them, by row */
} Filtered;

static Status filter_piece(KernelCall *call, LambdaBatch *batch, void *context) {
    Filtered *self = context;
    TRY(picks_reserve(call, &self->picks, batch->count));
    for (uint32_t i = 0; i < batch->count; i++) {
        uint32_t row = batch->rows[i];
        if (batch->errors[i] != 0) {
            if (call->errors[row] == 0) call->errors[row] = batch->errors[i];
            continue;
        }
        if (vector_is_null(&batch->result, i)) continue;
        if (*(const uint8_t *)vector_at(&batch->result, i) == 0) continue;
        picks_add(&self->picks, batch->positions[i]);
        self->counts[row]++;
    }
    return TRIB_OK;
}

static Status kernel_map_filter(KernelCall *call) {
    Filtered kept = {0};
    uint32_t at = 0;
    TRY_ALLOC(kept.counts, ARENA_ARRAY(call->arena, uint32_t, call->positions), call->err);
    TRY(lambda_elements(call, 0, 1, ALL_CHILDREN, filter_piece, &kept));
    KERNEL_ROWS(call, row, {
        list_put(call, row, at, kept.counts[row]);
        at += kept.counts[row];
    });
    TRY(picks_finish(call, &kept.picks, &call->args[0].children[0], 0));
    return picks_finish(call, &kept.picks, &call->args[0].children[1], 1);
}

/* ---------------------------------------------------------------- side by side */

/* Elements of two lists beside each other: their row and places in each, NO_POSITION where one lacks it. */
typedef struct Beside {
    Picks rows, left, right;
} Beside;

static Status beside_add(KernelCall *call, Beside *self, uint32_t row, uint32_t left,
                         uint32_t right) {
    TRY(picks_reserve(call, &self->rows, 1));
    TRY(picks_reserve(call, &self->left, 1));
    TRY(picks_reserve(call, &self->right, 1));
    picks_add(&self->rows, row);
    picks_add(&self->left, left);
    picks_add(&self->right, right);
    return TRIB_OK;
}

/* A piece of the elements through the lambda, whose results go behind `out`. */
static Status beside_piece(KernelCall *call, const Beside *self, const Vector *keys, uint32_t from,
                           uint32_t count, uint32_t child, Arena *work, Vector *out) {
    uint32_t kept[BATCH_ROWS];
    uint8_t errors[BATCH_ROWS];
    Vector params[3], result;
    uint32_t n = 0;
    arena_reset(work);
    if (keys != NULL) {
        for (uint32_t i = 0; i < count; i++) kept[i] = from + i;
        TRY(vector_gather(work, keys, kept, count, &params[n++], call->err));
    }
    TRY(vector_gather(work, &call->args[0].children[child], self->left.at + from, count,
                      &params[n++], call->err));
    TRY(vector_gather(work, &call->args[1].children[child], self->right.at + from, count,
                      &params[n++], call->err));
    TRY(kernel_lambda(call, 2, work, count, self->rows.at + from, params, &result, errors));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = self->rows.at[from + i];
        kept[i] = errors[i] == 0 ? i : NO_POSITION;
        if (errors[i] != 0 && call->errors[row] == 0) call->errors[row] = errors[i];
    }
    return vector_append_rows(call->arena, out, from, &result, kept, count, call->err);
}

static Status beside_run(KernelCall *call, const Beside *self, const Vector *keys, uint32_t child,
                         Vector *out) {
    Arena *work;
    Status status = TRIB_OK;
    TRY_ALLOC(work, arena_new(call->arena), call->err);
    for (uint32_t from = 0; from < self->rows.count && status == TRIB_OK; from += BATCH_ROWS) {
        uint32_t count = self->rows.count - from;
        if (count > BATCH_ROWS) count = BATCH_ROWS;
        status = beside_piece(call, self, keys, from, count, child, work, out);
    }
    arena_free(work);
    return status;
}

static Status kernel_zip_with(KernelCall *call) {
    Beside beside = {0};
    KERNEL_ROWS(call, row, {
        ListEntry a = list_entry(&call->args[0], row), b = list_entry(&call->args[1], row);
        uint32_t longest = a.length > b.length ? a.length : b.length;
        list_put(call, row, beside.rows.count, longest);
        for (uint32_t i = 0; i < longest; i++) {
            TRY(beside_add(call, &beside, row, i < a.length ? a.offset + i : NO_POSITION,
                           i < b.length ? b.offset + i : NO_POSITION));
        }
    });
    call->result->entries = beside.rows.count;
    return beside_run(call, &beside, NULL, 0, &call->result->children[0]);
}

/* ---------------------------------------------------------------- map_zip_with */

/* Keys of the left map with the right one's places, then those that only the right map has. */
static Status zip_row(KernelCall *call, Beside *beside, Elements *keys, ElementSet *set,
                      uint32_t row) {
    ListEntry a = list_entry(&call->args[0], row), b = list_entry(&call->args[1], row);
    uint32_t first = beside->rows.count, left = keys[0].starts[row], right = keys[1].starts[row];
    TRY(element_set_begin(call, set, a.length + b.length));
    for (uint32_t i = 0; i < a.length; i++) {
        (void)element_set_add(set, left + i);
        TRY(beside_add(call, beside, row, a.offset + i, NO_POSITION));
    }
    for (uint32_t i = 0; i < b.length; i++) {
        uint32_t known = element_set_find(set, keys[0].count + right + i);
        if (known == NO_POSITION) {
            TRY(beside_add(call, beside, row, NO_POSITION, b.offset + i));
        } else {
            beside->right.at[first + known - left] = b.offset + i;
        }
    }
    list_put(call, row, first, beside->rows.count - first);
    return TRIB_OK;
}

static Status kernel_map_zip_with(KernelCall *call) {
    Beside beside = {0};
    Elements keys[2];
    for (uint32_t i = 0; i < 2; i++) TRY(elements_of(call, i, 0, true, &keys[i]));
    ElementSet set = {.first = &keys[0], .second = &keys[1]};
    KERNEL_ROWS(call, row, { TRY(zip_row(call, &beside, keys, &set, row)); });
    Vector *out = call->result->children;
    uint32_t count = beside.rows.count;
    TRY(vector_reserve(call->arena, &out[0], count, call->err));
    for (uint32_t i = 0; i < count; i++) {
        bool left = beside.left.at[i] != NO_POSITION;
        TRY(vector_store(call->arena, &out[0], i, &call->args[left ? 0 : 1].children[0],
                         left ? beside.left.at[i] : beside.right.at[i], call->err));
    }
    call->result->entries = count;
    return beside_run(call, &beside, &out[0], 1, &out[1]);
}

/* ---------------------------------------------------------------- rows */

#define MAP_LAMBDA(ID, FAMILY, RAISES, SIGNATURE, KERNEL, HELP)                       \
    {                                                                                 \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .may_raise = RAISES, \
        .kernel = KERNEL, .family = FAMILY, .help = HELP                              \
    }

static const Function rows[] = {
    MAP_LAMBDA(zip_with, "array", false, "array(E), array(W), function(E, W, R) -> array(R)",
               kernel_zip_with,
               "What the lambda makes of the elements at the same places, NULL where an array is "
               "shorter."),
    MAP_LAMBDA(map_filter, "map", false, "map(K, W), function(K, W, boolean) -> map(K, W)",
               kernel_map_filter, "The entries for which the lambda is true."),
    MAP_LAMBDA(transform_keys, "map", true, "map(K, W), function(K, W, T) -> map(T, W)",
               kernel_transform_keys, "The values under the keys that the lambda makes."),
    MAP_LAMBDA(transform_values, "map", false, "map(K, W), function(K, W, R) -> map(K, R)",
               kernel_transform_values, "The keys with the values that the lambda makes."),
    MAP_LAMBDA(map_zip_with, "map", false,
               "map(K, W), map(K, S), function(K, W, S, R) -> map(K, R)", kernel_map_zip_with,
               "What the lambda makes of the values of each key in both maps, NULL where one "
               "lacks it."),
};

FUNCTION_TABLE(functions_map_lambda, rows);
