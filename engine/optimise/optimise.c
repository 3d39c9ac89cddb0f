/*
 * optimise.c - runs the rules of rules.def in their order.
 */
#include "engine/optimise/rule.h"

typedef struct RuleRow {
    const char *name, *help;
    Rule rule;
    bool required;
} RuleRow;

static const RuleRow rules[] = {
#define RULE(name, help)          {#name, help, rule_##name, false},
#define REQUIRED_RULE(name, help) {#name, help, rule_##name, true},
#include "engine/optimise/rules.def"
};

const char *optimise_rule_name(uint32_t index) {
    return index < COUNT_OF(rules) ? rules[index].name : NULL;
}

const char *optimise_rule_help(uint32_t index) {
    return index < COUNT_OF(rules) ? rules[index].help : NULL;
}

/* The next name of a comma-separated list; false at its end. */
static bool next_name(Str *list, Str *name) {
    if (list->len == 0) return false;
    const char *comma = memchr(list->data, ',', list->len);
    size_t len = comma ? (size_t)(comma - list->data) : list->len;
    *name = str_trim((Str){list->data, len});
    size_t used = comma ? len + 1 : len;
    *list = (Str){list->data + used, list->len - used};
    return true;
}

static bool disabled(Str list, const char *name) {
    Str entry;
    while (next_name(&list, &entry)) {
        if (str_equal_fold(entry, str_from(name))) return true;
    }
    return false;
}

static Status refuse_rule(Str name, bool required, Error *err) {
    char choices[512];
    size_t used = 0;
    choices[0] = 0;
    for (uint32_t i = 0; i < COUNT_OF(rules) && used < sizeof choices; i++) {
        if (rules[i].required) continue;
        used += text_format(choices + used, sizeof choices - used, "%s%s", used ? ", " : "",
                            rules[i].name);
    }
    error_set(err, ERR_ATTRIBUTE_VALUE,
              required ? "the optimiser rule '" STR_FORMAT "' cannot be switched off"
                       : "there is no optimiser rule '" STR_FORMAT "'",
              STR_ARGS(name));
    return error_hint(err, "disabled_rules may name %s.", choices);
}

Status optimise_check_disabled(Str list, Error *err) {
    Str name;
    while (next_name(&list, &name)) {
        uint32_t i = 0;
        while (i < COUNT_OF(rules) && !str_equal_fold(name, str_from(rules[i].name))) i++;
        if (i == COUNT_OF(rules) && name.len) return refuse_rule(name, false, err);
        if (i < COUNT_OF(rules) && rules[i].required) return refuse_rule(name, true, err);
    }
    return TRIB_OK;
}

/* Which WITH queries does the plan use, be it in sub-queries or in those that it uses? Others were bound for
 * their errors only. */
typedef struct UsedCtes {
    RuleContext *context;
    bool *used; /* by position */
} UsedCtes;

static Status mark_used(UsedCtes *self, LogicalNode *node);

static Status mark_subquery(void *state, Expr *e, Expr **out) {
    UsedCtes *self = state;
    *out = e;
    if (e->kind == EXPR_SUBQUERY) TRY(mark_used(self, e->as.plan));
    if (e->kind == EXPR_AGGREGATE && e->as.agg.filter) {
        Expr *same;
        TRY(mark_subquery(self, e->as.agg.filter, &same));
    }
    for (uint32_t i = 0; i < e->nargs; i++) {
        Expr *same;
        TRY(mark_subquery(self, e->args[i], &same));
    }
    return TRIB_OK;
}

static Status mark_used(UsedCtes *self, LogicalNode *node) {
    RuleContext *context = self->context;
    LogicalNode *same;
    if (node->kind == LOGICAL_CTE && node->nchildren == 0 && !self->used[node->shared->id - 1]) {
        self->used[node->shared->id - 1] = true;
        TRY(mark_used(self, context->plan->ctes[node->shared->id - 1]->root));
    }
    TRY(logical_map_exprs(context->arena, node, mark_subquery, self, &same, context->err));
    for (uint32_t i = 0; i < node->nchildren; i++) TRY(mark_used(self, node->children[i]));
    return TRIB_OK;
}

/* Entries of their own, whose plans the rules may replace. */
static Status copy_ctes(RuleContext *context) {
    LogicalPlan *plan = context->plan;
    UsedCtes used = {.context = context};
    SharedPlan **copies;
    if (plan->nctes == 0) return TRIB_OK;
    TRY_ALLOC(used.used, ARENA_ARRAY(context->arena, bool, plan->nctes), context->err);
    TRY_ALLOC(copies, ARENA_ARRAY(context->arena, SharedPlan *, plan->nctes), context->err);
    TRY(mark_used(&used, plan->root));
    for (uint32_t i = 0; i < plan->nctes; i++) {
        copies[i] = NULL;
        if (!used.used[i]) continue;
        TRY_ALLOC(copies[i], ARENA_NEW(context->arena, SharedPlan), context->err);
        *copies[i] = *plan->ctes[i];
    }
    plan->ctes = copies;
    return TRIB_OK;
}

/* Columns are copied: rules add some, and the bound plan must stay as it is. */
static Status copy_plan(Arena *arena, const LogicalPlan *bound, LogicalPlan **out, Error *err) {
    LogicalPlan *plan;
    TRY_ALLOC(plan, ARENA_NEW(arena, LogicalPlan), err);
    *plan = *bound;
    plan->arena = arena;
    uint32_t capacity = bound->columns.count + 32;
    plan->columns =
        (PlanColumns){.arena = arena, .count = bound->columns.count, .capacity = capacity};
    TRY_ALLOC(plan->columns.columns, ARENA_ARRAY(arena, PlanColumn, capacity), err);
    if (bound->columns.count) {
        memcpy(plan->columns.columns, bound->columns.columns,
               (bound->columns.count + 1) * sizeof(PlanColumn));
    }
    *out = plan;
    return TRIB_OK;
}

/* The rule over the plan, then over those that are shared (share_ctes makes some) and WITH queries. */
static Status run_rule(RuleContext *context, Rule rule) {
    LogicalPlan *plan = context->plan;
    uint32_t nshared = plan->nshared;
    TRY(rule(context, plan->root, &plan->root));
    LogicalNode *root = plan->root;
    for (uint32_t i = 0; i < nshared; i++)
        TRY(rule(context, plan->shared[i]->root, &plan->shared[i]->root));
    for (uint32_t i = 0; i < plan->nctes; i++) {
        if (plan->ctes[i]) TRY(rule(context, plan->ctes[i]->root, &plan->ctes[i]->root));
    }
    plan->root = root;
    return TRIB_OK;
}

Status optimise(const OptimiseContext *context, Arena *arena, const LogicalPlan *bound,
                LogicalPlan **out, Error *err) {
    LogicalPlan *plan;
    TRY(copy_plan(arena, bound, &plan, err));
    RuleContext rule = {
        .arena = arena, .columns = &plan->columns, .options = context, .plan = plan, .err = err};
    TRY(copy_ctes(&rule));
    for (uint32_t i = 0; i < COUNT_OF(rules); i++) {
        if (!rules[i].required && disabled(context->disabled_rules, rules[i].name)) continue;
        TRY(run_rule(&rule, rules[i].rule));
    }
    *out = plan;
    return TRIB_OK;
}
