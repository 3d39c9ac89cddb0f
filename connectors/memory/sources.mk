# connectors/memory: tables in RAM
EXTRA_DIST += connectors/memory/README.md
connector_LTLIBRARIES += trib_memory.la
trib_memory_la_SOURCES = \
	connectors/memory/chunk.c \
	connectors/memory/chunk.h \
	connectors/memory/memory.c \
	connectors/memory/scan.c \
	connectors/memory/scan.h \
	connectors/memory/sketch.c \
	connectors/memory/sketch.h \
	connectors/memory/store.c \
	connectors/memory/store.h
trib_memory_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -export-symbols-regex '^trib_connector$$'
trib_memory_la_LIBADD = libsupport.la libbase.la $(XXHASH_LIBS) $(OPENSSL_LIBS) -lpthread -lm
