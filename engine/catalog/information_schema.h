/*
 * information_schema.h - the schema `information_schema` of every catalog: its own metadata as tables.
 *
 * It is a source like any other: a connector that is built in, whose rows are what the catalog answers
 * to its listing calls at the time of the scan (through the metadata cache). Comparisons of the catalog,
 * schema, table and column names with literals are used to ask no more than is needed.
 */
#ifndef TRIB_CATALOG_INFORMATION_SCHEMA_H
#define TRIB_CATALOG_INFORMATION_SCHEMA_H

#include "engine/catalog/catalog.h"

#define INFORMATION_SCHEMA "information_schema"

/* The table's name as it is spelled, from any case; NULL = there is none such. */
const char *information_schema_table(Str name);
/* A source over one catalog's metadata; one reference. `set` and `catalog` must outlive it. */
Status information_schema_source(CatalogSet *set, Catalog *catalog, Source **out,
                                 Error *err) WARN_UNUSED;

#endif
