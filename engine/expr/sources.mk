# engine/expr
ENGINE_SOURCES += \
	engine/expr/eval.h \
	engine/expr/eval_branch.c \
	engine/expr/eval_call.c \
	engine/expr/eval_in.c \
	engine/expr/eval_logic.c \
	engine/expr/eval_memory.c \
	engine/expr/eval_raise.c \
	engine/expr/evaluator.c \
	engine/expr/expr.c \
	engine/expr/expr.h \
	engine/expr/expr_print.c \
	engine/expr/fold.c

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_functions
TESTS += tests/unit/test_functions
tests_unit_test_functions_SOURCES = tests/unit/test_functions.c tests/unit/eval_support.h tests/unit/function_cases.def
tests_unit_test_functions_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
endif
