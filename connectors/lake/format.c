/*
 * format.c - the list of formats, and what they share.
 */
#include "connectors/lake/format.h"

#include <inttypes.h>

static const Format *const formats[] = {&format_csv, &format_json};

const Format *format_of(FormatKind kind) {
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        if (formats[i]->kind == kind) return formats[i];
    }
    return NULL;
}

const Format *format_of_name(Str name, Str *stem) {
    (void)codec_of_name(name, stem);
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        for (size_t k = 0; formats[i]->endings[k]; k++) {
            Str ending = str_from(formats[i]->endings[k]);
            if (stem->len <= ending.len) continue;
            Str tail = {stem->data + stem->len - ending.len, ending.len};
            if (!str_equal_fold(tail, ending)) continue;
            stem->len -= ending.len;
            return formats[i];
        }
    }
    return NULL;
}

Codec format_codec(const Shape *shape, const char *key) {
    Str stem;
    return shape->codec == CODEC_AUTO ? codec_of_name(str_from(key), &stem) : shape->codec;
}

Status format_stream(const FormatParams *params, Stream **out, Error *err) {
    StreamParams stream = {.host = params->host,
                           .store = params->store,
                           .range = params->range,
                           .codec = format_codec(params->shape, params->range.object->key),
                           .max_ratio = params->shape->max_ratio};
    return stream_open(&stream, params->call, out, err);
}

size_t format_block(const FormatParams *params, size_t most) {
    uint64_t range = params->range.end - params->range.begin + 1;
    bool plain = format_codec(params->shape, params->range.object->key) == CODEC_NONE;
    return plain && range < most ? (size_t)range : most;
}

Status format_convert(const FormatParams *params, uint32_t column, const Field *fields,
                      uint32_t count, FormatFault fault, void *self, Error *err) {
    const FormatColumn *target = &params->columns[column];
    BatchBuilder *builder = params->builder;
    Convert convert = {.builder = builder, .column = &builder->columns[target->output], .err = err};
    for (uint32_t from = 0; from < count;) {
        convert.fields = fields + from;
        convert.count = count - from;
        convert.row = builder->rows + from;
        ConvertResult result = target->kernel(&convert);
        if (result == CONVERT_DONE) return TRIB_OK;
        if (result == CONVERT_FAILED) return err->status;
        from += convert.done;
        if (params->shape->on_mismatch != MISMATCH_NULL)
            return fault(self, column, from, convert.why, err);
        if (params->mismatches->count++ == 0) {
            Error first;
            (void)fault(self, column, from, convert.why, &first);
            text_format(params->mismatches->first, sizeof params->mismatches->first, "%s",
                        first.message);
        }
        batch_set_null(convert.column, builder->rows + from);
        from++;
    }
    return TRIB_OK;
}

/* Counts the line ends before `offset` of the decoded file. */
static Status lines_count(const FormatParams *params, uint64_t offset, uint64_t *lines,
                          Error *err) {
    FormatParams whole = *params;
    StoreStats stats = {0};
    Stream *stream;
    enum { PIECE = 256 * 1024 };
    char *piece;
    whole.range.begin = 0;
    whole.range.end = whole.range.object->size;
    whole.range.stats = &stats;
    TRY_ALLOC(piece, host_alloc(params->host, PIECE), err);
    Status status = format_stream(&whole, &stream, err);
    for (uint64_t at = 0; status == TRIB_OK && at < offset;) {
        size_t got, want = offset - at < PIECE ? (size_t)(offset - at) : PIECE;
        status = stream_read(stream, piece, want, &got, err);
        if (status != TRIB_OK || got == 0) break;
        for (size_t i = 0; i < got; i++) *lines += piece[i] == '\n';
        at += got;
    }
    stream_close(stream);
    host_free(params->host, piece);
    return status;
}

void format_place(const FormatParams *params, uint64_t offset, char *out, size_t size) {
    uint64_t lines = 0;
    Error ignored;
    const char *scheme = params->store->scheme, *key = params->range.object->key;
    if (lines_count(params, offset, &lines, &ignored) == TRIB_OK)
        text_format(out, size, "%s%s, line %" PRIu64, scheme, key, lines + 1);
    else
        text_format(out, size, "%s%s, byte %" PRIu64, scheme, key, offset);
}

void format_value_text(Str value, char *out, size_t size) {
    size_t limit = size - 4 < 60 ? size - 4 : 60;
    size_t n = utf8_cut(value.data, value.len, limit);
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)value.data[i] < 0x20 || value.data[i] == 0x7F ? '.' : value.data[i];
    memcpy(out + n, n < value.len ? "..." : "", n < value.len ? 4 : 1);
}
