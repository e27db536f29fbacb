/* ES504 - a status is taken for a string. */
#include "scripts/audit/rule.h"

/* A status, and nothing else that could be a string. */
static int is_status(const evs__value *value)
{
    unsigned plain = EVS__FORM_STATUS | EVS__FORM_FALSE | EVS__FORM_NIL;
    unsigned forms = evs__value_forms(value);
    return evs__value_is_reply(value) && (forms & EVS__FORM_STATUS) && (forms & ~plain) == 0;
}

static int is_plain(const evs__value *value)
{
    return (value->types & (EVS__TYPE_STRING | EVS__TYPE_NUMBER)) != 0 &&
           (value->types & (EVS__TYPE_TABLE | EVS__TYPE_FALSY)) == 0;
}

static void look(const evs__facts *facts, evs__findings *out, const evs__sight *sight)
{
    (void)facts;
    if (sight->kind != EVS__SIGHT_COMPARE && sight->kind != EVS__SIGHT_CONCAT)
        return;
    const evs__value *status = is_status(sight->a) ? sight->a : sight->b;
    const evs__value *other = status == sight->a ? sight->b : sight->a;
    if (!is_status(status) || !is_plain(other))
        return;
    const char *what = evs__value_describe(out->pool, status);
    int raises = sight->kind == EVS__SIGHT_CONCAT || evs__op_is_order(sight->op);
    evs__finding_add(out, sight->at, "%s is a table {ok = ...}: %s", what,
                     raises                    ? "this is an error"
                     : sight->op == EVS__OP_EQ ? "it never equals a string"
                                               : "it differs from any string");
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nsights; i++)
        if (!facts->sights[i]->doubtful)
            look(facts, out, facts->sights[i]);
}

const evs__rule evs__rule_status_compare = {
    .info =
        {
            .code = "ES504",
            .name = "status-compare",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "redis.call gives a status as a table with the field ok, so the comparison "
                   "is always false, and `..` raises an error.",
            .bad = "if redis.call('TYPE', KEYS[1]) == 'none' then return 1 end\n"
                   "return 0",
            .good = "if redis.call('TYPE', KEYS[1]).ok == 'none' then return 1 end\n"
                    "return 0",
            .exceptions = "",
            .false_positives = "None: no server gives such a status as a string.",
            .server = "attempt to concatenate a table value",
            .fix = "compare the field: `reply.ok == ...`",
            .companions = "",
            .target = "",
        },
    .check = check,
};
