/* ES201 - a key that is passed and never used. */
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
        if (access->given != EVS__GIVEN_KEYS || access->kind == EVS__ACCESS_STRANGE)
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
        if (facts->accesses[i].given == EVS__GIVEN_KEYS && facts->accesses[i].index == index)
            return facts->accesses[i].at;
    return first;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    const evs__expected *expected = &facts->setting->expected;
    seen s = look(facts);
    long declared = expected->keys_least == expected->keys_most ? expected->keys_most : -1;
    long last = declared >= 0 && declared <= PLACES ? declared : s.highest;
    if (s.all || facts->has_functions || facts->ngaps > 0)
        return;
    for (int i = 1; i <= last; i++)
        if (!s.read[i])
            evs__finding_add(out, place_of(facts, s.highest), "KEYS[%d] is passed and never used",
                             i);
}

const evs__rule evs__rule_unused_key = {
    .info =
        {
            .code = "ES201",
            .name = "unused-key",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_A,
            .why = "Every key that a caller passes has to be in the same slot, and "
                   "costs a permission. One that the script never looks at widens "
                   "both for nothing.",
            .bad = "return redis.call('GET', KEYS[1]) or redis.call('GET', KEYS[3])",
            .good = "return redis.call('GET', KEYS[1]) or redis.call('GET', KEYS[2])",
            .exceptions = "scripts that use KEYS as a whole, or at places that are no "
                          "constants; without a declared number of keys only gaps below the "
                          "highest place are reported",
            .false_positives = "Keys that are passed only to choose the node.",
            .server = "",
            .fix = "pass the others only",
            .companions = "",
            .target = "",
        },
    .check = check,
};
