/* ES514 - a boolean is returned. */
#include "scripts/audit/rule.h"

static void look(const evs__facts *facts, evs__findings *out, const evs__sight *sight)
{
    (void)facts;
    int plain = sight->a->natoms == 0 && sight->a->ntables == 0;
    if (sight->kind == EVS__SIGHT_RETURNED && (sight->a->types & EVS__TYPE_BOOLEAN) && plain)
        evs__finding_add(out, sight->at,
                         "a boolean is returned: the client gets 1 for true and "
                         "nothing for false");
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nsights; i++)
        if (!facts->sights[i]->doubtful)
            look(facts, out, facts->sights[i]);
}

const evs__rule evs__rule_boolean_returned = {
    .info =
        {
            .code = "ES514",
            .name = "boolean-returned",
            .severity = EVS_SEVERITY_NOTE,
            .tier = EVS_TIER_C,
            .why = "The client cannot tell false from \"there is no value\".",
            .bad = "return 1 == 2",
            .good = "return 1 == 2 and 1 or 0",
            .exceptions = "false that comes with a reply of a command.",
            .false_positives = "A matter of taste; the rule runs only when it is selected.",
            .server = "",
            .fix = "return 1 or 0",
            .companions = "",
            .target = "",
        },
    .check = check,
};
