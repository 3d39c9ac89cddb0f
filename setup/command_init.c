/*
 * command_init.c - `tributary init`: a configuration with comments, to be filled in.
 *
 * It holds one catalog that works at once (tables in memory), examples of the others as comments, and
 * every setting with its default and meaning, taken from the table of settings. A file that exists is
 * never touched.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/json.h"
#include "engine/base/os.h"
#include "setup/command.h"

#define TEXT_MAX ((size_t)1 << 20)

static const char head[] =
    "// Configuration of Tributary: which sources there are, and how queries are run.\n"
    "// JSON with comments; a comma behind the last member is allowed. `tributary check` tries "
    "it.\n"
    "{\n"
    "    // One catalog per source. Its name is the first part of catalog.schema.table.\n"
    "    // Write no password here: \"${env:NAME}\" takes it from the environment,\n"
    "    // \"${file:/path}\" from a file that only you can read.\n"
    "    \"catalogs\": {\n"
    "        // Tables in memory, shared by the connections of one process. The script runs at "
    "first use.\n"
    "        \"scratch\": {\n"
    "            \"type\": \"memory\",\n"
    "            // \"script\": \"CREATE TABLE numbers AS SELECT * FROM (VALUES (1, 'one'), (2, "
    "'two')) AS t (n, name)\",\n"
    "        },\n"
    "\n"
    "        // A database file of SQLite: tables are shop.main.<table>.\n"
    "        // \"shop\": {\n"
    "        //     \"type\": \"sqlite\",\n"
    "        //     \"path\": \"/path/to/shop.db\",\n"
    "        // },\n"
    "\n"
    "        // A MySQL or MariaDB server: tables are sales.<database>.<table>.\n"
    "        // \"sales\": {\n"
    "        //     \"type\": \"mysql\",\n"
    "        //     \"host\": \"db.example.com\",\n"
    "        //     \"port\": 3306,\n"
    "        //     \"user\": \"reader\",\n"
    "        //     \"password\": \"${env:SALES_PASSWORD}\",\n"
    "        //     // auto verifies the server's certificate unless it is this machine\n"
    "        //     \"tls\": \"auto\",\n"
    "        //     \"max_connections\": 4,\n"
    "        // },\n"
    "\n"
    "        // DynamoDB: tables are items.default.<table>. Keys come from the environment or "
    "~/.aws.\n"
    "        // \"items\": {\n"
    "        //     \"type\": \"dynamodb\",\n"
    "        //     \"region\": \"eu-central-1\",\n"
    "        // },\n"
    "    },\n"
    "\n"
    "    // What is not set here has its default. The same names serve in SET SESSION; in a "
    "connection\n"
    "    // string they are written in one word (push_down: PushDown=).\n"
    "    \"settings\": {\n";
static const char tail[] = "    },\n"
                           "}\n";

static void setting_lines(Buf *out, const SettingDef *def) {
    buf_printf(out, "        // %s", def->help);
    if (def->choices) buf_printf(out, ": %s", def->choices);
    buf_printf(out, "\n        // \"%s\": ", def->session_name);
    Str value = str_from(def->default_value);
    bool bare = (def->kind == SETTING_KIND_INTEGER || def->kind == SETTING_KIND_SECONDS ||
                 def->kind == SETTING_KIND_BOOLEAN) &&
                value.len > 0;
    if (bare)
        buf_str(out, value);
    else
        json_quote(out, value);
    buf_text(out, ",\n");
}

/* Creates the folder of a file and those above it, for the user alone. */
static Status make_folders(Arena *arena, const char *path, Error *err) {
    char *copy;
    TRY_ALLOC(copy, arena_strdup(arena, path), err);
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0700) != 0 && errno != EEXIST) {
            int why = errno;
            (void)error_errno(err, ERR_GENERAL, why, "the folder cannot be made");
            return error_detail(err, "folder: %s", copy);
        }
        *slash = '/';
    }
    return TRIB_OK;
}

static Status write_whole(int file, Str text, Error *err) {
    while (text.len > 0) {
        ssize_t put = write(file, text.data, text.len);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0)
            return error_errno(err, ERR_GENERAL, errno, "the configuration cannot be written");
        text = (Str){text.data + put, text.len - (size_t)put};
    }
    return TRIB_OK;
}

static Status create(const char *path, Str text, Error *err) {
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        int why = errno;
        (void)error_errno(err, ERR_GENERAL, why, "the configuration cannot be made");
        (void)error_detail(err, "file: %s", path);
        if (why != EEXIST) return err->status;
        return error_hint(err,
                          "It stays as it is. Move it away, or name another file by --config.");
    }
    Status status = write_whole(file, text, err);
    if (close(file) != 0 && status == TRIB_OK)
        status = error_errno(err, ERR_GENERAL, errno, "the configuration cannot be written");
    if (status != TRIB_OK) (void)unlink(path);
    return status;
}

static Status init(const Invocation *self, const char **path, Error *err) {
    if (self->config) {
        *path = self->config;
    } else {
        char *folder = os_config_dir(self->arena);
        if (!folder) {
            (void)error_set(err, ERR_GENERAL,
                            "there is no home folder to write the configuration to");
            return error_hint(err, "Name a file: tributary init --config FILE");
        }
        TRY_ALLOC(*path, arena_printf(self->arena, "%s/tributary.json", folder), err);
        TRY(make_folders(self->arena, *path, err));
    }
    Buf text;
    buf_init(&text, self->arena, TEXT_MAX);
    buf_text(&text, head);
    for (uint32_t i = 0; i < SETTING_COUNT; i++) setting_lines(&text, setting_def((SettingId)i));
    buf_text(&text, tail);
    TRY(buf_status(&text, err));
    return create(*path, buf_view(&text), err);
}

int command_init(const Invocation *self) {
    const char *path = NULL;
    Error err;
    if (self->nwords) {
        fputs("tributary: init takes no argument; name the file by --config\n", stderr);
        return RESULT_USAGE;
    }
    if (init(self, &path, &err) != TRIB_OK) {
        report_error(stderr, &err, STR(""), 1);
        return RESULT_FAILED;
    }
    printf("%s is written. Fill in your sources, then try: tributary check\n", path);
    return RESULT_OK;
}
