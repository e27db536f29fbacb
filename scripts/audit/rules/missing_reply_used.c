/* ES519 - a reply is used that may be missing. */
#include "scripts/audit/rule.h"

/* A string or number when it is there, false when it is not; straight from the command. */
static int may_miss(const evs__value *value)
{
    unsigned forms = evs__value_forms(value);
    unsigned plain = EVS__FORM_STRING | EVS__FORM_NUMBER | EVS__FORM_FALSE | EVS__FORM_NIL;
    return evs__value_is_reply(value) && (forms & ~plain) == 0 &&
           (value->types & EVS__TYPE_FALSE) != 0;
}

static void look(const evs__facts *facts, evs__findings *out, const evs__sight *sight)
{
    (void)facts;
    int order = sight->kind == EVS__SIGHT_COMPARE && evs__op_is_order(sight->op);
    if (!order && sight->kind != EVS__SIGHT_ARITHMETIC && sight->kind != EVS__SIGHT_CONCAT)
        return;
    const evs__value *reply = may_miss(sight->a) ? sight->a : sight->b;
    if (may_miss(reply))
        evs__finding_add(out, sight->at, "%s may be missing, and then is false: this is an error",
                         evs__value_describe(out->pool, reply));
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nsights; i++)
        if (!facts->sights[i]->doubtful)
            look(facts, out, facts->sights[i]);
}

const evs__rule evs__rule_missing_reply_used = {
    .info =
        {
            .code = "ES519",
            .name = "missing-reply-used",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_C,
            .why = "Keys expire and are evicted, also those that \"are always there\". The "
                   "script then stops in the middle; what it wrote stays.",
            .bad = "return redis.call('GET', KEYS[1]) + 1",
            .good = "return (redis.call('GET', KEYS[1]) or 0) + 1",
            .exceptions = "Replies that were tested for being there.",
            .false_positives =
                "When the key surely is there: the rule runs only when it is selected.",
            .server = "attempt to perform arithmetic on a boolean value",
            .fix = "test it, or give another value: `reply or 0`",
            .companions = "",
            .target = "",
        },
    .check = check,
};
