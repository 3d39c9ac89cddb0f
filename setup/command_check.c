/*
 * command_check.c - `tributary check`: opens each catalog, one after the other, and says what answered,
 * or what is wrong and how to mend it.
 */
#include "engine/base/os.h"
#include "setup/command.h"

static uint32_t widest(const CatalogSummary *catalogs, uint32_t count) {
    size_t width = 0;
    for (uint32_t i = 0; i < count; i++) {
        size_t length = utf8_length(catalogs[i].name, strlen(catalogs[i].name));
        if (length > width) width = length;
    }
    return (uint32_t)width;
}

/* What to do where the error itself gives no hint. */
static const char *advice(const Error *err) {
    switch (err->status) {
    case TRIB_CONNECT:
        return "Is the server running, and is it reachable under this address and port?";
    case TRIB_AUTH: return "Check the user, the password and what the user is allowed to see.";
    case TRIB_TIMEOUT:
        return "Check address and port: something accepted the connection and does not answer, or "
               "drops it.";
    case TRIB_INVALID:
    case TRIB_NOT_FOUND: return "Correct the configuration at the place named above.";
    default: return NULL;
    }
}

/* true: it answered. */
static bool check_one(Session *session, const CatalogSummary *catalog, uint32_t width) {
    char text[512] = "";
    Error err;
    error_clear(&err);
    int64_t began = os_now_ns();
    Status status =
        session_check_catalog(session, str_from(catalog->name), text, sizeof text, &err);
    double ms = (double)(os_now_ns() - began) / 1e6;
    uint32_t space = width - (uint32_t)utf8_length(catalog->name, strlen(catalog->name));
    printf("  %s%*s  %-10s ", catalog->name, (int)space, "", catalog->type);
    if (status == TRIB_OK) {
        printf("ok      %s (%.0f ms)\n", text, ms);
    } else {
        printf("FAILED  %s: %s\n", err.sqlstate, err.message);
        if (err.detail[0]) printf("      detail: %s\n", err.detail);
        const char *hint = err.hint[0] ? err.hint : advice(&err);
        if (hint) printf("      hint: %s\n", hint);
    }
    fflush(stdout);
    return status == TRIB_OK;
}

static bool wanted(const Invocation *self, const char *name) {
    if (self->nwords == 0) return true;
    for (uint32_t i = 0; i < self->nwords; i++) {
        if (str_equal_fold(str_from(self->words[i]), str_from(name))) return true;
    }
    return false;
}

static bool words_known(const Invocation *self, const CatalogSummary *catalogs, uint32_t count) {
    for (uint32_t w = 0; w < self->nwords; w++) {
        bool known = false;
        for (uint32_t i = 0; i < count && !known; i++)
            known = str_equal_fold(str_from(self->words[w]), str_from(catalogs[i].name));
        if (known) continue;
        fprintf(stderr, "tributary: the configuration has no catalog \"%s\"\n", self->words[w]);
        return false;
    }
    return true;
}

static int check_all(const Invocation *self, Session *session) {
    const CatalogSummary *catalogs;
    uint32_t count = session_catalogs(session, &catalogs), asked = 0, good = 0;
    Str path = session_config_path(session);
    if (path.len)
        printf("configuration " STR_FORMAT "\n", STR_ARGS(path));
    else
        printf("no configuration was found\n");
    if (count == 0) {
        printf("  no catalog is configured\n"
               "      hint: `tributary init` writes a configuration with examples; see "
               "docs/configuration.md.\n");
        return RESULT_USAGE;
    }
    if (!words_known(self, catalogs, count)) return RESULT_USAGE;
    uint32_t width = widest(catalogs, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!wanted(self, catalogs[i].name)) continue;
        asked++;
        good += check_one(session, &catalogs[i], width);
    }
    printf("%u of %u catalog%s answered\n", good, asked, asked == 1 ? "" : "s");
    return good == asked ? RESULT_OK : RESULT_FAILED;
}

int command_check(const Invocation *self) {
    Session *session;
    int result = invocation_open(self, &session);
    if (result != RESULT_OK) return result;
    result = check_all(self, session);
    session_close(session);
    return result;
}
