/*
 * uri.h - percent-encoding and the parts of an http URL (RFC 3986).
 */
#ifndef TRIB_SUPPORT_URI_H
#define TRIB_SUPPORT_URI_H

#include "engine/base/text.h"

/* The parts of "scheme://host[:port][/path][?query]", borrowed from the text. */
typedef struct Uri {
    Str scheme; /* "http" or "https" */
    Str host;   /* with the brackets of an IPv6 address, without the port */
    Str port;   /* digits; empty if none stands there */
    Str path;   /* as written, with its leading slash; empty if there is none */
    Str query;  /* as written, without the question mark */
} Uri;

/* Appends the text with every byte outside A-Z a-z 0-9 - . _ ~ as %XX; a slash stays if `keep_slash`. */
void uri_encode(Buf *out, Str text, bool keep_slash);
/* Appends the text with %XX decoded; a stray % stays as it is. A plus is a plus. */
void uri_decode(Buf *out, Str text);
/* false: no http or https URL, or one with a user name, a fragment, white space or control bytes. */
bool uri_split(Str text, Uri *out);
/* The value of the Host header: the port stands there unless it is the scheme's own. NULL when exhausted. */
char *uri_host_header(Arena *arena, const Uri *uri);

#endif
