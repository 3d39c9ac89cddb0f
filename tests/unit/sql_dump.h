/*
 * sql_dump.h - a syntax tree as one line of nested lists, with everything in it but positions, heights and
 * redundant parentheses: two trees are equal exactly when their dumps are.
 */
#ifndef TRIB_TEST_SQL_DUMP_H
#define TRIB_TEST_SQL_DUMP_H

#include "engine/sql/parser.h"

void dump_expr(Buf *out, const AstExpr *expr);
void dump_query(Buf *out, const AstQuery *query);
void dump_statement(Buf *out, const AstStatement *statement);

#endif
