/*
 * ddl.c - schemas, tables, columns and indexes, made and dropped.
 *
 * A type is mapped to one that types.c reads as the same type, or as a wider one of which the values come back as
 * they were; what the server cannot keep so is refused. Texts get utf8mb4 and a collation that compares by code
 * point without padding, so that keys are what they are in the engine (char(n): one that pads). Tables are
 * InnoDB's whatever the server's default is: without transactions nothing could be undone.
 *
 * The server commits each of these statements by itself; the host knows (TRIB_DDL_COMMITS). Where MySQL would do
 * more than it was told, the statement is refused: DROP SCHEMA with tables in it, DROP COLUMN of a part of a
 * key (it would shorten the key), ADD COLUMN NOT NULL without DEFAULT to rows (it would invent values).
 *
 * One thread per call; memory in an arena of the call.
 */
#include "connectors/mysql/failure.h"
#include "connectors/mysql/shippable.h"
#include "connectors/mysql/types.h"
#include "connectors/mysql/write.h"
#include "engine/base/calendar.h"
#include "engine/base/decimal.h"
#include "engine/base/number.h"

#define SQL_MAX        (4 * 1024 * 1024)
#define VARCHAR_MOST   16383 /* characters of four bytes in a row of 65,535 */
#define CHAR_MOST      255
#define VARBINARY_MOST 65532

/* ---------------------------------------------------------------- types */

static Status refuse_type(const TribColumn *column, const char *what, Error *err) {
    return error_set(err, ERR_UNSUPPORTED, "column \"%s\": MySQL has no type for %s", column->name,
                     what);
}

static const char *text_collation(const Connection *connection) {
    if (connection->mariadb)
        return connection->version >= 100200 ? "utf8mb4_nopad_bin" : "utf8mb4_bin";
    return connection->version >= 80017 ? "utf8mb4_0900_bin" : "utf8mb4_bin";
}

static Status text_type(const Connection *connection, const TribColumn *column, Buf *out,
                        Error *err) {
    uint32_t length = column->type.length;
    bool padded = column->type.id == TRIB_TYPE_CHAR;
    if (padded && length > CHAR_MOST) {
        refuse_type(column, "char of more than 255 characters", err);
        return error_hint(err, "use VARCHAR(%u)", length);
    }
    if (padded)
        buf_printf(out, "CHAR(%u)", length);
    else if (length && length <= VARCHAR_MOST)
        buf_printf(out, "VARCHAR(%u)", length);
    else
        buf_text(out, "LONGTEXT");
    buf_printf(out, " CHARACTER SET utf8mb4 COLLATE %s",
               padded ? "utf8mb4_bin" : text_collation(connection));
    return TRIB_OK;
}

static Status time_type(const Settings *settings, const TribColumn *column, Buf *out, Error *err) {
    TribType type = column->type;
    bool day = type.id == TRIB_TYPE_TIME;
    if (type.precision > 6)
        return refuse_type(column, "times that are finer than a microsecond", err);
    if (day && settings->time == TIME_AS_TIME) {
        buf_printf(out, "TIME(%u)", type.precision);
        return TRIB_OK;
    }
    if (day) {
        error_set(err, ERR_UNSUPPORTED,
                  "column \"%s\": this catalog reads MySQL's TIME as %s, not as time of day",
                  column->name,
                  settings->time == TIME_AS_VARCHAR ? "text" : "interval day to second");
        return error_hint(err, "give the catalog \"time\": \"time\"");
    }
    if (settings->zero_dates == ZERO_DATES_VARCHAR)
        return error_set(err, ERR_UNSUPPORTED,
                         "column \"%s\": this catalog reads dates as text (zero_dates=varchar)",
                         column->name);
    if (type.id == TRIB_TYPE_DATE)
        buf_text(out, "DATE");
    else
        buf_printf(out, "DATETIME(%u)", type.precision);
    return TRIB_OK;
}

static Status type_text(const Connection *connection, const TribColumn *column, Buf *out,
                        Error *err) {
    TribType type = column->type;
    const Settings *settings = connection->settings;
    switch (type.id) {
    case TRIB_TYPE_BOOLEAN:
        buf_text(out, settings->tinyint1_boolean ? "TINYINT(1)" : "BIT(1)");
        return TRIB_OK;
    case TRIB_TYPE_TINYINT: buf_text(out, "TINYINT"); return TRIB_OK;
    case TRIB_TYPE_SMALLINT: buf_text(out, "SMALLINT"); return TRIB_OK;
    case TRIB_TYPE_INTEGER: buf_text(out, "INT"); return TRIB_OK;
    case TRIB_TYPE_BIGINT: buf_text(out, "BIGINT"); return TRIB_OK;
    case TRIB_TYPE_REAL: buf_text(out, "FLOAT"); return TRIB_OK;
    case TRIB_TYPE_DOUBLE: buf_text(out, "DOUBLE"); return TRIB_OK;
    case TRIB_TYPE_DECIMAL:
        buf_printf(out, "DECIMAL(%u,%d)", type.precision, type.scale);
        return TRIB_OK;
    case TRIB_TYPE_CHAR:
    case TRIB_TYPE_VARCHAR: return text_type(connection, column, out, err);
    case TRIB_TYPE_VARBINARY:
        if (type.length && type.length <= VARBINARY_MOST)
            buf_printf(out, "VARBINARY(%u)", type.length);
        else
            buf_text(out, "LONGBLOB");
        return TRIB_OK;
    case TRIB_TYPE_DATE:
    case TRIB_TYPE_TIME:
    case TRIB_TYPE_TIMESTAMP: return time_type(settings, column, out, err);
    case TRIB_TYPE_UUID:
        if (!connection->mariadb || connection->version < 100700)
            return refuse_type(column, "uuids (use VARCHAR(36))", err);
        buf_text(out, "UUID");
        return TRIB_OK;
    case TRIB_TYPE_TIMESTAMP_TZ:
    case TRIB_TYPE_TIME_TZ:
        refuse_type(column, "values with a time zone of their own", err);
        return error_hint(err, "use TIMESTAMP, and CAST(... AT TIME ZONE 'UTC' AS TIMESTAMP)");
    case TRIB_TYPE_JSON: return refuse_type(column, "JSON that keeps its text (use VARCHAR)", err);
    case TRIB_TYPE_INTERVAL_DS:
    case TRIB_TYPE_INTERVAL_YM: return refuse_type(column, "intervals of any length", err);
    default: return refuse_type(column, "arrays, maps and rows", err);
    }
}

/* ---------------------------------------------------------------- defaults */

static bool is_text(TribType type) {
    return type.id == TRIB_TYPE_VARCHAR || type.id == TRIB_TYPE_CHAR;
}

static void uuid_literal(const TribValue *value, Buf *out) {
    buf_char(out, '\'');
    for (size_t i = 0; i < 16; i++)
        buf_printf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                   (unsigned)(uint8_t)value->as.text.data[i]);
    buf_char(out, '\'');
}

static void literal_text(const TribValue *v, Buf *out) {
    char text[CALENDAR_TEXT_MAX + DECIMAL_TEXT_MAX];
    int p = v->type.precision;
    size_t n = 0;
    switch (v->type.id) {
    case TRIB_TYPE_BOOLEAN: buf_text(out, v->as.integer ? "b'1'" : "b'0'"); return;
    case TRIB_TYPE_REAL:
    case TRIB_TYPE_DOUBLE:
        double_format(v->as.real, text);
        buf_text(out, text);
        return;
    case TRIB_TYPE_DECIMAL:
        decimal_format(p <= 18 ? (Int128)v->as.integer : v->as.wide, v->type.scale, text);
        buf_text(out, text);
        return;
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_CHAR: quote_literal(out, (Str){v->as.text.data, v->as.text.length}); return;
    case TRIB_TYPE_VARBINARY:
        buf_text(out, "x'");
        for (size_t i = 0; i < v->as.text.length; i++)
            buf_printf(out, "%02x", (unsigned)(uint8_t)v->as.text.data[i]);
        buf_char(out, '\'');
        return;
    case TRIB_TYPE_UUID: uuid_literal(v, out); return;
    case TRIB_TYPE_DATE: n = date_format_iso((int32_t)v->as.integer, text); break;
    case TRIB_TYPE_TIME: n = time_format_iso(v->as.integer, p, text); break;
    case TRIB_TYPE_TIMESTAMP: n = timestamp_format_iso(v->as.integer, 0, p, text); break;
    default: buf_printf(out, "%lld", (long long)v->as.integer); return;
    }
    buf_printf(out, "'%.*s'", (int)n, text);
}

static Status default_literal(const Connection *connection, const TribColumn *column,
                              const TribValue *value, Buf *out, Error *err) {
    if (value->is_null) {
        buf_text(out, " DEFAULT NULL");
        return TRIB_OK;
    }
    const char *why = shippable_dialect.unbindable(NULL, value);
    if (!why && is_text(value->type) && value->as.text.length &&
        memchr(value->as.text.data, '\0', value->as.text.length))
        why = "a character that is NUL";
    if (why)
        return error_set(err, ERR_UNSUPPORTED, "column \"%s\": MySQL cannot keep this DEFAULT: %s",
                         column->name, why);
    /* MySQL takes defaults of texts without a bound as expressions only. */
    bool expression =
        !connection->mariadb && (is_text(column->type) || column->type.id == TRIB_TYPE_VARBINARY);
    buf_text(out, expression ? " DEFAULT (" : " DEFAULT ");
    literal_text(value, out);
    if (expression) buf_char(out, ')');
    return TRIB_OK;
}

/* The server computes them in UTC, which is the zone of all our sessions. */
static bool default_call(const TribColumn *column, uint16_t op, Buf *out) {
    bool now = op == TRIB_FN_current_timestamp || op == TRIB_FN_localtimestamp;
    if (now && column->type.id == TRIB_TYPE_TIMESTAMP) {
        buf_printf(out, " DEFAULT CURRENT_TIMESTAMP(%u)", column->type.precision);
        return true;
    }
    if (op == TRIB_FN_current_date && column->type.id == TRIB_TYPE_DATE) {
        buf_text(out, " DEFAULT (CURRENT_DATE)");
        return true;
    }
    return false;
}

static Status default_text(const Connection *connection, const TribDdl *ddl, uint32_t index,
                           Buf *out, Error *err) {
    const TribColumn *column = &ddl->table->columns[index];
    if (!ddl->defaults || ddl->defaults[index] == UINT32_MAX) return TRIB_OK;
    const TribNode *node = &ddl->nodes[ddl->defaults[index]];
    if (node->kind == TRIB_NODE_LITERAL)
        return default_literal(connection, column, &ddl->values[node->ref], out, err);
    if (node->kind == TRIB_NODE_CALL && default_call(column, node->op, out)) return TRIB_OK;
    return error_set(err, ERR_UNSUPPORTED,
                     "column \"%s\": MySQL cannot compute this DEFAULT as Tributary does",
                     column->name);
}

/* ---------------------------------------------------------------- tables */

void ddl_table_name(Buf *out, const char *schema, const char *name) {
    quote_identifier(out, str_from(schema));
    buf_char(out, '.');
    quote_identifier(out, str_from(name));
}

static Status comment_text(const char *comment, const char *equals, Buf *out) {
    if (!comment) return TRIB_OK;
    buf_printf(out, " COMMENT%s", equals);
    quote_literal(out, str_from(comment));
    return TRIB_OK;
}

static bool in_primary_key(const TribTable *table, uint32_t column) {
    for (uint32_t k = 0; k < table->nkeys; k++) {
        for (uint32_t i = 0; table->keys[k].primary && i < table->keys[k].ncolumns; i++) {
            if (table->keys[k].columns[i] == column) return true;
        }
    }
    return false;
}

static Status column_text(const Connection *connection, const TribDdl *ddl, uint32_t index,
                          Buf *out, Error *err) {
    const TribColumn *column = &ddl->table->columns[index];
    quote_identifier(out, str_from(column->name));
    buf_char(out, ' ');
    TRY(type_text(connection, column, out, err));
    buf_text(out, column->nullable && !in_primary_key(ddl->table, index) ? " NULL" : " NOT NULL");
    if (ddl->table->identity == index + 1) buf_text(out, " AUTO_INCREMENT");
    TRY(default_text(connection, ddl, index, out, err));
    return comment_text(column->comment, " ", out);
}

/* A column that MySQL numbers must be the first of a key. */
static bool leads_key(const TribTable *table, uint32_t column) {
    for (uint32_t k = 0; k < table->nkeys; k++)
        if (table->keys[k].columns[0] == column) return true;
    return false;
}

static void keys_text(const TribTable *table, Buf *out) {
    if (table->identity && !leads_key(table, table->identity - 1)) {
        buf_text(out, ", KEY (");
        quote_identifier(out, str_from(table->columns[table->identity - 1].name));
        buf_char(out, ')');
    }
    for (uint32_t k = 0; k < table->nkeys; k++) {
        const TribKey *key = &table->keys[k];
        buf_text(out, key->primary ? ", PRIMARY KEY (" : ", UNIQUE (");
        for (uint32_t i = 0; i < key->ncolumns; i++) {
            if (i) buf_text(out, ", ");
            quote_identifier(out, str_from(table->columns[key->columns[i]].name));
        }
        buf_char(out, ')');
    }
}

Status ddl_create_text(const Connection *connection, const TribDdl *ddl, const char *name, Buf *out,
                       Error *err) {
    const TribTable *table = ddl->table;
    buf_text(out, ddl->if_exists ? "CREATE TABLE IF NOT EXISTS " : "CREATE TABLE ");
    ddl_table_name(out, ddl->schema, name ? name : ddl->name);
    buf_text(out, " (");
    for (uint32_t i = 0; i < table->ncolumns; i++) {
        if (i) buf_text(out, ", ");
        TRY(column_text(connection, ddl, i, out, err));
    }
    keys_text(table, out);
    buf_text(out, ") ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4");
    TRY(comment_text(table->comment, "=", out));
    return buf_status(out, err);
}

/* ---------------------------------------------------------------- looking */

typedef struct Look {
    Str schema, name;
    uint32_t found;
    char table[256]; /* the last one that was found */
} Look;

static Status visit_found(void *context, const QueryRow *row, bool *stop, Error *err) {
    Look *self = context;
    if (row->count < 3 || !row->values[0].data || !row->values[1].data || !row->values[2].data)
        return TRIB_OK;
    if (!str_equal(row->values[0], self->schema) || !str_equal_fold(row->values[1], self->name))
        return TRIB_OK;
    self->found++;
    Str table = row->values[2];
    if (table.len >= sizeof self->table) return error_set(err, ERR_LIMIT, "a name is too long");
    memcpy(self->table, table.data, table.len);
    self->table[table.len] = '\0';
    return TRIB_OK;
}

/* Rows (schema, name, table) of the query of which the first two are these. */
static Status look(Connection *connection, Guard *guard, const char *select, const char *column,
                   Look *self, Error *err) {
    Buf sql;
    self->found = 0;
    buf_init(&sql, NULL, SQL_MAX);
    buf_printf(&sql, "%s WHERE TABLE_SCHEMA = ", select);
    quote_literal(&sql, self->schema);
    /* Where names of tables are files, an exact name would be looked up as one. */
    buf_printf(&sql, " AND LOWER(%s) = LOWER(", column);
    quote_literal(&sql, self->name);
    buf_char(&sql, ')');
    Status status = buf_status(&sql, err);
    if (status == TRIB_OK)
        status = connection_query(connection, guard, buf_view(&sql), visit_found, self, err);
    buf_clear(&sql);
    return status;
}

Status ddl_table_exists(Connection *connection, Guard *guard, const char *schema, const char *name,
                        bool *out, Error *err) {
    Look self = {.schema = str_from(schema), .name = str_from(name)};
    TRY(look(connection, guard,
             "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_NAME FROM information_schema.TABLES",
             "TABLE_NAME", &self, err));
    *out = self.found > 0;
    return TRIB_OK;
}

static Status visit_any(void *context, const QueryRow *row, bool *stop, Error *err) {
    bool *any = context;
    *any = true;
    return TRIB_OK;
}

static Status query_any(Connection *connection, Guard *guard, Str sql, bool *any, Error *err) {
    *any = false;
    return connection_query(connection, guard, sql, visit_any, any, err);
}

/* ---------------------------------------------------------------- one function per kind */

typedef struct DdlWork {
    const TribDdl *ddl;
    Arena *arena;
    bool done; /* there is nothing to be sent */
} DdlWork;

typedef Status (*DdlText)(DdlWork *work, Connection *connection, Guard *guard, Buf *out,
                          Error *err);

static void write_target(const DdlWork *work, const char *verb, Buf *out) {
    buf_printf(out, "%s ", verb);
    ddl_table_name(out, work->ddl->schema, work->ddl->name);
}

static Status refuse_schema(const Connection *connection, Error *err) {
    return error_set(err, ERR_UNSUPPORTED, "the catalog shows the schema \"%s\" alone (database)",
                     connection->settings->database);
}

/* A table of the name in other letters would be out of reach. */
static Status refuse_existing(DdlWork *work, Connection *connection, Guard *guard, const char *name,
                              bool *exists, Error *err) {
    TRY(ddl_table_exists(connection, guard, work->ddl->schema, name, exists, err));
    if (!*exists) return TRIB_OK;
    return error_set(err, ERR_TABLE_EXISTS, "table \"%s\".\"%s\" exists already", work->ddl->schema,
                     name);
}

static Status create_table(DdlWork *work, Connection *connection, Guard *guard, Buf *out,
                           Error *err) {
    const TribDdl *ddl = work->ddl;
    bool exists = false;
    if (!settings_shows(connection->settings, str_from(ddl->schema), NULL) &&
        connection->settings->database)
        return refuse_schema(connection, err);
    Status status = refuse_existing(work, connection, guard, ddl->name, &exists, err);
    work->done = exists && ddl->if_exists;
    if (work->done) return TRIB_OK;
    TRY(status);
    return ddl_create_text(connection, ddl, NULL, out, err);
}

static Status drop_table(DdlWork *work, Connection *connection, Guard *guard, Buf *out,
                         Error *err) {
    write_target(work, work->ddl->if_exists ? "DROP TABLE IF EXISTS" : "DROP TABLE", out);
    return TRIB_OK;
}

static Status truncate_table(DdlWork *work, Connection *connection, Guard *guard, Buf *out,
                             Error *err) {
    write_target(work, "TRUNCATE TABLE", out);
    return TRIB_OK;
}

static Status rename_table(DdlWork *work, Connection *connection, Guard *guard, Buf *out,
                           Error *err) {
    const TribDdl *ddl = work->ddl;
    bool exists;
    /* but its own name in other letters is a name */
    if (!str_equal_fold(str_from(ddl->name), str_from(ddl->new_name)))
        TRY(refuse_existing(work, connection, guard, ddl->new_name, &exists, err));
    write_target(work, "RENAME TABLE", out);
    buf_text(out, " TO ");
    ddl_table_name(out, ddl->schema, ddl->new_name);
    return TRIB_OK;
}

static Status add_column(DdlWork *work, Connection *connection, Guard *guard, Buf *out,
                         Error *err) {
    const TribDdl *ddl = work->ddl;
    bool default_given = ddl->defaults && ddl->defaults[0] != UINT32_MAX;
    if (!ddl->table->columns[0].nullable && !default_given && !ddl->plan_only) {
        Buf sql;
        bool any;
        buf_init(&sql, work->arena, 4096);
        write_target(work, "SELECT 1 FROM", &sql);
        buf_text(&sql, " LIMIT 1");
        TRY(buf_status(&sql, err));
        TRY(query_any(connection, guard, buf_view(&sql), &any, err));
        if (any)
            return error_set(
                err, ERR_CONSTRAINT,
                "the rows of \"%s\" have no value for the new column \"%s\": give it a "
                "DEFAULT, or leave out NOT NULL",
                ddl->name, ddl->table->columns[0].name);
    }
    write_target(work, "ALTER TABLE", out);
    buf_text(out, " ADD COLUMN ");
    return column_text(connection, ddl, 0, out, err);
}

/* MySQL would shorten the key, and let rows be alike that were not. */
static Status check_no_key_part(const TribDdl *ddl, Error *err) {
    const TribTable *table = ddl->table;
    for (uint32_t k = 0; table && k < table->nkeys; k++) {
        const TribKey *key = &table->keys[k];
        for (uint32_t i = 0; key->unique && key->ncolumns > 1 && i < key->ncolumns; i++) {
            if (strcmp(table->columns[key->columns[i]].name, ddl->column) != 0) continue;
            return error_set(err, ERR_CONSTRAINT,
                             "column \"%s\" is part of the key \"%s\" of several columns",
                             ddl->column, key->name ? key->name : "PRIMARY");
        }
    }
    return TRIB_OK;
}

static Status drop_column(DdlWork *work, Connection *connection, Guard *guard, Buf *out,
                          Error *err) {
    TRY(check_no_key_part(work->ddl, err));
    write_target(work, "ALTER TABLE", out);
    buf_text(out, " DROP COLUMN ");
    quote_identifier(out, str_from(work->ddl->column));
    return TRIB_OK;
}

static Status rename_column(DdlWork *work, Connection *connection, Guard *guard, Buf *out,
                            Error *err) {
    uint32_t since = connection->mariadb ? 100502 : 80000;
    if (connection->version < since)
        return error_set(err, ERR_UNSUPPORTED, "this server is too old to rename a column");
    write_target(work, "ALTER TABLE", out);
    buf_text(out, " RENAME COLUMN ");
    quote_identifier(out, str_from(work->ddl->column));
    buf_text(out, " TO ");
    quote_identifier(out, str_from(work->ddl->new_name));
    return TRIB_OK;
}

static Status create_index(DdlWork *work, Connection *connection, Guard *guard, Buf *out,
                           Error *err) {
    const TribIndex *index = work->ddl->index;
    buf_text(out, index->unique ? "CREATE UNIQUE INDEX " : "CREATE INDEX ");
    quote_identifier(out, str_from(index->name));
    write_target(work, " ON", out);
    for (uint32_t i = 0; i < index->ncolumns; i++) {
        buf_text(out, i ? ", " : " (");
        quote_identifier(out, str_from(work->ddl->table->columns[index->columns[i].column].name));
        if (index->columns[i].descending) buf_text(out, " DESC");
    }
    buf_char(out, ')');
    return TRIB_OK;
}

/* An index has its name from its table: if the statement names none, the schema must have one such index. */
static Status drop_index(DdlWork *work, Connection *connection, Guard *guard, Buf *out,
                         Error *err) {
    const TribDdl *ddl = work->ddl;
    Look found = {.schema = str_from(ddl->schema), .name = str_from(ddl->index->name)};
    const char *table = ddl->name;
    if (!table) {
        TRY(look(connection, guard,
                 "SELECT DISTINCT TABLE_SCHEMA, INDEX_NAME, TABLE_NAME FROM "
                 "information_schema.STATISTICS",
                 "INDEX_NAME", &found, err));
        if (found.found > 1) {
            error_set(err, ERR_SYNTAX, "several tables of \"%s\" have an index \"%s\"", ddl->schema,
                      ddl->index->name);
            return error_hint(err, "name the table: DROP INDEX %s ON ...", ddl->index->name);
        }
        work->done = found.found == 0 && ddl->if_exists;
        if (found.found == 0)
            return work->done
                       ? TRIB_OK
                       : error_set(err, ERR_INDEX_NOT_FOUND, "schema \"%s\" has no index \"%s\"",
                                   ddl->schema, ddl->index->name);
        table = found.table;
    }
    buf_text(out, "DROP INDEX ");
    quote_identifier(out, str_from(ddl->index->name));
    buf_text(out, " ON ");
    ddl_table_name(out, ddl->schema, table);
    return TRIB_OK;
}

static Status create_schema(DdlWork *work, Connection *connection, Guard *guard, Buf *out,
                            Error *err) {
    if (connection->settings->database) return refuse_schema(connection, err);
    buf_text(out, work->ddl->if_exists ? "CREATE DATABASE IF NOT EXISTS " : "CREATE DATABASE ");
    quote_identifier(out, str_from(work->ddl->schema));
    buf_text(out, " CHARACTER SET utf8mb4");
    return TRIB_OK;
}

static Status drop_schema(DdlWork *work, Connection *connection, Guard *guard, Buf *out,
                          Error *err) {
    const TribDdl *ddl = work->ddl;
    static const char *const lists[][2] = {
        {"TABLES", "TABLE_SCHEMA"}, {"ROUTINES", "ROUTINE_SCHEMA"}, {"EVENTS", "EVENT_SCHEMA"}};
    for (size_t i = 0; i < COUNT_OF(lists) && !ddl->cascade; i++) {
        Buf sql;
        bool any;
        buf_init(&sql, work->arena, 4096);
        buf_printf(&sql, "SELECT 1 FROM information_schema.%s WHERE %s = ", lists[i][0],
                   lists[i][1]);
        quote_literal(&sql, str_from(ddl->schema));
        buf_text(&sql, " LIMIT 1");
        TRY(buf_status(&sql, err));
        TRY(query_any(connection, guard, buf_view(&sql), &any, err));
        if (!any) continue;
        error_set(err, ERR_SYNTAX, "schema \"%s\" is not empty", ddl->schema);
        return error_hint(err, "DROP SCHEMA ... CASCADE drops what is in it");
    }
    buf_text(out, ddl->if_exists ? "DROP DATABASE IF EXISTS " : "DROP DATABASE ");
    quote_identifier(out, str_from(ddl->schema));
    return TRIB_OK;
}

static const DdlText texts[] = {
    [TRIB_DDL_CREATE_TABLE] = create_table,   [TRIB_DDL_DROP_TABLE] = drop_table,
    [TRIB_DDL_CREATE_SCHEMA] = create_schema, [TRIB_DDL_DROP_SCHEMA] = drop_schema,
    [TRIB_DDL_RENAME_TABLE] = rename_table,   [TRIB_DDL_ADD_COLUMN] = add_column,
    [TRIB_DDL_DROP_COLUMN] = drop_column,     [TRIB_DDL_RENAME_COLUMN] = rename_column,
    [TRIB_DDL_CREATE_INDEX] = create_index,   [TRIB_DDL_DROP_INDEX] = drop_index,
    [TRIB_DDL_TRUNCATE] = truncate_table,
};

/* ---------------------------------------------------------------- running */

static Status ddl_work(Connection *connection, Guard *guard, void *context, Error *err) {
    DdlWork *work = context;
    const TribDdl *ddl = work->ddl;
    Buf text;
    buf_init(&text, work->arena, SQL_MAX);
    if ((size_t)ddl->kind >= COUNT_OF(texts))
        return error_set(err, ERR_UNSUPPORTED, "MySQL has no such statement");
    TRY(texts[ddl->kind](work, connection, guard, &text, err));
    if (work->done) return TRIB_OK;
    TRY(buf_status(&text, err));
    if (ddl->plan_only) {
        if (ddl->explain.text) ddl->explain.text(ddl->explain.self, text.data);
        return TRIB_OK;
    }
    Status status = transaction_run_ddl(connection, guard, text.data, err);
    bool there = status == TRIB_EXISTS && ddl->kind == TRIB_DDL_CREATE_INDEX;
    bool gone = status == TRIB_NOT_FOUND && ddl->kind == TRIB_DDL_DROP_INDEX;
    return (there || gone) && ddl->if_exists ? TRIB_OK : status;
}

TribStatus ddl_run(TribCatalog *catalog, TribCall *call, const TribDdl *ddl, TribError *err) {
    DdlWork work = {.ddl = ddl};
    if (!catalog->settings->readwrite && !ddl->plan_only) return transaction_refuse(catalog, err);
    if (ddl->transaction && !ddl->plan_only) {
        error_set(err, ERR_TRANSACTION_STATE,
                  "MySQL would commit the open transaction with this statement");
        return error_source(err, catalog->settings->catalog);
    }
    TRY_ALLOC(work.arena, arena_new(NULL), err);
    Status status = catalog_run(catalog, call, ddl_work, &work, err);
    arena_free(work.arena);
    return status;
}
