/* ES903 - a function that is never called. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nunreached; i++)
        evs__finding_add(out, facts->unreached[i].at,
                         "this function is never called: its commands have no verdict");
}

const evs__rule evs__rule_unreached_function = {
    .info =
        {
            .code = "ES903",
            .name = "unreached-function",
            .severity = EVS_SEVERITY_NOTE,
            .tier = EVS_TIER_B,
            .why = "Nothing is known of what it would be called with, so its commands "
                   "get no verdict: they count neither as declared nor as undeclared.",
            .bad = "local function unused(k) return redis.call('GET', k) end\n"
                   "return 1",
            .good = "return 1",
            .exceptions = "functions without commands; scripts of which something was not "
                          "followed",
            .false_positives = "Libraries of helpers that other files are put together with.",
            .server = "",
            .fix = "take it out, or call it",
            .companions = "",
            .target = "",
        },
    .check = check,
};
