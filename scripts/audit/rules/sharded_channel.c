/* ES114 - a sharded channel that is no element of KEYS. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->ncalls; i++) {
        const evs__callfact *call = &facts->calls[i];
        static const char *const names[] = {"SPUBLISH", NULL};
        if (!evs__call_is_one_of(call, names))
            continue;
        const evs__value *channel = evs__call_value(call, 1);
        if (channel != NULL && channel->natoms > 0 && !evs__value_has(channel, EVS__ATOM_KEY) &&
            !evs__value_has(channel, EVS__ATOM_TOP))
            evs__finding_add(out, evs__call_span(facts, call, 1),
                             "the channel of SPUBLISH is hashed like a key and is not in KEYS");
    }
}

const evs__rule evs__rule_sharded_channel = {
    .info =
        {
            .code = "ES114",
            .name = "sharded-channel",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_C,
            .why = "The channel of SPUBLISH belongs to a slot like a key. A script "
                   "that publishes to one that its caller did not pass fails where "
                   "the slot is elsewhere. PUBLISH is not affected.",
            .bad = "return redis.call('SPUBLISH', ARGV[1], 'm')",
            .good = "return redis.call('SPUBLISH', KEYS[1], 'm')",
            .exceptions = "",
            .false_positives = "Single instances.",
            .server = "ERR Script attempted to access a non local key in a cluster node",
            .fix = "pass the channel in KEYS",
            .companions = "",
            .target = "",
        },
    .check = check,
};
