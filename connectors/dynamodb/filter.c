/*
 * filter.c - builds, writes and evaluates filters.
 *
 * The rules (docs/pushdown.md has them for all sources):
 *   - A comparison is typed: {"S":"6"} is not {"N":"6"}, and values of other types never match. That is
 *     what the engine sees too, since wrong-typed values read as NULL (or are an error). <> and NOT IN are
 *     true for other types and absent attributes in DynamoDB, so they are guarded by attribute_type.
 *   - Columns that read every value as text or JSON, doubles and timestamps have no comparisons.
 *   - Strict columns (column_is_strict) are `loose`; IS NULL on them cannot be sent.
 *   - BETWEEN with its bounds in the wrong order is an error there, and never true: FILTER_NEVER.
 * Recursion follows the offer's expression, bounded by DEPTH_MOST.
 */
#include "connectors/dynamodb/filter.h"

#include <stdlib.h>

#include "engine/base/calendar.h"
#include "engine/base/decimal.h"
#include "engine/base/number.h"

enum { DEPTH_MOST = 100, IN_LIST_MOST = 100, CONSTANT_MOST = 256 * 1024 };

/* ---------------------------------------------------------------- constants */

static bool number_text(Arena *arena, Str text, FilterValue *out) {
    char *copy = str_dup(arena, text);
    *out = (FilterValue){.type = ATTR_N, .text = {copy, text.len}};
    return copy && number_parse(text, &out->number);
}

static bool decimal_value(Arena *arena, const TribValue *value, FilterValue *out) {
    char text[DECIMAL_TEXT_MAX];
    __int128 unscaled = value->type.precision > 18 ? value->as.wide : value->as.integer;
    size_t length = decimal_format(unscaled, value->type.scale, text);
    return number_text(arena, (Str){text, length}, out);
}

static bool integer_value(Arena *arena, const TribValue *value, FilterValue *out) {
    char text[NUMBER_TEXT_MAX];
    size_t length = int64_format(value->as.integer, text);
    return number_text(arena, (Str){text, length}, out);
}

static bool bytes_value(Arena *arena, AttrType type, Str bytes, FilterValue *out) {
    if (bytes.len > CONSTANT_MOST) return false;
    char *copy = str_dup(arena, bytes);
    *out = (FilterValue){.type = type, .text = {copy, bytes.len}};
    return copy != NULL;
}

static bool date_value(Arena *arena, const TribValue *value, FilterValue *out) {
    char text[CALENDAR_TEXT_MAX];
    CivilDate date = date_to_civil((int32_t)value->as.integer);
    if (date.year < 0 || date.year > 9999) return false; /* not of the form that sorts as text */
    return bytes_value(arena, ATTR_S,
                       (Str){text, date_format_iso((int32_t)value->as.integer, text)}, out);
}

bool filter_value(Arena *arena, const ColumnInfo *column, const TribValue *value,
                  FilterValue *out) {
    Str text = {value->as.text.data, value->as.text.length};
    if (value->is_null) return false;
    AttrType wanted = column_attr(column);
    switch (value->type.id) {
    case TRIB_TYPE_TINYINT:
    case TRIB_TYPE_SMALLINT:
    case TRIB_TYPE_INTEGER:
    case TRIB_TYPE_BIGINT: return wanted == ATTR_N && integer_value(arena, value, out);
    case TRIB_TYPE_DECIMAL: return wanted == ATTR_N && decimal_value(arena, value, out);
    case TRIB_TYPE_VARCHAR:
        return wanted == ATTR_S && column->type.id == TRIB_TYPE_VARCHAR &&
               bytes_value(arena, ATTR_S, text, out);
    case TRIB_TYPE_DATE:
        return wanted == ATTR_S && column->type.id == TRIB_TYPE_DATE &&
               date_value(arena, value, out);
    case TRIB_TYPE_VARBINARY: return wanted == ATTR_B && bytes_value(arena, ATTR_B, text, out);
    case TRIB_TYPE_BOOLEAN:
        *out = (FilterValue){.type = ATTR_BOOL,
                             .text = value->as.integer ? STR("true") : STR("false")};
        return wanted == ATTR_BOOL;
    default: return false;
    }
}

int filter_value_compare(const FilterValue *a, const FilterValue *b) {
    if (a->type == ATTR_N) return number_compare(&a->number, &b->number);
    return str_compare(a->text, b->text);
}

static int value_order(const void *a, const void *b) {
    return filter_value_compare(a, b);
}

uint32_t filter_values_distinct(FilterValue *values, uint32_t count) {
    uint32_t kept = 0;
    qsort(values, count, sizeof *values, value_order);
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 || filter_value_compare(&values[kept - 1], &values[i]) != 0)
            values[kept++] = values[i];
    }
    return kept;
}

void filter_value_json(Buf *out, const FilterValue *value) {
    buf_printf(out, "{\"%s\":", attr_type_name(value->type));
    if (value->type == ATTR_BOOL) {
        buf_str(out, value->text);
    } else if (value->type == ATTR_B) {
        buf_char(out, '"');
        base64_encode(out, value->text);
        buf_char(out, '"');
    } else {
        json_quote(out, value->text);
    }
    buf_char(out, '}');
}

/* ---------------------------------------------------------------- building */

typedef struct Build {
    const FilterScope *scope;
    const char *reason;
    bool exhausted;
    uint32_t depth;
} Build;

static Filter *refuse(Build *self, const char *reason) {
    self->reason = reason;
    return NULL;
}

static Filter *filter_new(Build *self, FilterKind kind, uint32_t nvalues, uint32_t nchildren) {
    Arena *arena = self->scope->arena;
    Filter *filter = ARENA_NEW(arena, Filter);
    if (filter) {
        filter->kind = kind;
        filter->values = nvalues ? ARENA_ARRAY(arena, FilterValue, nvalues) : NULL;
        filter->children = nchildren ? ARENA_ARRAY(arena, Filter *, nchildren) : NULL;
    }
    if (!filter || (nvalues && !filter->values) || (nchildren && !filter->children)) {
        self->exhausted = true;
        return NULL;
    }
    return filter;
}

static const TribNode *child(const Build *self, const TribNode *node, uint32_t i) {
    return &self->scope->offer->nodes[node->first + i];
}

static const TribValue *literal(const Build *self, const TribNode *node) {
    return node->kind == TRIB_NODE_LITERAL ? &self->scope->offer->values[node->ref] : NULL;
}

static bool type_is_exact_number(TribType type) {
    return (type.id >= TRIB_TYPE_TINYINT && type.id <= TRIB_TYPE_BIGINT) ||
           type.id == TRIB_TYPE_DECIMAL;
}

/* Casts that keep every value: among exact numbers without loss of scale, and to longer varchar. */
static bool cast_keeps(const TribNode *cast, const TribNode *inner) {
    if (cast->op != TRIB_FN_cast || cast->may_raise) return false;
    if (type_is_exact_number(cast->type) && type_is_exact_number(inner->type)) {
        int from = inner->type.id == TRIB_TYPE_DECIMAL ? inner->type.scale : 0;
        int to = cast->type.id == TRIB_TYPE_DECIMAL ? cast->type.scale : 0;
        return to >= from;
    }
    return cast->type.id == TRIB_TYPE_VARCHAR && inner->type.id == TRIB_TYPE_VARCHAR &&
           (cast->type.length == 0 ||
            (inner->type.length != 0 && cast->type.length >= inner->type.length));
}

/* The column that a node is, through casts that keep its values; UINT32_MAX. */
static uint32_t column_of(const Build *self, const TribNode *node) {
    while (node->kind == TRIB_NODE_CALL && node->count == 1 &&
           cast_keeps(node, child(self, node, 0)))
        node = child(self, node, 0);
    if (node->kind != TRIB_NODE_COLUMN || node->ref >= self->scope->ncolumns) return UINT32_MAX;
    return node->ref;
}

/* Why a column has no comparisons; NULL: it has. */
static const char *incomparable(const ColumnInfo *column) {
    if (column->read == READ_DOCUMENT) return "documents are compared here";
    if (column->read == READ_ANY) return "the column reads values of every type as text";
    if (column->type.id == TRIB_TYPE_DOUBLE || column->type.id == TRIB_TYPE_REAL)
        return "read as floating point: compared here";
    if (column->type.id == TRIB_TYPE_TIMESTAMP) return "timestamps are text in several forms";
    return NULL;
}

static Filter *leaf_new(Build *self, FilterKind kind, uint32_t attr, uint32_t nvalues) {
    const ColumnInfo *column = &self->scope->columns[attr];
    Filter *filter = filter_new(self, kind, nvalues, 0);
    if (!filter) return NULL;
    filter->attr = attr;
    filter->nvalues = nvalues;
    filter->loose = column_is_strict(column);
    return filter;
}

static FilterKind kind_of(uint16_t op, bool negated, bool swapped) {
    static const struct {
        uint16_t op;
        FilterKind kind, opposite, mirrored, mirrored_opposite;
    } kinds[] = {
        {TRIB_FN_eq, FILTER_EQ, FILTER_NE, FILTER_EQ, FILTER_NE},
        {TRIB_FN_ne, FILTER_NE, FILTER_EQ, FILTER_NE, FILTER_EQ},
        {TRIB_FN_lt, FILTER_LT, FILTER_GE, FILTER_GT, FILTER_LE},
        {TRIB_FN_le, FILTER_LE, FILTER_GT, FILTER_GE, FILTER_LT},
        {TRIB_FN_gt, FILTER_GT, FILTER_LE, FILTER_LT, FILTER_GE},
        {TRIB_FN_ge, FILTER_GE, FILTER_LT, FILTER_LE, FILTER_GT},
    };
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (kinds[i].op != op) continue;
        if (swapped) return negated ? kinds[i].mirrored_opposite : kinds[i].mirrored;
        return negated ? kinds[i].opposite : kinds[i].kind;
    }
    return FILTER_NEVER;
}

static Filter *build_comparison(Build *self, const TribNode *node, bool negated) {
    const TribNode *left = child(self, node, 0), *right = child(self, node, 1);
    bool swapped = literal(self, left) != NULL;
    uint32_t attr = column_of(self, swapped ? right : left);
    const TribValue *value = literal(self, swapped ? left : right);
    if (attr == UINT32_MAX || !value) return refuse(self, "not a column compared with a constant");
    const ColumnInfo *column = &self->scope->columns[attr];
    const char *why = incomparable(column);
    if (why) return refuse(self, why);
    FilterKind kind = kind_of(node->op, negated, swapped);
    bool order = kind != FILTER_EQ && kind != FILTER_NE;
    if (order && column->read == READ_BOOL) return refuse(self, "booleans have no order there");
    Filter *filter = leaf_new(self, kind, attr, 1);
    if (!filter) return NULL;
    if (!filter_value(self->scope->arena, column, value, &filter->values[0]))
        return refuse(self, "the constant has no counterpart in DynamoDB");
    return filter;
}

static Filter *build_between(Build *self, const TribNode *node, bool negated) {
    uint32_t attr = column_of(self, child(self, node, 0));
    const TribValue *low = literal(self, child(self, node, 1)),
                    *high = literal(self, child(self, node, 2));
    if (attr == UINT32_MAX || !low || !high)
        return refuse(self, "not a column between two constants");
    const ColumnInfo *column = &self->scope->columns[attr];
    const char *why = incomparable(column);
    if (why) return refuse(self, why);
    if (column->read == READ_BOOL) return refuse(self, "booleans have no order there");
    Filter *filter = leaf_new(self, FILTER_BETWEEN, attr, 2);
    if (!filter) return NULL;
    if (!filter_value(self->scope->arena, column, low, &filter->values[0]) ||
        !filter_value(self->scope->arena, column, high, &filter->values[1]))
        return refuse(self, "the constants have no counterpart in DynamoDB");
    if (!negated) {
        if (filter_value_compare(&filter->values[0], &filter->values[1]) > 0)
            filter->kind = FILTER_NEVER;
        return filter;
    }
    Filter *below = leaf_new(self, FILTER_LT, attr, 1), *above = leaf_new(self, FILTER_GT, attr, 1);
    Filter *either = filter_new(self, FILTER_OR, 0, 2);
    if (!below || !above || !either) return NULL;
    below->values[0] = filter->values[0];
    above->values[0] = filter->values[1];
    either->children[either->nchildren++] = below;
    either->children[either->nchildren++] = above;
    either->loose = filter->loose;
    return either;
}

static Filter *build_in(Build *self, const TribNode *node, bool negated) {
    uint32_t attr = column_of(self, child(self, node, 0)), candidates = node->count - 1;
    if (attr == UINT32_MAX) return refuse(self, "not a column in a list");
    const ColumnInfo *column = &self->scope->columns[attr];
    const char *why = incomparable(column);
    if (why) return refuse(self, why);
    Filter *filter = leaf_new(self, negated ? FILTER_NOT_IN : FILTER_IN, attr, candidates);
    if (!filter) return NULL;
    filter->nvalues = 0;
    for (uint32_t i = 0; i < candidates; i++) {
        const TribValue *value = literal(self, child(self, node, i + 1));
        if (!value) return refuse(self, "the list holds more than constants");
        if (value->is_null && negated) { /* NOT IN with a NULL is never true */
            filter->kind = FILTER_NEVER;
            return filter;
        }
        if (value->is_null) continue;
        if (!filter_value(self->scope->arena, column, value, &filter->values[filter->nvalues++]))
            return refuse(self, "a constant has no counterpart in DynamoDB");
    }
    filter->nvalues = filter_values_distinct(filter->values, filter->nvalues);
    if (filter->nvalues == 0 && !negated) filter->kind = FILTER_NEVER;
    return filter;
}

/* The parts of a LIKE pattern: text in front of the first wildcard, and what follows. */
typedef struct Pattern {
    Buf prefix;
    bool open_start; /* begins with % */
    bool open_end;   /* ends with %, and nothing else is wild */
    bool exact;      /* prefix%, %text% or plain text */
    bool good;
} Pattern;

static Pattern pattern_read(Arena *arena, Str text, int32_t escape) {
    Pattern out = {.good = true, .exact = true};
    size_t at = 0;
    buf_init(&out.prefix, arena, text.len + 1);
    if (text.len && text.data[0] == '%' && escape != '%') out.open_start = true, at = 1;
    while (at < text.len) {
        size_t begin = at;
        int32_t c = utf8_next(text.data, text.len, &at);
        if (escape && c == escape) {
            begin = at;
            c = utf8_next(text.data, text.len, &at);
            if (c != '%' && c != '_' && c != escape) out.good = false; /* the engine raises */
        } else if (c == '%' || c == '_') {
            out.open_end = c == '%' && at == text.len;
            out.exact = out.open_end;
            return out;
        }
        buf_add(&out.prefix, text.data + begin, at - begin);
    }
    return out;
}

static Filter *build_prefix(Build *self, uint32_t attr, Str prefix, FilterKind kind) {
    const ColumnInfo *column = &self->scope->columns[attr];
    const char *why = incomparable(column);
    if (!why && column->type.id != TRIB_TYPE_VARCHAR) why = "not text";
    if (why) return refuse(self, why);
    Filter *filter = leaf_new(self, kind, attr, 1);
    if (filter && !bytes_value(self->scope->arena, ATTR_S, prefix, &filter->values[0]))
        return refuse(self, "the constant is too long");
    return filter;
}

static Filter *build_like(Build *self, const TribNode *node, bool negated) {
    uint32_t attr = column_of(self, child(self, node, 0));
    const TribValue *pattern = literal(self, child(self, node, 1));
    const TribValue *escape = node->count > 2 ? literal(self, child(self, node, 2)) : NULL;
    int32_t escape_char = 0;
    if (attr == UINT32_MAX || !pattern || pattern->is_null || (node->count > 2 && !escape))
        return refuse(self, "not a column like a constant");
    if (escape) {
        size_t at = 0;
        if (escape->is_null || escape->as.text.length == 0)
            return refuse(self, "no escape character");
        escape_char = utf8_next(escape->as.text.data, escape->as.text.length, &at);
    }
    Pattern parts = pattern_read(
        self->scope->arena, (Str){pattern->as.text.data, pattern->as.text.length}, escape_char);
    Str text = buf_view(&parts.prefix);
    if (parts.prefix.failed) self->exhausted = true;
    if (!parts.good) return refuse(self, "a malformed pattern");
    if (parts.open_start && !(parts.exact && parts.open_end && text.len))
        return refuse(self, "the pattern begins with a wildcard");
    if (parts.open_start)
        return build_prefix(self, attr, text, negated ? FILTER_NOT_CONTAINS : FILTER_CONTAINS);
    if (parts.exact && !parts.open_end)
        return build_prefix(self, attr, text, negated ? FILTER_NE : FILTER_EQ);
    if (text.len == 0) return refuse(self, "the pattern begins with a wildcard");
    if (negated && !parts.exact) return refuse(self, "the pattern has more than a prefix");
    Filter *filter = build_prefix(self, attr, text, negated ? FILTER_NOT_PREFIX : FILTER_PREFIX);
    if (filter) filter->inexact = !parts.exact;
    return filter;
}

static Filter *build_starts_with(Build *self, const TribNode *node, bool negated) {
    uint32_t attr = column_of(self, child(self, node, 0));
    const TribValue *prefix = literal(self, child(self, node, 1));
    if (attr == UINT32_MAX || !prefix || prefix->is_null || prefix->as.text.length == 0)
        return refuse(self, "not a column and a constant prefix");
    Str text = {prefix->as.text.data, prefix->as.text.length};
    return build_prefix(self, attr, text, negated ? FILTER_NOT_PREFIX : FILTER_PREFIX);
}

static Filter *build_null(Build *self, const TribNode *node, bool is_null) {
    uint32_t attr = column_of(self, child(self, node, 0));
    if (attr == UINT32_MAX) return refuse(self, "not a column");
    Filter *filter = leaf_new(self, is_null ? FILTER_NULL : FILTER_NOT_NULL, attr, 0);
    if (!filter || !is_null) return filter;
    const ColumnInfo *column = &self->scope->columns[attr];
    /* What does not fit a strict column reads as NULL: there is no way to ask for that. */
    filter->unsendable = column_is_strict(column);
    /* A value of another type is to be an error: it must be seen. */
    if (column->mismatch == MISMATCH_ERROR && column_attr(column) != ATTR_NONE)
        filter->loose = true;
    return filter;
}

static Filter *build_boolean(Build *self, uint32_t attr, bool negated) {
    if (self->scope->columns[attr].read != READ_BOOL)
        return refuse(self, "not a boolean attribute");
    Filter *filter = leaf_new(self, FILTER_EQ, attr, 1);
    if (filter)
        filter->values[0] =
            (FilterValue){.type = ATTR_BOOL, .text = negated ? STR("false") : STR("true")};
    return filter;
}

static Filter *build_node(Build *self, const TribNode *node, bool negated);

/* AND keeps what it can; OR needs all its sides. */
static Filter *build_group(Build *self, const TribNode *node, bool negated) {
    bool all = (node->op == TRIB_FN_and) != negated;
    Filter *group = filter_new(self, all ? FILTER_AND : FILTER_OR, 0, node->count);
    bool sendable = false;
    if (!group) return NULL;
    for (uint32_t i = 0; i < node->count; i++) {
        Filter *part = build_node(self, child(self, node, i), negated);
        if (self->exhausted) return NULL;
        if (!part && !all) return NULL;
        if (!part) {
            group->inexact = true;
            continue;
        }
        if (part->kind == FILTER_NEVER && all) return part;
        if (part->kind == FILTER_NEVER) continue;
        group->children[group->nchildren++] = part;
        group->loose = group->loose || part->loose || part->unsendable;
        group->inexact = group->inexact || part->inexact;
        group->unsendable = group->unsendable || (!all && part->unsendable);
        sendable = sendable || !part->unsendable;
    }
    if (all) group->unsendable = !sendable;
    if (group->nchildren == 0 && !all) group->kind = FILTER_NEVER;
    return group->nchildren || !all ? group : NULL;
}

static Filter *build_call(Build *self, const TribNode *node, bool negated) {
    switch (node->op) {
    case TRIB_FN_and:
    case TRIB_FN_or: return build_group(self, node, negated);
    case TRIB_FN_not: return build_node(self, child(self, node, 0), !negated);
    case TRIB_FN_eq:
    case TRIB_FN_ne:
    case TRIB_FN_lt:
    case TRIB_FN_le:
    case TRIB_FN_gt:
    case TRIB_FN_ge: return build_comparison(self, node, negated);
    case TRIB_FN_between: return build_between(self, node, negated);
    case TRIB_FN_in: return build_in(self, node, negated);
    case TRIB_FN_like: return build_like(self, node, negated);
    case TRIB_FN_starts_with: return build_starts_with(self, node, negated);
    case TRIB_FN_is_null: return build_null(self, node, !negated);
    case TRIB_FN_is_not_null: return build_null(self, node, negated);
    default: return refuse(self, "no counterpart in DynamoDB's expressions");
    }
}

static Filter *build_node(Build *self, const TribNode *node, bool negated) {
    Filter *out = NULL;
    if (++self->depth > DEPTH_MOST) {
        refuse(self, "nested too deeply");
    } else if (node->kind == TRIB_NODE_CALL) {
        out = build_call(self, node, negated);
    } else {
        uint32_t attr = column_of(self, node);
        out = attr == UINT32_MAX ? refuse(self, "not a condition over columns")
                                 : build_boolean(self, attr, negated);
    }
    self->depth--;
    return out;
}

Status filter_build(const FilterScope *scope, uint32_t node, Filter **out, const char **reason,
                    Error *err) {
    Build build = {.scope = scope, .reason = "no counterpart in DynamoDB's expressions"};
    *out = build_node(&build, &scope->offer->nodes[node], false);
    *reason = build.reason;
    return build.exhausted ? error_out_of_memory(err) : TRIB_OK;
}

/* ---------------------------------------------------------------- writing */

void filter_name_write(FilterWriter *writer, uint32_t attr) {
    if (writer->values) {
        writer->used[attr] = true;
        buf_printf(writer->text, "#n%u", attr);
        return;
    }
    buf_str(writer->text, writer->columns[attr].name);
}

void filter_value_write(FilterWriter *writer, const FilterValue *value) {
    if (!writer->values) {
        filter_value_json(writer->text, value);
        return;
    }
    buf_printf(writer->text, ":v%u", writer->next);
    buf_printf(writer->values, "%s\":v%u\":", writer->values->len ? "," : "", writer->next++);
    filter_value_json(writer->values, value);
}

static void write_type_test(FilterWriter *writer, uint32_t attr, const char *type) {
    FilterValue name = {.type = ATTR_S, .text = str_from(type)};
    buf_text(writer->text, "attribute_type(");
    filter_name_write(writer, attr);
    buf_text(writer->text, ", ");
    filter_value_write(writer, &name);
    buf_char(writer->text, ')');
}

static void write_call(FilterWriter *writer, const char *function, const Filter *filter) {
    buf_printf(writer->text, "%s(", function);
    filter_name_write(writer, filter->attr);
    buf_text(writer->text, ", ");
    filter_value_write(writer, &filter->values[0]);
    buf_char(writer->text, ')');
}

/* a IN (..) takes at most 100 operands: more are several lists. */
static void write_in(FilterWriter *writer, const Filter *filter) {
    for (uint32_t i = 0; i < filter->nvalues; i++) {
        if (i % IN_LIST_MOST == 0) {
            if (i) buf_text(writer->text, ") OR ");
            filter_name_write(writer, filter->attr);
            buf_text(writer->text, " IN (");
        } else {
            buf_text(writer->text, ", ");
        }
        filter_value_write(writer, &filter->values[i]);
    }
    buf_char(writer->text, ')');
}

static void write_negated(FilterWriter *writer, const Filter *filter) {
    const ColumnInfo *column = &writer->columns[filter->attr];
    bool lists = filter->kind == FILTER_NOT_IN && filter->nvalues > IN_LIST_MOST;
    write_type_test(writer, filter->attr, attr_type_name(column_attr(column)));
    if (filter->kind == FILTER_NOT_IN && filter->nvalues == 0) return;
    buf_text(writer->text, lists ? " AND NOT (" : " AND NOT ");
    switch (filter->kind) {
    case FILTER_NOT_IN: write_in(writer, filter); break;
    case FILTER_NOT_PREFIX: write_call(writer, "begins_with", filter); break;
    default: write_call(writer, "contains", filter); break;
    }
    if (lists) buf_char(writer->text, ')');
}

static void write_comparison(FilterWriter *writer, const Filter *filter) {
    static const char *const signs[] = {
        [FILTER_EQ] = " = ",  [FILTER_NE] = " <> ", [FILTER_LT] = " < ",
        [FILTER_LE] = " <= ", [FILTER_GT] = " > ",  [FILTER_GE] = " >= "};
    const ColumnInfo *column = &writer->columns[filter->attr];
    if (filter->kind == FILTER_NE) {
        write_type_test(writer, filter->attr, attr_type_name(column_attr(column)));
        buf_text(writer->text, " AND ");
    }
    filter_name_write(writer, filter->attr);
    buf_text(writer->text, signs[filter->kind]);
    filter_value_write(writer, &filter->values[0]);
}

static void write_null(FilterWriter *writer, const Filter *filter) {
    const ColumnInfo *column = &writer->columns[filter->attr];
    AttrType type = column_attr(column);
    bool is_null = filter->kind == FILTER_NULL;
    if (type != ATTR_NONE) {
        if (is_null) buf_text(writer->text, "NOT ");
        write_type_test(writer, filter->attr, attr_type_name(type));
        return;
    }
    buf_text(writer->text, is_null ? "attribute_not_exists(" : "attribute_exists(");
    filter_name_write(writer, filter->attr);
    buf_text(writer->text, is_null ? ") OR " : ") AND NOT ");
    write_type_test(writer, filter->attr, "NULL");
}

static void write_leaf(FilterWriter *writer, const Filter *filter) {
    switch (filter->kind) {
    case FILTER_BETWEEN:
        filter_name_write(writer, filter->attr);
        buf_text(writer->text, " BETWEEN ");
        filter_value_write(writer, &filter->values[0]);
        buf_text(writer->text, " AND ");
        filter_value_write(writer, &filter->values[1]);
        break;
    case FILTER_IN: write_in(writer, filter); break;
    case FILTER_NOT_IN:
    case FILTER_NOT_PREFIX:
    case FILTER_NOT_CONTAINS: write_negated(writer, filter); break;
    case FILTER_PREFIX: write_call(writer, "begins_with", filter); break;
    case FILTER_CONTAINS: /* sets and lists contain things too */
        write_type_test(writer, filter->attr, "S");
        buf_text(writer->text, " AND ");
        write_call(writer, "contains", filter);
        break;
    case FILTER_NULL:
    case FILTER_NOT_NULL: write_null(writer, filter); break;
    default: write_comparison(writer, filter); break;
    }
}

bool filter_sendable(const Filter *filter, const bool *kept) {
    if (filter->unsendable || filter->kind == FILTER_NEVER) return false;
    if (filter->kind != FILTER_AND && filter->kind != FILTER_OR)
        return !kept || !kept[filter->attr];
    bool all = filter->nchildren > 0, some = false;
    for (uint32_t i = 0; i < filter->nchildren; i++) {
        bool good = filter_sendable(filter->children[i], kept);
        all = all && good;
        some = some || good;
    }
    return filter->kind == FILTER_AND ? some : all;
}

/* Is it an OR as it is written? Only that needs parentheses, and only under AND: others are refused. */
static bool written_as_or(const Filter *filter, const bool *kept) {
    if (filter->kind == FILTER_IN) return filter->nvalues > IN_LIST_MOST;
    if (filter->kind != FILTER_AND && filter->kind != FILTER_OR) return false;
    const Filter *only = NULL;
    uint32_t written = 0;
    for (uint32_t i = 0; i < filter->nchildren; i++) {
        if (!filter_sendable(filter->children[i], kept)) continue;
        only = filter->children[i];
        written++;
    }
    return written == 1 ? written_as_or(only, kept) : filter->kind == FILTER_OR;
}

static void write_group(FilterWriter *writer, const Filter *filter, bool under_and,
                        const bool *kept) {
    uint32_t written = 0;
    for (uint32_t i = 0; i < filter->nchildren; i++)
        written += filter_sendable(filter->children[i], kept);
    bool conjunction = filter->kind == FILTER_AND && written > 1, first = true;
    for (uint32_t i = 0; i < filter->nchildren; i++) {
        if (!filter_sendable(filter->children[i], kept)) continue;
        if (!first) buf_text(writer->text, filter->kind == FILTER_AND ? " AND " : " OR ");
        first = false;
        filter_write(writer, filter->children[i], conjunction || (under_and && written == 1), kept);
    }
}

bool filter_write(FilterWriter *writer, const Filter *filter, bool under_and, const bool *kept) {
    if (!filter_sendable(filter, kept)) return false;
    bool group = filter->kind == FILTER_AND || filter->kind == FILTER_OR;
    bool parentheses = under_and && written_as_or(filter, kept);
    if (!group && filter->kind == FILTER_NULL)
        parentheses = under_and && column_attr(&writer->columns[filter->attr]) == ATTR_NONE;
    if (parentheses) buf_char(writer->text, '(');
    if (group)
        write_group(writer, filter, under_and && !parentheses, kept);
    else
        write_leaf(writer, filter);
    if (parentheses) buf_char(writer->text, ')');
    return true;
}

/* ---------------------------------------------------------------- evaluating */

static int compare_with(const AttrValue *value, const FilterValue *constant, bool *good) {
    Number number;
    *good = true;
    if (constant->type != ATTR_N) return str_compare(value->text, constant->text);
    *good = number_parse(value->text, &number);
    return *good ? number_compare(&number, &constant->number) : 0;
}

/* B is compared as bytes; everything else as it stands. */
static int value_compare(const AttrValue *value, const FilterValue *constant, bool *good) {
    if (constant->type != ATTR_B) return compare_with(value, constant, good);
    Buf bytes;
    int order = 0;
    buf_init(&bytes, NULL, value->text.len + 1);
    char *room = buf_reserve(&bytes, value->text.len + 1);
    *good = room && base64_decode(value->text, room, &bytes.len);
    if (*good) order = str_compare((Str){room, bytes.len}, constant->text);
    buf_clear(&bytes);
    return order;
}

static bool in_list(const Filter *filter, const AttrValue *value) {
    uint32_t low = 0, high = filter->nvalues; /* sorted and distinct */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        bool good;
        int order = value_compare(value, &filter->values[middle], &good);
        if (!good) return false;
        if (order == 0) return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

static bool test_comparison(const Filter *filter, const AttrValue *value) {
    bool good, good_high = true;
    int order = value_compare(value, &filter->values[0], &good), high;
    switch (filter->kind) {
    case FILTER_EQ: return good && order == 0;
    case FILTER_NE: return good && order != 0;
    case FILTER_LT: return good && order < 0;
    case FILTER_LE: return good && order <= 0;
    case FILTER_GT: return good && order > 0;
    case FILTER_GE: return good && order >= 0;
    default: break;
    }
    high = value_compare(value, &filter->values[1], &good_high);
    return good && good_high && order >= 0 && high <= 0;
}

static bool test_text(const Filter *filter, Str text) {
    Str part = filter->values[0].text;
    bool begins = text.len >= part.len && memcmp(text.data, part.data, part.len) == 0;
    bool contains = part.len == 0 || memmem(text.data, text.len, part.data, part.len) != NULL;
    switch (filter->kind) {
    case FILTER_PREFIX: return begins;
    case FILTER_NOT_PREFIX: return !begins;
    case FILTER_CONTAINS: return contains;
    default: return !contains;
    }
}

static bool test_leaf(const Filter *filter, const ColumnInfo *column, const AttrValue *value) {
    Fit fit = value_fit(column, value);
    if (filter->kind == FILTER_NEVER) return false;
    if (filter->kind == FILTER_NULL) return fit != FIT_GOOD;
    if (fit != FIT_GOOD) return false;
    switch (filter->kind) {
    case FILTER_NOT_NULL: return true;
    case FILTER_IN: return in_list(filter, value);
    case FILTER_NOT_IN: return !in_list(filter, value);
    case FILTER_PREFIX:
    case FILTER_NOT_PREFIX:
    case FILTER_CONTAINS:
    case FILTER_NOT_CONTAINS: return test_text(filter, value->text);
    default: return test_comparison(filter, value);
    }
}

bool filter_test(const Filter *filter, const ColumnInfo *columns, const AttrValue *values) {
    if (filter->kind != FILTER_AND && filter->kind != FILTER_OR)
        return test_leaf(filter, &columns[filter->attr], &values[filter->attr]);
    bool all = filter->kind == FILTER_AND;
    for (uint32_t i = 0; i < filter->nchildren; i++) {
        if (filter_test(filter->children[i], columns, values) != all) return !all;
    }
    return all;
}

void filter_attributes(const Filter *filter, void (*visit)(void *context, uint32_t attr),
                       void *context) {
    if (filter->kind != FILTER_AND && filter->kind != FILTER_OR) {
        visit(context, filter->attr);
        return;
    }
    for (uint32_t i = 0; i < filter->nchildren; i++)
        filter_attributes(filter->children[i], visit, context);
}
