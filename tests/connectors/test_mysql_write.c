/*
 * test_mysql_write.c - writing through the MySQL connector: what goes wrong between two transactions, or between
 * a transaction and its server, and values that are hard to carry.
 *
 * Transactions are driven as the engine drives them: a mark before each statement, back to it when that fails.
 * Statements whose text matters are tests/sql/write_mysql.test's.
 */
#include "tests/connectors/test_mysql.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "connectors/support/batch_builder.h"
#include "engine/base/os.h"

static const TribOption writing[] = {OPTION("mode", "readwrite")};

/* ---------------------------------------------------------------- transactions, as the engine drives them */

/* A transaction, and a call of its own: several are open side by side. */
typedef struct Party {
    Fixture *fixture;
    TestCall call;
    TribTx *tx;
    TribStatus status;
    TribError err;
} Party;

static const TribConnector *of(const Party *self) {
    return self->fixture->subject.connector;
}

static void party_begin(Party *self, Fixture *fixture, TribIsolation isolation) {
    TribTxRequest request = {.size = sizeof request, .isolation = isolation};
    *self = (Party){.fixture = fixture};
    test_call_init(&self->call, &fixture->host);
    self->status = of(self)->tx_begin(fixture->subject.catalog, &self->call.call, &request,
                                      &self->tx, &self->err);
    if (self->status != TRIB_OK) fail_msg("%s", self->err.message);
    self->call.call.transaction = self->tx;
}

static void party_mark(Party *self, TribMark mark) {
    TribError err;
    TribStatus status = of(self)->tx_mark(self->tx, &self->call.call, mark, &err);
    if (status != TRIB_OK && self->status == TRIB_OK) {
        self->status = status;
        self->err = err;
    }
}

static void party_end(Party *self, bool commit) {
    self->call.call.transaction = NULL;
    self->status = of(self)->tx_end(self->tx, &self->call.call, commit, &self->err);
    test_call_clear(&self->call);
}

static void expect_state(const Party *self, const char *sqlstate) {
    const char *got = self->status == TRIB_OK ? "00000" : self->err.sqlstate;
    if (strcmp(got, sqlstate) != 0)
        fail_msg("SQLSTATE %s instead of %s: %s", got, sqlstate,
                 self->status == TRIB_OK ? "" : self->err.message);
}

static TribValue integer_value(int64_t value) {
    return (TribValue){.type = {.id = TRIB_TYPE_INTEGER}, .as.integer = value};
}

/* UPDATE test_db.rows SET v = value WHERE id = id, as one statement. */
static void party_update(Party *self, const TribTable *table, int64_t id, int64_t value) {
    TribType integer = {.id = TRIB_TYPE_INTEGER}, boolean = {.id = TRIB_TYPE_BOOLEAN};
    TribNode nodes[] = {{.kind = TRIB_NODE_COLUMN, .type = integer},
                        {.kind = TRIB_NODE_LITERAL, .type = integer, .ref = 0},
                        {.kind = TRIB_NODE_CALL, .op = TRIB_FN_eq, .type = boolean, .count = 2},
                        {.kind = TRIB_NODE_LITERAL, .type = integer, .ref = 1}};
    TribValue values[] = {integer_value(id), integer_value(value)};
    uint32_t conjunct = 2;
    TribAssignment assignment = {.column = 1, .node = 3};
    TribModify modify = {.size = sizeof modify,
                         .table = table,
                         .nnodes = COUNT_OF(nodes),
                         .nodes = nodes,
                         .nvalues = COUNT_OF(values),
                         .values = values,
                         .nconjuncts = 1,
                         .conjuncts = &conjunct,
                         .nassignments = 1,
                         .assignments = &assignment,
                         .transaction = self->tx};
    self->status = TRIB_OK;
    party_mark(self, TRIB_MARK_SET);
    if (self->status == TRIB_OK)
        self->status =
            of(self)->modify(self->fixture->subject.catalog, &self->call.call, &modify, &self->err);
    if (self->status == TRIB_OK) {
        assert_int_equal(modify.verdict.kind, TRIB_EXACT);
        assert_int_equal(modify.rows, 1);
    }
    party_mark(self, self->status == TRIB_OK ? TRIB_MARK_KEEP : TRIB_MARK_GO_BACK);
}

/* Rows of two columns into a table: integers, and whatever `second` holds. */
static void party_insert(Party *self, const TribTable *table, uint32_t count, const int64_t *ids,
                         const TribValue *second) {
    static const uint32_t columns[] = {0, 1};
    TribType types[] = {table->columns[0].type, table->columns[1].type};
    TribWriteRequest request = {.size = sizeof request,
                                .kind = TRIB_WRITE_INSERT,
                                .table = table,
                                .ncolumns = 2,
                                .columns = columns,
                                .transaction = self->tx};
    TribWriter *writer = NULL;
    BatchBuilder *builder;
    TribBatch batch;
    uint64_t rows = 0;
    Error err;
    assert_int_equal(
        batch_builder_new(&self->fixture->host.host, types, 2, 4096, 1 << 28, &builder, &err),
        TRIB_OK);
    assert_int_equal(batch_begin(builder, &err), TRIB_OK);
    for (uint32_t i = 0; i < count; i++) {
        TribValue id = integer_value(ids[i]);
        assert_int_equal(batch_value(builder, 0, i, &id, &err), TRIB_OK);
        assert_int_equal(batch_value(builder, 1, i, &second[i], &err), TRIB_OK);
        batch_row_done(builder);
    }
    batch_finish(builder, &batch);
    self->status = TRIB_OK;
    party_mark(self, TRIB_MARK_SET);
    if (self->status == TRIB_OK)
        self->status = of(self)->write_open(self->fixture->subject.catalog, &self->call.call,
                                            &request, &writer, &self->err);
    if (writer) {
        self->status = of(self)->write_batch(writer, &batch, &self->err);
        bool good = self->status == TRIB_OK;
        TribStatus closed = of(self)->write_close(writer, good, &rows, good ? &self->err : &err);
        if (good) self->status = closed;
        if (self->status == TRIB_OK) assert_int_equal(rows, count);
    }
    party_mark(self, self->status == TRIB_OK ? TRIB_MARK_KEEP : TRIB_MARK_GO_BACK);
    batch.array.release(&batch.array);
    batch_builder_free(builder);
}

static void party_insert_one(Party *self, const TribTable *table, int64_t id, int64_t value) {
    TribValue v = integer_value(value);
    party_insert(self, table, 1, &id, &v);
}

/* What the transaction sees of rows.v, in the order of id. */
static int64_t party_sum(Party *self, const TribTable *table) {
    Answer answer;
    Subject subject = self->fixture->subject;
    subject.call = &self->call;
    Ask what = ask_column(self->fixture, table, "v");
    int64_t sum = 0;
    ask(&subject, self->fixture->arena, &what, &answer);
    if (answer.status != TRIB_OK) fail_msg("%s", answer.err.message);
    for (size_t r = 0; r < answer.rows.count; r++) sum += rows_at(&answer.rows, r)[1].as.integer;
    return sum;
}

static TribTable *make_rows(Fixture *f) {
    admin_run(&main_server,
              "CREATE OR REPLACE TABLE test_db.changed (id INT PRIMARY KEY, v INT) ENGINE=InnoDB");
    admin_run(&main_server, "INSERT INTO test_db.changed VALUES (1, 10), (2, 20)");
    return fixture_table(f, "changed");
}

static int64_t stored(const char *what) {
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT %s FROM test_db.changed", what);
    return admin_number(&main_server, sql);
}

/* ---------------------------------------------------------------- two transactions */

static void test_isolation(void **state) {
    static const struct {
        TribIsolation level;
        int64_t before,
            after; /* a commit of somebody else; before: what it has not committed yet */
    } levels[] = {{TRIB_READ_UNCOMMITTED, 35, 35},
                  {TRIB_READ_COMMITTED, 30, 35},
                  {TRIB_REPEATABLE_READ, 30, 30}};
    for (size_t i = 0; i < COUNT_OF(levels); i++) {
        Fixture f;
        Party reader, writer;
        fixture_open(&f, &main_server, writing, COUNT_OF(writing));
        TribTable *table = make_rows(&f);
        party_begin(&reader, &f, levels[i].level);
        assert_int_equal(party_sum(&reader, table), 30);
        party_begin(&writer, &f, TRIB_REPEATABLE_READ);
        party_update(&writer, table, 1, 15);
        expect_state(&writer, "00000");
        assert_int_equal(party_sum(&writer, table), 35); /* its own */
        assert_int_equal(party_sum(&reader, table), levels[i].before);
        party_end(&writer, true);
        assert_int_equal(party_sum(&reader, table), levels[i].after);
        party_end(&reader, false);
        fixture_close(&f);
    }
}

/* Who waits too long fails alone; the transaction goes on. */
static void test_lock_timeout(void **state) {
    static const TribOption hasty[] = {OPTION("mode", "readwrite"), OPTION("lock_timeout", "1000")};
    Fixture f;
    Party first, second;
    fixture_open(&f, &main_server, hasty, COUNT_OF(hasty));
    TribTable *table = make_rows(&f);
    party_begin(&first, &f, TRIB_REPEATABLE_READ);
    party_begin(&second, &f, TRIB_REPEATABLE_READ);
    party_update(&first, table, 1, 11);
    party_insert_one(&second, table, 3, 30);
    party_update(&second, table, 1, 12);
    expect_state(&second, "HYT00");
    party_update(&second, table, 2, 22);
    expect_state(&second, "00000");
    party_end(&first, true);
    party_end(&second, true);
    expect_state(&second, "00000");
    assert_int_equal(stored("SUM(v)"), 11 + 22 + 30);
    fixture_close(&f);
}

typedef struct Update {
    Party *party;
    const TribTable *table;
    int64_t id, value;
} Update;

static void *update_run(void *context) {
    const Update *self = context;
    party_update(self->party, self->table, self->id, self->value);
    return NULL;
}

/* The server undoes the whole transaction of the victim, which must never commit what comes afterwards. */
static void test_deadlock(void **state) {
    static const TribOption patient[] = {OPTION("mode", "readwrite")};
    Fixture f;
    Party parties[2];
    pthread_t thread;
    fixture_open(&f, &main_server, patient, 1);
    TribTable *table = make_rows(&f);
    for (int i = 0; i < 2; i++) {
        party_begin(&parties[i], &f, TRIB_REPEATABLE_READ);
        party_insert_one(&parties[i], table, 10 + i, 0);
        party_update(&parties[i], table, 1 + i, 100 + i);
        expect_state(&parties[i], "00000");
    }
    Update crossed = {&parties[0], table, 2, 200};
    pthread_create(&thread, NULL, update_run, &crossed);
    party_update(&parties[1], table, 1, 201);
    pthread_join(thread, NULL);
    int victim = parties[0].status == TRIB_OK;
    expect_state(&parties[victim], "40001");
    expect_state(&parties[!victim], "00000");
    party_insert_one(&parties[victim], table, 50, 50);
    expect_state(&parties[victim], "40001");
    party_end(&parties[victim], true);
    expect_state(&parties[victim], "40001");
    party_end(&parties[!victim], true);
    expect_state(&parties[!victim], "00000");
    assert_int_equal(stored("COUNT(*)"), 3);
    assert_int_equal(stored("SUM(v)"), victim ? 300 : 302);
    fixture_close(&f);
}

/* ---------------------------------------------------------------- a transaction and its server */

static int64_t connection_of(const char *user) {
    char sql[200];
    snprintf(sql, sizeof sql,
             "SELECT MAX(id) FROM information_schema.processlist WHERE user = '%s'", user);
    return admin_number(&main_server, sql);
}

static Server user_open(const char *name) {
    char sql[200];
    Server user = main_server;
    snprintf(sql, sizeof sql, "CREATE OR REPLACE USER %s@'%%' IDENTIFIED BY 'secret'", name);
    admin_run(&main_server, sql);
    snprintf(sql, sizeof sql, "GRANT ALL ON test_db.* TO %s@'%%'", name);
    admin_run(&main_server, sql);
    user.user = name;
    user.password = "secret";
    return user;
}

static void test_killed(void **state) {
    Server user = user_open("tx_kill_test");
    Fixture f;
    Party party;
    char sql[60];
    fixture_open(&f, &user, writing, COUNT_OF(writing));
    TribTable *table = make_rows(&f);
    party_begin(&party, &f, TRIB_REPEATABLE_READ);
    party_insert_one(&party, table, 3, 30);
    expect_state(&party, "00000");
    snprintf(sql, sizeof sql, "KILL %lld", (long long)connection_of(user.user));
    admin_run(&main_server, sql);
    party_insert_one(&party, table, 4, 40);
    expect_state(&party, "08S01");
    party_update(&party, table, 1, 11);
    expect_state(&party, "08S01");
    party_end(&party, true);
    expect_state(&party, "08S01");
    assert_int_equal(stored("COUNT(*)"), 2);
    party_begin(&party, &f, TRIB_REPEATABLE_READ); /* with a new connection */
    party_insert_one(&party, table, 5, 50);
    party_end(&party, true);
    expect_state(&party, "00000");
    assert_int_equal(stored("COUNT(*)"), 3);
    fixture_close(&f);
}

/* A scan that ends early, or that the server ends, leaves its transaction alive. */
static void test_scans_inside(void **state) {
    Server user = user_open("tx_scan_test");
    for (int killed = 0; killed < 2; killed++) {
        Fixture f;
        Party party;
        Steps steps;
        char sql[60];
        fixture_open(&f, &user, writing, COUNT_OF(writing));
        TribTable *table = make_rows(&f);
        admin_run(&main_server, "CREATE OR REPLACE TABLE test_db.many AS SELECT seq AS id, "
                                "REPEAT('x', 200) AS v FROM seq_1_to_200000");
        TribTable *many = fixture_table(&f, "many");
        party_begin(&party, &f, TRIB_REPEATABLE_READ);
        party_insert_one(&party, table, 3, 30);
        f.call.call.transaction = party.tx;
        Ask what = ask_column(&f, many, "v");
        steps_open(&steps, &f, &what);
        if (steps.status != TRIB_OK) fail_msg("%s", steps.err.message);
        assert_true(steps_next(&steps, &f));
        if (killed) {
            snprintf(sql, sizeof sql, "KILL QUERY %lld", (long long)connection_of(user.user));
            admin_run(&main_server, sql);
            while (steps_next(&steps, &f)) continue;
            assert_int_not_equal(steps.status, TRIB_OK);
        }
        steps_close(&steps, &f);
        f.call.call.transaction = NULL;
        party_insert_one(&party, table, 4, 40);
        expect_state(&party, "00000");
        party_end(&party, true);
        expect_state(&party, "00000");
        assert_int_equal(stored("SUM(v)"), 100);
        fixture_close(&f);
    }
}

static void *cancel_later(void *context) {
    usleep(200000);
    test_call_cancel(context);
    return NULL;
}

/* Cancelling while a lock is awaited gives up the connection, and with it the transaction. */
static void test_cancelled(void **state) {
    static const TribOption patient[] = {OPTION("mode", "readwrite")};
    Fixture f;
    Party first, second;
    pthread_t thread;
    fixture_open(&f, &main_server, patient, 1);
    TribTable *table = make_rows(&f);
    party_begin(&first, &f, TRIB_REPEATABLE_READ);
    party_begin(&second, &f, TRIB_REPEATABLE_READ);
    party_update(&first, table, 1, 11);
    party_insert_one(&second, table, 3, 30);
    int64_t start = os_now_ns();
    pthread_create(&thread, NULL, cancel_later, &second.call);
    party_update(&second, table, 1, 12);
    pthread_join(thread, NULL);
    expect_state(&second, "HY008");
    assert_true(os_now_ns() - start < INT64_C(20000000000)); /* of the 50 s that the server waits */
    party_end(&second, true);
    assert_int_not_equal(second.status, TRIB_OK);
    party_end(&first, true);
    expect_state(&first, "00000");
    assert_int_equal(stored("SUM(v)"), 31);
    fixture_close(&f);
}

/* ---------------------------------------------------------------- what may not be written to */

/* Refused before a connection is tried: nobody listens there. */
static void test_read_only(void **state) {
    static const TribOption nobody[] = {OPTION("port", "1")};
    Fixture f;
    TribTx *tx;
    TribWriter *writer;
    TribError err;
    TribColumn column = {.name = "a", .type = {.id = TRIB_TYPE_INTEGER}};
    TribTable table = {.size = sizeof table,
                       .schema = "test_db",
                       .name = "t",
                       .ncolumns = 1,
                       .columns = &column,
                       .writable = true};
    uint32_t columns[] = {0};
    TribTxRequest begin = {.size = sizeof begin, .isolation = TRIB_REPEATABLE_READ};
    TribDdl ddl = {.size = sizeof ddl,
                   .kind = TRIB_DDL_CREATE_TABLE,
                   .schema = "test_db",
                   .name = "t",
                   .table = &table};
    TribWriteRequest insert = {.size = sizeof insert,
                               .kind = TRIB_WRITE_INSERT,
                               .table = &table,
                               .ncolumns = 1,
                               .columns = columns};
    TribModify delete = {.size = sizeof delete, .table = &table};
    fixture_open(&f, &main_server, nobody, 1);
    const TribConnector *c = f.subject.connector;
    for (int i = 0; i < 4; i++) {
        TribStatus status =
            i == 0   ? c->tx_begin(f.subject.catalog, &f.call.call, &begin, &tx, &err)
            : i == 1 ? c->ddl(f.subject.catalog, &f.call.call, &ddl, &err)
            : i == 2 ? c->write_open(f.subject.catalog, &f.call.call, &insert, &writer, &err)
                     : c->modify(f.subject.catalog, &f.call.call, &delete, &err);
        error_check(&err, status, "shop");
        assert_string_equal(err.sqlstate, "25006");
    }
    fixture_close(&f);
}

static void test_engines(void **state) {
    static const char *const made[] = {
        "CREATE OR REPLACE TABLE test_db.loose (id INT PRIMARY KEY, v INT) ENGINE=MyISAM",
        "CREATE OR REPLACE VIEW test_db.loose AS SELECT 1 AS id, 2 AS v"};
    Fixture f;
    for (size_t i = 0; i < COUNT_OF(made); i++) {
        Party party;
        admin_run(&main_server, made[i]);
        fixture_open(&f, &main_server, writing, COUNT_OF(writing));
        TribTable *table = fixture_table(&f, "loose");
        assert_false(table->writable);
        party_begin(&party, &f, TRIB_REPEATABLE_READ);
        party_insert_one(&party, table, 1, 1);
        expect_state(&party, "HYC00");
        party_end(&party, true);
        expect_state(&party, "00000");
        fixture_close(&f);
        admin_run(&main_server, i == 0 ? "DROP TABLE test_db.loose" : "DROP VIEW test_db.loose");
    }
}

/* ---------------------------------------------------------------- values */

static TribValue text_value(uint8_t type, const char *data, size_t length) {
    return (TribValue){.type = {.id = type}, .as.text = {data, length}};
}

/* Both ways of sending; a value of megabytes, none at all, quotes, backslashes, NUL, four bytes in a character. */
static void test_large_values(void **state) {
    enum { COUNT = 7, LARGE = 5 * 1024 * 1024 };
    static const char *const ways[] = {"true", "false"};
    static const int64_t ids[COUNT] = {1, 2, 3, 4, 5, 6, 7};
    char *large = heap_alloc(LARGE);
    for (size_t i = 0; i < LARGE; i++) large[i] = (char)(i * 7919 >> 3);
    for (size_t w = 0; w < COUNT_OF(ways); w++) {
        const TribOption options[] = {OPTION("mode", "readwrite"), OPTION("bulk", ways[w])};
        Fixture f;
        Party party;
        Answer answer;
        admin_run(&main_server, "CREATE OR REPLACE TABLE test_db.large (id INT PRIMARY KEY, v "
                                "LONGBLOB) ENGINE=InnoDB");
        fixture_open(&f, &main_server, options, 2);
        TribTable *table = fixture_table(&f, "large");
        TribValue values[COUNT] = {
            text_value(TRIB_TYPE_VARBINARY, large, LARGE),
            text_value(TRIB_TYPE_VARBINARY, "", 0),
            {.type = {.id = TRIB_TYPE_VARBINARY}, .is_null = true},
            text_value(TRIB_TYPE_VARBINARY, "'\\'\";--", 7),
            text_value(TRIB_TYPE_VARBINARY, "a\0b\x1a\xff", 5),
            text_value(TRIB_TYPE_VARBINARY, "\xf0\x9f\x98\x80 and more than twelve bytes", 31),
            text_value(TRIB_TYPE_VARBINARY, large, LARGE - 1)};
        party_begin(&party, &f, TRIB_REPEATABLE_READ);
        party_insert(&party, table, COUNT, ids, values);
        expect_state(&party, "00000");
        party_end(&party, true);
        Ask what = ask_column(&f, table, "v");
        ask(&f.subject, f.arena, &what, &answer);
        assert_int_equal(answer.rows.count, COUNT);
        for (size_t r = 0; r < COUNT; r++) {
            const TribValue *row = rows_at(&answer.rows, r);
            const TribValue *sent = &values[row[0].as.integer - 1];
            assert_int_equal(row[1].is_null, sent->is_null);
            if (sent->is_null) continue;
            assert_int_equal(row[1].as.text.length, sent->as.text.length);
            assert_int_equal(memcmp(row[1].as.text.data, sent->as.text.data, sent->as.text.length),
                             0);
        }
        fixture_close(&f);
    }
    heap_free(large);
}

/* Requests are cut to what the server takes; a row beyond that is refused, and nothing else happens. The limit
 * is that of all users of the server. */
void test_packet_limit(void **state) {
    enum { COUNT = 40, EACH = 100000 };
    if (!spare_ready) skip();
    int64_t ids[COUNT];
    char *text = heap_alloc(COUNT * EACH);
    TribValue values[COUNT];
    memset(text, 'x', COUNT * EACH);
    for (int i = 0; i < COUNT; i++) {
        ids[i] = i;
        values[i] = text_value(TRIB_TYPE_VARCHAR, text, EACH);
    }
    admin_run(&spare, "SET GLOBAL max_allowed_packet = 1048576");
    for (int way = 0; way < 2; way++) {
        const TribOption options[] = {OPTION("mode", "readwrite"),
                                      OPTION("bulk", way ? "true" : "false")};
        Fixture f;
        Party party;
        admin_run(&spare, "CREATE OR REPLACE TABLE test_db.changed (id INT PRIMARY KEY, v "
                          "LONGTEXT) ENGINE=InnoDB");
        fixture_open(&f, &spare, options, 2);
        TribTable *table = fixture_table(&f, "changed");
        party_begin(&party, &f, TRIB_REPEATABLE_READ);
        party_insert(&party, table, COUNT, ids, values);
        expect_state(&party, "00000");
        TribValue whole = text_value(TRIB_TYPE_VARCHAR, text, 1100000);
        int64_t next = COUNT;
        party_insert(&party, table, 1, &next, &whole);
        expect_state(&party, "54000");
        party_end(&party, true);
        expect_state(&party, "00000");
        assert_int_equal(admin_number(&spare, "SELECT SUM(LENGTH(v)) FROM test_db.changed"),
                         COUNT * EACH);
        fixture_close(&f);
    }
    heap_free(text);
}

int test_mysql_write(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_isolation),    cmocka_unit_test(test_lock_timeout),
        cmocka_unit_test(test_deadlock),     cmocka_unit_test(test_killed),
        cmocka_unit_test(test_scans_inside), cmocka_unit_test(test_cancelled),
        cmocka_unit_test(test_read_only),    cmocka_unit_test(test_engines),
        cmocka_unit_test(test_large_values),
    };
    return cmocka_run_group_tests_name("writing", tests, NULL, NULL);
}
