/*
 * text.c - case mapping and LIKE.
 *
 * Case: ASCII in place, eight bytes at a time; other characters through runs of Unicode's simple
 * mappings, found by binary search. Independent of the locale.
 *
 * LIKE: the pattern is cut at '%' into pieces. The first piece must match at the start, the last at
 * the end (where no '%' stands there), those between at the first place where they do: with '%' that
 * is never worse than a later one, so there is no backtracking. Pieces without '_' are searched by
 * memmem. Time is linear in the text but for '_' inside pieces.
 */
#include "engine/kernels/loop.h"
#include "engine/kernels/text.h"

/* ---------------------------------------------------------------- case */

typedef struct CaseRun {
    uint32_t first, last;
    int32_t stride, delta;
} CaseRun;

static const CaseRun lower_runs[] = {
#define LOWER(first, last, stride, delta) {first, last, stride, delta},
#include "engine/kernels/unicode_case.def"
};

static const CaseRun upper_runs[] = {
#define UPPER(first, last, stride, delta) {first, last, stride, delta},
#include "engine/kernels/unicode_case.def"
};

static uint32_t run_map(const CaseRun *runs, size_t count, uint32_t c) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (runs[middle].last < c) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == count || c < runs[low].first) return c;
    if ((c - runs[low].first) % (uint32_t)runs[low].stride != 0) return c;
    return (uint32_t)((int32_t)c + runs[low].delta);
}

uint32_t unicode_lower(uint32_t c) {
    if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    return run_map(lower_runs, COUNT_OF(lower_runs), c);
}

uint32_t unicode_upper(uint32_t c) {
    if (c < 0x80) return c >= 'a' && c <= 'z' ? c - 32 : c;
    return run_map(upper_runs, COUNT_OF(upper_runs), c);
}

bool text_is_ascii(Str text) {
    uint8_t any = 0;
    for (size_t i = 0; i < text.len; i++) any |= (uint8_t)text.data[i];
    return any < 0x80;
}

static void ascii_case(Str text, bool upper, char *out) {
    uint8_t first = upper ? 'a' : 'A';
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = (uint8_t)text.data[i];
        out[i] = (char)(c ^ ((uint8_t)((uint8_t)(c - first) < 26) << 5));
    }
}

/* Bit 5 of each byte that is a letter of the other case, for bytes below 128. */
static inline uint64_t case_bits(uint64_t bytes, bool upper) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t first = upper ? 'a' : 'A', last = first + 25;
    uint64_t from = bytes + ones * (128 - first), past = bytes + ones * (127 - last);
    return ((from ^ past) & (ones * 128)) >> 2;
}

bool text_map_inline(const StrView *text, bool upper, StrView *out) {
    uint64_t words[2];
    if (text->len > STRVIEW_INLINE) return false;
    memcpy(words, text, sizeof(words));
    /* the length is in the first four bytes, below 128 */
    if ((words[0] | words[1]) & UINT64_C(0x8080808080808080)) return false;
    words[0] ^= case_bits(words[0], upper) & ~UINT64_C(0xffffffff);
    words[1] ^= case_bits(words[1], upper);
    memcpy(out, words, sizeof(words));
    return true;
}

#define FIND_SHORT 64

const char *text_find(Str text, Str part) {
    if (part.len > text.len) return NULL;
    if (text.len > FIND_SHORT) return memmem(text.data, text.len, part.data, part.len);
    const char *end = text.data + text.len - part.len;
    char first = part.data[0], last = part.data[part.len - 1];
    for (const char *at = text.data; at <= end; at++) {
        if (at[0] != first || at[part.len - 1] != last) continue;
        if (memcmp(at, part.data, part.len) == 0) return at;
    }
    return NULL;
}

size_t text_map_case(Str text, bool upper, char *out) {
    if (text_is_ascii(text)) {
        if (out != NULL) ascii_case(text, upper, out);
        return text.len;
    }
    size_t written = 0;
    for (size_t at = 0; at < text.len;) {
        size_t start = at;
        char bytes[4];
        int32_t c = utf8_next(text.data, text.len, &at);
        size_t len = 0;
        if (c >= 0) {
            uint32_t other = upper ? unicode_upper((uint32_t)c) : unicode_lower((uint32_t)c);
            len = utf8_put(bytes, other);
        }
        if (len == 0) { /* not text: kept as it is */
            len = at - start;
            memcpy(bytes, text.data + start, len);
        }
        if (out != NULL) memcpy(out + written, bytes, len);
        written += len;
    }
    return written;
}

bool unicode_is_space(uint32_t c) {
    if (c <= 0x20) return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x1f);
    if (c < 0x1680) return false;
    return c == 0x1680 || (c >= 0x2000 && c <= 0x200a && c != 0x2007) || c == 0x2028 ||
           c == 0x2029 || c == 0x205f || c == 0x3000;
}

/* ---------------------------------------------------------------- LIKE */

/* Literal bytes in which `any` marks the positions of '_' (a placeholder byte stands there). */
typedef struct LikePiece {
    Str bytes;
    const uint8_t *any; /* NULL = no '_' */
} LikePiece;

struct LikePattern {
    uint32_t count;            /* pieces */
    bool open_start, open_end; /* '%' stands first, last */
    LikePiece *pieces;
};

typedef struct LikeCompiler {
    Arena *arena;
    LikePattern *pattern;
    char *bytes;
    uint8_t *any;
    size_t len, start; /* of the piece being built */
    bool has_any;
} LikeCompiler;

static void piece_end(LikeCompiler *c) {
    if (c->len == c->start) return;
    c->pattern->pieces[c->pattern->count++] =
        (LikePiece){.bytes = {c->bytes + c->start, c->len - c->start},
                    .any = c->has_any ? c->any + c->start : NULL};
    c->start = c->len;
    c->has_any = false;
}

static bool like_special(int32_t c, int32_t escape) {
    return c == '%' || c == '_' || c == escape;
}

/* Reads the whole pattern into pieces; false on a wrong escape sequence. */
static bool like_read(LikeCompiler *c, Str text, int32_t escape) {
    for (size_t at = 0; at < text.len;) {
        size_t start = at;
        int32_t code = utf8_next(text.data, text.len, &at);
        bool literal = false;
        if (code >= 0 && code == escape) {
            start = at;
            if (at >= text.len) return false;
            code = utf8_next(text.data, text.len, &at);
            if (!like_special(code, escape)) return false;
            literal = true;
        }
        c->pattern->open_end = false;
        if (!literal && code == '%') {
            if (start == 0) c->pattern->open_start = true;
            c->pattern->open_end = true;
            piece_end(c);
        } else if (!literal && code == '_') {
            c->any[c->len] = 1;
            c->bytes[c->len++] = '_';
            c->has_any = true;
        } else {
            memcpy(c->bytes + c->len, text.data + start, at - start);
            c->len += at - start;
        }
    }
    piece_end(c);
    return true;
}

Status like_compile(Arena *arena, Str pattern, int32_t escape, LikePattern **out, uint8_t *error,
                    Error *err) {
    LikeCompiler c = {.arena = arena};
    size_t pieces = 1;
    for (size_t i = 0; i < pattern.len; i++) pieces += pattern.data[i] == '%';
    *out = NULL;
    *error = 0;
    TRY_ALLOC(c.pattern, ARENA_NEW(arena, LikePattern), err);
    TRY_ALLOC(c.pattern->pieces, ARENA_ARRAY(arena, LikePiece, pieces), err);
    TRY_ALLOC(c.bytes, arena_alloc(arena, pattern.len), err);
    TRY_ALLOC(c.any, arena_alloc(arena, pattern.len), err);
    if (like_read(&c, pattern, escape)) {
        *out = c.pattern;
    } else {
        *error = KERNEL_ERROR(ERR_INVALID_PATTERN);
    }
    return TRIB_OK;
}

bool like_escape(Str text, int32_t *escape) {
    size_t at = 0;
    if (text.len == 0) return false;
    *escape = utf8_next(text.data, text.len, &at);
    return *escape >= 0 && at == text.len;
}

/* Bytes of text that a piece with '_' matches at its start; SIZE_MAX = none. */
static size_t piece_match(const LikePiece *piece, Str text) {
    size_t at = 0;
    for (size_t i = 0; i < piece->bytes.len; i++) {
        if (at >= text.len) return SIZE_MAX;
        if (piece->any[i]) {
            utf8_next(text.data, text.len, &at);
        } else if (text.data[at++] != piece->bytes.data[i]) {
            return SIZE_MAX;
        }
    }
    return at;
}

static size_t piece_at_start(const LikePiece *piece, Str text) {
    if (piece->any != NULL) return piece_match(piece, text);
    bool same =
        piece->bytes.len <= text.len && memcmp(piece->bytes.data, text.data, piece->bytes.len) == 0;
    return same ? piece->bytes.len : SIZE_MAX;
}

/* The first place behind which the piece has matched; SIZE_MAX = none. */
static size_t piece_search(const LikePiece *piece, Str text) {
    if (piece->any == NULL) {
        const char *found = text_find(text, piece->bytes);
        return found != NULL ? (size_t)(found - text.data) + piece->bytes.len : SIZE_MAX;
    }
    for (size_t at = 0; at < text.len; utf8_next(text.data, text.len, &at)) {
        size_t len = piece_match(piece, (Str){text.data + at, text.len - at});
        if (len != SIZE_MAX) return at + len;
    }
    return SIZE_MAX;
}

/* Does the piece match so that it ends with the text? Counted from the end in characters. */
static bool piece_at_end(const LikePiece *piece, Str text) {
    if (piece->any == NULL) {
        return piece->bytes.len <= text.len &&
               memcmp(piece->bytes.data, text.data + text.len - piece->bytes.len,
                      piece->bytes.len) == 0;
    }
    size_t at = text.len;
    for (size_t i = piece->bytes.len; i-- > 0;) {
        if (at == 0) return false;
        at--;
        if (piece->any[i]) {
            while (at > 0 && ((uint8_t)text.data[at] & 0xc0) == 0x80) at--;
        } else if (text.data[at] != piece->bytes.data[i]) {
            return false;
        }
    }
    return true;
}

bool like_match(const LikePattern *p, Str text) {
    uint32_t first = 0, last = p->count;
    if (p->count == 0) return p->open_start || text.len == 0;
    if (!p->open_start) {
        size_t len = piece_at_start(&p->pieces[0], text);
        if (len == SIZE_MAX) return false;
        text = (Str){text.data + len, text.len - len};
        if (p->count == 1 && !p->open_end) return text.len == 0;
        first = 1;
    }
    if (!p->open_end) last--;
    for (uint32_t i = first; i < last; i++) {
        size_t end = piece_search(&p->pieces[i], text);
        if (end == SIZE_MAX) return false;
        text = (Str){text.data + end, text.len - end};
    }
    return p->open_end || piece_at_end(&p->pieces[last], text);
}
