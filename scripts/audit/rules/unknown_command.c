/* ES301 - no server knows the command. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

#include <string.h>

/* How the name should have been written, when that can be told. */
static const char *advice(const evs__callfact *call)
{
    if (strpbrk(call->name, " \t\r\n") != NULL)
        return ", arguments are separated by commas";
    if (strchr(call->name, '|') != NULL)
        return ", a subcommand is an argument of its own";
    return "";
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->ncalls; i++) {
        const evs__callfact *call = &facts->calls[i];
        if (call->kind != EVS__CALL_UNKNOWN)
            continue;
        const char *spelling = advice(call);
        evs_finding *finding =
            call->similar == NULL || spelling[0] != '\0'
                ? evs__finding_add(out, call->at, "unknown command '%.64s'%s", call->name, spelling)
                : evs__finding_add(out, call->at, "unknown command '%.64s', did you mean %s?",
                                   call->name, call->similar);
        if (finding != NULL && strchr(call->name, '.') != NULL)
            finding->severity = EVS_SEVERITY_NOTE;
    }
}

const evs__rule evs__rule_unknown_command = {
    .info =
        {
            .code = "ES301",
            .name = "unknown-command",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "The server refuses the call when it gets there; everything the script wrote "
                   "before stays.",
            .bad = "return redis.call('GETT', KEYS[1])",
            .good = "return redis.call('GET', KEYS[1])",
            .exceptions = "commands of modules, whose names have a dot, are reported as a note",
            .false_positives = "Commands of modules, which are reported as a note when their name "
                               "has a dot, and commands newer than this program: name them with "
                               "`commands` in the settings, or --command, with the places of "
                               "their keys.",
            .server = "ERR Unknown Redis command called from script",
            .fix = "",
            .companions = "",
            .target = "",
        },
    .check = check,
};
