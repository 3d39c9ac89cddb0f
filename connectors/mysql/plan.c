/*
 * plan.c - offers become plans; estimates.
 *
 * The text and the verdicts come from support/sql_text.h with the dialect of shippable.c. What is kept
 * beside them is what splitting needs: the table's name, engine, size and an integer key.
 */
#include "connectors/mysql/plan.h"

#include "connectors/mysql/types.h"
#include "engine/base/number.h"

/* ---------------------------------------------------------------- the key to split by */

static bool type_splits(TribType type) {
    return (type.id >= TRIB_TYPE_TINYINT && type.id <= TRIB_TYPE_BIGINT) ||
           (type.id == TRIB_TYPE_DECIMAL && type.scale == 0 && type.precision == 20);
}

/* The first column of the primary key, else of a unique one: an integer, never NULL. */
static SplitKey choose_key(const TribTable *table) {
    SplitKey key = {NULL, "no integer key"};
    for (uint32_t i = 0; i < table->nkeys; i++) {
        const TribKey *candidate = &table->keys[i];
        if (!candidate->ncolumns || (!candidate->primary && !candidate->unique)) continue;
        const TribColumn *column = &table->columns[candidate->columns[0]];
        ColumnFacts facts;
        if (column->nullable || !type_splits(column->type) || !column->facts) continue;
        if (!facts_parse(column->facts, &facts) || !(facts.class & (CLASS_INT | CLASS_UINT)))
            continue;
        if (!key.column || candidate->primary) key.column = column->name;
        if (candidate->primary) break;
    }
    return key;
}

static Status plan_key(TribPlan *self, const TribTable *table, Error *err) {
    const Settings *settings = self->catalog->settings;
    const char *reason = NULL;
    if (settings->parallel == PARALLEL_OFF)
        reason = "parallel=off";
    else if (self->select.taken)
        reason = "a limit, order or grouping runs in the source";
    else if (table->kind != TRIB_TABLE_BASE)
        reason = "not a base table";
    else if (settings->max_connections < 2)
        reason = "max_connections=1";
    else if (table->rows >= 0 && table->rows < 2.0 * (double)settings->split_rows)
        reason = "a small table";
    else if (settings->parallel == PARALLEL_CONSISTENT &&
             !(table->facts && strcasecmp(table->facts, "InnoDB") == 0)) {
        reason = "the storage engine has no snapshots";
    }
    self->key = reason ? (SplitKey){NULL, reason} : choose_key(table);
    if (self->key.column)
        TRY_ALLOC(self->key.column, arena_strdup(self->arena, self->key.column), err);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- estimates */

typedef struct EstimateWork {
    TribPlan *plan;
    double rows;
} EstimateWork;

static Status read_estimate(MYSQL_STMT *statement, Connection *connection, Guard *guard,
                            double *rows, Error *err) {
    const MYSQL_FIELD *fields = mariadb_stmt_fetch_fields(statement);
    uint32_t count = mysql_stmt_field_count(statement);
    double estimate = 0;
    for (;;) {
        int result = mysql_stmt_fetch(statement);
        if (result == MYSQL_NO_DATA) break;
        if (result != 0) return connection_fail(connection, statement, guard, err);
        for (uint32_t i = 0; i < count; i++) {
            /* MariaDB sends the number as text or as a number, depending on the version. */
            if (strcmp(fields[i].name, "rows") != 0 || !statement->bind[i].u.row_ptr) continue;
            int64_t value = 0;
            MYSQL_BIND bind = {.buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &value};
            if (mysql_stmt_fetch_column(statement, &bind, i, 0) == 0) estimate += (double)value;
        }
    }
    *rows = estimate;
    connection->executing = false;
    return TRIB_OK;
}

static Status estimate_work(Connection *connection, Guard *guard, void *context, Error *err) {
    EstimateWork *work = context;
    SqlFragment sql, explain;
    Arena *arena;
    MYSQL_STMT *statement = NULL;
    TRY_ALLOC(arena, arena_new(NULL), err);
    Status status = sql_select_join(arena, &work->plan->select, NULL, 0, &sql, err);
    char *text = status == TRIB_OK ? arena_printf(arena, "EXPLAIN %s", sql.text) : NULL;
    if (status == TRIB_OK && !text) status = error_out_of_memory(err);
    if (status == TRIB_OK) {
        explain = (SqlFragment){text, strlen(text), sql.nparams, sql.params};
        status = statement_execute(connection, guard, arena, &explain, NULL, 0, &statement, err);
    }
    if (status == TRIB_OK) status = read_estimate(statement, connection, guard, &work->rows, err);
    if (statement) mysql_stmt_close(statement);
    arena_free(arena);
    return status;
}

static bool has_slots(const SqlFragment *part) {
    for (uint32_t i = 0; i < part->nparams; i++) {
        if (part->params[i].is_slot) return true;
    }
    return false;
}

/* An estimate that cannot be had is no error: the statement itself will say what is wrong. */
static double plan_estimate(TribPlan *self, TribCall *call, const TribOffer *offer) {
    bool whole = self->select.where.len == 0 && !(self->select.taken & TRIB_TAKEN_GROUPING);
    double rows = whole ? self->rows : -1;
    if (!whole && offer->estimate && !has_slots(&self->select.where) &&
        !has_slots(&self->select.head)) {
        EstimateWork work = {self, -1};
        Error ignored;
        if (catalog_run(self->catalog, call, estimate_work, &work, &ignored) == TRIB_OK)
            rows = work.rows;
    }
    if ((self->select.taken & TRIB_TAKEN_LIMIT) && (rows < 0 || rows > (double)offer->limit))
        rows = (double)offer->limit;
    return rows;
}

/* ---------------------------------------------------------------- plans */

static const char *note_text(const TribPlan *self) {
    static const char *const modes[] = {"consistent", "relaxed", "off"};
    const Settings *settings = self->catalog->settings;
    if (!self->key.column) return arena_printf(self->arena, "connections 1: %s", self->key.reason);
    return arena_printf(self->arena, "connections up to %u by ranges of %s, parallel=%s",
                        settings->max_connections, self->key.column, modes[settings->parallel]);
}

static Status plan_build(TribPlan *self, TribCall *call, TribOffer *offer, Error *err) {
    SqlFragment statement;
    TRY(sql_plan(&shippable_dialect, self->catalog->settings, self->arena, offer, &self->select,
                 err));
    const TribTable *table = offer->tables[0];
    self->rows = table->rows;
    TRY_ALLOC(self->schema, arena_strdup(self->arena, table->schema ? table->schema : ""), err);
    TRY_ALLOC(self->table, arena_strdup(self->arena, table->name), err);
    TRY(plan_key(self, table, err));
    TRY(sql_select_join(self->arena, &self->select, NULL, 0, &statement, err));
    TRY_ALLOC(self->text, sql_explain(self->arena, &statement), err);
    TRY_ALLOC(self->note, note_text(self), err);
    offer->text = self->text;
    offer->note = self->note;
    offer->rows = plan_estimate(self, call, offer);
    return TRIB_OK;
}

TribStatus plan_new(TribCatalog *catalog, TribCall *call, TribOffer *offer, TribPlan **out,
                    TribError *err) {
    Arena *arena;
    *out = NULL;
    TRY_ALLOC(arena, arena_new(NULL), err);
    TribPlan *self = ARENA_NEW(arena, TribPlan);
    if (!self || pthread_mutex_init(&self->lock, NULL) != 0) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    atomic_init(&self->references, 1);
    self->catalog = catalog;
    self->arena = arena;
    Status status = plan_build(self, call, offer, err);
    if (status != TRIB_OK) {
        plan_release(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

void plan_retain(TribPlan *self) {
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
}

void plan_release(TribPlan *self) {
    if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) return;
    for (uint32_t i = 0; i < self->nsplits; i++) {
        if (self->parts && self->parts[i].connection)
            catalog_return(self->catalog, self->parts[i].connection);
    }
    pthread_mutex_destroy(&self->lock);
    arena_free(self->arena);
}

Connection *plan_take_connection(TribPlan *self, PlanSplit *part) {
    pthread_mutex_lock(&self->lock);
    Connection *connection = part->connection;
    part->connection = NULL;
    pthread_mutex_unlock(&self->lock);
    return connection;
}
