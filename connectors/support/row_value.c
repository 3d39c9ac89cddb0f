/*
 * row_value.c - see row_value.h. Layouts are those of tributary_connector.h; a string view is 16 bytes:
 * length, then up to 12 bytes in place, or prefix, buffer and offset. No state, no memory: any thread.
 */
#include "connectors/support/row_value.h"

#include <string.h>

static bool is_null(const struct ArrowArray *column, int64_t at) {
    const uint8_t *bits = column->n_buffers > 0 ? column->buffers[0] : NULL;
    return bits && !(bits[at >> 3] >> (at & 7) & 1);
}

static void text_value(const struct ArrowArray *column, int64_t at, TribValue *out) {
    Str text = row_text(column, at);
    out->as.text.data = text.data;
    out->as.text.length = text.len;
}

static void instant_value(const uint8_t *data, bool zoned, TribValue *out) {
    int16_t zone = 0, short_ns = 0;
    memcpy(&out->as.instant.us, data, 8);
    memcpy(&out->as.instant.ns, data + 8, 4);
    if (zoned) {
        memcpy(&zone, data + 8, 2);
        memcpy(&short_ns, data + 10, 2);
        out->as.instant.ns = short_ns;
    }
    out->as.instant.zone = zone;
}

/* Types that are integers of some width. */
static bool integer_value(const void *data, TribType type, int64_t at, TribValue *out) {
    switch (type.id) {
    case TRIB_TYPE_BOOLEAN:
        out->as.integer = ((const uint8_t *)data)[at >> 3] >> (at & 7) & 1;
        return true;
    case TRIB_TYPE_TINYINT: out->as.integer = ((const int8_t *)data)[at]; return true;
    case TRIB_TYPE_SMALLINT: out->as.integer = ((const int16_t *)data)[at]; return true;
    case TRIB_TYPE_INTEGER:
    case TRIB_TYPE_DATE:
    case TRIB_TYPE_INTERVAL_YM: out->as.integer = ((const int32_t *)data)[at]; return true;
    case TRIB_TYPE_BIGINT:
    case TRIB_TYPE_TIME:
    case TRIB_TYPE_INTERVAL_DS: out->as.integer = ((const int64_t *)data)[at]; return true;
    default: return false;
    }
}

bool row_value(const struct ArrowArray *column, TribType type, int64_t row, TribValue *out) {
    int64_t at = row + column->offset;
    *out = (TribValue){.type = type};
    if (is_null(column, at)) {
        out->is_null = true;
        return type.fields == NULL;
    }
    const void *data = column->n_buffers > 1 ? column->buffers[1] : NULL;
    if (integer_value(data, type, at, out)) return true;
    switch (type.id) {
    case TRIB_TYPE_REAL: out->as.real = (double)((const float *)data)[at]; return true;
    case TRIB_TYPE_DOUBLE: out->as.real = ((const double *)data)[at]; return true;
    case TRIB_TYPE_DECIMAL:
        if (type.precision <= 18)
            out->as.integer = ((const int64_t *)data)[at];
        else
            memcpy(&out->as.wide, (const uint8_t *)data + at * 16, 16);
        return true;
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_CHAR:
    case TRIB_TYPE_JSON:
    case TRIB_TYPE_VARBINARY: text_value(column, at, out); return true;
    case TRIB_TYPE_UUID:
        out->as.text.data = (const char *)data + at * 16;
        out->as.text.length = 16;
        return true;
    case TRIB_TYPE_TIMESTAMP:
        if (type.precision <= 6)
            out->as.integer = ((const int64_t *)data)[at];
        else
            instant_value((const uint8_t *)data + at * 16, false, out);
        return true;
    case TRIB_TYPE_TIMESTAMP_TZ:
        instant_value((const uint8_t *)data + at * 16, true, out);
        return true;
    default: return false;
    }
}
