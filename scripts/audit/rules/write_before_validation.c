/* ES409 - the script fails after it wrote. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__late_failure *late = facts->flow->late; late != NULL; late = late->next) {
        evs_finding *found = evs__finding_add(out, evs__span_public(facts->chunk, late->at),
                                              "%s may follow a %s, which stays", late->how,
                                              late->command);
        evs__finding_step(out, facts, found, late->write_at, "is written here");
        evs__finding_step(out, facts, found, late->at, "and then the script fails");
    }
}

const evs__rule evs__rule_write_before_validation = {
    .info =
        {
            .code = "ES409",
            .name = "write-before-validation",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_B,
            .why = "Scripts are isolated, not transactional: when one fails, what it wrote "
                   "before stays. The caller sees an error and believes that nothing happened.",
            .bad = "redis.call('DECR', KEYS[1])\n"
                   "if tonumber(ARGV[1]) > 10 then return redis.error_reply('ERR too many') end\n"
                   "return 1",
            .good = "if tonumber(ARGV[1]) > 10 then return redis.error_reply('ERR too many') end\n"
                    "return redis.call('DECR', KEYS[1])",
            .exceptions =
                "a write in the same branch as the failure, a branch that tests what that "
                "write answered, errors of commands that are passed on",
            .false_positives =
                "The write is meant to stay (it counts attempts, say): suppress with that "
                "reason.",
            .server = "",
            .fix = "check everything first, then write",
            .companions = "",
            .target = "",
        },
    .check = check,
};
