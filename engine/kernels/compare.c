/*
 * compare.c - comparison kernels.
 *
 * One function per physical type holds the loops of eq, ne, lt, le against a vector and of all six
 * operators against a constant; the other shapes are the same loops with the sides exchanged. The
 * result is one byte per row. Numbers use C's operators, which gives IEEE results for NaN. Text is
 * decided by its first 4 bytes where they differ.
 */
#include "engine/kernels/loop.h"
#include "engine/kernels/compare.h"

typedef enum CompareOp { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE } CompareOp;

/* a op b  <=>  b mirrored(op) a */
static const uint8_t mirrored[] = {OP_EQ, OP_NE, OP_GT, OP_GE, OP_LT, OP_LE};

#define COMPARE_VV(EXPR)                  \
    FOR_SELECTED(selection, count, row, { \
        x = a[row];                       \
        y = b[row];                       \
        out[row] = (EXPR);                \
    });                                   \
    return

#define COMPARE_VC(EXPR)                  \
    FOR_SELECTED(selection, count, row, { \
        x = a[row];                       \
        out[row] = (EXPR);                \
    });                                   \
    return

#define COMPARE_NUMBERS(NAME, T)                                                           \
    KERNEL_CLONES static void compare_##NAME(CompareOp op, const void *pa, const void *pb, \
                                             bool constant, const uint16_t *selection,     \
                                             uint32_t count, uint8_t *restrict out) {      \
        const T *restrict a = pa;                                                          \
        const T *restrict b = pb;                                                          \
        T x, y = b[0];                                                                     \
        if (!constant) {                                                                   \
            switch (op) {                                                                  \
            case OP_EQ: COMPARE_VV(x == y);                                                \
            case OP_NE: COMPARE_VV(x != y);                                                \
            case OP_LT: COMPARE_VV(x < y);                                                 \
            default: COMPARE_VV(x <= y);                                                   \
            }                                                                              \
        }                                                                                  \
        switch (op) {                                                                      \
        case OP_EQ: COMPARE_VC(x == y);                                                    \
        case OP_NE: COMPARE_VC(x != y);                                                    \
        case OP_LT: COMPARE_VC(x < y);                                                     \
        case OP_LE: COMPARE_VC(x <= y);                                                    \
        case OP_GT: COMPARE_VC(x > y);                                                     \
        case OP_GE: COMPARE_VC(x >= y);                                                    \
        }                                                                                  \
    }

COMPARE_NUMBERS(uint8, uint8_t)
COMPARE_NUMBERS(int8, int8_t)
COMPARE_NUMBERS(int16, int16_t)
COMPARE_NUMBERS(int32, int32_t)
COMPARE_NUMBERS(int64, int64_t)
COMPARE_NUMBERS(int128, Int128)
COMPARE_NUMBERS(float, float)
COMPARE_NUMBERS(double, double)

/* ---------------------------------------------------------------- text */

static inline bool text_equal(const StrView *x, const StrView *y) {
    uint64_t u[2], v[2];
    memcpy(u, x, sizeof(u));
    memcpy(v, y, sizeof(v));
    if (u[0] != v[0]) return false; /* length and first 4 bytes */
    if (x->len <= STRVIEW_INLINE) return u[1] == v[1];
    return memcmp(x->ptr, y->ptr, x->len) == 0;
}

static inline uint32_t text_prefix(const StrView *s) {
    uint32_t prefix;
    memcpy(&prefix, s->prefix, sizeof(prefix));
    return __builtin_bswap32(prefix);
}

/* Shorter text is filled with 0 bytes in its prefix, so a differing prefix decides. */
static inline int text_order(const StrView *x, const StrView *y) {
    uint32_t p = text_prefix(x), q = text_prefix(y);
    if (p != q) return p < q ? -1 : 1;
    uint32_t shorter = x->len < y->len ? x->len : y->len;
    int order = shorter > 4 ? memcmp(strview_data(x), strview_data(y), shorter) : 0;
    if (order != 0) return order;
    return (x->len > y->len) - (x->len < y->len);
}

#define COMPARE_POINTED(T, EQUAL, ORDER)                \
    const T *a = pa, *b = pb;                           \
    const T *x, *y = b;                                 \
    uint32_t step = constant ? 0 : 1;                   \
    switch (op) {                                       \
    case OP_EQ: COMPARE_POINTED_LOOP(EQUAL(x, y));      \
    case OP_NE: COMPARE_POINTED_LOOP(!EQUAL(x, y));     \
    case OP_LT: COMPARE_POINTED_LOOP(ORDER(x, y) < 0);  \
    case OP_LE: COMPARE_POINTED_LOOP(ORDER(x, y) <= 0); \
    case OP_GT: COMPARE_POINTED_LOOP(ORDER(x, y) > 0);  \
    case OP_GE: COMPARE_POINTED_LOOP(ORDER(x, y) >= 0); \
    }
#define COMPARE_POINTED_LOOP(EXPR)        \
    FOR_SELECTED(selection, count, row, { \
        x = a + row;                      \
        y = b + row * step;               \
        out[row] = (EXPR);                \
    });                                   \
    return

static void compare_text(CompareOp op, const void *pa, const void *pb, bool constant,
                         const uint16_t *selection, uint32_t count, uint8_t *restrict out) {
    COMPARE_POINTED(StrView, text_equal, text_order)
}

/* ---------------------------------------------------------------- moments, uuid */

static inline int instant_order(const Instant *x, const Instant *y) {
    if (x->us != y->us) return x->us < y->us ? -1 : 1;
    return (x->ns > y->ns) - (x->ns < y->ns);
}

static inline int zoned_order(const ZonedInstant *x, const ZonedInstant *y) {
    if (x->us != y->us) return x->us < y->us ? -1 : 1;
    return (x->ns > y->ns) - (x->ns < y->ns);
}

static inline int timetz_order(const TimeTz *x, const TimeTz *y) {
    int64_t p = x->ns - (int64_t)x->offset * INT64_C(1000000000);
    int64_t q = y->ns - (int64_t)y->offset * INT64_C(1000000000);
    return (p > q) - (p < q);
}

static inline int uuid_order(const Uuid *x, const Uuid *y) {
    return memcmp(x, y, sizeof(Uuid));
}

#define INSTANT_EQUAL(x, y) (instant_order(x, y) == 0)
#define ZONED_EQUAL(x, y)   (zoned_order(x, y) == 0)
#define TIMETZ_EQUAL(x, y)  (timetz_order(x, y) == 0)
#define UUID_EQUAL(x, y)    (uuid_order(x, y) == 0)

static void compare_instant(CompareOp op, const void *pa, const void *pb, bool constant,
                            const uint16_t *selection, uint32_t count, uint8_t *restrict out) {
    COMPARE_POINTED(Instant, INSTANT_EQUAL, instant_order)
}

static void compare_zoned(CompareOp op, const void *pa, const void *pb, bool constant,
                          const uint16_t *selection, uint32_t count, uint8_t *restrict out) {
    COMPARE_POINTED(ZonedInstant, ZONED_EQUAL, zoned_order)
}

static void compare_timetz(CompareOp op, const void *pa, const void *pb, bool constant,
                           const uint16_t *selection, uint32_t count, uint8_t *restrict out) {
    COMPARE_POINTED(TimeTz, TIMETZ_EQUAL, timetz_order)
}

static void compare_uuid(CompareOp op, const void *pa, const void *pb, bool constant,
                         const uint16_t *selection, uint32_t count, uint8_t *restrict out) {
    COMPARE_POINTED(Uuid, UUID_EQUAL, uuid_order)
}

/* ---------------------------------------------------------------- nested values */

static Equality equality_and(Equality so_far, Equality next) {
    if (so_far == EQUAL_NO || next == EQUAL_NO) return EQUAL_NO;
    return so_far == EQUAL_UNKNOWN ? so_far : next;
}

static Equality element_equality(const Vector *a, uint32_t pa, const Vector *b, uint32_t pb) {
    if (vector_is_null(a, pa) || vector_is_null(b, pb)) return EQUAL_UNKNOWN;
    return vector_equality(a, pa, b, pb);
}

static Equality map_equality(const Vector *a, ListEntry x, const Vector *b, ListEntry y) {
    Equality result = EQUAL_YES;
    for (uint32_t i = 0; i < x.length && result != EQUAL_NO; i++) {
        Equality found = EQUAL_NO;
        for (uint32_t j = 0; j < y.length; j++) {
            if (!vector_equal(&a->children[0], x.offset + i, &b->children[0], y.offset + j)) {
                continue;
            }
            found = element_equality(&a->children[1], x.offset + i, &b->children[1], y.offset + j);
            break;
        }
        result = equality_and(result, found);
    }
    return result;
}

static Equality list_equality(const Vector *a, uint32_t pa, const Vector *b, uint32_t pb) {
    ListEntry x = ((const ListEntry *)a->data)[pa], y = ((const ListEntry *)b->data)[pb];
    if (x.length != y.length) return EQUAL_NO;
    if (a->nchildren == 2) return map_equality(a, x, b, y);
    Equality result = EQUAL_YES;
    for (uint32_t i = 0; i < x.length && result != EQUAL_NO; i++) {
        result = equality_and(
            result, element_equality(&a->children[0], x.offset + i, &b->children[0], y.offset + i));
    }
    return result;
}

static bool is_nan_at(const Vector *v, uint32_t position) {
    if (v->physical == PHYS_FLOAT) {
        float x = ((const float *)v->data)[position];
        return x != x;
    }
    if (v->physical != PHYS_DOUBLE) return false;
    double x = ((const double *)v->data)[position];
    return x != x;
}

Equality vector_equality(const Vector *a, uint32_t pa, const Vector *b, uint32_t pb) {
    a = vector_resolve(a, &pa);
    b = vector_resolve(b, &pb);
    if (a->physical == PHYS_LIST) return list_equality(a, pa, b, pb);
    if (a->physical == PHYS_ROW) {
        Equality result = EQUAL_YES;
        for (uint32_t c = 0; c < a->nchildren && result != EQUAL_NO; c++) {
            result =
                equality_and(result, element_equality(&a->children[c], pa, &b->children[c], pb));
        }
        return result;
    }
    if (is_nan_at(a, pa)) return EQUAL_NO;
    return vector_equal(a, pa, b, pb) ? EQUAL_YES : EQUAL_NO;
}

static bool order_decides(CompareOp op, int order) {
    switch (op) {
    case OP_LT: return order < 0;
    case OP_LE: return order <= 0;
    case OP_GT: return order > 0;
    default: return order >= 0;
    }
}

static bool nested_order(const Vector *a, uint32_t pa, const Vector *b, uint32_t pb, int *order);

/* Elements or fields; false if one is NULL. */
static bool element_order(const Vector *a, uint32_t pa, const Vector *b, uint32_t pb, int *order) {
    if (vector_is_null(a, pa) || vector_is_null(b, pb)) return false;
    return nested_order(a, pa, b, pb, order);
}

/* The order of two values; false if a NULL inside them is met before it is decided. */
static bool nested_order(const Vector *a, uint32_t pa, const Vector *b, uint32_t pb, int *order) {
    a = vector_resolve(a, &pa);
    b = vector_resolve(b, &pb);
    *order = 0;
    if (a->physical == PHYS_ROW) {
        for (uint32_t c = 0; c < a->nchildren && *order == 0; c++) {
            if (!element_order(&a->children[c], pa, &b->children[c], pb, order)) return false;
        }
        return true;
    }
    if (a->physical != PHYS_LIST) {
        *order = vector_compare(a, pa, b, pb);
        return true;
    }
    ListEntry x = ((const ListEntry *)a->data)[pa], y = ((const ListEntry *)b->data)[pb];
    uint32_t shorter = x.length < y.length ? x.length : y.length;
    for (uint32_t i = 0; i < shorter && *order == 0; i++) {
        if (!element_order(a->children, x.offset + i, b->children, y.offset + i, order))
            return false;
    }
    if (*order == 0) *order = (x.length > y.length) - (x.length < y.length);
    return true;
}

/* Equality is three-valued; what a NULL inside leaves undecided has no order, which is an error. */
static Status compare_nested(KernelCall *call, CompareOp op) {
    const Vector *a = &call->args[0], *b = &call->args[1];
    uint8_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        if (op != OP_EQ && op != OP_NE) {
            int order;
            out[row] = 0;
            if (nested_order(a, row, b, row, &order)) {
                out[row] = order_decides(op, order);
            } else {
                KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                            "arrays and rows that hold NULL have no order");
            }
            continue;
        }
        Equality equality = vector_equality(a, row, b, row);
        if (equality == EQUAL_UNKNOWN) TRY(kernel_set_null(call, row));
        out[row] = (equality == EQUAL_YES) == (op == OP_EQ);
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- dispatch */

typedef void (*CompareLoop)(CompareOp op, const void *a, const void *b, bool constant,
                            const uint16_t *selection, uint32_t count, uint8_t *restrict out);

static const CompareLoop compare_loops[PHYS_COUNT] = {
    [PHYS_BOOL] = compare_uint8,  [PHYS_INT8] = compare_int8,
    [PHYS_INT16] = compare_int16, [PHYS_INT32] = compare_int32,
    [PHYS_INT64] = compare_int64, [PHYS_INT128] = compare_int128,
    [PHYS_FLOAT] = compare_float, [PHYS_DOUBLE] = compare_double,
    [PHYS_STRING] = compare_text, [PHYS_INSTANT] = compare_instant,
    [PHYS_ZONED] = compare_zoned, [PHYS_TIMETZ] = compare_timetz,
    [PHYS_UUID] = compare_uuid,
};

static Status compare_call(KernelCall *call, CompareOp op) {
    const Vector *a = &call->args[0], *b = &call->args[1];
    CompareLoop loop = compare_loops[a->physical];
    if (loop == NULL) return compare_nested(call, op);
    bool constant = b->form == VECTOR_CONSTANT;
    if (!constant && (a->form == VECTOR_CONSTANT || op >= OP_GT)) {
        const Vector *swap = a;
        a = b;
        b = swap;
        op = (CompareOp)mirrored[op];
        constant = b->form == VECTOR_CONSTANT;
    }
    loop(op, a->data, b->data, constant, call->selection, call->count, call->result->data);
    return TRIB_OK;
}

Status kernel_eq(KernelCall *call) {
    return compare_call(call, OP_EQ);
}

Status kernel_ne(KernelCall *call) {
    return compare_call(call, OP_NE);
}

Status kernel_lt(KernelCall *call) {
    return compare_call(call, OP_LT);
}

Status kernel_le(KernelCall *call) {
    return compare_call(call, OP_LE);
}

Status kernel_gt(KernelCall *call) {
    return compare_call(call, OP_GT);
}

Status kernel_ge(KernelCall *call) {
    return compare_call(call, OP_GE);
}

Status kernel_is_distinct_from(KernelCall *call) {
    const Vector *a = &call->args[0], *b = &call->args[1];
    uint8_t *out = call->result->data;
    KERNEL_ROWS(call, row, { out[row] = !vector_equal(a, row, b, row); });
    return TRIB_OK;
}
