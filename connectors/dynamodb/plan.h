/*
 * plan.h - a planned read of one table. Immutable but for the list of its splits; any thread.
 */
#ifndef TRIB_DYNAMODB_PLAN_H
#define TRIB_DYNAMODB_PLAN_H

#include <pthread.h>
#include <stdatomic.h>

#include "connectors/dynamodb/catalog.h"
#include "connectors/dynamodb/filter.h"

typedef enum {
    READ_NOTHING, /* no item can match */
    READ_SCAN,    /* segments of the table */
    READ_QUERY,   /* one Query per hash key */
    READ_GET      /* BatchGetItem by whole keys */
} ReadKind;

enum { GET_KEYS_MOST = 100, LOOKUP_GET_MOST = 10000, LOOKUP_QUERY_MOST = 1000 };

/* A runtime filter on this output can become look-ups by key. */
typedef struct Lookup {
    uint32_t output;
    ReadKind kind; /* READ_GET or READ_QUERY */
    const AccessPath *path;
} Lookup;

struct TribPlan {
    _Atomic uint32_t refs;
    Arena *arena;
    TribCatalog *catalog;
    pthread_mutex_t lock; /* guards the arena once the plan is out: splits are made there */
    Str table;
    TableFacts facts;
    uint32_t ncolumns; /* of the table: attributes have the index of their column */
    ColumnInfo *columns;
    uint32_t noutput;
    uint32_t *outputs; /* columns */
    TribType *types;
    uint32_t nfilters;
    Filter **filters; /* all must be TRUE */
    ReadKind kind;
    const AccessPath *path; /* QUERY: of the keys */
    uint32_t nkeys;
    FilterValue *keys;   /* QUERY, GET: distinct hash keys */
    const Filter *range; /* QUERY: the condition on the sort key; NULL = none */
    uint32_t in_key[2];  /* filters that the key condition says exactly: UINT32_MAX = none */
    int64_t limit;       /* < 0: none */
    bool ordered, descending;
    uint32_t nlookups;
    Lookup *lookups;
};

/* What a split is: its number among `total`. */
typedef struct Part {
    uint32_t index, total;
} Part;

/* How one scan reads: the plan's way, or look-ups that its runtime filter has made of it. */
typedef struct Way {
    ReadKind kind;
    const AccessPath *path;
    const Filter *range;
    bool filters_sent; /* the request has a FilterExpression (GET cannot) */
} Way;

/* The parts of a request that all its pages share. */
typedef struct RequestText {
    Buf head;     /* members without the braces around them */
    Buf values;   /* of ExpressionAttributeValues; :h, the hash key, is added for each key */
    bool local;   /* items must be tested by filter_test */
    bool count;   /* Select COUNT: no items come */
    bool *wanted; /* per attribute: it is read from items */
} RequestText;

/* In the arena. Errors: out of memory; an expression that is too long. */
Status request_compose(const TribPlan *plan, const Way *way, Arena *arena, RequestText *out,
                       Error *err) WARN_UNUSED;
/* For EXPLAIN: "Query Orders key (order_id = ...) attributes (...)". NULL when exhausted. */
char *request_explain(const TribPlan *plan, Arena *arena);
/* May an attribute be read through the path? */
bool path_covers(const AccessPath *path, const AccessPath *table, Str attribute);

#endif
