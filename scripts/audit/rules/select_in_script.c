/* ES116 - a script that reaches another database. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

/* COPY source destination DB n */
static int copies_elsewhere(const evs__callfact *call)
{
    static const char *const names[] = {"COPY", NULL};
    evs__options options = evs__options_of(call);
    while (evs__call_is_one_of(call, names) && evs__options_next(&options))
        if (options.option->word != NULL && options.option->word[0] == 'D')
            return 1;
    return 0;
}

/* Valkey 9 has several databases in a cluster, when it is told so. */
static int may_be_allowed(const evs__facts *facts)
{
    const evs__since allowed = {EVS__VERSION_NEVER, EVS__VERSION(9, 0)};
    return evs__target_before(&facts->setting->targets, allowed) == NULL;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->ncalls; i++) {
        const evs__callfact *call = &facts->calls[i];
        if (call->kind != EVS__CALL_KNOWN ||
            (!(call->command->flags & EVS__COMMAND_OTHER_DATABASE) && !copies_elsewhere(call)))
            continue;
        evs_finding *finding = evs__finding_add(out, call->at, "%s reaches another database",
                                                call->command->name);
        if (finding != NULL && may_be_allowed(facts))
            finding->severity = EVS_SEVERITY_NOTE;
    }
}

const evs__rule evs__rule_select_in_script = {
    .info =
        {
            .code = "ES116",
            .name = "select-in-script",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_B,
            .why = "A cluster has one database. Elsewhere the keys of a call are "
                   "those of the caller's database, so what was declared is another "
                   "key than what is used.",
            .bad = "redis.call('SELECT', 1)\n"
                   "return redis.call('GET', KEYS[1])",
            .good = "return redis.call('GET', KEYS[1])",
            .exceptions = "",
            .false_positives = "None on clusters, but for Valkey 9 with cluster-databases.",
            .server = "ERR SELECT is not allowed in cluster mode",
            .fix = "keep the data in one database",
            .companions = "",
            .target = "",
        },
    .check = check,
};
