/* ES105 - nobody knows where a key comes from. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nuses; i++) {
        const evs__keyuse *use = &facts->uses[i];
        for (size_t k = 0; k < use->ncauses; k++) {
            const evs__cause *cause = &use->causes[k];
            if (cause->origin == EVS__FROM_UNKNOWN && !cause->unlocated)
                evs__finding_add_use(out, use, cause, "key of %s is not proven: %s", use->command,
                                     cause->what);
        }
    }
}

const evs__rule evs__rule_unproven_key = {
    .info =
        {
            .code = "ES105",
            .name = "unproven-key",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_A,
            .why = "The audit lost track of the value, or could not separate a key from something "
                   "else. The message names the cause, so that the script can be rewritten.",
            .bad = "local t = cjson.decode(ARGV[1])\n"
                   "local pick = { KEYS[1], t }\n"
                   "return redis.call('GET', pick[tonumber(ARGV[2])])",
            .good = "return redis.call('GET', KEYS[tonumber(ARGV[1])])",
            .exceptions = "",
            .false_positives = "By nature: the value may always be an element of KEYS. The message "
                               "names the cause, so that the script can be rewritten.",
            .server = "",
            .fix = "take the key from KEYS in a way that can be followed",
            .companions = "",
            .target = "",
        },
    .check = check,
};
