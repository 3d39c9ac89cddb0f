/*
 * test_http.c - requests over HTTP against a scripted peer: retries, time-outs, cancellation, limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "connectors/support/call.h"
#include "connectors/support/http.h"
#include "engine/base/cancel.h"
#include "engine/base/os.h"
#include "tests/unit/http_server.h"

#define OK(body, length) "HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n\r\n" body
#define EMPTY(status)    "HTTP/1.1 " status "\r\nContent-Length: 0\r\n\r\n"
#define MS               INT64_C(1000000)

typedef struct Fixture {
    HttpServer *server;
    HttpClient *client;
    HttpExchange exchange;
    char url[64];
    Error err;
} Fixture;

static void begin_with(Fixture *self, const HttpStep *steps, size_t count, HttpOptions options) {
    memset(self, 0, sizeof *self);
    self->server = http_server_start(steps, count);
    options.catalog = "web";
    options.service = "Web";
    if (!options.max_sessions) options.max_sessions = 2;
    assert_int_equal(http_client_new(&options, &self->client, &self->err), TRIB_OK);
    assert_int_equal(http_exchange_init(&self->exchange, &self->err), TRIB_OK);
    snprintf(self->url, sizeof self->url, "http://127.0.0.1:%d/a/../b%%20c?x=1",
             http_server_port(self->server));
    self->exchange.method = "GET";
    self->exchange.url = self->url;
}

static void begin(Fixture *self, const HttpStep *steps, size_t count) {
    begin_with(self, steps, count, (HttpOptions){0});
}

static void end(Fixture *self) {
    http_exchange_clear(&self->exchange);
    http_client_free(self->client);
    http_server_stop(self->server);
}

static Status run(Fixture *self, TribCall *call) {
    return http_run(self->client, call, &self->exchange, &self->err);
}

static void test_plain(void **state) {
    static const HttpStep steps[] = {
        {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"x\"\r\nDate: Sun, 06 Nov 1994 "
                  "08:49:37 GMT\r\n\r\nhello"}};
    Fixture f;
    begin(&f, steps, 1);
    HttpHeader headers[] = {{STR("X-One"), STR("1")}, {STR("X-Empty"), STR("")}};
    f.exchange.headers = headers;
    f.exchange.nheaders = 2;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(run(&f, NULL), TRIB_OK);
        assert_int_equal(f.exchange.code, 200);
        assert_true(str_equal(buf_view(&f.exchange.body), STR("hello")));
        assert_true(str_equal(http_header(&f.exchange, "etag"), STR("\"x\"")));
        assert_null(http_header(&f.exchange, "x-one").data);
        assert_true(f.exchange.date_us == INT64_C(784111777000000));
        assert_int_equal(f.exchange.attempts, 1);
    }
    assert_int_equal(http_server_connections(f.server), 1); /* kept alive across sessions */
    const char *sent = http_server_request(f.server, 0);
    assert_true(strncmp(sent, "GET /a/../b%20c?x=1 HTTP/1.1\r\n", 30) == 0);
    assert_non_null(strstr(sent, "\r\nX-One: 1\r\n"));
    assert_non_null(strstr(sent, "\r\nX-Empty:\r\n"));
    HttpCounters counters = http_client_counters(f.client);
    assert_int_equal(counters.requests, 3);
    assert_int_equal(counters.retries, 0);
    assert_int_equal(counters.bytes, 15);
    end(&f);
}

static void test_post(void **state) {
    static const HttpStep steps[] = {{.bytes = OK("{}", "2")}};
    Fixture f;
    begin(&f, steps, 1);
    HttpHeader headers[] = {{STR("Content-Type"), STR("application/json")}};
    f.exchange.method = "POST";
    f.exchange.headers = headers;
    f.exchange.nheaders = 1;
    f.exchange.body_out = STR("{\"a\": 1}");
    assert_int_equal(run(&f, NULL), TRIB_OK);
    const char *sent = http_server_request(f.server, 0);
    assert_true(strncmp(sent, "POST ", 5) == 0);
    assert_non_null(strstr(sent, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(sent, "\r\n\r\n{\"a\": 1}"));
    assert_null(strstr(sent, "urlencoded"));
    assert_null(strstr(sent, "Expect"));
    f.exchange.headers = &(HttpHeader){STR("X"), STR("a\r\nY: b")};
    assert_int_equal(run(&f, NULL), TRIB_DATA); /* no header smuggled in */
    assert_int_equal(http_server_requests(f.server), 1);
    end(&f);
}

static void test_throttled(void **state) {
    static const HttpStep steps[] = {{.bytes = EMPTY("429 Slow")},
                                     {.bytes = EMPTY("503 Slow")},
                                     {.bytes = OK("x", "1")},
                                     {.bytes = EMPTY("503 Slow")}};
    Fixture f;
    begin(&f, steps, 4);
    int64_t from = os_now_ns();
    assert_int_equal(run(&f, NULL), TRIB_OK);
    assert_int_equal(f.exchange.code, 200);
    assert_int_equal(f.exchange.attempts, 3);
    assert_false(f.exchange.throttled);
    assert_true(os_now_ns() - from >= 15 * MS); /* 10 and 20 ms, jittered to a half at least */
    /* The good answer earned one more attempt; then it is over. */
    assert_int_equal(run(&f, NULL), TRIB_OK);
    assert_int_equal(f.exchange.code, 503);
    assert_true(f.exchange.throttled);
    assert_int_equal(f.exchange.attempts, 4);
    assert_int_equal(run(&f, NULL), TRIB_OK);
    assert_int_equal(f.exchange.attempts, 3);
    assert_int_equal(http_client_counters(f.client).retries, 2 + 3 + 2);
    end(&f);
}

/* Three of ten requests are throttled: every one succeeds, with at most 1.6 times the requests. */
static void test_polite(void **state) {
    HttpStep steps[400];
    Fixture f;
    uint64_t random = 42;
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        bool throttled = (random >> 33) % 10 < 3 && i > 2;
        steps[i] = (HttpStep){.bytes = throttled ? EMPTY("503 Slow") : OK("x", "1")};
    }
    begin(&f, steps, COUNT_OF(steps));
    for (int i = 0; i < 100; i++) {
        assert_int_equal(run(&f, NULL), TRIB_OK);
        assert_int_equal(f.exchange.code, 200);
    }
    assert_true(http_server_requests(f.server) <= 160);
    end(&f);
}

static void test_retry_after(void **state) {
    static const HttpStep steps[] = {
        {.bytes = "HTTP/1.1 503 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"},
        {.bytes = OK("x", "1")},
        {.bytes =
             "HTTP/1.1 429 Slow\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 "
             "Nov 1994 08:59:37 GMT\r\nContent-Length: 0\r\n\r\n"}};
    Fixture f;
    begin(&f, steps, 3);
    int64_t from = os_now_ns();
    assert_int_equal(run(&f, NULL), TRIB_OK);
    assert_int_equal(f.exchange.code, 200);
    assert_true(os_now_ns() - from >= 1000 * MS);
    assert_int_equal(run(&f, NULL), TRIB_OK); /* ten minutes: longer than anybody waits */
    assert_int_equal(f.exchange.code, 429);
    assert_int_equal(f.exchange.attempts, 1);
    end(&f);
}

static void test_truncated(void **state) {
    static const HttpStep cut[] = {{.bytes = OK("hel", "5"), .close = true}};
    static const HttpStep chunk[] = {
        {.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", .close = true}};
    static const HttpStep last[] = {
        {.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
         .close = true}};
    static const HttpStep unframed[] = {{.bytes = "HTTP/1.1 200 OK\r\n\r\nhello", .close = true}};
    static const HttpStep nothing[] = {{.bytes = "", .length = 0, .close = true}};
    static const HttpStep head[] = {{.bytes = "HTTP/1.1 200 OK\r\nConte", .close = true}};
    const HttpStep *const all[] = {cut, chunk, last, unframed, nothing, head};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        Fixture f;
        begin(&f, all[i], 1);
        assert_int_equal(run(&f, NULL), TRIB_LOST);
        assert_string_equal(f.err.sqlstate, "08S01");
        assert_string_equal(f.err.source, "web");
        assert_true(f.err.retryable);
        assert_int_equal(f.exchange.attempts, 3);
        end(&f);
    }
    static const HttpStep healed[] = {{.bytes = OK("hel", "5"), .close = true},
                                      {.bytes = OK("hello", "5")}};
    Fixture f;
    begin(&f, healed, 2);
    assert_int_equal(run(&f, NULL), TRIB_OK);
    assert_true(str_equal(buf_view(&f.exchange.body), STR("hello")));
    end(&f);
}

typedef struct Sink {
    Buf text;
    int restarts;
} Sink;

static Status sink_take(HttpExchange *exchange, const char *data, size_t length, Error *err) {
    Sink *sink = exchange->context;
    buf_add(&sink->text, data, length);
    if (memchr(data, '!', length)) return error_set(err, ERR_MISMATCH, "a bad byte");
    return TRIB_OK;
}

static void sink_restart(HttpExchange *exchange) {
    Sink *sink = exchange->context;
    sink->text.len = 0;
    sink->restarts++;
}

static void test_sink(void **state) {
    static const HttpStep steps[] = {{.bytes = OK("hel", "5"), .close = true},
                                     {.bytes = OK("hello", "5")},
                                     {.bytes = "HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\ngone"},
                                     {.bytes = OK("a!", "2")},
                                     {.bytes = OK("hel", "5"), .close = true}};
    Fixture f;
    Sink sink = {.restarts = 0};
    buf_init(&sink.text, NULL, 1000);
    begin(&f, steps, 5);
    f.exchange.context = &sink;
    f.exchange.on_body = sink_take;
    f.exchange.on_restart = sink_restart;
    assert_int_equal(run(&f, NULL), TRIB_OK);
    assert_true(str_equal(buf_view(&sink.text), STR("hello")));
    assert_int_equal(sink.restarts, 1);
    assert_int_equal(run(&f, NULL), TRIB_OK); /* a bad answer's body is no data */
    assert_int_equal(f.exchange.code, 404);
    assert_true(str_equal(buf_view(&f.exchange.body), STR("gone")));
    assert_true(str_equal(buf_view(&sink.text), STR("hello")));
    assert_int_equal(run(&f, NULL), TRIB_DATA); /* what the sink says */
    assert_string_equal(f.err.message, "a bad byte");
    f.exchange.on_restart = NULL; /* given away already: not repeated */
    assert_int_equal(run(&f, NULL), TRIB_LOST);
    assert_int_equal(f.exchange.attempts, 1);
    buf_clear(&sink.text);
    end(&f);
}

static void test_limits(void **state) {
    static const HttpStep steps[] = {{.bytes = OK("hello", "5")}};
    Fixture f;
    begin(&f, steps, 1);
    f.exchange.max_body = 4;
    assert_int_equal(run(&f, NULL), TRIB_LIMIT);
    assert_string_equal(f.err.sqlstate, "54000");
    f.exchange.max_body = 5;
    assert_int_equal(run(&f, NULL), TRIB_OK);
    end(&f);
    /* Endless headers. */
    size_t size = 200 * 1024;
    char *flood = heap_alloc(size + 64);
    size_t at = (size_t)sprintf(flood, "HTTP/1.1 200 OK\r\n");
    while (at < size)
        at += (size_t)sprintf(flood + at, "X-%zu: aaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", at);
    HttpStep endless[] = {{.bytes = flood, .close = true}};
    begin(&f, endless, 1);
    assert_int_equal(run(&f, NULL), TRIB_LIMIT);
    end(&f);
    heap_free(flood);
}

static void test_redirect(void **state) {
    static const HttpStep steps[] = {
        {.bytes = "HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"}};
    Fixture f;
    begin(&f, steps, 1);
    assert_int_equal(run(&f, NULL), TRIB_OK);
    assert_int_equal(f.exchange.code, 302);
    assert_int_equal(http_server_requests(f.server), 1);
    f.exchange.url = "file:///etc/passwd";
    assert_int_not_equal(run(&f, NULL), TRIB_OK);
    end(&f);
}

static void test_nobody(void **state) {
    static const HttpStep steps[] = {{.bytes = OK("", "0")}};
    Fixture f;
    begin(&f, steps, 1);
    f.exchange.url = "http://127.0.0.1:1/";
    assert_int_equal(run(&f, NULL), TRIB_CONNECT);
    assert_string_equal(f.err.sqlstate, "08001");
    assert_int_equal(f.exchange.attempts, 3);
    end(&f);
}

static void test_silence(void **state) {
    static const HttpStep steps[] = {{.bytes = OK("hel", "5"), .hang = true}};
    Fixture f;
    begin_with(&f, steps, 1, (HttpOptions){.progress_timeout_ms = 100});
    int64_t from = os_now_ns();
    assert_int_equal(run(&f, NULL), TRIB_LOST);
    assert_non_null(strstr(f.err.message, "no byte came"));
    assert_true(os_now_ns() - from >= 300 * MS); /* three attempts */
    end(&f);
}

/* ---------------------------------------------------------------- calls */

typedef struct TestCall {
    TribCall base;
    CancelToken *token;
} TestCall;

static bool test_cancelled(TribCall *call) {
    return cancel_reason(((TestCall *)call)->token) != CANCEL_NONE;
}
static void *test_on(TribCall *call, void (*callback)(void *), void *context) {
    return cancel_on(((TestCall *)call)->token, callback, context);
}
static void test_off(TribCall *call, void *handle) {
    cancel_off(((TestCall *)call)->token, handle);
}
static TestCall call_new(int64_t deadline_ns) {
    return (TestCall){.base = {.size = sizeof(TribCall),
                               .deadline_ns = deadline_ns,
                               .cancelled = test_cancelled,
                               .on_cancel = test_on,
                               .off_cancel = test_off},
                      .token = cancel_new()};
}

typedef struct Canceller {
    HttpServer *server;
    CancelToken *token;
} Canceller;

/* When the request is there. */
static void *cancel_later(void *context) {
    Canceller *self = context;
    while (http_server_requests(self->server) == 0) usleep(5000);
    usleep(20000); /* perhaps while the answer is read */
    cancel_set(self->token, CANCEL_REQUESTED);
    return NULL;
}

static void test_cancel(void **state) {
    static const HttpStep steps[] = {{.bytes = OK("hel", "5"), .hang = true},
                                     {.bytes = OK("hello", "5")}};
    Fixture f;
    begin(&f, steps, 2);
    TestCall call = call_new(INT64_MAX);
    Canceller canceller = {f.server, call.token};
    pthread_t thread;
    pthread_create(&thread, NULL, cancel_later, &canceller);
    assert_int_equal(run(&f, &call.base), TRIB_CANCELLED); /* the rest of the answer never comes */
    pthread_join(thread, NULL);
    assert_string_equal(f.err.sqlstate, "HY008");
    cancel_release(call.token);
    TestCall late = call_new(os_now_ns() + 60000 * MS); /* the same session serves again */
    assert_int_equal(run(&f, &late.base), TRIB_OK);
    cancel_release(late.token);
    end(&f);
    static const HttpStep silent[] = {{.bytes = "", .hang = true}};
    begin(&f, silent, 1);
    int64_t from = os_now_ns();
    late = call_new(from + 150 * MS);
    assert_int_equal(run(&f, &late.base), TRIB_TIMEOUT);
    assert_string_equal(f.err.sqlstate, "HYT00");
    assert_true(os_now_ns() - from >= 150 * MS);
    cancel_release(late.token);
    end(&f);
}

static void test_many(void **state) {
    enum { MANY = 12 };
    /* At once: no answer comes before all but the aborted request are there. */
    static const HttpStep steps[] = {{.bytes = OK("hello", "5"), .together = MANY - 1}};
    Fixture f;
    HttpSession *session;
    HttpExchange many[MANY], *done;
    begin(&f, steps, 1);
    assert_int_equal(http_session_take(f.client, NULL, &session, &f.err), TRIB_OK);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(http_exchange_init(&many[i], &f.err), TRIB_OK);
        many[i].method = "GET";
        many[i].url = f.url;
        assert_int_equal(http_start(session, &many[i], &f.err), TRIB_OK);
    }
    http_abort(session, &many[3]);
    bool seen[MANY] = {false};
    for (int i = 0; i < MANY - 1; i++) {
        assert_int_equal(http_wait(session, &done, &f.err), TRIB_OK);
        assert_non_null(done);
        assert_int_equal(done->status, TRIB_OK);
        assert_true(str_equal(buf_view(&done->body), STR("hello")));
        assert_false(seen[done - many]);
        seen[done - many] = true;
    }
    assert_false(seen[3]);
    assert_int_equal(http_wait(session, &done, &f.err), TRIB_OK);
    assert_null(done);
    assert_true(http_server_together(f.server) >= MANY - 1);
    assert_int_equal(http_session_counters(session).requests, MANY - 1);
    http_session_give(session);
    for (int i = 0; i < MANY; i++) http_exchange_clear(&many[i]);
    end(&f);
}

static void test_rate(void **state) {
    static const HttpStep steps[] = {{.bytes = OK("x", "1")}};
    Fixture f;
    begin_with(&f, steps, 1, (HttpOptions){.requests_per_second = 50});
    int64_t from = os_now_ns();
    for (int i = 0; i < 11; i++) assert_int_equal(run(&f, NULL), TRIB_OK);
    assert_true(os_now_ns() - from >= 195 * MS);
    end(&f);
}

static void test_sessions(void **state) {
    static const HttpStep steps[] = {{.bytes = OK("x", "1")}};
    Fixture f;
    HttpSession *one, *two;
    begin_with(&f, steps, 1, (HttpOptions){.max_sessions = 1});
    assert_int_equal(http_session_take(f.client, NULL, &one, &f.err), TRIB_OK);
    TestCall late = call_new(os_now_ns() + 50 * MS);
    assert_int_equal(http_session_take(f.client, &late.base, &two, &f.err), TRIB_TIMEOUT);
    cancel_release(late.token);
    assert_int_equal(http_start(one, &f.exchange, &f.err), TRIB_OK);
    http_session_cancel(one);
    HttpExchange *done;
    assert_int_equal(http_wait(one, &done, &f.err), TRIB_CANCELLED);
    http_session_give(one); /* ends what is under way */
    assert_int_equal(run(&f, NULL), TRIB_OK);
    end(&f);
}

static void test_dates(void **state) {
    int64_t us;
    assert_true(http_date_parse(STR("Thu, 01 Jan 1970 00:00:00 GMT"), &us));
    assert_true(us == 0);
    assert_true(http_date_parse(STR("Thu, 29 Feb 2024 23:59:59 GMT"), &us));
    assert_true(us == INT64_C(1709251199000000));
    assert_false(http_date_parse(STR("Thu, 30 Feb 2024 23:59:59 GMT"), &us));
    assert_false(http_date_parse(STR("Thu, 29 Feb 2024 24:59:59 GMT"), &us));
    assert_false(http_date_parse(STR("Thu, 29 Fub 2024 23:59:59 GMT"), &us));
    assert_false(http_date_parse(STR("Thu, 29 Feb 2024 23:59:59 CET"), &us));
    assert_false(http_date_parse(STR("yesterday"), &us));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),     cmocka_unit_test(test_post),
        cmocka_unit_test(test_throttled), cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_polite),    cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_sink),      cmocka_unit_test(test_limits),
        cmocka_unit_test(test_redirect),  cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_silence),   cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_many),      cmocka_unit_test(test_rate),
        cmocka_unit_test(test_sessions),  cmocka_unit_test(test_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
