/*
 * parse_hive.c - Athena's DDL: CREATE EXTERNAL TABLE and partitions, as Hive spells them.
 *
 * The clauses may stand in any order but once each; words that only occur here are compared as text
 * and are no keywords. One thread, nodes in the arena.
 */
#include "engine/sql/parse.h"

static Status column_list(Parser *p, uint32_t *count, AstColumnDef **out) {
    List columns = {0};
    TRY(expect_token(p, TOKEN_LPAREN));
    do {
        AstColumnDef def;
        TRY(parse_column_def(p, &def));
        if (columns.count >= SQL_MAX_COLUMNS) {
            return parse_limit(p, def.name.at, "more than %d columns", SQL_MAX_COLUMNS);
        }
        TRY(ast_list_push(p, &columns, &def, sizeof def));
    } while (accept_token(p, TOKEN_COMMA));
    if (!at_token(p, TOKEN_RPAREN)) return parse_unexpected(p, "',' or ')'");
    parse_advance(p);
    *count = columns.count;
    *out = columns.items;
    return TRIB_OK;
}

/* TERMINATED BY '..' */
static Status terminated_by(Parser *p, Str *out) {
    TRY(expect_text(p, "TERMINATED"));
    TRY(expect_word(p, KW_BY));
    return parse_string(p, out);
}

static Status delimited(Parser *p, AstExternal *e) {
    e->delimited = true;
    for (;;) {
        if (accept_text(p, "FIELDS")) {
            TRY(terminated_by(p, &e->fields));
            if (accept_text(p, "ESCAPED")) {
                TRY(expect_word(p, KW_BY));
                TRY(parse_string(p, &e->escaped));
            }
        } else if (accept_text(p, "COLLECTION")) {
            TRY(expect_text(p, "ITEMS"));
            TRY(terminated_by(p, &e->items));
        } else if (accept_word(p, KW_MAP)) {
            TRY(expect_word(p, KW_KEYS));
            TRY(terminated_by(p, &e->keys));
        } else if (accept_text(p, "LINES")) {
            TRY(terminated_by(p, &e->lines));
        } else if (accept_word(p, KW_NULL)) {
            TRY(expect_text(p, "DEFINED"));
            TRY(expect_word(p, KW_AS));
            TRY(parse_string(p, &e->null_text));
        } else {
            return TRIB_OK;
        }
    }
}

static Status row_format(Parser *p, AstExternal *e) {
    TRY(expect_word(p, KW_FORMAT));
    if (accept_text(p, "DELIMITED")) return delimited(p, e);
    if (!accept_text(p, "SERDE")) return parse_unexpected(p, "DELIMITED or SERDE");
    TRY(parse_string(p, &e->serde));
    if (!accept_word(p, KW_WITH)) return TRIB_OK;
    TRY(expect_text(p, "SERDEPROPERTIES"));
    return parse_properties(p, true, &e->nserde_properties, &e->serde_properties);
}

static Status stored_as(Parser *p, AstExternal *e) {
    TRY(expect_word(p, KW_AS));
    if (!accept_text(p, "INPUTFORMAT")) return parse_name(p, &e->stored);
    TRY(parse_string(p, &e->input_format));
    TRY(expect_text(p, "OUTPUTFORMAT"));
    return parse_string(p, &e->output_format);
}

static Status clustered_by(Parser *p, AstExternal *e) {
    TRY(expect_word(p, KW_BY));
    TRY(parse_name_list(p, &e->nclustered, &e->clustered));
    TRY(expect_word(p, KW_INTO));
    TRY(parse_integer_text(p, &e->buckets));
    return expect_text(p, "BUCKETS");
}

/* One clause behind the columns; *found false where none stands. */
static Status external_clause(Parser *p, AstStatement *s, bool *found) {
    AstExternal *e = s->external;
    const AstPosition at = p->token.at;
    bool twice = false;
    *found = true;
    if (accept_word(p, KW_COMMENT)) {
        twice = s->comment.data != NULL;
        TRY(parse_string(p, &s->comment));
    } else if (accept_word(p, KW_PARTITIONED)) {
        twice = e->npartition_columns > 0;
        TRY(expect_word(p, KW_BY));
        TRY(column_list(p, &e->npartition_columns, &e->partition_columns));
    } else if (accept_text(p, "CLUSTERED")) {
        twice = e->nclustered > 0;
        TRY(clustered_by(p, e));
    } else if (accept_word(p, KW_ROW)) {
        twice = e->delimited || e->serde.data;
        TRY(row_format(p, e));
    } else if (accept_word(p, KW_STORED)) {
        twice = e->stored.text.data || e->input_format.data;
        TRY(stored_as(p, e));
    } else if (accept_word(p, KW_LOCATION)) {
        twice = e->location.data != NULL;
        TRY(parse_string(p, &e->location));
    } else if (accept_word(p, KW_TBLPROPERTIES)) {
        twice = s->nproperties > 0;
        TRY(parse_properties(p, true, &s->nproperties, &s->properties));
    } else {
        *found = false;
    }
    return twice ? parse_error(p, at, "a clause of CREATE EXTERNAL TABLE stands twice") : TRIB_OK;
}

Status parse_external_table(Parser *p, AstStatement *s) {
    s->kind = AST_CREATE_EXTERNAL_TABLE;
    TRY_ALLOC(s->external, ARENA_NEW(p->arena, AstExternal), p->err);
    TRY(parse_if_not_exists(p, &s->if_not_exists));
    s->has_name = true;
    TRY(parse_qualified(p, &s->name));
    TRY(column_list(p, &s->ncolumns, &s->columns));
    bool found = true;
    while (found) TRY(external_clause(p, s, &found));
    return TRIB_OK;
}

static Status partition_keys(Parser *p, AstPartition *partition) {
    List keys = {0};
    TRY(expect_token(p, TOKEN_LPAREN));
    do {
        AstAssignment key;
        TRY(parse_name(p, &key.column));
        TRY(expect_token(p, TOKEN_EQ));
        TRY(parse_value_expr(p, &key.value));
        TRY(ast_list_push(p, &keys, &key, sizeof key));
    } while (accept_token(p, TOKEN_COMMA));
    TRY(expect_token(p, TOKEN_RPAREN));
    partition->count = keys.count;
    partition->keys = keys.items;
    if (accept_word(p, KW_LOCATION)) return parse_string(p, &partition->location);
    return TRIB_OK;
}

/* PARTITION (..) [LOCATION '..'] [[,] PARTITION ...] */
Status parse_partitions(Parser *p, uint32_t *count, AstPartition **out) {
    List partitions = {0};
    do {
        TRY(expect_word(p, KW_PARTITION));
        AstPartition partition = {0};
        TRY(partition_keys(p, &partition));
        TRY(ast_list_push(p, &partitions, &partition, sizeof partition));
        accept_token(p, TOKEN_COMMA);
    } while (at_word(p, KW_PARTITION));
    if (p->last.kind == TOKEN_COMMA) return parse_unexpected(p, "PARTITION");
    *count = partitions.count;
    *out = partitions.items;
    return TRIB_OK;
}
