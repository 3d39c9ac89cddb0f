/*
 * print_json.c - plans as JSON: EXPLAIN (FORMAT JSON) of each type, EXPLAIN (TYPE IO).
 *
 * A plan is a tree of objects: id, name, details (what the text form says), outputs, estimates, children, and,
 * behind ANALYZE, counters. Numbers that are not known are null. The shapes are documented in
 * docs/statements.md. One thread; the buffer bounds the size.
 */
#include <inttypes.h>

#include "engine/base/json.h"
#include "engine/plan/print.h"

static void put_key(Buf *out, const char *key) {
    json_quote(out, str_from(key));
    buf_char(out, ':');
}

static void put_text(Buf *out, const char *key, Str text) {
    put_key(out, key);
    json_quote(out, text);
}

static void put_estimate(Buf *out, const char *key, double rows) {
    put_key(out, key);
    if (rows >= 0)
        buf_printf(out, "%.0f", rows);
    else
        buf_text(out, "null");
}

static void put_count(Buf *out, const char *key, uint64_t count) {
    put_key(out, key);
    buf_printf(out, "%" PRIu64, count);
}

static void put_type(Buf *out, Arena *arena, Type type) {
    Buf text;
    buf_init(&text, arena, 65536);
    type_print(&text, type);
    put_text(out, "type", buf_view(&text));
}

/* What a printer of one line writes, as a JSON string. */
static void put_line(Buf *out, const Buf *line) {
    json_quote(out, str_trim(buf_view(line)));
}

/* ---------------------------------------------------------------- logical */

static const char *logical_kind_name(const LogicalNode *node) {
    switch (node->kind) {
    case LOGICAL_SCAN: return "Scan";
    case LOGICAL_VALUES: return "Values";
    case LOGICAL_SETS: return "ParameterSets";
    case LOGICAL_FILTER: return "Filter";
    case LOGICAL_PROJECT: return "Project";
    case LOGICAL_JOIN: return "Join";
    case LOGICAL_AGGREGATE: return "Aggregate";
    case LOGICAL_SORT: return "Sort";
    case LOGICAL_LIMIT: return "Limit";
    case LOGICAL_TOPN: return "TopN";
    case LOGICAL_UNION: return "UnionAll";
    case LOGICAL_SINGLE_ROW: return "SingleRow";
    case LOGICAL_EXPAND: return "Expand";
    case LOGICAL_WINDOW: return "Window";
    case LOGICAL_UNNEST: return "Unnest";
    case LOGICAL_SAMPLE: return "Sample";
    case LOGICAL_SETOP: return "SetOperation";
    case LOGICAL_RECURSIVE: return "Recursive";
    case LOGICAL_CTE: return "CommonTableExpression";
    case LOGICAL_SHARED: return "Shared";
    case LOGICAL_WORKING: return "WorkingTable";
    case LOGICAL_REPEAT: return "Repeat";
    case LOGICAL_TIES: return "LimitWithTies";
    case LOGICAL_WRITE: return "Write";
    case LOGICAL_VERIFY: return "Verify";
    default: return "Other";
    }
}

static void logical_outputs(LogicalPrinter *self, const LogicalNode *node) {
    put_key(self->out, "outputs");
    buf_char(self->out, '[');
    for (uint32_t i = 0; i < node->noutput; i++) {
        if (i) buf_char(self->out, ',');
        buf_char(self->out, '{');
        put_text(self->out, "name", str_from(logical_name(self, node->output[i])));
        buf_char(self->out, ',');
        put_type(self->out, self->arena, plan_column(&self->plan->columns, node->output[i])->type);
        buf_char(self->out, '}');
    }
    buf_char(self->out, ']');
}

static void logical_json(LogicalPrinter *self, const LogicalNode *node, uint32_t *id,
                         uint32_t depth) {
    Buf *out = self->out, line;
    buf_init(&line, self->arena, (size_t)64 << 20);
    self->out = &line;
    logical_node_print(self, node);
    self->out = out;
    buf_printf(out, "{\"id\":\"%u\",", (*id)++);
    put_text(out, "name", str_from(logical_kind_name(node)));
    buf_text(out, ",\"details\":[");
    put_line(out, &line);
    buf_text(out, "],");
    logical_outputs(self, node);
    buf_text(out, ",\"estimates\":[{");
    put_estimate(out, "outputRowCount", row_memo_get(&self->memo, node));
    buf_text(out, "}],\"children\":[");
    for (uint32_t i = 0; i < node->nchildren && depth < PRINT_MAX_DEPTH; i++) {
        if (i) buf_char(out, ',');
        logical_json(self, node->children[i], id, depth + 1);
    }
    const LogicalNode *shared = logical_shown_below(self, node);
    if (shared && depth < PRINT_MAX_DEPTH) logical_json(self, shared, id, depth + 1);
    buf_text(out, node->nchildren && depth >= PRINT_MAX_DEPTH ? "],\"cut\":true}" : "]}");
}

void logical_print_json(Buf *out, const LogicalPlan *plan) {
    LogicalPrinter printer = {.out = out, .plan = plan, .arena = plan->arena};
    uint32_t id = 0;
    row_memo_init(&printer.memo, plan->arena, &plan->columns);
    logical_json(&printer, plan->root, &id, 0);
}

/* ---------------------------------------------------------------- remote */

static void remote_piece(Buf *out, bool *first, const char *what, bool taken,
                         const TribVerdict *verdict) {
    if (!*first) buf_char(out, ',');
    *first = false;
    buf_char(out, '{');
    put_text(out, "piece", str_from(what));
    buf_printf(out, ",\"taken\":%s,", taken ? "true" : "false");
    put_text(out, "reason", str_from(verdict->reason));
    buf_char(out, '}');
}

static void remote_pieces(Buf *out, const PushedScan *p) {
    bool first = true;
    buf_text(out, ",\"pieces\":[");
    if (p->offered_order)
        remote_piece(out, &first, "ORDER BY", (p->taken & TRIB_TAKEN_ORDER) != 0, &p->order);
    if (p->offered_limit)
        remote_piece(out, &first, "LIMIT", (p->taken & TRIB_TAKEN_LIMIT) != 0, &p->limit);
    if (p->offered_grouping)
        remote_piece(out, &first, "GROUP BY", (p->taken & TRIB_TAKEN_GROUPING) != 0, &p->grouping);
    buf_char(out, ']');
}

static void remote_conjuncts(LogicalPrinter *self, const PushedScan *p) {
    Buf *out = self->out;
    buf_text(out, ",\"conjuncts\":[");
    for (uint32_t i = 0; i < p->nconjuncts; i++) {
        const PushedConjunct *c = &p->conjuncts[i];
        Buf line;
        buf_init(&line, self->arena, (size_t)64 << 20);
        expr_print(&line, c->expr, logical_name, self);
        buf_text(out, i ? ",{" : "{");
        put_text(out, "verdict", str_from(verdict_names[c->verdict.kind]));
        buf_text(out, ",\"expression\":");
        put_line(out, &line);
        buf_char(out, ',');
        put_text(out, "reason", str_from(c->verdict.reason));
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void put_table(Buf *out, const LogicalNode *node) {
    put_text(out, "catalog", str_from(catalog_name(node->table->catalog)));
    buf_char(out, ',');
    put_text(out, "schema", str_from(node->table->table.schema));
    buf_char(out, ',');
    put_text(out, "table", str_from(node->table->table.name));
}

static void remote_scan(LogicalPrinter *self, const LogicalNode *node) {
    Buf *out = self->out;
    const PushedScan *p = node->pushed;
    buf_char(out, '{');
    put_table(out, node);
    buf_char(out, ',');
    put_text(out, "type", str_from(catalog_type(node->table->catalog)));
    if (p && p->note && p->note[0]) {
        buf_char(out, ',');
        put_text(out, "note", str_from(p->note));
    }
    buf_text(out, ",\"text\":");
    if (p && p->text)
        json_quote(out, str_from(p->text));
    else
        buf_text(out, "null");
    if (p) {
        remote_conjuncts(self, p);
        remote_pieces(out, p);
    }
    buf_char(out, '}');
}

/* Calls `print` for each scan below the node, with commas between. */
static void each_scan(LogicalPrinter *self, const LogicalNode *node, uint32_t depth, bool *first,
                      void (*print)(LogicalPrinter *, const LogicalNode *)) {
    if (depth > PRINT_MAX_DEPTH) return;
    if (node->kind == LOGICAL_SCAN) {
        if (!*first) buf_char(self->out, ',');
        *first = false;
        print(self, node);
    }
    for (uint32_t i = 0; i < node->nchildren; i++)
        each_scan(self, node->children[i], depth + 1, first, print);
    const LogicalNode *shared = logical_shown_below(self, node);
    if (shared) each_scan(self, shared, depth + 1, first, print);
}

void remote_print_json(Buf *out, const LogicalPlan *plan) {
    LogicalPrinter printer = {.out = out, .plan = plan, .arena = plan->arena};
    bool first = true;
    buf_text(out, "{\"sources\":[");
    each_scan(&printer, plan->root, 0, &first, remote_scan);
    buf_text(out, "]}");
}

/* ---------------------------------------------------------------- IO */

static void io_scan(LogicalPrinter *self, const LogicalNode *node) {
    Buf *out = self->out;
    buf_text(out, "{\"table\":{");
    put_table(out, node);
    buf_text(out, "},\"columns\":[");
    for (uint32_t i = 0; i < node->noutput; i++) {
        if (i) buf_char(out, ',');
        json_quote(out, str_from(node->table->table.columns[node->table_columns[i]].name));
    }
    buf_text(out, "],\"estimate\":{");
    put_estimate(out, "outputRowCount", row_memo_get(&self->memo, node));
    buf_text(out, "}}");
}

void io_print_json(Buf *out, const LogicalPlan *plan) {
    LogicalPrinter printer = {.out = out, .plan = plan, .arena = plan->arena};
    bool first = true;
    row_memo_init(&printer.memo, plan->arena, &plan->columns);
    buf_text(out, "{\"inputTableColumnInfos\":[");
    each_scan(&printer, plan->root, 0, &first, io_scan);
    buf_text(out, "],");
    const LogicalNode *root = plan->root;
    if (root->kind == LOGICAL_WRITE) {
        buf_text(out, "\"outputTable\":{");
        put_text(out, "schema", str_from(root->write_schema ? root->write_schema : ""));
        buf_char(out, ',');
        put_text(out, "table", str_from(root->write_name ? root->write_name : ""));
        buf_text(out, "},");
    }
    buf_text(out, "\"estimate\":{");
    put_estimate(out, "outputRowCount", row_memo_get(&printer.memo, root));
    buf_text(out, "}}");
}

/* ---------------------------------------------------------------- physical */

static void phys_counters(Buf *out, const PhysNode *node, const NodeCounters *c) {
    buf_text(out, ",\"counters\":{");
    put_count(out, "rows", c->rows);
    buf_char(out, ',');
    put_count(out, "busyNanos", (uint64_t)c->busy_ns);
    buf_char(out, ',');
    put_count(out, "memoryPeakBytes", (uint64_t)c->memory_peak);
    buf_char(out, ',');
    put_count(out, "spilledBytes", c->spilled_bytes);
    if (node->kind == PHYS_SCAN) {
        buf_char(out, ',');
        put_count(out, "rowsRead", c->scan.rows);
        buf_char(out, ',');
        put_count(out, "bytesRead", c->scan.bytes);
        buf_char(out, ',');
        put_count(out, "requests", c->scan.requests);
        buf_char(out, ',');
        put_count(out, "retries", c->scan.retries);
        buf_char(out, ',');
        put_count(out, "splits", c->scan.splits);
    }
    buf_char(out, '}');
}

static void phys_json(PhysPrinter *self, Arena *arena, const PhysNode *node, uint32_t depth) {
    Buf *out = self->out, line;
    buf_init(&line, arena, (size_t)64 << 20);
    self->out = &line;
    phys_node_print(self, node);
    self->out = out;
    buf_printf(out, "{\"id\":\"%u\",", node->id);
    put_text(out, "name", str_from(phys_names[node->kind]));
    buf_text(out, ",\"details\":[");
    if (str_trim(buf_view(&line)).len) put_line(out, &line);
    buf_text(out, "],\"outputs\":[");
    for (uint32_t i = 0; i < node->ncolumns; i++) {
        buf_text(out, i ? ",{" : "{");
        put_text(out, "name", str_from(node->names[i]));
        buf_char(out, ',');
        put_type(out, arena, node->types[i]);
        buf_char(out, '}');
    }
    buf_text(out, "],\"estimates\":[{");
    put_estimate(out, "outputRowCount", node->rows);
    buf_text(out, "}]");
    if (self->counters) phys_counters(out, node, &self->counters[node->id]);
    buf_text(out, ",\"children\":[");
    for (uint32_t i = 0; i < node->nchildren && depth < PRINT_MAX_DEPTH; i++) {
        if (i) buf_char(out, ',');
        phys_json(self, arena, node->children[i], depth + 1);
    }
    const PhysNode *more = phys_shown_below(node);
    if (more && depth < PRINT_MAX_DEPTH) {
        if (node->nchildren) buf_char(out, ',');
        phys_json(self, arena, more, depth + 1);
    }
    buf_text(out, node->nchildren && depth >= PRINT_MAX_DEPTH ? "],\"cut\":true}" : "]}");
}

void physical_print_json(Buf *out, const PhysicalPlan *plan, const NodeCounters *counters) {
    PhysPrinter printer = {.out = out, .counters = counters};
    phys_json(&printer, plan->arena, plan->root, 0);
}
