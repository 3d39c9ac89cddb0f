# connectors/lake: files in local folders and S3
LAKE_CONNECTOR_SOURCES = connectors/lake/lake.c connectors/lake/lake.h \
	connectors/lake/option.c connectors/lake/column_type.c connectors/lake/column_type.h \
	connectors/lake/store.h connectors/lake/store_local.c \
	connectors/lake/store_s3.c connectors/lake/store_s3.h connectors/lake/s3_list.c \
	connectors/lake/s3_reader.c \
	connectors/lake/codec.c connectors/lake/codec.h \
	connectors/lake/format.c connectors/lake/format.h \
	connectors/lake/convert.c connectors/lake/convert.h \
	connectors/lake/csv.h connectors/lake/csv_scan.c connectors/lake/csv_scan.h \
	connectors/lake/csv_blocks.c connectors/lake/csv_read.c connectors/lake/csv_split.c \
	connectors/lake/csv_sniff.c \
	connectors/lake/json_cursor.c connectors/lake/json_cursor.h connectors/lake/json_read.c \
	connectors/lake/infer.c connectors/lake/infer.h \
	connectors/lake/table.c connectors/lake/describe.c connectors/lake/facts.c \
	connectors/lake/prune.c connectors/lake/prune.h connectors/lake/plan.c connectors/lake/plan.h \
	connectors/lake/split.c connectors/lake/scan.c
LAKE_LIBS = $(HTTP_LIBS) $(ZSTD_LIBS) $(ZLIB_LIBS)
if CONNECTOR_LAKE
connector_LTLIBRARIES += trib_lake.la
trib_lake_la_SOURCES = $(LAKE_CONNECTOR_SOURCES)
trib_lake_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -export-symbols-regex '^trib_connector$$'
trib_lake_la_LIBADD = $(LAKE_LIBS)
endif
EXTRA_DIST += connectors/lake/README.md
