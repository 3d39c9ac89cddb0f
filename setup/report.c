/*
 * report.c - errors and warnings as a person reads them.
 */
#include "setup/command.h"

#define SHOWN_MOST 160 /* characters of a line that are shown around the mark */

/* The nth line of a text, 1-based. */
static Str line_at(Str text, uint32_t number) {
    const char *at = text.data, *end = text.data + text.len;
    for (uint32_t line = 1; line < number && at < end; line++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        at = newline ? newline + 1 : end;
    }
    const char *newline = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
    return (Str){at, (size_t)((newline ? newline : end) - at)};
}

/* The line at fault with a mark below the column; long lines are cut around it. */
static void show_place(FILE *out, Str sql, uint32_t line_number, uint32_t column) {
    Str line = line_at(sql, line_number);
    uint32_t before = column - 1, skipped = before > SHOWN_MOST / 2 ? before - SHOWN_MOST / 2 : 0;
    size_t from = utf8_offset(line.data, line.len, skipped);
    Str shown = {line.data + from, line.len - from};
    size_t bytes = utf8_offset(shown.data, shown.len, SHOWN_MOST);
    if (shown.len == 0 || bytes == 0) return;
    fprintf(out, "  | %.*s\n  | ", (int)bytes, shown.data);
    size_t at = 0;
    for (uint32_t i = skipped; i < before && at < bytes; i++) {
        fputc(shown.data[at] == '\t' ? '\t' : ' ', out);
        (void)utf8_next(shown.data, shown.len, &at);
    }
    fputs("^\n", out);
}

void report_error(FILE *out, const Error *err, Str sql, uint32_t first_line) {
    fprintf(out, "error %s: %s\n", err->sqlstate, err->message);
    if (err->line && sql.len) {
        fprintf(out, "  at line %u, column %u\n", err->line + first_line - 1, err->column);
        if (err->column) show_place(out, sql, err->line, err->column);
    }
    if (err->detail[0]) fprintf(out, "  detail: %s\n", err->detail);
    if (err->hint[0]) fprintf(out, "  hint: %s\n", err->hint);
    if (err->source[0]) fprintf(out, "  source: %s\n", err->source);
    if (err->native)
        fprintf(out, "  %s: %d\n", err->source[0] ? "code of the source" : "code of the system",
                err->native);
}

void report_warning(void *context, const Error *warning) {
    fprintf(stderr, "warning %s: %s%s%s\n", warning->sqlstate, warning->message,
            warning->source[0] ? " - " : "", warning->source);
    if (warning->hint[0]) fprintf(stderr, "  hint: %s\n", warning->hint);
}
