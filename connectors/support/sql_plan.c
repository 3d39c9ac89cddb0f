/*
 * sql_plan.c - from an offer to one SELECT: conditions, grouping, order and limit by the rules of
 * docs/pushdown.md, and the joining of its parts when the scan opens.
 *
 * Order of work: WHERE (every conjunct gets its verdict), then the select list, then what may stand
 * above the filter: grouping, DISTINCT, ORDER BY with LIMIT, LIMIT - each only if everything below it
 * is exact and was taken. ORDER BY without a LIMIT is not taken: a sort here costs no more than there.
 * No state; memory on the caller's arena.
 */
#include "connectors/support/sql_render.h"

#include <inttypes.h>

static void verdict_store(TribVerdict *out, SqlVerdict verdict) {
    out->kind = verdict.kind;
    out->reason[0] = '\0';
    if (verdict.kind == TRIB_EXACT || !verdict.reason) return;
    size_t length = utf8_cut(verdict.reason, strlen(verdict.reason), sizeof out->reason - 1);
    memcpy(out->reason, verdict.reason, length);
    out->reason[length] = '\0';
}

static SqlVerdict verdict_of(TribVerdictKind kind, const char *reason) {
    return (SqlVerdict){kind, reason};
}

/* ---------------------------------------------------------------- WHERE */

static Status plan_where(SqlWriter *writer, TribOffer *offer, SqlSelect *out, Error *err) {
    out->exact = true;
    bool any = false;
    for (uint32_t i = 0; i < offer->nconjuncts; i++) {
        SqlVerdict verdict = verdict_of(TRIB_NONE, "push-down is off");
        if (offer->mode != TRIB_PUSHDOWN_OFF) {
            SqlMark mark = sql_mark(writer);
            if (any) buf_text(&writer->text, " AND ");
            size_t start = writer->text.len;
            verdict = sql_condition(writer, offer->conjuncts[i], false);
            if (verdict.kind == TRIB_NONE || writer->text.len == start)
                sql_undo(writer, mark);
            else
                any = true;
        }
        TRY(writer->failed);
        verdict_store(&offer->verdicts[i], verdict);
        if (verdict.kind != TRIB_EXACT) out->exact = false;
    }
    return sql_take(writer, &out->where);
}

/* ---------------------------------------------------------------- the select list */

static Status output_describe(SqlWriter *writer, uint32_t node, SqlOutput *out, Error *err) {
    const TribNode *of = &writer->render.offer->nodes[node];
    *out = (SqlOutput){.type = of->type, .column = UINT32_MAX};
    if (of->kind != TRIB_NODE_COLUMN) return TRIB_OK;
    const TribTable *table = writer->render.offer->tables[of->first];
    const TribColumn *column = &table->columns[of->ref];
    if (column->unreadable) {
        error_set(err, ERR_UNSUPPORTED, "column \"%s\".\"%s\" cannot be read: %s", table->name,
                  column->name, column->unreadable);
        return error_hint(err, "leave the column out of the query");
    }
    out->column = of->ref;
    TRY_ALLOC(out->name, arena_strdup(writer->render.arena, column->name), err);
    if (column->facts)
        TRY_ALLOC(out->facts, arena_strdup(writer->render.arena, column->facts), err);
    if (column->remote_type)
        TRY_ALLOC(out->declared, arena_strdup(writer->render.arena, column->remote_type), err);
    return TRIB_OK;
}

static Status plan_outputs(SqlWriter *writer, const TribOffer *offer, SqlSelect *out, Error *err) {
    bool grouped = out->taken & TRIB_TAKEN_GROUPING;
    out->noutput = offer->noutput;
    TRY_ALLOC(out->outputs, ARENA_ARRAY(writer->render.arena, SqlOutput, offer->noutput), err);
    buf_text(&writer->text, "SELECT ");
    for (uint32_t i = 0; i < offer->noutput; i++) {
        uint32_t node = offer->output[i];
        const TribNode *of = &offer->nodes[node];
        TRY(output_describe(writer, node, &out->outputs[i], err));
        if (i) buf_text(&writer->text, ", ");
        SqlVerdict verdict;
        if (of->kind == TRIB_NODE_COLUMN)
            verdict = sql_output_column(writer, node);
        else if (grouped)
            verdict = sql_operand(writer, node, SQL_OP_GROUP);
        else
            verdict = verdict_of(TRIB_NONE, "an output is not a plain column");
        TRY(writer->failed);
        if (verdict.kind != TRIB_EXACT) {
            return error_set(err, ERR_UNSUPPORTED, "%s",
                             verdict.reason ? verdict.reason : "an output has no rule");
        }
    }
    const SqlDialect *dialect = writer->render.dialect;
    const TribTable *table = offer->tables[0];
    if (offer->noutput == 0) buf_text(&writer->text, "1");
    if (dialect->extra && !(out->taken & (TRIB_TAKEN_GROUPING | TRIB_TAKEN_DISTINCT))) {
        size_t before = writer->text.len;
        dialect->extra(writer->render.context, &writer->text, table);
        out->has_extra = writer->text.len > before;
    }
    buf_text(&writer->text, " FROM ");
    if (dialect->table) {
        dialect->table(writer->render.context, &writer->text, table);
    } else {
        dialect->quote(&writer->text, str_from(table->schema));
        buf_char(&writer->text, '.');
        dialect->quote(&writer->text, str_from(table->name));
    }
    return sql_take(writer, &out->head);
}

/* ---------------------------------------------------------------- above the filter */

static const char *const REASON_FILTER = "the filter is not exact";

/* Are all group keys and aggregates renderable? Nothing stays written. */
static SqlVerdict grouping_verdict(SqlWriter *writer, const TribOffer *offer,
                                   const SqlSelect *out) {
    SqlMark mark = sql_mark(writer);
    SqlVerdict verdict = verdict_of(TRIB_EXACT, NULL);
    if (offer->mode == TRIB_PUSHDOWN_OFF) return verdict_of(TRIB_NONE, "push-down is off");
    if (!out->exact) return verdict_of(TRIB_NONE, REASON_FILTER);
    for (uint32_t i = 0; i < offer->ngroups && verdict.kind == TRIB_EXACT; i++) {
        verdict = sql_operand(writer, offer->groups[i], SQL_OP_GROUP);
    }
    for (uint32_t i = 0; i < offer->noutput && verdict.kind == TRIB_EXACT; i++) {
        verdict = sql_operand(writer, offer->output[i], SQL_OP_GROUP);
    }
    sql_undo(writer, mark);
    if (verdict.kind != TRIB_EXACT) verdict.kind = TRIB_NONE;
    return verdict;
}

static bool among_outputs(const TribOffer *offer, const TribNode *key) {
    for (uint32_t i = 0; i < offer->noutput; i++) {
        const TribNode *of = &offer->nodes[offer->output[i]];
        if (of->kind == TRIB_NODE_COLUMN && key->kind == TRIB_NODE_COLUMN &&
            of->first == key->first && of->ref == key->ref)
            return true;
    }
    return false;
}

/*
 * DISTINCT goes as grouping by all outputs, in the form that groups exactly: the source's own DISTINCT
 * follows its collations. Above a grouping it is taken only where it changes nothing.
 */
static SqlVerdict distinct_verdict(SqlWriter *writer, const TribOffer *offer,
                                   const SqlSelect *out) {
    if (offer->noutput == 0) return verdict_of(TRIB_NONE, "DISTINCT of nothing");
    for (uint32_t i = 0; i < offer->ngroups && offer->grouped; i++) {
        if (!among_outputs(offer, &offer->nodes[offer->groups[i]]))
            return verdict_of(TRIB_NONE, "DISTINCT above a grouping stays here");
    }
    if (offer->grouped) return verdict_of(TRIB_EXACT, NULL);
    return grouping_verdict(
        writer,
        &(TribOffer){.mode = offer->mode, .noutput = offer->noutput, .output = offer->output}, out);
}

/* One sort key with its NULLs placed; NONE: nothing stays written. */
static SqlVerdict write_order_key(SqlWriter *writer, const TribOrder *order) {
    const SqlDialect *dialect = writer->render.dialect;
    const TribColumn *column =
        sql_column(&writer->render, &writer->render.offer->nodes[order->node]);
    SqlMark mark = sql_mark(writer);
    bool natural_first = !order->descending; /* where NULL is smallest */
    bool place = !column || column->nullable;
    if (place && dialect->nulls == SQL_NULLS_SMALLEST && natural_first != order->nulls_first) {
        SqlVerdict verdict = sql_operand(writer, order->node, SQL_OP_ORDER);
        if (verdict.kind != TRIB_EXACT) return verdict;
        buf_text(&writer->text, order->nulls_first ? " IS NULL DESC, " : " IS NULL, ");
    }
    SqlVerdict verdict = sql_operand(writer, order->node, SQL_OP_ORDER);
    if (verdict.kind != TRIB_EXACT) {
        sql_undo(writer, mark);
        return verdict;
    }
    if (order->descending) buf_text(&writer->text, " DESC");
    if (place && dialect->nulls == SQL_NULLS_CLAUSE) {
        buf_text(&writer->text, order->nulls_first ? " NULLS FIRST" : " NULLS LAST");
    }
    return verdict;
}

static SqlVerdict write_order(SqlWriter *writer, const TribOffer *offer) {
    SqlMark mark = sql_mark(writer);
    buf_text(&writer->text, " ORDER BY ");
    for (uint32_t i = 0; i < offer->norder; i++) {
        if (i) buf_text(&writer->text, ", ");
        SqlVerdict verdict = write_order_key(writer, &offer->order[i]);
        if (verdict.kind != TRIB_EXACT || !sql_fits(writer)) {
            sql_undo(writer, mark);
            return verdict_of(TRIB_NONE,
                              verdict.reason ? verdict.reason : "a sort key has no rule");
        }
    }
    return verdict_of(TRIB_EXACT, NULL);
}

static SqlVerdict order_verdict(SqlWriter *writer, const TribOffer *offer, const SqlSelect *out) {
    if (offer->mode == TRIB_PUSHDOWN_OFF) return verdict_of(TRIB_NONE, "push-down is off");
    if (offer->limit < 0) return verdict_of(TRIB_NONE, "no limit above it: sorted here");
    if (!out->exact) return verdict_of(TRIB_NONE, REASON_FILTER);
    if (offer->grouped && !(out->taken & TRIB_TAKEN_GROUPING))
        return verdict_of(TRIB_NONE, "the grouping stays here");
    if (offer->distinct && !(out->taken & TRIB_TAKEN_DISTINCT))
        return verdict_of(TRIB_NONE, "DISTINCT stays here");
    return write_order(writer, offer);
}

static SqlVerdict limit_verdict(const TribOffer *offer, const SqlSelect *out) {
    if (offer->mode == TRIB_PUSHDOWN_OFF) return verdict_of(TRIB_NONE, "push-down is off");
    if (!out->exact) return verdict_of(TRIB_NONE, REASON_FILTER);
    if (offer->norder && !(out->taken & TRIB_TAKEN_ORDER))
        return verdict_of(TRIB_NONE, "the order stays here");
    if (offer->grouped && !(out->taken & TRIB_TAKEN_GROUPING))
        return verdict_of(TRIB_NONE, "the grouping stays here");
    if (offer->distinct && !(out->taken & TRIB_TAKEN_DISTINCT))
        return verdict_of(TRIB_NONE, "DISTINCT stays here");
    return verdict_of(TRIB_EXACT, NULL);
}

static Status plan_grouping(SqlWriter *writer, TribOffer *offer, SqlSelect *out, Error *err) {
    if (offer->grouped) {
        SqlVerdict verdict = grouping_verdict(writer, offer, out);
        TRY(writer->failed);
        verdict_store(&offer->grouping_verdict, verdict);
        if (verdict.kind != TRIB_EXACT) {
            return error_set(err, ERR_UNSUPPORTED, "the grouping stays here: %s",
                             verdict.reason ? verdict.reason : "an expression has no rule");
        }
        out->taken |= TRIB_TAKEN_GROUPING;
    }
    if (offer->distinct && (!offer->grouped || (out->taken & TRIB_TAKEN_GROUPING))) {
        SqlVerdict verdict = distinct_verdict(writer, offer, out);
        TRY(writer->failed);
        if (!offer->grouped) verdict_store(&offer->grouping_verdict, verdict);
        if (verdict.kind == TRIB_EXACT) out->taken |= TRIB_TAKEN_DISTINCT;
    }
    return TRIB_OK;
}

static Status plan_tail(SqlWriter *writer, TribOffer *offer, SqlSelect *out) {
    bool distinct = (out->taken & TRIB_TAKEN_DISTINCT) && !offer->grouped;
    uint32_t nkeys = distinct ? offer->noutput : offer->ngroups;
    if ((distinct || (out->taken & TRIB_TAKEN_GROUPING)) && nkeys) {
        const uint32_t *keys = distinct ? offer->output : offer->groups;
        buf_text(&writer->text, " GROUP BY ");
        for (uint32_t i = 0; i < nkeys; i++) {
            if (i) buf_text(&writer->text, ", ");
            sql_operand(writer, keys[i], SQL_OP_GROUP);
        }
    }
    if (offer->norder) {
        SqlVerdict verdict = order_verdict(writer, offer, out);
        TRY(writer->failed);
        verdict_store(&offer->order_verdict, verdict);
        if (verdict.kind == TRIB_EXACT) out->taken |= TRIB_TAKEN_ORDER;
    }
    if (offer->limit >= 0) {
        SqlVerdict verdict = limit_verdict(offer, out);
        verdict_store(&offer->limit_verdict, verdict);
        if (verdict.kind == TRIB_EXACT) {
            out->taken |= TRIB_TAKEN_LIMIT;
            buf_printf(&writer->text, " LIMIT %" PRId64, offer->limit);
        }
    }
    return sql_take(writer, &out->tail);
}

/* ---------------------------------------------------------------- runtime-filter keys */

/* A table of that one column, so that the filter can be rendered when the offer is long gone. */
static Status key_keep(Arena *arena, const TribTable *table, const TribColumn *column,
                       const TribTable **out, Error *err) {
    TribTable *copy;
    TribColumn *kept;
    TRY_ALLOC(copy, ARENA_NEW(arena, TribTable), err);
    TRY_ALLOC(kept, ARENA_NEW(arena, TribColumn), err);
    *copy = (TribTable){.size = sizeof *copy,
                        .kind = table->kind,
                        .ncolumns = 1,
                        .columns = kept,
                        .rows = table->rows};
    *kept = (TribColumn){
        .type = column->type, .nullable = column->nullable, .distinct = -1, .null_fraction = -1};
    TRY_ALLOC(copy->schema, arena_strdup(arena, table->schema ? table->schema : ""), err);
    TRY_ALLOC(copy->name, arena_strdup(arena, table->name), err);
    TRY_ALLOC(kept->name, arena_strdup(arena, column->name), err);
    if (table->facts) TRY_ALLOC(copy->facts, arena_strdup(arena, table->facts), err);
    if (column->facts) TRY_ALLOC(kept->facts, arena_strdup(arena, column->facts), err);
    if (column->remote_type)
        TRY_ALLOC(kept->remote_type, arena_strdup(arena, column->remote_type), err);
    *out = copy;
    return TRIB_OK;
}

static Status plan_keys(SqlWriter *writer, TribOffer *offer, SqlSelect *out, Error *err) {
    out->nkeys = offer->nkeys;
    TRY_ALLOC(out->keys, ARENA_ARRAY(writer->render.arena, SqlKey, offer->nkeys), err);
    for (uint32_t i = 0; i < offer->nkeys; i++) {
        const TribNode *node = &offer->nodes[offer->output[offer->keys[i]]];
        SqlVerdict verdict = verdict_of(TRIB_NONE, "not a plain column");
        out->keys[i].output = offer->keys[i];
        /* Above a limit or a grouping a filter on the rows would change the answer. */
        if (offer->mode == TRIB_PUSHDOWN_OFF)
            verdict.reason = "push-down is off";
        else if (out->taken & (TRIB_TAKEN_LIMIT | TRIB_TAKEN_GROUPING))
            verdict.reason = "below a limit or grouping";
        else if (node->kind == TRIB_NODE_COLUMN)
            verdict = sql_capability(writer, node, TRIB_FN_in);
        TRY(writer->failed);
        if (offer->key_verdicts) verdict_store(&offer->key_verdicts[i], verdict);
        if (verdict.kind == TRIB_NONE) continue;
        const TribTable *table = offer->tables[node->first];
        TRY(key_keep(writer->render.arena, table, &table->columns[node->ref], &out->keys[i].table,
                     err));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- the plan */

static void offer_clear(TribOffer *offer) {
    offer->taken = 0;
    offer->text = offer->note = NULL;
    offer->rows = -1;
    memset(&offer->joins_verdict, 0, sizeof offer->joins_verdict);
    memset(&offer->grouping_verdict, 0, sizeof offer->grouping_verdict);
    memset(&offer->order_verdict, 0, sizeof offer->order_verdict);
    memset(&offer->limit_verdict, 0, sizeof offer->limit_verdict);
}

Status sql_plan(const SqlDialect *dialect, const void *context, Arena *arena, TribOffer *offer,
                SqlSelect *out, Error *err) {
    SqlWriter writer;
    memset(out, 0, sizeof *out);
    offer_clear(offer);
    if (offer->ntables != 1 || offer->njoins) {
        verdict_store(&offer->joins_verdict,
                      verdict_of(TRIB_NONE, "joins are not taken by this source"));
        return error_set(err, ERR_UNSUPPORTED, "joins are not taken by this source");
    }
    TRY(sql_writer_init(&writer, dialect, context, arena, offer, err));
    TRY(plan_where(&writer, offer, out, err));
    TRY(plan_grouping(&writer, offer, out, err));
    TRY(plan_outputs(&writer, offer, out, err));
    TRY(plan_tail(&writer, offer, out));
    TRY(plan_keys(&writer, offer, out, err));
    offer->taken = out->taken;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- joining the parts */

void sql_fragment_add(Buf *text, SqlParam *params, uint32_t *nparams, const SqlFragment *part) {
    for (uint32_t i = 0; i < part->nparams; i++) {
        params[*nparams] = part->params[i];
        params[(*nparams)++].at += text->len;
    }
    buf_add(text, part->text, part->len);
}

Status sql_select_join(Arena *arena, const SqlSelect *select, const SqlFragment *extra,
                       uint32_t nextra, SqlFragment *out, Error *err) {
    Buf text;
    SqlParam *params;
    uint32_t nparams = 0,
             total = select->head.nparams + select->where.nparams + select->tail.nparams;
    for (uint32_t i = 0; i < nextra; i++) total += extra[i].nparams;
    TRY_ALLOC(params, ARENA_ARRAY(arena, SqlParam, total), err);
    buf_init(&text, arena, SIZE_MAX / 2);
    sql_fragment_add(&text, params, &nparams, &select->head);
    const char *word = " WHERE ";
    if (select->where.len) {
        buf_text(&text, word);
        sql_fragment_add(&text, params, &nparams, &select->where);
        word = " AND ";
    }
    for (uint32_t i = 0; i < nextra; i++) {
        if (!extra[i].len) continue;
        buf_text(&text, word);
        buf_char(&text, '(');
        sql_fragment_add(&text, params, &nparams, &extra[i]);
        buf_char(&text, ')');
        word = " AND ";
    }
    sql_fragment_add(&text, params, &nparams, &select->tail);
    TRY(buf_status(&text, err));
    *out = (SqlFragment){text.data, text.len, nparams, params};
    return TRIB_OK;
}

/* ---------------------------------------------------------------- runtime filters */

enum {
    FILTER_COLUMN,
    FILTER_CALL,
    FILTER_FIRST
}; /* node positions: column, call, then [column, values] */

/* A little offer of its own: one table of one column, one call over it and some values. */
static Status filter_call(const SqlDialect *dialect, const void *context, Arena *arena,
                          const TribTable *table, uint16_t op, const TribValue *values,
                          uint32_t nvalues, SqlFragment *out, Error *err) {
    TribNode *nodes;
    SqlWriter writer;
    memset(out, 0, sizeof *out);
    TRY_ALLOC(nodes, ARENA_ARRAY(arena, TribNode, (size_t)nvalues + FILTER_FIRST + 1), err);
    TribNode column = {.kind = TRIB_NODE_COLUMN, .type = table->columns[0].type};
    nodes[FILTER_COLUMN] = nodes[FILTER_FIRST] = column;
    nodes[FILTER_CALL] = (TribNode){.kind = TRIB_NODE_CALL,
                                    .op = op,
                                    .type = {.id = TRIB_TYPE_BOOLEAN},
                                    .first = FILTER_FIRST,
                                    .count = nvalues + 1};
    for (uint32_t i = 0; i < nvalues; i++) {
        nodes[FILTER_FIRST + 1 + i] =
            (TribNode){.kind = TRIB_NODE_LITERAL, .type = values[i].type, .ref = i};
    }
    TribOffer offer = {.size = sizeof offer,
                       .mode = TRIB_PUSHDOWN_EXACT,
                       .nnodes = nvalues + FILTER_FIRST + 1,
                       .nodes = nodes,
                       .nvalues = nvalues,
                       .values = values,
                       .ntables = 1,
                       .tables = &table,
                       .limit = -1};
    TRY(sql_writer_init(&writer, dialect, context, arena, &offer, err));
    SqlVerdict verdict = sql_condition(&writer, FILTER_CALL, false);
    TRY(writer.failed);
    if (verdict.kind == TRIB_NONE) return TRIB_OK;
    return sql_take(&writer, out);
}

/* How many values of an IN list are bound per value given: templates may bind each more than once. */
static uint32_t binds_per_value(const SqlDialect *dialect) {
    uint32_t most = 1;
    for (uint32_t i = 0; i < dialect->nrules; i++) {
        const SqlRule *rule = &dialect->rules[i];
        if (rule->op != TRIB_FN_in || !rule->template) continue;
        uint32_t count = 0;
        for (const char *c = strstr(rule->template, "{1*"); c; c = strstr(c + 1, "{1*")) count++;
        if (count > most) most = count;
    }
    return most;
}

static Status filter_range(const SqlDialect *dialect, const void *context, Arena *arena,
                           const TribTable *table, const TribFilterKey *filter, SqlFragment *out,
                           Error *err) {
    SqlFragment low, high;
    if (filter->minimum.type.id == TRIB_TYPE_UNKNOWN ||
        filter->maximum.type.id == TRIB_TYPE_UNKNOWN)
        return TRIB_OK;
    TRY(filter_call(dialect, context, arena, table, TRIB_FN_ge, &filter->minimum, 1, &low, err));
    TRY(filter_call(dialect, context, arena, table, TRIB_FN_le, &filter->maximum, 1, &high, err));
    if (!low.len || !high.len) return TRIB_OK;
    SqlSelect both = {.head = low};
    SqlParam *params;
    Buf text;
    uint32_t nparams = 0;
    TRY_ALLOC(params, ARENA_ARRAY(arena, SqlParam, low.nparams + high.nparams), err);
    buf_init(&text, arena, dialect->max_text);
    sql_fragment_add(&text, params, &nparams, &both.head);
    buf_text(&text, " AND ");
    sql_fragment_add(&text, params, &nparams, &high);
    TRY(buf_status(&text, err));
    *out = (SqlFragment){text.data, text.len, nparams, params};
    return TRIB_OK;
}

Status sql_filter(const SqlDialect *dialect, const void *context, Arena *arena,
                  const SqlSelect *select, const TribFilterKey *filter, uint32_t budget,
                  SqlFragment *out, Error *err) {
    memset(out, 0, sizeof *out);
    const TribTable *table = NULL;
    for (uint32_t i = 0; i < select->nkeys; i++) {
        if (select->keys[i].output == filter->output) table = select->keys[i].table;
    }
    if (!table) return TRIB_OK;
    if (filter->complete && filter->nvalues == 0) { /* nothing can match */
        size_t length = strlen(dialect->false_text);
        *out = (SqlFragment){dialect->false_text, length, 0, NULL};
        return TRIB_OK;
    }
    if (filter->complete && filter->nvalues <= budget / binds_per_value(dialect)) {
        TRY(filter_call(dialect, context, arena, table, TRIB_FN_in, filter->values,
                        (uint32_t)filter->nvalues, out, err));
        if (out->len) return TRIB_OK;
    }
    return filter_range(dialect, context, arena, table, filter, out, err);
}

/* ---------------------------------------------------------------- EXPLAIN */

char *sql_explain(Arena *arena, const SqlFragment *statement) {
    enum { SHOWN = 20 };
    Buf text;
    buf_init(&text, arena, SIZE_MAX / 2);
    buf_add(&text, statement->text, statement->len);
    for (uint32_t i = 0; i < statement->nparams; i++) {
        buf_text(&text, i ? ", " : "\nparams:   ");
        if (i == SHOWN) {
            buf_printf(&text, "... (%u in all)", statement->nparams);
            break;
        }
        if (statement->params[i].is_slot)
            buf_printf(&text, "?%u", statement->params[i].slot + 1);
        else
            sql_value_text(&text, &statement->params[i].value);
    }
    return text.failed ? NULL : text.data;
}
