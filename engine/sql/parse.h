/*
 * parse.h - what the parser's files share: the state of one parse, tokens, lists, nodes, errors.
 *
 * Recursive descent with one current token; looking further ahead copies the lexer. Operators are read
 * by precedence climbing, chains by loops. Every construct that nests (parenthesis, call, CASE, NOT, a
 * type inside a type ...) passes parse_enter, which bounds recursion; node heights bound the trees, so
 * that later stages may recurse. One thread; everything lives in the caller's arena.
 */
#ifndef TRIB_SQL_PARSE_H
#define TRIB_SQL_PARSE_H

#include "engine/sql/lexer.h"
#include "engine/sql/parser.h"

typedef struct Parser {
    Arena *arena;
    Error *err;
    Str text;
    Token token; /* the current one */
    Lexer lexer; /* behind it */
    Token ahead; /* the next one, when has_ahead */
    Lexer ahead_lexer;
    bool has_ahead;
    Token last; /* consumed last */
    uint32_t depth;
    uint32_t parameters;
    uint16_t peak;   /* greatest height of an expression or relation in the query being read */
    bool backquotes; /* `name` is allowed: Athena's statements */
    bool defaults;   /* a bare DEFAULT is allowed: rows of INSERT, assignments of UPDATE */
    uint32_t nargs;
    AstExpr *const *args; /* what stands for the parameters; NULL = they stay */
    AstExpr *pending;     /* read already: the next primary expression */
    AstRelation *pending_relation;
} Parser;

/* ---- tokens (parser.c) */
void parse_advance(Parser *p);
const Token *parse_ahead(Parser *p); /* the token behind the current one */
/* Reads tokens behind the current one: probe starts as a copy of p->lexer. */
static inline Lexer parse_probe(const Parser *p) {
    return p->lexer;
}
static inline bool at_token(const Parser *p, TokenKind kind) {
    return p->token.kind == kind;
}
static inline bool token_is(const Token *token, Keyword keyword) {
    return token->kind == TOKEN_NAME && token->keyword == (uint16_t)keyword;
}
static inline bool at_word(const Parser *p, Keyword keyword) {
    return token_is(&p->token, keyword);
}
static inline bool ahead_is_word(Parser *p, Keyword keyword) {
    return token_is(parse_ahead(p), keyword);
}
static inline bool ahead_is(Parser *p, TokenKind kind) {
    return parse_ahead(p)->kind == kind;
}
bool accept_token(Parser *p, TokenKind kind);
bool accept_word(Parser *p, Keyword keyword);
/* A word that is no keyword of the grammar ("TERMINATED"); compared without regard to case. */
bool at_text(const Parser *p, const char *word);
bool accept_text(Parser *p, const char *word);
Status expect_token(Parser *p, TokenKind kind) WARN_UNUSED;
Status expect_word(Parser *p, Keyword keyword) WARN_UNUSED;
Status expect_text(Parser *p, const char *word) WARN_UNUSED;
Str token_text(const Parser *p, const Token *token);
/* The text from the start of `from` to the end of the token consumed last. */
Str parse_since(const Parser *p, const Token *from);
/* May the token stand as a name without quotes? */
bool token_is_name(const Token *token);

/* ---- errors */
/* 42000 at the current token: "unexpected X, expected Y", with a hint for the frequent mistakes. */
Status parse_unexpected(Parser *p, const char *expected) WARN_UNUSED;
/* Not warn-unused: a hint may follow, which returns the same status. */
Status parse_error(Parser *p, AstPosition at, const char *format, ...) PRINTF_LIKE(3, 4);
/* HYC00: what is understood, but not offered. */
Status parse_unsupported(Parser *p, AstPosition at, const char *what) WARN_UNUSED;
Status parse_limit(Parser *p, AstPosition at, const char *format, ...)
    PRINTF_LIKE(3, 4) WARN_UNUSED;
Status parse_enter(Parser *p) WARN_UNUSED; /* one level deeper; 54000 beyond SQL_MAX_DEPTH */
static inline void parse_leave(Parser *p) {
    p->depth--;
}

/* ---- lists: grow by doubling in the arena */
typedef struct List {
    void *items;
    uint32_t count, cap;
} List;
Status ast_list_push(Parser *p, List *list, const void *item, size_t size) WARN_UNUSED;

/* ---- names, strings, types */
Status parse_name(Parser *p, AstName *out) WARN_UNUSED;
Status parse_qualified(Parser *p, AstQualifiedName *out) WARN_UNUSED;
Status parse_name_list(Parser *p, uint32_t *count, AstName **names) WARN_UNUSED; /* "(a, b)" */
/* (AS)? name, where something else may follow instead; out->text.len stays 0 without one. */
Status parse_alias(Parser *p, AstName *out) WARN_UNUSED;
/* LIMIT, OFFSET, FETCH, WINDOW, TABLESAMPLE ... at the current token are the clause and not a name. */
bool at_clause(Parser *p);
bool at_query_start(const Parser *p);  /* SELECT, WITH, VALUES, TABLE */
bool at_query_continuation(Parser *p); /* UNION ... ORDER BY, LIMIT behind a query in parentheses */
/* The current '(' opens, maybe after further ones, a query. */
bool at_nested_query(const Parser *p);
Status parse_string(Parser *p, Str *out) WARN_UNUSED;
bool at_string(const Parser *p);
Status parse_integer_text(Parser *p, Str *out) WARN_UNUSED;
/* A type, spelled canonically ("array(row(a bigint,b varchar(5)))"). */
Status parse_type(Parser *p, Str *out) WARN_UNUSED;
/* YEAR, MONTH ...: AST_UNIT_NONE when the token is none. */
AstUnit unit_find(Str word);
const char *unit_text(AstUnit unit);

/* ---- expressions */
Status ast_expr_new(Parser *p, AstExprKind kind, AstPosition at, uint32_t nargs,
                    AstExpr **out) WARN_UNUSED;
/* Computes the height over everything below; 54000 beyond the limit. */
Status ast_expr_done(Parser *p, AstExpr *expr) WARN_UNUSED;
Status ast_expr_string(Parser *p, AstPosition at, Str text, AstExpr **out) WARN_UNUSED;
Status ast_expr_integer(Parser *p, AstPosition at, const char *digits, AstExpr **out) WARN_UNUSED;
/* name(args...), name a literal. */
Status ast_expr_call(Parser *p, AstPosition at, const char *name, uint32_t nargs, AstExpr **args,
                     AstExpr **out) WARN_UNUSED;
Status ast_expr_binary(Parser *p, AstPosition at, TribFunctionId op, AstExpr *left, AstExpr *right,
                       AstExpr **out) WARN_UNUSED;
Status parse_expr(Parser *p, AstExpr **out) WARN_UNUSED;
/* No AND, OR, NOT, comparison at the top. */
Status parse_value_expr(Parser *p, AstExpr **out) WARN_UNUSED;
Status parse_primary(Parser *p, AstExpr **out) WARN_UNUSED; /* with its .field, [subscript] */
Status parse_expr_list(Parser *p, uint32_t *count, AstExpr ***out) WARN_UNUSED;    /* one or more */
Status parse_order_by(Parser *p, uint32_t *count, AstOrderItem **out) WARN_UNUSED; /* at ORDER */
/* At a literal: INTERVAL '1' DAY, and the same inside an escape. */
Status parse_interval(Parser *p, AstExpr **out) WARN_UNUSED;

/* ---- calls (parse_call.c) */
/* At '(' behind a function's name. */
Status parse_call(Parser *p, AstQualifiedName name, AstPosition at, AstExpr **out) WARN_UNUSED;
/* Arguments of CALL and of table functions: "(a, name => b)". *names NULL when all are by position. */
Status parse_arguments(Parser *p, uint32_t *count, AstExpr ***args, AstName **names) WARN_UNUSED;
/* Forms with words between the arguments (CAST, EXTRACT, TRIM ...); *out NULL: the token starts none. */
Status parse_special(Parser *p, AstExpr **out) WARN_UNUSED;
/* A window's inside, behind '(' up to and with ')'. */
Status parse_window_spec(Parser *p, AstWindow *out) WARN_UNUSED;
/* JSON_VALUE( ... (parse_json.c) */
Status parse_json(Parser *p, AstExpr **out) WARN_UNUSED;

/* ---- ODBC escapes (escapes.c), at '{' */
Status parse_escape(Parser *p, AstExpr **out) WARN_UNUSED;
Status parse_outer_join_escape(Parser *p, AstRelation **out) WARN_UNUSED;

/* ---- queries and relations */
Status parse_query(Parser *p, AstQuery **out) WARN_UNUSED;
/* "( query )". */
Status parse_paren_query(Parser *p, AstQuery **out) WARN_UNUSED;
/* Behind a query in parentheses, begun at `start`, that turned out to be the first operand of a larger
 * one; query_wrap: that is the whole query. */
Status parse_query_behind(Parser *p, const Token *start, AstQuery *first,
                          AstQuery **out) WARN_UNUSED;
Status query_wrap(Parser *p, const Token *start, AstQuery *inner, AstQuery **out) WARN_UNUSED;
Status parse_relation(Parser *p, AstRelation **out) WARN_UNUSED;

/* ---- statements */
Status parse_statement(Parser *p, AstStatement **out) WARN_UNUSED;
Status ast_statement_new(Parser *p, AstStatementKind kind, AstPosition at,
                         AstStatement **out) WARN_UNUSED;
/* At the statement's first word; they fill in *s (parse_ddl.c). */
Status parse_create(Parser *p, AstStatement *s) WARN_UNUSED;
Status parse_drop(Parser *p, AstStatement *s) WARN_UNUSED;
Status parse_alter(Parser *p, AstStatement *s) WARN_UNUSED;
Status parse_repair(Parser *p, AstStatement *s) WARN_UNUSED;
Status parse_refresh(Parser *p, AstStatement *s) WARN_UNUSED;
Status parse_truncate(Parser *p, AstStatement *s) WARN_UNUSED;
Status parse_comment(Parser *p, AstStatement *s) WARN_UNUSED;
Status parse_analyze(Parser *p, AstStatement *s) WARN_UNUSED;
/* "(name = value, ...)" behind WITH; "('k' = 'v', ...)" where texts. */
Status parse_properties(Parser *p, bool texts, uint32_t *count, AstProperty **out) WARN_UNUSED;
Status parse_column_def(Parser *p, AstColumnDef *out) WARN_UNUSED;
Status parse_external_table(Parser *p,
                            AstStatement *s) WARN_UNUSED; /* parse_hive.c, behind EXTERNAL TABLE */
Status parse_partitions(Parser *p, uint32_t *count, AstPartition **out) WARN_UNUSED;
Status parse_if_exists(Parser *p, bool *out) WARN_UNUSED;
Status parse_if_not_exists(Parser *p, bool *out) WARN_UNUSED;

#endif
