/*
 * runner.c - runs .test files in sqllogictest form over the engine's API, in several ways of execution.
 *
 * usage: runner [--config FILE] [--combinations all|two|one|NAME[,NAME]] [--results FILE] [--without WHAT]
 *               [--limit SECONDS] [--jobs N] [--faults N] [--update] [--verbose] FILE ...
 *
 * --faults N (needs --enable-faults): each query is asked N times more, each time with another allocation, read
 * or write of spilled rows failing. It must give its rows or say so, and give its rows when asked again.
 *
 * Records are separated by blank lines; a line that begins with '#' is a comment.
 *   statement ok | statement count N
 *   statement error TEXT      TEXT is a part of "SQLSTATE: message (line:column) detail hint", or a /regex/
 *   query TYPES [nosort|rowsort|valuesort [LABEL]]
 *   SQL
 *   ----
 *   expected rows, tabs between values (or one value per line), or "N values hashing to MD5"
 *       TYPES: a letter per column: I integer, D decimal, R floating point or decimal, B boolean, T other,
 *       ? any. NULL is NULL, an empty text (empty), control characters are \xNN, bytes are hex digits.
 *       Records of one LABEL must have the same rows.
 *   types                     SQL, ----, then "name type" for each column; nothing is executed
 *   plan                      SQL of an EXPLAIN, ----, its lines; --update writes them into the file
 *   config [TEXT]             the lines below are the session's configuration (TEXT: it is refused with that)
 *   set NAME VALUE            a session setting
 *   onlyif WHAT, skipif WHAT  the next record is (not) for exact, off, verify, spilled, buffered, threads1,
 *                             without (a rule), or a combination
 *   require WHAT              leaves the file out where --without WHAT was given (mysql)
 *   warn TEXT                 the next record must give a warning with this text
 *   param null | integer N | double X | varchar TEXT   values of the next record's markers, in order
 *   halt                      ends the file
 *
 * Expected rows are worked out from the documented meaning of the statements, never copied from our output.
 * Each file runs in each combination in a process of its own, so that tables in memory, crashes and hangs
 * stay there. Exit status 1 if anything failed.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/number.h"
#include "engine/base/os.h"
#include "tests/sql/records.h"

/* Every way to run a script: push-down x memory x threads, then each optimiser rule switched off. */
static const Combination combinations[] = {
    {"exact-memory-2", "exact", "2", .spilled = false},
    {"off-spilled-8", "off", "8", .spilled = true},
    {"exact-memory-1", "exact", "1", .spilled = false},
    {"exact-memory-8", "exact", "8", .spilled = false},
    {"exact-spilled-1", "exact", "1", .spilled = true},
    {"exact-spilled-2", "exact", "2", .spilled = true},
    {"exact-spilled-8", "exact", "8", .spilled = true},
    {"off-memory-1", "off", "1", .spilled = false},
    {"off-memory-2", "off", "2", .spilled = false},
    {"off-memory-8", "off", "8", .spilled = false},
    {"off-spilled-1", "off", "1", .spilled = true},
    {"off-spilled-2", "off", "2", .spilled = true},
    {"verify-memory-1", "verify", "1", .spilled = false},
    {"verify-memory-2", "verify", "2", .spilled = false},
    {"verify-memory-8", "verify", "8", .spilled = false},
    {"verify-spilled-1", "verify", "1", .spilled = true},
    {"verify-spilled-2", "verify", "2", .spilled = true},
    {"verify-spilled-8", "verify", "8", .spilled = true},
    {"exact-buffered-2", "exact", "2", .spilled = true, .buffered = true},
#define REQUIRED_RULE(name, help)
#define RULE(name, help) {"without-" #name, "exact", "2", .disabled_rules = #name},
#include "engine/optimise/rules.def"
#define REQUIRED_RULE(name, help)
#define RULE(name, help) #name ","
    {"without-rules", "exact", "2", .disabled_rules =
#include "engine/optimise/rules.def"
    },
#define REQUIRED_RULE(name, help)
#define RULE(name, help) #name ","
    {"off-without-rules", "off", "1", .disabled_rules =
#include "engine/optimise/rules.def"
    },
};

enum { MOST_JOBS = 16 };

typedef struct Job {
    pid_t pid; /* 0: free */
    const char *path;
    const Combination *combination;
    int output, counts;
    int64_t deadline_ns;
    bool overdue;
} Job;

typedef struct Runner {
    RunOptions options;
    FILE *results;
    int64_t limit_s, jobs;
    bool chosen[COUNT_OF(combinations)];
    Job job[MOST_JOBS];
    uint32_t passed, failed, skipped, records;
} Runner;

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void tell(Runner *self, const Job *job, const char *kind, const char *why) {
    char line[512];
    text_format(line, sizeof line, "%s %s %s%s%s%s", kind, base_name(job->path),
                job->combination->name, *why ? " (" : "", why, *why ? ")" : "");
    puts(line);
    if (self->results) {
        fprintf(self->results, "%s\n", line);
        fflush(self->results);
    }
}

/* A file without a name for what a child writes. */
static int scratch(void) {
    char path[] = "/tmp/tributary-runner-XXXXXX";
    int file = mkostemp(path, O_CLOEXEC);
    if (file >= 0) unlink(path);
    return file;
}

static void job_start(Runner *self, Job *job, const char *path, const Combination *combination) {
    *job = (Job){.path = path,
                 .combination = combination,
                 .output = scratch(),
                 .counts = scratch(),
                 .deadline_ns = os_now_ns() + self->limit_s * INT64_C(1000000000)};
    fflush(NULL);
    job->pid = job->output < 0 || job->counts < 0 ? -1 : fork();
    if (job->pid < 0) {
        perror("runner");
        exit(2);
    }
    if (job->pid > 0) return;
    RunCounts counts;
    dup2(job->output, STDOUT_FILENO);
    dup2(job->output, STDERR_FILENO);
    file_run(path, combination, &self->options, &counts);
    fflush(stdout);
    bool told = write(job->counts, &counts, sizeof counts) == (ssize_t)sizeof counts;
    exit(told && counts.failed == 0 ? 0 : 1); /* exit, so that leaks are looked for */
}

static void output_copy(int file) {
    char chunk[8192];
    ssize_t got;
    lseek(file, 0, SEEK_SET);
    while ((got = read(file, chunk, sizeof chunk)) > 0) fwrite(chunk, 1, (size_t)got, stdout);
    close(file);
}

static void job_judge(Runner *self, const Job *job, int status, const RunCounts *counts,
                      bool told) {
    char why[128] = "";
    if (job->overdue)
        text_format(why, sizeof why, "not done after %lld s", (long long)self->limit_s);
    else if (WIFSIGNALED(status))
        text_format(why, sizeof why, "ended by signal %d", WTERMSIG(status));
    else if (!told)
        text_format(why, sizeof why, "ended with status %d", WEXITSTATUS(status));
    else if (counts->failed)
        text_format(why, sizeof why, "%u of %u records", counts->failed,
                    counts->passed + counts->failed);
    else if (WEXITSTATUS(status))
        text_format(why, sizeof why, "ended with status %d", WEXITSTATUS(status));
    self->records += counts->passed + counts->failed;
    if (*why) {
        self->failed++;
        tell(self, job, "fail", why);
    } else if (counts->skipped[0]) {
        self->skipped++;
        tell(self, job, "skip", counts->skipped);
    } else {
        self->passed++;
        tell(self, job, "pass", "");
    }
}

static void job_end(Runner *self, Job *job, int status) {
    RunCounts counts = {0};
    lseek(job->counts, 0, SEEK_SET);
    bool told = read(job->counts, &counts, sizeof counts) == (ssize_t)sizeof counts;
    close(job->counts);
    output_copy(job->output);
    job_judge(self, job, status, &counts, told);
    job->pid = 0;
}

/* Ends what is over; false when no job runs. */
static bool jobs_look(Runner *self) {
    bool running = false;
    for (int64_t i = 0; i < self->jobs; i++) {
        Job *job = &self->job[i];
        int status;
        if (job->pid == 0) continue;
        if (waitpid(job->pid, &status, WNOHANG) == job->pid) {
            job_end(self, job, status);
            continue;
        }
        running = true;
        if (!job->overdue && os_now_ns() > job->deadline_ns) {
            job->overdue = true;
            kill(job->pid, SIGKILL);
        }
    }
    return running;
}

static Job *job_free(Runner *self) {
    for (;;) {
        for (int64_t i = 0; i < self->jobs; i++) {
            if (self->job[i].pid == 0) return &self->job[i];
        }
        (void)jobs_look(self);
        usleep(2000);
    }
}

/* ---------------------------------------------------------------- command line */

static void choose(Runner *self, const char *list) {
    Str rest = str_from(list);
    if (str_equal(rest, STR("all"))) {
        for (size_t i = 0; i < COUNT_OF(combinations); i++) self->chosen[i] = true;
        return;
    }
    if (str_equal(rest, STR("two")) || str_equal(rest, STR("one"))) {
        self->chosen[0] = true;
        self->chosen[1] = str_equal(rest, STR("two"));
        return;
    }
    while (rest.len) {
        const char *comma = memchr(rest.data, ',', rest.len);
        Str name = {rest.data, comma ? (size_t)(comma - rest.data) : rest.len};
        size_t i = 0;
        while (i < COUNT_OF(combinations) && !str_equal(name, str_from(combinations[i].name))) i++;
        if (i == COUNT_OF(combinations)) {
            fprintf(stderr, "runner: there is no combination " STR_FORMAT "\n", STR_ARGS(name));
            exit(2);
        }
        self->chosen[i] = true;
        rest = comma ? (Str){comma + 1, rest.len - name.len - 1} : STR("");
    }
}

static void usage(void) {
    fputs(
        "usage: runner [--config FILE] [--combinations all|two|one|NAME,...] [--results FILE] "
        "[--without WHAT]\n"
        "              [--limit SECONDS] [--jobs N] [--faults N] [--update] [--verbose] FILE ...\n",
        stderr);
    exit(2);
}

static int64_t number_of(const char *text) {
    int64_t value = 0;
    if (int64_parse(str_from(text), &value) != NUMBER_OK || value < 1) usage();
    return value;
}

static int options_take(Runner *self, int argc, char **argv) {
    const char *list = "all", *results = NULL;
    int at = 1;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        Str name = str_from(argv[at] + 2);
        if (str_equal(name, STR("verbose")))
            self->options.verbose = true;
        else if (str_equal(name, STR("update")))
            self->options.update = true;
        else if (at + 1 == argc)
            usage();
        else if (str_equal(name, STR("config")))
            self->options.config = argv[++at];
        else if (str_equal(name, STR("combinations")))
            list = argv[++at];
        else if (str_equal(name, STR("results")))
            results = argv[++at];
        else if (str_equal(name, STR("without")))
            self->options.without = argv[++at];
        else if (str_equal(name, STR("limit")))
            self->limit_s = number_of(argv[++at]);
        else if (str_equal(name, STR("jobs")))
            self->jobs = number_of(argv[++at]);
        else if (str_equal(name, STR("faults")))
            self->options.faults = (uint32_t)number_of(argv[++at]);
        else
            usage();
    }
    choose(self, self->options.update ? "one" : list);
    if (self->jobs > MOST_JOBS) self->jobs = MOST_JOBS;
    if (results && (self->results = fopen(results, "a")) == NULL) {
        perror(results);
        exit(2);
    }
#ifndef TRIB_FAULTS
    if (self->options.faults) {
        fputs("runner: --faults needs a build with --enable-faults\n", stderr);
        exit(2);
    }
#endif
    if (at == argc) usage();
    return at;
}

int main(int argc, char **argv) {
    const char *variable = os_env("TRIBUTARY_CONFIG");
    static Runner runner;
    runner = (Runner){
        .options = {.config = variable ? variable : ""}, .limit_s = 120, .jobs = os_cores()};
    for (int at = options_take(&runner, argc, argv); at < argc; at++) {
        for (size_t i = 0; i < COUNT_OF(combinations); i++) {
            if (runner.chosen[i]) job_start(&runner, job_free(&runner), argv[at], &combinations[i]);
        }
    }
    while (jobs_look(&runner)) usleep(2000);
    printf("%u passed, %u failed, %u skipped (%u records)\n", runner.passed, runner.failed,
           runner.skipped, runner.records);
    if (runner.results) fclose(runner.results);
    return runner.failed != 0;
}
