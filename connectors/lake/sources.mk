# connectors/lake: files in local folders and S3
LAKE_CONNECTOR_SOURCES = connectors/lake/lake.c connectors/lake/lake.h \
	connectors/lake/option.c connectors/lake/column_type.c connectors/lake/column_type.h \
	connectors/lake/store.h connectors/lake/store_local.c \
	connectors/lake/store_s3.c connectors/lake/store_s3.h connectors/lake/s3_list.c \
	connectors/lake/s3_reader.c connectors/lake/s3_part.c connectors/lake/s3_part.h \
	connectors/lake/s3_ahead.c \
	connectors/lake/codec.c connectors/lake/codec.h \
	connectors/lake/format.c connectors/lake/format.h \
	connectors/lake/convert.c connectors/lake/convert.h \
	connectors/lake/csv.h connectors/lake/csv_scan.c connectors/lake/csv_scan.h \
	connectors/lake/csv_blocks.c connectors/lake/csv_read.c connectors/lake/csv_split.c \
	connectors/lake/csv_sniff.c \
	connectors/lake/json_cursor.c connectors/lake/json_cursor.h connectors/lake/json_read.c \
	connectors/lake/json_nested.c connectors/lake/json_nested.h \
	connectors/lake/infer.c connectors/lake/infer.h \
	connectors/lake/table.c connectors/lake/describe.c connectors/lake/facts.c \
	connectors/lake/prune.c connectors/lake/prune.h connectors/lake/plan.c connectors/lake/plan.h \
	connectors/lake/split.c connectors/lake/scan.c
LAKE_LIBS = $(HTTP_LIBS) $(ZSTD_LIBS) $(ZLIB_LIBS)
if CONNECTOR_LAKE
connector_LTLIBRARIES += trib_lake.la
trib_lake_la_SOURCES = $(LAKE_CONNECTOR_SOURCES)
trib_lake_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -export-symbols-regex '^trib_connector$$'
trib_lake_la_LIBADD = $(LAKE_LIBS)
endif
EXTRA_DIST += connectors/lake/README.md tests/lake tests/fixtures/lake tests/fixtures/lake_nested tests/bench/files.py

if CONNECTOR_LAKE
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_lake_csv tests/unit/test_lake_json
LAKE_TEST_SOURCES = tests/unit/lake_support.c tests/unit/lake_support.h $(LAKE_CONNECTOR_SOURCES)
tests_unit_test_lake_csv_SOURCES = tests/unit/test_lake_csv.c $(LAKE_TEST_SOURCES)
tests_unit_test_lake_json_SOURCES = tests/unit/test_lake_json.c $(LAKE_TEST_SOURCES)
# Objects of their own: those of the connector are compiled by libtool.
tests_unit_test_lake_csv_CFLAGS = $(AM_CFLAGS)
tests_unit_test_lake_json_CFLAGS = $(AM_CFLAGS)
tests_unit_test_lake_csv_LDADD = $(LAKE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_lake_json_LDADD = $(LAKE_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/test_lake_csv tests/unit/test_lake_json
endif
endif

if CONNECTOR_LAKE
check_PROGRAMS += tests/fuzz/replay_lake
TESTS += tests/fuzz/replay_lake
tests_fuzz_replay_lake_SOURCES = tests/fuzz/fuzz_lake.c tests/fuzz/replay.c tests/fuzz/fuzz.h $(LAKE_CONNECTOR_SOURCES)
tests_fuzz_replay_lake_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"tests/fuzz/corpus/lake"'
tests_fuzz_replay_lake_LDADD = $(LAKE_LIBS)
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_lake
tests_fuzz_fuzz_lake_SOURCES = tests/fuzz/fuzz_lake.c tests/fuzz/fuzz.h $(LAKE_CONNECTOR_SOURCES)
tests_fuzz_fuzz_lake_CPPFLAGS = $(AM_CPPFLAGS) -DTRIB_FUZZ_LAKE
tests_fuzz_fuzz_lake_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_lake_LDADD = $(LAKE_LIBS)
endif
endif
EXTRA_DIST += tests/fuzz/corpus/lake
