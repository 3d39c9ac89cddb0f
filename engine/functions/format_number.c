/*
 * format_number.c - decimal digits of numbers. Doubles come in their shortest decimal text and are rounded from
 * there, as Java's Formatter does: 1.005 with two digits is 1.01.
 */
#include "engine/functions/format_number.h"

#include "engine/base/number.h"

Digits digits_of(Str text) {
    Digits d = {0};
    size_t at = 0;
    bool point = false;
    int32_t whole = 0;
    if (at < text.len && (text.data[at] == '-' || text.data[at] == '+'))
        d.negative = text.data[at++] == '-';
    for (; at < text.len; at++) {
        char c = text.data[at];
        if (c == '.') {
            point = true;
        } else if (c < '0' || c > '9') {
            break;
        } else {
            if (d.count < DIGITS_MAX) d.at[d.count++] = c;
            whole += !point;
        }
    }
    d.point = whole;
    if (at + 1 < text.len && (text.data[at] == 'E' || text.data[at] == 'e')) {
        int64_t exponent = 0;
        (void)int64_parse((Str){text.data + at + 1, text.len - at - 1}, &exponent);
        d.point += (int32_t)exponent;
    }
    int32_t zeros = 0;
    while (zeros < d.count && d.at[zeros] == '0') zeros++;
    memmove(d.at, d.at + zeros, (size_t)(d.count - zeros));
    d.count -= zeros;
    d.point -= zeros;
    while (d.count > 0 && d.at[d.count - 1] == '0') d.count--;
    if (d.count == 0) d.point = 0;
    return d;
}

void digits_round(Digits *self, int64_t keep) {
    if (keep >= self->count) return;
    bool up = keep >= 0 && self->at[keep] >= '5';
    self->count = keep > 0 ? (int32_t)keep : 0;
    if (!up) {
        if (self->count == 0) self->point = 0;
        return;
    }
    while (self->count > 0 && self->at[self->count - 1] == '9') self->count--;
    if (self->count > 0) {
        self->at[self->count - 1]++;
    } else {
        self->at[self->count++] = '1';
        self->point++;
    }
}

/* Digit i of the number, counted from its first one; beyond those there are zeros. */
static char digit(const Digits *self, int64_t i) {
    return i >= 0 && i < self->count ? self->at[i] : '0';
}

void digits_fixed(const Digits *self, int64_t fraction, bool group, Buf *out) {
    if (self->point <= 0) buf_char(out, '0');
    for (int32_t i = 0; i < self->point; i++) {
        buf_char(out, digit(self, i));
        if (group && i + 1 < self->point && (self->point - i - 1) % 3 == 0) buf_char(out, ',');
    }
    if (fraction > 0) buf_char(out, '.');
    int64_t i = 0;
    for (; i < fraction && self->point + i < self->count; i++)
        buf_char(out, digit(self, self->point + i));
    buf_fill(out, '0', (uint64_t)(fraction - i));
}

void digits_scientific(const Digits *self, int64_t fraction, bool upper, Buf *out) {
    int32_t exponent = self->count > 0 ? self->point - 1 : 0;
    buf_char(out, digit(self, 0));
    if (fraction > 0) buf_char(out, '.');
    int64_t i = 1;
    for (; i <= fraction && i < self->count; i++) buf_char(out, digit(self, i));
    if (i <= fraction) buf_fill(out, '0', (uint64_t)(fraction - i) + 1);
    buf_printf(out, "%c%c%02d", upper ? 'E' : 'e', exponent < 0 ? '-' : '+',
               exponent < 0 ? -exponent : exponent);
}
