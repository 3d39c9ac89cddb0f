/*
 * getdata.c - SQLGetData: any column, in any order, bound or not, in parts.
 *
 * Character and binary results may be read in parts: the value stays where it is (in the batch, or
 * rendered into the statement's buffer), PartState remembers how far it was delivered and how much is
 * still to come, so that a long value is measured once. Asking for another column begins anew; asking
 * again for one that was delivered completely gives SQL_NO_DATA.
 */
#include "driver/stmt.h"

#include "driver/bookmark.h"
#include "driver/text.h"

static SQLRETURN finish_code(Stmt *self, ConvertCode code, const Error *err, uint32_t column) {
    Error own;
    if (code == CONVERT_OK) return SQL_SUCCESS;
    if (code != CONVERT_ENGINE) {
        (void)convert_error(code, &own);
        err = &own;
    }
    bool error = code >= CONVERT_ERROR;
    diag_row(&self->base, err, error, SQL_NO_ROW_NUMBER, (SQLINTEGER)column);
    return error ? SQL_ERROR : SQL_SUCCESS;
}

static SQLRETURN put_null(Stmt *self, SQLLEN *indicator) {
    if (!indicator)
        return diag_error(&self->base, ERR_NULL_NO_INDICATOR,
                          "the value is NULL and there is no indicator");
    SQLLEN null = SQL_NULL_DATA;
    memcpy(indicator, &null, sizeof null);
    return SQL_SUCCESS;
}

static void put_length(SQLLEN *indicator, SQLLEN length) {
    if (indicator) memcpy(indicator, &length, sizeof length);
}

/* The value as text or bytes, borrowed from the batch or rendered; *whole as for cell_text. */
static ConvertCode part_begin(Stmt *self, const Cell *cell, const ConvertPlan *plan, size_t *whole,
                              Error *err) {
    PartState *part = &self->cursor.part;
    if (!part->text.max) buf_init(&part->text, NULL, INT32_MAX);
    part->text.len = 0;
    ConvertCode code = cell_text(cell, part->small, &part->text, &part->value, whole, err);
    SQLULEN limit = self->options.max_length;
    if (code == CONVERT_OK && limit && part->value.len > limit &&
        (cell->family == FAMILY_TEXT || cell->family == FAMILY_BYTES))
        part->value.len = cell->family == FAMILY_BYTES
                              ? limit
                              : utf8_cut(part->value.data, part->value.len, limit);
    part->offset = 0;
    part->half = false;
    part->how = (uint8_t)convert_delivery(cell->family, plan->cclass);
    return code;
}

/* Bytes that the whole value takes in the C type's form. */
static size_t part_length(const PartState *part) {
    switch (part->how) {
    case DELIVER_WIDE: return utf16_length(part->value.data, part->value.len) * 2;
    case DELIVER_HEX: return part->value.len * 2;
    case DELIVER_HEX_WIDE: return part->value.len * 4;
    default: return part->value.len;
    }
}

/* Up to `units` of UTF-16; a surrogate pair at the end is split, its second half comes next time. */
static size_t put_wide(PartState *part, char *out, size_t units) {
    Str rest = {part->value.data + part->offset, part->value.len - part->offset};
    SQLWCHAR pair[2];
    size_t n = 0, used;
    if (part->half && units > 0) {
        (void)utf16_put(rest.data, 4, pair, 2, &used);
        memcpy(out, &pair[1], 2);
        n = 1;
        part->half = false;
        part->offset += used;
        rest = (Str){rest.data + used, rest.len - used};
    }
    n += utf16_put(rest.data, rest.len, (SQLWCHAR *)(void *)(out + n * 2), units - n, &used);
    part->offset += used;
    if (n < units && used < rest.len) { /* one unit is left, and a pair comes */
        (void)utf16_put(rest.data + used, 4, pair, 2, &used);
        memcpy(out + n++ * 2, &pair[0], 2);
        part->half = true;
    }
    return n;
}

/* Hexadecimal digits; the offset counts them. A part has both digits of a byte, unless it has room
 * for one only: it must make progress. */
static size_t put_hex(PartState *part, char *out, size_t units, size_t unit) {
    static const char digits[] = "0123456789ABCDEF";
    size_t n = 0;
    if (units > 1 && (units - part->offset % 2) % 2) units--;
    for (; n < units && part->offset < part->value.len * 2; n++, part->offset++) {
        uint8_t byte = (uint8_t)part->value.data[part->offset / 2];
        SQLWCHAR digit = (SQLWCHAR)digits[part->offset % 2 ? byte & 15 : byte >> 4];
        if (unit == 2)
            memcpy(out + n * 2, &digit, 2);
        else
            out[n] = (char)digit;
    }
    return n;
}

static size_t put_bytes(PartState *part, char *out, size_t room) {
    size_t n = part->value.len - part->offset;
    if (n > room) n = room;
    if (n) memcpy(out, part->value.data + part->offset, n);
    part->offset += n;
    return n;
}

/* The next part. Buffers are filled to the last unit, also when that splits a character: callers
 * count on a full buffer and put the parts together. */
static SQLRETURN part_deliver(Stmt *self, void *data, SQLLEN capacity, SQLLEN *indicator) {
    PartState *part = &self->cursor.part;
    bool wide = part->how == DELIVER_WIDE || part->how == DELIVER_HEX_WIDE;
    size_t unit = wide ? 2 : 1, room = (size_t)capacity / unit, n = 0;
    put_length(indicator, (SQLLEN)part->remaining);
    if (part->how == DELIVER_BINARY) {
        n = put_bytes(part, data, room);
    } else if (room > 0) {
        room--; /* the terminator */
        n = part->how == DELIVER_CHAR   ? put_bytes(part, data, room)
            : part->how == DELIVER_WIDE ? put_wide(part, data, room)
                                        : put_hex(part, data, room, unit);
        memset((char *)data + n * unit, 0, unit);
    }
    part->remaining -= n * unit;
    part->finished =
        part->remaining == 0 && (room > 0 || part->how == DELIVER_BINARY || capacity > 0);
    return finish_code(self, part->finished ? CONVERT_OK : CONVERT_CUT, NULL, part->column);
}

/* A numeric, date or other short value as text: its whole part must fit (22003). */
static bool whole_fits(uint8_t cclass, size_t whole, SQLLEN capacity) {
    if (whole == 0 || capacity == 0) return true; /* capacity 0 asks for the length */
    size_t unit = cclass == C_WCHAR ? 2 : 1;
    size_t room = (size_t)capacity / unit;
    return room >= whole + (cclass == C_BINARY ? 0 : 1);
}

static bool goes_in_parts(const ConvertPlan *plan) {
    if (!plan->variable) return false;
    if (plan->cclass != C_BINARY) return true;
    return plan->family == FAMILY_TEXT || plan->family == FAMILY_BYTES ||
           plan->family == FAMILY_NESTED;
}

static SQLRETURN get_value(Stmt *self, const Cell *cell, const ConvertPlan *plan, void *data,
                           SQLLEN capacity, SQLLEN *indicator) {
    PartState *part = &self->cursor.part;
    Error err;
    if (!goes_in_parts(plan)) {
        CellOut out = {.plan = plan,
                       .data = data,
                       .buffer = &part->text,
                       .err = &err,
                       .capacity = plan->variable ? capacity : (SQLLEN)plan->size};
        ConvertCode code = plan->write(cell, &out);
        if (code < CONVERT_ERROR) put_length(indicator, out.length);
        part->finished = code < CONVERT_ERROR;
        return finish_code(self, code, &err, part->column);
    }
    size_t whole;
    ConvertCode code = part_begin(self, cell, plan, &whole, &err);
    if (code == CONVERT_OK && !whole_fits(plan->cclass, whole, capacity)) code = CONVERT_RANGE;
    if (code != CONVERT_OK) {
        SQLRETURN result = finish_code(self, code, &err, part->column);
        part_reset(part);
        return result;
    }
    part->remaining = part_length(part);
    return part_deliver(self, data, capacity, indicator);
}

/* SQL_C_DEFAULT and SQL_ARD_TYPE resolved; 0: the error is posted. */
static SQLSMALLINT resolve_ctype(Stmt *self, uint32_t column, SQLSMALLINT ctype,
                                 const DescRecord **record) {
    *record = NULL;
    if (ctype == SQL_ARD_TYPE) {
        *record = desc_find(self->ard, column);
        ctype = *record ? (*record)->concise : SQL_C_DEFAULT;
    }
    if (ctype == SQL_C_DEFAULT) {
        SizeDefaults sizes = self->dbc->sizes;
        SqlType type;
        sqltype_of(stmt_column(self, column - 1)->type, &sizes, &type);
        return ctype_default(type.concise);
    }
    if (ctype_valid(ctype)) return ctype;
    (void)diag_error(&self->base, ERR_BUFFER_TYPE, "%d is no C type", (int)ctype);
    return 0;
}

/* The conversion that the column took last time, or a new one. NULL: posted. */
static ConvertPlan *plan_for(Stmt *self, uint32_t number, TribType type, SQLSMALLINT ctype) {
    Cursor *cursor = &self->cursor;
    if (number > cursor->ndata_plans) {
        uint32_t count = stmt_column_count(self);
        ConvertPlan *plans = heap_resize(cursor->data_plans, count * sizeof *plans);
        if (!plans) {
            (void)diag_no_memory(&self->base);
            return NULL;
        }
        memset(plans + cursor->ndata_plans, 0, (count - cursor->ndata_plans) * sizeof *plans);
        cursor->data_plans = plans;
        cursor->ndata_plans = count;
    }
    ConvertPlan *plan = &cursor->data_plans[number - 1];
    if (plan->write && plan->ctype == ctype && memcmp(&plan->type, &type, sizeof type) == 0) {
        return plan;
    }
    if (convert_plan(plan, type, ctype) == CONVERT_OK) return plan;
    plan->write = NULL;
    (void)diag_error(&self->base, ERR_TYPE_ATTRIBUTE,
                     "column %u cannot be converted to the C type %d", number, (int)ctype);
    return NULL;
}

static SQLRETURN get_first(Stmt *self, uint32_t number, SQLSMALLINT asked, void *data,
                           SQLLEN capacity, SQLLEN *indicator) {
    Cursor *cursor = &self->cursor;
    PartState *part = &cursor->part;
    const BatchView *batch;
    const DescRecord *record;
    uint32_t logical, at;
    SQLSMALLINT ctype = resolve_ctype(self, number, asked, &record);
    if (!ctype) return SQL_ERROR;
    if (!cursor_locate(cursor, cursor->current, &batch, &logical)) {
        const ChangedRow *changed =
            changed_find(&cursor->changed, cursor->rowset_start + cursor->current);
        cursor->data_wanted = true;
        return diag_error(&self->base, ERR_CURSOR_POSITION,
                          changed ? "the row has been deleted"
                                  : "the row was fetched into bound columns and is no longer held");
    }
    const ColumnView *column = &batch->columns[number - 1];
    ConvertPlan *plan = plan_for(self, number, column->type, ctype);
    if (!plan) return SQL_ERROR;
    Precisions given = {0};
    if (record) given = desc_precisions(record);
    convert_precisions(plan, &given);
    part->column = number;
    part->ctype = asked;
    part->finished = false;
    if (!cursor_position(batch, column, logical, &at)) {
        part->finished = true;
        return put_null(self, indicator);
    }
    Cell cell;
    cell_load(column, (Source)plan->source, at, &cell);
    return get_value(self, &cell, plan, data, capacity, indicator);
}

SQLRETURN stmt_get_data(Stmt *self, SQLUSMALLINT number, SQLSMALLINT ctype, SQLPOINTER data,
                        SQLLEN capacity, SQLLEN *indicator) {
    Cursor *cursor = &self->cursor;
    PartState *part = &cursor->part;
    bool bookmark = number == 0 && self->options.use_bookmarks != SQL_UB_OFF;
    if ((number == 0 && !bookmark) || number > stmt_column_count(self))
        return diag_error(&self->base, ERR_DESCRIPTOR_INDEX, "column %u of %u does not exist",
                          (unsigned)number, (unsigned)stmt_column_count(self));
    if (!data) return diag_error(&self->base, ERR_NULL_POINTER, "the buffer is a NULL pointer");
    if (capacity < 0)
        return diag_error(&self->base, ERR_STRING_LENGTH, "the buffer's length is negative");
    if (cursor->rowset_rows == 0)
        return diag_error(&self->base, ERR_CURSOR_STATE, "the cursor is behind the last row");
    if (self->fetch.size > 1) cursor->data_wanted = true;
    cursor_settle(self);
    if (bookmark) return bookmark_data(self, ctype, data, capacity, indicator);
    if (part->column == number && part->ctype == ctype) {
        if (part->finished) return SQL_NO_DATA;
        return part_deliver(self, data, capacity, indicator);
    }
    return get_first(self, number, ctype, data, capacity, indicator);
}
