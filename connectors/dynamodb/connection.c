/*
 * connection.c - requests to DynamoDB and what their answers are made of.
 *
 * An answer carries a CRC-32 of its body (x-amz-crc32); one that does not match is asked for again.
 */
#include "connectors/dynamodb/catalog.h"
#include "engine/base/number.h"

enum { ANSWER_MOST = 64 << 20 };

/* Content-Type and X-Amz-Target of each operation. */
static const HttpHeader headers[][2] = {
#define PREFIX "DynamoDB_20120810."
#define OPERATION(operation, name)                                             \
    [operation] = {{{"Content-Type", 12}, {"application/x-amz-json-1.0", 26}}, \
                   {{"X-Amz-Target", 12}, {PREFIX name, sizeof(PREFIX name) - 1}}}
    OPERATION(OP_LIST_TABLES, "ListTables"),
    OPERATION(OP_DESCRIBE_TABLE, "DescribeTable"),
    OPERATION(OP_SCAN, "Scan"),
    OPERATION(OP_QUERY, "Query"),
    OPERATION(OP_BATCH_GET, "BatchGetItem"),
};

/* CRC-32 (ISO-HDLC, reflected 0xEDB88320), four bits at a time. */
static uint32_t crc32_of(Str bytes) {
    static const uint32_t table[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC,
                                       0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
                                       0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                       0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned char)bytes.data[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

static HttpVerdict check_crc(AwsExchange *exchange) {
    Str header = http_header(&exchange->http, "x-amz-crc32");
    int64_t expected;
    if (!header.data || int64_parse(header, &expected) != NUMBER_OK) return HTTP_FINAL;
    if (crc32_of(buf_view(&exchange->http.body)) == (uint32_t)expected) return HTTP_FINAL;
    exchange->http.status = error_set(&exchange->http.err, ERR_CONNECTION_LOST,
                                      "DynamoDB: the answer's checksum is wrong");
    exchange->http.err.retryable = true;
    return HTTP_AGAIN;
}

Status request_init(AwsExchange *exchange, TribCatalog *catalog, TribCall *call,
                    Operation operation, Error *err) {
    TRY(aws_exchange_init(exchange, catalog->client, call, err));
    exchange->http.method = "POST";
    exchange->http.max_body = ANSWER_MOST;
    exchange->judge = check_crc;
    exchange->headers = headers[operation];
    exchange->nheaders = 2;
    return TRIB_OK;
}

Status request_run(TribCatalog *catalog, TribCall *call, Operation operation, Str body,
                   Arena *arena, Str *answer, Error *err) {
    AwsExchange exchange;
    TRY(request_init(&exchange, catalog, call, operation, err));
    exchange.http.body_out = body;
    Status status = http_run(catalog->client->http, call, &exchange.http, err);
    if (status == TRIB_OK && exchange.http.code != 200) status = aws_error(&exchange, err);
    if (status == TRIB_OK) {
        char *copy = str_dup(arena, buf_view(&exchange.http.body));
        *answer = (Str){copy, exchange.http.body.len};
        if (!copy) status = error_out_of_memory(err);
    }
    aws_exchange_clear(&exchange);
    return status;
}

Status answer_broken(const TribCatalog *catalog, const char *what, Error *err) {
    error_set(err, ERR_SOURCE, "DynamoDB's answer is broken: %s", what);
    return error_source(err, catalog->name);
}

Status answer_fault(const TribCatalog *catalog, Error *err) {
    char complaint[200];
    if (err->line == 0) return err->status; /* only the reader knows lines */
    text_format(complaint, sizeof complaint, "%s", err->message);
    complaint[utf8_cut(complaint, strlen(complaint), sizeof complaint - 1)] = 0;
    return answer_broken(catalog, complaint, err);
}

Status answer_parse(const TribCatalog *catalog, Arena *arena, Str answer, JsonValue **out,
                    Error *err) {
    Status status = json_parse(arena, answer, false, out, err);
    return status == TRIB_OK ? status : answer_fault(catalog, err);
}

/* ---------------------------------------------------------------- attribute values */

static Status attribute_broken(Error *err) {
    return error_set(err, ERR_SOURCE,
                     "DynamoDB's answer is broken: an attribute has no known type");
}

static Status attribute_content(JsonReader *reader, AttrType type, AttrValue *out, Error *err) {
    JsonToken token;
    TRY(json_next(reader, &token, err));
    *out = (AttrValue){type, reader->text};
    switch (type) {
    case ATTR_S:
    case ATTR_N:
    case ATTR_B: return token == JSON_STRING ? TRIB_OK : attribute_broken(err);
    case ATTR_BOOL:
        if (token != JSON_TRUE && token != JSON_FALSE) return attribute_broken(err);
        out->text = token == JSON_TRUE ? STR("true") : STR("false");
        return TRIB_OK;
    case ATTR_NULL: return json_skip(reader, token, &out->text, err);
    case ATTR_M:
        if (token != JSON_OBJECT_BEGIN) return attribute_broken(err);
        return json_skip(reader, token, &out->text, err);
    default:
        if (token != JSON_ARRAY_BEGIN) return attribute_broken(err);
        return json_skip(reader, token, &out->text, err);
    }
}

Status attribute_read(JsonReader *reader, AttrValue *out, Error *err) {
    JsonToken token;
    TRY(json_next(reader, &token, err));
    if (token != JSON_OBJECT_BEGIN) return attribute_broken(err);
    TRY(json_next(reader, &token, err));
    AttrType type = token == JSON_KEY ? attr_type_parse(reader->text) : ATTR_NONE;
    if (type == ATTR_NONE) return attribute_broken(err);
    TRY(attribute_content(reader, type, out, err));
    TRY(json_next(reader, &token, err));
    return token == JSON_OBJECT_END ? TRIB_OK : attribute_broken(err);
}
