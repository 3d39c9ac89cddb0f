/*
 * change.c - UPDATE and DELETE as a whole, where the server evaluates the condition as the engine does.
 *
 * The statement comes from support/sql_change.c with the rules of shippable.c and compute.c: all conditions EXACT, all
 * new values constants or computed alike. It is one prepared statement, executed on the transaction's connection; the rows that it finds are
 * counted. One thread per call; memory in an arena of the call.
 */
#include "connectors/mysql/plan.h"
#include "connectors/mysql/send.h"
#include "connectors/mysql/write.h"
#include "connectors/support/sql_change.h"

typedef struct ChangeWork {
    TribModify *modify;
    const SqlFragment *statement;
    Arena *arena;
} ChangeWork;

static Status change_work(Connection *connection, Guard *guard, void *context, Error *err) {
    ChangeWork *work = context;
    TribTx *tx = work->modify->transaction;
    MYSQL_STMT *statement = NULL;
    PipeShield shield;
    if (tx) TRY(transaction_change(tx, guard, err));
    Status status = statement_execute(connection, guard, work->arena, work->statement, NULL, 0,
                                      &statement, err);
    pipe_shield(&shield);
    if (status == TRIB_OK) {
        connection->executing = false;
        work->modify->rows = mysql_stmt_affected_rows(statement);
        status = writer_check_warnings(connection, guard, err);
    }
    if (statement) mysql_stmt_close(statement);
    pipe_unshield(&shield);
    return status;
}

/* Without a transaction of the caller's: one of its own. */
static Status change_alone(TribCatalog *catalog, TribCall *call, ChangeWork *work, Error *err) {
    TribTxRequest begin = {.size = sizeof begin, .isolation = TRIB_REPEATABLE_READ};
    TribTx *tx;
    Error ignored;
    TRY(transaction_begin(catalog, call, &begin, &tx, err));
    call->transaction = work->modify->transaction = tx;
    Status status = catalog_run(catalog, call, change_work, work, err);
    call->transaction = work->modify->transaction = NULL;
    bool good = status == TRIB_OK;
    Status ended = transaction_end(tx, call, good, good ? err : &ignored);
    return good ? ended : status;
}

static Status change_in(TribCatalog *catalog, TribCall *call, TribModify *modify, Arena *arena,
                        Error *err) {
    SqlFragment statement;
    TRY(sql_change(&shippable_dialect, catalog->settings, arena, sender_storable, modify,
                   &modify->verdict, &statement, err));
    if (modify->verdict.kind != TRIB_EXACT) return TRIB_OK;
    if (modify->plan_only) {
        char *text;
        TRY_ALLOC(text, sql_explain(arena, &statement), err);
        if (modify->explain.text) modify->explain.text(modify->explain.self, text);
        return TRIB_OK;
    }
    ChangeWork work = {modify, &statement, arena};
    if (!modify->transaction) return change_alone(catalog, call, &work, err);
    return catalog_run(catalog, call, change_work, &work, err);
}

TribStatus change_modify(TribCatalog *catalog, TribCall *call, TribModify *modify, TribError *err) {
    Arena *arena;
    if (!catalog->settings->readwrite) return transaction_refuse(catalog, err);
    TRY(writer_check_table(catalog, modify->table, err));
    TRY_ALLOC(arena, arena_new(NULL), err);
    Status status = change_in(catalog, call, modify, arena, err);
    arena_free(arena);
    return status;
}
