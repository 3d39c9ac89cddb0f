/*
 * sql_change.c - see sql_change.h. The condition is planned like that of a SELECT of one column; only what
 * comes back EXACT as a whole is taken. New values are constants, or written by sql_assign.c, and put in an order
 * in which none reads a column that was assigned before. One thread, one arena.
 */
#include "connectors/support/sql_change.h"

#include "connectors/support/sql_render.h"

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

/* ---------------------------------------------------------------- new values */

typedef const char *(*Storable)(const TribColumn *column, const TribValue *value);

typedef struct Change {
    const SqlDialect *dialect;
    Arena *arena;
    Storable storable;
    const TribModify *modify;
    TribVerdict *verdict;
    SqlFragment *values; /* per assignment */
    uint32_t *order;     /* in which they stand */
} Change;

static const TribColumn *assigned_column(const TribModify *modify, uint32_t i) {
    return &modify->table->columns[modify->assignments[i].column];
}

/* A constant is a parameter; the source converts it to the column's type as it is stored. */
static Status value_constant(Change *self, uint32_t i, const TribValue *value, Error *err) {
    const TribColumn *column = assigned_column(self->modify, i);
    const char *why = self->storable(column, value);
    SqlParam *param;
    if (why) {
        refuse(self->verdict, why);
        return TRIB_OK;
    }
    TRY_ALLOC(param, ARENA_NEW(self->arena, SqlParam), err);
    *param = (SqlParam){.type = column->type};
    if (!sql_value_copy(self->arena, value, &param->value)) return error_out_of_memory(err);
    self->values[i] = (SqlFragment){"?", 1, 1, param};
    return TRIB_OK;
}

static Status value_computed(Change *self, uint32_t i, SqlWriter *writer) {
    SqlVerdict verdict =
        sql_assigned(writer, self->modify->assignments[i].node, assigned_column(self->modify, i));
    TRY(writer->failed);
    if (verdict.kind == TRIB_EXACT) return sql_take(writer, &self->values[i]);
    refuse(self->verdict, verdict.reason ? verdict.reason : "a new value is computed from others");
    return TRIB_OK;
}

/* Writes the new values one by one; one that cannot be had makes the verdict NONE. */
static Status change_values(Change *self, const void *context, const TribOffer *offer, Error *err) {
    const TribModify *modify = self->modify;
    SqlWriter writer;
    TRY(sql_writer_init(&writer, self->dialect, context, self->arena, offer, err));
    TRY_ALLOC(self->values, ARENA_ARRAY(self->arena, SqlFragment, modify->nassignments), err);
    for (uint32_t i = 0; i < modify->nassignments && self->verdict->kind == TRIB_EXACT; i++) {
        uint32_t node = modify->assignments[i].node;
        bool known = node != UINT32_MAX && modify->nodes[node].kind == TRIB_NODE_LITERAL;
        if (known)
            TRY(value_constant(self, i, &modify->values[modify->nodes[node].ref], err));
        else if (node != UINT32_MAX && self->dialect->assigning)
            TRY(value_computed(self, i, &writer));
        else
            refuse(self->verdict, "a new value is computed from others");
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- their order */

/* Who reads what, while the order is made. Assignments count from 1: 0 = the column is not assigned. */
typedef struct Reads {
    const TribModify *modify;
    uint32_t *assignment; /* per column */
    uint32_t *seen;       /* per assignment: who read it last */
    uint32_t *readers;    /* per assignment: others that read its column and are not placed yet */
    bool generated;       /* a column is read that follows from others */
} Reads;

/* Counts what the value of assignment `who` reads, each column once, up or down. */
static void reads_count(Reads *self, uint32_t who, uint32_t node, bool placed) {
    const TribNode *of = &self->modify->nodes[node];
    if (of->kind == TRIB_NODE_COLUMN) {
        uint32_t read = self->assignment[of->ref];
        self->generated |= self->modify->table->columns[of->ref].generated;
        if (!read || read - 1 == who || self->seen[read - 1] == who + 1) return;
        self->seen[read - 1] = who + 1;
        self->readers[read - 1] += placed ? UINT32_MAX : 1;
    }
    for (uint32_t i = 0; i < of->count && of->kind == TRIB_NODE_CALL; i++)
        reads_count(self, who, of->first + i, placed);
}

static void reads_all(Reads *self, uint32_t who, bool placed) {
    uint32_t n = self->modify->nassignments, node = self->modify->assignments[who].node;
    memset(self->seen, 0, n * sizeof *self->seen);
    if (node != UINT32_MAX) reads_count(self, who, node, placed);
}

/*
 * Some sources (MySQL) assign from left to right, and what is read behind an assignment is the new value. An
 * order in which each column is read before it is assigned means the same everywhere; for SET a = b, b = a
 * there is none.
 */
static Status change_order(Change *self, Error *err) {
    const TribModify *modify = self->modify;
    uint32_t n = modify->nassignments, placed = 0;
    Reads reads = {.modify = modify};
    bool *done;
    TRY_ALLOC(self->order, ARENA_ARRAY(self->arena, uint32_t, n), err);
    TRY_ALLOC(done, ARENA_ARRAY(self->arena, bool, n), err);
    TRY_ALLOC(reads.assignment, ARENA_ARRAY(self->arena, uint32_t, modify->table->ncolumns), err);
    TRY_ALLOC(reads.seen, ARENA_ARRAY(self->arena, uint32_t, n), err);
    TRY_ALLOC(reads.readers, ARENA_ARRAY(self->arena, uint32_t, n), err);
    for (uint32_t i = 0; i < n; i++) reads.assignment[modify->assignments[i].column] = i + 1;
    for (uint32_t i = 0; i < n; i++) reads_all(&reads, i, false);
    while (placed < n) {
        uint32_t next = 0;
        while (next < n && (done[next] || reads.readers[next])) next++;
        if (next == n) {
            refuse(self->verdict, "the new values of columns depend on each other");
            return TRIB_OK;
        }
        done[next] = true;
        self->order[placed++] = next;
        reads_all(&reads, next, true);
    }
    if (reads.generated && n > 1) refuse(self->verdict, "a new value reads a generated column");
    return TRIB_OK;
}

/* ---------------------------------------------------------------- the statement */

static Status change_write(const Change *self, const void *context, const SqlFragment *where,
                           SqlFragment *out, Error *err) {
    const TribModify *modify = self->modify;
    Buf text;
    SqlParam *params;
    uint32_t n = 0, total = where->nparams;
    for (uint32_t i = 0; i < modify->nassignments; i++) total += self->values[i].nparams;
    buf_init(&text, self->arena, self->dialect->max_text);
    TRY_ALLOC(params, ARENA_ARRAY(self->arena, SqlParam, total), err);
    buf_text(&text, modify->nassignments ? "UPDATE " : "DELETE FROM ");
    self->dialect->table(context, &text, modify->table);
    for (uint32_t i = 0; i < modify->nassignments; i++) {
        buf_text(&text, i ? ", " : " SET ");
        self->dialect->quote(&text, str_from(assigned_column(modify, self->order[i])->name));
        buf_text(&text, " = ");
        sql_fragment_add(&text, params, &n, &self->values[self->order[i]]);
    }
    if (where->len) {
        buf_text(&text, " WHERE ");
        sql_fragment_add(&text, params, &n, where);
    }
    TRY(buf_status(&text, err));
    *out = (SqlFragment){text.data, text.len, n, params};
    return TRIB_OK;
}

Status sql_change(const SqlDialect *dialect, const void *context, Arena *arena, Storable storable,
                  const TribModify *modify, TribVerdict *verdict, SqlFragment *out, Error *err) {
    Change self = {dialect, arena, storable, modify, verdict, NULL, NULL};
    TribOffer offer;
    SqlSelect select;
    *out = (SqlFragment){.text = ""};
    verdict->kind = TRIB_EXACT;
    verdict->reason[0] = '\0';
    TRY(change_offer(arena, modify, &offer, err));
    TRY(change_values(&self, context, &offer, err));
    if (verdict->kind == TRIB_EXACT) TRY(change_order(&self, err));
    if (verdict->kind != TRIB_EXACT) return TRIB_OK;
    TRY(sql_plan(dialect, context, arena, &offer, &select, err));
    for (uint32_t i = 0; i < offer.nconjuncts; i++) {
        if (offer.verdicts[i].kind == TRIB_EXACT) continue;
        refuse(verdict, offer.verdicts[i].reason[0] ? offer.verdicts[i].reason : "not exact");
        return TRIB_OK;
    }
    return change_write(&self, context, &select.where, out, err);
}
