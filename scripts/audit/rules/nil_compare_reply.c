/* ES503 - a missing reply is looked for as nil. */
#include "scripts/audit/rule.h"

/* The side that is a reply, when the other one is the value that `types` says; NULL otherwise. */
static const evs__value *reply_against(const evs__sight *sight, unsigned types,
                                       const evs__local **variable)
{
    int right = sight->a->types == types;
    const evs__value *reply = right ? sight->b : sight->a;
    const evs__value *other = right ? sight->a : sight->b;
    *variable = sight->lengths[right] ? NULL : sight->variables[right];
    return other->types == types && evs__value_is_reply(reply) ? reply : NULL;
}

static void report(const evs__facts *facts, evs__findings *out, const evs__sight *sight,
                   unsigned wanted, unsigned other)
{
    const evs__local *variable;
    const evs__value *reply = reply_against(sight, wanted, &variable);
    int tested = evs__is_tested(facts, variable, sight);
    if (reply == NULL || (reply->types & wanted) != 0 ||
        (evs__value_forms(reply) & EVS__FORM_ERROR))
        return;
    if (tested && (reply->types & other) == 0)
        return;
    evs_finding *finding = evs__finding_add(
        out, sight->at, "%s is never %s%s: this is always %s",
        evs__value_describe(out->pool, reply), wanted == EVS__TYPE_NIL ? "nil" : "false",
        (reply->types & other) == 0 ? ""
        : wanted == EVS__TYPE_NIL   ? ", but false when it is missing"
                                    : " after redis.setresp(3), but nil when it is missing",
        sight->op == EVS__OP_EQ ? "false" : "true");
    if (finding != NULL && tested)
        finding->severity = EVS_SEVERITY_NOTE;
}

static void look(const evs__facts *facts, evs__findings *out, const evs__sight *sight)
{
    if (sight->kind != EVS__SIGHT_COMPARE || evs__op_is_order(sight->op))
        return;
    report(facts, out, sight, EVS__TYPE_NIL, EVS__TYPE_FALSE);
    if ((sight->a->types | sight->b->types) & EVS__TYPE_NIL)
        report(facts, out, sight, EVS__TYPE_FALSE, EVS__TYPE_NIL);
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nsights; i++)
        if (!facts->sights[i]->doubtful)
            look(facts, out, facts->sights[i]);
}

const evs__rule evs__rule_nil_compare_reply = {
    .info =
        {
            .code = "ES503",
            .name = "nil-compare-reply",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "A script gets false for what is missing, and nil only after "
                   "redis.setresp(3). The branch for \"missing\" never runs.",
            .bad = "local v = redis.call('GET', KEYS[1])\n"
                   "if v == nil then return 'missing' end\n"
                   "return 'found'",
            .good = "local v = redis.call('GET', KEYS[1])\n"
                    "if not v then return 'missing' end\n"
                    "return 'found'",
            .exceptions =
                "A note when the same variable is tested for being there elsewhere: `x == "
                "nil or x == false`.",
            .false_positives = "None: the reply is never that value.",
            .server = "",
            .fix = "write `if not reply then`, which is right with both protocols",
            .companions = "",
            .target = "",
        },
    .check = check,
};
