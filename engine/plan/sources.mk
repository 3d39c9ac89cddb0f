# engine/plan: logical and physical plans, lowering, EXPLAIN
ENGINE_SOURCES += \
	engine/plan/logical.c engine/plan/logical.h engine/plan/estimate.c engine/plan/estimate.h \
	engine/plan/lower.c engine/plan/physical.h \
	engine/plan/print.c engine/plan/print.h engine/plan/print_json.c engine/plan/rewrite.c
