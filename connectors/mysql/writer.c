/*
 * writer.c - rows into a table: INSERT, CREATE TABLE AS, UPDATE and DELETE by the row key.
 *
 * The rows of a batch are sent in as few requests as the server's max_allowed_packet allows. To MariaDB they go
 * as one bulk operation: a statement for one row, prepared once, with arrays of values. Elsewhere an INSERT has
 * the values of many rows, as many as the 65,535 parameters of a statement can carry, and UPDATE and DELETE are
 * executed for each row. Values are always bound, never text.
 *
 * Counting: the connection counts the rows that a statement finds (CLIENT_FOUND_ROWS). A row key finds one row
 * at most, so that fewer found rows than sent ones means that somebody took a row away: 40001.
 *
 * The session's strict mode makes an error of what does not fit. What it lets pass with a note (digits of a
 * decimal, blanks at the end of a text) is found in the warnings, and is an error too.
 *
 * CREATE TABLE AS: the server commits CREATE TABLE by itself. So the rows go into a table of another name, made
 * before the transaction proper begins, and get the table's name at the end, in one step: who looks sees
 * all of it or nothing, whenever the process ends.
 *
 * Threads: one at a time. Memory: an arena for the writer, one for the batch.
 */
#include <inttypes.h>
#include <stdio.h>

#include "connectors/mysql/send.h"
#include "connectors/mysql/shippable.h"
#include "connectors/mysql/write.h"
#include "engine/base/number.h"
#include "engine/base/os.h"

#define PARAMS_MAX      65535
#define PACKET_OVERHEAD 512                 /* of a packet, beside the text and the rows */
#define REQUEST_BYTES   (UINT64_C(4) << 20) /* more in one packet gains nothing */
#define NAME_RANDOM     8

struct TribWriter {
    Arena *arena;
    TribCatalog *catalog;
    TribCall *call;
    TribTx *tx;
    bool own; /* the transaction */
    bool guarded, nothing /* the table is there already (IF NOT EXISTS) */;
    Guard guard;
    TribWriteKind kind;
    RowSender sender;
    uint32_t *order;    /* parameter -> column of the rows */
    Str head, tail;     /* the statement: head, a row's part, tail */
    Str row;            /* INSERT: "(?, ?)"; else empty */
    const char *table;  /* for messages */
    const char *rename; /* CREATE: what gives the table its name */
    const char *named;  /* the table that was meant, quoted */
    uint64_t rows;
};

/* ---------------------------------------------------------------- checks */

Status writer_check_table(const TribCatalog *catalog, const TribTable *table, Error *err) {
    if (table->writable) return TRIB_OK;
    if (table->kind != TRIB_TABLE_BASE)
        error_set(err, ERR_UNSUPPORTED, "\"%s\" is a view: it cannot be written to", table->name);
    else
        error_set(
            err, ERR_UNSUPPORTED,
            "table \"%s\" cannot be written to: its storage engine %s has no transactions, so "
            "that a statement that fails halfway could not be undone",
            table->name, table->facts ? table->facts : "");
    return error_source(err, catalog->settings->catalog);
}

typedef struct Warning {
    int64_t code;
    char text[400];
} Warning;

/* Codes that say: a value is not stored as it was sent. */
static bool code_changes_values(int64_t code) {
    static const int64_t codes[] = {1048, 1263, 1264, 1265, 1292, 1301, 1366, 1406, 1411, 1916};
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        if (codes[i] == code) return true;
    }
    return false;
}

static Status visit_warning(void *context, const QueryRow *row, bool *stop, Error *err) {
    Warning *self = context;
    int64_t code = 0;
    if (self->code || row->count < 3 || !row->values[1].data || !row->values[2].data)
        return TRIB_OK;
    if (int64_parse(row->values[1], &code) != NUMBER_OK || !code_changes_values(code))
        return TRIB_OK;
    Str text = row->values[2];
    self->code = code;
    text_format(self->text, sizeof self->text, "%.*s",
                (int)utf8_cut(text.data, text.len, sizeof self->text - 1), text.data);
    return TRIB_OK;
}

Status writer_check_warnings(Connection *connection, Guard *guard, Error *err) {
    Warning warning = {0};
    if (mysql_warning_count(connection->mysql) == 0) return TRIB_OK;
    TRY(connection_query(connection, guard, STR("SHOW WARNINGS"), visit_warning, &warning, err));
    if (!warning.code) return TRIB_OK;
    error_set(err, ERR_VALUE_TOO_LONG, "the source would have changed a value: %s", warning.text);
    err->native = (int32_t)warning.code;
    return error_source(err, connection->settings->catalog);
}

/* ---------------------------------------------------------------- sending */

static Status visit_packet(void *context, const QueryRow *row, bool *stop, Error *err) {
    Connection *self = context;
    int64_t bytes;
    if (row->count > 0 && row->values[0].data && int64_parse(row->values[0], &bytes) == NUMBER_OK &&
        bytes > 0)
        self->max_packet = (uint64_t)bytes;
    return TRIB_OK;
}

/* Bytes of rows that one request may carry. */
static Status request_limit(TribWriter *self, uint64_t *out, Error *err) {
    Connection *connection = self->tx->connection;
    if (!connection->max_packet)
        TRY(connection_query(connection, &self->guard, STR("SELECT @@max_allowed_packet"),
                             visit_packet, connection, err));
    uint64_t packet = connection->max_packet, used = PACKET_OVERHEAD + 8 * self->sender.ncolumns;
    *out = packet > used ? packet - used : 0;
    return TRIB_OK;
}

static Status row_too_long(const TribWriter *self, uint64_t bytes, Error *err) {
    error_set(err, ERR_LIMIT,
              "a row of %" PRIu64 " bytes is longer than what the server takes at once (%" PRIu64
              " bytes, max_allowed_packet)",
              bytes, self->tx->connection->max_packet);
    return error_hint(err, "raise max_allowed_packet in the server");
}

/* A row of an UPDATE or DELETE whose key is gone. */
static Status row_gone(const TribWriter *self, Error *err) {
    return error_set(err, ERR_SERIALIZATION,
                     "a row of \"%s\" that was to be changed is not there any more", self->table);
}

/* After the request was made for `n` rows. */
static Status request_done(TribWriter *self, MYSQL_STMT *statement, uint32_t n, Error *err) {
    uint64_t found = mysql_stmt_affected_rows(statement);
    TRY(writer_check_warnings(self->tx->connection, &self->guard, err));
    bool stored = self->kind == TRIB_WRITE_CREATE || self->kind == TRIB_WRITE_INSERT;
    if (!stored && found != n) return row_gone(self, err);
    self->rows += found;
    return TRIB_OK;
}

static Status request_execute(TribWriter *self, MYSQL_STMT *statement, MYSQL_BIND *binds,
                              unsigned int array, Error *err) {
    Connection *connection = self->tx->connection;
    PipeShield shield;
    pipe_shield(&shield);
    bool failed =
        connection->bulk && mysql_stmt_attr_set(statement, STMT_ATTR_ARRAY_SIZE, &array) != 0;
    failed = failed || mysql_stmt_bind_param(statement, binds) != 0;
    connection->executing = !failed;
    failed = failed || mysql_stmt_execute(statement) != 0;
    Status status = TRIB_OK;
    if (failed) status = connection_fail(connection, statement, &self->guard, err);
    connection->executing = connection->broken;
    pipe_unshield(&shield);
    return status;
}

/* The statement of a text, kept for the next time, and room for what is bound to it. */
static Status request_prepare(TribWriter *self, const Buf *text, size_t nbinds,
                              MYSQL_STMT **statement, MYSQL_BIND **binds, Error *err) {
    TRY(buf_status(text, err));
    TRY(transaction_statement(self->tx, &self->guard, buf_view(text), statement, err));
    TRY_ALLOC(*binds, ARENA_ARRAY(self->sender.arena, MYSQL_BIND, nbinds), err);
    return TRIB_OK;
}

/* Rows [from, from + n) as arrays. */
static Status send_bulk(TribWriter *self, uint32_t from, uint32_t n, Error *err) {
    uint32_t ncolumns = self->sender.ncolumns;
    MYSQL_STMT *statement;
    MYSQL_BIND *binds;
    Buf text;
    buf_init(&text, self->sender.arena, shippable_dialect.max_text);
    buf_str(&text, self->head);
    buf_str(&text, self->row);
    buf_str(&text, self->tail);
    TRY(request_prepare(self, &text, ncolumns, &statement, &binds, err));
    for (uint32_t i = 0; i < ncolumns; i++)
        sender_bind_array(&self->sender, self->order[i], from, &binds[i]);
    TRY(request_execute(self, statement, binds, n, err));
    return request_done(self, statement, n, err);
}

/* The same as a statement with the values of all of them; for UPDATE and DELETE n is 1. */
static Status send_values(TribWriter *self, uint32_t from, uint32_t n, Error *err) {
    uint32_t ncolumns = self->sender.ncolumns;
    MYSQL_STMT *statement;
    MYSQL_BIND *binds;
    Buf text;
    buf_init(&text, self->sender.arena, shippable_dialect.max_text);
    buf_str(&text, self->head);
    for (uint32_t i = 0; i < n; i++) {
        if (i) buf_text(&text, ", ");
        buf_str(&text, self->row);
    }
    buf_str(&text, self->tail);
    TRY(request_prepare(self, &text, (size_t)n * ncolumns, &statement, &binds, err));
    for (uint32_t r = 0; r < n; r++) {
        for (uint32_t i = 0; i < ncolumns; i++)
            sender_bind_value(&self->sender, self->order[i], from + r,
                              &binds[(size_t)r * ncolumns + i]);
    }
    TRY(request_execute(self, statement, binds, 0, err));
    return request_done(self, statement, n, err);
}

/* How many rows one request may have, whatever their size. */
static uint32_t request_rows(const TribWriter *self) {
    if (self->tx->connection->bulk) return UINT32_MAX;
    if (!self->row.len) return 1;
    uint32_t by_params = PARAMS_MAX / (self->sender.ncolumns ? self->sender.ncolumns : 1);
    size_t by_text = shippable_dialect.max_text / 2 / (self->row.len + 2);
    uint32_t most = by_text < by_params ? (uint32_t)by_text : by_params;
    return most ? most : 1;
}

static Status send_rows(TribWriter *self, Error *err) {
    const RowSender *sender = &self->sender;
    uint64_t limit;
    TRY(request_limit(self, &limit, err));
    uint64_t wanted = limit < REQUEST_BYTES ? limit : REQUEST_BYTES;
    bool bulk = self->tx->connection->bulk;
    uint32_t most = request_rows(self);
    /* INSERTs of many rows repeat the row's text */
    uint64_t more = bulk ? 0 : 2 + sender->ncolumns;
    for (uint32_t from = 0, n; from < sender->rows; from += n) {
        uint64_t bytes = 0;
        for (n = 0; from + n < sender->rows && n < most; n++) {
            uint64_t size = sender->sizes[from + n] + more;
            if (n > 0 && bytes + size > wanted) break;
            if (size > limit) return row_too_long(self, size, err);
            bytes += size;
        }
        TRY(call_check(self->call, self->catalog->settings->catalog, err));
        TRY(transaction_change(self->tx, &self->guard, err));
        TRY((bulk ? send_bulk : send_values)(self, from, n, err));
    }
    return TRIB_OK;
}

TribStatus writer_batch(TribWriter *self, const TribBatch *batch, TribError *err) {
    if (self->nothing) return TRIB_OK;
    Status status = sender_take(&self->sender, batch, err);
    if (status == TRIB_OK) status = send_rows(self, err);
    return status == TRIB_OK ? TRIB_OK : error_source(err, self->catalog->settings->catalog);
}

/* ---------------------------------------------------------------- the statement */

static void write_names(Buf *out, const TribWriteRequest *request, uint32_t from, uint32_t to,
                        const char *between, const char *behind) {
    for (uint32_t i = from; i < to; i++) {
        if (i > from) buf_text(out, between);
        quote_identifier(out, str_from(request->table->columns[request->columns[i]].name));
        buf_text(out, behind);
    }
}

static void head_text(const TribWriteRequest *request, const char *table, Buf *out) {
    uint32_t n = request->ncolumns, k = request->nkeys;
    switch (request->kind) {
    case TRIB_WRITE_UPDATE:
        buf_printf(out, "UPDATE %s SET ", table);
        write_names(out, request, k, n, ", ", " = ?");
        break;
    case TRIB_WRITE_DELETE: buf_printf(out, "DELETE FROM %s", table); break;
    default:
        buf_printf(out, "INSERT INTO %s (", table);
        write_names(out, request, 0, n, ", ", "");
        buf_text(out, ") VALUES ");
        return;
    }
    buf_text(out, " WHERE ");
    write_names(out, request, 0, k, " AND ", " = ?");
}

static Status statement_text(TribWriter *self, const TribWriteRequest *request, const char *table,
                             Error *err) {
    Buf head, row;
    uint32_t n = request->ncolumns;
    bool stored = request->kind == TRIB_WRITE_CREATE || request->kind == TRIB_WRITE_INSERT;
    buf_init(&head, self->arena, shippable_dialect.max_text / 4);
    buf_init(&row, self->arena, shippable_dialect.max_text / 4);
    head_text(request, table, &head);
    for (uint32_t i = 0; stored && i < n; i++) buf_text(&row, i ? ", ?" : "(?");
    if (stored) buf_text(&row, n ? ")" : "()");
    TRY(buf_status(&head, err));
    TRY(buf_status(&row, err));
    self->head = buf_view(&head);
    self->row = buf_view(&row);
    return TRIB_OK;
}

static Status writer_columns(TribWriter *self, const TribWriteRequest *request, Error *err) {
    uint32_t n = request->ncolumns, k = request->nkeys;
    TRY(sender_init(&self->sender, self->arena, request->table, n, request->columns, k, err));
    TRY_ALLOC(self->order, ARENA_ARRAY(self->arena, uint32_t, n), err);
    /* An UPDATE's values stand before its key. */
    bool update = request->kind == TRIB_WRITE_UPDATE;
    for (uint32_t i = 0; i < n; i++) self->order[i] = !update ? i : i < n - k ? i + k : i - (n - k);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- CREATE TABLE AS */

static Status random_name(TribWriter *self, const char **out, Error *err) {
    uint8_t bytes[NAME_RANDOM];
    char name[40] = "tributary_";
    size_t at = strlen(name);
    if (!os_random(bytes, sizeof bytes))
        return error_set(err, ERR_GENERAL, "the system has no random numbers");
    for (size_t i = 0; i < sizeof bytes; i++, at += 2)
        text_format(name + at, sizeof name - at, "%02x", (unsigned)bytes[i]);
    TRY_ALLOC(*out, arena_strdup(self->arena, name), err);
    return TRIB_OK;
}

static Status keep_drop(TribTx *tx, const char *quoted, Error *err) {
    size_t bytes = strlen(quoted) + 1;
    heap_free(tx->drop);
    TRY_ALLOC(tx->drop, heap_alloc(bytes), err);
    memcpy(tx->drop, quoted, bytes);
    return TRIB_OK;
}

/* Makes the table under a name of its own; *table gets it, quoted. */
static Status create_aside(TribWriter *self, const TribWriteRequest *request, const char **table,
                           Error *err) {
    const TribTable *target = request->table;
    TribTx *tx = self->tx;
    const char *name;
    Buf quoted, create, rename;
    TribDdl ddl = {.size = sizeof ddl,
                   .kind = TRIB_DDL_CREATE_TABLE,
                   .schema = target->schema,
                   .name = target->name,
                   .table = target};
    if (tx->changed || tx->marked || tx->mark_wanted)
        return error_set(err, ERR_TRANSACTION_STATE,
                         "CREATE TABLE AS would commit what the transaction has changed");
    TRY(random_name(self, &name, err));
    buf_init(&quoted, self->arena, 4096);
    buf_init(&create, self->arena, shippable_dialect.max_text);
    buf_init(&rename, self->arena, 8192);
    ddl_table_name(&quoted, target->schema, name);
    TRY(buf_status(&quoted, err));
    TRY(ddl_create_text(tx->connection, &ddl, name, &create, err));
    buf_printf(&rename, "RENAME TABLE %s TO %s", quoted.data, self->named);
    TRY(buf_status(&rename, err));
    TRY(keep_drop(tx, quoted.data, err));
    TRY(transaction_run_ddl(tx->connection, &self->guard, create.data, err));
    *table = quoted.data;
    self->rename = rename.data;
    return transaction_start(tx, &self->guard, false, err);
}

static Status writer_create(TribWriter *self, const TribWriteRequest *request, const char **table,
                            Error *err) {
    bool exists;
    TRY(ddl_table_exists(self->tx->connection, &self->guard, request->table->schema,
                         request->table->name, &exists, err));
    self->nothing = exists && request->if_not_exists;
    if (self->nothing) return TRIB_OK;
    if (exists) return error_set(err, ERR_TABLE_EXISTS, "table %s exists already", self->named);
    return create_aside(self, request, table, err);
}

/* ---------------------------------------------------------------- opening and closing */

static Status writer_begin(TribWriter *self, Error *err) {
    if (!self->tx) {
        TribTxRequest begin = {.size = sizeof begin, .isolation = TRIB_REPEATABLE_READ};
        TRY(transaction_begin(self->catalog, self->call, &begin, &self->tx, err));
        self->own = true;
    }
    Connection *connection = self->tx->connection;
    if (connection->broken || connection->executing) {
        return error_set(
            err, ERR_CONNECTION_LOST,
            "the connection of the transaction was lost: what it had changed is undone");
    }
    TRY(guard_begin(&self->guard, self->catalog->watchdog, connection, self->call, err));
    self->guarded = true;
    return TRIB_OK;
}

static Status writer_prepare(TribWriter *self, const TribWriteRequest *request, Error *err) {
    Buf quoted;
    buf_init(&quoted, self->arena, 4096);
    ddl_table_name(&quoted, request->table->schema, request->table->name);
    TRY(buf_status(&quoted, err));
    const char *table = self->named = quoted.data;
    TRY_ALLOC(self->table, arena_strdup(self->arena, request->table->name), err);
    TRY(writer_columns(self, request, err));
    if (!request->plan_only) TRY(writer_begin(self, err));
    if (!request->plan_only && request->kind == TRIB_WRITE_CREATE)
        TRY(writer_create(self, request, &table, err));
    TRY(statement_text(self, request, table, err));
    if (request->plan_only && request->explain.text) {
        char *text;
        TRY_ALLOC(text,
                  arena_printf(self->arena, STR_FORMAT STR_FORMAT, STR_ARGS(self->head),
                               STR_ARGS(self->row)),
                  err);
        request->explain.text(request->explain.self, text);
    }
    return TRIB_OK;
}

static void writer_free(TribWriter *self) {
    if (self->guarded) guard_end(&self->guard);
    sender_clear(&self->sender);
    arena_free(self->arena);
}

TribStatus writer_open(TribCatalog *catalog, TribCall *call, const TribWriteRequest *request,
                       TribWriter **out, TribError *err) {
    Arena *arena;
    *out = NULL;
    if (!catalog->settings->readwrite) return transaction_refuse(catalog, err);
    if (request->kind != TRIB_WRITE_CREATE) TRY(writer_check_table(catalog, request->table, err));
    TRY_ALLOC(arena, arena_new(NULL), err);
    TribWriter *self = ARENA_NEW(arena, TribWriter);
    if (!self) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    self->arena = arena;
    self->catalog = catalog;
    self->call = call;
    self->tx = request->transaction;
    self->kind = request->kind;
    Status status = writer_prepare(self, request, err);
    if (status == TRIB_OK && !request->plan_only) {
        *out = self;
        return TRIB_OK;
    }
    if (status != TRIB_OK) error_source(err, catalog->settings->catalog);
    Error ignored;
    TribTx *own = self->own ? self->tx : NULL;
    writer_free(self);
    if (own && transaction_end(own, call, false, &ignored) != TRIB_OK) error_clear(&ignored);
    return status;
}

/* All rows are there: the table gets its name, which commits them. */
static Status writer_finish(TribWriter *self, Error *err) {
    TRY(transaction_run_ddl(self->tx->connection, &self->guard, self->rename, err));
    return keep_drop(self->tx, self->named, err);
}

TribStatus writer_close(TribWriter *self, bool commit, uint64_t *rows, TribError *err) {
    Status status = TRIB_OK;
    TribTx *own = self->own ? self->tx : NULL;
    TribCall *call = self->call;
    if (commit && self->rename) status = writer_finish(self, err);
    bool good = commit && status == TRIB_OK;
    *rows = good ? self->rows : 0;
    writer_free(self);
    if (!own) return status;
    Error ignored;
    Status ended = transaction_end(own, call, good, good ? err : &ignored);
    return good ? ended : status;
}
