/*
 * type.h - logical types: construction, comparison, spelling, coercion.
 *
 * A Type is a value (TribType). Coercion and result-type rules follow Trino: what converts without
 * being asked, the common type of two, the precision and scale of decimal arithmetic.
 */
#ifndef TRIB_TYPES_TYPE_H
#define TRIB_TYPES_TYPE_H

#include "engine/base/physical.h"

typedef TribType Type;
typedef TribTypeId TypeId;

#define TYPE(id_)       ((Type){.id = TRIB_TYPE_##id_})
#define CHAR_MAX_LENGTH 65536u

static inline Type type_varchar(uint32_t length) {
    return (Type){.id = TRIB_TYPE_VARCHAR, .length = length};
}
static inline Type type_char(uint32_t length) {
    return (Type){.id = TRIB_TYPE_CHAR, .length = length};
}
static inline Type type_decimal(uint8_t precision, int8_t scale) {
    return (Type){.id = TRIB_TYPE_DECIMAL, .precision = precision, .scale = scale};
}
static inline Type type_timestamp(uint8_t precision) {
    return (Type){.id = TRIB_TYPE_TIMESTAMP, .precision = precision};
}
static inline Type type_timestamp_tz(uint8_t precision) {
    return (Type){.id = TRIB_TYPE_TIMESTAMP_TZ, .precision = precision};
}
static inline Type type_time(uint8_t precision) {
    return (Type){.id = TRIB_TYPE_TIME, .precision = precision};
}
/* Nested types; NULL fields on exhaustion is reported by the id UNKNOWN. */
Type type_array(Arena *arena, Type element);
Type type_map(Arena *arena, Type key, Type value);
Type type_row(Arena *arena, uint32_t count, const TribTypeField *fields);
/* A deep copy whose fields live in the arena. */
Status type_copy(Arena *arena, Type type, Type *out, Error *err) WARN_UNUSED;

bool type_equal(Type a, Type b); /* names of row fields included */
bool type_is_integer(Type t);
bool type_is_numeric(Type t); /* integers, decimal, real, double */
bool type_is_text(Type t);    /* varchar, char */
bool type_is_nested(Type t);
bool type_is_datetime(Type t);
bool type_comparable(Type t);        /* =, <>, IN, GROUP BY, hash */
bool type_orderable(Type t);         /* <, ORDER BY, min, max */
uint8_t type_integer_digits(Type t); /* 3, 5, 10, 19 */

/* SQL spelling, "decimal(10,2)", "array(varchar(5))", appended. */
void type_print(Buf *out, Type t);
const char *type_id_name(TypeId id);
/* Reads a type's spelling with Trino's and the usual aliases (int, string, text, float(24) ...). */
Status type_parse(Arena *arena, Str text, Type *out, Error *err) WARN_UNUSED;

/* May `from` become `to` without being asked (widening only)? UNKNOWN becomes anything. */
bool type_coercible(Type from, Type to);
/* The narrowest type that both coerce to; false if there is none. Nested types included. */
bool type_common(Arena *arena, Type a, Type b, Type *out);
/* Result types of decimal arithmetic (Trino's rules, capped at 38 digits). */
Type type_decimal_add(Type a, Type b);
Type type_decimal_multiply(Type a, Type b);
Type type_decimal_divide(Type a, Type b);
Type type_decimal_modulus(Type a, Type b);
/* The decimal that holds an integer type: decimal(3,0), (5,0), (10,0), (19,0). */
Type type_as_decimal(Type t);
/* May CAST convert it at all (element-wise for nested types)? */
bool type_castable(Type from, Type to);
/* May that CAST fail on some value? Drives may_raise. */
bool type_cast_may_raise(Type from, Type to);

#endif
