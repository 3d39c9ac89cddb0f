/*
 * codec.c - decoding streams: one input buffer, one decoder behind a table of functions.
 *
 * Input is read in pieces of 256 KiB. After a gzip member or a zstd frame more may follow: zero or more
 * further ones are decoded; anything else is trailing garbage. The end of input within one is an error
 * that says so. zlib and zstd check the members' CRC-32 and the frames' XXH64.
 */
#include "connectors/lake/codec.h"

#include <inttypes.h>
#include <zlib.h>
#include <zstd.h>

enum { INPUT_BYTES = 256 * 1024, WINDOW_LOG_MAX = 26 };
/* Below this much output no ratio is looked at: small files of blanks are no bombs. */
#define RATIO_FREE_BYTES (UINT64_C(64) << 20)

typedef struct Decoder {
    Codec codec;
    const char *name, *endings[2];
    Status (*begin)(Stream *self, Error *err);
    /* Decodes from in[at..len) into out; *produced bytes. Sets self->within. */
    Status (*step)(Stream *self, void *out, size_t size, size_t *produced, Error *err);
    void (*end)(Stream *self);
} Decoder;

struct Stream {
    const TribHost *host;
    Store *store;
    StoreReader *reader;
    const StoreObject *object;
    const Decoder *decoder; /* NULL: plain */
    char *in;
    size_t at, len;
    bool input_ended;
    bool within; /* inside a member or frame */
    uint64_t consumed, produced;
    uint32_t max_ratio;
    z_stream zlib;
    ZSTD_DCtx *zstd;
};

static Status stream_fault(const Stream *self, Error *err, const char *what) {
    return error_set(err, ERR_SOURCE, "%s%s: %s (after %" PRIu64 " bytes of the file)",
                     self->store->scheme, self->object->key, what, self->consumed);
}

/* ---------------------------------------------------------------- gzip */

static void *zlib_alloc(void *context, unsigned count, unsigned size) {
    size_t bytes;
    const Stream *self = context;
    if (__builtin_mul_overflow((size_t)count, (size_t)size, &bytes)) return NULL;
    return host_alloc(self->host, bytes);
}

static void zlib_free(void *context, void *memory) {
    const Stream *self = context;
    host_free(self->host, memory);
}

static Status gzip_begin(Stream *self, Error *err) {
    self->zlib = (z_stream){.zalloc = zlib_alloc, .zfree = zlib_free, .opaque = self};
    if (inflateInit2(&self->zlib, 15 + 16) != Z_OK) return error_out_of_memory(err);
    return TRIB_OK;
}

static Status gzip_step(Stream *self, void *out, size_t size, size_t *produced, Error *err) {
    uInt room = size > UINT32_MAX ? UINT32_MAX : (uInt)size;
    self->zlib.next_in = (Bytef *)self->in + self->at;
    self->zlib.avail_in = (uInt)(self->len - self->at);
    self->zlib.next_out = out;
    self->zlib.avail_out = room;
    self->within = true;
    int code = inflate(&self->zlib, Z_NO_FLUSH);
    *produced = room - self->zlib.avail_out;
    self->consumed += self->len - self->at - self->zlib.avail_in;
    self->at = self->len - self->zlib.avail_in;
    if (code == Z_STREAM_END) {
        self->within = false;
        if (inflateReset(&self->zlib) != Z_OK)
            return stream_fault(self, err, "zlib cannot go on behind a gzip member");
        return TRIB_OK;
    }
    if (code == Z_MEM_ERROR) return error_out_of_memory(err);
    if (code != Z_OK && code != Z_BUF_ERROR) {
        stream_fault(self, err, "the gzip data is damaged");
        return error_detail(err, "zlib: %s", self->zlib.msg ? self->zlib.msg : "unknown");
    }
    return TRIB_OK;
}

static void gzip_end(Stream *self) {
    inflateEnd(&self->zlib);
}

/* ---------------------------------------------------------------- zstd */

static Status zstd_begin(Stream *self, Error *err) {
    TRY_ALLOC(self->zstd, ZSTD_createDCtx(), err);
    if (ZSTD_isError(ZSTD_DCtx_setParameter(self->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
        return stream_fault(self, err, "zstd cannot be set up");
    return TRIB_OK;
}

static Status zstd_step(Stream *self, void *out, size_t size, size_t *produced, Error *err) {
    ZSTD_inBuffer input = {self->in, self->len, self->at};
    ZSTD_outBuffer output = {out, size, 0};
    size_t code = ZSTD_decompressStream(self->zstd, &output, &input);
    *produced = output.pos;
    self->consumed += input.pos - self->at;
    self->at = input.pos;
    if (ZSTD_isError(code)) {
        stream_fault(self, err, "the zstd data is damaged");
        return error_detail(err, "zstd: %s", ZSTD_getErrorName(code));
    }
    self->within = code != 0;
    return TRIB_OK;
}

static void zstd_end(Stream *self) {
    ZSTD_freeDCtx(self->zstd);
}

static const Decoder decoders[] = {
    {CODEC_GZIP, "gzip", {".gz", ".gzip"}, gzip_begin, gzip_step, gzip_end},
    {CODEC_ZSTD, "zstd", {".zst", ".zstd"}, zstd_begin, zstd_step, zstd_end},
};

Codec codec_of_name(Str name, Str *stem) {
    *stem = name;
    for (size_t i = 0; i < COUNT_OF(decoders); i++) {
        for (size_t k = 0; k < COUNT_OF(decoders[i].endings); k++) {
            Str ending = str_from(decoders[i].endings[k]);
            if (name.len <= ending.len) continue;
            Str tail = {name.data + name.len - ending.len, ending.len};
            if (!str_equal_fold(tail, ending)) continue;
            stem->len = name.len - ending.len;
            return decoders[i].codec;
        }
    }
    return CODEC_NONE;
}

/* ---------------------------------------------------------------- the stream */

Status stream_open(const StreamParams *params, TribCall *call, Stream **out, Error *err) {
    Stream *self;
    *out = NULL;
    TRY_ALLOC(self, host_alloc(params->host, sizeof *self), err);
    memset(self, 0, sizeof *self);
    self->host = params->host;
    self->store = params->store;
    self->object = params->range.object;
    self->max_ratio = params->max_ratio;
    Status status = TRIB_OK;
    for (size_t i = 0; i < COUNT_OF(decoders); i++) {
        if (decoders[i].codec != params->codec) continue;
        self->in = host_alloc(self->host, INPUT_BYTES);
        status = self->in ? decoders[i].begin(self, err) : error_out_of_memory(err);
        if (status == TRIB_OK || self->zstd) self->decoder = &decoders[i];
    }
    if (status == TRIB_OK)
        status = params->store->open(params->store, call, &params->range, &self->reader, err);
    if (status != TRIB_OK) {
        stream_close(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

static Status plain_read(Stream *self, char *out, size_t size, size_t *got, Error *err) {
    while (*got < size) {
        size_t n;
        TRY(self->reader->read(self->reader, out + *got, size - *got, &n, err));
        if (n == 0) break;
        *got += n;
        self->consumed += n;
    }
    return TRIB_OK;
}

static Status input_fill(Stream *self, Error *err) {
    self->at = self->len = 0;
    TRY(self->reader->read(self->reader, self->in, INPUT_BYTES, &self->len, err));
    self->input_ended = self->len == 0;
    return TRIB_OK;
}

static Status ratio_check(const Stream *self, Error *err) {
    if (self->produced < RATIO_FREE_BYTES || !self->max_ratio) return TRIB_OK;
    if (self->produced / self->max_ratio <= self->consumed + self->max_ratio) return TRIB_OK;
    error_set(err, ERR_LIMIT,
              "%s%s expands to more than %u times its size: %" PRIu64 " bytes gave %" PRIu64,
              self->store->scheme, self->object->key, self->max_ratio, self->consumed,
              self->produced);
    return error_hint(err, "raise max_compression_ratio if the file is meant to be like that");
}

Status stream_read(Stream *self, void *out, size_t size, size_t *got, Error *err) {
    *got = 0;
    if (!self->decoder) return plain_read(self, out, size, got, err);
    while (*got < size) {
        if (self->at == self->len && !self->input_ended) TRY(input_fill(self, err));
        /* At the end of the input a decoder may still hold output. */
        if (self->at == self->len && self->input_ended && !self->within) break;
        size_t produced, before = self->at;
        TRY(self->decoder->step(self, (char *)out + *got, size - *got, &produced, err));
        *got += produced;
        self->produced += produced;
        if (produced == 0 && self->at == before && self->input_ended && self->within)
            return stream_fault(self, err, "the compressed data ends before its end: cut off");
        TRY(ratio_check(self, err));
    }
    return TRIB_OK;
}

void stream_close(Stream *self) {
    if (!self) return;
    if (self->reader) self->reader->close(self->reader);
    if (self->decoder) self->decoder->end(self);
    host_free(self->host, self->in);
    host_free(self->host, self);
}
