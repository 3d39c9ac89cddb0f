/*
 * prune.c - decides conditions per file, in three-valued logic.
 *
 * Taken are AND, OR, NOT, comparisons, IN, BETWEEN, IS [NOT] NULL and IS DISTINCT FROM between partition
 * columns, "$path", "$file_size" and literals of the same type; values compare as the engine compares
 * them (texts by code point, which is byte order in UTF-8).
 */
#include "connectors/lake/prune.h"

#include "connectors/support/sql_text.h"

enum { DEPTH_MAX = 200 };

typedef enum { IS_FALSE, IS_TRUE, IS_NULL } Truth;

/* ---------------------------------------------------------------- what is taken */

static bool comparable(TribType a, TribType b) {
    switch (a.id) {
    case TRIB_TYPE_BOOLEAN:
    case TRIB_TYPE_TINYINT:
    case TRIB_TYPE_SMALLINT:
    case TRIB_TYPE_INTEGER:
    case TRIB_TYPE_BIGINT:
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_DATE: return a.id == b.id;
    case TRIB_TYPE_TIMESTAMP: return a.id == b.id && a.precision <= 6 && b.precision <= 6;
    case TRIB_TYPE_DECIMAL:
        return a.id == b.id && a.scale == b.scale && (a.precision <= 18) == (b.precision <= 18);
    default: return false;
    }
}

static const char *operand_refused(const Prune *self, const TribOffer *offer, const TribNode *node,
                                   TribType type) {
    if (node->kind == TRIB_NODE_LITERAL) {
        const TribValue *value = &offer->values[node->ref];
        return value->is_null || comparable(type, value->type) ? NULL : "types differ";
    }
    if (node->kind != TRIB_NODE_COLUMN || node->first != 0 || node->ref >= self->ncolumns)
        return "no constant";
    if (self->columns[node->ref].kind == COLUMN_DATA) return "the file must be read for it";
    return comparable(type, self->columns[node->ref].type) ? NULL : "types differ";
}

static const char *node_refused(const Prune *self, const TribOffer *offer, uint32_t index,
                                uint32_t depth);

static const char *children_refused(const Prune *self, const TribOffer *offer, const TribNode *node,
                                    uint32_t depth) {
    for (uint32_t i = 0; i < node->count; i++) {
        const char *reason = node_refused(self, offer, node->first + i, depth + 1);
        if (reason) return reason;
    }
    return NULL;
}

static const char *comparison_refused(const Prune *self, const TribOffer *offer,
                                      const TribNode *node) {
    TribType type = {0};
    for (uint32_t i = 0; i < node->count; i++) {
        const TribNode *child = &offer->nodes[node->first + i];
        if (child->kind == TRIB_NODE_COLUMN && child->first == 0 && child->ref < self->ncolumns)
            type = self->columns[child->ref].type;
    }
    if (type.id == TRIB_TYPE_UNKNOWN) return "no partition column in it";
    for (uint32_t i = 0; i < node->count; i++) {
        const char *reason = operand_refused(self, offer, &offer->nodes[node->first + i], type);
        if (reason) return reason;
    }
    return NULL;
}

static const char *node_refused(const Prune *self, const TribOffer *offer, uint32_t index,
                                uint32_t depth) {
    const TribNode *node = &offer->nodes[index];
    if (depth > DEPTH_MAX) return "nested too deeply";
    if (node->may_raise) return "it may raise an error";
    if (node->kind != TRIB_NODE_CALL) return "no condition over partition columns";
    switch (node->op) {
    case TRIB_FN_and:
    case TRIB_FN_or:
    case TRIB_FN_not: return children_refused(self, offer, node, depth);
    case TRIB_FN_eq:
    case TRIB_FN_ne:
    case TRIB_FN_lt:
    case TRIB_FN_le:
    case TRIB_FN_gt:
    case TRIB_FN_ge:
    case TRIB_FN_is_distinct_from:
        return node->count == 2 ? comparison_refused(self, offer, node) : "odd arguments";
    case TRIB_FN_between:
        return node->count == 3 ? comparison_refused(self, offer, node) : "odd arguments";
    case TRIB_FN_in:
    case TRIB_FN_is_null:
    case TRIB_FN_is_not_null:
        return node->count >= 1 ? comparison_refused(self, offer, node) : "odd arguments";
    default: return "only comparisons of partition columns choose files";
    }
}

const char *prune_refuses(const Prune *self, const TribOffer *offer, uint32_t node) {
    return node_refused(self, offer, node, 0);
}

Status prune_begin(Prune *self, Arena *arena, const TribOffer *offer, Error *err) {
    TribNode *nodes;
    TribValue *values;
    self->arena = arena;
    TRY_ALLOC(nodes, ARENA_ARRAY(arena, TribNode, offer->nnodes), err);
    TRY_ALLOC(values, ARENA_ARRAY(arena, TribValue, offer->nvalues), err);
    TRY_ALLOC(self->conjuncts, ARENA_ARRAY(arena, uint32_t, offer->nconjuncts), err);
    if (offer->nnodes) memcpy(nodes, offer->nodes, offer->nnodes * sizeof *nodes);
    for (uint32_t i = 0; i < offer->nvalues; i++) {
        if (!sql_value_copy(arena, &offer->values[i], &values[i])) return error_out_of_memory(err);
    }
    self->nodes = nodes;
    self->values = values;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- deciding */

int prune_compare(const TribValue *a, const TribValue *b) {
    if (a->type.id == TRIB_TYPE_VARCHAR)
        return str_compare((Str){a->as.text.data, a->as.text.length},
                           (Str){b->as.text.data, b->as.text.length});
    if (a->type.id == TRIB_TYPE_DECIMAL && a->type.precision > 18)
        return (a->as.wide > b->as.wide) - (a->as.wide < b->as.wide);
    return (a->as.integer > b->as.integer) - (a->as.integer < b->as.integer);
}

Status prune_value(const PruneColumn *column, const char *scheme, const TableFile *file,
                   Arena *arena, TribValue *out, Error *err) {
    const char *why, *path = file->object.key;
    *out = (TribValue){.type = column->type};
    if (column->kind == COLUMN_FILE_SIZE) {
        out->as.integer = (int64_t)file->object.size;
        return TRIB_OK;
    }
    if (column->kind == COLUMN_PATH) {
        if (*scheme) TRY_ALLOC(path, arena_printf(arena, "%s%s", scheme, path), err);
        out->as.text.data = path;
        out->as.text.length = strlen(path);
        return TRIB_OK;
    }
    Str text = file->partitions[column->partition];
    out->is_null = text.data == NULL;
    if (out->is_null || convert_value(arena, text, column->type, out, &why)) return TRIB_OK;
    char shown[80];
    format_value_text(text, shown, sizeof shown);
    error_set(err, ERR_MISMATCH, "%s%s: '%s' in the name of its folder: %s", scheme, path, shown,
              why);
    return error_hint(err, "the option partitions declares types of partition columns");
}

typedef struct Decide {
    const Prune *prune;
    const char *scheme;
    const TableFile *file;
    Arena *arena;
    Error *err;
    Status status;
} Decide;

static TribValue operand(Decide *self, uint32_t index) {
    const TribNode *node = &self->prune->nodes[index];
    TribValue value = {.is_null = true};
    if (node->kind == TRIB_NODE_LITERAL) return self->prune->values[node->ref];
    if (self->status == TRIB_OK)
        self->status = prune_value(&self->prune->columns[node->ref], self->scheme, self->file,
                                   self->arena, &value, self->err);
    return value;
}

static Truth truth(bool value) {
    return value ? IS_TRUE : IS_FALSE;
}

static Truth compare(uint16_t op, const TribValue *a, const TribValue *b) {
    if (op == TRIB_FN_is_distinct_from) {
        if (a->is_null || b->is_null) return truth(a->is_null != b->is_null);
        return truth(prune_compare(a, b) != 0);
    }
    if (a->is_null || b->is_null) return IS_NULL;
    int order = prune_compare(a, b);
    switch (op) {
    case TRIB_FN_eq: return truth(order == 0);
    case TRIB_FN_ne: return truth(order != 0);
    case TRIB_FN_lt: return truth(order < 0);
    case TRIB_FN_le: return truth(order <= 0);
    case TRIB_FN_gt: return truth(order > 0);
    default: return truth(order >= 0);
    }
}

static Truth negate(Truth value) {
    return value == IS_NULL ? IS_NULL : truth(value == IS_FALSE);
}

static Truth both(Truth a, Truth b) {
    if (a == IS_FALSE || b == IS_FALSE) return IS_FALSE;
    return a == IS_NULL || b == IS_NULL ? IS_NULL : IS_TRUE;
}

static Truth decide(Decide *self, uint32_t index) {
    const TribNode *node = &self->prune->nodes[index];
    Truth result;
    TribValue a, b;
    switch (node->op) {
    case TRIB_FN_not: return negate(decide(self, node->first));
    case TRIB_FN_and:
    case TRIB_FN_or: {
        bool any = node->op == TRIB_FN_or; /* a OR b = NOT (NOT a AND NOT b) */
        result = IS_TRUE;
        for (uint32_t i = 0; i < node->count; i++) {
            Truth child = decide(self, node->first + i);
            result = both(result, any ? negate(child) : child);
        }
        return any ? negate(result) : result;
    }
    case TRIB_FN_is_null: a = operand(self, node->first); return truth(a.is_null);
    case TRIB_FN_is_not_null: a = operand(self, node->first); return truth(!a.is_null);
    case TRIB_FN_in:
        a = operand(self, node->first);
        result = IS_FALSE;
        for (uint32_t i = 1; i < node->count && result != IS_TRUE; i++) {
            b = operand(self, node->first + i);
            Truth hit = compare(TRIB_FN_eq, &a, &b);
            if (hit != IS_FALSE) result = hit;
        }
        return result;
    case TRIB_FN_between:
        a = operand(self, node->first);
        b = operand(self, node->first + 1);
        result = compare(TRIB_FN_ge, &a, &b);
        b = operand(self, node->first + 2);
        return both(result, compare(TRIB_FN_le, &a, &b));
    default:
        a = operand(self, node->first);
        b = operand(self, node->first + 1);
        return compare(node->op, &a, &b);
    }
}

Status prune_test(const Prune *self, const char *scheme, const TableFile *file, bool *pass,
                  Error *err) {
    Decide decision = {self, scheme, file, NULL, err, TRIB_OK};
    *pass = true;
    if (self->nconjuncts == 0) return TRIB_OK;
    TRY_ALLOC(decision.arena, arena_new(NULL), err);
    for (uint32_t i = 0; i < self->nconjuncts && *pass; i++)
        *pass = decide(&decision, self->conjuncts[i]) == IS_TRUE;
    arena_free(decision.arena);
    return decision.status;
}
