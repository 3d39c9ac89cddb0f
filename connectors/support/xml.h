/*
 * xml.h - a pull reader for the small XML of web services (S3, STS).
 *
 * Elements, text, CDATA, comments, processing instructions, the five named entities and numeric ones.
 * Attributes and namespace prefixes are read over. A document type is refused: no external entities, no
 * definitions that grow. Depth is bounded, text must be valid UTF-8, closing names must match. The
 * document must outlive the reader; decoded text lives in the arena.
 */
#ifndef TRIB_SUPPORT_XML_H
#define TRIB_SUPPORT_XML_H

#include "engine/base/text.h"

enum { XML_DEPTH_MOST = 64 };

typedef enum { XML_END, XML_OPEN, XML_CLOSE, XML_TEXT } XmlToken;

typedef struct XmlReader {
    Arena *arena;
    const char *data;
    size_t len, at;
    uint32_t depth;
    Str names[XML_DEPTH_MOST]; /* internal: of the open elements */
    bool empty;                /* internal: <name/> still owes its close */
    bool rooted;               /* internal: the root element was seen */
    Str name;                  /* OPEN, CLOSE: without its prefix */
    Str text;                  /* TEXT: decoded; white space between elements is text too */
} XmlReader;

void xml_init(XmlReader *self, Arena *arena, Str document);
/* Errors: ERR_SOURCE naming the byte where the document is broken; out of memory. */
Status xml_next(XmlReader *self, XmlToken *token, Error *err) WARN_UNUSED;
/* After OPEN: the element's text, without its children's; reads to its CLOSE. */
Status xml_text(XmlReader *self, Str *out, Error *err) WARN_UNUSED;
/* After OPEN: reads over everything to its CLOSE. */
Status xml_skip(XmlReader *self, Error *err) WARN_UNUSED;
/* The text of the first element of that name anywhere in the document; data NULL if there is none. */
Status xml_find(Arena *arena, Str document, const char *name, Str *out, Error *err) WARN_UNUSED;

#endif
