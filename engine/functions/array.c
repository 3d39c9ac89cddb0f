/*
 * array.c - functions of arrays that choose among elements: positions, sets, order.
 *
 * Semantics are Trino's. Elements are compared as by IS NOT DISTINCT FROM where sets are meant, as by =
 * where a value is looked for. Results are gathered positions, so that text is shared with the arguments.
 */
#include <inttypes.h>

#include "engine/functions/nested.h"
#include "engine/kernels/compare.h"

/* ---------------------------------------------------------------- looking for a value */

/* NULL if it is not found among elements of which some are NULL. */
static Status kernel_contains(KernelCall *call) {
    const Vector *v = &call->args[0];
    uint8_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        ListEntry entry = list_entry(v, row);
        bool unknown = false;
        out[row] = 0;
        for (uint32_t i = entry.offset; i < entry.offset + entry.length && !out[row]; i++) {
            if (vector_is_null(v->children, i)) {
                unknown = true;
                continue;
            }
            Equality equal = vector_equality(v->children, i, &call->args[1], row);
            out[row] = equal == EQUAL_YES;
            unknown = unknown || equal == EQUAL_UNKNOWN;
        }
        if (!out[row] && unknown) TRY(kernel_set_null(call, row));
    });
    return TRIB_OK;
}

/* Is element `position` certainly equal to the value in argument `index`? */
static bool element_is(const KernelCall *call, uint32_t position, uint32_t index, uint32_t row) {
    const Vector *elements = call->args[0].children;
    return !vector_is_null(elements, position) &&
           vector_equality(elements, position, &call->args[index], row) == EQUAL_YES;
}

static Status kernel_array_position(KernelCall *call) {
    int64_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        ListEntry entry = list_entry(&call->args[0], row);
        out[row] = 0;
        for (uint32_t i = 0; i < entry.length && out[row] == 0; i++) {
            if (element_is(call, entry.offset + i, 1, row)) out[row] = (int64_t)i + 1;
        }
    });
    return TRIB_OK;
}

static Status kernel_array_remove(KernelCall *call) {
    Picks picks = {0};
    KERNEL_ROWS(call, row, {
        ListEntry entry = list_entry(&call->args[0], row);
        uint32_t first = picks.count;
        TRY(picks_reserve(call, &picks, entry.length));
        for (uint32_t i = entry.offset; i < entry.offset + entry.length; i++) {
            if (!element_is(call, i, 1, row)) picks_add(&picks, i);
        }
        list_put(call, row, first, picks.count - first);
    });
    return picks_finish(call, &picks, call->args[0].children, 0);
}

/* Runs of equal elements, NULL equal to NULL. */
static bool sequence_at(const Vector *a, uint32_t at, const Vector *b, ListEntry sequence) {
    for (uint32_t i = 0; i < sequence.length; i++) {
        if (!vector_equal(a, at + i, b, sequence.offset + i)) return false;
    }
    return true;
}

static Status kernel_contains_sequence(KernelCall *call) {
    uint8_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        ListEntry entry = list_entry(&call->args[0], row);
        ListEntry sequence = list_entry(&call->args[1], row);
        out[row] = 0;
        for (uint32_t i = 0; i + sequence.length <= entry.length && !out[row]; i++) {
            out[row] = sequence_at(call->args[0].children, entry.offset + i, call->args[1].children,
                                   sequence);
        }
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- sets */

static Status kernel_array_distinct(KernelCall *call) {
    Elements elements;
    Picks picks = {0};
    TRY(elements_of(call, 0, 0, true, &elements));
    ElementSet set = {.first = &elements};
    KERNEL_ROWS(call, row, {
        uint32_t length = list_entry(&call->args[0], row).length, first = picks.count;
        TRY(element_set_begin(call, &set, length));
        TRY(picks_reserve(call, &picks, length));
        for (uint32_t i = elements.starts[row]; i < elements.starts[row] + length; i++) {
            if (element_set_add(&set, i) == NO_POSITION) picks_add(&picks, i);
        }
        list_put(call, row, first, picks.count - first);
    });
    return picks_finish(call, &picks, &elements.vector, 0);
}

/* Both arrays of a row: elements of the second stand behind all of the first in the set's count. */
typedef struct Pair {
    Elements a, b;
    ElementSet set;
} Pair;

static Status pair_of(KernelCall *call, Pair *out) {
    TRY(elements_of(call, 0, 0, true, &out->a));
    TRY(elements_of(call, 1, 0, true, &out->b));
    out->set = (ElementSet){.first = &out->a, .second = &out->b};
    return TRIB_OK;
}

/* Puts all elements of the second array of a row into the emptied set. */
static Status pair_add_second(KernelCall *call, Pair *pair, uint32_t row, uint32_t more) {
    uint32_t length = list_entry(&call->args[1], row).length;
    TRY(element_set_begin(call, &pair->set, length + more));
    for (uint32_t i = 0; i < length; i++)
        (void)element_set_add(&pair->set, pair->a.count + pair->b.starts[row] + i);
    return TRIB_OK;
}

/* The different elements of the first array that the second one has (wanted), or has not. */
static Status array_select(KernelCall *call, bool wanted) {
    Pair pair;
    ElementSet taken;
    Picks picks = {0};
    TRY(pair_of(call, &pair));
    taken = (ElementSet){.first = &pair.a};
    KERNEL_ROWS(call, row, {
        uint32_t length = list_entry(&call->args[0], row).length, first = picks.count;
        TRY(pair_add_second(call, &pair, row, 0));
        TRY(element_set_begin(call, &taken, length));
        TRY(picks_reserve(call, &picks, length));
        for (uint32_t i = pair.a.starts[row]; i < pair.a.starts[row] + length; i++) {
            if ((element_set_find(&pair.set, i) != NO_POSITION) != wanted) continue;
            if (element_set_add(&taken, i) == NO_POSITION) picks_add(&picks, i);
        }
        list_put(call, row, first, picks.count - first);
    });
    return picks_finish(call, &picks, &pair.a.vector, 0);
}

static Status kernel_array_intersect(KernelCall *call) {
    return array_select(call, true);
}

static Status kernel_array_except(KernelCall *call) {
    return array_select(call, false);
}

static Status kernel_array_union(KernelCall *call) {
    Pair pair;
    Vector *out = &call->result->children[0];
    TRY(pair_of(call, &pair));
    TRY(vector_reserve(call->arena, out, pair.a.count + pair.b.count, call->err));
    uint32_t at = 0;
    KERNEL_ROWS(call, row, {
        uint32_t first = at;
        ListEntry lists[2] = {list_entry(&call->args[0], row), list_entry(&call->args[1], row)};
        TRY(element_set_begin(call, &pair.set, lists[0].length + lists[1].length));
        for (uint32_t side = 0; side < 2; side++) {
            const Elements *e = side ? &pair.b : &pair.a;
            for (uint32_t i = e->starts[row]; i < e->starts[row] + lists[side].length; i++) {
                uint32_t position = side ? pair.a.count + i : i;
                if (element_set_add(&pair.set, position) != NO_POSITION) continue;
                TRY(vector_store(call->arena, out, at++, &e->vector, i, call->err));
            }
        }
        list_put(call, row, first, at - first);
    });
    call->result->entries = at;
    return TRIB_OK;
}

/* NULL if nothing is found but a NULL is on either side. */
static Status kernel_arrays_overlap(KernelCall *call) {
    Pair pair;
    uint8_t *out = call->result->data;
    TRY(pair_of(call, &pair));
    KERNEL_ROWS(call, row, {
        uint32_t length = list_entry(&call->args[0], row).length;
        uint32_t others = list_entry(&call->args[1], row).length;
        bool null_a = false, null_b = false;
        out[row] = 0;
        TRY(pair_add_second(call, &pair, row, 0));
        for (uint32_t i = 0; i < length; i++) {
            uint32_t at = pair.a.starts[row] + i;
            bool null = vector_is_null(&pair.a.vector, at);
            null_a = null_a || null;
            if (!null && element_set_find(&pair.set, at) != NO_POSITION) out[row] = 1;
        }
        for (uint32_t i = 0; i < others; i++)
            null_b = null_b || vector_is_null(&pair.b.vector, pair.b.starts[row] + i);
        bool unknown = (null_a && others > 0) || (null_b && length > 0);
        if (!out[row] && unknown) TRY(kernel_set_null(call, row));
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- order */

/* Merges sorted runs of a row's positions until there is one; NULL elements are last. */
static void positions_sort(const Vector *v, uint32_t count, uint32_t *positions, uint32_t *room) {
    uint32_t *from = positions, *to = room;
    for (uint32_t width = 1; width < count; width *= 2) {
        for (uint32_t start = 0; start < count; start += 2 * width) {
            uint32_t middle = start + width < count ? start + width : count;
            uint32_t end = middle + width < count ? middle + width : count;
            uint32_t a = start, b = middle;
            for (uint32_t i = start; i < end; i++) {
                bool left = b == end;
                if (!left && a < middle) {
                    bool null_a = vector_is_null(v, from[a]), null_b = vector_is_null(v, from[b]);
                    left = null_a || null_b ? null_b : vector_compare(v, from[a], v, from[b]) <= 0;
                }
                to[i] = left ? from[a++] : from[b++];
            }
        }
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != positions) memcpy(positions, from, count * sizeof(uint32_t));
}

static Status kernel_array_sort(KernelCall *call) {
    Picks picks = {0};
    uint32_t *room = NULL, longest = 0;
    KERNEL_ROWS(call, row, {
        ListEntry entry = list_entry(&call->args[0], row);
        list_put(call, row, picks.count, entry.length);
        TRY(picks_reserve(call, &picks, entry.length));
        for (uint32_t i = 0; i < entry.length; i++) picks_add(&picks, entry.offset + i);
        if (entry.length > longest) longest = entry.length;
    });
    TRY_ALLOC(room, ARENA_ARRAY(call->arena, uint32_t, longest), call->err);
    KERNEL_ROWS(call, row, {
        ListEntry entry = ((const ListEntry *)call->result->data)[row];
        if (entry.length == 0) continue; /* there may be no picks at all */
        positions_sort(call->args[0].children, entry.length, picks.at + entry.offset, room);
    });
    return picks_finish(call, &picks, call->args[0].children, 0);
}

static bool is_nan(const Vector *v, uint32_t position) {
    if (v->physical != PHYS_DOUBLE && v->physical != PHYS_FLOAT) return false;
    const void *at = vector_at(v, position);
    double x = v->physical == PHYS_DOUBLE ? *(const double *)at : (double)*(const float *)at;
    return x != x;
}

/* NULL for an empty array and where an element is NULL; NaN only if there is nothing else. */
static Status array_extreme(KernelCall *call, int sign) {
    const Vector *v = call->args[0].children;
    uint32_t *rows;
    TRY(rows_new(call, &rows));
    KERNEL_ROWS(call, row, {
        ListEntry entry = list_entry(&call->args[0], row);
        uint32_t best = NO_POSITION;
        for (uint32_t i = entry.offset; i < entry.offset + entry.length; i++) {
            if (vector_is_null(v, i)) {
                best = NO_POSITION;
                break;
            }
            if (best == NO_POSITION || is_nan(v, best) ||
                (!is_nan(v, i) && vector_compare(v, i, v, best) * sign > 0)) {
                best = i;
            }
        }
        rows[row] = best;
    });
    return result_gather(call, v, rows);
}

static Status kernel_array_max(KernelCall *call) {
    return array_extreme(call, 1);
}

static Status kernel_array_min(KernelCall *call) {
    return array_extreme(call, -1);
}

static Status kernel_shuffle(KernelCall *call) {
    Picks picks = {0};
    uint64_t seed = call->session != NULL ? call->session->random_seed : 1;
    seed ^= dictionary_identity() * UINT64_C(0x9e3779b97f4a7c15);
    KERNEL_ROWS(call, row, {
        ListEntry entry = list_entry(&call->args[0], row);
        uint32_t first = picks.count;
        TRY(picks_reserve(call, &picks, entry.length));
        for (uint32_t i = 0; i < entry.length; i++) {
            seed += UINT64_C(0x9e3779b97f4a7c15);
            uint64_t z = (seed ^ seed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
            z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
            uint32_t other = first + (uint32_t)((z ^ z >> 31) % (i + 1));
            picks_add(&picks, entry.offset + i);
            uint32_t swap = picks.at[other];
            picks.at[other] = picks.at[first + i];
            picks.at[first + i] = swap;
        }
        list_put(call, row, first, entry.length);
    });
    return picks_finish(call, &picks, call->args[0].children, 0);
}

/* ---------------------------------------------------------------- pieces */

/* Pieces share the elements of the argument. */
static Status share_elements(KernelCall *call) {
    Vector *child = &call->result->children[0];
    *child = call->args[0].children[0];
    call->result->entries = call->args[0].entries;
    return vector_retype(call->arena, child, call->result_type.fields->field[0].type, call->err);
}

static Status kernel_slice(KernelCall *call) {
    TRY(share_elements(call));
    KERNEL_ROWS(call, row, {
        ListEntry entry = list_entry(&call->args[0], row);
        int64_t start = arg_int64(call, 1, row), length = arg_int64(call, 2, row);
        int64_t from = start > 0 ? start - 1 : (int64_t)entry.length + start;
        list_put(call, row, entry.offset, 0);
        if (start == 0) {
            KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT, "elements of arrays are counted from 1");
        } else if (length < 0) {
            KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                        "the length %" PRId64 " of a slice is negative", length);
        } else if (from >= 0 && from < entry.length) {
            if (length > entry.length - from) length = entry.length - from;
            list_put(call, row, entry.offset + (uint32_t)from, (uint32_t)length);
        }
    });
    return TRIB_OK;
}

static Status kernel_trim_array(KernelCall *call) {
    TRY(share_elements(call));
    KERNEL_ROWS(call, row, {
        ListEntry entry = list_entry(&call->args[0], row);
        int64_t n = arg_int64(call, 1, row);
        list_put(call, row, entry.offset, 0);
        if (n < 0) {
            KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                        "the number %" PRId64 " of elements to trim is negative", n);
        } else if (n > entry.length) {
            KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                        "%" PRId64 " elements cannot be trimmed off an array of %u", n,
                        entry.length);
        } else {
            list_put(call, row, entry.offset, entry.length - (uint32_t)n);
        }
    });
    return TRIB_OK;
}

static Status kernel_array_reverse(KernelCall *call) {
    Picks picks = {0};
    KERNEL_ROWS(call, row, {
        ListEntry entry = list_entry(&call->args[0], row);
        list_put(call, row, picks.count, entry.length);
        TRY(picks_reserve(call, &picks, entry.length));
        for (uint32_t i = entry.length; i > 0; i--) picks_add(&picks, entry.offset + i - 1);
    });
    return picks_finish(call, &picks, call->args[0].children, 0);
}

static Status array_end(KernelCall *call, bool last) {
    uint32_t *rows;
    TRY(rows_new(call, &rows));
    KERNEL_ROWS(call, row, {
        ListEntry entry = list_entry(&call->args[0], row);
        if (entry.length > 0) rows[row] = entry.offset + (last ? entry.length - 1 : 0);
    });
    return result_gather(call, call->args[0].children, rows);
}

static Status kernel_array_first(KernelCall *call) {
    return array_end(call, false);
}

static Status kernel_array_last(KernelCall *call) {
    return array_end(call, true);
}

/* ---------------------------------------------------------------- rows */

#define ARRAY(ID, NAME, SIGNATURE, RAISES, KERNEL, HELP)                               \
    {                                                                                  \
        .id = TRIB_FN_##ID, .name = NAME, .signature = SIGNATURE, .may_raise = RAISES, \
        .kernel = KERNEL, .family = "array", .help = HELP                              \
    }

static const Function rows[] = {
    ARRAY(contains, "contains", "array(T), T -> boolean", false, kernel_contains,
          "Whether an element equals the value; NULL if that depends on a NULL element."),
    ARRAY(contains_sequence, "contains_sequence", "array(T), array(T) -> boolean", false,
          kernel_contains_sequence, "Whether the second array stands in the first one, in a row."),
    ARRAY(array_position, "array_position", "array(T), T -> bigint", false, kernel_array_position,
          "The place of the first element that equals the value, from 1; 0 if there is none."),
    ARRAY(array_remove, "array_remove", "array(T), T -> array(T)", false, kernel_array_remove,
          "The array without the elements that equal the value."),
    ARRAY(array_distinct, "array_distinct", "array(T) -> array(T)", false, kernel_array_distinct,
          "The different elements, in the order in which they come first."),
    ARRAY(array_union, "array_union", "array(T), array(T) -> array(T)", false, kernel_array_union,
          "The different elements of both arrays."),
    ARRAY(array_intersect, "array_intersect", "array(T), array(T) -> array(T)", false,
          kernel_array_intersect, "The different elements that are in both arrays."),
    ARRAY(array_except, "array_except", "array(T), array(T) -> array(T)", false,
          kernel_array_except, "The different elements of the first array that the second lacks."),
    ARRAY(arrays_overlap, "arrays_overlap", "array(T), array(T) -> boolean", false,
          kernel_arrays_overlap,
          "Whether the arrays share an element; NULL if that depends on a NULL element."),
    ARRAY(array_sort, "array_sort", "array(O) -> array(O)", false, kernel_array_sort,
          "The elements in ascending order, NULL last."),
    ARRAY(array_max, "array_max", "array(O) -> O", false, kernel_array_max,
          "The largest element; NULL if one is NULL."),
    ARRAY(array_min, "array_min", "array(O) -> O", false, kernel_array_min,
          "The smallest element; NULL if one is NULL."),
    {.id = TRIB_FN_shuffle,
     .name = "shuffle",
     .signature = "array(E) -> array(E)",
     .stability = STABILITY_VOLATILE,
     .kernel = kernel_shuffle,
     .family = "array",
     .help = "The elements in a random order."},
    ARRAY(slice, "slice", "array(E), bigint, bigint -> array(E)", true, kernel_slice,
          "So many elements from a place on, which below 0 counts from the end."),
    ARRAY(trim_array, "trim_array", "array(E), bigint -> array(E)", true, kernel_trim_array,
          "The array without its last n elements."),
    ARRAY(reverse, "reverse", "array(E) -> array(E)", false, kernel_array_reverse,
          "The elements from the last to the first."),
    ARRAY(array_first, "array_first", "array(E) -> E", false, kernel_array_first,
          "The first element; NULL if there is none."),
    ARRAY(array_last, "array_last", "array(E) -> E", false, kernel_array_last,
          "The last element; NULL if there is none."),
};

FUNCTION_TABLE(functions_array, rows);
