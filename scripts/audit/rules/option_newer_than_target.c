/* ES305 - an option that some server of the target does not have. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

static void check_option(const evs__facts *facts, evs__findings *out, const evs__options *o)
{
    const evs__target *old = evs__target_before(&facts->setting->targets, o->option->since);
    if (old == NULL)
        return;
    const char *command = o->call->command->name;
    evs_span at = evs__call_span(facts, o->call, o->at);
    if (o->option->word != NULL)
        evs__finding_add(out, at, "%s of %s %d.%d has no option %s", command, evs__target_name(old),
                         old->min >> 8, old->min & 255, o->option->word);
    else
        evs__finding_add(out, at, "%s of %s %d.%d takes no argument here", command,
                         evs__target_name(old), old->min >> 8, old->min & 255);
}

static void check(const evs__facts *facts, evs__findings *out)
{
    if (facts->asks_version)
        return;
    for (size_t i = 0; i < facts->ncalls; i++) {
        const evs__callfact *call = &facts->calls[i];
        evs__options options = evs__options_of(call);
        /* That the command is newer itself is said by ES304. */
        while (evs__options_next(&options))
            if (evs__target_before(&facts->setting->targets, call->command->since) == NULL)
                check_option(facts, out, &options);
    }
}

const evs__rule evs__rule_option_newer_than_target = {
    .info =
        {
            .code = "ES305",
            .name = "option-newer-than-target",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_B,
            .why = "The server refuses the whole command, or takes the word for data. "
                   "It works where it was written, and fails on the oldest server "
                   "that the script has to run on.",
            .bad = "return redis.call('EXPIRE', KEYS[1], 10, 'NX')",
            .good = "if redis.call('TTL', KEYS[1]) < 0 then redis.call('EXPIRE', "
                    "KEYS[1], 10) end\n"
                    "return 1",
            .exceptions = "words that need not be options, because something before them is "
                          "not known; scripts that look at the version of their server",
            .false_positives = "When the target is wider than the servers there are: say which "
                               "with --target.",
            .server = "ERR wrong number of arguments for 'expire' command",
            .fix = "use what the oldest server has",
            .companions = "",
            .target = "redis:6.2",
        },
    .check = check,
};
