/*
 * sqlite_internal.h - what the files of the SQLite connector share.
 *
 * TribCatalog  immutable after open, but for its connection pool (thread-safe)
 * LiteDb       one connection: used by one thread at a time, interrupted from any
 * TribPlan     immutable, reference-counted, but for the list of splits (guarded)
 */
#ifndef TRIB_SQLITE_INTERNAL_H
#define TRIB_SQLITE_INTERNAL_H

#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "connectors/support/call.h"
#include "connectors/support/options.h"
#include "connectors/support/pool.h"
#include "connectors/support/sql_text.h"

typedef enum { MISMATCH_ERROR, MISMATCH_NULL, MISMATCH_VARCHAR } OnMismatch;
typedef enum { PARALLEL_OFF, PARALLEL_RELAXED } Parallel;

struct TribCatalog {
    Arena *arena; /* holds the catalog itself */
    const TribHost *host;
    const char *name;
    const char *path;
    bool readwrite;
    OnMismatch on_mismatch;
    bool declared_exact;
    int64_t busy_ms;
    Parallel parallel;
    Str *hidden; /* patterns of tables that are not shown */
    uint32_t nhidden;
    Pool *pool;
};

#define LITE_KEPT 4

typedef struct LiteDb {
    sqlite3 *db;
    TribCall *call;               /* of the user of the moment; NULL when idle */
    const atomic_bool *cancelled; /* of the scan of the moment; may be NULL */
    bool in_transaction;          /* stays with it: lite_give leaves it alone */
    int64_t busy_ms, busy_until;
    dev_t device; /* of the file that is open */
    ino_t inode;
    sqlite3_stmt *kept[LITE_KEPT]; /* of writers that have ended, the last one first; NULL = none */
} LiteDb;

struct TribTx {
    TribCatalog *catalog;
    LiteDb *db;
};

/* ---- option.c */
extern const TribOptionDef lite_options[];
Status lite_config(TribCatalog *catalog, const TribOption *values, uint32_t count,
                   Error *err) WARN_UNUSED;
bool lite_hidden(const TribCatalog *catalog, const char *table);

/* ---- connection.c */
extern const PoolHooks lite_hooks;
/* A connection on behalf of `call`, that of its transaction if it has one; given back by lite_give. */
Status lite_take(TribCatalog *catalog, TribCall *call, const atomic_bool *cancelled, LiteDb **out,
                 Error *err) WARN_UNUSED;
void lite_give(TribCatalog *catalog, LiteDb *db);
/* The error of the last call on the connection (result code rc) as our record; `what` was being done. */
Status lite_error(const TribCatalog *catalog, LiteDb *db, int rc, const char *what, Error *err);
Status lite_prepare(const TribCatalog *catalog, LiteDb *db, const char *sql, size_t length,
                    sqlite3_stmt **out, Error *err) WARN_UNUSED;
/* The same, or the one that was kept with this text. */
Status lite_prepare_kept(const TribCatalog *catalog, LiteDb *db, const char *sql, size_t length,
                         sqlite3_stmt **out, Error *err) WARN_UNUSED;
/* Takes a statement that may be needed again; NULL is nothing. */
void lite_keep(LiteDb *db, sqlite3_stmt *stmt);
/* One step. *row false: done. */
Status lite_step(const TribCatalog *catalog, LiteDb *db, sqlite3_stmt *stmt, bool *row,
                 Error *err) WARN_UNUSED;

/* ---- types.c */

/* How the values of a column are stored and read. The letter stands in the column's facts. */
typedef enum LiteKind {
    KIND_INTEGER = 'i',   /* bigint, or what a CHECK proves: INTEGER */
    KIND_REAL = 'r',      /* double: REAL, or INTEGER that a double holds exactly */
    KIND_DECIMAL = 'd',   /* decimal(p, s): INTEGER, REAL, TEXT of a number */
    KIND_TEXT = 't',      /* varchar, or char that a CHECK proves: TEXT */
    KIND_ANY = 'x',       /* varchar: TEXT, numbers as their text */
    KIND_BLOB = 'b',      /* varbinary: BLOB */
    KIND_BOOLEAN = 'l',   /* boolean: INTEGER 0 or 1 */
    KIND_DATE = 'D',      /* date: TEXT YYYY-MM-DD */
    KIND_TIME = 'T',      /* time: TEXT HH:MM[:SS[.f]] */
    KIND_TIMESTAMP = 'S', /* timestamp: TEXT YYYY-MM-DD HH:MM[:SS[.f]] */
    KIND_ZONED = 'Z',     /* timestamp with time zone: the same with a zone */
    KIND_UUID = 'U'       /* uuid: TEXT of 36 characters or BLOB of 16 bytes */
} LiteKind;

/* A column's facts: its text in TribColumn.facts is kind, then flags. */
typedef struct LiteFacts {
    LiteKind kind;
    bool strict;    /* the file enforces the type: STRICT table, or the rowid itself */
    bool binary;    /* collation BINARY */
    bool indexable; /* a built-in collation other than BINARY: its own index serves equality */
    bool utf16;     /* the database's encoding is UTF-16 */
} LiteFacts;

/* Type and kind of a declared type, by name first, by SQLite's affinity rules else. */
void lite_type(const char *declared, OnMismatch on_mismatch, bool strict, TribType *type,
               LiteKind *kind);
/* Kind of an expression (count, sum ...) by its type. */
LiteKind lite_kind_of(TribType type);
char *lite_facts_text(Arena *arena, LiteFacts facts);
LiteFacts lite_facts(const char *text);
/* Storage classes that fit a kind, as an SQL list: 'integer', 'real'. */
const char *lite_classes(LiteKind kind);

/* Parsers of stored text: canonical forms only, no blanks around. */
bool lite_parse_date(Str text, int32_t *days);
bool lite_parse_time(Str text, int precision, int64_t *ns);
bool lite_parse_timestamp(Str text, int precision, int64_t *us, int32_t *ns);
bool lite_parse_uuid(Str text, uint8_t out[16]);
/* A REAL as a decimal: exact, or exact to 15 significant digits (what arithmetic leaves behind). */
bool lite_real_to_decimal(double value, TribType type, __int128 *out);

/* ---- bounds.c */

/* A type of whole numbers narrower than 64 bits, and what it holds. */
typedef struct LiteBounds {
    uint8_t id;
    int64_t low, high;
    const char *name;
} LiteBounds;

/* NULL: the type is none of them. */
const LiteBounds *lite_bounds(TribType type);
/* The CHECK that makes SQLite keep the column's values within its type; nothing for types that need none. */
void lite_proof_text(const TribColumn *column, Buf *out);
/* The definitions in a CREATE TABLE as SQLite keeps it: a borrowed part of it. */
Str lite_definitions(const char *create_table);
/* Takes the definition of the next column, which must have this name. The type that its CHECK proves if it is the
 * column's: tinyint, smallint, integer, char(n); id 0 = nothing. */
TribType lite_proof_next(Str *definitions, const char *column);
/* The bounds that the connection's last error says were violated, with the name as it stands in the CHECK; NULL: it was
 * another error. */
const LiteBounds *lite_bounds_violated(LiteDb *db, Str *column);
/* Adds a value that was to be stored to the error about the last call, if it is the one that is out of bounds. */
void lite_bounds_tell(LiteDb *db, const TribColumn *column, const TribValue *value, Error *err);

/* ---- metadata.c */
Status lite_list_schemas(TribCatalog *catalog, TribCall *call, TribNames *names, TribError *err);
Status lite_list_tables(TribCatalog *catalog, TribCall *call, const char *schema, TribNames *names,
                        TribError *err);
Status lite_describe_table(TribCatalog *catalog, TribCall *call, const char *schema,
                           const char *table, TribNames *names, TribError *err);
/* reference.c */
TribStatus lite_list_references(TribCatalog *catalog, TribCall *call, const char *schema,
                                const char *table, bool incoming, TribNames *names, TribError *err);
Status lite_passthrough(TribCatalog *catalog, TribCall *call, const char *text, TribNames *names,
                        TribError *err);
/* What a table's facts say: the name by which its rowid can be read, or NULL. */
const char *lite_rowid_name(const char *table_facts);
#define LITE_QUERY_FACTS \
    "query" /* facts of a table that is a statement passed through: its name is the text */

/* ---- shippable.c */
extern const SqlDialect lite_dialect;

/* ---- write.c, writer.c, ddl.c */
TribStatus lite_tx_begin(TribCatalog *catalog, TribCall *call, const TribTxRequest *request,
                         TribTx **out, TribError *err);
TribStatus lite_tx_end(TribTx *tx, TribCall *call, bool commit, TribError *err);
TribStatus lite_tx_mark(TribTx *tx, TribCall *call, TribMark mark, TribError *err);
TribStatus lite_write_open(TribCatalog *catalog, TribCall *call, const TribWriteRequest *request,
                           TribWriter **out, TribError *err);
TribStatus lite_write_batch(TribWriter *self, const TribBatch *batch, TribError *err);
TribStatus lite_write_close(TribWriter *self, bool commit, uint64_t *rows, TribError *err);
TribStatus lite_writable(TribCatalog *catalog, TribError *err);
TribStatus lite_modify(TribCatalog *catalog, TribCall *call, TribModify *modify, TribError *err);
TribStatus lite_ddl(TribCatalog *catalog, TribCall *call, const TribDdl *ddl, TribError *err);
/* The same on a connection of the caller's. */
Status lite_ddl_in(TribCatalog *catalog, LiteDb *db, const TribDdl *ddl, Error *err) WARN_UNUSED;
/* Why a value cannot be stored in a column so that it is read back as it is; NULL = it can. */
const char *lite_storable(const TribColumn *column, const TribValue *value);
/* Would SQLite keep 15 digits of some decimals? Such a column was not made by lite_ddl: its name has no affinity of
 * its own. */
bool lite_digits_at_risk(const TribColumn *column);
/* Takes the blanks that pad it away from a text that is stored in a char(n). */
void lite_unpad(TribValue *value);
Status lite_refuse_value(const TribCatalog *catalog, const TribColumn *column, const char *why,
                         Error *err);
#define LITE_VALUE_TEXT (CALENDAR_TEXT_MAX + DECIMAL_TEXT_MAX)
/* Where a value that is bound stays: texts in the batch and in `scratch` are kept by the caller until the statement
 * has been stepped (SQLITE_STATIC), or copied (SQLITE_TRANSIENT). */
typedef struct LiteBinding {
    sqlite3_stmt *stmt;
    int at;
    char *scratch; /* LITE_VALUE_TEXT bytes */
    sqlite3_destructor_type keep;
} LiteBinding;
int lite_bind_value(const LiteBinding *to, const TribValue *value);
Status lite_exec(TribCatalog *catalog, LiteDb *db, const char *sql, Error *err) WARN_UNUSED;

/* ---- scan.c, read.c */
/* Binds a value of a condition. Texts must stay until the statement was run. */
Status lite_bind_parameter(TribCatalog *catalog, LiteDb *db, sqlite3_stmt *stmt, int at,
                           const TribValue *value, Error *err) WARN_UNUSED;
TribStatus lite_plan(TribCatalog *catalog, TribCall *call, TribOffer *offer, TribPlan **out,
                     TribError *err);
void lite_plan_retain(TribPlan *plan);
void lite_plan_release(TribPlan *plan);
TribStatus lite_splits(TribPlan *plan, TribCall *call, uint32_t wanted,
                       const TribSplit *const **out, uint32_t *count, TribError *err);
TribStatus lite_scan_open(TribCatalog *catalog, TribCall *call, const TribScanRequest *request,
                          TribScan **out, struct ArrowSchema *schema, TribError *err);
TribStatus lite_scan_next(TribScan *scan, uint32_t max_rows, TribBatch *batch, TribError *err);
void lite_scan_cancel(TribScan *scan);
void lite_scan_stats(TribScan *scan, TribStats *stats);
void lite_scan_release(TribScan *scan);

#endif
