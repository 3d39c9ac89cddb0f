/*
 * test_mysql.h - the parts of the test program of the MySQL connector.
 */
#ifndef TRIB_TESTS_TEST_MYSQL_H
#define TRIB_TESTS_TEST_MYSQL_H

#include "tests/connectors/mysql_support.h"

int test_mysql_connections(void); /* test_mysql_connections.c; how many failed */
int test_mysql_write(void);       /* test_mysql_write.c; how many failed */

#endif
