/* ES119 - a key is used after the script has deleted it. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nrevivals; i++) {
        const evs__revival *revival = &facts->revivals[i];
        evs_finding *finding = evs__finding_add(
            out, revival->at, "%s uses KEYS[%d] after it was deleted in line %d", revival->command,
            revival->index, revival->deleted_at.line);
        if (finding != NULL)
            evs__finding_steps(out, finding, revival->deleted_at, "is deleted here", revival->at,
                               "is used again");
    }
}

const evs__rule evs__rule_deleted_key_used_again = {
    .info =
        {
            .code = "ES119",
            .name = "deleted-key-used-again",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_B,
            .why = "While its slot moves to another node, a key that a script deletes "
                   "is gone from the old node for good: the next command that names "
                   "it is refused, although it was declared. What was deleted is "
                   "lost, and the script stops half-way. Taking the last element of a "
                   "list or the last field of a hash does the same.",
            .bad = "redis.call('DEL', KEYS[1])\n"
                   "return redis.call('RPUSH', KEYS[1], ARGV[1])",
            .good = "redis.call('RPUSH', KEYS[1], ARGV[1])\n"
                    "return redis.call('LTRIM', KEYS[1], -1, -1)",
            .exceptions = "keys at places that are not constants, and keys that are emptied "
                          "bit by bit",
            .false_positives = "Clusters whose slots never move, or move at once as Valkey 9 can.",
            .server = "ERR Script attempted to access a non local key in a cluster node",
            .fix = "overwrite with one command (SET, LTRIM, HSET), or write to a "
                   "second key of the same tag and RENAME it",
            .companions = "",
            .target = "",
        },
    .check = check,
};
