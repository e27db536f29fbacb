/* ES204 - an argument that is passed and never used, or used and never passed. */
#include "scripts/audit/reads.h"
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    long most = facts->setting->expected.args_most;
    evs__reads s = evs__reads_of(facts, EVS__GIVEN_ARGV);
    if (s.all || facts->has_functions || facts->ngaps > 0)
        return;
    if (most >= 0 && s.highest > most)
        evs__finding_add(out, evs__reads_span(facts, EVS__GIVEN_ARGV, s.highest),
                         "ARGV[%d] is never passed: there %s %ld", s.highest,
                         most == 1 ? "is" : "are", most);
    for (int i = 1; i < s.highest && i <= EVS__READS_PLACES; i++)
        if (!s.read[i])
            evs__finding_add(out, evs__reads_span(facts, EVS__GIVEN_ARGV, s.highest),
                             "ARGV[%d] is never used", i);
}

const evs__rule evs__rule_unused_argv = {
    .info =
        {
            .code = "ES204",
            .name = "unused-argv",
            .severity = EVS_SEVERITY_NOTE,
            .tier = EVS_TIER_C,
            .why = "Callers and script have drifted apart: a place in ARGV below the "
                   "highest one is never read, or one is read that is not declared.",
            .bad = "return ARGV[1] .. ARGV[3]",
            .good = "return ARGV[1] .. ARGV[2]",
            .exceptions = "scripts that use ARGV as a whole, or at places that are no "
                          "constants",
            .false_positives = "Places that are kept so that old callers fit.",
            .server = "",
            .fix = "renumber the arguments",
            .companions = "",
            .target = "",
        },
    .check = check,
};
