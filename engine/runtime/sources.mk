# engine/runtime: worker pool, pipelines, executions, sessions, statements, the public API
ENGINE_SOURCES += \
	engine/runtime/pool.c engine/runtime/pool.h \
	engine/runtime/pipeline.c engine/runtime/pipeline.h \
	engine/runtime/execution.c engine/runtime/execution.h engine/runtime/nested.c \
	engine/runtime/crew.c engine/runtime/crew.h engine/runtime/session.c engine/runtime/session.h \
	engine/runtime/cursors.c engine/runtime/scroll.c engine/runtime/updatable.c \
	engine/runtime/transaction.c \
	engine/runtime/statement.c engine/runtime/light.c engine/runtime/explain.c \
	engine/runtime/prepared.c engine/runtime/prepared.h engine/runtime/sets.c engine/runtime/blame.c \
	engine/runtime/commands.c engine/runtime/lists.c engine/runtime/describe.c engine/runtime/rowset.c \
	engine/runtime/metadata.c engine/runtime/registry.c

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_runtime tests/unit/test_cursors tests/unit/test_planning tests/unit/test_verify tests/unit/test_explain tests/unit/test_limits
TESTS += tests/unit/test_runtime tests/unit/test_cursors tests/unit/test_planning tests/unit/test_verify tests/unit/test_explain tests/unit/test_limits
tests_unit_test_runtime_SOURCES = tests/unit/test_runtime.c tests/unit/runtime_harness.h tests/unit/test_base.h \
	tests/unit/fake_connector.h
tests_unit_test_runtime_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_cursors_SOURCES = tests/unit/test_cursors.c tests/unit/runtime_harness.h tests/unit/test_base.h \
	tests/unit/fake_connector.h
tests_unit_test_cursors_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_cursors_DEPENDENCIES = libengine.la libbase.la tests/unit/trib_fake.la trib_memory.la
tests_unit_test_planning_SOURCES = tests/unit/test_planning.c tests/unit/runtime_harness.h tests/unit/test_base.h \
	tests/unit/fake_connector.h
tests_unit_test_planning_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_planning_DEPENDENCIES = libengine.la libbase.la trib_memory.la
tests_unit_test_limits_SOURCES = tests/unit/test_limits.c tests/unit/runtime_harness.h tests/unit/test_base.h \
	tests/unit/fake_connector.h
tests_unit_test_limits_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_limits_DEPENDENCIES = libengine.la libbase.la trib_memory.la
tests_unit_test_explain_SOURCES = tests/unit/test_explain.c tests/unit/runtime_harness.h tests/unit/test_base.h \
	tests/unit/fake_connector.h
tests_unit_test_explain_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_explain_DEPENDENCIES = libengine.la libbase.la trib_memory.la
tests_unit_test_verify_SOURCES = tests/unit/test_verify.c tests/unit/runtime_harness.h tests/unit/test_base.h \
	tests/unit/fake_connector.h
tests_unit_test_verify_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_verify_DEPENDENCIES = libengine.la libbase.la tests/unit/trib_fake.la
tests_unit_test_runtime_DEPENDENCIES = libengine.la libbase.la tests/unit/trib_fake.la trib_memory.la
endif
