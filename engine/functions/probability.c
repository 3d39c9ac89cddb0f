/*
 * probability.c - rows and kernels of distributions: normal, beta, Student's t, Wilson's interval.
 *
 * The regularised incomplete beta function is the continued fraction of Abramowitz and Stegun 26.5.8
 * by Lentz's method; inverses start from an estimate or a bracket and are refined by Newton's steps kept
 * inside the bracket, to the last places of a double.
 */
#include "engine/functions/helpers.h"

#include <float.h>
#include <math.h>

#define PI         3.14159265358979323846
#define SQRT_2     1.41421356237309504880
#define MOST_STEPS 2000

/* ---------------------------------------------------------------- normal */

static double normal_cumulative(double z) {
    return 0.5 * erfc(-z / SQRT_2);
}

/* Bisection narrows to a good start, Newton's steps (on the tail that is small) do the rest. */
static double normal_quantile(double p) {
    double low = -40, high = 40;
    bool upper = p > 0.5;
    double tail = upper ? 1 - p : p;
    if (tail == 0.5) return 0;
    high = 0; /* the lower tail's quantile is negative */
    for (int i = 0; i < 20; i++) {
        double middle = (low + high) / 2;
        if (normal_cumulative(middle) < tail) {
            low = middle;
        } else {
            high = middle;
        }
    }
    double z = (low + high) / 2;
    for (int i = 0; i < 8; i++) {
        double density = exp(-z * z / 2) / sqrt(2 * PI);
        double error = (normal_cumulative(z) - tail) / density;
        double step = error / (1 + z * error / 2); /* Halley's */
        z -= step;
        if (fabs(step) <= fabs(z) * DBL_EPSILON) break;
    }
    return upper ? -z : z;
}

/* ---------------------------------------------------------------- beta */

static double log_gamma(double x) {
    int sign;
    return lgamma_r(x, &sign);
}

static double log_beta(double a, double b) {
    return log_gamma(a) + log_gamma(b) - log_gamma(a + b);
}

static double beta_fraction(double a, double b, double x) {
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double h = d;
    for (int m = 1; m < MOST_STEPS; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 + even * d;
        c = 1 + even / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        if (fabs(c) < tiny) c = tiny;
        h *= d * c;
        d = 1 + odd * d;
        c = 1 + odd / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        if (fabs(c) < tiny) c = tiny;
        h *= d * c;
        if (fabs(d * c - 1) < DBL_EPSILON) break;
    }
    return h;
}

/* I(x; a, b), with y = 1 - x given apart, so that it is exact near 1. */
static double beta_regularized(double a, double b, double x, double y) {
    if (x <= 0) return 0;
    if (y <= 0) return 1;
    double front = exp(a * log(x) + b * log(y) - log_beta(a, b));
    if (x <= (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, y) / b;
}

static double beta_quantile(double a, double b, double p) {
    double low = 0, high = 1, x = a / (a + b), scale = log_beta(a, b);
    if (p <= 0) return 0;
    if (p >= 1) return 1;
    for (int i = 0; i < 400; i++) {
        double error = beta_regularized(a, b, x, 1 - x) - p;
        if (error == 0) return x;
        if (error < 0) {
            low = x;
        } else {
            high = x;
        }
        double density = exp((a - 1) * log(x) + (b - 1) * log1p(-x) - scale);
        double next = x - error / density;
        if (!(next > low && next < high)) next = low + (high - low) / 2;
        if (fabs(next - x) <= DBL_EPSILON * x || high - low <= DBL_MIN) return next;
        x = next;
    }
    return x;
}

/* ---------------------------------------------------------------- Student's t */

static double t_cumulative(double x, double df) {
    if (x == 0) return 0.5;
    if (isinf(x)) return x > 0 ? 1 : 0;
    double tail = beta_regularized(df / 2, 0.5, df / (df + x * x), x * x / (df + x * x)) / 2;
    return x < 0 ? tail : 1 - tail;
}

static double t_density(double x, double df) {
    double scale = log_gamma((df + 1) / 2) - log_gamma(df / 2) - 0.5 * log(df * PI);
    return exp(scale - (df + 1) / 2 * log1p(x * x / df));
}

/* ---------------------------------------------------------------- Wilson's interval */

static double wilson(double successes, double trials, double z, int side) {
    double p = successes / trials, z2 = z * z;
    double centre = p + z2 / (2 * trials);
    double width = z * sqrt((p * (1 - p) + z2 / (4 * trials)) / trials);
    return (centre + side * width) / (1 + z2 / trials);
}

/* ---------------------------------------------------------------- kernels */

/* Three numbers, a condition on them, the result. */
#define PROBABILITY_3(ID, GOOD, RESULT)                            \
    static Status kernel_##ID(KernelCall *call) {                  \
        double *out = call->result->data;                          \
        KERNEL_ROWS(call, row, {                                   \
            double a = KERNEL_ARG(call, 0, double, row);           \
            double b = KERNEL_ARG(call, 1, double, row);           \
            double x = KERNEL_ARG(call, 2, double, row);           \
            bool good = (GOOD);                                    \
            out[row] = good ? (RESULT) : 0;                        \
            if (!good) row_error(call, row, ERR_INVALID_ARGUMENT); \
        });                                                        \
        return TRIB_OK;                                            \
    }
#define PROBABILITY_2(ID, GOOD, RESULT)                            \
    static Status kernel_##ID(KernelCall *call) {                  \
        double *out = call->result->data;                          \
        KERNEL_ROWS(call, row, {                                   \
            double x = KERNEL_ARG(call, 0, double, row);           \
            double df = KERNEL_ARG(call, 1, double, row);          \
            bool good = (GOOD);                                    \
            out[row] = good ? (RESULT) : 0;                        \
            if (!good) row_error(call, row, ERR_INVALID_ARGUMENT); \
        });                                                        \
        return TRIB_OK;                                            \
    }

PROBABILITY_3(normal_cdf, b > 0, normal_cumulative((x - a) / b))
PROBABILITY_3(inverse_normal_cdf, x > 0 && x < 1 && b > 0, a + b * normal_quantile(x))
PROBABILITY_3(beta_cdf, x >= 0 && x <= 1 && a > 0 && b > 0, beta_regularized(a, b, x, 1 - x))
PROBABILITY_3(inverse_beta_cdf, x >= 0 && x <= 1 && a > 0 && b > 0, beta_quantile(a, b, x))
PROBABILITY_2(t_cdf, df > 0 && !isnan(x), t_cumulative(x, df))
PROBABILITY_2(t_pdf, df > 0 && !isnan(x), t_density(x, df))

static Status wilson_rows(KernelCall *call, int side) {
    double *out = call->result->data;
    KERNEL_ROWS(call, row, {
        int64_t successes = arg_int64(call, 0, row);
        int64_t trials = arg_int64(call, 1, row);
        double z = KERNEL_ARG(call, 2, double, row);
        bool good = successes >= 0 && trials > 0 && successes <= trials && z >= 0;
        out[row] = good ? wilson((double)successes, (double)trials, z, side) : 0;
        if (!good) row_error(call, row, ERR_INVALID_ARGUMENT);
    });
    return TRIB_OK;
}

static Status kernel_wilson_interval_lower(KernelCall *call) {
    return wilson_rows(call, -1);
}

static Status kernel_wilson_interval_upper(KernelCall *call) {
    return wilson_rows(call, 1);
}

/* ---------------------------------------------------------------- rows */

#define PROBABILITY(ID, SIGNATURE, HELP)                                            \
    {                                                                               \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .may_raise = true, \
        .kernel = kernel_##ID, .family = "math", .help = HELP                       \
    }

static const Function rows[] = {
    PROBABILITY(normal_cdf, "double, double, double -> double",
                "P(N < v) for a normal distribution of a mean and standard deviation."),
    PROBABILITY(inverse_normal_cdf, "double, double, double -> double",
                "The v with P(N < v) = p, for a mean and standard deviation."),
    PROBABILITY(beta_cdf, "double, double, double -> double",
                "P(N < v) for a beta distribution of a and b."),
    PROBABILITY(inverse_beta_cdf, "double, double, double -> double",
                "The v with P(N < v) = p, for a beta distribution of a and b."),
    PROBABILITY(t_cdf, "double, double -> double",
                "P(N < v) for Student's t distribution of some degrees of freedom."),
    PROBABILITY(t_pdf, "double, double -> double",
                "The density at v of Student's t distribution of some degrees of freedom."),
    PROBABILITY(wilson_interval_lower, "bigint, bigint, double -> double",
                "The lower bound of Wilson's interval for successes out of trials, at a z-score."),
    PROBABILITY(wilson_interval_upper, "bigint, bigint, double -> double",
                "The upper bound of Wilson's interval for successes out of trials, at a z-score."),
};

FUNCTION_TABLE(functions_probability, rows);
