/*
 * scan.h - one running read of a part of a plan, shared by scan.c (requests, life) and page.c (items).
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
    JsonReader reader;
    Str next;         /* raw: LastEvaluatedKey, or what was not processed; empty = none */
    uint64_t counted; /* rows of a count that are still to be handed out */
    uint64_t items;   /* in this answer */
} Page;

struct TribScan {
    TribPlan *plan; /* retained */
    TribCatalog *catalog;
    TribCall *call;
    Arena *arena;      /* of the scan */
    Arena *page_arena; /* of one answer; reset with each */
    HttpSession *session;
    AwsExchange exchange;
    bool exchange_ready;
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

#endif
