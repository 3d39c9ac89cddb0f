/*
 * stmt.h - statements: a statement of the engine or a set of rows in memory, the four descriptors,
 * the cursor, and the call that is to be resumed.
 */
#ifndef TRIB_DRIVER_STMT_H
#define TRIB_DRIVER_STMT_H

#include "driver/convert.h"
#include "driver/desc.h"
#include "driver/listing.h"
#include "driver/scroll.h"
#include "engine/base/grant.h"

#include "driver/changed.h"

/* S1 .. S12 of the specification's appendix B. */
typedef enum StmtState {
    STMT_ALLOCATED,       /* S1 */
    STMT_PREPARED,        /* S2: no rows will come */
    STMT_PREPARED_CURSOR, /* S3 */
    STMT_EXECUTED,        /* S4: no rows */
    STMT_CURSOR,          /* S5: open */
    STMT_FETCHED,         /* S6: positioned by SQLFetch, SQLFetchScroll */
    STMT_EXTENDED,        /* S7: positioned by SQLExtendedFetch */
    STMT_NEED_DATA,       /* S8 */
    STMT_MUST_PUT,        /* S9 */
    STMT_CAN_PUT,         /* S10 */
    STMT_EXECUTING,       /* S11 */
    STMT_CANCELLED,       /* S12 */
} StmtState;

/* A run of rows of the current rowset, all in one batch. */
typedef struct RowSegment {
    const BatchView *batch;
    uint32_t first; /* logical row of the batch */
    uint32_t count;
} RowSegment;

/* A bound column, resolved: rebuilt when the ARD's version or the result changes. */
typedef struct BoundColumn {
    uint32_t column; /* 0-based */
    const DescRecord *record;
    ConvertPlan plan;
} BoundColumn;

/* SQLGetData's place in a value that is read in parts. */
typedef struct PartState {
    uint32_t column; /* 1-based; 0: none */
    int16_t ctype;
    bool finished;
    bool half;        /* the first half of the surrogate pair at `offset` is out */
    uint8_t how;      /* Delivery */
    Str value;        /* the whole value as bytes or UTF-8: in the batch, in `small` or in `text` */
    size_t offset;    /* bytes of value already delivered */
    size_t remaining; /* bytes of output still to come, in the C type's form */
    char small[CONVERT_TEXT_MAX];
    Buf text;
} PartState;

/* Where rows come from and where the reader stands in them. */
typedef struct Cursor {
    bool open;
    Listing *rows; /* of a catalog function; NULL: the engine's statement */
    const BatchView *batch;
    uint32_t next; /* logical row of the batch to deliver next */
    bool ended;
    uint64_t delivered;    /* rows up to the next one to be delivered */
    SQLULEN rowset_rows;   /* rows of the current rowset */
    SQLULEN current;       /* row of it that SQLGetData reads, 0-based */
    uint64_t rowset_start; /* row number of its first row, 1-based */
    RowSegment *segments;
    uint32_t nsegments, segments_capacity;
    Arena *held; /* copies of segments whose batch is gone */
    BoundColumn *bound;
    uint32_t nbound, bound_capacity;
    uint32_t bound_version;
    const Desc *bound_ard;
    bool plan_valid;
    ConvertPlan *data_plans; /* of SQLGetData, the last one per column; made when first needed */
    uint32_t ndata_plans;
    bool all_bound;       /* every column is bound: nothing needs to be held for SQLGetData */
    bool data_wanted;     /* SQLGetData or SQLSetPos was used with a block cursor */
    bool scrollable;      /* static: rows are kept and read by number */
    bool disowned;        /* SQLCancel came after the cursor's last use */
    ScrollPosition at;    /* of a scrollable cursor */
    uint64_t batch_start; /* of a scrollable cursor: number (from 0) of the batch's first row */
    ChangedRows changed;  /* through this cursor */
    PartState part;
} Cursor;

/* A parameter's value that comes by SQLPutData. */
typedef struct PutValue {
    Buf data;
    bool is_null, given;
} PutValue;

/* Ranges of an array that are still to be stored, the next one last: a range that fails is halved. */
#define SETS_RANGES 64

typedef struct SetsRange {
    uint32_t first, count;
} SetsRange;

/* Sets of parameters that have been read from the application: a chunk on its way into the engine, or what
 * the results of a query are still to be made of. sets.c */
typedef struct SetsRun {
    Arena *arena;
    Grant grant;
    uint32_t count;   /* sets that were read and can be carried out */
    SQLULEN *numbers; /* which ones, from 0 */
    ParameterColumn *columns;
    uint32_t nranges;
    SetsRange ranges[SETS_RANGES], now;
    TribValue *values; /* of a query: a row per set */
    uint32_t capacity, next;
} SetsRun;

/* Rows that are changed through the cursor: change.c */
typedef enum ChangeKind {
    CHANGE_NONE,
    CHANGE_UPDATE,
    CHANGE_DELETE,
    CHANGE_ADD,
    CHANGE_FETCH,   /* SQL_FETCH_BY_BOOKMARK: only read */
    CHANGE_REFRESH, /* SQL_REFRESH: read again */
} ChangeKind;

typedef struct RowChange {
    _Atomic(Statement *) engine; /* a second statement of the session, made when first needed, */
    uint8_t prepared;            /* and what for: a ChangeKind, and the columns that it sets: */
    uint32_t *shape, nshape;     /* the result's, 0-based */
    uint32_t *columns,
        ncolumns; /* those of the row under way; as many places as the result has columns */
    uint32_t capacity;
    _Atomic(Statement *) reader; /* reads a row again by its key */
    bool reader_prepared;
    Arena *arena; /* of the row under way */
    ChangeKind kind;
    bool bulk;        /* SQLBulkOperations: rows by their bookmarks */
    bool several;     /* all rows of the buffers; else an error ends the call */
    bool polled;      /* the call returns instead of waiting */
    bool preparing;   /* the statement is another one than before */
    uint8_t step;     /* ROW_...: change.h */
    SQLULEN row, end; /* the row under way and the one to stop before, 0-based, of the buffers */
    SQLULEN failed, tried; /* rows */
    SQLUSMALLINT *status;  /* of the application; may be NULL */
    uint64_t number;       /* of the row under way in the result, from 1 */
    const BatchView *old;  /* that row as the cursor has it, */
    uint32_t logical;      /* where it is in there, */
    TribValue *key;        /* and what it is read again by */
    bool found;            /* it was there */
    SetsRun adds;          /* a run of rows that are added: change_add.c */
    bool *stored;          /* which of them are there */
    uint32_t nadds;        /* rows of the buffers that it takes */
    uint32_t marked;       /* of those that are there: how many have bookmarks */
    uint64_t added;        /* bookmarks that were given to added rows */
} RowChange;

/* A fetch under way: what was asked for, and how far it is. */
typedef struct FetchState {
    SQLSMALLINT orientation;
    SQLLEN offset;
    uint64_t bookmark;
    bool located;         /* the cursor stands where the rowset begins, */
    bool nothing;         /* or before the first or behind the last row */
    SQLULEN size;         /* rows wanted */
    SQLULEN *fetched;     /* may be NULL */
    SQLUSMALLINT *status; /* may be NULL */
    uint8_t state_after;  /* STMT_FETCHED or STMT_EXTENDED */
    bool waiting;         /* for the engine's next batch */
    SQLULEN done, failed; /* rows */
} FetchState;

/* The statement is UPDATE or DELETE ... WHERE CURRENT OF: positioned.c */
typedef struct Positioned {
    bool is_on;
    SQLHANDLE cursor; /* the statement whose cursor it is */
    uint32_t nkeys;   /* parameters of the row, behind the application's own */
} Positioned;

/* Guarded by its lock, except `engine` for cancelling, which lives until the handle is retired. */
struct Stmt {
    Handle base;
    Dbc *dbc;
    Stmt *next, *previous;       /* in the connection's list, under its lock */
    _Atomic(Statement *) engine; /* NULL until first needed */
    _Atomic bool cancel_wanted;  /* SQLCancel came during the call that is under way */
    _Atomic bool cancel_lasts;   /* and another thread's: until the cursor is closed */
    pthread_t caller;            /* the thread of the last call */
    uint8_t state;               /* StmtState */
    bool prepared;               /* by SQLPrepare */
    bool has_result;             /* the prepared or executed statement describes columns */
    StmtOptions options;
    Desc *ard, *apd, *ird, *ipd;             /* in use */
    Desc own_ard, own_apd, own_ird, own_ipd; /* implicit */
    Cursor cursor;
    FetchState fetch;
    CallSlot slot;
    uint8_t state_before; /* of the suspended call, to return to when it fails */
    PutValue *puts;       /* one per parameter while data is at execution */
    uint32_t nputs;
    Grant put_grant; /* of their bytes */
    SetsRun sets;
    RowChange change;
    Positioned positioned;
    Arena *execution; /* lives from one execution to the next */
    SQLLEN row_count;
    char cursor_name[64]; /* written under the lock of the connection's names, too; "": none yet */
    Stmt *named_next;     /* under that lock */
    bool cursor_listed;
    int64_t timeout_set;       /* what the engine was told */
    SQLPOINTER fetch_bookmark; /* SQL_ATTR_FETCH_BOOKMARK_PTR */
    SQLUSMALLINT *row_status;  /* of the rowset under way, made when a row has something to say */
    SQLULEN row_status_size;
};

SQLRETURN stmt_new(Dbc *dbc, SQLHANDLE *out);
SQLRETURN stmt_free_handle(SQLHANDLE handle);
/* Under the connection's lock (SQLDisconnect): frees every statement and descriptor. */
void stmt_free_all(Dbc *dbc);
static inline void stmt_forget_cancel(Stmt *self) {
    if (!atomic_load_explicit(&self->cancel_wanted, memory_order_relaxed)) return;
    atomic_store(&self->cancel_lasts, false);
    atomic_store(&self->cancel_wanted, false);
}
/* A new call begins. What was cancelled before was another call, or the rows of an open cursor. */
static inline void stmt_begin_call(Stmt *self) {
    self->caller = pthread_self();
    bool open = self->state >= STMT_CURSOR && self->state < STMT_NEED_DATA;
    if (!open || !atomic_load_explicit(&self->cancel_lasts, memory_order_relaxed))
        stmt_forget_cancel(self);
}
/* Any thread, no lock. */
SQLRETURN stmt_cancel(SQLHANDLE handle);
SQLRETURN stmt_free_option(Stmt *self, SQLUSMALLINT option);

/* The engine's statement, made on first use; NULL: the error is posted. */
Statement *stmt_engine(Stmt *self);
SQLRETURN stmt_close_cursor(Stmt *self); /* back to prepared or allocated */
void stmt_forget(Stmt *self);            /* the prepared statement too */
uint32_t stmt_column_count(const Stmt *self);
const ColumnInfo *stmt_column(const Stmt *self, uint32_t index);

SQLRETURN stmt_set_attribute(Stmt *self, SQLINTEGER attribute, SQLPOINTER value);
SQLRETURN stmt_get_attribute(Stmt *self, SQLINTEGER attribute, SQLPOINTER value,
                             SQLINTEGER *length);
SQLRETURN stmt_option_set(Handle *poster, StmtOptions *options, SQLINTEGER attribute, SQLULEN value,
                          bool *known);
bool stmt_option_get(const StmtOptions *options, SQLINTEGER attribute, SQLULEN *value);
void stmt_options_init(StmtOptions *options);

/* execute.c */
SQLRETURN stmt_prepare(Stmt *self, Str sql);
SQLRETURN stmt_execute(Stmt *self);
SQLRETURN stmt_execute_direct(Stmt *self, Str sql);
SQLRETURN stmt_more_results(Stmt *self);
SQLRETURN stmt_row_count(Stmt *self, SQLLEN *out);
void stmt_suspend(Stmt *self, ApiId api); /* a call returned SQL_STILL_EXECUTING */
SQLRETURN stmt_resume(Stmt *self);        /* the same function polls */
/* Waits for the engine's request: SQL_SUCCESS, SQL_STILL_EXECUTING (asynchronous), SQL_ERROR (err). */
SQLRETURN stmt_wait(Stmt *self, Error *err);
/* Opens a cursor over rows in memory (taken), as after an execution. */
SQLRETURN stmt_open_rows(Stmt *self, Listing *rows);

/* putdata.c */
SQLRETURN stmt_param_data(Stmt *self, SQLPOINTER *token);
SQLRETURN stmt_put_data(Stmt *self, SQLPOINTER data, SQLLEN length);
void stmt_drop_puts(Stmt *self);

/* sets.c: forgets sets of parameters that were read. */
void sets_drop(Stmt *self);

/* params.c */
SQLRETURN stmt_bind_parameter(Stmt *self, SQLUSMALLINT number, SQLSMALLINT direction,
                              SQLSMALLINT ctype, SQLSMALLINT sqltype, SQLULEN size,
                              SQLSMALLINT digits, SQLPOINTER data, SQLLEN capacity,
                              SQLLEN *indicator);
SQLRETURN stmt_describe_param(Stmt *self, SQLUSMALLINT number, SQLSMALLINT *type, SQLULEN *size,
                              SQLSMALLINT *digits, SQLSMALLINT *nullable);
SQLRETURN stmt_num_params(Stmt *self, SQLSMALLINT *out);
/* Converts the parameters of one set and gives them to the engine. err: what went wrong, *index: with
 * which parameter (1-based, 0: none). */
Status params_send(Stmt *self, SQLULEN row, Error *err, SQLINTEGER *index) WARN_UNUSED;
SQLSMALLINT params_ctype(const Stmt *self, uint32_t index); /* SQL_C_DEFAULT resolved */
/* Is a parameter of the set to be given at execution, at or after `from`? UINT32_MAX: none. */
uint32_t params_next_at_execution(Stmt *self, SQLULEN row, uint32_t from);
/* Has one of the sets data at execution? */
bool params_wait(const Stmt *self, SQLULEN sets);
SQLPOINTER params_token(Stmt *self, SQLULEN row, uint32_t index);

/* fetch.c */
SQLRETURN stmt_bind_col(Stmt *self, SQLUSMALLINT number, SQLSMALLINT ctype, SQLPOINTER data,
                        SQLLEN capacity, SQLLEN *indicator);
SQLRETURN stmt_fetch(Stmt *self);
SQLRETURN stmt_fetch_scroll(Stmt *self, SQLSMALLINT orientation, SQLLEN offset);
SQLRETURN stmt_extended_fetch(Stmt *self, SQLUSMALLINT orientation, SQLLEN offset, SQLULEN *fetched,
                              SQLUSMALLINT *status);
/* The bound buffers of a row of the rowset, or of all (0), are filled again from what the cursor has. */
SQLRETURN cursor_refill(Stmt *self, SQLSETPOSIROW row);
/* The bound columns of a row of some batch into the buffers of row `row`. */
SQLRETURN cursor_fill(Stmt *self, const BatchView *batch, uint32_t logical, SQLULEN row);
/* A scrollable cursor's row by its number (from 1), wherever it is; NULL batch: there is none, or deleted. The
 * place holds until the next call of this function or fetch. */
Status cursor_seek(Stmt *self, uint64_t number, const BatchView **batch, uint32_t *logical,
                   Error *err) WARN_UNUSED;
/* The batch and the logical row in it of a row of the rowset; false: no longer there. */
bool cursor_locate(const Cursor *self, SQLULEN row, const BatchView **batch, uint32_t *logical);
/* Where a logical row's value stands in a column; false: it is NULL. */
bool cursor_position(const BatchView *batch, const ColumnView *column, uint32_t logical,
                     uint32_t *out);
void cursor_reset(Cursor *self); /* closed, memory kept for reuse */
void cursor_free(Cursor *self);

/* change.c */
/* Before the rows of the cursor are looked at: what a transaction made of them, if it has ended. */
void cursor_settle(Stmt *self);
SQLRETURN stmt_set_pos(Stmt *self, SQLSETPOSIROW row, SQLUSMALLINT operation, SQLUSMALLINT lock);
SQLRETURN stmt_bulk_operations(Stmt *self, SQLSMALLINT operation);
/* Goes on with the rows that are left: SQLParamData found the last value of a row. */
SQLRETURN change_run(Stmt *self);
/* Data at execution of the row under way: the next column (0-based) that waits, UINT32_MAX: none. */
uint32_t change_next_at_execution(Stmt *self, uint32_t from);
SQLPOINTER change_token(Stmt *self, uint32_t column);
SQLSMALLINT change_ctype(Stmt *self, uint32_t column);
void change_forget(Stmt *self); /* the result is another one from now on */
void change_free(Stmt *self);
/* Can rows be changed through the cursor? Else the reason. */
bool change_offered(const Stmt *self, const char **reason);

/* getdata.c */
SQLRETURN stmt_get_data(Stmt *self, SQLUSMALLINT number, SQLSMALLINT ctype, SQLPOINTER data,
                        SQLLEN capacity, SQLLEN *indicator);
static inline void part_reset(PartState *self) {
    self->column = 0;
}

/* describe.c */
SQLRETURN stmt_num_result_cols(Stmt *self, SQLSMALLINT *out);
typedef struct DescribeOut {
    const TextOut *name;
    SQLSMALLINT *type, *digits, *nullable;
    SQLULEN *size;
} DescribeOut;
SQLRETURN stmt_describe_col(Stmt *self, SQLUSMALLINT number, const DescribeOut *out);
SQLRETURN stmt_col_attribute(Stmt *self, SQLUSMALLINT number, SQLUSMALLINT field,
                             const TextOut *text, SQLLEN *value);

/* positioned.c */
SQLRETURN stmt_cursor_name(Stmt *self, const TextOut *out);
SQLRETURN stmt_set_cursor_name(Stmt *self, Str name);
void stmt_drop_cursor_name(Stmt *self);
/* Replaces the text of a statement WHERE CURRENT OF a cursor. */
Status positioned_prepare(Stmt *self, Str *sql, Error *err) WARN_UNUSED;
/* The values of the row that the cursor is on, for the next execution. */
Status positioned_bind(Stmt *self, Arena *arena, Error *err) WARN_UNUSED;
/* Set `row` has changed so many rows: the cursor shows it. */
void positioned_done(Stmt *self, SQLULEN row, int64_t rows);

/* catalog.c */
SQLRETURN stmt_tables(Stmt *self, const Str *names /* catalog, schema, table, types */);
SQLRETURN stmt_columns(Stmt *self, const Str *names /* catalog, schema, table, column */);
SQLRETURN stmt_primary_keys(Stmt *self, const Str *names /* catalog, schema, table */);
SQLRETURN stmt_statistics(Stmt *self, const Str *names, SQLUSMALLINT unique, SQLUSMALLINT reserved);
SQLRETURN stmt_special_columns(Stmt *self, const Str *names, SQLUSMALLINT kind, SQLUSMALLINT scope,
                               SQLUSMALLINT nullable);
SQLRETURN stmt_type_info(Stmt *self, SQLSMALLINT type);
SQLRETURN stmt_foreign_keys(Stmt *self, const Str *names);
SQLRETURN stmt_procedures(Stmt *self, const Str *names);
SQLRETURN stmt_procedure_columns(Stmt *self, const Str *names);
SQLRETURN stmt_table_privileges(Stmt *self, const Str *names);
SQLRETURN stmt_column_privileges(Stmt *self, const Str *names);

/* Parameters that the application gives. */
static inline uint32_t stmt_parameter_count(const Stmt *self) {
    return statement_parameter_count(atomic_load(&self->engine)) - self->positioned.nkeys;
}

static inline bool stmt_odbc2(const Stmt *self) {
    return dbc_odbc2(self->dbc);
}

#endif
