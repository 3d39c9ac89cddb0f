/*
 * http_server.c - the scripted peer. Blocking sockets, a thread per connection, requests up to 64 KiB.
 */
#include "tests/unit/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_MOST = 65536, CONNECTIONS_MOST = 64, REQUESTS_KEPT = 256 };

struct HttpServer {
    const HttpStep *steps;
    size_t count;
    int listener, port;
    _Atomic unsigned working; /* requests that wait for their answer */
    unsigned together;        /* the most of those */
    pthread_t thread, peers[CONNECTIONS_MOST];
    int sockets[CONNECTIONS_MOST];
    unsigned npeers;
    pthread_mutex_t lock;
    unsigned nrequests;
    char *requests[REQUESTS_KEPT];
    atomic_bool stopping;
};

typedef struct Peer {
    HttpServer *server;
    int socket;
} Peer;

static size_t body_length(const char *head) {
    const char *at = strcasestr(head, "\r\ncontent-length:");
    return at ? strtoul(at + 17, NULL, 10) : 0;
}

/* One request with its body; false when the peer has gone. */
static bool read_request(int socket, char *out) {
    size_t used = 0;
    for (;;) {
        ssize_t n = recv(socket, out + used, REQUEST_MOST - 1 - used, 0);
        if (n <= 0) return false;
        used += (size_t)n;
        out[used] = 0;
        const char *end = strstr(out, "\r\n\r\n");
        if (end && used >= (size_t)(end + 4 - out) + body_length(out)) return true;
    }
}

static bool send_all(int socket, const char *bytes, size_t length) {
    while (length) {
        ssize_t n = send(socket, bytes, length, MSG_NOSIGNAL);
        if (n <= 0) return false;
        bytes += n;
        length -= (size_t)n;
    }
    return true;
}

static void pause_ms(HttpServer *self, int ms) {
    for (int i = 0; (ms < 0 || i < ms) && !atomic_load(&self->stopping); i += 5) usleep(5000);
}

/* Waits, a minute at most, for requests beside this one. */
static void await_others(HttpServer *self, unsigned together) {
    for (int i = 0; i < 12000 && http_server_together(self) < together; i++) {
        if (atomic_load(&self->stopping)) break;
        usleep(5000);
    }
}

static const HttpStep *next_step(HttpServer *self, const char *request) {
    pthread_mutex_lock(&self->lock);
    unsigned n = self->nrequests++, working = atomic_fetch_add(&self->working, 1) + 1;
    if (working > self->together) self->together = working;
    if (n < REQUESTS_KEPT) self->requests[n] = strdup(request);
    pthread_mutex_unlock(&self->lock);
    return &self->steps[n < self->count ? n : self->count - 1];
}

static void *serve(void *context) {
    Peer *peer = context;
    HttpServer *self = peer->server;
    char *request = malloc(REQUEST_MOST);
    while (request && read_request(peer->socket, request)) {
        const HttpStep *step = next_step(self, request);
        pause_ms(self, step->delay_ms);
        await_others(self, step->together);
        atomic_fetch_sub(&self->working, 1); /* before the client can know of the answer */
        size_t length = step->length ? step->length : strlen(step->bytes);
        if (!send_all(peer->socket, step->bytes, length)) break;
        if (step->hang) pause_ms(self, -1);
        if (step->close || step->hang) break;
    }
    shutdown(peer->socket, SHUT_RDWR);
    free(request);
    free(peer);
    return NULL;
}

static void *accept_all(void *context) {
    HttpServer *self = context;
    while (!atomic_load(&self->stopping)) {
        struct pollfd ready = {.fd = self->listener, .events = POLLIN};
        if (poll(&ready, 1, 20) != 1) continue;
        int socket = accept(self->listener, NULL, NULL);
        if (socket < 0) continue;
        if (self->npeers == CONNECTIONS_MOST) {
            close(socket);
            continue;
        }
        Peer *peer = malloc(sizeof *peer);
        *peer = (Peer){self, socket};
        pthread_mutex_lock(&self->lock);
        self->sockets[self->npeers] = socket;
        pthread_create(&self->peers[self->npeers++], NULL, serve, peer);
        pthread_mutex_unlock(&self->lock);
    }
    return NULL;
}

HttpServer *http_server_start(const HttpStep *steps, size_t count) {
    HttpServer *self = calloc(1, sizeof *self);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    self->steps = steps;
    self->count = count;
    pthread_mutex_init(&self->lock, NULL);
    self->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(self->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(self->listener, 16) != 0 ||
        getsockname(self->listener, (struct sockaddr *)&address, &length) != 0)
        abort();
    self->port = ntohs(address.sin_port);
    pthread_create(&self->thread, NULL, accept_all, self);
    return self;
}

int http_server_port(const HttpServer *self) {
    return self->port;
}

unsigned http_server_requests(HttpServer *self) {
    pthread_mutex_lock(&self->lock);
    unsigned n = self->nrequests;
    pthread_mutex_unlock(&self->lock);
    return n;
}

unsigned http_server_together(HttpServer *self) {
    pthread_mutex_lock(&self->lock);
    unsigned n = self->together;
    pthread_mutex_unlock(&self->lock);
    return n;
}

unsigned http_server_connections(HttpServer *self) {
    pthread_mutex_lock(&self->lock);
    unsigned n = self->npeers;
    pthread_mutex_unlock(&self->lock);
    return n;
}

const char *http_server_request(HttpServer *self, unsigned n) {
    pthread_mutex_lock(&self->lock);
    const char *text = n < REQUESTS_KEPT && self->requests[n] ? self->requests[n] : "";
    pthread_mutex_unlock(&self->lock);
    return text;
}

void http_server_stop(HttpServer *self) {
    atomic_store(&self->stopping, true);
    pthread_join(self->thread, NULL);
    for (unsigned i = 0; i < self->npeers; i++) shutdown(self->sockets[i], SHUT_RDWR);
    for (unsigned i = 0; i < self->npeers; i++) {
        pthread_join(self->peers[i], NULL);
        close(self->sockets[i]);
    }
    for (unsigned i = 0; i < REQUESTS_KEPT; i++) free(self->requests[i]);
    close(self->listener);
    pthread_mutex_destroy(&self->lock);
    free(self);
}
