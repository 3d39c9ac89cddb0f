/*
 * convert_write.c - one small writer per C class, over the common forms of convert_cell.c.
 *
 * A writer stores its C value only when it succeeds, also with truncation (01S07, 01004); the store
 * goes through memcpy, since row-wise buffers need not be aligned. Errors leave the buffer alone.
 */
#include <math.h>

#include "driver/convert.h"
#include "engine/base/number.h"
#include "engine/base/calendar.h"

static ConvertCode store(CellOut *out, const void *value, size_t size) {
    memcpy(out->data, value, size);
    out->length = (SQLLEN)size;
    return CONVERT_OK;
}

/* An integer within bounds, fraction dropped with 01S07. */
static ConvertCode bounded(const Cell *cell, Int128 low, Int128 high, Int128 *value,
                           bool *fraction) {
    ConvertCode code = cell_integer(cell, value, fraction);
    if (code != CONVERT_OK) return code;
    return *value < low || *value > high ? CONVERT_RANGE : CONVERT_OK;
}

#define INTEGER_WRITER(name, type, low, high)                          \
    static ConvertCode name(const Cell *cell, CellOut *out) {          \
        Int128 wide;                                                   \
        bool fraction;                                                 \
        ConvertCode code = bounded(cell, low, high, &wide, &fraction); \
        if (code != CONVERT_OK) return code;                           \
        type value = (type)wide;                                       \
        (void)store(out, &value, sizeof value);                        \
        return fraction ? CONVERT_FRACTION : CONVERT_OK;               \
    }

INTEGER_WRITER(write_int8, int8_t, INT8_MIN, INT8_MAX)
INTEGER_WRITER(write_uint8, uint8_t, 0, UINT8_MAX)
INTEGER_WRITER(write_int16, int16_t, INT16_MIN, INT16_MAX)
INTEGER_WRITER(write_uint16, uint16_t, 0, UINT16_MAX)
INTEGER_WRITER(write_int32, int32_t, INT32_MIN, INT32_MAX)
INTEGER_WRITER(write_uint32, uint32_t, 0, UINT32_MAX)
INTEGER_WRITER(write_int64, int64_t, INT64_MIN, INT64_MAX)
INTEGER_WRITER(write_uint64, uint64_t, 0, UINT64_MAX)

/* 0 and 1 as they are, between them truncated, anything else out of range. */
static ConvertCode write_bit(const Cell *cell, CellOut *out) {
    Int128 wide = 0;
    bool fraction = false;
    ConvertCode code = CONVERT_INVALID;
    if (cell->family == FAMILY_TEXT) {
        Str text = str_trim(cell->text);
        if (str_equal_fold(text, STR("true")) || str_equal_fold(text, STR("false"))) {
            wide = text.len == 4;
            code = CONVERT_OK;
        }
    }
    if (code != CONVERT_OK) code = bounded(cell, 0, 1, &wide, &fraction);
    if (code != CONVERT_OK) return code;
    if (fraction && cell_negative(cell)) return CONVERT_RANGE;
    uint8_t value = (uint8_t)wide;
    (void)store(out, &value, 1);
    return fraction ? CONVERT_FRACTION : CONVERT_OK;
}

static ConvertCode write_double(const Cell *cell, CellOut *out) {
    double value;
    ConvertCode code = cell_real(cell, &value);
    return code == CONVERT_OK ? store(out, &value, sizeof value) : code;
}

static ConvertCode write_float(const Cell *cell, CellOut *out) {
    double value;
    ConvertCode code = cell_real(cell, &value);
    if (code != CONVERT_OK) return code;
    if (isfinite(value) && fabs(value) >= FLOAT_LIMIT) return CONVERT_RANGE;
    float narrow = (float)value;
    return store(out, &narrow, sizeof narrow);
}

static uint8_t decimal_digits(Int128 magnitude) {
    uint8_t digits = 1;
    while (digits < DECIMAL_MAX_DIGITS && magnitude >= decimal_powers[digits]) digits++;
    return digits;
}

static ConvertCode write_numeric(const Cell *cell, CellOut *out) {
    const ConvertPlan *plan = out->plan;
    int scale = plan->numeric_set                ? plan->numeric_scale
                : cell->family == FAMILY_DECIMAL ? cell->scale
                                                 : -1;
    Int128 value;
    bool fraction;
    SQL_NUMERIC_STRUCT numeric = {0};
    if (scale < 0 && plan->numeric_set) return CONVERT_RANGE;
    ConvertCode code = cell_decimal(cell, &scale, &value, &fraction);
    if (code != CONVERT_OK) return code;
    UInt128 magnitude = value < 0 ? -(UInt128)value : (UInt128)value;
    uint8_t digits = decimal_digits((Int128)magnitude);
    if (plan->numeric_set && plan->numeric_precision && digits > plan->numeric_precision)
        return CONVERT_RANGE;
    numeric.precision = plan->numeric_set && plan->numeric_precision ? plan->numeric_precision
                        : plan->type.id == TRIB_TYPE_DECIMAL         ? plan->type.precision
                                                                     : DECIMAL_MAX_DIGITS;
    numeric.scale = (SQLSCHAR)scale;
    numeric.sign = value >= 0;
    for (size_t i = 0; i < SQL_MAX_NUMERIC_LEN; i++)
        numeric.val[i] = (SQLCHAR)(magnitude >> (8 * i));
    (void)store(out, &numeric, sizeof numeric);
    return fraction ? CONVERT_FRACTION : CONVERT_OK;
}

static ConvertCode write_date(const Cell *cell, CellOut *out) {
    int32_t days;
    bool dropped;
    ConvertCode code = cell_date(cell, &days, &dropped);
    if (code != CONVERT_OK) return code;
    CivilDate civil = date_to_civil(days);
    SQL_DATE_STRUCT date = {(SQLSMALLINT)civil.year, civil.month, civil.day};
    (void)store(out, &date, sizeof date);
    return dropped ? CONVERT_FRACTION : CONVERT_OK;
}

static ConvertCode write_time(const Cell *cell, CellOut *out) {
    int64_t ns;
    ConvertCode code = cell_time(cell, &ns);
    if (code != CONVERT_OK) return code;
    CivilTime civil = time_to_civil(ns);
    SQL_TIME_STRUCT time = {civil.hour, civil.minute, civil.second};
    (void)store(out, &time, sizeof time);
    return civil.ns ? CONVERT_FRACTION : CONVERT_OK;
}

static ConvertCode write_timestamp(const Cell *cell, CellOut *out) {
    int64_t us;
    int32_t ns;
    ConvertCode code = cell_timestamp(cell, &us, &ns);
    if (code != CONVERT_OK) return code;
    int64_t of_day = us % US_PER_DAY;
    if (of_day < 0) of_day += US_PER_DAY;
    CivilDate date = date_to_civil((int32_t)((us - of_day) / US_PER_DAY));
    CivilTime time = time_to_civil(of_day * 1000 + ns);
    uint32_t fraction = (uint32_t)time.ns, unit = 1;
    if (out->plan->seconds_set)
        for (int p = out->plan->seconds_precision; p < 9; p++) unit *= 10;
    SQL_TIMESTAMP_STRUCT stamp = {
        (SQLSMALLINT)date.year,    date.month, date.day, time.hour, time.minute, time.second,
        fraction - fraction % unit};
    (void)store(out, &stamp, sizeof stamp);
    return fraction % unit ? CONVERT_FRACTION : CONVERT_OK;
}

static ConvertCode write_guid(const Cell *cell, CellOut *out) {
    uint8_t b[16];
    ConvertCode code = cell_uuid(cell, b);
    if (code != CONVERT_OK) return code;
    SQLGUID guid;
    memset(&guid, 0, sizeof guid);
    guid.Data1 = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    guid.Data2 = (uint16_t)(b[4] << 8 | b[5]);
    guid.Data3 = (uint16_t)(b[6] << 8 | b[7]);
    memcpy(guid.Data4, b + 8, 8);
    return store(out, &guid, sizeof guid);
}

/* Character, binary and nested values, and the text of everything else. */
static ConvertCode write_text(const Cell *cell, CellOut *out) {
    char small[CONVERT_TEXT_MAX];
    Str text;
    size_t whole, used;
    const ConvertPlan *plan = out->plan;
    ConvertCode code = cell_text(cell, small, out->buffer, &text, &whole, out->err);
    if (code != CONVERT_OK) return code;
    size_t unit = plan->cclass == C_WCHAR ? 2 : 1;
    size_t room = out->capacity > 0 ? (size_t)out->capacity / unit : 0;
    size_t needed = whole + (plan->cclass == C_BINARY ? 0 : 1); /* the terminator */
    if (whole && out->capacity > 0 && room < needed) return CONVERT_RANGE;
    return deliver(convert_delivery(cell->family, plan->cclass), text, out->data, out->capacity,
                   &out->length, &used);
}

static ConvertCode store_bytes(CellOut *out, const void *data, size_t size) {
    out->length = (SQLLEN)size;
    if (out->capacity < (SQLLEN)size) return CONVERT_RANGE;
    memcpy(out->data, data, size);
    return CONVERT_OK;
}

/* The digits of a decimal as bytes: its default C type is character data. */
static ConvertCode write_digits(const Cell *cell, CellOut *out) {
    char small[CONVERT_TEXT_MAX];
    Str text;
    size_t whole;
    ConvertCode code = cell_text(cell, small, NULL, &text, &whole, out->err);
    return code == CONVERT_OK ? store_bytes(out, text.data, text.len) : code;
}

/* SQL_C_BINARY of a value of fixed size: the bytes of its default C type, all or none. */
static ConvertCode write_binary(const Cell *cell, CellOut *out) {
    union {
        int64_t integer;
        double real;
        float single;
        uint8_t bit;
        SQL_INTERVAL_STRUCT interval;
        SQL_TIMESTAMP_STRUCT stamp;
        SQL_DATE_STRUCT date;
        SQL_TIME_STRUCT time;
        SQLGUID guid;
    } value;
    memset(&value, 0, sizeof value);
    ConvertPlan plan = *out->plan;
    CellOut inner = {.plan = &plan, .data = &value, .capacity = sizeof value, .err = out->err};
    ConvertCode code;
    switch (cell->family) {
    case FAMILY_BOOL: code = write_bit(cell, &inner); break;
    case FAMILY_INTEGER: /* as wide as the type */
        code = write_int64(cell, &inner);
        inner.length = plan.source == SRC_INT8    ? 1
                       : plan.source == SRC_INT16 ? 2
                       : plan.source == SRC_INT32 ? 4
                                                  : 8;
        break;
    case FAMILY_REAL:
        code = cell->single ? write_float(cell, &inner) : write_double(cell, &inner);
        break;
    case FAMILY_DATE: code = write_date(cell, &inner); break;
    case FAMILY_TIME: code = write_time(cell, &inner); break;
    case FAMILY_TIMESTAMP: code = write_timestamp(cell, &inner); break;
    case FAMILY_UUID: return store_bytes(out, cell->uuid, 16);
    case FAMILY_YM:
        plan.ctype = SQL_C_INTERVAL_YEAR_TO_MONTH;
        code = interval_write(cell, &inner);
        break;
    case FAMILY_DS:
        plan.ctype = SQL_C_INTERVAL_DAY_TO_SECOND;
        code = interval_write(cell, &inner);
        break;
    case FAMILY_DECIMAL: return write_digits(cell, out);
    default: return write_text(cell, out); /* text, bytes, nested */
    }
    if (code >= CONVERT_ERROR) return code;
    ConvertCode stored = store_bytes(out, &value, (size_t)inner.length);
    return stored != CONVERT_OK ? stored : code;
}

static const CellWriter class_writers[C_COUNT] = {
    [C_CHAR] = write_text,         [C_WCHAR] = write_text,        [C_BIT] = write_bit,
    [C_INT8] = write_int8,         [C_UINT8] = write_uint8,       [C_INT16] = write_int16,
    [C_UINT16] = write_uint16,     [C_INT32] = write_int32,       [C_UINT32] = write_uint32,
    [C_INT64] = write_int64,       [C_UINT64] = write_uint64,     [C_FLOAT] = write_float,
    [C_DOUBLE] = write_double,     [C_NUMERIC] = write_numeric,   [C_BINARY] = write_binary,
    [C_DATE] = write_date,         [C_TIME] = write_time,         [C_TIMESTAMP] = write_timestamp,
    [C_GUID] = write_guid,         [C_YM_FIELD] = interval_write, [C_YM] = interval_write,
    [C_DS_FIELD] = interval_write, [C_DS] = interval_write,
};

CellWriter convert_writer(Family family, CClass cclass) {
    return convert_allowed(family, cclass) ? class_writers[cclass] : NULL;
}
