/*
 * query_space.h - the memory of an operator or a buffer that keeps rows: a grant of the query's budget, and
 * what its row stores have in common.
 */
#ifndef TRIB_EXEC_QUERY_SPACE_H
#define TRIB_EXEC_QUERY_SPACE_H

#include "engine/exec/operator.h"
#include "engine/exec/row_store.h"

/* Reserves `minimum` bytes; the grant is to be cleared, which does nothing after a failure. Both places must
 * live as long as the rows. what: ends the message, "for a sort". */
Status query_space_open(Query *query, const PhysNode *node, int64_t minimum, uint32_t page_first,
                        uint32_t page_max, const char *what, Grant *grant, RowSpace *out,
                        Error *err) WARN_UNUSED;

/* Fails where forced grants have gone beyond what is bearable; for those who cannot spill what they hold. what:
 * ends the message, like above. */
Status query_space_check(const Grant *grant, const char *what, Error *err) WARN_UNUSED;

#endif
