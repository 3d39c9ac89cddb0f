/*
 * uri.c - percent-encoding and splitting of URLs. No state, no allocation but through the caller's Buf.
 */
#include "connectors/support/uri.h"

static bool is_unreserved(unsigned char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void uri_encode(Buf *out, Str text, bool keep_slash) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (is_unreserved(c) || (c == '/' && keep_slash)) {
            buf_char(out, (char)c);
        } else {
            char escaped[3] = {'%', digits[c >> 4], digits[c & 15]};
            buf_add(out, escaped, sizeof escaped);
        }
    }
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

void uri_decode(Buf *out, Str text) {
    for (size_t i = 0; i < text.len; i++) {
        int high = -1, low = -1;
        if (text.data[i] == '%' && i + 2 < text.len) {
            high = hex_digit(text.data[i + 1]);
            low = hex_digit(text.data[i + 2]);
        }
        if (high < 0 || low < 0) {
            buf_char(out, text.data[i]);
        } else {
            buf_char(out, (char)(high * 16 + low));
            i += 2;
        }
    }
}

/* The text up to the first of `stops`; *rest begins with that byte. */
static Str take_until(Str *rest, const char *stops) {
    size_t n = 0;
    while (n < rest->len && !strchr(stops, rest->data[n])) n++;
    Str taken = {rest->data, n};
    rest->data += n;
    rest->len -= n;
    return taken;
}

static bool split_authority(Str authority, Uri *out) {
    const char *colon = NULL;
    for (size_t i = 0; i < authority.len; i++) {
        if (authority.data[i] == ':') colon = authority.data + i;
        if (authority.data[i] == ']') colon = NULL; /* colons of an IPv6 address */
        if (authority.data[i] == '@') return false;
    }
    out->host = authority;
    out->port = (Str){authority.data + authority.len, 0};
    if (colon) {
        out->host.len = (size_t)(colon - authority.data);
        out->port = (Str){colon + 1, authority.len - out->host.len - 1};
    }
    for (size_t i = 0; i < out->port.len; i++) {
        if (out->port.data[i] < '0' || out->port.data[i] > '9') return false;
    }
    return out->host.len > 0 && out->port.len <= 5;
}

bool uri_split(Str text, Uri *out) {
    Str rest = text;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c <= ' ' || c == 0x7f || c == '#' || c == '\\') return false;
    }
    memset(out, 0, sizeof *out);
    out->scheme = take_until(&rest, ":");
    if (!str_equal_fold(out->scheme, STR("http")) && !str_equal_fold(out->scheme, STR("https")))
        return false;
    if (rest.len < 3 || memcmp(rest.data, "://", 3) != 0) return false;
    rest.data += 3;
    rest.len -= 3;
    if (!split_authority(take_until(&rest, "/?"), out)) return false;
    out->path = take_until(&rest, "?");
    if (rest.len) out->query = (Str){rest.data + 1, rest.len - 1};
    return true;
}

char *uri_host_header(Arena *arena, const Uri *uri) {
    bool tls = str_equal_fold(uri->scheme, STR("https"));
    Str usual = tls ? STR("443") : STR("80");
    if (uri->port.len == 0 || str_equal(uri->port, usual)) return str_dup(arena, uri->host);
    return arena_printf(arena, STR_FORMAT ":" STR_FORMAT, STR_ARGS(uri->host), STR_ARGS(uri->port));
}
