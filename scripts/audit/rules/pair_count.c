/* ES309 - pairs of which one has no second half. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

#include <string.h>

typedef struct pairs {
    const char *command;
    size_t from; /* 0: behind the options */
    size_t more; /* arguments between the options and the pairs */
} pairs;

static const pairs *pairs_of(const evs__callfact *call)
{
    static const pairs all[] = {{"HSET", 2, 0},   {"HMSET", 2, 0}, {"MSET", 1, 0},
                                {"MSETNX", 1, 0}, {"ZADD", 0, 0},  {"XADD", 0, 1}};
    for (size_t i = 0; call->kind == EVS__CALL_KNOWN && i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].command, call->command->name) == 0)
            return &all[i];
    return NULL;
}

/* The word that is no option may be one of those that look like data. */
static size_t behind_options(const evs__callfact *call)
{
    evs__options options = evs__options_of(call);
    while (evs__options_next(&options))
        continue;
    return evs__call_constant(call, options.next) != NULL ? options.next : 0;
}

static void check_pairs(const evs__facts *facts, evs__findings *out, const evs__callfact *call,
                        const pairs *p)
{
    size_t count = evs__call_count(call), from = p->from;
    if (from == 0)
        from = behind_options(call);
    if (from == 0 || count <= from + p->more || (count - from - p->more) % 2 == 0)
        return;
    evs__finding_add(out, evs__call_span(facts, call, count - 1),
                     "%s takes pairs, and the last one has no second half", call->command->name);
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->ncalls; i++) {
        const pairs *p = pairs_of(&facts->calls[i]);
        if (p != NULL)
            check_pairs(facts, out, &facts->calls[i], p);
    }
}

const evs__rule evs__rule_pair_count = {
    .info =
        {
            .code = "ES309",
            .name = "pair-count",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_B,
            .why = "HSET, MSET, ZADD and XADD take pairs. With an odd number the "
                   "server refuses the call when it gets there, and what the script "
                   "wrote before stays.",
            .bad = "return redis.call('HSET', KEYS[1], 'a', 1, 'b')",
            .good = "return redis.call('HSET', KEYS[1], 'a', 1, 'b', 2)",
            .exceptions = "calls whose number of arguments is not known",
            .false_positives = "None.",
            .server = "ERR wrong number of arguments for 'hset' command",
            .fix = "",
            .companions = "",
            .target = "",
        },
    .check = check,
};
