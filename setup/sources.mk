# setup: the `tributary` command, the quick start
bin_PROGRAMS += tributary
tributary_SOURCES = setup/tributary.c setup/command.h setup/command_init.c setup/command_check.c \
	setup/command_query.c setup/run.c setup/report.c setup/output.c setup/output.h
tributary_LDADD = $(ENGINE_LIBS)
EXTRA_DIST += setup/quickstart setup/odbcinst.ini.in setup/demo/shop.sql setup/demo/first.sql setup/demo/files.sql \
	setup/demo/tributary.json.in setup/demo/odbc.ini.in
