/* ES513 - a table with names is returned. */
#include "scripts/audit/rule.h"

/* One finding for each returned table. */
static void check(const evs__facts *facts, evs__findings *out)
{
    const evs__sight *last = NULL;
    for (size_t i = 0; i < facts->nsights; i++) {
        const evs__sight *sight = facts->sights[i];
        if (sight->kind != EVS__SIGHT_FIELD || sight->doubtful ||
            sight->a->types == EVS__TYPE_NIL ||
            (last != NULL && last->span.start == sight->span.start))
            continue;
        last = sight;
        if (sight->text.len == 0)
            evs__finding_add(out, sight->at,
                             "a table is returned whose keys are strings: the "
                             "client gets an empty list");
        else
            evs__finding_add(out, sight->at,
                             "a table with the field %.*s is returned: the client "
                             "gets only what is at 1, 2, ...",
                             (int)sight->text.len, sight->text.data);
    }
}

const evs__rule evs__rule_map_returned = {
    .info =
        {
            .code = "ES513",
            .name = "map-returned",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "Only the list in a table becomes a reply; everything under a name is "
                   "dropped, without an error.",
            .bad = "return { count = 1 }",
            .good = "return { 'count', 1 }",
            .exceptions = "{ok = ...}, {err = ...}, {map = ...} and the others that servers know.",
            .false_positives = "None: no server sends it.",
            .server = "",
            .fix = "return names and values in turn, or cjson.encode(t)",
            .companions = "",
            .target = "",
        },
    .check = check,
};
