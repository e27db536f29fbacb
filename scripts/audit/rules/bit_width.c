/* ES516 - bit.* is given more than 32 bits. */
#include "scripts/audit/rule.h"

static void look(const evs__facts *facts, evs__findings *out, const evs__sight *sight)
{
    (void)facts;
    if (sight->kind != EVS__SIGHT_BITS || sight->a->types != EVS__TYPE_NUMBER)
        return;
    if (sight->a->range.low >= 4294967296.0 || sight->a->range.high < -2147483648.0)
        evs__finding_add(out, sight->at, "bit works on 32 bits: what is above is lost");
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nsights; i++)
        if (!facts->sights[i]->doubtful)
            look(facts, out, facts->sights[i]);
}

const evs__rule evs__rule_bit_width = {
    .info =
        {
            .code = "ES516",
            .name = "bit-width",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_C,
            .why = "BitOp computes modulo 2^32, so the upper bits vanish without an error.",
            .bad = "return bit.band(2 ^ 40, 2 ^ 40)",
            .good = "return 2 ^ 40",
            .exceptions = "Numbers that may fit.",
            .false_positives = "None: each number that gets there has more than 32 bits.",
            .server = "",
            .fix = "split it: math.floor(x / 2^32) and x % 2^32",
            .companions = "",
            .target = "",
        },
    .check = check,
};
