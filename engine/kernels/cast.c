/*
 * cast.c - which kernel converts what; nested values.
 *
 * Nested values are converted element-wise: the elements of all rows are one long vector, which goes
 * through the elements' own kernel in blocks of BATCH_ROWS. An error of an element is an error of
 * its row. Recursion follows the nesting of the type.
 */
#include "engine/kernels/loop.h"
#include "engine/kernels/cast.h"

static bool fields_renaming(const TribTypeFields *from, const TribTypeFields *to) {
    if (from->count != to->count) return false;
    for (uint32_t i = 0; i < from->count; i++) {
        if (!cast_is_renaming(from->field[i].type, to->field[i].type)) return false;
    }
    return true;
}

bool cast_is_renaming(Type from, Type to) {
    if (type_equal(from, to)) return true;
    if (from.id != to.id || type_physical(from) != type_physical(to)) return false;
    switch (from.id) {
    case TRIB_TYPE_VARCHAR: return to.length == 0 || (from.length != 0 && from.length <= to.length);
    case TRIB_TYPE_CHAR: return from.length <= to.length;
    case TRIB_TYPE_DECIMAL: return from.scale == to.scale && from.precision <= to.precision;
    case TRIB_TYPE_TIME:
    case TRIB_TYPE_TIME_TZ:
    case TRIB_TYPE_TIMESTAMP:
    case TRIB_TYPE_TIMESTAMP_TZ: return from.precision <= to.precision;
    case TRIB_TYPE_ARRAY:
    case TRIB_TYPE_MAP:
    case TRIB_TYPE_ROW: return fields_renaming(from.fields, to.fields);
    default: return true;
    }
}

Kernel cast_kernel(Type from, Type to) {
    bool numeric = (type_is_numeric(from) || from.id == TRIB_TYPE_BOOLEAN) &&
                   (type_is_numeric(to) || to.id == TRIB_TYPE_BOOLEAN);
    if (!type_castable(from, to)) return NULL;
    if (from.id == TRIB_TYPE_JSON) return cast_from_json;
    if (to.id == TRIB_TYPE_JSON) return cast_to_json;
    if (type_is_nested(from)) return cast_nested;
    if (type_is_text(to)) return cast_to_text;
    if (to.id == TRIB_TYPE_VARBINARY || (to.id == TRIB_TYPE_UUID && !type_is_text(from))) {
        return cast_bytes;
    }
    if (type_is_text(from)) return cast_from_text;
    if (numeric) return cast_number_kernel(from, to);
    if (type_is_datetime(from) && type_is_datetime(to)) return cast_datetime_kernel(from, to);
    return NULL; /* the same interval: a renaming */
}

/* ---------------------------------------------------------------- nested values */

/* Converts one block of at most BATCH_ROWS positions, dense, into `out` (FLAT). */
static Status block_cast(KernelCall *outer, const Vector *in, uint32_t count, Type to, Vector *out,
                         uint8_t *errors) {
    uint16_t rows[BATCH_ROWS];
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        rows[n] = (uint16_t)i;
        n += !vector_is_null(in, i);
    }
    Vector flat;
    TRY(vector_flatten(outer->arena, in, NULL, count, count, &flat, outer->err));
    if (cast_is_renaming(in->type, to)) {
        *out = flat;
        return vector_retype(outer->arena, out, to, outer->err);
    }
    TRY(vector_new(outer->arena, to, count, out, outer->err));
    for (uint32_t i = 0, next = 0; i < count; i++) {
        bool valid = next < n && rows[next] == i;
        next += valid;
        if (valid) continue;
        TRY(vector_need_validity(outer->arena, out, outer->err));
        bitmap_unset(out->validity, i);
    }
    KernelCall call = {.nargs = 1,
                       .args = &flat,
                       .selection = rows,
                       .count = n,
                       .positions = count,
                       .result_type = to,
                       .result = out,
                       .errors = errors,
                       .arena = outer->arena,
                       .session = outer->session,
                       .err = outer->err};
    Kernel kernel = cast_kernel(in->type, to);
    return n == 0 || kernel == NULL ? TRIB_OK : kernel(&call);
}

/* Elements [offset, offset + length) of `in` converted and appended to `out` at out_at. The first
 * error goes to *error. */
static Status elements_cast(KernelCall *outer, const Vector *in, uint32_t offset, uint32_t length,
                            Vector *out, uint32_t out_at, uint8_t *error) {
    uint32_t positions[BATCH_ROWS];
    for (uint32_t done = 0; done < length;) {
        uint32_t n = length - done < BATCH_ROWS ? length - done : BATCH_ROWS;
        uint8_t errors[BATCH_ROWS];
        memset(errors, 0, n);
        for (uint32_t i = 0; i < n; i++) positions[i] = offset + done + i;
        Vector block, converted;
        TRY(vector_gather(outer->arena, in, positions, n, &block, outer->err));
        TRY(block_cast(outer, &block, n, out->type, &converted, errors));
        for (uint32_t i = 0; i < n && *error == 0; i++) *error = errors[i];
        if (*error != 0) return TRIB_OK;
        TRY(vector_append(outer->arena, out, out_at + done, &converted, NULL, n, outer->err));
        done += n;
    }
    return TRIB_OK;
}

/* Do keys [offset, offset + length) of a map differ, as conversion may make equal ones of them? */
static Status keys_differ(KernelCall *call, const Vector *keys, uint32_t offset, uint32_t length,
                          bool *out) {
    uint32_t capacity = 8, *positions, *slots;
    uint64_t *hashes;
    Vector own;
    while (capacity < 2 * (uint64_t)length) capacity *= 2;
    TRY_ALLOC(positions, ARENA_ARRAY(call->arena, uint32_t, length), call->err);
    TRY_ALLOC(hashes, ARENA_ARRAY(call->arena, uint64_t, length), call->err);
    TRY_ALLOC(slots, ARENA_ARRAY(call->arena, uint32_t, capacity), call->err);
    for (uint32_t i = 0; i < length; i++) positions[i] = offset + i;
    TRY(vector_gather(call->arena, keys, positions, length, &own, call->err));
    vector_hash(&own, NULL, length, false, hashes);
    *out = true;
    for (uint32_t i = 0; i < length; i++) {
        uint32_t slot = (uint32_t)(hashes[i] ^ hashes[i] >> 32) & (capacity - 1);
        for (; slots[slot] != 0; slot = (slot + 1) & (capacity - 1)) {
            if (vector_equal(&own, slots[slot] - 1, &own, i)) *out = false;
        }
        slots[slot] = i + 1;
    }
    return TRIB_OK;
}

static Status list_cast(KernelCall *call, const Vector *in, uint32_t position, uint32_t row) {
    ListEntry entry = ((const ListEntry *)in->data)[position];
    Vector *out = call->result;
    for (uint32_t c = 0; c < in->nchildren; c++) {
        TRY(elements_cast(call, &in->children[c], entry.offset, entry.length, &out->children[c],
                          out->entries, &call->errors[row]));
        if (call->errors[row] != 0) return TRIB_OK;
    }
    if (in->nchildren == 2 && !cast_is_renaming(in->children[0].type, out->children[0].type)) {
        bool differ;
        TRY(keys_differ(call, &out->children[0], out->entries, entry.length, &differ));
        if (!differ) call->errors[row] = KERNEL_ERROR(ERR_INVALID_CAST);
    }
    ((ListEntry *)out->data)[row] = (ListEntry){out->entries, entry.length};
    out->entries += entry.length;
    return TRIB_OK;
}

Status cast_nested(KernelCall *call) {
    const Vector *in = &call->args[0];
    KERNEL_ROWS(call, row, {
        uint32_t position = in->form == VECTOR_CONSTANT ? 0 : row;
        if (in->physical == PHYS_LIST) {
            TRY(list_cast(call, in, position, row));
            continue;
        }
        for (uint32_t c = 0; c < in->nchildren; c++) {
            TRY(elements_cast(call, &in->children[c], position, 1, &call->result->children[c], row,
                              &call->errors[row]));
        }
    });
    return TRIB_OK;
}
