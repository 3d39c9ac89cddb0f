/*
 * test_dynamodb.c - the DynamoDB connector's values and filters, and what no real server can be made to
 * do: throttling, broken and repeated answers, keys left unprocessed, credentials from metadata services.
 *
 * The peer is scripted (http_server.c): each case lists the answers it gives.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "connectors/dynamodb/filter.h"
#include "connectors/dynamodb/plan.h"
#include "connectors/support/aws_credentials.h"
#include "engine/base/os.h"
#include "tests/unit/http_server.h"

/* ---------------------------------------------------------------- values */

static void test_numbers(void **state) {
    static const char *const ascending[] = {"-9.9E125", "-12345678901234567890",
                                            "-1.5",     "-1.05",
                                            "-1E-130",  "0",
                                            "1E-130",   "0.009",
                                            "0.01",     "0.5",
                                            "1",        "1.0001",
                                            "9.99",     "10",
                                            "99",       "100",
                                            "1e3",      "12345678901234567890123456789012345678",
                                            "9.9E+125"};
    for (size_t i = 0; i < COUNT_OF(ascending); i++) {
        for (size_t k = 0; k < COUNT_OF(ascending); k++) {
            Number a, b;
            assert_true(number_parse(str_from(ascending[i]), &a));
            assert_true(number_parse(str_from(ascending[k]), &b));
            int order = number_compare(&a, &b);
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
    }
    static const char *const equal[][2] = {
        {"0", "-0.00"}, {"1.10", "1.1"}, {"100", "1E2"}, {"0.05", "5e-2"}, {"007", "7.0"}};
    for (size_t i = 0; i < COUNT_OF(equal); i++) {
        Number a, b;
        assert_true(number_parse(str_from(equal[i][0]), &a) &&
                    number_parse(str_from(equal[i][1]), &b));
        assert_int_equal(number_compare(&a, &b), 0);
    }
    static const char *const wrong[] = {
        "",   "-",       ".",   "1x",    "1e",
        "e5", "1e99999", "--1", "1.2.3", "11111111111111111111111111111111111111111"};
    Number number;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(number_parse(str_from(wrong[i]), &number));
    __int128 scaled;
    assert_true(number_parse(STR("-12.34"), &number));
    assert_true(number_scaled(&number, 2, &scaled) && scaled == -1234);
    assert_true(number_scaled(&number, 4, &scaled) && scaled == -123400);
    assert_false(number_scaled(&number, 1, &scaled)); /* nothing is rounded */
    assert_true(number_parse(STR("1e38"), &number));
    assert_false(number_scaled(&number, 0, &scaled));
}

static void test_fits(void **state) {
    static const struct {
        TribType type;
        ReadAs read;
        AttrValue value;
        Fit fit;
    } cases[] = {
        {{.id = TRIB_TYPE_BIGINT}, READ_NUMBER, {ATTR_N, STR("9223372036854775807")}, FIT_GOOD},
        {{.id = TRIB_TYPE_BIGINT}, READ_NUMBER, {ATTR_N, STR("9223372036854775808")}, FIT_WRONG},
        {{.id = TRIB_TYPE_BIGINT}, READ_NUMBER, {ATTR_N, STR("-9223372036854775808")}, FIT_GOOD},
        {{.id = TRIB_TYPE_BIGINT}, READ_NUMBER, {ATTR_N, STR("5E+2")}, FIT_GOOD},
        {{.id = TRIB_TYPE_BIGINT}, READ_NUMBER, {ATTR_N, STR("5.5")}, FIT_WRONG},
        {{.id = TRIB_TYPE_BIGINT}, READ_NUMBER, {ATTR_S, STR("5")}, FIT_WRONG},
        {{.id = TRIB_TYPE_TINYINT}, READ_NUMBER, {ATTR_N, STR("-128")}, FIT_GOOD},
        {{.id = TRIB_TYPE_TINYINT}, READ_NUMBER, {ATTR_N, STR("128")}, FIT_WRONG},
        {{.id = TRIB_TYPE_BIGINT}, READ_NUMBER, {ATTR_NULL, STR("true")}, FIT_NULL},
        {{.id = TRIB_TYPE_BIGINT}, READ_NUMBER, {ATTR_NONE, {NULL, 0}}, FIT_NULL},
        {{.id = TRIB_TYPE_DECIMAL, .precision = 4, .scale = 2},
         READ_NUMBER,
         {ATTR_N, STR("99.99")},
         FIT_GOOD},
        {{.id = TRIB_TYPE_DECIMAL, .precision = 4, .scale = 2},
         READ_NUMBER,
         {ATTR_N, STR("100")},
         FIT_WRONG},
        {{.id = TRIB_TYPE_DECIMAL, .precision = 4, .scale = 2},
         READ_NUMBER,
         {ATTR_N, STR("0.001")},
         FIT_WRONG},
        {{.id = TRIB_TYPE_DATE}, READ_TEXT, {ATTR_S, STR("2024-02-29")}, FIT_GOOD},
        {{.id = TRIB_TYPE_DATE}, READ_TEXT, {ATTR_S, STR("2024-02-30")}, FIT_WRONG},
        {{.id = TRIB_TYPE_DATE}, READ_TEXT, {ATTR_S, STR("2024-2-29")}, FIT_WRONG},
        {{.id = TRIB_TYPE_TIMESTAMP, .precision = 3},
         READ_TEXT,
         {ATTR_S, STR("2024-01-01T10:00:00.123")},
         FIT_GOOD},
        {{.id = TRIB_TYPE_TIMESTAMP, .precision = 3},
         READ_TEXT,
         {ATTR_S, STR("2024-01-01T10:00:00.1234")},
         FIT_WRONG},
        {{.id = TRIB_TYPE_VARCHAR, .length = 2},
         READ_TEXT,
         {ATTR_S, STR("\xC3\xA4\xC3\xB6")},
         FIT_GOOD},
        {{.id = TRIB_TYPE_VARCHAR, .length = 2}, READ_TEXT, {ATTR_S, STR("abc")}, FIT_WRONG},
        {{.id = TRIB_TYPE_JSON}, READ_DOCUMENT, {ATTR_M, STR("{}")}, FIT_GOOD},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ColumnInfo column = {STR("c"), cases[i].type, cases[i].read, MISMATCH_NULL};
        if (value_fit(&column, &cases[i].value) != cases[i].fit) fail_msg("case %zu", i);
    }
}

static void test_documents(void **state) {
    static const struct {
        AttrType type;
        const char *typed, *plain; /* plain NULL: refused */
    } cases[] = {
        {ATTR_M, "{}", "{}"},
        {ATTR_L, "[]", "[]"},
        {ATTR_M, "{\"a\":{\"N\":\"1.10\"},\"b\":{\"S\":\"x\\\"y\"},\"c\":{\"NULL\":true}}",
         "{\"a\":1.10,\"b\":\"x\\\"y\",\"c\":null}"},
        {ATTR_L,
         "[{\"BOOL\":true},{\"L\":[{\"M\":{\"k\":{\"SS\":[\"p\",\"q\"]}}}]},{\"NS\":[\"1\",\"2\"]}"
         "]",
         "[true,[{\"k\":[\"p\",\"q\"]}],[1,2]]"},
        {ATTR_BS, "[\"YQ==\"]", "[\"YQ==\"]"},
        {ATTR_M, "{\"a\":{\"X\":\"1\"}}", NULL},
        {ATTR_M, "{\"a\":\"1\"}", NULL},
        {ATTR_L, "[{\"N\":5}]", NULL},
        {ATTR_L, "[{\"L\":{}}]", NULL},
        {ATTR_L, "{", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Error err;
        Arena *arena = arena_new(NULL);
        AttrValue value = {cases[i].type, str_from(cases[i].typed)};
        Buf out;
        buf_init(&out, arena, 10000);
        Status status = value_json(&out, &value, arena, &err);
        if ((status == TRIB_OK) != (cases[i].plain != NULL)) fail_msg("case %zu", i);
        if (cases[i].plain) assert_string_equal(out.data, cases[i].plain);
        arena_free(arena);
    }
}

static void test_base64(void **state) {
    char bytes[64];
    size_t length;
    Buf out;
    buf_init(&out, NULL, 1000);
    for (size_t n = 0; n < 20; n++) {
        char data[20];
        for (size_t i = 0; i < n; i++) data[i] = (char)(i * 37 + n);
        out.len = 0;
        base64_encode(&out, (Str){data, n});
        assert_true(base64_decode(buf_view(&out), bytes, &length));
        assert_int_equal(length, n);
        assert_memory_equal(bytes, data, n);
    }
    assert_false(base64_decode(STR("abc"), bytes, &length));
    assert_false(base64_decode(STR("ab=c"), bytes, &length));
    assert_false(base64_decode(STR("a==="), bytes, &length));
    assert_false(base64_decode(STR("ab c"), bytes, &length));
    buf_clear(&out);
}

/* ---------------------------------------------------------------- scripted reads */

#define DESCRIBED                                                                             \
    "{\"Table\":{\"TableName\":\"tab\",\"ItemCount\":0,\"TableSizeBytes\":0,\"KeySchema\":[{" \
    "\"AttributeName\":\"k\",\"KeyType\":\"HASH\"}],\"AttributeDefinitions\":[{"              \
    "\"AttributeName\":\"k\",\"AttributeType\":\"S\"}]}}"
#define DESCRIBED_RANGED                                                                        \
    "{\"Table\":{\"TableName\":\"tab\",\"ItemCount\":0,\"TableSizeBytes\":0,\"KeySchema\":[{"   \
    "\"AttributeName\":\"k\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"n\",\"KeyType\":"       \
    "\"RANGE\"}],\"AttributeDefinitions\":[{\"AttributeName\":\"k\",\"AttributeType\":\"S\"},{" \
    "\"AttributeName\":\"n\",\"AttributeType\":\"N\"}]}}"
#define TABLES "{\"tab\":{\"k\":\"varchar\",\"n\":\"bigint\"}}"

typedef struct Source {
    HttpServer *server;
    const TribConnector *connector;
    TribCatalog *catalog;
    Arena *arena;
    TribTable table;
    TribColumn columns[4];
    int64_t limit;
    char endpoint[64];
    char warnings[1000];
    TribCall call;
    Error err;
} Source;

/* Answers are bodies: this puts the heads in front. "!503 body" has another code, "~" closes early. */
static HttpStep answer_of(Arena *arena, const char *text) {
    int code = 200;
    const char *body = text;
    bool cut = *text == '~';
    if (*text == '!') code = atoi(text + 1), body = strchr(text, ' ') + 1;
    if (cut) body++;
    size_t length = strlen(body) + (cut ? 10 : 0);
    char *bytes =
        arena_printf(arena, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n%s", code, length, body);
    return (HttpStep){.bytes = bytes, .close = cut};
}

static Status keep_table(void *context, const TribTable *table, TribError *err) {
    Source *self = context;
    self->table = *table;
    self->table.facts = arena_strdup(self->arena, table->facts);
    self->table.name = arena_strdup(self->arena, table->name);
    for (uint32_t i = 0; i < table->ncolumns && i < COUNT_OF(self->columns); i++) {
        self->columns[i] = table->columns[i];
        self->columns[i].name = arena_strdup(self->arena, table->columns[i].name);
    }
    self->table.columns = self->columns;
    return TRIB_OK;
}

static void keep_warning(TribCall *call, const char *sqlstate, const char *text) {
    Source *self = (Source *)((char *)call - offsetof(Source, call));
    strncat(self->warnings, text, sizeof self->warnings - strlen(self->warnings) - 1);
}

typedef struct SourceWay {
    const char *described, *mismatch, *connections;
    int delay_ms;      /* of each answer but the description and the first */
    unsigned together; /* all but the description wait until so many requests were there at once */
} SourceWay;

/* The first answer describes the table; the last comes again and again. */
static void source_begin_with(Source *self, SourceWay way, uint32_t nanswers,
                              const char *const *answers) {
    memset(self, 0, sizeof *self);
    self->arena = arena_new(NULL);
    self->limit = -1;
    HttpStep *steps = ARENA_ARRAY(self->arena, HttpStep, nanswers + 1);
    steps[0] = answer_of(self->arena, way.described);
    for (uint32_t i = 0; i < nanswers; i++) {
        steps[i + 1] = answer_of(self->arena, answers[i]);
        if (i) steps[i + 1].delay_ms = way.delay_ms;
        steps[i + 1].together = way.together;
    }
    self->server = http_server_start(steps, nanswers + 1);
    snprintf(self->endpoint, sizeof self->endpoint, "http://127.0.0.1:%d",
             http_server_port(self->server));
    self->connector = trib_connector();
    self->call =
        (TribCall){.size = sizeof self->call, .deadline_ns = INT64_MAX, .warn = keep_warning};
    TribOption options[] = {{.name = "endpoint", .value = self->endpoint},
                            {.name = "access_key_id", .value = "AK"},
                            {.name = "secret_access_key", .value = "secret"},
                            {.name = "on_mismatch", .value = way.mismatch},
                            {.name = "max_connections", .value = way.connections},
                            {.name = "segments", .value = "1"},
                            {.name = "tables", .value = TABLES}};
    TribNames names = {.self = self, .described = keep_table};
    assert_int_equal(
        self->connector->open(NULL, "dyn", options, COUNT_OF(options), &self->catalog, &self->err),
        TRIB_OK);
    assert_int_equal(self->connector->describe_table(self->catalog, &self->call, "default", "tab",
                                                     &names, &self->err),
                     TRIB_OK);
    assert_int_equal(self->table.ncolumns, 2);
}

static void source_begin(Source *self, const char *mismatch, uint32_t nanswers,
                         const char *const *answers) {
    SourceWay way = {DESCRIBED, mismatch, "4", 0, 0};
    source_begin_with(self, way, nanswers, answers);
}

static void source_end(Source *self) {
    self->connector->close(self->catalog);
    http_server_stop(self->server);
    arena_free(self->arena);
}

/* Opens a scan of k and n of all items, or of those with k among `keys`. */
static Status source_open(Source *self, const char *const *keys, uint32_t nkeys, TribScan **scan) {
    TribNode nodes[24] = {{.kind = TRIB_NODE_COLUMN, .ref = 0, .type = self->columns[0].type},
                          {.kind = TRIB_NODE_COLUMN, .ref = 1, .type = self->columns[1].type}};
    TribValue values[20];
    memset(values, 0, sizeof values);
    const TribTable *tables[] = {&self->table};
    uint32_t output[] = {0, 1}, conjuncts[] = {2};
    TribVerdict verdicts[1];
    nodes[2] = (TribNode){.kind = TRIB_NODE_CALL, .op = TRIB_FN_in, .first = 3, .count = nkeys + 1};
    nodes[3] = nodes[0];
    for (uint32_t i = 0; i < nkeys; i++) {
        values[i] = (TribValue){.type = {.id = TRIB_TYPE_VARCHAR}};
        values[i].as.text.data = keys[i];
        values[i].as.text.length = strlen(keys[i]);
        nodes[4 + i] = (TribNode){.kind = TRIB_NODE_LITERAL, .ref = i, .type = values[i].type};
    }
    TribOffer offer = {.size = sizeof offer,
                       .mode = TRIB_PUSHDOWN_EXACT,
                       .nnodes = 24,
                       .nodes = nodes,
                       .nvalues = 20,
                       .values = values,
                       .ntables = 1,
                       .tables = tables,
                       .noutput = 2,
                       .output = output,
                       .nconjuncts = nkeys ? 1 : 0,
                       .conjuncts = conjuncts,
                       .limit = self->limit,
                       .verdicts = verdicts};
    TribPlan *plan;
    struct ArrowSchema schema;
    const TribConnector *c = self->connector;
    TRY(c->plan(self->catalog, &self->call, &offer, &plan, &self->err));
    TribScanRequest request = {
        .size = sizeof request, .plan = plan, .batch_rows = 2048, .batch_bytes = 1 << 20};
    Status status = c->scan_open(self->catalog, &self->call, &request, scan, &schema, &self->err);
    c->plan_release(plan);
    return status;
}

/* The next rows, as "k=n ..."; `end`: there are none. */
static Status source_next(Source *self, TribScan *scan, uint32_t most, Buf *out, bool *end) {
    TribBatch batch;
    TRY(self->connector->scan_next(scan, most, &batch, &self->err));
    *end = !batch.array.release;
    if (*end) return TRIB_OK;
    const struct ArrowArray *k = batch.array.children[0], *n = batch.array.children[1];
    for (int64_t row = 0; row < batch.array.length; row++) {
        const BatchView *view = (const BatchView *)k->buffers[1] + row;
        const uint8_t *valid = n->buffers[0];
        bool null = valid && !(valid[row / 8] >> (row % 8) & 1);
        buf_printf(out, "%.*s=", view->length, view->as.inlined);
        if (null)
            buf_text(out, "NULL ");
        else
            buf_printf(out, "%lld ", (long long)((const int64_t *)n->buffers[1])[row]);
    }
    batch.array.release(&batch.array);
    return TRIB_OK;
}

static Status source_read(Source *self, const char *const *keys, uint32_t nkeys, Buf *out) {
    TribScan *scan;
    bool end = false;
    TRY(source_open(self, keys, nkeys, &scan));
    Status status = TRIB_OK;
    while (status == TRIB_OK && !end) status = source_next(self, scan, 2048, out, &end);
    self->connector->scan_release(scan);
    return status;
}

#define ITEM(k, n)        "{\"k\":{\"S\":\"" k "\"},\"n\":{\"N\":\"" n "\"}}"
#define PAGE(items, rest) "{\"Items\":[" items "],\"Count\":1,\"ScannedCount\":1" rest "}"
#define NEXT(k)           ",\"LastEvaluatedKey\":{\"k\":{\"S\":\"" k "\"}}"
#define THROTTLED                                                                              \
    "!400 "                                                                                    \
    "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException\"," \
    "\"message\":\"slow down\"}"

typedef struct ScanCase {
    const char *name;
    const char *mismatch;
    const char *answers[8];
    Status status;
    const char *sqlstate;
    const char *rows, *message, *warning; /* parts */
    unsigned requests;                    /* without the description; 0 = not checked */
} ScanCase;

static const ScanCase scan_cases[] = {
    {"pages",
     "null",
     {PAGE(ITEM("a", "1"), NEXT("a")), PAGE("", NEXT("b")), PAGE(ITEM("c", "3"), "")},
     .rows = "a=1 c=3 ",
     .requests = 3},
    {"members in another order",
     "null",
     {"{\"LastEvaluatedKey\":{\"k\":{\"S\":\"a\"}},\"New\":[{}],\"Items\":[" ITEM("a", "1") "]}",
      PAGE(ITEM("b", "2"), "")},
     .rows = "a=1 b=2 "},
    {"throttled",
     "null",
     {THROTTLED, "!503 busy", PAGE(ITEM("a", "1"), "")},
     .rows = "a=1 ",
     .requests = 3},
    {"throttled for good",
     "null",
     {THROTTLED},
     .status = TRIB_THROTTLED,
     .sqlstate = "HY000",
     .message = "ProvisionedThroughputExceededException",
     .requests = 4},
    {"429", "null", {"!429 {}", PAGE(ITEM("a", "1"), "")}, .rows = "a=1 ", .requests = 2},
    {"500 once", "null", {"!500 {}", PAGE(ITEM("a", "1"), "")}, .rows = "a=1 ", .requests = 2},
    {"cut once",
     "null",
     {"~" PAGE(ITEM("a", "1"), ""), PAGE(ITEM("a", "1"), "")},
     .rows = "a=1 ",
     .requests = 2},
    {"cut for good",
     "null",
     {"~" PAGE(ITEM("a", "1"), "")},
     .status = TRIB_LOST,
     .sqlstate = "08S01"},
    {"cut in the second page",
     "null",
     {PAGE(ITEM("a", "1"), NEXT("a")), "~" PAGE("", "")},
     .status = TRIB_LOST,
     .sqlstate = "08S01"},
    {"a repeated page",
     "null",
     {PAGE(ITEM("a", "1"), NEXT("a")), PAGE(ITEM("b", "1"), NEXT("a"))},
     .status = TRIB_IO,
     .sqlstate = "HY000",
     .message = "again and again",
     .requests = 2},
    {"not JSON",
     "null",
     {"<html>"},
     .status = TRIB_IO,
     .sqlstate = "HY000",
     .message = "answer is broken: invalid JSON"},
    {"half of an answer",
     "null",
     {"{\"Items\":[{\"k\":{\"S\":\"a\"}}"},
     .status = TRIB_IO,
     .message = "answer is broken: invalid JSON"},
    {"no items", "null", {"{}"}, .status = TRIB_IO, .message = "holds no items"},
    {"an unknown type",
     "null",
     {PAGE("{\"k\":{\"Z\":\"a\"}}", "")},
     .status = TRIB_IO,
     .message = "no known type"},
    {"refused",
     "null",
     {"!400 {\"__type\":\"x#AccessDeniedException\",\"Message\":\"not you\"}"},
     .status = TRIB_AUTH,
     .sqlstate = "28000",
     .requests = 1},
    {"table gone",
     "null",
     {"!400 {\"__type\":\"x#ResourceNotFoundException\"}"},
     .status = TRIB_NOT_FOUND,
     .sqlstate = "42S02"},
    {"odd values",
     "null",
     {PAGE(ITEM("a", "1.5") "," ITEM(
               "b", "2") ",{\"k\":{\"S\":\"c\"},\"n\":{\"S\":\"x\"}},{\"k\":{\"S\":\"d\"}}",
           "")},
     .rows = "a=NULL b=2 c=NULL d=NULL ",
     .warning = "tab.n: 2 values"},
    {"odd values refused",
     "auto",
     {PAGE(ITEM("a", "1") "," ITEM("b", "2.5"), "")},
     .status = TRIB_DATA,
     .message = "tab.n: an item holds a value of type N"},
};

static void test_scans(void **state) {
    for (size_t i = 0; i < COUNT_OF(scan_cases); i++) {
        const ScanCase *c = &scan_cases[i];
        Source source;
        Buf rows;
        uint32_t count = 0;
        const char *answers[8];
        while (count < 8 && c->answers[count]) answers[count] = c->answers[count], count++;
        source_begin(&source, c->mismatch, count, answers);
        buf_init(&rows, source.arena, 10000);
        Status status = source_read(&source, NULL, 0, &rows);
        if (status != c->status) fail_msg("%s: status %d, %s", c->name, status, source.err.message);
        if (status == TRIB_OK) assert_string_equal(rows.data, c->rows);
        if (c->sqlstate) assert_string_equal(source.err.sqlstate, c->sqlstate);
        if (status != TRIB_OK) assert_string_equal(source.err.source, "dyn");
        if (c->message && !strstr(source.err.message, c->message))
            fail_msg("%s: %s", c->name, source.err.message);
        if (c->warning && !strstr(source.warnings, c->warning))
            fail_msg("%s: %s", c->name, source.warnings);
        if (c->requests && http_server_requests(source.server) != c->requests + 1)
            fail_msg("%s: %u requests", c->name, http_server_requests(source.server) - 1);
        assert_null(strstr(source.err.message, "secret"));
        source_end(&source);
    }
}

#define GOT(items, rest) "{\"Responses\":{\"tab\":[" items "]}" rest "}"
#define LEFT(k)          ",\"UnprocessedKeys\":{\"tab\":{\"Keys\":[{\"k\":{\"S\":\"" k "\"}}]}}"

static void test_look_ups(void **state) {
    static const char *const keys[] = {"b", "a", "c", "a", ""};
    static const char *const answers[] = {GOT(ITEM("a", "1"), LEFT("c")), GOT("", LEFT("c")),
                                          GOT(ITEM("c", "3"), ",\"UnprocessedKeys\":{}")};
    Source source;
    Buf rows;
    source_begin(&source, "null", COUNT_OF(answers), answers);
    buf_init(&rows, source.arena, 1000);
    assert_int_equal(source_read(&source, keys, COUNT_OF(keys), &rows), TRIB_OK);
    assert_string_equal(rows.data, "a=1 c=3 ");
    /* Each key once, the empty one (which no item can have) not at all; then only what was left. */
    const char *first = http_server_request(source.server, 1),
               *second = http_server_request(source.server, 2);
    assert_non_null(strstr(
        first, "\"Keys\":[{\"k\":{\"S\":\"a\"}},{\"k\":{\"S\":\"b\"}},{\"k\":{\"S\":\"c\"}}]"));
    assert_non_null(
        strstr(second, "\"RequestItems\":{\"tab\":{\"Keys\":[{\"k\":{\"S\":\"c\"}}]}}"));
    source_end(&source);
    static const char *const never[] = {GOT("", LEFT("c"))};
    source_begin(&source, "null", 1, never);
    assert_int_equal(source_read(&source, keys, COUNT_OF(keys), &rows), TRIB_THROTTLED);
    assert_int_equal(http_server_requests(source.server), 1 + 9);
    source_end(&source);
}

static void test_checksum(void **state) {
    static const char body[] = PAGE(ITEM("a", "1"), "");
    Source source;
    Buf rows;
    for (int good = 0; good < 2; good++) {
        static const char *const none[] = {"{}"};
        source_begin(&source, "null", 1, none);
        http_server_stop(source.server);
        /* CRC-32 of the body, from zlib. */
        char *bytes = arena_printf(
            source.arena, "HTTP/1.1 200 OK\r\nx-amz-crc32: %u\r\nContent-Length: %zu\r\n\r\n%s",
            good ? 2679895300u : 1u, sizeof body - 1, body);
        HttpStep steps[] = {answer_of(source.arena, DESCRIBED), {.bytes = bytes}};
        source.connector->close(source.catalog);
        source.server = http_server_start(steps, 2);
        snprintf(source.endpoint, sizeof source.endpoint, "http://127.0.0.1:%d",
                 http_server_port(source.server));
        TribOption options[] = {{.name = "endpoint", .value = source.endpoint},
                                {.name = "credentials", .value = "none"},
                                {.name = "tables", .value = TABLES}};
        TribNames names = {.self = &source, .described = keep_table};
        assert_int_equal(
            source.connector->open(NULL, "dyn", options, 3, &source.catalog, &source.err), TRIB_OK);
        assert_int_equal(source.connector->describe_table(source.catalog, &source.call, "default",
                                                          "tab", &names, &source.err),
                         TRIB_OK);
        assert_null(strcasestr(http_server_request(source.server, 0), "authorization"));
        buf_init(&rows, source.arena, 1000);
        assert_int_equal(source_read(&source, NULL, 0, &rows), good ? TRIB_OK : TRIB_LOST);
        assert_int_equal(http_server_requests(source.server), good ? 2 : 4 + 1);
        source_end(&source);
    }
}

/* ---------------------------------------------------------------- requests ahead */

/* Requests but the description's. Those that are on their way get a minute to be `expected`. */
static unsigned source_requests(Source *self, unsigned expected) {
    for (int i = 0; i < 12000 && http_server_requests(self->server) - 1 < expected; i++)
        usleep(5000);
    usleep(30000); /* for one too many */
    return http_server_requests(self->server) - 1;
}

#define THREE ITEM("a", "1") "," ITEM("b", "2") "," ITEM("c", "3")

static void test_next_page(void **state) {
    static const char *const answers[] = {PAGE(THREE, NEXT("c")), PAGE(THREE, NEXT("d")),
                                          PAGE(ITEM("e", "5"), "")};
    Source source;
    TribScan *scan;
    Buf rows;
    bool end = false;
    source_begin(&source, "null", COUNT_OF(answers), answers);
    buf_init(&rows, source.arena, 1000);
    assert_int_equal(source_open(&source, NULL, 0, &scan), TRIB_OK);
    assert_int_equal(source_next(&source, scan, 1, &rows, &end), TRIB_OK);
    assert_int_equal(source_requests(&source, 1), 1); /* perhaps the reader wants one row */
    assert_int_equal(source_next(&source, scan, 1, &rows, &end), TRIB_OK);
    assert_string_equal(rows.data, "a=1 b=2 ");
    assert_int_equal(source_requests(&source, 2), 2);
    assert_non_null(strstr(http_server_request(source.server, 2),
                           "\"ExclusiveStartKey\":{\"k\":{\"S\":\"c\"}}"));
    assert_int_equal(source_next(&source, scan, 1, &rows, &end), TRIB_OK);
    assert_int_equal(source_requests(&source, 2), 2); /* one page ahead, no more */
    while (!end) assert_int_equal(source_next(&source, scan, 2048, &rows, &end), TRIB_OK);
    assert_string_equal(rows.data, "a=1 b=2 c=3 a=1 b=2 c=3 e=5 ");
    assert_int_equal(source_requests(&source, 3), 3);
    source.connector->scan_release(scan);
    source_end(&source);
}

static void test_next_page_limit(void **state) {
    static const char *const answers[] = {PAGE(THREE, NEXT("c")), PAGE(THREE, "")};
    static const struct {
        int64_t limit;
        unsigned requests;
        const char *rows;
    } cases[] = {{3, 1, "a=1 b=2 c=3 "},
                 {2, 1, "a=1 b=2 "},
                 {4, 2, "a=1 b=2 c=3 a=1 "},
                 {1000000, 2, "a=1 b=2 c=3 a=1 b=2 c=3 "}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Source source;
        TribScan *scan;
        Buf rows;
        bool end = false;
        source_begin(&source, "null", COUNT_OF(answers), answers);
        source.limit = cases[i].limit;
        buf_init(&rows, source.arena, 1000);
        assert_int_equal(source_open(&source, NULL, 0, &scan), TRIB_OK);
        for (int row = 0; row < 2; row++)
            assert_int_equal(source_next(&source, scan, 1, &rows, &end), TRIB_OK);
        /* The page of three is being read: only a limit far away lets the next be asked for. */
        unsigned now = cases[i].limit > 100000 ? 2 : 1;
        assert_int_equal(source_requests(&source, now), now);
        while (!end) assert_int_equal(source_next(&source, scan, 1, &rows, &end), TRIB_OK);
        assert_string_equal(rows.data, cases[i].rows);
        assert_int_equal(source_requests(&source, cases[i].requests), cases[i].requests);
        source.connector->scan_release(scan);
        source_end(&source);
    }
}

/* An attribute that is called like the token is taken for it, and the request dropped. */
static void test_next_page_wrong(void **state) {
    static const char *const answers[] = {
        "{\"LastEvaluatedKey\":{\"k\":{\"S\":\"b\"}},\"Items\":[" ITEM("a", "1") "," ITEM(
            "b", "2") ",{\"k\":{\"S\":\"c\"},\"LastEvaluatedKey\":{\"S\":\"x\"}}]}",
        PAGE(ITEM("wrong", "0"), ""), PAGE(ITEM("d", "4"), "")};
    Source source;
    TribScan *scan;
    Buf rows;
    bool end = false;
    source_begin(&source, "null", COUNT_OF(answers), answers);
    buf_init(&rows, source.arena, 1000);
    assert_int_equal(source_open(&source, NULL, 0, &scan), TRIB_OK);
    for (int row = 0; row < 2; row++)
        assert_int_equal(source_next(&source, scan, 1, &rows, &end), TRIB_OK);
    assert_int_equal(source_requests(&source, 2), 2);
    while (!end) assert_int_equal(source_next(&source, scan, 1, &rows, &end), TRIB_OK);
    assert_string_equal(rows.data, "a=1 b=2 c=NULL d=4 ");
    assert_int_equal(source_requests(&source, 3), 3);
    assert_non_null(strstr(http_server_request(source.server, 3),
                           "\"ExclusiveStartKey\":{\"k\":{\"S\":\"b\"}}"));
    source.connector->scan_release(scan);
    source_end(&source);
}

/* A page that was asked for and does not come keeps nobody waiting who has lost interest. */
static void test_next_page_cancelled(void **state) {
    static const char *const answers[] = {PAGE(THREE, NEXT("c")), PAGE(THREE, "")};
    for (int cancel = 0; cancel < 2; cancel++) {
        SourceWay way = {DESCRIBED, "null", "4", 60000, 0};
        Source source;
        TribScan *scan;
        Buf rows;
        bool end = false;
        source_begin_with(&source, way, COUNT_OF(answers), answers);
        buf_init(&rows, source.arena, 1000);
        assert_int_equal(source_open(&source, NULL, 0, &scan), TRIB_OK);
        for (int row = 0; row < 2; row++)
            assert_int_equal(source_next(&source, scan, 1, &rows, &end), TRIB_OK);
        assert_int_equal(source_requests(&source, 2), 2);
        int64_t begun = os_now_ns();
        if (cancel) {
            source.connector->scan_cancel(scan);
            assert_int_equal(source_next(&source, scan, 1, &rows, &end), TRIB_CANCELLED);
            assert_string_equal(source.err.sqlstate, "HY008");
        }
        source.connector->scan_release(scan);
        assert_true(os_now_ns() - begun < INT64_C(30000000000)); /* half of what the page takes */
        assert_int_equal(source_requests(&source, 2), 2);
        source_end(&source);
    }
}

/* What fails ahead fails when it is wanted: the rows before it come. */
static void test_next_page_fails(void **state) {
    static const char *const answers[] = {PAGE(THREE, NEXT("c")),
                                          "!400 {\"__type\":\"x#AccessDeniedException\"}"};
    Source source;
    TribScan *scan;
    Buf rows;
    bool end = false;
    source_begin(&source, "null", COUNT_OF(answers), answers);
    buf_init(&rows, source.arena, 1000);
    assert_int_equal(source_open(&source, NULL, 0, &scan), TRIB_OK);
    for (int row = 0; row < 2; row++)
        assert_int_equal(source_next(&source, scan, 1, &rows, &end), TRIB_OK);
    assert_int_equal(source_requests(&source, 2), 2); /* refused already */
    assert_int_equal(source_next(&source, scan, 1, &rows, &end), TRIB_OK);
    assert_string_equal(rows.data, "a=1 b=2 c=3 ");
    assert_int_equal(source_next(&source, scan, 1, &rows, &end), TRIB_AUTH);
    assert_string_equal(source.err.sqlstate, "28000");
    assert_string_equal(source.err.source, "dyn");
    assert_int_equal(source_requests(&source, 2), 2);
    source.connector->scan_release(scan);
    source_end(&source);
}

/* Queries of several keys run together: as many as there may be connections, eight at most. */
static void test_queries_ahead(void **state) {
    static const char *const keys[] = {"a", "b", "c", "d", "e", "f", "g", "h",
                                       "i", "j", "k", "l", "m", "n", "o", "p"};
    static const struct {
        const char *connections;
        unsigned together; /* requests */
    } cases[] = {{"1", 1}, {"4", 4}, {"16", 8}};
    static const char *const answers[] = {PAGE(ITEM("a", "1"), ""), PAGE(ITEM("a", "1"), "")};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        /* The delay is time for one too many. */
        SourceWay way = {DESCRIBED_RANGED, "null", cases[i].connections, 20, cases[i].together};
        Source source;
        Buf rows;
        source_begin_with(&source, way, COUNT_OF(answers), answers);
        buf_init(&rows, source.arena, 1000);
        assert_int_equal(source_read(&source, keys, COUNT_OF(keys), &rows), TRIB_OK);
        assert_int_equal(rows.len, 4 * COUNT_OF(keys));
        assert_int_equal(source_requests(&source, COUNT_OF(keys)), COUNT_OF(keys));
        assert_int_equal(http_server_together(source.server), cases[i].together);
        for (uint32_t k = 0; k < COUNT_OF(keys); k++) { /* each key once, in whatever order */
            char *wanted = arena_printf(source.arena, "\":h\":{\"S\":\"%s\"}", keys[k]);
            unsigned found = 0;
            for (unsigned r = 1; r <= COUNT_OF(keys); r++)
                found += strstr(http_server_request(source.server, r), wanted) != NULL;
            assert_int_equal(found, 1);
        }
        source_end(&source);
    }
}

/* ---------------------------------------------------------------- credentials */

#define KEYS_XML(name)                                                                           \
    "<" name "Response><" name "Result><Credentials><AccessKeyId>ASIA</AccessKeyId>"             \
    "<SecretAccessKey>temporary</SecretAccessKey><SessionToken>tok==</SessionToken><Expiration>" \
    "2099-01-01T00:00:00Z</Expiration></Credentials></" name "Result></" name "Response>"
#define KEYS_JSON                                                                      \
    "{\"AccessKeyId\":\"ASIA\",\"SecretAccessKey\":\"temporary\",\"Token\":\"tok==\"," \
    "\"Expiration\":\"2099-01-01T00:00:00Z\"}"

typedef struct KeySource {
    Arena *arena;
    HttpServer *server;
    AwsProvider *provider;
    char url[64];
    Error err;
} KeySource;

static void keys_begin(KeySource *self, AwsCredentialOptions options, const char *const *answers,
                       uint32_t count) {
    memset(self, 0, sizeof *self);
    self->arena = arena_new(NULL);
    HttpStep *steps = ARENA_ARRAY(self->arena, HttpStep, count);
    for (uint32_t i = 0; i < count; i++) steps[i] = answer_of(self->arena, answers[i]);
    self->server = http_server_start(steps, count);
    snprintf(self->url, sizeof self->url, "http://127.0.0.1:%d", http_server_port(self->server));
    options.catalog = "dyn";
    options.region = "us-east-1";
    options.sts_endpoint = self->url;
    assert_int_equal(aws_provider_new(&options, &self->provider, &self->err), TRIB_OK);
}

static void keys_end(KeySource *self) {
    aws_provider_free(self->provider);
    http_server_stop(self->server);
    arena_free(self->arena);
}

static void keys_check(KeySource *self, const char *origin) {
    AwsKeys keys;
    char text[100];
    for (int i = 0; i < 3; i++) { /* cached: asked for once */
        assert_int_equal(aws_provider_keys(self->provider, NULL, self->arena, &keys, &self->err),
                         TRIB_OK);
        assert_string_equal(keys.access_key, "ASIA");
        assert_string_equal(keys.secret_key, "temporary");
        assert_string_equal(keys.token, "tok==");
    }
    aws_provider_origin(self->provider, text, sizeof text);
    assert_string_equal(text, origin);
}

static void test_assumed_role(void **state) {
    static const char *const good[] = {KEYS_XML("AssumeRole")};
    static const char *const bad[] = {
        "!403 <ErrorResponse><Error><Code>AccessDenied</Code><Message>no &amp; "
        "never</Message></Error></ErrorResponse>"};
    AwsCredentialOptions options = {.source = AWS_FROM_AUTO,
                                    .keys = {"AK", "long-term", NULL},
                                    .role_arn = "arn:aws:iam::1:role/r+x",
                                    .external_id = "e&f"};
    KeySource source;
    AwsKeys keys;
    keys_begin(&source, options, good, 1);
    keys_check(&source, "role arn:aws:iam::1:role/r+x");
    const char *sent = http_server_request(source.server, 0);
    assert_non_null(strstr(
        sent,
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr%2Bx"));
    assert_non_null(strstr(sent, "ExternalId=e%26f"));
    assert_non_null(strstr(sent, "Credential=AK/"));
    assert_null(strstr(sent, "long-term"));
    assert_int_equal(http_server_requests(source.server), 1);
    aws_provider_expire(source.provider, "another"); /* none of ours: kept */
    keys_check(&source, "role arn:aws:iam::1:role/r+x");
    assert_int_equal(http_server_requests(source.server), 1);
    aws_provider_expire(source.provider, "ASIA");
    keys_check(&source, "role arn:aws:iam::1:role/r+x");
    assert_int_equal(http_server_requests(source.server), 2);
    keys_end(&source);
    keys_begin(&source, options, bad, 1);
    assert_int_equal(aws_provider_keys(source.provider, NULL, source.arena, &keys, &source.err),
                     TRIB_AUTH);
    assert_string_equal(source.err.sqlstate, "28000");
    assert_string_equal(source.err.detail, "no & never");
    keys_end(&source);
}

static void test_metadata(void **state) {
    static const char *const instance[] = {"the-token", "my-role\n", KEYS_JSON};
    static const char *const container[] = {KEYS_JSON};
    KeySource source;
    AwsKeys keys;
    keys_begin(&source, (AwsCredentialOptions){.source = AWS_FROM_INSTANCE}, instance, 3);
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", source.url, 1);
    keys_check(&source, "instance metadata");
    assert_true(strncmp(http_server_request(source.server, 0), "PUT /latest/api/token ", 22) == 0);
    assert_non_null(
        strstr(http_server_request(source.server, 2), "security-credentials/my-role HTTP"));
    assert_non_null(
        strstr(http_server_request(source.server, 2), "X-aws-ec2-metadata-token: the-token\r\n"));
    keys_end(&source);
    /* Without being asked, nobody speaks to the metadata address. */
    keys_begin(&source, (AwsCredentialOptions){.source = AWS_FROM_AUTO}, instance, 3);
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", source.url, 1);
    assert_int_equal(aws_provider_keys(source.provider, NULL, source.arena, &keys, &source.err),
                     TRIB_AUTH);
    assert_int_equal(http_server_requests(source.server), 0);
    keys_end(&source);
    keys_begin(&source, (AwsCredentialOptions){.source = AWS_FROM_AUTO}, container, 1);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", source.url, 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "bearer", 1);
    keys_check(&source, "container metadata");
    assert_non_null(strstr(http_server_request(source.server, 0), "Authorization: bearer\r\n"));
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/", 1);
    aws_provider_expire(source.provider, "ASIA");
    assert_int_equal(aws_provider_keys(source.provider, NULL, source.arena, &keys, &source.err),
                     TRIB_AUTH);
    unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    keys_end(&source);
}

int main(void) {
    static const char *const variables[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
                                            "AWS_PROFILE",       "AWS_SESSION_TOKEN",
                                            "AWS_REGION",        "AWS_ENDPOINT_URL"};
    for (size_t i = 0; i < COUNT_OF(variables); i++) unsetenv(variables[i]);
    setenv("HOME", "/nonexistent", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),         cmocka_unit_test(test_fits),
        cmocka_unit_test(test_documents),       cmocka_unit_test(test_base64),
        cmocka_unit_test(test_scans),           cmocka_unit_test(test_look_ups),
        cmocka_unit_test(test_next_page),       cmocka_unit_test(test_next_page_limit),
        cmocka_unit_test(test_next_page_wrong), cmocka_unit_test(test_next_page_cancelled),
        cmocka_unit_test(test_next_page_fails), cmocka_unit_test(test_queries_ahead),
        cmocka_unit_test(test_checksum),        cmocka_unit_test(test_assumed_role),
        cmocka_unit_test(test_metadata),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
