/*
 * sql_change.c - see sql_change.h. The condition is planned like that of a SELECT of one column; only what
 * comes back EXACT as a whole is taken. One thread, one arena.
 */
#include "connectors/support/sql_change.h"

#include <string.h>

static void refuse(TribVerdict *verdict, const char *reason) {
    size_t n = utf8_cut(reason, strlen(reason), sizeof verdict->reason - 1);
    verdict->kind = TRIB_NONE;
    memcpy(verdict->reason, reason, n);
    verdict->reason[n] = '\0';
}

/* The conditions as an offer that wants the table's first column. */
static Status change_offer(Arena *arena, const TribModify *modify, TribOffer *offer, Error *err) {
    TribNode *nodes;
    uint32_t *output;
    const TribTable **tables;
    TRY_ALLOC(nodes, ARENA_ARRAY(arena, TribNode, (size_t)modify->nnodes + 1), err);
    TRY_ALLOC(output, ARENA_NEW(arena, uint32_t), err);
    TRY_ALLOC(tables, ARENA_NEW(arena, const TribTable *), err);
    if (modify->nnodes) memcpy(nodes, modify->nodes, modify->nnodes * sizeof *nodes);
    nodes[modify->nnodes] =
        (TribNode){.kind = TRIB_NODE_COLUMN, .type = modify->table->columns[0].type};
    *output = modify->nnodes;
    *tables = modify->table;
    *offer = (TribOffer){.size = sizeof *offer,
                         .mode = TRIB_PUSHDOWN_EXACT,
                         .nnodes = modify->nnodes + 1,
                         .nodes = nodes,
                         .nvalues = modify->nvalues,
                         .values = modify->values,
                         .ntables = 1,
                         .tables = tables,
                         .noutput = 1,
                         .output = output,
                         .nconjuncts = modify->nconjuncts,
                         .conjuncts = modify->conjuncts,
                         .limit = -1};
    TRY_ALLOC(offer->verdicts, ARENA_ARRAY(arena, TribVerdict, modify->nconjuncts), err);
    return TRIB_OK;
}

static const TribValue *assigned(const TribModify *modify, uint32_t i) {
    uint32_t node = modify->assignments[i].node;
    if (node == UINT32_MAX || modify->nodes[node].kind != TRIB_NODE_LITERAL) return NULL;
    return &modify->values[modify->nodes[node].ref];
}

typedef const char *(*Storable)(const TribColumn *column, const TribValue *value);

static bool values_known(Storable storable, const TribModify *modify, TribVerdict *verdict) {
    for (uint32_t i = 0; i < modify->nassignments; i++) {
        const TribValue *value = assigned(modify, i);
        const char *why = "a new value is computed from others";
        if (value) why = storable(&modify->table->columns[modify->assignments[i].column], value);
        if (!why) continue;
        refuse(verdict, why);
        return false;
    }
    return true;
}

static Status change_write(const SqlDialect *dialect, const void *context, Arena *arena,
                           const TribModify *modify, const SqlFragment *where, SqlFragment *out,
                           Error *err) {
    Buf text;
    SqlParam *params;
    uint32_t n = 0;
    buf_init(&text, arena, dialect->max_text);
    TRY_ALLOC(params, ARENA_ARRAY(arena, SqlParam, modify->nassignments + where->nparams), err);
    buf_text(&text, modify->nassignments ? "UPDATE " : "DELETE FROM ");
    dialect->table(context, &text, modify->table);
    for (uint32_t i = 0; i < modify->nassignments; i++) {
        const TribColumn *column = &modify->table->columns[modify->assignments[i].column];
        buf_text(&text, i ? ", " : " SET ");
        dialect->quote(&text, str_from(column->name));
        buf_text(&text, " = ");
        params[n] = (SqlParam){.at = text.len, .type = column->type};
        if (!sql_value_copy(arena, assigned(modify, i), &params[n].value))
            return error_out_of_memory(err);
        n++;
        buf_char(&text, '?');
    }
    if (where->len) {
        buf_text(&text, " WHERE ");
        for (uint32_t i = 0; i < where->nparams; i++) {
            params[n] = where->params[i];
            params[n++].at += text.len;
        }
        buf_str(&text, (Str){where->text, where->len});
    }
    TRY(buf_status(&text, err));
    *out = (SqlFragment){text.data, text.len, n, params};
    return TRIB_OK;
}

Status sql_change(const SqlDialect *dialect, const void *context, Arena *arena, Storable storable,
                  const TribModify *modify, TribVerdict *verdict, SqlFragment *out, Error *err) {
    TribOffer offer;
    SqlSelect select;
    *out = (SqlFragment){.text = ""};
    if (!values_known(storable, modify, verdict)) return TRIB_OK;
    TRY(change_offer(arena, modify, &offer, err));
    TRY(sql_plan(dialect, context, arena, &offer, &select, err));
    for (uint32_t i = 0; i < offer.nconjuncts; i++) {
        if (offer.verdicts[i].kind == TRIB_EXACT) continue;
        refuse(verdict, offer.verdicts[i].reason[0] ? offer.verdicts[i].reason : "not exact");
        return TRIB_OK;
    }
    TRY(change_write(dialect, context, arena, modify, &select.where, out, err));
    verdict->kind = TRIB_EXACT;
    verdict->reason[0] = '\0';
    return TRIB_OK;
}
