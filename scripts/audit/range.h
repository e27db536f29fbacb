/*
 * range.h - which numbers a value may be.
 *
 * A range is an interval, whether there are fractions in it, and whether NaN is. It may be too
 * wide, never too narrow: bounds are computed with the same rounding as Lua's own arithmetic, which
 * never changes the order of two numbers.
 *
 * A string has a range too: the numbers that it may be read as, because Lua's arithmetic reads
 * strings. What comes from outside may be any number; whether a fraction was made by the script
 * itself (a division, a constant like 0.5) is told apart from that, because only then somebody
 * meant it to be one.
 */
#ifndef EVS_SCRIPTS_AUDIT_RANGE_H
#define EVS_SCRIPTS_AUDIT_RANGE_H

#include "scripts/syntax/ast.h"

typedef enum evs__fraction {
    EVS__FRACTION_NONE,     /* surely whole, or infinite */
    EVS__FRACTION_MAYBE,    /* it comes from outside */
    EVS__FRACTION_BY_SCRIPT /* the script computes with fractions */
} evs__fraction;

typedef struct evs__range {
    double low, high;       /* low > high: no number but NaN, if that */
    unsigned char fraction; /* evs__fraction */
    unsigned char nan;      /* NaN is among them */
} evs__range;

/* The first whole number that an integer reply cannot hold. */
#define EVS__INTEGER_END 9223372036854775808.0

/* What a double holds without loss, and the first number that tostring shows with an exponent. */
#define EVS__WHOLE_MAX    9007199254740992.0
#define EVS__EXPONENT_MIN 1e14
/* No string and no table is longer. */
#define EVS__LENGTH_MAX 1099511627776.0

/* Nothing; anything; one number; whole numbers from `low` to `high`. */
evs__range evs__range_none(void);
evs__range evs__range_any(void);
evs__range evs__range_of(double number);
evs__range evs__range_whole(double low, double high);
/* Fractions that the script makes. */
evs__range evs__range_fraction(double low, double high);

int evs__range_is_none(const evs__range *r);
int evs__range_same(const evs__range *a, const evs__range *b);
/* Is it one number? */
int evs__range_is_single(const evs__range *r);

/* Both. Bounds that keep growing are rounded outwards, so that every chain of joins is short. */
evs__range evs__range_join(const evs__range *a, const evs__range *b);
/* The join for loops: a bound that grows is gone. */
evs__range evs__range_widen(const evs__range *a, const evs__range *b);
/* Only what is also in `b`. */
evs__range evs__range_meet(const evs__range *a, const evs__range *b);

/* `a op b` of Lua; ADD, SUB, MUL, DIV, MOD and POW. */
evs__range evs__range_arithmetic(evs__binary_op op, const evs__range *a, const evs__range *b);
evs__range evs__range_negate(const evs__range *r);
evs__range evs__range_floor(const evs__range *r);
evs__range evs__range_ceil(const evs__range *r);
evs__range evs__range_abs(const evs__range *r);
evs__range evs__range_least(const evs__range *a, const evs__range *b);    /* math.min */
evs__range evs__range_greatest(const evs__range *a, const evs__range *b); /* math.max */

/* 1 and 0 when `a op b` (LT, LE, GT, GE, EQ, NE) certainly gives that, else -1. */
int evs__range_compare(evs__binary_op op, const evs__range *a, const evs__range *b);

/* What of `a` is left when `a op b` is true; the operators of evs__range_compare. When it is
 * false, NaN stays and the opposite holds of the others: see evs__range_unless. */
evs__range evs__range_when(evs__binary_op op, const evs__range *a, const evs__range *b);
evs__range evs__range_unless(evs__binary_op op, const evs__range *a, const evs__range *b);

#endif
