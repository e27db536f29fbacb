/*
 * Arithmetic of intervals. Every function is monotonic in its bounds, as IEEE arithmetic is, and
 * what becomes undefined on the way (infinity minus infinity) widens the result to anything.
 */
#include "scripts/audit/range.h"

#include <math.h>

evs__range evs__range_none(void)
{
    evs__range r = {HUGE_VAL, -HUGE_VAL, EVS__FRACTION_NONE, 0};
    return r;
}

evs__range evs__range_any(void)
{
    evs__range r = {-HUGE_VAL, HUGE_VAL, EVS__FRACTION_MAYBE, 1};
    return r;
}

static int is_whole(double x)
{
    return isinf(x) || !(floor(x) < x);
}

evs__range evs__range_of(double number)
{
    evs__range r = {number, number, EVS__FRACTION_NONE, 0};
    if (isnan(number)) {
        r = evs__range_none();
        r.nan = 1;
    } else if (!is_whole(number)) {
        r.fraction = EVS__FRACTION_BY_SCRIPT;
    }
    return r;
}

evs__range evs__range_whole(double low, double high)
{
    evs__range r = {low, high, EVS__FRACTION_NONE, 0};
    return r;
}

evs__range evs__range_fraction(double low, double high)
{
    evs__range r = {low, high, EVS__FRACTION_BY_SCRIPT, 0};
    return r;
}

static int is_empty(const evs__range *r)
{
    return r->low > r->high;
}

static int same_number(double a, double b)
{
    return !(a < b) && !(a > b);
}

int evs__range_is_none(const evs__range *r)
{
    return is_empty(r) && !r->nan;
}

int evs__range_is_single(const evs__range *r)
{
    return !r->nan && same_number(r->low, r->high);
}

int evs__range_same(const evs__range *a, const evs__range *b)
{
    if (a->nan != b->nan || is_empty(a) != is_empty(b))
        return 0;
    return is_empty(a) || (same_number(a->low, b->low) && same_number(a->high, b->high) &&
                           a->fraction == b->fraction);
}

/* ---- joining ---- */

/* The smallest of a few bounds that is not below `x`: there are so few of them that a bound which
 * grows in each round of something soon stops. */
static double round_up(double x)
{
    static const double stops[] = {
        -EVS__WHOLE_MAX,   -EVS__LENGTH_MAX, -1, 0, 1, 8000, EVS__LENGTH_MAX,
        EVS__EXPONENT_MIN, EVS__WHOLE_MAX};
    for (unsigned i = 0; i < sizeof stops / sizeof *stops; i++)
        if (x <= stops[i])
            return stops[i];
    return HUGE_VAL;
}

static evs__range join_parts(const evs__range *a, const evs__range *b, int exact)
{
    evs__range r = *a;
    if (b->low < a->low)
        r.low = exact ? b->low : -round_up(-b->low);
    if (b->high > a->high)
        r.high = exact ? b->high : round_up(b->high);
    if (b->fraction > r.fraction)
        r.fraction = b->fraction;
    r.nan |= b->nan;
    return r;
}

evs__range evs__range_join(const evs__range *a, const evs__range *b)
{
    evs__range r = is_empty(a) ? *b : *a;
    r.nan = a->nan | b->nan;
    if (is_empty(a) || is_empty(b))
        return r;
    return join_parts(a, b, same_number(a->low, a->high));
}

evs__range evs__range_widen(const evs__range *a, const evs__range *b)
{
    evs__range r = evs__range_join(a, b);
    if (is_empty(a))
        return r;
    if (r.low < a->low)
        r.low = b->low >= 0 ? 0 : -HUGE_VAL;
    if (r.high > a->high)
        r.high = HUGE_VAL;
    return r;
}

evs__range evs__range_meet(const evs__range *a, const evs__range *b)
{
    evs__range r = {fmax(a->low, b->low), fmin(a->high, b->high), a->fraction, a->nan & b->nan};
    if (b->fraction < r.fraction)
        r.fraction = b->fraction;
    return r;
}

/* ---- arithmetic ---- */

static unsigned char more_fraction(const evs__range *a, const evs__range *b)
{
    return a->fraction > b->fraction ? a->fraction : b->fraction;
}

/* From the least to the greatest of four; anything when one of them is undefined. */
static evs__range hull(const double corners[4], const evs__range *a, const evs__range *b)
{
    evs__range r = {corners[0], corners[0], more_fraction(a, b), a->nan | b->nan};
    for (int i = 0; i < 4; i++) {
        if (isnan(corners[i])) {
            evs__range any = evs__range_any();
            any.fraction = r.fraction;
            return any;
        }
        r.low = fmin(r.low, corners[i]);
        r.high = fmax(r.high, corners[i]);
    }
    return r;
}

static evs__range add(const evs__range *a, const evs__range *b)
{
    const double corners[4] = {a->low + b->low, a->low + b->high, a->high + b->low,
                               a->high + b->high};
    return hull(corners, a, b);
}

/* Zero times infinity is NaN, so a zero inside matters as much as one at an end. */
static evs__range multiply(const evs__range *a, const evs__range *b)
{
    const double corners[4] = {a->low * b->low, a->low * b->high, a->high * b->low,
                               a->high * b->high};
    evs__range r = hull(corners, a, b);
    int infinite = isinf(a->low) || isinf(a->high) || isinf(b->low) || isinf(b->high);
    int zero = (a->low <= 0 && a->high >= 0) || (b->low <= 0 && b->high >= 0);
    r.nan |= (unsigned char)(infinite && zero);
    return r;
}

static evs__range divide(const evs__range *a, const evs__range *b)
{
    evs__range r = evs__range_any();
    if (b->low > 0 || b->high < 0) {
        const double corners[4] = {a->low / b->low, a->low / b->high, a->high / b->low,
                                   a->high / b->high};
        r = hull(corners, a, b);
    }
    int one = same_number(a->low, a->high) && same_number(b->low, b->high);
    r.fraction = one && is_whole(r.low) && same_number(r.low, r.high) ? EVS__FRACTION_NONE
                                                                      : EVS__FRACTION_BY_SCRIPT;
    return r;
}

/* The greatest number whose quotient by a whole number is never rounded up to a whole one. */
#define MODULO_MAX 2251799813685248.0

/* a - floor(a / b) * b. Only among whole numbers that are not too great is that what it says: of
 * greater ones the result may even be negative. */
static evs__range modulo(const evs__range *a, const evs__range *b)
{
    evs__range r = evs__range_any();
    int exact = !a->nan && !b->nan && a->low >= -MODULO_MAX && a->high <= MODULO_MAX &&
                b->low >= 1 && b->high <= MODULO_MAX;
    r.fraction = more_fraction(a, b);
    if (!exact || r.fraction != EVS__FRACTION_NONE)
        return r;
    r = evs__range_whole(0, b->high - 1);
    if (a->low >= 0 && a->high < r.high)
        r.high = a->high;
    return r;
}

static evs__range power(const evs__range *a, const evs__range *b)
{
    evs__range r = evs__range_any();
    double one = pow(a->low, b->low);
    /* Whole results are exact in every C library. */
    if (evs__range_is_single(a) && evs__range_is_single(b) && is_whole(one) &&
        fabs(one) <= EVS__WHOLE_MAX)
        return evs__range_of(one);
    r.fraction = more_fraction(a, b);
    if (r.fraction == EVS__FRACTION_NONE && b->low < 0)
        r.fraction = EVS__FRACTION_BY_SCRIPT;
    if (a->low >= 0 && !a->nan && !b->nan) {
        r.low = a->low >= 1 && b->low >= 0 ? 1 : 0;
        r.nan = 0;
    }
    return r;
}

evs__range evs__range_arithmetic(evs__binary_op op, const evs__range *a, const evs__range *b)
{
    evs__range minus = evs__range_negate(b);
    if (is_empty(a) || is_empty(b))
        return evs__range_any();
    switch (op) {
    case EVS__OP_ADD:
        return add(a, b);
    case EVS__OP_SUB:
        return add(a, &minus);
    case EVS__OP_MUL:
        return multiply(a, b);
    case EVS__OP_DIV:
        return divide(a, b);
    case EVS__OP_MOD:
        return modulo(a, b);
    case EVS__OP_POW:
        return power(a, b);
    default:
        return evs__range_any();
    }
}

evs__range evs__range_negate(const evs__range *r)
{
    evs__range n = {-r->high, -r->low, r->fraction, r->nan};
    return n;
}

evs__range evs__range_floor(const evs__range *r)
{
    evs__range f = {floor(r->low), floor(r->high), EVS__FRACTION_NONE, r->nan};
    return f;
}

evs__range evs__range_ceil(const evs__range *r)
{
    evs__range c = {ceil(r->low), ceil(r->high), EVS__FRACTION_NONE, r->nan};
    return c;
}

evs__range evs__range_abs(const evs__range *r)
{
    evs__range n = evs__range_negate(r);
    if (is_empty(r) || r->low >= 0)
        return *r;
    if (r->high <= 0)
        return n;
    n.low = 0;
    n.high = fmax(r->high, -r->low);
    return n;
}

evs__range evs__range_least(const evs__range *a, const evs__range *b)
{
    evs__range r = {fmin(a->low, b->low), fmin(a->high, b->high), more_fraction(a, b),
                    a->nan | b->nan};
    /* Which of a number and a NaN it is depends on their order. */
    if (r.nan)
        r.high = fmax(a->high, b->high);
    return r;
}

evs__range evs__range_greatest(const evs__range *a, const evs__range *b)
{
    evs__range r = {fmax(a->low, b->low), fmax(a->high, b->high), more_fraction(a, b),
                    a->nan | b->nan};
    if (r.nan)
        r.low = fmin(a->low, b->low);
    return r;
}

/* ---- comparing ---- */

static int decide(int surely, int never)
{
    return surely ? 1 : never ? 0 : -1;
}

int evs__range_compare(evs__binary_op op, const evs__range *a, const evs__range *b)
{
    int nan = a->nan || b->nan, equal;
    if (is_empty(a) || is_empty(b))
        return -1;
    switch (op) {
    case EVS__OP_LT:
        return decide(!nan && a->high < b->low, a->low >= b->high);
    case EVS__OP_LE:
        return decide(!nan && a->high <= b->low, a->low > b->high);
    case EVS__OP_GT:
        return evs__range_compare(EVS__OP_LT, b, a);
    case EVS__OP_GE:
        return evs__range_compare(EVS__OP_LE, b, a);
    case EVS__OP_EQ:
        return decide(evs__range_is_single(a) && evs__range_is_single(b) &&
                          same_number(a->low, b->low),
                      a->high < b->low || b->high < a->low);
    case EVS__OP_NE:
        equal = evs__range_compare(EVS__OP_EQ, a, b);
        return equal < 0 ? equal : !equal;
    default:
        return -1;
    }
}

/* The greatest whole number below `x`, as far as it is exact. */
static double before(double x)
{
    return fabs(x) < EVS__WHOLE_MAX ? ceil(x) - 1 : x;
}

static double behind(double x)
{
    return fabs(x) < EVS__WHOLE_MAX ? floor(x) + 1 : x;
}

static evs__range at_most(const evs__range *a, double limit, int strictly)
{
    evs__range r = *a;
    if (strictly && a->fraction == EVS__FRACTION_NONE)
        limit = before(limit);
    r.high = fmin(r.high, limit);
    r.nan = 0;
    return r;
}

static evs__range at_least(const evs__range *a, double limit, int strictly)
{
    evs__range r = *a;
    if (strictly && a->fraction == EVS__FRACTION_NONE)
        limit = behind(limit);
    r.low = fmax(r.low, limit);
    r.nan = 0;
    return r;
}

evs__range evs__range_when(evs__binary_op op, const evs__range *a, const evs__range *b)
{
    evs__range r = *a;
    if (is_empty(a) || is_empty(b))
        return r;
    switch (op) {
    case EVS__OP_LT:
        return at_most(a, b->high, 1);
    case EVS__OP_LE:
        return at_most(a, b->high, 0);
    case EVS__OP_GT:
        return at_least(a, b->low, 1);
    case EVS__OP_GE:
        return at_least(a, b->low, 0);
    case EVS__OP_EQ:
        r = evs__range_meet(a, b);
        r.nan = 0;
        return r;
    default:
        return r;
    }
}

evs__range evs__range_unless(evs__binary_op op, const evs__range *a, const evs__range *b)
{
    static const evs__binary_op opposite[] = {
        [EVS__OP_LT] = EVS__OP_GE,
        [EVS__OP_LE] = EVS__OP_GT,
        [EVS__OP_GT] = EVS__OP_LE,
        [EVS__OP_GE] = EVS__OP_LT,
    };
    if (op == EVS__OP_NE)
        return evs__range_when(EVS__OP_EQ, a, b);
    if (op == EVS__OP_EQ || b->nan)
        return *a;
    evs__range r = evs__range_when(opposite[op], a, b);
    r.nan = a->nan;
    return r;
}
