/* ES601 - a global is assigned. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__nameuse *use = facts->flow->names; use != NULL; use = use->next)
        if (use->kind == EVS__NAME_WRITE)
            evs__finding_add(out, evs__span_public(facts->chunk, use->at),
                             "%s is global: scripts cannot assign globals", use->name);
}

const evs__rule evs__rule_global_write = {
    .info =
        {
            .code = "ES601",
            .name = "global-write",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "The server protects globals, because they would outlive the script and be "
                   "seen by others. The script fails where it assigns one.",
            .bad = "function helper() return 1 end\n"
                   "return helper()",
            .good = "local function helper() return 1 end\n"
                    "return helper()",
            .exceptions = "",
            .false_positives = "None.",
            .server = "ERR user_script:1: Attempt to modify a readonly table",
            .fix = "write `local` before it",
            .companions = "",
            .target = "",
        },
    .check = check,
};
