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
            .why = "EVAL, SCRIPT LOAD and FUNCTION LOAD refuse a script that does not compile.",
            .bad = "if KEYS[1] then return 1",
            .good = "if KEYS[1] then return 1 end",
            .exceptions = "",
            .server = "ERR Error compiling script (new function)",
            .fix = "",
        },
    .check = check,
};
