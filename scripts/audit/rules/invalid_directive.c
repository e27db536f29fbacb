/* ES900 - a comment for the audit that is not understood. */
#include "scripts/audit/directive.h"
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    const evs__remarks *faults = &facts->directives->faults;
    for (size_t i = 0; i < faults->count; i++)
        evs__finding_add(out, faults->items[i].at, "%s", faults->items[i].message);
}

const evs__rule evs__rule_invalid_directive = {
    .info =
        {
            .code = "ES900",
            .name = "invalid-directive",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "A comment that was meant to say something to the audit and does not would "
                   "pass unnoticed: the finding that it ignores stays, or its contract is not "
                   "checked. script-audit exits with 2.",
            .bad = "-- evalshard: ignore[ES1O1] a letter for a digit\nreturn 1",
            .good = "-- evalshard: keys=1 argv=0\nreturn redis.call('GET', KEYS[1])",
            .exceptions = "",
            .false_positives = "None.",
            .server = "",
            .fix = "script-audit --list-rules has the codes and names of rules",
            .companions = "",
            .target = "",
        },
    .check = check,
    .late = 1,
};
