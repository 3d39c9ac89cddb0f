# engine/vector
ENGINE_SOURCES += \
	engine/vector/batch.c \
	engine/vector/buffer.c \
	engine/vector/hash.h \
	engine/vector/vector.c \
	engine/vector/vector.h \
	engine/vector/vector_compare.c \
	engine/vector/vector_hash.c \
	engine/vector/vector_move.c
