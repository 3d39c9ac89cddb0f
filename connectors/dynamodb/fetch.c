/*
 * fetch.c - requests of a scan that are under way: the page that is wanted now, and some that will be.
 *
 * Answers are read in order; what runs ahead hides the server's time behind their decoding:
 *   - The page after the one being read. Its key stands at the end of the answer, behind the items, and is
 *     looked for there before they are read. That is a guess (an attribute may have the same name): when
 *     the answer has been read, a request that begins elsewhere is dropped and the right one made.
 *   - Queries of the following hash keys, eight at a time.
 * Nothing runs ahead of the first rows but Queries, nor where a limit may be reached before it is needed,
 * nor while the catalog has max_connections requests under way. What fails ahead fails when it is wanted.
 *
 * One thread at a time. Memory: one answer for each fetch; its buffers are kept for the next.
 */
#include "connectors/dynamodb/scan.h"
#include "connectors/support/call.h"
#include "engine/base/os.h"

enum { BODY_MOST = 24 << 20, NEXT_MOST = 20 << 20, LIMIT_MOST = 100000, TAIL_MOST = 64 << 10 };

/* ---------------------------------------------------------------- what is sent */

static void body_values(const TribScan *self, uint32_t unit, Buf *body) {
    const Buf *values = &self->request.values;
    bool key = self->way.kind == READ_QUERY;
    if (values->len == 0 && !key) return;
    buf_text(body, ",\"ExpressionAttributeValues\":{");
    buf_str(body, buf_view(values));
    if (key) {
        buf_text(body, values->len ? ",\":h\":" : "\":h\":");
        filter_value_json(body, &self->keys[unit]);
    }
    buf_char(body, '}');
}

/* `Limit` counts items before the filter: it is of use only where there is none. */
static void body_limit(const TribScan *self, Buf *body) {
    bool filtered = self->request.local || (self->way.filters_sent && self->plan->nfilters > 0 &&
                                            self->request.values.len > 0);
    if (self->left > 0 && !filtered && self->left < LIMIT_MOST)
        buf_printf(body, ",\"Limit\":%lld", (long long)self->left);
}

static void body_page(const TribScan *self, const Fetch *fetch, Buf *body) {
    buf_char(body, '{');
    buf_str(body, buf_view(&self->request.head));
    body_values(self, fetch->unit, body);
    if (self->way.kind == READ_SCAN && self->part.total > 1)
        buf_printf(body, ",\"Segment\":%u,\"TotalSegments\":%u", self->part.index,
                   self->part.total);
    body_limit(self, body);
    if (fetch->from.len) {
        buf_text(body, ",\"ExclusiveStartKey\":");
        buf_str(body, buf_view(&fetch->from));
    }
    buf_char(body, '}');
}

static void body_get(const TribScan *self, const Fetch *fetch, Buf *body) {
    buf_text(body, "{\"ReturnConsumedCapacity\":\"TOTAL\",\"RequestItems\":");
    if (fetch->from.len) { /* what was left over has the form of a request */
        buf_str(body, buf_view(&fetch->from));
        buf_char(body, '}');
        return;
    }
    uint32_t from = fetch->unit * GET_KEYS_MOST, to = from + GET_KEYS_MOST;
    if (to > self->nkeys) to = self->nkeys;
    buf_char(body, '{');
    json_quote(body, self->plan->table);
    buf_text(body, ":{\"Keys\":[");
    for (uint32_t i = from; i < to; i++) {
        buf_text(body, i > from ? ",{" : "{");
        json_quote(body, self->way.path->hash.name);
        buf_char(body, ':');
        filter_value_json(body, &self->keys[i]);
        buf_char(body, '}');
    }
    buf_char(body, ']');
    buf_str(body, buf_view(&self->request.head)); /* begins with a comma */
    buf_text(body, "}}}");
}

/* ---------------------------------------------------------------- one request */

static Status fetch_make(TribScan *self, Fetch **out, Error *err) {
    static const Operation operations[] = {[READ_NOTHING] = OP_SCAN,
                                           [READ_SCAN] = OP_SCAN,
                                           [READ_QUERY] = OP_QUERY,
                                           [READ_GET] = OP_BATCH_GET};
    Fetch *fetch = NULL;
    for (uint32_t i = 0; i < FETCHES_MOST && !fetch; i++) {
        if (self->fetches[i].state == FETCH_FREE) fetch = &self->fetches[i];
    }
    *out = fetch;
    if (!fetch || fetch->ready) return TRIB_OK;
    buf_init(&fetch->from, NULL, NEXT_MOST);
    buf_init(&fetch->text, NULL, BODY_MOST);
    TRY(request_init(&fetch->exchange, self->catalog, self->call, operations[self->way.kind], err));
    fetch->ready = true;
    return TRIB_OK;
}

/* *out = NULL: all are taken. */
static Status fetch_start(TribScan *self, uint32_t unit, Str from, Fetch **out, Error *err) {
    TRY(fetch_make(self, out, err));
    Fetch *fetch = *out;
    if (!fetch) return TRIB_OK;
    fetch->unit = unit;
    fetch->from.len = fetch->text.len = 0;
    buf_str(&fetch->from, from);
    if (self->way.kind == READ_GET)
        body_get(self, fetch, &fetch->text);
    else
        body_page(self, fetch, &fetch->text);
    TRY(buf_status(&fetch->from, err));
    TRY(buf_status(&fetch->text, err));
    AwsExchange *exchange = &fetch->exchange;
    exchange->http.body_out = buf_view(&fetch->text);
    exchange->http.delay_ns =
        self->fruitless ? (INT64_C(10000000) << (self->fruitless < 7 ? self->fruitless : 7)) : 0;
    exchange->clock_corrected = exchange->keys_renewed = false;
    TRY(http_start(self->session, &exchange->http, err));
    fetch->state = FETCH_UNDER_WAY;
    atomic_fetch_add(&self->catalog->under_way, 1);
    return TRIB_OK;
}

static void fetch_over(TribScan *self, Fetch *fetch, FetchState state) {
    if (fetch->state == FETCH_UNDER_WAY) atomic_fetch_sub(&self->catalog->under_way, 1);
    fetch->state = state;
}

static void fetch_drop(TribScan *self, Fetch *fetch) {
    if (fetch->state == FETCH_UNDER_WAY) http_abort(self->session, &fetch->exchange.http);
    fetch_over(self, fetch, FETCH_FREE);
}

static bool fetch_is(const Fetch *fetch, uint32_t unit, Str from) {
    return fetch->state != FETCH_FREE && fetch->unit == unit &&
           str_equal(buf_view(&fetch->from), from);
}

static Fetch *fetch_find(TribScan *self, uint32_t unit, Str from) {
    for (uint32_t i = 0; i < FETCHES_MOST; i++) {
        if (fetch_is(&self->fetches[i], unit, from)) return &self->fetches[i];
    }
    return NULL;
}

static Status fetch_wait(TribScan *self, Fetch *fetch, Error *err) {
    int64_t begun = os_now_ns();
    while (fetch->state == FETCH_UNDER_WAY) {
        HttpExchange *ended = NULL;
        TRY(http_wait(self->session, &ended, err));
        for (uint32_t i = 0; i < FETCHES_MOST; i++) {
            if (&self->fetches[i].exchange.http == ended)
                fetch_over(self, &self->fetches[i], FETCH_ENDED);
        }
    }
    self->stats.wait_ns += os_now_ns() - begun;
    HttpExchange *http = &fetch->exchange.http;
    if (http->status != TRIB_OK) {
        *err = http->err;
        return http->status;
    }
    return http->code == 200 ? TRIB_OK : aws_error(&fetch->exchange, err);
}

/* ---------------------------------------------------------------- ahead */

uint32_t scan_units(const TribScan *self) {
    switch (self->way.kind) {
    case READ_QUERY: return self->nkeys;
    case READ_GET: return (self->nkeys + GET_KEYS_MOST - 1) / GET_KEYS_MOST;
    default: return self->part.total;
    }
}

static bool connection_spare(const TribScan *self) {
    return atomic_load(&self->catalog->under_way) < self->catalog->max_connections;
}

/*
 * Will the page after this one be wanted? Rows of an earlier batch show that the reader goes on; a limit
 * must be further away than this page can come (an item has two bytes and a comma) and so far that no
 * request says `Limit`.
 */
static bool next_wanted(const TribScan *self) {
    bool going = self->stats.rows > 0 || self->stats.pages > 1;
    size_t most = self->fetch->exchange.http.body.len / 3;
    if (!self->page.open || self->page.guessed || !going || self->request.count ||
        self->way.kind == READ_GET)
        return false;
    return self->left < 0 || (uint64_t)self->left > LIMIT_MOST + (uint64_t)most;
}

/* The LastEvaluatedKey at the answer's end; empty if there is none to be seen. */
static Str next_guess(TribScan *self) {
    static const char name[] = "\"LastEvaluatedKey\"";
    const size_t length = sizeof name - 1;
    Str body = buf_view(&self->fetch->exchange.http.body), none = {"", 0}, raw;
    size_t least = body.len > TAIL_MOST ? body.len - TAIL_MOST : 0;
    for (size_t at = body.len; at-- > least;) {
        JsonReader reader;
        JsonToken token;
        Error ignored;
        if (body.len - at < length || memcmp(body.data + at, name, length) != 0) continue;
        at += length;
        while (at < body.len && (body.data[at] == ' ' || body.data[at] == ':')) at++;
        json_init(&reader, self->page_arena, (Str){body.data + at, body.len - at}, false, 8);
        bool good = json_next(&reader, &token, &ignored) == TRIB_OK && token == JSON_OBJECT_BEGIN &&
                    json_skip(&reader, token, &raw, &ignored) == TRIB_OK && raw.len > 2;
        return good ? raw : none;
    }
    return none;
}

/* Queries of the keys that follow. */
static Status queries_ahead(TribScan *self, Error *err) {
    uint32_t total = self->part.total, units = scan_units(self);
    if (self->way.kind != READ_QUERY || self->left >= 0) return TRIB_OK;
    for (uint32_t n = 1; n < QUERIES_MOST && units - self->unit > (uint64_t)n * total; n++) {
        uint32_t unit = self->unit + n * total;
        Fetch *fetch = fetch_find(self, unit, (Str){"", 0});
        if (fetch) continue;
        if (!connection_spare(self)) break;
        TRY(fetch_start(self, unit, (Str){"", 0}, &fetch, err));
        if (!fetch) break;
    }
    return TRIB_OK;
}

Status fetch_ahead(TribScan *self, Error *err) {
    if (self->fetch && next_wanted(self) && connection_spare(self)) {
        self->page.guessed = true;
        Str next = next_guess(self);
        Fetch *fetch;
        if (next.len && !str_equal(next, buf_view(&self->next)))
            TRY(fetch_start(self, self->unit, next, &fetch, err));
    }
    TRY(queries_ahead(self, err));
    http_poke(self->session);
    return TRIB_OK;
}

Status fetch_page(TribScan *self, Error *err) {
    Str from = buf_view(&self->next);
    fetch_done(self);
    for (uint32_t i = 0; i < FETCHES_MOST; i++) { /* a wrong guess */
        Fetch *other = &self->fetches[i];
        if (other->state != FETCH_FREE && other->unit == self->unit &&
            !fetch_is(other, self->unit, from))
            fetch_drop(self, other);
    }
    self->fetch = fetch_find(self, self->unit, from);
    if (!self->fetch) TRY(fetch_start(self, self->unit, from, &self->fetch, err));
    if (!self->fetch) return error_set(err, ERR_GENERAL, "no request is free");
    TRY(queries_ahead(self, err));
    return fetch_wait(self, self->fetch, err);
}

void fetch_done(TribScan *self) {
    if (self->fetch) fetch_drop(self, self->fetch);
    self->fetch = NULL;
}

void fetches_release(TribScan *self) {
    for (uint32_t i = 0; i < FETCHES_MOST; i++) {
        Fetch *fetch = &self->fetches[i];
        if (!fetch->ready) continue;
        fetch_drop(self, fetch);
        aws_exchange_clear(&fetch->exchange);
        buf_clear(&fetch->from);
        buf_clear(&fetch->text);
    }
}
