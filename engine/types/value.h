/*
 * value.h - literal values (TribValue): copying, comparing, printing.
 */
#ifndef TRIB_TYPES_VALUE_H
#define TRIB_TYPES_VALUE_H

#include "engine/types/type.h"

typedef TribValue Value;

Status value_copy(Arena *arena, const Value *value, Value *out, Error *err) WARN_UNUSED;
/* Same type, same value (IS NOT DISTINCT FROM). */
bool value_equal(const Value *a, const Value *b);
/* -1, 0, 1 in the type's order; both non-NULL, of one orderable type. */
int value_compare(const Value *a, const Value *b);
/* As a SQL literal, DATE '2024-01-01', 'it''s', 1.50, NULL: for EXPLAIN and messages; cut after 200 bytes. */
void value_print(Buf *out, const Value *value);
/* As plain text: what CAST(value AS varchar) gives (char(n) padded to n characters); hexadecimal for
 * varbinary, JSON for nested values. */
void value_text(Buf *out, const Value *value);
/* As a JSON document: what CAST(value AS json) gives; NULL is null. */
void value_json(Buf *out, const Value *value);

#endif
