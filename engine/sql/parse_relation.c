/*
 * parse_relation.c - what stands behind FROM: tables, derived tables, joins, UNNEST, table functions.
 *
 * Joins are left-deep trees built by a loop; a comma list is a tree of cross joins. As in expressions, a
 * query in parentheses is told from a join in parentheses by reading it and putting it back as
 * `pending_relation`. One thread, nodes in the arena.
 */
#include "engine/sql/parse.h"

static Status parse_joins(Parser *p, bool nested, AstRelation **out) WARN_UNUSED;

static Status relation_new(Parser *p, AstRelationKind kind, AstPosition at, AstRelation **out) {
    TRY_ALLOC(*out, ARENA_NEW(p->arena, AstRelation), p->err);
    (*out)->kind = kind;
    (*out)->at = at;
    (*out)->alias.text = STR("");
    return TRIB_OK;
}

static Status relation_height(Parser *p, AstRelation *relation, uint32_t height) {
    if (height > SQL_MAX_HEIGHT) {
        return parse_limit(p, relation->at,
                           "joins and derived tables nest deeper than %d levels (a chain of as "
                           "many joins counts)",
                           SQL_MAX_HEIGHT);
    }
    relation->height = (uint16_t)height;
    if (height > p->peak) p->peak = (uint16_t)height;
    return TRIB_OK;
}

static Status derived_table(Parser *p, AstPosition at, AstQuery *query, bool lateral,
                            AstRelation **out) {
    TRY(relation_new(p, AST_REL_QUERY, at, out));
    (*out)->query = query;
    (*out)->lateral = lateral;
    return relation_height(p, *out, query->height + 1u);
}

/* ---------------------------------------------------------------- primaries */

static Status parse_unnest(Parser *p, AstRelation **out) {
    TRY(relation_new(p, AST_REL_UNNEST, p->token.at, out));
    parse_advance(p);
    TRY(parse_enter(p));
    TRY(expect_token(p, TOKEN_LPAREN));
    TRY(parse_expr_list(p, &(*out)->nargs, &(*out)->args));
    TRY(expect_token(p, TOKEN_RPAREN));
    parse_leave(p);
    if (at_word(p, KW_WITH) && ahead_is_word(p, KW_ORDINALITY)) {
        parse_advance(p);
        parse_advance(p);
        (*out)->ordinality = true;
    }
    return TRIB_OK;
}

/* TABLE(f(arguments)) */
static Status parse_table_function(Parser *p, AstRelation **out) {
    TRY(relation_new(p, AST_REL_FUNCTION, p->token.at, out));
    parse_advance(p);
    TRY(parse_enter(p));
    TRY(expect_token(p, TOKEN_LPAREN));
    AstExpr *call;
    TRY(ast_expr_new(p, AST_CALL, p->token.at, 0, &call));
    TRY(parse_qualified(p, &call->name));
    TRY(parse_arguments(p, &call->nargs, &call->args, &call->arg_names));
    TRY(ast_expr_done(p, call));
    TRY(expect_token(p, TOKEN_RPAREN));
    parse_leave(p);
    (*out)->call = call;
    return TRIB_OK;
}

static Status parse_paren_relation(Parser *p, AstRelation **relation, AstQuery **query) WARN_UNUSED;

/* Behind '(': a query that fills the parentheses, or relations. */
static Status parse_inside(Parser *p, AstRelation **relation, AstQuery **query) {
    *relation = NULL;
    *query = NULL;
    if (at_query_start(p) && !(at_word(p, KW_TABLE) && ahead_is(p, TOKEN_LPAREN)))
        return parse_query(p, query);
    if (!at_token(p, TOKEN_LPAREN) || !at_nested_query(p)) return parse_relation(p, relation);
    const Token start = p->token;
    AstRelation *inner;
    AstQuery *inside;
    TRY(parse_paren_relation(p, &inner, &inside));
    if (inside) {
        if (at_query_continuation(p)) return parse_query_behind(p, &start, inside, query);
        if (at_token(p, TOKEN_RPAREN)) return query_wrap(p, &start, inside, query);
        TRY(derived_table(p, start.at, inside, false, &inner));
    }
    p->pending_relation = inner;
    return parse_relation(p, relation);
}

static Status parse_paren_relation(Parser *p, AstRelation **relation, AstQuery **query) {
    TRY(parse_enter(p));
    parse_advance(p);
    TRY(parse_inside(p, relation, query));
    if (!at_token(p, TOKEN_RPAREN)) return parse_unexpected(p, "')'");
    parse_advance(p);
    parse_leave(p);
    return TRIB_OK;
}

static Status parse_base(Parser *p, AstRelation **out) {
    const AstPosition at = p->token.at;
    AstQuery *query;
    if (p->pending_relation) {
        *out = p->pending_relation;
        p->pending_relation = NULL;
        return TRIB_OK;
    }
    if (at_token(p, TOKEN_LPAREN)) {
        TRY(parse_paren_relation(p, out, &query));
        return query ? derived_table(p, at, query, false, out) : TRIB_OK;
    }
    if (at_token(p, TOKEN_LBRACE)) return parse_outer_join_escape(p, out);
    if (at_word(p, KW_UNNEST)) return parse_unnest(p, out);
    if (at_word(p, KW_TABLE)) return parse_table_function(p, out);
    if (at_word(p, KW_JSON_TABLE)) return parse_unsupported(p, at, "JSON_TABLE");
    if (at_word(p, KW_LATERAL) && ahead_is(p, TOKEN_LPAREN)) {
        parse_advance(p);
        TRY(parse_paren_query(p, &query));
        return derived_table(p, at, query, true, out);
    }
    if (!token_is_name(&p->token) && !at_token(p, TOKEN_BACKQUOTED))
        return parse_unexpected(p, "a table");
    TRY(relation_new(p, AST_REL_TABLE, at, out));
    TRY(parse_qualified(p, &(*out)->name));
    if (at_token(p, TOKEN_LPAREN)) {
        return parse_error(p, p->token.at,
                           "a function in FROM is written TABLE(" STR_FORMAT "(...))",
                           STR_ARGS((*out)->name.parts[(*out)->name.count - 1].text));
    }
    if (at_word(p, KW_FOR))
        return parse_unsupported(p, p->token.at, "FOR VERSION or FOR TIMESTAMP AS OF");
    return TRIB_OK;
}

/* Parenthesised, with an alias or sample inside, or a join: another alias needs a table of its own. */
static bool is_compound(const AstRelation *relation) {
    return relation->kind == AST_REL_JOIN || relation->alias.text.len || relation->sample_percent;
}

/* (relation) as the derived table (SELECT * FROM relation). */
static Status relation_enclose(Parser *p, AstRelation *inner, AstRelation **out) {
    AstQuery *query;
    AstSelect *select;
    TRY_ALLOC(query, ARENA_NEW(p->arena, AstQuery), p->err);
    TRY_ALLOC(query->body, ARENA_NEW(p->arena, AstBody), p->err);
    TRY_ALLOC(select, ARENA_NEW(p->arena, AstSelect), p->err);
    TRY_ALLOC(select->items, ARENA_NEW(p->arena, AstSelectItem), p->err);
    TRY(ast_expr_new(p, AST_STAR, inner->at, 0, &select->items->expr));
    select->nitems = 1;
    select->from = inner;
    query->at = query->body->at = select->at = inner->at;
    query->body->select = select;
    query->height = query->body->height = inner->height;
    return derived_table(p, inner->at, query, false, out);
}

/* A relation with its alias and sample. */
static Status parse_sampled(Parser *p, AstRelation **out) {
    TRY(parse_base(p, out));
    AstRelation *relation = *out;
    if (at_word(p, KW_MATCH_RECOGNIZE) && at_clause(p))
        return parse_unsupported(p, p->token.at, "MATCH_RECOGNIZE");
    AstName alias = {.text = STR("")};
    TRY(parse_alias(p, &alias));
    if (alias.text.len) {
        if (is_compound(relation)) TRY(relation_enclose(p, relation, &relation));
        relation->alias = alias;
        if (at_token(p, TOKEN_LPAREN))
            TRY(parse_name_list(p, &relation->naliases, &relation->column_aliases));
        if (at_word(p, KW_MATCH_RECOGNIZE) && at_clause(p)) {
            return parse_unsupported(p, p->token.at, "MATCH_RECOGNIZE");
        }
    }
    *out = relation;
    if (!at_word(p, KW_TABLESAMPLE) || !at_clause(p)) return TRIB_OK;
    parse_advance(p);
    if (is_compound(relation) && !alias.text.len) TRY(relation_enclose(p, relation, &relation));
    relation->sample_system = at_word(p, KW_SYSTEM);
    parse_advance(p);
    TRY(parse_enter(p));
    TRY(expect_token(p, TOKEN_LPAREN));
    TRY(parse_expr(p, &relation->sample_percent));
    TRY(expect_token(p, TOKEN_RPAREN));
    parse_leave(p);
    *out = relation;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- joins */

typedef struct JoinHead {
    AstJoinKind kind;
    bool natural;
    AstPosition at;
} JoinHead;

static bool at_join(const Parser *p) {
    return at_word(p, KW_JOIN) || at_word(p, KW_CROSS) || at_word(p, KW_NATURAL) ||
           at_word(p, KW_INNER) || at_word(p, KW_LEFT) || at_word(p, KW_RIGHT) ||
           at_word(p, KW_FULL);
}

static Status parse_join_head(Parser *p, JoinHead *head) {
    *head = (JoinHead){.kind = AST_JOIN_INNER, .at = p->token.at};
    head->natural = accept_word(p, KW_NATURAL);
    if (!head->natural && accept_word(p, KW_CROSS)) {
        head->kind = AST_JOIN_CROSS;
    } else if (!accept_word(p, KW_INNER)) {
        head->kind = at_word(p, KW_LEFT)    ? AST_JOIN_LEFT
                     : at_word(p, KW_RIGHT) ? AST_JOIN_RIGHT
                     : at_word(p, KW_FULL)  ? AST_JOIN_FULL
                                            : AST_JOIN_INNER;
        if (head->kind != AST_JOIN_INNER) {
            parse_advance(p);
            accept_word(p, KW_OUTER);
        }
    }
    return expect_word(p, KW_JOIN);
}

static Status join_new(Parser *p, const JoinHead *head, AstRelation *left, AstRelation *right,
                       AstRelation **out) {
    AstRelation *join;
    TRY(relation_new(p, AST_REL_JOIN, head->at, &join));
    join->join = head->kind;
    join->natural = head->natural;
    join->left = left;
    join->right = right;
    *out = join;
    return relation_height(p, join,
                           1u + (left->height > right->height ? left->height : right->height));
}

static Status parse_join(Parser *p, AstRelation *left, AstRelation **out) {
    JoinHead head;
    AstRelation *right;
    TRY(parse_join_head(p, &head));
    if (head.natural || head.kind == AST_JOIN_CROSS) {
        TRY(parse_sampled(p, &right));
        return join_new(p, &head, left, right, out);
    }
    TRY(parse_joins(p, true, &right));
    TRY(join_new(p, &head, left, right, out));
    if (accept_word(p, KW_ON)) return parse_expr(p, &(*out)->on);
    if (!at_word(p, KW_USING)) return parse_unexpected(p, "ON or USING");
    parse_advance(p);
    return parse_name_list(p, &(*out)->nusing, &(*out)->using_columns);
}

/* A chain of joins. nested: the right operand of another join, "a JOIN b JOIN c ON .. ON ..". */
static Status parse_joins(Parser *p, bool nested, AstRelation **out) {
    TRY(parse_sampled(p, out));
    if (!at_join(p)) return TRIB_OK;
    if (nested) TRY(parse_enter(p));
    while (at_join(p)) TRY(parse_join(p, *out, out));
    if (nested) parse_leave(p);
    return TRIB_OK;
}

Status parse_relation(Parser *p, AstRelation **out) {
    TRY(parse_joins(p, false, out));
    while (at_token(p, TOKEN_COMMA)) {
        const JoinHead head = {.kind = AST_JOIN_CROSS, .at = p->token.at};
        parse_advance(p);
        AstRelation *right;
        TRY(parse_joins(p, false, &right));
        TRY(join_new(p, &head, *out, right, out));
    }
    return TRIB_OK;
}
