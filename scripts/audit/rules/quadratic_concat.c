/* ES410 - a string is put together piece by piece in a loop. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__growth *growth = facts->flow->growths; growth != NULL; growth = growth->next)
        evs__finding_add(out, evs__span_public(facts->chunk, growth->at),
                         "%.*s is copied as a whole in every round", (int)growth->name.len,
                         growth->name.data);
}

const evs__rule evs__rule_quadratic_concat = {
    .info =
        {
            .code = "ES410",
            .name = "quadratic-concat",
            .severity = EVS_SEVERITY_NOTE,
            .tier = EVS_TIER_C,
            .why = "Each round copies all that is there already: n pieces cost n * n / 2 of "
                   "them, in the only thread.",
            .bad = "local s = ''\n"
                   "for i = 1, #ARGV do s = s .. ARGV[i] end\n"
                   "return s",
            .good = "return table.concat(ARGV)",
            .exceptions = "loops with a constant number of rounds",
            .false_positives = "Loops that are short anyway.",
            .server = "",
            .fix = "collect the pieces in a table and table.concat it",
            .companions = "",
            .target = "",
        },
    .check = check,
};
