/*
 * aws_profile.c - looks keys up in the shared credentials and configuration files.
 *
 * The files are small: each look-up walks the text. A profile is [name] in the credentials file and
 * [profile name] (or [default]) in the other. Indented lines belong to the key above and are read over.
 */
#include "connectors/support/aws_profile.h"

#include <unistd.h>

#include "engine/base/os.h"

enum { FILE_MOST = 4 * 1024 * 1024 };

static Status file_read(Arena *arena, const char *variable, const char *name, Str *out,
                        Error *err) {
    const char *path = os_env(variable), *home = os_env("HOME");
    *out = (Str){"", 0};
    if (!path && !home) return TRIB_OK;
    if (!path) TRY_ALLOC(path, arena_printf(arena, "%s/.aws/%s", home, name), err);
    if (access(path, F_OK) != 0) return TRIB_OK;
    return os_read_file(arena, path, FILE_MOST, out, err);
}

Status aws_profiles_read(AwsProfiles *self, Arena *arena, Error *err) {
    TRY(file_read(arena, "AWS_SHARED_CREDENTIALS_FILE", "credentials", &self->credentials, err));
    return file_read(arena, "AWS_CONFIG_FILE", "config", &self->config, err);
}

static Str line_take(Str *rest) {
    const char *end = memchr(rest->data, '\n', rest->len);
    size_t length = end ? (size_t)(end - rest->data) : rest->len;
    Str line = {rest->data, length};
    size_t used = length + (end != NULL);
    rest->data += used;
    rest->len -= used;
    return line;
}

/* Is "[...]" the section of this profile? */
static bool section_is(Str line, Str profile, bool prefixed) {
    const char *end = memchr(line.data, ']', line.len);
    if (!end) return false;
    Str name = str_trim((Str){line.data + 1, (size_t)(end - line.data) - 1});
    if (prefixed && name.len > 8 && memcmp(name.data, "profile", 7) == 0 &&
        (name.data[7] == ' ' || name.data[7] == '\t'))
        name = str_trim((Str){name.data + 7, name.len - 7});
    else if (prefixed && !str_equal(name, STR("default")))
        return false;
    return str_equal(name, profile);
}

/* key NULL: does the section exist? The last of several equal keys counts. */
static Str section_value(Str text, Str profile, bool prefixed, const char *key) {
    Str found = {NULL, 0};
    bool inside = false;
    while (text.len) {
        Str line = line_take(&text);
        bool indented = line.len && (line.data[0] == ' ' || line.data[0] == '\t');
        Str trimmed = str_trim(line);
        if (trimmed.len == 0 || trimmed.data[0] == '#' || trimmed.data[0] == ';') continue;
        if (trimmed.data[0] == '[') {
            inside = section_is(trimmed, profile, prefixed);
            if (inside && !key) return profile;
            continue;
        }
        const char *equal = memchr(trimmed.data, '=', trimmed.len);
        if (!inside || indented || !equal || !key) continue;
        size_t name = (size_t)(equal - trimmed.data);
        if (!str_equal_fold(str_trim((Str){trimmed.data, name}), str_from(key))) continue;
        found = str_trim((Str){equal + 1, trimmed.len - name - 1});
    }
    return found;
}

Str aws_profile_value(const AwsProfiles *self, Str profile, const char *key) {
    Str value = section_value(self->credentials, profile, false, key);
    return value.data ? value : section_value(self->config, profile, true, key);
}

bool aws_profile_exists(const AwsProfiles *self, Str profile) {
    return section_value(self->credentials, profile, false, NULL).data ||
           section_value(self->config, profile, true, NULL).data;
}

Str aws_profile_name(const char *option) {
    const char *environment = os_env("AWS_PROFILE");
    if (option) return str_from(option);
    return environment ? str_from(environment) : STR("default");
}
