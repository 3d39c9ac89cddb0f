/*
 * passthrough.c - statements in a source's own language as tables: TABLE(c.system.query(query => '...')).
 *
 * The connector prepares the text and describes its columns; the description is a table like others, with the
 * text for its name, that lives as long as the statement. Nothing is cached.
 */
#include "engine/catalog/internal.h"

typedef struct Receiver {
    TableRef *table;
    bool received;
} Receiver;

static TribStatus receive(void *context, const TribTable *table, TribError *err) {
    Receiver *self = context;
    self->received = true;
    return table_copy(self->table->arena, table, &self->table->table, err);
}

static Status ask(const LookupContext *context, Catalog *catalog, const char *text, TableRef *table,
                  Error *err) {
    Source *source;
    Receiver receiver = {.table = table};
    TribNames names = {.self = &receiver, .described = receive};
    TRY(catalog_source(catalog, &source, err));
    TRY(source_passthrough(source, &context->call, text, &names, err));
    if (receiver.received) return TRIB_OK;
    return error_set(err, ERR_SOURCE, "catalog %s does not say which columns the statement has",
                     catalog_name(catalog));
}

Status catalog_passthrough(const LookupContext *context, Catalog *catalog, Str text, TableRef **out,
                           Error *err) {
    TableRef *self;
    *out = NULL;
    if (text.len && memchr(text.data, '\0', text.len)) {
        return error_set(err, ERR_INVALID_ARGUMENT,
                         "the statement to be passed on holds the character U+0000");
    }
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    atomic_init(&self->references, 1);
    self->catalog = catalog;
    self->statement = true;
    self->arena = arena_new(NULL);
    char *copy = self->arena ? str_dup(self->arena, text) : NULL;
    Status status = copy ? ask(context, catalog, copy, self, err) : error_out_of_memory(err);
    if (status != TRIB_OK) {
        table_release(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}
