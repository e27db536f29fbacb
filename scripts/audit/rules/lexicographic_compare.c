/* ES505 - two strings are ordered letter by letter. */
#include "scripts/audit/rule.h"

#include <math.h>

/* A string that comes from outside, and so may be a number of any length. Arguments that are not
 * told apart are sorted, most often. */
static int is_given(const evs__value *value)
{
    for (size_t i = 0; i < value->natoms; i++) {
        const evs__atom *atom = value->atoms[i];
        int one = atom->kind == EVS__ATOM_ARGUMENT && atom->index > 0;
        if (!one && atom->kind != EVS__ATOM_REPLY)
            return 0;
    }
    return value->natoms > 0 && evs__value_is_text(value) && isinf(value->range.high);
}

static void look(const evs__facts *facts, evs__findings *out, const evs__sight *sight)
{
    (void)facts;
    if (sight->kind == EVS__SIGHT_COMPARE && evs__op_is_order(sight->op) && is_given(sight->a) &&
        is_given(sight->b))
        evs__finding_add(out, sight->at,
                         "%s and %s are strings, which are ordered letter by letter: \"10\" < "
                         "\"9\"",
                         evs__value_describe(out->pool, sight->a),
                         evs__value_describe(out->pool, sight->b));
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nsights; i++)
        if (!facts->sights[i]->doubtful)
            look(facts, out, facts->sights[i]);
}

const evs__rule evs__rule_lexicographic_compare = {
    .info =
        {
            .code = "ES505",
            .name = "lexicographic-compare",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_A,
            .why = "Timestamps and counters compare well only as long as they have the same "
                   "number of digits: \"10\" comes before \"9\".",
            .bad = "return ARGV[1] >= redis.call('HGET', KEYS[1], 'start')",
            .good = "return tonumber(ARGV[1]) >= tonumber(redis.call('HGET', KEYS[1], 'start'))",
            .exceptions = "Comparisons with a constant string.",
            .false_positives =
                "Dates in ISO form, ULIDs and other strings that are made to be ordered: "
                "ignore it there.",
            .server = "",
            .fix = "compare tonumber(a) and tonumber(b)",
            .companions = "",
            .target = "",
        },
    .check = check,
};
