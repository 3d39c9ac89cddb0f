/*
 * grouping_sets.c - GROUP BY as sets of grouping expressions: plain lists, GROUPING SETS, CUBE, ROLLUP.
 *
 * Every element of GROUP BY is a list of sets (a plain expression: one set of one); the grouping has one
 * set for each combination. A set is a bitmap over the distinct grouping expressions. One set of all
 * expressions is a plain grouping. Else each row is expanded once per set, with the expressions that the
 * set leaves out NULL and the set's number beside them, and all is grouped by these together: aggregates
 * read the columns of the input, which stay as they are. A set without expressions has a row even where
 * there is no input; the grouping carries it (empty_rows). GROUPING(...) is a column of EXPAND too: a number
 * per set. Memory: the binder's arena. One thread.
 */
#include "engine/bind/select.h"

#define MAX_SETS           2048 /* as in Trino */
#define MAX_CUBE           11   /* 2^11 sets */
#define GROUPING_INTEGER   31 /* arguments of GROUPING up to here make an integer, else a bigint */
#define GROUPING_ARGUMENTS 63

typedef struct SetList {
    uint32_t count;
    uint64_t **sets;
} SetList;

static Status set_new(SelectBinder *self, uint64_t **out) {
    TRY_ALLOC(*out, ARENA_ARRAY(self->binder->arena, uint64_t, self->set_words), self->binder->err);
    return TRIB_OK;
}

static void set_add(const SelectBinder *self, uint64_t *into, const uint64_t *from) {
    for (uint32_t w = 0; w < self->set_words; w++) into[w] |= from[w];
}

static Status sets_new(SelectBinder *self, uint32_t count, SetList *out) {
    out->count = count;
    TRY_ALLOC(out->sets, ARENA_ARRAY(self->binder->arena, uint64_t *, count), self->binder->err);
    for (uint32_t i = 0; i < count; i++) TRY(set_new(self, &out->sets[i]));
    return TRIB_OK;
}

static Status too_many_sets(SelectBinder *self, AstPosition at, uint64_t count) {
    return error_set_at(self->binder->err, ERR_LIMIT, at.line, at.column,
                        "GROUP BY has %s%llu grouping sets; it can have at most %d",
                        count == UINT64_MAX ? "more than " : "",
                        (unsigned long long)(count == UINT64_MAX ? MAX_SETS : count), MAX_SETS);
}

/* ---------------------------------------------------------------- grouping expressions */

/* Binds one expression of GROUP BY; equal ones are one. */
static Status group_expr(SelectBinder *self, const AstExpr *ast, uint32_t *out) {
    Binder *binder = self->binder;
    Expr *e;
    if (ast->kind == AST_INTEGER) {
        uint32_t ordinal;
        TRY(select_item_of_ordinal(self, ast, "GROUP BY", &ordinal));
        e = self->items[ordinal].expr;
        bool window = expr_has_kind(e, EXPR_WINDOW);
        if (window || select_has_aggregate(e)) {
            return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                                "GROUP BY position " STR_FORMAT " is %s", STR_ARGS(ast->text),
                                window ? "a window function" : "an aggregate");
        }
    } else {
        ExprScope scope = select_scope(self, false, "GROUP BY");
        TRY(bind_expr(binder, &scope, ast, &e));
        TRY(bind_settle(binder, e, &e));
    }
    if (!type_comparable(e->type)) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "values of type %s cannot be grouped",
                            type_id_name((TypeId)e->type.id));
    }
    for (*out = 0; *out < self->ngroups; (*out)++) {
        if (expr_equal(self->groups[*out], e)) return TRIB_OK;
    }
    self->groups[self->ngroups++] = e;
    return TRIB_OK;
}

/* The written sets of an element as bitmaps. */
static Status written_sets(SelectBinder *self, const AstGroupItem *item, SetList *out) {
    TRY(sets_new(self, item->nsets, out));
    for (uint32_t s = 0; s < item->nsets; s++) {
        for (uint32_t i = 0; i < item->sets[s].count; i++) {
            uint32_t group;
            TRY(group_expr(self, item->sets[s].items[i], &group));
            bitmap_set(out->sets[s], group);
        }
    }
    return TRIB_OK;
}

/* All prefixes of the list, the longest first. */
static Status rollup_sets(SelectBinder *self, const SetList *parts, SetList *out) {
    TRY(sets_new(self, parts->count + 1, out));
    for (uint32_t s = 0; s <= parts->count; s++) {
        for (uint32_t i = 0; i + s < parts->count; i++) set_add(self, out->sets[s], parts->sets[i]);
    }
    return TRIB_OK;
}

/* All subsets of the list, the whole first. */
static Status cube_sets(SelectBinder *self, const SetList *parts, SetList *out) {
    TRY(sets_new(self, 1u << parts->count, out));
    for (uint32_t s = 0; s < out->count; s++) {
        for (uint32_t i = 0; i < parts->count; i++) {
            if (!(s >> (parts->count - 1 - i) & 1)) set_add(self, out->sets[s], parts->sets[i]);
        }
    }
    return TRIB_OK;
}

static Status item_sets(SelectBinder *self, const AstGroupItem *item, SetList *out) {
    SetList written;
    if (item->kind == AST_GROUP_CUBE && item->nsets > MAX_CUBE) {
        return too_many_sets(self, item->at,
                             item->nsets < 63 ? UINT64_C(1) << item->nsets : UINT64_MAX);
    }
    TRY(written_sets(self, item, &written));
    *out = written;
    if (item->kind == AST_GROUP_ROLLUP) return rollup_sets(self, &written, out);
    if (item->kind == AST_GROUP_CUBE) return cube_sets(self, &written, out);
    return TRIB_OK;
}

/* GROUP BY DISTINCT: each set once. */
static void distinct_sets(SelectBinder *self) {
    uint32_t kept = 0;
    for (uint32_t s = 0; s < self->nsets; s++) {
        bool known = false;
        for (uint32_t k = 0; k < kept && !known; k++) {
            known =
                memcmp(self->sets[k], self->sets[s], self->set_words * sizeof **self->sets) == 0;
        }
        if (!known) self->sets[kept++] = self->sets[s];
    }
    self->nsets = kept;
}

Status select_bind_groups(SelectBinder *self) {
    Binder *binder = self->binder;
    const AstSelect *select = self->select;
    uint32_t written = 0;
    for (uint32_t i = 0; i < select->ngroups; i++) {
        for (uint32_t s = 0; s < select->groups[i].nsets; s++)
            written += select->groups[i].sets[s].count;
    }
    self->set_words = (uint32_t)bitmap_words(written + 1);
    TRY_ALLOC(self->groups, ARENA_ARRAY(binder->arena, Expr *, written), binder->err);
    SetList all;
    TRY(sets_new(self, 1, &all));
    for (uint32_t i = 0; i < select->ngroups; i++) {
        SetList item, product;
        TRY(item_sets(self, &select->groups[i], &item));
        uint64_t count = (uint64_t)all.count * item.count;
        if (count > MAX_SETS) return too_many_sets(self, select->groups[i].at, count);
        TRY(sets_new(self, (uint32_t)count, &product));
        for (uint32_t s = 0; s < product.count; s++) {
            set_add(self, product.sets[s], all.sets[s / item.count]);
            set_add(self, product.sets[s], item.sets[s % item.count]);
        }
        all = product;
    }
    self->nsets = all.count;
    self->sets = all.sets;
    if (select->group_distinct) distinct_sets(self);
    return TRIB_OK;
}

bool select_plain_grouping(const SelectBinder *self) {
    return self->nsets == 1; /* its expressions are all there are */
}

static bool in_set(const SelectBinder *self, uint32_t set, uint32_t group) {
    return bitmap_get(self->sets[set], group);
}

bool select_in_all_sets(const SelectBinder *self, uint32_t group) {
    for (uint32_t s = 0; s < self->nsets; s++) {
        if (!in_set(self, s, group)) return false;
    }
    return true;
}

/* ---------------------------------------------------------------- GROUPING() */

Status bind_grouping(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    if (!scope->aggregates || scope->inside_aggregate) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "GROUPING() cannot stand in %s",
                            scope->inside_aggregate ? "an aggregate" : scope->clause);
    }
    if (ast->nargs > GROUPING_ARGUMENTS) {
        return error_set_at(binder->err, ERR_LIMIT, ast->at.line, ast->at.column,
                            "GROUPING() takes at most %d columns", GROUPING_ARGUMENTS);
    }
    ExprScope inside = *scope;
    inside.aggregates = false;
    Expr **args;
    TRY_ALLOC(args, ARENA_ARRAY(binder->arena, Expr *, ast->nargs), binder->err);
    for (uint32_t i = 0; i < ast->nargs; i++)
        TRY(bind_expr(binder, &inside, ast->args[i], &args[i]));
    Type type = ast->nargs <= GROUPING_INTEGER ? TYPE(INTEGER) : TYPE(BIGINT);
    TRY_ALLOC(*out, expr_new(binder->arena, EXPR_GROUPING, type, ast->nargs, args), binder->err);
    (*out)->line = ast->at.line;
    (*out)->column = ast->at.column;
    return TRIB_OK;
}

/* A bit per argument, the last one lowest: 1 where the set leaves it out. */
static int64_t grouping_value(const SelectBinder *self, uint32_t set, const Grouping *grouping) {
    int64_t value = 0;
    for (uint32_t i = 0; i < grouping->expr->nargs; i++)
        value = value * 2 + !in_set(self, set, grouping->args[i]);
    return value;
}

static Status grouping_args(SelectBinder *self, const Expr *e, uint32_t **out) {
    Binder *binder = self->binder;
    TRY_ALLOC(*out, ARENA_ARRAY(binder->arena, uint32_t, e->nargs), binder->err);
    for (uint32_t i = 0; i < e->nargs; i++) {
        uint32_t g = 0;
        while (g < self->ngroups && !expr_equal(self->groups[g], e->args[i])) g++;
        if (g == self->ngroups) {
            return error_set_at(binder->err, ERR_SYNTAX, e->line, e->column,
                                "argument %u of GROUPING() does not stand in GROUP BY", i + 1);
        }
        (*out)[i] = g;
    }
    return TRIB_OK;
}

static Status integer_constant(SelectBinder *self, Type type, int64_t n, Expr **out) {
    Value value = {.type = type};
    value.as.integer = n;
    TRY_ALLOC(*out, expr_constant(self->binder->arena, value), self->binder->err);
    return TRIB_OK;
}

Status select_grouping_column(SelectBinder *self, const Expr *e, Expr **out) {
    Binder *binder = self->binder;
    Grouping *g;
    TRY_ALLOC(g, ARENA_NEW(binder->arena, Grouping), binder->err);
    g->expr = e;
    TRY(grouping_args(self, e, &g->args));
    if (select_plain_grouping(self)) return integer_constant(self, e->type, 0, out);
    for (const Grouping *known = self->groupings; known; known = known->next) {
        if (expr_equal(known->expr, e)) return bind_column(binder, known->id, out);
    }
    TRY(bind_new_column(binder, STR("grouping"), e->type, false, &g->id));
    g->next = self->groupings;
    self->groupings = g;
    self->ngroupings++;
    return bind_column(binder, g->id, out);
}

/* ---------------------------------------------------------------- the plan */

/* Grouping expressions that are more than a column are computed once, not once per set. */
static Status compute_groups(SelectBinder *self, Expr ***columns) {
    Binder *binder = self->binder;
    LogicalNode *child = self->node, *project;
    uint32_t n = child->noutput;
    TRY_ALLOC(*columns, ARENA_ARRAY(binder->arena, Expr *, self->ngroups), binder->err);
    TRY(bind_node(binder, LOGICAL_PROJECT, n + self->ngroups, child, &project));
    TRY_ALLOC(project->exprs, ARENA_ARRAY(binder->arena, Expr *, project->noutput), binder->err);
    for (uint32_t i = 0; i < n; i++) {
        project->output[i] = child->output[i];
        TRY(bind_column(binder, child->output[i], &project->exprs[i]));
    }
    for (uint32_t g = 0; g < self->ngroups; g++) {
        Expr *e = self->groups[g];
        (*columns)[g] = e;
        if (e->kind == EXPR_COLUMN) continue;
        project->exprs[n] = e;
        TRY(bind_new_column(binder, STR("group"), e->type, bind_nullable(binder, e),
                            &project->output[n]));
        TRY(bind_column(binder, project->output[n++], &(*columns)[g]));
    }
    if (n == child->noutput) return TRIB_OK;
    project->noutput = n;
    self->node = project;
    return TRIB_OK;
}

/* What the grouping keys are in the rows of one set: groups, GROUPING()s, the set's number. */
static Status set_keys(SelectBinder *self, uint32_t set, Expr *const *columns, Expr **row) {
    uint32_t at = 0;
    for (uint32_t g = 0; g < self->ngroups; g++, at++) {
        row[at] = columns[g];
        if (in_set(self, set, g)) continue;
        Value null = {.type = columns[g]->type, .is_null = true};
        TRY_ALLOC(row[at], expr_constant(self->binder->arena, null), self->binder->err);
    }
    for (const Grouping *g = self->groupings; g; g = g->next, at++)
        TRY(integer_constant(self, g->expr->type, grouping_value(self, set, g), &row[at]));
    return integer_constant(self, TYPE(INTEGER), set, &row[at]);
}

static Status expand_node(SelectBinder *self, Expr *const *columns, uint32_t nkeys,
                          LogicalNode **out) {
    Binder *binder = self->binder;
    LogicalNode *child = self->node, *node;
    uint32_t at = 0;
    TRY(bind_node(binder, LOGICAL_EXPAND, nkeys + child->noutput, child, &node));
    for (uint32_t g = 0; g < self->ngroups; g++) {
        const PlanColumn *c = plan_column(&binder->plan->columns, self->group_ids[g]);
        TRY(bind_new_column(binder, c->name, columns[g]->type, c->nullable, &node->output[at++]));
    }
    for (const Grouping *g = self->groupings; g; g = g->next)
        TRY(bind_new_column(binder, STR("grouping"), g->expr->type, false, &node->output[at++]));
    TRY(bind_new_column(binder, STR("set"), TYPE(INTEGER), false, &node->output[at++]));
    for (uint32_t i = 0; i < child->noutput; i++) node->output[at + i] = child->output[i];
    node->nsets = self->nsets;
    TRY_ALLOC(node->sets, ARENA_ARRAY(binder->arena, Expr **, self->nsets), binder->err);
    for (uint32_t s = 0; s < self->nsets; s++) {
        TRY_ALLOC(node->sets[s], ARENA_ARRAY(binder->arena, Expr *, node->noutput), binder->err);
        TRY(set_keys(self, s, columns, node->sets[s]));
        for (uint32_t i = 0; i < child->noutput; i++)
            TRY(bind_column(binder, child->output[i], &node->sets[s][nkeys + i]));
    }
    *out = node;
    return TRIB_OK;
}

/* The rows of sets without expressions, for an empty input. */
static Status empty_rows(SelectBinder *self, uint32_t nkeys, Expr *const *columns,
                         LogicalNode *node) {
    Binder *binder = self->binder;
    TRY_ALLOC(node->empty_rows, ARENA_ARRAY(binder->arena, Expr **, self->nsets), binder->err);
    for (uint32_t s = 0; s < self->nsets; s++) {
        if (bitmap_count(self->sets[s], self->ngroups) > 0) continue;
        Expr **row;
        TRY_ALLOC(row, ARENA_ARRAY(binder->arena, Expr *, nkeys), binder->err);
        TRY(set_keys(self, s, columns, row));
        node->empty_rows[node->nempty++] = row;
    }
    return TRIB_OK;
}

Status select_expand_sets(SelectBinder *self) {
    Binder *binder = self->binder;
    uint32_t nkeys = self->ngroups + self->ngroupings + 1, at = 0;
    Expr **columns;
    LogicalNode *expand, *node;
    TRY(compute_groups(self, &columns));
    TRY(expand_node(self, columns, nkeys, &expand));
    TRY(bind_node(binder, LOGICAL_AGGREGATE, nkeys + self->naggregates, expand, &node));
    node->ngroups = nkeys;
    TRY_ALLOC(node->groups, ARENA_ARRAY(binder->arena, Expr *, nkeys), binder->err);
    for (uint32_t k = 0; k < nkeys; k++)
        TRY(bind_column(binder, expand->output[k], &node->groups[k]));
    for (uint32_t g = 0; g < self->ngroups; g++) node->output[at++] = self->group_ids[g];
    for (const Grouping *g = self->groupings; g; g = g->next) node->output[at++] = g->id;
    TRY(bind_new_column(binder, STR("set"), TYPE(INTEGER), false, &node->output[at++]));
    node->naggregates = self->naggregates;
    node->aggregates = self->aggregates;
    for (uint32_t a = 0; a < self->naggregates; a++) node->output[at + a] = self->aggregate_ids[a];
    TRY(empty_rows(self, nkeys, columns, node));
    self->node = node;
    return TRIB_OK;
}
