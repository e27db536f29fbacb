/* ES412 - a loop waits for a time to come. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__loopfact *loop = facts->flow->loops; loop != NULL; loop = loop->next)
        if (loop->bound == EVS__BOUND_CLOCK)
            evs__finding_add(out, evs__span_public(facts->chunk, loop->at),
                             "the loop waits for a time, while nobody else is served");
}

const evs__rule evs__rule_waiting_loop = {
    .info =
        {
            .code = "ES412",
            .name = "waiting-loop",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_B,
            .why = "Since Redis 7.2 TIME stands still while a script runs, until the busy "
                   "threshold (5 s) has passed: the loop spins that long, whatever it waits "
                   "for. On older servers it blocks everyone for as long as it waits.",
            .bad = "local t = redis.call('TIME')[1]\n"
                   "repeat\n"
                   "  local now = redis.call('TIME')[1]\n"
                   "until now > t\n"
                   "return 1",
            .good = "return redis.call('TIME')[1]",
            .exceptions = "",
            .false_positives = "None known.",
            .server = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or "
                      "SHUTDOWN NOSAVE.",
            .fix = "wait in the client",
            .companions = "",
            .target = "",
        },
    .check = check,
};
