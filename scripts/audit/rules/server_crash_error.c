/* ES614 - error() with a table that crashes the server. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    evs__since seven = {EVS__VERSION(7, 0), EVS__VERSION_ALWAYS};

    if (evs__target_from(&facts->setting->targets, seven) == NULL)
        return;
    for (const evs__given_back *back = facts->flow->raised; back != NULL; back = back->next)
        if (back->plain && back->uncaught)
            evs__finding_add(out, evs__span_public(facts->chunk, back->at),
                             "a table without a string err is raised: the server crashes");
}

const evs__rule evs__rule_server_crash_error = {
    .info =
        {
            .code = "ES614",
            .name = "server-crash-error",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "From 7.0 on the server reads the field err of a table that is raised as an "
                   "error, and does not check that it is there: the process ends with a "
                   "segmentation fault, and so does the replica that is promoted when the "
                   "client tries again. It was fixed upstream in the middle of 2025; the "
                   "packages of Debian 12 have not got that.",
            .bad = "error({code = 1})",
            .good = "error({err = 'ERR no luck'})",
            .exceptions = "errors that a pcall catches, and tables that are not known",
            .false_positives =
                "Servers with the fix, and tables whose err is assigned where the audit "
                "does not see it.",
            .server = "",
            .fix = "error(redis.error_reply(text)), or error(text)",
            .companions = "",
            .target = "",
        },
    .check = check,
};
