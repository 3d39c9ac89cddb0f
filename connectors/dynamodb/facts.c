/*
 * facts.c - what plans know of a table: its key, its indexes and their projections, its size.
 *
 * They come from DescribeTable and are kept as JSON in the table's `facts`, which the engine caches with
 * the description and hands back with each offer, so that planning needs no request:
 *   {"items":6,"bytes":612,"sampled":true,"paths":[{"hash":["S","order_id"]},
 *    {"index":"by_status","hash":["S","status"],"range":["N","at"],"global":true,"include":["x"]}]}
 */
#include "connectors/dynamodb/catalog.h"
#include "engine/base/number.h"

enum { FACTS_MOST = 4 << 20 };

static Status facts_broken(Error *err) {
    return error_set(err, ERR_SOURCE, "DynamoDB's description of a table is broken");
}

/* ---------------------------------------------------------------- from DescribeTable */

static Str text_of(const JsonValue *object, const char *name) {
    const JsonValue *member = object ? json_member(object, str_from(name)) : NULL;
    bool scalar = member && (member->kind == JSON_STRING || member->kind == JSON_NUMBER);
    return scalar ? member->text : (Str){"", 0};
}

static const JsonValue *list_of(const JsonValue *object, const char *name) {
    const JsonValue *member = object ? json_member(object, str_from(name)) : NULL;
    return member && member->kind == JSON_ARRAY_BEGIN ? member->first : NULL;
}

static int64_t number_of(const JsonValue *object, const char *name) {
    int64_t number;
    return int64_parse(text_of(object, name), &number) == NUMBER_OK && number > 0 ? number : 0;
}

static AttrType defined_type(const JsonValue *table, Str attribute) {
    for (const JsonValue *d = list_of(table, "AttributeDefinitions"); d; d = d->next) {
        if (str_equal(text_of(d, "AttributeName"), attribute))
            return attr_type_parse(text_of(d, "AttributeType"));
    }
    return ATTR_NONE;
}

static Status path_keys(const JsonValue *table, const JsonValue *path, AccessPath *out,
                        Error *err) {
    for (const JsonValue *k = list_of(path, "KeySchema"); k; k = k->next) {
        Str name = text_of(k, "AttributeName");
        KeyPart part = {name, defined_type(table, name)};
        if (str_equal(text_of(k, "KeyType"), STR("HASH")))
            out->hash = part;
        else
            out->range = part;
    }
    bool good = out->hash.name.len && out->hash.type != ATTR_NONE &&
                (out->range.name.len == 0 || out->range.type != ATTR_NONE);
    return good ? TRIB_OK : facts_broken(err);
}

static Status path_projection(Arena *arena, const JsonValue *index, AccessPath *out, Error *err) {
    const JsonValue *projection = json_member(index, STR("Projection"));
    Str type = text_of(projection, "ProjectionType");
    uint32_t count = 0;
    out->all = str_equal(type, STR("ALL"));
    for (const JsonValue *a = list_of(projection, "NonKeyAttributes"); a; a = a->next) count++;
    TRY_ALLOC(out->included, ARENA_ARRAY(arena, Str, count), err);
    for (const JsonValue *a = list_of(projection, "NonKeyAttributes"); a; a = a->next)
        out->included[out->nincluded++] = a->text;
    return TRIB_OK;
}

static uint32_t list_length(const JsonValue *first) {
    uint32_t count = 0;
    for (; first; first = first->next) count++;
    return count;
}

static Status add_indexes(Arena *arena, const JsonValue *table, const char *name, bool global,
                          TableFacts *out, Error *err) {
    for (const JsonValue *i = list_of(table, name); i; i = i->next) {
        Str status = text_of(i, "IndexStatus");
        const JsonValue *backfilling = json_member(i, STR("Backfilling"));
        if (status.len && !str_equal(status, STR("ACTIVE"))) continue;
        if (backfilling && backfilling->kind == JSON_TRUE) continue; /* it lacks items */
        AccessPath *path = &out->paths[out->npaths];
        path->index = text_of(i, "IndexName");
        path->global = global;
        TRY(path_keys(table, i, path, err));
        TRY(path_projection(arena, i, path, err));
        out->npaths++;
    }
    return TRIB_OK;
}

Status facts_from_answer(Arena *arena, const JsonValue *answer, TableFacts *out, Error *err) {
    const JsonValue *table =
        answer->kind == JSON_OBJECT_BEGIN ? json_member(answer, STR("Table")) : NULL;
    memset(out, 0, sizeof *out);
    if (!table || table->kind != JSON_OBJECT_BEGIN) return facts_broken(err);
    uint32_t room = 1 + list_length(list_of(table, "GlobalSecondaryIndexes")) +
                    list_length(list_of(table, "LocalSecondaryIndexes"));
    TRY_ALLOC(out->paths, ARENA_ARRAY(arena, AccessPath, room), err);
    out->items = number_of(table, "ItemCount");
    out->bytes = number_of(table, "TableSizeBytes");
    out->npaths = 1;
    out->paths[0].all = true;
    TRY(path_keys(table, table, &out->paths[0], err));
    TRY(add_indexes(arena, table, "LocalSecondaryIndexes", false, out, err));
    return add_indexes(arena, table, "GlobalSecondaryIndexes", true, out, err);
}

/* ---------------------------------------------------------------- as text */

static void part_format(Buf *out, const char *name, const KeyPart *part) {
    if (part->name.len == 0) return;
    buf_printf(out, "\"%s\":[\"%s\",", name, attr_type_name(part->type));
    json_quote(out, part->name);
    buf_text(out, "],");
}

static void path_format(Buf *out, const AccessPath *path) {
    buf_char(out, '{');
    part_format(out, "hash", &path->hash);
    part_format(out, "range", &path->range);
    if (path->global) buf_text(out, "\"global\":true,");
    if (!path->all) {
        buf_text(out, "\"include\":[");
        for (uint32_t i = 0; i < path->nincluded; i++) {
            if (i) buf_char(out, ',');
            json_quote(out, path->included[i]);
        }
        buf_text(out, "],");
    }
    buf_text(out, "\"index\":");
    json_quote(out, path->index);
    buf_char(out, '}');
}

char *facts_format(Arena *arena, const TableFacts *facts) {
    Buf out;
    buf_init(&out, arena, FACTS_MOST);
    buf_printf(&out, "{\"items\":%lld,\"bytes\":%lld,\"sampled\":%s,\"paths\":[",
               (long long)facts->items, (long long)facts->bytes, facts->sampled ? "true" : "false");
    for (uint32_t i = 0; i < facts->npaths; i++) {
        if (i) buf_char(&out, ',');
        path_format(&out, &facts->paths[i]);
    }
    buf_text(&out, "]}");
    return out.failed ? NULL : out.data;
}

static KeyPart part_parse(const JsonValue *path, const char *name) {
    const JsonValue *type = list_of(path, name);
    if (!type || !type->next) return (KeyPart){{"", 0}, ATTR_NONE};
    return (KeyPart){type->next->text, attr_type_parse(type->text)};
}

Status facts_parse(Arena *arena, const char *text, TableFacts *out, Error *err) {
    JsonValue *object;
    Error ignored;
    memset(out, 0, sizeof *out);
    if (!text || json_parse(arena, str_from(text), false, &object, &ignored) != TRIB_OK ||
        object->kind != JSON_OBJECT_BEGIN)
        return facts_broken(err);
    const JsonValue *paths = list_of(object, "paths"),
                    *sampled = json_member(object, STR("sampled"));
    TRY_ALLOC(out->paths, ARENA_ARRAY(arena, AccessPath, list_length(paths)), err);
    out->items = number_of(object, "items");
    out->bytes = number_of(object, "bytes");
    out->sampled = sampled && sampled->kind == JSON_TRUE;
    for (; paths; paths = paths->next) {
        AccessPath *path = &out->paths[out->npaths++];
        const JsonValue *included = json_member(paths, STR("include"));
        *path = (AccessPath){.index = text_of(paths, "index"),
                             .hash = part_parse(paths, "hash"),
                             .range = part_parse(paths, "range"),
                             .global = json_member(paths, STR("global")) != NULL,
                             .all = included == NULL};
        TRY_ALLOC(path->included, ARENA_ARRAY(arena, Str, list_length(list_of(paths, "include"))),
                  err);
        for (const JsonValue *a = list_of(paths, "include"); a; a = a->next)
            path->included[path->nincluded++] = a->text;
        if (path->hash.name.len == 0 || path->hash.type == ATTR_NONE) return facts_broken(err);
    }
    return out->npaths ? TRIB_OK : facts_broken(err);
}

/* ---------------------------------------------------------------- columns */

static const struct {
    const char *text;
    ReadAs read;
    Mismatch mismatch;
} notes[] = {
    {"S null", READ_TEXT, MISMATCH_NULL},        {"S error", READ_TEXT, MISMATCH_ERROR},
    {"N null", READ_NUMBER, MISMATCH_NULL},      {"N error", READ_NUMBER, MISMATCH_ERROR},
    {"B null", READ_BINARY, MISMATCH_NULL},      {"B error", READ_BINARY, MISMATCH_ERROR},
    {"BOOL null", READ_BOOL, MISMATCH_NULL},     {"BOOL error", READ_BOOL, MISMATCH_ERROR},
    {"JSON null", READ_DOCUMENT, MISMATCH_NULL}, {"JSON error", READ_DOCUMENT, MISMATCH_ERROR},
    {"any null", READ_ANY, MISMATCH_NULL},       {"any error", READ_ANY, MISMATCH_ERROR},
};

const char *column_facts(const ColumnInfo *column) {
    for (size_t i = 0; i < COUNT_OF(notes); i++) {
        if (notes[i].read == column->read && notes[i].mismatch == column->mismatch)
            return notes[i].text;
    }
    return NULL;
}

bool column_facts_parse(const char *text, ColumnInfo *out) {
    for (size_t i = 0; text && i < COUNT_OF(notes); i++) {
        if (strcmp(notes[i].text, text) != 0) continue;
        out->read = notes[i].read;
        out->mismatch = notes[i].mismatch;
        return true;
    }
    return false;
}
