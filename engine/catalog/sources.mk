# engine/catalog
ENGINE_SOURCES += \
	engine/catalog/cache.c \
	engine/catalog/catalog.c \
	engine/catalog/catalog.h \
	engine/catalog/config.c \
	engine/catalog/encode.c \
	engine/catalog/fork.c \
	engine/catalog/information_schema.c \
	engine/catalog/information_schema.h \
	engine/catalog/internal.h \
	engine/catalog/lookup.c \
	engine/catalog/metastore.c \
	engine/catalog/options.c \
	engine/catalog/secret.c \
	engine/catalog/passthrough.c engine/catalog/views.c \
	engine/catalog/views.h

if HAVE_CMOCKA
CATALOG_TESTS = tests/unit/test_config tests/unit/test_metastore tests/unit/test_source_faults
check_PROGRAMS += $(CATALOG_TESTS)
TESTS += $(CATALOG_TESTS)
tests_unit_test_config_SOURCES = tests/unit/test_config.c tests/unit/test_base.h tests/unit/fake_connector.h
tests_unit_test_config_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_config_DEPENDENCIES = libengine.la libbase.la tests/unit/trib_fake.la trib_memory.la
tests_unit_test_metastore_SOURCES = tests/unit/test_metastore.c tests/unit/test_base.h tests/unit/fake_connector.h
tests_unit_test_metastore_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_metastore_DEPENDENCIES = libengine.la libbase.la tests/unit/trib_fake.la trib_memory.la
tests_unit_test_source_faults_SOURCES = tests/unit/test_source_faults.c tests/unit/test_base.h
tests_unit_test_source_faults_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_source_faults_DEPENDENCIES = libengine.la libbase.la tests/unit/trib_fake.la trib_memory.la
endif

check_PROGRAMS += tests/fuzz/replay_config
TESTS += tests/fuzz/replay_config
tests_fuzz_replay_config_SOURCES = tests/fuzz/fuzz_config.c tests/fuzz/replay.c tests/fuzz/fuzz.h
tests_fuzz_replay_config_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"tests/fuzz/corpus/config"'
tests_fuzz_replay_config_LDADD = $(ENGINE_LIBS)
EXTRA_DIST += tests/fuzz/corpus/config
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_config
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz_config.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_config_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_config_LDADD = $(ENGINE_LIBS)
endif
