/*
 * window.c - the table of window functions that are not aggregates.
 *
 * A row per overload, as for other functions. How they are computed depends on the order and the frames of
 * rows, which only the operator knows: exec/window_rank.c and exec/window_value.c.
 */
#include "engine/functions/tables.h"

#define RANK(ID, RESULT, HELP) \
    { .id = TRIB_FN_##ID, .name = #ID, .signature = " -> " RESULT, .help = HELP }

#define SHIFT(ID, SIGNATURE, HELP)                                                             \
    {                                                                                          \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE " -> E", .treats_nulls = true, \
        .needs_order = true, .help = HELP                                                      \
    }

#define FRAMED(ID, SIGNATURE, HELP)                                                      \
    {                                                                                    \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE " -> E", .framed = true, \
        .treats_nulls = true, .help = HELP                                               \
    }

static const WindowFunction rows[] = {
    RANK(row_number, "bigint", "The number of the row in its partition, from 1."),
    RANK(rank, "bigint", "One more than the number of rows before the row's peers."),
    RANK(dense_rank, "bigint", "One more than the number of groups of peers before the row's."),
    RANK(percent_rank, "double", "(rank - 1) / (rows of the partition - 1); 0 for a single row."),
    RANK(cume_dist, "double", "The part of the partition's rows up to the row's last peer."),
    {.id = TRIB_FN_ntile,
     .name = "ntile",
     .signature = "bigint -> bigint",
     .help = "The number of the row's bucket, from 1, when the partition is cut into n of about "
             "equal size."},
    SHIFT(lag, "E", "The value of the row before; NULL where there is none."),
    SHIFT(lag, "E, bigint", "The value n rows before; NULL where there is none."),
    SHIFT(lag, "E, bigint, E", "The value n rows before; the third argument where there is none."),
    SHIFT(lead, "E", "The value of the row behind; NULL where there is none."),
    SHIFT(lead, "E, bigint", "The value n rows behind; NULL where there is none."),
    SHIFT(lead, "E, bigint, E", "The value n rows behind; the third argument where there is none."),
    FRAMED(first_value, "E", "The value of the first row of the frame."),
    FRAMED(last_value, "E", "The value of the last row of the frame."),
    FRAMED(nth_value, "E, bigint",
           "The value of the frame's n-th row, from 1; NULL where there is none."),
};

const WindowFunction *window_function_row(uint32_t index) {
    return index < COUNT_OF(rows) ? &rows[index] : NULL;
}

bool window_function_exists(Str name) {
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (str_equal_fold(str_from(rows[i].name), name)) return true;
    }
    return false;
}
