/* ES603 - something that not every server of the target has yet. */
#include "scripts/audit/rule.h"

#include "scripts/audit/api.h"

static void report(const evs__facts *facts, evs__findings *out, const evs__nameuse *use,
                   const evs__target *old)
{
    int from = old->is_valkey ? use->api->from.valkey : use->api->from.redis;
    evs_span at = evs__span_public(facts->chunk, use->at);
    if (from == EVS__VERSION_NEVER)
        evs__finding_add(out, at, "%s has no %s", evs__target_name(old), use->name);
    else
        evs__finding_add(out, at, "%s has %s from %d.%d on", evs__target_name(old), use->name,
                         from >> 8, from & 255);
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__nameuse *use = facts->flow->names; use != NULL; use = use->next) {
        if (use->kind != EVS__NAME_API || use->guarded || evs__api_is_gone(use->api))
            continue;
        const evs__target *old = evs__target_before(&facts->setting->targets, use->api->from);
        if (old != NULL)
            report(facts, out, use, old);
    }
}

const evs__rule evs__rule_api_newer_than_target = {
    .info =
        {
            .code = "ES603",
            .name = "api-newer-than-target",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "The sandbox grew with the versions, and Redis and Valkey went different "
                   "ways after 7.2. Where something is missing, reading the global, or calling "
                   "the function, fails.",
            .bad = "return os.clock()",
            .good = "return redis.call('TIME')[1]",
            .exceptions =
                "scripts that ask for the version, or for the field itself, in a condition; "
                "`rawget(_G, name)`",
            .false_positives =
                "Servers that are newer than the target says: name them with --target.",
            .server = "ERR user_script:1: Script attempted to access nonexistent global variable "
                      "'os'",
            .fix = "ask for the version first, or do without",
            .companions = "",
            .target = "",
        },
    .check = check,
};
