/* ES306 - a command that has a successor. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->ncalls; i++) {
        const evs__callfact *call = &facts->calls[i];
        if (call->kind == EVS__CALL_KNOWN && call->command->replaced_by != NULL)
            evs__finding_add(out, call->at, "%s is deprecated: use %s", call->command->name,
                             call->command->replaced_by);
    }
}

const evs__rule evs__rule_deprecated_command = {
    .info =
        {
            .code = "ES306",
            .name = "deprecated-command",
            .severity = EVS_SEVERITY_NOTE,
            .tier = EVS_TIER_C,
            .why = "It works, and new options come to its successor alone.",
            .bad = "return redis.call('HMSET', KEYS[1], 'f', 'v')",
            .good = "return redis.call('HSET', KEYS[1], 'f', 'v')",
            .exceptions = "",
            .false_positives = "All of them, for who does not care: it runs only when it is "
                               "selected.",
            .server = "",
            .fix = "use the successor",
            .companions = "",
            .target = "",
        },
    .check = check,
};
