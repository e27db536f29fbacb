/* ES201 - a key that is passed and never used. */
#include "scripts/audit/reads.h"
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    const evs__expected *expected = &facts->setting->expected;
    evs__reads s = evs__reads_of(facts, EVS__GIVEN_KEYS);
    long declared = expected->keys_least == expected->keys_most ? expected->keys_most : -1;
    long last = declared >= 0 && declared <= EVS__READS_PLACES ? declared : s.highest;
    if (s.all || facts->has_functions || facts->ngaps > 0)
        return;
    for (int i = 1; i <= last; i++)
        if (!s.read[i])
            evs__finding_add(out, evs__reads_span(facts, EVS__GIVEN_KEYS, s.highest),
                             "KEYS[%d] is passed and never used", i);
}

const evs__rule evs__rule_unused_key = {
    .info =
        {
            .code = "ES201",
            .name = "unused-key",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_A,
            .why = "Every key that a caller passes has to be in the same slot, and "
                   "costs a permission. One that the script never looks at widens "
                   "both for nothing.",
            .bad = "return redis.call('GET', KEYS[1]) or redis.call('GET', KEYS[3])",
            .good = "return redis.call('GET', KEYS[1]) or redis.call('GET', KEYS[2])",
            .exceptions = "scripts that use KEYS as a whole, or at places that are no "
                          "constants; without a declared number of keys only gaps below the "
                          "highest place are reported",
            .false_positives = "Keys that are passed only to choose the node.",
            .server = "",
            .fix = "pass the others only",
            .companions = "",
            .target = "",
        },
    .check = check,
};
