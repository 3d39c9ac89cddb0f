# connectors/support: what connectors share, linked into each of them
SUPPORT_SOURCES += connectors/support/batch_builder.c connectors/support/batch_builder.h \
	connectors/support/call.c connectors/support/call.h \
	connectors/support/options.c connectors/support/options.h \
	connectors/support/pool.c connectors/support/pool.h \
	connectors/support/sql_plan.c connectors/support/sql_render.c connectors/support/sql_render.h \
	connectors/support/sql_value.c connectors/support/sql_text.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_support
tests_unit_test_support_SOURCES = tests/unit/test_support.c
tests_unit_test_support_LDADD = libsupport.la $(BASE_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/test_support
endif
