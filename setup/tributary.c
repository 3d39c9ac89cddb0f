/*
 * tributary.c - the `tributary` command: sets up, checks, asks and explains without an application.
 *
 * One table of commands and one of options; the sub-commands stand in command_*.c. Rows go to stdout,
 * everything else to stderr. Returns 0, 1 when a statement or a catalog failed, 2 for a wrong command
 * line or configuration, 130 after Ctrl-C.
 */
#include "config.h"

#include <getopt.h>
#include <stdlib.h>

#include "setup/command.h"

typedef struct Command {
    const char *name;
    int (*run)(const Invocation *);
    const char *usage, *help;
} Command;

static const Command commands[] = {
    {"init", command_init, "[--config FILE]",
     "write a commented configuration, for you to fill in"},
    {"check", command_check, "[CATALOG ...]",
     "open each catalog, say what is wrong and how to mend it"},
    {"query", command_query, "[--format table|csv|json] SQL | - | -f FILE",
     "run SQL (several statements may be separated by ';')"},
    {"explain", command_explain, "[--type logical|physical|remote] [--analyze] SQL | - | -f FILE",
     "show the plan: what each source is asked, what happens here"},
    {"settings", command_settings, "[PATTERN]",
     "list the settings with their values and what they mean"},
};

static void usage(FILE *out) {
    fputs("usage: tributary COMMAND [OPTION ...]\n\ncommands:\n", out);
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        fprintf(out, "  %s %s\n      %s\n", commands[i].name, commands[i].usage, commands[i].help);
    fputs(
        "\noptions:\n"
        "  --config FILE       the configuration (default: $TRIBUTARY_CONFIG,\n"
        "                      ~/.config/tributary/tributary.json, /etc/tributary/tributary.json)\n"
        "  --set NAME=VALUE    a setting for this run, for example --set threads=1\n"
        "  -f, --file FILE     read SQL from a file\n"
        "  --format FORMAT     table (default), csv or json\n"
        "  --help, --version\n"
        "\nSQL may be - to read it from standard input. Ctrl-C cancels the running statement.\n",
        out);
}

enum {
    OPTION_CONFIG = 256,
    OPTION_SET,
    OPTION_FORMAT,
    OPTION_TYPE,
    OPTION_ANALYZE,
    OPTION_HELP,
    OPTION_VERSION
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"set", required_argument, NULL, OPTION_SET},
    {"file", required_argument, NULL, 'f'},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"type", required_argument, NULL, OPTION_TYPE},
    {"analyze", no_argument, NULL, OPTION_ANALYZE},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static bool set_add(Invocation *self, const char *text) {
    const char *equals = strchr(text, '=');
    if (!equals || equals == text) {
        fprintf(stderr, "tributary: --set takes NAME=VALUE, not \"%s\"\n", text);
        return false;
    }
    Str name = {text, (size_t)(equals - text)};
    Error err;
    if (setting_find(name) == SETTING_COUNT && setting_unknown(name, &err) != TRIB_OK) {
        report_error(stderr, &err, STR(""), 1);
        return false;
    }
    self->sets[self->nsets++] = (SessionOption){.name = name, .value = str_from(equals + 1)};
    return true;
}

static bool format_take(Invocation *self, const char *name) {
    static const char *const names[] = {
        [OUTPUT_TABLE] = "table", [OUTPUT_CSV] = "csv", [OUTPUT_JSON] = "json"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (strcmp(names[i], name) != 0) continue;
        self->format = (OutputFormat)i;
        return true;
    }
    fprintf(stderr, "tributary: unknown format \"%s\": table, csv or json\n", name);
    return false;
}

/* One option; false: the command line is wrong, and that was said. */
static bool option_take(Invocation *self, int option) {
    switch (option) {
    case OPTION_CONFIG: self->config = optarg; return true;
    case OPTION_SET: return set_add(self, optarg);
    case 'f': self->file = optarg; return true;
    case OPTION_FORMAT: return format_take(self, optarg);
    case OPTION_TYPE: self->type = optarg; return true;
    case OPTION_ANALYZE: self->analyze = true; return true;
    default: fputs("Try: tributary --help\n", stderr); return false;
    }
}

/* RESULT_OK with *command set, or what to return at once: *done. */
static int parse(Invocation *self, int argc, char **argv, const Command **command, bool *done) {
    int option;
    *done = true;
    self->sets = ARENA_ARRAY(self->arena, SessionOption, (size_t)argc);
    if (!self->sets) return RESULT_FAILED;
    while ((option = getopt_long(argc, argv, "f:h", long_options, NULL)) != -1) {
        if (option == OPTION_HELP || option == 'h') {
            usage(stdout);
            return RESULT_OK;
        }
        if (option == OPTION_VERSION) {
            printf("tributary %s\n", engine_version());
            return RESULT_OK;
        }
        if (!option_take(self, option)) return RESULT_USAGE;
    }
    if (optind == argc) {
        usage(stderr);
        return RESULT_USAGE;
    }
    const char *name = argv[optind++];
    self->words = argv + optind;
    self->nwords = (uint32_t)(argc - optind);
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (strcmp(commands[i].name, name) != 0) continue;
        *command = &commands[i];
        *done = false;
        return RESULT_OK;
    }
    fprintf(stderr, "tributary: unknown command \"%s\": init, check, query, explain or settings\n",
            name);
    return RESULT_USAGE;
}

int invocation_open(const Invocation *self, Session **out) {
    SessionParams params = {.config = str_from(self->config ? self->config : ""),
                            .config_text = STR(""),
                            .user = STR(""),
                            .password = STR(""),
                            .options = self->sets,
                            .noptions = self->nsets,
                            .deadline_ns = INT64_MAX};
    Error err;
    if (session_open(&params, report_warning, NULL, out, &err) == TRIB_OK) return RESULT_OK;
    report_error(stderr, &err, STR(""), 1);
    return RESULT_USAGE;
}

int main(int argc, char **argv) {
    Invocation invocation = {.arena = arena_new(NULL)};
    const Command *command = NULL;
    bool done;
    if (!invocation.arena) {
        fputs("tributary: out of memory\n", stderr);
        return RESULT_FAILED;
    }
    int result = parse(&invocation, argc, argv, &command, &done);
    if (!done) result = command->run(&invocation);
    arena_free(invocation.arena);
    if (fflush(stdout) != 0 && result == RESULT_OK) {
        fputs("tributary: the output cannot be written\n", stderr);
        result = RESULT_FAILED;
    }
    return result;
}
