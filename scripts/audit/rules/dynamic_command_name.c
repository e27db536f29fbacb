/* ES107 - the name of a command is not a constant. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->ncalls; i++) {
        const evs__callfact *call = &facts->calls[i];
        if (call->kind == EVS__CALL_DYNAMIC)
            evs__finding_add(out, call->at, "the command is %s, not a constant", call->name);
    }
}

const evs__rule evs__rule_dynamic_command_name = {
    .info =
        {
            .code = "ES107",
            .name = "dynamic-command-name",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_A,
            .why = "When the command is not known, nothing about keys, writes or arguments can be "
                   "proved. A choice between constants is fine: each of them is checked.",
            .bad = "return redis.call(ARGV[1], KEYS[1], ARGV[2])",
            .good = "local cmd = ARGV[1] == 'L' and 'LPUSH' or 'RPUSH'\n"
                    "return redis.call(cmd, KEYS[1], ARGV[2])",
            .exceptions = "functions that only pass a constant on are followed and not reported",
            .false_positives =
                "Wrappers that are called with constants alone are followed and not reported.",
            .server = "",
            .fix = "choose between constants",
            .companions = "",
            .target = "",
        },
    .check = check,
};
