/* ES112 - the script changes KEYS. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->naccesses; i++) {
        const evs__access *access = &facts->accesses[i];
        if (access->given == EVS__GIVEN_KEYS && access->kind == EVS__ACCESS_WRITE)
            evs__finding_add(out, access->at,
                             "KEYS is changed here: it no longer is what was "
                             "passed");
    }
}

const evs__rule evs__rule_keys_table_mutated = {
    .info =
        {
            .code = "ES112",
            .name = "keys-table-mutated",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_B,
            .why = "KEYS is an ordinary table. Once it was changed, a key that is "
                   "written KEYS[2] need not be one that was declared, and who reads "
                   "the script is misled.",
            .bad = "KEYS[2] = KEYS[1] .. ':x'\n"
                   "return redis.call('GET', KEYS[2])",
            .good = "local meta = KEYS[2]\n"
                    "return redis.call('GET', meta)",
            .exceptions = "table.remove(KEYS, 1), which takes the keys one by one",
            .false_positives = "None.",
            .server = "",
            .fix = "put it into a variable of its own",
            .companions = "ES104",
            .target = "",
        },
    .check = check,
};
