/*
 * sets.c - executions that take an array of sets of parameters.
 *
 * INSERT ... VALUES (?, ? + 1, 'x') with n sets is carried out as INSERT ... SELECT p1, p2 + 1, 'x' FROM a
 * table of n rows whose columns are the parameters. That plan does not depend on values: it is made once
 * and kept as long as the parameters keep their types, so that neither an array nor a loop of single rows
 * is planned per execution. Constants are left as written, since the time zone may change in between.
 *
 * Threads: bound by the caller's thread, planned on the crew's, one after the other. What is planned may run on the
 * caller's (light.c).
 */
#include "engine/runtime/session.h"

#include "engine/bind/write.h"

#define LIGHT_DEPTH 8 /* of expressions that need little stack */

/* WRITE over the conversion to the table's types over VALUES: that row; NULL: it is another statement. */
static LogicalNode *values_of(const BoundStatement *bound) {
    const LogicalNode *root = bound->plan->root;
    if (root->kind != LOGICAL_WRITE || root->write != TRIB_WRITE_INSERT || root->nmerge)
        return NULL;
    const LogicalNode *rows = root->children[0];
    if (rows->kind != LOGICAL_PROJECT) return NULL;
    LogicalNode *values = rows->children[0];
    return values->kind == LOGICAL_VALUES && values->nrows == 1 ? values : NULL;
}

bool statement_takes_sets(const Statement *self) {
    if (!self->bound || self->bound->kind != BOUND_WRITE || self->nparameters == 0) return false;
    const LogicalNode *values = values_of(self->bound);
    for (uint32_t i = 0; values && i < values->noutput; i++)
        if (expr_has_kind(values->value_rows[0][i], EXPR_SUBQUERY)) return false;
    return values != NULL;
}

Status statement_bind_sets(Statement *self, const ParameterSets *sets, Error *err) {
    if (!statement_takes_sets(self))
        return error_set(err, ERR_SEQUENCE, "the statement takes one set of parameters at a time");
    self->sets = *sets;
    return TRIB_OK;
}

void sets_forget(Statement *self) {
    if (self->sets_arena) arena_reset(self->sets_arena);
    self->sets_plan = NULL;
    self->sets_types = NULL;
    self->sets_light = false;
    self->sets = (ParameterSets){0};
}

typedef struct SetsPlan {
    Statement *statement;
    Arena *arena;
    LogicalPlan *plan;
    LogicalNode *source; /* SETS */
    Error *err;
} SetsPlan;

static Expr *replace_parameter(void *context, const Expr *e) {
    SetsPlan *self = context;
    if (e->kind != EXPR_PARAMETER) return NULL;
    Type type = e->type, given = self->statement->sets.columns[e->as.slot].type;
    if (type_is_text(type)) type.length = 0; /* what is reported, not a limit */
    if (!type_castable(given, type))         /* see check_cast */
        return expr_constant(self->arena, (Value){.type = type, .is_null = true});
    Expr *column = expr_column(self->arena, self->source->output[e->as.slot], given);
    Expr *value = column ? expr_stored(self->arena, column, type) : NULL;
    const AstExpr *marker = blame_marker(self->statement->bound->ast, e->as.slot);
    if (value && marker) {
        value->line = marker->at.line;
        value->column = marker->at.column;
    }
    return value;
}

static bool all_null(const ParameterSets *sets, const ParameterColumn *column) {
    for (uint32_t i = 0; i < sets->count; i++)
        if (!column->validity || bitmap_get(column->validity, sets->first + i)) return false;
    return true;
}

/* NULL fits everywhere, whatever type the program has declared for it. */
static Status check_cast(const Statement *self, uint32_t number, Error *err) {
    char given[128], wanted[128];
    Type from = self->sets.columns[number].type, to = self->parameters[number].type;
    if (type_castable(from, to) || all_null(&self->sets, &self->sets.columns[number]))
        return TRIB_OK;
    engine_type_name(from, given, sizeof given);
    engine_type_name(to, wanted, sizeof wanted);
    return error_set(err, ERR_TYPE_ATTRIBUTE, "parameter %u: cannot cast %s to %s", number + 1,
                     given, wanted);
}

/* The leaf, with a column of its own per parameter. */
static Status source_new(SetsPlan *self) {
    Statement *s = self->statement;
    TRY_ALLOC(self->source, logical_new(self->arena, LOGICAL_SETS, s->nparameters, 0), self->err);
    self->source->sets_of = &s->sets;
    for (uint32_t i = 0; i < s->nparameters; i++) {
        Type type = s->sets.columns[i].type;
        TRY(check_cast(s, i, self->err));
        ColumnId id = plan_column_new(&self->plan->columns, STR("parameter"), type, true);
        if (!id) return error_out_of_memory(self->err);
        self->source->output[i] = id;
    }
    return TRIB_OK;
}

/* The bound plan with columns of its own, so that new ones may be added. */
static Status plan_copy(SetsPlan *self) {
    const LogicalPlan *bound = self->statement->bound->plan;
    TRY_ALLOC(self->plan, ARENA_NEW(self->arena, LogicalPlan), self->err);
    *self->plan = *bound;
    self->plan->arena = self->arena;
    PlanColumns *columns = &self->plan->columns;
    columns->arena = self->arena;
    columns->capacity = columns->count + 1 + self->statement->nparameters;
    TRY_ALLOC(columns->columns, ARENA_ARRAY(self->arena, PlanColumn, columns->capacity + 1),
              self->err);
    memcpy(columns->columns, bound->columns.columns,
           ((size_t)columns->count + 1) * sizeof *columns->columns);
    return TRIB_OK;
}

/* VALUES as a projection of the sets. */
static Status values_project(SetsPlan *self, const LogicalNode *values, LogicalNode **out) {
    LogicalNode *project;
    TRY_ALLOC(project, logical_new(self->arena, LOGICAL_PROJECT, values->noutput, 1), self->err);
    TRY_ALLOC(project->exprs, ARENA_ARRAY(self->arena, Expr *, values->noutput), self->err);
    project->children[0] = self->source;
    for (uint32_t i = 0; i < values->noutput; i++) {
        project->output[i] = values->output[i];
        TRY(expr_rewrite(self->arena, values->value_rows[0][i], replace_parameter, self,
                         &project->exprs[i], self->err));
        if (expr_has_kind(project->exprs[i], EXPR_PARAMETER)) return error_out_of_memory(self->err);
    }
    *out = project;
    return TRIB_OK;
}

static bool exprs_flat(const LogicalNode *project) {
    for (uint32_t i = 0; i < project->noutput; i++)
        if (!expr_within(project->exprs[i], LIGHT_DEPTH)) return false;
    return true;
}

/* Storing rows in this process needs no other thread: see light.c. */
static Status target_look(SetsPlan *self, const LogicalNode *project, const LogicalNode *rows) {
    Source *source;
    TRY(catalog_source(self->plan->root->write_catalog, &source, self->err));
    bool here = (source_connector(source)->flags & TRIB_NONBLOCKING) != 0;
    self->statement->sets_light = here && exprs_flat(project) && exprs_flat(rows);
    return TRIB_OK;
}

static Status plan_make(SetsPlan *self) {
    Statement *s = self->statement;
    LogicalNode *write, *rows, *project;
    TRY(plan_copy(self));
    TRY(source_new(self));
    TRY(values_project(self, values_of(s->bound), &project));
    TRY_ALLOC(write, logical_copy(self->arena, self->plan->root), self->err);
    TRY_ALLOC(rows, logical_copy(self->arena, write->children[0]), self->err);
    TRY_ALLOC(write->children, ARENA_ARRAY(self->arena, LogicalNode *, 1), self->err);
    TRY_ALLOC(rows->children, ARENA_ARRAY(self->arena, LogicalNode *, 1), self->err);
    write->children[0] = rows;
    rows->children[0] = project;
    self->plan->root = write;
    TRY_ALLOC(s->sets_types, ARENA_ARRAY(self->arena, Type, s->nparameters), self->err);
    for (uint32_t i = 0; i < s->nparameters; i++) {
        Type given = s->sets.columns[i].type;
        bool kept =
            type_castable(given, s->parameters[i].type); /* else the plan is for NULLs only */
        s->sets_types[i] = kept ? given : TYPE(UNKNOWN);
    }
    TRY(physical_lower(self->arena, self->plan, &s->eval, false, &s->sets_plan, self->err));
    return target_look(self, project, rows);
}

bool sets_planned(const Statement *self) {
    if (!self->sets_plan) return false;
    for (uint32_t i = 0; i < self->nparameters; i++)
        if (!type_equal(self->sets_types[i], self->sets.columns[i].type)) return false;
    return true;
}

Status sets_plan(Statement *self, Error *err) {
    if (!sets_planned(self)) {
        ParameterSets sets = self->sets;
        sets_forget(self);
        self->sets = sets;
        if (!self->sets_arena) TRY_ALLOC(self->sets_arena, arena_new(NULL), err);
        SetsPlan plan = {.statement = self, .arena = self->sets_arena, .err = err};
        Status status = plan_make(&plan);
        if (status != TRIB_OK) {
            sets_forget(self);
            return status;
        }
    }
    self->physical = self->sets_plan;
    return TRIB_OK;
}
