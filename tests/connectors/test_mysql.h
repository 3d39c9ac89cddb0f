/*
 * test_mysql.h - the parts of the test program of the MySQL connector.
 */
#ifndef TRIB_TESTS_TEST_MYSQL_H
#define TRIB_TESTS_TEST_MYSQL_H

#include "tests/connectors/mysql_support.h"

int test_mysql_connections(void); /* test_mysql_connections.c; how many failed */
int test_mysql_write(void);       /* test_mysql_write.c; how many failed */
int test_mysql_spare(void); /* test_mysql_connections.c: on a server of its own; how many failed */

/* That server, for tests that change what all users of a server share; not ready: it could not be started. */
extern Server spare;
extern bool spare_ready;
void test_session_state(void **state);
void test_packet_limit(void **state);

#endif
