/* ES001 - a script that is not Lua 5.1. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    if (facts->syntax_message != NULL)
        evs__finding_add(out, facts->syntax_at, "%s", facts->syntax_message);
}

const evs__rule evs__rule_syntax_error = {
    .info =
        {
            .code = "ES001",
            .name = "syntax-error",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "EVAL, SCRIPT LOAD and FUNCTION LOAD refuse a script that does not compile.",
            .bad = "if KEYS[1] then return 1",
            .good = "if KEYS[1] then return 1 end",
            .exceptions = "",
            .false_positives = "None: what is accepted is what luac5.1 accepts, which is tested.",
            .server = "ERR Error compiling script (new function)",
            .fix = "",
            .companions = "",
            .target = "",
        },
    .check = check,
};
