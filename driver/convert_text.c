/*
 * convert_text.c - text and bytes into buffers of the application: as UTF-8, UTF-16, raw bytes or
 * hexadecimal, whole or in parts.
 *
 * Rules: character data is terminated whenever the buffer has room for a terminator; no character is
 * cut in half (in parts: the rest comes with the next part); the length is that of everything that
 * is still to come, terminator excluded.
 */
#include "driver/convert.h"
#include "driver/text.h"

ConvertCode deliver_char(Str value, void *out, SQLLEN capacity, SQLLEN *length, size_t *used) {
    *length = (SQLLEN)value.len;
    *used = 0;
    if (capacity <= 0) return CONVERT_CUT;
    size_t room = (size_t)capacity - 1;
    size_t n = value.len;
    if (n > room) {
        n = utf8_cut(value.data, value.len, room);
        /* a buffer smaller than one character must still make progress */
        if (n == 0 && room > 0) n = room;
    }
    if (n) memcpy(out, value.data, n);
    ((char *)out)[n] = 0;
    *used = n;
    return n < value.len ? CONVERT_CUT : CONVERT_OK;
}

ConvertCode deliver_wide(Str value, void *out, SQLLEN capacity, SQLLEN *length, size_t *used) {
    *length = (SQLLEN)utf16_length(value.data, value.len) * 2;
    *used = 0;
    size_t units = capacity > 0 ? (size_t)capacity / 2 : 0; /* odd lengths are rounded down */
    if (units == 0) return CONVERT_CUT;
    size_t n = utf16_put(value.data, value.len, out, units - 1, used);
    memset((char *)out + n * 2, 0, 2);
    return *used < value.len ? CONVERT_CUT : CONVERT_OK;
}

ConvertCode deliver_binary(Str value, void *out, SQLLEN capacity, SQLLEN *length, size_t *used) {
    *length = (SQLLEN)value.len;
    size_t n = capacity > 0 ? (size_t)capacity : 0;
    if (n > value.len) n = value.len;
    if (n) memcpy(out, value.data, n);
    *used = n;
    return n < value.len ? CONVERT_CUT : CONVERT_OK;
}

ConvertCode deliver_hex(Str value, bool wide, void *out, SQLLEN capacity, SQLLEN *length,
                        size_t *used) {
    static const char digits[] = "0123456789ABCDEF";
    size_t unit = wide ? 2 : 1;
    *length = (SQLLEN)(value.len * 2 * unit);
    *used = 0;
    size_t units = capacity > 0 ? (size_t)capacity / unit : 0;
    if (units == 0) return CONVERT_CUT;
    size_t n = (units - 1) / 2;
    if (n > value.len) n = value.len;
    char *to = out;
    for (size_t i = 0; i < n; i++) {
        uint8_t byte = (uint8_t)value.data[i];
        uint16_t pair[2] = {(uint16_t)digits[byte >> 4], (uint16_t)digits[byte & 15]};
        if (wide) {
            memcpy(to + i * 4, pair, 4);
        } else {
            to[i * 2] = (char)pair[0];
            to[i * 2 + 1] = (char)pair[1];
        }
    }
    memset(to + n * 2 * unit, 0, unit);
    *used = n;
    return n < value.len ? CONVERT_CUT : CONVERT_OK;
}

Delivery convert_delivery(uint8_t family, uint8_t cclass) {
    if (cclass == C_BINARY) return DELIVER_BINARY;
    if (family == FAMILY_BYTES) return cclass == C_WCHAR ? DELIVER_HEX_WIDE : DELIVER_HEX;
    return cclass == C_WCHAR ? DELIVER_WIDE : DELIVER_CHAR;
}

ConvertCode deliver(Delivery how, Str value, void *out, SQLLEN capacity, SQLLEN *length,
                    size_t *used) {
    switch (how) {
    case DELIVER_CHAR: return deliver_char(value, out, capacity, length, used);
    case DELIVER_WIDE: return deliver_wide(value, out, capacity, length, used);
    case DELIVER_BINARY: return deliver_binary(value, out, capacity, length, used);
    default: return deliver_hex(value, how == DELIVER_HEX_WIDE, out, capacity, length, used);
    }
}
