# engine/optimise: one rule per file, in the order of rules.def
ENGINE_SOURCES += \
	engine/optimise/optimise.c engine/optimise/optimise.h engine/optimise/rule.c engine/optimise/rule.h \
	engine/optimise/rules.def engine/optimise/fold_constants.c engine/optimise/unwrap_casts.c \
	engine/optimise/lift.c engine/optimise/lift.h engine/optimise/lift_domain.c \
	engine/optimise/lift_group.c engine/optimise/lift_join.c engine/optimise/lift_window.c \
	engine/optimise/plan_subqueries.c engine/optimise/expand_distinct.c engine/optimise/push_filters.c \
	engine/optimise/expand_setops.c \
	engine/optimise/share_ctes.c engine/optimise/hand_over.c engine/optimise/hoist_invariants.c engine/optimise/inline_ctes.c engine/optimise/filter_shared.c engine/optimise/prune_shared.c \
	engine/optimise/merge_projections.c engine/optimise/push_limits.c engine/optimise/limit_partitions.c engine/optimise/prune_columns.c \
	engine/optimise/factor_conditions.c engine/optimise/infer_conditions.c engine/optimise/join_order.c engine/optimise/join_region.c engine/optimise/join_region.h \
	engine/optimise/push_down.c
