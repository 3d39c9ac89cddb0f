/*
 * mysql_bench.c - rows per second of the connector beside a plain libmariadb loop, in one run.
 *
 * Usage: mysql_bench CONNECTOR.so SCHEMA TABLE [repeats]; server and account from TRIB_TEST_MYSQL_HOST,
 * _PORT, _SOCKET, _USER, _PASSWORD. Each repeat reads the whole table three times: by a prepared
 * statement into bound buffers (what a careful client program does), by the connector on one
 * connection, and by the connector with two relaxed ranges on two threads. Prints seconds, CPU seconds,
 * rows per second and the ratio to the plain loop; medians at the end.
 */
#include <dlfcn.h>
#include <mysql.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "connectors/tributary_connector.h"
#include "engine/base/text.h"

#define REPEATS_MAX 31
#define COLUMNS_MAX 256
#define BUFFER      4096

static double wall(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const char *env(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

static void die(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

/* ---------------------------------------------------------------- a host */

static void *host_allocate(void *self, size_t bytes) {
    return malloc(bytes);
}
static void host_release(void *self, void *memory) {
    free(memory);
}
static bool host_charge(void *self, int64_t bytes) {
    return true;
}
static bool host_log_enabled(void *self, TribLogLevel level) {
    return false;
}
static void host_log(void *self, TribLogLevel level, const char *catalog, const char *text) {}
static int16_t host_zone(void *self, const char *name, size_t length) {
    return 0;
}
static const TribHost host = {.size = sizeof host,
                              .alloc = host_allocate,
                              .free = host_release,
                              .charge = host_charge,
                              .log_enabled = host_log_enabled,
                              .log = host_log,
                              .zone_id = host_zone};

static bool never_cancelled(TribCall *call) {
    return false;
}
static void *no_on_cancel(TribCall *call, void (*callback)(void *), void *context) {
    return NULL;
}
static void no_off_cancel(TribCall *call, void *handle) {}

static TribCall call_make(void) {
    return (TribCall){.size = sizeof(TribCall),
                      .host = &host,
                      .deadline_ns = INT64_MAX,
                      .cancelled = never_cancelled,
                      .on_cancel = no_on_cancel,
                      .off_cancel = no_off_cancel};
}

/* ---------------------------------------------------------------- the plain loop */

static uint64_t read_plain(const char *schema, const char *table) {
    MYSQL *mysql = mysql_init(NULL);
    char sql[512];
    if (!mysql_real_connect(
            mysql, env("TRIB_TEST_MYSQL_HOST", "127.0.0.1"), env("TRIB_TEST_MYSQL_USER", "root"),
            env("TRIB_TEST_MYSQL_PASSWORD", ""), NULL,
            (unsigned)strtoul(env("TRIB_TEST_MYSQL_PORT", "3306"), NULL, 10), NULL, 0)) {
        die("connect", mysql_error(mysql));
    }
    mysql_set_character_set(mysql, "utf8mb4");
    snprintf(sql, sizeof sql, "SELECT * FROM `%s`.`%s`", schema, table);
    MYSQL_STMT *statement = mysql_stmt_init(mysql);
    if (mysql_stmt_prepare(statement, sql, (unsigned long)strlen(sql)) ||
        mysql_stmt_execute(statement)) {
        die("plain loop", mysql_stmt_error(statement));
    }
    static char buffers[COLUMNS_MAX][BUFFER];
    static my_bool nulls[COLUMNS_MAX];
    static unsigned long lengths[COLUMNS_MAX];
    MYSQL_BIND binds[COLUMNS_MAX];
    uint32_t count = mysql_stmt_field_count(statement);
    const MYSQL_FIELD *fields = mariadb_stmt_fetch_fields(statement);
    if (count > COLUMNS_MAX) die("plain loop", "too many columns");
    memset(binds, 0, sizeof binds);
    for (uint32_t i = 0; i < count; i++) {
        binds[i] = (MYSQL_BIND){.buffer_type = fields[i].type,
                                .buffer = buffers[i],
                                .buffer_length = BUFFER,
                                .is_null = &nulls[i],
                                .length = &lengths[i]};
    }
    mysql_stmt_bind_result(statement, binds);
    uint64_t rows = 0;
    int result;
    while ((result = mysql_stmt_fetch(statement)) == 0) rows++;
    if (result != MYSQL_NO_DATA) die("plain loop", mysql_stmt_error(statement));
    mysql_stmt_close(statement);
    mysql_close(mysql);
    return rows;
}

/* ---------------------------------------------------------------- the connector */

typedef struct Subject {
    const TribConnector *connector;
    TribCatalog *catalog;
    TribPlan *plan;
} Subject;

static TribStatus plan_described(void *self, const TribTable *table, TribError *err) {
    Subject *subject = self;
    TribNode *nodes = calloc(table->ncolumns, sizeof *nodes);
    uint32_t *output = calloc(table->ncolumns, sizeof *output);
    TribCall call = call_make();
    if (!nodes || !output) die("plan", "no memory");
    for (uint32_t i = 0; i < table->ncolumns; i++) {
        nodes[i] = (TribNode){.kind = TRIB_NODE_COLUMN, .type = table->columns[i].type, .ref = i};
        output[i] = i;
    }
    TribOffer offer = {.size = sizeof offer,
                       .mode = TRIB_PUSHDOWN_EXACT,
                       .nnodes = table->ncolumns,
                       .nodes = nodes,
                       .ntables = 1,
                       .tables = &table,
                       .noutput = table->ncolumns,
                       .output = output,
                       .limit = -1};
    TribStatus status =
        subject->connector->plan(subject->catalog, &call, &offer, &subject->plan, err);
    free(nodes);
    free(output);
    return status;
}

static void subject_open(Subject *self, const char *path, const char *parallel, const char *schema,
                         const char *table) {
    TribError err;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) die("dlopen", dlerror());
    TribConnectorEntry entry = (TribConnectorEntry)dlsym(library, "trib_connector");
    if (!entry) die("dlsym", dlerror());
    self->connector = entry();
    TribOption options[] = {{"host", env("TRIB_TEST_MYSQL_HOST", "127.0.0.1"), 0, 0},
                            {"port", env("TRIB_TEST_MYSQL_PORT", "3306"), 0, 0},
                            {"user", env("TRIB_TEST_MYSQL_USER", "root"), 0, 0},
                            {"password", env("TRIB_TEST_MYSQL_PASSWORD", ""), 0, 0},
                            {"tls", "off", 0, 0},
                            {"parallel", parallel, 0, 0}};
    if (self->connector->open(&host, "bench", options, COUNT_OF(options), &self->catalog, &err) !=
        TRIB_OK) {
        die("open", err.message);
    }
    TribCall call = call_make();
    TribNames names = {.self = self, .described = plan_described};
    if (self->connector->describe_table(self->catalog, &call, schema, table, &names, &err) !=
        TRIB_OK) {
        die("describe", err.message);
    }
}

static void subject_close(Subject *self) {
    self->connector->plan_release(self->plan);
    self->connector->close(self->catalog);
}

typedef struct Reader {
    const Subject *subject;
    const TribSplit *split;
    uint64_t rows;
} Reader;

static void *reader_run(void *context) {
    Reader *self = context;
    const TribConnector *connector = self->subject->connector;
    TribCall call = call_make();
    TribError err;
    TribScan *scan;
    struct ArrowSchema schema;
    TribScanRequest request = {.size = sizeof request,
                               .plan = self->subject->plan,
                               .split = self->split,
                               .batch_rows = 2048,
                               .batch_bytes = 1 << 20};
    if (connector->scan_open(self->subject->catalog, &call, &request, &scan, &schema, &err) !=
        TRIB_OK) {
        die("scan_open", err.message);
    }
    for (;;) {
        TribBatch batch;
        if (connector->scan_next(scan, 2048, &batch, &err) != TRIB_OK)
            die("scan_next", err.message);
        if (!batch.array.release) break;
        self->rows += (uint64_t)batch.array.length;
        batch.array.release(&batch.array);
    }
    connector->scan_release(scan);
    return NULL;
}

static uint64_t read_connector(const Subject *subject, uint32_t wanted) {
    TribCall call = call_make();
    TribError err;
    const TribSplit *const *splits;
    uint32_t count;
    if (subject->connector->splits(subject->plan, &call, wanted, &splits, &count, &err) !=
        TRIB_OK) {
        die("splits", err.message);
    }
    Reader readers[64];
    pthread_t threads[64];
    uint64_t rows = 0;
    for (uint32_t i = 0; i < count && i < 64; i++) {
        readers[i] = (Reader){subject, splits[i], 0};
        pthread_create(&threads[i], NULL, reader_run, &readers[i]);
    }
    for (uint32_t i = 0; i < count && i < 64; i++) {
        pthread_join(threads[i], NULL);
        rows += readers[i].rows;
    }
    return rows;
}

/* ---------------------------------------------------------------- the table */

typedef struct Series {
    const char *name;
    double seconds[REPEATS_MAX], cpu[REPEATS_MAX];
    uint64_t rows;
} Series;

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values, int count) {
    double sorted[REPEATS_MAX];
    memcpy(sorted, values, sizeof *values * (size_t)count);
    qsort(sorted, (size_t)count, sizeof *sorted, by_value);
    return sorted[count / 2];
}

int main(int argc, char **argv) {
    if (argc < 4) die("usage", "mysql_bench CONNECTOR.so SCHEMA TABLE [repeats]");
    int repeats = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 3;
    if (repeats < 1 || repeats > REPEATS_MAX) repeats = 3;
    static Series series[] = {
        {.name = "plain loop"}, {.name = "connector"}, {.name = "connector, relaxed x 2"}};
    mysql_library_init(0, NULL, NULL);
    for (int r = 0; r < repeats; r++) {
        for (size_t s = 0; s < COUNT_OF(series); s++) {
            Subject subject;
            if (s) subject_open(&subject, argv[1], s == 1 ? "off" : "relaxed", argv[2], argv[3]);
            double wall_start = wall(), cpu_start = cpu();
            series[s].rows =
                s ? read_connector(&subject, s == 1 ? 1 : 2) : read_plain(argv[2], argv[3]);
            series[s].seconds[r] = wall() - wall_start;
            series[s].cpu[r] = cpu() - cpu_start;
            if (s) subject_close(&subject);
        }
    }
    double base = median(series[0].seconds, repeats);
    for (size_t s = 0; s < COUNT_OF(series); s++) {
        double seconds = median(series[s].seconds, repeats);
        printf("%-24s %8.3f s  cpu %7.3f s  %10.0f rows/s  %5.2f x\n", series[s].name, seconds,
               median(series[s].cpu, repeats), (double)series[s].rows / seconds, base / seconds);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("peak RSS %ld KiB, rows %llu\n", usage.ru_maxrss, (unsigned long long)series[1].rows);
    return 0;
}
