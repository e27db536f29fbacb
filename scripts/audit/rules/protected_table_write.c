/* ES608 - a table of the sandbox is changed. */
#include "scripts/audit/rule.h"

/* Then it is ES601. */
static int is_global_name(const evs__flow *flow, evs__span at)
{
    for (const evs__nameuse *use = flow->names; use != NULL; use = use->next)
        if (use->kind == EVS__NAME_WRITE && use->at.start == at.start)
            return 1;
    return 0;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__intrusion *use = facts->flow->intrusions; use != NULL; use = use->next) {
        if (is_global_name(facts->flow, use->at))
            continue;
        evs_span at = evs__span_public(facts->chunk, use->at);
        if (use->field != NULL)
            evs__finding_add(out, at, "%s.%s is assigned: the tables of the sandbox are read-only",
                             use->table, use->field);
        else
            evs__finding_add(out, at, "%s is changed: the tables of the sandbox are read-only",
                             use->table);
    }
}

const evs__rule evs__rule_protected_table_write = {
    .info =
        {
            .code = "ES608",
            .name = "protected-table-write",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_B,
            .why = "Since 6.2.7 and 7.0 the tables of the sandbox are read-only. Before that, "
                   "what one script put there every other script saw.",
            .bad = "string.trim = function(s) return s end\n"
                   "return 1",
            .good = "local function trim(s) return s end\n"
                    "return trim('x')",
            .exceptions = "",
            .false_positives = "None.",
            .server = "ERR user_script:1: Attempt to modify a readonly table",
            .fix = "use a local function or table",
            .companions = "ES006",
            .target = "",
        },
    .check = check,
};
