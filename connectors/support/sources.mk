# connectors/support: what connectors share, linked into each of them
SUPPORT_SOURCES += connectors/support/batch_builder.h \
	connectors/support/call.h \
	connectors/support/options.h \
	connectors/support/pool.h \
	connectors/support/sql_text.h
