/*
 * parse_query.c - queries: WITH, SELECT, VALUES, TABLE, set operations, ORDER BY, OFFSET, LIMIT, FETCH.
 *
 * Set operations are climbed in two levels (INTERSECT binds closer than UNION and EXCEPT) by loops; their
 * chains are left-deep and count as height. While a query is read, Parser.peak gathers the height of
 * what stands in it. One thread, nodes in the arena.
 */
#include "engine/sql/parse.h"

/* ---------------------------------------------------------------- SELECT */

static Status star_item(Parser *p, AstExpr *base, AstPosition at, AstSelectItem *item) {
    TRY(ast_expr_new(p, AST_STAR, at, base && base->kind != AST_NAME, &item->expr));
    if (base && base->kind == AST_NAME && !base->parenthesised) {
        item->expr->name = base->name;
    } else if (base) {
        if (!item->expr->args) TRY_ALLOC(item->expr->args, ARENA_NEW(p->arena, AstExpr *), p->err);
        item->expr->nargs = 1;
        item->expr->args[0] = base;
        TRY(ast_expr_done(p, item->expr));
    }
    if (at_word(p, KW_AS) && ahead_is(p, TOKEN_LPAREN)) {
        parse_advance(p);
        return parse_name_list(p, &item->ncolumn_aliases, &item->column_aliases);
    }
    return TRIB_OK;
}

/* May ".*" follow? Only what binds as close as a name. */
static bool takes_star(const AstExpr *e) {
    switch ((AstExprKind)e->kind) {
    case AST_NAME:
    case AST_CALL:
    case AST_CAST:
    case AST_ROW:
    case AST_FIELD:
    case AST_SUBSCRIPT:
    case AST_SCALAR_QUERY:
    case AST_PARAMETER:
    case AST_CASE: return e->op == 0 || e->parenthesised;
    default: return e->parenthesised;
    }
}

static Status parse_select_item(Parser *p, AstSelectItem *item) {
    const AstPosition at = p->token.at;
    *item = (AstSelectItem){.alias = {.text = STR("")}};
    if (accept_token(p, TOKEN_STAR)) return star_item(p, NULL, at, item);
    TRY(parse_expr(p, &item->expr));
    if (at_token(p, TOKEN_DOT) && ahead_is(p, TOKEN_STAR) && takes_star(item->expr)) {
        parse_advance(p);
        parse_advance(p);
        return star_item(p, item->expr, at, item);
    }
    return parse_alias(p, &item->alias);
}

/* Behind the select list: something that would begin another item, where a clause must stand. */
static Status check_missing_comma(Parser *p) {
    switch ((TokenKind)p->token.kind) {
    case TOKEN_NAME:
        if (keyword_reserved((Keyword)p->token.keyword) || at_clause(p)) return TRIB_OK;
        break;
    case TOKEN_QUOTED:
    case TOKEN_STRING:
    case TOKEN_INTEGER:
    case TOKEN_DECIMAL:
    case TOKEN_DOUBLE: break;
    default: return TRIB_OK;
    }
    return parse_unexpected(p, "',', FROM or the end of the query");
}

static Status parse_select_list(Parser *p, AstSelect *select) {
    List items = {0};
    do {
        const AstPosition at = p->token.at;
        if (items.count && at_word(p, KW_FROM)) return parse_unexpected(p, "an expression");
        AstSelectItem item;
        TRY(parse_select_item(p, &item));
        if (items.count >= SQL_MAX_COLUMNS)
            return parse_limit(p, at, "more than %d columns", SQL_MAX_COLUMNS);
        TRY(ast_list_push(p, &items, &item, sizeof item));
    } while (accept_token(p, TOKEN_COMMA));
    select->nitems = items.count;
    select->items = items.items;
    Status status = check_missing_comma(p);
    if (status != TRIB_OK && p->err->status == TRIB_INVALID && !p->err->hint[0]) {
        return error_hint(p->err, "a comma may be missing before it");
    }
    return status;
}

/* ---------------------------------------------------------------- GROUP BY, WINDOW */

/* "()", "(a, b)" or an expression. A row written without ROW is a set. */
static Status parse_grouping_set(Parser *p, AstExprList *set) {
    if (at_token(p, TOKEN_LPAREN) && ahead_is(p, TOKEN_RPAREN)) {
        parse_advance(p);
        parse_advance(p);
        *set = (AstExprList){0};
        return TRIB_OK;
    }
    bool paren = at_token(p, TOKEN_LPAREN);
    AstExpr *expr;
    TRY(parse_expr(p, &expr));
    if (paren && expr->kind == AST_ROW && expr->parenthesised) {
        *set = (AstExprList){expr->nargs, expr->args};
        return TRIB_OK;
    }
    set->count = 1;
    TRY_ALLOC(set->items, ARENA_NEW(p->arena, AstExpr *), p->err);
    set->items[0] = expr;
    return TRIB_OK;
}

static Status parse_grouping_sets(Parser *p, AstGroupItem *item) {
    List sets = {0};
    TRY(expect_token(p, TOKEN_LPAREN));
    while (!at_token(p, TOKEN_RPAREN)) {
        if (sets.count) TRY(expect_token(p, TOKEN_COMMA));
        AstExprList set;
        TRY(parse_grouping_set(p, &set));
        TRY(ast_list_push(p, &sets, &set, sizeof set));
    }
    parse_advance(p);
    item->nsets = sets.count;
    item->sets = sets.items;
    return TRIB_OK;
}

static Status parse_group_item(Parser *p, AstGroupItem *item) {
    *item = (AstGroupItem){.at = p->token.at};
    if (accept_word(p, KW_ROLLUP))
        item->kind = AST_GROUP_ROLLUP;
    else if (accept_word(p, KW_CUBE))
        item->kind = AST_GROUP_CUBE;
    else if (at_word(p, KW_GROUPING) && ahead_is_word(p, KW_SETS)) {
        parse_advance(p);
        parse_advance(p);
        item->kind = AST_GROUP_SETS;
    }
    if (item->kind != AST_GROUP_SIMPLE) return parse_grouping_sets(p, item);
    item->nsets = 1;
    TRY_ALLOC(item->sets, ARENA_NEW(p->arena, AstExprList), p->err);
    TRY(parse_grouping_set(p, item->sets));
    if (item->sets->count != 1) item->kind = AST_GROUP_SETS;
    return TRIB_OK;
}

static Status parse_group_by(Parser *p, AstSelect *select) {
    if (!accept_word(p, KW_GROUP)) return TRIB_OK;
    TRY(expect_word(p, KW_BY));
    if (accept_word(p, KW_DISTINCT)) {
        select->group_distinct = true;
    } else if (at_word(p, KW_ALL)) {
        const Token *next = parse_ahead(p);
        bool column = next->kind == TOKEN_COMMA || next->kind == TOKEN_END ||
                      next->kind == TOKEN_RPAREN || next->kind == TOKEN_DOT ||
                      next->kind == TOKEN_SEMICOLON || token_is(next, KW_HAVING) ||
                      token_is(next, KW_ORDER);
        if (!column) parse_advance(p);
    }
    List groups = {0};
    do {
        AstGroupItem item;
        TRY(parse_group_item(p, &item));
        TRY(ast_list_push(p, &groups, &item, sizeof item));
    } while (accept_token(p, TOKEN_COMMA));
    select->ngroups = groups.count;
    select->groups = groups.items;
    return TRIB_OK;
}

static Status parse_windows(Parser *p, AstSelect *select) {
    if (!at_word(p, KW_WINDOW) || !at_clause(p)) return TRIB_OK;
    parse_advance(p);
    List windows = {0};
    do {
        AstWindow window = {0};
        TRY(parse_name(p, &window.name));
        TRY(expect_word(p, KW_AS));
        TRY(parse_enter(p));
        TRY(expect_token(p, TOKEN_LPAREN));
        TRY(parse_window_spec(p, &window));
        parse_leave(p);
        TRY(ast_list_push(p, &windows, &window, sizeof window));
    } while (accept_token(p, TOKEN_COMMA));
    select->nwindows = windows.count;
    select->windows = windows.items;
    return TRIB_OK;
}

static Status parse_select(Parser *p, AstBody *body) {
    AstSelect *select;
    TRY_ALLOC(select, ARENA_NEW(p->arena, AstSelect), p->err);
    body->kind = AST_BODY_SELECT;
    body->select = select;
    select->at = p->token.at;
    parse_advance(p);
    select->distinct = accept_word(p, KW_DISTINCT);
    if (!select->distinct && at_word(p, KW_ALL)) {
        const Token *next = parse_ahead(p);
        bool column = next->kind == TOKEN_COMMA || next->kind == TOKEN_DOT ||
                      next->kind == TOKEN_END || token_is(next, KW_FROM) || token_is(next, KW_AS);
        if (!column) parse_advance(p);
    }
    TRY(parse_select_list(p, select));
    if (accept_word(p, KW_FROM)) TRY(parse_relation(p, &select->from));
    if (accept_word(p, KW_WHERE)) TRY(parse_expr(p, &select->where));
    TRY(parse_group_by(p, select));
    if (accept_word(p, KW_HAVING)) TRY(parse_expr(p, &select->having));
    return parse_windows(p, select);
}

/* ---------------------------------------------------------------- VALUES, set operations */

static Status parse_values(Parser *p, AstBody *body) {
    List rows = {0};
    body->kind = AST_BODY_VALUES;
    parse_advance(p);
    do {
        AstExpr *expr;
        TRY(parse_expr(p, &expr));
        AstExprList row = {expr->nargs, expr->args};
        if (expr->kind != AST_ROW) {
            row.count = 1;
            TRY_ALLOC(row.items, ARENA_NEW(p->arena, AstExpr *), p->err);
            row.items[0] = expr;
        }
        if (row.count > SQL_MAX_COLUMNS)
            return parse_limit(p, expr->at, "more than %d columns", SQL_MAX_COLUMNS);
        TRY(ast_list_push(p, &rows, &row, sizeof row));
    } while (accept_token(p, TOKEN_COMMA));
    body->nrows = rows.count;
    body->rows = rows.items;
    return TRIB_OK;
}

static Status body_new(Parser *p, AstBodyKind kind, AstBody **out) {
    TRY_ALLOC(*out, ARENA_NEW(p->arena, AstBody), p->err);
    (*out)->kind = kind;
    (*out)->at = p->token.at;
    return TRIB_OK;
}

static Status parse_term(Parser *p, AstBody **out) {
    AstBody *body;
    TRY(body_new(p, AST_BODY_SELECT, &body));
    *out = body;
    uint16_t outer = p->peak;
    p->peak = 0;
    if (at_word(p, KW_SELECT)) {
        TRY(parse_select(p, body));
    } else if (at_word(p, KW_VALUES)) {
        TRY(parse_values(p, body));
    } else if (accept_word(p, KW_TABLE)) {
        body->kind = AST_BODY_TABLE;
        TRY(parse_qualified(p, &body->table));
    } else if (at_token(p, TOKEN_LPAREN)) {
        body->kind = AST_BODY_QUERY;
        TRY(parse_paren_query(p, &body->query));
        p->peak = body->query->height;
    } else {
        return parse_unexpected(p, "a query (SELECT, VALUES, TABLE or WITH)");
    }
    body->height = p->peak;
    p->peak = outer;
    return TRIB_OK;
}

static Status set_height(Parser *p, AstBody *set) {
    uint32_t left = set->left->height, right = set->right->height;
    uint32_t height = 1 + (left > right ? left : right);
    if (height > SQL_MAX_HEIGHT) {
        return parse_limit(p, set->at,
                           "set operations nest deeper than %d levels (a chain of as many counts)",
                           SQL_MAX_HEIGHT);
    }
    set->height = (uint16_t)height;
    return TRIB_OK;
}

/* Operations of one level behind `left`; intersect: the closer level. */
static Status parse_set_chain(Parser *p, bool intersect, AstBody *left, AstBody **out) {
    for (;;) {
        AstSetKind kind = at_word(p, KW_INTERSECT) ? AST_INTERSECT
                          : at_word(p, KW_EXCEPT)  ? AST_EXCEPT
                                                   : AST_UNION;
        bool here = intersect ? kind == AST_INTERSECT : kind == AST_EXCEPT || at_word(p, KW_UNION);
        if (!here) break;
        AstBody *set, *right;
        TRY(body_new(p, AST_BODY_SET, &set));
        set->set = kind;
        parse_advance(p);
        set->all = accept_word(p, KW_ALL);
        if (!set->all) accept_word(p, KW_DISTINCT);
        TRY(parse_term(p, &right));
        if (!intersect) TRY(parse_set_chain(p, true, right, &right));
        set->left = left;
        set->right = right;
        TRY(set_height(p, set));
        left = set;
    }
    *out = left;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- the tail of a query */

Status parse_order_by(Parser *p, uint32_t *count, AstOrderItem **out) {
    List items = {0};
    TRY(expect_word(p, KW_ORDER));
    TRY(expect_word(p, KW_BY));
    do {
        AstOrderItem item = {.at = p->token.at};
        TRY(parse_expr(p, &item.expr));
        item.descending = at_word(p, KW_DESC);
        if (!accept_word(p, KW_DESC)) accept_word(p, KW_ASC);
        if (at_word(p, KW_NULLS) && (ahead_is_word(p, KW_FIRST) || ahead_is_word(p, KW_LAST))) {
            parse_advance(p);
            item.nulls = at_word(p, KW_FIRST) ? AST_NULLS_FIRST : AST_NULLS_LAST;
            parse_advance(p);
        }
        TRY(ast_list_push(p, &items, &item, sizeof item));
    } while (accept_token(p, TOKEN_COMMA));
    *count = items.count;
    *out = items.items;
    return TRIB_OK;
}

/* A number of rows: an integer or a parameter. */
static Status parse_row_count(Parser *p, AstExpr **out) {
    if (!at_token(p, TOKEN_INTEGER) && !at_token(p, TOKEN_QUESTION)) {
        return parse_unexpected(p, "a number of rows or ?");
    }
    TRY(parse_primary(p, out));
    if ((*out)->kind == AST_INTEGER || (*out)->kind == AST_PARAMETER) return TRIB_OK;
    return parse_error(p, (*out)->at, "a number of rows is a whole number that is not negative");
}

static Status parse_limit_clause(Parser *p, AstQuery *query) {
    parse_advance(p);
    if (accept_word(p, KW_ALL)) return TRIB_OK;
    const Token first = p->token;
    TRY(parse_row_count(p, &query->limit));
    if (!at_token(p, TOKEN_COMMA)) return TRIB_OK;
    const Token *second = parse_ahead(p);
    if (second->kind != TOKEN_INTEGER && second->kind != TOKEN_QUESTION) return TRIB_OK;
    parse_error(p, p->token.at, "LIMIT takes one number");
    Str a = token_text(p, &first), b = token_text(p, second);
    return error_hint(p->err, "write OFFSET " STR_FORMAT " LIMIT " STR_FORMAT, STR_ARGS(a),
                      STR_ARGS(b));
}

/* FETCH FIRST|NEXT [n] ROW|ROWS ONLY|WITH TIES */
static Status parse_fetch_clause(Parser *p, AstQuery *query) {
    parse_advance(p);
    if (!accept_word(p, KW_FIRST) && !accept_word(p, KW_NEXT))
        return parse_unexpected(p, "FIRST or NEXT");
    if (at_word(p, KW_ROW) || at_word(p, KW_ROWS))
        TRY(ast_expr_integer(p, p->token.at, "1", &query->limit));
    else
        TRY(parse_row_count(p, &query->limit));
    if (!accept_word(p, KW_ROW) && !accept_word(p, KW_ROWS))
        return parse_unexpected(p, "ROW or ROWS");
    if (accept_word(p, KW_ONLY)) return TRIB_OK;
    if (!accept_word(p, KW_WITH)) return parse_unexpected(p, "ONLY or WITH TIES");
    query->with_ties = true;
    return expect_word(p, KW_TIES);
}

static Status parse_tail(Parser *p, AstQuery *query) {
    if (at_word(p, KW_ORDER)) TRY(parse_order_by(p, &query->norder, &query->order));
    bool limited = false;
    for (;;) {
        const AstPosition at = p->token.at;
        if (at_word(p, KW_OFFSET)) {
            if (query->offset) return parse_error(p, at, "OFFSET stands twice");
            parse_advance(p);
            TRY(parse_row_count(p, &query->offset));
            if (!accept_word(p, KW_ROWS)) accept_word(p, KW_ROW);
            continue;
        }
        bool limit = at_word(p, KW_LIMIT), fetch = at_word(p, KW_FETCH);
        if (!limit && !fetch) return TRIB_OK;
        if (limited) return parse_error(p, at, "LIMIT or FETCH stands twice");
        limited = true;
        TRY(limit ? parse_limit_clause(p, query) : parse_fetch_clause(p, query));
    }
}

/* ---------------------------------------------------------------- queries */

static Status query_new(Parser *p, AstQuery **out) {
    TRY_ALLOC(*out, ARENA_NEW(p->arena, AstQuery), p->err);
    (*out)->at = p->token.at;
    return TRIB_OK;
}

static Status parse_cte(Parser *p, AstCte *cte) {
    *cte = (AstCte){0};
    TRY(parse_name(p, &cte->name));
    if (at_token(p, TOKEN_LPAREN)) TRY(parse_name_list(p, &cte->ncolumns, &cte->columns));
    TRY(expect_word(p, KW_AS));
    TRY(parse_paren_query(p, &cte->query));
    if (cte->query->height >= p->peak) p->peak = (uint16_t)(cte->query->height + 1);
    return TRIB_OK;
}

static Status parse_with(Parser *p, AstQuery *query) {
    List ctes = {0};
    parse_advance(p);
    if (at_word(p, KW_FUNCTION)) return parse_unsupported(p, p->token.at, "WITH FUNCTION");
    if (at_word(p, KW_SESSION) && !ahead_is_word(p, KW_AS) && !ahead_is(p, TOKEN_LPAREN)) {
        return parse_unsupported(p, p->token.at, "WITH SESSION");
    }
    query->recursive = accept_word(p, KW_RECURSIVE);
    do {
        AstCte cte;
        TRY(parse_cte(p, &cte));
        TRY(ast_list_push(p, &ctes, &cte, sizeof cte));
    } while (accept_token(p, TOKEN_COMMA));
    query->nctes = ctes.count;
    query->ctes = ctes.items;
    return TRIB_OK;
}

/* From the first operand on: set operations, ORDER BY and so on. Sets the query's height. */
static Status finish_query(Parser *p, AstQuery *query, AstBody *first, uint16_t outer) {
    AstBody *body;
    TRY(parse_set_chain(p, true, first, &body));
    TRY(parse_set_chain(p, false, body, &query->body));
    TRY(parse_tail(p, query));
    if (query->body->height > p->peak) p->peak = query->body->height;
    if (p->peak > SQL_MAX_HEIGHT) {
        return parse_limit(p, query->at, "the query nests deeper than %d levels", SQL_MAX_HEIGHT);
    }
    query->height = p->peak;
    p->peak = outer > p->peak ? outer : p->peak;
    return TRIB_OK;
}

Status parse_query(Parser *p, AstQuery **out) {
    AstQuery *query;
    const Token start = p->token;
    uint16_t outer = p->peak;
    p->peak = 0;
    TRY(query_new(p, &query));
    if (at_word(p, KW_WITH)) TRY(parse_with(p, query));
    AstBody *first;
    TRY(parse_term(p, &first));
    TRY(finish_query(p, query, first, outer));
    query->text = parse_since(p, &start);
    *out = query;
    return TRIB_OK;
}

Status parse_paren_query(Parser *p, AstQuery **out) {
    TRY(parse_enter(p));
    TRY(expect_token(p, TOKEN_LPAREN));
    TRY(parse_query(p, out));
    if (!at_token(p, TOKEN_RPAREN)) return parse_unexpected(p, "')'");
    parse_advance(p);
    parse_leave(p);
    return TRIB_OK;
}

Status query_wrap(Parser *p, const Token *start, AstQuery *inner, AstQuery **out) {
    TRY(query_new(p, out));
    (*out)->at = start->at;
    (*out)->height = inner->height;
    (*out)->text = parse_since(p, start);
    TRY(body_new(p, AST_BODY_QUERY, &(*out)->body));
    (*out)->body->at = start->at;
    (*out)->body->query = inner;
    (*out)->body->height = inner->height;
    return TRIB_OK;
}

Status parse_query_behind(Parser *p, const Token *start, AstQuery *first, AstQuery **out) {
    AstQuery *query;
    uint16_t outer = p->peak;
    p->peak = 0;
    TRY(query_wrap(p, start, first, &query));
    TRY(finish_query(p, query, query->body, outer));
    query->text = parse_since(p, start);
    *out = query;
    return TRIB_OK;
}
