# engine/kernels
ENGINE_SOURCES += \
	engine/kernels/arithmetic.c \
	engine/kernels/arithmetic.h \
	engine/kernels/compare.c \
	engine/kernels/compare.h \
	engine/kernels/decimal_kernels.c \
	engine/kernels/kernel.c \
	engine/kernels/kernel.h \
	engine/kernels/loop.h engine/kernels/moment.h
ENGINE_SOURCES += \
	engine/kernels/cast.c \
	engine/kernels/cast.h \
	engine/kernels/cast_datetime.c \
	engine/kernels/cast_json.c \
	engine/kernels/cast_number.c \
	engine/kernels/cast_text.c
ENGINE_SOURCES += \
	engine/kernels/text.c \
	engine/kernels/text.h \
	engine/kernels/unicode_case.def
