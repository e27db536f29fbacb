/* ES111 - SORT looks at keys that nobody passed. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nuses; i++) {
        const evs__keyuse *use = &facts->uses[i];
        if (use->pattern && use->verdict == EVS_VERDICT_UNDECLARED)
            evs__finding_add(out, use->at, "%s looks at keys that this pattern names",
                             use->command);
    }
}

const evs__rule evs__rule_sort_external_pattern = {
    .info =
        {
            .code = "ES111",
            .name = "sort-external-pattern",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "BY and GET with a pattern make SORT read a key for each element. "
                   "Clusters refuse that; since Redis 7.4 and Valkey 8.0 they allow "
                   "it when the pattern has the hash tag of the sorted key. No key is "
                   "declared either way.",
            .bad = "return redis.call('SORT', KEYS[1], 'BY', 'w_*')",
            .good = "return redis.call('SORT', KEYS[1], 'BY', 'nosort')",
            .exceptions = "BY nosort and GET #",
            .false_positives = "A pattern with the tag of the sorted key works on a cluster of "
                               "newer servers while no slot moves.",
            .server = "ERR BY option of SORT denied in Cluster mode.",
            .fix = "keep what to sort by in a sorted set",
            .companions = "",
            .target = "",
        },
    .check = check,
};
