/* ES610 - writes that replicas do not get. */
#include "scripts/audit/rule.h"

static const evs__commanduse *write_behind(const evs__flow *flow, const evs__apiuse *off)
{
    for (const evs__commanduse *use = flow->commands; use != NULL; use = use->next)
        for (size_t i = 0; (use->command->flags & EVS__COMMAND_WRITE) && i < use->repl->natoms; i++)
            if (use->repl->atoms[i]->enters.start == off->at.start)
                return use;
    return NULL;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__apiuse *use = facts->flow->apis; use != NULL; use = use->next) {
        const evs__commanduse *write = evs__is_api(use, "redis", "set_repl")
                                           ? write_behind(facts->flow, use)
                                           : NULL;
        if (write == NULL)
            continue;
        evs_finding *found = evs__finding_add(
            out, evs__span_public(facts->chunk, use->at),
            "what %s writes behind it does not reach all replicas and the append-only file",
            write->command->name);
        evs__finding_step(out, facts, found, use->at, "replication is switched off");
        evs__finding_step(out, facts, found, write->at, "and this is written");
    }
}

const evs__rule evs__rule_replication_bypass = {
    .info =
        {
            .code = "ES610",
            .name = "replication-bypass",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_A,
            .why = "Primary and replicas, or memory and file, no longer hold the same: after a "
                   "failover or a restart the data is gone.",
            .bad = "redis.set_repl(redis.REPL_NONE)\n"
                   "redis.call('SET', KEYS[1], '1')\n"
                   "return 1",
            .good = "redis.call('SET', KEYS[1], '1')\n"
                    "return 1",
            .exceptions = "",
            .false_positives = "Data that may be lost on purpose: suppress with the reason.",
            .server = "",
            .fix = "leave set_repl out",
            .companions = "",
            .target = "",
        },
    .check = check,
};
