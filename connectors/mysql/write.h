/*
 * write.h - what changes a MySQL catalog: transactions, writers, statements about tables.
 *
 * A TribTx is one connection of the pool, kept from START TRANSACTION to its end, and used by one thread at a time.
 * Scans and metadata that are asked within it take the connection from there (catalog_take).
 */
#ifndef TRIB_MYSQL_WRITE_H
#define TRIB_MYSQL_WRITE_H

#include "connectors/mysql/catalog.h"

struct TribTx {
    TribCatalog *catalog;
    Connection *connection;
    TribIsolation isolation;
    bool mark_wanted; /* a statement has begun: its savepoint is set before its first change */
    bool marked;      /* it has been set */
    bool changed;     /* something was changed since the beginning */
    char *drop;       /* heap: a table, quoted, that goes if the transaction is undone */
    /* The statement that was prepared last, kept for the next rows that go the same way. Heap. */
    MYSQL_STMT *statement;
    char *statement_text;
};

/* ---- transaction.c */
TribStatus transaction_begin(TribCatalog *catalog, TribCall *call, const TribTxRequest *request,
                             TribTx **out, TribError *err);
TribStatus transaction_end(TribTx *self, TribCall *call, bool commit, TribError *err);
TribStatus transaction_mark(TribTx *self, TribCall *call, TribMark mark, TribError *err);
/* START TRANSACTION on its connection: also again, after a statement that the server commits by itself. */
Status transaction_start(TribTx *self, Guard *guard, bool read_only, Error *err) WARN_UNUSED;
/* Before each statement that changes rows: sets the savepoint that is wanted. Errors: the server has ended the
 * transaction by itself (40001). */
Status transaction_change(TribTx *self, Guard *guard, Error *err) WARN_UNUSED;
/* The prepared statement of a text; it belongs to the transaction, and stays until another text is asked for. */
Status transaction_statement(TribTx *self, Guard *guard, Str text, MYSQL_STMT **out,
                             Error *err) WARN_UNUSED;
void transaction_forget_statement(TribTx *self);
/* Runs what the server commits by itself. A connection that breaks meanwhile leaves the outcome unknown: 08007. */
Status transaction_run_ddl(Connection *connection, Guard *guard, const char *sql,
                           Error *err) WARN_UNUSED;
/* 25006, naming the option. */
Status transaction_refuse(const TribCatalog *catalog, Error *err);
TribStatus transaction_writable(TribCatalog *catalog, TribError *err);

/* ---- writer.c */
TribStatus writer_open(TribCatalog *catalog, TribCall *call, const TribWriteRequest *request,
                       TribWriter **out, TribError *err);
TribStatus writer_batch(TribWriter *self, const TribBatch *batch, TribError *err);
TribStatus writer_close(TribWriter *self, bool commit, uint64_t *rows, TribError *err);
/* After a statement that stored values: were any of them changed on the way (cut, rounded)? Then an error. */
Status writer_check_warnings(Connection *connection, Guard *guard, Error *err) WARN_UNUSED;
/* Why nothing can be written to a table, as an error; TRIB_OK = it can. */
Status writer_check_table(const TribCatalog *catalog, const TribTable *table,
                          Error *err) WARN_UNUSED;

/* ---- change.c */
TribStatus change_modify(TribCatalog *catalog, TribCall *call, TribModify *modify, TribError *err);

/* ---- ddl.c */
TribStatus ddl_run(TribCatalog *catalog, TribCall *call, const TribDdl *ddl, TribError *err);
/* CREATE TABLE for the columns and keys of ddl->table, under another name if one is given. */
Status ddl_create_text(const Connection *connection, const TribDdl *ddl, const char *name, Buf *out,
                       Error *err) WARN_UNUSED;
/* Is there a table or view of the name, in whatever case its letters are? */
Status ddl_table_exists(Connection *connection, Guard *guard, const char *schema, const char *name,
                        bool *out, Error *err) WARN_UNUSED;
/* schema.table, quoted. */
void ddl_table_name(Buf *out, const char *schema, const char *name);

#endif
