/*
 * json_path_run.c - evaluates a compiled SQL/JSON path over a document.
 *
 * Each expression gives a sequence of items; a chain of accessors is applied step by step to whole sequences, so
 * that its length costs no stack. Data errors do not travel as errors: the first one is noted as the run's fault and
 * unwinds with TRIB_DATA. Predicates absorb the faults of what they are made of: they are true, false or unknown.
 * Items are copied by value; what they refer to lies in the document or in the arena. One thread per run.
 */
#include "engine/functions/json_path_inside.h"

#include "engine/base/number.h"

#include <math.h>

typedef struct PathRun {
    const JsonPath *path;
    Arena *arena;
    const JsonItem *context, *variables;
    const JsonItem *current; /* @ */
    int64_t last;
    int64_t objects; /* seen by keyvalue() */
    ErrorCode fault;
    Error *err;
} PathRun;

typedef enum Truth { TRUTH_FALSE, TRUTH_TRUE, TRUTH_UNKNOWN } Truth;

static Status run_path(PathRun *r, const PathNode *node, JsonSequence *out);
static Status run_predicate(PathRun *r, const PathNode *node, Truth *out);

static Status fault(PathRun *r, ErrorCode code) {
    r->fault = code;
    return TRIB_DATA;
}

Status json_sequence_add(JsonSequence *self, Arena *arena, const JsonItem *item, Error *err) {
    if (self->count == self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : 4;
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

static Status add(PathRun *r, JsonSequence *to, const JsonItem *item) {
    return json_sequence_add(to, r->arena, item, r->err);
}

/* The elements of arrays in the place of the arrays. */
static Status unwrap(PathRun *r, const JsonSequence *in, JsonSequence *out) {
    *out = (JsonSequence){0};
    for (uint32_t i = 0; i < in->count; i++) {
        const JsonItem *item = &in->items[i];
        if (item->kind != JSON_ITEM_ARRAY) {
            TRY(add(r, out, item));
            continue;
        }
        for (uint32_t e = 0; e < item->count; e++) TRY(add(r, out, &item->items[e]));
    }
    return TRIB_OK;
}

/* A path's result, arrays unwrapped in lax mode. */
static Status run_unwrapped(PathRun *r, const PathNode *node, JsonSequence *out) {
    JsonSequence raw = {0};
    TRY(run_path(r, node, &raw));
    if (r->path->lax) return unwrap(r, &raw, out);
    *out = raw;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- numbers */

bool json_number_read(Str text, JsonNumber *out) {
    size_t point = text.len, digits = 0;
    *out = (JsonNumber){.kind = JSON_EXACT};
    if (double_parse(text, &out->real) == NUMBER_SYNTAX) return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == 'e' || c == 'E') out->kind = JSON_DOUBLE;
        if (c == '.') point = i;
        digits += c >= '0' && c <= '9';
    }
    if (out->kind == JSON_DOUBLE) return isfinite(out->real);
    size_t scale = point < text.len ? text.len - point - 1 : 0;
    if (scale > DECIMAL_MAX_DIGITS || digits > DECIMAL_MAX_DIGITS + (size_t)1) return false;
    out->scale = (int)scale;
    return decimal_parse(text, DECIMAL_MAX_DIGITS, out->scale, &out->unscaled) == DECIMAL_OK;
}

static Status number_of(PathRun *r, const JsonItem *item, JsonNumber *out) {
    if (item->kind != JSON_ITEM_NUMBER) return fault(r, ERR_JSON_NUMBER);
    return json_number_read(item->text, out) ? TRIB_OK : fault(r, ERR_OUT_OF_RANGE);
}

static Status text_item(PathRun *r, JsonKind kind, const char *text, size_t len, JsonItem *out) {
    char *copy;
    TRY_ALLOC(copy, arena_copy(r->arena, text, len), r->err);
    *out = (JsonItem){.kind = kind, .text = {copy, len}};
    return TRIB_OK;
}

static Status exact_item(PathRun *r, Int128 unscaled, int scale, JsonItem *out) {
    char text[DECIMAL_TEXT_MAX];
    return text_item(r, JSON_ITEM_NUMBER, text, decimal_format(unscaled, scale, text), out);
}

/* A double keeps its exponent, so that it stays one. */
static Status double_item(PathRun *r, double value, JsonItem *out) {
    char text[NUMBER_TEXT_MAX + 4];
    if (!isfinite(value)) return fault(r, ERR_OUT_OF_RANGE);
    size_t len = double_format(value, text);
    if (memchr(text, 'E', len) == NULL) {
        memcpy(text + len, "E0", 2);
        len += 2;
    }
    return text_item(r, JSON_ITEM_NUMBER, text, len, out);
}

/* Of whole numbers the result must fit a bigint. */
static Status exact_result(PathRun *r, DecimalResult result, Int128 value, int scale, bool whole,
                           JsonItem *out) {
    if (result == DECIMAL_DIVIDE_BY_ZERO) return fault(r, ERR_DIVISION_BY_ZERO);
    if (result != DECIMAL_OK || (whole && value != (int64_t)value))
        return fault(r, ERR_OUT_OF_RANGE);
    return exact_item(r, value, scale, out);
}

static Status exact_binary(PathRun *r, char op, const JsonNumber *a, const JsonNumber *b,
                           JsonItem *out) {
    bool whole = a->scale == 0 && b->scale == 0;
    int scale = a->scale > b->scale ? a->scale : b->scale;
    Int128 x, y, value = 0;
    DecimalResult result;
    switch (op) {
    case '*':
        scale = a->scale + b->scale;
        if (scale > DECIMAL_MAX_DIGITS) return fault(r, ERR_OUT_OF_RANGE);
        result = decimal_multiply(a->unscaled, b->unscaled, 0, &value);
        return exact_result(r, result, value, scale, whole, out);
    case '%':
        result = decimal_modulus(a->unscaled, a->scale, b->unscaled, b->scale, &value);
        return exact_result(r, result, value, scale, whole, out);
    case '/':
        if (b->unscaled == 0) return fault(r, ERR_DIVISION_BY_ZERO);
        if (!whole) return double_item(r, a->real / b->real, out);
        return exact_result(r, DECIMAL_OK, a->unscaled / b->unscaled, 0, true, out);
    default: break;
    }
    if (decimal_rescale(a->unscaled, a->scale, scale, &x) != DECIMAL_OK ||
        decimal_rescale(b->unscaled, b->scale, scale, &y) != DECIMAL_OK)
        return fault(r, ERR_OUT_OF_RANGE);
    result = decimal_add(x, op == '-' ? -y : y, &value);
    return exact_result(r, result, value, scale, whole, out);
}

static Status double_binary(PathRun *r, char op, double a, double b, JsonItem *out) {
    switch (op) {
    case '+': return double_item(r, a + b, out);
    case '-': return double_item(r, a - b, out);
    case '*': return double_item(r, a * b, out);
    default: break;
    }
    if (b == 0) return fault(r, ERR_DIVISION_BY_ZERO);
    return double_item(r, op == '/' ? a / b : fmod(a, b), out);
}

static Status single_number(PathRun *r, const PathNode *node, JsonNumber *out) {
    JsonSequence sequence = {0};
    TRY(run_unwrapped(r, node, &sequence));
    if (sequence.count != 1) return fault(r, ERR_JSON_SINGLE);
    return number_of(r, &sequence.items[0], out);
}

static Status run_binary(PathRun *r, const PathNode *node, JsonSequence *out) {
    JsonNumber a, b;
    JsonItem item;
    TRY(single_number(r, node->left, &a));
    TRY(single_number(r, node->right, &b));
    if (a.kind == JSON_EXACT && b.kind == JSON_EXACT) {
        TRY(exact_binary(r, node->op, &a, &b, &item));
    } else {
        TRY(double_binary(r, node->op, a.real, b.real, &item));
    }
    return add(r, out, &item);
}

static Status run_sign(PathRun *r, const PathNode *node, JsonSequence *out) {
    JsonSequence operands = {0};
    TRY(run_unwrapped(r, node->left, &operands));
    for (uint32_t i = 0; i < operands.count; i++) {
        JsonNumber n;
        JsonItem item = operands.items[i];
        TRY(number_of(r, &item, &n));
        if (node->kind == PATH_MINUS && n.kind == JSON_EXACT)
            TRY(exact_item(r, -n.unscaled, n.scale, &item));
        if (node->kind == PATH_MINUS && n.kind == JSON_DOUBLE) TRY(double_item(r, -n.real, &item));
        TRY(add(r, out, &item));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- methods */

/* Rounds down (or up) to a whole number with the scale it had; n.5 stays a decimal. */
static Status exact_round(PathRun *r, const JsonNumber *n, bool up, JsonItem *out) {
    Int128 power = decimal_powers[n->scale], rest = n->unscaled % power;
    Int128 whole = n->unscaled - rest, value;
    if (rest > 0 && up) whole += power;
    if (rest < 0 && !up) whole -= power;
    if (n->scale == 0) return exact_item(r, whole, 0, out);
    if (decimal_rescale(whole / power, 0, 1, &value) != DECIMAL_OK)
        return fault(r, ERR_OUT_OF_RANGE);
    return exact_item(r, value, 1, out);
}

static Status method_number(PathRun *r, PathStepKind kind, const JsonItem *in, JsonItem *out) {
    JsonNumber n;
    if (kind == STEP_DOUBLE) {
        bool text = in->kind == JSON_ITEM_STRING || in->kind == JSON_ITEM_NUMBER;
        if (!text) return fault(r, ERR_JSON_NUMBER);
        if (double_parse(str_trim(in->text), &n.real) != NUMBER_OK)
            return fault(r, ERR_JSON_NUMBER);
        return double_item(r, n.real, out);
    }
    TRY(number_of(r, in, &n));
    bool exact = n.kind == JSON_EXACT;
    switch (kind) {
    case STEP_ABS:
        if (!exact) return double_item(r, fabs(n.real), out);
        return exact_item(r, n.unscaled < 0 ? -n.unscaled : n.unscaled, n.scale, out);
    case STEP_CEILING:
        return exact ? exact_round(r, &n, true, out) : double_item(r, ceil(n.real), out);
    default: return exact ? exact_round(r, &n, false, out) : double_item(r, floor(n.real), out);
    }
}

static Str type_name_of(const JsonItem *item) {
    switch (item->kind) {
    case JSON_ITEM_NULL: return STR("null");
    case JSON_ITEM_BOOLEAN: return STR("boolean");
    case JSON_ITEM_NUMBER: return STR("number");
    case JSON_ITEM_STRING: return STR("string");
    case JSON_ITEM_ARRAY: return STR("array");
    case JSON_ITEM_OBJECT: return STR("object");
    default: break;
    }
    switch (item->value->type.id) {
    case TRIB_TYPE_DATE: return STR("date");
    case TRIB_TYPE_TIME: return STR("time without time zone");
    case TRIB_TYPE_TIME_TZ: return STR("time with time zone");
    case TRIB_TYPE_TIMESTAMP: return STR("timestamp without time zone");
    default: return STR("timestamp with time zone");
    }
}

static Status method_keyvalue(PathRun *r, const JsonItem *in, JsonSequence *out) {
    JsonItem id;
    if (in->kind != JSON_ITEM_OBJECT) return fault(r, ERR_JSON_OBJECT);
    TRY(exact_item(r, r->objects++, 0, &id));
    id.key = STR("id");
    for (uint32_t i = 0; i < in->count; i++) {
        JsonItem object = {.kind = JSON_ITEM_OBJECT, .count = 3};
        TRY_ALLOC(object.items, ARENA_ARRAY(r->arena, JsonItem, 3), r->err);
        object.items[0] =
            (JsonItem){.kind = JSON_ITEM_STRING, .text = in->items[i].key, .key = STR("name")};
        object.items[1] = in->items[i];
        object.items[1].key = STR("value");
        object.items[2] = id;
        TRY(add(r, out, &object));
    }
    return TRIB_OK;
}

static Status method_size(PathRun *r, const JsonItem *in, JsonItem *out) {
    if (in->kind != JSON_ITEM_ARRAY && !r->path->lax) return fault(r, ERR_JSON_ARRAY);
    return exact_item(r, in->kind == JSON_ITEM_ARRAY ? in->count : 1, 0, out);
}

/* ---------------------------------------------------------------- accessors */

/* Of equal keys the last one counts. */
static const JsonItem *member_of(const JsonItem *object, Str key) {
    for (uint32_t i = object->count; i-- > 0;) {
        if (str_equal(object->items[i].key, key)) return &object->items[i];
    }
    return NULL;
}

static Status step_member(PathRun *r, const PathStep *step, const JsonItem *in, JsonSequence *out) {
    if (in->kind != JSON_ITEM_OBJECT) return r->path->lax ? TRIB_OK : fault(r, ERR_JSON_OBJECT);
    if (step->kind == STEP_MEMBERS) {
        for (uint32_t i = 0; i < in->count; i++) TRY(add(r, out, &in->items[i]));
        return TRIB_OK;
    }
    const JsonItem *member = member_of(in, step->name);
    if (member != NULL) return add(r, out, member);
    return r->path->lax ? TRIB_OK : fault(r, ERR_JSON_MEMBER);
}

/* Preorder; the nesting of documents is limited. */
static Status step_descendant(PathRun *r, Str key, const JsonItem *in, JsonSequence *out) {
    if (in->kind == JSON_ITEM_OBJECT) {
        const JsonItem *member = member_of(in, key);
        if (member != NULL) TRY(add(r, out, member));
    }
    if (in->kind != JSON_ITEM_OBJECT && in->kind != JSON_ITEM_ARRAY) return TRIB_OK;
    for (uint32_t i = 0; i < in->count; i++) TRY(step_descendant(r, key, &in->items[i], out));
    return TRIB_OK;
}

static Status subscript_index(PathRun *r, const PathNode *node, int64_t *out) {
    JsonNumber n;
    Int128 whole;
    JsonSequence sequence = {0};
    TRY(run_path(r, node, &sequence));
    if (sequence.count != 1) return fault(r, ERR_JSON_SUBSCRIPT);
    if (sequence.items[0].kind != JSON_ITEM_NUMBER) return fault(r, ERR_JSON_SUBSCRIPT);
    TRY(number_of(r, &sequence.items[0], &n));
    whole = n.kind == JSON_EXACT ? n.unscaled / decimal_powers[n.scale] : 0;
    if (n.kind == JSON_DOUBLE) {
        if (!(fabs(n.real) < 1e18)) return fault(r, ERR_JSON_SUBSCRIPT);
        whole = (int64_t)n.real;
    }
    if (whole != (int64_t)whole) return fault(r, ERR_JSON_SUBSCRIPT);
    *out = (int64_t)whole;
    return TRIB_OK;
}

static Status subscript_range(PathRun *r, const PathStep *step, uint32_t n, const JsonItem *array,
                              JsonSequence *out) {
    int64_t from, to, most = (int64_t)array->count - 1;
    TRY(subscript_index(r, step->from[n], &from));
    to = from;
    if (step->to[n] != NULL) TRY(subscript_index(r, step->to[n], &to));
    if (!r->path->lax && (from < 0 || from > to || to > most)) return fault(r, ERR_JSON_SUBSCRIPT);
    if (from < 0) from = 0;
    if (to > most) to = most;
    for (int64_t i = from; i <= to; i++) TRY(add(r, out, &array->items[i]));
    return TRIB_OK;
}

static Status step_subscripts(PathRun *r, const PathStep *step, const JsonItem *in,
                              JsonSequence *out) {
    JsonItem wrapped = {.kind = JSON_ITEM_ARRAY, .count = 1};
    JsonItem own = *in;
    int64_t outer = r->last;
    if (in->kind != JSON_ITEM_ARRAY) {
        if (!r->path->lax) return fault(r, ERR_JSON_ARRAY);
        wrapped.items = &own;
        in = &wrapped;
    }
    r->last = (int64_t)in->count - 1;
    for (uint32_t n = 0; n < step->n; n++) TRY(subscript_range(r, step, n, in, out));
    r->last = outer;
    return TRIB_OK;
}

static Status step_filter(PathRun *r, const PathStep *step, const JsonItem *in, JsonSequence *out) {
    const JsonItem *outer = r->current;
    Truth truth;
    r->current = in;
    TRY(run_predicate(r, step->predicate, &truth));
    r->current = outer;
    return truth == TRUTH_TRUE ? add(r, out, in) : TRIB_OK;
}

static Status step_item(PathRun *r, const PathStep *step, const JsonItem *in, JsonSequence *out) {
    JsonItem item;
    switch (step->kind) {
    case STEP_MEMBER:
    case STEP_MEMBERS: return step_member(r, step, in, out);
    case STEP_DESCENDANT: return step_descendant(r, step->name, in, out);
    case STEP_SUBSCRIPTS: return step_subscripts(r, step, in, out);
    case STEP_FILTER: return step_filter(r, step, in, out);
    case STEP_KEYVALUE: return method_keyvalue(r, in, out);
    case STEP_ELEMENTS:
        if (in->kind != JSON_ITEM_ARRAY)
            return r->path->lax ? add(r, out, in) : fault(r, ERR_JSON_ARRAY);
        for (uint32_t i = 0; i < in->count; i++) TRY(add(r, out, &in->items[i]));
        return TRIB_OK;
    case STEP_TYPE:
        item = (JsonItem){.kind = JSON_ITEM_STRING, .text = type_name_of(in)};
        return add(r, out, &item);
    case STEP_SIZE: TRY(method_size(r, in, &item)); return add(r, out, &item);
    default: TRY(method_number(r, step->kind, in, &item)); return add(r, out, &item);
    }
}

/* Steps that in lax mode go into arrays instead of taking them whole. */
static bool step_unwraps(PathStepKind kind) {
    return kind != STEP_DESCENDANT && kind != STEP_SUBSCRIPTS && kind != STEP_ELEMENTS &&
           kind != STEP_TYPE && kind != STEP_SIZE;
}

static Status run_chain(PathRun *r, const PathNode *node, JsonSequence *out) {
    JsonSequence now = {0};
    TRY(run_path(r, node->left, &now));
    for (uint32_t s = 0; s < node->nsteps; s++) {
        JsonSequence next = {0};
        if (r->path->lax && step_unwraps(node->steps[s].kind)) {
            JsonSequence unwrapped;
            TRY(unwrap(r, &now, &unwrapped));
            now = unwrapped;
        }
        for (uint32_t i = 0; i < now.count; i++)
            TRY(step_item(r, &node->steps[s], &now.items[i], &next));
        now = next;
    }
    *out = now;
    return TRIB_OK;
}

static Status run_path(PathRun *r, const PathNode *node, JsonSequence *out) {
    JsonItem last;
    switch (node->kind) {
    case PATH_LITERAL: return add(r, out, &node->literal);
    case PATH_CONTEXT: return add(r, out, r->context);
    case PATH_VARIABLE: return add(r, out, &r->variables[node->variable]);
    case PATH_CURRENT: return add(r, out, r->current);
    case PATH_LAST: TRY(exact_item(r, r->last, 0, &last)); return add(r, out, &last);
    case PATH_CHAIN: return run_chain(r, node, out);
    case PATH_BINARY: return run_binary(r, node, out);
    default: return run_sign(r, node, out);
    }
}

/* ---------------------------------------------------------------- predicates */

static bool order_holds(char op, int order) {
    switch (op) {
    case '=': return order == 0;
    case 'n': return order != 0;
    case '<': return order < 0;
    case 'l': return order <= 0;
    case '>': return order > 0;
    default: return order >= 0;
    }
}

static bool numbers_order(const JsonItem *a, const JsonItem *b, int *order) {
    JsonNumber x, y;
    Int128 p, q;
    if (!json_number_read(a->text, &x) || !json_number_read(b->text, &y)) return false;
    int scale = x.scale > y.scale ? x.scale : y.scale;
    bool exact = x.kind == JSON_EXACT && y.kind == JSON_EXACT &&
                 decimal_rescale(x.unscaled, x.scale, scale, &p) == DECIMAL_OK &&
                 decimal_rescale(y.unscaled, y.scale, scale, &q) == DECIMAL_OK;
    *order = exact ? (p > q) - (p < q) : (x.real > y.real) - (x.real < y.real);
    return true;
}

/* TRUTH_UNKNOWN: the two cannot be compared. */
static Truth items_compare(char op, const JsonItem *a, const JsonItem *b) {
    int order;
    if (a->kind == JSON_ITEM_NULL || b->kind == JSON_ITEM_NULL)
        return a->kind == b->kind && op == '=' ? TRUTH_TRUE : TRUTH_FALSE;
    if (a->kind != b->kind || a->kind == JSON_ITEM_ARRAY || a->kind == JSON_ITEM_OBJECT)
        return TRUTH_UNKNOWN;
    switch (a->kind) {
    case JSON_ITEM_NUMBER:
        if (!numbers_order(a, b, &order)) return TRUTH_UNKNOWN;
        break;
    case JSON_ITEM_STRING: order = str_compare(a->text, b->text); break;
    case JSON_ITEM_DATETIME:
        if (a->value->type.id != b->value->type.id) return TRUTH_UNKNOWN;
        order = value_compare(a->value, b->value);
        break;
    default: order = a->boolean - b->boolean; break;
    }
    return order_holds(op, order) ? TRUTH_TRUE : TRUTH_FALSE;
}

static Truth item_starts(const JsonItem *a, const JsonItem *b) {
    if (a->kind != JSON_ITEM_STRING) return TRUTH_UNKNOWN;
    bool starts = a->text.len >= b->text.len &&
                  (b->text.len == 0 || memcmp(a->text.data, b->text.data, b->text.len) == 0);
    return starts ? TRUTH_TRUE : TRUTH_FALSE;
}

/* A path inside a predicate: *failed instead of a fault. */
static Status run_absorbing(PathRun *r, const PathNode *node, bool whole, JsonSequence *out,
                            bool *failed) {
    const JsonItem *current = r->current;
    int64_t last = r->last;
    Status status = whole ? run_path(r, node, out) : run_unwrapped(r, node, out);
    *failed = status == TRIB_DATA;
    r->current = current;
    r->last = last;
    return *failed ? TRIB_OK : status;
}

/* Pairs from the left and the right: the first that is true decides in lax mode, as does the first error; in
 * strict mode an error anywhere does. */
static Status run_pairs(PathRun *r, const PathNode *node, Truth *out) {
    JsonSequence left = {0}, right = {0};
    bool failed, any = false, error = false;
    *out = TRUTH_UNKNOWN;
    TRY(run_absorbing(r, node->left, false, &left, &failed));
    if (failed) return TRIB_OK;
    TRY(run_absorbing(r, node->right, false, &right, &failed));
    if (failed) return TRIB_OK;
    bool starts = node->kind == PATH_STARTS;
    if (starts && (right.count != 1 || right.items[0].kind != JSON_ITEM_STRING)) return TRIB_OK;
    for (uint32_t i = 0; i < left.count; i++) {
        for (uint32_t j = 0; j < right.count; j++) {
            const JsonItem *a = &left.items[i], *b = &right.items[j];
            Truth one = starts ? item_starts(a, b) : items_compare(node->op, a, b);
            any = any || one == TRUTH_TRUE;
            error = error || one == TRUTH_UNKNOWN;
            if (!r->path->lax || one == TRUTH_FALSE) continue;
            *out = one;
            return TRIB_OK;
        }
    }
    *out = error ? TRUTH_UNKNOWN : any ? TRUTH_TRUE : TRUTH_FALSE;
    return TRIB_OK;
}

static Status run_logic(PathRun *r, const PathNode *node, Truth *out) {
    Truth decides = node->kind == PATH_AND ? TRUTH_FALSE : TRUTH_TRUE, right;
    TRY(run_predicate(r, node->left, out));
    if (*out == decides) return TRIB_OK;
    TRY(run_predicate(r, node->right, &right));
    if (right == decides || right == TRUTH_UNKNOWN) *out = right;
    return TRIB_OK;
}

static Status run_predicate(PathRun *r, const PathNode *node, Truth *out) {
    JsonSequence found = {0};
    bool failed;
    switch (node->kind) {
    case PATH_AND:
    case PATH_OR: return run_logic(r, node, out);
    case PATH_NOT:
        TRY(run_predicate(r, node->left, out));
        if (*out != TRUTH_UNKNOWN) *out = *out == TRUTH_TRUE ? TRUTH_FALSE : TRUTH_TRUE;
        return TRIB_OK;
    case PATH_UNKNOWN:
        TRY(run_predicate(r, node->left, out));
        *out = *out == TRUTH_UNKNOWN ? TRUTH_TRUE : TRUTH_FALSE;
        return TRIB_OK;
    case PATH_EXISTS:
        TRY(run_absorbing(r, node->left, true, &found, &failed));
        *out = failed ? TRUTH_UNKNOWN : found.count > 0 ? TRUTH_TRUE : TRUTH_FALSE;
        return TRIB_OK;
    default: return run_pairs(r, node, out);
    }
}

Status json_path_run(const JsonPath *self, Arena *arena, const JsonItem *context,
                     const JsonItem *variables, JsonSequence *out, ErrorCode *failure, Error *err) {
    PathRun run = {.path = self,
                   .arena = arena,
                   .context = context,
                   .variables = variables,
                   .current = context,
                   .err = err};
    *out = (JsonSequence){0};
    *failure = (ErrorCode)0;
    Status status = run_path(&run, self->root, out);
    if (status != TRIB_DATA) return status;
    *failure = run.fault;
    return TRIB_OK;
}
