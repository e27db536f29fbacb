/* ES617 - a table that holds itself is returned. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__given_back *back = facts->flow->returned; back != NULL; back = back->next)
        if (back->cyclic)
            evs__finding_add(out, evs__span_public(facts->chunk, back->at),
                             "a table is returned that holds itself: the reply is nested until the "
                             "server gives up");
}

const evs__rule evs__rule_cyclic_reply = {
    .info =
        {
            .code = "ES617",
            .name = "cyclic-reply",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "The server sends it level by level, 7,995 deep, and then an error inside. "
                   "Most clients cannot read a reply that deep: hiredis before 1.1 gives up at "
                   "the ninth level and closes the connection.",
            .bad = "local t = {}\n"
                   "t[1] = t\n"
                   "return t",
            .good = "return {1}",
            .exceptions = "",
            .false_positives = "None.",
            .server = "ERR reached lua stack limit",
            .fix = "return a copy without the reference",
            .companions = "",
            .target = "",
        },
    .check = check,
};
