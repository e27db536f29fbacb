/* ES602 - a global is read that no server has. */
#include "scripts/audit/rule.h"

/* Code that a program puts in may define what it likes. */
static int has_code(const evs__facts *facts)
{
    for (size_t i = 0; i < facts->nholes; i++)
        if (facts->holes[i].place == EVS__HOLE_CODE)
            return 1;
    return 0;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    if (has_code(facts))
        return;
    for (const evs__nameuse *use = facts->flow->names; use != NULL; use = use->next) {
        if (use->kind != EVS__NAME_READ ||
            evs__extra_has_global(facts->setting->options.globals, use->name))
            continue;
        if (use->similar != NULL)
            evs__finding_add(out, evs__span_public(facts->chunk, use->at),
                             "there is no global %s; did you mean %s?", use->name, use->similar);
        else
            evs__finding_add(out, evs__span_public(facts->chunk, use->at), "there is no global %s",
                             use->name);
    }
}

const evs__rule evs__rule_undefined_global = {
    .info =
        {
            .code = "ES602",
            .name = "undefined-global",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "Reading a global that does not exist is an error in scripts, even in `x == "
                   "nil` and type(x).",
            .bad = "return keys[1]",
            .good = "return KEYS[1]",
            .exceptions = "",
            .false_positives =
                "Globals that a host program puts in front of the script: name them with "
                "`globals` in the settings, or --global.",
            .server = "ERR user_script:1: Script attempted to access nonexistent global variable "
                      "'keys'",
            .fix = "declare it local, or name what is meant",
            .companions = "",
            .target = "",
        },
    .check = check,
};
