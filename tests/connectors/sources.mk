# tests/connectors: the conformance suite
check_PROGRAMS += tests/connectors/conformance
tests_connectors_conformance_SOURCES = tests/connectors/conformance.c tests/connectors/conform.h \
	tests/connectors/conform_host.c tests/connectors/conform_rows.c tests/connectors/conform_expr.c \
	tests/connectors/conform_offer.c tests/connectors/conform_function.c \
	tests/connectors/conform_group.c tests/connectors/quirks.c
tests_connectors_conformance_LDADD = libsupport.la $(BASE_LIBS) $(SQLITE_LIBS) -ldl
TESTS += tests/connectors/conformance
EXTRA_DIST += tests/connectors/mysql_bench.c
