# engine/base
BASE_SOURCES += \
	engine/base/arena.c engine/base/arena.h \
	engine/base/bitmap.c engine/base/bitmap.h \
	engine/base/calendar.c engine/base/zone.c engine/base/calendar.h \
	engine/base/cancel.c engine/base/cancel.h \
	engine/base/decimal.c engine/base/decimal.h \
	engine/base/error.c engine/base/error.h engine/base/sqlstates.def \
	engine/base/grant.c engine/base/grant.h \
	engine/base/json.c engine/base/json_tree.c engine/base/json.h \
	engine/base/log.c engine/base/log.h \
	engine/base/map.c engine/base/map.h \
	engine/base/number.c engine/base/number.h engine/base/number_powers.def \
	engine/base/os.c engine/base/os.h \
	engine/base/settings.c engine/base/settings.h engine/base/settings.def \
	engine/base/text.c engine/base/text.h \
	engine/base/physical.c engine/base/physical.h engine/base/waker.h
