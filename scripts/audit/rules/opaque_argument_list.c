/* ES108 - which arguments are keys cannot be told. */
#include "scripts/audit/rule.h"

#include <string.h>

/* Is its command one that there is? */
static int is_known(const evs__extra *extra, const evs__keyuse *use)
{
    evs_bytes none = {"", 0};
    const char *sub = strchr(use->command, ' ');
    if (sub == NULL)
        return evs__extra_find(extra, evs_text(use->command), none) != NULL;
    evs_bytes container = {use->command, (size_t)(sub - use->command)};
    return evs__command_find(container, evs_text(sub + 1)) != NULL;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nuses; i++) {
        const evs__keyuse *use = &facts->uses[i];
        if (!is_known(&facts->setting->extra, use))
            continue; /* there the command is the problem */
        for (size_t k = 0; k < use->ncauses; k++) {
            const evs__cause *cause = &use->causes[k];
            if (cause->origin == EVS__FROM_UNKNOWN && cause->unlocated)
                evs__finding_add_use(out, use, cause, "the keys of %s cannot be located: %s",
                                     use->command, cause->what);
        }
    }
}

const evs__rule evs__rule_opaque_argument_list = {
    .info =
        {
            .code = "ES108",
            .name = "opaque-argument-list",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_B,
            .why = "The arguments are known only in part, so that nobody can say which of them are"
                   " keys: the number of keys is not known, or an option that may be followed by a"
                   " key is not a constant.",
            .bad = "local a = { KEYS[1], ARGV[1] }\n"
                   "for i = 2, #KEYS do a[#a + 1] = KEYS[i] end\n"
                   "a[#a + 1] = 'WEIGHTS'\n"
                   "return redis.call('ZUNIONSTORE', unpack(a))",
            .good = "return redis.call('ZUNIONSTORE', KEYS[1], #KEYS - 1, unpack(KEYS, 2))",
            .exceptions = "tables that are filled in one straight line are followed exactly",
            .false_positives = "Tables that are filled in one straight line are followed exactly "
                               "and not reported.",
            .server = "",
            .fix = "write the arguments out, or pass keys only",
            .companions = "ES408",
            .target = "",
        },
    .check = check,
};
