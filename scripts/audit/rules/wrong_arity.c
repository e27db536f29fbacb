/* ES303 - a command with too few or too many arguments. */
#include "scripts/audit/rule.h"

/* Does no number of arguments that the call can have fit? */
static int never_fits(const evs__callfact *call)
{
    int arity = call->command->arity;
    size_t needed = (size_t)(arity < 0 ? -arity : arity);
    return call->most < needed || (arity > 0 && call->least > needed);
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->ncalls; i++) {
        const evs__callfact *call = &facts->calls[i];
        if (call->kind != EVS__CALL_KNOWN || !never_fits(call))
            continue;
        int arity = call->command->arity;
        size_t given = call->most < SIZE_MAX ? call->most : call->least;
        evs__finding_add(out, call->at, "%s takes %s%d arguments, its name counted, and gets %zu",
                         call->command->name, arity < 0 ? "at least " : "",
                         arity < 0 ? -arity : arity, given);
    }
}

const evs__rule evs__rule_wrong_arity = {
    .info =
        {
            .code = "ES303",
            .name = "wrong-arity",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "The server refuses the call when it gets there; everything the script wrote "
                   "before stays.",
            .bad = "return redis.call('GET', KEYS[1], KEYS[2])",
            .good = "return redis.call('MGET', KEYS[1], KEYS[2])",
            .exceptions =
                "only calls that have a wrong number of arguments on every path are reported",
            .false_positives = "None: only calls that have a wrong number of arguments on every "
                               "path are reported.",
            .server = "ERR Wrong number of args calling Redis command from script",
            .fix = "",
            .companions = "ES203",
            .target = "",
        },
    .check = check,
};
