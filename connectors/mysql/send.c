/*
 * send.c - one loop per kind of column, over the rows that count.
 *
 * Integers and floating-point numbers are copied into an array of the width that they have; decimals and uuids
 * become text, dates and times the library's structure, texts and bytes stay where they are. NULLs are marked in
 * a byte per row. Values that the server would change in silence, or that it has no counterpart for, are errors
 * here: NaN, years beyond 9999, intervals beyond its TIME, a YEAR of two digits. All else is left to its strict mode.
 */
#include "connectors/mysql/send.h"

#include <math.h>

#include "connectors/mysql/shippable.h"
#include "connectors/support/row_value.h"
#include "engine/base/calendar.h"
#include "engine/base/decimal.h"

#define UUID_TEXT     36
#define INTERVAL_MOST (INT64_C(839) * 3600 * US_PER_SECOND)
#define LENGTH_BYTES  9 /* in front of a text, at most */

/* What a batch's column is, while it is taken. */
typedef struct Input {
    const struct ArrowArray *array;
    int64_t base; /* of row 0 in its buffers */
    const TribBatch *batch;
    const void *data;
    uint32_t rows;
} Input;

static inline int64_t input_at(const Input *input, uint32_t i) {
    return input->base + (input->batch->selection ? input->batch->selection[i] : (int64_t)i);
}

static Status refuse_value(const SendColumn *self, ErrorCode code, const char *why, Error *err) {
    return error_set(err, code, "a value of column \"%s\" cannot be stored: %s", self->column->name,
                     why);
}

/* ---------------------------------------------------------------- numbers */

#define GATHER(name, type)                                            \
    static void name(SendColumn *self, const Input *input) {          \
        type *out = self->values;                                     \
        for (uint32_t i = 0; i < input->rows; i++)                    \
            out[i] = ((const type *)input->data)[input_at(input, i)]; \
    }
GATHER(gather1, int8_t)
GATHER(gather2, int16_t)
GATHER(gather4, int32_t)
GATHER(gather8, int64_t)

static void gather_bits(SendColumn *self, const Input *input) {
    int8_t *out = self->values;
    const uint8_t *bits = input->data;
    for (uint32_t i = 0; i < input->rows; i++) {
        int64_t at = input_at(input, i);
        out[i] = bits[at >> 3] >> (at & 7) & 1;
    }
}

/* MySQL makes 1970 of 70. */
static Status check_year(SendColumn *self, const Input *input, Error *err) {
    const int16_t *values = self->values;
    for (uint32_t i = 0; i < input->rows; i++) {
        if (self->indicators[i] || values[i] <= 0 || values[i] > 99) continue;
        return refuse_value(self, ERR_OUT_OF_RANGE, "a YEAR of two digits would become another one",
                            err);
    }
    return TRIB_OK;
}

static Status check_finite(SendColumn *self, const Input *input, Error *err) {
    bool wide = self->width == sizeof(double);
    for (uint32_t i = 0; i < input->rows; i++) {
        double value =
            wide ? ((const double *)self->values)[i] : (double)((const float *)self->values)[i];
        if (isfinite(value) || self->indicators[i]) continue;
        return refuse_value(self, ERR_OUT_OF_RANGE, "the source has no NaN and no Infinity", err);
    }
    return TRIB_OK;
}

static Status send_number(RowSender *sender, SendColumn *self, const Input *input, Error *err) {
    if (self->column->type.id == TRIB_TYPE_BOOLEAN)
        gather_bits(self, input);
    else if (self->width == 1)
        gather1(self, input);
    else if (self->width == 2)
        gather2(self, input);
    else if (self->width == 4)
        gather4(self, input);
    else
        gather8(self, input);
    if (self->facts.class == CLASS_YEAR) return check_year(self, input, err);
    bool floating =
        self->column->type.id == TRIB_TYPE_REAL || self->column->type.id == TRIB_TYPE_DOUBLE;
    return floating ? check_finite(self, input, err) : TRIB_OK;
}

/* ---------------------------------------------------------------- texts */

static void set_text(SendColumn *self, uint32_t i, const char *data, size_t length) {
    ((const char **)self->values)[i] = length ? data : "";
    self->lengths[i] = (unsigned long)length;
}

static Status send_decimal(RowSender *sender, SendColumn *self, const Input *input, Error *err) {
    TribType type = self->column->type;
    char *texts;
    TRY_ALLOC(texts, ARENA_ARRAY(sender->arena, char, (size_t)input->rows *DECIMAL_TEXT_MAX), err);
    for (uint32_t i = 0; i < input->rows; i++, texts += DECIMAL_TEXT_MAX) {
        int64_t at = input_at(input, i);
        Int128 unscaled = 0;
        if (!self->indicators[i] && type.precision <= 18)
            unscaled = ((const int64_t *)input->data)[at];
        else if (!self->indicators[i])
            memcpy(&unscaled, (const uint8_t *)input->data + at * 16, 16);
        set_text(self, i, texts, decimal_format(unscaled, type.scale, texts));
    }
    return TRIB_OK;
}

/* Stored char(n) comes back without blanks at its end. */
static size_t char_length(const char *data, size_t length) {
    while (length > 0 && data[length - 1] == ' ') length--;
    return length;
}

static Status send_text(RowSender *sender, SendColumn *self, const Input *input, Error *err) {
    bool padded = self->column->type.id == TRIB_TYPE_CHAR;
    for (uint32_t i = 0; i < input->rows; i++) {
        Str text = {"", 0};
        if (!self->indicators[i]) text = row_text(input->array, input_at(input, i));
        set_text(self, i, text.data, padded ? char_length(text.data, text.len) : text.len);
    }
    return TRIB_OK;
}

static Status send_uuid(RowSender *sender, SendColumn *self, const Input *input, Error *err) {
    static const char digits[] = "0123456789abcdef";
    char *text;
    TRY_ALLOC(text, ARENA_ARRAY(sender->arena, char, (size_t)input->rows *UUID_TEXT), err);
    for (uint32_t i = 0; i < input->rows; i++) {
        const uint8_t *bytes = (const uint8_t *)input->data + input_at(input, i) * 16;
        set_text(self, i, text, UUID_TEXT);
        for (int b = 0; b < 16; b++) {
            if (b == 4 || b == 6 || b == 8 || b == 10) *text++ = '-';
            *text++ = digits[bytes[b] >> 4];
            *text++ = digits[bytes[b] & 15];
        }
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- dates and times */

static void put_clock(MYSQL_TIME *time, int64_t us) {
    int64_t seconds = us / US_PER_SECOND;
    time->second_part = (unsigned long)(us % US_PER_SECOND);
    time->second = (unsigned int)(seconds % 60);
    time->minute = (unsigned int)(seconds / 60 % 60);
    time->hour = (unsigned int)(seconds / 3600);
}

static bool put_date(MYSQL_TIME *time, int64_t days) {
    if (days < INT32_MIN || days > INT32_MAX) return false;
    CivilDate date = date_to_civil((int32_t)days);
    if (date.year < 0 || date.year > 9999) return false;
    time->year = (unsigned int)date.year;
    time->month = date.month;
    time->day = date.day;
    return true;
}

static Status put_instant(const SendColumn *self, MYSQL_TIME *time, int64_t us, int32_t ns,
                          Error *err) {
    int64_t days = us / US_PER_DAY - (us % US_PER_DAY < 0);
    time->time_type = MYSQL_TIMESTAMP_DATETIME;
    put_clock(time, us - days * US_PER_DAY);
    if (!put_date(time, days))
        return refuse_value(self, ERR_DATETIME_OVERFLOW, "a year beyond 0 to 9999", err);
    if (ns != 0)
        return refuse_value(self, ERR_DATETIME_OVERFLOW, "it is finer than a microsecond", err);
    return TRIB_OK;
}

static Status put_duration(const SendColumn *self, MYSQL_TIME *time, int64_t us, Error *err) {
    time->time_type = MYSQL_TIMESTAMP_TIME;
    if (us <= -INTERVAL_MOST || us >= INTERVAL_MOST)
        return refuse_value(self, ERR_INTERVAL_OVERFLOW, "the source has 838:59:59 at most", err);
    time->neg = us < 0;
    put_clock(time, us < 0 ? -us : us);
    time->day = time->hour / 24;
    time->hour %= 24;
    return TRIB_OK;
}

static Status put_time(const SendColumn *self, MYSQL_TIME *time, const Input *input, int64_t at,
                       Error *err) {
    TribType type = self->column->type;
    int64_t us, ns;
    int32_t fine = 0;
    int16_t zoned_ns;
    switch (type.id) {
    case TRIB_TYPE_DATE:
        time->time_type = MYSQL_TIMESTAMP_DATE;
        if (put_date(time, ((const int32_t *)input->data)[at])) return TRIB_OK;
        return refuse_value(self, ERR_DATETIME_OVERFLOW, "a year beyond 0 to 9999", err);
    case TRIB_TYPE_TIME:
        ns = ((const int64_t *)input->data)[at];
        if (ns % 1000 != 0)
            return refuse_value(self, ERR_DATETIME_OVERFLOW, "it is finer than a microsecond", err);
        return put_duration(self, time, ns / 1000, err);
    case TRIB_TYPE_INTERVAL_DS:
        return put_duration(self, time, ((const int64_t *)input->data)[at], err);
    case TRIB_TYPE_TIMESTAMP_TZ:
        memcpy(&us, (const uint8_t *)input->data + at * 16, 8);
        memcpy(&zoned_ns, (const uint8_t *)input->data + at * 16 + 10, 2);
        return put_instant(self, time, us, zoned_ns, err);
    default:
        if (type.precision <= 6)
            return put_instant(self, time, ((const int64_t *)input->data)[at], 0, err);
        memcpy(&us, (const uint8_t *)input->data + at * 16, 8);
        memcpy(&fine, (const uint8_t *)input->data + at * 16 + 8, 4);
        return put_instant(self, time, us, fine, err);
    }
}

static Status send_time(RowSender *sender, SendColumn *self, const Input *input, Error *err) {
    MYSQL_TIME *times;
    TRY_ALLOC(times, ARENA_ARRAY(sender->arena, MYSQL_TIME, input->rows), err);
    for (uint32_t i = 0; i < input->rows; i++) {
        ((MYSQL_TIME **)self->values)[i] = &times[i];
        if (!self->indicators[i]) TRY(put_time(self, &times[i], input, input_at(input, i), err));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- columns */

typedef struct Sending {
    enum enum_field_types wire;
    uint8_t width;
    uint8_t most; /* bytes of a value in a packet, beyond a text's own */
    Status (*take)(RowSender *, SendColumn *, const Input *, Error *);
} Sending;

static const Sending sendings[] = {
    [TRIB_TYPE_BOOLEAN] = {MYSQL_TYPE_TINY, 1, 1, send_number},
    [TRIB_TYPE_TINYINT] = {MYSQL_TYPE_TINY, 1, 1, send_number},
    [TRIB_TYPE_SMALLINT] = {MYSQL_TYPE_SHORT, 2, 2, send_number},
    [TRIB_TYPE_INTEGER] = {MYSQL_TYPE_LONG, 4, 4, send_number},
    [TRIB_TYPE_BIGINT] = {MYSQL_TYPE_LONGLONG, 8, 8, send_number},
    [TRIB_TYPE_REAL] = {MYSQL_TYPE_FLOAT, 4, 4, send_number},
    [TRIB_TYPE_DOUBLE] = {MYSQL_TYPE_DOUBLE, 8, 8, send_number},
    [TRIB_TYPE_DECIMAL] = {MYSQL_TYPE_NEWDECIMAL, 0, LENGTH_BYTES, send_decimal},
    [TRIB_TYPE_VARCHAR] = {MYSQL_TYPE_STRING, 0, LENGTH_BYTES, send_text},
    [TRIB_TYPE_CHAR] = {MYSQL_TYPE_STRING, 0, LENGTH_BYTES, send_text},
    [TRIB_TYPE_JSON] = {MYSQL_TYPE_STRING, 0, LENGTH_BYTES, send_text},
    [TRIB_TYPE_VARBINARY] = {MYSQL_TYPE_BLOB, 0, LENGTH_BYTES, send_text},
    [TRIB_TYPE_UUID] = {MYSQL_TYPE_STRING, 0, LENGTH_BYTES, send_uuid},
    [TRIB_TYPE_DATE] = {MYSQL_TYPE_DATE, 0, 13, send_time},
    [TRIB_TYPE_TIME] = {MYSQL_TYPE_TIME, 0, 13, send_time},
    [TRIB_TYPE_TIMESTAMP] = {MYSQL_TYPE_DATETIME, 0, 13, send_time},
    [TRIB_TYPE_TIMESTAMP_TZ] = {MYSQL_TYPE_DATETIME, 0, 13, send_time},
    [TRIB_TYPE_INTERVAL_DS] = {MYSQL_TYPE_TIME, 0, 13, send_time},
};

static const Sending *sending_of(TribType type) {
    const Sending *found = type.id < COUNT_OF(sendings) ? &sendings[type.id] : NULL;
    return found && found->take ? found : NULL;
}

Status sender_init(RowSender *self, Arena *arena, const TribTable *table, uint32_t ncolumns,
                   const uint32_t *columns, uint32_t nkeys, Error *err) {
    self->ncolumns = ncolumns;
    self->rows = 0;
    self->arena = NULL;
    TRY_ALLOC(self->columns, ARENA_ARRAY(arena, SendColumn, ncolumns), err);
    for (uint32_t i = 0; i < ncolumns; i++) {
        TribColumn *column;
        TRY_ALLOC(column, ARENA_NEW(arena, TribColumn), err);
        *column = table->columns[columns[i]];
        TRY_ALLOC(column->name, arena_strdup(arena, column->name), err);
        const Sending *sending = sending_of(column->type);
        if (!sending || column->unreadable)
            return error_set(
                err, ERR_UNSUPPORTED, "column \"%s\" cannot be written: %s", column->name,
                column->unreadable ? column->unreadable : "the source has no such type");
        self->columns[i] = (SendColumn){
            .column = column, .key = i < nkeys, .wire = sending->wire, .width = sending->width};
        if (column->facts) facts_parse(column->facts, &self->columns[i].facts);
    }
    TRY_ALLOC(self->arena, arena_new(arena), err);
    return TRIB_OK;
}

void sender_clear(RowSender *self) {
    if (self->arena) arena_free(self->arena);
    self->arena = NULL;
}

static Status column_nulls(SendColumn *self, const Input *input, Error *err) {
    const uint8_t *bits = input->array->n_buffers > 0 ? input->array->buffers[0] : NULL;
    if (!bits) return TRIB_OK;
    for (uint32_t i = 0; i < input->rows; i++) {
        int64_t at = input_at(input, i);
        if (bits[at >> 3] >> (at & 7) & 1) continue;
        if (self->key)
            return error_set(err, ERR_UNSUPPORTED,
                             "a row cannot be changed: its key \"%s\" holds a value that is none, "
                             "such as the date 0000-00-00",
                             self->column->name);
        self->indicators[i] = STMT_INDICATOR_NULL;
    }
    return TRIB_OK;
}

static Status column_take(RowSender *self, SendColumn *column, const struct ArrowArray *array,
                          const TribBatch *batch, Error *err) {
    const Sending *sending = sending_of(column->column->type);
    Input input = {.array = array,
                   .base = batch->array.offset + array->offset,
                   .batch = batch,
                   .data = array->n_buffers > 1 ? array->buffers[1] : NULL,
                   .rows = self->rows};
    size_t each = column->width ? column->width : sizeof(void *);
    TRY_ALLOC(column->values, arena_array(self->arena, self->rows, each), err);
    TRY_ALLOC(column->indicators, ARENA_ARRAY(self->arena, char, self->rows), err);
    if (!column->width)
        TRY_ALLOC(column->lengths, ARENA_ARRAY(self->arena, unsigned long, self->rows), err);
    TRY(column_nulls(column, &input, err));
    TRY(sending->take(self, column, &input, err));
    for (uint32_t i = 0; i < self->rows; i++) {
        self->sizes[i] += sending->most + 1u; /* and an indicator */
        if (!column->width) self->sizes[i] += column->lengths[i];
    }
    return TRIB_OK;
}

Status sender_take(RowSender *self, const TribBatch *batch, Error *err) {
    arena_reset(self->arena);
    self->rows = batch_rows_count(batch);
    TRY_ALLOC(self->sizes, ARENA_ARRAY(self->arena, uint64_t, self->rows), err);
    for (uint32_t c = 0; c < self->ncolumns; c++)
        TRY(column_take(self, &self->columns[c], batch->array.children[c], batch, err));
    return TRIB_OK;
}

/* ---------------------------------------------------------------- binds */

void sender_bind_array(const RowSender *self, uint32_t column, uint32_t from, MYSQL_BIND *out) {
    const SendColumn *c = &self->columns[column];
    size_t each = c->width ? c->width : sizeof(void *);
    *out = (MYSQL_BIND){.buffer_type = c->wire,
                        .buffer = (char *)c->values + from * each,
                        .buffer_length = c->width,
                        .length = c->lengths ? c->lengths + from : NULL};
    out->u.indicator = c->indicators + from;
}

void sender_bind_value(const RowSender *self, uint32_t column, uint32_t row, MYSQL_BIND *out) {
    const SendColumn *c = &self->columns[column];
    *out = (MYSQL_BIND){.buffer_type = c->wire, .buffer_length = c->width};
    if (c->indicators[row]) {
        out->buffer_type = MYSQL_TYPE_NULL;
        return;
    }
    out->buffer = c->width ? (char *)c->values + (size_t)row * c->width : ((void **)c->values)[row];
    if (c->width) return;
    out->length = &c->lengths[row];
    out->buffer_length = c->lengths[row];
}

/* ---------------------------------------------------------------- single values */

const char *sender_storable(const TribColumn *column, const TribValue *value) {
    ColumnFacts facts = {.class = CLASS_OTHER};
    if (column->unreadable) return "a column whose type has no counterpart";
    if (!sending_of(column->type)) return "the source has no such type";
    if (value->is_null) return NULL;
    if (column->facts) facts_parse(column->facts, &facts);
    if (facts.class == CLASS_YEAR && value->as.integer > 0 && value->as.integer < 100)
        return "a YEAR of two digits would become another one";
    return shippable_dialect.unbindable(NULL, value);
}
