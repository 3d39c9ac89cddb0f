# engine/runtime: worker pool, pipelines, executions, sessions, statements, the public API
ENGINE_SOURCES += \
	engine/runtime/pool.c engine/runtime/pool.h \
	engine/runtime/pipeline.c engine/runtime/pipeline.h \
	engine/runtime/execution.c engine/runtime/execution.h \
	engine/runtime/crew.c engine/runtime/crew.h engine/runtime/session.c engine/runtime/session.h \
	engine/runtime/statement.c engine/runtime/explain.c engine/runtime/commands.c engine/runtime/rowset.c \
	engine/runtime/metadata.c engine/runtime/registry.c
