/*
 * commands.c - statements that are carried out from the syntax tree: USE, SET SESSION, CREATE and DROP
 * of tables, views and schemas.
 */
#include "engine/catalog/views.h"
#include "engine/runtime/session.h"

typedef Status (*Command)(Statement *self, const BoundStatement *bound, Error *err);

/* ---------------------------------------------------------------- session */

static Status set_names(Session *session, Str catalog, Str schema, Error *err) {
    TRY(session_set(session, STR("catalog"), catalog, err));
    return session_set(session, STR("schema"), schema, err);
}

static Status command_use(Statement *self, const BoundStatement *bound, Error *err) {
    return set_names(self->session, str_from(catalog_name(bound->catalog)),
                     str_from(bound->schema ? bound->schema : ""), err);
}

/* The value of SET SESSION as text: a literal, a name (SET SESSION push_down = off), or DEFAULT. */
static Status setting_text(const AstExpr *value, Arena *arena, Str *out, Error *err) {
    switch ((AstExprKind)value->kind) {
    case AST_STRING:
    case AST_INTEGER:
    case AST_DECIMAL: *out = value->text; return TRIB_OK;
    case AST_BOOLEAN: *out = value->boolean ? STR("true") : STR("false"); return TRIB_OK;
    case AST_DEFAULT: *out = STR(""); return TRIB_OK;
    case AST_NAME: *out = value->name.parts[value->name.count - 1].text; return TRIB_OK;
    case AST_UNARY:
        if (value->op == TRIB_FN_negate && value->args[0]->kind == AST_INTEGER) {
            char *text;
            TRY_ALLOC(text, arena_printf(arena, "-" STR_FORMAT, STR_ARGS(value->args[0]->text)),
                      err);
            *out = str_from(text);
            return TRIB_OK;
        }
        break;
    default: break;
    }
    return error_set_at(err, ERR_SYNTAX, value->at.line, value->at.column,
                        "the value of a setting is a literal: a string, a number, true or false");
}

static Str setting_name(const AstStatement *ast) {
    return ast->name.parts[ast->name.count - 1].text;
}

static Status command_set(Statement *self, const BoundStatement *bound, Error *err) {
    Str value;
    TRY(setting_text(bound->ast->value, self->run, &value, err));
    Status status = session_set(self->session, setting_name(bound->ast), value, err);
    if (status != TRIB_OK) {
        err->line = bound->ast->name.parts[0].at.line;
        err->column = bound->ast->name.parts[0].at.column;
    }
    return status;
}

static Status command_reset(Statement *self, const BoundStatement *bound, Error *err) {
    Session *session = self->session;
    SettingId id = setting_find(setting_name(bound->ast));
    if (id == SETTING_COUNT) return setting_unknown(setting_name(bound->ast), err);
    return session_set(session, setting_name(bound->ast), session->initial[id].text, err);
}

/* INTERVAL '-3' HOUR -> "-03:00". */
static Status offset_text(const Value *interval, Arena *arena, Str *out, Error *err) {
    int64_t us = interval->as.integer, minutes = us / (60 * INT64_C(1000000));
    if (us % (60 * INT64_C(1000000)) != 0 || minutes < -14 * 60 || minutes > 14 * 60) {
        return error_set(err, ERR_INVALID_ARGUMENT,
                         "an offset is whole minutes between -14 and 14 hours");
    }
    char *text;
    int64_t size = minutes < 0 ? -minutes : minutes;
    TRY_ALLOC(text,
              arena_printf(arena, "%c%02d:%02d", minutes < 0 ? '-' : '+', (int)(size / 60),
                           (int)(size % 60)),
              err);
    *out = str_from(text);
    return TRIB_OK;
}

static Status zone_text(Statement *self, const BoundStatement *bound, Str *out, Error *err) {
    Expr *e;
    TRY(expr_fold(self->run, &self->eval, bound->value, &e, err));
    if (e->kind != EXPR_CONSTANT || e->as.value.is_null) {
        return error_set(err, ERR_INVALID_ARGUMENT, "the time zone is not a constant, or NULL");
    }
    if (e->type.id == TRIB_TYPE_INTERVAL_DS) return offset_text(&e->as.value, self->run, out, err);
    *out = (Str){e->as.value.as.text.data, e->as.value.as.text.length};
    return TRIB_OK;
}

static Status command_time_zone(Statement *self, const BoundStatement *bound, Error *err) {
    Str text = self->session->initial[SETTING_TIME_ZONE].text;
    Status status = bound->value ? zone_text(self, bound, &text, err) : TRIB_OK;
    if (status == TRIB_OK) status = session_set(self->session, STR("time_zone"), text, err);
    if (status != TRIB_OK && bound->value) {
        err->line = bound->ast->value->at.line;
        err->column = bound->ast->value->at.column;
    }
    return status;
}

/* ---------------------------------------------------------------- tables and schemas */

/* Is the statement part of a transaction that the session keeps open? Where DDL ends transactions, what is
 * open is committed first. */
static Status ddl_scope(Statement *self, Catalog *catalog, Source *source, WriteScope *scope,
                        Error *err) {
    *scope = (WriteScope){.catalog = catalog, .own = true};
    bool commits = (source_connector(source)->flags & TRIB_DDL_COMMITS) != 0;
    bool manual = source_has_transactions(source) && transaction_is_manual(self->session);
    if (manual && !commits) return write_begin(self, catalog, false, scope, err);
    TRY(write_allowed(self, err));
    SourceCall call = statement_call(self, INT64_MAX);
    statement_take_part(self, NULL);
    return commits ? transaction_end_of(self->session, catalog, &call, err) : TRIB_OK;
}

static Status command_ddl(Statement *self, const BoundStatement *bound, Error *err) {
    Source *source;
    WriteScope scope;
    if (bound->nothing) return write_allowed(self, err);
    TRY(catalog_source(bound->catalog, &source, err));
    TRY(ddl_scope(self, bound->catalog, source, &scope, err));
    TribDdl ddl = *bound->ddl;
    ddl.transaction = source_tx_handle(scope.transaction);
    SourceCall call = statement_call(self, INT64_MAX);
    Status status = source_ddl(source, &call, &ddl, err);
    return write_end(self, &scope, NULL, NULL, status, err);
}

/* ---------------------------------------------------------------- views */

static Status command_create_view(Statement *self, const BoundStatement *bound, Error *err) {
    const AstStatement *ast = bound->ast;
    TRY(write_allowed(self, err));
    LookupContext lookup = statement_lookup(self, &self->settings);
    View view = {.table = *bound->definition,
                 .text = ast->text,
                 .catalog = self->settings.catalog,
                 .schema = self->settings.schema};
    Status status = views_put(&lookup, &view, ast->or_replace, err);
    return status == TRIB_EXISTS && ast->if_not_exists ? TRIB_OK : status;
}

static Status command_drop_view(Statement *self, const BoundStatement *bound, Error *err) {
    bool existed;
    TRY(write_allowed(self, err));
    LookupContext lookup = statement_lookup(self, &self->settings);
    TRY(views_drop(&lookup, str_from(bound->name), &existed, err));
    if (existed || bound->ast->if_exists) return TRIB_OK;
    return error_set(err, ERR_TABLE_NOT_FOUND, "there is no view %s.%s.%s", VIEWS_CATALOG,
                     VIEWS_SCHEMA, bound->name);
}

/* ---------------------------------------------------------------- transactions */

static Status command_start(Statement *self, const BoundStatement *bound, Error *err) {
    static const struct {
        const char *name;
        TribIsolation level;
    } levels[] = {{"READ UNCOMMITTED", TRIB_READ_UNCOMMITTED},
                  {"READ COMMITTED", TRIB_READ_COMMITTED},
                  {"REPEATABLE READ", TRIB_REPEATABLE_READ},
                  {"SERIALIZABLE", TRIB_SERIALIZABLE}};
    uint32_t isolation = 0;
    for (size_t i = 0; bound->ast->isolation.data && i < COUNT_OF(levels); i++) {
        if (str_equal(bound->ast->isolation, str_from(levels[i].name))) isolation = levels[i].level;
    }
    return transaction_start(self->session, isolation, bound->ast->read_only, err);
}

/* Nothing open is success, as for SQLEndTran. */
static Status command_end(Statement *self, bool commit, Error *err) {
    SourceCall call = statement_call(self, INT64_MAX);
    statement_take_part(self, NULL);
    return transaction_end(self->session, &call, commit, err);
}

static Status command_commit(Statement *self, const BoundStatement *bound, Error *err) {
    return command_end(self, true, err);
}

static Status command_rollback(Statement *self, const BoundStatement *bound, Error *err) {
    return command_end(self, false, err);
}

/* ---------------------------------------------------------------- prepared statements */

static Status command_prepare(Statement *self, const BoundStatement *bound, Error *err) {
    TRY(prepared_check(bound->ast, err));
    return prepared_put(self->session, bound->ast->name.parts[0].text, bound->ast->text, err);
}

static Status command_deallocate(Statement *self, const BoundStatement *bound, Error *err) {
    return prepared_drop(self->session, &bound->ast->name.parts[0], err);
}

static const Command commands[] = {
    [AST_USE] = command_use,
    [AST_SET_SESSION] = command_set,
    [AST_RESET_SESSION] = command_reset,
    [AST_SET_TIME_ZONE] = command_time_zone,
    [AST_CREATE_TABLE] = command_ddl,
    [AST_DROP_TABLE] = command_ddl,
    [AST_ALTER_TABLE] = command_ddl,
    [AST_TRUNCATE_TABLE] = command_ddl,
    [AST_CREATE_INDEX] = command_ddl,
    [AST_DROP_INDEX] = command_ddl,
    [AST_CREATE_VIEW] = command_create_view,
    [AST_DROP_VIEW] = command_drop_view,
    [AST_CREATE_SCHEMA] = command_ddl,
    [AST_DROP_SCHEMA] = command_ddl,
    [AST_PREPARE] = command_prepare,
    [AST_DEALLOCATE] = command_deallocate,
    [AST_START_TRANSACTION] = command_start,
    [AST_COMMIT] = command_commit,
    [AST_ROLLBACK] = command_rollback,
};

Status command_run(Statement *self, const BoundStatement *bound, Error *err) {
    AstStatementKind kind = bound->ast->kind;
    if (kind >= COUNT_OF(commands) || !commands[kind]) {
        return error_set(err, ERR_UNSUPPORTED, "this statement is not supported");
    }
    Status status = commands[kind](self, bound, err);
    const AstQualifiedName *name = &bound->ast->name;
    AstPosition at = name->count ? name->parts[0].at : bound->ast->at;
    bool statement = status == TRIB_NOT_FOUND || status == TRIB_EXISTS || status == TRIB_INVALID;
    return statement ? error_place(err, status, at.line, at.column) : status;
}
