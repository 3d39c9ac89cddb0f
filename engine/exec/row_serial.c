/*
 * row_serial.c - nested values to bytes, back, and compared as bytes.
 *
 * Writing measures each value first and then writes it into one exact allocation. Reading goes
 * level by level: the values of one vector are a list of places in the bytes; reading a list type
 * collects the places of all elements and builds the child from those. The depth of recursion is
 * the depth of the type.
 */
#include <math.h>

#include "engine/exec/row_serial.h"

/* ---------------------------------------------------------------- order of leaves */

static int compare_int(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

/* NaN equals itself and is larger than everything else; -0 equals 0. */
static int compare_real(double a, double b) {
    if (a < b) return -1;
    if (a > b) return 1;
    if (a == b) return 0;
    return (isnan(a) != 0) - (isnan(b) != 0);
}

static int compare_text(const void *a, const void *b) {
    StrView x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    size_t shorter = x.len < y.len ? x.len : y.len;
    int order = shorter ? memcmp(strview_data(&x), strview_data(&y), shorter) : 0;
    if (order != 0) return order < 0 ? -1 : 1;
    return (x.len > y.len) - (x.len < y.len);
}

#define LOAD(variable, from) memcpy(&(variable), (from), sizeof(variable))

int physical_compare(PhysicalType physical, const void *a, const void *b) {
    switch (physical) {
    case PHYS_BOOL: return compare_int(*(const uint8_t *)a, *(const uint8_t *)b);
    case PHYS_INT8: return compare_int(*(const int8_t *)a, *(const int8_t *)b);
    case PHYS_INT16: {
        int16_t x, y;
        LOAD(x, a), LOAD(y, b);
        return compare_int(x, y);
    }
    case PHYS_INT32: {
        int32_t x, y;
        LOAD(x, a), LOAD(y, b);
        return compare_int(x, y);
    }
    case PHYS_INT64: {
        int64_t x, y;
        LOAD(x, a), LOAD(y, b);
        return compare_int(x, y);
    }
    case PHYS_INT128: {
        Int128 x, y;
        LOAD(x, a), LOAD(y, b);
        return (x > y) - (x < y);
    }
    case PHYS_FLOAT: {
        float x, y;
        LOAD(x, a), LOAD(y, b);
        return compare_real(x, y);
    }
    case PHYS_DOUBLE: {
        double x, y;
        LOAD(x, a), LOAD(y, b);
        return compare_real(x, y);
    }
    case PHYS_STRING: return compare_text(a, b);
    case PHYS_INSTANT: {
        Instant x, y;
        LOAD(x, a), LOAD(y, b);
        return x.us != y.us ? compare_int(x.us, y.us) : compare_int(x.ns, y.ns);
    }
    case PHYS_ZONED: { /* the instant counts, not the zone that it is shown in */
        ZonedInstant x, y;
        LOAD(x, a), LOAD(y, b);
        return x.us != y.us ? compare_int(x.us, y.us) : compare_int(x.ns, y.ns);
    }
    case PHYS_TIMETZ: {
        TimeTz x, y;
        LOAD(x, a), LOAD(y, b);
        return compare_int(x.ns - x.offset * INT64_C(1000000000),
                           y.ns - y.offset * INT64_C(1000000000));
    }
    case PHYS_UUID: {
        int order = memcmp(a, b, 16);
        return (order > 0) - (order < 0);
    }
    default: return 0; /* nested: serial_compare */
    }
}

/* ---------------------------------------------------------------- writing */

static uint64_t value_bytes(const Vector *vector, uint32_t position);

static const Vector *form_resolve(const Vector *vector, uint32_t *position) {
    while (vector->form != VECTOR_FLAT) {
        if (vector->form == VECTOR_CONSTANT) {
            *position = 0;
            return vector;
        }
        *position = vector->indices[*position];
        vector = vector->children;
    }
    return vector;
}

static uint64_t element_bytes(const Vector *vector, uint32_t position) {
    return 1 + (vector_is_null(vector, position) ? 0 : value_bytes(vector, position));
}

static uint64_t value_bytes(const Vector *vector, uint32_t position) {
    vector = form_resolve(vector, &position);
    PhysicalType physical = (PhysicalType)vector->physical;
    uint64_t bytes = 0;
    if (physical == PHYS_STRING)
        return sizeof(uint32_t) + ((const StrView *)vector->data)[position].len;
    if (physical == PHYS_ROW) {
        for (uint32_t c = 0; c < vector->nchildren; c++)
            bytes += element_bytes(&vector->children[c], position);
        return bytes;
    }
    if (physical == PHYS_LIST) {
        ListEntry entry = ((const ListEntry *)vector->data)[position];
        bytes = sizeof(uint32_t);
        for (uint32_t i = 0; i < entry.length; i++)
            for (uint32_t c = 0; c < vector->nchildren; c++)
                bytes += element_bytes(&vector->children[c], entry.offset + i);
        return bytes;
    }
    return physical_size(physical);
}

static char *value_write(const Vector *vector, uint32_t position, char *at);

static char *element_write(const Vector *vector, uint32_t position, char *at) {
    bool valid = !vector_is_null(vector, position);
    *at++ = (char)valid;
    return valid ? value_write(vector, position, at) : at;
}

static char *value_write(const Vector *vector, uint32_t position, char *at) {
    vector = form_resolve(vector, &position);
    PhysicalType physical = (PhysicalType)vector->physical;
    if (physical == PHYS_STRING) {
        const StrView *text = (const StrView *)vector->data + position;
        memcpy(at, &text->len, sizeof text->len);
        memcpy(at + sizeof text->len, strview_data(text), text->len);
        return at + sizeof text->len + text->len;
    }
    if (physical == PHYS_ROW) {
        for (uint32_t c = 0; c < vector->nchildren; c++)
            at = element_write(&vector->children[c], position, at);
        return at;
    }
    if (physical == PHYS_LIST) {
        ListEntry entry = ((const ListEntry *)vector->data)[position];
        memcpy(at, &entry.length, sizeof entry.length);
        at += sizeof entry.length;
        for (uint32_t i = 0; i < entry.length; i++)
            for (uint32_t c = 0; c < vector->nchildren; c++)
                at = element_write(&vector->children[c], entry.offset + i, at);
        return at;
    }
    size_t size = physical_size(physical);
    memcpy(at, (const char *)vector->data + position * size, size);
    return at + size;
}

Status serial_write(const Vector *vector, const uint16_t *selection, uint32_t count, Arena *arena,
                    StrView *out, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t position = selection ? selection[i] : i;
        if (vector_is_null(vector, position)) {
            memset(&out[position], 0, sizeof out[position]);
            continue;
        }
        uint64_t bytes = value_bytes(vector, position);
        if (bytes > UINT32_MAX)
            return error_set(err, ERR_LIMIT,
                             "an array, map or row of more than 4 GiB cannot be kept");
        char *memory;
        TRY_ALLOC(memory, arena_alloc(arena, bytes), err);
        value_write(vector, position, memory);
        out[position] = strview_of(memory, bytes);
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- reading */

/* Where each of a vector's values lies; NULL places are NULL values. Advanced past the value
 * when it is read. */
static Status places_read(Type type, const char **places, uint32_t count, Arena *arena, Vector *out,
                          Error *err);

static Status vector_begin(Type type, uint32_t count, const char **places, Arena *arena,
                           Vector *out, Error *err) {
    *out = (Vector){.type = type,
                    .physical = (uint8_t)type_physical(type),
                    .form = VECTOR_FLAT,
                    .capacity = count};
    size_t size = physical_size((PhysicalType)out->physical);
    if (size > 0) TRY_ALLOC(out->data, arena_array(arena, count ? count : 1, size), err);
    for (uint32_t i = 0; i < count; i++) {
        if (places[i]) continue;
        if (!out->validity) {
            TRY_ALLOC(out->validity, ARENA_ARRAY(arena, uint64_t, bitmap_words(count)), err);
            bitmap_fill(out->validity, count, true);
        }
        bitmap_unset(out->validity, i);
    }
    return TRIB_OK;
}

static Status row_read(Type type, const char **places, uint32_t count, Arena *arena, Vector *out,
                       Error *err) {
    out->nchildren = type.fields->count;
    TRY_ALLOC(out->children, ARENA_ARRAY(arena, Vector, out->nchildren ? out->nchildren : 1), err);
    const char **fields;
    TRY_ALLOC(fields, ARENA_ARRAY(arena, const char *, count ? count : 1), err);
    for (uint32_t c = 0; c < out->nchildren; c++) {
        for (uint32_t i = 0; i < count; i++) {
            fields[i] = NULL;
            if (places[i] && *places[i]++) fields[i] = places[i];
        }
        TRY(places_read(type.fields->field[c].type, fields, count, arena, &out->children[c], err));
        for (uint32_t i = 0; i < count; i++)
            if (fields[i]) places[i] = fields[i];
    }
    return TRIB_OK;
}

/* Elements of maps alternate between two children, so that a value's elements can only be placed
 * one by one: skipping needs the length of a value. */
static const char *value_skip(Type type, const char *at) {
    PhysicalType physical = type_physical(type);
    uint32_t length;
    if (physical == PHYS_STRING) {
        memcpy(&length, at, sizeof length);
        return at + sizeof length + length;
    }
    if (physical == PHYS_ROW) {
        for (uint32_t c = 0; c < type.fields->count; c++)
            if (*at++) at = value_skip(type.fields->field[c].type, at);
        return at;
    }
    if (physical == PHYS_LIST) {
        memcpy(&length, at, sizeof length);
        at += sizeof length;
        for (uint32_t i = 0; i < length; i++)
            for (uint32_t c = 0; c < type.fields->count; c++)
                if (*at++) at = value_skip(type.fields->field[c].type, at);
        return at;
    }
    return at + physical_size(physical);
}

static Status list_read(Type type, const char **places, uint32_t count, Arena *arena, Vector *out,
                        Error *err) {
    ListEntry *entries = out->data;
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t length = 0;
        if (places[i]) memcpy(&length, places[i], sizeof length);
        entries[i] = (ListEntry){.offset = (uint32_t)total, .length = length};
        total += length;
    }
    if (total > UINT32_MAX)
        return error_set(err, ERR_LIMIT,
                         "a batch may not hold more than 4294967295 array elements");
    out->entries = (uint32_t)total;
    out->nchildren = type.fields->count;
    TRY_ALLOC(out->children, ARENA_ARRAY(arena, Vector, out->nchildren), err);
    const char **elements;
    TRY_ALLOC(elements, arena_array(arena, total ? total * out->nchildren : 1, sizeof *elements),
              err);
    for (uint32_t i = 0; i < count; i++) {
        if (!places[i]) continue;
        const char *at = places[i] + sizeof(uint32_t);
        for (uint32_t e = 0; e < entries[i].length; e++) {
            for (uint32_t c = 0; c < out->nchildren; c++) {
                bool valid = *at++ != 0;
                elements[c * total + entries[i].offset + e] = valid ? at : NULL;
                if (valid) at = value_skip(type.fields->field[c].type, at);
            }
        }
        places[i] = at;
    }
    for (uint32_t c = 0; c < out->nchildren; c++)
        TRY(places_read(type.fields->field[c].type, elements + c * total, (uint32_t)total, arena,
                        &out->children[c], err));
    return TRIB_OK;
}

static Status places_read(Type type, const char **places, uint32_t count, Arena *arena, Vector *out,
                          Error *err) {
    TRY(vector_begin(type, count, places, arena, out, err));
    PhysicalType physical = (PhysicalType)out->physical;
    if (physical == PHYS_ROW) return row_read(type, places, count, arena, out, err);
    if (physical == PHYS_LIST) return list_read(type, places, count, arena, out, err);
    size_t size = physical_size(physical);
    for (uint32_t i = 0; i < count; i++) {
        if (!places[i]) continue;
        if (physical == PHYS_STRING) {
            uint32_t length;
            memcpy(&length, places[i], sizeof length);
            ((StrView *)out->data)[i] = strview_of(places[i] + sizeof length, length);
            places[i] += sizeof length + length;
        } else {
            memcpy((char *)out->data + i * size, places[i], size);
            places[i] += size;
        }
    }
    return TRIB_OK;
}

Status serial_read(Type type, const StrView *values, const uint64_t *validity, uint32_t count,
                   Arena *arena, Vector *out, Error *err) {
    const char **places;
    TRY_ALLOC(places, ARENA_ARRAY(arena, const char *, count ? count : 1), err);
    for (uint32_t i = 0; i < count; i++) {
        if (!validity || bitmap_get(validity, i)) places[i] = strview_data(&values[i]);
    }
    return places_read(type, places, count, arena, out, err);
}

/* ---------------------------------------------------------------- comparing */

static int value_order(Type type, const char **a, const char **b);

static int element_order(Type type, const char **a, const char **b) {
    bool valid_a = *(*a)++ != 0, valid_b = *(*b)++ != 0;
    if (valid_a && valid_b) return value_order(type, a, b);
    return (int)valid_b - (int)valid_a; /* NULL last */
}

static int text_order(const char **a, const char **b) {
    uint32_t length_a, length_b;
    memcpy(&length_a, *a, sizeof length_a);
    memcpy(&length_b, *b, sizeof length_b);
    const char *text_a = *a + sizeof length_a, *text_b = *b + sizeof length_b;
    *a = text_a + length_a;
    *b = text_b + length_b;
    uint32_t shorter = length_a < length_b ? length_a : length_b;
    int order = shorter ? memcmp(text_a, text_b, shorter) : 0;
    if (order != 0) return order < 0 ? -1 : 1;
    return (length_a > length_b) - (length_a < length_b);
}

/* Maps are equal in any order of their entries; they have no order otherwise. Entry for entry
 * first: the same order is the usual case. */
static int map_order(Type type, uint32_t length, const char **a, const char **b) {
    Type key = type.fields->field[0].type, value = type.fields->field[1].type;
    const char *entries = *b;
    for (uint32_t i = 0; i < length; i++) {
        const char *key_a = *a, *value_a = *key_a ? value_skip(key, key_a + 1) : key_a + 1;
        bool found = false;
        const char *at = entries;
        for (uint32_t j = 0; j < length && !found; j++) {
            const char *key_b = at, *value_b = *key_b ? value_skip(key, key_b + 1) : key_b + 1;
            at = *value_b ? value_skip(value, value_b + 1) : value_b + 1;
            const char *x = key_a, *y = key_b;
            if (element_order(key, &x, &y) != 0) continue;
            x = value_a;
            y = value_b;
            found = element_order(value, &x, &y) == 0;
        }
        if (!found) return 1;
        *a = *value_a ? value_skip(value, value_a + 1) : value_a + 1;
    }
    for (uint32_t j = 0; j < length; j++) {
        *b = **b ? value_skip(key, *b + 1) : *b + 1;
        *b = **b ? value_skip(value, *b + 1) : *b + 1;
    }
    return 0;
}

static int list_order(Type type, const char **a, const char **b) {
    uint32_t length_a, length_b;
    memcpy(&length_a, *a, sizeof length_a);
    memcpy(&length_b, *b, sizeof length_b);
    *a += sizeof length_a;
    *b += sizeof length_b;
    uint32_t shorter = length_a < length_b ? length_a : length_b;
    if (type.fields->count == 2)
        return length_a != length_b ? (length_a > length_b) - (length_a < length_b)
                                    : map_order(type, shorter, a, b);
    for (uint32_t i = 0; i < shorter; i++) {
        int order = element_order(type.fields->field[0].type, a, b);
        if (order != 0) return order;
    }
    return (length_a > length_b) - (length_a < length_b);
}

/* Advances both past the value as long as they are equal; after a difference nobody reads on. */
static int value_order(Type type, const char **a, const char **b) {
    PhysicalType physical = type_physical(type);
    if (physical == PHYS_STRING) return text_order(a, b);
    if (physical == PHYS_ROW) {
        for (uint32_t c = 0; c < type.fields->count; c++) {
            int order = element_order(type.fields->field[c].type, a, b);
            if (order != 0) return order;
        }
        return 0;
    }
    if (physical == PHYS_LIST) return list_order(type, a, b);
    int order = physical_compare(physical, *a, *b);
    size_t size = physical_size(physical);
    *a += size;
    *b += size;
    return order;
}

int serial_compare(Type type, const char *a, const char *b) {
    return value_order(type, &a, &b);
}
