/*
 * updatable.c - queries whose rows can be changed through the cursor, and statements that change the row that
 * a cursor is on.
 *
 * Such a query reads one table that takes writes, and each of its rows is one of the table's: no DISTINCT, no
 * groups, no set operation. Before it is bound its select list gets the columns of a key behind its own, so
 * that a row is found again whatever the query shows of it; statement_column_count leaves them out.
 *
 * Threads: the one that prepares. Memory: the prepared statement's arena.
 */
#include "engine/runtime/session.h"
#include "engine/sql/lexer.h"

/* ---------------------------------------------------------------- the table and its key */

/* Why the rows are none of one table's; NULL: they are, as far as the text shows. */
static const char *rows_are_derived(const AstStatement *ast) {
    if (ast->kind != AST_QUERY) return "the result is no query's";
    const AstQuery *query = ast->query;
    if (query->nctes > 0 || query->body->kind != AST_BODY_SELECT)
        return "the query is no plain SELECT (WITH, UNION, VALUES ...)";
    const AstSelect *select = query->body->select;
    if (select->distinct || select->ngroups > 0 || select->having)
        return "the rows of the query are groups of rows (DISTINCT, GROUP BY, HAVING)";
    const AstRelation *from = select->from;
    if (!from || from->kind != AST_REL_TABLE)
        return "the query reads something other than one table";
    if (from->naliases > 0) return "the query gives the table's columns other names";
    return NULL;
}

static bool key_is_total(const TribTable *table, const TribKey *key) {
    for (uint32_t i = 0; i < key->ncolumns; i++) {
        const TribColumn *column = &table->columns[key->columns[i]];
        if (column->nullable || column->unreadable) return false;
    }
    return key->ncolumns > 0 && (key->primary || key->unique);
}

/* What the source finds rows by, if a row keeps it when it is changed; else the primary key, or another that
 * every row has. */
static uint32_t key_find(const TribTable *table, bool moves, const uint32_t **columns) {
    const TribKey *found = NULL;
    if (table->nrow_key > 0 && !moves) {
        *columns = table->row_key;
        return table->nrow_key;
    }
    for (uint32_t i = 0; i < table->nkeys; i++) {
        const TribKey *key = &table->keys[i];
        if (key_is_total(table, key) && (!found || (key->primary && !found->primary))) found = key;
    }
    if (!found) return 0;
    *columns = found->columns;
    return found->ncolumns;
}

static void release_table(void *table) {
    table_release(table);
}

/* The table that the query reads; NULL: there is none, or not for writing. *reason says why. */
static Status table_of(const LookupContext *lookup, Arena *arena, const AstRelation *from,
                       TableRef **out, const char **reason, Error *err) {
    Str parts[3];
    TableRef *table;
    Source *source;
    Error none; /* the binder says it better, with the place */
    *out = NULL;
    if (from->name.count > 3) return TRIB_OK;
    for (uint32_t i = 0; i < from->name.count; i++) parts[i] = from->name.parts[i].text;
    Status status =
        catalog_lookup_table(lookup, from->name.count, parts, arena, &table, NULL, &none);
    if (status != TRIB_OK && (status == TRIB_MEMORY || arena_exhausted(arena)))
        return error_out_of_memory(err);
    if (status != TRIB_OK) return TRIB_OK;
    if (!arena_on_reset(arena, release_table, table)) {
        table_release(table);
        return error_out_of_memory(err);
    }
    TRY(catalog_source(table->catalog, &source, err));
    const TribConnector *connector = source_connector(source);
    if (!connector->write_open || !table->table.writable) {
        TRY_ALLOC(*reason,
                  arena_printf(arena, "%s '%s' of catalog '%s' (%s) cannot be written to",
                               table->table.kind == TRIB_TABLE_BASE ? "table" : "view",
                               table->table.name, catalog_name(table->catalog),
                               catalog_type(table->catalog)),
                  err);
        return TRIB_OK;
    }
    *out = table;
    return TRIB_OK;
}

static Status target_new(Arena *arena, const TableRef *ref, uint32_t nkeys, const uint32_t *keys,
                         UpdateTarget **out, Error *err) {
    Str *names;
    TRY_ALLOC(*out, ARENA_NEW(arena, UpdateTarget), err);
    TRY_ALLOC(names, ARENA_ARRAY(arena, Str, nkeys), err);
    for (uint32_t i = 0; i < nkeys; i++) names[i] = str_from(ref->table.columns[keys[i]].name);
    **out = (UpdateTarget){.catalog = str_from(catalog_name(ref->catalog)),
                           .schema = str_from(ref->table.schema),
                           .table = str_from(ref->table.name),
                           .nkeys = nkeys,
                           .keys = names};
    return TRIB_OK;
}

static Status target_find(Statement *self, const LookupContext *lookup, const AstStatement *ast,
                          UpdateTarget **out, Error *err) {
    Arena *arena = self->prepared;
    TableRef *ref;
    Source *source;
    const uint32_t *keys = NULL;
    *out = NULL;
    self->target_reason = rows_are_derived(ast);
    if (self->target_reason) return TRIB_OK;
    TRY(table_of(lookup, arena, ast->query->body->select->from, &ref, &self->target_reason, err));
    if (!ref) return TRIB_OK;
    TRY(catalog_source(ref->catalog, &source, err));
    bool moves = (source_connector(source)->flags & TRIB_ROW_KEY_MOVES) != 0;
    uint32_t nkeys = key_find(&ref->table, moves, &keys);
    if (nkeys > 0) return target_new(arena, ref, nkeys, keys, out, err);
    TRY_ALLOC(self->target_reason,
              arena_printf(arena, "table %s.%s has no primary key by which a row is found again",
                           ref->table.schema, ref->table.name),
              err);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- the query with its key */

static Status name_new(Arena *arena, Str name, AstPosition at, AstExpr **out, Error *err) {
    AstName *part;
    TRY_ALLOC(*out, ARENA_NEW(arena, AstExpr), err);
    TRY_ALLOC(part, ARENA_NEW(arena, AstName), err);
    *part = (AstName){.text = name, .quoted = true, .at = at};
    **out = (AstExpr){.kind = AST_NAME, .precision = -1, .at = at, .name = {1, part}};
    return TRIB_OK;
}

/* A copy of the statement with the key behind its select list; the tree itself stays as it was. */
static Status add_key(Arena *arena, const AstStatement *ast, const UpdateTarget *target,
                      AstStatement **out, Error *err) {
    const AstSelect *from = ast->query->body->select;
    AstSelect *select;
    TRY_ALLOC(*out, ARENA_NEW(arena, AstStatement), err);
    **out = *ast;
    TRY_ALLOC((*out)->query, ARENA_NEW(arena, AstQuery), err);
    *(*out)->query = *ast->query;
    TRY_ALLOC((*out)->query->body, ARENA_NEW(arena, AstBody), err);
    *(*out)->query->body = *ast->query->body;
    TRY_ALLOC(select, ARENA_NEW(arena, AstSelect), err);
    *select = *from;
    (*out)->query->body->select = select;
    select->nitems = from->nitems + target->nkeys;
    TRY_ALLOC(select->items, ARENA_ARRAY(arena, AstSelectItem, select->nitems), err);
    memcpy(select->items, from->items, from->nitems * sizeof *select->items);
    for (uint32_t i = 0; i < target->nkeys; i++) {
        AstSelectItem *item = &select->items[from->nitems + i];
        *item = (AstSelectItem){0};
        TRY(name_new(arena, target->keys[i], select->at, &item->expr, err));
    }
    return TRIB_OK;
}

void statement_set_updatable(Statement *self, bool on) {
    self->updatable = on;
}

const UpdateTarget *statement_update_target(const Statement *self, const char **reason) {
    if (reason) *reason = self->target_reason ? self->target_reason : "";
    return self->target;
}

Status updatable_bind(Statement *self, const BindContext *context, AstStatement *ast,
                      BoundStatement **out, Error *err) {
    UpdateTarget *target = NULL;
    AstStatement *with_key;
    self->target = NULL;
    self->target_reason = NULL;
    if (self->updatable) TRY(target_find(self, &context->lookup, ast, &target, err));
    if (target) {
        Error
            refused; /* a query of aggregates, or an error that is told when it is bound as it stands */
        TRY(add_key(self->prepared, ast, target, &with_key, err));
        if (bind_statement(context, self->prepared, with_key, out, &refused) == TRIB_OK) {
            target->first_key = (*out)->ncolumns - target->nkeys;
            self->target = target;
            return TRIB_OK;
        }
        if (refused.status == TRIB_MEMORY || arena_exhausted(self->prepared))
            return error_out_of_memory(err);
        self->target_reason = "the rows of the query are groups of rows (aggregates)";
    }
    return bind_statement(context, self->prepared, ast, out, err);
}

/* A value that came as text or number goes back as it was: types whose texts mean something else are none. */
bool updatable_type(Type type) {
    switch (type.id) {
    case TRIB_TYPE_JSON:
    case TRIB_TYPE_ARRAY:
    case TRIB_TYPE_MAP:
    case TRIB_TYPE_ROW:
    case TRIB_TYPE_TIME_TZ:
    case TRIB_TYPE_TIMESTAMP_TZ:
    case TRIB_TYPE_UNKNOWN: return false;
    default: return true;
    }
}

/* ---------------------------------------------------------------- WHERE CURRENT OF */

bool statement_written_table(const Statement *self, Str *catalog, Str *schema, Str *table) {
    if (!self->bound || self->bound->kind != BOUND_WRITE) return false;
    const LogicalNode *target = self->bound->plan->root;
    *catalog = str_from(catalog_name(target->write_catalog));
    *schema = str_from(target->write_schema ? target->write_schema : "");
    *table = str_from(target->write_name);
    return true;
}

static Str token_text(Str sql, const Token *token) {
    return (Str){sql.data + token->start, token->len};
}

bool engine_split_positioned(Str sql, Str *change, Str *cursor) {
    Lexer lexer;
    Token token, last[4] = {{0}}; /* WHERE CURRENT OF name */
    if (sql.len > SQL_MAX_TEXT || !utf8_valid(sql.data, sql.len)) return false;
    lexer_init(&lexer, sql);
    lexer_next(&lexer, &token);
    if (token.kind != TOKEN_NAME || (!str_equal_fold(token_text(sql, &token), STR("update")) &&
                                     !str_equal_fold(token_text(sql, &token), STR("delete"))))
        return false;
    for (; token.kind != TOKEN_END; lexer_next(&lexer, &token)) {
        if (token.kind == TOKEN_INVALID) return false;
        if (token.kind == TOKEN_SEMICOLON) continue;
        memmove(&last[0], &last[1], 3 * sizeof last[0]);
        last[3] = token;
    }
    if (last[0].keyword != KW_WHERE || last[1].keyword != KW_CURRENT ||
        !str_equal_fold(token_text(sql, &last[2]), STR("of")) ||
        (last[3].kind != TOKEN_NAME && last[3].kind != TOKEN_QUOTED))
        return false;
    *change = (Str){sql.data, last[0].start};
    *cursor = token_text(sql, &last[3]);
    return true;
}
