/* ES605 - replicate_commands, which does nothing any more. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    evs__since seven = {EVS__VERSION(7, 0), EVS__VERSION_ALWAYS};

    for (const evs__apiuse *use = facts->flow->apis; use != NULL; use = use->next) {
        if (!evs__is_api(use, "redis", "replicate_commands") || !use->sure)
            continue;
        evs_span at = evs__span_public(facts->chunk, use->at);
        if (facts->flow->is_library) {
            evs_finding *found = evs__finding_add(out, at, "a library has no replicate_commands");
            if (found != NULL)
                found->severity = EVS_SEVERITY_ERROR;
        } else if (evs__target_before(&facts->setting->targets, seven) == NULL) {
            evs__finding_add(out, at, "replicate_commands does nothing since Redis 7.0");
        }
    }
}

const evs__rule evs__rule_obsolete_call = {
    .info =
        {
            .code = "ES605",
            .name = "obsolete-call",
            .severity = EVS_SEVERITY_NOTE,
            .tier = EVS_TIER_B,
            .why = "Since Redis 7.0 scripts always replicate their effects; the call returns "
                   "true and does nothing. In a library of functions it does not exist at all.",
            .bad = "redis.replicate_commands()\n"
                   "return redis.call('TIME')[1]",
            .good = "return redis.call('TIME')[1]",
            .exceptions = "",
            .false_positives =
                "Keep it as long as servers before 7.0 run the script, and say so with "
                "--target.",
            .server = "",
            .fix = "leave it out",
            .companions = "",
            .target = "",
        },
    .check = check,
};
