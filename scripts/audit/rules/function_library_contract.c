/* ES611 - a library that FUNCTION LOAD, or its callers, will have no joy with. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__library_fault *fault = facts->flow->faults; fault != NULL; fault = fault->next)
        evs__finding_add(out, evs__span_public(facts->chunk, fault->at), "%s", fault->text);
    if (!facts->flow->is_library || facts->flow->registers || facts->ngaps > 0)
        return;
    evs__span begin = {0, 1, 1, 1};
    evs__finding_add(out, evs__span_public(facts->chunk, begin),
                     "the library registers no function");
}

const evs__rule evs__rule_function_library_contract = {
    .info =
        {
            .code = "ES611",
            .name = "function-library-contract",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_B,
            .why = "While a library is loaded there is nothing but register_function, log and "
                   "the version; its functions have no KEYS and ARGV, but get both as "
                   "parameters. A library that breaks this is refused, or fails when a "
                   "function is called.",
            .bad = "#!lua name=mylib\n"
                   "redis.register_function('f', function(keys, args) return redis.call('GET', "
                   "KEYS[1]) end)",
            .good = "#!lua name=mylib\n"
                    "redis.register_function('f', function(keys, args) return redis.call('GET', "
                    "keys[1]) end)",
            .exceptions = "",
            .false_positives = "None.",
            .server = "ERR user_function:2: Script attempted to access nonexistent global "
                      "variable 'KEYS'",
            .fix = "use the parameters of the callback",
            .companions = "",
            .target = "",
        },
    .check = check,
};
