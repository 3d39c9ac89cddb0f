/*
 * physical.h - how one value of each logical type lies in memory.
 *
 *   boolean uint8_t 0/1      tinyint int8_t   smallint int16_t   integer int32_t   bigint int64_t
 *   real float   double double   decimal p <= 18 int64_t, else Int128
 *   varchar, char, varbinary, json StrView   date int32_t (days)   time int64_t (ns)
 *   time with zone TimeTz   timestamp p <= 6 int64_t (us), p 7-9 Instant   timestamp with zone ZonedInstant
 *   interval year-month int32_t (months)   interval day-second int64_t (us)   uuid Uuid
 *   array, map ListEntry into child vectors   row no data, child vectors only
 */
#ifndef TRIB_BASE_PHYSICAL_H
#define TRIB_BASE_PHYSICAL_H

#include "engine/base/decimal.h"

/* A string of up to 12 bytes inside, or its first 4 bytes and a pointer. Unused inline bytes are 0, so
 * that equal short strings are equal as 16 bytes. The bytes behind ptr belong to a buffer that the
 * batch keeps alive. */
typedef struct StrView {
    uint32_t len;
    union {
        char inlined[12];
        struct {
            char prefix[4];
            const char *ptr;
        } __attribute__((packed, aligned(4)));
    };
} StrView;

#define STRVIEW_INLINE 12

static inline const char *strview_data(const StrView *s) {
    return s->len <= STRVIEW_INLINE ? s->inlined : s->ptr;
}
static inline Str strview_str(const StrView *s) {
    return (Str){strview_data(s), s->len};
}
/* A view of bytes that stay where they are. */
static inline StrView strview_of(const char *data, size_t len) {
    StrView v = {.len = (uint32_t)len};
    if (len <= STRVIEW_INLINE) {
        memset(v.inlined, 0, STRVIEW_INLINE);
        if (len) memcpy(v.inlined, data, len);
    } else {
        memcpy(v.prefix, data, 4);
        v.ptr = data;
    }
    return v;
}

typedef struct Instant {
    int64_t us;
    int32_t ns; /* 0..999 */
    int32_t reserved;
} Instant;

typedef struct ZonedInstant {
    int64_t us; /* UTC */
    int16_t zone;
    int16_t ns; /* 0..999 */
    int32_t reserved;
} ZonedInstant;

typedef struct TimeTz {
    int64_t ns;     /* local time of day */
    int32_t offset; /* seconds east of UTC */
    int32_t reserved;
} TimeTz;

typedef struct Uuid {
    uint8_t bytes[16]; /* big-endian, as written */
} Uuid;

typedef struct ListEntry {
    uint32_t offset, length;
} ListEntry;

/* A value per set of parameters, flat; `data` in the physical form of `type`. */
typedef struct ParameterColumn {
    TribType type;
    const void *data;
    const uint64_t *validity; /* a bit per set; NULL: all valid */
} ParameterColumn;

/* Sets of parameters: first .. first + count of the columns, one column per parameter. */
typedef struct ParameterSets {
    const ParameterColumn *columns;
    uint32_t first, count;
} ParameterSets;

/* The physical kind of a logical type: what kernels are generated for. */
typedef enum PhysicalType {
    PHYS_BOOL,
    PHYS_INT8,
    PHYS_INT16,
    PHYS_INT32,
    PHYS_INT64,
    PHYS_INT128,
    PHYS_FLOAT,
    PHYS_DOUBLE,
    PHYS_STRING,
    PHYS_INSTANT,
    PHYS_ZONED,
    PHYS_TIMETZ,
    PHYS_UUID,
    PHYS_LIST,
    PHYS_ROW,
    PHYS_COUNT
} PhysicalType;

PhysicalType type_physical(TribType type);
size_t physical_size(PhysicalType physical); /* bytes per value; 0 for PHYS_ROW */

#endif
