/*
 * fake_connector.h - what tests see of the fake connector: its counters.
 */
#ifndef TRIB_TESTS_FAKE_CONNECTOR_H
#define TRIB_TESTS_FAKE_CONNECTOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "connectors/tributary_connector.h"

typedef struct FakeCounters {
    _Atomic int32_t opened, closed, scans, open_scans, most_scans, batches, cancels, lists,
        describes, filter_keys;
    _Atomic int32_t begun, committed, undone; /* transactions */
    _Atomic uint32_t isolation;               /* of the last one */
    _Atomic bool hear;                        /* set by the test: scans that are deaf go on */
} FakeCounters;

TRIB_EXPORT FakeCounters *fake_counters(void);

#endif
