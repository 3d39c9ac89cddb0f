/*
 * views.h - stored queries: the catalog `views`, which every connection has, with its one schema.
 *
 * A view is kept as it was written, with what was the current catalog and schema then and with the
 * columns that it had: names in it mean what they meant when it was made. Views live in the metastore
 * and are never cached, so that what one process creates the next statement of another finds. Without a
 * usable metastore they live as long as the process.
 *
 * Names are equal without regard to the case of ASCII letters.
 */
#ifndef TRIB_CATALOG_VIEWS_H
#define TRIB_CATALOG_VIEWS_H

#include "engine/catalog/catalog.h"

#define VIEWS_CATALOG "views"
#define VIEWS_SCHEMA  "default"

typedef struct View {
    TribTable table;     /* name, comment and columns */
    Str text;            /* the query, as written */
    Str catalog, schema; /* current when it was created; "" = none */
} View;

/* Strings live in the arena. *out NULL: there is no such view. */
Status views_find(const LookupContext *context, Str name, Arena *arena, View **out,
                  Error *err) WARN_UNUSED;
/* 42S01 if there is one of that name, unless `replace`. */
Status views_put(const LookupContext *context, const View *view, bool replace,
                 Error *err) WARN_UNUSED;
/* *existed false: there was none; nothing happened. */
Status views_drop(const LookupContext *context, Str name, bool *existed, Error *err) WARN_UNUSED;
/* Calls names->table with each. */
Status views_list(const LookupContext *context, TribNames *names, Error *err) WARN_UNUSED;

/* The source of the catalog `views`; one reference. `set` must outlive it. */
Status views_source(CatalogSet *set, const char *name, Source **out, Error *err) WARN_UNUSED;
/* Is it the catalog of views? */
bool catalog_holds_views(const Catalog *self);

#endif
