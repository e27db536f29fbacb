/* ES101 - a key is a constant instead of taken from KEYS. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    evs__report_origin(facts, out, EVS__FROM_CONSTANTS);
}

const evs__rule evs__rule_undeclared_key_constant = {
    .info =
        {
            .code = "ES101",
            .name = "undeclared-key-constant",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "A key that is not in KEYS is invisible to routing, to access control and to "
                   "clients. In a cluster the call fails on every node that does not own the slot,"
                   " and works by luck on the one that does.",
            .bad = "return redis.call('GET', 'config:limits')",
            .good = "return redis.call('GET', KEYS[1])",
            .exceptions = "scripts that are never run on a cluster; a product of a single instance "
                          "suppresses it per file",
            .false_positives =
                "Scripts that are never run on a cluster: choose the profile standalone.",
            .server = "ERR Script attempted to access a non local key in a cluster node",
            .fix = "pass the key as an element of KEYS",
            .companions = "ES110",
            .target = "",
        },
    .check = check,
};
