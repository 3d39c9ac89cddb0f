# tests
include tests/connectors/sources.mk
