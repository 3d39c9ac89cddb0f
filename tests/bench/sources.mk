# tests/bench: programs that tests/bench/run times; built by `make bench-programs`
bench_binaries = tests/bench/engine tests/bench/fetch tests/bench/insert
EXTRA_PROGRAMS += tests/bench/engine tests/bench/fetch tests/bench/insert
tests_bench_engine_SOURCES = tests/bench/engine.c tests/bench/bench.h
tests_bench_engine_LDADD = $(ENGINE_LIBS)
tests_bench_fetch_SOURCES = tests/bench/fetch.c tests/bench/bench.h
tests_bench_fetch_LDADD = -lodbc
tests_bench_insert_SOURCES = tests/bench/insert.c tests/bench/bench.h tests/bench/insert_rows.h
tests_bench_insert_LDADD = -lodbc
bench_binaries += tests/bench/raw_insert_sqlite
EXTRA_PROGRAMS += tests/bench/raw_insert_sqlite
tests_bench_raw_insert_sqlite_SOURCES = tests/bench/raw_insert_sqlite.c tests/bench/bench.h tests/bench/insert_rows.h
tests_bench_raw_insert_sqlite_LDADD = $(SQLITE_LIBS)
if CONNECTOR_MYSQL
bench_binaries += tests/bench/raw_mysql tests/bench/raw_insert_mysql
EXTRA_PROGRAMS += tests/bench/raw_mysql tests/bench/raw_insert_mysql
tests_bench_raw_insert_mysql_SOURCES = tests/bench/raw_insert_mysql.c tests/bench/bench.h tests/bench/insert_rows.h
tests_bench_raw_insert_mysql_CPPFLAGS = $(AM_CPPFLAGS) $(MARIADB_CFLAGS)
tests_bench_raw_insert_mysql_LDADD = $(MARIADB_LIBS)
tests_bench_raw_mysql_SOURCES = tests/bench/raw_mysql.c tests/bench/bench.h
tests_bench_raw_mysql_CPPFLAGS = $(AM_CPPFLAGS) $(MARIADB_CFLAGS)
tests_bench_raw_mysql_LDADD = $(MARIADB_LIBS)
endif
EXTRA_DIST += tests/bench/run tests/bench/duck.py tests/bench/dynamodb.py tests/bench/odbc_peers.py tests/bench/pyodbc_fetch.py

.PHONY: bench-programs
bench-programs: $(bench_binaries)
