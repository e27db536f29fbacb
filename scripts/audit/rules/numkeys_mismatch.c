/* ES310 - a number of keys that is not theirs. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

/* Where the number of keys stands; 0 when the command has none. */
static size_t place_of(const evs__callfact *call, const evs__key_spec **spec)
{
    for (size_t i = 0; call->kind == EVS__CALL_KNOWN && i < call->command->nspecs; i++) {
        *spec = &call->command->specs[i];
        if ((*spec)->find_kind == EVS__KEY_FIND_NUMKEYS &&
            (*spec)->begin_kind == EVS__KEY_BEGIN_INDEX)
            return (size_t)((*spec)->begin + (*spec)->last);
    }
    return 0;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->ncalls; i++) {
        const evs__callfact *call = &facts->calls[i];
        const evs__key_spec *spec;
        size_t at = place_of(call, &spec), count = evs__call_count(call);
        const evs__atom *number = at == 0 ? NULL : evs__call_constant(call, at);
        int64_t keys;
        if (number == NULL)
            continue;
        int least = (call->command->flags & EVS__COMMAND_KEYS_OPTIONAL) == 0;
        if (!evs__call_whole(call, at, &keys) || keys < least)
            evs__finding_add(out, evs__call_span(facts, call, at),
                             "the number of keys of %s must be %d or more", call->command->name,
                             least);
        else if (count > 0 && (uint64_t)keys * (uint64_t)spec->step > count - at - 1)
            evs__finding_add(out, evs__call_span(facts, call, at),
                             "%s has fewer than %lld keys here", call->command->name,
                             (long long)keys);
    }
}

const evs__rule evs__rule_numkeys_mismatch = {
    .info =
        {
            .code = "ES310",
            .name = "numkeys-mismatch",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_B,
            .why = "The server believes the number: when it is too great the call "
                   "fails, when it is too small keys are taken for options.",
            .bad = "return redis.call('ZUNIONSTORE', KEYS[1], 3, KEYS[2], KEYS[3])",
            .good = "return redis.call('ZUNIONSTORE', KEYS[1], 2, KEYS[2], KEYS[3])",
            .exceptions = "numbers that are not constant",
            .false_positives = "None.",
            .server = "ERR syntax error",
            .fix = "write #KEYS - 1, or count",
            .companions = "",
            .target = "",
        },
    .check = check,
};
