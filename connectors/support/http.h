/*
 * http.h - requests over HTTP: kept-alive connections, time-outs, cancellation, retries, rate caps.
 *
 *   client   = http_client_new(&options)                 one per catalog
 *   session  = http_session_take(client, call)           connections of one scan or metadata call
 *   exchange : http_exchange_init, fill the request in, http_start, http_wait until it comes back
 *   http_run = take, start, wait, give: one request from begin to end
 *
 * A session runs any number of exchanges at once on one thread. http_wait returns each exchange when it
 * has ended for good: attempts that may be repeated (throttled, a lost connection) are repeated inside,
 * after the client's back-off, which all sessions share: 10 ms at first, doubled by each throttled answer
 * up to 1 s, 10 ms less after each good one, jittered; Retry-After is honoured. Three attempts, and as
 * many more as good answers have earned (one each, eight at most), so that one request in three being
 * throttled does not fail a long scan, and a server that refuses everything is left alone at once.
 *
 * Bodies: a 2xx body goes to `on_body` piece by piece, or into `body` if there is no sink; other bodies
 * into `body`, cut at 64 KiB. A body shorter than announced is an error (08S01), one without announced
 * end too (unless allowed). Redirects are not followed, certificates are verified, proxies come from the
 * environment (but for `direct` exchanges), and no cookie or credential is kept anywhere.
 *
 * Threads: a client by any number; a session and its exchanges by one at a time. Cancellation and
 * deadline of the session's call are noticed within 100 ms.
 */
#ifndef TRIB_SUPPORT_HTTP_H
#define TRIB_SUPPORT_HTTP_H

#include "connectors/tributary_connector.h"
#include "engine/base/text.h"

typedef struct HttpClient HttpClient;
typedef struct HttpSession HttpSession;
typedef struct HttpExchange HttpExchange;
typedef struct HttpTransfer HttpTransfer; /* internal: an attempt under way */

typedef struct HttpOptions {
    const TribHost *host;
    const char *catalog;                             /* named in errors; must outlive the client */
    const char *service;                             /* how messages call the peer: "DynamoDB" */
    uint32_t max_sessions;                           /* beyond that http_session_take waits */
    double requests_per_second;                      /* all sessions together; 0 = no cap */
    int64_t connect_timeout_ms, progress_timeout_ms; /* 0 = 10 s and 30 s */
    const char *ca_file; /* trusted certificates (PEM); NULL = the system's */
} HttpOptions;

typedef struct HttpHeader {
    Str name, value;
} HttpHeader;

/* What one answer means, as the service sees it. */
typedef enum {
    HTTP_FINAL,    /* an answer, good or bad: hand it to the caller */
    HTTP_AGAIN,    /* the attempt failed by chance: repeat it */
    HTTP_THROTTLED /* too many requests: back off, then repeat it */
} HttpVerdict;

struct HttpExchange {
    /* The request: set by the caller; whatever it points to lives until the exchange has ended. */
    const char *method; /* "GET", "POST", "PUT", "HEAD", "DELETE" */
    const char *url;
    const HttpHeader *headers; /* without Host and Content-Length, which follow from the rest */
    uint32_t nheaders;
    Str body_out;
    uint64_t max_body;     /* of a good answer; more is an error (54000) */
    uint32_t max_attempts; /* 0 = three and what was earned; 1 = never repeated */
    int64_t connect_timeout_ms, progress_timeout_ms; /* 0 = the client's */
    int64_t delay_ns;                                /* the first attempt waits at least so long */
    bool direct;                                     /* no proxy: metadata of the machine */
    bool allow_unframed; /* accept a body that ends with its connection */
    void *context;       /* for the hooks */
    /* Before each attempt: may replace headers and url (a signature has a date). NULL = nothing to do. */
    Status (*prepare)(HttpExchange *exchange, Error *err);
    /* Looks at each complete answer. NULL: 429 and 503 are throttled, 500, 502 and 504 are repeated. */
    HttpVerdict (*judge)(HttpExchange *exchange);
    /* A piece of a good answer's body. NULL: it is collected in `body`. */
    Status (*on_body)(HttpExchange *exchange, const char *data, size_t length, Error *err);
    /* Forget what on_body was given: the request starts over. NULL: then it is not repeated. */
    void (*on_restart)(HttpExchange *exchange);

    /* The answer: set when http_wait returns the exchange. */
    Status status;  /* of the transport and the hooks; TRIB_OK = `code` is the server's answer */
    Error err;      /* if status is not TRIB_OK */
    uint32_t code;  /* 200, 404 ... */
    bool throttled; /* the last attempt was; all attempts are used up */
    Buf body;
    uint64_t body_bytes; /* received of the body */
    int64_t date_us;     /* of the Date header; 0 = none */
    uint32_t attempts;   /* made */
    int64_t wait_ns;     /* from the first start to the end */
    Arena *arena;        /* the answer's headers; reset at each attempt */
    HttpHeader *answer;  /* in order, names as written */
    uint32_t nanswer;

    /* internal */
    HttpTransfer *transfer;
    HttpExchange *next;
    int64_t begun_ns, due_ns;
    uint32_t answer_room;
    size_t answer_bytes;
};

typedef struct HttpCounters {
    uint64_t requests, retries,
        bytes; /* attempts made, of those repetitions, body bytes received */
} HttpCounters;

/* Strings but `catalog` are copied. Errors: out of memory; libcurl cannot be initialised. */
Status http_client_new(const HttpOptions *options, HttpClient **out, Error *err) WARN_UNUSED;
void http_client_free(HttpClient *self); /* all sessions must have come back; NULL is allowed */
HttpCounters http_client_counters(const HttpClient *self);

/* `call` may be NULL; it must outlive the session's use. Errors: HYT00, HY008, out of memory. */
Status http_session_take(HttpClient *client, TribCall *call, HttpSession **out,
                         Error *err) WARN_UNUSED;
/* Ends what is still under way and keeps the connections for the next one. NULL is allowed. */
void http_session_give(HttpSession *self);
HttpCounters http_session_counters(const HttpSession *self); /* since it was taken */
/* From any thread while the session is taken; never blocks: http_wait ends with HY008 from now on. */
void http_session_cancel(HttpSession *self);

/* Zeroes it and gives it an arena. */
Status http_exchange_init(HttpExchange *self, Error *err) WARN_UNUSED;
/* Not while it is under way. Safe on a zeroed one. */
void http_exchange_clear(HttpExchange *self);
/* The value of an answer's header, the name in any case; data NULL if there is none. */
Str http_header(const HttpExchange *self, const char *name);

/* Puts the exchange under way: nothing is sent before the next http_wait or http_poke. */
Status http_start(HttpSession *self, HttpExchange *exchange, Error *err) WARN_UNUSED;
/* Sends and receives what can be without waiting. Errors are kept for http_wait. */
void http_poke(HttpSession *self);
/*
 * Waits for the next exchange to end: its status and err say how. *out = NULL if none is under way.
 * Errors (of the session, every exchange stays under way): HY008, HYT00.
 */
Status http_wait(HttpSession *self, HttpExchange **out, Error *err) WARN_UNUSED;
/* Takes an exchange that is under way back; its connection is closed. */
void http_abort(HttpSession *self, HttpExchange *exchange);
/* Takes a session, runs the exchange, gives the session back. Returns the exchange's status. */
Status http_run(HttpClient *client, TribCall *call, HttpExchange *exchange, Error *err) WARN_UNUSED;

/* "Sun, 06 Nov 1994 08:49:37 GMT" as microseconds since 1970; false on anything else. */
bool http_date_parse(Str text, int64_t *us);

#endif
