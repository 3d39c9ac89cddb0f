/*
 * types.c - the mapping of declared types, as a table, and the classes of collations.
 *
 * Nothing is narrowed: unsigned integers take the next wider type, BIGINT UNSIGNED is decimal(20,0),
 * DECIMAL beyond 38 digits and geometry are listed but refuse to be read unless an option says how.
 */
#include "connectors/mysql/types.h"

#include <inttypes.h>

#include "engine/base/number.h"

static TribType type_plain(TribTypeId id) {
    return (TribType){.id = (uint8_t)id};
}

static TribType type_digits(TribTypeId id, uint32_t precision) {
    return (TribType){.id = (uint8_t)id, .precision = (uint8_t)(precision > 6 ? 6 : precision)};
}

static TribType type_text(TribTypeId id, uint64_t characters) {
    /* LONGTEXT's bound is none in practice. */
    return (TribType){.id = (uint8_t)id,
                      .length = characters > UINT32_MAX / 2 ? 0 : (uint32_t)characters};
}

typedef struct Mapping {
    const Settings *settings;
    Arena *arena;
    const DeclaredColumn *declared;
    TribType *type;
    ColumnFacts *facts;
    const char **unreadable;
    uint8_t id, wide_id; /* of the row */
    Error *err;
} Mapping;

static bool declared_says(const DeclaredColumn *declared, const char *word) {
    return memmem(declared->column_type.data, declared->column_type.len, word, strlen(word)) !=
           NULL;
}

/* ---------------------------------------------------------------- one function per family */

static Status map_integer(Mapping *m) {
    bool is_unsigned =
        declared_says(m->declared, "unsigned") || declared_says(m->declared, "zerofill");
    m->facts->class = is_unsigned ? CLASS_UINT : CLASS_INT;
    *m->type = type_plain(is_unsigned ? m->wide_id : m->id);
    if (is_unsigned && m->wide_id == TRIB_TYPE_DECIMAL) m->type->precision = 20;
    return TRIB_OK;
}

static Status map_tinyint(Mapping *m) {
    if (m->settings->tinyint1_boolean && declared_says(m->declared, "tinyint(1)")) {
        *m->type = type_plain(TRIB_TYPE_BOOLEAN);
        m->facts->class = CLASS_BOOL;
        return TRIB_OK;
    }
    return map_integer(m);
}

static Status map_float(Mapping *m) {
    *m->type = type_plain(m->id);
    m->facts->class = m->id == TRIB_TYPE_REAL ? CLASS_FLOAT : CLASS_DOUBLE;
    return TRIB_OK;
}

static Status map_wide_decimal(Mapping *m) {
    uint32_t precision = m->declared->precision, scale = m->declared->scale;
    m->facts->class = CLASS_OTHER;
    switch (m->settings->decimals) {
    case DECIMAL_AS_VARCHAR: *m->type = type_text(TRIB_TYPE_VARCHAR, precision + 3); return TRIB_OK;
    case DECIMAL_AS_ROUNDED: {
        uint32_t whole = precision - scale;
        *m->type = (TribType){.id = TRIB_TYPE_DECIMAL,
                              .precision = 38,
                              .scale = (int8_t)(whole < 38 ? 38 - whole : 0)};
        return TRIB_OK;
    }
    default: break;
    }
    *m->type = type_text(TRIB_TYPE_VARCHAR, precision + 3);
    *m->unreadable =
        arena_printf(m->arena,
                     "decimal(%u,%u) has more than 38 digits; the option decimal=overflow_varchar "
                     "or decimal=round makes it readable",
                     precision, scale);
    return *m->unreadable ? TRIB_OK : error_out_of_memory(m->err);
}

static Status map_decimal(Mapping *m) {
    if (m->declared->precision > 38) return map_wide_decimal(m);
    *m->type = (TribType){.id = TRIB_TYPE_DECIMAL,
                          .precision = (uint8_t)m->declared->precision,
                          .scale = (int8_t)m->declared->scale};
    m->facts->class = CLASS_DECIMAL;
    return TRIB_OK;
}

static Status map_bit(Mapping *m) {
    m->facts->class = CLASS_BIT;
    if (m->declared->precision <= 1)
        *m->type = type_plain(TRIB_TYPE_BOOLEAN);
    else if (m->declared->precision < 64)
        *m->type = type_plain(TRIB_TYPE_BIGINT);
    else
        *m->type = (TribType){.id = TRIB_TYPE_DECIMAL, .precision = 20};
    return TRIB_OK;
}

static bool charset_is(Str charset, const char *name) {
    return str_equal_fold(charset, str_from(name));
}

static Repertoire charset_repertoire(Str charset) {
    static const struct {
        const char *name;
        Repertoire repertoire;
    } sets[] = {
        {"utf8mb4", REPERTOIRE_ALL}, {"utf16", REPERTOIRE_ALL},   {"utf16le", REPERTOIRE_ALL},
        {"utf32", REPERTOIRE_ALL},   {"utf8mb3", REPERTOIRE_BMP}, {"utf8", REPERTOIRE_BMP},
        {"ucs2", REPERTOIRE_BMP},    {"ascii", REPERTOIRE_ASCII}, {"latin1", REPERTOIRE_LATIN1},
    };
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        if (charset_is(charset, sets[i].name)) return sets[i].repertoire;
    }
    return REPERTOIRE_UNKNOWN;
}

static bool text_ends(Str text, const char *end) {
    size_t length = strlen(end);
    return text.len >= length && memcmp(text.data + text.len - length, end, length) == 0;
}

/* Plain comparison is by code point only for _bin collations of sets whose codes are Unicode's. */
static ColumnClass collation_class(Str charset, Str collation) {
    bool unicode = charset_is(charset, "utf8mb4") || charset_is(charset, "utf8mb3") ||
                   charset_is(charset, "utf8") || charset_is(charset, "ascii");
    if (!unicode || !text_ends(collation, "_bin")) return CLASS_FOLDED;
    bool no_pad = text_ends(collation, "_nopad_bin") || text_ends(collation, "_0900_bin");
    return no_pad ? CLASS_EXACT : CLASS_PADDED;
}

/* Bytes of UTF-8 that `characters` of a set may take. */
static uint64_t utf8_octets(Repertoire repertoire, uint64_t characters) {
    return characters * (repertoire == REPERTOIRE_ASCII                                    ? 1
                         : repertoire == REPERTOIRE_BMP || repertoire == REPERTOIRE_LATIN1 ? 3
                                                                                           : 4);
}

static Status map_text(Mapping *m) {
    const DeclaredColumn *declared = m->declared;
    *m->type = type_text(m->id, declared->characters);
    /* Where programs make tables, LONGTEXT is what they asked for as a large object. */
    if (m->settings->readwrite && declared->characters > INT32_MAX)
        m->type->length = TRIB_LENGTH_LONG;
    m->facts->repertoire = charset_repertoire(declared->charset);
    m->facts->octets = utf8_octets(m->facts->repertoire, declared->characters);
    m->facts->class = m->id == TRIB_TYPE_CHAR
                          ? CLASS_CHAR
                          : collation_class(declared->charset, declared->collation);
    return TRIB_OK;
}

/* CHAR(0) exists there, but not here. */
static Status map_char(Mapping *m) {
    if (m->declared->characters == 0) m->id = TRIB_TYPE_VARCHAR;
    return map_text(m);
}

static Status map_enum(Mapping *m) {
    TRY(map_text(m));
    m->facts->class = CLASS_ENUM;
    return TRIB_OK;
}

static Status map_binary(Mapping *m) {
    *m->type = type_plain(TRIB_TYPE_VARBINARY);
    if (m->settings->readwrite && m->declared->octets > INT32_MAX) /* as LONGTEXT is */
        m->type->length = TRIB_LENGTH_LONG;
    m->facts->class = CLASS_BINARY;
    m->facts->octets = m->declared->octets;
    return TRIB_OK;
}

static Status map_date(Mapping *m) {
    bool instant = m->id == TRIB_TYPE_TIMESTAMP_TZ;
    if (m->settings->zero_dates == ZERO_DATES_VARCHAR) {
        *m->type = type_text(TRIB_TYPE_VARCHAR, 26);
        m->facts->class = CLASS_DATE_TEXT;
        return TRIB_OK;
    }
    *m->type =
        m->id == TRIB_TYPE_DATE ? type_plain(m->id) : type_digits(m->id, m->declared->fraction);
    m->facts->class = instant ? CLASS_INSTANT : CLASS_DATE;
    if (m->settings->zero_dates == ZERO_DATES_ERROR) m->facts->class = CLASS_DATE_STRICT;
    return TRIB_OK;
}

static Status map_time(Mapping *m) {
    m->facts->class = CLASS_TIME;
    switch (m->settings->time) {
    case TIME_AS_VARCHAR:
        *m->type = type_text(TRIB_TYPE_VARCHAR, 17);
        m->facts->class = CLASS_OTHER;
        break;
    case TIME_AS_TIME: *m->type = type_digits(TRIB_TYPE_TIME, m->declared->fraction); break;
    default: *m->type = type_plain(TRIB_TYPE_INTERVAL_DS); break;
    }
    return TRIB_OK;
}

static Status map_year(Mapping *m) {
    *m->type = type_plain(TRIB_TYPE_SMALLINT);
    m->facts->class = CLASS_YEAR;
    return TRIB_OK;
}

static Status map_plain(Mapping *m) {
    *m->type = type_plain(m->id);
    m->facts->class = m->id == TRIB_TYPE_UUID ? CLASS_UUID : CLASS_OTHER;
    return TRIB_OK;
}

static Status map_address(Mapping *m) {
    *m->type = type_text(TRIB_TYPE_VARCHAR, 45);
    return TRIB_OK;
}

static const struct {
    const char *name;
    Status (*map)(Mapping *);
    uint8_t id, wide_id;
} mappings[] = {
    {"tinyint", map_tinyint, TRIB_TYPE_TINYINT, TRIB_TYPE_SMALLINT},
    {"smallint", map_integer, TRIB_TYPE_SMALLINT, TRIB_TYPE_INTEGER},
    {"mediumint", map_integer, TRIB_TYPE_INTEGER, TRIB_TYPE_INTEGER},
    {"int", map_integer, TRIB_TYPE_INTEGER, TRIB_TYPE_BIGINT},
    {"integer", map_integer, TRIB_TYPE_INTEGER, TRIB_TYPE_BIGINT},
    {"bigint", map_integer, TRIB_TYPE_BIGINT, TRIB_TYPE_DECIMAL},
    {"float", map_float, TRIB_TYPE_REAL, 0},
    {"double", map_float, TRIB_TYPE_DOUBLE, 0},
    {"decimal", map_decimal, TRIB_TYPE_DECIMAL, 0},
    {"bit", map_bit, 0, 0},
    {"char", map_char, TRIB_TYPE_CHAR, 0},
    {"varchar", map_text, TRIB_TYPE_VARCHAR, 0},
    {"tinytext", map_text, TRIB_TYPE_VARCHAR, 0},
    {"text", map_text, TRIB_TYPE_VARCHAR, 0},
    {"mediumtext", map_text, TRIB_TYPE_VARCHAR, 0},
    {"longtext", map_text, TRIB_TYPE_VARCHAR, 0},
    {"enum", map_enum, TRIB_TYPE_VARCHAR, 0},
    {"set", map_enum, TRIB_TYPE_VARCHAR, 0},
    {"binary", map_binary, 0, 0},
    {"varbinary", map_binary, 0, 0},
    {"tinyblob", map_binary, 0, 0},
    {"blob", map_binary, 0, 0},
    {"mediumblob", map_binary, 0, 0},
    {"longblob", map_binary, 0, 0},
    {"date", map_date, TRIB_TYPE_DATE, 0},
    {"datetime", map_date, TRIB_TYPE_TIMESTAMP, 0},
    {"timestamp", map_date, TRIB_TYPE_TIMESTAMP_TZ, 0},
    {"time", map_time, 0, 0},
    {"year", map_year, 0, 0},
    {"json", map_plain, TRIB_TYPE_JSON, 0},
    {"uuid", map_plain, TRIB_TYPE_UUID, 0},
    {"inet6", map_address, 0, 0},
    {"inet4", map_address, 0, 0},
};

Status type_of_declared(const Settings *settings, Arena *arena, const DeclaredColumn *declared,
                        TribType *type, ColumnFacts *facts, const char **unreadable, Error *err) {
    *facts = (ColumnFacts){.class = CLASS_OTHER, .repertoire = REPERTOIRE_UNKNOWN};
    *unreadable = NULL;
    for (size_t i = 0; i < COUNT_OF(mappings); i++) {
        if (!str_equal_fold(declared->data_type, str_from(mappings[i].name))) continue;
        Mapping m = {settings, arena,      declared,       type,
                     facts,    unreadable, mappings[i].id, mappings[i].wide_id,
                     err};
        return mappings[i].map(&m);
    }
    *type = type_plain(TRIB_TYPE_VARBINARY);
    *unreadable = arena_printf(arena, "type %.*s of the source has no counterpart",
                               STR_ARGS(declared->data_type));
    return *unreadable ? TRIB_OK : error_out_of_memory(err);
}

/* ---------------------------------------------------------------- facts as text */

char *facts_format(Arena *arena, const ColumnFacts *facts) {
    return arena_printf(arena, "%u %u %" PRIu64, (unsigned)facts->class,
                        (unsigned)facts->repertoire, facts->octets);
}

bool facts_parse(const char *text, ColumnFacts *out) {
    int64_t numbers[3];
    Str rest = str_from(text);
    *out = (ColumnFacts){.class = CLASS_OTHER, .repertoire = REPERTOIRE_UNKNOWN};
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        const char *blank = rest.len ? memchr(rest.data, ' ', rest.len) : NULL;
        Str word = {rest.data, blank ? (size_t)(blank - rest.data) : rest.len};
        if (int64_parse(word, &numbers[i]) != NUMBER_OK || numbers[i] < 0) return false;
        rest.data += blank ? word.len + 1 : word.len;
        rest.len -= blank ? word.len + 1 : word.len;
    }
    out->class = (ColumnClass)numbers[0];
    out->repertoire = numbers[1] > REPERTOIRE_UNKNOWN ? REPERTOIRE_UNKNOWN : (Repertoire)numbers[1];
    out->octets = (uint64_t)numbers[2];
    return true;
}

/* ---------------------------------------------------------------- repertoires */

/* The 27 characters that Windows-1252 puts at 0x80-0x9f; the server maps the five gaps to U+0081 ... */
static bool latin1_holds(int32_t c) {
    static const uint16_t extra[] = {0x20ac, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                     0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x017d, 0x2018,
                                     0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc,
                                     0x2122, 0x0161, 0x203a, 0x0153, 0x017e, 0x0178};
    if (c < 0x80 || (c >= 0xa0 && c <= 0xff)) return true;
    if (c == 0x81 || c == 0x8d || c == 0x8f || c == 0x90 || c == 0x9d) return true;
    for (size_t i = 0; i < COUNT_OF(extra); i++) {
        if (extra[i] == c) return true;
    }
    return false;
}

int repertoire_holds(Repertoire repertoire, const char *text, size_t length) {
    int verdict = 1;
    for (size_t at = 0; at < length;) {
        int32_t c = utf8_next(text, length, &at);
        if (c < 0) return -1;
        if (c < 0x80) continue;
        switch (repertoire) {
        case REPERTOIRE_ALL: break;
        case REPERTOIRE_BMP:
            if (c > 0xffff) return 0;
            break;
        case REPERTOIRE_ASCII: return 0;
        case REPERTOIRE_LATIN1:
            if (!latin1_holds(c)) return 0;
            break;
        default: verdict = -1; break;
        }
    }
    return verdict;
}
