/*
 * physical.c - the physical kind of each logical type, and its size.
 */
#include "engine/base/physical.h"

#define DECIMAL_SMALL_DIGITS 18
#define TIMESTAMP_US_DIGITS  6

PhysicalType type_physical(TribType type) {
    switch (type.id) {
    case TRIB_TYPE_TINYINT: return PHYS_INT8;
    case TRIB_TYPE_SMALLINT: return PHYS_INT16;
    case TRIB_TYPE_INTEGER:
    case TRIB_TYPE_DATE:
    case TRIB_TYPE_INTERVAL_YM: return PHYS_INT32;
    case TRIB_TYPE_BIGINT:
    case TRIB_TYPE_TIME:
    case TRIB_TYPE_INTERVAL_DS: return PHYS_INT64;
    case TRIB_TYPE_REAL: return PHYS_FLOAT;
    case TRIB_TYPE_DOUBLE: return PHYS_DOUBLE;
    case TRIB_TYPE_DECIMAL:
        return type.precision <= DECIMAL_SMALL_DIGITS ? PHYS_INT64 : PHYS_INT128;
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_CHAR:
    case TRIB_TYPE_VARBINARY:
    case TRIB_TYPE_JSON: return PHYS_STRING;
    case TRIB_TYPE_TIME_TZ: return PHYS_TIMETZ;
    case TRIB_TYPE_TIMESTAMP:
        return type.precision <= TIMESTAMP_US_DIGITS ? PHYS_INT64 : PHYS_INSTANT;
    case TRIB_TYPE_TIMESTAMP_TZ: return PHYS_ZONED;
    case TRIB_TYPE_UUID: return PHYS_UUID;
    case TRIB_TYPE_ARRAY:
    case TRIB_TYPE_MAP: return PHYS_LIST;
    case TRIB_TYPE_ROW: return PHYS_ROW;
    default: return PHYS_BOOL; /* boolean, and unknown: always NULL */
    }
}

size_t physical_size(PhysicalType physical) {
    static const uint8_t sizes[PHYS_COUNT] = {
        [PHYS_BOOL] = 1,    [PHYS_INT8] = 1,     [PHYS_INT16] = 2,  [PHYS_INT32] = 4,
        [PHYS_INT64] = 8,   [PHYS_INT128] = 16,  [PHYS_FLOAT] = 4,  [PHYS_DOUBLE] = 8,
        [PHYS_STRING] = 16, [PHYS_INSTANT] = 16, [PHYS_ZONED] = 16, [PHYS_TIMETZ] = 16,
        [PHYS_UUID] = 16,   [PHYS_LIST] = 8,     [PHYS_ROW] = 0,
    };
    return sizes[physical];
}
