/* ES403 - a loop that may go on for ever. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__loopfact *loop = facts->flow->loops; loop != NULL; loop = loop->next)
        if (loop->bound == EVS__BOUND_UNPROVEN && !evs__happened(loop->written) &&
            loop->write_at.end == 0)
            evs__finding_add(out, evs__span_public(facts->chunk, loop->at),
                             "nothing shows that the loop ends");
}

const evs__rule evs__rule_unproven_loop_bound = {
    .info =
        {
            .code = "ES403",
            .name = "unproven-loop-bound",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_A,
            .why = "A loop that goes on for ever can be killed as long as nothing was written, "
                   "but until then the server answers nobody. Known to end are: a counter "
                   "against a limit that stays the same, a table that table.remove shortens, a "
                   "number that is halved, a position that moves through a string, a "
                   "collection that elements are taken from.",
            .bad = "local s = ARGV[1]\n"
                   "while s ~= '' do s = string.gsub(s, 'a', 'aa') end\n"
                   "return s",
            .good = "local s = ARGV[1]\n"
                    "for i = 1, #s do s = string.sub(s, i) end\n"
                    "return s",
            .exceptions = "with a write before or inside it is ES402",
            .false_positives =
                "The loop ends for a reason that only its author sees: count its rounds, or "
                "suppress with that reason.",
            .server = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or "
                      "SHUTDOWN NOSAVE.",
            .fix = "use a numeric for, or count the rounds",
            .companions = "",
            .target = "",
        },
    .check = check,
};
