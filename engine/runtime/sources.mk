# engine/runtime: worker pool, pipelines, executions, sessions, statements, the public API
ENGINE_SOURCES += \
	engine/runtime/pool.c engine/runtime/pool.h \
	engine/runtime/pipeline.c engine/runtime/pipeline.h \
	engine/runtime/execution.c engine/runtime/execution.h
