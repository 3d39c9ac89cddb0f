/*
 * bench_exec.c - the rates of aggregation, joins and sorting by themselves: batches prepared in
 * memory go through one operator. Prints, of the best of some runs, rows per second of CPU time and
 * of wall time, seconds of CPU time per phase, and the peak of the budget.
 *
 *   bench_exec [--threads N] [--rows N] [--memory BYTES] [--repeat N] [--plain] [NAME ...]
 */
#include "config.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/os.h"
#include "engine/exec/operator.h"

typedef struct Input {
    Batch *batches;
    uint32_t count;
    uint64_t rows;
} Input;

static Arena *arena;
static uint32_t threads = 1, repeat = 3;
static uint64_t scale = 6000000;
static int64_t memory = INT64_C(1) << 40;
static bool encrypt = true;
static uint64_t random_state = 88172645463325252u;

static uint64_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    return random_state ^= random_state << 17;
}

static void die(const char *what, const Error *err) {
    fprintf(stderr, "%s: %s\n", what, err ? err->message : "");
    _Exit(1);
}

/* ---------------------------------------------------------------- data */

typedef void (*Fill)(Vector *vector, uint64_t row, uint32_t i, uint64_t parameter);

static void fill_int(Vector *vector, uint64_t row, uint32_t i, uint64_t distinct) {
    ((int64_t *)vector->data)[i] = (int64_t)(next_random() % distinct);
}
static void fill_clustered(Vector *vector, uint64_t row, uint32_t i, uint64_t per) {
    ((int64_t *)vector->data)[i] = (int64_t)(row / per);
}
static void fill_unique(Vector *vector, uint64_t row, uint32_t i, uint64_t modulo) {
    ((int64_t *)vector->data)[i] = (int64_t)((row * UINT64_C(2654435761)) % modulo);
}
static void fill_small(Vector *vector, uint64_t row, uint32_t i, uint64_t distinct) {
    ((int64_t *)vector->data)[i] = (int64_t)(next_random() % distinct) + 1;
}
static void fill_wide(Vector *vector, uint64_t row, uint32_t i, uint64_t distinct) {
    ((Int128 *)vector->data)[i] = (Int128)(next_random() % distinct);
}
static void fill_letter(Vector *vector, uint64_t row, uint32_t i, uint64_t distinct) {
    char letter = (char)('A' + next_random() % distinct);
    ((StrView *)vector->data)[i] = strview_of(&letter, 1);
}
static void fill_text(Vector *vector, uint64_t row, uint32_t i, uint64_t distinct) {
    char *text = arena_printf(arena, "carefully final %llu deposits",
                              (unsigned long long)(next_random() % distinct));
    ((StrView *)vector->data)[i] = strview_of(text, strlen(text));
}

static Input input_new(uint64_t rows, uint32_t ncolumns, const Type *types, const Fill *fills,
                       const uint64_t *parameters) {
    Error err;
    Input in = {.rows = rows, .count = (uint32_t)((rows + BATCH_ROWS - 1) / BATCH_ROWS)};
    in.batches = arena_array(arena, in.count, sizeof *in.batches);
    for (uint32_t b = 0; b < in.count; b++) {
        Batch *batch = &in.batches[b];
        batch_init(batch, arena);
        uint64_t from = (uint64_t)b * BATCH_ROWS;
        uint32_t n = rows - from < BATCH_ROWS ? (uint32_t)(rows - from) : BATCH_ROWS;
        if (batch_columns(batch, ncolumns, &err) != TRIB_OK) die("memory", &err);
        for (uint32_t c = 0; c < ncolumns; c++) {
            if (vector_new(arena, types[c], BATCH_ROWS, &batch->columns[c], &err) != TRIB_OK)
                die("memory", &err);
            for (uint32_t i = 0; i < n; i++)
                fills[c](&batch->columns[c], from + i, i, parameters[c]);
        }
        batch->count = batch->selected = n;
    }
    return in;
}

static PhysNode *child_new(uint32_t ncolumns, const Type *types) {
    PhysNode *node = ARENA_NEW(arena, PhysNode);
    node->kind = PHYS_VALUES;
    node->ncolumns = ncolumns;
    node->types = (Type *)types;
    return node;
}

static Expr *column(uint32_t ordinal, Type type) {
    Expr *e = expr_column(arena, 0, type);
    e->as.ordinal = ordinal;
    return e;
}

/* ---------------------------------------------------------------- running */

typedef enum { RUN_SINK, RUN_TRANSFORM, RUN_FINISH, RUN_SOURCE } Role;

typedef struct Run {
    const PhysNode *node;
    const Operator *op;
    Query query;
    void *shared;
    Role role;
    const Input *input;
    _Atomic uint32_t next;
    _Atomic uint64_t rows_out;
    _Atomic int64_t cpu_ns;
} Run;

typedef struct Thread {
    Run *run;
    uint32_t worker;
    _Atomic bool woken;
} Thread;

static void run_wake(void *context) {
    atomic_store((_Atomic bool *)context, true);
}

static Status run_work(Run *run, Thread *thread, OpContext *context, Batch *out, Error *err) {
    Step step = STEP_NEED_INPUT;
    if (run->role == RUN_FINISH) {
        while (step != STEP_FINISHED) TRY(run->op->finish(context, &step, err));
        return TRIB_OK;
    }
    if (run->role == RUN_SOURCE) {
        for (;;) {
            batch_clear(out);
            TRY(run->op->produce(context, out, &step, err));
            if (step == STEP_FINISHED) return TRIB_OK;
            if (step == STEP_BLOCKED) {
                while (!atomic_exchange(&thread->woken, false)) sched_yield();
            } else {
                atomic_fetch_add(&run->rows_out, out->selected);
            }
        }
    }
    for (uint32_t b; (b = atomic_fetch_add(&run->next, 1)) < run->input->count;) {
        Batch *in = &run->input->batches[b];
        if (run->role == RUN_SINK) {
            TRY(run->op->consume(context, in, &step, err));
            continue;
        }
        do {
            batch_clear(out);
            TRY(run->op->process(context, in, out, &step, err));
            if (step == STEP_HAVE_OUTPUT || step == STEP_LAST_OUTPUT)
                atomic_fetch_add(&run->rows_out, out->selected);
        } while (step == STEP_HAVE_OUTPUT);
    }
    return run->role == RUN_SINK ? run->op->combine(context, err) : TRIB_OK;
}

static void *run_thread(void *argument) {
    Thread *thread = argument;
    Run *run = thread->run;
    Arena *local = arena_new(NULL);
    Waker waker = {run_wake, (void *)&thread->woken};
    OpContext context = {.node = run->node,
                         .query = &run->query,
                         .shared = run->shared,
                         .worker = thread->worker,
                         .workers = threads,
                         .waker = &waker,
                         .arena = local};
    context.local = arena_alloc(local, run->op->local_size);
    Batch out;
    batch_init(&out, arena_new(local));
    Error err;
    struct timespec from, to;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    if (run_work(run, thread, &context, &out, &err) != TRIB_OK) die(run->op->name, &err);
    if (run->op->local_close) run->op->local_close(&context);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    atomic_fetch_add(&run->cpu_ns,
                     (to.tv_sec - from.tv_sec) * INT64_C(1000000000) + to.tv_nsec - from.tv_nsec);
    arena_free(local);
    return NULL;
}

static const char *const role_names[] = {"sink", "probe", "finish", "source"};

/* Seconds of CPU time of all threads. */
static double run_role(Run *run, Role role, const Input *input, uint32_t n) {
    pthread_t handles[256];
    Thread contexts[256];
    run->role = role;
    run->input = input;
    atomic_store(&run->next, 0);
    atomic_store(&run->cpu_ns, 0);
    for (uint32_t t = 0; t < n; t++) {
        contexts[t].run = run;
        contexts[t].worker = t;
        atomic_init(&contexts[t].woken, false);
        pthread_create(&handles[t], NULL, run_thread, &contexts[t]);
    }
    for (uint32_t t = 0; t < n; t++) pthread_join(handles[t], NULL);
    return (double)atomic_load(&run->cpu_ns) / 1e9;
}

typedef struct Times {
    double cpu[4], total, wall; /* by role */
    uint64_t rows, spilled;
    int64_t peak;
} Times;

static Times run_once(const PhysNode *node, const Input *probe, const Input *input) {
    Error err;
    Times times = {.total = 0};
    Run run = {.node = node, .op = operator_of(node->kind)};
    CancelToken *cancel = cancel_new();
    EvalSession session = {.cancel = cancel, .max_value_size = 64 << 20};
    Budget *budget = budget_new(NULL, "bench", memory);
    run.query = (Query){.arena = arena_new(NULL),
                        .cancel = cancel,
                        .session = &session,
                        .workers = threads,
                        .batch_rows = BATCH_ROWS,
                        .counters = heap_alloc(sizeof(NodeCounters)),
                        .budget = budget};
    if (spill_space_new(STR(""), 0, encrypt, cancel, &run.query.spill, &err) != TRIB_OK)
        die("spill", &err);
    run.shared = arena_alloc(run.query.arena, run.op->shared_size);
    int64_t from = os_now_ns();
    if (run.op->open(node, &run.query, run.shared, &err) != TRIB_OK) die("open", &err);
    times.cpu[RUN_SINK] = run_role(&run, RUN_SINK, input, threads);
    times.cpu[RUN_FINISH] = run_role(&run, RUN_FINISH, NULL, run.op->finish_tasks ? threads : 1);
    if (probe) times.cpu[RUN_TRANSFORM] = run_role(&run, RUN_TRANSFORM, probe, threads);
    if (!probe || run.op->has_tail(node, run.shared))
        times.cpu[RUN_SOURCE] =
            run_role(&run, RUN_SOURCE, NULL, run.op->source_ordered ? 1 : threads);
    times.wall = (double)(os_now_ns() - from) / 1e9;
    for (int r = 0; r < 4; r++) times.total += times.cpu[r];
    times.peak = budget_peak(budget);
    times.rows = atomic_load(&run.rows_out);
    run.op->close(run.shared);
    times.spilled = spill_space_bytes(run.query.spill);
    spill_space_free(run.query.spill);
    budget_free(budget);
    heap_free(run.query.counters);
    arena_free(run.query.arena);
    cancel_release(cancel);
    return times;
}

/* The best of some runs: other programs' work must not count. */
static void bench(const char *name, PhysNode *node, const Input *probe, const Input *input) {
    Times best = {.total = 1e30, .wall = 1e30};
    for (uint32_t n = 0; n < repeat; n++) {
        Times times = run_once(node, probe, input);
        double wall = times.wall < best.wall ? times.wall : best.wall;
        if (times.total < best.total) best = times;
        best.wall = wall;
    }
    double rows = (double)(probe ? probe->rows : input->rows) / 1e6;
    printf("%-14s %6.1f M rows/s cpu %6.1f wall |", name, rows / best.total, rows / best.wall);
    for (int r = 0; r < 4; r++)
        if (best.cpu[r] > 0.001) printf(" %s %.3f", role_names[r], best.cpu[r]);
    printf(" | out %llu, %lld MiB, spilled %llu MiB\n", (unsigned long long)best.rows,
           (long long)(best.peak >> 20), (unsigned long long)(best.spilled >> 20));
    fflush(stdout);
}

/* ---------------------------------------------------------------- the shapes */

static void aggregate_add(PhysNode *node, const char *name, Expr *arg) {
    Error err;
    PhysAggregate *a = &node->as.aggregate.aggregates[node->as.aggregate.naggregates++];
    ResolvedAggregate resolved;
    Type type = arg ? arg->type : TYPE(BIGINT);
    if (aggregate_resolve(arena, str_from(name), arg ? 1 : 0, &type, &resolved, &err) != TRIB_OK)
        die(name, &err);
    a->aggregate = resolved.aggregate;
    a->result = resolved.result;
    a->nargs = arg ? 1 : 0;
    Expr **args = ARENA_ARRAY(arena, Expr *, 1);
    args[0] = arg;
    a->args = args;
    node->ncolumns++;
}

static PhysNode *aggregate_new(const Input *in, uint32_t ngroups) {
    const Batch *batch = &in->batches[0];
    Type *types = ARENA_ARRAY(arena, Type, batch->ncolumns);
    for (uint32_t c = 0; c < batch->ncolumns; c++) types[c] = batch->columns[c].type;
    PhysNode *node = ARENA_NEW(arena, PhysNode);
    node->kind = PHYS_AGGREGATE;
    node->children = ARENA_ARRAY(arena, PhysNode *, 1);
    node->children[0] = child_new(batch->ncolumns, types);
    node->ncolumns = ngroups;
    node->as.aggregate.ngroups = ngroups;
    node->as.aggregate.groups = ARENA_ARRAY(arena, Expr *, ngroups + 1);
    for (uint32_t g = 0; g < ngroups; g++) node->as.aggregate.groups[g] = column(g, types[g]);
    node->as.aggregate.aggregates = ARENA_ARRAY(arena, PhysAggregate, 16);
    return node;
}

static void group_numbers(const char *name, Fill fill, uint64_t parameter) {
    Type types[] = {TYPE(BIGINT), TYPE(BIGINT)};
    Fill fills[] = {fill, fill_small};
    uint64_t parameters[] = {parameter, 50};
    Input in = input_new(scale, 2, types, fills, parameters);
    PhysNode *node = aggregate_new(&in, 1);
    aggregate_add(node, "count", NULL);
    aggregate_add(node, "sum", column(1, types[1]));
    bench(name, node, NULL, &in);
}

static void group_ordered(void) {
    group_numbers("group_ordered", fill_clustered, 4);
}
static void group_random(void) {
    group_numbers("group_random", fill_int, scale / 4);
}
static void group_hundred_thousand(void) {
    group_numbers("group_100k", fill_int, scale / 60);
}
static void group_unique(void) {
    group_numbers("group_unique", fill_unique, scale);
}
static void group_thousand(void) {
    group_numbers("group_1k", fill_int, 1000);
}

static void group_text(void) {
    Type types[] = {type_varchar(0), TYPE(BIGINT)};
    Fill fills[] = {fill_text, fill_small};
    uint64_t parameters[] = {scale / 6, 50};
    Input in = input_new(scale, 2, types, fills, parameters);
    PhysNode *node = aggregate_new(&in, 1);
    aggregate_add(node, "count", NULL);
    bench("group_text", node, NULL, &in);
}

static void group_few(void) {
    Type types[] = {type_char(1),        type_char(1),        type_decimal(12, 2),
                    type_decimal(12, 2), type_decimal(12, 2), type_decimal(38, 4),
                    type_decimal(38, 6)};
    Fill fills[] = {fill_letter, fill_letter, fill_small, fill_small,
                    fill_small,  fill_wide,   fill_wide};
    uint64_t parameters[] = {2, 2, 50, 100000, 10, 10000000, 10000000};
    Input in = input_new(scale, 7, types, fills, parameters);
    PhysNode *node = aggregate_new(&in, 2);
    for (uint32_t c = 2; c < 7; c++) aggregate_add(node, "sum", column(c, types[c]));
    for (uint32_t c = 2; c < 4; c++) aggregate_add(node, "avg", column(c, types[c]));
    aggregate_add(node, "count", NULL);
    bench("group_few", node, NULL, &in);
}

static void join_numbers(const char *name, JoinKind kind, uint64_t nbuild, uint64_t distinct) {
    Type types[] = {TYPE(BIGINT), TYPE(BIGINT)};
    Fill probe_fills[] = {fill_int, fill_small}, build_fills[] = {fill_unique, fill_small};
    uint64_t probe_parameters[] = {distinct, 50}, build_parameters[] = {distinct, 1000};
    Input probe = input_new(scale, 2, types, probe_fills, probe_parameters);
    Input build = input_new(nbuild, 2, types, build_fills, build_parameters);
    PhysNode *node = ARENA_NEW(arena, PhysNode);
    node->kind = PHYS_HASH_JOIN;
    node->children = ARENA_ARRAY(arena, PhysNode *, 2);
    node->children[0] = child_new(2, types);
    node->children[1] = child_new(2, types);
    node->ncolumns = 3;
    Type *out = ARENA_ARRAY(arena, Type, 3);
    for (int i = 0; i < 3; i++) out[i] = TYPE(BIGINT);
    node->types = out;
    node->as.join.join = kind;
    node->as.join.nkeys = 1;
    node->as.join.probe_keys = ARENA_ARRAY(arena, Expr *, 1);
    node->as.join.build_keys = ARENA_ARRAY(arena, Expr *, 1);
    node->as.join.probe_keys[0] = node->as.join.build_keys[0] = column(0, types[0]);
    static uint32_t outputs[] = {0, 1};
    node->as.join.nprobe_output = 2;
    node->as.join.probe_output = outputs;
    node->as.join.nbuild_output = kind <= JOIN_FULL ? 1 : 0;
    node->as.join.build_output = outputs + 1;
    node->ncolumns = 2 + node->as.join.nbuild_output;
    bench(name, node, &probe, &build);
}

static void join_inner(void) {
    join_numbers("join_inner", JOIN_INNER, scale / 4, scale / 4);
}
static void join_small(void) {
    join_numbers("join_small", JOIN_INNER, scale / 400, scale / 400 * 100);
}
static void join_fanout(void) {
    join_numbers("join_fanout", JOIN_INNER, scale / 4, scale / 16);
}
static void join_semi(void) {
    join_numbers("join_semi", JOIN_SEMI, scale / 4, scale / 4);
}
static void join_full(void) {
    join_numbers("join_full", JOIN_FULL, scale / 4, scale / 4);
}

static void sort_any(const char *name, bool text, bool topn) {
    Type types[] = {text ? type_varchar(0) : TYPE(BIGINT), TYPE(BIGINT), TYPE(BIGINT)};
    Fill fills[] = {text ? fill_text : fill_int, fill_int, fill_small};
    uint64_t parameters[] = {text ? scale : 10000, scale, 50};
    Input in = input_new(scale, 3, types, fills, parameters);
    PhysNode *node = ARENA_NEW(arena, PhysNode);
    node->kind = topn ? PHYS_TOPN : PHYS_SORT;
    node->children = ARENA_ARRAY(arena, PhysNode *, 1);
    node->children[0] = child_new(3, types);
    node->ncolumns = 3;
    node->as.sort.nkeys = 2;
    node->as.sort.keys = ARENA_ARRAY(arena, PhysSortKey, 2);
    node->as.sort.keys[1].ordinal = 1;
    node->as.sort.limit = 100;
    bench(name, node, NULL, &in);
}

static void sort_numbers(void) {
    sort_any("sort_numbers", false, false);
}
static void sort_text(void) {
    sort_any("sort_text", true, false);
}
static void topn_numbers(void) {
    sort_any("topn_numbers", false, true);
}

static const struct {
    const char *name;
    void (*run)(void);
} shapes[] = {
    {"group_ordered", group_ordered}, {"group_random", group_random},
    {"group_unique", group_unique},   {"group_100k", group_hundred_thousand},
    {"group_1k", group_thousand},     {"group_text", group_text},
    {"group_few", group_few},         {"join_inner", join_inner},
    {"join_small", join_small},       {"join_fanout", join_fanout},
    {"join_semi", join_semi},         {"join_full", join_full},
    {"sort_numbers", sort_numbers},   {"sort_text", sort_text},
    {"topn_numbers", topn_numbers},
};

static bool wanted(int argc, char **argv, int first, const char *name) {
    for (int i = first; i < argc; i++)
        if (strcmp(argv[i], name) == 0) return true;
    return first >= argc;
}

int main(int argc, char **argv) {
    int i = 1;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--plain") == 0)
            encrypt = false;
        else if (i + 1 == argc)
            die("an option needs a value", NULL);
        else if (strcmp(argv[i], "--threads") == 0)
            threads = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--repeat") == 0)
            repeat = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--rows") == 0)
            scale = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--memory") == 0)
            memory = strtoll(argv[++i], NULL, 10);
        else
            die("unknown option", NULL);
    }
    if (threads < 1 || threads > 256) die("--threads 1..256", NULL);
    for (size_t s = 0; s < COUNT_OF(shapes); s++) {
        if (!wanted(argc, argv, i, shapes[s].name)) continue;
        arena = arena_new(NULL);
        shapes[s].run();
        arena_free(arena);
    }
    return 0;
}
