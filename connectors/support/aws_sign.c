/*
 * aws_sign.c - Signature Version 4: canonical request, string to sign, derived key, signature.
 *
 * Everything is text in the caller's arena; the derived key and the keyed hashes are wiped. No state.
 */
#include "connectors/support/aws_sign.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "connectors/support/uri.h"
#include "engine/base/calendar.h"

enum { HASH_BYTES = 32, CANONICAL_MOST = 4 * 1024 * 1024, STAMP_TEXT = 32 };

const char aws_empty_hash[AWS_HASH_TEXT + 1] =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static void hex_text(const unsigned char hash[HASH_BYTES], char out[AWS_HASH_TEXT + 1]) {
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < HASH_BYTES; i++) {
        out[i * 2] = digits[hash[i] >> 4];
        out[i * 2 + 1] = digits[hash[i] & 15];
    }
    out[AWS_HASH_TEXT] = 0;
}

bool aws_sha256_hex(const void *data, size_t length, char out[AWS_HASH_TEXT + 1]) {
    unsigned char hash[HASH_BYTES];
    if (EVP_Digest(length ? data : "", length, hash, NULL, EVP_sha256(), NULL) != 1) return false;
    hex_text(hash, out);
    return true;
}

static bool keyed_hash(const void *key, size_t key_length, Str text,
                       unsigned char out[HASH_BYTES]) {
    unsigned int length = HASH_BYTES;
    return HMAC(EVP_sha256(), key, (int)key_length, (const unsigned char *)text.data, text.len, out,
                &length) != NULL;
}

/* ---------------------------------------------------------------- the canonical request */

/* "/a/./b/../c//d" as "/a/c/d"; a closing slash stays. */
static void path_normalise(Buf *out, Str path) {
    size_t begin = out->len;
    bool slash = false;
    for (size_t at = 0; at < path.len;) {
        size_t end = at;
        while (end < path.len && path.data[end] != '/') end++;
        Str segment = {path.data + at, end - at};
        slash = end < path.len || str_equal(segment, STR(".")) || str_equal(segment, STR(".."));
        if (str_equal(segment, STR(".."))) {
            while (out->len > begin && out->data[out->len - 1] != '/') out->len--;
            if (out->len > begin) out->len--;
        } else if (segment.len && !str_equal(segment, STR("."))) {
            buf_char(out, '/');
            buf_str(out, segment);
        }
        at = end + 1;
    }
    if (slash || out->len == begin) buf_char(out, '/');
}

static void add_path(Buf *out, Arena *arena, const AwsRequest *request, uint32_t rules) {
    Buf normal;
    Str path = request->path.len ? request->path : STR("/");
    buf_init(&normal, arena, CANONICAL_MOST);
    if (rules & AWS_SIGN_NORMALISE) {
        path_normalise(&normal, path);
        path = buf_view(&normal);
    }
    if (normal.failed) out->failed = true;
    if (rules & AWS_SIGN_ENCODE_AGAIN)
        uri_encode(out, path, true);
    else
        buf_str(out, path);
}

static int pair_compare(const void *a, const void *b) {
    const HttpHeader *x = a, *y = b;
    int order = str_compare(x->name, y->name);
    return order ? order : str_compare(x->value, y->value);
}

/* Encodes anew, so that every byte that must be escaped is, in upper-case hex. */
static Str encoded_anew(Arena *arena, Str text, bool *good) {
    Buf plain, encoded;
    buf_init(&plain, arena, CANONICAL_MOST);
    buf_init(&encoded, arena, CANONICAL_MOST);
    uri_decode(&plain, text);
    uri_encode(&encoded, buf_view(&plain), false);
    *good = *good && !plain.failed && !encoded.failed;
    return buf_view(&encoded);
}

static Status add_query(Buf *out, Arena *arena, Str query, Error *err) {
    size_t count = 1, n = 0;
    bool good = true;
    for (size_t i = 0; i < query.len; i++) count += query.data[i] == '&';
    HttpHeader *pairs = ARENA_ARRAY(arena, HttpHeader, count);
    if (!pairs) return error_out_of_memory(err);
    for (size_t at = 0; at < query.len;) {
        size_t end = at, equal;
        while (end < query.len && query.data[end] != '&') end++;
        for (equal = at; equal < end && query.data[equal] != '=';) equal++;
        size_t value = equal < end ? equal + 1 : end;
        if (end > at) {
            pairs[n].name = encoded_anew(arena, (Str){query.data + at, equal - at}, &good);
            pairs[n++].value = encoded_anew(arena, (Str){query.data + value, end - value}, &good);
        }
        at = end + 1;
    }
    if (!good) return error_out_of_memory(err);
    qsort(pairs, n, sizeof *pairs, pair_compare);
    for (size_t i = 0; i < n; i++) {
        if (i) buf_char(out, '&');
        buf_str(out, pairs[i].name);
        buf_char(out, '=');
        buf_str(out, pairs[i].value);
    }
    return TRIB_OK;
}

typedef struct Signed {
    HttpHeader header; /* the name in lower case */
    uint32_t at;       /* where it stood: equal names keep their order */
} Signed;

static int signed_compare(const void *a, const void *b) {
    const Signed *x = a, *y = b;
    int order = str_compare(x->header.name, y->header.name);
    return order ? order : x->at < y->at ? -1 : 1;
}

static Status signed_sort(Arena *arena, const HttpHeader *headers, uint32_t count, Signed **out,
                          Error *err) {
    Signed *list = ARENA_ARRAY(arena, Signed, count);
    if (!list) return error_out_of_memory(err);
    for (uint32_t i = 0; i < count; i++) {
        char *name = str_dup(arena, headers[i].name);
        if (!name) return error_out_of_memory(err);
        for (char *c = name; *c; c++) {
            if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
        }
        list[i] = (Signed){{{name, headers[i].name.len}, headers[i].value}, i};
    }
    qsort(list, count, sizeof *list, signed_compare);
    *out = list;
    return TRIB_OK;
}

/* Blanks around a value go, several inside become one. */
static void add_value(Buf *out, Str value) {
    value = str_trim(value);
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == ' ' && i > 0 && value.data[i - 1] == ' ') continue;
        buf_char(out, value.data[i]);
    }
}

static void add_headers(Buf *out, Buf *names, const Signed *list, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        bool again = i > 0 && str_equal(list[i].header.name, list[i - 1].header.name);
        if (again) {
            out->len--; /* the line goes on */
            buf_char(out, ',');
        } else {
            if (names->len) buf_char(names, ';');
            buf_str(names, list[i].header.name);
            buf_str(out, list[i].header.name);
            buf_char(out, ':');
        }
        add_value(out, list[i].header.value);
        buf_char(out, '\n');
    }
}

static Status canonical_request(Arena *arena, const AwsSigning *signing, const AwsRequest *request,
                                const Signed *list, uint32_t count, Buf *out, Buf *names,
                                Error *err) {
    buf_init(out, arena, CANONICAL_MOST);
    buf_init(names, arena, CANONICAL_MOST);
    buf_str(out, request->method);
    buf_char(out, '\n');
    add_path(out, arena, request, signing->rules);
    buf_char(out, '\n');
    TRY(add_query(out, arena, request->query, err));
    buf_char(out, '\n');
    add_headers(out, names, list, count);
    buf_char(out, '\n');
    buf_str(out, buf_view(names));
    buf_char(out, '\n');
    buf_str(out, request->payload_hash);
    TRY(buf_status(names, err));
    return buf_status(out, err);
}

/* ---------------------------------------------------------------- the signature */

/* "20150830T123600Z" */
static void stamp_text(int64_t now_us, char out[STAMP_TEXT]) {
    int64_t seconds = now_us / US_PER_SECOND, days = seconds / 86400, rest = seconds % 86400;
    CivilDate date = date_to_civil((int32_t)days);
    text_format(out, STAMP_TEXT, "%04d%02u%02uT%02d%02d%02dZ", date.year % 10000, date.month,
                date.day, (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60));
}

static Status signature(Arena *arena, const AwsSigning *signing, Str stamp, Str scope,
                        Str canonical, char out[AWS_HASH_TEXT + 1], Error *err) {
    unsigned char key[HASH_BYTES];
    char hash[AWS_HASH_TEXT + 1];
    char *secret = arena_printf(arena, "AWS4%s", signing->keys.secret_key);
    if (!secret) return error_out_of_memory(err);
    bool good = aws_sha256_hex(canonical.data, canonical.len, hash);
    char *text = arena_printf(arena, "AWS4-HMAC-SHA256\n" STR_FORMAT "\n" STR_FORMAT "\n%s",
                              STR_ARGS(stamp), STR_ARGS(scope), hash);
    Str day = {stamp.data, 8};
    good = good && text && keyed_hash(secret, strlen(secret), day, key) &&
           keyed_hash(key, HASH_BYTES, str_from(signing->region), key) &&
           keyed_hash(key, HASH_BYTES, str_from(signing->service), key) &&
           keyed_hash(key, HASH_BYTES, STR("aws4_request"), key) &&
           keyed_hash(key, HASH_BYTES, str_from(text), key);
    if (good) hex_text(key, out);
    explicit_bzero(secret, strlen(secret));
    explicit_bzero(key, sizeof key);
    return good ? TRIB_OK : error_out_of_memory(err);
}

static void put(HttpHeader *list, uint32_t *count, const char *name, Str value) {
    list[(*count)++] = (HttpHeader){str_from(name), value};
}

Status aws_sign(Arena *arena, const AwsSigning *signing, const AwsRequest *request,
                HttpHeader **headers, uint32_t *nheaders, Str *canonical, Error *err) {
    char stamp[STAMP_TEXT], hash[AWS_HASH_TEXT + 1];
    uint32_t count = request->nheaders;
    HttpHeader *list = ARENA_ARRAY(arena, HttpHeader, count + 5);
    if (!list) return error_out_of_memory(err);
    if (count) memcpy(list, request->headers, count * sizeof *list);
    stamp_text(signing->now_us, stamp);
    char *date = arena_strdup(arena, stamp);
    char *scope =
        arena_printf(arena, "%.8s/%s/%s/aws4_request", stamp, signing->region, signing->service);
    if (!date || !scope) return error_out_of_memory(err);
    put(list, &count, "x-amz-date", str_from(date));
    if (signing->keys.token)
        put(list, &count, "x-amz-security-token", str_from(signing->keys.token));
    if (signing->rules & AWS_SIGN_PAYLOAD)
        put(list, &count, "x-amz-content-sha256", request->payload_hash);
    put(list, &count, "host", request->host); /* signed here, sent by the transport */
    Signed *sorted;
    Buf text, names;
    TRY(signed_sort(arena, list, count, &sorted, err));
    TRY(canonical_request(arena, signing, request, sorted, count, &text, &names, err));
    TRY(signature(arena, signing, str_from(date), str_from(scope), buf_view(&text), hash, err));
    count--; /* host */
    char *authorization = arena_printf(
        arena, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=" STR_FORMAT ", Signature=%s",
        signing->keys.access_key, scope, STR_ARGS(buf_view(&names)), hash);
    if (!authorization) return error_out_of_memory(err);
    put(list, &count, "authorization", str_from(authorization));
    if (canonical) *canonical = buf_view(&text);
    *headers = list;
    *nheaders = count;
    return TRIB_OK;
}
