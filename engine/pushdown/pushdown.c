/*
 * pushdown.c - carves the largest piece around each scan that its source accepts.
 *
 * Looked for, from the top: LIMIT or top-N, then FILTER, then SCAN. The whole piece is offered at once;
 * the source answers with a verdict per conjunct and says whether it takes the order and the limit.
 * Conjuncts that were not EXACT stay in a FILTER above the scan. A limit or top-N stays above in any
 * case: several splits each give their own first rows.
 *
 * With PushDown=off only the columns are offered.
 */
#include "engine/pushdown/pushdown.h"

#include "engine/pushdown/offer.h"

typedef struct Carver {
    const PushdownContext *context;
    LogicalPlan *plan;
    Error *err;
} Carver;

/* A piece of the plan around one scan. */
typedef struct Piece {
    LogicalNode *scan, *filter, *order; /* filter, order (LIMIT or TOPN) may be NULL */
} Piece;

static void release_plan(void *plan) {
    source_plan_release(plan);
}

static void verdict_none(TribVerdict *out, const char *reason) {
    size_t n = utf8_cut(reason, strlen(reason), sizeof out->reason - 1);
    out->kind = TRIB_NONE;
    memcpy(out->reason, reason, n);
    out->reason[n] = '\0';
}

/* ---------------------------------------------------------------- the offer */

typedef struct Draft {
    TribPushdownMode mode;
    OfferBuilder builder;
    TribOffer offer;
    uint32_t *output, *conjuncts, *keys;
    uint32_t *position; /* of each offered conjunct in the filter */
    TribVerdict *verdicts, *key_verdicts;
    TribOrder *order;
} Draft;

static Status draft_output(Carver *self, const Piece *piece, Draft *draft) {
    Arena *arena = self->plan->arena;
    const LogicalNode *scan = piece->scan;
    TRY_ALLOC(draft->output, ARENA_ARRAY(arena, uint32_t, scan->noutput), self->err);
    TRY_ALLOC(draft->keys, ARENA_ARRAY(arena, uint32_t, scan->noutput), self->err);
    TRY_ALLOC(draft->key_verdicts, ARENA_ARRAY(arena, TribVerdict, scan->noutput), self->err);
    for (uint32_t i = 0; i < scan->noutput; i++) {
        const TribColumn *column = &scan->table->table.columns[scan->table_columns[i]];
        if (column->unreadable) {
            error_set(self->err, ERR_UNSUPPORTED, "column '%s' of %s.%s cannot be read: %s",
                      column->name, scan->table->table.schema, scan->table->table.name,
                      column->unreadable);
            return error_source(self->err, catalog_name(scan->table->catalog));
        }
        Expr *e;
        TRY_ALLOC(e, expr_column(arena, scan->output[i], column->type), self->err);
        TRY(offer_add(&draft->builder, e, &draft->output[i], self->err));
        draft->keys[i] = i;
    }
    return TRIB_OK;
}

/* Conjuncts that may be offered; the others get their reason in `pushed`. */
static Status draft_conjuncts(Carver *self, const Piece *piece, Draft *draft, PushedScan *pushed) {
    Arena *arena = self->plan->arena;
    uint32_t n = piece->filter ? piece->filter->nconjuncts : 0;
    TRY_ALLOC(draft->conjuncts, ARENA_ARRAY(arena, uint32_t, n), self->err);
    TRY_ALLOC(draft->position, ARENA_ARRAY(arena, uint32_t, n), self->err);
    TRY_ALLOC(draft->verdicts, ARENA_ARRAY(arena, TribVerdict, n), self->err);
    TRY_ALLOC(pushed->conjuncts, ARENA_ARRAY(arena, PushedConjunct, n), self->err);
    pushed->nconjuncts = n;
    for (uint32_t i = 0; i < n; i++) {
        const Expr *e = piece->filter->conjuncts[i];
        const char *reason = "PushDown=off";
        pushed->conjuncts[i].expr = e;
        if (draft->mode == TRIB_PUSHDOWN_OFF || !offer_expressible(e, piece->scan, &reason)) {
            verdict_none(&pushed->conjuncts[i].verdict, reason);
            continue;
        }
        uint32_t at = draft->offer.nconjuncts++;
        draft->position[at] = i;
        TRY(offer_add(&draft->builder, e, &draft->conjuncts[at], self->err));
    }
    return TRIB_OK;
}

static bool all_offered(const Piece *piece, const Draft *draft) {
    return !piece->filter || draft->offer.nconjuncts == piece->filter->nconjuncts;
}

static int64_t constant_or(const Expr *e, int64_t absent) {
    return e && e->kind == EXPR_CONSTANT && !e->as.value.is_null ? e->as.value.as.integer : absent;
}

static Status draft_limit(Carver *self, const Piece *piece, Draft *draft, PushedScan *pushed) {
    draft->offer.limit = -1;
    const LogicalNode *order = piece->order;
    if (!order) return TRIB_OK;
    int64_t limit = constant_or(order->limit, -1), offset = constant_or(order->offset, 0), rows;
    if (limit < 0 || offset < 0 || __builtin_add_overflow(limit, offset, &rows)) return TRIB_OK;
    pushed->offered_limit = true;
    pushed->offered_order = order->nkeys > 0;
    pushed->limit_rows = rows;
    const char *reason = draft->mode == TRIB_PUSHDOWN_OFF ? "PushDown=off" : "filter not exact";
    if (draft->mode == TRIB_PUSHDOWN_OFF || !all_offered(piece, draft)) {
        verdict_none(&pushed->limit, reason);
        verdict_none(&pushed->order, reason);
        return TRIB_OK;
    }
    TRY_ALLOC(draft->order, ARENA_ARRAY(self->plan->arena, TribOrder, order->nkeys), self->err);
    for (uint32_t i = 0; i < order->nkeys; i++) {
        const char *why;
        if (!offer_expressible(order->keys[i].expr, piece->scan, &why)) {
            verdict_none(&pushed->limit, why);
            verdict_none(&pushed->order, why);
            return TRIB_OK;
        }
        draft->order[i].descending = order->keys[i].descending;
        draft->order[i].nulls_first = order->keys[i].nulls_first;
        TRY(offer_add(&draft->builder, order->keys[i].expr, &draft->order[i].node, self->err));
    }
    draft->offer.norder = order->nkeys;
    draft->offer.limit = rows;
    return TRIB_OK;
}

static Status make_offer(Carver *self, const Piece *piece, Draft *draft, PushedScan *pushed) {
    draft->builder = (OfferBuilder){.arena = self->plan->arena, .scan = piece->scan};
    draft->offer = (TribOffer){.size = sizeof draft->offer, .mode = draft->mode, .rows = -1};
    TRY(draft_output(self, piece, draft));
    TRY(draft_conjuncts(self, piece, draft, pushed));
    TRY(draft_limit(self, piece, draft, pushed));
    const TribTable **tables;
    TRY_ALLOC(tables, ARENA_ARRAY(self->plan->arena, const TribTable *, 1), self->err);
    tables[0] = &piece->scan->table->table;
    TribOffer *o = &draft->offer;
    o->nnodes = draft->builder.nnodes;
    o->nodes = draft->builder.nodes;
    o->nvalues = draft->builder.nvalues;
    o->values = draft->builder.values;
    o->ntables = 1;
    o->tables = tables;
    o->noutput = piece->scan->noutput;
    o->output = draft->output;
    o->conjuncts = draft->conjuncts;
    o->order = draft->order;
    o->nkeys = piece->scan->noutput;
    o->keys = draft->keys;
    o->verdicts = draft->verdicts;
    o->key_verdicts = draft->key_verdicts;
    o->estimate = true;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- the answer */

static Status take_answer(Carver *self, const Draft *draft, SourcePlan *plan, PushedScan *pushed) {
    Arena *arena = self->plan->arena;
    if (!arena_on_reset(arena, release_plan, plan)) {
        source_plan_release(plan);
        return error_out_of_memory(self->err);
    }
    const TribOffer *o = &draft->offer;
    pushed->plan = plan;
    if (o->text) TRY_ALLOC(pushed->text, arena_strdup(arena, o->text), self->err);
    if (o->note) TRY_ALLOC(pushed->note, arena_strdup(arena, o->note), self->err);
    pushed->taken = o->taken;
    pushed->rows = o->rows;
    pushed->keys = draft->key_verdicts;
    for (uint32_t i = 0; i < o->nconjuncts; i++)
        pushed->conjuncts[draft->position[i]].verdict = draft->verdicts[i];
    if (o->limit >= 0) {
        pushed->limit = o->limit_verdict;
        pushed->order = o->order_verdict;
    }
    return TRIB_OK;
}

/* The conjuncts that must still be checked here. */
static Status residual(Carver *self, const Piece *piece, const PushedScan *pushed,
                       LogicalNode *scan, LogicalNode **out) {
    *out = scan;
    if (!piece->filter) return TRIB_OK;
    LogicalNode *filter;
    TRY_ALLOC(filter, logical_copy(self->plan->arena, piece->filter), self->err);
    TRY_ALLOC(filter->conjuncts, ARENA_ARRAY(self->plan->arena, Expr *, piece->filter->nconjuncts),
              self->err);
    filter->nconjuncts = 0;
    for (uint32_t i = 0; i < pushed->nconjuncts; i++) {
        if (pushed->conjuncts[i].verdict.kind == TRIB_EXACT) continue;
        filter->conjuncts[filter->nconjuncts++] = piece->filter->conjuncts[i];
    }
    filter->children[0] = scan;
    if (filter->nconjuncts) *out = filter;
    return TRIB_OK;
}

/* The fragment with the source asked for it in one of the modes. */
static Status carve_as(Carver *self, const Piece *piece, TribPushdownMode mode, PushedScan **answer,
                       LogicalNode **out) {
    PushedScan *pushed;
    Draft draft = {.mode = mode};
    TRY_ALLOC(pushed, ARENA_NEW(self->plan->arena, PushedScan), self->err);
    pushed->how = piece->scan->how;
    TRY(make_offer(self, piece, &draft, pushed));
    Source *source;
    SourcePlan *plan;
    TRY(catalog_source(piece->scan->table->catalog, &source, self->err));
    TRY(source_plan(source, &self->context->call, &draft.offer, &plan, self->err));
    TRY(take_answer(self, &draft, plan, pushed));
    LogicalNode *scan;
    TRY_ALLOC(scan, logical_copy(self->plan->arena, piece->scan), self->err);
    scan->pushed = pushed;
    *answer = pushed;
    TRY(residual(self, piece, pushed, scan, out));
    if (!piece->order) return TRIB_OK;
    LogicalNode *order;
    TRY_ALLOC(order, logical_copy(self->plan->arena, piece->order), self->err);
    order->children[0] = *out;
    *out = order;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- verify */

/* A side of the comparison: the fragment with its number as a last column. */
static Status tag_side(Carver *self, LogicalNode *fragment, int64_t side, LogicalNode **out) {
    Arena *arena = self->plan->arena;
    uint32_t n = fragment->noutput;
    TRY_ALLOC(*out, logical_new(arena, LOGICAL_PROJECT, n + 1, 1), self->err);
    TRY_ALLOC((*out)->exprs, ARENA_ARRAY(arena, Expr *, n + 1), self->err);
    (*out)->children[0] = fragment;
    for (uint32_t i = 0; i < n; i++) {
        ColumnId id = fragment->output[i];
        (*out)->output[i] = id;
        TRY_ALLOC((*out)->exprs[i],
                  expr_column(arena, id, plan_column(&self->plan->columns, id)->type), self->err);
    }
    Value value = {.type = TYPE(INTEGER)};
    value.as.integer = side;
    TRY_ALLOC((*out)->exprs[n], expr_constant(arena, value), self->err);
    (*out)->output[n] = plan_column_new(&self->plan->columns, STR("side"), TYPE(INTEGER), false);
    return (*out)->output[n] ? TRIB_OK : error_out_of_memory(self->err);
}

/* What must agree: all columns; under a top-N its sort keys; under a plain LIMIT the number of rows. Which
 * rows a limit lets through is the source's choice then, but all must be among those of the table. */
static Status verify_keys(Carver *self, const Piece *piece, LogicalNode *node) {
    TRY_ALLOC(node->verify, ARENA_ARRAY(self->plan->arena, uint32_t, node->noutput), self->err);
    for (uint32_t i = 0; i < node->noutput; i++) {
        bool wanted = !piece->order;
        for (uint32_t k = 0; piece->order && k < piece->order->nkeys; k++) {
            const Expr *e = piece->order->keys[k].expr;
            wanted |= e->kind == EXPR_COLUMN && e->as.column_id == node->output[i];
        }
        if (wanted) node->verify[node->nverify++] = i;
    }
    return TRIB_OK;
}

static Status verify_fragment(Carver *self, const Piece *piece, uint32_t nsides,
                              LogicalNode *const *sides, const PushedScan *answer,
                              LogicalNode **out) {
    Arena *arena = self->plan->arena;
    uint32_t n = sides[0]->noutput;
    LogicalNode *all, *node;
    TRY_ALLOC(all, logical_new(arena, LOGICAL_UNION, n + 1, nsides), self->err);
    TRY_ALLOC(all->inputs, ARENA_ARRAY(arena, ColumnId *, nsides), self->err);
    for (uint32_t s = 0; s < nsides; s++) {
        TRY(tag_side(self, sides[s], s, &all->children[s]));
        all->inputs[s] = all->children[s]->output;
    }
    all->sequential = nsides == 3;
    memcpy(all->output, all->children[0]->output, (n + 1) * sizeof *all->output);
    TRY_ALLOC(node, logical_new(arena, LOGICAL_VERIFY, n, 1), self->err);
    if (n) memcpy(node->output, sides[0]->output, n * sizeof *node->output);
    node->children[0] = all;
    node->verified = answer;
    TRY(verify_keys(self, piece, node));
    *out = node;
    return TRIB_OK;
}

/* Something was taken from us: then there is something to verify. */
static bool took_anything(const PushedScan *pushed) {
    bool any = pushed->taken != 0;
    for (uint32_t i = 0; i < pushed->nconjuncts; i++)
        any |= pushed->conjuncts[i].verdict.kind != TRIB_NONE;
    return any;
}

static Status carve(Carver *self, const Piece *piece, LogicalNode **out) {
    PushedScan *answer, *bare;
    LogicalNode *sides[3];
    TRY(carve_as(self, piece, self->context->mode, &answer, out));
    if (!self->context->verify || !took_anything(answer)) return TRIB_OK;
    sides[0] = *out;
    TRY(carve_as(self, piece, TRIB_PUSHDOWN_OFF, &bare, &sides[1]));
    if (!piece->order) return verify_fragment(self, piece, 2, sides, answer, out);
    Piece unlimited = {.scan = piece->scan, .filter = piece->filter};
    TRY(carve_as(self, &unlimited, TRIB_PUSHDOWN_OFF, &bare, &sides[2]));
    return verify_fragment(self, piece, 3, sides, answer, out);
}

/* ---------------------------------------------------------------- walking */

static bool find_piece(LogicalNode *node, Piece *out) {
    *out = (Piece){0};
    if (node->kind == LOGICAL_LIMIT || node->kind == LOGICAL_TOPN) {
        out->order = node;
        node = node->children[0];
    }
    if (node->kind == LOGICAL_FILTER) {
        out->filter = node;
        node = node->children[0];
    }
    out->scan = node;
    return node->kind == LOGICAL_SCAN && node->table;
}

static Status walk(Carver *self, LogicalNode *node, LogicalNode **out) {
    Piece piece;
    if (find_piece(node, &piece)) return carve(self, &piece, out);
    *out = node;
    for (uint32_t i = 0; i < node->nchildren; i++) {
        LogicalNode *child;
        TRY(walk(self, node->children[i], &child));
        if (child == node->children[i]) continue;
        if (*out == node) TRY_ALLOC(*out, logical_copy(self->plan->arena, node), self->err);
        (*out)->children[i] = child;
    }
    return TRIB_OK;
}

Status pushdown_apply(const PushdownContext *context, LogicalPlan *plan, Error *err) {
    Carver self = {.context = context, .plan = plan, .err = err};
    return walk(&self, plan->root, &plan->root);
}
