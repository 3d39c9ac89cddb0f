/*
 * value_print.c - literal values as SQL and as plain text.
 *
 * Text follows Trino: what CAST to varchar gives; nested values become JSON. SQL literals are for
 * people (EXPLAIN, messages) and are cut after PRINT_MAX bytes. Output goes to the caller's Buf,
 * whose limit bounds it; nothing else is allocated.
 */
#include "engine/base/calendar.h"
#include "engine/base/json.h"
#include "engine/base/number.h"
#include "engine/types/value.h"

#define PRINT_MAX 200

static void text_number(Buf *out, const Value *v) {
    char text[DECIMAL_TEXT_MAX];
    size_t len;
    switch (v->type.id) {
    case TRIB_TYPE_DECIMAL: {
        Int128 unscaled = type_physical(v->type) == PHYS_INT128 ? v->as.wide : v->as.integer;
        len = decimal_format(unscaled, v->type.scale, text);
        break;
    }
    case TRIB_TYPE_REAL: len = float_format((float)v->as.real, text); break;
    case TRIB_TYPE_DOUBLE: len = double_format(v->as.real, text); break;
    default: len = int64_format(v->as.integer, text);
    }
    buf_add(out, text, len);
}

static void text_datetime(Buf *out, const Value *v) {
    char text[CALENDAR_TEXT_MAX];
    int precision = v->type.precision;
    size_t len = 0;
    switch (v->type.id) {
    case TRIB_TYPE_DATE: len = date_format_iso((int32_t)v->as.integer, text); break;
    case TRIB_TYPE_TIME: len = time_format_iso(v->as.integer, precision, text); break;
    case TRIB_TYPE_TIME_TZ: len = time_format_iso(v->as.instant.us, precision, text); break;
    case TRIB_TYPE_TIMESTAMP:
        len = precision > 6
                  ? timestamp_format_iso(v->as.instant.us, v->as.instant.ns, precision, text)
                  : timestamp_format_iso(v->as.integer, 0, precision, text);
        break;
    case TRIB_TYPE_TIMESTAMP_TZ:
        len = timestamp_tz_format(v->as.instant.us, v->as.instant.ns, v->as.instant.zone, precision,
                                  text);
        break;
    case TRIB_TYPE_INTERVAL_YM: len = interval_ym_format((int32_t)v->as.integer, text); break;
    case TRIB_TYPE_INTERVAL_DS: len = interval_ds_format(v->as.integer, text); break;
    default: break;
    }
    buf_add(out, text, len);
    if (v->type.id == TRIB_TYPE_TIME_TZ) {
        int32_t minutes = v->as.instant.ns / 60, size = minutes < 0 ? -minutes : minutes;
        buf_printf(out, "%c%02d:%02d", minutes < 0 ? '-' : '+', size / 60, size % 60);
    }
}

static void text_hex(Buf *out, Str bytes, size_t limit) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < bytes.len && i < limit; i++) {
        buf_char(out, digits[(uint8_t)bytes.data[i] >> 4]);
        buf_char(out, digits[(uint8_t)bytes.data[i] & 15]);
    }
}

static void text_uuid(Buf *out, const char *bytes) {
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) buf_char(out, '-');
        buf_char(out, digits[(uint8_t)bytes[i] >> 4]);
        buf_char(out, digits[(uint8_t)bytes[i] & 15]);
    }
}

static bool json_bare(Type t) {
    return t.id == TRIB_TYPE_BOOLEAN || type_is_integer(t) || t.id == TRIB_TYPE_DECIMAL ||
           t.id == TRIB_TYPE_JSON || type_is_nested(t);
}

void value_json(Buf *out, const Value *v) {
    if (v->is_null) {
        buf_text(out, "null");
        return;
    }
    bool finite = v->as.real - v->as.real == 0;
    bool real = v->type.id == TRIB_TYPE_REAL || v->type.id == TRIB_TYPE_DOUBLE;
    if (json_bare(v->type) || (real && finite)) {
        value_text(out, v);
        return;
    }
    if (v->type.id == TRIB_TYPE_VARCHAR) { /* not copied first */
        json_quote(out, (Str){v->as.text.data, v->as.text.length});
        return;
    }
    Buf text;
    buf_init(&text, NULL, out->max);
    value_text(&text, v);
    out->failed = out->failed || text.failed;
    out->exceeded = out->exceeded || text.exceeded;
    json_quote(out, buf_view(&text));
    buf_clear(&text);
}

static void json_key(Buf *out, const Value *key) {
    bool real = key->type.id == TRIB_TYPE_REAL || key->type.id == TRIB_TYPE_DOUBLE;
    bool finite = real && key->as.real - key->as.real == 0;
    if (key->is_null || finite || (key->type.id != TRIB_TYPE_VARCHAR && json_bare(key->type))) {
        buf_char(out, '"');
        value_json(out, key);
        buf_char(out, '"');
    } else {
        Value plain = *key;
        value_json(out, &plain);
    }
}

static void json_nested(Buf *out, const Value *v) {
    const TribTypeFields *fields = v->type.fields;
    bool object = v->type.id == TRIB_TYPE_MAP;
    for (uint32_t i = 0; v->type.id == TRIB_TYPE_ROW && i < fields->count; i++) {
        object = object || fields->field[i].name != NULL;
    }
    buf_char(out, object ? '{' : '[');
    for (size_t i = 0; i < v->as.items.count; i++) {
        if (i > 0) buf_char(out, ',');
        if (v->type.id == TRIB_TYPE_MAP) {
            json_key(out, &v->as.items.values[i++]);
            buf_char(out, ':');
        } else if (object) {
            const char *name = fields->field[i].name;
            json_quote(out, str_from(name != NULL ? name : ""));
            buf_char(out, ':');
        }
        value_json(out, &v->as.items.values[i]);
    }
    buf_char(out, object ? '}' : ']');
}

void value_text(Buf *out, const Value *v) {
    if (v->is_null) {
        buf_text(out, "NULL");
        return;
    }
    Str text = {v->as.text.data, v->as.text.length};
    switch (v->type.id) {
    case TRIB_TYPE_UNKNOWN: buf_text(out, "NULL"); return;
    case TRIB_TYPE_BOOLEAN: buf_text(out, v->as.integer ? "true" : "false"); return;
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_JSON: buf_str(out, text); return;
    case TRIB_TYPE_CHAR:
        buf_str(out, text);
        for (size_t n = utf8_length(text.data, text.len); n < v->type.length; n++) {
            buf_char(out, ' ');
        }
        return;
    case TRIB_TYPE_VARBINARY: text_hex(out, text, SIZE_MAX); return;
    case TRIB_TYPE_UUID: text_uuid(out, text.data); return;
    case TRIB_TYPE_ARRAY:
    case TRIB_TYPE_MAP:
    case TRIB_TYPE_ROW: json_nested(out, v); return;
    default:
        if (type_is_numeric(v->type)) {
            text_number(out, v);
        } else {
            text_datetime(out, v);
        }
    }
}

/* ---------------------------------------------------------------- SQL literals */

static void print_quoted(Buf *out, Str text) {
    size_t shown = text.len > PRINT_MAX ? utf8_cut(text.data, text.len, PRINT_MAX) : text.len;
    buf_char(out, '\'');
    for (size_t i = 0; i < shown; i++) {
        if (text.data[i] == '\'') buf_char(out, '\'');
        buf_char(out, text.data[i]);
    }
    buf_text(out, shown < text.len ? "...'" : "'");
}

/* prefix 'text' suffix, with the value's text between quotes. */
static void print_typed(Buf *out, const char *prefix, const Value *v, const char *suffix) {
    buf_text(out, prefix);
    buf_char(out, '\'');
    value_text(out, v);
    buf_char(out, '\'');
    buf_text(out, suffix);
}

static void print_number(Buf *out, const Value *v) {
    size_t start = out->len;
    if (v->type.id == TRIB_TYPE_REAL || v->type.id == TRIB_TYPE_DOUBLE) {
        if (v->as.real - v->as.real != 0) {
            print_typed(out, v->type.id == TRIB_TYPE_REAL ? "REAL " : "DOUBLE ", v, "");
            return;
        }
        text_number(out, v);
        if (out->data != NULL && strchr(out->data + start, 'E') == NULL) buf_text(out, "E0");
        return;
    }
    text_number(out, v);
}

static void print_items(Buf *out, const Value *v, size_t first, size_t step) {
    size_t start = out->len;
    for (size_t i = first; i < v->as.items.count; i += step) {
        if (i > first) buf_text(out, ", ");
        if (out->len - start > PRINT_MAX) {
            buf_text(out, "...");
            return;
        }
        value_print(out, &v->as.items.values[i]);
    }
}

static void print_nested(Buf *out, const Value *v) {
    if (v->type.id == TRIB_TYPE_MAP) {
        buf_text(out, "MAP(ARRAY[");
        print_items(out, v, 0, 2);
        buf_text(out, "], ARRAY[");
        print_items(out, v, 1, 2);
        buf_text(out, "])");
        return;
    }
    bool array = v->type.id == TRIB_TYPE_ARRAY;
    buf_text(out, array ? "ARRAY[" : "ROW(");
    print_items(out, v, 0, 1);
    buf_char(out, array ? ']' : ')');
}

void value_print(Buf *out, const Value *v) {
    if (v->is_null) {
        buf_text(out, "NULL");
        return;
    }
    Str text = {v->as.text.data, v->as.text.length};
    switch (v->type.id) {
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_CHAR: print_quoted(out, text); return;
    case TRIB_TYPE_JSON:
        buf_text(out, "JSON ");
        print_quoted(out, text);
        return;
    case TRIB_TYPE_VARBINARY:
        buf_text(out, "X'");
        text_hex(out, text, PRINT_MAX / 2);
        buf_text(out, text.len > PRINT_MAX / 2 ? "...'" : "'");
        return;
    case TRIB_TYPE_UUID: print_typed(out, "UUID ", v, ""); return;
    case TRIB_TYPE_DATE: print_typed(out, "DATE ", v, ""); return;
    case TRIB_TYPE_TIME:
    case TRIB_TYPE_TIME_TZ: print_typed(out, "TIME ", v, ""); return;
    case TRIB_TYPE_TIMESTAMP:
    case TRIB_TYPE_TIMESTAMP_TZ: print_typed(out, "TIMESTAMP ", v, ""); return;
    case TRIB_TYPE_INTERVAL_YM: print_typed(out, "INTERVAL ", v, " YEAR TO MONTH"); return;
    case TRIB_TYPE_INTERVAL_DS: print_typed(out, "INTERVAL ", v, " DAY TO SECOND"); return;
    case TRIB_TYPE_ARRAY:
    case TRIB_TYPE_MAP:
    case TRIB_TYPE_ROW: print_nested(out, v); return;
    case TRIB_TYPE_UNKNOWN:
    case TRIB_TYPE_BOOLEAN: value_text(out, v); return;
    default: print_number(out, v);
    }
}
