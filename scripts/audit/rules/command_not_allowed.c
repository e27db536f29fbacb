/* ES302 - a command that scripts may not call. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->ncalls; i++) {
        const evs__callfact *call = &facts->calls[i];
        if (call->kind != EVS__CALL_KNOWN)
            continue;
        evs__since allowed = call->command->allowed;
        const evs__target *old = evs__target_before(&facts->setting->targets, allowed);
        if (old == NULL)
            continue;
        if (allowed.redis == EVS__VERSION_NEVER)
            evs__finding_add(out, call->at, "%s is not allowed in scripts", call->command->name);
        else
            evs__finding_add(out, call->at, "%s is not allowed in scripts of %s %d.%d",
                             call->command->name, evs__target_name(old), old->min >> 8,
                             old->min & 255);
    }
}

const evs__rule evs__rule_command_not_allowed = {
    .info =
        {
            .code = "ES302",
            .name = "command-not-allowed",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "The server refuses some commands inside scripts: those that block, change the "
                   "connection, or run scripts.",
            .bad = "redis.call('CONFIG', 'SET', 'maxmemory', '1gb')",
            .good = "return redis.call('MEMORY', 'USAGE', KEYS[1])",
            .exceptions =
                "Redis 7.2 began to allow the blocking pops of lists and sorted sets, and WAIT",
            .false_positives = "None: it is in the server's own command table.",
            .server = "ERR This Redis command is not allowed from script",
            .fix = "",
            .companions = "",
            .target = "",
        },
    .check = check,
};
