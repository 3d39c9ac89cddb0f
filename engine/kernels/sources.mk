# engine/kernels
ENGINE_SOURCES += \
	engine/kernels/arithmetic.c \
	engine/kernels/arithmetic.h \
	engine/kernels/compare.c \
	engine/kernels/compare.h \
	engine/kernels/decimal_kernels.c \
	engine/kernels/kernel.c \
	engine/kernels/kernel.h \
	engine/kernels/loop.h
