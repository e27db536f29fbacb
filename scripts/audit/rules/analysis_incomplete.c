/* ES006 - something the audit did not follow. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->ngaps; i++)
        evs__finding_add(out, facts->gaps[i].at, "not followed: %s", facts->gaps[i].reason);
}

const evs__rule evs__rule_analysis_incomplete = {
    .info =
        {
            .code = "ES006",
            .name = "analysis-incomplete",
            .severity = EVS_SEVERITY_NOTE,
            .tier = EVS_TIER_A,
            .why = "A proof must say where it stopped. Code that is compiled while the script "
                   "runs, coroutines, metamethods and functions that may be any function can hide "
                   "accesses to keys; the script counts as unproven at best.",
            .bad = "local f = loadstring(ARGV[1])\n"
                   "return f()",
            .good = "return redis.call('GET', KEYS[1])",
            .exceptions = "",
            .false_positives = "None: it says where the proof stopped. Such code is reported by "
                               "design and never counts as declared.",
            .server = "",
            .fix = "write it so that it can be followed, or review it by hand",
            .companions = "ES607",
            .target = "",
        },
    .check = check,
};
