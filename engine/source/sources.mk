# engine/source
ENGINE_SOURCES += \
	engine/source/arrow_convert.c \
	engine/source/arrow_export.c \
	engine/source/arrow_import.c \
	engine/source/call.c \
	engine/source/connector.c \
	engine/source/host.c \
	engine/source/internal.h \
	engine/source/permit.c \
	engine/source/source.c \
	engine/source/source.h \
	engine/source/stream.c \
	engine/source/stream_io.c
