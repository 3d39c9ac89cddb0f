# driver: the ODBC face
DRIVER_SOURCES += \
	driver/odbc.h driver/api_functions.def driver/api_text_twins.def driver/api_text.c driver/api_plain.c \
	driver/call.c driver/call.h driver/handle.c driver/handle.h \
	driver/diag.c driver/diag.h driver/diag_get.c driver/diag_get.h driver/sqlstates.def \
	driver/env.c driver/env.h driver/dbc.c driver/dbc.h driver/connect.c \
	driver/keyword.c driver/keyword.h driver/keywords.def \
	driver/stmt.c driver/stmt.h driver/execute.c driver/params.c driver/fetch.c driver/held.c driver/held.h \
	driver/getdata.c driver/describe.c driver/desc.c driver/desc_fields.c driver/desc.h \
	driver/catalog.c driver/typeinfo.c driver/listing.c driver/listing.h driver/info_table.c \
	driver/sqltype.c driver/sqltype.h driver/text.c driver/text.h \
	driver/convert.h driver/convert_table.c driver/convert_cell.c driver/convert_text.c \
	driver/convert_write.c driver/convert_bulk.c driver/convert_param.c

EXTRA_DIST += driver/exports.map

# The driver's code without the engine, for the library and for tests that bring an engine of their own.
noinst_LTLIBRARIES += libdriver.la
libdriver_la_SOURCES = $(DRIVER_SOURCES)

driver_LTLIBRARIES += libtributary.la
libtributary_la_SOURCES =
EXTRA_libtributary_la_DEPENDENCIES = driver/exports.map
libtributary_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -Wl,-Bsymbolic \
	-Wl,--version-script=$(top_srcdir)/driver/exports.map
libtributary_la_LIBADD = libdriver.la $(ENGINE_LIBS)
