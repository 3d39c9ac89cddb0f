/*
 * scroll.h - where a scrollable cursor goes: the cursor positioning rules of SQLFetchScroll and
 * SQLExtendedFetch as a function of numbers.
 */
#ifndef TRIB_DRIVER_SCROLL_H
#define TRIB_DRIVER_SCROLL_H

#include <stdbool.h>
#include <stdint.h>

#include "driver/odbc.h"

typedef enum CursorPlace { PLACE_BEFORE, PLACE_ON, PLACE_AFTER } CursorPlace;

typedef struct ScrollPosition {
    CursorPlace place;
    uint64_t start;    /* number of the rowset's first row, from 1; of PLACE_ON */
    uint64_t previous; /* size that the rowset was asked for with */
} ScrollPosition;

typedef struct ScrollRequest {
    SQLSMALLINT orientation; /* SQL_FETCH_... */
    SQLLEN offset;
    uint64_t size;     /* of the rowset that is asked for */
    uint64_t bookmark; /* of SQL_FETCH_BOOKMARK: a row's number */
    bool known;        /* are all rows known? */
    uint64_t rows;     /* then: how many */
} ScrollRequest;

typedef enum ScrollOutcome {
    SCROLL_TO,       /* *start; it may turn out to lie behind the last row if rows are not known */
    SCROLL_TO_FIRST, /* likewise, with the warning 01S06 */
    SCROLL_BEFORE,   /* before the first row */
    SCROLL_AFTER,    /* behind the last row */
    SCROLL_NEEDS_ROWS,  /* ask again when the number of rows is known */
    SCROLL_ORIENTATION, /* there is no such orientation: HY106 */
} ScrollOutcome;

ScrollOutcome scroll_target(const ScrollPosition *from, const ScrollRequest *request,
                            uint64_t *start);

#endif
