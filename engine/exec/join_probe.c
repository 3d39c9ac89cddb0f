/*
 * join_probe.c - looking up batches of probe rows and making the join's output of what is found.
 *
 * A batch goes through stages. Lookup: each row's chain of build rows with equal keys. Then
 *   ALIGNED  no row has more than one match and nothing else to check: the batch itself is put
 *            out, narrowed, with build columns gathered
 *            beside the probe columns at the same positions;
 *   PAIRS    up to BATCH_ROWS pairs at a time, filtered by the residual, gathered on both sides;
 *   REST     what depends on whether a row has had a match: LEFT and FULL without one, SEMI,
 *            ANTI, MARK.
 * Without keys the chain of every row is the whole build side, page by page. Where probe rows only mark
 * build rows (RIGHT_SEMI, RIGHT_ANTI), nothing is put out here.
 *
 * Rows of partitions on disk are put aside before the lookup. Output borrows from the input batch
 * and from pages of the build side; both outlive it.
 */
#include "engine/exec/join.h"

typedef struct ProcessLocal {
    JoinProbe probe;
    Evaluator *keys;
    JoinAside *aside;
    Vector *key_vectors; /* by key */
    KeyTrial *trials;    /* by filter */
    Batch narrowed;      /* the input with the rows that filters left; borrows all of it */
    uint16_t *left;      /* their positions */
    RangeProbe range;
} ProcessLocal;

/* ---------------------------------------------------------------- making one */

Status join_probe_new(JoinShared *shared, Arena *arena, JoinProbe *out, Error *err) {
    const PhysNode *node = shared->node;
    *out = (JoinProbe){.shared = shared};
    TRY(probe_scratch_new(arena, &out->scratch, err));
    TRY_ALLOC(out->arena, arena_new(arena), err);
    TRY_ALLOC(out->pair_arena, arena_new(arena), err);
    TRY_ALLOC(out->keys, ARENA_ARRAY(arena, FlatColumn, shared->nkeys + 1), err);
    if (node->as.join.residual) {
        const Expr *residual = node->as.join.residual;
        TRY(evaluator_new(arena, shared->query->session, 1, &residual, &out->residual, err));
    }
    TRY_ALLOC(out->rooms, ARENA_ARRAY(arena, ColumnRoom, node->as.join.nbuild_output + 1), err);
    for (uint32_t j = 0; j < node->as.join.nbuild_output; j++) {
        uint32_t c = shared->build_column[node->as.join.build_output[j]];
        TRY(column_room_new(arena, &shared->build_layout->columns[c], &out->rooms[j], err));
    }
    TRY_ALLOC(out->residual_rooms, ARENA_ARRAY(arena, ColumnRoom, shared->nbuild + 1), err);
    for (uint32_t b = 0; b < shared->nbuild; b++) {
        if (!shared->residual_uses[shared->nprobe + b]) continue;
        TRY(column_room_new(arena, &shared->build_layout->columns[shared->build_column[b]],
                            &out->residual_rooms[b], err));
    }
    TRY_ALLOC(out->key_rooms, ARENA_ARRAY(arena, ColumnRoom, shared->nkeys + 1), err);
    for (uint32_t k = 0; k < shared->nkeys; k++)
        TRY(column_room_new(arena, &shared->build_layout->columns[k], &out->key_rooms[k], err));
    uint32_t n = BATCH_ROWS + 1;
    TRY_ALLOC(out->mark.data, ARENA_ARRAY(arena, uint8_t, n), err);
    TRY_ALLOC(out->mark.validity, ARENA_ARRAY(arena, uint64_t, bitmap_words(n)), err);
    TRY_ALLOC(out->live, ARENA_ARRAY(arena, uint16_t, n), err);
    TRY_ALLOC(out->candidates, ARENA_ARRAY(arena, uint16_t, n), err);
    TRY_ALLOC(out->found, ARENA_ARRAY(arena, uint8_t, n), err);
    TRY_ALLOC(out->null_key, ARENA_ARRAY(arena, uint8_t, n), err);
    TRY_ALLOC(out->pair_positions, ARENA_ARRAY(arena, uint32_t, n), err);
    TRY_ALLOC(out->pair_index, ARENA_ARRAY(arena, uint16_t, n), err);
    TRY_ALLOC(out->pair_rows, ARENA_ARRAY(arena, uint8_t *, n), err);
    TRY_ALLOC(out->selection, ARENA_ARRAY(arena, uint16_t, n), err);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- beginning a batch */

static void begin_pairs(JoinProbe *self) {
    self->stage = PROBE_PAIRS;
    self->at = 0;
    self->page = self->row = 0;
    if (self->range && self->ncandidates) self->entry = self->range->from[self->candidates[0]];
    self->chain =
        self->tables && self->ncandidates ? self->scratch.rows[self->candidates[0]] : NULL;
}

/* All rows of a chain have the same keys: once its first row is marked, all are. */
static void mark_chains(JoinProbe *self) {
    for (uint32_t k = 0; k < self->ncandidates; k++) {
        uint8_t *row = self->scratch.rows[self->candidates[k]];
        if (!row || row_matched(self->shared, row)) continue;
        for (uint8_t *next = row; next; next = row_next(next)) row_set_matched(self->shared, next);
    }
}

static void begin_lookup(JoinProbe *self) {
    const JoinShared *shared = self->shared;
    ProbeScratch *scratch = &self->scratch;
    /* Rows with a NULL key are live, but nothing is looked up for them. */
    for (uint32_t k = 0; k < self->nlive && self->ncandidates < self->nlive; k++)
        scratch->rows[self->live[k]] = NULL;
    memcpy(scratch->list, self->candidates, self->ncandidates * sizeof *scratch->list);
    scratch->positions = self->positions;
    self->nfound =
        join_table_probe(self->tables, self->shift, self->mask, shared->build_layout, shared->nkeys,
                         self->keys, shared->may_null, scratch, scratch->list, self->ncandidates);
    if (shared->only_marks && !self->residual) {
        mark_chains(self);
        self->stage = PROBE_REST;
        return;
    }
    if (!self->residual && !self->chained && !self->partial && !shared->only_found &&
        !shared->only_marks) {
        self->stage = PROBE_ALIGNED;
        return;
    }
    uint32_t kept = 0;
    for (uint32_t k = 0; k < self->ncandidates; k++) {
        uint16_t i = self->candidates[k];
        self->candidates[kept] = i;
        kept += scratch->rows[i] != NULL;
    }
    self->ncandidates = kept;
    if (!self->residual && shared->only_found) {
        for (uint32_t k = 0; k < kept; k++) self->found[self->candidates[k]] = 1;
        self->stage = PROBE_REST;
        return;
    }
    begin_pairs(self);
}

void join_probe_begin(JoinProbe *self) {
    memset(self->found, 0, self->in->selected);
    if (self->tables) {
        begin_lookup(self);
        return;
    }
    if (self->shared->only_found && !self->residual && !self->unknown) {
        uint64_t rows = 0;
        for (uint32_t p = 0; p < self->npages; p++) rows += self->pages[p].rows;
        for (uint32_t k = 0; k < self->ncandidates; k++)
            self->found[self->candidates[k]] = rows > 0;
        self->stage = PROBE_REST;
        return;
    }
    begin_pairs(self);
}

void join_probe_rest(JoinProbe *self) {
    self->stage = PROBE_REST;
}

/* ---------------------------------------------------------------- pairs */

static inline void pair_add(JoinProbe *self, uint32_t *count, uint16_t index, const uint8_t *row) {
    self->pair_index[*count] = index;
    self->pair_positions[*count] = self->positions[index];
    self->pair_rows[*count] = (uint8_t *)(uintptr_t)row;
    (*count)++;
}

static uint32_t pairs_of_chains(JoinProbe *self) {
    uint32_t count = 0;
    while (count < BATCH_ROWS && self->at < self->ncandidates) {
        uint16_t index = self->candidates[self->at];
        bool enough = self->shared->only_found && self->found[index];
        bool marks = self->shared->only_marks;
        while (self->chain && !enough && count < BATCH_ROWS) {
            if (!marks || !row_matched(self->shared, self->chain))
                pair_add(self, &count, index, self->chain);
            self->chain = row_next(self->chain);
        }
        if (self->chain && !enough) break;
        if (++self->at < self->ncandidates)
            self->chain = self->scratch.rows[self->candidates[self->at]];
    }
    return count;
}

static uint32_t pairs_of_pages(JoinProbe *self) {
    const RowLayout *layout = self->shared->build_layout;
    uint32_t count = 0;
    while (count < BATCH_ROWS && self->at < self->ncandidates) {
        uint16_t index = self->candidates[self->at];
        bool enough = self->shared->only_found && self->found[index];
        while (!enough && self->page < self->npages && count < BATCH_ROWS) {
            const RowPage *page = &self->pages[self->page];
            while (self->row < page->rows && count < BATCH_ROWS)
                pair_add(self, &count, index, page_row(page, layout, self->row++));
            if (self->row < page->rows) break;
            self->page++;
            self->row = 0;
        }
        if (!enough && self->page < self->npages) break;
        self->at++;
        self->page = self->row = 0;
    }
    return count;
}

static uint32_t pairs_of_range(JoinProbe *self) {
    const RangeEntry *entries = self->range->range->block.data;
    uint32_t count = 0;
    while (count < BATCH_ROWS && self->at < self->ncandidates) {
        uint16_t index = self->candidates[self->at];
        uint64_t to = self->range->to[index];
        if (self->shared->only_found && self->found[index]) to = 0;
        while (self->entry < to && count < BATCH_ROWS)
            pair_add(self, &count, index, entries[self->entry++].row);
        if (self->entry < to) break;
        if (++self->at < self->ncandidates)
            self->entry = self->range->from[self->candidates[self->at]];
    }
    return count;
}

static void pairs_keep(JoinProbe *self, const uint16_t *list, uint32_t count) {
    for (uint32_t k = 0; k < count; k++) {
        self->pair_index[k] = self->pair_index[list[k]];
        self->pair_positions[k] = self->pair_positions[list[k]];
        self->pair_rows[k] = self->pair_rows[list[k]];
    }
}

/* Of pairs not found by key: those whose keys are equal, or unknown in a null-aware one. */
static uint32_t pairs_possible(JoinProbe *self, uint32_t count) {
    const JoinShared *shared = self->shared;
    for (uint32_t k = 0; k < shared->nkeys && count > 0; k++) {
        const FlatColumn *key = &self->keys[k];
        bool aware = shared->null_aware >> k & 1, safe = shared->null_safe >> k & 1;
        uint32_t kept = 0;
        for (uint32_t i = 0; i < count; i++) {
            bool null_probe = key->validity && !bitmap_get(key->validity, self->pair_positions[i]);
            bool null_build = row_is_null(shared->build_layout, self->pair_rows[i], k);
            bool keep;
            if (null_probe || null_build) {
                keep = aware || (safe && null_probe && null_build);
            } else {
                uint16_t one = 0, rest[2], position = (uint16_t)self->pair_positions[i];
                uint32_t rejected = 0;
                keep = row_match(shared->build_layout, k, key, &position, &self->pair_rows[i],
                                 ROW_NULLS_NONE, &one, 1, rest, &rejected) == 1;
            }
            self->selection[kept] = (uint16_t)i;
            kept += keep;
        }
        pairs_keep(self, self->selection, kept);
        count = kept;
    }
    return count;
}

/* The pairs for which the residual is true. */
static Status pairs_filter(JoinProbe *self, uint32_t *count, Error *err) {
    const JoinShared *shared = self->shared;
    arena_reset(self->pair_arena);
    evaluator_reset(self->residual);
    Batch batch;
    batch_init(&batch, self->pair_arena);
    TRY(batch_columns(&batch, shared->nprobe + shared->nbuild, err));
    batch.count = batch.selected = *count;
    for (uint32_t c = 0; c < shared->nprobe; c++) {
        if (shared->residual_uses[c])
            TRY(vector_gather(self->pair_arena, &self->in->columns[c], self->pair_positions, *count,
                              &batch.columns[c], err));
    }
    for (uint32_t b = 0; b < shared->nbuild; b++) {
        if (!shared->residual_uses[shared->nprobe + b]) continue;
        uint32_t c = shared->build_column[b];
        TRY(row_gather(shared->build_layout, c, self->pair_rows, *count, NULL, *count,
                       shared->may_null[c], &self->residual_rooms[b], self->pair_arena,
                       &batch.columns[shared->nprobe + b], err));
    }
    TRY(evaluator_filter(self->residual, 0, &batch, self->selection, count, err));
    pairs_keep(self, self->selection, *count);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- output */

static Status build_columns_put(JoinProbe *self, uint8_t *const *rows, uint32_t count,
                                const uint16_t *positions, uint32_t npositions, bool outer,
                                Batch *out, Error *err) {
    const JoinShared *shared = self->shared;
    const PhysNode *node = shared->node;
    uint32_t first = node->as.join.nprobe_output;
    for (uint32_t j = 0; j < node->as.join.nbuild_output; j++) {
        uint32_t c = shared->build_column[node->as.join.build_output[j]];
        TRY(row_gather(shared->build_layout, c, rows, count, positions, npositions,
                       outer || shared->may_null[c], &self->rooms[j], out->arena,
                       &out->columns[first + j], err));
    }
    return TRIB_OK;
}

static Status pairs_put(JoinProbe *self, uint32_t count, Batch *out, Error *err) {
    const JoinShared *shared = self->shared;
    const PhysNode *node = shared->node;
    TRY(batch_columns(out, node->ncolumns, err));
    for (uint32_t j = 0; j < node->as.join.nprobe_output; j++)
        TRY(vector_gather(out->arena, &self->in->columns[node->as.join.probe_output[j]],
                          self->pair_positions, count, &out->columns[j], err));
    TRY(build_columns_put(self, self->pair_rows, count, NULL, count, false, out, err));
    out->count = out->selected = count;
    return TRIB_OK;
}

/* The probe columns of the batch itself, narrowed to the positions. */
static Status narrowed_put(JoinProbe *self, const uint16_t *positions, uint32_t count, Batch *out,
                           Error *err) {
    const PhysNode *node = self->shared->node;
    TRY(batch_columns(out, node->ncolumns, err));
    for (uint32_t j = 0; j < node->as.join.nprobe_output; j++)
        out->columns[j] = self->in->columns[node->as.join.probe_output[j]];
    out->count = self->in->count;
    out->selected = count;
    if (count == out->count) return TRIB_OK;
    uint16_t *selection;
    TRY_ALLOC(selection, ARENA_ARRAY(out->arena, uint16_t, count), err);
    memcpy(selection, positions, count * sizeof *selection);
    out->selection = selection;
    return TRIB_OK;
}

static Status aligned_put(JoinProbe *self, Batch *out, Error *err) {
    JoinShared *shared = self->shared;
    uint8_t **rows = self->scratch.rows;
    uint32_t count = 0;
    if (shared->keeps_build)
        for (uint32_t k = 0; k < self->nlive; k++)
            if (rows[self->live[k]]) row_set_matched(shared, rows[self->live[k]]);
    self->stage = PROBE_IDLE;
    if (self->nfound == self->in->count) { /* every position has a match */
        TRY(narrowed_put(self, self->scratch.identity, self->nfound, out, err));
        return build_columns_put(self, rows, self->nfound, NULL, self->nfound, false, out, err);
    }
    for (uint32_t k = 0; k < self->nlive; k++) {
        uint16_t i = self->live[k];
        self->selection[count] = self->positions[i];
        self->pair_rows[count] = rows[i] ? rows[i] : shared->build_layout->null_row;
        count += shared->keeps_probe || rows[i] != NULL;
    }
    if (count == 0) return TRIB_OK;
    TRY(narrowed_put(self, self->selection, count, out, err));
    return build_columns_put(self, self->pair_rows, count,
                             count == out->count ? NULL : self->selection, out->count,
                             shared->keeps_probe, out, err);
}

static Status nulls_put(const JoinShared *shared, Batch *out, Error *err) {
    const PhysNode *node = shared->node;
    uint32_t first = node->as.join.nprobe_output;
    for (uint32_t j = 0; j < node->as.join.nbuild_output; j++)
        TRY(vector_null(out->arena, node->types[first + j], &out->columns[first + j], err));
    return TRIB_OK;
}

Status join_build_only(JoinProbe *self, uint8_t *const *rows, uint32_t count, Batch *out,
                       Error *err) {
    const PhysNode *node = self->shared->node;
    TRY(batch_columns(out, node->ncolumns, err));
    for (uint32_t j = 0; j < node->as.join.nprobe_output; j++)
        TRY(vector_null(out->arena, node->types[j], &out->columns[j], err));
    TRY(build_columns_put(self, rows, count, NULL, count, false, out, err));
    out->count = out->selected = count;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows without regard to their
 * matches */

typedef enum Answer { ANSWER_FALSE, ANSWER_TRUE, ANSWER_NULL, ANSWER_LATER } Answer;

/* What IN says about a row, or that it must look at rows with NULLs first (*later says which). */
static inline Answer row_answer(const JoinProbe *self, uint16_t i, JoinUnknown *later) {
    const JoinShared *shared = self->shared;
    if (self->unknown) return self->found[i] ? ANSWER_NULL : ANSWER_FALSE;
    if (self->found[i]) return ANSWER_TRUE;
    if (!shared->null_aware || (self->null_key[i] & 2) || shared->build_rows == 0)
        return ANSWER_FALSE;
    if (!shared->unknown_rows)
        return self->null_key[i] || shared->null_keys ? ANSWER_NULL : ANSWER_FALSE;
    *later = self->null_key[i] ? UNKNOWN_ALL : UNKNOWN_NULLS;
    return self->null_key[i] || shared->null_keys ? ANSWER_LATER : ANSWER_FALSE;
}

/* Appends rows of the batch, by index, to a store of the probe layout. */
static Status rows_put_aside(JoinProbe *self, RowStore *store, const uint16_t *indexes,
                             uint32_t count, Error *err) {
    JoinShared *shared = self->shared;
    const RowLayout *layout = shared->probe_layout;
    ProbeScratch *scratch = &self->scratch;
    if (count == 0) return TRIB_OK;
    FlatColumn *columns;
    TRY_ALLOC(columns, ARENA_ARRAY(self->arena, FlatColumn, layout->ncolumns + 1), err);
    for (uint32_t k = 0; k < count; k++) {
        scratch->fresh_positions[k] = self->positions[indexes[k]];
        scratch->fresh_hashes[k] = shared->nkeys ? scratch->hashes[indexes[k]] : 0;
    }
    for (uint32_t c = 0; c < layout->ncolumns; c++) {
        columns[c] = c < shared->nkeys ? self->keys[c] : columns[c];
        if (c < shared->nkeys) continue;
        TRY(row_flatten(&layout->columns[c], &self->in->columns[shared->probe_source[c]],
                        scratch->fresh_positions, count, self->in->count, self->arena, &columns[c],
                        err));
    }
    TRY(row_store_append(store, columns, scratch->fresh_positions, count, scratch->fresh_hashes,
                         scratch->fresh_rows, err));
    if (!store->pressure) return TRIB_OK;
    for (uint32_t p = 0; p < store->npartitions; p++) TRY(row_store_spill(store, p, err));
    store->pressure = false;
    return TRIB_OK;
}

static Status mark_put(JoinProbe *self, JoinAside *aside, Batch *out, Error *err) {
    uint16_t later[2][BATCH_ROWS + 1];
    uint32_t nlater[2] = {0, 0}, count = 0;
    bool nulls = false;
    memset(self->mark.validity, 0xff, bitmap_words(BATCH_ROWS) * sizeof *self->mark.validity);
    for (uint32_t k = 0; k < self->nlive; k++) {
        uint16_t i = self->live[k], position = self->positions[i];
        JoinUnknown kind = UNKNOWN_NULLS;
        Answer answer = row_answer(self, i, &kind);
        if (answer == ANSWER_LATER) {
            later[kind][nlater[kind]++] = i;
            continue;
        }
        self->mark.data[position] = answer == ANSWER_TRUE;
        if (answer == ANSWER_NULL) {
            bitmap_unset(self->mark.validity, position);
            nulls = true;
        }
        self->selection[count++] = position;
    }
    for (uint32_t kind = 0; kind < 2 && aside; kind++)
        TRY(rows_put_aside(self, &aside->undecided[kind], later[kind], nlater[kind], err));
    if (count == 0) return TRIB_OK;
    TRY(narrowed_put(self, self->selection, count, out, err));
    out->columns[out->ncolumns - 1] = (Vector){.type = TYPE(BOOLEAN),
                                               .physical = PHYS_BOOL,
                                               .form = VECTOR_FLAT,
                                               .capacity = BATCH_ROWS,
                                               .data = self->mark.data,
                                               .validity = nulls ? self->mark.validity : NULL};
    return TRIB_OK;
}

static Status anti_nulls_put(JoinProbe *self, JoinAside *aside, Batch *out, Error *err) {
    uint16_t later[2][BATCH_ROWS + 1];
    uint32_t nlater[2] = {0, 0}, count = 0;
    for (uint32_t k = 0; k < self->nlive; k++) {
        uint16_t i = self->live[k];
        JoinUnknown kind = UNKNOWN_NULLS;
        Answer answer = row_answer(self, i, &kind);
        if (answer == ANSWER_LATER) later[kind][nlater[kind]++] = i;
        self->selection[count] = self->positions[i];
        count += answer == ANSWER_FALSE;
    }
    for (uint32_t kind = 0; kind < 2 && aside; kind++)
        TRY(rows_put_aside(self, &aside->undecided[kind], later[kind], nlater[kind], err));
    return count ? narrowed_put(self, self->selection, count, out, err) : TRIB_OK;
}

static Status found_put(JoinProbe *self, bool wanted, Batch *out, Error *err) {
    uint32_t count = 0;
    for (uint32_t k = 0; k < self->nlive; k++) {
        uint16_t i = self->live[k];
        self->selection[count] = self->positions[i];
        count += (self->found[i] != 0) == wanted;
    }
    if (count == 0) return TRIB_OK;
    TRY(narrowed_put(self, self->selection, count, out, err));
    return self->shared->keeps_probe ? nulls_put(self->shared, out, err) : TRIB_OK;
}

static Status rest_put(JoinProbe *self, JoinAside *aside, Batch *out, Error *err) {
    switch (self->shared->kind) {
    case JOIN_SEMI: return found_put(self, true, out, err);
    case JOIN_LEFT:
    case JOIN_FULL:
    case JOIN_ANTI: return found_put(self, false, out, err);
    case JOIN_ANTI_NULLS: return anti_nulls_put(self, aside, out, err);
    case JOIN_MARK: return mark_put(self, aside, out, err);
    default: return TRIB_OK;
    }
}

/* ---------------------------------------------------------------- stages */

/* The next pairs that hold; *count 0: no more. */
static Status pairs_next(JoinProbe *self, uint32_t *count, Error *err) {
    JoinShared *shared = self->shared;
    for (;;) {
        *count = self->tables  ? pairs_of_chains(self)
                 : self->range ? pairs_of_range(self)
                               : pairs_of_pages(self);
        if (*count == 0) return TRIB_OK;
        if (self->unknown) *count = pairs_possible(self, *count);
        if (self->residual && *count > 0) TRY(pairs_filter(self, count, err));
        for (uint32_t k = 0; k < *count; k++) self->found[self->pair_index[k]] = 1;
        if (shared->keeps_build)
            for (uint32_t k = 0; k < *count; k++) row_set_matched(shared, self->pair_rows[k]);
        TRY(cancel_check(shared->query->cancel, err));
        if (*count > 0 && !shared->only_found && !shared->only_marks) return TRIB_OK;
    }
}

Status join_probe_next(JoinProbe *self, JoinAside *aside, Batch *out, Step *step, Error *err) {
    *step = STEP_LAST_OUTPUT;
    if (self->stage == PROBE_ALIGNED) {
        TRY(aligned_put(self, out, err));
    } else if (self->stage == PROBE_PAIRS) {
        uint32_t count;
        TRY(pairs_next(self, &count, err));
        if (count > 0) {
            *step = STEP_HAVE_OUTPUT;
            return pairs_put(self, count, out, err);
        }
        self->stage = PROBE_REST;
    }
    if (self->stage == PROBE_REST) {
        self->stage = PROBE_IDLE;
        if (!self->partial) TRY(rest_put(self, aside, out, err));
    }
    if (out->selected == 0) *step = STEP_NEED_INPUT;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- the probe pipeline */

static Status aside_init(JoinShared *shared, JoinAside *self, Error *err) {
    TRY(row_store_init(&self->store, shared->probe_layout, &shared->space, RADIX_TOP, shared->bits,
                       err));
    for (uint32_t kind = 0; kind < 2; kind++)
        TRY(row_store_init(&self->undecided[kind], shared->probe_layout, &shared->space, RADIX_TOP,
                           0, err));
    return TRIB_OK;
}

/* Registered complete: another worker of the tail may be looking through the list. */
Status join_aside_new(JoinShared *shared, JoinAside **out, Error *err) {
    JoinAside *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    Status status = aside_init(shared, self, err);
    pthread_mutex_lock(&shared->lock);
    self->next = shared->asides;
    shared->asides = self;
    pthread_mutex_unlock(&shared->lock);
    *out = self;
    return status;
}

static Status process_local_new(OpContext *context, ProcessLocal **out, Error *err) {
    JoinShared *shared = context->shared;
    ProcessLocal *self;
    TRY_ALLOC(self, ARENA_NEW(context->arena, ProcessLocal), err);
    TRY(join_probe_new(shared, context->arena, &self->probe, err));
    TRY(evaluator_new(context->arena, context->query->session, shared->nkeys,
                      (const Expr *const *)context->node->as.join.probe_keys, &self->keys, err));
    if (atomic_load(&shared->kept) < 1u << shared->bits || shared->unknown_rows)
        TRY(join_aside_new(shared, &self->aside, err));
    TRY_ALLOC(self->key_vectors, ARENA_ARRAY(context->arena, Vector, shared->nkeys + 1), err);
    TRY_ALLOC(self->trials, ARENA_ARRAY(context->arena, KeyTrial, shared->nkeys + 1), err);
    TRY_ALLOC(self->left, ARENA_ARRAY(context->arena, uint16_t, BATCH_ROWS + 1), err);
    JoinProbe *probe = &self->probe;
    if (shared->nkeys > 0) {
        probe->tables = shared->tables;
        probe->shift = RADIX_TOP - shared->bits;
        probe->mask = (1u << shared->bits) - 1;
        probe->chained = atomic_load(&shared->chained);
    } else {
        probe->pages = shared->lists[0].pages;
        probe->npages = shared->lists[0].count;
        if (shared->range.block.data) {
            TRY(range_probe_new(shared, context->arena, &self->range, err));
            probe->range = &self->range;
        }
    }
    *out = self;
    return TRIB_OK;
}

/* Drops rows whose keys the build side does not have. probe->in becomes the narrowed batch. */
static Status filters_apply(ProcessLocal *self, Batch *in, Error *err) {
    JoinProbe *probe = &self->probe;
    const JoinShared *shared = probe->shared;
    probe->in = in;
    for (uint32_t f = 0; f < shared->nfilters && probe->in->selected > 0; f++) {
        const KeyFilter *filter = &shared->filters[f];
        KeyTrial *trial = &self->trials[f];
        FlatColumn column;
        if (trial->given_up) continue;
        const Batch *now = probe->in;
        TRY(row_flatten(&shared->probe_layout->columns[filter->key],
                        &self->key_vectors[filter->key], now->selection, now->selected, now->count,
                        probe->arena, &column, err));
        uint32_t tested = now->selected,
                 passed = key_filter_test(filter, &column, now->selection, tested, self->left);
        key_trial_pays(trial, tested, passed);
        if (passed == tested) continue;
        self->narrowed = *in;
        self->narrowed.selection = self->left;
        self->narrowed.selected = passed;
        probe->in = &self->narrowed;
    }
    return TRIB_OK;
}

/* The keys of the batch that filters have left. */
static Status keys_evaluate(ProcessLocal *self, Batch *batch, Error *err) {
    JoinProbe *probe = &self->probe;
    const JoinShared *shared = probe->shared;
    evaluator_reset(self->keys);
    for (uint32_t k = 0; k < shared->nkeys; k++)
        TRY(evaluator_run(self->keys, k, batch, &self->key_vectors[k], err));
    TRY(filters_apply(self, batch, err));
    const Batch *in = probe->in;
    for (uint32_t k = 0; k < shared->nkeys && in->selected > 0; k++) {
        const Vector *key = &self->key_vectors[k];
        vector_hash(key, in->selection, in->selected, k > 0, probe->scratch.hashes);
        TRY(row_flatten(&shared->probe_layout->columns[k], key, in->selection, in->selected,
                        in->count, probe->arena, &probe->keys[k], err));
    }
    return TRIB_OK;
}

/* Whether some key may be NULL. */
static bool nulls_mark(JoinProbe *probe, uint32_t count) {
    const JoinShared *shared = probe->shared;
    bool any = false;
    memset(probe->null_key, 0, count);
    for (uint32_t k = 0; k < shared->nkeys; k++) {
        const uint64_t *validity = probe->keys[k].validity;
        if (!validity || (shared->null_safe >> k & 1)) continue;
        uint8_t mark = shared->null_aware >> k & 1 ? 1 : 2;
        any = true;
        for (uint32_t i = 0; i < count; i++)
            if (!bitmap_get(validity, probe->positions[i])) probe->null_key[i] |= mark;
    }
    return any;
}

/* Splits the batch into rows to answer now and rows of partitions on disk, which are put aside. */
static Status rows_route(ProcessLocal *self, uint32_t count, bool nulls, Error *err) {
    JoinProbe *probe = &self->probe;
    JoinShared *shared = probe->shared;
    uint32_t kept = atomic_load_explicit(&shared->kept, memory_order_relaxed);
    uint32_t shift = RADIX_TOP - shared->bits, mask = (1u << shared->bits) - 1;
    uint32_t live = 0, candidates = 0, away = 0;
    bool all = kept > mask;
    if (all && !nulls && shared->nkeys > 0) {
        memcpy(probe->live, probe->scratch.identity, count * sizeof *probe->live);
        memcpy(probe->candidates, probe->scratch.identity, count * sizeof *probe->candidates);
        probe->nlive = probe->ncandidates = count;
        return TRIB_OK;
    }
    for (uint32_t i = 0; i < count; i++) {
        bool null = probe->null_key[i] != 0;
        bool here =
            all || null || (shared->nkeys && ((probe->scratch.hashes[i] >> shift) & mask) < kept);
        probe->live[live] = (uint16_t)i;
        live += here;
        probe->candidates[candidates] = (uint16_t)i;
        candidates += here && !null;
        probe->selection[away] = (uint16_t)i;
        away += !here;
    }
    probe->nlive = live;
    probe->ncandidates = candidates;
    return away ? rows_put_aside(probe, &self->aside->store, probe->selection, away, err) : TRIB_OK;
}

/* Nothing can come of further probe rows. */
static bool probe_is_futile(const JoinShared *shared) {
    switch (shared->kind) {
    case JOIN_INNER:
    case JOIN_SEMI:
    case JOIN_RIGHT:
    case JOIN_RIGHT_SEMI:
    case JOIN_RIGHT_ANTI: return shared->build_rows == 0;
    case JOIN_ANTI_NULLS: return shared->null_aware && !shared->unknown_rows && shared->null_keys;
    default: return false;
    }
}

Status join_process(OpContext *context, void **local, Batch *in, Batch *out, Step *step,
                    Error *err) {
    JoinShared *shared = context->shared;
    if (!*local) {
        if (probe_is_futile(shared)) {
            *step = STEP_FINISHED;
            return TRIB_OK;
        }
        ProcessLocal *fresh = NULL;
        TRY(process_local_new(context, &fresh, err));
        *local = fresh;
    }
    ProcessLocal *self = *local;
    JoinProbe *probe = &self->probe;
    if (probe->stage == PROBE_IDLE) {
        if (in->selected == 0) {
            *step = STEP_NEED_INPUT;
            return TRIB_OK;
        }
        TRY(cancel_check(context->query->cancel, err));
        arena_reset(probe->arena);
        TRY(keys_evaluate(self, in, err));
        in = probe->in;
        if (in->selected == 0) {
            *step = STEP_NEED_INPUT;
            return TRIB_OK;
        }
        probe->positions = in->selection ? in->selection : probe->scratch.identity;
        bool nulls = nulls_mark(probe, in->selected);
        if (probe->range)
            TRY(range_probe_begin(&self->range, in, probe->positions, probe->arena, err));
        TRY(rows_route(self, in->selected, nulls, err));
        join_probe_begin(probe);
    }
    return join_probe_next(probe, self->aside, out, step, err);
}
