/*
 * conform_offer.c - asks a connector for a piece of a table and gathers its answer.
 *
 * The offer lives in memory of its own that is overwritten and freed before the scan opens: a plan
 * that kept a pointer into it is found out.
 */
#include "tests/connectors/conform.h"

#include <stdlib.h>

typedef struct Flat {
    TribNode *nodes;
    uint32_t nnodes, node_capacity;
    TribValue *values;
    uint32_t nvalues, value_capacity;
} Flat;

static void *grown(void *memory, size_t bytes) {
    memory = realloc(memory, bytes);
    if (!memory) abort();
    return memory;
}

static uint32_t flat_room(Flat *flat, uint32_t count) {
    while (flat->nnodes + count > flat->node_capacity) {
        flat->node_capacity = flat->node_capacity ? flat->node_capacity * 2 : 32;
        flat->nodes = grown(flat->nodes, flat->node_capacity * sizeof *flat->nodes);
    }
    flat->nnodes += count;
    return flat->nnodes - count;
}

static uint32_t flat_value(Flat *flat, const TribValue *value) {
    if (flat->nvalues == flat->value_capacity) {
        flat->value_capacity = flat->value_capacity ? flat->value_capacity * 2 : 32;
        flat->values = grown(flat->values, flat->value_capacity * sizeof *flat->values);
    }
    TribValue *copy = &flat->values[flat->nvalues];
    *copy = *value;
    uint8_t id = value->type.id;
    bool text = id == TRIB_TYPE_VARCHAR || id == TRIB_TYPE_CHAR || id == TRIB_TYPE_VARBINARY ||
                id == TRIB_TYPE_JSON || id == TRIB_TYPE_UUID;
    if (text && !value->is_null) {
        char *data = grown(NULL, value->as.text.length + 1);
        memcpy(data, value->as.text.data, value->as.text.length);
        copy->as.text.data = data;
    }
    return flat->nvalues++;
}

static void flat_fill(Flat *flat, uint32_t at, const Expr *expr) {
    TribNode node = {
        .kind = (uint16_t)expr->kind, .op = expr->op, .type = expr->type, .count = expr->count};
    if (expr->kind == TRIB_NODE_COLUMN) node.ref = expr->column;
    if (expr->kind == TRIB_NODE_LITERAL) node.ref = flat_value(flat, &expr->value);
    if (expr->kind == TRIB_NODE_AGGREGATE) node.ref = expr->distinct;
    if (expr->count) node.first = flat_room(flat, expr->count);
    flat->nodes[at] = node;
    for (uint32_t i = 0; i < expr->count; i++) flat_fill(flat, node.first + i, expr->arguments[i]);
}

static uint32_t *flat_list(Flat *flat, Expr *const *list, uint32_t count) {
    uint32_t *nodes = grown(NULL, (count + 1) * sizeof *nodes);
    for (uint32_t i = 0; i < count; i++) {
        nodes[i] = flat_room(flat, 1);
        flat_fill(flat, nodes[i], list[i]);
    }
    return nodes;
}

static void spoil(void *memory, size_t bytes) {
    if (!memory) return;
    memset(memory, 0xaa, bytes);
    free(memory);
}

static void flat_spoil(Flat *flat) {
    for (uint32_t i = 0; i < flat->nvalues; i++) {
        uint8_t id = flat->values[i].type.id;
        bool text = id == TRIB_TYPE_VARCHAR || id == TRIB_TYPE_CHAR || id == TRIB_TYPE_VARBINARY ||
                    id == TRIB_TYPE_JSON || id == TRIB_TYPE_UUID;
        if (text && !flat->values[i].is_null) {
            spoil((char *)(uintptr_t)flat->values[i].as.text.data,
                  flat->values[i].as.text.length + 1);
        }
    }
    spoil(flat->values, flat->value_capacity * sizeof *flat->values);
    spoil(flat->nodes, flat->node_capacity * sizeof *flat->nodes);
}

TribStatus ask_plan(const Subject *subject, Arena *arena, const Ask *what, Answer *answer,
                    TribPlan **plan) {
    Flat flat = {0};
    memset(answer, 0, sizeof *answer);
    uint32_t *output = flat_list(&flat, what->outputs, what->noutput);
    uint32_t *conjuncts = flat_list(&flat, what->conjuncts, what->nconjuncts);
    uint32_t *groups = flat_list(&flat, what->groups, what->ngroups);
    uint32_t *order_nodes = flat_list(&flat, what->order, what->norder);
    TribOrder *order = grown(NULL, (what->norder + 1) * sizeof *order);
    for (uint32_t i = 0; i < what->norder; i++)
        order[i] = (TribOrder){order_nodes[i], what->descending, what->nulls_first};
    answer->verdicts = ARENA_ARRAY(arena, TribVerdict, what->nconjuncts + 1);
    answer->key_verdicts = ARENA_ARRAY(arena, TribVerdict, what->nkeys + 1);
    TribOffer offer = {.size = sizeof offer,
                       .mode = what->mode,
                       .nnodes = flat.nnodes,
                       .nodes = flat.nodes,
                       .nvalues = flat.nvalues,
                       .values = flat.values,
                       .ntables = 1,
                       .tables = &what->table,
                       .noutput = what->noutput,
                       .output = output,
                       .nconjuncts = what->nconjuncts,
                       .conjuncts = conjuncts,
                       .grouped = what->grouped,
                       .distinct = what->distinct,
                       .ngroups = what->ngroups,
                       .groups = groups,
                       .norder = what->norder,
                       .order = order,
                       .limit = what->limit,
                       .nkeys = what->nkeys,
                       .keys = what->keys,
                       .verdicts = answer->verdicts,
                       .key_verdicts = answer->key_verdicts,
                       .rows = -1};
    *plan = NULL;
    error_rubbish(&answer->err);
    answer->status = subject->connector->plan(subject->catalog, &subject->call->call, &offer, plan,
                                              &answer->err);
    if (answer->status != TRIB_OK) {
        error_check(&answer->err, answer->status, subject->catalog_name);
        CHECK(*plan == NULL, "plan failed and gave a plan");
    } else {
        answer->taken = offer.taken;
        answer->text = offer.text ? arena_strdup(arena, offer.text) : NULL;
        for (uint32_t i = 0; i < what->nconjuncts; i++) {
            CHECK(answer->verdicts[i].kind == TRIB_EXACT || answer->verdicts[i].reason[0],
                  "a verdict without a reason");
        }
    }
    flat_spoil(&flat);
    spoil(output, what->noutput * sizeof *output);
    spoil(conjuncts, what->nconjuncts * sizeof *conjuncts);
    spoil(groups, what->ngroups * sizeof *groups);
    spoil(order_nodes, what->norder * sizeof *order_nodes);
    spoil(order, what->norder * sizeof *order);
    return answer->status;
}

static TribStatus scan_split(const Subject *subject, const Ask *what, const TribPlan *plan,
                             const TribSplit *split, Answer *answer) {
    const TribConnector *connector = subject->connector;
    TribScanRequest request = {.size = sizeof request,
                               .plan = plan,
                               .split = split,
                               .filter = what->filter,
                               .batch_rows = 2048,
                               .batch_bytes = 1024 * 1024};
    uint32_t most = what->max_rows ? what->max_rows : 2048;
    struct ArrowSchema schema;
    TribScan *scan;
    error_rubbish(&answer->err);
    TribStatus status = connector->scan_open(subject->catalog, &subject->call->call, &request,
                                             &scan, &schema, &answer->err);
    if (status != TRIB_OK) {
        error_check(&answer->err, status, subject->catalog_name);
        return status;
    }
    CHECK(schema.release == NULL, "a schema for a layout that the suite takes as canonical");
    for (;;) {
        TribBatch batch;
        memset(&batch, 0x5a, sizeof batch);
        status = connector->scan_next(scan, most, &batch, &answer->err);
        if (status != TRIB_OK) {
            error_check(&answer->err, status, subject->catalog_name);
            break;
        }
        if (!batch.array.release) break;
        CHECK(batch.array.length <= most, "%lld rows instead of at most %u",
              (long long)batch.array.length, most);
        CHECK(batch.array.length > 0, "an empty batch that is not the end");
        rows_append(&answer->rows, &batch);
        batch.array.release(&batch.array);
    }
    TribStats stats = {.size = sizeof stats};
    connector->scan_stats(scan, &stats);
    connector->scan_release(scan);
    return status;
}

void ask(const Subject *subject, Arena *arena, const Ask *what, Answer *answer) {
    const TribConnector *connector = subject->connector;
    TribPlan *plan;
    TribType *types = ARENA_ARRAY(arena, TribType, what->noutput);
    for (uint32_t i = 0; i < what->noutput; i++) types[i] = what->outputs[i]->type;
    if (ask_plan(subject, arena, what, answer, &plan) != TRIB_OK) return;
    rows_init(&answer->rows, arena, what->noutput, types);
    const TribSplit *const *splits;
    uint32_t wanted = what->wanted ? what->wanted : 1;
    answer->status = connector->splits(plan, &subject->call->call, wanted, &splits,
                                       &answer->nsplits, &answer->err);
    if (answer->status == TRIB_OK) {
        CHECK(answer->nsplits <= wanted, "%u splits, wanted %u", answer->nsplits,
              wanted); /* 0: no rows */
    }
    for (uint32_t i = 0; answer->status == TRIB_OK && i < answer->nsplits; i++) {
        answer->status = scan_split(subject, what, plan, splits[i], answer);
    }
    connector->plan_release(plan);
}

static const char *copied(Arena *arena, const char *text) {
    return text ? arena_strdup(arena, text) : NULL;
}

TribTable *table_copy(Arena *arena, const TribTable *table) {
    TribTable *copy = ARENA_NEW(arena, TribTable);
    TribColumn *columns = ARENA_ARRAY(arena, TribColumn, table->ncolumns);
    TribKey *keys = ARENA_ARRAY(arena, TribKey, table->nkeys);
    *copy = *table;
    for (uint32_t i = 0; i < table->ncolumns; i++) {
        columns[i] = table->columns[i];
        columns[i].name = copied(arena, columns[i].name);
        columns[i].facts = copied(arena, columns[i].facts);
        columns[i].remote_type = copied(arena, columns[i].remote_type);
        columns[i].unreadable = copied(arena, columns[i].unreadable);
    }
    for (uint32_t k = 0; k < table->nkeys; k++) {
        keys[k] = table->keys[k];
        keys[k].name = copied(arena, keys[k].name);
        keys[k].columns = (const uint32_t *)arena_copy(arena, (const char *)keys[k].columns,
                                                       keys[k].ncolumns * sizeof(uint32_t));
    }
    copy->schema = copied(arena, table->schema);
    copy->name = copied(arena, table->name);
    copy->facts = copied(arena, table->facts);
    copy->columns = columns;
    copy->keys = keys;
    return copy;
}

Ask ask_all(Arena *arena, const TribTable *table) {
    Ask what = {.table = table, .mode = TRIB_PUSHDOWN_EXACT, .limit = -1};
    what.outputs = ARENA_ARRAY(arena, Expr *, table->ncolumns);
    for (uint32_t i = 0; i < table->ncolumns; i++) {
        if (!table->columns[i].unreadable)
            what.outputs[what.noutput++] = expr_column(arena, table, i);
    }
    return what;
}
