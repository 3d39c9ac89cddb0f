/*
 * text_format.c - the row and kernel of format(): Java's java.util.Formatter, with which Trino writes.
 *
 * %[index$][flags][width][.precision]conversion. Conversions: b s d o x X f e E g G % n, t and T for dates and
 * times. What Java would throw an exception for - a conversion that does not fit the argument, flags that
 * contradict, an argument that is missing - is an error of the row.
 */
#include "engine/functions/datetime_pattern.h"
#include "engine/functions/format_number.h"

#include "engine/base/number.h"
#include "engine/kernels/text.h"

#include <math.h>

typedef struct Spec {
    bool left, plus, blank, zero, group, parentheses, alternate;
    bool has_precision, previous;
    int64_t index, width, precision; /* index 0: the next one */
    char conversion, time;           /* time: the letter behind t */
} Spec;

typedef struct Writer {
    KernelCall *call;
    uint32_t row;
    Buf *out;
    uint32_t next, last; /* arguments, from 1; last 0 = none yet */
} Writer;

/* ---------------------------------------------------------------- specifications */

static bool number_read(Str text, size_t *at, int64_t *out) {
    size_t start = *at;
    *out = 0;
    while (*at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9') {
        *out = *out * 10 + (text.data[(*at)++] - '0');
        if (*out > INT32_MAX) return false;
    }
    return *at > start;
}

static bool *spec_flag(Spec *spec, char c) {
    switch (c) {
    case '-': return &spec->left;
    case '+': return &spec->plus;
    case ' ': return &spec->blank;
    case '0': return &spec->zero;
    case ',': return &spec->group;
    case '(': return &spec->parentheses;
    case '#': return &spec->alternate;
    case '<': return &spec->previous;
    default: return NULL;
    }
}

/* Behind the '%'; *at is moved behind the conversion. */
static bool spec_read(Str text, size_t *at, Spec *out) {
    *out = (Spec){0};
    size_t start = *at;
    if (number_read(text, at, &out->index) && *at < text.len && text.data[*at] == '$' &&
        out->index > 0) {
        ++*at;
    } else {
        out->index = 0;
        *at = start;
    }
    bool *flag;
    while (*at < text.len && (flag = spec_flag(out, text.data[*at])) != NULL) {
        if (*flag) return false;
        *flag = true;
        ++*at;
    }
    if (*at < text.len && text.data[*at] >= '1' && text.data[*at] <= '9' &&
        !number_read(text, at, &out->width))
        return false;
    if (*at < text.len && text.data[*at] == '.') {
        ++*at;
        out->has_precision = true;
        if (!number_read(text, at, &out->precision)) return false;
    }
    if (*at >= text.len) return false;
    out->conversion = text.data[(*at)++];
    if (out->conversion != 't' && out->conversion != 'T') return true;
    if (*at >= text.len) return false;
    out->time = text.data[(*at)++];
    return true;
}

/* ---------------------------------------------------------------- filling up */

/* What stands in `out` from `from` on gets its width. */
static void pad_from(Buf *out, size_t from, const Spec *spec) {
    int64_t length =
        (int64_t)utf8_length(out->data != NULL ? out->data + from : "", out->len - from);
    int64_t missing = spec->width - length;
    if (missing <= 0 || out->failed) return;
    size_t end = out->len;
    buf_fill(out, ' ', (uint64_t)missing);
    if (spec->left || out->failed) return;
    memmove(out->data + from + missing, out->data + from, end - from);
    memset(out->data + from, ' ', (size_t)missing);
}

static void append_upper(Buf *out, size_t from, bool upper) {
    for (size_t i = from; upper && !out->failed && i < out->len; i++) {
        char c = out->data[i];
        if (c >= 'a' && c <= 'z') out->data[i] = (char)(c & ~32);
    }
}

static void append_text(Writer *w, Str text, const Spec *spec) {
    size_t from = w->out->len;
    if (spec->has_precision) text.len = utf8_offset(text.data, text.len, (size_t)spec->precision);
    buf_str(w->out, text);
    append_upper(w->out, from, spec->conversion >= 'A' && spec->conversion <= 'Z');
    pad_from(w->out, from, spec);
}

/* ---------------------------------------------------------------- numbers */

/* Contradictory flags, or those that need a width and have none. */
static bool number_flags_good(const Spec *spec) {
    if (spec->plus && spec->blank) return false;
    if (spec->left && spec->zero) return false;
    return spec->width > 0 || (!spec->left && !spec->zero);
}

/* What was put together; that it failed goes on to the result. */
static Str body_of(Writer *w, const Buf *body) {
    w->out->failed = w->out->failed || body->failed;
    w->out->exceeded = w->out->exceeded || body->exceeded;
    return buf_view(body);
}

/* The sign, then the digits that `body` holds, then the width. */
static void append_signed(Writer *w, const Spec *spec, bool negative, Str body) {
    size_t from = w->out->len;
    const char *sign = negative      ? (spec->parentheses ? "(" : "-")
                       : spec->plus  ? "+"
                       : spec->blank ? " "
                                     : "";
    bool closing = negative && spec->parentheses;
    int64_t missing = spec->width - (int64_t)strlen(sign) - (int64_t)body.len - (closing ? 1 : 0);
    buf_text(w->out, sign);
    if (spec->zero && missing > 0) buf_fill(w->out, '0', (uint64_t)missing);
    buf_str(w->out, body);
    if (closing) buf_char(w->out, ')');
    pad_from(w->out, from, spec);
}

static bool write_integer(Writer *w, const Spec *spec, const Value *value) {
    if (spec->has_precision || !type_is_integer(value->type) || !number_flags_good(spec))
        return false;
    int64_t x = value->as.integer;
    Buf body;
    kernel_buf_init(w->call, &body);
    if (spec->conversion == 'd') {
        char text[NUMBER_TEXT_MAX];
        if (spec->alternate) return false;
        size_t len = int64_format(x, text);
        Digits digits = digits_of((Str){text, len});
        digits_fixed(&digits, 0, spec->group, &body);
        append_signed(w, spec, x < 0, body_of(w, &body));
        return true;
    }
    if (spec->group || spec->plus || spec->blank || spec->parentheses) return false;
    bool octal = spec->conversion == 'o';
    if (spec->alternate) buf_text(&body, octal ? "0" : "0x");
    Spec plain = *spec;
    char number[32];
    int len = text_format(number, sizeof(number), octal ? "%llo" : "%llx", (unsigned long long)x);
    int64_t missing = spec->width - (int64_t)body.len - len;
    if (spec->zero && missing > 0) buf_fill(&body, '0', (uint64_t)missing);
    buf_add(&body, number, (size_t)len);
    append_upper(&body, 0, spec->conversion == 'X');
    plain.zero = false;
    append_signed(w, &plain, false, body_of(w, &body));
    return true;
}

/* %g: as %f with so many significant digits where that is short, else as %e. */
static void write_general(Digits digits, int64_t precision, const Spec *spec, Buf *body) {
    if (precision == 0) precision = 1;
    digits_round(&digits, precision);
    int32_t exponent = digits.count > 0 ? digits.point - 1 : 0;
    if (digits.count == 0 || (exponent >= -4 && exponent < precision)) {
        digits_fixed(&digits, precision - 1 - exponent, spec->group, body);
    } else {
        digits_scientific(&digits, precision - 1, spec->conversion == 'G', body);
    }
}

static bool write_real(Writer *w, const Spec *spec, const Value *value) {
    char text[DECIMAL_TEXT_MAX];
    size_t len;
    if (!number_flags_good(spec)) return false;
    if (value->type.id == TRIB_TYPE_DECIMAL) {
        Int128 x = type_physical(value->type) == PHYS_INT64 ? value->as.integer : value->as.wide;
        len = decimal_format(x, value->type.scale, text);
    } else if (value->type.id == TRIB_TYPE_DOUBLE || value->type.id == TRIB_TYPE_REAL) {
        if (!isfinite(value->as.real)) {
            Spec plain = *spec;
            plain.zero = false;
            append_signed(w, &plain, value->as.real < 0,
                          isnan(value->as.real) ? STR("NaN") : STR("Infinity"));
            return true;
        }
        len = double_format(value->as.real, text);
    } else {
        return false;
    }
    Digits digits = digits_of((Str){text, len});
    int64_t precision = spec->has_precision ? spec->precision : 6;
    Buf body;
    kernel_buf_init(w->call, &body);
    switch (spec->conversion) {
    case 'f':
        digits_round(&digits, digits.point + precision);
        digits_fixed(&digits, precision, spec->group, &body);
        break;
    case 'e':
    case 'E':
        if (spec->group) return false;
        digits_round(&digits, precision + 1);
        digits_scientific(&digits, precision, spec->conversion == 'E', &body);
        break;
    default:
        if (spec->alternate) return false;
        write_general(digits, precision, spec, &body);
    }
    if (spec->alternate && precision == 0 && spec->conversion == 'f') buf_char(&body, '.');
    append_signed(w, spec, digits.negative, body_of(w, &body));
    return true;
}

/* ---------------------------------------------------------------- dates and times */

/* HH:mm[:ss[.SSS...]] with what is needed, as java.time writes. */
static void append_clock(Buf *out, Moment m) {
    CivilTime t = time_to_civil(floor_mod(m.us, US_PER_DAY) * 1000 + m.ns);
    buf_printf(out, "%02d:%02d", t.hour, t.minute);
    if (t.second != 0 || t.ns != 0) buf_printf(out, ":%02d", t.second);
    if (t.ns == 0) return;
    if (t.ns % 1000000 == 0) {
        buf_printf(out, ".%03d", t.ns / 1000000);
    } else if (t.ns % 1000 == 0) {
        buf_printf(out, ".%06d", t.ns / 1000);
    } else {
        buf_printf(out, ".%09d", t.ns);
    }
}

static void append_offset(Buf *out, int32_t seconds, const char *colon) {
    int32_t minutes = (seconds < 0 ? -seconds : seconds) / 60;
    buf_printf(out, "%c%02d%s%02d", seconds < 0 ? '-' : '+', minutes / 60, colon, minutes % 60);
}

/* java.time's toString(). */
static void append_moment(Buf *out, Type type, Moment m) {
    char date[CALENDAR_TEXT_MAX];
    bool time = type.id == TRIB_TYPE_TIME || type.id == TRIB_TYPE_TIME_TZ;
    if (!time) {
        buf_add(out, date, date_format_iso(moment_days(m), date));
        if (type.id == TRIB_TYPE_DATE) return;
        buf_char(out, 'T');
    }
    append_clock(out, m);
    if (!m.has_zone) return;
    int32_t offset = zone_offset_at(m.zone, zone_local_to_utc(m.zone, m.us));
    if (offset == 0) {
        buf_char(out, 'Z');
    } else {
        append_offset(out, offset, ":");
    }
    const char *name = zone_name(m.zone);
    if (name[0] != '+' && name[0] != '-') buf_printf(out, "[%s]", name);
}

/* The letters of %t in the spelling of MySQL's patterns. */
static const char *time_pattern(char letter) {
    static const struct {
        char letter;
        const char *pattern;
    } rows[] = {{'H', "%H"},       {'I', "%I"},      {'k', "%k"},    {'l', "%l"}, {'M', "%i"},
                {'S', "%s"},       {'B', "%M"},      {'b', "%b"},    {'h', "%b"}, {'A', "%W"},
                {'a', "%a"},       {'Y', "%Y"},      {'y', "%y"},    {'j', "%j"}, {'m', "%m"},
                {'d', "%d"},       {'e', "%e"},      {'R', "%H:%i"}, {'T', "%T"}, {'r', "%r"},
                {'D', "%m/%d/%y"}, {'F', "%Y-%m-%d"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].letter == letter) return rows[i].pattern;
    }
    return NULL;
}

static bool has_date(Type type) {
    return type.id != TRIB_TYPE_TIME && type.id != TRIB_TYPE_TIME_TZ;
}

static bool append_time_letter(Buf *out, Type type, Moment m, char letter) {
    CivilTime t = time_to_civil(floor_mod(m.us, US_PER_DAY) * 1000 + m.ns);
    int64_t utc = m.has_zone ? zone_local_to_utc(m.zone, m.us) : 0;
    if (type.id == TRIB_TYPE_DATE && strchr("HIklMSLNpzsQRTr", letter) != NULL) return false;
    if (!has_date(type) && strchr("BbhAaCYyjmdeDFsQ", letter) != NULL) return false;
    switch (letter) {
    case 'L': buf_printf(out, "%03d", t.ns / 1000000); return true;
    case 'N': buf_printf(out, "%09d", t.ns); return true;
    case 'p': buf_text(out, t.hour < 12 ? "am" : "pm"); return true;
    case 'C': buf_printf(out, "%02d", date_to_civil(moment_days(m)).year / 100); return true;
    case 'z':
        if (m.has_zone) append_offset(out, zone_offset_at(m.zone, utc), "");
        return m.has_zone;
    case 's':
    case 'Q':
        if (!m.has_zone) return false;
        buf_printf(out, "%lld", (long long)floor_div(utc, letter == 's' ? US_PER_SECOND : 1000));
        return true;
    default: return false;
    }
}

static bool write_time(Writer *w, const Spec *spec, uint32_t index, const Value *value,
                       Error *err) {
    const Vector *v = &w->call->args[index];
    Buf body;
    Pattern pattern;
    bool good = false;
    (void)value;
    if (!type_is_datetime(v->type) || spec->has_precision) return false;
    Moment m = moment_at(v, w->row);
    kernel_buf_init(w->call, &body);
    const char *text = time_pattern(spec->time);
    if (text != NULL) {
        if (v->type.id == TRIB_TYPE_DATE && strchr("HIklMSRTr", spec->time) != NULL) return false;
        if (!has_date(v->type) && strchr("BbhAaYyjmdeDF", spec->time) != NULL) return false;
        if (pattern_mysql(w->call->arena, str_from(text), &pattern, &good, err) != TRIB_OK)
            return false;
        good = good && pattern_write(&pattern, m, &body);
    } else {
        good = append_time_letter(&body, v->type, m, spec->time);
    }
    if (good) append_text(w, body_of(w, &body), spec);
    return good;
}

/* ---------------------------------------------------------------- arguments */

static bool write_text(Writer *w, const Spec *spec, uint32_t index, const Value *value) {
    Buf body;
    kernel_buf_init(w->call, &body);
    if (spec->plus || spec->blank || spec->zero || spec->group || spec->parentheses ||
        spec->alternate || (spec->left && spec->width == 0))
        return false;
    if (spec->conversion == 'b' || spec->conversion == 'B') {
        bool yes = value->type.id != TRIB_TYPE_BOOLEAN || value->as.integer != 0;
        append_text(w, yes ? STR("true") : STR("false"), spec);
        return true;
    }
    if (type_is_datetime(value->type)) {
        append_moment(&body, value->type, moment_at(&w->call->args[index], w->row));
    } else {
        value_text(&body, value);
    }
    append_text(w, body_of(w, &body), spec);
    return true;
}

static bool write_argument(Writer *w, const Spec *spec, uint32_t index, Error *err) {
    Value value;
    const Vector *v = &w->call->args[index];
    uint32_t position = v->form == VECTOR_CONSTANT ? 0 : w->row;
    if (spec->conversion == '\0' || strchr("bBsSdoxXfeEgGtT", spec->conversion) == NULL)
        return false;
    if (vector_is_null(v, position)) {
        Spec plain = *spec;
        plain.zero = false;
        bool boolean = spec->conversion == 'b' || spec->conversion == 'B';
        append_text(w, boolean ? STR("false") : STR("null"), &plain);
        return true;
    }
    if (vector_value(w->call->arena, v, position, &value, err) != TRIB_OK) return false;
    switch (spec->conversion) {
    case 'd':
    case 'o':
    case 'x':
    case 'X': return write_integer(w, spec, &value);
    case 'f':
    case 'e':
    case 'E':
    case 'g':
    case 'G': return write_real(w, spec, &value);
    case 't':
    case 'T': return write_time(w, spec, index, &value, err);
    default: return write_text(w, spec, index, &value);
    }
}

/* One specification; the argument that it takes is the next, the last or a numbered one. */
static bool write_spec(Writer *w, const Spec *spec, Error *err) {
    if (spec->conversion == 'n') {
        buf_char(w->out, '\n');
        return spec->width == 0 && !spec->has_precision && !spec->left;
    }
    if (spec->conversion == '%') {
        append_text(w, STR("%"), spec);
        return !spec->has_precision && (!spec->left || spec->width > 0);
    }
    uint64_t index = spec->previous ? w->last : spec->index > 0 ? (uint64_t)spec->index : w->next++;
    if (index == 0 || index >= w->call->nargs) return false;
    w->last = (uint32_t)index;
    return write_argument(w, spec, (uint32_t)index, err);
}

static bool write_all(Writer *w, Str format, Error *err) {
    for (size_t at = 0; at < format.len;) {
        const char *percent = memchr(format.data + at, '%', format.len - at);
        size_t end = percent != NULL ? (size_t)(percent - format.data) : format.len;
        buf_add(w->out, format.data + at, end - at);
        at = end;
        if (percent == NULL) break;
        Spec spec;
        at++;
        if (!spec_read(format, &at, &spec) || !write_spec(w, &spec, err)) return false;
    }
    return true;
}

static Status kernel_format(KernelCall *call) {
    const Vector *formats = &call->args[0];
    Buf text;
    kernel_buf_init(call, &text);
    KERNEL_ROWS(call, row, {
        if (vector_is_null(formats, formats->form == VECTOR_CONSTANT ? 0 : row)) {
            TRY(kernel_set_null(call, row));
            continue;
        }
        Writer w = {.call = call, .row = row, .out = &text, .next = 1};
        kernel_buf_reset(&text);
        error_clear(call->err);
        if (write_all(&w, arg_text(call, 0, row), call->err)) {
            TRY(kernel_put_buf(call, row, &text));
        } else {
            if (call->err->status == TRIB_MEMORY) return call->err->status;
            KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                        "the format is malformed, or does not fit the arguments");
        }
    });
    return TRIB_OK;
}

static const Function rows[] = {
    {.id = TRIB_FN_format,
     .name = "format",
     .signature = "varchar, any... -> varchar",
     .nulls = NULLS_CALLED,
     .may_raise = true,
     .kernel = kernel_format,
     .family = "text",
     .help = "The text with %s, %d, %.2f and others replaced by the arguments, as Java's Formatter "
             "does."},
};

FUNCTION_TABLE(functions_text_format, rows);
