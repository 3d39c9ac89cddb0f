# tests/connectors: the conformance suite
check_PROGRAMS += tests/connectors/conformance
tests_connectors_conformance_SOURCES = tests/connectors/conformance.c tests/connectors/conform.h \
	tests/connectors/conform_host.c tests/connectors/conform_rows.c tests/connectors/conform_expr.c \
	tests/connectors/conform_offer.c tests/connectors/conform_function.c \
	tests/connectors/conform_group.c tests/connectors/quirks.c tests/connectors/quirks_lake.c
tests_connectors_conformance_LDADD = libsupport.la $(BASE_LIBS) $(SQLITE_LIBS) $(ZSTD_LIBS) -ldl
TESTS += tests/connectors/conformance
EXTRA_DIST += tests/connectors/mysql_bench.c
if CONNECTOR_MYSQL
if HAVE_CMOCKA
check_PROGRAMS += tests/connectors/test_mysql
tests_connectors_test_mysql_SOURCES = tests/connectors/test_mysql.c tests/connectors/test_mysql.h \
	tests/connectors/test_mysql_connections.c tests/connectors/test_mysql_write.c \
	tests/connectors/mysql_support.c \
	tests/connectors/mysql_support.h tests/connectors/conform_host.c \
	tests/connectors/conform_rows.c tests/connectors/conform_expr.c \
	tests/connectors/conform_offer.c tests/connectors/conform_function.c \
	tests/connectors/conform_cmocka.c
tests_connectors_test_mysql_CFLAGS = $(AM_CFLAGS) $(MARIADB_CFLAGS)
tests_connectors_test_mysql_LDADD = libsupport.la $(BASE_LIBS) $(MARIADB_LIBS) $(CMOCKA_LIBS) -lssl -ldl
TESTS += tests/connectors/test_mysql
endif
endif
