/* ES515 - a stored number looks different on other servers. */
#include "scripts/audit/rule.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Commands that store an argument as it is written, and from which one on. */
static const struct {
    const char *command;
    size_t from, to;
} storing[] = {
    {"APPEND", 2, 2},    {"GETSET", 2, 2},  {"HMSET", 2, 99},  {"HSET", 2, 99},   {"HSETNX", 2, 3},
    {"LINSERT", 3, 4},   {"LPUSH", 2, 99},  {"LPUSHX", 2, 99}, {"LREM", 3, 3},    {"LSET", 3, 3},
    {"MSET", 2, 99},     {"MSETNX", 2, 99}, {"PSETEX", 3, 3},  {"PUBLISH", 2, 2}, {"RPUSH", 2, 99},
    {"RPUSHX", 2, 99},   {"SADD", 2, 99},   {"SET", 2, 2},     {"SETEX", 3, 3},   {"SETNX", 2, 2},
    {"SISMEMBER", 2, 2}, {"SREM", 2, 99},   {"XADD", 3, 99},
};

/* One number that all servers write alike, because 17 digits are no more than it takes. */
static int is_alike(const evs__range *range)
{
    char long_form[40], short_form[40];
    if (!evs__range_is_single(range) || isinf(range->low))
        return 0;
    snprintf(long_form, sizeof long_form, "%.17g", range->low);
    snprintf(short_form, sizeof short_form, "%.15g", range->low);
    return strcmp(long_form, short_form) == 0 && strchr(long_form, 'e') == NULL;
}

static int differs(const evs__value *value)
{
    const evs__range *range = &value->range;
    if (value->types != EVS__TYPE_NUMBER || is_alike(range))
        return 0;
    return range->fraction == EVS__FRACTION_BY_SCRIPT || range->low >= 1e17 || range->high <= -1e17;
}

static void look(const evs__facts *facts, evs__findings *out, const evs__callfact *call,
                 size_t from, size_t to)
{
    for (size_t i = from; i <= to && i < call->args.count; i++)
        if (differs(call->args.items[i].value))
            evs__finding_add(out, evs__span_public(facts->chunk, call->args.items[i].at),
                             "%s stores a number as text, which is not the same on all servers: "
                             "0.1 is 0.10000000000000001 before Redis 7.2",
                             call->name);
}

static void check(const evs__facts *facts, evs__findings *out)
{
    static const evs__since settled = {EVS__VERSION(7, 4), EVS__VERSION(8, 0)};
    if (evs__target_before(&facts->setting->targets, settled) == NULL)
        return;
    for (size_t i = 0; i < facts->ncalls; i++)
        for (size_t k = 0; k < sizeof storing / sizeof *storing; k++)
            if (facts->calls[i].kind == EVS__CALL_KNOWN && !facts->calls[i].doubtful &&
                strcmp(facts->calls[i].name, storing[k].command) == 0)
                look(facts, out, &facts->calls[i], storing[k].from, storing[k].to);
}

const evs__rule evs__rule_float_argument_format = {
    .info =
        {
            .code = "ES515",
            .name = "float-argument-format",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_B,
            .why = "Up to Redis 7.0 a number argument is written with 17 digits (3.7 as "
                   "3.7000000000000002), later as short as it can be.",
            .bad = "redis.call('SET', KEYS[1], 0.1)\n"
                   "return redis.call('GET', KEYS[1])",
            .good = "redis.call('SET', KEYS[1], string.format('%.3f', 0.1))\n"
                    "return redis.call('GET', KEYS[1])",
            .exceptions =
                "Scores and increments, which servers read as numbers again; numbers that "
                "all of them write alike, like 0.5.",
            .false_positives = "When the stored text is only ever read as a number.",
            .server = "",
            .fix = "string.format('%.3f', x)",
            .companions = "",
            .target = "redis:7.0",
        },
    .check = check,
};
