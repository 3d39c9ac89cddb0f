/*
 * request.c - writes requests: key conditions, filter and projection expressions with their placeholders.
 *
 * Names are always placeholders (#n<column>): any attribute name is a valid one then. Constants are
 * placeholders too (:v<number>). Only names that occur are declared: DynamoDB refuses unused ones.
 */
#include "connectors/dynamodb/plan.h"

enum { HEAD_MOST = 8 << 20, PROJECTION_MOST = 4000, EXPLAIN_MOST = 64 * 1024 };

static void want(void *context, uint32_t attr) {
    ((bool *)context)[attr] = true;
}

bool path_covers(const AccessPath *path, const AccessPath *table, Str attribute) {
    if (path->all || str_equal(attribute, path->hash.name) ||
        str_equal(attribute, path->range.name) || str_equal(attribute, table->hash.name) ||
        str_equal(attribute, table->range.name))
        return true;
    for (uint32_t i = 0; i < path->nincluded; i++) {
        if (str_equal(attribute, path->included[i])) return true;
    }
    return false;
}

/* Attributes that may not stand in a FilterExpression: the key of what is queried. */
static bool *kept_of(const TribPlan *plan, const Way *way, Arena *arena) {
    bool *kept = ARENA_ARRAY(arena, bool, plan->ncolumns);
    if (!kept || way->kind != READ_QUERY) return kept;
    for (uint32_t i = 0; i < plan->ncolumns; i++) {
        kept[i] = str_equal(plan->columns[i].name, way->path->hash.name) ||
                  str_equal(plan->columns[i].name, way->path->range.name);
    }
    return kept;
}

static bool in_key(const TribPlan *plan, const Way *way, uint32_t filter) {
    bool planned = way->kind == plan->kind && way->path == plan->path;
    return planned && (plan->in_key[0] == filter || plan->in_key[1] == filter);
}

/* Is all of the filter said by what is sent? */
static bool said_whole(const Filter *filter, const bool *kept) {
    if (filter->loose || !filter_sendable(filter, kept)) return false;
    for (uint32_t i = 0; i < filter->nchildren; i++) {
        if (!said_whole(filter->children[i], kept)) return false;
    }
    return true;
}

static void write_filters(const TribPlan *plan, const Way *way, const bool *kept,
                          FilterWriter *writer) {
    uint32_t written = 0;
    bool first = true;
    for (uint32_t i = 0; i < plan->nfilters; i++)
        written += !in_key(plan, way, i) && filter_sendable(plan->filters[i], kept);
    for (uint32_t i = 0; i < plan->nfilters; i++) {
        if (in_key(plan, way, i) || !filter_sendable(plan->filters[i], kept)) continue;
        if (!first) buf_text(writer->text, " AND ");
        first = false;
        filter_write(writer, plan->filters[i], written > 1, kept);
    }
}

/* Which items must be looked at here, and what for. */
static void find_local(const TribPlan *plan, const Way *way, const bool *kept, RequestText *out) {
    for (uint32_t i = 0; i < plan->nfilters; i++) {
        const Filter *filter = plan->filters[i];
        bool said =
            in_key(plan, way, i) ? !filter->loose : way->filters_sent && said_whole(filter, kept);
        if (said) continue;
        out->local = true;
        filter_attributes(filter, want, out->wanted);
    }
}

static void add_member(Buf *head, const char *name, const Buf *text) {
    if (text->len == 0) return;
    buf_printf(head, ",\"%s\":", name);
    json_quote(head, buf_view(text));
}

static void add_projection(const TribPlan *plan, const RequestText *out, bool *used, Arena *arena,
                           Buf *head) {
    Buf text;
    bool first = true;
    buf_init(&text, arena, HEAD_MOST);
    for (uint32_t i = 0; i < plan->ncolumns; i++) {
        if (!out->wanted[i]) continue;
        buf_printf(&text, "%s#n%u", first ? "" : ", ", i);
        first = false;
    }
    if (text.failed) head->failed = true;
    if (text.len > PROJECTION_MOST || first) return; /* everything comes, or nothing is asked for */
    for (uint32_t i = 0; i < plan->ncolumns; i++) used[i] = used[i] || out->wanted[i];
    add_member(head, "ProjectionExpression", &text);
}

static void add_names(const TribPlan *plan, const bool *used, Buf *head) {
    bool first = true;
    for (uint32_t i = 0; i < plan->ncolumns; i++) {
        if (!used[i]) continue;
        buf_text(head, first ? ",\"ExpressionAttributeNames\":{" : ",");
        first = false;
        buf_printf(head, "\"#n%u\":", i);
        json_quote(head, plan->columns[i].name);
    }
    if (!first) buf_char(head, '}');
}

/* An attribute of the key that no column shows still needs a name. */
static void write_hash(const TribPlan *plan, const Way *way, FilterWriter *writer) {
    for (uint32_t i = 0; i < plan->ncolumns; i++) {
        if (!str_equal(plan->columns[i].name, way->path->hash.name)) continue;
        filter_name_write(writer, i);
        buf_text(writer->text, " = :h");
        return;
    }
}

static Status compose_expressions(const TribPlan *plan, const Way *way, const bool *kept,
                                  Arena *arena, RequestText *out, Error *err) {
    Buf key, filter;
    bool *used;
    TRY_ALLOC(used, ARENA_ARRAY(arena, bool, plan->ncolumns), err);
    buf_init(&key, arena, HEAD_MOST);
    buf_init(&filter, arena, HEAD_MOST);
    FilterWriter writer = {
        .text = &key, .values = &out->values, .columns = plan->columns, .used = used};
    if (way->kind == READ_QUERY) {
        write_hash(plan, way, &writer);
        if (way->range) {
            buf_text(&key, " AND ");
            filter_write(&writer, way->range, true, NULL);
        }
        add_member(&out->head, "KeyConditionExpression", &key);
    }
    writer.text = &filter;
    if (way->filters_sent) write_filters(plan, way, kept, &writer);
    add_member(&out->head, "FilterExpression", &filter);
    if (out->count)
        buf_text(&out->head, ",\"Select\":\"COUNT\"");
    else
        add_projection(plan, out, used, arena, &out->head);
    add_names(plan, used, &out->head);
    if (key.failed || filter.failed) return error_out_of_memory(err);
    return TRIB_OK;
}

Status request_compose(const TribPlan *plan, const Way *way, Arena *arena, RequestText *out,
                       Error *err) {
    bool *kept;
    memset(out, 0, sizeof *out);
    buf_init(&out->head, arena, HEAD_MOST);
    buf_init(&out->values, arena, HEAD_MOST);
    TRY_ALLOC(out->wanted, ARENA_ARRAY(arena, bool, plan->ncolumns), err);
    TRY_ALLOC(kept, kept_of(plan, way, arena), err);
    for (uint32_t i = 0; i < plan->noutput; i++) out->wanted[plan->outputs[i]] = true;
    find_local(plan, way, kept, out);
    out->count = plan->noutput == 0 && !out->local && way->kind != READ_GET;
    if (way->kind == READ_GET && plan->noutput == 0) { /* something must be projected */
        for (uint32_t i = 0; i < plan->ncolumns; i++) {
            if (str_equal(plan->columns[i].name, way->path->hash.name)) out->wanted[i] = true;
        }
    }
    /* Inside RequestItems the table's name is the key. */
    if (way->kind != READ_GET) {
        buf_text(&out->head, "\"TableName\":");
        json_quote(&out->head, plan->table);
        buf_text(&out->head, ",\"ReturnConsumedCapacity\":\"TOTAL\"");
        if (way->path->index.len) {
            buf_text(&out->head, ",\"IndexName\":");
            json_quote(&out->head, way->path->index);
        }
        if (plan->ordered && plan->descending) buf_text(&out->head, ",\"ScanIndexForward\":false");
    }
    TRY(compose_expressions(plan, way, kept, arena, out, err));
    if (plan->catalog->consistent_read) buf_text(&out->head, ",\"ConsistentRead\":true");
    TRY(buf_status(&out->values, err));
    return buf_status(&out->head, err);
}

/* ---------------------------------------------------------------- EXPLAIN */

static void explain_keys(const TribPlan *plan, const Way *way, FilterWriter *writer) {
    Buf *out = writer->text;
    buf_text(out, " key (");
    buf_str(out, way->path->hash.name);
    buf_text(out, plan->nkeys == 1 ? " = " : " in ");
    for (uint32_t i = 0; i < plan->nkeys && i < 5; i++) {
        if (i) buf_text(out, ", ");
        filter_value_json(out, &plan->keys[i]);
    }
    if (plan->nkeys > 5) buf_printf(out, ", ... %u values", plan->nkeys);
    if (plan->range) {
        buf_text(out, " AND ");
        filter_write(writer, plan->range, true, NULL);
    }
    buf_char(out, ')');
}

static void explain_attributes(const TribPlan *plan, const RequestText *request, Buf *out) {
    if (request->count) {
        buf_text(out, " count");
        return;
    }
    bool first = true;
    buf_text(out, " attributes (");
    for (uint32_t i = 0; i < plan->ncolumns; i++) {
        if (!request->wanted[i]) continue;
        if (!first) buf_text(out, ", ");
        first = false;
        buf_str(out, plan->columns[i].name);
    }
    buf_char(out, ')');
}

static void explain_text(const TribPlan *plan, const Way *way, Arena *arena,
                         const RequestText *request, Buf *out) {
    static const char *const verbs[] = {[READ_NOTHING] = "nothing of",
                                        [READ_SCAN] = "Scan",
                                        [READ_QUERY] = "Query",
                                        [READ_GET] = "BatchGetItem"};
    FilterWriter writer = {.text = out, .columns = plan->columns};
    buf_text(out, verbs[plan->kind]);
    buf_char(out, ' ');
    buf_str(out, plan->table);
    if (plan->kind == READ_NOTHING) return;
    if (way->path->index.len) {
        buf_text(out, " index ");
        buf_str(out, way->path->index);
    }
    if (plan->kind != READ_SCAN) explain_keys(plan, way, &writer);
    bool *kept = kept_of(plan, way, arena);
    size_t before = out->len;
    buf_text(out, " filter (");
    size_t begin = out->len;
    if (way->filters_sent && kept) write_filters(plan, way, kept, &writer);
    if (out->len == begin)
        out->len = before;
    else
        buf_char(out, ')');
    explain_attributes(plan, request, out);
    if (plan->ordered) buf_text(out, plan->descending ? " backwards" : " in order");
    if (plan->limit >= 0) buf_printf(out, " limit %lld", (long long)plan->limit);
}

char *request_explain(const TribPlan *plan, Arena *arena) {
    Way way = {.kind = plan->kind,
               .path = plan->path,
               .range = plan->range,
               .filters_sent = plan->kind != READ_GET};
    RequestText request;
    Error ignored;
    Buf out;
    buf_init(&out, arena, HEAD_MOST);
    if (request_compose(plan, &way, arena, &request, &ignored) != TRIB_OK) return NULL;
    explain_text(plan, &way, arena, &request, &out);
    if (out.failed) return NULL;
    if (out.len <= EXPLAIN_MOST) return out.data;
    size_t cut = utf8_cut(out.data, out.len, EXPLAIN_MOST);
    return arena_printf(arena, "%.*s ...", (int)cut, out.data);
}
