/*
 * catalog.h - an opened catalog, and what metadata knows about a table. Immutable after open, but for the
 * count of requests under way.
 */
#ifndef TRIB_DYNAMODB_CATALOG_H
#define TRIB_DYNAMODB_CATALOG_H

#include <stdatomic.h>

#include "connectors/dynamodb/value.h"
#include "connectors/support/aws.h"

#define SCHEMA_NAME "default"

typedef enum {
    ON_MISMATCH_AUTO,
    ON_MISMATCH_NULL,
    ON_MISMATCH_ERROR,
    ON_MISMATCH_VARCHAR
} OnMismatch;

typedef struct DeclaredColumn {
    Str name;
    TribType type;
    struct DeclaredColumn *next;
} DeclaredColumn;

typedef struct DeclaredTable {
    Str name;
    DeclaredColumn *columns;
    struct DeclaredTable *next;
} DeclaredTable;

struct TribCatalog {
    Arena *arena;
    const TribHost *host;
    const char *name;
    AwsClient *client;
    uint32_t max_connections;
    _Atomic uint32_t under_way; /* requests of scans */
    uint32_t segments;          /* of a scan; 0 = by size and connections */
    uint32_t sample_items;
    bool consistent_read;
    OnMismatch on_mismatch;
    DeclaredTable *declared;
    Str *hide;
    uint32_t nhide;
};

/* The option table, ending with name == NULL. */
extern const TribOptionDef dynamodb_options[];

/* Errors: CONFIGURATION naming the option and its place. */
Status catalog_new(const TribHost *host, const char *name, const TribOption *options,
                   uint32_t count, TribCatalog **out, Error *err) WARN_UNUSED;
void catalog_free(TribCatalog *self);
const DeclaredTable *catalog_declared(const TribCatalog *self, Str table);
bool catalog_shows(const TribCatalog *self, Str table);

/* ---- facts: what plans need to know of a table, kept as text with its description (facts.c) */

typedef struct KeyPart {
    Str name; /* empty: there is none */
    AttrType type;
} KeyPart;

/* A way to query: the table's own key, or an index. */
typedef struct AccessPath {
    Str index; /* empty: the table */
    KeyPart hash, range;
    bool global;
    bool all; /* every attribute is projected; else keys and `included` */
    uint32_t nincluded;
    Str *included;
} AccessPath;

typedef struct TableFacts {
    uint32_t npaths;
    AccessPath *paths;    /* the first is the table */
    int64_t items, bytes; /* as DynamoDB last counted; 0 may mean that it has not yet */
    bool sampled;
} TableFacts;

/* From the answer to DescribeTable. Errors: ERR_SOURCE, it is not such an answer; out of memory. */
Status facts_from_answer(Arena *arena, const JsonValue *answer, TableFacts *out,
                         Error *err) WARN_UNUSED;
char *facts_format(Arena *arena, const TableFacts *facts); /* NULL when exhausted */
Status facts_parse(Arena *arena, const char *text, TableFacts *out, Error *err) WARN_UNUSED;

/* A column's note: "S null", "N error", "JSON null" ... */
const char *column_facts(const ColumnInfo *column);
/* name and type come from the column itself. false: the note is none of ours. */
bool column_facts_parse(const char *text, ColumnInfo *out);

/* ---- requests (connection.c) */

typedef enum { OP_LIST_TABLES, OP_DESCRIBE_TABLE, OP_SCAN, OP_QUERY, OP_BATCH_GET } Operation;

/* An exchange for the operation; body_out is the caller's to set. */
Status request_init(AwsExchange *exchange, TribCatalog *catalog, TribCall *call,
                    Operation operation, Error *err) WARN_UNUSED;
/* One operation from begin to end: the answer's body, in the arena. A bad answer is an error. */
Status request_run(TribCatalog *catalog, TribCall *call, Operation operation, Str body,
                   Arena *arena, Str *answer, Error *err) WARN_UNUSED;
/* An answer that is not what the operation answers. */
Status answer_broken(const TribCatalog *catalog, const char *what, Error *err);
/* Turns the JSON reader's complaint, if that is what `err` holds, into one about the answer. */
Status answer_fault(const TribCatalog *catalog, Error *err);
/* A whole answer as a tree. */
Status answer_parse(const TribCatalog *catalog, Arena *arena, Str answer, JsonValue **out,
                    Error *err) WARN_UNUSED;

/*
 * Reads one attribute value, {"S": "text"}, after its key. Texts live as long as the reader's input and
 * arena. Errors: ERR_SOURCE and the reader's own.
 */
Status attribute_read(JsonReader *reader, AttrValue *out, Error *err) WARN_UNUSED;

/* ---- metadata (metadata.c, sample.c) */
TribStatus metadata_check(TribCatalog *self, TribCall *call, char *text, size_t size,
                          TribError *err);
TribStatus metadata_schemas(TribCatalog *self, TribCall *call, TribNames *names, TribError *err);
TribStatus metadata_tables(TribCatalog *self, TribCall *call, const char *schema, TribNames *names,
                           TribError *err);
TribStatus metadata_describe(TribCatalog *self, TribCall *call, const char *schema,
                             const char *table, TribNames *names, TribError *err);

/* Columns inferred from a sample of items: keys first, then by name. `seen`: how many items. */
Status sample_columns(TribCatalog *self, TribCall *call, Str table, const TableFacts *facts,
                      Arena *arena, ColumnInfo **out, uint32_t *count, uint64_t *seen,
                      Error *err) WARN_UNUSED;

/* ---- plans and scans (pushdown.c, scan.c) */
TribStatus plan_new(TribCatalog *self, TribCall *call, TribOffer *offer, TribPlan **out,
                    TribError *err);
void plan_retain(TribPlan *plan);
void plan_release(TribPlan *plan);
TribStatus plan_splits(TribPlan *plan, TribCall *call, uint32_t wanted,
                       const TribSplit *const **out, uint32_t *count, TribError *err);
TribStatus scan_open(TribCatalog *self, TribCall *call, const TribScanRequest *request,
                     TribScan **out, struct ArrowSchema *schema, TribError *err);
TribStatus scan_next(TribScan *scan, uint32_t max_rows, TribBatch *batch, TribError *err);
void scan_cancel(TribScan *scan);
void scan_stats(TribScan *scan, TribStats *stats);
void scan_release(TribScan *scan);

#endif
