/*
 * cast_text.c - casts to and from text, uuid and varbinary.
 *
 * Every type has one formatter into a small buffer and one parser from a slice; the loops only walk
 * the rows. Text to text is a matter of lengths: cut, pad, strip.
 */
#include "engine/kernels/loop.h"
#include "engine/base/calendar.h"
#include "engine/base/number.h"
#include "engine/kernels/arithmetic.h"
#include "engine/kernels/cast.h"

/* ---------------------------------------------------------------- to text */

static size_t timetz_format(TimeTz t, int precision, char *out) {
    size_t len = time_format_iso(t.ns, precision, out);
    int32_t minutes = t.offset / 60, size = minutes < 0 ? -minutes : minutes;
    out[len++] = minutes < 0 ? '-' : '+';
    out[len++] = (char)('0' + size / 600 % 10);
    out[len++] = (char)('0' + size / 60 % 10);
    out[len++] = ':';
    out[len++] = (char)('0' + size % 60 / 10);
    out[len++] = (char)('0' + size % 10);
    return len;
}

static size_t uuid_format(const Uuid *uuid, char *out) {
    static const char digits[] = "0123456789abcdef";
    size_t len = 0;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out[len++] = '-';
        out[len++] = digits[uuid->bytes[i] >> 4];
        out[len++] = digits[uuid->bytes[i] & 15];
    }
    return len;
}

static size_t timestamp_format(const Vector *v, uint32_t row, char *out) {
    int precision = v->type.precision;
    if (v->physical == PHYS_INT64) {
        return timestamp_format_iso(((const int64_t *)v->data)[row], 0, precision, out);
    }
    Instant t = ((const Instant *)v->data)[row];
    return timestamp_format_iso(t.us, t.ns, precision, out);
}

/* A printed floating-point number as SQL spells it in a cast: one digit, the rest, E and the exponent
 * (37.7 is 3.77E1). In place; NaN, Infinity and what has an exponent already stay. */
static size_t scientific(char *text, size_t len) {
    char digits[NUMBER_TEXT_MAX];
    size_t ndigits = 0, point = len, first = 0, at = 0;
    bool negative = text[0] == '-';
    for (size_t i = negative; i < len; i++) {
        if (text[i] == '.') {
            point = ndigits;
        } else if (text[i] >= '0' && text[i] <= '9') {
            digits[ndigits++] = text[i];
        } else {
            return len;
        }
    }
    while (first + 1 < ndigits && digits[first] == '0') first++;
    while (ndigits > first + 1 && digits[ndigits - 1] == '0') ndigits--;
    int64_t exponent = digits[first] == '0' ? 0 : (int64_t)point - (int64_t)first - 1;
    if (negative) text[at++] = '-';
    text[at++] = digits[first];
    text[at++] = '.';
    if (ndigits == first + 1) text[at++] = '0';
    memcpy(text + at, digits + first + 1, ndigits - first - 1);
    at += ndigits - first - 1;
    text[at++] = 'E';
    return at + int64_format(exponent, text + at);
}

size_t value_format(const Vector *v, uint32_t row, char *out) {
    if (v->form == VECTOR_CONSTANT) row = 0;
    const void *data = v->data;
    switch (v->type.id) {
    case TRIB_TYPE_BOOLEAN: {
        bool yes = ((const uint8_t *)data)[row] != 0;
        memcpy(out, yes ? "true" : "false", 5);
        return yes ? 4 : 5;
    }
    case TRIB_TYPE_TINYINT: return int64_format(((const int8_t *)data)[row], out);
    case TRIB_TYPE_SMALLINT: return int64_format(((const int16_t *)data)[row], out);
    case TRIB_TYPE_INTEGER: return int64_format(((const int32_t *)data)[row], out);
    case TRIB_TYPE_BIGINT: return int64_format(((const int64_t *)data)[row], out);
    case TRIB_TYPE_REAL: return scientific(out, float_format(((const float *)data)[row], out));
    case TRIB_TYPE_DOUBLE: return scientific(out, double_format(((const double *)data)[row], out));
    case TRIB_TYPE_DECIMAL: return decimal_format(decimal_at(v, row), v->type.scale, out);
    case TRIB_TYPE_DATE: return date_format_iso(((const int32_t *)data)[row], out);
    case TRIB_TYPE_TIME:
        return time_format_iso(((const int64_t *)data)[row], v->type.precision, out);
    case TRIB_TYPE_TIME_TZ:
        return timetz_format(((const TimeTz *)data)[row], v->type.precision, out);
    case TRIB_TYPE_TIMESTAMP: return timestamp_format(v, row, out);
    case TRIB_TYPE_TIMESTAMP_TZ: {
        ZonedInstant t = ((const ZonedInstant *)data)[row];
        return timestamp_tz_format(t.us, t.ns, t.zone, v->type.precision, out);
    }
    case TRIB_TYPE_INTERVAL_YM: return interval_ym_format(((const int32_t *)data)[row], out);
    case TRIB_TYPE_INTERVAL_DS: return interval_ds_format(((const int64_t *)data)[row], out);
    case TRIB_TYPE_UUID: return uuid_format((const Uuid *)data + row, out);
    default: return 0;
    }
}

static size_t blanks_stripped(const char *data, size_t len) {
    while (len > 0 && data[len - 1] == ' ') len--;
    return len;
}

/* Text cut to `length` characters; 0 = no limit. */
static size_t text_cut(Str text, uint32_t length) {
    if (length == 0 || text.len <= length) return text.len;
    return utf8_offset(text.data, text.len, length);
}

/* char(n) becomes varchar(m): padded to n characters, cut to m. */
static Status padded_put(KernelCall *call, uint32_t row, Str text, uint32_t from, uint32_t to) {
    uint32_t wanted = to == 0 || from < to ? from : to;
    size_t characters = utf8_length(text.data, text.len);
    if (characters >= wanted) {
        return kernel_put_text(call, row, text.data, text_cut(text, wanted));
    }
    size_t blanks = wanted - characters;
    char small[STRVIEW_INLINE];
    char *out = small;
    if (text.len + blanks > sizeof(small)) {
        out = kernel_text(call, row, text.len + blanks);
        if (out == NULL) return call->errors[row] ? TRIB_OK : error_out_of_memory(call->err);
    }
    memcpy(out, text.data, text.len);
    memset(out + text.len, ' ', blanks);
    ((StrView *)call->result->data)[row] = strview_of(out, text.len + blanks);
    return TRIB_OK;
}

/* Bytes are shared with the argument: a prefix of a view is a view. */
static Status text_to_text(KernelCall *call) {
    Type from = call->args[0].type, to = call->result_type;
    StrView *out = call->result->data;
    KERNEL_ROWS(call, row, {
        const StrView *view = &KERNEL_ARG(call, 0, StrView, row);
        Str text = strview_str(view);
        if (from.id == TRIB_TYPE_CHAR && to.id == TRIB_TYPE_VARCHAR) {
            TRY(padded_put(call, row, text, from.length, to.length));
            continue;
        }
        size_t len = text_cut(text, to.length);
        if (to.id == TRIB_TYPE_CHAR) len = blanks_stripped(text.data, len);
        out[row] = len == text.len ? *view : strview_of(text.data, len);
    });
    return TRIB_OK;
}

Status cast_to_text(KernelCall *call) {
    if (type_is_text(call->args[0].type)) return text_to_text(call);
    uint32_t limit = call->result_type.length;
    char text[CALENDAR_TEXT_MAX];
    KERNEL_ROWS(call, row, {
        size_t len = value_format(&call->args[0], row, text);
        if (limit > 0 && len > limit) {
            call->errors[row] = KERNEL_ERROR(ERR_INVALID_CAST);
            continue;
        }
        TRY(kernel_put_text(call, row, text, len));
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- from text */

static uint8_t parse_boolean(Str text, void *out) {
    if (str_equal_fold(text, STR("true")) || str_equal_fold(text, STR("t")) ||
        str_equal(text, STR("1"))) {
        *(uint8_t *)out = 1;
        return 0;
    }
    *(uint8_t *)out = 0;
    bool no = str_equal_fold(text, STR("false")) || str_equal_fold(text, STR("f")) ||
              str_equal(text, STR("0"));
    return no ? 0 : KERNEL_ERROR(ERR_INVALID_CAST);
}

static uint8_t number_error(NumberResult result) {
    if (result == NUMBER_OK) return 0;
    return KERNEL_ERROR(result == NUMBER_RANGE ? ERR_OUT_OF_RANGE : ERR_INVALID_CAST);
}

static uint8_t parse_integer(Str text, PhysicalType physical, void *out) {
    int64_t value = 0;
    uint8_t error = number_error(int64_parse(text, &value));
    if (error) return error;
    bool fits = true;
    switch (physical) {
    case PHYS_INT8:
        *(int8_t *)out = (int8_t)value;
        fits = value == (int8_t)value;
        break;
    case PHYS_INT16:
        *(int16_t *)out = (int16_t)value;
        fits = value == (int16_t)value;
        break;
    case PHYS_INT32:
        *(int32_t *)out = (int32_t)value;
        fits = value == (int32_t)value;
        break;
    default: *(int64_t *)out = value;
    }
    return fits ? 0 : KERNEL_ERROR(ERR_OUT_OF_RANGE);
}

static uint8_t parse_decimal(Str text, Type to, void *out) {
    Int128 value = 0;
    DecimalResult result = decimal_parse(text, to.precision, to.scale, &value);
    if (result == DECIMAL_SYNTAX) return KERNEL_ERROR(ERR_INVALID_CAST);
    if (result != DECIMAL_OK) return KERNEL_ERROR(ERR_OUT_OF_RANGE);
    if (type_physical(to) == PHYS_INT128) {
        *(Int128 *)out = value;
    } else {
        *(int64_t *)out = (int64_t)value;
    }
    return 0;
}

static int64_t round_time(int64_t ns, int precision) {
    int64_t unit = (int64_t)decimal_powers[9 - precision];
    return (ns + unit / 2) / unit * unit % NS_PER_DAY;
}

/* "10:00:00+02:00"; without an offset the session's zone as of now. */
static uint8_t parse_timetz(const EvalSession *session, Str text, Type to, TimeTz *out) {
    text = str_trim(text);
    size_t sign = text.len;
    while (sign > 0 && text.data[sign - 1] != '+' && text.data[sign - 1] != '-') sign--;
    int32_t offset = session ? zone_offset_at(session->zone, session->now_us) : 0;
    Str clock = text;
    if (sign > 0) {
        clock.len = sign - 1;
        int16_t zone = zone_lookup((Str){text.data + clock.len, text.len - clock.len});
        if (zone < 0) return KERNEL_ERROR(ERR_DATETIME_FORMAT);
        offset = zone_offset_at(zone, 0);
    } else if (text.len > 0 && (text.data[text.len - 1] | 32) == 'z') {
        clock.len--;
        offset = 0;
    }
    int64_t ns;
    if (!time_parse(clock, &ns)) return KERNEL_ERROR(ERR_DATETIME_FORMAT);
    *out = (TimeTz){.ns = round_time(ns, to.precision), .offset = offset};
    return 0;
}

static uint8_t parse_timestamp(const EvalSession *session, Str text, Type to, void *out) {
    int64_t us;
    int32_t ns = 0;
    int16_t zone = -1;
    if (!timestamp_parse(text, to.precision, &us, &ns, &zone)) {
        return KERNEL_ERROR(ERR_DATETIME_FORMAT);
    }
    if (to.id == TRIB_TYPE_TIMESTAMP_TZ) {
        if (zone < 0) zone = session ? session->zone : ZONE_UTC;
        *(ZonedInstant *)out =
            (ZonedInstant){.us = zone_local_to_utc(zone, us), .zone = zone, .ns = (int16_t)ns};
        return 0;
    }
    if (zone >= 0) return KERNEL_ERROR(ERR_DATETIME_FORMAT); /* nothing is dropped in silence */
    if (type_physical(to) == PHYS_INSTANT) {
        *(Instant *)out = (Instant){.us = us, .ns = ns};
    } else {
        *(int64_t *)out = us;
    }
    return 0;
}

/* Digits up to 9 of them, at least one. */
static bool read_digits(Str text, size_t *at, int64_t *out) {
    size_t start = *at;
    int64_t value = 0;
    while (*at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9' && *at - start < 10) {
        value = value * 10 + (text.data[(*at)++] - '0');
    }
    *out = value;
    return *at > start && *at - start < 10;
}

static bool read_char(Str text, size_t *at, char c) {
    if (*at >= text.len || text.data[*at] != c) return false;
    (*at)++;
    return true;
}

/* "[-]years-months" */
static uint8_t parse_interval_ym(Str text, int32_t *out) {
    text = str_trim(text);
    size_t at = 0;
    int64_t years, months = 0;
    bool negative = read_char(text, &at, '-');
    bool good = read_digits(text, &at, &years);
    if (good && at < text.len) {
        good = read_char(text, &at, '-') && read_digits(text, &at, &months) && months < 12;
    }
    if (!good || at != text.len) return KERNEL_ERROR(ERR_INVALID_CAST);
    int64_t all = years * 12 + months;
    if (all > INT32_MAX) return KERNEL_ERROR(ERR_INTERVAL_OVERFLOW);
    *out = (int32_t)(negative ? -all : all);
    return 0;
}

/* "[-]days hours:minutes:seconds[.fraction]" */
static uint8_t parse_interval_ds(Str text, int64_t *out) {
    text = str_trim(text);
    size_t at = 0;
    int64_t days, ns;
    bool negative = read_char(text, &at, '-');
    if (!read_digits(text, &at, &days) || !read_char(text, &at, ' ') ||
        !time_parse((Str){text.data + at, text.len - at}, &ns)) {
        return KERNEL_ERROR(ERR_INVALID_CAST);
    }
    int64_t us;
    if (__builtin_mul_overflow(days, US_PER_DAY, &us) ||
        __builtin_add_overflow(us, ns / 1000, &us)) {
        return KERNEL_ERROR(ERR_INTERVAL_OVERFLOW);
    }
    *out = negative ? -us : us;
    return 0;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint8_t parse_uuid(Str text, Uuid *out) {
    if (text.len != 36) return KERNEL_ERROR(ERR_INVALID_CAST);
    size_t at = 0;
    for (int i = 0; i < 16; i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && text.data[at++] != '-') {
            return KERNEL_ERROR(ERR_INVALID_CAST);
        }
        int high = hex_digit(text.data[at++]), low = hex_digit(text.data[at++]);
        if (high < 0 || low < 0) return KERNEL_ERROR(ERR_INVALID_CAST);
        out->bytes[i] = (uint8_t)(high * 16 + low);
    }
    return 0;
}

uint8_t text_parse_value(const EvalSession *session, Str text, Type to, void *out) {
    switch (to.id) {
    case TRIB_TYPE_BOOLEAN: return parse_boolean(text, out);
    case TRIB_TYPE_TINYINT:
    case TRIB_TYPE_SMALLINT:
    case TRIB_TYPE_INTEGER:
    case TRIB_TYPE_BIGINT: return parse_integer(text, type_physical(to), out);
    case TRIB_TYPE_REAL: return number_error(float_parse(str_trim(text), out));
    case TRIB_TYPE_DOUBLE: return number_error(double_parse(str_trim(text), out));
    case TRIB_TYPE_DECIMAL: return parse_decimal(text, to, out);
    case TRIB_TYPE_DATE: return date_parse(text, out) ? 0 : KERNEL_ERROR(ERR_DATETIME_FORMAT);
    case TRIB_TYPE_TIME: {
        int64_t ns;
        if (!time_parse(text, &ns)) return KERNEL_ERROR(ERR_DATETIME_FORMAT);
        *(int64_t *)out = round_time(ns, to.precision);
        return 0;
    }
    case TRIB_TYPE_TIME_TZ: return parse_timetz(session, text, to, out);
    case TRIB_TYPE_TIMESTAMP:
    case TRIB_TYPE_TIMESTAMP_TZ: return parse_timestamp(session, text, to, out);
    case TRIB_TYPE_INTERVAL_YM: return parse_interval_ym(text, out);
    case TRIB_TYPE_INTERVAL_DS: return parse_interval_ds(text, out);
    case TRIB_TYPE_UUID: return parse_uuid(text, out);
    default: return KERNEL_ERROR(ERR_INVALID_CAST);
    }
}

Status cast_from_text(KernelCall *call) {
    size_t size = physical_size((PhysicalType)call->result->physical);
    char *out = call->result->data;
    KERNEL_ROWS(call, row, {
        Str text = strview_str(&KERNEL_ARG(call, 0, StrView, row));
        call->errors[row] =
            text_parse_value(call->session, text, call->result_type, out + row * size);
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- bytes */

Status cast_bytes(KernelCall *call) {
    bool from_uuid = call->args[0].type.id == TRIB_TYPE_UUID;
    KERNEL_ROWS(call, row, {
        if (from_uuid) {
            const Uuid *uuid = &KERNEL_ARG(call, 0, Uuid, row);
            TRY(kernel_put_text(call, row, (const char *)uuid->bytes, sizeof(*uuid)));
            continue;
        }
        Str bytes = strview_str(&KERNEL_ARG(call, 0, StrView, row));
        if (call->result_type.id == TRIB_TYPE_VARBINARY) {
            ((StrView *)call->result->data)[row] = strview_of(bytes.data, bytes.len);
        } else if (bytes.len == sizeof(Uuid)) {
            memcpy((Uuid *)call->result->data + row, bytes.data, sizeof(Uuid));
        } else {
            call->errors[row] = KERNEL_ERROR(ERR_INVALID_CAST);
        }
    });
    return TRIB_OK;
}
