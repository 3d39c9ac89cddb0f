/*
 * dynamodb.c - the connector's table of callbacks.
 *
 * A catalog is one account and region (or a compatible server); its tables stand in the schema
 * "default". See README.md for which file does what.
 */
#include "connectors/dynamodb/catalog.h"

static const TribConnector connector = {
    .abi_version = TRIB_ABI_VERSION,
    .struct_size = sizeof(TribConnector),
    .type = "dynamodb",
    .summary = "Amazon DynamoDB and compatible servers, over HTTP",
    .flags = TRIB_VALID_TEXT, /* the reader of JSON refuses everything else */
    .library_reserve = 4 << 20,
    .options = dynamodb_options,
    .open = catalog_new,
    .close = catalog_free,
    .check = metadata_check,
    .list_schemas = metadata_schemas,
    .list_tables = metadata_tables,
    .describe_table = metadata_describe,
    .plan = plan_new,
    .plan_retain = plan_retain,
    .plan_release = plan_release,
    .splits = plan_splits,
    .scan_open = scan_open,
    .scan_next = scan_next,
    .scan_cancel = scan_cancel,
    .scan_stats = scan_stats,
    .scan_release = scan_release,
};

const TribConnector *trib_connector(void) {
    return &connector;
}
