/*
 * unnest.c - UNNEST in FROM: arrays and maps as rows, beside the row they come from.
 *
 * UNNEST sees the columns of what stands to its left in FROM, so that it is no relation of its own but a
 * step over that: each row once per element. Alone in FROM it stands over one row without columns. To the
 * right of RIGHT and FULL joins it does not see them, but stands beside each row all the same, as in Trino:
 * those joins are INNER and LEFT.
 */
#include "engine/bind/scope.h"

/* The one row that UNNEST without a left side stands over. */
static Status one_row(Binder *binder, LogicalNode **out) {
    TRY(bind_node(binder, LOGICAL_VALUES, 0, NULL, out));
    (*out)->nrows = 1;
    TRY_ALLOC((*out)->value_rows, ARENA_ARRAY(binder->arena, Expr **, 1), binder->err);
    TRY_ALLOC((*out)->value_rows[0], ARENA_ARRAY(binder->arena, Expr *, 1), binder->err);
    return TRIB_OK;
}

/* Columns that an argument expands to: the fields of rows, key and value of maps, else the element. */
static uint32_t expansion(Type type, const TribTypeFields **fields) {
    *fields = type.fields;
    if (type.id == TRIB_TYPE_MAP) return 2;
    if (type.fields->field[0].type.id != TRIB_TYPE_ROW) return 1;
    *fields = type.fields->field[0].type.fields;
    return (*fields)->count;
}

static Status bind_arguments(Binder *binder, const AstRelation *r, const ExprScope *scope,
                             LogicalNode *node, uint32_t *ncolumns) {
    TRY_ALLOC(node->unnest, ARENA_ARRAY(binder->arena, Expr *, r->nargs), binder->err);
    node->nunnest = r->nargs;
    *ncolumns = r->ordinality;
    for (uint32_t i = 0; i < r->nargs; i++) {
        const TribTypeFields *fields;
        TRY(bind_expr(binder, scope, r->args[i], &node->unnest[i]));
        Type type = node->unnest[i]->type;
        if (type.id != TRIB_TYPE_ARRAY && type.id != TRIB_TYPE_MAP) {
            Buf text;
            buf_init(&text, binder->arena, 1024);
            type_print(&text, type);
            return error_set_at(binder->err, ERR_SYNTAX, r->args[i]->at.line, r->args[i]->at.column,
                                "UNNEST takes arrays and maps, not a value of type " STR_FORMAT,
                                STR_ARGS(buf_view(&text)));
        }
        *ncolumns += expansion(type, &fields);
    }
    return TRIB_OK;
}

typedef struct UnnestBinder {
    Binder *binder;
    const AstRelation *relation;
    LogicalNode *node;
    Bound *out;
    uint32_t next; /* column of the relation */
    Str *qualifiers;
} UnnestBinder;

static Status add_column(UnnestBinder *self, const char *name, Type type, bool nullable,
                         UnnestColumn what) {
    Binder *binder = self->binder;
    Str own = name ? str_from(name) : (Str){NULL, 0};
    if (self->relation->naliases) own = self->relation->column_aliases[self->next].text;
    if (own.len == 0) {
        char *text;
        TRY_ALLOC(text, arena_printf(binder->arena, "_col%u", self->next), binder->err);
        own = str_from(text);
    }
    ColumnId id;
    TRY(bind_new_column(binder, own, type, nullable, &id));
    self->node->output[self->node->nkept + self->next] = id;
    self->node->unnested[self->next++] = what;
    ScopeColumn column = {.name = own,
                          .id = id,
                          .nqualifiers = self->qualifiers ? 1 : 0,
                          .qualifiers = self->qualifiers};
    return scope_add(binder, &self->out->scope, &column);
}

static Status add_columns(UnnestBinder *self) {
    LogicalNode *node = self->node;
    for (uint32_t i = 0; i < node->nunnest; i++) {
        const TribTypeFields *fields;
        uint32_t n = expansion(node->unnest[i]->type, &fields);
        for (uint32_t f = 0; f < n; f++)
            TRY(add_column(self, fields->field[f].name, fields->field[f].type, true,
                           (UnnestColumn){i, f}));
    }
    if (!self->relation->ordinality) return TRIB_OK;
    return add_column(self, "ordinality", TYPE(BIGINT), node->keep_empty,
                      (UnnestColumn){node->nunnest, 0});
}

/* Over `left`, whose columns stay; keep: rows without elements stay too, as in a left join. */
static Status unnest_over(Binder *binder, const AstRelation *r, const CteScope *ctes,
                          const Bound *left, bool keep, Bound *out) {
    ExprScope scope = {.scope = &left->scope, .ctes = ctes, .clause = "UNNEST"};
    LogicalNode *node;
    uint32_t ncolumns, nkept = left->node->noutput;
    TRY_ALLOC(node, logical_new(binder->arena, LOGICAL_UNNEST, 0, 1), binder->err);
    node->children[0] = left->node;
    TRY(bind_arguments(binder, r, &scope, node, &ncolumns));
    if (r->naliases && r->naliases != ncolumns) {
        return error_set_at(binder->err, ERR_SYNTAX, r->at.line, r->at.column,
                            "%u column names are given for %u columns", r->naliases, ncolumns);
    }
    node->nkept = nkept;
    node->keep_empty = keep;
    node->noutput = nkept + ncolumns;
    TRY_ALLOC(node->output, ARENA_ARRAY(binder->arena, ColumnId, node->noutput), binder->err);
    TRY_ALLOC(node->unnested, ARENA_ARRAY(binder->arena, UnnestColumn, ncolumns), binder->err);
    if (nkept) memcpy(node->output, left->node->output, nkept * sizeof *node->output);
    UnnestBinder self = {.binder = binder, .relation = r, .node = node, .out = out};
    if (r->alias.text.len) {
        TRY_ALLOC(self.qualifiers, ARENA_ARRAY(binder->arena, Str, 1), binder->err);
        self.qualifiers[0] = r->alias.text;
    }
    *out = (Bound){.node = node, .scope = left->scope};
    return add_columns(&self);
}

Status bind_unnest(Binder *binder, const AstRelation *r, const CteScope *ctes, const Scope *outer,
                   Bound *out) {
    Bound left = {.scope = {.outer = outer}};
    TRY(one_row(binder, &left.node));
    return unnest_over(binder, r, ctes, &left, false, out);
}

Status bind_unnest_join(Binder *binder, const AstRelation *join, const CteScope *ctes,
                        const Scope *outer, Bound *left, Bound *out) {
    const AstRelation *r = join->right;
    bool always = bind_is_on_true(join);
    bool keeps = join->join == AST_JOIN_LEFT || join->join == AST_JOIN_FULL;
    left->scope.outer = outer;
    if (join->natural || join->nusing)
        return bind_unsupported(binder, r->at, "NATURAL or USING with UNNEST");
    if (!always && join->join != AST_JOIN_INNER)
        return bind_unsupported(binder, join->on->at,
                                "an outer join with UNNEST on another condition than ON TRUE");
    left->scope.refused = bind_lateral_refused(join);
    TRY(unnest_over(binder, r, ctes, left, keeps, out));
    out->scope.outer = outer;
    out->scope.refused = NULL;
    if (always) return TRIB_OK;
    ExprScope scope = {.scope = &out->scope, .ctes = ctes, .clause = "ON"};
    Expr *condition;
    TRY(bind_condition(binder, &scope, join->on, &condition));
    return bind_filter(binder, out->node, condition, &out->node);
}
