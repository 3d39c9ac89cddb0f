/*
 * regexp.c - rows and kernels that look for regular expressions: like, count, position, extract, split.
 *
 * Results share the bytes of the text. A constant pattern is compiled once per evaluator, others whenever the
 * pattern changes from row to row.
 */
#include "engine/functions/nested.h"
#include "engine/functions/regexp.h"

/* ---------------------------------------------------------------- like, count, position */

static Status kernel_regexp_like(KernelCall *call) {
    uint8_t *out = call->result->data;
    Patterns patterns = {0};
    KERNEL_ROWS(call, row, {
        const Regexp *regexp;
        TRY(patterns_at(&patterns, call, row, &regexp));
        out[row] = 0;
        if (regexp == NULL) continue;
        Str text = arg_text(call, 0, row);
        int found = regexp->module->match(regexp->compiled, text.data, text.len, 0, NULL, 0);
        if (found < 0) return error_out_of_memory(call->err);
        out[row] = (uint8_t)found;
    });
    return TRIB_OK;
}

static Status kernel_regexp_count(KernelCall *call) {
    int64_t *out = call->result->data;
    Patterns patterns = {0};
    KERNEL_ROWS(call, row, {
        const Regexp *regexp;
        TRY(patterns_at(&patterns, call, row, &regexp));
        if (regexp == NULL) continue;
        Matches m = matches_of(regexp, arg_text(call, 0, row), patterns.spans, 1);
        bool found;
        out[row] = -1;
        do {
            out[row]++;
            TRY(matches_next(&m, &found, call->err));
        } while (found);
    });
    return TRIB_OK;
}

/* The byte at which character `start` (from 1) begins; SIZE_MAX = beyond the text. */
static size_t start_offset(Str text, int64_t start) {
    if ((uint64_t)(start - 1) >= text.len) return SIZE_MAX;
    size_t offset = utf8_offset(text.data, text.len, (size_t)(start - 1));
    return offset < text.len ? offset : SIZE_MAX;
}

static Status position_row(KernelCall *call, const Regexp *regexp, Patterns *patterns, uint32_t row,
                           int64_t *out) {
    Str text = arg_text(call, 0, row);
    int64_t start = call->nargs > 2 ? arg_int64(call, 2, row) : 1;
    int64_t left = call->nargs > 3 ? arg_int64(call, 3, row) : 1;
    *out = -1;
    if (start < 1 || left < 1) {
        row_error(call, row, ERR_INVALID_ARGUMENT);
        return TRIB_OK;
    }
    Matches m = matches_of(regexp, text, patterns->spans, 1);
    m.next = start_offset(text, start);
    if (m.next == SIZE_MAX) return TRIB_OK;
    bool found;
    do {
        TRY(matches_next(&m, &found, call->err));
    } while (found && --left > 0);
    if (found) *out = (int64_t)utf8_length(text.data, (size_t)m.spans[0].begin) + 1;
    return TRIB_OK;
}

static Status kernel_regexp_position(KernelCall *call) {
    int64_t *out = call->result->data;
    Patterns patterns = {0};
    KERNEL_ROWS(call, row, {
        const Regexp *regexp;
        TRY(patterns_at(&patterns, call, row, &regexp));
        if (regexp != NULL) TRY(position_row(call, regexp, &patterns, row, &out[row]));
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- extract */

/* The group that a row asks for (0 without an argument); -1 with the row's error if there is none. */
static int64_t group_arg(KernelCall *call, uint32_t row, const Regexp *regexp) {
    int64_t group = call->nargs > 2 ? arg_int64(call, 2, row) : 0;
    if (group >= 0 && group <= regexp->groups) return group;
    KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT, "the pattern has no group %lld, but %u groups",
                (long long)group, regexp->groups);
    return -1;
}

static Status kernel_regexp_extract(KernelCall *call) {
    Patterns patterns = {0};
    KERNEL_ROWS(call, row, {
        const Regexp *regexp;
        TRY(patterns_at(&patterns, call, row, &regexp));
        int64_t group = regexp != NULL ? group_arg(call, row, regexp) : -1;
        if (group < 0) continue;
        Matches m = matches_of(regexp, arg_text(call, 0, row), patterns.spans, (uint32_t)group + 1);
        bool found;
        TRY(matches_next(&m, &found, call->err));
        RegexpSpan span = found ? m.spans[group] : (RegexpSpan){-1, -1};
        if (span.begin < 0) {
            TRY(kernel_set_null(call, row));
        } else {
            row_view(call, row, m.text.data + span.begin, (size_t)(span.end - span.begin));
        }
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- arrays of parts */

/* An element behind those of the result's array; data NULL = NULL. */
static Status element_put(KernelCall *call, const char *data, size_t len) {
    Vector *child = &call->result->children[0];
    uint32_t at = call->result->entries;
    if (at == UINT32_MAX) return error_out_of_memory(call->err);
    TRY(vector_reserve(call->arena, child, at + 1, call->err));
    if (data == NULL) {
        TRY(vector_need_validity(call->arena, child, call->err));
        bitmap_unset(child->validity, at);
    } else {
        if (child->validity != NULL) bitmap_set(child->validity, at);
        ((StrView *)child->data)[at] = strview_of(data, len);
    }
    call->result->entries = at + 1;
    return TRIB_OK;
}

static Status extract_all_row(KernelCall *call, Matches *m, int64_t group) {
    for (;;) {
        bool found;
        TRY(matches_next(m, &found, call->err));
        if (!found) return TRIB_OK;
        RegexpSpan span = m->spans[group];
        const char *data = span.begin < 0 ? NULL : m->text.data + span.begin;
        TRY(element_put(call, data, (size_t)(span.end - span.begin)));
    }
}

static Status kernel_regexp_extract_all(KernelCall *call) {
    Patterns patterns = {0};
    KERNEL_ROWS(call, row, {
        const Regexp *regexp;
        uint32_t first = call->result->entries;
        TRY(patterns_at(&patterns, call, row, &regexp));
        int64_t group = regexp != NULL ? group_arg(call, row, regexp) : -1;
        if (group >= 0) {
            Matches m =
                matches_of(regexp, arg_text(call, 0, row), patterns.spans, (uint32_t)group + 1);
            TRY(extract_all_row(call, &m, group));
        }
        list_put(call, row, first, call->result->entries - first);
    });
    return TRIB_OK;
}

static Status split_row(KernelCall *call, Matches *m) {
    size_t begin = 0;
    for (;;) {
        bool found;
        TRY(matches_next(m, &found, call->err));
        if (!found) return element_put(call, m->text.data + begin, m->text.len - begin);
        TRY(element_put(call, m->text.data + begin, (size_t)m->spans[0].begin - begin));
        begin = (size_t)m->spans[0].end;
    }
}

static Status kernel_regexp_split(KernelCall *call) {
    Patterns patterns = {0};
    KERNEL_ROWS(call, row, {
        const Regexp *regexp;
        uint32_t first = call->result->entries;
        TRY(patterns_at(&patterns, call, row, &regexp));
        if (regexp != NULL) {
            Matches m = matches_of(regexp, arg_text(call, 0, row), patterns.spans, 1);
            TRY(split_row(call, &m));
        }
        list_put(call, row, first, call->result->entries - first);
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

#define REGEXP(ID, SIGNATURE, HELP)                                                        \
    {                                                                                      \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .may_raise = true,        \
        .kernel = kernel_##ID, .prepare = regexp_prepare, .family = "regular expressions", \
        .help = HELP                                                                       \
    }

static const char help_extract[] =
    "The first part of the text that matches, or its n-th group; NULL without one.";
static const char help_all[] = "All parts of the text that match, or their n-th groups.";
static const char help_position[] =
    "Where the n-th match from a position on begins; -1 without one.";

static const Function rows[] = {
    REGEXP(regexp_like, "varchar, varchar -> boolean",
           "Whether some part of the text matches a pattern in RE2's syntax."),
    REGEXP(regexp_count, "varchar, varchar -> bigint", "The number of matches."),
    REGEXP(regexp_position, "varchar, varchar -> bigint", help_position),
    REGEXP(regexp_position, "varchar, varchar, bigint -> bigint", help_position),
    REGEXP(regexp_position, "varchar, varchar, bigint, bigint -> bigint", help_position),
    REGEXP(regexp_extract, "V, varchar -> V", help_extract),
    REGEXP(regexp_extract, "V, varchar, bigint -> V", help_extract),
    REGEXP(regexp_extract_all, "V, varchar -> array(V)", help_all),
    REGEXP(regexp_extract_all, "V, varchar, bigint -> array(V)", help_all),
    REGEXP(regexp_split, "V, varchar -> array(V)", "The parts of the text between the matches."),
};

FUNCTION_TABLE(functions_regexp, rows);
