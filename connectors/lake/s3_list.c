/*
 * s3_list.c - ListObjectsV2: pages of keys, each asked for with the token of the one before.
 *
 * Keys are asked for %-encoded, since XML cannot hold every character. A page whose keys do not come
 * after those of the page before would make the list endless: that is an error, and so is a page that
 * says it is not the last but has no token.
 */
#include "connectors/lake/store_s3.h"

#include "connectors/support/uri.h"
#include "connectors/support/xml.h"
#include "engine/base/number.h"

#include <stdlib.h>

enum { PAGE_BYTES_MAX = 32 * 1024 * 1024, ENTRIES_MAX = 1000000, KEY_MAX = 16 * 1024 };

/* ---------------------------------------------------------------- one page */

typedef struct PageReader {
    XmlReader xml;
    Arena *arena;
    S3Page *page;
    bool encoded, truncated;
} PageReader;

static Status key_decode(const PageReader *self, Str *key, Error *err) {
    Buf out;
    if (!self->encoded) return TRIB_OK;
    char *plain = arena_copy(self->arena, key->data, key->len);
    if (!plain) return error_out_of_memory(err);
    for (size_t i = 0; i < key->len; i++) {
        if (plain[i] == '+') plain[i] = ' '; /* a plus itself comes as %2B */
    }
    buf_init(&out, self->arena, KEY_MAX);
    uri_decode(&out, (Str){plain, key->len});
    TRY(buf_status(&out, err));
    *key = buf_view(&out);
    if (memchr(key->data, '\0', key->len))
        return error_set(err, ERR_SOURCE, "S3 lists a key with a NUL character in it");
    return TRIB_OK;
}

static Status entry_add(PageReader *self, S3Entry **out, Error *err) {
    S3Page *page = self->page;
    if (page->count == ENTRIES_MAX)
        return error_set(err, ERR_SOURCE, "S3 sent a page of more than %d keys", ENTRIES_MAX);
    if (page->count == page->room) {
        uint32_t room = page->room ? page->room * 2 : 256;
        TRY_ALLOC(page->entries,
                  arena_resize(self->arena, page->entries, page->room * sizeof(S3Entry),
                               room * sizeof(S3Entry)),
                  err);
        page->room = room;
    }
    *out = &page->entries[page->count++];
    **out = (S3Entry){0};
    return TRIB_OK;
}

/* Within <Contents> or <CommonPrefixes>. */
static Status entry_read(PageReader *self, bool prefix, Error *err) {
    S3Entry *entry;
    XmlToken token;
    Str text;
    bool sized = prefix;
    TRY(entry_add(self, &entry, err));
    entry->prefix = prefix;
    for (;;) {
        TRY(xml_next(&self->xml, &token, err));
        if (token == XML_CLOSE) break;
        if (token != XML_OPEN) continue;
        Str name = self->xml.name;
        bool key = str_equal(name, prefix ? STR("Prefix") : STR("Key"));
        if (!key && !str_equal(name, STR("Size")) && !str_equal(name, STR("ETag"))) {
            TRY(xml_skip(&self->xml, err));
            continue;
        }
        TRY(xml_text(&self->xml, &text, err));
        int64_t size = 0;
        if (key) {
            entry->key = text;
        } else if (str_equal(name, STR("ETag"))) {
            entry->etag = text;
        } else if (int64_parse(str_trim(text), &size) == NUMBER_OK && size >= 0) {
            entry->size = (uint64_t)size;
            sized = true;
        }
    }
    if (entry->key.len == 0 || !sized)
        return error_set(err, ERR_SOURCE,
                         "S3 sent a list with an entry that lacks its key or size");
    return TRIB_OK;
}

static Status element_read(PageReader *self, Error *err) {
    Str name = self->xml.name, text;
    if (str_equal(name, STR("Contents"))) return entry_read(self, false, err);
    if (str_equal(name, STR("CommonPrefixes"))) return entry_read(self, true, err);
    if (str_equal(name, STR("IsTruncated"))) {
        TRY(xml_text(&self->xml, &text, err));
        self->truncated = str_equal_fold(str_trim(text), STR("true"));
        return TRIB_OK;
    }
    if (str_equal(name, STR("NextContinuationToken")))
        return xml_text(&self->xml, &self->page->token, err);
    if (str_equal(name, STR("EncodingType"))) {
        TRY(xml_text(&self->xml, &text, err));
        self->encoded = str_equal(str_trim(text), STR("url"));
        return TRIB_OK;
    }
    return xml_skip(&self->xml, err);
}

static int entries_compare(const void *a, const void *b) {
    return str_compare(((const S3Entry *)a)->key, ((const S3Entry *)b)->key);
}

Status s3_page_parse(Arena *arena, Str document, S3Page *out, Error *err) {
    PageReader self = {.arena = arena, .page = out};
    XmlToken token;
    *out = (S3Page){0};
    xml_init(&self.xml, arena, document);
    TRY(xml_next(&self.xml, &token, err));
    while (token == XML_TEXT) TRY(xml_next(&self.xml, &token, err));
    if (token != XML_OPEN || !str_equal(self.xml.name, STR("ListBucketResult")))
        return error_set(err, ERR_SOURCE, "S3 answered with something that is no list of objects");
    for (;;) {
        TRY(xml_next(&self.xml, &token, err));
        if (token == XML_CLOSE) break;
        if (token == XML_OPEN) TRY(element_read(&self, err));
    }
    do { /* nothing but the end may follow */
        TRY(xml_next(&self.xml, &token, err));
    } while (token != XML_END);
    /* The encoding may be announced behind the keys. */
    for (uint32_t i = 0; i < out->count; i++) TRY(key_decode(&self, &out->entries[i].key, err));
    if (out->count) qsort(out->entries, out->count, sizeof *out->entries, entries_compare);
    if (!self.truncated) out->token = (Str){NULL, 0};
    if (self.truncated && out->token.len == 0)
        return error_set(err, ERR_SOURCE, "S3 says that its list goes on, but not where");
    return TRIB_OK;
}

/* ---------------------------------------------------------------- all pages */

typedef struct Lister {
    S3Store *store;
    TribCall *call;
    const char *key; /* bucket/prefix as asked for */
    bool deep;
    const StoreVisit *visit;
    StoreStats *stats;
    Arena *arena; /* of the page at hand */
    Buf token;    /* of the next page */
    Buf last;     /* the greatest key so far */
    uint64_t seen;
} Lister;

static Status query_write(const Lister *self, Buf *query, Error *err) {
    const char *slash = strchr(self->key, '/');
    if (self->token.len) {
        buf_text(query, "continuation-token=");
        uri_encode(query, buf_view(&self->token), false);
        buf_char(query, '&');
    }
    if (!self->deep) buf_text(query, "delimiter=%2F&");
    buf_text(query, "encoding-type=url&list-type=2&prefix=");
    if (slash && slash[1]) {
        uri_encode(query, str_from(slash + 1), false);
        buf_text(query, "%2F");
    }
    return buf_status(query, err);
}

static Status page_ask(Lister *self, AwsExchange *exchange, S3Page *page, Error *err) {
    Buf query;
    buf_init(&query, self->arena, KEY_MAX);
    TRY(query_write(self, &query, err));
    TRY(s3_address(self->store, self->arena, self->key, true, exchange, err));
    exchange->query = buf_view(&query);
    exchange->http.method = "GET";
    exchange->http.max_body = PAGE_BYTES_MAX;
    TRY(http_run(self->store->client->http, self->call, &exchange->http, err));
    if (exchange->http.code != 200) return s3_error(self->store, exchange, NULL, self->key, err);
    return s3_page_parse(self->arena, buf_view(&exchange->http.body), page, err);
}

static Status entry_visit(Lister *self, const S3Entry *entry, size_t prefix, Error *err) {
    const char *slash = strchr(self->key, '/');
    size_t bucket = slash ? (size_t)(slash - self->key) : strlen(self->key);
    char *name, *etag = NULL;
    bool enter;
    if (entry->key.len <= prefix) return TRIB_OK; /* the folder's own marker */
    size_t length = entry->key.len - (entry->prefix ? 1 : 0);
    TRY_ALLOC(name,
              arena_printf(self->arena, "%.*s/%.*s", (int)bucket, self->key, (int)length,
                           entry->key.data),
              err);
    if (entry->prefix) return self->visit->folder(self->visit->self, name, &enter, err);
    if (entry->etag.len) TRY_ALLOC(etag, str_dup(self->arena, entry->etag), err);
    StoreObject object = {.key = name, .size = entry->size, .etag = etag};
    return self->visit->object(self->visit->self, &object, err);
}

/* Hands a page's entries on, after a look at whether the list moves. */
static Status page_visit(Lister *self, const S3Page *page, Error *err) {
    const char *slash = strchr(self->key, '/');
    size_t prefix = slash && slash[1] ? strlen(slash + 1) + 1 : 0;
    if (page->token.len && page->count == 0 && str_equal(page->token, buf_view(&self->token)))
        return error_set(err, ERR_SOURCE, "S3 repeats a page of its list of s3://%s", self->key);
    for (uint32_t i = 0; i < page->count; i++) {
        const S3Entry *entry = &page->entries[i];
        if (self->seen && i == 0 && str_compare(entry->key, buf_view(&self->last)) <= 0)
            return error_set(err, ERR_SOURCE, "S3 repeats a page of its list of s3://%s",
                             self->key);
        self->seen++;
        TRY(entry_visit(self, entry, prefix, err));
    }
    if (page->count) {
        self->last.len = 0;
        buf_str(&self->last, page->entries[page->count - 1].key);
    }
    TRY(buf_status(&self->last, err));
    bool same = page->token.data && str_equal(page->token, buf_view(&self->token));
    if (same)
        return error_set(err, ERR_SOURCE, "S3 repeats the token of a page: s3://%s", self->key);
    self->token.len = 0;
    buf_str(&self->token, page->token.data ? page->token : STR(""));
    return buf_status(&self->token, err);
}

static Status pages_walk(Lister *self, Error *err) {
    do {
        AwsExchange exchange;
        S3Page page = {0};
        arena_reset(self->arena);
        TRY(call_check(self->call, self->store->catalog, err));
        TRY(aws_exchange_init(&exchange, self->store->client, self->call, err));
        Status status = page_ask(self, &exchange, &page, err);
        self->stats->requests += exchange.http.attempts;
        self->stats->retries += exchange.http.attempts ? exchange.http.attempts - 1 : 0;
        self->stats->wait_ns += exchange.http.wait_ns;
        if (status == TRIB_OK) status = page_visit(self, &page, err);
        aws_exchange_clear(&exchange);
        TRY(status);
    } while (self->token.len);
    if (self->seen) return TRIB_OK;
    return error_set(err, ERR_TABLE_NOT_FOUND, "there is nothing in s3://%s", self->key);
}

Status s3_list(Store *base, TribCall *call, const char *key, bool deep, const StoreVisit *visit,
               StoreStats *stats, Error *err) {
    Lister self = {.store = (S3Store *)base,
                   .call = call,
                   .key = key,
                   .deep = deep,
                   .visit = visit,
                   .stats = stats};
    TRY_ALLOC(self.arena, arena_new(NULL), err);
    buf_init(&self.token, NULL, KEY_MAX);
    buf_init(&self.last, NULL, KEY_MAX);
    Status status = pages_walk(&self, err);
    buf_clear(&self.token);
    buf_clear(&self.last);
    arena_free(self.arena);
    return status;
}
