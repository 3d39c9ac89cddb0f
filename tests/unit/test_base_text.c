/*
 * test_base_text.c - errors, arenas, slices, buffers, UTF-8, maps and bitmaps.
 */
#include <locale.h>
#include <stdio.h>

#include "tests/unit/test_base.h"

#include "engine/base/bitmap.h"
#include "engine/base/map.h"

/* ---------------------------------------------------------------- errors */

static void error_fields(void **state) {
    Error err;
    memset(&err, 0x5A, sizeof err);
    Status status = error_set_at(&err, ERR_SYNTAX, 3, 14, "unexpected %s", "FROM");
    assert_int_equal(status, TRIB_INVALID);
    assert_int_equal(err.status, TRIB_INVALID);
    assert_string_equal(err.sqlstate, "42000");
    assert_string_equal(err.message, "unexpected FROM");
    assert_int_equal(err.line, 3);
    assert_int_equal(err.column, 14);
    assert_int_equal(err.native, 0);
    assert_false(err.retryable);
    assert_string_equal(err.detail, "");
    assert_string_equal(err.hint, "");
    assert_string_equal(err.source, "");
    assert_int_equal(error_hint(&err, "write %d", 5), TRIB_INVALID);
    assert_int_equal(error_detail(&err, "d"), TRIB_INVALID);
    assert_string_equal(err.hint, "write 5");
    error_source(&err, "shop");
    error_source(&err, "other");
    assert_string_equal(err.source, "shop");
    error_set(&err, ERR_THROTTLED, "slow down");
    assert_true(err.retryable);
    assert_string_equal(err.source, "");
    assert_int_equal(err.line, 0);
    assert_string_equal(error_sqlstate(ERR_TIMEOUT), "HYT00");
    assert_int_equal(error_set(NULL, ERR_TIMEOUT, "no record"), TRIB_TIMEOUT);
}

static void error_texts_stay_utf8(void **state) {
    Error err;
    char text[3000];
    /* Every alignment of a three-byte character to the end of the message. */
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'a', shift);
        for (size_t i = shift; i + 3 <= sizeof text; i += 3) memcpy(text + i, "\xE2\x82\xAC", 3);
        text[2997] = '\0';
        error_set(&err, ERR_GENERAL, "%s", text);
        size_t length = strlen(err.message);
        assert_true(utf8_valid(err.message, length));
        assert_in_range(length, sizeof err.message - 4, sizeof err.message - 1);
        assert_memory_equal(err.message, text, length);
    }
    error_set(&err, ERR_GENERAL, "caf\xE9 \xC3");
    assert_string_equal(err.message, "caf? ?");
    error_set(&err, ERR_GENERAL, "%s", "\xF0\x9F\x98\x80 100%");
    assert_string_equal(err.message, "\xF0\x9F\x98\x80 100%");
    memset(text, 0x80, sizeof text - 1);
    text[sizeof text - 1] = '\0';
    error_set(&err, ERR_GENERAL, "%s", text);
    assert_true(utf8_valid(err.message, strlen(err.message)));
}

static void error_of_the_system(void **state) {
    Error err;
    assert_int_equal(error_errno(&err, ERR_IO, 28, "cannot write"), TRIB_IO);
    assert_string_equal(err.message, "cannot write: No space left on device");
    assert_int_equal(err.native, 28);
    error_errno(&err, ERR_IO, 99999, "x");
    assert_true(strlen(err.message) > 3);
}

/* ---------------------------------------------------------------- arenas */

static void arena_memory(void **state) {
    Arena *arena = arena_new(NULL);
    char *blocks[300];
    for (size_t i = 0; i < 300; i++) {
        blocks[i] = arena_alloc(arena, i * 7);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        for (size_t j = 0; j < i * 7; j++) assert_int_equal(blocks[i][j], 0);
        memset(blocks[i], (int)i, i * 7);
    }
    for (size_t i = 0; i < 300; i++) {
        for (size_t j = 0; j < i * 7; j++) assert_int_equal((unsigned char)blocks[i][j], i & 255);
    }
    char *large = arena_alloc(arena, 3000000);
    assert_non_null(large);
    large[2999999] = 1;
    assert_true(arena_bytes(arena) > 3000000);
    arena_reset(arena);
    assert_true(arena_bytes(arena) < 300000);
    char *again = arena_alloc(arena, 5000);
    for (size_t j = 0; j < 5000; j++) assert_int_equal(again[j], 0);
    assert_null(arena_alloc(arena, SIZE_MAX));
    assert_null(arena_alloc(arena, SIZE_MAX / 2));
    assert_null(arena_array(arena, SIZE_MAX / 8, 16));
    assert_null(arena_array(arena, (size_t)1 << 33, (size_t)1 << 33));
    assert_string_equal(arena_printf(arena, "%s-%d", "x", 7), "x-7");
    assert_string_equal(arena_strdup(arena, ""), "");
    arena_free(arena);
    arena_free(NULL);
}

static void arena_resizes(void **state) {
    Arena *arena = arena_new(NULL);
    char *a = arena_resize(arena, NULL, 0, 10);
    memcpy(a, "0123456789", 10);
    char *b = arena_resize(arena, a, 10, 100);
    assert_memory_equal(b, "0123456789", 10);
    for (int i = 10; i < 100; i++) assert_int_equal(b[i], 0);
    arena_alloc(arena, 1);
    char *c = arena_resize(arena, b, 100, 200);
    assert_ptr_not_equal(b, c);
    assert_memory_equal(c, "0123456789", 10);
    assert_ptr_equal(arena_resize(arena, c, 200, 50), c);
    char *d = arena_resize(arena, c, 200, 500000);
    assert_memory_equal(d, "0123456789", 10);
    arena_free(arena);
}

static char order[16];
static void note(void *context) {
    strncat(order, context, 1);
}

static void arena_callbacks(void **state) {
    order[0] = '\0';
    Arena *arena = arena_new(NULL), *child = arena_new(arena), *other = arena_new(arena);
    Arena *grandchild = arena_new(child);
    arena_on_reset(arena, note, "1");
    arena_on_reset(arena, note, "2");
    arena_on_reset(child, note, "c");
    arena_on_reset(grandchild, note, "g");
    arena_free(other);
    arena_reset(arena);
    assert_string_equal(order, "gc21");
    arena_reset(arena);
    assert_string_equal(order, "gc21");
    arena_on_reset(arena, note, "3");
    arena_free(arena);
    assert_string_equal(order, "gc213");
}

static void arena_deep_tree(void **state) {
    Arena *root = arena_new(NULL), *leaf = root;
    for (int i = 0; i < 200000; i++) leaf = arena_new(leaf);
    arena_free(root); /* no recursion: a stack of any size is enough */
}

/* ---------------------------------------------------------------- slices */

static void str_ordering(void **state) {
    assert_true(str_compare(STR("a"), STR("b")) < 0);
    assert_true(str_compare(STR("a"), STR("aa")) < 0);
    assert_true(str_compare(STR(""), STR("")) == 0);
    assert_true(str_compare(STR("\xFF"), STR("a")) > 0);
    assert_true(str_compare(STR("a\0b"), STR("a\0c")) < 0);
    assert_true(str_compare((Str){NULL, 0}, STR("a")) < 0);
    assert_true(str_equal((Str){NULL, 0}, STR("")));
    assert_true(str_equal_fold(STR("CataLog"), STR("cATAlOG")));
    assert_false(str_equal_fold(STR("\xC3\x84"), STR("\xC3\xA4")));
    assert_false(str_equal_fold(STR("[@"), STR("{`"))); /* 0x20 apart, but no letters */
    assert_int_equal(str_compare_fold(STR("ABC"), STR("abd")), -1);
    assert_int_equal(str_compare_fold(STR("ABC"), STR("ab")), 1);
    assert_str(str_trim(STR(" \t\r\n x y \v\f")), "x y");
    assert_str(str_trim(STR("   ")), "");
    assert_str(str_trim(STR("\xC2\xA0")), "\xC2\xA0");
}

static uint32_t distance_plain(const char *a, size_t n, const char *b, size_t m) {
    uint32_t row[64], previous;
    for (size_t j = 0; j <= m; j++) row[j] = (uint32_t)j;
    for (size_t i = 1; i <= n; i++) {
        previous = row[0];
        row[0] = (uint32_t)i;
        for (size_t j = 1; j <= m; j++) {
            uint32_t best = previous + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            previous = row[j];
            row[j] = best;
        }
    }
    return row[m];
}

static void str_distances(void **state) {
    uint64_t seed = 42;
    assert_int_equal(str_distance(STR("kitten"), STR("SITTING"), 5), 3);
    assert_int_equal(str_distance(STR("kitten"), STR("sitting"), 2), 3);
    assert_int_equal(str_distance(STR(""), STR(""), 3), 0);
    assert_int_equal(str_distance(STR(""), STR("ab"), 3), 2);
    assert_int_equal(str_distance(STR("a"), STR("abcdefgh"), 3), 4);
    for (int i = 0; i < 20000; i++) {
        char a[12], b[12];
        size_t n = test_random(&seed) % 12, m = test_random(&seed) % 12;
        for (size_t j = 0; j < n; j++) a[j] = (char)('a' + test_random(&seed) % 3);
        for (size_t j = 0; j < m; j++) b[j] = (char)('a' + test_random(&seed) % 3);
        uint32_t limit = (uint32_t)(test_random(&seed) % 13);
        uint32_t real = distance_plain(a, n, b, m);
        uint32_t have = str_distance((Str){a, n}, (Str){b, m}, limit);
        assert_int_equal(have, real <= limit ? real : limit + 1);
    }
}

/* ---------------------------------------------------------------- buffers */

static void buf_growth(Arena *arena) {
    Buf buf;
    buf_init(&buf, arena, 100000);
    assert_str(buf_view(&buf), "");
    for (int i = 0; i < 10000; i++) buf_printf(&buf, "%d,", i % 10);
    assert_false(buf.failed);
    assert_int_equal(buf.len, 20000);
    assert_int_equal(buf.data[buf.len], '\0');
    for (int i = 0; i < 20000; i++) assert_int_equal(buf.data[i], i % 2 ? ',' : '0' + i / 2 % 10);
    buf_clear(&buf);
}

static void buf_limits(Arena *arena) {
    Buf buf;
    Error err;
    buf_init(&buf, arena, 10);
    buf_text(&buf, "0123456789");
    assert_int_equal(buf_status(&buf, &err), TRIB_OK);
    buf_char(&buf, 'x');
    assert_true(buf.failed);
    assert_str(buf_view(&buf), "0123456789");
    buf_clear(&buf);
    buf_text(&buf, "0123456");
    buf_text(&buf, "89ab");
    buf_char(&buf, 'c'); /* would fit, but an earlier append failed */
    assert_str(buf_view(&buf), "0123456");
    assert_int_equal(buf_status(&buf, &err), TRIB_LIMIT);
    assert_string_equal(err.sqlstate, "54000");
    buf_clear(&buf);
    buf_init(&buf, arena, SIZE_MAX);
    buf_add(&buf, "", 0);
    assert_null(buf.data);
    buf_text(&buf, "no maximum");
    assert_str(buf_view(&buf), "no maximum");
    assert_null(buf_reserve(&buf, SIZE_MAX));
    assert_null(buf_reserve(&buf, SIZE_MAX - 5));
    assert_true(buf.failed);
    buf_clear(&buf);
}

static void buf_cases(void **state) {
    Arena *arena = arena_new(NULL);
    buf_growth(arena);
    buf_limits(arena);
    buf_growth(NULL);
    buf_limits(NULL);
    Buf buf;
    buf_init(&buf, arena, 5000);
    buf_printf(&buf, "%4000d", 1);
    assert_int_equal(buf.len, 4000);
    assert_int_equal(buf.data[3999], '1');
    buf_printf(&buf, "%2000d", 1);
    assert_true(buf.exceeded);
    arena_free(arena);
}

static void formats_ignore_the_locale(void **state) {
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    char out[32];
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!setlocale(LC_ALL, names[i])) continue;
        snprintf(out, sizeof out, "%.1f", 0.5);
        assert_string_equal(out, "0,5");
        text_format(out, sizeof out, "%.1f", 0.5);
        assert_string_equal(out, "0.5");
        snprintf(out, sizeof out, "%.1f", 0.5);
        assert_string_equal(out, "0,5"); /* the application's locale is back */
    }
    setlocale(LC_ALL, "C");
    assert_int_equal(text_format(out, 4, "%s", "abcdef"), 6);
    assert_string_equal(out, "abc");
}

/* ---------------------------------------------------------------- UTF-8 */

static void utf8_every_code_point(void **state) {
    for (uint32_t c = 0; c <= 0x110010; c++) {
        char out[4];
        size_t length = utf8_put(out, c), at = 0;
        bool scalar = c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
        assert_int_equal(length != 0, scalar);
        if (!scalar) continue;
        assert_int_equal(utf8_next(out, length, &at), c);
        assert_int_equal(at, length);
        assert_true(utf8_valid(out, length));
        if (length > 1) assert_false(utf8_valid(out, length - 1));
    }
}

static void utf8_hostile(void **state) {
    static const char *const bad[] = {"\x80",
                                      "\xBF",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xE0\x80\x80",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xED\xBF\xBF",
                                      "\xF0\x80\x80\x80",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xFE",
                                      "\xFF",
                                      "\xE2\x82",
                                      "\xF0\x9F\x98",
                                      "\xC3(",
                                      "\xE2(\xA1",
                                      "\xE2\x82(",
                                      "\xF0\x9F\x98("};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char padded[64];
        size_t at = 0, length = strlen(bad[i]);
        assert_false(utf8_valid(bad[i], length));
        assert_int_equal(utf8_next(bad[i], length, &at), -1);
        assert_int_equal(at, 1);
        /* At every distance from the eight-byte steps. */
        for (size_t before = 0; before < 20; before++) {
            memset(padded, 'x', sizeof padded);
            memcpy(padded + before, bad[i], length);
            assert_false(utf8_valid(padded, before + length));
            assert_false(utf8_valid(padded, sizeof padded));
        }
    }
    assert_true(utf8_valid("", 0));
    assert_true(utf8_valid("a\0b", 3));
}

static void utf8_positions(void **state) {
    const char *text = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z"; /* 1 + 2 + 3 + 4 + 1 bytes */
    static const size_t cuts[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
    for (size_t i = 0; i < COUNT_OF(cuts); i++) assert_int_equal(utf8_cut(text, 11, i), cuts[i]);
    static const size_t offsets[] = {0, 1, 3, 6, 10, 11, 11};
    for (size_t i = 0; i < COUNT_OF(offsets); i++)
        assert_int_equal(utf8_offset(text, 11, i), offsets[i]);
    assert_int_equal(utf8_length(text, 11), 5);
    assert_int_equal(utf8_cut("\x80\x80\x80\x80\x80\x80", 6, 5), 5);
    assert_int_equal(utf8_cut("", 0, 10), 0);
}

/* ---------------------------------------------------------------- maps */

static void map_many(void **state) {
    Arena *arena = arena_new(NULL);
    Map map;
    char key[600];
    map_init(&map, arena, false);
    assert_null(map_get(&map, STR("x")));
    for (size_t i = 0; i < 20000; i++) {
        int length = snprintf(key, sizeof key, "key %zu", i);
        assert_true(map_put(&map, (Str){key, (size_t)length}, (void *)(i + 1)));
    }
    assert_int_equal(map.count, 20000);
    for (size_t i = 0; i < 20000; i++) {
        int length = snprintf(key, sizeof key, "key %zu", i);
        assert_int_equal((size_t)map_get(&map, (Str){key, (size_t)length}), i + 1);
        assert_int_equal((size_t)map.entries[i].value, i + 1);
    }
    assert_null(map_get(&map, STR("KEY 1")));
    assert_true(map_put(&map, STR("key 7"), key));
    assert_int_equal(map.count, 20000);
    assert_ptr_equal(map_get(&map, STR("key 7")), key);
    assert_true(map_put(&map, STR(""), arena));
    assert_ptr_equal(map_get(&map, (Str){NULL, 0}), arena);
    assert_true(map_put(&map, STR("a\0b"), map.slots));
    assert_null(map_get(&map, STR("a\0c")));
    arena_free(arena);
}

static void map_folded(void **state) {
    Arena *arena = arena_new(NULL);
    Map map;
    char lower[1000], upper[1000];
    map_init(&map, arena, true);
    for (size_t length = 0; length <= 1000; length += 50) {
        memset(lower, 'q', length);
        memset(upper, 'Q', length);
        assert_true(map_put(&map, (Str){lower, length}, lower + length));
        assert_ptr_equal(map_get(&map, (Str){upper, length}), lower + length);
    }
    assert_true(map_put(&map, STR("\xC3\x84"), lower));
    assert_null(map_get(&map, STR("\xC3\xA4")));
    arena_free(arena);
}

static void hashes(void **state) {
    assert_int_equal(hash_seed(), hash_seed());
    assert_int_not_equal(hash_seed(), 0);
    /* XXH3's published result for the empty input with seed 0. */
    assert_int_equal(hash_bytes("", 0, 0), UINT64_C(0x2D06800538D394C2));
    assert_int_not_equal(hash_bytes("a", 1, 1), hash_bytes("a", 1, 2));
}

/* ---------------------------------------------------------------- bitmaps */

static void bitmaps(void **state) {
    for (size_t n = 0; n <= 200; n++) {
        uint64_t bits[5];
        memset(bits, 0xA5, sizeof bits);
        bitmap_fill(bits, n, true);
        assert_int_equal(bitmap_count(bits, n), n);
        for (size_t i = n; i < 320; i++)
            assert_int_equal(bitmap_get(bits, i), (0xA5 >> (i & 7)) & 1); /* untouched */
        bitmap_fill(bits, n, false);
        assert_int_equal(bitmap_count(bits, n), 0);
        for (size_t i = 0; i < n; i += 3) bitmap_set(bits, i);
        assert_int_equal(bitmap_count(bits, n), (n + 2) / 3);
        if (n > 0) bitmap_unset(bits, 0);
        assert_int_equal(bitmap_count(bits, n), n > 0 ? (n + 2) / 3 - 1 : 0);
    }
    assert_int_equal(bitmap_words(0), 0);
    assert_int_equal(bitmap_words(64), 1);
    assert_int_equal(bitmap_words(65), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_fields),
        cmocka_unit_test(error_texts_stay_utf8),
        cmocka_unit_test(error_of_the_system),
        cmocka_unit_test(arena_memory),
        cmocka_unit_test(arena_resizes),
        cmocka_unit_test(arena_callbacks),
        cmocka_unit_test(arena_deep_tree),
        cmocka_unit_test(str_ordering),
        cmocka_unit_test(str_distances),
        cmocka_unit_test(buf_cases),
        cmocka_unit_test(formats_ignore_the_locale),
        cmocka_unit_test(utf8_every_code_point),
        cmocka_unit_test(utf8_hostile),
        cmocka_unit_test(utf8_positions),
        cmocka_unit_test(map_many),
        cmocka_unit_test(map_folded),
        cmocka_unit_test(hashes),
        cmocka_unit_test(bitmaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
