/*
 * array_text.c - text to arrays and maps and back: split, array_join; measures of arrays of numbers.
 *
 * Pieces of split() are views of the text that is split. Delimiters are never empty.
 */
#include <math.h>

#include "engine/functions/lambda_batch.h"

/* ---------------------------------------------------------------- array_join */

static Status resolve_join(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    Type element = args[0].fields->field[0].type;
    *result = type_varchar(0);
    if (type_castable(element, *result) && !type_is_nested(element)) return TRIB_OK;
    return error_set(err, ERR_SYNTAX, "array_join() cannot make text of elements of type %s",
                     type_id_name((TypeId)element.id));
}

static Status join_row(KernelCall *call, uint32_t row, Buf *text) {
    const Vector *elements = call->args[0].children;
    ListEntry entry = list_entry(&call->args[0], row);
    Str delimiter = arg_text(call, 1, row);
    bool first = true;
    for (uint32_t i = entry.offset; i < entry.offset + entry.length; i++) {
        Value value;
        bool null = vector_is_null(elements, i);
        if (null && call->nargs == 2) continue;
        if (!first) buf_str(text, delimiter);
        first = false;
        if (null) {
            buf_str(text, arg_text(call, 2, row));
            continue;
        }
        TRY(vector_value(call->arena, elements, i, &value, call->err));
        value_text(text, &value);
    }
    return kernel_put_buf(call, row, text);
}

static Status kernel_array_join(KernelCall *call) {
    uint64_t limit = call->session != NULL ? call->session->max_value_size : 0;
    Status status = TRIB_OK;
    Buf text;
    buf_init(&text, NULL, limit != 0 ? limit : UINT32_MAX);
    KERNEL_ROWS(call, row, {
        text.len = 0;
        text.failed = text.exceeded = false;
        if (status == TRIB_OK) status = join_row(call, row, &text);
    });
    buf_clear(&text);
    return status;
}

/* ---------------------------------------------------------------- split */

/* Where the delimiter begins from `at` on; text.len if nowhere. */
static size_t find_delimiter(Str text, size_t at, Str delimiter) {
    while (at + delimiter.len <= text.len) {
        const char *hit =
            memchr(text.data + at, delimiter.data[0], text.len - at - delimiter.len + 1);
        if (hit == NULL) return text.len;
        at = (size_t)(hit - text.data);
        if (memcmp(hit, delimiter.data, delimiter.len) == 0) return at;
        at++;
    }
    return text.len;
}

static bool delimiter_refused(KernelCall *call, uint32_t row, Str delimiter) {
    if (delimiter.len > 0) return false;
    KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT, "the delimiter is empty");
    return true;
}

/* Appends text as one more element of a child of the result. */
static Status piece_add(KernelCall *call, Vector *child, uint32_t at, Str piece) {
    TRY(vector_reserve(call->arena, child, at + 1, call->err));
    ((StrView *)child->data)[at] = strview_of(piece.data, piece.len);
    return TRIB_OK;
}

static Status kernel_split(KernelCall *call) {
    uint32_t at = 0;
    KERNEL_ROWS(call, row, {
        /* The argument's own view may hold the bytes; views of it must not point there. */
        Str text = arg_text(call, 0, row), delimiter = arg_text(call, 1, row);
        int64_t limit = call->nargs == 3 ? arg_int64(call, 2, row) : INT64_MAX;
        uint32_t first = at;
        list_put(call, row, at, 0);
        if (delimiter_refused(call, row, delimiter)) continue;
        if (limit <= 0 || (call->nargs == 3 && limit > INT32_MAX)) {
            KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT, "the limit of split() must be %s",
                        limit <= 0 ? "positive" : "below 2147483648");
            continue;
        }
        for (size_t from = 0;;) {
            size_t to = --limit == 0 ? text.len : find_delimiter(text, from, delimiter);
            TRY(piece_add(call, call->result->children, at++, (Str){text.data + from, to - from}));
            if (to == text.len) break;
            from = to + delimiter.len;
        }
        list_put(call, row, first, at - first);
    });
    call->result->entries = at;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- split_to_map, split_to_multimap */

/* Keys and values of all rows as read, before equal keys are looked for. */
typedef struct Entries {
    Elements keys;
    Vector values;
    uint32_t *lengths; /* by row */
} Entries;

static Status entry_add(KernelCall *call, Entries *self, uint32_t row, Str key, Str value) {
    uint32_t at = self->keys.count;
    TRY(piece_add(call, &self->keys.vector, at, key));
    TRY(piece_add(call, &self->values, at, value));
    self->keys.count++;
    self->lengths[row]++;
    return TRIB_OK;
}

static Status entries_of_row(KernelCall *call, Entries *self, uint32_t row) {
    Str text = arg_text(call, 0, row), between = arg_text(call, 1, row);
    Str inside = arg_text(call, 2, row);
    self->keys.starts[row] = self->keys.count;
    if (delimiter_refused(call, row, between) || delimiter_refused(call, row, inside))
        return TRIB_OK;
    for (size_t from = 0; from < text.len;) {
        size_t to = find_delimiter(text, from, between);
        Str part = {text.data + from, to - from};
        size_t middle = find_delimiter(part, 0, inside);
        if (middle == part.len || find_delimiter(part, middle + inside.len, inside) != part.len) {
            KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                        "an entry must hold the delimiter of key and value once: '" STR_FORMAT "'",
                        STR_ARGS(part));
            return TRIB_OK;
        }
        size_t rest = middle + inside.len;
        TRY(entry_add(call, self, row, (Str){part.data, middle},
                      (Str){part.data + rest, part.len - rest}));
        from = to + between.len;
    }
    return TRIB_OK;
}

static Status entries_of(KernelCall *call, Entries *out) {
    Type text = type_varchar(0);
    *out = (Entries){0};
    TRY(vector_new(call->arena, text, 0, &out->keys.vector, call->err));
    TRY(vector_new(call->arena, text, 0, &out->values, call->err));
    TRY_ALLOC(out->keys.starts, ARENA_ARRAY(call->arena, uint32_t, call->positions), call->err);
    TRY_ALLOC(out->lengths, ARENA_ARRAY(call->arena, uint32_t, call->positions), call->err);
    KERNEL_ROWS(call, row, { TRY(entries_of_row(call, out, row)); });
    TRY_ALLOC(out->keys.hashes, ARENA_ARRAY(call->arena, uint64_t, out->keys.count), call->err);
    vector_hash(&out->keys.vector, NULL, out->keys.count, false, out->keys.hashes);
    return TRIB_OK;
}

/* The value of an entry whose key was there: what the lambda makes of the two. Kept with the call's arena. */
static Status entries_merge(KernelCall *call, Entries *e, uint32_t row, uint32_t old, uint32_t new,
                            uint8_t *error) {
    Vector params[3], result;
    const uint32_t positions[3] = {old, old, new};
    for (uint32_t i = 0; i < 3; i++) {
        TRY(vector_gather(call->arena, i == 0 ? &e->keys.vector : &e->values, &positions[i], 1,
                          &params[i], call->err));
    }
    TRY(kernel_lambda(call, 3, call->arena, 1, &row, params, &result, error));
    if (*error != 0) return TRIB_OK;
    return vector_store(call->arena, &e->values, old, &result, 0, call->err);
}

static Status kernel_split_to_map(KernelCall *call) {
    Entries e;
    Picks picks = {0};
    TRY(entries_of(call, &e));
    ElementSet set = {.first = &e.keys};
    KERNEL_ROWS(call, row, {
        uint32_t first = picks.count, start = e.keys.starts[row];
        TRY(element_set_begin(call, &set, e.lengths[row]));
        TRY(picks_reserve(call, &picks, e.lengths[row]));
        for (uint32_t i = start; i < start + e.lengths[row] && call->errors[row] == 0; i++) {
            uint32_t old = element_set_add(&set, i);
            if (old == NO_POSITION) {
                picks_add(&picks, i);
            } else if (call->nargs == 4) {
                TRY(entries_merge(call, &e, row, old, i, &call->errors[row]));
            } else {
                KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                            "the key '" STR_FORMAT "' stands more than once",
                            STR_ARGS(strview_str((const StrView *)e.keys.vector.data + i)));
            }
        }
        list_put(call, row, first, picks.count - first);
    });
    TRY(picks_finish(call, &picks, &e.keys.vector, 0));
    return picks_finish(call, &picks, &e.values, 1);
}

static Status kernel_split_to_multimap(KernelCall *call) {
    Entries e;
    Multimap map;
    TRY(entries_of(call, &e));
    TRY(multimap_begin(call, &map, &e.keys));
    KERNEL_ROWS(call, row, { TRY(multimap_row(call, &map, row, e.lengths[row])); });
    return multimap_finish(call, &map, &e.values);
}

/* ---------------------------------------------------------------- measures */

typedef struct Products {
    double ab, aa, bb, squared; /* sums of a*b, a*a, b*b, (a-b)^2 */
    bool null;
} Products;

/* false: the arrays differ in length, the row raises. */
static bool products_of(KernelCall *call, uint32_t row, Products *out) {
    const Vector *a = call->args[0].children, *b = call->args[1].children;
    ListEntry x = list_entry(&call->args[0], row), y = list_entry(&call->args[1], row);
    *out = (Products){0};
    if (x.length != y.length) {
        KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                    "the arrays must be of one length, not %u and %u", x.length, y.length);
        return false;
    }
    for (uint32_t i = 0; i < x.length; i++) {
        if (vector_is_null(a, x.offset + i) || vector_is_null(b, y.offset + i)) {
            out->null = true;
            return true;
        }
        double p = *(const double *)vector_at(a, x.offset + i);
        double q = *(const double *)vector_at(b, y.offset + i);
        out->ab += p * q;
        out->aa += p * p;
        out->bb += q * q;
        out->squared += (p - q) * (p - q);
    }
    return true;
}

typedef enum Measure { DOT, COSINE, COSINE_DISTANCE, EUCLIDEAN } Measure;

static Status measure(KernelCall *call, Measure what) {
    double *out = call->result->data;
    KERNEL_ROWS(call, row, {
        Products p;
        out[row] = 0;
        if (!products_of(call, row, &p)) continue;
        bool empty = list_entry(&call->args[0], row).length == 0;
        bool zero = p.aa == 0 || p.bb == 0;
        if (p.null) {
            TRY(kernel_set_null(call, row));
        } else if ((what == COSINE || what == COSINE_DISTANCE) && (zero || empty)) {
            KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                        "the cosine of an array of length 0 is not defined");
        } else if (what == DOT) {
            out[row] = p.ab;
        } else if (what == EUCLIDEAN) {
            out[row] = sqrt(p.squared);
        } else {
            double cosine = p.ab / (sqrt(p.aa) * sqrt(p.bb));
            out[row] = what == COSINE ? cosine : 1 - cosine;
        }
    });
    return TRIB_OK;
}

static Status kernel_dot_product(KernelCall *call) {
    return measure(call, DOT);
}

static Status kernel_cosine_similarity(KernelCall *call) {
    return measure(call, COSINE);
}

static Status kernel_cosine_distance(KernelCall *call) {
    return measure(call, COSINE_DISTANCE);
}

static Status kernel_euclidean_distance(KernelCall *call) {
    return measure(call, EUCLIDEAN);
}

/* ---------------------------------------------------------------- rows */

#define TEXT_ARRAY(ID, SIGNATURE, KERNEL, HELP)                                     \
    {                                                                               \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .may_raise = true, \
        .kernel = KERNEL, .family = "array", .help = HELP                           \
    }
#define JOIN(SIGNATURE, HELP)                                                                      \
    {                                                                                              \
        .id = TRIB_FN_array_join, .name = "array_join", .signature = SIGNATURE, .may_raise = true, \
        .kernel = kernel_array_join, .resolve = resolve_join, .family = "array", .help = HELP      \
    }

static const Function rows[] = {
    JOIN("array(E), varchar -> *", "The elements as text with a delimiter between them; NULL ones "
                                   "are left out."),
    JOIN("array(E), varchar, varchar -> *",
         "The elements as text with a delimiter between them and a text for NULL ones."),
    TEXT_ARRAY(split, "varchar, varchar -> array(varchar)", kernel_split,
               "The pieces of a text between delimiters."),
    TEXT_ARRAY(split, "varchar, varchar, bigint -> array(varchar)", kernel_split,
               "At most so many pieces of a text, the last one with all that is left."),
    TEXT_ARRAY(split_to_map, "varchar, varchar, varchar -> map(varchar, varchar)",
               kernel_split_to_map, "Keys and values read from text; keys must differ."),
    TEXT_ARRAY(split_to_map,
               "varchar, varchar, varchar, function(varchar, varchar, varchar, varchar) -> "
               "map(varchar, varchar)",
               kernel_split_to_map,
               "Keys and values read from text; the lambda (key, old, new) decides on equal keys."),
    TEXT_ARRAY(split_to_multimap, "varchar, varchar, varchar -> map(varchar, array(varchar))",
               kernel_split_to_multimap, "Keys and all their values read from text."),
    TEXT_ARRAY(dot_product, "array(double), array(double) -> double", kernel_dot_product,
               "The sum of the products of the elements at the same places."),
    TEXT_ARRAY(cosine_similarity, "array(double), array(double) -> double",
               kernel_cosine_similarity, "The cosine of the angle between two vectors."),
    TEXT_ARRAY(cosine_distance, "array(double), array(double) -> double", kernel_cosine_distance,
               "1 minus the cosine of the angle between two vectors."),
    TEXT_ARRAY(euclidean_distance, "array(double), array(double) -> double",
               kernel_euclidean_distance, "The distance between two points."),
};

FUNCTION_TABLE(functions_array_text, rows);
