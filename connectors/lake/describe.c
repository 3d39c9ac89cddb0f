/*
 * describe.c - metadata: the list of tables, and a table's columns found by looking at its files.
 *
 * What is not declared is sampled: rows from the beginnings of up to ten files (in S3: four) spread
 * over the table, and from several places of a large one. The description carries as facts what was found out (format,
 * delimiter, header, partitions), so that planning needs no look at the files.
 */
#include "connectors/lake/column_type.h"
#include "connectors/lake/infer.h"
#include "connectors/lake/lake.h"

enum { SAMPLE_PLACES = 10, SAMPLE_PLACES_REMOTE = 4, PLACE_BYTES_MIN = 4 * 1024 * 1024 };
enum { TYPE_TEXT_MAX = 1024 * 1024 };

typedef struct Describe {
    TribCatalog *catalog;
    TribCall *call;
    Arena *arena;
    Error *err;
    const TableDef *def;
    Shape shape;
    FileList list;
    InferColumn *columns;
    uint32_t ncolumns;
    TribColumn *out;
    uint32_t nout;
} Describe;

/* ---------------------------------------------------------------- lists */

TribStatus lake_list_schemas(TribCatalog *catalog, TribCall *call, TribNames *names,
                             TribError *err) {
    TRY(call_check(call, catalog->name, err));
    names->schema(names->self, LAKE_SCHEMA);
    return TRIB_OK;
}

typedef struct NamesVisit {
    TribNames *names;
    bool enough; /* the host wants no more */
} NamesVisit;

static Status name_visit(void *context, const char *name) {
    NamesVisit *self = context;
    if (!self->enough)
        self->enough =
            !self->names->table(self->names->self, LAKE_SCHEMA, name, TRIB_TABLE_BASE, NULL);
    return TRIB_OK;
}

TribStatus lake_list_tables(TribCatalog *catalog, TribCall *call, const char *schema,
                            TribNames *names, TribError *err) {
    NamesVisit visit = {names, false};
    if (schema && strcmp(schema, LAKE_SCHEMA) != 0) return TRIB_OK;
    Status status = table_each(catalog, call, name_visit, &visit, err);
    return status == TRIB_OK ? TRIB_OK : error_source(err, catalog->name);
}

/* ---------------------------------------------------------------- formats */

static Status format_fault(const Describe *d, const char *key, Error *err) {
    error_set(err, ERR_SOURCE, "%s%s: its name does not tell the format of the file",
              d->def->store->scheme, key);
    return error_hint(err, "set format to csv or json, or name the table's files by a pattern");
}

/* One format for all files, by their names where it is not given. */
static Status format_decide(Describe *d) {
    Str stem;
    const char *first = NULL;
    if (d->shape.format != FORMAT_AUTO) return TRIB_OK;
    for (uint32_t i = 0; i < d->list.count; i++) {
        const char *key = d->list.files[i].object.key;
        const Format *format = format_of_name(str_from(key), &stem);
        if (!format) return format_fault(d, key, d->err);
        if (d->shape.format == FORMAT_AUTO) {
            d->shape.format = format->kind;
            first = key;
        }
        if (format->kind == d->shape.format) continue;
        error_set(d->err, ERR_SOURCE, "%s and %s are of different formats", first, key);
        return error_hint(d->err, "name the files of each table by a pattern in the option tables");
    }
    if (d->shape.format == FORMAT_AUTO) d->shape.format = FORMAT_CSV; /* an empty, declared table */
    return TRIB_OK;
}

/* ---------------------------------------------------------------- samples */

static Status place_sample(Describe *d, const FormatParams *params, uint64_t rows, Infer *infer) {
    const Format *format = format_of(d->shape.format);
    SampleVisit visit = infer_visit(infer);
    if (params->range.begin == 0) infer_file_begin(infer);
    return format->sample(params, &d->shape, rows, &visit, d->err);
}

static Status file_sample(Describe *d, const TableFile *file, uint32_t places, uint64_t rows,
                          Infer *infer) {
    const Format *format = format_of(d->shape.format);
    FormatParams params = {.host = d->catalog->host,
                           .catalog = d->catalog->name,
                           .call = d->call,
                           .store = d->def->store,
                           .shape = &d->shape};
    uint64_t size = file->object.size, last = 0;
    bool plain = format_codec(&d->shape, file->object.key) == CODEC_NONE;
    if (!plain || size < PLACE_BYTES_MIN) places = 1;
    for (uint32_t i = 0; i < places; i++) {
        uint64_t begin = 0;
        params.range = (StoreRange){&file->object, 0, size, &d->list.stats, true};
        if (i > 0) TRY(format->boundary(&params, size / places * i, &begin, d->err));
        if (i > 0 && (begin == UINT64_MAX || begin <= last || begin >= size)) continue;
        params.range.begin = last = begin;
        TRY(place_sample(d, &params, rows / places + 1, infer));
    }
    return TRIB_OK;
}

/* Bytes that a look at the beginning of a range wants, its part of a window for boundaries included. */
enum { AHEAD_BYTES = 1280 * 1024, AHEAD_BYTES_PACKED = 256 * 1024 };

static uint32_t sample_index(const Describe *d, uint32_t files, uint32_t i) {
    return files > 1 ? (uint32_t)((uint64_t)i * (d->list.count - 1) / (files - 1)) : 0;
}

/* What the samples will look at, fetched in one go. */
static Status samples_fetch(Describe *d, uint32_t files, uint32_t places) {
    StoreRange ranges[SAMPLE_PLACES];
    Store *store = d->def->store;
    uint32_t count = 0;
    for (uint32_t i = 0; i < files; i++) {
        const StoreObject *object = &d->list.files[sample_index(d, files, i)].object;
        bool plain = format_codec(&d->shape, object->key) == CODEC_NONE;
        uint32_t looks = plain && object->size >= PLACE_BYTES_MIN ? places / files : 1;
        uint64_t most = plain ? AHEAD_BYTES : AHEAD_BYTES_PACKED;
        for (uint32_t k = 0; k < looks && object->size; k++) {
            uint64_t begin = object->size / looks * k;
            if (begin) begin--; /* boundaries are looked for from the byte before */
            uint64_t end = object->size - begin < most ? object->size : begin + most;
            ranges[count++] = (StoreRange){object, begin, end, &d->list.stats, true};
        }
    }
    return count ? store->ahead(store, d->call, ranges, count, d->err) : TRIB_OK;
}

static Status files_sample(Describe *d) {
    Infer *infer;
    TRY_ALLOC(infer, infer_new(d->arena, d->shape.format == FORMAT_JSON), d->err);
    uint32_t places = d->def->store->remote ? SAMPLE_PLACES_REMOTE : SAMPLE_PLACES;
    uint32_t files = d->list.count < places ? d->list.count : places;
    uint64_t each = d->def->sample_rows / files + 1;
    if (d->def->store->ahead) TRY(samples_fetch(d, files, places));
    for (uint32_t i = 0; i < files; i++) {
        const TableFile *file = &d->list.files[sample_index(d, files, i)];
        if (file->object.size == 0) continue;
        TRY(file_sample(d, file, places / files, each, infer));
    }
    return infer_finish(infer, &d->shape, &d->columns, &d->ncolumns, d->err);
}

/* ---------------------------------------------------------------- columns */

/* CSV has no arrays, maps and rows. */
static Status nested_refuse(const Describe *d, const Declared *column) {
    if (d->shape.format == FORMAT_JSON || !column_type_nested(column->type)) return TRIB_OK;
    error_set(d->err, ERR_CONFIGURATION,
              "table \"%s\", column \"%s\": arrays, maps and rows are read from JSON files only",
              d->def->name, column->name);
    return error_hint(d->err, "declare the column as json: it then holds the field's JSON text");
}

static Status declared_columns(Describe *d) {
    const TableDef *def = d->def;
    const InferColumn *found = d->columns;
    uint32_t nfound = d->ncolumns;
    InferColumn *columns;
    TRY_ALLOC(columns, ARENA_ARRAY(d->arena, InferColumn, def->ncolumns), d->err);
    for (uint32_t i = 0; i < def->ncolumns; i++) {
        TRY(nested_refuse(d, &def->columns[i]));
        columns[i] = (InferColumn){def->columns[i].name, -1, def->columns[i].type};
        if (d->shape.format != FORMAT_CSV) continue;
        if (d->shape.header != HEADER_YES) {
            columns[i].position = i;
            continue;
        }
        /* Names may differ in case from the header's, or have got a number. */
        for (uint32_t k = 0; k < nfound; k++) {
            if (!str_equal_fold(str_from(found[k].name), str_from(columns[i].name))) continue;
            if (found[k].position >= 0) columns[i].position = found[k].position;
        }
    }
    if (d->shape.format == FORMAT_CSV && d->shape.fields == 0) d->shape.fields = def->ncolumns;
    d->columns = columns;
    d->ncolumns = def->ncolumns;
    return TRIB_OK;
}

static Status columns_find(Describe *d) {
    bool csv = d->shape.format == FORMAT_CSV;
    bool known =
        d->def->ncolumns && (!csv || (d->shape.delimiter_known && d->shape.header != HEADER_AUTO));
    if (!known && d->list.count) TRY(files_sample(d));
    if (d->shape.header == HEADER_AUTO) d->shape.header = HEADER_NO;
    if (d->def->ncolumns) return declared_columns(d);
    if (d->ncolumns) return TRIB_OK;
    error_set(d->err, ERR_SOURCE, "the table \"%s\" has no rows to find its columns by: %s%s",
              d->def->name, d->def->store->scheme, d->def->path);
    return error_hint(d->err, "declare its columns in the option tables");
}

static Status column_put(Describe *d, const char *name, TribType type, ColumnKind kind,
                         int64_t position) {
    TribColumn *column = &d->out[d->nout++];
    Buf text;
    buf_init(&text, d->arena, TYPE_TEXT_MAX);
    column_type_write(&text, type);
    TRY(buf_status(&text, d->err));
    *column = (TribColumn){.name = name,
                           .type = type,
                           .nullable = kind == COLUMN_DATA || kind == COLUMN_PARTITION,
                           .hidden = kind == COLUMN_PATH || kind == COLUMN_FILE_SIZE,
                           .distinct = -1,
                           .null_fraction = -1};
    TRY_ALLOC(column->remote_type, str_dup(d->arena, buf_view(&text)), d->err);
    TRY_ALLOC(column->facts, column_facts(d->arena, kind, position, name), d->err);
    return TRIB_OK;
}

static TribType partition_type(const TableDef *def, const char *name) {
    for (uint32_t i = 0; i < def->npartitions; i++) {
        if (strcmp(def->partitions[i].name, name) == 0) return def->partitions[i].type;
    }
    return (TribType){.id = TRIB_TYPE_VARCHAR};
}

static bool is_partition(const Describe *d, const char *name) {
    for (uint32_t i = 0; i < d->list.npartitions; i++) {
        if (str_equal_fold(str_from(d->list.partitions[i]), str_from(name))) return true;
    }
    return false;
}

static Status columns_put(Describe *d) {
    size_t most = (size_t)d->ncolumns + d->list.npartitions + 2;
    TRY_ALLOC(d->out, ARENA_ARRAY(d->arena, TribColumn, most), d->err);
    for (uint32_t i = 0; i < d->ncolumns; i++) {
        const InferColumn *column = &d->columns[i];
        if (is_partition(d, column->name)) continue; /* the folder's name counts */
        TRY(column_put(d, column->name, column->type, COLUMN_DATA, column->position));
    }
    for (uint32_t i = 0; i < d->list.npartitions; i++) {
        const char *name = d->list.partitions[i];
        TRY(column_put(d, name, partition_type(d->def, name), COLUMN_PARTITION, i));
    }
    TRY(column_put(d, "$path", (TribType){.id = TRIB_TYPE_VARCHAR}, COLUMN_PATH, -1));
    return column_put(d, "$file_size", (TribType){.id = TRIB_TYPE_BIGINT}, COLUMN_FILE_SIZE, -1);
}

/* The declared partitions stand for those of an empty table. */
static Status partitions_declared(Describe *d) {
    if (d->list.count || !d->def->npartitions) return TRIB_OK;
    TRY_ALLOC(d->list.partitions, ARENA_ARRAY(d->arena, const char *, d->def->npartitions), d->err);
    for (uint32_t i = 0; i < d->def->npartitions; i++)
        d->list.partitions[d->list.npartitions++] = d->def->partitions[i].name;
    return TRIB_OK;
}

static Status files_find(Describe *d) {
    Status status = table_files(d->call, &d->list, d->err);
    bool declared = d->def->ncolumns > 0;
    if (status == TRIB_NOT_FOUND && !declared) {
        error_set(d->err, ERR_SOURCE, "there is no file or folder %s%s", d->def->store->scheme,
                  d->def->path);
        return d->err->status;
    }
    if (status != TRIB_OK && status != TRIB_NOT_FOUND) return status;
    if (d->list.count || declared) return TRIB_OK;
    error_set(d->err, ERR_SOURCE, "the table \"%s\" has no files: %s%s", d->def->name,
              d->def->store->scheme, d->def->path);
    return error_hint(d->err,
                      "files whose names begin with _ or . do not count; an empty table needs its "
                      "columns declared in the option tables");
}

static Status table_describe(Describe *d, const char *name, TribNames *names) {
    TRY(table_find(d->catalog, d->call, d->arena, name, &d->def, d->err));
    d->shape = d->def->shape;
    d->list = (FileList){.arena = d->arena, .def = d->def};
    TRY(files_find(d));
    TRY(partitions_declared(d));
    TRY(format_decide(d));
    TRY(columns_find(d));
    TRY(columns_put(d));
    TribTable table = {.size = sizeof table,
                       .schema = LAKE_SCHEMA,
                       .name = name,
                       .ncolumns = d->nout,
                       .columns = d->out,
                       .rows = (double)d->list.bytes / (8.0 * d->ncolumns + 8)};
    TRY_ALLOC(table.facts,
              facts_write(d->arena, d->def, &d->shape, d->list.npartitions, d->list.partitions),
              d->err);
    return names->described(names->self, &table, d->err);
}

TribStatus lake_describe_table(TribCatalog *catalog, TribCall *call, const char *schema,
                               const char *name, TribNames *names, TribError *err) {
    Describe d = {.catalog = catalog, .call = call, .err = err};
    if (strcmp(schema, LAKE_SCHEMA) != 0) {
        error_set(err, ERR_TABLE_NOT_FOUND,
                  "there is no schema \"%s\": tables of files are in \"%s\"", schema, LAKE_SCHEMA);
        return error_source(err, catalog->name);
    }
    TRY(call_check(call, catalog->name, err));
    TRY_ALLOC(d.arena, arena_new(NULL), err);
    Status status = table_describe(&d, name, names);
    arena_free(d.arena);
    return status == TRIB_OK ? TRIB_OK : error_source(err, catalog->name);
}
