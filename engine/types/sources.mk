# engine/types
ENGINE_SOURCES += \
	engine/types/type.c \
	engine/types/type.h \
	engine/types/type_coerce.c \
	engine/types/type_parse.c \
	engine/types/value.c \
	engine/types/value.h \
	engine/types/value_print.c
