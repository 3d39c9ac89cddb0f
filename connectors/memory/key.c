/*
 * key.c - hash tables of unique keys, and what is equal in a key.
 *
 * Values are equal as SQL's `=` says: -0 and 0, all NaNs, char(n) with and without trailing blanks,
 * instants whatever their zone. What is hashed and compared is that canonical form.
 *
 * Threads and memory: key.h.
 */
#include "config.h"

#include <string.h>

#include <xxhash.h>

#include "connectors/memory/key.h"
#include "connectors/support/call.h"
#include "engine/base/calendar.h"
#include "engine/base/decimal.h"
#include "engine/base/number.h"
#include "engine/base/physical.h"

#define SLOT_USED   UINT64_MAX
#define FIRST_SLOTS 64
#define SHOWN_TEXT  40

bool key_type_allowed(TribType type) {
    return type.id != TRIB_TYPE_ARRAY && type.id != TRIB_TYPE_MAP && type.id != TRIB_TYPE_ROW;
}

void key_clear(MemKey *self) {
    host_free(self->host, self->slots);
    self->slots = NULL;
    self->nslots = self->used = 0;
}

/* ---------------------------------------------------------------- canonical values */

/* Up to 16 bytes as two numbers. */
typedef struct Canonical {
    uint64_t low, high;
} Canonical;

static Canonical canonical_double(double value) {
    Canonical out = {0, 0};
    if (value != value)
        out.low = UINT64_C(0x7ff8000000000000);
    else if (value != 0)
        memcpy(&out.low, &value, sizeof value);
    return out;
}

static Canonical canonical_wide(const Chunk *chunk, uint32_t row) {
    const char *at = (const char *)chunk_values(chunk) + (size_t)row * 16;
    Canonical out = {0, 0};
    if (chunk->type.id == TRIB_TYPE_TIME_TZ) {
        TimeTz value;
        memcpy(&value, at, sizeof value);
        out.low = (uint64_t)(value.ns - (int64_t)value.offset * 1000000000);
    } else if (chunk->type.id == TRIB_TYPE_TIMESTAMP_TZ) {
        ZonedInstant value;
        memcpy(&value, at, sizeof value);
        out = (Canonical){(uint64_t)value.us, (uint64_t)value.ns};
    } else if (chunk->type.id == TRIB_TYPE_TIMESTAMP) {
        Instant value;
        memcpy(&value, at, sizeof value);
        out = (Canonical){(uint64_t)value.us, (uint64_t)value.ns};
    } else {
        memcpy(&out, at, sizeof out);
    }
    return out;
}

/* The value of a column that is not text. */
static Canonical canonical(const Chunk *chunk, uint32_t row) {
    const void *values = chunk_values(chunk);
    if (chunk->layout == CHUNK_BITS) return (Canonical){bitmap_get(values, row), 0};
    if (chunk->type.id == TRIB_TYPE_REAL) return canonical_double(((const float *)values)[row]);
    if (chunk->type.id == TRIB_TYPE_DOUBLE) return canonical_double(((const double *)values)[row]);
    switch (chunk->width) {
    case 1: return (Canonical){((const uint8_t *)values)[row], 0};
    case 2: return (Canonical){((const uint16_t *)values)[row], 0};
    case 4: return (Canonical){((const uint32_t *)values)[row], 0};
    case 8: return (Canonical){((const uint64_t *)values)[row], 0};
    default: return canonical_wide(chunk, row);
    }
}

static Str canonical_text(const Chunk *chunk, uint32_t row) {
    uint32_t length;
    const char *text = chunk_text(chunk, row, &length);
    while (chunk->type.id == TRIB_TYPE_CHAR && length > 0 && text[length - 1] == ' ') length--;
    return (Str){text, length};
}

static bool is_null(const Chunk *chunk, uint32_t row) {
    const uint64_t *validity = chunk_validity(chunk);
    return validity && !bitmap_get(validity, row);
}

/* ---------------------------------------------------------------- hashes */

static inline uint64_t mix(uint64_t x) {
    x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
    x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 32;
}

static void hash_column(const Chunk *chunk, uint32_t from, uint32_t count, uint64_t *hashes,
                        bool *nulls) {
    const uint64_t *validity = chunk_validity(chunk);
    for (uint32_t i = 0; validity && i < count; i++) nulls[i] |= !bitmap_get(validity, from + i);
    if (chunk->layout == CHUNK_VIEW) {
        for (uint32_t i = 0; i < count; i++) {
            Str text = canonical_text(chunk, from + i);
            hashes[i] = mix(hashes[i] + XXH3_64bits(text.data, text.len));
        }
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        Canonical value = canonical(chunk, from + i);
        hashes[i] = mix(mix(hashes[i] + value.low) + value.high);
    }
}

void key_hash(const MemKey *self, const MemGroup *group, uint32_t from, uint32_t count,
              uint64_t *hashes, bool *nulls) {
    memset(nulls, 0, count * sizeof *nulls);
    for (uint32_t i = 0; i < count; i++) hashes[i] = UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t i = 0; i < self->ncolumns; i++)
        hash_column(group_chunk(group, self->columns[i]), from, count, hashes, nulls);
}

bool key_equal(const MemKey *self, const MemGroup *a, uint32_t row_a, const MemGroup *b,
               uint32_t row_b) {
    for (uint32_t i = 0; i < self->ncolumns; i++) {
        const Chunk *left = group_chunk(a, self->columns[i]);
        const Chunk *right = group_chunk(b, self->columns[i]);
        if (is_null(left, row_a) || is_null(right, row_b)) return false;
        if (left->layout == CHUNK_VIEW) {
            if (!str_equal(canonical_text(left, row_a), canonical_text(right, row_b))) return false;
            continue;
        }
        Canonical x = canonical(left, row_a), y = canonical(right, row_b);
        if (x.low != y.low || x.high != y.high) return false;
    }
    return true;
}

/* ---------------------------------------------------------------- slots */

static void slot_add(KeySlot *slots, uint64_t mask, KeySlot slot) {
    uint64_t at = slot.hash & mask;
    while (slots[at].id) at = (at + 1) & mask;
    slots[at] = slot;
}

/* Grows before two thirds are used. Slots that do not count any more are left behind. */
Status key_reserve(MemKey *self, uint64_t more, bool (*alive)(void *context, uint64_t id),
                   void *context, Error *err) {
    if (self->nslots && self->used + more <= self->nslots / 3 * 2) return TRIB_OK;
    uint64_t kept = 0;
    for (uint64_t i = 0; i < self->nslots; i++) {
        KeySlot *slot = &self->slots[i];
        if (slot->id == 0 || slot->id == SLOT_USED) continue;
        if (alive && !alive(context, slot->id))
            slot->id = SLOT_USED;
        else
            kept++;
    }
    uint64_t nslots = FIRST_SLOTS;
    while (kept + more > nslots / 2) nslots *= 2;
    KeySlot *slots = host_alloc(self->host, nslots * sizeof(KeySlot));
    if (!slots) return chunk_out_of_budget(err);
    memset(slots, 0, nslots * sizeof(KeySlot));
    for (uint64_t i = 0; i < self->nslots; i++) {
        KeySlot slot = self->slots[i];
        if (slot.id != 0 && slot.id != SLOT_USED) slot_add(slots, nslots - 1, slot);
    }
    host_free(self->host, self->slots);
    self->slots = slots;
    self->nslots = nslots;
    self->used = kept;
    return TRIB_OK;
}

void key_prefetch(const MemKey *self, uint64_t hash) {
    if (self->nslots) __builtin_prefetch(&self->slots[hash & (self->nslots - 1)], 1);
}

bool key_put(MemKey *self, uint64_t hash, uint64_t id, KeyJudge *judge, void *context) {
    KeySlot *free_slot = NULL;
    uint64_t at = hash & (self->nslots - 1);
    for (; self->slots[at].id; at = (at + 1) & (self->nslots - 1)) {
        KeySlot *slot = &self->slots[at];
        if (slot->id == SLOT_USED) {
            free_slot = free_slot ? free_slot : slot;
            continue;
        }
        if (slot->hash != hash) continue;
        KeyAnswer answer = judge(context, slot->id);
        if (answer == KEY_TAKEN) return false;
        if (answer == KEY_STALE && !free_slot) free_slot = slot;
    }
    if (!free_slot) {
        free_slot = &self->slots[at];
        self->used++;
    }
    *free_slot = (KeySlot){hash, id};
    return true;
}

void key_remove(MemKey *self, uint64_t hash, uint64_t id) {
    if (!self->nslots) return;
    uint64_t at = hash & (self->nslots - 1);
    for (; self->slots[at].id; at = (at + 1) & (self->nslots - 1)) {
        if (self->slots[at].id != id) continue;
        self->slots[at].id = SLOT_USED;
        return;
    }
}

void key_find(const MemKey *self, uint64_t hash, bool (*found)(void *context, uint64_t id),
              void *context) {
    if (!self->nslots) return;
    uint64_t at = hash & (self->nslots - 1);
    for (; self->slots[at].id; at = (at + 1) & (self->nslots - 1)) {
        if (self->slots[at].hash == hash && self->slots[at].id != SLOT_USED &&
            !found(context, self->slots[at].id))
            return;
    }
}

/* ---------------------------------------------------------------- messages */

static int64_t integer_at(const Chunk *chunk, uint32_t row) {
    const void *values = chunk_values(chunk);
    switch (chunk->width) {
    case 1: return ((const int8_t *)values)[row];
    case 2: return ((const int16_t *)values)[row];
    case 4: return ((const int32_t *)values)[row];
    default: return ((const int64_t *)values)[row];
    }
}

static void print_text(const Chunk *chunk, uint32_t row, Buf *out) {
    Str text = canonical_text(chunk, row);
    if (chunk->type.id == TRIB_TYPE_VARBINARY) {
        uint32_t shown = text.len < SHOWN_TEXT / 2 ? (uint32_t)text.len : SHOWN_TEXT / 2;
        buf_text(out, "X'");
        for (uint32_t i = 0; i < shown; i++) buf_printf(out, "%02x", (unsigned char)text.data[i]);
    } else {
        buf_char(out, '\'');
        buf_add(out, text.data, utf8_cut(text.data, text.len, SHOWN_TEXT));
        if (text.len > SHOWN_TEXT) buf_text(out, "...");
    }
    buf_char(out, '\'');
}

static void print_wide(const Chunk *chunk, uint32_t row, Buf *out) {
    char text[CALENDAR_TEXT_MAX + DECIMAL_TEXT_MAX];
    Canonical value = canonical_wide(chunk, row);
    Int128 number;
    switch (chunk->type.id) {
    case TRIB_TYPE_DECIMAL:
        memcpy(&number, (const char *)chunk_values(chunk) + (size_t)row * 16, sizeof number);
        buf_add(out, text, decimal_format(number, chunk->type.scale, text));
        break;
    case TRIB_TYPE_TIMESTAMP:
    case TRIB_TYPE_TIMESTAMP_TZ:
        buf_add(out, text,
                timestamp_format_iso((int64_t)value.low, (int32_t)value.high, chunk->type.precision,
                                     text));
        if (chunk->type.id == TRIB_TYPE_TIMESTAMP_TZ) buf_text(out, " UTC");
        break;
    case TRIB_TYPE_UUID:
        for (uint32_t i = 0; i < 16; i++) {
            const unsigned char *bytes = chunk_values(chunk);
            buf_printf(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
                       bytes[(size_t)row * 16 + i]);
        }
        break;
    default: buf_text(out, "..."); break;
    }
}

static void print_value(const Chunk *chunk, uint32_t row, Buf *out) {
    char text[CALENDAR_TEXT_MAX + DECIMAL_TEXT_MAX + NUMBER_TEXT_MAX];
    size_t length = 0;
    if (is_null(chunk, row)) {
        buf_text(out, "NULL");
        return;
    }
    if (chunk->layout == CHUNK_VIEW) {
        print_text(chunk, row, out);
        return;
    }
    if (chunk->width == 16) {
        print_wide(chunk, row, out);
        return;
    }
    switch (chunk->type.id) {
    case TRIB_TYPE_BOOLEAN: buf_text(out, canonical(chunk, row).low ? "true" : "false"); return;
    case TRIB_TYPE_REAL:
        length = float_format(((const float *)chunk_values(chunk))[row], text);
        break;
    case TRIB_TYPE_DOUBLE:
        length = double_format(((const double *)chunk_values(chunk))[row], text);
        break;
    case TRIB_TYPE_DATE: length = date_format_iso((int32_t)integer_at(chunk, row), text); break;
    case TRIB_TYPE_TIME:
        length = time_format_iso(integer_at(chunk, row), chunk->type.precision, text);
        break;
    case TRIB_TYPE_TIMESTAMP:
        length = timestamp_format_iso(integer_at(chunk, row), 0, chunk->type.precision, text);
        break;
    case TRIB_TYPE_DECIMAL:
        length = decimal_format(integer_at(chunk, row), chunk->type.scale, text);
        break;
    case TRIB_TYPE_INTERVAL_YM:
        length = interval_ym_format((int32_t)integer_at(chunk, row), text);
        break;
    case TRIB_TYPE_INTERVAL_DS: length = interval_ds_format(integer_at(chunk, row), text); break;
    default: length = int64_format(integer_at(chunk, row), text); break;
    }
    buf_add(out, text, length);
}

void key_print(const MemKey *self, const MemGroup *group, uint32_t row, Buf *out) {
    buf_char(out, '(');
    for (uint32_t i = 0; i < self->ncolumns; i++) {
        if (i) buf_text(out, ", ");
        print_value(group_chunk(group, self->columns[i]), row, out);
    }
    buf_char(out, ')');
}
