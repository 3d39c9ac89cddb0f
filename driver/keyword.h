/*
 * keyword.h - connection strings: the table of keywords, parsing, printing, data sources of odbc.ini.
 * Shared with the setup library; no ODBC handle, no engine.
 */
#ifndef TRIB_DRIVER_KEYWORD_H
#define TRIB_DRIVER_KEYWORD_H

#include "engine/base/settings.h"

typedef enum KeywordKind {
    KEYWORD_SESSION,
    KEYWORD_NAME,
    KEYWORD_ALIAS,
    KEYWORD_MANAGER,
    KEYWORD_SETTING
} KeywordKind;

typedef enum KeywordId {
#define KEYWORD(symbol, name, kind, help) KEY_##symbol,
#include "driver/keywords.def"
#undef KEYWORD
    KEY_SETTING, /* one of settings.def: see `setting` */
    KEY_UNKNOWN
} KeywordId;

/* One attribute of a connection string or a data source, in its order. Texts live in the arena. */
typedef struct Attribute {
    Str name, value;
    KeywordId id;      /* aliases resolved: Password is KEY_PWD, DATABASE is KEY_SETTING */
    SettingId setting; /* of KEY_SETTING */
    bool from_dsn;
    struct Attribute *next;
} Attribute;

typedef struct Attributes {
    Arena *arena;
    Attribute *first, **last;
} Attributes;

void attributes_init(Attributes *self, Arena *arena);
/* Parses `name=value;name={value}`: blanks around names and unbraced values go; in braces `}}` is a
 * brace; the first of equal names wins. 01S00-like faults (no `=`, no name) are HY000 errors that
 * say where. */
Status attributes_parse(Attributes *self, Str text, Error *err) WARN_UNUSED;
/* Adds one; an attribute of the same keyword that stands already wins. */
Status attributes_add(Attributes *self, Str name, Str value, bool from_dsn, Error *err) WARN_UNUSED;
const Attribute *attributes_find(const Attributes *self, KeywordId id);
const Attribute *attributes_find_setting(const Attributes *self, SettingId id);
/* Adds what odbc.ini says of the data source: the user's file ($ODBCINI, ~/.odbc.ini), then the
 * system's ($ODBCSYSINI/odbc.ini, /etc/odbc.ini). *found: there is such a section. */
Status attributes_read_dsn(Attributes *self, Str dsn, bool *found, Error *err) WARN_UNUSED;
/* Adds the lines of one section of an odbc.ini's text; *found becomes true if there is one. */
Status attributes_read_section(Attributes *self, Str text, Str section, bool *found,
                               Error *err) WARN_UNUSED;
/* The completed connection string: every attribute that the driver knows, secrets left out. */
void attributes_print(const Attributes *self, Buf *out);
/* A value in braces where it needs them. */
void attribute_quote(Buf *out, Str value);

KeywordId keyword_find(Str name, SettingId *setting); /* aliases resolved */
const char *keyword_name(KeywordId id);
KeywordKind keyword_kind(KeywordId id);
const char *keyword_help(KeywordId id);

#endif
