# engine/functions

# Regular expressions are a module of their own: C++, loaded when a statement first uses one.
if HAVE_RE2
connector_LTLIBRARIES += tributary_regexp.la
tributary_regexp_la_SOURCES = engine/functions/regexp_re2.cc
tributary_regexp_la_CXXFLAGS = $(TRIB_CXXFLAGS) $(TRIB_HARDEN) $(RE2_CFLAGS)
tributary_regexp_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -export-symbols-regex '^trib_module$$'
tributary_regexp_la_LIBADD = $(RE2_LIBS)
else
EXTRA_DIST += engine/functions/regexp_re2.cc
endif

# Normal forms and stems of words: the tables of two libraries.
if HAVE_LANGUAGE
connector_LTLIBRARIES += tributary_language.la
tributary_language_la_SOURCES = engine/functions/language_module.c
tributary_language_la_CFLAGS = $(AM_CFLAGS) $(UTF8PROC_CFLAGS)
tributary_language_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -export-symbols-regex '^trib_module$$'
tributary_language_la_LIBADD = $(UTF8PROC_LIBS) -lstemmer
else
EXTRA_DIST += engine/functions/language_module.c
endif

ENGINE_SOURCES += \
	engine/functions/bits.c engine/functions/crc32.def engine/functions/digest.c \
	engine/functions/datetime_format.c engine/functions/datetime_iso.c engine/functions/teradata.c \
	engine/functions/datetime_parse.c engine/functions/datetime_pattern.c \
	engine/functions/datetime_pattern.h engine/functions/datetime_zone.c engine/functions/duration.c \
	engine/functions/format_number.c engine/functions/format_number.h engine/functions/text_format.c \
	engine/functions/text_compare.c engine/functions/text_language.c engine/functions/language_module.h \
	engine/functions/regexp.c engine/functions/regexp.h engine/functions/regexp_module.h \
	engine/functions/regexp_pattern.c engine/functions/regexp_replace.c \
	engine/functions/encode.c engine/functions/probability.c engine/functions/url.c \
	engine/functions/uuid.c
ENGINE_SOURCES += \
	engine/functions/aggregate.h \
	engine/functions/aggregate_array.c \
	engine/functions/aggregate_bitwise.c \
	engine/functions/aggregate_by.c \
	engine/functions/aggregate_count.c \
	engine/functions/aggregate_distinct.c \
	engine/functions/aggregate_extreme.c \
	engine/functions/aggregate_histogram.c \
	engine/functions/aggregate_map.c \
	engine/functions/aggregate_ordered.c \
	engine/functions/aggregate_percentile.c \
	engine/functions/aggregate_regression.c \
	engine/functions/aggregate_statistics.c \
	engine/functions/aggregate_sum.c \
	engine/functions/aggregate_text.c \
	engine/functions/arithmetic_rows.c \
	engine/functions/binary.c engine/functions/cardinality.c \
	engine/functions/calendar_steps.h \
	engine/functions/comparison.c \
	engine/functions/datetime.c \
	engine/functions/datetime_units.c \
	engine/functions/function.c \
	engine/functions/function.h \
	engine/functions/helpers.h \
	engine/functions/interval.c \
	engine/functions/json.c \
	engine/functions/json_extract.c \
	engine/functions/json_extract.h \
	engine/functions/json_item.c \
	engine/functions/json_item.h \
	engine/functions/json_path.h \
	engine/functions/json_path_inside.h \
	engine/functions/json_path_parse.c \
	engine/functions/json_path_run.c \
	engine/functions/json_sql.c \
	engine/functions/json_sql.h \
	engine/functions/math.c \
	engine/functions/rounding.c \
	engine/functions/session.c engine/functions/stored.c \
	engine/functions/signature.c engine/functions/signature.h \
	engine/functions/nested.c engine/functions/nested.h \
	engine/functions/array.c engine/functions/array_lambda.c \
	engine/functions/array_make.c engine/functions/array_text.c engine/functions/array_compare.c \
	engine/functions/map.c engine/functions/map_lambda.c \
	engine/functions/lambda_batch.c engine/functions/lambda_batch.h \
	engine/functions/tables.def engine/functions/tables.h \
	engine/functions/text.c \
	engine/functions/text_edit.c \
	engine/functions/value_store.c \
	engine/functions/value_store.h \
	engine/functions/value_table.c \
	engine/functions/value_table.h \
	engine/functions/window.c

# The kept corpus runs in every build; the fuzzer itself where configured with --enable-fuzz (clang).
check_PROGRAMS += tests/fuzz/replay_json
TESTS += tests/fuzz/replay_json
tests_fuzz_replay_json_SOURCES = tests/fuzz/fuzz_json.c tests/fuzz/replay.c tests/fuzz/fuzz.h
tests_fuzz_replay_json_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"tests/fuzz/corpus/json"'
tests_fuzz_replay_json_LDADD = $(ENGINE_LIBS)
EXTRA_DIST += tests/fuzz/corpus/json
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_json
tests_fuzz_fuzz_json_SOURCES = tests/fuzz/fuzz_json.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_json_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_json_LDADD = $(ENGINE_LIBS)
endif
