/*
 * session.c - sessions: the configuration's snapshot, settings, the default catalog.
 *
 * Opening reads the configuration and checks settings; no catalog is opened, no thread started. A
 * setting comes from the first of: SET SESSION, the connection string, the configuration, the default.
 */
#include "engine/runtime/session.h"

#include "engine/base/calendar.h"
#include "engine/base/log.h"
#include "engine/base/os.h"
#include "engine/optimise/optimise.h"
#include "engine/runtime/pool.h"
#include "engine/spill/spill.h"

#define DEFAULT_QUERY_MEMORY_MAX (INT64_C(4) << 30)

/* ---------------------------------------------------------------- settings */

static Status settings_defaults(Session *self, Error *err) {
    for (uint32_t i = 0; i < SETTING_COUNT; i++) {
        TRY(setting_default(self->setting_arena, (SettingId)i, &self->values[i], err));
    }
    return TRIB_OK;
}

/* MemoryLimit follows ProcessMemoryLimit unless it was given. */
static int64_t memory_limit(const Session *self) {
    int64_t given = self->values[SETTING_MEMORY_LIMIT].integer;
    if (self->given[SETTING_MEMORY_LIMIT] && given > 0) return given;
    int64_t half = budget_limit(budget_process()) / 2;
    return half < DEFAULT_QUERY_MEMORY_MAX ? half : DEFAULT_QUERY_MEMORY_MAX;
}

static Status setting_store(Session *self, SettingId id, Str text, Error *err) {
    SettingValue value;
    TRY(setting_parse(self->setting_arena, id, text, &value, err));
    if (id == SETTING_TIME_ZONE && zone_lookup(value.text) < 0) {
        error_set(err, ERR_INVALID_ARGUMENT, "time zone '" STR_FORMAT "' is not known",
                  STR_ARGS(value.text));
        return error_hint(err, "Use UTC, an offset such as +02:00, or an IANA name such as "
                               "Europe/Berlin (these need the "
                               "package tzdata).");
    }
    if (id == SETTING_DISABLED_RULES) TRY(optimise_check_disabled(value.text, err));
    self->values[id] = value;
    self->given[id] = true;
    return TRIB_OK;
}

/* The settings of the process are taken from the first connection that gives them. */
static Status apply_process_settings(Session *self, Error *err) {
    if (self->values[SETTING_PROCESS_MEMORY_LIMIT].integer > 0) {
        if (self->given[SETTING_PROCESS_MEMORY_LIMIT] || budget_limit(budget_process()) <= 0) {
            budget_set_limit(budget_process(), self->values[SETTING_PROCESS_MEMORY_LIMIT].integer);
        }
    }
    Str file = self->values[SETTING_LOG_FILE].text;
    LogLevel level = (LogLevel)self->values[SETTING_LOG_LEVEL].integer;
    if (file.len && level != LOG_OFF) {
        char *path;
        TRY_ALLOC(path, str_dup(self->arena, file), err);
        TRY(log_open(path, level, err));
    }
    return TRIB_OK;
}

static Status settings_from_config(Session *self, Error *err) {
    uint32_t n = config_setting_count(self->config);
    for (uint32_t i = 0; i < n; i++) {
        Str name, value;
        uint32_t line, column;
        config_setting(self->config, i, &name, &value, &line, &column);
        SettingId id = setting_find(name);
        Status status =
            id == SETTING_COUNT ? setting_unknown(name, err) : setting_store(self, id, value, err);
        if (status != TRIB_OK) {
            err->line = line;
            err->column = column;
            return error_detail(err, "in the configuration %s, line %u, column %u",
                                config_path(self->config), line, column);
        }
    }
    return TRIB_OK;
}

static Status settings_from_options(Session *self, const SessionParams *params, WarningSink sink,
                                    void *context, Error *err) {
    for (uint32_t i = 0; i < params->noptions; i++) {
        SettingId id = setting_find(params->options[i].name);
        if (id != SETTING_COUNT) {
            TRY(setting_store(self, id, params->options[i].value, err));
        } else if (sink) {
            Error warning;
            error_set(&warning, ERR_UNKNOWN_KEYWORD,
                      "the connection attribute '" STR_FORMAT "' is not known and was ignored",
                      STR_ARGS(params->options[i].name));
            sink(context, &warning);
        }
    }
    return TRIB_OK;
}

Status session_set(Session *self, Str name, Str value, Error *err) {
    SettingId id = setting_find(name);
    if (id == SETTING_COUNT) return setting_unknown(name, err);
    const SettingDef *def = setting_def(id);
    if (def->scope != SETTING_SCOPE_SESSION) {
        error_set(err, ERR_ATTRIBUTE_NOW, "the setting %s cannot be changed on an open connection",
                  def->session_name);
        return error_hint(err, "Give %s in the connection string or the configuration.",
                          def->keyword);
    }
    pthread_mutex_lock(&self->lock);
    Status status = setting_store(self, id, value, err);
    pthread_mutex_unlock(&self->lock);
    return status;
}

Status session_get(Session *self, SettingId id, SettingValue *out, Error *err) {
    pthread_mutex_lock(&self->lock);
    *out = self->values[id];
    if (id == SETTING_MEMORY_LIMIT) out->integer = memory_limit(self);
    pthread_mutex_unlock(&self->lock);
    return TRIB_OK;
}

/* A text setting, copied. Lock held. */
static Status setting_text(Session *self, Arena *arena, SettingId id, Str *out, Error *err) {
    char *copy;
    TRY_ALLOC(copy, str_dup(arena, self->values[id].text), err);
    *out = (Str){copy, self->values[id].text.len};
    return TRIB_OK;
}

static Status settings_copy(Session *self, Arena *arena, StatementSettings *out, Error *err) {
    const SettingValue *v = self->values;
    TRY(setting_text(self, arena, SETTING_CATALOG, &out->catalog, err));
    TRY(setting_text(self, arena, SETTING_SCHEMA, &out->schema, err));
    TRY(setting_text(self, arena, SETTING_SPILL_DIR, &out->spill_dir, err));
    TRY(setting_text(self, arena, SETTING_DISABLED_RULES, &out->disabled_rules, err));
    out->threads = v[SETTING_THREADS].integer;
    if (out->threads == 0) out->threads = os_cores();
    out->memory_limit = memory_limit(self);
    out->spill_limit = v[SETTING_SPILL_LIMIT].integer;
    out->login_timeout = v[SETTING_LOGIN_TIMEOUT].integer;
    out->metadata_ttl = v[SETTING_METADATA_TTL].integer;
    out->max_rows = v[SETTING_MAX_ROWS].integer;
    out->max_value_size = v[SETTING_MAX_VALUE_SIZE].integer;
    out->max_recursion_depth = v[SETTING_MAX_RECURSION_DEPTH].integer;
    out->stall_seconds = v[SETTING_STALL_TIMEOUT].integer;
    out->force_spill = v[SETTING_FORCE_SPILL].boolean;
    out->buffer_result = str_equal(v[SETTING_READ_AHEAD].text, STR("spill"));
    out->spill_encryption = v[SETTING_SPILL_ENCRYPTION].boolean;
    out->runtime_filters = v[SETTING_RUNTIME_FILTERS].boolean;
    out->read_only = v[SETTING_READ_ONLY].boolean;
    Str mode = v[SETTING_PUSH_DOWN].text;
    out->verify = str_equal(mode, STR("verify"));
    out->mode = str_equal(mode, STR("off"))      ? TRIB_PUSHDOWN_OFF
                : str_equal(mode, STR("native")) ? TRIB_PUSHDOWN_NATIVE
                                                 : TRIB_PUSHDOWN_EXACT;
    out->zone = zone_lookup(v[SETTING_TIME_ZONE].text);
    return TRIB_OK;
}

Status session_settings(Session *self, Arena *arena, StatementSettings *out, Error *err) {
    pthread_mutex_lock(&self->lock);
    Status status = settings_copy(self, arena, out, err);
    pthread_mutex_unlock(&self->lock);
    return status;
}

void session_refuse_writes(Session *self, bool on) {
    pthread_mutex_lock(&self->lock);
    self->values[SETTING_READ_ONLY].boolean = on || self->initial[SETTING_READ_ONLY].boolean;
    pthread_mutex_unlock(&self->lock);
}

Str session_catalog(Session *self) {
    return self->values[SETTING_CATALOG].text;
}

Str session_schema(Session *self) {
    return self->values[SETTING_SCHEMA].text;
}

Str session_user(Session *self) {
    return self->user;
}

Str session_config_path(Session *self) {
    return str_from(self->config ? config_path(self->config) : "");
}

Status session_reset(Session *self, Error *err) {
    Status status = session_end_transaction(self, false, err);
    pthread_mutex_lock(&self->lock);
    memcpy(self->values, self->initial, sizeof self->values);
    pthread_mutex_unlock(&self->lock);
    pthread_mutex_lock(&self->tx_lock);
    self->tx = (SessionTx){.autocommit = true};
    pthread_mutex_unlock(&self->tx_lock);
    prepared_clear(self);
    return status;
}

/* ---------------------------------------------------------------- opening and closing */

static Status session_allocate(Session **out, Error *err) {
    Session *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    pthread_mutex_init(&self->lock, NULL);
    pthread_mutex_init(&self->cursor_lock, NULL);
    transaction_init(self);
    *out = self;
    pool_acquire();
    self->arena = arena_new(NULL);
    if (self->arena) self->setting_arena = arena_new(self->arena);
    if (!self->setting_arena) return error_out_of_memory(err);
    return crew_new(&self->crew, err);
}

static Status session_summaries(Session *self, Error *err) {
    self->ncatalogs = catalogs_count(self->catalogs);
    TRY_ALLOC(self->summaries, ARENA_ARRAY(self->arena, CatalogSummary, self->ncatalogs), err);
    for (uint32_t i = 0; i < self->ncatalogs; i++) {
        Catalog *catalog = catalogs_at(self->catalogs, i);
        self->summaries[i] = (CatalogSummary){.name = catalog_name(catalog),
                                              .type = catalog_type(catalog),
                                              .comment = catalog_comment(catalog)};
    }
    return TRIB_OK;
}

static Status run_catalog_script(CatalogSet *set, Catalog *catalog, Str script, Error *err) {
    Session *session = NULL;
    Status status = session_open_internal(set, str_from(catalog_name(catalog)), &session, err);
    if (status == TRIB_OK) status = session_run_script(session, script, err);
    session_close(session);
    return status;
}

static Status session_begin(Session *self, const SessionParams *params, WarningSink sink,
                            void *context, Error *err) {
    char *user;
    TRY_ALLOC(user, str_dup(self->arena, params->user), err);
    self->user = (Str){user, params->user.len};
    TRY(settings_defaults(self, err));
    TRY(config_load(params->config, params->config_text, &self->config, err));
    for (uint32_t i = 0; sink && i < config_warning_count(self->config); i++) {
        Error warning;
        (void)error_set(&warning, ERR_GENERAL_WARNING, "%s", config_warning(self->config, i));
        sink(context, &warning);
    }
    TRY(settings_from_config(self, err));
    TRY(settings_from_options(self, params, sink, context, err));
    TRY(apply_process_settings(self, err));
    memcpy(self->initial, self->values, sizeof self->values);
    catalog_set_script_hook(run_catalog_script);
    TRY(catalogs_new(self->config, self->values[SETTING_CONNECTOR_PATH].text,
                     self->values[SETTING_METASTORE].text, &self->catalogs, err));
    return session_summaries(self, err);
}

Status session_open(const SessionParams *params, WarningSink sink, void *context, Session **out,
                    Error *err) {
    Session *self = NULL;
    *out = NULL;
    spill_process_start();
    Status status = session_allocate(&self, err);
    if (status == TRIB_OK) status = session_begin(self, params, sink, context, err);
    if (status != TRIB_OK) {
        session_close(self);
        return status;
    }
    cursors_session_open(self);
    *out = self;
    return TRIB_OK;
}

Status session_open_internal(CatalogSet *catalogs, Str catalog, Session **out, Error *err) {
    Session *self = NULL;
    *out = NULL;
    Status status = session_allocate(&self, err);
    if (self) {
        self->internal = true;
        self->catalogs = catalogs;
    }
    if (status == TRIB_OK) status = settings_defaults(self, err);
    if (status == TRIB_OK) status = setting_store(self, SETTING_CATALOG, catalog, err);
    if (status != TRIB_OK) {
        session_close(self);
        return status;
    }
    memcpy(self->initial, self->values, sizeof self->values);
    *out = self;
    return TRIB_OK;
}

void session_close(Session *self) {
    if (!self) return;
    cursors_session_close(self);
    transaction_clear(self);
    crew_free(self->crew);
    prepared_clear(self);
    if (self->catalogs && !self->internal) catalogs_release(self->catalogs);
    if (self->config) config_release(self->config);
    pthread_mutex_destroy(&self->lock);
    pthread_mutex_destroy(&self->cursor_lock);
    arena_free(self->arena);
    heap_free(self);
    pool_release();
}

/* ---------------------------------------------------------------- the rest of the API */

bool session_alive(Session *self) {
    return true;
}

uint32_t session_catalogs(Session *self, const CatalogSummary **out) {
    *out = self->summaries;
    return self->ncatalogs;
}

typedef struct CheckJob {
    Session *session;
    Str catalog;
    char *text;
    size_t size;
    Status status;
    Error *err;
} CheckJob;

static Status check_catalog(CheckJob *job, CancelToken *cancel, Error *err) {
    Catalog *catalog;
    TRY(catalogs_find(job->session->catalogs, job->catalog, &catalog, err));
    if (!catalog)
        return error_set(err, ERR_CATALOG_NAME, "there is no catalog '" STR_FORMAT "'",
                         STR_ARGS(job->catalog));
    Source *source;
    TRY(catalog_source(catalog, &source, err));
    SettingValue timeout;
    TRY(session_get(job->session, SETTING_LOGIN_TIMEOUT, &timeout, err));
    int64_t deadline =
        timeout.integer ? os_now_ns() + timeout.integer * INT64_C(1000000000) : INT64_MAX;
    SourceCall call = {.cancel = cancel, .deadline_ns = deadline};
    return source_check(source, &call, job->text, job->size, err);
}

static void check_run(void *context) {
    CheckJob *job = context;
    CancelToken *cancel = cancel_new();
    job->status = cancel ? check_catalog(job, cancel, job->err) : error_out_of_memory(job->err);
    if (cancel) cancel_release(cancel);
}

Status session_check_catalog(Session *self, Str catalog, char *text, size_t size, Error *err) {
    CheckJob check = {.session = self, .catalog = catalog, .text = text, .size = size, .err = err};
    Job job = {.run = check_run, .context = &check};
    TRY(crew_submit(self->crew, &job, err));
    crew_wait(self->crew, &job, -1);
    return check.status;
}

Status session_run_script(Session *self, Str script, Error *err) {
    Statement *statement;
    TRY(statement_new(self, &statement, err));
    size_t at = 0;
    Str text;
    Status status = TRIB_OK;
    while (status == TRIB_OK && sql_split(script, &at, &text)) {
        if (str_trim(text).len == 0) continue;
        status = statement_prepare_now(statement, text, err);
        if (status == TRIB_OK) status = statement_execute_now(statement, err);
    }
    statement_free(statement);
    return status;
}
