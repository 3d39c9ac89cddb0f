/*
 * tributary_connector.h - the ABI between Tributary's engine and its connectors.
 *
 * A connector is a shared object `trib_<type>.so` that exports one symbol, `trib_connector`, a
 * function returning a `const TribConnector *` that lives as long as the process (connectors are
 * never unloaded). The engine fills structures in, the connector answers; neither frees what the
 * other allocated except through the release function that came with it.
 *
 * Versioning: `abi_version` changes only when something is broken on purpose. Every other change
 * appends members; `size` (or struct_size) says how much of a struct the other side knows.
 *
 * Threads: a TribCatalog and a TribPlan may be used by any number of threads at once; a TribScan or
 * TribWriter by one thread at a time, except scan_cancel, which is safe from any thread at any moment
 * between scan_open and scan_release and never blocks.
 *
 * Strings are UTF-8. Strings handed to the connector are valid for the call unless said otherwise.
 * Every function returns a TribStatus and, unless that is TRIB_OK, has filled in `err`.
 */
#ifndef TRIBUTARY_CONNECTOR_H
#define TRIBUTARY_CONNECTOR_H

#include "tributary_types.h"

#define TRIB_ABI_VERSION 2
#define TRIB_EXPORT      __attribute__((visibility("default")))

typedef struct TribHost TribHost;
typedef struct TribCall TribCall;
typedef struct TribCatalog TribCatalog; /* the connector's own: an opened catalog */
typedef struct TribPlan TribPlan;     /* the connector's own: an accepted scan, reference-counted */
typedef struct TribScan TribScan;     /* the connector's own: a running scan of one split */
typedef struct TribWriter TribWriter; /* the connector's own: rows on their way into a table */
typedef struct TribTx TribTx;         /* the connector's own: a transaction */

/* ---------------------------------------------------------------- what the host offers */

typedef enum {
    TRIB_LOG_ERROR,
    TRIB_LOG_WARN,
    TRIB_LOG_INFO,
    TRIB_LOG_DEBUG,
    TRIB_LOG_TRACE
} TribLogLevel;

/* Services of the engine. Lives as long as the process; every function is safe from any thread. */
struct TribHost {
    size_t size;
    void *self;
    void *(*alloc)(void *self, size_t bytes); /* NULL when the process budget is exhausted */
    void (*free)(void *self, void *memory);
    /* Accounts memory that a client library holds, in bytes, + or -. false: over budget, do not go on. */
    bool (*charge)(void *self, int64_t bytes);
    bool (*log_enabled)(void *self, TribLogLevel level);
    void (*log)(void *self, TribLogLevel level, const char *catalog, const char *text);
    /* The id of an IANA zone or a fixed offset ("+02:00"), for zoned values; < 0 unknown. */
    int16_t (*zone_id)(void *self, const char *name, size_t length);
};

/*
 * Given to every call that may do I/O. `cancelled` is cheap; a blocking call registers a callback that
 * interrupts it (shutdown of its socket, say): on_cancel returns a handle for off_cancel, and calls
 * back at once if the token is already set. The callback must not block. After off_cancel returned,
 * the callback is not running and never will.
 */
struct TribCall {
    size_t size;
    const TribHost *host;
    int64_t deadline_ns; /* CLOCK_MONOTONIC; INT64_MAX = none */
    bool (*cancelled)(TribCall *call);
    void *(*on_cancel)(TribCall *call, void (*callback)(void *context), void *context);
    void (*off_cancel)(TribCall *call, void *handle);
    /* Reports something the user should know (01000), once per text and statement. May be NULL. */
    void (*warn)(TribCall *call, const char *sqlstate, const char *text);
    /* The transaction on whose behalf the call is made, of this catalog; NULL = none. Metadata, plan() and splits()
     * asked within one see what it has written and use its connection. */
    TribTx *transaction;
};

/* ---------------------------------------------------------------- options */

typedef enum {
    TRIB_OPTION_STRING,
    TRIB_OPTION_INTEGER,
    TRIB_OPTION_BOOLEAN,
    TRIB_OPTION_CHOICE,
    TRIB_OPTION_DURATION_MS,
    TRIB_OPTION_BYTES,
    TRIB_OPTION_LIST,
    TRIB_OPTION_JSON
} TribOptionKind;

/* A row of the connector's option table: drives parsing, checking, redaction and documentation. */
typedef struct TribOptionDef {
    const char *name; /* snake_case */
    TribOptionKind kind;
    const char *default_value; /* text; NULL = none */
    const char *choices;       /* TRIB_OPTION_CHOICE: "a|b|c" */
    int64_t min, max;          /* INTEGER, DURATION_MS, BYTES: inclusive; both 0 = unbounded */
    bool required;
    bool secret;
    const char *help;
} TribOptionDef;

/* A value for an option, checked by the host against its row. Text forms; lists as JSON arrays. */
typedef struct TribOption {
    const char *name;
    const char
        *value; /* canonical text: integers in decimal, booleans "true"/"false", durations in ms */
    uint32_t line, column; /* where it stands in the configuration, for messages */
} TribOption;

/* ---------------------------------------------------------------- metadata */

typedef enum { TRIB_TABLE_BASE, TRIB_TABLE_VIEW, TRIB_TABLE_SYSTEM } TribTableKind;

/*
 * A column as the source declares it. `facts` is the connector's own note about it (collation class,
 * native type ...), opaque to the engine, which caches it with the rest and hands it back in offers.
 * `unreadable`: non-NULL says why a query may not use this column (it is listed all the same).
 */
typedef struct TribColumn {
    const char *name;
    TribType type;
    bool nullable;
    bool hidden;                /* not part of SELECT * */
    bool generated;             /* computed by the source from other columns: takes no value */
    const char *remote_type;    /* as the source spells it */
    const char *facts;          /* NULL = none */
    const char *unreadable;     /* NULL = readable */
    const char *comment;        /* NULL = none */
    const char *default_sql;    /* NULL = none */
    double distinct;            /* estimated distinct values, < 0 unknown */
    double null_fraction;       /* 0..1, < 0 unknown */
    TribValue minimum, maximum; /* type UNKNOWN = not known; estimates, never proof */
} TribColumn;

typedef struct TribKey {
    const char *name;
    bool primary, unique;
    uint32_t ncolumns;
    const uint32_t *columns; /* indexes into the table's columns */
} TribKey;

typedef struct TribTable {
    size_t size;
    const char *schema;
    const char *name;
    TribTableKind kind;
    const char *comment; /* NULL = none */
    const char *facts;   /* the connector's own, as for columns */
    uint32_t ncolumns;
    const TribColumn *columns;
    uint32_t nkeys;
    const TribKey *keys;
    double rows; /* estimate, < 0 unknown */
    bool writable;
    /*
     * The columns (hidden ones may be among them) by whose values a row is found again when it is to be
     * changed: never NULL, different for each row. None: rows can be changed only as `modify` can.
     */
    uint32_t nrow_key;
    const uint32_t *row_key;
    uint32_t
        identity; /* 1 + index of the column that the source numbers where no value is given; 0 = none */
} TribTable;

/* One column of a foreign key, for list_references. The strings are valid during the call. */
typedef struct TribReference {
    size_t size;
    const char *name;                    /* of the foreign key */
    const char *key_name;                /* of the key that it refers to; NULL = not known */
    const char *schema, *table, *column; /* what refers */
    const char *to_schema, *to_table, *to_column; /* what is referred to */
    uint32_t ordinal;                             /* of the column in the key, from 1 */
    TribReferenceRule on_update, on_delete;
    bool immediate; /* never checked later than at the end of a statement; false = not known */
} TribReference;

/* Receives names one at a time; the strings are valid during the call. false: stop, no error. */
typedef struct TribNames {
    void *self;
    bool (*schema)(void *self, const char *name);
    bool (*table)(void *self, const char *schema, const char *name, TribTableKind kind,
                  const char *comment);
    /* Receives one whole table from describe_table; the host copies it. */
    TribStatus (*described)(void *self, const TribTable *table, TribError *err);
    bool (*reference)(void *self, const TribReference *reference);
} TribNames;

/* ---------------------------------------------------------------- offers and plans */

typedef enum {
    TRIB_NODE_COLUMN,
    TRIB_NODE_LITERAL,
    TRIB_NODE_PARAM,
    TRIB_NODE_CALL,
    TRIB_NODE_AGGREGATE
} TribNodeKind;

/*
 * One node of the flat expression array. Children of a call stand at nodes[first .. first+count).
 *   COLUMN     first = index of the table in the offer, ref = index of the column in that table
 *   LITERAL    ref = index into values
 *   PARAM      ref = slot, 0-based (its value comes with the scan request)
 *   CALL       op = TribFunctionId; cast and try_cast convert their one child to `type`
 *   AGGREGATE  op = TribFunctionId of an aggregate; ref bit 0 = DISTINCT; children = arguments
 * may_raise: evaluating this node can fail on some data (overflow, division by zero, a bad cast). Such nodes
 * are never offered as conjuncts unless their value ranges prove otherwise; new values of columns have them.
 */
typedef struct TribNode {
    uint16_t kind;
    uint16_t op;
    TribType type;
    uint32_t first;
    uint32_t count;
    uint32_t ref;
    uint8_t may_raise;
} TribNode;

typedef enum { TRIB_NONE, TRIB_SUPERSET, TRIB_EXACT } TribVerdictKind;

/* The answer for one offered piece. `reason` says, in a few words, why it is not EXACT. */
typedef struct TribVerdict {
    TribVerdictKind kind;
    char reason[120];
} TribVerdict;

typedef enum {
    TRIB_JOIN_INNER,
    TRIB_JOIN_LEFT,
    TRIB_JOIN_RIGHT,
    TRIB_JOIN_FULL,
    TRIB_JOIN_SEMI,
    TRIB_JOIN_ANTI
} TribJoinKind;

/* Join trees in post-order: an operand >= 0 is a table, < 0 is joins[-1 - operand]. */
typedef struct TribJoin {
    TribJoinKind kind;
    int32_t left, right;
    uint32_t on; /* node of the whole condition */
} TribJoin;

typedef struct TribOrder {
    uint32_t node;
    bool descending;
    bool nulls_first;
} TribOrder;

typedef enum { TRIB_PUSHDOWN_OFF, TRIB_PUSHDOWN_EXACT, TRIB_PUSHDOWN_NATIVE } TribPushdownMode;

/* What `taken` may say beyond the conjuncts. */
enum {
    TRIB_TAKEN_JOINS = 1,
    TRIB_TAKEN_GROUPING = 2,
    TRIB_TAKEN_ORDER = 4,
    TRIB_TAKEN_LIMIT = 8,
    TRIB_TAKEN_DISTINCT = 16
};

/*
 * A piece of a query that the engine would like the source to run. Meaning: rows of the tables (or the
 * join tree), those for which all conjuncts are true, grouped, distinct, ordered, limited; the output
 * columns are the `output` expressions in order. The connector
 *   - must accept the tables alone and `output` nodes that are plain columns; with grouping taken,
 *     outputs are group expressions and aggregates;
 *   - marks every conjunct: EXACT (applied, exactly), SUPERSET (applied, may let more rows through: the
 *     engine checks again), NONE (not applied);
 *   - takes joins, grouping, order, limit only by the rules of docs/pushdown.md: above a filter only if
 *     every conjunct was EXACT; a limit above an order only if the order was taken;
 *   - may refuse the whole offer with TRIB_UNSUPPORTED if there is a join tree (the engine then offers
 *     the tables one by one).
 * plan() may be called several times for one query with different offers, does no I/O unless `estimate`
 * is set, and keeps no pointer into the offer.
 */
typedef struct TribOffer {
    size_t size;
    TribPushdownMode mode;
    bool estimate;
    uint32_t nnodes;
    const TribNode *nodes;
    uint32_t nvalues;
    const TribValue *values;
    uint32_t ntables;
    const TribTable *const *tables;
    uint32_t njoins;
    const TribJoin *joins;
    uint32_t noutput;
    const uint32_t *output; /* nodes */
    uint32_t nconjuncts;
    const uint32_t *conjuncts; /* nodes */
    bool grouped;
    bool distinct;
    uint32_t ngroups;
    const uint32_t *groups; /* nodes */
    uint32_t norder;
    const TribOrder *order;
    int64_t limit;        /* rows, < 0 = none; includes the rows that an OFFSET will skip */
    uint32_t nkeys;       /* outputs on which a runtime filter may arrive at scan_open */
    const uint32_t *keys; /* indexes into output */

    /* out */
    TribVerdict *verdicts; /* nconjuncts, caller's storage */
    uint32_t taken;        /* TRIB_TAKEN_* */
    TribVerdict joins_verdict, grouping_verdict, order_verdict,
        limit_verdict;         /* reasons for EXPLAIN */
    TribVerdict *key_verdicts; /* nkeys: SUPERSET or EXACT = an IN list will be sent; may be NULL */
    const char *text;          /* what will be sent, for EXPLAIN; owned by the plan */
    const char *note; /* "connections 2, parallel=relaxed ..."; owned by the plan; may be NULL */
    double rows;      /* estimated rows after the filter, < 0 unknown */
} TribOffer;

/* A part of a scan that can be read on its own. Owned by the plan. */
typedef struct TribSplit {
    size_t size;
    const void *data; /* the connector's own */
    const char *text; /* for EXPLAIN and messages; may be NULL */
    double rows;      /* estimate, < 0 unknown */
    uint64_t bytes;   /* estimate, 0 unknown */
} TribSplit;

/* ---------------------------------------------------------------- scans */

/*
 * A runtime filter: what the build side of a join knows about the rows that can match. Only rows with
 * a key outside it may be dropped. Values have the type of the output column, no NULLs, no duplicates.
 */
typedef struct TribFilterKey {
    uint32_t output; /* index into the offer's output */
    bool complete;   /* `values` holds every value that can match */
    size_t nvalues;
    const TribValue *values;
    TribValue minimum, maximum; /* type UNKNOWN = not known */
} TribFilterKey;

typedef struct TribFilter TribFilter;
struct TribFilter {
    size_t size;
    void *self;
    /* true once the keys are known (they may be polled by a running scan); then they never change. */
    bool (*ready)(TribFilter *filter, uint32_t *nkeys, const TribFilterKey **keys);
};

typedef struct TribScanRequest {
    size_t size;
    const TribPlan *plan;
    const TribSplit *split;
    TribFilter *filter; /* NULL = none; valid until scan_release */
    uint32_t nparams;
    const TribValue *params; /* valid until scan_release */
    TribTx *transaction;     /* NULL = none */
    bool for_update; /* the rows will be changed by their row key, in this transaction: lock them */
    uint32_t batch_rows;  /* preferred rows per batch: 2,048 */
    uint64_t batch_bytes; /* at most this many bytes per batch unless one row is larger: 1 MiB */
} TribScanRequest;

/*
 * A batch: a struct array whose children are the output columns, all of `array.length` rows, plus an
 * optional selection (ascending row indexes below array.length) of the rows that count.
 * Canonical layout of a child, by type (others are allowed where scan_open describes them):
 *   boolean b (bitmap)   tinyint c   smallint s   integer i   bigint l   real f   double g
 *   decimal p<=18 d:p,s,64, else d:p,s   varchar, char, json vu   varbinary vz   date tdD
 *   time ttn   timestamp p<=6 tsu:   timestamp p 7-9 w:16 {int64 us, int32 ns, int32 0}
 *   timestamp with zone w:16 {int64 us UTC, int16 zone, int16 ns, int32 0}
 *   interval year-month tiM   interval day-second tDu   uuid w:16 (big-endian bytes)
 *   array +l   map +m   row +s
 * The end of the rows is a batch with array.release == NULL. Buffers stay valid and unchanged until
 * array.release is called, which may happen on any thread and after scan_release.
 */
typedef struct TribBatch {
    struct ArrowArray array;
    const uint16_t *selection; /* NULL = all rows; owned by the array */
    uint32_t selected;         /* rows in the selection */
} TribBatch;

typedef struct TribStats {
    size_t size;
    uint64_t rows, bytes, requests, retries;
    int64_t wait_ns; /* time spent waiting for the source */
    /* Sources that answer in pages and are paid by what they look at; 0 = not counted. */
    uint64_t pages;
    uint64_t scanned; /* items that the source looked at, before its filter */
    double capacity;  /* units consumed, as the source counts them */
} TribStats;

/* ---------------------------------------------------------------- writing */

/*
 * Everything that changes rows comes with a transaction where the connector has tx_begin: one that the user
 * keeps open, or one of the statement's own that the host ends right after it. DDL comes with the user's, or
 * with none: then it is done at once. What a writer wrote is seen by its transaction after write_close. In a transaction
 * the connector is asked for one thing at a time (but see TRIB_NONBLOCKING): each scan is released, each
 * writer closed before the next call with that transaction.
 *
 * plan_only: nothing is changed. The connector calls `explain` once with the text that it would send, and says
 * what it would say otherwise (verdicts, refusals).
 */
typedef struct TribExplain {
    void *self;
    void (*text)(void *self, const char *text); /* NULL = nobody asks */
} TribExplain;

typedef enum {
    TRIB_WRITE_CREATE, /* a new table, `table` is its definition; all columns */
    TRIB_WRITE_INSERT,
    TRIB_WRITE_UPDATE, /* the first nkeys columns are the table's row key, the others get the values */
    TRIB_WRITE_DELETE /* the columns are the table's row key */
} TribWriteKind;

/*
 * `table` describes the target; `columns` are the indexes of its columns that rows carry, in their order (an
 * updated column may stand in the key, too). Columns that an INSERT does not carry get their DEFAULT.
 * A row of an UPDATE or DELETE whose key is not there (any more) is an error (40001 in a transaction that
 * others disturbed), never passed over: the count of rows is exact.
 */
typedef struct TribWriteRequest {
    size_t size;
    TribWriteKind kind;
    const TribTable *table;
    uint32_t ncolumns;
    const uint32_t *columns;
    uint32_t nkeys;
    bool if_not_exists;
    TribTx *transaction; /* NULL = a transaction of its own, committed by write_close */
    bool plan_only;      /* *out stays NULL */
    TribExplain explain;
} TribWriteRequest;

/*
 * UPDATE and DELETE as a whole: the rows of `table` for which all conjuncts are true get the assignments. The
 * connector does it (verdict EXACT, `rows` counted) if it is sure to change exactly those rows to exactly
 * those values, or changes nothing and answers NONE with the reason: the host then reads the rows and writes
 * them by their row key. Nodes are those of offers: columns are of table 0, no parameters. Columns in new values
 * mean the old row, whatever is assigned beside. What raises here (nodes that may, a value that the column does not take: a number
 * too large, a text too long) must fail there, too, with the SQLSTATE of what is wrong.
 */
typedef struct TribAssignment {
    uint32_t column;
    uint32_t node; /* UINT32_MAX: the column's DEFAULT */
} TribAssignment;

typedef struct TribModify {
    size_t size;
    const TribTable *table;
    uint32_t nnodes;
    const TribNode *nodes;
    uint32_t nvalues;
    const TribValue *values;
    uint32_t nconjuncts;
    const uint32_t *conjuncts; /* nodes */
    uint32_t nassignments;     /* 0 = DELETE */
    const TribAssignment *assignments;
    TribTx *transaction;
    bool plan_only;
    TribExplain explain;

    /* out */
    TribVerdict verdict;
    uint64_t rows; /* changed: those found, also where the new values are the old ones */
} TribModify;

typedef enum {
    TRIB_DDL_CREATE_TABLE,
    TRIB_DDL_DROP_TABLE,
    TRIB_DDL_CREATE_SCHEMA,
    TRIB_DDL_DROP_SCHEMA,
    TRIB_DDL_RENAME_TABLE,  /* new_name, in the same schema */
    TRIB_DDL_ADD_COLUMN,    /* definition: one column */
    TRIB_DDL_DROP_COLUMN,   /* column */
    TRIB_DDL_RENAME_COLUMN, /* column, new_name */
    TRIB_DDL_CREATE_INDEX,  /* index; on `table` */
    TRIB_DDL_DROP_INDEX, /* index->name; on `table` if the statement names one, else name is NULL */
    TRIB_DDL_TRUNCATE    /* all rows; of `table` */
} TribDdlKind;

typedef struct TribIndexColumn {
    uint32_t column; /* of `table` */
    bool descending;
} TribIndexColumn;

typedef struct TribIndex {
    const char *name;
    bool unique;
    uint32_t ncolumns;
    const TribIndexColumn *columns;
} TribIndex;

/*
 * A statement about a table or schema. Column types are mapped to the source's exactly, so that every value of
 * the type comes back as it was stored, or the statement is refused (0A000/HYC00) with the reason. Constraints
 * are the table's keys (primary, unique) and the columns' `nullable`.
 */
typedef struct TribDdl {
    size_t size;
    TribDdlKind kind;
    const char *schema;
    const char *name; /* table */
    /* CREATE_TABLE, ADD_COLUMN: the definition. Others: the table as it is, NULL = not known (not there). */
    const TribTable *table;
    bool if_exists; /* absent (DROP, ALTER) or present (CREATE, ADD) is no error */
    bool cascade;
    const char *column;
    const char *new_name;
    const TribIndex *index;
    /* CREATE_TABLE, ADD_COLUMN: DEFAULT of each column of `table`: a node (a literal, or a call such as
     * current_timestamp), UINT32_MAX = none. default_sql of the column is its text. */
    const uint32_t *defaults;
    uint32_t nnodes;
    const TribNode *nodes;
    uint32_t nvalues;
    const TribValue *values;
    TribTx *transaction;
    bool plan_only;
    TribExplain explain;
} TribDdl;

typedef struct TribTxRequest {
    size_t size;
    TribIsolation isolation; /* 0 = the source's default; one of the connector's `isolations` */
    bool read_only;
} TribTxRequest;

typedef enum {
    TRIB_MARK_SET,    /* a statement begins */
    TRIB_MARK_KEEP,   /* it succeeded */
    TRIB_MARK_GO_BACK /* it failed: everything since the mark is undone, the transaction goes on */
} TribMark;

/* ---------------------------------------------------------------- the connector */

enum {
    TRIB_NONBLOCKING =
        1, /* scans, writers and transactions never wait: scan_next is called by workers directly, a split = a
            * morsel; write_batch may be called on the application's thread */
    TRIB_PROCESS_STATE = 2, /* catalogs of one name share state within the process (memory) */
    TRIB_VALID_TEXT =
        4, /* text in batches is valid UTF-8 by construction: the host does not check it */
    /* default_sql of columns is in the host's language: the host computes what an INSERT leaves out, so that
     * rows carry every column, and passes default_sql to be kept. */
    TRIB_HOST_DEFAULTS = 8,
    /* DDL ends the open transaction (the host commits it before), and is not part of any. */
    TRIB_DDL_COMMITS = 16,
    /* A row that is changed gets another row key. */
    TRIB_ROW_KEY_MOVES = 32,
    /* Schemas are neither created nor dropped. */
    TRIB_FIXED_SCHEMAS = 64,
    /* A transaction that writes waits for the end of any other one. */
    TRIB_ONE_WRITER = 128,
};

typedef struct TribConnector {
    uint32_t abi_version;
    size_t struct_size;
    const char *type;    /* the "type" of catalogs in the configuration */
    const char *summary; /* one line for humans */
    uint32_t flags;
    uint64_t library_reserve;     /* bytes that the client library holds per open scan */
    const TribOptionDef *options; /* ends with name == NULL */

    /*
     * Checks options and builds the catalog; no I/O. `name` is the catalog's. Released by close,
     * after all plans, scans and writers of the catalog.
     */
    TribStatus (*open)(const TribHost *host, const char *name, const TribOption *options,
                       uint32_t noptions, TribCatalog **out, TribError *err);
    void (*close)(TribCatalog *catalog);

    /* Contacts the source and reports what it is ("MariaDB 10.11.6, TLS off ..."): `tributary check`. */
    TribStatus (*check)(TribCatalog *catalog, TribCall *call, char *text, size_t size,
                        TribError *err);
    TribStatus (*list_schemas)(TribCatalog *catalog, TribCall *call, TribNames *names,
                               TribError *err);
    /* schema NULL = all schemas. */
    TribStatus (*list_tables)(TribCatalog *catalog, TribCall *call, const char *schema,
                              TribNames *names, TribError *err);
    /* Calls names->described once, or returns TRIB_NOT_FOUND. The names are exact. */
    TribStatus (*describe_table)(TribCatalog *catalog, TribCall *call, const char *schema,
                                 const char *table, TribNames *names, TribError *err);

    TribStatus (*plan)(TribCatalog *catalog, TribCall *call, TribOffer *offer, TribPlan **out,
                       TribError *err);
    void (*plan_retain)(TribPlan *plan);
    void (*plan_release)(TribPlan *plan);
    /* At most `wanted` splits (>= 1); may do I/O (statistics). The array is owned by the plan. */
    TribStatus (*splits)(TribPlan *plan, TribCall *call, uint32_t wanted,
                         const TribSplit *const **out, uint32_t *count, TribError *err);

    /*
     * Opens a scan; `call` stays valid until scan_release. `schema`: left with release == NULL if the
     * batches have the canonical layout, else filled in (a struct schema, released by the host).
     */
    TribStatus (*scan_open)(TribCatalog *catalog, TribCall *call, const TribScanRequest *request,
                            TribScan **out, struct ArrowSchema *schema, TribError *err);
    TribStatus (*scan_next)(TribScan *scan, uint32_t max_rows, TribBatch *batch, TribError *err);
    void (*scan_cancel)(TribScan *scan);
    void (*scan_stats)(TribScan *scan, TribStats *stats);
    void (*scan_release)(TribScan *scan);

    /* Optional from here on; NULL = not offered. */

    /* Rows come in the canonical layout of the target's columns. */
    TribStatus (*write_open)(TribCatalog *catalog, TribCall *call, const TribWriteRequest *request,
                             TribWriter **out, TribError *err);
    TribStatus (*write_batch)(TribWriter *writer, const TribBatch *batch, TribError *err);
    /* commit: makes the rows visible and counts them; else undoes. Releases the writer in any case. */
    TribStatus (*write_close)(TribWriter *writer, bool commit, uint64_t *rows, TribError *err);
    TribStatus (*ddl)(TribCatalog *catalog, TribCall *call, const TribDdl *ddl, TribError *err);
    /*
     * A transaction of the catalog: with its scans, writers and DDL it uses one connection. Used by one
     * thread at a time, but NONBLOCKING connectors: its scans may run side by side.
     */
    TribStatus (*tx_begin)(TribCatalog *catalog, TribCall *call, const TribTxRequest *request,
                           TribTx **out, TribError *err);
    /*
     * Ends and releases it, whatever is returned. A commit whose outcome cannot be known (the connection broke
     * while waiting for the answer) returns TRIB_LOST with SQLSTATE 08007 and is never tried again.
     */
    TribStatus (*tx_end)(TribTx *transaction, TribCall *call, bool commit, TribError *err);
    /* One level of statements inside a transaction. NULL where tx_begin is not NULL: not allowed. */
    TribStatus (*tx_mark)(TribTx *transaction, TribCall *call, TribMark mark, TribError *err);
    TribStatus (*modify)(TribCatalog *catalog, TribCall *call, TribModify *modify, TribError *err);
    uint32_t isolations; /* TribIsolation bits that tx_begin takes */
    TribIsolation default_isolation;
    /*
     * Describes the columns of a statement in the source's own language, without running it: calls
     * names->described once with a table whose name is the text and whose facts tell plan() so. It comes back
     * in offers like any table: plan() makes the text its FROM, or takes nothing of the offer and runs it as it
     * is. Refuses what writes (SYNTAX), and passes the source's errors on.
     */
    TribStatus (*passthrough)(TribCatalog *catalog, TribCall *call, const char *text,
                              TribNames *names, TribError *err);
    /*
     * Calls names->reference for each column of the foreign keys of a table, or, if `incoming`, of those
     * of any table that refer to it. The names are exact; a table that is not there has none.
     */
    TribStatus (*list_references)(TribCatalog *catalog, TribCall *call, const char *schema,
                                  const char *table, bool incoming, TribNames *names,
                                  TribError *err);
    /*
     * May this catalog be written to, by its options? No I/O: statements that write are refused by it before
     * the source is contacted. READ_ONLY (25006) with what to change. NULL: write_open says it all.
     */
    TribStatus (*writable)(TribCatalog *catalog, TribError *err);
    /*
     * What `ddl` makes columns of, ending with a row of TRIB_TYPE_UNKNOWN: of texts `length` is the longest, of
     * decimals and times `precision` the most digits, 0 = any. Programs are offered these. NULL: every type.
     */
    const TribType *column_types;
} TribConnector;

/* The exported symbol's type: TRIB_EXPORT const TribConnector *trib_connector(void). */
typedef const TribConnector *(*TribConnectorEntry)(void);
TRIB_EXPORT const TribConnector *trib_connector(void);

#endif
