/*
 * settings.c - looking up settings and checking their values.
 *
 * The table is settings.def. It has some dozens of rows and is searched linearly: settings are
 * looked up when a connection opens and by SET SESSION, not per row.
 */
#include "engine/base/settings.h"
#include "engine/base/calendar.h"
#include "engine/base/number.h"
#include "engine/base/os.h"

#define SUGGEST_DISTANCE 3
#define HINT_MAX         256

static const SettingDef setting_table[SETTING_COUNT] = {
#define SETTING(symbol, word, session, type, initial, least, most, list, reach, text) \
    [SETTING_##symbol] = {.keyword = word,                                            \
                          .session_name = session,                                    \
                          .kind = SETTING_KIND_##type,                                \
                          .default_value = initial,                                   \
                          .low = least,                                               \
                          .high = most,                                               \
                          .choices = list,                                            \
                          .scope = SETTING_SCOPE_##reach,                             \
                          .help = text},
#include "engine/base/settings.def"
#undef SETTING
};

const SettingDef *setting_def(SettingId id) {
    return &setting_table[id];
}

SettingId setting_find(Str name) {
    for (int i = 0; i < SETTING_COUNT; i++) {
        if (str_equal_fold(name, str_from(setting_table[i].session_name)) ||
            str_equal_fold(name, str_from(setting_table[i].keyword)))
            return (SettingId)i;
    }
    return SETTING_COUNT;
}

Status setting_unknown(Str name, Error *err) {
    const char *nearest = NULL;
    uint32_t best = SUGGEST_DISTANCE + 1;
    for (int i = 0; i < SETTING_COUNT; i++) {
        const char *spellings[] = {setting_table[i].session_name, setting_table[i].keyword};
        for (size_t j = 0; j < COUNT_OF(spellings); j++) {
            uint32_t distance = str_distance(name, str_from(spellings[j]), SUGGEST_DISTANCE);
            if (distance >= best) continue;
            best = distance;
            nearest = spellings[j];
        }
    }
    Status status =
        error_set(err, ERR_SYNTAX, "there is no setting '" STR_FORMAT "'", STR_ARGS(name));
    return nearest ? error_hint(err, "did you mean %s?", nearest) : status;
}

Str choice_at(const char *choices, size_t n) {
    const char *at = choices;
    while (at) {
        const char *bar = strchr(at, '|');
        if (n-- == 0) return (Str){at, bar ? (size_t)(bar - at) : strlen(at)};
        at = bar ? bar + 1 : NULL;
    }
    return (Str){NULL, 0};
}

const char *setting_type_name(const SettingDef *def) {
    switch (def->kind) {
    case SETTING_KIND_BOOLEAN: return "boolean";
    case SETTING_KIND_INTEGER:
    case SETTING_KIND_BYTES:
    case SETTING_KIND_SECONDS: return "bigint";
    default: return "varchar";
    }
}

/* ---------------------------------------------------------------- values of each kind */

typedef struct Unit {
    Str name;
    int64_t factor;
} Unit;

static const Unit byte_units[] = {
    {{"GB", 2}, INT64_C(1) << 30},
    {{"MB", 2}, INT64_C(1) << 20},
    {{"KB", 2}, INT64_C(1) << 10},
    {{"G", 1}, INT64_C(1) << 30},
    {{"M", 1}, INT64_C(1) << 20},
    {{"K", 1}, INT64_C(1) << 10},
    {{"B", 1}, 1},
};

static const Unit time_units[] = {{{"s", 1}, 1},    {{"sec", 3}, 1},  {{"m", 1}, 60},
                                  {{"min", 3}, 60}, {{"h", 1}, 3600}, {{"d", 1}, 86400}};

/* A number without sign and perhaps a unit; false on anything else or overflow. */
static bool quantity_parse(Str text, const Unit *units, size_t count, int64_t *out) {
    size_t digits = 0;
    int64_t value, factor = 1;
    text = str_trim(text);
    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9') digits++;
    if (int64_parse((Str){text.data, digits}, &value) != NUMBER_OK) return false;
    Str unit = str_trim((Str){text.data + digits, text.len - digits});
    size_t i = 0;
    while (unit.len > 0 && i < count && !str_equal_fold(unit, units[i].name)) i++;
    if (unit.len > 0) {
        if (i == count) return false;
        factor = units[i].factor;
    }
    return !__builtin_mul_overflow(value, factor, out);
}

bool bytes_parse(Str text, int64_t *out) {
    text = str_trim(text);
    if (text.len > 1 && text.data[text.len - 1] == '%') {
        double percent;
        Str number = str_trim((Str){text.data, text.len - 1});
        if (number.len == 0 || number.data[0] < '0' || number.data[0] > '9') return false;
        if (double_parse(number, &percent) != NUMBER_OK || percent > 100) return false;
        *out = (int64_t)(percent / 100 * (double)os_memory_bytes());
        return true;
    }
    return quantity_parse(text, byte_units, COUNT_OF(byte_units), out);
}

static bool boolean_parse(Str text, bool *out) {
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};
    for (size_t i = 0; i < COUNT_OF(yes); i++) {
        *out = str_equal_fold(text, str_from(yes[i]));
        if (*out || str_equal_fold(text, str_from(no[i]))) return true;
    }
    return false;
}

/* ---------------------------------------------------------------- checking */

static Status value_fault(const SettingDef *def, Str text, Error *err) {
    return error_set(err, ERR_ATTRIBUTE_VALUE, "invalid value '" STR_FORMAT "' for the setting %s",
                     STR_ARGS(text), def->session_name);
}

static Status number_hint(const SettingDef *def, Error *err) {
    const char *unit = def->kind == SETTING_KIND_BYTES     ? " bytes (or with KB, MB, GB, %)"
                       : def->kind == SETTING_KIND_SECONDS ? " seconds (or with s, m, h)"
                                                           : "";
    if (def->high != 0)
        return error_hint(err, "a whole number from %lld to %lld%s is expected",
                          (long long)def->low, (long long)def->high, unit);
    return error_hint(err, "a whole number from %lld%s is expected", (long long)def->low, unit);
}

static Status number_check(const SettingDef *def, Str text, Arena *arena, SettingValue *out,
                           Error *err) {
    bool valid;
    if (def->kind == SETTING_KIND_BYTES)
        valid = bytes_parse(text, &out->integer);
    else if (def->kind == SETTING_KIND_SECONDS)
        valid = quantity_parse(text, time_units, COUNT_OF(time_units), &out->integer);
    else
        valid = int64_parse(text, &out->integer) == NUMBER_OK;
    if (!valid || out->integer < def->low || (def->high != 0 && out->integer > def->high)) {
        (void)value_fault(def, text, err);
        return number_hint(def, err);
    }
    char *canonical;
    TRY_ALLOC(canonical, arena_printf(arena, "%lld", (long long)out->integer), err);
    out->text = str_from(canonical);
    return TRIB_OK;
}

static Status choice_check(const SettingDef *def, Str text, SettingValue *out, Error *err) {
    Str choice;
    for (size_t i = 0; (choice = choice_at(def->choices, i)).data != NULL; i++) {
        if (!str_equal_fold(choice, text)) continue;
        out->text = choice;
        out->integer = (int64_t)i;
        return TRIB_OK;
    }
    Buf list;
    buf_init(&list, NULL, HINT_MAX);
    for (size_t i = 0; (choice = choice_at(def->choices, i)).data != NULL; i++) {
        if (i) buf_text(&list, ", ");
        buf_str(&list, choice);
    }
    (void)value_fault(def, text, err);
    Status status = error_hint(err, "one of %s is expected",
                               list.data && !list.failed ? list.data : def->choices);
    buf_clear(&list);
    return status;
}

static Status boolean_check(const SettingDef *def, Str text, SettingValue *out, Error *err) {
    if (!boolean_parse(text, &out->boolean)) {
        (void)value_fault(def, text, err);
        return error_hint(err, "true or false is expected");
    }
    out->integer = out->boolean;
    out->text = out->boolean ? STR("true") : STR("false");
    return TRIB_OK;
}

static Status string_check(SettingId id, Str text, Arena *arena, SettingValue *out, Error *err) {
    const SettingDef *def = &setting_table[id];
    if (!utf8_valid(text.data, text.len) || (text.len && memchr(text.data, '\0', text.len))) {
        (void)value_fault(def, text, err);
        return error_hint(err, "the text must be UTF-8 without zero bytes");
    }
    if (id == SETTING_TIME_ZONE) {
        int16_t zone;
        Error why;
        if (zone_resolve(str_trim(text), &zone, &why) != TRIB_OK) {
            (void)value_fault(def, text, err);
            return error_hint(err, "%s", why.hint);
        }
        out->integer = zone;
        out->text = str_from(zone_name(zone));
        return TRIB_OK;
    }
    char *copy;
    TRY_ALLOC(copy, str_dup(arena, text), err);
    out->text = (Str){copy, text.len};
    return TRIB_OK;
}

Status setting_parse(Arena *arena, SettingId id, Str text, SettingValue *out, Error *err) {
    const SettingDef *def = &setting_table[id];
    Str trimmed = str_trim(text);
    *out = (SettingValue){.text = {"", 0}};
    if (trimmed.len == 0) trimmed = text = str_from(def->default_value);
    if (trimmed.len == 0) return TRIB_OK; /* nothing, or computed by whoever owns the setting */
    switch (def->kind) {
    case SETTING_KIND_STRING: return string_check(id, text, arena, out, err);
    case SETTING_KIND_BOOLEAN: return boolean_check(def, trimmed, out, err);
    case SETTING_KIND_CHOICE: return choice_check(def, trimmed, out, err);
    default: return number_check(def, trimmed, arena, out, err);
    }
}

Status setting_default(Arena *arena, SettingId id, SettingValue *out, Error *err) {
    return setting_parse(arena, id, STR(""), out, err);
}
