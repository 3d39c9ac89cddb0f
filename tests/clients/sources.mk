# tests/clients: programs that stand for applications; tests/run starts them behind the driver manager
check_PROGRAMS += tests/clients/replay
tests_clients_replay_SOURCES = tests/clients/replay.c tests/clients/replay.h tests/clients/replay_ado.c tests/clients/replay_edit.c \
	tests/clients/replay_cursor_library.c tests/clients/replay_power_query.c tests/clients/replay_tableau.c
tests_clients_replay_LDADD = -lodbc
