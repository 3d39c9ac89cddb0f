/*
 * mysql_support.h - what the tests of the MySQL connector share: a catalog on the server of the
 * TRIB_TEST_MYSQL_ variables, a root-like connection beside it, and throw-away servers.
 *
 * Every failure ends the test. One thread, but where a test says otherwise.
 */
#ifndef TRIB_TESTS_MYSQL_SUPPORT_H
#define TRIB_TESTS_MYSQL_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <mysql.h>
#include <sys/types.h>

#include "tests/connectors/conform.h"

/* ---- a server */
typedef struct Server {
    const char *host, *user, *password;
    char port[8];
    char folder[128]; /* of a throw-away server; "" = not ours */
    pid_t pid;
    MYSQL *admin;
} Server;

extern Server main_server; /* of the variables; connected by main_server_open */
bool main_server_open(void);
/* Makes a throw-away server with more arguments (NULL-ended); false: mariadbd is not installed. */
bool server_start(Server *self, const char *const *arguments);
void server_kill(Server *self); /* kill -9 */
void server_stop(Server *self); /* and removes its folder */
void server_connect(Server *self);
void admin_run(Server *self, const char *sql);
int64_t admin_number(Server *self, const char *sql); /* the first value of the first row */
void admin_text(Server *self, const char *sql, char *out, size_t size); /* the same, as text */

/* ---- a catalog */
typedef struct Fixture {
    Arena *arena;
    TestHost host;
    TestCall call;
    Subject subject;
} Fixture;

#define OPTION(text, of) \
    { .name = (text), .value = (of) }

const TribConnector *mysql_connector(void);
/* Opens a catalog on the server with more options; they come last and win. */
void fixture_open(Fixture *self, const Server *server, const TribOption *more, uint32_t nmore);
void fixture_close(Fixture *self);
/* A column of a table of schema `test_db`, in the order of `id`, as EXPLAIN shows values. */
TribTable *fixture_table(Fixture *self, const char *name);
void expect_column(Fixture *self, const char *table, const char *column, const char *const *texts,
                   size_t count);
#define EXPECT_COLUMN(fixture, table, column, ...)                                  \
    expect_column((fixture), (table), (column), (const char *const[]){__VA_ARGS__}, \
                  COUNT_OF(((const char *const[]){__VA_ARGS__})))
/* Reading the column fails with this SQLSTATE, and the message or its hint contains the word. */
void expect_failure(Fixture *self, const char *table, const char *column, const char *sqlstate,
                    const char *word);
Ask ask_column(Fixture *self, const TribTable *table, const char *column);

/* ---- a scan in steps */
typedef struct Steps {
    TribPlan *plan;
    TribScan *scan;
    TribStatus status;
    TribError err;
    uint64_t rows;
} Steps;

void steps_open(Steps *self, Fixture *f, const Ask *what); /* status says how it went */
/* One batch; false: the end, or an error (status). */
bool steps_next(Steps *self, Fixture *f);
void steps_close(Steps *self, Fixture *f);

#endif
