# tests
include tests/connectors/sources.mk
include tests/odbc/sources.mk
include tests/bench/sources.mk
include tests/clients/sources.mk
include tests/sql/sources.mk
