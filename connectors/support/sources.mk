# connectors/support: what connectors share, linked into each of them
SUPPORT_SOURCES += connectors/support/batch_builder.c connectors/support/batch_builder.h \
	connectors/support/call.c connectors/support/call.h \
	connectors/support/options.c connectors/support/options.h \
	connectors/support/pool.c connectors/support/pool.h \
	connectors/support/row_value.c connectors/support/row_value.h \
	connectors/support/sql_assign.c \
	connectors/support/sql_change.c connectors/support/sql_change.h \
	connectors/support/sql_plan.c connectors/support/sql_render.c connectors/support/sql_render.h \
	connectors/support/sql_value.c connectors/support/sql_text.h

# http over libcurl, and AWS on top of it: linked only into the connectors that speak it
SUPPORT_HTTP_SOURCES = connectors/support/aws.c connectors/support/aws.h \
	connectors/support/aws_credentials.c connectors/support/aws_credentials.h \
	connectors/support/aws_credentials_internal.h \
	connectors/support/aws_metadata.c \
	connectors/support/aws_profile.c connectors/support/aws_profile.h \
	connectors/support/aws_sign.c connectors/support/aws_sign.h \
	connectors/support/http.c connectors/support/http.h \
	connectors/support/http_attempt.c connectors/support/http_internal.h \
	connectors/support/uri.c connectors/support/uri.h \
	connectors/support/xml.c connectors/support/xml.h
if HAVE_CURL
noinst_LTLIBRARIES += libhttp.la
libhttp_la_SOURCES = $(SUPPORT_HTTP_SOURCES)
libhttp_la_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
HTTP_LIBS = libhttp.la libsupport.la $(BASE_LIBS) $(CURL_LIBS)

check_PROGRAMS += tests/fuzz/replay_xml
TESTS += tests/fuzz/replay_xml
tests_fuzz_replay_xml_SOURCES = tests/fuzz/fuzz_xml.c tests/fuzz/replay.c tests/fuzz/fuzz.h
tests_fuzz_replay_xml_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"tests/fuzz/corpus/xml"'
tests_fuzz_replay_xml_LDADD = $(HTTP_LIBS)
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_xml
tests_fuzz_fuzz_xml_SOURCES = tests/fuzz/fuzz_xml.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_xml_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_xml_LDADD = $(HTTP_LIBS)
endif
endif
EXTRA_DIST += tests/fuzz/corpus/xml

if HAVE_CMOCKA
if HAVE_CURL
check_PROGRAMS += tests/unit/test_aws tests/unit/test_http
tests_unit_test_aws_SOURCES = tests/unit/test_aws.c
tests_unit_test_aws_LDADD = $(HTTP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_http_SOURCES = tests/unit/test_http.c tests/unit/http_server.c tests/unit/http_server.h
tests_unit_test_http_LDADD = $(HTTP_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/test_aws tests/unit/test_http
endif
check_PROGRAMS += tests/unit/test_support
tests_unit_test_support_SOURCES = tests/unit/test_support.c
tests_unit_test_support_LDADD = libsupport.la $(BASE_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/test_support
endif
