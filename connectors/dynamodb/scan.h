/*
 * scan.h - one running read of a part of a plan, shared by scan.c (units, life), fetch.c (requests) and
 * page.c (items).
 */
#ifndef TRIB_DYNAMODB_SCAN_H
#define TRIB_DYNAMODB_SCAN_H

#include "connectors/dynamodb/plan.h"

/* Values of one column that did not fit it. */
typedef struct Misfit {
    uint64_t count;
    AttrType type; /* of the first */
} Misfit;

/* The answer that is being read. */
typedef struct Page {
    bool open;       /* it has more to be read */
    bool in_items;   /* the reader stands inside the list of items */
    bool seen_items; /* Items, Responses or Count was there */
    bool guessed;    /* the page after it has been looked for */
    JsonReader reader;
    Str next;         /* raw: LastEvaluatedKey, or what was not processed; empty = none */
    uint64_t counted; /* rows of a count that are still to be handed out */
    uint64_t items;   /* in this answer */
} Page;

enum {
    QUERIES_MOST = 8,                /* of different keys at a time */
    FETCHES_MOST = QUERIES_MOST + 1, /* and the next page of the key that is read */
};

typedef enum {
    FETCH_FREE,
    FETCH_UNDER_WAY,
    FETCH_ENDED /* its answer waits, or is the one being read */
} FetchState;

/* A request and its answer. */
typedef struct Fetch {
    AwsExchange exchange;
    bool ready; /* the exchange is set up */
    FetchState state;
    uint32_t unit;
    Buf from; /* where in the unit it begins, like TribScan.next; empty = its start */
    Buf text; /* of the request */
} Fetch;

struct TribScan {
    TribPlan *plan; /* retained */
    TribCatalog *catalog;
    TribCall *call;
    Arena *arena;      /* of the scan */
    Arena *page_arena; /* of one answer; reset with each */
    HttpSession *session;
    Fetch fetches[FETCHES_MOST];
    Fetch *fetch; /* whose answer `page` is; NULL = none */
    Way way;
    RequestText request;
    Part part;
    uint32_t nkeys; /* QUERY, GET: hash keys; those of the runtime filter or the plan's */
    FilterValue *keys;
    uint32_t unit; /* the segment's, key's or chunk's number */
    bool unit_begun, done;
    Buf next;           /* where the unit goes on: raw JSON */
    int64_t left;       /* rows until the limit; < 0 = no limit */
    uint32_t fruitless; /* answers in a row that processed nothing */
    Page page;
    AttrValue *values; /* of one item, by column */
    uint32_t
        *order; /* columns in the order in which the last item had them; UINT32_MAX = unwanted */
    uint32_t norder, order_room;
    Misfit *misfits; /* by column */
    Buf scratch;
    BatchBuilder *builder;
    TribStats stats;
    atomic_bool cancelled;
};

/* Begins to read an answer. */
Status page_open(TribScan *self, Str body, Error *err) WARN_UNUSED;
/* Reads items into the batch until it is full, the limit is reached or the answer has ended. */
Status page_read(TribScan *self, uint32_t max_rows, Error *err) WARN_UNUSED;

/* How many segments, keys or chunks of keys all parts have together. */
uint32_t scan_units(const TribScan *self);
/* Makes `fetch` the answer at self->unit and self->next. Errors: the answer's, HY008, HYT00. */
Status fetch_page(TribScan *self, Error *err) WARN_UNUSED;
/* Asks for what will be wanted after the page that is open. Never waits. */
Status fetch_ahead(TribScan *self, Error *err) WARN_UNUSED;
/* Nothing reads the open page's answer any more. */
void fetch_done(TribScan *self);
/* Before the session is given back: drops what is under way. */
void fetches_release(TribScan *self);

#endif
