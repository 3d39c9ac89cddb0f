# engine/bind: syntax tree and catalogs to logical plan
ENGINE_SOURCES += \
	engine/bind/aggregate.c \
	engine/bind/bind.c engine/bind/bind.h engine/bind/scope.c engine/bind/scope.h engine/bind/expr.c engine/bind/json.c engine/bind/literal.c engine/bind/group.c \
	engine/bind/grouping_sets.c engine/bind/with.c engine/bind/nested.c engine/bind/lambda.c engine/bind/unnest.c \
	engine/bind/subquery.c \
	engine/bind/node.c engine/bind/query.c engine/bind/relation.c engine/bind/select.c engine/bind/select.h engine/bind/view.c engine/bind/write.c \
	engine/bind/write.h engine/bind/stored.c engine/bind/merge.c
ENGINE_SOURCES += engine/bind/ddl.c engine/bind/show.c engine/bind/hint.c engine/bind/table_function.c
ENGINE_SOURCES += engine/bind/window.c engine/bind/window_plan.c
