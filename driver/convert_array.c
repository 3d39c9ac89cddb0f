/*
 * convert_array.c - arrays of parameters as columns of the engine, one parameter at a time.
 *
 * A pair of C type and SQL type that programs store much with has a kernel: one loop over the sets that
 * looks at nothing but the length, the value and the strides. Text in UTF-8 and bytes stay where they are.
 * Every other pair goes value by value through a Cell; what such values have in common (the scale of
 * decimals, the digits of fractions) becomes the column's type. Row-wise binding need not align values.
 */
#include "driver/params.h"
#include "driver/text.h"
#include "engine/base/bitmap.h"
#include "engine/base/calendar.h"

typedef struct Column {
    ArrayRun *run;
    TribType type;
    void *data;
    uint64_t *validity;           /* made with the first NULL */
    const char *values, *lengths; /* of the application */
    SQLLEN longest;               /* what a fetch has cut has a length beyond its buffer */
    Error *err;
} Column;

/* false: no memory; the error is set. */
static bool put_null(Column *self, uint32_t i) {
    if (!self->validity) {
        self->validity = ARENA_ARRAY(self->run->arena, uint64_t, bitmap_words(self->run->count));
        if (!self->validity) return false;
        bitmap_fill(self->validity, self->run->count, true);
    }
    bitmap_unset(self->validity, i);
    return true;
}

static void fail_set(Column *self, uint32_t i, const Error *err) {
    self->run->states[i] = SET_FAILED;
    self->run->issue(self->run->context, i, err, true);
}

static void fail_code(Column *self, uint32_t i, ConvertCode code) {
    Error err;
    (void)convert_error(code, &err);
    (void)error_detail(&err, "%s %u", self->run->place.of_column ? "column" : "parameter",
                       self->run->index + 1);
    fail_set(self, i, &err);
}

/* ---- kernels */

/* What a cell's length says: a value, NULL, or something for the general way. */
typedef enum CellKind { CELL_VALUE, CELL_NULL, CELL_OTHER } CellKind;

static inline CellKind cell_kind(const Column *self, uint32_t i, SQLLEN *length) {
    if (!self->lengths) return CELL_VALUE;
    *length = param_length(self->lengths + i * self->run->place.length_step);
    if (*length > self->longest) return CELL_OTHER;
    if (*length >= 0 || *length == SQL_NTS) return CELL_VALUE;
    return *length == SQL_NULL_DATA ? CELL_NULL : CELL_OTHER;
}

/* More than was declared? As in convert_param.c, 0 says nothing; nor does the size of unbounded texts. */
static inline bool too_long(const Column *self, const char *data, size_t bytes) {
    SQLULEN size = self->run->place.own->length;
    if (bytes <= size || size == 0 || size == self->run->stmt->dbc->sizes.text) return false;
    return !data || utf8_length(data, bytes) > size;
}

/* A kernel stops at a cell that is none of its business: the general way then does the whole run. */
typedef enum KernelEnd { KERNEL_DONE, KERNEL_GENERAL, KERNEL_MEMORY } KernelEnd;
typedef KernelEnd (*ArrayKernel)(Column *self);

/* A loop over the values that are given: `in` is where value i stands, `length` what its length says. */
#define BEGIN_VALUES(self)                                          \
    const char *in = (self)->values;                                \
    size_t step = (self)->run->place.step;                          \
    SQLLEN length = SQL_NTS;                                        \
    for (uint32_t i = 0; i < (self)->run->count; i++, in += step) { \
        if ((self)->run->states[i] != SET_GIVEN) continue;          \
        CellKind kind = cell_kind(self, i, &length);                \
        if (kind == CELL_OTHER) return KERNEL_GENERAL;              \
        if (kind == CELL_NULL) {                                    \
            if (!put_null(self, i)) return KERNEL_MEMORY;           \
            continue;                                               \
        }

#define END_VALUES }

/* A function, because compilers object to a narrow value compared with bounds that it cannot have. */
static inline bool within(int64_t v, int64_t low, int64_t high) {
    return v >= low && v <= high;
}

#define FIXED_KERNEL(name, IN, OUT, fits)      \
    static KernelEnd name(Column *self) {      \
        OUT *out = self->data;                 \
        BEGIN_VALUES(self)                     \
        IN v;                                  \
        memcpy(&v, in, sizeof v);              \
        if (!(fits)) {                         \
            fail_code(self, i, CONVERT_RANGE); \
            continue;                          \
        }                                      \
        out[i] = (OUT)v;                       \
        END_VALUES                             \
        return KERNEL_DONE;                    \
    }

#define INTEGER_KERNELS(prefix, IN)                                                     \
    FIXED_KERNEL(prefix##_int8, IN, int8_t, within((int64_t)v, INT8_MIN, INT8_MAX))     \
    FIXED_KERNEL(prefix##_int16, IN, int16_t, within((int64_t)v, INT16_MIN, INT16_MAX)) \
    FIXED_KERNEL(prefix##_int32, IN, int32_t, within((int64_t)v, INT32_MIN, INT32_MAX)) \
    FIXED_KERNEL(prefix##_int64, IN, int64_t, true)

INTEGER_KERNELS(int8, int8_t)
INTEGER_KERNELS(uint8, uint8_t)
INTEGER_KERNELS(int16, int16_t)
INTEGER_KERNELS(uint16, uint16_t)
INTEGER_KERNELS(int32, int32_t)
INTEGER_KERNELS(uint32, uint32_t)
INTEGER_KERNELS(int64, int64_t)
FIXED_KERNEL(bit_bool, uint8_t, uint8_t, v <= 1)
FIXED_KERNEL(float_real, float, float, true)
FIXED_KERNEL(float_double, float, double, true)
FIXED_KERNEL(double_double, double, double, true)
FIXED_KERNEL(int32_double, int32_t, double, true)

static KernelEnd date_date(Column *self) {
    int32_t *out = self->data;
    BEGIN_VALUES(self)
    SQL_DATE_STRUCT v;
    memcpy(&v, in, sizeof v);
    if (!date_valid(v.year, v.month, v.day)) {
        fail_code(self, i, CONVERT_DATETIME);
        continue;
    }
    out[i] = date_from_civil(v.year, v.month, v.day);
    END_VALUES
    return KERNEL_DONE;
}

static inline bool stamp_valid(const SQL_TIMESTAMP_STRUCT *v) {
    return date_valid(v->year, v->month, v->day) && v->hour < 24 && v->minute < 60 &&
           v->second < 60 && v->fraction <= 999999999;
}

/* Six digits of a fraction are declared, or nothing is: then any are. */
static bool micros_declared(const DescRecord *own) {
    return own->scale >= 6 || own->length >= 26 ||
           (own->length == 0 && own->scale == 0 && !own->scale_set);
}

/* Whole microseconds; what is finer, or finer than was declared, goes the general way. */
static KernelEnd stamp_timestamp(Column *self) {
    int64_t *out = self->data;
    uint8_t digits = 0;
    BEGIN_VALUES(self)
    SQL_TIMESTAMP_STRUCT v;
    memcpy(&v, in, sizeof v);
    if (!stamp_valid(&v)) {
        fail_code(self, i, CONVERT_DATETIME);
        continue;
    }
    if (v.fraction % 1000 || (v.fraction && !micros_declared(self->run->place.own)))
        return KERNEL_GENERAL;
    if (v.fraction && digits < 6) digits = v.fraction % 1000000 ? 6 : 3;
    int64_t seconds = ((int64_t)v.hour * 60 + v.minute) * 60 + v.second;
    out[i] = date_from_civil(v.year, v.month, v.day) * US_PER_DAY + seconds * US_PER_SECOND +
             v.fraction / 1000;
    END_VALUES
    self->type.precision = digits;
    return KERNEL_DONE;
}

static KernelEnd char_text(Column *self) {
    StrView *out = self->data;
    BEGIN_VALUES(self)
    size_t bytes = length == SQL_NTS ? strlen(in) : (size_t)length;
    if (bytes > UINT32_MAX) return KERNEL_GENERAL;
    if (!utf8_valid(in, bytes)) return KERNEL_GENERAL;
    if (too_long(self, in, bytes)) {
        fail_code(self, i, CONVERT_TOO_LONG);
        continue;
    }
    out[i] = strview_of(in, bytes);
    END_VALUES
    return KERNEL_DONE;
}

static KernelEnd wide_text(Column *self) {
    StrView *out = self->data;
    BEGIN_VALUES(self)
    const SQLWCHAR *units = (const SQLWCHAR *)(const void *)in;
    Str text;
    Error err;
    size_t count = length == SQL_NTS ? wide_length(units) : (size_t)length / 2;
    Status status = text_from_wide(self->run->arena, units, count, &text, &err);
    if (status == TRIB_MEMORY) return KERNEL_MEMORY;
    if (status != TRIB_OK) {
        fail_set(self, i, &err);
        continue;
    }
    if (text.len > UINT32_MAX) return KERNEL_GENERAL;
    if (too_long(self, text.data, text.len)) {
        fail_code(self, i, CONVERT_TOO_LONG);
        continue;
    }
    out[i] = strview_of(text.data, text.len);
    END_VALUES
    return KERNEL_DONE;
}

static KernelEnd binary_bytes(Column *self) {
    StrView *out = self->data;
    BEGIN_VALUES(self)
    if (length < 0 || (uint64_t)length > UINT32_MAX) return KERNEL_GENERAL;
    if (too_long(self, NULL, (size_t)length)) {
        fail_code(self, i, CONVERT_TOO_LONG);
        continue;
    }
    out[i] = strview_of(in, (size_t)length);
    END_VALUES
    return KERNEL_DONE;
}

typedef struct KernelRow {
    uint8_t cclass, type;
    ArrayKernel kernel;
} KernelRow;

#define INTEGER_ROWS(cclass, prefix)                                                          \
    {cclass, TRIB_TYPE_TINYINT, prefix##_int8}, {cclass, TRIB_TYPE_SMALLINT, prefix##_int16}, \
        {cclass, TRIB_TYPE_INTEGER, prefix##_int32}, {                                        \
        cclass, TRIB_TYPE_BIGINT, prefix##_int64                                              \
    }

static const KernelRow kernel_rows[] = {
    INTEGER_ROWS(C_INT8, int8),
    INTEGER_ROWS(C_UINT8, uint8),
    INTEGER_ROWS(C_INT16, int16),
    INTEGER_ROWS(C_UINT16, uint16),
    INTEGER_ROWS(C_INT32, int32),
    INTEGER_ROWS(C_UINT32, uint32),
    INTEGER_ROWS(C_INT64, int64),
    {C_BIT, TRIB_TYPE_BOOLEAN, bit_bool},
    {C_FLOAT, TRIB_TYPE_REAL, float_real},
    {C_FLOAT, TRIB_TYPE_DOUBLE, float_double},
    {C_DOUBLE, TRIB_TYPE_DOUBLE, double_double},
    {C_INT32, TRIB_TYPE_DOUBLE, int32_double},
    {C_DATE, TRIB_TYPE_DATE, date_date},
    {C_TIMESTAMP, TRIB_TYPE_TIMESTAMP, stamp_timestamp},
    {C_CHAR, TRIB_TYPE_VARCHAR, char_text},
    {C_WCHAR, TRIB_TYPE_VARCHAR, wide_text},
    {C_BINARY, TRIB_TYPE_VARBINARY, binary_bytes},
};

/* Kernels know one array of lengths and indicators, and values that are there. */
static ArrayKernel kernel_find(const ArrayRun *run) {
    const ParamPlace *place = &run->place;
    if (place->length != place->indicator || !place->data) return NULL;
    if (!place->length && convert_class(place->ctype) == C_BINARY) return NULL;
    CClass cclass = convert_class(place->ctype);
    for (size_t i = 0; i < COUNT_OF(kernel_rows); i++)
        if (kernel_rows[i].cclass == cclass && kernel_rows[i].type == run->type.id)
            return kernel_rows[i].kernel;
    return NULL;
}

/* ---- the general way */

/* Values of one column may have different scales and precisions: the column gets what holds them all. */
static TribType common_type(const ArrayRun *run, const TribValue *values) {
    TribType type = run->type;
    int whole = 0, scale = 0;
    if (type.id == TRIB_TYPE_TIME || type.id == TRIB_TYPE_TIMESTAMP) type.precision = 0;
    for (uint32_t i = 0; i < run->count; i++) {
        const TribType *own = &values[i].type;
        if (run->states[i] != SET_GIVEN || values[i].is_null) continue;
        if (type.id == TRIB_TYPE_DECIMAL) {
            if (own->scale > scale) scale = own->scale;
            if (own->precision - own->scale > whole) whole = own->precision - own->scale;
        } else if (type.id == TRIB_TYPE_TIME || type.id == TRIB_TYPE_TIMESTAMP) {
            if (own->precision > type.precision) type.precision = own->precision;
        }
    }
    if (type.id == TRIB_TYPE_DECIMAL) {
        int digits = whole + scale;
        type.scale = (int8_t)scale;
        type.precision = (uint8_t)(digits > DECIMAL_MAX_DIGITS ? DECIMAL_MAX_DIGITS
                                   : digits < 1                ? 1
                                                               : digits);
    }
    return type;
}

static bool store_decimal(TribType type, const TribValue *value, void *data, uint32_t i) {
    Int128 wide = value->type.precision <= 18 ? (Int128)value->as.integer : value->as.wide;
    if (decimal_rescale(wide, value->type.scale, type.scale, &wide) != DECIMAL_OK ||
        !decimal_fits(wide, type.precision))
        return false;
    if (type.precision <= 18)
        ((int64_t *)data)[i] = (int64_t)wide;
    else
        ((Int128 *)data)[i] = wide;
    return true;
}

static void store_instant(const TribValue *value, Instant *out) {
    bool fine = value->type.precision > 6;
    *out = (Instant){.us = fine ? value->as.instant.us : value->as.integer,
                     .ns = fine ? value->as.instant.ns : 0};
}

/* false: the column's common type does not hold it. */
static bool store_value(TribType type, const TribValue *value, void *data, uint32_t i) {
    if (type.id == TRIB_TYPE_DECIMAL) return store_decimal(type, value, data, i);
    switch (type_physical(type)) {
    case PHYS_BOOL: ((uint8_t *)data)[i] = (uint8_t)value->as.integer; break;
    case PHYS_INT8: ((int8_t *)data)[i] = (int8_t)value->as.integer; break;
    case PHYS_INT16: ((int16_t *)data)[i] = (int16_t)value->as.integer; break;
    case PHYS_INT32: ((int32_t *)data)[i] = (int32_t)value->as.integer; break;
    case PHYS_INT64: ((int64_t *)data)[i] = value->as.integer; break;
    case PHYS_FLOAT: ((float *)data)[i] = (float)value->as.real; break;
    case PHYS_DOUBLE: ((double *)data)[i] = value->as.real; break;
    case PHYS_STRING:
        if (value->as.text.length > UINT32_MAX) return false;
        ((StrView *)data)[i] = strview_of(value->as.text.data, value->as.text.length);
        break;
    case PHYS_INSTANT: store_instant(value, &((Instant *)data)[i]); break;
    case PHYS_UUID: memcpy(((Uuid *)data)[i].bytes, value->as.text.data, 16); break;
    default: return false;
    }
    return true;
}

static Status column_data(Column *self) {
    size_t size = physical_size(type_physical(self->type));
    TRY_ALLOC(self->data, arena_alloc(self->run->arena, size * self->run->count), self->err);
    return TRIB_OK;
}

/* Takes the value of each set; those that do not convert fail their sets. */
static Status values_take(ArrayRun *run, TribValue *values) {
    ParamPlace place = run->place;
    for (uint32_t i = 0; i < run->count; i++) {
        Error issue;
        bool fraction = false;
        if (run->states[i] == SET_GIVEN) {
            Status status = param_value(run->stmt, run->index, &place, run->arena, &values[i],
                                        &fraction, &issue);
            if (status != TRIB_OK) run->states[i] = SET_FAILED;
            if (status != TRIB_OK || fraction) run->issue(run->context, i, &issue, !fraction);
        }
        if (place.data) place.data += place.step;
        if (place.length)
            place.length = (const void *)((const char *)place.length + place.length_step);
        if (place.indicator)
            place.indicator = (const void *)((const char *)place.indicator + place.length_step);
    }
    return TRIB_OK;
}

static Status convert_general(Column *self) {
    ArrayRun *run = self->run;
    TribValue *values;
    TRY_ALLOC(values, ARENA_ARRAY(run->arena, TribValue, run->count), self->err);
    TRY(values_take(run, values));
    self->type = common_type(run, values);
    self->validity = NULL;
    TRY(column_data(self));
    for (uint32_t i = 0; i < run->count; i++) {
        if (run->states[i] != SET_GIVEN) continue;
        if (values[i].is_null) {
            if (!put_null(self, i)) return error_out_of_memory(self->err);
        } else if (!store_value(self->type, &values[i], self->data, i)) {
            fail_code(self, i, CONVERT_RANGE);
        }
    }
    return TRIB_OK;
}

Status array_convert(ArrayRun *run, ParameterColumn *out, Error *err) {
    bool bounded = run->place.of_column && ctype_size(run->place.ctype) == 0;
    Column self = {.run = run,
                   .type = run->type,
                   .values = run->place.data,
                   .lengths = (const char *)run->place.length,
                   .longest = bounded ? run->place.app->octet_length : INT64_MAX,
                   .err = err};
    ArrayKernel kernel = kernel_find(run);
    KernelEnd end = KERNEL_GENERAL;
    if (kernel) {
        TRY(column_data(&self));
        end = kernel(&self);
    }
    if (end == KERNEL_MEMORY) return error_out_of_memory(err);
    if (end == KERNEL_GENERAL) TRY(convert_general(&self));
    *out = (ParameterColumn){.type = self.type, .data = self.data, .validity = self.validity};
    return TRIB_OK;
}

/* ---- leaving sets out */

void array_compact(ParameterColumn *column, uint32_t count, const uint8_t *states) {
    size_t size = physical_size(type_physical(column->type));
    union {
        const void *constant;
        char *bytes;
    } data = {.constant = column->data};
    union {
        const uint64_t *constant;
        uint64_t *bits;
    } validity = {.constant = column->validity};
    uint32_t to = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (states[i] != SET_GIVEN) continue;
        if (to != i) {
            memcpy(data.bytes + to * size, data.bytes + i * size, size);
            if (validity.bits) {
                if (bitmap_get(validity.bits, i))
                    bitmap_set(validity.bits, to);
                else
                    bitmap_unset(validity.bits, to);
            }
        }
        to++;
    }
}
