/* ES106 - a key is taken from KEYS on one path only. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nuses; i++) {
        const evs__keyuse *use = &facts->uses[i];
        for (size_t k = 0; k < use->ncauses; k++) {
            const evs__cause *cause = &use->causes[k];
            if (cause->origin == EVS__FROM_EITHER)
                evs__finding_add_use(
                    out, use, cause, "key of %s is %s on one path and %s%s on another",
                    use->command, cause->key, cause->changed ? "built from " : "", cause->what);
        }
    }
}

const evs__rule evs__rule_fallback_key = {
    .info =
        {
            .code = "ES106",
            .name = "fallback-key",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "It works in tests, where the key is passed, and breaks in production, where it"
                   " is left out.",
            .bad = "local k = KEYS[2] or 'default'\n"
                   "return redis.call('GET', k)",
            .good = "if not KEYS[2] then return redis.error_reply('ERR 2 keys needed') end\n"
                    "return redis.call('GET', KEYS[2])",
            .exceptions = "a test before the use that excludes the other path in a way that is not "
                          "understood makes it unproven instead",
            .false_positives = "A guard against the other path that the audit does not understand "
                               "makes the key unproven (ES105) rather than wrong.",
            .server = "ERR Script attempted to access a non local key in a cluster node",
            .fix = "require the key, and return an error when it is missing",
            .companions = "ES201",
            .target = "",
        },
    .check = check,
};
