/*
 * calendar_steps.h - adding months and microseconds to any date or time, with the calendar's limits.
 */
#ifndef TRIB_FUNCTIONS_CALENDAR_STEPS_H
#define TRIB_FUNCTIONS_CALENDAR_STEPS_H

#include "engine/functions/helpers.h"
#include "engine/kernels/moment.h"

/* false: the result lies outside the years -9999..9999. Days are clamped to the month's end. */
bool moment_add_months(Moment *m, int64_t months);
bool moment_add_us(Moment *m, int64_t us);
/* The argument plus months and us, stored as the result's row (of the same type); marks the row on overflow.
 * Times of day wrap. us are added to the moment, months to the wall clock of zoned values. */
void row_add(KernelCall *call, uint32_t argument, uint32_t row, int64_t months, int64_t us);

#endif
