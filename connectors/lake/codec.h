/*
 * codec.h - the decoded bytes of an object: plain, gzip (RFC 1952), zstd (RFC 8878).
 *
 * A Stream reads an object from its beginning (or, uncompressed, any range of it) and hands out decoded
 * bytes. Truncation, trailing garbage and wrong checksums are errors; so are window sizes that would
 * need more than 64 MiB, and output beyond `max_ratio` times the input (bombs). Concatenated members and
 * frames are one stream, as the formats say. One thread; memory from the host.
 */
#ifndef TRIB_LAKE_CODEC_H
#define TRIB_LAKE_CODEC_H

#include "connectors/lake/store.h"

typedef enum { CODEC_AUTO, CODEC_NONE, CODEC_GZIP, CODEC_ZSTD } Codec;

typedef struct Stream Stream;

typedef struct StreamParams {
    const TribHost *host;
    Store *store;
    StoreRange range; /* compressed: the whole object */
    Codec codec;      /* not AUTO */
    uint32_t max_ratio;
} StreamParams;

/* By the ending of the name: .gz, .gzip, .zst, .zstd; *stem = the name without it. */
Codec codec_of_name(Str name, Str *stem);

Status stream_open(const StreamParams *params, TribCall *call, Stream **out,
                   Error *err) WARN_UNUSED;
/* Fills `size` bytes unless the end comes first: *got < size means the end. */
Status stream_read(Stream *self, void *out, size_t size, size_t *got, Error *err) WARN_UNUSED;
void stream_close(Stream *self); /* NULL is allowed */

#endif
