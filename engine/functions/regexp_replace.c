/*
 * regexp_replace.c - regexp_replace by nothing, by a text with $1 and ${name}, or by what a lambda makes of
 * the groups of each match.
 *
 * For a lambda the matches of all rows are found first; their groups are handed to it as arrays, BATCH_ROWS
 * at a time; then the rows are put together.
 */
#include "engine/functions/nested.h"
#include "engine/functions/regexp.h"

/* ---------------------------------------------------------------- texts */

/* Reads "$12" behind the dollar: as many digits as there are groups for, at least one. */
static int64_t numbered_group(Str text, size_t *at, uint32_t groups) {
    int64_t group = text.data[(*at)++] - '0';
    if (group > groups) return -1;
    while (*at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9') {
        int64_t longer = group * 10 + (text.data[*at] - '0');
        if (longer > groups) break;
        group = longer;
        ++*at;
    }
    return group;
}

/* Reads "${name}" behind the dollar. */
static int64_t named_group(Str text, size_t *at, const Regexp *regexp) {
    const char *start = text.data + *at + 1;
    const char *end = memchr(start, '}', text.len - *at - 1);
    if (end == NULL || end == start) return -1;
    *at = (size_t)(end + 1 - text.data);
    return regexp->module->group_named(regexp->compiled, start, (size_t)(end - start));
}

static void append_span(Buf *out, Str text, RegexpSpan span) {
    if (span.begin >= 0) buf_add(out, text.data + span.begin, (size_t)(span.end - span.begin));
}

/* The replacement of a match; false: it is malformed, or names a group that is not there. */
static bool append_replacement(Buf *out, const Matches *m, Str with) {
    for (size_t at = 0; at < with.len;) {
        char c = with.data[at];
        if (c == '\\') {
            if (at + 1 == with.len) return false;
            buf_char(out, with.data[at + 1]);
            at += 2;
        } else if (c == '$') {
            int64_t group = -1;
            at++;
            if (at < with.len && with.data[at] == '{') {
                group = named_group(with, &at, m->regexp);
            } else if (at < with.len && with.data[at] >= '0' && with.data[at] <= '9') {
                group = numbered_group(with, &at, m->regexp->groups);
            }
            if (group < 0) return false;
            append_span(out, m->text, m->spans[group]);
        } else {
            buf_char(out, c);
            at++;
        }
    }
    return true;
}

/* The text with all matches replaced; *good false as above. */
static Status replace_matches(Matches *m, Str with, Buf *out, bool *good, Error *err) {
    size_t copied = 0;
    *good = true;
    for (;;) {
        bool found;
        TRY(matches_next(m, &found, err));
        if (!found) break;
        size_t begin = (size_t)m->spans[0].begin;
        buf_add(out, m->text.data + copied, begin - copied);
        copied = (size_t)m->spans[0].end;
        if (!append_replacement(out, m, with)) {
            *good = false;
            return TRIB_OK;
        }
        if (out->failed) return TRIB_OK;
    }
    buf_add(out, m->text.data + copied, m->text.len - copied);
    return TRIB_OK;
}

static Status kernel_regexp_replace(KernelCall *call) {
    Patterns patterns = {0};
    Buf text;
    kernel_buf_init(call, &text);
    KERNEL_ROWS(call, row, {
        const Regexp *regexp;
        bool good;
        TRY(patterns_at(&patterns, call, row, &regexp));
        if (regexp == NULL) continue;
        Matches m = matches_of(regexp, arg_text(call, 0, row), patterns.spans, regexp->groups + 1);
        kernel_buf_reset(&text);
        Str with = {"", 0};
        if (call->nargs == 3) with = arg_text(call, 2, row);
        TRY(replace_matches(&m, with, &text, &good, call->err));
        if (good) {
            TRY(kernel_put_buf(call, row, &text));
        } else {
            KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                        "the replacement is malformed, or names a group that the pattern has not");
        }
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- lambdas */

/* A match of some row: its bytes, and where the array of its groups stands. */
typedef struct LambdaMatch {
    uint32_t row;
    int64_t begin, end;
    ListEntry groups;
} LambdaMatch;

typedef struct LambdaReplace {
    KernelCall *call;
    LambdaMatch *matches;
    uint32_t count, capacity;
    StrView *results; /* by match */
    uint8_t *said;    /* by match: NULL or not, or an error's code */
    Vector groups;    /* array(varchar), child 0 grows */
} LambdaReplace;

enum { SAID_TEXT, SAID_NULL };

static Status match_add(LambdaReplace *r, uint32_t row, const Matches *m) {
    KernelCall *call = r->call;
    if (r->count == r->capacity) {
        uint32_t capacity = r->capacity ? r->capacity * 2 : 256;
        TRY_ALLOC(r->matches,
                  arena_resize(call->arena, r->matches, r->capacity * sizeof(LambdaMatch),
                               capacity * sizeof(LambdaMatch)),
                  call->err);
        r->capacity = capacity;
    }
    Vector *child = &r->groups.children[0];
    uint32_t first = r->groups.entries, n = m->nspans - 1;
    if (first > UINT32_MAX / 2 - n) return error_out_of_memory(call->err);
    if (first + n > child->capacity) {
        TRY(vector_reserve(call->arena, child, (first + n) * 2, call->err));
    }
    for (uint32_t i = 0; i < n; i++) {
        RegexpSpan span = m->spans[i + 1];
        if (span.begin < 0) {
            TRY(vector_need_validity(call->arena, child, call->err));
            bitmap_unset(child->validity, first + i);
        } else {
            ((StrView *)child->data)[first + i] =
                strview_of(m->text.data + span.begin, (size_t)(span.end - span.begin));
        }
    }
    r->groups.entries = first + n;
    r->matches[r->count++] = (LambdaMatch){
        .row = row, .begin = m->spans[0].begin, .end = m->spans[0].end, .groups = {first, n}};
    return TRIB_OK;
}

static Status find_all(LambdaReplace *r) {
    KernelCall *call = r->call;
    Patterns patterns = {0};
    KERNEL_ROWS(call, row, {
        const Regexp *regexp;
        bool found = true;
        TRY(patterns_at(&patterns, call, row, &regexp));
        if (regexp == NULL) continue;
        Matches m = matches_of(regexp, arg_text(call, 0, row), patterns.spans, regexp->groups + 1);
        while (found) {
            TRY(matches_next(&m, &found, call->err));
            if (found) TRY(match_add(r, row, &m));
        }
    });
    return TRIB_OK;
}

/* What the lambda makes of matches [from, from + n), copied into the call's arena. */
static Status ask_piece(LambdaReplace *r, Arena *work, uint32_t from, uint32_t n) {
    KernelCall *call = r->call;
    Vector params = r->groups, result;
    uint32_t *rows;
    uint8_t *errors;
    TRY_ALLOC(rows, ARENA_ARRAY(work, uint32_t, n), call->err);
    TRY_ALLOC(errors, arena_alloc(work, n), call->err);
    TRY_ALLOC(params.data, ARENA_ARRAY(work, ListEntry, n), call->err);
    params.capacity = n;
    for (uint32_t i = 0; i < n; i++) {
        rows[i] = r->matches[from + i].row;
        ((ListEntry *)params.data)[i] = r->matches[from + i].groups;
    }
    TRY(kernel_lambda(call, 2, work, n, rows, &params, &result, errors));
    for (uint32_t i = 0; i < n; i++) {
        if (errors[i] != 0) {
            if (call->errors[rows[i]] == 0) call->errors[rows[i]] = errors[i];
            continue;
        }
        r->said[from + i] = vector_is_null(&result, i) ? SAID_NULL : SAID_TEXT;
        if (r->said[from + i] == SAID_NULL) continue;
        Str text = strview_str(vector_at(&result, i));
        char *copy;
        TRY_ALLOC(copy, arena_copy(call->arena, text.data, text.len), call->err);
        r->results[from + i] = strview_of(copy, text.len);
    }
    return TRIB_OK;
}

static Status ask_all(LambdaReplace *r) {
    KernelCall *call = r->call;
    Arena *work;
    Status status = TRIB_OK;
    TRY_ALLOC(r->results, ARENA_ARRAY(call->arena, StrView, r->count), call->err);
    TRY_ALLOC(r->said, arena_alloc(call->arena, r->count), call->err);
    TRY_ALLOC(work, arena_new(call->arena), call->err);
    for (uint32_t at = 0; at < r->count && status == TRIB_OK; at += BATCH_ROWS) {
        uint32_t n = r->count - at < BATCH_ROWS ? r->count - at : BATCH_ROWS;
        status = ask_piece(r, work, at, n);
        arena_reset(work);
    }
    arena_free(work);
    return status;
}

/* The row's text with its matches [from, to) replaced. */
static Status put_together(LambdaReplace *r, uint32_t row, uint32_t from, uint32_t to, Buf *out) {
    KernelCall *call = r->call;
    Str text = arg_text(call, 0, row);
    size_t copied = 0;
    kernel_buf_reset(out);
    for (uint32_t i = from; i < to; i++) {
        const LambdaMatch *m = &r->matches[i];
        if (r->said[i] == SAID_NULL) return kernel_set_null(call, row);
        buf_add(out, text.data + copied, (size_t)m->begin - copied);
        buf_str(out, strview_str(&r->results[i]));
        copied = (size_t)m->end;
    }
    buf_add(out, text.data + copied, text.len - copied);
    return kernel_put_buf(call, row, out);
}

static Status kernel_regexp_replace_lambda(KernelCall *call) {
    LambdaReplace r = {.call = call};
    Buf text;
    uint32_t from = 0;
    Type groups = type_array(call->arena, TYPE(VARCHAR));
    if (groups.id == TRIB_TYPE_UNKNOWN) return error_out_of_memory(call->err);
    TRY(vector_new(call->arena, groups, 1, &r.groups, call->err));
    TRY(find_all(&r));
    TRY(ask_all(&r));
    kernel_buf_init(call, &text);
    KERNEL_ROWS(call, row, {
        uint32_t to = from;
        while (to < r.count && r.matches[to].row == row) to++;
        if (call->errors[row] == 0) TRY(put_together(&r, row, from, to, &text));
        from = to;
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

static const char help_replace[] = "The text with all matches removed, or replaced by a text, in "
                                   "which $1 and ${name} stand for groups, "
                                   "or by what a lambda makes of the array of groups.";

#define REPLACE(SIGNATURE, KERNEL)                                                      \
    {                                                                                   \
        .id = TRIB_FN_regexp_replace, .name = "regexp_replace", .signature = SIGNATURE, \
        .may_raise = true, .kernel = KERNEL, .prepare = regexp_prepare,                 \
        .family = "regular expressions", .help = help_replace                           \
    }

static const Function rows[] = {
    REPLACE("varchar, varchar -> varchar", kernel_regexp_replace),
    REPLACE("varchar, varchar, varchar -> varchar", kernel_regexp_replace),
    REPLACE("varchar, varchar, function(array(varchar), varchar) -> varchar",
            kernel_regexp_replace_lambda),
};

FUNCTION_TABLE(functions_regexp_replace, rows);
