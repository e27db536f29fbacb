/* ES604 - something that servers no longer have. */
#include "scripts/audit/rule.h"

#include "scripts/audit/api.h"

static void report(evs__findings *out, evs_span at, const evs__nameuse *use,
                   const evs__target *missing)
{
    int until = missing->is_valkey ? EVS__VERSION(7, 2) : use->api->until.redis;
    if (use->api->from.redis == EVS__VERSION_NEVER)
        evs__finding_add(out, at, "no server has %s in scripts", use->name);
    else if (use->api->until.redis == EVS__VERSION(6, 2))
        evs__finding_add(out, at,
                         "%s has no %s any more: the security updates of 2025 took it away",
                         evs__target_name(missing), use->name);
    else
        evs__finding_add(out, at, "%s has no %s since %d.%d", evs__target_name(missing), use->name,
                         until >> 8, until & 255);
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__nameuse *use = facts->flow->names; use != NULL; use = use->next) {
        if (use->kind != EVS__NAME_API || use->guarded || !evs__api_is_gone(use->api))
            continue;
        const evs__target *missing = evs__api_missing(use->api, &facts->setting->targets);
        if (missing != NULL)
            report(out, evs__span_public(facts->chunk, use->at), use, missing);
    }
}

const evs__rule evs__rule_removed_api = {
    .info =
        {
            .code = "ES604",
            .name = "removed-api",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "Parts of Lua that reach outside of a script were taken away one by one: a "
                   "security update turns a working script into one that fails. getfenv, "
                   "setfenv and newproxy went in 6.2.20, 7.2.11, 7.4.6, 8.0.4, 8.2.2 and in "
                   "Debian's 7.0.15.",
            .bad = "setfenv(1, {})\n"
                   "return 1",
            .good = "return 1",
            .exceptions = "",
            .false_positives =
                "Servers that are configured to keep them (lua-enable-deprecated-api, "
                "lua-enable-insecure-api).",
            .server = "ERR user_script:1: Script attempted to access nonexistent global variable "
                      "'setfenv'",
            .fix = "do without",
            .companions = "ES006 ES607",
            .target = "",
        },
    .check = check,
};
