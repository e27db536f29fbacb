/* ES104 - a key is computed from an element of KEYS. */
#include "scripts/audit/rule.h"

/* Whether the derived key may be counted on to be in the slot of its key. */
static int keeps_tag(const evs__setting *setting, const evs__cause *cause)
{
    return setting->tag_open != '\0' && cause->shape != EVS__SHAPE_OPAQUE;
}

static void report(const evs__setting *setting, evs__findings *out, const evs__keyuse *use,
                   const evs__cause *cause)
{
    evs_finding *finding;
    if (setting->tag_open == '\0')
        finding = evs__finding_add_use(out, use, cause,
                                       "key of %s is derived from %s: there are no hash tags, so "
                                       "it is placed elsewhere",
                                       use->command, cause->key);
    else if (keeps_tag(setting, cause))
        finding = evs__finding_add_use(
            out, use, cause, "key of %s is derived from %s: same slot only if it has a %s%ctag%c",
            use->command, cause->key, cause->shape == EVS__SHAPE_SUFFIX ? "complete " : "",
            setting->tag_open, setting->tag_close);
    else
        finding = evs__finding_add_use(out, use, cause,
                                       "key of %s is derived from %s: the slot may differ",
                                       use->command, cause->key);
    if (finding != NULL && setting->expected.hashtag && keeps_tag(setting, cause))
        finding->severity = EVS_SEVERITY_NOTE; /* callers keep the condition */
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nuses; i++) {
        const evs__keyuse *use = &facts->uses[i];
        for (size_t k = 0; k < use->ncauses; k++)
            if (use->causes[k].origin == EVS__FROM_DERIVED)
                report(facts->setting, out, use, &use->causes[k]);
    }
}

const evs__rule evs__rule_derived_key = {
    .info =
        {
            .code = "ES104",
            .name = "derived-key",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_A,
            .why = "A key computed from KEYS[i] is not declared. It is in the same slot only under"
                   " a condition, and even then a script can be half applied while that slot "
                   "moves: the declared key is found, the derived one is not. With both declared "
                   "the server answers TRYAGAIN before it runs anything.",
            .bad = "return redis.call('GET', KEYS[1] .. ':meta')",
            .good = "return redis.call('GET', KEYS[2])",
            .exceptions = "teams that guarantee hash tags and accept the time of resharding",
            .false_positives = "Teams that guarantee hash tags and accept the time of resharding "
                               "lower it to a note.",
            .server = "ERR Script attempted to access a non local key in a cluster node",
            .fix = "pass the complete key as a further KEYS element",
            .companions = "",
            .target = "",
        },
    .check = check,
};
