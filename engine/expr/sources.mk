# engine/expr
ENGINE_SOURCES += \
	engine/expr/eval.h \
	engine/expr/eval_branch.c \
	engine/expr/eval_call.c \
	engine/expr/eval_in.c \
	engine/expr/eval_lambda.c \
	engine/expr/eval_logic.c \
	engine/expr/eval_memory.c \
	engine/expr/eval_raise.c \
	engine/expr/evaluator.c \
	engine/expr/expr.c \
	engine/expr/expr.h \
	engine/expr/expr_print.c \
	engine/expr/fold.c

if HAVE_CMOCKA
EXPR_TESTS = \
	tests/unit/test_types \
	tests/unit/test_vector \
	tests/unit/test_functions \
	tests/unit/test_aggregates \
	tests/unit/test_eval \
	tests/unit/test_eval_faults \
	tests/unit/test_eval_forms
check_PROGRAMS += $(EXPR_TESTS)
TESTS += $(EXPR_TESTS)
tests_unit_test_types_SOURCES = tests/unit/test_types.c tests/unit/eval_support.h
tests_unit_test_types_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_vector_SOURCES = tests/unit/test_vector.c tests/unit/eval_support.h tests/unit/test_base.h
tests_unit_test_vector_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_functions_SOURCES = tests/unit/test_functions.c tests/unit/eval_support.h tests/unit/function_cases.def
tests_unit_test_functions_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_aggregates_SOURCES = tests/unit/test_aggregates.c tests/unit/eval_support.h tests/unit/test_base.h
tests_unit_test_aggregates_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_eval_SOURCES = tests/unit/test_eval.c tests/unit/eval_support.h tests/unit/test_base.h
tests_unit_test_eval_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_eval_forms_SOURCES = tests/unit/test_eval_forms.c tests/unit/eval_support.h tests/unit/test_base.h
tests_unit_test_eval_forms_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_eval_faults_SOURCES = tests/unit/test_eval_faults.c tests/unit/eval_support.h
tests_unit_test_eval_faults_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
endif
