# engine/sql: text to syntax tree and back
ENGINE_SOURCES += \
	engine/sql/ast.h engine/sql/parser.h engine/sql/parse.h engine/sql/print.h \
	engine/sql/keywords.def engine/sql/lexer.c engine/sql/lexer.h \
	engine/sql/parser.c engine/sql/parse_expr.c engine/sql/parse_call.c engine/sql/parse_type.c \
	engine/sql/parse_json.c engine/sql/parse_query.c engine/sql/parse_relation.c \
	engine/sql/parse_statement.c engine/sql/parse_ddl.c engine/sql/parse_hive.c engine/sql/escapes.c \
	engine/sql/printer.c engine/sql/print_query.c engine/sql/print_statement.c

# The tree as text: shared by the unit tests and the fuzzer.
SQL_DUMP = tests/unit/sql_dump.c tests/unit/sql_dump.h
SQL_TEST_COMMON = $(SQL_DUMP) tests/unit/test_sql.h tests/unit/test_base.h

if HAVE_CMOCKA
SQL_TESTS = tests/unit/test_sql_lexer tests/unit/test_sql_parse tests/unit/test_sql_errors \
	tests/unit/test_sql_limits
check_PROGRAMS += $(SQL_TESTS)
TESTS += $(SQL_TESTS)
tests_unit_test_sql_lexer_SOURCES = tests/unit/test_sql_lexer.c $(SQL_TEST_COMMON)
tests_unit_test_sql_lexer_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_sql_parse_SOURCES = tests/unit/test_sql_parse.c $(SQL_TEST_COMMON)
tests_unit_test_sql_parse_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_sql_errors_SOURCES = tests/unit/test_sql_errors.c $(SQL_TEST_COMMON)
tests_unit_test_sql_errors_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_sql_limits_SOURCES = tests/unit/test_sql_limits.c $(SQL_TEST_COMMON)
tests_unit_test_sql_limits_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
endif

# The kept corpus runs in every build; the fuzzer itself where configured with --enable-fuzz (clang).
check_PROGRAMS += tests/fuzz/replay_sql
TESTS += tests/fuzz/replay_sql
tests_fuzz_replay_sql_SOURCES = tests/fuzz/fuzz_sql.c tests/fuzz/replay.c tests/fuzz/fuzz.h $(SQL_DUMP)
tests_fuzz_replay_sql_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"tests/fuzz/corpus/sql"'
tests_fuzz_replay_sql_LDADD = $(ENGINE_LIBS)
EXTRA_DIST += tests/fuzz/corpus/sql tests/fuzz/sql.dict
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_sql
tests_fuzz_fuzz_sql_SOURCES = tests/fuzz/fuzz_sql.c tests/fuzz/fuzz.h $(SQL_DUMP)
tests_fuzz_fuzz_sql_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_sql_LDADD = $(ENGINE_LIBS)
endif
