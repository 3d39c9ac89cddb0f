/*
 * cast.h - kernels of CAST, by source and target type. Semantics are Trino's.
 *
 * char(n) is kept without trailing blanks; as varchar it is padded to n. Text longer than varchar(n) or
 * char(n) is cut when it comes from text, an error when it comes from anything else. Numbers round half
 * away from zero. A raised row's code says what is wrong with the value.
 */
#ifndef TRIB_KERNELS_CAST_H
#define TRIB_KERNELS_CAST_H

#include "engine/kernels/kernel.h"
#include "engine/types/type.h"

/* The kernel that converts args[0] (of type `from`) into result_type `to`; NULL if CAST does not exist. */
Kernel cast_kernel(Type from, Type to);
/* true: the physical value stays as it is, a vector of `from` may simply be called a vector of `to`. */
bool cast_is_renaming(Type from, Type to);

/* ---- the families, for cast.c and for json */
Kernel cast_number_kernel(Type from, Type to); /* boolean, integers, real, double, decimal */
Kernel cast_datetime_kernel(Type from, Type to);
Status cast_to_text(KernelCall *call);   /* anything but nested -> varchar, char */
Status cast_from_text(KernelCall *call); /* varchar, char -> anything but nested */
Status cast_to_json(KernelCall *call);
Status cast_from_json(KernelCall *call);
Status cast_nested(KernelCall *call); /* array -> array, map -> map, row -> row */
Status cast_bytes(KernelCall *call);  /* uuid, varbinary, varchar -> uuid, varbinary */

/* Reads text as a value of `to` (not text, not nested) at `out`; 0 or the error byte. */
uint8_t text_parse_value(const EvalSession *session, Str text, Type to, void *out);
/* Writes a value (no text, no nested type, not json) as text of at most CALENDAR_TEXT_MAX bytes; its length. */
size_t value_format(const Vector *v, uint32_t row, char *out);

#endif
