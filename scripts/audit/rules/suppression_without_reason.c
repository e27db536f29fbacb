/* ES902 - a suppression that does not say why, or what. */
#include "scripts/audit/directive.h"
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    const evs__directives *directives = facts->directives;
    for (size_t i = 0; i < directives->nignores; i++) {
        const evs__ignore *ignore = &directives->ignores[i];
        if (ignore->nrules == 0)
            evs__finding_add(out, ignore->at, "this ignores whatever is found; name the rules");
        else if (ignore->reason[0] == '\0')
            evs__finding_add(out, ignore->at, "this does not say why");
    }
}

const evs__rule evs__rule_suppression_without_reason = {
    .info =
        {
            .code = "ES902",
            .name = "suppression-without-reason",
            .severity = EVS_SEVERITY_NOTE,
            .tier = EVS_TIER_B,
            .why = "Who reviews a suppression, or meets it years later, has to know why it was "
                   "right, and which findings it was for.",
            .bad = "-- evalshard: ignore\nreturn redis.call('GET', 'x')",
            .good = "-- evalshard: ignore[ES101] single-instance tool, see ADR-12\n"
                    "return redis.call('GET', 'x')",
            .exceptions = "",
            .false_positives = "None.",
            .server = "",
            .fix = "write the codes and the reason: ignore[ES101] single-instance tool",
            .companions = "ES101 ES110",
            .target = "",
        },
    .check = check,
    .late = 1,
};
