# connectors/dynamodb: Amazon DynamoDB over HTTP; built where libcurl is found
if HAVE_CURL
connector_LTLIBRARIES += trib_dynamodb.la
trib_dynamodb_la_SOURCES = connectors/dynamodb/catalog.h \
	connectors/dynamodb/connection.c \
	connectors/dynamodb/dynamodb.c \
	connectors/dynamodb/facts.c \
	connectors/dynamodb/filter.c connectors/dynamodb/filter.h \
	connectors/dynamodb/metadata.c \
	connectors/dynamodb/option.c \
	connectors/dynamodb/page.c \
	connectors/dynamodb/plan.h \
	connectors/dynamodb/pushdown.c \
	connectors/dynamodb/request.c \
	connectors/dynamodb/sample.c \
	connectors/dynamodb/scan.c connectors/dynamodb/scan.h \
	connectors/dynamodb/value.c connectors/dynamodb/value.h
trib_dynamodb_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -export-symbols-regex '^trib_connector$$'
trib_dynamodb_la_LIBADD = $(HTTP_LIBS)
endif

EXTRA_DIST += connectors/dynamodb/README.md
EXTRA_DIST += tests/dynamodb/install tests/dynamodb/with_local tests/dynamodb/recipe.test tests/dynamodb/reads.py \
	tests/dynamodb/signatures.py tests/fixtures/dynamodb.py
