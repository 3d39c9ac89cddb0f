# engine/source
ENGINE_SOURCES += \
	engine/source/arrow_convert.c \
	engine/source/arrow_export.c \
	engine/source/arrow_import.c \
	engine/source/call.c \
	engine/source/connector.c \
	engine/source/host.c \
	engine/source/internal.h \
	engine/source/permit.c \
	engine/source/slab.c \
	engine/source/source.c \
	engine/source/source.h \
	engine/source/stream.c \
	engine/source/stream_io.c \
	engine/source/transaction.c

if HAVE_CMOCKA
check_LTLIBRARIES += tests/unit/trib_fake.la
tests_unit_trib_fake_la_SOURCES = tests/unit/fake_connector.c tests/unit/fake_connector.h
tests_unit_trib_fake_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere \
	-export-symbols-regex '^(trib_connector|fake_counters)$$'
tests_unit_trib_fake_la_LIBADD = libsupport.la libbase.la $(XXHASH_LIBS) $(OPENSSL_LIBS) -lpthread -lm
check_PROGRAMS += tests/unit/test_source tests/unit/test_arrow
TESTS += tests/unit/test_source tests/unit/test_arrow
tests_unit_test_source_SOURCES = tests/unit/test_source.c tests/unit/test_base.h tests/unit/fake_connector.h
tests_unit_test_source_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_source_DEPENDENCIES = libengine.la libbase.la tests/unit/trib_fake.la trib_memory.la
tests_unit_test_arrow_SOURCES = tests/unit/test_arrow.c tests/unit/test_base.h
tests_unit_test_arrow_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_arrow_DEPENDENCIES = libengine.la libbase.la trib_memory.la
endif
