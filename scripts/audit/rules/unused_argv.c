/* ES204 - an argument that is passed and never used, or used and never passed. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

/* Which of the first places are read, and the highest of them. */
enum { PLACES = 64 };

typedef struct seen {
    unsigned char read[PLACES + 1];
    int highest;
    int all; /* it is used in a way that may read any of them */
} seen;

static seen look(const evs__facts *facts)
{
    seen s = {{0}, 0, 0};
    for (size_t i = 0; i < facts->naccesses; i++) {
        const evs__access *access = &facts->accesses[i];
        if (access->given != EVS__GIVEN_ARGV || access->kind == EVS__ACCESS_STRANGE)
            continue;
        s.all |= access->kind != EVS__ACCESS_INDEX || access->index > PLACES;
        if (access->index > s.highest)
            s.highest = access->index;
        if (access->index >= 1 && access->index <= PLACES)
            s.read[access->index] = 1;
    }
    return s;
}

/* Where the first element that is not the first is read: what points at the gap. */
static evs_span place_of(const evs__facts *facts, int index)
{
    evs_span first = {1, 1, 1, 1};
    for (size_t i = 0; i < facts->naccesses; i++)
        if (facts->accesses[i].given == EVS__GIVEN_ARGV && facts->accesses[i].index == index)
            return facts->accesses[i].at;
    return first;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    long most = facts->setting->expected.args_most;
    seen s = look(facts);
    if (s.all || facts->has_functions || facts->ngaps > 0)
        return;
    if (most >= 0 && s.highest > most)
        evs__finding_add(out, place_of(facts, s.highest), "ARGV[%d] is never passed: there %s %ld",
                         s.highest, most == 1 ? "is" : "are", most);
    for (int i = 1; i < s.highest && i <= PLACES; i++)
        if (!s.read[i])
            evs__finding_add(out, place_of(facts, s.highest), "ARGV[%d] is never used", i);
}

const evs__rule evs__rule_unused_argv = {
    .info =
        {
            .code = "ES204",
            .name = "unused-argv",
            .severity = EVS_SEVERITY_NOTE,
            .tier = EVS_TIER_C,
            .why = "Callers and script have drifted apart: a place in ARGV below the "
                   "highest one is never read, or one is read that is not declared.",
            .bad = "return ARGV[1] .. ARGV[3]",
            .good = "return ARGV[1] .. ARGV[2]",
            .exceptions = "scripts that use ARGV as a whole, or at places that are no "
                          "constants",
            .false_positives = "Places that are kept so that old callers fit.",
            .server = "",
            .fix = "renumber the arguments",
            .companions = "",
            .target = "",
        },
    .check = check,
};
