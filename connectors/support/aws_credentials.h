/*
 * aws_credentials.h - where the keys that sign requests come from.
 *
 * In order, the first that is there: options; environment (AWS_ACCESS_KEY_ID ...); web identity
 * (AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN); profile files, with source_profile, credential_source
 * and role_arn; container metadata (AWS_CONTAINER_CREDENTIALS_*_URI). The metadata address of an EC2
 * instance (IMDSv2) is asked only where the catalog or a profile says so. With the option role_arn, the
 * keys found are used to assume that role. Keys that expire are fetched again five minutes earlier, by
 * one thread, while the others go on with the old ones.
 *
 * Threads: a provider by any number. Secrets are wiped before their memory goes and never logged.
 */
#ifndef TRIB_SUPPORT_AWS_CREDENTIALS_H
#define TRIB_SUPPORT_AWS_CREDENTIALS_H

#include "connectors/support/aws_sign.h"

typedef struct AwsProvider AwsProvider;

/* In the order of the choices of the option "credentials". */
typedef enum {
    AWS_FROM_AUTO,
    AWS_FROM_OPTIONS,
    AWS_FROM_ENVIRONMENT,
    AWS_FROM_WEB_IDENTITY,
    AWS_FROM_PROFILE,
    AWS_FROM_CONTAINER,
    AWS_FROM_INSTANCE,
    AWS_FROM_NOWHERE /* requests are not signed */
} AwsSource;

typedef struct AwsCredentialOptions {
    const TribHost *host;
    const char *catalog; /* outlives the provider; the rest is copied */
    AwsSource source;
    AwsKeys keys;        /* from options; access_key NULL = not given */
    const char *profile; /* NULL = AWS_PROFILE, then "default" */
    const char *role_arn, *external_id, *role_session_name; /* NULL = not given */
    const char *region, *sts_endpoint;                      /* sts_endpoint NULL = AWS's own */
    const char *ca_file;
} AwsCredentialOptions;

Status aws_provider_new(const AwsCredentialOptions *options, AwsProvider **out,
                        Error *err) WARN_UNUSED;
void aws_provider_free(AwsProvider *self); /* NULL is allowed */
/*
 * Keys to sign with, copied into the arena; access_key NULL = do not sign. May do I/O.
 * Errors: 28000 saying where was looked; what STS or a metadata service answered; HYT00, HY008.
 */
Status aws_provider_keys(AwsProvider *self, TribCall *call, Arena *arena, AwsKeys *out,
                         Error *err) WARN_UNUSED;
/* The service says that these keys have expired: fetch others at the next call. */
void aws_provider_expire(AwsProvider *self, const char *access_key);
/* "environment", "profile default" ...: for `tributary check`; "" before the first use. */
void aws_provider_origin(AwsProvider *self, char *out, size_t size);

#endif
