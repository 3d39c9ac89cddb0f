/*
 * lexer.c - SQL text to tokens, after the lexical rules of Trino.
 *
 * One pass, one character class per byte, no state but the position. Columns count characters, so
 * continuation bytes of UTF-8 do not advance them. '--' comments end at the line, bracketed ones do not
 * nest. Words are looked up in the sorted keyword table by binary search. No memory, any thread.
 */
#include "engine/sql/lexer.h"

typedef struct KeywordRow {
    const char *text;
    uint8_t len;
    bool reserved;
} KeywordRow;

enum { FREE = false, RESERVED = true };

static const KeywordRow keyword_rows[KEYWORD_TOTAL] = {
    [KEYWORD_NONE] = {"", 0, false},
#define KEYWORD(word, standing) [KW_##word] = {#word, sizeof #word - 1, standing},
#include "engine/sql/keywords.def"
#undef KEYWORD
};

static inline bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
static inline char fold(char c) {
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}
static inline bool is_letter(char c) {
    char u = fold(c);
    return (u >= 'A' && u <= 'Z') || c == '_';
}
static inline bool is_word(char c) {
    return is_letter(c) || is_digit(c);
}

Keyword sql_keyword_find(Str word) {
    char folded[32];
    if (word.len == 0 || word.len >= sizeof folded) return KEYWORD_NONE;
    for (size_t i = 0; i < word.len; i++) folded[i] = fold(word.data[i]);
    uint32_t low = 1, high = KEYWORD_TOTAL;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const KeywordRow *row = &keyword_rows[middle];
        size_t common = word.len < row->len ? word.len : row->len;
        int order = memcmp(folded, row->text, common);
        if (order == 0) order = word.len < row->len ? -1 : word.len > row->len;
        if (order == 0) return (Keyword)middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return KEYWORD_NONE;
}

const char *keyword_text(Keyword keyword) {
    return keyword_rows[keyword].text;
}

bool keyword_reserved(Keyword keyword) {
    return keyword_rows[keyword].reserved;
}

const char *token_kind_text(TokenKind kind) {
    static const char *const texts[] = {
        [TOKEN_LPAREN] = "'('",     [TOKEN_RPAREN] = "')'",   [TOKEN_LBRACKET] = "'['",
        [TOKEN_RBRACKET] = "']'",   [TOKEN_LBRACE] = "'{'",   [TOKEN_RBRACE] = "'}'",
        [TOKEN_COMMA] = "','",      [TOKEN_DOT] = "'.'",      [TOKEN_SEMICOLON] = "';'",
        [TOKEN_COLON] = "':'",      [TOKEN_QUESTION] = "'?'", [TOKEN_EQ] = "'='",
        [TOKEN_NE] = "'<>'",        [TOKEN_LT] = "'<'",       [TOKEN_LE] = "'<='",
        [TOKEN_GT] = "'>'",         [TOKEN_GE] = "'>='",      [TOKEN_PLUS] = "'+'",
        [TOKEN_MINUS] = "'-'",      [TOKEN_STAR] = "'*'",     [TOKEN_SLASH] = "'/'",
        [TOKEN_PERCENT] = "'%'",    [TOKEN_CONCAT] = "'||'",  [TOKEN_ARROW] = "'->'",
        [TOKEN_FAT_ARROW] = "'=>'",
    };
    return kind < COUNT_OF(texts) ? texts[kind] : NULL;
}

void lexer_init(Lexer *self, Str text) {
    *self = (Lexer){.data = text.data, .len = (uint32_t)text.len, .line = 1, .column = 1};
    if (text.len >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0) self->at = 3;
}

/* Moves to `end`, keeping line and column right across whatever lies between. */
static void lexer_advance(Lexer *self, uint32_t end) {
    for (uint32_t i = self->at; i < end; i++) {
        char c = self->data[i];
        if (c == '\n') {
            self->line++;
            self->column = 1;
        } else if (((unsigned char)c & 0xC0) != 0x80) {
            self->column++;
        }
    }
    self->at = end;
}

#define NEVER UINT32_MAX

/* The offset behind a comment that starts at `i`, or `i` where none does; NEVER when it is not
 * closed. */
static uint32_t comment_end(const Lexer *self, uint32_t i) {
    const char *d = self->data;
    if (i + 1 >= self->len) return i;
    if (d[i] == '-' && d[i + 1] == '-') {
        const char *line = memchr(d + i, '\n', self->len - i);
        return line ? (uint32_t)(line - d) : self->len;
    }
    if (d[i] == '/' && d[i + 1] == '*') {
        for (uint32_t k = i + 2; k + 1 < self->len; k++) {
            if (d[k] == '*' && d[k + 1] == '/') return k + 2;
        }
        return NEVER;
    }
    return i;
}

/* Skips white space and comments; false at a comment that never ends. */
static bool lexer_skip(Lexer *self) {
    while (self->at < self->len) {
        char c = self->data[self->at];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
            self->at++;
            self->column++;
        } else if (c == '\n') {
            self->at++;
            self->line++;
            self->column = 1;
        } else if (c == '-' || c == '/') {
            uint32_t end = comment_end(self, self->at);
            if (end == self->at) return true;
            if (end == NEVER) return false;
            lexer_advance(self, end);
        } else {
            return true;
        }
    }
    return true;
}

/* The offset behind the closing quote of what opens at `i`, doubled quotes passed; 0 if there is none. */
static uint32_t quoted_end(const Lexer *self, uint32_t i) {
    char quote = self->data[i];
    i++;
    while (i < self->len) {
        const char *next = memchr(self->data + i, quote, self->len - i);
        if (!next) return 0;
        i = (uint32_t)(next - self->data);
        if (i + 1 >= self->len || self->data[i + 1] != quote) return i + 1;
        i += 2;
    }
    return 0;
}

/* Digits with single underscores between them, from `i`. */
static uint32_t digits_end(const Lexer *self, uint32_t i) {
    while (i < self->len &&
           (is_digit(self->data[i]) || (self->data[i] == '_' && is_digit(self->data[i - 1]) &&
                                        i + 1 < self->len && is_digit(self->data[i + 1])))) {
        i++;
    }
    return i;
}

static bool radix_digit(char radix, char c) {
    char u = fold(c);
    if (radix == 'X') return is_digit(c) || (u >= 'A' && u <= 'F');
    return radix == 'O' ? c >= '0' && c <= '7' : c == '0' || c == '1';
}

/* 0x.., 0o.., 0b..: the offset behind, or 0 if none stands at `i`. */
static uint32_t radix_end(const Lexer *self, uint32_t i) {
    if (self->data[i] != '0' || i + 2 >= self->len) return 0;
    char radix = fold(self->data[i + 1]);
    if (radix != 'X' && radix != 'O' && radix != 'B') return 0;
    uint32_t k = i + 2;
    for (;;) {
        uint32_t digit = k < self->len && self->data[k] == '_' ? k + 1 : k;
        if (digit >= self->len || !radix_digit(radix, self->data[digit])) break;
        k = digit + 1;
    }
    return k > i + 2 ? k : 0;
}

/* An exponent at `i`: the offset behind it, or `i`. */
static uint32_t exponent_end(const Lexer *self, uint32_t i) {
    if (i >= self->len || fold(self->data[i]) != 'E') return i;
    uint32_t k = i + 1;
    if (k < self->len && (self->data[k] == '+' || self->data[k] == '-')) k++;
    uint32_t digits = k;
    while (k < self->len && is_digit(self->data[k])) k++;
    return k > digits ? k : i;
}

static uint32_t number_end(const Lexer *self, uint32_t i, TokenKind *kind) {
    uint32_t word = i;
    while (word < self->len && is_word(self->data[word])) word++;
    uint32_t end = radix_end(self, i);
    *kind = TOKEN_INTEGER;
    if (end == 0) {
        end = self->data[i] == '.' ? i : digits_end(self, i);
        if (end < self->len && self->data[end] == '.') {
            *kind = TOKEN_DECIMAL;
            end = end + 1 < self->len && is_digit(self->data[end + 1]) ? digits_end(self, end + 1)
                                                                       : end + 1;
        }
        uint32_t exponent = exponent_end(self, end);
        if (exponent > end) *kind = TOKEN_DOUBLE;
        end = exponent;
    }
    if (*kind != TOKEN_DECIMAL && word > end && end > i) { /* 1abc, 0x1g, 1e5x */
        *kind = TOKEN_DIGIT_NAME;
        return word;
    }
    return end;
}

/* Quoted things: kind and length, or the fault. */
static uint32_t lex_quoted(const Lexer *self, Token *token, uint32_t quote, TokenKind kind,
                           LexFault open) {
    uint32_t end = quoted_end(self, quote);
    token->kind = (uint8_t)kind;
    if (end == 0) {
        token->kind = TOKEN_INVALID;
        token->fault = (uint8_t)open;
        return self->len;
    }
    if (end - quote == 2 && (kind == TOKEN_QUOTED || kind == TOKEN_BACKQUOTED)) {
        token->kind = TOKEN_INVALID;
        token->fault = LEX_EMPTY_NAME;
    }
    return end;
}

static uint32_t lex_word(const Lexer *self, Token *token) {
    const char *d = self->data;
    uint32_t i = self->at, left = self->len - i;
    char u = fold(d[i]);
    if (left > 1 && d[i + 1] == '\'') {
        if (u == 'X') return lex_quoted(self, token, i + 1, TOKEN_BINARY, LEX_OPEN_STRING);
        if (u == 'N') return lex_quoted(self, token, i + 1, TOKEN_STRING, LEX_OPEN_STRING);
    }
    if (u == 'U' && left > 2 && d[i + 1] == '&' && d[i + 2] == '\'') {
        return lex_quoted(self, token, i + 2, TOKEN_UNICODE, LEX_OPEN_STRING);
    }
    uint32_t end = i;
    while (end < self->len && is_word(d[end])) end++;
    token->kind = TOKEN_NAME;
    token->keyword = (uint16_t)sql_keyword_find((Str){d + i, end - i});
    return end;
}

static uint32_t lex_invalid(const Lexer *self, Token *token, LexFault fault, uint32_t len) {
    token->kind = TOKEN_INVALID;
    token->fault = (uint8_t)fault;
    return self->at + len;
}

static uint32_t lex_operator(const Lexer *self, Token *token) {
    static const struct {
        char text[3];
        uint8_t kind;
    } pairs[] = {{"<>", TOKEN_NE},       {"!=", TOKEN_NE},     {"<=", TOKEN_LE},
                 {">=", TOKEN_GE},       {"||", TOKEN_CONCAT}, {"->", TOKEN_ARROW},
                 {"=>", TOKEN_FAT_ARROW}};
    static const uint8_t singles[128] = {
        ['('] = TOKEN_LPAREN,   [')'] = TOKEN_RPAREN,   ['['] = TOKEN_LBRACKET,
        [']'] = TOKEN_RBRACKET, ['{'] = TOKEN_LBRACE,   ['}'] = TOKEN_RBRACE,
        [','] = TOKEN_COMMA,    ['.'] = TOKEN_DOT,      [';'] = TOKEN_SEMICOLON,
        [':'] = TOKEN_COLON,    ['?'] = TOKEN_QUESTION, ['='] = TOKEN_EQ,
        ['<'] = TOKEN_LT,       ['>'] = TOKEN_GT,       ['+'] = TOKEN_PLUS,
        ['-'] = TOKEN_MINUS,    ['*'] = TOKEN_STAR,     ['/'] = TOKEN_SLASH,
        ['%'] = TOKEN_PERCENT,
    };
    const char *d = self->data + self->at;
    if (self->len - self->at > 1) {
        if (d[0] == '=' && d[1] == '=') return lex_invalid(self, token, LEX_DOUBLE_EQUAL, 2);
        for (size_t i = 0; i < COUNT_OF(pairs); i++) {
            if (d[0] == pairs[i].text[0] && d[1] == pairs[i].text[1]) {
                token->kind = pairs[i].kind;
                return self->at + 2;
            }
        }
    }
    unsigned char c = (unsigned char)d[0];
    if (c < 128 && singles[c]) {
        token->kind = singles[c];
        return self->at + 1;
    }
    uint32_t len = 1;
    while (self->at + len < self->len && ((unsigned char)d[len] & 0xC0) == 0x80) len++;
    return lex_invalid(self, token, LEX_CHARACTER, len);
}

void lexer_next(Lexer *self, Token *token) {
    bool open = !lexer_skip(self);
    *token = (Token){.start = self->at, .at = {self->line, self->column}};
    if (self->fixed.line) token->at = self->fixed;
    if (self->at >= self->len) return;
    char c = self->data[self->at];
    uint32_t end;
    if (open) {
        lex_invalid(self, token, LEX_OPEN_COMMENT, 0);
        end = self->len;
    } else if (is_letter(c)) {
        end = lex_word(self, token);
    } else if (is_digit(c) ||
               (c == '.' && self->at + 1 < self->len && is_digit(self->data[self->at + 1]))) {
        TokenKind kind;
        end = number_end(self, self->at, &kind);
        token->kind = (uint8_t)kind;
    } else if (c == '\'') {
        end = lex_quoted(self, token, self->at, TOKEN_STRING, LEX_OPEN_STRING);
    } else if (c == '"') {
        end = lex_quoted(self, token, self->at, TOKEN_QUOTED, LEX_OPEN_NAME);
    } else if (c == '`') {
        end = lex_quoted(self, token, self->at, TOKEN_BACKQUOTED, LEX_OPEN_NAME);
    } else {
        end = lex_operator(self, token);
    }
    token->len = end - self->at;
    lexer_advance(self, end);
}

Str token_unquote(Arena *arena, Str raw, size_t prefix) {
    char quote = raw.data[prefix];
    Str inside = {raw.data + prefix + 1, raw.len - prefix - 2};
    if (inside.len == 0 || !memchr(inside.data, quote, inside.len)) return inside;
    char *out = arena_alloc(arena, inside.len);
    if (!out) return (Str){NULL, 0};
    size_t len = 0;
    for (size_t i = 0; i < inside.len; i++) {
        out[len++] = inside.data[i];
        if (inside.data[i] == quote) i++;
    }
    return (Str){out, len};
}
