/*
 * session.h - the inside of sessions and statements, shared by the files of runtime/.
 */
#ifndef TRIB_RUNTIME_SESSION_H
#define TRIB_RUNTIME_SESSION_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/bind/bind.h"
#include "engine/optimise/optimise.h"
#include "engine/runtime/crew.h"
#include "engine/runtime/execution.h"
#include "engine/runtime/prepared.h"
#include "engine/tributary.h"

/* A table that the open transaction changed; name NULL: anything of the catalog. */
typedef struct TransactionChange {
    struct TransactionChange *next;
    const char *schema, *name;
} TransactionChange;

/* The session's transaction: transaction.c. */
typedef struct SessionTx {
    bool autocommit;
    bool started;           /* by START TRANSACTION: until its end */
    bool read_only;         /* of what was started */
    uint32_t isolation;     /* of transactions to come, 0 = the source's default */
    uint32_t own_isolation; /* of what was started, 0 = the session's */
    SourceTx *source;       /* NULL = nothing written yet */
    Catalog *catalog;       /* it writes to */
    TransactionChange *changes;
    bool undone; /* after an error, all of it: said to who commits, until the session ends it */
} SessionTx;

/* Lock order: session lock is innermost of runtime/. Settings are copied out under it. */
struct Session {
    Arena *arena; /* life of the session: user, initial settings */
    Config *config;
    CatalogSet *catalogs;
    Crew *crew;
    Str user;
    pthread_mutex_t lock; /* guards values, texts, prepared */
    Arena *setting_arena; /* texts of values; guarded by lock */
    SettingValue values[SETTING_COUNT];
    SettingValue initial[SETTING_COUNT]; /* of connect time; immutable afterwards */
    bool given[SETTING_COUNT];           /* set by DSN, configuration or SET, else the default */
    pthread_mutex_t tx_lock;             /* guards tx */
    SessionTx tx;
    Prepared *prepared; /* by PREPARE */
    uint32_t ncatalogs;
    CatalogSummary *summaries;
    Session *next; /* in the list of cursors.c; guarded by its lock */
    bool listed;
    pthread_mutex_t cursor_lock; /* guards cursors and their members for it */
    Statement *cursors;
    bool internal; /* runs a catalog's script: its own catalogs are borrowed */
};

/* A consistent copy of the settings that a statement needs, taken when it starts. */
typedef struct StatementSettings {
    Str catalog, schema, spill_dir, disabled_rules; /* in the arena given */
    int64_t threads, memory_limit, spill_limit, login_timeout, metadata_ttl, max_rows,
        max_value_size, max_recursion_depth;
    bool force_spill, buffer_result, spill_encryption, runtime_filters, read_only;
    TribPushdownMode mode;
    bool verify;
    int16_t zone;
    int64_t stall_seconds;
} StatementSettings;
Status session_settings(Session *self, Arena *arena, StatementSettings *out,
                        Error *err) WARN_UNUSED;
/* A session over catalogs that somebody else opened, for scripts. */
Status session_open_internal(CatalogSet *catalogs, Str catalog, Session **out,
                             Error *err) WARN_UNUSED;
/* Runs the statements of a script one after the other on this thread. */
Status session_run_script(Session *self, Str script, Error *err) WARN_UNUSED;

typedef enum RequestKind {
    REQUEST_NONE,
    REQUEST_PREPARE,
    REQUEST_DIRECT, /* prepare, and execute ahead what takes no parameters */
    REQUEST_EXECUTE,
    REQUEST_FETCH
} RequestKind;

typedef struct Warning {
    struct Warning *next;
    Error error;
} Warning;

struct Statement {
    Session *session;
    CancelToken *cancel;
    _Atomic bool busy;                 /* a request is under way: cancel means something */
    const _Atomic bool *cancel_wanted; /* the caller's; NULL: none */
    int64_t timeout_seconds;
    Job job;
    RequestKind request;
    Status request_status;
    Error request_error;
    bool light;          /* run by the caller's thread */
    bool ahead;          /* was executed with its preparation; nobody asked for that yet */
    Status ahead_status; /* of it; request_error has the message */

    WarningSink sink;
    void *sink_context;
    pthread_mutex_t warning_lock;
    Warning *warnings, *last_warning; /* guarded by warning_lock; on the heap */
    uint32_t nwarnings;

    Arena *prepared; /* life of the prepared statement */
    Str sql;
    BoundStatement *bound;
    StatementKind kind;
    uint32_t ncolumns;
    ColumnInfo *columns;
    bool retyped;   /* the types of `columns` are the execution's own, because of its parameters */
    bool updatable; /* of the next preparation */
    UpdateTarget *target;      /* NULL: nothing is changed through the cursor, */
    const char *target_reason; /* since; NULL: nobody asked */
    uint32_t nparameters;
    ParameterInfo *parameters;
    Arena *binding_arena;
    Value *bindings; /* type.id UNKNOWN and !is_null: not bound */
    bool *is_bound;
    ParameterSets sets;      /* of the next execution; columns NULL: it takes the bindings */
    Arena *sets_arena;       /* life of sets_physical; made when first needed */
    PhysicalPlan *sets_plan; /* kept as long as the parameters keep their types; NULL: none */
    Type *sets_types;
    bool sets_light; /* that plan may run on the caller's thread */

    Arena *run; /* life of the execution */
    StatementSettings settings;
    EvalSession eval;
    LogicalPlan *plan;
    PhysicalPlan *physical;
    Execution *execution;
    SourceTx *transaction; /* that the request or execution takes part in; one reference */
    struct RowSet *rows;   /* results that no execution makes: SHOW SESSION, EXPLAIN */
    Batch *batch;          /* what the caller reads */
    BatchView view;
    int64_t row_count;         /* written; -1 none */
    uint32_t failed_parameter; /* of the last execution, from 1; 0: none, or nobody knows */
    int64_t rows_left;         /* of MaxRows; < 0 = no limit */
    bool ended;
    bool
        scrollable; /* of the next execution, and while `scroll` or a row set is read: of this one */
    bool filled;    /* `scroll` has all rows */
    struct ScrollBuffer *scroll;
    uint64_t seek;          /* row that the fetch under way begins with */
    Statement *cursor_next; /* guarded by the session's cursor lock, like `drained` */
    bool cursor_listed, drained;
    _Atomic int64_t read_ns; /* when the application last took rows */
    int64_t started_ns;
    uint64_t rows_out;
};

/* scroll.c: the batch that begins with row self->seek; NULL: there are fewer rows. */
Status scroll_fetch(Statement *self, int64_t timeout_ns, bool *done, Batch **out,
                    Error *err) WARN_UNUSED;
void scroll_close(Statement *self);

/* updatable.c: binds, with a key behind the columns where rows are to be changed through the cursor and can be. */
Status updatable_bind(Statement *self, const BindContext *context, AstStatement *ast,
                      BoundStatement **out, Error *err) WARN_UNUSED;
bool updatable_type(Type type);

/* light.c: may the caller's thread run this text itself? It touches no source and needs little stack. */
bool statement_text_is_light(Str sql);
/* ... store the sets that are bound? */
bool statement_sets_are_light(const Statement *self);

/* cursors.c */
void cursors_session_open(Session *self);
void cursors_session_close(Session *self);
/* An execution has begun; it may be drained from now on until cursor_close. */
void cursor_open(Statement *self);
void cursor_touch(Statement *self); /* the application has taken rows */
void cursor_close(Statement *self); /* before the execution is freed; may be called again */

/* Runs on a thread of the crew (or the caller's, for scripts and light statements). */
Status statement_prepare_now(Statement *self, Str sql, Error *err) WARN_UNUSED;
Status statement_execute_now(Statement *self, Error *err) WARN_UNUSED;
/* Hands collected warnings to the caller's sink. */
void statement_deliver_warnings(Statement *self);
/* A request begins: token fresh, deadline from the time-out, cancel means something; and ends. */
void statement_enter_busy(Statement *self);
void statement_leave_busy(Statement *self);
SourceCall statement_call(Statement *self, int64_t deadline_ns);
LookupContext statement_lookup(Statement *self, const StatementSettings *settings);

/* transaction.c */
void transaction_init(Session *session);
void transaction_clear(Session *session); /* rolls back */
/* The session's transaction, if something has been written in it; one reference. */
SourceTx *transaction_borrow(Session *session);
/* START TRANSACTION: 25000 if one is open. */
Status transaction_start(Session *session, uint32_t isolation, bool read_only,
                         Error *err) WARN_UNUSED;
/* On a thread of the crew; nothing open is success. */
Status transaction_end(Session *session, const SourceCall *call, bool commit,
                       Error *err) WARN_UNUSED;
/* Autocommit is off, or START TRANSACTION was said. */
bool transaction_is_manual(Session *session);
/* Not after an error has undone it (25000): then nothing but its end is left. */
Status transaction_usable(Session *session, Error *err) WARN_UNUSED;
/* Commits what is open on the catalog; 25000 if it is open on another one. */
Status transaction_end_of(Session *session, const Catalog *catalog, const SourceCall *call,
                          Error *err) WARN_UNUSED;
/* What the statement takes part in from now on; the reference is taken over. */
void statement_take_part(Statement *self, SourceTx *transaction);

/* A statement that writes: between write_begin and write_end it takes part in `transaction`. */
typedef struct WriteScope {
    Catalog *catalog;
    SourceTx *transaction; /* NULL: the source has none */
    bool own;              /* of this statement alone */
} WriteScope;
/* 25006 on a connection or in a transaction that only reads. */
Status write_allowed(Statement *self, Error *err) WARN_UNUSED;
/* 25006, 25000; nothing has been sent then but the beginning of a transaction. `creates`: a table is made, which in
 * sources whose DDL ends transactions commits what is open; the statement has a transaction of its own then. */
Status write_begin(Statement *self, Catalog *catalog, bool creates, WriteScope *out,
                   Error *err) WARN_UNUSED;
/* Ends what write_begin began, commits or undoes the statement by `status`, tells the caches what changed
 * (name NULL: anything of the catalog). *err holds the error of `status`, or gets one of its own. */
Status write_end(Statement *self, WriteScope *scope, const char *schema, const char *name,
                 Status status, Error *err) WARN_UNUSED;

/* commands.c: BOUND_COMMAND and BOUND_ROWS. */
Status command_run(Statement *self, const BoundStatement *bound, Error *err) WARN_UNUSED;
Status command_rows(Statement *self, const BoundStatement *bound, Error *err) WARN_UNUSED;
/* lists.c: does the pattern of a SHOW statement want the name? */
bool list_wants(const AstStatement *ast, Str name);
/* describe.c: rows of the statements of these names. */
Status describe_input(Statement *self, const BoundStatement *bound, Error *err) WARN_UNUSED;
Status describe_output(Statement *self, const BoundStatement *bound, Error *err) WARN_UNUSED;
Status show_functions(Statement *self, const BoundStatement *bound, Error *err) WARN_UNUSED;
Status show_stats(Statement *self, const BoundStatement *bound, Error *err) WARN_UNUSED;
Status show_create_table(Statement *self, const BoundStatement *bound, Error *err) WARN_UNUSED;
Status show_create_schema(Statement *self, const BoundStatement *bound, Error *err) WARN_UNUSED;
/* What is known of a query's column: where it comes from. The name stays. */
void statement_describe_column(const LogicalPlan *plan, ColumnId id, ColumnInfo *out);
/* explain.c: fills self->rows with the plan's text. */
Status explain_run(Statement *self, const BoundStatement *bound, Error *err) WARN_UNUSED;
/* Optimises and lowers `bound` into self->plan and self->physical. */
Status statement_plan(Statement *self, const BoundStatement *bound, Error *err) WARN_UNUSED;
Status statement_start(Statement *self, bool measure, Error *err) WARN_UNUSED;
/* Runs an UPDATE or DELETE that the source does alone; sets the row count. */
Status statement_modify(Statement *self, const LogicalNode *write, Error *err) WARN_UNUSED;

/* sets.c: the plan of an execution that takes sets of parameters, into self->physical. */
Status sets_plan(Statement *self, Error *err) WARN_UNUSED;
bool sets_planned(const Statement *self); /* the plan that is kept fits the sets that are bound */
void sets_forget(Statement *self);        /* the prepared statement is gone */

/* blame.c: the marker of a parameter that stands alone in the one row of VALUES; NULL: it does not. */
const AstExpr *blame_marker(const AstStatement *ast, uint32_t slot);
/* An execution of sets has failed: by which parameter? */
void blame_sets(Statement *self, const Error *err);

/* rowset.c: a few rows in memory, handed out as batches. */
typedef struct RowSet RowSet;
Status rowset_new(Arena *arena, uint32_t ncolumns, const Type *types, RowSet **out,
                  Error *err) WARN_UNUSED;
/* Values are copied. */
Status rowset_add(RowSet *self, const Value *values, Error *err) WARN_UNUSED;
/* The next batch, NULL at the end. */
Status rowset_next(RowSet *self, Batch **out, Error *err) WARN_UNUSED;
uint64_t rowset_rows(const RowSet *self);
/* Rows from number `row` (from 0) on and below `limit`, valid until the next call; NULL: there are none. */
void rowset_seek(RowSet *self, uint64_t row, uint64_t limit, Batch **out);

#endif
