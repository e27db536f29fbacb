/* ES408 - unpack of more than 7,999 values. */
#include "scripts/audit/rule.h"

#include <string.h>

enum { LIMIT = 8000 }; /* what servers are built with */

static long limit_of(const evs__facts *facts)
{
    long limit = facts->setting->options.unpack_limit;
    return limit > 0 ? limit : LIMIT;
}

/* The script itself says that it takes fewer. */
static int is_promised(const evs__facts *facts, const evs__apiuse *use)
{
    const evs__expected *expected = &facts->setting->expected;
    if (evs__key_is_small(facts, use->key))
        return 1;
    long most = strcmp(use->size, "ARGV") == 0   ? expected->args_most
                : strcmp(use->size, "KEYS") == 0 ? expected->keys_most
                                                 : -1;
    return most >= 0 && most < limit_of(facts);
}

static void check(const evs__facts *facts, evs__findings *out)
{
    long limit = limit_of(facts);
    for (const evs__apiuse *use = facts->flow->apis; use != NULL; use = use->next) {
        if (!evs__is_api(use, "", "unpack"))
            continue;
        if (use->count >= (double)limit) {
            evs_finding *found = evs__finding_add(out, evs__span_public(facts->chunk, use->at),
                                                  "unpack gives %.0f values; from %ld on it fails",
                                                  use->count, limit);
            if (found != NULL)
                found->severity = EVS_SEVERITY_ERROR;
        } else if (use->size != NULL && !is_promised(facts, use)) {
            evs__finding_add(out, evs__span_public(facts->chunk, use->at),
                             "unpack of %s may give %ld values or more, and then fails", use->size,
                             limit);
        }
    }
}

const evs__rule evs__rule_unpack_limit = {
    .info =
        {
            .code = "ES408",
            .name = "unpack-limit",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_A,
            .why = "unpack fails when it would give 8,000 values or more (7,999 pass), so a "
                   "script that worked for years fails when a collection or a batch has grown.",
            .bad = "return redis.call('SADD', KEYS[1], unpack(cjson.decode(ARGV[1])))",
            .good = "local t = cjson.decode(ARGV[1])\n"
                    "for i = 1, #t, 1000 do\n"
                    "  redis.call('SADD', KEYS[1], unpack(t, i, math.min(i + 999, #t)))\n"
                    "end\n"
                    "return #t",
            .exceptions =
                "portions unpack(t, i, j), tables whose length is compared with a number, "
                "and scripts that say how many arguments they take",
            .false_positives =
                "Batches that callers keep small: compare #ARGV with a limit, or suppress "
                "with the reason.",
            .server = "ERR user_script:1: too many results to unpack",
            .fix = "unpack in portions: unpack(t, i, math.min(i + 999, #t))",
            .companions = "",
            .target = "",
        },
    .check = check,
};
