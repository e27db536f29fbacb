/* ES501 - a reply that is never false decides a branch. */
#include "scripts/audit/rule.h"

static void look(const evs__facts *facts, evs__findings *out, const evs__sight *sight)
{
    (void)facts;
    if (sight->kind != EVS__SIGHT_CONDITION || sight->is_guard || !evs__value_is_reply(sight->a) ||
        !evs__value_is_truthy(sight->a))
        return;
    unsigned forms = evs__value_forms(sight->a);
    /* Errors are for ES506; the others are fields of a reply that was tested for being there. */
    if ((forms & (EVS__FORM_ERROR | EVS__FORM_STRING | EVS__FORM_INNER)) == 0)
        evs__finding_add(out, sight->at, "%s is %s, which is true whatever it says",
                         evs__value_describe(out->pool, sight->a), evs__forms_name(forms));
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nsights; i++)
        if (!facts->sights[i]->doubtful)
            look(facts, out, facts->sights[i]);
}

const evs__rule evs__rule_always_true_reply = {
    .info =
        {
            .code = "ES501",
            .name = "always-true-reply",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "In Lua 0, {} and {ok = ...} are true; only nil and false are not. The "
                   "branch for \"no\" never runs.",
            .bad = "if redis.call('EXISTS', KEYS[1]) then return 'yes' end\n"
                   "return 'no'",
            .good = "if redis.call('EXISTS', KEYS[1]) == 1 then return 'yes' end\n"
                    "return 'no'",
            .exceptions =
                "SET with NX, XX or GET, LPOP, ZADD with INCR and all others that may give "
                "nothing; `n and n > 0`, which asks no more than whether there is an n.",
            .false_positives = "None: each reply is one that no server ever gives as false.",
            .server = "",
            .fix = "compare it: `== 1`, `> 0`, `#reply > 0`, `.ok == 'OK'`",
            .companions = "",
            .target = "",
        },
    .check = check,
};
