/* ES313 - a script that writes nothing and does not say so. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    static const evs__since flags = {EVS__VERSION(7, 0), EVS__VERSION_ALWAYS};
    const evs_span begin = {1, 1, 1, 1};
    if (facts->may_write || facts->ncalls == 0 || facts->has_functions ||
        (facts->shebang & EVS__SHEBANG_NO_WRITES) ||
        evs__target_before(&facts->setting->targets, flags) != NULL)
        return;
    evs__finding_add(out, begin,
                     "it writes nothing: #!lua flags=no-writes, or EVALSHA_RO, lets it "
                     "run on replicas");
}

const evs__rule evs__rule_could_be_read_only = {
    .info =
        {
            .code = "ES313",
            .name = "could-be-read-only",
            .severity = EVS_SEVERITY_NOTE,
            .tier = EVS_TIER_C,
            .why = "Servers run a script with the flag no-writes on replicas, and "
                   "when they are out of memory; a client may send it with "
                   "EVALSHA_RO. A shebang also asks for one slot: see ES113.",
            .bad = "return redis.call('GET', KEYS[1])",
            .good = "#!lua flags=no-writes\n"
                    "return redis.call('GET', KEYS[1])",
            .exceptions = "",
            .false_positives = "Scripts that are meant to write later: it runs only when it is "
                               "selected.",
            .server = "",
            .fix = "begin it with #!lua flags=no-writes",
            .companions = "",
            .target = "",
        },
    .check = check,
};
