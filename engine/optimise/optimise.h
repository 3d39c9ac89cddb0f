/*
 * optimise.h - the list of rules that turn a bound plan into a good one.
 *
 * Each rule is a file with one function and a row in rules.def (its name, its place in the order, what it
 * does); SET SESSION disabled_rules = 'name,...' leaves rules out, results must not change. Parameters
 * have become constants before the first rule. push_down is the rule that offers pieces to the sources.
 */
#ifndef TRIB_OPTIMISE_OPTIMISE_H
#define TRIB_OPTIMISE_OPTIMISE_H

#include "engine/plan/logical.h"

typedef struct OptimiseContext {
    const EvalSession *session;
    SourceCall call;
    Str disabled_rules;
    TribPushdownMode mode;
    bool runtime_filters;
    bool verify;
    uint32_t nparams;
    const Value *params; /* converted to the statement's parameter types */
} OptimiseContext;

/* `bound` stays as it is (it may be executed again); the result lives in `arena`. SourcePlans are
 * released when the arena is. */
Status optimise(const OptimiseContext *context, Arena *arena, const LogicalPlan *bound,
                LogicalPlan **out, Error *err) WARN_UNUSED;

/* Checks a list for disabled_rules: names of rules that may be switched off, separated by commas. HY024
 * names the one that is not, and the choices. */
Status optimise_check_disabled(Str list, Error *err) WARN_UNUSED;

/* The rules in order, for documentation and tests: NULL at the end. */
const char *optimise_rule_name(uint32_t index);
const char *optimise_rule_help(uint32_t index);

#endif
