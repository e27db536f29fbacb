/* ES901 - somebody accepted a finding that is not there. */
#include "scripts/audit/directive.h"
#include "scripts/audit/rule.h"

/* A rule that did not run had no chance to find anything. */
static void check_rules(const evs__facts *facts, evs__findings *out, const evs__ignore *ignore)
{
    for (size_t i = 0; i < ignore->nrules; i++) {
        const evs__ignored *ignored = &ignore->rules[i];
        if (!ignored->used && evs__setting_runs(facts->setting, ignored->rule))
            evs__finding_add(out, ignored->at, "%s finds nothing to ignore here",
                             ignored->rule->code);
    }
}

static void check_known(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->directives->stale.count; i++) {
        evs_finding *finding = evs__finding_add(out, facts->directives->stale.items[i].at, "%s",
                                                facts->directives->stale.items[i].message);
        if (finding != NULL)
            finding->path = facts->directives->stale_path;
    }
}

static void check(const evs__facts *facts, evs__findings *out)
{
    const evs__directives *directives = facts->directives;
    if (facts->syntax_message != NULL)
        return; /* no other rule ran */
    for (size_t i = 0; i < directives->nignores; i++) {
        const evs__ignore *ignore = &directives->ignores[i];
        check_rules(facts, out, ignore);
        if (ignore->nrules == 0 && !ignore->used)
            evs__finding_add(out, ignore->at, "there is nothing to ignore here");
    }
    check_known(facts, out);
}

const evs__rule evs__rule_unused_suppression = {
    .info =
        {
            .code = "ES901",
            .name = "unused-suppression",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_A,
            .why = "A suppression, or an entry of a baseline, that matches nothing would hide "
                   "the next finding of that kind without anybody having looked at it.",
            .bad = "-- evalshard: ignore[ES101] legacy singleton\n"
                   "return redis.call('GET', KEYS[1])",
            .good = "return redis.call('GET', KEYS[1])",
            .exceptions = "rules that are not selected",
            .false_positives = "None.",
            .server = "",
            .fix = "delete it, or write the baseline anew",
            .companions = "",
            .target = "",
        },
    .check = check,
    .late = 1,
};
