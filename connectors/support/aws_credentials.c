/*
 * aws_credentials.c - the chain of places where keys may be, and their cache.
 *
 * aws_provider_keys hands out the cached keys while they are good for five more minutes. Then one thread
 * fetches new ones without holding the lock; others go on with the old keys while these last, or wait,
 * looking at their call every 50 ms. Each fetch has an arena of its own, wiped key by key when it is
 * replaced.
 */
#include "connectors/support/aws_credentials.h"

#include <time.h>

#include "connectors/support/aws_credentials_internal.h"
#include "connectors/support/aws_profile.h"
#include "connectors/support/call.h"
#include "engine/base/calendar.h"
#include "engine/base/os.h"

#define REFRESH_EARLY_US (5 * 60 * US_PER_SECOND)
#define LAST_USE_US      (30 * US_PER_SECOND)
#define WAIT_NS          INT64_C(50000000)

enum { PROFILE_DEPTH_MOST = 8 };

/* ---------------------------------------------------------------- profiles */

typedef struct Fetch {
    AwsProvider *provider;
    TribCall *call;
    Arena *arena;
    AwsProfiles profiles;
} Fetch;

static Status profile_text(Fetch *self, Str profile, const char *key, const char **out,
                           Error *err) {
    Str value = aws_profile_value(&self->profiles, profile, key);
    *out = NULL;
    if (value.len == 0) return TRIB_OK;
    TRY_ALLOC(*out, str_dup(self->arena, value), err);
    return TRIB_OK;
}

static Status environment_keys(Fetch *self, AwsFetched *out, Error *err) {
    const char *access = os_env("AWS_ACCESS_KEY_ID"), *secret = os_env("AWS_SECRET_ACCESS_KEY"),
               *token = os_env("AWS_SESSION_TOKEN");
    if (!access && !secret)
        return error_set(err, ERR_AUTHORIZATION,
                         "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set");
    if (!access || !secret)
        return error_set(err, ERR_AUTHORIZATION, "%s is set, but %s is not",
                         access ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                         access ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
    *out = (AwsFetched){{access, secret, token}, INT64_MAX, "environment"};
    return TRIB_OK;
}

static Status profile_source(Fetch *self, Str source, AwsFetched *out, Error *err) {
    if (str_equal(source, STR("Environment"))) return environment_keys(self, out, err);
    if (str_equal(source, STR("EcsContainer")))
        return aws_fetch_container(self->provider, self->call, self->arena, out, err);
    if (str_equal(source, STR("Ec2InstanceMetadata")))
        return aws_fetch_instance(self->provider, self->call, self->arena, out, err);
    return error_set(err, ERR_AUTHORIZATION, "credential_source is \"" STR_FORMAT "\"",
                     STR_ARGS(source));
}

static Status profile_static(Fetch *self, Str profile, AwsFetched *out, Error *err) {
    TRY(profile_text(self, profile, "aws_access_key_id", &out->keys.access_key, err));
    TRY(profile_text(self, profile, "aws_secret_access_key", &out->keys.secret_key, err));
    TRY(profile_text(self, profile, "aws_session_token", &out->keys.token, err));
    if (!out->keys.access_key || !out->keys.secret_key)
        return error_set(err, ERR_AUTHORIZATION, "profile \"" STR_FORMAT "\" holds no keys",
                         STR_ARGS(profile));
    out->expires_us = INT64_MAX;
    TRY_ALLOC(out->origin, arena_printf(self->arena, "profile " STR_FORMAT, STR_ARGS(profile)),
              err);
    return TRIB_OK;
}

static Status profile_keys(Fetch *self, Str profile, uint32_t depth, AwsFetched *out, Error *err);

/* role_arn in a profile: by a token file, by another profile's keys, or by a named source. */
static Status profile_role(Fetch *self, Str profile, uint32_t depth, const AwsRole *role,
                           AwsFetched *out, Error *err) {
    const char *token_file, *source;
    TRY(profile_text(self, profile, "web_identity_token_file", &token_file, err));
    if (token_file)
        return aws_fetch_web_identity(self->provider, self->call, self->arena, token_file, role,
                                      out, err);
    AwsFetched base = {0};
    TRY(profile_text(self, profile, "source_profile", &source, err));
    if (source) {
        bool itself = str_equal(str_from(source), profile);
        TRY(itself ? profile_static(self, profile, &base, err)
                   : profile_keys(self, str_from(source), depth + 1, &base, err));
    } else {
        Str named = aws_profile_value(&self->profiles, profile, "credential_source");
        if (!named.data)
            return error_set(err, ERR_AUTHORIZATION,
                             "profile \"" STR_FORMAT "\" has a role_arn, but neither "
                             "source_profile nor credential_source",
                             STR_ARGS(profile));
        TRY(profile_source(self, named, &base, err));
    }
    return aws_fetch_role(self->provider, self->call, self->arena, &base.keys, role, out, err);
}

static Status profile_keys(Fetch *self, Str profile, uint32_t depth, AwsFetched *out, Error *err) {
    AwsRole role = {0};
    if (depth > PROFILE_DEPTH_MOST)
        return error_set(err, ERR_AUTHORIZATION,
                         "profiles name each other as source_profile in a circle");
    if (!aws_profile_exists(&self->profiles, profile))
        return error_set(err, ERR_AUTHORIZATION, "there is no profile \"" STR_FORMAT "\"",
                         STR_ARGS(profile));
    TRY(profile_text(self, profile, "role_arn", &role.arn, err));
    TRY(profile_text(self, profile, "role_session_name", &role.session_name, err));
    TRY(profile_text(self, profile, "external_id", &role.external_id, err));
    if (role.arn) return profile_role(self, profile, depth, &role, out, err);
    return profile_static(self, profile, out, err);
}

/* ---------------------------------------------------------------- the chain */

static Status option_keys(Fetch *self, AwsFetched *out, Error *err) {
    const AwsKeys *keys = &self->provider->options.keys;
    if (!keys->access_key || !keys->secret_key)
        return error_set(err, ERR_AUTHORIZATION,
                         "the options access_key_id and secret_access_key are not given");
    *out = (AwsFetched){*keys, INT64_MAX, "options"};
    return TRIB_OK;
}

static Status web_identity_keys(Fetch *self, AwsFetched *out, Error *err) {
    const char *file = os_env("AWS_WEB_IDENTITY_TOKEN_FILE");
    AwsRole role = {os_env("AWS_ROLE_ARN"), os_env("AWS_ROLE_SESSION_NAME"), NULL};
    if (!file || !role.arn)
        return error_set(err, ERR_AUTHORIZATION,
                         "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN are not both set");
    return aws_fetch_web_identity(self->provider, self->call, self->arena, file, &role, out, err);
}

static Status fetch_from(Fetch *self, AwsSource source, AwsFetched *out, Error *err) {
    const AwsCredentialOptions *options = &self->provider->options;
    switch (source) {
    case AWS_FROM_OPTIONS: return option_keys(self, out, err);
    case AWS_FROM_ENVIRONMENT: return environment_keys(self, out, err);
    case AWS_FROM_WEB_IDENTITY: return web_identity_keys(self, out, err);
    case AWS_FROM_PROFILE:
        return profile_keys(self, aws_profile_name(options->profile), 0, out, err);
    case AWS_FROM_CONTAINER:
        return aws_fetch_container(self->provider, self->call, self->arena, out, err);
    case AWS_FROM_INSTANCE:
        return aws_fetch_instance(self->provider, self->call, self->arena, out, err);
    default: break;
    }
    return error_set(err, ERR_GENERAL, "no such source of keys");
}

/* Is something there at all? Then it must work: a broken source is an error, not a reason to go on. */
static bool source_present(Fetch *self, AwsSource source) {
    const AwsCredentialOptions *options = &self->provider->options;
    switch (source) {
    case AWS_FROM_OPTIONS: return options->keys.access_key || options->keys.secret_key;
    case AWS_FROM_ENVIRONMENT:
        return !options->profile &&
               (os_env("AWS_ACCESS_KEY_ID") || os_env("AWS_SECRET_ACCESS_KEY"));
    case AWS_FROM_WEB_IDENTITY:
        return !options->profile && os_env("AWS_WEB_IDENTITY_TOKEN_FILE") && os_env("AWS_ROLE_ARN");
    case AWS_FROM_PROFILE:
        return options->profile || os_env("AWS_PROFILE") ||
               aws_profile_value(&self->profiles, STR("default"), "aws_access_key_id").data ||
               aws_profile_value(&self->profiles, STR("default"), "role_arn").data;
    case AWS_FROM_CONTAINER:
        return os_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") ||
               os_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    default: return false;
    }
}

static Status chain_keys(Fetch *self, AwsFetched *out, Error *err) {
    AwsSource source = self->provider->options.source;
    if (source != AWS_FROM_AUTO) return fetch_from(self, source, out, err);
    for (source = AWS_FROM_OPTIONS; source <= AWS_FROM_CONTAINER; source++) {
        if (source_present(self, source)) return fetch_from(self, source, out, err);
    }
    error_set(err, ERR_AUTHORIZATION, "no AWS credentials were found");
    error_detail(err,
                 "looked at: options, environment, web identity, profile \"" STR_FORMAT
                 "\", container metadata",
                 STR_ARGS(aws_profile_name(NULL)));
    return error_hint(err, "give access_key_id and secret_access_key, or \"credentials\": "
                           "\"instance\" on an EC2 instance with a role");
}

static Status fetch_keys(AwsProvider *provider, TribCall *call, Arena *arena, AwsFetched *out,
                         Error *err) {
    Fetch self = {.provider = provider, .call = call, .arena = arena};
    const AwsCredentialOptions *options = &provider->options;
    AwsFetched found = {0};
    TRY(aws_profiles_read(&self.profiles, arena, err));
    TRY(chain_keys(&self, &found, err));
    if (options->role_arn) {
        AwsRole role = {options->role_arn, options->role_session_name, options->external_id};
        AwsKeys with = found.keys;
        TRY(aws_fetch_role(provider, call, arena, &with, &role, &found, err));
    }
    *out = found;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- the cache */

static void wipe(const char *text) {
    if (text) explicit_bzero((char *)text, strlen(text));
}

static bool keys_copy(Arena *arena, const AwsKeys *keys, AwsKeys *out) {
    *out = (AwsKeys){arena_strdup(arena, keys->access_key), arena_strdup(arena, keys->secret_key),
                     keys->token ? arena_strdup(arena, keys->token) : NULL};
    return out->access_key && out->secret_key && (!keys->token || out->token);
}

static void fetched_drop(AwsProvider *self) {
    if (self->fetched_arena) {
        wipe(self->fetched.keys.secret_key);
        wipe(self->fetched.keys.token);
    }
    arena_free(self->fetched_arena);
    self->fetched_arena = NULL;
    self->fetched = (AwsFetched){0};
}

/* Without the lock: fetches into an arena of their own, every text a copy there. */
static Status fetch_new(AwsProvider *self, TribCall *call, Arena **arena, AwsFetched *out,
                        Error *err) {
    Arena *scratch;
    TRY_ALLOC(*arena, arena_new(NULL), err);
    scratch = arena_new(*arena);
    AwsFetched found = {0};
    Status status =
        scratch ? fetch_keys(self, call, scratch, &found, err) : error_out_of_memory(err);
    if (status == TRIB_OK) {
        out->expires_us = found.expires_us;
        out->origin = arena_strdup(*arena, found.origin);
        if (!keys_copy(*arena, &found.keys, &out->keys) || !out->origin)
            status = error_out_of_memory(err);
    }
    arena_free(scratch);
    if (status != TRIB_OK) {
        arena_free(*arena);
        *arena = NULL;
    }
    return status;
}

/* Under the lock, which is let go meanwhile. */
static Status refresh(AwsProvider *self, TribCall *call, Error *err) {
    Arena *arena;
    AwsFetched found = {0};
    self->fetching = true;
    pthread_mutex_unlock(&self->lock);
    Status status = fetch_new(self, call, &arena, &found, err);
    pthread_mutex_lock(&self->lock);
    self->fetching = false;
    pthread_cond_broadcast(&self->changed);
    if (status != TRIB_OK) return status;
    fetched_drop(self);
    self->fetched_arena = arena;
    self->fetched = found;
    return TRIB_OK;
}

static bool good_for(const AwsProvider *self, int64_t us) {
    return self->fetched.keys.access_key && (self->fetched.expires_us == INT64_MAX ||
                                             self->fetched.expires_us - os_realtime_us() > us);
}

static void wait_a_little(AwsProvider *self) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WAIT_NS;
    if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
    pthread_cond_timedwait(&self->changed, &self->lock, &until);
}

static Status keys_ready(AwsProvider *self, TribCall *call, Error *err) {
    for (;;) {
        if (good_for(self, REFRESH_EARLY_US)) return TRIB_OK;
        if (self->fetching && good_for(self, LAST_USE_US)) return TRIB_OK;
        if (!self->fetching) {
            Status status = refresh(self, call, err);
            /* Keys may be made for less than five minutes. */
            return status == TRIB_OK || good_for(self, LAST_USE_US) ? TRIB_OK : status;
        }
        wait_a_little(self);
        TRY(call_check(call, self->options.catalog, err));
    }
}

Status aws_provider_keys(AwsProvider *self, TribCall *call, Arena *arena, AwsKeys *out,
                         Error *err) {
    *out = (AwsKeys){0};
    if (self->options.source == AWS_FROM_NOWHERE) return TRIB_OK;
    pthread_mutex_lock(&self->lock);
    Status status = keys_ready(self, call, err);
    if (status == TRIB_OK && !keys_copy(arena, &self->fetched.keys, out))
        status = error_out_of_memory(err);
    pthread_mutex_unlock(&self->lock);
    return status == TRIB_OK ? status : error_source(err, self->options.catalog);
}

void aws_provider_expire(AwsProvider *self, const char *access_key) {
    pthread_mutex_lock(&self->lock);
    const char *cached = self->fetched.keys.access_key;
    if (cached && access_key && strcmp(cached, access_key) == 0) fetched_drop(self);
    pthread_mutex_unlock(&self->lock);
}

void aws_provider_origin(AwsProvider *self, char *out, size_t size) {
    pthread_mutex_lock(&self->lock);
    bool none = self->options.source == AWS_FROM_NOWHERE;
    text_format(out, size, "%s",
                none                   ? "unsigned"
                : self->fetched.origin ? self->fetched.origin
                                       : "");
    pthread_mutex_unlock(&self->lock);
}

/* ---------------------------------------------------------------- life */

static const char *copy(Arena *arena, const char *text, bool *good) {
    const char *own = text ? arena_strdup(arena, text) : NULL;
    *good = *good && (!text || own);
    return own;
}

static Status provider_fill(AwsProvider *self, const AwsCredentialOptions *options, Error *err) {
    AwsCredentialOptions *own = &self->options;
    Arena *arena = self->arena;
    bool good = true;
    *own = *options;
    own->keys.access_key = copy(arena, options->keys.access_key, &good);
    own->keys.secret_key = copy(arena, options->keys.secret_key, &good);
    own->keys.token = copy(arena, options->keys.token, &good);
    own->profile = copy(arena, options->profile, &good);
    own->role_arn = copy(arena, options->role_arn, &good);
    own->external_id = copy(arena, options->external_id, &good);
    own->role_session_name = copy(arena, options->role_session_name, &good);
    own->region = copy(arena, options->region, &good);
    own->sts_endpoint = copy(arena, options->sts_endpoint, &good);
    own->ca_file = copy(arena, options->ca_file, &good);
    if (!good) return error_out_of_memory(err);
    HttpOptions http = {.host = options->host,
                        .catalog = options->catalog,
                        .service = "AWS credentials",
                        .max_sessions = 1,
                        .ca_file = own->ca_file};
    return http_client_new(&http, &self->http, err);
}

Status aws_provider_new(const AwsCredentialOptions *options, AwsProvider **out, Error *err) {
    Arena *arena;
    *out = NULL;
    TRY_ALLOC(arena, arena_new(NULL), err);
    AwsProvider *self = ARENA_NEW(arena, AwsProvider);
    if (!self || pthread_mutex_init(&self->lock, NULL) != 0) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    pthread_cond_init(&self->changed, NULL);
    self->arena = arena;
    Status status = provider_fill(self, options, err);
    if (status != TRIB_OK) {
        aws_provider_free(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

void aws_provider_free(AwsProvider *self) {
    if (!self) return;
    fetched_drop(self);
    http_client_free(self->http);
    wipe(self->options.keys.secret_key);
    wipe(self->options.keys.token);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    arena_free(self->arena);
}
