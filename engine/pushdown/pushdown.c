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
            error_set(self->err, ERR_UNSUPPORTED, "column '%s' of %s.%s cannot be read: %s", column->name,
                      scan->table->table.schema, scan->table->table.name, column->unreadable);
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
        if (self->context->mode == TRIB_PUSHDOWN_OFF || !offer_expressible(e, piece->scan, &reason)) {
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
    const char *reason = self->context->mode == TRIB_PUSHDOWN_OFF ? "PushDown=off" : "filter not exact";
    if (self->context->mode == TRIB_PUSHDOWN_OFF || !all_offered(piece, draft)) {
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
    draft->offer = (TribOffer){.size = sizeof draft->offer, .mode = self->context->mode, .rows = -1};
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
    pushed->nparams = o->nvalues;
    pushed->params = o->values;
    pushed->taken = o->taken;
    pushed->rows = o->rows;
    pushed->keys = draft->key_verdicts;
    for (uint32_t i = 0; i < o->nconjuncts; i++) pushed->conjuncts[draft->position[i]].verdict = draft->verdicts[i];
    if (o->limit >= 0) {
        pushed->limit = o->limit_verdict;
        pushed->order = o->order_verdict;
    }
    return TRIB_OK;
}

/* The conjuncts that must still be checked here. */
static Status residual(Carver *self, const Piece *piece, const PushedScan *pushed, LogicalNode *scan, LogicalNode **out) {
    *out = scan;
    if (!piece->filter) return TRIB_OK;
    LogicalNode *filter;
    TRY_ALLOC(filter, logical_copy(self->plan->arena, piece->filter), self->err);
    TRY_ALLOC(filter->conjuncts, ARENA_ARRAY(self->plan->arena, Expr *, piece->filter->nconjuncts), self->err);
    filter->nconjuncts = 0;
    for (uint32_t i = 0; i < pushed->nconjuncts; i++) {
        if (pushed->conjuncts[i].verdict.kind == TRIB_EXACT) continue;
        filter->conjuncts[filter->nconjuncts++] = piece->filter->conjuncts[i];
    }
    filter->children[0] = scan;
    if (filter->nconjuncts) *out = filter;
    return TRIB_OK;
}

static Status carve(Carver *self, const Piece *piece, LogicalNode **out) {
    PushedScan *pushed;
    Draft draft = {0};
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
    TRY(residual(self, piece, pushed, scan, out));
    if (!piece->order) return TRIB_OK;
    LogicalNode *order;
    TRY_ALLOC(order, logical_copy(self->plan->arena, piece->order), self->err);
    order->children[0] = *out;
    *out = order;
    return TRIB_OK;
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
