/*
 * lake.h - inside the lake connector: the catalog and its tables.
 *
 * A TribCatalog is immutable after open. A TableDef says where a table's files lie and what is declared
 * of them: from the option `tables`, or made up for a folder or file of the root.
 */
#ifndef TRIB_LAKE_LAKE_H
#define TRIB_LAKE_LAKE_H

#include "connectors/lake/format.h"
#include "connectors/support/options.h"
#include "engine/base/map.h"

#define LAKE_SCHEMA    "default"
#define LAKE_NULL_PART "__HIVE_DEFAULT_PARTITION__"

typedef struct Declared {
    const char *name;
    TribType type;
} Declared;

typedef struct TableDef {
    const char *name;
    Store *store;
    const char *path; /* key of a file or folder, or a pattern */
    bool pattern;
    Shape shape; /* AUTO where it is to be found out */
    uint64_t sample_rows;
    uint32_t ncolumns; /* 0: inferred */
    const Declared *columns;
    uint32_t npartitions; /* declared ones only */
    const Declared *partitions;
} TableDef;

struct TribCatalog {
    Arena *arena; /* holds the catalog itself */
    const TribHost *host;
    const char *name;
    const char *path; /* as configured */
    Store *s3;        /* NULL: no path leads there */
    TableDef root;    /* defaults; path = the root's key */
    bool listed;      /* the option tables was given */
    uint32_t ntables;
    TableDef *tables;
};

/* option.c */
extern const TribOptionDef lake_options[];
Status lake_config(TribCatalog *catalog, const TribOption *values, uint32_t count, Error *err);

/* table.c */
typedef struct TableFile {
    StoreObject object;    /* strings on the list's arena */
    const Str *partitions; /* one per name of the list; data == NULL: NULL */
} TableFile;

typedef struct FileList {
    Arena *arena;
    const TableDef *def;
    uint32_t count, room;
    TableFile *files;
    uint32_t npartitions; /* names found in the first file's path, or those asked for */
    const char **partitions;
    uint64_t bytes;
    StoreStats stats;
    /* false: the file is not wanted; its list entry is made when it is. NULL = all are. */
    bool (*wanted)(void *context, const TableFile *file, Status *status, Error *err);
    void *context;
} FileList;

/* The table of that name; *out lives in the catalog or in the arena. Errors: 42S02. */
Status table_find(TribCatalog *catalog, TribCall *call, Arena *arena, const char *name,
                  const TableDef **out, Error *err);
/* The same without looking: what table_find found when the table was described. */
Status table_again(TribCatalog *catalog, Arena *arena, const char *name, Str path,
                   const TableDef **out, Error *err);
/* Calls `visit` for each table that is there. */
Status table_each(TribCatalog *catalog, TribCall *call, Status (*visit)(void *, const char *),
                  void *context, Error *err);
/* Fills in files and, unless set, partitions. The caller sets arena, def, wanted, context. */
Status table_files(TribCall *call, FileList *list, Error *err);
/* Does `path` match a pattern of *, **, ? and [a-z]? */
bool path_matches(Str pattern, Str path);
bool path_is_pattern(const char *path);

/* describe.c */
TribStatus lake_list_schemas(TribCatalog *catalog, TribCall *call, TribNames *names,
                             TribError *err);
TribStatus lake_list_tables(TribCatalog *catalog, TribCall *call, const char *schema,
                            TribNames *names, TribError *err);
TribStatus lake_describe_table(TribCatalog *catalog, TribCall *call, const char *schema,
                               const char *name, TribNames *names, TribError *err);

/* facts.c: what describe found out, as text in the table's and columns' facts */
char *facts_write(Arena *arena, const TableDef *def, const Shape *shape, uint32_t npartitions,
                  const char *const *partitions);
Status facts_read(TribCatalog *catalog, Arena *arena, const TribTable *table, const TableDef **def,
                  Shape *shape, uint32_t *npartitions, const char ***partitions, Error *err);

typedef enum { COLUMN_DATA, COLUMN_PARTITION, COLUMN_PATH, COLUMN_FILE_SIZE } ColumnKind;
char *column_facts(Arena *arena, ColumnKind kind, int64_t position, const char *name);
/* *name borrows from the facts. */
Status column_facts_read(const TribColumn *column, ColumnKind *kind, int64_t *position,
                         const char **name, Error *err);

#endif
