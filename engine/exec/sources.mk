# engine/exec: one operator per file
ENGINE_SOURCES += \
	engine/exec/operator.h engine/exec/operators.c \
	engine/exec/op_scan.c engine/exec/op_values.c engine/exec/op_filter.c engine/exec/op_project.c \
	engine/exec/op_limit.c engine/exec/op_result.c engine/exec/op_write.c engine/exec/op_verify.c \
	engine/exec/row_layout.c engine/exec/row_layout.h engine/exec/row_gather.c engine/exec/row_serial.c engine/exec/row_serial.h \
	engine/exec/row_store.c engine/exec/row_store.h engine/exec/hash_table.c engine/exec/hash_table.h \
	engine/exec/op_aggregate.c engine/exec/aggregate.h engine/exec/aggregate_state.c engine/exec/aggregate_merge.c \
	engine/exec/op_hash_join.c engine/exec/join.h engine/exec/join_build.c engine/exec/join_probe.c engine/exec/join_tail.c \
	engine/exec/op_sort.c engine/exec/op_topn.c engine/exec/sort.h engine/exec/sort_key.c engine/exec/sort_order.c \
	engine/exec/sort_run.c engine/exec/sort_merge.c
