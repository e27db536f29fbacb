/*
 * math and bit: which numbers come out. Where the numbers come from is what `computed` says.
 */
#include "scripts/audit/builtins/builtin.h"

#include <math.h>
#include <string.h>

#define WORD_MIN (-2147483648.0)
#define WORD_MAX 2147483647.0

typedef evs__range one_argument(const evs__range *r);
typedef evs__range two_arguments(const evs__range *a, const evs__range *b);

static evs__range root(const evs__range *r)
{
    evs__range out = evs__range_fraction(0, HUGE_VAL);
    if (r->low >= 0 && !r->nan)
        out.high = sqrt(r->high);
    out.nan = r->nan || r->low < 0;
    return out;
}

static evs__range any_fraction(const evs__range *r)
{
    (void)r;
    evs__range out = evs__range_any();
    out.fraction = EVS__FRACTION_BY_SCRIPT;
    return out;
}

static evs__range remainder_of(const evs__range *a, const evs__range *b)
{
    evs__range r = evs__range_arithmetic(EVS__OP_MOD, a, b);
    if (a->low < 0) /* the sign is that of the first one */
        r.low = -fmax(r.high, 0);
    return r;
}

static evs__range raised(const evs__range *a, const evs__range *b)
{
    return evs__range_arithmetic(EVS__OP_POW, a, b);
}

/* Functions of all their arguments at once fold `two` over them. */
static const struct {
    const char *name;
    one_argument *one;
    two_arguments *two;
} functions[] = {
    {"abs", evs__range_abs, NULL},   {"ceil", evs__range_ceil, NULL},
    {"exp", any_fraction, NULL},     {"floor", evs__range_floor, NULL},
    {"fmod", NULL, remainder_of},    {"log", any_fraction, NULL},
    {"log10", any_fraction, NULL},   {"max", NULL, evs__range_greatest},
    {"min", NULL, evs__range_least}, {"mod", NULL, remainder_of},
    {"pow", NULL, raised},           {"sqrt", root, NULL},
};

/* Of a list whose length is known; anything otherwise. */
static evs__range apply(const evs__builtin_call *call, one_argument *one, two_arguments *two)
{
    if (call->args.count == 0 || !evs__seq_exact(&call->args))
        return evs__range_any();
    evs__range all = evs__value_range(call->args.items[0].value);
    if (one != NULL)
        return one(&all);
    for (size_t i = 1; i < call->args.count; i++) {
        evs__range next = evs__value_range(call->args.items[i].value);
        all = two(&all, &next);
    }
    return all;
}

evs__seq evs__builtin_math(evs__interp *in, const evs__builtin_call *call)
{
    const char *name = call->callable->builtin->name;
    evs__range range = evs__range_any();
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (strcmp(functions[i].name, name) == 0)
            range = apply(call, functions[i].one, functions[i].two);
    const evs__value *value = evs__builtin_mix(in, call, EVS__TYPE_NUMBER);
    return evs__builtin_give(in, call, evs__value_ranged(in->pool, value, range));
}

/* The results of bit are words with a sign. */
evs__seq evs__builtin_bit(evs__interp *in, const evs__builtin_call *call)
{
    for (size_t i = 0; i < call->args.count; i++)
        evs__builtin_note(in, call, EVS__SIGHT_BITS, i);
    const evs__value *value = evs__builtin_mix(in, call, EVS__TYPE_NUMBER);
    return evs__builtin_give(
        in, call, evs__value_ranged(in->pool, value, evs__range_whole(WORD_MIN, WORD_MAX)));
}

/* Arguments become words first, and lose what is beyond. */
static evs__range random_range(const evs__builtin_call *call, const evs__range *first,
                               const evs__range *second)
{
    if (!evs__seq_exact(&call->args))
        return evs__range_any();
    if (call->args.count == 0)
        return evs__range_fraction(0, 1);
    const evs__range *last = call->args.count == 1 ? first : second;
    if (first->low < WORD_MIN || last->low < WORD_MIN || last->high > WORD_MAX ||
        first->high > WORD_MAX)
        return evs__range_whole(call->args.count == 1 ? 1 : WORD_MIN, WORD_MAX);
    return evs__range_whole(call->args.count == 1 ? 1 : floor(first->low), last->high);
}

/* random(), random(high), random(low, high) */
evs__seq evs__builtin_random(evs__interp *in, const evs__builtin_call *call)
{
    evs__range first = evs__value_range(evs__builtin_arg(in, call, 0));
    evs__range second = evs__value_range(evs__builtin_arg(in, call, 1));
    const evs__value *value = evs__value_data(in->pool, EVS__SOURCE_RANDOM, EVS__TYPE_NUMBER,
                                              call->site->at);
    return evs__builtin_give(
        in, call, evs__value_ranged(in->pool, value, random_range(call, &first, &second)));
}

evs__seq evs__builtin_length(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *value = evs__builtin_mix(in, call, EVS__TYPE_NUMBER);
    return evs__builtin_give(
        in, call, evs__value_ranged(in->pool, value, evs__range_whole(0, EVS__LENGTH_MAX)));
}
