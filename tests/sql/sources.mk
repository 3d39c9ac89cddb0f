# tests/sql: the runner of .test files; tests/run gives it a configuration with the real servers
check_PROGRAMS += tests/sql/runner
tests_sql_runner_SOURCES = tests/sql/runner.c
tests_sql_runner_LDADD = $(ENGINE_LIBS)
