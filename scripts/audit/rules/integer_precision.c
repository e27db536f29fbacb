/* ES509 - a number has more digits than a double holds. */
#include "scripts/audit/rule.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What scripts write for "more than anything". */
static int is_largest(evs_bytes text)
{
    static const char *const largest[] = {
        "9223372036854775807", "9223372036854775808", "18446744073709551615", "92233720368547758",
        "9999999999999999",    "99999999999999999",   "999999999999999999"};
    for (size_t i = 0; i < sizeof largest / sizeof *largest; i++)
        if (text.len == strlen(largest[i]) && memcmp(text.data, largest[i], text.len) == 0)
            return 1;
    return 0;
}

static int is_digits(evs_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return 0;
    return text.len > 0;
}

static void look_at_literal(const evs__facts *facts, evs__findings *out, const evs__sight *sight)
{
    char read[64];
    evs_bytes source = facts->chunk->source, text;
    text.data = source.data + sight->span.start;
    text.len = (size_t)(sight->span.end - sight->span.start);
    if (!is_digits(text) || is_largest(text))
        return;
    int len = snprintf(read, sizeof read, "%.0f", sight->a->range.low);
    if ((size_t)len != text.len || memcmp(read, text.data, text.len) != 0)
        evs__finding_add(out, sight->at, "%.*s is read as %s", (int)text.len, text.data, read);
}

static int is_beyond(const evs__range *range)
{
    return !isinf(range->low) && range->low >= EVS__WHOLE_MAX;
}

static void look(const evs__facts *facts, evs__findings *out, const evs__sight *sight)
{
    if (sight->kind == EVS__SIGHT_NUMBER)
        look_at_literal(facts, out, sight);
    int sum = sight->kind == EVS__SIGHT_ARITHMETIC &&
              (sight->op == EVS__OP_ADD || sight->op == EVS__OP_SUB);
    if (!sum)
        return;
    evs__range a = evs__value_range(sight->a), b = evs__value_range(sight->b);
    if (is_beyond(&a) || is_beyond(&b))
        evs__finding_add(out, sight->at,
                         "a number beyond 2^53 is added to: the last digits of the "
                         "sum are lost");
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nsights; i++)
        if (!facts->sights[i]->doubtful)
            look(facts, out, facts->sights[i]);
}

const evs__rule evs__rule_integer_precision = {
    .info =
        {
            .code = "ES509",
            .name = "integer-precision",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_A,
            .why = "Lua of the servers knows doubles alone: whole numbers above 2^53 lose "
                   "their last digits.",
            .bad = "return 9007199254740993",
            .good = "return '9007199254740993'",
            .exceptions = "Numbers that are written for \"more than anything\", like "
                          "9223372036854775807.",
            .false_positives = "None: the digits are lost. Whether they matter, the script knows.",
            .server = "",
            .fix = "keep such numbers as strings; let INCRBY do the sum",
            .companions = "",
            .target = "",
        },
    .check = check,
};
