/*
 * write.c - see write.h.
 *
 * Threads: each function is called by one worker at a time, under its operator's lock or when the rows are in.
 */
#include "engine/exec/write.h"

Status write_check_lengths(const TribWriteRequest *request, const Batch *in, Error *err) {
    bool by_key = request->kind == TRIB_WRITE_UPDATE || request->kind == TRIB_WRITE_DELETE;
    /* keys come from the source as they are stored there */
    for (uint32_t c = by_key ? request->nkeys : 0; c < in->ncolumns; c++) {
        const TribColumn *column = &request->table->columns[request->columns[c]];
        if (!type_is_text(column->type) || column->type.length == 0) continue;
        for (uint32_t i = 0; i < in->selected; i++) {
            uint32_t row = batch_row(in, i);
            if (vector_is_null(&in->columns[c], row)) continue;
            Str text = strview_str(vector_at(&in->columns[c], row));
            if (text.len <= column->type.length ||
                utf8_length(text.data, text.len) <= column->type.length)
                continue;
            int shown = (int)utf8_cut(text.data, text.len, 40);
            return error_set(err, ERR_VALUE_TOO_LONG,
                             "'%.*s%s' has %zu characters; column '%s' of %s.%s takes %u", shown,
                             text.data, text.len > 40 ? "..." : "",
                             utf8_length(text.data, text.len), column->name, request->table->schema,
                             request->table->name, column->type.length);
        }
    }
    return TRIB_OK;
}

Status write_kept(Query *query, RowBuffer *buffer, RowBufferWriter *buffered, Arena *arena,
                  Source *source, TribWriter *writer, Error *err) {
    RowBufferReader *reader;
    Arena *scratch; /* of one batch */
    bool some = true;
    TRY(row_buffer_writer_flush(buffered, err));
    TRY(row_buffer_reader_new(buffer, arena, NULL, &reader, err));
    TRY_ALLOC(scratch, arena_new(arena), err);
    Status status = TRIB_OK;
    while (status == TRIB_OK && some) {
        arena_reset(scratch);
        Batch batch = {.arena = scratch};
        status = cancel_check(query->cancel, err);
        if (status == TRIB_OK) status = row_buffer_read(reader, &batch, &some, err);
        if (status == TRIB_OK && some) status = source_write_batch(source, writer, &batch, err);
    }
    row_buffer_reader_end(reader);
    return status;
}
