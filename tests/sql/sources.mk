# tests/sql: the runner of .test files and of plans; tests/run gives it a configuration with the real servers
check_PROGRAMS += tests/sql/runner
tests_sql_runner_SOURCES = tests/sql/runner.c tests/sql/records.c tests/sql/records.h
tests_sql_runner_LDADD = $(ENGINE_LIBS)
