/*
 * reference.c - foreign keys, from information_schema.
 *
 * The names of constraints are those of a schema and, with some servers, of a table: rows of both views
 * are matched by all three. What the settings do not show is left out on either side.
 * Threads: under the connection of the call. Memory: one row's texts at a time.
 */
#include "connectors/mysql/catalog.h"
#include "engine/base/number.h"

#define SQL_MAX 65536

enum {
    R_SCHEMA,
    R_TABLE,
    R_COLUMN,
    R_TO_SCHEMA,
    R_TO_TABLE,
    R_TO_COLUMN,
    R_NAME,
    R_KEY,
    R_UPDATE,
    R_DELETE,
    R_ORDINAL,
    R_COUNT
};

typedef struct ReferenceWork {
    const Settings *settings;
    const char *schema, *table;
    bool incoming;
    TribNames *names;
    Arena *arena;
} ReferenceWork;

static TribReferenceRule rule_of(Str text) {
    static const struct {
        const char *text;
        TribReferenceRule rule;
    } rules[] = {{"RESTRICT", TRIB_RULE_RESTRICT},
                 {"CASCADE", TRIB_RULE_CASCADE},
                 {"SET NULL", TRIB_RULE_SET_NULL},
                 {"SET DEFAULT", TRIB_RULE_SET_DEFAULT}};
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        if (str_equal(text, str_from(rules[i].text))) return rules[i].rule;
    return TRIB_RULE_NO_ACTION;
}

static Status visit_reference(void *context, const QueryRow *row, bool *stop, Error *err) {
    ReferenceWork *work = context;
    const Str *v = row->values;
    const char *text[R_COUNT];
    int64_t ordinal = 1;
    if (row->count < R_COUNT) return TRIB_OK;
    uint32_t asked = work->incoming ? R_TO_SCHEMA : R_SCHEMA;
    if (!str_equal(v[asked], str_from(work->schema)) ||
        !str_equal(v[asked + 1], str_from(work->table)) ||
        !settings_shows(work->settings, v[R_SCHEMA], &v[R_TABLE]) ||
        !settings_shows(work->settings, v[R_TO_SCHEMA], &v[R_TO_TABLE]))
        return TRIB_OK;
    arena_reset(work->arena);
    for (uint32_t i = 0; i < R_COUNT; i++) {
        text[i] = NULL;
        if (v[i].data) TRY_ALLOC(text[i], str_dup(work->arena, v[i]), err);
    }
    if (v[R_ORDINAL].data && int64_parse(v[R_ORDINAL], &ordinal) != NUMBER_OK) ordinal = 1;
    TribReference reference = {.size = sizeof reference,
                               .name = text[R_NAME],
                               .key_name = text[R_KEY],
                               .schema = text[R_SCHEMA],
                               .table = text[R_TABLE],
                               .column = text[R_COLUMN],
                               .to_schema = text[R_TO_SCHEMA],
                               .to_table = text[R_TO_TABLE],
                               .to_column = text[R_TO_COLUMN],
                               .ordinal = (uint32_t)ordinal,
                               .on_update = rule_of(v[R_UPDATE]),
                               .on_delete = rule_of(v[R_DELETE]),
                               .immediate = true};
    *stop = !work->names->reference(work->names->self, &reference);
    return TRIB_OK;
}

static Status references_work(Connection *connection, Guard *guard, void *context, Error *err) {
    ReferenceWork *work = context;
    Buf sql;
    buf_init(&sql, NULL, SQL_MAX);
    buf_text(&sql, "SELECT k.TABLE_SCHEMA, k.TABLE_NAME, k.COLUMN_NAME, k.REFERENCED_TABLE_SCHEMA, "
                   "k.REFERENCED_TABLE_NAME, k.REFERENCED_COLUMN_NAME, k.CONSTRAINT_NAME, "
                   "r.UNIQUE_CONSTRAINT_NAME, r.UPDATE_RULE, r.DELETE_RULE, k.ORDINAL_POSITION "
                   "FROM information_schema.KEY_COLUMN_USAGE k "
                   "LEFT JOIN information_schema.REFERENTIAL_CONSTRAINTS r "
                   "ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.TABLE_NAME = k.TABLE_NAME "
                   "AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME WHERE ");
    buf_text(&sql, work->incoming ? "k.REFERENCED_TABLE_SCHEMA = " : "k.TABLE_SCHEMA = ");
    quote_literal(&sql, str_from(work->schema));
    buf_text(&sql, work->incoming ? " AND k.REFERENCED_TABLE_NAME = " : " AND k.TABLE_NAME = ");
    quote_literal(&sql, str_from(work->table));
    buf_text(&sql, " AND k.REFERENCED_COLUMN_NAME IS NOT NULL "
                   "ORDER BY k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION");
    Status status = buf_status(&sql, err);
    if (status == TRIB_OK)
        status = connection_query(connection, guard, buf_view(&sql), visit_reference, work, err);
    buf_clear(&sql);
    return status;
}

TribStatus metadata_references(TribCatalog *self, TribCall *call, const char *schema,
                               const char *table, bool incoming, TribNames *names, TribError *err) {
    ReferenceWork work = {.settings = self->settings,
                          .schema = schema,
                          .table = table,
                          .incoming = incoming,
                          .names = names};
    if (!utf8_valid(schema, strlen(schema)) || !utf8_valid(table, strlen(table))) return TRIB_OK;
    TRY_ALLOC(work.arena, arena_new(NULL), err);
    Status status = catalog_run(self, call, references_work, &work, err);
    arena_free(work.arena);
    return status;
}
