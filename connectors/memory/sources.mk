# connectors/memory: tables in RAM
EXTRA_DIST += connectors/memory/README.md
connector_LTLIBRARIES += trib_memory.la
MEMORY_CONNECTOR_SOURCES = \
	connectors/memory/change.c \
	connectors/memory/chunk.c \
	connectors/memory/chunk.h \
	connectors/memory/ddl.c \
	connectors/memory/group.c \
	connectors/memory/group.h \
	connectors/memory/group_rows.c \
	connectors/memory/key.c \
	connectors/memory/key.h \
	connectors/memory/lookup.c \
	connectors/memory/memory.c \
	connectors/memory/scan.c \
	connectors/memory/scan.h \
	connectors/memory/sketch.c \
	connectors/memory/sketch.h \
	connectors/memory/store.c \
	connectors/memory/store.h \
	connectors/memory/store_internal.h \
	connectors/memory/table.c \
	connectors/memory/tx.c \
	connectors/memory/writer.c
trib_memory_la_SOURCES = $(MEMORY_CONNECTOR_SOURCES)
trib_memory_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -export-symbols-regex '^trib_connector$$'
trib_memory_la_LIBADD = libsupport.la libbase.la $(XXHASH_LIBS) $(OPENSSL_LIBS) -lpthread -lm

if HAVE_CMOCKA
check_PROGRAMS += tests/connectors/test_memory
tests_connectors_test_memory_SOURCES = tests/connectors/test_memory.c \
	tests/connectors/memory_support.c tests/connectors/memory_support.h $(MEMORY_CONNECTOR_SOURCES) \
	tests/connectors/conform_host.c tests/connectors/conform_rows.c tests/connectors/conform_expr.c \
	tests/connectors/conform_offer.c tests/connectors/conform_function.c tests/connectors/conform.h \
	tests/connectors/conform_cmocka.c
# Objects of its own: those of the connector are compiled by libtool.
tests_connectors_test_memory_CFLAGS = $(AM_CFLAGS)
tests_connectors_test_memory_LDADD = libsupport.la $(BASE_LIBS) $(XXHASH_LIBS) $(OPENSSL_LIBS) $(CMOCKA_LIBS) -lm
TESTS += tests/connectors/test_memory
endif
