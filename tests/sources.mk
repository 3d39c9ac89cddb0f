# tests
include tests/connectors/sources.mk
include tests/odbc/sources.mk
