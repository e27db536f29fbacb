/* ES102 - a key is built from ARGV instead of taken from KEYS. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    evs__report_origin(facts, out, EVS__FROM_ARGV);
}

const evs__rule evs__rule_undeclared_key_argument = {
    .info =
        {
            .code = "ES102",
            .name = "undeclared-key-argument",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "Routing sees only KEYS. A key whose name, or a part of it, comes in ARGV may "
                   "live on another shard.",
            .bad = "local key = ARGV[1] .. ':jobs'\n"
                   "return redis.call('LLEN', key)",
            .good = "return redis.call('LLEN', KEYS[1])",
            .exceptions =
                "a prefix that holds a hash tag works while the cluster is stable; it is unsafe"
                " while slots move",
            .false_positives = "A prefix that holds a hash tag works while the cluster is stable; "
                               "it is unsafe while slots move.",
            .server = "ERR Script attempted to access a non local key in a cluster node",
            .fix = "pass the complete key as a further KEYS element",
            .companions = "ES110",
            .target = "",
        },
    .check = check,
};
