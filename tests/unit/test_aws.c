/*
 * test_aws.c - signatures on the vectors that AWS publishes, profile files, XML, URLs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "connectors/support/aws.h"
#include "connectors/support/aws_profile.h"
#include "connectors/support/uri.h"
#include "connectors/support/xml.h"
#include "engine/base/calendar.h"

/* ---------------------------------------------------------------- signatures */

typedef struct Vector {
    const char *name;
    const char *method, *path, *query; /* NULL: GET, / and none */
    HttpHeader headers[5];
    uint32_t nheaders;
    const char *token, *body;
    uint32_t rules; /* 0: those of the service */
    const char *signed_headers, *signature;
} Vector;

#define H(name, value)                 \
    {                                  \
        {(name), sizeof(name) - 1}, {  \
            (value), sizeof(value) - 1 \
        }                              \
    }
#define UNRESERVED "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* AWS's Signature Version 4 test suite: AKIDEXAMPLE, 20150830T123600Z, us-east-1/service. */
static const Vector suite[] = {
    {"get-vanilla", .signed_headers = "host;x-amz-date",
     .signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-vanilla-empty-query-key", .query = "Param1=value1", .signed_headers = "host;x-amz-date",
     .signature = "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {"get-vanilla-query-order-key-case", .query = "Param2=value2&Param1=value1",
     .signed_headers = "host;x-amz-date",
     .signature = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-vanilla-query-order-encoded", .query = "Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
     .signed_headers = "host;x-amz-date",
     .signature = "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
    {"get-vanilla-query-unreserved", .query = UNRESERVED "=" UNRESERVED,
     .signed_headers = "host;x-amz-date",
     .signature = "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
    {"get-vanilla-utf8-query", .query = "\xE1\x88\xB4=bar", .signed_headers = "host;x-amz-date",
     .signature = "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
    {"get-vanilla-with-session-token",
     .token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
     .signed_headers = "host;x-amz-date;x-amz-security-token",
     .signature = "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
    {"get-utf8", .path = "/\xE1\x88\xB4", .signed_headers = "host;x-amz-date",
     .signature = "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"get-space-normalized", .path = "/example space/", .signed_headers = "host;x-amz-date",
     .signature = "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
    {"get-slashes-normalized", .path = "//example//", .signed_headers = "host;x-amz-date",
     .signature = "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
    {"get-slashes-unnormalized", .path = "//example//", .rules = AWS_SIGN_ENCODE_AGAIN,
     .signed_headers = "host;x-amz-date",
     .signature = "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5"},
    {"get-relative-relative-normalized", .path = "/example1/example2/../..",
     .signed_headers = "host;x-amz-date",
     .signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-header-value-trim",
     .headers = {H("My-Header1", " value1"), H("My-Header2", " \"a   b   c\"")}, .nheaders = 2,
     .signed_headers = "host;my-header1;my-header2;x-amz-date",
     .signature = "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"get-header-key-duplicate",
     .headers = {H("My-Header1", "value2"), H("My-Header1", "value2"), H("My-Header1", "value1")},
     .nheaders = 3, .signed_headers = "host;my-header1;x-amz-date",
     .signature = "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
    {"post-vanilla", .method = "POST", .signed_headers = "host;x-amz-date",
     .signature = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-x-www-form-urlencoded", .method = "POST", .body = "Param1=value1",
     .headers = {H("Content-Type", "application/x-www-form-urlencoded"), H("Content-Length", "13")},
     .nheaders = 2, .rules = AWS_SIGN_USUAL | AWS_SIGN_PAYLOAD,
     .signed_headers = "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
     .signature = "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"},
};

/* "Authorization header" examples of the S3 API reference: 20130524T000000Z, us-east-1/s3. */
static const Vector s3_examples[] = {
    {"GET object", .path = "/test.txt", .headers = {H("Range", "bytes=0-9")}, .nheaders = 1,
     .signed_headers = "host;range;x-amz-content-sha256;x-amz-date",
     .signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {"PUT object", .method = "PUT", .path = "/test%24file.text",
     .headers = {H("Date", "Fri, 24 May 2013 00:00:00 GMT"),
                 H("x-amz-storage-class", "REDUCED_REDUNDANCY")},
     .nheaders = 2, .body = "Welcome to Amazon S3.",
     .signed_headers = "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
     .signature = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {"GET bucket lifecycle", .query = "lifecycle",
     .signed_headers = "host;x-amz-content-sha256;x-amz-date",
     .signature = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"GET bucket", .query = "max-keys=2&prefix=J",
     .signed_headers = "host;x-amz-content-sha256;x-amz-date",
     .signature = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

static void check_vector(const Vector *vector, const char *host, const AwsSigning *signing) {
    Error err;
    Arena *arena = arena_new(NULL);
    char hash[AWS_HASH_TEXT + 1], expected[512];
    HttpHeader *headers;
    uint32_t count;
    assert_true(aws_sha256_hex(vector->body, vector->body ? strlen(vector->body) : 0, hash));
    AwsRequest request = {.method = str_from(vector->method ? vector->method : "GET"),
                          .host = str_from(host),
                          .path = str_from(vector->path ? vector->path : "/"),
                          .query = str_from(vector->query),
                          .headers = vector->headers,
                          .nheaders = vector->nheaders,
                          .payload_hash = str_from(hash)};
    assert_int_equal(aws_sign(arena, signing, &request, &headers, &count, NULL, &err), TRIB_OK);
    snprintf(expected, sizeof expected, "SignedHeaders=%s, Signature=%s", vector->signed_headers,
             vector->signature);
    assert_true(str_equal(headers[count - 1].name, STR("authorization")));
    if (!strstr(headers[count - 1].value.data, expected))
        fail_msg("%s: %s", vector->name, headers[count - 1].value.data);
    arena_free(arena);
}

static int64_t at(const char *stamp) {
    int64_t us;
    int32_t ns;
    int16_t zone;
    assert_true(timestamp_parse(str_from(stamp), 6, &us, &ns, &zone));
    return us;
}

static void test_suite(void **state) {
    for (size_t i = 0; i < COUNT_OF(suite); i++) {
        AwsSigning signing = {
            .keys = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", suite[i].token},
            .region = "us-east-1",
            .service = "service",
            .rules = suite[i].rules ? suite[i].rules : AWS_SIGN_USUAL,
            .now_us = at("2015-08-30 12:36:00")};
        check_vector(&suite[i], "example.amazonaws.com", &signing);
    }
}

static void test_s3_examples(void **state) {
    for (size_t i = 0; i < COUNT_OF(s3_examples); i++) {
        AwsSigning signing = {
            .keys = {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", NULL},
            .region = "us-east-1",
            .service = "s3",
            .rules = AWS_SIGN_S3,
            .now_us = at("2013-05-24 00:00:00")};
        check_vector(&s3_examples[i], "examplebucket.s3.amazonaws.com", &signing);
    }
}

/* ---------------------------------------------------------------- URLs */

static void test_uri(void **state) {
    Arena *arena = arena_new(NULL);
    Uri uri;
    Buf text;
    assert_true(uri_split(STR("https://h.example:8443/a%20b/c?x=1&y"), &uri));
    assert_true(str_equal(uri.host, STR("h.example")) && str_equal(uri.port, STR("8443")));
    assert_true(str_equal(uri.path, STR("/a%20b/c")) && str_equal(uri.query, STR("x=1&y")));
    assert_string_equal(uri_host_header(arena, &uri), "h.example:8443");
    assert_true(uri_split(STR("http://[::1]:80?q"), &uri));
    assert_true(str_equal(uri.host, STR("[::1]")) && uri.path.len == 0);
    assert_string_equal(uri_host_header(arena, &uri), "[::1]");
    static const char *const wrong[] = {
        "",           "h",           "ftp://h/",    "http:/h",
        "http://",    "http://:80",  "http://h:8x", "http://u:p@h/",
        "http://h/ ", "http://h/#f", "http://h\\x", "http://h:123456/"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) assert_false(uri_split(str_from(wrong[i]), &uri));
    buf_init(&text, arena, 1000);
    uri_encode(&text, STR("a b/\xC3\xA4+=%~"), true);
    assert_string_equal(text.data, "a%20b/%C3%A4%2B%3D%25~");
    Buf plain;
    buf_init(&plain, arena, 1000);
    uri_decode(&plain, STR("a%20b%2fc%zz+%4"));
    assert_string_equal(plain.data, "a b/c%zz+%4");
    arena_free(arena);
}

/* ---------------------------------------------------------------- profiles */

static void test_profiles(void **state) {
    static const AwsProfiles files = {
        .credentials = {"# c\n[default]\naws_access_key_id = AK\r\naws_secret_access_key=S=1\n"
                        "[ team ]\naws_access_key_id=first\naws_access_key_id=last\n",
                        116},
        .config = STR("[default]\nregion = eu-central-1\ns3 =\n  region = nested\n"
                      "[profile team]\nregion=us-west-2\n[team]\nregion=wrong\n")};
    AwsProfiles own = files;
    own.credentials.len = strlen(own.credentials.data);
#define VALUE(profile, key, expected) \
    assert_true(str_equal(aws_profile_value(&own, STR(profile), key), STR(expected)))
    VALUE("default", "aws_access_key_id", "AK");
    VALUE("default", "aws_secret_access_key", "S=1");
    VALUE("default", "region", "eu-central-1");
    VALUE("team", "aws_access_key_id", "last");
    VALUE("team", "region", "us-west-2");
#undef VALUE
    assert_null(aws_profile_value(&own, STR("team"), "aws_session_token").data);
    assert_null(aws_profile_value(&own, STR("nobody"), "region").data);
    assert_true(aws_profile_exists(&own, STR("team")));
    assert_false(aws_profile_exists(&own, STR("nobody")));
}

/* ---------------------------------------------------------------- XML */

static void test_xml(void **state) {
    static const char document[] =
        "<?xml version=\"1.0\"?>\n<!-- c --><a:List xmlns:a='urn:x' n=\"1>2\">"
        "<Key>a&amp;b&lt;&#x41;&#66;</Key><Key><![CDATA[<raw>]]> and more</Key><Empty/>"
        "<Deep><Key>inner</Key></Deep></a:List>\n";
    Error err;
    Arena *arena = arena_new(NULL);
    XmlReader reader;
    XmlToken token;
    Str text;
    xml_init(&reader, arena, str_from(document));
    assert_int_equal(xml_next(&reader, &token, &err), TRIB_OK);
    assert_int_equal(token, XML_OPEN);
    assert_true(str_equal(reader.name, STR("List")));
    assert_int_equal(xml_next(&reader, &token, &err), TRIB_OK);
    assert_int_equal(xml_text(&reader, &text, &err), TRIB_OK);
    assert_true(str_equal(text, STR("a&b<AB")));
    assert_int_equal(xml_next(&reader, &token, &err), TRIB_OK);
    assert_int_equal(xml_text(&reader, &text, &err), TRIB_OK);
    assert_true(str_equal(text, STR("<raw> and more")));
    assert_int_equal(xml_next(&reader, &token, &err), TRIB_OK);
    assert_true(token == XML_OPEN && str_equal(reader.name, STR("Empty")));
    assert_int_equal(xml_next(&reader, &token, &err), TRIB_OK);
    assert_int_equal(token, XML_CLOSE);
    assert_int_equal(xml_next(&reader, &token, &err), TRIB_OK);
    assert_int_equal(xml_skip(&reader, &err), TRIB_OK);
    assert_int_equal(xml_next(&reader, &token, &err), TRIB_OK);
    assert_int_equal(token, XML_CLOSE);
    assert_int_equal(xml_next(&reader, &token, &err), TRIB_OK);
    assert_int_equal(token, XML_END);
    assert_int_equal(xml_find(arena, str_from(document), "Key", &text, &err), TRIB_OK);
    assert_true(str_equal(text, STR("a&b<AB")));
    assert_int_equal(xml_find(arena, str_from(document), "None", &text, &err), TRIB_OK);
    assert_null(text.data);
    arena_free(arena);
}

static void test_xml_broken(void **state) {
    static const char *const broken[] = {
        "",
        "text",
        "<a>",
        "<a></b>",
        "<a",
        "<a b></a>",
        "<a b=c></a>",
        "<a b='c></a>",
        "</a>",
        "<a/><b/>",
        "<a>&nope;</a>",
        "<a>&#0;</a>",
        "<a>&#xD800;</a>",
        "<a>&#x110000;</a>",
        "<a>&#99999999999;</a>",
        "<a>&amp</a>",
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
        "<a><![CDATA[x</a>",
        "<a><!-- </a>",
        "<a>\xFF</a>",
        "<\xFF/>",
        "<a/>text",
        "< a/>",
        "<a/",
    };
    Error err;
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        Arena *arena = arena_new(NULL);
        Str text;
        if (xml_find(arena, str_from(broken[i]), "zzz", &text, &err) == TRIB_OK)
            fail_msg("accepted: %s", broken[i]);
        arena_free(arena);
    }
    Arena *arena = arena_new(NULL);
    Buf deep;
    Str text;
    buf_init(&deep, arena, 10000);
    for (int i = 0; i < XML_DEPTH_MOST; i++) buf_text(&deep, "<a>");
    for (int i = 0; i < XML_DEPTH_MOST; i++) buf_text(&deep, "</a>");
    assert_int_equal(xml_find(arena, buf_view(&deep), "z", &text, &err), TRIB_OK);
    deep.len = 0;
    for (int i = 0; i <= XML_DEPTH_MOST; i++) buf_text(&deep, "<a>");
    for (int i = 0; i <= XML_DEPTH_MOST; i++) buf_text(&deep, "</a>");
    assert_int_not_equal(xml_find(arena, buf_view(&deep), "z", &text, &err), TRIB_OK);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suite), cmocka_unit_test(test_s3_examples),
        cmocka_unit_test(test_uri),   cmocka_unit_test(test_profiles),
        cmocka_unit_test(test_xml),   cmocka_unit_test(test_xml_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
