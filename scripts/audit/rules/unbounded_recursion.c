/* ES407 - a function calls itself without coming nearer to an end. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__cyclefact *cycle = facts->flow->cycles; cycle != NULL; cycle = cycle->next)
        if (!cycle->descends)
            evs__finding_add(out, evs__span_public(facts->chunk, cycle->at),
                             "nothing shows that the recursion ends: no argument gets smaller");
}

const evs__rule evs__rule_unbounded_recursion = {
    .info =
        {
            .code = "ES407",
            .name = "unbounded-recursion",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_B,
            .why = "Lua gives up between 16,000 and 20,000 nested calls, and what was written "
                   "until then stays. A recursion that follows links in stored data goes as "
                   "deep as whoever stored them wanted.",
            .bad = "local function f(n) return 1 + f(n + 1) end\n"
                   "return f(1)",
            .good = "local function f(n) if n <= 0 then return 0 end return 1 + f(n - 1) end\n"
                    "return f(10)",
            .exceptions =
                "an argument that is a number less a constant and compared, a counted depth "
                "that is compared, or a part of a parameter (no decoded table holds itself)",
            .false_positives =
                "The data is known to have no long chains: count the depth as a parameter, "
                "and stop at a limit.",
            .server = "ERR user_script:1: stack overflow",
            .fix = "pass a depth, and stop at a limit",
            .companions = "",
            .target = "",
        },
    .check = check,
};
