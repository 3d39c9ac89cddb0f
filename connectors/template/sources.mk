# connectors/template: the example to copy
connector_LTLIBRARIES += trib_template.la
trib_template_la_SOURCES = connectors/template/template.c
trib_template_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -export-symbols-regex '^trib_connector$$'
trib_template_la_LIBADD = libsupport.la $(BASE_LIBS)
EXTRA_DIST += connectors/template/README.md docs/new-connector.md docs/pushdown.md
