# connectors/dynamodb: Amazon DynamoDB over HTTP; built where libcurl is found
if HAVE_CURL
connector_LTLIBRARIES += trib_dynamodb.la
noinst_LTLIBRARIES += libdynamodb.la
libdynamodb_la_SOURCES = connectors/dynamodb/catalog.h \
	connectors/dynamodb/connection.c \
	connectors/dynamodb/dynamodb.c \
	connectors/dynamodb/facts.c \
	connectors/dynamodb/fetch.c \
	connectors/dynamodb/filter.c connectors/dynamodb/filter.h \
	connectors/dynamodb/metadata.c \
	connectors/dynamodb/option.c \
	connectors/dynamodb/page.c \
	connectors/dynamodb/plan.h \
	connectors/dynamodb/pushdown.c \
	connectors/dynamodb/request.c \
	connectors/dynamodb/sample.c \
	connectors/dynamodb/scan.c connectors/dynamodb/scan.h \
	connectors/dynamodb/value.c connectors/dynamodb/value.h
trib_dynamodb_la_SOURCES =
trib_dynamodb_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -export-symbols-regex '^trib_connector$$'
trib_dynamodb_la_LIBADD = libdynamodb.la $(HTTP_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_dynamodb
TESTS += tests/unit/test_dynamodb
tests_unit_test_dynamodb_SOURCES = tests/unit/test_dynamodb.c tests/unit/http_server.c tests/unit/http_server.h
tests_unit_test_dynamodb_LDADD = libdynamodb.la $(HTTP_LIBS) $(CMOCKA_LIBS)
endif

check_PROGRAMS += tests/fuzz/replay_dynamodb
TESTS += tests/fuzz/replay_dynamodb
tests_fuzz_replay_dynamodb_SOURCES = tests/fuzz/fuzz_dynamodb.c tests/fuzz/replay.c tests/fuzz/fuzz.h
tests_fuzz_replay_dynamodb_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"tests/fuzz/corpus/dynamodb"'
tests_fuzz_replay_dynamodb_LDADD = libdynamodb.la $(HTTP_LIBS)
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_dynamodb
tests_fuzz_fuzz_dynamodb_SOURCES = tests/fuzz/fuzz_dynamodb.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_dynamodb_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_dynamodb_LDADD = libdynamodb.la $(HTTP_LIBS)
endif
endif

EXTRA_DIST += connectors/dynamodb/README.md
EXTRA_DIST += tests/dynamodb/install tests/dynamodb/with_local tests/dynamodb/recipe.test tests/dynamodb/reads.py tests/dynamodb/large.py \
	tests/dynamodb/signatures.py tests/fixtures/dynamodb.py
EXTRA_DIST += tests/fuzz/corpus/dynamodb
