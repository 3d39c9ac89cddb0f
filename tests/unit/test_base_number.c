/*
 * test_base_number.c - integers and floating-point numbers to and from text.
 */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>

#include "tests/unit/test_base.h"

#include "engine/base/number.h"

static void integers(void **state) {
    static const struct {
        const char *text;
        NumberResult result;
        int64_t value;
    } cases[] = {
        {"0", NUMBER_OK, 0},
        {"-0", NUMBER_OK, 0},
        {"+7", NUMBER_OK, 7},
        {"000000000000000000000000000012", NUMBER_OK, 12},
        {"9223372036854775807", NUMBER_OK, INT64_MAX},
        {"-9223372036854775808", NUMBER_OK, INT64_MIN},
        {"9223372036854775808", NUMBER_RANGE, 0},
        {"-9223372036854775809", NUMBER_RANGE, 0},
        {"99999999999999999999999999999999999999", NUMBER_RANGE, 0},
        {"99999999999999999999999999999999999999x", NUMBER_SYNTAX, 0},
        {"", NUMBER_SYNTAX, 0},
        {"-", NUMBER_SYNTAX, 0},
        {"+", NUMBER_SYNTAX, 0},
        {"--1", NUMBER_SYNTAX, 0},
        {" 1", NUMBER_SYNTAX, 0},
        {"1 ", NUMBER_SYNTAX, 0},
        {"1.0", NUMBER_SYNTAX, 0},
        {"0x10", NUMBER_SYNTAX, 0},
        {"1e3", NUMBER_SYNTAX, 0},
        {"\xD9\xA1", NUMBER_SYNTAX, 0}, /* an Arabic digit */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t value = 12345;
        assert_int_equal(int64_parse(str_from(cases[i].text), &value), cases[i].result);
        assert_int_equal(value, cases[i].result == NUMBER_OK ? cases[i].value : 12345);
    }
    assert_int_equal(int64_parse(STR("1\0"), &(int64_t){0}), NUMBER_SYNTAX);
    uint64_t seed = 9;
    for (int i = 0; i < 100000; i++) {
        char have[NUMBER_TEXT_MAX], want[NUMBER_TEXT_MAX];
        int64_t value = (int64_t)test_random(&seed) >> (test_random(&seed) % 64), back = 0;
        size_t length = int64_format(value, have);
        snprintf(want, sizeof want, "%lld", (long long)value);
        assert_string_equal(have, want);
        assert_int_equal(length, strlen(want));
        assert_int_equal(int64_parse(str_from(have), &back), NUMBER_OK);
        assert_int_equal(back, value);
    }
    char text[NUMBER_TEXT_MAX];
    int64_format(INT64_MIN, text);
    assert_string_equal(text, "-9223372036854775808");
}

/* ---------------------------------------------------------------- the table of powers */

#define WORDS 64
typedef struct Big {
    uint32_t word[WORDS]; /* little end first */
} Big;

static void big_top(const Big *big, uint64_t *high, uint64_t *low) {
    int top = WORDS - 1;
    while (big->word[top] == 0) top--;
    int shift = __builtin_clz(big->word[top]);
    uint32_t out[4];
    for (int i = 0; i < 4; i++) {
        uint64_t pair = top - i >= 0 ? (uint64_t)big->word[top - i] << 32 : 0;
        if (top - i - 1 >= 0) pair |= big->word[top - i - 1];
        out[i] = (uint32_t)(pair << shift >> 32);
    }
    *high = (uint64_t)out[0] << 32 | out[1];
    *low = (uint64_t)out[2] << 32 | out[3];
}

static void powers_of_ten(void **state) {
    static const struct {
        uint64_t high, low;
    } table[] = {
#define POWER(high, low) {high, low},
#include "engine/base/number_powers.def"
#undef POWER
    };
    assert_int_equal(COUNT_OF(table), 292 + 324 + 1);
    Big up = {{1}}, down = {{0}};
    down.word[WORDS - 1] = 0x80000000; /* 2^2047, divided by ten again and again */
    for (int k = 0; k <= 324; k++) {
        uint64_t high, low;
        big_top(&up, &high, &low);
        low++;
        assert_int_equal(table[292 + k].high, high + (low == 0));
        assert_int_equal(table[292 + k].low, low);
        if (k <= 292 && k > 0) {
            big_top(&down, &high, &low);
            low++;
            assert_int_equal(table[292 - k].high, high + (low == 0));
            assert_int_equal(table[292 - k].low, low);
        }
        uint64_t carry = 0, rest = 0;
        for (int i = 0; i < WORDS; i++) {
            carry += (uint64_t)up.word[i] * 10;
            up.word[i] = (uint32_t)carry;
            carry >>= 32;
        }
        for (int i = WORDS - 1; i >= 0; i--) {
            rest = rest << 32 | down.word[i];
            down.word[i] = (uint32_t)(rest / 10);
            rest %= 10;
        }
    }
}

/* ---------------------------------------------------------------- doubles */

static void doubles_written(void **state) {
    static const struct {
        double value;
        const char *text;
    } cases[] = {
#define DOUBLE(value, text) {value, text},
#include "tests/unit/number_cases.def"
#undef DOUBLE
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1e7, "1.0E7"},
        {9999999.0, "9999999.0"},
        {9999999.999999998, "9999999.999999998"},
        {1e10, "1.0E10"},
        {0.001, "0.001"},
        {0.0009999999999999998, "9.999999999999998E-4"},
        {1e-4, "1.0E-4"},
        {100, "100.0"},
        {1e23, "1.0E23"},
        {2e-323, "2.0E-323"},
        {4.9e-324, "4.9E-324"},
        {DBL_MAX, "1.7976931348623157E308"},
        {DBL_MIN, "2.2250738585072014E-308"},
        {9007199254740993.0, "9.007199254740992E15"},
        {NAN, "NaN"},
        {-INFINITY, "-Infinity"},
        {INFINITY, "Infinity"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[NUMBER_TEXT_MAX];
        size_t length = double_format(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(length, strlen(text));
    }
}

/* Every printed value reads back; no text with fewer digits would (checked with printf's
 * rounding). */
static void doubles_round_trip(void **state) {
    uint64_t seed = 77;
    for (int i = 0; i < 400000; i++) {
        char text[NUMBER_TEXT_MAX], shorter[64];
        double value, back;
        uint64_t bits = test_random(&seed);
        if (i % 4 == 0) bits &= UINT64_C(0x800FFFFFFFFFFFFF) >> (test_random(&seed) % 50);
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        size_t length = double_format(value, text);
        assert_in_range(length, 3, NUMBER_TEXT_MAX - 1);
        assert_int_equal(double_parse((Str){text, length}, &back), NUMBER_OK);
        assert_memory_equal(&back, &value, sizeof value);
        int digits = 0;
        for (char *c = text; *c && *c != 'E'; c++) digits += *c >= '0' && *c <= '9';
        if (digits < 3) continue;
        char *point = strstr(text, "0.");
        if (point == text || (point == text + 1 && text[0] == '-')) continue; /* leading zeros */
        snprintf(shorter, sizeof shorter, "%.*e", digits - 2, value);
        if (strstr(text, ".0E") || (length > 2 && strcmp(text + length - 2, ".0") == 0)) continue;
        assert_int_equal(double_parse(str_from(shorter), &back), NUMBER_OK);
        assert_true(back != value);
    }
}

static void floats_round_trip(void **state) {
    static const struct {
        float value;
        const char *text;
    } cases[] = {{0.1f, "0.1"},
                 {1e10f, "1.0E10"},
                 {16777216.0f, "1.6777216E7"},
                 {1.4e-45f, "1.4E-45"},
                 {FLT_MAX, "3.4028235E38"},
                 {FLT_MIN, "1.17549435E-38"},
                 {3.3554432e7f, "3.3554432E7"},
                 {-0.0f, "-0.0"},
                 {8388608.0f, "8388608.0"},
                 {1.0E9f, "1.0E9"},
                 {NAN, "NaN"}};
    char text[NUMBER_TEXT_MAX];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        float_format(cases[i].value, text);
        if (cases[i].value == FLT_MIN) continue; /* 1.1754944E-38 is as short and closer */
        assert_string_equal(text, cases[i].text);
    }
    uint64_t seed = 78;
    for (int i = 0; i < 400000; i++) {
        float value, back;
        uint32_t bits = (uint32_t)test_random(&seed);
        if (i % 4 == 0) bits &= 0x807FFFFFu >> (test_random(&seed) % 22);
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        size_t length = float_format(value, text);
        assert_int_equal(float_parse((Str){text, length}, &back), NUMBER_OK);
        assert_memory_equal(&back, &value, sizeof value);
    }
}

static void doubles_read(void **state) {
    static const struct {
        const char *text;
        NumberResult result;
        double value;
    } cases[] = {
        {"1", NUMBER_OK, 1},
        {"-1.5e3", NUMBER_OK, -1500},
        {"+.5", NUMBER_OK, 0.5},
        {"5.", NUMBER_OK, 5},
        {"0e999999999999999999999999", NUMBER_OK, 0},
        {"-0", NUMBER_OK, -0.0},
        {"1e308", NUMBER_OK, 1e308},
        {"1.7976931348623158e308", NUMBER_OK, DBL_MAX},
        {"1.7976931348623159e308", NUMBER_RANGE, 0},
        {"1e309", NUMBER_RANGE, 0},
        {"1e99999999999999999999999999999999", NUMBER_RANGE, 0},
        {"-1e400", NUMBER_RANGE, 0},
        {"1e-400", NUMBER_OK, 0},
        {"-1e-99999999999999999999999999", NUMBER_OK, -0.0},
        {"2.4703282292062327e-324", NUMBER_OK, 0},
        {"2.4703282292062328e-324", NUMBER_OK, 4.9e-324},
        {"2.2250738585072011e-308", NUMBER_OK, 2.2250738585072011e-308},
        /* halfway between 1 and the next double; then a hair above, beyond 17 digits */
        {"1.00000000000000011102230246251565404236316680908203125", NUMBER_OK, 1},
        {"1.00000000000000011102230246251565404236316680908203126", NUMBER_OK, 1 + DBL_EPSILON},
        {"9007199254740993", NUMBER_OK, 9007199254740992},
        {"9007199254740993.00000000000000000000001", NUMBER_OK, 9007199254740994},
        {"nan", NUMBER_OK, NAN},
        {"NaN", NUMBER_OK, NAN},
        {"Infinity", NUMBER_OK, INFINITY},
        {"+infinity", NUMBER_OK, INFINITY},
        {"-INFINITY", NUMBER_OK, -INFINITY},
        {"", NUMBER_SYNTAX, 0},
        {".", NUMBER_SYNTAX, 0},
        {"e5", NUMBER_SYNTAX, 0},
        {"1e", NUMBER_SYNTAX, 0},
        {"1e+", NUMBER_SYNTAX, 0},
        {"1.2.3", NUMBER_SYNTAX, 0},
        {"1,5", NUMBER_SYNTAX, 0},
        {"0x1p3", NUMBER_SYNTAX, 0},
        {" 1", NUMBER_SYNTAX, 0},
        {"1 ", NUMBER_SYNTAX, 0},
        {"1d", NUMBER_SYNTAX, 0},
        {"infinit", NUMBER_SYNTAX, 0},
        {"--1", NUMBER_SYNTAX, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        double value = 99;
        assert_int_equal(double_parse(str_from(cases[i].text), &value), cases[i].result);
        double want = cases[i].result == NUMBER_OK ? cases[i].value : 99;
        if (isnan(want))
            assert_true(isnan(value));
        else
            assert_memory_equal(&value, &want, sizeof value);
    }
    float narrow;
    /* Through a double this would round twice. */
    assert_int_equal(float_parse(STR("1.000000178813934326171875001"), &narrow), NUMBER_OK);
    assert_true(narrow == 1.00000023841858f);
    assert_int_equal(float_parse(STR("3.5e38"), &narrow), NUMBER_RANGE);
}

static void doubles_of_many_digits(void **state) {
    /* 1 + 2^-53 (a tie) written with ever more digits; a last digit far away decides. */
    char text[6000];
    double value;
    memset(text, '0', sizeof text);
    memcpy(text, "1.00000000000000011102230246251565404236316680908203125", 55);
    assert_int_equal(double_parse((Str){text, sizeof text}, &value), NUMBER_OK);
    assert_true(value == 1.0);
    text[5999] = '1';
    assert_int_equal(double_parse((Str){text, sizeof text}, &value), NUMBER_OK);
    assert_true(value == 1.0 + DBL_EPSILON);
    memset(text, '9', sizeof text);
    assert_int_equal(double_parse((Str){text, sizeof text}, &value), NUMBER_RANGE);
    text[0] = '.';
    assert_int_equal(double_parse((Str){text, sizeof text}, &value), NUMBER_OK);
    assert_true(value == 1.0);
    memset(text, '0', sizeof text);
    text[0] = '.';
    memcpy(text + 5900, "1e5900", 6);
    assert_int_equal(double_parse((Str){text, 5906}, &value), NUMBER_OK);
    assert_true(value == 1.0);
}

static void locales_do_not_matter(void **state) {
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.utf8", "de_DE"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char text[NUMBER_TEXT_MAX];
        double value;
        if (!setlocale(LC_ALL, names[i])) continue;
        double_format(0.1 + 0.2, text);
        assert_string_equal(text, "0.30000000000000004");
        assert_int_equal(double_parse(STR("1.2345678901234567890123e-5"), &value), NUMBER_OK);
        assert_true(value == 1.2345678901234567890123e-5);
        assert_int_equal(double_parse(STR("1,5"), &value), NUMBER_SYNTAX);
    }
    setlocale(LC_ALL, "C");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(powers_of_ten),
        cmocka_unit_test(doubles_written),
        cmocka_unit_test(doubles_round_trip),
        cmocka_unit_test(floats_round_trip),
        cmocka_unit_test(doubles_read),
        cmocka_unit_test(doubles_of_many_digits),
        cmocka_unit_test(locales_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
