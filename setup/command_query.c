/*
 * command_query.c - `tributary query`, `explain` and `settings`: SQL in, rows out.
 *
 * A script's statements share one session, so that USE and SET SESSION hold for those behind them. The
 * first failure ends the script.
 */
#include <errno.h>
#include <unistd.h>

#include "engine/base/os.h"
#include "setup/command.h"

#define SCRIPT_MAX ((size_t)64 << 20)

/* ---------------------------------------------------------------- where the SQL comes from */

static Status read_stdin(Arena *arena, Str *out, Error *err) {
    Buf text;
    buf_init(&text, arena, SCRIPT_MAX);
    for (;;) {
        char *room = buf_reserve(&text, 65536);
        if (!room) return buf_status(&text, err);
        ssize_t got = read(STDIN_FILENO, room, 65536);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_errno(err, ERR_GENERAL, errno, "standard input cannot be read");
        if (got == 0) break;
        text.len += (size_t)got;
    }
    *out = buf_view(&text);
    return TRIB_OK;
}

static Status read_script(const Invocation *self, Str *out, Error *err) {
    if (self->file && strcmp(self->file, "-") != 0)
        return os_read_file(self->arena, self->file, SCRIPT_MAX, out, err);
    if (self->file || strcmp(self->words[0], "-") == 0) return read_stdin(self->arena, out, err);
    *out = str_from(self->words[0]);
    return TRIB_OK;
}

static int script_of(const Invocation *self, Str *out) {
    if ((self->file != NULL) + self->nwords != 1) {
        fputs(
            self->nwords > 1
                ? "tributary: the SQL is one argument: put it in quotes\n"
                : "tributary: say which SQL: as an argument, by -f FILE, or - for standard input\n",
            stderr);
        return RESULT_USAGE;
    }
    Error err;
    if (read_script(self, out, &err) == TRIB_OK) return RESULT_OK;
    report_error(stderr, &err, STR(""), 1);
    return RESULT_USAGE;
}

/* ---------------------------------------------------------------- running a script */

static uint32_t newlines(const char *from, const char *to) {
    uint32_t count = 0;
    for (; from < to; from++) count += *from == '\n';
    return count;
}

typedef int (*Each)(Statement *statement, Str sql, uint32_t first_line, const Invocation *self);

static int each_statement(const Invocation *self, Session *session, Str script, Each each) {
    Statement *statement;
    Error err;
    if (statement_new(session, &statement, &err) != TRIB_OK) {
        report_error(stderr, &err, STR(""), 1);
        return RESULT_FAILED;
    }
    statement_set_warning_sink(statement, report_warning, NULL);
    size_t at = 0;
    uint32_t ran = 0;
    Str sql;
    int result = RESULT_OK;
    while (result == RESULT_OK && !run_interrupted() && engine_split_script(script, &at, &sql)) {
        sql = str_trim(sql);
        if (sql.len == 0) continue;
        ran++;
        result = each(statement, sql, 1 + newlines(script.data, sql.data), self);
    }
    statement_free(statement);
    if (ran == 0) fputs("tributary: there is no statement in the SQL\n", stderr);
    return ran == 0 ? RESULT_USAGE : result;
}

static int run_script(const Invocation *self, Str script, Each each) {
    Session *session;
    int result = invocation_open(self, &session);
    if (result != RESULT_OK) return result;
    run_catch_interrupts();
    result = each_statement(self, session, script, each);
    session_close(session);
    return result;
}

/* ---------------------------------------------------------------- query */

static int query_one(Statement *statement, Str sql, uint32_t first_line, const Invocation *self) {
    return run_statement(statement, sql, first_line, self->format);
}

int command_query(const Invocation *self) {
    Str script;
    int result = script_of(self, &script);
    return result == RESULT_OK ? run_script(self, script, query_one) : result;
}

/* ---------------------------------------------------------------- explain */

/* EXPLAIN stands on a line of its own, so that positions in the statement stay right. */
static int explain_one(Statement *statement, Str sql, uint32_t first_line, const Invocation *self) {
    const char *head = self->analyze ? "EXPLAIN ANALYZE"
                       : self->type  ? arena_printf(self->arena, "EXPLAIN (TYPE %s)", self->type)
                                     : "EXPLAIN";
    char *text = head ? arena_printf(self->arena, "%s\n" STR_FORMAT, head, STR_ARGS(sql)) : NULL;
    if (!text) {
        fputs("tributary: out of memory\n", stderr);
        return RESULT_FAILED;
    }
    return run_statement(statement, str_from(text), first_line - 1, OUTPUT_LINES);
}

int command_explain(const Invocation *self) {
    static const char *const types[] = {"logical", "physical", "remote"};
    bool known = self->type == NULL;
    for (size_t i = 0; i < COUNT_OF(types) && !known; i++)
        known = str_equal_fold(str_from(types[i]), str_from(self->type));
    if (!known) {
        fprintf(stderr, "tributary: unknown plan \"%s\": logical, physical or remote\n",
                self->type);
        return RESULT_USAGE;
    }
    Str script;
    int result = script_of(self, &script);
    return result == RESULT_OK ? run_script(self, script, explain_one) : result;
}

/* ---------------------------------------------------------------- settings */

int command_settings(const Invocation *self) {
    if (self->nwords > 1) {
        fputs("tributary: settings takes one pattern at most\n", stderr);
        return RESULT_USAGE;
    }
    Buf sql;
    buf_init(&sql, self->arena, SCRIPT_MAX);
    buf_text(&sql, "SHOW SESSION");
    if (self->nwords) {
        buf_text(&sql, " LIKE '");
        for (const char *c = self->words[0]; *c; c++) {
            if (*c == '\'') buf_char(&sql, '\'');
            buf_char(&sql, *c);
        }
        buf_char(&sql, '\'');
    }
    return run_script(self, buf_view(&sql), query_one);
}
