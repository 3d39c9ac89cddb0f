/*
 * text.c - rows and kernels of text functions that look at text or take parts of it.
 *
 * Parts of a string share its bytes. Positions count characters (code points) from 1. char(n) is kept
 * without trailing blanks; where they matter (length, negative positions) they are counted in.
 */
#include "engine/functions/helpers.h"
#include "engine/kernels/text.h"

/* ---------------------------------------------------------------- length and case */

static Status kernel_length(KernelCall *call) {
    int64_t *out = call->result->data;
    Type type = call->args[0].type;
    if (type.id == TRIB_TYPE_CHAR) {
        KERNEL_ROWS(call, row, { out[row] = type.length; });
    } else if (type.id == TRIB_TYPE_VARBINARY) {
        KERNEL_ROWS(call, row, { out[row] = KERNEL_ARG(call, 0, StrView, row).len; });
    } else {
        KERNEL_ROWS(call, row, {
            Str text = arg_text(call, 0, row);
            out[row] = (int64_t)utf8_length(text.data, text.len);
        });
    }
    return TRIB_OK;
}

static Status map_case(KernelCall *call, bool upper) {
    char small[STRVIEW_INLINE];
    StrView *views = call->result->data;
    KERNEL_ROWS(call, row, {
        if (text_map_inline(&KERNEL_ARG(call, 0, StrView, row), upper, &views[row])) continue;
        Str text = arg_text(call, 0, row);
        size_t len = text_map_case(text, upper, NULL);
        char *out = row_text(call, row, len, small);
        if (out == NULL) {
            TRY(row_text_failed(call, row));
            continue;
        }
        text_map_case(text, upper, out);
        row_view(call, row, out, len);
    });
    return TRIB_OK;
}

static Status kernel_lower(KernelCall *call) {
    return map_case(call, false);
}

static Status kernel_upper(KernelCall *call) {
    return map_case(call, true);
}

/* ---------------------------------------------------------------- trim */

enum { TRIM_LEFT = 1, TRIM_RIGHT = 2 };

static bool set_has(Str set, int32_t c) {
    for (size_t at = 0; at < set.len;) {
        if (utf8_next(set.data, set.len, &at) == c) return true;
    }
    return false;
}

/* Is the character among those to cut? set.data NULL: white space. */
static bool trims(const Str *set, int32_t c) {
    return set->data == NULL ? unicode_is_space((uint32_t)c) : set_has(*set, c);
}

static Str trim_text(Str text, int sides, Str set) {
    size_t start = 0, end = text.len;
    while ((sides & TRIM_LEFT) && start < end) {
        size_t at = start;
        if (!trims(&set, utf8_next(text.data, end, &at))) break;
        start = at;
    }
    while ((sides & TRIM_RIGHT) && end > start) {
        size_t at = end - 1;
        while (at > start && ((uint8_t)text.data[at] & 0xc0) == 0x80) at--;
        size_t next = at;
        if (!trims(&set, utf8_next(text.data, end, &next))) break;
        end = at;
    }
    return (Str){text.data + start, end - start};
}

static Status trim_rows(KernelCall *call, int sides) {
    KERNEL_ROWS(call, row, {
        /* A view inside the argument's own row would dangle if it were copied: take its address. */
        const StrView *view = &KERNEL_ARG(call, 0, StrView, row);
        Str set = {NULL, 0};
        if (call->nargs == 2) set = arg_text(call, 1, row);
        if (call->nargs == 2 && set.data == NULL) set.data = "";
        Str part = trim_text(strview_str(view), sides, set);
        row_view(call, row, part.data, part.len);
    });
    return TRIB_OK;
}

static Status kernel_trim(KernelCall *call) {
    return trim_rows(call, TRIM_LEFT | TRIM_RIGHT);
}

static Status kernel_ltrim(KernelCall *call) {
    return trim_rows(call, TRIM_LEFT);
}

static Status kernel_rtrim(KernelCall *call) {
    return trim_rows(call, TRIM_RIGHT);
}

/* ---------------------------------------------------------------- parts */

/* Characters [from, from + count) of the text, from counted from 0; beyond the end is empty. */
static Str text_part(Str text, uint64_t from, uint64_t count) {
    size_t start = from >= text.len ? text.len : utf8_offset(text.data, text.len, (size_t)from);
    Str rest = {text.data + start, text.len - start};
    if (count < rest.len) rest.len = utf8_offset(rest.data, rest.len, (size_t)count);
    return rest;
}

/* Trino's substr: from 1; negative counts from the end; 0 and out of range give ''. */
static Status kernel_substr(KernelCall *call) {
    Type type = call->args[0].type;
    bool bytes = type.id == TRIB_TYPE_VARBINARY;
    KERNEL_ROWS(call, row, {
        Str text = arg_text(call, 0, row);
        int64_t from = arg_int64(call, 1, row);
        int64_t count = call->nargs == 3 ? arg_int64(call, 2, row) : INT64_MAX;
        if (from < 0) {
            int64_t length = bytes ? (int64_t)text.len : (int64_t)utf8_length(text.data, text.len);
            if (type.id == TRIB_TYPE_CHAR) length = type.length;
            from = from < -length ? 0 : from + length + 1;
        }
        Str part = {text.data, 0};
        if (from > 0 && count > 0 && bytes) {
            uint64_t start = (uint64_t)from - 1;
            part.len = start >= text.len ? 0 : text.len - (size_t)start;
            part.data = part.len > 0 ? text.data + start : text.data;
            if ((uint64_t)count < part.len) part.len = (size_t)count;
        } else if (from > 0 && count > 0) {
            part = text_part(text, (uint64_t)from - 1, (uint64_t)count);
        }
        row_view(call, row, part.data, part.len);
        if (type.id == TRIB_TYPE_CHAR) part = trim_text(part, TRIM_RIGHT, STR(" "));
        row_view(call, row, part.data, part.len);
    });
    return TRIB_OK;
}

static Status kernel_left(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        int64_t count = arg_int64(call, 1, row);
        Str text = arg_text(call, 0, row);
        Str part = text_part(text, 0, count < 0 ? 0 : (uint64_t)count);
        row_view(call, row, part.data, part.len);
    });
    return TRIB_OK;
}

static Status kernel_right(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        int64_t count = arg_int64(call, 1, row);
        Str text = arg_text(call, 0, row);
        int64_t length = (int64_t)utf8_length(text.data, text.len);
        if (count < 0) count = 0;
        Str part =
            text_part(text, count < length ? (uint64_t)(length - count) : 0, (uint64_t)count);
        row_view(call, row, part.data, count == 0 ? 0 : part.len);
    });
    return TRIB_OK;
}

/* The index-th part between delimiters, from 1; NULL beyond the last. */
static Status kernel_split_part(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        Str text = arg_text(call, 0, row);
        Str delimiter = arg_text(call, 1, row);
        int64_t index = arg_int64(call, 2, row);
        if (index <= 0) {
            row_error(call, row, ERR_INVALID_ARGUMENT);
            continue;
        }
        if (delimiter.len == 0) { /* every character is a part */
            Str part = text_part(text, (uint64_t)index - 1, 1);
            if (part.len == 0) TRY(kernel_set_null(call, row));
            row_view(call, row, part.data, part.len);
            continue;
        }
        const char *end = NULL;
        for (;; index--) {
            end = text_find(text, delimiter);
            if (index == 1 || end == NULL) break;
            size_t skip = (size_t)(end - text.data) + delimiter.len;
            text = (Str){text.data + skip, text.len - skip};
        }
        if (index > 1) {
            TRY(kernel_set_null(call, row));
            continue;
        }
        row_view(call, row, text.data, end != NULL ? (size_t)(end - text.data) : text.len);
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- searching */

/* Byte offset of the instance-th occurrence (from 1; occurrences may overlap); SIZE_MAX = none. */
static size_t find_forward(Str text, Str part, int64_t instance) {
    size_t at = 0;
    for (;;) {
        const char *found = text_find((Str){text.data + at, text.len - at}, part);
        if (found == NULL) return SIZE_MAX;
        if (--instance == 0) return (size_t)(found - text.data);
        at = (size_t)(found - text.data) + 1;
    }
}

static size_t find_backward(Str text, Str part, int64_t instance) {
    if (part.len > text.len) return SIZE_MAX;
    for (size_t at = text.len - part.len + 1; at-- > 0;) {
        if (memcmp(text.data + at, part.data, part.len) == 0 && --instance == 0) return at;
    }
    return SIZE_MAX;
}

static Status find_rows(KernelCall *call, bool backward) {
    int64_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        Str text = arg_text(call, 0, row);
        Str part = arg_text(call, 1, row);
        int64_t instance = call->nargs == 3 ? arg_int64(call, 2, row) : 1;
        out[row] = 0;
        if (backward && instance != INT64_MIN) instance = instance > 0 ? -instance : 0;
        if (instance == 0 || instance == INT64_MIN) {
            row_error(call, row, ERR_INVALID_ARGUMENT);
            continue;
        }
        if (part.len == 0) {
            out[row] = 1;
            continue;
        }
        size_t at = instance > 0 ? find_forward(text, part, instance)
                                 : find_backward(text, part, -instance);
        if (at != SIZE_MAX) out[row] = (int64_t)utf8_length(text.data, at) + 1;
    });
    return TRIB_OK;
}

static Status kernel_strpos(KernelCall *call) {
    return find_rows(call, false);
}

static Status kernel_strrpos(KernelCall *call) {
    return find_rows(call, true);
}

static Status kernel_starts_with(KernelCall *call) {
    uint8_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        Str text = arg_text(call, 0, row);
        Str part = arg_text(call, 1, row);
        out[row] = part.len <= text.len && memcmp(text.data, part.data, part.len) == 0;
    });
    return TRIB_OK;
}

static Status kernel_ends_with(KernelCall *call) {
    uint8_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        Str text = arg_text(call, 0, row);
        Str part = arg_text(call, 1, row);
        out[row] = part.len <= text.len &&
                   memcmp(text.data + text.len - part.len, part.data, part.len) == 0;
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- LIKE */

typedef struct LikeState {
    LikePattern *pattern; /* NULL: error says why */
    uint8_t error;
} LikeState;

static Status like_state(Arena *arena, Str pattern, bool has_escape, Str escape_text,
                         LikeState *out, Error *err) {
    int32_t escape = -1;
    *out = (LikeState){0};
    if (has_escape && !like_escape(escape_text, &escape)) {
        out->error = KERNEL_ERROR(ERR_INVALID_ESCAPE);
        return TRIB_OK;
    }
    return like_compile(arena, pattern, escape, &out->pattern, &out->error, err);
}

static Status like_prepare(Arena *arena, uint32_t nargs, const Value *const *constants,
                           void **state, Error *err) {
    if (constants[1] == NULL || (nargs == 3 && constants[2] == NULL)) return TRIB_OK;
    LikeState *like;
    TRY_ALLOC(like, ARENA_NEW(arena, LikeState), err);
    Str pattern = {constants[1]->as.text.data, constants[1]->as.text.length};
    Str escape = {NULL, 0};
    if (nargs == 3) escape = (Str){constants[2]->as.text.data, constants[2]->as.text.length};
    TRY(like_state(arena, pattern, nargs == 3, escape, like, err));
    *state = like;
    return TRIB_OK;
}

static Status kernel_like(KernelCall *call) {
    uint8_t *out = call->result->data;
    const LikeState *prepared = call->state;
    LikeState own = {0};
    Str last = {NULL, 0};
    Str last_escape = {NULL, 0};
    KERNEL_ROWS(call, row, {
        const LikeState *like = prepared;
        if (like == NULL) { /* compiled again only when the pattern changes */
            Str pattern = arg_text(call, 1, row);
            Str escape = {"", 0};
            if (call->nargs == 3) escape = arg_text(call, 2, row);
            if (last.data == NULL || !str_equal(last, pattern) || !str_equal(last_escape, escape)) {
                TRY(like_state(call->arena, pattern, call->nargs == 3, escape, &own, call->err));
                last = pattern;
                last_escape = escape;
            }
            like = &own;
        }
        out[row] = 0;
        if (like->pattern == NULL) {
            call->errors[row] = like->error;
        } else {
            out[row] = like_match(like->pattern, arg_text(call, 0, row));
        }
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

#define TEXT(ID, SIGNATURE, HELP)                                                       \
    {                                                                                   \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .kernel = kernel_##ID, \
        .family = "text", .help = HELP                                                  \
    }
#define TEXT_CHAR(ID, SIGNATURE, HELP)                                                  \
    {                                                                                   \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .kernel = kernel_##ID, \
        .resolve = resolve_first, .family = "text", .help = HELP                        \
    }

static const char help_length[] = "Number of characters, of bytes for varbinary.";
static const char help_trim[] = "Without white space, or the given characters, at both ends.";
static const char help_ltrim[] = "Without white space, or the given characters, at the start.";
static const char help_rtrim[] = "Without white space, or the given characters, at the end.";
static const char help_substr[] =
    "The part from a position (1 = first, negative: from the end), of at most a length.";
static const char help_strpos[] = "Position of the first (or n-th) occurrence; 0 = none.";
static const char help_strrpos[] =
    "Position of the last (or n-th from the end) occurrence; 0 = none.";
static const char help_like[] = "Whether the text matches a pattern of % and _.";

static const Function rows[] = {
    {.id = TRIB_FN_length,
     .name = "length",
     .aliases = "char_length|character_length",
     .signature = "varchar -> bigint",
     .kernel = kernel_length,
     .family = "text",
     .help = help_length},
    TEXT(length, "char -> bigint", help_length),
    TEXT(length, "varbinary -> bigint", help_length),
    {.id = TRIB_FN_lower,
     .name = "lower",
     .aliases = "lcase",
     .signature = "V -> V",
     .kernel = kernel_lower,
     .family = "text",
     .help = "In lower case."},
    TEXT_CHAR(lower, "char -> *", "In lower case."),
    {.id = TRIB_FN_upper,
     .name = "upper",
     .aliases = "ucase",
     .signature = "V -> V",
     .kernel = kernel_upper,
     .family = "text",
     .help = "In upper case."},
    TEXT_CHAR(upper, "char -> *", "In upper case."),
    TEXT(trim, "V -> V", help_trim),
    TEXT_CHAR(trim, "char -> *", help_trim),
    TEXT(trim, "V, varchar -> V", help_trim),
    TEXT(ltrim, "V -> V", help_ltrim),
    TEXT_CHAR(ltrim, "char -> *", help_ltrim),
    TEXT(ltrim, "V, varchar -> V", help_ltrim),
    TEXT(rtrim, "V -> V", help_rtrim),
    TEXT_CHAR(rtrim, "char -> *", help_rtrim),
    TEXT(rtrim, "V, varchar -> V", help_rtrim),
    {.id = TRIB_FN_substr,
     .name = "substr",
     .aliases = "substring",
     .signature = "V, bigint -> V",
     .kernel = kernel_substr,
     .family = "text",
     .help = help_substr},
    {.id = TRIB_FN_substr,
     .name = "substr",
     .aliases = "substring",
     .signature = "V, bigint, bigint -> V",
     .kernel = kernel_substr,
     .family = "text",
     .help = help_substr},
    {.id = TRIB_FN_substr,
     .name = "substr",
     .aliases = "substring",
     .signature = "char, bigint -> *",
     .kernel = kernel_substr,
     .resolve = resolve_first,
     .family = "text",
     .help = help_substr},
    {.id = TRIB_FN_substr,
     .name = "substr",
     .aliases = "substring",
     .signature = "char, bigint, bigint -> *",
     .kernel = kernel_substr,
     .resolve = resolve_first,
     .family = "text",
     .help = help_substr},
    {.id = TRIB_FN_substr,
     .name = "substr",
     .aliases = "substring",
     .signature = "varbinary, bigint -> varbinary",
     .kernel = kernel_substr,
     .family = "text",
     .help = help_substr},
    {.id = TRIB_FN_substr,
     .name = "substr",
     .aliases = "substring",
     .signature = "varbinary, bigint, bigint -> varbinary",
     .kernel = kernel_substr,
     .family = "text",
     .help = help_substr},
    TEXT(left, "V, bigint -> V", "The first n characters."),
    TEXT(right, "V, bigint -> V", "The last n characters."),
    {.id = TRIB_FN_split_part,
     .name = "split_part",
     .signature = "V, varchar, bigint -> V",
     .may_raise = true,
     .kernel = kernel_split_part,
     .family = "text",
     .help = "The n-th part between delimiters; NULL beyond the last."},
    {.id = TRIB_FN_strpos,
     .name = "strpos",
     .aliases = "index",
     .signature = "varchar, varchar -> bigint",
     .kernel = kernel_strpos,
     .family = "text",
     .help = help_strpos},
    {.id = TRIB_FN_strpos,
     .name = "strpos",
     .signature = "varchar, varchar, bigint -> bigint",
     .may_raise = true,
     .kernel = kernel_strpos,
     .family = "text",
     .help = help_strpos},
    TEXT(strrpos, "varchar, varchar -> bigint", help_strrpos),
    {.id = TRIB_FN_strrpos,
     .name = "strrpos",
     .signature = "varchar, varchar, bigint -> bigint",
     .may_raise = true,
     .kernel = kernel_strrpos,
     .family = "text",
     .help = help_strrpos},
    TEXT(starts_with, "varchar, varchar -> boolean", "Whether the text starts with another."),
    TEXT(ends_with, "varchar, varchar -> boolean", "Whether the text ends with another."),
    {.id = TRIB_FN_like,
     .name = "like",
     .signature = "varchar, varchar -> boolean",
     .kernel = kernel_like,
     .prepare = like_prepare,
     .family = "text",
     .help = help_like},
    {.id = TRIB_FN_like,
     .name = "like",
     .signature = "varchar, varchar, varchar -> boolean",
     .may_raise = true,
     .kernel = kernel_like,
     .prepare = like_prepare,
     .family = "text",
     .help = help_like},
};

FUNCTION_TABLE(functions_text, rows);
