/*
 * sample.c - infers columns from the first items of a scan.
 *
 * A scan hands items out in the order of the hash of their key, so that its first items are as good as any.
 * At most sample_items items and PAGES_MOST pages are read. Per attribute the types seen are merged:
 *   whole numbers within 64 bits -> bigint; other numbers -> decimal(38, s) with the largest scale seen;
 *   text -> varchar, B -> varbinary, BOOL -> boolean; maps, lists, sets, and mixes with them -> json;
 *   other mixes, and numbers that no decimal(38, s) holds -> varchar of every value's text.
 * Key attributes have one type by definition and are never NULL.
 */
#include <stdlib.h>

#include "connectors/dynamodb/catalog.h"
#include "engine/base/map.h"

enum { PAGES_MOST = 16, BODY_MOST = 1 << 20, NESTING_MOST = 256 };

typedef struct Seen {
    Str name;
    uint32_t types;       /* bit per AttrType */
    bool beyond_bigint;   /* a fraction, or more than 64 bits */
    int32_t whole, scale; /* most digits in front of and behind the point */
} Seen;

typedef struct Sample {
    TribCatalog *catalog;
    Arena *arena; /* of what lasts: names */
    Arena *page;  /* of one answer */
    Map seen;     /* name -> Seen */
    uint64_t items;
    Str last_key; /* raw JSON; empty: the scan has ended */
} Sample;

static Status seen_of(Sample *self, Str name, Seen **out, Error *err) {
    *out = map_get(&self->seen, name);
    if (*out) return TRIB_OK;
    char *copy;
    TRY_ALLOC(*out, ARENA_NEW(self->arena, Seen), err);
    TRY_ALLOC(copy, str_dup(self->arena, name), err);
    (*out)->name = (Str){copy, name.len};
    return map_put(&self->seen, (*out)->name, *out) ? TRIB_OK : error_out_of_memory(err);
}

static void seen_number(Seen *self, Str text) {
    Number number;
    __int128 whole;
    if (!number_parse(text, &number)) {
        self->whole = 1000;
        return;
    }
    int32_t scale = number.ndigits - number.exponent;
    if (scale > self->scale) self->scale = scale;
    if (number.exponent > self->whole) self->whole = number.exponent;
    bool fits = number_scaled(&number, 0, &whole) && whole <= INT64_MAX && whole >= INT64_MIN;
    self->beyond_bigint = self->beyond_bigint || !fits;
}

static Status sample_item(Sample *self, JsonReader *reader, Error *err) {
    JsonToken token;
    for (;;) {
        Seen *seen;
        AttrValue value;
        TRY(json_next(reader, &token, err));
        if (token == JSON_OBJECT_END) break;
        TRY(seen_of(self, reader->text, &seen, err));
        TRY(attribute_read(reader, &value, err));
        seen->types |= 1u << value.type;
        if (value.type == ATTR_N) seen_number(seen, value.text);
    }
    self->items++;
    return TRIB_OK;
}

static Status sample_items(Sample *self, JsonReader *reader, Error *err) {
    JsonToken token;
    TRY(json_next(reader, &token, err));
    if (token != JSON_ARRAY_BEGIN) return answer_broken(self->catalog, "Items is no list", err);
    for (;;) {
        TRY(json_next(reader, &token, err));
        if (token == JSON_ARRAY_END) return TRIB_OK;
        if (token != JSON_OBJECT_BEGIN)
            return answer_broken(self->catalog, "an item is no object", err);
        TRY(sample_item(self, reader, err));
    }
}

static Status sample_answer(Sample *self, Str answer, Error *err) {
    JsonReader reader;
    JsonToken token;
    bool items = false;
    json_init(&reader, self->page, answer, false, NESTING_MOST);
    self->last_key = (Str){"", 0};
    TRY(json_next(&reader, &token, err));
    if (token != JSON_OBJECT_BEGIN) return answer_broken(self->catalog, "it is no object", err);
    for (;;) {
        Str raw;
        TRY(json_next(&reader, &token, err));
        if (token == JSON_OBJECT_END) break;
        if (str_equal(reader.text, STR("Items"))) {
            items = true;
            TRY(sample_items(self, &reader, err));
            continue;
        }
        bool last = str_equal(reader.text, STR("LastEvaluatedKey"));
        TRY(json_next(&reader, &token, err));
        TRY(json_skip(&reader, token, &raw, err));
        if (last) self->last_key = raw;
    }
    return items ? TRIB_OK : answer_broken(self->catalog, "it holds no Items", err);
}

static Status sample_pages(Sample *self, TribCall *call, Str table, Error *err) {
    uint32_t wanted = self->catalog->sample_items;
    for (int page = 0; page < PAGES_MOST && self->items < wanted; page++) {
        Buf body;
        Str answer, previous = self->last_key;
        buf_init(&body, self->arena, BODY_MOST);
        buf_text(&body, "{\"TableName\":");
        json_quote(&body, table);
        buf_printf(&body, ",\"Limit\":%llu", (unsigned long long)(wanted - self->items));
        if (previous.len) {
            buf_text(&body, ",\"ExclusiveStartKey\":");
            buf_str(&body, previous);
        }
        buf_char(&body, '}');
        TRY(buf_status(&body, err));
        arena_reset(self->page); /* the body has its copy of the last key */
        TRY(request_run(self->catalog, call, OP_SCAN, buf_view(&body), self->page, &answer, err));
        if (sample_answer(self, answer, err) != TRIB_OK) return answer_fault(self->catalog, err);
        if (self->last_key.len == 0) break;
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- columns */

static bool only(const Seen *seen, uint32_t types) {
    return seen->types && (seen->types & ~(types | 1u << ATTR_NULL)) == 0 && (seen->types & types);
}

static void number_column(const Seen *seen, ColumnInfo *out) {
    int32_t scale = seen->scale > 0 ? seen->scale : 0;
    out->read = READ_NUMBER;
    if (!seen->beyond_bigint) {
        out->type = (TribType){.id = TRIB_TYPE_BIGINT};
    } else if (seen->whole + scale <= 38) {
        out->type = (TribType){.id = TRIB_TYPE_DECIMAL, .precision = 38, .scale = (int8_t)scale};
    } else {
        out->read = READ_ANY;
        out->type = (TribType){.id = TRIB_TYPE_VARCHAR};
    }
}

static void column_of(const TribCatalog *catalog, const Seen *seen, ColumnInfo *out) {
    bool as_text = catalog->on_mismatch == ON_MISMATCH_VARCHAR;
    out->name = seen->name;
    out->mismatch = catalog->on_mismatch == ON_MISMATCH_ERROR ? MISMATCH_ERROR : MISMATCH_NULL;
    uint32_t scalars = 1u << ATTR_S | 1u << ATTR_N | 1u << ATTR_B | 1u << ATTR_BOOL;
    if (only(seen, 1u << ATTR_N)) {
        number_column(seen, out);
    } else if (only(seen, 1u << ATTR_B)) {
        *out = (ColumnInfo){out->name, {.id = TRIB_TYPE_VARBINARY}, READ_BINARY, out->mismatch};
    } else if (only(seen, 1u << ATTR_BOOL)) {
        *out = (ColumnInfo){out->name, {.id = TRIB_TYPE_BOOLEAN}, READ_BOOL, out->mismatch};
    } else if (only(seen, 1u << ATTR_S) && !as_text) {
        *out = (ColumnInfo){out->name, {.id = TRIB_TYPE_VARCHAR}, READ_TEXT, out->mismatch};
    } else if (only(seen, scalars) || seen->types == 1u << ATTR_NULL) {
        *out = (ColumnInfo){out->name, {.id = TRIB_TYPE_VARCHAR}, READ_ANY, out->mismatch};
    } else {
        *out = (ColumnInfo){out->name, {.id = TRIB_TYPE_JSON}, READ_DOCUMENT, out->mismatch};
    }
}

/* Key attributes have the type of their definition, whatever the sample says. */
static void key_column(const KeyPart *part, const Seen *seen, ColumnInfo *out) {
    out->name = part->name;
    out->mismatch = MISMATCH_ERROR;
    out->type = (TribType){.id = part->type == ATTR_B ? TRIB_TYPE_VARBINARY : TRIB_TYPE_VARCHAR};
    out->read = part->type == ATTR_B ? READ_BINARY : READ_TEXT;
    if (part->type != ATTR_N) return;
    Seen none = {.name = part->name, .types = 1u << ATTR_N};
    number_column(seen ? seen : &none, out);
    /* Later keys may be wider than those sampled: then an error is better than a NULL key. */
}

static int name_order(const void *a, const void *b) {
    return str_compare(((const ColumnInfo *)a)->name, ((const ColumnInfo *)b)->name);
}

static Status sample_result(const Sample *self, const TableFacts *facts, ColumnInfo **out,
                            uint32_t *count, Error *err) {
    const AccessPath *table = &facts->paths[0];
    uint32_t n = 0;
    ColumnInfo *columns;
    TRY_ALLOC(columns, ARENA_ARRAY(self->arena, ColumnInfo, self->seen.count + 2), err);
    key_column(&table->hash, map_get(&self->seen, table->hash.name), &columns[n++]);
    if (table->range.name.len)
        key_column(&table->range, map_get(&self->seen, table->range.name), &columns[n++]);
    uint32_t keys = n;
    for (uint32_t i = 0; i < self->seen.count; i++) {
        const Seen *seen = self->seen.entries[i].value;
        if (str_equal(seen->name, table->hash.name) || str_equal(seen->name, table->range.name))
            continue;
        column_of(self->catalog, seen, &columns[n++]);
    }
    qsort(columns + keys, n - keys, sizeof *columns, name_order);
    *out = columns;
    *count = n;
    return TRIB_OK;
}

Status sample_columns(TribCatalog *self, TribCall *call, Str table, const TableFacts *facts,
                      Arena *arena, ColumnInfo **out, uint32_t *count, uint64_t *seen, Error *err) {
    Sample sample = {.catalog = self, .arena = arena, .last_key = {"", 0}};
    TRY_ALLOC(sample.page, arena_new(arena), err);
    map_init(&sample.seen, arena, false);
    TRY(sample_pages(&sample, call, table, err));
    *seen = sample.items;
    return sample_result(&sample, facts, out, count, err);
}
