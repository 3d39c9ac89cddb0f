/*
 * blame.c - by which parameter's value an execution failed, for the diagnostics of arrays.
 *
 * Values that are bound one by one are converted one by one: who converts them knows. Of sets, the plan converts
 * columns; an error then has the place of the marker in VALUES, which leads to its number. A text that is too
 * long for its column has no place: with one set left it is looked for.
 *
 * Threads: the one that executes.
 */
#include "engine/runtime/session.h"

uint32_t statement_failed_parameter(const Statement *self) {
    return self->failed_parameter;
}

const AstExpr *blame_marker(const AstStatement *ast, uint32_t slot) {
    const AstBody *body = ast->query ? ast->query->body : NULL;
    if (!body || body->kind != AST_BODY_VALUES || body->nrows != 1) return NULL;
    for (uint32_t i = 0; i < body->rows[0].count; i++) {
        const AstExpr *e = body->rows[0].items[i];
        if (e->kind == AST_PARAMETER && e->slot == slot) return e;
    }
    return NULL;
}

/* 0: no marker stands at the error's place. */
static uint32_t marker_at(const Statement *self, const Error *err) {
    for (uint32_t i = 0; i < self->nparameters && err->line; i++) {
        const AstExpr *e = blame_marker(self->bound->ast, i);
        if (e && e->at.line == err->line && e->at.column == err->column) return i + 1;
    }
    return 0;
}

static bool text_too_long(const Statement *self, uint32_t slot, TribType type) {
    const ParameterColumn *column = &self->sets.columns[slot];
    uint32_t at = self->sets.first;
    if (type_physical(column->type) != PHYS_STRING || !type_is_text(type) || type.length == 0)
        return false;
    if (column->validity && !bitmap_get(column->validity, at)) return false;
    Str text = strview_str(&((const StrView *)column->data)[at]);
    return text.len > type.length && utf8_length(text.data, text.len) > type.length;
}

/* Columns are checked in this order. */
static uint32_t longest_text(const Statement *self) {
    const LogicalNode *write = self->bound->plan->root;
    const LogicalNode *values = write->children[0]->children[0];
    for (uint32_t i = 0; i < values->noutput && i < write->nwrite_columns; i++) {
        const Expr *e = values->value_rows[0][i];
        TribType type = write->write_table->columns[write->write_columns[i]].type;
        if (e->kind == EXPR_PARAMETER && text_too_long(self, e->as.slot, type))
            return e->as.slot + 1;
    }
    return 0;
}

void blame_sets(Statement *self, const Error *err) {
    if (err->status != TRIB_DATA || !self->sets.columns) return;
    self->failed_parameter = marker_at(self, err);
    bool too_long = strcmp(err->sqlstate, error_sqlstate(ERR_VALUE_TOO_LONG)) == 0;
    if (!self->failed_parameter && too_long && self->sets.count == 1)
        self->failed_parameter = longest_text(self);
}
