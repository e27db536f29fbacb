/* ES904 - two places say different things about what callers pass. */
#include "scripts/audit/directive.h"
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    const evs__remarks *conflicts = &facts->directives->conflicts;
    for (size_t i = 0; i < conflicts->count; i++)
        evs__finding_add(out, conflicts->items[i].at, "%s", conflicts->items[i].message);
}

const evs__rule evs__rule_contract_conflict = {
    .info =
        {
            .code = "ES904",
            .name = "contract-conflict",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_A,
            .why = "How many keys a script gets is said by its header block, by a comment, by "
                   "the settings or by its name. When they differ, one of them is wrong, and the "
                   "rules that count believed one of them.",
            .bad = "--- Reads a value.\n-- @key name\n-- evalshard: keys=2\n"
                   "return redis.call('MGET', KEYS[1], KEYS[2])",
            .good = "--- Reads a value.\n-- @key name\n-- evalshard: keys=1\n"
                    "return redis.call('GET', KEYS[1])",
            .exceptions = "",
            .false_positives = "None.",
            .server = "",
            .fix = "say it once",
            .companions = "",
            .target = "",
        },
    .check = check,
    .late = 1,
};
