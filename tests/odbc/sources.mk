# tests/odbc: the driver over an engine of canned results, directly and through the manager
if HAVE_CMOCKA
check_LTLIBRARIES += tests/odbc/libfakedriver.la
tests_odbc_libfakedriver_la_SOURCES = tests/odbc/fake_engine.c
tests_odbc_libfakedriver_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere -Wl,-Bsymbolic \
	-Wl,--version-script=$(top_srcdir)/driver/exports.map
tests_odbc_libfakedriver_la_LIBADD = libdriver.la $(BASE_LIBS)

ODBC_TEST_SOURCES = tests/odbc/odbc_test.c tests/odbc/odbc_test.h
REAL_TEST_CPPFLAGS = $(AM_CPPFLAGS) -DREAL_DRIVER='"$(abs_top_builddir)/.libs/libtributary.so"' \
	-DCONNECTOR_PATH='"$(abs_top_builddir)/.libs"'
ODBC_TEST_CPPFLAGS = $(AM_CPPFLAGS) -DFAKE_DRIVER='"$(abs_top_builddir)/tests/odbc/.libs/libfakedriver.so"'

check_PROGRAMS += tests/odbc/test_calls
tests_odbc_test_calls_SOURCES = tests/odbc/test_calls.c $(ODBC_TEST_SOURCES)
tests_odbc_test_calls_CPPFLAGS = $(ODBC_TEST_CPPFLAGS)
tests_odbc_test_calls_LDADD = $(CMOCKA_LIBS) -ldl -lpthread

check_PROGRAMS += tests/odbc/test_states
tests_odbc_test_states_SOURCES = tests/odbc/test_states.c $(ODBC_TEST_SOURCES)
tests_odbc_test_states_CPPFLAGS = $(ODBC_TEST_CPPFLAGS)
tests_odbc_test_states_LDADD = $(CMOCKA_LIBS) -ldl

check_PROGRAMS += tests/odbc/test_convert
tests_odbc_test_convert_SOURCES = tests/odbc/test_convert.c $(ODBC_TEST_SOURCES)
tests_odbc_test_convert_CPPFLAGS = $(ODBC_TEST_CPPFLAGS)
tests_odbc_test_convert_LDADD = $(CMOCKA_LIBS) -ldl -lpthread

SQLITE_FILE_SOURCES = tests/connectors/sqlite_file.c tests/connectors/sqlite_file.h

CVALUE_SOURCES = tests/odbc/cvalue.c tests/odbc/cvalue.h tests/odbc/each.h

check_PROGRAMS += tests/odbc/test_cells
tests_odbc_test_cells_SOURCES = tests/odbc/test_cells.c tests/odbc/cells.def $(CVALUE_SOURCES) $(ODBC_TEST_SOURCES)
tests_odbc_test_cells_CPPFLAGS = $(REAL_TEST_CPPFLAGS)
tests_odbc_test_cells_LDADD = $(CMOCKA_LIBS) -ldl -lpthread
TESTS += tests/odbc/test_cells

check_PROGRAMS += tests/odbc/test_parameters
tests_odbc_test_parameters_SOURCES = tests/odbc/test_parameters.c tests/odbc/parameters.def $(CVALUE_SOURCES) $(ODBC_TEST_SOURCES)
tests_odbc_test_parameters_CPPFLAGS = $(ODBC_TEST_CPPFLAGS)
tests_odbc_test_parameters_LDADD = $(CMOCKA_LIBS) -ldl -lpthread
TESTS += tests/odbc/test_parameters

check_PROGRAMS += tests/odbc/test_metadata
tests_odbc_test_metadata_SOURCES = tests/odbc/test_metadata.c $(ODBC_TEST_SOURCES)
tests_odbc_test_metadata_CPPFLAGS = $(REAL_TEST_CPPFLAGS)
tests_odbc_test_metadata_LDADD = $(CMOCKA_LIBS) -ldl -lpthread
TESTS += tests/odbc/test_metadata

check_PROGRAMS += tests/odbc/test_manager
tests_odbc_test_manager_SOURCES = tests/odbc/test_manager.c $(ODBC_TEST_SOURCES)
tests_odbc_test_manager_CPPFLAGS = $(ODBC_TEST_CPPFLAGS) $(REAL_TEST_CPPFLAGS)
tests_odbc_test_manager_LDADD = $(CMOCKA_LIBS) -ldl -lpthread

check_PROGRAMS += tests/odbc/test_engine
tests_odbc_test_engine_SOURCES = tests/odbc/test_engine.c $(ODBC_TEST_SOURCES)
tests_odbc_test_engine_CPPFLAGS = $(REAL_TEST_CPPFLAGS)
tests_odbc_test_engine_LDADD = $(CMOCKA_LIBS) -ldl -lpthread

check_PROGRAMS += tests/odbc/test_scroll
tests_odbc_test_scroll_SOURCES = tests/odbc/test_scroll.c $(ODBC_TEST_SOURCES)
tests_odbc_test_scroll_CPPFLAGS = $(REAL_TEST_CPPFLAGS)
tests_odbc_test_scroll_LDADD = $(CMOCKA_LIBS) -ldl -lpthread

check_PROGRAMS += tests/odbc/test_catalog
tests_odbc_test_catalog_SOURCES = tests/odbc/test_catalog.c $(ODBC_TEST_SOURCES) $(SQLITE_FILE_SOURCES)
tests_odbc_test_catalog_CPPFLAGS = $(REAL_TEST_CPPFLAGS)
tests_odbc_test_catalog_LDADD = $(CMOCKA_LIBS) $(SQLITE_LIBS) -ldl

check_PROGRAMS += tests/odbc/test_params
tests_odbc_test_params_SOURCES = tests/odbc/test_params.c $(ODBC_TEST_SOURCES) $(SQLITE_FILE_SOURCES)
tests_odbc_test_params_CPPFLAGS = $(REAL_TEST_CPPFLAGS)
tests_odbc_test_params_LDADD = $(CMOCKA_LIBS) $(SQLITE_LIBS) -ldl -lpthread
check_PROGRAMS += tests/odbc/test_transactions
tests_odbc_test_transactions_SOURCES = tests/odbc/test_transactions.c $(ODBC_TEST_SOURCES)
tests_odbc_test_transactions_CPPFLAGS = $(REAL_TEST_CPPFLAGS)
tests_odbc_test_transactions_LDADD = $(CMOCKA_LIBS) -ldl -lpthread
check_PROGRAMS += tests/odbc/test_change
tests_odbc_test_change_SOURCES = tests/odbc/test_change.c $(ODBC_TEST_SOURCES) $(SQLITE_FILE_SOURCES)
tests_odbc_test_change_CPPFLAGS = $(REAL_TEST_CPPFLAGS)
tests_odbc_test_change_LDADD = $(CMOCKA_LIBS) $(SQLITE_LIBS) -ldl -lpthread
check_PROGRAMS += tests/odbc/test_bulk
tests_odbc_test_bulk_SOURCES = tests/odbc/test_bulk.c $(ODBC_TEST_SOURCES)
tests_odbc_test_bulk_CPPFLAGS = $(REAL_TEST_CPPFLAGS) $(SQLITE_CFLAGS)
tests_odbc_test_bulk_LDADD = $(CMOCKA_LIBS) $(SQLITE_LIBS) -ldl -lpthread
check_PROGRAMS += tests/odbc/test_claims
tests_odbc_test_claims_SOURCES = tests/odbc/test_claims.c $(ODBC_TEST_SOURCES) $(SQLITE_FILE_SOURCES)
tests_odbc_test_claims_CPPFLAGS = $(REAL_TEST_CPPFLAGS)
tests_odbc_test_claims_LDADD = $(CMOCKA_LIBS) $(SQLITE_LIBS) -ldl -lpthread
TESTS += tests/odbc/test_params tests/odbc/test_transactions tests/odbc/test_change tests/odbc/test_bulk tests/odbc/test_claims

check_PROGRAMS += tests/odbc/test_info
tests_odbc_test_info_SOURCES = tests/odbc/test_info.c $(ODBC_TEST_SOURCES)
tests_odbc_test_info_CPPFLAGS = $(REAL_TEST_CPPFLAGS)
tests_odbc_test_info_LDADD = $(CMOCKA_LIBS) -ldl

check_PROGRAMS += tests/odbc/test_connect
tests_odbc_test_connect_SOURCES = tests/odbc/test_connect.c $(ODBC_TEST_SOURCES)
tests_odbc_test_connect_CPPFLAGS = $(REAL_TEST_CPPFLAGS)
tests_odbc_test_connect_LDADD = $(CMOCKA_LIBS) -ldl

check_PROGRAMS += tests/odbc/test_locale
tests_odbc_test_locale_SOURCES = tests/odbc/test_locale.c tests/odbc/transcript.def $(ODBC_TEST_SOURCES) $(SQLITE_FILE_SOURCES)
tests_odbc_test_locale_CPPFLAGS = $(REAL_TEST_CPPFLAGS)
tests_odbc_test_locale_LDADD = $(CMOCKA_LIBS) $(SQLITE_LIBS) -ldl -lpthread

check_PROGRAMS += tests/odbc/test_cancel
tests_odbc_test_cancel_SOURCES = tests/odbc/test_cancel.c $(ODBC_TEST_SOURCES) $(SQLITE_FILE_SOURCES)
tests_odbc_test_cancel_CPPFLAGS = $(REAL_TEST_CPPFLAGS)
tests_odbc_test_cancel_LDADD = $(CMOCKA_LIBS) $(SQLITE_LIBS) -ldl -lpthread

check_PROGRAMS += tests/odbc/test_guest
tests_odbc_test_guest_SOURCES = tests/odbc/test_guest.c $(ODBC_TEST_SOURCES) $(SQLITE_FILE_SOURCES)
tests_odbc_test_guest_CPPFLAGS = $(REAL_TEST_CPPFLAGS)
tests_odbc_test_guest_LDADD = $(CMOCKA_LIBS) $(SQLITE_LIBS) -ldl -lpthread

check_PROGRAMS += tests/odbc/test_threads
tests_odbc_test_threads_SOURCES = tests/odbc/test_threads.c $(ODBC_TEST_SOURCES) $(SQLITE_FILE_SOURCES)
tests_odbc_test_threads_CPPFLAGS = $(REAL_TEST_CPPFLAGS)
tests_odbc_test_threads_LDADD = $(CMOCKA_LIBS) $(SQLITE_LIBS) -ldl -lpthread

check_PROGRAMS += tests/odbc/test_faults
tests_odbc_test_faults_SOURCES = tests/odbc/test_faults.c tests/odbc/odbc_test.h
tests_odbc_test_faults_CPPFLAGS = $(AM_CPPFLAGS) -DCONNECTOR_PATH='"$(abs_top_builddir)/.libs"'
tests_odbc_test_faults_LDADD = libdriver.la $(ENGINE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/odbc/bench_fetch
tests_odbc_bench_fetch_SOURCES = tests/odbc/bench_fetch.c $(ODBC_TEST_SOURCES)
tests_odbc_bench_fetch_CPPFLAGS = $(ODBC_TEST_CPPFLAGS)
tests_odbc_bench_fetch_LDADD = $(CMOCKA_LIBS) -ldl -lpthread

TESTS += tests/odbc/test_calls tests/odbc/test_states tests/odbc/test_convert tests/odbc/test_manager tests/odbc/test_engine \
	tests/odbc/test_scroll tests/odbc/test_catalog tests/odbc/test_info tests/odbc/test_connect tests/odbc/test_locale tests/odbc/test_cancel tests/odbc/test_guest tests/odbc/test_threads \
	tests/odbc/test_faults
endif

TESTS += tests/odbc/check_exports
EXTRA_DIST += tests/odbc/check_exports
