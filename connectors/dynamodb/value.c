/*
 * value.c - reads attribute values into columns.
 *
 * Numbers stay decimal text until they become a scaled integer: they never pass through a double, unless
 * the column is one. A value fits a column or it does not; nothing is rounded or cut. Documents become
 * plain JSON by one pass over their typed JSON; its depth is bounded by the reader's.
 */
#include "connectors/dynamodb/value.h"

#include "engine/base/calendar.h"
#include "engine/base/decimal.h"
#include "engine/base/number.h"

enum { DOCUMENT_DEPTH = 256, EXPONENT_MOST = 1000 };

static const char *const type_names[] = {"",   "S",  "N",  "B", "BOOL", "NULL",
                                         "SS", "NS", "BS", "M", "L"};

AttrType attr_type_parse(Str text) {
    for (size_t i = 1; i < COUNT_OF(type_names); i++) {
        if (str_equal(text, str_from(type_names[i]))) return (AttrType)i;
    }
    return ATTR_NONE;
}

const char *attr_type_name(AttrType type) {
    return type_names[type];
}

/* ---------------------------------------------------------------- numbers */

/* Collects one digit; zeros in front count for nothing. */
static bool add_digit(Number *out, char c, bool fraction, int32_t *zeros) {
    if (c == '0' && out->ndigits == 0) {
        if (fraction) out->exponent--;
        return true;
    }
    if (!fraction) out->exponent++;
    if (c == '0') {
        (*zeros)++; /* significant only if another digit follows */
        return true;
    }
    if (out->ndigits + *zeros + 1 > (int32_t)sizeof out->digits) return false;
    for (; *zeros > 0; (*zeros)--) out->digits[out->ndigits++] = '0';
    out->digits[out->ndigits++] = c;
    return true;
}

bool number_parse(Str text, Number *out) {
    size_t at = 0, digits = 0;
    int32_t zeros = 0;
    bool fraction = false;
    memset(out, 0, sizeof *out);
    if (at < text.len && (text.data[at] == '-' || text.data[at] == '+'))
        out->negative = text.data[at++] == '-';
    for (; at < text.len; at++) {
        char c = text.data[at];
        if (c == '.' && !fraction) {
            fraction = true;
        } else if (c >= '0' && c <= '9') {
            digits++;
            if (!add_digit(out, c, fraction, &zeros)) return false;
        } else {
            break;
        }
    }
    if (digits == 0) return false;
    if (at < text.len) {
        int64_t exponent;
        if (text.data[at] != 'e' && text.data[at] != 'E') return false;
        at++;
        if (at < text.len && text.data[at] == '+') at++;
        if (int64_parse((Str){text.data + at, text.len - at}, &exponent) != NUMBER_OK ||
            exponent < -EXPONENT_MOST || exponent > EXPONENT_MOST)
            return false;
        out->exponent += (int32_t)exponent;
    }
    if (out->ndigits == 0) out->negative = false, out->exponent = 0;
    return true;
}

static int magnitude_compare(const Number *a, const Number *b) {
    if (a->ndigits == 0 || b->ndigits == 0) return (a->ndigits > 0) - (b->ndigits > 0);
    if (a->exponent != b->exponent) return a->exponent < b->exponent ? -1 : 1;
    return str_compare((Str){a->digits, a->ndigits}, (Str){b->digits, b->ndigits});
}

int number_compare(const Number *a, const Number *b) {
    if (a->negative != b->negative) return a->negative ? -1 : 1;
    int order = magnitude_compare(a, b);
    return a->negative ? -order : order;
}

bool number_scaled(const Number *number, int scale, __int128 *out) {
    /* 0.d1..dn * 10^e * 10^scale has e + scale digits before the point. */
    int32_t whole = number->exponent + scale;
    *out = 0;
    if (number->ndigits == 0) return true;
    if (whole < number->ndigits || whole > DECIMAL_MAX_DIGITS) return false;
    __int128 value = 0;
    for (uint8_t i = 0; i < number->ndigits; i++) value = value * 10 + (number->digits[i] - '0');
    value *= decimal_powers[whole - number->ndigits];
    *out = number->negative ? -value : value;
    return true;
}

/* ---------------------------------------------------------------- base64 */

static int base64_digit(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    return c == '/' ? 63 : -1;
}

bool base64_decode(Str text, char *out, size_t *length) {
    size_t n = 0;
    *length = 0;
    if (text.len % 4) return false;
    for (size_t i = 0; i < text.len; i += 4) {
        bool last = i + 4 == text.len;
        int pad = last && text.data[i + 3] == '=' ? 1 + (text.data[i + 2] == '=') : 0;
        uint32_t bits = 0;
        for (int k = 0; k < 4; k++) {
            int digit = k >= 4 - pad ? 0 : base64_digit(text.data[i + (size_t)k]);
            if (digit < 0) return false;
            bits = bits << 6 | (uint32_t)digit;
        }
        for (int k = 0; k < 3 - pad; k++) out[n++] = (char)(bits >> (16 - 8 * k));
    }
    *length = n;
    return true;
}

void base64_encode(Buf *out, Str bytes) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t bits = (uint32_t)(unsigned char)bytes.data[i] << 16;
        if (left > 1) bits |= (uint32_t)(unsigned char)bytes.data[i + 1] << 8;
        if (left > 2) bits |= (unsigned char)bytes.data[i + 2];
        char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
                        left > 1 ? digits[bits >> 6 & 63] : '=',
                        left > 2 ? digits[bits & 63] : '='};
        buf_add(out, four, 4);
    }
}

/* ---------------------------------------------------------------- what fits */

AttrType column_attr(const ColumnInfo *column) {
    switch (column->read) {
    case READ_TEXT: return ATTR_S;
    case READ_NUMBER: return ATTR_N;
    case READ_BINARY: return ATTR_B;
    case READ_BOOL: return ATTR_BOOL;
    default: return ATTR_NONE;
    }
}

bool column_is_strict(const ColumnInfo *column) {
    switch (column->read) {
    case READ_NUMBER:
        return column->type.id != TRIB_TYPE_DOUBLE && column->type.id != TRIB_TYPE_REAL;
    case READ_TEXT: return column->type.id != TRIB_TYPE_VARCHAR || column->type.length != 0;
    default: return false;
    }
}

static bool integer_of(const ColumnInfo *column, Str text, int64_t *out) {
    static const int64_t most[] = {[TRIB_TYPE_TINYINT] = INT8_MAX,
                                   [TRIB_TYPE_SMALLINT] = INT16_MAX,
                                   [TRIB_TYPE_INTEGER] = INT32_MAX,
                                   [TRIB_TYPE_BIGINT] = INT64_MAX};
    int64_t limit = most[column->type.id];
    if (int64_parse(text, out) != NUMBER_OK) { /* "5E+2", "5.0", or none */
        Number number;
        __int128 wide;
        if (!number_parse(text, &number) || !number_scaled(&number, 0, &wide) || wide > INT64_MAX ||
            wide < INT64_MIN)
            return false;
        *out = (int64_t)wide;
    }
    return *out <= limit && *out >= -limit - 1;
}

static bool decimal_of(const ColumnInfo *column, Str text, __int128 *out) {
    Number number;
    return number_parse(text, &number) && number_scaled(&number, column->type.scale, out) &&
           decimal_fits(*out, column->type.precision);
}

/* Dates in the one form that sorts as text does: YYYY-MM-DD. */
static bool date_of(Str text, int32_t *days) {
    if (text.len != 10 || text.data[4] != '-' || text.data[7] != '-') return false;
    for (size_t i = 0; i < text.len; i++) {
        if (i != 4 && i != 7 && (text.data[i] < '0' || text.data[i] > '9')) return false;
    }
    return date_parse(text, days);
}

static bool timestamp_of(const ColumnInfo *column, Str text, int64_t *us) {
    int32_t ns;
    int16_t zone;
    if (!timestamp_parse(text, 9, us, &ns, &zone) || zone > 0 || ns) return false;
    int64_t unit = 1;
    for (int i = column->type.precision; i < 6; i++) unit *= 10;
    return *us % unit == 0;
}

static bool number_fits(const ColumnInfo *column, Str text) {
    int64_t integer;
    __int128 wide;
    switch (column->type.id) {
    case TRIB_TYPE_DECIMAL: return decimal_of(column, text, &wide);
    case TRIB_TYPE_DOUBLE:
    case TRIB_TYPE_REAL: return true;
    default: return integer_of(column, text, &integer);
    }
}

static bool text_fits(const ColumnInfo *column, Str text) {
    int32_t days;
    int64_t us;
    switch (column->type.id) {
    case TRIB_TYPE_DATE: return date_of(text, &days);
    case TRIB_TYPE_TIMESTAMP: return timestamp_of(column, text, &us);
    default:
        return column->type.length == 0 || utf8_length(text.data, text.len) <= column->type.length;
    }
}

Fit value_fit(const ColumnInfo *column, const AttrValue *value) {
    if (value->type == ATTR_NONE || value->type == ATTR_NULL) return FIT_NULL;
    if (column->read == READ_DOCUMENT || column->read == READ_ANY) return FIT_GOOD;
    if (value->type != column_attr(column)) return FIT_WRONG;
    if (column->read == READ_NUMBER) return number_fits(column, value->text) ? FIT_GOOD : FIT_WRONG;
    if (column->read == READ_TEXT) return text_fits(column, value->text) ? FIT_GOOD : FIT_WRONG;
    return FIT_GOOD;
}

/* ---------------------------------------------------------------- documents */

static void scalar_json(Buf *out, AttrType type, Str text) {
    if (type == ATTR_N || type == ATTR_BOOL)
        buf_str(out, text);
    else if (type == ATTR_NULL)
        buf_text(out, "null");
    else
        json_quote(out, text);
}

/*
 * The typed JSON of a list, map or set, read token by token. `wrapped` has a bit per open container:
 * is it the {"N": ...} around a value, which leaves no trace?
 */
typedef struct Document {
    JsonReader reader;
    Buf *out;
    bool comma;
    uint32_t depth;
    uint8_t kinds[DOCUMENT_DEPTH + 1];
} Document;

enum { IN_VALUE, IN_MAP, IN_LIST, IN_SET, IN_NUMBER_SET };

static Status document_broken(Error *err) {
    return error_set(err, ERR_SOURCE, "DynamoDB's answer is broken: a document's form is unknown");
}

static void document_comma(Document *self) {
    if (self->comma) buf_char(self->out, ',');
    self->comma = true;
}

static Status document_open(Document *self, uint8_t kind, Error *err) {
    if (self->depth >= DOCUMENT_DEPTH)
        return error_set(err, ERR_LIMIT, "a document is nested too deeply");
    self->kinds[++self->depth] = kind;
    if (kind == IN_VALUE) return TRIB_OK;
    buf_char(self->out, kind == IN_MAP ? '{' : '[');
    self->comma = false;
    return TRIB_OK;
}

/* After {"T": the value of type T begins with this token. */
static Status document_typed(Document *self, AttrType type, JsonToken token, Error *err) {
    bool object = token == JSON_OBJECT_BEGIN, array = token == JSON_ARRAY_BEGIN;
    switch (type) {
    case ATTR_M: return object ? document_open(self, IN_MAP, err) : document_broken(err);
    case ATTR_L: return array ? document_open(self, IN_LIST, err) : document_broken(err);
    case ATTR_SS:
    case ATTR_BS: return array ? document_open(self, IN_SET, err) : document_broken(err);
    case ATTR_NS: return array ? document_open(self, IN_NUMBER_SET, err) : document_broken(err);
    case ATTR_BOOL:
        if (token != JSON_TRUE && token != JSON_FALSE) return document_broken(err);
        buf_text(self->out, token == JSON_TRUE ? "true" : "false");
        return TRIB_OK;
    case ATTR_NULL:
        buf_text(self->out, "null");
        return token == JSON_TRUE ? TRIB_OK : document_broken(err);
    case ATTR_NONE: return document_broken(err);
    default:
        if (token != JSON_STRING) return document_broken(err);
        scalar_json(self->out, type, self->reader.text);
        return TRIB_OK;
    }
}

static Status document_key(Document *self, Error *err) {
    JsonToken token;
    if (self->kinds[self->depth] == IN_MAP) {
        document_comma(self);
        json_quote(self->out, self->reader.text);
        buf_char(self->out, ':');
        return TRIB_OK;
    }
    if (self->kinds[self->depth] != IN_VALUE) return document_broken(err);
    AttrType type = attr_type_parse(self->reader.text);
    TRY(json_next(&self->reader, &token, err));
    return document_typed(self, type, token, err);
}

static Status document_close(Document *self, Error *err) {
    uint8_t kind = self->kinds[self->depth--];
    if (kind == IN_VALUE) return TRIB_OK;
    buf_char(self->out, kind == IN_MAP ? '}' : ']');
    self->comma = true;
    return TRIB_OK;
}

static Status document_token(Document *self, JsonToken token, Error *err) {
    uint8_t kind = self->kinds[self->depth];
    switch (token) {
    case JSON_KEY: return document_key(self, err);
    case JSON_OBJECT_BEGIN: /* a value inside a map or list */
        if (kind == IN_LIST) document_comma(self);
        return kind == IN_LIST || kind == IN_MAP ? document_open(self, IN_VALUE, err)
                                                 : document_broken(err);
    case JSON_STRING:
        if (kind != IN_SET && kind != IN_NUMBER_SET) return document_broken(err);
        document_comma(self);
        scalar_json(self->out, kind == IN_SET ? ATTR_S : ATTR_N, self->reader.text);
        return TRIB_OK;
    case JSON_OBJECT_END:
    case JSON_ARRAY_END: return document_close(self, err);
    default: return document_broken(err);
    }
}

static Status document_json(Buf *out, const AttrValue *value, Arena *arena, Error *err) {
    Document self = {.out = out};
    JsonToken token;
    json_init(&self.reader, arena, value->text, false, DOCUMENT_DEPTH * 2);
    TRY(json_next(&self.reader, &token, err));
    TRY(document_typed(&self, value->type, token, err));
    while (self.depth > 0) {
        TRY(json_next(&self.reader, &token, err));
        TRY(document_token(&self, token, err));
    }
    return TRIB_OK;
}

Status value_json(Buf *out, const AttrValue *value, Arena *arena, Error *err) {
    if (value->type >= ATTR_SS)
        TRY(document_json(out, value, arena, err));
    else
        scalar_json(out, value->type, value->text);
    return buf_status(out, err);
}

/* ---------------------------------------------------------------- writing */

static Status write_number(BatchBuilder *builder, BatchColumn *to, uint32_t row,
                           const ColumnInfo *column, Str text, Error *err) {
    int64_t integer = 0;
    __int128 wide = 0;
    double real = 0;
    if (column->type.id == TRIB_TYPE_DECIMAL) {
        decimal_of(column, text, &wide);
        if (to->layout == BATCH_INT64)
            batch_set_int64(to, row, (int64_t)wide);
        else
            batch_set_int128(to, row, wide);
        return TRIB_OK;
    }
    if (column->type.id == TRIB_TYPE_DOUBLE || column->type.id == TRIB_TYPE_REAL)
        double_parse(text, &real);
    else
        integer_of(column, text, &integer);
    switch (to->layout) {
    case BATCH_INT8: batch_set_int8(to, row, (int8_t)integer); break;
    case BATCH_INT16: batch_set_int16(to, row, (int16_t)integer); break;
    case BATCH_INT32: batch_set_int32(to, row, (int32_t)integer); break;
    case BATCH_INT64: batch_set_int64(to, row, integer); break;
    case BATCH_FLOAT: batch_set_float(to, row, (float)real); break;
    case BATCH_DOUBLE: batch_set_double(to, row, real); break;
    default: return error_set(err, ERR_GENERAL, "a number cannot be stored in this column");
    }
    return TRIB_OK;
}

static Status write_text(BatchBuilder *builder, BatchColumn *to, uint32_t row,
                         const ColumnInfo *column, Str text, Error *err) {
    int32_t days = 0;
    int64_t us = 0;
    if (column->type.id == TRIB_TYPE_DATE) {
        date_of(text, &days);
        batch_set_int32(to, row, days);
        return TRIB_OK;
    }
    if (column->type.id == TRIB_TYPE_TIMESTAMP) {
        timestamp_of(column, text, &us);
        batch_set_int64(to, row, us);
        return TRIB_OK;
    }
    return batch_text(builder, to, row, text.data, text.len, err);
}

/* *good = false: it is not base64; nothing was written. */
static Status write_binary(BatchBuilder *builder, BatchColumn *to, uint32_t row, Str text,
                           Buf *scratch, bool *good, Error *err) {
    size_t length;
    scratch->len = 0;
    char *bytes = buf_reserve(scratch, text.len + 1);
    if (!bytes) return error_out_of_memory(err);
    *good = base64_decode(text, bytes, &length);
    return *good ? batch_text(builder, to, row, bytes, length, err) : TRIB_OK;
}

static Status write_any(BatchBuilder *builder, BatchColumn *to, uint32_t row,
                        const ColumnInfo *column, const AttrValue *value, Buf *scratch,
                        Error *err) {
    bool plain = column->read == READ_ANY && value->type != ATTR_NULL && value->type < ATTR_SS;
    if (plain) return batch_text(builder, to, row, value->text.data, value->text.len, err);
    Arena *arena;
    TRY_ALLOC(arena, arena_new(NULL), err);
    scratch->len = 0;
    Status status = value_json(scratch, value, arena, err);
    arena_free(arena);
    if (status != TRIB_OK) return status;
    return batch_text(builder, to, row, scratch->data, scratch->len, err);
}

Status value_write(BatchBuilder *builder, uint32_t output, const ColumnInfo *column,
                   const AttrValue *value, Buf *scratch, Fit *fit, Error *err) {
    BatchColumn *to = &builder->columns[output];
    uint32_t row = builder->rows;
    bool good = true;
    *fit = value_fit(column, value);
    if (*fit != FIT_GOOD) {
        batch_set_null(to, row);
        return TRIB_OK;
    }
    switch (column->read) {
    case READ_TEXT: return write_text(builder, to, row, column, value->text, err);
    case READ_NUMBER: return write_number(builder, to, row, column, value->text, err);
    case READ_BOOL: batch_set_bool(to, row, str_equal(value->text, STR("true"))); return TRIB_OK;
    case READ_BINARY:
        TRY(write_binary(builder, to, row, value->text, scratch, &good, err));
        if (!good) {
            batch_set_null(to, row);
            *fit = FIT_WRONG;
        }
        return TRIB_OK;
    default: return write_any(builder, to, row, column, value, scratch, err);
    }
}
