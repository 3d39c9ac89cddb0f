/*
 * sql_render.h - inside support: the writer that renders expressions of an offer (sql_render.c) for the
 * SELECT builder (sql_plan.c). One thread, one offer, one arena.
 */
#ifndef TRIB_SUPPORT_SQL_RENDER_H
#define TRIB_SUPPORT_SQL_RENDER_H

#include "connectors/support/sql_text.h"

/* A verdict on the way up; reason is static, in the arena, or NULL when EXACT. */
typedef struct SqlVerdict {
    TribVerdictKind kind;
    const char *reason;
} SqlVerdict;

/* What is known about a value expression; computed once per node. */
typedef struct SqlNodeInfo {
    bool known, ok;      /* ok: it can be rendered, and gives the engine's value */
    bool passthrough;    /* a widening cast: renders as its argument */
    bool stored;         /* new values: what comes out of it is stored, or is an error */
    bool raises;         /* new values: it or one below may raise */
    bool never_null;     /* known not to be NULL */
    bool null_first;     /* the first argument must be looked at before the others are computed */
    TribVerdictKind cap; /* the lowest cap of the columns below */
    bool inexact;        /* a column below has a cap or a guard: the engine may read NULL instead */
    uint32_t classes;
    const char *template; /* calls */
    const char *reason;   /* why not ok, or why the cap */
} SqlNodeInfo;

typedef struct SqlWriter {
    SqlRender render; /* first: check functions see this part */
    bool assigning;   /* new values of columns are written, by the dialect's rules for them */
    Buf text;
    SqlParam *params;
    uint32_t nparams, param_capacity;
    size_t param_bytes;  /* of their texts */
    uint32_t terms;      /* leaves written */
    bool too_many;       /* parameters, or bytes of them: what is being written must be undone */
    SqlNodeInfo *infos;  /* per node */
    SqlColumn **columns; /* per table: an array per column, filled in on demand */
    bool **columns_known;
    Status failed; /* a hook failed: *err says how */
    Error *err;
} SqlWriter;

typedef struct SqlMark {
    size_t text, param_bytes;
    uint32_t params, terms;
} SqlMark;

Status sql_writer_init(SqlWriter *self, const SqlDialect *dialect, const void *context,
                       Arena *arena, const TribOffer *offer, Error *err) WARN_UNUSED;
SqlMark sql_mark(const SqlWriter *self);
void sql_undo(SqlWriter *self,
              SqlMark mark); /* back to the mark, failures of text and parameters forgotten */
/* Did everything since the mark fit? */
bool sql_fits(const SqlWriter *self);
/* Moves what stands in the buffer out as a fragment and starts anew. */
Status sql_take(SqlWriter *self, SqlFragment *out) WARN_UNUSED;

/* Writes a condition; with verdict NONE nothing is written. `negated`: the condition NOT node. */
SqlVerdict sql_condition(SqlWriter *self, uint32_t node, bool negated);
/* Writes a column as an output; whether it may be read is the caller's to check. */
SqlVerdict sql_output_column(SqlWriter *self, uint32_t node);
/* Writes a value under a pseudo-operator (order, group), or an aggregate; below EXACT nothing is written. */
SqlVerdict sql_operand(SqlWriter *self, uint32_t node, uint16_t op);
/* Works a value out, once per node; `depth` is what stands above it. */
const SqlNodeInfo *sql_info(SqlWriter *self, uint32_t node, uint32_t depth);
/* Writes a value whose info is ok; `nested`: a call in parentheses. */
void sql_value(SqlWriter *self, uint32_t node, bool nested);
/* Writes a template of one value, whose place is `hole`. */
void sql_around(SqlWriter *self, Str template, const char *hole, uint32_t node);
/* The row for an operator, its arguments (nodes from `first` on) known; NULL = none. */
const SqlRule *sql_rule(SqlWriter *self, uint16_t op, const TribNode *call, uint32_t first,
                        uint32_t count);
/* Does a column with a guard stand in the expression? */
bool sql_guarded(SqlWriter *self, uint32_t node);

/* sql_assign.c: what new values ask beyond others. Operands: false with a reason if errors may be missed. */
bool sql_operands(SqlWriter *self, const TribNode *node, SqlNodeInfo *info);
void sql_case_info(SqlWriter *self, const TribNode *node, SqlNodeInfo *info, uint32_t depth);
void sql_case_write(SqlWriter *self, const TribNode *node);
/*
 * Writes the new value of a column, which is computed; below EXACT nothing is written. The writer's `assigning`
 * is set, and stays so.
 */
SqlVerdict sql_assigned(SqlWriter *self, uint32_t node, const TribColumn *target);

/* The facts of a column; NULL when the dialect's hook failed (self->failed). */
const SqlColumn *sql_facts(SqlWriter *self, uint32_t table, uint32_t column);
/* Is there a rule for op over that column, values unseen (checks are not asked)? */
SqlVerdict sql_capability(SqlWriter *self, const TribNode *column, uint16_t op);

#endif
