/* ES511 - what cjson.decode read is encoded again. */
#include "scripts/audit/rule.h"

static void look(const evs__facts *facts, evs__findings *out, const evs__sight *sight)
{
    (void)facts;
    if (sight->kind != EVS__SIGHT_ENCODED || sight->index != EVS__ENCODED_ALL)
        return;
    for (size_t i = 0; i < sight->a->natoms; i++) {
        const evs__atom *atom = sight->a->atoms[i];
        if (atom->kind != EVS__ATOM_DATA || (atom->sources & EVS__SOURCE_DECODED) == 0)
            continue;
        evs__finding_add(out, sight->at,
                         "what cjson.decode read is encoded again: numbers come "
                         "out with 14 digits");
        return;
    }
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nsights; i++)
        if (!facts->sights[i]->doubtful)
            look(facts, out, facts->sights[i]);
}

const evs__rule evs__rule_cjson_number_roundtrip = {
    .info =
        {
            .code = "ES511",
            .name = "cjson-number-roundtrip",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_B,
            .why = "12345678901234567 becomes 1.2345678901235e+16, an empty list {}: the "
                   "document that comes out is not the one that went in.",
            .bad = "local j = cjson.decode(ARGV[1])\n"
                   "j.seen = true\n"
                   "return cjson.encode(j)",
            .good = "-- keep ids as JSON strings, or patch the text with string.gsub\n"
                    "return ARGV[1]",
            .exceptions = "Values that are computed from decoded ones.",
            .false_positives =
                "Documents without great numbers and without lists that may be empty: "
                "ignore it there.",
            .server = "",
            .fix = "keep identifiers as strings in the document, or change the text itself",
            .companions = "",
            .target = "",
        },
    .check = check,
};
