/* ES518 - a list is taken for a string or a number. */
#include "scripts/audit/rule.h"

static int is_list(const evs__value *value)
{
    unsigned plain = EVS__FORM_LIST | EVS__FORM_PAIRS | EVS__FORM_MAP | EVS__FORM_SET |
                     EVS__FORM_FALSE | EVS__FORM_NIL;
    unsigned forms = evs__value_forms(value);
    return evs__value_is_reply(value) && (forms & EVS__FORM_TABLES) && (forms & ~plain) == 0;
}

static int is_plain(const evs__value *value)
{
    return (value->types & (EVS__TYPE_STRING | EVS__TYPE_NUMBER)) != 0 &&
           (value->types & (EVS__TYPE_TABLE | EVS__TYPE_FALSY)) == 0;
}

static void look(const evs__facts *facts, evs__findings *out, const evs__sight *sight)
{
    (void)facts;
    if (sight->kind != EVS__SIGHT_COMPARE && sight->kind != EVS__SIGHT_CONCAT &&
        sight->kind != EVS__SIGHT_ARITHMETIC)
        return;
    const evs__value *list = is_list(sight->a) ? sight->a : sight->b;
    const evs__value *other = list == sight->a ? sight->b : sight->a;
    int equality = sight->kind == EVS__SIGHT_COMPARE && !evs__op_is_order(sight->op);
    if (is_list(list) && is_plain(other))
        evs__finding_add(out, sight->at, "%s is %s: %s", evs__value_describe(out->pool, list),
                         evs__forms_name(evs__value_forms(list) & EVS__FORM_TABLES),
                         equality ? "it equals no string and no number" : "this is an error");
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nsights; i++)
        if (!facts->sights[i]->doubtful)
            look(facts, out, facts->sights[i]);
}

const evs__rule evs__rule_list_compare = {
    .info =
        {
            .code = "ES518",
            .name = "list-compare",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "A reply with several elements is a table, also when it has none or one: "
                   "it equals nothing, and computing with it raises an error.",
            .bad = "if redis.call('ZRANGE', KEYS[1], 0, 0) == '' then return 'empty' end\n"
                   "return 'full'",
            .good = "if #redis.call('ZRANGE', KEYS[1], 0, 0) == 0 then return 'empty' end\n"
                    "return 'full'",
            .exceptions = "",
            .false_positives = "None: no server gives such a reply as a string or a number.",
            .server = "attempt to compare number with table",
            .fix = "look at its length or at an element",
            .companions = "",
            .target = "",
        },
    .check = check,
};
