/* ES608 - a table of the sandbox is changed. */
#include "core/table.h"
#include "scripts/audit/rule.h"

static evs_bytes place_of(const size_t *start)
{
    evs_bytes key = {(const char *)start, sizeof *start};
    return key;
}

/* Where globals are assigned: that is ES601. */
static void find_writes(evs__table *out, const evs__flow *flow, evs__pool *pool)
{
    for (evs__nameuse *use = flow->names; use != NULL; use = use->next)
        if (use->kind == EVS__NAME_WRITE && !evs__table_set(out, place_of(&use->at.start), use))
            pool->failed = 1;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    evs__table writes = EVS__TABLE_INIT;
    find_writes(&writes, facts->flow, out->pool);
    for (const evs__intrusion *use = facts->flow->intrusions; use != NULL; use = use->next) {
        if (evs__table_get(&writes, place_of(&use->at.start)) != NULL)
            continue;
        evs_span at = evs__span_public(facts->chunk, use->at);
        if (use->field != NULL)
            evs__finding_add(out, at, "%s.%s is assigned: the tables of the sandbox are read-only",
                             use->table, use->field);
        else
            evs__finding_add(out, at, "%s is changed: the tables of the sandbox are read-only",
                             use->table);
    }
    evs__table_free(&writes);
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
