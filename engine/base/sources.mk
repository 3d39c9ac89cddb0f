# engine/base
BASE_SOURCES += \
	engine/base/arena.c engine/base/arena.h \
	engine/base/bitmap.c engine/base/bitmap.h \
	engine/base/calendar.c engine/base/zone.c engine/base/calendar.h \
	engine/base/cancel.c engine/base/cancel.h \
	engine/base/decimal.c engine/base/decimal.h \
	engine/base/error.c engine/base/error.h engine/base/sqlstates.def \
	engine/base/grant.c engine/base/grant.h \
	engine/base/json.c engine/base/json_tree.c engine/base/json.h \
	engine/base/log.c engine/base/log.h \
	engine/base/map.c engine/base/map.h \
	engine/base/module.c engine/base/module.h \
	engine/base/number.c engine/base/number.h engine/base/number_powers.def \
	engine/base/os.c engine/base/os.h \
	engine/base/settings.c engine/base/settings.h engine/base/settings.def \
	engine/base/text.c engine/base/text.h \
	engine/base/physical.c engine/base/physical.h engine/base/waker.h

if HAVE_CMOCKA
BASE_TESTS = \
	tests/unit/test_base_text \
	tests/unit/test_base_number \
	tests/unit/test_base_decimal \
	tests/unit/test_base_calendar \
	tests/unit/test_base_json \
	tests/unit/test_base_settings \
	tests/unit/test_base_runtime \
	tests/unit/test_base_faults
check_PROGRAMS += $(BASE_TESTS)
TESTS += $(BASE_TESTS)
tests_unit_test_base_text_SOURCES = tests/unit/test_base_text.c tests/unit/test_base.h
tests_unit_test_base_text_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_base_number_SOURCES = tests/unit/test_base_number.c tests/unit/test_base.h tests/unit/number_cases.def
tests_unit_test_base_number_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_base_decimal_SOURCES = tests/unit/test_base_decimal.c tests/unit/test_base.h tests/unit/decimal_cases.def
tests_unit_test_base_decimal_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_base_calendar_SOURCES = tests/unit/test_base_calendar.c tests/unit/test_base.h
tests_unit_test_base_calendar_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_base_json_SOURCES = tests/unit/test_base_json.c tests/unit/test_base.h
tests_unit_test_base_json_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_base_settings_SOURCES = tests/unit/test_base_settings.c tests/unit/test_base.h
tests_unit_test_base_settings_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_base_runtime_SOURCES = tests/unit/test_base_runtime.c tests/unit/test_base.h
tests_unit_test_base_runtime_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_base_faults_SOURCES = tests/unit/test_base_faults.c tests/unit/test_base.h
tests_unit_test_base_faults_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
endif
