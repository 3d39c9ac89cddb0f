/*
 * value.c - literal values: copies and comparisons. Printing is in value_print.c.
 *
 * Pure functions over the caller's data; copies live in the caller's arena. The order of values is
 * that of vectors: NaN is the largest number, zoned instants compare by their moment, text by bytes.
 */
#include "engine/types/value.h"

Status value_copy(Arena *arena, const Value *value, Value *out, Error *err) {
    *out = *value;
    TRY(type_copy(arena, value->type, &out->type, err));
    if (value->is_null) return TRIB_OK;
    switch (type_physical(value->type)) {
    case PHYS_STRING:
    case PHYS_UUID:
        TRY_ALLOC(out->as.text.data, arena_copy(arena, value->as.text.data, value->as.text.length),
                  err);
        return TRIB_OK;
    case PHYS_LIST:
    case PHYS_ROW: {
        Value *items;
        TRY_ALLOC(items, ARENA_ARRAY(arena, Value, value->as.items.count), err);
        for (size_t i = 0; i < value->as.items.count; i++) {
            TRY(value_copy(arena, &value->as.items.values[i], &items[i], err));
        }
        out->as.items.values = items;
        return TRIB_OK;
    }
    default: return TRIB_OK;
    }
}

static int sign_of(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

static int double_order(double a, double b) {
    if (a != a || b != b) return (a != a) - (b != b);
    return (a > b) - (a < b);
}

static int items_compare(const Value *a, const Value *b) {
    size_t count = a->as.items.count < b->as.items.count ? a->as.items.count : b->as.items.count;
    for (size_t i = 0; i < count; i++) {
        const Value *x = &a->as.items.values[i], *y = &b->as.items.values[i];
        if (x->is_null || y->is_null) {
            if (x->is_null != y->is_null) return x->is_null ? 1 : -1;
            continue;
        }
        int order = value_compare(x, y);
        if (order != 0) return order;
    }
    return sign_of((int64_t)a->as.items.count, (int64_t)b->as.items.count);
}

int value_compare(const Value *a, const Value *b) {
    switch (type_physical(a->type)) {
    case PHYS_INT128: return (a->as.wide > b->as.wide) - (a->as.wide < b->as.wide);
    case PHYS_FLOAT:
    case PHYS_DOUBLE: return double_order(a->as.real, b->as.real);
    case PHYS_STRING:
    case PHYS_UUID: {
        int order = str_compare((Str){a->as.text.data, a->as.text.length},
                                (Str){b->as.text.data, b->as.text.length});
        return (order > 0) - (order < 0);
    }
    case PHYS_INSTANT:
    case PHYS_ZONED: {
        int order = sign_of(a->as.instant.us, b->as.instant.us);
        return order != 0 ? order : sign_of(a->as.instant.ns, b->as.instant.ns);
    }
    case PHYS_TIMETZ:
        /* ns since midnight in us, seconds east of UTC in ns: see value.h */
        return sign_of(a->as.instant.us - a->as.instant.ns * INT64_C(1000000000),
                       b->as.instant.us - b->as.instant.ns * INT64_C(1000000000));
    case PHYS_LIST:
    case PHYS_ROW: return items_compare(a, b);
    default: return sign_of(a->as.integer, b->as.integer);
    }
}

/* Maps are equal when they hold the same entries in any order. */
static bool map_equal(const Value *a, const Value *b) {
    if (a->as.items.count != b->as.items.count) return false;
    for (size_t i = 0; i + 1 < a->as.items.count; i += 2) {
        bool found = false;
        for (size_t j = 0; j + 1 < b->as.items.count && !found; j += 2) {
            found = value_equal(&a->as.items.values[i], &b->as.items.values[j]) &&
                    value_equal(&a->as.items.values[i + 1], &b->as.items.values[j + 1]);
        }
        if (!found) return false;
    }
    return true;
}

bool value_equal(const Value *a, const Value *b) {
    if (!type_equal(a->type, b->type) || a->is_null != b->is_null) return false;
    if (a->is_null) return true;
    if (a->type.id == TRIB_TYPE_MAP) return map_equal(a, b);
    if (!type_is_nested(a->type)) return value_compare(a, b) == 0;
    if (a->as.items.count != b->as.items.count) return false;
    for (size_t i = 0; i < a->as.items.count; i++) {
        if (!value_equal(&a->as.items.values[i], &b->as.items.values[i])) return false;
    }
    return true;
}
