/* ES405 - a command for each element of a whole collection. */
#include "scripts/audit/rule.h"

/* Its outer loop has the finding already. */
static int is_inside(const evs__loopfact *loop)
{
    for (const evs__loopfact *outer = loop->outer; outer != NULL; outer = outer->outer)
        if (outer->bound == EVS__BOUND_DRAIN ||
            (outer->bound == EVS__BOUND_DATA && loop->bound == EVS__BOUND_DATA))
            return 1;
    return 0;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__loopfact *loop = facts->flow->loops; loop != NULL; loop = loop->next) {
        if (is_inside(loop) || evs__key_is_small(facts, loop->key))
            continue;
        if (loop->bound == EVS__BOUND_DATA && (loop->does & EVS__DOES_COMMAND))
            evs__finding_add(
                out, evs__span_public(facts->chunk, loop->at),
                "a command is run for each element that %s finds, however many there are",
                loop->what);
        if (loop->bound == EVS__BOUND_DRAIN)
            evs__finding_add(
                out, evs__span_public(facts->chunk, loop->at),
                "the loop goes on until it has gone through a collection, however big it is");
    }
}

const evs__rule evs__rule_data_sized_work = {
    .info =
        {
            .code = "ES405",
            .name = "data-sized-work",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_B,
            .why = "The script takes as long as the data is big, and nobody else is served "
                   "meanwhile: this is how scripts that were quick in tests stop a server "
                   "years later.",
            .bad = "for _, m in ipairs(redis.call('SMEMBERS', KEYS[1])) do\n"
                   "  redis.call('ZADD', KEYS[2], 0, m)\n"
                   "end\n"
                   "return 1",
            .good = "for _, m in ipairs(redis.call('SRANDMEMBER', KEYS[1], 100)) do\n"
                    "  redis.call('ZADD', KEYS[2], 0, m)\n"
                    "end\n"
                    "return 1",
            .exceptions = "replies with a LIMIT, a COUNT or an end that is no constant",
            .false_positives =
                "Collections that are small by construction: say so with small=KEYS[1] in a "
                "comment, or suppress with the reason.",
            .server = "",
            .fix = "take a portion, and let the client call again",
            .companions = "",
            .target = "",
        },
    .check = check,
};
