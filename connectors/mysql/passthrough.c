/*
 * passthrough.c - statements in the server's own language: TABLE(c.system.query(query => '...')).
 *
 * The text is prepared twice: as it stands (it must be one whole statement that returns rows and takes no
 * parameters), and inside SELECT * FROM (...), as it will be run. What the server says about the columns of the
 * latter becomes a table whose name is the text; dialect_table (shippable.c) writes it in parentheses. A derived
 * table can only be a query: what writes, or calls a procedure, is refused by the server when it is prepared.
 *
 * The server does not tell collations of results; text columns are therefore of the class FOLDED, for which
 * conditions are at most SUPERSET.
 */
#include "connectors/mysql/catalog.h"
#include "connectors/mysql/shippable.h"
#include "connectors/mysql/types.h"

#define UTF8_BYTES 4 /* results come in utf8mb4 */

typedef struct Work {
    const Settings *settings;
    Arena *arena;
    Str text;
    TribTable table;
    TribColumn *columns;
} Work;

static bool is_binary(const MYSQL_FIELD *field) {
    return field->charsetnr == 63;
}

/* The name of the declared type that a column of a result has. */
static const char *type_name(const MYSQL_FIELD *field) {
    bool binary = is_binary(field);
    switch (field->type) {
    case MYSQL_TYPE_TINY: return "tinyint";
    case MYSQL_TYPE_SHORT: return "smallint";
    case MYSQL_TYPE_INT24: return "mediumint";
    case MYSQL_TYPE_LONG: return "int";
    case MYSQL_TYPE_LONGLONG: return "bigint";
    case MYSQL_TYPE_FLOAT: return "float";
    case MYSQL_TYPE_DOUBLE: return "double";
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL: return "decimal";
    case MYSQL_TYPE_BIT: return "bit";
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE: return "date";
    case MYSQL_TYPE_TIME:
    case MYSQL_TYPE_TIME2: return "time";
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_DATETIME2: return "datetime";
    case MYSQL_TYPE_TIMESTAMP:
    case MYSQL_TYPE_TIMESTAMP2: return "timestamp";
    case MYSQL_TYPE_YEAR: return "year";
    case MYSQL_TYPE_JSON: return "json";
    case MYSQL_TYPE_GEOMETRY: return "geometry";
    case MYSQL_TYPE_TINY_BLOB:
    case MYSQL_TYPE_MEDIUM_BLOB:
    case MYSQL_TYPE_LONG_BLOB:
    case MYSQL_TYPE_BLOB: return binary ? "longblob" : "longtext";
    case MYSQL_TYPE_NULL: return "varchar";
    default: return binary ? "varbinary" : "varchar";
    }
}

/* Digits of a decimal from its length in characters, which counts a point and a sign. */
static uint32_t decimal_digits(const MYSQL_FIELD *field) {
    unsigned long other = (field->decimals > 0) + !(field->flags & UNSIGNED_FLAG);
    return (uint32_t)(field->length > other ? field->length - other : 1);
}

static Status column_read(Work *work, const MYSQL_FIELD *field, TribColumn *out, Error *err) {
    const char *name = type_name(field);
    char *spelled;
    ColumnFacts facts;
    bool flag = field->type == MYSQL_TYPE_TINY && field->length == 1;
    TRY_ALLOC(spelled,
              arena_printf(work->arena, "%s%s%s", name, flag ? "(1)" : "",
                           field->flags & UNSIGNED_FLAG ? " unsigned" : ""),
              err);
    bool wide = strcmp(name, "longtext") == 0 || strcmp(name, "longblob") == 0;
    DeclaredColumn declared = {.data_type = str_from(name),
                               .column_type = str_from(spelled),
                               .characters = wide ? UINT32_MAX : field->length / UTF8_BYTES,
                               .octets = wide ? UINT32_MAX : field->length,
                               .precision = field->type == MYSQL_TYPE_BIT ? (uint32_t)field->length
                                                                          : decimal_digits(field),
                               .scale = field->decimals,
                               .fraction = field->decimals <= 6 ? field->decimals : 0};
    memset(out, 0, sizeof *out);
    TRY_ALLOC(out->name, arena_strdup(work->arena, field->name), err);
    TRY(type_of_declared(work->settings, work->arena, &declared, &out->type, &facts,
                         &out->unreadable, err));
    TRY_ALLOC(out->facts, facts_format(work->arena, &facts), err);
    out->remote_type = spelled;
    out->nullable = true;
    out->distinct = out->null_fraction = -1;
    return TRIB_OK;
}

static Status columns_read(Work *work, MYSQL_STMT *statement, Error *err) {
    MYSQL_RES *result = mysql_stmt_result_metadata(statement);
    if (!result) return error_out_of_memory(err);
    uint32_t count = mysql_num_fields(result);
    const MYSQL_FIELD *fields = mysql_fetch_fields(result);
    work->columns = ARENA_ARRAY(work->arena, TribColumn, count);
    Status status = work->columns ? TRIB_OK : error_out_of_memory(err);
    for (uint32_t i = 0; i < count && status == TRIB_OK; i++)
        status = column_read(work, &fields[i], &work->columns[i], err);
    work->table.ncolumns = count;
    mysql_free_result(result);
    return status;
}

/* One whole statement with rows and without parameters; `columns`: they are to be kept. */
static Status statement_check(Work *work, MYSQL_STMT *statement, bool columns, Error *err) {
    if (mysql_stmt_field_count(statement) == 0) {
        return error_set(err, ERR_SYNTAX,
                         "only a statement that returns rows and changes nothing can be passed on");
    }
    if (mysql_stmt_param_count(statement) != 0) {
        return error_set(err, ERR_SYNTAX, "a statement that is passed on takes no parameters");
    }
    return columns ? columns_read(work, statement, err) : TRIB_OK;
}

static Status prepare(Work *work, Connection *connection, Guard *guard, Str text, bool columns,
                      Error *err) {
    PipeShield shield;
    pipe_shield(&shield);
    MYSQL_STMT *statement = mysql_stmt_init(connection->mysql);
    Status status = statement ? TRIB_OK : error_out_of_memory(err);
    if (status == TRIB_OK) {
        connection->executing = true;
        if (mysql_stmt_prepare(statement, text.data, (unsigned long)text.len) != 0)
            status = connection_fail(connection, statement, guard, err);
        else
            status = statement_check(work, statement, columns, err);
        connection->executing = connection->broken;
        mysql_stmt_close(statement);
    }
    pipe_unshield(&shield);
    return status;
}

static Status passthrough_work(Connection *connection, Guard *guard, void *context, Error *err) {
    Work *work = context;
    char *wrapped;
    TRY(prepare(work, connection, guard, work->text, false, err));
    TRY_ALLOC(wrapped,
              arena_printf(work->arena, "SELECT * FROM (" STR_FORMAT "\n) AS statement",
                           STR_ARGS(work->text)),
              err);
    Status status = prepare(work, connection, guard, str_from(wrapped), true, err);
    if (status == TRIB_OK || connection->broken) return status;
    return err->hint[0]
               ? status
               : error_hint(err, "the statement is read as SELECT * FROM (...): it must be "
                                 "a query whose columns have different names");
}

static Status deliver(Work *work, TribNames *names, Error *err) {
    TribTable *table = &work->table;
    table->size = sizeof *table;
    table->schema = "system";
    TRY_ALLOC(table->name, str_dup(work->arena, work->text), err);
    table->kind = TRIB_TABLE_VIEW;
    table->facts = MYSQL_QUERY_FACTS;
    table->columns = work->columns;
    table->rows = -1;
    return names->described(names->self, table, err);
}

TribStatus metadata_passthrough(TribCatalog *self, TribCall *call, const char *text,
                                TribNames *names, TribError *err) {
    Work work = {.settings = self->settings, .text = str_trim(str_from(text))};
    while (work.text.len && work.text.data[work.text.len - 1] == ';')
        work.text = str_trim((Str){work.text.data, work.text.len - 1});
    TRY_ALLOC(work.arena, arena_new(NULL), err);
    Status status = catalog_run(self, call, passthrough_work, &work, err);
    if (status == TRIB_OK) status = deliver(&work, names, err);
    arena_free(work.arena);
    return status;
}
