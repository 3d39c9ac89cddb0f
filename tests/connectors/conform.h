/*
 * conform.h - the conformance suite of connectors: a host, rows, expressions, offers, checks.
 *
 * The suite loads a connector, reads a table whole, and then asks for pieces of it in every way the
 * ABI allows, comparing each answer with what it works out itself from the whole table. What differs
 * from connector to connector stands in a struct of Quirks (quirks.c). One thread, but for the checks
 * that are about threads.
 */
#ifndef TRIB_TESTS_CONFORM_H
#define TRIB_TESTS_CONFORM_H

#include <pthread.h>
#include <stdatomic.h>

#include "connectors/tributary_connector.h"
#include "engine/base/text.h"

/* ---- reporting (conformance.c) */
extern uint64_t checks_passed, checks_failed;
extern const char *check_context; /* what is being tested, for messages */
bool check_report(bool good, const char *file, int line, const char *format, ...) PRINTF_LIKE(4, 5);
#define CHECK(condition, ...) check_report((condition), __FILE__, __LINE__, __VA_ARGS__)

/* ---- host and calls (conform_host.c) */
typedef struct TestHost {
    TribHost host;
    _Atomic int64_t blocks;  /* allocated and not freed */
    _Atomic int64_t fail_at; /* the nth allocation from now on fails; 0 = never */
} TestHost;
void test_host_init(TestHost *self);

typedef struct TestCall {
    TribCall call;
    atomic_bool set;
    pthread_mutex_t lock;
    struct {
        void (*callback)(void *);
        void *context;
    } waiting[64];
    char warnings[1024]; /* the texts reported, separated by newlines */
} TestCall;
void test_call_init(TestCall *self, const TestHost *host);
void test_call_cancel(TestCall *self); /* any thread */
void test_call_clear(TestCall *self);

/* An error record full of rubbish, as a caller may hand it over. */
void error_rubbish(TribError *err);
/* Is the record what the contract asks for? */
void error_check(const TribError *err, TribStatus status, const char *catalog);

/* ---- rows (conform_rows.c) */
typedef struct Rows {
    Arena *arena;
    uint32_t ncolumns;
    const TribType *types;
    size_t count, capacity;
    TribValue *values; /* row by row */
} Rows;
void rows_init(Rows *self, Arena *arena, uint32_t ncolumns, const TribType *types);
/* Decodes and checks a batch of the canonical layout. false: it is malformed (reported). */
bool rows_append(Rows *self, const TribBatch *batch);
void rows_add(Rows *self, const TribValue *row);
const TribValue *rows_at(const Rows *self, size_t row);
/* Unscaled integer of any integer-like value. */
__int128 value_integer(const TribValue *value);
/* Order of two values of one type, neither NULL: by code point, IEEE with NaN last. */
int value_compare(const TribValue *a, const TribValue *b);
void value_print(Buf *out, const TribValue *value);
bool rows_equal(const Rows *a, const Rows *b);  /* as multisets */
bool rows_within(const Rows *a, const Rows *b); /* every row of a is in b, as often */

/* ---- expressions (conform_expr.c) */
typedef struct Expr Expr;
struct Expr {
    TribNodeKind kind;
    uint16_t op;
    bool distinct; /* aggregates */
    TribType type;
    uint32_t column; /* COLUMN */
    TribValue value; /* LITERAL */
    uint32_t count;
    Expr **arguments;
};
Expr *expr_column(Arena *arena, const TribTable *table, uint32_t column);
Expr *expr_literal(Arena *arena, const TribValue *value);
Expr *expr_call(Arena *arena, uint16_t op, uint8_t type, uint32_t count, Expr *const *arguments);
/* The value of an expression for a row of the whole table, by the engine's rules. */
TribValue expr_evaluate(const Expr *expr, const TribValue *row);
bool expr_true(const Expr *expr, const TribValue *row);
void expr_print(Buf *out, const Expr *expr, const TribTable *table);
/* Conditions worth trying over a table with these rows. */
Expr **expr_conditions(Arena *arena, const TribTable *table, const Rows *rows, uint64_t seed,
                       uint32_t *count);
uint64_t random_next(uint64_t *state);

/* ---- functions over one column (conform_function.c) */
/* The value of a function call whose arguments are `a`; false: not one of these functions. */
bool function_evaluate(const Expr *expr, const TribValue *a, TribValue *out);
/* Hands conditions that use functions of the column to `add`. */
void function_conditions(Arena *arena, const TribTable *table, const Rows *rows, uint32_t column,
                         void *sink, void (*add)(void *sink, Expr *condition));

/* ---- offers (conform_offer.c) */
typedef struct Ask {
    const TribTable *table;
    TribPushdownMode mode;
    uint32_t noutput;
    Expr **outputs;
    uint32_t nconjuncts;
    Expr **conjuncts;
    bool grouped, distinct;
    uint32_t ngroups;
    Expr **groups;
    uint32_t norder;
    Expr **order;
    bool descending, nulls_first;
    int64_t limit;
    uint32_t nkeys;
    const uint32_t *keys;
    TribFilter *filter; /* for the scan */
    uint32_t wanted;    /* splits */
    uint32_t max_rows;
} Ask;

typedef struct Answer {
    TribStatus status;
    TribError err;
    uint32_t taken;
    TribVerdict *verdicts, *key_verdicts;
    char *text;
    Rows rows;
    uint32_t nsplits;
} Answer;

typedef struct Subject {
    const TribConnector *connector;
    TribCatalog *catalog;
    const char *catalog_name;
    TestHost *host;
    TestCall *call;
} Subject;

/* Plans, spoils the offer, scans every split, gathers the rows. */
void ask(const Subject *subject, Arena *arena, const Ask *what, Answer *answer);
/* Only plans; *plan to be released by the caller. The offer is spoilt and freed. */
TribStatus ask_plan(const Subject *subject, Arena *arena, const Ask *what, Answer *answer,
                    TribPlan **plan);
/* A deep copy of a description, as the host keeps it. */
TribTable *table_copy(Arena *arena, const TribTable *table);
/* An Ask for all columns of a table, no conditions. */
Ask ask_all(Arena *arena, const TribTable *table);

/* ---- grouping (conform_group.c) */
/* Grouping by each column with each aggregate, and DISTINCT; how many offers were taken. */
uint32_t check_grouping(const Subject *subject, Arena *arena, const TribTable *table,
                        const Rows *whole);

/* ---- quirks (quirks.c) */
typedef struct Case {
    const char *name;
    const TribOption *options;
    uint32_t noptions;
    const char *schema;  /* whose tables are tested */
    const char *only;    /* tables, separated by blanks; NULL = all but `endless` */
    const char *endless; /* a table that takes forever, for cancellation; NULL = none */
    bool expects_order;  /* at least one ORDER BY with LIMIT must be taken */
    bool expects_exact;  /* at least one conjunct must be EXACT */
    bool expects_splits; /* at least one table must come in several parts */
} Case;

typedef struct Quirks {
    const char *type;
    const TribOption *wrong; /* each alone (with the good ones) must be refused by open */
    uint32_t nwrong;
    uint32_t ncases;
    const Case *cases;
    const TribOption *single; /* options with one connection, NULL = no such thing */
    uint32_t nsingle;
} Quirks;

/* NULL: this connector cannot be tested here (its variables are not set). */
const Quirks *quirks_prepare(Arena *arena, const char *type, const char *folder);
/* Of the lake connector (quirks_lake.c). */
const Quirks *quirks_lake(Arena *arena, const char *folder);
/* Fills a catalog that can be written to with tables of its own. */
void quirks_fill(const Subject *subject, Arena *arena, const char *schema);

#endif
