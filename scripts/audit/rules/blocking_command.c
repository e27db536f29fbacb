/* ES307 - a command that waits, in a script that cannot. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

#include <string.h>

/* Does some server let scripts call it? Else ES302 says all there is to say. */
static int is_allowed_somewhere(const evs__facts *facts, const evs__command *command)
{
    return evs__target_from(&facts->setting->targets, command->allowed) != NULL &&
           evs__target_before(&facts->setting->targets, command->allowed) == NULL;
}

static int has_block(const evs__callfact *call, size_t *at)
{
    static const char *const names[] = {"XREAD", "XREADGROUP", NULL};
    evs__options options = evs__options_of(call);
    if (!evs__call_is_one_of(call, names))
        return 0;
    while (evs__options_next(&options)) {
        *at = options.at;
        if (options.option->word != NULL && strcmp(options.option->word, "BLOCK") == 0)
            return 1;
    }
    return 0;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->ncalls; i++) {
        const evs__callfact *call = &facts->calls[i];
        static const char *const streams[] = {"XREAD", "XREADGROUP", NULL};
        size_t at;
        if (has_block(call, &at))
            evs__finding_add(out, evs__call_span(facts, call, at),
                             "BLOCK of %s never blocks in a script", call->command->name);
        else if (call->kind == EVS__CALL_KNOWN && !evs__call_is_one_of(call, streams) &&
                 (call->command->flags & EVS__COMMAND_BLOCKING) &&
                 is_allowed_somewhere(facts, call->command))
            evs__finding_add(out, call->at, "%s never blocks in a script", call->command->name);
    }
}

const evs__rule evs__rule_blocking_command = {
    .info =
        {
            .code = "ES307",
            .name = "blocking-command",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_A,
            .why = "Nobody else is served while a script runs, so nothing it could "
                   "wait for will happen. The command returns at once as if its time "
                   "were over, or (BLOCK of XREAD, before Redis 7.4 and Valkey 8.0) "
                   "fails.",
            .bad = "return redis.call('XREAD', 'BLOCK', 0, 'STREAMS', KEYS[1], '$')",
            .good = "return redis.call('XREAD', 'COUNT', 10, 'STREAMS', KEYS[1], '0')",
            .exceptions = "before Redis 7.2, servers refuse most of these commands in "
                          "scripts: ES302",
            .false_positives = "None.",
            .server = "ERR XREAD command is not allowed with BLOCK option from scripts",
            .fix = "wait in the client",
            .companions = "",
            .target = "",
        },
    .check = check,
};
