/*
 * url.c - rows and kernels of URLs: their parts, and the escaping of text within them.
 *
 * A URL is taken apart after RFC 2396 with Java's deviations (java.net.URI), because that is what decides
 * in Trino which texts are URLs: what is none gives NULL, a part that is not there ''. Characters beyond
 * ASCII are allowed wherever escaped ones are. Parts are returned decoded.
 */
#include "engine/functions/helpers.h"

#include <arpa/inet.h>

enum {
    C_ALPHA = 1,
    C_DIGIT = 2,
    C_MARK = 4,      /* -_.!~*'() */
    C_SCHEME = 8,    /* + - . beside letters and digits */
    C_PATH = 16,     /* ;/:@&=+$, */
    C_USER = 32,     /* ;:&=+$, */
    C_REGISTRY = 64, /* $,;:@&=+ */
    C_RESERVED = 128 /* ;/?:@&=+$,[] */
};
#define C_UNRESERVED (C_ALPHA | C_DIGIT | C_MARK)

typedef struct Url {
    Str scheme, host, path, query, fragment; /* data NULL: not there */
    int64_t port;                            /* -1: not there */
} Url;

/* ---------------------------------------------------------------- characters */

static bool among(char c, const char *set) {
    return c != '\0' && strchr(set, c) != NULL;
}

static unsigned char_class(char c) {
    unsigned class = 0;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) class |= C_ALPHA | C_SCHEME;
    if (c >= '0' && c <= '9') class |= C_DIGIT | C_SCHEME;
    if (among(c, "-_.!~*'()")) class |= C_MARK;
    if (among(c, "+-.")) class |= C_SCHEME;
    if (among(c, ";/:@&=+$,")) class |= C_PATH;
    if (among(c, ";:&=+$,")) class |= C_USER;
    if (among(c, "$,;:@&=+")) class |= C_REGISTRY;
    if (among(c, ";/?:@&=+$,[]")) class |= C_RESERVED;
    return class;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool space_or_control(int32_t c) {
    return c < 0xa0 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
           c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* Are all characters of the classes, escaped, or other ones that are visible? */
static bool all_of(Str text, unsigned classes) {
    for (size_t at = 0; at < text.len;) {
        char c = text.data[at];
        if ((uint8_t)c >= 0x80) {
            int32_t point = utf8_next(text.data, text.len, &at);
            if (space_or_control(point)) return false;
        } else if (c == '%') {
            if (at + 2 >= text.len || hex_value(text.data[at + 1]) < 0 ||
                hex_value(text.data[at + 2]) < 0)
                return false;
            at += 3;
        } else {
            if ((char_class(c) & classes) == 0) return false;
            at++;
        }
    }
    return true;
}

/* Length of the text before the first of the characters. */
static size_t until(Str text, const char *stops) {
    size_t at = 0;
    while (at < text.len && !among(text.data[at], stops)) at++;
    return at;
}

static Str str_after(Str text, size_t skip) {
    return (Str){text.data + skip, text.len - skip};
}

/* ---------------------------------------------------------------- host and port */

/* Bytes of "1.2.3.4" that stand alone or before a colon; 0 = it is none. */
static size_t ipv4_length(Str text) {
    size_t at = 0;
    for (int part = 0; part < 4; part++) {
        int value = 0;
        size_t start = at;
        while (at < text.len && (char_class(text.data[at]) & C_DIGIT) && value <= 255)
            value = value * 10 + (text.data[at++] - '0');
        if (at == start || value > 255) return 0;
        if (part < 3 && (at == text.len || text.data[at++] != '.')) return 0;
    }
    return at == text.len || text.data[at] == ':' ? at : 0;
}

static bool alphanumeric(char c) {
    return (char_class(c) & (C_ALPHA | C_DIGIT)) != 0;
}

/* Bytes of the host name: labels of letters, digits and inner hyphens; the last begins with a letter, if
 * there are several. 0 = it is none. */
static size_t hostname_length(Str text) {
    size_t at = 0, last = SIZE_MAX;
    while (at < text.len && alphanumeric(text.data[at])) {
        last = at;
        while (at < text.len && (alphanumeric(text.data[at]) || text.data[at] == '-')) at++;
        if (text.data[at - 1] == '-') return 0;
        if (at == text.len || text.data[at] != '.') break;
        at++;
    }
    if (at < text.len && text.data[at] != ':') return 0;
    if (last == SIZE_MAX || (last > 0 && !(char_class(text.data[last]) & C_ALPHA))) return 0;
    return at;
}

/* Bytes of "[address]" or "[address%scope]"; 0 = it is none. */
static size_t ipv6_length(Str text) {
    char address[INET6_ADDRSTRLEN + 1];
    struct in6_addr binary;
    size_t end = until(text, "]/?#");
    if (end == text.len || text.data[end] != ']') return 0;
    Str inside = {text.data + 1, end - 1};
    size_t len = until(inside, "%");
    Str scope = str_after(inside, len);
    if (scope.len == 1) return 0;
    for (size_t i = 1; i < scope.len; i++) {
        if (!alphanumeric(scope.data[i]) && !among(scope.data[i], "_.")) return 0;
    }
    if (len == 0 || len >= sizeof(address)) return 0;
    memcpy(address, inside.data, len);
    address[len] = '\0';
    return inet_pton(AF_INET6, address, &binary) == 1 ? end + 1 : 0;
}

/* [user@]host[:port]; false if it is not of this form. */
static bool parse_server(Str text, Url *out) {
    size_t at = until(text, "@");
    if (at < text.len) {
        if (!all_of((Str){text.data, at}, C_UNRESERVED | C_USER)) return false;
        text = str_after(text, at + 1);
    }
    size_t len = text.len > 0 && text.data[0] == '[' ? ipv6_length(text) : ipv4_length(text);
    if (len == 0 && (text.len == 0 || text.data[0] != '[')) len = hostname_length(text);
    if (len == 0) return false;
    Str host = {text.data, len};
    int64_t port = -1;
    text = str_after(text, len);
    if (text.len > 0 && text.data[0] != ':') return false;
    for (size_t i = 1; i < text.len; i++) {
        if (!(char_class(text.data[i]) & C_DIGIT)) return false;
        port = (port < 0 ? 0 : port) * 10 + (text.data[i] - '0');
        if (port > INT32_MAX) return false;
    }
    out->host = host;
    out->port = port;
    return true;
}

static bool server_characters(Str text) {
    bool scoped = until(text, "]") < text.len;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (among(c, ".:@[]-") || (scoped && c == '%')) continue;
        if ((uint8_t)c < 0x80 && c != '%' && !(char_class(c) & (C_UNRESERVED | C_USER)))
            return false;
    }
    return scoped || all_of(text, C_UNRESERVED | C_USER | C_RESERVED);
}

/* A server, or a name of another registry, which has no host. */
static bool parse_authority(Str text, Url *out) {
    if (server_characters(text) && parse_server(text, out)) return true;
    return all_of(text, C_UNRESERVED | C_REGISTRY);
}

/* ---------------------------------------------------------------- the whole */

/* [//authority][path][?query], nothing behind it. */
static bool parse_hierarchy(Str text, Url *out) {
    if (text.len >= 2 && text.data[0] == '/' && text.data[1] == '/') {
        text = str_after(text, 2);
        size_t len = until(text, "/?");
        if (len > 0 ? !parse_authority((Str){text.data, len}, out) : text.len == 0) return false;
        text = str_after(text, len);
    }
    size_t len = until(text, "?");
    out->path = (Str){text.data, len};
    if (len < text.len) out->query = str_after(text, len + 1);
    return all_of(out->path, C_UNRESERVED | C_PATH) &&
           all_of(out->query, C_UNRESERVED | C_RESERVED);
}

static bool scheme_valid(Str text) {
    if (text.len == 0 || !(char_class(text.data[0]) & C_ALPHA)) return false;
    for (size_t i = 1; i < text.len; i++) {
        if (!(char_class(text.data[i]) & C_SCHEME)) return false;
    }
    return true;
}

static bool url_parse(Str text, Url *out) {
    *out = (Url){.port = -1};
    size_t end = until(text, "#");
    if (end < text.len) {
        out->fragment = str_after(text, end + 1);
        if (!all_of(out->fragment, C_UNRESERVED | C_RESERVED)) return false;
    }
    bool fragment = end < text.len;
    text.len = end;
    size_t colon = until(text, "/?:");
    if (colon == text.len || text.data[colon] != ':') {
        /* "//" and nothing else is no authority, but one may be empty before a fragment */
        bool bare = text.len == 2 && fragment && memcmp(text.data, "//", 2) == 0;
        if (bare) text = str_after(text, 2);
        return parse_hierarchy(text, out);
    }
    out->scheme = (Str){text.data, colon};
    if (!scheme_valid(out->scheme)) return false;
    text = str_after(text, colon + 1);
    if (text.len == 0) return false;
    if (text.data[0] == '/') {
        bool bare = text.len == 2 && fragment && text.data[1] == '/';
        return parse_hierarchy(bare ? str_after(text, 2) : text, out);
    }
    return all_of(text, C_UNRESERVED | C_RESERVED); /* opaque: mailto:somebody */
}

/* ---------------------------------------------------------------- decoding */

/* Appends the bytes as UTF-8, U+FFFD for those that are none. */
static void append_repaired(Buf *out, Str bytes) {
    for (size_t at = 0; at < bytes.len;) {
        char encoded[4];
        int32_t point = utf8_next(bytes.data, bytes.len, &at);
        buf_add(out, encoded, utf8_put(encoded, point < 0 ? 0xfffd : (uint32_t)point));
    }
}

/* Replaces escapes (and '+' by a blank); false on a malformed one. out is emptied first. */
static bool url_unescape(Str text, bool plus, Buf *scratch, Buf *out) {
    kernel_buf_reset(out);
    kernel_buf_reset(scratch);
    for (size_t at = 0; at < text.len; at++) {
        char c = text.data[at];
        if (c == '%') {
            if (at + 2 >= text.len) return false;
            int high = hex_value(text.data[at + 1]), low = hex_value(text.data[at + 2]);
            if (high < 0 || low < 0) return false;
            buf_char(scratch, (char)(high * 16 + low));
            at += 2;
        } else {
            buf_char(scratch, plus && c == '+' ? ' ' : c);
        }
    }
    append_repaired(out, buf_view(scratch));
    out->failed = out->failed || scratch->failed;
    out->exceeded = out->exceeded || scratch->exceeded;
    return true;
}

typedef struct Decoder {
    Buf scratch, out;
} Decoder;

static void decoder_init(Decoder *d, KernelCall *call) {
    kernel_buf_init(call, &d->scratch);
    kernel_buf_init(call, &d->out);
}

/* The part as the row's result. */
static Status put_decoded(KernelCall *call, uint32_t row, Decoder *d, Str part, bool plus) {
    if (memchr(part.data, '%', part.len) == NULL && (!plus || until(part, "+") == part.len)) {
        row_view(call, row, part.data, part.len);
        return TRIB_OK;
    }
    if (!url_unescape(part, plus, &d->scratch, &d->out)) {
        row_error(call, row, ERR_INVALID_ARGUMENT);
        return TRIB_OK;
    }
    return kernel_put_buf(call, row, &d->out);
}

/* ---------------------------------------------------------------- kernels */

static Str url_part(const Url *url, uint16_t id) {
    Str part;
    switch (id) {
    case TRIB_FN_url_extract_protocol: part = url->scheme; break;
    case TRIB_FN_url_extract_host: part = url->host; break;
    case TRIB_FN_url_extract_path: part = url->path; break;
    case TRIB_FN_url_extract_query: part = url->query; break;
    default: part = url->fragment;
    }
    return part.data != NULL ? part : STR("");
}

static Status kernel_url_part(KernelCall *call) {
    uint16_t id = call->function->id;
    bool raw = id == TRIB_FN_url_extract_protocol || id == TRIB_FN_url_extract_host;
    Decoder d;
    decoder_init(&d, call);
    KERNEL_ROWS(call, row, {
        Url url;
        if (!url_parse(arg_text(call, 0, row), &url)) {
            TRY(kernel_set_null(call, row));
            continue;
        }
        Str part = url_part(&url, id);
        if (raw) {
            row_view(call, row, part.data, part.len);
        } else {
            TRY(put_decoded(call, row, &d, part, false));
        }
    });
    return TRIB_OK;
}

static Status kernel_url_port(KernelCall *call) {
    int64_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        Url url;
        out[row] = url_parse(arg_text(call, 0, row), &url) ? url.port : -1;
        if (out[row] < 0) TRY(kernel_set_null(call, row));
    });
    return TRIB_OK;
}

/* The value of the first parameter of that name; false if there is none. Names are compared as written. */
static bool find_parameter(Str query, Str name, Str *value) {
    for (;;) {
        Str pair = {query.data, until(query, "&")};
        size_t equals = until(pair, "=");
        if (str_equal((Str){pair.data, equals}, name)) {
            *value = equals < pair.len ? str_after(pair, equals + 1) : (Str){pair.data, 0};
            return true;
        }
        if (pair.len == query.len) return false;
        query = str_after(query, pair.len + 1);
    }
}

static Status kernel_url_parameter(KernelCall *call) {
    Decoder d;
    decoder_init(&d, call);
    KERNEL_ROWS(call, row, {
        Url url;
        Str value;
        if (!url_parse(arg_text(call, 0, row), &url) || url.query.data == NULL ||
            !find_parameter(url.query, arg_text(call, 1, row), &value)) {
            TRY(kernel_set_null(call, row));
            continue;
        }
        TRY(put_decoded(call, row, &d, value, true));
    });
    return TRIB_OK;
}

static bool form_safe(char c) {
    return alphanumeric(c) || among(c, "-_.*");
}

static Status kernel_url_encode(KernelCall *call) {
    static const char digits[] = "0123456789ABCDEF";
    char small[STRVIEW_INLINE];
    KERNEL_ROWS(call, row, {
        Str text = arg_text(call, 0, row);
        uint64_t len = 0;
        for (size_t i = 0; i < text.len; i++) {
            len += form_safe(text.data[i]) || text.data[i] == ' ' ? 1 : 3;
        }
        char *out = row_text(call, row, len, small);
        if (out == NULL) {
            TRY(row_text_failed(call, row));
            continue;
        }
        size_t at = 0;
        for (size_t i = 0; i < text.len; i++) {
            char c = text.data[i];
            if (form_safe(c) || c == ' ') {
                out[at++] = c == ' ' ? '+' : c;
            } else {
                out[at++] = '%';
                out[at++] = digits[(uint8_t)c >> 4];
                out[at++] = digits[(uint8_t)c & 15];
            }
        }
        row_view(call, row, out, at);
    });
    return TRIB_OK;
}

static Status kernel_url_decode(KernelCall *call) {
    Decoder d;
    decoder_init(&d, call);
    KERNEL_ROWS(call, row, { TRY(put_decoded(call, row, &d, arg_text(call, 0, row), true)); });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

/* A character is at most four bytes, each of which may need three. */
static Status resolve_encoded(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    uint64_t length = args[0].length * UINT64_C(12);
    *result = type_varchar(length > INT32_MAX ? 0 : (uint32_t)length);
    return TRIB_OK;
}

#define URL(ID, SIGNATURE, RAISES, KERNEL, HELP)                                      \
    {                                                                                 \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .may_raise = RAISES, \
        .kernel = KERNEL, .family = "url", .help = HELP                               \
    }

static const Function rows[] = {
    URL(url_extract_fragment, "V -> V", false, kernel_url_part, "What stands behind # in a URL."),
    URL(url_extract_host, "V -> V", false, kernel_url_part, "The host of a URL."),
    URL(url_extract_parameter, "V, varchar -> V", true, kernel_url_parameter,
        "The value of a parameter of a URL's query; NULL if it is not there."),
    URL(url_extract_path, "V -> V", false, kernel_url_part, "The path of a URL."),
    URL(url_extract_port, "varchar -> bigint", false, kernel_url_port,
        "The port of a URL; NULL if there is none."),
    URL(url_extract_protocol, "V -> V", false, kernel_url_part, "The protocol of a URL."),
    URL(url_extract_query, "V -> V", false, kernel_url_part, "What stands behind ? in a URL."),
    {.id = TRIB_FN_url_encode,
     .name = "url_encode",
     .signature = "varchar -> *",
     .kernel = kernel_url_encode,
     .resolve = resolve_encoded,
     .family = "url",
     .help = "The text escaped for a parameter of a URL."},
    URL(url_decode, "V -> V", true, kernel_url_decode, "The text that was escaped for a URL."),
};

FUNCTION_TABLE(functions_url, rows);
