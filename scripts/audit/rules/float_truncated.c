/* ES508 - a fraction is returned. */
#include "scripts/audit/rule.h"

static void look(const evs__facts *facts, evs__findings *out, const evs__sight *sight)
{
    (void)facts;
    if (sight->kind != EVS__SIGHT_RETURNED || !evs__value_is_number(sight->a))
        return;
    const evs__range *range = &sight->a->range;
    if (range->low >= EVS__INTEGER_END || range->high < -EVS__INTEGER_END)
        evs__finding_add(out, sight->at,
                         "a number is returned that no integer reply can hold: the "
                         "client gets -9223372036854775808");
    else if (range->fraction == EVS__FRACTION_BY_SCRIPT)
        evs__finding_add(out, sight->at,
                         "a number with a fraction is returned: the client gets "
                         "its whole part");
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nsights; i++)
        if (!facts->sights[i]->doubtful)
            look(facts, out, facts->sights[i]);
}

const evs__rule evs__rule_float_truncated = {
    .info =
        {
            .code = "ES508",
            .name = "float-truncated",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_A,
            .why = "Numbers become integers: 3.99 arrives as 3, infinity, NaN and 1e300 as "
                   "-9223372036854775808.",
            .bad = "return tonumber(ARGV[1]) / 2",
            .good = "return tostring(tonumber(ARGV[1]) / 2)",
            .exceptions = "What is rounded by math.floor or math.ceil, and numbers that come from "
                          "outside as they are.",
            .false_positives = "When cutting it is what is wanted: math.floor says so.",
            .server = "",
            .fix = "return tostring(x), or math.floor(x)",
            .companions = "",
            .target = "",
        },
    .check = check,
};
