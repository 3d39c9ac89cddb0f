/* placeholder */
#include "connectors/lake/format.h"
const Format format_json = {
    .kind = FORMAT_JSON, .name = "json", .endings = {".json", ".jsonl", ".ndjson", NULL}};
