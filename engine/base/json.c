/*
 * json.c - the streaming reader of JSON.
 *
 * A state machine that returns one token per call; the kinds of the open containers stand on a
 * stack of bytes on the arena that doubles as the depth grows, so that no input makes it recurse.
 * Strings without escapes are borrowed from the input; others are decoded onto the arena. Numbers
 * stay text: whoever wants a bigint, a decimal or a double converts without a detour through
 * another type.
 *
 * Errors carry line and column. Their code is CONFIGURATION where comments are accepted (that is
 * what comments are for) and a data error otherwise.
 */
#include "engine/base/json.h"

enum {
    EXPECT_VALUE,      /* at the top, after a colon, after a comma of an array */
    EXPECT_FIRST_ITEM, /* after "[": a value or "]" */
    EXPECT_LATER_ITEM, /* after a comma of an array */
    EXPECT_FIRST_KEY,  /* after "{": a key or "}" */
    EXPECT_LATER_KEY,  /* after a comma of an object */
    EXPECT_COLON,      /* after a key */
    EXPECT_COMMA,      /* after a value in a container */
    EXPECT_END         /* after the value at the top */
};

#define STACK_FIRST 16

void json_init(JsonReader *self, Arena *arena, Str text, bool comments, uint32_t max_depth) {
    *self = (JsonReader){.data = text.data,
                         .len = text.len,
                         .line = 1,
                         .column = 1,
                         .token_line = 1,
                         .token_column = 1,
                         .comments = comments,
                         .max_depth = max_depth,
                         .arena = arena,
                         .state = EXPECT_VALUE};
    /* A byte order mark is ignored (RFC 8259, section 8.1). */
    if (text.len >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0) self->at = 3;
}

/* ---------------------------------------------------------------- errors */

static ErrorCode code_of(const JsonReader *self, ErrorCode data_code) {
    return self->comments ? ERR_CONFIGURATION : data_code;
}

static Status fault_here(const JsonReader *self, Error *err, const char *what) {
    return error_set_at(err, code_of(self, ERR_INVALID_CAST), self->line, self->column,
                        "invalid JSON: %s", what);
}

/* Names what stands at the reader's position. */
static Status unexpected(const JsonReader *self, Error *err, const char *wanted) {
    if (self->at >= self->len)
        return error_set_at(err, code_of(self, ERR_INVALID_CAST), self->line, self->column,
                            "invalid JSON: the text ends where %s should stand", wanted);
    size_t next = self->at;
    int32_t c = utf8_next(self->data, self->len, &next);
    if (c < 0)
        return error_set_at(err, code_of(self, ERR_INVALID_ENCODING), self->line, self->column,
                            "invalid JSON: the text is not valid UTF-8");
    if (c < 0x20 || c == 0x7F)
        return error_set_at(err, code_of(self, ERR_INVALID_CAST), self->line, self->column,
                            "invalid JSON: U+%04X where %s should stand", (unsigned)c, wanted);
    return error_set_at(err, code_of(self, ERR_INVALID_CAST), self->line, self->column,
                        "invalid JSON: '%.*s' where %s should stand", (int)(next - self->at),
                        self->data + self->at, wanted);
}

/* ---------------------------------------------------------------- blanks and comments */

/* Steps over one character of any kind, for the position's sake. */
static void step(JsonReader *self) {
    char c = self->data[self->at];
    if (c == '\n') {
        self->line++;
        self->column = 1;
        self->at++;
        return;
    }
    (void)utf8_next(self->data, self->len, &self->at);
    self->column++;
}

static Status comment_skip(JsonReader *self, Error *err) {
    JsonReader begin = *self;
    bool block = self->at + 1 < self->len && self->data[self->at + 1] == '*';
    bool line = self->at + 1 < self->len && self->data[self->at + 1] == '/';
    if (!block && !line) return unexpected(self, err, "a value or a comment");
    self->at += 2;
    self->column += 2;
    while (self->at < self->len) {
        if (line && self->data[self->at] == '\n') return TRIB_OK;
        if (block && self->data[self->at] == '*' && self->at + 1 < self->len &&
            self->data[self->at + 1] == '/') {
            self->at += 2;
            self->column += 2;
            return TRIB_OK;
        }
        step(self);
    }
    return line ? TRIB_OK : fault_here(&begin, err, "the comment that begins here does not end");
}

static Status blanks_skip(JsonReader *self, Error *err) {
    while (self->at < self->len) {
        switch (self->data[self->at]) {
        case '\n':
            self->line++;
            self->column = 0;
            /* fall through */
        case ' ':
        case '\t':
        case '\r':
            self->at++;
            self->column++;
            break;
        case '/':
            if (!self->comments) return TRIB_OK;
            TRY(comment_skip(self, err));
            break;
        default: return TRIB_OK;
        }
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- strings */

static int hex_4(const char *at) {
    int value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    return value;
}

static Status escape_unicode(JsonReader *self, char **out, Error *err) {
    int high = self->len - self->at >= 6 ? hex_4(self->data + self->at + 2) : -1;
    uint32_t code = (uint32_t)high;
    size_t used = 6;
    if (high < 0) return fault_here(self, err, "\\u must be followed by four hexadecimal digits");
    if (code >= 0xDC00 && code <= 0xDFFF)
        return fault_here(self, err, "a low surrogate without a high one before it");
    if (code >= 0xD800 && code <= 0xDBFF) {
        const char *pair = self->data + self->at + 6;
        int low =
            self->len - self->at >= 12 && pair[0] == '\\' && pair[1] == 'u' ? hex_4(pair + 2) : -1;
        if (low < 0xDC00 || low > 0xDFFF)
            return fault_here(self, err, "a high surrogate without a low one behind it");
        code = 0x10000 + ((code - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
        used = 12;
    }
    char encoded[4];
    size_t length = utf8_put(encoded, code);
    if (*out) {
        memcpy(*out, encoded, length);
        *out += length;
    }
    self->at += used;
    self->column += (uint32_t)used;
    return TRIB_OK;
}

static Status escape_read(JsonReader *self, char **out, Error *err) {
    static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    if (self->at + 1 == self->len) return fault_here(self, err, "the text ends within a string");
    char letter = self->data[self->at + 1];
    if (letter == 'u') return escape_unicode(self, out, err);
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (!found) return fault_here(self, err, "an unknown escape sequence in a string");
    if (*out) *(*out)++ = bytes[found - letters];
    self->at += 2;
    self->column += 2;
    return TRIB_OK;
}

/* Whether one of eight bytes is a quote, a backslash, a control character or not ASCII. The well-known
 * test for a zero byte, applied to what becomes zero there. */
static inline bool eight_special(uint64_t word) {
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t quote = word ^ (ones * '"'), backslash = word ^ (ones * '\\');
    uint64_t zero = ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash);
    return ((zero | (word - ones * 0x20) | word) & tops) != 0;
}

/* Steps over characters that stand for themselves; stops at a quote, a backslash, or an error. */
static Status plain_run(JsonReader *self, Error *err) {
    while (self->at < self->len) {
        size_t from = self->at;
        for (uint64_t word; self->len - self->at >= sizeof word; self->at += sizeof word) {
            memcpy(&word, self->data + self->at, sizeof word);
            if (eight_special(word)) break;
        }
        self->column += (uint32_t)(self->at - from);
        if (self->at == self->len) break;
        unsigned char c = (unsigned char)self->data[self->at];
        if (c == '"' || c == '\\') return TRIB_OK;
        if (c < 0x20)
            return error_set_at(err, code_of(self, ERR_INVALID_CAST), self->line, self->column,
                                "invalid JSON: the control character U+%04X in a string must be "
                                "written as an escape sequence",
                                c);
        if (c < 0x80)
            self->at++;
        else if (utf8_next(self->data, self->len, &self->at) < 0) {
            self->at--;
            return unexpected(self, err, "a character");
        }
        self->column++;
    }
    return error_set_at(err, code_of(self, ERR_INVALID_CAST), self->token_line, self->token_column,
                        "invalid JSON: the string that begins here does not end");
}

static Status string_read(JsonReader *self, Error *err) {
    size_t begin = ++self->at;
    self->column++;
    TRY(plain_run(self, err));
    if (self->data[self->at] == '"') {
        self->text = (Str){self->data + begin, self->at - begin};
    } else {
        /* What is decoded is never longer than what is written; find the end of the latter. */
        size_t close = self->at;
        while (close < self->len && self->data[close] != '"')
            close += self->data[close] == '\\' ? 2 : 1;
        size_t room = (close < self->len ? close : self->len) - begin;
        char *decoded = NULL, *out = NULL;
        if (!self->discard) TRY_ALLOC(decoded, arena_alloc(self->arena, room + 1), err);
        out = decoded;
        size_t from = begin;
        for (;;) {
            if (out) {
                memcpy(out, self->data + from, self->at - from);
                out += self->at - from;
            }
            if (self->data[self->at] == '"') break;
            TRY(escape_read(self, &out, err));
            from = self->at;
            TRY(plain_run(self, err));
        }
        self->text = decoded ? (Str){decoded, (size_t)(out - decoded)} : (Str){"", 0};
    }
    self->at++;
    self->column++;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- numbers and words */

static bool digit_at(const JsonReader *self) {
    return self->at < self->len && self->data[self->at] >= '0' && self->data[self->at] <= '9';
}

static bool digits_skip(JsonReader *self) {
    size_t begin = self->at;
    while (digit_at(self)) self->at++;
    self->column += (uint32_t)(self->at - begin);
    return self->at > begin;
}

static bool char_skip(JsonReader *self, const char *any) {
    if (self->at == self->len || self->data[self->at] == '\0' || !strchr(any, self->data[self->at]))
        return false;
    self->at++;
    self->column++;
    return true;
}

static Status number_read(JsonReader *self, Error *err) {
    size_t begin = self->at;
    char_skip(self, "-");
    if (char_skip(self, "0")) {
        if (digit_at(self)) return fault_here(self, err, "a number must not begin with 0");
    } else if (!digits_skip(self)) {
        return unexpected(self, err, "a digit");
    }
    if (char_skip(self, ".") && !digits_skip(self)) return unexpected(self, err, "a digit");
    if (char_skip(self, "eE")) {
        char_skip(self, "+-");
        if (!digits_skip(self)) return unexpected(self, err, "a digit");
    }
    self->text = (Str){self->data + begin, self->at - begin};
    return TRIB_OK;
}

static Status word_read(JsonReader *self, JsonToken *token, Error *err) {
    static const struct {
        Str word;
        JsonToken token;
    } words[] = {{{"true", 4}, JSON_TRUE}, {{"false", 5}, JSON_FALSE}, {{"null", 4}, JSON_NULL}};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        Str word = words[i].word;
        if (self->len - self->at < word.len ||
            memcmp(self->data + self->at, word.data, word.len) != 0)
            continue;
        self->text = (Str){self->data + self->at, word.len};
        self->at += word.len;
        self->column += (uint32_t)word.len;
        *token = words[i].token;
        return TRIB_OK;
    }
    return unexpected(self, err, "a value");
}

/* ---------------------------------------------------------------- structure */

static Status container_begin(JsonReader *self, uint8_t kind, Error *err) {
    if (self->depth >= self->max_depth)
        return error_set_at(err, code_of(self, ERR_LIMIT), self->line, self->column,
                            "invalid JSON: nested deeper than %u levels", self->max_depth);
    if (self->depth == 0 && !self->stack) {
        TRY_ALLOC(self->stack, arena_alloc(self->arena, STACK_FIRST), err);
        self->stack_size = STACK_FIRST;
    } else if (self->depth == self->stack_size) {
        uint8_t *larger;
        TRY_ALLOC(
            larger,
            arena_resize(self->arena, self->stack, self->stack_size, 2 * (size_t)self->stack_size),
            err);
        self->stack = larger;
        self->stack_size *= 2;
    }
    self->stack[self->depth++] = kind;
    self->state = kind == '{' ? EXPECT_FIRST_KEY : EXPECT_FIRST_ITEM;
    return TRIB_OK;
}

static void value_end(JsonReader *self) {
    self->state = self->depth ? EXPECT_COMMA : EXPECT_END;
}

static JsonToken container_end(JsonReader *self) {
    JsonToken token = self->stack[--self->depth] == '{' ? JSON_OBJECT_END : JSON_ARRAY_END;
    self->at++;
    self->column++;
    value_end(self);
    return token;
}

static Status value_read(JsonReader *self, JsonToken *token, Error *err) {
    char c = self->at < self->len ? self->data[self->at] : '\0';
    switch (c) {
    case '{':
    case '[':
        TRY(container_begin(self, (uint8_t)c, err));
        self->at++;
        self->column++;
        *token = c == '{' ? JSON_OBJECT_BEGIN : JSON_ARRAY_BEGIN;
        return TRIB_OK;
    case '"':
        TRY(string_read(self, err));
        *token = JSON_STRING;
        break;
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        TRY(number_read(self, err));
        *token = JSON_NUMBER;
        break;
    default: TRY(word_read(self, token, err)); break;
    }
    value_end(self);
    return TRIB_OK;
}

static Status key_read(JsonReader *self, JsonToken *token, Error *err) {
    if (self->at == self->len || self->data[self->at] != '"')
        return unexpected(self, err, "a key in quotes");
    TRY(string_read(self, err));
    *token = JSON_KEY;
    self->state = EXPECT_COLON;
    return TRIB_OK;
}

static void token_begin(JsonReader *self) {
    self->token_line = self->line;
    self->token_column = self->column;
    self->token_start = self->at;
}

/* Takes the comma or colon that may stand before the next token; true if a token is complete. */
static Status separator_read(JsonReader *self, Error *err) {
    char c = self->at < self->len ? self->data[self->at] : '\0';
    if (self->state == EXPECT_COLON) {
        if (c != ':') return unexpected(self, err, "':'");
        self->state = EXPECT_VALUE;
    } else if (self->state == EXPECT_COMMA) {
        bool object = self->stack[self->depth - 1] == '{';
        if (c == (object ? '}' : ']')) return TRIB_OK;
        if (c != ',') return unexpected(self, err, object ? "',' or '}'" : "',' or ']'");
        self->state = object ? EXPECT_LATER_KEY : EXPECT_LATER_ITEM;
    } else {
        return TRIB_OK;
    }
    self->at++;
    self->column++;
    return blanks_skip(self, err);
}

Status json_next(JsonReader *self, JsonToken *token, Error *err) {
    TRY(blanks_skip(self, err));
    TRY(separator_read(self, err));
    token_begin(self);
    self->text = (Str){"", 0};
    char c = self->at < self->len ? self->data[self->at] : '\0';
    switch (self->state) {
    case EXPECT_END:
        if (self->at < self->len) return unexpected(self, err, "the end of the text");
        *token = JSON_END;
        return TRIB_OK;
    case EXPECT_COMMA:
        *token = container_end(self); /* separator_read saw the matching bracket */
        return TRIB_OK;
    case EXPECT_FIRST_KEY:
    case EXPECT_LATER_KEY:
        if (c == '}' && (self->state == EXPECT_FIRST_KEY || self->comments)) {
            *token = container_end(self);
            return TRIB_OK;
        }
        return key_read(self, token, err);
    case EXPECT_FIRST_ITEM:
    case EXPECT_LATER_ITEM:
        if (c == ']' && (self->state == EXPECT_FIRST_ITEM || self->comments)) {
            *token = container_end(self);
            return TRIB_OK;
        }
        return value_read(self, token, err);
    default: return value_read(self, token, err);
    }
}

Status json_skip(JsonReader *self, JsonToken begun, Str *raw, Error *err) {
    size_t begin = self->token_start;
    if (begun == JSON_OBJECT_BEGIN || begun == JSON_ARRAY_BEGIN) {
        uint32_t outside = self->depth - 1;
        bool before = self->discard;
        JsonToken token;
        Status status = TRIB_OK;
        self->discard = true;
        while (self->depth > outside && status == TRIB_OK) status = json_next(self, &token, err);
        self->discard = before;
        if (status != TRIB_OK) return status;
    }
    *raw = (Str){self->data + begin, self->at - begin};
    return TRIB_OK;
}

/* ---------------------------------------------------------------- writing */

void json_quote(Buf *out, Str text) {
    static const char hex[] = "0123456789ABCDEF";
    buf_char(out, '"');
    size_t plain = 0, at = 0;
    while (at < text.len) {
        unsigned char c = (unsigned char)text.data[at];
        size_t next = at;
        bool valid = utf8_next(text.data, text.len, &next) >= 0;
        if (valid && c >= 0x20 && c != '"' && c != '\\') {
            at = next;
            continue;
        }
        buf_add(out, text.data + plain, at - plain);
        if (!valid) {
            buf_text(out, "\xEF\xBF\xBD"); /* U+FFFD: the output is JSON whatever came in */
        } else if (c == '"' || c == '\\') {
            buf_char(out, '\\');
            buf_char(out, (char)c);
        } else if (c == '\n' || c == '\t' || c == '\r' || c == '\b' || c == '\f') {
            buf_char(out, '\\');
            buf_char(out, c == '\n'   ? 'n'
                          : c == '\t' ? 't'
                          : c == '\r' ? 'r'
                          : c == '\b' ? 'b'
                                      : 'f');
        } else {
            buf_text(out, "\\u00");
            buf_char(out, hex[c >> 4]);
            buf_char(out, hex[c & 15]);
        }
        at = next;
        plain = at;
    }
    if (at > plain) buf_add(out, text.data + plain, at - plain); /* an empty text may be NULL */
    buf_char(out, '"');
}
