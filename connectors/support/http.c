/*
 * http.c - clients, sessions, and waiting for exchanges.
 *
 * A session is a libcurl multi handle with its cache of connections; a client keeps idle sessions in a
 * pool, so that the connections of one scan serve the next. http_wait is a loop: begin the attempts
 * whose time has come (back-off, rate cap), let libcurl work, judge what has ended, then sleep in
 * curl_multi_poll until bytes, a wake-up (cancellation), the next attempt's time, a time-out or the
 * deadline. No progress is noticed here and not by libcurl's own clock, because time during which
 * nobody called http_wait must not count against the server.
 *
 * libcurl is initialised once, thread-safely, and never cleaned up: other code of the process may use it.
 * Threads: see http.h. Memory: client and sessions live on the heap; libcurl's own memory is bounded by
 * its buffers (128 KiB a transfer).
 */
#include "connectors/support/call.h"
#include "connectors/support/http_internal.h"
#include "engine/base/number.h"
#include "engine/base/os.h"

#define MS               INT64_C(1000000)
#define SECOND           (1000 * MS)
#define DELAY_STEP       (10 * MS)
#define DELAY_MOST       SECOND
#define RETRY_AFTER_MOST (60 * SECOND)
#define SESSION_IDLE_MS  60000
#define ATTEMPTS_USUAL   3
#define CREDIT_MOST      8
#define POLL_LONGEST_MS  1000

/* ---------------------------------------------------------------- pace */

static int64_t pace_jitter(HttpPace *self, int64_t delay) {
    self->random ^= self->random << 13; /* xorshift64: spreads clients apart, nothing more */
    self->random ^= self->random >> 7;
    self->random ^= self->random << 17;
    return delay / 2 + (int64_t)(self->random % (uint64_t)(delay / 2 + 1));
}

/* When may a request go out? At least `extra` from now. */
static int64_t pace_due(HttpPace *self, int64_t extra) {
    int64_t now = os_now_ns();
    pthread_mutex_lock(&self->lock);
    int64_t delay = self->delay_ns ? pace_jitter(self, self->delay_ns) : 0;
    int64_t due = now + (delay > extra ? delay : extra);
    if (self->slot_ns) {
        if (due < self->next_slot_ns) due = self->next_slot_ns;
        self->next_slot_ns = due + self->slot_ns;
    }
    pthread_mutex_unlock(&self->lock);
    return due;
}

static void pace_good(HttpPace *self) {
    pthread_mutex_lock(&self->lock);
    self->delay_ns = self->delay_ns > DELAY_STEP ? self->delay_ns - DELAY_STEP : 0;
    if (self->credit < CREDIT_MOST) self->credit++;
    pthread_mutex_unlock(&self->lock);
}

static void pace_throttled(HttpPace *self) {
    pthread_mutex_lock(&self->lock);
    self->delay_ns = self->delay_ns ? self->delay_ns * 2 : DELAY_STEP;
    if (self->delay_ns > DELAY_MOST) self->delay_ns = DELAY_MOST;
    pthread_mutex_unlock(&self->lock);
}

static bool pace_spend(HttpPace *self) {
    pthread_mutex_lock(&self->lock);
    bool good = self->credit > 0;
    if (good) self->credit--;
    pthread_mutex_unlock(&self->lock);
    return good;
}

/* ---------------------------------------------------------------- sessions in the client's pool */

static Status session_open(void *context, TribCall *call, void **connection, Error *err) {
    HttpSession *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    self->client = context;
    self->multi = curl_multi_init();
    if (!self->multi) {
        heap_free(self);
        return error_out_of_memory(err);
    }
    *connection = self;
    return TRIB_OK;
}

static void session_close(void *context, void *connection) {
    HttpSession *self = connection;
    while (self->idle) {
        HttpTransfer *transfer = self->idle;
        self->idle = transfer->next;
        transfer_free(transfer);
    }
    curl_multi_cleanup(self->multi);
    heap_free(self);
}

static const PoolHooks session_hooks = {.open = session_open, .close = session_close};

/* ---------------------------------------------------------------- clients */

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_ready;

static void curl_begin(void) {
    curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static const char *text_copy(Arena *arena, const char *text, bool *good) {
    const char *copy = text ? arena_strdup(arena, text) : NULL;
    *good = *good && (!text || copy);
    return copy;
}

static Status client_fill(HttpClient *self, const HttpOptions *options, Error *err) {
    bool good = true;
    self->host = options->host;
    self->catalog = options->catalog;
    self->service = text_copy(self->arena, options->service, &good);
    self->ca_file = text_copy(self->arena, options->ca_file, &good);
    if (!good) return error_out_of_memory(err);
    self->connect_timeout_ms = options->connect_timeout_ms ? options->connect_timeout_ms : 10000;
    self->progress_timeout_ms = options->progress_timeout_ms ? options->progress_timeout_ms : 30000;
    if (options->requests_per_second > 0)
        self->pace.slot_ns = (int64_t)((double)SECOND / options->requests_per_second);
    if (!os_random(&self->pace.random, sizeof self->pace.random) || self->pace.random == 0)
        self->pace.random = (uint64_t)os_now_ns() | 1;
    uint32_t most = options->max_sessions ? options->max_sessions : 1;
    TRY_ALLOC(self->sessions, pool_new(&session_hooks, self, self->catalog, most, SESSION_IDLE_MS),
              err);
    return TRIB_OK;
}

Status http_client_new(const HttpOptions *options, HttpClient **out, Error *err) {
    Arena *arena;
    *out = NULL;
    pthread_once(&curl_once, curl_begin);
    if (curl_ready != CURLE_OK) {
        return error_set(err, ERR_GENERAL, "libcurl cannot be initialised: %s",
                         curl_easy_strerror(curl_ready));
    }
    TRY_ALLOC(arena, arena_new(NULL), err);
    HttpClient *self = ARENA_NEW(arena, HttpClient);
    if (!self || pthread_mutex_init(&self->pace.lock, NULL) != 0) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    self->arena = arena;
    Status status = client_fill(self, options, err);
    if (status != TRIB_OK) {
        http_client_free(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

void http_client_free(HttpClient *self) {
    if (!self) return;
    pool_free(self->sessions);
    pthread_mutex_destroy(&self->pace.lock);
    arena_free(self->arena);
}

HttpCounters http_client_counters(const HttpClient *self) {
    return (HttpCounters){atomic_load(&self->requests), atomic_load(&self->retries),
                          atomic_load(&self->bytes)};
}

/* ---------------------------------------------------------------- taking and giving */

static void session_wake(void *context) {
    HttpSession *self = context;
    curl_multi_wakeup(self->multi);
}

Status http_session_take(HttpClient *client, TribCall *call, HttpSession **out, Error *err) {
    void *connection;
    *out = NULL;
    TRY(pool_take(client->sessions, call, &connection, err));
    HttpSession *self = connection;
    self->call = call;
    self->counters = (HttpCounters){0};
    self->active = self->ended = NULL;
    self->ended_tail = &self->ended;
    atomic_store(&self->cancelled, false);
    self->cancel_handle =
        call && call->on_cancel ? call->on_cancel(call, session_wake, self) : NULL;
    *out = self;
    return TRIB_OK;
}

void http_session_cancel(HttpSession *self) {
    atomic_store(&self->cancelled, true);
    curl_multi_wakeup(self->multi);
}

void http_session_give(HttpSession *self) {
    if (!self) return;
    while (self->active) http_abort(self, self->active);
    if (self->call && self->call->off_cancel && self->cancel_handle)
        self->call->off_cancel(self->call, self->cancel_handle);
    self->cancel_handle = NULL;
    self->call = NULL;
    pool_give(self->client->sessions, self);
}

HttpCounters http_session_counters(const HttpSession *self) {
    return self->counters;
}

/* ---------------------------------------------------------------- exchanges */

Status http_exchange_init(HttpExchange *self, Error *err) {
    memset(self, 0, sizeof *self);
    self->max_body = 16u << 20;
    buf_init(&self->body, NULL, HTTP_ERROR_BODY);
    TRY_ALLOC(self->arena, arena_new(NULL), err);
    return TRIB_OK;
}

void http_exchange_clear(HttpExchange *self) {
    if (!self->arena) return;
    buf_clear(&self->body);
    arena_free(self->arena);
    self->arena = NULL;
}

static void active_remove(HttpSession *self, HttpExchange *exchange) {
    for (HttpExchange **at = &self->active; *at; at = &(*at)->next) {
        if (*at != exchange) continue;
        *at = exchange->next;
        break;
    }
    exchange->next = NULL;
}

static void exchange_ended(HttpSession *self, HttpExchange *exchange, bool close) {
    attempt_end(self, exchange, close);
    active_remove(self, exchange);
    if (exchange->status != TRIB_OK) error_source(&exchange->err, self->client->catalog);
    exchange->wait_ns = os_now_ns() - exchange->begun_ns;
    *self->ended_tail = exchange;
    self->ended_tail = &exchange->next;
}

Status http_start(HttpSession *self, HttpExchange *exchange, Error *err) {
    exchange->transfer = NULL;
    exchange->attempts = 0;
    exchange->begun_ns = os_now_ns();
    exchange->due_ns = pace_due(&self->client->pace, exchange->delay_ns);
    exchange->next = self->active;
    self->active = exchange;
    return TRIB_OK;
}

void http_abort(HttpSession *self, HttpExchange *exchange) {
    attempt_end(self, exchange, true);
    active_remove(self, exchange);
    for (HttpExchange **at = &self->ended; *at; at = &(*at)->next) {
        if (*at != exchange) continue;
        *at = exchange->next;
        if (!*at) self->ended_tail = at;
        break;
    }
    exchange->next = NULL;
}

/* ---------------------------------------------------------------- the loop */

static void log_attempt(const HttpSession *self, const HttpExchange *exchange) {
    const TribHost *host = self->client->host;
    if (!host || !host->log || !host->log_enabled || !host->log_enabled(host->self, TRIB_LOG_DEBUG))
        return;
    char text[512];
    size_t length = strcspn(exchange->url, "?"); /* what follows may be a signature */
    text_format(text, sizeof text, "%s %.*s: %u, %llu bytes, attempt %u%s%s", exchange->method,
                (int)length, exchange->url, exchange->code,
                (unsigned long long)exchange->body_bytes, exchange->attempts,
                exchange->status != TRIB_OK ? ": " : "",
                exchange->status != TRIB_OK ? exchange->err.message : "");
    host->log(host->self, TRIB_LOG_DEBUG, self->client->catalog, text);
}

/* What Retry-After asks for: seconds or a date. */
static int64_t retry_after(const HttpExchange *exchange) {
    Str text = http_header(exchange, "retry-after");
    int64_t seconds, us;
    if (!text.data) return 0;
    if (int64_parse(text, &seconds) == NUMBER_OK && seconds >= 0)
        return seconds > 1000000 ? INT64_MAX : seconds * SECOND;
    if (!http_date_parse(text, &us)) return 0;
    int64_t now = exchange->date_us ? exchange->date_us : os_realtime_us();
    return us > now ? (us - now) * 1000 : 0;
}

/* May the attempt be repeated, and when? */
static bool repeat(HttpSession *self, HttpExchange *exchange, bool throttled) {
    uint32_t most = exchange->max_attempts ? exchange->max_attempts : ATTEMPTS_USUAL;
    int64_t asked = retry_after(exchange);
    if (exchange->transfer && exchange->transfer->delivered && !exchange->on_restart) return false;
    if (asked > RETRY_AFTER_MOST) return false;
    if (exchange->attempts >= most) {
        bool earned = exchange->max_attempts == 0 && pace_spend(&self->client->pace);
        if (!earned) return false;
    }
    uint32_t doublings = exchange->attempts < 8 ? exchange->attempts - 1 : 7;
    int64_t own = throttled ? DELAY_STEP : DELAY_STEP << doublings;
    if (own > DELAY_MOST) own = DELAY_MOST;
    exchange->due_ns = pace_due(&self->client->pace, asked > own ? asked : own);
    if (exchange->transfer && exchange->transfer->delivered) exchange->on_restart(exchange);
    return true;
}

static void attempt_over(HttpSession *self, HttpExchange *exchange, CURLcode result) {
    HttpPace *pace = &self->client->pace;
    HttpVerdict verdict = attempt_judge(exchange, result);
    log_attempt(self, exchange);
    exchange->throttled = verdict == HTTP_THROTTLED;
    if (verdict == HTTP_THROTTLED)
        pace_throttled(pace);
    else if (exchange->status == TRIB_OK && exchange->code < 400)
        pace_good(pace);
    bool close = exchange->status != TRIB_OK;
    if (verdict != HTTP_FINAL && repeat(self, exchange, exchange->throttled)) {
        attempt_end(self, exchange, close);
        return;
    }
    exchange_ended(self, exchange, close);
}

/* Begins what is due. */
static void begin_due(HttpSession *self) {
    int64_t now = os_now_ns();
    for (HttpExchange *exchange = self->active, *next; exchange; exchange = next) {
        next = exchange->next;
        if (exchange->transfer || exchange->due_ns > now) continue;
        Status status = attempt_begin(self, exchange, &exchange->err);
        if (status != TRIB_OK) {
            exchange->status = status;
            exchange_ended(self, exchange, false);
        }
    }
}

static void take_finished(HttpSession *self) {
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(self->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) continue;
        CURLcode result = message->data.result; /* the message does not outlive the handle */
        HttpTransfer *transfer = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        attempt_over(self, transfer->exchange, result);
    }
}

static int64_t progress_limit(const HttpSession *self, const HttpExchange *exchange) {
    int64_t ms = exchange->progress_timeout_ms ? exchange->progress_timeout_ms
                                               : self->client->progress_timeout_ms;
    return ms * MS;
}

/* Gives up attempts whose peer has been silent for too long since both sides were there. */
static void drop_silent(HttpSession *self, int64_t since) {
    int64_t now = os_now_ns();
    for (HttpExchange *exchange = self->active, *next; exchange; exchange = next) {
        next = exchange->next;
        HttpTransfer *transfer = exchange->transfer;
        if (!transfer) continue;
        int64_t last = transfer->progress_ns > since ? transfer->progress_ns : since;
        if (now - last < progress_limit(self, exchange)) continue;
        exchange->status =
            error_set(&exchange->err, ERR_CONNECTION_LOST, "%s: no byte came for %lld seconds",
                      self->client->service, (long long)(progress_limit(self, exchange) / SECOND));
        exchange->err.retryable = true;
        log_attempt(self, exchange);
        if (repeat(self, exchange, false))
            attempt_end(self, exchange, true);
        else
            exchange_ended(self, exchange, true);
    }
}

/* How long libcurl may sleep. */
static int poll_ms(const HttpSession *self, int64_t since) {
    int64_t now = os_now_ns(), until = now + POLL_LONGEST_MS * MS;
    for (const HttpExchange *exchange = self->active; exchange; exchange = exchange->next) {
        int64_t due = exchange->due_ns;
        if (exchange->transfer) {
            int64_t last = exchange->transfer->progress_ns;
            due = (last > since ? last : since) + progress_limit(self, exchange);
        }
        if (due < until) until = due;
    }
    if (self->call && self->call->deadline_ns < until) until = self->call->deadline_ns;
    return until <= now ? 0 : (int)((until - now + MS - 1) / MS);
}

void http_poke(HttpSession *self) {
    int running;
    begin_due(self);
    if (self->active) curl_multi_perform(self->multi, &running);
}

static Status session_check(HttpSession *self, Error *err) {
    TRY(call_check(self->call, self->client->catalog, err));
    if (!atomic_load(&self->cancelled)) return TRIB_OK;
    error_set(err, ERR_CANCELLED, "the query was cancelled");
    return error_source(err, self->client->catalog);
}

Status http_wait(HttpSession *self, HttpExchange **out, Error *err) {
    int64_t since = os_now_ns();
    int running;
    *out = NULL;
    for (;;) {
        TRY(session_check(self, err));
        begin_due(self);
        if (self->active) {
            CURLMcode code = curl_multi_perform(self->multi, &running);
            if (code != CURLM_OK)
                return error_set(err, ERR_GENERAL, "libcurl: %s", curl_multi_strerror(code));
            take_finished(self);
            drop_silent(self, since);
        }
        if (self->ended) {
            *out = self->ended;
            self->ended = (*out)->next;
            (*out)->next = NULL;
            if (!self->ended) self->ended_tail = &self->ended;
            return TRIB_OK;
        }
        if (!self->active) return TRIB_OK;
        /* A wake-up that came before is not lost: libcurl keeps it for the next poll. */
        curl_multi_poll(self->multi, NULL, 0, poll_ms(self, since), NULL);
    }
}

Status http_run(HttpClient *client, TribCall *call, HttpExchange *exchange, Error *err) {
    HttpSession *session;
    HttpExchange *ended = NULL;
    TRY(http_session_take(client, call, &session, err));
    Status status = http_start(session, exchange, err);
    if (status == TRIB_OK) status = http_wait(session, &ended, err);
    http_session_give(session);
    if (status != TRIB_OK) return error_source(err, client->catalog);
    if (exchange->status != TRIB_OK) *err = exchange->err;
    return exchange->status;
}
