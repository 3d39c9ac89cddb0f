/*
 * vector.c - columns of values: making them, single positions as literals and back.
 *
 * Moving many rows at once is in vector_move.c, hashing and comparing in vector_hash.c and
 * vector_compare.c. All memory comes from the arena that is given; a Vector is used by one thread at
 * a time while it is written, by any number once it is complete. Recursion follows the nesting of
 * the type.
 */
#include <stdatomic.h>

#include "engine/vector/vector.h"

#define POSITIONS_MAX (UINT32_MAX / 2)

uint64_t dictionary_identity(void) {
    static _Atomic uint64_t next = 1;
    return atomic_fetch_add_explicit(&next, 1, memory_order_relaxed);
}

static uint32_t child_count(Type type) {
    return type.fields != NULL ? type.fields->count : 0;
}

Status vector_new(Arena *arena, Type type, uint32_t capacity, Vector *out, Error *err) {
    *out = (Vector){.type = type,
                    .physical = (uint8_t)type_physical(type),
                    .form = VECTOR_FLAT,
                    .capacity = capacity,
                    .nchildren = child_count(type)};
    TRY_ALLOC(out->data, arena_array(arena, capacity, physical_size((PhysicalType)out->physical)),
              err);
    if (out->nchildren == 0) return TRIB_OK;
    TRY_ALLOC(out->children, ARENA_ARRAY(arena, Vector, out->nchildren), err);
    for (uint32_t i = 0; i < out->nchildren; i++) {
        uint32_t room = out->physical == PHYS_ROW ? capacity : 0;
        TRY(vector_new(arena, type.fields->field[i].type, room, &out->children[i], err));
    }
    return TRIB_OK;
}

Status vector_reserve(Arena *arena, Vector *self, uint32_t capacity, Error *err) {
    if (capacity <= self->capacity) return TRIB_OK;
    if (capacity > POSITIONS_MAX)
        return error_set(err, ERR_LIMIT, "a vector has too many elements");
    uint32_t grown = self->capacity + self->capacity / 2;
    uint32_t old = self->capacity;
    if (grown < capacity) grown = capacity;
    size_t size = physical_size((PhysicalType)self->physical);
    if (size > 0) {
        char *data;
        TRY_ALLOC(data, arena_array(arena, grown, size), err);
        if (old > 0) memcpy(data, self->data, old * size);
        self->data = data;
    }
    if (self->validity != NULL) {
        uint64_t *validity;
        TRY_ALLOC(validity, ARENA_ARRAY(arena, uint64_t, bitmap_words(grown)), err);
        memset(validity, 0xff, bitmap_words(grown) * sizeof(uint64_t));
        memcpy(validity, self->validity, bitmap_words(old) * sizeof(uint64_t));
        self->validity = validity;
    }
    self->capacity = grown;
    for (uint32_t i = 0; self->physical == PHYS_ROW && i < self->nchildren; i++) {
        TRY(vector_reserve(arena, &self->children[i], grown, err));
    }
    return TRIB_OK;
}

Status vector_need_validity(Arena *arena, Vector *self, Error *err) {
    if (self->validity != NULL) return TRIB_OK;
    size_t words = bitmap_words(self->form == VECTOR_CONSTANT ? 1 : self->capacity);
    TRY_ALLOC(self->validity, ARENA_ARRAY(arena, uint64_t, words), err);
    memset(self->validity, 0xff, words * sizeof(uint64_t));
    return TRIB_OK;
}

bool vector_is_null(const Vector *self, uint32_t position) {
    while (self->form == VECTOR_DICTIONARY) {
        if (self->validity != NULL && !bitmap_get(self->validity, position)) return true;
        position = self->indices[position];
        self = self->children;
    }
    if (self->form == VECTOR_CONSTANT) position = 0;
    return self->validity != NULL && !bitmap_get(self->validity, position);
}

const void *vector_at(const Vector *self, uint32_t position) {
    self = vector_resolve(self, &position);
    return (const char *)self->data + position * physical_size((PhysicalType)self->physical);
}

/* ---------------------------------------------------------------- literals */

/* Writes a literal that is neither NULL nor nested as the physical value at `to`; text is borrowed. */
static void value_store(PhysicalType physical, const Value *value, void *to) {
    switch (physical) {
    case PHYS_BOOL: *(uint8_t *)to = value->as.integer != 0; return;
    case PHYS_INT8: *(int8_t *)to = (int8_t)value->as.integer; return;
    case PHYS_INT16: *(int16_t *)to = (int16_t)value->as.integer; return;
    case PHYS_INT32: *(int32_t *)to = (int32_t)value->as.integer; return;
    case PHYS_INT64: *(int64_t *)to = value->as.integer; return;
    case PHYS_INT128: *(Int128 *)to = value->as.wide; return;
    case PHYS_FLOAT: *(float *)to = (float)value->as.real; return;
    case PHYS_DOUBLE: *(double *)to = value->as.real; return;
    case PHYS_STRING:
        *(StrView *)to = strview_of(value->as.text.data, value->as.text.length);
        return;
    case PHYS_INSTANT:
        *(Instant *)to = (Instant){.us = value->as.instant.us, .ns = value->as.instant.ns};
        return;
    case PHYS_ZONED:
        *(ZonedInstant *)to = (ZonedInstant){.us = value->as.instant.us,
                                             .zone = value->as.instant.zone,
                                             .ns = (int16_t)value->as.instant.ns};
        return;
    case PHYS_TIMETZ:
        *(TimeTz *)to = (TimeTz){.ns = value->as.instant.us, .offset = value->as.instant.ns};
        return;
    case PHYS_UUID: memcpy(to, value->as.text.data, sizeof(Uuid)); return;
    default: return;
    }
}

/* The opposite: text and bytes are borrowed from the vector. */
static void value_load(PhysicalType physical, const void *from, Value *out) {
    switch (physical) {
    case PHYS_BOOL: out->as.integer = *(const uint8_t *)from; return;
    case PHYS_INT8: out->as.integer = *(const int8_t *)from; return;
    case PHYS_INT16: out->as.integer = *(const int16_t *)from; return;
    case PHYS_INT32: out->as.integer = *(const int32_t *)from; return;
    case PHYS_INT64: out->as.integer = *(const int64_t *)from; return;
    case PHYS_INT128: out->as.wide = *(const Int128 *)from; return;
    case PHYS_FLOAT: out->as.real = (double)*(const float *)from; return;
    case PHYS_DOUBLE: out->as.real = *(const double *)from; return;
    case PHYS_STRING:
        out->as.text.data = strview_data(from);
        out->as.text.length = ((const StrView *)from)->len;
        return;
    case PHYS_INSTANT:
        out->as.instant.us = ((const Instant *)from)->us;
        out->as.instant.ns = ((const Instant *)from)->ns;
        return;
    case PHYS_ZONED:
        out->as.instant.us = ((const ZonedInstant *)from)->us;
        out->as.instant.ns = ((const ZonedInstant *)from)->ns;
        out->as.instant.zone = ((const ZonedInstant *)from)->zone;
        return;
    case PHYS_TIMETZ:
        out->as.instant.us = ((const TimeTz *)from)->ns;
        out->as.instant.ns = ((const TimeTz *)from)->offset;
        return;
    case PHYS_UUID:
        out->as.text.data = (const char *)from;
        out->as.text.length = sizeof(Uuid);
        return;
    default: return;
    }
}

Status vector_null(Arena *arena, Type type, Vector *out, Error *err) {
    TRY(vector_new(arena, type, 1, out, err));
    out->form = VECTOR_CONSTANT;
    TRY(vector_need_validity(arena, out, err));
    bitmap_unset(out->validity, 0);
    for (uint32_t i = 0; out->physical == PHYS_ROW && i < out->nchildren; i++) {
        TRY(vector_need_validity(arena, &out->children[i], err));
        bitmap_unset(out->children[i].validity, 0);
    }
    return TRIB_OK;
}

Status vector_constant(Arena *arena, const Value *value, Vector *out, Error *err) {
    if (value->is_null) return vector_null(arena, value->type, out, err);
    TRY(vector_new(arena, value->type, 1, out, err));
    if (type_is_nested(value->type)) {
        TRY(vector_set(arena, out, 0, value, err));
    } else {
        value_store((PhysicalType)out->physical, value, out->data);
    }
    out->form = VECTOR_CONSTANT;
    return TRIB_OK;
}

/* Appends the items of an array or map at the end of the children. */
static Status list_set(Arena *arena, Vector *self, uint32_t position, const Value *value,
                       Error *err) {
    uint32_t step = self->nchildren; /* 1, or 2 for maps */
    uint32_t length = (uint32_t)(value->as.items.count / step);
    for (uint32_t c = 0; c < step; c++) {
        Vector *child = &self->children[c];
        if (length > POSITIONS_MAX - self->entries) {
            return error_set(err, ERR_LIMIT, "a vector has too many elements");
        }
        TRY(vector_reserve(arena, child, self->entries + length, err));
        for (uint32_t i = 0; i < length; i++) {
            TRY(vector_set(arena, child, self->entries + i, &value->as.items.values[i * step + c],
                           err));
        }
    }
    ((ListEntry *)self->data)[position] = (ListEntry){self->entries, length};
    self->entries += length;
    return TRIB_OK;
}

Status vector_set(Arena *arena, Vector *self, uint32_t position, const Value *value, Error *err) {
    if (value->is_null) {
        TRY(vector_need_validity(arena, self, err));
        bitmap_unset(self->validity, position);
        return TRIB_OK;
    }
    if (self->validity != NULL) bitmap_set(self->validity, position);
    PhysicalType physical = (PhysicalType)self->physical;
    if (physical == PHYS_LIST) return list_set(arena, self, position, value, err);
    if (physical == PHYS_ROW) {
        for (uint32_t i = 0; i < self->nchildren; i++) {
            TRY(vector_set(arena, &self->children[i], position, &value->as.items.values[i], err));
        }
        return TRIB_OK;
    }
    Value own = *value;
    if (physical == PHYS_STRING && value->as.text.length > STRVIEW_INLINE) {
        if (value->as.text.length > UINT32_MAX) {
            return error_set(err, ERR_LIMIT, "a value is longer than 4 GiB");
        }
        TRY_ALLOC(own.as.text.data, arena_copy(arena, value->as.text.data, value->as.text.length),
                  err);
    }
    value_store(physical, &own, (char *)self->data + position * physical_size(physical));
    return TRIB_OK;
}

static Status items_load(Arena *arena, const Vector *self, uint32_t position, Value *out,
                         Error *err) {
    bool list = self->physical == PHYS_LIST;
    ListEntry entry = list ? ((const ListEntry *)self->data)[position] : (ListEntry){position, 1};
    uint32_t step = self->nchildren;
    Value *items;
    TRY_ALLOC(items, ARENA_ARRAY(arena, Value, (size_t)entry.length * step), err);
    for (uint32_t i = 0; i < entry.length; i++) {
        for (uint32_t c = 0; c < step; c++) {
            TRY(vector_value(arena, &self->children[c], entry.offset + i, &items[i * step + c],
                             err));
        }
    }
    out->as.items.values = items;
    out->as.items.count = (size_t)entry.length * step;
    return TRIB_OK;
}

Status vector_value(Arena *arena, const Vector *self, uint32_t position, Value *out, Error *err) {
    *out = (Value){.type = self->type};
    out->is_null = vector_is_null(self, position);
    if (out->is_null) return TRIB_OK;
    const Vector *flat = vector_resolve(self, &position);
    PhysicalType physical = (PhysicalType)flat->physical;
    if (physical == PHYS_LIST || physical == PHYS_ROW) {
        return items_load(arena, flat, position, out, err);
    }
    value_load(physical, (const char *)flat->data + position * physical_size(physical), out);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- size */

static uint64_t strings_bytes(const Vector *self, uint32_t count) {
    const StrView *views = self->data;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (self->validity != NULL && !bitmap_get(self->validity, i)) continue;
        if (views[i].len > STRVIEW_INLINE) bytes += views[i].len;
    }
    return bytes;
}

uint64_t vector_bytes(const Vector *self, uint32_t count) {
    uint64_t bytes = 0;
    if (self->form == VECTOR_DICTIONARY) {
        return (uint64_t)count * sizeof(uint32_t) + vector_bytes(self->children, self->entries);
    }
    if (self->form == VECTOR_CONSTANT) count = 1;
    bytes += (uint64_t)count * physical_size((PhysicalType)self->physical);
    if (self->validity != NULL) bytes += bitmap_words(count) * sizeof(uint64_t);
    if (self->physical == PHYS_STRING) bytes += strings_bytes(self, count);
    for (uint32_t i = 0; i < self->nchildren; i++) {
        bytes +=
            vector_bytes(&self->children[i], self->physical == PHYS_LIST ? self->entries : count);
    }
    return bytes;
}
