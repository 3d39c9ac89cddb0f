/*
 * conformance.c - walks the connectors' ABI with any connector and compares every answer.
 *
 * Loads trib_<TYPE>.so for each type, walks the tables that quirks.c names, and ends with "N passed, N
 * failed". Exit code 0 only if none failed. The conditions to try are generated; which of them are tried
 * follows from stride and seed alone, so that every run can be repeated. --help lists the options.
 */
#include "tests/connectors/conform.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/number.h"
#include "engine/base/os.h"

uint64_t checks_passed, checks_failed;
const char *check_context = "";

static const char usage[] =
    "usage: conformance [options] [TYPE ...]   (default: every connector that is built)\n"
    "  --folder DIR   where trib_TYPE.so are (.libs)\n"
    "  --stride N     try every Nth condition (2): a sample; 1 tries all, a larger prime suits "
    "slow builds\n"
    "  --seed S       which sample, and which random trees (42)\n"
    "  --full         stride 1, and four seeds from S on\n"
    "mysql needs a server: TRIB_TEST_MYSQL_HOST, _PORT or _SOCKET, _USER, _PASSWORD, and _SCHEMA, "
    "the schema\n"
    "whose tables are walked (tests/fixtures/mysql_conform.sql makes one). dynamodb needs\n"
    "TRIB_TEST_DYNAMODB_ENDPOINT, a server that tests/fixtures/dynamodb.py has filled.\n";

enum { FULL_SEEDS = 4 };
static uint32_t stride = 2; /* every which condition is tried */
static uint64_t seed = 42;

static pthread_mutex_t report_lock = PTHREAD_MUTEX_INITIALIZER;

bool check_report(bool good, const char *file, int line, const char *format, ...) {
    enum { SHOWN = 60 };
    pthread_mutex_lock(&report_lock);
    if (good)
        checks_passed++;
    else
        checks_failed++;
    if (!good && checks_failed <= SHOWN) {
        va_list arguments;
        fprintf(stderr, "FAILED %s:%d [%s] ", file, line, check_context);
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fputc('\n', stderr);
    }
    pthread_mutex_unlock(&report_lock);
    return good;
}

/* ---------------------------------------------------------------- opening */

static TribStatus subject_open(Subject *subject, const TribConnector *connector, TestHost *host,
                               TestCall *call, const TribOption *options, uint32_t count) {
    TribError err;
    *subject = (Subject){
        .connector = connector, .host = host, .call = call, .catalog_name = "the_catalog"};
    error_rubbish(&err);
    TribStatus status = connector->open(&host->host, subject->catalog_name, options, count,
                                        &subject->catalog, &err);
    if (status != TRIB_OK) error_check(&err, status, subject->catalog_name);
    return status;
}

static void check_struct(const TribConnector *c, const char *type) {
    CHECK(c->abi_version == TRIB_ABI_VERSION, "abi_version %u", c->abi_version);
    CHECK(c->struct_size >= offsetof(TribConnector, write_open), "struct_size %zu", c->struct_size);
    CHECK(c->type && strcmp(c->type, type) == 0, "the type is \"%s\"", c->type);
    CHECK(c->summary && *c->summary, "no summary");
    CHECK(c->open && c->close && c->check && c->list_schemas && c->list_tables &&
              c->describe_table && c->plan && c->plan_retain && c->plan_release && c->splits &&
              c->scan_open && c->scan_next && c->scan_cancel && c->scan_stats && c->scan_release,
          "a required callback is NULL");
    for (const TribOptionDef *def = c->options; def && def->name; def++) {
        CHECK(def->help && *def->help, "option %s has no help", def->name);
        CHECK(def->kind != TRIB_OPTION_CHOICE || def->choices, "option %s has no choices",
              def->name);
    }
}

/* Each wrong option, put in the place of the good one of its name or added, is refused. */
static void check_wrong_options(const TribConnector *connector, TestHost *host, TestCall *call,
                                const Quirks *quirks) {
    const Case *first = &quirks->cases[0];
    for (uint32_t w = 0; w < quirks->nwrong; w++) {
        Subject subject;
        TribOption *options = calloc(first->noptions + 1, sizeof *options);
        uint32_t count = 0;
        for (uint32_t i = 0; i < first->noptions; i++) {
            if (strcmp(first->options[i].name, quirks->wrong[w].name) != 0)
                options[count++] = first->options[i];
        }
        if (quirks->wrong[w].value) options[count++] = quirks->wrong[w];
        TribStatus status = subject_open(&subject, connector, host, call, options, count);
        CHECK(status == TRIB_INVALID, "option %s = %s: status %d", quirks->wrong[w].name,
              quirks->wrong[w].value ? quirks->wrong[w].value : "(left out)", status);
        if (status == TRIB_OK)
            connector->close(subject.catalog);
        else
            CHECK(subject.catalog == NULL, "open failed and gave a catalog");
        free(options);
    }
}

/* ---------------------------------------------------------------- metadata */

typedef struct Listed {
    Arena *arena;
    const char *names[256];
    uint32_t count, most;
} Listed;

static bool listed_schema(void *context, const char *name) {
    Listed *self = context;
    if (self->count < COUNT_OF(self->names))
        self->names[self->count++] = arena_strdup(self->arena, name);
    return self->count < self->most;
}

static bool listed_table(void *context, const char *schema, const char *name, TribTableKind kind,
                         const char *comment) {
    CHECK(schema && name && *name, "a table without a name");
    CHECK(kind == TRIB_TABLE_BASE || kind == TRIB_TABLE_VIEW || kind == TRIB_TABLE_SYSTEM,
          "table kind %d", kind);
    return listed_schema(context, name);
}

/* Keeps a deep copy of a description, as the host does. */
typedef struct Described {
    Arena *arena;
    uint32_t calls;
    TribTable *table;
} Described;

static TribStatus described(void *context, const TribTable *table, TribError *err) {
    Described *self = context;
    self->calls++;
    for (uint32_t i = 0; i < table->ncolumns; i++) {
        const TribColumn *column = &table->columns[i];
        CHECK(column->name && *column->name, "a column without a name");
        CHECK(column->type.id != TRIB_TYPE_UNKNOWN || column->unreadable, "column %s has no type",
              column->name);
    }
    for (uint32_t k = 0; k < table->nkeys; k++) {
        CHECK(table->keys[k].ncolumns > 0, "a key without columns");
        for (uint32_t i = 0; i < table->keys[k].ncolumns; i++) {
            CHECK(table->keys[k].columns[i] < table->ncolumns, "a key over column %u",
                  table->keys[k].columns[i]);
        }
    }
    self->table = table_copy(self->arena, table);
    return TRIB_OK;
}

static TribTable *describe(const Subject *subject, Arena *arena, const char *schema,
                           const char *name) {
    TribError err;
    Described self = {.arena = arena};
    TribNames names = {.self = &self, .described = described};
    error_rubbish(&err);
    TribStatus status = subject->connector->describe_table(subject->catalog, &subject->call->call,
                                                           schema, name, &names, &err);
    if (!CHECK(status == TRIB_OK, "%s cannot be described: %s", name, status ? err.message : ""))
        return NULL;
    CHECK(self.calls == 1, "described was called %u times", self.calls);
    return self.table;
}

static void check_metadata(const Subject *subject, Arena *arena, const Case *at) {
    const TribConnector *c = subject->connector;
    TribCall *call = &subject->call->call;
    TribError err;
    char text[256] = "";
    CHECK(c->check(subject->catalog, call, text, sizeof text, &err) == TRIB_OK && *text,
          "check says \"%s\"", text);
    Listed schemas = {.arena = arena, .most = 256}, tables = schemas,
           one = {.arena = arena, .most = 1}, none = schemas;
    TribNames names = {.schema = listed_schema, .table = listed_table};
    names.self = &schemas;
    CHECK(c->list_schemas(subject->catalog, call, &names, &err) == TRIB_OK,
          "list_schemas failed: %s", err.message);
    CHECK(schemas.count > 0, "no schemas");
    names.self = &tables;
    CHECK(c->list_tables(subject->catalog, call, NULL, &names, &err) == TRIB_OK,
          "list_tables failed: %s", err.message);
    names.self = &one;
    CHECK(c->list_tables(subject->catalog, call, at->schema, &names, &err) == TRIB_OK &&
              one.count <= 1,
          "list_tables goes on after it was told to stop");
    names.self = &none;
    TribStatus status = c->list_tables(subject->catalog, call, "no such schema", &names, &err);
    CHECK((status == TRIB_OK || status == TRIB_NOT_FOUND) && none.count == 0,
          "tables of a schema that does not exist");
    Described nothing = {.arena = arena};
    names = (TribNames){.self = &nothing, .described = described};
    error_rubbish(&err);
    status = c->describe_table(subject->catalog, call, at->schema, "no such \"table", &names, &err);
    if (CHECK(status == TRIB_NOT_FOUND, "describing what is not there: status %d", status)) {
        error_check(&err, status, subject->catalog_name);
    }
    CHECK(nothing.calls == 0, "described was called for nothing");
}

/* ---------------------------------------------------------------- verdicts */

/* The whole table, by its column numbers: what is unreadable is NULL. */
static bool read_whole(const Subject *subject, Arena *arena, const TribTable *table, Rows *whole) {
    Answer answer;
    Ask what = ask_all(arena, table);
    ask(subject, arena, &what, &answer);
    if (!CHECK(answer.status == TRIB_OK, "%s cannot be read: %s", table->name, answer.err.message))
        return false;
    TribType *types = ARENA_ARRAY(arena, TribType, table->ncolumns);
    TribValue *row = ARENA_ARRAY(arena, TribValue, table->ncolumns);
    for (uint32_t i = 0; i < table->ncolumns; i++) types[i] = table->columns[i].type;
    rows_init(whole, arena, table->ncolumns, types);
    for (size_t r = 0; r < answer.rows.count; r++) {
        for (uint32_t i = 0, o = 0; i < table->ncolumns; i++) {
            row[i] = (TribValue){.type = types[i], .is_null = true};
            if (!table->columns[i].unreadable) row[i] = rows_at(&answer.rows, r)[o++];
        }
        rows_add(whole, row);
    }
    for (size_t r = 0; r < whole->count; r++) {
        for (uint32_t i = 0; i < table->ncolumns; i++) {
            if (table->columns[i].nullable || table->columns[i].unreadable) continue;
            CHECK(!rows_at(whole, r)[i].is_null, "%s.%s is NULL and was described as not nullable",
                  table->name, table->columns[i].name);
        }
    }
    return true;
}

/* The outputs of the rows for which every conjunct with at least this verdict is true. */
static Rows expected(Arena *arena, const Rows *whole, const Ask *what, const TribVerdict *verdicts,
                     TribVerdictKind least) {
    Rows rows;
    TribType *types = ARENA_ARRAY(arena, TribType, what->noutput);
    TribValue *out = ARENA_ARRAY(arena, TribValue, what->noutput);
    for (uint32_t i = 0; i < what->noutput; i++) types[i] = what->outputs[i]->type;
    rows_init(&rows, arena, what->noutput, types);
    for (size_t r = 0; r < whole->count; r++) {
        bool keep = true;
        for (uint32_t i = 0; i < what->nconjuncts && keep; i++) {
            if (verdicts[i].kind >= least) keep = expr_true(what->conjuncts[i], rows_at(whole, r));
        }
        if (!keep) continue;
        for (uint32_t i = 0; i < what->noutput; i++)
            out[i] = expr_evaluate(what->outputs[i], rows_at(whole, r));
        rows_add(&rows, out);
    }
    return rows;
}

static const char *ask_text(Arena *arena, const Ask *what, const Answer *answer) {
    Buf text;
    buf_init(&text, arena, 1 << 20);
    for (uint32_t i = 0; i < what->nconjuncts; i++) {
        static const char *const kinds[] = {"NONE", "SUPERSET", "EXACT"};
        buf_printf(&text, "%s%s ", i ? " & " : "", kinds[answer->verdicts[i].kind]);
        expr_print(&text, what->conjuncts[i], what->table);
    }
    buf_printf(&text, "\n    sent: %s", answer->text ? answer->text : "");
    return text.failed ? "" : text.data;
}

typedef struct Tally {
    uint32_t kinds[3], orders, limits, groups, splits;
} Tally;

/* Asks, and compares what came with what must and may come. Returns the number of splits. */
static uint32_t check_ask(const Subject *subject, Arena *arena, const Rows *whole, const Ask *what,
                          Tally *tally) {
    Answer answer;
    ask(subject, arena, what, &answer);
    if (!CHECK(answer.status == TRIB_OK, "%s\n    failed: %s", ask_text(arena, what, &answer),
               answer.err.message))
        return answer.nsplits;
    bool exact = true;
    for (uint32_t i = 0; i < what->nconjuncts; i++) {
        tally->kinds[answer.verdicts[i].kind]++;
        exact = exact && answer.verdicts[i].kind == TRIB_EXACT;
        CHECK(what->mode != TRIB_PUSHDOWN_OFF || answer.verdicts[i].kind == TRIB_NONE,
              "a verdict although push-down is off");
    }
    Rows must = expected(arena, whole, what, answer.verdicts, TRIB_NONE);
    Rows may = expected(arena, whole, what, answer.verdicts, TRIB_EXACT);
    bool limited = answer.taken & TRIB_TAKEN_LIMIT;
    CHECK(!limited || exact, "a LIMIT was taken above an inexact filter");
    CHECK(!(answer.taken & TRIB_TAKEN_ORDER) || exact,
          "an ORDER BY was taken above an inexact filter");
    CHECK(!limited || !what->norder || (answer.taken & TRIB_TAKEN_ORDER),
          "a LIMIT was taken above an order that was not");
    CHECK(what->mode != TRIB_PUSHDOWN_OFF || !answer.taken,
          "something was taken although push-down is off");
    tally->limits += limited;
    tally->orders += !!(answer.taken & TRIB_TAKEN_ORDER);
    if (limited) {
        size_t want = must.count < (size_t)what->limit ? must.count : (size_t)what->limit;
        CHECK(answer.rows.count == want, "%zu rows instead of %zu under a limit: %s",
              answer.rows.count, want, ask_text(arena, what, &answer));
        CHECK(rows_within(&answer.rows, &must), "wrong rows under a limit: %s",
              ask_text(arena, what, &answer));
        return answer.nsplits;
    }
    CHECK(rows_within(&must, &answer.rows), "rows are missing (%zu of %zu came): %s",
          answer.rows.count, must.count, ask_text(arena, what, &answer));
    CHECK(rows_within(&answer.rows, &may), "rows too many (%zu, at most %zu): %s",
          answer.rows.count, may.count, ask_text(arena, what, &answer));
    return answer.nsplits;
}

static void check_conditions(const Subject *subject, const TribTable *table, const Rows *whole,
                             Tally *tally) {
    Arena *arena = arena_new(NULL), *scratch = arena_new(NULL);
    uint32_t count;
    uint64_t random = seed ^ 7;
    Expr **conditions = expr_conditions(arena, table, whole, seed, &count);
    for (uint32_t i = (uint32_t)(seed % stride); i < count; i += stride) {
        Ask what = ask_all(scratch, table);
        Expr *pair[2] = {conditions[i], conditions[random_next(&random) % count]};
        what.conjuncts = pair;
        what.nconjuncts = random_next(&random) % 5 ? 1 : 2;
        what.mode = random_next(&random) % 97 == 0 ? TRIB_PUSHDOWN_OFF : TRIB_PUSHDOWN_EXACT;
        if (random_next(&random) % 3 == 0) what.limit = (int64_t)(random_next(&random) % 4);
        what.max_rows = random_next(&random) % 7 == 0 ? 3 : 2048;
        what.wanted = random_next(&random) % 3 == 0 ? 4 : 1;
        check_ask(subject, scratch, whole, &what, tally);
        arena_reset(scratch);
    }
    arena_free(scratch);
    arena_free(arena);
}

/* Values longer than a source may take in one statement: one alone, and many together. */
static void check_long_values(const Subject *subject, Arena *arena, const TribTable *table,
                              const Rows *whole, Tally *tally) {
    enum { LONG = 17 * 1024 * 1024, MANY = 400, EACH = 60000 };
    for (uint32_t c = 0; c < table->ncolumns; c++) {
        TribType type = table->columns[c].type;
        if ((type.id != TRIB_TYPE_VARCHAR && type.id != TRIB_TYPE_VARBINARY) ||
            table->columns[c].unreadable)
            continue;
        char *text = ARENA_ARRAY(arena, char, LONG);
        memset(text, 'z', LONG);
        TribValue value = {.type = type};
        value.as.text.data = text;
        value.as.text.length = LONG;
        Expr *pair[] = {expr_column(arena, table, c), expr_literal(arena, &value)};
        Expr *one = expr_call(arena, TRIB_FN_lt, TRIB_TYPE_BOOLEAN, 2, pair);
        Ask what = ask_all(arena, table);
        what.conjuncts = &one;
        what.nconjuncts = 1;
        check_ask(subject, arena, whole, &what, tally);
        Expr *list[MANY + 1] = {pair[0]};
        for (int i = 1; i <= MANY; i++) {
            value.as.text.length = EACH + (size_t)i;
            list[i] = expr_literal(arena, &value);
        }
        Expr *many = expr_call(arena, TRIB_FN_in, TRIB_TYPE_BOOLEAN, MANY + 1, list);
        what.conjuncts = &many;
        check_ask(subject, arena, whole, &what, tally);
        return;
    }
}

/* Conditions of many terms and deep nesting: sent or not, the rows are right. */
static void check_large_conditions(const Subject *subject, Arena *arena, const TribTable *table,
                                   const Rows *whole, Tally *tally) {
    static const uint16_t ops[] = {TRIB_FN_or, TRIB_FN_and, TRIB_FN_in};
    TribType bigint = {.id = TRIB_TYPE_BIGINT};
    for (uint32_t c = 0; c < table->ncolumns; c++) {
        if (table->columns[c].type.id != TRIB_TYPE_BIGINT || table->columns[c].unreadable) continue;
        Expr *column = expr_column(arena, table, c);
        for (size_t o = 0; o < COUNT_OF(ops); o++) {
            enum { TERMS = 3000 };
            Expr **parts = ARENA_ARRAY(arena, Expr *, TERMS);
            for (int i = 0; i < TERMS; i++) {
                TribValue value = {.type = bigint};
                value.as.integer = i;
                parts[i] = expr_literal(arena, &value);
                Expr *pair[] = {column, parts[i]};
                uint16_t op = ops[o] == TRIB_FN_and ? TRIB_FN_ne : TRIB_FN_eq;
                if (ops[o] != TRIB_FN_in)
                    parts[i] = expr_call(arena, op, TRIB_TYPE_BOOLEAN, 2, pair);
            }
            if (ops[o] == TRIB_FN_in) parts[0] = column;
            Expr *large = expr_call(arena, ops[o], TRIB_TYPE_BOOLEAN, TERMS, parts);
            Ask what = ask_all(arena, table);
            what.conjuncts = &large;
            what.nconjuncts = 1;
            check_ask(subject, arena, whole, &what, tally);
            Ask many = ask_all(arena, table); /* the same as conjuncts of their own */
            many.conjuncts = parts;
            many.nconjuncts = ops[o] == TRIB_FN_and ? TERMS : 0;
            check_ask(subject, arena, whole, &many, tally);
        }
        Expr *deep = column;
        TribValue five = {.type = bigint};
        five.as.integer = 5;
        Expr *pair[] = {column, expr_literal(arena, &five)};
        deep = expr_call(arena, TRIB_FN_eq, TRIB_TYPE_BOOLEAN, 2, pair);
        for (int i = 0; i < 900; i++) {
            deep = expr_call(arena, TRIB_FN_not, TRIB_TYPE_BOOLEAN, 1, &deep);
        }
        Ask what = ask_all(arena, table);
        what.conjuncts = &deep;
        what.nconjuncts = 1;
        check_ask(subject, arena, whole, &what, tally);
        return;
    }
}

/* ---------------------------------------------------------------- order, outputs, grouping, splits */

static int null_aware(const TribValue *a, const TribValue *b, bool descending, bool nulls_first) {
    if (a->is_null || b->is_null) {
        if (a->is_null && b->is_null) return 0;
        return a->is_null == nulls_first ? -1 : 1;
    }
    int order = value_compare(a, b);
    return descending ? -order : order;
}

/* Is each key where the whole table sorted here would have it? */
static void check_keys(const TribTable *table, const Rows *whole, const Ask *what,
                       const Answer *answer, uint32_t c) {
    size_t limit = (size_t)what->limit < whole->count ? (size_t)what->limit : whole->count;
    size_t want = answer->taken & TRIB_TAKEN_LIMIT ? limit : whole->count;
    const char *text = answer->text ? answer->text : "";
    if (!CHECK(answer->rows.count == want, "ORDER BY %s: %zu rows of %zu; sent %s",
               table->columns[c].name, answer->rows.count, want, text))
        return;
    for (size_t r = 0; r < answer->rows.count; r++) {
        const TribValue *value = rows_at(&answer->rows, r);
        size_t before = 0, equal = 0;
        for (size_t w = 0; w < whole->count; w++) {
            int order =
                null_aware(&rows_at(whole, w)[c], value, what->descending, what->nulls_first);
            before += order < 0;
            equal += order == 0;
        }
        if (!CHECK(before <= r && r < before + equal, "ORDER BY %s: a wrong key at %zu; sent %s",
                   table->columns[c].name, r, text))
            return;
    }
}

/* A top-N of few rows, and of all but one: both ways, NULL at both ends. */
static void check_order(const Subject *subject, Arena *arena, const TribTable *table,
                        const Rows *whole, Tally *tally) {
    for (uint32_t c = 0; c < table->ncolumns; c++) {
        for (int way = 0; way < 8 && !table->columns[c].unreadable; way++) {
            Answer answer;
            Ask what = ask_all(arena, table);
            Expr *key = expr_column(arena, table, c);
            what.outputs = &key;
            what.noutput = what.norder = 1;
            what.order = &key;
            what.descending = way & 1;
            what.nulls_first = way & 2;
            what.limit = way & 4 && whole->count > 5 ? (int64_t)whole->count - 1 : 5;
            ask(subject, arena, &what, &answer);
            if (!CHECK(answer.status == TRIB_OK, "ORDER BY %s: %s", table->columns[c].name,
                       answer.err.message))
                continue;
            if (!(answer.taken & TRIB_TAKEN_ORDER)) continue;
            tally->orders++;
            check_keys(table, whole, &what, &answer, c);
        }
    }
}

static void check_outputs(const Subject *subject, Arena *arena, const TribTable *table,
                          const Rows *whole, Tally *tally) {
    Ask what = ask_all(arena, table);
    uint32_t all = what.noutput;
    what.noutput = 0; /* only the number of rows */
    check_ask(subject, arena, whole, &what, tally);
    for (uint32_t i = 0; i < all; i++) {
        Expr *twice[] = {what.outputs[i], what.outputs[all - 1 - i], what.outputs[i]};
        Ask few = what;
        few.outputs = twice;
        few.noutput = 3;
        check_ask(subject, arena, whole, &few, tally);
    }
    what.noutput = all;
    what.limit = 0;
    check_ask(subject, arena, whole, &what, tally);
    what.limit = -1;
    what.wanted = 4;
    tally->splits += check_ask(subject, arena, whole, &what, tally) > 1;
    what.max_rows = 1;
    check_ask(subject, arena, whole, &what, tally);
}

/* ---------------------------------------------------------------- runtime filters */

typedef struct TestFilter {
    TribFilter filter;
    TribFilterKey key;
} TestFilter;

static bool filter_ready(TribFilter *filter, uint32_t *nkeys, const TribFilterKey **keys) {
    *nkeys = 1;
    *keys = &((TestFilter *)filter)->key;
    return true;
}

/* Rows with a key among the values must come; others may. */
static void check_filter(const Subject *subject, Arena *arena, const TribTable *table,
                         const Rows *whole) {
    for (uint32_t c = 0; c < table->ncolumns; c++) {
        for (int shape = 0; shape < 3 && !table->columns[c].unreadable; shape++) {
            TribValue values[8];
            size_t count = 0;
            for (size_t r = 0; r < whole->count && count < 8 && shape; r += 1 + whole->count / 9) {
                const TribValue *value = &rows_at(whole, r)[c];
                bool there = value->is_null;
                for (size_t i = 0; i < count && !there; i++)
                    there = value_compare(&values[i], value) == 0;
                if (!there) values[count++] = *value;
            }
            TestFilter filter = {.filter = {.size = sizeof(TribFilter), .ready = filter_ready}};
            filter.key = (TribFilterKey){
                .output = 0, .complete = shape != 2, .nvalues = count, .values = values};
            if (shape == 2 && count) { /* only the range is known */
                filter.key.minimum = filter.key.maximum = values[0];
                for (size_t i = 1; i < count; i++) {
                    if (value_compare(&values[i], &filter.key.minimum) < 0)
                        filter.key.minimum = values[i];
                    if (value_compare(&values[i], &filter.key.maximum) > 0)
                        filter.key.maximum = values[i];
                }
            }
            static const uint32_t keys[] = {0};
            Answer answer;
            Expr *output = expr_column(arena, table, c);
            Ask what = {.table = table,
                        .mode = TRIB_PUSHDOWN_EXACT,
                        .limit = -1,
                        .noutput = 1,
                        .outputs = &output,
                        .nkeys = 1,
                        .keys = keys,
                        .filter = &filter.filter};
            ask(subject, arena, &what, &answer);
            if (!CHECK(answer.status == TRIB_OK, "a filter on %s: %s", table->columns[c].name,
                       answer.err.message))
                continue;
            Rows must, all = expected(arena, whole, &what, NULL, TRIB_EXACT);
            rows_init(&must, arena, 1, answer.rows.types);
            for (size_t r = 0; r < all.count; r++) {
                const TribValue *value = rows_at(&all, r);
                for (size_t i = 0; i < count && !value->is_null; i++) {
                    if (value_compare(&values[i], value) == 0) rows_add(&must, value);
                }
            }
            CHECK(rows_within(&must, &answer.rows) && rows_within(&answer.rows, &all),
                  "a filter on %s lost or made rows", table->columns[c].name);
            if (answer.key_verdicts[0].kind == TRIB_EXACT && shape != 2) {
                CHECK(rows_equal(&must, &answer.rows), "an EXACT filter on %s let others through",
                      table->columns[c].name);
            }
        }
    }
}

/* ---------------------------------------------------------------- lifetimes */

static void *release_batch(void *context) {
    struct ArrowArray *array = context;
    array->release(array);
    return NULL;
}

/* Batches outlive scan, plan; children may be moved out; release on another thread, in any order. */
static void check_lifetimes(const Subject *subject, Arena *arena, const TribTable *table,
                            const Rows *whole) {
    const TribConnector *c = subject->connector;
    Ask what = ask_all(arena, table);
    Answer answer;
    TribPlan *plan;
    enum { KEPT = 64 };
    TribBatch batches[KEPT];
    uint32_t count = 0;
    if (ask_plan(subject, arena, &what, &answer, &plan) != TRIB_OK) return;
    c->plan_retain(plan);
    c->plan_release(plan);
    TribScanRequest request = {
        .size = sizeof request, .plan = plan, .batch_rows = 4, .batch_bytes = 4096};
    const TribSplit *const *splits;
    uint32_t nsplits;
    CHECK(c->splits(plan, &subject->call->call, 1, &splits, &nsplits, &answer.err) == TRIB_OK &&
              nsplits == 1,
          "one split");
    request.split = splits[0];
    struct ArrowSchema schema;
    TribScan *scan;
    TribStatus status =
        c->scan_open(subject->catalog, &subject->call->call, &request, &scan, &schema, &answer.err);
    if (!CHECK(status == TRIB_OK, "scan_open: %s", answer.err.message)) return;
    while (count < KEPT && c->scan_next(scan, 4, &batches[count], &answer.err) == TRIB_OK &&
           batches[count].array.release)
        count++;
    c->scan_release(scan);
    c->plan_release(plan);
    TribType *types = ARENA_ARRAY(arena, TribType, what.noutput);
    for (uint32_t i = 0; i < what.noutput; i++) types[i] = what.outputs[i]->type;
    Rows rows, all = expected(arena, whole, &what, NULL, TRIB_EXACT);
    rows_init(&rows, arena, what.noutput, types);
    for (uint32_t i = 0; i < count; i++) rows_append(&rows, &batches[i]);
    CHECK(count == KEPT || rows_equal(&rows, &all), "batches kept beyond the scan have changed");
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = i % 2 ? i : count - 1 - i / 2 * 2 - (count % 2 == 0);
        struct ArrowArray *array = &batches[at < count ? at : i].array;
        if (!array->release) continue;
        struct ArrowArray moved = {.release = NULL};
        if (array->n_children && array->children[0]->release) {
            moved = *array->children[0];
            array->children[0]->release = NULL;
        }
        pthread_t thread;
        if (pthread_create(&thread, NULL, release_batch, array) == 0) pthread_join(thread, NULL);
        if (moved.release) moved.release(&moved);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (batches[i].array.release) batches[i].array.release(&batches[i].array);
    }
}

/* ---------------------------------------------------------------- cancellation */

typedef enum { BY_SCAN, BY_CALL, BY_DEADLINE } CancelWay;

typedef struct Canceller {
    const Subject *subject;
    TribScan *scan;
    CancelWay way;
} Canceller;

static void *cancel_soon(void *context) {
    Canceller *self = context;
    usleep(30000);
    if (self->way == BY_SCAN)
        self->subject->connector->scan_cancel(self->scan);
    else
        test_call_cancel(self->subject->call);
    return NULL;
}

/* Opens the scan; where its time is up before it is open, once more with twice the time. */
static TribStatus endless_open(Subject *subject, TribPlan *plan, CancelWay way, TribScan **scan,
                               TribError *err) {
    const TribConnector *c = subject->connector;
    const TribSplit *const *splits;
    uint32_t nsplits;
    TribScanRequest request = {
        .size = sizeof request, .plan = plan, .batch_rows = 2048, .batch_bytes = 1 << 20};
    struct ArrowSchema schema;
    TribStatus status = TRIB_TIMEOUT;
    for (int64_t ms = 50; status == TRIB_TIMEOUT && ms <= 60000; ms *= 2) {
        if (way == BY_DEADLINE) subject->call->call.deadline_ns = os_now_ns() + ms * 1000000;
        status = c->splits(plan, &subject->call->call, 1, &splits, &nsplits, err);
        if (status == TRIB_OK) request.split = splits[0];
        if (status == TRIB_OK)
            status =
                c->scan_open(subject->catalog, &subject->call->call, &request, scan, &schema, err);
    }
    return status;
}

/* The table has no end that could come before the cancellation: the bound is for patience only. */
static void check_cancel_way(Subject subject, Arena *arena, const TribTable *table, CancelWay way) {
    const TribConnector *c = subject.connector;
    TestCall call;
    Answer answer;
    TribPlan *plan;
    Ask what = ask_all(arena, table);
    test_call_init(&call, subject.host);
    subject.call = &call;
    if (!CHECK(ask_plan(&subject, arena, &what, &answer, &plan) == TRIB_OK,
               "the endless table cannot be planned"))
        return;
    TribScan *scan;
    TribStatus status = endless_open(&subject, plan, way, &scan, &answer.err);
    if (!CHECK(status == TRIB_OK, "the endless scan cannot be opened: %s", answer.err.message))
        return;
    Canceller canceller = {&subject, scan, way};
    pthread_t thread;
    int64_t start = os_now_ns();
    if (way != BY_DEADLINE) pthread_create(&thread, NULL, cancel_soon, &canceller);
    TribBatch batch = {.array = {.release = NULL}};
    do {
        if (batch.array.release) batch.array.release(&batch.array);
        status = c->scan_next(scan, 2048, &batch, &answer.err);
    } while (status == TRIB_OK && batch.array.release);
    int64_t took = (os_now_ns() - start) / 1000000;
    if (way != BY_DEADLINE) pthread_join(thread, NULL);
    CHECK(status == (way == BY_DEADLINE ? TRIB_TIMEOUT : TRIB_CANCELLED),
          "cancelled (way %d): status %d %s", way, status, status ? answer.err.message : "");
    if (status != TRIB_OK) error_check(&answer.err, status, subject.catalog_name);
    CHECK(took < 30000, "cancelling took %lld ms", (long long)took);
    c->scan_release(scan);
    c->plan_release(plan);
    test_call_clear(&call);
}

/* ---------------------------------------------------------------- threads, failing memory, one connection */

typedef struct Reader {
    const Subject *subject;
    const TribTable *table;
    const Rows *whole;
    pthread_t thread;
} Reader;

static void *read_often(void *context) {
    Reader *self = context;
    for (int i = 0; i < 8; i++) {
        TestCall call;
        Arena *arena = arena_new(NULL);
        Subject subject = *self->subject;
        Answer answer;
        Ask what = ask_all(arena, self->table);
        test_call_init(&call, subject.host);
        subject.call = &call;
        ask(&subject, arena, &what, &answer);
        CHECK(answer.status == TRIB_OK && answer.rows.count == self->whole->count,
              "reading at the same time: %s",
              answer.status ? answer.err.message : "another number of rows");
        test_call_clear(&call);
        arena_free(arena);
    }
    return NULL;
}

static void check_threads(const Subject *subject, const TribTable *table, const Rows *whole) {
    Reader readers[6];
    for (size_t i = 0; i < COUNT_OF(readers); i++) {
        readers[i] = (Reader){subject, table, whole, 0};
        pthread_create(&readers[i].thread, NULL, read_often, &readers[i]);
    }
    for (size_t i = 0; i < COUNT_OF(readers); i++) pthread_join(readers[i].thread, NULL);
}

static void check_failing_memory(const Subject *subject, const TribTable *table) {
    for (int64_t n = 1; n < 40; n++) {
        Arena *arena = arena_new(NULL);
        Answer answer;
        Ask what = ask_all(arena, table);
        atomic_store(&subject->host->fail_at, n);
        ask(subject, arena, &what, &answer);
        atomic_store(&subject->host->fail_at, 0);
        CHECK(answer.status == TRIB_OK || answer.status == TRIB_MEMORY,
              "allocation %lld failed: status %d", (long long)n, answer.status);
        arena_free(arena);
    }
}

/* With one connection a second scan waits until its deadline and says what to raise. */
static void check_single(const TribConnector *connector, TestHost *host, const Quirks *quirks,
                         const TribTable *table) {
    Arena *arena = arena_new(NULL);
    TestCall call;
    Subject subject;
    Answer answer;
    TribPlan *plan;
    TribScan *scan, *second = NULL;
    struct ArrowSchema schema;
    test_call_init(&call, host);
    if (!CHECK(subject_open(&subject, connector, host, &call, quirks->single, quirks->nsingle) ==
                   TRIB_OK,
               "one connection"))
        return;
    Ask what = ask_all(arena, table);
    if (ask_plan(&subject, arena, &what, &answer, &plan) == TRIB_OK) {
        const TribSplit *const *splits;
        uint32_t nsplits;
        TribScanRequest request = {
            .size = sizeof request, .plan = plan, .batch_rows = 1, .batch_bytes = 1 << 20};
        connector->splits(plan, &call.call, 1, &splits, &nsplits, &answer.err);
        request.split = splits[0];
        TribStatus status = connector->scan_open(subject.catalog, &call.call, &request, &scan,
                                                 &schema, &answer.err);
        CHECK(status == TRIB_OK, "the first scan: %s", answer.err.message);
        call.call.deadline_ns = os_now_ns() + 100000000;
        status = connector->scan_open(subject.catalog, &call.call, &request, &second, &schema,
                                      &answer.err);
        if (CHECK(status == TRIB_TIMEOUT, "the second scan: status %d", status)) {
            error_check(&answer.err, status, subject.catalog_name);
            CHECK(strstr(answer.err.message, "in use") &&
                      strstr(answer.err.hint, "max_connections"),
                  "it says \"%s\"", answer.err.message);
        }
        connector->scan_release(scan);
        connector->plan_release(plan);
    }
    connector->close(subject.catalog);
    test_call_clear(&call);
    arena_free(arena);
}

/* ---------------------------------------------------------------- a case */

static void check_table(const Subject *subject, const Quirks *quirks, const Case *at,
                        const char *name, Tally *tally) {
    Arena *arena = arena_new(NULL);
    Rows whole;
    char context[256];
    snprintf(context, sizeof context, "%s, %s, %s", quirks->type, at->name, name);
    check_context = context;
    TribTable *table = describe(subject, arena, at->schema, name);
    if (table && read_whole(subject, arena, table, &whole)) {
        check_conditions(subject, table, &whole, tally);
        check_large_conditions(subject, arena, table, &whole, tally);
        check_long_values(subject, arena, table, &whole, tally);
        check_order(subject, arena, table, &whole, tally);
        check_outputs(subject, arena, table, &whole, tally);
        tally->groups += check_grouping(subject, arena, table, &whole);
        check_filter(subject, arena, table, &whole);
        check_lifetimes(subject, arena, table, &whole);
        check_threads(subject, table, &whole);
        check_failing_memory(subject, table);
        if (quirks->single && at == quirks->cases)
            check_single(subject->connector, subject->host, quirks, table);
    }
    check_context = "";
    arena_free(arena);
}

/* Is the word one of a list separated by blanks? */
static bool word_among(const char *list, const char *word) {
    size_t length = strlen(word);
    for (const char *at = strstr(list, word); at && *word; at = strstr(at + 1, word)) {
        if ((at == list || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0')) return true;
    }
    return false;
}

static void check_case(const TribConnector *connector, TestHost *host, const Quirks *quirks,
                       const Case *at) {
    Arena *arena = arena_new(NULL);
    TestCall call;
    Subject subject;
    Tally tally = {0};
    check_context = at->name;
    test_call_init(&call, host);
    if (CHECK(subject_open(&subject, connector, host, &call, at->options, at->noptions) == TRIB_OK,
              "%s cannot be opened", at->name)) {
        if (connector->ddl && connector->write_open) quirks_fill(&subject, arena, at->schema);
        check_metadata(&subject, arena, at);
        TribError err;
        Listed tables = {.arena = arena, .most = 256};
        TribNames names = {.self = &tables, .table = listed_table};
        CHECK(connector->list_tables(subject.catalog, &call.call, at->schema, &names, &err) ==
                  TRIB_OK,
              "%s", err.message);
        for (uint32_t i = 0; i < tables.count; i++) {
            if (at->endless && strcmp(tables.names[i], at->endless) == 0) continue;
            if (at->only && !word_among(at->only, tables.names[i])) continue;
            check_table(&subject, quirks, at, tables.names[i], &tally);
        }
        check_context = at->name;
        TribTable *endless =
            at->endless ? describe(&subject, arena, at->schema, at->endless) : NULL;
        for (int way = BY_SCAN; endless && way <= BY_DEADLINE; way++)
            check_cancel_way(subject, arena, endless, (CancelWay)way);
        CHECK(!at->expects_exact || tally.kinds[TRIB_EXACT], "no conjunct was EXACT");
        CHECK(!at->expects_order || tally.orders, "no ORDER BY was taken");
        CHECK(!at->expects_splits || tally.splits, "no table was read in parts");
        connector->close(subject.catalog);
    }
    test_call_clear(&call);
    arena_free(arena);
    CHECK((connector->flags & TRIB_PROCESS_STATE) || atomic_load(&host->blocks) == 0,
          "%lld blocks of the host were never freed", (long long)atomic_load(&host->blocks));
    printf("  %s, %s: %u exact, %u superset, %u none; %u limits, %u orders, %u groupings taken; %u "
           "tables in parts\n",
           quirks->type, at->name, tally.kinds[TRIB_EXACT], tally.kinds[TRIB_SUPERSET],
           tally.kinds[TRIB_NONE], tally.limits, tally.orders, tally.groups, tally.splits);
}

/* ---------------------------------------------------------------- connectors */

static bool check_connector(Arena *arena, const char *folder, const char *scratch,
                            const char *type) {
    char path[1024];
    snprintf(path, sizeof path, "%s/trib_%s.so", folder, type);
    if (access(path, R_OK) != 0) {
        printf("%s: not built, skipped\n", type);
        return true;
    }
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!CHECK(object != NULL, "%s", dlerror())) return false;
    TribConnectorEntry entry;
    *(void **)&entry = dlsym(object, "trib_connector");
    if (!CHECK(entry != NULL, "%s does not export trib_connector", path)) return false;
    const TribConnector *connector = entry();
    const Quirks *quirks = quirks_prepare(arena, type, scratch);
    if (!quirks) {
        printf("%s: cannot be tested here, skipped\n", type);
        return true;
    }
    TestHost host;
    TestCall call;
    test_host_init(&host);
    test_call_init(&call, &host);
    check_struct(connector, type);
    check_wrong_options(connector, &host, &call, quirks);
    for (uint32_t i = 0; i < quirks->ncases; i++)
        check_case(connector, &host, quirks, &quirks->cases[i]);
    test_call_clear(&call);
    return true;
}

static void remove_folder(const char *folder) {
    char command[1200];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0) fprintf(stderr, "%s could not be removed\n", folder);
}

typedef struct Arguments {
    const char *folder;
    uint32_t rounds;
    int first; /* of the types, in argv */
} Arguments;

/* false: they are wrong, or only help was wanted. */
static bool arguments_read(int argc, char **argv, Arguments *out) {
    *out = (Arguments){.folder = ".libs", .rounds = 1, .first = 1};
    int at = 1;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        const char *name = argv[at], *value = at + 1 < argc ? argv[at + 1] : NULL;
        int64_t number = 0;
        if (strcmp(name, "--full") == 0) {
            stride = 1;
            out->rounds = FULL_SEEDS;
            continue;
        }
        if (!value) return false;
        bool numeric = int64_parse(str_from(value), &number) == NUMBER_OK && number >= 0;
        if (strcmp(name, "--folder") == 0)
            out->folder = value;
        else if (strcmp(name, "--stride") == 0 && numeric && number > 0 && number < 1000000)
            stride = (uint32_t)number;
        else if (strcmp(name, "--seed") == 0 && numeric)
            seed = (uint64_t)number;
        else
            return false;
        at++;
    }
    out->first = at;
    return true;
}

int main(int argc, char **argv) {
    static const char *const known[] = {"template", "sqlite", "memory", "lake", "mysql"};
    char scratch[] = "/tmp/tributary-conformance-XXXXXX";
    Arguments arguments;
    if (!arguments_read(argc, argv, &arguments)) {
        fputs(usage, stderr);
        return 2;
    }
    if (!mkdtemp(scratch)) return 2;
    for (uint32_t round = 0; round < arguments.rounds; round++, seed++) {
        Arena *arena = arena_new(NULL);
        char *folder = arena_printf(arena, "%s/%u", scratch, round);
        if (mkdir(folder, 0700) != 0) return 2;
        printf("stride %u, seed %llu\n", stride, (unsigned long long)seed);
        for (size_t i = 0; arguments.first == argc && i < COUNT_OF(known); i++)
            check_connector(arena, arguments.folder, folder, known[i]);
        for (int i = arguments.first; i < argc; i++)
            check_connector(arena, arguments.folder, folder, argv[i]);
        arena_free(arena);
    }
    remove_folder(scratch);
    printf("%llu passed, %llu failed\n", (unsigned long long)checks_passed,
           (unsigned long long)checks_failed);
    return checks_failed ? 1 : 0;
}
