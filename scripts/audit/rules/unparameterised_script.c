/* ES704 - the text has a hole for a template engine. */
#include "scripts/audit/rule.h"

#include <string.h>

/* Where the text stops being Lua, is there a hole? */
static void check_broken(const evs__facts *facts, evs__findings *out)
{
    static const char *const holes[] = {"${", "{{", "#{", "%s", "%d", "<%"};
    evs_bytes source = facts->chunk->source;
    size_t at = facts->chunk->error.at.start, begin = at > 1 ? at - 1 : 0;
    for (size_t i = begin; i < at + 1 && i + 1 < source.len; i++)
        for (size_t k = 0; k < sizeof holes / sizeof *holes; k++)
            if (memcmp(source.data + i, holes[k], 2) == 0) {
                evs__finding_add(out, facts->syntax_at, "a hole for a template engine stands here");
                return;
            }
}

/* What a program puts in, where it stands for a value. */
static void check_holes(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nholes; i++) {
        const evs__holefact *hole = &facts->holes[i];
        if (hole->place == EVS__HOLE_IN_STRING || hole->place == EVS__HOLE_VALUE)
            evs__finding_add(out, hole->at,
                             "the program puts `%s` in: each value makes another script",
                             hole->code);
    }
}

static void check(const evs__facts *facts, evs__findings *out)
{
    if (facts->syntax_message != NULL) {
        check_broken(facts, out);
        return;
    }
    check_holes(facts, out);
    for (const evs__placeholder *hole = facts->flow->placeholders; hole != NULL; hole = hole->next)
        evs__finding_add(out, evs__span_public(facts->chunk, hole->at),
                         "%s is to be filled in: each value makes another script", hole->text);
}

const evs__rule evs__rule_unparameterised_script = {
    .info =
        {
            .code = "ES704",
            .name = "unparameterised-script",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_A,
            .why = "Every value makes a new script that the server keeps (Redis 7.4 forgets "
                   "only those of EVAL, beyond 500), and whoever chooses the value chooses "
                   "code.",
            .bad = "return redis.call('GET', 'user:${id}')",
            .good = "return redis.call('GET', KEYS[1])",
            .exceptions = "%s and %d anywhere but in an argument of a command",
            .false_positives = "Text that only looks like a hole: suppress with the reason.",
            .server = "",
            .fix = "pass it in KEYS or ARGV",
            .companions = "ES101 ES110",
            .target = "",
        },
    .check = check,
};
