/*
 * lexer.h - SQL text to tokens, on demand.
 *
 * A Lexer is a plain value: copying it is how the parser looks further ahead. It never fails; what is
 * not a token comes back as TOKEN_INVALID with a fault, and the parser words the error. Tokens are
 * slices of the text: nothing is decoded or allocated here, except by the two decoding functions.
 */
#ifndef TRIB_SQL_LEXER_H
#define TRIB_SQL_LEXER_H

#include "engine/sql/ast.h"

typedef enum Keyword {
    KEYWORD_NONE,
#define KEYWORD(word, standing) KW_##word,
#include "engine/sql/keywords.def"
#undef KEYWORD
    KEYWORD_TOTAL
} Keyword;

typedef enum TokenKind {
    TOKEN_END,
    TOKEN_NAME,       /* an unquoted word; keyword says whether the grammar knows it */
    TOKEN_QUOTED,     /* "name" */
    TOKEN_BACKQUOTED, /* `name` */
    TOKEN_DIGIT_NAME, /* 1abc */
    TOKEN_STRING,     /* '..' and N'..' */
    TOKEN_UNICODE,    /* U&'..' */
    TOKEN_BINARY,     /* X'..' */
    TOKEN_INTEGER,
    TOKEN_DECIMAL,
    TOKEN_DOUBLE,
    TOKEN_LPAREN,
    TOKEN_RPAREN,
    TOKEN_LBRACKET,
    TOKEN_RBRACKET,
    TOKEN_LBRACE,
    TOKEN_RBRACE,
    TOKEN_COMMA,
    TOKEN_DOT,
    TOKEN_SEMICOLON,
    TOKEN_COLON,
    TOKEN_QUESTION,
    TOKEN_EQ,
    TOKEN_NE,
    TOKEN_LT,
    TOKEN_LE,
    TOKEN_GT,
    TOKEN_GE,
    TOKEN_PLUS,
    TOKEN_MINUS,
    TOKEN_STAR,
    TOKEN_SLASH,
    TOKEN_PERCENT,
    TOKEN_CONCAT,
    TOKEN_ARROW,     /* -> */
    TOKEN_FAT_ARROW, /* => */
    TOKEN_INVALID    /* fault says why */
} TokenKind;

typedef enum LexFault {
    LEX_CHARACTER, /* no token starts with it */
    LEX_OPEN_STRING,
    LEX_OPEN_NAME,
    LEX_OPEN_COMMENT,
    LEX_EMPTY_NAME,  /* "" */
    LEX_DOUBLE_EQUAL /* == */
} LexFault;

typedef struct Token {
    uint8_t kind;        /* TokenKind */
    uint8_t fault;       /* LexFault, of TOKEN_INVALID */
    uint16_t keyword;    /* Keyword, of TOKEN_NAME */
    uint32_t start, len; /* bytes of the text, quotes included */
    AstPosition at;
} Token;

typedef struct Lexer {
    const char *data;
    uint32_t len, at;
    uint32_t line, column; /* of data[at] */
    AstPosition fixed;     /* line not 0: the position of every token */
} Lexer;

/* text: valid UTF-8 of at most SQL_MAX_TEXT bytes. A leading byte order mark is skipped. */
void lexer_init(Lexer *self, Str text);
/* The next token; TOKEN_END for ever at the end. */
void lexer_next(Lexer *self, Token *token);

Keyword sql_keyword_find(Str word); /* any case; KEYWORD_NONE if the grammar does not know it */
const char *keyword_text(Keyword keyword); /* upper case */
bool keyword_reserved(Keyword keyword);
/* How messages call a punctuation token: "','". NULL for kinds with a text of their own. */
const char *token_kind_text(TokenKind kind);

/* A quoted token's inside with doubled quotes halved; borrows from the text where nothing was doubled.
 * out.data is NULL when memory is exhausted. */
Str token_unquote(Arena *arena, Str raw, size_t prefix);

#endif
