/* ES613 - a local variable hides KEYS, redis, or another table of the sandbox. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__nameuse *use = facts->flow->names; use != NULL; use = use->next)
        if (use->kind == EVS__NAME_SHADOW)
            evs__finding_add(out, evs__span_public(facts->chunk, use->at),
                             "%s is another thing than the global of that name", use->name);
}

const evs__rule evs__rule_shadowed_builtin = {
    .info =
        {
            .code = "ES613",
            .name = "shadowed-builtin",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_C,
            .why = "It fools readers, and tools that look for KEYS[...] and redis.call by name "
                   "alone.",
            .bad = "local KEYS = { 'a' }\n"
                   "return redis.call('GET', KEYS[1])",
            .good = "local keys = KEYS\n"
                    "return redis.call('GET', keys[1])",
            .exceptions = "local KEYS = KEYS",
            .false_positives = "None.",
            .server = "",
            .fix = "give it another name",
            .companions = "ES101 ES110",
            .target = "",
        },
    .check = check,
};
