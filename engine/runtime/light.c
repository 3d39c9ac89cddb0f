/*
 * light.c - which statements the caller's own thread may run.
 *
 * A change of threads and back costs more than all of SELECT 1, and on a busy machine much more: pools
 * check their connections with such statements. A statement is light when its text shows that it
 * touches no source and needs little stack: it begins with SELECT or VALUES, has few tokens, and none of
 * them is a word with which a table could come in. Depth of nesting is bounded by the number of tokens.
 *
 * So is storing sets of parameters in a table of this process, once that is planned: programs send one array, or
 * one row, after another, and each would wait for two threads to wake.
 *
 * No I/O on the application's threads: they block no signals, and client libraries keep state per
 * thread. So whatever may open a catalog goes to the crew.
 */
#include "config.h"

#include "engine/base/os.h"
#include "engine/runtime/session.h"
#include "engine/sql/lexer.h"

#define LIGHT_TEXT   1024
#define LIGHT_TOKENS 48
#ifdef TRIB_ASAN
#define LIGHT_STACK ((size_t)2 << 20)
#else
#define LIGHT_STACK ((size_t)192 << 10)
#endif

bool statement_text_is_light(Str sql) {
    if (sql.len > LIGHT_TEXT || os_stack_left() < LIGHT_STACK) return false;
    Lexer lexer;
    Token token;
    lexer_init(&lexer, sql);
    lexer_next(&lexer, &token);
    if (token.keyword != KW_SELECT && token.keyword != KW_VALUES) return false;
    for (uint32_t n = 0; n < LIGHT_TOKENS; n++) {
        lexer_next(&lexer, &token);
        if (token.kind == TOKEN_END) return true;
        if (token.kind == TOKEN_INVALID) return false;
        if (token.keyword == KW_FROM || token.keyword == KW_TABLE) return false;
    }
    return false;
}

bool statement_sets_are_light(const Statement *self) {
    return self->sets.columns && self->sets_light && sets_planned(self) &&
           os_stack_left() >= LIGHT_STACK;
}
