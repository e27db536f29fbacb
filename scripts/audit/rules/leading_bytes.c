/* ES005 - bytes before the script that nobody sees. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    if (facts->refusal == EVS__REFUSAL_LEADING)
        evs__finding_add(out, facts->syntax_at, "%s", facts->refusal_text);
}

const evs__rule evs__rule_leading_bytes = {
    .info =
        {
            .code = "ES005",
            .name = "leading-bytes",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_B,
            .why = "A byte order mark or a NUL byte is no Lua. Some editors write a "
                   "mark at the beginning of a file silently.",
            .bad = "﻿return 1",
            .good = "return 1",
            .exceptions = "",
            .false_positives = "None.",
            .server = "ERR Error compiling script (new function)",
            .fix = "save the file as UTF-8 without a byte order mark",
            .companions = "",
            .target = "",
        },
    .check = check,
};
