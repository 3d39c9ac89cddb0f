/*
 * connect.c - SQLConnect, SQLDriverConnect: from a data source and a connection string to a session.
 *
 * What the string says wins over what the data source says. Keywords that nobody knows are ignored
 * with 01S00. No dialogue is ever shown: nothing that is missing could not be had from defaults.
 */
#include "driver/dbc.h"
#include "driver/keyword.h"
#include "engine/base/os.h"

#define CONNECTION_STRING_MAX (1u << 20)

static Status session_options(const Attributes *attributes, Arena *arena, SessionParams *params,
                              Error *err) {
    SessionOption *options;
    uint32_t count = 0;
    for (const Attribute *a = attributes->first; a; a = a->next) count += a->id == KEY_SETTING;
    TRY_ALLOC(options, ARENA_ARRAY(arena, SessionOption, count + 1), err);
    count = 0;
    for (const Attribute *a = attributes->first; a; a = a->next) {
        if (a->id != KEY_SETTING) continue;
        options[count++] =
            (SessionOption){str_from(setting_def(a->setting)->session_name), a->value};
    }
    params->options = options;
    params->noptions = count;
    return TRIB_OK;
}

static void warn_unknown(Dbc *self, const Attributes *attributes) {
    for (const Attribute *a = attributes->first; a; a = a->next) {
        if (a->id == KEY_UNKNOWN)
            diag_warning(&self->base, ERR_UNKNOWN_KEYWORD,
                         "the keyword '" STR_FORMAT "' is not known and was ignored",
                         STR_ARGS(a->name));
    }
}

static int64_t login_deadline(const Dbc *self) {
    SQLULEN seconds = self->options.login_timeout;
    if (seconds == 0 || seconds > 100000000) return INT64_MAX;
    return os_now_ns() + (int64_t)seconds * 1000000000;
}

static Str attribute_value(const Attributes *attributes, KeywordId id) {
    const Attribute *found = attributes_find(attributes, id);
    return found ? found->value : STR("");
}

static uint32_t setting_length(Session *session, SettingId id, uint32_t otherwise) {
    SettingValue value;
    Error err;
    if (session_get(session, id, &value, &err) != TRIB_OK || value.integer <= 0) return otherwise;
    return value.integer > INT32_MAX ? INT32_MAX : (uint32_t)value.integer;
}

/* Attributes that were set before connecting. */
static Status apply_options(Dbc *self, Session *session, Error *err) {
    if (self->options.autocommit == SQL_AUTOCOMMIT_OFF)
        TRY(session_set_autocommit(session, false, err));
    SettingValue value;
    self->sizes.text = setting_length(session, SETTING_STRING_COLUMN_LENGTH, 4000);
    self->sizes.nested = setting_length(session, SETTING_COMPLEX_TYPE_COLUMN_LENGTH, 65535);
    TRY(session_get(session, SETTING_WIDE_TEXT, &value, err));
    self->sizes.narrow = !value.boolean;
    TRY(session_get(session, SETTING_READ_ONLY, &value, err));
    self->writes_refused = value.boolean;
    session_refuse_writes(session, self->options.access_mode == SQL_MODE_READ_ONLY);
    if (self->options.isolation)
        TRY(session_set_isolation(session, (uint32_t)self->options.isolation, err));
    self->connect_options = self->options;
    self->connect_defaults = self->defaults;
    return TRIB_OK;
}

/* The session has its copy; none stays in the connection's memory. */
static void forget_password(const Attributes *attributes) {
    const Attribute *found = attributes_find(attributes, KEY_PWD);
    if (found && found->value.len)
        explicit_bzero((char *)(uintptr_t)found->value.data, found->value.len);
}

static Status session_start(Dbc *self, const Attributes *attributes, Error *err) {
    Session *session;
    Arena *arena = attributes->arena;
    SessionParams params = {.config = attribute_value(attributes, KEY_CONFIG),
                            .config_text = STR(""),
                            .user = attribute_value(attributes, KEY_UID),
                            .password = attribute_value(attributes, KEY_PWD),
                            .deadline_ns = login_deadline(self)};
    TRY(session_options(attributes, arena, &params, err));
    TRY(session_open(&params, handle_warning_sink, &self->base, &session, err));
    Status status = apply_options(self, session, err);
    if (status != TRIB_OK) {
        session_close(session);
        return status;
    }
    forget_password(attributes);
    self->session = session;
    self->arena = arena;
    self->dsn = attribute_value(attributes, KEY_DSN);
    self->driver = attribute_value(attributes, KEY_DRIVER);
    self->server = attribute_value(attributes, KEY_CONFIG);
    self->state = DBC_CONNECTED;
    return TRIB_OK;
}

/* SQL_ATTR_CURRENT_CATALOG set before connecting counts like a keyword that comes first. */
static Status add_catalog(Dbc *self, Attributes *attributes, Error *err) {
    if (!self->catalog) return TRIB_OK;
    return attributes_add(attributes, STR("Catalog"), str_from(self->catalog), false, err);
}

static Status read_source(Attributes *attributes, Str dsn, bool required, Error *err) {
    bool found = false;
    if (dsn.len) TRY(attributes_read_dsn(attributes, dsn, &found, err));
    if (found || !required) return TRIB_OK;
    return error_set(err, ERR_CONNECT_FAILED,
                     "there is no data source '" STR_FORMAT "' in odbc.ini", STR_ARGS(dsn));
}

static SQLRETURN connect_failed(Dbc *self, Arena *arena, const Error *err) {
    SQLRETURN result = diag_engine(&self->base, err);
    arena_free(arena);
    return result;
}

SQLRETURN dbc_connect(Dbc *self, Str dsn, Str user, Str password) {
    Error err;
    Attributes attributes;
    Arena *arena = arena_new(NULL);
    if (!arena) return diag_no_memory(&self->base);
    attributes_init(&attributes, arena);
    Status status = add_catalog(self, &attributes, &err);
    if (status == TRIB_OK)
        status = attributes_add(&attributes, STR("DSN"), dsn.data ? dsn : STR(""), false, &err);
    if (status == TRIB_OK && user.len)
        status = attributes_add(&attributes, STR("UID"), user, false, &err);
    if (status == TRIB_OK && password.len)
        status = attributes_add(&attributes, STR("PWD"), password, false, &err);
    if (status == TRIB_OK) status = read_source(&attributes, dsn, true, &err);
    if (status == TRIB_OK) status = session_start(self, &attributes, &err);
    if (status != TRIB_OK) return connect_failed(self, arena, &err);
    warn_unknown(self, &attributes);
    return SQL_SUCCESS;
}

static SQLRETURN completed_string(Dbc *self, const Attributes *attributes, const TextOut *out) {
    Buf text;
    Error err;
    buf_init(&text, attributes->arena, CONNECTION_STRING_MAX);
    attributes_print(attributes, &text);
    if (buf_status(&text, &err) != TRIB_OK) return diag_engine(&self->base, &err);
    return call_text_out(&self->base, out, buf_view(&text));
}

/* From a connection string to an open session; the attributes stay in its arena. */
static SQLRETURN string_connect(Dbc *self, Str text, Attributes *attributes) {
    Error err;
    Arena *arena = arena_new(NULL);
    if (!arena) return diag_no_memory(&self->base);
    attributes_init(attributes, arena);
    Status status = text.data ? attributes_parse(attributes, text, &err) : TRIB_OK;
    if (status == TRIB_OK) status = add_catalog(self, attributes, &err);
    if (status == TRIB_OK) {
        const Attribute *dsn = attributes_find(attributes, KEY_DSN);
        bool driver = attributes_find(attributes, KEY_DRIVER) != NULL;
        if (dsn) status = read_source(attributes, dsn->value, !driver, &err);
    }
    if (status == TRIB_OK) status = session_start(self, attributes, &err);
    if (status != TRIB_OK) return connect_failed(self, arena, &err);
    warn_unknown(self, attributes);
    return SQL_SUCCESS;
}

SQLRETURN dbc_driver_connect(Dbc *self, Str text, SQLUSMALLINT completion, const TextOut *out) {
    Attributes attributes;
    if (completion > SQL_DRIVER_COMPLETE_REQUIRED)
        return diag_error(&self->base, ERR_DRIVER_COMPLETION,
                          "%u is no completion of SQLDriverConnect", (unsigned)completion);
    if (string_connect(self, text, &attributes) != SQL_SUCCESS) return SQL_ERROR;
    return completed_string(self, &attributes, out);
}

/* ---- browsing: all that can be asked for is the catalog, and only where there is a choice */

static SQLRETURN browse_ask(Dbc *self, const TextOut *out) {
    const CatalogSummary *catalogs;
    uint32_t count = session_catalogs(self->session, &catalogs);
    Buf text;
    Error err;
    buf_init(&text, self->arena, CONNECTION_STRING_MAX);
    buf_text(&text, "*Catalog:Catalog={");
    for (uint32_t i = 0; i < count; i++) {
        if (i) buf_char(&text, ',');
        buf_text(&text, catalogs[i].name);
    }
    buf_char(&text, '}');
    if (buf_status(&text, &err) != TRIB_OK) return diag_engine(&self->base, &err);
    (void)call_text_out(&self->base, out, buf_view(&text));
    return SQL_NEED_DATA;
}

static SQLRETURN browse_begin(Dbc *self, Str text, const TextOut *out) {
    Attributes attributes;
    const CatalogSummary *catalogs;
    if (string_connect(self, text, &attributes) != SQL_SUCCESS) return SQL_ERROR;
    bool chosen = session_catalog(self->session).len > 0;
    if (chosen || session_catalogs(self->session, &catalogs) < 2)
        return completed_string(self, &attributes, out);
    self->browsed = ARENA_NEW(self->arena, Attributes);
    SQLRETURN result = self->browsed ? browse_ask(self, out) : diag_no_memory(&self->base);
    if (result != SQL_NEED_DATA) {
        (void)dbc_disconnect(self);
        return result;
    }
    *self->browsed = attributes;
    if (!attributes.first) self->browsed->last = &self->browsed->first;
    self->state = DBC_BROWSING;
    return SQL_NEED_DATA;
}

static bool catalog_exists(Dbc *self, Str name) {
    const CatalogSummary *catalogs;
    uint32_t count = session_catalogs(self->session, &catalogs);
    for (uint32_t i = 0; i < count; i++)
        if (str_equal_fold(str_from(catalogs[i].name), name)) return true;
    return false;
}

/* The answer's catalog; anything else in it was not asked for. */
static Status browse_answer(Dbc *self, Str text, Error *err) {
    Attributes answer;
    attributes_init(&answer, self->arena);
    if (text.data) TRY(attributes_parse(&answer, text, err));
    for (const Attribute *a = answer.first; a; a = a->next) {
        if (a->id != KEY_SETTING || a->setting != SETTING_CATALOG) {
            diag_warning(&self->base, ERR_UNKNOWN_KEYWORD,
                         "the keyword '" STR_FORMAT "' was not asked for and was ignored",
                         STR_ARGS(a->name));
            continue;
        }
        if (a->value.len == 0) continue;
        if (!catalog_exists(self, a->value))
            return error_set(err, ERR_CATALOG_NAME, "there is no catalog \"" STR_FORMAT "\"",
                             STR_ARGS(a->value));
        TRY(session_set(self->session, STR("catalog"), a->value, err));
        TRY(attributes_add(self->browsed, STR("Catalog"), a->value, false, err));
    }
    return TRIB_OK;
}

SQLRETURN dbc_browse_connect(Dbc *self, Str text, const TextOut *out) {
    Error err;
    if (self->state == DBC_ALLOCATED) return browse_begin(self, text, out);
    Status status = browse_answer(self, text, &err);
    if (status != TRIB_OK) {
        (void)dbc_disconnect(self);
        return diag_engine(&self->base, &err);
    }
    self->state = DBC_CONNECTED;
    return completed_string(self, self->browsed, out);
}
