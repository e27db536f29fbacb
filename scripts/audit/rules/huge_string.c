/* ES411 - string.rep makes a string of many megabytes. */
#include "scripts/audit/rule.h"

enum { LIMIT = 64 << 20 };

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__apiuse *use = facts->flow->apis; use != NULL; use = use->next)
        if (evs__is_api(use, "string", "rep") && use->count >= LIMIT)
            evs__finding_add(out, evs__span_public(facts->chunk, use->at),
                             "a string of %.0f megabytes is made at once", use->count / (1 << 20));
}

const evs__rule evs__rule_huge_string = {
    .info =
        {
            .code = "ES411",
            .name = "huge-string",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_B,
            .why = "Nothing limits the memory of a script: 600 MB went through in one string. "
                   "On most servers it does not count as used memory, so maxmemory does not "
                   "help; on Redis 8 it does, and other keys are evicted for it. A value may "
                   "have 512 MB at most.",
            .bad = "return #string.rep('x', 1000000000)",
            .good = "return #string.rep('x', 1000)",
            .exceptions = "below 64 MB",
            .false_positives = "A machine with room for it, and a reason.",
            .server = "",
            .fix = "SETRANGE makes a long value of zero bytes without building it in Lua",
            .companions = "",
            .target = "",
        },
    .check = check,
};
