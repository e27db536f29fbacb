/* ES517 - a reply is read as the other protocol gives it. */
#include "scripts/audit/rule.h"

#include <string.h>

static unsigned form_with(const evs__value *key)
{
    static const struct {
        const char *name;
        unsigned form;
    } fields[] = {{"map", EVS__FORM_MAP}, {"set", EVS__FORM_SET}, {"double", EVS__FORM_DOUBLE}};
    const evs__atom *single = evs__value_single(key);
    for (size_t i = 0; single != NULL && i < sizeof fields / sizeof *fields; i++)
        if (single->kind == EVS__ATOM_CONSTANT && single->text.len == strlen(fields[i].name) &&
            memcmp(single->text.data, fields[i].name, single->text.len) == 0)
            return fields[i].form;
    return 0;
}

static void look(const evs__facts *facts, evs__findings *out, const evs__sight *sight)
{
    (void)facts;
    if (sight->kind != EVS__SIGHT_INDEX || !evs__value_is_reply(sight->a))
        return;
    unsigned records = EVS__FORM_MAP | EVS__FORM_SET | EVS__FORM_DOUBLE;
    unsigned tables = evs__value_forms(sight->a) & EVS__FORM_TABLES, wanted = form_with(sight->b);
    const char *what = evs__value_describe(out->pool, sight->a);
    if (evs__value_is_number(sight->b) && tables != 0 && (tables & ~records) == 0)
        evs__finding_add(out, sight->at,
                         "%s is %s after redis.setresp(3): there is nothing at a "
                         "number",
                         what, evs__forms_name(tables));
    if (wanted != 0 && (tables & wanted) == 0)
        evs__finding_add(out, sight->at, "%s is %s: it has no such field here", what,
                         tables == 0 ? "no table" : evs__forms_name(tables));
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nsights; i++)
        if (!facts->sights[i]->doubtful)
            look(facts, out, facts->sights[i]);
}

const evs__rule evs__rule_resp3_shape = {
    .info =
        {
            .code = "ES517",
            .name = "resp3-shape",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_C,
            .why = "With RESP3 a map is {map = {...}}, a set {set = {...}}, a score {double = "
                   "...}; with RESP2 they are lists and strings.",
            .bad = "redis.setresp(3)\n"
                   "local h = redis.call('HGETALL', KEYS[1])\n"
                   "return h[1]",
            .good = "local h = redis.call('HGETALL', KEYS[1])\n"
                    "return h[1]",
            .exceptions = "",
            .false_positives = "None: the field is never there.",
            .server = "",
            .fix = "read the reply as the protocol gives it that redis.setresp has chosen",
            .companions = "",
            .target = "",
        },
    .check = check,
};
