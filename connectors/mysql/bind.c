/*
 * bind.c - one function per kind of value; numbers and dates cross in binary, never as text.
 */
#include "connectors/mysql/bind.h"

#include "connectors/mysql/shippable.h"
#include "engine/base/calendar.h"
#include "engine/base/decimal.h"

/* What a bind points at; lives until the statement was executed. */
typedef struct Bound {
    union {
        signed char tiny;
        long long number;
        double real;
        MYSQL_TIME time;
        char text[DECIMAL_TEXT_MAX];
    } as;
    unsigned long length;
    my_bool is_null;
} Bound;

static void bind_text(MYSQL_BIND *bind, Bound *bound, enum enum_field_types type, const char *data,
                      size_t length) {
    bind->buffer_type = type;
    bind->buffer = (void *)(length ? data : "");
    bound->length = (unsigned long)length;
    bind->buffer_length = bound->length;
    bind->length = &bound->length;
}

/* Stored values come without blanks at the end, and comparisons take no notice of them. */
static void bind_char(MYSQL_BIND *bind, Bound *bound, const TribValue *value) {
    size_t length = value->as.text.length;
    while (length > 0 && value->as.text.data[length - 1] == ' ') length--;
    bind_text(bind, bound, MYSQL_TYPE_STRING, value->as.text.data, length);
}

static void bind_decimal(MYSQL_BIND *bind, Bound *bound, const TribValue *value) {
    Int128 unscaled = value->type.precision <= 18 ? (Int128)value->as.integer : value->as.wide;
    size_t length = decimal_format(unscaled, value->type.scale, bound->as.text);
    bind_text(bind, bound, MYSQL_TYPE_NEWDECIMAL, bound->as.text, length);
}

static void bind_date(MYSQL_BIND *bind, Bound *bound, int64_t days) {
    CivilDate date = date_to_civil((int32_t)days);
    bound->as.time = (MYSQL_TIME){.year = (unsigned int)date.year,
                                  .month = date.month,
                                  .day = date.day,
                                  .time_type = MYSQL_TIMESTAMP_DATE};
    bind->buffer_type = MYSQL_TYPE_DATE;
    bind->buffer = &bound->as.time;
}

static void bind_clock(MYSQL_TIME *time, int64_t us) {
    time->second_part = (unsigned long)(us % US_PER_SECOND);
    int64_t seconds = us / US_PER_SECOND;
    time->second = (unsigned int)(seconds % 60);
    time->minute = (unsigned int)(seconds / 60 % 60);
    time->hour = (unsigned int)(seconds / 3600);
}

static void bind_timestamp(MYSQL_BIND *bind, Bound *bound, int64_t us) {
    int64_t days = us / US_PER_DAY - (us % US_PER_DAY < 0);
    bind_date(bind, bound, days);
    bind_clock(&bound->as.time, us - days * US_PER_DAY);
    bound->as.time.time_type = MYSQL_TIMESTAMP_DATETIME;
    bind->buffer_type = MYSQL_TYPE_DATETIME;
}

static void bind_duration(MYSQL_BIND *bind, Bound *bound, int64_t us) {
    bound->as.time = (MYSQL_TIME){.neg = us < 0, .time_type = MYSQL_TIMESTAMP_TIME};
    bind_clock(&bound->as.time, us < 0 ? -us : us);
    bound->as.time.day = bound->as.time.hour / 24;
    bound->as.time.hour %= 24;
    bind->buffer_type = MYSQL_TYPE_TIME;
    bind->buffer = &bound->as.time;
}

static void bind_uuid(MYSQL_BIND *bind, Bound *bound, const TribValue *value) {
    static const char digits[] = "0123456789abcdef";
    size_t length = 0;
    for (size_t i = 0; i < 16 && i < value->as.text.length; i++) {
        unsigned char byte = (unsigned char)value->as.text.data[i];
        if (i == 4 || i == 6 || i == 8 || i == 10) bound->as.text[length++] = '-';
        bound->as.text[length++] = digits[byte >> 4];
        bound->as.text[length++] = digits[byte & 15];
    }
    bind_text(bind, bound, MYSQL_TYPE_STRING, bound->as.text, length);
}

static bool bind_value(MYSQL_BIND *bind, Bound *bound, const TribValue *value) {
    if (value->is_null || value->type.id == TRIB_TYPE_UNKNOWN) {
        bind->buffer_type = MYSQL_TYPE_NULL;
        return true;
    }
    switch (value->type.id) {
    case TRIB_TYPE_BOOLEAN:
        bound->as.tiny = value->as.integer != 0;
        bind->buffer_type = MYSQL_TYPE_TINY;
        bind->buffer = &bound->as.tiny;
        return true;
    case TRIB_TYPE_TINYINT:
    case TRIB_TYPE_SMALLINT:
    case TRIB_TYPE_INTEGER:
    case TRIB_TYPE_BIGINT:
        bound->as.number = value->as.integer;
        bind->buffer_type = MYSQL_TYPE_LONGLONG;
        bind->buffer = &bound->as.number;
        return true;
    case TRIB_TYPE_REAL:
    case TRIB_TYPE_DOUBLE:
        bound->as.real = value->as.real;
        bind->buffer_type = MYSQL_TYPE_DOUBLE;
        bind->buffer = &bound->as.real;
        return true;
    case TRIB_TYPE_DECIMAL: bind_decimal(bind, bound, value); return true;
    case TRIB_TYPE_CHAR: bind_char(bind, bound, value); return true;
    case TRIB_TYPE_VARCHAR:
        bind_text(bind, bound, MYSQL_TYPE_STRING, value->as.text.data, value->as.text.length);
        return true;
    case TRIB_TYPE_VARBINARY:
        bind_text(bind, bound, MYSQL_TYPE_BLOB, value->as.text.data, value->as.text.length);
        return true;
    case TRIB_TYPE_DATE: bind_date(bind, bound, value->as.integer); return true;
    case TRIB_TYPE_TIMESTAMP:
        bind_timestamp(bind, bound,
                       value->type.precision > 6 ? value->as.instant.us : value->as.integer);
        return true;
    case TRIB_TYPE_TIMESTAMP_TZ: bind_timestamp(bind, bound, value->as.instant.us); return true;
    case TRIB_TYPE_TIME: bind_duration(bind, bound, value->as.integer / 1000); return true;
    case TRIB_TYPE_INTERVAL_DS: bind_duration(bind, bound, value->as.integer); return true;
    case TRIB_TYPE_UUID: bind_uuid(bind, bound, value); return true;
    default: return false;
    }
}

Status bind_params(Arena *arena, const SqlFragment *statement, const TribValue *slots,
                   uint32_t nslots, MYSQL_BIND **binds, Error *err) {
    Bound *bounds;
    TRY_ALLOC(*binds, ARENA_ARRAY(arena, MYSQL_BIND, statement->nparams), err);
    TRY_ALLOC(bounds, ARENA_ARRAY(arena, Bound, statement->nparams), err);
    for (uint32_t i = 0; i < statement->nparams; i++) {
        const SqlParam *param = &statement->params[i];
        if (param->is_slot && param->slot >= nslots) {
            return error_set(err, ERR_PARAM_COUNT, "parameter %u has no value", param->slot + 1);
        }
        const TribValue *value = param->is_slot ? &slots[param->slot] : &param->value;
        const char *refused = shippable_dialect.unbindable(NULL, value);
        if (refused || !bind_value(&(*binds)[i], &bounds[i], value)) {
            return error_set(err, ERR_INVALID_ARGUMENT,
                             "parameter %u cannot be sent to the source: %s", i + 1,
                             refused ? refused : "a type that the source does not have");
        }
    }
    return TRIB_OK;
}
