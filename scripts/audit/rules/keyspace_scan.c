/* ES109 - a command that works on all keys of one node. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->ncalls; i++) {
        const evs__callfact *call = &facts->calls[i];
        if (call->kind == EVS__CALL_KNOWN && (call->command->flags & EVS__COMMAND_NODE_LOCAL))
            evs__finding_add(out, call->at, "%s works on all keys of one node",
                             call->command->name);
    }
}

const evs__rule evs__rule_keyspace_scan = {
    .info =
        {
            .code = "ES109",
            .name = "keyspace-scan",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "KEYS, SCAN, RANDOMKEY, DBSIZE, FLUSHALL, FLUSHDB and SWAPDB see "
                   "one node of many, hold up everybody while they go through all "
                   "keys, and what they find was declared by nobody.",
            .bad = "for _, k in ipairs(redis.call('KEYS', 'tmp:*')) do "
                   "redis.call('DEL', k) end",
            .good = "return redis.call('DEL', unpack(KEYS))",
            .exceptions = "",
            .false_positives = "Maintenance of a single instance: choose the profile standalone.",
            .server = "",
            .fix = "pass the keys, or keep their names in a set with the same tag",
            .companions = "ES405 ES103 ES110",
            .target = "",
        },
    .check = check,
};
