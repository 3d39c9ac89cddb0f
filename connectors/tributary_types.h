/*
 * tributary_types.h - the plain data that crosses the connectors' ABI.
 *
 * Types, literal values, errors and the Arrow C data structures. No functions, no state: the engine,
 * the driver and the connectors all include it. Structures here are fixed for one abi_version.
 */
#ifndef TRIBUTARY_TYPES_H
#define TRIBUTARY_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Arrow C data interface, as published at arrow.apache.org (CDataInterface). */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE           2
#define ARROW_FLAG_MAP_KEYS_SORTED    4
struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};
struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};
#endif

/* Isolation levels of transactions, as bits; the numbers are those of ODBC's SQL_TXN_*. */
typedef enum {
    TRIB_READ_UNCOMMITTED = 1,
    TRIB_READ_COMMITTED = 2,
    TRIB_REPEATABLE_READ = 4,
    TRIB_SERIALIZABLE = 8
} TribIsolation;

/* What went wrong, coarsely: what callers branch on. The SQLSTATE says it finely. */
typedef enum TribStatus {
    TRIB_OK = 0,
    TRIB_INVALID,     /* a bad argument, option or statement: the caller's mistake */
    TRIB_NOT_FOUND,   /* the named object does not exist */
    TRIB_EXISTS,      /* the named object exists already */
    TRIB_DATA,        /* a value cannot be converted, is out of range, divides by zero ... */
    TRIB_CONSTRAINT,  /* an integrity constraint was violated */
    TRIB_AUTH,        /* credentials or permissions */
    TRIB_CONNECT,     /* the source cannot be reached */
    TRIB_LOST,        /* the connection broke while in use */
    TRIB_THROTTLED,   /* the source asks for fewer requests */
    TRIB_TIMEOUT,     /* a deadline passed */
    TRIB_CANCELLED,   /* somebody cancelled */
    TRIB_MEMORY,      /* memory, budget or another resource is exhausted */
    TRIB_LIMIT,       /* a documented limit was exceeded */
    TRIB_UNSUPPORTED, /* understood, but not offered */
    TRIB_STATE,       /* not allowed now (transactions, call order) */
    TRIB_IO,          /* disk or protocol trouble */
    TRIB_INTERNAL     /* our own mistake */
} TribStatus;

/*
 * An error record, owned by the caller of whatever may fail. Text is UTF-8, NUL-terminated and cut at
 * a character boundary. It is meaningful only after a status other than TRIB_OK was returned.
 */
typedef struct TribError {
    TribStatus status;
    char sqlstate[6];
    bool retryable;  /* the same request may succeed if sent again */
    int32_t native;  /* the source's own code, 0 = none */
    uint32_t line;   /* position in the SQL text or file, 1-based; 0 = none */
    uint32_t column; /* in characters, 1-based; 0 = none */
    uint32_t row;    /* failing row within its batch, for internal re-evaluation */
    char source[64]; /* the catalog at fault, "" = Tributary itself */
    char message[1024];
    char detail[512];
    char hint[384];
} TribError;

/* What becomes of a row when the one that it refers to changes or goes. */
typedef enum TribReferenceRule {
    TRIB_RULE_NO_ACTION,
    TRIB_RULE_RESTRICT,
    TRIB_RULE_CASCADE,
    TRIB_RULE_SET_NULL,
    TRIB_RULE_SET_DEFAULT
} TribReferenceRule;

typedef enum TribTypeId {
#define TRIB_TYPE_ROW(number, name, sql_name) TRIB_TYPE_##name = number,
#include "ids.def"
} TribTypeId;

/* Ids of operators, functions (FN_add ...) and aggregates (AGG_sum ...). */
typedef enum TribFunctionId {
#define FN(number, name, odbc_group, odbc_bit) TRIB_FN_##name = number,
#define AGG(number, name, odbc_bit)            TRIB_AGG_##name = number,
#include "ids.def"
} TribFunctionId;

typedef struct TribTypeFields TribTypeFields;

/* The length of a varchar that was declared as a large object (CLOB, LONG VARCHAR): as good as none, but reported as
 * long, so that programs read it in pieces. */
#define TRIB_LENGTH_LONG 2147483646u

/* A logical type: a value, copied freely. `fields` is immutable and outlives the query or table. */
typedef struct TribType {
    uint8_t id;        /* TribTypeId */
    uint8_t precision; /* decimal: digits 1..38; time and timestamp: fractional digits 0..9 */
    int8_t scale;      /* decimal: digits after the point, 0..precision */
    uint8_t reserved;  /* 0 */
    uint32_t length;   /* varchar(n), char(n): n characters; 0 = unbounded varchar */
    const TribTypeFields *fields; /* array: 1 (element); map: 2 (key, value); row: n; else NULL */
} TribType;

typedef struct TribTypeField {
    const char *name; /* NULL for anonymous fields */
    TribType type;
} TribTypeField;

struct TribTypeFields {
    uint32_t count;
    TribTypeField field[];
};

/*
 * A typed literal. Which member is used follows from type.id:
 *   boolean, integers, date (days since 1970-01-01), time (ns since midnight), timestamp p <= 6
 *   (us since 1970-01-01 00:00), interval day-second (us), interval year-month (months),
 *   decimal p <= 18 (unscaled): integer.   decimal p > 18: wide.   real, double: real.
 *   varchar, char, varbinary, json: text (char(n) without trailing blanks).   uuid: text, 16 bytes.
 *   timestamp p > 6: instant.us + .ns (0..999).   timestamp with zone: instant.us in UTC, .ns, .zone.
 *   time with zone: instant.us = ns since local midnight (!), .ns = seconds east of UTC.
 *   array, map, row: items (map: key, value, key, value ...).
 */
typedef struct TribValue {
    TribType type;
    bool is_null;
    union {
        int64_t integer;
        double real;
        __int128 wide;
        struct {
            const char *data;
            size_t length;
        } text;
        struct {
            int64_t us;
            int32_t ns;
            int16_t zone;
        } instant;
        struct {
            const struct TribValue *values;
            size_t count;
        } items;
    } as;
} TribValue;

#endif
