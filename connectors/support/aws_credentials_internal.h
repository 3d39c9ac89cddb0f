/*
 * aws_credentials_internal.h - what aws_credentials.c (the chain, the cache) and aws_metadata.c (keys
 * that are asked for over HTTP) share. Nobody else includes it.
 */
#ifndef TRIB_SUPPORT_AWS_CREDENTIALS_INTERNAL_H
#define TRIB_SUPPORT_AWS_CREDENTIALS_INTERNAL_H

#include <pthread.h>

#include "connectors/support/aws_credentials.h"

/* Keys with where they came from; texts live in the arena that they were fetched into. */
typedef struct AwsFetched {
    AwsKeys keys;
    int64_t expires_us; /* since 1970; INT64_MAX = never */
    const char *origin;
} AwsFetched;

struct AwsProvider {
    Arena *arena;
    AwsCredentialOptions options; /* copied into the arena */
    HttpClient *http;             /* for STS and metadata; made with the provider */
    pthread_mutex_t lock;         /* guards what follows */
    pthread_cond_t changed;
    bool fetching;
    Arena *fetched_arena;
    AwsFetched fetched; /* keys.access_key NULL = none yet */
};

/* A role to be assumed. */
typedef struct AwsRole {
    const char *arn, *session_name, *external_id; /* the latter two may be NULL */
} AwsRole;

/* Each may do I/O; texts of *out live in the arena. */
Status aws_fetch_container(AwsProvider *self, TribCall *call, Arena *arena, AwsFetched *out,
                           Error *err) WARN_UNUSED;
Status aws_fetch_instance(AwsProvider *self, TribCall *call, Arena *arena, AwsFetched *out,
                          Error *err) WARN_UNUSED;
Status aws_fetch_role(AwsProvider *self, TribCall *call, Arena *arena, const AwsKeys *with,
                      const AwsRole *role, AwsFetched *out, Error *err) WARN_UNUSED;
Status aws_fetch_web_identity(AwsProvider *self, TribCall *call, Arena *arena,
                              const char *token_file, const AwsRole *role, AwsFetched *out,
                              Error *err) WARN_UNUSED;

#endif
