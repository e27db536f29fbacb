/* ES314 - a command that destroys. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

#include <string.h>

/* RESTORE key ttl value REPLACE */
static int replaces(const evs__callfact *call)
{
    static const char *const names[] = {"RESTORE", NULL};
    evs__options options = evs__options_of(call);
    while (evs__call_is_one_of(call, names) && evs__options_next(&options))
        if (options.option->word != NULL && strcmp(options.option->word, "REPLACE") == 0)
            return 1;
    return 0;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->ncalls; i++) {
        const evs__callfact *call = &facts->calls[i];
        if (call->kind == EVS__CALL_KNOWN &&
            ((call->command->flags & EVS__COMMAND_DESTRUCTIVE) || replaces(call)))
            evs__finding_add(out, call->at, "%s destroys what no error brings back",
                             call->command->name);
    }
}

const evs__rule evs__rule_destructive_command = {
    .info =
        {
            .code = "ES314",
            .name = "destructive-command",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_B,
            .why = "The server allows FLUSHALL and its like in scripts, and an error "
                   "later in the script does not undo them.",
            .bad = "redis.call('FLUSHDB')\n"
                   "return 1",
            .good = "redis.call('UNLINK', unpack(KEYS))\n"
                    "return 1",
            .exceptions = "",
            .false_positives = "Scripts that prepare tests.",
            .server = "",
            .fix = "delete the keys that were passed",
            .companions = "ES109",
            .target = "",
        },
    .check = check,
};
