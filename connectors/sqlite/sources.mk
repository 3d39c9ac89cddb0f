# connectors/sqlite: tables of an SQLite database file
connector_LTLIBRARIES += trib_sqlite.la
trib_sqlite_la_SOURCES = connectors/sqlite/sqlite.c connectors/sqlite/sqlite_internal.h \
	connectors/sqlite/option.c connectors/sqlite/connection.c connectors/sqlite/metadata.c \
	connectors/sqlite/types.c connectors/sqlite/shippable.c connectors/sqlite/scan.c \
	connectors/sqlite/scan.h connectors/sqlite/read.c
trib_sqlite_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -export-symbols-regex '^trib_connector$$'
trib_sqlite_la_LIBADD = libsupport.la $(BASE_LIBS) $(SQLITE_LIBS)
EXTRA_DIST += connectors/sqlite/README.md
