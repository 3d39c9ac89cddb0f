/*
 * parser.h - SQL text to syntax tree.
 */
#ifndef TRIB_SQL_PARSER_H
#define TRIB_SQL_PARSER_H

#include "engine/sql/ast.h"

/*
 * Parses one statement (a trailing ';' is allowed; anything after it is an error). The text is UTF-8
 * and is copied into the arena. Errors: 42000 with line and column, what was found, what was expected;
 * 54000 beyond a limit. Recursion is bounded by SQL_MAX_DEPTH.
 */
Status sql_parse(Arena *arena, Str text, AstStatement **out, Error *err) WARN_UNUSED;
/* The same with expressions in place of the parameters: EXECUTE ... USING. args[i] stands for the i-th `?`
 * (they may hold parameters of the statement around); *given counts the `?`, to be compared by the caller;
 * those beyond nargs stay parameters. */
Status sql_parse_given(Arena *arena, Str text, uint32_t nargs, AstExpr *const *args,
                       AstStatement **out, uint32_t *given, Error *err) WARN_UNUSED;
/* The same for text that a statement refers to (a view's query): every position in the tree is `at`. */
Status sql_parse_at(Arena *arena, Str text, AstPosition at, AstStatement **out,
                    Error *err) WARN_UNUSED;
/* Canonical SQL of a query or expression: SHOW CREATE VIEW, column labels of unnamed expressions, messages. */
void ast_print_query(Buf *out, const AstQuery *query);
void ast_print_expr(Buf *out, const AstExpr *expr);
/* The same for a whole statement: what it prints parses to an equal tree. */
void ast_print_statement(Buf *out, const AstStatement *statement);
/* Splits a script at top-level ';' (quotes and comments respected). *at advances; false at the end. */
bool sql_split(Str script, size_t *at, Str *statement);
/* Quotes an identifier where it needs quoting. */
void sql_print_name(Buf *out, Str name);
/* Reserved words, one by one; NULL at the end. */
const char *sql_reserved_word(uint32_t index);

#endif
