# connectors/sqlite: tables of an SQLite database file
connector_LTLIBRARIES += trib_sqlite.la
SQLITE_CONNECTOR_SOURCES = connectors/sqlite/sqlite.c connectors/sqlite/sqlite_internal.h \
	connectors/sqlite/option.c connectors/sqlite/connection.c connectors/sqlite/metadata.c \
	connectors/sqlite/types.c connectors/sqlite/bounds.c connectors/sqlite/shippable.c connectors/sqlite/scan.c \
	connectors/sqlite/scan.h connectors/sqlite/read.c connectors/sqlite/reference.c \
	connectors/sqlite/write.c connectors/sqlite/writer.c connectors/sqlite/ddl.c
trib_sqlite_la_SOURCES = $(SQLITE_CONNECTOR_SOURCES)
trib_sqlite_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -export-symbols-regex '^trib_connector$$'
trib_sqlite_la_LIBADD = libsupport.la $(BASE_LIBS) $(SQLITE_LIBS)
EXTRA_DIST += connectors/sqlite/README.md

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_sqlite
tests_unit_test_sqlite_SOURCES = tests/unit/test_sqlite.c $(SQLITE_CONNECTOR_SOURCES) \
	tests/connectors/conform_host.c tests/connectors/conform_rows.c tests/connectors/conform_expr.c \
	tests/connectors/conform_offer.c tests/connectors/conform_function.c tests/connectors/conform.h \
	tests/connectors/conform_cmocka.c tests/connectors/sqlite_file.c tests/connectors/sqlite_file.h
# Objects of its own: those of the connector are compiled by libtool.
tests_unit_test_sqlite_CFLAGS = $(AM_CFLAGS)
tests_unit_test_sqlite_LDADD = libsupport.la $(BASE_LIBS) $(SQLITE_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/test_sqlite
endif
