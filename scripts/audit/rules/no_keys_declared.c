/* ES110 - a script that uses keys and takes none. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

static const evs__keyuse *first_undeclared(const evs__facts *facts)
{
    for (size_t i = 0; i < facts->nuses; i++)
        if (facts->uses[i].verdict == EVS_VERDICT_UNDECLARED)
            return &facts->uses[i];
    return NULL;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    const evs__keyuse *use = first_undeclared(facts);
    for (size_t i = 0; i < facts->naccesses; i++)
        if (facts->accesses[i].given == EVS__GIVEN_KEYS)
            return;
    if (use != NULL && facts->ngaps == 0)
        evs__finding_add(out, use->at, "it uses keys and never looks at KEYS");
}

const evs__rule evs__rule_no_keys_declared = {
    .info =
        {
            .code = "ES110",
            .name = "no-keys-declared",
            .severity = EVS_SEVERITY_NOTE,
            .tier = EVS_TIER_A,
            .why = "A call without keys goes to any node. Some services refuse "
                   "scripts without keys altogether.",
            .bad = "return redis.call('INCR', 'hits')",
            .good = "return redis.call('INCR', KEYS[1])",
            .exceptions = "scripts that touch no key",
            .false_positives = "None.",
            .server = "ERR Lua scripts without any input keys are not supported.",
            .fix = "pass the keys in KEYS",
            .companions = "ES101",
            .target = "",
        },
    .check = check,
};
