/* ES303 - a command with too few or too many arguments. */
#include "scripts/audit/rule.h"

/* Does no number of arguments that the call can have fit? */
static int never_fits(const evs__callfact *call)
{
    int arity = call->command->arity;
    size_t needed = (size_t)(arity < 0 ? -arity : arity);
    return call->most < needed || (arity > 0 && call->least > needed);
}

/* May a reply that is spread over the arguments be empty, and leave too few of them? A script that
 * looks how long its tables are is believed to know. */
static int may_be_short(const evs__facts *facts, const evs__callfact *call)
{
    int arity = call->command->arity;
    size_t needed = (size_t)(arity < 0 ? -arity : arity);
    const evs__value *rest = call->args.rest;
    if (call->least >= needed || rest == NULL || facts->measures || call->doubtful)
        return 0;
    for (size_t i = 0; i < rest->natoms; i++)
        if (rest->atoms[i]->kind != EVS__ATOM_REPLY)
            return 0;
    return rest->natoms > 0;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->ncalls; i++) {
        const evs__callfact *call = &facts->calls[i];
        if (call->kind != EVS__CALL_KNOWN)
            continue;
        int arity = call->command->arity;
        size_t given = call->most < SIZE_MAX ? call->most : call->least;
        if (never_fits(call)) {
            evs__finding_add(out, call->at,
                             "%s takes %s%d arguments, its name counted, and gets %zu",
                             call->command->name, arity < 0 ? "at least " : "",
                             arity < 0 ? -arity : arity, given);
        } else if (may_be_short(facts, call)) {
            evs_finding *finding = evs__finding_add(
                out, call->at, "%s gets too few arguments when the reply is empty",
                call->command->name);
            if (finding != NULL)
                finding->severity = EVS_SEVERITY_WARNING;
        }
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
                "calls that may have a right number of arguments; a reply that is passed on with "
                "unpack "
                "and may be empty is a warning, unless the script looks how long its tables are",
            .false_positives = "A reply that is never empty, for reasons that the script does "
                               "not show.",
            .server = "ERR Wrong number of args calling Redis command from script",
            .fix = "",
            .companions = "ES203",
            .target = "",
        },
    .check = check,
};
