/*
 * expand_distinct.c - DISTINCT aggregates without a hash set per group: two levels of grouping.
 *
 * With the arguments x1 .. xk of the DISTINCT aggregates (equal ones shared), EXPAND puts out each row
 * once for the plain aggregates (set 0) and once per argument list s with only that list filled in. The
 * inner grouping by (groups, s, x1 .. xk) computes the plain aggregates in the rows of set 0 and removes
 * duplicates in the others; the outer grouping by the groups picks up the plain results of set 0 and runs
 * the DISTINCT aggregates over the rows of their own set. Everything is plain hash aggregation, which
 * spills. With one argument list and no plain aggregate EXPAND is left out.
 */
#include "engine/optimise/rule.h"

typedef struct DistinctSet {
    uint32_t nargs;
    Expr *const *args;
    Expr *filter;
    ColumnId *columns; /* of the arguments behind EXPAND */
} DistinctSet;

typedef struct Expansion {
    const LogicalNode *node;
    uint32_t nsets; /* argument lists */
    DistinctSet *sets;
    uint32_t *set_of; /* [naggregates]; UINT32_MAX = plain */
    uint32_t nplain;
    ColumnId *groups; /* behind EXPAND */
    ColumnId set_id;
    ColumnId *inner_groups;  /* of the inner grouping's output */
    ColumnId *plain_results; /* [naggregates] */
} Expansion;

static bool same_filter(const Expr *a, const Expr *b) {
    return a == b || (a && b && expr_equal(a, b));
}

static bool same_set(const DistinctSet *set, const Expr *e) {
    if (set->nargs != e->nargs || !same_filter(set->filter, e->as.agg.filter)) return false;
    for (uint32_t i = 0; i < e->nargs; i++) {
        if (!expr_equal(set->args[i], e->args[i])) return false;
    }
    return true;
}

static Status collect_sets(RuleContext *context, Expansion *x) {
    const LogicalNode *node = x->node;
    TRY_ALLOC(x->sets, ARENA_ARRAY(context->arena, DistinctSet, node->naggregates), context->err);
    TRY_ALLOC(x->set_of, ARENA_ARRAY(context->arena, uint32_t, node->naggregates), context->err);
    for (uint32_t i = 0; i < node->naggregates; i++) {
        const Expr *e = node->aggregates[i];
        x->set_of[i] = UINT32_MAX;
        if (!e->distinct) {
            x->nplain++;
            continue;
        }
        uint32_t s = 0;
        while (s < x->nsets && !same_set(&x->sets[s], e)) s++;
        if (s == x->nsets)
            x->sets[x->nsets++] = (DistinctSet){e->nargs, e->args, e->as.agg.filter, NULL};
        x->set_of[i] = s;
    }
    return TRIB_OK;
}

static Status new_column(RuleContext *context, Str name, Type type, ColumnId *out) {
    *out = plan_column_new(context->columns, name, type, true);
    return *out ? TRIB_OK : error_out_of_memory(context->err);
}

static Status null_of(RuleContext *context, Type type, Expr **out) {
    Value value = {.type = type, .is_null = true};
    TRY_ALLOC(*out, expr_constant(context->arena, value), context->err);
    return TRIB_OK;
}

static Status integer_of(RuleContext *context, int64_t n, Expr **out) {
    Value value = {.type = TYPE(INTEGER)};
    value.as.integer = n;
    TRY_ALLOC(*out, expr_constant(context->arena, value), context->err);
    return TRIB_OK;
}

/* What the plain aggregates read: their arguments and filters, as columns behind EXPAND. */
typedef struct PlainInputs {
    ExprList exprs;
    ColumnId *columns;
} PlainInputs;

static Status collect_plain(RuleContext *context, const Expansion *x, PlainInputs *out) {
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < x->node->naggregates; i++) {
        const Expr *e = x->node->aggregates[i];
        if (e->distinct) continue;
        for (uint32_t a = 0; a < e->nargs; a++)
            TRY(rule_list_add(context, &out->exprs, e->args[a]));
        if (e->as.agg.filter) TRY(rule_list_add(context, &out->exprs, e->as.agg.filter));
    }
    TRY_ALLOC(out->columns, ARENA_ARRAY(context->arena, ColumnId, out->exprs.count), context->err);
    for (uint32_t i = 0; i < out->exprs.count; i++) {
        TRY(new_column(context, STR("argument"), out->exprs.items[i]->type, &out->columns[i]));
    }
    return TRIB_OK;
}

/* One row of EXPAND: set 0 = plain, s + 1 = argument list s. A row that a list's FILTER refuses must not
 * count: it goes to a set of its own, which nobody reads. */
static Status expand_row(RuleContext *context, const Expansion *x, const PlainInputs *plain,
                         uint32_t set, Expr **row) {
    const LogicalNode *node = x->node;
    uint32_t at = 0;
    for (uint32_t g = 0; g < node->ngroups; g++) row[at++] = node->groups[g];
    TRY(integer_of(context, set, &row[at]));
    if (set > 0 && x->sets[set - 1].filter) {
        Expr *args[3] = {x->sets[set - 1].filter, row[at], NULL};
        TRY(integer_of(context, -1, &args[2]));
        TRY_ALLOC(row[at], expr_new(context->arena, EXPR_CASE, TYPE(INTEGER), 3, args),
                  context->err);
    }
    at++;
    for (uint32_t s = 0; s < x->nsets; s++) {
        for (uint32_t a = 0; a < x->sets[s].nargs; a++, at++) {
            row[at] = x->sets[s].args[a];
            if (set != s + 1) TRY(null_of(context, row[at]->type, &row[at]));
        }
    }
    for (uint32_t i = 0; i < plain->exprs.count; i++, at++) {
        row[at] = plain->exprs.items[i];
        if (set != 0) TRY(null_of(context, row[at]->type, &row[at]));
    }
    return TRIB_OK;
}

static Status expand(RuleContext *context, Expansion *x, const PlainInputs *plain,
                     LogicalNode **out) {
    const LogicalNode *node = x->node;
    uint32_t nargs = 0;
    for (uint32_t s = 0; s < x->nsets; s++) nargs += x->sets[s].nargs;
    uint32_t n = node->ngroups + 1 + nargs + plain->exprs.count, at = 0;
    LogicalNode *e;
    TRY_ALLOC(e, logical_new(context->arena, LOGICAL_EXPAND, n, 1), context->err);
    e->children[0] = node->children[0];
    TRY_ALLOC(x->groups, ARENA_ARRAY(context->arena, ColumnId, node->ngroups), context->err);
    for (uint32_t g = 0; g < node->ngroups; g++) {
        Str name = plan_column(context->columns, node->output[g])->name;
        TRY(new_column(context, name, node->groups[g]->type, &x->groups[g]));
        e->output[at++] = x->groups[g];
    }
    TRY(new_column(context, STR("set"), TYPE(INTEGER), &x->set_id));
    e->output[at++] = x->set_id;
    for (uint32_t s = 0; s < x->nsets; s++) {
        TRY_ALLOC(x->sets[s].columns, ARENA_ARRAY(context->arena, ColumnId, x->sets[s].nargs),
                  context->err);
        for (uint32_t a = 0; a < x->sets[s].nargs; a++) {
            TRY(new_column(context, STR("distinct"), x->sets[s].args[a]->type,
                           &x->sets[s].columns[a]));
            e->output[at++] = x->sets[s].columns[a];
        }
    }
    for (uint32_t i = 0; i < plain->exprs.count; i++) e->output[at++] = plain->columns[i];
    TRY_ALLOC(e->sets, ARENA_ARRAY(context->arena, Expr **, x->nsets + 1), context->err);
    for (uint32_t set = x->nplain ? 0 : 1; set <= x->nsets; set++) {
        Expr **row;
        TRY_ALLOC(row, ARENA_ARRAY(context->arena, Expr *, n), context->err);
        TRY(expand_row(context, x, plain, set, row));
        e->sets[e->nsets++] = row;
    }
    *out = e;
    return TRIB_OK;
}

/* Groups by (groups, set, all arguments) with the plain aggregates on top. */
static Status inner_grouping(RuleContext *context, Expansion *x, const PlainInputs *plain,
                             LogicalNode *input, LogicalNode **out) {
    const LogicalNode *node = x->node;
    uint32_t ngroups = input->noutput - plain->exprs.count;
    LogicalNode *inner;
    TRY_ALLOC(inner, logical_new(context->arena, LOGICAL_AGGREGATE, ngroups + x->nplain, 1),
              context->err);
    inner->children[0] = input;
    inner->ngroups = ngroups;
    TRY_ALLOC(inner->groups, ARENA_ARRAY(context->arena, Expr *, ngroups), context->err);
    TRY_ALLOC(inner->aggregates, ARENA_ARRAY(context->arena, Expr *, x->nplain), context->err);
    TRY_ALLOC(x->plain_results, ARENA_ARRAY(context->arena, ColumnId, node->naggregates),
              context->err);
    for (uint32_t g = 0; g < ngroups; g++) {
        inner->output[g] = input->output[g];
        TRY_ALLOC(inner->groups[g], rule_column(context, input->output[g]), context->err);
    }
    uint32_t at = 0;
    for (uint32_t i = 0; i < node->naggregates; i++) {
        const Expr *e = node->aggregates[i];
        if (e->distinct) continue;
        Expr **args, *copy;
        TRY_ALLOC(args, ARENA_ARRAY(context->arena, Expr *, e->nargs), context->err);
        for (uint32_t a = 0; a < e->nargs; a++)
            TRY_ALLOC(args[a], rule_column(context, plain->columns[at++]), context->err);
        TRY(rule_expr_over(context, e, args, &copy));
        if (e->as.agg.filter)
            TRY_ALLOC(copy->as.agg.filter, rule_column(context, plain->columns[at++]),
                      context->err);
        TRY(new_column(context, STR("partial"), e->type, &x->plain_results[i]));
        inner->output[ngroups + inner->naggregates] = x->plain_results[i];
        inner->aggregates[inner->naggregates++] = copy;
    }
    *out = inner;
    return TRIB_OK;
}

/* set = n, the condition under which a row of the inner grouping belongs to an aggregate. */
static Status set_is(RuleContext *context, const Expansion *x, uint32_t set, Expr **out) {
    Expr *args[2];
    TRY_ALLOC(args[0], rule_column(context, x->set_id), context->err);
    TRY(integer_of(context, set, &args[1]));
    Type types[2] = {TYPE(INTEGER), TYPE(INTEGER)};
    ResolvedFunction f;
    TRY(function_resolve_id(context->arena, TRIB_FN_eq, 2, types, &f, context->err));
    TRY_ALLOC(*out, expr_call(context->arena, &f, 2, args), context->err);
    return TRIB_OK;
}

static Status outer_aggregate(RuleContext *context, const Expansion *x, uint32_t i, Expr **out) {
    const Expr *e = x->node->aggregates[i];
    if (x->set_of[i] != UINT32_MAX) {
        const DistinctSet *set = &x->sets[x->set_of[i]];
        Expr **args;
        TRY_ALLOC(args, ARENA_ARRAY(context->arena, Expr *, set->nargs), context->err);
        for (uint32_t a = 0; a < set->nargs; a++)
            TRY_ALLOC(args[a], rule_column(context, set->columns[a]), context->err);
        TRY(rule_expr_over(context, e, args, out));
        (*out)->distinct = false;
        return set_is(context, x, x->set_of[i] + 1, &(*out)->as.agg.filter);
    }
    ResolvedAggregate any;
    TRY(aggregate_resolve(context->arena, STR("any_value"), 1, &e->type, &any, context->err));
    Expr *column, *copy;
    TRY_ALLOC(column, rule_column(context, x->plain_results[i]), context->err);
    TRY(rule_expr_over(context, e, e->args, &copy));
    copy->nargs = 1;
    Expr **args;
    TRY_ALLOC(args, ARENA_ARRAY(context->arena, Expr *, 1), context->err);
    args[0] = column;
    copy->args = args;
    copy->as.agg.aggregate = any.aggregate;
    TRY(set_is(context, x, 0, &copy->as.agg.filter));
    *out = copy;
    return TRIB_OK;
}

/* Without groups, or with an empty grouping set, an empty input still has one row: counts of no row are 0, which any_value of no row is
 * not; the plain count is then COALESCEd. */
static Status finish_plain_counts(RuleContext *context, const Expansion *x, LogicalNode *outer,
                                  LogicalNode **out) {
    const LogicalNode *node = x->node;
    LogicalNode *project;
    TRY_ALLOC(project, logical_new(context->arena, LOGICAL_PROJECT, node->noutput, 1),
              context->err);
    TRY_ALLOC(project->exprs, ARENA_ARRAY(context->arena, Expr *, node->noutput), context->err);
    project->children[0] = outer;
    for (uint32_t i = 0; i < node->noutput; i++) {
        project->output[i] = node->output[i];
        TRY_ALLOC(project->exprs[i], rule_column(context, outer->output[i]), context->err);
        if (i < node->ngroups) continue;
        const Expr *e = node->aggregates[i - node->ngroups];
        if (e->distinct || !e->as.agg.aggregate->zero_of_none) continue;
        Value zero = {.type = e->type};
        Expr *args[2] = {project->exprs[i], NULL};
        TRY_ALLOC(args[1], expr_constant(context->arena, zero), context->err);
        TRY_ALLOC(project->exprs[i], expr_new(context->arena, EXPR_COALESCE, e->type, 2, args),
                  context->err);
    }
    *out = project;
    return TRIB_OK;
}

static Status outer_grouping(RuleContext *context, Expansion *x, LogicalNode *inner,
                             LogicalNode **out) {
    const LogicalNode *node = x->node;
    bool global = (node->ngroups == 0 || node->nempty > 0) && x->nplain > 0;
    LogicalNode *outer;
    TRY_ALLOC(outer, logical_new(context->arena, LOGICAL_AGGREGATE, node->noutput, 1),
              context->err);
    outer->children[0] = inner;
    outer->ngroups = node->ngroups;
    outer->nempty = node->nempty;
    outer->empty_rows = node->empty_rows;
    outer->naggregates = node->naggregates;
    TRY_ALLOC(outer->groups, ARENA_ARRAY(context->arena, Expr *, node->ngroups), context->err);
    TRY_ALLOC(outer->aggregates, ARENA_ARRAY(context->arena, Expr *, node->naggregates),
              context->err);
    for (uint32_t g = 0; g < node->ngroups; g++) {
        outer->output[g] = node->output[g];
        TRY_ALLOC(outer->groups[g], rule_column(context, x->groups[g]), context->err);
    }
    for (uint32_t i = 0; i < node->naggregates; i++) {
        uint32_t o = node->ngroups + i;
        outer->output[o] = node->output[o];
        if (global)
            TRY(new_column(context, STR("result"), node->aggregates[i]->type, &outer->output[o]));
        TRY(outer_aggregate(context, x, i, &outer->aggregates[i]));
    }
    *out = outer;
    return global ? finish_plain_counts(context, x, outer, out) : TRIB_OK;
}

/* One list and nothing else: duplicates go by grouping, the aggregates run over what is left. */
static Status group_twice(RuleContext *context, Expansion *x, LogicalNode **out) {
    const LogicalNode *node = x->node;
    DistinctSet *set = &x->sets[0];
    uint32_t ngroups = node->ngroups + set->nargs;
    LogicalNode *inner, *outer;
    TRY_ALLOC(inner, logical_new(context->arena, LOGICAL_AGGREGATE, ngroups, 1), context->err);
    inner->children[0] = node->children[0];
    inner->ngroups = ngroups;
    TRY_ALLOC(inner->groups, ARENA_ARRAY(context->arena, Expr *, ngroups), context->err);
    for (uint32_t g = 0; g < ngroups; g++) {
        bool group = g < node->ngroups;
        inner->groups[g] = group ? node->groups[g] : set->args[g - node->ngroups];
        Str name = group ? plan_column(context->columns, node->output[g])->name : STR("distinct");
        TRY(new_column(context, name, inner->groups[g]->type, &inner->output[g]));
    }
    TRY_ALLOC(outer, logical_copy(context->arena, node), context->err);
    TRY_ALLOC(outer->groups, ARENA_ARRAY(context->arena, Expr *, node->ngroups), context->err);
    TRY_ALLOC(outer->aggregates, ARENA_ARRAY(context->arena, Expr *, node->naggregates),
              context->err);
    outer->children[0] = inner;
    for (uint32_t g = 0; g < node->ngroups; g++)
        TRY_ALLOC(outer->groups[g], rule_column(context, inner->output[g]), context->err);
    Expr **args;
    TRY_ALLOC(args, ARENA_ARRAY(context->arena, Expr *, set->nargs), context->err);
    for (uint32_t a = 0; a < set->nargs; a++)
        TRY_ALLOC(args[a], rule_column(context, inner->output[node->ngroups + a]), context->err);
    for (uint32_t i = 0; i < node->naggregates; i++) {
        TRY(rule_expr_over(context, node->aggregates[i], args, &outer->aggregates[i]));
        outer->aggregates[i]->distinct = false;
    }
    *out = outer;
    return TRIB_OK;
}

Status rule_expand_distinct(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    LogicalNode *node;
    TRY(rule_map_children(context, in, rule_expand_distinct, &node));
    *out = node;
    bool any = false;
    for (uint32_t i = 0; i < node->naggregates; i++) any |= node->aggregates[i]->distinct;
    if (!any) return TRIB_OK;
    Expansion x = {.node = node};
    PlainInputs plain;
    LogicalNode *expanded, *inner;
    TRY(collect_sets(context, &x));
    if (x.nsets == 1 && x.nplain == 0 && !x.sets[0].filter) return group_twice(context, &x, out);
    TRY(collect_plain(context, &x, &plain));
    TRY(expand(context, &x, &plain, &expanded));
    TRY(inner_grouping(context, &x, &plain, expanded, &inner));
    return outer_grouping(context, &x, inner, out);
}
