/* ES604 - something that servers no longer have. */
#include "scripts/audit/rule.h"

#include "scripts/audit/api.h"

static const char *since(const evs__api *api)
{
    if (api->from.redis == EVS__VERSION_NEVER)
        return ": no server ever had";
    return api->until.redis == EVS__VERSION(6, 2) ? " any more, since the security updates of 2025"
                                                  : " any more";
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__nameuse *use = facts->flow->names; use != NULL; use = use->next) {
        if (use->kind != EVS__NAME_API || use->guarded || !evs__api_is_gone(use->api))
            continue;
        const evs__target *missing = evs__api_missing(use->api, &facts->setting->targets);
        if (missing != NULL)
            evs__finding_add(out, evs__span_public(facts->chunk, use->at), "%s has no %s%s",
                             evs__target_name(missing), use->name, since(use->api));
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
