/* ES702 - math.random gives the same numbers in every run. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    evs__since seven = {EVS__VERSION(7, 0), EVS__VERSION_ALWAYS};

    if (evs__target_before(&facts->setting->targets, seven) == NULL)
        return;
    const evs__apiuse *random = NULL;
    for (const evs__apiuse *use = facts->flow->apis; use != NULL; use = use->next) {
        if (evs__is_api(use, "math", "randomseed"))
            return;
        if (evs__is_api(use, "math", "random"))
            random = use;
    }
    if (random != NULL)
        evs__finding_add(out, evs__span_public(facts->chunk, random->at),
                         "before Redis 7.0 every run draws the same numbers");
}

const evs__rule evs__rule_fixed_random_seed = {
    .info =
        {
            .code = "ES702",
            .name = "fixed-random-seed",
            .severity = EVS_SEVERITY_NOTE,
            .tier = EVS_TIER_C,
            .why = "Before 7.0 the server seeds the generator with 0 before each script, so "
                   "tokens and draws are the same in every run.",
            .bad = "return math.random(1000)",
            .good = "math.randomseed(tonumber(ARGV[1]))\n"
                    "return math.random(1000)",
            .exceptions = "",
            .false_positives = "None for targets before 7.0; newer ones are silent.",
            .server = "",
            .fix = "math.randomseed with an argument",
            .companions = "",
            .target = "redis:6.2",
        },
    .check = check,
};
