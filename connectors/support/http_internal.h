/*
 * http_internal.h - what http.c (clients, sessions, waiting) and http_attempt.c (one attempt over
 * libcurl) share. Nobody else includes it.
 */
#ifndef TRIB_SUPPORT_HTTP_INTERNAL_H
#define TRIB_SUPPORT_HTTP_INTERNAL_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "connectors/support/http.h"
#include "connectors/support/pool.h"

enum { HTTP_ERROR_BODY = 64 * 1024, HTTP_HEADERS_MOST = 64 * 1024 };

/* The pace of all sessions together. Guarded by its lock, which nothing is done under. */
typedef struct HttpPace {
    pthread_mutex_t lock;
    int64_t delay_ns;     /* before each request; 0 while nobody complains */
    int64_t next_slot_ns; /* when the rate cap allows the next request */
    int64_t slot_ns;      /* 1 s / cap; 0 = no cap */
    uint32_t credit;      /* repetitions that good answers have earned */
    uint64_t random;
} HttpPace;

struct HttpClient {
    Arena *arena;
    const TribHost *host;
    const char *catalog, *service, *ca_file;
    int64_t connect_timeout_ms, progress_timeout_ms;
    Pool *sessions;
    HttpPace pace;
    _Atomic uint64_t requests, retries, bytes;
};

/* An easy handle and what an attempt needs; recycled within its session. */
struct HttpTransfer {
    CURL *easy;
    struct curl_slist *headers;
    HttpSession *session;
    HttpExchange *exchange;
    HttpTransfer *next;
    int64_t begun_ns, progress_ns; /* of the attempt; the last time that bytes came */
    bool framed;                   /* the answer says where its body ends */
    bool delivered;                /* on_body was given something */
    bool failed;                   /* by us: exchange->err says why */
    char text[CURL_ERROR_SIZE];
};

struct HttpSession {
    HttpClient *client;
    CURLM *multi;
    TribCall *call;
    void *cancel_handle;
    atomic_bool cancelled;
    HttpExchange *active;              /* waiting for their time (no transfer) or running */
    HttpExchange *ended, **ended_tail; /* first ended first */
    HttpTransfer *idle;
    HttpCounters counters;
};

/* Begins an attempt: the transfer is running in the session's multi handle. */
Status attempt_begin(HttpSession *session, HttpExchange *exchange, Error *err) WARN_UNUSED;
/* libcurl says that the attempt has ended: what does it mean? exchange->status and err are set. */
HttpVerdict attempt_judge(HttpExchange *exchange, CURLcode result);
/* Takes the transfer off the session, for reuse; `close`: its connection is not kept. */
void attempt_end(HttpSession *session, HttpExchange *exchange, bool close);
void transfer_free(HttpTransfer *self);

#endif
