/* ES502 - a string is compared with a number. */
#include "scripts/audit/rule.h"

static int differ(const evs__value *a, const evs__value *b)
{
    return evs__value_is_text(a) && evs__value_is_number(b) && (a->types & b->types) == 0;
}

static void look(const evs__facts *facts, evs__findings *out, const evs__sight *sight)
{
    (void)facts;
    if (sight->kind != EVS__SIGHT_COMPARE)
        return;
    const evs__value *text = differ(sight->a, sight->b) ? sight->a : sight->b;
    if (!differ(sight->a, sight->b) && !differ(sight->b, sight->a))
        return;
    const char *what = evs__value_describe(out->pool, text);
    if (evs__op_is_order(sight->op))
        evs__finding_add(out, sight->at, "%s is a string: comparing it with a number is an error",
                         what);
    else
        evs__finding_add(out, sight->at, "%s is a string, which never equals a number", what);
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nsights; i++)
        if (!facts->sights[i]->doubtful)
            look(facts, out, facts->sights[i]);
}

const evs__rule evs__rule_string_number_compare = {
    .info =
        {
            .code = "ES502",
            .name = "string-number-compare",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "Lua does not convert in comparisons: `==` is false, `<` raises an error "
                   "in the middle of the script.",
            .bad = "if ARGV[1] == 1 then return 'one' end\n"
                   "return 'other'",
            .good = "if tonumber(ARGV[1]) == 1 then return 'one' end\n"
                    "return 'other'",
            .exceptions = "",
            .false_positives = "None: only what is never of the same type is reported.",
            .server = "attempt to compare number with string",
            .fix = "use tonumber(), or compare with a string",
            .companions = "",
            .target = "",
        },
    .check = check,
};
