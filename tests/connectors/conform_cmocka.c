/*
 * conform_cmocka.c - the checks of conform.h in a cmocka program: the first that fails ends the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/connectors/conform.h"

uint64_t checks_passed, checks_failed;
const char *check_context = "";

bool check_report(bool good, const char *file, int line, const char *format, ...) {
    if (good) return true;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    fail_msg("%s:%d", file, line);
    return false;
}
