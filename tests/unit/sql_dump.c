/*
 * sql_dump.c - syntax trees as text, for the tests of the parser and the printer.
 *
 * Expressions come as (kind parts), operators under the names of ids.def. Every field that has a meaning
 * is written, so that a printer that loses one is found out.
 */
#include "tests/unit/sql_dump.h"

static const struct {
    uint16_t id;
    const char *name;
} op_names[] = {
#define FN(number, name, group, bit) {number, #name},
#include "connectors/ids.def"
};

static const char *op_name(uint16_t op) {
    for (size_t i = 0; i < COUNT_OF(op_names); i++) {
        if (op_names[i].id == op) return op_names[i].name;
    }
    return "?";
}

static void dump_text(Buf *out, const char *label, Str text) {
    if (text.data) buf_printf(out, "%s'" STR_FORMAT "'", label, STR_ARGS(text));
}

static void dump_name(Buf *out, const AstName *name) {
    buf_printf(out, name->quoted ? "\"" STR_FORMAT "\"" : STR_FORMAT, STR_ARGS(name->text));
}

static void dump_label(Buf *out, const char *label, const AstName *name) {
    if (!name->text.len) return;
    buf_text(out, label);
    dump_name(out, name);
}

static void dump_qualified(Buf *out, const char *label, const AstQualifiedName *name) {
    if (name->count) buf_text(out, label);
    for (uint32_t i = 0; i < name->count; i++) {
        if (i) buf_char(out, '.');
        dump_name(out, &name->parts[i]);
    }
}

static void dump_names(Buf *out, const char *label, uint32_t count, const AstName *names) {
    if (!count) return;
    buf_printf(out, "%s[", label);
    for (uint32_t i = 0; i < count; i++) dump_label(out, i ? " " : "", &names[i]);
    buf_char(out, ']');
}

static void dump_one(Buf *out, const char *label, const AstExpr *expr) {
    if (!expr) return;
    buf_text(out, label);
    dump_expr(out, expr);
}

static void dump_args(Buf *out, uint32_t count, AstExpr *const *args) {
    for (uint32_t i = 0; i < count; i++) {
        buf_char(out, ' ');
        if (args[i])
            dump_expr(out, args[i]);
        else
            buf_char(out, '-');
    }
}

static void dump_order(Buf *out, uint32_t count, const AstOrderItem *order) {
    for (uint32_t i = 0; i < count; i++) {
        buf_text(out, i ? ", " : " order ");
        dump_expr(out, order[i].expr);
        if (order[i].descending) buf_text(out, " desc");
        if (order[i].nulls) buf_printf(out, " nulls%d", order[i].nulls);
    }
}

static void dump_window(Buf *out, const AstWindow *w) {
    buf_text(out, "(window");
    dump_label(out, " ", &w->name);
    dump_label(out, " base ", &w->base);
    if (w->npartition) buf_text(out, " by");
    dump_args(out, w->npartition, w->partition);
    dump_order(out, w->norder, w->order);
    if (w->frame) {
        buf_printf(out, " frame%d %d", w->frame, w->start);
        dump_one(out, ":", w->start_value);
        buf_printf(out, " to %d", w->end);
        dump_one(out, ":", w->end_value);
    }
    buf_char(out, ')');
}

static void dump_json(Buf *out, const AstExpr *e) {
    const AstJson *j = e->json;
    buf_printf(out, " form%d", j->form);
    dump_text(out, " path ", j->path);
    dump_label(out, " as ", &j->path_name);
    dump_names(out, " passing ", j->nnames, j->names);
    uint32_t formats = j->form == AST_JSON_OBJECT ? e->nargs / 2 : e->nargs;
    for (uint32_t i = 0; i < formats; i++) buf_char(out, j->format[i] ? 'J' : '.');
    dump_text(out, " returning ", j->returning);
    buf_printf(out, " %d %d %d", j->returning_json, j->on_empty, j->on_error);
    dump_one(out, " empty ", j->empty_default);
    dump_one(out, " error ", j->error_default);
    buf_printf(out, " %d %d%d%d%d%d%d", j->wrapper, j->omit_quotes, j->keep_quotes, j->null_said,
               j->absent_on_null, j->unique_said, j->unique_keys);
}

static void dump_call(Buf *out, const AstExpr *e) {
    dump_qualified(out, "(", &e->name);
    if (e->op) buf_printf(out, "#%s", op_name(e->op));
    if (e->distinct) buf_text(out, " distinct");
    for (uint32_t i = 0; i < e->nargs; i++) {
        buf_char(out, ' ');
        if (e->arg_names) dump_label(out, "=>", &e->arg_names[i]);
        dump_expr(out, e->args[i]);
    }
    dump_order(out, e->norder, e->order);
    dump_one(out, " filter ", e->filter);
    if (e->null_treatment) buf_printf(out, " nulls%d", e->null_treatment);
    if (e->overflow_truncate) buf_printf(out, " truncate%d", e->overflow_count);
    dump_text(out, " ", e->text);
    if (e->window) {
        buf_char(out, ' ');
        dump_window(out, e->window);
    }
    buf_char(out, ')');
}

/* Kinds without a form of their own: (name text, op, flags, arguments, query). */
static void dump_generic(Buf *out, const AstExpr *e) {
    static const char *const names[] = {
        [AST_UNARY] = "",
        [AST_BINARY_OP] = "",
        [AST_AND] = "and",
        [AST_OR] = "or",
        [AST_IS_NULL] = "is_null",
        [AST_IS_DISTINCT] = "distinct",
        [AST_BETWEEN] = "between",
        [AST_IN_LIST] = "in",
        [AST_LIKE] = "like",
        [AST_IN_QUERY] = "in_query",
        [AST_EXISTS] = "exists",
        [AST_SCALAR_QUERY] = "scalar",
        [AST_QUANTIFIED] = "any ",
        [AST_CASE] = "case",
        [AST_CAST] = "cast",
        [AST_EXTRACT] = "extract",
        [AST_AT_TIME_ZONE] = "at_zone",
        [AST_ROW] = "row",
        [AST_ARRAY] = "array",
        [AST_SUBSCRIPT] = "subscript",
        [AST_LAMBDA] = "lambda",
        [AST_GROUPING] = "grouping",
        [AST_CURRENT] = "",
        [AST_POSITION_IN] = "position",
        [AST_TRIM] = "trim",
        [AST_DEFAULT] = "default",
        [AST_FIELD] = "field",
        [AST_JSON] = "json",
        [AST_INTERVAL] = "interval",
    };
    buf_char(out, '(');
    if (e->negated) buf_text(out, "not_");
    if (e->try_cast) buf_text(out, "try_");
    buf_text(out, e->kind == AST_QUANTIFIED && e->all ? "all " : names[e->kind]);
    if (e->op) buf_text(out, op_name(e->op));
    dump_text(out, " ", e->text);
    if (e->type_text.data) buf_printf(out, " <" STR_FORMAT ">", STR_ARGS(e->type_text));
    if (e->kind == AST_TRIM) buf_printf(out, " %d", e->trim_kind);
    if (e->unit) buf_printf(out, " unit%d", e->unit);
    if (e->from_unit) buf_printf(out, " %d-%d", e->from_unit, e->to_unit);
    if (e->precision >= 0) buf_printf(out, " p%d", e->precision);
    dump_names(out, " ", e->nlambda, e->lambda_names);
    if (e->kind == AST_JSON) dump_json(out, e);
    dump_args(out, e->nargs, e->args);
    if (e->kind == AST_FIELD) dump_qualified(out, " ", &e->name);
    if (e->query) {
        buf_char(out, ' ');
        dump_query(out, e->query);
    }
    buf_char(out, ')');
}

void dump_expr(Buf *out, const AstExpr *e) {
    switch ((AstExprKind)e->kind) {
    case AST_NAME: dump_qualified(out, "", &e->name); break;
    case AST_STAR:
        dump_qualified(out, "", &e->name);
        buf_text(out, "*");
        dump_args(out, e->nargs, e->args);
        break;
    case AST_NULL: buf_text(out, "null"); break;
    case AST_BOOLEAN: buf_text(out, e->boolean ? "true" : "false"); break;
    case AST_INTEGER: buf_str(out, e->text); break;
    case AST_DECIMAL: buf_printf(out, STR_FORMAT "m", STR_ARGS(e->text)); break;
    case AST_DOUBLE: buf_printf(out, STR_FORMAT "d", STR_ARGS(e->text)); break;
    case AST_STRING: dump_text(out, "", e->text); break;
    case AST_BINARY:
        buf_text(out, "0x");
        for (size_t i = 0; i < e->text.len; i++)
            buf_printf(out, "%02x", (unsigned char)e->text.data[i]);
        break;
    case AST_TYPED_LITERAL:
        buf_printf(out, "<" STR_FORMAT ">", STR_ARGS(e->type_text));
        dump_text(out, "", e->text);
        break;
    case AST_PARAMETER: buf_printf(out, "?%u", e->slot); break;
    case AST_CALL: dump_call(out, e); break;
    default: dump_generic(out, e); break;
    }
}

/* ---------------------------------------------------------------- queries */

static void dump_relation(Buf *out, const AstRelation *r) {
    if (!r) return;
    buf_printf(out, "(rel%d", r->kind);
    dump_qualified(out, " ", &r->name);
    if (r->lateral || r->ordinality || r->natural) {
        buf_printf(out, " %s%s%s", r->lateral ? "L" : "", r->ordinality ? "O" : "",
                   r->natural ? "N" : "");
    }
    if (r->kind == AST_REL_JOIN) {
        buf_printf(out, " join%d ", r->join);
        dump_relation(out, r->left);
        buf_char(out, ' ');
        dump_relation(out, r->right);
    }
    if (r->query) {
        buf_char(out, ' ');
        dump_query(out, r->query);
    }
    dump_one(out, " on ", r->on);
    dump_names(out, " using ", r->nusing, r->using_columns);
    dump_args(out, r->nargs, r->args);
    dump_one(out, " ", r->call);
    dump_label(out, " as ", &r->alias);
    dump_names(out, "", r->naliases, r->column_aliases);
    dump_one(out, r->sample_system ? " system " : " bernoulli ", r->sample_percent);
    buf_char(out, ')');
}

static void dump_list(Buf *out, const AstExprList *list) {
    buf_char(out, '[');
    dump_args(out, list->count, list->items);
    buf_text(out, " ]");
}

static void dump_select(Buf *out, const AstSelect *s) {
    buf_text(out, s->distinct ? "(select distinct" : "(select");
    for (uint32_t i = 0; i < s->nitems; i++) {
        buf_char(out, ' ');
        dump_expr(out, s->items[i].expr);
        dump_label(out, ":", &s->items[i].alias);
        dump_names(out, ":", s->items[i].ncolumn_aliases, s->items[i].column_aliases);
    }
    if (s->from) buf_text(out, " from ");
    dump_relation(out, s->from);
    dump_one(out, " where ", s->where);
    if (s->ngroups) buf_text(out, s->group_distinct ? " group distinct" : " group");
    for (uint32_t i = 0; i < s->ngroups; i++) {
        buf_printf(out, " g%d", s->groups[i].kind);
        for (uint32_t k = 0; k < s->groups[i].nsets; k++) dump_list(out, &s->groups[i].sets[k]);
    }
    dump_one(out, " having ", s->having);
    for (uint32_t i = 0; i < s->nwindows; i++) {
        buf_char(out, ' ');
        dump_window(out, &s->windows[i]);
    }
    buf_char(out, ')');
}

static void dump_body(Buf *out, const AstBody *b) {
    switch (b->kind) {
    case AST_BODY_SELECT: dump_select(out, b->select); break;
    case AST_BODY_VALUES:
        buf_text(out, "(values");
        for (uint32_t i = 0; i < b->nrows; i++) dump_list(out, &b->rows[i]);
        buf_char(out, ')');
        break;
    case AST_BODY_TABLE:
        dump_qualified(out, "(table ", &b->table);
        buf_char(out, ')');
        break;
    case AST_BODY_SET:
        buf_printf(out, "(%s%s ",
                   b->set == AST_UNION    ? "union"
                   : b->set == AST_EXCEPT ? "except"
                                          : "intersect",
                   b->all ? "_all" : "");
        dump_body(out, b->left);
        buf_char(out, ' ');
        dump_body(out, b->right);
        buf_char(out, ')');
        break;
    case AST_BODY_QUERY: dump_query(out, b->query); break;
    }
}

void dump_query(Buf *out, const AstQuery *q) {
    buf_char(out, '{');
    if (q->recursive) buf_text(out, "recursive ");
    for (uint32_t i = 0; i < q->nctes; i++) {
        dump_label(out, "with ", &q->ctes[i].name);
        dump_names(out, "", q->ctes[i].ncolumns, q->ctes[i].columns);
        buf_char(out, ' ');
        dump_query(out, q->ctes[i].query);
        buf_char(out, ' ');
    }
    dump_body(out, q->body);
    dump_order(out, q->norder, q->order);
    dump_one(out, " offset ", q->offset);
    dump_one(out, q->with_ties ? " ties " : " limit ", q->limit);
    buf_char(out, '}');
}

/* ---------------------------------------------------------------- statements */

static void dump_columns(Buf *out, const char *label, uint32_t count, const AstColumnDef *columns) {
    for (uint32_t i = 0; i < count; i++) {
        const AstColumnDef *c = &columns[i];
        dump_label(out, label, &c->name);
        buf_printf(out, " <" STR_FORMAT "> %d%d%d", STR_ARGS(c->type_text), c->not_null,
                   c->primary_key, c->unique);
        dump_label(out, " primary ", &c->primary_name);
        dump_label(out, " unique ", &c->unique_name);
        dump_one(out, " default ", c->default_value);
        dump_text(out, " comment ", c->comment);
    }
}

static void dump_keys(Buf *out, uint32_t count, const AstTableKey *keys) {
    for (uint32_t i = 0; i < count; i++) {
        dump_label(out, keys[i].primary ? " primary " : " unique ", &keys[i].name);
        dump_names(out, " ", keys[i].ncolumns, keys[i].columns);
    }
}

static void dump_properties(Buf *out, const char *label, uint32_t count,
                            const AstProperty *properties) {
    for (uint32_t i = 0; i < count; i++) {
        buf_printf(out, "%s" STR_FORMAT " = ", label, STR_ARGS(properties[i].name.text));
        if (properties[i].value)
            dump_expr(out, properties[i].value);
        else
            buf_text(out, "default");
    }
}

static void dump_assignments(Buf *out, uint32_t count, const AstAssignment *assignments) {
    for (uint32_t i = 0; i < count; i++) {
        dump_label(out, " ", &assignments[i].column);
        dump_one(out, ":=", assignments[i].value);
    }
}

static void dump_merge(Buf *out, const AstStatement *s) {
    dump_label(out, " alias ", &s->alias);
    if (s->source) buf_text(out, " source ");
    dump_relation(out, s->source);
    dump_one(out, " on ", s->on);
    for (uint32_t i = 0; i < s->nmerge; i++) {
        const AstMergeCase *c = &s->merge[i];
        buf_printf(out, " (case%d", c->action);
        dump_one(out, " if ", c->condition);
        dump_assignments(out, c->nassignments, c->assignments);
        dump_names(out, " ", c->ncolumns, c->columns);
        dump_args(out, c->nvalues, c->values);
        buf_char(out, ')');
    }
}

static void dump_alter(Buf *out, const AstAlter *a) {
    buf_printf(out, " (alter%d %d%d", a->action, a->if_exists, a->if_not_exists);
    dump_qualified(out, " new ", &a->new_name);
    dump_qualified(out, " column ", &a->column);
    dump_label(out, " to ", &a->new_column);
    dump_columns(out, " + ", a->ncolumns, a->columns);
    if (a->type_text.data) buf_printf(out, " <" STR_FORMAT ">", STR_ARGS(a->type_text));
    dump_text(out, " location ", a->location);
    for (uint32_t i = 0; i < a->npartitions; i++) {
        buf_text(out, " (partition");
        dump_assignments(out, a->partitions[i].count, a->partitions[i].keys);
        dump_text(out, " location ", a->partitions[i].location);
        buf_char(out, ')');
    }
    buf_char(out, ')');
}

static void dump_external(Buf *out, const AstExternal *e) {
    dump_columns(out, " partitioned ", e->npartition_columns, e->partition_columns);
    dump_names(out, " clustered ", e->nclustered, e->clustered);
    dump_text(out, " buckets ", e->buckets);
    if (e->delimited) buf_text(out, " delimited");
    dump_text(out, " fields ", e->fields);
    dump_text(out, " escaped ", e->escaped);
    dump_text(out, " items ", e->items);
    dump_text(out, " keys ", e->keys);
    dump_text(out, " lines ", e->lines);
    dump_text(out, " null ", e->null_text);
    dump_text(out, " serde ", e->serde);
    dump_properties(out, " serde.", e->nserde_properties, e->serde_properties);
    dump_label(out, " stored ", &e->stored);
    dump_text(out, " input ", e->input_format);
    dump_text(out, " output ", e->output_format);
    dump_text(out, " location ", e->location);
}

void dump_statement(Buf *out, const AstStatement *s) {
    buf_printf(out, "(s%d", s->kind);
    if (s->nparameters) buf_printf(out, " params=%u", s->nparameters);
    dump_qualified(out, " ", &s->name);
    dump_qualified(out, " new ", &s->new_name);
    buf_printf(out, " %d%d%d%d%d%d", s->analyze, s->json, s->explain, s->verbose, s->if_exists,
               s->if_not_exists);
    buf_printf(out, "%d%d%d%d%d%d", s->or_replace, s->with_no_data, s->cascade, s->security_invoker,
               s->read_only, s->read_write);
    buf_printf(out, "%d%d%d", s->local_zone, s->comment_on, s->with_properties_of);
    dump_text(out, " like ", s->like);
    dump_text(out, " escape ", s->escape);
    dump_text(out, " regex ", s->regex);
    dump_one(out, " value ", s->value);
    dump_columns(out, " ", s->ncolumns, s->columns);
    dump_keys(out, s->nkeys, s->keys);
    if (s->default_values) buf_text(out, " default values");
    dump_qualified(out, " like ", &s->like_table);
    if (s->like_table.count) buf_printf(out, " at %u", s->like_at);
    dump_names(out, " names ", s->nnames, s->names);
    dump_assignments(out, s->nassignments, s->assignments);
    dump_one(out, " where ", s->where);
    dump_args(out, s->nargs, s->args);
    for (uint32_t i = 0; s->arg_names && i < s->nargs; i++) dump_label(out, "=>", &s->arg_names[i]);
    dump_text(out, " comment ", s->comment);
    bool slice = s->kind == AST_CREATE_VIEW || s->kind == AST_PREPARE ||
                 s->kind == AST_CREATE_MATERIALIZED_VIEW;
    if (!slice) dump_text(out, " text ", s->text);
    dump_properties(out, " with ", s->nproperties, s->properties);
    dump_label(out, " using ", &s->connector);
    dump_merge(out, s);
    if (s->alter) dump_alter(out, s->alter);
    if (s->external) dump_external(out, s->external);
    dump_one(out, " grace ", s->grace);
    dump_text(out, " isolation ", s->isolation);
    if (s->inner) {
        buf_char(out, ' ');
        dump_statement(out, s->inner);
    }
    if (s->query) {
        buf_char(out, ' ');
        dump_query(out, s->query);
    }
    buf_char(out, ')');
}
