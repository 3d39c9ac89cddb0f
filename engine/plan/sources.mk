# engine/plan: logical and physical plans, lowering, EXPLAIN
ENGINE_SOURCES += \
	engine/plan/logical.c engine/plan/logical.h engine/plan/estimate.c engine/plan/estimate.h \
	engine/plan/lower.c engine/plan/lower.h engine/plan/lower_inputs.c \
	engine/plan/lower_join.c engine/plan/lower_shared.c engine/plan/physical.h \
	engine/plan/print.c engine/plan/print.h engine/plan/print_json.c engine/plan/rewrite.c

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_estimate
TESTS += tests/unit/test_estimate
tests_unit_test_estimate_SOURCES = tests/unit/test_estimate.c connectors/memory/sketch.c connectors/memory/sketch.h
tests_unit_test_estimate_CPPFLAGS = $(AM_CPPFLAGS)
tests_unit_test_estimate_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
endif
