# engine/catalog
ENGINE_SOURCES += \
	engine/catalog/cache.c \
	engine/catalog/catalog.c \
	engine/catalog/catalog.h \
	engine/catalog/config.c \
	engine/catalog/encode.c \
	engine/catalog/information_schema.c \
	engine/catalog/information_schema.h \
	engine/catalog/internal.h \
	engine/catalog/lookup.c \
	engine/catalog/metastore.c \
	engine/catalog/options.c \
	engine/catalog/secret.c
