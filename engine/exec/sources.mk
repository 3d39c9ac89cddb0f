# engine/exec: one operator per file
ENGINE_SOURCES += \
	engine/exec/operator.h engine/exec/operators.c \
	engine/exec/op_scan.c engine/exec/op_values.c engine/exec/op_filter.c engine/exec/op_project.c \
	engine/exec/op_limit.c engine/exec/op_result.c engine/exec/op_write.c
