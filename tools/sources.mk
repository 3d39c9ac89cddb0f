# tools
TOOL_CHECKS = tools/check-includes tools/check-length tools/format
EXTRA_DIST += $(TOOL_CHECKS) tools/check-includes.awk tools/sources-list
TESTS += $(TOOL_CHECKS)
