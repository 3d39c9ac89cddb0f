/*
 * prepared.c - statements prepared by SQL: PREPARE, EXECUTE, DEALLOCATE, DESCRIBE INPUT and OUTPUT.
 *
 * A session keeps the text of each by its name. EXECUTE reads the text anew, with the expressions behind
 * USING in place of the `?` (so that they have the types that they were written with, and LIMIT ? takes a
 * number), and what comes out is bound and run as if it had been written there. Expressions behind USING may
 * themselves hold parameters of the EXECUTE.
 *
 * The list is guarded by the session's lock; entries are on the heap, texts are copied out.
 */
#include "engine/runtime/prepared.h"

#include "engine/runtime/session.h"

#define MOST_PREPARED 10000

struct Prepared {
    Prepared *next;
    Str name, text; /* behind the record */
};

static Prepared *prepared_new(Str name, Str text) {
    Prepared *self = heap_alloc(sizeof *self + name.len + text.len);
    if (!self) return NULL;
    char *data = (char *)(self + 1);
    memcpy(data, name.data, name.len);
    memcpy(data + name.len, text.data, text.len);
    self->name = (Str){data, name.len};
    self->text = (Str){data + name.len, text.len};
    return self;
}

/* The link that points to the statement of that name, or the last one. Counts those before it. */
static Prepared **prepared_link(Session *session, Str name, uint32_t *before) {
    Prepared **link = &session->prepared;
    for (*before = 0; *link && !str_equal_fold((*link)->name, name); link = &(*link)->next)
        ++*before;
    return link;
}

Status prepared_put(Session *session, Str name, Str text, Error *err) {
    Prepared *entry;
    TRY_ALLOC(entry, prepared_new(name, text), err);
    pthread_mutex_lock(&session->lock);
    uint32_t before;
    Prepared **link = prepared_link(session, name, &before);
    Prepared *old = *link;
    bool full = !old && before >= MOST_PREPARED;
    if (!full) {
        entry->next = old ? old->next : NULL;
        *link = entry;
    }
    pthread_mutex_unlock(&session->lock);
    heap_free(full ? entry : old);
    if (!full) return TRIB_OK;
    error_set(err, ERR_LIMIT, "the connection has %d prepared statements", MOST_PREPARED);
    return error_hint(err, "DEALLOCATE PREPARE gives up those that are not needed any more.");
}

/* There is no statement of that name; the nearest one, if there is one, as a hint. Under the lock. */
static Status unknown_statement(Session *session, const AstName *name, Error *err) {
    const Prepared *best = NULL;
    uint32_t nearest = name->text.len < 4 ? 2 : 4;
    for (const Prepared *p = session->prepared; p; p = p->next) {
        uint32_t distance = str_distance(name->text, p->name, nearest);
        if (distance >= nearest) continue;
        nearest = distance;
        best = p;
    }
    Status status =
        error_set_at(err, ERR_STATEMENT_NAME, name->at.line, name->at.column,
                     "there is no prepared statement '" STR_FORMAT "'", STR_ARGS(name->text));
    if (!best) return status;
    return error_hint(err, "did you mean \"" STR_FORMAT "\"?", STR_ARGS(best->name));
}

static Status prepared_find(Session *session, Arena *arena, const AstName *name, Str *text,
                            Error *err) {
    uint32_t before;
    char *copy = NULL;
    pthread_mutex_lock(&session->lock);
    const Prepared *entry = *prepared_link(session, name->text, &before);
    Status status = entry ? TRIB_OK : unknown_statement(session, name, err);
    if (entry) {
        copy = str_dup(arena, entry->text);
        *text = (Str){copy, entry->text.len};
    }
    pthread_mutex_unlock(&session->lock);
    return entry && !copy ? error_out_of_memory(err) : status;
}

Status prepared_drop(Session *session, const AstName *name, Error *err) {
    uint32_t before;
    pthread_mutex_lock(&session->lock);
    Prepared **link = prepared_link(session, name->text, &before);
    Prepared *entry = *link;
    Status status = entry ? TRIB_OK : unknown_statement(session, name, err);
    if (entry) *link = entry->next;
    pthread_mutex_unlock(&session->lock);
    heap_free(entry);
    return status;
}

void prepared_clear(Session *session) {
    pthread_mutex_lock(&session->lock);
    Prepared *list = session->prepared;
    session->prepared = NULL;
    pthread_mutex_unlock(&session->lock);
    while (list) {
        Prepared *next = list->next;
        heap_free(list);
        list = next;
    }
}

/* ---------------------------------------------------------------- EXECUTE, DESCRIBE */

static const AstName *statement_called(const AstStatement *ast) {
    return &ast->name.parts[0];
}

/* Text of a statement may not prepare or execute in its turn. */
static Status check_kind(const AstStatement *inner, AstPosition at, Error *err) {
    switch (inner->kind) {
    case AST_PREPARE:
    case AST_EXECUTE:
    case AST_EXECUTE_IMMEDIATE:
    case AST_DEALLOCATE:
    case AST_DESCRIBE_INPUT:
    case AST_DESCRIBE_OUTPUT:
        return error_set_at(err, ERR_UNSUPPORTED, at.line, at.column,
                            "PREPARE, EXECUTE, DEALLOCATE and DESCRIBE of a prepared statement "
                            "cannot be prepared");
    default: return TRIB_OK;
    }
}

Status prepared_check(const AstStatement *ast, Error *err) {
    return check_kind(ast->inner, ast->inner->at, err);
}

/* The statement to be carried out in place of EXECUTE. */
static Status expand_execute(Session *session, Arena *arena, const AstStatement *ast,
                             uint32_t nparameters, AstStatement **out, Error *err) {
    bool named = ast->kind == AST_EXECUTE;
    Str text = ast->text;
    uint32_t given;
    if (named) TRY(prepared_find(session, arena, statement_called(ast), &text, err));
    Status status = sql_parse_given(arena, text, ast->nargs, ast->args, out, &given, err);
    if (status != TRIB_OK) {
        return error_detail(err, "in the text of the statement that line %u, column %u executes",
                            ast->at.line, ast->at.column);
    }
    TRY(check_kind(*out, ast->at, err));
    (*out)->nparameters = nparameters;
    if (given == ast->nargs) return TRIB_OK;
    error_set_at(err, ERR_USING_CLAUSE, ast->at.line, ast->at.column,
                 "the statement has %u parameter%s, USING gives %u", given, given == 1 ? "" : "s",
                 ast->nargs);
    return named ? error_hint(err, "DESCRIBE INPUT " STR_FORMAT " lists them.",
                              STR_ARGS(statement_called(ast)->text))
                 : TRIB_INVALID;
}

static Status describe_inner(Session *session, Arena *arena, AstStatement *ast, Error *err) {
    Str text;
    TRY(prepared_find(session, arena, statement_called(ast), &text, err));
    return sql_parse(arena, text, &ast->inner, err);
}

Status prepared_expand(Session *session, Arena *arena, AstStatement **ast, Error *err) {
    AstStatement **link = ast;
    uint32_t nparameters = (*ast)->nparameters;
    while ((*link)->kind == AST_EXPLAIN) link = &(*link)->inner;
    switch ((*link)->kind) {
    case AST_EXECUTE:
    case AST_EXECUTE_IMMEDIATE:
        return expand_execute(session, arena, *link, nparameters, link, err);
    case AST_DESCRIBE_INPUT:
    case AST_DESCRIBE_OUTPUT: return describe_inner(session, arena, *link, err);
    default: return TRIB_OK;
    }
}
