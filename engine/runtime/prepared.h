/*
 * prepared.h - the statements that a session has prepared by SQL, by name (without regard to case).
 */
#ifndef TRIB_RUNTIME_PREPARED_H
#define TRIB_RUNTIME_PREPARED_H

#include "engine/sql/parser.h"
#include "engine/tributary.h"

typedef struct Prepared Prepared; /* on the heap; guarded by the session's lock */

/* Keeps a statement's text; one of the same name is replaced. 54000 when there are too many. */
Status prepared_put(Session *session, Str name, Str text, Error *err) WARN_UNUSED;
/* 26000 with the nearest name when there is none. */
Status prepared_drop(Session *session, const AstName *name, Error *err) WARN_UNUSED;
/* Gives up all of them. */
void prepared_clear(Session *session);
/* Of a PREPARE: may what it prepares be prepared? */
Status prepared_check(const AstStatement *ast, Error *err) WARN_UNUSED;
/*
 * Replaces EXECUTE [IMMEDIATE], also behind EXPLAIN, by the statement that it executes, with what stands
 * behind USING in place of its parameters, and gives DESCRIBE INPUT and OUTPUT the statement they are about
 * (ast->inner). Other statements stay as they are. New nodes are in the arena.
 */
Status prepared_expand(Session *session, Arena *arena, AstStatement **ast, Error *err) WARN_UNUSED;

#endif
