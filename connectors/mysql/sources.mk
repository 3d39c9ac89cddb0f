# connectors/mysql: MySQL and MariaDB through libmariadb
if CONNECTOR_MYSQL
connector_LTLIBRARIES += trib_mysql.la
trib_mysql_la_SOURCES = \
	connectors/mysql/bind.c connectors/mysql/bind.h \
	connectors/mysql/catalog.h \
	connectors/mysql/change.c \
	connectors/mysql/compute.c \
	connectors/mysql/connection.c connectors/mysql/connection.h \
	connectors/mysql/ddl.c \
	connectors/mysql/decode.c connectors/mysql/decode.h \
	connectors/mysql/failure.c connectors/mysql/failure.h \
	connectors/mysql/metadata.c \
	connectors/mysql/mysql.c \
	connectors/mysql/option.c connectors/mysql/option.h \
	connectors/mysql/passthrough.c \
	connectors/mysql/plan.c connectors/mysql/plan.h \
	connectors/mysql/reference.c \
	connectors/mysql/scan.c \
	connectors/mysql/send.c connectors/mysql/send.h \
	connectors/mysql/shippable.c connectors/mysql/shippable.h \
	connectors/mysql/split.c \
	connectors/mysql/transaction.c \
	connectors/mysql/types.c connectors/mysql/types.h \
	connectors/mysql/watchdog.c connectors/mysql/watchdog.h \
	connectors/mysql/write.h connectors/mysql/writer.c
trib_mysql_la_CFLAGS = $(AM_CFLAGS) $(MARIADB_CFLAGS)
trib_mysql_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -export-symbols-regex '^trib_connector$$'
trib_mysql_la_LIBADD = libsupport.la $(BASE_LIBS) $(MARIADB_LIBS)
endif

EXTRA_DIST += connectors/mysql/README.md
