/* ES311 - a number with a fraction where a whole one is asked for. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

#include <string.h>

#define TOO_GREAT 9223372036854775808.0

/* Arguments that must be whole numbers: at one place, or at two. */
static const struct {
    const char *command;
    size_t places[2];
} whole[] = {{"DECRBY", {2, 0}},          {"EXPIRE", {2, 0}},   {"EXPIREAT", {2, 0}},
             {"GETBIT", {2, 0}},          {"GETRANGE", {2, 3}}, {"HINCRBY", {3, 0}},
             {"INCRBY", {2, 0}},          {"LINDEX", {2, 0}},   {"LPOP", {2, 0}},
             {"LRANGE", {2, 3}},          {"LREM", {2, 0}},     {"LSET", {2, 0}},
             {"LTRIM", {2, 3}},           {"PEXPIRE", {2, 0}},  {"PEXPIREAT", {2, 0}},
             {"PSETEX", {2, 0}},          {"RPOP", {2, 0}},     {"SETBIT", {2, 0}},
             {"SETEX", {2, 0}},           {"SETRANGE", {2, 0}}, {"SPOP", {2, 0}},
             {"SRANDMEMBER", {2, 0}},     {"ZPOPMAX", {2, 0}},  {"ZPOPMIN", {2, 0}},
             {"ZREMRANGEBYRANK", {2, 3}}, {"ZREVRANGE", {2, 3}}};

static void check_argument(const evs__facts *facts, evs__findings *out, const evs__callfact *call,
                           size_t i)
{
    const evs__value *value = evs__call_value(call, i);
    if (value == NULL || value->types != EVS__TYPE_NUMBER || call->doubtful)
        return;
    const evs__range *range = &value->range;
    if (range->fraction == EVS__FRACTION_BY_SCRIPT)
        evs__finding_add(out, evs__call_span(facts, call, i),
                         "argument %zu of %s must be whole, and this may have a fraction", i,
                         call->command->name);
    else if (range->low >= TOO_GREAT || range->high <= -TOO_GREAT)
        evs__finding_add(out, evs__call_span(facts, call, i),
                         "argument %zu of %s is beyond 64 bits", i, call->command->name);
}

/* EX, PX and COUNT are followed by whole numbers as well. */
static void check_options(const evs__facts *facts, evs__findings *out, const evs__callfact *call)
{
    static const char *const words[] = {"EX", "PX", "EXAT", "PXAT", "COUNT", NULL};
    evs__options options = evs__options_of(call);
    while (evs__options_next(&options))
        for (size_t i = 0; options.option->word != NULL && words[i] != NULL; i++)
            if (strcmp(options.option->word, words[i]) == 0)
                check_argument(facts, out, call, options.at + 1);
}

static void check_places(const evs__facts *facts, evs__findings *out, const evs__callfact *call)
{
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        if (strcmp(whole[i].command, call->command->name) != 0)
            continue;
        for (size_t k = 0; k < 2; k++)
            if (whole[i].places[k] > 0)
                check_argument(facts, out, call, whole[i].places[k]);
    }
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->ncalls; i++) {
        const evs__callfact *call = &facts->calls[i];
        if (call->kind != EVS__CALL_KNOWN)
            continue;
        check_places(facts, out, call);
        check_options(facts, out, call);
    }
}

const evs__rule evs__rule_fractional_integer_argument = {
    .info =
        {
            .code = "ES311",
            .name = "fractional-integer-argument",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_B,
            .why = "The server takes whole numbers of 64 bits there. A division gives "
                   "a fraction for some data, and then the command is refused.",
            .bad = "redis.call('EXPIRE', KEYS[1], ARGV[1] / 2)\n"
                   "return 1",
            .good = "redis.call('EXPIRE', KEYS[1], math.floor(ARGV[1] / 2))\n"
                    "return 1",
            .exceptions = "numbers that come from outside: only the script's own divisions "
                          "and constants are reported",
            .false_positives = "Divisions that leave no remainder: say so with math.floor.",
            .server = "ERR value is not an integer or out of range",
            .fix = "math.floor(n)",
            .companions = "",
            .target = "",
        },
    .check = check,
};
