/*
 * print.h - what the printer's files share. Everything appends to one Buf, whose `failed` is the only
 * error; recursion is counted, and trees deeper than the parser makes set `failed`.
 */
#ifndef TRIB_SQL_PRINT_H
#define TRIB_SQL_PRINT_H

#include "engine/sql/lexer.h"
#include "engine/sql/parse.h"
#include "engine/sql/parser.h"

#define PRINT_MAX_DEPTH \
    (8 * SQL_MAX_DEPTH) /* an expression in a query in a relation, each of SQL_MAX_HEIGHT */

typedef struct Printer {
    Buf *out;
    uint32_t depth;
} Printer;

void print_query(Printer *self, const AstQuery *query);
void print_expr(Printer *self, const AstExpr *expr);
void print_relation(Printer *self, const AstRelation *relation);
void print_expr_list(Printer *self, uint32_t count, AstExpr *const *items);
/* before + "ORDER BY ..", nothing if count is 0 */
void print_order_by(Printer *self, const char *before, uint32_t count, const AstOrderItem *items);
void print_window(Printer *self, const AstWindow *window); /* the inside of its parentheses */
void print_name(Printer *self, const AstName *name);
void print_qualified(Printer *self, const AstQualifiedName *name);
void print_names(Printer *self, uint32_t count, const AstName *names); /* "(a, b)", nothing if 0 */
void print_string(Printer *self, Str text);

#endif
