/*
 * modify.h - UPDATE and DELETE that a source does alone.
 */
#ifndef TRIB_PUSHDOWN_MODIFY_H
#define TRIB_PUSHDOWN_MODIFY_H

#include "engine/pushdown/pushdown.h"

/* Asks the source of `write` (a node that the caller may change): sets its modify and modify_text, or its
 * modify_reason. HYC00 where neither the source nor a key can do it. */
Status pushdown_modify(const PushdownContext *context, LogicalPlan *plan, LogicalNode *write,
                       Error *err) WARN_UNUSED;

#endif
