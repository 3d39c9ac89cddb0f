/*
 * shippable.h - what may run in a MySQL or MariaDB server, as a dialect of support/sql_text.h.
 */
#ifndef TRIB_MYSQL_SHIPPABLE_H
#define TRIB_MYSQL_SHIPPABLE_H

#include "connectors/support/sql_text.h"

/* Parameters of one statement: the protocol allows 65,535. */
#define SHIPPABLE_PARAMS 20000

extern const SqlDialect shippable_dialect;
extern const SqlAssigning shippable_assigning; /* compute.c */

/* Facts of a table that is a statement: its name is the text. */
#define MYSQL_QUERY_FACTS "statement"

#endif
