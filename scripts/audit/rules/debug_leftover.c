/* ES606 - a breakpoint, or a log line in a loop. */
#include "scripts/audit/rule.h"
#include <string.h>

/* What servers do not log unless they are told to: redis.LOG_DEBUG, redis.LOG_VERBOSE. */
static int is_quiet(const char *level)
{
    return strcmp(level, "redis.LOG_DEBUG") == 0 || strcmp(level, "redis.LOG_VERBOSE") == 0;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__apiuse *use = facts->flow->apis; use != NULL; use = use->next) {
        evs_span at = evs__span_public(facts->chunk, use->at);
        if (evs__is_api(use, "redis", "breakpoint") || evs__is_api(use, "redis", "debug"))
            evs__finding_add(out, at, "redis.%s does nothing outside of the debugger", use->name);
        if (evs__is_api(use, "redis", "log") && use->looped && !is_quiet(use->text))
            evs__finding_add(out, at, "a line is logged in every round of a loop");
    }
}

const evs__rule evs__rule_debug_leftover = {
    .info =
        {
            .code = "ES606",
            .name = "debug-leftover",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_C,
            .why = "breakpoint and debug do nothing without a debugger; a log line per round "
                   "fills the log of the server, from every call of the script.",
            .bad = "redis.debug(ARGV[1])\n"
                   "return 1",
            .good = "return 1",
            .exceptions = "levels that servers do not log by default, and a line outside of loops",
            .false_positives = "None.",
            .server = "",
            .fix = "leave it out",
            .companions = "",
            .target = "",
        },
    .check = check,
};
