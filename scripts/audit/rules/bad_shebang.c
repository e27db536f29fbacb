/* ES004 - a first line that the server refuses. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

/* The first version that reads a shebang; to older ones it is a syntax error. */
static const evs__since shebangs = {EVS__VERSION(7, 0), EVS__VERSION_ALWAYS};

static void check(const evs__facts *facts, evs__findings *out)
{
    evs_span first = {1, 1, 1, (int)facts->chunk->shebang.len + 1};
    if (facts->refusal == EVS__REFUSAL_SHEBANG) {
        evs__finding_add(out, facts->syntax_at, "%s",
                         facts->refusal_text != NULL ? facts->refusal_text : facts->syntax_message);
        return;
    }
    const evs__target *old = evs__target_before(&facts->setting->targets, shebangs);
    if (facts->chunk->shebang.len > 0 && old != NULL)
        evs__finding_add(out, first, "%s %d.%d knows no shebang, which came with Redis 7.0",
                         evs__target_name(old), old->min >> 8, old->min & 255);
}

const evs__rule evs__rule_bad_shebang = {
    .info =
        {
            .code = "ES004",
            .name = "bad-shebang",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "The server reads the first line itself when it begins with #!. It "
                   "knows one engine, lua, and the flags no-writes, allow-oom, "
                   "allow-stale, no-cluster and allow-cross-slot-keys, separated by "
                   "commas without blanks.",
            .bad = "#!lua flags=no-writes, allow-oom\n"
                   "return 1",
            .good = "#!lua flags=no-writes,allow-oom\n"
                    "return 1",
            .exceptions = "libraries of functions, whose first line names them",
            .false_positives = "Valkey 8.1 takes the name of the engine in any case; all others "
                               "do not.",
            .server = "ERR Unexpected flag in script shebang",
            .fix = "#!lua flags=no-writes,allow-stale",
            .companions = "",
            .target = "",
        },
    .check = check,
};
