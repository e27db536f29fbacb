/* ES404 - an argument says how often something is done. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__loopfact *loop = facts->flow->loops; loop != NULL; loop = loop->next)
        if (loop->bound == EVS__BOUND_CALLER)
            evs__finding_add(out, evs__span_public(facts->chunk, loop->at),
                             "%s says how often the loop is gone round, without a limit",
                             loop->what);
    for (const evs__apiuse *use = facts->flow->apis; use != NULL; use = use->next)
        if (evs__is_api(use, "string", "rep") && use->size != NULL)
            evs__finding_add(out, evs__span_public(facts->chunk, use->at),
                             "%s says how long the string gets, without a limit", use->size);
}

const evs__rule evs__rule_caller_controlled_bound = {
    .info =
        {
            .code = "ES404",
            .name = "caller-controlled-bound",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_B,
            .why = "One argument decides how long every client waits; `for i = 1, 1e9` after a "
                   "write cannot even be killed.",
            .bad = "for i = 1, tonumber(ARGV[1]) do redis.call('INCR', KEYS[1]) end\n"
                   "return 1",
            .good =
                "for i = 1, math.min(tonumber(ARGV[1]), 1000) do redis.call('INCR', KEYS[1]) end\n"
                "return 1",
            .exceptions = "#KEYS and #ARGV (the client has paid for them), and numbers that are "
                          "compared with a limit before",
            .false_positives =
                "Callers that can be trusted with the number; a math.min says it for all "
                "time.",
            .server = "",
            .fix = "clamp it with math.min",
            .companions = "",
            .target = "",
        },
    .check = check,
};
