# engine/functions
ENGINE_SOURCES += \
	engine/functions/aggregate.h \
	engine/functions/aggregate_count.c \
	engine/functions/aggregate_extreme.c \
	engine/functions/aggregate_statistics.c \
	engine/functions/aggregate_sum.c \
	engine/functions/arithmetic_rows.c \
	engine/functions/binary.c \
	engine/functions/calendar_steps.h \
	engine/functions/comparison.c \
	engine/functions/datetime.c \
	engine/functions/datetime_units.c \
	engine/functions/function.c \
	engine/functions/function.h \
	engine/functions/helpers.h \
	engine/functions/interval.c \
	engine/functions/math.c \
	engine/functions/rounding.c \
	engine/functions/session.c \
	engine/functions/tables.h \
	engine/functions/text.c \
	engine/functions/text_edit.c
