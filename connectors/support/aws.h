/*
 * aws.h - what the connectors of AWS's services share: options, signed requests, errors.
 *
 *   static const TribOptionDef options[] = {AWS_OPTIONS("DynamoDB"), {own rows}, {.name = NULL}};
 *   aws_client_new(&service, &options, host, catalog, &client)      at open
 *   aws_exchange_init(&x, client, call); x.http.method, x.path ...; http_start or http_run
 *   x.http.status and x.http.code say how it ended; aws_error turns a bad answer into an error record
 *
 * Each attempt is signed anew. A clock that is off is corrected once by the Date of the answer that says
 * so, keys that have expired are fetched again once; both are repeated inside.
 *
 * Threads: an AwsClient by any number; an exchange by one at a time.
 */
#ifndef TRIB_SUPPORT_AWS_H
#define TRIB_SUPPORT_AWS_H

#include <stdatomic.h>

#include "connectors/support/aws_credentials.h"
#include "connectors/support/options.h"

/* Rows for a connector's option table; `service` is a string literal. */
#define AWS_OPTIONS(service)                                                                       \
    {"region",                                                                                     \
     TRIB_OPTION_STRING,                                                                           \
     NULL,                                                                                         \
     NULL,                                                                                         \
     0,                                                                                            \
     0,                                                                                            \
     false,                                                                                        \
     false,                                                                                        \
     "AWS region; if absent: AWS_REGION, AWS_DEFAULT_REGION, the profile's"},                      \
        {"endpoint",                                                                               \
         TRIB_OPTION_STRING,                                                                       \
         NULL,                                                                                     \
         NULL,                                                                                     \
         0,                                                                                        \
         0,                                                                                        \
         false,                                                                                    \
         false,                                                                                    \
         "URL of a compatible server (\"http://127.0.0.1:8000\"); AWS's own if absent"},           \
        {"credentials",                                                                            \
         TRIB_OPTION_CHOICE,                                                                       \
         "auto",                                                                                   \
         "auto|options|environment|web_identity|profile|container|instance|none",                  \
         0,                                                                                        \
         0,                                                                                        \
         false,                                                                                    \
         false,                                                                                    \
         "where keys come from. auto: the first found of options, environment, web identity, "     \
         "profile files, container metadata; instance: the metadata address of an EC2 instance; "  \
         "none: requests are not signed"},                                                         \
        {"access_key_id", TRIB_OPTION_STRING, NULL, NULL, 0, 0, false, false, "key to sign with"}, \
        {"secret_access_key", TRIB_OPTION_STRING, NULL, NULL, 0, 0, false, true, "its secret"},    \
        {"session_token",          TRIB_OPTION_STRING, NULL, NULL, 0, 0, false, true,              \
         "token of temporary keys"},                                                               \
        {"profile",                                                                                \
         TRIB_OPTION_STRING,                                                                       \
         NULL,                                                                                     \
         NULL,                                                                                     \
         0,                                                                                        \
         0,                                                                                        \
         false,                                                                                    \
         false,                                                                                    \
         "section of ~/.aws/credentials and ~/.aws/config; AWS_PROFILE or \"default\" if absent"}, \
        {"role_arn",                                                                               \
         TRIB_OPTION_STRING,                                                                       \
         NULL,                                                                                     \
         NULL,                                                                                     \
         0,                                                                                        \
         0,                                                                                        \
         false,                                                                                    \
         false,                                                                                    \
         "role to assume with the keys found"},                                                    \
        {"role_session_name",                                                                      \
         TRIB_OPTION_STRING,                                                                       \
         "tributary",                                                                              \
         NULL,                                                                                     \
         0,                                                                                        \
         0,                                                                                        \
         false,                                                                                    \
         false,                                                                                    \
         "name of the session of an assumed role"},                                                \
        {"external_id",                                                                            \
         TRIB_OPTION_STRING,                                                                       \
         NULL,                                                                                     \
         NULL,                                                                                     \
         0,                                                                                        \
         0,                                                                                        \
         false,                                                                                    \
         true,                                                                                     \
         "external id that the role asks for"},                                                    \
        {"sts_endpoint",                                                                           \
         TRIB_OPTION_STRING,                                                                       \
         NULL,                                                                                     \
         NULL,                                                                                     \
         0,                                                                                        \
         0,                                                                                        \
         false,                                                                                    \
         false,                                                                                    \
         "URL of the server that hands out roles; the region's STS if absent"},                    \
        {"ca_file",                                                                                \
         TRIB_OPTION_STRING,                                                                       \
         NULL,                                                                                     \
         NULL,                                                                                     \
         0,                                                                                        \
         0,                                                                                        \
         false,                                                                                    \
         false,                                                                                    \
         "file of trusted certificates (PEM); the system's if absent"},                            \
        {"max_requests_per_second",                                                                \
         TRIB_OPTION_INTEGER,                                                                      \
         "0",                                                                                      \
         NULL,                                                                                     \
         0,                                                                                        \
         1000000,                                                                                  \
         false,                                                                                    \
         false,                                                                                    \
         "cap on requests to " service " of all queries of this catalog together; 0: none"},       \
        {"connect_timeout", TRIB_OPTION_DURATION_MS, "10000", NULL, 1, 3600000, false, false,      \
         "time to connect"},                                                                       \
    {                                                                                              \
        "read_timeout", TRIB_OPTION_DURATION_MS, "30000", NULL, 1, 86400000, false, false,         \
            "longest silence of the server while it answers"                                       \
    }

/* Static facts of one service. */
typedef struct AwsService {
    const char *id;       /* in signatures: "dynamodb" */
    const char *name;     /* in messages: "DynamoDB" */
    const char *variable; /* of its endpoint: "AWS_ENDPOINT_URL_DYNAMODB" */
    uint32_t rules;       /* AWS_SIGN_* */
} AwsService;

typedef struct AwsClient {
    Arena *arena;
    const TribHost *host;
    const char *catalog; /* the caller's; outlives the client */
    const AwsService *service;
    const char *region;
    const char *endpoint; /* URL without a closing slash; may have a path */
    bool own_endpoint;    /* given, not AWS's */
    HttpClient *http;
    AwsProvider *provider;
    _Atomic int64_t skew_us; /* server's clock minus ours, where it matters */
} AwsClient;

/* `max_sessions`: as HttpOptions says. Errors: CONFIGURATION naming the option; out of memory. */
Status aws_client_new(const AwsService *service, const Options *options, const TribHost *host,
                      const char *catalog, uint32_t max_sessions, AwsClient **out,
                      Error *err) WARN_UNUSED;
void aws_client_free(AwsClient *self); /* NULL is allowed */

/* A request. The exchange comes first, so that its hooks find the rest; `context` stays the caller's. */
typedef struct AwsExchange {
    HttpExchange
        http; /* set method, body_out, max_body, on_body ...; headers and url come of themselves */
    AwsClient *client;
    TribCall *call;
    const char
        *endpoint; /* another than the client's (virtual-host buckets); NULL = the client's */
    Str path;      /* encoded, begins with a slash; empty = "/" */
    Str query;     /* encoded, without the question mark */
    const HttpHeader *headers;
    uint32_t nheaders;
    const char *payload_hash; /* of body_out where it is known; NULL = computed */
    /* Looks at a good answer before the caller does (a checksum ...). NULL = final. */
    HttpVerdict (*judge)(struct AwsExchange *exchange);
    /* of a bad answer, in http.arena */
    Str error_code, error_message;
    Str error_region; /* S3: the region that the data is in, if the answer says so */
    /* internal */
    bool clock_corrected, keys_renewed;
    char access_key[160]; /* that the last attempt was signed with; cut: only to be compared */
} AwsExchange;

Status aws_exchange_init(AwsExchange *self, AwsClient *client, TribCall *call,
                         Error *err) WARN_UNUSED;
void aws_exchange_clear(AwsExchange *self);
/*
 * The error that a bad answer (status TRIB_OK, code >= 300) is: credentials 28000, throttling, a missing
 * object 42S02, a wrong region HY000 with a hint, else HY000 - each with the service's own code and
 * message. Returns err's status.
 */
Status aws_error(const AwsExchange *self, Error *err);

#endif
