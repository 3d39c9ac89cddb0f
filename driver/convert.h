/*
 * convert.h - values of the engine to C data of the application, and back for parameters.
 *
 * A conversion is chosen once per column (ConvertPlan): either a bulk kernel that runs over a column
 * of a batch, or a cell writer that goes through a Cell, a value taken out of its column. The table
 * [source family][C type] says which conversions exist; an empty place is 07006.
 */
#ifndef TRIB_DRIVER_CONVERT_H
#define TRIB_DRIVER_CONVERT_H

#include "driver/sqltype.h"

#define CONVERT_TEXT_MAX 128 /* the text of any value but character, binary and nested ones */

typedef enum ConvertCode {
    CONVERT_OK,
    CONVERT_CUT,                   /* 01004 */
    CONVERT_FRACTION,              /* 01S07 */
    CONVERT_ERROR,                 /* those below are errors */
    CONVERT_RANGE = CONVERT_ERROR, /* 22003 */
    CONVERT_INVALID,               /* 22018 */
    CONVERT_DATETIME,              /* 22007 */
    CONVERT_DATE_RANGE,            /* 22008 */
    CONVERT_INTERVAL,              /* 22015 */
    CONVERT_TOO_LONG,              /* 22001: parameters */
    CONVERT_NO_INDICATOR,          /* 22002 */
    CONVERT_RESTRICTED,            /* 07006 */
    CONVERT_ENGINE,                /* an error record was filled */
    CONVERT_CODES
} ConvertCode;

/* SQLSTATE and message of a code into a record. */
Status convert_error(ConvertCode code, Error *err);

/* How values lie in a column, finer than families. */
typedef enum Source {
    SRC_NULL,
    SRC_BOOL,
    SRC_INT8,
    SRC_INT16,
    SRC_INT32,
    SRC_INT64,
    SRC_DEC64,
    SRC_DEC128,
    SRC_FLOAT,
    SRC_DOUBLE,
    SRC_TEXT,
    SRC_BYTES,
    SRC_DATE,
    SRC_TIME,
    SRC_TIMETZ,
    SRC_TIMESTAMP,
    SRC_INSTANT,
    SRC_ZONED,
    SRC_YM,
    SRC_DS,
    SRC_UUID,
    SRC_NESTED,
    SRC_COUNT
} Source;

typedef enum Family {
    FAMILY_BOOL,
    FAMILY_INTEGER,
    FAMILY_DECIMAL,
    FAMILY_REAL,
    FAMILY_TEXT,
    FAMILY_BYTES,
    FAMILY_DATE,
    FAMILY_TIME,
    FAMILY_TIMESTAMP,
    FAMILY_YM,
    FAMILY_DS,
    FAMILY_UUID,
    FAMILY_NESTED,
    FAMILY_COUNT
} Family;

typedef enum CClass {
    C_CHAR,
    C_WCHAR,
    C_BIT,
    C_INT8,
    C_UINT8,
    C_INT16,
    C_UINT16,
    C_INT32,
    C_UINT32,
    C_INT64,
    C_UINT64,
    C_FLOAT,
    C_DOUBLE,
    C_NUMERIC,
    C_BINARY,
    C_DATE,
    C_TIME,
    C_TIMESTAMP,
    C_GUID,
    C_YM_FIELD, /* year, month */
    C_YM,
    C_DS_FIELD, /* day, hour, minute, second */
    C_DS,
    C_COUNT
} CClass;

/* What SQL types of parameters are to the table of conversions from C. */
typedef enum Target {
    TARGET_TEXT,
    TARGET_EXACT,
    TARGET_REAL,
    TARGET_BIT,
    TARGET_BYTES,
    TARGET_DATE,
    TARGET_TIME,
    TARGET_TIMESTAMP,
    TARGET_UUID,
    TARGET_YM_FIELD,
    TARGET_YM,
    TARGET_DS_FIELD,
    TARGET_DS,
    TARGET_COUNT
} Target;

/* One value, taken out of a column or of the application's buffer. */
typedef struct Cell {
    uint8_t family;
    bool single;       /* REAL: of type real, for the shortest text */
    bool zoned;        /* TIME, TIMESTAMP: has a zone */
    int8_t scale;      /* DECIMAL */
    uint8_t precision; /* TIME, TIMESTAMP: fraction digits */
    int16_t interval;  /* YM, DS of the application: its C type; 0: of a column */
    union {
        int64_t integer; /* BOOL, INTEGER, DATE, YM, DS */
        Int128 decimal;
        double real;
        Str text; /* TEXT, BYTES */
        struct {
            int64_t ns;
            int32_t offset;
        } time;
        struct {
            int64_t us; /* UTC if zoned */
            int32_t ns;
            int16_t zone;
        } instant;
        uint8_t uuid[16];
        struct {
            const ColumnView *column;
            uint32_t position;
        } nested;
    };
} Cell;

typedef struct ConvertPlan ConvertPlan;
typedef struct Span Span;

/* Where a cell goes. The writer sets length: bytes of the whole value in the C type's form. */
typedef struct CellOut {
    const ConvertPlan *plan;
    void *data;
    SQLLEN capacity; /* bytes */
    SQLLEN length;
    Buf *buffer; /* for text of unbounded size; emptied by the caller */
    Error *err;
} CellOut;

typedef ConvertCode (*CellWriter)(const Cell *cell, CellOut *out);
typedef void (*SpanKernel)(const Span *span);

struct ConvertPlan {
    TribType type;
    int16_t ctype;
    uint8_t source, family, cclass;
    uint8_t numeric_precision; /* SQL_C_NUMERIC: asked for; 0: the value's own */
    int8_t numeric_scale;
    bool numeric_set;
    bool seconds_set; /* digits of seconds were asked for: intervals, timestamps */
    uint8_t seconds_precision, leading_precision; /* the latter 0: not asked for */
    bool variable; /* C type of variable length: CHAR, WCHAR, BINARY */
    size_t size;   /* of a fixed C type */
    CellWriter write;
    SpanKernel kernel; /* NULL: cell by cell */
};

/* CONVERT_OK, or CONVERT_RESTRICTED; ctype must be valid and not SQL_C_DEFAULT. */
ConvertCode convert_plan(ConvertPlan *plan, TribType type, SQLSMALLINT ctype);

/* What a descriptor says of a C type's precision and scale; what it does not say follows the value. */
typedef struct Precisions {
    bool set; /* precision and scale */
    SQLSMALLINT precision, scale;
    SQLINTEGER leading; /* 0: not set */
} Precisions;
void convert_precisions(ConvertPlan *plan, const Precisions *given);

/* A run of cells of one column and the application's buffers for them. */
struct Span {
    const ConvertPlan *plan;
    const ColumnView *column;
    const uint32_t *positions; /* of the values; SPAN_NULL: a null; NULL: first + i */
    uint32_t first, count;
    char *data;
    size_t data_stride;
    SQLLEN capacity;          /* bytes of one cell's buffer */
    char *length, *indicator; /* SQLLEN cells; may be NULL, may be the same */
    size_t length_stride;
    SQLULEN max_length; /* of character and binary data, 0: none */
    Buf *buffer;
    void *context;
    void (*issue)(void *context, uint32_t row, ConvertCode code, const Error *err);
};

#define SPAN_NULL UINT32_MAX

/* Converts the run. Rows that fail are reported and leave their buffers as they were. */
void convert_span(const Span *span);

/* convert_cell.c: values out of columns, and their common forms. */
Source convert_source(TribType type);
Family convert_family(Source source);
void cell_load(const ColumnView *column, Source source, uint32_t position, Cell *out);
/* The integer part, and whether a fraction was dropped. */
ConvertCode cell_integer(const Cell *cell, Int128 *out, bool *fraction);
bool cell_negative(const Cell *cell);
ConvertCode cell_real(const Cell *cell, double *out);
/* scale < 0: the value's own (as long as 38 digits hold it), written back. */
ConvertCode cell_decimal(const Cell *cell, int *scale, Int128 *out, bool *fraction);
ConvertCode cell_date(const Cell *cell, int32_t *days, bool *dropped);
/* A text that is a time of day and no timestamp. */
bool cell_is_time(const Cell *cell, int64_t *ns);
ConvertCode cell_time(const Cell *cell, int64_t *ns);
ConvertCode cell_timestamp(const Cell *cell, int64_t *us, int32_t *ns);
ConvertCode cell_uuid(const Cell *cell, uint8_t out[16]);
/* An array, map or row as JSON text, appended; at: position of the value in the column's data. */
Status nested_text(const ColumnView *column, uint32_t at, Buf *out, Error *err) WARN_UNUSED;
/* The value as UTF-8. Text: borrowed. Others: in `small` or `big`. *whole: bytes that must not be cut
 * off (22003), 0: any may. */
ConvertCode cell_text(const Cell *cell, char small[CONVERT_TEXT_MAX], Buf *big, Str *out,
                      size_t *whole, Error *err);

/* convert_text.c: delivery of text and bytes into a buffer of the application. *used: bytes of the
 * value that were delivered; *length: bytes of all of it in the C type's form, not limited by the
 * buffer. */
ConvertCode deliver_char(Str value, void *out, SQLLEN capacity, SQLLEN *length, size_t *used);
ConvertCode deliver_wide(Str value, void *out, SQLLEN capacity, SQLLEN *length, size_t *used);
ConvertCode deliver_binary(Str value, void *out, SQLLEN capacity, SQLLEN *length, size_t *used);
ConvertCode deliver_hex(Str value, bool wide, void *out, SQLLEN capacity, SQLLEN *length,
                        size_t *used);

/* Which delivery a source of text or bytes takes for a C class. */
typedef enum Delivery {
    DELIVER_CHAR,
    DELIVER_WIDE,
    DELIVER_BINARY,
    DELIVER_HEX,
    DELIVER_HEX_WIDE
} Delivery;
Delivery convert_delivery(uint8_t family, uint8_t cclass);
ConvertCode deliver(Delivery how, Str value, void *out, SQLLEN capacity, SQLLEN *length,
                    size_t *used);

/* convert_interval.c */
bool interval_is_single(int16_t code);
/* Months or microseconds of a value that is read in the fields of an interval type. */
ConvertCode cell_interval(const Cell *cell, int16_t code, int64_t *out, bool *fraction);
/* The number in an interval of one field; CONVERT_INTERVAL: it has several. */
ConvertCode interval_number(const Cell *cell, int *scale, Int128 *out);
size_t interval_format(const Cell *cell, char *out); /* CALENDAR_TEXT_MAX bytes */
/* No field is lost in an interval of this type with so many leading digits (0: any). */
bool interval_holds(int64_t value, int16_t code, int leading);
ConvertCode interval_write(const Cell *cell, CellOut *out);
/* precision: of the fraction of seconds. */
ConvertCode interval_from_c(int16_t ctype, const void *data, int precision, Cell *out);

/* The tables: is there a conversion? */
bool convert_allowed(Family family, CClass cclass);
bool convert_parameter_allowed(SQLSMALLINT ctype, SQLSMALLINT sqltype);

/* convert_write.c: writers by C class. NULL: no such conversion. */
CellWriter convert_writer(Family family, CClass cclass);
/* convert_bulk.c: kernels. NULL: none. */
SpanKernel convert_kernel(Source source, CClass cclass);

/* SQL_C_... to its class; C_COUNT: unknown. */
CClass convert_class(SQLSMALLINT ctype);

/* convert_param.c: a C value of the application as a value of the engine. */
typedef struct Parameter {
    SQLSMALLINT ctype;   /* not SQL_C_DEFAULT */
    SQLLEN length;       /* bytes of CHAR, WCHAR, BINARY, or SQL_NTS */
    Precisions given;    /* of the C value */
    SQLSMALLINT concise; /* the SQL type that was declared */
    SQLULEN size;        /* ColumnSize; 0: not said */
    SQLSMALLINT digits;  /* DecimalDigits */
    SQLINTEGER leading;  /* leading digits of an interval; 0: not said */
    SQLULEN unbounded;   /* the size that is reported for texts without a bound: none either */
} Parameter;
/* Texts of the value live in `arena`. */
ConvertCode convert_parameter(const Parameter *self, const void *data, Arena *arena, TribValue *out,
                              Error *err);

#endif
