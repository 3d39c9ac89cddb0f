/*
 * modify.c - UPDATE and DELETE as a whole: offers them to the source of their target.
 *
 * Looked for is WRITE over PROJECT over FILTER over the target's SCAN, before the scan's own piece is carved.
 * If every condition and every new value can be expressed (new values may raise, conditions not) and the source says
 * EXACT, the node keeps the request, and no row is read. Else it keeps the reason, and rows are read and written by their key.
 */
#include "engine/pushdown/modify.h"

#include "engine/pushdown/offer.h"

typedef struct Change {
    const PushdownContext *context;
    LogicalPlan *plan;
    LogicalNode *write;
    const LogicalNode *project, *filter, *scan; /* project and filter may be NULL */
    OfferBuilder builder;
    TribModify *request;
    const char *reason; /* NULL = can be asked */
    Error *err;
} Change;

/* Follows the plan down from the target's WRITE; false: rows come from more than the target's table. */
static bool change_shape(Change *self) {
    const LogicalNode *node = self->write->children[0];
    if (node->kind == LOGICAL_PROJECT) {
        self->project = node;
        node = node->children[0];
    }
    if (node->kind == LOGICAL_FILTER) {
        self->filter = node;
        node = node->children[0];
    }
    self->scan = node;
    return node->kind == LOGICAL_SCAN;
}

/* A condition that is never true: the rows are none, and need no key to be found again by. */
static bool no_rows(const LogicalNode *write) {
    const LogicalNode *node = write->children[0];
    if (node->kind == LOGICAL_PROJECT) node = node->children[0];
    return node->kind == LOGICAL_VALUES && node->nrows == 0;
}

/* What column `index` of the rows is. */
static Status change_value(Change *self, uint32_t index, const Expr **out) {
    ColumnId id = self->write->children[0]->output[index];
    if (self->project) {
        *out = self->project->exprs[index];
        return TRIB_OK;
    }
    Expr *e;
    const PlanColumn *column = plan_column(&self->plan->columns, id);
    TRY_ALLOC(e, expr_column(self->plan->arena, id, column->type), self->err);
    *out = e;
    return TRIB_OK;
}

/* A constant text that is longer than the column takes: the engine says so when it writes, the source might
 * cut it. Of what it computes itself the connector has to know that it does not. */
static bool fits(const Expr *e, Type type) {
    if (!type_is_text(type) || type.length == 0 || e->kind != EXPR_CONSTANT) return true;
    return e->as.value.is_null ||
           utf8_length(e->as.value.as.text.data, e->as.value.as.text.length) <= type.length;
}

static Status change_conditions(Change *self) {
    uint32_t *nodes, n = self->filter ? self->filter->nconjuncts : 0;
    TRY_ALLOC(nodes, ARENA_ARRAY(self->plan->arena, uint32_t, n), self->err);
    for (uint32_t i = 0; i < n && !self->reason; i++) {
        const Expr *e = self->filter->conjuncts[i];
        const char *why;
        if (!offer_expressible(e, self->scan, &why))
            self->reason = why;
        else
            TRY(offer_add(&self->builder, e, &nodes[i], self->err));
    }
    self->request->nconjuncts = n;
    self->request->conjuncts = nodes;
    return TRIB_OK;
}

static Status change_assignments(Change *self) {
    const LogicalNode *write = self->write;
    uint32_t n = write->nwrite_columns - write->nwrite_keys;
    TribAssignment *list;
    TRY_ALLOC(list, ARENA_ARRAY(self->plan->arena, TribAssignment, n), self->err);
    for (uint32_t i = 0; i < n && !self->reason; i++) {
        const Expr *e;
        const char *why;
        list[i].column = write->write_columns[write->nwrite_keys + i];
        TRY(change_value(self, write->nwrite_keys + i, &e));
        if (!offer_assignable(e, self->scan, &why))
            self->reason = why;
        else if (!fits(e, write->write_table->columns[list[i].column].type))
            self->reason = "the length of a text must be checked";
        else
            TRY(offer_add(&self->builder, e, &list[i].node, self->err));
    }
    self->request->nassignments = n;
    self->request->assignments = list;
    return TRIB_OK;
}

typedef struct Sent {
    Arena *arena;
    const char *text;
} Sent;

static void keep_text(void *context, const char *text) {
    Sent *self = context;
    self->text = arena_strdup(self->arena, text);
}

static Status change_ask(Change *self) {
    TribModify *request = self->request;
    Sent sent = {.arena = self->plan->arena};
    Source *source;
    TRY(catalog_source(self->write->write_catalog, &source, self->err));
    request->nnodes = self->builder.nnodes;
    request->nodes = self->builder.nodes;
    request->nvalues = self->builder.nvalues;
    request->values = self->builder.values;
    request->plan_only = true;
    request->explain = (TribExplain){&sent, keep_text};
    TRY(source_modify(source, &self->context->call, request, self->err));
    request->plan_only = false;
    request->explain = (TribExplain){0};
    if (request->verdict.kind == TRIB_EXACT) {
        self->write->modify = request;
        self->write->modify_text = sent.text;
        return TRIB_OK;
    }
    TRY_ALLOC(self->reason, arena_strdup(self->plan->arena, request->verdict.reason), self->err);
    return TRIB_OK;
}

Status pushdown_modify(const PushdownContext *context, LogicalPlan *plan, LogicalNode *write,
                       Error *err) {
    Change self = {.context = context, .plan = plan, .write = write, .err = err};
    TRY_ALLOC(self.request, ARENA_NEW(plan->arena, TribModify), err);
    *self.request = (TribModify){.size = sizeof(TribModify), .table = write->write_table};
    /* Without a key there is no other way. */
    if (context->mode == TRIB_PUSHDOWN_OFF && write->nwrite_keys > 0)
        self.reason = "PushDown=off";
    else if (!change_shape(&self))
        self.reason = "the rows depend on more than the table itself";
    self.builder = (OfferBuilder){.arena = plan->arena, .scan = self.scan};
    if (!self.reason) TRY(change_conditions(&self));
    if (!self.reason && write->write == TRIB_WRITE_UPDATE) TRY(change_assignments(&self));
    if (!self.reason) TRY(change_ask(&self));
    write->modify_reason = self.reason;
    if (!self.reason || write->nwrite_keys > 0 || no_rows(write)) return TRIB_OK;
    const TribTable *table = write->write_table;
    error_set(
        err, ERR_UNSUPPORTED,
        "the rows of %s.%s cannot be changed: the table has no key to find them again by, and the "
        "source cannot do it alone (%s)",
        table->schema, table->name, self.reason);
    return error_source(err, catalog_name(write->write_catalog));
}
