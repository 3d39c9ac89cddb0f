/*
 * plan.c - answers offers: which columns are read, which conditions choose files.
 *
 * Files evaluate nothing: a condition over partition columns, "$path" or "$file_size" is EXACT, any other
 * one NONE. A LIMIT is taken where every condition was EXACT: reading stops. No I/O.
 */
#include "connectors/lake/plan.h"

#include "connectors/lake/column_type.h"

#include <inttypes.h>

/* ---------------------------------------------------------------- columns */

static Status column_resolve(const TribOffer *offer, uint32_t index, PruneColumn *out,
                             FormatColumn *data, Error *err) {
    const TribColumn *column = &offer->tables[0]->columns[index];
    const char *name;
    int64_t position;
    TRY(column_facts_read(column, &out->kind, &position, &name, err));
    out->type = column->type;
    out->partition = out->kind == COLUMN_PARTITION ? (uint32_t)position : 0;
    *data = (FormatColumn){.name = name, .position = position, .type = column->type};
    return TRIB_OK;
}

static Status columns_resolve(TribPlan *plan, const TribOffer *offer, Error *err) {
    const TribTable *table = offer->tables[0];
    PruneColumn *columns;
    TRY_ALLOC(columns, ARENA_ARRAY(plan->arena, PruneColumn, table->ncolumns), err);
    for (uint32_t i = 0; i < table->ncolumns; i++) {
        FormatColumn data;
        TRY(column_resolve(offer, i, &columns[i], &data, err));
        if (columns[i].kind == COLUMN_PARTITION && columns[i].partition >= plan->npartitions)
            return error_set(err, ERR_GENERAL, "the cached description of \"%s\" is damaged",
                             table->name);
    }
    plan->prune.columns = columns;
    plan->prune.ncolumns = table->ncolumns;
    return TRIB_OK;
}

static Status output_add(TribPlan *plan, const TribOffer *offer, uint32_t index, Error *err) {
    const TribNode *node = &offer->nodes[offer->output[index]];
    PlanOutput *output = &plan->outputs[index];
    FormatColumn data;
    if (node->kind != TRIB_NODE_COLUMN || node->first != 0 ||
        node->ref >= offer->tables[0]->ncolumns)
        return error_set(err, ERR_UNSUPPORTED, "outputs must be plain columns");
    TRY(column_resolve(offer, node->ref, &output->column, &data, err));
    plan->types[index] = output->column.type;
    if (output->column.kind != COLUMN_DATA) return TRIB_OK;
    TRY_ALLOC(data.name, arena_strdup(plan->arena, data.name), err);
    data.output = index;
    data.kernel = convert_kernel(data.type);
    if (!data.kernel && !(column_type_nested(data.type) && plan->shape.format == FORMAT_JSON))
        return error_set(err, ERR_UNSUPPORTED, "column \"%s\": files do not hold its type",
                         data.name);
    output->data = plan->ndata;
    plan->data[plan->ndata++] = data;
    return TRIB_OK;
}

static Status outputs_add(TribPlan *plan, const TribOffer *offer, Error *err) {
    plan->noutput = offer->noutput;
    TRY_ALLOC(plan->outputs, ARENA_ARRAY(plan->arena, PlanOutput, offer->noutput), err);
    TRY_ALLOC(plan->types, ARENA_ARRAY(plan->arena, TribType, offer->noutput), err);
    TRY_ALLOC(plan->data, ARENA_ARRAY(plan->arena, FormatColumn, offer->noutput), err);
    for (uint32_t i = 0; i < offer->noutput; i++) TRY(output_add(plan, offer, i, err));
    return TRIB_OK;
}

/* ---------------------------------------------------------------- the answer */

static void verdict_none(TribVerdict *verdict, const char *reason) {
    verdict->kind = TRIB_NONE;
    text_format(verdict->reason, sizeof verdict->reason, "%s", reason);
}

static bool conjuncts_take(TribPlan *plan, TribOffer *offer) {
    bool exact = true;
    for (uint32_t i = 0; i < offer->nconjuncts; i++) {
        const char *reason = offer->mode == TRIB_PUSHDOWN_OFF
                                 ? "push-down is off"
                                 : prune_refuses(&plan->prune, offer, offer->conjuncts[i]);
        if (reason) {
            verdict_none(&offer->verdicts[i], reason);
            exact = false;
            continue;
        }
        offer->verdicts[i] = (TribVerdict){TRIB_EXACT, ""};
        plan->prune.conjuncts[plan->prune.nconjuncts++] = offer->conjuncts[i];
    }
    return exact;
}

static void limit_take(TribPlan *plan, TribOffer *offer, bool exact) {
    bool takes = offer->limit >= 0 && exact && !offer->norder && !offer->distinct &&
                 offer->mode != TRIB_PUSHDOWN_OFF;
    plan->limit = takes ? offer->limit : -1;
    offer->taken = takes ? TRIB_TAKEN_LIMIT : 0;
    verdict_none(&offer->order_verdict, "files are sorted here");
    verdict_none(&offer->grouping_verdict, "files are grouped here");
    if (takes)
        offer->limit_verdict = (TribVerdict){TRIB_EXACT, ""};
    else
        verdict_none(&offer->limit_verdict,
                     exact ? "rows are sorted first" : "the filter is not exact");
}

static void keys_take(const TribPlan *plan, TribOffer *offer) {
    for (uint32_t i = 0; i < offer->nkeys && offer->key_verdicts; i++) {
        const PruneColumn *column = &plan->outputs[offer->keys[i]].column;
        if (column->kind == COLUMN_PARTITION && offer->mode != TRIB_PUSHDOWN_OFF)
            offer->key_verdicts[i] = (TribVerdict){TRIB_SUPERSET, "chooses files"};
        else
            verdict_none(&offer->key_verdicts[i], "the file must be read for it");
    }
}

static Status plan_text(TribPlan *plan, const TribOffer *offer, Error *err) {
    Buf text;
    buf_init(&text, plan->arena, 1024 * 1024);
    buf_printf(&text, "%s files %s%s", format_of(plan->shape.format)->name,
               plan->def->store->scheme, plan->def->path);
    buf_printf(&text, ", columns");
    for (uint32_t i = 0; i < plan->ndata; i++)
        buf_printf(&text, "%s%s", i ? ", " : " ", plan->data[i].name);
    if (!plan->ndata) buf_text(&text, " none");
    if (plan->prune.nconjuncts)
        buf_printf(&text, ", files chosen by %u condition%s", plan->prune.nconjuncts,
                   plan->prune.nconjuncts > 1 ? "s" : "");
    if (plan->limit >= 0) buf_printf(&text, ", first %" PRId64 " rows", plan->limit);
    TRY(buf_status(&text, err));
    plan->text = text.data;
    return TRIB_OK;
}

static Status plan_fill(TribPlan *plan, TribOffer *offer, Error *err) {
    if (offer->ntables != 1 || offer->njoins || offer->grouped)
        return error_set(err, ERR_UNSUPPORTED, "only one table at a time, without grouping");
    TRY(facts_read(plan->catalog, plan->arena, offer->tables[0], &plan->def, &plan->shape,
                   &plan->npartitions, &plan->partitions, err));
    TRY(columns_resolve(plan, offer, err));
    TRY(outputs_add(plan, offer, err));
    TRY(prune_begin(&plan->prune, plan->arena, offer, err));
    bool exact = conjuncts_take(plan, offer);
    limit_take(plan, offer, exact);
    keys_take(plan, offer);
    TRY(plan_text(plan, offer, err));
    offer->text = plan->text;
    offer->note = NULL;
    offer->rows = offer->tables[0]->rows;
    return TRIB_OK;
}

TribStatus lake_plan(TribCatalog *catalog, TribCall *call, TribOffer *offer, TribPlan **out,
                     TribError *err) {
    Arena *arena;
    *out = NULL;
    TRY_ALLOC(arena, arena_new(NULL), err);
    TribPlan *plan = ARENA_NEW(arena, TribPlan);
    if (!plan) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    plan->arena = arena;
    plan->catalog = catalog;
    atomic_init(&plan->refs, 1);
    pthread_mutex_init(&plan->lock, NULL);
    Status status = plan_fill(plan, offer, err);
    if (status != TRIB_OK) {
        lake_plan_release(plan);
        return error_source(err, catalog->name);
    }
    *out = plan;
    return TRIB_OK;
}

void lake_plan_retain(TribPlan *plan) {
    atomic_fetch_add_explicit(&plan->refs, 1, memory_order_relaxed);
}

void lake_plan_release(TribPlan *plan) {
    if (atomic_fetch_sub_explicit(&plan->refs, 1, memory_order_acq_rel) != 1) return;
    while (plan->lists) {
        SplitList *next = plan->lists->next;
        split_list_free(plan->lists);
        plan->lists = next;
    }
    pthread_mutex_destroy(&plan->lock);
    arena_free(plan->arena);
}
