/*
 * json_item.c - a JSON document as a tree, and its canonical text.
 *
 * The tree is built from the streaming reader, which bounds the nesting at JSON_MAX_DEPTH; recursion follows it.
 * Everything lies in the caller's arena. One thread.
 */
#include "engine/functions/json_item.h"

#define ITEMS_FIRST  4
#define PLAIN_LOW    (-3) /* exponents of ten between which Java writes a double without one */
#define PLAIN_HIGH   7
#define EXPONENT_MAX 9 /* digits of an exponent that is computed with */

/* ---------------------------------------------------------------- reading */

typedef struct Growing {
    JsonItem *items;
    uint32_t count, capacity;
} Growing;

static Status growing_add(Growing *self, Arena *arena, const JsonItem *item, Error *err) {
    if (self->count == self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : ITEMS_FIRST;
        JsonItem *items;
        TRY_ALLOC(items,
                  arena_resize(arena, self->items, self->capacity * sizeof *items,
                               (size_t)capacity * sizeof *items),
                  err);
        self->items = items;
        self->capacity = capacity;
    }
    self->items[self->count++] = *item;
    return TRIB_OK;
}

static Status container_read(JsonReader *reader, JsonToken end, JsonItem *out, Error *err) {
    Growing growing = {0};
    for (;;) {
        JsonToken token;
        JsonItem item;
        Str key = {"", 0};
        TRY(json_next(reader, &token, err));
        if (token == end) break;
        if (token == JSON_KEY) {
            key = reader->text;
            TRY(json_next(reader, &token, err));
        }
        TRY(json_item_read(reader, token, &item, err));
        item.key = key;
        TRY(growing_add(&growing, reader->arena, &item, err));
    }
    out->items = growing.items;
    out->count = growing.count;
    return TRIB_OK;
}

Status json_item_read(JsonReader *reader, JsonToken token, JsonItem *out, Error *err) {
    *out = (JsonItem){.kind = JSON_ITEM_NULL};
    switch (token) {
    case JSON_TRUE:
    case JSON_FALSE:
        out->kind = JSON_ITEM_BOOLEAN;
        out->boolean = token == JSON_TRUE;
        return TRIB_OK;
    case JSON_NUMBER:
    case JSON_STRING:
        out->kind = token == JSON_NUMBER ? JSON_ITEM_NUMBER : JSON_ITEM_STRING;
        out->text = reader->text;
        return TRIB_OK;
    case JSON_ARRAY_BEGIN:
        out->kind = JSON_ITEM_ARRAY;
        return container_read(reader, JSON_ARRAY_END, out, err);
    case JSON_OBJECT_BEGIN:
        out->kind = JSON_ITEM_OBJECT;
        return container_read(reader, JSON_OBJECT_END, out, err);
    default: return TRIB_OK;
    }
}

Status json_item_parse(Arena *arena, Str text, JsonItem *out, Error *err) {
    JsonReader reader;
    JsonToken token;
    json_init(&reader, arena, text, false, JSON_MAX_DEPTH);
    TRY(json_next(&reader, &token, err));
    TRY(json_item_read(&reader, token, out, err));
    return json_next(&reader, &token, err); /* the end, or an error */
}

/* ---------------------------------------------------------------- keys */

/* The order of UTF-16 code units: what needs a surrogate pair comes before U+E000 to U+FFFF. */
static int key_compare(Str a, Str b) {
    size_t n = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < n; i++) {
        unsigned char x = (unsigned char)a.data[i], y = (unsigned char)b.data[i];
        if (x == y) continue;
        if (x >= 0xEE && y >= 0xEE && (x >= 0xF0) != (y >= 0xF0)) return x >= 0xF0 ? -1 : 1;
        return x < y ? -1 : 1;
    }
    return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}

/* Merge sort, stable, between two arrays. */
static JsonItem *members_sort(JsonItem *from, JsonItem *to, uint32_t count) {
    for (uint64_t width = 1; width < count; width *= 2) {
        for (uint64_t low = 0; low < count; low += 2 * width) {
            uint64_t middle = low + width < count ? low + width : count;
            uint64_t high = middle + width < count ? middle + width : count, a = low, b = middle;
            for (uint64_t i = low; i < high; i++) {
                bool left = a < middle && (b >= high || key_compare(from[a].key, from[b].key) <= 0);
                to[i] = left ? from[a++] : from[b++];
            }
        }
        JsonItem *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

Status json_item_sort(Arena *arena, JsonItem *item, Error *err) {
    for (uint32_t i = 0; i < item->count; i++) TRY(json_item_sort(arena, &item->items[i], err));
    if (item->kind != JSON_ITEM_OBJECT || item->count < 2) return TRIB_OK;
    bool sorted = true;
    for (uint32_t i = 1; i < item->count && sorted; i++)
        sorted = key_compare(item->items[i - 1].key, item->items[i].key) < 0;
    if (sorted) return TRIB_OK;
    JsonItem *scratch;
    TRY_ALLOC(scratch, ARENA_ARRAY(arena, JsonItem, item->count), err);
    item->items = members_sort(item->items, scratch, item->count);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < item->count; i++) {
        bool last = i + 1 == item->count || !str_equal(item->items[i].key, item->items[i + 1].key);
        if (last) item->items[kept++] = item->items[i];
    }
    item->count = kept;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- writing */

/* The digits of a number without leading and trailing zeros, and where its point stands. */
typedef struct Digits {
    Str whole, fraction; /* as written */
    bool negative;
    size_t first, last; /* of the digits that count, over both; last < first: zero */
    int64_t exponent;   /* of ten, of the first digit that counts */
} Digits;

static char digit_of(const Digits *d, size_t i) {
    return i < d->whole.len ? d->whole.data[i] : d->fraction.data[i - d->whole.len];
}

/* false: the exponent is beyond what is computed with. */
static bool digits_split(Str number, Digits *d) {
    size_t at = 0;
    int64_t exponent = 0;
    *d = (Digits){.negative = number.data[0] == '-'};
    at = d->negative;
    d->whole.data = number.data + at;
    while (at < number.len && number.data[at] >= '0' && number.data[at] <= '9') at++;
    d->whole.len = (size_t)(number.data + at - d->whole.data);
    d->fraction.data = "";
    if (at < number.len && number.data[at] == '.') {
        d->fraction.data = number.data + ++at;
        while (at < number.len && number.data[at] >= '0' && number.data[at] <= '9') at++;
        d->fraction.len = (size_t)(number.data + at - d->fraction.data);
    }
    if (at < number.len) {
        at++; /* e */
        bool negative = number.data[at] == '-';
        at += number.data[at] == '-' || number.data[at] == '+';
        if (number.len - at > EXPONENT_MAX) return false;
        for (; at < number.len; at++) exponent = exponent * 10 + (number.data[at] - '0');
        if (negative) exponent = -exponent;
    }
    size_t all = d->whole.len + d->fraction.len;
    while (d->first < all && digit_of(d, d->first) == '0') d->first++;
    d->last = all;
    while (d->last > d->first && digit_of(d, d->last - 1) == '0') d->last--;
    d->exponent = exponent + (int64_t)d->whole.len - 1 - (int64_t)d->first;
    return true;
}

static void digits_range(Buf *out, const Digits *d, size_t from, size_t to) {
    for (size_t i = from; i < to; i++) buf_char(out, digit_of(d, i));
}

static void zeros_write(Buf *out, int64_t count) {
    for (int64_t i = 0; i < count; i++) buf_char(out, '0');
}

/* Between 10^-3 and 10^7: digits, a point, at least one digit. */
static void digits_plain(Buf *out, const Digits *d) {
    size_t count = d->last - d->first;
    if (d->exponent < 0) {
        buf_text(out, "0.");
        zeros_write(out, -d->exponent - 1);
        digits_range(out, d, d->first, d->last);
        return;
    }
    size_t whole = (size_t)d->exponent + 1;
    digits_range(out, d, d->first, d->first + (whole < count ? whole : count));
    zeros_write(out, (int64_t)whole - (int64_t)count);
    buf_char(out, '.');
    if (count > whole) {
        digits_range(out, d, d->first + whole, d->last);
    } else {
        buf_char(out, '0');
    }
}

void json_number_write(Buf *out, Str number) {
    Digits d;
    bool integer = memchr(number.data, '.', number.len) == NULL &&
                   memchr(number.data, 'e', number.len) == NULL &&
                   memchr(number.data, 'E', number.len) == NULL;
    if (integer) {
        buf_str(out, str_equal(number, STR("-0")) ? STR("0") : number);
        return;
    }
    if (!digits_split(number, &d)) {
        buf_str(out, number);
        return;
    }
    if (d.negative) buf_char(out, '-');
    if (d.first >= d.last) {
        buf_text(out, "0.0");
    } else if (d.exponent >= PLAIN_LOW && d.exponent < PLAIN_HIGH) {
        digits_plain(out, &d);
    } else {
        digits_range(out, &d, d.first, d.first + 1);
        buf_char(out, '.');
        if (d.last - d.first == 1) buf_char(out, '0');
        digits_range(out, &d, d.first + 1, d.last);
        buf_printf(out, "E%lld", (long long)d.exponent);
    }
}

void json_item_write(Buf *out, const JsonItem *item) {
    switch (item->kind) {
    case JSON_ITEM_NULL: buf_text(out, "null"); return;
    case JSON_ITEM_BOOLEAN: buf_text(out, item->boolean ? "true" : "false"); return;
    case JSON_ITEM_NUMBER:
        if (item->boolean) { /* as it is */
            buf_str(out, item->text);
        } else {
            json_number_write(out, item->text);
        }
        return;
    case JSON_ITEM_STRING: json_quote(out, item->text); return;
    case JSON_ITEM_DATETIME: value_json(out, item->value); return;
    default: break;
    }
    bool object = item->kind == JSON_ITEM_OBJECT;
    buf_char(out, object ? '{' : '[');
    for (uint32_t i = 0; i < item->count && !out->failed; i++) {
        if (i > 0) buf_char(out, ',');
        if (object) {
            json_quote(out, item->items[i].key);
            buf_char(out, ':');
        }
        json_item_write(out, &item->items[i]);
    }
    buf_char(out, object ? '}' : ']');
}

Status json_canonical(Arena *arena, Str text, Buf *out, Error *err) {
    JsonItem item;
    Status status = json_item_parse(arena, text, &item, err);
    if (status == TRIB_OK) {
        TRY(json_item_sort(arena, &item, err));
        json_item_write(out, &item);
        return buf_status(out, err);
    }
    if (status == TRIB_MEMORY) return status;
    Error own = *err;
    return error_set(err, ERR_JSON_TEXT, "%s", own.message);
}
