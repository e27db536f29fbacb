/* ES118 - a key that is not written KEYS[...]. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nuses; i++) {
        const evs__keyuse *use = &facts->uses[i];
        if (use->verdict == EVS_VERDICT_DECLARED && !use->literal)
            evs__finding_add(out, use->at, "the key of %s is not written KEYS[...]", use->command);
    }
}

const evs__rule evs__rule_key_not_literal = {
    .info =
        {
            .code = "ES118",
            .name = "key-not-literal",
            .severity = EVS_SEVERITY_NOTE,
            .tier = EVS_TIER_C,
            .why = "Proxies of Alibaba Cloud read the text of a script: each key must "
                   "stand there as KEYS[...], not as a variable and not from unpack, "
                   "or the script is refused. Nobody else asks for that; the profile "
                   "aliyun makes it an error.",
            .bad = "local key = KEYS[1]\n"
                   "return redis.call('GET', key)",
            .good = "return redis.call('GET', KEYS[1])",
            .exceptions = "keys that are not declared, of which other rules speak",
            .false_positives = "Everywhere else.",
            .server = "ERR bad lua script for redis cluster, all the keys that the "
                      "script uses should be passed using the KEYS array",
            .fix = "write KEYS[1] in the call itself",
            .companions = "",
            .target = "",
        },
    .check = check,
};
