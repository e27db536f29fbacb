/* ES202 - a key beyond those that are passed. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    long most = facts->setting->expected.keys_most;
    for (size_t i = 0; i < facts->naccesses; i++) {
        const evs__access *access = &facts->accesses[i];
        if (access->given == EVS__GIVEN_KEYS && access->kind == EVS__ACCESS_INDEX && most >= 0 &&
            access->index > most)
            evs__finding_add(out, access->at, "KEYS[%d] is never passed: there %s %ld",
                             access->index, most == 1 ? "is" : "are", most);
    }
}

const evs__rule evs__rule_key_index_out_of_range = {
    .info =
        {
            .code = "ES202",
            .name = "key-index-out-of-range",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "Callers pass as many keys as the script declares. What is behind "
                   "them is nil, and no command takes nil.",
            .bad = "-- evalshard: keys=1\n"
                   "return redis.call('MGET', KEYS[1], KEYS[2])",
            .good = "-- evalshard: keys=2\n"
                    "return redis.call('MGET', KEYS[1], KEYS[2])",
            .exceptions = "",
            .false_positives = "When the declared number is wrong.",
            .server = "ERR Lua redis lib command arguments must be strings or integers",
            .fix = "declare the key, or do not use it",
            .companions = "",
            .target = "",
        },
    .check = check,
};
