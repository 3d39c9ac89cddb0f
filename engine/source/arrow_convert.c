/*
 * arrow_convert.c - layouts of fixed width other than the canonical one.
 *
 * Connectors over Arrow sources may describe their batches with a schema. What is listed here is
 * converted value by value into the type that the column was declared with; a value that does not fit
 * is an error that says so. Values under a NULL are skipped and read as zero.
 */
#include "engine/base/calendar.h"
#include "engine/source/internal.h"

typedef struct Convert {
    ArrowImport *import;
    const void *values; /* of the first row */
    const uint64_t *validity;
    uint32_t count;
    Vector *out;
} Convert;

static inline bool row_valid(const Convert *self, uint32_t row) {
    return !self->validity || bitmap_get(self->validity, row);
}

static Status out_of_range(Convert *self) {
    (void)error_set(self->import->err, ERR_OUT_OF_RANGE,
                    "a value does not fit the column's declared type");
    return error_detail(self->import->err, "output column %u", self->import->column + 1);
}

/* ---------------------------------------------------------------- integers */

/* Reads an integer of a format; false: not an integer format. */
static bool integer_at(const void *values, char format, uint32_t row, __int128 *out) {
    switch (format) {
    case 'c': *out = ((const int8_t *)values)[row]; return true;
    case 'C': *out = ((const uint8_t *)values)[row]; return true;
    case 's': *out = ((const int16_t *)values)[row]; return true;
    case 'S': *out = ((const uint16_t *)values)[row]; return true;
    case 'i': *out = ((const int32_t *)values)[row]; return true;
    case 'I': *out = ((const uint32_t *)values)[row]; return true;
    case 'l': *out = ((const int64_t *)values)[row]; return true;
    case 'L': *out = ((const uint64_t *)values)[row]; return true;
    default: return false;
    }
}

static size_t integer_width(char format) {
    switch (format) {
    case 'c':
    case 'C': return 1;
    case 's':
    case 'S': return 2;
    case 'i':
    case 'I': return 4;
    case 'l':
    case 'L': return 8;
    default: return 0;
    }
}

/* Stores an integer as the physical type of the column; false: it does not fit. */
static bool integer_put(Vector *out, uint32_t row, __int128 value) {
    switch (out->physical) {
    case PHYS_INT8:
        ((int8_t *)out->data)[row] = (int8_t)value;
        return value >= INT8_MIN && value <= INT8_MAX;
    case PHYS_INT16:
        ((int16_t *)out->data)[row] = (int16_t)value;
        return value >= INT16_MIN && value <= INT16_MAX;
    case PHYS_INT32:
        ((int32_t *)out->data)[row] = (int32_t)value;
        return value >= INT32_MIN && value <= INT32_MAX;
    case PHYS_INT64:
        ((int64_t *)out->data)[row] = (int64_t)value;
        return value >= INT64_MIN && value <= INT64_MAX;
    case PHYS_INT128: ((Int128 *)out->data)[row] = (Int128)value; return true;
    default: return false;
    }
}

static Status integers_convert(Convert *self, char format) {
    for (uint32_t i = 0; i < self->count; i++) {
        __int128 value = 0;
        if (!row_valid(self, i)) continue;
        (void)integer_at(self->values, format, i, &value);
        if (!integer_put(self->out, i, value)) return out_of_range(self);
    }
    return TRIB_OK;
}

static Status floats_convert(Convert *self) {
    for (uint32_t i = 0; i < self->count; i++)
        ((double *)self->out->data)[i] = (double)((const float *)self->values)[i];
    return TRIB_OK;
}

/* ---------------------------------------------------------------- decimals */

/* "d:p,s[,bits]"; false: not that. */
static bool decimal_layout(const char *format, int *precision, int *scale, int *bits) {
    const char *at = format + 2;
    int *parts[3] = {precision, scale, bits};
    *bits = 128;
    if (format[0] != 'd' || format[1] != ':') return false;
    for (int i = 0; i < 3; i++) {
        int value = 0, digits = 0;
        bool minus = *at == '-';
        if (minus) at++;
        for (; *at >= '0' && *at <= '9' && digits < 4; at++, digits++)
            value = value * 10 + (*at - '0');
        if (digits == 0) return false;
        *parts[i] = minus ? -value : value;
        if (*at == '\0') return i > 0;
        if (*at++ != ',') return false;
    }
    return false;
}

static Status decimals_convert(Convert *self, int bits) {
    __int128 limit = 1;
    for (int i = 0; i < self->out->type.precision; i++) limit *= 10;
    for (uint32_t i = 0; i < self->count; i++) {
        __int128 value = 0;
        if (!row_valid(self, i)) continue;
        if (bits == 32)
            value = ((const int32_t *)self->values)[i];
        else if (bits == 64)
            value = ((const int64_t *)self->values)[i];
        else
            memcpy(&value, (const char *)self->values + (size_t)i * 16, sizeof value);
        if (value >= limit || value <= -limit || !integer_put(self->out, i, value))
            return out_of_range(self);
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- dates and times */

/* Units per second of the letter in "tsm:", "ttu", "tDn"; 0: not one. */
static int64_t unit_of(char letter) {
    switch (letter) {
    case 's': return 1;
    case 'm': return 1000;
    case 'u': return 1000000;
    case 'n': return 1000000000;
    default: return 0;
    }
}

/* Floor division of instants into microseconds and the nanoseconds left. */
static bool instant_split(int64_t value, int64_t unit, int64_t *us, int32_t *ns) {
    *ns = 0;
    if (unit <= US_PER_SECOND) return !__builtin_mul_overflow(value, US_PER_SECOND / unit, us);
    *us = value / 1000;
    *ns = (int32_t)(value % 1000);
    if (*ns < 0) {
        *ns += 1000;
        *us -= 1;
    }
    return true;
}

static Status instants_convert(Convert *self, int64_t unit, int16_t zone) {
    for (uint32_t i = 0; i < self->count; i++) {
        int64_t us;
        int32_t ns;
        if (!row_valid(self, i)) continue;
        if (!instant_split(((const int64_t *)self->values)[i], unit, &us, &ns))
            return out_of_range(self);
        switch (self->out->physical) {
        case PHYS_INT64:
            if (ns) return out_of_range(self); /* nothing is dropped silently */
            ((int64_t *)self->out->data)[i] = us;
            break;
        case PHYS_INSTANT: ((Instant *)self->out->data)[i] = (Instant){.us = us, .ns = ns}; break;
        default:
            ((ZonedInstant *)self->out->data)[i] =
                (ZonedInstant){.us = us, .zone = zone, .ns = (int16_t)ns};
            break;
        }
    }
    return TRIB_OK;
}

static Status dates_convert(Convert *self) {
    for (uint32_t i = 0; i < self->count; i++) {
        int64_t ms = ((const int64_t *)self->values)[i];
        if (!row_valid(self, i)) continue;
        if (ms % 86400000 != 0 || !integer_put(self->out, i, ms / 86400000))
            return out_of_range(self);
    }
    return TRIB_OK;
}

/* tts and ttm are 32 bits wide, ttu 64. */
static Status times_convert(Convert *self, int64_t unit) {
    for (uint32_t i = 0; i < self->count; i++) {
        if (!row_valid(self, i)) continue;
        int64_t value =
            unit <= 1000 ? ((const int32_t *)self->values)[i] : ((const int64_t *)self->values)[i];
        if (value < 0 || value >= 86400 * unit) return out_of_range(self);
        ((int64_t *)self->out->data)[i] = value * (1000000000 / unit);
    }
    return TRIB_OK;
}

static Status durations_convert(Convert *self, int64_t unit) {
    for (uint32_t i = 0; i < self->count; i++) {
        int64_t us;
        int32_t ns;
        if (!row_valid(self, i)) continue;
        if (!instant_split(((const int64_t *)self->values)[i], unit, &us, &ns) || ns)
            return out_of_range(self);
        ((int64_t *)self->out->data)[i] = us;
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- choosing */

typedef enum {
    FROM_NOTHING,
    FROM_INTEGER,
    FROM_FLOAT,
    FROM_DECIMAL,
    FROM_DATE,
    FROM_TIME,
    FROM_INSTANT,
    FROM_DURATION
} From;

/* What the format means for the column's type, and how wide its values are. */
static From conversion_of(const char *format, Type type, size_t *width, int64_t *unit) {
    int precision, scale, bits;
    if (format[0] && !format[1] && integer_width(format[0]) &&
        (type_is_integer(type) || type.id == TRIB_TYPE_DECIMAL)) {
        *width = integer_width(format[0]);
        return type_is_integer(type) || type.scale == 0 ? FROM_INTEGER : FROM_NOTHING;
    }
    if (strcmp(format, "f") == 0 && type.id == TRIB_TYPE_DOUBLE) {
        *width = 4;
        return FROM_FLOAT;
    }
    if (type.id == TRIB_TYPE_DECIMAL && decimal_layout(format, &precision, &scale, &bits)) {
        *width = (size_t)bits / 8;
        *unit = bits;
        return scale == type.scale && (bits == 32 || bits == 64 || bits == 128) ? FROM_DECIMAL
                                                                                : FROM_NOTHING;
    }
    if (format[0] != 't' || !format[1] || !format[2]) return FROM_NOTHING;
    *width = 8;
    *unit = unit_of(format[2]);
    if (strcmp(format, "tdm") == 0 && type.id == TRIB_TYPE_DATE) return FROM_DATE;
    if (*unit == 0) return FROM_NOTHING;
    if (format[1] == 't' && !format[3] && type.id == TRIB_TYPE_TIME) {
        *width = *unit <= 1000 ? 4 : 8;
        return FROM_TIME;
    }
    if (format[1] == 'D' && !format[3] && type.id == TRIB_TYPE_INTERVAL_DS) return FROM_DURATION;
    if (format[1] != 's' || format[3] != ':') return FROM_NOTHING;
    if (type.id == TRIB_TYPE_TIMESTAMP && !format[4]) return FROM_INSTANT;
    return type.id == TRIB_TYPE_TIMESTAMP_TZ && format[4] ? FROM_INSTANT : FROM_NOTHING;
}

Status arrow_convert(ArrowImport *self, const struct ArrowArray *array, const char *format,
                     int64_t at, uint32_t count, Vector *out, bool *done) {
    size_t width = 0;
    int64_t unit = 0;
    From from = conversion_of(format, out->type, &width, &unit);
    if (from == FROM_NOTHING) return TRIB_OK;
    *done = true;
    const char *values = (const char *)array->buffers[1] + (uint64_t)at * width;
    if ((uintptr_t)values % (width > 8 ? 8 : width) != 0)
        return arrow_fault(self, "the values of a column are not aligned");
    TRY_ALLOC(out->data,
              arena_alloc(self->arena, count * physical_size((PhysicalType)out->physical)),
              self->err);
    Convert convert = {
        .import = self, .values = values, .validity = out->validity, .count = count, .out = out};
    switch (from) {
    case FROM_INTEGER: return integers_convert(&convert, format[0]);
    case FROM_FLOAT: return floats_convert(&convert);
    case FROM_DECIMAL: return decimals_convert(&convert, (int)unit);
    case FROM_DATE: return dates_convert(&convert);
    case FROM_TIME: return times_convert(&convert, unit);
    case FROM_DURATION: return durations_convert(&convert, unit);
    default: break;
    }
    int16_t zone = format[4] ? zone_lookup(str_from(format + 4)) : 0;
    if (zone < 0) return arrow_fault(self, "the time zone \"%s\" is not known", format + 4);
    return instants_convert(&convert, unit, zone);
}
