/*
 * pushdown.c - turns an offer into a plan: which conditions, which key or index, which order and limit.
 *
 * Each conjunct becomes a filter (filter.c) or stays with the engine. Then the way to read is chosen:
 *   - a table or index whose hash key is compared with constants is queried, with a condition on its sort
 *     key where there is one; several hash keys are several queries;
 *   - several keys of a table without sort key are fetched by BatchGetItem;
 *   - else the table is scanned, in segments.
 * An index serves only if it projects all that is read, and holds all items that can match: items
 * without its sort key are not in it, so a condition must imply that they have one.
 *
 * What DynamoDB is not told, or answers too widely, is tested here item by item; so a conjunct is EXACT
 * unless its filter is inexact, and a limit may be taken. No I/O.
 */
#include "connectors/dynamodb/plan.h"

enum {
    FILTER_TEXT_MOST = 3500,
    CONSTANTS_MOST = 3 << 19, /* bytes of all constants: DynamoDB takes 2 MB */
    HASH_BYTES_MOST = 2048,
    RANGE_BYTES_MOST = 1024,
    QUERY_KEYS_MOST = 1000
};

static TribVerdict verdict(TribVerdictKind kind, const char *reason) {
    TribVerdict v = {.kind = kind};
    text_format(v.reason, sizeof v.reason, "%s", reason ? reason : "");
    return v;
}

/* ---------------------------------------------------------------- columns and filters */

static Status plan_columns(TribPlan *plan, const TribOffer *offer, Error *err) {
    const TribTable *table = offer->tables[0];
    char *name;
    TRY_ALLOC(name, arena_strdup(plan->arena, table->name), err);
    plan->table = str_from(name);
    plan->ncolumns = table->ncolumns;
    TRY_ALLOC(plan->columns, ARENA_ARRAY(plan->arena, ColumnInfo, table->ncolumns), err);
    for (uint32_t i = 0; i < table->ncolumns; i++) {
        ColumnInfo *column = &plan->columns[i];
        TRY_ALLOC(name, arena_strdup(plan->arena, table->columns[i].name), err);
        column->name = str_from(name);
        column->type = table->columns[i].type;
        if (!column_facts_parse(table->columns[i].facts, column))
            return error_set(err, ERR_GENERAL, "column \"%s\" has no facts of this connector",
                             name);
    }
    return TRIB_OK;
}

static Status plan_outputs(TribPlan *plan, const TribOffer *offer, Error *err) {
    plan->noutput = offer->noutput;
    TRY_ALLOC(plan->outputs, ARENA_ARRAY(plan->arena, uint32_t, offer->noutput), err);
    TRY_ALLOC(plan->types, ARENA_ARRAY(plan->arena, TribType, offer->noutput), err);
    for (uint32_t i = 0; i < offer->noutput; i++) {
        const TribNode *node = &offer->nodes[offer->output[i]];
        if (node->kind != TRIB_NODE_COLUMN || node->ref >= plan->ncolumns)
            return error_set(err, ERR_UNSUPPORTED, "outputs must be plain columns");
        plan->outputs[i] = node->ref;
        plan->types[i] = plan->columns[node->ref].type;
    }
    return TRIB_OK;
}

/* What a filter takes of a request. */
typedef struct Lengths {
    size_t text, constants;
} Lengths;

static Lengths filter_lengths(const TribPlan *plan, const Filter *filter) {
    Buf text, values;
    bool *used = ARENA_ARRAY(plan->arena, bool, plan->ncolumns);
    buf_init(&text, NULL, FILTER_TEXT_MOST + 1);
    buf_init(&values, NULL, CONSTANTS_MOST + 1);
    FilterWriter writer = {
        .text = &text, .values = &values, .columns = plan->columns, .used = used, .next = 1000};
    if (used) filter_write(&writer, filter, true, NULL);
    bool good = used && !text.failed && !values.failed;
    Lengths out = {good ? text.len + 5 : SIZE_MAX / 4, good ? values.len : SIZE_MAX / 4};
    buf_clear(&text);
    buf_clear(&values);
    return out;
}

static Status plan_filters(TribPlan *plan, TribOffer *offer, Error *err) {
    FilterScope scope = {plan->arena, offer, plan->columns, plan->ncolumns};
    TRY_ALLOC(plan->filters, ARENA_ARRAY(plan->arena, Filter *, offer->nconjuncts), err);
    for (uint32_t i = 0; i < offer->nconjuncts; i++) {
        Filter *filter = NULL;
        const char *reason = "push-down is off";
        if (offer->mode != TRIB_PUSHDOWN_OFF)
            TRY(filter_build(&scope, offer->conjuncts[i], &filter, &reason, err));
        if (filter && filter->unsendable) {
            filter = NULL;
            reason = "values that do not fit the column read as NULL";
        }
        offer->verdicts[i] = verdict(filter ? TRIB_EXACT : TRIB_NONE, reason);
        if (!filter) continue;
        if (filter->inexact)
            offer->verdicts[i] = verdict(TRIB_SUPERSET, "only its prefix is sent");
        else
            offer->verdicts[i].reason[0] = 0;
        plan->filters[plan->nfilters++] = filter;
        if (filter->kind == FILTER_NEVER) plan->kind = READ_NOTHING;
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- keys */

static bool is_column(const TribPlan *plan, uint32_t attr, Str name) {
    return name.len && str_equal(plan->columns[attr].name, name);
}

static bool is_leaf(const Filter *filter) {
    return filter->kind != FILTER_AND && filter->kind != FILTER_OR;
}

static bool types_are(const Filter *filter, AttrType type) {
    for (uint32_t i = 0; i < filter->nvalues; i++) {
        if (filter->values[i].type != type) return false;
    }
    return filter->nvalues > 0;
}

/* The filter that compares the hash key with constants: the one with fewest; UINT32_MAX. */
static uint32_t hash_filter(const TribPlan *plan, const AccessPath *path) {
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < plan->nfilters; i++) {
        const Filter *filter = plan->filters[i];
        bool fits = is_leaf(filter) && (filter->kind == FILTER_EQ || filter->kind == FILTER_IN) &&
                    is_column(plan, filter->attr, path->hash.name) &&
                    types_are(filter, path->hash.type);
        if (fits && (best == UINT32_MAX || filter->nvalues < plan->filters[best]->nvalues))
            best = i;
    }
    return best;
}

/* Can the filter be part of a key condition on the sort key? */
static bool range_usable(const TribPlan *plan, const AccessPath *path, const Filter *filter) {
    if (!is_leaf(filter) || !is_column(plan, filter->attr, path->range.name) ||
        !types_are(filter, path->range.type))
        return false;
    for (uint32_t i = 0; i < filter->nvalues; i++) {
        const FilterValue *value = &filter->values[i];
        if (value->type != ATTR_N && (value->text.len == 0 || value->text.len > RANGE_BYTES_MOST))
            return false;
    }
    switch (filter->kind) {
    case FILTER_EQ:
    case FILTER_LT:
    case FILTER_LE:
    case FILTER_GT:
    case FILTER_GE:
    case FILTER_BETWEEN:
    case FILTER_PREFIX: return true;
    default: return false;
    }
}

static uint32_t range_find(const TribPlan *plan, const AccessPath *path, FilterKind a,
                           FilterKind b) {
    for (uint32_t i = 0; i < plan->nfilters; i++) {
        const Filter *filter = plan->filters[i];
        if ((filter->kind == a || filter->kind == b) && range_usable(plan, path, filter)) return i;
    }
    return UINT32_MAX;
}

/* Does some condition imply that matching items have the index's sort key? */
static bool range_present(const TribPlan *plan, const AccessPath *path) {
    const AccessPath *table = &plan->facts.paths[0];
    if (path->range.name.len == 0 || path->index.len == 0 ||
        str_equal(path->range.name, table->hash.name) ||
        str_equal(path->range.name, table->range.name))
        return true;
    for (uint32_t i = 0; i < plan->nfilters; i++) {
        const Filter *filter = plan->filters[i];
        if (is_leaf(filter) && filter->kind != FILTER_NULL && filter->kind != FILTER_NEVER &&
            is_column(plan, filter->attr, path->range.name))
            return true;
    }
    return false;
}

typedef struct Covering {
    const TribPlan *plan;
    const AccessPath *path;
    bool covers;
} Covering;

static void cover(void *context, uint32_t attr) {
    Covering *self = context;
    self->covers = self->covers && path_covers(self->path, &self->plan->facts.paths[0],
                                               self->plan->columns[attr].name);
}

static bool path_serves(const TribPlan *plan, const AccessPath *path) {
    Covering covering = {plan, path, !(path->global && plan->catalog->consistent_read)};
    bool shown = false;
    for (uint32_t i = 0; i < plan->noutput; i++) cover(&covering, plan->outputs[i]);
    for (uint32_t i = 0; i < plan->nfilters; i++)
        filter_attributes(plan->filters[i], cover, &covering);
    for (uint32_t i = 0; i < plan->ncolumns; i++)
        shown = shown || is_column(plan, i, path->hash.name);
    return covering.covers && shown && range_present(plan, path);
}

/* Higher is better; 0: the path cannot be queried. */
static uint32_t path_score(const TribPlan *plan, const AccessPath *path) {
    uint32_t hash = hash_filter(plan, path);
    if (hash == UINT32_MAX || !path_serves(plan, path)) return 0;
    bool one = plan->filters[hash]->nvalues == 1, whole = !path->index.len && !path->range.name.len;
    uint32_t score = one ? 100 : 50;
    if (plan->filters[hash]->nvalues > QUERY_KEYS_MOST && !whole) return 0;
    if (whole) score += 40;
    if (range_find(plan, path, FILTER_EQ, FILTER_EQ) != UINT32_MAX)
        score += 35;
    else if (range_find(plan, path, FILTER_BETWEEN, FILTER_PREFIX) != UINT32_MAX)
        score += 20;
    else if (range_find(plan, path, FILTER_LT, FILTER_LE) != UINT32_MAX ||
             range_find(plan, path, FILTER_GT, FILTER_GE) != UINT32_MAX)
        score += 15;
    return score + (path->index.len ? 0 : 5);
}

/* Hash keys that no item can have are left out: DynamoDB refuses them. */
static Status plan_keys(TribPlan *plan, const Filter *hash, Error *err) {
    TRY_ALLOC(plan->keys, ARENA_ARRAY(plan->arena, FilterValue, hash->nvalues), err);
    for (uint32_t i = 0; i < hash->nvalues; i++) {
        const FilterValue *value = &hash->values[i];
        bool possible =
            value->type == ATTR_N || (value->text.len > 0 && value->text.len <= HASH_BYTES_MOST);
        if (possible) plan->keys[plan->nkeys++] = *value;
    }
    if (plan->nkeys == 0) plan->kind = READ_NOTHING;
    return TRIB_OK;
}

/* Two bounds become a BETWEEN; bounds that exclude their constant are tested here besides. */
static Status plan_bounds(TribPlan *plan, uint32_t low, uint32_t high, Error *err) {
    const Filter *from = plan->filters[low], *to = plan->filters[high];
    Filter *range;
    TRY_ALLOC(range, ARENA_NEW(plan->arena, Filter), err);
    *range = *from;
    TRY_ALLOC(range->values, ARENA_ARRAY(plan->arena, FilterValue, 2), err);
    range->kind = FILTER_BETWEEN;
    range->nvalues = 2;
    range->values[0] = from->values[0];
    range->values[1] = to->values[0];
    if (filter_value_compare(&range->values[0], &range->values[1]) > 0) {
        plan->kind = READ_NOTHING;
        return TRIB_OK;
    }
    plan->range = range;
    bool both = from->kind == FILTER_GE && to->kind == FILTER_LE;
    if (both) plan->in_key[1] = low; /* the other one is tested as well: it costs nothing */
    return TRIB_OK;
}

static Status plan_range(TribPlan *plan, Error *err) {
    const AccessPath *path = plan->path;
    uint32_t found = range_find(plan, path, FILTER_EQ, FILTER_EQ);
    uint32_t low = range_find(plan, path, FILTER_GT, FILTER_GE),
             high = range_find(plan, path, FILTER_LT, FILTER_LE);
    if (found == UINT32_MAX) found = range_find(plan, path, FILTER_BETWEEN, FILTER_BETWEEN);
    if (found == UINT32_MAX && low != UINT32_MAX && high != UINT32_MAX)
        return plan_bounds(plan, low, high, err);
    if (found == UINT32_MAX) found = range_find(plan, path, FILTER_PREFIX, FILTER_PREFIX);
    if (found == UINT32_MAX) found = low != UINT32_MAX ? low : high;
    if (found == UINT32_MAX) return TRIB_OK;
    plan->range = plan->filters[found];
    plan->in_key[1] = found;
    return TRIB_OK;
}

static Status plan_path(TribPlan *plan, Error *err) {
    uint32_t best = 0;
    plan->path = &plan->facts.paths[0];
    for (uint32_t i = 0; i < plan->facts.npaths; i++) {
        uint32_t score = path_score(plan, &plan->facts.paths[i]);
        if (score > best) best = score, plan->path = &plan->facts.paths[i];
    }
    if (best == 0) return TRIB_OK;
    uint32_t hash = hash_filter(plan, plan->path);
    bool whole = !plan->path->index.len && !plan->path->range.name.len;
    plan->kind = READ_QUERY;
    plan->in_key[0] = hash;
    TRY(plan_keys(plan, plan->filters[hash], err));
    if (plan->kind == READ_NOTHING) return TRIB_OK;
    if (whole && plan->nkeys > 1) {
        plan->kind = READ_GET;
        return TRIB_OK;
    }
    return plan->path->range.name.len ? plan_range(plan, err) : TRIB_OK;
}

/* ---------------------------------------------------------------- order, limit, look-ups */

/* Is the order asked for the one in which a Query answers? */
static bool order_is_given(const TribPlan *plan, const TribOffer *offer, bool *descending) {
    if (plan->kind != READ_QUERY || plan->nkeys != 1) return false;
    bool placed = false;
    for (uint32_t i = 0; i < offer->norder; i++) {
        const TribNode *node = &offer->nodes[offer->order[i].node];
        if (node->kind != TRIB_NODE_COLUMN || node->ref >= plan->ncolumns) return false;
        const ColumnInfo *column = &plan->columns[node->ref];
        if (is_column(plan, node->ref, plan->path->hash.name)) continue; /* one value */
        if (placed) return plan->path->index.len == 0; /* a table's sort key has no ties */
        bool exact = !column_is_strict(column) || column->mismatch == MISMATCH_ERROR;
        if (!is_column(plan, node->ref, plan->path->range.name) || !exact ||
            column->read == READ_ANY || column->read == READ_DOCUMENT)
            return false;
        placed = true;
        *descending = offer->order[i].descending;
    }
    return true;
}

static void plan_limit(TribPlan *plan, TribOffer *offer) {
    bool exact = true;
    for (uint32_t i = 0; i < offer->nconjuncts; i++)
        exact = exact && offer->verdicts[i].kind == TRIB_EXACT;
    bool allowed =
        exact && offer->limit >= 0 && !offer->distinct && offer->mode != TRIB_PUSHDOWN_OFF;
    bool ordered = offer->norder > 0 && allowed && order_is_given(plan, offer, &plan->descending);
    bool limited = allowed && (offer->norder == 0 || ordered);
    plan->ordered = ordered;
    plan->limit = limited ? offer->limit : -1;
    offer->taken = (limited ? TRIB_TAKEN_LIMIT : 0) | (ordered ? TRIB_TAKEN_ORDER : 0);
    offer->order_verdict = ordered ? verdict(TRIB_EXACT, NULL)
                                   : verdict(TRIB_NONE, "sorted here: not the order of a sort key");
    const char *why = offer->limit < 0  ? "none is asked for"
                      : !exact          ? "the filter is not exact"
                      : offer->distinct ? "duplicates are dropped here"
                                        : "the order is made here";
    offer->limit_verdict = limited ? verdict(TRIB_EXACT, NULL) : verdict(TRIB_NONE, why);
    offer->joins_verdict = verdict(TRIB_NONE, "DynamoDB has no joins");
    offer->grouping_verdict = verdict(TRIB_NONE, "DynamoDB does not group");
}

/* The path by which values of an output can be looked up; NULL. */
static const AccessPath *lookup_path(const TribPlan *plan, uint32_t attr) {
    const ColumnInfo *column = &plan->columns[attr];
    for (uint32_t i = 0; i < plan->facts.npaths; i++) {
        const AccessPath *path = &plan->facts.paths[i];
        if (str_equal(column->name, path->hash.name) && column_attr(column) == path->hash.type &&
            column->type.id != TRIB_TYPE_DOUBLE && column->type.id != TRIB_TYPE_REAL &&
            column->type.id != TRIB_TYPE_TIMESTAMP && path_serves(plan, path))
            return path;
    }
    return NULL;
}

static Status plan_lookups(TribPlan *plan, TribOffer *offer, Error *err) {
    bool possible = plan->kind == READ_SCAN && plan->limit < 0 && offer->mode != TRIB_PUSHDOWN_OFF;
    TRY_ALLOC(plan->lookups, ARENA_ARRAY(plan->arena, Lookup, offer->nkeys), err);
    for (uint32_t i = 0; i < offer->nkeys; i++) {
        const char *why = possible ? "not the hash key of the table or of an index that serves"
                                   : "read by key already, or limited";
        uint32_t output = offer->keys[i];
        const AccessPath *path =
            possible && output < plan->noutput ? lookup_path(plan, plan->outputs[output]) : NULL;
        if (offer->key_verdicts)
            offer->key_verdicts[i] = path ? verdict(TRIB_SUPERSET, NULL) : verdict(TRIB_NONE, why);
        if (!path) continue;
        bool whole = !path->index.len && !path->range.name.len;
        plan->lookups[plan->nlookups++] = (Lookup){output, whole ? READ_GET : READ_QUERY, path};
    }
    return TRIB_OK;
}

static uint32_t segments_worth(const TribPlan *plan) {
    const TribCatalog *catalog = plan->catalog;
    if (plan->limit >= 0) return 1;
    if (catalog->segments) return catalog->segments;
    /* A page is 1 MiB: fewer would be empty. 0 bytes: not counted yet. */
    int64_t pages = plan->facts.bytes ? (plan->facts.bytes >> 20) + 1 : catalog->max_connections;
    return pages < catalog->max_connections ? (uint32_t)pages : catalog->max_connections;
}

/* ---------------------------------------------------------------- plans */

static Status plan_text(TribPlan *plan, TribOffer *offer, Error *err) {
    TRY_ALLOC(offer->text, request_explain(plan, plan->arena), err);
    offer->note = NULL;
    if (plan->kind == READ_SCAN) {
        const char *lookup = plan->nlookups == 0                 ? ""
                             : plan->lookups[0].kind == READ_GET ? ", BatchGetItem by a join's keys"
                                                                 : ", Query by a join's keys";
        TRY_ALLOC(offer->note,
                  arena_printf(plan->arena, "segments up to %u%s", segments_worth(plan), lookup),
                  err);
    }
    double rows = plan->facts.items ? (double)plan->facts.items : -1;
    if (plan->kind == READ_NOTHING) rows = 0;
    if (plan->kind == READ_GET ||
        (plan->kind == READ_QUERY && !plan->path->range.name.len && !plan->path->index.len))
        rows = plan->nkeys;
    offer->rows = rows;
    return TRIB_OK;
}

/* Does the filter set a hash key, so that it leaves the expression? */
static bool becomes_key(const TribPlan *plan, const Filter *filter) {
    if (filter->kind != FILTER_IN && filter->kind != FILTER_EQ) return false;
    for (uint32_t i = 0; i < plan->facts.npaths; i++) {
        const AccessPath *path = &plan->facts.paths[i];
        if (is_column(plan, filter->attr, path->hash.name) && path_score(plan, path)) return true;
    }
    return false;
}

/* Filters that make the expression too long go back to the engine. */
static void plan_trim(TribPlan *plan, TribOffer *offer) {
    Lengths all = {0, 0};
    uint32_t kept = 0, next = 0;
    for (uint32_t i = 0; i < offer->nconjuncts; i++) {
        if (offer->verdicts[i].kind == TRIB_NONE) continue;
        Filter *filter = plan->filters[next++];
        Lengths own = {0, 0};
        if (filter->kind != FILTER_NEVER && !becomes_key(plan, filter))
            own = filter_lengths(plan, filter);
        if (all.text + own.text > FILTER_TEXT_MOST ||
            all.constants + own.constants > CONSTANTS_MOST) {
            offer->verdicts[i] = verdict(
                TRIB_NONE, "too long: DynamoDB takes expressions of 4 KB, constants of 2 MB");
            continue;
        }
        all.text += own.text;
        all.constants += own.constants;
        plan->filters[kept++] = filter;
    }
    plan->nfilters = kept;
}

static Status plan_fill(TribPlan *plan, TribOffer *offer, Error *err) {
    if (offer->ntables != 1 || offer->njoins || offer->grouped)
        return error_set(err, ERR_UNSUPPORTED, "only one table at a time, without grouping");
    TRY(facts_parse(plan->arena, offer->tables[0]->facts, &plan->facts, err));
    TRY(plan_columns(plan, offer, err));
    TRY(plan_outputs(plan, offer, err));
    plan->kind = READ_SCAN;
    plan->in_key[0] = plan->in_key[1] = UINT32_MAX;
    TRY(plan_filters(plan, offer, err));
    plan->path = &plan->facts.paths[0];
    plan_trim(plan, offer);
    if (plan->kind != READ_NOTHING) TRY(plan_path(plan, err));
    plan_limit(plan, offer);
    TRY(plan_lookups(plan, offer, err));
    return plan_text(plan, offer, err);
}

TribStatus plan_new(TribCatalog *self, TribCall *call, TribOffer *offer, TribPlan **out,
                    TribError *err) {
    Arena *arena;
    *out = NULL;
    TRY_ALLOC(arena, arena_new(NULL), err);
    TribPlan *plan = ARENA_NEW(arena, TribPlan);
    if (!plan || pthread_mutex_init(&plan->lock, NULL) != 0) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    plan->arena = arena;
    plan->catalog = self;
    atomic_init(&plan->refs, 1);
    Status status = plan_fill(plan, offer, err);
    if (status != TRIB_OK) {
        plan_release(plan);
        return error_source(err, self->name);
    }
    *out = plan;
    return TRIB_OK;
}

void plan_retain(TribPlan *plan) {
    atomic_fetch_add_explicit(&plan->refs, 1, memory_order_relaxed);
}

void plan_release(TribPlan *plan) {
    if (atomic_fetch_sub_explicit(&plan->refs, 1, memory_order_acq_rel) != 1) return;
    pthread_mutex_destroy(&plan->lock);
    arena_free(plan->arena);
}

/* ---------------------------------------------------------------- splits */

static uint32_t splits_worth(const TribPlan *plan) {
    switch (plan->kind) {
    case READ_SCAN: return segments_worth(plan);
    case READ_QUERY: return plan->limit >= 0 ? 1 : plan->nkeys;
    case READ_GET: return plan->limit >= 0 ? 1 : (plan->nkeys + GET_KEYS_MOST - 1) / GET_KEYS_MOST;
    default: return 1;
    }
}

static const char *split_text(TribPlan *plan, const Part *part) {
    if (plan->kind == READ_SCAN)
        return arena_printf(plan->arena, "segment %u of %u", part->index, part->total);
    return arena_printf(plan->arena, "part %u of %u of the keys", part->index, part->total);
}

static Status splits_make(TribPlan *plan, uint32_t count, const TribSplit ***out, Error *err) {
    TribSplit *splits;
    Part *parts;
    TRY_ALLOC(*out, ARENA_ARRAY(plan->arena, const TribSplit *, count), err);
    TRY_ALLOC(splits, ARENA_ARRAY(plan->arena, TribSplit, count), err);
    TRY_ALLOC(parts, ARENA_ARRAY(plan->arena, Part, count), err);
    for (uint32_t i = 0; i < count; i++) {
        parts[i] = (Part){i, count};
        splits[i] = (TribSplit){.size = sizeof(TribSplit), .data = &parts[i], .rows = -1};
        TRY_ALLOC(splits[i].text, split_text(plan, &parts[i]), err);
        (*out)[i] = &splits[i];
    }
    return TRIB_OK;
}

TribStatus plan_splits(TribPlan *plan, TribCall *call, uint32_t wanted,
                       const TribSplit *const **out, uint32_t *count, TribError *err) {
    uint32_t n = splits_worth(plan);
    const TribSplit **list;
    if (n > wanted) n = wanted ? wanted : 1;
    pthread_mutex_lock(&plan->lock);
    Status status = splits_make(plan, n, &list, err);
    pthread_mutex_unlock(&plan->lock);
    if (status != TRIB_OK) return error_source(err, plan->catalog->name);
    *out = list;
    *count = n;
    return TRIB_OK;
}
