/*
 * print_query.c - canonical SQL of queries and relations. The counterpart of parse_query.c and
 * parse_relation.c; set operations and joins get parentheses where the tree is not left-deep.
 */
#include "engine/sql/print.h"

static bool print_enter(Printer *self) {
    if (self->out->failed) return false;
    if (self->depth >= PRINT_MAX_DEPTH) {
        self->out->failed = true;
        return false;
    }
    self->depth++;
    return true;
}

static void print_paren_query(Printer *self, const AstQuery *query) {
    buf_char(self->out, '(');
    print_query(self, query);
    buf_char(self->out, ')');
}

/* ---------------------------------------------------------------- relations */

static void print_table(Printer *self, const AstRelation *r) {
    Buf *out = self->out;
    switch (r->kind) {
    case AST_REL_TABLE: print_qualified(self, &r->name); break;
    case AST_REL_UNNEST:
        buf_text(out, "UNNEST(");
        print_expr_list(self, r->nargs, r->args);
        buf_text(out, r->ordinality ? ") WITH ORDINALITY" : ")");
        break;
    case AST_REL_FUNCTION: {
        buf_text(out, "TABLE(");
        AstExpr call = *r->call;
        call.op = 0;
        print_expr(self, &call);
        buf_char(out, ')');
        break;
    }
    case AST_REL_QUERY:
    case AST_REL_VALUES:
    case AST_REL_JOIN:
        if (r->lateral) buf_text(out, "LATERAL ");
        print_paren_query(self, r->query);
        break;
    }
    if (r->alias.text.len) {
        buf_text(out, " AS ");
        print_name(self, &r->alias);
        print_names(self, r->naliases, r->column_aliases);
    }
    if (!r->sample_percent) return;
    buf_text(out, r->sample_system ? " TABLESAMPLE SYSTEM (" : " TABLESAMPLE BERNOULLI (");
    print_expr(self, r->sample_percent);
    buf_char(out, ')');
}

static const char *join_text(const AstRelation *r) {
    static const char *const texts[] = {" CROSS JOIN ", " INNER JOIN ", " LEFT JOIN ",
                                        " RIGHT JOIN ", " FULL JOIN "};
    static const char *const natural[] = {"", " NATURAL INNER JOIN ", " NATURAL LEFT JOIN ",
                                          " NATURAL RIGHT JOIN ", " NATURAL FULL JOIN "};
    return (r->natural ? natural : texts)[r->join];
}

static void print_join(Printer *self, const AstRelation *r) {
    Buf *out = self->out;
    print_relation(self, r->left);
    buf_text(out, join_text(r));
    bool parens = r->right->kind == AST_REL_JOIN;
    if (parens) buf_char(out, '(');
    print_relation(self, r->right);
    if (parens) buf_char(out, ')');
    if (r->on) {
        buf_text(out, " ON ");
        print_expr(self, r->on);
    } else if (r->nusing) {
        buf_text(out, " USING ");
        print_names(self, r->nusing, r->using_columns);
    }
}

void print_relation(Printer *self, const AstRelation *relation) {
    if (!print_enter(self)) return;
    if (relation->kind == AST_REL_JOIN)
        print_join(self, relation);
    else
        print_table(self, relation);
    self->depth--;
}

/* ---------------------------------------------------------------- SELECT */

static void print_select_item(Printer *self, const AstSelectItem *item) {
    print_expr(self, item->expr);
    if (item->ncolumn_aliases) {
        buf_text(self->out, " AS ");
        print_names(self, item->ncolumn_aliases, item->column_aliases);
    } else if (item->alias.text.len) {
        buf_text(self->out, " AS ");
        print_name(self, &item->alias);
    }
}

static void print_set(Printer *self, const AstExprList *set) {
    if (set->count == 1) {
        /* in parentheses a row would be taken apart: ROW(a, b) keeps its word */
        print_expr(self, set->items[0]);
        return;
    }
    buf_char(self->out, '(');
    print_expr_list(self, set->count, set->items);
    buf_char(self->out, ')');
}

static void print_group_item(Printer *self, const AstGroupItem *item) {
    static const char *const words[] = {"", "GROUPING SETS (", "CUBE (", "ROLLUP ("};
    if (item->kind == AST_GROUP_SIMPLE) {
        print_set(self, item->sets);
        return;
    }
    buf_text(self->out, words[item->kind]);
    for (uint32_t i = 0; i < item->nsets; i++) {
        if (i) buf_text(self->out, ", ");
        print_set(self, &item->sets[i]);
    }
    buf_char(self->out, ')');
}

static void print_groups(Printer *self, const AstSelect *s) {
    for (uint32_t i = 0; i < s->ngroups; i++) {
        buf_text(self->out, i ? ", " : s->group_distinct ? " GROUP BY DISTINCT " : " GROUP BY ");
        print_group_item(self, &s->groups[i]);
    }
}

static void print_select(Printer *self, const AstSelect *s) {
    Buf *out = self->out;
    buf_text(out, s->distinct ? "SELECT DISTINCT " : "SELECT ");
    for (uint32_t i = 0; i < s->nitems; i++) {
        if (i) buf_text(out, ", ");
        print_select_item(self, &s->items[i]);
    }
    if (s->from) {
        buf_text(out, " FROM ");
        print_relation(self, s->from);
    }
    if (s->where) {
        buf_text(out, " WHERE ");
        print_expr(self, s->where);
    }
    print_groups(self, s);
    if (s->having) {
        buf_text(out, " HAVING ");
        print_expr(self, s->having);
    }
    for (uint32_t i = 0; i < s->nwindows; i++) {
        buf_text(out, i ? ", " : " WINDOW ");
        print_name(self, &s->windows[i].name);
        buf_text(out, " AS (");
        print_window(self, &s->windows[i]);
        buf_char(out, ')');
    }
}

/* ---------------------------------------------------------------- queries */

static void print_values(Printer *self, const AstBody *body) {
    buf_text(self->out, "VALUES ");
    for (uint32_t i = 0; i < body->nrows; i++) {
        const AstExprList *row = &body->rows[i];
        if (i) buf_text(self->out, ", ");
        if (row->count == 1 && row->items[0]->kind == AST_SCALAR_QUERY) {
            print_expr_list(self, 1,
                            row->items); /* it brings the parentheses; more would nest it */
            continue;
        }
        bool word = row->count == 1 &&
                    row->items[0]->kind == AST_ROW; /* ((1, 2)) would be one row of two */
        buf_text(self->out, word ? "ROW(" : "(");
        print_expr_list(self, row->count, row->items);
        buf_char(self->out, ')');
    }
}

static int set_level(const AstBody *body) {
    if (body->kind != AST_BODY_SET) return 3;
    return body->set == AST_INTERSECT ? 2 : 1;
}

static void print_body(Printer *self, const AstBody *body, int level);

static void print_set_operation(Printer *self, const AstBody *body) {
    static const char *const words[] = {" UNION ", " INTERSECT ", " EXCEPT "};
    int level = set_level(body);
    print_body(self, body->left, level);
    buf_text(self->out, words[body->set]);
    if (body->all) buf_text(self->out, "ALL ");
    print_body(self, body->right, level + 1);
}

static void print_body(Printer *self, const AstBody *body, int level) {
    if (!print_enter(self)) return;
    bool parens = set_level(body) < level;
    if (parens) buf_char(self->out, '(');
    switch (body->kind) {
    case AST_BODY_SELECT: print_select(self, body->select); break;
    case AST_BODY_VALUES: print_values(self, body); break;
    case AST_BODY_TABLE:
        buf_text(self->out, "TABLE ");
        print_qualified(self, &body->table);
        break;
    case AST_BODY_SET: print_set_operation(self, body); break;
    case AST_BODY_QUERY: print_paren_query(self, body->query); break;
    }
    if (parens) buf_char(self->out, ')');
    self->depth--;
}

static void print_with(Printer *self, const AstQuery *q) {
    for (uint32_t i = 0; i < q->nctes; i++) {
        const AstCte *cte = &q->ctes[i];
        buf_text(self->out, i ? ", " : q->recursive ? "WITH RECURSIVE " : "WITH ");
        print_name(self, &cte->name);
        if (cte->ncolumns) buf_char(self->out, ' ');
        print_names(self, cte->ncolumns, cte->columns);
        buf_text(self->out, " AS ");
        print_paren_query(self, cte->query);
    }
    if (q->nctes) buf_char(self->out, ' ');
}

static bool is_before(AstPosition a, AstPosition b) {
    return a.line < b.line || (a.line == b.line && a.column < b.column);
}

static void print_limit(Printer *self, const AstQuery *q) {
    if (!q->limit) return;
    buf_text(self->out, q->with_ties ? " FETCH FIRST " : " LIMIT ");
    print_expr(self, q->limit);
    if (q->with_ties) buf_text(self->out, " ROWS WITH TIES");
}

/* LIMIT and OFFSET keep their order: it numbers the parameters. */
void print_query(Printer *self, const AstQuery *q) {
    if (!print_enter(self)) return;
    Buf *out = self->out;
    print_with(self, q);
    print_body(self, q->body, 0);
    print_order_by(self, " ", q->norder, q->order);
    bool first = q->limit && q->offset && is_before(q->limit->at, q->offset->at);
    if (first) print_limit(self, q);
    if (q->offset) {
        buf_text(out, " OFFSET ");
        print_expr(self, q->offset);
    }
    if (!first) print_limit(self, q);
    self->depth--;
}

void ast_print_query(Buf *out, const AstQuery *query) {
    Printer printer = {.out = out};
    print_query(&printer, query);
}
