/* ES203 - an element of KEYS that is no key. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

/* May the element have got into a key, or a part of one? */
static int reaches_a_key(const evs__facts *facts, int index)
{
    for (size_t i = 0; i < facts->nuses; i++) {
        const evs__keyuse *use = &facts->uses[i];
        if (use->verdict == EVS_VERDICT_UNPROVEN)
            return 1;
        for (size_t k = 0; k < use->natoms; k++) {
            const evs__atom *atom = use->atoms[k];
            if ((atom->kind == EVS__ATOM_KEY || atom->kind == EVS__ATOM_DERIVED) &&
                (atom->index == index || atom->index == 0))
                return 1;
        }
    }
    return 0;
}

/* Channels are hashed like keys. */
static int is_a_channel(const evs__facts *facts)
{
    static const char *const names[] = {"SPUBLISH", NULL};
    for (size_t i = 0; i < facts->ncalls; i++)
        if (facts->calls[i].kind == EVS__CALL_DYNAMIC ||
            evs__call_is_one_of(&facts->calls[i], names))
            return 1;
    return 0;
}

static int is_read_as_a_whole(const evs__facts *facts)
{
    for (size_t i = 0; i < facts->naccesses; i++)
        if (facts->accesses[i].given == EVS__GIVEN_KEYS &&
            facts->accesses[i].kind != EVS__ACCESS_INDEX &&
            facts->accesses[i].kind != EVS__ACCESS_STRANGE)
            return 1;
    return 0;
}

/* Is it the first read of that element? */
static int is_first(const evs__facts *facts, size_t n)
{
    const evs__access *access = &facts->accesses[n];
    for (size_t i = 0; i < n; i++)
        if (facts->accesses[i].given == access->given && facts->accesses[i].index == access->index)
            return 0;
    return 1;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    if (facts->ngaps > 0 || facts->has_functions || is_a_channel(facts) ||
        is_read_as_a_whole(facts))
        return;
    for (size_t i = 0; i < facts->naccesses; i++) {
        const evs__access *access = &facts->accesses[i];
        if (access->given == EVS__GIVEN_KEYS && access->index > 0 && is_first(facts, i) &&
            !reaches_a_key(facts, access->index))
            evs__finding_add(out, access->at, "KEYS[%d] is read, but never used as a key",
                             access->index);
    }
}

const evs__rule evs__rule_keys_entry_as_data = {
    .info =
        {
            .code = "ES203",
            .name = "keys-entry-as-data",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_B,
            .why = "What is passed in KEYS is hashed: in a cluster it has to be in "
                   "the same slot as the real keys, or the whole call is refused. "
                   "Data belongs into ARGV.",
            .bad = "local n = tonumber(KEYS[1])\n"
                   "return n",
            .good = "local n = tonumber(ARGV[1])\n"
                    "return n",
            .exceptions = "scripts that use KEYS as a whole",
            .false_positives = "A key whose name is passed on as data on purpose.",
            .server = "CROSSSLOT Keys in request don't hash to the same slot",
            .fix = "pass it in ARGV",
            .companions = "",
            .target = "",
        },
    .check = check,
};
