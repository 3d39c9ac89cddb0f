/*
 * print.c - plans as text: EXPLAIN (TYPE LOGICAL), EXPLAIN, EXPLAIN (TYPE REMOTE).
 *
 * One line per node, two blanks per level; a column is printed as its name, with #id where two columns
 * of the plan share it.
 */
#include <inttypes.h>
#include <stdio.h>

#include "engine/plan/print.h"

#define PRINT_MAX_INDENT \
    64 /* levels; below them the level is written instead of going further right */

static void print_indent(Buf *out, uint32_t depth) {
    uint32_t shown = depth < PRINT_MAX_INDENT ? depth : PRINT_MAX_INDENT;
    buf_printf(out, "%*s", (int)(shown * 2), "");
    if (depth > PRINT_MAX_INDENT) buf_printf(out, "[%u] ", depth);
}

/* ---------------------------------------------------------------- logical */

const char *logical_name(void *context, ColumnId id) {
    LogicalPrinter *self = context;
    const PlanColumn *column = plan_column(&self->plan->columns, id);
    uint32_t same = 0;
    for (ColumnId i = 1; i <= self->plan->columns.count && same < 2; i++) {
        same += str_equal(self->plan->columns.columns[i].name, column->name);
    }
    const char *text = column->name.len == 0 ? arena_printf(self->arena, "#%u", id)
                       : same > 1
                           ? arena_printf(self->arena, STR_FORMAT "#%u", STR_ARGS(column->name), id)
                           : str_dup(self->arena, column->name);
    return text ? text : "?";
}

static void print_expr(LogicalPrinter *self, const Expr *e) {
    expr_print(self->out, e, logical_name, self);
}

static void print_list(LogicalPrinter *self, const char *before, uint32_t count, Expr *const *exprs,
                       const char *between) {
    buf_text(self->out, before);
    for (uint32_t i = 0; i < count; i++) {
        if (i) buf_text(self->out, between);
        print_expr(self, exprs[i]);
    }
}

static void print_output(LogicalPrinter *self, const LogicalNode *node) {
    buf_text(self->out, " -> ");
    for (uint32_t i = 0; i < node->noutput; i++) {
        if (i) buf_text(self->out, ", ");
        buf_text(self->out, logical_name(self, node->output[i]));
    }
}

static void print_keys(LogicalPrinter *self, const LogicalNode *node) {
    for (uint32_t i = 0; i < node->nkeys; i++) {
        buf_text(self->out, i ? ", " : " ");
        print_expr(self, node->keys[i].expr);
        if (node->keys[i].descending) buf_text(self->out, " DESC");
        buf_text(self->out, node->keys[i].nulls_first ? " NULLS FIRST" : " NULLS LAST");
    }
}

static void print_limit(LogicalPrinter *self, const LogicalNode *node) {
    if (node->limit) {
        buf_text(self->out, "limit ");
        print_expr(self, node->limit);
    }
    if (node->offset) {
        buf_text(self->out, node->limit ? " offset " : "offset ");
        print_expr(self, node->offset);
    }
}

const char *const join_names[] = {
    [JOIN_INNER] = "inner",
    [JOIN_LEFT] = "left",
    [JOIN_RIGHT] = "right",
    [JOIN_FULL] = "full",
    [JOIN_CROSS] = "cross",
    [JOIN_SEMI] = "semi",
    [JOIN_ANTI] = "anti",
    [JOIN_ANTI_NULLS] = "anti (nulls)",
    [JOIN_MARK] = "mark",
    [JOIN_RIGHT_SEMI] = "right semi",
    [JOIN_RIGHT_ANTI] = "right anti",
};

static void print_project(LogicalPrinter *self, const LogicalNode *node) {
    for (uint32_t i = 0; i < node->noutput; i++) {
        buf_text(self->out, i ? ", " : " ");
        const Expr *e = node->exprs[i];
        if (e->kind == EXPR_COLUMN && e->as.column_id == node->output[i]) {
            print_expr(self, e);
        } else {
            buf_printf(self->out, "%s := ", logical_name(self, node->output[i]));
            print_expr(self, e);
        }
    }
}

static void print_aggregate(LogicalPrinter *self, const LogicalNode *node) {
    print_list(self, node->ngroups ? " by " : "", node->ngroups, node->groups, ", ");
    for (uint32_t i = 0; i < node->naggregates; i++) {
        buf_printf(self->out, "%s%s := ", i ? ", " : ": ",
                   logical_name(self, node->output[node->ngroups + i]));
        print_expr(self, node->aggregates[i]);
    }
}

/* WINDOW: which rows of a partition are wanted at most. */
static void print_keep(Buf *out, uint32_t keep, uint16_t by) {
    const char *name = by == TRIB_FN_row_number ? "row_number"
                       : by == TRIB_FN_rank     ? "rank"
                                                : "dense_rank";
    if (keep) buf_printf(out, " keeping %s <= %u", name, keep);
}

static void print_windows(LogicalPrinter *self, const LogicalNode *node) {
    uint32_t first = node->noutput - node->nwindows;
    buf_text(self->out, "window");
    for (uint32_t i = 0; i < node->nwindows; i++) {
        buf_printf(self->out, "%s%s := ", i ? ", " : " ",
                   logical_name(self, node->output[first + i]));
        print_expr(self, node->windows[i]);
    }
    print_keep(self->out, node->keep, node->keep_by);
}

static void print_scan(LogicalPrinter *self, const LogicalNode *node) {
    buf_printf(self->out, "scan %s.%s.%s", catalog_name(node->table->catalog),
               node->table->table.schema, node->table->table.name);
    print_output(self, node);
    if (node->pushed && node->pushed->taken & TRIB_TAKEN_LIMIT)
        buf_text(self->out, "  [limit pushed]");
}

static void print_unnest(LogicalPrinter *self, const LogicalNode *node) {
    bool ordinality = false;
    for (uint32_t i = node->nkept; i < node->noutput; i++)
        ordinality |= node->unnested[i - node->nkept].arg == node->nunnest;
    print_list(self, node->keep_empty ? "left unnest " : "unnest ", node->nunnest, node->unnest,
               ", ");
    if (ordinality) buf_text(self->out, " with ordinality");
}

void logical_node_print(LogicalPrinter *self, const LogicalNode *node) {
    switch (node->kind) {
    case LOGICAL_SCAN: print_scan(self, node); break;
    case LOGICAL_VALUES: buf_printf(self->out, "values %u rows", node->nrows); break;
    case LOGICAL_SETS: buf_text(self->out, "sets of parameters"); break;
    case LOGICAL_FILTER:
        print_list(self, "filter ", node->nconjuncts, node->conjuncts, " AND ");
        break;
    case LOGICAL_PROJECT:
        buf_text(self->out, "project");
        print_project(self, node);
        break;
    case LOGICAL_JOIN:
        buf_printf(self->out, "%s join", join_names[node->join]);
        print_list(self, node->nconjuncts ? " on " : "", node->nconjuncts, node->conjuncts,
                   " AND ");
        break;
    case LOGICAL_AGGREGATE:
        buf_text(self->out, node->naggregates ? "aggregate" : "distinct");
        print_aggregate(self, node);
        break;
    case LOGICAL_SORT:
    case LOGICAL_TOPN:
        buf_text(self->out, node->kind == LOGICAL_SORT ? "sort" : "top-n");
        print_keys(self, node);
        if (node->limit || node->offset) buf_char(self->out, ' ');
        print_limit(self, node);
        break;
    case LOGICAL_WINDOW: print_windows(self, node); break;
    case LOGICAL_LIMIT: print_limit(self, node); break;
    case LOGICAL_TIES:
        print_limit(self, node);
        buf_text(self->out, " with ties by");
        print_keys(self, node);
        break;
    case LOGICAL_SAMPLE:
        buf_text(self->out, node->system ? "sample system " : "sample bernoulli ");
        print_expr(self, node->limit);
        break;
    case LOGICAL_SETOP:
        buf_text(self->out, node->set == SET_INTERSECT ? "intersect" : "except");
        if (node->all) buf_text(self->out, " all");
        break;
    case LOGICAL_CTE: buf_text(self->out, "use of a common table expression"); break;
    case LOGICAL_SHARED:
        buf_printf(self->out, "shared %u", node->shared->id);
        print_output(self, node);
        break;
    case LOGICAL_RECURSIVE:
        buf_printf(self->out, "recursive %u union%s", node->recursion,
                   node->distinct ? "" : " all");
        break;
    case LOGICAL_WORKING:
        buf_printf(self->out, "%s of recursive %u", node->distinct ? "all rows" : "last rows",
                   node->recursion);
        print_output(self, node);
        break;
    case LOGICAL_REPEAT:
        buf_printf(self->out, "repeat %s times", logical_name(self, node->mark));
        break;
    case LOGICAL_UNION: buf_text(self->out, "union all"); break;
    case LOGICAL_SINGLE_ROW: buf_text(self->out, "single row"); break;
    case LOGICAL_EXPAND: buf_printf(self->out, "expand %u sets", node->nsets); break;
    case LOGICAL_UNNEST: print_unnest(self, node); break;
    case LOGICAL_VERIFY: buf_text(self->out, "verify"); break;
    case LOGICAL_WRITE:
        buf_printf(self->out, "%s %s.%s", node->nmerge ? "merge into" : "write", node->write_schema,
                   node->write_name);
        break;
    default: buf_printf(self->out, "node %d", (int)node->kind); break;
    }
}

const LogicalNode *logical_shown_below(LogicalPrinter *self, const LogicalNode *node) {
    if (node->kind != LOGICAL_SHARED) return NULL;
    if (!self->shown) self->shown = ARENA_ARRAY(self->arena, bool, self->plan->nshared + 1);
    if (!self->shown || self->shown[node->shared->id]) return NULL;
    self->shown[node->shared->id] = true;
    return node->shared->root;
}

static void print_logical(LogicalPrinter *self, const LogicalNode *node, uint32_t depth) {
    if (depth > PRINT_MAX_DEPTH) {
        buf_text(self->out, "...\n");
        return;
    }
    print_indent(self->out, depth);
    logical_node_print(self, node);
    buf_printf(self->out, "  (about %.0f rows)\n", row_memo_get(&self->memo, node));
    for (uint32_t i = 0; i < node->nchildren; i++)
        print_logical(self, node->children[i], depth + 1);
    const LogicalNode *shared = logical_shown_below(self, node);
    if (shared) print_logical(self, shared, depth + 1);
}

void logical_print(Buf *out, const LogicalPlan *plan) {
    LogicalPrinter printer = {.out = out, .plan = plan, .arena = plan->arena};
    row_memo_init(&printer.memo, plan->arena, &plan->columns);
    print_logical(&printer, plan->root, 0);
}

/* ---------------------------------------------------------------- remote */

const char *const verdict_names[] = {
    [TRIB_NONE] = "NONE", [TRIB_SUPERSET] = "SUPERSET", [TRIB_EXACT] = "EXACT"};

static void remote_conjuncts(LogicalPrinter *self, const PushedScan *pushed) {
    for (uint32_t i = 0; i < pushed->nconjuncts; i++) {
        const PushedConjunct *c = &pushed->conjuncts[i];
        buf_printf(self->out, "  %-9s ", verdict_names[c->verdict.kind]);
        print_expr(self, c->expr);
        if (c->verdict.kind != TRIB_EXACT) buf_printf(self->out, "   kept: %s", c->verdict.reason);
        buf_char(self->out, '\n');
    }
}

static void remote_piece(Buf *out, const char *what, bool taken, const TribVerdict *verdict) {
    if (taken) {
        buf_printf(out, "  %-9s %s%s%s\n", "EXACT", what, verdict->reason[0] ? "   " : "",
                   verdict->reason);
    } else {
        buf_printf(out, "  %-9s %s   %s\n", "local", what,
                   verdict->reason[0] ? verdict->reason : "not offered by the source");
    }
}

/* What is sent; further lines of it (its parameters) are indented like the first. */
static void remote_text(Buf *out, const char *text) {
    buf_text(out, "  text:     ");
    for (; *text; text++) {
        buf_char(out, *text);
        if (*text == '\n') buf_text(out, "  ");
    }
    buf_char(out, '\n');
}

static void remote_scan(LogicalPrinter *self, const LogicalNode *node) {
    const PushedScan *p = node->pushed;
    const Catalog *catalog = node->table->catalog;
    buf_printf(self->out, "source %s (%s)", catalog_name(catalog), catalog_type(catalog));
    if (p && p->note && p->note[0]) buf_printf(self->out, ", %s", p->note);
    buf_char(self->out, '\n');
    buf_printf(self->out, "  table:    %s.%s", node->table->table.schema, node->table->table.name);
    if (p && p->how) buf_printf(self->out, "   (%s)", p->how);
    buf_char(self->out, '\n');
    if (!p) return;
    if (p->text) remote_text(self->out, p->text);
    remote_conjuncts(self, p);
    if (p->offered_order)
        remote_piece(self->out, "ORDER BY", (p->taken & TRIB_TAKEN_ORDER) != 0, &p->order);
    if (p->offered_limit) {
        char what[48];
        snprintf(what, sizeof what, "LIMIT %" PRId64, p->limit_rows);
        remote_piece(self->out, what, (p->taken & TRIB_TAKEN_LIMIT) != 0, &p->limit);
    }
    if (p->offered_grouping)
        remote_piece(self->out, "GROUP BY", (p->taken & TRIB_TAKEN_GROUPING) != 0, &p->grouping);
}

static void remote_walk(LogicalPrinter *self, const LogicalNode *node, uint32_t depth,
                        uint32_t *sources) {
    if (depth > PRINT_MAX_DEPTH) return;
    if (node->kind == LOGICAL_SCAN) {
        remote_scan(self, node);
        (*sources)++;
    }
    for (uint32_t i = 0; i < node->nchildren; i++)
        remote_walk(self, node->children[i], depth + 1, sources);
    const LogicalNode *shared = logical_shown_below(self, node);
    if (shared) remote_walk(self, shared, depth + 1, sources);
}

void remote_print(Buf *out, const LogicalPlan *plan) {
    LogicalPrinter printer = {.out = out, .plan = plan, .arena = plan->arena};
    uint32_t sources = 0;
    remote_walk(&printer, plan->root, 0, &sources);
    if (sources == 0)
        buf_text(out, "no source is asked anything: the statement is answered here\n");
}

/* ---------------------------------------------------------------- physical */

const char *const phys_names[PHYS_KIND_COUNT] = {
    [PHYS_SCAN] = "Scan",
    [PHYS_VALUES] = "Values",
    [PHYS_SETS] = "ParameterSets",
    [PHYS_FILTER] = "Filter",
    [PHYS_PROJECT] = "Project",
    [PHYS_HASH_JOIN] = "HashJoin",
    [PHYS_AGGREGATE] = "Aggregate",
    [PHYS_SORT] = "Sort",
    [PHYS_TOPN] = "TopN",
    [PHYS_LIMIT] = "Limit",
    [PHYS_UNION] = "UnionAll",
    [PHYS_SINGLE_ROW] = "SingleRow",
    [PHYS_EXPAND] = "Expand",
    [PHYS_WRITE] = "Write",
    [PHYS_MERGE] = "Merge",
    [PHYS_RESULT] = "Result",
    [PHYS_VERIFY] = "Verify",
    [PHYS_REPEAT] = "Repeat",
    [PHYS_SAMPLE] = "Sample",
    [PHYS_TIES] = "LimitWithTies",
    [PHYS_UNNEST] = "Unnest",
    [PHYS_SHARED] = "Shared",
    [PHYS_SHARED_READ] = "SharedRead",
    [PHYS_RECURSIVE] = "Recursive",
    [PHYS_WORKING] = "WorkingTable",
    [PHYS_WINDOW] = "Window",
};

static const char *phys_name(void *context, ColumnId ordinal) {
    PhysPrinter *self = context;
    const PhysNode *first = self->input[0], *second = self->input[1];
    if (first && ordinal < first->ncolumns) return first->names[ordinal];
    if (first && second && ordinal - first->ncolumns < second->ncolumns)
        return second->names[ordinal - first->ncolumns];
    return "?";
}

static void phys_exprs(PhysPrinter *self, const char *before, uint32_t count, Expr *const *exprs,
                       const char *between) {
    buf_text(self->out, before);
    for (uint32_t i = 0; i < count; i++) {
        if (i) buf_text(self->out, between);
        expr_print(self->out, exprs[i], phys_name, self);
    }
}

static void phys_join(PhysPrinter *self, const PhysNode *node) {
    const PhysNode *probe = node->children[0], *build = node->children[1];
    buf_printf(self->out, " %s", join_names[node->as.join.join]);
    for (uint32_t i = 0; i < node->as.join.nkeys; i++) {
        buf_text(self->out, i ? " AND " : " ");
        *self = (PhysPrinter){self->out, self->counters, {probe, NULL}};
        expr_print(self->out, node->as.join.probe_keys[i], phys_name, self);
        buf_text(self->out, node->as.join.null_safe >> i & 1 ? " IS NOT DISTINCT FROM " : " = ");
        *self = (PhysPrinter){self->out, self->counters, {build, NULL}};
        expr_print(self->out, node->as.join.build_keys[i], phys_name, self);
    }
    if (node->as.join.residual) {
        *self = (PhysPrinter){self->out, self->counters, {probe, build}};
        buf_text(self->out, " residual ");
        expr_print(self->out, node->as.join.residual, phys_name, self);
    }
    for (uint32_t i = 0; i < node->as.join.ntargets; i++) {
        const PhysFilterTarget *t = &node->as.join.targets[i];
        buf_printf(self->out, "  runtime filter -> %s", t->scan->names[t->output]);
    }
    for (uint32_t i = 0; i < node->as.join.npassed; i++) {
        const PhysFilterTarget *t = &node->as.join.passed[i];
        buf_printf(self->out, "  runtime filter => %s", t->scan->names[t->output]);
    }
}

static void phys_aggregate(PhysPrinter *self, const PhysNode *node) {
    phys_exprs(self, node->as.aggregate.ngroups ? " by " : "", node->as.aggregate.ngroups,
               node->as.aggregate.groups, ", ");
    for (uint32_t i = 0; i < node->as.aggregate.naggregates; i++) {
        const PhysAggregate *a = &node->as.aggregate.aggregates[i];
        buf_printf(self->out, "%s%s(", i ? ", " : ": ", a->aggregate->name);
        phys_exprs(self, a->nargs ? "" : "*", a->nargs, a->args, ", ");
        buf_char(self->out, ')');
        if (a->filter) {
            buf_text(self->out, " FILTER (WHERE ");
            expr_print(self->out, a->filter, phys_name, self);
            buf_char(self->out, ')');
        }
    }
}

static void phys_window(PhysPrinter *self, const PhysNode *node) {
    for (uint32_t i = 0; i < node->as.window.nwindows; i++) {
        const PhysWindow *w = &node->as.window.windows[i];
        Expr e = {.kind = EXPR_WINDOW, .nargs = w->nargs, .args = w->args, .as.window = w->call};
        buf_text(self->out, i ? ", " : " ");
        expr_print(self->out, &e, phys_name, self);
    }
    print_keep(self->out, node->as.window.keep, node->as.window.keep_by);
}

static void phys_sort(PhysPrinter *self, const PhysNode *node) {
    for (uint32_t i = 0; i < node->as.sort.nkeys; i++) {
        const PhysSortKey *k = &node->as.sort.keys[i];
        buf_printf(self->out, "%s%s%s", i ? ", " : " ", phys_name(self, k->ordinal),
                   k->descending ? " DESC" : "");
        buf_text(self->out, k->nulls_first ? " NULLS FIRST" : "");
    }
    if (node->kind == PHYS_SORT) return;
    buf_printf(self->out, " limit %" PRId64, node->as.sort.limit);
    if (node->as.sort.offset) buf_printf(self->out, " offset %" PRId64, node->as.sort.offset);
    if (node->as.sort.ties) buf_text(self->out, " with ties");
}

void phys_node_print(PhysPrinter *self, const PhysNode *node) {
    self->input[0] = node->nchildren ? node->children[0] : NULL;
    self->input[1] = NULL;
    switch (node->kind) {
    case PHYS_SCAN:
        buf_printf(self->out, " %s.%s.%s", catalog_name(node->as.scan.table->catalog),
                   node->as.scan.table->table.schema, node->as.scan.table->table.name);
        break;
    case PHYS_VALUES: buf_printf(self->out, " %u rows", node->as.values.nrows); break;
    case PHYS_FILTER:
        phys_exprs(self, " ", node->as.filter.nconjuncts, node->as.filter.conjuncts, " AND ");
        break;
    case PHYS_PROJECT: phys_exprs(self, " ", node->ncolumns, node->as.project.exprs, ", "); break;
    case PHYS_UNNEST:
        phys_exprs(self, node->as.unnest.keep_empty ? " left " : " ", node->as.unnest.nargs,
                   node->as.unnest.args, ", ");
        break;
    case PHYS_HASH_JOIN: phys_join(self, node); break;
    case PHYS_AGGREGATE: phys_aggregate(self, node); break;
    case PHYS_SORT:
    case PHYS_TIES:
    case PHYS_TOPN: phys_sort(self, node); break;
    case PHYS_SHARED: buf_printf(self->out, " %u", node->id); break;
    case PHYS_SHARED_READ: buf_printf(self->out, " %u", node->as.read.from->id); break;
    case PHYS_RECURSIVE:
        buf_text(self->out, node->as.recursive.distinct ? " union" : " union all");
        break;
    case PHYS_WORKING:
        buf_text(self->out, node->as.working.seen ? " all rows" : " last rows");
        break;
    case PHYS_REPEAT:
        buf_printf(self->out, " %s times", phys_name(self, node->as.repeat.count));
        break;
    case PHYS_SAMPLE:
        buf_printf(self->out, " %s %g%%", node->as.sample.system ? "system" : "bernoulli",
                   node->as.sample.percent);
        break;
    case PHYS_WINDOW: phys_window(self, node); break;
    case PHYS_LIMIT:
        if (node->as.limit.limit >= 0) buf_printf(self->out, " %" PRId64, node->as.limit.limit);
        if (node->as.limit.offset) buf_printf(self->out, " offset %" PRId64, node->as.limit.offset);
        break;
    default: break;
    }
}

static void phys_counters(PhysPrinter *self, const PhysNode *node) {
    const NodeCounters *c = &self->counters[node->id];
    buf_printf(self->out, "rows %" PRIu64, (uint64_t)c->rows);
    if (c->busy_ns) buf_printf(self->out, ", %.1f ms", (double)c->busy_ns / 1e6);
    if (c->memory_peak) {
        buf_text(self->out, ", memory ");
        buf_bytes(self->out, (uint64_t)c->memory_peak);
    }
    if (c->spilled_bytes) {
        buf_text(self->out, ", spilled ");
        buf_bytes(self->out, (uint64_t)c->spilled_bytes);
    }
    if (node->kind == PHYS_SCAN) {
        buf_printf(self->out, ", read %" PRIu64 " rows, ", c->scan.rows);
        buf_bytes(self->out, c->scan.bytes);
        buf_printf(
            self->out, " in %" PRIu64 " requests (%" PRIu64 " retries, %u splits, waited %.1f ms)",
            c->scan.requests, c->scan.retries, c->scan.splits, (double)c->scan.wait_ns / 1e6);
        if (c->scan.pages)
            buf_printf(self->out,
                       ", %" PRIu64 " pages, %" PRIu64 " items looked at, %.1f capacity units",
                       c->scan.pages, c->scan.scanned, c->scan.capacity);
    }
    if (c->note[0]) buf_printf(self->out, ", %s", c->note);
}

const PhysNode *phys_shown_below(const PhysNode *node) {
    if (node->kind == PHYS_RECURSIVE) return node->as.recursive.step->root->children[0];
    return node->kind == PHYS_SHARED_READ && node->as.read.first ? node->as.read.from : NULL;
}

static void print_physical(PhysPrinter *self, const PhysNode *node, uint32_t depth) {
    if (depth > PRINT_MAX_DEPTH) {
        buf_text(self->out, "...\n");
        return;
    }
    print_indent(self->out, depth);
    buf_text(self->out, phys_names[node->kind]);
    phys_node_print(self, node);
    if (node->rows >= 0 || self->counters) buf_text(self->out, "  (");
    if (node->rows >= 0) buf_printf(self->out, "about %.0f rows", node->rows);
    if (node->rows >= 0 && self->counters) buf_text(self->out, "; ");
    if (self->counters) phys_counters(self, node);
    if (node->rows >= 0 || self->counters) buf_char(self->out, ')');
    buf_char(self->out, '\n');
    for (uint32_t i = 0; i < node->nchildren; i++)
        print_physical(self, node->children[i], depth + 1);
    const PhysNode *more = phys_shown_below(node);
    if (more) print_physical(self, more, depth + 1);
}

void physical_print(Buf *out, const PhysicalPlan *plan, const NodeCounters *counters) {
    PhysPrinter printer = {.out = out, .counters = counters};
    print_physical(&printer, plan->root, 0);
}
