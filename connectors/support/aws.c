/*
 * aws.c - options, signed requests and errors of AWS's services.
 *
 * The endpoint: the option, AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's endpoint_url, or
 * https://<service>.<region>.amazonaws.com. The region: the option, AWS_REGION, AWS_DEFAULT_REGION, the
 * profile; us-east-1 where an endpoint is given, since compatible servers do not care.
 *
 * Error codes come as JSON ("__type"), as XML (<Code>) or in x-amzn-errortype; AWS prefixes them with a
 * namespace or a link, which goes.
 */
#include "connectors/support/aws.h"

#include "connectors/support/aws_profile.h"
#include "connectors/support/uri.h"
#include "connectors/support/xml.h"
#include "engine/base/json.h"
#include "engine/base/os.h"

/* ---------------------------------------------------------------- options */

static const char *option_value(const Options *options, const char *name) {
    const char *text = option_text(options, name);
    return text && *text ? text : NULL;
}

static const char *first_environment(const char *a, const char *b) {
    const char *value = os_env(a);
    return value ? value : os_env(b);
}

/* The profile's word where neither option nor environment has one. */
static Status profile_default(AwsClient *self, const Options *options, const char *key,
                              const char **out, Error *err) {
    AwsProfiles profiles;
    TRY(aws_profiles_read(&profiles, self->arena, err));
    Str name = aws_profile_name(option_value(options, "profile"));
    Str value = aws_profile_value(&profiles, name, key);
    *out = NULL;
    if (value.len == 0) return TRIB_OK;
    TRY_ALLOC(*out, str_dup(self->arena, value), err);
    return TRIB_OK;
}

static bool region_looks_right(const char *region) {
    size_t length = strlen(region);
    for (size_t i = 0; i < length; i++) {
        char c = region[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-'))
            return false;
    }
    return length > 0 && length < 64;
}

static Status find_endpoint(AwsClient *self, const Options *options, Error *err) {
    const char *given = option_value(options, "endpoint");
    Uri uri;
    if (!given) given = first_environment(self->service->variable, "AWS_ENDPOINT_URL");
    if (!given) TRY(profile_default(self, options, "endpoint_url", &given, err));
    if (!given) return TRIB_OK;
    if (!uri_split(str_from(given), &uri) || uri.query.len)
        return option_error(options, "endpoint", err,
                            "option \"endpoint\" must be a URL like \"http://127.0.0.1:8000\", "
                            "not \"%s\"",
                            given);
    size_t length = strlen(given);
    while (length && given[length - 1] == '/') length--;
    TRY_ALLOC(self->endpoint, arena_copy(self->arena, given, length), err);
    self->own_endpoint = true;
    return TRIB_OK;
}

static Status find_region(AwsClient *self, const Options *options, Error *err) {
    const char *region = option_value(options, "region");
    if (!region) region = first_environment("AWS_REGION", "AWS_DEFAULT_REGION");
    if (!region) TRY(profile_default(self, options, "region", &region, err));
    if (!region && self->own_endpoint) region = "us-east-1";
    if (!region) {
        option_error(options, "region", err, "no AWS region is given");
        return error_hint(err, "set the option \"region\", AWS_REGION, or region in the profile");
    }
    if (!region_looks_right(region))
        return option_error(options, "region", err, "\"%s\" is not the name of a region", region);
    TRY_ALLOC(self->region, arena_strdup(self->arena, region), err);
    if (self->endpoint) return TRIB_OK;
    const char *suffix = strncmp(region, "cn-", 3) == 0 ? ".cn" : "";
    TRY_ALLOC(self->endpoint,
              arena_printf(self->arena, "https://%s.%s.amazonaws.com%s", self->service->id, region,
                           suffix),
              err);
    return TRIB_OK;
}

static Status make_provider(AwsClient *self, const Options *options, Error *err) {
    AwsCredentialOptions credentials = {
        .host = self->host,
        .catalog = self->catalog,
        .source = (AwsSource)option_choice(options, "credentials"),
        .keys = {option_value(options, "access_key_id"), option_value(options, "secret_access_key"),
                 option_value(options, "session_token")},
        .profile = option_value(options, "profile"),
        .role_arn = option_value(options, "role_arn"),
        .external_id = option_value(options, "external_id"),
        .role_session_name = option_value(options, "role_session_name"),
        .region = self->region,
        .sts_endpoint = option_value(options, "sts_endpoint"),
        .ca_file = option_value(options, "ca_file")};
    bool access = credentials.keys.access_key, secret = credentials.keys.secret_key;
    if (access != secret)
        return option_error(options, access ? "access_key_id" : "secret_access_key", err,
                            "access_key_id and secret_access_key are given together or not at all");
    return aws_provider_new(&credentials, &self->provider, err);
}

static Status client_fill(AwsClient *self, const Options *options, uint32_t max_sessions,
                          Error *err) {
    TRY(find_endpoint(self, options, err));
    TRY(find_region(self, options, err));
    TRY(make_provider(self, options, err));
    HttpOptions http = {.host = self->host,
                        .catalog = self->catalog,
                        .service = self->service->name,
                        .max_sessions = max_sessions,
                        .requests_per_second =
                            (double)option_integer(options, "max_requests_per_second", 0),
                        .connect_timeout_ms = option_integer(options, "connect_timeout", 10000),
                        .progress_timeout_ms = option_integer(options, "read_timeout", 30000),
                        .ca_file = option_value(options, "ca_file")};
    return http_client_new(&http, &self->http, err);
}

Status aws_client_new(const AwsService *service, const Options *options, const TribHost *host,
                      const char *catalog, uint32_t max_sessions, AwsClient **out, Error *err) {
    Arena *arena;
    *out = NULL;
    TRY_ALLOC(arena, arena_new(NULL), err);
    AwsClient *self = ARENA_NEW(arena, AwsClient);
    if (!self) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    self->arena = arena;
    self->host = host;
    self->catalog = catalog;
    self->service = service;
    Status status = client_fill(self, options, max_sessions, err);
    if (status != TRIB_OK) {
        aws_client_free(self);
        return error_source(err, catalog);
    }
    *out = self;
    return TRIB_OK;
}

void aws_client_free(AwsClient *self) {
    if (!self) return;
    http_client_free(self->http);
    aws_provider_free(self->provider);
    arena_free(self->arena);
}

/* ---------------------------------------------------------------- signing */

static AwsExchange *exchange_of(HttpExchange *http) {
    return (AwsExchange *)http; /* http is the first member */
}

static Status payload_hash(const AwsExchange *self, Arena *arena, Str *out, Error *err) {
    char hash[AWS_HASH_TEXT + 1];
    if (self->payload_hash) {
        *out = str_from(self->payload_hash);
        return TRIB_OK;
    }
    if (self->http.body_out.len == 0) {
        *out = str_from(aws_empty_hash);
        return TRIB_OK;
    }
    if (!aws_sha256_hex(self->http.body_out.data, self->http.body_out.len, hash))
        return error_out_of_memory(err);
    char *text;
    TRY_ALLOC(text, arena_strdup(arena, hash), err);
    *out = str_from(text);
    return TRIB_OK;
}

/* Before each attempt: url and headers, in the arena that the attempt has just emptied. */
static Status exchange_prepare(HttpExchange *http, Error *err) {
    AwsExchange *self = exchange_of(http);
    AwsClient *client = self->client;
    Arena *arena = http->arena;
    const char *endpoint = self->endpoint ? self->endpoint : client->endpoint;
    Str path = self->path.len ? self->path : STR("/");
    Uri uri;
    AwsKeys keys;
    TRY_ALLOC(http->url,
              arena_printf(arena, "%s" STR_FORMAT "%s" STR_FORMAT, endpoint, STR_ARGS(path),
                           self->query.len ? "?" : "", STR_ARGS(self->query)),
              err);
    if (!uri_split(str_from(http->url), &uri))
        return error_set(err, ERR_CONFIGURATION, "this is no URL: %s", http->url);
    TRY(aws_provider_keys(client->provider, self->call, arena, &keys, err));
    http->headers = self->headers;
    http->nheaders = self->nheaders;
    if (!keys.access_key) return TRIB_OK;
    text_format(self->access_key, sizeof self->access_key, "%s", keys.access_key);
    char *host;
    TRY_ALLOC(host, uri_host_header(arena, &uri), err);
    AwsRequest request = {.method = str_from(http->method),
                          .host = str_from(host),
                          .path = uri.path,
                          .query = uri.query,
                          .headers = self->headers,
                          .nheaders = self->nheaders};
    TRY(payload_hash(self, arena, &request.payload_hash, err));
    AwsSigning signing = {.keys = keys,
                          .region = client->region,
                          .service = client->service->id,
                          .rules = client->service->rules,
                          .now_us = os_realtime_us() + atomic_load(&client->skew_us)};
    HttpHeader *headers;
    Status status = aws_sign(arena, &signing, &request, &headers, &http->nheaders, NULL, err);
    http->headers = headers;
    explicit_bzero((char *)keys.secret_key, strlen(keys.secret_key));
    return status;
}

/* ---------------------------------------------------------------- answers */

/* "com.amazonaws.dynamodb.v20120810#ThrottlingException", "AccessDenied:http://..." */
static Str bare_code(Str code) {
    const char *hash = memchr(code.data, '#', code.len);
    if (hash) {
        size_t used = (size_t)(hash - code.data) + 1;
        code = (Str){code.data + used, code.len - used};
    }
    const char *colon = memchr(code.data, ':', code.len);
    if (colon) code.len = (size_t)(colon - code.data);
    return code;
}

static void read_json_error(AwsExchange *self, Str body) {
    JsonValue *object;
    Error ignored;
    if (json_parse(self->http.arena, body, false, &object, &ignored) != TRIB_OK ||
        object->kind != JSON_OBJECT_BEGIN)
        return;
    const JsonValue *code = json_member(object, STR("__type"));
    const JsonValue *message = json_member(object, STR("message"));
    if (!code) code = json_member(object, STR("code"));
    if (!message) message = json_member(object, STR("Message"));
    if (code && code->kind == JSON_STRING) self->error_code = code->text;
    if (message && message->kind == JSON_STRING) self->error_message = message->text;
}

static void read_xml_error(AwsExchange *self, Str body) {
    Error ignored;
    Str code, message, region;
    if (xml_find(self->http.arena, body, "Code", &code, &ignored) == TRIB_OK && code.data)
        self->error_code = code;
    if (xml_find(self->http.arena, body, "Message", &message, &ignored) == TRIB_OK && message.data)
        self->error_message = message;
    if (xml_find(self->http.arena, body, "Region", &region, &ignored) == TRIB_OK && region.data)
        self->error_region = region;
}

static void read_error(AwsExchange *self) {
    Str body = str_trim(buf_view(&self->http.body));
    Str header = http_header(&self->http, "x-amzn-errortype");
    self->error_code = self->error_message = self->error_region = (Str){NULL, 0};
    if (body.len && body.data[0] == '{') read_json_error(self, body);
    if (body.len && body.data[0] == '<') read_xml_error(self, body);
    if (!self->error_code.len && header.data) self->error_code = header;
    if (self->error_code.len) self->error_code = bare_code(self->error_code);
}

typedef enum {
    KIND_THROTTLED,
    KIND_AGAIN,
    KIND_CLOCK,
    KIND_EXPIRED,
    KIND_AUTH,
    KIND_REGION,
    KIND_MISSING
} Kind;

static const struct {
    const char *code;
    Kind kind;
} codes[] = {
    {"ProvisionedThroughputExceededException", KIND_THROTTLED},
    {"ThrottlingException", KIND_THROTTLED},
    {"Throttling", KIND_THROTTLED},
    {"ThrottledException", KIND_THROTTLED},
    {"RequestThrottled", KIND_THROTTLED},
    {"RequestThrottledException", KIND_THROTTLED},
    {"RequestLimitExceeded", KIND_THROTTLED},
    {"TooManyRequestsException", KIND_THROTTLED},
    {"SlowDown", KIND_THROTTLED},
    {"LimitExceededException", KIND_THROTTLED},
    {"InternalServerError", KIND_AGAIN},
    {"InternalError", KIND_AGAIN},
    {"InternalFailure", KIND_AGAIN},
    {"RequestTimeout", KIND_AGAIN},
    {"RequestTimeoutException", KIND_AGAIN},
    {"TransactionInProgressException", KIND_AGAIN},
    {"RequestTimeTooSkewed", KIND_CLOCK},
    {"RequestExpired", KIND_CLOCK},
    {"RequestInTheFuture", KIND_CLOCK},
    {"ExpiredToken", KIND_EXPIRED},
    {"ExpiredTokenException", KIND_EXPIRED},
    {"TokenRefreshRequired", KIND_EXPIRED},
    {"AccessDenied", KIND_AUTH},
    {"AccessDeniedException", KIND_AUTH},
    {"AllAccessDisabled", KIND_AUTH},
    {"IncompleteSignature", KIND_AUTH},
    {"IncompleteSignatureException", KIND_AUTH},
    {"InvalidAccessKeyId", KIND_AUTH},
    {"InvalidClientTokenId", KIND_AUTH},
    {"InvalidSignatureException", KIND_AUTH},
    {"InvalidToken", KIND_AUTH},
    {"MissingAuthenticationToken", KIND_AUTH},
    {"MissingAuthenticationTokenException", KIND_AUTH},
    {"NotSignedUp", KIND_AUTH},
    {"OptInRequired", KIND_AUTH},
    {"SignatureDoesNotMatch", KIND_AUTH},
    {"UnrecognizedClientException", KIND_AUTH},
    {"AuthorizationHeaderMalformed", KIND_REGION},
    {"PermanentRedirect", KIND_REGION},
    {"TemporaryRedirect", KIND_REGION},
    {"NoSuchBucket", KIND_MISSING},
    {"NoSuchKey", KIND_MISSING},
    {"ResourceNotFoundException", KIND_MISSING},
};

/* -1: nothing special. */
static int code_kind(Str code) {
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        if (str_equal(code, str_from(codes[i].code))) return (int)codes[i].kind;
    }
    return -1;
}

static bool contains(Str text, const char *part) {
    size_t length = strlen(part);
    for (size_t i = 0; i + length <= text.len; i++) {
        if (memcmp(text.data + i, part, length) == 0) return true;
    }
    return false;
}

/* Corrects the clock by the answer's Date, once; false: that is not what is wrong. */
static bool correct_clock(AwsExchange *self, int kind) {
    bool by_message = contains(self->error_message, "Signature expired") ||
                      contains(self->error_message, "Signature not yet current");
    if (kind != KIND_CLOCK && !by_message) return false;
    if (self->clock_corrected || !self->http.date_us) return false;
    self->clock_corrected = true;
    atomic_store(&self->client->skew_us, self->http.date_us - os_realtime_us());
    return true;
}

static HttpVerdict exchange_judge(HttpExchange *http) {
    AwsExchange *self = exchange_of(http);
    if (http->code < 300) return self->judge ? self->judge(self) : HTTP_FINAL;
    read_error(self);
    int kind = code_kind(self->error_code);
    if (kind == KIND_THROTTLED || http->code == 429 || http->code == 503) return HTTP_THROTTLED;
    if (kind == KIND_AGAIN || http->code == 500 || http->code == 502 || http->code == 504)
        return HTTP_AGAIN;
    if (correct_clock(self, kind)) return HTTP_AGAIN;
    if (kind == KIND_EXPIRED && !self->keys_renewed) {
        self->keys_renewed = true;
        aws_provider_expire(self->client->provider, self->access_key);
        return HTTP_AGAIN;
    }
    return HTTP_FINAL;
}

Status aws_exchange_init(AwsExchange *self, AwsClient *client, TribCall *call, Error *err) {
    memset(self, 0, sizeof *self);
    TRY(http_exchange_init(&self->http, err));
    self->client = client;
    self->call = call;
    self->http.prepare = exchange_prepare;
    self->http.judge = exchange_judge;
    return TRIB_OK;
}

void aws_exchange_clear(AwsExchange *self) {
    http_exchange_clear(&self->http);
}

/* ---------------------------------------------------------------- errors */

static Status region_error(const AwsExchange *self, Error *err) {
    Str region = http_header(&self->http, "x-amz-bucket-region");
    if (!region.len) region = self->error_region;
    error_set(err, ERR_CONFIGURATION, "%s: the catalog's region \"%s\" is not the right one",
              self->client->service->name, self->client->region);
    if (region.len)
        return error_hint(err, "set the option \"region\" to \"" STR_FORMAT "\"", STR_ARGS(region));
    return error_hint(err, "set the option \"region\" to where the data is");
}

static Status code_error(const AwsExchange *self, int kind, Error *err) {
    const char *name = self->client->service->name;
    Str code = self->error_code.len ? self->error_code : STR("no error code");
    ErrorCode as = ERR_SOURCE;
    bool auth = kind == KIND_AUTH || kind == KIND_EXPIRED || kind == KIND_CLOCK ||
                (kind < 0 && (self->http.code == 401 || self->http.code == 403));
    if (auth) as = ERR_AUTHORIZATION;
    if (self->http.throttled) as = ERR_THROTTLED;
    if (kind == KIND_MISSING) as = ERR_TABLE_NOT_FOUND;
    error_set(err, as, "%s answered %u, " STR_FORMAT, name, self->http.code, STR_ARGS(code));
    err->retryable = self->http.throttled || kind == KIND_AGAIN || self->http.code >= 500;
    if (self->http.throttled)
        error_hint(err,
                   "it still asks for fewer requests after %u attempts; "
                   "max_requests_per_second caps them",
                   self->http.attempts);
    if (kind == KIND_CLOCK) error_hint(err, "the clock of this machine is wrong");
    if (auth && kind != KIND_CLOCK)
        error_hint(err, "check the keys of the catalog and what they are allowed to do");
    return err->status;
}

Status aws_error(const AwsExchange *self, Error *err) {
    int kind = code_kind(self->error_code);
    if (kind == KIND_REGION)
        region_error(self, err);
    else
        code_error(self, kind, err);
    err->native = (int32_t)self->http.code;
    if (self->error_message.len) error_detail(err, STR_FORMAT, STR_ARGS(self->error_message));
    return error_source(err, self->client->catalog);
}
