/* ES205 - a place that no element of KEYS or ARGV has. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

static const char *name_of(evs__given given)
{
    return given == EVS__GIVEN_KEYS ? "KEYS" : "ARGV";
}

/* Whatever the script put there it may read again. */
static int is_changed(const evs__facts *facts, evs__given given)
{
    for (size_t i = 0; i < facts->naccesses; i++)
        if (facts->accesses[i].given == given && facts->accesses[i].kind == EVS__ACCESS_WRITE)
            return 1;
    return 0;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->naccesses; i++) {
        const evs__access *access = &facts->accesses[i];
        if (access->kind == EVS__ACCESS_STRANGE && !is_changed(facts, access->given))
            evs__finding_add(out, access->at, "%s[%s] is always nil", name_of(access->given),
                             access->text);
        if (access->kind == EVS__ACCESS_PASSED)
            evs__finding_add(out, access->at,
                             "%s is passed as one argument: it is a table, use unpack(%s)",
                             name_of(access->given), name_of(access->given));
    }
}

const evs__rule evs__rule_bad_keys_index = {
    .info =
        {
            .code = "ES205",
            .name = "bad-keys-index",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "Elements are at 1, 2, 3 and so on. KEYS[0], KEYS['1'] and "
                   "KEYS[1.5] are nil, which no command takes, and a whole table is "
                   "no argument either.",
            .bad = "return redis.call('GET', KEYS['1'])",
            .good = "return redis.call('GET', KEYS[1])",
            .exceptions = "scripts that put something there themselves",
            .false_positives = "None.",
            .server = "ERR Lua redis lib command arguments must be strings or integers",
            .fix = "count from 1",
            .companions = "ES105 ES308",
            .target = "",
        },
    .check = check,
};
