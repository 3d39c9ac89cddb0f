/*
 * convert_table.c - which conversions exist (the specification's appendix D, "SQL to C"), the classes
 * of C types, and the plan of a column.
 *
 * The table is [source family][C class]; an empty place is 07006. Everything else asks it.
 */
#include "driver/convert.h"
#include "engine/base/bitmap.h"

#define BIT(class) (UINT32_C(1) << (class))
#define TEXTS      (BIT(C_CHAR) | BIT(C_WCHAR) | BIT(C_BINARY))
#define INTEGERS                                                                                \
    (BIT(C_INT8) | BIT(C_UINT8) | BIT(C_INT16) | BIT(C_UINT16) | BIT(C_INT32) | BIT(C_UINT32) | \
     BIT(C_INT64) | BIT(C_UINT64))
#define NUMBERS   (INTEGERS | BIT(C_BIT) | BIT(C_FLOAT) | BIT(C_DOUBLE) | BIT(C_NUMERIC))
#define YM        (BIT(C_YM_FIELD) | BIT(C_YM))
#define DS        (BIT(C_DS_FIELD) | BIT(C_DS))
#define INTERVALS (YM | DS)
#define TIMES     (BIT(C_DATE) | BIT(C_TIME) | BIT(C_TIMESTAMP))

static const uint32_t allowed[FAMILY_COUNT] = {
    [FAMILY_BOOL] = TEXTS | NUMBERS,
    [FAMILY_INTEGER] = TEXTS | NUMBERS | INTERVALS,
    [FAMILY_DECIMAL] = TEXTS | NUMBERS | INTERVALS,
    [FAMILY_REAL] = TEXTS | NUMBERS,
    [FAMILY_TEXT] = TEXTS | NUMBERS | INTERVALS | TIMES | BIT(C_GUID),
    [FAMILY_BYTES] = TEXTS,
    [FAMILY_DATE] = TEXTS | BIT(C_DATE) | BIT(C_TIMESTAMP),
    [FAMILY_TIME] = TEXTS | BIT(C_TIME) | BIT(C_TIMESTAMP),
    [FAMILY_TIMESTAMP] = TEXTS | TIMES,
    [FAMILY_YM] = TEXTS | YM | INTEGERS | BIT(C_NUMERIC), /* the numbers: 22015 */
    [FAMILY_DS] = TEXTS | DS,
    [FAMILY_UUID] = TEXTS | BIT(C_GUID),
    [FAMILY_NESTED] = TEXTS,
};

/* The appendix's other half, "C to SQL". */
#define TO(target)  (UINT32_C(1) << (target))
#define TO_NUMBERS  (TO(TARGET_EXACT) | TO(TARGET_REAL) | TO(TARGET_BIT))
#define TO_FIELDS   (TO(TARGET_YM_FIELD) | TO(TARGET_DS_FIELD))
#define FROM_REAL   (TO(TARGET_TEXT) | TO_NUMBERS)
#define FROM_EXACT  (FROM_REAL | TO_FIELDS)
#define TO_YM       (TO(TARGET_YM_FIELD) | TO(TARGET_YM))
#define TO_DS       (TO(TARGET_DS_FIELD) | TO(TARGET_DS))
#define TO_ANYTHING ((UINT32_C(1) << TARGET_COUNT) - 1)

static const uint32_t allowed_parameters[C_COUNT] = {
    [C_CHAR] = TO_ANYTHING,
    [C_WCHAR] = TO_ANYTHING,
    [C_BINARY] = TO_ANYTHING,
    [C_BIT] = FROM_REAL,
    [C_INT8] = FROM_EXACT,
    [C_UINT8] = FROM_EXACT,
    [C_INT16] = FROM_EXACT,
    [C_UINT16] = FROM_EXACT,
    [C_INT32] = FROM_EXACT,
    [C_UINT32] = FROM_EXACT,
    [C_INT64] = FROM_EXACT,
    [C_UINT64] = FROM_EXACT,
    [C_NUMERIC] = FROM_EXACT,
    [C_FLOAT] = FROM_REAL,
    [C_DOUBLE] = FROM_REAL,
    [C_DATE] = TO(TARGET_TEXT) | TO(TARGET_DATE) | TO(TARGET_TIMESTAMP),
    [C_TIME] = TO(TARGET_TEXT) | TO(TARGET_TIME) | TO(TARGET_TIMESTAMP),
    [C_TIMESTAMP] = TO(TARGET_TEXT) | TO(TARGET_DATE) | TO(TARGET_TIME) | TO(TARGET_TIMESTAMP),
    [C_GUID] = TO(TARGET_TEXT) | TO(TARGET_UUID),
    [C_YM_FIELD] = TO(TARGET_TEXT) | TO(TARGET_EXACT) | TO_YM,
    [C_YM] = TO(TARGET_TEXT) | TO_YM,
    [C_DS_FIELD] = TO(TARGET_TEXT) | TO(TARGET_EXACT) | TO_DS,
    [C_DS] = TO(TARGET_TEXT) | TO_DS,
};

static Target target_of(SQLSMALLINT concise) {
    TribType type = sqltype_parameter(concise, 0, 0);
    switch (type.id) {
    case TRIB_TYPE_VARCHAR: return TARGET_TEXT;
    case TRIB_TYPE_BOOLEAN: return TARGET_BIT;
    case TRIB_TYPE_TINYINT:
    case TRIB_TYPE_SMALLINT:
    case TRIB_TYPE_INTEGER:
    case TRIB_TYPE_BIGINT:
    case TRIB_TYPE_DECIMAL: return TARGET_EXACT;
    case TRIB_TYPE_REAL:
    case TRIB_TYPE_DOUBLE: return TARGET_REAL;
    case TRIB_TYPE_VARBINARY: return TARGET_BYTES;
    case TRIB_TYPE_DATE: return TARGET_DATE;
    case TRIB_TYPE_TIME: return TARGET_TIME;
    case TRIB_TYPE_TIMESTAMP: return TARGET_TIMESTAMP;
    case TRIB_TYPE_UUID: return TARGET_UUID;
    case TRIB_TYPE_INTERVAL_YM: return interval_is_single(concise) ? TARGET_YM_FIELD : TARGET_YM;
    case TRIB_TYPE_INTERVAL_DS: return interval_is_single(concise) ? TARGET_DS_FIELD : TARGET_DS;
    default: return TARGET_COUNT;
    }
}

bool convert_parameter_allowed(SQLSMALLINT ctype, SQLSMALLINT sqltype) {
    CClass cclass = convert_class(ctype);
    Target target = target_of(sqltype);
    return cclass < C_COUNT && target < TARGET_COUNT && (allowed_parameters[cclass] & TO(target));
}

bool convert_allowed(Family family, CClass cclass) {
    return cclass < C_COUNT && (allowed[family] & BIT(cclass)) != 0;
}

CClass convert_class(SQLSMALLINT ctype) {
    switch (ctype) {
    case SQL_C_CHAR: return C_CHAR;
    case SQL_C_WCHAR: return C_WCHAR;
    case SQL_C_BIT: return C_BIT;
    case SQL_C_TINYINT:
    case SQL_C_STINYINT: return C_INT8;
    case SQL_C_UTINYINT: return C_UINT8;
    case SQL_C_SHORT:
    case SQL_C_SSHORT: return C_INT16;
    case SQL_C_USHORT: return C_UINT16;
    case SQL_C_LONG:
    case SQL_C_SLONG: return C_INT32;
    case SQL_C_ULONG: return C_UINT32;
    case SQL_C_SBIGINT: return C_INT64;
    case SQL_C_UBIGINT: return C_UINT64;
    case SQL_C_FLOAT: return C_FLOAT;
    case SQL_C_DOUBLE: return C_DOUBLE;
    case SQL_C_NUMERIC: return C_NUMERIC;
    case SQL_C_BINARY: return C_BINARY;
    case SQL_C_DATE:
    case SQL_C_TYPE_DATE: return C_DATE;
    case SQL_C_TIME:
    case SQL_C_TYPE_TIME: return C_TIME;
    case SQL_C_TIMESTAMP:
    case SQL_C_TYPE_TIMESTAMP: return C_TIMESTAMP;
    case SQL_C_GUID: return C_GUID;
    case SQL_C_INTERVAL_YEAR:
    case SQL_C_INTERVAL_MONTH: return C_YM_FIELD;
    case SQL_C_INTERVAL_YEAR_TO_MONTH: return C_YM;
    default: break;
    }
    if (!ctype_is_interval(ctype)) return C_COUNT;
    return interval_is_single(ctype) ? C_DS_FIELD : C_DS;
}

ConvertCode convert_plan(ConvertPlan *plan, TribType type, SQLSMALLINT ctype) {
    memset(plan, 0, sizeof *plan);
    plan->type = type;
    plan->ctype = ctype;
    plan->source = convert_source(type);
    plan->family = convert_family(plan->source);
    plan->cclass = convert_class(ctype);
    plan->size = ctype_size(ctype);
    plan->variable = plan->size == 0;
    plan->write = convert_writer(plan->family, plan->cclass);
    if (plan->source == SRC_NULL) { /* only NULLs will come: any C type takes them */
        if (plan->cclass == C_COUNT) return CONVERT_RESTRICTED;
        plan->write = convert_writer(FAMILY_TEXT, C_CHAR);
        return CONVERT_OK;
    }
    plan->kernel = convert_kernel(plan->source, plan->cclass);
    return plan->write ? CONVERT_OK : CONVERT_RESTRICTED;
}

void convert_precisions(ConvertPlan *plan, const Precisions *given) {
    SQLSMALLINT precision = given->precision > 0 ? given->precision : 0;
    plan->numeric_set = plan->cclass == C_NUMERIC && given->set;
    plan->numeric_precision = (uint8_t)(precision > UINT8_MAX ? UINT8_MAX : precision);
    plan->numeric_scale = (int8_t)given->scale;
    plan->seconds_set = plan->cclass != C_NUMERIC && given->set;
    plan->seconds_precision = (uint8_t)(precision > 9 ? 9 : precision);
    plan->leading_precision =
        (uint8_t)(given->leading > 0 && given->leading <= UINT8_MAX ? given->leading : 0);
}

Status convert_error(ConvertCode code, Error *err) {
    switch (code) {
    case CONVERT_CUT:
        return error_set(err, ERR_STRING_TRUNCATED,
                         "the value is longer than the buffer and was cut");
    case CONVERT_FRACTION:
        return error_set(err, ERR_FRACTION_TRUNCATED, "the fraction of the value was dropped");
    case CONVERT_RANGE:
        return error_set(err, ERR_OUT_OF_RANGE, "the value does not fit the type or the buffer");
    case CONVERT_INVALID:
        return error_set(err, ERR_INVALID_CAST, "the text is not a value of the requested type");
    case CONVERT_DATETIME:
        return error_set(err, ERR_DATETIME_FORMAT, "the date or time is not valid");
    case CONVERT_DATE_RANGE:
        return error_set(err, ERR_DATETIME_OVERFLOW,
                         "the value has parts that the type cannot hold");
    case CONVERT_INTERVAL:
        return error_set(err, ERR_INTERVAL_OVERFLOW, "the value does not fit the interval");
    case CONVERT_TOO_LONG:
        return error_set(err, ERR_VALUE_TOO_LONG, "the value is longer than its type");
    case CONVERT_NO_INDICATOR:
        return error_set(err, ERR_NULL_NO_INDICATOR, "the value is NULL and no indicator is bound");
    case CONVERT_ENGINE: return err->status;
    default:
        return error_set(err, ERR_TYPE_ATTRIBUTE, "there is no conversion between these types");
    }
}

static void length_store(char *to, SQLLEN value) {
    if (to) memcpy(to, &value, sizeof value);
}

static inline uint32_t span_position(const Span *span, uint32_t i) {
    return span->positions ? span->positions[i] : span->first + i;
}

/* Cell by cell: every type, separate length and indicator, MAX_LENGTH. */
static void span_cells(const Span *span) {
    const ConvertPlan *plan = span->plan;
    Error err;
    for (uint32_t i = 0; i < span->count; i++) {
        uint32_t at = span_position(span, i);
        char *length = span->length ? span->length + i * span->length_stride : NULL;
        char *indicator = span->indicator ? span->indicator + i * span->length_stride : NULL;
        if (at == SPAN_NULL ||
            (span->column->validity && !bitmap_get(span->column->validity, at))) {
            if (indicator)
                length_store(indicator, SQL_NULL_DATA);
            else
                span->issue(span->context, i, CONVERT_NO_INDICATOR, NULL);
            continue;
        }
        Cell cell;
        cell_load(span->column, (Source)plan->source, at, &cell);
        if (span->max_length && plan->variable &&
            (cell.family == FAMILY_TEXT || cell.family == FAMILY_BYTES) &&
            cell.text.len > span->max_length)
            cell.text.len = cell.family == FAMILY_TEXT
                                ? utf8_cut(cell.text.data, cell.text.len, span->max_length)
                                : span->max_length;
        if (span->buffer) span->buffer->len = 0;
        CellOut out = {.plan = plan,
                       .data = span->data + i * span->data_stride,
                       .capacity = span->capacity,
                       .buffer = span->buffer,
                       .err = &err};
        ConvertCode code = plan->write(&cell, &out);
        if (code < CONVERT_ERROR) {
            length_store(indicator, 0);
            length_store(length, out.length);
        }
        if (code != CONVERT_OK) span->issue(span->context, i, code, &err);
    }
}

void convert_span(const Span *span) {
    bool simple = span->length == span->indicator && !span->max_length;
    if (span->plan->kernel && simple)
        span->plan->kernel(span);
    else
        span_cells(span);
}
