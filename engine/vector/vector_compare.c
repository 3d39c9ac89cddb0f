/*
 * vector_compare.c - equality and order of single positions, for grouping, joins and sorting.
 *
 * The order is the types': NaN the largest number and equal to itself, text by bytes (= by code
 * point), zoned instants by their moment, arrays and rows element by element with NULL elements last,
 * maps equal in any order of entries. Kernels of `=` and `<` have their own loops with SQL's
 * three-valued results; these functions answer "same group?" and "which first?".
 */
#include "engine/vector/vector.h"

static int double_order(double a, double b) {
    if (a != a || b != b) return (a != a) - (b != b);
    return (a > b) - (a < b);
}

static int string_order(const StrView *a, const StrView *b) {
    uint32_t shorter = a->len < b->len ? a->len : b->len;
    int order = memcmp(a->prefix, b->prefix, shorter < 4 ? shorter : 4);
    if (order == 0 && shorter > 4) order = memcmp(strview_data(a), strview_data(b), shorter);
    if (order != 0) return order < 0 ? -1 : 1;
    return (a->len > b->len) - (a->len < b->len);
}

static bool string_equal(const StrView *a, const StrView *b) {
    uint64_t x[2], y[2];
    memcpy(x, a, sizeof(x));
    memcpy(y, b, sizeof(y));
    if (x[0] != y[0]) return false; /* length and first 4 bytes */
    if (a->len <= STRVIEW_INLINE) return x[1] == y[1];
    return memcmp(a->ptr, b->ptr, a->len) == 0;
}

static int64_t timetz_utc(const TimeTz *t) {
    return t->ns - (int64_t)t->offset * INT64_C(1000000000);
}

/* Elements of two lists or fields of two rows; NULL ones are equal to each other, and last. */
static int element_order(const Vector *a, uint32_t pa, const Vector *b, uint32_t pb) {
    bool null_a = vector_is_null(a, pa), null_b = vector_is_null(b, pb);
    if (null_a || null_b) return (int)null_a - (int)null_b;
    return vector_compare(a, pa, b, pb);
}

static int list_order(const Vector *a, uint32_t pa, const Vector *b, uint32_t pb) {
    ListEntry x = ((const ListEntry *)a->data)[pa], y = ((const ListEntry *)b->data)[pb];
    uint32_t shorter = x.length < y.length ? x.length : y.length;
    for (uint32_t i = 0; i < shorter; i++) {
        for (uint32_t c = 0; c < a->nchildren; c++) {
            int order = element_order(&a->children[c], x.offset + i, &b->children[c], y.offset + i);
            if (order != 0) return order;
        }
    }
    return (x.length > y.length) - (x.length < y.length);
}

#define ORDER_CASE(PHYS, T)                                           \
    case PHYS: {                                                      \
        T x = ((const T *)a->data)[pa], y = ((const T *)b->data)[pb]; \
        return (x > y) - (x < y);                                     \
    }

#define MOMENT_CASE(PHYS, T)                                                \
    case PHYS: {                                                            \
        const T *x = (const T *)a->data + pa, *y = (const T *)b->data + pb; \
        if (x->us != y->us) return x->us < y->us ? -1 : 1;                  \
        return (x->ns > y->ns) - (x->ns < y->ns);                           \
    }

int vector_compare(const Vector *a, uint32_t pa, const Vector *b, uint32_t pb) {
    a = vector_resolve(a, &pa);
    b = vector_resolve(b, &pb);
    switch (a->physical) {
        ORDER_CASE(PHYS_BOOL, uint8_t)
        ORDER_CASE(PHYS_INT8, int8_t)
        ORDER_CASE(PHYS_INT16, int16_t)
        ORDER_CASE(PHYS_INT32, int32_t)
        ORDER_CASE(PHYS_INT64, int64_t)
        ORDER_CASE(PHYS_INT128, Int128)
        MOMENT_CASE(PHYS_INSTANT, Instant)
        MOMENT_CASE(PHYS_ZONED, ZonedInstant)
    case PHYS_FLOAT:
        return double_order((double)((const float *)a->data)[pa],
                            (double)((const float *)b->data)[pb]);
    case PHYS_DOUBLE:
        return double_order(((const double *)a->data)[pa], ((const double *)b->data)[pb]);
    case PHYS_STRING:
        return string_order((const StrView *)a->data + pa, (const StrView *)b->data + pb);
    case PHYS_TIMETZ: {
        int64_t x = timetz_utc((const TimeTz *)a->data + pa);
        int64_t y = timetz_utc((const TimeTz *)b->data + pb);
        return (x > y) - (x < y);
    }
    case PHYS_UUID: {
        int order = memcmp((const Uuid *)a->data + pa, (const Uuid *)b->data + pb, sizeof(Uuid));
        return (order > 0) - (order < 0);
    }
    case PHYS_LIST: return list_order(a, pa, b, pb);
    default: break;
    }
    for (uint32_t c = 0; c < a->nchildren; c++) {
        int order = element_order(&a->children[c], pa, &b->children[c], pb);
        if (order != 0) return order;
    }
    return 0;
}

/* Each entry of one map stands in the other; keys are unique and the sizes agree. */
static bool map_equal(const Vector *a, ListEntry x, const Vector *b, ListEntry y) {
    for (uint32_t i = 0; i < x.length; i++) {
        bool found = false;
        for (uint32_t j = 0; j < y.length && !found; j++) {
            found = vector_equal(&a->children[0], x.offset + i, &b->children[0], y.offset + j) &&
                    vector_equal(&a->children[1], x.offset + i, &b->children[1], y.offset + j);
        }
        if (!found) return false;
    }
    return true;
}

static bool list_equal(const Vector *a, uint32_t pa, const Vector *b, uint32_t pb) {
    ListEntry x = ((const ListEntry *)a->data)[pa], y = ((const ListEntry *)b->data)[pb];
    if (x.length != y.length) return false;
    if (a->nchildren == 2) return map_equal(a, x, b, y);
    for (uint32_t i = 0; i < x.length; i++) {
        if (!vector_equal(&a->children[0], x.offset + i, &b->children[0], y.offset + i)) {
            return false;
        }
    }
    return true;
}

bool vector_equal(const Vector *a, uint32_t pa, const Vector *b, uint32_t pb) {
    bool null_a = vector_is_null(a, pa), null_b = vector_is_null(b, pb);
    if (null_a || null_b) return null_a && null_b;
    a = vector_resolve(a, &pa);
    b = vector_resolve(b, &pb);
    switch (a->physical) {
    case PHYS_STRING:
        return string_equal((const StrView *)a->data + pa, (const StrView *)b->data + pb);
    case PHYS_LIST: return list_equal(a, pa, b, pb);
    case PHYS_ROW:
        for (uint32_t c = 0; c < a->nchildren; c++) {
            if (!vector_equal(&a->children[c], pa, &b->children[c], pb)) return false;
        }
        return true;
    default: return vector_compare(a, pa, b, pb) == 0;
    }
}
