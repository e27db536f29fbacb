/* ES507 - a returned list may have nil before its end. */
#include "scripts/audit/rule.h"

/* May the element of KEYS or ARGV be missing? Nobody calls without the first one. */
static int may_miss(const evs__facts *facts, const evs__atom *atom)
{
    const evs__expected *expected = &facts->setting->expected;
    long least = atom->kind == EVS__ATOM_KEY ? expected->keys_least : expected->args_least;
    return atom->index > 1 && least < atom->index;
}

/* nil on some path of the script, not just because nobody knows what is there. */
static int is_evident(const evs__facts *facts, const evs__value *value)
{
    for (size_t i = 0; i < value->natoms; i++) {
        const evs__atom *atom = value->atoms[i];
        int given = atom->kind == EVS__ATOM_KEY || atom->kind == EVS__ATOM_ARGUMENT;
        int constant = atom->kind == EVS__ATOM_CONSTANT || atom->kind == EVS__ATOM_NUMBER;
        if (!constant && !(given && may_miss(facts, atom)))
            return 0;
    }
    return value->ntables == 0 && value->ncalls == 0;
}

static void look(const evs__facts *facts, evs__findings *out, const evs__sight *sight)
{
    if (sight->kind != EVS__SIGHT_HOLE || !is_evident(facts, sight->a))
        return;
    evs__finding_add(out, sight->at,
                     "element %d of the returned table %s nil: the client gets "
                     "nothing from there on",
                     sight->depth, sight->a->types == EVS__TYPE_NIL ? "is" : "may be");
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nsights; i++)
        if (!facts->sights[i]->doubtful)
            look(facts, out, facts->sights[i]);
}

const evs__rule evs__rule_nil_hole_in_reply = {
    .info =
        {
            .code = "ES507",
            .name = "nil-hole-in-reply",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_B,
            .why = "The server stops at the first nil, so the reply is shorter than the table.",
            .bad = "return { 1, KEYS[2], 3 }",
            .good = "return { 1, KEYS[2] or false, 3 }",
            .exceptions = "Elements of KEYS and ARGV that the header block or the options say are "
                          "there, and the first ones.",
            .false_positives =
                "When callers always pass that element: say so with `@key` or `@arg` in "
                "the header block.",
            .server = "",
            .fix = "put false there: `value or false`",
            .companions = "ES201 ES203",
            .target = "",
        },
    .check = check,
};
