/*
 * tributary.h - the engine's C API: what the ODBC driver and the `tributary` command stand on.
 *
 * Session    a connection: configuration snapshot, settings, default catalog, a thread of its own on
 *            which statements are parsed, planned and described (deep stack).
 * Statement  one SQL statement at a time: prepare -> describe -> bind -> execute -> fetch -> close.
 *
 * Threads: calls on one Statement are serialised by the caller, except statement_cancel, which is safe
 * from any thread at any time while the Statement exists and takes no lock. Different statements of one
 * session may be used from different threads at the same time.
 *
 * Long calls come in two steps: *_start returns at once, statement_wait waits for the end (or for a
 * time). The plain form does both. One request is under way per statement at most.
 */
#ifndef TRIBUTARY_H
#define TRIBUTARY_H

#include "engine/base/cancel.h"
#include "engine/base/physical.h"
#include "engine/base/settings.h"

typedef struct Session Session;
typedef struct Statement Statement;

/* ---------------------------------------------------------------- sessions */

/* One setting from the connection string, already split; the session checks it. */
typedef struct SessionOption {
    Str name; /* keyword or session name */
    Str value;
} SessionOption;

typedef struct SessionParams {
    Str config;         /* path of the configuration; "" = the usual places */
    Str config_text;    /* a configuration given as text instead (tests, demos); "" = none */
    Str user, password; /* of the connection, for current_user; may be "" */
    const SessionOption *options;
    uint32_t noptions;
    int64_t deadline_ns; /* of opening; INT64_MAX = none */
} SessionParams;

/* Receives warnings (01000 ...): called on the thread that is inside the API call. */
typedef void (*WarningSink)(void *context, const Error *warning);

/* Reads the configuration and checks settings; opens no catalog. Warnings go to the sink (may be NULL). */
Status session_open(const SessionParams *params, WarningSink sink, void *context, Session **out,
                    Error *err) WARN_UNUSED;
/* Cancels what runs, waits up to 1 s, then lets go. All statements must have been freed. */
void session_close(Session *self);
Status session_set(Session *self, Str name, Str value, Error *err) WARN_UNUSED;
Status session_get(Session *self, SettingId id, SettingValue *out, Error *err) WARN_UNUSED;
/* Refuses every statement that writes (25006), or goes back to what ReadOnly said at connect time. */
void session_refuse_writes(Session *self, bool on);
/* The text stays valid until the setting changes; copy it. */
Str session_catalog(Session *self);
Str session_schema(Session *self);
Str session_user(Session *self);
/* Path of the configuration that was read; "" = none. As long as the session. */
Str session_config_path(Session *self);
/* Back to the settings of connect time (pooling's reset). */
Status session_reset(Session *self, Error *err) WARN_UNUSED;
/*
 * Transactions. With autocommit every statement that writes is one of its own. Without it, or after START
 * TRANSACTION, the first write begins one in the catalog that it changes; statements on that catalog see
 * what it has written until it ends; writing to another catalog is refused (25000) before anything is sent.
 * Ending one: nothing open is success. 08007: the outcome of a commit is not known. After a failed end no
 * transaction is open either.
 */
Status session_end_transaction(Session *self, bool commit, Error *err) WARN_UNUSED;
/* Switching autocommit on commits what is open. */
Status session_set_autocommit(Session *self, bool on, Error *err) WARN_UNUSED;
bool session_autocommit(Session *self);
/* Has something been written that is neither committed nor taken back? */
bool session_in_transaction(Session *self);
/* Of transactions to come: TribIsolation, 0 = each source's own default. 25000 while one is open; HYC00 where
 * the default catalog has none so strong. */
Status session_set_isolation(Session *self, uint32_t isolation, Error *err) WARN_UNUSED;
typedef struct TransactionFacts {
    bool writable;       /* the catalog takes INSERT, by its type and its options */
    bool capable;        /* and has transactions; */
    bool several;        /* more than one at the same time */
    bool makes_schemas;  /* CREATE SCHEMA, DROP SCHEMA */
    bool ddl_commits;    /* CREATE, DROP ... end the transaction; else they are part of it */
    uint32_t isolations; /* TribIsolation bits */
    uint32_t default_isolation;
    const TribType *column_types; /* as the connector says: what CREATE TABLE takes; NULL: any */
} TransactionFacts;
/* Of a catalog; "" = the default one; none: all false. May load its connector, speaks to no source. */
Status session_transaction_facts(Session *self, Str catalog, TransactionFacts *out,
                                 Error *err) WARN_UNUSED;
/* false once a write-blocking or fatal state was reached; no I/O. */
bool session_alive(Session *self);

typedef struct CatalogSummary {
    const char *name;
    const char *type;    /* connector type */
    const char *comment; /* may be NULL */
} CatalogSummary;
/* The configured catalogs, in the configuration's order; valid as long as the session. */
uint32_t session_catalogs(Session *self, const CatalogSummary **out);
/* Opens one catalog, contacts its source: `tributary check`. text: what answered. */
Status session_check_catalog(Session *self, Str catalog, char *text, size_t size,
                             Error *err) WARN_UNUSED;

/* ---------------------------------------------------------------- statements */

Status statement_new(Session *session, Statement **out, Error *err) WARN_UNUSED;
void statement_free(Statement *self); /* cancels and closes first */
/* Any thread, no lock. The running call ends with HY008; with nothing under way it does nothing. */
void statement_cancel(Statement *self);
/* As long as *wanted, every request ends with HY008 as soon as it starts: a caller that cannot know
 * whether a request is just about to start sets it before statement_cancel. Lives as long as self. */
void statement_watch_cancel(Statement *self, const _Atomic bool *wanted);
/* For the next requests, metadata too; 0 = none. Fires as HYT00. */
void statement_set_timeout(Statement *self, int64_t seconds);
void statement_set_warning_sink(Statement *self, WarningSink sink, void *context);

Status statement_prepare_start(Statement *self, Str sql, Error *err) WARN_UNUSED;
/* For a statement that is executed at once: like prepare, but a query without parameters may be running
 * by the time the wait ends; statement_execute_start then takes up that execution. */
Status statement_direct_start(Statement *self, Str sql, Error *err) WARN_UNUSED;
Status statement_execute_start(Statement *self, Error *err) WARN_UNUSED;
Status statement_fetch_start(Statement *self, Error *err) WARN_UNUSED;
/* Before an execution: its rows are kept, on disk where memory ends, and may be read in any order. */
void statement_set_scrollable(Statement *self, bool on);
/* Like statement_fetch_start, of a scrollable execution: the batch begins with row number `row` (from 0), and
 * has no rows if there are fewer. Rows up to there are read if they have not been; UINT64_MAX reads all. */
Status statement_seek_start(Statement *self, uint64_t row, Error *err) WARN_UNUSED;
/* Rows that a scrollable execution has kept so far; *all: these are all. */
uint64_t statement_rows_kept(const Statement *self, bool *all);
/* timeout_ns < 0: until the end. *done false: still under way (the status is then TRIB_OK). */
Status statement_wait(Statement *self, int64_t timeout_ns, bool *done, Error *err) WARN_UNUSED;

/* Parses, binds names and types. The text is copied. A prepared statement is closed first. */
Status statement_prepare(Statement *self, Str sql, Error *err) WARN_UNUSED;

typedef enum StatementKind {
    STATEMENT_NONE,
    STATEMENT_QUERY,   /* returns rows (SELECT, SHOW, DESCRIBE, EXPLAIN, VALUES) */
    STATEMENT_WRITE,   /* returns a row count (INSERT, CREATE TABLE AS ...) */
    STATEMENT_COMMAND, /* returns nothing (USE, SET SESSION, CREATE, DROP) */
} StatementKind;
StatementKind statement_kind(const Statement *self);
/* The prepared statement in the standard's words ("INSERT", "UPDATE WHERE", "CREATE TABLE", ...); "": it has
 * none. */
const char *statement_function(const Statement *self);

/* A result column, after prepare. Strings live until the next prepare. */
typedef struct ColumnInfo {
    Str name; /* label */
    TribType type;
    bool nullable;
    Str base_name, table, schema, catalog; /* "" where the column is not a plain one */
    bool writable;       /* through the cursor: a column of the query's update target */
    bool table_writable; /* its table takes writes */
    bool case_sensitive;
    bool auto_increment;
} ColumnInfo;
uint32_t statement_column_count(const Statement *self);
/*
 * Rows that are changed through the cursor. Before a preparation: if the rows of the query are each one of one
 * table that can be written to, its batches have the columns of a key of that table behind those that are
 * described, and it is read to its end when it is executed, so that a write waits for no reader of its own.
 */
void statement_set_updatable(Statement *self, bool on);
typedef struct UpdateTarget {
    Str catalog, schema, table;
    uint32_t nkeys;
    const Str *keys;    /* names of the key's columns */
    uint32_t first_key; /* number of the first of them in the batches */
} UpdateTarget;
/* After preparing; NULL: nothing can be changed through the cursor, *reason (may be NULL) says why. */
const UpdateTarget *statement_update_target(const Statement *self, const char **reason);
/* The table that a prepared INSERT, UPDATE or DELETE changes; false: it is none. */
bool statement_written_table(const Statement *self, Str *catalog, Str *schema, Str *table);
/* UPDATE or DELETE ... WHERE CURRENT OF name: what stands before WHERE, and the name as written. */
bool engine_split_positioned(Str sql, Str *change, Str *cursor);
const ColumnInfo *statement_column(const Statement *self, uint32_t index); /* 0-based */

/* A parameter marker, after prepare: its type from context, else varchar(4000). */
typedef struct ParameterInfo {
    TribType type;
    bool nullable;
    bool inferred; /* false: nothing in the statement says its type */
} ParameterInfo;
uint32_t statement_parameter_count(const Statement *self);
const ParameterInfo *statement_parameter(const Statement *self, uint32_t index);
/* Sets a value for the next execution; copied. Its type may differ from the inferred one: it is
 * converted at execution (22018, 22003 ...). */
Status statement_bind(Statement *self, uint32_t index, const TribValue *value,
                      Error *err) WARN_UNUSED;
void statement_clear_bindings(Statement *self);
/* Does the prepared statement take any number of sets of parameters in one execution? It does if it is an
 * INSERT of one row of VALUES without sub-queries: it is carried out once per set, all of them or none. */
bool statement_takes_sets(const Statement *self);
/* Sets for the next execution, a column per parameter, in place of statement_bind. Borrowed until that
 * has ended. Values convert to what the statement wants while they are stored. */
Status statement_bind_sets(Statement *self, const ParameterSets *sets, Error *err) WARN_UNUSED;

/* Optimises, pushes down, starts. Returns when the first batch could be asked for; rows may not be
 * there yet. A statement that is still open is closed first. */
Status statement_execute(Statement *self, Error *err) WARN_UNUSED;
int64_t statement_row_count(const Statement *self); /* rows written; -1 for queries */
/* After a failed execution: the number, from 1, of the parameter whose value it failed by; 0: of none, or it is not
 * known. */
uint32_t statement_failed_parameter(const Statement *self);
/* After executing a query or an EXPLAIN of one: what its source is sent, if one source takes it whole. Valid
 * until statement_close. */
bool statement_source_text(const Statement *self, Str *text);
/* Ends the execution, drops what is buffered; the statement stays prepared. */
void statement_close(Statement *self);

/* ---------------------------------------------------------------- rows */

typedef enum ColumnForm { COLUMN_FLAT, COLUMN_CONSTANT, COLUMN_DICTIONARY } ColumnForm;

/*
 * A column of the current batch, read-only, valid until the next fetch or close of the statement.
 * FLAT: value r at data[r]. CONSTANT: data[0] for all rows. DICTIONARY: entry indices[r] of data.
 * validity: bitmap over the same positions as data (rows, one bit, entries); NULL = all valid.
 * For a DICTIONARY, row_validity (may be NULL) is a bitmap over rows on top of it.
 */
typedef struct ColumnView {
    TribType type;
    PhysicalType physical;
    ColumnForm form;
    const void *data;
    const uint64_t *validity;
    const uint32_t *indices;
    const uint64_t *row_validity;
    uint32_t nchildren;
    const struct ColumnView *children; /* array 1, map 2, row n */
} ColumnView;

typedef struct BatchView {
    uint32_t rows;             /* logical rows */
    const uint16_t *selection; /* NULL: logical row r is position r; else position selection[r] */
    uint32_t ncolumns;
    const ColumnView *columns;
} BatchView;

/* The next batch, or rows == 0 at the end (every further call too). */
Status statement_fetch(Statement *self, const BatchView **out, Error *err) WARN_UNUSED;
/* After statement_fetch_start + statement_wait said done. */
const BatchView *statement_batch(const Statement *self);

/* Canonical text of one value of a column (JSON for arrays, maps, rows; ISO for times), appended. */
Status column_value_text(const ColumnView *column, uint32_t position, Buf *out,
                         Error *err) WARN_UNUSED;
bool column_value_null(const ColumnView *column, uint32_t position);
/* The value itself; texts are borrowed from the batch, parts of nested values live in the arena. */
Status column_value(const ColumnView *column, uint32_t position, Arena *arena, TribValue *out,
                    Error *err) WARN_UNUSED;

/* Progress of the running execution, for a progress line. Counters only grow. */
typedef struct Progress {
    uint64_t rows_read, bytes_read, rows_out, spilled_bytes;
    int64_t memory_bytes, elapsed_ns;
    double fraction; /* < 0 unknown */
} Progress;
void statement_progress(const Statement *self, Progress *out);

/* ---------------------------------------------------------------- metadata for catalog functions */

/* Pattern arguments: NULL data = all. Patterns use % and _ with \ as escape unless `literal`. */
typedef struct MetadataFilter {
    Str catalog, schema, table, column;
    bool literal; /* SQL_ATTR_METADATA_ID: names compared without regard to case, no patterns */
    bool literal_catalog; /* the catalog alone: SQLColumns takes no pattern there, SQLTables does */
} MetadataFilter;

typedef struct MetadataTable {
    Str catalog, schema, table, comment;
    const char *kind; /* "TABLE", "VIEW", "SYSTEM TABLE" */
} MetadataTable;

typedef struct MetadataColumn {
    Str catalog, schema, table, name, comment, default_sql;
    TribType type;
    bool nullable;
    uint32_t ordinal; /* 1-based */
} MetadataColumn;

/* Visitors; returning other than TRIB_OK stops the listing with that error. A source that cannot be
 * reached costs a warning, not the list. Runs on the session's thread; cancellable via `statement`. */
typedef struct MetadataVisitor {
    void *context;
    Status (*schema)(void *context, Str catalog, Str schema, Error *err);
    Status (*table)(void *context, const MetadataTable *table, Error *err);
    Status (*column)(void *context, const MetadataColumn *column, Error *err);
} MetadataVisitor;
Status statement_list_schemas(Statement *self, const MetadataFilter *filter,
                              const MetadataVisitor *visitor, Error *err) WARN_UNUSED;
Status statement_list_tables(Statement *self, const MetadataFilter *filter,
                             const MetadataVisitor *visitor, Error *err) WARN_UNUSED;
Status statement_list_columns(Statement *self, const MetadataFilter *filter,
                              const MetadataVisitor *visitor, Error *err) WARN_UNUSED;

/* Keys and statistics of one table, by exact names: for SQLPrimaryKeys, SQLStatistics. One call per column
 * of each key, before them one for the table itself (ordinal 0). */
typedef struct MetadataKey {
    Str name, column;
    bool primary, unique;
    bool nullable;    /* a column of the key may be NULL */
    uint32_t key;     /* number of the key, from 0 */
    uint32_t ordinal; /* of the column in the key, 1-based; 0: the table */
    double rows;      /* of the table, < 0 not known */
} MetadataKey;
Status statement_list_keys(Statement *self, Str catalog, Str schema, Str table, void *context,
                           Status (*key)(void *context, const MetadataKey *key, Error *err),
                           Error *err) WARN_UNUSED;

/* A column of a foreign key, for SQLForeignKeys. */
typedef struct MetadataReference {
    Str name, key_name; /* of the foreign key, of the key it refers to ("" not known) */
    Str catalog, schema, table, column;
    Str to_schema, to_table, to_column; /* of the same catalog */
    uint32_t ordinal;                   /* 1-based */
    TribReferenceRule on_update, on_delete;
    bool immediate; /* known not to be deferrable */
} MetadataReference;
/* The foreign keys of the tables that the (literal) filter names, or if `incoming` those that refer to
 * them. Sources that know of none have none. */
Status statement_list_references(
    Statement *self, const MetadataFilter *filter, bool incoming, void *context,
    Status (*reference)(void *context, const MetadataReference *reference, Error *err),
    Error *err) WARN_UNUSED;

/* ---------------------------------------------------------------- registries */

/* Does the engine have a kernel for this function id? Drives the bitmaps of SQLGetInfo. */
bool engine_has_function(TribFunctionId id);
/* May a value of one type be CAST to another? */
bool engine_can_cast(TribTypeId from, TribTypeId to);
/* Reserved words of the dialect, one by one; NULL at the end. */
const char *engine_reserved_word(uint32_t index);
/* SQL spelling of a type, e.g. "decimal(10,2)", "array(varchar)"; returns the length. */
size_t engine_type_name(TribType type, char *out, size_t size);
const char *engine_version(void);
/* Splits a script at top-level semicolons (quotes and comments respected). *at begins at 0 and advances;
 * false at the end. */
bool engine_split_script(Str script, size_t *at, Str *statement);

/* The plan of the prepared or executed statement as text: what EXPLAIN prints. */
typedef enum { PLAN_LOGICAL, PLAN_PHYSICAL, PLAN_REMOTE, PLAN_ANALYZE } PlanKind;

#endif
