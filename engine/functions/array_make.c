/*
 * array_make.c - functions that make arrays: of several arrays, of numbers and dates, of combinations.
 *
 * Limits are Trino's: 10,000 entries of sequence() and repeat(), combinations of at most 5 elements and
 * 100,000 of them. Elements are appended to the result's child.
 */
#include <inttypes.h>

#include "engine/base/calendar.h"
#include "engine/functions/nested.h"

#define ENTRIES_MAX          10000
#define COMBINATION_SIZE_MAX 5
#define COMBINATIONS_MAX     100000

/* ---------------------------------------------------------------- concat, flatten */

static Status kernel_array_concat(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        uint32_t first = call->result->entries;
        for (uint32_t i = 0; i < call->nargs; i++) {
            ListEntry entry = list_entry(&call->args[i], row);
            TRY(elements_append(call, 0, call->args[i].children, entry));
            call->result->entries += entry.length;
        }
        list_put(call, row, first, call->result->entries - first);
    });
    return TRIB_OK;
}

/* One element before or behind an array; a NULL element is one, a NULL array makes NULL. */
static Status concat_element(KernelCall *call, uint32_t array, uint32_t element) {
    KERNEL_ROWS(call, row, {
        uint32_t first = call->result->entries;
        if (vector_is_null(&call->args[array], row)) {
            TRY(kernel_set_null(call, row));
            continue;
        }
        ListEntry entry = list_entry(&call->args[array], row);
        for (uint32_t i = 0; i < 2; i++) {
            if (i == array) {
                TRY(elements_append(call, 0, call->args[array].children, entry));
                call->result->entries += entry.length;
                continue;
            }
            TRY(vector_append_rows(call->arena, call->result->children, call->result->entries,
                                   &call->args[element], &row, 1, call->err));
            call->result->entries++;
        }
        list_put(call, row, first, entry.length + 1);
    });
    return TRIB_OK;
}

static Status kernel_array_append(KernelCall *call) {
    return concat_element(call, 0, 1);
}

static Status kernel_array_prepend(KernelCall *call) {
    return concat_element(call, 1, 0);
}

static Status kernel_flatten(KernelCall *call) {
    const Vector *lists = call->args[0].children;
    Picks picks = {0};
    const Vector *base = lists;
    while (base->form == VECTOR_DICTIONARY) base = base->children;
    KERNEL_ROWS(call, row, {
        ListEntry outer = list_entry(&call->args[0], row);
        uint32_t first = picks.count;
        for (uint32_t i = outer.offset; i < outer.offset + outer.length; i++) {
            if (vector_is_null(lists, i)) continue;
            ListEntry inner = *(const ListEntry *)vector_at(lists, i);
            TRY(picks_reserve(call, &picks, inner.length));
            for (uint32_t k = 0; k < inner.length; k++) picks_add(&picks, inner.offset + k);
        }
        list_put(call, row, first, picks.count - first);
    });
    return picks_finish(call, &picks, base->children, 0);
}

/* ---------------------------------------------------------------- repeat, zip */

static Status kernel_array_repeat(KernelCall *call) {
    Picks picks = {0};
    KERNEL_ROWS(call, row, {
        if (vector_is_null(&call->args[1], row)) {
            TRY(kernel_set_null(call, row));
            continue;
        }
        int64_t n = arg_int64(call, 1, row);
        list_put(call, row, picks.count, 0);
        if (n < 0 || n > ENTRIES_MAX) {
            KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                        "repeat() takes from 0 to %d times, not %" PRId64, ENTRIES_MAX, n);
            continue;
        }
        TRY(picks_reserve(call, &picks, (uint64_t)n));
        list_put(call, row, picks.count, (uint32_t)n);
        for (int64_t i = 0; i < n; i++) picks_add(&picks, row);
    });
    return picks_finish(call, &picks, &call->args[0], 0);
}

static Status resolve_zip(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    TribTypeField *fields;
    TRY_ALLOC(fields, ARENA_ARRAY(arena, TribTypeField, nargs), err);
    for (uint32_t i = 0; i < nargs; i++) fields[i].type = args[i].fields->field[0].type;
    Type row = type_row(arena, nargs, fields);
    if (row.id == TRIB_TYPE_UNKNOWN) return error_out_of_memory(err);
    *result = type_array(arena, row);
    return result->id == TRIB_TYPE_UNKNOWN ? error_out_of_memory(err) : TRIB_OK;
}

static Status kernel_zip(KernelCall *call) {
    Vector *row_vector = &call->result->children[0];
    uint32_t total = 0;
    for (uint32_t a = 0; a < call->nargs; a++) {
        Picks picks = {0};
        total = 0;
        KERNEL_ROWS(call, row, {
            uint32_t longest = 0;
            for (uint32_t i = 0; i < call->nargs; i++) {
                uint32_t length = list_entry(&call->args[i], row).length;
                if (length > longest) longest = length;
            }
            ListEntry own = list_entry(&call->args[a], row);
            TRY(picks_reserve(call, &picks, longest));
            for (uint32_t i = 0; i < longest; i++)
                picks_add(&picks, i < own.length ? own.offset + i : NO_POSITION);
            list_put(call, row, total, longest);
            total += longest;
        });
        Vector *field = &row_vector->children[a];
        TRY(positions_gather(call, call->args[a].children, picks.at, picks.count, field));
    }
    call->result->entries = total;
    row_vector->capacity = total;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- sequence */

/* The number of entries from `start` to `stop` by `step` of one sign; 0 and the row raises. */
static uint32_t sequence_count(KernelCall *call, uint32_t row, Int128 start, Int128 stop,
                               Int128 step) {
    if (step == 0) {
        KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT, "the step of a sequence must not be 0");
        return 0;
    }
    if (step > 0 ? stop < start : stop > start) {
        KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                    "a sequence with a %s step cannot go from its start to its stop",
                    step > 0 ? "positive" : "negative");
        return 0;
    }
    Int128 count = (stop - start) / step + 1;
    if (count > ENTRIES_MAX) {
        KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT, "a sequence has at most %d entries",
                    ENTRIES_MAX);
        return 0;
    }
    return (uint32_t)count;
}

/* Numbers as they lie: bigint, days of dates, microseconds of timestamps. */
static int64_t sequence_value(const Vector *v, uint32_t row) {
    const void *at = vector_at(v, row);
    if (v->physical == PHYS_INT32) return *(const int32_t *)at;
    if (v->physical == PHYS_INSTANT) return ((const Instant *)at)->us;
    return *(const int64_t *)at;
}

static void sequence_store(Vector *out, uint32_t at, int64_t value, int32_t ns) {
    switch (out->physical) {
    case PHYS_INT32: ((int32_t *)out->data)[at] = (int32_t)value; break;
    case PHYS_INSTANT: ((Instant *)out->data)[at] = (Instant){.us = value, .ns = ns}; break;
    default: ((int64_t *)out->data)[at] = value; break;
    }
}

/* Steps of one length in units of the values: numbers, days, microseconds. */
static Status sequence_even(KernelCall *call, uint32_t row, int64_t step) {
    Vector *out = call->result->children;
    int64_t start = sequence_value(&call->args[0], row);
    int64_t stop = sequence_value(&call->args[1], row);
    int32_t ns = 0;
    if (out->physical == PHYS_INSTANT) {
        int32_t last = ((const Instant *)vector_at(&call->args[1], row))->ns;
        ns = ((const Instant *)vector_at(&call->args[0], row))->ns;
        if (step > 0 && last < ns) stop--; /* the stop lies before the next whole step */
        if (step < 0 && last > ns) stop++;
    }
    uint32_t n = sequence_count(call, row, start, stop, step), at = call->result->entries;
    TRY(vector_reserve(call->arena, out, at + n, call->err));
    for (uint32_t i = 0; i < n; i++)
        sequence_store(out, at + i, (int64_t)((Int128)start + (Int128)step * i), ns);
    list_put(call, row, at, n);
    call->result->entries += n;
    return TRIB_OK;
}

static Status kernel_sequence(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        int64_t start = sequence_value(&call->args[0], row);
        int64_t stop = sequence_value(&call->args[1], row);
        int64_t step = stop >= start ? 1 : -1;
        if (call->nargs == 3) step = sequence_value(&call->args[2], row);
        TRY(sequence_even(call, row, step));
    });
    return TRIB_OK;
}

static Status kernel_sequence_days(KernelCall *call) {
    bool dates = call->args[0].type.id == TRIB_TYPE_DATE;
    KERNEL_ROWS(call, row, {
        int64_t step = arg_int64(call, 2, row);
        list_put(call, row, 0, 0);
        if (dates && step % US_PER_DAY != 0) {
            KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT, "a sequence of dates steps by whole days");
            continue;
        }
        TRY(sequence_even(call, row, dates ? step / US_PER_DAY : step));
    });
    return TRIB_OK;
}

/* The start moved by months, the day cut to the month's last; *beyond: outside of the calendar. */
static int64_t months_later(bool dates, int64_t start, int64_t months, bool *beyond) {
    int64_t days = dates ? start : start / US_PER_DAY - (start % US_PER_DAY < 0);
    int64_t rest = dates ? 0 : start - days * US_PER_DAY;
    days = date_add_months((int32_t)days, months, beyond);
    return dates ? days : days * US_PER_DAY + rest;
}

static Status sequence_by_months(KernelCall *call, uint32_t row, int64_t months) {
    Vector *out = call->result->children;
    bool dates = call->args[0].type.id == TRIB_TYPE_DATE;
    int64_t start = sequence_value(&call->args[0], row);
    int64_t stop = sequence_value(&call->args[1], row);
    int32_t ns = 0;
    if (out->physical == PHYS_INSTANT) ns = ((const Instant *)vector_at(&call->args[0], row))->ns;
    /* the sign of the step is judged as for even steps, the count by going there */
    Int128 whole = stop >= start ? 1 : -1;
    uint32_t at = call->result->entries, n = 0;
    list_put(call, row, at, 0);
    if (months == 0 || (months > 0 ? stop < start : stop > start)) {
        (void)sequence_count(call, row, start, stop, months == 0 ? 0 : -whole);
        return TRIB_OK;
    }
    bool beyond = false;
    for (int64_t value = start; !beyond && (months > 0 ? value <= stop : value >= stop);
         value = months_later(dates, start, months * n, &beyond)) {
        if (n == ENTRIES_MAX) {
            KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT, "a sequence has at most %d entries",
                        ENTRIES_MAX);
            return TRIB_OK;
        }
        TRY(vector_reserve(call->arena, out, at + n + 1, call->err));
        sequence_store(out, at + n++, value, ns);
    }
    list_put(call, row, at, n);
    call->result->entries += n;
    return TRIB_OK;
}

static Status kernel_sequence_months(KernelCall *call) {
    KERNEL_ROWS(call, row,
                { TRY(sequence_by_months(call, row, KERNEL_ARG(call, 2, int32_t, row))); });
    return TRIB_OK;
}

/* Timestamps of one precision. */
static Status resolve_sequence(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    Type common;
    if (!type_common(arena, args[0], args[1], &common))
        return error_set(err, ERR_SYNTAX, "start and stop of a sequence have no common type");
    args[0] = args[1] = common;
    *result = type_array(arena, common);
    return result->id == TRIB_TYPE_UNKNOWN ? error_out_of_memory(err) : TRIB_OK;
}

/* ---------------------------------------------------------------- combinations, ngrams */

/* Lists of lists: the result's child holds the inner lists, its child their elements. */
typedef struct InnerLists {
    Vector *lists;
    Picks picks;
    uint32_t count;
} InnerLists;

static Status inner_add(KernelCall *call, InnerLists *self, uint32_t length) {
    TRY(vector_reserve(call->arena, self->lists, self->count + 1, call->err));
    ((ListEntry *)self->lists->data)[self->count++] = (ListEntry){self->picks.count, length};
    return picks_reserve(call, &self->picks, length);
}

static Status inner_finish(KernelCall *call, InnerLists *self) {
    call->result->entries = self->count;
    self->lists->entries = self->picks.count;
    return positions_gather(call, call->args[0].children, self->picks.at, self->picks.count,
                            &self->lists->children[0]);
}

static uint64_t combination_count(uint32_t n, uint32_t k) {
    uint64_t count = 1;
    for (uint32_t i = 0; i < k && count <= COMBINATIONS_MAX; i++) count = count * (n - i) / (i + 1);
    return count;
}

/* All ways to choose k of n places in ascending order, the last place moving fastest. */
static Status combinations_of(KernelCall *call, InnerLists *out, ListEntry entry, uint32_t k) {
    uint32_t chosen[COMBINATION_SIZE_MAX] = {0, 1, 2, 3, 4};
    for (;;) {
        TRY(inner_add(call, out, k));
        for (uint32_t i = 0; i < k; i++) picks_add(&out->picks, entry.offset + chosen[i]);
        uint32_t move = k;
        while (move > 0 && chosen[move - 1] == entry.length - k + move - 1) move--;
        if (move == 0) return TRIB_OK;
        chosen[move - 1]++;
        for (uint32_t i = move; i < k; i++) chosen[i] = chosen[i - 1] + 1;
    }
}

static Status kernel_combinations(KernelCall *call) {
    InnerLists out = {.lists = call->result->children};
    KERNEL_ROWS(call, row, {
        ListEntry entry = list_entry(&call->args[0], row);
        int64_t k = arg_int64(call, 1, row);
        uint32_t first = out.count;
        list_put(call, row, first, 0);
        if (k < 0 || k > COMBINATION_SIZE_MAX) {
            KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                        "combinations() takes from 0 to %d elements at a time, not %" PRId64,
                        COMBINATION_SIZE_MAX, k);
            continue;
        }
        if (k > entry.length) continue;
        if (combination_count(entry.length, (uint32_t)k) > COMBINATIONS_MAX) {
            KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT, "there are more than %d combinations",
                        COMBINATIONS_MAX);
            continue;
        }
        TRY(combinations_of(call, &out, entry, (uint32_t)k));
        list_put(call, row, first, out.count - first);
    });
    return inner_finish(call, &out);
}

static Status kernel_ngrams(KernelCall *call) {
    InnerLists out = {.lists = call->result->children};
    KERNEL_ROWS(call, row, {
        ListEntry entry = list_entry(&call->args[0], row);
        int64_t n = arg_int64(call, 1, row);
        uint32_t first = out.count;
        list_put(call, row, first, 0);
        if (n <= 0) {
            KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                        "ngrams() takes 1 element at a time or more, not %" PRId64, n);
            continue;
        }
        uint32_t length = n < entry.length ? (uint32_t)n : entry.length;
        for (uint32_t i = 0; i + length <= entry.length; i++) {
            TRY(inner_add(call, &out, length));
            for (uint32_t k = 0; k < length; k++) picks_add(&out.picks, entry.offset + i + k);
            if (length == 0) break;
        }
        list_put(call, row, first, out.count - first);
    });
    return inner_finish(call, &out);
}

/* ---------------------------------------------------------------- rows */

#define MAKE(ID, NAME, SIGNATURE, RAISES, KERNEL, HELP)                                \
    {                                                                                  \
        .id = TRIB_FN_##ID, .name = NAME, .signature = SIGNATURE, .may_raise = RAISES, \
        .kernel = KERNEL, .family = "array", .help = HELP                              \
    }
#define SEQUENCE(TYPES, KERNEL, HELP)                                                      \
    {                                                                                      \
        .id = TRIB_FN_sequence, .name = "sequence", .signature = TYPES, .may_raise = true, \
        .kernel = KERNEL, .resolve = resolve_sequence, .family = "array", .help = HELP     \
    }
#define ZIP(TYPES)                                                                         \
    {                                                                                      \
        .id = TRIB_FN_zip, .name = "zip", .signature = TYPES, .kernel = kernel_zip,        \
        .resolve = resolve_zip, .family = "array",                                         \
        .help = "Rows of the elements at the same places, NULL where an array is shorter." \
    }

static const Function rows[] = {
    MAKE(concat, "concat", "array(E), array(E)... -> array(E)", false, kernel_array_concat,
         "The elements of the arrays one after the other."),
    {.id = TRIB_FN_concat,
     .name = "concat",
     .signature = "array(E), E -> array(E)",
     .nulls = NULLS_CALLED,
     .kernel = kernel_array_append,
     .family = "array",
     .help = "The array with one more element at its end."},
    {.id = TRIB_FN_concat,
     .name = "concat",
     .signature = "E, array(E) -> array(E)",
     .nulls = NULLS_CALLED,
     .kernel = kernel_array_prepend,
     .family = "array",
     .help = "The array with one more element at its beginning."},
    MAKE(flatten, "flatten", "array(array(E)) -> array(E)", false, kernel_flatten,
         "The elements of all arrays in an array."),
    {.id = TRIB_FN_array_repeat,
     .name = "repeat",
     .signature = "E, bigint -> array(E)",
     .nulls = NULLS_CALLED,
     .may_raise = true,
     .kernel = kernel_array_repeat,
     .family = "array",
     .help = "An array of the value n times."},
    ZIP("array(E), array(W) -> *"),
    ZIP("array(E), array(W), array(R) -> *"),
    ZIP("array(E), array(W), array(R), array(S) -> *"),
    ZIP("array(E), array(W), array(R), array(S), array(U) -> *"),
    SEQUENCE("bigint, bigint -> *", kernel_sequence, "The numbers from start to stop."),
    SEQUENCE("bigint, bigint, bigint -> *", kernel_sequence,
             "The numbers from start to stop by a step."),
    SEQUENCE("date, date -> *", kernel_sequence, "The days from start to stop."),
    SEQUENCE("date, date, interval day to second -> *", kernel_sequence_days,
             "The days from start to stop by a step."),
    SEQUENCE("date, date, interval year to month -> *", kernel_sequence_months,
             "The days from start to stop by so many months."),
    SEQUENCE("timestamp, timestamp, interval day to second -> *", kernel_sequence_days,
             "The moments from start to stop by a step."),
    SEQUENCE("timestamp, timestamp, interval year to month -> *", kernel_sequence_months,
             "The moments from start to stop by so many months."),
    MAKE(combinations, "combinations", "array(E), bigint -> array(array(E))", true,
         kernel_combinations, "All ways to choose n of the elements, in their order."),
    MAKE(ngrams, "ngrams", "array(E), bigint -> array(array(E))", true, kernel_ngrams,
         "All runs of n neighbouring elements."),
};

FUNCTION_TABLE(functions_array_make, rows);
