/*
 * fuzz_xml.c - libFuzzer harness of the XML that S3 and STS answer with, of URLs and of profile files.
 *
 * Any bytes: refused with a well-formed message, or read to the end with depths that come back to zero
 * and texts that are valid UTF-8.
 *
 *   tests/fuzz/fuzz_xml -max_len=4096 tests/fuzz/corpus/xml
 */
#include <stdio.h>
#include <stdlib.h>

#include "connectors/support/aws_profile.h"
#include "connectors/support/uri.h"
#include "connectors/support/xml.h"
#include "tests/fuzz/fuzz.h"

static void check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "fuzz_xml: %s\n", what);
    abort();
}

static void check_xml(Arena *arena, Str document) {
    XmlReader reader;
    XmlToken token = XML_OPEN;
    Error err;
    int32_t depth = 0;
    xml_init(&reader, arena, document);
    while (token != XML_END) {
        if (xml_next(&reader, &token, &err) != TRIB_OK) {
            check(err.message[0] && utf8_valid(err.message, strlen(err.message)), "no message");
            return;
        }
        if (token == XML_OPEN) depth++;
        if (token == XML_CLOSE) depth--;
        if (token == XML_TEXT)
            check(utf8_valid(reader.text.data, reader.text.len), "a text that is not UTF-8");
        check(depth >= 0 && depth <= XML_DEPTH_MOST, "a depth out of bounds");
    }
    check(depth == 0, "the end inside an element");
}

static void check_uri(Arena *arena, Str text) {
    Uri uri;
    Buf encoded, decoded;
    buf_init(&encoded, arena, 1 << 20);
    buf_init(&decoded, arena, 1 << 20);
    uri_encode(&encoded, text, false);
    uri_decode(&decoded, buf_view(&encoded));
    check(str_equal(buf_view(&decoded), text), "a text that changes when encoded and decoded");
    if (uri_split(text, &uri)) check(uri.host.len > 0, "a URL without host");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Arena *arena = arena_new(NULL);
    Str text = {(const char *)data, size}, name;
    Error err;
    check_xml(arena, text);
    if (xml_find(arena, text, "Key", &name, &err) == TRIB_OK && name.data)
        check(utf8_valid(name.data, name.len), "a text that is not UTF-8");
    check_uri(arena, text);
    AwsProfiles profiles = {text, text};
    (void)aws_profile_value(&profiles, STR("default"), "region");
    arena_free(arena);
    return 0;
}
