/* ES616 - a function is called that Lua 5.1 does not have. */
#include "scripts/audit/rule.h"

#include <string.h>

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__nameuse *use = facts->flow->names; use != NULL; use = use->next) {
        if (use->kind != EVS__NAME_MISSING || strncmp(use->name, "redis.", 6) == 0)
            continue;
        evs__finding_add(out, evs__span_public(facts->chunk, use->at),
                         use->similar == NULL ? "there is no %s in Lua 5.1"
                                              : "there is no %s in Lua 5.1; did you mean %s?",
                         use->name, use->similar);
    }
}

const evs__rule evs__rule_missing_library_function = {
    .info =
        {
            .code = "ES616",
            .name = "missing-library-function",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "Servers run Lua 5.1 with its library, and that alone: table.unpack, "
                   "table.pack and string.split came later or elsewhere.",
            .bad = "return table.unpack(ARGV)",
            .good = "return unpack(ARGV, 1, 2)",
            .exceptions = "",
            .false_positives = "None: only what is called is looked at.",
            .server = "ERR user_script:1: attempt to call field 'unpack' (a nil value)",
            .fix = "use what Lua 5.1 has",
            .companions = "ES006",
            .target = "",
        },
    .check = check,
};
