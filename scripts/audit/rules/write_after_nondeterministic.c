/* ES701 - a write after a command whose reply differs from server to server. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    evs__since effects = {EVS__VERSION(5, 0), EVS__VERSION_ALWAYS},
               choice = {EVS__VERSION(3, 2), EVS__VERSION_ALWAYS};
    const evs__target *old = evs__target_before(&facts->setting->targets, effects);
    if (old == NULL)
        return;
    int never = evs__target_before(&facts->setting->targets, choice) != NULL;
    for (const evs__commanduse *use = facts->flow->commands; use != NULL; use = use->next) {
        if (!(use->command->flags & EVS__COMMAND_WRITE) || !evs__happened(use->random))
            continue;
        const evs__atom *random = use->random->atoms[0];
        evs_finding *found = evs__finding_add(
            out, evs__span_public(facts->chunk, use->at),
            "%s may not follow %.*s before Redis 5.0%s", use->command->name, (int)random->text.len,
            random->text.data, never ? "" : " without replicate_commands");
        evs__finding_step(out, facts, found, random->enters, "gives another reply on a replica");
        evs__finding_step(out, facts, found, use->at, "is refused here");
    }
}

const evs__rule evs__rule_write_after_nondeterministic = {
    .info =
        {
            .code = "ES701",
            .name = "write-after-nondeterministic",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "Servers before 5.0 send the script itself to their replicas, not what it "
                   "did: after a reply that would be another one there, they refuse to write.",
            .bad = "local t = redis.call('TIME')[1]\n"
                   "return redis.call('SET', KEYS[1], t)",
            .good = "redis.replicate_commands()\n"
                    "local t = redis.call('TIME')[1]\n"
                    "return redis.call('SET', KEYS[1], t)",
            .exceptions = "",
            .false_positives = "Targets from 5.0 on have no finding; 5.0 to 6.2 refuse it too when "
                               "lua-replicate-commands is off.",
            .server = "Write commands not allowed after non deterministic commands. Call "
                      "redis.replicate_commands() at the start of your script in order to switch "
                      "to single commands replication mode.",
            .fix = "call redis.replicate_commands() first, or pass the value as an argument",
            .companions = "",
            .target = "redis:4.0",
        },
    .check = check,
};
