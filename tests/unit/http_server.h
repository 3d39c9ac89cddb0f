/*
 * http_server.h - a scripted HTTP peer on loopback, for what no real server can be made to answer.
 *
 * The nth request gets the nth step (the last one again and again). Requests are recorded. Start, use,
 * stop from one thread; the server has a thread of its own per connection.
 */
#ifndef TESTS_UNIT_HTTP_SERVER_H
#define TESTS_UNIT_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct HttpStep {
    const char *bytes; /* sent as they are */
    size_t length;     /* 0 = strlen(bytes) */
    int delay_ms;      /* before the answer */
    unsigned together; /* before the answer: until as many requests were there at the same time */
    bool close;        /* after the answer */
    bool hang;         /* after the bytes: nothing more, until the server stops */
} HttpStep;

typedef struct HttpServer HttpServer;

HttpServer *http_server_start(const HttpStep *steps, size_t count);
int http_server_port(const HttpServer *self);
unsigned http_server_requests(HttpServer *self);
unsigned http_server_connections(HttpServer *self);
unsigned http_server_together(HttpServer *self); /* requests at a time, at most */
/* Head and body of the nth request; valid until stop. "" if there was none. */
const char *http_server_request(HttpServer *self, unsigned n);
void http_server_stop(HttpServer *self);

#endif
