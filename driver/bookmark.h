/*
 * bookmark.h - bookmarks: column 0 of a result when SQL_ATTR_USE_BOOKMARKS is on.
 *
 * A bookmark is the number of its row in the result, from 1, in 8 bytes of the machine's order; it holds as
 * long as the cursor is open. As SQL_C_ULONG, which version 2 uses, it has 4 bytes.
 */
#ifndef TRIB_DRIVER_BOOKMARK_H
#define TRIB_DRIVER_BOOKMARK_H

#include "driver/stmt.h"

#define BOOKMARK_BYTES 8

/* The C type that a bookmark is delivered in: SQL_C_DEFAULT resolved by the kind of bookmarks that is on.
 * 0: it is none of a bookmark's. */
SQLSMALLINT bookmark_ctype(const Stmt *stmt, SQLSMALLINT ctype);
/* Bytes in that C type. */
size_t bookmark_size(SQLSMALLINT ctype);
/* The bookmark of row number `number` into a buffer of that C type. */
void bookmark_write(SQLSMALLINT ctype, uint64_t number, void *out);
/* Fills the bound column 0 for `count` rows from row `row` of the rowset on. */
void bookmarks_put(Stmt *stmt, SQLULEN row, uint32_t count);
/* Likewise row `row` of the buffers, of a row that has this number; 0: it has no bookmark. */
void bookmark_put(const Stmt *stmt, SQLULEN row, uint64_t number);
/* Reads what SQL_ATTR_FETCH_BOOKMARK_PTR points to; false: it is no bookmark. */
bool bookmark_get(const Stmt *stmt, uint64_t *out);
/* Reads the bound column 0 of row `row` of the buffers; false: there is no bookmark. */
bool bookmark_read(const Stmt *stmt, SQLULEN row, uint64_t *out);
/* SQLGetData of column 0. */
SQLRETURN bookmark_data(Stmt *stmt, SQLSMALLINT ctype, SQLPOINTER data, SQLLEN capacity,
                        SQLLEN *indicator);
/* SQLDescribeCol and SQLColAttribute of column 0. false: it has no such field. */
void bookmark_describe(const Stmt *stmt, SQLSMALLINT *type, SQLULEN *size);
bool bookmark_field(const Stmt *stmt, SQLUSMALLINT field, ColumnField *out);

#endif
