/*
 * parse_statement.c - which statement it is, and every statement that is not DDL.
 *
 * One table maps the first word to a reader. Statements of the language that the product does not offer
 * at all (GRANT ...) are named as such. Statements inside statements (EXPLAIN, PREPARE) nest like
 * everything else. One thread, nodes in the arena.
 */
#include "engine/sql/parse.h"

Status ast_statement_new(Parser *p, AstStatementKind kind, AstPosition at, AstStatement **out) {
    TRY_ALLOC(*out, ARENA_NEW(p->arena, AstStatement), p->err);
    (*out)->kind = kind;
    (*out)->at = at;
    return TRIB_OK;
}

static Status statement_name(Parser *p, AstStatement *s) {
    s->has_name = true;
    return parse_qualified(p, &s->name);
}

static Status single_name(Parser *p, AstStatement *s) {
    s->has_name = true;
    s->name.count = 1;
    TRY_ALLOC(s->name.parts, ARENA_NEW(p->arena, AstName), p->err);
    return parse_name(p, s->name.parts);
}

Status parse_if_exists(Parser *p, bool *out) {
    *out = at_word(p, KW_IF) && ahead_is_word(p, KW_EXISTS);
    if (*out) parse_advance(p), parse_advance(p);
    return TRIB_OK;
}

Status parse_if_not_exists(Parser *p, bool *out) {
    *out = at_word(p, KW_IF) && ahead_is_word(p, KW_NOT);
    if (!*out) return TRIB_OK;
    parse_advance(p);
    parse_advance(p);
    return expect_word(p, KW_EXISTS);
}

/* ---------------------------------------------------------------- queries, EXPLAIN */

static Status read_query(Parser *p, AstStatement *s) {
    s->kind = AST_QUERY;
    return parse_query(p, &s->query);
}

static Status explain_option(Parser *p, AstStatement *s) {
    const Token option = p->token;
    parse_advance(p);
    const AstPosition at = p->token.at;
    if (token_is(&option, KW_FORMAT)) {
        s->json = at_word(p, KW_JSON);
        if (accept_word(p, KW_TEXT) || accept_word(p, KW_JSON)) return TRIB_OK;
        if (at_word(p, KW_GRAPHVIZ)) return parse_unsupported(p, at, "EXPLAIN (FORMAT GRAPHVIZ)");
        return parse_unexpected(p, "TEXT or JSON");
    }
    if (!token_is(&option, KW_TYPE)) {
        return parse_error(p, option.at, "EXPLAIN takes the options TYPE and FORMAT");
    }
    static const struct {
        Keyword word;
        AstExplainType type;
    } types[] = {{KW_LOGICAL, AST_EXPLAIN_LOGICAL},   {KW_REMOTE, AST_EXPLAIN_REMOTE},
                 {KW_PHYSICAL, AST_EXPLAIN_PHYSICAL}, {KW_DISTRIBUTED, AST_EXPLAIN_PHYSICAL},
                 {KW_VALIDATE, AST_EXPLAIN_VALIDATE}, {KW_IO, AST_EXPLAIN_IO}};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (!accept_word(p, types[i].word)) continue;
        s->explain = types[i].type;
        return TRIB_OK;
    }
    return parse_unexpected(p, "LOGICAL, PHYSICAL, REMOTE, VALIDATE or IO");
}

static Status read_explain(Parser *p, AstStatement *s) {
    s->kind = AST_EXPLAIN;
    parse_advance(p);
    const Token *next = at_token(p, TOKEN_LPAREN) ? parse_ahead(p) : NULL;
    if (next && next->kind == TOKEN_NAME && !keyword_reserved((Keyword)next->keyword)) {
        parse_advance(p);
        do {
            TRY(explain_option(p, s));
        } while (accept_token(p, TOKEN_COMMA));
        TRY(expect_token(p, TOKEN_RPAREN));
    }
    if (at_word(p, KW_ANALYZE)) {
        parse_advance(p);
        s->analyze = true;
        s->verbose = accept_word(p, KW_VERBOSE);
    }
    TRY(parse_enter(p));
    TRY(parse_statement(p, &s->inner));
    parse_leave(p);
    s->inner->nparameters = p->parameters;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- SHOW, DESCRIBE, USE, SET */

static Status show_like(Parser *p, AstStatement *s) {
    if (!accept_word(p, KW_LIKE)) return TRIB_OK;
    TRY(parse_string(p, &s->like));
    if (accept_word(p, KW_ESCAPE)) return parse_string(p, &s->escape);
    if (!at_token(p, TOKEN_LBRACE) || !ahead_is_word(p, KW_ESCAPE)) return TRIB_OK;
    AstExpr *escape;
    TRY(parse_escape(p, &escape));
    s->escape = escape->text;
    return TRIB_OK;
}

static Status show_from(Parser *p, AstStatement *s) {
    if (accept_word(p, KW_FROM) || accept_word(p, KW_IN)) TRY(statement_name(p, s));
    return TRIB_OK;
}

static Status show_create(Parser *p, AstStatement *s) {
    parse_advance(p);
    if (accept_word(p, KW_TABLE))
        s->kind = AST_SHOW_CREATE_TABLE;
    else if (accept_word(p, KW_VIEW))
        s->kind = AST_SHOW_CREATE_VIEW;
    else if (accept_word(p, KW_SCHEMA))
        s->kind = AST_SHOW_CREATE_SCHEMA;
    else if (at_word(p, KW_MATERIALIZED)) {
        parse_advance(p);
        TRY(expect_word(p, KW_VIEW));
        s->kind = AST_SHOW_CREATE_MATERIALIZED_VIEW;
    } else {
        return parse_unexpected(p, "TABLE, VIEW, SCHEMA or MATERIALIZED VIEW");
    }
    return statement_name(p, s);
}

/* SHOW COLUMNS FROM t, FROM s.t, and Athena's FROM t IN s. */
static Status show_columns(Parser *p, AstStatement *s) {
    if (!accept_word(p, KW_FROM) && !accept_word(p, KW_IN))
        return parse_unexpected(p, "FROM or IN");
    TRY(statement_name(p, s));
    if (accept_word(p, KW_FROM) || accept_word(p, KW_IN)) {
        AstQualifiedName schema;
        TRY(parse_qualified(p, &schema));
        AstName *parts;
        TRY_ALLOC(parts, ARENA_ARRAY(p->arena, AstName, schema.count + s->name.count), p->err);
        memcpy(parts, schema.parts, schema.count * sizeof *parts);
        memcpy(parts + schema.count, s->name.parts, s->name.count * sizeof *parts);
        s->name = (AstQualifiedName){schema.count + s->name.count, parts};
    }
    return show_like(p, s);
}

static Status show_stats(Parser *p, AstStatement *s) {
    TRY(expect_word(p, KW_FOR));
    if (at_token(p, TOKEN_LPAREN)) return parse_paren_query(p, &s->query);
    return statement_name(p, s);
}

static Status show_tables(Parser *p, AstStatement *s) {
    TRY(show_from(p, s));
    if (at_string(p)) return parse_string(p, &s->regex);
    return show_like(p, s);
}

static Status show_by_pattern(Parser *p, AstStatement *s) {
    TRY(show_from(p, s));
    return show_like(p, s);
}

static Status show_properties(Parser *p, AstStatement *s) {
    TRY(statement_name(p, s));
    if (!accept_token(p, TOKEN_LPAREN)) return TRIB_OK;
    TRY(parse_string(p, &s->like));
    return expect_token(p, TOKEN_RPAREN);
}

static Status read_show(Parser *p, AstStatement *s) {
    static const struct {
        Keyword word;
        AstStatementKind kind;
        Status (*read)(Parser *p, AstStatement *s);
    } rows[] = {
        {KW_CATALOGS, AST_SHOW_CATALOGS, show_like},
        {KW_SCHEMAS, AST_SHOW_SCHEMAS, show_by_pattern},
        {KW_DATABASES, AST_SHOW_SCHEMAS, show_by_pattern},
        {KW_TABLES, AST_SHOW_TABLES, show_tables},
        {KW_VIEWS, AST_SHOW_VIEWS, show_by_pattern},
        {KW_COLUMNS, AST_SHOW_COLUMNS, show_columns},
        {KW_FUNCTIONS, AST_SHOW_FUNCTIONS, show_by_pattern},
        {KW_SESSION, AST_SHOW_SESSION, show_like},
        {KW_PARTITIONS, AST_SHOW_PARTITIONS, show_from},
        {KW_STATS, AST_SHOW_STATS, show_stats},
        {KW_TBLPROPERTIES, AST_SHOW_PROPERTIES, show_properties},
    };
    parse_advance(p);
    p->backquotes = true;
    if (at_word(p, KW_CREATE)) return show_create(p, s);
    if (at_word(p, KW_GRANTS) || at_word(p, KW_ROLES) || at_word(p, KW_ROLE)) {
        return parse_unsupported(p, s->at, "SHOW GRANTS and ROLES");
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!accept_word(p, rows[i].word)) continue;
        s->kind = rows[i].kind;
        if (s->kind == AST_SHOW_PARTITIONS && token_is_name(&p->token)) return statement_name(p, s);
        return rows[i].read(p, s);
    }
    return parse_unexpected(p, "CATALOGS, SCHEMAS, TABLES, VIEWS, COLUMNS, PARTITIONS, FUNCTIONS, "
                               "SESSION, STATS or CREATE");
}

static Status read_describe(Parser *p, AstStatement *s) {
    parse_advance(p);
    p->backquotes = true;
    if ((at_word(p, KW_INPUT) || at_word(p, KW_OUTPUT)) && token_is_name(parse_ahead(p))) {
        s->kind = at_word(p, KW_INPUT) ? AST_DESCRIBE_INPUT : AST_DESCRIBE_OUTPUT;
        parse_advance(p);
        return single_name(p, s);
    }
    bool filler = at_word(p, KW_EXTENDED) || at_word(p, KW_FORMATTED) || at_word(p, KW_VIEW);
    if (at_word(p, KW_TABLE) || (filler && token_is_name(parse_ahead(p)))) parse_advance(p);
    s->kind = AST_SHOW_COLUMNS;
    return statement_name(p, s);
}

static Status read_use(Parser *p, AstStatement *s) {
    s->kind = AST_USE;
    parse_advance(p);
    TRY(statement_name(p, s));
    if (s->name.count <= 2) return TRIB_OK;
    return parse_error(p, s->name.parts[2].at, "USE takes a schema, or a catalog and a schema");
}

static Status read_set(Parser *p, AstStatement *s) {
    parse_advance(p);
    if (accept_word(p, KW_TIME)) {
        TRY(expect_word(p, KW_ZONE));
        s->kind = AST_SET_TIME_ZONE;
        s->local_zone = accept_word(p, KW_LOCAL);
        return s->local_zone ? TRIB_OK : parse_expr(p, &s->value);
    }
    if (at_word(p, KW_ROLE) || at_word(p, KW_PATH))
        return parse_unsupported(p, s->at, "SET ROLE and SET PATH");
    TRY(expect_word(p, KW_SESSION));
    if (at_word(p, KW_AUTHORIZATION))
        return parse_unsupported(p, s->at, "SET SESSION AUTHORIZATION");
    s->kind = AST_SET_SESSION;
    TRY(statement_name(p, s));
    TRY(expect_token(p, TOKEN_EQ));
    p->defaults = true;
    TRY(parse_expr(p, &s->value));
    p->defaults = false;
    return TRIB_OK;
}

static Status read_reset(Parser *p, AstStatement *s) {
    parse_advance(p);
    TRY(expect_word(p, KW_SESSION));
    if (at_word(p, KW_AUTHORIZATION))
        return parse_unsupported(p, s->at, "RESET SESSION AUTHORIZATION");
    s->kind = AST_RESET_SESSION;
    return statement_name(p, s);
}

/* ---------------------------------------------------------------- prepared statements */

/* The `?` of a prepared statement are its own, not those of the PREPARE. */
static Status read_prepare(Parser *p, AstStatement *s) {
    s->kind = AST_PREPARE;
    parse_advance(p);
    TRY(single_name(p, s));
    TRY(expect_word(p, KW_FROM));
    const Token start = p->token;
    uint32_t outer = p->parameters;
    p->parameters = 0;
    TRY(parse_enter(p));
    TRY(parse_statement(p, &s->inner));
    parse_leave(p);
    s->inner->nparameters = p->parameters;
    p->parameters = outer;
    s->text = parse_since(p, &start);
    return TRIB_OK;
}

static Status read_execute(Parser *p, AstStatement *s) {
    s->kind = AST_EXECUTE;
    parse_advance(p);
    if (at_word(p, KW_IMMEDIATE) && (ahead_is(p, TOKEN_STRING) || ahead_is(p, TOKEN_UNICODE))) {
        parse_advance(p);
        s->kind = AST_EXECUTE_IMMEDIATE;
        TRY(parse_string(p, &s->text));
    } else {
        TRY(single_name(p, s));
    }
    if (!accept_word(p, KW_USING)) return TRIB_OK;
    return parse_expr_list(p, &s->nargs, &s->args);
}

static Status read_deallocate(Parser *p, AstStatement *s) {
    s->kind = AST_DEALLOCATE;
    parse_advance(p);
    TRY(expect_word(p, KW_PREPARE));
    return single_name(p, s);
}

/* ---------------------------------------------------------------- writing */

/* DEFAULT VALUES: VALUES with a row without columns. */
static Status default_values(Parser *p, AstStatement *s) {
    AstBody *body;
    TRY_ALLOC(s->query, ARENA_NEW(p->arena, AstQuery), p->err);
    TRY_ALLOC(body, ARENA_NEW(p->arena, AstBody), p->err);
    TRY_ALLOC(body->rows, ARENA_NEW(p->arena, AstExprList), p->err);
    body->kind = AST_BODY_VALUES;
    body->at = s->query->at = p->token.at;
    body->nrows = 1;
    s->query->body = body;
    s->default_values = true;
    parse_advance(p);
    parse_advance(p);
    return TRIB_OK;
}

static Status read_insert(Parser *p, AstStatement *s) {
    s->kind = AST_INSERT;
    parse_advance(p);
    TRY(expect_word(p, KW_INTO));
    accept_word(p, KW_TABLE);
    TRY(statement_name(p, s));
    if (at_token(p, TOKEN_LPAREN) && !at_nested_query(p))
        TRY(parse_name_list(p, &s->nnames, &s->names));
    if (!s->nnames && at_word(p, KW_DEFAULT) && ahead_is_word(p, KW_VALUES))
        return default_values(p, s);
    p->defaults = at_word(p, KW_VALUES);
    TRY(parse_query(p, &s->query));
    p->defaults = false;
    return TRIB_OK;
}

static Status parse_assignments(Parser *p, uint32_t *count, AstAssignment **out) {
    List list = {0};
    p->defaults = true;
    do {
        AstAssignment assignment;
        TRY(parse_name(p, &assignment.column));
        TRY(expect_token(p, TOKEN_EQ));
        TRY(parse_expr(p, &assignment.value));
        TRY(ast_list_push(p, &list, &assignment, sizeof assignment));
    } while (accept_token(p, TOKEN_COMMA));
    p->defaults = false;
    *count = list.count;
    *out = list.items;
    return TRIB_OK;
}

static Status read_update(Parser *p, AstStatement *s) {
    s->kind = AST_UPDATE;
    parse_advance(p);
    TRY(statement_name(p, s));
    if (!at_word(p, KW_SET)) TRY(parse_alias(p, &s->alias));
    TRY(expect_word(p, KW_SET));
    TRY(parse_assignments(p, &s->nassignments, &s->assignments));
    return accept_word(p, KW_WHERE) ? parse_expr(p, &s->where) : TRIB_OK;
}

static Status read_delete(Parser *p, AstStatement *s) {
    s->kind = AST_DELETE;
    parse_advance(p);
    TRY(expect_word(p, KW_FROM));
    TRY(statement_name(p, s));
    if (!at_word(p, KW_WHERE)) TRY(parse_alias(p, &s->alias));
    return accept_word(p, KW_WHERE) ? parse_expr(p, &s->where) : TRIB_OK;
}

static Status merge_insert(Parser *p, AstMergeCase *c) {
    c->action = AST_MERGE_INSERT;
    TRY(expect_word(p, KW_INSERT));
    if (at_token(p, TOKEN_LPAREN)) TRY(parse_name_list(p, &c->ncolumns, &c->columns));
    TRY(expect_word(p, KW_VALUES));
    TRY(parse_enter(p));
    TRY(expect_token(p, TOKEN_LPAREN));
    p->defaults = true;
    TRY(parse_expr_list(p, &c->nvalues, &c->values));
    p->defaults = false;
    TRY(expect_token(p, TOKEN_RPAREN));
    parse_leave(p);
    return TRIB_OK;
}

static Status merge_case(Parser *p, AstMergeCase *c) {
    *c = (AstMergeCase){.at = p->token.at};
    TRY(expect_word(p, KW_WHEN));
    bool matched = !accept_word(p, KW_NOT);
    TRY(expect_word(p, KW_MATCHED));
    if (accept_word(p, KW_AND)) TRY(parse_expr(p, &c->condition));
    TRY(expect_word(p, KW_THEN));
    if (!matched) return merge_insert(p, c);
    if (accept_word(p, KW_DELETE)) {
        c->action = AST_MERGE_DELETE;
        return TRIB_OK;
    }
    if (!accept_word(p, KW_UPDATE)) return parse_unexpected(p, "UPDATE or DELETE");
    TRY(expect_word(p, KW_SET));
    return parse_assignments(p, &c->nassignments, &c->assignments);
}

static Status read_merge(Parser *p, AstStatement *s) {
    s->kind = AST_MERGE;
    s->alias.text = STR("");
    parse_advance(p);
    TRY(expect_word(p, KW_INTO));
    TRY(statement_name(p, s));
    if (!at_word(p, KW_USING)) TRY(parse_alias(p, &s->alias));
    TRY(expect_word(p, KW_USING));
    TRY(parse_relation(p, &s->source));
    TRY(expect_word(p, KW_ON));
    TRY(parse_expr(p, &s->on));
    List cases = {0};
    do {
        AstMergeCase c;
        TRY(merge_case(p, &c));
        TRY(ast_list_push(p, &cases, &c, sizeof c));
    } while (at_word(p, KW_WHEN));
    s->nmerge = cases.count;
    s->merge = cases.items;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- transactions, procedures */

static Status isolation_level(Parser *p, AstStatement *s) {
    TRY(expect_word(p, KW_LEVEL));
    if (accept_word(p, KW_SERIALIZABLE))
        s->isolation = STR("SERIALIZABLE");
    else if (accept_word(p, KW_REPEATABLE)) {
        TRY(expect_word(p, KW_READ));
        s->isolation = STR("REPEATABLE READ");
    } else {
        TRY(expect_word(p, KW_READ));
        bool committed = at_word(p, KW_COMMITTED);
        if (!committed && !at_word(p, KW_UNCOMMITTED))
            return parse_unexpected(p, "COMMITTED or UNCOMMITTED");
        parse_advance(p);
        s->isolation = committed ? STR("READ COMMITTED") : STR("READ UNCOMMITTED");
    }
    return TRIB_OK;
}

static Status read_start(Parser *p, AstStatement *s) {
    s->kind = AST_START_TRANSACTION;
    parse_advance(p);
    TRY(expect_word(p, KW_TRANSACTION));
    if (!at_word(p, KW_ISOLATION) && !at_word(p, KW_READ)) return TRIB_OK;
    do {
        const AstPosition at = p->token.at;
        bool twice =
            at_word(p, KW_READ) ? s->read_only || s->read_write : s->isolation.data != NULL;
        if (twice) return parse_error(p, at, "a transaction mode stands twice");
        if (accept_word(p, KW_ISOLATION)) {
            TRY(isolation_level(p, s));
            continue;
        }
        if (!accept_word(p, KW_READ)) return parse_unexpected(p, "ISOLATION LEVEL or READ");
        s->read_only = at_word(p, KW_ONLY);
        s->read_write = at_word(p, KW_WRITE);
        if (!accept_word(p, KW_ONLY) && !accept_word(p, KW_WRITE))
            return parse_unexpected(p, "ONLY or WRITE");
    } while (accept_token(p, TOKEN_COMMA));
    return TRIB_OK;
}

static Status read_commit(Parser *p, AstStatement *s) {
    s->kind = at_word(p, KW_COMMIT) ? AST_COMMIT : AST_ROLLBACK;
    parse_advance(p);
    accept_word(p, KW_WORK);
    return TRIB_OK;
}

static Status read_call(Parser *p, AstStatement *s) {
    s->kind = AST_CALL_PROCEDURE;
    parse_advance(p);
    TRY(statement_name(p, s));
    return parse_arguments(p, &s->nargs, &s->args, &s->arg_names);
}

static Status read_kill(Parser *p, AstStatement *s) {
    s->kind = AST_KILL_QUERY;
    parse_advance(p);
    accept_word(p, KW_QUERY);
    if (at_token(p, TOKEN_INTEGER)) return parse_integer_text(p, &s->text);
    if (at_string(p)) return parse_string(p, &s->text);
    AstName name;
    if (!token_is_name(&p->token)) return parse_unexpected(p, "the id of a query");
    TRY(parse_name(p, &name));
    s->text = name.text;
    return TRIB_OK;
}

static Status read_unload(Parser *p, AstStatement *s) {
    s->kind = AST_UNLOAD;
    parse_advance(p);
    TRY(parse_paren_query(p, &s->query));
    TRY(expect_word(p, KW_TO));
    TRY(parse_string(p, &s->text));
    if (!accept_word(p, KW_WITH)) return TRIB_OK;
    return parse_properties(p, false, &s->nproperties, &s->properties);
}

static Status read_unsupported(Parser *p, AstStatement *s) {
    return parse_unsupported(p, s->at, keyword_text((Keyword)p->token.keyword));
}

/* ---------------------------------------------------------------- dispatch */

static const struct {
    Keyword word;
    Status (*read)(Parser *p, AstStatement *s);
} readers[] = {
    {KW_SELECT, read_query},      {KW_WITH, read_query},
    {KW_VALUES, read_query},      {KW_TABLE, read_query},
    {KW_EXPLAIN, read_explain},   {KW_SHOW, read_show},
    {KW_DESCRIBE, read_describe}, {KW_DESC, read_describe},
    {KW_USE, read_use},           {KW_SET, read_set},
    {KW_RESET, read_reset},       {KW_PREPARE, read_prepare},
    {KW_EXECUTE, read_execute},   {KW_DEALLOCATE, read_deallocate},
    {KW_INSERT, read_insert},     {KW_UPDATE, read_update},
    {KW_DELETE, read_delete},     {KW_MERGE, read_merge},
    {KW_CREATE, parse_create},    {KW_DROP, parse_drop},
    {KW_ALTER, parse_alter},      {KW_MSCK, parse_repair},
    {KW_REFRESH, parse_refresh},  {KW_TRUNCATE, parse_truncate},
    {KW_COMMENT, parse_comment},  {KW_ANALYZE, parse_analyze},
    {KW_UNLOAD, read_unload},     {KW_START, read_start},
    {KW_COMMIT, read_commit},     {KW_ROLLBACK, read_commit},
    {KW_CALL, read_call},         {KW_KILL, read_kill},
    {KW_GRANT, read_unsupported}, {KW_REVOKE, read_unsupported},
    {KW_DENY, read_unsupported},
};

static Status read_call_escape(Parser *p) {
    Lexer probe = parse_probe(p);
    Token token;
    lexer_next(&probe, &token);
    bool call = token_is(&token, KW_CALL) || token.kind == TOKEN_QUESTION;
    if (call) return parse_unsupported(p, p->token.at, "{call}: a stored procedure");
    return parse_unexpected(p, "a statement");
}

Status parse_statement(Parser *p, AstStatement **out) {
    TRY(ast_statement_new(p, AST_QUERY, p->token.at, out));
    if (at_token(p, TOKEN_LPAREN)) return read_query(p, *out);
    if (at_token(p, TOKEN_LBRACE)) return read_call_escape(p);
    if (at_token(p, TOKEN_NAME)) {
        for (size_t i = 0; i < COUNT_OF(readers); i++) {
            if (at_word(p, readers[i].word)) return readers[i].read(p, *out);
        }
    }
    return parse_unexpected(p, "a statement (SELECT, INSERT, CREATE, SHOW ...)");
}
