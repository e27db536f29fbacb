/* ES104 - a key is computed from an element of KEYS. */
#include "scripts/audit/rule.h"

/* Under which condition the derived key is in the slot of its key. */
static const char *condition(evs__shape shape)
{
    switch (shape) {
    case EVS__SHAPE_SUFFIX:
        return "same slot only if it has a complete {tag}";
    case EVS__SHAPE_PREFIX:
        return "same slot only if it has a {tag}";
    case EVS__SHAPE_OPAQUE:
        break;
    }
    return "the slot may differ";
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nuses; i++) {
        const evs__keyuse *use = &facts->uses[i];
        for (size_t k = 0; k < use->ncauses; k++) {
            const evs__cause *cause = &use->causes[k];
            if (cause->origin != EVS__FROM_DERIVED)
                continue;
            evs_finding *finding = evs__finding_add_use(
                out, use, cause, "key of %s is derived from %s: %s", use->command, cause->key,
                condition(cause->shape));
            if (finding != NULL && facts->setting->expected.hashtag &&
                cause->shape != EVS__SHAPE_OPAQUE)
                finding->severity = EVS_SEVERITY_NOTE;
        }
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
