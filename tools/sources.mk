# tools
TOOL_CHECKS = tools/check-includes tools/check-length tools/format tools/check-docs
EXTRA_DIST += $(TOOL_CHECKS) tools/check-includes.awk tools/sources-list
TESTS += $(TOOL_CHECKS)

# The pages of docs/ that are tables of the code.
check_PROGRAMS += tools/gen_docs
tools_gen_docs_SOURCES = tools/gen_docs.c
tools_gen_docs_LDADD = $(ENGINE_LIBS)
EXTRA_DIST += docs/sql.md docs/odbc.md docs/configuration.md docs/new-connector.md docs/new-function.md docs/new-operator.md docs/pushdown.md \
	docs/performance.md docs/settings.md docs/options.md docs/functions.md
# Tests find the sources, and the modules of the build tree.
AM_TESTS_ENVIRONMENT = TRIBUTARY_CONNECTORS='$(abs_top_builddir)/.libs'; export TRIBUTARY_CONNECTORS; top_srcdir='$(top_srcdir)'; top_builddir='$(top_builddir)'; export top_srcdir top_builddir;

.PHONY: docs
docs: all tools/gen_docs
	top_srcdir=$(top_srcdir) top_builddir=$(top_builddir) $(top_srcdir)/tools/check-docs --write

# The test programs, without the checks of the sources: for builds with sanitizers.
.PHONY: print-programs print-tests
print-programs:
	@echo $(filter tests/%,$(LONG_FIRST))

# All tests in an order in which no processor waits at the end for a long one that has begun last.
LONG_TESTS = tests/connectors/conformance tests/unit/test_exec_join tests/unit/test_planning tests/unit/test_exec_aggregate tests/unit/test_exec_sort \
	tests/unit/test_exec_window tests/odbc/test_guest tests/unit/test_eval_forms tests/unit/test_limits tests/unit/test_cursors tools/check-includes
LONG_FIRST = $(foreach test,$(LONG_TESTS),$(filter $(test),$(TESTS))) $(filter-out $(LONG_TESTS),$(TESTS))
print-tests:
	@echo $(LONG_FIRST)
