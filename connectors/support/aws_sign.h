/*
 * aws_sign.h - Signature Version 4 of AWS, by the "Signing AWS API requests" pages of its documentation.
 */
#ifndef TRIB_SUPPORT_AWS_SIGN_H
#define TRIB_SUPPORT_AWS_SIGN_H

#include "connectors/support/http.h"

/* S3 wants its own rules; every other service AWS_SIGN_USUAL. */
enum {
    AWS_SIGN_NORMALISE = 1,    /* "." and "..", doubled slashes leave the path */
    AWS_SIGN_ENCODE_AGAIN = 2, /* the path as sent is encoded once more */
    AWS_SIGN_PAYLOAD = 4,      /* x-amz-content-sha256 is sent and signed */
    AWS_SIGN_USUAL = AWS_SIGN_NORMALISE | AWS_SIGN_ENCODE_AGAIN,
    AWS_SIGN_S3 = AWS_SIGN_PAYLOAD
};

/* Texts are borrowed. */
typedef struct AwsKeys {
    const char *access_key, *secret_key;
    const char *token; /* of temporary keys; NULL = none */
} AwsKeys;

typedef struct AwsSigning {
    AwsKeys keys;
    const char *region, *service; /* "eu-central-1", "dynamodb" */
    uint32_t rules;               /* AWS_SIGN_* */
    int64_t now_us;               /* since 1970, corrected for a skewed clock */
} AwsSigning;

typedef struct AwsRequest {
    Str method;
    Str host;  /* as the Host header says it */
    Str path;  /* as sent: encoded by the caller */
    Str query; /* as sent, without the question mark; unsorted */
    const HttpHeader *headers;
    uint32_t nheaders; /* to be signed beside host and x-amz-* of the signature itself */
    Str payload_hash;  /* aws_sha256_hex of the body, or "UNSIGNED-PAYLOAD" */
} AwsRequest;

enum { AWS_HASH_TEXT = 64 };

/* The hash of nothing, in hex. */
extern const char aws_empty_hash[AWS_HASH_TEXT + 1];
/* SHA-256 in lower-case hex, NUL-terminated. false: OpenSSL is out of memory. */
bool aws_sha256_hex(const void *data, size_t length, char out[AWS_HASH_TEXT + 1]);

/*
 * The headers to send: those of the request followed by x-amz-date, x-amz-security-token (if there is a
 * token), x-amz-content-sha256 (by the rules) and authorization. They live in the arena. `canonical`:
 * the canonical request, for messages and tests; may be NULL.
 */
Status aws_sign(Arena *arena, const AwsSigning *signing, const AwsRequest *request,
                HttpHeader **headers, uint32_t *nheaders, Str *canonical, Error *err) WARN_UNUSED;

#endif
