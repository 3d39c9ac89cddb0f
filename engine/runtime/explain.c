/*
 * explain.c - EXPLAIN: a plan as rows of text, one line per row, or as one JSON document. ANALYZE runs it
 * first.
 */
#include "engine/runtime/session.h"

#define EXPLAIN_MAX_TEXT (64u << 20)

static Status text_rows(Statement *self, const Buf *text, Error *err) {
    static const Type line_type = {.id = TRIB_TYPE_VARCHAR};
    TRY(buf_status(text, err));
    TRY(rowset_new(self->run, 1, &line_type, &self->rows, err));
    Str rest = buf_view(text);
    while (rest.len > 0) {
        const char *end = memchr(rest.data, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.data) : rest.len;
        Value value = {.type = line_type};
        value.as.text.data = rest.data;
        value.as.text.length = len;
        TRY(rowset_add(self->rows, &value, err));
        size_t used = end ? len + 1 : len;
        rest = (Str){rest.data + used, rest.len - used};
    }
    return TRIB_OK;
}

/* Reads the whole result, or waits for the end of a write. */
static Status drain(Statement *self, Error *err) {
    if (phys_writes(self->physical->root)) return execution_finish(self->execution, err);
    for (;;) {
        bool done;
        Batch *batch;
        TRY(execution_next(self->execution, -1, &done, &batch, err));
        if (done && !batch) return TRIB_OK;
    }
}

/* A document is one value, whatever lines it may have. */
static Status document_row(Statement *self, const Buf *text, Error *err) {
    static const Type type = {.id = TRIB_TYPE_VARCHAR};
    TRY(buf_status(text, err));
    TRY(rowset_new(self->run, 1, &type, &self->rows, err));
    Value value = {.type = type};
    value.as.text.data = buf_view(text).data;
    value.as.text.length = buf_view(text).len;
    return rowset_add(self->rows, &value, err);
}

static Status valid_row(Statement *self, Error *err) {
    static const Type type = {.id = TRIB_TYPE_BOOLEAN};
    TRY(rowset_new(self->run, 1, &type, &self->rows, err));
    Value value = {.type = type};
    value.as.integer = true;
    return rowset_add(self->rows, &value, err);
}

static void print_counted(Statement *self, bool json, Buf *text) {
    const NodeCounters *counters = execution_counters(self->execution);
    if (json) {
        physical_print_json(text, self->physical, counters);
        return;
    }
    physical_print(text, self->physical, counters);
    buf_text(text, "memory peak ");
    buf_bytes(text, (uint64_t)execution_memory(self->execution));
    buf_text(text, ", spilled ");
    buf_bytes(text, execution_spilled(self->execution));
    buf_char(text, '\n');
    remote_print(text, self->plan);
}

/* What a write sends: one statement that does it all, or the one that is run for the rows. */
typedef struct WriteText {
    Buf *out;
    const char *before;
} WriteText;

static void write_text(void *context, const char *text) {
    WriteText *self = context;
    buf_printf(self->out, "%s%s\n", self->before, text);
}

/* What the source says of the writers that it will be asked for. */
static Status print_requests(Statement *self, Buf *text, Error *err) {
    const PhysNode *root = self->physical->root;
    bool merge = root->kind == PHYS_MERGE;
    WriteText sink = {text, "  "};
    Source *source;
    SourceCall call = statement_call(self, INT64_MAX);
    TRY(catalog_source(self->plan->root->write_catalog, &source, err));
    if (source_connector(source)->flags & TRIB_PROCESS_STATE) return TRIB_OK; /* nothing is sent */
    for (uint32_t i = 0; i < (merge ? root->as.merge.nactions : 1); i++) {
        TribWriter *none = NULL;
        TribWriteRequest request = merge ? root->as.merge.requests[i] : root->as.write.request;
        request.plan_only = true;
        request.explain = (TribExplain){&sink, write_text};
        TRY(source_write_open(source, &call, &request, &none, err));
    }
    return TRIB_OK;
}

static Status print_write(Statement *self, Buf *text, Error *err) {
    const LogicalNode *root = self->plan->root;
    if (root->kind != LOGICAL_WRITE) return TRIB_OK;
    buf_printf(text, "write to %s: ", catalog_name(root->write_catalog));
    if (root->modify) {
        buf_printf(text, "handed over\n  %s\n", root->modify_text ? root->modify_text : "");
        return TRIB_OK;
    }
    buf_text(text, root->write_schema);
    buf_printf(text, ".%s, ", root->write_name);
    if (root->modify_reason)
        buf_printf(text, "by key (%s)\n", root->modify_reason);
    else
        buf_text(text, root->nmerge ? "by clause\n" : "in batches\n");
    return print_requests(self, text, err);
}

static void ddl_line(void *context, const char *text) {
    buf_printf(context, "%s\n", text);
}

static Status explain_ddl(Statement *self, const BoundStatement *bound, Buf *text, Error *err) {
    Source *source;
    TribDdl ddl = *bound->ddl;
    SourceCall call = statement_call(self, INT64_MAX);
    TRY(catalog_source(bound->catalog, &source, err));
    buf_printf(text, "handed over to %s\n", catalog_name(bound->catalog));
    if (source_connector(source)->flags & TRIB_PROCESS_STATE) return TRIB_OK;
    ddl.plan_only = true;
    ddl.explain = (TribExplain){text, ddl_line};
    return source_ddl(source, &call, &ddl, err);
}

static Status explain_analyze(Statement *self, bool json, Buf *text, Error *err) {
    if (self->plan->root->modify) {
        TRY(statement_modify(self, self->plan->root, err));
        buf_printf(text, "rows changed: %lld\n", (long long)self->row_count);
        return print_write(self, text, err);
    }
    TRY(statement_start(self, true, err));
    Status status = drain(self, err);
    if (status == TRIB_OK) print_counted(self, json, text);
    cursor_close(self);
    execution_free(self->execution);
    self->execution = NULL;
    return status;
}

static void print_plan(Statement *self, const AstStatement *ast, Buf *text) {
    if (self->plan->root->modify && ast->explain == AST_EXPLAIN_PHYSICAL) {
        if (ast->json) logical_print_json(text, self->plan);
        return; /* nothing is run here */
    }
    switch (ast->explain) {
    case AST_EXPLAIN_IO: io_print_json(text, self->plan); break;
    case AST_EXPLAIN_LOGICAL:
        (ast->json ? logical_print_json : logical_print)(text, self->plan);
        break;
    case AST_EXPLAIN_REMOTE:
        (ast->json ? remote_print_json : remote_print)(text, self->plan);
        break;
    default: (ast->json ? physical_print_json : physical_print)(text, self->physical, NULL); break;
    }
}

/* The plan has been made; a write that is analysed stands between write_begin and write_end. */
static Status explain_text(Statement *self, const AstStatement *ast, Buf *text, Error *err) {
    if (ast->analyze) return explain_analyze(self, ast->json, text, err);
    print_plan(self, ast, text);
    return ast->json || ast->explain == AST_EXPLAIN_IO ? TRIB_OK : print_write(self, text, err);
}

/* EXPLAIN ANALYZE of a write really writes. */
static Status explain_write(Statement *self, const AstStatement *ast, const BoundStatement *inner,
                            Buf *text, Error *err) {
    const LogicalNode *target = inner->plan->root;
    WriteScope scope;
    bool creates = ast->analyze && target->write == TRIB_WRITE_CREATE;
    TRY(write_begin(self, target->write_catalog, creates, &scope, err));
    Status status = statement_plan(self, inner, err);
    if (status == TRIB_OK) status = explain_text(self, ast, text, err);
    self->row_count = -1;
    return write_end(self, &scope, target->write_schema, target->write_name, status, err);
}

Status explain_run(Statement *self, const BoundStatement *bound, Error *err) {
    const AstStatement *ast = bound->ast;
    bool document = ast->json || ast->explain == AST_EXPLAIN_IO;
    if (ast->explain == AST_EXPLAIN_VALIDATE) return valid_row(self, err);
    Buf text;
    buf_init(&text, self->run, EXPLAIN_MAX_TEXT);
    if (bound->inner && bound->inner->ddl && !bound->inner->nothing && !document) {
        TRY(explain_ddl(self, bound->inner, &text, err));
        return text_rows(self, &text, err);
    }
    if (!bound->inner || !bound->inner->plan) {
        buf_text(&text,
                 document ? "{}" : "This statement has no plan: it is carried out as it stands.\n");
        return document ? document_row(self, &text, err) : text_rows(self, &text, err);
    }
    if (ast->analyze && bound->inner->kind == BOUND_WRITE) {
        TRY(explain_write(self, ast, bound->inner, &text, err));
    } else {
        TRY(statement_plan(self, bound->inner, err));
        TRY(explain_text(self, ast, &text, err));
    }
    return document ? document_row(self, &text, err) : text_rows(self, &text, err);
}

/* Only renames and reorders columns? */
static bool is_plain_project(const LogicalNode *node) {
    if (node->kind != LOGICAL_PROJECT) return false;
    for (uint32_t i = 0; i < node->noutput; i++)
        if (node->exprs[i]->kind != EXPR_COLUMN) return false;
    return true;
}

bool statement_source_text(const Statement *self, Str *text) {
    if (!self->plan || self->plan->nshared > 0) return false;
    const LogicalNode *node = self->plan->root;
    while (is_plain_project(node)) node = node->children[0];
    if (node->kind != LOGICAL_SCAN || !node->pushed || !node->pushed->text) return false;
    *text = str_from(node->pushed->text);
    return true;
}
