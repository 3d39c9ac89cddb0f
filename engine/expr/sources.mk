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
