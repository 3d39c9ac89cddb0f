/*
 * filter.h - conditions over attributes: made of the engine's expressions, written as DynamoDB's
 * expressions, and evaluated here where DynamoDB cannot.
 *
 * A filter is a tree of AND and OR over leaves (attribute, comparison, constants), without NOT: that was
 * carried to the leaves, which is right in three-valued logic because only TRUE counts. Evaluated here, a
 * filter says exactly whether the engine's condition is TRUE (unless `inexact`). Sent to DynamoDB it lets
 * at least those items through: exactly those, or more (`loose`), where a column reads only some values
 * of its attribute type (5.5 in a bigint reads as NULL). What cannot be sent at all is `unsendable`.
 *
 * Immutable after building; lives on the plan's arena.
 */
#ifndef TRIB_DYNAMODB_FILTER_H
#define TRIB_DYNAMODB_FILTER_H

#include "connectors/dynamodb/value.h"

typedef enum {
    FILTER_AND,
    FILTER_OR,
    FILTER_EQ,
    FILTER_NE,
    FILTER_LT,
    FILTER_LE,
    FILTER_GT,
    FILTER_GE,
    FILTER_BETWEEN,
    FILTER_IN,
    FILTER_NOT_IN,
    FILTER_PREFIX,
    FILTER_NOT_PREFIX,
    FILTER_CONTAINS,
    FILTER_NOT_CONTAINS,
    FILTER_NULL,
    FILTER_NOT_NULL,
    FILTER_NEVER
} FilterKind;

/* A constant: S and BOOL as text, N as canonical text, B as bytes. */
typedef struct FilterValue {
    AttrType type;
    Str text;
    Number number; /* of N */
} FilterValue;

typedef struct Filter Filter;
struct Filter {
    FilterKind kind;
    uint32_t attr;       /* leaves: index into the attributes */
    uint32_t nvalues;    /* leaves */
    FilterValue *values; /* BETWEEN: low, high */
    uint32_t nchildren;  /* AND, OR */
    Filter **children;
    bool loose;      /* as sent it lets too much through: evaluated here too */
    bool unsendable; /* only evaluated here */
    bool inexact;    /* even here it lets too much through: the engine looks again */
};

/* The columns that a filter may speak of: by table column index. */
typedef struct FilterScope {
    Arena *arena;
    const TribOffer *offer;
    const ColumnInfo *columns;
    uint32_t ncolumns;
} FilterScope;

/*
 * The filter that a node of the offer is; *out = NULL with *reason if it is none (verdict NONE).
 * attr of its leaves is the column's index in the table. Errors: out of memory.
 */
Status filter_build(const FilterScope *scope, uint32_t node, Filter **out, const char **reason,
                    Error *err) WARN_UNUSED;
/* The constant that a literal is for a column; false: it cannot be one (NULL too). */
bool filter_value(Arena *arena, const ColumnInfo *column, const TribValue *value, FilterValue *out);
/* Order of two constants of one type. */
int filter_value_compare(const FilterValue *a, const FilterValue *b);
/* Sorts and drops equal ones; returns how many are left. */
uint32_t filter_values_distinct(FilterValue *values, uint32_t count);
/* {"S":"text"} */
void filter_value_json(Buf *out, const FilterValue *value);

/* Where names and constants of an expression go; one for the whole request. */
typedef struct FilterWriter {
    Buf *text;
    Buf *values;   /* ":v0":{"S":"x"},":v1":... ; NULL: constants stand in the text, for people */
    uint32_t next; /* number of the next constant */
    const ColumnInfo *columns;
    bool *used; /* per attribute: its name #n<index> is needed */
} FilterWriter;

void filter_name_write(FilterWriter *writer, uint32_t attr);
void filter_value_write(FilterWriter *writer, const FilterValue *value);
/*
 * Writes what can be sent. DynamoDB refuses redundant parentheses, so that none are written that AND's
 * precedence over OR does not ask for. under_and: it will stand in a conjunction. `kept`: which attributes
 * may not occur (keys of a Query); may be NULL. false: nothing of it can be sent.
 */
bool filter_write(FilterWriter *writer, const Filter *filter, bool under_and, const bool *kept);
bool filter_sendable(const Filter *filter, const bool *kept);

/* Is the filter TRUE for an item? `values` by attribute index. */
bool filter_test(const Filter *filter, const ColumnInfo *columns, const AttrValue *values);
/* Calls visit for each attribute that the filter looks at. */
void filter_attributes(const Filter *filter, void (*visit)(void *context, uint32_t attr),
                       void *context);

#endif
