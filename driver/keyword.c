/*
 * keyword.c - connection strings and odbc.ini.
 *
 * odbc.ini is read by our own few lines: values may be longer than libodbcinst's 1,000 bytes, names
 * fold the same in every locale, and no function of the manager is called. Memory: the caller's arena.
 */
#include "driver/keyword.h"

#include "engine/base/os.h"

#ifndef TRIB_ODBC_INI
#define TRIB_ODBC_INI "/etc/odbc.ini"
#endif
#define INI_MAX (4u << 20)

typedef struct KeywordRow {
    const char *name;
    KeywordKind kind;
    const char *help;
} KeywordRow;

static const KeywordRow rows[] = {
#define KEYWORD(symbol, name, kind, help) [KEY_##symbol] = {name, KEYWORD_##kind, help},
#include "driver/keywords.def"
#undef KEYWORD
};

const char *keyword_name(KeywordId id) {
    return rows[id].name;
}

KeywordKind keyword_kind(KeywordId id) {
    return rows[id].kind;
}

const char *keyword_help(KeywordId id) {
    return rows[id].help;
}

KeywordId keyword_find(Str name, SettingId *setting) {
    *setting = SETTING_COUNT;
    for (uint32_t i = 0; i < COUNT_OF(rows); i++) {
        if (!str_equal_fold(name, str_from(rows[i].name))) continue;
        if (rows[i].kind != KEYWORD_ALIAS) return (KeywordId)i;
        if (i == KEY_PASSWORD) return KEY_PWD;
        if (i == KEY_USER || i == KEY_USERNAME) return KEY_UID;
        *setting = SETTING_CATALOG;
        return KEY_SETTING;
    }
    *setting = setting_find(name);
    return *setting == SETTING_COUNT ? KEY_UNKNOWN : KEY_SETTING;
}

void attributes_init(Attributes *self, Arena *arena) {
    *self = (Attributes){.arena = arena};
    self->last = &self->first;
}

static bool same_keyword(const Attribute *a, const Attribute *b) {
    if (a->id != b->id) return false;
    if (a->id == KEY_SETTING) return a->setting == b->setting;
    return a->id != KEY_UNKNOWN || str_equal_fold(a->name, b->name);
}

Status attributes_add(Attributes *self, Str name, Str value, bool from_dsn, Error *err) {
    Attribute *fresh;
    TRY_ALLOC(fresh, ARENA_NEW(self->arena, Attribute), err);
    TRY_ALLOC(fresh->name.data, str_dup(self->arena, name), err);
    TRY_ALLOC(fresh->value.data, str_dup(self->arena, value), err);
    fresh->name.len = name.len;
    fresh->value.len = value.len;
    fresh->from_dsn = from_dsn;
    fresh->id = keyword_find(name, &fresh->setting);
    for (const Attribute *have = self->first; have; have = have->next)
        if (same_keyword(have, fresh)) return TRIB_OK;
    *self->last = fresh;
    self->last = &fresh->next;
    return TRIB_OK;
}

static size_t skip_blanks(Str text, size_t at) {
    while (at < text.len &&
           (text.data[at] == ' ' || text.data[at] == '\t' || text.data[at] == ';' ||
            text.data[at] == '\r' || text.data[at] == '\n'))
        at++;
    return at;
}

/* A value in braces, its doubled closing braces undone. *at stands on the opening one. */
static Status braced_value(Attributes *self, Str text, size_t *at, Str *out, Error *err) {
    Buf value;
    size_t start = *at, i = start + 1;
    buf_init(&value, self->arena, text.len + 1);
    for (;; i++) {
        if (i >= text.len)
            return error_set(err, ERR_GENERAL,
                             "the brace at character %zu of the connection string is not closed",
                             start + 1);
        if (text.data[i] == '}') {
            if (i + 1 >= text.len || text.data[i + 1] != '}') break;
            i++;
        }
        buf_char(&value, text.data[i]);
    }
    TRY(buf_status(&value, err));
    *out = buf_view(&value);
    for (i++; i < text.len && text.data[i] != ';'; i++) {
        if (text.data[i] != ' ' && text.data[i] != '\t')
            return error_set(
                err, ERR_GENERAL,
                "text follows the closing brace at character %zu of the connection string", i + 1);
    }
    *at = i;
    return TRIB_OK;
}

Status attributes_parse(Attributes *self, Str text, Error *err) {
    while (text.len && text.data[text.len - 1] == 0) text.len--; /* counted terminators */
    for (size_t at = skip_blanks(text, 0); at < text.len; at = skip_blanks(text, at)) {
        size_t start = at;
        while (at < text.len && text.data[at] != '=' && text.data[at] != ';') at++;
        Str name = str_trim((Str){text.data + start, at - start});
        if (at >= text.len || text.data[at] != '=' || name.len == 0)
            return error_set(err, ERR_GENERAL,
                             "the connection string has no name=value at character %zu", start + 1);
        at++;
        while (at < text.len && (text.data[at] == ' ' || text.data[at] == '\t')) at++;
        Str value;
        if (at < text.len && text.data[at] == '{') {
            TRY(braced_value(self, text, &at, &value, err));
        } else {
            start = at;
            while (at < text.len && text.data[at] != ';') at++;
            value = str_trim((Str){text.data + start, at - start});
        }
        TRY(attributes_add(self, name, value, false, err));
    }
    return TRIB_OK;
}

const Attribute *attributes_find(const Attributes *self, KeywordId id) {
    for (const Attribute *a = self->first; a; a = a->next)
        if (a->id == id) return a;
    return NULL;
}

const Attribute *attributes_find_setting(const Attributes *self, SettingId id) {
    for (const Attribute *a = self->first; a; a = a->next)
        if (a->id == KEY_SETTING && a->setting == id) return a;
    return NULL;
}

void attribute_quote(Buf *out, Str value) {
    bool plain = true;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        plain = plain && (unsigned char)c > ' ' && !strchr("[]{}(),;?*=!@", c);
    }
    if (plain) {
        buf_str(out, value);
        return;
    }
    buf_char(out, '{');
    for (size_t i = 0; i < value.len; i++) {
        buf_char(out, value.data[i]);
        if (value.data[i] == '}') buf_char(out, '}');
    }
    buf_char(out, '}');
}

void attributes_print(const Attributes *self, Buf *out) {
    for (const Attribute *a = self->first; a; a = a->next) {
        if (a->id == KEY_UNKNOWN || a->id == KEY_PWD) continue;
        if (a->id != KEY_SETTING && rows[a->id].kind == KEYWORD_MANAGER) continue;
        if (a->from_dsn && a->id == KEY_DRIVER) continue; /* DSN= says it */
        if (out->len) buf_char(out, ';');
        buf_text(out, a->id == KEY_SETTING ? setting_def(a->setting)->keyword : rows[a->id].name);
        buf_char(out, '=');
        attribute_quote(out, a->value);
    }
}

/* ---- odbc.ini */

Status attributes_read_section(Attributes *self, Str text, Str section, bool *found, Error *err) {
    bool inside = false;
    size_t at = 0;
    while (at < text.len) {
        size_t start = at;
        while (at < text.len && text.data[at] != '\n') at++;
        Str line = str_trim((Str){text.data + start, at - start});
        at++;
        if (line.len == 0 || line.data[0] == '#' || line.data[0] == ';') continue;
        if (line.data[0] == '[') {
            if (inside) return TRIB_OK;
            bool closed = line.data[line.len - 1] == ']';
            inside =
                closed && str_equal_fold(str_trim((Str){line.data + 1, line.len - 2}), section);
            *found = *found || inside;
            continue;
        }
        const char *equals = inside ? memchr(line.data, '=', line.len) : NULL;
        if (!equals) continue;
        Str name = str_trim((Str){line.data, (size_t)(equals - line.data)});
        Str value = str_trim((Str){equals + 1, (size_t)(line.data + line.len - equals - 1)});
        TRY(attributes_add(self, name, value, true, err));
    }
    return TRIB_OK;
}

static Status ini_file(Attributes *self, const char *path, Str dsn, bool *found, Error *err) {
    Str text;
    Error ignored; /* a file that is missing or unreadable says nothing */
    if (!path || os_read_file(self->arena, path, INI_MAX, &text, &ignored) != TRIB_OK)
        return TRIB_OK;
    return attributes_read_section(self, text, dsn, found, err);
}

Status attributes_read_dsn(Attributes *self, Str dsn, bool *found, Error *err) {
    const char *user = os_env("ODBCINI"), *home = os_env("HOME"), *system = os_env("ODBCSYSINI");
    *found = false;
    if (!user && home) TRY_ALLOC(user, arena_printf(self->arena, "%s/.odbc.ini", home), err);
    TRY(ini_file(self, user, dsn, found, err));
    if (*found) return TRIB_OK; /* the user's source hides the system's */
    const char *path = TRIB_ODBC_INI;
    if (system) TRY_ALLOC(path, arena_printf(self->arena, "%s/odbc.ini", system), err);
    return ini_file(self, path, dsn, found, err);
}
