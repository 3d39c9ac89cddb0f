/*
 * aws_metadata.c - keys that are asked for: container and instance metadata (JSON), STS (XML).
 *
 * Metadata services are on the machine: no proxy, short time-outs, and addresses that nothing but the
 * environment and the catalog's own options can name. STS requests are signed with the keys at hand
 * (AssumeRole) or not at all (AssumeRoleWithWebIdentity). Answers are small and bounded.
 */
#include "connectors/support/aws_credentials_internal.h"
#include "connectors/support/uri.h"
#include "connectors/support/xml.h"
#include "engine/base/calendar.h"
#include "engine/base/json.h"
#include "engine/base/os.h"

enum { ANSWER_MOST = 256 * 1024, TOKEN_MOST = 64 * 1024, FORM_MOST = 256 * 1024 };

/* ---------------------------------------------------------------- answers */

static Status expiry_parse(Str text, int64_t *out, Error *err) {
    int32_t ns;
    int16_t zone;
    if (!timestamp_parse(text, 6, out, &ns, &zone))
        return error_set(err, ERR_SOURCE,
                         "temporary keys expire at an unreadable time: " STR_FORMAT,
                         STR_ARGS(text));
    return TRIB_OK;
}

static Status text_of(Arena *arena, const JsonValue *object, const char *name, const char **out,
                      Error *err) {
    const JsonValue *member = json_member(object, str_from(name));
    *out = NULL;
    if (!member || member->kind != JSON_STRING || member->text.len == 0) return TRIB_OK;
    TRY_ALLOC(*out, str_dup(arena, member->text), err);
    return TRIB_OK;
}

/* {"AccessKeyId": ..., "SecretAccessKey": ..., "Token": ..., "Expiration": ...} */
static Status keys_from_json(Arena *arena, Str body, AwsFetched *out, Error *err) {
    JsonValue *object;
    const char *expires;
    if (json_parse(arena, body, false, &object, err) != TRIB_OK ||
        object->kind != JSON_OBJECT_BEGIN)
        return error_set(err, ERR_AUTHORIZATION, "the metadata service's answer is not JSON");
    TRY(text_of(arena, object, "AccessKeyId", &out->keys.access_key, err));
    TRY(text_of(arena, object, "SecretAccessKey", &out->keys.secret_key, err));
    TRY(text_of(arena, object, "Token", &out->keys.token, err));
    TRY(text_of(arena, object, "Expiration", &expires, err));
    if (!out->keys.access_key || !out->keys.secret_key)
        return error_set(err, ERR_AUTHORIZATION, "the metadata service's answer holds no keys");
    out->expires_us = INT64_MAX;
    return expires ? expiry_parse(str_from(expires), &out->expires_us, err) : TRIB_OK;
}

static Status xml_member(Arena *arena, Str body, const char *name, const char **out, Error *err) {
    Str text;
    TRY(xml_find(arena, body, name, &text, err));
    *out = NULL;
    if (!text.data || text.len == 0) return TRIB_OK;
    TRY_ALLOC(*out, str_dup(arena, text), err);
    return TRIB_OK;
}

static Status keys_from_xml(Arena *arena, Str body, AwsFetched *out, Error *err) {
    const char *expires;
    TRY(xml_member(arena, body, "AccessKeyId", &out->keys.access_key, err));
    TRY(xml_member(arena, body, "SecretAccessKey", &out->keys.secret_key, err));
    TRY(xml_member(arena, body, "SessionToken", &out->keys.token, err));
    TRY(xml_member(arena, body, "Expiration", &expires, err));
    if (!out->keys.access_key || !out->keys.secret_key || !out->keys.token)
        return error_set(err, ERR_AUTHORIZATION, "STS: the answer holds no keys");
    out->expires_us = INT64_MAX;
    return expires ? expiry_parse(str_from(expires), &out->expires_us, err) : TRIB_OK;
}

/* ---------------------------------------------------------------- metadata */

typedef struct Ask {
    const char *method, *url;
    HttpHeader headers[2];
    uint32_t nheaders;
} Ask;

/* The body of a 200 in the arena; any other answer is an error. */
static Status metadata_ask(AwsProvider *self, TribCall *call, Arena *arena, const Ask *ask,
                           Str *body, Error *err) {
    HttpExchange exchange;
    TRY(http_exchange_init(&exchange, err));
    exchange.method = ask->method;
    exchange.url = ask->url;
    exchange.headers = ask->headers;
    exchange.nheaders = ask->nheaders;
    exchange.max_body = ANSWER_MOST;
    exchange.direct = true;
    exchange.allow_unframed = true;
    exchange.connect_timeout_ms = 1000;
    exchange.progress_timeout_ms = 5000;
    Status status = http_run(self->http, call, &exchange, err);
    if (status == TRIB_OK && exchange.code != 200)
        status = error_set(err, ERR_AUTHORIZATION, "the metadata service answered %u to %s",
                           exchange.code, ask->url);
    if (status == TRIB_OK) {
        char *copy = str_dup(arena, buf_view(&exchange.body));
        status = copy ? TRIB_OK : error_out_of_memory(err);
        *body = (Str){copy, exchange.body.len};
        if (exchange.body.data) explicit_bzero(exchange.body.data, exchange.body.len);
    }
    http_exchange_clear(&exchange);
    return status;
}

/* http only to the machine itself and the addresses that AWS gives to such services. */
static bool container_uri_allowed(const char *text) {
    static const char *const hosts[] = {"localhost",     "127.0.0.1",      "[::1]",
                                        "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};
    Uri uri;
    if (!uri_split(str_from(text), &uri)) return false;
    if (str_equal_fold(uri.scheme, STR("https"))) return true;
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        if (str_equal_fold(uri.host, str_from(hosts[i]))) return true;
    }
    return false;
}

static Status container_token(Arena *arena, Ask *ask, Error *err) {
    const char *path = os_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
               *text = os_env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    Str token = str_from(text);
    if (path) {
        TRY(os_read_file(arena, path, TOKEN_MOST, &token, err));
        token = str_trim(token);
    }
    if (token.len) ask->headers[ask->nheaders++] = (HttpHeader){STR("Authorization"), token};
    return TRIB_OK;
}

Status aws_fetch_container(AwsProvider *self, TribCall *call, Arena *arena, AwsFetched *out,
                           Error *err) {
    const char *relative = os_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
               *full = os_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    Ask ask = {.method = "GET", .url = full};
    Str body;
    if (!relative && !full)
        return error_set(err, ERR_AUTHORIZATION,
                         "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set: this is no container "
                         "with a role");
    if (relative) TRY_ALLOC(ask.url, arena_printf(arena, "http://169.254.170.2%s", relative), err);
    if (!container_uri_allowed(ask.url))
        return error_set(err, ERR_AUTHORIZATION,
                         "AWS_CONTAINER_CREDENTIALS_FULL_URI names neither https nor this machine");
    TRY(container_token(arena, &ask, err));
    TRY(metadata_ask(self, call, arena, &ask, &body, err));
    out->origin = "container metadata";
    return keys_from_json(arena, body, out, err);
}

Status aws_fetch_instance(AwsProvider *self, TribCall *call, Arena *arena, AwsFetched *out,
                          Error *err) {
    const char *disabled = os_env("AWS_EC2_METADATA_DISABLED"),
               *base = os_env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    Str token, role, body;
    if (disabled && str_equal_fold(str_from(disabled), STR("true")))
        return error_set(err, ERR_AUTHORIZATION,
                         "AWS_EC2_METADATA_DISABLED forbids asking for the instance's keys");
    if (!base) base = "http://169.254.169.254";
    int length = (int)strlen(base);
    while (length && base[length - 1] == '/') length--;
    Ask ask = {.method = "PUT", .nheaders = 1};
    ask.headers[0] = (HttpHeader){STR("X-aws-ec2-metadata-token-ttl-seconds"), STR("21600")};
    TRY_ALLOC(ask.url, arena_printf(arena, "%.*s/latest/api/token", length, base), err);
    TRY(metadata_ask(self, call, arena, &ask, &token, err));
    ask.method = "GET";
    ask.headers[0] = (HttpHeader){STR("X-aws-ec2-metadata-token"), str_trim(token)};
    static const char folder[] = "latest/meta-data/iam/security-credentials";
    TRY_ALLOC(ask.url, arena_printf(arena, "%.*s/%s/", length, base, folder), err);
    TRY(metadata_ask(self, call, arena, &ask, &role, err));
    const char *end = memchr(role.data, '\n', role.len);
    if (end) role.len = (size_t)(end - role.data);
    role = str_trim(role);
    if (role.len == 0) return error_set(err, ERR_AUTHORIZATION, "this instance has no role");
    Buf encoded;
    buf_init(&encoded, arena, TOKEN_MOST);
    uri_encode(&encoded, role, false);
    TRY(buf_status(&encoded, err));
    TRY_ALLOC(ask.url, arena_printf(arena, "%.*s/%s/%s", length, base, folder, encoded.data), err);
    TRY(metadata_ask(self, call, arena, &ask, &body, err));
    out->origin = "instance metadata";
    return keys_from_json(arena, body, out, err);
}

/* ---------------------------------------------------------------- STS */

static void form_add(Buf *form, const char *name, Str value) {
    if (form->len) buf_char(form, '&');
    buf_text(form, name);
    buf_char(form, '=');
    uri_encode(form, value, false);
}

static Status sts_url(const AwsProvider *self, Arena *arena, const char **out, Error *err) {
    const char *endpoint = self->options.sts_endpoint, *region = self->options.region;
    if (!endpoint) endpoint = os_env("AWS_ENDPOINT_URL_STS");
    if (!endpoint) endpoint = os_env("AWS_ENDPOINT_URL");
    if (endpoint) {
        int length = (int)strlen(endpoint);
        while (length && endpoint[length - 1] == '/') length--;
        TRY_ALLOC(*out, arena_printf(arena, "%.*s/", length, endpoint), err);
        return TRIB_OK;
    }
    const char *suffix = strncmp(region, "cn-", 3) == 0 ? ".cn" : "";
    TRY_ALLOC(*out, arena_printf(arena, "https://sts.%s.amazonaws.com%s/", region, suffix), err);
    return TRIB_OK;
}

static Status sts_sign(const AwsProvider *self, Arena *arena, const AwsKeys *keys,
                       HttpExchange *exchange, Error *err) {
    char hash[AWS_HASH_TEXT + 1];
    char *host;
    Uri uri;
    if (!uri_split(str_from(exchange->url), &uri))
        return error_set(err, ERR_CONFIGURATION, "the address of STS is no URL: %s", exchange->url);
    TRY_ALLOC(host, uri_host_header(arena, &uri), err);
    if (!aws_sha256_hex(exchange->body_out.data, exchange->body_out.len, hash))
        return error_out_of_memory(err);
    AwsRequest request = {.method = STR("POST"),
                          .host = str_from(host),
                          .path = uri.path,
                          .query = uri.query,
                          .headers = exchange->headers,
                          .nheaders = exchange->nheaders,
                          .payload_hash = str_from(hash)};
    AwsSigning signing = {.keys = *keys,
                          .region = self->options.region,
                          .service = "sts",
                          .rules = AWS_SIGN_USUAL,
                          .now_us = os_realtime_us()};
    HttpHeader *headers;
    TRY(aws_sign(arena, &signing, &request, &headers, &exchange->nheaders, NULL, err));
    exchange->headers = headers;
    return TRIB_OK;
}

static Status sts_refused(const HttpExchange *exchange, Arena *arena, Error *err) {
    Str code = {NULL, 0}, message = {NULL, 0};
    Error ignored;
    if (xml_find(arena, buf_view(&exchange->body), "Code", &code, &ignored) != TRIB_OK ||
        xml_find(arena, buf_view(&exchange->body), "Message", &message, &ignored) != TRIB_OK)
        code.data = message.data = NULL;
    error_set(err, ERR_AUTHORIZATION, "STS refuses the role: %u " STR_FORMAT, exchange->code,
              STR_ARGS(code));
    err->native = (int32_t)exchange->code;
    return message.len ? error_detail(err, STR_FORMAT, STR_ARGS(message)) : err->status;
}

/* keys NULL: the request is not signed. */
static Status sts_run(AwsProvider *self, TribCall *call, Arena *arena, const AwsKeys *keys,
                      const Buf *form, AwsFetched *out, Error *err) {
    static const HttpHeader type[] = {
        {{"Content-Type", 12}, {"application/x-www-form-urlencoded", 33}}};
    HttpExchange exchange;
    TRY(buf_status(form, err));
    TRY(http_exchange_init(&exchange, err));
    exchange.method = "POST";
    exchange.headers = type;
    exchange.nheaders = 1;
    exchange.body_out = buf_view(form);
    exchange.max_body = ANSWER_MOST;
    Status status = sts_url(self, arena, &exchange.url, err);
    if (status == TRIB_OK && keys) status = sts_sign(self, arena, keys, &exchange, err);
    if (status == TRIB_OK) status = http_run(self->http, call, &exchange, err);
    if (status == TRIB_OK)
        status = exchange.code == 200 ? keys_from_xml(arena, buf_view(&exchange.body), out, err)
                                      : sts_refused(&exchange, arena, err);
    if (exchange.body.data) explicit_bzero(exchange.body.data, exchange.body.len);
    http_exchange_clear(&exchange);
    return status;
}

static void form_begin(Buf *form, Arena *arena, const char *action, const AwsRole *role) {
    buf_init(form, arena, FORM_MOST);
    form_add(form, "Action", str_from(action));
    form_add(form, "Version", STR("2011-06-15"));
    form_add(form, "RoleArn", str_from(role->arn));
    form_add(form, "RoleSessionName",
             role->session_name ? str_from(role->session_name) : STR("tributary"));
}

Status aws_fetch_role(AwsProvider *self, TribCall *call, Arena *arena, const AwsKeys *with,
                      const AwsRole *role, AwsFetched *out, Error *err) {
    Buf form;
    form_begin(&form, arena, "AssumeRole", role);
    if (role->external_id) form_add(&form, "ExternalId", str_from(role->external_id));
    TRY_ALLOC(out->origin, arena_printf(arena, "role %s", role->arn), err);
    return sts_run(self, call, arena, with, &form, out, err);
}

Status aws_fetch_web_identity(AwsProvider *self, TribCall *call, Arena *arena,
                              const char *token_file, const AwsRole *role, AwsFetched *out,
                              Error *err) {
    Buf form;
    Str token;
    TRY(os_read_file(arena, token_file, TOKEN_MOST, &token, err));
    form_begin(&form, arena, "AssumeRoleWithWebIdentity", role);
    form_add(&form, "WebIdentityToken", str_trim(token));
    TRY_ALLOC(out->origin, arena_printf(arena, "web identity, role %s", role->arn), err);
    return sts_run(self, call, arena, NULL, &form, out, err);
}
