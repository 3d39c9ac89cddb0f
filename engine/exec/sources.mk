# engine/exec: one operator per file
ENGINE_SOURCES += \
	engine/exec/operator.h engine/exec/operators.c \
	engine/exec/op_scan.c engine/exec/op_values.c engine/exec/op_sets.c engine/exec/op_filter.c engine/exec/op_project.c \
	engine/exec/op_repeat.c engine/exec/op_sample.c engine/exec/op_ties.c engine/exec/op_unnest.c \
	engine/exec/op_shared.c engine/exec/op_recursive.c engine/exec/recursive.h engine/exec/row_buffer.c engine/exec/row_buffer.h \
	engine/exec/op_limit.c engine/exec/op_result.c engine/exec/op_write.c engine/exec/op_merge.c engine/exec/write.c engine/exec/write.h \
	engine/exec/op_verify.c \
	engine/exec/verify_sample.c engine/exec/verify_sample.h \
	engine/exec/result_buffer.c engine/exec/result_buffer.h engine/exec/scroll_buffer.c engine/exec/scroll_buffer.h \
	engine/exec/row_layout.c engine/exec/row_layout.h engine/exec/row_gather.c engine/exec/row_serial.c engine/exec/row_serial.h \
	engine/exec/row_store.c engine/exec/row_store.h engine/exec/query_space.c engine/exec/query_space.h engine/exec/hash_table.c engine/exec/hash_table.h \
	engine/exec/op_aggregate.c engine/exec/aggregate.h engine/exec/aggregate_state.c engine/exec/aggregate_merge.c \
	engine/exec/op_hash_join.c engine/exec/join.h engine/exec/join_build.c engine/exec/join_filter.c engine/exec/join_range.c engine/exec/join_probe.c engine/exec/join_tail.c \
	engine/exec/op_sort.c engine/exec/op_topn.c engine/exec/sort.h engine/exec/sort_key.c engine/exec/sort_order.c \
	engine/exec/sort_run.c engine/exec/sort_merge.c \
	engine/exec/op_window.c engine/exec/window.h engine/exec/window_rows.c engine/exec/window_frame.c \
	engine/exec/window_keep.c engine/exec/window_keep.h engine/exec/window_rank.c engine/exec/window_value.c engine/exec/window_aggregate.c engine/exec/window_tree.c

if HAVE_CMOCKA
EXEC_TESTS = \
	tests/unit/test_spill \
	tests/unit/test_exec_aggregate \
	tests/unit/test_exec_join \
	tests/unit/test_exec_window \
	tests/unit/test_exec_sort \
	tests/unit/test_row_buffer \
	tests/unit/test_exec_unnest
check_PROGRAMS += $(EXEC_TESTS)
TESTS += $(EXEC_TESTS)
tests_unit_test_row_buffer_SOURCES = tests/unit/test_row_buffer.c
tests_unit_test_row_buffer_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_spill_SOURCES = tests/unit/test_spill.c
tests_unit_test_spill_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_exec_aggregate_SOURCES = tests/unit/test_exec_aggregate.c tests/unit/exec_harness.c tests/unit/exec_harness.h
tests_unit_test_exec_aggregate_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_exec_join_SOURCES = tests/unit/test_exec_join.c tests/unit/exec_harness.c tests/unit/exec_harness.h
tests_unit_test_exec_join_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_exec_window_SOURCES = tests/unit/test_exec_window.c tests/unit/exec_harness.c tests/unit/exec_harness.h
tests_unit_test_exec_window_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_exec_sort_SOURCES = tests/unit/test_exec_sort.c tests/unit/exec_harness.c tests/unit/exec_harness.h
tests_unit_test_exec_sort_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_exec_unnest_SOURCES = tests/unit/test_exec_unnest.c tests/unit/exec_harness.c tests/unit/exec_harness.h
tests_unit_test_exec_unnest_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
endif

check_PROGRAMS += tests/bench/bench_exec
tests_bench_bench_exec_SOURCES = tests/bench/bench_exec.c
tests_bench_bench_exec_LDADD = $(ENGINE_LIBS)
