/* ES001 - a script that is not Lua 5.1. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    if (facts->refusal != EVS__REFUSAL_SYNTAX)
        return;
    if (!facts->is_fragment) {
        evs__finding_add(out, facts->syntax_at, "%s", facts->syntax_message);
        return;
    }
    out->severity = EVS_SEVERITY_NOTE;
    evs__finding_add(out, facts->syntax_at, "a part of a script, which is not audited: %s",
                     facts->syntax_message);
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
            .exceptions = "a note where the text may be a part of a script, because its program "
                          "completes it",
            .false_positives = "None: what is accepted is what luac5.1 accepts, which is tested.",
            .server = "ERR Error compiling script (new function)",
            .fix = "",
            .companions = "",
            .target = "",
        },
    .check = check,
};
