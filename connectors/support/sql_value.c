/*
 * sql_value.c - literal values of offers: deep copies, their text for EXPLAIN, LIKE patterns.
 *
 * No state; memory on the caller's arena.
 */
#include "connectors/support/sql_text.h"

#include "engine/base/calendar.h"
#include "engine/base/decimal.h"
#include "engine/base/number.h"

#define VALUE_DEPTH_MAX 64

static bool value_copy(Arena *arena, const TribValue *value, TribValue *out, int depth) {
    *out = *value;
    if (value->is_null) return true;
    switch (value->type.id) {
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_CHAR:
    case TRIB_TYPE_VARBINARY:
    case TRIB_TYPE_JSON:
    case TRIB_TYPE_UUID: {
        char *data = arena_copy(arena, value->as.text.data, value->as.text.length);
        if (!data) return false;
        out->as.text.data = data;
        return true;
    }
    case TRIB_TYPE_ARRAY:
    case TRIB_TYPE_MAP:
    case TRIB_TYPE_ROW: {
        if (depth >= VALUE_DEPTH_MAX) return false;
        TribValue *items = ARENA_ARRAY(arena, TribValue, value->as.items.count);
        if (!items) return false;
        for (size_t i = 0; i < value->as.items.count; i++) {
            if (!value_copy(arena, &value->as.items.values[i], &items[i], depth + 1)) return false;
        }
        out->as.items.values = items;
        return true;
    }
    default: return true;
    }
}

bool sql_value_copy(Arena *arena, const TribValue *value, TribValue *out) {
    return value_copy(arena, value, out, 0);
}

/* 'text' with quotes doubled, cut after some 200 bytes: EXPLAIN is for reading. */
static void text_literal(Buf *out, const char *data, size_t length) {
    enum { SHOWN = 200 };
    size_t shown = length > SHOWN ? utf8_cut(data, length, SHOWN) : length;
    buf_char(out, '\'');
    for (size_t i = 0; i < shown; i++) {
        if (data[i] == '\'') buf_char(out, '\'');
        if ((unsigned char)data[i] < 0x20)
            buf_printf(out, "\\%02x", (unsigned)(unsigned char)data[i]);
        else
            buf_char(out, data[i]);
    }
    buf_char(out, '\'');
    if (shown < length) buf_printf(out, "... (%zu bytes)", length);
}

static void binary_literal(Buf *out, const char *data, size_t length) {
    enum { SHOWN = 64 };
    buf_text(out, "X'");
    for (size_t i = 0; i < length && i < SHOWN; i++)
        buf_printf(out, "%02X", (unsigned)(unsigned char)data[i]);
    buf_char(out, '\'');
    if (length > SHOWN) buf_printf(out, "... (%zu bytes)", length);
}

static void decimal_literal(Buf *out, const TribValue *value) {
    char text[DECIMAL_TEXT_MAX];
    Int128 unscaled = value->type.precision <= 18 ? (Int128)value->as.integer : value->as.wide;
    decimal_format(unscaled, value->type.scale, text);
    buf_text(out, text);
}

static void temporal_literal(Buf *out, const TribValue *value) {
    char text[CALENDAR_TEXT_MAX] = "";
    int precision = value->type.precision;
    switch (value->type.id) {
    case TRIB_TYPE_DATE:
        buf_text(out, "DATE ");
        date_format_iso((int32_t)value->as.integer, text);
        break;
    case TRIB_TYPE_TIME:
        buf_text(out, "TIME ");
        time_format_iso(value->as.integer, precision, text);
        break;
    case TRIB_TYPE_TIMESTAMP:
        buf_text(out, "TIMESTAMP ");
        if (precision > 6)
            timestamp_format_iso(value->as.instant.us, value->as.instant.ns, precision, text);
        else
            timestamp_format_iso(value->as.integer, 0, precision, text);
        break;
    case TRIB_TYPE_TIMESTAMP_TZ:
        buf_text(out, "TIMESTAMP ");
        timestamp_tz_format(value->as.instant.us, value->as.instant.ns, value->as.instant.zone,
                            precision, text);
        break;
    case TRIB_TYPE_INTERVAL_YM:
        buf_text(out, "INTERVAL ");
        interval_ym_format((int32_t)value->as.integer, text);
        break;
    default:
        buf_text(out, "INTERVAL ");
        interval_ds_format(value->as.integer, text);
        break;
    }
    buf_printf(out, "'%s'", text);
}

void sql_value_text(Buf *out, const TribValue *value) {
    char number[NUMBER_TEXT_MAX];
    if (value->is_null) {
        buf_text(out, "NULL");
        return;
    }
    switch (value->type.id) {
    case TRIB_TYPE_BOOLEAN: buf_text(out, value->as.integer ? "TRUE" : "FALSE"); break;
    case TRIB_TYPE_TINYINT:
    case TRIB_TYPE_SMALLINT:
    case TRIB_TYPE_INTEGER:
    case TRIB_TYPE_BIGINT:
        int64_format(value->as.integer, number);
        buf_text(out, number);
        break;
    case TRIB_TYPE_REAL:
        float_format((float)value->as.real, number);
        buf_text(out, number);
        break;
    case TRIB_TYPE_DOUBLE:
        double_format(value->as.real, number);
        buf_text(out, number);
        break;
    case TRIB_TYPE_DECIMAL: decimal_literal(out, value); break;
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_CHAR:
    case TRIB_TYPE_JSON: text_literal(out, value->as.text.data, value->as.text.length); break;
    case TRIB_TYPE_VARBINARY:
    case TRIB_TYPE_UUID: binary_literal(out, value->as.text.data, value->as.text.length); break;
    case TRIB_TYPE_DATE:
    case TRIB_TYPE_TIME:
    case TRIB_TYPE_TIMESTAMP:
    case TRIB_TYPE_TIMESTAMP_TZ:
    case TRIB_TYPE_INTERVAL_YM:
    case TRIB_TYPE_INTERVAL_DS: temporal_literal(out, value); break;
    default: buf_text(out, "(value)"); break;
    }
}

/* One character of a LIKE pattern: *special is % or _, or 0 where it stands for itself. false: malformed. */
static bool like_next(Str pattern, int32_t escape, size_t *at, Str *c, char *special) {
    size_t start = *at;
    int32_t code = utf8_next(pattern.data, pattern.len, at);
    if (code < 0) return false;
    *special = code == '%' || code == '_' ? (char)code : 0;
    if (escape > 0 && code == escape) { /* the next character stands for itself */
        if (*at >= pattern.len) return false;
        start = *at;
        code = utf8_next(pattern.data, pattern.len, at);
        if (code != '%' && code != '_' && code != escape) return false;
        *special = 0;
    }
    *c = (Str){pattern.data + start, *at - start};
    return true;
}

bool sql_like_rewrite(Arena *arena, Str pattern, int32_t escape, char new_escape, Str *out) {
    Buf text;
    Str c;
    char special;
    if (pattern.len > SIZE_MAX / 2 - 1) return false;
    buf_init(&text, arena, pattern.len * 2 + 1);
    for (size_t at = 0; at < pattern.len;) {
        if (!like_next(pattern, escape, &at, &c, &special)) return false;
        bool means = c.data[0] == '%' || c.data[0] == '_' || c.data[0] == new_escape;
        if (!special && means) buf_char(&text, new_escape);
        buf_str(&text, c);
    }
    if (text.failed) return false;
    *out = buf_view(&text);
    return true;
}

bool sql_glob_rewrite(Arena *arena, Str pattern, int32_t escape, Str *out) {
    Buf text;
    Str c;
    char special;
    if (pattern.len > SIZE_MAX / 3 - 1) return false;
    buf_init(&text, arena, pattern.len * 3 + 1);
    for (size_t at = 0; at < pattern.len;) {
        if (!like_next(pattern, escape, &at, &c, &special)) return false;
        if (special)
            buf_char(&text, special == '%' ? '*' : '?');
        else if (c.data[0] == '*' || c.data[0] == '?' || c.data[0] == '[')
            buf_printf(&text, "[%c]", c.data[0]);
        else
            buf_str(&text, c);
    }
    if (text.failed) return false;
    *out = buf_view(&text);
    return true;
}
