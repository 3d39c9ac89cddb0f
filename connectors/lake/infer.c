/*
 * infer.c - types of columns from samples.
 *
 * A value fits a set of types; a column's set is the intersection. Taken is, in this order: boolean,
 * bigint, decimal(38,0) for longer integers, decimal(18,s) where every value has the same two or more
 * digits behind its point, double, date, time, timestamp, timestamp with time zone, uuid; else varchar. Integers with leading
 * zeros or a plus sign are texts (post codes, telephone numbers): reading them as numbers would lose
 * something. Nested JSON makes the column json.
 *
 * A header is told from data: its names are no numbers, dates or truth values, none is empty, no two are
 * the same; and where the rows below have such types in any column, that is certain.
 */
#include "connectors/lake/infer.h"

#include "engine/base/calendar.h"
#include "engine/base/map.h"
#include "engine/base/number.h"

enum {
    FITS_BOOLEAN = 1,
    FITS_BIGINT = 2,
    FITS_INTEGERS = 4, /* up to 38 digits */
    FITS_FIXED = 8,    /* digits, a point, digits */
    FITS_DOUBLE = 16,
    FITS_DATE = 32,
    FITS_TIME = 64,
    FITS_TIMESTAMP = 128,
    FITS_ZONED = 256,
    FITS_UUID = 512,
    FITS_ALL = 1023,
    COLUMNS_MAX = 100000
};

typedef struct Column {
    Str name;
    uint32_t fits;
    bool seen;   /* a value that is not NULL */
    bool nested; /* json: an object or an array */
    int scale;   /* FITS_FIXED: digits behind the point; -1 = none seen, -2 = they differ */
    uint32_t digits;
} Column;

struct Infer {
    Arena *arena;
    bool named, first; /* first: the next row is a file's first */
    Column *columns;
    uint32_t count, room;
    Map names;
    Str *header; /* csv: the first row of the first file */
    uint32_t nheader, header_room;
    bool header_done;
    Str *again; /* csv: the first row of a further file */
    uint32_t nagain, again_room;
    uint32_t
        *places; /* csv: the column that a field of the file at hand belongs to; NULL = in order */
    uint32_t nplaces;
    uint64_t rows;
};

Infer *infer_new(Arena *arena, bool named) {
    Infer *self = ARENA_NEW(arena, Infer);
    if (!self) return NULL;
    self->arena = arena;
    self->named = named;
    map_init(&self->names, arena, false);
    return self;
}

void infer_file_begin(Infer *self) {
    self->first = true;
    self->nagain = 0;
    self->places = NULL;
}

uint64_t infer_rows(const Infer *self) {
    return self->rows;
}

/* ---------------------------------------------------------------- one value */

/* [-]digits[.digits][e[+-]digits]; numbers with leading zeros are none. */
typedef struct NumberForm {
    bool ok, point, exponent;
    uint32_t before, behind; /* digits */
} NumberForm;

static NumberForm number_form(Str text) {
    NumberForm form = {0};
    size_t at = 0;
    if (at < text.len && text.data[at] == '-') at++;
    size_t begin = at;
    while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9') at++;
    form.before = (uint32_t)(at - begin);
    if (form.before > 1 && text.data[begin] == '0') return form;
    if (at < text.len && text.data[at] == '.') {
        form.point = true;
        for (at++; at < text.len && text.data[at] >= '0' && text.data[at] <= '9'; at++)
            form.behind++;
    }
    if (form.before + form.behind == 0) return form;
    if (at < text.len && (text.data[at] == 'e' || text.data[at] == 'E')) {
        form.exponent = true;
        at++;
        if (at < text.len && (text.data[at] == '+' || text.data[at] == '-')) at++;
        begin = at;
        while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9') at++;
        if (at == begin) return form;
    }
    form.ok = at == text.len;
    return form;
}

static uint32_t number_fits(Str text, Column *column) {
    NumberForm form = number_form(text);
    int64_t value;
    if (!form.ok) return 0;
    uint32_t fits = FITS_DOUBLE;
    if (!form.point && !form.exponent) {
        if (form.before <= 38) fits |= FITS_INTEGERS;
        if (int64_parse(text, &value) == NUMBER_OK) fits |= FITS_BIGINT;
        return fits;
    }
    if (form.exponent || form.behind < 2 || form.before + form.behind > 36) return fits;
    if (column->scale == -1) column->scale = (int)form.behind;
    if (column->scale != (int)form.behind) column->scale = -2;
    if (form.before + form.behind > column->digits) column->digits = form.before + form.behind;
    return column->scale == -2 ? fits : fits | FITS_FIXED;
}

static bool uuid_like(Str text) {
    if (text.len != 36) return false;
    for (size_t i = 0; i < text.len; i++) {
        bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        char c = (char)(text.data[i] | 0x20);
        bool hex = (text.data[i] >= '0' && text.data[i] <= '9') || (c >= 'a' && c <= 'f');
        if (hyphen ? text.data[i] != '-' : !hex) return false;
    }
    return true;
}

static uint32_t moment_fits(Str text) {
    int64_t us, ns;
    int32_t days, sub;
    int16_t zone;
    if (text.len < 5 || text.data[0] < '0' || text.data[0] > '9') return 0;
    /* Dates are written with four digits and two, nothing shorter. */
    if (text.len >= 10 && text.data[4] == '-' && text.data[7] == '-') {
        if (text.len == 10) return date_parse(text, &days) ? FITS_DATE | FITS_TIMESTAMP : 0;
        if (!timestamp_parse(text, 6, &us, &sub, &zone)) return 0;
        return zone >= 0 ? FITS_ZONED : FITS_TIMESTAMP;
    }
    if (text.len >= 8 && text.data[2] == ':' && text.data[5] == ':')
        return time_parse(text, &ns) ? FITS_TIME : 0;
    return 0;
}

static uint32_t value_fits(Str text, Column *column) {
    uint32_t fits = 0;
    if (str_equal_fold(text, STR("true")) || str_equal_fold(text, STR("false")))
        return FITS_BOOLEAN;
    fits |= number_fits(text, column);
    if (fits) return fits;
    fits |= moment_fits(text);
    return uuid_like(text) ? fits | FITS_UUID : fits;
}

static void column_learn(Infer *self, Column *column, const Field *field) {
    Str text = {field->data, field->len};
    if (field->flags & FIELD_NULL) return;
    bool quoted = (field->flags & FIELD_QUOTED) != 0;
    if (!self->named && quoted && text.len == 0) return; /* "" is NULL but in texts */
    column->seen = true;
    if (self->named && !quoted && text.len && (text.data[0] == '{' || text.data[0] == '[')) {
        column->nested = true;
        column->fits = 0;
        return;
    }
    uint32_t fits = value_fits(text, column);
    /* A JSON string that looks like a number or a truth value is a string. */
    if (self->named && quoted)
        fits &= ~(uint32_t)(FITS_BOOLEAN | FITS_BIGINT | FITS_INTEGERS | FITS_FIXED | FITS_DOUBLE);
    column->fits &= fits;
}

/* ---------------------------------------------------------------- rows */

static Status column_add(Infer *self, Str name, Error *err) {
    if (self->count == COLUMNS_MAX)
        return error_set(err, ERR_LIMIT, "the file has more than %d columns", COLUMNS_MAX);
    if (self->count == self->room) {
        uint32_t room = self->room ? self->room * 2 : 32;
        Column *larger;
        TRY_ALLOC(larger,
                  arena_resize(self->arena, self->columns, self->room * sizeof(Column),
                               room * sizeof(Column)),
                  err);
        self->columns = larger;
        self->room = room;
    }
    self->columns[self->count++] = (Column){.name = name, .fits = FITS_ALL, .scale = -1};
    return TRIB_OK;
}

static Status named_field(Infer *self, Str name, const Field *field, Error *err) {
    void *found = map_get(&self->names, name);
    if (!found) {
        char *copy;
        TRY_ALLOC(copy, arena_copy(self->arena, name.data, name.len), err);
        TRY(column_add(self, (Str){copy, name.len}, err));
        /* Entries hold the index + 1: the array moves. */
        found = (void *)(uintptr_t)self->count;
        if (!map_put(&self->names, name, found)) return error_out_of_memory(err);
    }
    column_learn(self, &self->columns[(uintptr_t)found - 1], field);
    return TRIB_OK;
}

/* Keeps a field of a file's first row. */
static Status name_keep(Infer *self, Str **list, uint32_t *count, uint32_t *room,
                        const Field *field, Error *err) {
    char *copy;
    if (*count == *room) {
        uint32_t more = *room ? *room * 2 : 32;
        TRY_ALLOC(*list, arena_resize(self->arena, *list, *room * sizeof(Str), more * sizeof(Str)),
                  err);
        *room = more;
    }
    Str text = str_trim((Str){field->data, field->len});
    TRY_ALLOC(copy, arena_copy(self->arena, text.data, text.len), err);
    (*list)[(*count)++] = (Str){copy, text.len};
    return TRIB_OK;
}

static Status header_field(Infer *self, const Field *field, Error *err) {
    if (!self->header_done)
        return name_keep(self, &self->header, &self->nheader, &self->header_room, field, err);
    return name_keep(self, &self->again, &self->nagain, &self->again_room, field, err);
}

static Status data_field(Infer *self, uint32_t index, const Field *field, Error *err) {
    if (self->places) index = index < self->nplaces ? self->places[index] : UINT32_MAX;
    if (index == UINT32_MAX) return TRIB_OK; /* a column that the first file does not have */
    while (index >= self->count) TRY(column_add(self, (Str){NULL, 0}, err));
    column_learn(self, &self->columns[index], field);
    return TRIB_OK;
}

/* A further file: names of the first one's header, in any order, or a row like the others. */
static Status header_again(Infer *self, Error *err) {
    uint32_t known = 0;
    TRY_ALLOC(self->places, ARENA_ARRAY(self->arena, uint32_t, self->nagain), err);
    self->nplaces = self->nagain;
    for (uint32_t i = 0; i < self->nagain; i++) {
        self->places[i] = UINT32_MAX;
        for (uint32_t k = 0; k < self->nheader && self->places[i] == UINT32_MAX; k++) {
            if (str_equal(self->header[k], self->again[i])) self->places[i] = k;
        }
        known += self->places[i] != UINT32_MAX;
    }
    if (known) return TRIB_OK;
    self->places = NULL;
    for (uint32_t i = 0; i < self->nagain; i++) {
        Field field = {self->again[i].data, (uint32_t)self->again[i].len, 0};
        if (field.len) TRY(data_field(self, i, &field, err));
    }
    self->rows++;
    return TRIB_OK;
}

static Status visit_field(void *context, uint32_t index, Str name, const Field *field, Error *err) {
    Infer *self = context;
    if (self->named) return named_field(self, name, field, err);
    return self->first ? header_field(self, field, err) : data_field(self, index, field, err);
}

static Status visit_row(void *context, Error *err) {
    Infer *self = context;
    bool again = self->first && self->header_done;
    self->rows += !self->first;
    if (self->first) self->header_done = true;
    self->first = false;
    return again ? header_again(self, err) : TRIB_OK;
}

SampleVisit infer_visit(Infer *self) {
    return (SampleVisit){self, visit_field, visit_row};
}

/* ---------------------------------------------------------------- deciding */

static bool header_likely(const Infer *self) {
    for (uint32_t i = 0; i < self->nheader; i++) {
        Column scratch = {.scale = -1};
        Str name = self->header[i];
        if (name.len == 0 || value_fits(name, &scratch)) return false;
        for (uint32_t k = 0; k < i; k++) {
            if (str_equal_fold(self->header[k], name)) return false;
        }
    }
    return true;
}

static TribType column_type(const Column *column, OnMismatch on_mismatch) {
    static const struct {
        uint32_t fits;
        TribType type;
    } order[] = {
        {FITS_BOOLEAN, {.id = TRIB_TYPE_BOOLEAN}},
        {FITS_BIGINT, {.id = TRIB_TYPE_BIGINT}},
        {FITS_INTEGERS, {.id = TRIB_TYPE_DECIMAL, .precision = 38}},
        {FITS_FIXED, {.id = TRIB_TYPE_DECIMAL, .precision = 18}},
        {FITS_DOUBLE, {.id = TRIB_TYPE_DOUBLE}},
        {FITS_DATE, {.id = TRIB_TYPE_DATE}},
        {FITS_TIME, {.id = TRIB_TYPE_TIME, .precision = 9}},
        {FITS_TIMESTAMP, {.id = TRIB_TYPE_TIMESTAMP, .precision = 6}},
        {FITS_ZONED, {.id = TRIB_TYPE_TIMESTAMP_TZ, .precision = 6}},
        {FITS_UUID, {.id = TRIB_TYPE_UUID}},
    };
    if (column->nested) return (TribType){.id = TRIB_TYPE_JSON};
    if (column->seen && on_mismatch != MISMATCH_VARCHAR) {
        for (size_t i = 0; i < COUNT_OF(order); i++) {
            if (!(column->fits & order[i].fits)) continue;
            TribType type = order[i].type;
            if (order[i].fits != FITS_FIXED) return type;
            if (column->scale < 2) continue;
            type.scale = (int8_t)column->scale;
            if (column->digits > 15) type.precision = 38;
            return type;
        }
    }
    return (TribType){.id = TRIB_TYPE_VARCHAR};
}

/* A name of its own for a column whose header is empty or taken. */
static Status column_name(const Infer *self, InferColumn *columns, uint32_t index, Str header,
                          Error *err) {
    InferColumn *column = &columns[index];
    bool taken = header.len == 0;
    for (uint32_t i = 0; i < index && !taken; i++)
        taken = str_equal_fold(str_from(columns[i].name), header);
    column->position = -1;
    if (!taken) {
        TRY_ALLOC(column->name, str_dup(self->arena, header), err);
        return TRIB_OK;
    }
    column->position = index;
    for (uint32_t n = 1;; n++) {
        if (header.len == 0 && n == 1)
            TRY_ALLOC(column->name, arena_printf(self->arena, "column%u", index + 1), err);
        else if (header.len == 0)
            TRY_ALLOC(column->name, arena_printf(self->arena, "column%u_%u", index + 1, n), err);
        else
            TRY_ALLOC(column->name,
                      arena_printf(self->arena, STR_FORMAT "_%u", STR_ARGS(header), n + 1), err);
        taken = false;
        for (uint32_t i = 0; i < index && !taken; i++)
            taken = str_equal_fold(str_from(columns[i].name), str_from(column->name));
        if (!taken) return TRIB_OK;
    }
}

static Status csv_columns(Infer *self, Shape *shape, Error *err) {
    if (shape->header == HEADER_AUTO) shape->header = header_likely(self) ? HEADER_YES : HEADER_NO;
    self->places = NULL;
    if (shape->header == HEADER_NO) {
        /* The first row is data like the others. */
        for (uint32_t i = 0; i < self->nheader; i++) {
            Field field = {self->header[i].data, (uint32_t)self->header[i].len, 0};
            if (field.len == shape->null_text.len &&
                memcmp(field.data, shape->null_text.data, field.len) == 0)
                field.flags = FIELD_NULL;
            TRY(visit_field(self, i, (Str){NULL, 0}, &field, err));
        }
        self->rows += self->nheader > 0;
    }
    while (self->count < self->nheader) TRY(column_add(self, (Str){NULL, 0}, err));
    if (!shape->fields) shape->fields = self->count;
    return TRIB_OK;
}

Status infer_finish(Infer *self, Shape *shape, InferColumn **columns, uint32_t *count, Error *err) {
    self->first = false;
    if (!self->named) TRY(csv_columns(self, shape, err));
    TRY_ALLOC(*columns, ARENA_ARRAY(self->arena, InferColumn, self->count), err);
    *count = self->count;
    for (uint32_t i = 0; i < self->count; i++) {
        InferColumn *column = &(*columns)[i];
        column->type = column_type(&self->columns[i], shape->on_mismatch);
        if (self->named) {
            TRY_ALLOC(column->name, str_dup(self->arena, self->columns[i].name), err);
            column->position = -1;
            continue;
        }
        bool named = shape->header == HEADER_YES && i < self->nheader;
        TRY(column_name(self, *columns, i, named ? self->header[i] : (Str){"", 0}, err));
    }
    return TRIB_OK;
}
