/* ES510 - a great number becomes text. */
#include "scripts/audit/rule.h"

static int is_great(const evs__value *value)
{
    return value != NULL && value->types == EVS__TYPE_NUMBER &&
           (value->range.low >= EVS__EXPONENT_MIN || value->range.high <= -EVS__EXPONENT_MIN);
}

static void look(const evs__facts *facts, evs__findings *out, const evs__sight *sight)
{
    (void)facts;
    int shown = sight->kind == EVS__SIGHT_SHOWN && is_great(sight->a);
    int joined = sight->kind == EVS__SIGHT_CONCAT && (is_great(sight->a) || is_great(sight->b));
    if (shown || joined)
        evs__finding_add(out, sight->at,
                         "a number of 1e14 or more becomes text, with an exponent "
                         "and 14 digits: 1.7952352481e+15");
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nsights; i++)
        if (!facts->sights[i]->doubtful)
            look(facts, out, facts->sights[i]);
}

const evs__rule evs__rule_number_to_string_exponent = {
    .info =
        {
            .code = "ES510",
            .name = "number-to-string-exponent",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_A,
            .why = "tostring, .. and %s write 14 digits. A clock in microseconds is always "
                   "above.",
            .bad = "local t = redis.call('TIME')\n"
                   "return (t[1] * 1000000 + t[2]) .. ''",
            .good = "local t = redis.call('TIME')\n"
                    "return string.format('%.0f', t[1] * 1000000 + t[2])",
            .exceptions = "Numbers that may be smaller: counters, lengths.",
            .false_positives = "None: each number that gets there is at least 1e14.",
            .server = "",
            .fix = "string.format('%.0f', x)",
            .companions = "ES115",
            .target = "",
        },
    .check = check,
};
