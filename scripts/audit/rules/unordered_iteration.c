/* ES703 - the order of pairs shows. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__disorder *disorder = facts->flow->disorders; disorder != NULL;
         disorder = disorder->next)
        evs__finding_add(out, evs__span_public(facts->chunk, disorder->at),
                         "the order of pairs, which is none, decides that of %s", disorder->sink);
}

const evs__rule evs__rule_unordered_iteration = {
    .info =
        {
            .code = "ES703",
            .name = "unordered-iteration",
            .severity = EVS_SEVERITY_NOTE,
            .tier = EVS_TIER_C,
            .why = "pairs goes through names in an order that differs between builds and runs.",
            .bad = "local out = {}\n"
                   "for k, v in pairs({ a = 1, b = 2 }) do out[#out + 1] = k end\n"
                   "return out",
            .good = "return { 'a', 'b' }",
            .exceptions = "lists that are sorted, and commands like SADD and DEL that do not mind",
            .false_positives = "Callers that do not mind the order.",
            .server = "",
            .fix = "table.sort the list",
            .companions = "",
            .target = "",
        },
    .check = check,
};
