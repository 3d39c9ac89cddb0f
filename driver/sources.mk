# driver: the ODBC face
DRIVER_SOURCES += \
	driver/odbc.h driver/api_functions.def driver/api_text_twins.def driver/api_text.c driver/api_plain.c \
	driver/call.c driver/call.h driver/handle.c driver/handle.h \
	driver/diag.c driver/diag.h driver/diag_get.c driver/diag_get.h driver/sqlstates.def \
	driver/env.c driver/env.h driver/dbc.c driver/dbc.h driver/connect.c \
	driver/stmt.c driver/stmt.h driver/execute.c driver/execute.h driver/sets.c driver/putdata.c \
	driver/params.c driver/params.h driver/fetch.c driver/held.c driver/held.h \
	driver/positioned.c driver/change.c driver/change_rows.c driver/change_add.c driver/change.h driver/changed.c driver/changed.h \
	driver/scroll.c driver/scroll.h driver/bookmark.c driver/bookmark.h driver/info.def \
	driver/getdata.c driver/describe.c driver/desc.c driver/desc_fields.c driver/desc.h \
	driver/catalog.c driver/typeinfo.c driver/listing.c driver/listing.h driver/info_table.c \
	driver/sqltype.c driver/sqltype.h \
	driver/convert.h driver/convert_table.c driver/convert_cell.c driver/convert_text.c \
	driver/convert_write.c driver/convert_bulk.c driver/convert_param.c driver/convert_array.c driver/convert_interval.c

EXTRA_DIST += driver/exports.map

# What the setup library shares with the driver: connection strings, data sources, text.
noinst_LTLIBRARIES += libkeyword.la
libkeyword_la_SOURCES = driver/keyword.c driver/keyword.h driver/keywords.def driver/text.c driver/text.h

# The driver's code without the engine, for the library and for tests that bring an engine of their own.
noinst_LTLIBRARIES += libdriver.la
libdriver_la_SOURCES = $(DRIVER_SOURCES)
libdriver_la_LIBADD = libkeyword.la

driver_LTLIBRARIES += libtributary.la
libtributary_la_SOURCES =
EXTRA_libtributary_la_DEPENDENCIES = driver/exports.map
libtributary_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -Wl,-Bsymbolic \
	-Wl,--version-script=$(top_srcdir)/driver/exports.map
libtributary_la_LIBADD = libdriver.la $(ENGINE_LIBS)

# The kept corpus runs in every build; the fuzzer itself where configured with --enable-fuzz (clang).
check_PROGRAMS += tests/fuzz/replay_connection
TESTS += tests/fuzz/replay_connection
FUZZ_CONNECTION = tests/fuzz/fuzz_connection.c tests/fuzz/fuzz.h
tests_fuzz_replay_connection_SOURCES = $(FUZZ_CONNECTION) tests/fuzz/replay.c
tests_fuzz_replay_connection_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"tests/fuzz/corpus/connection"'
tests_fuzz_replay_connection_LDADD = libkeyword.la $(BASE_LIBS)
EXTRA_DIST += tests/fuzz/corpus/connection
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_connection
tests_fuzz_fuzz_connection_SOURCES = $(FUZZ_CONNECTION)
tests_fuzz_fuzz_connection_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_connection_LDADD = libkeyword.la $(BASE_LIBS)
endif
