/*
 * text_compare.c - rows and kernels that compare texts and put them together: distances, the
 * Luhn check, translate, concat_ws, sizes of data.
 */
#include "engine/functions/nested.h"

#include "engine/kernels/text.h"

/* ---------------------------------------------------------------- distances */

typedef struct CodePoints {
    int32_t *at;
    size_t count, capacity;
} CodePoints;

static Status code_points(KernelCall *call, Str text, CodePoints *out) {
    if (text.len > out->capacity) {
        TRY_ALLOC(out->at, ARENA_ARRAY(call->arena, int32_t, text.len * 2), call->err);
        out->capacity = text.len * 2;
    }
    out->count = 0;
    for (size_t at = 0; at < text.len;) out->at[out->count++] = utf8_next(text.data, text.len, &at);
    return TRIB_OK;
}

static Status kernel_hamming_distance(KernelCall *call) {
    int64_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        Str a = arg_text(call, 0, row);
        Str b = arg_text(call, 1, row);
        size_t i = 0;
        size_t j = 0;
        out[row] = 0;
        while (i < a.len && j < b.len) {
            out[row] += utf8_next(a.data, a.len, &i) != utf8_next(b.data, b.len, &j);
        }
        if (i < a.len || j < b.len) row_error(call, row, ERR_INVALID_ARGUMENT);
    });
    return TRIB_OK;
}

/* The row of the matrix of distances is kept for the shorter text (Wagner and Fischer). */
static int64_t levenshtein(const CodePoints *longer, const CodePoints *shorter, uint32_t *work) {
    for (size_t j = 0; j <= shorter->count; j++) work[j] = (uint32_t)j;
    for (size_t i = 0; i < longer->count; i++) {
        uint32_t diagonal = work[0];
        work[0] = (uint32_t)i + 1;
        for (size_t j = 0; j < shorter->count; j++) {
            uint32_t least = diagonal + (longer->at[i] != shorter->at[j]);
            diagonal = work[j + 1];
            if (work[j] + 1 < least) least = work[j] + 1;
            if (diagonal + 1 < least) least = diagonal + 1;
            work[j + 1] = least;
        }
    }
    return work[shorter->count];
}

#define LEVENSHTEIN_CELLS 1000000u /* Trino's limit */

static Status kernel_levenshtein_distance(KernelCall *call) {
    int64_t *out = call->result->data;
    CodePoints first = {0}, second = {0};
    uint32_t *work = NULL;
    size_t room = 0;
    KERNEL_ROWS(call, row, {
        TRY(code_points(call, arg_text(call, 0, row), &first));
        TRY(code_points(call, arg_text(call, 1, row), &second));
        const CodePoints *longer = first.count >= second.count ? &first : &second;
        const CodePoints *shorter = longer == &first ? &second : &first;
        out[row] = 0;
        if (shorter->count > 0 && longer->count * (shorter->count - 1) > LEVENSHTEIN_CELLS) {
            row_error(call, row, ERR_INVALID_ARGUMENT);
            continue;
        }
        if (shorter->count + 1 > room) {
            room = (shorter->count + 1) * 2;
            TRY_ALLOC(work, ARENA_ARRAY(call->arena, uint32_t, room), call->err);
        }
        out[row] = levenshtein(longer, shorter, work);
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- Luhn */

static Status kernel_luhn_check(KernelCall *call) {
    uint8_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        Str text = arg_text(call, 0, row);
        unsigned sum = 0;
        bool twice = false;
        for (size_t i = text.len; i-- > 0; twice = !twice) {
            unsigned digit = (unsigned)(uint8_t)text.data[i] - '0';
            if (digit > 9) {
                row_error(call, row, ERR_INVALID_ARGUMENT);
                break;
            }
            unsigned doubled = digit * 2;
            sum += !twice ? digit : doubled > 9 ? doubled - 9 : doubled;
        }
        out[row] = text.len > 0 && sum % 10 == 0;
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- translate */

/* What `c` becomes: -1 = nothing. The first of equal characters counts. */
static int32_t translated(const CodePoints *from, const CodePoints *to, int32_t c) {
    for (size_t i = 0; i < from->count; i++) {
        if (from->at[i] == c) return i < to->count ? to->at[i] : -1;
    }
    return c;
}

static Status kernel_translate(KernelCall *call) {
    CodePoints from = {0}, to = {0};
    Buf text;
    kernel_buf_init(call, &text);
    KERNEL_ROWS(call, row, {
        Str source = arg_text(call, 0, row);
        TRY(code_points(call, arg_text(call, 1, row), &from));
        TRY(code_points(call, arg_text(call, 2, row), &to));
        kernel_buf_reset(&text);
        for (size_t at = 0; at < source.len;) {
            char bytes[4];
            int32_t c = translated(&from, &to, utf8_next(source.data, source.len, &at));
            if (c >= 0) buf_add(&text, bytes, utf8_put(bytes, (uint32_t)c));
        }
        TRY(kernel_put_buf(call, row, &text));
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- concat_ws */

static bool arg_null(const KernelCall *call, uint32_t index, uint32_t row) {
    const Vector *v = &call->args[index];
    return vector_is_null(v, v->form == VECTOR_CONSTANT ? 0 : row);
}

static void append_part(Buf *out, bool *first, Str separator, Str part) {
    if (!*first) buf_str(out, separator);
    *first = false;
    buf_str(out, part);
}

/* NULL parts are left out, a NULL separator makes NULL. */
static Status kernel_concat_ws(KernelCall *call) {
    bool array = call->nargs == 2 && call->args[1].physical == PHYS_LIST;
    Buf text;
    kernel_buf_init(call, &text);
    KERNEL_ROWS(call, row, {
        bool first = true;
        if (arg_null(call, 0, row)) {
            TRY(kernel_set_null(call, row));
            continue;
        }
        Str separator = arg_text(call, 0, row);
        kernel_buf_reset(&text);
        for (uint32_t i = 1; i < call->nargs && !array; i++) {
            if (!arg_null(call, i, row))
                append_part(&text, &first, separator, arg_text(call, i, row));
        }
        if (array && !arg_null(call, 1, row)) {
            ListEntry list = list_entry(&call->args[1], row);
            const Vector *child = &call->args[1].children[0];
            for (uint32_t i = list.offset; i < list.offset + list.length; i++) {
                if (!vector_is_null(child, i))
                    append_part(&text, &first, separator, strview_str(vector_at(child, i)));
            }
        }
        TRY(kernel_put_buf(call, row, &text));
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- sizes */

/* "2.3MB": a decimal number and a unit of powers of 1024, as a whole number. */
static bool data_size(Str text, Int128 *out) {
    static const char units[] = "BkMGTPEZY";
    size_t len = 0;
    Int128 value;
    while (len < text.len && (text.data[len] == '.' || (uint8_t)(text.data[len] - '0') <= 9)) len++;
    Str number = {text.data, len};
    Str unit = {text.data + len, text.len - len};
    if (len == 0 || unit.len == 0 || unit.len > 2 || number.data[0] == '.') return false;
    const char *known = strchr(units, unit.data[0]);
    if (known == NULL || *known == '\0' || (known == units) != (unit.len == 1) ||
        (unit.len == 2 && unit.data[1] != 'B'))
        return false;
    const char *point = memchr(number.data, '.', number.len);
    int scale = point != NULL ? (int)(number.data + number.len - point - 1) : 0;
    if (point != NULL && (scale == 0 || memchr(point + 1, '.', (size_t)scale) != NULL))
        return false;
    if (scale > 18 || decimal_parse(number, DECIMAL_MAX_DIGITS, scale, &value) != DECIMAL_OK)
        return false;
    for (const char *step = units; step < known; step++) {
        if (__builtin_mul_overflow(value, (Int128)1024, &value)) return false;
    }
    *out = value / decimal_powers[scale];
    return decimal_fits(*out, DECIMAL_MAX_DIGITS);
}

static Status kernel_parse_data_size(KernelCall *call) {
    Int128 *out = call->result->data;
    KERNEL_ROWS(call, row, {
        if (!data_size(arg_text(call, 0, row), &out[row])) {
            out[row] = 0;
            row_error(call, row, ERR_INVALID_ARGUMENT);
        }
    });
    return TRIB_OK;
}

/* Three significant digits with a suffix of thousands: 1.23K. */
static Status kernel_format_number(KernelCall *call) {
    static const char *const suffixes[] = {"", "K", "M", "B", "T", "Q"};
    bool whole = call->args[0].physical == PHYS_INT64;
    KERNEL_ROWS(call, row, {
        char out[400]; /* the largest double has 309 digits */
        double value = whole ? (double)arg_int64(call, 0, row) : KERNEL_ARG(call, 0, double, row);
        double size = value < 0 ? -value : value;
        size_t step = 0;
        while (size >= 1000 && step + 1 < COUNT_OF(suffixes)) {
            size /= 1000;
            step++;
        }
        int digits = step == 0 && whole ? 0 : size < 10 ? 2 : size < 100 ? 1 : 0;
        int len = text_format(out, sizeof(out), "%s%.*f", value < 0 ? "-" : "", digits, size);
        if (digits > 0) { /* no zeros at the end */
            while (out[len - 1] == '0') len--;
            if (out[len - 1] == '.') len--;
        }
        len += text_format(out + len, sizeof(out) - (size_t)len, "%s", suffixes[step]);
        TRY(kernel_put_text(call, row, out, (size_t)len));
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

#define COMPARE(ID, SIGNATURE, RAISES, HELP)                                          \
    {                                                                                 \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .may_raise = RAISES, \
        .kernel = kernel_##ID, .family = "text", .help = HELP                         \
    }
#define CONCAT_WS(SIGNATURE)                                                   \
    {                                                                          \
        .id = TRIB_FN_concat_ws, .name = "concat_ws", .signature = SIGNATURE,  \
        .nulls = NULLS_CALLED, .kernel = kernel_concat_ws, .family = "text",   \
        .help = "The texts that are not NULL with the first one between them." \
    }

static Status resolve_data_size(Arena *arena, uint32_t nargs, Type *args, Type *result,
                                Error *err) {
    *result = type_decimal(DECIMAL_MAX_DIGITS, 0);
    return TRIB_OK;
}

static const Function rows[] = {
    COMPARE(hamming_distance, "varchar, varchar -> bigint", true,
            "In how many places texts of the same length differ."),
    COMPARE(levenshtein_distance, "varchar, varchar -> bigint", true,
            "How many characters must be put in, taken out or exchanged to get the other text."),
    COMPARE(luhn_check, "varchar -> boolean", true,
            "Whether digits are valid after Luhn's algorithm."),
    COMPARE(translate, "varchar, varchar, varchar -> varchar", false,
            "With each character of the second text replaced by the one of the third."),
    CONCAT_WS("varchar, array(varchar) -> varchar"),
    CONCAT_WS("varchar, varchar... -> varchar"),
    {.id = TRIB_FN_parse_data_size,
     .name = "parse_data_size",
     .aliases = "parse_presto_data_size",
     .signature = "varchar -> *",
     .may_raise = true,
     .kernel = kernel_parse_data_size,
     .resolve = resolve_data_size,
     .family = "text",
     .help = "The bytes that a size such as 2.3MB stands for."},
    COMPARE(format_number, "bigint -> varchar", false,
            "The number with K, M, B, T or Q behind it."),
    COMPARE(format_number, "double -> varchar", false,
            "The number with K, M, B, T or Q behind it."),
};

FUNCTION_TABLE(functions_text_compare, rows);
