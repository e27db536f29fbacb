/* ES304 - a command that some server of the target does not have. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->ncalls; i++) {
        const evs__callfact *call = &facts->calls[i];
        if (call->kind != EVS__CALL_KNOWN)
            continue;
        const evs__target *old = evs__target_before(&facts->setting->targets, call->command->since);
        if (old != NULL && !facts->asks_version)
            evs__finding_add(out, call->at, "%s %d.%d has no %s (--target says where it runs)",
                             evs__target_name(old), old->min >> 8, old->min & 255,
                             call->command->name);
    }
}

const evs__rule evs__rule_command_newer_than_target = {
    .info =
        {
            .code = "ES304",
            .name = "command-newer-than-target",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "It works where it was written, and fails on the oldest server "
                   "that the script has to run on.",
            .bad = "return redis.call('EXPIRETIME', KEYS[1])",
            .good = "return redis.call('TTL', KEYS[1])",
            .exceptions = "scripts that look at the version of their server",
            .false_positives = "When the target is wider than the servers there are: say which "
                               "with --target.",
            .server = "ERR Unknown Redis command called from script",
            .fix = "use what the oldest server has",
            .companions = "",
            .target = "redis:6.2",
        },
    .check = check,
};
