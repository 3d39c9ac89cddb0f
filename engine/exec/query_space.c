/*
 * query_space.c - grants and row spaces of operators, with their counters for EXPLAIN ANALYZE. The session's
 * thread, while an execution opens.
 */
#include "engine/exec/query_space.h"

Status query_space_open(Query *query, const PhysNode *node, int64_t minimum, uint32_t page_first,
                        uint32_t page_max, const char *what, Grant *grant, RowSpace *out,
                        Error *err) {
    if (!grant_init(grant, query->budget, minimum, query->force_spill))
        return error_set(err, ERR_OUT_OF_MEMORY, "the memory limit leaves no room %s", what);
    grant->peak = &query->counters[node->id].memory_peak;
    *out = (RowSpace){.grant = grant,
                      .spill = query->spill,
                      .cancel = query->cancel,
                      .spilled = &query->counters[node->id].spilled_bytes,
                      .page_first = page_first,
                      .page_max = page_max};
    return TRIB_OK;
}

Status query_space_check(const Grant *grant, const char *what, Error *err) {
    if (!grant_overdrawn(grant)) return TRIB_OK;
    (void)error_set(err, ERR_OUT_OF_MEMORY, "the memory limit leaves no room %s", what);
    return error_hint(err, "Raise MemoryLimit, or make fewer or shorter values.");
}
