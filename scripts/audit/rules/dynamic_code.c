/* ES607 - code that is made while the script runs. */
#include "scripts/audit/rule.h"

#include <string.h>

static int is_constant(const evs__apiuse *use, size_t i)
{
    const evs__atom *atom = use->args.count > i ? evs__value_single(use->args.items[i].value)
                                                : NULL;
    return atom != NULL && atom->kind == EVS__ATOM_CONSTANT;
}

static int is_sandbox(const char *text)
{
    return strcmp(text, "redis") == 0 || strcmp(text, "_G") == 0;
}

static const char *complaint(const evs__apiuse *use)
{
    if ((evs__is_api(use, "", "loadstring") || evs__is_api(use, "", "load")) &&
        !is_constant(use, 0))
        return "code is compiled that is no constant";
    if (evs__is_api(use, "string", "dump"))
        return "string.dump makes code that no server loads";
    if (evs__is_api(use, "", "getfenv") || evs__is_api(use, "", "setfenv"))
        return "the globals of a function are exchanged";
    if (evs__is_api(use, "", "rawget") && is_sandbox(use->text) && !is_constant(use, 1))
        return "something of the sandbox is looked up by a computed name";
    return NULL;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__apiuse *use = facts->flow->apis; use != NULL; use = use->next) {
        const char *text = complaint(use);
        if (text != NULL)
            evs__finding_add(out, evs__span_public(facts->chunk, use->at), "%s", text);
    }
    for (const evs__nameuse *use = facts->flow->names; use != NULL; use = use->next)
        if (use->kind == EVS__NAME_CODE)
            evs__finding_add(out, evs__span_public(facts->chunk, use->at),
                             "a global is looked up by a computed name");
}

const evs__rule evs__rule_dynamic_code = {
    .info =
        {
            .code = "ES607",
            .name = "dynamic-code",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_A,
            .why = "What is compiled from an argument is whatever the caller wants to run; and "
                   "nothing can be proven of a script whose text is not there.",
            .bad = "return loadstring(ARGV[1])()",
            .good = "return tonumber(ARGV[1])",
            .exceptions = "loadstring of a constant",
            .false_positives = "None: what is constant is no finding.",
            .server = "",
            .fix = "pass data, not code",
            .companions = "ES006",
            .target = "",
        },
    .check = check,
};
