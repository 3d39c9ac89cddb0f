/*
 * run.c - one statement from its text to its rows on stdout.
 *
 * The engine works on its own threads; this one waits in steps of STEP_NS, draws the progress line on a
 * terminal and looks whether Ctrl-C was pressed. Memory does not grow with the result.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "engine/base/os.h"
#include "setup/output.h"

#define STEP_NS       INT64_C(200000000)
#define PROGRESS_FROM INT64_C(1000000000) /* shorter statements show no progress */

static volatile sig_atomic_t interrupts;

static void on_interrupt(int number) {
    if (interrupts++ > 0) _exit(RESULT_INTERRUPTED);
}

void run_catch_interrupts(void) {
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
}

bool run_interrupted(void) {
    return interrupts > 0;
}

/* ---------------------------------------------------------------- progress */

typedef struct Watch {
    Statement *statement;
    const Output *output; /* NULL until rows are expected */
    int64_t started_ns;
    bool terminal, drawn, cancelled;
} Watch;

static void human_count(char *out, size_t size, double count, const char *unit, double step) {
    static const char *const prefixes[] = {"", "k", "M", "G", "T"};
    size_t p = 0;
    while (count >= step && p + 1 < COUNT_OF(prefixes)) {
        count /= step;
        p++;
    }
    text_format(out, size, p ? "%.1f %s%s" : "%.0f %s%s", count, prefixes[p], unit);
}

static void watch_erase(Watch *self) {
    if (!self->drawn) return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    self->drawn = false;
}

static void watch_draw(Watch *self) {
    int64_t elapsed = os_now_ns() - self->started_ns;
    if (!self->terminal || elapsed < PROGRESS_FROM || (self->output && output_begun(self->output)))
        return;
    Progress progress;
    char rows[48], bytes[48], memory[48], spilled[64] = "", part[32] = "";
    statement_progress(self->statement, &progress);
    human_count(rows, sizeof rows, (double)progress.rows_read, "rows read", 1000);
    human_count(bytes, sizeof bytes, (double)progress.bytes_read, "B", 1024);
    human_count(memory, sizeof memory, (double)progress.memory_bytes, "B of memory", 1024);
    if (progress.spilled_bytes) {
        char size[40];
        human_count(size, sizeof size, (double)progress.spilled_bytes, "B spilled", 1024);
        text_format(spilled, sizeof spilled, ", %s", size);
    }
    if (progress.fraction >= 0)
        text_format(part, sizeof part, "%3.0f %%  ", progress.fraction * 100);
    fprintf(stderr, "\r\033[K%s%.1f s  %s (%s), %s%s", part, (double)elapsed / 1e9, rows, bytes,
            memory, spilled);
    fflush(stderr);
    self->drawn = true;
}

/* Waits for the step that was started. */
static Status watch_wait(Watch *self, Error *err) {
    bool done = false;
    while (!done) {
        TRY(statement_wait(self->statement, STEP_NS, &done, err));
        if (interrupts > 0 && !self->cancelled) {
            self->cancelled = true;
            statement_cancel(self->statement);
        }
        if (!done) watch_draw(self);
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

static Status fetch_all(Watch *watch, Output *output, Error *err) {
    for (;;) {
        TRY(statement_fetch_start(watch->statement, err));
        TRY(watch_wait(watch, err));
        const BatchView *batch = statement_batch(watch->statement);
        if (batch->rows == 0) return TRIB_OK;
        watch_erase(watch);
        TRY(output_batch(output, batch, err));
        if (interrupts > 0) return error_set(err, ERR_CANCELLED, "interrupted");
    }
}

static Status run_query(Watch *watch, OutputFormat format, Arena *arena, Error *err) {
    Output *output;
    TRY(output_new(arena, format, stdout, watch->statement, &output, err));
    watch->output = output;
    TRY(statement_execute_start(watch->statement, err));
    TRY(watch_wait(watch, err));
    TRY(fetch_all(watch, output, err));
    watch_erase(watch);
    TRY(output_end(output, err));
    if (watch->terminal && format == OUTPUT_TABLE)
        fprintf(stderr, "%.3f s\n", (double)(os_now_ns() - watch->started_ns) / 1e9);
    return TRIB_OK;
}

static Status run_other(Watch *watch, Error *err) {
    TRY(statement_execute_start(watch->statement, err));
    TRY(watch_wait(watch, err));
    watch_erase(watch);
    int64_t rows = statement_row_count(watch->statement);
    if (statement_kind(watch->statement) == STATEMENT_WRITE && rows >= 0)
        fprintf(stderr, "%lld row%s written\n", (long long)rows, rows == 1 ? "" : "s");
    return TRIB_OK;
}

static Status run(Watch *watch, Str sql, OutputFormat format, Arena *arena, Error *err) {
    TRY(statement_prepare_start(watch->statement, sql, err));
    TRY(watch_wait(watch, err));
    uint32_t parameters = statement_parameter_count(watch->statement);
    if (parameters) {
        (void)error_set(err, ERR_USING_CLAUSE,
                        "the statement has %u parameter%s (?) that nothing gives a value",
                        parameters, parameters == 1 ? "" : "s");
        return error_hint(err, "Write the values into the statement; parameters are for programs.");
    }
    if (statement_kind(watch->statement) == STATEMENT_QUERY)
        return run_query(watch, format, arena, err);
    return run_other(watch, err);
}

int run_statement(Statement *statement, Str sql, uint32_t first_line, OutputFormat format) {
    Watch watch = {
        .statement = statement, .started_ns = os_now_ns(), .terminal = isatty(STDERR_FILENO) == 1};
    Error err;
    error_clear(&err);
    Arena *arena = arena_new(NULL);
    Status status = arena ? run(&watch, sql, format, arena, &err) : error_out_of_memory(&err);
    watch_erase(&watch);
    fflush(stdout);
    statement_close(statement);
    arena_free(arena);
    if (status == TRIB_OK) return RESULT_OK;
    report_error(stderr, &err, sql, first_line);
    return interrupts > 0 ? RESULT_INTERRUPTED : RESULT_FAILED;
}
