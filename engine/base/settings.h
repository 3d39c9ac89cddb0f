/*
 * settings.h - the table of settings (settings.def): lookup, checking, canonical values.
 */
#ifndef TRIB_BASE_SETTINGS_H
#define TRIB_BASE_SETTINGS_H

#include "engine/base/text.h"

typedef enum SettingId {
#define SETTING(symbol, keyword, session_name, kind, default_, low, high, choices, scope, help) \
    SETTING_##symbol,
#include "engine/base/settings.def"
#undef SETTING
    SETTING_COUNT
} SettingId;

typedef enum SettingKind {
    SETTING_KIND_STRING,
    SETTING_KIND_INTEGER,
    SETTING_KIND_BOOLEAN,
    SETTING_KIND_CHOICE,
    SETTING_KIND_BYTES,
    SETTING_KIND_SECONDS
} SettingKind;
typedef enum SettingScope {
    SETTING_SCOPE_SESSION,
    SETTING_SCOPE_CONNECT,
    SETTING_SCOPE_PROCESS
} SettingScope;

typedef struct SettingDef {
    const char *keyword;      /* CamelCase */
    const char *session_name; /* snake_case */
    SettingKind kind;
    const char *default_value;
    int64_t low, high;   /* inclusive; high 0 = unbounded */
    const char *choices; /* "a|b|c" */
    SettingScope scope;
    const char *help;
} SettingDef;

/* A checked value. text: canonical ("true", "67108864", the choice in lower case). integer:
 * INTEGER, BYTES (percentages resolved), SECONDS; CHOICE: index of the choice; TIME_ZONE: id of the
 * zone; BOOLEAN: 0 or 1. A BYTES setting whose default is computed by its owner has the text "" and
 * the integer 0. */
typedef struct SettingValue {
    Str text;
    int64_t integer;
    bool boolean;
} SettingValue;

const SettingDef *setting_def(SettingId id);
/* The SQL type of its values: SHOW SESSION. */
const char *setting_type_name(const SettingDef *def);
/* By keyword or session name, without regard to case; SETTING_COUNT if there is none. */
SettingId setting_find(Str name);
/* 42000 with the nearest name as a hint. */
Status setting_unknown(Str name, Error *err) WARN_UNUSED;
/* Checks and converts; the text is copied into the arena. Errors say which setting, which value,
 * what is allowed (HY024). An empty text gives the default. */
Status setting_parse(Arena *arena, SettingId id, Str text, SettingValue *out,
                     Error *err) WARN_UNUSED;
Status setting_default(Arena *arena, SettingId id, SettingValue *out, Error *err) WARN_UNUSED;
/* "1024", "64 KB", "4GB", "25%" (of physical memory) to bytes; false on anything else or
 * overflow. */
bool bytes_parse(Str text, int64_t *out);
/* The nth part, from 0, of "a|b|c"; data NULL behind the last. */
Str choice_at(const char *choices, size_t n);

#endif
