/*
 * split.c - one table over several connections: ranges of an integer key, one snapshot.
 *
 * Ranges divide the values between the key's minimum and maximum; the first and the last are open, so
 * that rows outside (inserted since) are read exactly once. Bounds follow the server's own estimates
 * of rows in parts of the range (EXPLAIN dives into the index), so that gaps in the key do not leave
 * one connection with all the work.
 *
 * parallel=relaxed: every connection reads under a snapshot of its own. parallel=consistent: each
 * starts a transaction WITH CONSISTENT SNAPSHOT, and all must report the same position in the binary
 * log; where that cannot be had, a global read lock is held for the moment in which they start; where
 * that is not allowed either, there is one split. Connections are taken without waiting: a plan never
 * blocks another for the sake of speed.
 */
#include <inttypes.h>

#include "connectors/mysql/plan.h"
#include "engine/base/decimal.h"
#include "engine/base/number.h"

#define SPLITS_MAX        64
#define SNAPSHOT_ATTEMPTS 3
#define BUCKETS_FIRST     16 /* EXPLAINs of ranges of equal width */
#define BUCKETS_MAX       32 /* after halving the fullest */

/* ---------------------------------------------------------------- ranges */

typedef struct KeyRange {
    bool known; /* false: the table is empty */
    Int128 low, high;
} KeyRange;

static Status visit_range(void *context, const QueryRow *row, bool *stop, Error *err) {
    KeyRange *range = context;
    if (row->count < 2 || !row->values[0].data || !row->values[1].data) return TRIB_OK;
    range->known = decimal_parse(row->values[0], 38, 0, &range->low) == DECIMAL_OK &&
                   decimal_parse(row->values[1], 38, 0, &range->high) == DECIMAL_OK &&
                   range->low <= range->high;
    return TRIB_OK;
}

static void write_table(const TribPlan *plan, Buf *sql) {
    quote_identifier(sql, str_from(plan->schema));
    buf_char(sql, '.');
    quote_identifier(sql, str_from(plan->table));
}

static Status query_range(TribPlan *plan, Connection *connection, Guard *guard, KeyRange *range,
                          Error *err) {
    Buf sql;
    Str key = str_from(plan->key.column);
    buf_init(&sql, NULL, 65536);
    buf_text(&sql, "SELECT MIN(");
    quote_identifier(&sql, key);
    buf_text(&sql, "), MAX(");
    quote_identifier(&sql, key);
    buf_text(&sql, ") FROM ");
    write_table(plan, &sql);
    Status status = buf_status(&sql, err);
    if (status == TRIB_OK)
        status = connection_query(connection, guard, buf_view(&sql), visit_range, range, err);
    buf_clear(&sql);
    return status;
}

typedef struct RowsWork {
    double rows;
} RowsWork;

/* The ninth column of EXPLAIN is `rows` in MariaDB, the tenth in MySQL (which has `partitions`). */
static Status visit_rows(void *context, const QueryRow *row, bool *stop, Error *err) {
    RowsWork *work = context;
    uint32_t index = row->count >= 12 ? 9 : 8;
    int64_t value;
    if (row->count > index && row->values[index].data &&
        int64_parse(row->values[index], &value) == NUMBER_OK) {
        work->rows = (double)value;
    }
    return TRIB_OK;
}

/* Estimated rows with low <= key < bound; < 0 unknown. */
static Status rows_between(TribPlan *plan, Connection *connection, Guard *guard, Int128 low,
                           Int128 bound, double *rows, Error *err) {
    Buf sql;
    char low_text[DECIMAL_TEXT_MAX], bound_text[DECIMAL_TEXT_MAX];
    RowsWork work = {-1};
    Str key = str_from(plan->key.column);
    decimal_format(low, 0, low_text);
    decimal_format(bound, 0, bound_text);
    buf_init(&sql, NULL, 65536);
    buf_text(&sql, "EXPLAIN SELECT ");
    quote_identifier(&sql, key);
    buf_text(&sql, " FROM ");
    write_table(plan, &sql);
    buf_text(&sql, " WHERE ");
    quote_identifier(&sql, key);
    buf_printf(&sql, " >= %s AND ", low_text);
    quote_identifier(&sql, key);
    buf_printf(&sql, " < %s", bound_text);
    Status status = buf_status(&sql, err);
    if (status == TRIB_OK)
        status = connection_query(connection, guard, buf_view(&sql), visit_rows, &work, err);
    buf_clear(&sql);
    *rows = work.rows;
    return status;
}

/* A part of the key's range: low <= key < high. */
typedef struct Bucket {
    Int128 low, high;
    double rows;
} Bucket;

static Status bucket_count(TribPlan *plan, Connection *connection, Guard *guard, Bucket *bucket,
                           Error *err) {
    bucket->rows = 0;
    if (bucket->high <= bucket->low) return TRIB_OK;
    TRY(rows_between(plan, connection, guard, bucket->low, bucket->high, &bucket->rows, err));
    if (bucket->rows < 0) bucket->rows = 0;
    return TRIB_OK;
}

/*
 * Estimates the rows in buckets of equal width, then halves the fullest ones until none holds more than
 * a fair part. The server's estimate of one large range is capped at half of the table and rough;
 * estimates of many small ones are alike in their roughness, so their shares are usable.
 */
static Status fill_buckets(TribPlan *plan, Connection *connection, Guard *guard,
                           const KeyRange *range, Bucket *buckets, uint32_t *count, uint32_t splits,
                           Error *err) {
    Int128 span = range->high - range->low + 1;
    uint32_t n = BUCKETS_FIRST;
    double total = 0;
    for (uint32_t i = 0; i < n; i++) {
        buckets[i] = (Bucket){range->low + span * i / n, range->low + span * (i + 1) / n, 0};
        TRY(bucket_count(plan, connection, guard, &buckets[i], err));
        total += buckets[i].rows;
    }
    while (n < BUCKETS_MAX) {
        uint32_t fullest = 0;
        for (uint32_t i = 1; i < n; i++) {
            if (buckets[i].rows > buckets[fullest].rows) fullest = i;
        }
        Bucket old = buckets[fullest];
        if (old.rows * 8 * splits < total * BUCKETS_FIRST / 2 || old.high - old.low < 2) break;
        memmove(&buckets[fullest + 1], &buckets[fullest], (n - fullest) * sizeof *buckets);
        buckets[fullest].high = buckets[fullest + 1].low = old.low + (old.high - old.low) / 2;
        TRY(bucket_count(plan, connection, guard, &buckets[fullest], err));
        TRY(bucket_count(plan, connection, guard, &buckets[fullest + 1], err));
        total += buckets[fullest].rows + buckets[fullest + 1].rows - old.rows;
        n++;
    }
    *count = n;
    return TRIB_OK;
}

/* The value below which `share` of all rows lie, by interpolation inside its bucket. */
static Int128 find_bound(const Bucket *buckets, uint32_t count, double share) {
    double total = 0, passed = 0;
    for (uint32_t i = 0; i < count; i++) total += buckets[i].rows;
    for (uint32_t i = 0; i < count; i++) {
        double wanted = share * total - passed;
        if (wanted <= buckets[i].rows && buckets[i].rows > 0) {
            return buckets[i].low + (Int128)((double)(buckets[i].high - buckets[i].low) *
                                             (wanted / buckets[i].rows));
        }
        passed += buckets[i].rows;
    }
    return buckets[0].low + (Int128)((double)(buckets[count - 1].high - buckets[0].low) * share);
}

static Status split_condition(TribPlan *plan, const Int128 *from, const Int128 *below,
                              PlanSplit *part, Error *err) {
    char from_text[DECIMAL_TEXT_MAX], below_text[DECIMAL_TEXT_MAX];
    Buf sql;
    buf_init(&sql, plan->arena, 65536);
    Str key = str_from(plan->key.column);
    if (from) {
        decimal_format(*from, 0, from_text);
        quote_identifier(&sql, key);
        buf_printf(&sql, " >= %s", from_text);
    }
    if (from && below) buf_text(&sql, " AND ");
    if (below) {
        decimal_format(*below, 0, below_text);
        quote_identifier(&sql, key);
        buf_printf(&sql, " < %s", below_text);
    }
    TRY(buf_status(&sql, err));
    Str text = buf_view(&sql);
    part->condition = (SqlFragment){text.data, text.len, 0, NULL};
    part->split.text = text.data;
    return TRIB_OK;
}

/* Cuts the key's range in `count`; fewer where bounds coincide. */
static Status cut_ranges(TribPlan *plan, Connection *connection, Guard *guard, uint32_t count,
                         uint32_t *made, Error *err) {
    KeyRange range = {0};
    Bucket buckets[BUCKETS_MAX];
    uint32_t nbuckets = 0;
    Int128 bounds[SPLITS_MAX];
    uint32_t nbounds = 0;
    *made = 0;
    TRY(query_range(plan, connection, guard, &range, err));
    if (!range.known || range.high - range.low < count) return TRIB_OK;
    TRY(fill_buckets(plan, connection, guard, &range, buckets, &nbuckets, count, err));
    for (uint32_t i = 1; i < count; i++) {
        Int128 bound = find_bound(buckets, nbuckets, (double)i / count);
        if (bound > range.low && (nbounds == 0 || bound > bounds[nbounds - 1]))
            bounds[nbounds++] = bound;
    }
    if (nbounds == 0) return TRIB_OK;
    for (uint32_t i = 0; i <= nbounds; i++) {
        PlanSplit *part = &plan->parts[i];
        TRY(split_condition(plan, i ? &bounds[i - 1] : NULL, i < nbounds ? &bounds[i] : NULL, part,
                            err));
        part->split.rows = plan->rows > 0 ? plan->rows / (nbounds + 1) : -1;
    }
    *made = nbounds + 1;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- snapshots */

typedef struct SnapshotGroup {
    Connection *connections[SPLITS_MAX];
    Guard guards[SPLITS_MAX];
    uint32_t count;
} SnapshotGroup;

typedef struct Position {
    char text[512]; /* file and offset; "" = none reported */
} Position;

static Status visit_position(void *context, const QueryRow *row, bool *stop, Error *err) {
    Position *position = context;
    size_t used = strlen(position->text);
    if (row->count < 2 || !row->values[1].data ||
        used + row->values[1].len + 2 > sizeof position->text)
        return TRIB_OK;
    memcpy(position->text + used, row->values[1].data, row->values[1].len);
    position->text[used + row->values[1].len] = ' ';
    position->text[used + row->values[1].len + 1] = '\0';
    return TRIB_OK;
}

/* For the session, until its reset: within a transaction, one of an attempt before, no other form is allowed. */
static Status snapshot_start(Connection *connection, Guard *guard, Error *err) {
    TRY(connection_run(connection, guard, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                       err));
    return connection_run(connection, guard,
                          "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", err);
}

/* Starts all and compares their positions in the binary log; MariaDB reports them per snapshot. */
static Status snapshots_by_position(SnapshotGroup *group, bool *equal, Error *err) {
    *equal = false;
    for (int attempt = 0; attempt < SNAPSHOT_ATTEMPTS && !*equal; attempt++) {
        Position first = {""}, other;
        for (uint32_t i = 0; i < group->count; i++) {
            TRY(snapshot_start(group->connections[i], &group->guards[i], err));
        }
        *equal = true;
        for (uint32_t i = 0; i < group->count; i++) {
            memset(&other, 0, sizeof other);
            TRY(connection_query(group->connections[i], &group->guards[i],
                                 STR("SHOW STATUS LIKE 'binlog_snapshot_%'"), visit_position,
                                 i ? &other : &first, err));
            if (first.text[0] == '\0' || first.text[0] == ' ') {
                *equal = false;
                return TRIB_OK; /* no binary log: it will not come by trying again */
            }
            if (i && strcmp(first.text, other.text) != 0) *equal = false;
        }
    }
    return TRIB_OK;
}

/* Commits stand still while all of them start. Not allowed, or not granted at once: not equal. */
static Status snapshots_by_lock(SnapshotGroup *group, bool *equal, Error *err) {
    Connection *first = group->connections[0];
    Guard *guard = &group->guards[0];
    Error refused;
    *equal = false;
    TRY(connection_run(first, guard, "SET SESSION lock_wait_timeout = 1", err));
    if (connection_run(first, guard, "FLUSH TABLES WITH READ LOCK", &refused) != TRIB_OK) {
        if (!first->broken) return TRIB_OK;
        *err = refused;
        return refused.status;
    }
    Status status = TRIB_OK;
    for (uint32_t i = 1; i < group->count && status == TRIB_OK; i++) {
        status = snapshot_start(group->connections[i], &group->guards[i], err);
    }
    if (status == TRIB_OK) status = snapshot_start(first, guard, err);
    Error ignored;
    Status unlock =
        connection_run(first, guard, "UNLOCK TABLES", status == TRIB_OK ? err : &ignored);
    *equal = status == TRIB_OK && unlock == TRIB_OK;
    return status == TRIB_OK ? unlock : status;
}

/*
 * Connections with a snapshot are held from the planning of splits until their scans open. All groups
 * together leave half of the pool to scans of one connection, so that no scan waits for a group that
 * waits for it.
 */
static uint32_t snapshot_connections(TribCatalog *catalog) {
    uint32_t most = pool_max(catalog->pool), busy = pool_busy(catalog->pool);
    uint32_t share = most < 3 ? 0 : most / 2 < 2 ? 2 : most / 2;
    return busy < share ? share - busy : 0;
}

/* Takes what connections are free, up to `count`, and starts one snapshot on all of them. */
static Status group_open(SnapshotGroup *group, TribPlan *plan, TribCall *call, uint32_t count,
                         bool *equal, Error *err) {
    *equal = false;
    group->count = 0;
    uint32_t spare = snapshot_connections(plan->catalog);
    while (group->count < count && group->count < spare) {
        void *taken = NULL;
        TRY(pool_try(plan->catalog->pool, call, &taken, err));
        if (!taken) break;
        group->connections[group->count] = taken;
        Status status =
            guard_begin(&group->guards[group->count], plan->catalog->watchdog, taken, call, err);
        group->count++;
        if (status != TRIB_OK) return status;
    }
    if (group->count < 2) return TRIB_OK;
    TRY(snapshots_by_position(group, equal, err));
    return *equal ? TRIB_OK : snapshots_by_lock(group, equal, err);
}

static Status split_consistent(TribPlan *plan, TribCall *call, uint32_t wanted, uint32_t *made,
                               Error *err) {
    SnapshotGroup group;
    bool equal = false;
    Status status = group_open(&group, plan, call, wanted, &equal, err);
    /* Counting and cutting happen inside the snapshot too. */
    if (status == TRIB_OK && equal) {
        status = cut_ranges(plan, group.connections[0], &group.guards[0], group.count, made, err);
    }
    if (status != TRIB_OK) *made = 0;
    for (uint32_t i = 0; i < *made; i++) {
        plan->parts[i].snapshot = true;
        plan->parts[i].connection = group.connections[i];
    }
    /* Bounds may have coincided: connections beyond the splits go back. */
    for (uint32_t i = 0; i < group.count; i++) {
        guard_end(&group.guards[i]);
        if (i >= *made) catalog_return(plan->catalog, group.connections[i]);
    }
    return status;
}

typedef struct RelaxedWork {
    TribPlan *plan;
    uint32_t wanted, made;
} RelaxedWork;

static Status relaxed_work(Connection *connection, Guard *guard, void *context, Error *err) {
    RelaxedWork *work = context;
    return cut_ranges(work->plan, connection, guard, work->wanted, &work->made, err);
}

static Status split_relaxed(TribPlan *plan, TribCall *call, uint32_t wanted, uint32_t *made,
                            Error *err) {
    RelaxedWork work = {plan, wanted, 0};
    Status status = catalog_run(plan->catalog, call, relaxed_work, &work, err);
    *made = status == TRIB_OK ? work.made : 0;
    return status;
}

/* ---------------------------------------------------------------- the callback */

/* A transaction has one connection. */
static uint32_t splits_worth(const TribPlan *plan, const TribCall *call, uint32_t wanted) {
    const Settings *settings = plan->catalog->settings;
    if (!plan->key.column || (call && call->transaction)) return 1;
    uint32_t most = settings->max_connections < SPLITS_MAX ? settings->max_connections : SPLITS_MAX;
    if (plan->rows >= 0) {
        double by_rows = plan->rows / (double)settings->split_rows;
        if (by_rows < most) most = by_rows < 1 ? 1 : (uint32_t)by_rows;
    }
    return wanted < most ? wanted : most;
}

/* Lock held. */
static Status make_splits(TribPlan *self, TribCall *call, uint32_t wanted, Error *err) {
    uint32_t count = splits_worth(self, call, wanted), made = 0;
    self->nsplits = 0;
    TRY_ALLOC(self->parts, ARENA_ARRAY(self->arena, PlanSplit, count), err);
    TRY_ALLOC(self->splits, ARENA_ARRAY(self->arena, const TribSplit *, count), err);
    if (count > 1 && self->catalog->settings->parallel == PARALLEL_CONSISTENT) {
        TRY(split_consistent(self, call, count, &made, err));
    } else if (count > 1) {
        TRY(split_relaxed(self, call, count, &made, err));
    }
    if (made < 2) {
        made = 1;
        self->parts[0].split.rows = self->rows;
    }
    for (uint32_t i = 0; i < made; i++) {
        self->parts[i].split.size = sizeof(TribSplit);
        self->parts[i].split.data = &self->parts[i];
        self->splits[i] = &self->parts[i].split;
    }
    self->nsplits = made;
    self->split_done = true;
    return TRIB_OK;
}

/* A plan that is executed again needs snapshots anew, once those of the first time are all used up. Lock held. */
static bool splits_used_up(const TribPlan *self) {
    for (uint32_t i = 0; i < self->nsplits; i++) {
        if (!self->parts[i].snapshot || self->parts[i].connection) return false;
    }
    return self->nsplits > 0;
}

TribStatus plan_splits(TribPlan *self, TribCall *call, uint32_t wanted,
                       const TribSplit *const **out, uint32_t *count, TribError *err) {
    pthread_mutex_lock(&self->lock);
    bool done = self->split_done && !splits_used_up(self);
    Status status = done ? TRIB_OK : make_splits(self, call, wanted ? wanted : 1, err);
    *out = self->splits;
    *count = self->nsplits;
    pthread_mutex_unlock(&self->lock);
    return status;
}
