/*
 * Ranges hold what they are ranges of: every operation is tried on numbers out of its operands, and
 * the result must be in the range that was promised.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scripts/audit/range.h"

#include <math.h>

static const double numbers[] = {-HUGE_VAL,
                                 -1e300,
                                 -9007199254740993.0,
                                 -9007199254740992.0,
                                 -1e14,
                                 -8001,
                                 -7.5,
                                 -3,
                                 -1,
                                 -0.5,
                                 0,
                                 0.25,
                                 1,
                                 2,
                                 3,
                                 7,
                                 10,
                                 1000,
                                 8000,
                                 1e14,
                                 1e15,
                                 2251799813685249.0,
                                 9007199254740992.0,
                                 1e300,
                                 HUGE_VAL,
                                 (double)NAN};

enum { NUMBERS = sizeof numbers / sizeof *numbers };

/* Is `x` in `r`? What is only said to come from outside may be a fraction. */
static int holds(const evs__range *r, double x)
{
    if (isnan(x))
        return r->nan;
    if (x < r->low || x > r->high)
        return 0;
    return r->fraction != EVS__FRACTION_NONE || isinf(x) || !(floor(x) < x);
}

static evs__range of_both(double x, double y)
{
    evs__range a = evs__range_of(x), b = evs__range_of(y);
    return evs__range_join(&a, &b);
}

static double apply(evs__binary_op op, double a, double b)
{
    switch (op) {
    case EVS__OP_ADD:
        return a + b;
    case EVS__OP_SUB:
        return a - b;
    case EVS__OP_MUL:
        return a * b;
    case EVS__OP_DIV:
        return a / b;
    case EVS__OP_MOD:
        return a - floor(a / b) * b;
    default:
        return pow(a, b);
    }
}

static int compares(evs__binary_op op, double a, double b)
{
    switch (op) {
    case EVS__OP_LT:
        return a < b;
    case EVS__OP_LE:
        return a <= b;
    case EVS__OP_GT:
        return a > b;
    case EVS__OP_GE:
        return a >= b;
    case EVS__OP_EQ:
        return a >= b && a <= b;
    default:
        return !(a >= b && a <= b);
    }
}

/* Calls `check` for ranges of two numbers each, and a number out of either. */
static void for_all(void (*check)(const evs__range *, const evs__range *, double, double))
{
    for (int i = 0; i < NUMBERS; i++)
        for (int j = 0; j < NUMBERS; j++)
            for (int k = 0; k < NUMBERS; k++)
                for (int l = 0; l < NUMBERS; l++) {
                    evs__range a = of_both(numbers[i], numbers[j]);
                    evs__range b = of_both(numbers[k], numbers[l]);
                    check(&a, &b, numbers[i], numbers[k]);
                    check(&a, &b, numbers[j], numbers[k]);
                }
}

static void check_arithmetic(const evs__range *a, const evs__range *b, double x, double y)
{
    static const evs__binary_op ops[] = {EVS__OP_ADD, EVS__OP_SUB, EVS__OP_MUL,
                                         EVS__OP_DIV, EVS__OP_MOD, EVS__OP_POW};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        evs__range r = evs__range_arithmetic(ops[i], a, b);
        if (!holds(&r, apply(ops[i], x, y)))
            fail_msg("operator %d: %g and %g give %g, not in %g..%g", (int)ops[i], x, y,
                     apply(ops[i], x, y), r.low, r.high);
    }
}

static void arithmetic_stays_inside(void **state)
{
    (void)state;
    for_all(check_arithmetic);
}

static void check_functions(const evs__range *a, const evs__range *b, double x, double y)
{
    evs__range r = evs__range_floor(a);
    assert_true(holds(&r, floor(x)));
    r = evs__range_ceil(a);
    assert_true(holds(&r, ceil(x)));
    r = evs__range_abs(a);
    assert_true(holds(&r, fabs(x)));
    r = evs__range_negate(a);
    assert_true(holds(&r, -x));
    r = evs__range_least(a, b);
    assert_true(holds(&r, y < x ? y : x));
    r = evs__range_greatest(a, b);
    assert_true(holds(&r, y > x ? y : x));
    r = evs__range_join(a, b);
    assert_true(holds(&r, x) && holds(&r, y));
    r = evs__range_widen(a, b);
    assert_true(holds(&r, x) && holds(&r, y));
}

static void functions_stay_inside(void **state)
{
    (void)state;
    for_all(check_functions);
}

static void check_comparisons(const evs__range *a, const evs__range *b, double x, double y)
{
    static const evs__binary_op ops[] = {EVS__OP_LT, EVS__OP_LE, EVS__OP_GT,
                                         EVS__OP_GE, EVS__OP_EQ, EVS__OP_NE};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        int is = compares(ops[i], x, y), said = evs__range_compare(ops[i], a, b);
        assert_true(said < 0 || said == is);
        evs__range left = is ? evs__range_when(ops[i], a, b) : evs__range_unless(ops[i], a, b);
        assert_true(holds(&left, x));
    }
}

static void comparisons_are_decided_and_narrowed_rightly(void **state)
{
    (void)state;
    for_all(check_comparisons);
}

/* Whatever is added, a range soon no longer grows: loops and recursions find their end. */
static void chains_are_short(void **state)
{
    (void)state;
    evs__range joined = evs__range_of(0), widened = joined;
    int joins = 0, widenings = 0;
    for (double x = 1; x < 1e300; x *= 1.1) {
        evs__range more = of_both(-x * 0.3, x), next = evs__range_join(&joined, &more);
        joins += !evs__range_same(&joined, &next);
        joined = next;
        next = evs__range_widen(&widened, &more);
        widenings += !evs__range_same(&widened, &next);
        widened = next;
    }
    assert_in_range(joins, 2, 14);
    assert_in_range(widenings, 1, 2);
}

static void what_is_known_is_known(void **state)
{
    (void)state;
    evs__range clock = evs__range_whole(1e9, 1e11), million = evs__range_of(1e6);
    evs__range r = evs__range_arithmetic(EVS__OP_MUL, &clock, &million);
    assert_true(r.low >= 1e15 && r.high <= 1e17 && r.fraction == EVS__FRACTION_NONE && !r.nan);
    evs__range ten = evs__range_of(10), length = evs__range_whole(0, 100);
    r = evs__range_arithmetic(EVS__OP_MOD, &clock, &ten);
    assert_true(r.low >= 0 && r.high <= 9);
    r = evs__range_when(EVS__OP_LT, &length, &ten);
    assert_true(r.high <= 9);
    r = evs__range_arithmetic(EVS__OP_DIV, &length, &ten);
    assert_int_equal(r.fraction, EVS__FRACTION_BY_SCRIPT);
    r = evs__range_floor(&r);
    assert_int_equal(r.fraction, EVS__FRACTION_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic_stays_inside),
        cmocka_unit_test(functions_stay_inside),
        cmocka_unit_test(comparisons_are_decided_and_narrowed_rightly),
        cmocka_unit_test(chains_are_short),
        cmocka_unit_test(what_is_known_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
