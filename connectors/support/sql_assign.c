/*
 * sql_assign.c - new values of columns that the source computes from the old row.
 *
 * A statement that changes rows fails here and there on the same rows, or nowhere. So a node that may raise needs a
 * rule that says that the source raises, too (SQL_RAISES). Many sources compute integers wider than the engine and
 * raise only when the result is stored: what stands at the top of a value, with nothing above it but CASE, COALESCE
 * and conversions between integers that narrow, is marked `stored`, and may have simpler rules (SQL_STORED). That
 * holds where whatever the node's type does not hold is beyond the column, too.
 *
 * The engine looks at operands from left to right, and no further once one is NULL. Some sources do the same, others
 * compute all: a second operand that may raise behind a first one that may be NULL stands in a CASE.
 * Conditions of CASE are conditions like any (NULL and FALSE are alike), but must be exact.
 *
 * One writer, one thread; memory in the writer's arena. Depth is that of sql_render.c.
 */
#include "connectors/support/sql_render.h"

static bool is_integer(TribType type) {
    return type.id >= TRIB_TYPE_TINYINT && type.id <= TRIB_TYPE_BIGINT;
}

/* Is NULL if, and only if, an operand is. */
static bool strict_null(uint16_t op) {
    return (op >= TRIB_FN_add && op <= TRIB_FN_multiply) || op == TRIB_FN_concat ||
           op == TRIB_FN_negate || op == TRIB_FN_cast;
}

bool sql_operands(SqlWriter *self, const TribNode *node, SqlNodeInfo *info) {
    const SqlNodeInfo *operands = &self->infos[node->first];
    bool lazy = node->op == TRIB_FN_coalesce;
    uint32_t nullable = 0;
    info->raises = node->may_raise;
    for (uint32_t i = 0; i < node->count; i++) {
        info->raises |= operands[i].raises;
        bool hidden = nullable > 0 && !lazy;
        nullable += !operands[i].never_null;
        if (operands[i].raises && hidden) {
            info->null_first = node->count == 2;
            if (info->null_first) continue;
            info->reason = "an operand may raise an error where another is NULL";
            return false;
        }
    }
    info->never_null = lazy ? nullable < node->count : nullable == 0 && strict_null(node->op);
    return true;
}

/* ---------------------------------------------------------------- CASE */

static bool may_raise(const SqlWriter *self, uint32_t node) {
    const TribNode *of = &self->render.offer->nodes[node];
    if (of->may_raise) return true;
    for (uint32_t i = 0; i < of->count && of->kind == TRIB_NODE_CALL; i++) {
        if (may_raise(self, of->first + i)) return true;
    }
    return false;
}

/* Why a condition cannot decide between values; NULL = it can. */
static const char *condition_refused(SqlWriter *self, uint32_t node) {
    if (may_raise(self, node)) return "a condition may raise an error";
    if (sql_guarded(self, node)) return "a stored value may be read as NULL";
    SqlMark mark = sql_mark(self);
    SqlVerdict verdict = sql_condition(self, node, false);
    sql_undo(self, mark);
    if (verdict.kind == TRIB_EXACT) return NULL;
    return verdict.reason ? verdict.reason : "a condition is not exact";
}

/* Is child `i` of a CASE a value, not a condition? */
static bool is_value(const TribNode *node, uint32_t i) {
    return i % 2 == 1 || i + 1 == node->count;
}

static void case_value(SqlWriter *self, const TribNode *node, uint32_t child, SqlNodeInfo *info,
                       uint32_t depth) {
    const SqlNodeInfo *value = sql_info(self, child, depth + 1);
    if (!value->ok || value->inexact)
        info->reason = value->reason ? value->reason : "a stored value may be read as NULL";
    else if (!sql_rule(self, TRIB_FN_case, node, child, 1))
        info->reason = "no rule for CASE with values of this type";
    info->classes |= value->classes;
    info->raises |= value->raises;
}

void sql_case_info(SqlWriter *self, const TribNode *node, SqlNodeInfo *info, uint32_t depth) {
    for (uint32_t i = 0; i < node->count && !info->reason; i++) {
        if (is_value(node, i))
            case_value(self, node, node->first + i, info, depth);
        else
            info->reason = condition_refused(self, node->first + i);
    }
    info->ok = !info->reason;
}

/* What was found exact may be too long when it is written: a CASE without its condition would be another one. */
void sql_case_write(SqlWriter *self, const TribNode *node) {
    buf_text(&self->text, "CASE");
    for (uint32_t i = 0; i < node->count && sql_fits(self); i++) {
        bool last = i + 1 == node->count;
        buf_text(&self->text, last ? " ELSE " : i % 2 ? " THEN " : " WHEN ");
        if (is_value(node, i)) {
            sql_value(self, node->first + i, false);
        } else if (sql_condition(self, node->first + i, false).kind != TRIB_EXACT) {
            self->too_many = true;
        }
    }
    buf_text(&self->text, " END");
}

/* ---------------------------------------------------------------- values */

/* Whatever `type` does not hold, the column does not either. */
static bool holds_column(TribType type, TribType column) {
    if (is_integer(type) && is_integer(column)) return type.id >= column.id;
    if (type.id != column.id) return false;
    if (type.id == TRIB_TYPE_DECIMAL)
        return type.precision - type.scale >= column.precision - column.scale;
    return type.id == TRIB_TYPE_REAL || type.id == TRIB_TYPE_DOUBLE;
}

static bool is_cast(const TribNode *node) {
    return node->kind == TRIB_NODE_CALL && node->op == TRIB_FN_cast && node->count == 1;
}

static void mark_stored(SqlWriter *self, uint32_t node, TribType column) {
    const TribNode *of = &self->render.offer->nodes[node];
    if (of->kind != TRIB_NODE_CALL || !holds_column(of->type, column)) return;
    if (is_cast(of)) {
        TribType from = self->render.offer->nodes[of->first].type;
        if (!is_integer(from) || !is_integer(of->type) || from.id < of->type.id) return;
        mark_stored(self, of->first, column);
    }
    self->infos[node].stored = true;
    for (uint32_t i = 0; i < of->count; i++) {
        if (of->op == TRIB_FN_coalesce || (of->op == TRIB_FN_case && is_value(of, i)))
            mark_stored(self, of->first + i, column);
    }
}

/* Without the conversion between numbers to the column's type: the dialect's store() says how that is done. */
static uint32_t without_cast(const SqlWriter *self, uint32_t node, TribType column) {
    const TribNode *nodes = self->render.offer->nodes, *of = &nodes[node];
    if (!is_cast(of) || of->type.id != column.id) return node;
    TribType from = nodes[of->first].type;
    bool exact = is_integer(from) || from.id == TRIB_TYPE_DECIMAL;
    if (is_integer(column) || column.id == TRIB_TYPE_DECIMAL) return exact ? of->first : node;
    if (column.id == TRIB_TYPE_DOUBLE && is_integer(from)) return of->first;
    return node;
}

SqlVerdict sql_assigned(SqlWriter *self, uint32_t node, const TribColumn *target) {
    const SqlRender *render = &self->render;
    const char *reason = NULL;
    SqlMark mark = sql_mark(self);
    uint32_t value = without_cast(self, node, target->type);
    self->assigning = true;
    mark_stored(self, value, target->type);
    const SqlNodeInfo *info = sql_info(self, value, 0);
    if (self->failed != TRIB_OK) return (SqlVerdict){TRIB_NONE, NULL};
    if (!info->ok || info->inexact) {
        reason = info->reason ? info->reason : "a stored value may be read as NULL";
        return (SqlVerdict){TRIB_NONE, reason};
    }
    const char *template =
        render->dialect->assigning->store(render->context, render->arena, target,
                                          render->offer->nodes[value].type, info->classes, &reason);
    if (!template) return (SqlVerdict){TRIB_NONE, reason};
    sql_around(self, str_from(template), "{0}", value);
    if (sql_fits(self)) return (SqlVerdict){TRIB_EXACT, NULL};
    sql_undo(self, mark);
    return (SqlVerdict){TRIB_NONE, "too long a statement for the source"};
}
