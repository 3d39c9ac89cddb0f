/*
 * types.h - declared column types of the server as types of ours, and what push-down must know of them.
 */
#ifndef TRIB_MYSQL_TYPES_H
#define TRIB_MYSQL_TYPES_H

#include "connectors/mysql/option.h"

/*
 * What a column is to push-down: one class, a bit each, the `class` of SqlColumn. Text classes follow the
 * collation: its order and its equality decide what may be sent.
 */
typedef enum ColumnClass {
    CLASS_OTHER = 1 << 0, /* only NULL or not is known to agree */
    CLASS_INT = 1 << 1,   /* signed */
    CLASS_UINT = 1 << 2,  /* unsigned, in a wider signed type or decimal(20,0) */
    CLASS_DECIMAL = 1 << 3,
    CLASS_FLOAT = 1 << 4,
    CLASS_DOUBLE = 1 << 5,
    CLASS_YEAR = 1 << 6,
    CLASS_BOOL = 1 << 7, /* TINYINT(1) as boolean */
    CLASS_BIT = 1 << 8,  /* BIT(1) as boolean, BIT(n) as number */
    CLASS_BINARY = 1 << 9,
    CLASS_EXACT =
        1 << 10, /* text in code-point order, no padding: utf8mb4_nopad_bin, utf8mb4_0900_bin ... */
    CLASS_PADDED =
        1 << 11, /* text in code-point order, blanks at the end ignored: utf8mb4_bin ... */
    CLASS_FOLDED = 1 << 12,      /* text under any other collation or character set */
    CLASS_CHAR = 1 << 13,        /* CHAR(n) under any collation */
    CLASS_ENUM = 1 << 14,        /* ENUM and SET: text that sorts by number */
    CLASS_DATE = 1 << 15,        /* DATE, DATETIME: values that are no dates read as NULL */
    CLASS_INSTANT = 1 << 16,     /* TIMESTAMP: the zero value reads as NULL */
    CLASS_DATE_STRICT = 1 << 17, /* both, where such values are errors */
    CLASS_TIME = 1 << 18,
    CLASS_UUID = 1 << 19,
    CLASS_DATE_TEXT = 1 << 20 /* any of the dates, read as text */
} ColumnClass;

#define CLASS_TEXT   (CLASS_EXACT | CLASS_PADDED | CLASS_FOLDED)
#define CLASS_NUMBER (CLASS_INT | CLASS_UINT | CLASS_DECIMAL | CLASS_DOUBLE | CLASS_YEAR)

/* Character sets of which we know exactly which characters they hold. */
typedef enum Repertoire {
    REPERTOIRE_ALL, /* utf8mb4, utf16, utf32 */
    REPERTOIRE_BMP, /* utf8mb3, ucs2 */
    REPERTOIRE_ASCII,
    REPERTOIRE_LATIN1, /* as the server has it: Windows-1252 */
    REPERTOIRE_UNKNOWN /* holds ASCII at least */
} Repertoire;

/* The connector's note on a column, carried as text in TribColumn.facts. */
typedef struct ColumnFacts {
    ColumnClass class;
    Repertoire repertoire;
    uint64_t octets; /* longest value in bytes of UTF-8; 0 = unknown */
} ColumnFacts;

/* A row of information_schema.columns. */
typedef struct DeclaredColumn {
    Str data_type;   /* "int" */
    Str column_type; /* "int(10) unsigned" */
    Str charset, collation;
    uint64_t characters;       /* CHARACTER_MAXIMUM_LENGTH */
    uint64_t octets;           /* CHARACTER_OCTET_LENGTH */
    uint32_t precision, scale; /* NUMERIC_* */
    uint32_t fraction;         /* DATETIME_PRECISION */
} DeclaredColumn;

/* The type, its facts, and why it cannot be read (NULL = it can; static text or on the arena). */
Status type_of_declared(const Settings *settings, Arena *arena, const DeclaredColumn *declared,
                        TribType *type, ColumnFacts *facts, const char **unreadable,
                        Error *err) WARN_UNUSED;

char *facts_format(Arena *arena, const ColumnFacts *facts); /* NULL when memory is exhausted */
bool facts_parse(const char *text, ColumnFacts *out);

/* Can a character set hold all of this (valid UTF-8) text? -1 = not known. */
int repertoire_holds(Repertoire repertoire, const char *text, size_t length);

#endif
