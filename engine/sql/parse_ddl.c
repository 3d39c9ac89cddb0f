/*
 * parse_ddl.c - CREATE, DROP, ALTER and their kin, in Trino's and Athena's grammar.
 *
 * Athena's statements quote names with backquotes, so DDL accepts them; in queries they stay an error.
 * Athena's external tables and partitions are in parse_hive.c. One thread, nodes in the arena.
 */
#include "engine/sql/parse.h"

static Status ddl_name(Parser *p, AstStatement *s) {
    s->has_name = true;
    return parse_qualified(p, &s->name);
}

static Status ddl_comment(Parser *p, Str *out) {
    return accept_word(p, KW_COMMENT) ? parse_string(p, out) : TRIB_OK;
}

/* ---------------------------------------------------------------- properties, columns */

Status parse_properties(Parser *p, bool texts, uint32_t *count, AstProperty **out) {
    List list = {0};
    TRY(expect_token(p, TOKEN_LPAREN));
    do {
        AstProperty property = {0};
        if (at_string(p) && texts) {
            property.name = (AstName){.quoted = true, .at = p->token.at};
            TRY(parse_string(p, &property.name.text));
            Str name = property.name.text;
            if (name.len == 0 || memchr(name.data, '\0', name.len)) {
                return parse_error(p, property.name.at,
                                   "the name of a property must not be empty nor hold U+0000");
            }
        } else {
            TRY(parse_name(p, &property.name));
        }
        TRY(expect_token(p, TOKEN_EQ));
        if (!accept_word(p, KW_DEFAULT)) TRY(parse_expr(p, &property.value));
        TRY(ast_list_push(p, &list, &property, sizeof property));
    } while (accept_token(p, TOKEN_COMMA));
    TRY(expect_token(p, TOKEN_RPAREN));
    *count = list.count;
    *out = list.items;
    return TRIB_OK;
}

static Status with_properties(Parser *p, AstStatement *s) {
    if (!at_word(p, KW_WITH) || !ahead_is(p, TOKEN_LPAREN)) return TRIB_OK;
    parse_advance(p);
    return parse_properties(p, true, &s->nproperties, &s->properties);
}

/* What the standard and other systems write behind a column's type and nothing here carries out. */
static Status refuse_attribute(Parser *p) {
    static const struct {
        const char *word, *what;
    } rows[] = {
        {"CHECK", "a CHECK constraint"},
        {"REFERENCES", "a FOREIGN KEY (REFERENCES)"},
        {"COLLATE", "COLLATE (text is compared by code point)"},
        {"CHARACTER", "CHARACTER SET (text is Unicode)"},
        {"UNSIGNED", "UNSIGNED (take the next larger type)"},
        {"ZEROFILL", "ZEROFILL"},
        {"AUTO_INCREMENT", "AUTO_INCREMENT"},
        {"AUTOINCREMENT", "AUTOINCREMENT"},
        {"IDENTITY", "IDENTITY"},
        {"GENERATED", "a GENERATED column"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (at_text(p, rows[i].word)) return parse_unsupported(p, p->token.at, rows[i].what);
    return TRIB_OK;
}

/* PRIMARY KEY, UNIQUE, NOT NULL, perhaps with CONSTRAINT name before it. *found: there was one. */
static Status column_constraint(Parser *p, AstColumnDef *out, bool *found) {
    AstName name = {0};
    if (accept_word(p, KW_CONSTRAINT)) {
        TRY(parse_name(p, &name));
        TRY(refuse_attribute(p));
        if (!at_word(p, KW_NOT) && !at_word(p, KW_PRIMARY) && !at_word(p, KW_UNIQUE))
            return parse_unexpected(p, "NOT NULL, PRIMARY KEY or UNIQUE");
    }
    *found = true;
    if (accept_word(p, KW_NOT)) {
        TRY(expect_word(p, KW_NULL));
        out->not_null = true;
    } else if (accept_word(p, KW_PRIMARY)) {
        TRY(expect_word(p, KW_KEY));
        out->primary_key = out->not_null = true;
        out->primary_name = name;
    } else if (accept_word(p, KW_UNIQUE)) {
        out->unique = true;
        out->unique_name = name;
    } else {
        *found = accept_word(p, KW_NULL);
    }
    return TRIB_OK;
}

/* name type [NOT NULL] [DEFAULT value] [PRIMARY KEY] [UNIQUE] [COMMENT '..'], in any order. */
Status parse_column_def(Parser *p, AstColumnDef *out) {
    *out = (AstColumnDef){0};
    TRY(parse_name(p, &out->name));
    if (accept_token(p, TOKEN_DOT))
        return parse_unsupported(p, out->name.at, "a column inside a row");
    TRY(parse_type(p, &out->type_text));
    for (bool found = true; found;) {
        TRY(refuse_attribute(p));
        TRY(column_constraint(p, out, &found));
        if (found) continue;
        found = true;
        if (accept_word(p, KW_DEFAULT))
            TRY(parse_value_expr(p, &out->default_value));
        else if (accept_word(p, KW_COMMENT))
            TRY(parse_string(p, &out->comment));
        else if (at_word(p, KW_WITH) && ahead_is(p, TOKEN_LPAREN))
            return parse_unsupported(p, p->token.at, "WITH (...) on a column");
        else
            found = false;
    }
    return TRIB_OK;
}

/* [CONSTRAINT name] PRIMARY KEY (a, b) | UNIQUE (a, b) | CHECK (..) | FOREIGN KEY (..) .. */
static bool at_table_constraint(Parser *p) {
    return at_word(p, KW_CONSTRAINT) || (at_word(p, KW_PRIMARY) && ahead_is_word(p, KW_KEY)) ||
           (at_word(p, KW_UNIQUE) && ahead_is(p, TOKEN_LPAREN)) ||
           (at_text(p, "CHECK") && ahead_is(p, TOKEN_LPAREN)) ||
           (at_text(p, "FOREIGN") && ahead_is_word(p, KW_KEY));
}

static Status table_constraint(Parser *p, List *keys) {
    AstTableKey key = {0};
    if (accept_word(p, KW_CONSTRAINT)) TRY(parse_name(p, &key.name));
    key.at = p->token.at;
    if (at_text(p, "CHECK")) return parse_unsupported(p, key.at, "a CHECK constraint");
    if (at_text(p, "FOREIGN")) return parse_unsupported(p, key.at, "a FOREIGN KEY");
    key.primary = accept_word(p, KW_PRIMARY);
    if (key.primary)
        TRY(expect_word(p, KW_KEY));
    else if (!accept_word(p, KW_UNIQUE))
        return parse_unexpected(p, "PRIMARY KEY or UNIQUE");
    TRY(parse_name_list(p, &key.ncolumns, &key.columns));
    if (keys->count >= SQL_MAX_COLUMNS)
        return parse_limit(p, key.at, "more than %d keys", SQL_MAX_COLUMNS);
    return ast_list_push(p, keys, &key, sizeof key);
}

static Status like_clause(Parser *p, AstStatement *s, uint32_t before) {
    if (s->like_table.count) return parse_unsupported(p, p->token.at, "more than one LIKE");
    parse_advance(p);
    s->like_at = before;
    TRY(parse_qualified(p, &s->like_table));
    if (!at_word(p, KW_INCLUDING) && !at_word(p, KW_EXCLUDING)) return TRIB_OK;
    s->with_properties_of = at_word(p, KW_INCLUDING);
    parse_advance(p);
    return expect_word(p, KW_PROPERTIES);
}

static Status table_elements(Parser *p, AstStatement *s) {
    List columns = {0}, keys = {0};
    TRY(expect_token(p, TOKEN_LPAREN));
    do {
        const AstPosition at = p->token.at;
        if (at_word(p, KW_LIKE)) {
            TRY(like_clause(p, s, columns.count));
            continue;
        }
        if (at_table_constraint(p)) {
            TRY(table_constraint(p, &keys));
            continue;
        }
        AstColumnDef def;
        TRY(parse_column_def(p, &def));
        if (columns.count >= SQL_MAX_COLUMNS)
            return parse_limit(p, at, "more than %d columns", SQL_MAX_COLUMNS);
        TRY(ast_list_push(p, &columns, &def, sizeof def));
    } while (accept_token(p, TOKEN_COMMA));
    if (!at_token(p, TOKEN_RPAREN)) return parse_unexpected(p, "',' or ')'");
    parse_advance(p);
    s->ncolumns = columns.count;
    s->columns = columns.items;
    s->nkeys = keys.count;
    s->keys = keys.items;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- CREATE TABLE */

/* "(a, b)" of CREATE TABLE ... AS, and not "(a bigint, ...)". */
static bool at_column_names(Parser *p) {
    if (!at_token(p, TOKEN_LPAREN)) return false;
    Lexer probe = parse_probe(p);
    Token token;
    lexer_next(&probe, &token);
    if (!token_is_name(&token) && token.kind != TOKEN_BACKQUOTED) return false;
    lexer_next(&probe, &token);
    return token.kind == TOKEN_COMMA || token.kind == TOKEN_RPAREN;
}

static Status create_table_as(Parser *p, AstStatement *s) {
    s->kind = AST_CREATE_TABLE_AS;
    TRY(expect_word(p, KW_AS));
    bool outer = p->backquotes;
    p->backquotes = false;
    TRY(parse_query(p, &s->query));
    p->backquotes = outer;
    if (!accept_word(p, KW_WITH)) return TRIB_OK;
    s->with_no_data = accept_word(p, KW_NO);
    return expect_word(p, KW_DATA);
}

static Status create_table(Parser *p, AstStatement *s) {
    s->kind = AST_CREATE_TABLE;
    TRY(parse_if_not_exists(p, &s->if_not_exists));
    TRY(ddl_name(p, s));
    bool names = at_column_names(p);
    if (names)
        TRY(parse_name_list(p, &s->nnames, &s->names));
    else if (at_token(p, TOKEN_LPAREN))
        TRY(table_elements(p, s));
    TRY(ddl_comment(p, &s->comment));
    TRY(with_properties(p, s));
    bool columns = s->ncolumns || s->like_table.count;
    if (!columns && !at_word(p, KW_AS)) return parse_unexpected(p, names ? "AS" : "'(' or AS");
    return columns ? TRIB_OK : create_table_as(p, s);
}

/* ---------------------------------------------------------------- other CREATE */

/* AS query; s->text is the query as written. */
static Status view_query(Parser *p, AstStatement *s) {
    TRY(expect_word(p, KW_AS));
    const Token start = p->token;
    p->backquotes = false;
    TRY(parse_query(p, &s->query));
    s->text = parse_since(p, &start);
    return TRIB_OK;
}

static Status create_view(Parser *p, AstStatement *s) {
    s->kind = AST_CREATE_VIEW;
    TRY(parse_if_not_exists(p, &s->if_not_exists));
    TRY(ddl_name(p, s));
    if (at_token(p, TOKEN_LPAREN)) TRY(parse_name_list(p, &s->nnames, &s->names));
    TRY(ddl_comment(p, &s->comment));
    if (accept_word(p, KW_SECURITY)) {
        s->security_invoker = at_word(p, KW_INVOKER);
        if (!accept_word(p, KW_INVOKER) && !accept_word(p, KW_DEFINER))
            return parse_unexpected(p, "DEFINER or INVOKER");
    }
    return view_query(p, s);
}

static Status create_materialized_view(Parser *p, AstStatement *s) {
    s->kind = AST_CREATE_MATERIALIZED_VIEW;
    TRY(expect_word(p, KW_VIEW));
    TRY(parse_if_not_exists(p, &s->if_not_exists));
    TRY(ddl_name(p, s));
    if (accept_word(p, KW_GRACE)) {
        TRY(expect_word(p, KW_PERIOD));
        TRY(parse_interval(p, &s->grace));
    }
    TRY(ddl_comment(p, &s->comment));
    TRY(with_properties(p, s));
    return view_query(p, s);
}

static Status create_schema(Parser *p, AstStatement *s) {
    s->kind = AST_CREATE_SCHEMA;
    TRY(parse_if_not_exists(p, &s->if_not_exists));
    TRY(ddl_name(p, s));
    TRY(ddl_comment(p, &s->comment));
    if (accept_word(p, KW_LOCATION)) TRY(parse_string(p, &s->text));
    if (at_word(p, KW_AUTHORIZATION)) return parse_unsupported(p, p->token.at, "AUTHORIZATION");
    if (at_word(p, KW_WITH) && !ahead_is(p, TOKEN_LPAREN)) {
        parse_advance(p);
        TRY(expect_text(p, "DBPROPERTIES"));
        return parse_properties(p, true, &s->nproperties, &s->properties);
    }
    return with_properties(p, s);
}

static Status create_catalog(Parser *p, AstStatement *s) {
    s->kind = AST_CREATE_CATALOG;
    TRY(parse_if_not_exists(p, &s->if_not_exists));
    TRY(ddl_name(p, s));
    TRY(expect_word(p, KW_USING));
    TRY(parse_name(p, &s->connector));
    TRY(ddl_comment(p, &s->comment));
    if (at_word(p, KW_AUTHORIZATION)) return parse_unsupported(p, p->token.at, "AUTHORIZATION");
    return with_properties(p, s);
}

/* [IF NOT EXISTS] i ON t (a [ASC|DESC], ...), behind CREATE [UNIQUE] INDEX. */
static Status create_index(Parser *p, AstStatement *s) {
    List list = {0};
    s->kind = AST_CREATE_INDEX;
    TRY(parse_if_not_exists(p, &s->if_not_exists));
    TRY(parse_qualified(p, &s->index_name));
    TRY(expect_word(p, KW_ON));
    TRY(ddl_name(p, s));
    TRY(expect_token(p, TOKEN_LPAREN));
    do {
        AstIndexColumn column = {0};
        TRY(parse_name(p, &column.column));
        column.descending = accept_word(p, KW_DESC);
        if (!column.descending) accept_word(p, KW_ASC);
        TRY(ast_list_push(p, &list, &column, sizeof column));
    } while (accept_token(p, TOKEN_COMMA));
    TRY(expect_token(p, TOKEN_RPAREN));
    s->nindex = list.count;
    s->index = list.items;
    return TRIB_OK;
}

/* [IF EXISTS] i [ON t], behind DROP INDEX. */
static Status drop_index(Parser *p, AstStatement *s) {
    s->kind = AST_DROP_INDEX;
    TRY(parse_if_exists(p, &s->if_exists));
    TRY(parse_qualified(p, &s->index_name));
    return accept_word(p, KW_ON) ? ddl_name(p, s) : TRIB_OK;
}

Status parse_create(Parser *p, AstStatement *s) {
    p->backquotes = true;
    parse_advance(p);
    if (accept_word(p, KW_OR)) {
        TRY(expect_word(p, KW_REPLACE));
        s->or_replace = true;
    }
    const AstPosition at = p->token.at;
    if (accept_word(p, KW_TABLE)) return create_table(p, s);
    if (accept_word(p, KW_VIEW)) return create_view(p, s);
    if (accept_word(p, KW_MATERIALIZED)) return create_materialized_view(p, s);
    if (at_word(p, KW_FUNCTION)) return parse_unsupported(p, at, "CREATE FUNCTION");
    if (s->or_replace) return parse_unexpected(p, "TABLE, VIEW or MATERIALIZED VIEW");
    if (accept_word(p, KW_SCHEMA) || accept_word(p, KW_DATABASE)) return create_schema(p, s);
    if (accept_word(p, KW_CATALOG)) return create_catalog(p, s);
    s->unique_index = at_word(p, KW_UNIQUE);
    if (s->unique_index) parse_advance(p);
    if (accept_text(p, "INDEX")) return create_index(p, s);
    if (s->unique_index) return parse_unexpected(p, "INDEX");
    if (accept_word(p, KW_EXTERNAL)) {
        TRY(expect_word(p, KW_TABLE));
        return parse_external_table(p, s);
    }
    if (at_word(p, KW_ROLE)) return parse_unsupported(p, at, "CREATE ROLE");
    return parse_unexpected(p, "TABLE, EXTERNAL TABLE, VIEW, MATERIALIZED VIEW, SCHEMA or CATALOG");
}

/* ---------------------------------------------------------------- DROP and short ones */

/* Both are minimum grammar of ODBC behind tables, views and columns: nothing here hinders a DROP, and what
 * refers to the dropped object says so when it is used. */
static void accept_behaviour(Parser *p) {
    if (!accept_word(p, KW_CASCADE)) accept_word(p, KW_RESTRICT);
}

Status parse_drop(Parser *p, AstStatement *s) {
    p->backquotes = true;
    parse_advance(p);
    const AstPosition at = p->token.at;
    bool cascades = false;
    if (accept_word(p, KW_TABLE))
        s->kind = AST_DROP_TABLE;
    else if (accept_word(p, KW_VIEW))
        s->kind = AST_DROP_VIEW;
    else if (accept_word(p, KW_SCHEMA) || accept_word(p, KW_DATABASE))
        s->kind = AST_DROP_SCHEMA, cascades = true;
    else if (accept_word(p, KW_CATALOG))
        s->kind = AST_DROP_CATALOG, cascades = true;
    else if (accept_word(p, KW_MATERIALIZED)) {
        TRY(expect_word(p, KW_VIEW));
        s->kind = AST_DROP_MATERIALIZED_VIEW;
    } else if (accept_text(p, "INDEX")) {
        return drop_index(p, s);
    } else if (at_word(p, KW_ROLE) || at_word(p, KW_FUNCTION)) {
        return parse_unsupported(p, at, "DROP ROLE and DROP FUNCTION");
    } else {
        return parse_unexpected(p, "TABLE, VIEW, MATERIALIZED VIEW, SCHEMA or CATALOG");
    }
    TRY(parse_if_exists(p, &s->if_exists));
    TRY(ddl_name(p, s));
    s->cascade = cascades && accept_word(p, KW_CASCADE);
    if (!s->cascade) accept_behaviour(p);
    return TRIB_OK;
}

Status parse_repair(Parser *p, AstStatement *s) {
    s->kind = AST_REPAIR_TABLE;
    p->backquotes = true;
    parse_advance(p);
    TRY(expect_word(p, KW_REPAIR));
    TRY(expect_word(p, KW_TABLE));
    return ddl_name(p, s);
}

Status parse_refresh(Parser *p, AstStatement *s) {
    s->kind = AST_REFRESH_MATERIALIZED_VIEW;
    p->backquotes = true;
    parse_advance(p);
    TRY(expect_word(p, KW_MATERIALIZED));
    TRY(expect_word(p, KW_VIEW));
    return ddl_name(p, s);
}

Status parse_truncate(Parser *p, AstStatement *s) {
    s->kind = AST_TRUNCATE_TABLE;
    p->backquotes = true;
    parse_advance(p);
    TRY(expect_word(p, KW_TABLE));
    return ddl_name(p, s);
}

Status parse_analyze(Parser *p, AstStatement *s) {
    s->kind = AST_ANALYZE;
    p->backquotes = true;
    parse_advance(p);
    TRY(ddl_name(p, s));
    return with_properties(p, s);
}

Status parse_comment(Parser *p, AstStatement *s) {
    s->kind = AST_COMMENT;
    p->backquotes = true;
    parse_advance(p);
    TRY(expect_word(p, KW_ON));
    if (accept_word(p, KW_TABLE))
        s->comment_on = AST_COMMENT_TABLE;
    else if (accept_word(p, KW_VIEW))
        s->comment_on = AST_COMMENT_VIEW;
    else if (accept_word(p, KW_COLUMN))
        s->comment_on = AST_COMMENT_COLUMN;
    else
        return parse_unexpected(p, "TABLE, VIEW or COLUMN");
    TRY(ddl_name(p, s));
    TRY(expect_word(p, KW_IS));
    if (accept_word(p, KW_NULL)) return TRIB_OK;
    return parse_string(p, &s->comment);
}

/* ---------------------------------------------------------------- ALTER */

static Status alter_columns(Parser *p, AstAlter *a) {
    List columns = {0};
    TRY(expect_token(p, TOKEN_LPAREN));
    do {
        AstColumnDef def;
        TRY(parse_column_def(p, &def));
        TRY(ast_list_push(p, &columns, &def, sizeof def));
    } while (accept_token(p, TOKEN_COMMA));
    TRY(expect_token(p, TOKEN_RPAREN));
    a->ncolumns = columns.count;
    a->columns = columns.items;
    return TRIB_OK;
}

/* ADD [COLUMN] [IF NOT EXISTS] name type ..: ODBC's grammar has no COLUMN. */
static Status alter_add(Parser *p, AstAlter *a) {
    if (accept_word(p, KW_COLUMNS) || at_token(p, TOKEN_LPAREN)) {
        a->action = AST_ALTER_ADD_COLUMNS;
        return alter_columns(p, a);
    }
    if (at_table_constraint(p)) return parse_unsupported(p, p->token.at, "ADD CONSTRAINT");
    bool column = accept_word(p, KW_COLUMN);
    TRY(parse_if_not_exists(p, &a->if_not_exists));
    if (!column && at_word(p, KW_PARTITION) && ahead_is(p, TOKEN_LPAREN)) {
        a->action = AST_ALTER_ADD_PARTITION;
        return parse_partitions(p, &a->npartitions, &a->partitions);
    }
    a->action = AST_ALTER_ADD_COLUMNS;
    a->ncolumns = 1;
    TRY_ALLOC(a->columns, ARENA_NEW(p->arena, AstColumnDef), p->err);
    return parse_column_def(p, a->columns);
}

static Status alter_drop(Parser *p, AstAlter *a) {
    if (at_word(p, KW_CONSTRAINT)) return parse_unsupported(p, p->token.at, "DROP CONSTRAINT");
    bool column = accept_word(p, KW_COLUMN);
    TRY(parse_if_exists(p, &a->if_exists));
    if (!column && at_word(p, KW_PARTITION) && ahead_is(p, TOKEN_LPAREN)) {
        a->action = AST_ALTER_DROP_PARTITION;
        return parse_partitions(p, &a->npartitions, &a->partitions);
    }
    a->action = AST_ALTER_DROP_COLUMN;
    TRY(parse_qualified(p, &a->column));
    accept_behaviour(p);
    return TRIB_OK;
}

static Status alter_rename(Parser *p, AstAlter *a) {
    if (accept_word(p, KW_TO)) {
        a->action = AST_ALTER_RENAME;
        return parse_qualified(p, &a->new_name);
    }
    a->action = AST_ALTER_RENAME_COLUMN;
    TRY(expect_word(p, KW_COLUMN));
    TRY(parse_if_exists(p, &a->if_exists));
    TRY(parse_qualified(p, &a->column));
    TRY(expect_word(p, KW_TO));
    return parse_name(p, &a->new_column);
}

static Status alter_set(Parser *p, AstStatement *s, AstAlter *a) {
    if (accept_word(p, KW_LOCATION)) {
        a->action = AST_ALTER_SET_LOCATION;
        return parse_string(p, &a->location);
    }
    if (at_word(p, KW_AUTHORIZATION)) return parse_unsupported(p, p->token.at, "SET AUTHORIZATION");
    a->action = AST_ALTER_SET_PROPERTIES;
    if (accept_word(p, KW_TBLPROPERTIES))
        return parse_properties(p, true, &s->nproperties, &s->properties);
    TRY(expect_word(p, KW_PROPERTIES));
    List list = {0};
    do {
        AstProperty property = {0};
        TRY(parse_name(p, &property.name));
        TRY(expect_token(p, TOKEN_EQ));
        if (!accept_word(p, KW_DEFAULT)) TRY(parse_expr(p, &property.value));
        TRY(ast_list_push(p, &list, &property, sizeof property));
    } while (accept_token(p, TOKEN_COMMA));
    s->nproperties = list.count;
    s->properties = list.items;
    return TRIB_OK;
}

static Status alter_column(Parser *p, AstAlter *a) {
    TRY(expect_word(p, KW_COLUMN));
    TRY(parse_qualified(p, &a->column));
    if (accept_word(p, KW_DROP)) {
        a->action = AST_ALTER_DROP_NOT_NULL;
        TRY(expect_word(p, KW_NOT));
        return expect_word(p, KW_NULL);
    }
    a->action = AST_ALTER_COLUMN_TYPE;
    TRY(expect_word(p, KW_SET));
    TRY(expect_word(p, KW_DATA));
    TRY(expect_word(p, KW_TYPE));
    return parse_type(p, &a->type_text);
}

/* PARTITION (..) RENAME TO PARTITION (..) | SET LOCATION '..' */
static Status alter_partition(Parser *p, AstAlter *a) {
    TRY(parse_partitions(p, &a->npartitions, &a->partitions));
    if (a->npartitions != 1) return parse_unexpected(p, "RENAME TO or SET LOCATION");
    if (accept_word(p, KW_SET)) {
        a->action = AST_ALTER_SET_LOCATION;
        TRY(expect_word(p, KW_LOCATION));
        return parse_string(p, &a->location);
    }
    a->action = AST_ALTER_RENAME_PARTITION;
    if (!accept_word(p, KW_RENAME)) return parse_unexpected(p, "RENAME TO or SET LOCATION");
    TRY(expect_word(p, KW_TO));
    uint32_t count;
    AstPartition *to, *both;
    TRY(parse_partitions(p, &count, &to));
    TRY_ALLOC(both, ARENA_ARRAY(p->arena, AstPartition, 2), p->err);
    both[0] = a->partitions[0];
    both[1] = to[0];
    a->npartitions = 2;
    a->partitions = both;
    return TRIB_OK;
}

static Status alter_table(Parser *p, AstStatement *s) {
    s->kind = AST_ALTER_TABLE;
    TRY(parse_if_exists(p, &s->if_exists));
    TRY(ddl_name(p, s));
    AstAlter *a;
    TRY_ALLOC(a, ARENA_NEW(p->arena, AstAlter), p->err);
    s->alter = a;
    if (accept_word(p, KW_ADD)) return alter_add(p, a);
    if (accept_word(p, KW_DROP)) return alter_drop(p, a);
    if (accept_word(p, KW_RENAME)) return alter_rename(p, a);
    if (accept_word(p, KW_SET)) return alter_set(p, s, a);
    if (accept_word(p, KW_ALTER)) return alter_column(p, a);
    if (at_word(p, KW_PARTITION)) return alter_partition(p, a);
    if (accept_word(p, KW_REPLACE)) {
        TRY(expect_word(p, KW_COLUMNS));
        a->action = AST_ALTER_REPLACE_COLUMNS;
        return alter_columns(p, a);
    }
    if (at_word(p, KW_EXECUTE)) return parse_unsupported(p, p->token.at, "ALTER TABLE ... EXECUTE");
    return parse_unexpected(p,
                            "ADD, ALTER COLUMN, DROP, PARTITION, RENAME, REPLACE COLUMNS or SET");
}

Status parse_alter(Parser *p, AstStatement *s) {
    p->backquotes = true;
    parse_advance(p);
    if (accept_word(p, KW_TABLE)) return alter_table(p, s);
    if (at_word(p, KW_MATERIALIZED)) return parse_unsupported(p, s->at, "ALTER MATERIALIZED VIEW");
    s->kind = at_word(p, KW_VIEW) ? AST_RENAME_VIEW : AST_RENAME_SCHEMA;
    if (!accept_word(p, KW_VIEW) && !accept_word(p, KW_SCHEMA))
        return parse_unexpected(p, "TABLE, VIEW or SCHEMA");
    TRY(ddl_name(p, s));
    if (at_word(p, KW_SET)) return parse_unsupported(p, p->token.at, "SET AUTHORIZATION");
    TRY(expect_word(p, KW_RENAME));
    TRY(expect_word(p, KW_TO));
    return parse_qualified(p, &s->new_name);
}
