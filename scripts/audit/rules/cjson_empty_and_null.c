/* ES512 - an empty list is encoded as an object. */
#include "scripts/audit/rule.h"

static void look(const evs__facts *facts, evs__findings *out, const evs__sight *sight)
{
    if (sight->kind == EVS__SIGHT_ENCODED && sight->index == EVS__ENCODED_EMPTY &&
        !evs__is_measured(facts, sight->variables[0]))
        evs__finding_add(out, sight->at,
                         "a list that may be empty is encoded: then it is {}, not "
                         "[]");
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nsights; i++)
        if (!facts->sights[i]->doubtful)
            look(facts, out, facts->sights[i]);
}

const evs__rule evs__rule_cjson_empty_and_null = {
    .info =
        {
            .code = "ES512",
            .name = "cjson-empty-and-null",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_B,
            .why = "A Lua table does not know whether it is a list; when it is empty, "
                   "cjson.encode writes {}. Readers that want a list fail.",
            .bad = "return cjson.encode(cjson.decode('[]'))",
            .good = "local t = cjson.decode(ARGV[1])\n"
                    "if #t == 0 then return '[]' end\n"
                    "return cjson.encode(t)",
            .exceptions = "Lists whose length the script looks at; tables with fields.",
            .false_positives =
                "When the list never is empty for reasons that the script does not state.",
            .server = "",
            .fix = "if #list == 0 then return '[]' end",
            .companions = "",
            .target = "",
        },
    .check = check,
};
