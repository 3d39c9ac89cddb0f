/*
 * encode.c - descriptions of tables and lists of names: deep copies, and bytes for the metastore.
 *
 * The bytes begin with a version; integers are little-endian, texts are length and bytes, NULL texts
 * have the length 2^32 - 1. What is read is checked against what is left before anything is allocated:
 * the file may have been damaged, or written by a newer Tributary, and then simply does not count.
 */
#include "engine/catalog/internal.h"

#define FORMAT_VERSION 2
#define MAX_BYTES      ((size_t)64 << 20)
#define MAX_DEPTH      64
#define NO_TEXT        UINT32_MAX

/* ---------------------------------------------------------------- copies */

static Status text_copy(Arena *arena, const char *from, const char **to, Error *err) {
    *to = NULL;
    if (from) TRY_ALLOC(*to, arena_strdup(arena, from), err);
    return TRIB_OK;
}

static Status column_copy(Arena *arena, const TribColumn *from, TribColumn *to, Error *err) {
    *to = *from;
    TRY(text_copy(arena, from->name ? from->name : "", &to->name, err));
    TRY(type_copy(arena, from->type, &to->type, err));
    TRY(text_copy(arena, from->remote_type, &to->remote_type, err));
    TRY(text_copy(arena, from->facts, &to->facts, err));
    TRY(text_copy(arena, from->unreadable, &to->unreadable, err));
    TRY(text_copy(arena, from->comment, &to->comment, err));
    TRY(text_copy(arena, from->default_sql, &to->default_sql, err));
    TRY(value_copy(arena, &from->minimum, &to->minimum, err));
    return value_copy(arena, &from->maximum, &to->maximum, err);
}

static Status key_copy(Arena *arena, const TribKey *from, uint32_t ncolumns, TribKey *to,
                       Error *err) {
    uint32_t *columns;
    *to = *from;
    TRY(text_copy(arena, from->name, &to->name, err));
    TRY_ALLOC(columns, ARENA_ARRAY(arena, uint32_t, from->ncolumns), err);
    for (uint32_t i = 0; i < from->ncolumns; i++) {
        if (from->columns[i] >= ncolumns)
            return error_set(err, ERR_GENERAL,
                             "the connector described a key over a column that is not there");
        columns[i] = from->columns[i];
    }
    to->columns = columns;
    return TRIB_OK;
}

static Status row_key_copy(Arena *arena, const TribTable *from, TribTable *to, Error *err) {
    uint32_t *key;
    bool fine = from->identity <= from->ncolumns;
    TRY_ALLOC(key, ARENA_ARRAY(arena, uint32_t, from->nrow_key), err);
    for (uint32_t i = 0; i < from->nrow_key; i++) {
        fine &= from->row_key[i] < from->ncolumns;
        key[i] = from->row_key[i];
    }
    to->row_key = key;
    if (fine) return TRIB_OK;
    return error_set(err, ERR_GENERAL,
                     "the connector described a key over a column that is not there");
}

Status table_copy(Arena *arena, const TribTable *from, TribTable *to, Error *err) {
    TribColumn *columns;
    TribKey *keys;
    *to = *from;
    to->size = sizeof *to;
    TRY(text_copy(arena, from->schema ? from->schema : "", &to->schema, err));
    TRY(text_copy(arena, from->name ? from->name : "", &to->name, err));
    TRY(text_copy(arena, from->comment, &to->comment, err));
    TRY(text_copy(arena, from->facts, &to->facts, err));
    TRY_ALLOC(columns, ARENA_ARRAY(arena, TribColumn, from->ncolumns), err);
    for (uint32_t i = 0; i < from->ncolumns; i++)
        TRY(column_copy(arena, &from->columns[i], &columns[i], err));
    TRY_ALLOC(keys, ARENA_ARRAY(arena, TribKey, from->nkeys), err);
    for (uint32_t i = 0; i < from->nkeys; i++)
        TRY(key_copy(arena, &from->keys[i], from->ncolumns, &keys[i], err));
    to->columns = columns;
    to->keys = keys;
    TRY(row_key_copy(arena, from, to, err));
    return TRIB_OK;
}

Status names_add(Arena *arena, NameList *self, const char *schema, const char *name,
                 TribTableKind kind, const char *comment, Error *err) {
    if (self->count == self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : 16;
        NameEntry *grown;
        TRY_ALLOC(grown, ARENA_ARRAY(arena, NameEntry, capacity), err);
        if (self->count) memcpy(grown, self->entries, self->count * sizeof *grown);
        self->entries = grown;
        self->capacity = capacity;
    }
    NameEntry *entry = &self->entries[self->count];
    *entry = (NameEntry){.kind = kind};
    TRY(text_copy(arena, schema, &entry->schema, err));
    TRY(text_copy(arena, name, &entry->name, err));
    TRY(text_copy(arena, comment, &entry->comment, err));
    self->count++;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- writing */

static void put(Buf *out, const void *data, size_t bytes) {
    buf_add(out, data, bytes);
}

static void put8(Buf *out, uint8_t value) {
    put(out, &value, 1);
}

static void put32(Buf *out, uint32_t value) {
    uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                        (uint8_t)(value >> 24)};
    put(out, bytes, sizeof bytes);
}

static void put64(Buf *out, uint64_t value) {
    put32(out, (uint32_t)value);
    put32(out, (uint32_t)(value >> 32));
}

static void put_real(Buf *out, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put64(out, bits);
}

static void put_bytes(Buf *out, const char *data, size_t length) {
    put32(out, (uint32_t)length);
    put(out, data, length);
}

static void put_text(Buf *out, const char *text) {
    if (!text)
        put32(out, NO_TEXT);
    else
        put_bytes(out, text, strlen(text));
}

static void put_type(Buf *out, TribType type, uint32_t depth) {
    put8(out, type.id);
    put8(out, type.precision);
    put8(out, (uint8_t)type.scale);
    put32(out, type.length);
    uint32_t count = type.fields && depth < MAX_DEPTH ? type.fields->count : 0;
    put32(out, count);
    for (uint32_t i = 0; i < count; i++) {
        put_text(out, type.fields->field[i].name);
        put_type(out, type.fields->field[i].type, depth + 1);
    }
}

/* Estimates of scalar columns; zones are numbered per process, and nested values have no range. */
static bool value_writable(const TribValue *value) {
    return value->type.id != TRIB_TYPE_UNKNOWN && !value->is_null && !value->type.fields &&
           value->type.id != TRIB_TYPE_TIMESTAMP_TZ && value->type.id != TRIB_TYPE_TIME_TZ;
}

static void put_value(Buf *out, const TribValue *value) {
    put8(out, value_writable(value));
    if (!value_writable(value)) return;
    put_type(out, value->type, 0);
    switch (type_physical(value->type)) {
    case PHYS_INT128:
        put64(out, (uint64_t)value->as.wide);
        put64(out, (uint64_t)(value->as.wide >> 64));
        return;
    case PHYS_FLOAT:
    case PHYS_DOUBLE: put_real(out, value->as.real); return;
    case PHYS_STRING:
    case PHYS_UUID: put_bytes(out, value->as.text.data, value->as.text.length); return;
    case PHYS_INSTANT:
        put64(out, (uint64_t)value->as.instant.us);
        put32(out, (uint32_t)value->as.instant.ns);
        return;
    default: put64(out, (uint64_t)value->as.integer); return;
    }
}

static void put_column(Buf *out, const TribColumn *column) {
    put_text(out, column->name);
    put_type(out, column->type, 0);
    put8(out, (uint8_t)(column->nullable | column->hidden << 1 | column->generated << 2));
    put_text(out, column->remote_type);
    put_text(out, column->facts);
    put_text(out, column->unreadable);
    put_text(out, column->comment);
    put_text(out, column->default_sql);
    put_real(out, column->distinct);
    put_real(out, column->null_fraction);
    put_value(out, &column->minimum);
    put_value(out, &column->maximum);
}

Status table_encode(Buf *out, const TribTable *table, Error *err) {
    put8(out, FORMAT_VERSION);
    put_text(out, table->schema);
    put_text(out, table->name);
    put8(out, (uint8_t)table->kind);
    put_text(out, table->comment);
    put_text(out, table->facts);
    put_real(out, table->rows);
    put8(out, table->writable);
    put32(out, table->ncolumns);
    for (uint32_t i = 0; i < table->ncolumns; i++) put_column(out, &table->columns[i]);
    put32(out, table->nkeys);
    for (uint32_t k = 0; k < table->nkeys; k++) {
        const TribKey *key = &table->keys[k];
        put_text(out, key->name);
        put8(out, (uint8_t)(key->primary | key->unique << 1));
        put32(out, key->ncolumns);
        for (uint32_t i = 0; i < key->ncolumns; i++) put32(out, key->columns[i]);
    }
    put32(out, table->nrow_key);
    for (uint32_t i = 0; i < table->nrow_key; i++) put32(out, table->row_key[i]);
    put32(out, table->identity);
    return buf_status(out, err);
}

Status names_encode(Buf *out, const NameList *names, Error *err) {
    put8(out, FORMAT_VERSION);
    put32(out, names->count);
    for (uint32_t i = 0; i < names->count; i++) {
        put_text(out, names->entries[i].schema);
        put_text(out, names->entries[i].name);
        put_text(out, names->entries[i].comment);
        put8(out, (uint8_t)names->entries[i].kind);
    }
    return buf_status(out, err);
}

/* ---------------------------------------------------------------- reading */

typedef struct Decoder {
    Arena *arena;
    const uint8_t *at, *end;
    bool bad;
} Decoder;

static const uint8_t *take(Decoder *self, size_t bytes) {
    if (self->bad || (size_t)(self->end - self->at) < bytes) {
        self->bad = true;
        return NULL;
    }
    const uint8_t *at = self->at;
    self->at += bytes;
    return at;
}

static uint8_t take8(Decoder *self) {
    const uint8_t *at = take(self, 1);
    return at ? at[0] : 0;
}

static uint32_t take32(Decoder *self) {
    const uint8_t *at = take(self, 4);
    return at ? (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
                    (uint32_t)at[3] << 24
              : 0;
}

static uint64_t take64(Decoder *self) {
    uint64_t low = take32(self);
    return low | (uint64_t)take32(self) << 32;
}

static double take_real(Decoder *self) {
    uint64_t bits = take64(self);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool take_bool(Decoder *self) {
    uint8_t value = take8(self);
    if (value > 1) self->bad = true;
    return value == 1;
}

/* How many things of at least `least` bytes each follow. */
static uint32_t take_count(Decoder *self, size_t least) {
    uint32_t count = take32(self);
    if (!self->bad && count > (size_t)(self->end - self->at) / least) self->bad = true;
    return self->bad ? 0 : count;
}

static void *take_array(Decoder *self, uint32_t count, size_t size) {
    void *array = arena_array(self->arena, count, size);
    if (!array) self->bad = true;
    return array;
}

static const char *take_text(Decoder *self, size_t *length) {
    uint32_t bytes = take32(self);
    if (length) *length = 0;
    if (self->bad || bytes == NO_TEXT) return NULL;
    const uint8_t *at = take(self, bytes);
    char *text = at ? arena_copy(self->arena, at, bytes) : NULL;
    if (!text)
        self->bad = true;
    else if (length)
        *length = bytes;
    else if (memchr(text, '\0', bytes))
        self->bad = true;
    return text;
}

static const char *take_name(Decoder *self) {
    const char *name = take_text(self, NULL);
    if (!name) self->bad = true;
    return name ? name : "";
}

static bool type_shaped(TribType type, uint32_t count) {
    switch (type.id) {
    case TRIB_TYPE_ARRAY: return count == 1;
    case TRIB_TYPE_MAP: return count == 2;
    case TRIB_TYPE_ROW: return count > 0;
    case TRIB_TYPE_DECIMAL:
        return count == 0 && type.precision >= 1 && type.precision <= 38 && type.scale >= 0 &&
               type.scale <= (int)type.precision;
    default: return count == 0 && type.id <= TRIB_TYPE_TIME_TZ && type.precision <= 38;
    }
}

static TribType take_type(Decoder *self, uint32_t depth) {
    TribType type = {0};
    type.id = take8(self);
    type.precision = take8(self);
    type.scale = (int8_t)take8(self);
    type.length = take32(self);
    uint32_t count = take_count(self, 12);
    if (depth > MAX_DEPTH || !type_shaped(type, count)) self->bad = true;
    if (self->bad || count == 0) return type;
    TribTypeFields *fields =
        arena_alloc(self->arena, sizeof *fields + count * sizeof(TribTypeField));
    if (!fields) {
        self->bad = true;
        return type;
    }
    fields->count = count;
    for (uint32_t i = 0; i < count && !self->bad; i++) {
        fields->field[i].name = take_text(self, NULL);
        fields->field[i].type = take_type(self, depth + 1);
    }
    type.fields = fields;
    return type;
}

static TribValue take_value(Decoder *self) {
    TribValue value = {0};
    if (!take_bool(self)) return value;
    value.type = take_type(self, 0);
    if (self->bad || !value_writable(&value)) {
        self->bad = true;
        return value;
    }
    switch (type_physical(value.type)) {
    case PHYS_INT128: {
        uint64_t low = take64(self), high = take64(self);
        value.as.wide = (__int128)((unsigned __int128)high << 64 | low);
        break;
    }
    case PHYS_FLOAT:
    case PHYS_DOUBLE: value.as.real = take_real(self); break;
    case PHYS_STRING:
    case PHYS_UUID:
        value.as.text.data = take_text(self, &value.as.text.length);
        if (!value.as.text.data || (value.type.id == TRIB_TYPE_UUID && value.as.text.length != 16))
            self->bad = true;
        break;
    case PHYS_INSTANT:
        value.as.instant.us = (int64_t)take64(self);
        value.as.instant.ns = (int32_t)take32(self);
        break;
    default: value.as.integer = (int64_t)take64(self); break;
    }
    return value;
}

static void take_column(Decoder *self, TribColumn *column) {
    column->name = take_name(self);
    column->type = take_type(self, 0);
    uint8_t flags = take8(self);
    column->nullable = flags & 1;
    column->hidden = flags & 2;
    column->generated = flags & 4;
    column->remote_type = take_text(self, NULL);
    column->facts = take_text(self, NULL);
    column->unreadable = take_text(self, NULL);
    column->comment = take_text(self, NULL);
    column->default_sql = take_text(self, NULL);
    column->distinct = take_real(self);
    column->null_fraction = take_real(self);
    column->minimum = take_value(self);
    column->maximum = take_value(self);
}

static void take_columns(Decoder *self, uint32_t ncolumns, TribKey *key) {
    key->ncolumns = take_count(self, 4);
    uint32_t *columns = take_array(self, key->ncolumns, sizeof(uint32_t));
    for (uint32_t i = 0; !self->bad && i < key->ncolumns; i++) {
        columns[i] = take32(self);
        if (columns[i] >= ncolumns) self->bad = true;
    }
    key->columns = columns;
}

static void take_key(Decoder *self, uint32_t ncolumns, TribKey *key) {
    key->name = take_text(self, NULL);
    uint8_t flags = take8(self);
    key->primary = flags & 1;
    key->unique = flags & 2;
    take_columns(self, ncolumns, key);
}

bool table_decode(Arena *arena, Str data, TribTable *out) {
    Decoder self = {.arena = arena,
                    .at = (const uint8_t *)data.data,
                    .end = (const uint8_t *)data.data + data.len};
    memset(out, 0, sizeof *out);
    if (data.len > MAX_BYTES || take8(&self) != FORMAT_VERSION) return false;
    out->size = sizeof *out;
    out->schema = take_name(&self);
    out->name = take_name(&self);
    out->kind = (TribTableKind)take8(&self);
    out->comment = take_text(&self, NULL);
    out->facts = take_text(&self, NULL);
    out->rows = take_real(&self);
    out->writable = take_bool(&self);
    out->ncolumns = take_count(&self, 40);
    if (out->kind > TRIB_TABLE_SYSTEM) self.bad = true;
    TribColumn *columns = take_array(&self, out->ncolumns, sizeof(TribColumn));
    for (uint32_t i = 0; !self.bad && i < out->ncolumns; i++) take_column(&self, &columns[i]);
    out->columns = columns;
    out->nkeys = take_count(&self, 9);
    TribKey *keys = take_array(&self, out->nkeys, sizeof(TribKey));
    for (uint32_t i = 0; !self.bad && i < out->nkeys; i++) take_key(&self, out->ncolumns, &keys[i]);
    out->keys = keys;
    TribKey row = {0};
    take_columns(&self, out->ncolumns, &row);
    out->nrow_key = row.ncolumns;
    out->row_key = row.columns;
    out->identity = take32(&self);
    if (out->identity > out->ncolumns) self.bad = true;
    return !self.bad && self.at == self.end;
}

bool names_decode(Arena *arena, Str data, NameList *out) {
    Decoder self = {.arena = arena,
                    .at = (const uint8_t *)data.data,
                    .end = (const uint8_t *)data.data + data.len};
    memset(out, 0, sizeof *out);
    if (data.len > MAX_BYTES || take8(&self) != FORMAT_VERSION) return false;
    uint32_t count = take_count(&self, 13);
    out->entries = take_array(&self, count, sizeof(NameEntry));
    for (uint32_t i = 0; !self.bad && i < count; i++) {
        out->entries[i].schema = take_text(&self, NULL);
        out->entries[i].name = take_text(&self, NULL);
        out->entries[i].comment = take_text(&self, NULL);
        out->entries[i].kind = (TribTableKind)take8(&self);
        if (out->entries[i].kind > TRIB_TABLE_SYSTEM ||
            (!out->entries[i].schema && !out->entries[i].name))
            self.bad = true;
    }
    out->count = out->capacity = count;
    return !self.bad && self.at == self.end;
}
