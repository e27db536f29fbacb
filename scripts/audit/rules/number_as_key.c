/* ES115 - a name is made of a number that is not written exactly. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

/* Numbers that `..` certainly shows with an exponent, all of them alike. */
static int loses_digits(const evs__value *value)
{
    const evs__range *range = &value->range;
    return value->types == EVS__TYPE_NUMBER && !evs__range_is_none(range) &&
           (range->low >= EVS__EXPONENT_MIN || range->high <= -EVS__EXPONENT_MIN);
}

static void check_names(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nsights; i++) {
        const evs__sight *sight = facts->sights[i];
        if (sight->kind != EVS__SIGHT_CONCAT || sight->doubtful)
            continue;
        if (loses_digits(sight->a) || loses_digits(sight->b))
            evs__finding_add(out, sight->at,
                             "a number of 1e14 or more loses digits in a string: %s",
                             "different numbers become one name");
    }
}

/* May the number have a fraction, or an exponent? */
static int is_plain(const evs__value *value)
{
    const evs__range *range = &value->range;
    return range->fraction == EVS__FRACTION_NONE && !range->nan &&
           range->low > -EVS__EXPONENT_MIN && range->high < EVS__EXPONENT_MIN;
}

static void check_keys(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nuses; i++) {
        const evs__keyuse *use = &facts->uses[i];
        if (use->verdict != EVS_VERDICT_UNREACHED &&
            (use->value->types & ~(unsigned)EVS__TYPE_NIL) == EVS__TYPE_NUMBER &&
            !is_plain(use->value))
            evs__finding_add(out, use->at,
                             "the key of %s is a number: servers do not agree how to "
                             "write it",
                             use->command);
    }
}

static void check(const evs__facts *facts, evs__findings *out)
{
    check_names(facts, out);
    check_keys(facts, out);
}

const evs__rule evs__rule_number_as_key = {
    .info =
        {
            .code = "ES115",
            .name = "number-as-key",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_B,
            .why = "Lua's .. writes a number with 14 digits: from 1e14 on the name is "
                   "1e+14 and different numbers get one name. A number that is passed "
                   "to a command is written by other rules, which changed from "
                   "version to version.",
            .bad = "local t = redis.call('TIME')\n"
                   "local us = t[1] * 1000000 + t[2]\n"
                   "return 'evt:' .. us",
            .good = "local t = redis.call('TIME')\n"
                    "return 'evt:' .. string.format('%.0f', t[1] * 1000000 + t[2])",
            .exceptions = "numbers that may be small, unless they are a whole key",
            .false_positives = "None for names; a key that is a number is right while it is a "
                               "small whole one.",
            .server = "",
            .fix = "write it with string.format('%.0f', n)",
            .companions = "ES510",
            .target = "",
        },
    .check = check,
};
