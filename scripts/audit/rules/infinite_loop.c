/* ES401 - a loop without a way out. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__loopfact *loop = facts->flow->loops; loop != NULL; loop = loop->next)
        if (loop->bound == EVS__BOUND_NONE)
            evs__finding_add(out, evs__span_public(facts->chunk, loop->at),
                             "the loop never ends: nothing in it can leave it");
}

const evs__rule evs__rule_infinite_loop = {
    .info =
        {
            .code = "ES401",
            .name = "infinite-loop",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "After busy-reply-threshold (5 s) the server answers BUSY to everyone, "
                   "until somebody kills the script. A loop that only an error of a command "
                   "can end is no better.",
            .bad = "while true do\n"
                   "  redis.pcall('GET', KEYS[1])\n"
                   "end",
            .good = "for _ = 1, 10 do\n"
                    "  redis.call('GET', KEYS[1])\n"
                    "end",
            .exceptions = "",
            .false_positives =
                "None: a break, a return, error() or an assert that may fail is a way out.",
            .server = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or "
                      "SHUTDOWN NOSAVE.",
            .fix = "count the rounds, and leave after the last",
            .companions = "",
            .target = "",
        },
    .check = check,
};
