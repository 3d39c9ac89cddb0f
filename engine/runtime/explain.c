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
    if (self->physical->root->kind == PHYS_WRITE) return execution_finish(self->execution, err);
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

static Status explain_analyze(Statement *self, bool json, Buf *text, Error *err) {
    TRY(statement_start(self, true, err));
    Status status = drain(self, err);
    if (status == TRIB_OK) print_counted(self, json, text);
    cursor_close(self);
    execution_free(self->execution);
    self->execution = NULL;
    return status;
}

static void print_plan(Statement *self, const AstStatement *ast, Buf *text) {
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

Status explain_run(Statement *self, const BoundStatement *bound, Error *err) {
    const AstStatement *ast = bound->ast;
    bool document = ast->json || ast->explain == AST_EXPLAIN_IO;
    if (ast->explain == AST_EXPLAIN_VALIDATE) return valid_row(self, err);
    Buf text;
    buf_init(&text, self->run, EXPLAIN_MAX_TEXT);
    if (!bound->inner || !bound->inner->plan) {
        buf_text(&text,
                 document ? "{}" : "This statement has no plan: it is carried out as it stands.\n");
        return document ? document_row(self, &text, err) : text_rows(self, &text, err);
    }
    TRY(statement_plan(self, bound->inner, err));
    if (ast->analyze)
        TRY(explain_analyze(self, ast->json, &text, err));
    else
        print_plan(self, ast, &text);
    return document ? document_row(self, &text, err) : text_rows(self, &text, err);
}
