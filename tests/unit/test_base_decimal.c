/*
 * test_base_decimal.c - exact decimals, against results computed with unbounded integers.
 */
#include <math.h>

#include "tests/unit/test_base.h"

#include "engine/base/decimal.h"

/* Reads up to 39 digits without the functions under test. */
static Int128 wide(const char *text) {
    UInt128 value = 0;
    bool negative = *text == '-';
    for (text += negative; *text; text++) value = value * 10 + (UInt128)(*text - '0');
    return negative ? -(Int128)value : (Int128)value;
}

static void check(DecimalResult result, Int128 have, const char *want) {
    assert_int_equal(result, want ? DECIMAL_OK : DECIMAL_OVERFLOW);
    if (!want) return;
    char text[DECIMAL_TEXT_MAX];
    decimal_format(have, 0, text);
    assert_string_equal(text, want);
    assert_true(have == wide(want));
}

static void multiply(const char *a, const char *b, int drop, const char *want) {
    Int128 out = 0;
    DecimalResult result = decimal_multiply(wide(a), wide(b), drop, &out);
    check(result, out, want);
}
static void divide(const char *a, const char *b, int raise, const char *want) {
    Int128 out = 0;
    DecimalResult result = decimal_divide(wide(a), wide(b), raise, &out);
    check(result, out, want);
}
static void modulus(const char *a, int a_scale, const char *b, int b_scale, const char *want) {
    Int128 out = 0;
    DecimalResult result = decimal_modulus(wide(a), a_scale, wide(b), b_scale, &out);
    check(result, out, want);
}
static void rescale(const char *a, int from, int to, const char *want) {
    Int128 out = 0;
    DecimalResult result = decimal_rescale(wide(a), from, to, &out);
    check(result, out, want);
}

static void computed_elsewhere(void **state) {
#define MULTIPLY(a, b, drop, want)            multiply(a, b, drop, want);
#define DIVIDE(a, b, raise, want)             divide(a, b, raise, want);
#define MODULUS(a, a_scale, b, b_scale, want) modulus(a, a_scale, b, b_scale, want);
#define RESCALE(a, from, to, want)            rescale(a, from, to, want);
#define DOUBLE(a, scale, want)                assert_true(decimal_to_double(wide(a), scale) == want);
#include "tests/unit/decimal_cases.def"
}

#define NINES "99999999999999999999999999999999999999" /* 38 */

static void edges(void **state) {
    Int128 out;
    multiply(NINES, "1", 0, NINES);
    multiply(NINES, NINES, 38, "99999999999999999999999999999999999998");
    multiply(NINES, NINES, 37, NULL);
    multiply(NINES, "-" NINES, 76, "-1");
    multiply(NINES, NINES, 77, "0");
    multiply(NINES, NINES, 1000, "0");
    multiply("5", "1", 1, "1");
    multiply("4", "1", 1, "0");
    multiply("-5", "1", 1, "-1");
    divide("1", "3", 38, "33333333333333333333333333333333333333");
    divide("2", "3", 38, "66666666666666666666666666666666666667");
    divide("1", "2", 0, "1");
    divide("-1", "2", 0, "-1");
    divide("1", "3", 0, "0");
    divide(NINES, NINES, 0, "1");
    divide(NINES, NINES, 37, "10000000000000000000000000000000000000");
    divide(NINES, NINES, 38, NULL);
    divide(NINES, "1", 38, NULL);
    divide(NINES, "1", 400, NULL);
    divide("0", "1", 400, "0");
    divide("1", NINES, 75, "10000000000000000000000000000000000000");
    assert_int_equal(decimal_divide(1, 0, 5, &out), DECIMAL_DIVIDE_BY_ZERO);
    assert_int_equal(decimal_modulus(1, 0, 0, 0, &out), DECIMAL_DIVIDE_BY_ZERO);
    modulus("-7", 0, "3", 0, "-1");
    modulus("7", 0, "-3", 0, "1");
    modulus(NINES, 0, "7", 38, "2");
    modulus("1", 38, NINES, 0, "1");
    rescale(NINES, 0, 1, NULL);
    rescale(NINES, 38, 0, "1");
    rescale("1", 0, 38, NULL); /* 10^38 has 39 digits */
    rescale("1", 0, 37, "10000000000000000000000000000000000000");
    rescale("0", 0, 127, "0");
    rescale(NINES, 100, 0, "0");
    assert_int_equal(decimal_add(wide(NINES), 1, &out), DECIMAL_OVERFLOW);
    assert_int_equal(decimal_add(wide(NINES), -1, &out), DECIMAL_OK);
    assert_int_equal(decimal_add(-wide(NINES), -1, &out), DECIMAL_OVERFLOW);
    Int128 least = (Int128)((UInt128)1 << 127), most = (Int128)(((UInt128)1 << 127) - 1);
    assert_int_equal(decimal_add(most, most, &out), DECIMAL_OVERFLOW);
    assert_int_equal(decimal_add(least, least, &out), DECIMAL_OVERFLOW);
    assert_int_equal(decimal_multiply(least, least, 0, &out), DECIMAL_OVERFLOW);
    assert_int_equal(decimal_divide(least, -1, 0, &out), DECIMAL_OVERFLOW);
    assert_int_equal(decimal_divide(least, -1, -5, &out), DECIMAL_OVERFLOW);
    assert_int_equal(decimal_rescale(least, 0, 1, &out), DECIMAL_OVERFLOW);
    assert_false(decimal_fits(least, 38));
    assert_true(decimal_fits(wide(NINES), 38));
    assert_true(decimal_fits(-wide(NINES), 255));
    assert_false(decimal_fits(wide(NINES), 37));
    assert_true(decimal_fits(-999, 3));
    assert_false(decimal_fits(-1000, 3));
    for (int i = 1; i <= DECIMAL_MAX_DIGITS; i++)
        assert_true(decimal_powers[i] == decimal_powers[i - 1] * 10);
}

static void parsing(void **state) {
    static const struct {
        const char *text;
        int precision, scale;
        DecimalResult result;
        const char *value;
    } cases[] = {
        {"1.10", 10, 2, DECIMAL_OK, "110"},
        {"1.10", 10, 1, DECIMAL_OK, "11"},
        {"1.15", 10, 1, DECIMAL_OK, "12"},
        {"-1.15", 10, 1, DECIMAL_OK, "-12"},
        {"1.1499999999999999999999999999999999999999999999999", 10, 1, DECIMAL_OK, "11"},
        {" \t-0.0 \n", 5, 2, DECIMAL_OK, "0"},
        {"+.5", 5, 0, DECIMAL_OK, "1"},
        {"5.", 5, 0, DECIMAL_OK, "5"},
        {"9.5", 1, 0, DECIMAL_OVERFLOW, NULL},
        {"9.4", 1, 0, DECIMAL_OK, "9"},
        {"1e2", 5, 2, DECIMAL_OK, "10000"},
        {"123456e-3", 5, 2, DECIMAL_OK, "12346"},
        {"1E-1000000000000000000000000", 5, 2, DECIMAL_OK, "0"},
        {"0E1000000000000000000000000", 5, 2, DECIMAL_OK, "0"},
        {"1E1000000000000000000000000", 5, 2, DECIMAL_OVERFLOW, NULL},
        {"0.005", 5, 2, DECIMAL_OK, "1"},
        {"0.0049", 5, 2, DECIMAL_OK, "0"},
        {"0.05", 5, 1, DECIMAL_OK, "1"},
        {"0.04", 5, 1, DECIMAL_OK, "0"},
        {"0.5e-1", 5, 0, DECIMAL_OK, "0"},
        {"1000", 3, 0, DECIMAL_OVERFLOW, NULL},
        {"99999999999999999999999999999999999999", 38, 0, DECIMAL_OK, NINES},
        {"99999999999999999999999999999999999999.5", 38, 0, DECIMAL_OVERFLOW, NULL},
        {"0.99999999999999999999999999999999999999", 38, 38, DECIMAL_OK, NINES},
        {"000000000000000000000000000000000000000000000000000001", 1, 0, DECIMAL_OK, "1"},
        {"0.0000000000000000000000000000000000000000000000001e49", 3, 0, DECIMAL_OK, "1"},
        {"", 5, 2, DECIMAL_SYNTAX, NULL},
        {" ", 5, 2, DECIMAL_SYNTAX, NULL},
        {".", 5, 2, DECIMAL_SYNTAX, NULL},
        {"-", 5, 2, DECIMAL_SYNTAX, NULL},
        {"1..2", 5, 2, DECIMAL_SYNTAX, NULL},
        {"1 2", 5, 2, DECIMAL_SYNTAX, NULL},
        {"1e", 5, 2, DECIMAL_SYNTAX, NULL},
        {"1e-", 5, 2, DECIMAL_SYNTAX, NULL},
        {"e1", 5, 2, DECIMAL_SYNTAX, NULL},
        {"NaN", 5, 2, DECIMAL_SYNTAX, NULL},
        {"0x1", 5, 2, DECIMAL_SYNTAX, NULL},
        {"1,5", 5, 2, DECIMAL_SYNTAX, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Int128 value = 0;
        DecimalResult result = decimal_parse(str_from(cases[i].text), (uint8_t)cases[i].precision,
                                             cases[i].scale, &value);
        assert_int_equal(result, cases[i].result);
        if (cases[i].value) assert_true(value == wide(cases[i].value));
    }
}

static void writing(void **state) {
    char text[DECIMAL_TEXT_MAX];
    static const struct {
        const char *value;
        int scale;
        const char *text;
    } cases[] = {
        {"0", 0, "0"},
        {"0", 2, "0.00"},
        {"5", 2, "0.05"},
        {"-5", 2, "-0.05"},
        {"-12345", 3, "-12.345"},
        {"100", 2, "1.00"},
        {NINES, 0, NINES},
        {"-" NINES, 38, "-0." NINES},
        {NINES, 37, "9.9999999999999999999999999999999999999"},
        {"1", 38, "0.00000000000000000000000000000000000001"},
        {"10000000000000000000", 0, "10000000000000000000"},
        {"100000000000000000000000000000000000000", 0, "100000000000000000000000000000000000000"},
        {"0", 38, "0.00000000000000000000000000000000000000"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t length = decimal_format(wide(cases[i].value), cases[i].scale, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(length, strlen(text));
    }
    decimal_format((Int128)((UInt128)1 << 127), 38, text);
    assert_string_equal(text, "-1.70141183460469231731687303715884105728");
    uint64_t seed = 3;
    for (int i = 0; i < 100000; i++) {
        UInt128 bits = (UInt128)test_random(&seed) << 64 | test_random(&seed);
        Int128 value = (Int128)(bits >> (test_random(&seed) % 120)) % decimal_powers[38], back;
        int scale = (int)(test_random(&seed) % 39);
        size_t length = decimal_format(value, scale, text);
        assert_int_equal(decimal_parse((Str){text, length}, 38, scale, &back), DECIMAL_OK);
        assert_true(back == value);
    }
}

static void from_doubles(void **state) {
    Int128 out;
    assert_int_equal(decimal_from_double(1.005, 10, 2, &out), DECIMAL_OK);
    assert_true(out == 101);
    assert_int_equal(decimal_from_double(-2.5, 10, 0, &out), DECIMAL_OK);
    assert_true(out == -3);
    assert_int_equal(decimal_from_double(1e38, 38, 0, &out), DECIMAL_OVERFLOW);
    assert_int_equal(decimal_from_double(9.999e37, 38, 0, &out), DECIMAL_OK);
    assert_int_equal(decimal_from_double(1e-300, 38, 38, &out), DECIMAL_OK);
    assert_true(out == 0);
    assert_int_equal(decimal_from_double(NAN, 38, 0, &out), DECIMAL_SYNTAX);
    assert_int_equal(decimal_from_double(-INFINITY, 38, 0, &out), DECIMAL_SYNTAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(computed_elsewhere),
        cmocka_unit_test(edges),
        cmocka_unit_test(parsing),
        cmocka_unit_test(writing),
        cmocka_unit_test(from_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
