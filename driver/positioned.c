/*
 * positioned.c - names of cursors; UPDATE and DELETE ... WHERE CURRENT OF a cursor.
 *
 * Such a statement is prepared as one with the key and the values of a row in its condition, whose parameters stand
 * behind the application's own and get their values from the row that the cursor is on, at each execution.
 * Afterwards the cursor shows the row as it is then.
 *
 * Threads: under the lock of the statement that executes. The cursor's statement is another one: its lock is only
 * tried, since its own thread might be waiting for ours. The names of a connection's cursors stand in a list with
 * a lock of its own, inside which nothing else is locked.
 */
#include <stdio.h>

#include "driver/change.h"

/* ---------------------------------------------------------------- names */

/* Under the list's lock. */
static Stmt *name_find(const Dbc *dbc, Str name) {
    for (Stmt *at = dbc->named; at; at = at->named_next)
        if (str_equal_fold(str_from(at->cursor_name), name)) return at;
    return NULL;
}

/* Under the list's lock. */
static void name_link(Stmt *self) {
    Dbc *dbc = self->dbc;
    if (self->cursor_listed) return;
    self->named_next = dbc->named;
    dbc->named = self;
    self->cursor_listed = true;
}

void stmt_drop_cursor_name(Stmt *self) {
    if (!self->cursor_listed) return;
    pthread_mutex_lock(&self->dbc->names_lock);
    Stmt **place = &self->dbc->named;
    while (*place && *place != self) place = &(*place)->named_next;
    if (*place) *place = self->named_next;
    pthread_mutex_unlock(&self->dbc->names_lock);
    self->cursor_listed = false;
}

SQLRETURN stmt_cursor_name(Stmt *self, const TextOut *out) {
    pthread_mutex_lock(&self->dbc->names_lock);
    if (!self->cursor_name[0])
        snprintf(self->cursor_name, sizeof self->cursor_name, "SQL_CUR%llX",
                 (unsigned long long)(uintptr_t)self->base.id);
    name_link(self);
    pthread_mutex_unlock(&self->dbc->names_lock);
    return call_text_out(&self->base, out, str_from(self->cursor_name));
}

SQLRETURN stmt_set_cursor_name(Stmt *self, Str name) {
    if (!name.data) return diag_error(&self->base, ERR_NULL_POINTER, "the name is a NULL pointer");
    bool reserved = name.len >= 6 && (str_equal_fold((Str){name.data, 6}, STR("SQLCUR")) ||
                                      str_equal_fold((Str){name.data, 6}, STR("SQL_CU")));
    if (name.len == 0 || name.len >= sizeof self->cursor_name || reserved)
        return diag_error(&self->base, ERR_CURSOR_NAME, "'" STR_FORMAT "' is no name for a cursor",
                          STR_ARGS(name));
    pthread_mutex_lock(&self->dbc->names_lock);
    const Stmt *other = name_find(self->dbc, name);
    bool taken = other && other != self;
    if (!taken) {
        memcpy(self->cursor_name, name.data, name.len);
        self->cursor_name[name.len] = 0;
        name_link(self);
    }
    pthread_mutex_unlock(&self->dbc->names_lock);
    if (!taken) return SQL_SUCCESS;
    return diag_error(&self->base, ERR_CURSOR_DUPLICATE,
                      "another cursor of the connection has the name '" STR_FORMAT "'",
                      STR_ARGS(name));
}

/* ---------------------------------------------------------------- the cursor */

static SQLHANDLE cursor_id(const Stmt *self, Str name) {
    Dbc *dbc = self->dbc;
    pthread_mutex_lock(&dbc->names_lock);
    const Stmt *found = name_find(dbc, name);
    SQLHANDLE id = found && found != self ? found->base.id : SQL_NULL_HSTMT;
    pthread_mutex_unlock(&dbc->names_lock);
    return id;
}

/* Locks the statement of the cursor, without waiting for it. */
static Status cursor_lock(SQLHANDLE id, Stmt **out, Error *err) {
    Handle *pinned = id ? handle_pin(id, SQL_HANDLE_STMT) : NULL;
    *out = NULL;
    if (!pinned) return error_set(err, ERR_CURSOR_NAME, "there is no such cursor");
    bool locked = handle_try_lock(pinned);
    handle_unpin(pinned);
    if (!locked) return error_set(err, ERR_SEQUENCE, "another thread is using the cursor");
    *out = (Stmt *)pinned;
    return TRIB_OK;
}

static void cursor_unlock(Stmt *cursor) {
    handle_unlock(&cursor->base);
}

static Status cursor_check(const Stmt *cursor, Error *err) {
    const char *reason;
    if (!cursor->cursor.open || cursor->state >= STMT_NEED_DATA)
        return error_set(err, ERR_CURSOR_NAME, "the cursor '%s' is not open", cursor->cursor_name);
    if (change_offered(cursor, &reason)) return TRIB_OK;
    return error_set(err, ERR_UNSUPPORTED, "rows cannot be changed through the cursor '%s': %s",
                     cursor->cursor_name, reason);
}

/* ---------------------------------------------------------------- preparing */

/* Names in quotes are given without them. */
static Str name_unquoted(Arena *scratch, Str name) {
    if (name.len < 2 || name.data[0] != '"') return name;
    char *out = arena_alloc(scratch, name.len);
    size_t n = 0;
    for (size_t i = 1; out && i + 1 < name.len; i++) {
        out[n++] = name.data[i];
        if (name.data[i] == '"') i++;
    }
    return (Str){out, n};
}

static Status text_rewrite(const Stmt *cursor, Arena *scratch, Str change, Str *out, Error *err) {
    Buf text;
    TRY(cursor_check(cursor, err));
    buf_init(&text, scratch, INT32_MAX);
    buf_str(&text, change);
    change_text_condition(cursor, &text);
    TRY(buf_status(&text, err));
    *out = buf_view(&text);
    return TRIB_OK;
}

Status positioned_prepare(Stmt *self, Str *sql, Error *err) {
    Str change, name;
    Stmt *cursor;
    Arena *scratch;
    self->positioned = (Positioned){0};
    if (!engine_split_positioned(*sql, &change, &name)) return TRIB_OK;
    TRY_ALLOC(scratch, handle_scratch(&self->base), err);
    name = name_unquoted(scratch, name);
    if (!name.data) return error_out_of_memory(err);
    SQLHANDLE id = cursor_id(self, name);
    if (!id)
        return error_set(err, ERR_CURSOR_NAME,
                         "no open cursor of the connection has the name '" STR_FORMAT "'",
                         STR_ARGS(name));
    TRY(cursor_lock(id, &cursor, err));
    Status status = text_rewrite(cursor, scratch, change, sql, err);
    if (status == TRIB_OK)
        self->positioned = (Positioned){true, id, change_condition_count(cursor)};
    cursor_unlock(cursor);
    return status;
}

/* ---------------------------------------------------------------- executing */

static Status same_table(const Stmt *self, const Stmt *cursor, Error *err) {
    Str catalog, schema, table;
    const UpdateTarget *target = statement_update_target(atomic_load(&cursor->engine), NULL);
    if (statement_written_table(atomic_load(&self->engine), &catalog, &schema, &table) &&
        str_equal(catalog, target->catalog) && str_equal(schema, target->schema) &&
        str_equal(table, target->table) && change_condition_count(cursor) == self->positioned.nkeys)
        return TRIB_OK;
    return error_set(err, ERR_SYNTAX,
                     "the rows of the cursor '%s' are those of another table: " STR_FORMAT,
                     cursor->cursor_name, STR_ARGS(target->table));
}

static Status row_bind(Stmt *self, Stmt *cursor, Arena *arena, Error *err) {
    Statement *engine = atomic_load(&self->engine);
    const BatchView *batch;
    uint32_t logical;
    TRY(cursor_check(cursor, err));
    TRY(same_table(self, cursor, err));
    cursor_settle(cursor);
    bool on_row = (cursor->state == STMT_FETCHED || cursor->state == STMT_EXTENDED) &&
                  cursor->cursor.rowset_rows > 0;
    if (!on_row)
        return error_set(err, ERR_CURSOR_STATE, "the cursor '%s' is on no row",
                         cursor->cursor_name);
    if (!cursor_locate(&cursor->cursor, cursor->cursor.current, &batch, &logical))
        return error_set(err, ERR_CURSOR_POSITION, "the row of the cursor '%s' has been deleted",
                         cursor->cursor_name);
    return change_bind_condition(cursor, engine, arena, batch, logical, stmt_parameter_count(self),
                                 err);
}

Status positioned_bind(Stmt *self, Arena *arena, Error *err) {
    Stmt *cursor;
    if (!self->positioned.is_on) return TRIB_OK;
    TRY(cursor_lock(self->positioned.cursor, &cursor, err));
    Status status = row_bind(self, cursor, arena, err);
    cursor_unlock(cursor);
    return status;
}

/* Posted, not returned: the change itself has been made. */
void positioned_done(Stmt *self, SQLULEN row, int64_t rows) {
    Stmt *cursor;
    Error err;
    if (!self->positioned.is_on) return;
    if (rows != 1) {
        (void)error_set(&err, ERR_CURSOR_CONFLICT,
                        "%lld rows were changed: the row has been changed or deleted since it was "
                        "read",
                        (long long)rows);
        diag_row(&self->base, &err, false, (SQLLEN)row + 1, SQL_NO_COLUMN_NUMBER);
        return;
    }
    Status status = cursor_lock(self->positioned.cursor, &cursor, &err);
    if (status == TRIB_OK) {
        status = change_reread(cursor, cursor->cursor.current, &err);
        cursor_unlock(cursor);
    }
    if (status != TRIB_OK) diag_engine_warning(&self->base, &err);
}
