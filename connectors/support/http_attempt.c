/*
 * http_attempt.c - one attempt of a request over libcurl.
 *
 * The transfer's easy handle is set up anew for each attempt (curl_easy_reset keeps its connection
 * cache, which belongs to the session's multi handle). Callbacks run on the session's thread, inside
 * curl_multi_perform. Nothing here waits.
 */
#include "connectors/support/http_internal.h"

#include <strings.h>

#include "config.h"
#include "engine/base/calendar.h"
#include "engine/base/number.h"
#include "engine/base/os.h"

/* ---------------------------------------------------------------- what comes back */

static size_t attempt_fail(HttpTransfer *self, Status status) {
    self->exchange->status = status;
    self->failed = true;
    return 0; /* libcurl ends the transfer with CURLE_WRITE_ERROR */
}

static Status body_add(HttpExchange *exchange, const char *data, size_t length) {
    bool good = exchange->code / 100 == 2;
    if (good && exchange->body_bytes > exchange->max_body) {
        error_set(&exchange->err, ERR_LIMIT, "an answer is larger than %llu bytes",
                  (unsigned long long)exchange->max_body);
        return exchange->err.status;
    }
    if (good && exchange->on_body) {
        exchange->transfer->delivered = true;
        return exchange->on_body(exchange, data, length, &exchange->err);
    }
    if (!good) {
        size_t room = HTTP_ERROR_BODY - exchange->body.len;
        if (length > room) length = room;
    }
    buf_add(&exchange->body, data, length);
    return exchange->body.failed ? error_out_of_memory(&exchange->err) : TRIB_OK;
}

static size_t on_write(char *data, size_t size, size_t count, void *context) {
    HttpTransfer *self = context;
    HttpExchange *exchange = self->exchange;
    size_t length = size * count;
    self->progress_ns = os_now_ns();
    exchange->body_bytes += length;
    self->session->counters.bytes += length;
    atomic_fetch_add_explicit(&self->session->client->bytes, length, memory_order_relaxed);
    Status status = body_add(exchange, data, length);
    return status == TRIB_OK ? length : attempt_fail(self, status);
}

/* A status line begins a new set of headers (after 100 Continue, or a proxy's answer to CONNECT). */
static void headers_begin(HttpTransfer *self, Str line) {
    HttpExchange *exchange = self->exchange;
    int64_t code = 0;
    const char *space = memchr(line.data, ' ', line.len);
    size_t at = space ? (size_t)(space - line.data) + 1 : line.len;
    if (line.len - at >= 3) int64_parse((Str){line.data + at, 3}, &code);
    exchange->code = (uint32_t)code;
    exchange->nanswer = 0;
    exchange->answer_bytes = 0;
    exchange->date_us = 0;
    self->framed = false;
}

static Status header_add(HttpTransfer *self, Str line) {
    HttpExchange *exchange = self->exchange;
    const char *colon = memchr(line.data, ':', line.len);
    if (!colon) return TRIB_OK;
    exchange->answer_bytes += line.len;
    if (exchange->answer_bytes > HTTP_HEADERS_MOST) {
        return error_set(&exchange->err, ERR_LIMIT, "the headers of an answer exceed %d bytes",
                         HTTP_HEADERS_MOST);
    }
    if (exchange->nanswer == exchange->answer_room) {
        uint32_t room = exchange->answer_room ? exchange->answer_room * 2 : 16;
        HttpHeader *more;
        TRY_ALLOC(more,
                  arena_resize(exchange->arena, exchange->answer,
                               exchange->answer_room * sizeof *more, room * sizeof *more),
                  &exchange->err);
        exchange->answer = more;
        exchange->answer_room = room;
    }
    char *copy;
    TRY_ALLOC(copy, str_dup(exchange->arena, line), &exchange->err);
    size_t name = (size_t)(colon - line.data);
    Str value = str_trim((Str){copy + name + 1, line.len - name - 1});
    HttpHeader header = {str_trim((Str){copy, name}), value};
    exchange->answer[exchange->nanswer++] = header;
    if (str_equal_fold(header.name, STR("date"))) http_date_parse(value, &exchange->date_us);
    self->framed = self->framed || str_equal_fold(header.name, STR("content-length")) ||
                   str_equal_fold(header.name, STR("transfer-encoding"));
    return TRIB_OK;
}

static size_t on_header(char *data, size_t size, size_t count, void *context) {
    HttpTransfer *self = context;
    size_t length = size * count;
    Str line = str_trim((Str){data, length});
    self->progress_ns = os_now_ns();
    if (line.len >= 5 && strncasecmp(line.data, "HTTP/", 5) == 0) {
        headers_begin(self, line);
        return length;
    }
    Status status = line.len ? header_add(self, line) : TRIB_OK;
    return status == TRIB_OK ? length : attempt_fail(self, status);
}

Str http_header(const HttpExchange *self, const char *name) {
    for (uint32_t i = 0; i < self->nanswer; i++) {
        if (str_equal_fold(self->answer[i].name, str_from(name))) return self->answer[i].value;
    }
    return (Str){NULL, 0};
}

/* ---------------------------------------------------------------- what is sent */

static Status header_send(HttpTransfer *self, Str name, Str value, Error *err) {
    HttpExchange *exchange = self->exchange;
    for (size_t i = 0; i < value.len; i++) {
        if ((unsigned char)value.data[i] < ' ' && value.data[i] != '\t')
            return error_set(err, ERR_INVALID_ARGUMENT,
                             "the value of header " STR_FORMAT " contains a control character",
                             STR_ARGS(name));
    }
    /* libcurl: "name;" is a header without a value, "name:" takes the header away. */
    char *line = value.len ? arena_printf(exchange->arena, STR_FORMAT ": " STR_FORMAT,
                                          STR_ARGS(name), STR_ARGS(value))
                           : arena_printf(exchange->arena, STR_FORMAT ";", STR_ARGS(name));
    if (!line) return error_out_of_memory(err);
    struct curl_slist *longer = curl_slist_append(self->headers, line);
    if (!longer) return error_out_of_memory(err);
    self->headers = longer;
    return TRIB_OK;
}

static Status headers_send(HttpTransfer *self, Error *err) {
    HttpExchange *exchange = self->exchange;
    bool typed = false;
    for (uint32_t i = 0; i < exchange->nheaders; i++) {
        const HttpHeader *header = &exchange->headers[i];
        typed = typed || str_equal_fold(header->name, STR("content-type"));
        TRY(header_send(self, header->name, header->value, err));
    }
    /* What libcurl would add on its own and a signature does not know of. */
    static const char *const unwanted[] = {"Expect:", "Content-Type:"};
    for (size_t i = 0; i < (typed ? 1 : COUNT_OF(unwanted)); i++) {
        struct curl_slist *longer = curl_slist_append(self->headers, unwanted[i]);
        if (!longer) return error_out_of_memory(err);
        self->headers = longer;
    }
    curl_easy_setopt(self->easy, CURLOPT_HTTPHEADER, self->headers);
    return TRIB_OK;
}

static void set_method(CURL *easy, const HttpExchange *exchange) {
    if (strcmp(exchange->method, "GET") == 0) {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        return;
    }
    if (strcmp(exchange->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                     exchange->body_out.data ? exchange->body_out.data : "");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->body_out.len);
    if (strcmp(exchange->method, "POST") != 0)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, exchange->method);
}

static void set_protocols(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT,
                     1L); /* do not wait for a name that is being resolved */
#endif
}

static void set_options(HttpTransfer *self) {
    CURL *easy = self->easy;
    const HttpClient *client = self->session->client;
    const HttpExchange *exchange = self->exchange;
    int64_t connect_ms =
        exchange->connect_timeout_ms ? exchange->connect_timeout_ms : client->connect_timeout_ms;
    curl_easy_reset(easy);
    set_protocols(easy);
    set_method(easy, exchange);
    curl_easy_setopt(easy, CURLOPT_URL, exchange->url);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "tributary/" VERSION);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (client->ca_file) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, client->ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (exchange->direct) curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 128L * 1024);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, self->text);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, self);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, self);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, self);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

/* ---------------------------------------------------------------- begin and end */

static Status transfer_take(HttpSession *session, HttpTransfer **out, Error *err) {
    HttpTransfer *self = session->idle;
    if (self) {
        session->idle = self->next;
    } else {
        TRY_ALLOC(self, heap_alloc(sizeof *self), err);
        self->easy = curl_easy_init();
        if (!self->easy) {
            heap_free(self);
            return error_out_of_memory(err);
        }
    }
    CURL *easy = self->easy;
    memset(self, 0, sizeof *self);
    self->easy = easy;
    self->session = session;
    *out = self;
    return TRIB_OK;
}

void transfer_free(HttpTransfer *self) {
    curl_easy_cleanup(self->easy);
    heap_free(self);
}

static void exchange_reset(HttpExchange *exchange) {
    arena_reset(exchange->arena);
    exchange->answer = NULL;
    exchange->nanswer = exchange->answer_room = 0;
    exchange->answer_bytes = 0;
    exchange->code = 0;
    exchange->date_us = 0;
    exchange->body_bytes = 0;
    exchange->throttled = false;
    exchange->status = TRIB_OK;
    exchange->body.len = 0;
    exchange->body.failed = exchange->body.exceeded = false;
    exchange->body.max =
        exchange->max_body > HTTP_ERROR_BODY ? exchange->max_body : HTTP_ERROR_BODY;
}

Status attempt_begin(HttpSession *session, HttpExchange *exchange, Error *err) {
    HttpClient *client = session->client;
    exchange_reset(exchange);
    if (exchange->prepare) TRY(exchange->prepare(exchange, err));
    TRY(transfer_take(session, &exchange->transfer, err));
    HttpTransfer *self = exchange->transfer;
    self->exchange = exchange;
    set_options(self);
    Status status = headers_send(self, err);
    if (status == TRIB_OK && curl_multi_add_handle(session->multi, self->easy) != CURLM_OK)
        status = error_out_of_memory(err);
    if (status != TRIB_OK) {
        attempt_end(session, exchange, false);
        return status;
    }
    self->begun_ns = self->progress_ns = os_now_ns();
    session->counters.requests++;
    atomic_fetch_add_explicit(&client->requests, 1, memory_order_relaxed);
    if (exchange->attempts++) {
        session->counters.retries++;
        atomic_fetch_add_explicit(&client->retries, 1, memory_order_relaxed);
    }
    return TRIB_OK;
}

void attempt_end(HttpSession *session, HttpExchange *exchange, bool close) {
    HttpTransfer *self = exchange->transfer;
    if (!self) return;
    exchange->transfer = NULL;
    curl_multi_remove_handle(session->multi,
                             self->easy); /* an unfinished one loses its connection */
    curl_easy_setopt(self->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(self->headers);
    self->headers = NULL;
    if (close) {
        transfer_free(self);
        return;
    }
    self->next = session->idle;
    session->idle = self;
}

/* ---------------------------------------------------------------- what it means */

static const struct {
    CURLcode result;
    ErrorCode code;
    bool again;
    const char *what;
} failures[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERR_CONNECT_FAILED, true, "the name cannot be resolved"},
    {CURLE_COULDNT_RESOLVE_PROXY, ERR_CONNECT_FAILED, true, "the proxy's name cannot be resolved"},
    {CURLE_COULDNT_CONNECT, ERR_CONNECT_FAILED, true, "nobody answers"},
    {CURLE_OPERATION_TIMEDOUT, ERR_CONNECT_TIMEOUT, true, "no connection in the time allowed"},
    {CURLE_SSL_CONNECT_ERROR, ERR_CONNECT_FAILED, false, "TLS cannot be agreed on"},
    {CURLE_PEER_FAILED_VERIFICATION, ERR_CONNECT_FAILED, false, "the certificate is not trusted"},
    {CURLE_SSL_CERTPROBLEM, ERR_CONNECT_FAILED, false, "the client certificate is of no use"},
    {CURLE_SSL_CIPHER, ERR_CONNECT_FAILED, false, "no common cipher"},
    {CURLE_SSL_CACERT_BADFILE, ERR_CONNECT_FAILED, false,
     "the trusted certificates cannot be read"},
    {CURLE_SSL_ISSUER_ERROR, ERR_CONNECT_FAILED, false, "the certificate's issuer is not trusted"},
    {CURLE_PARTIAL_FILE, ERR_CONNECTION_LOST, true, "the answer was cut short"},
    {CURLE_RECV_ERROR, ERR_CONNECTION_LOST, true, "the connection broke"},
    {CURLE_SEND_ERROR, ERR_CONNECTION_LOST, true, "the connection broke"},
    {CURLE_GOT_NOTHING, ERR_CONNECTION_LOST, true, "the connection was closed without an answer"},
    {CURLE_WEIRD_SERVER_REPLY, ERR_SOURCE, false, "the answer is not HTTP"},
    {CURLE_UNSUPPORTED_PROTOCOL, ERR_SOURCE, false, "the answer is not HTTP"},
    {CURLE_BAD_CONTENT_ENCODING, ERR_SOURCE, false, "the answer's encoding is broken"},
    {CURLE_URL_MALFORMAT, ERR_CONFIGURATION, false, "the address is not a URL"},
    {CURLE_OUT_OF_MEMORY, ERR_OUT_OF_MEMORY, false, "out of memory"},
};

static HttpVerdict transport_failure(HttpExchange *exchange, CURLcode result) {
    HttpTransfer *self = exchange->transfer;
    ErrorCode code = ERR_CONNECTION_LOST;
    bool again = true;
    const char *what = curl_easy_strerror(result);
    for (size_t i = 0; i < COUNT_OF(failures); i++) {
        if (failures[i].result != result) continue;
        code = failures[i].code;
        again = failures[i].again;
        what = failures[i].what;
    }
    const HttpClient *client = self->session->client;
    exchange->status = error_set(&exchange->err, code, "%s: %s", client->service, what);
    exchange->err.retryable = again;
    if (self->text[0]) error_detail(&exchange->err, "%s", self->text);
    if (result == CURLE_PEER_FAILED_VERIFICATION)
        error_hint(&exchange->err, "name the issuer's certificate in the option ca_file");
    return again ? HTTP_AGAIN : HTTP_FINAL;
}

static HttpVerdict judge_usual(const HttpExchange *exchange) {
    switch (exchange->code) {
    case 429:
    case 503: return HTTP_THROTTLED;
    case 500:
    case 502:
    case 504: return HTTP_AGAIN;
    default: return HTTP_FINAL;
    }
}

/* Does a body belong to this answer at all? */
static bool has_body(const HttpExchange *exchange) {
    return strcmp(exchange->method, "HEAD") != 0 && exchange->code != 204 && exchange->code != 304;
}

HttpVerdict attempt_judge(HttpExchange *exchange, CURLcode result) {
    HttpTransfer *self = exchange->transfer;
    if (self->failed) return HTTP_FINAL; /* status and err stand there already */
    if (result != CURLE_OK) return transport_failure(exchange, result);
    exchange->status = TRIB_OK;
    if (!self->framed && !exchange->allow_unframed && has_body(exchange)) {
        exchange->status =
            error_set(&exchange->err, ERR_CONNECTION_LOST,
                      "%s: the answer does not say how long it is", self->session->client->service);
        exchange->err.retryable = true;
        return HTTP_AGAIN;
    }
    return exchange->judge ? exchange->judge(exchange) : judge_usual(exchange);
}

/* ---------------------------------------------------------------- dates */

bool http_date_parse(Str text, int64_t *us) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    /* IMF-fixdate (RFC 9110, 5.6.7): the one form that is still sent. */
    if (text.len != 29 || text.data[3] != ',' || text.data[16] != ' ' ||
        memcmp(text.data + 25, " GMT", 4) != 0)
        return false;
    int64_t day, year, hour, minute, second, month = 0;
    for (int i = 0; i < 12; i++) {
        if (memcmp(text.data + 8, months + i * 3, 3) == 0) month = i + 1;
    }
    bool good = int64_parse((Str){text.data + 5, 2}, &day) == NUMBER_OK &&
                int64_parse((Str){text.data + 12, 4}, &year) == NUMBER_OK &&
                int64_parse((Str){text.data + 17, 2}, &hour) == NUMBER_OK &&
                int64_parse((Str){text.data + 20, 2}, &minute) == NUMBER_OK &&
                int64_parse((Str){text.data + 23, 2}, &second) == NUMBER_OK;
    if (!good || month == 0 || year < 1 || day < 1 || hour < 0 || hour > 23 || minute < 0 ||
        minute > 59 || second < 0 || second > 60 ||
        !date_valid((int32_t)year, (uint32_t)month, (uint32_t)day))
        return false;
    int64_t days = date_from_civil((int32_t)year, (uint32_t)month, (uint32_t)day);
    *us = days * US_PER_DAY + ((hour * 60 + minute) * 60 + second) * US_PER_SECOND;
    return true;
}
