/*
 * facts.c - what looking at a table's files found out, as text.
 *
 * The engine caches facts with the description and hands them back when a query is planned, which does
 * no I/O. The table's are a JSON object; a column's are one letter, an ordinal or -, a colon and the
 * column's name in the file.
 */
#include "connectors/lake/lake.h"
#include "engine/base/json.h"
#include "engine/base/number.h"

enum { FACTS_MAX = 16 * 1024 * 1024 };

static void member(Buf *out, const char *name, Str text) {
    buf_printf(out, ",\"%s\":", name);
    json_quote(out, text);
}

char *facts_write(Arena *arena, const TableDef *def, const Shape *shape, uint32_t npartitions,
                  const char *const *partitions) {
    Buf out;
    buf_init(&out, arena, FACTS_MAX);
    buf_printf(&out, "{\"fields\":%u,\"header\":%d", shape->fields, (int)shape->header);
    member(&out, "path", str_from(def->path));
    member(&out, "format", str_from(format_of(shape->format)->name));
    member(&out, "delimiter", (Str){&shape->dialect.delimiter, 1});
    buf_text(&out, ",\"partitions\":[");
    for (uint32_t i = 0; i < npartitions; i++) {
        if (i) buf_char(&out, ',');
        json_quote(&out, str_from(partitions[i]));
    }
    buf_text(&out, "]}");
    return out.failed ? NULL : out.data;
}

static Status facts_fault(const TribTable *table, Error *err) {
    return error_set(err, ERR_GENERAL, "the cached description of \"%s\" is not to be understood",
                     table->name);
}

static bool shape_read(const JsonValue *root, Shape *shape) {
    const JsonValue *fields = json_member(root, STR("fields"));
    const JsonValue *header = json_member(root, STR("header"));
    const JsonValue *format = json_member(root, STR("format"));
    const JsonValue *delimiter = json_member(root, STR("delimiter"));
    int64_t count, kind;
    if (!fields || !header || !format || !delimiter || delimiter->text.len != 1) return false;
    if (int64_parse(fields->text, &count) != NUMBER_OK || count < 0 || count > UINT32_MAX ||
        int64_parse(header->text, &kind) != NUMBER_OK || kind < 0 || kind > HEADER_NO)
        return false;
    shape->fields = (uint32_t)count;
    shape->header = (Header)kind;
    shape->dialect.delimiter = delimiter->text.data[0];
    shape->delimiter_known = true;
    shape->format = FORMAT_AUTO;
    static const FormatKind kinds[] = {FORMAT_CSV, FORMAT_JSON};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (str_equal(format->text, str_from(format_of(kinds[i])->name))) shape->format = kinds[i];
    }
    return shape->format != FORMAT_AUTO;
}

Status facts_read(TribCatalog *catalog, Arena *arena, const TribTable *table, const TableDef **def,
                  Shape *shape, uint32_t *npartitions, const char ***partitions, Error *err) {
    JsonValue *root;
    if (!table->facts) return facts_fault(table, err);
    TRY(json_parse(arena, str_from(table->facts), false, &root, err));
    const JsonValue *path = json_member(root, STR("path"));
    const JsonValue *list = json_member(root, STR("partitions"));
    if (!path || !list) return facts_fault(table, err);
    TRY(table_again(catalog, arena, table->name, path->text, def, err));
    *shape = (*def)->shape;
    if (!shape_read(root, shape)) return facts_fault(table, err);
    *npartitions = 0;
    for (const JsonValue *m = list->first; m; m = m->next) (*npartitions)++;
    TRY_ALLOC(*partitions, ARENA_ARRAY(arena, const char *, *npartitions), err);
    uint32_t at = 0;
    for (const JsonValue *m = list->first; m; m = m->next)
        TRY_ALLOC((*partitions)[at++], str_dup(arena, m->text), err);
    return TRIB_OK;
}

static const char kinds[] = "dpfs"; /* by ColumnKind */

char *column_facts(Arena *arena, ColumnKind kind, int64_t position, const char *name) {
    if (position < 0) return arena_printf(arena, "%c-:%s", kinds[kind], name);
    return arena_printf(arena, "%c%lld:%s", kinds[kind], (long long)position, name);
}

Status column_facts_read(const TribColumn *column, ColumnKind *kind, int64_t *position,
                         const char **name, Error *err) {
    const char *facts = column->facts ? column->facts : "";
    const char *letter = facts[0] ? strchr(kinds, facts[0]) : NULL;
    const char *colon = strchr(facts, ':');
    *position = -1;
    if (!letter || !colon ||
        (facts[1] != '-' &&
         int64_parse((Str){facts + 1, (size_t)(colon - facts - 1)}, position) != NUMBER_OK))
        return error_set(err, ERR_GENERAL,
                         "the cached description of column \"%s\" is not to be understood",
                         column->name);
    *kind = (ColumnKind)(letter - kinds);
    *name = colon + 1;
    return TRIB_OK;
}
