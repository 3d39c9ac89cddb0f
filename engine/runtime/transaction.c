/*
 * transaction.c - the transaction of a session, and what a writing statement needs of it.
 *
 * A session has at most one transaction of a source: it is begun by the first statement that writes while
 * autocommit is off, or after START TRANSACTION, and belongs to the catalog that this statement changes.
 * With autocommit a writing statement gets one of its own, where the source has them, so that what it reads
 * of that source and what it writes is one piece.
 *
 * The catalogs' tables that were changed are remembered: what is cached of them is dropped, here and in
 * other processes, when the transaction has ended.
 *
 * Threads: tx_lock guards Session.tx; statements of several threads may use it. Whoever uses the SourceTx holds
 * a reference, so that ending it on another thread cannot pull it away; it refuses its service then.
 */
#include "engine/runtime/session.h"

void transaction_init(Session *session) {
    pthread_mutex_init(&session->tx_lock, NULL);
    session->tx.autocommit = true;
}

static void changes_free(TransactionChange *list) {
    while (list) {
        TransactionChange *next = list->next;
        heap_free(list);
        list = next;
    }
}

/* Under the lock. */
static bool is_manual(const SessionTx *tx) {
    return !tx->autocommit || tx->started;
}

bool session_autocommit(Session *self) {
    pthread_mutex_lock(&self->tx_lock);
    bool on = self->tx.autocommit;
    pthread_mutex_unlock(&self->tx_lock);
    return on;
}

bool session_in_transaction(Session *self) {
    pthread_mutex_lock(&self->tx_lock);
    bool open = self->tx.source != NULL;
    pthread_mutex_unlock(&self->tx_lock);
    return open;
}

SourceTx *transaction_borrow(Session *session) {
    pthread_mutex_lock(&session->tx_lock);
    SourceTx *tx = session->tx.source;
    source_tx_retain(tx);
    pthread_mutex_unlock(&session->tx_lock);
    return tx;
}

/* ---------------------------------------------------------------- what was changed */

/* Heap: a change is remembered until the end of the transaction. */
static Status change_new(const char *schema, const char *name, TransactionChange **out,
                         Error *err) {
    size_t a = schema ? strlen(schema) + 1 : 0, b = name ? strlen(name) + 1 : 0;
    TransactionChange *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self + a + b), err);
    char *text = (char *)(self + 1);
    if (schema) self->schema = memcpy(text, schema, a);
    if (name) self->name = memcpy(text + a, name, b);
    *out = self;
    return TRIB_OK;
}

static bool change_known(const TransactionChange *list, const TransactionChange *change) {
    for (; list; list = list->next) {
        if (!list->name) return true;
        if (change->name && strcmp(list->name, change->name) == 0 &&
            strcmp(list->schema, change->schema) == 0)
            return true;
    }
    return false;
}

/* Under the lock. */
static void change_add(SessionTx *tx, TransactionChange *change) {
    if (change_known(tx->changes, change)) {
        heap_free(change);
        return;
    }
    change->next = tx->changes;
    tx->changes = change;
}

static void changes_tell(Catalog *catalog, TransactionChange *changes) {
    for (const TransactionChange *c = changes; c; c = c->next)
        catalog_invalidate(catalog, c->schema, c->name);
    changes_free(changes);
}

/* ---------------------------------------------------------------- ending */

/* Takes the transaction out of the session, so that nobody begins to use it any more. */
static SessionTx transaction_take(Session *session) {
    pthread_mutex_lock(&session->tx_lock);
    SessionTx taken = session->tx;
    session->tx.source = NULL;
    session->tx.catalog = NULL;
    session->tx.changes = NULL;
    session->tx.started = session->tx.read_only = session->tx.undone = false;
    session->tx.own_isolation = 0;
    pthread_mutex_unlock(&session->tx_lock);
    return taken;
}

Status transaction_end(Session *session, const SourceCall *call, bool commit, Error *err) {
    SessionTx taken = transaction_take(session);
    if (taken.undone && commit)
        return error_set(err, ERR_SERIALIZATION,
                         "nothing is committed: the transaction was undone after an error before");
    if (!taken.source) return TRIB_OK;
    SourceCall own = *call;
    own.transaction = NULL;
    Status status = source_tx_end(taken.source, &own, commit, err);
    changes_tell(taken.catalog, taken.changes);
    return status;
}

typedef struct EndJob {
    Session *session;
    bool commit;
    Status status;
    Error *err;
} EndJob;

static void end_run(void *context) {
    EndJob *job = context;
    SourceCall call = {.deadline_ns = INT64_MAX, .owner = job->session};
    job->status = transaction_end(job->session, &call, job->commit, job->err);
}

Status session_end_transaction(Session *self, bool commit, Error *err) {
    pthread_mutex_lock(&self->tx_lock);
    bool open = self->tx.source != NULL || self->tx.undone;
    if (!open) self->tx.started = self->tx.read_only = false;
    pthread_mutex_unlock(&self->tx_lock);
    if (!open) return TRIB_OK;
    EndJob end = {.session = self, .commit = commit, .err = err};
    Job job = {.run = end_run, .context = &end};
    TRY(crew_submit(self->crew, &job, err));
    crew_wait(self->crew, &job, -1);
    return end.status;
}

Status session_set_autocommit(Session *self, bool on, Error *err) {
    if (on) TRY(session_end_transaction(self, true, err));
    pthread_mutex_lock(&self->tx_lock);
    self->tx.autocommit = on;
    pthread_mutex_unlock(&self->tx_lock);
    return TRIB_OK;
}

void transaction_clear(Session *session) {
    Error ignored;
    SourceCall call = {.deadline_ns = INT64_MAX};
    if (transaction_end(session, &call, false, &ignored) != TRIB_OK) error_clear(&ignored);
    pthread_mutex_destroy(&session->tx_lock);
}

bool transaction_is_manual(Session *session) {
    pthread_mutex_lock(&session->tx_lock);
    bool manual = is_manual(&session->tx);
    pthread_mutex_unlock(&session->tx_lock);
    return manual;
}

/* ---------------------------------------------------------------- facts, levels, START TRANSACTION */

Status session_transaction_facts(Session *self, Str catalog, TransactionFacts *out, Error *err) {
    *out = (TransactionFacts){0};
    StatementSettings settings;
    Arena *arena;
    TRY_ALLOC(arena, arena_new(NULL), err);
    Status status = session_settings(self, arena, &settings, err);
    Catalog *found = NULL;
    Source *source;
    if (catalog.len == 0) catalog = settings.catalog;
    if (status == TRIB_OK && catalog.len)
        status = catalogs_find(self->catalogs, catalog, &found, err);
    if (status == TRIB_OK && found) status = catalog_source(found, &source, err);
    if (status == TRIB_OK && found) {
        const TribConnector *c = source_connector(source);
        Error refused;
        bool writable = source_writable(source, &refused) == TRIB_OK;
        bool capable = writable && source_has_transactions(source);
        *out = (TransactionFacts){.writable = writable,
                                  .capable = capable,
                                  .several = capable && !(c->flags & TRIB_ONE_WRITER),
                                  .makes_schemas = writable && !(c->flags & TRIB_FIXED_SCHEMAS),
                                  .ddl_commits = (c->flags & TRIB_DDL_COMMITS) != 0,
                                  .isolations = c->isolations,
                                  .default_isolation = c->default_isolation,
                                  .column_types = c->column_types};
    }
    arena_free(arena);
    return status;
}

static Status refuse_open(Error *err) {
    return error_set(err, ERR_TRANSACTION_STATE,
                     "a transaction is open; end it with COMMIT or ROLLBACK first");
}

Status session_set_isolation(Session *self, uint32_t isolation, Error *err) {
    TransactionFacts facts;
    TRY(session_transaction_facts(self, (Str){0}, &facts, err));
    bool strong = isolation == 0 || !facts.capable;
    for (uint32_t level = isolation; level && level <= TRIB_SERIALIZABLE && !strong; level *= 2)
        strong = (facts.isolations & level) != 0;
    if (!strong)
        return error_set(err, ERR_UNSUPPORTED,
                         "the default catalog has no isolation level as strong as this");
    pthread_mutex_lock(&self->tx_lock);
    Status status = self->tx.source ? refuse_open(err) : TRIB_OK;
    if (status == TRIB_OK) self->tx.isolation = isolation;
    pthread_mutex_unlock(&self->tx_lock);
    return status;
}

Status transaction_start(Session *session, uint32_t isolation, bool read_only, Error *err) {
    pthread_mutex_lock(&session->tx_lock);
    bool open = session->tx.source || session->tx.started || session->tx.undone;
    Status status = open ? refuse_open(err) : TRIB_OK;
    if (status == TRIB_OK) {
        session->tx.started = true;
        session->tx.read_only = read_only;
        session->tx.own_isolation = isolation;
    }
    pthread_mutex_unlock(&session->tx_lock);
    return status;
}

/* ---------------------------------------------------------------- writing statements */

static Status refuse_second(const SessionTx *tx, const Catalog *catalog, Error *err) {
    error_set(err, ERR_TRANSACTION_STATE,
              "the open transaction has written to catalog '%s'; it cannot write to '%s', too",
              catalog_name(tx->catalog), catalog_name(catalog));
    error_source(err, catalog_name(catalog));
    return error_hint(err, "COMMIT or ROLLBACK first: one transaction writes to one catalog.");
}

static Status refuse_read_only(Error *err, const char *why) {
    return error_set(err, ERR_READ_ONLY, "nothing can be written: %s", why);
}

static Status refuse_undone(Error *err) {
    error_set(err, ERR_TRANSACTION_STATE,
              "the transaction was undone after an error before; it cannot go on");
    return error_hint(err, "ROLLBACK, then begin again.");
}

Status transaction_usable(Session *session, Error *err) {
    pthread_mutex_lock(&session->tx_lock);
    bool undone = session->tx.undone;
    pthread_mutex_unlock(&session->tx_lock);
    return undone ? refuse_undone(err) : TRIB_OK;
}

/* What the session has, under the lock. *begin: a new one is wanted, *manual: for the session to keep. */
static Status transaction_look(Session *session, Catalog *catalog, SourceTx **out, bool *manual,
                               uint32_t *isolation, Error *err) {
    const SessionTx *tx = &session->tx;
    *manual = is_manual(tx);
    *isolation = tx->own_isolation ? tx->own_isolation : tx->isolation;
    if (tx->undone) return refuse_undone(err);
    if (tx->read_only) return refuse_read_only(err, "the transaction was started READ ONLY");
    if (!*manual || !tx->source) return TRIB_OK;
    if (tx->catalog != catalog) return refuse_second(tx, catalog, err);
    *out = tx->source;
    source_tx_retain(*out);
    return TRIB_OK;
}

/* Gives a transaction that was just begun to the session. */
static Status transaction_keep(Session *session, Catalog *catalog, SourceTx *tx, Error *err) {
    pthread_mutex_lock(&session->tx_lock);
    bool free = !session->tx.source;
    if (free) {
        session->tx.source = tx;
        session->tx.catalog = catalog;
        source_tx_retain(tx);
    }
    pthread_mutex_unlock(&session->tx_lock);
    return free ? TRIB_OK
                : error_set(err, ERR_TRANSACTION_STATE,
                            "another statement of the connection began a transaction just now");
}

Status transaction_end_of(Session *session, const Catalog *catalog, const SourceCall *call,
                          Error *err) {
    pthread_mutex_lock(&session->tx_lock);
    const SessionTx *tx = &session->tx;
    Status status = TRIB_OK;
    if (tx->undone)
        status = refuse_undone(err);
    else if (tx->read_only)
        status = refuse_read_only(err, "the transaction was started READ ONLY");
    else if (tx->source && tx->catalog != catalog)
        status = refuse_second(tx, catalog, err);
    bool open = tx->source != NULL;
    pthread_mutex_unlock(&session->tx_lock);
    return status == TRIB_OK && open ? transaction_end(session, call, true, err) : status;
}

static Status write_transaction(Statement *self, Catalog *catalog, bool creates, WriteScope *out,
                                Error *err) {
    Session *session = self->session;
    Source *source;
    bool manual;
    uint32_t isolation;
    TRY(catalog_source(catalog, &source, err));
    bool alone = creates && (source_connector(source)->flags & TRIB_DDL_COMMITS) != 0;
    if (alone) {
        SourceCall end = statement_call(self, INT64_MAX);
        statement_take_part(self, NULL);
        end.transaction = NULL;
        TRY(transaction_end_of(session, catalog, &end, err));
    }
    pthread_mutex_lock(&session->tx_lock);
    Status status = transaction_look(session, catalog, &out->transaction, &manual, &isolation, err);
    pthread_mutex_unlock(&session->tx_lock);
    TRY(status);
    manual = manual && !alone;
    out->own = !manual;
    if (out->transaction || (!manual && !source_has_transactions(source))) return TRIB_OK;
    SourceCall call = statement_call(self, INT64_MAX);
    TRY(source_tx_begin(source, &call, (TribIsolation)isolation, false, &out->transaction, err));
    if (!manual) return TRIB_OK;
    status = transaction_keep(session, catalog, out->transaction, err);
    if (status == TRIB_OK) return TRIB_OK;
    Error ignored;
    if (source_tx_end(out->transaction, &call, false, &ignored) != TRIB_OK) error_clear(&ignored);
    out->transaction = NULL;
    return status;
}

Status write_allowed(Statement *self, Error *err) {
    if (self->settings.read_only)
        return refuse_read_only(err, "the connection is read-only (ReadOnly=1)");
    pthread_mutex_lock(&self->session->tx_lock);
    bool refused = self->session->tx.read_only;
    pthread_mutex_unlock(&self->session->tx_lock);
    return refused ? refuse_read_only(err, "the transaction was started READ ONLY") : TRIB_OK;
}

Status write_begin(Statement *self, Catalog *catalog, bool creates, WriteScope *out, Error *err) {
    *out = (WriteScope){.catalog = catalog};
    TRY(write_allowed(self, err));
    TRY(write_transaction(self, catalog, creates, out, err));
    if (!out->transaction) return TRIB_OK;
    source_tx_retain(out->transaction);
    statement_take_part(self, out->transaction);
    if (out->own) return TRIB_OK;
    SourceCall call = statement_call(self, INT64_MAX);
    Status status = source_tx_mark(out->transaction, &call, TRIB_MARK_SET, err);
    if (status == TRIB_OK) return TRIB_OK;
    statement_take_part(self, NULL);
    source_tx_release(out->transaction);
    return status;
}

/* In a transaction that goes on, what the statement changed is told at its end. */
static Status write_changed(Statement *self, const WriteScope *scope, const char *schema,
                            const char *name, Error *err) {
    if (scope->own || !scope->transaction) {
        catalog_invalidate(scope->catalog, schema, name);
        return TRIB_OK;
    }
    TransactionChange *change;
    TRY(change_new(schema, name, &change, err));
    pthread_mutex_lock(&self->session->tx_lock);
    bool open = self->session->tx.source == scope->transaction;
    if (open) change_add(&self->session->tx, change);
    pthread_mutex_unlock(&self->session->tx_lock);
    if (open) return TRIB_OK;
    catalog_invalidate(scope->catalog, schema, name);
    heap_free(change);
    return TRIB_OK;
}

/* The statement failed inside a transaction that goes on: its part is undone. If that cannot be, all of the
 * transaction is. */
static void write_undo(Statement *self, const WriteScope *scope) {
    Error ignored;
    SourceCall call = statement_call(self, INT64_MAX);
    call.cancel = NULL; /* it may be cancelled already */
    if (source_tx_mark(scope->transaction, &call, TRIB_MARK_GO_BACK, &ignored) == TRIB_OK) return;
    if (transaction_end(self->session, &call, false, &ignored) != TRIB_OK) error_clear(&ignored);
    pthread_mutex_lock(&self->session->tx_lock);
    self->session->tx.undone = true;
    pthread_mutex_unlock(&self->session->tx_lock);
}

Status write_end(Statement *self, WriteScope *scope, const char *schema, const char *name,
                 Status status, Error *err) {
    SourceTx *tx = scope->transaction;
    SourceCall call = statement_call(self, INT64_MAX);
    statement_take_part(self, NULL);
    call.transaction = NULL;
    if (tx && scope->own) {
        Error ignored;
        bool commit = status == TRIB_OK;
        if (!commit) call.cancel = NULL;
        Status ended = source_tx_end(tx, &call, commit, commit ? err : &ignored);
        if (commit) status = ended;
        tx = NULL;
    } else if (tx && status == TRIB_OK) {
        status = source_tx_mark(tx, &call, TRIB_MARK_KEEP, err);
    } else if (tx) {
        write_undo(self, scope);
    }
    Error late;
    Status told = write_changed(self, scope, schema, name, &late);
    source_tx_release(tx);
    scope->transaction = NULL;
    if (status == TRIB_OK && told != TRIB_OK) {
        *err = late;
        return told;
    }
    return status;
}
