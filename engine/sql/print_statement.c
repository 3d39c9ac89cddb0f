/*
 * print_statement.c - canonical SQL of whole statements. One function per statement, in the order of the
 * grammar's files; what it prints parses to an equal tree. Appends to a Buf; any thread.
 */
#include "engine/sql/print.h"

static void text_clause(Printer *self, const char *words, Str text) {
    if (!text.data) return;
    buf_text(self->out, words);
    print_string(self, text);
}

static void name_after(Printer *self, const char *words, const AstStatement *s) {
    buf_text(self->out, words);
    print_qualified(self, &s->name);
}

static void print_properties(Printer *self, const char *words, uint32_t count,
                             const AstProperty *properties) {
    for (uint32_t i = 0; i < count; i++) {
        const AstProperty *property = &properties[i];
        buf_text(self->out, i ? ", " : words);
        print_name(self, &property->name);
        buf_text(self->out, " = ");
        if (property->value)
            print_expr(self, property->value);
        else
            buf_text(self->out, "DEFAULT");
    }
}

/* WITH (a = 1) */
static void with_clause(Printer *self, const AstStatement *s) {
    print_properties(self, " WITH (", s->nproperties, s->properties);
    if (s->nproperties) buf_char(self->out, ')');
}

/* Athena's lists, whose names are strings. */
static void text_properties(Printer *self, const char *words, uint32_t count,
                            const AstProperty *properties) {
    for (uint32_t i = 0; i < count; i++) {
        const AstProperty *property = &properties[i];
        buf_text(self->out, i ? ", " : words);
        print_string(self, property->name.text);
        buf_text(self->out, " = ");
        if (property->value)
            print_expr(self, property->value);
        else
            buf_text(self->out, "DEFAULT");
    }
    if (count) buf_char(self->out, ')');
}

static void print_constraint_name(Printer *self, const AstName *name) {
    if (!name->text.len) return;
    buf_text(self->out, " CONSTRAINT ");
    print_name(self, name);
}

static void print_columns(Printer *self, uint32_t count, const AstColumnDef *columns) {
    Buf *out = self->out;
    for (uint32_t i = 0; i < count; i++) {
        const AstColumnDef *c = &columns[i];
        if (i) buf_text(out, ", ");
        print_name(self, &c->name);
        buf_printf(out, " " STR_FORMAT, STR_ARGS(c->type_text));
        print_constraint_name(self, &c->primary_name);
        if (c->primary_key)
            buf_text(out, " PRIMARY KEY");
        else if (c->not_null)
            buf_text(out, " NOT NULL");
        print_constraint_name(self, &c->unique_name);
        if (c->unique) buf_text(out, " UNIQUE");
        if (c->default_value) {
            buf_text(out, " DEFAULT ");
            print_expr(self, c->default_value);
        }
        text_clause(self, " COMMENT ", c->comment);
    }
}

static void print_assignments(Printer *self, uint32_t count, const AstAssignment *assignments) {
    for (uint32_t i = 0; i < count; i++) {
        if (i) buf_text(self->out, ", ");
        print_name(self, &assignments[i].column);
        buf_text(self->out, " = ");
        print_expr(self, assignments[i].value);
    }
}

static void print_where(Printer *self, const AstExpr *where) {
    if (!where) return;
    buf_text(self->out, " WHERE ");
    print_expr(self, where);
}

static void like_clause(Printer *self, const AstStatement *s) {
    text_clause(self, " LIKE ", s->like);
    text_clause(self, " ESCAPE ", s->escape);
}

/* name => value, ... in parentheses */
static void print_call_arguments(Printer *self, const AstStatement *s) {
    buf_char(self->out, '(');
    for (uint32_t i = 0; i < s->nargs; i++) {
        if (i) buf_text(self->out, ", ");
        if (s->arg_names && s->arg_names[i].text.len) {
            print_name(self, &s->arg_names[i]);
            buf_text(self->out, " => ");
        }
        print_expr(self, s->args[i]);
    }
    buf_char(self->out, ')');
}

/* ---------------------------------------------------------------- statements */

static void print_statement(Printer *self, const AstStatement *s);

static void print_explain(Printer *self, const AstStatement *s) {
    static const char *const types[] = {"PHYSICAL", "LOGICAL", "REMOTE", "VALIDATE", "IO"};
    buf_printf(self->out, "EXPLAIN (TYPE %s, FORMAT %s) ", types[s->explain],
               s->json ? "JSON" : "TEXT");
    if (s->analyze) buf_text(self->out, s->verbose ? "ANALYZE VERBOSE " : "ANALYZE ");
    print_statement(self, s->inner);
}

static void print_show(Printer *self, const AstStatement *s) {
    static const struct {
        AstStatementKind kind;
        const char *text;
    } rows[] = {
        {AST_SHOW_CATALOGS, "SHOW CATALOGS"}, {AST_SHOW_SCHEMAS, "SHOW SCHEMAS"},
        {AST_SHOW_TABLES, "SHOW TABLES"},     {AST_SHOW_COLUMNS, "SHOW COLUMNS"},
        {AST_SHOW_SESSION, "SHOW SESSION"},   {AST_SHOW_FUNCTIONS, "SHOW FUNCTIONS"},
        {AST_SHOW_VIEWS, "SHOW VIEWS"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].kind == s->kind) buf_text(self->out, rows[i].text);
    }
    if (s->has_name) name_after(self, " FROM ", s);
    if (s->regex.data) text_clause(self, " ", s->regex);
    like_clause(self, s);
}

static void print_show_stats(Printer *self, const AstStatement *s) {
    if (!s->query) {
        name_after(self, "SHOW STATS FOR ", s);
        return;
    }
    buf_text(self->out, "SHOW STATS FOR (");
    print_query(self, s->query);
    buf_char(self->out, ')');
}

static void print_show_properties(Printer *self, const AstStatement *s) {
    name_after(self, "SHOW TBLPROPERTIES ", s);
    text_clause(self, "(", s->like);
    if (s->like.data) buf_char(self->out, ')');
}

static void print_set(Printer *self, const AstStatement *s) {
    if (s->kind == AST_SET_TIME_ZONE) {
        buf_text(self->out, s->local_zone ? "SET TIME ZONE LOCAL" : "SET TIME ZONE ");
    } else {
        name_after(self, "SET SESSION ", s);
        buf_text(self->out, " = ");
    }
    if (s->value) print_expr(self, s->value);
}

static void print_execute(Printer *self, const AstStatement *s) {
    if (s->kind == AST_EXECUTE)
        name_after(self, "EXECUTE ", s);
    else
        text_clause(self, "EXECUTE IMMEDIATE ", s->text);
    if (s->nargs) buf_text(self->out, " USING ");
    print_expr_list(self, s->nargs, s->args);
}

static void print_prepare(Printer *self, const AstStatement *s) {
    name_after(self, "PREPARE ", s);
    buf_text(self->out, " FROM ");
    print_statement(self, s->inner);
}

static void print_insert(Printer *self, const AstStatement *s) {
    name_after(self, "INSERT INTO ", s);
    if (s->nnames) buf_char(self->out, ' ');
    print_names(self, s->nnames, s->names);
    buf_char(self->out, ' ');
    if (s->default_values)
        buf_text(self->out, "DEFAULT VALUES");
    else
        print_query(self, s->query);
}

static void alias_clause(Printer *self, const AstStatement *s) {
    if (!s->alias.text.len) return;
    buf_text(self->out, " AS ");
    print_name(self, &s->alias);
}

static void print_update(Printer *self, const AstStatement *s) {
    name_after(self, "UPDATE ", s);
    alias_clause(self, s);
    buf_text(self->out, " SET ");
    print_assignments(self, s->nassignments, s->assignments);
    print_where(self, s->where);
}

static void print_merge_case(Printer *self, const AstMergeCase *c) {
    Buf *out = self->out;
    buf_text(out, c->action == AST_MERGE_INSERT ? " WHEN NOT MATCHED" : " WHEN MATCHED");
    if (c->condition) {
        buf_text(out, " AND ");
        print_expr(self, c->condition);
    }
    if (c->action == AST_MERGE_DELETE) {
        buf_text(out, " THEN DELETE");
    } else if (c->action == AST_MERGE_UPDATE) {
        buf_text(out, " THEN UPDATE SET ");
        print_assignments(self, c->nassignments, c->assignments);
    } else {
        buf_text(out, " THEN INSERT ");
        print_names(self, c->ncolumns, c->columns);
        buf_text(out, c->ncolumns ? " VALUES (" : "VALUES (");
        print_expr_list(self, c->nvalues, c->values);
        buf_char(out, ')');
    }
}

static void print_merge(Printer *self, const AstStatement *s) {
    name_after(self, "MERGE INTO ", s);
    alias_clause(self, s);
    buf_text(self->out, " USING ");
    print_relation(self, s->source);
    buf_text(self->out, " ON ");
    print_expr(self, s->on);
    for (uint32_t i = 0; i < s->nmerge; i++) print_merge_case(self, &s->merge[i]);
}

static void print_start(Printer *self, const AstStatement *s) {
    buf_text(self->out, "START TRANSACTION");
    if (s->isolation.data)
        buf_printf(self->out, " ISOLATION LEVEL " STR_FORMAT, STR_ARGS(s->isolation));
    if (!s->read_only && !s->read_write) return;
    buf_text(self->out, s->isolation.data ? ", READ " : " READ ");
    buf_text(self->out, s->read_only ? "ONLY" : "WRITE");
}

static void print_unload(Printer *self, const AstStatement *s) {
    buf_text(self->out, "UNLOAD (");
    print_query(self, s->query);
    text_clause(self, ") TO ", s->text);
    with_clause(self, s);
}

static void print_comment(Printer *self, const AstStatement *s) {
    static const char *const targets[] = {"TABLE ", "VIEW ", "COLUMN "};
    buf_text(self->out, "COMMENT ON ");
    name_after(self, targets[s->comment_on], s);
    if (s->comment.data)
        text_clause(self, " IS ", s->comment);
    else
        buf_text(self->out, " IS NULL");
}

/* ---------------------------------------------------------------- CREATE, DROP, ALTER */

static void create_head(Printer *self, const char *what, const AstStatement *s) {
    buf_printf(self->out, "CREATE %s%s%s", s->or_replace ? "OR REPLACE " : "", what,
               s->if_not_exists ? " IF NOT EXISTS " : " ");
    print_qualified(self, &s->name);
}

static void print_like_table(Printer *self, const AstStatement *s) {
    buf_text(self->out, "LIKE ");
    print_qualified(self, &s->like_table);
    if (s->with_properties_of) buf_text(self->out, " INCLUDING PROPERTIES");
}

static void print_table_elements(Printer *self, const AstStatement *s) {
    Buf *out = self->out;
    buf_text(out, " (");
    uint32_t before = s->like_table.count ? s->like_at : s->ncolumns;
    print_columns(self, before, s->columns);
    if (s->like_table.count) {
        if (before) buf_text(out, ", ");
        print_like_table(self, s);
        if (before < s->ncolumns) {
            buf_text(out, ", ");
            print_columns(self, s->ncolumns - before, s->columns + before);
        }
    }
    for (uint32_t i = 0; i < s->nkeys; i++) {
        buf_char(out, ',');
        print_constraint_name(self, &s->keys[i].name);
        buf_text(out, s->keys[i].primary ? " PRIMARY KEY " : " UNIQUE ");
        print_names(self, s->keys[i].ncolumns, s->keys[i].columns);
    }
    buf_char(out, ')');
}

static void print_create_table(Printer *self, const AstStatement *s) {
    create_head(self, "TABLE", s);
    if (s->kind == AST_CREATE_TABLE) {
        print_table_elements(self, s);
    } else if (s->nnames) {
        buf_char(self->out, ' ');
        print_names(self, s->nnames, s->names);
    }
    text_clause(self, " COMMENT ", s->comment);
    with_clause(self, s);
    if (s->kind == AST_CREATE_TABLE) return;
    buf_text(self->out, " AS ");
    print_query(self, s->query);
    if (s->with_no_data) buf_text(self->out, " WITH NO DATA");
}

static void print_create_view(Printer *self, const AstStatement *s) {
    create_head(self, s->kind == AST_CREATE_VIEW ? "VIEW" : "MATERIALIZED VIEW", s);
    if (s->nnames) buf_char(self->out, ' ');
    print_names(self, s->nnames, s->names);
    if (s->grace) {
        buf_text(self->out, " GRACE PERIOD ");
        print_expr(self, s->grace);
    }
    text_clause(self, " COMMENT ", s->comment);
    with_clause(self, s);
    if (s->security_invoker) buf_text(self->out, " SECURITY INVOKER");
    buf_text(self->out, " AS ");
    print_query(self, s->query);
}

static void print_create_schema(Printer *self, const AstStatement *s) {
    create_head(self, "SCHEMA", s);
    text_clause(self, " COMMENT ", s->comment);
    text_clause(self, " LOCATION ", s->text);
    with_clause(self, s);
}

static void print_create_catalog(Printer *self, const AstStatement *s) {
    create_head(self, "CATALOG", s);
    buf_text(self->out, " USING ");
    print_name(self, &s->connector);
    text_clause(self, " COMMENT ", s->comment);
    with_clause(self, s);
}

static void print_row_format(Printer *self, const AstExternal *e) {
    if (e->serde.data) {
        text_clause(self, " ROW FORMAT SERDE ", e->serde);
        text_properties(self, " WITH SERDEPROPERTIES (", e->nserde_properties, e->serde_properties);
    }
    if (!e->delimited) return;
    buf_text(self->out, " ROW FORMAT DELIMITED");
    text_clause(self, " FIELDS TERMINATED BY ", e->fields);
    text_clause(self, " ESCAPED BY ", e->escaped);
    text_clause(self, " COLLECTION ITEMS TERMINATED BY ", e->items);
    text_clause(self, " MAP KEYS TERMINATED BY ", e->keys);
    text_clause(self, " LINES TERMINATED BY ", e->lines);
    text_clause(self, " NULL DEFINED AS ", e->null_text);
}

static void print_external_table(Printer *self, const AstStatement *s) {
    const AstExternal *e = s->external;
    Buf *out = self->out;
    create_head(self, "EXTERNAL TABLE", s);
    buf_text(out, " (");
    print_columns(self, s->ncolumns, s->columns);
    buf_char(out, ')');
    text_clause(self, " COMMENT ", s->comment);
    if (e->npartition_columns) {
        buf_text(out, " PARTITIONED BY (");
        print_columns(self, e->npartition_columns, e->partition_columns);
        buf_char(out, ')');
    }
    if (e->nclustered) {
        buf_text(out, " CLUSTERED BY ");
        print_names(self, e->nclustered, e->clustered);
        buf_printf(out, " INTO " STR_FORMAT " BUCKETS", STR_ARGS(e->buckets));
    }
    print_row_format(self, e);
    if (e->stored.text.len) {
        buf_text(out, " STORED AS ");
        print_name(self, &e->stored);
    }
    text_clause(self, " STORED AS INPUTFORMAT ", e->input_format);
    text_clause(self, " OUTPUTFORMAT ", e->output_format);
    text_clause(self, " LOCATION ", e->location);
    text_properties(self, " TBLPROPERTIES (", s->nproperties, s->properties);
}

static void print_drop(Printer *self, const AstStatement *s) {
    const char *what = s->kind == AST_DROP_TABLE     ? "TABLE"
                       : s->kind == AST_DROP_VIEW    ? "VIEW"
                       : s->kind == AST_DROP_SCHEMA  ? "SCHEMA"
                       : s->kind == AST_DROP_CATALOG ? "CATALOG"
                                                     : "MATERIALIZED VIEW";
    buf_printf(self->out, "DROP %s%s", what, s->if_exists ? " IF EXISTS " : " ");
    print_qualified(self, &s->name);
    if (s->cascade) buf_text(self->out, " CASCADE");
}

static void print_partitions(Printer *self, uint32_t count, const AstPartition *partitions) {
    for (uint32_t i = 0; i < count; i++) {
        buf_text(self->out, i ? ", PARTITION (" : "PARTITION (");
        print_assignments(self, partitions[i].count, partitions[i].keys);
        buf_char(self->out, ')');
        text_clause(self, " LOCATION ", partitions[i].location);
    }
}

static void print_alter_columns(Printer *self, const char *words, const AstAlter *a) {
    buf_text(self->out, words);
    print_columns(self, a->ncolumns, a->columns);
    buf_char(self->out, ')');
}

static void print_alter_column(Printer *self, const char *words, const AstAlter *a) {
    buf_text(self->out, words);
    if (a->if_exists) buf_text(self->out, "IF EXISTS ");
    print_qualified(self, &a->column);
}

static void print_alter_partition(Printer *self, const AstAlter *a) {
    Buf *out = self->out;
    if (a->action == AST_ALTER_ADD_PARTITION)
        buf_text(out, a->if_not_exists ? "ADD IF NOT EXISTS " : "ADD ");
    if (a->action == AST_ALTER_DROP_PARTITION)
        buf_text(out, a->if_exists ? "DROP IF EXISTS " : "DROP ");
    if (a->action != AST_ALTER_RENAME_PARTITION) {
        print_partitions(self, a->npartitions, a->partitions);
        return;
    }
    print_partitions(self, 1, a->partitions);
    buf_text(out, " RENAME TO ");
    print_partitions(self, 1, a->partitions + 1);
}

static void print_alter_action(Printer *self, const AstStatement *s, const AstAlter *a) {
    Buf *out = self->out;
    switch (a->action) {
    case AST_ALTER_RENAME:
        buf_text(out, "RENAME TO ");
        print_qualified(self, &a->new_name);
        break;
    case AST_ALTER_ADD_COLUMNS:
        if (a->if_not_exists) {
            buf_text(out, "ADD COLUMN IF NOT EXISTS ");
            print_columns(self, a->ncolumns, a->columns);
        } else {
            print_alter_columns(self, "ADD COLUMNS (", a);
        }
        break;
    case AST_ALTER_REPLACE_COLUMNS: print_alter_columns(self, "REPLACE COLUMNS (", a); break;
    case AST_ALTER_RENAME_COLUMN:
        print_alter_column(self, "RENAME COLUMN ", a);
        buf_text(out, " TO ");
        print_name(self, &a->new_column);
        break;
    case AST_ALTER_DROP_COLUMN: print_alter_column(self, "DROP COLUMN ", a); break;
    case AST_ALTER_COLUMN_TYPE:
        print_alter_column(self, "ALTER COLUMN ", a);
        buf_printf(out, " SET DATA TYPE " STR_FORMAT, STR_ARGS(a->type_text));
        break;
    case AST_ALTER_DROP_NOT_NULL:
        print_alter_column(self, "ALTER COLUMN ", a);
        buf_text(out, " DROP NOT NULL");
        break;
    case AST_ALTER_SET_PROPERTIES:
        print_properties(self, "SET PROPERTIES ", s->nproperties, s->properties);
        break;
    case AST_ALTER_SET_LOCATION:
        print_partitions(self, a->npartitions, a->partitions);
        text_clause(self, a->npartitions ? " SET LOCATION " : "SET LOCATION ", a->location);
        break;
    case AST_ALTER_ADD_PARTITION:
    case AST_ALTER_DROP_PARTITION:
    case AST_ALTER_RENAME_PARTITION: print_alter_partition(self, a); break;
    }
}

static void print_alter(Printer *self, const AstStatement *s) {
    name_after(self, s->if_exists ? "ALTER TABLE IF EXISTS " : "ALTER TABLE ", s);
    buf_char(self->out, ' ');
    print_alter_action(self, s, s->alter);
}

static void print_rename(Printer *self, const AstStatement *s) {
    name_after(self, s->kind == AST_RENAME_VIEW ? "ALTER VIEW " : "ALTER SCHEMA ", s);
    buf_text(self->out, " RENAME TO ");
    print_qualified(self, &s->new_name);
}

/* ---------------------------------------------------------------- dispatch */

static void print_analyze(Printer *self, const AstStatement *s) {
    name_after(self, "ANALYZE ", s);
    with_clause(self, s);
}

static void print_kill(Printer *self, const AstStatement *s) {
    text_clause(self, "KILL QUERY ", s->text);
}

static void print_call(Printer *self, const AstStatement *s) {
    name_after(self, "CALL ", s);
    print_call_arguments(self, s);
}

static void print_index(Printer *self, const AstStatement *s) {
    bool create = s->kind == AST_CREATE_INDEX;
    buf_text(self->out,
             create ? s->unique_index ? "CREATE UNIQUE INDEX " : "CREATE INDEX " : "DROP INDEX ");
    if (s->if_not_exists) buf_text(self->out, "IF NOT EXISTS ");
    if (s->if_exists) buf_text(self->out, "IF EXISTS ");
    print_qualified(self, &s->index_name);
    if (s->has_name) name_after(self, " ON ", s);
    for (uint32_t i = 0; i < s->nindex; i++) {
        buf_text(self->out, i ? ", " : " (");
        print_name(self, &s->index[i].column);
        if (s->index[i].descending) buf_text(self->out, " DESC");
    }
    if (s->nindex) buf_char(self->out, ')');
}

static void print_delete(Printer *self, const AstStatement *s) {
    name_after(self, "DELETE FROM ", s);
    alias_clause(self, s);
    print_where(self, s->where);
}

static void print_query_statement(Printer *self, const AstStatement *s) {
    print_query(self, s->query);
}

/* A printer, or the words that stand before the statement's name (if it has one). */
static const struct {
    void (*print)(Printer *self, const AstStatement *s);
    const char *words;
} rows[] = {
    [AST_QUERY] = {print_query_statement, NULL},
    [AST_EXPLAIN] = {print_explain, NULL},
    [AST_SHOW_CATALOGS] = {print_show, NULL},
    [AST_SHOW_SCHEMAS] = {print_show, NULL},
    [AST_SHOW_TABLES] = {print_show, NULL},
    [AST_SHOW_COLUMNS] = {print_show, NULL},
    [AST_SHOW_SESSION] = {print_show, NULL},
    [AST_SHOW_FUNCTIONS] = {print_show, NULL},
    [AST_SHOW_VIEWS] = {print_show, NULL},
    [AST_SHOW_CREATE_TABLE] = {NULL, "SHOW CREATE TABLE "},
    [AST_SHOW_CREATE_VIEW] = {NULL, "SHOW CREATE VIEW "},
    [AST_SHOW_STATS] = {print_show_stats, NULL},
    [AST_USE] = {NULL, "USE "},
    [AST_SET_SESSION] = {print_set, NULL},
    [AST_RESET_SESSION] = {NULL, "RESET SESSION "},
    [AST_CREATE_TABLE] = {print_create_table, NULL},
    [AST_CREATE_TABLE_AS] = {print_create_table, NULL},
    [AST_DROP_TABLE] = {print_drop, NULL},
    [AST_CREATE_SCHEMA] = {print_create_schema, NULL},
    [AST_DROP_SCHEMA] = {print_drop, NULL},
    [AST_INSERT] = {print_insert, NULL},
    [AST_UPDATE] = {print_update, NULL},
    [AST_CREATE_INDEX] = {print_index, NULL},
    [AST_DROP_INDEX] = {print_index, NULL},
    [AST_DELETE] = {print_delete, NULL},
    [AST_CREATE_VIEW] = {print_create_view, NULL},
    [AST_DROP_VIEW] = {print_drop, NULL},
    [AST_PREPARE] = {print_prepare, NULL},
    [AST_EXECUTE] = {print_execute, NULL},
    [AST_EXECUTE_IMMEDIATE] = {print_execute, NULL},
    [AST_DEALLOCATE] = {NULL, "DEALLOCATE PREPARE "},
    [AST_DESCRIBE_INPUT] = {NULL, "DESCRIBE INPUT "},
    [AST_DESCRIBE_OUTPUT] = {NULL, "DESCRIBE OUTPUT "},
    [AST_START_TRANSACTION] = {print_start, NULL},
    [AST_COMMIT] = {NULL, "COMMIT"},
    [AST_ROLLBACK] = {NULL, "ROLLBACK"},
    [AST_SHOW_PARTITIONS] = {NULL, "SHOW PARTITIONS "},
    [AST_SHOW_CREATE_SCHEMA] = {NULL, "SHOW CREATE SCHEMA "},
    [AST_SHOW_CREATE_MATERIALIZED_VIEW] = {NULL, "SHOW CREATE MATERIALIZED VIEW "},
    [AST_SET_TIME_ZONE] = {print_set, NULL},
    [AST_TRUNCATE_TABLE] = {NULL, "TRUNCATE TABLE "},
    [AST_COMMENT] = {print_comment, NULL},
    [AST_CALL_PROCEDURE] = {print_call, NULL},
    [AST_MERGE] = {print_merge, NULL},
    [AST_CREATE_CATALOG] = {print_create_catalog, NULL},
    [AST_DROP_CATALOG] = {print_drop, NULL},
    [AST_CREATE_EXTERNAL_TABLE] = {print_external_table, NULL},
    [AST_ALTER_TABLE] = {print_alter, NULL},
    [AST_RENAME_SCHEMA] = {print_rename, NULL},
    [AST_RENAME_VIEW] = {print_rename, NULL},
    [AST_REPAIR_TABLE] = {NULL, "MSCK REPAIR TABLE "},
    [AST_ANALYZE] = {print_analyze, NULL},
    [AST_UNLOAD] = {print_unload, NULL},
    [AST_CREATE_MATERIALIZED_VIEW] = {print_create_view, NULL},
    [AST_REFRESH_MATERIALIZED_VIEW] = {NULL, "REFRESH MATERIALIZED VIEW "},
    [AST_DROP_MATERIALIZED_VIEW] = {print_drop, NULL},
    [AST_KILL_QUERY] = {print_kill, NULL},
    [AST_SHOW_PROPERTIES] = {print_show_properties, NULL},
};

static void print_statement(Printer *self, const AstStatement *s) {
    if (self->depth >= PRINT_MAX_DEPTH) self->out->failed = true;
    if (self->out->failed) return;
    self->depth++;
    if (rows[s->kind].print) {
        rows[s->kind].print(self, s);
    } else {
        buf_text(self->out, rows[s->kind].words);
        if (s->has_name) print_qualified(self, &s->name);
    }
    self->depth--;
}

void ast_print_statement(Buf *out, const AstStatement *statement) {
    Printer printer = {.out = out};
    print_statement(&printer, statement);
}
