/* ES612 - a function of a library changes what outlives the call. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__keepsake *kept = facts->flow->keepsakes; kept != NULL; kept = kept->next) {
        evs_span at = evs__span_public(facts->chunk, kept->at);
        if (kept->name != NULL)
            evs__finding_add(out, at,
                             "%s keeps its value from one call to the next, on this server alone",
                             kept->name);
        else
            evs__finding_add(out, at,
                             "the table is kept from one call to the next, on this server alone");
    }
}

const evs__rule evs__rule_library_mutable_state = {
    .info =
        {
            .code = "ES612",
            .name = "library-mutable-state",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_B,
            .why = "Variables of a library live as long as it is loaded: two calls of a "
                   "counter return 1 and 2. Replicas, and the server after a restart, know "
                   "nothing of it.",
            .bad = "#!lua name=mylib\n"
                   "local n = 0\n"
                   "redis.register_function('f', function(keys) n = n + 1 return n end)",
            .good = "#!lua name=mylib\n"
                    "redis.register_function('f', function(keys) return redis.call('INCR', "
                    "keys[1]) end)",
            .exceptions = "",
            .false_positives = "Caches whose loss changes nothing but the time it takes.",
            .server = "",
            .fix = "keep state in keys",
            .companions = "",
            .target = "",
        },
    .check = check,
};
