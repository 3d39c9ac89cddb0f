/*
 * params.c - parameters: binding through APD and IPD, and sending their values to the engine.
 *
 * A value goes from its C form to a value of the SQL type that was bound (22018, 22003, 22001 ... are
 * decided here); the engine converts from there to what the statement wants.
 */
#include "driver/params.h"

/* A conversion that exists is one from a C value to a family that its SQL type belongs to. */
SQLRETURN stmt_bind_parameter(Stmt *self, SQLUSMALLINT number, SQLSMALLINT direction,
                              SQLSMALLINT ctype, SQLSMALLINT sqltype, SQLULEN size,
                              SQLSMALLINT digits, SQLPOINTER data, SQLLEN capacity,
                              SQLLEN *indicator) {
    SQLSMALLINT verbose, code, modern = sqltype_modern(sqltype);
    if (number == 0 || number > DESC_MAX_RECORDS)
        return diag_error(&self->base, ERR_DESCRIPTOR_INDEX, "there is no parameter %u",
                          (unsigned)number);
    if (direction == SQL_PARAM_OUTPUT)
        return diag_error(&self->base, ERR_UNSUPPORTED, "output parameters are not offered");
    if (direction != SQL_PARAM_INPUT && direction != SQL_PARAM_INPUT_OUTPUT)
        return diag_error(&self->base, ERR_PARAM_TYPE, "%d is no direction of a parameter",
                          (int)direction);
    if (ctype != SQL_C_DEFAULT && !ctype_valid(ctype))
        return diag_error(&self->base, ERR_BUFFER_TYPE, "%d is no C type", (int)ctype);
    if (!sqltype_split(modern, &verbose, &code))
        return diag_error(&self->base, ERR_SQL_TYPE, "%d is no SQL type", (int)sqltype);
    if (capacity < 0)
        return diag_error(&self->base, ERR_STRING_LENGTH, "the buffer's length is negative");
    SQLSMALLINT resolved = ctype == SQL_C_DEFAULT ? ctype_default(modern) : ctype;
    if (!convert_parameter_allowed(resolved, modern))
        return diag_error(&self->base, ERR_TYPE_ATTRIBUTE,
                          "the C type %d cannot be converted to the SQL type %d", (int)ctype,
                          (int)sqltype);
    if ((modern == SQL_DECIMAL || modern == SQL_NUMERIC) &&
        (size > DECIMAL_MAX_DIGITS || digits < 0 || (size > 0 && digits > (SQLSMALLINT)size)))
        return diag_error(&self->base, ERR_PRECISION, "decimal(%llu,%d) does not exist",
                          (unsigned long long)size, (int)digits);
    Desc *apd = self->apd;
    bool locked = !apd->automatic && handle_lock(apd->base.id, SQL_HANDLE_DESC);
    DescRecord *app = desc_record(apd, (SQLSMALLINT)number);
    DescRecord *own = app ? desc_record(self->ipd, (SQLSMALLINT)number) : NULL;
    if (own) {
        (void)desc_set_concise(apd, app, ctype);
        app->octet_length = capacity;
        app->data = data;
        app->octet_length_ptr = app->indicator = indicator;
        (void)desc_set_concise(self->ipd, own, modern);
        own->parameter_type = direction;
        own->length = size;
        own->scale = digits;
        own->precision = verbose == SQL_DATETIME || verbose == SQL_INTERVAL ? digits
                         : size > INT16_MAX                                 ? INT16_MAX
                                                                            : (SQLSMALLINT)size;
    }
    if (locked) handle_unlock(&apd->base);
    return own ? SQL_SUCCESS : diag_no_memory(&self->base);
}

SQLRETURN stmt_num_params(Stmt *self, SQLSMALLINT *out) {
    if (!out) return diag_error(&self->base, ERR_NULL_POINTER, "the result is a NULL pointer");
    Statement *engine = atomic_load(&self->engine);
    *out = engine && !self->cursor.rows ? (SQLSMALLINT)stmt_parameter_count(self) : 0;
    return SQL_SUCCESS;
}

SQLRETURN stmt_describe_param(Stmt *self, SQLUSMALLINT number, SQLSMALLINT *type, SQLULEN *size,
                              SQLSMALLINT *digits, SQLSMALLINT *nullable) {
    Statement *engine = atomic_load(&self->engine);
    uint32_t count = engine && !self->cursor.rows ? stmt_parameter_count(self) : 0;
    if (number == 0 || number > count)
        return diag_error(&self->base, ERR_DESCRIPTOR_INDEX, "parameter %u of %u does not exist",
                          (unsigned)number, (unsigned)count);
    const ParameterInfo *parameter = statement_parameter(engine, number - 1u);
    SizeDefaults sizes = self->dbc->sizes;
    SqlType facts;
    sqltype_of(parameter->type, &sizes, &facts);
    if (type) *type = sqltype_code(facts.concise, stmt_odbc2(self));
    if (size) *size = facts.size;
    if (digits) *digits = facts.digits < 0 ? 0 : facts.digits;
    if (nullable) *nullable = parameter->nullable ? SQL_NULLABLE : SQL_NO_NULLS;
    return SQL_SUCCESS;
}

static SQLSMALLINT resolve_ctype(const DescRecord *app, const DescRecord *own) {
    return app->concise == SQL_C_DEFAULT && own ? ctype_default(own->concise) : app->concise;
}

SQLSMALLINT params_ctype(const Stmt *self, uint32_t index) {
    const DescRecord *app = desc_find(self->apd, index + 1);
    return app ? resolve_ctype(app, desc_find(self->ipd, index + 1)) : SQL_C_CHAR;
}

/* The buffers of a record whose app, own and ctype are known. */
static void record_place(const Desc *desc, SQLULEN row, ParamPlace *out) {
    const DescRecord *app = out->app;
    size_t size = ctype_size(out->ctype);
    SQLLEN offset = desc->bind_offset ? *desc->bind_offset : 0;
    bool by_row = desc->bind_type != SQL_PARAM_BIND_BY_COLUMN;
    out->step = by_row ? (size_t)desc->bind_type : size ? size : (size_t)app->octet_length;
    out->length_step = by_row ? (size_t)desc->bind_type : sizeof(SQLLEN);
    out->data = app->data ? (char *)app->data + offset + row * out->step : NULL;
    out->length = app->octet_length_ptr
                      ? (const SQLLEN *)(const void *)((char *)app->octet_length_ptr + offset +
                                                       row * out->length_step)
                      : NULL;
    out->indicator = app->indicator
                         ? (const SQLLEN *)(const void *)((char *)app->indicator + offset +
                                                          row * out->length_step)
                         : NULL;
}

bool param_place(const Stmt *self, SQLULEN row, uint32_t index, ParamPlace *out) {
    out->app = desc_find(self->apd, index + 1);
    out->own = desc_find(self->ipd, index + 1);
    out->of_column = false;
    if (!out->app || !out->own) return false;
    const DescRecord *app = out->app;
    if (!app->data && !app->indicator && !app->octet_length_ptr) return false;
    out->ctype = resolve_ctype(app, out->own);
    record_place(self->apd, row, out);
    return true;
}

void column_place(const Desc *ard, const DescRecord *app, const DescRecord *own, SQLULEN row,
                  ParamPlace *out) {
    *out = (ParamPlace){.app = app, .own = own, .of_column = true};
    out->ctype = resolve_ctype(app, own);
    record_place(ard, row, out);
}

static bool at_execution(const ParamPlace *place) {
    if (!place->length) return false;
    return param_length_waits(param_length(place->length));
}

uint32_t params_next_at_execution(Stmt *self, SQLULEN row, uint32_t from) {
    uint32_t count = stmt_parameter_count(self);
    for (uint32_t i = from; i < count; i++) {
        ParamPlace place;
        if (param_place(self, row, i, &place) && at_execution(&place)) return i;
    }
    return UINT32_MAX;
}

bool params_wait(const Stmt *self, SQLULEN sets) {
    uint32_t count = stmt_parameter_count(self);
    for (uint32_t i = 0; i < count; i++) {
        ParamPlace place;
        if (!param_place(self, 0, i, &place) || !place.length) continue;
        const char *length = (const char *)place.length;
        for (SQLULEN row = 0; row < sets; row++, length += place.length_step)
            if (param_length_waits(param_length(length))) return true;
    }
    return false;
}

SQLPOINTER params_token(Stmt *self, SQLULEN row, uint32_t index) {
    ParamPlace place;
    return param_place(self, row, index, &place) ? place.data : NULL;
}

static const char *place_kind(const ParamPlace *place) {
    return place->of_column ? "column" : "parameter";
}

/* What a fetch cut is longer than its buffer: it must not be taken for what is there. */
static bool length_beyond(const ParamPlace *place, SQLLEN length) {
    return place->of_column && ctype_size(place->ctype) == 0 && length > place->app->octet_length;
}

static Status length_check(const ParamPlace *place, uint32_t index, SQLLEN length, Error *err) {
    if (length == SQL_DEFAULT_PARAM)
        return error_set(err, ERR_DEFAULT_PARAM, "%s %u has no default value", place_kind(place),
                         index + 1);
    if (length < 0 && length != SQL_NTS && ctype_size(place->ctype) == 0)
        return error_set(err, ERR_STRING_LENGTH, "%s %u has the length %lld", place_kind(place),
                         index + 1, (long long)length);
    if (length_beyond(place, length))
        return error_set(err, ERR_STRING_LENGTH,
                         "column %u has the length %lld, its buffer %lld bytes: what was cut when "
                         "it was fetched cannot be written",
                         index + 1, (long long)length, (long long)place->app->octet_length);
    return TRIB_OK;
}

/* The value's bytes: from SQLPutData or from the bound buffer. *null: it is NULL. */
static Status param_bytes(Stmt *self, uint32_t index, const ParamPlace *place, const void **data,
                          SQLLEN *length, bool *null, Error *err) {
    *null = place->indicator && param_length(place->indicator) == SQL_NULL_DATA;
    if (*null) return TRIB_OK;
    if (at_execution(place)) {
        if (index >= self->nputs || !self->puts[index].given)
            return error_set(err, ERR_SEQUENCE, "the value of %s %u was not given",
                             place_kind(place), index + 1);
        *data = self->puts[index].data.data;
        *length = (SQLLEN)self->puts[index].data.len;
        *null = self->puts[index].is_null;
        if (!*data) *data = "";
        return TRIB_OK;
    }
    *data = place->data;
    *length = place->length                  ? param_length(place->length)
              : place->ctype == SQL_C_BINARY ? place->app->octet_length
                                             : SQL_NTS;
    TRY(length_check(place, index, *length, err));
    if (*data) return TRIB_OK;
    return error_set(err, ERR_NULL_POINTER, "%s %u has no data", place_kind(place), index + 1);
}

Status param_value(Stmt *self, uint32_t index, const ParamPlace *place, Arena *arena,
                   TribValue *out, bool *fraction, Error *err) {
    const void *data = NULL;
    SQLLEN length = 0;
    bool null;
    *fraction = false;
    TRY(param_bytes(self, index, place, &data, &length, &null, err));
    const DescRecord *own = place->own;
    *out = (TribValue){.type = sqltype_parameter(own->concise, own->length, own->scale),
                       .is_null = true};
    if (null) return TRIB_OK;
    Parameter parameter = {.ctype = place->ctype,
                           .length = length,
                           .given = desc_precisions(place->app),
                           .concise = own->concise,
                           .size = own->length,
                           .digits = own->scale,
                           .leading = own->leading_set ? own->datetime_precision : 0,
                           .unbounded = self->dbc->sizes.text};
    if (own->scale_set && own->length == 0) { /* declared by fields of the descriptor */
        if (own->type == SQL_DATETIME) parameter.digits = own->precision;
        if (own->type == SQL_DECIMAL || own->type == SQL_NUMERIC)
            parameter.size = (SQLULEN)(own->precision > 0 ? own->precision : 0);
    }
    ConvertCode code = convert_parameter(&parameter, data, arena, out, err);
    *fraction = code == CONVERT_FRACTION;
    if (*fraction) {
        (void)error_set(err, ERR_FRACTION_TRUNCATED, "the fraction of %s %u was dropped",
                        place_kind(place), index + 1);
        return TRIB_OK;
    }
    if (code == CONVERT_OK) return TRIB_OK;
    Status status = convert_error(code, err);
    return err->detail[0] ? status : error_detail(err, "%s %u", place_kind(place), index + 1);
}

Status params_send(Stmt *self, SQLULEN row, Error *err, SQLINTEGER *index) {
    Statement *engine = atomic_load(&self->engine);
    uint32_t count = stmt_parameter_count(self);
    *index = 0;
    if (count == 0 && !self->positioned.is_on) return TRIB_OK;
    Desc *apd = self->apd;
    Arena *arena;
    TRY_ALLOC(arena, handle_scratch(&self->base), err);
    bool locked = !apd->automatic && handle_lock(apd->base.id, SQL_HANDLE_DESC);
    Status status = TRIB_OK;
    for (uint32_t i = 0; i < count && status == TRIB_OK; i++) {
        ParamPlace place;
        TribValue value;
        if (!param_place(self, row, i, &place)) {
            status =
                error_set(err, ERR_PARAM_COUNT,
                          "the statement has %u parameters; number %u is not bound", count, i + 1);
            break;
        }
        *index = (SQLINTEGER)i + 1;
        bool fraction;
        status = param_value(self, i, &place, arena, &value, &fraction, err);
        if (status == TRIB_OK && fraction)
            diag_row(&self->base, err, false, (SQLLEN)row + 1, (SQLINTEGER)i + 1);
        if (status == TRIB_OK) status = statement_bind(engine, i, &value, err);
    }
    if (status == TRIB_OK) *index = 0;
    if (locked) handle_unlock(&apd->base);
    return status == TRIB_OK ? positioned_bind(self, arena, err) : status;
}
