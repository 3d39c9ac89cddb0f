/*
 * regexp_re2.cc - RE2 behind the C functions of regexp_module.h.
 *
 * Compiled patterns live on the heap of C++ and are released by whoever compiled them. Their memory,
 * automata included, is bounded by RE2 (MAX_MEMORY each).
 */
#include "engine/functions/regexp_module.h"

#include <cstdio>
#include <cstring>
#include <map>
#include <new>
#include <string>

#include <re2/re2.h>

namespace {

const int64_t MAX_MEMORY = int64_t{64} << 20;
const uint32_t SPANS_ON_STACK = 16;

void *regexp_compile(const char *pattern, size_t len, char *message, size_t size) {
    try {
        RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(MAX_MEMORY);
        RE2 *regexp = new RE2(re2::StringPiece(pattern, len), options);
        if (regexp->ok()) return regexp;
        std::snprintf(message, size, "%s", regexp->error().c_str());
        delete regexp;
    } catch (const std::bad_alloc &) {
        std::snprintf(message, size, "out of memory");
    }
    return nullptr;
}

void regexp_release(void *regexp) {
    delete static_cast<RE2 *>(regexp);
}

uint32_t regexp_groups(const void *regexp) {
    return static_cast<uint32_t>(static_cast<const RE2 *>(regexp)->NumberOfCapturingGroups());
}

int64_t regexp_group_named(const void *regexp, const char *name, size_t len) {
    /* by hand: find() of the map would be exported from here */
    for (const auto &group : static_cast<const RE2 *>(regexp)->NamedCapturingGroups()) {
        if (group.first.size() == len && std::memcmp(group.first.data(), name, len) == 0)
            return group.second;
    }
    return -1;
}

int match_into(const RE2 *regexp, const char *text, size_t len, size_t from, RegexpSpan *spans,
               uint32_t nspans, re2::StringPiece *pieces) {
    if (!regexp->Match(re2::StringPiece(text, len), from, len, RE2::UNANCHORED, pieces,
                       static_cast<int>(nspans)))
        return 0;
    for (uint32_t i = 0; i < nspans; i++) {
        if (pieces[i].data() == nullptr) {
            spans[i] = RegexpSpan{-1, -1};
        } else {
            spans[i].begin = pieces[i].data() - text;
            spans[i].end = spans[i].begin + static_cast<int64_t>(pieces[i].size());
        }
    }
    return 1;
}

int regexp_match(const void *regexp, const char *text, size_t len, size_t from, RegexpSpan *spans,
                 uint32_t nspans) {
    const RE2 *re = static_cast<const RE2 *>(regexp);
    re2::StringPiece few[SPANS_ON_STACK];
    if (nspans <= SPANS_ON_STACK) return match_into(re, text, len, from, spans, nspans, few);
    re2::StringPiece *pieces = new (std::nothrow) re2::StringPiece[nspans];
    if (pieces == nullptr) return -1;
    int result = match_into(re, text, len, from, spans, nspans, pieces);
    delete[] pieces;
    return result;
}

const RegexpModule module = {REGEXP_MODULE_VERSION, regexp_compile,     regexp_release,
                             regexp_groups,         regexp_group_named, regexp_match};

}  // namespace

extern "C" __attribute__((visibility("default"))) const void *trib_module(void);

const void *trib_module(void) {
    return &module;
}
