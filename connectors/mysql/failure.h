/*
 * failure.h - errors of the server and of the client library as errors of ours: a table of codes.
 */
#ifndef TRIB_MYSQL_FAILURE_H
#define TRIB_MYSQL_FAILURE_H

#include <mysql.h>

#include "connectors/mysql/option.h"

/* What went wrong for `statement` (NULL: on the connection), into *err with the server's own code.
 * Both codes are read, since either may stay 0; none at all means a lost connection (08S01). Returns
 * whether the connection is lost. */
bool failure_of(MYSQL *mysql, MYSQL_STMT *statement, Error *err);
/* Why mysql_real_connect failed. */
Status failure_connect(const Settings *settings, MYSQL *mysql, Error *err);
/* Server or client text, made safe for messages: valid UTF-8, no control characters. */
void failure_text(const char *text, char *out, size_t size);

#endif
