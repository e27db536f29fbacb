/* ES402 - a loop that may go on for ever, with a write before or inside. */
#include "scripts/audit/rule.h"

static int is_endless(const evs__loopfact *loop)
{
    return loop->bound == EVS__BOUND_UNPROVEN || loop->bound == EVS__BOUND_NONE ||
           loop->bound == EVS__BOUND_CLOCK;
}

static void report(const evs__facts *facts, evs__findings *out, const evs__loopfact *loop)
{
    int before = evs__happened(loop->written);
    evs_finding *found = evs__finding_add(out, evs__span_public(facts->chunk, loop->at),
                                          "nothing shows that the loop ends, and SCRIPT KILL does "
                                          "not stop it once something was written %s",
                                          before ? "before it" : "in it");
    evs__finding_step(out, facts, found, before ? loop->written->atoms[0]->enters : loop->write_at,
                      "something is written here");
    evs__finding_step(out, facts, found, loop->at, "and the loop goes on");
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__loopfact *loop = facts->flow->loops; loop != NULL; loop = loop->next)
        if (is_endless(loop) && (evs__happened(loop->written) || loop->write_at.end != 0))
            report(facts, out, loop);
    for (const evs__cyclefact *cycle = facts->flow->cycles; cycle != NULL; cycle = cycle->next) {
        if (cycle->descends || !cycle->tail || !evs__happened(cycle->written))
            continue;
        evs_finding *found = evs__finding_add(out, evs__span_public(facts->chunk, cycle->at),
                                              "nothing shows that the recursion ends, and SCRIPT "
                                              "KILL does not stop it once something was written");
        evs__finding_step(out, facts, found, cycle->written->atoms[0]->enters,
                          "something is written here");
    }
}

const evs__rule evs__rule_unkillable_loop = {
    .info =
        {
            .code = "ES402",
            .name = "unkillable-loop",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "Once a command that writes was called, even one that changed nothing, "
                   "SCRIPT KILL answers UNKILLABLE; only SHUTDOWN NOSAVE is left, which loses "
                   "what was not saved.",
            .bad = "redis.call('SET', KEYS[1], '1')\n"
                   "while redis.call('LLEN', KEYS[2]) > 0 do\n"
                   "  redis.call('LPUSH', KEYS[2], 'x')\n"
                   "end\n"
                   "return 1",
            .good = "local n = math.min(redis.call('LLEN', KEYS[2]), 1000)\n"
                    "for _ = 1, n do\n"
                    "  redis.call('LPOP', KEYS[2])\n"
                    "end\n"
                    "return n",
            .exceptions = "loops that take elements from a collection end with it (ES405)",
            .false_positives =
                "The loop ends for a reason that only its author sees: count its rounds, or "
                "suppress with that reason.",
            .server = "UNKILLABLE Sorry the script already executed write commands against the "
                      "dataset. You can either wait the script termination or kill the server in "
                      "a hard way using the SHUTDOWN NOSAVE command.",
            .fix = "count the rounds, and leave after the last",
            .companions = "",
            .target = "",
        },
    .check = check,
};
